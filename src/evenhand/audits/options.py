"""Every option of an audit by one name: those of the evidence, and those that single audits declare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from evenhand.audits.catalogue import AUDITS, catalogue
from evenhand.errors import InputError, raise_all
from evenhand.evidence.options import EvidenceOptions
from evenhand.settings import Declared, Setting, settings_of, unknown


@dataclass(frozen=True, slots=True, init=False)
class AuditOptions(EvidenceOptions):
    """What a person may decide about an audit, each option by its name; none of it is a limit.

    The options of one audit may also be given together, by its name: ``slices={"slice_by": ("recall",)}``.

    Raises
    ------
    InputError
        For a name that is no option, and for values that make no sense; all such are told together.

    Examples
    --------
    >>> from evenhand.audits import AuditOptions
    >>> options = AuditOptions(level=0.9, adjust="bh")
    >>> options.level, options.own["chance"].adjust
    (0.9, 'bh')
    """

    def __init__(self, **settings: object) -> None:
        before = cast("Mapping[str, Declared]", settings.pop("own", {}))
        chosen, problems = _by_audit(settings)
        own: dict[str, Declared] = {}
        for name, audit in catalogue().items():
            if audit.options is None:
                continue
            record = before.get(name) or audit.options()
            problems += unknown(chosen[name], settings_of(audit.options), f"The {name} audit knows no option")
            told = {key: value for key, value in chosen[name].items() if key in settings_of(audit.options)}
            with _telling(problems):
                own[name] = record.updated(told)
        with _telling(problems):
            EvidenceOptions.__init__(self, own=own, **chosen[""])  # type: ignore[arg-type]
        raise_all(InputError, problems)

    def on_record(self) -> dict[str, object]:
        """Return what a rerun needs to come out the same."""
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
        problems += wrong.problems


def options() -> dict[str, tuple[str, Setting]]:
    """Return every option by the one name that it has everywhere, with the audit that declares it, if one does.

    Where packages bring two options of one name, or one of a name that is taken, the name of the audit precedes theirs.
    """
    found = {name: ("", declared) for name, declared in settings_of(EvidenceOptions).items()}
    own = [
        (audit, declared)
        for audit, about in catalogue().items()
        if about.options is not None
        for declared in settings_of(about.options).values()
    ]
    times = Counter([*found, *(declared.name for _, declared in own)])
    for audit, declared in own:
        alone = audit in AUDITS or times[declared.name] == 1
        found[declared.name if alone else f"{audit}_{declared.name}"] = (audit, declared)
    return found


def _by_audit(settings: Mapping[str, object]) -> tuple[dict[str, dict[str, object]], list[str]]:
    """Return the settings of each audit, those of the evidence by no name, and complaints about unknown ones."""
    known = options()
    chosen: dict[str, dict[str, object]] = {"": {}, **{name: {} for name in catalogue()}}
    for name, value in settings.items():
        if name in known:
            audit, declared = known[name]
            chosen[audit][declared.name] = value
        elif name in chosen and isinstance(value, Mapping):
            chosen[name].update(value)
    groups = [name for name, value in settings.items() if name in chosen and isinstance(value, Mapping)]
    return chosen, list(unknown(settings, [*known, *groups], "audit() knows no option"))
