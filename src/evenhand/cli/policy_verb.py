"""``evenhand policy``: check a policy, explain its limits, print its schema, list rule packs and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH
from evenhand.cli.places import usual_policy
from evenhand.output.printing import put, put_document

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.policy import Limit


@click.group(name="policy")
def command() -> None:
    """Check a policy, explain its limits, print its schema, list rule packs and templates.

    \b
    Example: evenhand policy check policy.toml
    """


@command.command(name="check")
@click.argument("policies", nargs=-1, type=PATH)
def check(policies: tuple[Path, ...]) -> None:
    """Print every problem of each policy; exit 0 when there is none, 2 otherwise.

    \b
    Example: evenhand policy check policy.toml
    """
    from evenhand.errors import EvenhandError, PolicyError, raise_all
    from evenhand.policy import load_policy

    problems: list[str] = []
    for place in policies or (usual_policy(),):
        try:
            policy = load_policy(place)
        except EvenhandError as wrong:
            problems += wrong.marked
            continue
        required = f"; {len(policy.requirements)} requirements" if policy.requirements else ""
        put(f"{place}: {len(policy.limits)} limits, {len(policy.blocking)} of them blocking{required}")
    raise_all(PolicyError, problems)


@command.command(name="explain")
@click.argument("policy", type=PATH, default=usual_policy)
def explain(policy: Path) -> None:
    """Print what each requirement and limit demands, and when its metric misleads.

    \b
    Example: evenhand policy explain policy.toml
    """
    from evenhand.policy import load_policy

    read = load_policy(policy)
    for limit in (*read.requirements, *read.limits):
        for line in _required(limit) if limit in read.requirements else _explained(limit):
            put(line)


@command.command(name="schema")
@click.option("--responsibility", is_flag=True, help="The schema of responsibility.toml instead.")
def schema(responsibility: bool) -> None:
    """Print the JSON Schema of policies, for editors.

    \b
    Example: evenhand policy schema > policy.schema.json
    """
    from importlib.resources import files

    name = "responsibility-1.json" if responsibility else "policy-1.json"
    put_document(files("evenhand.schemas").joinpath(name).read_text("utf-8"))


@command.command(name="list")
def list_all() -> None:
    """List rule packs that a policy can extend, and templates of ``evenhand init``.

    \b
    Example: evenhand policy list
    """
    from evenhand.policy.extending import described_packs
    from evenhand.policy.templates import TEMPLATES

    put('Rule packs, for extends = ["builtin:NAME"]:')
    for name, title, limits in described_packs():
        put(f"  {name:<20}  {title} ({limits} limits)")
    put("Templates, for evenhand init --template NAME:")
    for name, template in TEMPLATES.items():
        put(f"  {name:<20}  {template.meaning}")


def _required(limit: Limit) -> list[str]:
    from evenhand.policy.requirements import REQUIREMENTS
    from evenhand.policy.wording import limit_text

    return [f"{limit.key} {limit_text(limit)}", f"  {REQUIREMENTS[limit.key.columns[0]].meaning}"]


def _explained(limit: Limit) -> list[str]:
    from evenhand.metrics import describe
    from evenhand.policy.wording import limit_text

    entry = describe(limit.key.metric)
    demand = f"may be worse than the earlier audit by {limit.bound:g} at most" if limit.against else limit_text(limit)
    effects = {"undecided": limit.undecided, "undefined": limit.undefined, "missing": limit.missing}
    lenient = [f"{name}: {effect}" for name, effect in effects.items() if effect != "stop"]
    lines = [f"{limit.key} {demand}{' (advisory)' if limit.advisory else ''}", f"  {entry.meaning}"]
    lines += [f"  It misleads: {entry.misleads}"] if entry.misleads else []
    lines += [f"  Source: {entry.source}"] if entry.source else []
    lines += [f"  {limit.note}"] if limit.note else []
    lines += [f"  {'; '.join(lenient)}"] if lenient else []
    return lines
