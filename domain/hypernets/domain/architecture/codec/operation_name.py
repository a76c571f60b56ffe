"""What a codec calls the operation of a layer."""

from collections.abc import Callable, Iterable

from hypernets.domain.architecture.graph import LayerGraph, LayerNode, LayerSpec
from hypernets.domain.architecture.value_text import text_of
from hypernets.domain.error import SpaceError

__all__ = ["Naming", "numbers_of", "operation_name", "operations_in"]

Naming = Callable[[LayerNode], str]
"""Names the operation of a node; nodes of one name are the same to a codec."""


def operation_name(node: LayerNode | LayerSpec) -> str:
    """Return the class of a layer with the arguments that were given, of an input just `"Input"`.

    Raises:
        BuildError: an argument does not say what it is made of.

    Example:
        >>> operation_name(LayerSpec("Conv2D", {"filters": 8, "kernel_size": (3, 3)}))
        'Conv2D(filters=8, kernel_size=[3,3])'
    """
    if node.layer == "Input":
        return "Input"
    given = sorted(node.arguments.items())
    arguments = ", ".join(f"{key}={text_of(value, operation_name)}" for key, value in given)
    return f"{node.layer}({arguments})" if arguments else node.layer


def operations_in(graphs: Iterable[LayerGraph], naming: Naming = operation_name) -> tuple[str, ...]:
    """Return the operations of networks, each once, sorted; a vocabulary for a codec."""
    return tuple(sorted({naming(node) for graph in graphs for node in graph}))


def numbers_of(operations: Iterable[str]) -> dict[str, int]:
    """Return the number of each operation of a vocabulary.

    Raises:
        SpaceError: one is listed twice.
    """
    listed = list(operations)
    numbers = {operation: number for number, operation in enumerate(listed)}
    if len(numbers) < len(listed):
        twice = next(operation for operation in listed if listed.count(operation) > 1)
        raise SpaceError(
            f"the operations of a vocabulary must be different; received {twice!r} twice; leave "
            "one out"
        )
    return numbers
