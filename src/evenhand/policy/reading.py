"""policy.toml: read whole, with every problem told at once."""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Final, cast

from evenhand.errors import PolicyError, did_you_mean, shorten
from evenhand.keys import Key, KeySyntaxError
from evenhand.metrics import canonical, names
from evenhand.policy.limits import Effect, Limit, Policy, Waiver

TABLES: Final = ("schema", "defaults", "limits", "waivers")
EFFECTS: Final = ("stop", "warn", "pass")
DEFAULTS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "confidence": (int, float),
    "undecided": str,
    "undefined": str,
    "missing": str,
    "failing_bound": str,
    "minimum_group_size": int,
}
LIMIT: Final[Mapping[str, type | tuple[type, ...]]] = {
    "at_most": (int, float),
    "at_least": (int, float),
    "max_drop": (int, float),
    "advisory": bool,
    "undecided": str,
    "undefined": str,
    "missing": str,
    "note": str,
}
WAIVER: Final[Mapping[str, type | tuple[type, ...]]] = {
    "limit": str,
    "reason": str,
    "owner": str,
    "approved_by": str,
    "expires": date,
    "accept_to": (int, float),
}
SCHEMA_VERSION: Final = 1
_QUOTED: Final = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY_LINE: Final = re.compile(rf"^\s*(?:(?P<key>{_QUOTED})\s*=|\[limits\.(?P<table>{_QUOTED})\])")

Content = Mapping[str, object]


def load_policy(source: str | Path | Content) -> Policy:
    """Read a policy from a TOML file or from plain data of the same shape.

    Raises
    ------
    PolicyError
        All problems together, each with its place and the way out.
    """
    if isinstance(source, Mapping):
        text = json.dumps(source, sort_keys=True, default=str)
        return _build(source, "policy", hashlib.sha256(text.encode()).hexdigest())
    place = Path(source)
    try:
        raw = place.read_bytes()
    except FileNotFoundError:
        raise PolicyError(f"{place}: there is no such file. Make one with: evenhand init") from None
    except OSError as wrong:
        raise PolicyError(f"{place}: cannot be read: {wrong.strerror or wrong}.") from None
    try:
        content: Content = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise PolicyError(f"{place}: this is no TOML: {wrong}") from None
    if place.name == "pyproject.toml":
        content = _of_pyproject(content, place)
    policy = _build(content, place.name, hashlib.sha256(raw).hexdigest())
    lines = key_lines(raw.decode("utf-8"))
    limits = tuple(replace(limit, line=lines.get(str(limit.key), 0)) for limit in policy.limits)
    return replace(policy, limits=limits, path=_shown(place))


def _of_pyproject(content: Content, place: Path) -> Content:
    """Return the table ``[tool.evenhand]``."""
    tool = content.get("tool")
    table = tool.get("evenhand") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise PolicyError(f"{place}: there is no [tool.evenhand] in it. Write one, or name a policy.toml.")
    return table


def key_lines(text: str) -> dict[str, int]:
    """Return the line, from 1, on which each limit's key stands: ``"key" = ...`` or ``[limits."key"]``."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        written = _KEY_LINE.match(line)
        if written is None:
            continue
        try:
            (key,) = tomllib.loads(f"{written['key'] or written['table']} = 0")
            found.setdefault(str(_canonical(key)), number)
        except (tomllib.TOMLDecodeError, KeySyntaxError, ValueError):
            continue  # a line of another table, or inside a text
    return found


def _shown(place: Path) -> str:
    """Return the path from the folder of work when it lies below it, else the file's name: no path of a machine."""
    try:
        return place.resolve().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return place.name


def _build(content: Content, name: str, sha256: str) -> Policy:
    problems = list(_problems(content, name))
    if problems:
        raise PolicyError(*problems)
    defaults = cast("Content", content.get("defaults", {}))
    limits = cast("Mapping[str, Content]", content.get("limits", {}))
    waivers = cast("list[Content]", content.get("waivers", []))
    return Policy(
        tuple(limit for key, values in limits.items() for limit in _limits(_canonical(key), {**defaults, **values})),
        confidence=float(cast("float", defaults.get("confidence", 0.95))),
        failing_bound=defaults.get("failing_bound", "simultaneous"),  # type: ignore[arg-type]  # checked above
        minimum_group_size=cast("int", defaults.get("minimum_group_size", 0)),
        waivers=tuple(_waiver(values) for values in waivers),
        name=name,
        sha256=sha256,
    )


def _canonical(text: str) -> Key:
    key = Key.parse(text)
    return key.renamed(canonical(key.metric) or key.metric)


def _limits(key: Key, values: Content) -> Iterator[Limit]:
    """Yield the limit on the value and, where asked for, the one on how much worse it became."""
    if "at_most" in values or "at_least" in values:
        yield _limit(key, values)
    if "max_drop" in values:
        own = {name: value for name, value in values.items() if name not in ("at_most", "at_least")}
        yield replace(_limit(key, {**own, "at_most": values["max_drop"]}), against="baseline")


def _limit(key: Key, values: Content) -> Limit:
    def number(name: str) -> float | None:
        return float(cast("float", values[name])) if name in values else None

    def effect(name: str) -> Effect:
        return cast("Effect", values.get(name, "stop"))

    return Limit(
        key,
        number("at_most"),
        number("at_least"),
        advisory=bool(values.get("advisory", False)),
        undecided=effect("undecided"),
        undefined=effect("undefined"),
        missing=effect("missing"),
        note=str(values.get("note", "")),
    )


def _waiver(values: Content) -> Waiver:
    accept = values.get("accept_to")
    return Waiver(
        _canonical(str(values["limit"])),
        str(values["reason"]),
        str(values["owner"]),
        cast("date", values["expires"]),
        str(values.get("approved_by", "")),
        None if accept is None else float(cast("float", accept)),
    )


def _problems(content: Content, name: str) -> Iterator[str]:
    for table in content:
        if table not in TABLES:
            yield f"{name}: there is no '{table}' in a policy.{did_you_mean(table, TABLES)}"
    version = content.get("schema", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        yield f"{name}: schema = {version!r}; this evenhand reads schema {SCHEMA_VERSION}."
    yield from _default_problems(content.get("defaults", {}), name)
    yield from _limits_problems(content.get("limits", {}), name)
    yield from _waivers_problems(content, name)


def _default_problems(defaults: object, name: str) -> Iterator[str]:
    if not isinstance(defaults, Mapping):
        yield f"{name}: [defaults] must be a table."
        return
    yield from _fields(defaults, DEFAULTS, f"{name}: defaults")
    confidence = defaults.get("confidence", 0.95)
    if isinstance(confidence, (int, float)) and not 0.5 < confidence < 1:
        yield f"{name}: defaults.confidence is {confidence}; it must lie between 0.5 and 1, such as 0.95."
    bound = defaults.get("failing_bound", "simultaneous")
    if bound not in ("simultaneous", "unadjusted"):
        yield f'{name}: defaults.failing_bound is {bound!r}; it must be "simultaneous" or "unadjusted".'


def _limits_problems(limits: object, name: str) -> Iterator[str]:
    if not isinstance(limits, Mapping):
        yield f"{name}: [limits] must be a table."
        return
    seen: dict[str, str] = {}
    for text, values in limits.items():
        where = f'{name}: limits."{shorten(text)}"'
        yield from _key_problems(text, where)
        yield from _limit_problems(values, where)
        yield from _repeated(text, where, seen)
    if not any(isinstance(values, Mapping) and not values.get("advisory", False) for values in limits.values()):
        yield f"{name}: no limit of it is blocking, so it gates nothing. Give it a limit without advisory = true."


def _repeated(text: str, where: str, seen: dict[str, str]) -> Iterator[str]:
    try:
        key = str(_canonical(text))
    except KeySyntaxError:
        return
    if key in seen:
        yield f'{where}: the same finding as limits."{shorten(seen[key])}". Keep one of both.'
    seen.setdefault(key, text)


def _key_problems(text: str, where: str) -> Iterator[str]:
    try:
        key = Key.parse(text)
    except KeySyntaxError as wrong:
        yield f"{where}: {wrong}"
        return
    if canonical(key.metric) is None:
        yield f"{where}: no such metric.{did_you_mean(key.metric, names())} See: evenhand list metrics"


def _limit_problems(values: object, where: str) -> Iterator[str]:
    if not isinstance(values, Mapping):
        yield f"{where}: a limit is a table such as {{ at_most = 0.1 }}."
        return
    yield from _fields(values, LIMIT, where)
    given = [name for name in ("at_most", "at_least", "max_drop") if name in values]
    if not given or {"at_most", "at_least"} <= set(given):
        yield f"{where}: give either at_most or at_least, or max_drop."
    drop = values.get("max_drop")
    if isinstance(drop, (int, float)) and drop < 0:
        yield f"{where}: max_drop is {drop}; it says how much worse the value may be, so it is 0 or above."


def _waivers_problems(content: Content, name: str) -> Iterator[str]:
    waivers = content.get("waivers", [])
    if not isinstance(waivers, list):
        yield f"{name}: waivers are written [[waivers]]."
        return
    limits = content.get("limits", {})
    known = (
        {str(_canonical(text)) for text in limits if not list(_key_problems(text, ""))}
        if isinstance(limits, Mapping)
        else set()
    )
    for position, waiver in enumerate(waivers, 1):
        where = f"{name}: waiver {position}"
        yield from _fields(waiver, WAIVER, where)
        absent = [field for field in ("limit", "reason", "owner", "expires") if field not in waiver]
        if absent:
            yield f"{where}: {', '.join(absent)} must be given."
        elif not list(_key_problems(str(waiver["limit"]), where)) and str(_canonical(waiver["limit"])) not in known:
            yield f"{where}: there is no limit '{shorten(waiver['limit'])}'.{did_you_mean(waiver['limit'], known)}"


def _fields(values: Mapping[str, object], known: Mapping[str, type | tuple[type, ...]], where: str) -> Iterator[str]:
    for field, value in values.items():
        if field not in known:
            yield f"{where}: knows no '{field}'.{did_you_mean(field, known)}"
        elif not _fits(value, known[field]):
            yield f"{where}: {field} = {value!r} has the wrong type."
        elif field in ("undecided", "undefined", "missing") and value not in EFFECTS:
            yield f"{where}: {field} is {value!r}; it must be one of {', '.join(EFFECTS)}."


def _fits(value: object, kind: type | tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if isinstance(value, datetime):
        return False
    return isinstance(value, kind)
