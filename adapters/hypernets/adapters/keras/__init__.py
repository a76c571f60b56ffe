"""Everything that touches Keras; its parts are imported when they are first used.

Authoring a space (`layers`, `custom_layer`) needs no Keras, so nothing here may import it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypernets.adapters.keras.model_builder import build_model as build_model
    from hypernets.adapters.keras.model_builder import release as release

__all__ = ["build_model", "release"]


def __getattr__(name: str) -> Any:
    """Return a part that needs Keras, which is imported now."""
    if name in __all__:
        from hypernets.adapters.keras import model_builder

        return getattr(model_builder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
