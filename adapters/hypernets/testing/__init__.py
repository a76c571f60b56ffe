"""Suites of laws for adapters of your own, one for each port.

A suite is a class; subclass it and say how your adapter is made:

    class TestMyStore(DurableStoreSuite):
        def open(self, folder):
            return MyStore(folder)

pytest runs such a class as it stands, `unittest` where it derives from `TestCase` too, and
`broken_laws(TestMyStore)` without either. Only the standard library and what the engine needs is
used; no framework is loaded.
"""

from hypernets.testing.awkward_space import AWKWARD_SPACES
from hypernets.testing.callback import CallbackSuite
from hypernets.testing.checkpoint import CheckpointsSuite
from hypernets.testing.clock import ClockSuite, JumpingClock
from hypernets.testing.durable_store import DurableStoreSuite
from hypernets.testing.estimator import EstimatorSuite
from hypernets.testing.example import finite_space, infinite_space
from hypernets.testing.executor import ExecutorSuite, IsolatingExecutorSuite
from hypernets.testing.history_store import HistoryStoreSuite
from hypernets.testing.law import Suite, broken_laws, laws
from hypernets.testing.searcher import SearcherSuite
from hypernets.testing.store_catalogue import StoreCatalogueSuite

__all__ = [
    "AWKWARD_SPACES",
    "CallbackSuite",
    "CheckpointsSuite",
    "ClockSuite",
    "DurableStoreSuite",
    "EstimatorSuite",
    "ExecutorSuite",
    "HistoryStoreSuite",
    "IsolatingExecutorSuite",
    "JumpingClock",
    "SearcherSuite",
    "StoreCatalogueSuite",
    "Suite",
    "broken_laws",
    "finite_space",
    "infinite_space",
    "laws",
]
