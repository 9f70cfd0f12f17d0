"""Robust accuracy is that of AutoAttack (Croce and Hein 2020), which lives in an environment of its own.

Set EVENHAND_ATTACK_PEERS to the python of an environment with torch and torchattacks: ``python -m venv attack-peers``,
``attack-peers/bin/pip install -c constraints/attacks_peers.txt torch scipy tqdm requests``, and then
``attack-peers/bin/pip install --no-deps -c constraints/attacks_peers.txt torchattacks``: its own wants are of old
versions, and of torchvision, which it does not use.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evenhand.probing.attacks import attack, threat_of
from evenhand.subjects import as_subject
from evenhand.subjects.of_task import TaskSubject

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.peers, pytest.mark.slow]


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The program that measures both."""
    pytest.importorskip("torch")
    if not os.environ.get("EVENHAND_ATTACK_PEERS"):
        pytest.skip("EVENHAND_ATTACK_PEERS names no python with torchattacks")
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    yield import_module("attacks")
    for name in ("attacks", "measuring"):
        sys.modules.pop(name, None)


def test_robust_accuracy_is_autoattacks_within_a_hundredth(reference: Any) -> None:
    network, images, truth = reference.fitted()
    images, truth = images[:400], truth[:400]
    theirs = reference.theirs(network, images, truth, "fgsm,autoattack")
    subject = TaskSubject(as_subject(network, output="logit", reads="arrays"), "multiclass", tuple(range(10)))
    found = attack(subject, images, truth, threat_of(images, budget=reference.BUDGET), several=True, queries=200)
    assert found.standing.mean() == pytest.approx(theirs["autoattack"]["robust"], abs=0.01)
    assert found.right["fgsm"].mean() == pytest.approx(theirs["fgsm"]["robust"], abs=0.01)
    assert found.unreliable == ()
