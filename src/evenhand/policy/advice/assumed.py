"""Assumed rates of groups, before any audit: read from a file and made into the counts that they would give."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.documents import check_plain, parse_toml, read_bytes
from evenhand.errors import InputError, did_you_mean, raise_all, shorten
from evenhand.findings import AuditRecord, GroupCounts
from evenhand.provenance import Provenance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import Plain

FINE: Final = 1_000_000
"""Rows of a table whose rates are, but for rounding, the assumed ones."""
WHOLE: Final = ("base_rate", "recall", "false_positive_rate")
"""The rates that give all counts of a group."""
ALONE: Final = ("selection_rate", "accuracy")
"""The rates that a group may have alone: then only limits on this rate can be planned."""
FIELDS: Final = ("share", *WHOLE, *ALONE)
MOST_GROUPS: Final = 300
TOLD: Final = 4
"""Problems that are told at once."""


def read_assumed(source: str | Path | Mapping[str, object]) -> AuditRecord:
    """Return a record of counts with the assumed rates of groups.

    A table for each feature holds its groups, each with its ``share`` of all rows and its rates: ``base_rate``,
    ``recall`` and ``false_positive_rate``, from which all others follow; or ``selection_rate`` or ``accuracy`` alone.

    Raises
    ------
    InputError
        With the first problems.

    Examples
    --------
    >>> groups = {"f": {"share": 0.4, "selection_rate": 0.3}, "m": {"share": 0.6, "selection_rate": 0.35}}
    >>> read_assumed({"sex": groups})["selection_rate[sex=f]"].estimate
    0.3
    """
    if isinstance(source, Mapping):
        place: object = "rates"
        check_plain(source, place)
        content = source
    else:
        place = Path(source)
        content = parse_toml(read_bytes(place), place)
    raise_all(InputError, islice(_problems(str(place), content), TOLD))
    parts = [_counts(name, groups) for name, groups in content.items() if isinstance(groups, Mapping)]
    first = parts[0]
    whole = [[sum(cells[t][d] for cells in first.counts) for d in (0, 1)] for t in (0, 1)]  # type: ignore[union-attr, index, misc]
    overall = GroupCounts("subject", (), ((),), ("group", "true", "predicted"), [whole])  # type: ignore[list-item]
    data = {"sensitive_features": sorted(content), "positive": "1", "negative": "0", "favourable": "1"}
    return AuditRecord((), tallies=(overall, *parts), provenance=Provenance(data=data))  # type: ignore[typeddict-item]


def known_rates(source: str | Path | Mapping[str, object]) -> tuple[str, ...]:
    """Return the rates that all groups have."""
    content = source if isinstance(source, Mapping) else parse_toml(read_bytes(Path(source)), source)
    groups = [about for groups in content.values() if isinstance(groups, Mapping) for about in groups.values()]
    return tuple(rate for rate in (*WHOLE, *ALONE) if all(isinstance(one, Mapping) and rate in one for one in groups))


def _counts(feature: str, groups: Mapping[str, object]) -> GroupCounts:
    cells: list[Plain] = []
    for about in groups.values():
        assert isinstance(about, Mapping)  # checked before
        cells.append([[round(FINE * about["share"] * part) for part in row] for row in _cells(about)])
    labels = tuple((name,) for name in groups)
    return GroupCounts("subject", (feature,), labels, ("group", "true", "predicted"), cells)


def _cells(about: Mapping[str, float]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the shares of truth x decision; where one rate is known alone, of whatever truth."""
    if "selection_rate" in about:
        return (0.0, 0.0), (1 - about["selection_rate"], about["selection_rate"])
    if "accuracy" in about:
        return (0.0, 0.0), (1 - about["accuracy"], about["accuracy"])
    base, recall, wrong = (about[name] for name in WHOLE)
    return ((1 - base) * (1 - wrong), (1 - base) * wrong), (base * (1 - recall), base * recall)


def _problems(place: str, content: Mapping[str, object]) -> Iterator[str]:
    if not content:
        yield f"{place}: it names no feature. Write a table for one, such as [race], with its groups."
    for feature, groups in content.items():
        where = f"{place}: {shorten(feature)}"
        if not isinstance(groups, Mapping) or len(groups) < 2:
            yield f"{where}: a feature is a table of two groups or more, each with its share and rates."
        elif len(groups) > MOST_GROUPS:
            yield f"{where}: {len(groups):,} groups; at most {MOST_GROUPS} can be planned for."
        else:
            yield from _group_problems(where, groups)


def _group_problems(where: str, groups: Mapping[str, object]) -> Iterator[str]:
    shares, kinds = [], set()
    for name, about in groups.items():
        own = f"{where}.{shorten(name)}"
        if not isinstance(about, Mapping):
            yield f"{own}: a group is a table: {{ share = 0.5, selection_rate = 0.3 }}."
            continue
        for field, value in about.items():
            if field not in FIELDS:
                yield f"{own}: '{shorten(field)}' is no rate that can be assumed.{did_you_mean(field, FIELDS)}"
            elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                yield f"{own}.{field} = {shorten(value)}: it is a share, between 0 and 1."
        given = tuple(rate for rate in (*WHOLE, *ALONE) if rate in about)
        kinds.add(given)
        if given != WHOLE and not (len(given) == 1 and given[0] in ALONE):
            yield f"{own}: give {', '.join(WHOLE)}; or {' or '.join(ALONE)} alone."
        shares.append(about.get("share"))
    if len(kinds) > 1:
        yield f"{where}: give all groups the same rates."
    known = [share for share in shares if isinstance(share, (int, float)) and not isinstance(share, bool)]
    if len(known) < len(shares) or any(share <= 0 for share in known) or not 0.99 <= sum(known) <= 1.01:
        yield f"{where}: each group has a share above 0, and together they are 1."
