"""Find a convolutional network for images: search, train the best one, test it, save it."""

from pathlib import Path
from typing import Any

import attrs
import keras
import numpy as np

from hypernets.adapters.callback import ProgressCallback
from hypernets.adapters.dataset import ImageData
from hypernets.adapters.keras.hyper_keras import HyperKeras
from hypernets.adapters.keras.spaces.cnn import cnn_search_space
from hypernets.domain.searchers import RandomSearcher
from hypernets.domain.space import Choice, HyperSpace

__all__ = ["Effort", "Result", "effort_for", "image_space", "save", "search_images"]


@attrs.frozen
class Effort:
    """How much to compute.

    Attributes:
        trials: how many architectures to try.
        epochs: for how many epochs each is trained.
        final_epochs: for how many the best one is trained, from scratch.
        search_examples: how many of the training images a trial sees at most.
    """

    trials: int = 12
    epochs: int = 10
    final_epochs: int = 25
    search_examples: int = 6_000


@attrs.frozen
class Result:
    """What came of it.

    Attributes:
        model: the best architecture, trained on the training and the validation images.
        test_accuracy: on the test images, which nothing has seen before.
    """

    model: Any
    test_accuracy: float


def effort_for(data: ImageData) -> Effort:
    """Return an effort of one or two minutes for digits, of some ten for MNIST."""
    return Effort() if len(data.x_train) < 6_000 else Effort(epochs=3, final_epochs=4)


def image_space(data: ImageData) -> HyperSpace:
    """Return the search space: convolutional networks of a size that suits the images."""
    tiny = min(data.image_shape[:2]) < 16  # each block halves height and width
    space = cnn_search_space(
        input_shape=data.image_shape,
        output_units=data.class_count,
        block_num_choices=[1, 2] if tiny else [2, 3],
        filters_choices=[16, 32],
        kernel_size_choices=[(2, 2), (3, 3)],
        fc_units_choices=[64, 128],
    )
    with space.as_default():  # the training can be searched as well
        space.set_training(learning_rate=Choice([0.001, 0.002]))
    return space


def search_images(data: ImageData, effort: Effort, seed: int, store: Path) -> Result | None:
    """Search, train the best architecture again with more images for longer, and test it once.

    Returns `None` where the search was interrupted: it can be gone on with.

    Selection looks at the validation images only; the test images are used in the last line.

    Args:
        data: the images.
        effort: how much to compute.
        seed: makes it repeatable.
        store: folder that keeps the search; one that holds it already is gone on from.

    Raises:
        StoreError: the folder holds another search, or cannot be used.
    """
    searcher = RandomSearcher(image_space(data), optimize_direction="max", seed=seed)
    hyper_keras = HyperKeras(
        searcher,
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        callbacks=[ProgressCallback(max_trials=effort.trials)],
    )
    n = effort.search_examples
    hyper_keras.search(
        data.x_train[:n],
        data.y_train[:n],
        data.x_validation,
        data.y_validation,
        max_trials=effort.trials,
        store=store,
        epochs=effort.epochs,
        batch_size=32,
        verbose=0,
    )
    if hyper_keras.history.n_evaluated < effort.trials:
        return None
    hyper_keras.results_summary(num_trials=3)

    print(f"\nThe best architecture is trained again, for {effort.final_epochs} epochs ...")
    model = hyper_keras.final_train(
        np.concatenate([data.x_train, data.x_validation]),
        np.concatenate([data.y_train, data.y_validation]),
        epochs=effort.final_epochs,
        callbacks=[keras.callbacks.LearningRateScheduler(_Decay(effort.final_epochs))],
    )
    test = model.evaluate(data.x_test, data.y_test, verbose=0, return_dict=True)
    return Result(model, float(test["accuracy"]))


def save(model: Any, path: Path) -> None:
    """Save a model; Keras loads it without this library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)


@attrs.frozen
class _Decay:
    """A learning rate that stays for the first half of the epochs and then falls to a tenth."""

    epochs: int

    def __call__(self, epoch: int, learning_rate: float) -> float:
        falling = epoch >= self.epochs // 2
        return learning_rate * 0.1 ** (1 / max(1, self.epochs // 2)) if falling else learning_rate
