"""Promote a model, and roll back: the link to the current release changes at once or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, OutputError, argument
from evenhand.monitoring.releasing.decisions import Decision, carried_out, now, read_decisions, write_decision
from evenhand.monitoring.releasing.release import (
    AUDIT,
    DECISION,
    MODEL,
    NAMED,
    POLICY,
    RELEASES,
    Release,
    as_line,
    read_release,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

LOCK: Final = ".releases.lock"
"""The file whose lock is held while releases change."""
PYPROJECT: Final = "pyproject.toml"
"""Where limits may be, too; it keeps its name, by which its table of them is read."""
BESIDE: Final = (".sig", ".rows.npy", ".cost.json")
"""Endings of files that belong to a model and are released with it."""
SCHEMA: Final = "schema.json"
"""What `evenhand export` writes beside a model, of its inputs and outputs; `evenhand serve` checks rows by it."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was decided, and what is deployed now.

    See Also
    --------
    evenhand.monitoring.releasing.promote : Makes one.
    """

    decision: Decision
    """The decision, as it is on record."""
    release: Release
    """What is deployed now."""


def promote(
    model: str | Path,
    audit: str | Path,
    policy: str | Path,
    link: str | Path,
    *,
    by: str,
    despite: str = "",
    facts: dict[str, object] | None = None,
) -> Promotion:
    """Release a model whose audit passes a policy, and make a link name the release.

    The release is a new folder ``releases/<sha>`` beside the link, with the model, its record, the policy and the
    decision; it is on the disk before the decision is on record, and that before the link changes. Whoever kills it
    leaves the link as it was or as it is to be, and the next act puts on record which.

    Parameters
    ----------
    model, audit, policy : paths
        The model's file, the record of its audit, and the limits.
    link : path
        The link that names the current release, such as ``deployed/current``; its folder must exist.
    by : str
        Who decides.
    despite : str
        Why it is released although its verdict is not "passed".
    facts : dict, optional
        What else goes on record.

    Returns
    -------
    Promotion

    Raises
    ------
    InputError
        When the record is of another model, or the verdict is not "passed" and no reason is given; a refusal for the
        verdict is put on record.
    OutputError
        When something cannot be written, or another process is at it; nothing has changed then.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit
    >>> data = eh.load_loanapp()
    >>> model = fit(data, config=TrainingConfig(epochs=1, hidden=(4,)))
    >>> model.save("credit.safetensors")
    >>> eh.write_record("audit.json", eh.audit(model, data, audits="performance"))
    >>> _ = Path("policy.toml").write_text("[limits.accuracy]\\nat_least = 0.5\\n")
    >>> Path("deployed").mkdir()
    >>> done = promote("credit.safetensors", "audit.json", "policy.toml", "deployed/current", by="eva")
    >>> done.decision.verdict, read_release("deployed/current").sha256 == done.decision.model
    ('passed', True)
    """
    from evenhand.policy import judge, load_policy
    from evenhand.records import digest, read_record
    from evenhand.subjects.model_file import file_facts

    _check_by(by)
    place, held = Path(model), Path(link)
    sha = str(file_facts(place)["sha256"])
    record, limits = read_record(audit), load_policy(policy)
    refuse_other_model(record, sha, audit, place)
    verdict = judge(record, limits)
    with changing(held) as folder:
        current = _current(held)
        decision = Decision(
            "promote", now(), by, sha, None if current is None else current.sha256, verdict.status, despite,
            f"{MODEL}{place.suffix}", digest(record), limits.sha256, dict(facts or {}),  # type: ignore[arg-type]
        )  # fmt: skip
        _refuse_verdict(folder, decision, verdict, despite)
        if current is not None and current.sha256 == sha:
            raise InputError(f"{link}: this model is deployed already.")
        _write_release(folder, decision, place, Path(audit), Path(policy))
        write_decision(folder, decision)
        _point(held, sha)
        return Promotion(decision, read_release(held))


def rollback(link: str | Path, *, by: str, reason: str = "") -> Promotion:
    """Make a link name the release before the current one; a second time, the one before that.

    Parameters
    ----------
    link : path
        The link that names the current release.
    by : str
        Who decides.
    reason : str
        Why.

    Returns
    -------
    Promotion

    Raises
    ------
    InputError
        When there is no release before, or it is no longer whole.
    OutputError
        When something cannot be written, or another process is at it; nothing has changed then.

    Examples
    --------
    >>> Path("releases_of").mkdir()
    >>> rollback("releases_of/current", by="eva")
    Traceback (most recent call last):
    ...
    evenhand.errors.InputError: releases_of/current: there is no release before the current one to roll back to.
    """
    _check_by(by)
    held = Path(link)
    with changing(held) as folder:
        models = carried_out(read_decisions(folder))
        if len(models) < 2:
            raise InputError(f"{link}: there is no release before the current one to roll back to.")
        former = read_release(folder / RELEASES / models[-2][:NAMED])
        decision = Decision("rollback", now(), by, former.sha256, models[-1], None, reason, former.model.name)
        write_decision(folder, decision)
        _point(held, former.sha256)
        return Promotion(decision, read_release(held))


def refuse_other_model(record: AuditRecord, sha: str, audit: str | Path, model: Path) -> None:
    """Raise InputError unless a record is of the model with this hash."""
    told = record.provenance.get("subject", {}).get("sha256")
    if told != sha:
        known = "does not say of which file it is" if told is None else f"is of sha256 {str(told)[:NAMED]}"
        raise InputError(
            f"{audit}: this record {known}, and {model} is {sha[:NAMED]}. Audit this model: evenhand audit --model "
            f"{model}"
        )


@contextmanager
def changing(link: Path) -> Iterator[Path]:
    """Hold the lock of the releases beside a link for the block, and give their folder.

    What was decided and not carried out, by a process that was killed, is put on record first.
    """
    from evenhand.output.folders import sweep_folders
    from evenhand.output.locking import locked

    folder = link.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"{link}: the folder '{folder}' does not exist. Make it first, or choose another place.")
    if link.exists() and not link.is_symlink():
        raise OutputError(f"{link}: this is no link, and is not replaced. Move it away, or choose another place.")
    with locked(folder / LOCK):
        sweep_folders(folder / RELEASES)
        _settle(folder, link)
        yield folder


def _settle(folder: Path, link: Path) -> None:
    """Put on record where the last decision was not carried out: the link still names what it named before."""
    models = carried_out(decisions := read_decisions(folder))
    if not models or (here := _named(link)) == models[-1][:NAMED]:
        return
    last = next(each for each in reversed(decisions) if each.act in ("promote", "rollback", "interrupted"))
    stayed = "" if last.before is None else last.before
    if last.act == "interrupted" or here != (stayed[:NAMED] or None):
        raise InputError(
            f"{link}: it names {here or 'nothing'}, and by {folder / 'decisions.jsonl'} it was last made to name "
            f"{models[-1][:NAMED]}. Somebody changed it by hand: make it name {RELEASES}/{models[-1][:NAMED]} again."
        )
    told = f"the {last.act} of {last.model[:NAMED]} was decided and not carried out"
    write_decision(folder, Decision("interrupted", now(), "evenhand", stayed, last.model, None, told))


def _named(link: Path) -> str | None:
    return link.readlink().name if link.is_symlink() else None


def _current(link: Path) -> Release | None:
    return read_release(link) if link.is_symlink() else None


def _check_by(by: str) -> None:
    if not by.strip():
        raise InputError(f"{argument('by')}: say who decides; it goes on record.")


def _refuse_verdict(folder: Path, decision: Decision, verdict: Verdict, despite: str) -> None:
    """Put a refusal on record and raise, unless the verdict is passed or a reason is given."""
    from dataclasses import replace

    if verdict.status == "passed" or despite.strip():
        return
    write_decision(folder, replace(decision, act="refuse", reason=_why(verdict)))
    raise InputError(
        f"The verdict is {verdict.status}, so this model is not promoted. To release it all the same, give the reason, "
        f"which goes on record: {argument('despite')}"
    )


def _why(verdict: Verdict) -> str:
    """Return the first limit that stops the release, in words."""
    stopping = next((each for each in verdict.judgements if each.stops), None)
    return verdict.status if stopping is None else f"{stopping.key}: {stopping.reason}"


def _write_release(folder: Path, decision: Decision, model: Path, audit: Path, policy: Path) -> None:
    from evenhand.documents import read_bytes
    from evenhand.output.folders import write_folder
    from evenhand.subjects.model_file import read_model_file

    place = folder / RELEASES / decision.model[:NAMED]
    _make(folder / RELEASES)
    if place.exists():
        read_release(place)  # whole, of an earlier promotion
        return
    more = {
        f"{decision.file}{ending}": beside.read_bytes()
        for ending in BESIDE
        if (beside := model.with_name(model.name + ending)).is_file()
    }
    schema = model.with_name(SCHEMA)
    if schema.is_file():
        more |= _schema(read_bytes(schema), model)
    signature = audit.with_name(audit.name + ".sig")
    if signature.is_file():
        more[f"{AUDIT}.sig"] = signature.read_bytes()
    write_folder(
        place,
        {
            decision.file: read_model_file(model),
            AUDIT: read_bytes(audit),
            (policy.name if policy.name == PYPROJECT else POLICY): read_bytes(policy),
            DECISION: (as_line(decision.to_plain()) + "\n").encode(),
            **more,
        },
    )


def _schema(content: bytes, model: Path) -> dict[str, bytes]:
    """Return the schema of an export to be kept beside its model; nothing of one that is of another file."""
    from evenhand.documents import parse_json

    told = parse_json(content, model.with_name(SCHEMA))
    return {SCHEMA: content} if isinstance(told, dict) and told.get("model") == model.name else {}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as wrong:
        raise OutputError(f"{folder}: cannot be made: {wrong.strerror or wrong}.") from None


def _point(link: Path, sha: str) -> None:
    from evenhand.output.folders import replace_link

    replace_link(link, f"{RELEASES}/{sha[:NAMED]}")
