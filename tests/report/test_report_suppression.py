"""Copies for publication: nothing small is shown, and nothing shown gives it away."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError, PolicyError
from evenhand.records import write_record
from evenhand.report.rendering import render
from evenhand.report.suppression import suppressed

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

BELOW = 20


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    rng = np.random.default_rng(3)
    race = rng.choice(["a", "b", "c", "d"], 700, p=[0.6, 0.3, 0.085, 0.015])
    sex = rng.choice(["f", "m"], 700)
    truth = (rng.random(700) < 0.85).astype(int)
    score = np.clip(0.4 * truth + 0.6 * rng.random(700), 0, 1)
    return eh.audit_predictions(truth, y_score=score, sensitive_features={"race": race, "sex": sex})


def sizes(record: AuditRecord) -> dict[tuple[tuple[str, str], ...], int]:
    """Return the rows of every group, all rows under the empty tuple."""
    return {
        tuple(zip(counts.columns, group, strict=True)): int(np.asarray(counts.counts[at]).sum())  # type: ignore[index]
        for counts in record.tallies
        if counts.model == "subject"
        for at, group in enumerate(counts.groups)
    }


def test_no_figure_rests_on_fewer_rows(record: AuditRecord) -> None:
    copy = suppressed(record, BELOW)
    for finding in copy.findings:
        assert finding.support == 0 or finding.support >= BELOW, finding.name
        assert all(part.rows >= BELOW and part.support >= BELOW for part in finding.groups), finding.name
    withheld = [finding for finding in copy.findings if finding.undefined.startswith("withheld")]
    assert {f.key.group for f in withheld} >= {(("race", "d"),), (("race", "c"), ("sex", "f"))}
    assert len(withheld) < len(copy.findings), "what is large enough is still shown"
    assert copy["selection_rate"] == record["selection_rate"]
    assert copy["accuracy"].withheld, "19 of all rows are false positives"
    assert suppressed(record, 15)["accuracy"] == record["accuracy"]


def test_no_line_of_a_table_gives_a_group_away(record: AuditRecord) -> None:
    before, after = sizes(record), sizes(suppressed(record, BELOW))
    hidden = {cell for cell in before if cell not in after}
    assert {cell for cell, rows in before.items() if rows < BELOW} < hidden
    for total in after:
        for column in ("race", "sex"):
            if column in dict(total):
                continue
            line = [c for c in before if len(c) == len(total) + 1 and {*c} > {*total} and column in dict(c)]
            away = [cell for cell in line if cell in hidden]
            assert not away or (len(away) > 1 and sum(before[cell] for cell in away) >= BELOW), (total, away)


def test_the_hidden_sizes_cannot_be_solved(record: AuditRecord) -> None:
    """The shown sizes and all sums leave every hidden size open: the equations do not determine it."""
    before, after = sizes(record), sizes(suppressed(record, BELOW))
    hidden = sorted(cell for cell in before if cell not in after)
    rows = []
    for total, column in itertools.product(before, ("race", "sex")):
        line = [c for c in before if len(c) == len(total) + 1 and {*c} > {*total} and column in dict(c)]
        if line and column not in dict(total):
            rows.append([(cell in line) * 1.0 - (cell == total) for cell in hidden])
    equations = np.array(rows)
    rank = np.linalg.matrix_rank(equations)
    for at in range(len(hidden)):
        assert np.linalg.matrix_rank(np.vstack([equations, np.eye(len(hidden))[at]])) > rank, hidden[at]


def test_rates_that_could_be_solved_from_others_go_together(record: AuditRecord) -> None:
    """Of a group with few true negatives, three rates over all rows would give its false positives."""
    copy = suppressed(record, BELOW)
    thin = [f.key for f in record.findings if f.key.metric == "false_positive_rate" and 0 < f.support < BELOW]
    assert thin
    for key in thin:
        assert copy[key].estimate is None
        assert copy[key.renamed("accuracy")].estimate is None
        assert copy[key.renamed("recall")].estimate is None


def test_counts_leave_the_copy_and_the_gate_refuses_it(record: AuditRecord, tmp_path: Path) -> None:
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.5}, "recall[race=*]": {"at_least": 0.5}}})
    copy = suppressed(record, BELOW)
    assert {counts.axes for counts in copy.tallies} == {("group",)}
    with pytest.raises(PolicyError, match="copy for publication"):
        eh.judge(copy, policy)
    write_record(tmp_path / "audit.json", record)
    (tmp_path / "policy.toml").write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.5 }\n')
    audit, public = str(tmp_path / "audit.json"), str(tmp_path / "public.json")
    assert exit_code(["report", audit, "--suppress-below", str(BELOW), "-f", f"json={public}"]) == 0
    assert exit_code(["gate", public, "-p", str(tmp_path / "policy.toml")]) == 2
    assert exit_code(["report", public, "-o", str(tmp_path / "again.html")]) == 0


def test_no_format_shows_what_is_withheld(record: AuditRecord) -> None:
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.5}, "recall[race=*]": {"at_least": 0.999}}})
    verdict = eh.judge(record, policy)
    hidden = record["recall[race=d]"]
    assert hidden.estimate is not None and hidden.interval is not None
    for name in ("html", "markdown", "json", "text", "csv", "junit", "sarif", "model-card"):
        text = render(record, verdict, name, suppress_below=BELOW)
        for number in (hidden.interval.low, hidden.interval.high):
            assert f"{number:.3f}" not in text or f"{number:.3f}" in ("0.000", "1.000"), name
            assert repr(number) not in text
    judged = json.loads(render(record, verdict, "json", suppress_below=BELOW))
    withheld = [part for part in judged["judgements"] if part["key"] == "recall[race=d]"]
    assert withheld[0]["estimate"] is None and "withheld" in withheld[0]["sentence"]


def test_limits_that_withhold_nothing_or_everything_are_refused(record: AuditRecord) -> None:
    with pytest.raises(InputError, match="withholds nothing"):
        suppressed(record, 1)
    with pytest.raises(InputError, match="nothing could be shown"):
        suppressed(record, 10_000)


def test_every_format_of_an_audit_with_nearly_everything_can_be_suppressed(rich: tuple[AuditRecord, object]) -> None:
    """Figures, tables and JSON agree on what is withheld, whatever drew them."""
    audited, verdict = rich
    for below in (15, 40, 300):
        copy = suppressed(audited, below)
        shown_keys = {f.key for f in copy.findings if f.estimate is not None}
        hidden = [f for f in audited.findings if f.key not in shown_keys and f.estimate is not None and f.interval]
        assert hidden
        shown = {abs(end) for f in copy.findings if f.interval for end in (f.interval.low, f.interval.high) if end}
        ends = (
            {abs(end) for f in hidden if f.interval for end in (f.interval.low, f.interval.high) if end} - shown - {1.0}
        )
        assert ends
        for name in ("html", "markdown", "json", "csv", "model-card", "cyclonedx"):
            text = render(audited, verdict, name, suppress_below=below)  # type: ignore[arg-type]
            assert not [end for end in ends if repr(end) in text], name
        page = render(audited, verdict, "html", suppress_below=below)  # type: ignore[arg-type]
        drawn = " ".join(re.findall("<figure .*?</figure>", page, re.S))
        assert "<td>withheld" in drawn, "its name is in the figure, and no number"
