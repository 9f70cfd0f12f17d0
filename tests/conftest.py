"""What every room's tests share: one thread, and real data that ships with a package."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Never

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# no test fails because a machine is busy
settings.register_profile("evenhand", deadline=None)
settings.load_profile("evenhand")

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


EXTRAS = (
    "torch", "safetensors", "skorch", "shap", "onnx", "onnxruntime", "pyarrow", "polars", "duckdb", "mlflow", "optuna",
    "pyspark", "numba", "PIL",
)  # fmt: skip
"""Packages that the base install does not have."""
ABSENT = tuple(name for name in EXTRAS if find_spec(name) is None)


class NeedsMore(pytest.Module):
    """A file of tests that imports a package that is not installed."""

    def collect(self) -> Never:
        """Skip it, with the reason."""
        pytest.skip(f"{self.path.name} needs one of {', '.join(ABSENT)}", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Skip files that import an absent package at their top, so that the base install's tests run alone."""
    wanted = rf"^(?:import|from) (?:{'|'.join(ABSENT)})\b"
    if ABSENT and re.search(wanted, module_path.read_text("utf-8"), re.MULTILINE):
        return NeedsMore.from_parent(parent, path=module_path)  # type: ignore[no-any-return]
    return None


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
