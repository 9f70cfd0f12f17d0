"""Explanations audited: they follow the model, stay where they should, and turn with a model that is spoilt."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

import evenhand as eh
from evenhand.data import EvaluationSet, read_evaluation_set
from evenhand.errors import InputError

AUDITS = ("explanation", "dependence", "explanation_checks", "reasons")


def loans(n: int = 500, seed: int = 0) -> EvaluationSet:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "income": rng.normal(size=n),
            "debt": rng.normal(size=n),
            "area": rng.choice(["north", "south", "west"], n),
            "sex": rng.choice(["f", "m"], n),
            "noise": rng.normal(size=n),
        }
    )
    odds = 2 * table["income"] - table["debt"] + 1.5 * (table["area"] == "south") * table["income"]
    table["paid"] = (odds + rng.logistic(size=n) > 0).astype(int)
    return read_evaluation_set(table, label="paid", sensitive_features="sex", favourable=1)


def score(X: pd.DataFrame) -> np.ndarray:
    income, debt = X["income"].to_numpy(), X["debt"].to_numpy()
    return 1 / (1 + np.exp(-(2 * income - debt + 1.5 * (X["area"] == "south").to_numpy() * income)))


def other(X: pd.DataFrame) -> np.ndarray:
    """The same model, but women's debt counts double."""
    more = (X["sex"] == "f").to_numpy() * X["debt"].to_numpy()
    return 1 / (1 + np.exp(-(np.log(score(X)) - np.log1p(-score(X)) - 3 * more)))


@pytest.fixture(scope="module")
def record() -> eh.AuditRecord:
    return eh.audit(score, loans(), audits=AUDITS)


def value(record: eh.AuditRecord, key: str) -> float:
    found = record[key].estimate
    assert found is not None
    return found


def test_the_score_follows_what_is_ranked_first_and_no_random_order(record: eh.AuditRecord) -> None:
    followed, chance = record["deletion_insertion_gap[;of=values]"], record["deletion_insertion_gap[;of=random]"]
    assert followed.interval is not None and chance.interval is not None
    assert (followed.interval.low or 0) > 1.0 > (chance.interval.high or 0)
    curve = [value(record, f"score_after_removal[;at={at};of=values]") for at in range(5)]
    assert curve[0] > min(curve[1:4]) and value(record, "score_after_removal[;at=0;of=random]") == curve[0]


def test_explanations_hold_still_and_agree(record: eh.AuditRecord) -> None:
    assert value(record, "attribution_similarity[;of=noise]") > 0.99
    assert value(record, 'attribution_similarity[;of="other background"]') > 0.9
    assert value(record, 'attribution_similarity[;of="leaving one out"]') > 0.9


def test_a_network_with_random_weights_is_explained_otherwise() -> None:
    pytest.importorskip("torch")
    from evenhand.training import TrainingConfig, fit

    model = fit(loans(), config=TrainingConfig(epochs=8, seed=0))
    record = eh.audit(model, loans(300, 1), audits=["explanation_checks"], explain_rows=60, background_rows=60)
    assert value(record, 'attribution_similarity[;of="random weights"]') < 0.6
    assert value(record, 'attribution_similarity[;of="expected gradients"]') > 0.9


def test_a_model_of_shuffled_labels_is_explained_otherwise() -> None:
    data = loans()
    inputs = data.X[["income", "debt", "noise"]]
    model = HistGradientBoostingClassifier(max_iter=15).fit(inputs, data.y_true)
    record = eh.audit(model, data, audits=["explanation_checks"], explain_rows=40, background_rows=40)
    assert value(record, 'attribution_similarity[;of="shuffled labels"]') < 0.6


def test_what_compression_moved_is_said_by_group() -> None:
    data = read_evaluation_set(loans().table, label="paid", sensitive_features="sex", use_sensitive=True, favourable=1)
    same = eh.audit(score, data, original=score, audits=["explanation", "explanation_checks"])
    assert value(same, "attribution_similarity[;of=original]") == pytest.approx(1.0)
    assert value(same, "top_features_kept[sex=f;of=original]") == 1.0
    moved = eh.audit(other, data, original=score, audits=["explanation", "explanation_checks"])
    of_women, of_men = (value(moved, f"attribution_similarity[sex={sex};of=original]") for sex in "fm")
    assert of_women < of_men - 0.03


def test_effects_are_those_of_the_model(record: eh.AuditRecord) -> None:
    effects = [f for f in record.findings if f.key.metric == "accumulated_effect" and f.key.columns == ("debt",)]
    places = [float(f.key.qualifier("at") or 0) for f in effects]
    slope = np.polyfit(places, [f.estimate or 0.0 for f in effects], 1)[0]
    assert slope == pytest.approx(-1.0, abs=1e-4)
    partial = [f for f in record.findings if f.key.metric == "partial_dependence" and f.key.columns == ("debt",)]
    slope = np.polyfit([float(f.key.qualifier("at") or 0) for f in partial], [f.estimate or 0.0 for f in partial], 1)[0]
    assert slope == pytest.approx(-1.0, abs=1e-4)
    # income works differently in the south, debt everywhere alike
    assert value(record, "interaction_strength[area,income]") > 0.1
    assert value(record, "interaction_strength[debt,income]") < 0.01


def test_a_small_tree_says_how_far_it_is_the_model(record: eh.AuditRecord) -> None:
    assert 0.3 < value(record, "surrogate_fidelity") < 1
    assert 0.7 < value(record, "surrogate_agreement") <= 1
    said = next(section.reason for section in record.sections if section.audit == "dependence")
    assert "income" in said and "three questions" in said


def test_reasons_against_people_at_the_threshold_and_in_words() -> None:
    record = eh.audit(
        score,
        loans(),
        audits=["reasons"],
        reason_reference="at_threshold",
        feature_words={"income": "income too low for the sum asked"},
    )
    said = next(section.reason for section in record.sections if section.audit == "reasons")
    assert "people at the threshold" in said
    assert record["principal_reason[income]"].note == "In a notice: income too low for the sum asked"
    assert "tied_reasons" in record and "unstable_reasons" in record
    with pytest.raises(InputError, match="known are mean, at_threshold"):
        eh.audit(score, loans(), reason_reference="median")


def test_a_sensitive_reason_says_for_whom() -> None:
    data = read_evaluation_set(loans().table, label="paid", sensitive_features="sex", use_sensitive=True, favourable=1)
    record = eh.audit(lambda X: np.where(X["sex"] == "f", 0.2, score(X)), data, audits=["reasons"])
    assert value(record, "sensitive_reason_share[sex=f]") > 0.7 > 3 * value(record, "sensitive_reason_share[sex=m]")
    assert "withheld" in record["sensitive_reason_share[sex]"].note


def test_of_a_single_input_there_is_no_order_to_check() -> None:
    data = loans(200)
    one = read_evaluation_set(data.table[["income", "sex", "paid"]], label="paid", sensitive_features="sex")
    record = eh.audit(lambda X: 1 / (1 + np.exp(-X["income"])), one, footprint=False)
    assert not record.of_audit("explanation_checks")
    assert eh.judge(record, {"accuracy": {"at_least": 0.5}}).status == "passed"
