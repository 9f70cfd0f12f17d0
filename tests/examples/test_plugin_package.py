"""The example of a package that adds to evenhand: installed in a folder, then used from Python, TOML and commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "examples" / "plugin"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package installed, built from a copy so that the checkout stays as it is."""
    pytest.importorskip("build")
    import shutil
    import zipfile

    folder = tmp_path_factory.mktemp("site")
    copy = shutil.copytree(
        PACKAGE, folder / "copy", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    )
    # No isolation: setuptools comes from the environment, so that no network is needed.
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
    run_in(folder, folder, build)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "at")
    return folder / "at"


def run_in(folder: Path, site: Path, command: list[str]) -> str:
    env = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """A folder with rows whose scores are known: 10 of 120 within 0.05 of the threshold, 30 within 0.15."""
    near = [0.48] * 10 + [0.6] * 20 + [0.9] * 50 + [0.1] * 40
    rows = [f"{int(score > 0.5) ^ (at % 7 == 0)},{score},{'fm'[at % 3 == 0]}" for at, score in enumerate(near)]
    (tmp_path / "scored.csv").write_text("paid,score,sex\n" + "\n".join(rows) + "\n")
    return tmp_path


def evenhand(folder: Path, site: Path, *words: str) -> str:
    return run_in(folder, site, [sys.executable, "-m", "evenhand", *words])


def audited(folder: Path, site: Path, *words: str) -> dict[str, float]:
    """Return the estimates of an audit from the command line."""
    evenhand(
        folder, site, "audit", "scored.csv", "--label", "paid", "--score", "score", "--sensitive", "sex", *words,
        "-o", "audit.json",
    )  # fmt: skip
    code = "import evenhand as eh\nfor f in eh.read_record('audit.json').findings: print(f.name, f.estimate, sep='\\t')"
    lines = run_in(folder, site, [sys.executable, "-c", code]).splitlines()
    return {name: float(value) for name, _, value in (line.partition("\t") for line in lines) if value != "None"}


def test_its_rate_has_groups_and_gaps_and_can_be_limited(scored: Path, site: Path) -> None:
    found = audited(scored, site)
    assert found["missed_share"] > 0
    assert found["missed_share_difference[sex]"] == pytest.approx(
        abs(found["missed_share[sex=f]"] - found["missed_share[sex=m]"])
    )
    (scored / "policy.toml").write_text(
        'schema = 1\n[limits]\n"missed_share_difference[sex]" = { at_most = 0.9 }\n'
        '"borderline_share" = { at_most = 0.9 }\n'
    )
    assert "2 of 2 blocking limits passed" in evenhand(scored, site, "gate", "audit.json", "--policy", "policy.toml")


def test_its_audit_takes_its_option_from_everywhere(scored: Path, site: Path) -> None:
    assert audited(scored, site)["borderline_share"] == pytest.approx(10 / 120)
    assert audited(scored, site, "--margin", "0.15")["borderline_share"] == pytest.approx(30 / 120)
    (scored / "evenhand.toml").write_text("[audit]\nmargin = 0.15\n")
    assert audited(scored, site)["borderline_share"] == pytest.approx(30 / 120)
    code = (
        "import evenhand as eh, pandas as pd; t = pd.read_csv('scored.csv')\n"
        "r = eh.audit_predictions(t.paid, y_score=t.score, sensitive_features={'sex': t.sex}, "
        "score_kind='probability', margin=0.15)\nprint(r['borderline_share'].estimate)"
    )
    assert float(run_in(scored, site, [sys.executable, "-c", code])) == pytest.approx(30 / 120)


def test_its_section_format_and_language(scored: Path, site: Path) -> None:
    audited(scored, site)
    evenhand(scored, site, "report", "audit.json", "--lang", "de", "-f", "html=audit.html")
    page = (scored / "audit.html").read_text(encoding="utf-8")
    assert '<html lang="de">' in page
    assert 'id="close-calls"' in page
    assert "Knappe Entscheidungen" in page
    assert 'id="borderline"' not in page, "a section of its own, so no generic one"
    evenhand(scored, site, "report", "audit.json", "-f", "badge=verdict.json")
    assert json.loads((scored / "verdict.json").read_text())["message"] == "not judged"
    evenhand(scored, site, "report", "audit.json", "-o", "told.badge")
    assert "schemaVersion" in (scored / "told.badge").read_text()


def test_everything_of_it_is_listed(tmp_path: Path, site: Path) -> None:
    for what, name in (
        ("metrics", "missed_share"), ("audits", "borderline"), ("formats", "badge"), ("recipes", "short_mantissa"),
    ):  # fmt: skip
        listed = evenhand(tmp_path, site, "list", what)
        line = next(line for line in listed.splitlines() if line.split()[0] == name)
        assert len(line.split()) > 3, "with its one line"


def test_a_model_through_its_adapter(tmp_path: Path, site: Path) -> None:
    code = (
        "import evenhand as eh, pandas as pd\nfrom evenhand_example.scorecard import Scorecard\n"
        "t = pd.DataFrame({'home': ['own', 'rent'] * 40, 'sex': ['f', 'm', 'm', 'f'] * 20, 'paid': [1, 0] * 40})\n"
        "card = Scorecard({'home': {'own': 30, 'rent': 5}}, passing=20)\n"
        "d = eh.read_evaluation_set(t, label='paid', sensitive_features=['sex'])\n"
        "r = eh.audit(card, d, explain=False)\n"
        "print(r['accuracy'].estimate, r.provenance['subject']['kind'])"
    )
    assert run_in(tmp_path, site, [sys.executable, "-c", code]).split(maxsplit=1) == ["1.0", "score card\n"]


def test_its_own_test_of_the_adapter_passes(tmp_path: Path, site: Path) -> None:
    ours = ["-p", "no:cacheprovider", "-o", "filterwarnings="]  # pandas 2.2.0 warns when it is imported
    command = [sys.executable, "-m", "pytest", "-q", *ours, str(PACKAGE / "tests")]
    assert "1 passed" in run_in(tmp_path, site, command)


def test_its_recipe_compresses(tmp_path: Path, site: Path) -> None:
    pytest.importorskip("torch")
    code = (
        "import evenhand as eh, numpy as np, pandas as pd\nfrom evenhand.training import TrainingConfig, fit\n"
        "rng = np.random.default_rng(0)\nt = pd.DataFrame({'x': rng.normal(size=200), 'z': rng.normal(size=200)})\n"
        "t['y'] = (t.x > 0).astype(int)\nt.to_csv('train.csv', index=False)\n"
        "fit(eh.read_evaluation_set(t, label='y'), config=TrainingConfig(hidden=(4,), epochs=2)).save('m.safetensors')"
    )
    run_in(tmp_path, site, [sys.executable, "-c", code])
    evenhand(
        tmp_path, site, "compress", "m.safetensors", "--train", "train.csv", "--label", "y", "-r", "short_mantissa=6",
        "-o", "small.safetensors",
    )  # fmt: skip
    code = (
        "from evenhand.training import load_model; import torch\n"
        "for p in load_model('small.safetensors').network.parameters():\n"
        "    f, _ = torch.frexp(p.detach()); assert torch.equal(f * 64, torch.round(f * 64))"
    )
    run_in(tmp_path, site, [sys.executable, "-c", code])


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """An installed package whose entry points lead nowhere, are of another kind, or have a name that is taken."""
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[evenhand.formats]\nabsent = no_such_module:FORMAT\nwrong = json:dumps\n"
        "[evenhand.recipes]\nint8 = json:dumps\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("eh.report.FORMATS.find('absent')", "'absent' of the package broken (evenhand.formats) cannot be loaded"),
        ("eh.report.FORMATS.find('wrong')", "'wrong' of the package broken (evenhand.formats) is no Format"),
        ("list(eh.compression.RECIPES)", "'int8' of the package broken (evenhand.recipes) has a name that is taken"),
        ("eh.report.FORMATS.find('htlm')", "There is no format 'htlm'. Did you mean 'html'?"),
    ],
)
def test_a_broken_package_is_told_in_one_sentence(code: str, told: str, broken: Path) -> None:
    script = (
        f"import evenhand as eh, evenhand.report, evenhand.compression\ntry:\n    {code}\n"
        "except eh.EvenhandError as wrong:\n    print(wrong)"
    )
    said = run_in(broken, broken, [sys.executable, "-c", script]).strip()
    assert told in said
    assert "\n" not in said
