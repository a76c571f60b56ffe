"""The files of a store's folder.

    history-g0001-s000001.h5    generation 1, segment 1
    history-g0001-s000002.h5    generation 1, segment 2
    history-….h5.tmp            one that was being made when its maker died: of no account
    writer.lock                 names who writes
    damaged-g0001/              what a repair has set aside

The files of the highest generation are the store. A lower one beside it was being removed when its
remover died: of no account either.
"""

import re
from pathlib import Path

__all__ = [
    "LOCK",
    "aside_folder",
    "leftovers",
    "place_of",
    "segment_path",
    "segments",
    "temporary_path",
]

LOCK = "writer.lock"
_SEGMENT = re.compile(r"history-g(\d{4,})-s(\d{6,})\.h5")
_TEMPORARY = re.compile(_SEGMENT.pattern + r"\.tmp")


def segment_path(folder: Path, generation: int, index: int) -> Path:
    """Return the path of a segment."""
    return folder / f"history-g{generation:04d}-s{index:06d}.h5"


def temporary_path(path: Path) -> Path:
    """Return the path under which a segment is made."""
    return path.with_name(f"{path.name}.tmp")


def aside_folder(folder: Path, generation: int) -> Path:
    """Return where the damaged files of a generation are kept."""
    return folder / f"damaged-g{generation:04d}"


def place_of(path: Path) -> tuple[int, int] | None:
    """Return generation and index of a segment by its name; `None` for any other file."""
    match = _SEGMENT.fullmatch(path.name)
    return None if match is None else (int(match[1]), int(match[2]))


def segments(folder: Path) -> list[Path]:
    """Return the segments that are the store, in order; no file is opened."""
    found = _by_place(folder)
    newest = max((generation for generation, _ in found), default=0)
    return [path for (generation, _), path in sorted(found.items()) if generation == newest]


def leftovers(folder: Path) -> list[Path]:
    """Return the files that are of no account, in order."""
    found = _by_place(folder)
    newest = max((generation for generation, _ in found), default=0)
    older = [path for (generation, _), path in found.items() if generation < newest]
    unfinished = [path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name)]
    return sorted(older + unfinished)


def _by_place(folder: Path) -> dict[tuple[int, int], Path]:
    places = {path: place_of(path) for path in folder.iterdir()}
    return {place: path for path, place in places.items() if place is not None}
