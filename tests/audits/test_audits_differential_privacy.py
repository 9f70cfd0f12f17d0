"""The claim of a private fit is stated, a broken one is found, and what is not known is undefined with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.data.coin import Coin
from evenhand.errors import InputError
from evenhand.evidence import Evidence, EvidenceOptions
from evenhand.subjects import as_subject

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.training import NetworkModel

pytest.importorskip("opacus")

from evenhand.compression import NeuronPruning, compress
from evenhand.training import TrainingConfig, fit
from evenhand.training.private import going

CLAIM = 0.8


def table(odd: int, plain: int, seed: int) -> pd.DataFrame:
    """Rows that follow a rule, and odd ones, whose labels can only be learnt by heart."""
    chance = np.random.default_rng(seed)
    n = odd + plain
    columns, label = chance.normal(size=(n, 20)), chance.integers(0, 2, n)
    columns[:, 0] = 0
    columns[odd:] *= 0.01
    columns[odd:, 0] = np.where(label[odd:] == 1, 3, -3)
    found = pd.DataFrame(columns.round(4), columns=[f"x{at}" for at in range(20)])
    return found.assign(sex=np.where(chance.random(n) < 0.5, "f", "m"), label=label)


def rows(odd: int, plain: int, seed: int) -> Any:
    return eh.read_evaluation_set(table(odd, plain, seed), label="label", sensitive_features="sex")


CANDIDATES, VALIDATION, TEST = rows(600, 100, 1), rows(0, 200, 2), rows(50, 100, 3)
LEARNING = TrainingConfig(
    epochs=30, hidden=(128,), dropout=0.0, weight_decay=0.0, batch_size=50, patience=30, canary_share=1.0, pieces=0,
    learning_rate=2e-2, epsilon=CLAIM, seeded_noise=True, baseline=False,
)  # fmt: skip

QUICK = replace(LEARNING, epochs=1, hidden=(16,))


@pytest.fixture(scope="module")
def private() -> NetworkModel:
    return fit(CANDIDATES, VALIDATION, replace(LEARNING, epochs=8))


@pytest.fixture(scope="module")
def broken() -> NetworkModel:
    """A fit that claims the same and adds no noise."""
    asked = going._asked
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(going, "_asked", lambda schedule: replace(asked(schedule), noise_multiplier=0.0))
        return fit(CANDIDATES, VALIDATION, LEARNING)


def audited(model: object, **settings: Any) -> AuditRecord:
    return eh.audit(model, TEST, audits=["differential_privacy"], **settings)


def test_a_private_fit_states_its_claim_and_is_not_refuted(private: NetworkModel) -> None:
    record = audited(private, members=CANDIDATES)
    assert record["epsilon_claimed"].estimate == private.history["privacy"]["epsilon"]  # type: ignore[index, call-overload]
    assert record["delta_claimed"].estimate == 1e-5
    assert record["epsilon_lower_bound"].support == 700
    excess = record["epsilon_excess"].estimate
    assert excess is not None and excess <= 0
    verdict = eh.judge(record, eh.load_policy({"limits": {"epsilon_excess": {"at_most": 0}}}))
    assert verdict.exit_code == 0


def test_a_fit_without_noise_that_claims_a_budget_is_caught(broken: NetworkModel) -> None:
    record = audited(broken, members=CANDIDATES)
    bound = record["epsilon_lower_bound"].estimate
    assert bound is not None and bound > 1.5 * CLAIM
    assert "less private" in record["epsilon_excess"].note
    verdict = eh.judge(record, eh.load_policy({"limits": {"epsilon_excess": {"at_most": 0}}}))
    assert verdict.exit_code == 1
    groups = [record[f"epsilon_lower_bound[sex={group}]"].estimate for group in "fm"]
    assert max(value or 0.0 for value in groups) > CLAIM


def test_the_order_of_the_candidates_does_not_matter(broken: NetworkModel) -> None:
    turned = CANDIDATES.take(np.random.default_rng(0).permutation(len(CANDIDATES)))
    both = (audited(broken, members=each, privacy_references=2) for each in (CANDIDATES, turned))
    one, two = (record["epsilon_lower_bound"] for record in both)
    assert one.estimate == pytest.approx(two.estimate)


def test_without_candidates_or_with_other_rows_nothing_is_bounded(private: NetworkModel) -> None:
    for members, word in ((None, "not given"), (TEST, "not the candidates")):
        record = audited(private, members=members)
        assert word in record["epsilon_lower_bound"].undefined
        assert word in record["epsilon_excess"].undefined
        assert record["epsilon_claimed"].estimate is not None


def test_members_that_no_coin_drew_bound_nothing() -> None:
    model = fit(CANDIDATES, VALIDATION, replace(QUICK, canary_share=0.0))
    assert "by coin" in audited(model, members=CANDIDATES)["epsilon_lower_bound"].undefined


def test_what_was_tuned_after_its_private_fit_has_no_budget_left() -> None:
    model = fit(CANDIDATES, VALIDATION, QUICK)
    small = compress(model, NeuronPruning(0.5, epochs=1), train=VALIDATION)
    claimed = audited(small)["epsilon_claimed"]
    assert claimed.estimate is None and "no longer holds" in claimed.undefined


def test_a_plain_model_is_not_asked_and_says_why_when_it_is() -> None:
    plain = eh.audit(lambda X: (X["x0"] > 0).astype(float), TEST, explain=False)
    assert not plain.of_audit("differential_privacy")
    assert "differential_privacy" not in [section.audit for section in plain.sections]
    asked = eh.audit(lambda X: (X["x0"] > 0).astype(float), TEST, audits=["differential_privacy"])
    (section,) = asked.sections
    assert not section.ran and "without differential privacy" in section.reason


def test_a_model_made_elsewhere_is_tested_by_a_column_that_says_who_was_in() -> None:
    """A lookup of its rows claims epsilon 1: every row that was in is known, and the claim is refuted."""
    held = table(400, 0, 5)
    held["inside"] = np.random.default_rng(2).integers(0, 2, len(held))
    known = {tuple(row) for row in held.loc[held["inside"] == 1, ["x1", "x2"]].to_numpy()}
    answers = {(a, b): y for a, b, y in held[["x1", "x2", "label"]].to_numpy()}

    def model(X: pd.DataFrame) -> np.ndarray:
        pairs = [tuple(row) for row in X[["x1", "x2"]].to_numpy()]
        return np.array([0.98 * answers[pair] + 0.01 if pair in known else 0.5 for pair in pairs])

    record = eh.audit(
        model, TEST, members=held, claimed_epsilon=1.0, member_column="inside", audits=["differential_privacy"]
    )
    bound = record["epsilon_lower_bound"].estimate
    assert bound is not None and bound > 2.5
    assert record["epsilon_excess"].estimate == pytest.approx(bound - 1.0)


def test_a_column_that_says_something_else_is_refused() -> None:
    held = table(40, 0, 5).assign(inside="yes")
    with pytest.raises(InputError, match="by 1"):
        eh.audit(
            lambda X: (X["x0"] > 0).astype(float), TEST, members=held, claimed_epsilon=1.0, member_column="inside",
            audits=["differential_privacy"],
        )  # fmt: skip


def test_the_record_has_no_rows_and_is_the_same_twice(broken: NetworkModel) -> None:
    one, two = (audited(broken, members=CANDIDATES, privacy_references=2) for _ in range(2))
    assert one.of_audit("differential_privacy") == two.of_audit("differential_privacy")
    coin = Coin.from_plain(broken.history["coin"])  # type: ignore[arg-type]
    assert str(coin.candidates) and "x0" in coin.columns


def test_rows_that_a_coin_left_out_count_as_no_members() -> None:
    held = TEST.table.assign(inside=[1, 0] * (len(TEST) // 2) + [1] * (len(TEST) % 2))
    candidates = eh.read_evaluation_set(held, like=TEST)
    subject = as_subject(lambda X: (X["x0"] > 0).astype(float))
    evidence = Evidence(subject, TEST, members=candidates, options=EvidenceOptions(member_column="inside"))
    assert evidence.candidates is candidates
    assert evidence.members is not None
    assert len(evidence.members) == int(held["inside"].sum())
