"""What carries a gap: the parts add up, a planted proxy is named, and a fair model's parts are nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data import EvaluationSet, read_evaluation_set

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord, Finding


def applicants(n: int = 600, proxy: float = 1.5, seed: int = 0) -> EvaluationSet:
    """Two groups that differ in `district` by `proxy`, and in nothing else that the model reads."""
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b"], n)
    table = pd.DataFrame(
        {
            "group": group,
            "district": rng.normal(size=n) + proxy * (group == "b"),
            "income": rng.normal(size=n),
            "noise": rng.normal(size=n),
        }
    )
    table["paid"] = (table["income"] + 0.3 * rng.normal(size=n) > 0).astype(int)
    return read_evaluation_set(table, label="paid", sensitive_features="group", favourable=1)


def score(X: pd.DataFrame) -> np.ndarray:
    return 1 / (1 + np.exp(-(X["income"].to_numpy() - 0.8 * X["district"].to_numpy())))


def parts(record: AuditRecord) -> dict[str, Finding]:
    return {f.key.columns[0]: f for f in record.findings if f.key.metric == "gap_part"}


@pytest.fixture(scope="module")
def record() -> AuditRecord:
    return eh.audit(score, applicants(), audits=["explanation"])


def test_the_parts_add_up_to_the_gap(record: AuditRecord) -> None:
    gap = record['score_gap[;given="group=b";vs="group=a"]']
    assert gap.estimate == pytest.approx(sum(f.estimate or 0.0 for f in parts(record).values()), abs=1e-9)


def test_a_planted_proxy_is_named(record: AuditRecord) -> None:
    found = parts(record)
    district = found["district"]
    assert district.interval is not None
    assert district.interval.high is not None
    assert district.interval.high < -0.8
    for other in ("income", "noise"):
        interval = found[other].interval
        assert interval is not None
        assert (interval.low or 0) < 0 < (interval.high or 0) or abs(found[other].estimate or 0.0) < 1e-12


def test_a_fair_models_parts_cover_nothing() -> None:
    """Without a proxy, the 95 % interval of the district's part holds 0 in nearly all audits."""
    holds = 0
    for seed in range(40):
        found = parts(eh.audit(score, applicants(300, 0.0, seed), audits=["explanation"], explain_rows=120))
        interval = found["district"].interval
        assert interval is not None
        holds += (interval.low or 0.0) <= 0 <= (interval.high or 0.0)
    assert holds >= 34


def test_importance_is_stated_overall_and_in_each_group(record: AuditRecord) -> None:
    assert (record["importance[noise]"].estimate or 0.0) == pytest.approx(0.0, abs=1e-9)
    assert (record["importance[district]"].estimate or 0) > 0.3
    for group in ("a", "b"):
        assert f'importance[income;given="group={group}"]' in record
    assert (record["attribution_residual"].estimate or 0) < 1e-9


def test_predictions_alone_cannot_be_explained() -> None:
    record = eh.audit_predictions([1, 0, 1, 0], [1, 0, 0, 0], sensitive_features={"g": list("aabb")})
    said = {section.audit: section.reason for section in record.sections if not section.ran}
    assert "explanation" in said
