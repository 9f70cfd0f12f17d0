"""Membership of each kind of model: which references it has, how far they are, and who is found, in a private file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import evenhand as eh
from evenhand.errors import InputError
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = list("abcd")
OWN, ORIGINAL, PROXY = "the model's own recipe", "the recipe of the original", "proxy references"


def people(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(rows, 4)), columns=FEATURES)
    table["sex"] = np.where(rng.random(rows) < 0.3, "f", "m")
    table["y"] = (table["a"] + table["b"] + 1.5 * rng.normal(size=rows) > 0).astype(int)
    return table


MEMBERS, OTHERS = people(300, 1), people(300, 2)
CHANCE, BESIDE = MEMBERS.assign(y=[0, 1, 1, 0] * 75), OTHERS.assign(y=[0, 1, 1, 0] * 75)
"""Rows of which nobody knows the label who has not seen them."""
ROLES: dict[str, Any] = {"label": "y", "sensitive_features": "sex"}


def audited(
    model: object, members: pd.DataFrame = MEMBERS, others: pd.DataFrame = OTHERS, **more: Any
) -> eh.AuditRecord:
    return eh.audit(model, others, members=members, audits=["membership"], **(ROLES | more))


def reason(record: eh.AuditRecord) -> str:
    (section,) = record.sections
    assert section.ran, section.reason
    return section.reason


@pytest.fixture(scope="module")
def pipeline() -> Any:
    forest = RandomForestClassifier(20, random_state=0)
    return make_pipeline(StandardScaler(), forest).fit(MEMBERS[FEATURES], MEMBERS["y"])


def test_a_pipeline_is_fitted_again_and_a_callable_has_proxies(pipeline: Any) -> None:
    assert OWN in reason(audited(pipeline))
    assert PROXY in reason(audited(lambda table: pipeline.predict_proba(table[FEATURES])[:, 1]))
    assert PROXY in reason(audited(lambda table: pipeline.predict(table[FEATURES])))


@pytest.mark.slow
def test_an_isolated_model_has_proxies(pipeline: Any, tmp_path: Path) -> None:
    import joblib

    joblib.dump(pipeline, tmp_path / "model.joblib")
    isolated = eh.open_model(tmp_path / "model.joblib", isolate=True, trust_pickle=True)
    assert PROXY in reason(audited(isolated))


def test_a_plain_module_has_proxies() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)  # of other weights all logits may lie in [0, 1], as probabilities do
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    assert PROXY in reason(audited(as_subject(module, score_kind="logit")))


def test_a_compressed_model_has_references_of_its_own_or_of_the_original_and_a_file_without_either_proxies(
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    from evenhand.compression import Int8, compress, open_model
    from evenhand.training import TrainingConfig, fit

    rows = eh.read_evaluation_set(MEMBERS, **ROLES)
    network = fit(rows, config=TrainingConfig(epochs=5, hidden=(8,), baseline=False))
    small = compress(network, Int8(), train=rows)
    small.save(tmp_path / "small.onnx")
    file = open_model(tmp_path / "small.onnx")
    assert OWN in reason(audited(network))
    assert PROXY in reason(audited(file))
    both = audited(file, original=network)
    assert ORIGINAL in reason(both)
    assert both["membership_auc_change[;of=original]"].estimate == pytest.approx(0, abs=0.05)


def test_a_recipe_with_coins_learns_from_all_rows_it_is_given() -> None:
    """Else the references would not have seen half of the rows that they are said to have seen."""
    pytest.importorskip("torch")
    from evenhand.training import TrainingConfig, fit

    rows = eh.read_evaluation_set(MEMBERS, **ROLES)
    model = fit(rows, config=TrainingConfig(epochs=1, hidden=(4,), baseline=False, canary_share=1.0))
    again: Any = model.refit(rows, seed=3)
    assert "coin" in model.history and "coin" not in again.history
    assert again.history["config"]["canary_share"] == 0


def test_it_is_told_which_references_are_next(pipeline: Any) -> None:
    said: list[tuple[int, int, str]] = []
    audited(pipeline, progress=lambda *step: said.append(step), privacy_references=6)
    assert said == [
        (0, 1, "membership"),
        (0, 1, "membership, references 1 and 2 of 6"),
        (0, 1, "membership, references 3 and 4 of 6"),
        (0, 1, "membership, references 5 and 6 of 6"),
    ]


def knows(table: pd.DataFrame) -> Any:
    """A model that knows the labels of some rows by heart."""
    known = dict(zip(table["a"], table["y"], strict=True))

    def model(asked: pd.DataFrame) -> np.ndarray:
        return np.array([{0: 0.01, 1: 0.99}.get(known.get(a, -1), 0.5) for a in asked["a"]])

    return model


def test_members_that_are_found_first_go_to_a_private_file_and_not_on_record(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    place = tmp_path / "exposed.parquet"
    model = knows(CHANCE[100:160])
    record = audited(model, CHANCE, BESIDE, exposed_rows=str(place))
    found = pd.read_parquet(place)
    assert sorted(found["row"]) == list(range(300))
    assert set(found["row"][:60]) == set(range(100, 160))
    assert found["score"].is_monotonic_decreasing
    assert found["false_alarms"][:60].max() == 0 and found["false_alarms"].iloc[-1] > 0.5
    assert place.stat().st_mode & 0o077 == 0
    assert record.findings == audited(model, CHANCE, BESIDE).findings
    assert "exposed" not in str(record)


def test_ids_are_named_and_places_are_those_of_the_rows_that_were_given(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    place = tmp_path / "exposed.parquet"
    given = CHANCE.assign(case=[f"case {at}" for at in range(300)], inside=[0, 1] * 150)
    others = BESIDE.assign(case=[f"other {at}" for at in range(300)])
    eh.audit(
        knows(given[101:161:2]), others, members=given, id="case", member_column="inside", exposed_rows=str(place),
        audits=["membership"], **ROLES,
    )  # fmt: skip
    found = pd.read_parquet(place)
    assert set(found["row"]) == set(range(1, 300, 2))
    assert set(found["row"][:30]) == set(range(101, 161, 2))
    assert (found["id"] == [f"case {row}" for row in found["row"]]).all()


@pytest.mark.parametrize(("more", "words"), [
    ({"exposed_rows": "rows.csv"}, r"ends in \.parquet"),
    ({"exposed_rows": "rows.parquet", "members": None}, "membership audit"),
    ({"exposed_rows": "rows.parquet", "audits": ["performance"]}, "membership audit"),
])  # fmt: skip
def test_a_file_that_would_not_be_written_is_refused_before_any_work(more: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"members": MEMBERS, "audits": ["membership"]} | ROLES | more
    with pytest.raises(InputError, match=words):
        eh.audit(knows(MEMBERS), OTHERS, **given)
