"""Finding a data set by its name or its path."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypernets.adapters.dataset.error import DatasetError
from hypernets.adapters.dataset.idx import IDX_PARTS, find_idx_files, read_idx
from hypernets.adapters.dataset.image_data import ImageData, RawImages, prepare
from hypernets.adapters.dataset.npz import read_npz

__all__ = ["NAMES", "load_images"]

NAMES = ("digits", "mnist", "fashion-mnist")
"""The data sets that are known by name."""

SYSTEM_FOLDER = Path("/usr/share/datasets")
"""Where packages of a Linux distribution put data sets, one folder each."""

_PACKAGES = {"fashion-mnist": "dataset-fashion-mnist"}  # Debian and its descendants
_DOWNLOAD_TIMEOUT_S = 20.0


def load_images(source: str | Path, seed: int = 0) -> ImageData:
    """Return the images of a data set, split into training, validation and test by class.

    Args:
        source: `"digits"` (scikit-learn's own, nothing is downloaded), `"mnist"` or
            `"fashion-mnist"` (from this system's packages if installed, else through Keras, which
            downloads and keeps them), or a path: a folder with the four IDX files of a data set
            like MNIST, compressed or not, or an `.npz` file with `x_train`, `y_train` and perhaps
            `x_test`, `y_test`.
        seed: of the split.

    Returns:
        Images as `float32` in [0, 1] with a channel axis, classes as integers from 0.

    Raises:
        DatasetError: it cannot be had; says what was tried and what to do.
    """
    name = str(source)
    if isinstance(source, str) and name in NAMES:
        return prepare(_read_digits() if name == "digits" else _read_known(name), seed)
    return prepare(_read_path(Path(source).expanduser()), seed)


def _read_digits() -> RawImages:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DatasetError(
            'the data set "digits" needs scikit-learn, which is not installed; '
            "install hypernets[demo], or give a folder of IDX files or an .npz file instead"
        ) from error
    digits: Any = load_digits()
    return RawImages("digits", digits.images, digits.target, maximum=16.0)


def _read_known(name: str) -> RawImages:
    tried: list[str] = []
    folder = SYSTEM_FOLDER / name
    if folder.is_dir():
        try:
            return _read_folder(folder, name)
        except DatasetError as error:
            tried.append(str(error))
    else:
        tried.append(f"{folder} is not there")
    try:
        return _from_keras(name)
    except DatasetError as error:
        tried.append(str(error))
    package = f"install the package {_PACKAGES[name]} (Debian), or " if name in _PACKAGES else ""
    raise DatasetError(
        f'the data set "{name}" cannot be had. Tried: (1) {tried[0]}; (2) {tried[1]}. '
        f"What to do: {package}give the path of a folder with {', '.join(IDX_PARTS)} (.gz or not), "
        "or of an .npz file with x_train, y_train, x_test, y_test; or let Keras download it once "
        'where there is a network. "digits" needs neither'
    )


def _from_keras(name: str) -> RawImages:
    try:
        from keras import datasets
    except ImportError as error:
        raise DatasetError("Keras is not installed (hypernets[keras] brings it)") from error
    load: Callable[[], Any] = getattr(datasets, name.replace("-", "_")).load_data
    try:
        with _download_timeout():
            (x, y), (x_test, y_test) = load()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise DatasetError(f"keras.datasets could not load it: {_reason(error)}") from error
    return RawImages(name, x, y, x_test, y_test)


def _read_path(path: Path) -> RawImages:
    if path.is_dir():
        return _read_folder(path, path.name)
    if path.is_file():
        return read_npz(path)
    raise DatasetError(
        f"data must be one of {', '.join(NAMES)}, a folder of IDX files or an .npz file; "
        f"received {str(path)!r}, which is none of them; check the spelling"
    )


def _read_folder(folder: Path, name: str) -> RawImages:
    files = find_idx_files(folder)
    missing = [part for part in IDX_PARTS if part not in files]
    if missing:
        raise DatasetError(
            f"a folder of images must hold {', '.join(IDX_PARTS)} (.gz or not); "
            f"in {folder} there is no {', '.join(missing)}; give another folder or add them"
        )
    x, y, x_test, y_test = (read_idx(files[part]) for part in IDX_PARTS)
    return RawImages(name, x, y, x_test, y_test)


@contextmanager
def _download_timeout() -> Iterator[None]:
    """Let a download that nobody answers fail soon; Keras sets no limit of its own."""
    previous = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(previous)


def _reason(error: Exception) -> str:
    lines = (str(error) or repr(error)).splitlines()
    return lines[0]
