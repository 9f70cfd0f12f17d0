"""Rows in, answers out: the numbers are the model's, and what is answered is in the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from tests.serving.served import Kept, client, data, model, row, table

from evenhand.compression import OnnxExport, compress
from evenhand.serving.predicting.deployed import Deployed
from evenhand.serving.predicting.rows import RowCheck
from evenhand.subjects import as_subject
from evenhand.subjects.outputs import decisions

if TYPE_CHECKING:
    from starlette.testclient import TestClient

JSON = {"content-type": "application/json"}
BAD = {
    "no JSON": (b"{", 400, "can be read"),
    "no UTF-8": (b'{"inputs": "\xff"}', 400, "utf-8"),
    "half of a surrogate pair": (b'{"inputs": {"job": "\\ud800"}}', 400, "half of a surrogate pair."),
    "NaN": (b'{"inputs": {"income": NaN}}', 400, "NaN is no number"),
    "Infinity": (b'{"inputs": {"income": -Infinity}}', 400, "-Infinity is no number"),
    "too large": (b'{"inputs": {"income": 1e999}}', 400, "too large"),
    "a key twice": (b'{"inputs": {"income": 1, "income": 2}}', 400, "twice"),
    "a depth bomb": (b"[" * 200_000, 400, "nested too deeply"),
    "thousands of digits": (b'{"inputs": {"income": ' + b"9" * 5000 + b"}}", 400, "digits"),
    "a whole number beyond 64 bits": (b'{"inputs": {"income": ' + b"9" * 30 + b"}}", 400, "too large"),
    "no object": (b"7", 422, "a row is an object"),
    "no row": (b"[]", 422, "There is no row"),
    "nothing": (b"", 400, "can be read"),
    "megabytes": (b" " * 1_100_000, 413, "1,000,000 bytes"),
    "too many rows": (b"[" + b"{}," * 1_000 + b"{}]", 413, "1,001 rows"),
}


def problems(answer: Any) -> list[str]:
    found = answer.json()["errors"]
    assert isinstance(found, list)
    return found


def sent(rows: pd.DataFrame) -> list[dict[str, Any]]:
    told = rows.drop(columns="paid").to_json(orient="records")
    return [{"inputs": each} for each in json.loads(told)]


@pytest.mark.parametrize("kind", ["network", "onnx", "function"])
def test_the_scores_and_decisions_are_those_of_the_model(kind: str) -> None:
    rows, subject, columns = table(40, seed=5), model(), ()
    if kind == "onnx":
        subject = compress(model(), OnnxExport(), train=data())  # type: ignore[assignment]
    if kind == "function":
        subject = as_subject(lambda X: 1 / (1 + np.exp(50 - X["income"])))  # type: ignore[assignment]
        columns = Deployed(model()).columns  # type: ignore[assignment]
    found = client(subject, columns=columns).post("/predict", json=sent(rows)).json()
    scores = subject.predict(rows.drop(columns="paid"))
    np.testing.assert_array_equal([each["score"] for each in found], scores)
    assert [each["decision"] for each in found] == [str(at) for at in decisions(scores, subject.threshold)]
    assert len({each["id"] for each in found}) == 40


def test_one_row_is_answered_by_an_object_and_a_list_by_a_list() -> None:
    server = client()
    one, several = server.post("/predict", json={"inputs": row()}), server.post("/predict", json=[{"inputs": row()}])
    assert set(one.json()) == {"id", "model", "score", "decision"}
    assert one.json()["score"] == several.json()[0]["score"]
    assert one.json()["model"] == model().facts["sha256"]


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_request_is_refused_and_nothing_is_stored(case: str) -> None:
    content, status, words = BAD[case]
    kept = Kept()
    answer = client(journal=kept).post("/predict", content=content, headers=JSON)
    assert answer.status_code == status and words in problems(answer)[0]
    assert not kept.entries


def test_all_problems_of_all_rows_are_told_together() -> None:
    bad = [{"inputs": {"job": ["clerk"], "regions": 20, "income": "much"}}, {"inputs": row(), "id": 7, "reason": True}]
    answer = client().post("/predict", json=bad)
    assert answer.status_code == 422
    told = "\n".join(problems(answer))
    for words in (
        "row 1: inputs.job holds a list: a cell is a number, a text or null.",
        "row 1: inputs.region is missing: send null",
        "row 1: inputs.income holds the text 'much', and the model reads a number here.",
        "row 1: inputs.regions: the model reads no such column. Did you mean 'region'?",
        "row 2: id holds 7",
        "row 2: 'reason' is no part of a row; known are inputs, id, groups, person, reasons. Did you mean 'reasons'?",
    ):
        assert words in told


def test_a_thousand_problems_are_cut_and_counted() -> None:
    told = problems(client().post("/predict", json=[{}] * 1000))
    assert len(told) == 51 and told[-1] == "There are 950 more problems."


def test_what_training_never_saw_is_predicted_and_noted() -> None:
    server = client()
    noted = server.post("/predict", json={"inputs": row(job="pilot", income=10_000)}).json()
    assert (noted["unseen"], noted["outside"]) == (["job"], ["income"])
    filled = server.post("/predict", json={"inputs": row(region=None, job=None)}).json()
    assert filled["filled"] == ["job"]  # of regions some were missing in training
    counts = server.get("/metrics").text
    assert 'evenhand_noted_cells_total{column="job",why="unseen"} 1.0' in counts
    assert 'evenhand_noted_cells_total{column="job",why="filled"} 1.0' in counts


def test_strict_refuses_what_training_never_saw() -> None:
    server = client(strict=True)
    told = problems(server.post("/predict", json={"inputs": row(job="pilot")}))
    assert told == ["inputs.job holds the text 'pilot', which is no level that the model has learnt."]
    assert "no training row had a missing value" in problems(server.post("/predict", json={"inputs": row(job=None)}))[0]
    assert server.post("/predict", json={"inputs": row(income=10_000)}).status_code == 200


def test_groups_and_persons_are_logged_and_not_read() -> None:
    kept = Kept()
    server = client(journal=kept)
    plain = server.post("/predict", json={"inputs": row()}).json()
    asked = {"inputs": row(), "id": "a1", "groups": {"race": "x", "age": 40, "sex": None}, "person": "p-9"}
    answer = server.post("/predict", json=asked).json()
    assert answer == {**plain, "id": "a1"}
    entry = kept.entries["a1"]
    assert entry.groups == {"race": "x", "age": "40", "sex": None}
    assert (entry.person, entry.score, entry.decision) == ("p-9", answer["score"], answer["decision"])
    assert entry.inputs == row() and entry.time.tzinfo is not None and entry.model == answer["model"]
    wrong = {"inputs": row(), "groups": {"race": [1]}}
    assert "groups.race holds a list" in problems(server.post("/predict", json=wrong))[0]


def test_nothing_is_answered_that_is_not_logged_and_the_server_comes_back() -> None:
    kept = Kept()
    server = client(journal=kept)
    kept.lost = True
    answer = server.post("/predict", json={"inputs": row()})
    assert answer.status_code == 503 and "Nothing is answered that is not logged" in problems(answer)[0]
    assert answer.headers["retry-after"] and "score" not in answer.text
    ill = server.get("/health")
    assert (ill.status_code, ill.json()) == (503, {"live": True, "ready": False, "model": True, "log": False})
    kept.lost = False
    assert server.get("/health").json()["ready"]
    assert server.post("/predict", json={"inputs": row()}).status_code == 200


def test_an_id_sent_again_is_the_same_answer_and_one_of_other_rows_is_a_conflict() -> None:
    kept = Kept()
    server = client(journal=kept)
    first, again = (server.post("/predict", json={"inputs": row(), "id": "a"}) for _ in range(2))
    assert first.json() == again.json() and len(kept.entries) == 1
    other = server.post("/predict", json={"inputs": row(income=60), "id": "a"})
    assert other.status_code == 409 and "another content" in problems(other)[0]


def test_a_model_that_fails_is_told_and_started_again() -> None:
    def fails(X: pd.DataFrame) -> pd.Series:
        if (X["income"] > 99).any():
            raise RuntimeError("no such income")
        return X["income"] / 100

    server = client(as_subject(fails), columns=Deployed(model()).columns)
    answer = server.post("/predict", json={"inputs": row(income=100)})
    assert answer.status_code == 500 and "no such income" in problems(answer)[0]
    assert server.post("/predict", json={"inputs": row()}).status_code == 200
    assert "evenhand_model_failures_total 1.0" in server.get("/metrics").text


def test_thresholds_classes_and_numbers_of_a_server() -> None:
    low = client(threshold=0.0, classes=("refused", "granted")).post("/predict", json={"inputs": row()}).json()
    assert low["decision"] == "granted"
    with pytest.raises(Exception, match="classes= has 3 words"):
        client(classes=("a", "b", "c"))


def test_a_table_has_one_type_a_column_whichever_rows_are_beside_each_other() -> None:
    deployed = Deployed(as_subject(lambda X: X["income"] * 0), Deployed(model()).columns)
    check = RowCheck(deployed.columns)
    mixed = [{"inputs": row()}, {"inputs": row(income=None, job=7, region=True)}, {"inputs": row(job=None, region=1.5)}]
    rows = check.rows(mixed)
    together = deployed.table([each.cells for each in rows])
    for at, each in enumerate(rows):
        alone = deployed.table([each.cells])
        assert (alone.dtypes == together.dtypes).all()
        pd.testing.assert_frame_equal(alone, together.iloc[[at]].reset_index(drop=True))


def test_everything_else_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    server: TestClient = client()
    assert (
        server.get("/").status_code == server.get("/predict/x").status_code == server.post("/docs").status_code == 404
    )
    assert server.post("/feedback", json={}).status_code == 404  # nothing is logged here
    wrong = server.get("/predict")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert server.post("/predict", content=b"{}").status_code == 415
    packed = server.post("/predict", content=b"{}", headers={**JSON, "content-encoding": "gzip"})
    assert packed.status_code == 415
    for name, value in {"cache-control": "no-store", "x-content-type-options": "nosniff"}.items():
        assert wrong.headers[name] == value
    assert not capsys.readouterr().err
