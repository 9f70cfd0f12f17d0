"""Few-shot learning: accuracy and gaps by the number of examples, over draws and rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from scipy.stats import t  # noqa: E402

import evenhand as eh  # noqa: E402
from evenhand.errors import InputError  # noqa: E402
from evenhand.studies import few_shot  # noqa: E402


def rows(n: int, seed: int) -> eh.EvaluationSet:
    """Two classes that one number tells apart, in one group only: of the other it says nothing."""
    chance = np.random.default_rng(seed)
    y, group = np.tile([0, 1], n // 2), np.repeat(["told", "noise"], n // 2)
    held = chance.normal(size=(n, 2, 2)).astype(np.float32)
    held[:, 0, 0] += np.where(group == "told", 6.0 * y - 3.0, 0.0)
    return eh.read_evaluation_set({"y": y, "group": group}, label="y", sensitive_features="group", inputs=held)


def learned(draws: int = 10) -> eh.AuditRecord:
    return few_shot(torch.nn.Flatten(), rows(200, 0), rows(400, 1), shots=(1, 8, 32), draws=draws)


def test_the_gap_that_is_there_is_found_and_grows_with_what_is_learnt() -> None:
    record = learned()
    told, noise = (record[f"accuracy[group={name};at=32;over=draws]"] for name in ("told", "noise"))
    assert told.interval.low > 0.9  # type: ignore[union-attr,operator]
    assert noise.interval.low < 0.5 < noise.interval.high  # type: ignore[union-attr,operator]
    gap = record["accuracy_difference[group;at=32;over=draws]"]
    assert gap.interval.low > 0.3  # type: ignore[union-attr,operator]
    assert gap.estimate == pytest.approx(told.estimate - noise.estimate)  # type: ignore[operator]
    few = record["accuracy[;at=1;over=draws]"].interval
    assert few.high - few.low > 2 * (told.interval.high - told.interval.low), "one example is a matter of chance"  # type: ignore[union-attr,operator]


def test_intervals_add_the_variances_of_draws_and_of_rows() -> None:
    from evenhand.studies.few_shot import _interval

    right = (np.random.default_rng(3).random((5, 30)) < 0.7).astype(float)
    variance = right.mean(axis=1).var(ddof=1) / 5 + right.mean(axis=0).var(ddof=1) / 30
    half = t.ppf(0.975, 4) * math.sqrt(variance)
    found = _interval(right, 0.95)
    assert (found.low, found.high) == (
        pytest.approx(max(right.mean() - half, 0)), pytest.approx(min(right.mean() + half, 1)),
    )  # fmt: skip


def test_intervals_cover_the_accuracy_over_all_draws_and_rows() -> None:
    """The truth is that of 400 draws on 20,000 rows; 95 % of studies of 5 draws on 60 rows should hold it."""
    from evenhand.studies.few_shot import _interval

    chance, hits = np.random.default_rng(4), 0
    for _ in range(300):
        of_draw, of_row = chance.normal(0, 0.4, size=(6, 1)), chance.normal(0.8, 1.0, size=(1, 60))
        hits += (found := _interval((of_draw + of_row > 0).astype(float), 0.95)).low <= TRUTH <= found.high  # type: ignore[operator]
    assert hits >= 0.93 * 300


TRUTH = 0.5 * (1 + math.erf(0.8 / math.sqrt(1.0 + 0.16) / math.sqrt(2)))
"""The chance that the sum of both normal parts is above 0."""


def test_a_policy_judges_it_and_the_page_shows_both_pictures(tmp_path: object) -> None:
    record = learned(draws=3)
    verdict = eh.judge(record, {"accuracy_difference[group;at=32;over=draws]": {"at_most": 0.1}})
    assert verdict.exit_code == 1
    page = eh.render(record, verdict)
    assert 'id="shots-accuracy"' in page and 'id="shots-gaps"' in page
    assert " with 1, " in page
    assert len(page.encode()) < 300_000
    assert "少量样本" in eh.render(record, lang="zh-CN")
    assert str(learned(draws=3).findings) == str(record.findings), "the seed decides the draws"


def test_what_cannot_be_drawn_is_told_together() -> None:
    train = rows(40, 0)
    with pytest.raises(InputError, match=r"class 0 has 20 rows, and 32 examples") as told:
        few_shot(torch.nn.Flatten(), train, train, draws=2)
    assert "2 draws tell nothing" in str(told.value)
    assert "take others" in str(told.value)
    with pytest.raises(InputError, match="shots are rising numbers"):
        few_shot(torch.nn.Flatten(), train, rows(40, 1), shots=(4, 2))
