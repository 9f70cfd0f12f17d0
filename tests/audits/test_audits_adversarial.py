"""The attack audit: asked for or not run, per group, paired, and silent where it cannot be trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.errors import InputError
from evenhand.policy import load_policy
from evenhand.subjects import as_subject

torch = pytest.importorskip("torch")


def linear(weights: list[float], rounded: float = 0.0) -> Any:
    """Decide by a weighted sum, on rows that may be rounded first: then it has no gradient."""

    class Sum(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.Parameter(torch.tensor(weights))

        def forward(self, rows: Any) -> Any:
            return ((torch.round(rows / rounded) * rounded if rounded else rows) - 0.5) @ self.weights

    return as_subject(Sum(), output="logit", reads="arrays", name="sum")


def images(rows: int = 400) -> tuple[eh.EvaluationSet, np.ndarray]:
    """Rows of three numbers decided by their sum; those of the group `near` lie near the border."""
    rng = np.random.default_rng(0)
    near = rng.random(rows) < 0.5
    numbers = rng.uniform(0, 1, (rows, 3)).astype("float32")
    numbers[near] = 0.5 + (numbers[near] - 0.5) * 0.2
    truth = (numbers.sum(axis=1) >= 1.5).astype(int)
    table = pd.DataFrame({"y": truth, "site": np.where(near, "near", "far")})
    return eh.read_evaluation_set(table, label="y", sensitive_features="site", inputs=numbers), numbers


WEIGHTS = [1.0, 1.0, 1.0]


def test_nothing_is_attacked_unless_it_is_asked_for() -> None:
    data, _ = images()
    plain = eh.audit(linear(WEIGHTS), data, explain=False, footprint=False)
    assert not [f for f in plain.findings if f.audit == "adversarial"]
    asked = eh.audit(linear(WEIGHTS), data, explain=False, footprint=False, attack=True, attack_queries=20)
    assert asked["robust_accuracy"].estimate is not None


def test_robust_accuracy_is_exact_for_a_sum_and_the_brittle_group_is_found() -> None:
    data, numbers = images()
    record = eh.audit(linear(WEIGHTS), data, audits=["adversarial"], attack_budget=0.05, attack_queries=30)
    reach = 3 * 0.05
    standing = np.abs(numbers.sum(axis=1) - 1.5) > reach
    near = (data.table["site"] == "near").to_numpy()
    assert record["robust_accuracy"].estimate == pytest.approx(standing.mean())
    assert record["robust_accuracy[site=near]"].estimate == pytest.approx(standing[near].mean())
    gap = record["robust_accuracy_difference[site]"]
    assert gap.interval is not None
    assert (gap.interval.low or 0) > 0.1
    assert record["robust_accuracy_drop[site=near]"].estimate == pytest.approx(1 - standing[near].mean())
    assert record["attack_unreliable"].estimate == 0
    steps = [record[f"robust_accuracy[;attack={name}]"].estimate or 0 for name in ("none", "noise", "fgsm", "pgd")]
    assert steps == sorted(steps, reverse=True)
    said = next(section.reason for section in record.sections if section.audit == "adversarial")
    assert "at most 0.05, within 0 to 1" in said


def test_no_limit_rests_on_a_model_that_hides_its_gradients(tmp_path: Any) -> None:
    data, _ = images()
    record = eh.audit(
        linear(WEIGHTS, rounded=0.02), data, audits=["adversarial"], attack_budget=0.05, attack_queries=100
    )
    assert record["attack_unreliable"].estimate == 1
    assert record["attack_unreliable"].note
    assert record["robust_accuracy"].uncovered
    assert record["robust_accuracy_difference[site]"].uncovered
    place = tmp_path / "policy.toml"
    place.write_text("[limits]\nrobust_accuracy = { at_least = 0.1 }\nattack_unreliable = { at_most = 0 }\n")
    verdict = eh.judge(record, load_policy(place))
    status = {str(judgement.key): judgement.status for judgement in verdict.judgements}
    assert status["robust_accuracy"] == "undecided"
    assert status["attack_unreliable"] == "failed"


def test_the_original_is_attacked_itself_and_the_change_is_paired() -> None:
    data, _ = images()
    worse = linear([1.0, 1.0, 1.0])
    same = eh.audit(
        worse, data, original=linear(WEIGHTS), audits=["adversarial"], attack_budget=0.05, attack_queries=20
    )
    assert same["robust_accuracy_change[;of=original]"].estimate == 0
    assert same["robust_accuracy_change[site=near;of=original]"].estimate == 0
    transferred = same["transfer_accuracy[;of=original]"].estimate or 0
    assert transferred == pytest.approx(same["robust_accuracy"].estimate, abs=0.02)
    other = eh.audit(
        linear([3.0, 0.2, 0.2]), data, original=linear(WEIGHTS), audits=["adversarial"], attack_budget=0.05,
        attack_queries=20,
    )  # fmt: skip
    change = other["robust_accuracy_change[;of=original]"]
    own, old = other["robust_accuracy"].estimate or 0, other["robust_accuracy[;of=original]"].estimate or 0
    assert change.estimate == pytest.approx(own - old)


def test_a_table_is_attacked_in_named_columns_alone() -> None:
    data = eh.load_loanapp()

    def score(rows: pd.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-(rows["appinc"] - 80) / 20)))

    named = eh.audit(score, data, audits=["adversarial"], attack=True)
    assert not named.findings
    assert "attack_columns" in next(s.reason for s in named.sections if s.audit == "adversarial")
    record = eh.audit(score, data, audits=["adversarial"], attack_columns="appinc", attack_rows=200, attack_queries=40)
    assert (record["robust_accuracy_drop"].estimate or 0) > 0
    assert "appinc" in next(s.reason for s in record.sections if s.audit == "adversarial")
    with pytest.raises(InputError, match="apinc"):
        eh.audit(score, data, audits=["adversarial"], attack_columns="apinc")


def test_the_record_is_the_same_each_time_and_holds_no_row() -> None:
    data, numbers = images(120)
    made = [
        eh.audit(linear(WEIGHTS), data, audits=["adversarial"], attack_rows=50, attack_queries=20, seed=1).findings
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert not [value for value in numbers.ravel()[:30] if f"{value:.7g}" in repr(made[0])]


def test_the_page_says_first_what_withstands_and_first_of_all_that_it_cannot_be_trusted() -> None:
    data, _ = images()
    sound = eh.audit(
        linear(WEIGHTS), data, audits=["performance", "adversarial"], attack_budget=0.05, attack_queries=20
    )
    page = eh.render(sound)
    assert "still are when each is attacked" in page
    assert "Rows decided rightly after each attack" in page
    hidden = eh.audit(
        linear(WEIGHTS, rounded=0.02), data, audits=["performance", "adversarial"], attack_budget=0.05,
        attack_queries=100,
    )  # fmt: skip
    assert "The attacks cannot be trusted here" in eh.render(hidden)
    assert 'id="adversarial"' not in eh.render(eh.audit(linear(WEIGHTS), data, audits=["performance"]))


def test_a_model_without_gradients_is_not_called_more_robust_than_its_twin_that_has_them() -> None:
    """The same decisions, once as a module and once as a function: an attack on the module misleads both."""
    data, _ = images()

    def score(rows: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-(rows.astype(np.float64) - 0.5) @ np.array(WEIGHTS))))

    hidden = as_subject(score, reads="arrays", name="function")
    record = eh.audit(
        hidden, data, original=linear(WEIGHTS), audits=["adversarial"], attack_budget=0.05, attack_queries=3
    )
    change = record["robust_accuracy_change[;of=original]"].estimate
    assert change == pytest.approx(0, abs=0.02)
    assert record["robust_accuracy"].estimate == pytest.approx(
        record["robust_accuracy[;of=original]"].estimate, abs=0.02
    )
