"""The wheel holds the whole package and runs where the sources are not."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
sources, wheel = sys.argv[1:]
outside = [p for p in sys.path if not p.startswith(sources + "/") or ".venv" in p]
sys.path[:] = [wheel, *outside]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]

import hypernets
assert all(path.startswith(wheel) for path in hypernets.__path__), hypernets.__path__

from hypernets.application import search
from hypernets.core.search_space import Choice
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space

space = dnn_search_space(input_shape=4, output_units=1, output_activation="sigmoid")
history = search(space, "random", lambda a: len(a.graph), max_trials=5, seed=0)
print(len(history), space.count())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_runs_elsewhere(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(ROOT), str(tmp_path / "installed")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["5", "3888"]


def test_the_wheel_holds_every_source_file_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = {
        str(path.relative_to(ROOT / layer))
        for layer in ("domain", "application", "adapters")
        for path in (ROOT / layer).rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    assert held == sources
