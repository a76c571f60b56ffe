"""Smaller spaces made of a space: restrict, fix, exclude, refine."""

import os
import random
import subprocess
import sys

import pytest

from hypernets.domain.architecture.codec import OneHotCodec, VectorCodec
from hypernets.domain.error import SpaceError
from hypernets.domain.space import (
    Bool,
    Cascade,
    Choice,
    Constant,
    Dynamic,
    HyperSpace,
    Identity,
    InputChoice,
    Int,
    LayerModule,
    MultipleChoice,
    Optional,
    Or,
    Permutation,
    Real,
    Repeat,
)
from hypernets.domain.space.algebra.narrowing import LISTED_LIMIT


class Input(LayerModule):
    is_input = True


class Dense(LayerModule):
    pass


class Add(LayerModule):
    pass


def space_of(**decisions):
    """Return a space of one module that holds decisions, called by their keywords."""
    space = HyperSpace("some")
    with space.as_default():
        Identity(**{key: make(key) for key, make in decisions.items()})
    return space


def kinds():
    return space_of(
        units=lambda n: Choice([64, 16, 32], name=n),
        act=lambda n: Choice(["relu", "tanh", "elu"], name=n),
        depth=lambda n: Int(2, 10, 2, name=n),
        rate=lambda n: Real(0.0, 0.5, step=0.1, name=n),
        lr=lambda n: Real(1e-4, 1e-1, prior="log_uniform", name=n),
        some=lambda n: MultipleChoice(["a", "b", "c"], name=n),
        bias=lambda n: Bool(name=n),
        kernel=lambda n: Choice([(3, 3), (5, 5)], name=n),
    )


def values(space, name):
    (decision,) = [d for d in space.decisions if d.name == name]
    return [decision.value_at(number) for number in range(int(decision.size))]


def fixed(space, name):
    parameter = getattr(space, name)
    assert isinstance(parameter, Constant)
    assert name not in [decision.name for decision in space.decisions]
    return parameter.value


# --- what is left ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kept", "left"),
    [
        ("units", [64, 32], [64, 32]),
        ("units", [32.0, 64], [64, 32]),
        ("units", (16, 40), [16, 32]),
        ("act", ["elu", "relu"], ["relu", "elu"]),
        ("act", {"elu", "relu"}, ["relu", "elu"]),
        ("depth", [2, 6, 10], [2, 6, 10]),
        ("depth", [2, 4, 10], [2, 4, 10]),
        ("depth", (3, 7.5), [4, 6]),
        ("depth", (-5, 5), [2, 4]),
        ("depth", range(4, 8, 2), [4, 6]),
        ("rate", (0.1, 0.3), [0.1, 0.2, 0.3]),
        ("rate", (0.1, 0.1 * 3), [0.1, 0.2, 0.3]),
        ("rate", (0.1 * 3, 1), [0.3, 0.4, 0.5]),
        ("rate", [0.0, 0.1, 0.4], [0.0, 0.1, 0.4]),
        ("lr", [1e-2, 1e-3], [1e-3, 1e-2]),
        ("some", ["c", "a"], [["a"], ["c"], ["a", "c"]]),
        ("some", [["c", "a"], ["b"]], [["b"], ["a", "c"]]),
        ("kernel", [(5, 5), (3, 3)], [(3, 3), (5, 5)]),
    ],
)
def test_a_restricted_decision_has_the_values_that_are_kept(name, kept, left):
    space = kinds()
    restricted = space.restrict({name: kept})
    assert values(restricted, name) == left
    others = {d.name: d.describe() for d in space.decisions if d.name != name}
    assert others == {d.name: d.describe() for d in restricted.decisions if d.name != name}


@pytest.mark.parametrize(
    ("name", "gone", "left"),
    [
        ("units", [64], [16, 32]),
        ("units", (20, 40), [64, 16]),
        ("act", ["tanh"], ["relu", "elu"]),
        ("depth", [6], [2, 4, 8, 10]),
        ("depth", (0, 5), [6, 8, 10]),
        ("depth", (5, 100), [2, 4]),
        ("depth", (50, 100), [2, 4, 6, 8, 10]),
        ("rate", (0.2, 0.4), [0.0, 0.1, 0.5]),
        ("some", ["b"], [["a"], ["c"], ["a", "c"]]),
        ("some", [["a", "b"], ["c", "a", "b"]], [["a"], ["b"], ["c"], ["a", "c"], ["b", "c"]]),
    ],
)
def test_an_excluded_value_is_gone_and_all_others_are_left(name, gone, left):
    assert values(kinds().exclude({name: gone}), name) == left


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("units", 64, 64),
        ("act", "elu", "elu"),
        ("depth", 4.0, 4),
        ("rate", 0.1 * 3, 0.3),
        ("lr", 0.05, 0.05),
        ("some", ["c", "a"], ["a", "c"]),
        ("bias", True, True),
        ("kernel", [3, 3], (3, 3)),
    ],
)
def test_a_fixed_decision_is_none_any_more_and_has_its_value(name, value, held):
    space = kinds().fix({name: value})
    assert fixed(space, name) == held
    assert name not in space.sample(0).decisions
    assert space.fix({d.name: d.sample(rng()) for d in space.decisions}).count() == 1


def rng():
    return random.Random(0)  # noqa: S311 - no secret


@pytest.mark.parametrize(
    ("name", "kept"),
    [("units", [32]), ("depth", (3, 5)), ("lr", (1e-3, 1e-3)), ("lr", [1e-3]), ("some", ["b"])],
)
def test_what_is_left_with_one_value_is_fixed(name, kept):
    space = kinds().restrict({name: kept})
    only = {"units": 32, "depth": 4, "lr": 1e-3, "some": ["b"]}[name]
    assert fixed(space, name) == only


def test_a_continuous_range_becomes_a_smaller_one_with_its_prior():
    decision = kinds().restrict(lr=(1e-3, 5.0)).decisions[4]
    assert (decision.low, decision.high, decision.prior) == (1e-3, 1e-1, "log_uniform")
    assert not decision.is_finite


def test_a_number_stays_one_of_its_kind_where_what_is_left_is_even():
    space = kinds().restrict(depth=[2, 6, 10], rate=[0.0, 0.2, 0.4])
    described = {d.name: (type(d), d.describe()) for d in space.decisions}
    assert described["depth"] == (Int, "2 to 10 in steps of 4")
    assert described["rate"] == (Real, "0 to 0.4 in steps of 0.2")
    uneven = kinds().restrict(depth=[2, 4, 10]).decisions
    assert next(type(d) for d in uneven if d.name == "depth") is Choice


def test_a_limit_on_how_many_options_holds_among_those_left():
    space = space_of(some=lambda n: MultipleChoice(range(5), 2, name=n))
    assert space.restrict(some=[0, 1, 2]).count() == 6
    assert space.restrict(some=[3]).count() == 1
    many = space_of(some=lambda n: MultipleChoice(range(5), 4, name=n))
    assert many.restrict(some=[0, 1, 2]).count() == 7


def test_a_huge_range_is_cut_without_listing_it():
    space = space_of(n=lambda n: Int(0, 10**15, name=n))
    assert space.restrict(n=(5, 10**14)).count() == 10**14 - 4
    assert space.exclude(n=(5, 10**20)).count() == 5
    assert space.exclude(n=[0]).count() == 10**15
    with pytest.raises(SpaceError, match=r"exclude, 'n': a decision must have at most 100,000 val"):
        space.exclude(n=[7])


def test_what_is_left_of_a_choice_that_is_not_stored_must_be_few_enough_to_list():
    space = HyperSpace()
    with space.as_default():
        Dense({"units": 1})(Permutation([Identity() for _ in range(10)])(Input({"shape": (4,)})))
    (order,) = space.decisions
    assert space.restrict({order.name: [tuple(range(10)), tuple(range(10))[::-1]]}).count() == 2
    with pytest.raises(SpaceError, match=f"at most {LISTED_LIMIT:,} values for some to be left"):
        space.exclude({order.name: [order.value_at(5)]})
    with pytest.raises(SpaceError, match=r"what is left must be .* received 3,628,799 out of"):
        space.exclude({order.name: [order.value_at(0)]})
    fine = space_of(x=lambda n: Real(0, 1, step=1e-6, name=n))
    assert fine.restrict(x=(0.25, 0.75)).count() == 500_001  # a range of a Real stays one


def test_labels_name_decisions_as_well_as_names_do():
    space = HyperSpace()
    with space.as_default():
        x = Dense({"units": Choice([1, 2, 3]), "act": Choice(["a", "b"])}, name="hidden")
        x(Input({"shape": (4,)}))
        space.set_training(batch_size=Choice([8, 16]))
    assert space.restrict({"hidden.units": [1, 2]}, batch_size=[8]).count() == 4


# --- it is a space like any other ---------------------------------------------------


def program():
    """Or, Optional, Repeat, Permutation, InputChoice, Cascade, Dynamic, shared, training."""
    space = HyperSpace("program")
    with space.as_default():
        units = Choice([4, 8], name="units")
        x = Input({"shape": (4,)})
        x = Or(
            [Dense({"units": units}), Dense({"units": 3}), Identity()], Choice([0, 1, 2], name="or")
        )(x)
        x = Optional(Dense({"units": Dynamic(lambda u: u + 1, u=units)}), True, Bool(name="opt"))(x)
        x = Repeat(
            lambda step: Dense({"units": Choice([1, 2], name=f"step{step}")}),
            hp_repeat_num=Int(2, 4, name="repeat"),
        )(x)
        x = Permutation(
            [Dense({"units": 1}), Dense({"units": 2})],
            Choice([(0, 1), (1, 0)], name="order"),
        )(x)
        ends = [Dense({"units": 5, "activation": act})(x) for act in ("relu", "tanh", "elu")]
        x = InputChoice(ends, 0, MultipleChoice(range(3), name="inputs"))(ends)
        slow, fast = Real(0.1, 0.2, name="slow"), Choice([1, 2, 3], name="fast")
        rate = Cascade(
            lambda how: slow if how == "slow" else fast, how=Choice(["slow", "fast"], name="how")
        )
        Dense({"units": 1})(Add()(x))
        space.set_training(rate=rate, size=Choice([8, 16], name="size"))
    return space


def test_every_op_and_every_kind_of_hyperparameter_may_be_narrowed():
    space = program().fix(how="fast")
    assert space.is_finite
    assert space.count() == (4 + 3 + 3) * (4 + 8 + 16) * 2 * 7 * 3 * 2
    smaller = space.restrict({"or": [0, 1]}, opt=[True], repeat=(2, 3), inputs=[0, 2], fast=[3])
    smaller = smaller.fix(order=(1, 0)).exclude(size=[8])
    names = {decision.name for decision in smaller.decisions}
    assert names == {"or", "units", "repeat", "step0", "step1", "step2", "inputs"}
    assert smaller.count() == 4 * (4 + 8) * 3
    for architecture in smaller.enumerate():
        own = space.adopt(architecture)
        assert own.signature == architecture.signature
        assert own.training == architecture.training == {"rate": 3, "size": 16}
    report = smaller.verify()
    assert report.passed
    assert report.is_proof


def test_a_branch_that_nothing_chooses_is_decided_no_more():
    space = program()
    assert space.count() == float("inf")  # through the slow rate
    fast = space.fix(how="fast")
    assert "slow" not in [decision.name for decision in fast.decisions]
    assert fast.count() < float("inf")
    assert "slow" in [decision.name for decision in space.fix(how="slow").decisions]


def test_a_decision_of_a_branch_that_is_written_off_is_none():
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)})
        endless = Dense({"units": Real(1, 8, name="endless")})
        Or([endless, Dense({"units": Choice([1, 2], name="units")})], hp_or=1)(x)
    assert [decision.name for decision in space.decisions] == ["units"]
    assert space.count() == 2


def test_codecs_and_sampling_take_a_narrowed_space():
    space = program().fix(how="fast").restrict(units=[8], inputs=[[0, 1], [2]])
    for codec in (OneHotCodec(space), VectorCodec(space)):
        for seed in range(5):
            architecture = space.sample(seed)
            code = codec.encode(architecture)
            again = codec.decode(*code) if isinstance(code, tuple) else codec.decode(code)
            assert again == architecture
    text = space.sample(1).to_json()
    assert type(space.sample(1)).from_json(space, text) == space.sample(1)


def test_narrowing_may_be_repeated_at_will():
    space = program()
    for _ in range(50):
        space = space.restrict(size=[8, 16]).exclude(fast=[])
    assert space.fix(how="fast").count() == program().fix(how="fast").count()


def test_a_layer_that_is_shared_is_shared_in_the_copy():
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)})
        first = Dense({"units": Choice([4], name="four"), "act": Choice(["a", "b"], name="act")})
        first.share()(first(x))
    narrowed = space.fix(act="a")
    first, second = narrowed.modules[1:]
    assert second.original is first
    assert narrowed.sample(0).signature == space.architecture({"act": "a"}).signature


def test_a_long_chain_is_copied_without_recursion():
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)})
        for number in range(3000):
            x = Dense({"units": Choice([1, 2], name=f"u{number}")})(x)
    narrowed = space.fix({f"u{number}": 1 for number in range(2990)})
    assert narrowed.count() == 2**10
    assert len(narrowed.name) < 250
    assert narrowed.name.endswith("u2989 = 1")
    assert len(narrowed.modules) == 3001


def test_arguments_that_are_no_part_of_the_language_are_the_same_objects():
    token = object()
    space = HyperSpace()
    with space.as_default():
        Identity(token=token, pair=(token, Choice([1, 2], name="a")), many={"x": [token]})
    arguments = space.fix(a=1).modules[0].arguments
    assert arguments["token"] is token
    assert arguments["pair"][0] is token
    assert arguments["many"]["x"][0] is token


def test_a_layer_left_unfed_in_a_branch_that_nothing_takes_is_no_mistake():
    space = HyperSpace()
    with space.as_default():
        x = Input({"shape": (4,)})
        kept = Bool(name="kept")
        chain = Dense({"units": 2})(Optional(Dense({"units": 1}), False, kept))
        x = Or([Identity(), chain], Choice([0, 1], name="or"))(x)
        Dense({"units": 3})(x)
    assert space.fix(kept=False).count() == 2
    assert space.fix({"kept": False, "or": 0}).sample(0).signature


# --- identity -------------------------------------------------------------------------

PROGRAM = """
from hypernets.domain.space import Choice, HyperSpace, Identity, Int
space = HyperSpace()
with space.as_default():
    Identity(a=Choice(["x", "y", "z"], name="a"), b=Int(1, 9, name="b"))
print(space.restrict({"a": {"z", "x"}, "b": (2, 4)}).fingerprint)
"""


def test_equal_restrictions_have_one_fingerprint_in_every_process_however_they_are_written():
    found = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = [sys.executable, "-c", PROGRAM]
        found.add(subprocess.check_output(run, env=environment, text=True).strip())
    space = space_of(a=lambda n: Choice(["x", "y", "z"], name=n), b=lambda n: Int(1, 9, name=n))
    found.add(space.exclude(a=["y"]).restrict(b=[4, 2, 3]).fingerprint)
    written = space_of(a=lambda n: Choice(["x", "z"], name=n), b=lambda n: Int(2, 4, name=n))
    assert found == {written.fingerprint}
    assert space.fingerprint not in found


def test_the_fingerprint_of_a_fixed_value_is_that_of_the_value():
    def make(units):
        space = HyperSpace()
        with space.as_default():
            x = Dense({"units": units(), "bias": Bool(name="bias")})
            x(Input({"shape": (4,)}))
        return space

    space = make(lambda: Choice([1, 2], name="a"))
    assert space.fix(a=2).fingerprint == make(lambda: Constant(2)).fingerprint
    assert space.fix(a=1).fingerprint != space.fix(a=2).fingerprint


def test_the_version_of_a_cascade_still_counts():
    def make(version):
        space = HyperSpace()
        with space.as_default():
            target = Choice([1, 2], name="t")
            choose = lambda n: target  # noqa: E731
            choose.version = version
            Identity(x=Cascade(choose, n=Int(1, 10_000, name="n")), y=Choice([1, 2], name="y"))
        return space.fix(y=1).fingerprint

    assert make(1) == make(1) != make(2)


def test_the_name_says_what_was_done():
    space = kinds().restrict(units=[16, 32], depth=(2, 6)).fix(act="relu").exclude(some=["b"])
    assert space.name == (
        "some, units in [16, 32], depth in 2 to 6, act = 'relu', some not in ['b']"
    )
    assert "units in [16, 32], depth" in space.describe().splitlines()[0]
    assert space.refine(space.sample(0)).name.endswith(", within 1 of an architecture")
    assert len(kinds().exclude(act=["tanh"]).restrict(act=["relu", "elu"] * 40).name) < 120


# --- neighbourhoods ---------------------------------------------------------------------


def decided(**changes):
    given = {
        "units": 32,
        "act": "tanh",
        "depth": 6,
        "rate": 0.0,
        "lr": 1e-2,
        "some": ["b", "c"],
        "bias": True,
        "kernel": (3, 3),
    }
    return {**given, **changes}


def test_ordered_decisions_keep_their_neighbours_by_size():
    space = kinds()
    near = space.refine(space.architecture(decided()))
    assert values(near, "units") == [64, 16, 32]  # 16 and 64 are next to 32
    assert values(near, "depth") == [4, 6, 8]
    assert values(near, "rate") == [0.0, 0.1]
    assert values(space.refine(decided(units=16)), "units") == [16, 32]
    assert values(space.refine(decided(), radius=2), "depth") == [2, 4, 6, 8, 10]
    assert fixed(space.refine(decided(), radius=0), "depth") == 6


def test_unordered_decisions_keep_what_is_seen():
    space = kinds()
    near = space.refine(decided())
    assert (fixed(near, "act"), fixed(near, "bias"), fixed(near, "kernel")) == (
        "tanh",
        True,
        (3, 3),
    )
    assert values(near, "some") == [["b"], ["c"], ["b", "c"]]
    both = space.refine([decided(), decided(act="relu", some=["a"], depth=2)])
    assert values(both, "act") == ["relu", "tanh"]
    assert len(values(both, "some")) == 7
    assert values(both, "depth") == [2, 4, 6, 8]
    whole = space.refine(decided(), unordered="all")
    assert values(whole, "act") == ["relu", "tanh", "elu"]


def test_a_continuous_decision_keeps_a_part_of_its_range_on_its_scale():
    space = kinds()

    def bounds(near):
        (lr,) = [d for d in near.decisions if d.name == "lr"]
        return lr.low, lr.high

    low, high = bounds(space.refine(decided(), fraction=1 / 3))  # three decades
    assert (low, high) == pytest.approx((1e-3, 1e-1))
    low, high = bounds(space.refine([decided(lr=1e-4), decided(lr=1e-3)], fraction=1 / 6))
    assert (low, high) == pytest.approx((1e-4, 10**-2.5))
    for number in range(200):
        lr = space.sample(number).decisions["lr"]
        assert fixed(space.refine(decided(lr=lr), fraction=0.0), "lr") == lr
        low, high = bounds(space.refine([decided(lr=lr), decided()], fraction=1e-17))
        assert low <= lr <= high


def test_places_of_an_or_have_no_order():
    near = program().refine(
        {
            "or": 1,
            "opt": False,
            "repeat": 2,
            "step0": 1,
            "step1": 1,
            "order": (0, 1),
            "inputs": [1],
            "how": "fast",
            "fast": 1,
            "size": 8,
        }
    )
    assert fixed(near, "or") == 1
    assert values(near, "repeat") == [2, 3]
    assert values(near, "step2") == [1, 2]  # in none of them: whole
    assert values(near, "size") == [8, 16]
    assert "slow" not in [decision.name for decision in near.decisions]


def test_neighbourhoods_of_a_huge_range_are_not_listed():
    space = space_of(n=lambda n: Int(0, 10**15, name=n))
    near = space.refine({"n": 10**10}, radius=10**9)
    assert near.decisions[0].describe() == f"{9 * 10**9} to {11 * 10**9}"
    assert space.refine([{"n": 5}, {"n": 9}], radius=1).count() == 6
    with pytest.raises(SpaceError, match="received radius=100000 around 2 values; make it smaller"):
        space.refine([{"n": 5}, {"n": 10**10}], radius=100_000)


# --- mistakes -----------------------------------------------------------------------------


def of_another_space():
    other = space_of(a=lambda n: Choice([1, 2], name=n))
    return kinds().refine(other.sample(0))


def ambiguous():
    space = HyperSpace()
    with space.as_default():
        Identity(pair=[Choice([1, 2]), Choice([1, 2])], name="me")
    return space.fix({"me.pair": 1})


MISTAKES = [
    (lambda: kinds().restrict(), "restrict: at least one decision must be named; received none"),
    (lambda: kinds().restrict(["units"]), "restrict: decisions must be a mapping of names; rec"),
    (lambda: kinds().fix(unit=3), "fix: a name must be that of a decision; received 'unit'; did you"
     " mean 'units'?"),
    (lambda: kinds().fix(zzz=3), "received 'zzz'; choose among 'units', 'act', 'depth'"),
    (lambda: kinds().fix(units=16).fix(units=32), "'units', which is fixed to 16; leave it out"),
    (lambda: program().fix(how="fast").fix(slow=0.1), "received 'slow', which nothing decides in"),
    (lambda: kinds().fix({"units": 16}, units=32), "a decision must be given once; received 'uni"),
    (ambiguous, "fix: a label must mean one decision; received 'me.pair', the label of"),
    (lambda: kinds().restrict(units=[16, 65]), "restrict, 'units': a value of .* received 65; ch"),
    (lambda: kinds().fix(units=65), r"fix, 'units': a value of .* one of .*16, 32.; received 65"),
    (lambda: kinds().exclude(depth=[3]), "exclude, 'depth': a value of .* received 3; choose"),
    (lambda: kinds().restrict(units=16), "must be given as a list; received 16; put the values in"),
    (lambda: kinds().restrict(act="relu"), "must be given as a list; received 'relu'; put the"),
    (lambda: kinds().restrict(act=("relu", "tanh")), "must be given as a list; received"),
    (lambda: kinds().restrict(kernel=(3, 3)), r"must be given as a list; received \(3, 3\)"),
    (lambda: kinds().restrict(units=(16, 32, 64)), r"must be two finite numbers, \(low, high\)"),
    (lambda: kinds().restrict(lr=("a", "b")), r"must be two finite numbers, \(low, high\); rece"),
    (lambda: kinds().restrict(lr=(0.1, 0.01)), r"low must be <= high; received \(0.1, 0.01\); s"),
    (lambda: kinds().restrict(units=[]), "restrict, 'units': at least one value must be left; rec"),
    (lambda: kinds().restrict(depth=(3, 3)), "at least one value must be left; .* 2 to 10 in st"),
    (lambda: kinds().restrict(lr=(1, 2)), "at least one value must be left; received a choice of"),
    (lambda: kinds().exclude(bias=[True, False]), "exclude, 'bias': at least one value must be le"),
    (lambda: kinds().exclude(some=["a", "b", "c"]), "exclude, 'some': at least one value must be"),
    (lambda: kinds().exclude(lr=(0.01, 0.1)), "can be left out of a finite decision only; receive"),
    (lambda: kinds().refine(decided(), radius=-1), "refine: radius must be an integer >= 0; recei"),
    (lambda: kinds().refine(decided(), radius=1.5), "refine: radius must be an integer >= 0; rec"),
    (lambda: kinds().refine(decided(), fraction=2), "fraction must be a number from 0 to 1; recei"),
    (lambda: kinds().refine(decided(), unordered="no"), "unordered must be 'seen' or 'all'; recei"),
    (lambda: kinds().refine([]), r"refine: at least one architecture must be given; received \["),
    (lambda: kinds().refine(None), "at least one architecture must be given; received None"),
    (lambda: kinds().refine(decided(units=1)), "refine: an architecture must lie in the space"),
    (lambda: kinds().refine(3), "at least one architecture must be given; received 3"),
    (lambda: kinds().refine([3]), "what is adopted must be an architecture, a trial or a mapping"),
    (of_another_space, "an architecture must be of this space, or of one that was narrowed from"),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "message"), MISTAKES)
def test_a_mistake_is_told_with_what_to_do(mistake, message):
    with pytest.raises(SpaceError, match=message):
        mistake()
