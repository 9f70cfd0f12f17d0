"""The sampling error that is told is the true one, and a sentence tells it exactly where it is above the requested."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.audit_verb import _warn
from evenhand.explaining import Attributions, explain
from evenhand.explaining.reaching import USUAL


class Products:
    """A sum of single columns and of products of two and three, whose Shapley values are known."""

    def __init__(self, columns: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.slopes = rng.normal(0, 1, columns)
        sizes = [2] * columns + [3] * (columns // 2)
        self.terms = [(rng.choice(columns, size, replace=False), rng.normal(0, 0.5)) for size in sizes]

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        cells = table.to_numpy()
        return np.asarray(
            cells @ self.slopes + sum(weight * cells[:, term].prod(axis=1) for term, weight in self.terms)
        )

    def exact(self, X: pd.DataFrame, background: pd.DataFrame) -> np.ndarray:
        """Return (n, columns): the mean over the background of each pair's values, by enumeration within a product."""
        rows, others = X.to_numpy(), background.to_numpy()
        values = (rows - others.mean(axis=0)) * self.slopes
        for term, weight in self.terms:
            for player in term:
                rest = [each for each in term if each != player]
                for size in range(len(term)):
                    share = factorial(size) * factorial(len(term) - size - 1) / factorial(len(term))
                    for inside in combinations(rest, size):
                        gain = _worth(rows, others, term, {*inside, player}) - _worth(rows, others, term, {*inside})
                        values[:, player] += share * weight * gain
        return np.asarray(values)


def _worth(rows: np.ndarray, others: np.ndarray, term: np.ndarray, inside: set[int]) -> np.ndarray:
    mine, theirs = [each for each in term if each in inside], [each for each in term if each not in inside]
    return np.asarray(rows[:, mine].prod(axis=1) * others[:, theirs].prod(axis=1).mean())


def tables(columns: int, rows: int, background: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(columns)
    names = [f"c{at}" for at in range(columns)]
    return tuple(pd.DataFrame(rng.normal(size=(n, columns)), columns=names) for n in (rows, background))  # type: ignore[return-value]


def true_error(found: Attributions, model: Products, X: pd.DataFrame, background: pd.DataFrame) -> float:
    exact = model.exact(X, background)
    return float(np.linalg.norm(found.values - exact) / np.linalg.norm(exact))


@pytest.mark.parametrize(
    ("columns", "budget"), [(40, 40_000), (40, 100_000), (40, 400_000), (120, 100_000), (120, None)]
)
def test_the_error_told_is_the_true_one(columns: int, budget: int | None) -> None:
    model, (X, background) = Products(columns), tables(columns, 40, 60)
    found = explain(model, X, background, link="identity", budget_evaluations=budget)
    assert found.relative_error == pytest.approx(true_error(found, model, X, background), rel=0.5)
    assert found.evaluations <= (budget or 10**9)


@pytest.mark.parametrize("budget", [20_000, 60_000, 200_000, 2_000_000])
@pytest.mark.parametrize("requested", [None, 0.02, 0.3])
def test_the_sentence_is_there_when_and_only_when_the_error_is_above_the_requested(
    budget: int, requested: float | None
) -> None:
    model, (X, background) = Products(30), tables(30, 20, 60)
    found = explain(model, X, background, link="identity", budget_evaluations=budget, error=requested)
    assert found.relative_error is not None
    above = found.relative_error > (USUAL if requested is None else requested)
    assert bool(found.shortfall) == above
    assert (found.shortfall in found.notes) == above
    if above:
        assert f"After {found.evaluations:,} evaluations" in found.shortfall
        assert "evaluations would" in found.shortfall


def test_the_evaluations_that_are_said_to_be_needed_reach_the_error() -> None:
    model, (X, background) = Products(40), tables(40, 40, 80)
    few = explain(model, X, background, link="identity", budget_evaluations=40_000)
    needed = few.shortfall.places["needed"]  # type: ignore[attr-defined]
    assert isinstance(needed, int)
    assert needed > 40_000
    found = explain(model, X, background, link="identity", budget_evaluations=needed)
    assert true_error(found, model, X, background) == pytest.approx(USUAL, rel=0.3)


def test_nothing_is_told_of_what_is_exact() -> None:
    model, (X, background) = Products(6), tables(6, 5, 10)
    found = explain(model, X, background, link="identity")
    assert (found.exact, found.relative_error, found.shortfall) == (True, 0.0, "")
    assert true_error(found, model, X, background) < 1e-9


def test_a_requested_error_takes_the_whole_background_first_and_keeps_the_budget() -> None:
    model, (X, background) = Products(40), tables(40, 20, 50)
    whole = 20 * 50 * 2 * 39
    for budget, rows, orders in ((whole // 2, 21, 1), (whole + 100, 50, 1), (3 * whole, 50, 3)):
        found = explain(model, X, background, link="identity", error=0.001, budget_evaluations=budget)
        assert (found.background_rows, found.repetitions) == (rows, orders)
        assert found.evaluations <= budget + 20 + 50, "and each row once as it is"


def test_an_audit_says_it_beside_the_figures() -> None:
    model, (X, _) = Products(30), tables(30, 300, 1)
    X["sex"] = np.where(np.arange(300) % 2, "f", "m")
    names = [f"c{at}" for at in range(30)]
    X["paid"] = (model(X[names]) > 0).astype(int)

    def predict(rows: pd.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-model(rows[names]) / 5)))

    def audit(**spent: int) -> eh.AuditRecord:
        return eh.audit(
            predict, X, label="paid", sensitive_features="sex", audits=["explanation"], explain_rows=20,
            background_rows=100, **spent,
        )  # fmt: skip

    record = audit(explain_evaluations=10_000)
    found = record["attribution_error"]
    assert found.estimate is not None
    assert found.estimate > USUAL
    assert "estimated sampling error of the values" in found.note
    (section,) = [each for each in record.sections if each.audit == "explanation"]
    assert found.note in section.reason
    for form in ("html", "markdown", "json"):
        assert "estimated sampling error of the values" in eh.render(record, format=form)
    assert audit(explain_evaluations=5_000_000)["attribution_error"].note == ""


def test_the_console_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    from evenhand.findings import Finding
    from evenhand.keys import Key

    said = "After 10 evaluations of the model, the estimated sampling error of the values is 90% of their size."
    found = Finding(Key.of("attribution_error"), "explanation", 0.9, support=20, note=said)
    _warn(eh.AuditRecord((found,), (), (), {}, {}))  # type: ignore[typeddict-item]
    assert said in capsys.readouterr().err
