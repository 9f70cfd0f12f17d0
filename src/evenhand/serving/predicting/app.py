"""The application: five addresses, each with its method and its scope, and nothing else."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from evenhand.errors import EvenhandError, InputError
from evenhand.output.printing import say
from evenhand.serving.predicting.answering import Answering
from evenhand.serving.predicting.answers import told
from evenhand.serving.predicting.batches import Batches, FullError
from evenhand.serving.predicting.bodies import read_json
from evenhand.serving.predicting.counting import Counting
from evenhand.serving.predicting.describing import described
from evenhand.serving.predicting.feedback import events
from evenhand.serving.predicting.rates import Rates
from evenhand.serving.predicting.refusing import RefusedError
from evenhand.serving.predicting.rows import RowCheck

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from evenhand.findings import Plain
    from evenhand.monitoring.log.schema import Feedback
    from evenhand.serving.journal.journal import Journal, Stored
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.options import ServingOptions
    from evenhand.serving.predicting.predictions import Prediction
    from evenhand.serving.predicting.reasons import Reasons
    from evenhand.serving.predicting.rows import Row
    from evenhand.serving.predicting.tokens import Tokens

    Endpoint = Callable[[Mapping[str, str], Receive, str], Awaitable[tuple[int, bytes]]]

Job = TypeVar("Job")
Answer = TypeVar("Answer")
METHODS: Final = {"/predict": "POST", "/feedback": "POST", "/health": "GET", "/metrics": "GET", "/openapi.json": "GET"}
"""Every address with its method."""
SCOPE_OF: Final = {"/predict": "predict", "/feedback": "feedback", "/metrics": "metrics"}
"""What a token has to be for; any token may read the description, and anybody the health."""
HEADERS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
PLAIN: Final = b"application/json"
QUICK: Final = 0.002
"""Seconds of a batch without a log up to which it is predicted at once, between two looks at the network."""
MOST_EXPLAINED: Final = 64
"""Rows that may wait for their reasons, which take far longer than scores."""


class Application:
    """The ASGI application of one model.

    Parameters
    ----------
    deployed : Deployed
        The model.
    options : ServingOptions
    tokens : Tokens
        Who may ask what.
    journal : Journal, optional
        Where predictions and feedback are stored before they are answered.
    reasons : Reasons, optional
        Explains adverse decisions.
    """

    def __init__(
        self,
        deployed: Deployed,
        options: ServingOptions,
        tokens: Tokens,
        journal: Journal | None = None,
        reasons: Reasons | None = None,
    ) -> None:
        self._deployed, self._options, self._tokens = deployed, options, tokens
        self._journal, self._reasons = journal, reasons
        self._check, self._rates = RowCheck(deployed.columns, options.strict), Rates(options.rate)
        self._counting = Counting(deployed.sha256)
        self._answering = Answering(deployed, journal, self._counting)
        self._worker, self._explainer = (ThreadPoolExecutor(1, name) for name in ("model", "reasons"))
        batch = {"most": options.max_batch, "wait": options.batch_wait_ms / 1000, "waiting": options.max_waiting}
        self._predictions: Batches[list[Row], list[Prediction]] = Batches(
            self._answering.predict, self._worker, size=len, quick=0.0 if journal else QUICK, **batch  # type: ignore[arg-type]
        )  # fmt: skip
        self._told: Batches[list[Feedback], list[Stored]] = Batches(
            self._answering.tell, self._worker, size=len, most=options.max_batch, waiting=options.max_waiting
        )
        self._explaining = 0
        self._counting.watch(lambda: self._predictions.rows + self._told.rows, lambda: self._answering.log_ready)
        self._described = json.dumps(
            described(deployed, options, feedback=journal is not None, reasons=reasons is not None)
        ).encode()
        self._answers: dict[str, Endpoint] = {
            "/predict": self._predict, "/feedback": self._feedback, "/health": self._health, "/metrics": self._metrics,
            "/openapi.json": self._openapi,
        }  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began, path = time.perf_counter(), scope["path"]
        kind, more = PLAIN, cast("tuple[tuple[bytes, bytes], ...]", ())
        try:
            status, body = await self._answer(scope, receive)
            kind = b"text/plain; version=0.0.4; charset=utf-8" if path == "/metrics" else PLAIN
        except RefusedError as wrong:
            status, body = wrong.status, _problems(wrong)
            more = tuple((name.encode(), value.encode()) for name, value in wrong.headers.items())
        except Exception as bug:  # a bug is told here, and to the caller without what it is
            say(f"evenhand: this is a bug in evenhand: {type(bug).__name__}: {bug}")
            status, body = 500, _problems(EvenhandError("This is a bug in evenhand; the server has told it."))
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *HEADERS, *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._counting.answered(path if path in METHODS else "other", status, time.perf_counter() - began)

    def close(self) -> None:
        """Finish what is at work, and let go of the log."""
        self._worker.shutdown()
        self._explainer.shutdown(cancel_futures=True)
        if self._journal is not None:
            self._journal.close()

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        path, method = scope["path"], scope["method"]
        if path not in METHODS or (path == "/feedback" and self._journal is None):
            raise RefusedError(404, f"There is nothing here; there is {', '.join(METHODS)}.")
        if method != METHODS[path]:
            allowed = {"allow": METHODS[path]}
            raise RefusedError(405, f"{path} is asked by {METHODS[path]}.", headers=allowed)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        caller = "" if path == "/health" else self._caller(headers, path)
        return await self._answers[path](headers, receive, caller)

    def _caller(self, headers: Mapping[str, str], path: str) -> str:
        """Return whose token a request has."""
        token = self._tokens.of(headers.get("authorization", ""))
        if token is None:
            way = {"www-authenticate": "Bearer"}
            raise RefusedError(401, "This needs a token: send Authorization: Bearer TOKEN.", headers=way)
        wanted = SCOPE_OF.get(path)
        if wanted is not None and wanted not in token.scopes:
            raise RefusedError(403, f"This token is not for {wanted}.")
        return token.name

    async def _predict(self, headers: Mapping[str, str], receive: Receive, caller: str) -> tuple[int, bytes]:
        given = await self._given(headers, receive, caller)
        rows = self._checked(partial(self._check.rows, given))
        if self._reasons is None and any(row.reasons for row in rows):
            raise RefusedError(422, "This server gives no reasons: it was started without --adverse and a background.")
        made = await self._waited(self._predictions, rows)
        reasons = await self._explained(made)
        answers = [told(each, self._deployed, reasons.get(at)) for at, each in enumerate(made)]
        return 200, _json(answers if isinstance(given, list) else answers[0])

    async def _feedback(self, headers: Mapping[str, str], receive: Receive, caller: str) -> tuple[int, bytes]:
        given = await self._given(headers, receive, caller)
        now = datetime.now(UTC)
        found = self._checked(partial(events, given, self._deployed.classes, now))
        stored = await self._waited(self._told, found)
        self._counting.feedback(found, stored)
        answers: list[Plain] = [{"id": event.id, "stored": each} for event, each in zip(found, stored, strict=True)]
        return 200, _json(answers if isinstance(given, list) else answers[0])

    async def _health(self, headers: Mapping[str, str], receive: Receive, caller: str) -> tuple[int, bytes]:
        if not self._answering.log_ready:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._answering.look)
        model, log = self._answering.model_ready, self._answering.log_ready
        ready = model and log
        return 200 if ready else 503, _json({"live": True, "ready": ready, "model": model, "log": log})

    async def _metrics(self, headers: Mapping[str, str], receive: Receive, caller: str) -> tuple[int, bytes]:
        return 200, self._counting.text()

    async def _openapi(self, headers: Mapping[str, str], receive: Receive, caller: str) -> tuple[int, bytes]:
        return 200, self._described

    async def _given(self, headers: Mapping[str, str], receive: Receive, caller: str) -> object:
        """Return the content of a body, once it is counted: a request as one row, then the others that it has."""
        self._rates.count(caller)
        given = await read_json(headers, receive, self._options.max_bytes)
        if isinstance(given, list):
            if len(given) > self._options.max_rows:
                raise RefusedError(
                    413, f"{len(given):,} rows are more than {self._options.max_rows:,}: send fewer at once."
                )
            self._rates.count(caller, len(given), counted=1)
        return given

    def _checked(self, check: Callable[[], Answer]) -> Answer:
        try:
            return check()
        except InputError as wrong:
            raise RefusedError(422, *wrong.problems) from None

    async def _waited(self, batches: Batches[Job, Answer], job: Job) -> Answer:
        try:
            return await batches.ask(job)
        except FullError as full:
            raise RefusedError(503, *full.problems, headers={"retry-after": "1"}) from None

    async def _explained(self, made: list[Prediction]) -> dict[int, Plain]:
        """Return the notices of adverse decisions that were asked for, by the place of their row."""
        reasons = self._reasons
        if reasons is None:
            return {}
        places = [at for at, each in enumerate(made) if each.row.reasons and each.decision == reasons.adverse]
        if not places:
            return {}
        if self._explaining and self._explaining + len(places) > MOST_EXPLAINED:
            return {
                at: {"status": "not found: too many wait for reasons; ask again later", "codes": []} for at in places
            }
        self._explaining += len(places)
        try:
            rows = [made[at].row for at in places]
            found = await asyncio.get_running_loop().run_in_executor(self._explainer, reasons.of, rows)
        finally:
            self._explaining -= len(places)
        return dict(zip(places, found, strict=True))


def _problems(wrong: EvenhandError) -> bytes:
    return _json({"errors": list(wrong.problems)})


def _json(found: object) -> bytes:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")
