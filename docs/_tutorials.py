"""Runs the tutorials and writes their outputs and figures anew: python docs/_tutorials.py

A block of Python or of commands is followed by a block of text, its output. A figure is taken from a page that the
tutorial wrote, named by a remark: ``<!-- figure: report.html#limits-figure -->``.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "tutorials"
RUN = re.compile(r"^```(python|console)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.S | re.M)
FIGURE = re.compile(r"^!\[[^\]]*\]\(images/([\w-]+)\.svg\)\n<!-- figure: ([\w.-]+)#([\w-]+) -->$", re.M)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")
HASH = re.compile(r"\b[0-9a-f]{16,}\b")
EXIT = '; echo "exit code $?"'


@dataclass(frozen=True, slots=True)
class Step:
    """One block that was run."""

    code: str
    """What was run."""
    shown: str
    """The output on the page."""
    made: str
    """The output of this run."""


def run(page: Path, folder: Path) -> Iterator[Step]:
    """Run the blocks of a page, in order, in a folder with the tutorials' files."""
    for file in FOLDER.iterdir():
        if file.suffix in (".csv", ".toml", ".json"):
            shutil.copy(file, folder)
    names: dict[str, object] = {"__name__": "tutorial"}
    with contextlib.chdir(folder):
        for language, code, shown in RUN.findall(page.read_text("utf-8")):
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                _python(code, names) if language == "python" else _console(code)
            yield Step(code, shown, _trimmed(out.getvalue()))


def _python(code: str, names: dict[str, object]) -> None:
    """Run Python; a last line that is an expression is shown, as a notebook shows it."""
    body = ast.parse(code).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    assert last is None or isinstance(last, ast.Expr)
    exec(compile(ast.Module(body, []), "tutorial", "exec"), names)
    if (
        isinstance(last, ast.Expr)
        and (value := eval(compile(ast.Expression(last.value), "tutorial", "eval"), names)) is not None
    ):
        print(repr(value))


def _console(code: str) -> None:
    """Run the commands of a block; the exit code is asserted where it is not printed."""
    from evenhand.cli.main import exit_code

    for line in code.replace("\\\n", " ").splitlines():
        command = line.removesuffix(EXIT)
        words = shlex.split(command, comments=True)
        if words[:1] == ["cat"]:
            print(Path(words[1]).read_text("utf-8"), end="")
        elif words:
            assert words[0] == "evenhand", line
            code_of = exit_code(words[1:])
            if line.endswith(EXIT):
                print(f"exit code {code_of}")
            else:
                assert code_of == 0, line


def _trimmed(text: str) -> str:
    """Return an output without blanks at the ends of lines, and without empty lines at its ends."""
    told = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
    return f"{told}\n" if told else ""


def figure(page: str, name: str) -> str:
    """Return a figure of a page, as a file."""
    found = re.search(rf'<figure[^>]* id="{re.escape(name)}".*?(<svg .*?</svg>)', page, re.S)
    if found is None:
        raise LookupError(f"The page has no figure '{name}'.")
    opened, rest = found[1].split(">", 1)
    left, top, width, height = re.search(r'viewBox="(\S+) (\S+) (\S+) (\S+)"', opened).groups()  # type: ignore[union-attr]
    ground = f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#fff" stroke="none"/>'
    return f'{opened} xmlns="http://www.w3.org/2000/svg">{ground}{rest}\n'


def figures(page: Path, folder: Path) -> dict[str, str]:
    """Return the figures of a page that was run in a folder, by name."""
    found = FIGURE.findall(page.read_text("utf-8"))
    return {name: figure((folder / file).read_text("utf-8"), place) for name, file, place in found}


def differences(step: Step, tolerance: float | None) -> str:
    """Return how an output differs from the one on the page, empty where numbers do by less than a tolerance.

    Without a tolerance, of a network that was trained, only the first words of lines are compared, in any order.
    """
    if tolerance is None:
        lost = _outline(step.shown) ^ _outline(step.made)
        return f"after\n{step.code}\npage and run differ in {sorted(lost)}" if lost else ""
    before, after = (HASH.sub("HASH", text) for text in (step.shown, step.made))
    if _words(before) != _words(after):
        return f"after\n{step.code}\nthe page shows\n{step.shown}\nand it is\n{step.made}"
    for shown, made in zip(NUMBER.findall(before), NUMBER.findall(after), strict=True):
        one, other = (float(text.replace(",", "")) for text in (shown, made))
        if abs(one - other) > max(0.011, tolerance * abs(one)):
            return f"after\n{step.code}\nthe page shows {shown}, and it is {made}"
    return ""


def _outline(text: str) -> set[str]:
    """Return the beginnings of the lines; exit codes whole."""
    lines = text.splitlines()
    return {line if line.startswith("exit code") else " ".join(NUMBER.sub("#", line).split()[:2]) for line in lines}


def _words(text: str) -> list[str]:
    return NUMBER.sub("#", text).split()


def written(page: Path, steps: list[Step]) -> str:
    """Return a page with the outputs of a run, where they differ in more than hashes."""
    left = iter(steps)

    def with_output(match: re.Match[str]) -> str:
        step = next(left)
        made = step.made if differences(step, 0.0) else step.shown
        block = f"```{match[1]}\n{match[2]}```\n"
        return f"{block}\n```text\n{made}```\n" if made else block

    return RUN.sub(with_output, page.read_text("utf-8"))


def pages() -> list[Path]:
    """Return the tutorials."""
    return sorted(FOLDER.glob("*.md"))


def main() -> None:
    """Write all tutorials anew."""
    for page in pages():
        with tempfile.TemporaryDirectory() as place:
            steps = list(run(page, Path(place)))
            for name, drawn in figures(page, Path(place)).items():
                (FOLDER / "images" / f"{name}.svg").write_text(drawn, encoding="utf-8")
        page.write_text(written(page, steps), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
