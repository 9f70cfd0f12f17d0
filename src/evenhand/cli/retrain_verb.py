"""``evenhand retrain``: a candidate from the log, audited beside the deployed model, judged, and promoted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenhand.audits.options import options
from evenhand.cli.console import progress
from evenhand.cli.deciding import by_flag, link_flag, who
from evenhand.cli.flags import Finite, file_flag, said, setting_flags
from evenhand.cli.log_keys import encryption_key_flag, keyring
from evenhand.cli.outputs import put
from evenhand.cli.places import NEAREST, usual_policy
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.output.printing import say

if TYPE_CHECKING:
    import pandas as pd

OPTIONS = {name: declared for name, (_, declared) in options().items() if name != "seed"}


@click.command(name="retrain")
@click.option("--log", required=True, help="The log: an SQLite file, a table, or the address of PostgreSQL.")
@encryption_key_flag
@link_flag("--deployed")
@file_flag("--policy", "-p", default=usual_policy, show_default=NEAREST, help="The limits that it must pass.")
@file_flag("--train-table", help="Rows to learn from beside those of the log, such as those of the first fit.")
@file_flag("--like", help="Fit by the recipe of this model, where the deployed one keeps none.")
@click.option("--after", help="Only predictions made at this time or later: 2026-11-01.")
@click.option("--before", help="Only predictions made earlier than this.")
@click.option(
    "--audit-share", type=Finite(0, 1), default=0.3, show_default=True,
    help="Share of the labelled rows, the latest, to audit on.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--promote", "release", is_flag=True, help="Promote the candidate if it passes.")
@by_flag
@click.option("--trust-pickle", is_flag=True, help="Open a deployed pickle. It can run any code on this machine.")
@click.option("--audits", multiple=True, metavar="NAME", help="Run these audits alone; may be repeated.")
@setting_flags(OPTIONS)
@file_flag("--output", "-o", default=Path("candidate"), help="New folder for the candidate and its record.")
@quiet_flag
def command(
    log: str,
    encryption_key: str | None,
    link: Path,
    policy: Path,
    train_table: Path | None,
    like: Path | None,
    after: str | None,
    before: str | None,
    audit_share: float,
    seed: int,
    release: bool,
    by: str | None,
    trust_pickle: bool,
    audits: tuple[str, ...],
    output: Path,
    **flags: object,
) -> int:
    """Fit the deployed model's recipe on the log's labelled rows, audit the candidate beside it on the latest, judge.

    \b
    Exit codes: 0 passed, 1 failed, 2 could not run, 3 undecided.
    Examples:
      evenhand retrain --log log.db --deployed deployed/current --policy policy.toml -o candidate
      evenhand retrain --log log.db --train-table train.parquet --promote --by eva -o candidate
    """
    from evenhand.monitoring.log.reading import log_table
    from evenhand.monitoring.releasing import retrain

    frame = log_table(log, after=after, before=before, encryption_key=keyring(encryption_key))
    more: dict[str, Any] = {**said(flags, OPTIONS), **({"audits": audits} if audits else {})}
    with progress("Retraining") as step:
        done = retrain(
            frame, link, policy, output, by=who(by), train_table=None if train_table is None else _table(train_table),
            like=like, audit_share=audit_share, seed=seed, release=release, trust_pickle=trust_pickle, progress=step,
            **more,
        )  # fmt: skip
    if done.labelled.selective:
        say(done.labelled.selective)
    put(done.record, done.verdict, {"text": None})
    lines = [
        done.labelled.told(),
        f"Wrote {output}: learnt from {done.trained_on:,} rows, audited on {done.audited_on:,} later ones",
    ]
    if done.promotion is not None:
        lines.append(f"{link} is {done.promotion.decision.model[:12]} now")
        summarize(lines)
    else:
        words = ["evenhand", "promote", done.model, "--audit", done.audit, "--policy", policy, "--as", link]
        summarize(lines, words if done.verdict.status == "passed" else None)
    return done.verdict.exit_code


def _table(place: Path) -> pd.DataFrame:
    from evenhand.data.tables import read_table

    return read_table(place).frame
