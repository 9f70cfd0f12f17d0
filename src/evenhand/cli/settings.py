"""evenhand.toml: the roles of the columns and the settings of every verb; flags win over it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, did_you_mean, raise_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE: Final = "evenhand.toml"

KNOWN: Final[Mapping[str, Mapping[str, type | tuple[type, ...]]]] = {
    "data": {
        "label": str,
        "task": str,
        "query": str,
        "pos_label": (str, int, float, bool),
        "favourable": (str, int, float, bool),
        "sensitive_features": list,
        "control_features": list,
        "sample_weight": str,
        "frequency": str,
        "squared_weight": str,
        "id": str,
        "cluster": str,
        "prediction": str,
        "score": str,
        "original_prediction": str,
        "original_score": str,
        "score_kind": str,
        "images": str,
        "texts": str,
        "inputs": str,
        "exclude": list,
        "proxies": dict,
        "use_sensitive": bool,
        "missing": str,
        "bins": dict,
        "threshold": (int, float),
    },
    "split": {"train": (int, float), "validation": (int, float), "test": (int, float), "seed": int},
    "train": {
        "hidden": list,
        "network": str,
        "activation": str,
        "dropout": (int, float),
        "batch_norm": bool,
        "heads": int,
        "embedding": int,
        "scaling": str,
        "loss": str,
        "focal_gamma": (int, float),
        "label_smoothing": (int, float),
        "noise": (int, float),
        "mixup": (int, float),
        "shift": int,
        "precision": str,
        "optimizer": str,
        "schedule": str,
        "learning_rate": (int, float),
        "weight_decay": (int, float),
        "clip": (int, float),
        "epochs": int,
        "batch_size": int,
        "patience": int,
        "class_weight": str,
        "resample": str,
        "threshold": (str, int, float),
        "seed": int,
    },
    "audit": {
        "level": (int, float),
        "seed": int,
        "intersections": int,
        "explain": bool,
        "explain_rows": int,
        "background_rows": int,
        "precise": bool,
        "budget": (int, float),
        "explain_average": int,
        "reason_reference": str,
        "feature_words": dict,
        "cohorts": dict,
        "footprint": bool,
        "actionable": dict,
        "adjust": str,
        "pooling": bool,
        "group_shares": dict,
        "group_errors": dict,
        "slice_by": list,
    },
}
"""Every table of the file, with its keys and their types."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The file, table by table; empty where there is none."""

    data: Mapping[str, object] = field(default_factory=dict)
    """Roles of the columns."""
    split: Mapping[str, object] = field(default_factory=dict)
    """Shares of training, validation and test rows."""
    train: Mapping[str, object] = field(default_factory=dict)
    """Settings of the fit."""
    audit: Mapping[str, object] = field(default_factory=dict)
    """Settings of the audit."""


def read_settings(path: Path | None) -> Settings:
    """Read a settings file: the named one, else evenhand.toml in the working folder where there is one.

    Raises
    ------
    InputError
        All unknown tables and keys and wrong types together, or the line that is no TOML.
    """
    place = path or Path(FILE)
    if path is None and not place.exists():
        return Settings()
    try:
        content = tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{place}: there is no such file. Make one with: evenhand init") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise InputError(f"{place}: cannot be read as TOML: {wrong}") from None
    raise_all(InputError, _problems(str(place), content))
    return Settings(**{table: dict(content.get(table, {})) for table in KNOWN})


def _problems(place: str, content: Mapping[str, object]) -> Iterator[str]:
    for table, values in content.items():
        if table not in KNOWN:
            yield f"{place}: there is no table [{table}].{did_you_mean(table, KNOWN)}"
        elif not isinstance(values, dict):
            yield f"{place}: '{table}' must be a table: [{table}]"
        else:
            yield from _table_problems(place, table, values)


def _table_problems(place: str, table: str, values: Mapping[str, object]) -> Iterator[str]:
    known = KNOWN[table]
    for name, value in values.items():
        if name not in known:
            yield f"{place}: [{table}] knows no '{name}'.{did_you_mean(name, known)}"
        elif not isinstance(value, known[name]):
            yield f"{place}: [{table}] {name} = {value!r} has the wrong type."
