"""Labelled images, prepared for training and split three ways."""

import attrs
import numpy as np
import numpy.typing as npt

from hypernets.adapters.dataset.error import DatasetError
from hypernets.adapters.dataset.split import stratified_split

__all__ = ["ImageData", "Images", "Labels", "RawImages", "prepare"]

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_VALIDATION_FRACTION = 0.2
_TEST_FRACTION = 0.2


@attrs.frozen
class RawImages:
    """Images as a source has them; `x_test` and `y_test` are `None` where it keeps no test set.

    Attributes:
        name: what the source is called.
        x: `(n, height, width)` or `(n, height, width, channels)`, any numbers.
        y: `(n,)` or `(n, 1)`, integers from 0.
        x_test: as `x`.
        y_test: as `y`.
        maximum: the value of a white pixel; `None` where it is to be told from the data.
    """

    name: str
    x: npt.NDArray[np.generic]
    y: npt.NDArray[np.generic]
    x_test: npt.NDArray[np.generic] | None = None
    y_test: npt.NDArray[np.generic] | None = None
    maximum: float | None = None


@attrs.frozen(eq=False)
class ImageData:
    """Images in [0, 1] with their classes: one part to fit, one to select by, one for the end.

    Attributes:
        name: what they are called.
        x_train: `(n, height, width, channels)`, to fit models with.
        y_train: `(n,)`, classes from 0.
        x_validation: the images by which a model is selected.
        y_validation: their classes.
        x_test: the images that neither fitting nor selection may see.
        y_test: their classes.
        class_count: how many classes there are.
    """

    name: str
    x_train: Images = attrs.field(repr=False)
    y_train: Labels = attrs.field(repr=False)
    x_validation: Images = attrs.field(repr=False)
    y_validation: Labels = attrs.field(repr=False)
    x_test: Images = attrs.field(repr=False)
    y_test: Labels = attrs.field(repr=False)
    class_count: int

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(height, width, channels)` of one image."""
        return tuple(self.x_train.shape[1:])

    def describe(self) -> str:
        """Return one line: what the images are, and how they are split."""
        shape = "x".join(str(size) for size in self.image_shape)
        return (
            f"{self.name}: images of {shape} in {self.class_count} classes; {len(self.x_train):,} "
            f"to fit, {len(self.x_validation):,} to select by, {len(self.x_test):,} to test with"
        )


def prepare(raw: RawImages, seed: int) -> ImageData:
    """Return images scaled to [0, 1], with a channel axis, split three ways by class.

    A source's own test set stays the test set; where it has none, a fifth of the images becomes it.

    Raises:
        DatasetError: these are no labelled images.
    """
    maximum = _maximum(raw)
    x, y = _part(raw.name, raw.x, raw.y, maximum)
    if raw.x_test is not None and raw.y_test is not None:
        x_test, y_test = _part(raw.name, raw.x_test, raw.y_test, maximum)
        _check_shapes(raw.name, x, x_test)
    else:
        rest, held_out = stratified_split(y, _TEST_FRACTION, seed)
        x, y, x_test, y_test = x[rest], y[rest], x[held_out], y[held_out]
    train, validation = stratified_split(y, _VALIDATION_FRACTION, seed + 1)
    return ImageData(
        name=raw.name,
        x_train=x[train],
        y_train=y[train],
        x_validation=x[validation],
        y_validation=y[validation],
        x_test=x_test,
        y_test=y_test,
        class_count=int(max(y.max(), y_test.max())) + 1,
    )


def _maximum(raw: RawImages) -> float:
    if raw.maximum is not None:
        return raw.maximum
    if raw.x.dtype == np.uint8:
        return 255.0
    if not np.issubdtype(raw.x.dtype, np.number) or raw.x.size == 0:
        return 1.0  # the checks of the images say what is wrong
    largest = float(np.asarray(raw.x, dtype=np.float64).max())
    return 1.0 if largest <= 1.0 else 255.0


def _images(name: str, x: npt.NDArray[np.generic], maximum: float) -> Images:
    if x.ndim not in (3, 4) or len(x) == 0 or not np.issubdtype(x.dtype, np.number):
        raise DatasetError(
            "images must be numbers of the shape (n, height, width) or (n, height, width, "
            f"channels); received {x.dtype} of the shape {x.shape} in {name}; reshape them"
        )
    scaled: Images = np.asarray(x, dtype=np.float32)
    scaled = np.divide(scaled, np.float32(maximum), dtype=np.float32)
    if not (np.isfinite(scaled).all() and scaled.min() >= 0.0 and scaled.max() <= 1.0):
        raise DatasetError(
            "pixels must lie in 0 to 1 or in 0 to 255; received "
            f"{x.min()!s} to {x.max()!s} in {name}; scale them"
        )
    return scaled[..., np.newaxis] if scaled.ndim == 3 else scaled


def _labels(name: str, y: npt.NDArray[np.generic]) -> Labels:
    flat = y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y
    if flat.ndim != 1 or not np.issubdtype(flat.dtype, np.integer):
        raise DatasetError(
            "labels must be one integer an image; received "
            f"{y.dtype} of the shape {y.shape} in {name}; give class numbers from 0"
        )
    classes = np.asarray(flat, dtype=np.int64)
    if len(classes) and classes.min() < 0:
        raise DatasetError(
            f"labels must be >= 0; received {classes.min()} in {name}; give class numbers from 0"
        )
    return classes


def _part(
    name: str, x: npt.NDArray[np.generic], y: npt.NDArray[np.generic], maximum: float
) -> tuple[Images, Labels]:
    images, labels = _images(name, x, maximum), _labels(name, y)
    if len(images) != len(labels):
        raise DatasetError(
            f"there must be one label an image; received {len(images)} images and {len(labels)} "
            f"labels in {name}; give the files that belong together"
        )
    return images, labels


def _check_shapes(name: str, x: Images, x_test: Images) -> None:
    if x_test.shape[1:] != x.shape[1:]:
        raise DatasetError(
            f"the images of a data set must have one shape; received {x.shape[1:]} to train with "
            f"and {x_test.shape[1:]} to test with in {name}; make them alike"
        )
