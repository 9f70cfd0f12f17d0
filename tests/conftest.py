"""What every room's tests share: one thread, and real data that ships with a package."""

from __future__ import annotations

import os
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# no test fails because a machine is busy
settings.register_profile("evenhand", deadline=None)
settings.load_profile("evenhand")

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data sets beside a developer's checkout; tests that need it are skipped elsewhere."""
    named = os.environ.get("EVENHAND_SHARED")
    place = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (place / "data").is_dir():
        pytest.skip("the data sets beside a developer's checkout are not here")
    return place / "data"


@pytest.fixture(scope="session")
def pseudo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The tag of a language that is one file: every message as its places in brackets, brought by an installed package.

    What is English on a page in this language did not come from a message.
    """
    folder = tmp_path_factory.mktemp("pseudo")
    (folder / "pseudo_words").mkdir()
    (folder / "pseudo_words" / "__init__.py").write_text("")
    (folder / "pseudo_words" / "qps.po").write_text(_pseudo_catalogue(), "utf-8")
    (folder / "pseudo_words-1.dist-info").mkdir()
    (folder / "pseudo_words-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: pseudo-words\nVersion: 1\n"
    )
    (folder / "pseudo_words-1.dist-info" / "entry_points.txt").write_text("[evenhand.languages]\nqps = pseudo_words\n")
    sys.path.append(str(folder))
    yield "qps"
    sys.path.remove(str(folder))


def _pseudo_catalogue() -> str:
    """Return a catalogue made from the template: of each message only its places, with their formats."""
    import runpy

    from babel.messages.pofile import write_po

    catalog = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "_messages.py"))["extracted"]()
    for entry in catalog:
        if entry.id:
            one, other = (entry.id, "") if isinstance(entry.id, str) else entry.id
            said = f"⟦{'·'.join(re.findall(r'{[^{}]*}', other or one))}⟧"
            entry.string = (said, said) if other else said
    out = BytesIO()
    write_po(out, catalog)
    return out.getvalue().decode()
