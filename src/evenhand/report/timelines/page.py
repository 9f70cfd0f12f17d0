"""The page of a timeline as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from evenhand.messages import message
from evenhand.report.numbers import cut
from evenhand.report.timelines.first import Told, alarms, headline, sentence
from evenhand.report.timelines.parts import parts

if TYPE_CHECKING:
    from typing import Literal

    from evenhand.report.timelines.drawn import Room
    from evenhand.report.view import Part
    from evenhand.timelines import Timeline

TITLE: Final = message("Monitoring")


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """All that a page of a timeline says."""

    title: str
    subtitle: str
    status: Literal["passed", "failed", "undecided"]
    headline: str
    sentence: str
    alarms: tuple[Told, ...]
    more: str
    """How many more alarms there are."""
    parts: tuple[Part, ...]
    version: str
    lang: str = "en"

    @property
    def opened(self) -> tuple[Part, ...]:
        """The parts that a reader has to see."""
        return tuple(part for part in self.parts if part.open)

    @property
    def folded(self) -> tuple[Part, ...]:
        """The other parts."""
        return tuple(part for part in self.parts if not part.open)


def build_page(timeline: Timeline, room: Room) -> TimelinePage:
    """Return the page of a timeline."""
    told, more = alarms(timeline)
    name, policy = (_name(timeline, block) for block in ("model", "policy"))
    title = message("Monitoring of {model}", model=name) if name else TITLE
    subtitle = message("Judged by {policy}, against the audited baseline", policy=policy) if policy else ""
    return TimelinePage(
        title, subtitle, timeline.verdict, headline(timeline), sentence(timeline), told, more, parts(timeline, room),
        _version(timeline),
    )  # fmt: skip


def _name(timeline: Timeline, block: str) -> str:
    found = timeline.provenance.get(block)
    name = found.get("name", "") if isinstance(found, dict) else found
    return cut(name, 80) if isinstance(name, str) else ""


def _version(timeline: Timeline) -> str:
    versions = timeline.provenance.get("versions")
    return cut(str(versions.get("evenhand", "")), 40) if isinstance(versions, dict) else ""
