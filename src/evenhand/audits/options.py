"""Options of an audit: those of the evidence, and those that single audits declare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from evenhand.audits.catalogue import AUDITS
from evenhand.errors import InputError, raise_all
from evenhand.evidence.options import EvidenceOptions
from evenhand.settings import Declared, Setting, settings_of, unknown


@dataclass(frozen=True, slots=True, init=False)
class AuditOptions(EvidenceOptions):
    """Options of an audit, by name; none of them is a limit.

    The options of one audit may also be given together, by its name: ``slices={"slice_by": ("recall",)}``.

    Parameters
    ----------
    **settings
        Any setting of the table ``[audit]`` in docs/settings.md, such as ``level=0.9`` or ``explain_rows=100``.

    Raises
    ------
    InputError
        For unknown names and invalid values; all are reported together.

    Examples
    --------
    >>> from evenhand.audits import AuditOptions
    >>> options = AuditOptions(level=0.9, adjust="bh")
    >>> options.level, options.own["chance"].adjust
    (0.9, 'bh')
    """

    def __init__(self, **settings: object) -> None:
        known, records = options(), {name: a.options for name, a in AUDITS.items() if a.options is not None}
        own = {name: record() for name, record in records.items()}
        own |= cast("Mapping[str, Declared]", settings.pop("own", {}))
        told: dict[str, dict[str, object]] = {"": {}, **{name: {} for name in records}}
        problems: list[str] = []
        for name, value in settings.items():
            if name not in known and name in records and isinstance(value, Mapping):
                problems += unknown(value, settings_of(records[name]), f"The {name} audit knows no option")
                told[name] |= value
            elif name in known:
                told[known[name][0]][known[name][1].name] = value
            else:
                problems += unknown([name], known, "audit() knows no option")
        raise_all(InputError, problems)
        for name in records:
            with _telling(problems):
                own[name] = own[name].updated(told[name])
        with _telling(problems):
            EvidenceOptions.__init__(self, own=own, **told[""])  # type: ignore[arg-type]
        raise_all(InputError, problems)

    def on_record(self) -> dict[str, object]:
        """Return what a rerun needs to reproduce the results."""
        told = {"": EvidenceOptions.on_record(self), **{name: record.on_record() for name, record in self.own.items()}}
        return {
            name: told[audit][declared.name]
            for name, (audit, declared) in options().items()
            if declared.name in told.get(audit, {})
        }


@contextmanager
def _telling(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except InputError as wrong:
        problems += wrong.marked


def options() -> dict[str, tuple[str, Setting]]:
    """Return every option by its name, with the audit that declares it, if any.

    Where names of packages' options clash, the name of the audit is put before theirs.
    """
    found = {name: ("", declared) for name, declared in settings_of(EvidenceOptions).items()}
    own = [
        (audit, declared)
        for audit, about in AUDITS.items()
        if about.options is not None
        for declared in settings_of(about.options).values()
    ]
    times = Counter([*found, *(declared.name for _, declared in own)])
    for audit, declared in own:
        alone = audit in AUDITS.own or times[declared.name] == 1
        found[declared.name if alone else f"{audit}_{declared.name}"] = (audit, declared)
    return found
