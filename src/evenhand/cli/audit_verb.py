"""``evenhand audit``: measure, and judge nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenhand.audits.options import options
from evenhand.cli.console import progress
from evenhand.cli.flags import PATH, file_flag, opening, opening_flags, refuse_idle, said, setting_flags
from evenhand.cli.outputs import check_places
from evenhand.cli.places import ANSWERS, NEAREST, usual_file, usual_policy
from evenhand.cli.roles import file_of, read_table, role_flags, role_values
from evenhand.cli.summary import quiet_flag, summarize
from evenhand.data.lm_logs.samples import LogReading
from evenhand.data.roles import Scoring
from evenhand.headlines import alarms
from evenhand.output.printing import say
from evenhand.settings import settings_of

if TYPE_CHECKING:
    from evenhand.cli.settings import Settings
    from evenhand.data import EvaluationSet
    from evenhand.evidence.keeping import Keeping
    from evenhand.findings import AuditRecord
    from evenhand.policy import Policy, Verdict

OPTIONS = {name: declared for name, (_, declared) in options().items()}

FILES = ("model", "original", "background", "privacy")


@click.command(name="audit")
@click.argument("data", type=PATH, required=False)
@click.option("--table", help="In place of DATA: predictions to audit by GROUP BY; a glob, or lake.duckdb::scored.")
@click.option("--engine", type=click.Choice(["duckdb", "polars", "spark"]), help="Engine that counts --table.")
@click.option("--allow-repeated", is_flag=True, help="With --table: count files of the same content each.")
@file_flag(
    "--lm-logs",
    help="In place of DATA: logs of a language model by sample, of lm-evaluation-harness or Inspect; a file or folder.",
)
@file_flag("--original-lm-logs", help="The same of the model before compression, to compare with.")
@setting_flags(settings_of(LogReading))
@click.option(
    "--bias-set",
    metavar="SET=PATH",
    help="In place of DATA: texts of which the language model --model, a folder or .onnx, finds one likelier; SET is "
    "crows_pairs, winobias, winogender, bbq or bbq_stereotype.",
)
@file_flag("--model", "-m", help="Model file: .safetensors, .onnx, .joblib.")
@file_flag("--original", help="The model before compression, to compare with.")
@file_flag("--background", help="Table to explain against, such as the training rows.")
@file_flag("--privacy", help="Rows the model was fitted on: ask whom it gives away as one of them.")
@setting_flags(settings_of(Scoring))
@role_flags
@setting_flags(OPTIONS)
@file_flag(
    "--responsibility",
    help="Declarations about the model.  [default: responsibility.toml, here or in a folder above]",
)
@file_flag("--policy", "-p", help="Record the hash of this policy, as limits set before the audit; judge with --gate.")
@click.option(
    "--gate", is_flag=True, help=f"Judge at once by --policy ({NEAREST}), with the exit code of evenhand gate."
)
@file_flag(
    "--keep-predictions",
    metavar="FILE.parquet",
    help="Keep each row's truth, score and groups in a private file, to pair rows with a later audit.",
)
@file_flag(
    "--row-key", default=Path(".evenhand-row-key"), help="Secret key of the row names in it; created if missing."
)
@click.option(
    "--audits", multiple=True, metavar="NAME", help="Run these audits alone, of evenhand list audits; may be repeated."
)
@opening_flags
@file_flag("--output", "-o", default=Path("audit.json"))
@quiet_flag
def command(
    data: Path | None,
    table: str | None,
    lm_logs: Path | None,
    original_lm_logs: Path | None,
    bias_set: str | None,
    engine: str | None,
    allow_repeated: bool,
    output: Path,
    responsibility: Path | None,
    policy: Path | None,
    gate: bool,
    keep_predictions: Path | None,
    row_key: Path,
    audits: tuple[str, ...],
    **flags: object,
) -> int:
    """Measure a model, or precomputed predictions, on DATA and write audit.json.

    Nothing is judged, unless --gate asks for it; audit.json is the same, and is written whatever the verdict.

    \b
    Examples:
      evenhand audit test.parquet --model credit.safetensors --label approve --sensitive race -o audit.json
      evenhand audit scored.csv --label y --score p --threshold 0.5 --sensitive sex
      evenhand audit scored.csv --policy policy.toml --gate
      evenhand audit --table "scored/*.parquet" --label y --score p --sensitive sex
      evenhand audit --lm-logs int4/ --original-lm-logs fp16/ --sensitive task --gate
      evenhand audit --bias-set crows_pairs=crows_pairs_anonymized.csv --model int8/ --original fp32/
    """
    from evenhand.cli.audit_summary import audit_lines, following
    from evenhand.cli.circumstances import with_circumstances
    from evenhand.declarations import read_declarations, with_declarations
    from evenhand.errors import InputError
    from evenhand.records import write_record

    if flags["model"] is not None and (flags["score"] is not None or flags["prediction"] is not None):
        raise InputError("--model and --score or --prediction are two ways to the decisions; give one of them.")
    logs = (lm_logs, original_lm_logs)
    _refuse_idle(data, table, logs, bias_set, flags["model"], keep_predictions)
    refuse_idle("--privacy", flags["privacy"], "exposed_rows")
    exposed: Any = flags["exposed_rows"]
    check_places(
        [output, keep_predictions, exposed and Path(exposed)],
        [data, flags.get("config"), *(flags[name] for name in FILES)],
    )
    keeping = _keeping(keep_predictions, row_key)
    policy = policy or (usual_policy() if gate else None)
    limits = None if policy is None else _limits(policy)
    declared = responsibility or usual_file(ANSWERS)
    answers = {} if declared is None else read_declarations(declared)
    settings = file_of(flags)
    scored = flags["model"] or flags["score"] or flags["original_score"] or settings.data.get("score")
    refuse_idle("--score", scored, "threshold", "score_kind")
    files, how = {name: flags.pop(name) for name in FILES}, opening(flags)
    scoring = {name: settings.data[name] for name in settings_of(Scoring) if name in settings.data}
    scoring |= said(flags, settings_of(Scoring))
    threshold, chosen = scoring.get("threshold"), {**settings.audit, **said(flags, OPTIONS), **_only(audits)}
    if table is not None:
        roles = {**role_values(settings, flags), "allow_repeated": allow_repeated}
        record = _counted(table, engine, threshold, roles, chosen)
    elif lm_logs is not None:
        record = _logged(logs, settings, flags, chosen)
    elif bias_set is not None:
        record = _biased(bias_set, files, settings, flags, chosen)
    elif files["model"] is None:
        record = _given(read_table(data, settings, flags), scoring, chosen, keeping)  # type: ignore[arg-type]
    else:
        if how["trust_pickle"]:
            say("--trust-pickle: loading a pickle can run any code on this machine.")
        record = _model(read_table(data, settings, flags), files, how, {**scoring, **chosen}, keeping)  # type: ignore[arg-type]
    if answers:
        record = with_declarations(record, answers)
    write_record(output, with_circumstances(record, policy))
    _warn(record)
    verdict = _judged(record, limits) if gate and limits is not None else None
    summarize(audit_lines(record, output), following(output, policy, verdict))
    return 0 if verdict is None else verdict.exit_code


def _place(name: object) -> Path | None:
    return None if name is None else Path(str(name))


def _only(audits: tuple[str, ...]) -> dict[str, object]:
    """Return the audits that were asked for, which may be written with commas between; nothing where none was."""
    from evenhand.audits import AUDITS

    names = [name for text in audits for name in text.split(",")]
    return {"audits": [*AUDITS.chosen(names)]} if names else {}


def _refuse_idle(
    data: Path | None, table: str | None, logs: tuple[Path | None, Path | None], bias_set: str | None, model: object,
    kept: Path | None,
) -> None:  # fmt: skip
    """Refuse what would have no effect, and two sources of the predictions."""
    if sum(each is not None for each in (data, table, logs[0], bias_set)) != 1:
        raise click.UsageError(
            "Name the file to audit, or --table for rows that are counted where they lie, or --lm-logs for the logs of "
            "a language model, or --bias-set for texts that it is asked about."
        )
    if table is not None and model is not None:
        raise click.UsageError("--table holds predictions. Score the rows first: evenhand score --help")
    if logs[0] is not None and model is not None:
        raise click.UsageError("--lm-logs holds the answers of a model; leave out --model.")
    if bias_set is not None and model is None:
        raise click.UsageError("--bias-set asks a language model: name its folder by --model.")
    refuse_idle("--lm-logs", logs[0], "original_lm_logs", *settings_of(LogReading))
    refuse_idle("--table", table, "engine", "allow_repeated")
    opened = ("trust_pickle", "trusted_types", "isolate", "model_signers")
    refuse_idle("--model", model, "original", "background", "privacy", *opened)
    refuse_idle("DATA", data, "keep_predictions", "score_kind")
    refuse_idle("--keep-predictions", kept, "row_key")


def _counted(
    table: str, engine: str | None, threshold: object, roles: dict[str, object], chosen: dict[str, object]
) -> AuditRecord:
    """Audit a table in the database, from its counts."""
    from evenhand.audits.from_tables import audit_table

    more = {} if threshold is None else {"threshold": threshold}
    with progress("Auditing") as step:
        return audit_table(table, engine=engine, progress=step, **roles, **more, **chosen)  # type: ignore[arg-type]


def _given(rows: EvaluationSet, scoring: Any, chosen: dict[str, object], keeping: Keeping | None) -> AuditRecord:
    """Audit decisions or scores in columns of the table."""
    from evenhand.audits import audit_given

    if rows.roles.prediction is None and rows.roles.score is None:
        raise click.UsageError(
            "Nothing says what was decided: name a column of decisions (--prediction) or scores (--score), or a model "
            "(--model)."
        )
    only: Any = chosen.pop("audits", None)
    with progress("Auditing") as step:
        return audit_given(rows, **scoring, settings=chosen, audits=only, keeping=keeping, progress=step)


def _logged(
    logs: tuple[Path | None, Path | None], settings: Settings, flags: dict[str, object], chosen: dict[str, object]
) -> AuditRecord:
    """Audit the logs of a language model."""
    from evenhand.audits.from_logs import audit_lm_logs

    how = {name: settings.data[name] for name in settings_of(LogReading) if name in settings.data}
    how |= said(flags, settings_of(LogReading))
    new, original = logs
    assert new is not None  # called with logs
    with progress("Auditing") as step:
        return audit_lm_logs(new, original, progress=step, **role_values(settings, flags), **how, **chosen)  # type: ignore[arg-type]


def _biased(
    named: str, files: dict[str, Any], settings: Settings, flags: dict[str, object], chosen: dict[str, object]
) -> AuditRecord:
    """Audit which texts of a bias set a language model finds likelier."""
    from evenhand.audits.from_bias_sets import audit_bias_set

    kind, sign, path = named.partition("=")
    if not (sign and path):
        raise click.UsageError(f"--bias-set '{named}' names no file; write SET=PATH, such as crows_pairs=pairs.csv.")
    for idle in ("background", "privacy"):
        if files[idle] is not None:
            raise click.UsageError(f"--{idle} has no use with --bias-set; leave it out.")
    more: dict[str, Any] = {**role_values(settings, flags), **chosen}
    with progress("Auditing") as step:
        return audit_bias_set(files["model"], path, kind, files["original"], progress=step, **more)


def _keeping(place: Path | None, key: Path) -> Keeping | None:
    if place is None:
        return None
    from evenhand.evidence.keeping import Keeping, check_keepable, row_key

    check_keepable(place)  # before a key is made for it
    return Keeping(place, row_key(key))


def _model(table: EvaluationSet, files: dict[str, Any], how: Any, chosen: Any, keeping: Keeping | None) -> AuditRecord:
    from evenhand.audits import audit
    from evenhand.compression import open_model
    from evenhand.data import read_evaluation_set

    model = open_model(files["model"], **how)
    original = files["original"] and open_model(files["original"], **how)
    background, members = (
        files[name] and read_evaluation_set(files[name], like=table) for name in ("background", "privacy")
    )
    with progress("Auditing") as step:
        # names and values come from files and flags, and are checked there
        searched = {"searched_files": [str(files["model"])], **chosen} if files["model"].is_file() else chosen
        more: dict[str, Any] = {"original": original, "background": background, "members": members, **searched}
        return audit(model, table, keeping=keeping, progress=step, **more)


def _limits(place: Path) -> Policy:
    """Read the policy before the work, so that one with a problem stops nothing half-way."""
    from evenhand.policy import load_policy

    return load_policy(place)


def _judged(record: AuditRecord, limits: Policy) -> Verdict:
    """Judge the record and print the verdict as the gate does."""
    from evenhand.cli.outputs import put
    from evenhand.policy import judge

    verdict = judge(record, limits)
    put(record, verdict, {"text": None})
    return verdict


def _warn(record: AuditRecord) -> None:
    seen = record.provenance.get("rows_seen_in_training")
    if seen:
        say(
            f"{seen:,} of the evaluation rows {'has' if seen == 1 else 'have'} an equal row among those the model was "
            "fitted on. Where they are the same cases, and not only alike, the audit flatters the model."
        )
    for said_of_rows in alarms(record.findings):
        say(said_of_rows)
    for found in record.findings:
        if found.key.metric == "attribution_error" and found.note:
            say(found.note)
