"""Runs the examples of the gallery and writes their verdicts and figures anew: python docs/_gallery.py [NAME ...]

Each example writes ``audit.json``, ``policy.toml`` and ``report.html`` into the folder that it is given.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).parent
PAGE = DOCS / "gallery.md"
SHOWN = re.compile(r"^<!-- verdict: (\w+) -->\n```text\n(.*?)^```\n", re.S | re.M)
NEXT = "Go on: "


def run(name: str, folder: Path) -> None:
    """Run an example, which may end as a gate does; an error says what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, str(DOCS.parent / "examples" / f"{name}.py"), str(folder)],
        capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(f"examples/{name}.py ended with {done.returncode}:\n{done.stderr}")


def verdict(folder: Path) -> str:
    """Return what a console shows of the verdict over what an example wrote."""
    import evenhand as eh

    said = str(eh.judge(eh.read_record(folder / "audit.json"), eh.load_policy(folder / "policy.toml")))
    return "".join(f"{line.rstrip()}\n" for line in said.splitlines() if not line.startswith(NEXT))


def names() -> list[str]:
    """Return the examples that the page shows."""
    return [name for name, _ in SHOWN.findall(PAGE.read_text("utf-8"))]


def written(page: str, verdicts: dict[str, str]) -> str:
    """Return the page with these verdicts in place of its own."""

    def anew(match: re.Match[str]) -> str:
        return f"<!-- verdict: {match[1]} -->\n```text\n{verdicts.get(match[1], match[2])}```\n"

    return SHOWN.sub(anew, page)


def main(chosen: list[str]) -> None:
    """Write verdicts and figures of all examples, or of some."""
    sys.path.insert(0, str(DOCS))
    from _tutorials import figure

    for name in chosen or names():
        with tempfile.TemporaryDirectory() as place:
            run(name, Path(place))
            found = {name: verdict(Path(place))}
            drawn = figure((Path(place) / "report.html").read_text("utf-8"), "limits-figure")
        (DOCS / "images" / f"gallery-{name}.svg").write_text(drawn, encoding="utf-8")
        PAGE.write_text(written(PAGE.read_text("utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
