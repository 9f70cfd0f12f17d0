"""Personal data in a file, such as a model's: in what it holds as text, without opening it as what it is."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.data.disclosure.personal import in_text

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["in_file"]

MOST_BYTES: Final = 64 << 20
"""Bytes of a file that are searched."""
RUNS: Final = re.compile(rb"[\x20-\x7e\xc2-\xf4\x80-\xbf]{8,}")
"""What may be text among other bytes."""
OF_FILES: Final = ("email", "resident id", "iban", "social security number")
"""What is told from the bytes of weights; numbers of other kinds occur in them by chance."""
PLAUSIBLE: Final = re.compile(r"[\w.+-]{3,}@(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]{3,}\.[A-Za-z]{2,24}")
"""A mail address that is long enough not to occur in weights by chance."""


def in_file(path: str | Path) -> Counter[str]:
    """Return how often each kind of personal data stands in a file as text.

    Of ``.safetensors`` the header is searched, of archives (``.skops``, ``.pt``, ``.keras``) each part, of other files
    all that is text among the bytes; 64 MB at most. What is compressed inside a pickle is not seen.

    Parameters
    ----------
    path : str or Path
        The file; nothing in it is run.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("model.bin").write_bytes(bytes(40) + b"fitted for ann.li@example.org" + bytes(40))
    >>> in_file("model.bin")
    Counter({'email': 1})
    """
    found: Counter[str] = Counter()
    for part in _parts(Path(path)):
        for run in RUNS.finditer(part):
            text = run.group().decode("utf-8", "replace")
            if "@" in text or any(map(str.isdigit, text)):
                found += _kept(text)
    return found


def _kept(text: str) -> Counter[str]:
    told = in_text(text)
    if told["email"]:
        told["email"] = len(PLAUSIBLE.findall(text))
    return Counter({kind: told[kind] for kind in OF_FILES if told[kind]})


def _parts(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file that may hold text."""
    if zipfile.is_zipfile(path):
        left = MOST_BYTES
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as part:
                    read = part.read(max(left, 0))
                left -= len(read)
                yield name.encode() + b"\x00" + read
        return
    with path.open("rb") as file:
        if path.suffix == ".safetensors":
            size = int.from_bytes(file.read(8), "little")
            yield file.read(min(size, MOST_BYTES))
        else:
            yield file.read(MOST_BYTES)
