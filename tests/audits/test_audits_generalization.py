"""Fitted rows beside others, for each group, and domains: overfitting is found where it is, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError
from evenhand.metrics import Tally, compare, measure


def rows(n: int, seed: int, sites: str = "xyz") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"sex": rng.choice(["f", "m"], n), "site": rng.choice(list(sites), n), "income": rng.normal(0, 1, n)}
    )
    table["number"] = np.arange(n) + 10_000 * seed
    table["paid"] = (table["income"] + rng.normal(0, 1, n) > 0).astype(int)
    return table


ROLES: dict[str, Any] = {"label": "paid", "sensitive_features": ["sex"], "exclude": ["site"], "use_sensitive": True}


class Remembers:
    """Knows the label of each woman it was fitted on, and decides about all others by their income."""

    def __init__(self, known: pd.DataFrame) -> None:
        women = known[known["sex"] == "f"]
        self.labels = dict(zip(women["number"], women["paid"], strict=True))

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        scores = 1 / (1 + np.exp(-table["income"]))
        told = table["number"].map(self.labels)
        return np.asarray(np.where(told.isna(), scores, told.fillna(0) * 0.98 + 0.01))


def test_overfitting_to_one_group_is_found_in_it_alone() -> None:
    members, table = rows(1_500, 1), rows(1_500, 2)
    record = eh.audit(Remembers(members), table, members=members, audits=["generalization"], **ROLES)
    for rate, least in (("accuracy", 0.15), ("roc_auc", 0.1)):
        women, men = (record[f"generalization_gap[sex={sex};rate={rate}]"] for sex in "fm")
        assert women.interval is not None
        assert (women.interval.low or 0) > least
        assert men.interval is not None
        assert (men.interval.low or 0) < 0 < (men.interval.high or 0)
        gap = record[f"generalization_gap_difference[sex;rate={rate}]"].interval
        assert gap is not None
        assert (gap.low or 0) > 0.05
    assert "beyond chance, for" in eh.render(record)


def test_a_group_without_fitted_rows_has_no_gap_and_is_named() -> None:
    members = rows(400, 1)
    record = eh.audit(
        Remembers(members), rows(400, 2), members=members[members["sex"] == "f"], audits=["generalization"], **ROLES
    )
    men = record["generalization_gap[sex=m;rate=accuracy]"]
    assert men.estimate is None
    assert "None of the rows" in men.undefined
    assert record["generalization_gap_difference[sex;rate=accuracy]"].estimate is None


def test_a_bad_domain_is_the_worst_and_need_not_be_sensitive() -> None:
    table = rows(3_000, 3)

    def score(batch: pd.DataFrame) -> np.ndarray:
        far = table.loc[batch.index, "site"] == "z"
        return np.asarray(1 / (1 + np.exp(np.where(far, 1, -1) * batch["income"])))

    record = eh.audit(score, table, domains="site", audits=["generalization"], **ROLES)
    worst = record["domain_accuracy_difference[site]"]
    assert worst.groups[0].group == "z"
    assert worst.interval is not None
    assert (worst.interval.low or 0) > 0.3
    assert (record["domain_roc_auc[site=z]"].estimate or 1) < 0.3
    assert "site=z" in eh.render(record)


@pytest.mark.parametrize(("n", "right"), [(300, 0.9), (60, 0.5)])
def test_equal_domains_pass_at_the_stated_rate(n: int, right: float) -> None:
    """The low end is above 0 in at most 2.5 % of 600 draws of five equal domains, but for chance.

    An audit says of the first draw what the counts alone say.
    """
    draws = 600
    rng = np.random.default_rng(n)
    site, hit = rng.integers(0, 5, (draws, n)), rng.random((draws, n)) < right
    flat = (np.arange(draws)[:, None] * 5 + site).ravel()
    cells = Tally.count(np.ones(draws * n), hit.ravel(), flat, 5 * draws).counts.reshape(draws, 5, 2, 2)
    gaps = [compare(measure("accuracy", Tally(of, None, None)), "difference") for of in cells]
    above = np.mean([(gap.low or 0) > 0 for gap in gaps])
    assert above <= 0.025 + 2 * (0.025 * 0.975 / draws) ** 0.5
    table = pd.DataFrame({"site": site[0], "y": [0, 1] * (n // 2)})
    table["p"] = np.where(hit[0], table["y"], 1 - table["y"])
    record = eh.audit(lambda batch: batch["p"], table, label="y", audits=["generalization"], domains="site")
    audited = record["domain_accuracy_difference[site]"]
    assert audited.estimate == pytest.approx(gaps[0].estimate)
    assert audited.interval is not None and audited.interval.low == pytest.approx(gaps[0].low)


def test_a_domain_is_left_out_where_the_model_can_be_fitted_again() -> None:
    members, table = rows(900, 4), rows(900, 5)

    class Refits:
        """By site, a model remembers whether income is good; a site that it never saw it takes for the reverse."""

        name, threshold, score_kind, reads = "refits", 0.5, "probability", "table"

        def __init__(self, sites: set[str]) -> None:
            self.sites = sites

        @property
        def facts(self) -> dict[str, Any]:
            return {"kind": "test", "features": ["income", "site"]}

        def predict(self, batch: pd.DataFrame) -> np.ndarray:
            sign = np.where(batch["site"].isin(self.sites), 1, -1)
            return np.asarray(1 / (1 + np.exp(-sign * batch["income"])))

        def refit(self, data: eh.EvaluationSet, seed: int) -> Refits:
            return Refits(set(data.table["site"]))

    roles = {"label": "paid", "sensitive_features": ["sex"]}
    record = eh.audit(
        Refits(set("xyz")),
        table,
        members=members,
        domains="site",
        leave_out=True,
        audits=["generalization"],
        **roles,  # type: ignore[arg-type]
    )
    for site in "xyz":
        change = record[f"left_out_accuracy_change[site={site}]"].interval
        assert change is not None
        assert (change.high or 0) < -0.3
        kept, left = (
            record[f"domain_accuracy[site={site}]"].estimate,
            record[f"left_out_accuracy[site={site}]"].estimate,
        )
        assert kept == pytest.approx(1 - (left or 0), abs=0.02)
    unable = eh.audit(
        lambda batch: 1 / (1 + np.exp(-batch["income"])), table, members=members, domains="site", leave_out=True,
        audits=["generalization"], **roles,  # type: ignore[arg-type]
    )  # fmt: skip
    assert "cannot be fitted again" in next(s.reason for s in unable.sections)


def test_what_the_training_audit_states_is_not_stated_twice() -> None:
    pytest.importorskip("torch")
    from evenhand.training import TrainingConfig, fit

    members = eh.read_evaluation_set(rows(300, 6), **ROLES)
    model = fit(members, config=TrainingConfig(epochs=2, hidden=(4,)))
    record = eh.audit(model, rows(300, 7), members=rows(300, 6), audits=["generalization", "training"], **ROLES)
    keys = [f.name for f in record.findings if f.key.metric == "generalization_gap"]
    assert len(keys) == len(set(keys))
    whole = record["generalization_gap[;rate=accuracy]"]
    assert whole.audit == "training"
    assert record["generalization_gap[sex=f;rate=accuracy]"].audit == "generalization"


def test_a_domain_that_is_no_column_is_named() -> None:
    with pytest.raises(InputError, match=r"sit.*site"):
        eh.audit(lambda batch: batch["income"] * 0, rows(50, 8), audits=["generalization"], domains="sit", **ROLES)


def amounts(n: int, seed: int) -> pd.DataFrame:
    table = rows(n, seed)
    return table.assign(paid=3 * table["income"] + np.random.default_rng(seed + 100).normal(size=n))


NUMBERS: dict[str, Any] = {**ROLES, "task": "regression"}


def test_overfitted_numbers_are_found_in_their_group_alone() -> None:
    """Errors of women are 0 on fitted rows and .8 on others, and what is explained falls from 1 to .9."""
    members, table = amounts(1_500, 1), amounts(1_500, 2)
    known = Remembers(members).labels

    def model(batch: pd.DataFrame) -> np.ndarray:
        told = batch["number"].map(known)
        return np.asarray(np.where(told.isna(), 3 * batch["income"], told.fillna(0)))

    record = eh.audit(model, table, members=members, audits=["generalization"], **NUMBERS)
    for rate, least in (("mean_absolute_error", 0.7), ("r2", 0.05)):
        women, men = (record[f"generalization_error_gap[sex={sex};rate={rate}]"] for sex in "fm")
        assert women.interval is not None and men.interval is not None
        assert (women.interval.low or 0) > least
        assert (men.interval.low or 0) < 0 < (men.interval.high or 0)
        gap = record[f"generalization_error_gap_difference[sex;rate={rate}]"].interval
        assert gap is not None and (gap.low or 0) > 0
    error = record["generalization_error_gap[sex=f;rate=mean_absolute_error]"]
    seen, mine = (np.abs(model(part) - part["paid"])[part["sex"] == "f"].mean() for part in (members, table))
    assert error.estimate == pytest.approx(mine - seen)
    assert not error.uncovered, "errors of exactly 0 on fitted rows are what a limit is to fail"
    assert error.unit == "number" and error.direction == "lower_is_better"
    page = eh.render(record)
    assert "beyond chance, for" in page and "on evaluation rows less that on fitted rows" in page


def test_numbers_in_a_bad_domain_and_in_one_that_was_left_out() -> None:
    class Refits:
        """Knows the slope of the sites it was fitted on; to any other it gives the mean."""

        name, task, reads, threshold, score_kind = "refits", "regression", "table", 0.5, "label"

        def __init__(self, sites: set[str]) -> None:
            self.sites = sites

        @property
        def facts(self) -> dict[str, Any]:
            return {"kind": "test", "features": ["income", "site"]}

        def predict(self, batch: pd.DataFrame) -> np.ndarray:
            slope = np.where(batch["site"] == "z", 1, 3) * batch["site"].isin(self.sites)
            return np.asarray(slope * batch["income"], dtype=np.float64)

        def refit(self, data: eh.EvaluationSet, seed: int) -> Refits:
            return Refits(set(data.table["site"]))

    record = eh.audit(
        Refits(set("xyz")), amounts(900, 5), members=amounts(900, 4), domains="site", leave_out=True,
        audits=["generalization"], label="paid", sensitive_features=["sex"], task="regression",
    )  # fmt: skip
    worst = record["domain_mean_absolute_error_difference[site]"]
    assert worst.groups[-1].group == "z"
    assert worst.interval is not None and (worst.interval.low or 0) > 0.3
    assert (record["domain_r2[site=x]"].estimate or 0) > 0.8
    assert (record["domain_r2[site=z]"].estimate or 1) < 0.7
    for site in "xyz":
        change = record[f"left_out_mean_absolute_error_change[site={site}]"]
        kept, left = (record[f"{name}_mean_absolute_error[site={site}]"] for name in ("domain", "left_out"))
        assert change.estimate == pytest.approx((left.estimate or 0) - (kept.estimate or 0))
        assert change.interval is not None and (change.interval.low or 0) > 0.3
    page = eh.render(record)
    assert "The domain with the greatest mean absolute error is site=z" in page
    assert "when the model is fitted without it" in page


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_clusters_on_both_sides_leave_no_interval_where_they_are(task: str) -> None:
    made = rows if task == "binary" else amounts
    members, table = (made(400, seed).assign(home=lambda t: t["number"] // 2) for seed in (1, 2))
    shared = table.index[table["sex"] == "f"][:50]
    table.loc[shared, "home"] = members["home"].to_numpy()[:50]
    roles = {**ROLES, "task": task, "cluster": "home", "audits": ["generalization"]}
    model = lambda batch: 1 / (1 + np.exp(-batch["income"]))  # noqa: E731
    record = eh.audit(model, table, members=members, **roles)
    metric, rate = (
        ("generalization_gap", "accuracy") if task == "binary" else ("generalization_error_gap", "mean_absolute_error")
    )
    for where, told in (("", True), ("sex=f", True), ("sex=m", False)):
        finding = record[f"{metric}[{where};rate={rate}]"]
        assert finding.estimate is not None
        assert ("not independent" in finding.uncovered) is told
        assert (finding.interval is None) is told
    assert "not independent" in record[f"{metric}_difference[sex;rate={rate}]"].uncovered
    assert "25 of the" in record.sections[0].reason
    women = eh.audit(model, table[table["sex"] == "f"], members=members, **{**roles, "sensitive_features": []})
    assert "not told from chance" in eh.render(women)
    assert "not told from chance" not in eh.render(record)
    apart = eh.audit(model, table.assign(home=table["number"] // 2), members=members, **roles)
    assert not apart[f"{metric}[;rate={rate}]"].uncovered
    assert "home" not in apart.sections[0].reason


def reversed_site(n: int, seed: int) -> pd.DataFrame:
    """Rows of which income means the reverse in the last site, so that no model knows it who has not seen it."""
    table = rows(n, seed)
    sign = np.where(table["site"] == "z", -1, 1)
    noise = np.random.default_rng(seed).normal(0, 0.3, n)
    return table.assign(paid=(sign * table["income"] + noise > 0).astype(int)).drop(columns="number")


def left_out(model: object, members: pd.DataFrame, table: pd.DataFrame) -> eh.AuditRecord:
    return eh.audit(
        model, table, members=members, domains="site", leave_out=True, audits=["generalization"], label="paid",
        sensitive_features=["sex"], use_sensitive=True,
    )  # fmt: skip


def check_left_out(record: eh.AuditRecord) -> None:
    assert "fitted again without each domain of site" in record.sections[0].reason
    assert (record["domain_accuracy[site=z]"].estimate or 0) > 0.75
    assert (record["left_out_accuracy[site=z]"].estimate or 1) < 0.4
    change = record["left_out_accuracy_change[site=z]"].interval
    assert change is not None and (change.high or 0) < -0.3


def test_a_pipeline_of_scikit_learn_is_fitted_again_without_a_domain() -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    members, table = reversed_site(600, 4), reversed_site(300, 5)
    encoded = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["sex", "site"]), remainder="passthrough"
    )
    model = make_pipeline(encoded, RandomForestClassifier(20, random_state=0))
    check_left_out(left_out(model.fit(members[["sex", "site", "income"]], members["paid"]), members, table))


@pytest.mark.parametrize("kind", ["network", "trees"])
def test_a_model_of_evenhand_is_fitted_again_without_a_domain(kind: str) -> None:
    pytest.importorskip("torch")
    from evenhand.training import TrainingConfig, fit, fit_boosting

    members, table = reversed_site(900, 4), reversed_site(300, 5)
    config = TrainingConfig(epochs=30, hidden=(32,), dropout=0.0, learning_rate=1e-2, baseline=False, trees=60)
    data = eh.read_evaluation_set(members, label="paid", sensitive_features=["sex"], use_sensitive=True)
    check_left_out(left_out((fit if kind == "network" else fit_boosting)(data, config=config), members, table))
