"""The laws of the `Estimator` port."""

import json
from typing import Any

from hypernets.application.in_process import InlineExecutor
from hypernets.application.port import Estimator, Job, Measurement, Outcome
from hypernets.domain.history import Report, TrialState
from hypernets.domain.history.json_value import from_json_value, to_json_value
from hypernets.testing.law import Suite

__all__ = ["EstimatorSuite"]


class EstimatorSuite(Suite):
    """What every estimator must do. Subclass it, and say how estimators are made, and of what."""

    def make(self) -> Estimator:
        """Return an estimator."""
        raise NotImplementedError("a suite must say how its estimators are made: define make()")

    def architecture(self) -> Any:
        """Return an architecture that can be measured, quickly; the same one at each call."""
        raise NotImplementedError("a suite must say what is measured: define architecture()")

    def wrong_architecture(self) -> Any:
        """Return one that cannot be built; `None` where there is none."""
        return None

    def test_it_has_the_methods_of_the_port(self) -> None:
        """Every method of the protocol is there."""
        assert isinstance(self.make(), Estimator)

    def test_what_it_measures_is_numbers_by_name(self) -> None:
        """At least one, the reward."""
        objectives = self._measured().objectives
        assert objectives
        assert all(isinstance(name, str) for name in objectives)
        assert all(isinstance(float(value), float) for value in objectives.values())

    def test_the_same_seed_gives_the_same_value(self) -> None:
        """By the same estimator, by another one, and after another seed."""
        estimator = self.make()
        first = self._measured(estimator, seed=7).objectives
        self._measured(estimator, seed=8)
        assert self._measured(estimator, seed=7).objectives == first
        assert self._measured(seed=7).objectives == first

    def test_it_does_not_change_the_architecture(self) -> None:
        """Neither its decisions nor its graph."""
        architecture = self.architecture()
        before = _facts(architecture)
        self._outcome(self.make(), architecture)
        assert _facts(architecture) == before

    def test_details_can_be_kept(self) -> None:
        """As values that JSON carries."""
        details = dict(self._measured().details)
        text = json.dumps(to_json_value(details), allow_nan=False)
        assert from_json_value(json.loads(text)) == details

    def test_reports_come_in_the_order_of_their_steps(self) -> None:
        """From 1 on."""
        steps = [report.step for report in self._outcome(self.make(), self.architecture()).curve]
        assert steps == sorted(set(steps))
        assert all(step >= 1 for step in steps)

    def test_it_ends_where_it_is_told_to_stop(self) -> None:
        """The first report that is answered so is the last."""
        seen: list[Report] = []

        def stop(report: Report) -> bool:
            seen.append(report)
            return True

        outcome = self._outcome(self.make(), self.architecture(), report=stop)
        assert len(seen) <= 1
        assert outcome.measurement is not None

    def test_what_cannot_be_built_is_a_failed_trial_and_the_next_one_is_measured(self) -> None:
        """Where `wrong_architecture` gives one."""
        wrong, estimator = self.wrong_architecture(), self.make()
        if wrong is not None:
            outcome = self._outcome(estimator, wrong)
            assert outcome.failure is not None, "an architecture that is wrong was measured"
        assert self._measured(estimator).objectives == self._measured().objectives

    def _measured(self, estimator: Estimator | None = None, seed: int = 7) -> Measurement:
        outcome = self._outcome(estimator or self.make(), self.architecture(), seed)
        assert outcome.state is TrialState.COMPLETED, f"it must be measured; received {outcome}"
        assert outcome.measurement is not None
        return outcome.measurement

    def _outcome(
        self, estimator: Estimator, architecture: Any, seed: int = 7, report: Any = None
    ) -> Outcome:
        executor = InlineExecutor()
        executor.submit(Job(1, architecture, estimator, seed), report or (lambda report: False))
        (outcome,) = executor.completed()
        return outcome


def _facts(architecture: Any) -> str:
    """Return what can be seen of an architecture."""
    to_json = getattr(architecture, "to_json", None)
    return f"{to_json() if to_json else architecture!r} {list(getattr(architecture, 'graph', ()))}"
