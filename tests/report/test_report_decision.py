"""The first layer of the page: what stops the release, in people, what to do, and all limits on one scale."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.golden.evidence_cases import judged as golden
from tests.report.conftest import record_of

import evenhand as eh
from evenhand.errors import PolicyError
from evenhand.findings import AuditRecord, Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.policy import headline
from evenhand.policy.evidence import decided_end
from evenhand.policy.moving import another_threshold
from evenhand.policy.naming import named
from evenhand.policy.severity import beyond
from evenhand.report.decision import decision
from evenhand.report.figures.distances import INSIDE, distances, span_of

if TYPE_CHECKING:
    from evenhand.policy import Verdict
    from evenhand.report.first import Decision

TODAY = date(2026, 6, 1)
PARTS = ("verdict", "reasons", "acts", "limits-figure")


def judged(record: AuditRecord, limits: dict[str, dict[str, object]], **more: object) -> Verdict:
    return eh.judge(record, eh.load_policy({"limits": limits, **more}), today=TODAY)


@pytest.fixture(scope="module")
def many() -> tuple[AuditRecord, Verdict]:
    """Eight groups, of which five are recalled too rarely, and gaps between them."""
    groups = {f"town{letter}": (900, 0.5, 0.95 if at < 3 else 0.60 - 0.02 * at) for at, letter in enumerate("ABCDEFGH")}
    record = record_of(groups, "place")
    limits = {
        "recall[place=*]": {"at_least": 0.85}, "precision[place=*]": {"at_least": 0.85},
        "accuracy": {"at_least": 0.5}, "accuracy_difference[place]": {"at_most": 0.1},
        "selection_rate_ratio[place]": {"at_least": 0.2},
    }  # fmt: skip
    return record, judged(record, limits)


def layer_one(page: str) -> str:
    """Return the text that is open before the second layer, without the drawing that a wide page hides."""
    shown = re.sub(r'<svg class="narrow".*?</svg>', "", page, flags=re.S)
    shown = re.sub(r"<details.*?</details>", "", shown, flags=re.S)
    shown = re.sub(r"<(title|desc|code)\b.*?</\1>", " ", shown, flags=re.S)
    start, end = shown.index('<section id="verdict"'), shown.index('<section id="limits"')
    return re.sub(r"<[^>]+>", " ", shown[start:end])


def told(found: Decision) -> list[str]:
    return [limit.key for reason in found.reasons for limit in reason.limits]


def test_keys_are_said_in_words() -> None:
    said = {text: named(Key.parse(text)) for text in ("recall[city=Dijon]", "recall[sex=F]", "recall[age=30]")}
    assert list(said.values()) == ["Recall, Dijon", "Recall, sex=F", "Recall, age=30"]
    assert named(Key.parse("accuracy_change[race=black;of=original]")).endswith(", black")


def test_the_worst_five_are_told_and_the_rest_counted(many: tuple[AuditRecord, Verdict]) -> None:
    record, verdict = many
    found = decision(record, verdict)
    stopping = [str(judgement.key) for judgement in verdict.judgements if judgement.stops]
    assert len(found.reasons) == 5
    assert set(told(found)) < set(stopping)
    first = [reason.limits[0].key for reason in found.reasons]
    assert first == sorted(first, key=stopping.index), "worst first"
    left = len(stopping) - len(told(found))
    assert left > 1
    assert found.more == f"{left} more limits stop it."
    for reason in found.reasons:
        for limit in reason.limits:
            at = int(limit.anchor.removeprefix("limit-"))
            assert str(verdict.judgements[at].key) == limit.key, "each leads to its row"


def test_limits_on_the_same_people_are_told_once(many: tuple[AuditRecord, Verdict]) -> None:
    """The gap in accuracy names a group; the limit on that group's own accuracy joins it, and repeats no number."""
    record, _ = many
    limits = {"accuracy_difference[place]": {"at_most": 0.1}, "accuracy[place=*]": {"at_least": 0.85}}
    verdict = judged(record, limits)
    found = decision(record, verdict)
    joint = next(reason for reason in found.reasons if len(reason.limits) > 1)
    assert joint.limits[0].key == "accuracy_difference[place]"
    assert joint.limits[1].key.startswith("accuracy[place=")
    assert len(told(found)) == len(set(told(found)))


@pytest.mark.parametrize("case", ["compas", "german credit", "census", "one municipality of forty"])
def test_no_number_is_said_twice(case: str) -> None:
    text = layer_one(eh.render(*golden(case), "html"))
    text = re.sub(r"\[[^\]]*\]", "", text)  # an estimate may be an end of its own interval
    figures = re.findall(r"\d[\d,]*\.\d+|\d{2,}[\d,]*(?= of )|(?<=of )\d[\d,]+|\d+(?:\.\d+)?(?=\W%)", text)
    assert len(figures) > 3
    assert len(figures) == len(set(figures)), figures


def test_people_and_their_interval_are_told() -> None:
    record, verdict = golden("compas")
    (reason,) = decision(record, verdict).reasons
    assert verdict.judgements[0].evidence is not None
    said = verdict.judgements[0].evidence.sentence
    compared = "The estimate compares race=Asian 9 % (n=23) with race=African-American."
    assert reason.people == f"{said}. {compared}"
    worse = "are worse off than at the rate of race=Other"
    assert reason.harm == f"About 540 people of race=African-American (380 to 669) {worse}."


def test_of_a_single_group_the_sentence_tells_the_estimate_and_the_line_its_interval() -> None:
    record = record_of({"black": (300, 0.5, 0.5), "white": (300, 0.5, 0.95)})
    verdict = judged(record, {"recall[race=black]": {"at_least": 0.8}})
    ((limit,),) = [reason.limits for reason in decision(record, verdict).reasons]
    estimate = verdict.judgements[0].finding
    assert estimate is not None
    assert limit.measured.startswith("between ")
    assert f"{estimate.estimate:.2f}" not in limit.measured
    assert limit.measured.endswith("limit ≥ 0.80")


def test_what_is_missing_is_told_with_its_reason() -> None:
    record = record_of({"a": (40, 0.5, 0.9)})
    verdict = judged(record, {"accuracy": {"at_least": 0.5}, "roc_auc": {"at_least": 0.5}})
    (reason,) = decision(record, verdict).reasons
    assert reason.people.rstrip(".") == verdict.judgements[0].reason.rstrip(".")


def test_only_what_applies_is_advised() -> None:
    passing = record_of({"a": (900, 0.5, 0.95), "b": (900, 0.5, 0.95)})
    assert decision(passing, judged(passing, {"accuracy": {"at_least": 0.5}})).acts == ()
    failing = judged(passing, {"accuracy": {"at_least": 0.99}})
    assert [act.name for act in decision(passing, failing).acts] == ["waive"]
    assert [act.name for act in decision(passing, None).acts] == ["limit"]


def test_rows_to_collect_are_those_of_the_verdicts_advice() -> None:
    record = record_of({"a": (60, 0.5, 0.9), "b": (900, 0.5, 0.9)})
    verdict = judged(record, {"recall[race=a]": {"at_least": 0.8}})
    rows = verdict.judgements[0].needed_rows
    (collect,) = [act for act in decision(record, verdict).acts if act.name == "collect"]
    assert rows is not None
    assert f"About {rows:,} of race=a" in collect.text
    never = judged(record, {"accuracy_difference[race]": {"at_most": 0.02}})
    acts = {act.name: act.text for act in decision(record, never).acts}
    advice = never.judgements[0].advice
    assert advice is not None and advice.found.chance is not None
    assert ("settle" in acts) == (not advice.found.rows)
    chance = f"{round(100 * advice.found.chance.value)} %"
    assert (f": {chance}" if "settle" in acts else f"{chance} chance") in acts.get("settle", acts.get("collect", ""))


def scored(shift: float) -> AuditRecord:
    """Scores of two groups; decided at 0.5, the second is selected less often by `shift` in its scores."""
    truth = [0, 1] * 1000
    score = [(0.1 if y == 0 else 0.9) - shift * (at >= 1000) * (y == 1) for at, y in enumerate(truth)]
    group = ["first"] * 1000 + ["second"] * 1000
    return eh.audit_predictions(truth, y_score=score, sensitive_features={"team": group}, threshold=0.5)


def test_a_threshold_that_keeps_all_limits_is_named_with_its_cost() -> None:
    record = scored(0.45)
    limits: dict[str, dict[str, object]] = {"recall_difference[team]": {"at_most": 0.1}, "accuracy": {"at_least": 0.9}}
    verdict = judged(record, limits)
    assert verdict.status == "failed"
    move = another_threshold(record, verdict)
    assert move is not None and move.to is not None and move.accuracy is not None and move.accuracy_now is not None
    assert 0.1 < move.to <= 0.45
    assert (round(move.accuracy, 3), round(move.accuracy_now, 3)) == (1.0, 0.75)
    again = eh.audit_predictions(
        [0, 1] * 1000,
        y_score=[(0.1 if y == 0 else 0.9) - 0.45 * (at >= 1000) * (y == 1) for at, y in enumerate([0, 1] * 1000)],
        sensitive_features={"team": ["first"] * 1000 + ["second"] * 1000},
        threshold=move.to,
    )
    assert judged(again, limits).status == "passed", "an audit at that threshold says the same"
    (act,) = [act for act in decision(record, verdict).acts if act.name == "threshold"]
    assert "accuracy is then 100.0 %, today 75.0 %" in act.text


def test_where_no_threshold_keeps_them_the_page_says_so() -> None:
    record = scored(0.45)
    verdict = judged(record, {"recall_difference[team]": {"at_most": 0.1}, "selection_rate": {"at_most": 0.3}})
    move = another_threshold(record, verdict)
    assert move is not None and move.to is None
    assert "does not help" in next(act.title for act in decision(record, verdict).acts if act.name == "threshold")
    assert another_threshold(record_of({"a": (40, 0.5, 0.5)}), verdict) is None, "no counts by score, nothing to say"


def test_the_waiver_that_is_shown_can_be_filled_in_and_is_refused_as_it_is() -> None:
    record = record_of({"a": (900, 0.5, 0.95), 'b "c"': (900, 0.5, 0.5)})
    limits = {"accuracy_difference[race]": {"at_most": 0.1}}
    (act,) = [act for act in decision(record, judged(record, limits)).acts if act.name == "waive"]
    (waiver,) = tomllib.loads(act.code)["waivers"]
    with pytest.raises(PolicyError, match="reason"):
        eh.load_policy({"limits": limits, "waivers": [waiver]})
    filled = {**waiver, "reason": "RISK-1", "owner": "me", "approved_by": "you", "expires": date(2026, 7, 1)}
    assert judged(record, limits, waivers=[filled]).status == "passed"


def test_rows_seen_in_training_stay_one_line() -> None:
    record = record_of({"a": (40, 0.5, 0.9)})
    seen = replace(record, provenance={**record.provenance, "rows_seen_in_training": 7})
    (caution,) = decision(seen, None).cautions
    assert caution.sentence.startswith("7 of the evaluation rows")
    assert not decision(record, None).cautions


def test_a_study_has_one_verdict_and_tells_what_keeps_its_models_from_passing() -> None:
    tried = [
        {"name": name, "recipes": [], "balance": [], "failure": "", "verdict": verdict, "sentence": f"{verdict} <= 0.2"}
        for name, verdict in (("a", "failed"), ("b", "undecided"), ("c", "undecided"))
    ]
    told = {"candidates": tried, "smallest": None, "policy": {"name": "policy.toml", "sha256": "0" * 64}, "seeds": 1}
    record = AuditRecord((), provenance={"study": told, "subject": {"name": "credit"}, "data": {}})  # type: ignore[typeddict-item]
    (reason,) = decision(record, None).reasons
    assert (reason.people, reason.harm) == ("Closest to passing: b, c.", "undecided ≤ 0.2")
    page = eh.render(record)
    assert page.count("Not shown yet: no model passes, 2 of 3 are undecided") == 2, "title and heading"
    assert "Measured, not judged" not in page
    passing = {**told, "smallest": "c"}
    assert not decision(replace(record, provenance={**record.provenance, "study": passing}), None).reasons  # type: ignore[typeddict-item]


@pytest.mark.parametrize("told", [{"id": "{x.__class__}", "places": {"x": 1}}, {"id": "{a} {b}", "places": {"a": 1}}])
def test_a_verdict_of_a_study_that_cannot_be_read_is_told_as_its_text(told: dict[str, object]) -> None:
    tried = [
        {
            "name": "a",
            "recipes": [],
            "balance": [],
            "failure": "",
            "verdict": "failed",
            "sentence": "x <= 1",
            "told": told,
        }
    ]
    study = {"candidates": tried, "smallest": None, "policy": {"name": "policy.toml", "sha256": "0" * 64}, "seeds": 1}
    record = AuditRecord((), provenance={"study": study, "subject": {"name": "credit"}, "data": {}})  # type: ignore[typeddict-item]
    (reason,) = decision(record, None).reasons
    assert reason.harm == "x ≤ 1"


STATED = {
    "r2": (0.4, 0.3, 0.5, {"at_least": 0.6}),
    "file_bytes": (3e6, None, None, {"at_most": 1e6}),
    "selection_rate_ratio[sex]": (0.7, 0.5, 0.9, {"at_least": 0.8}),
    "mean_absolute_error": (2.0, 1.5, 2.5, {"at_most": 3}),
    "recall[sex=F]": (0.9, 0.85, 0.95, {"at_least": 0.8}),
    "accuracy_change[;of=original]": (-0.01, -0.05, 0.0, {"at_least": -0.02}),
}  # fmt: skip


@pytest.fixture(scope="module")
def mixed() -> Verdict:
    """Limits on a ratio, an error, an R2, a rate, a change and a size."""
    findings = []
    for text, (estimate, low, high, _) in STATED.items():
        interval = None if low is None else Interval(low, high, 0.95, "wilson")
        part = GroupValue("", estimate, 100, 100)
        findings.append(Finding(Key.parse(text), "x", estimate, interval, support=100, groups=(part,)))
    return judged(AuditRecord(tuple(findings)), {text: dict(limit) for text, (*_, limit) in STATED.items()})


def test_all_kinds_of_limits_are_on_the_scale_of_severity(mixed: Verdict) -> None:
    """The end that decided is where the order of the limits has it; the limit is at 0, the best value at -1."""
    spans = {span.key: span for span in map(span_of, mixed.judgements)}
    assert set(spans) == set(STATED)
    for judgement in mixed.judgements:
        span, finding = spans[str(judgement.key)], judgement.finding
        assert finding is not None and finding.estimate is not None and span.at is not None
        better = "low" if judgement.limit.at_most is not None else "high"
        ends = {better: span.low, ({"low", "high"} - {better}).pop(): span.high}
        assert ends[decided_end(judgement.limit, judgement.status)] == pytest.approx(judgement.severity)
        assert span.at == pytest.approx(beyond(finding.estimate, judgement.limit))
        assert span.low <= span.at <= span.high
        assert (span.low > 0) == (judgement.status == "failed")
        assert (span.high <= 0) == (judgement.status == "passed")
    assert spans["file_bytes"].at == pytest.approx(2.0)


def test_both_drawings_show_the_same_limits_at_the_same_shares(mixed: Verdict) -> None:
    figure = distances(mixed.judgements)
    assert figure is not None
    wide, narrow = figure.sheets
    assert narrow.width <= 334, "a phone of 360 px has no more room"
    for one, other in zip(wide.bars, narrow.bars, strict=True):
        assert one.span is other.span
        shares = [
            [(end - sheet.left) / (sheet.right - sheet.left) for end in (bar.low, bar.high)]
            for sheet, bar in ((wide, one), (narrow, other))
        ]
        assert shares[0] == pytest.approx(shares[1], abs=0.001)
    assert wide.ticks[0].x == wide.left
    assert INSIDE == -1
    keys = [bar.key for bar in narrow.bars]
    assert keys == [str(judgement.key) for judgement in mixed.judgements], "worst first"


def test_an_open_end_goes_to_the_edge() -> None:
    interval = Interval(0.05, None, 0.95, "bootstrap")
    part = GroupValue("", 0.08, 100, 100)
    found = Finding(Key.parse("accuracy_difference[sex]"), "fairness", 0.08, interval, support=100, groups=(part,))
    verdict = judged(AuditRecord((found,)), {"accuracy_difference[sex]": {"at_most": 0.1}})
    figure = distances(verdict.judgements)
    assert figure is not None
    for sheet in figure.sheets:
        assert sheet.bars[0].high == sheet.right
        assert sheet.bars[0].opens == (False, True)


def test_more_than_twelve_are_left_to_the_table(many: tuple[AuditRecord, Verdict]) -> None:
    figure = distances(many[1].judgements)
    assert figure is not None
    assert len(figure.sheets[0].bars) == 12
    assert figure.more == len(many[1].judgements) - 12
    few = distances(many[1].judgements, words=0)
    assert few is not None
    assert len(few.sheets[0].bars) == 6, "some are drawn however much is said before"


def test_every_limit_is_in_the_folded_table(many: tuple[AuditRecord, Verdict]) -> None:
    page = eh.render(*many)
    table = page[page.index('<section id="limits"') :]
    assert table.index("<details") < table.index('<table id="limits-table"') < table.index("</details>")
    assert re.findall(r'<tr id="(limit-\d+)"', table) == [f"limit-{at}" for at in range(len(many[1].judgements))]
    for anchor in re.findall(r'href="#(limit-\d+)"', page):
        assert f'<tr id="{anchor}"' in table


@pytest.mark.parametrize("case", ["compas", "german credit", "several classes"])
def test_the_first_layer_has_at_most_400_words(case: str) -> None:
    assert len(layer_one(eh.render(*golden(case), "html")).split()) <= 400


def test_the_headline_is_the_title_everywhere(many: tuple[AuditRecord, Verdict]) -> None:
    record, verdict = many
    said = headline(verdict).text
    page = eh.render(record, verdict)
    assert re.search(rf"<title>[^<]*: {re.escape(said)}</title>", page)
    assert re.search(rf"<h2[^>]*>.*{re.escape(said)}.*</h2>", page)
    assert f"**▲ {said}.**" in eh.render(record, verdict, "markdown")
    assert f"▲ {said}." in eh.render(record, verdict, "text").splitlines()


def test_a_status_never_breaks_inside_the_word() -> None:
    page = eh.render(*golden("german credit"))
    style = re.search(r"\.word\{([^}]*)\}", page)
    assert style is not None and "white-space:nowrap" in style[1]
    assert all('class="word"' in each for each in re.findall(r"<p class=\"limit .*?</p>", page, re.S))


def test_an_interval_without_an_end_names_the_group_of_too_few_rows_and_what_decides_it() -> None:
    truth = np.linspace(0, 1, 61)
    towns = ["a"] * 30 + ["b"] * 30 + ["c"]
    record = eh.audit_predictions(truth, truth + 0.1, sensitive_features={"town": towns}, task="regression")
    found = decision(record, judged(record, {"mae_difference[town]": {"at_most": 0.05}}))
    assert "The interval has no end: of town=c there is 1 row." in found.reasons[0].people
    (lack,) = [act for act in found.acts if act.name == "lack"]
    assert lack.text == "They alone can decide Mean absolute error difference, town."
