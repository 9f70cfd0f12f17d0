"""From the requests of one batch to their answers: predicted together, logged together, then answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from evenhand.errors import InputError, ModelError
from evenhand.monitoring.log.schema import Entry
from evenhand.serving.journal.journal import ConflictError, JournalError
from evenhand.serving.predicting.predictions import Prediction
from evenhand.serving.predicting.refusing import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from evenhand.findings import Plain
    from evenhand.monitoring.log.schema import Feedback
    from evenhand.serving.journal.journal import Journal, Stored
    from evenhand.serving.predicting.counting import Counting
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.rows import Row

    Job = TypeVar("Job")
    Answer = TypeVar("Answer")


class Answering:
    """The work of the one thread that asks the model and writes the log.

    Parameters
    ----------
    deployed : Deployed
    journal : Journal or None
        Where predictions are stored before they are answered; None for nowhere.
    counting : Counting
    """

    def __init__(self, deployed: Deployed, journal: Journal | None, counting: Counting) -> None:
        self._deployed, self._journal, self._counting = deployed, journal, counting
        self.model_ready = self.log_ready = True

    def predict(self, jobs: Sequence[Sequence[Row]]) -> list[list[Prediction] | Exception]:
        """Return the predictions of each request, or what went wrong; what is returned is in the log."""
        return self._each(jobs, self._predict)

    def tell(self, jobs: Sequence[Sequence[Feedback]]) -> list[list[Stored] | Exception]:
        """Return what became of the events of each request; what is returned is in the log."""
        return self._each(jobs, self._tell)

    def look(self) -> None:
        """Find out whether the log can be written to again, after it could not."""
        if not self.log_ready and self._journal is not None:
            try:
                self._journal.check()
            except JournalError:
                return
            self.log_ready = True

    def _each(self, jobs: Sequence[Job], work: Callable[[Sequence[Job]], list[Answer]]) -> list[Answer | Exception]:
        """Work on all jobs together; where that fails for the sake of one of them, on each alone."""
        try:
            return list(work(jobs))
        except (ModelError, InputError) as wrong:
            if len(jobs) == 1:
                return [_refused(wrong)]
            return [self._each([job], work)[0] for job in jobs]
        except JournalError as lost:
            self.log_ready = False
            return [_lost(lost)] * len(jobs)

    def _predict(self, jobs: Sequence[Sequence[Row]]) -> list[list[Prediction]]:
        rows = [row for job in jobs for row in job]
        self._counting.batch(len(rows))
        try:
            scores, decisions = self._deployed.predict(rows)
            self.model_ready = True
        except ModelError:
            self._restart()
            raise
        told = scores.tolist()
        several = scores.ndim == 2
        made = [
            Prediction(
                row.id or uuid4().hex, row, None if several else score, tuple(score) if several else (), decision
            )
            for row, score, decision in zip(rows, told, decisions, strict=True)
        ]
        if self._journal is not None:
            now, sha = datetime.now(UTC), self._deployed.sha256
            self._journal.record([_entry(each, now, sha) for each in made])
            self.log_ready = True
        self._counting.predictions(made)
        parts = iter(made)
        return [[next(parts) for _ in job] for job in jobs]

    def _tell(self, jobs: Sequence[Sequence[Feedback]]) -> list[list[Stored]]:
        given = [event for job in jobs for event in job]
        stored = iter(cast("Journal", self._journal).tell(given))
        self.log_ready = True
        return [[next(stored) for _ in job] for job in jobs]

    def _restart(self) -> None:
        """Start the model anew, in case that its process has ended."""
        self._counting.restarts.inc()
        try:
            self._deployed.restart()
        except ModelError:
            self.model_ready = False


def _entry(made: Prediction, now: datetime, sha256: str) -> Entry:
    row = made.row
    inputs = cast("dict[str, Plain]", row.inputs)
    return Entry(made.id, now, sha256, inputs, row.groups, made.score, made.decision, row.person)


def _refused(wrong: ModelError | InputError) -> RefusedError:
    status = 409 if isinstance(wrong, ConflictError) else 422 if isinstance(wrong, InputError) else 500
    return RefusedError(status, *wrong.problems)


def _lost(lost: JournalError) -> RefusedError:
    told = "Nothing is answered that is not logged, and the log cannot be written to: come again."
    return RefusedError(503, told, *lost.problems, headers={"retry-after": "1"})
