"""Predictions of two audits, given together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.evidence.pairing import PairedPredictions
    from evenhand.findings import AuditRecord


def paired(
    new: AuditRecord, new_file: Path | None, old: AuditRecord | None, old_file: Path | None
) -> PairedPredictions | None:
    """Return the rows that both audits share; None where no predictions are given.

    Raises
    ------
    InputError
        When one of both files is absent, or they cannot be paired.
    """
    from evenhand.errors import InputError

    if new_file is None and old_file is None:
        return None
    if new_file is None or old_file is None or old is None:
        raise InputError("Rows are paired with the predictions of both audits: give both files, and the earlier audit.")
    from evenhand.evidence.pairing import PairedPredictions

    return PairedPredictions.read(new, new_file, old, old_file)
