"""The parts of the Keras adapter that need no Keras."""

import gc
import subprocess
import sys

import numpy as np
import pytest

from hypernets.adapters.keras.data_check import (
    require_examples,
    require_finite,
    require_same_length,
)
from hypernets.adapters.keras.fault import is_out_of_memory, reason_of, trial_error
from hypernets.adapters.keras.metric_direction import known_direction
from hypernets.adapters.keras.model_announcer import ModelAnnouncer
from hypernets.adapters.keras.model_keeper import ModelKeeper
from hypernets.adapters.keras.report import results_text, space_text
from hypernets.core.search_space import Choice, HyperSpace, Real
from hypernets.domain.error import (
    DivergedError,
    OutOfMemoryError,
    SearchError,
    TrainingError,
)
from hypernets.domain.history import Direction, Failure, History, Trial, TrialState
from hypernets.frameworks.keras.layers import Dense, Input


def trial(number, reward, state=TrialState.COMPLETED, **facts):
    return Trial(number, {"units": number}, f"s{number}", state, {"accuracy": reward}, **facts)


# --- data -----------------------------------------------------------------------------


def test_arrays_of_one_length_are_let_through():
    arrays = {"X": np.zeros((3, 2)), "y": np.zeros(3)}
    require_same_length(arrays)
    require_examples(arrays)
    require_finite({**arrays, "integers": np.arange(3), "text": np.array(["a"], object)})


def test_different_lengths_are_all_named():
    arrays = {"X['a']": np.zeros(3), "X['b']": np.zeros(4), "y": np.zeros(3)}
    with pytest.raises(SearchError, match=r"received X\['a'\]: 3, X\['b'\]: 4, y: 3; each row"):
        require_same_length(arrays)


def test_the_first_value_that_is_not_finite_is_found():
    array = np.zeros((4, 5, 6))
    array[2, 3, 4], array[3, 0, 0] = -np.inf, np.nan
    with pytest.raises(SearchError, match=r"X must .*received 2 .*\(-inf\) at index \(2, 3, 4\)"):
        require_finite({"X": array})


# --- errors ---------------------------------------------------------------------------


class ResourceExhaustedError(Exception):
    """Has the name that TensorFlow gives this error."""


def test_errors_about_memory_are_known_by_class_or_name():
    for error in (MemoryError("x"), ResourceExhaustedError("OOM when allocating")):
        assert is_out_of_memory(error)
        assert isinstance(trial_error(error, "training"), OutOfMemoryError)
    assert not is_out_of_memory(ValueError())


def test_an_error_of_the_search_stays_what_it_is():
    error = DivergedError("NaN")
    assert trial_error(error, "training") is error


def test_the_reason_is_kept_and_the_traces_are_left_out():
    layer = "Exception encountered when calling Reshape.call().\n\ncannot be reshaped\n\nArguments:"
    assert reason_of(ValueError(layer)).endswith("calling Reshape.call(). cannot be reshaped")
    graph = "Graph execution error:\n\nDetected at node Sub defined at\nmain.py\n\nsizes differ"
    assert reason_of(ValueError(graph)) == "sizes differ"
    assert len(reason_of(ValueError("long " * 1000))) == 400
    assert reason_of(ValueError()) == "ValueError"
    assert isinstance(trial_error(ValueError("bad"), "training"), TrainingError)


# --- metrics --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("accuracy", Direction.MAX),
        ("auc_3", Direction.MAX),
        ("loss", Direction.MIN),
        ("digit_loss", Direction.MIN),
        ("digit_acc", Direction.MAX),
        ("mean_absolute_error", Direction.MIN),
        ("surprise", None),
        ("digital_accuracy", None),
    ],
)
def test_the_direction_of_a_known_metric_is_known(name, direction):
    assert known_direction(name, ("digit", "age")) is direction


# --- weights --------------------------------------------------------------------------


def keep(keeper, *rewards):
    for number, reward in enumerate(rewards, start=1):
        keeper(trial(number, reward), [np.full(2, number), np.zeros(())], False)


def test_the_weights_of_the_best_are_kept_and_of_no_others():
    keeper = ModelKeeper(2, Direction.MAX)
    keep(keeper, 0.5, 0.7, 0.4, 0.9)
    assert keeper.numbers == [4, 2]
    assert len(list(keeper.folder.glob("trial-*"))) == 2
    first, scalar = keeper.weights(4)
    assert first.tolist() == [4, 4]
    assert scalar.shape == ()
    with pytest.raises(KeyError):
        keeper.weights(1)


def test_smaller_rewards_are_kept_where_they_are_better():
    keeper = ModelKeeper(1, Direction.MIN)
    keep(keeper, 0.5, 0.7, 0.4)
    assert keeper.numbers == [3]


@pytest.mark.parametrize("direction", Direction)
def test_of_equal_rewards_the_older_is_kept_as_in_the_history(direction):
    keeper, history = ModelKeeper(2, direction), History(direction)
    rewards = [0.5, 0.5, 0.5]
    keep(keeper, *rewards)
    for number, reward in enumerate(rewards, start=1):
        history.add(trial(number, reward))
    assert keeper.numbers == [each.number for each in history.top(2)] == [1, 2]


def test_failures_and_trials_stopped_early_are_not_kept():
    keeper = ModelKeeper(2, Direction.MAX)
    keeper(trial(1, float("nan")), [np.zeros(1)], False)
    keeper(trial(2, 0.5, TrialState.PRUNED), [np.zeros(1)], False)
    keeper(trial(3, 0.5), None, False)
    assert keeper.numbers == []


def test_the_folder_goes_with_its_keeper():
    keeper = ModelKeeper(2, Direction.MAX)
    keep(keeper, 0.5)
    folder = keeper._folder
    assert folder.exists()
    del keeper
    gc.collect()
    assert not folder.exists()


def test_the_folder_goes_with_its_process():
    script = (
        "from hypernets.adapters.keras.model_keeper import ModelKeeper\n"
        "from hypernets.domain.history import Direction\n"
        "keeper = ModelKeeper(1, Direction.MAX)\n"
        "print(keeper._folder)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    from pathlib import Path

    assert done.stdout.strip()
    assert not Path(done.stdout.strip()).exists()


# --- callbacks ------------------------------------------------------------------------


def test_a_callback_that_fails_is_shown_no_more_models_and_the_others_are():
    shown = []

    class Broken:
        def on_model_built(self, number, model):
            shown.append("broken")
            raise RuntimeError

    class Whole:
        def on_model_built(self, number, model):
            shown.append((number, model))

    announce = ModelAnnouncer([Broken(), object(), Whole()])
    announce(1, "a")
    announce(2, "b")
    assert shown == ["broken", (1, "a"), (2, "b")]


# --- reports --------------------------------------------------------------------------


def test_results_are_reported_best_first_with_the_commonest_failure():
    history = History("max")
    history.add(trial(1, 0.5, labels={"units": "dense.units"}))
    history.add(trial(2, 0.75, elapsed_s=2.0))
    failure = Failure("BuildError", "too deep")
    history.add(Trial(3, {}, "", TrialState.FAILED, failure=failure))
    text = results_text(history, 2)
    assert text.splitlines()[0] == "3 trials: 2 completed, 1 failed (2.0 s)"
    assert "most frequent failure: BuildError: too deep (1 time)" in text
    assert text.index("Trial 2: accuracy=0.75") < text.index("Trial 1: accuracy=0.5")
    assert "  dense.units  1" in text
    assert "Trial 1" not in results_text(history, 1)


def test_a_space_is_reported_by_its_decisions():
    space = HyperSpace()
    with space.as_default():
        units = Choice(list(range(1, 10)), name="units")
        hidden = Dense(units, name="first")(Input((4,)))
        Dense(units, name="second")(hidden)
        space.set_training(learning_rate=Real(0.001, 0.1))
    text = space_text(space)
    assert text.splitlines()[0] == "Search space: 2 decisions"
    assert "first.units (and 1 more)  Choice: 1, 2, 3, 4, 5, 6, ... (9 values)" in text
    assert "learning_rate" in text
    assert text.splitlines()[-1].endswith("set by the space: learning_rate")


def test_defining_a_space_needs_no_keras():
    script = (
        "import sys\n"
        "import hypernets.frameworks.keras.layers, hypernets.adapters.keras\n"
        "assert 'keras' not in sys.modules and 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_keeper_knows_beforehand_what_it_would_keep():
    keeper = ModelKeeper(2, Direction.MAX)
    for number, reward in enumerate([0.5, 0.7, 0.4, 0.7, 0.7, 0.9, 0.1], start=1):
        would = keeper.would_keep({"reward": reward})
        keeper(trial(number, reward), [np.zeros(1)], False)
        assert (number in keeper.numbers) == would
