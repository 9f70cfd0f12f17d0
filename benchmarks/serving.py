"""A served model beside a bare server of the same library: requests a second, latency and CPU time of a request.

The bare server is Starlette behind uvicorn, as `evenhand serve` is behind uvicorn: it parses the JSON, prepares the row
by the same code, runs the same session of ONNX Runtime for it alone, and answers a score and a decision. It checks
nothing, counts nothing, knows no token and keeps no log. A second one makes a table of each row, as the model's own
`predict` takes it. All servers run from the beginning to the end; in each round each is loaded for some seconds, one
after the other, in an order that is turned from round to round, by connections that send their next request when the
last is answered, from a process of its own. Writes benchmarks/results/serving.json and its table in docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import machine, middle, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

ROUNDS = 3
SECONDS = 1.5
CONNECTIONS = (1, 32)
BARE = "bare server"
SERVERS = {
    BARE: ["bare"],
    "bare server, a table a row": ["tables"],
    "evenhand, no log": ["--log", "none", "--no-isolate"],
    "evenhand, log in SQLite": ["--log", "{log}", "--no-isolate"],
    "evenhand, no log, model isolated": ["--log", "none"],
}


def bare(file: str, port: int, tables: bool) -> None:
    """Serve a model without anything around it."""
    import numpy as np
    import pandas as pd
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from evenhand.compression import load_compressed
    from evenhand.serving.listening import listening
    from evenhand.training.cells import Cells

    model = load_compressed(file, isolate=False)
    cells, names = Cells(model.preprocessing), model.preprocessing.features  # type: ignore[arg-type]

    async def predict(request: Request) -> Response:
        inputs = json.loads(await request.body())["inputs"]
        if tables:
            score = float(model.predict(pd.DataFrame([inputs], dtype=np.float64))[0])
        else:
            prepared = cells.write([[inputs[name] for name in names]])
            logit = model._session.run(None, {model._input: prepared})[0]
            score = float(1 / (1 + np.exp(-float(logit.reshape(-1)[0]))))
        return JSONResponse({"score": score, "decision": int(score >= model.threshold)})

    app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
    with listening([port]) as held:
        print(f"http://127.0.0.1:{held.getsockname()[1]}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")).run(sockets=[held])


class Caller(asyncio.Protocol):
    """One connection, which sends its next request when the last is answered."""

    def __init__(self, requests: Iterator[bytes], until: float, taken: list[float], done: asyncio.Future[None]) -> None:
        self._requests, self._until, self._taken, self._done = requests, until, taken, done
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport: Any = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take an answer, whole or in parts."""
        self._held += data
        head, end, body = self._held.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self._done.set_exception(RuntimeError(self._held.decode("utf-8", "replace")))
            return
        now = time.perf_counter()
        self._taken.append(now - self._sent)
        self._held = b""
        if now < self._until:
            self._send()
        else:
            self._transport.close()
            self._done.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))


async def load(address: str, token: str, connections: int, seconds: float, bodies: list[str]) -> dict[str, float]:
    """Load a server, and return requests a second and latencies."""
    from itertools import cycle

    host, port = address.removeprefix("http://").split(":")
    head = (
        f"POST /predict HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
    )
    requests = cycle([f"{head}content-length: {len(body)}\r\n\r\n{body}".encode() for body in bodies])
    loop, taken = asyncio.get_running_loop(), []
    began = time.perf_counter()
    ends = []
    for _ in range(connections):
        done = loop.create_future()
        await loop.create_connection(
            lambda done=done: Caller(requests, began + seconds, taken, done), host, int(port)  # type: ignore[misc]
        )  # fmt: skip
        ends.append(done)
    await asyncio.gather(*ends)
    cuts = statistics.quantiles(taken, n=100)
    return {
        "per_second": len(taken) / (time.perf_counter() - began), "p50": cuts[49], "p99": cuts[98], "count": len(taken)
    }  # fmt: skip


def cpu_of(process: int) -> float:
    """Return CPU seconds of a process and of those it has started; 0 where the system does not tell."""
    place = Path(f"/proc/{process}")
    if not place.exists():
        return 0.0
    fields = (place / "stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = [int(each) for task in (place / "task").iterdir() for each in (task / "children").read_text().split()]
    return own + sum(map(cpu_of, children))


def started(folder: Path, name: str) -> tuple[subprocess.Popen[str], str, str]:
    """Start a server; return its process, its address and its token."""
    arguments = [each.format(log=folder / "log.db") for each in SERVERS[name]]
    file = str(folder / "loan.onnx")
    if arguments[0].startswith("--"):
        code = "from evenhand.cli.main import run; run()"
        command = [sys.executable, "-c", code, "serve", file, "--port", "0", "--rate", "off", *arguments]
    else:
        command = [sys.executable, __file__, arguments[0], file]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    address = process.stdout.readline().strip()
    token = process.stderr.readline().split()[-1] if arguments[0].startswith("--") else "none"
    return process, address, token


class Load:
    """The process that the load comes from."""

    def __init__(self, bodies: Path) -> None:
        command = [sys.executable, __file__, "load", str(bodies)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def on(self, server: tuple[subprocess.Popen[str], str, str], connections: int) -> dict[str, float]:
        """Load a server; return what was measured, and the server's CPU time of a request."""
        process, address, token = server
        assert self._process.stdin is not None and self._process.stdout is not None
        before = cpu_of(process.pid)
        print(json.dumps([address, token, connections, SECONDS]), file=self._process.stdin, flush=True)
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return {**found, "cpu": (cpu_of(process.pid) - before) / found["count"]}

    def end(self) -> None:
        """End the process."""
        self._process.communicate()


def answer_loads(file: str) -> None:
    """Load what is named on each line of the input."""
    bodies = json.loads(Path(file).read_text())
    for line in sys.stdin:
        print(json.dumps(asyncio.run(load(*json.loads(line), bodies))), flush=True)


def prepare(folder: Path) -> None:
    """Save a model of the mortgage data, and the bodies of requests for all of their rows."""
    import evenhand as eh
    from evenhand.compression import OnnxExport, compress
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.reasons import cells_of
    from evenhand.training import TrainingConfig, fit

    data = eh.load_loanapp()
    model = compress(fit(data, config=TrainingConfig(epochs=8, baseline=False)), OnnxExport(), train=data)
    model.save(folder / "loan.onnx")
    names = model.preprocessing.features
    rows = cells_of(Deployed(model), data.X)
    bodies = [json.dumps({"inputs": dict(zip(names, cells, strict=True))}) for cells in rows]
    (folder / "bodies.json").write_text(json.dumps(bodies))


def main() -> None:
    """Load every server in every round, and write medians."""
    measured: dict[str, dict[str, list[dict[str, float]]]] = {
        name: {str(connections): [] for connections in CONNECTIONS} for name in SERVERS
    }
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        prepare(folder)
        loading = Load(folder / "bodies.json")
        servers = {name: started(folder, name) for name in SERVERS}
        try:
            for server in servers.values():
                loading.on(server, 4)  # what is made once is made
            for turn in range(ROUNDS):
                print(f"round {turn + 1} of {ROUNDS}", file=sys.stderr, flush=True)
                names = [*SERVERS][turn % len(SERVERS) :] + [*SERVERS][: turn % len(SERVERS)]
                for connections in CONNECTIONS:
                    for name in names:
                        measured[name][str(connections)].append(loading.on(servers[name], connections))
        finally:
            loading.end()
            for process, _, _ in servers.values():
                process.terminate()
            for process, _, _ in servers.values():
                process.wait()
    told: dict[str, object] = {**machine("uvicorn", "starlette", "onnxruntime"), "seconds": SECONDS, "rounds": measured}
    write("serving", told, table(measured), NOTE)


NOTE = (
    "Times requests to whole processes, `evenhand serve` among them, over connections that send their next request "
    f"when the last is answered; medians of {ROUNDS} rounds of {SECONDS:g} s each. The servers take turns, and the "
    "load comes from a process on the same machine. `beside` is the median of the rounds' ratios to the bare server."
)


def table(measured: dict[str, dict[str, list[dict[str, float]]]]) -> list[str]:
    """Return the lines of the table."""
    lines = [
        "| server | connections | requests/s | beside | p50, ms | p99, ms | CPU ms a request | beside |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for connections in map(str, CONNECTIONS):
        of_bare = measured[BARE][connections]
        for name in SERVERS:
            rounds = measured[name][connections]
            rate, p50, p99, cpu = (middle(each[key] for each in rounds) for key in ("per_second", "p50", "p99", "cpu"))
            beside, work = (
                middle(each[key] / other[key] for each, other in zip(rounds, of_bare, strict=True))
                for key in ("per_second", "cpu")
            )
            cells = f"{rate:,.0f} | {beside:.2f} | {1000 * p50:.2f} | {1000 * p99:.2f} | {1000 * cpu:.3f} | {work:.2f}"
            lines.append(f"| {name} | {connections} | {cells} |")
    return lines


if __name__ == "__main__":
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb in ("bare", "tables"):
        bare(sys.argv[2], 0, verb == "tables")
    elif verb == "load":
        answer_loads(sys.argv[2])
    else:
        main()
