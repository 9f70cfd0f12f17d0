"""Audit the logs of a language model, and of its original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.audits.from_predictions import audit_given
from evenhand.data.lm_logs.graded import read_lm_logs
from evenhand.data.lm_logs.samples import LogReading
from evenhand.data.reading import chosen_settings
from evenhand.data.roles import Roles, RoleSettings
from evenhand.settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from evenhand.audits.auditing import Progress
    from evenhand.audits.options import AuditOptions
    from evenhand.findings import AuditRecord


def audit_lm_logs(
    logs: str | Path,
    original: str | Path | None = None,
    *,
    name: str | None = None,
    audits: str | Iterable[str] | None = None,
    options: AuditOptions | None = None,
    progress: Progress | None = None,
    **settings: object,
) -> AuditRecord:
    """Audit the answers of a language model by its logs, paired with those of its original where they are given.

    Answers are paired by task, document and epoch; those to one document are one cluster, so that epochs are not
    counted as independent rows.

    Parameters
    ----------
    logs : path
        A folder, or a file, of lm-evaluation-harness (``samples_*.jsonl``) or of Inspect (``.eval``, ``.json``).
    original : path, optional
        The same of the model before compression; changes are then stated, too.
    name : str, optional
        Name of the answers in sentences; the path by default.
    audits : name or names, optional
        Which audits to run; all of them when absent.
    options : AuditOptions, optional
        Options of the audit; single options may be given as keywords.
    progress : callable, optional
        Called before each audit as ``progress(step, steps, name)``.
    **settings
        ``sensitive_features`` and ``control_features``: ``task`` (when absent, and there are several), ``suite``, or
        a field of the documents; ``cluster``; what answers count (``lm_metric``, ``lm_filter``, ``lm_right_at``,
        ``lm_unscored``, ``lm_other_settings``); ``missing``, ``bins``; and options of the audit.

    Returns
    -------
    AuditRecord
        Of ``accuracy``, and with an original of ``accuracy_change[;of=original]``, ``negative_flip_rate[;of=original]``
        and ``positive_flip_rate[;of=original]``, for all answers and by group.

    Raises
    ------
    InputError
        When there are no logs, answers have no score, scores are no grades, or the two logs cannot be paired.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> import evenhand as eh
    >>> folder = Path(tempfile.mkdtemp())
    >>> for model, right in (("old", 80), ("new", 70)):
    ...     (folder / model).mkdir()
    ...     rows = [{"doc_id": n, "doc": {"q": n}, "metrics": ["acc"], "acc": float(n < right)} for n in range(100)]
    ...     _ = (folder / model / "samples_arc.jsonl").write_text("".join(json.dumps(row) + chr(10) for row in rows))
    >>> record = eh.audit_lm_logs(folder / "new", folder / "old")
    >>> round(record["accuracy_change[;of=original]"].estimate, 3)
    -0.1
    """
    how = LogReading().updated({each: settings.pop(each) for each in settings_of(LogReading) if each in settings})
    given = {key: settings.pop(key) for key in RoleSettings.__annotations__ if key in settings}
    roles, reading = chosen_settings(given)
    data = read_lm_logs(logs, original, roles=Roles().updated(roles), reading=reading, how=how, name=name)
    return audit_given(data, options=options, settings=settings, audits=audits, progress=progress)
