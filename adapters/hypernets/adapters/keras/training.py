"""The arguments of `compile` and `fit`: those of the search, and those that the space decides."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs

from hypernets.adapters.keras.presence import loaded_keras
from hypernets.domain.error import BuildError, SearchError

__all__ = ["COMPILE_ARGUMENTS", "FIT_ARGUMENTS", "TrainingCall", "TrainingPlan"]

COMPILE_ARGUMENTS = (
    "optimizer",
    "loss",
    "loss_weights",
    "metrics",
    "weighted_metrics",
    "run_eagerly",
    "steps_per_execution",
    "jit_compile",
    "auto_scale_loss",
)
FIT_ARGUMENTS = (
    "batch_size",
    "epochs",
    "verbose",
    "shuffle",
    "class_weight",
    "initial_epoch",
    "steps_per_epoch",
    "validation_steps",
    "validation_batch_size",
    "validation_freq",
)
_KNOWN = (*COMPILE_ARGUMENTS, *FIT_ARGUMENTS, "learning_rate")
_DATA_ARGUMENTS = ("sample_weight", "validation_data", "validation_split", "callbacks")
_NAMED_OBJECTS = {"loss": "losses", "metrics": "metrics", "weighted_metrics": "metrics"}


@attrs.frozen(eq=False)
class TrainingCall:
    """The arguments of one training, ready for Keras and used by one model only."""

    compile: dict[str, Any]
    fit: dict[str, Any]

    @property
    def evaluate(self) -> dict[str, Any]:
        """What `evaluate` takes of them."""
        fit = self.fit
        given = {
            "verbose": fit.get("verbose"),
            "steps": fit.get("validation_steps"),
            "batch_size": fit.get("validation_batch_size") or fit.get("batch_size"),
        }
        return {name: value for name, value in given.items() if value is not None}


@attrs.frozen(eq=False)
class TrainingPlan:
    """How every architecture of a search is trained.

    Attributes:
        arguments: of `compile` and `fit`, and `learning_rate`; the same in every trial.
        callbacks: Keras callbacks, copied for each trial.
    """

    arguments: Mapping[str, Any]
    callbacks: tuple[Any, ...] = ()

    def require_good(self, searched: Collection[str] = ()) -> None:
        """Refuse arguments that Keras does not know, or that are given twice.

        Names of optimizers, losses and metrics are looked up where Keras has been imported.

        Args:
            searched: keywords that the space decides.

        Raises:
            SearchError: the message names the nearest right one.
        """
        _require_known(self.arguments, "search")
        _require_known(searched, "space.set_training")
        twice = [name for name in self.arguments if name in searched]
        if twice:
            raise SearchError(
                f"{twice[0]} must be given once; received {self.arguments[twice[0]]!r} from "
                "HyperKeras or search, and another from space.set_training; leave one out"
            )
        for keyword in ("optimizer", "loss", "metrics", "weighted_metrics"):
            _require_names(keyword, self.arguments.get(keyword))
        weights = self.arguments.get("class_weight")
        if weights is not None and not isinstance(weights, Mapping):
            raise SearchError(
                "class_weight must map each class to its weight; received "
                f"{weights!r}; write class_weight={{0: 1.0, 1: 3.0}}, say"
            )
        if self.callbacks:
            self.keras_callbacks()

    def call(
        self,
        training: Mapping[str, Any],
        fidelity: Mapping[str, float] | None = None,
    ) -> TrainingCall:
        """Return the arguments for one trial, every live object copied.

        Args:
            training: the decided arguments of the space.
            fidelity: budget; `{"epochs": 3}` overrides the number of epochs.

        Raises:
            BuildError: an argument is none that Keras takes.
        """
        from hypernets.adapters.keras.cloning import clone, clone_optimizer

        merged = {**self.arguments, **training}
        for keyword, value in (fidelity or {}).items():
            if keyword == "epochs":
                merged["epochs"] = max(1, int(value))
        compiled = {name: merged[name] for name in COMPILE_ARGUMENTS if name in merged}
        fitted = {name: merged[name] for name in FIT_ARGUMENTS if name in merged}
        rate = merged.get("learning_rate")
        try:
            compiled["optimizer"] = clone_optimizer(compiled.get("optimizer") or "adam", rate)
            for keyword, kind in _NAMED_OBJECTS.items():
                if compiled.get(keyword) is not None:
                    compiled[keyword] = clone(compiled[keyword], kind)
        except (SearchError, TypeError, ValueError) as error:
            raise BuildError(
                "the training must be given arguments that Keras takes; received optimizer="
                f"{merged.get('optimizer')!r}, learning_rate={rate!r}, "
                f"loss={merged.get('loss')!r}; change them as its reason says: {error}"
            ) from error
        return TrainingCall(compiled, fitted)

    def keras_callbacks(self) -> list[Any]:
        """Return copies of the Keras callbacks, for one trial."""
        from hypernets.adapters.keras.cloning import clone_callbacks

        return clone_callbacks(self.callbacks)


def _require_known(keywords: Iterable[str], where: str) -> None:
    for keyword in keywords:
        if keyword in _KNOWN:
            continue
        if keyword in _DATA_ARGUMENTS:
            raise SearchError(
                f"{where}: an argument must be one of compile or fit that can be searched; "
                f"received {keyword!r}, which goes with the data; pass it to search"
            )
        near = difflib.get_close_matches(str(keyword), _KNOWN, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_KNOWN)}"
        raise SearchError(
            f"{where}: an argument must be one of Keras's compile or fit, or learning_rate; "
            f"received {keyword!r}; {hint}"
        )


def _require_names(keyword: str, value: Any) -> None:
    """Refuse a name that Keras does not know, where Keras is there to be asked."""
    keras = loaded_keras()
    if keras is None:
        return
    if isinstance(value, dict) and "class_name" not in value:
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            _require_names(keyword, item)
        return
    if not isinstance(value, str):
        return
    kind = _NAMED_OBJECTS.get(keyword, "optimizers")
    if kind == "metrics" and value.lower() in {"accuracy", "acc", "crossentropy", "ce"}:
        return
    namespace = getattr(keras, kind)
    try:
        namespace.get(value)
    except ValueError:
        names = [name for name in dir(namespace) if not name.startswith("_")]
        near = difflib.get_close_matches(value, [*names, "accuracy"], n=1)
        if not near:
            near = difflib.get_close_matches(value.title(), names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"see keras.{kind} for those it knows"
        raise SearchError(
            f"{keyword} must be a name that Keras knows, or an object; received {value!r}; {hint}"
        ) from None
