"""Check a policy: each problem is a sentence with its place, the value and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, get_args

from evenhand.errors import did_you_mean, quoted, shorten
from evenhand.keys import Feature, Key, KeySyntaxError
from evenhand.metrics import canonical, names
from evenhand.metrics.catalogue.names import split_name
from evenhand.policy.bounds import accepted_problems, bound_problems, is_finite
from evenhand.policy.limits import DECLARED, REQUIRED, Effect, Over
from evenhand.policy.matching import canonical_key, covers, own_key
from evenhand.policy.requirements import requirement_problems
from evenhand.policy.waiving import LONGEST, is_blank

if TYPE_CHECKING:
    from evenhand.policy.limits import Limit
    from evenhand.policy.placing import Written

Content = Mapping[str, object]
Kinds = Mapping[str, type | tuple[type, ...]]

TABLES: Final = ("schema", "extends", "defaults", "require", "limits", "waivers", "custom_metrics")
EFFECTS: Final[tuple[str, ...]] = get_args(Effect)
OVERS: Final = tuple(word for word in get_args(Over) if word)
NUMBER: Final = (int, float)
DEFAULTS: Final[Kinds] = {
    "confidence": NUMBER, "undecided": str, "undefined": str, "missing": str, "failing_bound": str,
    "family": str, "minimum_group_size": int, "help_url": str, "always_valid": bool,
}  # fmt: skip
LIMIT: Final[Kinds] = {
    "at_most": NUMBER, "at_least": NUMBER, "max_drop": NUMBER, "required": bool, "over": (str, list), "advisory": bool,
    "undecided": str, "undefined": str, "missing": str, "note": str, "help_url": str, "controls": list,
    "always_valid": bool,
}  # fmt: skip
WAIVER: Final[Kinds] = {
    "limit": str, "reason": str, "owner": str, "approved_by": str, "starts": date, "expires": date,
    "accept_to": NUMBER,
}  # fmt: skip
ADDRESS: Final = re.compile(r"https?://[!-~]+")
"""An address as other tools may open it: printable ASCII, as RFC 3986 asks."""
SCHEMA_VERSION: Final = 1


def content_problems(content: Content, written: Written) -> Iterator[str]:
    """Yield the problems of the policy itself, apart from its rule packs and waivers."""
    for table in content:
        if table not in TABLES:
            yield f"{written.at(table)}: there is no '{table}' in a policy.{did_you_mean(table, TABLES)}"
    version = content.get("schema", SCHEMA_VERSION)
    if isinstance(version, bool) or version != SCHEMA_VERSION:
        yield f"{written.at('schema')}: schema = {version!r}; this evenhand reads schema {SCHEMA_VERSION}."
    custom = content.get("custom_metrics", [])
    if not _texts(custom):
        yield f'{written.at("custom_metrics")}: custom_metrics is a list of names, such as ["g_mean"].'
        custom = []
    yield from _default_problems(content.get("defaults", {}), written)
    yield from requirement_problems(content.get("require", {}), content.get("defaults", {}), written)
    yield from limits_problems(content.get("limits", {}), written, custom)  # type: ignore[arg-type]  # texts, checked


def gates_nothing(limits: Iterable[object], written: Written) -> Iterator[str]:
    """Yield the problem of a policy without a blocking limit."""
    if all(isinstance(values, Mapping) and values.get("advisory", False) for values in limits):
        yield (
            f"{written.at('limits')}: no limit of it is blocking, so it gates nothing. Give it a limit without "
            "advisory = true."
        )


def limits_problems(
    limits: object, written: Written, custom: Iterable[str] = (), *, sense: bool = True
) -> Iterator[str]:
    """Yield the problems of a table of limits; with `sense` also of those that cannot fail or be met."""
    if not isinstance(limits, Mapping):
        yield f"{written.at('limits')}: [limits] must be a table."
        return
    known = set(custom)
    seen: dict[tuple[str, str], str] = {}
    for text, values in limits.items():
        where = f'{written.at("limits", text)}: limits."{shorten(text)}"'
        yield from _key_problems(text, where, known)
        yield from _limit_problems(text, values, where)
        if sense and isinstance(values, Mapping):
            yield from bound_problems(text, values, where)
        yield from _repeated(text, values, where, seen)


def waiver_problems(waivers: object, limits: Iterable[Limit] | None, written: Written) -> Iterator[str]:
    """Yield the problems of the waivers of these limits; None when the limits themselves cannot be read."""
    if not isinstance(waivers, list):
        yield f"{written.at('waivers')}: waivers are written [[waivers]]."
        return
    judged = None if limits is None else tuple(limits)
    seen: list[tuple[Key, date, date, int]] = []
    for position, waiver in enumerate(waivers, 1):
        where = f"{written.at('waivers', str(position))}: waiver {position}"
        if not isinstance(waiver, Mapping):
            yield f"{where}: waivers are written [[waivers]]."
            continue
        yield from _fields(waiver, WAIVER, where)
        absent = [field for field in ("limit", "reason", "owner", "expires") if field not in waiver]
        if absent:
            yield f"{where}: {', '.join(absent)} must be given."
        if isinstance(waiver.get("limit"), str):
            yield from _waived_problems(waiver["limit"], judged, where)
            yield from accepted_problems(waiver["limit"], waiver.get("accept_to"), where)
            yield from _twice(waiver, where, position, seen)
        yield from _blank_problems(waiver, where)
        yield from _span_problems(waiver, where)


def _blank_problems(waiver: Content, where: str) -> Iterator[str]:
    asked = {
        "reason": "why it is accepted",
        "owner": "who answers for it",
        "approved_by": "who approved it, or nothing",
    }
    for field, said in asked.items():
        value = waiver.get(field)
        if isinstance(value, str) and is_blank(value):
            yield f"{where}: {field} is blank ({shorten(ascii(value))}). Write {said}."


def _twice(waiver: Content, where: str, position: int, seen: list[tuple[Key, date, date, int]]) -> Iterator[str]:
    """Yield the problem of a waiver of a limit that another waives on the same days."""
    starts, expires = waiver.get("starts", date.min), waiver.get("expires", date.max)
    if not _fits(starts, date) or not _fits(expires, date):
        return
    try:
        key = canonical_key(str(waiver["limit"]))
    except KeySyntaxError:
        return
    assert isinstance(starts, date)  # they fit
    assert isinstance(expires, date)
    for other, first, last, at in seen:
        if other == key and starts <= last and first <= expires:
            yield f"{where}: the same limit on the same days as waiver {at}. Keep one of both."
    seen.append((key, starts, expires, position))


def _waived_problems(text: str, limits: tuple[Limit, ...] | None, where: str) -> Iterator[str]:
    try:
        key = canonical_key(text)
    except KeySyntaxError as wrong:
        yield f"{where}: {wrong}"
        return
    if limits is not None and not any(covers(limit, key) for limit in limits):
        known = [str(own_key(limit)) for limit in limits]
        yield f"{where}: there is no limit '{shorten(text)}'.{did_you_mean(text, known)}"


def _span_problems(waiver: Content, where: str) -> Iterator[str]:
    starts, expires = waiver.get("starts"), waiver.get("expires")
    if not _fits(starts, date) or not _fits(expires, date):
        return
    assert isinstance(starts, date)  # they fit
    assert isinstance(expires, date)
    if expires < starts:
        yield f"{where}: it starts on {starts} and expires before, on {expires}."
    elif expires - starts > LONGEST:
        days = (expires - starts).days
        yield f"{where}: it holds for {days} days; the longest is {LONGEST.days}. What is accepted for ever is a limit."


def _default_problems(defaults: object, written: Written) -> Iterator[str]:
    if not isinstance(defaults, Mapping):
        yield f"{written.at('defaults')}: [defaults] must be a table."
        return
    for field, value in defaults.items():
        yield from _fields({field: value}, DEFAULTS, f"{written.at('defaults', field)}: defaults")

    def at(field: str) -> str:
        return f"{written.at('defaults', field)}: defaults.{field} is"

    confidence = defaults.get("confidence", 0.95)
    if _fits(confidence, NUMBER) and not 0.5 < confidence < 1:
        yield f"{at('confidence')} {confidence}; it must lie between 0.5 and 1, such as 0.95."
    bound = defaults.get("failing_bound", "simultaneous")
    if isinstance(bound, str) and bound not in ("simultaneous", "unadjusted"):
        yield f'{at("failing_bound")} {bound!r}; it must be "simultaneous" or "unadjusted".'
    family = defaults.get("family", "limit")
    if isinstance(family, str) and family not in ("limit", "holm"):
        yield f'{at("family")} {family!r}; it must be "limit" (each for itself) or "holm" (all together).'
    size = defaults.get("minimum_group_size", 0)
    if _fits(size, int) and size < 0:
        yield f"{at('minimum_group_size')} {size}; it is a number of rows, 0 or above."


def _repeated(text: str, values: object, where: str, seen: dict[tuple[str, str], str]) -> Iterator[str]:
    try:
        key = str(canonical_key(text))
    except KeySyntaxError:
        return
    named = values.get("over", "") if isinstance(values, Mapping) else ""
    for over in dict.fromkeys(map(str, named if isinstance(named, list) else [named])):
        if (key, over) in seen:
            yield f'{where}: the same finding as limits."{shorten(seen[key, over])}". Keep one of both.'
        seen.setdefault((key, over), text)


def _key_problems(text: str, where: str, custom: set[str]) -> Iterator[str]:
    try:
        key = Key.parse(text)
    except KeySyntaxError as wrong:
        yield f"{where}: {wrong}"
        return
    if key.metric == DECLARED:
        if len(key.features) != 1 or key.features != (Feature(key.columns[0]),) or key.qualifiers:
            yield f"{where}: what is to be declared is named alone, such as declared[human_oversight]."
    elif key.metric == REQUIRED:
        yield f"{where}: what a record must be is written in the table [require], such as signature = true."
    elif canonical(key.metric) is None and not custom & {key.metric, split_name(key.metric)[0]}:
        hint = did_you_mean(key.metric, (*names(), *custom))
        way = " See: evenhand list metrics. A metric of your own is named in custom_metrics."
        yield f"{where}: no such metric.{hint}{way}"


def _limit_problems(text: str, values: object, where: str) -> Iterator[str]:
    if not isinstance(values, Mapping):
        yield f"{where}: a limit is a table such as {{ at_most = 0.1 }}."
        return
    yield from _fields(values, LIMIT, where)
    yield from _side_problems(text, values, where)
    drop = values.get("max_drop")
    if is_finite(drop) and drop < 0:  # type: ignore[operator]  # a number, it fits
        yield f"{where}: max_drop is {drop}; it says how much worse the value may be, so it is 0 or above."
    if not _texts(values.get("controls", [])):
        yield f'{where}: controls is a list of texts, such as ["nyc-ll144:5-301(b)"].'
    if "over" in values:
        yield from _over_problems(text, values["over"], where)


def _side_problems(text: str, values: Content, where: str) -> Iterator[str]:
    given = {name for name in ("at_most", "at_least", "max_drop") if name in values}
    declared = text.partition("[")[0].strip() == DECLARED
    if declared and (given or values.get("required") is not True):
        yield f"{where}: a declaration is there or not, so its limit is required = true."
    elif not declared and "required" in values:
        yield f"{where}: required is for declarations, such as declared[human_oversight]; give at_most or at_least."
    elif not declared and (not given or {"at_most", "at_least"} <= given):
        yield f"{where}: give either at_most or at_least, or max_drop."


def _over_problems(text: str, over: object, where: str) -> Iterator[str]:
    words = over if isinstance(over, list) else [over]
    for word in words:
        if word not in OVERS:
            yield f"{where}: over is {word!r}; it must be one of {', '.join(OVERS)}.{did_you_mean(str(word), OVERS)}"
    if not words or len(words) > len({str(word) for word in words}):
        yield f"{where}: over names each of {', '.join(OVERS)} at most once, and one at least."
    try:
        features = Key.parse(text).features
    except KeySyntaxError:
        return
    if features:
        yield f"{where}: over goes with a key without columns, which it fills in; this one names {features[0]}."


def _fields(values: Content, known: Kinds, where: str) -> Iterator[str]:
    for field, value in values.items():
        if field not in known:
            yield f"{where}: knows no '{field}'.{did_you_mean(field, known)}"
        elif not _fits(value, known[field]):
            finite = " It is a number, and finite." if known[field] == NUMBER else ""
            yield f"{where}: {field} = {quoted(value)} has the wrong type.{finite}"
        elif field in ("undecided", "undefined", "missing") and value not in EFFECTS:
            hint = did_you_mean(str(value), EFFECTS)
            yield f"{where}: {field} is {value!r}; it must be one of {', '.join(EFFECTS)}.{hint}"
        elif field == "help_url" and not ADDRESS.fullmatch(str(value)):
            yield f"{where}: help_url is {quoted(value)}; it is an address that begins with https:// or http://."


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) and part for part in value)


def _fits(value: object, kind: type | tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, datetime) or (isinstance(value, (int, float)) and not is_finite(value)):
        return False
    return isinstance(value, kind)
