"""Runs the examples of the gallery and writes its pages anew: python docs/_gallery.py [--output FOLDER] [NAME ...]

Each example writes ``audit.json``, ``policy.toml`` and ``report.html`` into the folder that it is given, and into a
folder below it for each further part. A page of docs/gallery shows these by remarks, each before the block or after the
picture that it fills: ``verdict: NAME/part``, ``output: NAME`` and ``figure: NAME/part#id``. What an example leaves
out for want of data stays on its page as it was; an output is then not written, since it would be half of one.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parent
PAGES: Final = DOCS / "gallery"
IMAGES: Final = DOCS / "images"
INDEX: Final = PAGES / "index.md"
SHOWN: Final = re.compile(r"^<!-- verdict: (\w+)(?:/(\w+))? -->\n+```text\n(.*?)^```\n", re.S | re.M)
PRINTED: Final = re.compile(r"^<!-- output: (\w+) -->\n+```text\n(.*?)^```\n", re.S | re.M)
FIGURE: Final = re.compile(
    r"^!\[([^\]]*)\]\(\.\./images/([\w-]+)\.svg\)(?:\n<!-- figure: \w+(?:/(\w+))?#([\w-]+) -->)?$", re.M
)
FIELD: Final = re.compile(r"^<!-- field: (.+) -->$", re.M)
LISTED: Final = re.compile(r"(?<=<!-- pages -->\n).*(?=<!-- end of pages -->)", re.S)
FIELDS: Final = (
    "Finance", "Medicine", "Recommenders", "Speech", "Images", "Texts and language models", "Driving and robots",
    "Education and market", "Clusterings",
)  # fmt: skip
"""The fields of the index, in its order."""
NEXT: Final = "Go on: "
LEFT: Final = "Left out: "
AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Run:
    """One example that was run."""

    name: str
    folder: Path
    """Where it wrote."""
    output: str
    """What it printed."""
    seconds: float

    @property
    def left_out(self) -> list[str]:
        """What it left out for want of data, in its words."""
        return [line.removeprefix(LEFT) for line in self.output.splitlines() if line.startswith(LEFT)]

    @property
    def verdicts(self) -> dict[str, str]:
        """What a console shows of the verdict of each part; the first has an empty name."""
        found = {"": self.folder, **{each.name: each for each in sorted(self.folder.iterdir()) if each.is_dir()}}
        return {part: verdict(place) for part, place in found.items() if (place / "policy.toml").exists()}


def run(name: str, folder: Path) -> Run:
    """Run an example, which may end as a gate does; an error says what it wrote to stderr."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(DOCS.parent / "examples" / f"{name}.py"), str(folder)],
        capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    made = Run(name, folder, done.stdout.replace(str(folder), "out"), time.monotonic() - began)
    if done.returncode not in (0, 1, 3) or "Traceback" in done.stderr or not (made.verdicts or made.left_out):
        raise RuntimeError(f"examples/{name}.py ended with {done.returncode}:\n{done.stderr}")
    return made


def verdict(folder: Path) -> str:
    """Return what a console shows of the verdict over what an example wrote."""
    import evenhand as eh

    said = str(eh.judge(eh.read_record(folder / "audit.json"), eh.load_policy(folder / "policy.toml")))
    return "".join(f"{line.rstrip()}\n" for line in said.splitlines() if not line.startswith(NEXT))


def page_of(name: str) -> Path:
    """Return the page of an example."""
    return PAGES / f"{name}.md"


def names() -> list[str]:
    """Return the examples that have a page."""
    return sorted(page.stem for page in PAGES.glob("*.md") if page != INDEX)


def shown(page: str) -> dict[str, str]:
    """Return the verdicts on a page, by part."""
    return {part: said for _, part, said in SHOWN.findall(page)}


def written(page: str, made: Run) -> str:
    """Return a page with the verdicts and the output of a run."""
    found = made.verdicts

    def judged(match: re.Match[str]) -> str:
        opened = match[0].partition("```text\n")[0]
        return f"{opened}```text\n{found.get(match[2] or '', match[3])}```\n"

    page = SHOWN.sub(judged, page)
    if made.left_out:
        return page
    said = "".join(f"{line.rstrip()}\n" for line in made.output.splitlines())
    return PRINTED.sub(lambda match: f"<!-- output: {match[1]} -->\n```text\n{said}```\n", page)


def drawn(page: str, made: Run) -> dict[str, str]:
    """Return the pictures of a page, by the name of their file; without those of parts that were left out."""
    from _tutorials import figure

    found = {}
    for _, image, part, figure_id in FIGURE.findall(page):
        place = made.folder / (part or image.removeprefix(f"gallery-{made.name}").removeprefix("-"))
        if (place / "report.html").exists():
            found[image] = figure((place / "report.html").read_text("utf-8"), figure_id or "limits-figure")
    return found


def listed() -> str:
    """Return the index: the pages by field, each with its question, its verdict and its first picture."""
    pages = {name: page_of(name).read_text("utf-8") for name in names()}
    lines = ["```{toctree}", ":hidden:", "", *pages, "```", ""]
    for field in FIELDS:
        mine = [name for name, page in pages.items() if FIELD.findall(page) == [field]]
        lines += [f"## {field}", ""] if mine else []
        for name in mine:
            lines += [*_entry(name, pages[name]), ""]
    return "\n".join(lines)


def _entry(name: str, page: str) -> list[str]:
    title = page.partition("\n")[0].removeprefix("# ")
    told = FIELD.split(page)[-1].strip().partition("\n\n")[0].replace("\n", " ")
    text, image = FIGURE.search(page).groups()[:2]  # type: ignore[union-attr]
    parts = {part: said.partition(":")[0].lower() for part, said in shown(page).items()}
    status = "; ".join(f"{part}: {said}" if part else said.capitalize() for part, said in sorted(parts.items()))
    return [
        f"### [{title}]({name}.md)", "", f"{re.split(r'(?<=[.?!]) ', told)[0]} **{status}.**", "",
        f"[![{text}](../images/{image}.svg)]({name}.md)",
    ]  # fmt: skip


def write(made: Run) -> None:
    """Write the page of a run and its pictures anew."""
    place = page_of(made.name)
    page = written(place.read_text("utf-8"), made)
    for image, picture in drawn(page, made).items():
        (IMAGES / f"{image}.svg").write_text(picture, encoding="utf-8")
    place.write_text(page, encoding="utf-8")


def told(made: Run) -> str:
    """Return a line of the console: an example, its seconds and its verdicts."""
    words = [f"{part or made.name} {said.partition(':')[0].lower()}" for part, said in made.verdicts.items()]
    return f"{made.name:<18} {made.seconds:5.0f} s  {', '.join(words) or 'nothing'}"


def main(chosen: list[str], output: Path) -> None:
    """Run all examples, or some, write pages, pictures and index, and say what was left out."""
    sys.path.insert(0, str(DOCS))
    places = {name: output.resolve() / name for name in chosen or names()}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    left: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for made in pool.map(run, places, places.values()):
            print(told(made), flush=True)
            write(made)
            left += [f"{made.name}: {line}" for line in made.left_out]
    INDEX.write_text(LISTED.sub(lambda _: listed(), INDEX.read_text("utf-8")), encoding="utf-8")
    print(f"Left out for want of data, {len(left)} in all:" if left else "Nothing was left out.")
    print("".join(f"  {line}\n" for line in left), end="")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="examples; all of them without one")
    parser.add_argument("--output", type=Path, help="folder for what they write, kept; else a temporary one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        main(given.names, given.output or Path(temporary))
