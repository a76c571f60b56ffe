"""The texts of a picture stand within their boxes, in a font as wide as any in use."""

import xml.etree.ElementTree as ElementTree

import pytest

from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space
from hypernets.frameworks.keras.nas_bench_101 import nas_bench_101_cell_space
from hypernets.frameworks.keras.nas_bench_201 import nas_bench_201_cell_space

SVG = "{http://www.w3.org/2000/svg}"
SPACES = {
    "dnn": lambda: dnn_search_space(10, 3, "softmax"),
    "cnn": lambda: cnn_search_space((28, 28, 1), 10, block_num_choices=(2,)),
    "enas": lambda: enas_micro_search_space("NR"),
    "nas-bench-101": nas_bench_101_cell_space,
    "nas-bench-201": nas_bench_201_cell_space,
}

# Advance widths of DejaVu Sans in thousandths of an em; it is among the widest.
WIDTHS = {
    **dict.fromkeys("0123456789beghnopqdu", 635),
    **dict.fromkeys("ijlIJ'", 295),
    **dict.fromkeys(" ,.:/-()[]f", 390),
    **dict.fromkeys("rtc", 500),
    **dict.fromkeys("axyvzksELFT", 613),
    **dict.fromkeys("ABPSRUVXYZK", 698),
    **dict.fromkeys("CDGHNOQ", 787),
    **dict.fromkeys("=\u00d7w", 838),
    **dict.fromkeys("mMW…", 1000),
}
BOLDER = 1.12


def span(text):
    """Return where a text begins and ends."""
    size = float(text.get("font-size")) / 1000
    if text.get("font-weight") == "bold":
        size *= BOLDER
    width = size * sum(WIDTHS.get(letter, 700) for letter in text.text)
    shift = {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor")]
    begin = float(text.get("x")) - shift * width
    return begin, begin + width


@pytest.mark.parametrize("name", SPACES)
def test_every_text_stands_within_its_box_and_beside_the_others(name):
    space = SPACES[name]()
    for seed in range(3, 8):
        picture = ElementTree.fromstring(space.sample(seed).to_svg())  # noqa: S314 - our own
        for group in picture.iter(f"{SVG}g"):
            rectangle = group.find(f"{SVG}rect")
            left, top, width, height = (
                float(rectangle.get(key)) for key in ("x", "y", "width", "height")
            )
            lines = {}
            for text in group.findall(f"{SVG}text"):
                begin, end = span(text)
                assert left + 2 < begin < end < left + width - 2
                assert top + 8 < float(text.get("y")) < top + height - 2
                lines.setdefault(text.get("y"), []).append((begin, end))
            for spans in lines.values():
                assert all(
                    one[1] < other[0]
                    for one, other in zip(sorted(spans), sorted(spans)[1:], strict=False)
                )
