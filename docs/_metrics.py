"""Writes docs/metrics.md from the declared entries: python docs/_metrics.py"""

from __future__ import annotations

from pathlib import Path

from evenhand.metrics import METRICS, names
from evenhand.metrics.catalogue.names import HOWS, OTHER_NAMES

HEAD = "| name | what it says | formula | when it misleads | other names |"
KINDS = {
    "rate": "Rates",
    "composite": "Composites of rates",
    "score": "Of scores",
    "change": "What compression changed",
    "statement": "Stated by one audit",
}


def page() -> str:
    """Return the page."""
    lines = ["# What is measured", "", "Each entry is declared once, in `metrics/`; this page is made from it.", ""]
    for kind, title in KINDS.items():
        lines += [
            f"## {title}",
            "",
            "| name | what it says | formula | when it misleads | other names |",
            "|---|---|---|---|---|",
        ]
        for metric in METRICS.values():
            if metric.kind == kind:
                other = ", ".join(f"`{name}`" for name in metric.aliases)
                cells = (f"`{metric.name}`", metric.meaning, metric.formula, metric.misleads, other)
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    lines += ["## Disparities", "", "Every rate, composite, score and change above can be compared between groups:", ""]
    lines += [f"- `{{metric}}_{how}`: {words.format(metric='value')}" for how, words in HOWS.items()]
    lines += [
        "",
        "`equalized_odds_difference` and `equalized_odds_ratio` are the worse of recall and false positive rate.",
    ]
    lines += [
        "With `;vs=overall` or `;vs=rest` a rate's gap is that to all rows, or to the rows of the other groups.",
        "",
    ]
    lines += ["| a name in the field | here |", "|---|---|"]
    lines += [f"| `{theirs}` | `{ours}` |" for theirs, ours in OTHER_NAMES.items()]
    return "\n".join([*lines, "", f"{len(names()):,} names in all; `evenhand list metrics` prints them.", ""])


if __name__ == "__main__":
    (Path(__file__).parent / "metrics.md").write_text(page(), encoding="utf-8")
