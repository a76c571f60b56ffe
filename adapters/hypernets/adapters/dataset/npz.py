"""Reading images from an npz archive."""

import zipfile
from pathlib import Path

import numpy as np

from hypernets.adapters.dataset.error import DatasetError
from hypernets.adapters.dataset.image_data import RawImages

__all__ = ["read_npz"]

_TRAINING = ("x_train", "y_train")
_TEST = ("x_test", "y_test")


def read_npz(path: Path) -> RawImages:
    """Return the images in an archive with `x_train` and `y_train`, and perhaps `x_test`, `y_test`.

    Nothing in the file is executed: an array of Python objects is refused.

    Raises:
        DatasetError: the file cannot be read or lacks one of the arrays.
    """
    try:
        # a single array (.npy) is no context manager: TypeError
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files if name in _TRAINING + _TEST}
            names = list(archive.files)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"an npz file must be a whole archive of plain arrays; {path} is not: {error}; "
            "write it with numpy.savez, without arrays of objects"
        ) from error
    missing = [name for name in _TRAINING if name not in arrays]
    if any(name in arrays for name in _TEST):
        missing += [name for name in _TEST if name not in arrays]
    if missing:
        raise DatasetError(
            "an npz file of images must hold x_train and y_train, and x_test with y_test if there "
            f"is a test set; received {', '.join(names) or 'no array'} in {path}; "
            f"add {', '.join(missing)}"
        )
    return RawImages(
        path.stem, arrays["x_train"], arrays["y_train"], arrays.get("x_test"), arrays.get("y_test")
    )
