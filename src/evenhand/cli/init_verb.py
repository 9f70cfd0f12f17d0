"""``evenhand init``: the three files a project begins with."""

from __future__ import annotations

import json
from pathlib import Path

import click

from evenhand.cli.flags import file_flag
from evenhand.output.printing import remark

SETTINGS = """\
# The roles of the columns, for every verb of evenhand. Flags win over this file.
[data]
label = {label}
# The value of the label that counts as positive, and the one that is good for the person (four-fifths turns on it).
{pos_label}
{favourable}
sensitive_features = {sensitive}
exclude = {exclude}
missing = "error"        # or "group": rows without a sensitive value are a group of their own

[split]
train = 0.55
validation = 0.15
test = 0.30
seed = 0

[audit]
level = 0.95
seed = 0
intersections = 2        # how many sensitive features are crossed at most
"""


@click.command(name="init")
@click.option("--label", default="label", help="Column with the truth.")
@click.option("--pos-label", help="Value of the label that counts as positive.")
@click.option("--favourable", help="Value of the label that is good for the person.")
@click.option("--sensitive", multiple=True, help="Sensitive feature; may be repeated.")
@click.option("--exclude", multiple=True, help="Column that is not a model input; may be repeated.")
@click.option(
    "--template",
    type=click.Choice(["generic", "hiring", "credit", "medical"]),
    default="generic",
    show_default=True,
    help="Field whose limits to start from, each with its reason and source.",
)
@file_flag("--folder", default=Path(), show_default=False, help="Where the files are written.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def command(
    label: str,
    pos_label: str | None,
    favourable: str | None,
    sensitive: tuple[str, ...],
    exclude: tuple[str, ...],
    template: str,
    folder: Path,
    force: bool,
) -> None:
    """Write evenhand.toml (roles, settings), policy.toml (limits) and responsibility.toml to begin with.

    \b
    Example: evenhand init --label approve --favourable 1 --sensitive race --sensitive sex
    """
    from evenhand.declarations import skeleton
    from evenhand.errors import OutputError
    from evenhand.output.writing import write_text
    from evenhand.policy import default_policy

    settings = SETTINGS.format(
        label=json.dumps(label, ensure_ascii=False),
        pos_label=_line("pos_label", pos_label),
        favourable=_line("favourable", favourable),
        sensitive=json.dumps(list(sensitive), ensure_ascii=False),
        exclude=json.dumps(list(exclude), ensure_ascii=False),
    )
    files = {
        folder / "evenhand.toml": settings,
        folder / "policy.toml": default_policy(sensitive, template=template, label=label, positive=pos_label or ""),
        folder / "responsibility.toml": skeleton(),
    }
    there = [str(place) for place in files if place.exists()]
    if there and not force:
        raise OutputError(f"{', '.join(there)}: already there. Replace with --force, or choose another --folder.")
    for place, text in files.items():
        write_text(place, text)
        remark(f"Wrote {place}")


def _line(name: str, value: str | None) -> str:
    if value is None:
        return f"# {name} = 1"
    number = value.lstrip("-").isdigit()
    return f"{name} = {value if number else json.dumps(value, ensure_ascii=False)}"
