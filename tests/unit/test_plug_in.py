"""Adapters that other distributions bring along."""

import sys

import pytest

from hypernets.application import make_searcher, search, searcher_names
from hypernets.application.registry import (
    executor_names,
    make_catalogue,
    make_executor,
    store_names,
)
from hypernets.application.service import SearchService
from hypernets.domain.error import SearchError
from hypernets.domain.space import Choice, HyperSpace, LayerModule

MODULE = """
from hypernets.application import InlineExecutor, MemoryCatalogue
from hypernets.domain.searchers import RandomSearcher

class Bandit(RandomSearcher):
    pass

class Drawer(MemoryCatalogue):
    def __init__(self, folder="."):
        super().__init__()
        self.folder = folder
"""

ENTRIES = """
[hypernets.searchers]
bandit = plugged:Bandit
broken = plugged_not_there:Searcher
half = plugged:NotThere
random = plugged:Bandit

[hypernets.executors]
apart = hypernets.application:InlineExecutor

[hypernets.stores]
drawer = plugged:Drawer
"""


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


def space():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": Choice(range(9))})(Input({"shape": (4,)}, name="in"))
    return space


def install(folder, name, entries):
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entries)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    (tmp_path / "plugged.py").write_text(MODULE)
    install(tmp_path, "plugging", ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("plugged", None)


@pytest.mark.usefixtures("installed")
def test_a_plug_in_is_found_by_its_name_and_not_imported_before():
    assert {"bandit", "broken", "random", "default"} <= set(searcher_names())
    assert "apart" in executor_names()
    assert "drawer" in store_names()
    assert "plugged" not in sys.modules
    assert type(make_searcher("bandit", space, seed=1)).__name__ == "Bandit"
    assert len(search(space, "bandit", lambda a: 1, seed=0, max_trials=3)) == 3
    assert make_executor("apart").completed() == ()
    assert make_catalogue("drawer", folder="x").folder == "x"


@pytest.mark.usefixtures("installed")
def test_a_service_takes_them_by_name():
    with SearchService(make_catalogue("drawer")) as service:
        session = service.create("a", space, "bandit", lambda a: 1.0, executor="apart", seed=0)
        assert len(session.run(max_trials=2)) == 2


@pytest.mark.usefixtures("installed")
def test_no_plug_in_takes_the_place_of_what_comes_along():
    assert type(make_searcher("random", space)).__name__ == "RandomSearcher"
    assert "plugged" not in sys.modules


@pytest.mark.usefixtures("installed")
def test_a_broken_plug_in_is_an_error_that_names_it_when_it_is_asked_for():
    with pytest.raises(SearchError) as caught:
        make_searcher("broken", space)
    assert str(caught.value) == (
        "plug-in 'broken' in 'hypernets.searchers' must be importable; received "
        "ModuleNotFoundError: No module named 'plugged_not_there' from plugged_not_there:Searcher "
        "of plugging; mend or uninstall it"
    )
    with pytest.raises(SearchError, match=r"plug-in 'half' .* AttributeError"):
        make_searcher("half", space)


def test_two_plug_ins_of_one_name_are_an_error_that_names_both(installed):
    install(installed, "rival", "[hypernets.searchers]\nbandit = rival:Bandit\n")
    with pytest.raises(SearchError, match=r"must be that of one plug-in.*plugged:Bandit of plugg"):
        make_searcher("bandit", space)


def test_a_name_that_nobody_has_is_an_error_that_lists_those_there_are():
    with pytest.raises(
        SearchError, match="executor must be one of 'inline', 'process'; received 'inlin'; did"
    ):
        make_executor("inlin")
    with pytest.raises(SearchError, match=r"stores must be one of .*; or pass stores itself"):
        make_catalogue("moon")
