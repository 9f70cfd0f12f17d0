"""What the page says first of probes: that which stands out, and of all rows before groups."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

import evenhand as eh


def opening(page: str, part: str) -> str:
    """Return the first words of a part of a page."""
    found = page[page.index(f'id="{part}"') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found))[:1_500]


def test_what_stands_out_of_scores_is_told() -> None:
    """Only refusals differed between groups, and the opened part said that nothing was wrong."""
    rng = np.random.default_rng(0)
    group = np.repeat(["near", "far"], 1_000)
    score = np.where(group == "near", rng.choice([0.45, 0.55], 2_000), rng.choice([0.05, 0.95], 2_000))
    truth = (rng.random(2_000) < score).astype(int)
    record = eh.audit_predictions(truth, y_score=score, sensitive_features={"g": group}, uncertainty=True)
    said = opening(eh.render(record), "uncertainty")
    assert "hare refused an answer differs by g" in said


def test_the_gap_of_all_rows_is_drawn_first() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=600), "g": rng.choice(["a", "b"], 600)})
    rows["y"] = (rows.x + rng.normal(size=600) > 0).astype(int)
    learnt = rows[:300].assign(y=(rows.x[:300] > 0).astype(int))
    record = eh.audit(lambda table: (table["x"] > 0) * 0.8 + 0.1, rows[300:], label="y", sensitive_features="g",
                      members=learnt, audits=["performance", "generalization"])  # fmt: skip
    # of a model that evenhand trained the audit of the training states it, and it was not drawn
    of_all = record["generalization_gap[;rate=accuracy]"]
    others = tuple(each for each in record.findings if each is not of_all)
    record = replace(record, findings=(*others, replace(of_all, audit="training")))
    said = opening(eh.render(record), "generalization")
    assert "beyond chance, for all rows" in said
    assert said.index("all rows", said.index("estimate and interval")) < said.index("g=a", said.index("estimate and"))


def test_findings_of_the_rows_that_are_no_alarm_are_counted() -> None:
    chance = np.random.default_rng(3)
    rows = pd.DataFrame({"income": chance.normal(30_000, 5_000, 900).round(2), "sex": ["f", "m", "f"] * 300})
    rows["paid"] = (chance.random(900) < 0.5).astype(int)
    rows.loc[chance.permutation(900)[:40], "income"] = 999_999.0
    record = eh.audit_data(rows, label="paid", pos_label=1, sensitive_features="sex")
    noted = sum(bool(found.note) for found in record.of_audit("data_quality"))
    assert noted
    assert f"Findings to look at: {noted}; none makes figures of these rows mislead." in eh.render(record)
