"""The description of a space."""

import pytest

from hypernets.adapters.keras.layers import (
    LSTM,
    Activation,
    Add,
    Bidirectional,
    Dense,
    Dropout,
    Input,
)
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import (
    Bool,
    Cascade,
    Choice,
    Constant,
    Dynamic,
    MultipleChoice,
    Real,
)
from hypernets.domain.space.operation import (
    InputChoice,
    Optional,
    Or,
    Permutation,
    Repeat,
    Sequential,
)
from hypernets.frameworks.keras.cnn_search_space import cnn_search_space
from hypernets.frameworks.keras.dnn_search_space import dnn_search_space
from hypernets.frameworks.keras.enas_micro import enas_micro_search_space


def described(author):
    """Return the lines of the description of the space that a function authors."""
    space = HyperSpace()
    with space.as_default():
        author(Input(shape=(4,), name="in"))
    return space.describe().splitlines()


def test_a_description_shows_decisions_modules_and_the_exact_count():
    def author(x):
        x = Dense(Choice([8, 16, 32], name="units"), name="hidden")(x)
        dropout = Dropout(Choice([0.1, 0.5], name="rate"), name="dropout")
        x = Optional(dropout, keep_link=True, hp_opt=Bool(name="kept"), name="maybe")(x)
        Dense(1, name="out")(x)

    assert described(author) == [
        "space 'space'",
        "",
        "decisions",
        "  units  [8, 16, 32]    3 values  for hidden.units",
        "  kept   [False, True]  2 values  for maybe.hp_opt",
        "  rate   [0.1, 0.5]     2 values  for dropout.rate",
        "",
        "modules",
        "  Input in(shape=(4,))",
        "  Dense hidden(units=units) <- in",
        "  Optional maybe(hp_opt=kept, keep_link=True) <- hidden",
        "    if kept is True: Dropout dropout(rate=rate)",
        "  Dense out(units=1) <- maybe",
        "",
        "9 architectures",
    ]


def test_alternatives_tell_the_values_that_choose_them():
    def author(x):
        two = [Dense(2, name="a"), Sequential([Dense(3, name="b"), Dense(4, name="c")], name="s")]
        Or(two, hp_or=Choice([0, 1], name="which"), name="or")(x)

    lines = described(author)
    assert "    alternative 0, if which is 0: Dense a(units=2)" in lines
    start = lines.index("    alternative 1, if which is 1: Sequential s")
    assert lines[start + 1 : start + 3] == ["      Dense b(units=3)", "      Dense c(units=4)"]


def test_steps_tell_from_which_number_on_they_are_there_and_what_they_are_built_like():
    def author(x):
        steps = Choice([1, 3, 4], name="steps")
        Repeat(lambda i: Dense(3), [1, 3, 4], hp_repeat_num=steps, name="tower")(x)

    lines = described(author)
    start = lines.index("    step 1: Dense Module_Dense_1(units=3)")
    assert lines[start + 1 : start + 4] == [
        "    step 2, if steps is 3 or 4: built like step 1",
        "    step 3, if steps is 3 or 4: built like step 1",
        "    step 4, if steps is 4: built like step 1",
    ]


def test_steps_with_choices_of_their_own_are_written_out():
    def author(x):
        Repeat(lambda i: Dense(Choice([1, 2], name=f"units{i}")), [2], name="tower")(x)

    lines = described(author)
    assert "    step 1: Dense Module_Dense_1(units=units0)" in lines
    assert "    step 2: Dense Module_Dense_2(units=units1)" in lines


def test_parts_of_a_permutation_are_numbered_as_its_orders_are():
    def author(x):
        Permutation([Activation("relu", name="a"), Dropout(0.5, name="b")], name="order")(x)

    lines = described(author)
    assert "    part 0: Activation a(activation='relu')" in lines
    assert "    part 1: Dropout b(rate=0.5)" in lines


def test_what_is_given_and_what_is_never_chosen_is_said():
    def author(x):
        x = Or([Dense(2, name="a"), Dense(3, name="b")], hp_or=1)(x)
        Optional(Dense(4, name="c"), keep_link=True, hp_opt=Constant(False))(x)

    lines = described(author)
    assert "    alternative 0, never: Dense a(units=2)" in lines
    assert "    alternative 1: Dense b(units=3)" in lines
    assert "    never: Dense c(units=4)" in lines
    assert "  none" in lines
    assert lines[-1] == "1 architecture"


def test_a_selector_that_follows_from_others_is_named():
    def author(x):
        base = Choice([0, 1], name="base")
        which = Dynamic(lambda base: 1 - base, base=base)
        Or([Dense(2, name="a"), Dense(3, name="b")], hp_or=which)(x)

    assert "    alternative 0, if Dynamic(base=base) is 0: Dense a(units=2)" in described(author)


def test_arguments_are_written_with_their_hyperparameters_however_deep():
    def author(x):
        units, many = Choice([1, 2], name="units"), Choice([3, 4], name="many")
        sequence = Input(shape=(5, 2), name="sequence")
        lstm = Bidirectional(LSTM(units), name="both")(sequence)
        chosen = Cascade(lambda units: many, units=units)
        dense = Dense(chosen, name="dense", activation=len)(x)
        InputChoice([lstm, dense], 1, hp_choice=MultipleChoice([0, 1], 1, name="pick"), name="ic")(
            [lstm, dense]
        )

    lines = described(author)
    assert "  Bidirectional both(layer=LSTM(units=units)) <- sequence" in lines
    assert "  Dense dense(units=Cascade(units=units), activation=len) <- in" in lines
    assert "  InputChoice ic(hp_choice=pick) <- both, dense" in lines


def test_a_shared_layer_tells_whose_weights_it_uses():
    def author(x):
        dense = Dense(4, name="dense")(x)
        dense.share("again")(dense)

    assert "  Dense again(units=4) with the weights of dense <- dense" in described(author)


def test_the_training_is_described_too():
    space = HyperSpace("tuned")
    with space.as_default():
        space.set_training(batch_size=Choice([16, 32], name="batch"), epochs=3)
    assert space.describe().splitlines() == [
        "space 'tuned'",
        "",
        "decisions",
        "  batch  [16, 32]  2 values  for batch_size",
        "",
        "modules",
        "",
        "training",
        "  batch_size = batch",
        "  epochs = 3",
        "",
        "2 architectures",
    ]


def test_a_continuous_space_is_said_to_be_infinite_and_by_what():
    lines = described(lambda x: Dropout(Real(0.1, 0.5, name="rate"))(x))
    assert lines[-1] == "infinitely many architectures, by rate"
    assert any("rate  0.1 to 0.5  continuous" in line for line in lines)


def test_a_space_too_entangled_to_be_counted_says_so(monkeypatch):
    space = HyperSpace()
    with space.as_default():
        Dense(Choice([1, 2]))(Input(shape=(4,)))

    def refuse(self):
        raise SpaceError("the structure is too entangled")

    monkeypatch.setattr(HyperSpace, "count", refuse)
    assert space.describe().endswith(
        "number of architectures not known: the structure is too entangled\n"
    )


def test_a_wrong_definition_is_refused():
    space = HyperSpace()
    with pytest.raises(SpaceError, match="at least one module"):
        space.describe()


@pytest.mark.parametrize(
    ("space", "count", "most"),
    [
        (dnn_search_space(10, 3, "softmax"), "3,888", 30),
        (cnn_search_space((28, 28, 1), 10), "11,616", 100),
        (enas_micro_search_space("NR"), "31,640,625,000,000,000,000", 500),
    ],
    ids=["dnn", "cnn", "enas"],
)
def test_every_module_or_what_it_is_built_like_stands_in_the_description(space, count, most):
    text = space.describe()
    lines = text.splitlines()
    assert lines[-1] == f"{count} architectures"
    assert len(lines) <= most
    if "built like" not in text:
        assert all(f" {module.name}" in text for module in space.modules)
    assert all(f"\n  {decision.name}  " in text for decision in space.decisions)


def test_describing_changes_nothing():
    space = dnn_search_space(10, 3, "softmax")
    before = space.sample(3).decisions
    assert space.describe() == space.describe()
    assert space.sample(3).decisions == before


def test_several_inputs_of_a_merge_are_told_in_order():
    def author(x):
        a, b = Dense(4, name="a")(x), Dense(4, name="b")(x)
        Add(name="sum")([b, a])

    assert "  Add sum <- b, a" in described(author)


def test_values_that_are_long_to_write_are_cut_off():
    def author(x):
        orders = [tuple(range(k, k + 9)) for k in range(9)]
        Dropout(0.5, name="a", noise_shape=Choice(orders, name="shape"))(x)

    row = next(line for line in described(author) if line.startswith("  shape"))
    assert row.endswith(" \u2026]  9 values  for a.noise_shape")
    assert len(row) < 140
