"""Read policy.toml with its rule packs, and report all problems at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from evenhand.documents import check_plain, parse_toml, read_bytes
from evenhand.errors import PolicyError
from evenhand.messages import message
from evenhand.policy.checking import TABLES, content_problems, gates_nothing, waiver_problems
from evenhand.policy.extending import read_packs
from evenhand.policy.limits import DECLARED, Effect, Limit, Over, Policy, Waiver
from evenhand.policy.matching import canonical_key
from evenhand.policy.placing import Written, lines_of
from evenhand.policy.requirements import requirements

if TYPE_CHECKING:
    from datetime import date

    from evenhand.keys import Key
    from evenhand.policy.extending import Packs

Content = Mapping[str, object]

PYPROJECT: Final = "pyproject.toml"
TOOL: Final = ("tool", "evenhand")


def load_policy(source: str | Path | Content) -> Policy:
    """Read a policy from a TOML file or from plain data of the same shape.

    Parameters
    ----------
    source : path or mapping
        A policy.toml; a pyproject.toml, whose table ``[tool.evenhand]`` is read; the content of one; or its limits
        alone, ``{"accuracy": {"at_least": 0.7}}``. Rule packs in files are looked for next to the policy, for a
        mapping in the working directory.

    Returns
    -------
    Policy

    Raises
    ------
    PolicyError
        All problems together, each with its place and the fix.

    Examples
    --------
    >>> import evenhand as eh
    >>> policy = eh.load_policy({"limits": {"recall_difference[sex]": {"at_most": 0.1}, "accuracy": {"at_least": 0.8}}})
    >>> [str(limit.key) for limit in policy.limits]
    ['recall_difference[sex]', 'accuracy']
    """
    if not isinstance(source, (Mapping, str, Path)):
        raise PolicyError(
            f"A policy is its file, or its limits such as {{'accuracy': {{'at_least': 0.7}}}}, and no "
            f"{type(source).__name__}."
        )
    if isinstance(source, Mapping):
        check_plain(source, "policy", kind=PolicyError)
        source = {"limits": source} if _are_limits(source) else source
        text = json.dumps(source, sort_keys=True, default=str)
        return _build(source, Written("policy"), text.encode(), Path())
    place = Path(source)
    raw = read_bytes(place, kind=PolicyError, make="evenhand init")
    content: Content = parse_toml(raw, place, kind=PolicyError)
    text = raw.decode("utf-8-sig")
    below = TOOL if place.name == PYPROJECT else ()
    if below:
        content = _of_pyproject(content, place)
    policy = _build(content, Written(place.name, lines_of(text, below)), raw, place.parent)
    return replace(policy, path=_shown(place))


def _are_limits(source: Content) -> bool:
    """Whether a mapping is of limits alone: its names are no tables of a policy, its values hold none.

    A bare number is taken for a limit, too, so that the error says what a limit is.
    """
    values = list(source.values())
    return bool(values) and all(map(_may_be_limit, values)) and not set(source) & set(TABLES)


def _may_be_limit(value: object) -> bool:
    if isinstance(value, Mapping):
        return not any(isinstance(part, Mapping) for part in value.values())
    return isinstance(value, (int, float))


def read_policy(text: str, name: str = "policy.toml", folder: Path | None = None) -> Policy:
    """Read a policy from the text of a policy.toml; its problems have the lines of that text.

    Parameters
    ----------
    text : str
    name : str
        What its problems call it.
    folder : path, optional
        Where rule packs in files are looked for; without it, none is read.

    Raises
    ------
    PolicyError
        All problems together, each with its place and the fix.
    """
    content: Content = parse_toml(text.encode(), name, kind=PolicyError)
    return _build(content, Written(name, lines_of(text)), text.encode(), folder)


def _of_pyproject(content: Content, place: Path) -> Content:
    """Return the table ``[tool.evenhand]``."""
    tool = content.get("tool")
    table = tool.get("evenhand") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise PolicyError(f"{place}: there is no [tool.evenhand] in it. Write one, or name a policy.toml.")
    return table


def _shown(place: Path) -> str:
    """Return the path relative to the root of its repository, as pipelines need it wherever the command is run.

    Outside a repository, relative to the working directory if it is below it, else the file name: no absolute path.
    """
    try:
        whole = place.resolve()
        root = next((folder for folder in whole.parents if (folder / ".git").exists()), Path.cwd())
        return whole.relative_to(root).as_posix()
    except (ValueError, OSError, RuntimeError):
        return place.name


def _build(content: Content, written: Written, raw: bytes, folder: Path | None) -> Policy:
    packs = read_packs(content.get("extends", []), written, folder)
    problems = [*content_problems(content, written), *packs.problems]
    own = content.get("limits", {})
    if isinstance(own, Mapping) and not packs.problems:
        problems += gates_nothing([*own.values(), *(values for _, _, values in packs.limits)], written)
    limits = None if problems else tuple(_all_limits(content, packs, written))
    required = () if problems else requirements(cast("Content", content.get("require", {})), written)
    waived = None if limits is None else (*limits, *required)
    problems += waiver_problems(content.get("waivers", []), waived, written)
    if limits is None or problems:
        raise PolicyError(*problems)
    defaults = cast("Content", content.get("defaults", {}))
    return Policy(
        limits,
        confidence=float(cast("float", defaults.get("confidence", 0.95))),
        failing_bound=defaults.get("failing_bound", "simultaneous"),  # type: ignore[arg-type]  # checked above
        family=defaults.get("family", "limit"),  # type: ignore[arg-type]  # checked above
        minimum_group_size=cast("int", defaults.get("minimum_group_size", 0)),
        waivers=tuple(_waiver(values) for values in cast("list[Content]", content.get("waivers", []))),
        name=written.name,
        sha256=_hash(raw, packs.hashes),
        extends=tuple(packs.names),
        requirements=required,
        help_url=str(defaults.get("help_url", "")),
    )


def _hash(raw: bytes, others: list[str]) -> str:
    """Return the sha256 of the file; with rule packs, of all the hashes."""
    own = hashlib.sha256(raw).hexdigest()
    return hashlib.sha256("\n".join((own, *others)).encode()).hexdigest() if others else own


def _all_limits(content: Content, packs: Packs, written: Written) -> Iterator[Limit]:
    """Yield every limit, those of packs first; of two on the same findings the stricter one, or both."""
    defaults = cast("Content", content.get("defaults", {}))
    own = cast("Mapping[str, Content]", content.get("limits", {}))
    found: list[Limit] = []
    for origin, text, values in packs.limits:
        line = written.line("extends", origin)  # a rule pack's notes are translated, too
        for limit in _limits(text, {**defaults, **values}):
            note = message(limit.note) if limit.note else ""
            found = _with(found, replace(limit, origin=origin, line=line, note=note))
    for text, values in own.items():
        for limit in _limits(text, {**defaults, **values}):
            found = _with(found, replace(limit, line=written.line("limits", text)))
    yield from found


def _with(found: list[Limit], limit: Limit) -> list[Limit]:
    """Return the limits with one more, without those that it makes superfluous; a laxer one loosens nothing."""
    rivals = [other for other in found if (other.key, other.over) == (limit.key, limit.over)]
    kept = [other for other in found if other not in rivals or not limit.is_as_strict_as(other)]
    covered = any(other.is_as_strict_as(limit) for other in rivals if other in kept)
    return kept if covered else [*kept, limit]


def _limits(text: str, values: Content) -> Iterator[Limit]:
    """Yield the limit on the value and the one on its regression, for each way of applying it."""
    key = canonical_key(text)
    named = values.get("over", "")
    for over in cast("list[Over]", named if isinstance(named, list) else [named]):
        yield from _of_values(replace(_limit(key, values), over=over), values)


def _of_values(limit: Limit, values: Content) -> Iterator[Limit]:
    if limit.required or limit.at_most is not None or limit.at_least is not None:
        yield limit
    if "max_drop" in values:
        yield replace(limit, at_least=None, at_most=float(cast("float", values["max_drop"])), against="baseline")


def _limit(key: Key, values: Content) -> Limit:
    def number(name: str) -> float | None:
        return float(cast("float", values[name])) if name in values else None

    def effect(name: str) -> Effect:
        return cast("Effect", values.get(name, "stop"))

    return Limit(
        key,
        number("at_most"),
        number("at_least"),
        required=bool(values.get("required", False)),
        advisory=bool(values.get("advisory", False)),
        undecided=effect("undecided"),
        undefined=effect("undefined"),
        missing=effect("missing"),
        always_valid=bool(values.get("always_valid", False)) and key.metric != DECLARED,
        note=str(values.get("note", "")),
        help_url=str(values.get("help_url", "")),
        controls=tuple(cast("list[str]", values.get("controls", []))),
    )


def _waiver(values: Content) -> Waiver:
    accept = values.get("accept_to")
    return Waiver(
        canonical_key(str(values["limit"])),
        str(values["reason"]),
        str(values["owner"]),
        cast("date", values["expires"]),
        str(values.get("approved_by", "")),
        None if accept is None else float(cast("float", accept)),
        cast("date | None", values.get("starts")),
    )
