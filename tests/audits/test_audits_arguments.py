"""A model and a table are enough for an audit: every kind of table, label words, and what a wrong call is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import evenhand as eh
from evenhand.errors import EvenhandError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLUMNS = ["income", "sex", "town"]
QUICK: dict[str, Any] = {"explain": False, "footprint": False, "audits": ["performance", "fairness"]}
ROLES: dict[str, Any] = {"label": "approve", "sensitive_features": ["sex", "town"]}


def applicants(rows: int = 900) -> pd.DataFrame:
    """Return applicants of nine towns, with labels that are words."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "income": rng.normal(50, 15, rows).round(1),
            "sex": rng.choice(["f", "m"], rows),
            "town": rng.choice(list("ABCDEFGHI"), rows),
        }
    )
    good = frame["income"] + rng.normal(0, 10, rows) + 5 * (frame["sex"] == "m") > 50
    return frame.assign(approve=np.where(good, "yes", "no"))


def pipeline(frame: pd.DataFrame, label: Any) -> Any:
    """Return a pipeline that was fitted on the raw columns."""
    encoded = make_column_transformer((OneHotEncoder(), ["sex", "town"]), remainder="passthrough")
    return make_pipeline(encoded, LogisticRegression(max_iter=500)).fit(frame[COLUMNS], label)


FRAME = applicants()
WORDS = pipeline(FRAME, FRAME["approve"])
CODES = pipeline(FRAME, (FRAME["approve"] == "yes").astype(int))
RECORD = eh.audit_predictions(FRAME["approve"], FRAME["approve"], audits="performance")
RIGHT = float((WORDS.predict(FRAME[COLUMNS]) == FRAME["approve"]).mean())


def as_polars(frame: pd.DataFrame) -> object:
    return pytest.importorskip("polars").DataFrame(frame.to_dict("list"))


def as_arrow(frame: pd.DataFrame) -> object:
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


@pytest.mark.parametrize("model", [WORDS, CODES], ids=["words", "codes"])
@pytest.mark.parametrize("kind", ["pandas", "mapping", "polars", "arrow", "path", "set"])
def test_a_table_of_any_kind_is_audited_as_its_evaluation_set(kind: str, model: object, tmp_path: Path) -> None:
    if kind == "set":
        record = eh.audit(model, eh.read_evaluation_set(FRAME, **ROLES), **QUICK)
    else:
        FRAME.to_csv(tmp_path / "applicants.csv", index=False)
        made: dict[str, Callable[[], object]] = {
            "pandas": lambda: FRAME, "mapping": lambda: FRAME.to_dict("list"), "polars": lambda: as_polars(FRAME),
            "arrow": lambda: as_arrow(FRAME), "path": lambda: tmp_path / "applicants.csv",
        }  # fmt: skip
        record = eh.audit(model, made[kind](), **ROLES, **QUICK)
    assert record["accuracy"].estimate == pytest.approx(RIGHT)
    assert len([finding for finding in record.findings if finding.key.metric == "recall"]) == 1 + 2 + 9 + 18
    assert record.provenance["data"]["roles"]["positive"] == "yes"


def test_every_role_is_a_keyword() -> None:
    frame = FRAME.assign(weight=2.0, row=np.arange(len(FRAME)), age=np.arange(len(FRAME)) % 60)
    record = eh.audit(
        WORDS, frame, label="approve", pos_label="no", favourable="yes", sensitive_features="sex", bins={"age": [30]},
        control_features="age", sample_weight="weight", id="row", exclude="town", name="applicants", **QUICK,
    )  # fmt: skip
    data = record.provenance["data"]
    assert (data["name"], data["positive"], data["favourable"]) == ("applicants", "no", "yes")
    assert data["bins"] == {"age": [30]}
    assert data["roles"]["sample_weight"] == "weight"


def test_the_rows_to_explain_against_need_no_label() -> None:
    told = {**QUICK, "explain": True, "explain_rows": 10, "background_rows": 20, "audits": "explanation"}
    alone = eh.audit(WORDS, FRAME, background=FRAME[COLUMNS], **ROLES, **told)
    whole = eh.audit(WORDS, FRAME, background=FRAME, **ROLES, **told)
    assert [finding.estimate for finding in alone.findings] == [finding.estimate for finding in whole.findings]
    assert whole.provenance["rows_seen_in_training"] == len(FRAME)
    assert alone.provenance["rows_seen_in_training"] is None, "whether rows are the same is known with their label"
    with pytest.raises(EvenhandError, match="background: there is no column 'income', which is an input in data"):
        eh.audit(CODES, FRAME, background=FRAME[["sex", "town"]], label="approve", **told)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: eh.audit(WORDS, FRAME), "pass label= with one of 'income', 'sex', 'town', 'approve'"),
        (lambda: eh.audit(WORDS, FRAME, lable="approve"), "no argument 'lable'. Did you mean 'label'?"),
        (lambda: eh.audit(WORDS, FRAME, label="aprove"), "'aprove' (label=). Did you mean 'approve'?"),
        (
            lambda: eh.audit(WORDS, FRAME, label="approve", sensitive_features="age"),
            "'age' (sensitive_features=). Its columns are 'income', 'sex', 'town', 'approve'.",
        ),
        (lambda: eh.audit(FRAME, WORDS, **ROLES), "the model comes first and the table second"),
        (lambda: eh.audit(WORDS.predict(FRAME), FRAME, **ROLES), "use audit_predictions(y_true, y_pred)"),
        (lambda: eh.audit("m.onnx", FRAME, **ROLES), "open it first: evenhand.open_model('m.onnx')"),
        (lambda: eh.audit(WORDS, FRAME["approve"], **ROLES), "data takes a table"),
        (lambda: eh.audit(WORDS, FRAME["income"].to_numpy(), **ROLES), "data takes a table"),
        (lambda: eh.audit(WORDS, FRAME.to_numpy(), **ROLES), "has no column names"),
        (
            lambda: eh.audit(WORDS, FRAME, label="approve", sensitive_features=FRAME["sex"]),
            "sensitive_features= names columns of the table",
        ),
        (
            lambda: eh.audit(WORDS, eh.read_evaluation_set(FRAME, **ROLES), label="approve", missing="group"),
            "data: label=, missing=: an EvaluationSet has the roles of its columns already",
        ),
        (lambda: eh.audit(WORDS, FRAME, audits="fairnes", **ROLES), "Did you mean 'fairness'?"),
        (
            lambda: eh.audit(WORDS, FRAME.assign(approve=FRAME["approve"].map({"yes": "good", "no": "bad"})), **ROLES),
            'Name it, such as pos_label="good".',
        ),
        (
            lambda: eh.audit(WORDS, FRAME.assign(approve=FRAME["approve"] == "yes"), **ROLES),
            "pass positive= with its answer that stands for True",
        ),
        (
            lambda: eh.audit(WORDS, FRAME, pos_label="yes", positive="yess", **ROLES),
            "knows no class 'yess'",
        ),
        (lambda: eh.read_evaluation_set(FRAME, pos_label="yes", positive="yes", **ROLES), "are one setting"),
        (
            lambda: eh.audit(WORDS, FRAME.assign(age=range(900)), bins={"age": 25}, label="approve",
                             sensitive_features="age"),
            "bins={'age': 25} are no increasing finite edges, such as bins={'age': [25, 40, 60]}",
        ),
        (
            lambda: eh.audit_predictions(FRAME["approve"], FRAME["approve"], sensitive_features="sex"),
            "sensitive_features= takes columns of values here, such as df[['sex']]",
        ),
        (lambda: eh.judge({"accuracy": {"at_least": 0.5}}, RECORD), "judge(record, policy): a dict is given"),
        (lambda: eh.judge("audit.json", "policy.toml"), "audit and read_record return one"),
        (lambda: eh.judge(RECORD, {"accuracy": 0.5}), 'limits."accuracy": a limit is a table such as'),
        (lambda: eh.judge(RECORD, ["accuracy"]), "A policy is its file, or its limits"),
        (lambda: eh.write_record(RECORD, "audit.json"), "an AuditRecord is asked for. Swap the two."),
        (lambda: eh.write_report(RECORD, "report.html"), "an AuditRecord is asked for. Swap the two."),
        (
            lambda: eh.write_report("report.html", RECORD, {"accuracy": {"at_least": 0.5}}),
            "a Verdict is asked for. judge(record, policy) returns one.",
        ),
    ],
)  # fmt: skip
def test_a_wrong_call_ends_in_one_sentence_with_the_way_out(call: Callable[[], object], told: str) -> None:
    with pytest.raises(EvenhandError) as wrong:
        call()
    assert told in str(wrong.value)
    assert len(wrong.value.problems) == 1


def test_one_audit_may_be_named_without_a_list() -> None:
    record = eh.audit(WORDS, FRAME, **{**QUICK, "audits": "performance"}, **ROLES)
    assert [section.audit for section in record.sections] == ["performance"]
    given = eh.audit_predictions(FRAME["approve"], FRAME["approve"], audits="performance")
    assert [section.audit for section in given.sections] == ["performance"]


def test_a_measurement_is_cut_as_the_error_advises() -> None:
    ages = np.arange(900) % 80
    with pytest.raises(EvenhandError) as wrong:
        eh.audit_predictions(FRAME["approve"], FRAME["approve"], sensitive_features={"age": ages})
    advised = eval("dict(" + str(wrong.value).partition("such as ")[2].partition(";")[0] + ")")
    record = eh.audit_predictions(FRAME["approve"], FRAME["approve"], sensitive_features={"age": ages}, **advised)
    assert len([f for f in record.findings if f.key.metric == "recall" and f.key.columns == ("age",)]) == 4
    table = eh.audit_table(
        FRAME.assign(age=ages, said=FRAME["approve"]), label="approve", prediction="said", sensitive_features="age",
        **advised,
    )  # fmt: skip
    assert table["recall_difference[age]"].estimate == record["recall_difference[age]"].estimate


def test_a_stranger_needs_five_lines_from_import_to_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("applicants.csv", index=False)
    names: dict[str, Any] = {"model": WORDS}
    lines = [
        "import evenhand as eh",
        'record = eh.audit(model, "applicants.csv", label="approve", sensitive_features=["sex", "town"])',
        'verdict = eh.judge(record, {"accuracy": {"at_least": 0.7}, "recall_difference[town]": {"at_most": 0.9}})',
        'eh.write_report("report.html", record, verdict)',
        "print(verdict)",
    ]
    exec("\n".join(lines), names)
    assert names["verdict"].status == "passed"
    assert names["record"]["recall[town=A]"].support > 0
    assert "town=I" in (tmp_path / "report.html").read_text(encoding="utf-8")
