"""From what the command line names to a model that is served: its file or a release, its schema, its background."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, ModelError, argument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from evenhand.serving.predicting.columns import InputColumn
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.options import ServingOptions
    from evenhand.serving.predicting.reasons import Reasons

NO_MODEL: Final = (".json", ".md", ".toml", ".npy", ".sig", ".jsonl", ".html", ".txt", ".rows", ".lock", ".py")
"""Endings of what stands beside a model in a release."""


def model_in(place: Path) -> Path:
    """Return the file of a model: as named, or the one in the folder of a release or an export.

    Raises
    ------
    ModelError
        When a folder holds none, or several of which its name, the first letters of a model's sha256, names none.

    Examples
    --------
    >>> from pathlib import Path
    >>> folder = Path("release")
    >>> folder.mkdir()
    >>> _ = (folder / "credit.onnx").write_bytes(b"..."), (folder / "audit.json").write_bytes(b"{}")
    >>> model_in(folder).name
    'credit.onnx'
    """
    if not place.is_dir() or (place / "config.json").is_file():  # a folder of transformers is itself a model
        return place
    whole = place.resolve()  # the name behind a link such as releases/current
    files = sorted(file for file in whole.iterdir() if file.is_file() and file.suffix.lower() not in NO_MODEL)
    models = [file for file in files if ".stage" not in file.name and not file.name.startswith(".")]
    if len(models) > 1:
        models = [file for file in models if sha256(file.read_bytes()).hexdigest().startswith(whole.name)] or models
    if len(models) != 1:
        found = ", ".join(file.name for file in models) or "none"
        raise ModelError(f"{place}: this folder holds not one model but these: {found}. Name the file.")
    return models[0]


def deployed_from(
    place: Path,
    options: ServingOptions,
    *,
    schema: Path | None = None,
    background: Path | None = None,
    how: Mapping[str, object] | None = None,
) -> tuple[Deployed, Reasons | None]:
    """Open a model to be served, and what explains it.

    Parameters
    ----------
    place : Path
        A model's file, a release or an export.
    options : ServingOptions
    schema : Path, optional
        What it reads, where it does not say it itself: see `read_columns`. A ``schema.json`` beside it is found.
    background : Path, optional
        A table of training rows, against which reasons are found.
    how : mapping
        Settings of `open_model`.

    Raises
    ------
    ModelError
        When it cannot be opened or served.
    InputError
        When schema, background or settings are wrong.
    """
    from evenhand.compression import open_model
    from evenhand.data.tables import read_table
    from evenhand.serving.predicting.beside import classes_beside, columns_beside
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.reasons import Reasons

    if (options.adverse is None) != (background is None):
        raise InputError(
            f"{argument('adverse')} and {argument('reasons_background')} go together: reasons are of adverse "
            "decisions, against the rows of a table."
        )
    file = model_in(place)
    model = open_model(file, **(how or {}))  # type: ignore[arg-type]
    table = None if background is None else read_table(background).frame
    columns = columns_beside(file, schema)
    if not columns and table is not None:
        columns = _columns_of(table, model.facts.get("features"))
    classes = options.classes or classes_beside(file, str(model.facts.get("sha256")))
    deployed = Deployed(model, columns, classes, options.threshold)
    if table is None or options.adverse is None:
        return deployed, None
    words, barred = options.feature_words, options.no_reason
    reasons = Reasons(deployed, table, options.adverse, rows=options.reasons_rows, sensitive=barred, words=words)
    return deployed, reasons


def _columns_of(table: pd.DataFrame, features: object) -> Sequence[InputColumn]:
    """Return the columns of training rows, those that the model reads where it says which."""
    from evenhand.serving.predicting.columns import columns_of_table

    known = [name for name in table.columns if not isinstance(features, list) or str(name) in features]
    return columns_of_table(table[known])
