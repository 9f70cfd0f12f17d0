"""Models of scikit-survival as subjects: risks by a horizon, scores that rank, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import ModelError
from evenhand.subjects import as_subject
from evenhand.subjects.survival import SurvivalSubject
from evenhand.subjects.target import Target
from evenhand.testing import check_subject

if TYPE_CHECKING:
    from pathlib import Path

linear = pytest.importorskip("sksurv.linear_model")
ensemble = pytest.importorskip("sksurv.ensemble")


def followed() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a, sex = rng.normal(size=240), rng.choice(["f", "m"], 240)
    time, lost = rng.exponential(np.exp(-a)), rng.exponential(2.0, 240)
    b = rng.normal(size=240)
    return pd.DataFrame({"a": a, "b": b, "sex": sex, "months": np.minimum(time, lost), "died": (time <= lost) * 1})


TABLE = followed()
X = TABLE[["a", "b"]]
DATA = eh.read_evaluation_set(TABLE, time="months", event="died", horizon=1.0, sensitive_features="sex")


def fitted(model: Any) -> Any:
    from sksurv.util import Surv

    return model.fit(X, Surv.from_dataframe("died", "months", TABLE))


MODELS = {
    "cox": lambda: fitted(linear.CoxPHSurvivalAnalysis()),
    "pipeline": lambda: fitted(make_pipeline(StandardScaler(), linear.CoxPHSurvivalAnalysis())),
    "boosted": lambda: fitted(ensemble.GradientBoostingSurvivalAnalysis(n_estimators=5, random_state=0)),
    "forest": lambda: fitted(ensemble.RandomSurvivalForest(n_estimators=5, random_state=0)),
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_keeps_the_rules_and_gives_the_risk_by_the_horizon(kind: str) -> None:
    model = MODELS[kind]()
    subject = as_subject(model)
    assert isinstance(subject, SurvivalSubject)
    found = check_subject(model, DATA, rows=24)
    assert not found.of("failed", "reported"), found.of("failed", "reported")
    bound = subject.bound(Target("binary", (0, 1), 1.0))
    curves = model.predict_survival_function(X)
    assert np.allclose(bound.predict(X), [1 - curve(1.0) for curve in curves])
    assert bound.facts["horizon"] == 1.0
    assert bound.facts["features"] in (["a", "b"], None)


def test_the_horizon_is_that_of_the_rows_and_no_other() -> None:
    model = MODELS["cox"]()
    record = eh.audit(model, DATA, audits=["survival"], explain=False, footprint=False)
    assert record["concordance"].estimate > 0.6
    with pytest.raises(ModelError, match=r"by 2, and the label is that by 1"):
        eh.audit(as_subject(model, horizon=2.0), DATA)
    with pytest.raises(ModelError, match="predicts when the event comes"):
        eh.audit(model, eh.read_evaluation_set(TABLE, label="died"))
    with pytest.raises(ModelError, match="knows no risk by 1000"):
        as_subject(model, horizon=1000.0).predict(X)
    with pytest.raises(ModelError, match="by when"):
        as_subject(model).predict(X)


def test_a_horizon_applies_to_no_other_model() -> None:
    with pytest.raises(ModelError, match="horizon= does not apply"):
        as_subject(lambda rows: rows["a"], horizon=1.0)


def test_a_model_without_a_survival_function_ranks_and_higher_is_riskier() -> None:
    model = fitted(linear.IPCRidge())  # predicts times: its scores are turned
    with pytest.raises(ModelError, match="has no survival function"):
        as_subject(model)
    subject = as_subject(model, threshold=0.0)
    assert subject.score_kind == "ranking"
    assert np.allclose(subject.predict(X), -model.predict(X))
    record = eh.audit(subject, DATA, audits=["survival"], explain=False, footprint=False)
    assert record["concordance"].estimate > 0.6
    assert "expected_to_observed" not in record


def test_a_net_without_a_baseline_ranks() -> None:
    model = fitted(linear.CoxnetSurvivalAnalysis())
    assert as_subject(model, threshold=0.0).score_kind == "ranking"
    whole = fitted(linear.CoxnetSurvivalAnalysis(fit_baseline_model=True))
    assert as_subject(whole).score_kind == "probability"


def test_a_file_of_a_model_is_known_by_its_hash_and_reruns_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    joblib.dump(MODELS["cox"](), "cox.joblib")
    TABLE.to_csv("rows.csv", index=False)
    rows = ["--time", "months", "--event", "died", "--horizon", "1", "--sensitive", "sex"]
    model = ["--model", "cox.joblib", "--trust-pickle"]
    assert exit_code(["audit", "rows.csv", *model, *rows, "--threshold", "0.3", "--no-explain", "--no-footprint"]) == 0
    assert (
        f"{len(DATA):,} rows whose outcome by the horizon is known, {240 - len(DATA)} cens" in capsys.readouterr().err
    )
    assert exit_code(["verify", "audit.json", "--data", "rows.csv", *model, "--rerun"]) == 0
    told = capsys.readouterr().out
    assert "same       subject: " in told
    assert "same       record: the same to the byte" in told
