"""The decision curve: what is stated at which thresholds, and what the gate derives of it anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import evenhand as eh
from evenhand.audits import AuditOptions, audit_given
from evenhand.errors import InputError, RecordError
from evenhand.findings import Absent, AuditRecord, Finding
from evenhand.keys import Key
from evenhand.policy.deriving import derive
from evenhand.policy.thresholds import sweep
from evenhand.report.drawings import Lines
from evenhand.report.sections.catalogue import parts
from evenhand.report.sections.decision_curve import _to_the_foot

AT = (0.05, 0.1, 0.3)
METRICS = ("net_benefit", "net_benefit_of_all", "net_benefit_gain")
RNG = np.random.default_rng(0)
RISK = RNG.beta(1, 6, 600)
TRUE = (RNG.random(600) < RISK).astype(int)
SEX = np.where(np.arange(600) % 3 == 0, "f", "m")


def audited(**more: object) -> AuditRecord:
    options = {"y_score": RISK, "threshold": 0.2, "sensitive_features": {"sex": SEX}, "decision_thresholds": AT}
    return eh.audit_predictions(TRUE, audits=["performance", "fairness", "decision_curve"], **options | more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    return audited()


def curve(found: AuditRecord) -> tuple[Finding, ...]:
    return found.of_audit("decision_curve")


def test_each_threshold_has_values_of_all_rows_of_groups_and_gaps(record: AuditRecord) -> None:
    for metric in METRICS:
        for at in (None, *AT):
            said = "" if at is None else f";threshold={at:g}"
            assert record[f"{metric}[{said}]" if said else metric].estimate is not None
            assert record[f"{metric}[sex=f{said}]"].support == int((SEX == "f").sum())
    assert record["net_benefit_difference[sex;threshold=0.1]"].interval is not None
    assert record["net_benefit_gain_group_min[sex]"].estimate is not None
    assert record.stated("net_benefit_of_all_difference[sex]") is None  # without a model groups differ by base rates


def test_the_value_at_a_threshold_is_that_of_the_rows_decided_there(record: AuditRecord) -> None:
    for at in (0.2, *AT):
        decided = at <= RISK
        wanted = (decided & (TRUE == 1)).mean() - (decided & (TRUE == 0)).mean() * at / (1 - at)
        key = "net_benefit" if at == 0.2 else f"net_benefit[;threshold={at:g}]"
        assert record[key].estimate == pytest.approx(wanted)


def test_the_gate_derives_every_threshold_from_counts(record: AuditRecord) -> None:
    derived = derive(record)
    assert not [key for key in derived.claims if "net_benefit" in key.metric]
    changed = replace(record["net_benefit_gain[;threshold=0.1]"], estimate=0.5)
    told = tuple(changed if finding.key == changed.key else finding for finding in record.findings)
    with pytest.raises(RecordError, match="net_benefit_gain"):
        derive(replace(record, findings=told))


def test_any_metric_of_decisions_can_be_judged_at_a_threshold_that_was_counted(record: AuditRecord) -> None:
    found = record["recall[;threshold=0.3]"]
    assert found.estimate == pytest.approx((RISK[TRUE == 1] >= 0.3).mean())
    verdict = eh.judge(record, {"limits": {"recall[;threshold=0.3]": {"at_least": 0.01}}})
    assert verdict.status == "passed"
    for key, why in (
        ("recall[;threshold=0.123]", "no counts of the decisions"),
        ("recall[;threshold=high]", "no number"),
    ):
        found = record.find(key)
        assert isinstance(found, Absent)
        assert why in found.reason


def test_in_clusters_the_models_own_threshold_is_derived_and_others_are_claims() -> None:
    record = clustered()
    derived = derive(record)
    claims = {str(key) for key in derived.claims if "net_benefit" in key.metric}
    assert "net_benefit_gain[;threshold=0.1]" in claims
    assert "net_benefit_gain" not in claims
    assert "one more cluster" in record["net_benefit"].interval.method  # type: ignore[union-attr]
    (section,) = (section for section in record.sections if section.audit == "decision_curve")
    assert "stay what this audit states" in section.reason


@pytest.mark.parametrize("weighted", [False, True])
def test_a_threshold_is_found_however_it_is_written(*, weighted: bool) -> None:
    more = {"sample_weight": np.linspace(1, 2, 600)} if weighted else {}
    record = audited(decision_thresholds=[0.1, 1 / 3], **more)
    for text in (".1", "0.10", "1e-1"):
        assert record[f"net_benefit[sex=f;threshold={text}]"] == record["net_benefit[sex=f;threshold=0.1]"]
        policy = eh.load_policy({"limits": {f"net_benefit[;threshold={text}]": {"at_least": -1.0}}})
        assert eh.judge(record, policy).status == "passed"
    decided = RISK >= 1 / 3
    stated = record.stated(f"net_benefit[;threshold={1 / 3}]")
    assert stated is not None
    if not weighted:
        assert stated.estimate == pytest.approx((decided & (TRUE == 1)).mean() - (decided & (TRUE == 0)).mean() / 2)
        assert not {key for key in derive(record).claims if key.metric in METRICS}


def clustered() -> AuditRecord:
    table = {"paid": TRUE, "score": RISK, "sex": SEX, "person": np.arange(600) // 3}
    data = eh.read_evaluation_set(
        table, label="paid", sensitive_features="sex", score="score", cluster="person"
    )  # fmt: skip
    return audit_given(data, options=AuditOptions(decision_thresholds=AT, explain=False), threshold=0.2)


def test_named_thresholds_alone_bring_it() -> None:
    assert not curve(eh.audit_predictions(TRUE, y_score=RISK, sensitive_features={"sex": SEX}))
    with pytest.raises(InputError, match="decision_thresholds"):
        audited(decision_thresholds=(1.0,))


def test_scores_that_rank_have_none() -> None:
    record = audited(y_score=10 * RISK, threshold=2.0, score_kind="ranking")
    assert not curve(record)
    assert "threshold probability" in record["net_benefit"].undefined


def test_decisions_that_are_not_those_of_the_scores_have_none_of_their_own() -> None:
    record = audited(y_pred=1 - (RISK >= 0.1), threshold=None)
    assert record.provenance["subject"]["other_decisions"] > 0
    assert record["net_benefit[;threshold=0.1]"].estimate is not None
    assert record.stated("net_benefit") is None
    assert derive(record)


def test_a_sweep_judges_net_benefit_at_each_threshold_and_leaves_one_that_is_named() -> None:
    policy = eh.load_policy(
        {"limits": {"net_benefit": {"at_least": -1}, "net_benefit[;threshold=.1]": {"at_least": 0}}}
    )
    found = sweep(audited(), policy)
    assert found.left_out == ("net_benefit[;threshold=0.1]",)
    at = next(step for step in found.steps if step.threshold == 0.3)
    value = at.judgements[0].finding.estimate  # type: ignore[union-attr]
    decided = RISK >= 0.3
    wanted = (decided & (TRUE == 1)).mean() - (decided & (TRUE == 0)).mean() * 0.3 / 0.7
    assert value == pytest.approx(wanted)


def test_the_page_draws_the_model_beside_both_rules_and_each_group(record: AuditRecord) -> None:
    before, _ = parts(record, None)
    part = next(part for part in before if part.name == "decision_curve")
    lines = {block.name: block for block in part.blocks if isinstance(block, Lines)}
    assert [line.label for line in lines["decision-curve-figure"].lines] == [
        "the model", "positive for all", "positive for nobody",
    ]  # fmt: skip
    assert len(lines["decision-curve-figure"].table.rows) == 1 + len(AT)
    assert {line.label for line in lines["decision-curve-1-figure"].lines} == {"sex=f", "sex=m"}
    assert "Of 4 thresholds" in part.answer
    assert not [part for part in parts(audited(decision_thresholds=()), None)[0] if part.name == "decision_curve"]


def test_a_line_that_leaves_the_axis_keeps_its_slope_down_to_its_foot() -> None:
    places, lines = [0.1, 0.2, 0.3], [("model", [0.13, 0.09, 0.06]), ("all", [0.12, 0.02, -0.12])]
    at, drawn = _to_the_foot(places, lines, -0.05)
    assert at == pytest.approx([0.1, 0.2, 0.25, 0.3])
    assert drawn[0][1] == pytest.approx([0.13, 0.09, 0.075, 0.06])
    assert drawn[1][1] == pytest.approx([0.12, 0.02, -0.05, -0.12])


def test_groups_are_compared_within_a_control_feature_too() -> None:
    site = np.where(np.arange(600) % 2 == 0, "north", "south")
    record = audited(control_features={"site": site})
    found = record['net_benefit_difference[sex;given="site=north"]']
    values = [
        float(((RISK >= 0.2) * (TRUE - (1 - TRUE) * 0.25))[(sex == SEX) & (site == "north")].mean()) for sex in "fm"
    ]
    assert found.estimate == pytest.approx(abs(values[0] - values[1]))
    refused = record.find("net_benefit_difference[sex;given=site;threshold=0.1]")
    assert isinstance(refused, Absent)


def test_a_page_is_drawn_of_a_record_whose_threshold_is_no_number(record: AuditRecord) -> None:
    forged = tuple(
        replace(each, key=Key(each.key.metric, each.key.features, (("threshold", "abc"),)))
        if each.key.qualifier("threshold")
        else each
        for each in record.findings
    )
    drawn, _ = parts(replace(record, findings=forged), None)
    assert "abc" not in repr([each for each in drawn if each.name == "decision_curve"])
