"""The command line of the demonstration: `python -m hypernets.adapters.demo --data digits`."""

import argparse
import itertools
import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import attrs

from hypernets.adapters.dataset import NAMES, DatasetError, load_images
from hypernets.domain.error import StoreError

__all__ = ["main"]

_BARS = {"digits": 0.97}
"""Least accuracy on the test images that counts as a success, where one is stated."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration.

    Returns:
        0; 1 if it missed its bar; 2 if it could not run; 130 if it was interrupted.
    """
    options = _parser().parse_args(arguments)
    if find_spec("tensorflow") is None:
        return _cannot_run(
            "the demonstration trains Keras models with TensorFlow, which is not installed; "
            "install hypernets[demo], or run `make demo`, which sets it up"
        )
    try:
        data = load_images(options.data, options.seed)
    except DatasetError as error:
        return _cannot_run(str(error))
    print(data.describe())

    begun_s = time.monotonic()
    with _quiet_start():
        import keras

        from hypernets.adapters.demo import image_search

        keras.ops.zeros(1)
    given = {"trials": options.trials, "epochs": options.epochs}
    given["final_epochs"] = options.final_epochs
    effort = attrs.evolve(
        image_search.effort_for(data),
        **{name: value for name, value in given.items() if value is not None},
    )
    try:
        folder = _folder_of(options, data.name)
        print(f"Searching: {effort.trials} architectures, {effort.epochs} epochs each.")
        print(f"The search is kept in {folder}. To go on with it:\n")
        print(f"    {_command(options, folder)}\n")
        result = image_search.search_images(data, effort, options.seed, folder)
    except (StoreError, OSError) as error:
        return _cannot_run(str(error))
    if result is None:
        return 130
    path = folder / "model.keras"
    image_search.save(result.model, path)
    print(f"All of it took {time.monotonic() - begun_s:.0f} s.")
    return _report(data.name, len(data.x_test), result.test_accuracy, path)


def _report(name: str, n_test: int, accuracy: float, path: Path) -> int:
    print(f"Accuracy on {n_test:,} test images that nothing had seen before: {accuracy:.4f}")
    bar = _BARS.get(name)
    met = bar is None or accuracy >= bar
    if bar is not None:
        print(f"The bar is {bar}: {'met' if met else 'NOT met'}.")
    print(f"The model was saved as {path}. To load it:\n")
    print("    import keras")
    print(f'    model = keras.models.load_model("{path}")')
    return 0 if met else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hypernets.adapters.demo",
        description="Search a convolutional network for images, with live progress.",
    )
    parser.add_argument(
        "--data",
        default="digits",
        help=f"{', '.join(NAMES)}, a folder of IDX files, or an .npz file (default: %(default)s)",
    )
    parser.add_argument("--seed", type=_natural, default=0, help="makes it repeatable (default: 0)")
    parser.add_argument("--trials", type=_positive, help="how many architectures to try")
    parser.add_argument("--epochs", type=_positive, help="epochs of each trial")
    parser.add_argument("--final-epochs", type=_positive, help="epochs of the best one at the end")
    parser.add_argument(
        "--output", type=Path, default=Path("runs/demo"), help="where to make a folder for it"
    )
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FOLDER",
        help="go on with the search in this folder; all else must be as it was",
    )
    return parser


def _new_folder(parent: Path, name: str) -> Path:
    """Make a folder of that name, or of that name and a number, that was not there."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / name
    for number in itertools.count(2):
        try:
            folder.mkdir()
        except FileExistsError:
            folder = parent / f"{name}-{number}"
        else:
            break
    return folder


def _folder_of(options: argparse.Namespace, name: str) -> Path:
    if options.resume is None:
        return _new_folder(options.output, f"{name}-seed{options.seed}")
    if not options.resume.is_dir():
        raise StoreError(
            "--resume must name the folder of an earlier run; received "
            f"{str(options.resume)!r}, where there is none; leave it out to begin a new search"
        )
    resumed: Path = options.resume
    return resumed


def _command(options: argparse.Namespace, folder: Path) -> str:
    """Return the command that goes on with a search."""
    words = [sys.executable, "-m", "hypernets.adapters.demo"]
    for name in ("data", "seed", "trials", "epochs", "final_epochs"):
        value = getattr(options, name)
        if value is not None:
            words += ["--" + name.replace("_", "-"), str(value)]
    return shlex.join([*words, "--resume", str(folder)])


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Hide what TensorFlow writes to the error output when it starts; no setting of it does."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _natural(text: str) -> int:
    return _at_least(0, text)


def _positive(text: str) -> int:
    return _at_least(1, text)


def _at_least(least: int, text: str) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be an integer >= {least}; received {text!r}")
    return int(text)


def _cannot_run(reason: str) -> int:
    print(f"Cannot run: {reason}.", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
