"""A digest of the expression that a network unfolds to: coarser than a signature.

The unfolded expression writes out what feeds each layer, so that a value used at two places is
written twice and is no different from two equal values. NAS-Bench-201 tells its cells apart in this
way; the digest reproduces its counts, 12,751 and 6,466 of 15,625 cells. To tell architectures
apart, take the signature: it is exact, and no search should answer for one network by another.

An expression is a sum of terms; a term is a layer applied to expressions, or an input. `Add` sorts
its summands and writes their terms one after the other. So a sum among the summands is spliced in
as it stands, not sorted anew: `(a + c) + b` and `a + b + c` may differ, as in the benchmark. Terms
are sorted by what they are applied to, then by their layer.

The text may be exponentially long, so it is never written: an expression is kept as what it is
spliced from, known by its length and a rolling hash modulo a prime of 127 bits, and two are
compared by a search for where they begin to differ. The time is polynomial.
"""

import bisect
from collections.abc import Hashable, Sequence
from functools import cmp_to_key

import attrs

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, LayerSpec
from hypernets.domain.architecture.signature.layer_text import layer_text, plain_key, rule_of
from hypernets.domain.architecture.signature.structure import digest_of

__all__ = ["expression_of"]

_ZERO, _APPLIED, _INPUT = range(3)  # kinds of terms, in the order of sorting
_PRIME = 2**127 - 1
_BASE = 0x5851F42D4C957F2D14057B7EF767814F
_REMEMBERED = 4096  # layers with plain arguments; a space has far fewer different ones
_labels: dict[Hashable, bytes] = {}


def expression_of(
    graph: LayerGraph,
    *,
    absorb_zeros: bool = False,
    operations: Sequence[Sequence[str]] = (),
) -> str:
    """Return the digest of a network's unfolded expression: 32 hexadecimal digits.

    Layers that give their input back are not written. Whether layers share their weights is not
    told.

    Args:
        graph: the network.
        absorb_zeros: whether a layer applied to zero alone counts as zero, wherever that comes
            from, and where a layer puts out zeros, what feeds it is left out. A sum of several
            zeros counts as a sum, and zeros stay in it, as in the benchmark.
        operations: runs of layer classes that count as one layer, each fed by the one before, as
            `("Activation", "Conv2D", "BatchNormalization")`. They decide the order of sorting.

    Raises:
        BuildError: an argument of a layer does not say what it is made of.
    """
    return _Unfolding(graph, absorb_zeros, operations).run()


@attrs.frozen(slots=True, eq=False)
class _Expression:
    """A sequence of terms that are summed.

    Attributes:
        key: number of terms and rolling hash of them; equal for equal sequences.
        power: what a hash is multiplied by when this sequence is appended.
        parts: the expressions that it is spliced from, none for a single term.
        term: number of the single term, -1 for a sum.
    """

    key: tuple[int, int]
    power: int
    parts: tuple["_Expression", ...] = ()
    term: int = -1

    def hash_of_first(self, count: int) -> int:
        """Return the rolling hash of the first so many terms."""
        code, expression = 0, self
        while count:
            if count == expression.key[0]:
                return _appended(code, expression)
            for part in expression.parts:
                if count < part.key[0]:
                    expression = part
                    break
                code = _appended(code, part)
                count -= part.key[0]
        return code

    def term_at(self, place: int) -> int:
        """Return the number of a term."""
        expression = self
        while expression.parts:
            for part in expression.parts:
                if place < part.key[0]:
                    expression = part
                    break
                place -= part.key[0]
        return expression.term


def _appended(code: int, more: _Expression) -> int:
    """Return the rolling hash of a sequence with the hash `code`, and what is appended to it."""
    return (code * more.power + more.key[1]) % _PRIME


@attrs.frozen(slots=True, eq=False)
class _Term:
    """A layer applied to expressions, or an input, or zero."""

    kind: int
    operands: tuple[_Expression, ...]
    label: bytes


class _Terms:
    """All terms met so far, each once, in their order."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _Expression] = {}
        self._terms: list[_Term] = []
        self._order: list[int] = []
        self._place: list[int] = []
        self._expression_key = cmp_to_key(self._compare)
        self._term_key = cmp_to_key(self._compare_terms)

    def term(self, kind: int, operands: Sequence[_Expression], label: bytes) -> _Expression:
        """Return the expression of that one term."""
        key = (kind, tuple([operand.key for operand in operands]), label)
        found = self._known.get(key)
        if found is None:
            number = len(self._terms)
            below = [_digest(operand) for operand in operands]
            code = int.from_bytes(digest_of(b"term %d" % kind, label, *below), "big") % _PRIME
            found = self._known[key] = _Expression((1, code), _BASE, term=number)
            self._terms.append(_Term(kind, tuple(operands), label))
            self._place.append(-1)
            bisect.insort(self._order, number, key=self._term_key)
            for place, other in enumerate(self._order):
                self._place[other] = place
        return found

    def added(self, summands: Sequence[_Expression]) -> _Expression:
        """Return the sum of expressions."""
        parts = tuple(sorted(summands, key=self._expression_key))
        length, code, power = 0, 0, 1
        for part in parts:
            length, code = length + part.key[0], _appended(code, part)
            power = power * part.power % _PRIME
        return _Expression((length, code), power, parts)

    def _compare(self, one: _Expression, other: _Expression) -> int:
        """Return a number below, at or above zero as one comes before, is, or follows the other."""
        if one.key == other.key:
            return 0
        shorter = min(one.key[0], other.key[0])
        same, differ = 0, shorter + 1  # so many terms at the front are the same, so many are not
        while differ - same > 1:
            middle = (same + differ) // 2
            if one.hash_of_first(middle) == other.hash_of_first(middle):
                same = middle
            else:
                differ = middle
        if same == shorter:
            return one.key[0] - other.key[0]
        return self._place[one.term_at(same)] - self._place[other.term_at(same)]

    def _compare_terms(self, one: int, other: int) -> int:
        first, second = self._terms[one], self._terms[other]
        if first.kind != second.kind:
            return first.kind - second.kind
        for left, right in zip(first.operands, second.operands, strict=False):
            compared = self._compare(left, right)
            if compared:
                return compared
        if len(first.operands) != len(second.operands):
            return len(first.operands) - len(second.operands)
        return (first.label > second.label) - (first.label < second.label)


def _digest(expression: _Expression) -> bytes:
    """Return the digest of an expression."""
    return digest_of(b"expression", b"%d %d" % expression.key)


class _Unfolding:
    def __init__(
        self, graph: LayerGraph, absorb_zeros: bool, operations: Sequence[Sequence[str]]
    ) -> None:
        self._graph = graph
        self._absorb_zeros = absorb_zeros
        self._operations = [tuple(operation) for operation in operations if operation]
        self._terms = _Terms()
        self._zero = self._terms.term(_ZERO, (), b"")
        self._values: dict[str, _Expression] = {}
        self._inputs = {name: place for place, name in enumerate(graph.inputs)}

    def run(self) -> str:
        for node in self._graph:
            self._values[node.name] = self._value(node)
        outputs = [_digest(self._values[name]) for name in self._graph.outputs]
        return digest_of(b"outputs", *outputs).hex()

    def _value(self, node: LayerNode) -> _Expression:
        rule = rule_of(node)
        if rule is not None and rule.layer == "Input":
            place = self._inputs.get(node.weights, self._inputs.get(node.name, -1))
            return self._terms.term(_INPUT, (), b"%d" % place + _label(node))
        inputs = [self._values[name] for name in node.inputs]
        if rule is not None and len(inputs) == 1 and rule.is_identity(node.arguments, 1):
            return inputs[0]
        if node.layer == "Add" and node.factory is None and not node.arguments:
            return self._terms.added(inputs)
        if self._absorb_zeros and (
            (len(inputs) == 1 and inputs[0] is self._zero)
            or (rule is not None and rule.is_zero(node.arguments))
        ):
            return self._zero
        run = self._run_before(node)
        inputs = [self._values[name] for name in run[0].inputs]
        if rule is not None and rule.commutative:
            inputs.sort(key=lambda operand: operand.key)
        label = digest_of(*map(_label, run))
        return self._terms.term(_APPLIED, inputs, label)

    def _run_before(self, node: LayerNode) -> list[LayerNode]:
        """Return the layers of the operation that a node ends; itself where it ends none."""
        for operation in self._operations:
            found = [node]
            while len(found) < len(operation) and len(found[0].inputs) == 1:
                found.insert(0, self._graph[found[0].inputs[0]])
            if tuple(layer.layer for layer in found) == operation:
                return found
        return [node]


def _label(node: LayerNode) -> bytes:
    key = plain_key(node)
    if key is None:
        return digest_of(layer_text(node, _nested).encode())
    if key not in _labels:
        if len(_labels) >= _REMEMBERED:
            _labels.clear()
        _labels[key] = digest_of(layer_text(node, _nested).encode())
    return _labels[key]


def _nested(spec: LayerSpec) -> str:
    return layer_text(spec, _nested)
