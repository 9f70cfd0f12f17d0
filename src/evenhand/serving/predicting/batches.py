"""Dynamic batching: what waits while the last batch is at work is the next batch."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from evenhand.errors import EvenhandError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

Job = TypeVar("Job")
Answer = TypeVar("Answer")


class FullError(EvenhandError):
    """More waits than may wait."""


class Batches(Generic[Job, Answer]):
    """Gathers jobs of concurrent requests, and has one worker do them together, in their order.

    A job is begun as soon as the worker is free: nothing waits for others to come unless `wait` says so.

    Parameters
    ----------
    work : callable
        From jobs to their answers, one each, an exception where one failed; runs in the executor.
    executor : Executor
        With one thread.
    size : callable
        The rows of a job.
    most : int
        Rows of a batch; a job alone may have more.
    wait : float
        Seconds to wait for others when nothing is at work.
    waiting : int
        Rows that may wait.
    quick : float
        Seconds up to which work is done at once where it is asked for, by how long it took last: handing it to a thread
        and back costs more. 0 for work that waits for a disk.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Job]], Sequence[Answer | Exception]],
        executor: Executor,
        *,
        size: Callable[[Job], int],
        most: int,
        wait: float = 0.0,
        waiting: int = 10_000,
        quick: float = 0.0,
    ) -> None:
        self._work, self._executor, self._size = work, executor, size
        self._most, self._wait, self._room, self._quick = most, wait, waiting, quick
        self._last = (float("inf"), 1)
        self._queue: deque[tuple[Job, int, asyncio.Future[Answer]]] = deque()
        self._rows = 0
        self._begun = False
        self._timer: asyncio.Handle | None = None

    @property
    def rows(self) -> int:
        """Rows that wait."""
        return self._rows

    async def ask(self, job: Job) -> Answer:
        """Return the answer of a job.

        Raises
        ------
        FullError
            When too much waits already.
        """
        rows = self._size(job)
        if self._queue and self._rows + rows > self._room:
            raise FullError(f"{self._rows:,} rows wait to be answered already: come again later.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._queue.append((job, rows, future))
        self._rows += rows
        if not self._begun:
            self._begun = True
            begin = loop.call_later if self._wait else None
            # without a wait, what this turn of the loop has read comes along
            self._timer = loop.call_soon(self._next) if begin is None else begin(self._wait, self._next)
        elif self._timer is not None and self._rows >= self._most:
            self._timer.cancel()
            self._next()
        return await future

    def _next(self) -> None:
        """Begin the next batch."""
        self._timer = None
        taken: list[tuple[Job, int, asyncio.Future[Answer]]] = []
        rows = 0
        while self._queue and (not taken or rows + self._queue[0][1] <= self._most):
            taken.append(self._queue.popleft())
            rows += taken[-1][1]
        self._rows -= rows
        if not taken:
            self._begun = False
            return
        jobs, futures = [job for job, _, _ in taken], [future for _, _, future in taken]
        loop = asyncio.get_running_loop()
        seconds, of = self._last
        if seconds * max(1.0, rows / of) <= self._quick:
            loop.call_soon(self._next)
            _give(self._tried(jobs, rows), futures)
            return
        working = loop.run_in_executor(self._executor, self._tried, jobs, rows)
        working.add_done_callback(lambda done: self._done(done, futures))

    def _tried(self, jobs: Sequence[Job], rows: int) -> Sequence[Answer | Exception]:
        """Return the answers, or what went wrong for each, and keep how long it took."""
        began = time.perf_counter()
        try:
            return self._work(jobs)
        except Exception as wrong:  # everybody's; the server tells it as a bug
            return [wrong] * len(jobs)
        finally:
            self._last = time.perf_counter() - began, rows

    def _done(
        self, done: asyncio.Future[Sequence[Answer | Exception]], futures: Sequence[asyncio.Future[Answer]]
    ) -> None:
        self._next()
        _give(done.result(), futures)


def _give(answers: Sequence[Answer | Exception], futures: Sequence[asyncio.Future[Answer]]) -> None:
    """Give each caller its answer; some may have gone away."""
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
