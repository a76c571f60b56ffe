"""An executor that runs trials in the calling thread."""

from collections.abc import Iterable

from hypernets.application.in_process.attempt import attempt
from hypernets.application.port.executor import Job, Outcome, ReportHandler, Ticket

__all__ = ["InlineExecutor"]


class InlineExecutor:
    """Runs jobs one after the other in the calling thread, inside `completed`.

    A job that runs cannot be left alone, so `timeout_s` is not observed and no deadline enforced;
    one that kills the process kills the search.
    """

    def __init__(self) -> None:
        self._waiting: dict[Ticket, tuple[Job, ReportHandler]] = {}
        self._n_submitted = 0

    def submit(self, job: Job, report: ReportHandler) -> Ticket:
        """Queue a job."""
        self._n_submitted += 1
        self._waiting[self._n_submitted] = (job, report)
        return self._n_submitted

    def completed(self, timeout_s: float | None = None) -> Iterable[Outcome]:
        """Run the job that has waited longest and return its outcome; nothing where none waits."""
        if not self._waiting:
            return ()
        ticket = next(iter(self._waiting))
        job, report = self._waiting.pop(ticket)
        return (attempt(job, report, ticket),)

    def cancel(self, ticket: Ticket) -> None:
        """Take a job out of the queue."""
        self._waiting.pop(ticket, None)
