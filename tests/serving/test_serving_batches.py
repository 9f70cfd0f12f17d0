"""Requests at the same time are predicted and logged together, and answered as if they were alone."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from tests.serving.served import Kept, client, data, model, row, table

from evenhand.compression import OnnxExport, batch_dependence, compress
from evenhand.serving.predicting.batches import Batches, FullError
from evenhand.serving.predicting.deployed import Deployed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.testclient import TestClient


def together(server: TestClient, bodies: Sequence[object]) -> list[httpx.Response]:
    """Send requests at the same time to the application of a client, in one event loop."""

    async def asked() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=server.app)
        headers = {"authorization": server.headers["authorization"]}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as one:
            return await asyncio.gather(*(one.post("/predict", json=body) for body in bodies))

    return asyncio.run(asked())


@pytest.mark.parametrize("kind", ["network", "onnx"])
def test_the_numbers_are_the_same_alone_and_in_a_batch(kind: str) -> None:
    subject = model() if kind == "network" else compress(model(), OnnxExport(), train=data())
    incomes = [float(value) for value in np.linspace(5, 95, 40)]
    bodies = [{"inputs": row(income=income), "id": str(at)} for at, income in enumerate(incomes)]
    kept, alone = Kept(), client(subject)
    found = together(client(subject, journal=kept), bodies)
    assert max(kept.calls) > 1  # they were gathered
    assert sum(kept.calls) == 40 and set(kept.entries) == {str(at) for at in range(40)}
    for answer, body in zip(found, bodies, strict=True):
        single = alone.post("/predict", json=body).json()
        assert answer.json()["decision"] == single["decision"]
        assert answer.json()["score"] == pytest.approx(single["score"], abs=1e-6)
    assert not batch_dependence(Deployed(subject).subject, table().drop(columns="paid")).depends


def test_a_batch_is_bounded() -> None:
    kept = Kept()
    together(client(journal=kept, max_batch=8), [{"inputs": row()} for _ in range(40)])
    assert max(kept.calls) <= 8 and sum(kept.calls) == 40


def test_one_request_that_fails_fails_alone() -> None:
    kept = Kept()
    server = client(journal=kept)
    server.post("/predict", json={"inputs": row(), "id": "taken"})
    bodies = [{"inputs": row(income=44), "id": "taken" if at == 5 else f"new {at}"} for at in range(12)]
    found = [answer.status_code for answer in together(server, bodies)]
    assert found == [409 if at == 5 else 200 for at in range(12)]
    assert len(kept.entries) == 12


def gathered(work: Callable[[Sequence[int]], Sequence[int]], jobs: int, **settings: float) -> list[int | BaseException]:
    async def asked() -> list[int | BaseException]:
        with ThreadPoolExecutor(1) as worker:
            batches: Batches[int, int] = Batches(work, worker, size=lambda _: 1, **{"most": 4, **settings})  # type: ignore[arg-type]
            return await asyncio.gather(*(batches.ask(at) for at in range(jobs)), return_exceptions=True)

    return asyncio.run(asked())


def test_jobs_are_done_in_their_order_by_one_worker() -> None:
    seen: list[list[int]] = []
    threads: set[int] = set()

    def work(jobs: Sequence[int]) -> list[int]:
        seen.append(list(jobs))
        threads.add(threading.get_ident())
        return [10 * job for job in jobs]

    assert gathered(work, 10) == [10 * at for at in range(10)]
    assert [job for jobs in seen for job in jobs] == list(range(10))
    assert max(map(len, seen)) == 4 and len(threads) == 1


def test_with_a_wait_a_full_batch_does_not_wait() -> None:
    calls: list[int] = []

    def work(jobs: Sequence[int]) -> list[int]:
        calls.append(len(jobs))
        return list(jobs)

    assert gathered(work, 4, wait=3600) == [0, 1, 2, 3]
    assert calls == [4]


def test_more_than_may_wait_is_refused_and_an_error_is_everybodys() -> None:
    def work(jobs: Sequence[int]) -> list[int]:
        raise ZeroDivisionError("no")

    found = gathered(work, 12, waiting=5)  # four are at work
    assert [type(each) for each in found] == [ZeroDivisionError] * 9 + [FullError] * 3
    assert "5 rows wait" in str(found[-1])


def test_work_that_is_quick_is_done_at_once_and_other_work_by_the_worker() -> None:
    here, threads = threading.get_ident(), []

    def work(jobs: Sequence[int]) -> list[int]:
        threads.append(threading.get_ident())
        return list(jobs)

    assert gathered(work, 12, quick=3600) == list(range(12))
    assert threads[0] != here and set(threads[1:]) == {here}  # how long it takes is known from the first batch on
    threads.clear()
    assert gathered(work, 12) == list(range(12))
    assert here not in threads
