"""The progress of a search in words."""

from collections.abc import Mapping

from hypernets.application.progress import RunningTrial, SearchProgress
from hypernets.domain.history import Trial

__all__ = ["begun_line", "duration", "ended_line", "progress_rows", "trial_line"]

_SHOWN_RUNNING = 8
_SHOWN_VALUES = 4
_REASON_WIDTH = 160


def progress_rows(progress: SearchProgress, now_s: float) -> list[tuple[str, str]]:
    """Return heading and text of each row of a display of the present state."""
    running = list(progress.running.values())
    rows = [("Search", f"{_count(progress)}, {_times(progress, now_s)}")]
    before = begun_line(progress)
    if before:
        rows.append(("", before))
    if progress.n_workers > 1:
        rows.append(
            ("Workers", f"{min(len(running), progress.n_workers)} of {progress.n_workers} busy")
        )
    rows += [(f"Trial {each.number}", _stage(each, now_s)) for each in running[:_SHOWN_RUNNING]]
    if len(running) > _SHOWN_RUNNING:
        rows.append(("", f"and {len(running) - _SHOWN_RUNNING} more"))
    rows.append(("Best", _best(progress.best)))
    failed = str(progress.n_failed)
    if progress.last_failed is not None:
        trial = progress.last_failed
        failed += f", the last one trial {trial.number}: {_reason(trial)}"
    rows.append(("Failed", failed))
    return rows


def begun_line(progress: SearchProgress) -> str:
    """Return one line on what a run goes on from, or has begun with; empty for a new search."""
    n_before = progress.n_before
    if not n_before:
        return ""
    trials = f"{n_before} trial{_s(n_before)}"
    if n_before <= progress.n_taken:
        return f"begins with {trials} of {progress.origin}"
    where = f" in {progress.location}" if progress.location else ""
    return f"goes on after {trials}{where}"


def trial_line(trial: Trial, progress: SearchProgress, now_s: float) -> str:
    """Return one line on a trial that has ended, and on the state since."""
    limit = f"/{progress.max_trials}" if progress.max_trials is not None else ""
    outcome = _reason(trial) if trial.failed else _reward(trial)
    busy = f"{len(progress.running)} under way" if progress.n_workers > 1 else ""
    parts = [
        f"trial {trial.number}{limit}: {outcome} in {duration(trial.elapsed_s)}",
        f"best {_best(progress.best)}",
        f"failed {progress.n_failed}",
        busy,
        _left(progress, now_s),
    ]
    return "; ".join(part for part in parts if part)


def ended_line(progress: SearchProgress, now_s: float) -> str:
    """Return one line on a search that has ended."""
    return (
        f"search ended: {_count(progress)} in {duration(progress.elapsed_s(now_s))}; "
        f"best {_best(progress.best)}; failed {progress.n_failed}"
    )


def duration(seconds: float) -> str:
    """Return a duration for people.

    Example:
        >>> duration(4.24), duration(61), duration(3725)
        ('4.2 s', '1:01', '1:02:05')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, whole = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{whole} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"


def _count(progress: SearchProgress) -> str:
    limit = f"/{progress.max_trials}" if progress.max_trials is not None else ""
    plural = _s(progress.max_trials or progress.n_ended)
    return f"{progress.n_ended}{limit} trial{plural}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _times(progress: SearchProgress, now_s: float) -> str:
    parts = [f"{duration(progress.elapsed_s(now_s))} elapsed", _left(progress, now_s)]
    return ", ".join(part for part in parts if part)


def _left(progress: SearchProgress, now_s: float) -> str:
    left_s = progress.left_s(now_s)
    over = progress.max_trials is not None and progress.n_ended >= progress.max_trials
    return "" if left_s is None or over else f"about {duration(left_s)} left"


def _stage(trial: RunningTrial, now_s: float) -> str:
    stage = f"{trial.stage} for {duration(now_s - trial.begun_s)}"
    return f"{stage}, epoch {trial.step}: {_values(trial.values)}" if trial.step else stage


def _best(trial: Trial | None) -> str:
    return "none yet" if trial is None else f"{_reward(trial)} (trial {trial.number})"


def _reward(trial: Trial) -> str:
    for name, value in trial.objectives.items():
        return f"{name} {value:.4g}"
    return trial.state.value


def _reason(trial: Trial) -> str:
    failure = trial.failure
    text = f"{failure.kind}: {failure.message}" if failure else "no reason was recorded"
    line = f"{trial.state.value}, {' '.join(text.split())}"
    return line if len(line) <= _REASON_WIDTH else f"{line[: _REASON_WIDTH - 3]}..."


def _values(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in list(values.items())[:_SHOWN_VALUES])
