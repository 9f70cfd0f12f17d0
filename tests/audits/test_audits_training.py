"""How a model was trained, on the page: overfitting is a finding with an interval, and costs can be limited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord
    from evenhand.training import NetworkModel

torch: Any = pytest.importorskip("torch")
torch.set_num_threads(1)


def rows(seed: int, n: int, columns: int = 40) -> EvaluationSet:
    """Return rows in which one column tells a little and the others nothing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    y = (x[:, 0] + 1.5 * rng.normal(size=n) > 0).astype(int)
    frame = pd.DataFrame(x, columns=[f"x{at}" for at in range(columns)]).assign(y=y, sex=rng.choice(["f", "m"], n))
    return eh.read_evaluation_set(frame, label="y", sensitive_features=["sex"], name="rows")


def fitted(n: int, **settings: object) -> NetworkModel:
    config = TrainingConfig(threshold=0.5, **settings)  # type: ignore[arg-type]
    return fit(rows(0, n), rows(1, 300), config)


def audited(model: NetworkModel) -> AuditRecord:
    return eh.audit(model, rows(2, 1500), audits=["performance", "training"], explain=False)


@pytest.fixture(scope="module")
def overfitted() -> AuditRecord:
    # it stops when the validation loss has risen for long, and keeps the best of late epochs
    return audited(fitted(150, hidden=(128,), dropout=0.0, weight_decay=0.0, epochs=4, learning_rate=0.03))


def test_overfitting_is_found_and_said(overfitted: AuditRecord) -> None:
    gap = overfitted["generalization_gap[;rate=accuracy]"]
    train, here = overfitted["accuracy[;of=train]"], overfitted["accuracy"]
    assert gap.estimate is not None and train.estimate is not None and here.estimate is not None
    assert gap.estimate == pytest.approx(train.estimate - here.estimate)
    assert gap.interval is not None and gap.interval.low is not None and gap.interval.low > 0
    assert "overfitted" in gap.note
    page = eh.render(overfitted)
    assert "Accuracy: The whole interval is above 0: the model has overfitted." in page
    assert 'id="training-curves' in page
    assert "Accuracy: evaluation rows" in page


def test_more_rows_and_regularization_mend_it(overfitted: AuditRecord) -> None:
    mended = audited(fitted(3000, hidden=(8,), dropout=0.3, weight_decay=0.1, epochs=15, pieces=0))
    before, after = (r["generalization_gap[;rate=accuracy]"].estimate for r in (overfitted, mended))
    assert before is not None and after is not None
    assert after < before / 3
    assert not mended["generalization_gap[;rate=accuracy]"].note
    assert mended["accuracy"].estimate > overfitted["accuracy"].estimate  # type: ignore[operator]


def test_costs_are_findings_that_a_policy_limits(overfitted: AuditRecord) -> None:
    for name in ("training_cpu_seconds", "training_peak_bytes", "training_energy", "prediction_cpu_seconds"):
        finding = overfitted[name]
        assert finding.volatile and finding.estimate is not None and finding.estimate >= 0
    limits = {"training_energy": {"at_most": 1e6}, "training_peak_bytes": {"at_most": 1.0}}
    verdict = eh.judge(overfitted, eh.load_policy({"limits": limits}))
    assert {str(j.key): j.status for j in verdict.judgements} == {
        "training_energy": "passed",
        "training_peak_bytes": "failed",
    }
    assert "W a core" in overfitted["training_energy"].note or "measured" in overfitted["training_energy"].note


def test_models_of_others_tell_what_they_can() -> None:
    from sklearn.linear_model import LogisticRegression

    data = rows(2, 200)
    record = eh.audit(LogisticRegression().fit(data.X, data.y_true), data, audits=["training"], explain=False)
    assert {f.key.metric for f in record.findings} == {"prediction_cpu_seconds", "prediction_energy"}
    given = eh.audit_predictions([0, 1] * 50, [0, 1] * 50)
    assert not given.of_audit("training")
    assert [s.ran for s in given.sections if s.audit == "training"] == [False]


def test_another_threshold_forgets_neither_the_rows_nor_the_cost() -> None:
    from evenhand.subjects import as_subject

    known = rows(3, 200)
    model = fit(known, config=TrainingConfig(hidden=(4,), epochs=2))
    record = eh.audit(as_subject(model, threshold=0.3), known, explain=False, footprint=False)
    assert record.provenance["rows_seen_in_training"] == 200
    assert record["training_cpu_seconds"].estimate == model.cost["cpu_seconds"]
    assert record.get("accuracy[;of=train]") is None, "what it decided of them was decided at its own threshold"
