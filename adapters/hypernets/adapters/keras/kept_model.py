"""The weights of one trial in a folder: a file, and a record beside it that makes it count.

The record is written last. So weights without one were left by a run that was killed, and go.
"""

import json
import pathlib
import re
from typing import Any

import attrs
import numpy as np

from hypernets.adapters.checkpoint.durable_file import digest_of, replacing, sync_folder
from hypernets.domain.error import CorruptStoreError

__all__ = ["KeptModel", "kept_models", "remove_model", "write_model"]

_NAME = re.compile(r"trial-(\d+)\.(npz|json)(\.tmp)?")


@attrs.frozen
class KeptModel:
    """What is known of the weights of a trial that are kept.

    Attributes:
        number: of the trial.
        reward: its reward.
        n_bytes: size of the file of weights.
        sha256: digest of its content, in hexadecimal; `None` where the folder ends with the
            process, and nobody writes there but this one.
    """

    number: int
    reward: float
    n_bytes: int
    sha256: str | None = None

    def weights(self, folder: pathlib.Path) -> list[Any]:
        """Return the arrays, in order.

        Raises:
            CorruptStoreError: they are not those that were written.
        """
        path = _weights_path(folder, self.number)
        if self.sha256 is not None and not (path.exists() and digest_of(path) == self.sha256):
            raise CorruptStoreError(
                f"the weights of trial {self.number} must be those that were written; received "
                f"another content, or none, in {path}; restore that file, or train the trial "
                "again: final_train(X, y, trial=...)"
            )
        with np.load(path, allow_pickle=False) as stored:
            return [stored[f"arr_{index}"] for index in range(len(stored.files))]


def write_model(
    folder: pathlib.Path, number: int, reward: float, weights: Any, *, durable: bool
) -> KeptModel:
    """Put weights into a folder, in place of those of the same number.

    Args:
        folder: where; it exists.
        number: of the trial.
        reward: its reward.
        weights: arrays, or the `ArtifactFile` that holds them, which is moved.
        durable: whether they are to outlive the process.

    Raises:
        OSError: the system refuses.
    """
    path = _weights_path(folder, number)
    if hasattr(weights, "move_to"):
        weights.move_to(path)
    elif durable:
        with replacing(path) as file:
            np.savez(file, *weights)
    else:
        np.savez(path, *weights)
    if not durable:
        return KeptModel(number, reward, path.stat().st_size)
    digest = getattr(weights, "sha256", None) or digest_of(path)
    model = KeptModel(number, reward, path.stat().st_size, digest)
    with replacing(_record_path(folder, number)) as file:
        file.write(json.dumps(attrs.asdict(model)).encode())
    return model


def remove_model(folder: pathlib.Path, number: int) -> None:
    """Remove the weights of a trial; nothing where there are none."""
    _record_path(folder, number).unlink(missing_ok=True)
    _weights_path(folder, number).unlink(missing_ok=True)


def kept_models(folder: pathlib.Path) -> list[KeptModel]:
    """Return the models of a folder, and remove what a killed run has left there unfinished."""
    found: dict[int, KeptModel] = {}
    ours = [(path, match) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    for path, match in ours:
        number = int(match[1])
        model = _read(path) if match[2] == "json" and not match[3] else None
        weights = _weights_path(folder, number)
        if model is not None and weights.exists() and weights.stat().st_size == model.n_bytes:
            found[number] = model
    for path, match in ours:
        if match[3] or int(match[1]) not in found:
            path.unlink(missing_ok=True)
    sync_folder(folder)
    return list(found.values())


def _read(path: pathlib.Path) -> KeptModel | None:
    try:
        return KeptModel(**json.loads(path.read_bytes()))
    except (ValueError, TypeError):
        return None


def _weights_path(folder: pathlib.Path, number: int) -> pathlib.Path:
    return folder / f"trial-{number}.npz"


def _record_path(folder: pathlib.Path, number: int) -> pathlib.Path:
    return folder / f"trial-{number}.json"
