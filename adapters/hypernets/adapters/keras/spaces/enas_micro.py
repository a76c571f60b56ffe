"""The ENAS micro search space: a network of normal and reduction cells.

Source: Pham et al. (2018), "Efficient Neural Architecture Search via Parameter Sharing", section
2.4 and figure 2.
"""

from typing import Any

from hypernets.adapters.keras.layers import Input
from hypernets.adapters.keras.spaces.enas_cell import classfication, conv_layer, stem_op
from hypernets.adapters.keras.spaces.enas_macro import FactorizedReduction
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.module import ModuleSpace

__all__ = ["enas_micro_search_space"]


def enas_micro_search_space(
    arch: str = "NRNR",
    input_shape: tuple[int, ...] = (28, 28, 1),
    init_filters: int = 64,
    node_num: int = 4,
    data_format: str | None = None,
    classes: int = 10,
    classification_dropout: float = 0,
    hp_dict: dict[str, Any] | None = None,
) -> HyperSpace:
    """Return the space.

    Every cell of one type has the same choices: 32 decisions for four nodes, 16 where all cells
    are of one type.

    Args:
        arch: the cells in order, `N` for a normal and `R` for a reduction cell, which halves height
            and width and doubles the filters.
        input_shape: of one image, without the batch.
        init_filters: channels of a normal cell before the first reduction.
        node_num: nodes of a cell.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        classes: size of the softmax output.
        classification_dropout: rate of dropout before the output, 0 for none.
        hp_dict: the shared choices by their keys; filled in, empty for a new space.

    Raises:
        SpaceError: `arch` holds anything but `N` and `R`, or nothing.
    """
    if not arch or set(arch) - set("NR"):
        raise SpaceError(
            f"enas_micro_search_space: arch must be made of 'N' and 'R'; received {arch!r}"
        )
    choices = {} if hp_dict is None else hp_dict
    space = HyperSpace()
    with space.as_default():
        image = Input(shape=input_shape, name="0_input")
        older: ModuleSpace = stem_op(image, init_filters, data_format)
        newer = older
        count = {"normal": 0, "reduction": 0}
        for letter in arch:
            kind = "normal" if letter == "N" else "reduction"
            count[kind] += 1
            filters = 2 ** count["reduction"] * init_filters
            if kind == "reduction":
                older = newer
                newer = FactorizedReduction(filters, f"{kind}_C{count[kind]}_", data_format)(newer)
            cell = conv_layer(
                choices,
                f"{count['normal'] + count['reduction']}_{kind}",
                count[kind],
                [older, newer],
                filters,
                node_num,
                kind == "reduction",
                data_format,
            )
            older, newer = newer, cell
        classfication(newer, classes, classification_dropout, data_format)
        space.set_inputs(image)
    return space
