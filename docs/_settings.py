"""Writes docs/settings.md from the declared settings: python docs/_settings.py"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evenhand.audits.options import options
from evenhand.cli.settings import TABLES, known

if TYPE_CHECKING:
    from evenhand.settings import Setting

TITLES = {
    "data": (
        "What the columns are",
        "Keywords of `read_evaluation_set`; fields of `Roles`, `Reading`, `Scoring` and `LogReading`.",
    ),
    "split": ("How a table is split", "Taken in proportion by `evenhand train`."),
    "train": ("How a model is trained", "Fields of `TrainingConfig`; settings of `TabularClassifier`."),
    "audit": ("How it is audited", "Keywords of `evenhand.audit`; fields of `AuditOptions` and of single audits."),
}
NO_FLAG = {"train", "validation", "seed"}
"""Of the split: one flag says the share of test rows, and ``--seed`` is that of the fit, too."""


def page() -> str:
    """Return the page."""
    lines = ["# Settings", "", "Each is declared once, as a field of a record; this page is made from it.", ""]
    lines += ["A flag wins over `evenhand.toml`, and a keyword over a record.", ""]
    for table in TABLES:
        title, text = TITLES[table]
        keys = {key: ("", declared) for key, (_, declared) in known(table).items()} if table != "audit" else options()
        lines += [f"## {title}: `[{table}]`", "", text, ""]
        lines += [
            "| in Python | what it is | values | default | in evenhand.toml | flag |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_row(key, declared, audit, table) for key, (audit, declared) in keys.items()]
        lines.append("")
    return "\n".join(lines)


def _row(key: str, declared: Setting, audit: str, table: str) -> str:
    what = f"{declared.help} (Of the {audit} audit.)" if audit else declared.help
    values = f"{declared.kind}; {declared.unit}" if declared.unit else declared.kind
    usual = ", ".join(map(str, declared.default)) if isinstance(declared.default, tuple) else declared.default
    told = [f"`{usual}`" if usual not in (None, "", {}) else "", "" if declared.only else f"`{key}`"]
    flag = "" if declared.only or (table == "split" and declared.name in NO_FLAG) else f"`{declared.flag}`"
    cells = (f"`{key if audit else declared.name}`", what, values, *told, flag)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    (Path(__file__).parent / "settings.md").write_text(page(), encoding="utf-8")
