"""Audits compared row by row by the predictions they kept: figures as by hand; files that do not fit are refused."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError, PolicyError
from evenhand.evidence.keeping import Keeping, row_key
from evenhand.evidence.pairing import PairedPredictions
from evenhand.keys import Key
from evenhand.metrics.inference.paired import paired_auc_change
from evenhand.records import read_record

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

pytest.importorskip("pyarrow")
KEY = b"0123456789abcdef0123456789abcdef"


def table(seed: int = 0, rows: int = 800) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    frame = pd.DataFrame({"x": rng.normal(size=rows) + y, "sex": rng.choice(["f", "m"], rows), "y": y})
    frame["old"] = 1 / (1 + np.exp(-frame.x))
    frame["new"] = np.clip(frame.old + rng.normal(0, 0.02, rows), 0, 1)
    return frame


def audited(frame: pd.DataFrame, score: str, place: Path, key: bytes = KEY) -> AuditRecord:
    data = eh.read_evaluation_set(
        frame.drop(columns=[c for c in ("old", "new") if c in frame and c != score]),
        label="y",
        score=score,
        sensitive_features=["sex"],
    )
    from evenhand.audits import audit_given

    return audit_given(data, keeping=Keeping(place, key))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[AuditRecord, AuditRecord, PairedPredictions, pd.DataFrame]:
    frame = table()
    old, new = audited(frame, "old", tmp_path / "o.parquet"), audited(frame.iloc[::-1], "new", tmp_path / "n.parquet")
    return old, new, PairedPredictions.read(new, tmp_path / "n.parquet", old, tmp_path / "o.parquet"), frame


def test_rows_meet_whatever_their_order(
    pair: tuple[AuditRecord, AuditRecord, PairedPredictions, pd.DataFrame],
) -> None:
    old, new, pairs, frame = pair
    assert (len(pairs.table), pairs.only_old, pairs.only_new) == (800, 0, 0)
    for text in ("accuracy", "recall", "recall[sex=f]", "false_positive_rate[sex=m]", "error_rate", "roc_auc"):
        change = pairs.change(Key.parse(text), 0.95)
        assert change is not None and change.estimate is not None and change.interval is not None
        if text in old and text in new:
            before, after = old[text].estimate, new[text].estimate
            assert before is not None and after is not None
            assert change.estimate == pytest.approx(after - before, abs=1e-12), text
        assert change.interval.low is not None and change.interval.low <= change.estimate
    f = frame[frame.sex == "f"]
    by_hand = ((f.new >= 0.5) & (f.y == 1)).sum() / (f.y == 1).sum() - ((f.old >= 0.5) & (f.y == 1)).sum() / (
        f.y == 1
    ).sum()
    found = pairs.change(Key.parse("recall[sex=f]"), 0.95)
    assert found is not None and found.estimate == pytest.approx(by_hand)


def test_pairing_decides_what_independent_audits_leave_open(
    pair: tuple[AuditRecord, AuditRecord, PairedPredictions, pd.DataFrame],
) -> None:
    old, new, pairs, _ = pair
    policy = eh.load_policy({"limits": {"accuracy": {"max_drop": 0.02}, "roc_auc": {"max_drop": 0.01}}})
    alone, together = eh.judge(new, policy, baseline=old), eh.judge(new, policy, baseline=old, pairs=pairs)
    assert alone.status == "undecided"
    assert together.status == "passed"
    for judgement in together.judgements:
        assert judgement.finding is not None and judgement.finding.note.startswith("Paired over 800 rows")
        assert judgement.finding.direction == "lower_is_better"


def test_what_cannot_be_paired_is_compared_as_independent(
    pair: tuple[AuditRecord, AuditRecord, PairedPredictions, pd.DataFrame],
) -> None:
    old, new, pairs, _ = pair
    assert pairs.change(Key.parse("recall_difference[sex]"), 0.95) is None
    assert pairs.change(Key.parse("precision"), 0.95) is None
    assert pairs.change(Key.parse("recall[sex=unheard]"), 0.95) is None
    policy = eh.load_policy({"limits": {"recall_difference[sex]": {"max_drop": 0.5}}})
    (judgement,) = eh.judge(new, policy, baseline=old, pairs=pairs).judgements
    assert judgement.finding is not None and "independent" in judgement.finding.note


def test_rows_that_one_audit_lacks_are_counted(tmp_path: Path) -> None:
    frame = table()
    old = audited(frame.iloc[100:], "old", tmp_path / "o.parquet")
    new = audited(frame.iloc[:750], "new", tmp_path / "n.parquet")
    pairs = PairedPredictions.read(new, tmp_path / "n.parquet", old, tmp_path / "o.parquet")
    assert (len(pairs.table), pairs.only_old, pairs.only_new) == (650, 50, 100)


def test_equal_rows_are_told_apart(tmp_path: Path) -> None:
    frame = pd.concat([table(rows=50)] * 3, ignore_index=True)
    record = audited(frame, "old", tmp_path / "o.parquet")
    pairs = PairedPredictions.read(record, tmp_path / "o.parquet", record, tmp_path / "o.parquet")
    assert len(pairs.table) == 150


def test_files_that_do_not_belong_are_refused(
    pair: tuple[AuditRecord, AuditRecord, PairedPredictions, pd.DataFrame], tmp_path: Path
) -> None:
    old, new, _, frame = pair
    o, n = tmp_path / "o.parquet", tmp_path / "n.parquet"
    with pytest.raises(InputError, match="hash differs"):
        PairedPredictions.read(new, o, old, o)
    with pytest.raises(InputError, match="kept no predictions"):
        PairedPredictions.read(replace(new, provenance={}), n, old, o)
    other = audited(frame, "new", tmp_path / "x.parquet", b"another key of enough bytes")
    with pytest.raises(InputError, match="different keys"):
        PairedPredictions.read(other, tmp_path / "x.parquet", old, o)
    strangers = audited(table(seed=9), "new", tmp_path / "s.parquet")
    with pytest.raises(InputError, match="share no row"):
        PairedPredictions.read(strangers, tmp_path / "s.parquet", old, o)
    (tmp_path / "short").write_bytes(b"abc")
    with pytest.raises(InputError, match="too short"):
        row_key(tmp_path / "short")


def test_the_file_is_private_and_hides_the_rows(
    pair: tuple[AuditRecord, AuditRecord, PairedPredictions, pd.DataFrame], tmp_path: Path
) -> None:
    place = tmp_path / "o.parquet"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    held = pd.read_parquet(place)
    assert set(held.columns) == {"row", "y_true", "y_pred", "y_score", "group:sex"}, "no feature is in it"
    audited(table(), "old", tmp_path / "k.parquet", b"another key of enough bytes")
    assert not set(held.row) & set(pd.read_parquet(tmp_path / "k.parquet").row), "the key decides the names"
    fresh = row_key(tmp_path / "made")
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600
    assert fresh == row_key(tmp_path / "made") and len(fresh) == 32


def test_paired_auc_equals_brute_force_and_covers() -> None:
    rng = np.random.default_rng(1)

    def scores(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y = (rng.random(n) < 0.4).astype(np.int8)
        shared = rng.normal(size=n)
        return y, shared + 0.8 * y + 0.3 * rng.normal(size=n), shared + 1.0 * y + 0.3 * rng.normal(size=n)

    y, old, new = scores(80)
    from sklearn.metrics import roc_auc_score

    change, low, high = paired_auc_change(y, old, new)
    assert change == pytest.approx(roc_auc_score(y, new) - roc_auc_score(y, old))
    assert low < change < high
    y, old, new = scores(400_000)
    truth = paired_auc_change(y, old, new)[0]
    covered = 0
    for _ in range(1000):
        _, low, high = paired_auc_change(*scores(150))
        covered += low <= truth <= high
    assert 945 <= covered <= 990  # wider than needed here: it also holds for few positives whose scores are skew
    same = paired_auc_change(y[:100], old[:100], old[:100])
    assert same[0] == 0 and same[1] < 0 < same[2], "no change seen is not proof that there is none"


def test_only_what_is_new_stops() -> None:
    bad = eh.audit_predictions([1, 0] * 200, [1, 1] * 200)
    worse = eh.audit_predictions([1, 0] * 200, [0, 1] * 200)
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.9}, "recall": {"at_least": 0.9}}})
    again = eh.judge(bad, policy, baseline=bad, new_only=True)
    assert (again.status, again.exit_code) == ("passed", 0)
    assert {j.status for j in again.judgements if j.known} == {"failed"}
    assert eh.judge(bad, policy, baseline=bad).status == "failed", "without the flag it stops"
    fresh = eh.judge(worse, policy, baseline=bad, new_only=True)
    assert fresh.status == "failed"
    assert [str(j.key) for j in fresh.judgements if j.stops] == ["recall"]
    with pytest.raises(PolicyError, match="--baseline"):
        eh.judge(bad, policy, new_only=True)


def test_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table().to_csv("rows.csv", index=False)
    for name, other in (("old", "new"), ("new", "old")):
        asked = ["audit", "rows.csv", "--label", "y", "--sensitive", "sex", "--score", name, "--exclude", other]
        # the id of a row is all it holds but scores, so both files must hold the same columns
        table().drop(columns=[other]).to_csv("rows.csv", index=False)
        asked = asked[:-2]
        assert exit_code([*asked, "-o", f"{name}.json", "--keep-predictions", f"{name}.parquet"]) == 0
    assert read_record("new.json").provenance["predictions"] != read_record("old.json").provenance["predictions"]
    (tmp_path / "p.toml").write_text('schema = 1\n[limits]\n"accuracy" = { max_drop = 0.02 }\n')
    gate = ["gate", "new.json", "-p", "p.toml", "--baseline", "old.json"]
    assert exit_code(gate) == 3
    both = ["--predictions", "new.parquet", "--baseline-predictions", "old.parquet"]
    assert exit_code([*gate, *both]) == 0
    assert exit_code([*gate, "--predictions", "new.parquet"]) == 2
    capsys.readouterr()
    files = ["--old-predictions", "old.parquet", "--new-predictions", "new.parquet"]
    assert exit_code(["compare", "old.json", "new.json", "-p", "p.toml", "--all", *files]) == 0
    said = capsys.readouterr().out
    assert "unchanged  accuracy[;vs=baseline]" in said or "new" in said
    assert "; paired " in said
