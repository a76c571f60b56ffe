"""Turns what Keras and its backend raise into the errors that the search knows."""

import re

from hypernets.domain.error import OutOfMemoryError, TrainingError, TrialError

__all__ = ["is_out_of_memory", "reason_of", "trial_error"]

_LONGEST = 400
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def reason_of(error: BaseException) -> str:
    """Return what is wrong, on one line.

    Without the traces that a backend puts into it, without colours for a terminal, and without
    Keras's list of the arguments received, which names tensors anew each time: equal failures have
    equal reasons.
    """
    plain = _COLOUR.sub("", str(error))
    paragraphs = [part.strip() for part in plain.split("\n\n") if part.strip()]
    text = " ".join((paragraphs[0] if paragraphs else type(error).__name__).split())
    if text.startswith("Exception encountered when calling") and len(paragraphs) > 1:
        text = f"{text} {' '.join(paragraphs[1].split())}"  # the layer, then its reason
    if text.startswith(("Graph execution error:", "Detected at node")) and len(paragraphs) > 1:
        text = " ".join(paragraphs[-1].split())  # the places it went through stand first
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error is about memory."""
    # by name, so that no backend need be imported
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"


def trial_error(error: BaseException, doing: str) -> TrialError:
    """Return the error of a trial for what was raised while `doing` something with its model."""
    if isinstance(error, TrialError):
        return error
    reason = f"{type(error).__name__}: {reason_of(error)}"
    if is_out_of_memory(error):
        return OutOfMemoryError(
            f"{doing} a model must fit into memory; received {reason}; "
            "lower batch_size, or set max_model_size"
        )
    return TrainingError(
        f"{doing} a model must succeed on its data; received {reason}; change the space, the data "
        "or the arguments as this reason says"
    )
