"""When a search is to end."""

import enum
import math
from typing import Any

import attrs

from hypernets.domain.error import SearchError
from hypernets.domain.history import Direction, History

__all__ = ["Budget", "EndReason"]


class EndReason(enum.Enum):
    """Why a search has ended."""

    MAX_TRIALS = "max_trials"
    MAX_TIME = "max_time_s"
    TARGET_REWARD = "target_reward"
    PATIENCE = "patience"
    EXHAUSTED = "exhausted"
    REPEATING = "repeating"
    FAILING = "failing"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


def _whole(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        kind = "" if isinstance(value, int) else "an integer "
        raise SearchError(
            f"{attribute.name} must be {kind}>= 1; received {value!r}; "
            f"write {attribute.name}=10, say, or None for no such limit"
        )


def _seconds(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and (not _is_number(value) or not value > 0):
        raise SearchError(
            f"{attribute.name} must be > 0, in seconds; received {value!r}; "
            f"write {attribute.name}=600, say, or None for no such limit"
        )


def _finite(_: Any, attribute: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and (not _is_number(value) or not math.isfinite(value)):
        raise SearchError(
            f"{attribute.name} must be a finite number; received {value!r}; "
            f"write {attribute.name}=0.95, say, or None for no such limit"
        )


@attrs.frozen
class Budget:
    """What a search may use up; it ends with what comes first.

    Attributes:
        max_trials: number of evaluated trials that the history is to hold, failed ones and those of
            an earlier run included; proposals that an earlier trial answered do not count.
        max_time_s: no trial begins later than this, in seconds since the run began.
        target_reward: end once the best reward is as good.
        patience: end after so many evaluated trials without a better one.
        max_failures: give up once so many have been evaluated, and every one has failed.
        max_consecutive_failures: give up after so many failed trials in a row, whatever came
            before: something has broken on the way.
        max_total_failures: give up once so many have failed, in all.
        max_known: give up after so many proposals in a row that are known already.

    Raises:
        SearchError: a value makes no sense.
    """

    max_trials: int | None = attrs.field(default=None, validator=_whole)
    max_time_s: float | None = attrs.field(default=None, validator=_seconds)
    target_reward: float | None = attrs.field(default=None, validator=_finite)
    patience: int | None = attrs.field(default=None, validator=_whole)
    max_failures: int | None = attrs.field(default=10, validator=_whole)
    max_known: int | None = attrs.field(default=1_000, validator=_whole)
    max_consecutive_failures: int | None = attrs.field(default=100, validator=_whole)
    max_total_failures: int | None = attrs.field(default=None, validator=_whole)

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing but the end of the space ends the search."""
        limits = (self.max_trials, self.max_time_s, self.target_reward, self.patience)
        return all(limit is None for limit in limits)

    def spent(
        self, history: History, *, n_running: int, n_known: int, elapsed_s: float
    ) -> EndReason | None:
        """Return why no further trial may begin, or `None` if one may.

        Args:
            history: what is known.
            n_running: number of trials that have begun and not ended.
            n_known: number of proposals in a row, up to now, that were known already.
            elapsed_s: time since the run began, in seconds.
        """
        n_evaluated = history.n_evaluated
        if self.max_known is not None and n_known >= self.max_known:
            return EndReason.REPEATING
        if self._fails_too_often(history):
            return EndReason.FAILING
        if self._reached(history):
            return EndReason.TARGET_REWARD
        if self.patience is not None and history.n_since_best >= self.patience:
            return EndReason.PATIENCE
        if self.max_trials is not None and n_evaluated + n_running >= self.max_trials:
            return EndReason.MAX_TRIALS
        if self.is_over(elapsed_s):
            return EndReason.MAX_TIME
        return None

    def is_over(self, elapsed_s: float) -> bool:
        """Say whether the time is up."""
        return self.max_time_s is not None and elapsed_s >= self.max_time_s

    def _fails_too_often(self, history: History) -> bool:
        failed = history.n_failed
        all_failed = failed if failed == history.n_evaluated else 0
        return (
            _reached(all_failed, self.max_failures)
            or _reached(history.n_failed_in_a_row, self.max_consecutive_failures)
            or _reached(failed, self.max_total_failures)
        )

    def _reached(self, history: History) -> bool:
        best, target = history.best, self.target_reward
        if best is None or best.reward is None or target is None:
            return False
        if history.direction is Direction.MAX:
            return best.reward >= target
        return best.reward <= target


def _reached(count: int, limit: int | None) -> bool:
    return limit is not None and count >= limit


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, bool)
