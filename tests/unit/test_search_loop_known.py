"""A search that knows the trials of earlier ones."""

import attrs
import pytest

from hypernets.application import EndReason, MemoryStore, Search, search
from hypernets.application.in_process.attempt import attempt
from hypernets.application.port import Measurement, Proposal
from hypernets.domain.error import BuildError, SearchError
from hypernets.domain.history import History, TrialState
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, Dynamic, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def make_space():
    """3 x 4 = 12 configurations, 3 x 2 x 2 of them with a network of its own."""
    space = HyperSpace()
    with space.as_default():
        a, b = Choice([10, 20, 30], name="a"), Choice([1, 2, 3, 4], name="b")
        units = Dynamic(lambda a, b: a + b // 2, a=a, b=b)
        Dense({"units": units})(Input({"shape": (4,)}))
        space.set_training(rate=Choice([0.1, 0.2], name="rate"))
    return space


class Estimate:
    """Fails for one width; says what it was asked for."""

    name = "estimate"

    def __init__(self):
        self.asked = []

    def estimate(self, architecture, context):
        width = next(n.arguments["units"] for n in architecture.graph if n.layer == "Dense")
        self.asked.append((width, architecture.training["rate"]))
        if width == 21:
            raise BuildError("21")
        context.report(1, {"reward": 0.5})
        return Measurement({"reward": width + architecture.training["rate"], "width": width},
                           details={"width": width})  # fmt: skip


def run(space, known=(), store=None, searcher=None, **limits):
    estimate = Estimate()
    searcher = searcher or RandomSearcher(space, seed=1)
    engine = Search(searcher, estimate, store=store, known=known, seed=1)
    return engine.run(**limits), estimate.asked, engine


@pytest.fixture(scope="module")
def whole():
    history, asked, _ = run(make_space())
    assert len(asked) == len(set(asked)) == history.n_evaluated < len(history) == 24
    return history


def test_what_is_known_is_not_measured_again(whole):
    history, asked, engine = run(make_space(), whole)
    assert asked == []
    assert engine.end_reason is EndReason.EXHAUSTED
    assert len(history) == 24
    assert history.n_evaluated == 0
    assert history.best.reward == whole.best.reward


def test_a_narrowed_space_gets_the_results_of_the_whole_one(whole):
    space = make_space().restrict(a=[20, 30]).fix(rate=0.2)
    history, asked, _ = run(space, whole)
    assert (asked, len(history)) == ([], space.count())
    for trial in history:
        width = 20 if trial.decisions["a"] == 20 else 30
        width += trial.decisions["b"] // 2
        assert trial.failed if width == 21 else trial.reward == width + 0.2


def test_a_wider_space_gets_the_results_of_a_narrow_one():
    narrow, _, _ = run(make_space().fix(rate=0.1, a=10))
    history, asked, _ = run(make_space(), narrow)
    assert narrow.n_evaluated == 3
    assert len(asked) == 18 - 3
    assert not [width for width, rate in asked if rate == 0.1 and width < 20]
    assert sum(trial.taken_from is not None for trial in history) == narrow.n_evaluated


def test_a_record_says_where_the_result_is_from(whole):
    history, _, _ = run(make_space(), whole)
    taken = [trial for trial in history if trial.taken_from]
    for trial in taken:
        source = whole.trial(trial.taken_from)
        assert source.key == trial.key
        assert source.evaluated
        for fact in ("state", "objectives", "curve", "details", "failure", "seed"):
            assert getattr(trial, fact) == getattr(source, fact)
        assert (trial.elapsed_s, trial.answered_by, trial.evaluated) == (0.0, None, False)
    assert [t.number for t in history] == list(range(1, 25))
    again = [trial for trial in history if trial.answered_by]
    assert len(taken) + len(again) == 24
    assert all(history.trial(t.answered_by).taken_from for t in again)
    assert any(t.state is TrialState.FAILED for t in taken)


def test_what_is_taken_does_not_count_in_max_trials(whole):
    few = [trial for trial in whole if trial.decisions["a"] == 10]
    history, asked, _ = run(make_space(), few, max_trials=4)
    assert len(asked) == history.n_evaluated == 4
    assert any(trial.taken_from for trial in history)


def test_the_searcher_is_told_what_is_taken_and_nobody_else_is(whole):
    class Told(RandomSearcher):
        def tell(self, trial):
            told.append(trial)
            super().tell(trial)

    class Callback:
        def on_trial_begin(self, number, architecture):
            announced.append(number)

        def on_trial_end(self, trial, improved):
            announced.append(trial)

    told, announced = [], []
    searcher = Told(make_space(), seed=1)
    history = Search(searcher, Estimate(), known=whole, callbacks=[Callback()]).run()
    assert told == list(history)
    assert announced == []


def test_more_than_max_known_may_be_taken_in_a_row():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(1, 21), name="a")})(Input({"shape": (4,)}))
        space.set_training(rate=0.1)
    first, _, _ = run(space)
    history, asked, engine = run(space, first, max_known=3)
    assert engine.end_reason is EndReason.EXHAUSTED
    assert (asked, len(history)) == ([], 20)


def test_a_target_that_is_known_ends_the_search(whole):
    _, asked, engine = run(make_space(), whole, target_reward=whole.best.reward)
    assert engine.end_reason is EndReason.TARGET_REWARD
    assert asked == []


def test_resumed_it_needs_nothing_but_its_own_records(whole):
    known = [trial for trial in whole if trial.decisions["a"] != 30]
    uninterrupted, _, _ = run(make_space(), known, MemoryStore())
    for cut in range(0, 24, 3):
        store = MemoryStore()
        for trial in uninterrupted[:cut]:
            store.append(attrs.evolve(trial, architecture=None))
        resumed, _, _ = run(make_space(), known, store)
        assert facts(resumed) == facts(uninterrupted)
        store = MemoryStore()
        for trial in uninterrupted[:cut]:
            store.append(attrs.evolve(trial, architecture=None))
        forgetful, _, _ = run(make_space(), (), store)
        assert facts(forgetful[:cut]) == facts(uninterrupted[:cut])
        assert len(forgetful) == 24


def facts(history):
    return [
        (t.number, t.decisions, t.objectives, t.state, t.answered_by, t.taken_from, t.asked_after)
        for t in history
    ]


class Lifo:
    """Finishes the youngest job first."""

    def __init__(self):
        self.jobs = []

    def submit(self, job, report):
        self.jobs.append((job, report))
        return job.number

    def completed(self, timeout_s=None):
        if self.jobs:
            job, report = self.jobs.pop()
            yield attempt(job, report, job.number)

    def cancel(self, ticket):
        self.jobs = [(job, report) for job, report in self.jobs if job.number != ticket]


def test_with_several_workers_nothing_known_is_measured_and_no_trial_is_lost(whole):
    known = [trial for trial in whole if trial.decisions["b"] > 2]
    estimate = Estimate()
    searcher = RandomSearcher(make_space(), seed=1)
    history = Search(searcher, estimate, executor=Lifo(), n_workers=3, known=known).run()
    assert sorted(t.number for t in history) == list(range(1, 25))
    assert len(estimate.asked) == len(set(estimate.asked)) == history.n_evaluated
    assert not {t.key for t in known} & {t.key for t in history if t.evaluated}


@pytest.mark.parametrize("lag", [None, 2])
def test_it_is_news_to_a_searcher_that_wants_to_hear_of_new_networks_only(whole, lag):
    class Anew(RandomSearcher):
        def ask(self):
            return Proposal(super().ask(), if_known="propose_anew")

    estimate = Estimate()
    known = [trial for trial in whole if trial.decisions["a"] == 10]
    searcher = Anew(make_space(), seed=1)
    options = {} if lag is None else {"lag": lag, "n_workers": 2, "executor": Lifo()}
    history = search(searcher.space, searcher, estimate, known=known, seed=1, **options)
    assert len({trial.key for trial in history}) == 18
    # with a lag, one may be asked for before its like has its turn
    assert sum(trial.ranked for trial in history) == 18
    assert sum(trial.taken_from is not None for trial in history) == 6
    assert len(estimate.asked) == history.n_evaluated == 12


def test_a_lost_trial_answers_for_nothing(whole):
    lost = [attrs.evolve(trial, state=TrialState.LOST, objectives={}) for trial in whole]
    _, asked, _ = run(make_space(), lost)
    assert len(asked) == whole.n_evaluated


def test_another_estimate_knows_nothing_of_it(whole):
    class Other(Estimate):
        name = "other"

    history = Search(RandomSearcher(make_space(), seed=1), Other(), known=whole).run(max_trials=3)
    assert history.n_evaluated == 3


def test_a_result_without_an_objective_that_is_asked_for_is_measured_anew(whole):
    narrow = make_space().fix(rate=0.1, a=10)
    direction = {"width": "min", "reward": "max"}
    kwargs = {"seed": 0, "direction": direction}
    history = search(narrow, "random", Estimate(), known=whole, **kwargs)
    assert history.n_evaluated == 0
    assert list(history.best.objectives) == ["width", "reward"]  # the reward first
    lean = [attrs.evolve(t, objectives={"reward": t.reward}) for t in whole if t.succeeded]
    assert search(narrow, "random", Estimate(), known=lean, **kwargs).n_evaluated == 3


def test_known_must_be_trials():
    for wrong in ([1], "history", 3):
        with pytest.raises(SearchError, match="known must be a history, or a list of trials; rec"):
            Search(RandomSearcher(make_space()), Estimate(), known=wrong)
    assert len(History()) == 0
