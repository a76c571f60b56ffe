"""Damaged files: each opens with what is intact, or says what is damaged; never wrong data."""

import random
import shutil
from collections import Counter

import pytest

from hypernets.adapters.store.hdf5 import Hdf5Store, repair, verify, writer
from hypernets.adapters.store.hdf5.disk import SystemDisk
from hypernets.application.port import SearchIdentity
from hypernets.domain.error import CorruptStoreError
from hypernets.domain.history import Report, Trial, TrialState

N_TRIALS = 60


def trial(number):
    curve = tuple(Report(step, {"loss": step / number}) for step in range(number * 7 % 12))
    return Trial(
        number, {"n": number}, f"s{number}", TrialState.COMPLETED, {"r": number}, curve=curve
    )


TRIALS = [trial(number) for number in range(1, N_TRIALS + 1)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A store of several segments, as a mapping of name to bytes."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "_FEWEST_ROWS", 16)
        patch.setattr(writer, "_LEAST_DOCUMENT", 500)
        with Hdf5Store(folder) as store:
            store.bind(SearchIdentity(space="1-abc", seed=0))
            for each in TRIALS:
                store.append(each)
    found = {path.name: path.read_bytes() for path in folder.glob("*.h5")}
    assert len(found) >= 3
    return found


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
    size = rng.choice((1, 8, 256, 512, 4096, 50_000))
    content[begin : begin + size] = rng.choice((b"\0", b"\xff")) * len(
        content[begin : begin + size]
    )
    return content


def moved(rng, content):
    content = bytearray(content)
    size = rng.choice((256, 512, 4096))
    source, target = (rng.randrange(len(content) // size) * size for _ in range(2))
    content[target : target + size] = content[source : source + size]
    return content


def noisy(rng, content):
    content = bytearray(content)
    begin = rng.randrange(len(content))
    noise = rng.randbytes(rng.choice((2, 64, 3000)))[: len(content) - begin]
    content[begin : begin + len(noise)] = noise
    return content


def grown(rng, content):
    return content + rng.randbytes(rng.choice((1, 512, 5000)))


def emptied(rng, content):
    return b""


MUTATIONS = (flipped,) * 6 + (truncated,) * 3 + (wiped, moved, noisy, grown, emptied)


def mutate(rng, content):
    # half of them where the data are: the rest of a file is empty room
    change = rng.choice(MUTATIONS)
    if change in (flipped, wiped, noisy) and rng.random() < 0.5:
        used = len(bytes(content).rstrip(b"\0"))
        return change(rng, content[:used]) + content[used:]
    return change(rng, content)


class QuickDisk(SystemDisk):
    """For tests that are not about power cuts."""

    def sync(self, descriptor):
        pass

    def sync_folder(self, folder):
        pass


def is_subsequence(found):
    numbers = [t.number for t in found]
    return numbers == sorted(set(numbers)) and all(t == TRIALS[t.number - 1] for t in found)


def damage(whole, folder, count, seed):
    """Damage one file at a time, and count how the store answers."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    answers = Counter()
    for name, content in whole.items():
        (folder / name).write_bytes(content)
    for i in range(count):
        name = rng.choice(sorted(whole))
        (folder / name).write_bytes(mutate(rng, whole[name]))
        answers[answer(folder, name)] += 1
        if i % 25 == 0:
            check_repair(folder, folder.parent / "repaired")
        (folder / name).write_bytes(whole[name])
    print(f"{count} mutations: {dict(answers)}")
    assert answers["refused"] > count / 20
    assert answers["opened"] > count / 20
    return answers


def answer(folder, name):
    refusal = ""
    try:
        with Hdf5Store(folder, "r") as store:
            found = list(store.load())
    except CorruptStoreError as error:
        refusal = str(error)
    if refusal:
        assert name in refusal
        assert "repair the store" in refusal
        return "refused"
    assert found == TRIALS[: len(found)]
    # only the very last trial can be taken for one that was never finished
    assert len(found) >= N_TRIALS - 1 or (len(found) >= 45 and name.endswith("3.h5"))
    return "opened"


def check_repair(folder, copy):
    shutil.copytree(folder, copy)
    before = verify(copy)
    report = repair(copy, QuickDisk())
    assert report.is_intact == before.is_intact
    with Hdf5Store(copy, disk=QuickDisk()) as store:
        found = list(store.load())
        assert is_subsequence(found)
        assert len(found) == report.n_trials
        store.append(Trial(1000, {}, "s", TrialState.COMPLETED))
    assert verify(copy).is_intact
    shutil.rmtree(copy)


def test_a_thousand_mutations_give_what_is_intact_or_a_reason(whole, tmp_path):
    (tmp_path / "store").mkdir()
    damage(whole, tmp_path / "store", 1_000, seed=0)


@pytest.mark.soak
def test_ten_thousand_mutations_give_what_is_intact_or_a_reason(whole, tmp_path):
    (tmp_path / "store").mkdir()
    damage(whole, tmp_path / "store", 10_000, seed=1)
