"""Wrong models: the door refuses them, a rule of `check_subject` tells them, or docs/trust.md says that nothing can."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import pytest
from wrong_models import DOOR, UNTOLD, WRONG, data

import evenhand as eh
from evenhand.testing import check_subject

TRUST = Path(__file__).parents[2] / "docs" / "trust.md"
TOLD = {name: wrong for name, wrong in WRONG.items() if wrong.told_by not in (DOOR, UNTOLD)}


def test_there_are_enough_of_each() -> None:
    refused = [name for name, wrong in WRONG.items() if wrong.told_by == DOOR]
    assert len(refused) >= 50
    assert len(TOLD) >= 20


@pytest.mark.parametrize("name", [name for name, wrong in WRONG.items() if wrong.told_by == DOOR])
def test_the_door_refuses(name: str) -> None:
    wrong = WRONG[name]
    with warnings.catch_warnings(), pytest.raises(eh.EvenhandError) as caught:
        warnings.simplefilter("ignore")
        eh.audit(wrong.make(), data(wrong.task), explain=False, footprint=False)
    for problem in caught.value.problems:
        assert len(problem) > 30
        assert "\n" not in problem
    with pytest.raises(eh.EvenhandError):
        check_subject(wrong.make(), data(wrong.task))


@pytest.mark.parametrize("name", TOLD)
def test_a_rule_tells(name: str) -> None:
    wrong = WRONG[name]
    found = check_subject(wrong.make(), data(wrong.task), on_fail=None)
    first = found.of("failed", "reported")[0]
    assert first.name == wrong.told_by, [(check.name, check.sentence) for check in found.of("failed", "reported")]


@pytest.mark.parametrize("name", [name for name, wrong in WRONG.items() if wrong.told_by == UNTOLD])
def test_nothing_tells_and_the_docs_say_so(name: str) -> None:
    wrong = WRONG[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        check_subject(copy.deepcopy(wrong.make()), data(wrong.task))
    eh.audit(wrong.make(), data(wrong.task), explain=False, footprint=False)
    assert name in TRUST.read_text(encoding="utf-8")
