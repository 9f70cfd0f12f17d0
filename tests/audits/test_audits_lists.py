"""A recommender is audited for its users: by whom a list is for, by what is in it, and beside its compressed twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

import evenhand as eh
from evenhand.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

USERS, ITEMS = 60, 12


@pytest.fixture(scope="module")
def rows() -> dict[str, Any]:
    """Lists of 12 films for 60 users, 12 of them women; relevance follows the score for men more than for women."""
    rng = np.random.default_rng(0)
    user, film = np.repeat(np.arange(USERS), ITEMS), np.tile(np.arange(ITEMS), USERS)
    gender = np.where(user % 5 == 0, "F", "M")
    score = rng.random(len(user))
    liked = (rng.random(len(user)) < np.where(gender == "M", score**2, 0.25)).astype(float)
    kind = rng.choice(["new", "old"], len(user))
    return {
        "y_true": liked, "y_pred": score, "task": "ranking", "query": np.char.add("u", user.astype(str)),
        "sensitive_features": pd.DataFrame({"gender": gender, "kind": kind}), "user": user, "film": film,
    }  # fmt: skip


@pytest.fixture(scope="module")
def record(rows: dict[str, Any]) -> eh.AuditRecord:
    return audited(rows)


def audited(rows: dict[str, Any], **more: Any) -> eh.AuditRecord:
    given = {key: value for key, value in rows.items() if key not in ("user", "film")}
    return eh.audit_predictions(**{"audits": ["rankings"], **given, **more})


def test_features_of_users_have_quality_and_those_of_items_exposure(record: eh.AuditRecord) -> None:
    assert {"ndcg[gender=F;at=10]", "recall_at_k[gender=M;at=5]", "ndcg_difference[gender;at=10]"} <= {
        str(finding.key) for finding in record.findings
    }
    of = {
        feature: {f.key.metric for f in record.findings if f.key.columns == (feature,)}
        for feature in ("gender", "kind")
    }
    assert not any(metric.startswith("exposure") for metric in of["gender"])
    assert all(metric.startswith("exposure") for metric in of["kind"])
    both = {f.key.metric for f in record.findings if f.key.columns == ("gender", "kind")}
    assert "exposure" in both and "ndcg" not in both, "films of a kind in the lists of women: items"
    (section,) = [section for section in record.sections if section.audit == "rankings"]
    assert section.reason.startswith("gender: the same in all rows of each list")
    assert "kind: differ inside lists" in section.reason


def test_quality_of_a_group_is_that_of_its_lists(rows: dict[str, Any], record: eh.AuditRecord) -> None:
    women = rows["user"] % 5 == 0
    worth, score = (rows[name][women].reshape(-1, ITEMS) for name in ("y_true", "y_pred"))
    kept = worth.max(axis=1) > 0
    found = record["ndcg[gender=F;at=5]"]
    assert found.estimate == pytest.approx(sk.ndcg_score(worth[kept], score[kept], k=5))
    assert found.support == kept.sum()
    first = np.take_along_axis(worth, np.argsort(-score, axis=1)[:, :5], axis=1).sum(axis=1)
    assert record["recall_at_k[gender=F;at=5]"].estimate == pytest.approx((first / worth.sum(axis=1))[kept].mean())
    assert record["precision_at_k[gender=F;at=5]"].estimate == pytest.approx((first / 5)[kept].mean())
    assert record["hit_rate_at_k[gender=F;at=5]"].estimate == pytest.approx((first > 0)[kept].mean())
    assert record["ndcg_difference[gender;at=5]"].interval.low >= 0


def test_how_many_items_are_looked_at_is_an_option(rows: dict[str, Any]) -> None:
    record = audited(rows, list_lengths=(3,))
    assert {f.key.qualifier("at") for f in record.findings} == {None, "3"}
    with pytest.raises(InputError, match="list_lengths"):
        audited(rows, list_lengths=(0,))


def test_a_policy_and_measure_take_them(rows: dict[str, Any], record: eh.AuditRecord) -> None:
    given = {key: value for key, value in rows.items() if key not in ("user", "film")}
    found = eh.measure(**given, metrics=["recall_at_k", "ndcg"])
    assert found["recall_at_k[gender=F;at=10]"].interval == record["recall_at_k[gender=F;at=10]"].interval
    limits = {"ndcg[gender=*;at=10]": {"at_least": 0.05}, "recall_at_k_difference[gender;at=5]": {"at_most": 0.95}}
    verdict = eh.judge(record, {"limits": limits})
    assert [judgement.status for judgement in verdict.judgements] == ["passed"] * 3


@pytest.fixture
def past(tmp_path: Path) -> str:
    """The history of all but the last ten users: two films each, one of a kind known to 10 people, one to 30."""
    user = np.repeat(np.arange(USERS - 10), 2)
    table = pd.DataFrame(
        {
            "query": np.char.add("u", user.astype(str)),
            "known": [10, 30] * (USERS - 10),
            "genre": ["a", "a|b"] * (USERS - 10),
        }
    )
    table.to_csv(tmp_path / "history.csv", index=False)
    return str(tmp_path / "history.csv")


def films(rows: dict[str, Any]) -> eh.EvaluationSet:
    table = pd.DataFrame({key: rows[key] for key in ("query", "y_true", "y_pred")}).join(rows["sensitive_features"])
    table = table.assign(known=10.0 * (1 + rows["film"]), genre=np.where(rows["film"] % 2, "a", "b"))
    return eh.read_evaluation_set(
        table, label="y_true", score="y_pred", task="ranking", query="query", sensitive_features=["gender", "kind"],
        name="films",
    )  # fmt: skip


def of_films(rows: dict[str, Any], **more: Any) -> eh.AuditRecord:
    data = films(rows)
    return eh.audit(lambda X: rows["y_pred"][X.index], data, audits=["rankings"], explain=False, **more)


def test_popularity_and_categories_are_compared_with_the_history(rows: dict[str, Any], past: str) -> None:
    record = of_films(rows, history=past, popularity="known", categories="genre", list_lengths=(4,))
    chosen = np.argsort(-rows["y_pred"].reshape(USERS, ITEMS), axis=1)[:, :4]
    known, women = np.arange(USERS) < USERS - 10, np.arange(USERS) % 5 == 0
    lift = (10 * (1 + chosen)).mean(axis=1)[known & women].mean() / 20 - 1
    assert record["popularity_lift[gender=F;at=4]"].estimate == pytest.approx(lift)
    assert record["popularity_lift[gender=F;at=4]"].support == 10
    a = (chosen % 2).mean(axis=1)
    p = np.array([0.75, 0.25])
    by_list = [float((p * np.log(p / (0.99 * np.array([q, 1 - q]) + 0.01 * p))).sum()) for q in a]
    assert record["miscalibration[;at=4]"].estimate == pytest.approx(np.array(by_list)[known].mean())
    (section,) = [section for section in record.sections if section.audit == "rankings"]
    assert "10 of 60 lists have no earlier interaction" in section.reason


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"popularity": "known"}, "popularity.? is compared with what was chosen before"),
        ({"history": "x.csv"}, "history.? is compared by"),
        ({"popularity": "fame", "history": None}, "no column 'fame', which the history needs"),
        ({"popularity": "genre", "history": None}, "takes numbers from 0 on"),
    ],
)
def test_what_cannot_be_compared_is_told(rows: dict[str, Any], past: str, more: dict[str, Any], words: str) -> None:
    given = {**more, "history": past} if "history" in more and more["history"] is None else more
    with pytest.raises(InputError, match=words):
        of_films(rows, **given)


def test_empty_cells_of_a_history_are_told(rows: dict[str, Any], tmp_path: Path) -> None:
    pd.DataFrame({"query": ["u1", "u2"], "known": [3.0, None]}).to_csv(tmp_path / "h.csv", index=False)
    with pytest.raises(InputError, match="'known' is empty in 1 rows"):
        of_films(rows, history=str(tmp_path / "h.csv"), popularity="known")


def changed(rows: dict[str, Any], new: np.ndarray, **more: Any) -> eh.AuditRecord:
    table = {key: rows[key] for key in ("query", "y_true")} | dict(rows["sensitive_features"].items())
    data = eh.read_evaluation_set(
        {**table, **more}, label="y_true", task="ranking", query="query", sensitive_features=["gender", "kind"],
        **({"cluster": "person"} if "person" in more else {}),
    )  # fmt: skip
    return eh.audit(
        lambda X: new[X.index], data, original=lambda X: rows["y_pred"][X.index], audits=["compression"],
        explain=False, footprint=False,
    )  # fmt: skip


def test_the_compressed_twin_is_compared_list_by_list(rows: dict[str, Any]) -> None:
    women = rows["user"] % 5 == 0
    new = np.where(women, -rows["y_pred"], rows["y_pred"])
    record = changed(rows, new)
    plain = [audited({**rows, "y_pred": score})["ndcg[gender=F;at=10]"].estimate for score in (rows["y_pred"], new)]
    found = record["ndcg_change[gender=F;at=10;of=original]"]
    assert found.estimate == pytest.approx(plain[1] - plain[0])
    assert record["ndcg_change[gender=M;at=10;of=original]"].estimate == 0.0
    assert record["recall_at_k_change[gender=M;at=5;of=original]"].interval.low < 0
    assert "ndcg_change[kind=new;at=10;of=original]" not in record, "items have no NDCG"
    assert "exposure_change[kind=new;of=original]" in record
    verdict = eh.judge(record, {"limits": {"ndcg_change[gender=*;at=10;of=original]": {"at_least": -0.1}}})
    assert {str(j.key): j.status for j in verdict.judgements} == {
        "ndcg_change[gender=F;at=10;of=original]": "undecided", "ndcg_change[gender=M;at=10;of=original]": "passed",
    }  # fmt: skip


def test_lists_of_a_person_are_one_cluster(rows: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    person, new = rows["user"] // 5, rng.random(len(rows["user"]))
    alone, together = changed(rows, new), changed(rows, new, person=person)
    key = "ndcg_change[;at=10;of=original]"
    assert alone[key].estimate == together[key].estimate
    assert alone[key].interval != together[key].interval
    by_person = audited(rows, cluster=person, list_lengths=(10,))
    assert by_person["ndcg[;at=10]"].interval != audited(rows, list_lengths=(10,))["ndcg[;at=10]"].interval
    cut = audited(rows, cluster=rows["film"], list_lengths=(10,))
    (section,) = [section for section in cut.sections if section.audit == "rankings"]
    assert "Clusters cut through lists" in section.reason


def test_the_page_shows_them_with_their_limits(record: eh.AuditRecord, tmp_path: Path) -> None:
    verdict = eh.judge(record, {"limits": {"recall_at_k[gender=*;at=5]": {"at_least": 0.9}}})
    eh.write_report(tmp_path / "page.html", record, verdict)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "The first items of lists" in page
    assert 'id="lists-recall_at_k-5"' in page, "what a limit is on is drawn"
    assert "What is in lists: the first 10 items" in page
