"""The findings of a record that are said first: how good it is, and for whom it is worse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.cli.places import has_policy
from evenhand.errors import shorten
from evenhand.keys import Key
from evenhand.report.numbers import with_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from evenhand.findings import AuditRecord, Finding
    from evenhand.policy import Verdict

MOST_FEATURES: Final = 3
"""Sensitive features that are told; the rest is in the record."""
OVERALL: Final = ("balanced_accuracy", "macro_recall", "subset_accuracy", "r2", "ndcg", "roc_auc")
"""What says how good a model is, of which a record has one or two."""
GAPS: Final[tuple[tuple[str, ...], ...]] = (
    ("selection_rate_ratio", "selection_distance", "mean_absolute_error_ratio", "exposure_ratio"),
    ("equalized_odds_difference", "equalized_odds_distance", "mean_residual_difference"),
)
"""What says how unlike the groups of a feature are; of each the first that a record has."""
CHANGES: Final = ("size_ratio[;of=original]", "flip_rate[;of=original]")
"""What says what compression did."""


def headlines(record: AuditRecord) -> Iterator[str]:
    """Yield lines on the findings that are read first, each with its interval."""
    overall = [found for key in OVERALL if (found := _defined(record, key)) is not None]
    if overall:
        yield _line(overall[:2])
    changes = [found for key in CHANGES if (found := _defined(record, key)) is not None]
    if changes:
        yield _line(changes)
    gaps = [several for feature in _features(record) if (several := _gaps(record, feature))]
    gaps.sort(key=lambda several: -max(_severity(gap) for gap in several))
    yield from (_line(several) for several in gaps[:MOST_FEATURES])
    if len(gaps) > MOST_FEATURES:
        more = len(gaps) - MOST_FEATURES
        yield f"{more} more sensitive {'features are' if more > 1 else 'feature is'} less far apart"


def _features(record: AuditRecord) -> list[str]:
    return list(record.provenance.get("data", {}).get("sensitive_features", ()))


def _gaps(record: AuditRecord, feature: str) -> list[Finding]:
    """Return of each kind of gap the first that the record has of a feature."""
    keys = ([str(Key.of(metric, [feature])) for metric in kind] for kind in GAPS)
    found = (next((gap for key in kind if (gap := _defined(record, key)) is not None), None) for kind in keys)
    return [gap for gap in found if gap is not None]


def _defined(record: AuditRecord, key: str) -> Finding | None:
    """Return a finding that an audit stated, if it has a value."""
    found = record.stated(key)
    return None if found is None or found.estimate is None else found


def _severity(gap: Finding) -> float:
    """Return how far a gap is from none: a ratio from 1, a difference from 0."""
    assert gap.estimate is not None  # asked for by the caller
    return 1 - gap.estimate if gap.key.metric.endswith("_ratio") else abs(gap.estimate)


def _line(found: Sequence[Finding]) -> str:
    return "; ".join(f"{finding.name} {with_interval(finding)}{_between(finding)}" for finding in found)


def _between(finding: Finding) -> str:
    """Return the two groups that make a gap."""
    names = [group.group for group in finding.groups[:2]]
    return f" ({' and '.join(shorten(name, 30) for name in names)})" if len(names) == 2 else ""


def audit_lines(record: AuditRecord, output: Path) -> Iterator[str]:
    """Yield the lines that an audit ends with: rows, model, headlines, what did not run, and where all of it is."""
    data, subject = record.provenance.get("data", {}), record.provenance.get("subject", {})
    original = record.provenance.get("original")
    against = f", compared with {original['name']}" if original else ""
    name, model = str(data.get("name", "data")), str(subject.get("name", ""))
    told = f"model {model}" if model not in ("", name) else "the predictions in it"
    yield f"{name}: {data.get('rows', 0):,} rows; {told}{against}"
    yield from headlines(record)
    absent = [section.audit for section in record.sections if not section.ran]
    if absent:
        yield f"not run: {', '.join(absent)}; the report says why"
    yield f"Wrote {output}: {len(record.findings):,} findings"


def following(output: Path, policy: Path | None, verdict: Verdict | None) -> list[object]:
    """Return the command that comes after an audit: the gate where there is a policy, and then the report."""
    named = [] if policy is None else ["--policy", policy]
    if verdict is None and (policy is not None or has_policy()):
        return ["evenhand", "gate", output, *named]
    return ["evenhand", "report", output, *named]
