"""Codecs: architectures and networks as text and as arrays."""

from hypernets.domain.architecture.codec.document import from_json, to_json
from hypernets.domain.architecture.codec.matrix import MatrixCodec
from hypernets.domain.architecture.codec.one_hot import OneHotCodec
from hypernets.domain.architecture.codec.operation_name import operation_name, operations_in
from hypernets.domain.architecture.codec.path import HashedPathCodec, PathCodec, paths_of
from hypernets.domain.architecture.codec.vector import VectorCodec

__all__ = [
    "HashedPathCodec",
    "MatrixCodec",
    "OneHotCodec",
    "PathCodec",
    "VectorCodec",
    "from_json",
    "operation_name",
    "operations_in",
    "paths_of",
    "to_json",
]
