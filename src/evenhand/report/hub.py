"""Publish to the Hugging Face Hub: the model card with results in a repository's README, page and record beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import InputError, need, shorten
from evenhand.output.writing import write_text
from evenhand.report.rendering import publication, render
from evenhand.report.tracked import FOLDER, tracked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

CARD: Final = "README.md"
BEGIN, END = "<!-- evenhand: written anew by each audit -->", "<!-- /evenhand -->"
"""What is between these is evenhand's part of a card that people wrote."""


def merged_card(card: str, existing: str = "") -> str:
    """Return a card with another's part of a README in it: people's text and metadata stay, results are renewed.

    Parameters
    ----------
    card : str
        The card of an audit, as ``evenhand.render(record, verdict, "model-card")`` gives it.
    existing : str
        The README that is there. Its metadata take precedence; results of the same metric on data of the same name
        are replaced, and so is the part of its text that an earlier audit wrote; a first one is added at the end.

    Raises
    ------
    InputError
        When the metadata of the README cannot be read.
    """
    hub: Any = need("huggingface_hub", "hub")
    new = hub.ModelCard(card)
    if not existing.strip():
        return str(new)
    try:
        old = hub.ModelCard(existing)
    except ValueError as wrong:
        raise InputError(f"{CARD}: its metadata cannot be read: {shorten(wrong, 200)}") from None
    results = [*_others(old.data.eval_results or (), new.data.eval_results or ()), *(new.data.eval_results or ())]
    for name, value in new.data.to_dict().items():
        if name in ("tags", "metrics"):
            old.data[name] = list(dict.fromkeys([*(old.data.get(name) or ()), *value]))
        elif name != "model-index" and not old.data.get(name):
            old.data[name] = value
    if results:
        old.data.eval_results = results
        old.data.model_name = getattr(old.data, "model_name", None) or new.data.model_name
    old.text = _with_part(old.text, re.sub(r"^(#+ )", r"#\1", new.text.strip(), flags=re.MULTILINE))
    return str(old)


def save_for_hub(
    folder: str | Path, record: AuditRecord, verdict: Verdict | None = None, **look: Any
) -> tuple[Path, ...]:
    """Write the card into a local copy of a repository, with the page and the record in the folder ``evenhand``.

    Parameters
    ----------
    folder : path
        The copy; a ``README.md`` in it is kept and completed.
    record : AuditRecord
    verdict : Verdict, optional
    **look
        The look of the page: ``lang``, ``suppress_below``, ``template_dir``, ``assets``.

    Returns
    -------
    tuple of Path
        The files that were written.

    Examples
    --------
    >>> import evenhand as eh
    >>> files = save_for_hub(".", eh.audit_predictions([1, 0, 1, 1], [1, 0, 0, 1]))
    >>> sorted(file.name for file in files)
    ['README.md', 'audit.json', 'report.html']
    """
    place = Path(folder)
    held = place / CARD
    existing = held.read_text("utf-8") if held.is_file() else ""
    files = _files(record, verdict, existing, look)
    (place / FOLDER).mkdir(exist_ok=True)
    for name, text in files.items():
        write_text(place / name, text)
    return tuple(place / name for name in files)


def push_to_hub(
    repo_id: str,
    record: AuditRecord,
    verdict: Verdict | None = None,
    *,
    revision: str | None = None,
    create_pr: bool = False,
    token: str | None = None,
    **look: Any,
) -> str:
    """Add card, page and record to a model's repository on the hub, in one commit.

    Parameters
    ----------
    repo_id : str
        ``OWNER/NAME`` of a repository that exists: evenhand makes none, and so never makes a model public.
    record : AuditRecord
    verdict : Verdict, optional
    revision : str, optional
        The branch; ``main`` when absent.
    create_pr : bool
        Whether to open a pull request instead of committing.
    token : str, optional
        The token; that of ``hf auth login`` when absent.
    **look
        The look of the page: ``lang``, ``suppress_below``, ``template_dir``, ``assets``.

    Returns
    -------
    str
        The address of the commit, or of the pull request.

    Raises
    ------
    MissingExtraError
        When huggingface_hub is absent.
    InputError
        When there is no such repository, or it may not be written to.
    """
    hub: Any = need("huggingface_hub", "hub")
    errors: Any = need("huggingface_hub.errors", "hub")
    api = hub.HfApi(token=token)
    try:
        files = _files(record, verdict, _readme(api, errors, repo_id, revision), look)
        added = [hub.CommitOperationAdd(name, text.encode("utf-8", "backslashreplace")) for name, text in files.items()]
        done = api.create_commit(
            repo_id, added, commit_message="Add an audit by evenhand", revision=revision, create_pr=create_pr
        )
    except (errors.HfHubHTTPError, errors.HFValidationError) as wrong:
        raise InputError(f"{shorten(repo_id)}: the hub refused: {shorten(wrong, 300)}") from None
    return str(done.pr_url or done.commit_url)


def _readme(api: Any, errors: Any, repo_id: str, revision: str | None) -> str:
    """Return the text of the repository's README, empty where it has none."""
    try:
        place = api.hf_hub_download(repo_id, CARD, revision=revision)
    except errors.EntryNotFoundError:
        return ""
    return Path(place).read_text("utf-8")


def _files(record: AuditRecord, verdict: Verdict | None, existing: str, look: dict[str, Any]) -> dict[str, str]:
    told = tracked(record, verdict, **look)
    below = look.get("suppress_below")
    if below is not None:
        record, verdict = publication(record, verdict, below, look.get("since"))
    card = render(record, verdict, "model-card")
    return {CARD: merged_card(card, existing)} | {f"{FOLDER}/{name}": text for name, text in told.files.items()}


def _others(old: Iterable[Any], new: Iterable[Any]) -> list[Any]:
    """Return the results that no new one replaces: of another task, metric or data."""
    known = {_about(result) for result in new}
    return [result for result in old if _about(result) not in known]


def _about(result: Any) -> tuple[object, ...]:
    return result.task_type, result.dataset_type, result.dataset_name, result.metric_type, result.metric_config


def _with_part(text: str, part: str) -> str:
    """Return a text with evenhand's part renewed, or added at its end."""
    whole = f"{BEGIN}\n{part}\n{END}"
    before, begun, rest = text.partition(BEGIN)
    if not begun:
        return f"{text.rstrip()}\n\n{whole}\n"
    return f"{before}{whole}{rest.partition(END)[2]}"
