"""The rows of a log as rows to learn from: those with a label, and how many have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from evenhand.errors import InputError, did_you_mean, raise_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord, Plain

LABEL: Final = "label"
"""The column of a log that holds the label."""
NO_DECISION: Final = "(none)"
"""How rows are called whose decision the log does not hold."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labelled rows of a log, in order of time, and what became of the others.

    See Also
    --------
    evenhand.monitoring.releasing.retrain : Learns from them.
    """

    frame: pd.DataFrame
    """The rows with a label, which is under its name of the audit."""
    logged: int
    """Predictions of the log."""
    by_decision: Mapping[str, tuple[int, int]]
    """For each decision, how many predictions there were, and how many of them have a label."""

    def told(self) -> str:
        """Return how many rows have a label, by decision, in a sentence."""
        parts = [
            f"{labelled:,} of {count:,} decided '{name}'"
            if name != NO_DECISION
            else f"{labelled:,} of {count:,} others"
            for name, (count, labelled) in self.by_decision.items()
        ]
        return f"{len(self.frame):,} of {self.logged:,} logged predictions have a label: {', '.join(parts)}"

    @property
    def selective(self) -> str:
        """A warning where labels are of one decision alone or nearly so; empty where they are not."""
        shares = {name: labelled / count for name, (count, labelled) in self.by_decision.items() if count}
        if len(shares) < 2 or min(shares.values()) >= 0.5 * max(shares.values()):
            return ""
        least, most = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
        return (
            f"Labels are selective: {shares[most]:.0%} of those decided '{most}' have one, and {shares[least]:.0%} of "
            f"those decided '{least}'. What is learnt and audited here is of people who got a label, and says nothing "
            "certain of the others."
        )

    def to_plain(self) -> dict[str, Plain]:
        """Return the numbers as plain data."""
        each: dict[str, Plain] = {
            name: {"logged": count, "labelled": labelled} for name, (count, labelled) in self.by_decision.items()
        }
        return {"logged": self.logged, "labelled": len(self.frame), "by_decision": each}


def labelled_rows(log: pd.DataFrame, record: AuditRecord) -> Labelled:
    """Return the rows of a log that have a label, in order of time, as the audit's roles name their columns.

    Parameters
    ----------
    log : DataFrame
        As `evenhand.monitoring.log.log_table` gives it.
    record : AuditRecord
        Of the deployed model.

    Raises
    ------
    InputError
        When no row has a label, or the log lacks columns.
    """
    name = str(record.provenance.get("data", {}).get("label") or LABEL)
    raise_all(
        InputError,
        (
            f"The log has no column '{column}'.{did_you_mean(column, [str(each) for each in log.columns])}"
            for column in ("time", LABEL)
            if column not in log.columns
        ),
    )
    there = log[LABEL].notna()
    decided = log["decision"] if "decision" in log.columns else pd.Series(None, index=log.index, dtype=object)
    called = decided.map(lambda value: NO_DECISION if pd.isna(value) else str(value))
    counts = {
        str(each): (int((called == each).sum()), int(((called == each) & there).sum()))
        for each in sorted(called.unique())
    }
    if not there.any():
        raise InputError(f"None of the {len(log):,} predictions of the log has a label, so nothing can be learnt.")
    frame = log[there].sort_values("time", kind="stable").reset_index(drop=True)
    frame[LABEL] = _values(frame[LABEL], record)
    if name != LABEL:
        frame[name] = frame.pop(LABEL)
    return Labelled(frame, len(log), counts)


def rows_of(frame: pd.DataFrame, name: str, record: AuditRecord, features: tuple[str, ...]) -> EvaluationSet:
    """Return rows with the roles that the record names; the columns are the model's inputs and those of the roles.

    Raises
    ------
    InputError
        When columns are absent, or hold what they may not.
    """
    from evenhand.data import read_evaluation_set

    data = record.provenance.get("data", {})
    roles: dict[str, Any] = {
        role: value for role, value in data.get("roles", {}).items() if value not in (None, []) and role != "exclude"
    }
    dropped = [role for role in ("prediction", "score") if roles.pop(role, None) is not None]
    for role in ("id", "cluster", "sample_weight"):  # a log need not hold them
        if role in roles and roles[role] not in frame.columns:
            dropped.append(role)
            roles.pop(role)
    named = [
        column
        for value in roles.values()
        for column in (value if isinstance(value, (list, tuple)) else [value])
        if isinstance(column, str) and column in frame.columns
    ]
    kept = frame[[column for column in dict.fromkeys([*features, *named]) if column in frame.columns]]
    more: dict[str, Any] = {"missing": data.get("missing", "error")}
    more |= {"bins": data["bins"]} if data.get("bins") else {}
    return read_evaluation_set(
        kept, name=name, **roles,
        use_sensitive=bool(record.provenance.get("sensitive_inputs")), **more,
    )  # fmt: skip


def _values(labels: pd.Series, record: AuditRecord) -> pd.Series:
    """Return labels in the kind of values that the audit's label had: numbers where they were numbers."""
    positive: object = record.provenance.get("data", {}).get("roles", {}).get("positive")
    task = record.provenance.get("data", {}).get("task")
    if not isinstance(positive, (int, float)) and task not in ("regression", "ranking"):
        return labels.map(str) if isinstance(positive, str) else labels
    numbers = pd.to_numeric(labels, errors="coerce")
    wrong = labels[numbers.isna()]
    if len(wrong):
        raise InputError(
            f"The log's label '{wrong.iloc[0]}' is no number, and the audited label has numbers ({len(wrong):,} rows)."
        )
    return numbers
