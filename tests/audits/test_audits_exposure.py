"""What is exposed without an attack: answers, and training rows that parts of a model hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

import evenhand as eh
from evenhand.probing.artefacts import stored
from evenhand.subjects import as_subject


def people(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=rows), "town": rng.choice(["x", "y"], rows)})
    table.loc[[3, 17], "town"] = ["only here", "and here"]
    table["y"] = (table["a"] + rng.normal(size=rows) > 0).astype(int)
    return table


def record_of(model: object, table: pd.DataFrame) -> eh.AuditRecord:
    return eh.audit(model, table, members=table, label="y", explain=False, audits=["exposure"])


def test_rows_that_parts_keep_are_counted_and_never_shown() -> None:
    table = people()
    X, y = table[["a"]], table["y"]
    near, machine = KNeighborsClassifier(3).fit(X, y), SVC().fit(X, y)
    assert record_of(near, table)["stored_rows[;part=kept rows]"].estimate == 200
    assert record_of(machine, table)["stored_rows[;part=support vectors]"].estimate == len(machine.support_vectors_)
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    leaves = sum(int(((t.tree_.children_left == -1) & (t.tree_.n_node_samples == 1)).sum()) for t in forest.estimators_)
    assert record_of(forest, table)["stored_rows[;part=leaves of one row]"].estimate == leaves > 0
    assert not [f for f in record_of(LogisticRegression().fit(X, y), table).findings if f.key.metric == "stored_rows"]


def test_categories_of_one_row_are_counted_and_not_named() -> None:
    table = people()
    columns = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(table[["a", "town"]], table["y"])
    record = record_of(model, table)
    assert record["stored_rows[;part=categories of one row]"].estimate == 2
    assert "only here" not in str([*record.findings, *record.sections])


def test_words_of_one_text_are_counted() -> None:
    texts = ["red apple", "green apple", "red pear", "green pear wonderfully"] * 1 + ["red apple pear"] * 20
    truth = [0, 1, 0, 1] + [0, 1] * 10
    data = eh.read_evaluation_set({"y": truth}, label="y", inputs=texts)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, truth)
    record = eh.audit(model, data, members=data, explain=False, audits=["exposure"])
    assert record["stored_rows[;part=words of one row]"].estimate == 1


def test_the_background_of_an_explainer_is_found() -> None:
    shap = pytest.importorskip("shap")
    table = people()
    model = LogisticRegression().fit(table[["a"]], table["y"])
    explainer = shap.LinearExplainer(model, shap.maskers.Independent(table[["a"]].to_numpy(), max_samples=50))

    class Kept:
        """A model with its explainer beside it."""

        def __init__(self) -> None:
            self.estimator = [model, explainer]

    assert stored(Kept(), None).get("explainer backgrounds", 0) >= 50


def test_levels_of_a_trained_model_are_counted() -> None:
    pytest.importorskip("torch")
    from evenhand.training import TrainingConfig, fit_boosting

    rows = people(400).assign(town=["often"] * 398 + ["once", "once more"])
    data = eh.read_evaluation_set(rows, label="y")
    model = fit_boosting(data, config=TrainingConfig(trees=3))
    assert stored(model, data) == {"categories of one row": 2}
    assert stored(model, data.take(np.append(np.arange(10), 399))) == {"categories of one row": 1}


@pytest.mark.parametrize(("model", "numbers", "words"), [
    (lambda X: 1 / (1 + np.exp(-X["a"])), 1, "probabilities"),
    (lambda X: (X["a"] > 0).astype(int), 0, "decision alone"),
])  # fmt: skip
def test_the_record_says_what_an_answer_holds(model: object, numbers: int, words: str) -> None:
    subject = as_subject(model, **({"score_kind": "label"} if not numbers else {}))  # type: ignore[arg-type]
    found = record_of(subject, people())["answer_numbers"]
    assert found.estimate == numbers and words in found.note
