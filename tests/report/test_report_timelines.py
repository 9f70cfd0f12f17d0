"""The page of a timeline: the verdict and the alarms first, figures over time, every name as text."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.report.test_report_page import Reader
from tests.report.timeline_cases import CASES, CHANGED, HOSTILE, alarmed, course, large, passing, undecided

from evenhand.errors import InputError
from evenhand.report.drawings import Table
from evenhand.report.figures.bands import Course, Stand, band_figure
from evenhand.report.over_time import Bands, Multiples
from evenhand.report.timelines.drawn import Room
from evenhand.report.timelines.first import headline
from evenhand.report.timelines.html import html
from evenhand.report.timelines.page import build_page
from evenhand.report.timelines.rendering import FORMATS, render_timeline, write_timeline_report
from evenhand.report.view import said
from evenhand.timelines import Moment, Series, Timeline, read_timeline, write_timeline
from evenhand.words import language

if TYPE_CHECKING:
    from evenhand.report.view import Part

GOLDEN = Path(__file__).parents[1] / "golden" / "report"
ENDINGS = {"html": "html", "markdown": "md", "text": "txt"}


def part_of(timeline: Timeline, name: str) -> Part:
    return next(part for part in build_page(timeline, Room()).parts if part.name == name)


def drawn(timeline: Timeline, name: str) -> tuple[Bands, ...]:
    block = part_of(timeline, name).blocks[0]
    assert isinstance(block, Multiples)
    return block.figures


@pytest.mark.parametrize("form", ENDINGS)
@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, form: str) -> None:
    """Any change of what people read is seen in the difference; EVENHAND_UPDATE_GOLDEN=1 writes it anew."""
    made = render_timeline(CASES[name](), form)
    place = GOLDEN / f"timeline_{name}.{ENDINGS[form]}"
    if os.environ.get("EVENHAND_UPDATE_GOLDEN"):
        place.write_text(made, encoding="utf-8")
    assert made == place.read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize("name", CASES)
def test_the_page_is_well_formed(name: str, lang: str) -> None:
    page = Reader(render_timeline(CASES[name](), lang=lang))
    assert (page.open, page.wrong) == ([], [])
    ids = Counter(str(attrs["id"]) for _, attrs in page.tags if "id" in attrs)
    assert [each for each, count in ids.items() if count > 1] == []
    assert {str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a"} <= set(ids)
    named = [value for _, attrs in page.tags for value in str(attrs.get("aria-labelledby") or "").split()]
    assert set(named) <= set(ids)


@pytest.mark.parametrize("name", CASES)
def test_it_loads_and_runs_nothing(name: str) -> None:
    page = render_timeline(CASES[name]())
    tags = {tag for tag, _ in Reader(page).tags}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "object", "form", "button"})
    assert "default-src 'none'" in page
    assert all(str(attrs.get("href", "#")).startswith("#") and "src" not in attrs for _, attrs in Reader(page).tags)


def test_every_hostile_name_is_text() -> None:
    page = Reader(render_timeline(CASES["hostile"]()))
    assert "<script>alert(1)</script>" in page.words
    assert "{{ 7*7 }}" in page.words
    assert HOSTILE[-1] not in page.words  # a name of 10,000 letters is cut
    assert "::error" not in [line[:7] for line in render_timeline(CASES["hostile"](), "text").splitlines()]


def test_what_changed_since_when_and_whom_it_touches_come_first() -> None:
    words = Reader(render_timeline(alarmed())).words
    first = words[: words.index("Over time")]
    for told in (
        "Alarm on 2026-03-26: Drift of income, and 1 more", "Seen on 2026-03-26, by the rows since 2026-03-23.",
        "income: the share of values up to 21,000 went from 0.30 to 0.44.", "Whom it touches: female, male.",
        "0.030 at the audit, since then 0.181 [0.112, 0.250]; limit ≤ 0.10.", "at most 0.05",
    ):  # fmt: skip
        assert told in first


def test_the_headline_follows_the_verdict() -> None:
    timeline = alarmed()
    told = {
        headline(replace(timeline, verdict=verdict, alarms=alarms))
        for verdict, alarms in (
            ("failed", timeline.alarms), ("failed", ()), ("passed", ()), ("undecided", ()), ("passed", timeline.alarms),
        )
    }  # fmt: skip
    assert len(told) == 5
    assert {line for line in told if line.startswith("No alarm")} == {
        "No alarm: every limit holds on all labels so far", "No alarm; not every limit is shown to hold yet",
        "No alarm that stops; 2 alarms only warn",
    }  # fmt: skip


def test_an_alarm_is_drawn_at_the_value_that_shows_it() -> None:
    """The line of all rows so far may still be inside its limit: the rows since the change are not."""
    figure = next(each for each in drawn(alarmed(), "limits") if each.alarm is not None)
    assert figure.alarm is not None
    assert figure.alarm[1] < min(figure.limits)  # higher on the page: the value is above the limit
    assert figure.shown.startswith(f"M{figure.left + (figure.right - figure.left) * CHANGED / 39:.4g}"[:5])
    assert "first alarm on 2026-04-03" in figure.description


def test_the_line_is_inside_its_band() -> None:
    for figure in drawn(passing(), "limits"):
        line = _places(figure.line)
        outline = _places(figure.band)
        low, high = outline[: len(line)], outline[len(line) :][::-1]
        assert [x for x, _ in low] == [x for x, _ in line] == [x for x, _ in high]
        assert all(top <= y <= bottom for (_, y), (_, bottom), (_, top) in zip(line, low, high, strict=True))


def _places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_where_there_is_no_value_there_is_no_line() -> None:
    stands = [Stand(0, 0.1), Stand(1, 0.2), Stand(2, None), Stand(3, 0.3), Stand(4, float("inf"))]
    figure = band_figure("a", "", "", Course(stands), ["a"] * 5, Table("", "", (), ()))
    assert figure.line.count("M") == 2
    assert len(_places(figure.line)) == 3
    assert figure.instead == ""
    empty = band_figure("a", "", "", Course([Stand(0, None)]), ["a"], Table("", "", (), ()))
    assert (empty.line, empty.band, empty.instead) == ("", "", "no value yet")


def test_an_end_without_a_bound_reaches_the_end_of_the_axis() -> None:
    stands = [Stand(0, 0.1, 0.05, None), Stand(1, 0.1, None, 0.2)]
    figure = band_figure("a", "", "", Course(stands), ["a", "b"], Table("", "", (), ()))
    heights = [y for _, y in _places(figure.band)]
    assert max(heights) == figure.floor
    assert min(heights) < figure.floor - 100


def test_what_is_estimated_is_dashed_named_an_estimate_and_never_alarms() -> None:
    timeline = alarmed()
    estimate = next(each for each in timeline.series if each.kind == "estimate")
    alarms = (replace(timeline.alarms[0], key=estimate.key), *timeline.alarms)
    (figure,) = drawn(replace(timeline, alarms=alarms), "estimates")
    assert figure.guess
    assert figure.alarm is None
    assert "estimated without labels" in figure.title
    assert "not a measurement" in part_of(timeline, "estimates").lead[0]
    assert not any(each.guess for each in drawn(timeline, "performance"))


def test_alarmed_inputs_come_first_then_the_strongest() -> None:
    series = tuple(course(f"drift[{at}]", "input", 0.0, at / 100, 30, at_most=0.05) for at in (3, 9, 1, 6))
    alarm = replace(alarmed().alarms[0], key="drift[1]")
    timeline = replace(passing(), series=series, alarms=(alarm,))
    assert [each.title for each in drawn(timeline, "drift")] == [f"Drift of {at}" for at in (1, 9, 6, 3)]


def test_series_that_are_not_drawn_are_counted() -> None:
    part = part_of(large(), "limits")
    assert "12 of 40 are drawn, those that matter most first." in part.lead
    assert "and 37 more" in part.answer


def test_no_share_of_labels_is_above_one() -> None:
    late = replace(passing(), moments=tuple(replace(each, labelled=10**9) for each in passing().moments))
    assert "20,000 of 20,000 rows have a label (100 %)" in part_of(late, "labels").answer


def test_without_labels_it_says_so() -> None:
    assert part_of(undecided(), "labels").answer == "No row has a label yet, so no limit on errors can pass."
    assert "No label has come yet." in render_timeline(undecided(), "markdown")


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_timeline_is_drawn_too(form: str) -> None:
    assert "Nothing was watched yet" in render_timeline(Timeline((), ()), form) or form == "json"
    one = Timeline((Moment("a", None, 0, 0),), (Series("recall[", "limit", ()),))
    assert render_timeline(one, form)


def test_moments_that_do_not_exist_are_no_error() -> None:
    timeline = alarmed()
    alarms = tuple(replace(each, at=999, since=500) for each in timeline.alarms)
    assert "an unknown time" in render_timeline(replace(timeline, alarms=alarms))


def test_a_page_stays_small() -> None:
    """50 inputs, 60 groups, 40 limits and 400 moments are no more than a usual page."""
    assert len(html(large()).encode()) < 300_000
    assert len(render_timeline(large(), "markdown").encode()) < 60_000


def test_json_is_the_timeline_itself(tmp_path: Path) -> None:
    write_timeline_report(tmp_path / "copy.json", alarmed())
    write_timeline(tmp_path / "monitor.json", alarmed())
    assert (tmp_path / "copy.json").read_bytes() == (tmp_path / "monitor.json").read_bytes()
    assert read_timeline(tmp_path / "copy.json") == alarmed()


def test_what_cannot_be_drawn_says_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not drawn as junit.*html, markdown, text, json"):
        render_timeline(passing(), "junit")
    with pytest.raises(InputError, match="stays as it is; html and markdown speak zh-CN"):
        render_timeline(passing(), "text", lang="zh-CN")
    with pytest.raises(InputError, match=r"'\.pdf' names no format of a timeline"):
        write_timeline_report(tmp_path / "page.pdf", passing())


def test_chinese_says_it_all() -> None:
    page = said(build_page(alarmed(), Room()), language("zh-CN"))
    if page.headline == build_page(alarmed(), Room()).headline:
        pytest.skip("the catalogue has no words of this page")
    told = [page.sentence, *(part.title for part in page.parts), *(text for part in page.parts for text in part.lead)]
    own = {"Only those who were approved"}  # sentences of the case itself
    assert [text for text in told if text.isascii() and not any(text.startswith(each) for each in own)] == []
