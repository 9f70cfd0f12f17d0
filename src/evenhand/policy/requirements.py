"""What a record must be for its figures to count: the table ``[require]`` of a policy, as limits on facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.errors import did_you_mean, quoted, shorten
from evenhand.keys import Feature, Key
from evenhand.policy.bounds import is_finite
from evenhand.policy.limits import REQUIRED, Limit, Wanted
from evenhand.policy.waiving import is_blank

if TYPE_CHECKING:
    from evenhand.policy.placing import Written

Content = Mapping[str, object]
Kind: TypeAlias = Literal["names", "text", "hash", "rows", "level", "yes", "signers"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One entry of ``[require]``."""

    kind: Kind
    """What its value is."""
    meaning: str
    """What it demands, in one line."""


REQUIREMENTS: Final[Mapping[str, Requirement]] = {
    "signature": Requirement("signers", "The record is signed by a key that the allowed signers' file names."),
    "sensitive_features": Requirement("names", "These are compared; none may be left out of an audit."),
    "label": Requirement("text", "The column with the truth."),
    "positive": Requirement("text", "The label's value that counts as positive."),
    "model": Requirement("hash", "The sha256 of the audited model's file."),
    "data": Requirement("hash", "The hash of the contents of the evaluation rows."),
    "rows": Requirement("rows", "At least so many rows."),
    "rows_per_group": Requirement("rows", "At least so many rows in each group of each sensitive feature."),
    "level": Requirement("level", "The confidence of the record's intervals is at least this."),
    "no_repeated_ids": Requirement("yes", "No row's id appears twice."),
    "no_lookalike_groups": Requirement("yes", "No two groups have names that look alike."),
    "derived": Requirement("yes", "Every finding that a limit is judged on follows from the record's counts."),
}
"""What can be required, in the order in which it is judged."""


def requirements(table: Content, written: Written) -> tuple[Limit, ...]:
    """Return the requirements of a table that was checked, as limits with keys such as ``required[rows]``."""
    return tuple(
        Limit(
            Key(REQUIRED, (Feature(name),)),
            required=True,
            wanted=_wanted(table[name], REQUIREMENTS[name].kind),
            line=written.line("require", name),
        )
        for name in REQUIREMENTS
        if name in table
    )


def requirement_problems(table: object, defaults: object, written: Written) -> Iterator[str]:
    """Yield the problems of the table, each with its place and what to write."""
    if not isinstance(table, Mapping):
        yield f"{written.at('require')}: [require] must be a table."
        return
    for name, value in table.items():
        where = f"{written.at('require', str(name))}: require.{shorten(name)}"
        known = REQUIREMENTS.get(name)
        if known is None:
            yield f"{where}: nothing of that name can be required.{did_you_mean(name, REQUIREMENTS)}"
        elif not KINDS[known.kind][0](value):
            yield f"{where} is {quoted(value)}; it must be {KINDS[known.kind][1]}."
    yield from _level_problems(table.get("level"), defaults, written)


def _level_problems(level: object, defaults: object, written: Written) -> Iterator[str]:
    judged = defaults.get("confidence", 0.95) if isinstance(defaults, Mapping) else 0.95
    if is_finite(level) and is_finite(judged) and judged < level:  # type: ignore[operator]  # numbers, they are finite
        yield (
            f"{written.at('require', 'level')}: require.level is {level}, and the limits are judged at {judged}. "
            f"Write confidence = {level} in [defaults]."
        )


def _are_names(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or not value:
        return False
    texts = [part for part in value if isinstance(part, str) and part.strip()]
    return len(texts) == len(value) == len(set(texts))


def _wanted(value: object, kind: Kind) -> Wanted:
    if isinstance(value, (list, tuple)):
        return tuple(sorted(map(str, value)))
    assert isinstance(value, (str, int, float))  # the table was checked
    return value.lower() if kind == "hash" and isinstance(value, str) else value


def _is_text(value: object) -> bool:
    return is_finite(value) or (isinstance(value, str) and bool(value))


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value.lower()) <= set("0123456789abcdef")


def _is_rows(value: object) -> bool:
    return isinstance(value, int) and is_finite(value) and value >= 1


def _is_level(value: object) -> bool:
    return isinstance(value, (int, float)) and is_finite(value) and 0.5 < value < 1


def _is_signer(value: object) -> bool:
    return value is True or (isinstance(value, str) and not is_blank(value)) or _are_names(value)


KINDS: Final[Mapping[Kind, tuple[Callable[[object], bool], str]]] = {
    "names": (_are_names, 'a list of names, such as ["race", "sex"]'),
    "text": (_is_text, 'a value as the record has it, such as 1 or "yes"'),
    "hash": (_is_hash, "64 hexadecimal digits, as audit.json has them in its provenance"),
    "rows": (_is_rows, "a number of rows, 1 or above"),
    "level": (_is_level, "a number between 0.5 and 1, such as 0.95"),
    "yes": (lambda value: value is True, "true; leave it out where it is not required"),
    "signers": (_is_signer, 'true, or the name of a signer, or a list of names such as ["model-risk@example.org"]'),
}
"""Of each kind of value what is one, and how it is written."""
