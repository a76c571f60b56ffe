"""The course of a search: what is asked, begun and taken in, step by step."""

from collections import deque
from collections.abc import Iterable

from hypernets.application.in_process.attempt import failure_of, state_of
from hypernets.application.log import EventLog
from hypernets.application.loop.announcer import Announcer
from hypernets.application.loop.artifact import Artifacts
from hypernets.application.loop.budget import Budget, EndReason
from hypernets.application.loop.candidate import Asked, Begun, Candidate, identify
from hypernets.application.loop.identity import SearchSeed
from hypernets.application.loop.proposal_queue import ProposalQueue
from hypernets.application.loop.recorder import Recorder
from hypernets.application.loop.verdict import Pending
from hypernets.application.port import (
    Clock,
    Estimator,
    Executor,
    Job,
    Outcome,
    ReportHandler,
    Searcher,
    Ticket,
)
from hypernets.domain.error import SearchExhausted
from hypernets.domain.history import Trial
from hypernets.domain.searchers.randomness import seed_for

__all__ = ["Course", "Ended"]

Ended = tuple[Begun, Outcome, float]
"""A trial that has ended, what came of it, and when."""

_HEARTBEAT_S = 1.0  # how long a wish to end now may have to wait, where the executor allows

log = EventLog(__name__)


class Course:
    """Asks, begins and takes in the trials of a search, as results come.

    Args:
        estimator: what measures.
        estimator_name: by which its trials are known.
        seed: what the seeds of the trials derive from.
        n_workers: how many trials may run at a time.
        clock: what tells the time.
        recorder: makes trials durable, known and announced.
        artifacts: where trials keep how far they have come.
        announcer: tells the callbacks.

    Attributes:
        n_workers: how many trials may run at a time.
        running: the trials that run.
        proposals: those that have not begun.
    """

    def __init__(
        self,
        estimator: Estimator,
        estimator_name: str,
        seed: SearchSeed,
        n_workers: int,
        clock: Clock,
        recorder: Recorder,
        artifacts: Artifacts,
        announcer: Announcer,
    ) -> None:
        self.n_workers = n_workers
        self.running: dict[Ticket, Begun] = {}
        self.proposals = ProposalQueue(recorder.searcher)
        self._history = recorder.history
        self._estimator = estimator
        self._estimator_name = estimator_name
        self._seed = seed
        self._clock = clock
        self._recorder = recorder
        self._artifacts = artifacts
        self._announcer = announcer
        self._ended: deque[Ended] = deque()  # not recorded yet
        self._n_known = 0  # proposals in a row that were known already
        self._budget = Budget()
        self._begun_s = 0.0
        self._stopping: EndReason | None = None
        self._at_once = False
        self._executor: Executor | None = None

    def restore(self, searcher: Searcher, unfinished: Iterable[Asked]) -> None:
        """Go on with a searcher that has been brought to where the history ends.

        Args:
            searcher: which was asked and told.
            unfinished: the proposals that never ended.
        """
        self._recorder.searcher = searcher
        self.proposals = ProposalQueue(searcher, unfinished, self._history.next_number - 1)

    def begin(self, budget: Budget, executor: Executor) -> None:
        """Begin a run.

        Args:
            budget: what it may use up.
            executor: what runs its trials.
        """
        self._budget, self._executor = budget, executor
        self._begun_s = self._clock.now()
        self._n_known = 0
        self._stopping, self._at_once = None, False
        self._announcer.stop_requested = False

    def run(self) -> EndReason:
        """Begin trials and take them in until no more may begin, and none runs; return why."""
        while True:
            reason = self.fill()
            if self._at_once and self._stopping is not None:
                return self._stopping
            if reason is not None and not self.running:
                return reason
            self.collect(_HEARTBEAT_S)

    def stop(self, reason: EndReason, *, now: bool = False) -> None:
        """Leave a note that the run is to end; may come from any thread and a signal handler.

        Args:
            reason: what it is to end with.
            now: whether to give up what runs.
        """
        if reason is EndReason.INTERRUPTED or self._stopping is None:
            self._stopping = reason
        self._at_once = self._at_once or now

    def fill(self) -> EndReason | None:
        """Begin trials until every worker has one; return why no more may begin, if so."""
        self._record_ended()
        while len(self.running) < self.n_workers:
            reason = self._reason_of_stop() or self._reason_of_budget()
            if reason is not None:
                return reason
            try:
                asked = self.proposals.first(len(self._history))
            except SearchExhausted:
                return EndReason.EXHAUSTED
            candidate = identify(asked, self._estimator_name)
            key = candidate.key
            if any(key == running.candidate.key for running in self.running.values()):
                return None  # about to be known: it waits for that
            earlier = self._recorder.answer(candidate)
            if earlier is None:
                self._n_known = 0
                self._begin(candidate)
            else:
                self._n_known += self._recorder.is_own(earlier)
                self.proposals.remove(asked)
                self._settle(candidate, earlier)
        return None

    def collect(self, timeout_s: float | None = 0.0) -> None:
        """Take in what has ended; wait for at least one so long, where the executor can."""
        assert self._executor is not None
        for outcome in self._executor.completed(timeout_s):
            self._end(self.running.pop(outcome.ticket), outcome)
            self._record_ended()
        self._record_ended()  # what an earlier call could not record

    def give_up(self) -> None:
        """Cancel what still runs; it is next in the next run."""
        for ticket in self.running:
            assert self._executor is not None
            self._executor.cancel(ticket)
        self.proposals.give_back(begun.candidate.asked for begun in self.running.values())
        self.running.clear()

    # --- whether more may begin ---------------------------------------------------

    def _reason_of_stop(self) -> EndReason | None:
        if self._stopping is not None:
            return self._stopping
        return EndReason.STOPPED if self._announcer.stop_requested else None

    def _reason_of_budget(self) -> EndReason | None:
        return self._budget.spent(
            self._history,
            n_running=self._n_under_way(),
            n_known=self._n_known,
            elapsed_s=self._elapsed_s(),
        )

    def _n_under_way(self) -> int:
        return len(self.running)

    def _elapsed_s(self) -> float:
        return self._clock.now() - self._begun_s

    # --- one proposal -------------------------------------------------------------

    def _settle(self, candidate: Candidate, earlier: Trial) -> None:
        """Deal with a proposal that an earlier trial answers, as the searcher wishes."""
        asked = candidate.asked
        # One behind which others wait is answered all the same: asked for anew, it would come
        # after them, and numbers would not be in the order of asks any more.
        anew = asked.proposal.if_known == "propose_anew" and self._recorder.is_own(earlier)
        if anew and not self.proposals:
            self.proposals.drop(asked)
        else:
            try:
                self._recorder.record_answer(candidate, earlier, self._pending())
            except BaseException:
                self._give_back_unless_recorded(asked)
                raise

    def _begin(self, candidate: Candidate) -> None:
        asked = candidate.asked
        architecture = asked.proposal.architecture
        seed = seed_for(self._seed.value, asked.number, "trial")
        begun_s = self._clock.now()
        log.debug("trial began", number=asked.number, seed=seed)
        self._announcer.trial_begin(asked.number, architecture)
        if candidate.error is not None:
            error = candidate.error
            self.proposals.remove(asked)
            outcome = Outcome(None, state_of(error), failure=failure_of(error))
            self._end(Begun(candidate, None, seed, begun_s), outcome)
            self._record_ended()
            return
        job = Job(
            asked.number,
            architecture,
            self._estimator,
            seed,
            asked.proposal.fidelity,
            self._artifacts.checkpoint_of(asked.number),
        )
        assert self._executor is not None
        ticket = self._executor.submit(job, self._report_handler(asked.number))
        self.proposals.remove(asked)
        self.running[ticket] = Begun(candidate, ticket, seed, begun_s)

    def _report_handler(self, number: int) -> ReportHandler:
        return lambda report: self._announcer.trial_report(number, report)

    def _end(self, begun: Begun, outcome: Outcome) -> None:
        """Take in what came of a trial, to be recorded."""
        self._ended.append((begun, outcome, self._clock.now()))

    def _record_ended(self) -> None:
        """Record what has ended. Where that cannot be done, the next run tries it again."""
        while self._ended:
            begun, outcome, ended_s = self._ended[0]
            try:
                self._recorder.conclude(begun, outcome, ended_s, self._pending())
            finally:
                if self._recorder.is_recorded(begun.candidate.asked.number):
                    self._ended.popleft()

    def _give_back_unless_recorded(self, asked: Asked) -> None:
        if not self._recorder.is_recorded(asked.number):
            self.proposals.give_back([asked])

    def _pending(self) -> Pending:
        """Return the proposals that have not ended, but for the one that is being recorded."""
        begun = [*self.running.values(), *(begun for begun, _, _ in list(self._ended)[1:])]
        asked = [*(each.candidate.asked for each in begun), *self.proposals]
        return tuple((one.number, one.asked_after, *one.dropped) for one in asked)
