import shlex
import subprocess
import sys

import keras
import pytest

from hypernets.adapters.dataset import load_images
from hypernets.adapters.demo.__main__ import main
from hypernets.adapters.store import Hdf5Store

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Run a search that is too small to meet the bar, once for all tests."""
    folder = tmp_path_factory.mktemp("demo")
    arguments = ["--data", "digits", "--seed", "0", "--trials", "2", "--epochs", "1"]
    command = [sys.executable, "-m", "hypernets.adapters.demo", *arguments, "--final-epochs", "1"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    return folder, result


def test_progress_is_shown_trial_by_trial(demo):
    _, result = demo
    lines = result.stdout.splitlines()
    assert "images of 8x8x1 in 10 classes" in lines[0]
    for number in (1, 2):
        [line] = [line for line in lines if line.startswith(f"trial {number}/2: accuracy ")]
        assert "; best accuracy " in line
        assert "; failed 0" in line
    assert "\x1b" not in result.stdout


def test_a_bar_that_is_missed_is_admitted_in_words_and_by_the_exit_status(demo):
    _, result = demo
    assert "The bar is 0.97: NOT met." in result.stdout
    assert result.returncode == 1, result.stderr


def test_the_two_lines_that_are_printed_load_the_model_that_was_tested(demo, monkeypatch):
    folder, result = demo
    monkeypatch.chdir(folder)
    lines = [line.strip() for line in result.stdout.splitlines()]
    place = lines.index("import keras")
    names = {}
    exec("\n".join(lines[place : place + 2]), names)  # noqa: S102
    data = load_images("digits", seed=0)
    test = names["model"].evaluate(data.x_test, data.y_test, verbose=0, return_dict=True)
    [shown] = [line for line in lines if line.startswith("Accuracy on 359 test images")]
    assert shown.endswith(f"{test['accuracy']:.4f}")
    assert isinstance(names["model"], keras.Model)


def test_the_search_and_its_model_lie_under_runs(demo):
    folder, _ = demo
    run = folder / "runs" / "demo" / "digits-seed0"
    assert (run / "model.keras").is_file()
    with Hdf5Store(run, mode="r") as store:
        assert len(store.load()) == 2


def test_the_command_that_is_printed_goes_on_with_the_search(demo):
    folder, first = demo
    [command] = [line.strip() for line in first.stdout.splitlines() if "--resume" in line]
    again = subprocess.run(
        shlex.split(command), cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert "goes on" in again.stdout
    assert "trial 1/2" not in again.stdout
    shown = [
        [line for line in result.stdout.splitlines() if line.startswith("Accuracy on")]
        for result in (first, again)
    ]
    assert shown[0] == shown[1]


def test_there_is_no_going_on_where_there_was_nothing(tmp_path, capsys):
    assert main(["--data", "digits", "--resume", str(tmp_path / "none")]) == 2
    assert "--resume must name the folder of an earlier run" in capsys.readouterr().err
