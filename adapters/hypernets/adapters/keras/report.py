"""What a search prints about its space and its results."""

import math
from typing import Any

from hypernets.domain.history import History, Trial

__all__ = ["results_text", "space_text"]


def space_text(space: Any) -> str:
    """Return the decisions of a space, one a line: its label, its class, and what it can be."""
    decisions = space.decisions
    lines = [f"Search space: {len(decisions)} decisions"]
    labels = [_short(decision.label) for decision in decisions]
    width = max(map(len, labels), default=0)
    lines += [
        f"  {label:<{width}}  {type(decision).__name__}: {_values(decision)}"
        for label, decision in zip(labels, decisions, strict=True)
    ]
    training = sorted(getattr(space, "training", None) or ())
    if training:
        lines.append(f"Arguments of the training set by the space: {', '.join(training)}")
    return "\n".join(lines)


def results_text(history: History, n_trials: int) -> str:
    """Return the figures of a history and its best trials."""
    summary = history.summary()
    lines = [
        f"{summary.n_evaluated} trials: {summary.n_succeeded} completed, {summary.n_failed} failed"
        f" ({summary.elapsed_s:.1f} s)"
    ]
    if summary.n_answered:
        lines.append(f"{summary.n_answered} proposals were answered by an earlier trial")
    if summary.commonest_failure:
        lines.append(f"most frequent failure: {summary.commonest_failure}")
    for trial in history.top(n_trials):
        lines += ["", *_trial_lines(trial)]
    return "\n".join(lines)


def _trial_lines(trial: Trial) -> list[str]:
    objectives = ", ".join(f"{name}={value:.6g}" for name, value in trial.objectives.items())
    lines = [f"Trial {trial.number}: {objectives} ({trial.elapsed_s:.1f} s)"]
    shown = trial.labels or {name: name for name in trial.decisions}
    labels = {name: _short(label) for name, label in shown.items()}
    width = max((len(label) for label in labels.values()), default=0)
    return lines + [
        f"  {label:<{width}}  {trial.decisions[name]!r}" for name, label in labels.items()
    ]


def _short(label: str) -> str:
    """Return the label of a hyperparameter that many layers share as its first owner's."""
    first, *others = label.split(",")
    return f"{first} (and {len(others)} more)" if others else label


def _values(decision: Any) -> str:
    if not math.isfinite(decision.size):
        return repr(decision)
    shown = [repr(decision.value_at(index)) for index in range(min(int(decision.size), 6))]
    rest = ", ..." if decision.size > len(shown) else ""
    return f"{', '.join(shown)}{rest} ({int(decision.size)} values)"
