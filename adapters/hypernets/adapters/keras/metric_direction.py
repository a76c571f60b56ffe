"""Which way a metric that Keras knows is better."""

import re

from hypernets.domain.history import Direction

__all__ = ["known_direction"]

_LARGER = frozenset(
    [
        "acc",
        "accuracy",
        "auc",
        "binary_accuracy",
        "binary_io_u",
        "categorical_accuracy",
        "cosine_similarity",
        "f1_score",
        "fbeta_score",
        "io_u",
        "mean_io_u",
        "one_hot_io_u",
        "one_hot_mean_io_u",
        "precision",
        "precision_at_recall",
        "r2_score",
        "recall",
        "recall_at_precision",
        "sensitivity_at_specificity",
        "sparse_categorical_accuracy",
        "sparse_top_k_categorical_accuracy",
        "specificity_at_sensitivity",
        "top_k_categorical_accuracy",
        "true_negatives",
        "true_positives",
    ]
)
_SMALLER = frozenset(
    [
        "binary_crossentropy",
        "categorical_crossentropy",
        "categorical_hinge",
        "crossentropy",
        "false_negatives",
        "false_positives",
        "hinge",
        "huber",
        "kl_divergence",
        "log_cosh",
        "loss",
        "mae",
        "mape",
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_error",
        "mean_squared_logarithmic_error",
        "mse",
        "msle",
        "poisson",
        "rmse",
        "root_mean_squared_error",
        "sparse_categorical_crossentropy",
        "squared_hinge",
    ]
)


def known_direction(name: str, outputs: tuple[str, ...] = ()) -> Direction | None:
    """Return which way a metric is better; `None` where that cannot be told from its name.

    Args:
        name: as it is logged: `"accuracy"`, `"auc_1"`, `"digit_accuracy"`.
        outputs: names of the outputs of the model, with which a metric's name may begin.

    Example:
        >>> known_direction("age_mae", ("age", "digit"))
        <Direction.MIN: 'min'>
    """
    for output in outputs:
        if name.startswith(f"{output}_"):
            name = name.removeprefix(f"{output}_")
            break
    bare = re.sub(r"_\d+$", "", name)
    if bare in _LARGER:
        return Direction.MAX
    return Direction.MIN if bare in _SMALLER else None
