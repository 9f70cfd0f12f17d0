"""A rate that another package declares is seen everywhere: table, disparities, policy, page."""

from __future__ import annotations

import importlib.util
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.metrics import METRICS, names
from evenhand.metrics.catalogue.entry import ALL, TP, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

HIT_SHARE = Metric(
    "hit_share", "Hit share", "rate", "higher_is_better", "TP / n", "The share of rows rightly taken.", "", "a test",
    ("hits",), (TP,), ALL,
)  # fmt: skip


class Point:
    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.name = metric.name

    def load(self) -> Metric:
        return self.metric


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    usual = metadata.entry_points
    metric = getattr(request, "param", HIT_SHARE)

    def points(**asked: str) -> object:
        return [Point(metric)] if asked == {"group": "evenhand.metrics"} else usual(**asked)

    monkeypatch.setattr(metadata, "entry_points", points)
    forget()
    yield
    METRICS.pop("hit_share", None)
    monkeypatch.undo()
    forget()


def forget() -> None:
    room = sys.modules["evenhand.metrics.catalogue.names"]
    for known in (room.extra_metrics, room._aliases, room.describe):
        known.cache_clear()
    room._PARSED.clear()


@pytest.mark.usefixtures("brought")
def test_one_declared_entry_is_all_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    truth, decided, sex = rng.integers(0, 2, 400), rng.integers(0, 2, 400), rng.choice(["f", "m"], 400)
    policy = eh.load_policy({"limits": {"hits_difference[sex]": {"at_most": 0.5}, "hit_share": {"at_least": 0.9}}})
    record = eh.audit_predictions(truth, decided, sensitive_features={"sex": sex})
    mine = sex == "f"
    assert record["hit_share[sex=f]"].estimate == pytest.approx((truth & decided)[mine].mean())
    assert record["hits_difference[sex]"].interval is not None
    verdict = eh.judge(record, policy)
    assert {str(j.key): j.status for j in verdict.judgements} == {
        "hit_share": "failed",
        "hit_share_difference[sex]": "passed",
    }
    eh.write_report(tmp_path / "page.html", record, verdict)
    assert "The share of rows rightly taken." in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "hit_share_group_min" in names()
    assert "`hit_share`" in _docs_page(), "the page of docs/metrics.md is made from the entries"
    assert exit_code(["list", "metrics"]) == 0
    assert "hit_share" in capsys.readouterr().out


def _docs_page() -> str:
    place = Path(__file__).parents[2] / "docs" / "_metrics.py"
    spec = importlib.util.spec_from_file_location("docs_metrics", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.page())


@pytest.mark.usefixtures("brought")
@pytest.mark.parametrize(
    "brought", [Metric("recall", "R", "rate", "neutral", "", "", numerator=(TP,), denominator=ALL)], indirect=True
)
def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(InputError, match="name that is taken"):
        eh.audit_predictions([0, 1], [0, 1])
