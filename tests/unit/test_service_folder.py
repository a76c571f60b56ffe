"""Searches of the service that outlive their process: in a folder, defined once, forked."""

import subprocess
import sys

import attrs
import pytest

from hypernets.application import MemoryCatalogue
from hypernets.application.service import SearchDefinition, SearchService
from hypernets.domain.error import OtherSearchError, SearchError, StoreError, StoreLockedError
from hypernets.domain.space import Choice, HyperSpace, LayerModule


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def space(n=30):
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(n), name="units")})(Input({"shape": (4,)}, name="in"))
    return space


def units(architecture):
    return float(architecture.decisions["units"])


DEFINITION = SearchDefinition(space, "random", units, seed=0)


def table(trials):
    return [(t.number, dict(t.decisions), t.seed, t.reward) for t in trials]


# --- a folder -------------------------------------------------------------------------


def test_a_service_with_a_folder_keeps_its_searches_there(tmp_path):
    with SearchService(tmp_path / "runs") as service:
        session = service.create("a", DEFINITION)
        session.run(max_trials=3)
        assert session.location == str(tmp_path / "runs" / "a")
    with SearchService(str(tmp_path / "runs")) as service:
        assert service.names() == ["a"]
        session = service.open("a", DEFINITION)
        assert session.progress().n_done == 3
        history = session.run(max_trials=6)
    with SearchService() as memory:
        assert table(history) == table(memory.create("a", DEFINITION).run(max_trials=6))


def test_a_search_that_another_process_has_open_names_it(tmp_path):
    program = f"""
import sys
from hypernets.adapters.store import FolderCatalogue
store = FolderCatalogue({str(tmp_path)!r}).create("a")
print("open", flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        service = SearchService(tmp_path)
        with pytest.raises(StoreLockedError, match=rf"while process {other.pid} on .* writes"):
            service.open("a", DEFINITION)
        with pytest.raises(StoreLockedError):
            service.delete("a")
        with pytest.raises(StoreLockedError):
            service.fork("a", "b", DEFINITION)
        assert service.open_names() == []
        assert service.names() == ["a"]
        other.stdin.close()
        assert other.wait(60) == 0
    assert len(service.open("a", DEFINITION).run(max_trials=2)) == 2
    service.close()


def test_two_services_of_one_folder_do_not_open_a_search_twice(tmp_path):
    with SearchService(tmp_path) as one, SearchService(tmp_path) as two:
        one.create("a", DEFINITION)
        with pytest.raises(StoreLockedError):
            two.open("a", DEFINITION)
        with pytest.raises(StoreError, match="is taken"):
            two.create("a", DEFINITION)
        one.close("a")
        assert two.open("a", DEFINITION).trials() == []


def test_a_search_that_could_not_be_created_leaves_no_folder(tmp_path):
    service = SearchService(tmp_path)
    with pytest.raises(SearchError, match="searcher must be one of"):
        service.create("a", space, "nobody", units)
    assert list(tmp_path.iterdir()) == []


def test_what_keeps_no_searches_is_refused():
    for nothing in (3, MemoryCatalogue, [MemoryCatalogue()]):
        with pytest.raises(SearchError, match="stores must be a folder, or a StoreCatalogue"):
            SearchService(nothing)


# --- a definition -----------------------------------------------------------------------


def test_a_definition_is_what_its_parts_are():
    whole = SearchService().create("a", DEFINITION).run(max_trials=4)
    parts = SearchService().create("a", space, "random", units, seed=0).run(max_trials=4)
    assert table(whole) == table(parts)


def test_a_definition_may_be_used_any_number_of_times_even_with_a_generator_of_callbacks():
    class Count:
        n = 0

        def on_trial_end(self, trial, improved):
            Count.n += 1

    definition = attrs.evolve(DEFINITION, callbacks=(each for each in [Count()]))
    service = SearchService()
    for name in ("a", "b"):
        service.create(name, definition).run(max_trials=2)
    assert Count.n == 4


def test_a_definition_is_given_alone():
    for beside in ({"seed": 1}, {"estimate": units}, {"searcher": "random"}):
        with pytest.raises(SearchError, match=rf"given alone.*received {next(iter(beside))} besid"):
            SearchService().create("a", DEFINITION, **beside)


# --- a fork ---------------------------------------------------------------------------


def test_a_search_is_forked_by_its_name(tmp_path):
    with SearchService(tmp_path) as service:
        past = service.create("a", DEFINITION).run(max_trials=5)
        service.close("a")
        other = attrs.evolve(DEFINITION, seed=1)
        history = service.fork("a", "b", other).run(max_trials=2)
        assert [t.taken_from for t in history] == [1, 2, 3, 4, 5, None, None]
        assert [t.reward for t in history[:5]] == [t.reward for t in past]
        service.close("b")
        with pytest.raises(StoreError, match="is taken"):
            service.fork("a", "b", other)
    with SearchService(tmp_path) as service:
        session = service.open("b", other)
        assert table(session.trials()) == table(history)
        assert len(session.run(max_trials=3)) == 8
        with pytest.raises(OtherSearchError, match="seed"):
            service.open("a", other)


def test_a_search_is_forked_while_it_is_open(tmp_path):
    with SearchService(tmp_path) as service:
        session = service.create("a", DEFINITION)
        session.run(max_trials=4)
        forked = service.fork("a", "b", attrs.evolve(DEFINITION, seed=1), after=3)
        assert [t.taken_from for t in forked.trials()] == [1, 2, 3]
        assert len(session.run(max_trials=5)) == 5


def test_a_fork_that_cannot_be_made_leaves_no_search(tmp_path):
    with SearchService(tmp_path) as service:
        service.create("a", DEFINITION).run(max_trials=2)
        with pytest.raises(SearchError, match="after, of a fork, must be at most"):
            service.fork("a", "b", attrs.evolve(DEFINITION, seed=1), after=3)
        with pytest.raises(StoreError, match="must be in its catalogue; received 'nobody'"):
            service.fork("nobody", "b", DEFINITION)
        assert service.names() == ["a"]


def test_the_same_search_goes_on_under_a_new_name_where_a_fork_has_its_seed():
    service = SearchService()
    service.create("a", DEFINITION).run(max_trials=3)
    history = service.fork("a", "b", DEFINITION).run(max_trials=3)
    seen = [t.decisions["units"] for t in history if t.answered_by is None]
    assert len(seen) == len(set(seen)) == 6
