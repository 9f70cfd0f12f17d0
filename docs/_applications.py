"""Writes the tables of the tutorials, made-up loan applications: python docs/_applications.py

On the islands a part of what people live on is sent by relatives abroad. The column ``income`` does not hold it, so a
model of ``income`` takes islanders for poorer than they are. ``transfers`` holds it. ``year1.csv`` and ``year2.csv``
have later applications, with the scores of such a model.
"""

from __future__ import annotations

import csv
import io
import math
import random
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REGIONS = {"north": 0.27, "south": 0.24, "east": 0.19, "west": 0.15, "islands": 0.15}
"""The regions, and their shares. Numbers of `random.random` are the same on every machine since Python 3.2."""


class Application(NamedTuple):
    """One row."""

    application: int
    income: float
    transfers: float
    debt: float
    years: int
    region: str
    repaid: str


def applications(rows: int, seed: int) -> Iterator[Application]:
    """Yield applications."""
    draw = random.Random(seed)
    for number in range(1, rows + 1):
        region = _one_of(draw.random())
        lives_on = 8 + 40 * sum(draw.random() for _ in range(4)) / 4 * (0.6 + draw.random())
        sent = (0.15 + 0.2 * draw.random()) * lives_on if region == "islands" else 0.05 * draw.random() * lives_on
        debt, years = 30 * draw.random() ** 2, int(20 * draw.random() ** 1.5)
        chance = 0.5 + 0.035 * (lives_on - 28) - 0.012 * (debt - 10) + 0.01 * (years - 8)
        repaid = draw.random() < min(max(chance, 0.03), 0.97)
        numbers = (round(lives_on - sent, 2), round(sent, 2), round(debt, 2), years)
        yield Application(number, *numbers, region, "yes" if repaid else "no")


def tables() -> dict[str, str]:
    """Return the text of each file, by its name."""
    later = {f"year{year}.csv": _csv([_scored(one) for one in applications(2_500, 2029 - year)]) for year in (1, 2)}
    return {"applications.csv": _csv([one._asdict() for one in applications(8_000, 2026)]), **later}


def _scored(one: Application) -> dict[str, object]:
    return {"application": one.application, "region": one.region, "repaid": one.repaid, "score": f"{_score(one):.3f}"}


def _score(one: Application) -> float:
    """Return the score of a model that does not know of transfers."""
    return 1 / (1 + math.exp(-(0.16 * (one.income - 27) - 0.05 * (one.debt - 10) + 0.04 * (one.years - 8))))


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    out = io.StringIO()
    table = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue()


def _one_of(point: float) -> str:
    for region, share in REGIONS.items():
        point -= share
        if point < 0:
            return region
    return "north"


if __name__ == "__main__":
    for file, text in tables().items():
        (Path(__file__).parent / "tutorials" / file).write_text(text, encoding="utf-8")
