"""The way back: a candidate learnt from the log, audited beside the deployed model, judged, and promoted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from evenhand.errors import InputError, ModelError, argument
from evenhand.monitoring.releasing.decisions import Decision, now, write_decision
from evenhand.monitoring.releasing.labelled import LABEL, labelled_rows, rows_of
from evenhand.monitoring.releasing.promoting import changing, promote
from evenhand.monitoring.releasing.release import AUDIT, MODEL, POLICY, read_release

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from evenhand.data import EvaluationSet
    from evenhand.findings import AuditRecord, Plain
    from evenhand.monitoring.releasing.labelled import Labelled
    from evenhand.monitoring.releasing.promoting import Promotion
    from evenhand.policy import Verdict
    from evenhand.subjects import Subject

LEAST: Final = 20
"""Rows of each part that are needed; an audit of fewer says nothing."""


NO_OPTIONS: Final = ("audits", "options", "keeping", "background", "members")
"""Arguments of an audit that are no single options."""


@dataclass(frozen=True, slots=True)
class Retrained:
    """A candidate, what its audit found beside the deployed model, and what was decided.

    See Also
    --------
    evenhand.monitoring.releasing.retrain : Makes one.
    """

    model: Path
    """The candidate's file."""
    audit: Path
    """The record of its audit, in which the deployed model is the original."""
    record: AuditRecord
    """The same record."""
    verdict: Verdict
    """What the policy says of it."""
    labelled: Labelled
    """How many rows of the log had a label."""
    trained_on: int
    """Rows that it learnt from."""
    audited_on: int
    """Later rows that it was audited on."""
    decision: Decision
    """What is on record."""
    promotion: Promotion | None = None
    """The promotion, where it was asked for and the verdict is passed."""


def retrain(
    log: pd.DataFrame,
    deployed: str | Path,
    policy: str | Path,
    output: str | Path,
    *,
    by: str,
    train_table: pd.DataFrame | None = None,
    like: str | Path | None = None,
    audit_share: float = 0.3,
    seed: int = 0,
    release: bool = False,
    trust_pickle: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    **settings: object,
) -> Retrained:
    """Fit the deployed model's recipe on the labelled rows of its log, audit it on the latest, judge it, and promote.

    The rows are split by time: the candidate learns from the earlier ones, and is audited, beside the deployed model,
    on the later ones.

    Parameters
    ----------
    log : DataFrame
        As `evenhand.monitoring.log.log_table` gives it.
    deployed : path
        The link to the current release.
    policy : path
        The limits.
    output : path
        A new folder for the candidate, its record and the policy.
    by : str
        Who decides.
    train_table : DataFrame, optional
        Rows to learn from beside those of the log, such as those of the first fit; none of them is audited on.
    like : path, optional
        A model by whose recipe the candidate is fitted, where the deployed one keeps none: the network that a
        compressed model was made from.
    audit_share : float
        Share of the labelled rows, the latest, that the candidate is audited on.
    seed : int
        Of the fit and of the audit.
    release : bool
        Whether a candidate that passes is promoted.
    trust_pickle : bool
        Whether a deployed pickle is opened.
    progress : callable, optional
        Called as ``progress(step, steps, text)``.
    **settings
        Options of the audit, such as ``explain=False``.

    Returns
    -------
    Retrained

    Raises
    ------
    InputError, ModelError, OutputError
        When the log, the release or the model cannot be used; nothing is promoted then.

    Examples
    --------
    >>> import pandas as pd
    >>> retrain(pd.DataFrame(), "nowhere/current", "policy.toml", "candidate", by="eva")
    Traceback (most recent call last):
    ...
    evenhand.errors.InputError: nowhere/current: there is no such release. evenhand promote makes one.
    """
    from evenhand.audits import audit
    from evenhand.compression import open_model
    from evenhand.output.folders import check_new_folder, write_folder
    from evenhand.policy import judge, load_policy
    from evenhand.records import digest, read_record, write_record

    _check(by, audit_share, settings)
    check_new_folder(output)
    now_deployed, limits = read_release(deployed), load_policy(policy)
    record = read_record(now_deployed.audit)
    opened = open_model(now_deployed.model, trust_pickle=trust_pickle, isolate=False)
    recipe = opened if like is None else open_model(like, trust_pickle=trust_pickle, isolate=False)
    labelled = labelled_rows(log, record)
    earlier, later = _parts(labelled, record, features_of(recipe), audit_share, train_table)
    candidate = _refitted(recipe, earlier, seed)
    place, content = Path(output), saved(candidate)
    file = f"{MODEL}{content[0]}"
    write_folder(place, {file: content[1], **content[2], POLICY: Path(policy).read_bytes()})
    made = open_model(place / file, trust_pickle=True, isolate=False)  # written a moment ago, by this process
    options: Any = {"seed": seed, **settings}
    found = audit(made, later, original=opened, progress=progress, **options)
    found = with_provenance(found, labelled, len(earlier), now_deployed.sha256)
    write_record(place / AUDIT, found)
    verdict = judge(found, limits)
    facts: dict[str, Any] = {
        **labelled.to_plain(), "trained_on": len(earlier), "audited_on": len(later), "seed": seed,
        "beside_the_log": 0 if train_table is None else len(train_table),
    }  # fmt: skip
    decision = Decision(
        "retrain", now(), by, str(made.facts["sha256"]), now_deployed.sha256, verdict.status,
        "a candidate was fitted from the log", file, digest(found), limits.sha256, facts,
    )  # fmt: skip
    with changing(Path(deployed)) as folder:
        write_decision(folder, decision)
    done = Retrained(place / file, place / AUDIT, found, verdict, labelled, len(earlier), len(later), decision)
    if not (release and verdict.status == "passed"):
        return done
    promotion = promote(done.model, done.audit, policy, deployed, by=by, facts=facts)
    return replace(done, promotion=promotion)


def features_of(model: Subject) -> tuple[str, ...]:
    """Return the columns that a model reads.

    Raises ModelError when it does not name any.
    """
    told = model.facts.get("features")
    if not isinstance(told, list) or not told:
        raise ModelError(f"'{model.name}' names no columns that it reads; a log holds the columns of a table.")
    return tuple(map(str, told))


def saved(model: Any) -> tuple[str, bytes, dict[str, bytes]]:
    """Return the ending, the bytes and the files beside it of a candidate."""
    import tempfile

    if hasattr(model, "estimator") and not hasattr(model, "content"):
        import io

        import joblib

        held = io.BytesIO()
        joblib.dump(model.estimator, held)
        return ".joblib", held.getvalue(), {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"{MODEL}.safetensors"
        model.save(place)
        beside = {each.name: each.read_bytes() for each in Path(folder).iterdir() if each != place}
        return ".safetensors", place.read_bytes(), beside


def with_provenance(record: AuditRecord, labelled: Labelled, trained_on: int, deployed: str) -> AuditRecord:
    """Return the record with where its rows come from."""
    told: dict[str, Plain] = {**labelled.to_plain(), "trained_on": trained_on, "deployed": deployed}
    data = {**record.provenance.get("data", {}), "retrained_from_log": told}
    return replace(record, provenance=cast("Any", {**record.provenance, "data": data}))


def _parts(
    labelled: Labelled, record: AuditRecord, features: tuple[str, ...], share: float, beside: pd.DataFrame | None
) -> tuple[EvaluationSet, EvaluationSet]:
    """Return the earlier rows, with those beside the log, and the later ones."""
    import pandas as pd

    absent = [column for column in features if column not in labelled.frame.columns]
    if absent:
        raise InputError(
            f"The log does not hold {', '.join(map(repr, absent))}, which the model reads. Keep these inputs in "
            "the log."
        )
    cut = len(labelled.frame) - round(len(labelled.frame) * share)
    earlier, later = labelled.frame.iloc[:cut], labelled.frame.iloc[cut:]
    if len(later):  # rows of one moment are not parted
        earlier = earlier[earlier["time"] < later["time"].iloc[0]]
        later = labelled.frame.iloc[len(earlier) :]
    if beside is not None:
        _refuse_without(beside, (*features, str(record.provenance.get("data", {}).get("label") or LABEL)))
        earlier = pd.concat([beside, earlier], ignore_index=True)
    if len(earlier) < LEAST or len(later) < LEAST:
        raise InputError(
            f"{len(earlier):,} rows to learn from and {len(later):,} later ones to audit are too few; {LEAST} of each "
            "are the least. Wait for more labels, or give the rows of the first fit to learn from beside them."
        )
    return (
        rows_of(earlier, "the log (earlier)", record, features),
        rows_of(later.reset_index(drop=True), "the log (later)", record, features),
    )


def _refuse_without(beside: pd.DataFrame, needed: tuple[str, ...]) -> None:
    """Raise InputError where the rows beside the log lack columns."""
    absent = [column for column in dict.fromkeys(needed) if column not in beside.columns]
    if absent:
        raise InputError(
            f"{argument('train_table')}: it has no column {', '.join(map(repr, absent))}, and the model is fitted on "
            "these. Give the rows with all columns, or leave them out."
        )


def _refitted(model: Any, rows: EvaluationSet, seed: int) -> Subject:
    history = getattr(model, "history", {})
    config = history.get("config", {}) if isinstance(history, dict) else {}
    if isinstance(config, dict) and config.get("epsilon") is not None:
        raise ModelError(
            f"'{model.name}' was fitted with differential privacy, and its noise would follow from the seed here: "
            "train the candidate with evenhand train, audit it, and promote it."
        )
    refit = getattr(model, "refit", None)
    if not callable(refit):
        raise ModelError(
            f"'{getattr(model, 'name', model)}' keeps no recipe to be fitted again. Name the model that it was made "
            f"from: {argument('like')}"
        )
    return cast("Subject", refit(rows, seed))


def _check(by: str, share: float, settings: Mapping[str, Any]) -> None:
    problems = []
    if not by.strip():
        problems.append(f"{argument('by')}: say who decides; it goes on record.")
    if not 0 < share < 1:
        problems.append(f"{argument('audit_share', share)}: a share between 0 and 1 is needed, such as 0.3.")
    if problems:
        raise InputError(*problems)
    _check_audits(settings)


def _check_audits(settings: Mapping[str, Any]) -> None:
    """Raise InputError for names of audits, or of their options, that there are none of: an audit comes after a fit."""
    from evenhand.audits import AUDITS
    from evenhand.audits.arguments import sorted_out
    from evenhand.audits.auditing import chosen_options
    from evenhand.audits.options import options

    AUDITS.chosen(settings.get("audits") or ())
    single = {name: value for name, value in settings.items() if name not in NO_OPTIONS}
    chosen_options(settings.get("options"), sorted_out(single, {*options(), *AUDITS})[2])
