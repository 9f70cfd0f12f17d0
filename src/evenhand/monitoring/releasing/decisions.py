"""Every decision about releases, in order: a line of JSON each, which is on the disk before anything changes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from evenhand.errors import InputError
from evenhand.monitoring.releasing.release import as_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from evenhand.findings import Plain

DECISIONS: Final = "decisions.jsonl"
"""The file of decisions, beside the link."""
Act: TypeAlias = Literal["promote", "rollback", "retrain", "refuse", "interrupted"]
"""What was decided: a release, a step back, a candidate that was made and not released, a promotion that was refused,
and that the decision before was never carried out."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision.

    See Also
    --------
    evenhand.monitoring.releasing.read_decisions : Reads all of them.
    """

    act: Act
    """What was decided."""
    time: str
    """When, in UTC."""
    by: str
    """Who decided, as they say."""
    model: str
    """The sha256 of the model that it is about; of an interrupted one, of the model that stayed."""
    before: str | None = None
    """The sha256 of the model that was deployed before; None where there was none."""
    verdict: str | None = None
    """What the policy said of it: passed, failed or undecided."""
    reason: str = ""
    """Why, in words: of a promotion despite its verdict, what was given for it."""
    file: str = ""
    """The name of the model's file."""
    audit: str | None = None
    """The digest of the record that was judged."""
    policy: str | None = None
    """The sha256 of the policy."""
    facts: Mapping[str, Plain] = field(default_factory=dict)
    """What else is known, such as the rows a candidate was made of."""

    def to_plain(self) -> dict[str, Plain]:
        """Return the decision as plain data."""
        return cast("dict[str, Plain]", {**asdict(self), "facts": dict(self.facts)})


def now() -> str:
    """Return this moment, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_decision(folder: Path, decision: Decision) -> None:
    """Add a decision to those of a folder, and wait until it is on the disk.

    Raises OutputError when it cannot be written.
    """
    from evenhand.output.folders import append_line

    append_line(folder / DECISIONS, as_line(decision.to_plain()))


def read_decisions(folder: str | Path) -> tuple[Decision, ...]:
    """Return all decisions about the releases of a folder, the oldest first; none where there is no file of them.

    A last line without an end, of a writer that was killed, is no decision.

    Parameters
    ----------
    folder : str or Path
        The folder that the link to the current release is in.

    Raises
    ------
    InputError
        When a line is none, with its number.

    Examples
    --------
    >>> read_decisions(".")
    ()
    """
    from pathlib import Path

    from evenhand.documents import read_bytes

    place = Path(folder) / DECISIONS
    if not place.exists():
        return ()
    lines = read_bytes(place).split(b"\n")[:-1]
    return tuple(_decision(line, f"{place}: line {number}") for number, line in enumerate(lines, start=1))


def _decision(line: bytes, where: str) -> Decision:
    from evenhand.documents import parse_json

    said: Any = parse_json(line, where)
    known = {each.name for each in fields(Decision)}
    if not isinstance(said, dict) or not {"act", "time", "by", "model"} <= said.keys() <= known:
        raise InputError(f"{where}: this is no decision. Restore the file from a copy; nothing was changed.")
    return Decision(**said)


def carried_out(decisions: Sequence[Decision]) -> list[str]:
    """Return the models that were deployed one after another and not rolled back, the last of which is deployed now.

    Examples
    --------
    >>> steps = [("promote", "a"), ("promote", "b"), ("rollback", "a"), ("promote", "c"), ("interrupted", "a")]
    >>> carried_out([Decision(act, "", "", model) for act, model in steps])
    ['a']
    """
    models: list[str] = []
    before: list[str] = []
    for each in decisions:
        if each.act == "interrupted":
            models = before
        elif each.act == "promote":
            before, models = models, [*models, each.model]
        elif each.act == "rollback":
            before, models = models, models[:-1]
    return models
