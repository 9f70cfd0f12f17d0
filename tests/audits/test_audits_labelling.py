"""From rows without labels to a verdict: which rows are chosen, what is refused, and what the record keeps."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.audits import audit_given
from evenhand.cli.main import exit_code
from evenhand.errors import EvenhandError

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

N = 4_000
COLUMNS = {"score": "new", "original_score": "old", "label": "paid", "sensitive_features": "race"}
CHOSEN = {"sample_weight": "weight", "stratum_share": "share", "exclude": ("row", "why")}
ROLES = ["--label", "paid", "--sensitive", "race", "--score", "new", "--original-score", "old"]
LIMITS = {
    "accuracy_change[race=*;of=original]": {"at_least": -0.03},
    "recall_change[;of=original]": {"at_least": -0.03},
    "false_positive_rate_change[;of=original]": {"at_most": 0.002},
    "negative_flip_rate[;of=original]": {"at_most": 0.05},
    "recall_difference_change[race;of=original]": {"at_most": 0.2},
}


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Rows with the truth of all, scored by two models."""
    rng = np.random.default_rng(11)
    race, x = rng.choice(["x", "y"], N, p=[0.85, 0.15]), rng.normal(size=N)
    old = 1 / (1 + np.exp(-2 * x + 0.5))
    new = 1 / (1 + np.exp(-2 * x + 0.5 + 0.2 * rng.normal(size=N)))
    return pd.DataFrame({"race": race, "old": old, "new": new, "paid": (rng.random(N) < old).astype(int)})


@pytest.fixture(scope="module")
def filled(people: pd.DataFrame) -> pd.DataFrame:
    """The chosen rows, with their labels."""
    chosen = eh.rows_to_label(people.drop(columns="paid"), **COLUMNS)
    return chosen.assign(paid=people["paid"].to_numpy()[chosen["row"]])


def audited(table: pd.DataFrame, **roles: object) -> AuditRecord:
    return audit_given(eh.read_evaluation_set(table, **{**COLUMNS, **CHOSEN, **roles}))  # type: ignore[arg-type]


def test_the_verdict_is_that_of_all_labels(people: pd.DataFrame, filled: pd.DataFrame) -> None:
    assert len(filled) < N / 5
    some, every = audited(filled), audit_given(eh.read_evaluation_set(people, **COLUMNS))
    policy = eh.load_policy({"limits": LIMITS})
    pairs = list(zip(eh.judge(some, policy).judgements, eh.judge(every, policy).judgements, strict=True))
    assert [one.key for one, _ in pairs] == [other.key for _, other in pairs]
    assert [one.status for one, _ in pairs] == [other.status for _, other in pairs]
    assert {one.status for one, _ in pairs} >= {"passed", "undecided"}
    for key in ("flip_rate[race=y;of=original]", "accuracy_change[race=y;of=original]"):
        found, usual = some[key], every[key]
        assert found.estimate == pytest.approx(usual.estimate)
        assert found.support == usual.support
        assert found.interval is not None and usual.interval is not None
        assert found.interval.low == pytest.approx(usual.interval.low)
    section = next(section for section in some.sections if section.audit == "compression")
    assert f"Of {N:,} rows {len(filled):,} have a label" in section.reason


def test_rows_that_differ_come_first_and_labels_that_are_there_are_kept(people: pd.DataFrame) -> None:
    partly = people.assign(paid=people["paid"].where(np.arange(N) % 20 == 0))
    found = eh.rows_to_label(partly, most=300, **COLUMNS)
    new = found[found["paid"].isna()]
    assert len(new) == 300
    assert len(found) == 300 + N // 20
    assert list(new["why"]) == sorted(new["why"], reverse=True), "the models differ < a sample"
    assert not found["row"].duplicated().any()
    differ = (people["old"] >= 0.5) != (people["new"] >= 0.5)
    assert set(np.flatnonzero(differ)) <= set(found["row"])
    assert (found.groupby("share")["weight"].sum() / N).sum() == pytest.approx(1)
    audited(found.assign(paid=people["paid"].to_numpy()[found["row"]]))


def test_the_same_seed_chooses_the_same_rows(people: pd.DataFrame) -> None:
    rows = [eh.rows_to_label(people.drop(columns="paid"), seed=seed, **COLUMNS)["row"] for seed in (0, 0, 1)]
    assert rows[0].equals(rows[1])
    assert not rows[0].equals(rows[2])


def test_models_decide_as_their_scores_do(people: pd.DataFrame) -> None:
    rows = people.drop(columns="paid")
    by_model = eh.rows_to_label(
        rows, lambda batch: batch["new"].to_numpy(), lambda batch: batch["old"].to_numpy(),
        label="paid", sensitive_features="race",
    )  # fmt: skip
    assert by_model["row"].equals(eh.rows_to_label(rows, **COLUMNS)["row"])


BROKEN = {
    "a row left out": (lambda rows: rows.drop(index=rows.index[-1]), {}, "were chosen. Label each row"),
    "a row twice": (lambda rows: pd.concat([rows, rows.tail(1)]), {}, "were chosen. Label each row"),
    "no sample": (lambda rows: rows[rows["weight"] == 1], {}, "have no labelled row"),
    "other models": (lambda rows: rows.assign(new=rows["new"] * 0.8), {}, "chosen for other models"),
    "other groups": (lambda rows: rows, {"sensitive_features": ()}, "chosen for other models or sensitive"),
    "one model": (lambda rows: rows, {"original_score": None}, "name the original, too"),
    "no weights": (lambda rows: rows, {"sample_weight": None}, "name the column of weights"),
    "a label missing": (lambda rows: rows.assign(paid=rows["paid"].where(rows.index > 3)), {}, "no value in 4 of"),
    "clusters": (lambda rows: rows, {"cluster": "race"}, "were chosen one by one"),
    "weights of 0": (lambda rows: rows.assign(weight=rows["weight"] * (rows.index > 0)), {}, "weigh less than 1"),
    "shares of 0": (lambda rows: rows.assign(share=0.0), {}, "no number above 0"),
    "shares in words": (lambda rows: rows.assign(share="all"), {}, "is no number"),
    "several classes": (lambda rows: rows.assign(paid=np.arange(len(rows)) % 3, new=0, old=1), {
        "task": "multiclass", "score": None, "prediction": "new", "original_score": None, "original_prediction": "old",
    }, "two classes"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_other_rows_are_refused(filled: pd.DataFrame, kind: str) -> None:
    change, roles, sentence = BROKEN[kind]
    with pytest.raises(EvenhandError, match=sentence):
        audited(change(filled), **roles)


@pytest.mark.parametrize(
    ("roles", "sentence"),
    [
        ({"most": 30}, "30 labels are too few"),
        ({"most": 0}, "a whole number of labels from 1"),
        ({"label": None}, "name the column that the labels go to"),
        ({"original_score": None}, "decisions of two models"),
        ({"sample_weight": "old"}, "leave out sample_weight="),
        ({"sensitive_features": "rase"}, "Did you mean 'race'"),
        ({"original": len}, "the compressed model is not"),
    ],
)
def test_what_is_no_choice_is_refused(people: pd.DataFrame, roles: dict[str, object], sentence: str) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        eh.rows_to_label(people.drop(columns="paid"), **{**COLUMNS, **roles})  # type: ignore[arg-type]
    with pytest.raises(EvenhandError, match="the column 'why' is added"):
        eh.rows_to_label(people.assign(why=1), **COLUMNS)
    with pytest.raises(EvenhandError, match="has 3 values; rows of two"):
        eh.rows_to_label(people.assign(paid=np.arange(N) % 3), **COLUMNS)


def test_weighted_rows_cannot_pass_for_chosen_ones(filled: pd.DataFrame) -> None:
    plain = filled.assign(weight=filled["weight"] * np.linspace(0.7, 1.31, len(filled)))
    record = audited(plain, stratum_share=None, exclude=("row", "why", "share"))
    data = record.provenance["data"]
    forged = replace(
        record, provenance={**record.provenance, "data": {**data, "roles": {**data["roles"], "stratum_share": "share"}}}
    )
    with pytest.raises(EvenhandError, match="stand for no whole number"):
        eh.judge(forged, eh.load_policy({"limits": LIMITS}))


def test_from_the_command_line(
    people: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    people.drop(columns="paid").to_csv("rows.csv", index=False)
    assert exit_code(["label", "rows.csv", *ROLES]) == 0
    assert "--weight weight --stratum-share share --exclude row --exclude why" in capsys.readouterr().out
    chosen = pd.read_csv("rows_to_label.csv")
    assert chosen["paid"].isna().all()
    chosen.assign(paid=people["paid"].to_numpy()[chosen["row"]]).to_csv("filled.csv", index=False)
    how = ["--weight", "weight", "--stratum-share", "share", "--exclude", "row", "--exclude", "why"]
    assert exit_code(["audit", "rows_to_label.csv", *ROLES, *how]) == 2
    assert exit_code(["audit", "filled.csv", *ROLES, *how]) == 0
    (tmp_path / "policy.toml").write_text('[limits]\n"accuracy_change[;of=original]" = { at_least = -0.001 }\n')
    capsys.readouterr()
    assert exit_code(["gate", "audit.json", "--policy", "policy.toml"]) == 3
    said = capsys.readouterr().out
    assert "labels are enough for them, as the models differ on" in said
    people.to_csv("all.csv", index=False)
    assert exit_code(["audit", "all.csv", *ROLES, "-o", "all.json"]) == 0
    capsys.readouterr()
    assert exit_code(["gate", "all.json", "--policy", "policy.toml"]) == 3
    ratio = _advised(capsys.readouterr().out) / _advised(said)
    assert 0.5 < ratio < 2, "a labelled sample is worth the rows it was drawn from"
    assert exit_code(["verify", "audit.json", "--data", "filled.csv", "--rerun"]) == 0


def _advised(said: str) -> int:
    (labels,) = re.findall(r"about ([\d,]+) labels are enough", said)
    return int(labels.replace(",", ""))
