"""Ports served within the calling process: a store in memory, trials in the calling thread."""

from hypernets.application.in_process.inline_executor import InlineExecutor
from hypernets.application.in_process.memory_catalogue import MemoryCatalogue
from hypernets.application.in_process.memory_store import MemoryStore
from hypernets.application.in_process.system_clock import SystemClock

__all__ = ["InlineExecutor", "MemoryCatalogue", "MemoryStore", "SystemClock"]
