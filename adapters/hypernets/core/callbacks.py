"""Published names of the callbacks."""

from hypernets.adapters.callback import Callback, ProgressCallback, SummaryCallback

__all__ = ["Callback", "ProgressCallback", "SummaryCallback"]
