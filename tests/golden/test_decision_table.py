import json
from pathlib import Path

import pytest

from hypernets.adapters.callback.decision_table import decision_table
from hypernets.core.callbacks import SummaryCallback
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space

GOLDEN = Path(__file__).parent
DECISIONS = json.loads((GOLDEN / "enas_nr.json").read_text())["decisions"]
TABLE = (GOLDEN / "decision_table.txt").read_text().splitlines()


@pytest.fixture(scope="module")
def architecture():
    space = enas_micro_search_space(arch="NR", hp_dict={})
    values = {decision.name: DECISIONS[decision.label] for decision in space.decisions}
    return space.architecture(values)


def test_the_enas_table_is_the_published_one(architecture):
    assert decision_table(architecture.labels, architecture.decisions) == TABLE


def test_the_golden_decisions_stand_in_the_order_of_the_table(architecture):
    assert list(architecture.labels.values()) == list(DECISIONS)


def test_the_summary_callback_prints_the_table_below_the_number_of_the_trial(architecture, capsys):
    callback = SummaryCallback()
    callback.on_trial_begin(1, architecture)
    assert capsys.readouterr().out.splitlines() == ["", "Trail No:1", "", *TABLE]
