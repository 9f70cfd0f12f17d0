"""Documents of JSON that say whether they were changed: each holds the digest of all else in it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from evenhand.output.sanitising import plain_json
from evenhand.output.writing import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DIGEST: Final = "digest"
"""The name under which a document holds it."""


def json_text(document: Mapping[str, object], **form: Any) -> str:
    """Return a document as JSON, the same text for the same content; `form` is of `json.dumps`."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, **form)


def digest_of(document: Mapping[str, object]) -> str:
    """Return the sha256 over all of a document but its own digest.

    Examples
    --------
    >>> digest_of({"a": 1}) == digest_of({"digest": "any", "a": 1})
    True
    """
    steady = {name: value for name, value in document.items() if name != DIGEST}
    return hashlib.sha256(json_text(steady).encode("utf-8", "surrogatepass")).hexdigest()


def write_sealed(path: str | Path, document: Mapping[str, object], **form: Any) -> None:
    """Write a document with its digest, whole or not at all; `form` is of `json.dumps`.

    Raises
    ------
    OutputError
        When the place cannot be written to.
    """
    write_text(path, plain_json(json_text({**document, DIGEST: digest_of(document)}, **form)) + "\n")
