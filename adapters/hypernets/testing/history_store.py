"""The laws of the `HistoryStore` port."""

import math
from collections.abc import Iterable
from unittest import mock

import attrs

from hypernets.application.port import HistoryStore, SearchIdentity
from hypernets.domain.error import DuplicateTrialError, OtherSearchError
from hypernets.domain.history import History, Report, Trial, TrialState
from hypernets.testing.example import IDENTITY, TRIALS
from hypernets.testing.law import Suite, raised

__all__ = ["HistoryStoreSuite"]


class HistoryStoreSuite(Suite):
    """What every store must do. Subclass it, and say how stores are made.

    A store on disk is held to `DurableStoreSuite`, which adds faults to these laws.
    """

    def make(self) -> HistoryStore:
        """Return a new, empty store."""
        raise NotImplementedError("a suite must say how its stores are made: define make()")

    def again(self, store: HistoryStore) -> HistoryStore:
        """Return a store that finds what a new process would, given what that store holds.

        The store itself, where it lives as long as its process.
        """
        return store

    def _filled(self, trials: Iterable[Trial] = TRIALS) -> HistoryStore:
        store = self.make()
        for trial in trials:
            store.append(trial)
        return store

    def test_it_has_the_methods_of_the_port(self) -> None:
        """Every method of the protocol is there."""
        assert isinstance(self.make(), HistoryStore)

    def test_an_empty_store_loads_an_empty_history(self) -> None:
        """`load` returns a `History`, before the first trial too."""
        history = self.make().load()
        assert isinstance(history, History)
        assert len(history) == 0

    def test_trials_come_back_as_they_were_in_the_order_of_the_appends(self) -> None:
        """Equal, and not sorted by number."""
        assert tuple(self._filled().load()) == TRIALS

    def test_types_come_back_as_they_were(self) -> None:
        """A tuple does not become a list, nor an integer a float."""
        for loaded, trial in zip(self._filled().load(), TRIALS, strict=True):
            assert repr(loaded) == repr(trial)

    def test_a_trial_is_there_when_append_returns(self) -> None:
        """What is acknowledged can be loaded at once."""
        store = self.make()
        for n, trial in enumerate(TRIALS, 1):
            store.append(trial)
            assert tuple(store.load()) == TRIALS[:n]

    def test_a_new_process_finds_them_too(self) -> None:
        """What is acknowledged outlives the object."""
        assert tuple(self.again(self._filled()).load()) == TRIALS

    def test_what_is_gone_on_with_later_stands_after_it(self) -> None:
        """The order of the appends holds across processes."""
        store = self.make()
        for trial in TRIALS:
            store = self.again(store)
            store.append(trial)
        assert tuple(self.again(store).load()) == TRIALS

    def test_a_trial_that_is_delivered_twice_is_kept_once(self) -> None:
        """A number that is stored is refused, in a later process too, and nothing changes."""
        store = self._filled()
        for look_again in (False, True):
            store = self.again(store) if look_again else store
            for twice in (TRIALS[-1], attrs.evolve(TRIALS[1], signature="another")):
                raised(DuplicateTrialError, store.append, twice)
                assert tuple(store.load()) == TRIALS

    def test_a_loaded_history_is_a_copy_of_its_own(self) -> None:
        """Adding to it does not add to the store."""
        store = self._filled()
        store.load().add(Trial(9, {}, "s", TrialState.LOST))
        assert tuple(store.load()) == TRIALS

    def test_the_best_of_what_is_loaded_is_the_best_of_what_was_stored(self) -> None:
        """The history can be asked as any other."""
        assert self._filled().load().best == TRIALS[0]

    def test_numbers_that_are_none_come_back(self) -> None:
        """NaN and the infinities, which JSON does not know."""
        values = {"a": math.nan, "b": math.inf, "c": -math.inf}
        trial = Trial(1, {}, "s", TrialState.DIVERGED, curve=(Report(1, values),), details=values)
        (loaded,) = self.again(self._filled([trial])).load()
        assert repr(loaded) == repr(trial)

    def test_a_long_curve_is_kept_whole(self) -> None:
        """A trial of a megabyte, between small ones."""
        curve = tuple(Report(step, {"loss": step / 7, "accuracy": 0.5}) for step in range(20_000))
        trials = [
            attrs.evolve(TRIALS[0], number=number, curve=curve[:length])
            for number, length in enumerate((10, 20_000, 0, 5_000), 1)
        ]
        assert list(self.again(self._filled(trials)).load()) == trials

    def test_many_trials_are_kept_in_order(self) -> None:
        """Three hundred, which is more than one page, block or segment."""
        trials = [
            Trial(n, {"n": n}, f"s{n}", TrialState.COMPLETED, {"r": n}) for n in range(1, 301)
        ]
        assert list(self.again(self._filled(trials)).load()) == trials

    def test_a_clock_that_jumps_changes_no_order(self) -> None:
        """The order of the appends is not that of the time of day."""
        store = self.make()
        for trial, now in zip(TRIALS, (2e9, 1e9, 0.0, 3e9, 5.0, 1e9), strict=True):
            with (
                mock.patch("time.time", return_value=now),
                mock.patch("time.time_ns", return_value=int(now * 1e9)),
            ):
                store.append(trial)
        assert tuple(self.again(store).load()) == TRIALS

    def test_the_search_that_it_belongs_to_is_remembered(self) -> None:
        """The same search is let in again, now and later; `identity` says which it is."""
        store = self.make()
        assert store.identity is None
        for _ in range(2):
            store.bind(IDENTITY)
            store.bind(IDENTITY)
            _require_known(store)
            store = self.again(store)
            _require_known(store)
        store.append(TRIALS[0])
        self.again(store).bind(IDENTITY)

    def test_another_search_is_refused_with_every_difference_and_nothing_changes(self) -> None:
        """By the same object and by a later one."""
        store = self.make()
        store.bind(IDENTITY)
        store.append(TRIALS[0])
        elsewhere = attrs.evolve(IDENTITY, space="1-x", decisions=())
        for look_again in (False, True):
            bound = self.again(store) if look_again else store
            other = attrs.evolve(IDENTITY, seed=1, data="sha256-2")
            _require_other(bound, other, ["seed", "data"])
            _require_other(bound, elsewhere, ["space", "decisions"])
            assert tuple(bound.load()) == TRIALS[:1]
            bound.bind(IDENTITY)

    def test_what_is_not_known_is_compared_with_nothing(self) -> None:
        """`None` in an identity differs from nothing."""
        store = self.make()
        store.bind(SearchIdentity(seed=0))
        store = self.again(store)
        store.bind(IDENTITY)
        _require_other(store, SearchIdentity(seed=1), ["seed"])

    def test_a_store_that_holds_trials_already_can_be_bound(self) -> None:
        """The first `bind` may come late; the trials stay."""
        store = self._filled()
        store.bind(IDENTITY)
        store = self.again(store)
        _require_other(store, attrs.evolve(IDENTITY, searcher="evolution"), ["searcher"])
        assert tuple(store.load()) == TRIALS


def _require_known(store: HistoryStore) -> None:
    known = store.identity
    assert known is not None, "the search must be known once it is bound"
    assert known.differences(IDENTITY) == ()
    assert known.to_document().keys() == IDENTITY.to_document().keys()


def _require_other(store: HistoryStore, identity: SearchIdentity, fields: list[str]) -> None:
    refusal = raised(OtherSearchError, store.bind, identity)
    assert [getattr(difference, "field", None) for difference in refusal.differences] == fields
    assert all(name in str(refusal) for name in fields)
