"""Reasons with adverse decisions, and whether they are true of the very file that is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.serving.served import Kept, client, row, table

import evenhand as eh
from evenhand.compression import Int8, compress, load_compressed
from evenhand.errors import InputError
from evenhand.serving.predicting.deployed import Deployed
from evenhand.serving.predicting.reasons import Reasons, cells_of
from evenhand.serving.predicting.rows import RowCheck
from evenhand.training import TrainingConfig, fit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

REFUSED, GRANTED = row(income=20.0), row(income=90.0)


def test_reasons_come_with_adverse_decisions_that_ask_for_them() -> None:
    server = client(journal=Kept(), reasons=True)
    asked = [{"inputs": REFUSED, "reasons": True}, {"inputs": GRANTED, "reasons": True}, {"inputs": REFUSED}]
    found = server.post("/predict", json=asked).json()
    assert [each["decision"] for each in found] == ["0", "1", "0"]
    assert found[0]["reasons"]["status"] == "ready" and found[0]["reasons"]["codes"][0] == "income"
    assert "reasons" not in found[1] and "reasons" not in found[2]


def test_a_notice_that_would_name_a_sensitive_input_is_withheld_and_words_are_the_notices_own() -> None:
    told = client(reasons=True, no_reason=("income",)).post("/predict", json={"inputs": REFUSED, "reasons": True})
    assert told.json()["reasons"] == {"status": "withheld: income is among the reasons", "codes": []}
    named = client(reasons=True, feature_words={"income": "Income too low"})
    told = named.post("/predict", json={"inputs": REFUSED, "reasons": True})
    assert told.json()["reasons"]["codes"][0] == "Income too low"


def test_a_server_without_a_background_says_that_it_gives_none() -> None:
    answer = client().post("/predict", json={"inputs": REFUSED, "reasons": True})
    assert answer.status_code == 422 and "gives no reasons" in answer.text


def test_what_cannot_explain_is_told_before_it_is_served() -> None:
    from tests.serving.served import model

    deployed = Deployed(model())
    with pytest.raises(InputError, match="'2' is no decision of this model; it decides 0, 1"):
        Reasons(deployed, table(), "2")
    with pytest.raises(InputError, match="has no column 'income'"):
        Reasons(deployed, table().rename(columns={"income": "earned"}), "0")
    with pytest.raises(InputError, match="reads no column 'sex'"):
        Reasons(deployed, table(), "0", sensitive=("sex",))


def moved(deployed: Deployed, cells: tuple[object, ...], background: list[tuple[object, ...]], at: list[int]) -> float:
    """Return by how much the mean score of a row changes where some columns have the background's values."""
    mixed = [tuple(other[place] if place in at else cell for place, cell in enumerate(cells)) for other in background]
    scores = deployed.subject.predict(deployed.table([cells, *mixed]))
    return float(scores[1:].mean() - scores[0])


@pytest.mark.slow
def test_the_reasons_move_the_score_of_the_file_that_is_served_more_than_other_columns_do(tmp_path: Path) -> None:
    """On the mortgage data: the named columns set to the background's values, beside as many others, drawn 20 times."""
    data = eh.load_loanapp()
    network = fit(data, config=TrainingConfig(epochs=6, hidden=(16,), baseline=False))
    compress(network, Int8(), train=data).save(tmp_path / "served.onnx")
    deployed = Deployed(load_compressed(tmp_path / "served.onnx", isolate=False))
    reasons = Reasons(deployed, data.X, "0", rows=50)
    cells = cells_of(deployed, data.X)
    names = [column.name for column in deployed.columns]
    check = RowCheck(deployed.columns)
    scores: NDArray[np.float64] = deployed.subject.predict(data.X)
    adverse = np.argsort(scores)[:12]
    assert (scores[adverse] < deployed.threshold).all()
    rows = check.rows([{"inputs": dict(zip(names, cells[at], strict=True))} for at in adverse])
    background = cells[::40]
    rng = np.random.default_rng(0)
    told = reasons.of(rows)
    by_reasons, by_others = [], []
    for at, notice in zip(adverse, told, strict=True):
        named = [names.index(str(code)) for code in notice["codes"]]  # type: ignore[union-attr]
        others = np.setdiff1d(np.arange(len(names)), named)
        assert named
        by_reasons.append(moved(deployed, cells[at], background, named))
        drawn = [rng.choice(others, len(named), replace=False).tolist() for _ in range(20)]
        by_others.append(max(moved(deployed, cells[at], background, each) for each in drawn))
    assert min(by_reasons) > 0
    # more than the best of twenty other choices, of nearly every person
    assert np.mean(np.array(by_reasons) > np.array(by_others)) >= 0.9
    assert np.mean(by_reasons) > 2 * np.mean(by_others)
