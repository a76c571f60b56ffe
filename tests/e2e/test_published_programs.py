"""The published programs run unedited, as plain scripts, and print the published log's form.

The document that holds them is no part of the product: its path comes from the environment
variable HYPERNETS_PUBLISHED_DOCS. The product's own tutorials of the same spaces always run.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hypernets.adapters.store import Hdf5Store
from hypernets.domain.history import TrialState

pytestmark = [pytest.mark.keras, pytest.mark.slow]

DOCUMENT = os.environ.get("HYPERNETS_PUBLISHED_DOCS", "")
documented = pytest.mark.skipif(not DOCUMENT, reason="HYPERNETS_PUBLISHED_DOCS names no document")
PROGRAMS = {
    "dnn": "dnn_search_space(",
    "cnn": "cnn_search_space(",
    "enas": "enas_micro_search_space(",
}


def published_program(name: str) -> str:
    text = Path(DOCUMENT).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if f"def {PROGRAMS[name]}" in block]
    return block


def started(program: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    script = folder / "program.py"
    script.write_text(program, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent / "published_environment"),
        "MAX_TRIALS": "2",
        "MAX_EPOCHS": "1",
        "EXAMPLES": "40",
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-u", str(script)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(program: str, folder: Path, **environment: str) -> str:
    process = started(program, folder, **environment)
    printed, complained = process.communicate(timeout=500)
    assert process.returncode == 0, complained[-4000:]
    return printed


def told(store: Path) -> list[tuple[int, TrialState, dict[str, float], str]]:
    with Hdf5Store(store) as opened:
        return [(t.number, t.state, dict(t.objectives), t.signature) for t in opened.load()]


@documented
@pytest.mark.parametrize("name", PROGRAMS)
def test_published_program_runs_verbatim_and_prints_the_log(name, tmp_path):
    printed = run(published_program(name), tmp_path)

    trials = re.findall(r"^Trail No:(\d+)$", printed, flags=re.MULTILINE)
    assert trials == ["1", "2"]
    assert printed.count("trail begin") == 2
    ends = re.findall(
        r"^trail end\. reward:\S+, improved:(True|False), elapsed:[\d.]+$", printed, re.MULTILINE
    )
    assert len(ends) == 2
    assert ends[0] == "True"
    assert len(re.findall(r"^Total elapsed:[\d.]+$", printed, re.MULTILINE)) == 2
    rows = re.findall(r"^\((\d+)\) (\S.*?):\s+(\S.*)$", printed, re.MULTILINE)
    assert rows[0][0] == "0"
    if name == "enas":
        first = [int(number) for number, _, _ in rows[:32]]
        assert first == list(range(32))
        assert rows[0][1] == "Module_InputChoice_1.hp_choice"
        assert rows[16][1] == "Module_InputChoice_10.hp_choice"
        assert rows[17][1] == "Module_InputChoice_9.hp_choice"
        assert re.fullmatch(r"\[[01]\]", rows[0][2])


@documented
@pytest.mark.parametrize("name", PROGRAMS)
def test_published_program_that_is_killed_goes_on_in_its_store(name, tmp_path):
    program, store = published_program(name), tmp_path / "run"
    with started(program, tmp_path, STORE=str(store)) as process:
        for line in process.stdout:
            if line.startswith("Trail No:2"):
                process.kill()
    (before,) = told(store)
    assert before[:2] == (1, TrialState.COMPLETED)

    printed = run(program, tmp_path, STORE=str(store))
    assert re.findall(r"^Trail No:(\d+)$", printed, flags=re.MULTILINE) == ["2"]
    assert before[3] in printed.partition("space signatures: ")[2]
    first, second = told(store)
    assert first == before
    assert second[:2] == (2, TrialState.COMPLETED)
    # each trial had a process of its own, with a log of its own
    assert {"trial-1.log", "trial-2.log"} <= {path.name for path in (store / "logs").iterdir()}
