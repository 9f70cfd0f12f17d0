"""What trackers of experiments and model hubs get of an audit: figures, limits, tags and files, the same for all."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.policy.wording import limit_text
from evenhand.records import digest
from evenhand.report.rendering import publication, render, style_file
from evenhand.report.reported import main_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from evenhand.findings import AuditRecord, Finding
    from evenhand.keys import Key
    from evenhand.policy import Judgement, Verdict

FOLDER: Final = "evenhand"
LONGEST: Final = 200
"""Characters of a name: MLflow allows 250, and the ends of an interval need some."""
COLUMNS: Final = ("limit", "bound", "status", "stops", "waived", "measured", "low", "high", "rows", "why")
"""The columns of the table of limits."""
Cell: TypeAlias = "str | float | bool | None"


@dataclass(frozen=True, slots=True)
class Tracked:
    """An audit as a tracker keeps it."""

    metrics: Mapping[str, float]
    """Figures by name, ``evenhand.recall.race-black``, with ``.low`` and ``.high`` for the ends of the interval."""
    limits: Sequence[tuple[Cell, ...]]
    """A row for each judged limit, worst first, with the cells of `COLUMNS`; none without a policy."""
    tags: Mapping[str, str]
    """The verdict, the hash of the policy, the digest of the record and evenhand's version."""
    files: Mapping[str, str]
    """The page and the record, and the page's style where it is a file of its own, as text by name."""


def tracked(
    record: AuditRecord,
    verdict: Verdict | None = None,
    *,
    everything: bool = False,
    lang: str = "en",
    suppress_below: int | None = None,
    since: AuditRecord | Sequence[AuditRecord] | None = None,
    template_dir: str | Path | None = None,
    assets: Literal["inline", "external"] = "inline",
) -> Tracked:
    """Return what a tracker gets of an audit.

    Parameters
    ----------
    record : AuditRecord
    verdict : Verdict, optional
        Its findings are first among the figures; its limits and its status are told.
    everything : bool
        Whether every finding over all rows, every disparity and every judged finding is a figure, which may be a
        thousand; else about twenty are: those with limits, the metrics of the task, the gaps between groups.
    lang, suppress_below, since, template_dir, assets
        The look of the page, as for `evenhand.write_report`; a copy for publication has no other figures either.

    Examples
    --------
    >>> import evenhand as eh
    >>> record = eh.audit_predictions([1, 0] * 50, [1, 0] * 50)
    >>> sorted(tracked(record).files)
    ['audit.json', 'report.html']
    """
    if suppress_below is not None:
        record, verdict = publication(record, verdict, suppress_below, since)
    sheet = {} if assets == "inline" else {"report.css": style_file(template_dir)}
    page = render(record, verdict, lang=lang, template_dir=template_dir, stylesheet="report.css" if sheet else "")
    chosen = list(_everything(record, verdict)) if everything else main_figures(record, verdict)
    return Tracked(
        metrics=dict(figures(chosen)),
        limits=() if verdict is None else tuple(map(_row, verdict.judgements)),
        tags=_tags(record, verdict),
        files={"report.html": page, "audit.json": render(record, None, "json"), **sheet},
    )


def figures(findings: Sequence[Finding]) -> Iterator[tuple[str, float]]:
    """Yield the estimate of each finding, and the ends of its interval, with their names."""
    for finding in findings:
        if finding.estimate is None:
            continue
        name = metric_name(finding.key)
        yield name, float(finding.estimate)
        if finding.interval is not None:
            for word, end in (("low", finding.interval.low), ("high", finding.interval.high)):
                if end is not None:
                    yield f"{name}.{word}", float(end)


def metric_name(key: Key) -> str:
    """Return a unique name for a finding's key; without slashes, which MLflow's file store turns into folders.

    Examples
    --------
    >>> from evenhand.keys import Key
    >>> metric_name(Key.of("recall", {"race": "black"}))
    'evenhand.recall.race-black'
    """
    parts = [key.metric, *(f"{f.column}-{f.group}" if f.group is not None else f.column for f in key.features)]
    parts += [f"{name}-{value}" for name, value in key.qualifiers]
    plain = ".".join(re.sub(r"[^\w -]", "_", part).strip() or "_" for part in parts)
    if plain == ".".join(parts) and len(plain) < LONGEST:
        return f"{FOLDER}.{plain}"
    mark = hashlib.sha256(str(key).encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{FOLDER}.{plain[:LONGEST]}-{mark}"


def _everything(record: AuditRecord, verdict: Verdict | None) -> Iterator[Finding]:
    """Yield the findings that are judged, over all rows, or disparities: not every metric of every group."""
    judged = [j.finding for j in verdict.judgements if j.finding is not None] if verdict is not None else []
    others = [finding for finding in record.findings if not finding.key.group and not finding.key.qualifiers]
    yield from {finding.key: finding for finding in (*others, *judged)}.values()


def _row(judgement: Judgement) -> tuple[Cell, ...]:
    finding = judgement.finding
    interval = finding.interval if finding is not None else None
    return (
        str(judgement.key), str(limit_text(judgement.limit)), judgement.status, judgement.stops, judgement.waived,
        None if finding is None else finding.estimate, None if interval is None else interval.low,
        None if interval is None else interval.high, None if finding is None else float(finding.support),
        str(judgement.sentence),
    )  # fmt: skip


def _tags(record: AuditRecord, verdict: Verdict | None) -> dict[str, str]:
    told = {"audit_digest": digest(record), "version": record.provenance.get("versions", {}).get("evenhand", "")}
    if verdict is not None:
        told |= {"verdict": verdict.status, "policy_sha256": verdict.policy_sha256, "sentence": str(verdict.sentence)}
    return {name: text for name, text in told.items() if text}
