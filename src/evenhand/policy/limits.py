"""Policies: limits, waivers, and what happens to undecided limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from evenhand.outlines import outline

if TYPE_CHECKING:
    from datetime import date

    from evenhand.keys import Key

Status: TypeAlias = Literal["passed", "failed", "undecided"]
"""What a limit comes to."""
Effect: TypeAlias = Literal["stop", "warn", "pass"]
"""What an undecided limit does to a release."""
Over: TypeAlias = Literal["", "features", "intersections", "groups"]
"""The findings to which a limit without columns applies."""

Wanted: TypeAlias = "str | float | bool | tuple[str, ...]"
"""The value of a requirement."""

DECLARED: Final = "declared"
"""The first word of a key that requires a declaration: ``declared[human_oversight]``."""
REQUIRED: Final = "required"
"""The first word of the key of a requirement: ``required[signature]``."""
EFFECTS: Final = ("undecided", "undefined", "missing")
"""The fields of a limit that say what it does where it is neither passed nor failed."""


@dataclass(frozen=True, slots=True, repr=False)
class Limit:
    """One limit on one finding, or on each group's finding where the key has ``=*``.

    See Also
    --------
    evenhand.load_policy : Makes limits.
    """

    key: Key
    """The finding it applies to, in canonical spelling."""
    at_most: float | None = None
    """The value must not exceed this."""
    at_least: float | None = None
    """The value must not fall below this."""
    against: Literal["", "baseline"] = ""
    """``baseline``: the limit is on how much worse the finding is than in the earlier audit."""
    required: bool = False
    """For a declaration or a requirement: it must be present."""
    wanted: Wanted = True
    """Of a requirement: the value that must be met."""
    over: Over = ""
    """``features``: each sensitive feature of the record on its own; ``intersections``: each crossing of them;
    ``groups``: each group of each feature; empty: only the finding that the key names."""
    advisory: bool = False
    """An advisory limit is judged and shown, and stops nothing."""
    undecided: Effect = "stop"
    """When the interval holds the limit."""
    undefined: Effect = "stop"
    """When the finding has no value."""
    missing: Effect = "stop"
    """When the record has no such finding."""
    always_valid: bool = False
    """Whether it is judged by an interval that holds at all times, for data that grows and is judged again."""
    note: str = ""
    """Why there is this limit, and where it comes from."""
    help_url: str = ""
    """The address of a page that explains it to those whom it stops; empty where none is declared."""
    controls: tuple[str, ...] = ()
    """Controls for which the finding is evidence, such as ``nyc-ll144:5-301(b)``."""
    origin: str = ""
    """The rule pack that it comes from, such as ``builtin:four-fifths@1``; empty for a limit of the policy itself."""
    line: int = 0
    """The line of the policy file that has it or names its rule pack, from 1; 0 without a file."""

    @property
    def bound(self) -> float:
        """The value of the limit; of a required declaration 1, for present."""
        if self.required:
            return 1.0
        bound = self.at_most if self.at_most is not None else self.at_least
        assert bound is not None  # reading refuses a limit without one
        return bound

    @property
    def sign(self) -> str:
        """``<=`` or ``>=``."""
        return "<=" if self.at_most is not None else ">="

    def __str__(self) -> str:
        return f"{self.key} required" if self.required else f"{self.key} {self.sign} {self.bound:g}"

    def __repr__(self) -> str:
        return outline("  ".join(filter(None, self.cells)), [])

    @property
    def cells(self) -> tuple[str, str, str]:
        """Key, limit, and what is special about it: that it is advisory, its rule pack."""
        over = f" over {self.over}" if self.over else ""
        always = "always valid" if self.always_valid else ""
        told = ", ".join(filter(None, ("advisory" if self.advisory else "", always, self.origin)))
        change = " more than the baseline" if self.against else ""
        return f"{self.key}{over}", "required" if self.required else f"{self.sign} {self.bound:g}{change}", told

    def is_as_strict_as(self, other: Limit) -> bool:
        """Whether it stops whatever the other limit on the same finding stops."""
        kinds = ((one.against, one.required, one.sign, one.always_valid) for one in (self, other))
        if next(kinds) != next(kinds):
            return False
        if self.advisory and not other.advisory:
            return False
        stops = all(getattr(self, name) == "stop" or getattr(other, name) != "stop" for name in EFFECTS)
        tight = self.bound <= other.bound if self.at_most is not None else self.bound >= other.bound
        return stops and tight


@dataclass(frozen=True, slots=True)
class Waiver:
    """Responsibility that someone takes for a failed or undecided limit, until a day.

    Examples
    --------
    >>> from datetime import date
    >>> import evenhand as eh
    >>> waived = {"limit": "accuracy", "reason": "Pilot", "owner": "Ana", "expires": date(2030, 1, 31)}
    >>> policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.8}}, "waivers": [waived]})
    >>> policy.waivers[0].owner, policy.waivers[0].expires.isoformat()
    ('Ana', '2030-01-31')
    """

    key: Key
    """The limit's key, or that of one finding it is judged on."""
    reason: str
    """Why it is accepted."""
    owner: str
    """Who answers for it."""
    expires: date
    """The last day on which it holds."""
    approved_by: str = ""
    """Who approved it."""
    accept_to: float | None = None
    """The estimate may be this bad; worse, and the waiver stops covering."""
    starts: date | None = None
    """The first day on which it holds; None: at once."""


@dataclass(frozen=True, slots=True, repr=False)
class Policy:
    """A set of limits.

    See Also
    --------
    evenhand.load_policy : Makes one of a file or a mapping.
    """

    limits: tuple[Limit, ...]
    """Those of the rule packs it extends, then its own in the order of the file."""
    confidence: float = 0.95
    """The confidence that the findings' intervals must have."""
    failing_bound: Literal["simultaneous", "unadjusted"] = "simultaneous"
    """The end that fails a limit on an extreme over groups."""
    family: Literal["limit", "holm"] = "limit"
    """What a failure holds for: each limit for itself, or all blocking limits together by Holm's test."""
    minimum_group_size: int = 0
    """Groups with fewer rows are named as small; none is ever left out."""
    waivers: tuple[Waiver, ...] = ()
    """Limits that are waived for a time."""
    name: str = "policy"
    """The file's name."""
    sha256: str = ""
    """The hash of the file's bytes, and of the files it extends."""
    path: str = "policy.toml"
    """The path of the file, relative to the root of its repository, or to the working directory if it is in none:
    pipelines show limits there."""
    help_url: str = ""
    """The address of a page that explains the gate; empty where none is declared."""
    extends: tuple[str, ...] = ()
    """The rule packs it extends, by name and version."""
    requirements: tuple[Limit, ...] = ()
    """What a record must be for its figures to count: the table ``[require]``."""

    def __repr__(self) -> str:
        waived = f", {len(self.waivers)} waived" if self.waivers else ""
        n = len(self.limits)
        head = f"Policy {self.name}: {n} limit{'s' * (n != 1)}, {len(self.blocking)} of them blocking{waived}"
        foot = [f"Confidence {self.confidence:g}. Go on: eh.judge(record, policy)."]
        return outline(head, [limit.cells for limit in (*self.requirements, *self.limits)], foot)

    def without(self, *names: str) -> Policy:
        """Return the policy without these requirements, where it judges what cannot meet them: a candidate, say."""
        kept = tuple(limit for limit in self.requirements if limit.key.columns[0] not in names)
        return replace(self, requirements=kept)

    @property
    def blocking(self) -> tuple[Limit, ...]:
        """The limits that can stop a release."""
        return tuple(limit for limit in self.limits if not limit.advisory)
