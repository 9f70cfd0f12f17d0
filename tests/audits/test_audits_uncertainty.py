"""What scores are worth, by group: planted faults are found there, right scores are left alone, limits can be set."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import ModelError
from evenhand.report.suppression import suppressed

if TYPE_CHECKING:
    from pathlib import Path

ASKED = {"uncertainty": True, "audits": "uncertainty"}


def people(rows: int = 3_000, seed: int = 0) -> pd.DataFrame:
    """Scores are right but for race b, where they are far too high; noise is greatest where sex is f and race b."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"sex": rng.choice(["f", "m"], rows), "race": rng.choice(["a", "b"], rows, p=[0.8, 0.2])})
    said = rng.beta(0.6, 0.6, size=rows)
    truth = np.where(table["race"] == "b", 0.4 * said, said)
    return table.assign(p=said, y=(rng.uniform(size=rows) < truth).astype(int), x=said)


@cache
def record() -> eh.AuditRecord:
    table = people()
    return eh.audit_predictions(table["y"], y_score=table["p"], sensitive_features=table[["sex", "race"]], **ASKED)


def test_a_planted_fault_is_found_in_its_group_and_not_elsewhere() -> None:
    found = record()
    assert found["calibration_excess[race=b]"].interval.low > 0.1
    assert found["calibration_bias[race=b]"].interval.low > 0.2
    assert found["calibration_bias_difference[race]"].interval.low > 0.2
    assert found["calibration_excess[race=a]"].interval.low < 0.0 < found["calibration_excess[race=a]"].interval.high
    assert found["p_value[race=b;null=calibrated;rate=calibration_error]"].estimate < 0.01


def test_the_curve_of_a_group_that_is_wrong_beyond_chance_is_stated_and_drawn_and_of_no_other() -> None:
    found, table = record(), people()
    mine = table[table["race"] == "b"]
    bins = eh.metrics.reliability(mine["y"], mine["p"])
    for at, (rows, claimed, positives, _) in enumerate(bins, 1):
        assert found[f"claimed_rate[race=b;bin={at}]"].estimate == pytest.approx(claimed)
        observed = found[f"observed_rate[race=b;bin={at}]"]
        assert observed.estimate == pytest.approx(positives / rows)
        assert observed.interval.low <= observed.estimate <= observed.interval.high
    assert found["observed_rate[race=b;bin=10]"].interval.high < found["claimed_rate[race=b;bin=10]"].estimate
    for group in ("race=a", "sex=f", "sex=m"):
        wrong = found[f"calibration_excess[{group}]"].interval.low > 0
        assert (found.get(f"observed_rate[{group};bin=1]") is not None) is wrong
    assert found.get("observed_rate[race=a;bin=1]") is None
    page = eh.render(found)
    assert "comes true, race=b" in page
    assert "comes true, all rows" in page


def test_one_threshold_misses_the_group_that_sets_for_overlapping_groups_cover() -> None:
    found = record()
    assert found["set_coverage[race=b;sets=marginal]"].interval.high < 0.9
    groups = [f"race={race}" for race in "ab"] + [f"sex={sex}" for sex in "fm"]
    groups += [f"race={race},sex={sex}" for race, sex in product("ab", "fm")]
    for group in groups:
        finding = found[f"set_coverage[{group};sets=overlapping]"]
        assert finding.interval.high >= 0.88
    assert found["set_coverage_group_min[race,sex;sets=overlapping]"].estimate > 0.83
    assert found["set_coverage[race=b;sets=by_group]"].interval.high >= 0.9
    assert found["set_size[race=b;sets=overlapping]"].estimate > found["set_size[race=a;sets=overlapping]"].estimate


def test_sets_by_class_hold_each_class_alike() -> None:
    found = record()
    for name in "01":
        assert found[f"set_coverage[;class={name};sets=by_class]"].estimate == pytest.approx(0.9, abs=0.08)


def test_who_gains_by_a_correction_is_told_of_the_other_half() -> None:
    """Scores of race b are too high and all others right, so a common correction helps b and costs a a little."""
    found = record()
    for method in ("sigmoid", "isotonic", "venn_abers"):
        assert found[f"recalibrated_brier_change[race=b;by={method}]"].interval.high < 0
        assert found[f"recalibrated_brier_change[race=a;by={method}]"].interval.high > 0
    assert found["recalibrated_brier_change[;by=isotonic]"].support == 1_500


def test_as_many_rows_as_said_get_an_answer_and_the_surest_are_right() -> None:
    found = record()
    accuracy = [found[f"retained_accuracy[;kept={share}]"].estimate for share in ("0.9", "0.8", "0.5")]
    assert accuracy == sorted(accuracy)
    for share in (0.9, 0.8, 0.5):
        assert found[f"refused_share[;kept={share:g}]"].estimate == pytest.approx(1 - share, abs=0.001)
    table = people()
    sure = np.abs(table["p"] - 0.5)
    refused = sure < np.quantile(sure, 0.2, method="lower")
    assert found["refused_share[sex=f;kept=0.8]"].estimate == pytest.approx(refused[table["sex"] == "f"].mean())


def test_a_plain_audit_does_not_ask_and_everything_does() -> None:
    table = people(400)
    plain = eh.audit_predictions(table["y"], y_score=table["p"], sensitive_features=table[["sex"]])
    assert not plain.of_audit("uncertainty")
    asked = eh.audit_predictions(table["y"], y_score=table["p"], sensitive_features=table[["sex"]], everything=True)
    assert asked.of_audit("uncertainty")


def test_the_same_rows_make_the_same_record() -> None:
    table = people(400)
    said = {"y_score": table["p"], "sensitive_features": table[["sex"]], **ASKED}
    assert eh.audit_predictions(table["y"], **said).findings == eh.audit_predictions(table["y"], **said).findings


def test_numbers_have_intervals_of_a_width_by_group() -> None:
    rng = np.random.default_rng(3)
    sex = rng.choice(["f", "m"], 2_000)
    said = rng.normal(size=2_000)
    true = said + rng.normal(size=2_000) * np.where(sex == "f", 3.0, 1.0)
    found = eh.audit_predictions(true, said, task="regression", sensitive_features={"sex": sex}, **ASKED)
    assert found["set_coverage[sex=f;sets=marginal]"].interval.high < 0.9
    assert found["set_coverage[sex=f;sets=by_group]"].interval.high >= 0.9
    width = found["interval_width[sex=f;sets=by_group]"].estimate
    assert width == pytest.approx(2 * 3 * 1.645, rel=0.15)
    assert found.get("calibration_excess") is None


def numbers(rows: int, seed: int = 3) -> eh.EvaluationSet:
    """Noise grows with x, and three people are of group c."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"x": rng.uniform(size=rows), "g": ["c"] * 3 + [*rng.choice(["a", "b"], rows - 3)]})
    table["y"] = 10 * table["x"] + rng.normal(size=rows) * (0.2 + 5 * table["x"])
    return eh.read_evaluation_set(table, label="y", task="regression", sensitive_features="g", use_sensitive=True)


class Banded:
    """A model of numbers that predicts quantiles, too wide by 2 at each end."""

    task = "regression"

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return 10 * rows["x"].to_numpy()

    def predict_quantiles(self, rows: pd.DataFrame) -> np.ndarray:
        x = rows["x"].to_numpy()[:, None]
        return 10 * x + (0.2 + 5 * x) * np.array([-1.645, 0, 1.645]) + np.array([-2, 0, 2])


def test_intervals_from_quantiles_where_the_model_gives_them_serve_rows_that_are_hard_to_predict() -> None:
    data = numbers(3_000)
    found = eh.audit(Banded(), data, explain=False, **ASKED)
    assert found["set_coverage[;sets=quantiles]"].estimate == pytest.approx(0.9, abs=0.03)
    width = found["interval_width[;sets=quantiles]"].estimate
    assert width == pytest.approx(2 * 1.645 * 2.7, rel=0.08), "the promise takes off what is too wide"
    assert width < 0.95 * found["interval_width[;sets=marginal]"].estimate
    assert found["set_coverage[g=a;sets=quantiles]"].interval is not None
    plain = eh.audit(lambda rows: 10 * rows["x"], data, explain=False, **ASKED)
    assert plain.get("set_coverage[;sets=quantiles]") is None
    assert ">from quantiles<" in eh.render(found)
    assert ">from quantiles<" not in eh.render(plain)


def test_a_networks_quantiles_that_are_nearest_to_the_promise_are_used() -> None:
    pytest.importorskip("torch")
    from evenhand.training import TrainingConfig, fit

    data = numbers(800)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    model = fit(data, config=TrainingConfig(epochs=3, hidden=(8,), quantiles=levels, loss="pinball"))
    found = {
        coverage: eh.audit(model, data, explain=False, uncertainty=True, audits="uncertainty", coverage=coverage)
        for coverage in (0.5, 0.9)
    }
    for coverage, record in found.items():
        assert record["set_coverage[;sets=quantiles]"].estimate == pytest.approx(coverage, abs=0.1)
    assert (
        found[0.9]["interval_width[;sets=quantiles]"].estimate > found[0.5]["interval_width[;sets=quantiles]"].estimate
    )
    middle = fit(data, config=TrainingConfig(epochs=1, hidden=(4,)))
    assert eh.audit(middle, data, explain=False, **ASKED).get("set_coverage[;sets=quantiles]") is None


def test_quantiles_of_a_wrong_shape_are_an_error() -> None:
    class Broken(Banded):
        def predict_quantiles(self, rows: pd.DataFrame) -> np.ndarray:
            return rows["x"].to_numpy()

    record = eh.audit(Banded(), numbers(200), explain=False, **ASKED)
    assert record.of_audit("uncertainty")
    with pytest.raises(ModelError, match="gave quantiles of shape"):
        eh.audit(Broken(), numbers(200), explain=False, **ASKED)


def test_a_group_of_too_few_rows_to_fit_on_is_told_that_nothing_is_promised() -> None:
    data = numbers(600)
    found = eh.audit(Banded(), data, explain=False, **ASKED)
    for kind in ("by_group", "overlapping"):
        assert "too few for this group's own threshold" in found[f"set_coverage[g=c;sets={kind}]"].note
        assert "no promise" in found[f"interval_width[g=c;sets={kind}]"].note
        assert not found[f"set_coverage[g=a;sets={kind}]"].note
    assert not found["set_coverage[g=c;sets=marginal]"].note
    assert "rows to fit on has no threshold of its own: g=c." in eh.render(found)
    assert "no threshold of its own" not in eh.render(suppressed(found, 10))


def test_several_classes_are_judged_by_the_decision() -> None:
    rng = np.random.default_rng(4)
    chances = rng.dirichlet([0.5, 0.5, 0.5], size=1_500)
    true = np.array([rng.choice(list("xyz"), p=row) for row in chances])
    found = eh.audit_predictions(
        true, y_score=pd.DataFrame(chances, columns=list("xyz")), task="multiclass",
        sensitive_features={"g": rng.choice(["a", "b"], 1_500)}, **ASKED,
    )  # fmt: skip
    assert found["calibration_excess"].interval.low < 0
    assert found["set_coverage[;sets=marginal]"].estimate == pytest.approx(0.9, abs=0.06)
    assert found["set_coverage[;class=y;sets=by_class]"].estimate == pytest.approx(0.9, abs=0.1)
    assert found["set_coverage[;sets=adaptive]"].estimate == pytest.approx(0.9, abs=0.06)
    assert found["set_size[g=a;sets=adaptive]"].estimate > 1
    assert record().get("set_coverage[;sets=adaptive]") is None, "of two classes it is the same question"


def test_weights_and_clusters_are_allowed_for_and_counts_are_refused() -> None:
    table = people(600).assign(home=np.repeat(np.arange(200), 3), w=1.5)
    found = eh.audit_predictions(
        table["y"], y_score=table["p"], sensitive_features=table[["sex"]], cluster=table["home"],
        sample_weight=table["w"], **ASKED,
    )  # fmt: skip
    assert found.get("calibration_excess") is None
    assert "weights or clusters" in found.sections[0].reason
    assert found["calibration_bias[sex=f]"].interval is not None


def test_features_of_very_many_groups_have_no_error_by_chance_for_each() -> None:
    rng = np.random.default_rng(15)
    said, groups = rng.uniform(size=1_000), [f"g{at:03}" for at in np.arange(1_000) % 150]
    found = eh.audit_predictions(
        rng.uniform(size=1_000) < said, y_score=said, sensitive_features={"g": groups}, **ASKED
    )
    assert found["calibration_excess"].estimate is not None
    assert found.get("calibration_excess[g=g000]") is None
    assert found["calibration_bias[g=g000]"].estimate is not None
    assert "more than 100 groups" in found.sections[0].reason


def test_few_rows_are_not_halved() -> None:
    table = people(80)
    found = eh.audit_predictions(table["y"], y_score=table["p"], sensitive_features=table[["sex"]], **ASKED)
    assert "too few" in found.sections[0].reason
    assert found["calibration_excess"].estimate is not None
    assert found.get("set_coverage[;sets=marginal]") is None


def test_decisions_alone_say_nothing_of_worth() -> None:
    found = eh.audit_predictions([0, 1] * 100, [0, 1] * 100, sensitive_features={"g": ["a", "b"] * 100}, **ASKED)
    assert not found.findings
    assert not found.sections[0].ran


def test_a_coarser_model_has_changed_sets_paired_with_the_original() -> None:
    table = people()
    found = eh.audit_predictions(
        table["y"], y_score=(table["p"] * 4).round() / 4, original_score=table["p"],
        sensitive_features=table[["sex", "race"]], **ASKED,
    )  # fmt: skip
    change = found["set_coverage_change[;of=original;sets=marginal]"]
    now = found["set_coverage[;sets=marginal]"].estimate
    assert change.estimate == pytest.approx(now - record()["set_coverage[;sets=marginal]"].estimate)
    assert change.interval.low <= change.estimate <= change.interval.high
    same = eh.audit_predictions(
        table["y"], y_score=table["p"], original_score=table["p"], sensitive_features=table[["sex"]], **ASKED
    )
    assert same["set_coverage_change[sex=f;of=original;sets=overlapping]"].estimate == 0.0


def model_of(noise: float, seed: int = 0):
    """Return a model that adds noise to the score that it reads."""

    def model(table: pd.DataFrame) -> np.ndarray:
        moved = np.random.default_rng(seed).normal(0, noise, len(table)) if noise else 0.0
        return np.clip(table["x"].to_numpy() + moved, 0, 1)

    return model


def test_whom_other_models_as_good_decide_otherwise() -> None:
    table = people()
    data = eh.read_evaluation_set(table[["sex", "race", "x", "y"]], label="y", sensitive_features=["sex"])
    others = {"near": model_of(0.02), "far": lambda rows: 1 - rows["x"]}
    found = eh.audit(model_of(0), data, others=others, audits="uncertainty", explain=False)
    turned = (np.clip(table["x"] + np.random.default_rng(0).normal(0, 0.02, 3_000), 0, 1) >= 0.5) != (table["x"] >= 0.5)
    assert found["ambiguity"].estimate == pytest.approx(turned.mean())
    assert found["discrepancy[sex=f]"].estimate == pytest.approx(turned[table["sex"] == "f"].mean())
    assert "far" in found.sections[0].reason


class Refitted:
    """A model that is fitted again with another seed: it adds noise to the score that it reads."""

    name, threshold, score_kind = "refitted", 0.5, "probability"
    facts: dict[str, object] = {"kind": "callable", "features": ["x"]}  # noqa: RUF012

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def predict(self, batch: pd.DataFrame) -> np.ndarray:
        return model_of(0.02, self.seed)(batch)

    def refit(self, rows: object, seed: int) -> Refitted:
        assert len(rows) == 500
        return Refitted(seed)


def test_fits_with_other_seeds_are_asked_for_with_everything() -> None:
    roles = {"label": "y", "sensitive_features": ["sex"]}
    data, training = (
        eh.read_evaluation_set(people(rows, seed)[["sex", "race", "x", "y"]], **roles)
        for rows, seed in ((1_000, 0), (500, 1))
    )
    said = {"members": training, "audits": "uncertainty", "explain": False}
    found = eh.audit(Refitted(), data, everything=True, **said)
    assert found["ambiguity"].estimate > found["discrepancy"].estimate > 0
    assert eh.audit(Refitted(), data, uncertainty=True, **said).get("ambiguity") is None


def test_numbers_are_turned_by_nobody() -> None:
    rng = np.random.default_rng(12)
    table = pd.DataFrame({"x": rng.normal(size=300), "g": rng.choice(["a", "b"], 300)})
    table["y"] = table["x"] + rng.normal(size=300)
    data = eh.read_evaluation_set(table, label="y", task="regression", sensitive_features="g")
    found = eh.audit(lambda rows: rows["x"], data, others={"same": lambda rows: rows["x"] + 1}, audits="uncertainty")
    assert found.get("ambiguity") is None
    assert "Numbers are not decided" in found.sections[0].reason


def test_rows_unlike_the_training_rows_are_found_in_their_group() -> None:
    table = people()
    table.loc[table["race"] == "b", "x"] += 30
    roles = {"label": "y", "sensitive_features": ["race"]}
    training = eh.read_evaluation_set(people(1_000, 1)[["sex", "race", "x", "y"]], **roles)
    data = eh.read_evaluation_set(table[["sex", "race", "x", "y"]], **roles)
    found = eh.audit(model_of(0), data, background=training, explain=False, **ASKED)
    assert found["outside_share[race=b]"].estimate > 0.99
    assert found["outside_share[race=a]"].estimate < 0.05
    without = eh.audit(model_of(0), data, explain=False, **ASKED)
    assert without.get("outside_share") is None
    assert "No training rows" in without.sections[0].reason


def test_limits_can_be_set_on_all_of_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        """
schema = 1
[limits]
"calibration_excess[race=*]" = { at_most = 0.05 }
"set_coverage_group_min[race;sets=overlapping]" = { at_least = 0.85 }
"set_coverage[race=*;sets=marginal]" = { at_least = 0.88 }
"refused_share_difference[sex;kept=0.8]" = { at_most = 0.2 }
"recalibrated_brier_change[race=*;by=isotonic]" = { at_most = 0.05 }
""",
        encoding="utf-8",
    )
    verdict = eh.judge(record(), eh.load_policy(policy))
    by_key = {str(judgement.key): judgement.status for judgement in verdict.judgements}
    assert by_key["calibration_excess[race=b]"] == "failed"
    assert by_key["set_coverage[race=b;sets=marginal]"] == "failed"
    assert by_key["refused_share_difference[sex;kept=0.8]"] == "passed"


def test_the_page_says_who_is_not_covered_and_a_plain_page_says_nothing() -> None:
    page = eh.render(record())
    assert "What scores are worth" in page
    assert "hold the truth less often than promised for" in page
    table = people(400)
    plain = eh.audit_predictions(table["y"], y_score=table["p"], sensitive_features=table[["sex"]])
    assert "What scores are worth" not in eh.render(plain)


def test_the_figure_of_the_worst_limit_comes_first(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('schema = 1\n[limits]\n"calibration_excess[race=*]" = { at_most = 0.05 }\n', encoding="utf-8")
    verdict = eh.judge(record(), eh.load_policy(policy))
    part = eh.render(record(), verdict).partition('id="uncertainty"')[2]
    assert (
        -1
        < part.find("Calibration error beyond what chance shows")
        < part.find("How often prediction sets with one threshold hold the truth")
    )


def test_real_rows_have_every_part() -> None:
    data = eh.load_loanapp()
    parts = eh.split(data, {"train": 0.5, "test": 0.5})
    found = eh.audit(
        lambda rows: 1 / (1 + np.exp(-rows["appinc"].fillna(60) / 60)), parts["test"], background=parts["train"],
        explain=False, **ASKED,
    )  # fmt: skip
    metrics = {finding.key.metric for finding in found.findings}
    assert {"calibration_excess", "set_coverage", "refused_share", "outside_share", "observed_rate"} <= metrics
    assert all(finding.estimate is None or np.isfinite(finding.estimate) for finding in found.findings)


@pytest.mark.parametrize("scores", ["constant", "hard", "few"])
def test_strange_scores_have_findings_and_a_page(scores: str) -> None:
    rng = np.random.default_rng(13)
    rows = 5 if scores == "few" else 200
    said = {"constant": np.full(rows, 0.5), "hard": rng.integers(0, 2, rows) * 1.0, "few": rng.uniform(size=rows)}
    truth = [*rng.integers(0, 2, rows - 2), 0, 1]
    groups = {"g": ["b", *rng.choice(["a"], rows - 1)]}
    found = eh.audit_predictions(truth, y_score=said[scores], sensitive_features=groups, **ASKED)
    assert found.findings
    assert all(f.estimate is None or np.isfinite(f.estimate) for f in found.findings)
    assert "What scores are worth" in eh.render(found)


def test_a_copy_for_publication_withholds_small_groups() -> None:
    rng = np.random.default_rng(14)
    said = rng.uniform(size=600)
    groups = ["tiny"] * 6 + [*rng.choice(["a", "b", "c"], 594)]
    truth = rng.uniform(size=600) < said
    found = eh.audit_predictions(truth, y_score=said, sensitive_features={"g": groups}, **ASKED)
    copy = suppressed(found, 10)
    shown = [f for f in copy.findings if not f.withheld and f.estimate is not None]
    assert any(("g", "tiny") in f.key.group for f in found.findings)
    assert not any(("g", "tiny") in f.key.group for f in shown)
    assert all(f.support >= 10 for f in shown)
    assert "What scores are worth" in eh.render(copy)
