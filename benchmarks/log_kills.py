"""Kill what writes the log, or the database below it, at random moments under load, and count what became of it.

Clients send batches of predictions and labels to writing processes, note what was acknowledged, and send again what was
not. Afterwards every acknowledged id is looked for with plain SQL: once, with its content, and nothing twice.
Writes benchmarks/results/log_kills.json and its table in docs/benchmarks.md.
"""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import clusters
from measuring import machine, write

from evenhand.monitoring.log.schema import Entry, Feedback
from evenhand.serving.journal.journal import JournalError
from evenhand.serving.journal.opening import open_journal

if TYPE_CHECKING:
    from collections.abc import Callable

KILLS, WRITERS, BATCH = 50, 2, 20
START = datetime(2027, 1, 1, tzinfo=UTC)


def entry(number: int) -> Entry:
    """Return the prediction of a number."""
    inputs = {"income": number, "name": f"person {number}", "long": "x" * (number % 400)}
    return Entry(f"p{number}", START + timedelta(seconds=number), "0" * 64, inputs, {"sex": "F"}, number / 1e9, "yes")


def label(number: int) -> Feedback:
    """Return the label of a prediction."""
    return Feedback(f"f{number}", f"p{number}", "label", number % 2, START + timedelta(days=number))


def work(place: str) -> None:
    """Store what stdin asks for, and say so when it is stored."""
    journal = open_journal(place)
    print("ready", flush=True)
    for line in sys.stdin:
        numbers = json.loads(line)
        try:
            stored = Counter(journal.record([entry(number) for number in numbers]))
            stored += Counter(journal.tell([label(number) for number in numbers]))
            print(json.dumps(stored), flush=True)
        except JournalError:
            print("lost", flush=True)


@dataclass
class Client:
    """Sends batches to a writing process until it is told to end; what has no answer is sent again."""

    place: str
    number: int
    acknowledged: list[int] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    sent_again: int = 0
    process: subprocess.Popen[str] | None = None
    ends: bool = False
    answered: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send one batch after the other."""
        turn = 0
        while not self.ends:
            first = (turn * WRITERS + self.number) * BATCH
            self._store(list(range(first, first + BATCH)))
            turn += 1

    def _store(self, numbers: list[int]) -> None:
        tried = 0
        while (answer := self._answer(numbers)) is None:
            tried = 1
        self.sent_again += tried
        self.answers += answer
        self.acknowledged += numbers
        self.answered.set()

    def _answer(self, numbers: list[int]) -> Counter[str] | None:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(numbers) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            return None
        if line == "lost\n":
            time.sleep(0.05)
        return None if line in ("", "lost\n") else Counter(json.loads(line))

    def _started(self) -> subprocess.Popen[str]:
        while self.process is None or self.process.poll() is not None:
            command = [sys.executable, __file__, "--work", self.place]
            made = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            assert made.stdout is not None
            if made.stdout.readline() == "ready\n":
                self.process = made
        return self.process


def under_load(place: str, kills: int, seed: int, kill: Callable[[Client], None]) -> list[Client]:
    """Kill at random moments while clients write, each time after a client had an answer; return the clients."""
    chance = random.Random(seed)
    clients = [Client(place, number) for number in range(WRITERS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for _ in range(kills):
        chosen = chance.choice(clients)
        chosen.answered.clear()
        chosen.answered.wait()
        time.sleep(chance.random() * 0.05)
        kill(chosen)
    for client in clients:
        client.answered.clear()
        client.answered.wait()
        client.ends = True
    for thread in threads:
        thread.join()
    for client in clients:
        if client.process is not None and client.process.stdin is not None:
            client.process.stdin.close()
            client.process.wait()
    return clients


def kill_writer(client: Client) -> None:
    """Kill the writing process of a client."""
    if client.process is not None:
        client.process.kill()


def counted(clients: list[Client], predictions: list[tuple[str, str]], labels: list[str]) -> dict[str, int]:
    """Compare what was acknowledged with the rows that are there, each an id and its inputs."""
    numbers = [number for client in clients for number in client.acknowledged]
    content = {id: json.loads(inputs) for id, inputs in predictions}
    there, told = Counter(id for id, _ in predictions), Counter(labels)
    return {
        "acknowledged": len(numbers),
        "lost": sum(not there[f"p{number}"] or not told[f"f{number}"] for number in numbers),
        "changed": sum(content.get(f"p{number}") != entry(number).inputs for number in numbers),
        "twice": sum(count > 1 for count in (*there.values(), *told.values())),
        "batches sent again": sum(client.sent_again for client in clients),
        "rows known when sent again": sum(client.answers["known"] for client in clients),
    }


def in_sqlite(kills: int, seed: int = 0) -> dict[str, int]:
    """Kill processes that write to an SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "log.db")
        open_journal(place).close()
        clients = under_load(place, kills, seed, kill_writer)
        held = sqlite3.connect(place)
        whole = held.execute("PRAGMA integrity_check").fetchone()[0]
        predictions = held.execute("SELECT id, inputs FROM evenhand_predictions").fetchall()
        labels = [id for (id,) in held.execute("SELECT id FROM evenhand_feedback")]
        held.close()
    return {**counted(clients, predictions, labels), "damaged": int(whole != "ok")}


def in_postgresql(kills: int, seed: int = 0) -> dict[str, int]:
    """Kill a PostgreSQL server, all its processes at once, and start it again."""
    import psycopg

    with clusters.cluster() as server:
        open_journal(server.url).close()

        def kill(client: Client) -> None:
            server.kill()
            server.start()

        clients = under_load(server.url, kills, seed, kill)
        with psycopg.connect(server.url) as held:
            predictions = held.execute("SELECT id, inputs FROM evenhand_predictions").fetchall()
            labels = [id for (id,) in held.execute("SELECT id FROM evenhand_feedback")]
    return counted(clients, predictions, labels)


def rates() -> dict[str, dict[str, float]]:
    """Return stored predictions per second of one process, by predictions a call."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"SQLite": _rates(f"{folder}/log.db")}
    if clusters.programs() is not None:
        with clusters.cluster() as server:
            found["PostgreSQL"] = _rates(server.url)
    return found


def _rates(place: str) -> dict[str, float]:
    journal, found, at = open_journal(place), {}, 0
    for size, calls in ((1, 200), (20, 100), (500, 10)):
        batches = [[entry(at + size * call + each) for each in range(size)] for call in range(calls)]
        at += size * calls
        began = time.perf_counter()
        for batch in batches:
            journal.record(batch)
        found[str(size)] = size * calls / (time.perf_counter() - began)
    journal.close()
    return found


def main() -> None:
    """Kill, count, and write the figures."""
    told = {"SQLite, the writing process killed": in_sqlite(KILLS)}
    if clusters.programs() is not None:
        told["PostgreSQL, the server killed"] = in_postgresql(KILLS)
    lines = [
        "| | kills | acknowledged predictions, each with a label | of them lost | changed | stored twice | "
        "batches sent again | rows of these known already |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    names = ("acknowledged", "lost", "changed", "twice", "batches sent again", "rows known when sent again")
    lines += [
        f"| {name} | {KILLS} | {' | '.join(f'{found[each]:,}' for each in names)} |" for name, found in told.items()
    ]
    speed = rates()
    lines += ["", "Predictions stored per second by one process, each call a transaction on disk:", ""]
    lines += ["| predictions a call | " + " | ".join(speed) + " |", "|---:|" + "---:|" * len(speed)]
    for size in ("1", "20", "500"):
        lines.append(f"| {size} | {' | '.join(f'{found[size]:,.0f}' for found in speed.values())} |")
    figures = {**machine("SQLAlchemy", "psycopg"), "kills": KILLS, "outcomes": told, "stored per second": speed}
    write(
        "log_kills", figures, lines, "Measures what is left of acknowledged rows, by plain SQL, and the clock of calls."
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2])
    else:
        main()
