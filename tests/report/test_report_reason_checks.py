"""The page says by whom people were told and who decides, and shows each figure once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.report.page import build_page
from evenhand.report.sections import reason_checks, refusals
from evenhand.report.sections.judged import Judged
from evenhand.subjects import as_subject

NAMES = ["income", "debt", "years", "rooms", "calls"]


@pytest.fixture(scope="module")
def record() -> eh.AuditRecord:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(0, 1, (200, 5)), columns=NAMES).assign(sex=rng.choice(["f", "m"], 200))
    table["paid"] = (table["income"] > table["debt"]).astype(int)
    data = eh.read_evaluation_set(table, label="paid", favourable=1, sensitive_features="sex")

    def made(name: str, at: float) -> object:
        return as_subject(lambda X: 1 / (1 + np.exp(-2 * (X["income"] - X["debt"] - at))), name=name)

    return eh.audit(
        made("small", 0.5), data, original=made("large", 0.0), audits=["reasons", "reason_checks", "recourse"],
        actionable={"income": "increase"}, explain_rows=80, background_rows=40,
    )  # fmt: skip


def test_the_answer_names_who_told_and_who_decides(record: eh.AuditRecord) -> None:
    said = reason_checks.SECTION.parts(record, Judged(None))[0].answer
    kept = record["recourse_kept_rate[;of=original]"]
    assert f"Told by large, decided by small: of {kept.support} people who were told a way out" in said
    assert "another first reason by small than by large" in said
    assert "move small no more than other features do" in said


def test_a_failed_limit_on_ways_out_opens_this_section_and_not_the_other(record: eh.AuditRecord) -> None:
    verdict = eh.judge(record, {"limits": {"recourse_kept_rate[;of=original]": {"at_least": 1.0}}})
    assert verdict.exit_code == 1
    mine, other = (section.SECTION.parts(record, Judged(verdict))[0] for section in (reason_checks, refusals))
    assert (mine.state, mine.open) == ("failed", True)
    assert other.state != "failed"


def test_every_share_is_shown_once_with_its_groups(record: eh.AuditRecord) -> None:
    page = str(build_page(record, None))
    shown = {block.name: block for block in reason_checks.SECTION.parts(record, Judged(None))[0].blocks}
    assert set(shown) == {"reasons-held", "reasons-moved", "reasons-held-groups"}
    assert "ways out told by the original that hold" in page
    cells = str(shown["reasons-held-groups"])
    assert "sex=f: ways out found that hold when asked alone" in cells
    assert "difference by sex: ways out told by the original that hold" in cells
    assert "Ways out that hold" not in str(refusals.SECTION.parts(record, Judged(None)))


def test_nothing_is_drawn_where_nothing_was_asked() -> None:
    plain = eh.audit_predictions([1, 0, 1, 0], [1, 0, 0, 0], sensitive_features={"sex": ["f", "m", "f", "m"]})
    assert reason_checks.SECTION.parts(plain, Judged(None)) == ()
