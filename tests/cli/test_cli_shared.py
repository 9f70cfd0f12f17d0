"""Well-known data sets through the command line: train, audit, report; and a published audit done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.cli.main import exit_code

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.shared

SETS = {
    "adult": (
        "adult/adult_train.csv.gz",
        [
            "--label",
            "income",
            "--pos-label",
            ">50K",
            "--favourable",
            ">50K",
            "--sensitive",
            "sex",
            "--sensitive",
            "race",
        ],
    ),
    "compas": (
        "compas/compas-scores-two-years.csv.gz",
        ["--label", "two_year_recid", "--pos-label", "1", "--favourable", "0", "--sensitive", "race", "--id", "id"],
    ),
    "german_credit": (
        "german_credit/german_credit_decoded.csv.gz",
        ["--label", "class-label", "--pos-label", "1", "--favourable", "1", "--sensitive", "sex"],
    ),
    "hmda_boston": (
        "hmda_boston/hmda_aer.csv.gz",
        ["--label", "deny", "--pos-label", "yes", "--favourable", "no", "--sensitive", "afam"],
    ),
}


@pytest.mark.parametrize("name", sorted(SETS))
def test_train_audit_and_report_without_hand_holding(
    name: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, roles = SETS[name]
    train = ["train", str(shared / file), *roles, "--epochs", "2", "--test-output", "test.csv", "-o", "m.safetensors"]
    assert exit_code(train) == 0
    audit = ["audit", "test.csv", "--model", "m.safetensors", *roles, "--explain-rows", "10", "--background-rows", "20"]
    assert exit_code([*audit, "-o", "audit.json"]) == 0
    assert exit_code(["report", "audit.json", "-o", "report.html"]) == 0
    record = eh.read_record(tmp_path / "audit.json")
    assert {section.audit for section in record.sections if section.ran} >= {"performance", "fairness", "explanation"}
    assert (tmp_path / "report.html").stat().st_size < 300_000


def test_propublicas_figures(shared: Path, tmp_path: Path) -> None:
    """Larson, Mattu, Kirchner and Angwin 2016: a decile of 5 and more against recidivism within two years."""
    place = tmp_path / "audit.json"
    source = str(shared / "compas" / "compas-scores-two-years.csv.gz")
    roles = ["--label", "two_year_recid", "--pos-label", "1", "--favourable", "0", "--sensitive", "race"]
    given = ["--score", "decile_score", "--score-kind", "ranking", "--threshold", "5"]
    assert exit_code(["audit", source, *roles, *given, "-o", str(place)]) == 0
    record = eh.read_record(place)
    published = {
        "false_positive_rate[race=African-American]": 44.85,
        "false_positive_rate[race=Caucasian]": 23.45,
        "false_negative_rate[race=African-American]": 27.99,
        "false_negative_rate[race=Caucasian]": 47.72,
    }
    for key, percent in published.items():
        assert 100 * (record[key].estimate or 0.0) == pytest.approx(percent, abs=0.005)
