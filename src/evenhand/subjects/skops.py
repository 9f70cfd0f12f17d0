"""Estimators of scikit-learn in skops files: an archive of arrays and of types, each of which is trusted or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.errors import ModelError, argument, need, shorten
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.archives import read_member
from evenhand.subjects.catalogue import as_subject
from evenhand.subjects.model_file import ModelFile, could_not_open, file_facts

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import Subject

MOST: Final = 256 << 20
"""Bytes of the schema, which names the types."""
_LISTED: Final = 6


def open_skops(path: Path, asked: Opening) -> Subject:
    """Return the estimator of a skops file as a subject.

    Parameters
    ----------
    path : Path
        The file.
    asked : Opening
        Its `trusted_types` are opened; with `trust_pickle` all types are.

    Raises
    ------
    ModelError
        With the names of its types that nobody trusts, or when it is damaged.
    """
    package = need("skops.io", "skops")
    read_member(path, "schema.json", MOST)
    try:
        strange = set(package.get_untrusted_types(file=path))
        left = sorted(strange - set(asked.trusted_types))
        if left and not asked.trust_pickle:
            more = f" and {len(left) - _LISTED:,} more" if len(left) > _LISTED else ""
            raise ModelError(
                f"'{shorten(path)}' holds types that skops does not know to be harmless: "
                f"{shorten(', '.join(left[:_LISTED]), 400)}{more}. If you trust them, name each in "
                f"{argument('trusted_types')}, or say {argument('trust_pickle', True)}; otherwise "
                "export the model to ONNX."
            )
        model = package.load(path, trusted=sorted(strange))
    except ModelError:
        raise
    except Exception as problem:  # what a damaged archive raises has no common base
        raise could_not_open(path, problem, "skops") from None
    return as_subject(model, file_facts=file_facts(path), **asked.declared)  # type: ignore[arg-type]


FILE: Final = ModelFile(
    "skops",
    (".skops",),
    open_skops,
    holds=("schema.json",),
    safety="Data. Types that it names and that skops does not know to be harmless are refused by name.",
)
ADAPTER: Final = Adapter(open_skops, files=(FILE,))
