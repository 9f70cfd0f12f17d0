"""``evenhand audit``: measure, and judge nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.cli.console import progress, remark, say
from evenhand.cli.durations import seconds
from evenhand.cli.outputs import check_places
from evenhand.cli.roles import read_table, role_flags, role_values, settings_of

if TYPE_CHECKING:
    from evenhand.cli.settings import Settings
    from evenhand.data import EvaluationSet
    from evenhand.evidence.keeping import Keeping
    from evenhand.findings import AuditRecord

AUDIT_FLAGS = (
    "actionable",
    "adjust",
    "pooling",
    "slice_by",
    "level",
    "seed",
    "intersections",
    "explain",
    "explain_rows",
    "background_rows",
    "precise",
    "budget",
    "individuals",
    "show_values",
    "reason_reference",
    "footprint",
)

FILES = ("model", "original", "background")


@click.command(name="audit")
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option("--table", help="In place of DATA: predictions to count where they lie; a glob, or lake.duckdb::scored.")
@click.option("--engine", type=click.Choice(["duckdb", "polars", "spark"]), help="What counts --table.")
@click.option("--model", "-m", type=click.Path(path_type=Path), help="Model file: .safetensors, .onnx, .joblib.")
@click.option("--original", type=click.Path(path_type=Path), help="The model before compression, to compare with.")
@click.option("--background", type=click.Path(path_type=Path), help="Table to explain against, training rows say.")
@click.option("--prediction", help="Column with decisions, instead of a model.")
@click.option("--score", help="Column with scores, instead of a model.")
@click.option("--original-prediction", help="Column with the decisions of the model before compression.")
@click.option("--original-score", help="Column with the scores of the model before compression.")
@click.option("--score-kind", type=click.Choice(["probability", "ranking"]), help="What --score claims to be.")
@click.option("--threshold", type=float, help="A score at or above it is predicted positive.")
@role_flags
@click.option("--level", type=float, help="Confidence of the intervals (0.95).")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything drawn (0).")
@click.option(
    "--intersections", type=click.IntRange(min=1), help="How many sensitive features are crossed at most (2)."
)
@click.option("--explain/--no-explain", default=None, help="Compute SHAP values.")
@click.option("--explain-rows", type=click.IntRange(min=1), help="How many rows are explained (200).")
@click.option("--background-rows", type=click.IntRange(min=1), help="How many rows they are explained against (400).")
@click.option("--precise", is_flag=True, default=None, help="Explain until the sampling error is at most 1 %.")
@click.option("--budget", metavar="TIME", help="Time an explanation may take, such as 60s or 2m; it tells its error.")
@click.option(
    "--individuals",
    type=click.IntRange(min=0),
    multiple=True,
    help="Row, from 0, to explain by itself; may be repeated.",
)
@click.option("--show-values", is_flag=True, default=None, help="State the feature values of --individuals.")
@click.option(
    "--reason-reference", type=click.Choice(["mean", "at_threshold"]), help="What reasons are stated against (mean)."
)
@click.option("--adjust", type=click.Choice(["holm", "bh"]), help="How p-values of groups are adjusted (holm).")
@click.option(
    "--pooling/--no-pooling", default=None, help="State Bayesian, partly pooled rates beside the groups' own."
)
@click.option(
    "--slice-by", multiple=True, help="Searched for in subgroups: error_rate, recall, recall_difference[sex] ..."
)
@click.option("--actionable", multiple=True, help="Feature a person can change: income=increase; may be repeated.")
@click.option("--footprint/--no-footprint", default=None, help="Measure size and latency beside the original.")
@click.option(
    "--responsibility",
    type=click.Path(path_type=Path),
    help="What people declare of the model; responsibility.toml in this folder when not given.",
)
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    help="Put the hash of this policy on record: limits that were set before the audit. Nothing is judged.",
)
@click.option(
    "--keep-predictions",
    type=click.Path(path_type=Path),
    metavar="FILE.parquet",
    help="Keep each row's truth, score and groups in a private file, to pair rows with a later audit.",
)
@click.option(
    "--row-key",
    type=click.Path(path_type=Path),
    default=Path(".evenhand-row-key"),
    show_default=True,
    help="Secret that hides the rows in it; made where it is not there.",
)
@click.option("--trust-pickle", is_flag=True, help="Load a pickled model. It can run any code on this machine.")
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("audit.json"), show_default=True)
def command(
    data: Path | None,
    table: str | None,
    engine: str | None,
    output: Path,
    responsibility: Path | None,
    policy: Path | None,
    keep_predictions: Path | None,
    row_key: Path,
    trust_pickle: bool,
    **flags: object,
) -> None:
    """Measure a model, or given predictions, on DATA and write audit.json.

    \b
    Examples:
      evenhand audit test.parquet --model credit.safetensors --label approve --sensitive race -o audit.json
      evenhand audit scored.csv --label y --score p --threshold 0.5 --sensitive sex
      evenhand audit --table "scored/*.parquet" --label y --score p --sensitive sex
    """
    from evenhand.cli.circumstances import with_circumstances
    from evenhand.declarations import with_declarations
    from evenhand.errors import InputError
    from evenhand.records import write_record

    if flags["model"] is not None and (flags["score"] is not None or flags["prediction"] is not None):
        raise InputError("--model and --score or --prediction are two ways to the decisions; give one of them.")
    check_places([output, keep_predictions], [data, flags.get("config"), *(flags[name] for name in FILES)])
    keeping = _keeping(keep_predictions, row_key)
    answers = _answers(responsibility)
    settings = settings_of(flags)
    files = {name: flags.pop(name) for name in FILES}
    given = {name: flags.pop(name) for name in ("threshold", "score_kind")}
    chosen = _audit_settings(settings, flags)
    threshold = given["threshold"] if given["threshold"] is not None else settings.data.get("threshold")
    _one_source(data, table, files["model"])
    if table is not None:
        record = _counted(table, engine, threshold, role_values(settings, flags), chosen)
    elif files["model"] is None:
        kind = given["score_kind"] or settings.data.get("score_kind")
        record = _given(read_table(data, settings, flags), threshold, kind, chosen, keeping)  # type: ignore[arg-type]
    else:
        if trust_pickle:
            say("--trust-pickle: loading a pickle can run any code on this machine.")
        record = _model(read_table(data, settings, flags), files, threshold, trust_pickle, chosen, keeping)  # type: ignore[arg-type]
    if answers:
        record = with_declarations(record, answers)
    write_record(output, with_circumstances(record, policy))
    _tell(record, output)


def _one_source(data: Path | None, table: str | None, model: object) -> None:
    if (data is None) == (table is None):
        raise click.UsageError("Name the file to audit, or --table for rows that are counted where they lie.")
    if table is not None and model is not None:
        raise click.UsageError("--table holds predictions. Score the rows first: evenhand score --help")


def _counted(
    table: str, engine: str | None, threshold: object, roles: dict[str, object], chosen: dict[str, object]
) -> AuditRecord:
    """Audit rows where they lie, from their counts."""
    from inspect import signature

    from evenhand.audits.from_tables import audit_table
    from evenhand.errors import InputError

    known = signature(audit_table).parameters
    for name in roles:
        if name not in known:
            raise InputError(f"--table: rows that are only counted have no use for {name}; leave it away.")
    more = {} if threshold is None else {"threshold": threshold}
    with progress("Auditing") as step:
        return audit_table(table, engine=engine, progress=step, **roles, **more, **chosen)  # type: ignore[arg-type]


def _keeping(place: Path | None, key: Path) -> Keeping | None:
    if place is None:
        return None
    from evenhand.evidence.keeping import Keeping, check_keepable, row_key

    check_keepable(place)  # before a key is made for it
    return Keeping(place, row_key(key))


def _answers(named: Path | None) -> dict[str, str]:
    """Return what people declare of the model: of the file named, or of the one in this folder, if there is one."""
    from evenhand.declarations import read_declarations

    usual = Path("responsibility.toml")
    if named is None and not usual.exists():
        return {}
    return read_declarations(named or usual)


def _audit_settings(settings: Settings, flags: dict[str, object]) -> dict[str, object]:
    asked = {name: flags.pop(name) for name in AUDIT_FLAGS}
    asked["actionable"] = _actionable(asked["actionable"]) or None
    asked["individuals"] = asked["individuals"] or None
    asked["budget"] = None if asked["budget"] is None else seconds(str(asked["budget"]))
    # a flag that may be repeated is an empty tuple when it was not given
    return {**settings.audit, **{name: value for name, value in asked.items() if value not in (None, ())}}


def _actionable(said: object) -> dict[str, str]:
    """Read ``income=increase``; a name alone may move in any direction."""
    parts = [str(text).partition("=") for text in said] if isinstance(said, tuple) else []
    return {name: direction or "any" for name, _, direction in parts}


def _given(
    table: EvaluationSet, threshold: object, kind: object, chosen: dict[str, object], keeping: Keeping | None
) -> AuditRecord:
    from evenhand.audits import audit_given

    with progress("Auditing") as step:
        return audit_given(
            table,
            threshold=threshold,  # type: ignore[arg-type]
            score_kind=kind,  # type: ignore[arg-type]
            settings=chosen,
            keeping=keeping,
            progress=step,
        )


def _model(
    table: EvaluationSet,
    files: dict[str, object],
    threshold: object,
    trust_pickle: bool,
    chosen: dict[str, object],
    keeping: Keeping | None,
) -> AuditRecord:
    from evenhand.audits import audit
    from evenhand.compression import open_model
    from evenhand.data import read_evaluation_set
    from evenhand.subjects import as_subject

    positive = table.roles.positive
    model = open_model(files["model"], trust_pickle=trust_pickle, positive=positive)  # type: ignore[arg-type]
    if threshold is not None:
        model = as_subject(model, threshold=float(threshold))  # type: ignore[arg-type]
    original = files["original"] and open_model(files["original"], trust_pickle=trust_pickle, positive=positive)  # type: ignore[arg-type]
    background = files["background"] and read_evaluation_set(files["background"], like=table)
    with progress("Auditing") as step:
        return audit(
            model,
            table,
            original=original,
            background=background,  # type: ignore[arg-type]
            keeping=keeping,
            progress=step,
            **chosen,  # type: ignore[arg-type]  # names and values come from files and flags, and are checked there
        )


def _tell(record: AuditRecord, output: Path) -> None:
    seen = record.provenance.get("rows_seen_in_training")
    if seen:
        say(
            f"{seen:,} of the evaluation rows {'has' if seen == 1 else 'have'} an equal row among those the model was "
            "fitted on. Where they are the same cases, and not only alike, the audit flatters the model."
        )
    for section in record.sections:
        if not section.ran:
            remark(f"{section.audit}: not run. {section.reason}")
    remark(f"{len(record.findings):,} findings in {output}")
    sys.stdout.flush()
