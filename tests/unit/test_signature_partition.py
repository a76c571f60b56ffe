"""Refinement, on which the search for the smallest numbering rests."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hypernets.domain.architecture.signature.partition import Partition, Refiner
from hypernets.domain.architecture.signature.structure import Structure


@st.composite
def structures(draw):
    found = Structure()
    for vertex in range(draw(st.integers(1, 14))):
        sources = st.lists(st.integers(0, vertex - 1), max_size=2) if vertex else st.just([])
        found.add(draw(st.sampled_from([b"a", b"b"])), draw(sources), draw(sources))
    return found


def assert_stable(structure: Structure, partition: Partition) -> None:
    colours = partition.colours
    uses = structure.uses()
    for colour, cell in partition.cells.items():
        assert colour == sum(other < colour for other in colours)
        assert {colours[vertex] for vertex in cell} == {colour}
        seen = {
            (
                structure.labels[vertex],
                tuple(colours[source] for source in structure.ordered[vertex]),
                tuple(sorted(colours[source] for source in structure.unordered[vertex])),
                tuple(sorted((slot, colours[user]) for slot, user in uses[vertex])),
            )
            for vertex in cell
        }
        assert len(seen) == 1


@given(structures(), st.data())
@settings(max_examples=200, deadline=None)
def test_vertices_of_one_cell_have_neighbours_of_the_same_colours(structure, data):
    refiner = Refiner(structure)
    partition = refiner.initial(structure.labels)
    assert_stable(structure, partition)
    while not partition.is_discrete:
        cell = data.draw(st.sampled_from([c for c in partition.cells.values() if len(c) > 1]))
        found = refiner.individualised(partition, data.draw(st.sampled_from(cell)))
        assert found is not None
        partition, _ = found
        assert_stable(structure, partition)
