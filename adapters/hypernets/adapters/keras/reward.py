"""Which of the numbers that a model measures is the reward, and which are objectives."""

import math
from collections.abc import Mapping

from hypernets.domain.error import DivergedError, TrainingError

__all__ = ["choose_reward", "finite_objectives"]


def choose_reward(names: list[str], wanted: str | None) -> str:
    """Return the name of the reward among what a model measures.

    Args:
        names: see `metric_names`.
        wanted: the one asked for, with or without `val_`; the first when absent.

    Raises:
        TrainingError: there is none of that name; the message names those that there are.
    """
    name = names[0] if wanted is None else wanted.removeprefix("val_")
    if name in names:
        return name
    raise TrainingError(
        f"reward_metric must be one that the model measures; received {wanted!r}; choose one of "
        f"{', '.join(map(repr, names))}, or add it to metrics"
    )


def finite_objectives(values: Mapping[str, float], reward: str) -> dict[str, float]:
    """Return the objectives, the reward first; a metric beside it that is not finite is left out.

    Raises:
        DivergedError: the reward or the loss is not finite.
    """
    for name in (reward, "loss"):
        if not math.isfinite(values.get(name, 0.0)):
            raise DivergedError(
                f"the {name} on the validation data must be a finite number; received "
                f"{values[name]}; lower the learning rate, or look at the scale of the data"
            )
    ordered = {reward: values[reward], **values}
    return {name: value for name, value in ordered.items() if math.isfinite(value)}
