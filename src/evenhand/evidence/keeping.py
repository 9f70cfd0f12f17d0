"""Keep predictions with a record, so that a later audit can be compared with this one row by row.

The record has no rows; the file has truth, score, decision and groups of each row, under a name that can only
be computed with the key. It is private; the record has its hash.
"""

from __future__ import annotations

import hashlib
import io
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from evenhand.data.hashing import hash_rows
from evenhand.errors import InputError, OutputError, need
from evenhand.output.writing import write_bytes, write_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.evidence.evidence import Evidence
    from evenhand.provenance import KeptPredictions

ROW, TRUTH, SCORE, DECISION = "row", "y_true", "y_score", "y_pred"
"""The columns of the file; the groups are in columns called ``group:`` and the feature's name."""
GROUP: Final = "group:"
MEMBER: Final = "row"
"""The place of a row among those given as members, from 0."""
LEAST_KEY: Final = 16
USUAL_KEY: Final = Path(".evenhand-row-key")


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where predictions are kept, and with which key rows are named."""

    place: Path
    """A .parquet file; it is written readable by its owner only."""
    key: bytes
    """At least 16 bytes. Two audits can be paired when they used the same."""


def row_key(place: Path = USUAL_KEY) -> bytes:
    """Return the key of a file, made with 32 random bytes where there is none.

    Raises
    ------
    InputError
        When the file holds fewer than 16 bytes.
    OutputError
        When it cannot be read or made.
    """
    try:
        if not place.exists():
            write_once(place, secrets.token_bytes(32))
        key = place.read_bytes()
    except OSError as wrong:
        raise OutputError(f"{place}: the key of rows cannot be read or made: {wrong.strerror or wrong}") from None
    if len(key) < LEAST_KEY:
        raise InputError(f"{place}: a key of {len(key)} bytes is too short to hide rows; {LEAST_KEY} are the least.")
    return key


def keep(evidence: Evidence, keeping: Keeping) -> KeptPredictions:
    """Write the predictions and return their entry in the record: the file's hash, rows, and the key's fingerprint.

    Raises
    ------
    InputError
        When the task has no single decision a row, or rows represent several.
    MissingExtraError
        When pyarrow is absent.
    """
    if evidence.data.task not in ("binary", "multiclass") or evidence.data.frequency is not None:
        raise InputError("Predictions are kept for one label of two or more classes, one row a case.")
    check_keepable(keeping.place)
    table, buffer = _table(evidence, keeping.key), io.BytesIO()
    table.to_parquet(buffer, index=False)
    write_bytes(keeping.place, buffer.getvalue(), private=True)
    return {
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "rows": len(table),
        "key_fingerprint": hashlib.sha256(b"evenhand-row-key" + keeping.key).hexdigest()[:16],
    }


def _table(evidence: Evidence, key: bytes) -> pd.DataFrame:
    said, data = evidence.predictions, evidence.data
    columns: dict[str, object] = {
        ROW: row_names(evidence, key),
        TRUTH: np.asarray(said.y_true, dtype=np.int32),
        DECISION: np.asarray(said.y_pred, dtype=np.int32),
    }
    if said.y_score is not None and said.y_score.ndim == 1:
        columns[SCORE] = said.y_score
    for name in sorted(data.roles.sensitive_features):
        grouping = data.grouping(name)
        columns[GROUP + name] = np.array([group for (group,) in grouping.labels], dtype=object)[grouping.codes]
    return pd.DataFrame(columns).sort_values(ROW, ignore_index=True)


def row_names(evidence: Evidence, key: bytes) -> list[str]:
    """Return (n,) names of rows: of the id where there is one, else of all the row holds but scores and predictions.

    Equal rows are numbered.
    """
    data = evidence.data
    aside = {data.roles.prediction, data.roles.score}
    columns = [str(c) for c in data.table.columns if c not in aside] if data.roles.id is None else [data.roles.id]
    truth = data.y_true if data.roles.id is None else np.zeros(len(data), dtype=np.int8)
    whole = data.roles.id is None and data.held is not None
    hashes = pd.Series(data.row_hashes(columns) if whole else hash_rows(data.table, columns, truth))
    nth = hashes.groupby(hashes).cumcount().to_numpy(dtype=np.uint64)
    held = np.column_stack([hashes.to_numpy(dtype=np.uint64), nth]).astype("<u8").tobytes()
    return [
        hashlib.blake2b(held[at : at + 16], key=key[:64], digest_size=16).hexdigest() for at in range(0, len(held), 16)
    ]


def refuse_unkeepable(place: str | None, members: EvaluationSet | None) -> None:
    """Raise before any work if the members that an attack finds cannot be kept there.

    Raises
    ------
    InputError
        When no members are given, or the file's name does not end in .parquet.
    MissingExtraError
        When pyarrow is absent.
    """
    if place is None:
        return
    if members is None:
        raise InputError(
            "exposed_rows: the membership audit finds them among rows that the model was fitted on (members)."
        )
    check_keepable(Path(place))


def keep_exposed(
    place: Path,
    members: EvaluationSet,
    positions: NDArray[np.intp],
    scores: NDArray[np.float64],
    others: NDArray[np.float64],
) -> None:
    """Write which members an attack finds first, readable by the file's owner only; nothing of it is on record.

    Parameters
    ----------
    place : Path
        A .parquet file.
    members : EvaluationSet
        The rows given as members.
    positions : (n,) array of int
        Those of them that were attacked as members.
    scores : (n,) array of float
        Of the attack, greater for members.
    others : (m,) array of float
        The same of rows that the model never saw.
    """
    above = len(others) - np.searchsorted(np.sort(others), scores, "left")
    table = pd.DataFrame({MEMBER: positions})
    if members.roles.id is not None:
        ids = members.table[members.roles.id].iloc[positions]
        table["id"] = (ids.astype(str) if ids.dtype == object else ids).to_numpy()
    table = table.assign(score=scores, false_alarms=above / len(others))
    buffer = io.BytesIO()
    table.sort_values(["score", MEMBER], ascending=[False, True], ignore_index=True).to_parquet(buffer, index=False)
    write_bytes(place, buffer.getvalue(), private=True)


def check_keepable(place: Path) -> None:
    """Raise before any work if predictions cannot be kept there.

    Raises
    ------
    InputError
        When the file's name does not end in .parquet.
    MissingExtraError
        When pyarrow is absent.
    """
    if place.suffix != ".parquet":
        raise InputError(f"{place}: predictions are kept as Parquet; name a file that ends in .parquet.")
    need("pyarrow", "data")
