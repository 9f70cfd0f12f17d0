"""GitHub as a consumer meets it: the action's steps and the hook are run, and what they write is read."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from github_runner import Runner

import evenhand as eh
from evenhand.policy import headline
from evenhand.records import write_record

if TYPE_CHECKING:
    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

    Case = tuple[str, AuditRecord, Verdict]

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
LIMIT = (
    'schema = 1\n[limits]\n"accuracy" = {{ at_least = {least} }}\n"selection_rate_ratio[town]" = {{ at_least = 0.8 }}\n'
)
TOWNS = [f"town {number} <b>|{'x' * number}" for number in range(48)]


def manifest(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


@cache
def record_of_towns() -> AuditRecord:
    """An audit of 48 groups with names that nobody wants in a table."""
    rows = [
        (town, number % 2, (number + at) % (3 + at % 5) > 0) for at, town in enumerate(TOWNS) for number in range(30)
    ]
    truth, decided = [row[1] for row in rows], [int(row[2]) for row in rows]
    return eh.audit_predictions(truth, decided, sensitive_features={"town": [row[0] for row in rows]}, favourable=1)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A fresh repository with an audit and a policy, as a checkout has them, and the action."""
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    record = eh.audit_predictions([1, 0] * 100, [1, 0] * 99 + [0, 0], sensitive_features={"town": ["x", "y"] * 100})
    write_record(checkout / "audit.json", record)
    (checkout / "policy.toml").write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.9 }\n')
    return Runner(manifest("action.yml"), checkout)


class TestAction:
    def test_a_release_that_passes(self, runner: Runner) -> None:
        judge, keep = runner.run(requirement="", junit="gate.xml")
        assert judge.code == 0, judge.stderr
        assert (runner.result("exit-code"), runner.result("verdict")) == ("0", "passed")
        assert {"report.html", "evenhand.sarif", "gate.xml"} <= {file.name for file in runner.checkout.iterdir()}
        assert keep.uses.startswith("actions/upload-artifact@")
        assert keep.given["path"].split() == ["audit.json", "report.html", "evenhand.sarif", "gate.xml"]
        assert all((runner.checkout / file).is_file() for file in keep.given["path"].split())

    def test_one_summary_once_with_a_link(self, runner: Runner) -> None:
        write_record(runner.checkout / "audit.json", record_of_towns())
        limits = '"accuracy" = { at_least = 0.999 }\n"recall[town=*]" = { at_least = 0.999 }\n'
        (runner.checkout / "policy.toml").write_text(f"schema = 1\n[limits]\n{limits}")
        judge, _ = runner.run(requirement="")
        assert judge.code == 1
        assert judge.summary.count("## Audit of") == 1
        assert 1_000 < len(judge.summary.encode()) < 5_000
        assert "more limits did not pass" in judge.summary
        link = r"report\.html, among \[the files of this run\]\(https://github\.example/bank/models/actions/runs/7#artifacts\)"
        assert len(re.findall(link, judge.summary)) == 1

    def test_a_release_that_is_stopped_keeps_its_page(self, runner: Runner) -> None:
        (runner.checkout / "policy.toml").write_text('schema = 1\n[limits]\n"accuracy" = { at_least = 0.999 }\n')
        judge, keep = runner.run(requirement="")
        assert judge.code == 3
        assert (runner.result("exit-code"), runner.result("verdict")) == ("3", "undecided")
        assert "::error file=policy.toml,line=3" in judge.stdout
        assert keep.given["name"] == "evenhand"
        (again,) = runner.run(requirement="", artifact="", baseline="audit.json", new_only="true", report="", sarif="")
        assert again.code == 0, "what is as it was does not stop"
        assert "whole page" not in again.summary, "no page was written"

    def test_in_a_folder_of_the_repository(self, runner: Runner) -> None:
        (runner.checkout / "models").mkdir()
        for name in ("audit.json", "policy.toml"):
            (runner.checkout / name).rename(runner.checkout / "models" / name)
        runner.folder = "models"
        (runner.checkout / "models" / "policy.toml").write_text(LIMIT.format(least=0.999))
        judge, _ = runner.run(requirement="")
        assert "::error file=models/policy.toml,line=3" in judge.stdout
        (run,) = json.loads((runner.checkout / "models" / "evenhand.sarif").read_text())["runs"]
        places = {json.dumps(r["locations"][0]["physicalLocation"]["artifactLocation"]) for r in run["results"]}
        assert places == {'{"uri": "models/policy.toml", "uriBaseId": "%SRCROOT%"}'}
        assert "%SRCROOT%" in run["originalUriBaseIds"]

    def test_what_cannot_run_says_so(self, runner: Runner) -> None:
        judge, keep = runner.run(requirement="", audit="absent.json")
        assert judge.code == 2
        assert (runner.result("exit-code"), runner.result("verdict")) == ("2", "")
        assert "absent.json" in judge.stderr
        assert keep.given["if-no-files-found"] == "ignore"

    def test_inputs_are_words_of_one_command(self, runner: Runner) -> None:
        judge, _ = runner.run(requirement="", policy='"; touch stolen; "$(touch stolen)')
        assert judge.code == 2
        assert not (runner.checkout / "stolen").exists()

    def test_the_requirement_is_installed_as_one_word(self, runner: Runner, tmp_path: Path) -> None:
        bin = tmp_path / "bin"
        bin.mkdir()
        (bin / "python").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/asked"\n')
        (bin / "python").chmod(0o755)
        runner.path = f"{bin}:{runner.path}"
        install, *_ = runner.run(requirement="evenhand[onnx] >= 0.1; touch stolen")
        assert install.name == "Install evenhand"
        asked = (tmp_path / "asked").read_text().splitlines()
        assert asked == ["-m", "pip", "install", "--quiet", "evenhand[onnx] >= 0.1; touch stolen"]

    def test_every_output_is_one_that_a_step_writes(self, runner: Runner) -> None:
        runner.run(requirement="")
        named = {told["value"] for told in runner.action["outputs"].values()}
        written = {f"${{{{ steps.{step}.outputs.{name} }}}}" for step, out in runner.outputs.items() for name in out}
        assert named <= written


class TestHook:
    """The hook as pre-commit runs it: the entry, split like a shell does, with the staged files that match."""

    @pytest.fixture
    def staged(self, tmp_path: Path) -> Path:
        git = shutil.which("git")
        if git is None:
            pytest.skip("git is not here")
        for name, metric in (("policy.toml", "accuracy"), ("models/policy.toml", "recall"), ("policy.toml.bak", "x")):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(f'schema = 1\n[limits]\n"{metric}" = {{ at_least = 0.9 }}\n')
        subprocess.run([git, "init", "-q"], cwd=tmp_path, check=True)
        subprocess.run([git, "add", "-A"], cwd=tmp_path, check=True)
        return tmp_path

    def commit(self, folder: Path) -> tuple[list[str], subprocess.CompletedProcess[str]]:
        (hook,) = manifest(".pre-commit-hooks.yaml")
        listed = subprocess.run(
            ["git", "diff", "--cached", "--name-only", "--no-ext-diff", "-z", "--diff-filter=ACMRTUXB"], cwd=folder,
            capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        files = [name for name in listed if name and re.search(hook["files"], name)]
        script, *words = shlex.split(hook["entry"])
        command = [str(Path(sys.executable).parent / script), *words, *hook.get("args", ()), *files]
        return files, subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    def test_good_policies_are_let_through(self, staged: Path) -> None:
        files, done = self.commit(staged)
        assert sorted(files) == ["models/policy.toml", "policy.toml"]
        assert done.returncode == 0, done.stderr

    def test_every_problem_of_every_policy_is_told(self, staged: Path) -> None:
        for name in ("policy.toml", "models/policy.toml"):
            text = (staged / name).read_text()
            (staged / name).write_text(text.replace("accuracy", "acuracy").replace("recall", "recal"))
        _, done = self.commit(staged)
        assert done.returncode != 0
        said = done.stdout + done.stderr
        assert "acuracy" in said and "recal" in said

    def test_the_package_brings_the_command(self) -> None:
        (hook,) = manifest(".pre-commit-hooks.yaml")
        scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
        assert hook["language"] == "python"
        assert shlex.split(hook["entry"])[0] in scripts

    def test_pre_commit_takes_the_manifest(self) -> None:
        tool = shutil.which("pre-commit")
        if tool is None:
            pytest.skip("pre-commit is not installed")
        subprocess.run([tool, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], check=True)


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_the_summary_is_short_whatever_the_record(case: Case, rich: tuple[AuditRecord, Verdict], lang: str) -> None:
    many = record_of_towns()
    strict = {f"{metric}[town=*]": {"at_least": 0.999} for metric in ("recall", "precision", "accuracy")}
    for record, verdict in (case[1:], rich, (many, eh.judge(many, eh.load_policy({"limits": strict})))):
        text = eh.render(record, verdict, "summary", lang=lang)
        assert len(text.encode()) < 4_900, "a link follows"
        wrong = [judgement for judgement in verdict.judgements if judgement.status != "passed"]
        rows = [line for line in text.splitlines() if line.startswith(("| ▲", "| □"))]
        assert len(rows) == len(wrong) or (rows and len(rows) > 5)
        numbers = re.findall(r"\d+", text.rpartition("\n\n")[0].rpartition("\n\n")[2])
        if len(rows) < len(wrong):
            assert numbers == [str(len(wrong) - len(rows))]
        if lang == "en":
            assert headline(verdict, record).text in text


def test_levels_agree(case: Case, rich: tuple[AuditRecord, Verdict]) -> None:
    """Of every limit the four formats of pipelines say the same: it stops, it did not pass, it passed."""
    from xml.etree import ElementTree as ET

    for record, verdict in (case[1:], rich):
        told = [judgement for judgement in verdict.judgements if judgement.status != "passed"]
        sarif = json.loads(eh.render(record, verdict, "sarif"))["runs"][0]["results"]
        code = json.loads(eh.render(record, verdict, "gitlab"))
        cases = ET.fromstring(eh.render(record, verdict, "junit")).findall("./testsuite/testcase")
        marks = {"failure": "error", "skipped": "warning", "system-out": "none"}
        junit = [marks[part[0].tag] for part in cases]
        levels = ["error" if judgement.stops else "warning" for judgement in told]
        assert [result["level"] for result in sarif] == levels
        assert [entry["severity"] in ("critical", "major") for entry in code] == [one == "error" for one in levels]
        assert [one for one in junit if one != "none"] == levels
        lines = eh.render(record, verdict, "github").splitlines()
        assert sum(line.startswith("::error ") for line in lines) == min(levels.count("error"), 10)
        assert sum(line.startswith("::warning ") for line in lines) == min(levels.count("warning"), 10)


class TestAddresses:
    POLICY = """schema = 1
[defaults]
help_url = "https://wiki.example.org/gate"
[limits]
"accuracy" = { at_least = 0.999 }
"recall" = { at_least = 0.999, help_url = "https://wiki.example.org/recall" }
"""

    def driver(self, folder: Path, text: str) -> dict[str, Any]:
        (folder / "policy.toml").write_text(text)
        record = record_of_towns()
        document = json.loads(eh.render(record, eh.judge(record, eh.load_policy(folder / "policy.toml")), "sarif"))
        return document["runs"][0]["tool"]["driver"]  # type: ignore[no-any-return]

    def test_declared_addresses_are_told(self, tmp_path: Path) -> None:
        driver = self.driver(tmp_path, self.POLICY)
        assert driver["informationUri"] == "https://wiki.example.org/gate"
        help = {rule["id"]: rule["helpUri"] for rule in driver["rules"]}
        assert help == {"accuracy": "https://wiki.example.org/gate", "recall": "https://wiki.example.org/recall"}

    def test_none_is_invented(self, tmp_path: Path) -> None:
        driver = self.driver(tmp_path, re.sub(r"(, )?help_url = \"[^\"]*\"", "", self.POLICY))
        assert "informationUri" not in driver
        assert not [rule for rule in driver["rules"] if "helpUri" in rule]

    def test_an_address_is_checked(self) -> None:
        with pytest.raises(eh.EvenhandError, match="begins with https"):
            eh.load_policy({"limits": {"accuracy": {"at_least": 0.9, "help_url": "javascript:alert(1)"}}})
        with pytest.raises(eh.EvenhandError, match="begins with https"):
            eh.load_policy({"defaults": {"help_url": "wiki"}, "limits": {"accuracy": {"at_least": 0.9}}})


def test_each_model_has_alerts_of_its_own() -> None:
    record = record_of_towns()
    from dataclasses import replace

    named = [
        replace(record, provenance={**record.provenance, "subject": {"name": name}})
        for name in ("credit", "a/b", "x" * 500)
    ]
    policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.999}}})
    ids = [
        json.loads(eh.render(one, eh.judge(one, policy), "sarif"))["runs"][0]["automationDetails"]["id"]
        for one in named
    ]
    assert ids[:2] == ["evenhand/credit/", "evenhand/a-b/"]
    assert len(ids[2]) < 100 and all(id.count("/") == 2 for id in ids)
