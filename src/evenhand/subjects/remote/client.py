"""Asking a model behind HTTP: again where that can help, several requests at a time, answers kept as they come."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.documents import parse_json
from evenhand.errors import ModelError, need, shorten
from evenhand.output.writing import append_bytes
from evenhand.subjects.remote.endpoint import Endpoint, digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import httpx

    from evenhand.subjects.remote.endpoint import Row

AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which a request may succeed."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds before the second try, doubled with each; and the most that is waited, whatever the server asks for."""
LARGEST: Final = 1 << 26
"""Bytes of an answer."""


class Client:
    """What asks one endpoint, and keeps its answers."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.place = Path(endpoint.cache) / f"{endpoint.fingerprint[:32]}.jsonl"
        self.asked = 0
        self._known: dict[str, float | str] | None = None

    def answers(self, rows: Sequence[Row]) -> list[float | str]:
        """Return one answer a row: those that are kept, and those of the endpoint for all others.

        Raises
        ------
        ModelError
            When more rows would be asked for than was allowed, or a request fails after all tries; answers that came
            before are kept.
        """
        if self._known is None:
            self._known = dict(_kept(self.place))
        known = self._known
        keys = [digest(row) for row in rows]
        new = {key: row for key, row in zip(keys, rows, strict=True) if key not in known}
        if self.asked + len(new) > self.endpoint.most_rows:
            raise ModelError(
                f"{self.endpoint.name}: {self.asked + len(new):,} rows would be asked for, and most_rows allows "
                f"{self.endpoint.most_rows:,}. Explanations ask for many more rows than a table has: switch them off "
                "(explain=False, --no-explain), or allow more."
            )
        if new:
            self._ask(list(new.items()), known)
        return [known[key] for key in keys]

    def _ask(self, new: list[tuple[str, Row]], known: dict[str, float | str]) -> None:
        size = self.endpoint.batch if self.endpoint.protocol == "rows" else 1
        parts = iter([new[at : at + size] for at in range(0, len(new), size)])
        wrong: ModelError | None = None
        with self._session() as session, ThreadPoolExecutor(self.endpoint.concurrency) as pool:
            running: dict[Future[list[float | str]], list[tuple[str, Row]]] = {}
            while True:
                while wrong is None and len(running) < self.endpoint.concurrency and (part := next(parts, None)):
                    running[pool.submit(self._of, session, [row for _, row in part])] = part
                if not running:
                    break
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    part = running.pop(done)
                    try:
                        self._keep(dict(zip((key for key, _ in part), done.result(), strict=True)), known)
                    except ModelError as problem:
                        wrong = wrong or problem
        if wrong is not None:
            left = sum(key not in known for key, _ in new)
            raise ModelError(
                f"{wrong} {len(new) - left:,} of {len(new):,} rows are answered and kept in {self.place}; run the same "
                "again to ask for the others."
            )

    def _keep(self, found: dict[str, float | str], known: dict[str, float | str]) -> None:
        known |= found
        self.asked += len(found)
        self.place.parent.mkdir(parents=True, exist_ok=True)
        append_bytes(self.place, (json.dumps(found) + "\n").encode())

    def _session(self) -> httpx.Client:
        need("httpx", "remote")
        import httpx

        name, headers = self.endpoint.key_from, {"User-Agent": "evenhand"}
        if name:
            key = os.environ.get(name, "")
            if not key:
                raise ModelError(f"{self.endpoint.name}: the environment variable {name} is empty; it holds the key.")
            headers["Authorization"] = f"Bearer {key}"
        return httpx.Client(headers=headers, timeout=self.endpoint.timeout, follow_redirects=False)

    def _of(self, session: httpx.Client, rows: Sequence[Row]) -> list[float | str]:
        (body,) = self.endpoint.bodies(rows)
        return self.endpoint.read(self._sent(session, body), len(rows))

    def _sent(self, session: httpx.Client, body: object) -> object:
        """Return the answer to a request, sent again after a pause where that can help."""
        import httpx

        said = ""
        for attempt in range(self.endpoint.tries):
            pause = FIRST_PAUSE * 2**attempt
            try:
                with session.stream("POST", self.endpoint.url, json=body) as answer:
                    if answer.status_code == httpx.codes.OK:
                        return parse_json(_content(answer, self.endpoint), self.endpoint.name, kind=ModelError)
                    said = f"status {answer.status_code}"
                    if answer.status_code not in AGAIN:
                        raise ModelError(f"{self.endpoint.name}: {said}: {_reason(answer)}.")
                    pause = _asked_pause(answer.headers.get("Retry-After")) or pause
            except httpx.TransportError as problem:
                said = type(problem).__name__
            if attempt + 1 < self.endpoint.tries:
                time.sleep(min(pause, LONGEST_PAUSE))
        raise ModelError(f"{self.endpoint.name}: no answer in {self.endpoint.tries} tries ({said}).")


def _content(answer: httpx.Response, endpoint: Endpoint) -> bytes:
    content = bytearray()
    for part in answer.iter_bytes():
        content += part
        if len(content) > LARGEST:
            raise ModelError(f"{endpoint.name}: an answer is larger than {LARGEST:,} bytes, and is not read.")
    return bytes(content)


def _reason(answer: httpx.Response) -> str:
    """Return the beginning of what a server says of its refusal."""
    for part in answer.iter_bytes(400):
        return shorten(part.decode("utf-8", "replace"), 160)
    return "it says no more"


def _asked_pause(told: str | None) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date."""
    if told is None:
        return None
    try:
        return max(float(told), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _kept(place: Path) -> Iterator[tuple[str, float | str]]:
    """Yield the answers that are kept; a line that was cut short by the end of a run is left out."""
    if not place.is_file():
        return
    with place.open("rb") as held:
        for line in held:
            try:
                found = parse_json(line, place, kind=ModelError)
            except ModelError:
                continue
            if isinstance(found, dict):
                yield from ((key, value) for key, value in found.items() if isinstance(value, (int, float, str)))
