"""What every room's tests share: one thread, and real data that ships with a package."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluggy import Result

    from evenhand.errors import EvenhandError

# no test fails because a machine is busy
settings.register_profile("evenhand", deadline=None)
settings.load_profile("evenhand")

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


COMPLETE = bool(os.environ.get("EVENHAND_COMPLETE"))
"""Whether all extras are said to be installed, as `make test` says; then no test is skipped for want of a package."""
IMPORTED_AS = {"mlflow-skinny": "mlflow", "pillow": "PIL"}


def optional_packages() -> set[str]:
    """Return the packages that the extras of pyproject.toml bring, by the names under which they are imported."""
    extras = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    wanted = [
        line for extra, lines in extras.items() if extra not in ("all", "test", "docs", "check") for line in lines
    ]
    names = {re.split(r"[^\w.-]", line)[0] for line in wanted}
    return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}


ABSENT = {name for name in optional_packages() if not COMPLETE and find_spec(name) is None}


def wanting(error: BaseException | None) -> str:
    """Return which optional package an error is about, empty when it is about none."""
    from evenhand.errors import MissingExtraError

    while ABSENT and error is not None:
        if isinstance(error, MissingExtraError):
            return str(error)
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in ABSENT:
            return f"could not import '{error.name}'"
        error = error.__cause__
    return ""


def _skipping(outcome: Result[object]) -> None:
    """Skip what an absent optional package stopped, so that the base install's tests run alone."""
    if reason := wanting(outcome.exception):
        outcome.force_exception(pytest.skip.Exception(reason, _use_item_location=True))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Skip a test one of whose fixtures needs an absent package."""
    _skipping((yield))  # type: ignore[func-returns-value,arg-type]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip a test that needs an absent package."""
    _skipping((yield))  # type: ignore[func-returns-value,arg-type]


def pytest_sessionstart() -> None:
    """Let a command's want of an absent package through, so that its test is skipped as one in Python is."""
    if not ABSENT:
        return
    from evenhand.cli import main
    from evenhand.errors import MissingExtraError

    told = main._exit_code

    def through(wrong: EvenhandError | OSError, arguments: list[str]) -> int:
        if isinstance(wrong, MissingExtraError):
            raise wrong
        return told(wrong, arguments)

    main._exit_code = through


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Skip a file that cannot be imported without an absent package."""
    report = (yield).get_result()  # type: ignore[attr-defined]
    call = getattr(report, "call", None)  # absent of a file that --last-failed leaves out
    error = None if call is None else call.excinfo
    if report.failed and (reason := wanting(error and error.value)):
        report.outcome, report.longrepr = "skipped", (str(collector.path), None, f"Skipped: {reason}")
    _nothing_is_wanting(report)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Let no test be skipped for want of a package where everything is installed."""
    _nothing_is_wanting((yield).get_result())  # type: ignore[attr-defined]


def _nothing_is_wanting(report: pytest.CollectReport | pytest.TestReport) -> None:
    """Fail what was skipped because a package is absent, Spark aside: it is no part of the extra `all`."""
    if COMPLETE and report.skipped and isinstance(report.longrepr, tuple):
        package = re.search(r"could not import '(\w+)", report.longrepr[2])
        if package and package[1] != "pyspark":
            report.outcome = "failed"
            report.longrepr = f"EVENHAND_COMPLETE is set, and '{package[1]}' cannot be imported: {report.longrepr[2]}"


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
