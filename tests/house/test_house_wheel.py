"""What is installed from the wheel works far away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what git knows, so that nothing lying about gets in."""
    pytest.importorskip("build.__main__")
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    for name in ("src", "reports", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            import shutil

            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            copy.mkdir(exist_ok=True)
            (copy / name).write_bytes(source.read_bytes())
    # No isolation: setuptools comes from the environment, so that no network is needed.
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)], folder)
    (made,) = folder.glob("*.whl")
    return made


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command where no checkout is, and show what it said when it fails."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "EVENHAND_SHARED")}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_wheel_holds_templates_schemas_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "evenhand/report/templates/page.html.j2",
        "evenhand/report/templates/partials/charts.svg.j2",
        "evenhand/report/templates/style.css",
        "evenhand/words/locale/zh_CN.po",
        "evenhand/schemas/audit-1.json",
        "evenhand/schemas/audit-2.json",
        "evenhand/schemas/policy-1.json",
        "evenhand/policy/packs/four-fifths-1.toml",
        "evenhand/py.typed",
    ):
        assert name in names
    assert not [name for name in names if name.startswith(("tests", "docs", "examples"))]


def test_an_audit_and_a_report_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """A new environment that sees the dependencies of this one, and evenhand from the wheel only."""
    place = tmp_path / "env"
    venv.create(place, with_pip=True, symlinks=True)
    python = place / "bin" / "python"
    site = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    run([str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)], tmp_path)
    # Third-party packages are taken from this environment, behind the new one's own; an editable evenhand is not:
    # .pth files of a folder that is added this way are not read.
    import sysconfig

    (Path(site) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    rows = ["y,p,sex"] + [f"{at % 2},{(at % 5) / 5},{'fm'[at % 3 == 0]}" for at in range(120)]
    (tmp_path / "scored.csv").write_text("\n".join(rows) + "\n")
    where = run([str(python), "-c", "import evenhand; print(evenhand.__file__)"], tmp_path).stdout
    assert str(place) in where
    tool = str(place / "bin" / "evenhand")
    run([tool, "audit", "scored.csv", "--label", "y", "--score", "p", "--sensitive", "sex", "-o", "a.json"], tmp_path)
    run([tool, "report", "a.json", "-o", "a.html"], tmp_path)
    page = (tmp_path / "a.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "Groups by sex" in page
