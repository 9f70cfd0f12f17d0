"""The pages of `evenhand view`: CPU seconds of a request, of a record of a million rows and of one of ten thousand.

Each request is one that was not made before, at a threshold of its own; what it takes again, from what was kept, is
told beside it. Writes benchmarks/results/view.json and its table in docs/benchmarks.md.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx
import numpy as np
from measuring import machine, middle, write

import evenhand as eh
from evenhand.policy import default_policy
from evenhand.serving.viewing.app import application
from evenhand.serving.viewing.packing import packed
from evenhand.serving.viewing.session import Session

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

ROWS = (10_000, 1_000_000)
REPEATS = 9
HOST = "127.0.0.1:8417"
RACES = {"Asian": 0.06, "Black": 0.13, "Hispanic": 0.18, "Indigenous": 0.01, "Pacific": 0.01, "White": 0.61}
PAGES = {
    "groups of race, recall": "/?by=race&metric=recall&t={t}",
    "race x sex, false positive rate, beside the rest": "/?by=race&by=sex&metric=false_positive_rate&vs=rest&t={t}",
    "race, a threshold for each of two groups": "/?by=race&metric=recall&split=race&t.Black={t}&t.White=0.5",
    "four groups alone": "/?by=race&metric=precision&group=Black&group=White&group=Asian&group=Hispanic&t={t}",
    "policy of 14 limits": "/policy?t={t}",
    "beside an earlier record": "/compare?by=race&metric=recall&t={t}",
    "policy at every threshold (asked for by a link)": "/policy?every=1&policy={policy}",
}


def audited(rows: int, seed: int) -> AuditRecord:
    """Return an audit of scores by race, sex and age."""
    rng = np.random.default_rng(seed)
    race = rng.choice(list(RACES), rows, p=list(RACES.values()))
    sex, age = rng.choice(["f", "m"], rows), rng.choice(["18-29", "30-44", "45-59", "60+"], rows)
    truth = (rng.random(rows) < 0.5).astype(int)
    logit = 2 * truth - 1 - 0.4 * (race == "Black") + 1.2 * rng.normal(size=rows)
    features = {"race": race, "sex": sex, "age": age}
    score = 1 / (1 + np.exp(-logit))
    return eh.audit_predictions(truth, y_score=score, threshold=0.5, sensitive_features=features, favourable=1)


async def asked(client: httpx.AsyncClient, place: str) -> float:
    """Return CPU seconds of one request."""
    start = time.process_time()
    answer = await client.get(place)
    taken = time.process_time() - start
    answer.raise_for_status()
    return taken


async def timed(session: Session) -> dict[str, dict[str, float]]:
    """Return CPU seconds of each page, first and again."""
    found: dict[str, dict[str, float]] = {}
    transport = httpx.ASGITransport(app=application(session, "token", 8417))
    cookies = {"evenhand-view-8417": "token"}
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", cookies=cookies) as client:
        await asked(client, "/")  # templates are compiled once
        for at, (name, place) in enumerate(PAGES.items()):
            repeats = 3 if "every" in place else REPEATS
            edited = [packed(f"{session.policy}# {turn}\n") for turn in range(repeats)]
            places = [place.format(t=0.3 + 0.05 * turn + 0.004 * at, policy=edited[turn]) for turn in range(repeats)]
            first = [await asked(client, one) for one in places]
            again = [await asked(client, places[-1]) for _ in range(repeats)]
            found[name] = {"first": middle(first), "again": middle(again)}
    return found


def main() -> None:
    """Time every page for every size, write the figures."""
    told: dict[str, object] = {**machine("starlette", "Jinja2")}
    columns = {}
    for rows in ROWS:
        policy = default_policy(["race", "sex", "age"])
        start = time.process_time()
        session = Session(audited(rows, 1), audited(rows, 2), policy=policy)
        columns[rows] = asyncio.run(timed(session))
        told[f"{rows} rows"] = {"pages": columns[rows], "audits and start": time.process_time() - start}
    lines = [
        "| page | " + " | ".join(f"{rows:,} rows, ms | again, ms" for rows in ROWS) + " |",
        "|---|" + "---:|---:|" * 2,
    ]
    for name in PAGES:
        cells = (f"{1000 * columns[rows][name][turn]:.0f}" for rows in ROWS for turn in ("first", "again"))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    write("view", told, lines, "Times requests to the application that `evenhand view` serves, in its process.")


if __name__ == "__main__":
    main()
