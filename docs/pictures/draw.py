"""Draws the pictures of this folder again: `python docs/pictures/draw.py`."""

from pathlib import Path

from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space
from hypernets.frameworks.keras.nas_bench_101 import nas_bench_101_cell_space
from hypernets.frameworks.keras.nas_bench_201 import nas_bench_201_cell_space


def pictures() -> dict[str, str]:
    """Return the name of each file and the picture in it: one architecture of a ready space."""
    spaces = {
        "dnn.svg": dnn_search_space(10, 3, "softmax"),
        "cnn.svg": cnn_search_space((28, 28, 1), 10, block_num_choices=(2,)),
        "enas.svg": enas_micro_search_space("NR"),
        "nas-bench-101.svg": nas_bench_101_cell_space(),
        "nas-bench-201.svg": nas_bench_201_cell_space(),
    }
    return {name: space.sample(seed=3).to_svg() for name, space in spaces.items()}


if __name__ == "__main__":
    for name, picture in pictures().items():
        (Path(__file__).parent / name).write_text(picture, encoding="utf-8")
