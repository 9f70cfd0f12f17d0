"""The audit of times until an event: all rows are asked once, groups are those of all rows, and the page says it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import AUDITS
from evenhand.evidence import Evidence
from evenhand.evidence.options import EvidenceOptions
from evenhand.metrics.values.survival import concordance, observed_risk
from evenhand.report import render
from evenhand.subjects import as_subject

QUICK = {"explain": False, "footprint": False}


def followed(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x, sex = rng.normal(size=n), rng.choice(["f", "m"], n)
    time, lost = rng.exponential(np.exp(-x)), rng.exponential(np.where(sex == "f", 0.8, 3.0))
    return pd.DataFrame(
        {"x": x, "z": rng.normal(size=n), "sex": sex, "months": np.minimum(time, lost), "died": (time <= lost) * 1}
    )


TABLE = followed()
DATA = eh.read_evaluation_set(TABLE, time="months", event="died", horizon=1.0, sensitive_features="sex")


def risk(X: Any) -> Any:
    return 1 - np.exp(-np.exp(X["x"].to_numpy()))


@pytest.fixture(scope="module")
def record() -> Any:
    return eh.audit(risk, DATA, audits=["performance", "fairness", "survival"], **QUICK)


def test_figures_are_of_all_rows_and_agree_with_the_weighted_ones(record: Any) -> None:
    assert record["observed_risk"].support == len(TABLE)
    assert record["accuracy"].support == len(DATA) < len(TABLE)
    for group in ("[sex=f]", "[sex=m]"):
        own = (TABLE["sex"] == group[5]).to_numpy()
        risk_of = observed_risk(TABLE["months"][own], TABLE["died"][own], 1.0, np.zeros(own.sum(), dtype=int))
        assert record[f"observed_risk{group}"].estimate == pytest.approx(risk_of.estimate[0])
        assert record[f"base_rate{group}"].estimate == pytest.approx(risk_of.estimate[0]), "by weights, and by curve"
        mean = risk(TABLE[own]).mean()
        assert record[f"expected_to_observed{group}"].estimate == pytest.approx(mean / risk_of.estimate[0])
    assert record["base_rate"].estimate == pytest.approx(record["observed_risk"].estimate), "of all rows, by group"
    gap = record["concordance[sex=f]"].estimate - record["concordance[sex=m]"].estimate
    assert record["concordance_difference[sex]"].estimate == pytest.approx(abs(gap))
    harrell = concordance(TABLE["months"], TABLE["died"], TABLE["x"], np.zeros(len(TABLE), dtype=int))
    assert record["c_index"].estimate == pytest.approx(harrell.estimate[0]), "by another of its names"


def test_a_policy_judges_them_and_the_page_shows_them(record: Any) -> None:
    verdict = eh.judge(
        record, {"limits": {"concordance": {"at_least": 0.99}, "observed_risk[sex=f]": {"at_most": 0.9}}}
    )
    assert [each.status for each in verdict.judgements] == ["failed", "passed"]
    page = render(record, verdict, "html")
    assert 'id="survival-concordance"' in page
    assert "rows were censored before the horizon (1)" in page
    assert render(record, verdict, "markdown")


def test_precomputed_risks_of_all_rows_say_what_the_model_says(record: Any) -> None:
    told = eh.audit_predictions(
        TABLE["died"], y_score=risk(TABLE), time=TABLE["months"], horizon=1.0, sensitive_features=TABLE[["sex"]],
        audits=["performance", "survival"],
    )  # fmt: skip
    for key in ("concordance[sex=f]", "expected_to_observed", "recall", "roc_auc", "unresolved_share[sex=m]"):
        assert told[key].estimate == pytest.approx(record[key].estimate)


def test_a_column_of_scores_does_too(record: Any) -> None:
    from evenhand.audits import audit_given

    data = eh.read_evaluation_set(
        TABLE.assign(p=risk(TABLE)), score="p", time="months", event="died", horizon=1.0, sensitive_features="sex"
    )
    told = audit_given(data, audits=["survival"])
    assert told["concordance"].estimate == pytest.approx(record["concordance"].estimate)


def test_each_row_is_asked_once() -> None:
    asked: list[int] = []

    def counting(X: Any) -> Any:
        asked.append(len(X))
        return risk(X)

    evidence = Evidence(as_subject(counting), DATA, options=EvidenceOptions())
    assert evidence.predictions.y_score is not None
    assert evidence.followed_scores is not None
    assert evidence.followed_scores is evidence.followed_scores
    assert sum(asked) == len(TABLE)
    assert np.allclose(evidence.followed_scores, risk(TABLE)), "in the order of the rows"


def test_scores_that_rank_have_no_calibration_and_decisions_no_order() -> None:
    ranks = as_subject(lambda X: X["x"].to_numpy(), score_kind="ranking", threshold=0.0, features=["x"])
    record = eh.audit(ranks, DATA, audits=["survival"], **QUICK)
    assert "concordance" in record
    assert "expected_to_observed" not in record
    assert "are no risks" in record.sections[0].reason
    decided = as_subject(lambda X: (X["x"] > 0).to_numpy(), features=["x"])
    record = eh.audit(decided, DATA, audits=["survival"], **QUICK)
    assert "concordance" not in record
    assert "observed_risk[sex=f]" in record
    assert "no order of risks" in record.sections[0].reason


def test_rows_that_were_not_followed_are_not_audited_so() -> None:
    data = eh.read_evaluation_set(TABLE, label="died", exclude="months", sensitive_features="sex")
    record = eh.audit(risk, data, audits=["performance", "survival"], **QUICK)
    assert "concordance" not in record
    assert not next(section for section in record.sections if section.audit == "survival").ran
    wanted = AUDITS["survival"].wanted
    assert not wanted(Evidence(as_subject(risk), data))
    assert wanted(Evidence(as_subject(risk), DATA))


def test_a_group_without_events_is_undefined_and_cannot_pass() -> None:
    table = TABLE.assign(died=TABLE["died"].where(TABLE["sex"] == "m", 0), months=TABLE["months"] + 0.2)
    data = eh.read_evaluation_set(table, time="months", event="died", horizon=1.0, sensitive_features="sex")
    record = eh.audit(risk, data, audits=["survival"], **QUICK)
    assert record["concordance[sex=f]"].estimate is None
    assert "no pair" in record["concordance[sex=f]"].undefined
    verdict = eh.judge(record, {"limits": {"concordance_difference[sex]": {"at_most": 0.9}}})
    assert verdict.status == "undecided"


def test_the_command_line_takes_the_roles(tmp_path: Any) -> None:
    from click.testing import CliRunner

    from evenhand.cli.main import cli

    TABLE.assign(p=risk(TABLE)).to_csv(tmp_path / "rows.csv", index=False)
    done = CliRunner().invoke(
        cli,
        ["audit", str(tmp_path / "rows.csv"), "--time", "months", "--event", "died", "--horizon", "1", "--score", "p",
         "--sensitive", "sex", "--censoring", "overall", "--output", str(tmp_path / "audit.json")],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    record = eh.read_record(tmp_path / "audit.json")
    told = CliRunner().invoke(
        cli, ["data", str(tmp_path / "rows.csv"), "--time", "months", "--event", "died", "--horizon", "1",
              "--output", str(tmp_path / "data.json")],
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert record["unresolved_share[sex=f]"].estimate > record["unresolved_share[sex=m]"].estimate


def test_rows_that_a_command_writes_hold_the_censored_ones(tmp_path: Any) -> None:
    from evenhand.cli.rows import write_rows

    part = eh.split(DATA, {"train": 0.5, "test": 0.5})["test"]
    write_rows(part, tmp_path / "test.csv")
    again = eh.read_evaluation_set(tmp_path / "test.csv", like=DATA)
    assert again.provenance["follow_up"] == part.provenance["follow_up"]
    assert np.allclose(again.sample_weight, part.sample_weight)


@pytest.mark.parametrize("weight", [None, "w"])
def test_a_record_says_how_its_rows_were_read(weight: str | None, tmp_path: Any) -> None:
    from evenhand.data.following import as_read

    data = eh.read_evaluation_set(
        TABLE.assign(w=2.0), time="months", event="died", horizon=1.0, sensitive_features="sex", sample_weight=weight
    )
    told = data.provenance
    roles = {**told["roles"], **as_read(told)}
    again = eh.read_evaluation_set(TABLE.assign(w=2.0), **{k: v for k, v in roles.items() if v not in (None, [], {})})
    assert again.content_hash() == data.content_hash()


def test_a_public_copy_does_not_say_that_a_group_withheld_has_no_rows() -> None:
    table = TABLE.assign(sex=np.where(TABLE.index < 12, "x", TABLE["sex"]))
    table.loc[table.index < 12, "months"] += 1.0  # nobody of so few is lost before the horizon
    few = eh.read_evaluation_set(table[4:], time="months", event="died", horizon=1.0, sensitive_features="sex")
    page = render(eh.audit(risk, few, audits=["survival"], **QUICK), format="markdown", suppress_below=10)
    rows = [line for line in page.splitlines() if line.startswith("| sex=x |")]
    assert any("withheld" in line for line in rows)
    assert not any(line.startswith("| sex=x | 0 |") for line in rows)
