"""What the engine does during `fit`: reports epochs, ends a diverged one, keeps the best."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras

from hypernets.domain.error import DivergedError
from hypernets.domain.history import Direction

__all__ = ["EpochWatch", "metric_names"]

_STEPS_BETWEEN_LOOKS = 16  # the loss is a running mean, so that a NaN stays in it


class EpochWatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Reports each epoch, ends a training that has diverged, and keeps the best epoch's weights.

    Args:
        report: takes the number of an epoch (from 1) and its logs; returns whether to stop.
        direction: of the reward.
        reward_metric: gives the name of the reward once the model has metrics; `None` where the
            weights of the last epoch are wanted.

    Attributes:
        curve: what was reported, in order.
        best: the best reward so far, as a number of which more is better.
        best_epoch: the epoch of the best reward on the validation data, if it was looked for.
        best_weights: the weights after it.
    """

    async_safe = True
    """Keras may call it beside the training: else each step would wait for its logs."""

    def __init__(
        self,
        report: Callable[[int, Mapping[str, float]], bool],
        direction: Direction,
        reward_metric: Callable[[Any], str] | None = None,
    ) -> None:
        super().__init__()
        self._report = report
        self._sign = 1.0 if direction is Direction.MAX else -1.0
        self._reward_metric = reward_metric
        self.curve: list[tuple[int, dict[str, float]]] = []
        self.best = -math.inf
        self.best_epoch: int | None = None
        self.best_weights: list[Any] | None = None

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the loss now and then."""
        if batch % _STEPS_BETWEEN_LOOKS == 0:
            _require_finite_loss(logs, f"after step {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Report the epoch, unless its loss has diverged."""
        _require_finite_loss(logs, f"in epoch {epoch + 1}")
        values = {name: float(value) for name, value in (logs or {}).items()}
        self._keep_best(epoch + 1, values)
        self.curve.append((epoch + 1, values))
        if self._report(epoch + 1, values):
            self.model.stop_training = True

    def repeat(self, curve: Iterable[tuple[int, Mapping[str, float]]]) -> None:
        """Report epochs that an earlier process has trained, and did not end after."""
        for epoch, values in curve:
            self.curve.append((epoch, dict(values)))
            self._report(epoch, values)

    def _keep_best(self, epoch: int, values: Mapping[str, float]) -> None:
        if self._reward_metric is None:
            return
        reward = values.get(f"val_{self._reward_metric(self.model)}")
        # NaN is never larger; equal rewards keep the older epoch
        if reward is not None and self._sign * reward > self.best:
            self.best = self._sign * reward
            self.best_epoch = epoch
            self.best_weights = self.model.get_weights()


def metric_names(model: Any) -> list[str]:
    """Return what a model that has taken a step measures: its metrics as compiled, then losses."""
    names = list(model.get_metrics_result())
    losses = [name for name in names if _is_loss(name, model)]
    return [name for name in names if name not in losses] + losses


def _is_loss(name: str, model: Any) -> bool:
    return name == "loss" or name in {f"{output}_loss" for output in model.output_names}


def _require_finite_loss(logs: Mapping[str, Any] | None, when: str) -> None:
    loss = (logs or {}).get("loss")
    if loss is not None and not math.isfinite(loss):
        raise DivergedError(
            f"the loss must be a finite number; received {float(loss)} {when}; lower the learning "
            "rate, clip the gradients, or look at the scale of the data"
        )
