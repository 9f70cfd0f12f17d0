"""Membership inference: what was learnt by heart is found, and of rows that were never seen nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

import evenhand as eh
from evenhand.data.hashing import hash_batch
from evenhand.errors import InputError, ModelError
from evenhand.probing.membership.pool import draw, halves, together
from evenhand.probing.membership.references import ByFitting, ask_references
from evenhand.probing.membership.scores import lira, rmia
from evenhand.probing.membership.signals import confidence

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.data import EvaluationSet

FEATURES = list("abcd")
NULLS = {"membership_auc": 0.5, "membership_advantage": 0.0, "membership_excess": 0.0}
"""What each is where nothing can be told."""


def people(rows: int, seed: int, *, random_labels: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(rows, 4)), columns=FEATURES)
    table["sex"] = np.where(rng.random(rows) < 0.3, "f", "m")
    score = 0.0 if random_labels else table["a"] + table["b"]
    table["y"] = (score + 1.5 * rng.normal(size=rows) > 0).astype(int)
    return table


def audited(model: object, members: pd.DataFrame, others: pd.DataFrame, **more: Any) -> eh.AuditRecord:
    said = {"label": "y", "sensitive_features": "sex", "explain": False, "audits": ["membership"]} | more
    return eh.audit(model, others, members=members, **said)


def low(record: eh.AuditRecord, key: str) -> float:
    found = record[key]
    assert found.interval is not None and found.interval.low is not None
    return found.interval.low


@pytest.fixture(scope="module")
def forest() -> tuple[RandomForestClassifier, pd.DataFrame, pd.DataFrame]:
    table = people(3_200, 0)
    members, others = table[:1_600], table[1_600:]
    return RandomForestClassifier(40, random_state=0).fit(members[FEATURES], members["y"]), members, others


@pytest.fixture(scope="module")
def overfitted(forest: tuple[RandomForestClassifier, pd.DataFrame, pd.DataFrame]) -> eh.AuditRecord:
    return audited(*forest)


def test_an_overfitted_forest_is_found_and_references_find_more_than_its_confidence(
    overfitted: eh.AuditRecord,
) -> None:
    auc = {
        name: overfitted[f"membership_auc{name}"].estimate for name in ("", "[;attack=rmia_offline]", "[;attack=loss]")
    }
    assert auc[""] > 0.9 and auc["[;attack=rmia_offline]"] > 0.9 > auc["[;attack=loss]"]
    hits = overfitted["membership_tpr[;at=0.01]"], overfitted["membership_tpr[;at=0.01;attack=loss]"]
    assert low(overfitted, "membership_tpr[;at=0.01]") > (hits[1].interval.high or 1)  # type: ignore[union-attr]
    assert low(overfitted, "membership_advantage") > 0.6
    assert low(overfitted, "membership_auc[sex=f]") > 0.8 and low(overfitted, "membership_auc[;class=1]") > 0.8


def test_few_others_carry_no_interval_at_a_tenth_of_a_percent(overfitted: eh.AuditRecord) -> None:
    found = overfitted["membership_tpr[;at=0.001]"]
    assert found.estimate is None and "10,000 are needed" in found.undefined


def test_the_record_says_which_references_and_how_many(overfitted: eh.AuditRecord) -> None:
    found = overfitted["membership_references"]
    assert found.estimate == 4 and found.note == "They were fitted by the model's own recipe."
    assert overfitted.provenance["members"]["rows"] == 1_600


def test_labels_learnt_by_heart_are_told_from_others() -> None:
    table = people(800, 1, random_labels=True)
    members, others = table[:400], table[400:]
    tree = DecisionTreeClassifier(random_state=0).fit(members[FEATURES], members["y"])
    forest = RandomForestClassifier(60, random_state=0, bootstrap=False).fit(members[FEATURES], members["y"])
    for model in (tree, forest):
        record = audited(model, members, others)
        attacks = ("", "[;attack=rmia_offline]", "[;attack=loss]")
        areas = [record[f"membership_auc{name}"].estimate or 0 for name in attacks]
        assert max(areas) >= (0.9 if model is forest else 0.7), areas


def held(cases: int) -> dict[str, list[bool]]:
    """Whether the interval of each finding holds what is true of models that never saw their "members"."""
    found: dict[str, list[bool]] = {}
    for seed in range(cases):
        table = people(650, 100 + seed)
        model = DecisionTreeClassifier(max_depth=6, random_state=0).fit(table[FEATURES][:150], table["y"][:150])
        record = audited(model, table[150:400], table[400:], seed=seed, privacy_references=2)
        for finding in record.findings:
            null = NULLS.get(finding.key.metric)
            if null is not None and finding.estimate is not None and finding.interval is not None:
                ends = finding.interval
                found.setdefault(finding.name, []).append((ends.low or -1) <= null <= (ends.high or 1))
    return found


def test_intervals_hold_chance_where_nothing_was_seen() -> None:
    found = held(40)
    shares = {name: float(np.mean(inside)) for name, inside in found.items() if len(inside) == 40}
    assert {"membership_auc", "membership_auc[sex=f]", "membership_advantage", "membership_auc[;class=1]"} <= set(
        shares
    )
    assert min(shares.values()) >= 0.85, shares  # 40 cases: 34 of them with a chance of .999 where 95 % hold it
    assert np.mean(list(shares.values())) >= 0.93


@pytest.mark.slow
def test_intervals_hold_chance_in_two_hundred_cases() -> None:
    shares = {name: float(np.mean(inside)) for name, inside in held(200).items() if len(inside) == 200}
    assert min(shares.values()) >= 0.93, shares


def test_a_leak_in_one_group_is_found_in_that_group() -> None:
    table = people(4_000, 3)
    members, others = table[:2_000], table[2_000:]
    by_heart = RandomForestClassifier(40, random_state=0).fit(members[FEATURES], members["y"])
    honest = LogisticRegression().fit(members[FEATURES], members["y"])

    class Unequal:
        """Knows the women of its training rows by heart, and of men only what holds for all."""

        classes_ = np.array([0, 1])

        def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
            women = (X["sex"] == "f").to_numpy()[:, None]
            return np.where(women, by_heart.predict_proba(X[FEATURES]), honest.predict_proba(X[FEATURES]))

        def predict(self, X: pd.DataFrame) -> np.ndarray:
            return self.predict_proba(X).argmax(axis=1)

    record = audited(Unequal(), members, others, use_sensitive=True)
    assert low(record, "membership_excess[sex=f;vs=rest]") > 0.05
    assert record["membership_excess[sex=m;vs=rest]"].interval.high < 0  # type: ignore[union-attr,operator]
    assert record["membership_auc[sex=m]"].estimate == pytest.approx(0.5, abs=0.06)
    assert low(record, "membership_auc_difference[sex]") > 0.05
    assert "proxy references" in record["membership_references"].note


def evaluation(table: pd.DataFrame) -> EvaluationSet:
    return eh.read_evaluation_set(table, label="y", sensitive_features="sex")


@pytest.fixture(scope="module")
def sets() -> tuple[EvaluationSet, EvaluationSet]:
    table = people(900, 5)
    return evaluation(table[:500]), evaluation(table[500:])


def test_each_row_is_in_half_of_the_references(sets: tuple[EvaluationSet, EvaluationSet]) -> None:
    pool = draw(*sets, FEATURES, "table", 200, 0)
    asked = ask_references(pool, {"mine": recipe([])}, 6, 0)
    assert (asked.saw.sum(axis=0) == 3).all()
    assert (asked.saw[::2] != asked.saw[1::2]).all()
    member = pool.member == 1
    assert all(abs(int(half[member].sum()) - pool.members / 2) <= 1 for half in asked.saw)


def test_population_members_and_others_share_no_row(sets: tuple[EvaluationSet, EvaluationSet]) -> None:
    pool = draw(*sets, FEATURES, "table", 200, 0)
    hashes = pool.rows.row_hashes()
    assert len(np.unique(hashes)) == len(hashes) == pool.attacked + len(pool.rows) - pool.attacked
    assert not np.array_equal(halves(pool, 0, 0), halves(pool, 1, 0))


def test_evaluation_rows_that_are_members_count_as_neither(sets: tuple[EvaluationSet, EvaluationSet]) -> None:
    members, others = sets
    doubled = together([members.take(np.arange(50)), others])
    pool = draw(members, doubled, FEATURES, "table", 1_000, 0)
    assert pool.repeated == 50
    assert not np.isin(pool.rows.row_hashes()[pool.members :], members.row_hashes()).any()
    record = audited(lambda X: np.full(len(X), 0.5), members.table, doubled.table)
    assert record["repeated_members"].estimate == pytest.approx(50 / len(doubled))
    assert "50 evaluation rows are equal" in next(s.reason for s in record.sections)


def recipe(fits: list[int], fail_at: int = -1) -> ByFitting:
    """A recipe that notes its fits, and is killed at one of them."""

    def train(rows: EvaluationSet, seed: int) -> object:
        if len(fits) == fail_at:
            raise KeyboardInterrupt
        fits.append(seed)
        return LogisticRegression().fit(rows.table[FEATURES], rows.y_true)

    def ask(model: Any, rows: EvaluationSet) -> np.ndarray:
        said = model.predict_proba(rows.table[FEATURES])
        return np.asarray(said[np.arange(len(rows)), rows.y_true])

    return ByFitting("function", train, ask)


def test_a_killed_run_goes_on_where_it_was(sets: tuple[EvaluationSet, EvaluationSet], tmp_path: Path) -> None:
    pool = draw(*sets, FEATURES, "table", 200, 0)
    whole = ask_references(pool, {"mine": recipe([])}, 6, 0)
    first: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        ask_references(pool, {"mine": recipe(first, 3)}, 6, 0, str(tmp_path))
    again: list[int] = []
    found = ask_references(pool, {"mine": recipe(again)}, 6, 0, str(tmp_path))
    assert len(first) == 3 and len(again) == 4  # the pair that was begun is fitted again
    assert np.array_equal(found.answers, whole.answers) and np.array_equal(found.saw, whole.saw)
    other: list[int] = []
    ask_references(pool, {"mine": recipe(other)}, 2, 1, str(tmp_path))
    assert len(other) == 2  # of another seed nothing is kept


def test_what_is_kept_is_its_owners_and_damage_is_no_answer(
    sets: tuple[EvaluationSet, EvaluationSet], tmp_path: Path
) -> None:
    pool = draw(*sets, FEATURES, "table", 200, 0)
    ask_references(pool, {"mine": recipe([])}, 2, 0, str(tmp_path))
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_bytes(kept.read_bytes()[:-8])
    fits: list[int] = []
    ask_references(pool, {"mine": recipe(fits)}, 2, 0, str(tmp_path))
    assert len(fits) == 2
    with pytest.raises(InputError, match="is no folder"):
        ask_references(pool, {"mine": recipe([])}, 2, 0, str(tmp_path / "absent"))


def test_a_budget_stops_after_whole_pairs(sets: tuple[EvaluationSet, EvaluationSet]) -> None:
    pool = draw(*sets, FEATURES, "table", 200, 0)
    asked = ask_references(pool, {"mine": recipe([])}, 8, 0, budget=1e-9)
    assert asked.answers.shape[0] == 2 and asked.wanted == 8
    record = audited(lambda X: np.full(len(X), 0.5), sets[0].table, sets[1].table, privacy_budget=1e-9)
    assert "The time was over after 2 of 4 reference models." in next(s.reason for s in record.sections)


def test_a_recipe_that_cannot_fit_is_told_and_the_next_is_used(sets: tuple[EvaluationSet, EvaluationSet]) -> None:
    def fails(rows: EvaluationSet, seed: int) -> object:
        raise ModelError("It has no settings.")

    pool = draw(*sets, FEATURES, "table", 200, 0)
    broken = ByFitting("same recipe", fails, lambda model, rows: np.zeros(len(rows)))
    asked = ask_references(pool, {"first": broken, "next": recipe([])}, 2, 0)
    assert asked.kind == "function" and "no settings" in asked.instead
    with pytest.raises(ModelError):
        ask_references(pool, {"first": broken}, 2, 0)


def test_the_same_seed_gives_the_same_record_and_a_users_function_is_used(
    forest: tuple[RandomForestClassifier, pd.DataFrame, pd.DataFrame],
) -> None:
    model, members, others = forest
    given: list[int] = []

    def train_fn(rows: EvaluationSet, seed: int) -> object:
        given.append(len(rows))
        return DecisionTreeClassifier(max_depth=5, random_state=seed % 1000).fit(rows.table[FEATURES], rows.y_true)

    records = [audited(model, members[:300], others[:300], train_fn=train_fn) for _ in range(2)]
    assert records[0].findings == records[1].findings
    assert len(given) == 8 and max(given) - min(given) <= 2
    assert records[0]["membership_references"].note == "They were fitted by the function that was given."


def test_a_deep_audit_adds_lira_with_more_references(
    forest: tuple[RandomForestClassifier, pd.DataFrame, pd.DataFrame],
) -> None:
    _, members, others = forest
    small = DecisionTreeClassifier(random_state=0).fit(members[FEATURES][:300], members["y"][:300])
    record = audited(small, members[:300], others[:300], privacy_deep=True)
    assert record["membership_references"].estimate == 16
    assert low(record, "membership_auc[;attack=lira]") > 0.6


def test_compression_is_compared_by_the_same_rows_and_references(
    forest: tuple[RandomForestClassifier, pd.DataFrame, pd.DataFrame],
) -> None:
    _, members, others = forest
    members, others = members[:600], others[:600]
    original = DecisionTreeClassifier(random_state=0).fit(members[FEATURES], members["y"])
    pruned = DecisionTreeClassifier(max_depth=2, random_state=0).fit(members[FEATURES], members["y"])
    record = audited(pruned, members, others, original=original)
    change = record["membership_auc_change[;of=original]"]
    assert change.interval is not None and (change.interval.high or 0) < 0
    assert record["membership_auc_change[sex=f;of=original]"].estimate is not None
    same = audited(original, members, others, original=original)["membership_auc_change[;of=original]"]
    assert same.estimate == 0.0


def test_several_classes_and_strings() -> None:
    rng = np.random.default_rng(7)
    table = people(900, 8, random_labels=True)
    table["y"] = rng.choice(["low", "middle", "high"], 900)
    members, others = table[:450], table[450:]
    model = RandomForestClassifier(30, random_state=0, bootstrap=False).fit(members[FEATURES], members["y"])
    record = audited(model, members, others)
    assert low(record, "membership_auc") > 0.9
    assert record["membership_auc[;class=middle]"].support > 200
    assert record["membership_references"].note == "They were fitted by the model's own recipe."


@pytest.mark.parametrize("kind", ["arrays", "texts"])
def test_texts_and_arrays_are_attacked_by_proxies(kind: str) -> None:
    rng = np.random.default_rng(9)
    truth, words = rng.integers(0, 2, 300), ["red", "green", "blue", "old", "new", "tall", "small"]
    inputs: Any = rng.normal(size=(300, 3, 3)).astype("float32")
    if kind == "texts":
        inputs = [" ".join(rng.choice(words, 12)) for _ in range(300)]
    columns = {"y": truth, "sex": ["f", "m"] * 150}
    whole = eh.read_evaluation_set(columns, label="y", sensitive_features="sex", inputs=inputs)
    members, others = whole.take(np.arange(150)), whole.take(np.arange(150, 300))
    learnt = {int(row): int(y) for row, y in zip(members.inputs.hashes(), members.y_true, strict=True)}

    def by_heart(batch: Any) -> np.ndarray:
        return np.array([{0: 0.1, 1: 0.9}.get(learnt.get(int(row), -1), 0.5) for row in hash_batch(batch)])

    record = eh.audit(by_heart, others, members=members, explain=False, audits=["membership"])
    assert "proxy references" in record["membership_references"].note
    assert low(record, "membership_auc") > 0.8


def test_rows_without_their_truth_or_of_other_classes_are_refused_in_words() -> None:
    table = people(300, 11)
    record = audited(lambda X: np.full(len(X), 0.5), table[FEATURES][:150], table[150:])
    (section,) = record.sections
    assert not section.ran and "need their label" in section.reason
    record = audited(lambda X: np.full(len(X), 0.5), table[:10], table[150:])
    assert "too few to attack" in record.sections[0].reason


def test_a_plain_audit_attacks_nobody() -> None:
    table = people(200, 12)
    record = eh.audit(lambda X: np.full(len(X), 0.5), table, label="y", explain=False)
    assert not {"membership", "attribute_inference", "exposure"} & {section.audit for section in record.sections}
    assert "members" not in record.provenance


def test_categories_of_members_alone_stay_categories() -> None:
    one = pd.DataFrame({"c": pd.Categorical(["x", "z"]), "y": [0, 1], "sex": ["f", "m"]})
    other = pd.DataFrame({"c": pd.Categorical(["x", "y"]), "y": [0, 1], "sex": ["f", "m"]})
    both = together([evaluation(one), evaluation(other)]).table["c"]
    assert list(both) == ["x", "z", "x", "y"] and list(both.cat.categories) == ["x", "y", "z"]


def test_rmia_is_the_share_of_the_population_and_keeps_the_order_of_equal_shares() -> None:
    saw = np.array([[True, True, False], [False, False, True]])
    references = np.full((2, 3), 0.5)
    scores = rmia(np.array([0.9, 0.8, 0.3]), references, saw, np.full(3, 0.5), np.full((2, 3), 0.5), online=False)
    assert scores[0] > scores[1] > 1 > scores[2] and scores[2] < 1 / 3
    assert lira(np.array([0.9, 0.1, 0.5]), np.array([[0.9, 0.9, 0.5], [0.1, 0.1, 0.5]]), saw)[0] > 0


def test_confidence_is_that_in_the_truth_on_every_scale() -> None:
    truth = np.array([0, 1])
    assert confidence(truth, None, np.array([0, 0]), "label", 0.5).tolist() == [1.0, 0.0]
    ranked = confidence(truth, np.array([-3.0, 2.0]), truth, "ranking", 0.0)
    assert (ranked > 0.5).all()
    classes = np.array([[0.2, 0.5, 0.3], [0.1, 0.7, 0.2]])
    assert confidence(truth, classes, truth, "probability", np.nan).tolist() == [0.2, 0.7]
    assert confidence(truth, np.log(classes), truth, "ranking", np.nan)[1] > 1 / 3
