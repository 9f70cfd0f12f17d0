"""Writes the tables of docs/how-to/models.md from the catalogue of adapters: python docs/_adapters.py"""

from __future__ import annotations

import inspect
from pathlib import Path

from evenhand.subjects import ADAPTERS
from evenhand.subjects.loading import model_files

PAGE = Path(__file__).parent / "how-to" / "models.md"
START, END = "<!-- {} begin: python docs/_adapters.py -->", "<!-- {} end -->"


def files() -> str:
    """Return the table of model files."""
    lines = ["| file | kind | opened | what makes it safe |", "|---|---|---|---|"]
    for file in sorted(model_files().values(), key=lambda each: (bool(each.runs_code), each.kind)):
        endings = ", ".join(f"`{ending}`" for ending in file.endings)
        how = "with `--trust-pickle`" if file.runs_code else "yes"
        lines.append(f"| {endings} | {file.kind} | {how} | {file.safety} |")
    return "\n".join(lines)


def adapters() -> str:
    """Return the table of adapters, in the order in which they are asked whether a model is theirs."""
    lines = ["| adapter | what it does |", "|---|---|"]
    for name in sorted(ADAPTERS.own, key=lambda each: (ADAPTERS[each].order, each)):
        text = (inspect.getdoc(ADAPTERS[name].build) or "").partition("\n\n")[0]
        lines.append(f"| `{name}` | {' '.join(text.split())} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """Return the page with its tables made anew."""
    for name, table in (("files", files()), ("adapters", adapters())):
        start, end = START.format(name), END.format(name)
        before, _, rest = text.partition(start)
        text = f"{before}{start}\n\n{table}\n\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")
