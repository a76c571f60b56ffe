"""Looking after a store from a terminal: `python -m hypernets.adapters.store verify runs/x`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from hypernets.adapters.store.hdf5 import Hdf5Store, repair, verify
from hypernets.domain.error import HypernetsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; return 0, or 1 where something is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m hypernets.adapters.store", description="Look after a history in a folder."
    )
    actions = parser.add_subparsers(required=True, metavar="action")
    for name, (act, about) in _ACTIONS.items():
        action = actions.add_parser(name, help=about, description=about)
        action.add_argument("folder", help="of the store")
        action.set_defaults(act=act)
        if name == "export":
            action.add_argument("path", help="of the file to write")
            action.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    options = parser.parse_args(arguments)
    try:
        return options.act(options)  # type: ignore[no-any-return]
    except HypernetsError as error:
        print(error, file=sys.stderr)
        return 1


def _show(options: argparse.Namespace) -> int:
    with Hdf5Store(options.folder, "r") as store:
        history = store.load()
        print(history)
        for name, value in (store.identity.to_document() if store.identity else {}).items():
            if name != "decisions":
                print(f"  {name}: {value}")
        if history.best is not None:
            print(f"  best: trial {history.best.number}, {dict(history.best.objectives)}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    report = verify(options.folder)
    print(report)
    return 0 if report.is_intact else 1


def _repair(options: argparse.Namespace) -> int:
    print(repair(options.folder))
    return 0


def _compact(options: argparse.Namespace) -> int:
    with Hdf5Store(options.folder) as store:
        store.compact()
    return _verify(options)


def _export(options: argparse.Namespace) -> int:
    with Hdf5Store(options.folder, "r") as store:
        print(store.export(options.path, options.format))
    return 0


_ACTIONS: Mapping[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "show": (_show, "whose trials these are, and the best of them"),
    "verify": (_verify, "check every byte; 1 where something is damaged"),
    "repair": (_repair, "keep every trial that is intact; the damaged files are set aside"),
    "compact": (_compact, "write all trials anew, into one file"),
    "export": (_export, "write the history to a file"),
}


if __name__ == "__main__":
    sys.exit(main())
