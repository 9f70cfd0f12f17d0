"""Evidence and burden: who decided a limit, who bears it, and what comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.golden.evidence_cases import CASES, judged

import evenhand as eh
from evenhand.findings import AuditRecord, Finding, GroupValue, Interval
from evenhand.keys import Key
from evenhand.metrics import METRICS, Tally, measure
from evenhand.metrics.comparisons.crossing import crossing_groups, crossing_pairs
from evenhand.metrics.comparisons.excess import excess_beyond, excess_over_best
from evenhand.policy.telling import burden_sentence, harm_sentence

if TYPE_CHECKING:
    from evenhand.policy import Judgement


def only(rows: dict[str, list[list[int]]], limits: dict[str, Any], **roles: Any) -> list[Judgement]:
    """Return the judgements of groups of known counts [truth][decision]."""
    cells = [
        (group, true, decided)
        for group, table in rows.items()
        for true, counts in enumerate(table)
        for decided, n in enumerate(counts)
        for _ in range(n)
    ]
    group, true, decided = (list(column) for column in zip(*cells, strict=True))
    record = eh.audit_predictions(true, decided, sensitive_features={"race": group}, positive=1, **roles)
    return list(eh.judge(record, eh.load_policy({"limits": limits})).judgements)


class TestGoldenCases:
    """Records of known counts."""

    @pytest.mark.parametrize("name", CASES)
    def test_the_groups_that_decided_are_named_and_no_others(self, name: str) -> None:
        case, (_, verdict) = CASES[name], judged(name)
        (judgement,) = verdict.judgements
        evidence = judgement.evidence
        assert judgement.status == case["status"]
        assert evidence is not None
        assert all(group in evidence.sentence for group in case["named"])
        assert case["sentence"] in ("", evidence.sentence)
        said = f"{verdict.sentence} {judgement.sentence} {harm_sentence(judgement)}"
        assert not [group for group in case["innocent"] if f"={group}" in said]
        assert len(evidence.sentence) <= 150

    @pytest.mark.parametrize("name", CASES)
    def test_most_people_shown_to_be_harmed_come_first(self, name: str) -> None:
        burden = judged(name)[1].judgements[0].burden
        assert burden[0].group == CASES[name]["harmed"]
        assert burden[0].shown
        assert [part.low for part in burden] == sorted((part.low for part in burden), reverse=True)
        assert all(part.low <= part.excess <= part.high for part in burden)

    def test_the_failing_bound_is_that_of_the_groups_that_are_named(self) -> None:
        """The interval of the two groups, at the level of all, is outside the limit, as that of all is."""
        _, verdict = judged("compas")
        (judgement,) = verdict.judgements
        evidence, finding = judgement.evidence, judgement.finding
        assert evidence is not None
        assert finding is not None
        assert finding.deciding is not None
        assert {part.group for part in evidence.groups} == {part.group for part in finding.deciding.low}
        assert evidence.end == "low"
        assert [(part.counted, part.support) for part in evidence.groups] == [(805, 1795), (36, 244)]


class TestDirection:
    """Who is harmed follows from the favourable outcome, then from the metric."""

    rows = {"a": [[300, 100], [200, 200]], "b": [[300, 100], [60, 340]]}  # noqa: RUF012  # read only

    @pytest.mark.parametrize(("favourable", "harmed"), [(0, "race=b"), (1, "race=a"), (None, "race=a")])
    def test_of_recall(self, favourable: int | None, harmed: str) -> None:
        roles = {} if favourable is None else {"favourable": favourable}
        (judgement,) = only(self.rows, {"recall_difference[race]": {"at_most": 0.1}}, **roles)
        assert [part.group for part in judgement.burden] == [harmed]
        assert judgement.evidence is not None
        assert judgement.evidence.groups[0].group == harmed[-1]

    def test_of_selection_nothing_says_it(self) -> None:
        (judgement,) = only(self.rows, {"selection_rate_difference[race]": {"at_most": 0.05}})
        assert judgement.burden == ()
        assert harm_sentence(judgement) == "Who is harmed depends on which outcome is favourable; none was declared."

    def test_of_accuracy_the_metric_says_it(self) -> None:
        for favourable in (0, 1):
            (judgement,) = only(self.rows, {"accuracy_difference[race]": {"at_most": 0.1}}, favourable=favourable)
            assert [part.group for part in judgement.burden] == ["race=a"]

    def test_decisions_are_counted_by_rates_of_one_truth_or_all(self) -> None:
        counted = {name: metric.decision for name, metric in METRICS.items() if metric.decision is not None}
        negative = {"rejection_rate", "false_negative_rate", "specificity"}
        assert {name for name, decision in counted.items() if decision == 0} == negative
        positive = {"selection_rate", "favourable_rate", "recall", "false_positive_rate", "stereotype_rate"}
        assert {name for name, decision in counted.items() if decision == 1} == positive

    def test_a_value_limit_that_protects_whom_the_outcome_favours_burdens_nobody(self) -> None:
        rows = {"a": [[300, 100], [300, 100]], "b": [[300, 100], [60, 340]]}
        limits = {"recall_group_min[race]": {"at_least": 0.5}}
        (against,) = only(rows, limits, favourable=0)
        (along,) = only(rows, limits, favourable=1)
        assert against.burden == ()
        assert [part.group for part in along.burden] == ["race=a"]
        assert burden_sentence(along.burden) == (
            "About 100 more people of race=a (79 to 119) are harmed than the limit allows."
        )


class TestParts:
    """A disparity that is the worst of several is told by the part that decided."""

    def test_the_rate_of_equalized_odds_is_that_of_the_bound(self) -> None:
        """The widest gap, in recall, rests on four rows; the one in false positives decides."""
        rows = {"a": [[900, 100], [2, 2]], "b": [[600, 400], [500, 500]]}
        rows["c"] = [[900, 100], [0, 4]]
        (judgement,) = only(rows, {"equalized_odds_difference[race]": {"at_most": 0.1}}, favourable=0)
        assert judgement.finding is not None
        assert judgement.evidence is not None
        assert judgement.finding.component == "recall"
        assert judgement.evidence.metric == "false_positive_rate"
        assert str(judgement.evidence.key) == "false_positive_rate_difference[race]"
        assert judgement.evidence.sentence.startswith("Of race=b with y_true=0, 40 % were decided 1 (400 of 1,000)")

    def test_the_class_is_named(self) -> None:
        evidence = judged("several classes")[1].judgements[0].evidence
        assert evidence is not None
        assert evidence.key.qualifier("class") == "mid"

    def test_a_reference_is_named(self) -> None:
        rows = {"a": [[800, 200], [10, 10]], "b": [[600, 400], [10, 10]], "c": [[850, 150], [10, 10]]}
        told = {"rest": "of the other groups, 18 % (350 of 2,000)", "overall": "of all rows, 25 % (750 of 3,000)"}
        for to, said in told.items():
            key = f"false_positive_rate_difference[race;vs={to}]"
            (judgement,) = only(rows, {key: {"at_most": 0.1}}, favourable=0)
            assert judgement.evidence is not None
            assert judgement.evidence.sentence == f"Of race=b with y_true=0, 40 % were decided 1 (400 of 1,000); {said}"


class TestUndecided:
    """What keeps a limit open."""

    def test_all_pairs_that_cross_the_limit_are_known(self) -> None:
        rows = {name: [[30, 10], [20, 20]] for name in "abcd"} | {"e": [[3000, 1000], [2000, 2000]]}
        (judgement,) = only(rows, {"recall_difference[race]": {"at_most": 0.2}})
        evidence = judgement.evidence
        assert judgement.status == "undecided"
        assert evidence is not None
        assert len(evidence.open) + evidence.more == 6  # of small groups with each other; none with the large one
        assert all("e" not in names for names in evidence.open)
        assert "5 more pairs of groups are undecided" in evidence.sentence

    def test_pairs_that_two_rates_compare_are_counted_as_comparisons(self) -> None:
        rows = {name: [[20, 20], [20, 20]] for name in "abc"}
        (judgement,) = only(rows, {"equalized_odds_difference[race]": {"at_most": 0.2}})
        assert judgement.evidence is not None
        assert "5 more comparisons of two groups are undecided" in judgement.evidence.sentence  # of 3 pairs, by 2 rates

    @pytest.mark.parametrize("how", ["difference", "ratio"])
    def test_the_furthest_pair_is_the_bound_of_all(self, how: Any) -> None:
        rng = np.random.default_rng(3)
        tally = Tally(rng.integers(5, 60, (9, 2, 2)))
        from evenhand.metrics.comparisons.disparities import compare

        values = measure("recall", tally)
        found, bound = compare(values, how), 0.5
        crossing = crossing_pairs(values, how, bound)
        end = found.unadjusted_high if how == "difference" else found.unadjusted_low
        assert end is not None
        assert crossing[0][0] == pytest.approx(abs(end - bound))
        assert set(crossing[0][1]) == set(found.deciding[1 if how == "difference" else 0])

    def test_groups_cross_a_limit_on_values_alone(self) -> None:
        values = measure("recall", Tally(np.array([[[5, 5], [5, 95]], [[5, 5], [50, 50]], [[5, 5], [45, 55]]])))
        assert [groups for _, groups in crossing_groups(values, "group_min", 0.5)] == [(1,), (2,)]

    def test_of_thousands_of_groups_only_the_furthest_are_paired(self) -> None:
        values = measure("recall", Tally(np.random.default_rng(1).integers(1, 60, (3000, 2, 2))))
        assert 0 < len(crossing_pairs(values, "difference", 0.5)) <= 150 * 149 / 2


class TestExcess:
    """The interval of the people harmed covers, for all groups at once."""

    def test_it_covers(self) -> None:
        rng = np.random.default_rng(11)
        sizes, rates = np.array([400, 60, 25, 900]), np.array([0.3, 0.2, 0.25, 0.2])
        missed = 0
        for _ in range(400):
            events = rng.binomial(sizes, rates)
            cells = np.zeros((4, 2, 2), dtype=int)
            cells[:, 0, 0], cells[:, 0, 1] = sizes - events, events
            found = excess_over_best(measure("false_positive_rate", Tally(cells)), 1, 0.95)
            assert found is not None
            truth = (rates[found.groups] - rates[found.reference]) * sizes[found.groups]
            missed += bool((truth < found.low - 1e-9).any())
        assert missed / 400 <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / 400)

    def test_a_lucky_group_of_three_is_no_reference(self) -> None:
        cells = np.array([[[3, 0], [1, 1]], [[900, 100], [1, 1]], [[600, 400], [1, 1]]])
        found = excess_over_best(measure("false_positive_rate", Tally(cells)), 1, 0.95)
        assert found is not None
        assert found.reference == 1

    def test_beyond_a_limit_it_is_the_interval_of_the_rate(self) -> None:
        values = measure("recall", Tally(np.array([[[5, 5], [30, 70]]])))
        found = excess_beyond(values, 0.8, -1, 0.95)
        assert found is not None
        assert found.estimate[0] == pytest.approx(10)
        assert found.low[0] == pytest.approx(100 * (0.8 - values.high[0]))

    def test_rows_with_weights_are_not_counted_in_words(self) -> None:
        rows = {"race": ["a"] * 300 + ["b"] * 300}
        truth, decided = ([0] + [1] * 299) * 2, [1] * 250 + [0] * 50 + [1] * 100 + [0] * 200
        record = eh.audit_predictions(truth, decided, sensitive_features=rows, sample_weight=[1.0, 2.0] * 300)
        verdict = eh.judge(record, eh.load_policy({"limits": {"recall_difference[race]": {"at_most": 0.1}}}))
        said = "Of race=b with y_true=1, 33 % were decided 1 (n=299); of race=a, 83 % (n=299)"
        assert verdict.judgements[0].sentence == said


class TestSeverity:
    """Limits of one status are ordered by how far they are missed."""

    def verdict(self, *found: tuple[str, float, float, float], **limits: dict[str, float]) -> list[str]:
        findings = tuple(
            Finding(Key.parse(key), "made", value, Interval(low, high, 0.95, "x"), 100,
                    groups=(GroupValue("", value, 100, 100),))
            for key, value, low, high in found
        )  # fmt: skip
        verdict = eh.judge(AuditRecord(findings), eh.load_policy({"limits": limits}))
        return [str(judgement.key) for judgement in verdict.judgements]

    def test_in_units_of_what_is_allowed(self) -> None:
        """Accuracy of .70 to .75 misses .80 by .05 of .20; an error of .30 to .35 exceeds .20 by .10 of .20."""
        order = self.verdict(
            ("accuracy", 0.72, 0.70, 0.75), ("error_rate", 0.32, 0.30, 0.35), ("false_positive_rate", 0.04, 0.03, 0.05),
            accuracy={"at_least": 0.8}, error_rate={"at_most": 0.2}, false_positive_rate={"at_most": 0.01},
        )  # fmt: skip
        assert order == ["false_positive_rate", "error_rate", "accuracy"]

    def test_of_what_passed_the_nearest_comes_first(self) -> None:
        order = self.verdict(
            ("accuracy", 0.95, 0.94, 0.96), ("precision", 0.85, 0.82, 0.88),
            accuracy={"at_least": 0.8}, precision={"at_least": 0.8},
        )  # fmt: skip
        assert order == ["precision", "accuracy"]

    def test_a_change_is_measured_by_what_is_allowed_of_it(self) -> None:
        key = "accuracy_change[;of=original]"
        findings = (
            Finding(Key.parse(key), "made", -0.06, Interval(-0.07, -0.05, 0.95, "x"), 100),
            Finding(Key.parse("accuracy"), "made", 0.7, Interval(0.68, 0.72, 0.95, "x"), 100),
        )
        policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.8}, key: {"at_least": -0.02}}})
        found = {str(j.key): j.severity for j in eh.judge(AuditRecord(findings), policy).judgements}
        assert found == {key: pytest.approx(1.5), "accuracy": pytest.approx(0.4)}


def test_a_claim_without_counts_is_told_by_the_groups_it_names() -> None:
    parts = (GroupValue("a", 0.6, 40, 60), GroupValue("b", 0.9, 400, 500))
    found = Finding(
        Key.parse("roc_auc_difference[race]"), "made", 0.3, Interval(0.2, 0.4, 0.95, "x"), 440, groups=parts,
        component="roc_auc",
    )  # fmt: skip
    policy = eh.load_policy({"limits": {"roc_auc_difference[race]": {"at_most": 0.1}}})
    (judgement,) = eh.judge(AuditRecord((found,)), policy).judgements
    assert judgement.sentence == "ROC AUC: race=a 0.60 (n=40), race=b 0.90 (n=400)"
    assert judgement.burden == ()
    (bare,) = eh.judge(AuditRecord((replace(found, groups=()),)), policy).judgements
    assert (bare.sentence, bare.evidence) == ("n=440", None)


def test_percentages_do_not_hide_a_difference_or_cross_a_limit() -> None:
    rows = {"a": [[5, 5], [8002, 1998]], "b": [[5, 5], [8001, 1999]]}
    (gap,) = only(rows, {"recall_difference[race]": {"at_most": 0.1}})
    assert "19.98 %" in gap.sentence
    assert "19.99 %" in gap.sentence
    (least,) = only({"a": [[5, 5], [2004, 7996]]}, {"recall_group_min[race]": {"at_least": 0.8}})
    assert least.evidence is not None
    assert "79.96 %" in least.evidence.sentence


def test_of_people_with_several_rows_rows_are_counted() -> None:
    truth, decided = [0, 1] * 300, [0, 1] * 150 + [1, 1] * 150
    rows = {"race": ["a"] * 300 + ["b"] * 300}
    person = [at // 3 for at in range(600)]
    record = eh.audit_predictions(truth, decided, sensitive_features=rows, cluster=person, favourable=0)
    policy = eh.load_policy({"limits": {"false_positive_rate_difference[race]": {"at_most": 0.1}}})
    (judgement,) = eh.judge(record, policy).judgements
    assert "rows of race=b" in burden_sentence(judgement.burden)


def test_a_distance_over_classes_does_not_speak_of_a_positive_class() -> None:
    truth, said = ["a", "b", "c"] * 200, ["a", "b", "c"] * 100 + ["a", "a", "c"] * 100
    record = eh.audit_predictions(truth, said, sensitive_features={"g": ["x"] * 300 + ["y"] * 300})
    limits = {"selection_distance[g]": {"at_most": 0.1}, "equalized_odds_distance[g]": {"at_most": 0.1}}
    by_metric = {judgement.key.metric: judgement for judgement in eh.judge(record, limits).judgements}
    overall = by_metric["selection_distance"].sentence
    said = "Of g=x, 33 % were decided alike, in the class that is commonest there (n=300); of g=y, 67 % (n=300)"
    assert overall.partition(". Who")[0].startswith(said)
    assert all("positive" not in judgement.sentence for judgement in by_metric.values())
