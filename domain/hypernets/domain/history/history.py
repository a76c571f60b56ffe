"""The history: the only state of a search."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from hypernets.domain.error import DuplicateTrialError, SearchError
from hypernets.domain.history.direction import Directions, parse_direction, parse_directions
from hypernets.domain.history.front import ParetoFront
from hypernets.domain.history.hypervolume import hypervolume
from hypernets.domain.history.key import TrialKey
from hypernets.domain.history.ranking import Ranking
from hypernets.domain.history.replicate import ReplicateSummary, summarise_replicates
from hypernets.domain.history.summary import HistorySummary, summarise
from hypernets.domain.history.table import to_frame, to_rows
from hypernets.domain.history.trial import Direction, Trial, TrialState

if TYPE_CHECKING:
    from hypernets.domain.space.hyper_space import HyperSpace

__all__ = ["History"]


class History:
    """The trials of a search, in the order in which its searcher was told of them.

    What a searcher needs on every step (`best`, `top`, `seen`, `lookup`, `front`) is kept up to
    date by `add`, whose cost does not grow with the history, but for a logarithm. Trials that were
    answered by an earlier one are part of the history, but of no ranking: their networks would be
    in it twice. Its owner serialises the calls of `add` and `front`; while one thread adds, others
    may read the rest, which is then as it was at some moment of the reading.

    Attributes:
        direction: whether a larger or a smaller reward is better.
        directions: objective name → direction where the search has several, the reward first.

    Example:
        >>> history = History("min")
        >>> history.add(Trial(1, {}, "a", TrialState.COMPLETED, objectives={"loss": 0.5}))
        True
        >>> history.best.reward
        0.5
    """

    def __init__(self, direction: Directions = Direction.MAX, trials: Iterable[Trial] = ()) -> None:
        self.directions = parse_directions(direction)
        self.direction = (
            next(iter(self.directions.values()))
            if self.directions
            else parse_direction(direction, "direction")
        )
        self._trials: list[Trial] = []
        self._by_number: dict[int, Trial] = {}
        self._by_signature: dict[str, list[Trial]] = {}
        self._by_key: dict[TrialKey, Trial] = {}
        self._ranking = Ranking()
        self._fronts: dict[tuple[str, ...], ParetoFront] = {}
        self._last_number = 0
        self._n_evaluated = 0
        self._n_failed = 0
        self._n_failed_in_a_row = 0
        self._evaluated_at_best = 0
        for trial in trials:
            self.add(trial)

    # --- growing --------------------------------------------------------------

    def add(self, trial: Trial) -> bool:
        """Take a trial in; return whether it is the best now.

        Numbers may come in any order: what is kept is the order of the calls.

        Raises:
            DuplicateTrialError: there is a trial of that number.
        """
        if trial.number in self._by_number:
            raise DuplicateTrialError(
                f"a trial's number must be new to its history; received number {trial.number}, "
                f"which {self._by_number[trial.number].state.value} trial of "
                f"{len(self)} already has; number it {self.next_number}, say"
            )
        position = len(self._trials)
        self._trials.append(trial)
        self._by_number[trial.number] = trial
        self._last_number = max(self._last_number, trial.number)
        if trial.signature:
            self._by_signature.setdefault(trial.signature, []).append(trial)
        return self._count(trial, position) if trial.ranked else False

    def _count(self, trial: Trial, position: int) -> bool:
        if trial.evaluated:
            self._n_evaluated += 1
            self._n_failed += trial.failed
            self._n_failed_in_a_row = self._n_failed_in_a_row + 1 if trial.failed else 0
        if trial.state is not TrialState.LOST:
            self._by_key.setdefault(trial.key, trial)
        if not trial.succeeded:
            return False
        for objectives, front in self._fronts.items():
            self._add_to_front(front, objectives, trial, position)
        improved = self._ranking.add(self._cost(trial.reward or 0.0, self.direction), position)
        if improved:
            self._evaluated_at_best = self._n_evaluated
        return improved

    # --- reading it as a sequence ---------------------------------------------

    def __len__(self) -> int:
        """Return the number of trials, those answered by an earlier one included."""
        return len(self._trials)

    def __iter__(self) -> Iterator[Trial]:
        """Iterate over the trials in the order of tells."""
        return iter(self._trials)

    @overload
    def __getitem__(self, index: int) -> Trial: ...
    @overload
    def __getitem__(self, index: slice) -> list[Trial]: ...
    def __getitem__(self, index: int | slice) -> Trial | list[Trial]:
        """Return the trial at a position (from 0, as in any sequence), or those of a slice.

        Raises:
            IndexError: there is none.
        """
        return self._trials[index]

    def trial(self, number: int) -> Trial:
        """Return the trial of a number (from 1).

        Raises:
            KeyError: there is none.
        """
        return self._by_number[number]

    def __contains__(self, trial: object) -> bool:
        """Say whether a trial is in the history."""
        return isinstance(trial, Trial) and self._by_number.get(trial.number) == trial

    # --- what a search asks on every step ---------------------------------------

    @property
    def best(self) -> Trial | None:
        """The trial of the best reward, the oldest of equal ones; `None` if none succeeded."""
        position = self._ranking.first()
        return None if position is None else self._trials[position]

    def top(self, k: int) -> list[Trial]:
        """Return the `k` best trials, the best first; fewer if there are not as many.

        Raises:
            SearchError: `k` is no integer >= 0.
        """
        if type(k) is not int or k < 0:
            raise SearchError(
                f"history.top: k must be an integer >= 0; received {k!r}; "
                "say how many of the best trials you want"
            )
        return [self._trials[position] for position in self._ranking.top(k)]

    def front(self, objectives: Sequence[str] | None = None) -> list[Trial]:
        """Return the trials that no other one dominates, in the order of tells.

        The first call for a list of objectives reads the history once; from then on the front is
        kept up to date.

        Args:
            objectives: names of the objectives to trade off; all that were given a direction when
                absent, and the reward alone where none was. One without a direction of its own has
                that of the reward.

        Raises:
            SearchError: the list is empty, or is one string.
        """
        names = tuple(self.directions) if objectives is None else tuple(objectives)
        if objectives is not None and (not names or isinstance(objectives, str)):
            raise SearchError(
                "history.front: objectives must be a list of at least one name; "
                f"received {objectives!r}; write ['accuracy', 'latency_s'], say"
            )
        front = self._fronts.get(names)
        if front is None:
            front = self._fronts[names] = ParetoFront(max(1, len(names)))
            for position, trial in enumerate(self._trials):
                if trial.ranked and trial.succeeded:
                    self._add_to_front(front, names, trial, position)
        return [self._trials[position] for position in front.positions()]

    def hypervolume(
        self, reference: Mapping[str, float], objectives: Sequence[str] | None = None
    ) -> float:
        """Return the volume of what the front dominates, up to a reference point.

        Args:
            reference: name of an objective → the worst value that counts, in the objective's unit.
            objectives: as `front` takes them; those of the reference when absent.

        Returns:
            The product of the objectives' units; 0.0 where no trial is better than the reference
            in each.

        Raises:
            SearchError: the reference lacks an objective.

        References:
            Zitzler & Thiele (1999), "Multiobjective evolutionary algorithms".
        """
        names = tuple(reference) if objectives is None else tuple(objectives)
        missing = [name for name in names if name not in reference]
        if missing or not names:
            raise SearchError(
                "history.hypervolume: reference must have a value for each objective; received "
                f"{dict(reference)!r} for {', '.join(map(repr, names)) or 'no objective'}; give "
                "the worst value that counts, {'accuracy': 0.5, 'latency_s': 1.0}, say"
            )
        directions = [self.directions.get(name, self.direction) for name in names]
        worst = [self._cost(reference[n], d) for n, d in zip(names, directions, strict=True)]
        points = [
            [self._cost(trial.objectives[n], d) for n, d in zip(names, directions, strict=True)]
            for trial in self.front(names)
        ]
        return hypervolume(np.array(points).reshape(-1, len(names)), np.array(worst))

    def seen(self, signature: str) -> bool:
        """Say whether there is a trial of that signature."""
        return signature in self._by_signature

    def trials_of(self, signature: str) -> list[Trial]:
        """Return the trials of a signature, in the order of tells."""
        return list(self._by_signature.get(signature, ()))

    def lookup(self, key: TrialKey) -> Trial | None:
        """Return the trial that answers for a key, if any: the first one evaluated under it.

        A lost trial answers for nothing: losing it was not the architecture's doing.
        """
        return self._by_key.get(key)

    def within(self, space: "HyperSpace") -> "History":
        """Return the history of the trials that lie in another space, with its decisions.

        A trial whose decisions make an architecture of `space` keeps its number and its result, and
        its decisions become those of that architecture (see `space.adopt`). Where the trial that
        answered one lies outside, that is `taken_from`.

        Args:
            space: one that was narrowed from the space of this history, say.

        Raises:
            SpaceError: the architecture of a trial is of a space that is not related.
        """
        inside = History(self.directions or self.direction)
        heirs: dict[int, int] = {}  # number of a trial outside → of the first that it answered
        for trial in self:
            architecture = space.adopt(trial)
            if architecture is None:
                continue
            own = attrs.evolve(
                trial,
                decisions=architecture.decisions,
                labels=architecture.labels,
                architecture=architecture,
            )
            inside.add(inside._among_these(own, heirs))
        return inside

    def _among_these(self, trial: Trial, heirs: dict[int, int]) -> Trial:
        """Return a trial with its answer among these, where the one that it had lies outside."""
        answerer = trial.answered_by
        if answerer is None or answerer in self._by_number:
            return trial
        if answerer in heirs:
            return attrs.evolve(trial, answered_by=heirs[answerer])
        heirs[answerer] = trial.number
        return attrs.evolve(trial, answered_by=None, taken_from=answerer)

    @property
    def next_number(self) -> int:
        """The number after the largest, 1 for an empty history."""
        return self._last_number + 1

    @property
    def n_evaluated(self) -> int:
        """Number of trials that were measured themselves, failed ones included."""
        return self._n_evaluated

    @property
    def n_failed(self) -> int:
        """Number of evaluated trials with nothing to show (see `Trial.failed`)."""
        return self._n_failed

    @property
    def n_failed_in_a_row(self) -> int:
        """Number of evaluated trials that failed since the last one that did not."""
        return self._n_failed_in_a_row

    @property
    def n_since_best(self) -> int:
        """Number of trials evaluated since the best one; all of them while there is none."""
        return self._n_evaluated - self._evaluated_at_best

    # --- reports ----------------------------------------------------------------

    def summary(self) -> HistorySummary:
        """Return the history in plain numbers."""
        return summarise(self._trials, self.direction, self.best)

    def replicates(self, caution: float = 1.0) -> list[ReplicateSummary]:
        """Return each architecture that succeeded with all its evaluations, the best first.

        Where every architecture was evaluated from several seeds, the first of these is a better
        choice than `best`, which may have been lucky once (see `summarise_replicates`).

        Args:
            caution: by how many standard errors a mean is discounted.

        Raises:
            SearchError: `caution` is no finite number >= 0.
        """
        return summarise_replicates(self._trials, self.direction, caution)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one mapping of column to value a trial, in the order of tells."""
        return to_rows(self._trials)

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` of one row a trial.

        Raises:
            ImportError: pandas is not installed.
        """
        return to_frame(self._trials)

    def __repr__(self) -> str:
        best = self.best
        found = f"best {best.reward:g} in trial {best.number}" if best else "none succeeded"
        return f"<History of {len(self)} trials, {self.direction.value}: {found}>"

    # --- costs ------------------------------------------------------------------

    def _add_to_front(
        self, front: ParetoFront, names: tuple[str, ...], trial: Trial, position: int
    ) -> None:
        if not names:
            front.add((self._cost(trial.reward or 0.0, self.direction),), position)
            return
        values = [trial.objectives.get(name, math.nan) for name in names]
        if not all(map(math.isfinite, values)):
            return
        directions = [self.directions.get(name, self.direction) for name in names]
        front.add(tuple(map(self._cost, values, directions)), position)

    @staticmethod
    def _cost(value: float, direction: Direction) -> float:
        return -value if direction is Direction.MAX else value
