"""The section on differential privacy says the claim, whether guesses refute it, and whom the privacy costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import evenhand as eh
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.report.sections.differential_privacy import SECTION
from evenhand.report.sections.judged import Judged

ROWS = 400
NAME = "differential_privacy"


def record(bound: float | None, claim: float | None = 1.0, recall_f: float = 1.0) -> Any:
    """A record of a model beside another, which decides women's positive rows less often right, with such findings."""
    chance = np.random.default_rng(0)
    sex, truth = np.where(np.arange(ROWS) % 2, "f", "m"), chance.integers(0, 2, ROWS)
    data = {"sex": sex, "truth": truth}
    lost = (sex == "f") & (truth == 1) & (chance.random(ROWS) > recall_f)
    made = eh.audit_predictions(
        truth, np.where(lost, 0, truth), sensitive_features={"sex": data["sex"]}, original_pred=truth
    )
    known: dict[str, float | None] = {"epsilon_claimed": claim, "epsilon_lower_bound": bound}
    known["epsilon_excess"] = None if bound is None or claim is None else bound - claim
    stated = tuple(
        Finding(Key.of(name), NAME, value, unit="number", undefined="" if value is not None else "Not known.")
        for name, value in known.items()
    )
    return replace(made, findings=(*made.findings, *stated))


def said(made: Any) -> tuple[str, str]:
    (part,) = SECTION.parts(made, Judged(None))
    return str(part.answer), part.state


def test_a_claim_that_guesses_do_not_refute_is_plain() -> None:
    sentence, state = said(record(0.4))
    assert "Epsilon 1 is claimed" in sentence and "nothing refutes it" in sentence and state == "plain"


def test_a_refuted_claim_has_to_be_seen() -> None:
    sentence, state = said(record(2.5))
    assert "the claim is wrong" in sentence and state == "notable"


def test_a_claim_that_nothing_tested_says_so() -> None:
    assert "nothing tested it" in said(record(None))[0]


def test_the_group_that_pays_is_named_beside_the_overall_change() -> None:
    sentence, state = said(record(0.4, recall_f=0.6))
    assert "overall accuracy changes by -0.1" in sentence and "recall of sex=f by -0.4" in sentence
    assert state == "notable"
    (part,) = SECTION.parts(record(0.4, recall_f=0.6), Judged(None))
    assert [block.name for block in part.blocks] == ["dp-claim", "dp-cost"]


def test_a_record_without_such_findings_has_no_part() -> None:
    plain = eh.audit_predictions([0, 1, 1, 0], [0, 1, 0, 0], sensitive_features={"sex": list("fmfm")})
    assert SECTION.parts(plain, Judged(None)) == ()
