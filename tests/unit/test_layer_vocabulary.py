"""The Keras vocabulary, authored without Keras."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from hypernets.adapters.keras import layers as vocabulary
from hypernets.adapters.keras.layer_vocabulary import KerasLayer
from hypernets.domain.error import SpaceError
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice, Int
from hypernets.frameworks.keras import layers as published
from hypernets.frameworks.keras.layers import (
    GRU,
    RNN,
    Add,
    AveragePooling2D,
    AvgPool2D,
    Bidirectional,
    Conv2D,
    Dense,
    Function,
    GRUCell,
    Input,
    LSTMCell,
    StackedRNNCells,
    custom,
)


@pytest.fixture
def space():
    space = HyperSpace()
    with space.as_default():
        yield space


def layer_classes():
    classes = {getattr(vocabulary, name) for name in vocabulary.__all__}
    return sorted(classes, key=lambda layer: layer.__name__)


def test_authoring_loads_neither_keras_nor_its_backend_nor_h5py():
    program = """
import sys
from hypernets.domain.space.hyper_space import HyperSpace
from hypernets.domain.space.hyperparameter import Choice
from hypernets.frameworks.keras.layers import *

with HyperSpace().as_default():
    Dense(Choice([8, 16]))(Input(shape=10))
    Bidirectional(LSTM(8))
    Function(lambda x: x)
    custom("package>Layer")()
print(sorted({"keras", "tensorflow", "h5py", "tf_keras"} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_a_type_checker_sees_the_signatures(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from hypernets.domain.space.hyperparameter import Choice\n"
        "from hypernets.frameworks.keras.layers import LSTM, Bidirectional, Dense\n"
        "Bidirectional(LSTM(Choice([8, 16]), activation='relu'))\n"
        "Dense(unit=3)\n"
        "Dense([3])\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(program)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    errors = [line.partition("program.py:")[2] for line in done.stdout.splitlines()]
    assert [error.partition(":")[0] for error in errors if ": error: " in error] == ["4", "5"]
    assert 'did you mean "units"?' in done.stdout


def test_only_the_arguments_that_were_given_are_kept(space):
    assert Dense(8).arguments == {"units": 8}
    assert Dense(8, "relu", use_bias=False).arguments == {
        "units": 8,
        "activation": "relu",
        "use_bias": False,
    }
    assert Conv2D(4, 3, activation=None).arguments == {"filters": 4, "kernel_size": 3}


def test_the_name_and_the_space_are_the_modules_own():
    space = HyperSpace()
    dense = Dense(8, name="head", space=space)
    assert (dense.name, dense.space, dense.arguments) == ("head", space, {"units": 8})


def test_any_argument_may_be_a_hyperparameter(space):
    units, size = Int(8, 16), Choice([1, 3])
    assert Dense(units).arguments["units"] is units
    assert Conv2D(4, (size, 3)).arguments["kernel_size"] == (size, 3)


def test_an_integer_or_a_list_as_the_shape_of_an_input_is_a_tuple(space):
    assert Input(shape=10).arguments == {"shape": (10,)}
    assert Input(10).arguments == {"shape": (10,)}
    assert Input(shape=[28, 28, 1], name="0_input").arguments == {"shape": (28, 28, 1)}


def test_an_input_is_fed_by_nothing(space):
    with pytest.raises(SpaceError, match="'Module_Input_1': an Input must not be fed"):
        Input(shape=10)(Dense(3))


@pytest.mark.parametrize(
    ("author", "message"),
    [
        (lambda: Dense(unit=3), r"Dense has no argument 'unit'; did you mean 'units'\?"),
        (lambda: Dense(3, activations="relu"), "did you mean 'activation'.*activations='relu'"),
        (lambda: Dense(3, zzz=1), r"Dense has no argument 'zzz'; received zzz=1; it takes units,"),
        (lambda: Dense(), "Dense must get the argument 'units'; received none; it takes units,"),
        (lambda: Conv2D(), "must get the argument 'filters' and 'kernel_size'"),
        (lambda: Dense(3, units=4), "must get 'units' once; received it by position and as a key"),
        (lambda: Add(3), "Add must get at most 0 arguments by position; received 1: 3"),
        (lambda: Conv2D(4, 3, paddin="same"), "did you mean 'padding'"),
        (lambda: Bidirectional(layr=GRU(8)), "did you mean 'layer'"),
        (lambda: Dense(3, name="a/b"), "name of a layer must not contain '/'.*received 'a/b'"),
        (lambda: Function("relu"), "function must be callable; received 'relu' of type str"),
    ],
)
def test_arguments_that_do_not_fit_are_an_error_that_names_the_right_ones(space, author, message):
    with pytest.raises(SpaceError, match=message):
        author()


def test_an_error_at_authoring_leaves_nothing_behind_in_the_space(space):
    with pytest.raises(SpaceError):
        Dense(unit=3)
    assert space.modules == []


def test_wrappers_take_layers_as_arguments(space):
    inner = GRU(8)
    assert Bidirectional(inner).arguments["layer"] is inner
    cells = [LSTMCell(8), GRUCell(4)]
    assert RNN(cells).arguments["cell"] == cells
    assert StackedRNNCells([LSTMCell(8)]).used_as_argument is False
    assert all(module.used_as_argument for module in (inner, *cells))


def test_a_wrapped_layer_must_not_be_connected(space):
    with pytest.raises(SpaceError, match="a layer used as an argument must not be connected"):
        Bidirectional(GRU(8)(Input(shape=(3, 2))))


def test_every_layer_takes_its_arguments_a_name_and_a_space():
    for layer in layer_classes():
        parameters = inspect.signature(layer).parameters
        assert {"name", "space"} <= parameters.keys(), layer
        kinds = {parameter.kind for parameter in parameters.values()}
        assert kinds <= {
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        }, layer


def test_every_layer_is_called_as_keras_calls_it_and_knows_who_infers_its_shape():
    for layer in layer_classes():
        assert layer.layer == layer.__name__
        assert layer.oracle is KerasLayer.oracle
        assert layer.is_input == (layer is Input)


def test_more_than_130_layers_are_offered_and_aliases_are_the_same_class():
    assert len(layer_classes()) > 130
    assert AvgPool2D is AveragePooling2D


def test_the_published_module_exports_the_vocabulary_and_the_users_own():
    assert set(published.__all__) == {*vocabulary.__all__, "Function", "custom"}
    assert all(hasattr(published, name) for name in published.__all__)


def test_a_class_derived_from_a_layer_stands_for_the_same_layer(space):
    class Relu(Dense):
        def __init__(self, units):
            super().__init__(units, activation="relu")

    module = Relu(units=4)
    assert (module.layer, module.arguments) == ("Dense", {"units": 4, "activation": "relu"})
    with pytest.raises(SpaceError, match="Relu has no argument 'unit'; did you mean 'units'"):
        Relu(unit=4)


def test_a_type_error_of_another_kind_is_not_hidden(space):
    class Broken(Dense):
        def __init__(self, units):
            raise TypeError("of another kind")

    with pytest.raises(TypeError, match="of another kind"):
        Broken(3)


def test_a_registered_layer_is_named_before_keras_is_there(space):
    module = custom("package>Swish")(beta=2.0, name="swish")
    assert (module.layer, module.factory, module.name) == ("package>Swish", None, "swish")
    assert module.arguments == {"beta": 2.0}
    with pytest.raises(SpaceError, match="at most 0 arguments by position; received 1"):
        custom("package>Swish")(2.0)


@pytest.mark.parametrize("layer", [3, dict, "not a name", "package>"])
def test_custom_takes_a_layer_class_or_a_registered_name(layer):
    with pytest.raises(SpaceError, match="custom"):
        custom(layer)


def test_a_function_keeps_its_further_arguments(space):
    def scale(x, by):
        return x * by

    by = Choice([1.0, 2.0])
    module = Function(scale, arguments={"by": by})
    assert module.arguments == {"function": scale, "arguments": {"by": by}}
    assert module.layer == "Function"
    assert callable(module.factory)
