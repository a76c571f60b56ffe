"""Signatures: a digest of the function that a network computes.

Two networks have one signature if and only if they are the same up to what makes no difference:
names and the order of definition, what no output needs, layers that give their input back
(`Dropout(0)`, `Identity`, a merge of one), the order of the inputs of `Add` and its kin and how
those are nested, zeros that are added, and arguments that are given with their defaults. The order
of the inputs and outputs of the network, of the inputs of `Concatenate` or `Subtract`, and whether
weights are shared, do matter. Then they may carry each other's weights, and training one is
training the other.

That is sameness of form, and of what is computed but for rounding: other rewritings of the
arithmetic (an activation as a layer or as an argument) are not looked for.

A signature is stable across processes, machines and versions of Python. It carries a version, which
rises when a change makes signatures differ from those that were stored.
"""

from collections.abc import Mapping
from typing import Any

from hypernets.domain.architecture.graph import LayerGraph
from hypernets.domain.architecture.signature.canonical import canonical_digest
from hypernets.domain.architecture.signature.reduction import reduced
from hypernets.domain.architecture.signature.structure import digest_of
from hypernets.domain.architecture.value_text import text_of

__all__ = ["VERSION", "signature_of", "signature_of_decisions"]

VERSION = 2
"""The first part of every signature."""


def signature_of(graph: LayerGraph) -> str:
    """Return the signature of a network: the version, a dash and 32 hexadecimal digits.

    It takes well under a millisecond for a cell and about one for a hundred layers; the worst case
    is exponential, for graphs made to be so.

    Raises:
        BuildError: an argument of a layer does not say what it is made of.
    """
    return f"{VERSION}-{canonical_digest(reduced(graph)).hex()}"


def signature_of_decisions(decisions: Mapping[str, Any]) -> str:
    """Return a signature of decisions, for a space without layers.

    Raises:
        BuildError: a value does not say what it is made of.
    """
    text = text_of(dict(decisions)).encode()
    return f"{VERSION}-{digest_of(b'decisions', text).hex()}"
