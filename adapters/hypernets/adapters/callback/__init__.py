"""Callbacks that show a search to people."""

from hypernets.adapters.callback.callback import Callback
from hypernets.adapters.callback.progress import ProgressCallback
from hypernets.adapters.callback.summary import SummaryCallback

__all__ = ["Callback", "ProgressCallback", "SummaryCallback"]
