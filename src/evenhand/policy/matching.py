"""Match limits to findings."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from evenhand.keys import Feature, Key
from evenhand.keys import canonical_key as spelled
from evenhand.policy.regression_limits import drop_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord
    from evenhand.policy.limits import Limit, Policy


def canonical_key(text: str) -> Key:
    """Read a key with its metric and threshold in canonical spelling."""
    return spelled(Key.parse(text))


def own_key(limit: Limit) -> Key:
    """Return the name of a limit: its key, or that of the change it limits."""
    return drop_key(limit.key) if limit.against else limit.key


def covers(limit: Limit, key: Key) -> bool:
    """Return whether the limit is, or may be, judged on the finding of that key."""
    own = own_key(limit)
    if own == key or _is_instance(key, own):
        return True
    if not limit.over or (key.metric, key.qualifiers) != (own.metric, own.qualifiers):
        return False
    return _has_shape(key, limit.over)


def instances(limit: Limit, record: AuditRecord, policy: Policy) -> tuple[Key, ...] | None:
    """Return the keys that a limit is judged on in this record.

    ``column=*`` becomes every group that the record has; a limit over features becomes one for each sensitive feature
    that the record names or the policy requires, except those with a limit of their own that is as strict. None when
    the record has nothing to apply it to.
    """
    if limit.over:
        rivals = [other for other in policy.limits if not other.over and other.is_as_strict_as(limit)]
        found = _over(limit, record, required_features(policy))
        return tuple(key for key in found if not any(_owns(other, key) for other in rivals)) if found else None
    if not any(feature.each for feature in limit.key.features):
        return (limit.key,)
    asked = limit.key  # most keys are told apart before they are spelled
    alike = (each.key for each in record.findings if each.key.qualifiers == asked.qualifiers)
    there = [key for key in alike if key.columns == asked.columns and _is_instance(spelled(key), asked)]
    return tuple(there) or _counted(limit.key, record) or (limit.key,)


def _counted(key: Key, record: AuditRecord) -> tuple[Key, ...]:
    """Return the keys of ``column=*`` for every group that the record has counts of, where no finding was stated."""
    if not all(feature.each for feature in key.features):
        return ()
    groups = next((p.groups for p in record.tallies if (p.model, p.columns) == ("subject", key.columns)), ())
    named = (tuple(map(Feature, key.columns, group)) for group in groups)
    keys = tuple(Key(key.metric, features, key.qualifiers) for features in named)
    return keys if keys and record.get(keys[0]) is not None else ()


def _owns(limit: Limit, key: Key) -> bool:
    return limit.key == key or _is_instance(key, limit.key)


def _over(limit: Limit, record: AuditRecord, required: tuple[str, ...]) -> tuple[Key, ...]:
    key, columns = limit.key, tuple(sorted({*sensitive_features(record), *required}))
    if limit.over == "features" and columns:
        return tuple(Key(key.metric, (Feature(column),), key.qualifiers) for column in columns)
    if limit.over == "intersections" and columns:
        pairs = combinations(columns, 2)
        return tuple(Key(key.metric, tuple(map(Feature, pair)), key.qualifiers) for pair in pairs)
    return tuple(_with_shape(limit, record))


def _with_shape(limit: Limit, record: AuditRecord) -> Iterator[Key]:
    for finding in record.findings:
        key = spelled(finding.key)
        if (key.metric, key.qualifiers) == (limit.key.metric, limit.key.qualifiers) and _has_shape(key, limit.over):
            yield key
    if not record.findings and limit.over == "groups":  # counts alone, as at another threshold
        for part in record.tallies:
            if part.model == "subject" and len(part.columns) == 1:
                each = tuple(Feature(column, each=True) for column in part.columns)
                yield from _counted(Key(limit.key.metric, each), record)


def _has_shape(key: Key, over: str) -> bool:
    if over == "groups":
        return len(key.features) == 1 and key.features[0].group is not None
    wide = len(key.features) >= 2 if over == "intersections" else len(key.features) == 1
    return wide and all(feature.group is None and not feature.each for feature in key.features)


def sensitive_features(record: AuditRecord) -> tuple[str, ...]:
    """Return the sensitive features that the record names."""
    return tuple(sorted(record.provenance.get("data", {}).get("sensitive_features", [])))


def required_features(policy: Policy) -> tuple[str, ...]:
    """Return the sensitive features that a policy requires."""
    wanted = (limit.wanted for limit in policy.requirements if limit.key.columns == ("sensitive_features",))
    return next((named for named in wanted if isinstance(named, tuple)), ())


def _is_instance(key: Key, pattern: Key) -> bool:
    if (key.metric, key.qualifiers, key.columns) != (pattern.metric, pattern.qualifiers, pattern.columns):
        return False
    if not any(feature.each for feature in pattern.features):
        return False
    return all(
        own.group is not None if asked.each else own == asked
        for own, asked in zip(key.features, pattern.features, strict=True)
    )
