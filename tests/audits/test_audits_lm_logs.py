"""Two language models on the same documents: paired, with epochs as clusters, and a gate that is seldom wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind
from tests.data.lm_logs import harness, inspect_eval, inspect_header, inspect_sample

import evenhand as eh
from evenhand.keys import Key
from evenhand.metrics.comparisons.changes import measure_change, p_of_no_change
from evenhand.metrics.counts.joint import JointTally
from evenhand.policy import judge, load_policy

GPQA = Path(__file__).parents[1] / "golden" / "data" / "gpqa_diamond.csv"
CHANGE = "accuracy_change[;of=original]"


def gpqa() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return items, and (198, 5) whether each model was right in each epoch: the first model, and the second."""
    rows = [*csv.reader(line for line in GPQA.read_text().splitlines() if not line.startswith("#"))][1:]
    one, other = (np.array([[int(mark) for mark in row[at]] for row in rows]) for at in (1, 2))
    return [row[0] for row in rows], one, other


def written(folder: Path, items: list[str], scores: np.ndarray) -> Path:
    samples = [
        inspect_sample(item, "CI"[1 - mark], epoch, half=item[3] < "K")
        for item, marks in zip(items, scores.tolist(), strict=True)
        for epoch, mark in enumerate(marks, 1)
    ]
    return inspect_eval(folder / "gpqa.eval", inspect_header("gpqa_diamond", folder.name), samples)


def test_gpqa_paired_by_item_is_the_published_interval(tmp_path: Path) -> None:
    items, new, old = gpqa()
    record = eh.audit_lm_logs(written(tmp_path / "nano", items, new), written(tmp_path / "mini", items, old))
    found = record[CHANGE]
    assert found.interval is not None
    assert [round(100 * part, 1) for part in (found.estimate, found.interval.low, found.interval.high)] == [  # type: ignore[operator]
        5.9, 0.4, 11.3,
    ]  # fmt: skip
    paired = ttest_1samp(new.mean(axis=1) - old.mean(axis=1), 0)
    p = record["p_value[;of=original;rate=accuracy]"].estimate
    assert p == pytest.approx(paired.pvalue, abs=2e-4)
    assert round(float(p or 0), 3) == 0.036
    assert round(float(ttest_ind(new.mean(axis=1), old.mean(axis=1)).pvalue), 3) == 0.149, "what is asked today"
    assert found.interval.low == pytest.approx(paired.confidence_interval().low, abs=1e-6)


def test_epochs_are_no_independent_rows() -> None:
    _, new, old = gpqa()
    items = np.repeat(np.arange(len(new)), 5)
    alone, clustered = (
        measure_change("accuracy", JointTally.count(np.ones(items.size), old.ravel(), new.ravel(), clusters=by))
        for by in (None, items)
    )
    width = [float(found.high[0] - found.low[0]) for found in (alone, clustered)]
    assert width[1] > 1.5 * width[0]
    p = [float(p_of_no_change(found)[0]) for found in (alone, clustered)]
    assert p[0] < 0.005
    assert p[1] > 0.03


def test_the_gate_derives_what_the_audit_stated(tmp_path: Path) -> None:
    items, new, old = gpqa()
    logs = (written(tmp_path / "new", items, new), written(tmp_path / "old", items, old))
    record = eh.audit_lm_logs(*logs, sensitive_features="half")
    eh.write_record(tmp_path / "audit.json", record)
    again = eh.read_record(tmp_path / "audit.json")
    (tmp_path / "policy.toml").write_text(
        'schema = 1\n[limits]\n"accuracy_change[;of=original]" = { at_least = 0.0 }\n'
        '"accuracy_change[half=*;of=original]" = { at_least = -0.15 }\n'
        '"negative_flip_rate[;of=original]" = { at_most = 0.05 }\n'
    )
    verdict = judge(again, load_policy(tmp_path / "policy.toml"))
    told = {str(each.key): each.status for each in verdict.judgements}
    assert told == {
        CHANGE: "passed", "accuracy_change[half=False;of=original]": "passed",
        "accuracy_change[half=True;of=original]": "passed", "negative_flip_rate[;of=original]": "failed",
    }  # fmt: skip
    page = eh.render(again, verdict, "html")
    assert "gpqa_diamond: choice" in page
    assert "Selection rate" not in page.split("Glossary")[0].split("Everything else")[-1]
    assert not [f for f in record.findings if f.undefined], "nothing is stated of what graded answers cannot have"


def test_flips_by_direction_and_tests_by_task_adjusted(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    tasks, before = {}, {}
    for name, lost in (("arc", 0.02), ("gsm8k", 0.2), ("piqa", 0.02)):
        right = rng.random(300) < 0.7
        after = np.where(rng.random(300) < lost, False, right)
        before[name], tasks[name] = ([{"acc": float(each)} for each in part] for part in (right, after))
    record = eh.audit_lm_logs(harness(tmp_path / "new", tasks), harness(tmp_path / "old", before))
    worst = Key.parse("accuracy_change[task=gsm8k;of=original]")
    assert record[worst].interval is not None
    assert record[worst].interval.high < -0.08  # type: ignore[union-attr]
    assert record["positive_flip_rate[task=gsm8k;of=original]"].estimate == 0
    lost = record["negative_flip_rate[task=gsm8k;of=original]"].estimate
    assert lost == pytest.approx(-(record[worst].estimate or 0))
    adjusted, plain = (
        record[f"p_value[task=gsm8k;{how}of=original;rate=accuracy]"].estimate for how in ("adjusted=holm;", "")
    )
    assert adjusted == pytest.approx(3 * (plain or 0))
    assert (adjusted or 1) < 1e-6


def test_equal_models_seldom_fail_over_tasks() -> None:
    """Of 200 pairs of runs of one model, with three epochs a document, Holm's test over four tasks fails few."""
    rng = np.random.default_rng(11)
    fails, runs, tasks, documents, epochs = 0, 200, 4, 60, 3
    level = 1 - 0.05 / tasks  # the first step of Holm's test: some task fails only if one is outside at this level
    for _ in range(runs):
        chance = np.repeat(rng.beta(1.0, 0.5, tasks * documents), epochs)
        old, new = (rng.random(chance.size) < chance for _ in range(2))
        codes, items = np.arange(chance.size) // (documents * epochs), np.arange(chance.size) // epochs
        joint = JointTally.count(np.ones(chance.size), old, new, codes, tasks, clusters=items)
        fails += bool((measure_change("accuracy", joint, level).high < 0).any())
    assert fails / runs <= 0.03


@pytest.mark.parametrize(
    ("gained", "lost"),
    [(0, 30), (3, 6), pytest.param(20, 20, marks=pytest.mark.slow), pytest.param(15, 60, marks=pytest.mark.slow)],
)
def test_limits_of_clusters_cover(gained: int, lost: int) -> None:
    """Documents gained or lost in one to four of four epochs: each end misses 2.5 %, and what 500 runs may add."""
    rng, documents, epochs, runs = np.random.default_rng(gained + lost), 300, 4, 500
    drawn = rng.random((runs, documents))
    sign = np.where(drawn < gained / documents, 1, np.where(drawn < (gained + lost) / documents, -1, 0))
    moved = sign * rng.integers(1, epochs + 1, sign.shape)
    truth = (gained - lost) / documents * (epochs + 1) / 2 / epochs
    at = np.arange(epochs)
    old = (at < -moved[..., None]) | (moved[..., None] == 0)
    new = (at < moved[..., None]) | (moved[..., None] == 0)
    codes, items = np.repeat(np.arange(runs), documents * epochs), np.repeat(np.arange(runs * documents), epochs)
    joint = JointTally.count(np.ones(codes.size), old.ravel(), new.ravel(), codes, runs, clusters=items)
    found = measure_change("accuracy", joint)
    assert (found.low > truth).mean() <= 0.04
    assert (found.high < truth).mean() <= 0.04
