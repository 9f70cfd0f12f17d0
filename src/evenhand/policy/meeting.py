"""Judge requirements: what must be there and is not fails, what the record does not know is undecided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.errors import shorten
from evenhand.findings import SAME_LEVEL, Absent, Finding
from evenhand.keys import Key, answers_of, canonical_key, may_vary
from evenhand.messages import joined, message
from evenhand.policy.limits import REQUIRED, Limit
from evenhand.policy.matching import instances, sensitive_features
from evenhand.policy.verdict import Judgement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from evenhand.findings import AuditRecord, Plain
    from evenhand.policy.limits import Policy, Status
    from evenhand.signing import Signature

CELLS: Final = ("group", "true", "predicted")
MOST_NAMED: Final = 5
SIGNED: Final = Key.of(REQUIRED, ["signature"])
FACT: Final = message("It is a fact of the record, not measured.")


@dataclass(frozen=True, slots=True)
class Met:
    """How a record meets a requirement."""

    status: Status
    """Passed, failed, or undecided where the record does not know."""
    there: str
    """What the record has, in a word or two."""
    sentence: str
    """Why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A requirement and what may answer it."""

    limit: Limit
    record: AuditRecord
    policy: Policy
    signature: Signature | None

    @property
    def data(self) -> Mapping[str, Plain]:
        """The facts of the rows."""
        return self.record.provenance.get("data", {})  # type: ignore[return-value]  # read as plain data

    @property
    def names(self) -> tuple[str, ...]:
        """The value, where it is a list of names."""
        wanted = self.limit.wanted
        return wanted if isinstance(wanted, tuple) else ()


def judge_requirements(
    record: AuditRecord, policy: Policy, signature: Signature | None, earlier: AuditRecord | None = None
) -> Iterator[Judgement]:
    """Yield a judgement for each requirement, with its status in an earlier audit, which never makes it old.

    A signature that was given is judged whether or not it is required; the earlier audit's is not known.
    """
    asked = policy.requirements
    if signature is not None and SIGNED not in (limit.key for limit in asked):
        asked = (Limit(SIGNED, required=True), *asked)
    for limit in asked:
        met = _met(Asked(limit, record, policy, signature))
        then = None if limit.key == SIGNED else earlier
        before = None if then is None else _met(Asked(limit, then, policy, None)).status
        found = Finding(limit.key, REQUIRED, None, unit="number", undefined=FACT, note=met.there)
        stops = met.status != "passed"
        yield Judgement(limit, limit.key, met.status, found, met.sentence, stops=stops, before=before)


def _met(asked: Asked) -> Met:
    return JUDGED[asked.limit.key.columns[0]](asked)


def _passed(there: str) -> Met:
    return Met("passed", there, message("It is met."))


def _unknown(what: str) -> Met:
    return Met("undecided", message("not known"), message("The record does not say {what}. Audit again.", what=what))


def _features(asked: Asked) -> Met:
    there = [name for name in sensitive_features(asked.record) if _has_groups(asked.record, name)]
    absent = tuple(shorten(name) for name in asked.names if name not in there)
    if not absent:
        return _passed(_named(asked.names))
    sentence = message(
        "No groups of {absent}: the record has {there}. Audit with each of them as a sensitive feature.",
        absent=_named(absent),
        there=_named(there) if there else message("none"),
    )
    return Met("failed", _named(there) if there else message("none"), sentence)


def _has_groups(record: AuditRecord, name: str) -> bool:
    return any(part.columns == (name,) for part in record.tallies)


def _named(names: Iterable[str]) -> str:
    found = [shorten(name) for name in names]
    shown, more = joined(", ", found[:MOST_NAMED]), len(found) - MOST_NAMED
    return message("{names} and {more} more", names=shown, more=more) if more > 0 else shown


def _fact(there: object, asked: Asked, what: str) -> Met:
    """Judge a fact by its text."""
    if there is None:
        return _unknown(what)
    text, wanted = _plain(there), _plain(asked.limit.wanted)
    if text == wanted:
        return _passed(shorten(text, 40))
    sentence = message(
        "The record says {there} for {what}, and the policy requires {wanted}.",
        there=shorten(text),
        what=what,
        wanted=shorten(wanted),
    )
    return Met("failed", shorten(text, 40), sentence)


def _plain(value: object) -> str:
    """Return a value as text; 1, 1.0 and "1" are one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _label(asked: Asked) -> Met:
    return _fact(asked.data.get("label"), asked, message("the label"))


def _positive(asked: Asked) -> Met:
    return _fact(asked.data.get("positive"), asked, message("the positive value"))


def _model(asked: Asked) -> Met:
    facts = asked.record.provenance.get("subject", {})
    return _hash(facts.get("sha256"), asked, message("the hash of the model's file"))


def _data(asked: Asked) -> Met:
    return _hash(asked.data.get("content_hash"), asked, message("the hash of the rows"))


def _hash(there: object, asked: Asked, what: str) -> Met:
    if not isinstance(there, str):
        return _unknown(what)
    met = _fact(there.lower(), asked, what)
    return met if met.status == "failed" else _passed(there[:16])


def _rows(asked: Asked) -> Met:
    rows = next(iter(_counted(asked.record, ()).values()), asked.data.get("rows"))
    if not isinstance(rows, int):
        return _unknown(message("how many rows there are"))
    return _enough({"": rows}, asked)


def _rows_per_group(asked: Asked) -> Met:
    sizes: dict[str, int] = {}
    for column in sensitive_features(asked.record):
        found = _counted(asked.record, (column,)) or _stated(asked.record, column)
        if not found:
            return _unknown(message("how many rows each group of {column} has", column=shorten(column)))
        sizes |= {f"{column}={group}": rows for group, rows in found.items()}
    return _enough(sizes, asked) if sizes else _unknown(message("how many rows each group has"))


def _enough(sizes: Mapping[str, int], asked: Asked) -> Met:
    least = int(asked.limit.wanted) if isinstance(asked.limit.wanted, (int, float)) else 1
    smallest = min(sizes.values())
    there = message("{rows:,} rows", rows=smallest)
    small = [message("{group} ({rows})", group=shorten(name), rows=n) for name, n in sizes.items() if n < least]
    if not small:
        return _passed(there)
    if list(sizes) == [""]:
        sentence = message("It has {rows:,} rows, and {least:,} are required.", rows=smallest, least=least)
    else:
        named = joined("; ", small[:MOST_NAMED])
        sentence = message("Groups with fewer than {least:,} rows: {groups}.", least=least, groups=named)
    return Met("failed", there, sentence)


def _counted(record: AuditRecord, columns: tuple[str, ...]) -> dict[str, int]:
    """Return the rows of each group by the counts of truth and decision; empty where there are none."""
    for part in record.tallies:
        if (part.model, part.columns, part.axes) == ("subject", columns, CELLS) and isinstance(part.counts, list):
            sizes = map(_total, part.counts)
            return {", ".join(group): rows for group, rows in zip(part.groups, sizes, strict=False)}
    return {}


def _total(cells: Plain) -> int:
    if isinstance(cells, list):
        return sum(map(_total, cells))
    return int(cells) if isinstance(cells, (int, float)) else 0


def _stated(record: AuditRecord, column: str) -> dict[str, int]:
    """Return the rows of each group by the findings of each."""
    return {
        finding.key.group[0][1]: finding.groups[0].rows
        for finding in record.findings
        if finding.key.columns == (column,) and finding.key.group and finding.groups
    }


def _level(asked: Asked) -> Met:
    level, least = asked.record.level, asked.limit.wanted
    assert isinstance(least, (int, float))  # the policy was checked
    if level >= least - SAME_LEVEL:
        return _passed(f"{level:g}")
    sentence = message(
        "The record's intervals are at {level}; {least} is required. Audit with --level {least}.",
        level=f"{level:g}",
        least=f"{least:g}",
    )
    return Met("failed", f"{level:g}", sentence)


def _repeated_ids(asked: Asked) -> Met:
    repeated = asked.data.get("repeated_ids")
    if not isinstance(repeated, int):
        return _unknown(message("whether an id is repeated: name the column of ids"))
    if not repeated:
        return _passed(message("no repeated id"))
    there = message("{n:,} repeated ids", n=repeated)
    return Met("failed", there, message("{n:,} rows have an id of another row.", n=repeated))


def _lookalikes(asked: Asked) -> Met:
    alike = []
    for column in sensitive_features(asked.record):
        found = asked.record.stated(Key.of("lookalike_groups", [column]))
        if found is None or found.estimate is None:
            return _unknown(message("whether groups of {column} look alike", column=shorten(column)))
        if found.estimate > 0:
            alike.append(column)
    if not alike:
        return _passed(message("no look-alikes"))
    sentence = message("Groups of {columns} have names that look alike. Spell each one way.", columns=_named(alike))
    return Met("failed", _named(alike), sentence)


def _derived(asked: Asked) -> Met:
    record, policy = asked.record, asked.policy
    answer = answers_of(record, policy.confidence)
    keys = _judged_keys(record, policy)
    stated = [str(key) for key in sorted(keys, key=str) if isinstance(answer(canonical_key(key)), Absent)]
    there = message("{n} of {limits} derived", n=len(keys) - len(stated), limits=len(keys))
    if not stated:
        return _passed(there)
    return Met("failed", there, message("Not derived from counts, but only stated: {keys}.", keys=_named(stated)))


def claim_remarks(record: AuditRecord, policy: Policy, claims: Iterable[Key]) -> Iterator[str]:
    """Yield which figures that limits are judged on an audit's record states alone; of times that is known."""
    if "data" not in record.provenance:
        return  # made by hand in Python: all is stated
    judged = _judged_keys(record, policy)
    stated = sorted(str(key) for key in map(canonical_key, claims) if key in judged and not may_vary(key.metric))
    if stated:
        yield message("Stated by the audit, and not derived from its counts: {keys}.", keys=_named(stated))


def _judged_keys(record: AuditRecord, policy: Policy) -> set[Key]:
    limits = (limit for limit in policy.limits if not limit.required)
    return {key for limit in limits for key in instances(limit, record, policy) or ()}


def _signature(asked: Asked) -> Met:
    found = asked.signature
    if found is None:
        sentence = message("No signature was checked. Gate with --signature and --allowed-signers.")
        return Met("failed", message("not checked"), sentence)
    if not found.good or not found.signer:
        return Met("failed", message("no good signature"), message("The signature: {why}.", why=found.reason))
    wanted = asked.limit.wanted
    allowed = asked.names or ((wanted,) if isinstance(wanted, str) else (found.signer,))
    if found.signer in allowed:
        return _passed(message("signed by {signer}", signer=shorten(found.signer)))
    sentence = message(
        "It is signed by {signer}; the policy requires {allowed}.",
        signer=shorten(found.signer),
        allowed=_named(allowed),
    )
    return Met("failed", message("signed by {signer}", signer=shorten(found.signer)), sentence)


JUDGED: Final[Mapping[str, Callable[[Asked], Met]]] = {
    "signature": _signature,
    "sensitive_features": _features,
    "label": _label,
    "positive": _positive,
    "model": _model,
    "data": _data,
    "rows": _rows,
    "rows_per_group": _rows_per_group,
    "level": _level,
    "no_repeated_ids": _repeated_ids,
    "no_lookalike_groups": _lookalikes,
    "derived": _derived,
}
"""How each is judged."""
