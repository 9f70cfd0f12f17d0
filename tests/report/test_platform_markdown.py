"""Markdown keeps its size, whatever the record: 48 groups with long and hostile names, a limit for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import evenhand as eh

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Made = tuple[AuditRecord, Verdict]

NAMES = [f"{char * 60} {number} |<img src=x>`_*" for number in range(16) for char in ("语", "🦉", "مج")]
"""Names of 48 groups; in UTF-8 three and four bytes a character, and longer still when they are escaped."""


@pytest.fixture(scope="module")
def many() -> tuple[AuditRecord, Verdict]:
    groups = [name for name in NAMES for _ in range(40)]
    truth = [number % 2 for number in range(len(groups))]
    decided = [one if at % 5 else 1 - one for at, one in enumerate(truth)]
    record = eh.audit_predictions(truth, decided, sensitive_features={"语言": groups}, favourable=1)
    limits = {f"{metric}[语言=*]": {"at_least": 0.999} for metric in ("recall", "precision", "accuracy", "specificity")}
    limits["accuracy"] = {"at_least": 0.5}
    return record, eh.judge(record, eh.load_policy({"limits": limits}))


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_at_most_sixty_thousand_bytes(many: Made, rich: Made, lang: str) -> None:
    for record, verdict in (many, rich, (many[0], None)):
        text = eh.render(record, verdict, "markdown", lang=lang)
        assert len(text.encode()) <= 60_000
        assert len(text.encode()) > 10_000, "what has room is shown"


def test_what_is_left_out_is_counted(many: Made) -> None:
    _, verdict = many
    text = eh.render(*many, "markdown")
    table = text.partition("| limit |")[2].partition("\n\n")[0]
    shown = len(re.findall(r"^\| [▲□●] ", table, re.MULTILINE))
    left = re.search(r"^(\d+) more limits are in the page\.$", text, re.MULTILINE)
    assert left is not None and shown + int(left[1]) == len(verdict.judgements) == 193
    assert text.rstrip().endswith("this summary is cut here.*")


def test_the_worst_are_shown(many: Made) -> None:
    rows = re.findall(r"^\| ([▲□●]) ", eh.render(*many, "markdown"), re.MULTILINE)
    order = "▲□●"
    assert rows == sorted(rows, key=order.index) and rows[0] == "▲"


def test_names_stay_text_in_one_cell(many: Made) -> None:
    text = eh.render(*many, "markdown")
    assert not re.search(r"<img", text)
    for block in re.split(r"\n\s*\n", text):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines() if line.startswith("|")}
        assert len(widths) <= 1
