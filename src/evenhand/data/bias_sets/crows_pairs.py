"""CrowS-Pairs: two sentences, of which one is the more stereotypical."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.data.bias_sets.choices import BiasSet, Choice, read_rows

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS: Final = ("sent_more", "sent_less", "bias_type")


def read_crows_pairs(path: str | Path) -> BiasSet:
    """Read ``crows_pairs_anonymized.csv``; a row is a pair, grouped by ``bias_type``.

    Notes
    -----
    Nangia, Vania, Bhalerao and Bowman (2020), EMNLP.
    """
    frame, source = read_rows(path, COLUMNS, ["stereo_antistereo"])
    kept = [column for column in ("bias_type", "stereo_antistereo") if column in frame]
    rows = frame.to_dict("records")
    choices = [
        Choice((str(row["sent_more"]), str(row["sent_less"])), 0, {column: str(row[column]) for column in kept})
        for row in rows
    ]
    return BiasSet("crows_pairs", "stereotype_rate", ("bias_type",), tuple(choices), source=source)
