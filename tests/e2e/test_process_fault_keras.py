"""What befalls the training of a Keras model costs its own trial, and nothing is left of it."""

import ctypes
import math
import os
import pathlib
import signal
import tempfile
import threading
import time

import keras
import numpy as np
import pytest

from hypernets.adapters.process.attempt import Attempt
from hypernets.core.search_space import Choice, HyperSpace
from hypernets.domain.error import SearchExhausted
from hypernets.domain.history import TrialState
from hypernets.frameworks.keras.layers import Dense, Input, custom
from hypernets.frameworks.keras.models import HyperKeras

pytestmark = pytest.mark.keras

MEGABYTE = 2**20
S = TrialState

FAULTS = {
    "raises": (S.FAILED, "TrainingError"),
    "raises_what_cannot_travel": (S.FAILED, "TrainingError"),
    "os_exits": (S.FAILED, "ProcessExitError"),
    "segfaults": (S.FAILED, "SIGSEGV"),
    "is_killed": (S.LOST, "TrialLostError"),
    "is_killed_once": (S.COMPLETED, None),
    "hangs": (S.TIMED_OUT, "TrialTimeoutError"),
    "grows": (S.OUT_OF_MEMORY, "OutOfMemoryError"),
    "leaves_a_grandchild": (S.COMPLETED, None),
    "kills_the_zygote_once": (S.COMPLETED, None),
    "good": (S.COMPLETED, None),
}


class Trouble(keras.layers.Layer):
    """Hands on what it is given; its name says what is to happen while it is trained."""

    def __init__(self, kind, **arguments):
        super().__init__(**arguments)
        self.kind = kind

    def call(self, x):
        return x


class Troubled(keras.callbacks.Callback):
    """Does to the process of a training what its model says, after the first step."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_train_batch_end(self, batch, logs=None):
        (layer,) = (layer for layer in self.model.layers if isinstance(layer, Trouble))
        getattr(self, layer.kind)()

    def good(self):
        pass

    def raises(self):
        raise ValueError("no luck")

    def raises_what_cannot_travel(self):
        raise ValueError(threading.Lock(), lambda: 0)

    def os_exits(self):
        os._exit(0)

    def segfaults(self):
        ctypes.string_at(0)

    def is_killed(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def is_killed_once(self):
        if self.first_time("killed"):
            os.kill(os.getpid(), signal.SIGKILL)

    def hangs(self):
        (self.folder / f"hanging-{os.getpid()}").touch()
        time.sleep(600)

    def grows(self):
        held = []
        while True:
            held.append(np.ones(16 * MEGABYTE // 8))

    def leaves_a_grandchild(self):
        if self.first_time("grandchild") and not os.fork():
            time.sleep(600)

    def kills_the_zygote_once(self):
        if self.first_time("zygote"):
            zygote = os.getppid()
            assert b"zygote" in pathlib.Path(f"/proc/{zygote}/cmdline").read_bytes()
            os.kill(zygote, signal.SIGKILL)
            time.sleep(600)

    def first_time(self, what):
        try:
            (self.folder / what).mkdir()
        except FileExistsError:
            return False
        return True


class InOrder:
    """Proposes each kind of trouble once."""

    direction, seed = "max", 0

    def __init__(self, space, kinds):
        self.space, self.kinds = space, list(kinds)

    def ask(self):
        if not self.kinds:
            raise SearchExhausted
        return self.space.architecture({"kind": self.kinds.pop(0)})

    def tell(self, trial):
        pass


class Ends:
    def __init__(self):
        self.numbers = []

    def on_trial_end(self, trial, improved):
        self.numbers.append(trial.number)


def started_here():
    """Return the pids of zygotes of this process, and of all that was forked off them."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().split(b"\0")
        except OSError:  # it ends while it is read
            continue
        if b"hypernets.adapters.process.zygote" in arguments and str(os.getpid()).encode() in (
            arguments
        ):
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_search_of_keras_models_completes_whatever_befalls_them(tmp_path, n_workers, monkeypatch):
    def elapsed_s(attempt, now_s):  # late where it hangs, however slow the machine is
        return math.inf if (tmp_path / f"hanging-{attempt.pid}").exists() else 0.0

    monkeypatch.setattr(Attempt, "elapsed_s", elapsed_s)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = set(started_here())
    space = HyperSpace()
    with space.as_default():
        x = custom(Trouble)(kind=Choice(list(FAULTS), name="kind"))(Input(shape=4))
        Dense(units=2, activation="softmax")(x)
    ends = Ends()
    hyper = HyperKeras(
        InOrder(space, FAULTS),
        "sgd",
        "sparse_categorical_crossentropy",
        ["accuracy"],
        callbacks=[ends],
        isolation="process",
        n_workers=n_workers,
        deadline_s=0.2,
        memory_limit_bytes=768 * MEGABYTE,
    )
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    history = hyper.search(
        x,
        y,
        x,
        y,
        max_trials=len(FAULTS),
        epochs=1,
        verbose=0,
        seed=0,
        callbacks=[Troubled(tmp_path)],
    )
    found = {t.decisions["kind"]: (t.state, t.failure and t.failure.kind) for t in history}
    assert found == FAULTS
    assert sorted(ends.numbers) == list(range(1, len(FAULTS) + 1))
    assert set(started_here()) <= before
    assert [p for p in temporary.iterdir() if p.name.startswith("hypernets-trials-")] == []
    assert hyper.best_model.predict(x, verbose=0).shape == (32, 2)
