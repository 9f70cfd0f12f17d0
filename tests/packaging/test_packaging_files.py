"""The image and the recipe, as far as they can be checked without an engine: they say what pyproject.toml says.

Neither is built here: no container engine and no conda are asked for by the tests.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile: comments left out, continued lines joined."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = [line.strip() for line in re.sub(r"\\\n", " ", kept).splitlines() if line.strip()]
    return [(line.partition(" ")[0].upper(), line.partition(" ")[2].strip()) for line in lines]


class TestImage:
    STEPS = instructions((PACKAGING / "Dockerfile").read_text("utf-8"))

    def of(self, name: str) -> list[str]:
        return [told for step, told in self.STEPS if step == name]

    def test_the_base_is_slim_pinned_and_supported(self) -> None:
        (base,) = self.of("FROM")
        found = re.fullmatch(r"python:(\d+\.\d+)-slim-[a-z]+", base)
        assert found, "a tag of Python's official image that names version and release of the system"
        assert f"Programming Language :: Python :: {found[1]}" in PROJECT["classifiers"]

    def test_it_does_not_run_as_root(self) -> None:
        order = [step for step, _ in self.STEPS]
        assert self.of("USER")[-1] not in ("root", "0")
        assert order.index("USER") < order.index("ENTRYPOINT")
        assert "RUN" not in order[order.index("USER") :], "what is installed is installed before"

    def test_what_is_copied_is_there_and_not_ignored(self) -> None:
        ignored = (PACKAGING / "Dockerfile.dockerignore").read_text("utf-8").split("\n")
        kept = {line[1:] for line in ignored if line.startswith("!")}
        copied = [source for told in self.of("COPY") for source in told.split()[:-1]]
        assert copied
        for source in copied:
            assert (ROOT / source).exists(), source
            assert source in kept, f"{source} is not in the context"
        assert kept == set(copied), "the context holds nothing else"
        assert next(line for line in ignored if line and not line.startswith(("!", "#"))) == "*"
        for secret in (".git", ".venv", "tests", "evenhand-demo"):
            assert not any(fnmatch(secret, pattern) for pattern in kept)

    def test_what_the_package_is_built_of_is_copied(self) -> None:
        copied = {source for told in self.of("COPY") for source in told.split()[:-1]}
        folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"].values()
        assert {folder.split("/")[0] for folder in folders} <= copied
        assert {"pyproject.toml", PROJECT["readme"], *PROJECT["license-files"]} <= copied

    def test_the_layers_that_change_least_come_first(self) -> None:
        steps = [f"{step} {told}" for step, told in self.STEPS]

        def first(pattern: str) -> int:
            return next(at for at, step in enumerate(steps) if re.search(pattern, step))

        assert (
            first(r"RUN apt-get") < first(r"RUN .*pip install.* torch$") < first("COPY src") < first(r"/build\[all\]")
        )

    def test_the_index_of_torch_is_an_argument_and_no_address_is_written(self) -> None:
        text = (PACKAGING / "Dockerfile").read_text("utf-8")
        assert 'TORCH_INDEX=""' in self.of("ARG")
        assert not re.search(r"https?://", text)
        run = next(told for told in self.of("RUN") if told.endswith(" torch"))
        for index, words in (("", []), ("https://example.org/cpu", ["--index-url", "https://example.org/cpu"])):
            asked = subprocess.run(
                ["sh", "-c", run.replace("python -m pip install", "printf '%s\\n'", 1)], env={"TORCH_INDEX": index},
                capture_output=True, text=True, check=True,
            ).stdout.splitlines()  # fmt: skip
            assert asked == ["-c", "/build/constraints/tested.txt", *words, "torch"]

    def test_the_entry_point_is_a_command_that_runs(self) -> None:
        (entry,) = self.of("ENTRYPOINT")
        command = yaml.safe_load(entry)
        assert command[0] in PROJECT["scripts"]
        arguments = yaml.safe_load(self.of("CMD")[-1])
        done = subprocess.run(
            [str(Path(sys.executable).parent / command[0]), *command[1:], *arguments], capture_output=True, check=False
        )
        assert done.returncode == 0

    def test_the_extra_that_is_installed_exists(self) -> None:
        asked = {extra for told in self.of("RUN") for extra in re.findall(r"/build\[([\w,]+)\]", told)}
        assert asked == {"all"} and "all" in PROJECT["optional-dependencies"]


class TestRecipe:
    @pytest.fixture
    def recipe(self) -> dict[str, Any]:
        text = (PACKAGING / "conda" / "recipe.yaml").read_text("utf-8")
        told = yaml.safe_load(text)
        for name, value in told["context"].items():
            text = text.replace(f"${{{{ {name} }}}}", value)
        return yaml.safe_load(text)  # type: ignore[no-any-return]

    def test_name_version_and_licence(self, recipe: dict[str, Any]) -> None:
        assert recipe["package"] == {"name": PROJECT["name"], "version": PROJECT["version"]}
        assert recipe["about"]["license"] == PROJECT["license"]
        assert [recipe["about"]["license_file"]] == PROJECT["license-files"]
        assert recipe["about"]["summary"] == PROJECT["description"]

    def test_the_source_is_this_repository(self, recipe: dict[str, Any]) -> None:
        assert (PACKAGING / "conda" / recipe["source"]["path"]).resolve() == ROOT

    def test_dependencies_are_those_of_the_project(self, recipe: dict[str, Any]) -> None:
        python, *run = recipe["requirements"]["run"]
        assert python == f"python {PROJECT['requires-python']}"
        assert [line.replace(" ", "") for line in run] == PROJECT["dependencies"]

    def test_what_builds_it_is_what_builds_the_project(self, recipe: dict[str, Any]) -> None:
        system = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
        host = [line.replace(" ", "") for line in recipe["requirements"]["host"]]
        assert set(system) <= set(host) and "pip" in host
        assert host[0].startswith(f"python{PROJECT['requires-python'].removeprefix('>=')}")

    def test_commands_are_those_of_the_project(self, recipe: dict[str, Any]) -> None:
        declared = [f"{name} = {target}" for name, target in PROJECT["scripts"].items()]
        assert recipe["build"]["python"]["entry_points"] == declared
        assert recipe["build"]["noarch"] == "python"

    def test_its_tests_pass_here(self, recipe: dict[str, Any]) -> None:
        imports, script = recipe["tests"][0]["python"]["imports"], recipe["tests"][1]["script"]
        subprocess.run([sys.executable, "-c", f"import {', '.join(imports)}"], check=True)
        for line in script:
            name, *arguments = shlex.split(line)
            command = [str(Path(sys.executable).parent / name), *arguments]
            assert subprocess.run(command, capture_output=True, check=False).returncode == 0, line
