"""Looking after histories from a terminal: `python -m hypernets.adapters.store verify runs/x`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hypernets.adapters.store.home import home_of
from hypernets.domain.error import HypernetsError, StoreError
from hypernets.domain.history import History, Trial

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; return 0, or 1 where something is wrong."""
    options = _parser().parse_args(arguments)
    try:
        return options.act(options)  # type: ignore[no-any-return]
    except HypernetsError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hypernets.adapters.store",
        description="Look after a history in a folder, or the histories in a database.",
    )
    actions = parser.add_subparsers(required=True, metavar="action")
    for name, (act, about) in _ACTIONS.items():
        action = actions.add_parser(name, help=about, description=about)
        action.add_argument("place", help="a folder, a database file, or its sqlite:/// URL")
        action.set_defaults(act=act)
        if name != "list":
            action.add_argument("--search", help="name of one, where the place holds several")
        if name == "trial":
            action.add_argument("number", type=int, help="of the trial")
        if name == "export":
            action.add_argument("path", help="of the file to write")
            action.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    return parser


def _list(options: argparse.Namespace) -> int:
    home, is_right = home_of(options.place), True
    for name in home.names():
        try:
            with home.read(name) as store:
                print(f"{name}: {_best_in_words(store.load())}")
        except StoreError as error:
            is_right = False
            print(f"{name}: cannot be read: {error}")
    return 0 if is_right else 1


def _show(options: argparse.Namespace) -> int:
    with home_of(options.place).read(options.search) as store:
        history = store.load()
        print(history)
        for name, value in (store.identity.to_document() if store.identity else {}).items():
            if name != "decisions":
                print(f"  {name}: {value}")
        if history.best is not None:
            print(f"  best: trial {history.best.number}, {dict(history.best.objectives)}")
    return 0


def _trial(options: argparse.Namespace) -> int:
    with home_of(options.place).read(options.search) as store:
        found = [trial for trial in store.load() if trial.number == options.number]
    if not found:
        raise StoreError(
            f"{options.place}: a trial must be stored to be shown; received number "
            f"{options.number}; `show` says how many there are"
        )
    lines = _trial_in_words(found[0])
    log = Path(options.place, options.search or "", "logs", f"trial-{options.number}.log")
    if log.is_file():
        lines.insert(1, f"  its log: {log}")
    print(*lines, sep="\n")
    return 0


def _verify(options: argparse.Namespace) -> int:
    report = home_of(options.place).verify(options.search)
    print(report)
    return 0 if report.is_intact else 1


def _repair(options: argparse.Namespace) -> int:
    print(home_of(options.place).repair(options.search))
    return 0


def _compact(options: argparse.Namespace) -> int:
    home_of(options.place).compact(options.search)
    return _verify(options)


def _export(options: argparse.Namespace) -> int:
    with home_of(options.place).read(options.search) as store:
        print(store.export(options.path, options.format))
    return 0


def _best_in_words(history: History) -> str:
    best = history.best
    if best is None:
        return f"{len(history)} trials"
    return f"{len(history)} trials, the best is {best.number}, {dict(best.objectives)}"


def _trial_in_words(trial: Trial) -> list[str]:
    lines = [f"trial {trial.number}: {trial.state.value}, {trial.elapsed_s:.1f} s"]
    lines += [f"  {name}: {value}" for name, value in trial.objectives.items()]
    decided = ((trial.labels.get(name, name), value) for name, value in trial.decisions.items())
    lines += [f"  {label} = {value!r}" for label, value in decided]
    lines += [f"  {name}: {value!r}" for name, value in trial.details.items()]
    if trial.failure is not None:
        lines += [f"  {trial.failure.kind}: {trial.failure.message}", trial.failure.traceback]
    return lines


_ACTIONS: Mapping[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "list": (_list, "the searches in a database, or in a folder of stores"),
    "show": (_show, "whose trials these are, and the best of them"),
    "trial": (_trial, "one trial: what it is, and why it failed"),
    "verify": (_verify, "check every byte; 1 where something is damaged"),
    "repair": (_repair, "keep every trial that is intact; the damaged files are set aside"),
    "compact": (_compact, "write all trials anew, or give back the room of what was deleted"),
    "export": (_export, "write the history to a file"),
}


if __name__ == "__main__":
    sys.exit(main())
