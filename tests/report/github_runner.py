"""Runs the steps of a composite action as the runner of GitHub does: one shell, one file of outputs a step."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Done:
    """What a step did."""

    name: str
    code: int = 0
    stdout: str = ""
    stderr: str = ""
    summary: str = ""
    uses: str = ""
    given: dict[str, str] = field(default_factory=dict)


@dataclass
class Runner:
    """The steps of an action, its inputs and a checkout."""

    action: dict[str, Any]
    checkout: Path
    folder: str = "."
    """Where in the checkout the steps are run."""
    path: str = field(default_factory=lambda: f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, **inputs: str) -> list[Done]:
        """Run every step whose condition holds; after one that fails only those that say ``always()``."""
        known = self.action["inputs"]
        assert {name.replace("_", "-") for name in inputs} <= set(known)
        self.inputs = {name: str(told.get("default", "")) for name, told in known.items()}
        self.inputs |= {name.replace("_", "-"): value for name, value in inputs.items()}
        found: list[Done] = []
        for number, step in enumerate(self.action["runs"]["steps"]):
            condition = str(step.get("if", ""))
            failed = any(done.code for done in found)
            if (failed and "always()" not in condition) or (condition and not self.holds(condition)):
                continue
            found.append(self.step(step, number))
        return found

    def result(self, name: str) -> str:
        """Return an output of the action."""
        return self.filled(self.action["outputs"][name]["value"])

    def filled(self, text: str) -> str:
        """Return text with its expressions replaced."""
        return re.sub(r"\${{\s*([^}]*?)\s*}}", lambda found: self.value(found[1]), text)

    def value(self, expression: str) -> str:
        if expression.startswith("inputs."):
            return self.inputs[expression.removeprefix("inputs.")]
        step, output = re.fullmatch(r"steps\.([\w-]+)\.outputs\.([\w-]+)", expression).groups()  # type: ignore[union-attr]
        return self.outputs.get(step, {}).get(output, "")

    def holds(self, condition: str) -> bool:
        """Return a condition's value; of the language of conditions only what the action uses."""
        for part in condition.split("&&"):
            compared = re.fullmatch(r"\s*(inputs\.[\w-]+) (!=|==) '([^']*)'\s*", part)
            if compared:
                if (self.value(compared[1]) == compared[3]) != (compared[2] == "=="):
                    return False
            else:
                assert part.strip() == "always()", part
        return True

    def step(self, step: dict[str, Any], number: int) -> Done:
        if "uses" in step:
            given = {name: self.filled(str(value)) for name, value in step.get("with", {}).items()}
            return Done(step["name"], uses=step["uses"], given=given)
        assert step["shell"] == "bash", "a composite step names its shell"
        assert "${{" not in step["run"], "an input that is pasted into a script is run as a part of it"
        files = {name: self.checkout.parent / f"{name}-{number}" for name in ("OUTPUT", "STEP_SUMMARY", "ENV")}
        for file in files.values():
            file.write_text("")
        script = self.checkout.parent / f"step-{number}.sh"
        script.write_text(step["run"], "utf-8")
        runner = {
            "GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_WORKSPACE": str(self.checkout),
            "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "bank/models", "GITHUB_RUN_ID": "7",
        }  # fmt: skip
        env = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
        env |= runner | {f"GITHUB_{name}": str(file) for name, file in files.items()} | {"PATH": self.path}
        env |= {name: self.filled(str(value)) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], cwd=self.checkout / self.folder, env=env,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = files["OUTPUT"].read_text().splitlines()
        self.outputs[step.get("id", str(number))] = dict(line.split("=", 1) for line in lines)
        return Done(step["name"], done.returncode, done.stdout, done.stderr, files["STEP_SUMMARY"].read_text("utf-8"))
