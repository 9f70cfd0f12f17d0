"""What can be chosen of a record: its features, groups and metrics, and which of them a threshold changes."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, did_you_mean, quoted, raise_all
from evenhand.findings import Finding
from evenhand.keys import Key, group_name
from evenhand.messages import message
from evenhand.metrics import METRICS, canonical, describe
from evenhand.metrics.answers import is_counted
from evenhand.metrics.answers.questions import SHARES, is_paired
from evenhand.metrics.catalogue.lists import stated
from evenhand.report.numbers import cut
from evenhand.report.sections.facts import groupings
from evenhand.serving.viewing.asking import Asked
from evenhand.serving.viewing.moving import nearest_edge, of_scores
from evenhand.serving.viewing.shown import Choice, Form, GroupThreshold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from evenhand.findings import AuditRecord

    Groups = tuple[tuple[str, ...], ...]

OF_DECISIONS: Final = message("Of decisions: at any threshold")
OF_SCORES: Final = message("Of scores: the same at every threshold")
OF_AUDIT: Final = message("As the audit states them: at no other threshold")
MOST_LABEL: Final = 80


def features(record: AuditRecord) -> tuple[str, ...]:
    """Return the features of which a record has groups."""
    named = [column for counts in groupings(record) for column in counts.columns]
    stated_of = [column for finding in record.findings if finding.key.group for column in finding.key.columns]
    of_data = record.provenance.get("data", {}).get("sensitive_features", [])
    return tuple(dict.fromkeys((*named, *(name for name in of_data if name in stated_of))))


def groups_of(record: AuditRecord, columns: tuple[str, ...]) -> Groups:
    """Return the groups of columns, in the order of the record; one empty group for all rows."""
    if not columns:
        return ((),)
    counted = next((part.groups for part in groupings(record) if part.columns == columns), None)
    if counted is not None:
        return counted
    keys = (finding.key for finding in record.findings if finding.key.columns == columns)
    whole = (tuple(group for _, group in key.group) for key in keys if len(key.group) == len(columns))
    return tuple(dict.fromkeys(whole))


def key_of(asked: Asked, columns: tuple[str, ...], group: tuple[str, ...], metric: str = "", vs: str = "") -> Key:
    """Return the key of the metric, or of one of its comparisons, of a group."""
    name = metric or asked.metric
    more = {"class": asked.of_class, "vs": vs, "of": "original" if is_paired(asked.metric) else ""}
    named = dict(zip_longest(columns, group)) if group else columns
    return Key.of(name, named, **{word: text for word, text in more.items() if text})


def metrics_of(record: AuditRecord, by: tuple[str, ...], of_class: str = "") -> tuple[str, ...]:
    """Return the metrics that a record can say of the groups of some features, those of the page first."""
    groups = groups_of(record, by)
    group = groups[0] if groups else ()
    own = (finding.key.metric for finding in record.findings if finding.key.columns == by and finding.key.group)
    names = dict.fromkeys((*stated("figure"), *stated("column"), *METRICS, *(own if by else ())))
    keys = ((name, key_of(Asked(metric=name, of_class=of_class), by, group)) for name in names)
    return tuple(name for name, key in keys if isinstance(record.find(key), Finding))


def completed(record: AuditRecord, asked: Asked) -> Asked:
    """Return what is asked for with the usual feature and metric where none is named.

    Raises
    ------
    InputError
        When there is no such feature, crossing, metric, group or class in the record; all that is wrong together.
    """
    known = features(record)
    if not asked.by and not asked.metric:
        asked = replace(asked, by=known[:1])
    raise_all(InputError, _unknown(record, asked, known))
    metric = canonical(asked.metric) or asked.metric or next(iter(metrics_of(record, asked.by, asked.of_class)), "")
    if not metric:
        raise InputError("This record states no metric of groups, and has no counts to compute one from.")
    return replace(asked, metric=metric)


def _unknown(record: AuditRecord, asked: Asked, known: tuple[str, ...]) -> Iterator[str]:
    """Yield what a view names that is not in the record."""
    strange = [name for name in (*asked.by, *([asked.split] if asked.split else [])) if name not in known]
    yield from (f"There is no feature {quoted(name)} in this record.{did_you_mean(name, known)}" for name in strange)
    classes = classes_of(record)
    if asked.of_class and asked.of_class not in classes:
        yield f"There is no class {quoted(asked.of_class)} here.{did_you_mean(asked.of_class, classes)}"
    stated_too = {finding.key.metric for finding in record.findings}
    if asked.metric and canonical(asked.metric) not in METRICS and asked.metric not in stated_too:
        yield f"There is no metric {quoted(asked.metric)}.{did_you_mean(asked.metric, METRICS)}"
    if strange:
        return
    groups = groups_of(record, asked.by)
    if not groups:
        crossed = " and ".join(map(quoted, asked.by))
        yield f"The record has no groups by {crossed}: it crosses {_crossings(record)}."
        return
    names = [group_name(zip(asked.by, group, strict=True)) for group in groups]
    wanted = asked.groups if asked.vs in ("", "overall", "rest") else (*asked.groups, asked.vs)
    yield from (
        f"No row is of the group {quoted(name)}.{did_you_mean(name, names)}" for name in wanted if name not in names
    )


def _crossings(record: AuditRecord) -> str:
    made = [" and ".join(map(quoted, part.columns)) for part in groupings(record) if len(part.columns) > 1]
    return "; ".join(made[:6]) or "no features"


def classes_of(record: AuditRecord) -> tuple[str, ...]:
    """Return the classes, where there are more than two."""
    named = record.provenance.get("data", {}).get("classes")
    return tuple(map(str, named)) if isinstance(named, list) else ()


def form(record: AuditRecord, asked: Asked, metrics: Iterable[str], places: tuple[float, ...]) -> Form:
    """Return what can be chosen, and what is."""
    in_use = record.provenance.get("subject", {}).get("threshold")
    split = asked.split or (asked.by[0] if asked.by else "")
    own = dict(asked.each)
    names = [group_name(zip(asked.by, group, strict=True)) for group in groups_of(record, asked.by)] if asked.by else []
    at = asked.threshold if asked.threshold is not None else in_use
    place = nearest_edge(places, at) if places and at is not None else None
    return Form(
        features=tuple(Choice(name, cut(name, MOST_LABEL), name in asked.by) for name in features(record)),
        metrics=tuple(
            Choice(name, describe(name).label, name == asked.metric, _heading(name))
            for name in sorted(metrics, key=lambda name: (OF_DECISIONS, OF_SCORES, OF_AUDIT).index(_heading(name)))
        ),
        classes=tuple(Choice(name, cut(name, MOST_LABEL), name == asked.of_class) for name in classes_of(record)),
        references=tuple(_references(names, asked)),
        groups=tuple(Choice(name, cut(name, MOST_LABEL), name in asked.groups) for name in names),
        threshold="" if asked.threshold is None else f"{asked.threshold:.6g}",
        in_use="" if in_use is None else f"{in_use:.6g}",
        least=f"{places[0]:.4g}" if places else "",
        greatest=f"{places[-1]:.4g}" if places else "",
        known=len(places),
        split=split,
        each=tuple(
            GroupThreshold(group[0], f"{own[group[0]]:.6g}" if group[0] in own else "")
            for group in (groups_of(record, (split,)) if split else ())
        ),
        lower="" if not place else asked.query(threshold=places[place - 1]),
        higher="" if place is None or place + 1 >= len(places) else asked.query(threshold=places[place + 1]),
    )


def _references(names: list[str], asked: Asked) -> Iterable[Choice]:
    yield Choice("", message("only with each other"), not asked.vs)
    if asked.by:
        yield Choice("rest", message("the other groups together"), asked.vs == "rest")
        yield Choice("overall", message("all rows"), asked.vs == "overall")
        heading = message("one group")
        yield from (Choice(name, cut(name, MOST_LABEL), name == asked.vs, heading) for name in names)


def _heading(metric: str) -> str:
    if of_scores(metric):
        return OF_SCORES
    counted = metric in SHARES or (is_counted(metric) and not is_paired(metric))
    return OF_DECISIONS if counted else OF_AUDIT
