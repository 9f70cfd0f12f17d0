"""What the gate promises, held by simulation: chance fails no fair model, and a bad one is not let through."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from evenhand.audits import audit_predictions
from evenhand.audits.statement import disparity_finding
from evenhand.data import evaluation_set_from_arrays
from evenhand.findings import AuditRecord
from evenhand.keys import Key
from evenhand.metrics import Tally, disparity
from evenhand.policy import judge, load_policy
from evenhand.policy import sample_size as needed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.policy.verdict import Judgement

RELEASES = 400
DRAWS = 20


def releases(rates: list[float], rows: list[int], name: str, limit: dict[str, float]) -> tuple[Counter[str], float]:
    """Return how often a limit passes, fails or stays open over simulated releases, and a point gate's failures."""
    rng = np.random.default_rng(11)
    names = [f"g{at}" for at in range(len(rows))]
    data = evaluation_set_from_arrays(np.arange(2 * len(rows)) % 2, sensitive_features={"group": names * 2})
    grouping = data.grouping("group")
    policy = load_policy({"limits": {f"{name}[group]": limit}})
    found: Counter[str] = Counter()
    beyond = 0
    for _ in range(RELEASES):
        counts = np.zeros((len(rows), 2, 2), dtype=np.int64)
        for group, (rate, n) in enumerate(zip(rates, rows, strict=True)):
            selected = rng.binomial(n, rate)
            counts[group, 1] = n - selected, selected
        stated = disparity_finding(Key.of(name, ["group"]), "fairness", disparity(name, Tally(counts)), grouping, 0.95)
        found[judge(AuditRecord((stated,)), policy).status] += 1
        assert stated.estimate is not None
        beyond += stated.estimate > limit["at_most"] if "at_most" in limit else stated.estimate < limit["at_least"]
    return found, beyond / RELEASES


def tell(what: str, found: Counter[str], point: float) -> None:
    shares = ", ".join(f"{status} {found[status] / RELEASES:.1%}" for status in ("passed", "failed", "undecided"))
    print(f"{what}: {shares}; a gate of point estimates fails {point:.1%}")


@pytest.mark.parametrize("rows", [100, 1000])
def test_twelve_equal_groups_are_hardly_ever_failed(rows: int) -> None:
    found, point = releases([0.5] * 12, [rows] * 12, "selection_rate_difference", {"at_most": 0.05})
    tell(f"12 equal groups of {rows}, limit 0.05", found, point)
    assert found["failed"] <= 0.03 * RELEASES
    assert point > 0.5, "a point gate fails most of these releases"


CROSSED = (18, 20, 24, 28, 32, 36, 42, 48, 54, 60, 72, 90)
"""Rows of twelve crossings of features: most are small."""


@pytest.mark.parametrize("rate", [0.7, 0.3])
def test_four_fifths_over_twelve_equal_groups_hardly_ever_fails(rate: float) -> None:
    found, point = releases([rate] * 12, list(CROSSED), "selection_rate_ratio", {"at_least": 0.8})
    tell(f"12 equal crossings of 18 to 90 rows, base rate {rate}, limit 0.80", found, point)
    assert found["failed"] <= 0.03 * RELEASES
    assert point >= 0.9, "a gate of point estimates raises a false alarm nearly always"


def test_an_unfair_ratio_is_failed() -> None:
    found, point = releases([0.7 * 0.65, 0.7], [300, 1500], "selection_rate_ratio", {"at_least": 0.8})
    tell("300 against 1,500 rows, true ratio 0.65, limit 0.80", found, point)
    assert found["failed"] >= 0.85 * RELEASES
    assert found["passed"] == 0


def test_the_power_over_twelve_groups_grows_with_the_rows() -> None:
    shares = []
    for rows in (100, 400, 1600):
        found, point = releases([0.5] * 11 + [0.3], [rows] * 12, "selection_rate_difference", {"at_most": 0.1})
        tell(f"12 groups of {rows}, one 0.20 below the others, limit 0.10", found, point)
        shares.append(found["failed"] / RELEASES)
        assert found["passed"] <= 0.03 * RELEASES
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


def table(cells: np.ndarray) -> AuditRecord:
    """Return the record of counts (groups, 2, 2)."""
    y_true, y_pred = np.tile([0, 0, 1, 1], len(cells)), np.tile([0, 1, 0, 1], len(cells))
    group = np.repeat([f"g{at}" for at in range(len(cells))], 4)
    times = cells.ravel()
    return audit_predictions(
        np.repeat(y_true, times), np.repeat(y_pred, times), sensitive_features={"group": np.repeat(group, times)}
    )


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("recall[group=g1]", {"at_least": 0.6}),
        ("balanced_accuracy", {"at_least": 0.78}),
        ("selection_rate_ratio[group]", {"at_least": 0.72}),
        ("recall_group_min[group]", {"at_least": 0.6}),
    ],
)
def test_the_rows_that_are_advised_decide_about_as_often_as_is_said(
    monkeypatch: pytest.MonkeyPatch, key: str, limit: dict[str, float]
) -> None:
    """If the observed rates are the true ones, the rows asked for decide the limit with a chance of 80 %."""
    cells = np.array([[[160, 40], [40, 160]], [[26, 6], [7, 21]], [[32, 8], [8, 32]], [[41, 11], [12, 42]]])
    policy, record = load_policy({"limits": {key: limit}}), table(cells)
    (judgement,) = judge(record, policy).judgements
    assert judgement.status == "undecided"
    plan: dict[str, float] = {}
    total = needed._total

    def spy(wanted: Iterable[tuple[Any, float]]) -> tuple[int, str] | None:
        wanted = list(wanted)
        for group, need in wanted:
            plan[group.name] = max(plan.get(group.name, 1.0), (need - group.support) * group.rows / group.support)
        return total(wanted)

    monkeypatch.setattr(needed, "_total", spy)
    advised = needed.rows_needed(judgement.finding, policy.limits[0], record)
    assert advised is not None
    assert judgement.needed_rows == advised[0] < 20_000
    rows = cells.sum(axis=(1, 2))
    more = np.array([plan.get(f"group=g{at}", plan.get("", 0.0) * part / rows.sum()) for at, part in enumerate(rows)])
    assert more.sum() == pytest.approx(advised[0], rel=0.1, abs=2)
    rng = np.random.default_rng(5)
    decided = 0
    for _ in range(DRAWS):
        drawn = [
            rng.multinomial(n, (part / part.sum()).ravel()).reshape(2, 2)
            for n, part in zip(rows + np.ceil(more).astype(int), cells, strict=True)
        ]
        decided += judge(table(np.array(drawn)), policy).status != "undecided"
    print(f"{key}: {judgement.sentence}; decided in {decided / DRAWS:.0%}")
    assert decided / DRAWS >= 0.65


def test_rows_are_advised_for_changes_too_and_decide() -> None:
    """The groups of a change are found by its qualifier: one too small to pass is told how many rows it lacks."""
    y = np.tile([0, 1], 400)
    old = np.where(y == 1, 0.9, 0.1)
    sex = np.array(["f"] * 100 + ["m"] * 700)
    new = old.copy()
    new[[0, *range(100, 106)]] = 0.9  # one row of the small group, six of the large, are now decided wrongly

    def judged(times: int) -> Judgement:
        where = np.concatenate([np.tile(np.flatnonzero(sex == "f"), times), np.flatnonzero(sex == "m")])
        record = audit_predictions(
            y[where], y_score=new[where], original_score=old[where], sensitive_features={"sex": sex[where]}
        )
        limits = {"accuracy_change_group_min[sex;of=original]": {"at_least": -0.05}}
        return judge(record, load_policy({"limits": limits})).judgements[0]

    few = judged(1)
    assert few.status == "undecided" and few.needed_rows is not None
    assert "of sex=f" in few.sentence
    assert judged(1 + -(-few.needed_rows // 100)).status == "passed"
