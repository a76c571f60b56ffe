"""A digest of a structure that is equal exactly for isomorphic ones.

Each vertex gets a digest of all that it is computed from. Where two have the same, each also gets
one of all that is computed from it. Where two are still alike, parallel branches that are the same
are collapsed into one that says how many it is; only what remains then is searched, part by part,
for its smallest numbering. Any of these steps determines the structure, so nothing is guessed. As
far as no two texts have the same 128-bit digest, the result is exact.
"""

from hypernets.domain.architecture.signature.branch import collapsed
from hypernets.domain.architecture.signature.component import canonical_form
from hypernets.domain.architecture.signature.structure import Structure, blake, digest_of

__all__ = ["canonical_digest"]


def canonical_digest(structure: Structure) -> bytes:
    """Return 16 bytes that are equal exactly for isomorphic structures."""
    colours = _digests(structure)
    if _differ(colours):
        return digest_of(b"all differ", *sorted(colours))
    structure = collapsed(structure)
    colours = _digests(structure)
    if _differ(colours):
        return digest_of(b"all differ once collapsed", *sorted(colours))
    return digest_of(b"searched", *canonical_form(structure, colours))


def _differ(colours: list[bytes]) -> bool:
    return len(set(colours)) == len(colours)


def _digests(structure: Structure) -> list[bytes]:
    """Return, by vertex, a digest of its surroundings, reaching as far as is needed."""
    above: list[bytes] = []
    for label, ordered, unordered in zip(
        structure.labels, structure.ordered, structure.unordered, strict=True
    ):
        parts = [label, b"%d;" % len(ordered)]
        parts += [above[source] for source in ordered]
        if unordered:
            parts += sorted([above[source] for source in unordered])
        above.append(blake(b"".join(parts)))
    if _differ(above):
        return above
    return _digests_both_ways(structure, above)


def _digests_both_ways(structure: Structure, above: list[bytes]) -> list[bytes]:
    uses = structure.uses()
    both = above[:]
    for vertex in range(len(above) - 1, -1, -1):
        seen = sorted([b"%d;%b" % (slot, both[user]) for slot, user in uses[vertex]])
        both[vertex] = digest_of(above[vertex], *seen)
    return both
