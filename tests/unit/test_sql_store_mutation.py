"""Damaged databases: each opens with what is intact, or says what is damaged; never wrong data."""

import random
import re
import shutil
from collections import Counter

import pytest

from hypernets.adapters.store.sql import SqlStore, repair, verify
from hypernets.application.port import SearchIdentity
from hypernets.domain.error import CorruptStoreError, StoreError
from hypernets.domain.history import Report, Trial, TrialState

NAMES = ("first", "second")
IDENTITY = SearchIdentity(space="1-abc", seed=0)


def trial(number):
    curve = tuple(Report(step, {"loss": step / number}) for step in range(number * 7 % 12))
    return Trial(
        number, {"n": number}, f"s{number}", TrialState.COMPLETED, {"r": number}, curve=curve
    )


TRIALS = [trial(number) for number in range(1, 61)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a database of two searches."""
    path = tmp_path_factory.mktemp("store") / "runs.db"
    for name in NAMES:
        with SqlStore(path, name) as store:
            store.bind(IDENTITY)
            for each in TRIALS:
                store.append(each)
    return path.read_bytes()


def flipped(rng, content):
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return content


def truncated(rng, content):
    return content[: rng.randrange(len(content))]


def wiped(rng, content):
    content = bytearray(content)
    begin = rng.randrange(len(content))
    end = min(len(content), begin + rng.choice((1, 8, 256, 4096)))
    content[begin:end] = rng.choice((b"\0", b"\xff")) * (end - begin)
    return content


def moved(rng, content):
    content = bytearray(content)
    source, target = (rng.randrange(len(content) // 4096) * 4096 for _ in range(2))
    content[target : target + 4096] = content[source : source + 4096]
    return content


MUTATIONS = (flipped,) * 5 + (truncated, wiped, moved)


def damage(whole, folder, count, seed):
    """Damage a database again and again, and count how it answers."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    answers = Counter()
    for i in range(count):
        path = folder / "runs.db"
        path.write_bytes(rng.choice(MUTATIONS)(rng, whole))
        for name in NAMES:
            answers[answer(path, name)] += 1
        if i % 10 == 0:
            answers[check_repair(path, folder / "repaired")] += 1
        for left in folder.glob("runs.db*"):
            left.unlink()
    print(f"{count} mutations: {dict(answers)}")
    assert answers["refused"] > count / 20
    assert answers["opened"] > count / 20
    assert answers["repaired"] > 0
    return answers


def answer(path, name):
    try:
        with SqlStore(path, name, "r") as store:
            found = list(store.load())
            assert store.identity == IDENTITY
    except CorruptStoreError as error:
        return said(error, "repair the database", "refused")
    except StoreError as error:  # its name, or the number of its schema, is another
        return said(error, "must be (in the database|at most)", "refused by name")
    assert found == TRIALS
    return "opened"


def said(error, pattern, answer):
    assert re.search(pattern, str(error)), error
    return answer


def check_repair(path, folder):
    folder.mkdir()
    copy = folder / "runs.db"
    shutil.copyfile(path, copy)
    try:
        return repaired(copy)
    except CorruptStoreError as error:
        return said(error, "nothing has been changed", "beyond repair")
    except StoreError as error:
        return said(error, "must be at most", "newer")
    finally:
        shutil.rmtree(folder)


def repaired(path):
    report = repair(path)
    assert verify(path).is_intact, verify(path)
    n_found = 0
    for note in verify(path).notes:
        with SqlStore(path, note.split("'")[1]) as store:
            found = list(store.load())
            assert [t for t in found if t != TRIALS[t.number - 1]] == []
            assert [t.number for t in found] == sorted({t.number for t in found})
            n_found += len(found)
            store.append(Trial(1000, {}, "s", TrialState.COMPLETED))
    assert n_found == report.n_trials
    assert report.is_intact or report.set_aside.exists()
    return "nothing to repair" if report.is_intact else "repaired"


def test_three_hundred_mutations_give_what_is_intact_or_a_reason(whole, tmp_path):
    damage(whole, tmp_path, 300, seed=0)


@pytest.mark.soak
def test_ten_thousand_mutations_give_what_is_intact_or_a_reason(whole, tmp_path):
    damage(whole, tmp_path, 10_000, seed=1)
