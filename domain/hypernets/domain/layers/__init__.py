"""What the layers that people search over compute: shapes, weights, multiply-adds, traits."""

from hypernets.domain.layers.inference import count_weights, infer_shape
from hypernets.domain.layers.oracle import ShapeOracle
from hypernets.domain.layers.registry import rule_for, ruled_layers
from hypernets.domain.layers.rule import LayerRule, OutsideRuleError, ShapeError, Weights

__all__ = [
    "LayerRule",
    "OutsideRuleError",
    "ShapeError",
    "ShapeOracle",
    "Weights",
    "count_weights",
    "infer_shape",
    "rule_for",
    "ruled_layers",
]
