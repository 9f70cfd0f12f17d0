"""``evenhand mitigate``: what can be done about a failed limit, what it costs, and who pays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenhand.cli.audit_verb import OPTIONS
from evenhand.cli.console import progress
from evenhand.cli.flags import PATH, file_flag, opening, opening_flags, said, setting_flags
from evenhand.cli.outputs import check_places
from evenhand.cli.places import NEAREST, usual_policy
from evenhand.cli.roles import file_of, read_table, role_flags
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.data.roles import Scoring
from evenhand.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord
    from evenhand.mitigation import Mitigated
    from evenhand.provenance import MitigatedLimit, MitigationFacts


class Shares(click.ParamType[tuple[float, ...]]):
    """Three numbers with commas between."""

    name = "F,C,J"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Read the numbers, or refuse them."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"'{value}' is no list of numbers; write 0.4,0.3,0.3.", param, ctx)


@click.command(name="mitigate")
@click.argument("data", type=PATH)
@file_flag("--model", "-m", required=True, help="The deployed model: .safetensors, .onnx, .joblib. It stays as it is.")
@file_flag("--policy", "-p", default=usual_policy, show_default=NEAREST, help="The limits that are to be met.")
@click.option("--performance", default="accuracy", show_default=True, help="The measure that is to be kept: the price.")
@click.option(
    "--shares", type=Shares(), default="0.4,0.3,0.3", show_default=True,
    help="Shares of DATA that candidates are fitted, chosen and judged on.",
)  # fmt: skip
@click.option(
    "--candidates", multiple=True, metavar="NAME", help="Try these kinds alone, of evenhand list mitigations; repeat."
)
@click.option("--group-blind", is_flag=True, help="Leave out what must be told a person's group when it decides.")
@click.option(
    "--keep", type=click.FloatRange(0, 1), default=0.5, show_default=True,
    help="What a candidate must keep of the model's gain in performance over one decision for everybody.",
)  # fmt: skip
@file_flag("--train", help="Rows on which models are fitted again; a part of DATA otherwise.")
@click.option(
    "--audits", multiple=True, metavar="NAME", help="Audits that the chosen one goes through; all of them otherwise."
)
@setting_flags(settings_of(Scoring))
@role_flags
@setting_flags(OPTIONS)
@opening_flags
@file_flag("--save", metavar="FILE", help="Save the chosen model where it is recommended: credit.mitigated.")
@file_flag("--output", "-o", default=Path("mitigated.json"), help="The record of the chosen candidate.")
@quiet_flag
def command(
    data: Path,
    model: Path,
    policy: Path,
    performance: str,
    shares: tuple[float, ...],
    candidates: tuple[str, ...],
    group_blind: bool,
    keep: float,
    train: Path | None,
    audits: tuple[str, ...],
    save: Path | None,
    output: Path,
    **flags: object,
) -> int:
    """Try what can be done for a model to meet a policy on DATA, and say what it costs and who pays.

    Candidates (other thresholds, thresholds by group, models fitted again under a constraint) are fitted on one part of
    DATA, chosen on a second, and the chosen one is audited and judged on a third, beside the deployed model. DATA are
    rows that the model was not fitted on. Exit codes: 0 a candidate is recommended, or the model passes as it is;
    3 none is; 2 could not run.

    \b
    Examples:
      evenhand mitigate test.parquet --model credit.safetensors --policy policy.toml --save fairer.mitigated
      evenhand mitigate test.csv -m credit.onnx --label paid --sensitive sex --performance balanced_accuracy
      evenhand mitigate test.csv -m credit.joblib --trust-pickle --group-blind --candidates grid_search
    """
    from evenhand.cli.circumstances import with_circumstances
    from evenhand.mitigation import mitigated
    from evenhand.records import write_record

    check_places([output, save], [data, model, policy, train, flags.get("config")])
    settings, how = file_of(flags), opening(flags)
    scoring = said(flags, settings_of(Scoring))
    chosen: dict[str, Any] = {**scoring, **settings.audit, **said(flags, OPTIONS)}
    kinds = [name for text in candidates for name in text.split(",")] or None
    from evenhand.compression import open_model

    rows, deployed = read_table(data, settings, flags), open_model(model, **how)  # type: ignore[arg-type]
    with progress("Mitigating") as step:
        made = mitigated(
            deployed, rows, policy, performance=performance, shares=shares, candidates=kinds, group_blind=group_blind,
            keep=keep, train=train, audits=[name for text in audits for name in text.split(",")] or None, progress=step,
            **chosen,
        )  # fmt: skip
    record = made.record
    if save is not None and made.recommended:
        record = made.save(save, model)
    write_record(output, with_circumstances(record, policy))
    summarize(_lines(made, output, save), ["evenhand", "report", output, "--policy", policy])
    facts = made.record.provenance["mitigation"]
    return 0 if facts["recommended"] or facts["before"] == "passed" else 3


def _lines(made: Mitigated, output: Path, save: Path | None) -> Iterator[str]:
    """Yield what was tried, what was chosen, its price, and whom it touches."""
    from evenhand.messages import message_from_plain
    from evenhand.report.mitigated import left_out

    record = made.record
    facts = record.provenance["mitigation"]
    tried = facts["candidates"]
    passed = sum(all(limit.get("status") == "passed" for limit in each["limits"]) for each in tried if each["limits"])
    rows = facts["rows"]
    yield f"{len(tried)} candidates, {passed} of them pass on the {rows['choose']:,} rows that they are chosen on"
    if aside := left_out(facts):
        yield aside
    if facts.get("infeasible"):
        yield str(message_from_plain(facts["infeasible"]))  # type: ignore[arg-type]
    chosen = next(each for each in tried if each["chosen"])
    yield f"Chosen: {chosen['name']}; {'recommended' if made.recommended else 'not recommended'}"
    yield str(message_from_plain(facts["why"]))
    yield from _price(record, facts)
    if made.needs_sensitive:
        yield "It must be told a person's group to decide, which can be unlawful: docs/how-to/mitigate.md."
    if save is not None and not made.recommended:
        yield f"{save} is not written: only a candidate that is recommended is saved."
    yield f"Wrote {output}{f' and {save}' if save is not None and made.recommended else ''}"


def _shown(value: MitigatedLimit) -> str:
    from evenhand.report.numbers import ranged

    return ranged(value["estimate"], value.get("low"), value.get("high"))


def _price(record: AuditRecord, facts: MitigationFacts) -> Iterator[str]:
    """Yield what the chosen candidate costs, and who gains and loses, on the judged rows."""
    from evenhand.mitigation.recommending import change_of_measure
    from evenhand.mitigation.trying import found
    from evenhand.report.numbers import with_interval

    change = found(record, change_of_measure(facts["performance"]))
    before, now = facts.get("price") or (None, None)
    if change is not None:
        yield f"Price: {change.name} {with_interval(change)}"
    elif before is not None and now is not None and before is not now:
        yield f"Price: {facts['performance']} goes from {_shown(before)} to {_shown(now)}"
    for group in facts.get("groups", []):
        if group["gained"] or group["lost"]:
            name = f"{group['feature']}={group['group']}"
            told = f"{group['gained']:,} of {group['rows']:,} gain a favourable decision, {group['lost']:,} lose it"
            yield f"{name}: {told}"
