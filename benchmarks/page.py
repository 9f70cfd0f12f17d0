"""What the page of each real audit in tests/golden/audits takes of its reader, beside its budget.

Needs headless Chromium and Playwright. Writes benchmarks/results/page.json and its table in docs/benchmarks.md; with
--parts it prints instead where words, bytes and height go. Run it with: python benchmarks/page.py [--parts] [NAME ...]
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import machine, write

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.browsing import BUDGET, NAMES, PARTS, chromium, measure, opened, rendered

COLUMNS = {
    "bytes": "bytes", "screens": "screens", "phone_screens": "screens of a phone", "words": "words",
    "first_screens": "layer one: screens", "first_words": "words", "tab_stops": "tab stops",
}  # fmt: skip


def parts(names: list[str]) -> None:
    """Print the parts of pages with their bytes, words and height."""
    with TemporaryDirectory() as folder, chromium() as browser:
        for name in names:
            place = Path(folder) / f"{name}.html"
            place.write_text(rendered(name), "utf-8")
            with opened(browser, place) as page:
                for part, size, words, height in page.evaluate(PARTS):
                    print(f"{name:10} {part:34.34} {size:8,} bytes {words:6,} words {height:6,} px")


def main() -> None:
    """Measure each page in English and Chinese, print the table, write the figures."""
    names = [name for name in sys.argv[1:] if not name.startswith("--")] or list(NAMES)
    if "--parts" in sys.argv:
        parts(names)
        return
    told: dict[str, object] = {**machine("Jinja2", "playwright"), "budget": asdict(BUDGET)}
    lines = [f"| page | {' | '.join(COLUMNS.values())} |", f"|---|{'---:|' * len(COLUMNS)}"]
    rows = [("at most", asdict(BUDGET))]
    with TemporaryDirectory() as folder, chromium() as browser:
        for name in names:
            for lang in ("en", "zh-CN"):
                place = Path(folder) / f"{name}.html"
                place.write_text(rendered(name, lang), "utf-8")
                told[f"{name}, {lang}"] = found = asdict(measure(browser, place))
                rows.append((f"{name}, {lang}", found))
    for name, found in rows:
        lines.append(f"| {name} | {' | '.join(f'{found[column]:,g}' for column in COLUMNS)} |")
    write("page", told, lines, "Measures the page that `evenhand report` writes, in headless Chromium.")


if __name__ == "__main__":
    main()
