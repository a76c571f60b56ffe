"""No network is measured twice, no proposal is lost, and a finite space is searched to its end."""

import random

import attrs
import pytest

from hypernets.application import EndReason, MemoryStore, Search
from hypernets.application.in_process.attempt import attempt
from hypernets.application.loop.deterministic import DeterministicSearch
from hypernets.application.port import Measurement, Outcome, Proposal
from hypernets.domain.error import BuildError, SearchError
from hypernets.domain.history import Failure, TrialState
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import (
    Choice,
    Dynamic,
    HyperSpace,
    Identity,
    LayerModule,
    Optional,
    Or,
)


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class Dropout(LayerModule):
    pass


def distinct():
    """3 x 3 x 2 = 18 configurations, which build 18 different networks."""
    space = HyperSpace()
    with space.as_default():
        x = Dense({"units": Choice([1, 2, 3])})(Input({"shape": (4,)}))
        x = Optional(Dense({"units": 7}), keep_link=True)(x)
        Dense({"units": Choice([4, 5, 6])})(x)
    return space


def alike():
    """3 x 3 x 2 = 18 configurations; Dropout(0) is nothing, so they build 9 different networks."""
    space = HyperSpace()
    with space.as_default():
        x = Dense({"units": Choice([1, 2, 3])})(Input({"shape": (4,)}))
        x = Dropout({"rate": Choice([0.0, 0.25, 0.5])})(x)
        Or([Identity(), Dropout({"rate": 0.0})])(x)
    return space


def no_network():
    """3 x 6 = 18 configurations, 6 of which make no network at all."""

    def positive(units, sign):
        if sign == 2:
            raise ValueError("no such sign")
        return units + 10 * sign

    space = HyperSpace()
    with space.as_default():
        units, sign = Choice(range(1, 7), name="units"), Choice([0, 1, 2], name="sign")
        Dense({"units": Dynamic(positive, units=units, sign=sign)})(Input({"shape": (4,)}))
    return space


class Shuffled:
    """Finishes up to two of the jobs that run, whichever."""

    def __init__(self, lost=()):
        self.jobs, self.rng, self.lost = [], random.Random(3), list(lost)  # noqa: S311 - no secret

    def submit(self, job, report):
        self.jobs.append((job, report))
        return job.number

    def completed(self, timeout_s=None):
        self.rng.shuffle(self.jobs)
        ended, self.jobs = self.jobs[:2], self.jobs[2:]
        return [self._outcome(*job) for job in ended]

    def cancel(self, ticket):
        self.jobs = [(job, report) for job, report in self.jobs if job.number != ticket]

    def _outcome(self, job, report):
        if job.number in self.lost:
            return Outcome(job.number, TrialState.LOST, failure=Failure("WorkerDied", "killed"))
        return attempt(job, report, job.number)


class Estimate:
    """Says how often it was asked about each network."""

    name = "estimate"

    def __init__(self, fails=lambda architecture: False):
        self.measured, self.fails = [], fails

    def estimate(self, architecture, context):
        self.measured.append(architecture.signature)
        if self.fails(architecture):
            raise BuildError("too deep")
        return Measurement({"reward": sum(architecture.signature.encode())})


def searching(space, estimate, workers=1, store=None, lost=(), **options):
    return Search(
        RandomSearcher(space, seed=4, **options),
        estimate,
        store=store,
        executor=Shuffled(lost),
        n_workers=workers,
    )


def decided(history):
    return {tuple(trial.decisions.items()) for trial in history}


both = pytest.mark.parametrize("with_replacement", [False, True])
one_or_more = pytest.mark.parametrize("workers", [1, 2, 5])


# --- a finite space is exhausted exactly ----------------------------------------------


@both
@one_or_more
@pytest.mark.parametrize("max_trials", [None, 100])
def test_18_configurations_are_18_trials_and_18_networks(with_replacement, workers, max_trials):
    estimate = Estimate()
    run = searching(distinct, estimate, workers, with_replacement=with_replacement)
    history = run.run(max_trials)
    assert run.end_reason is EndReason.EXHAUSTED
    assert history.n_evaluated == len(estimate.measured) == len(set(estimate.measured)) == 18
    assert len(decided(history)) == 18
    if not with_replacement:
        assert sorted(trial.number for trial in history) == list(range(1, 19))


@both
@one_or_more
@pytest.mark.parametrize("max_trials", [None, 100])
def test_18_configurations_of_9_networks_are_9_trials_and_the_others_are_answered(
    with_replacement, workers, max_trials
):
    estimate = Estimate()
    run = searching(alike, estimate, workers, with_replacement=with_replacement)
    history = run.run(max_trials)
    assert run.end_reason is EndReason.EXHAUSTED
    assert history.n_evaluated == len(estimate.measured) == len(set(estimate.measured)) == 9
    assert len(decided(history)) == 18
    for trial in history:
        if not trial.evaluated:
            earlier = history.trial(trial.answered_by)
            assert earlier.evaluated
            assert (earlier.key, earlier.objectives) == (trial.key, trial.objectives)


@both
@one_or_more
@pytest.mark.parametrize(("space", "networks"), [(distinct, 18), (alike, 9)])
@pytest.mark.parametrize("first", [1, 5, 8])
def test_gone_on_with_in_the_middle_it_comes_to_the_same_end(
    space, networks, first, workers, with_replacement
):
    estimate, store = Estimate(), MemoryStore()
    options = {"with_replacement": with_replacement, "store": store}
    searching(space, estimate, workers, **options).run(max_trials=first)
    assert len(estimate.measured) == first
    run = searching(space, estimate, workers, **options)
    history = run.run()
    assert run.end_reason is EndReason.EXHAUSTED
    assert len(estimate.measured) == len(set(estimate.measured)) == networks
    assert len(decided(history)) == 18
    assert list(store.load()) == list(history)


# --- what failed ------------------------------------------------------------------------


@both
@one_or_more
def test_a_network_that_failed_is_not_tried_again_and_its_failure_is_the_answer(
    with_replacement, workers
):
    estimate = Estimate(fails=lambda a: a.graph["Module_Dense_1"].arguments["units"] == 2)
    run = searching(alike, estimate, workers, with_replacement=with_replacement)
    history = run.run()
    assert len(estimate.measured) == len(set(estimate.measured)) == 9
    assert history.n_failed == 3
    answered = [trial for trial in history if trial.failed and not trial.evaluated]
    assert len(answered) >= 3
    assert {trial.failure.message for trial in answered} == {"too deep"}


@both
@one_or_more
def test_decisions_that_make_no_network_fail_once(with_replacement, workers):
    estimate = Estimate()
    run = searching(no_network, estimate, workers, with_replacement=with_replacement)
    history = run.run()
    assert run.end_reason is EndReason.EXHAUSTED
    assert (history.n_evaluated, history.n_failed, len(set(estimate.measured))) == (18, 6, 12)


def test_a_lost_trial_answers_for_nothing_so_its_network_is_measured_when_proposed_again():
    estimate = Estimate()
    run = searching(alike, estimate, lost=[1, 2], with_replacement=True)
    history = run.run()
    lost = [trial for trial in history if trial.state is TrialState.LOST]
    assert [trial.number for trial in lost] == [1, 2]
    assert len(estimate.measured) == len(set(estimate.measured)) == 9
    for trial in lost:
        assert history.lookup(trial.key).succeeded


# --- proposed anew ------------------------------------------------------------------------


class Anew:
    """Wants to be asked again instead of being told what is known."""

    def __init__(self, space, **options):
        self.inner = RandomSearcher(space, seed=4, **options)
        self.space, self.told = self.inner.space, []

    def ask(self):
        return Proposal(self.inner.ask(), if_known="propose_anew")

    def tell(self, trial):
        self.told.append(trial)
        self.inner.tell(trial)


@both
@one_or_more
@pytest.mark.parametrize(("space", "networks"), [(distinct, 18), (alike, 9)])
def test_proposed_anew_every_trial_is_a_network_of_its_own(
    space, networks, workers, with_replacement
):
    estimate = Estimate()
    searcher = Anew(space, with_replacement=with_replacement)
    run = Search(searcher, estimate, executor=Shuffled(), n_workers=workers)
    history = run.run()
    assert run.end_reason is EndReason.EXHAUSTED
    assert len(history) == len(estimate.measured) == len(set(estimate.measured)) == networks
    assert sorted(trial.number for trial in history) == list(range(1, networks + 1))
    assert searcher.told == list(history)


@pytest.mark.parametrize("make", [Anew, lambda space: RandomSearcher(space, seed=4)])
@pytest.mark.parametrize(("space", "networks"), [(distinct, 18), (alike, 9), (no_network, 18)])
def test_in_deterministic_mode_the_records_do_not_depend_on_the_number_of_workers(
    space, networks, make
):
    records = []
    for workers in (1, 2, 4):
        estimate = Estimate()
        run = DeterministicSearch(
            make(space), estimate, lag=4, executor=Shuffled(), n_workers=workers, seed=0
        )
        history = run.run()
        assert run.end_reason is EndReason.EXHAUSTED
        assert history.n_evaluated == networks
        assert len(estimate.measured) == len(set(estimate.measured))
        records.append([(t.number, t.decisions, t.answered_by, t.dropped) for t in history])
    assert records[0] == records[1] == records[2]


def test_a_record_says_when_proposals_before_it_were_dropped():
    space = distinct()
    first, second, third = (space.unrank(i) for i in (0, 1, 2))

    class Scripted:
        script = iter([first, first, second, first, second, third])

        def ask(self):
            return Proposal(next(self.script), if_known="propose_anew")

        def tell(self, trial):
            pass

    history = Search(Scripted(), Estimate()).run(max_trials=3)
    told = [(trial.number, trial.dropped, trial.asked_after) for trial in history]
    assert told == [(1, (), 0), (2, (1,), 1), (3, (2, 2), 2)]


def test_a_searcher_that_repeats_itself_for_ever_is_left_without_any_record_of_that():
    proposal = Proposal(distinct().sample(0), if_known="propose_anew")

    class Repeating:
        n_asked = 0

        def ask(self):
            self.n_asked += 1
            return proposal

        def tell(self, trial):
            pass

    searcher = Repeating()
    run = Search(searcher, Estimate())
    history = run.run(max_trials=10, max_known=25)
    assert run.end_reason is EndReason.REPEATING
    assert (len(history), searcher.n_asked) == (1, 26)


def test_each_proposal_says_for_itself_what_is_to_happen():
    space = distinct()
    known, fresh = space.unrank(0), space.unrank(1)

    class Mixed:
        script = iter([known, Proposal(known), Proposal(known, if_known="propose_anew"), fresh])

        def ask(self):
            return next(self.script)

        def tell(self, trial):
            pass

    history = Search(Mixed(), Estimate()).run(max_trials=2)
    assert [(t.number, t.answered_by, t.dropped) for t in history] == [
        (1, None, ()),
        (2, 1, ()),
        (3, None, (2,)),
    ]


def test_a_known_proposal_is_answered_all_the_same_where_others_were_asked_for_after_it():
    space = distinct()
    known, fresh = space.unrank(0), space.unrank(1)

    class Scripted:
        def __init__(self):
            self.script = iter([known, Proposal(known, if_known="propose_anew"), fresh])

        def ask(self):
            return next(self.script)

        def tell(self, trial):
            pass

    store = MemoryStore()
    first = Search(Scripted(), Estimate(), seed=0).run(max_trials=1)[0]
    store.append(attrs.evolve(first, pending=((2, 0), (3, 0))))
    history = Search(Scripted(), Estimate(), seed=0, store=store).run(max_trials=2)
    assert [(t.number, t.answered_by, t.dropped) for t in history] == [
        (1, None, ()),
        (2, 1, ()),
        (3, None, ()),
    ]


@pytest.mark.parametrize("wish", ["again", None, True, ["answer"]])
def test_a_wish_that_there_is_not_is_refused(wish):
    with pytest.raises(SearchError, match=r"if_known must be one of 'answer', 'propose_anew'; re"):
        Proposal(distinct().sample(0), if_known=wish)
