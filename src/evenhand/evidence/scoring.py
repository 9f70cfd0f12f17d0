"""Scoring tables larger than memory: batch by batch, in constant memory, taken up again where it was broken off."""

from __future__ import annotations

import io
import json
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.data.inputs import as_inputs
from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, ModelError, OutputError, argument, did_you_mean, need, raise_all, shorten
from evenhand.evidence.own_decisions import decided
from evenhand.output.writing import write_bytes, write_text
from evenhand.subjects import reads_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from evenhand.findings import Batch
    from evenhand.subjects import Subject

    Progress = Callable[[int, int], None]

ENDINGS: Final = (".parquet", ".pq")
BATCH: Final = 100_000
"""Rows scored at a time."""
PLAN: Final = "scoring.json"
"""What the parts in a folder are parts of; other work does not go on in it."""


def score_files(
    subject: Subject,
    source: str,
    folder: str | Path,
    *,
    keep: tuple[str, ...] = (),
    batch: int = BATCH,
    column: str = "score",
    texts: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Score Parquet files batch by batch, into one Parquet part a batch.

    A part is written whole or not at all, and parts that are there are not scored again: after a kill the same call
    resumes.

    Parameters
    ----------
    subject : Subject
        The model.
    source : str
        A Parquet file or a glob of several.
    folder : path
        Where the parts go; `count_files` counts them as ``folder/*.parquet``.
    keep : tuple of str
        Columns that are copied with the score: the label and the groups.
    batch : int
        Rows a part.
    column : str
        The name of the scores.
    texts : str, optional
        The column of the texts, for a model that reads texts.
    progress : callable, optional
        Called as ``progress(rows done, rows in all)`` after each batch.

    Returns
    -------
    list of Path
        The parts, in order.

    Raises
    ------
    InputError
        When there is no such file, a column is absent, or the folder holds parts of other work.
    ModelError
        When nothing tells what the model's output is, or its own decisions follow from no threshold on its scores.
    """
    parquet, arrow = need("pyarrow.parquet", "data"), need("pyarrow", "data")
    files, place = _files(source), Path(folder)
    wanted = (*keep, *_features(subject), *([] if texts is None else [texts]))
    total = sum(_rows(parquet, arrow, file, wanted) for file in files)
    if column in keep:
        raise InputError(f"{source}: the scores would replace the column '{shorten(column)}'; name another, column=.")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise OutputError(f"{place}: this folder cannot be made: {wrong.strerror or wrong}.") from None
    _take_up(place, subject, files, keep, batch, column)
    parts: list[Path] = []
    done = 0
    batches = (rows for file in files for rows in parquet.ParquetFile(file).iter_batches(batch_size=batch))
    for number, rows in enumerate(batches):
        part = place / f"part-{number:06d}.parquet"
        parts.append(part)
        if not part.exists():
            table = rows.to_pandas()
            given = _read_by(subject, table, texts)
            scores = np.asarray(subject.predict(given), dtype=np.float64)
            if number == 0:
                _prove(subject, given, scores)
            kept = arrow.Table.from_pandas(table[list(keep)].assign(**{column: scores}), preserve_index=False)
            held = io.BytesIO()
            parquet.write_table(kept, held)
            write_bytes(part, held.getvalue())
        done += rows.num_rows
        if progress is not None:
            progress(done, total)
    return parts


def _prove(subject: Subject, given: Batch, scores: NDArray[np.float64]) -> None:
    """Refuse numbers that nobody says are scores; take the threshold of the model's own decisions."""
    if getattr(subject, "untold", False) and subject.score_kind == "ranking":
        raise ModelError(
            f"Model '{subject.name}' predicts numbers, and nothing says whether they are scores of the positive class. "
            f"Say what they are by {argument('score_kind')}."
        )
    decided(subject, as_inputs(given), scores)


def _read_by(subject: Subject, table: pd.DataFrame, texts: str | None) -> Batch:
    kind = reads_of(subject, "table" if texts is None else "texts")
    if kind == "texts" and texts in table:
        return table[texts].tolist()
    if kind != "table":
        raise InputError(
            f"The model '{subject.name}' reads {kind}, and Parquet files hold a table: name a column of texts, or "
            f"audit the model on an evaluation set with {argument('inputs')}, which is read batch by batch, too."
        )
    wanted = _features(subject)
    return table[list(wanted)] if wanted else table


def _features(subject: Subject) -> tuple[str, ...]:
    """Return the columns that a model names as its inputs; none where it names none."""
    wanted = subject.facts.get("features")
    return tuple(map(str, wanted)) if isinstance(wanted, list) else ()


def _rows(parquet: Any, arrow: Any, file: str, wanted: tuple[str, ...]) -> int:
    """Return how many rows a Parquet file has, once it is known to have the columns."""
    try:
        about = parquet.ParquetFile(file)
    except (arrow.ArrowException, OSError) as wrong:
        raise InputError(f"{file}: this is no Parquet file that can be read: {shorten(wrong)}.") from None
    there = about.schema_arrow.names
    absent = [name for name in dict.fromkeys(wanted) if name not in there]
    raise_all(
        InputError, (f"{file}: there is no column '{shorten(name)}'.{did_you_mean(name, there)}" for name in absent)
    )
    return int(about.metadata.num_rows)


def _files(source: str) -> list[str]:
    found = sorted(glob(source))  # noqa: PTH207 - a pattern may begin at the root
    if not found:
        raise InputError(f"{source}: there is no such file.")
    other = next((file for file in found if not file.lower().endswith(ENDINGS)), None)
    if other is not None:
        raise InputError(f"{other}: rows are scored from Parquet files, whose names end in {' or '.join(ENDINGS)}.")
    return found


def _take_up(place: Path, subject: Subject, files: list[str], keep: tuple[str, ...], batch: int, column: str) -> None:
    """Record the plan of the parts, or refuse to mix them with those of another."""
    plan: dict[str, object] = {
        "model": subject.name,
        "model_sha256": subject.facts.get("sha256"),
        "files": [{"name": Path(file).name, "bytes": Path(file).stat().st_size} for file in files],
        "keep": list(keep),
        "batch": batch,
        "column": column,
    }
    there = place / PLAN
    if not there.exists():
        write_text(there, json.dumps(plan, indent=1) + "\n")
    elif parse_json(read_bytes(there), there) != plan:
        raise InputError(f"{place}: holds parts of other work ({PLAN} differs). Name another folder or empty this one.")
