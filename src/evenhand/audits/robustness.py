"""Which decisions turn when inputs are corrupted as they are in use, how much is lost, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from evenhand.audits.by_group import codes_of, values
from evenhand.audits.statement import SPARED, Audit, Statement, disparity_finding, not_applicable
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import joined, lowered, message, sentences
from evenhand.metrics import Tally, compare, means, measure, measured_mean
from evenhand.metrics.comparisons.changes import measure_change
from evenhand.metrics.comparisons.corrupted import (
    NEARNESS,
    NO_MOVE,
    corrupted_flips,
    gap_changes,
    shared_level,
    told_together,
    worst,
)
from evenhand.metrics.comparisons.disparities import worst_of
from evenhand.metrics.counts.joint import JointTally
from evenhand.metrics.values.few_rows import few_moved
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.data import Grouping
    from evenhand.evidence import Evidence
    from evenhand.evidence.corrupting import Answered, Corrupting
    from evenhand.findings import Unit
    from evenhand.metrics.values.rates import Measured
    from evenhand.probing.corruption.ranges import Kind

NAME: Final = "robustness"
PARTS: Final = 3
"""Severities whose intervals hold together."""
MILDEST: Final = {"table": "noise", "arrays": "noise", "texts": "typos"}
"""The corruption of each kind of input whose mildest severity tells how far scores move."""
WORST: Final = "worst"
"""The corruption of keys that are about the worst of all."""
TOLD: Final = ("corrupted_flip_rate", "corrupted_prediction_distance")
"""The metrics that come with how much was done at each severity."""
ASKED: Final = message(
    "{corruptions}, at three severities, in {n:,} of {rows:,} rows. What is plausible is learned from {source}."
)
KEPT: Final = message("Never changed: {columns}.")
FILLED: Final = message(
    "Missing cells of {kinds} were filled with the mean or the most frequent value, as the model takes no missing ones."
)
KINDS: Final[dict[Kind, str]] = {"number": message("numbers"), "category": message("categories")}
LEFT: Final = message("Left out: {words}. {reason}")
NEAR: Final = message("Within {distance:.3g} of the threshold: nine of ten scores move by less under mild noise.")


@dataclass(frozen=True, slots=True)
class RobustnessOptions(Declared):
    """Options of this audit."""

    robustness: bool = setting(
        False, "Whether the model is asked about corrupted rows: noise, missing cells, slips of unit, typos and others."
    )
    robustness_rows: int = setting(
        20_000, "The most rows that are corrupted; of more, as many are drawn with the seed.", least=1, unit="rows"
    )
    immutable: tuple[str, ...] | None = setting(
        None, "Columns that no corruption changes; without any, the sensitive features."
    )
    synonyms: Mapping[str, tuple[str, ...]] | str = setting(
        {}, "Words of texts, each with others that say the same, as a corruption that keeps the meaning; or a TOML or "
        "JSON file of them.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Read the table of synonyms where it is in a file: the words are put on record, not the path."""
        if isinstance(self.synonyms, (str, PathLike)):
            from evenhand.probing.corruption.synonyms import read_synonyms

            object.__setattr__(self, "synonyms", read_synonyms(fspath(self.synonyms)))
        Declared.__post_init__(self)

    def contradictions(self) -> Iterator[str]:
        """Return what is wrong with the table of synonyms."""
        if self.synonyms:
            from evenhand.probing.corruption.synonyms import table_problems

            problem = table_problems(self.table)
            yield from [problem] if problem else []

    @property
    def table(self) -> Mapping[str, tuple[str, ...]]:
        """The table of synonyms."""
        return {} if isinstance(self.synonyms, str) else self.synonyms


def robustness(evidence: Evidence) -> Statement:
    """State which decisions turn when inputs are corrupted, by group, and what that does to the gaps between groups."""
    if evidence.subject.facts.get("kind") == "predictions" or not evidence.asked:
        return not_applicable("There is no model to ask about corrupted rows.")
    if evidence.spared:
        return not_applicable(SPARED)
    from evenhand.evidence.corrupting import corrupting
    from evenhand.probing.corruption import corruptions_of

    if not corruptions_of(evidence.reads):
        return not_applicable("The model reads {inputs}, which no corruption here is made for.", inputs=evidence.reads)
    options = evidence.options.of(RobustnessOptions)
    probe = corrupting(evidence, options.robustness_rows, options.immutable, options.table)
    asked = _Asked(evidence, probe.rows)
    findings = [finding for answers in probe.answers() for finding in asked.state(answers)]
    findings += asked.state_worst()
    return Statement(tuple(findings), _told(probe), ran=bool(findings))


@dataclass(slots=True, eq=False)
class _Asked:
    """The rows that were corrupted, and how what was said of them is stated."""

    evidence: Evidence
    rows: NDArray[np.int64]
    """(n,) their positions."""
    turned: dict[tuple[int, int], list[Measured]] = field(default_factory=dict)
    """How much each corruption turns or moves, by the place of a grouping and severity."""

    @property
    def level(self) -> float:
        """The confidence of what is said of all severities together."""
        return self.evidence.options.level

    @property
    def strict(self) -> float:
        """The confidence of what is said of one severity."""
        return shared_level(self.level, PARTS)

    @property
    def groupings(self) -> tuple[Grouping | None, ...]:
        """All rows, then the groups of each feature and intersection."""
        return (None, *self.evidence.groupings)

    def state(self, answers: tuple[Answered, ...]) -> Iterator[Finding]:
        """State what one corruption did at each severity, and of the mildest how many rows are near the threshold."""
        stated = self._numbers if self.evidence.data.task == "regression" else self._decisions
        for answered in answers:
            named = {"corruption": answered.corruption.name, "severity": str(answered.severity)}
            for grouping in self.groupings:
                for finding in stated(grouping, answered, named):
                    whole = not finding.key.columns and finding.key.metric in TOLD
                    yield replace(finding, note=answered.corruption.told) if whole else finding
        mildest = answers[0]
        if mildest.scores is not None and mildest.corruption.name == MILDEST[mildest.corruption.kind]:
            yield from self._near(mildest.scores)

    def state_worst(self) -> Iterator[Finding]:
        """State for each severity what the corruption turns that turns most decisions, or moves numbers most."""
        unit: Unit = "number" if self.evidence.data.task == "regression" else "share"
        for (at, severity), parts in self.turned.items():
            found = worst(parts, self.level, PARTS)
            named, grouping = {"corruption": WORST, "severity": str(severity)}, self.groupings[at]
            yield from values(NAME, found.metric, found, grouping, self.level, unit, **named)
            if grouping is not None:
                gap = worst_of([partial(compare, part, "difference") for part in parts], "difference", self.strict)
                gap = told_together(replace(gap, deciding=((), ())), PARTS * len(parts))  # ends of several corruptions
                key = Key.of(f"{found.metric}_difference", grouping.columns, **named)
                yield disparity_finding(key, NAME, gap, grouping, self.level, unit)

    def _keep(self, grouping: Grouping | None, answered: Answered, found: Measured) -> None:
        at = (self.groupings.index(grouping), answered.severity)
        self.turned.setdefault(at, []).append(found)

    def _decisions(self, grouping: Grouping | None, answered: Answered, named: dict[str, str]) -> Iterator[Finding]:
        truth, before, after = self.evidence.data.y_true[self.rows], self._clean(), answered.decided
        one = np.ones(len(truth), dtype=np.int8)
        if self.evidence.data.task == "binary":
            joint = right = self._joint(grouping, truth, before, after)
            rate, turned = "accuracy", joint
        else:
            turned = self._joint(grouping, one, 0 * one, before != after)
            right, rate = self._joint(grouping, one, before == truth, after == truth), "recall"
        flips = corrupted_flips(turned, self.strict)
        self._keep(grouping, answered, flips)
        lost = replace(measure_change(rate, right, self.strict), metric="corrupted_accuracy_change")
        yield from self._stated(grouping, flips, "share", named)
        yield from self._stated(grouping, lost, "share", named)
        if grouping is not None and self.evidence.data.task == "binary":
            for metric, gap in gap_changes(joint, self.strict):
                key = Key.of(metric, grouping.columns, **named)
                yield disparity_finding(key, NAME, told_together(gap, PARTS), grouping, self.level)
        if answered.original is not None:
            own = self._clean("original") != answered.original
            both = self._joint(grouping, one, own, before != after)
            more = replace(measure_change("recall", both, self.strict), metric="corrupted_flip_rate_change")
            more = told_together(more, PARTS)
            yield from values(NAME, more.metric, more, grouping, self.level, "share", of="original", **named)

    def _numbers(self, grouping: Grouping | None, answered: Answered, named: dict[str, str]) -> Iterator[Finding]:
        truth, before = (part.astype(np.float64) for part in (self.evidence.data.y_true[self.rows], self._clean()))
        after, data = answered.decided, self.evidence.data
        codes, groups = self._codes(grouping)
        differences = {
            "corrupted_mean_absolute_error_change": np.abs(after - truth) - np.abs(before - truth),
            "corrupted_prediction_distance": np.abs(after - before),
        }
        for metric, difference in differences.items():
            weight, clusters = self._of_rows(data.sample_weight), self._of_rows(data.clusters)
            found = means(difference, codes, groups, weight=weight, clusters=clusters)
            measured = measured_mean(metric, found, self.strict)
            measured = replace(measured, uncovered=few_moved(difference, codes, groups))
            yield from self._stated(grouping, measured, "number", named)
        self._keep(grouping, answered, measured)

    def _stated(
        self, grouping: Grouping | None, found: Measured, unit: Unit, named: dict[str, str]
    ) -> Iterator[Finding]:
        """State the values of all groups, and the gap between them."""
        together = told_together(found, PARTS)
        yield from values(NAME, found.metric, together, grouping, self.level, unit, **named)
        if grouping is not None:
            key = Key.of(f"{found.metric}_difference", grouping.columns, **named)
            gap = told_together(compare(found, "difference", self.strict), PARTS)
            yield disparity_finding(key, NAME, gap, grouping, self.level, unit)

    def _near(self, scores: NDArray[np.float64]) -> Iterator[Finding]:
        """State the share of rows that are nearer to the threshold than mild noise moves most scores."""
        said = self.evidence.predictions
        assert said.y_score is not None  # the subject has scores
        own = said.y_score[self.rows]
        distance = float(np.quantile(np.abs(scores - own), NEARNESS))
        near = (np.abs(own - said.threshold) <= distance).astype(np.int8)
        note = message(NEAR, distance=distance) if distance > 0 else ""
        for grouping in self.groupings:
            codes, groups = self._codes(grouping)
            weight, frequency, clusters, _ = self._worth
            tally = Tally.count(near, near, codes, groups, weight, frequency, clusters)
            found = replace(measure("selection_rate", tally, self.level), metric="near_threshold_share")
            stated = [*values(NAME, found.metric, found, grouping, self.level)]
            if grouping is not None:
                key = Key.of(f"{found.metric}_difference", grouping.columns)
                stated.append(
                    disparity_finding(key, NAME, compare(found, "difference", self.level), grouping, self.level)
                )
            for finding in stated:
                if distance > 0:
                    yield replace(finding, note=finding.note or note)
                else:
                    yield Finding(finding.key, NAME, None, support=finding.support, undefined=NO_MOVE)

    def _clean(self, model: str = "subject") -> NDArray[Any]:
        """Return (n,) the decisions of a model on the rows as they are."""
        evidence = self.evidence
        found = evidence.predictions if model == "subject" else evidence.original_predictions
        assert found is not None  # the original is asked only where there is one
        return found.y_pred[self.rows]

    def _joint(
        self, grouping: Grouping | None, truth: NDArray[Any], before: NDArray[Any], after: NDArray[Any]
    ) -> JointTally:
        codes, groups = self._codes(grouping)
        return JointTally.count(truth, before, after, codes, groups, *self._worth)

    def _codes(self, grouping: Grouping | None) -> tuple[NDArray[np.int64], int]:
        return codes_of(grouping, self.rows)

    @property
    def _worth(self) -> list[NDArray[Any] | None]:
        data = self.evidence.data
        parts = (data.sample_weight, data.frequency, data.clusters, data.squared_weight)
        return [self._of_rows(part) for part in parts]

    def _of_rows(self, part: NDArray[Any] | None) -> NDArray[Any] | None:
        return None if part is None else part[self.rows]


def _told(probe: Corrupting) -> str:
    """Say what was corrupted, what was left alone and why."""
    from evenhand.evidence.corrupting import LEARNED

    evidence = probe.evidence
    names = [each.words if at == 0 else lowered(each.words) for at, each in enumerate(probe.corruptions)]
    if not names:
        return sentences(message("No corruption has anything to change in these rows."), *_left(probe))
    said = message(
        ASKED, corruptions=joined(", ", names), n=len(probe.rows), rows=len(evidence.data),
        source=LEARNED[probe.source],
    )  # fmt: skip
    kept = message(KEPT, columns=probe.ranges.kept) if probe.ranges.kept else ""
    kinds = [KINDS[kind] for kind in KINDS if probe.ranges.of(kind) and kind not in probe.ranges.takes_missing]
    filled = message(FILLED, kinds=joined(" and ", kinds)) if kinds else ""
    return sentences(said, kept, filled, *_left(probe))


def _left(probe: Corrupting) -> list[str]:
    from evenhand.probing.corruption import corruptions_of

    words = {each.name: each.words for each in corruptions_of(probe.evidence.reads)}
    return [message(LEFT, words=lowered(words[name]), reason=why) for name, why in probe.skipped.items()]


def _wanted(evidence: Evidence) -> bool:
    """Whether it was asked for."""
    return evidence.options.of(RobustnessOptions).robustness or evidence.options.everything


AUDIT: Final = Audit(
    robustness,
    frozenset({"binary", "multiclass", "regression"}),
    options=RobustnessOptions,
    wanted=_wanted,
    asks_again=True,
)
