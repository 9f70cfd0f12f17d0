"""Counterfactual identity tests: the same sentence about somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import SPARED, Audit, Statement, interval_of, not_applicable
from evenhand.audits.templates import BUILT_IN, Templates, read_templates
from evenhand.errors import InputError, quoted
from evenhand.evidence.own_decisions import classes_decided, decided
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message
from evenhand.metrics.inference.blocks import (
    ALIKE,
    LEAST,
    apart_within,
    difference_ends,
    score_ends,
    share_ends,
    turned_within,
)
from evenhand.metrics.inference.intervals import sidak_z, z_of
from evenhand.metrics.inference.skewed import Tails, margin_above, tails_of
from evenhand.metrics.inference.two_shares import Pair, share_interval
from evenhand.settings import Declared, setting
from evenhand.subjects.target import listed, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence
    from evenhand.findings import Unit

    Floats = NDArray[np.float64]

NAME = "identity"
NONE: Final = "none"
PAIRED = message("Against the other identities in the same templates; all identities hold together (Sidak).")
UNPAIRED = message("Against the texts about all others, which are other texts; all identities hold together (Sidak).")
OTHERWISE = message("Templates that are decided otherwise for another identity, averaged over the others.")
ANY = message("Templates of which not all identities are decided alike.")
TOLD = message(
    "{texts} texts about {identities} identities, {kind}, sha256 {digest}. Intervals are over such sentences, not over "
    "the texts that the model will read."
)
OWN = message("evenhand's own English sentences")
THEIRS = message("from {file}")
NO_TEXTS = message("The model reads no texts, so no sentence can be asked about somebody else.")


@dataclass(frozen=True, slots=True)
class IdentityOptions(Declared):
    """Options of this audit."""

    templates: str = setting(
        BUILT_IN, "Sentences that are asked about one identity after another: a table with the columns template (with "
        "{identity} in it) or text, identity, expected; the word built-in for evenhand's own, or none.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """What was answered to some of the texts: those of one expected answer, or all."""

    templates: Templates
    rows: NDArray[np.intp]
    decisions: NDArray[np.intp]
    scores: Floats | None
    expected: str | None
    level: float
    widest: float | None

    @property
    def whom(self) -> list[int]:
        """Return the identities that any text is about."""
        return [int(at) for at in np.unique(self.templates.identity[self.rows])]

    def key(self, metric: str, identity: int | None = None) -> Key:
        """Return the key of a metric, of one identity or of all."""
        named = {} if self.expected is None else {"expected": self.expected}
        if identity is not None:
            named["identity"] = self.templates.identities[identity]
        return Key.of(metric, named)

    def cells(self, values: Floats) -> Floats | None:
        """Return the mean of each template and identity, (T, K); None where nobody says which texts are alike."""
        if self.templates.template is None:
            return None
        columns = {at: column for column, at in enumerate(self.whom)}
        _, line = np.unique(self.templates.template[self.rows], return_inverse=True)
        column = np.array([columns[at] for at in self.templates.identity[self.rows].tolist()])
        sums, number = (np.zeros((int(line.max()) + 1, len(columns))) for _ in range(2))
        np.add.at(sums, (line, column), values[self.rows])
        np.add.at(number, (line, column), 1.0)
        with np.errstate(invalid="ignore"):
            found: Floats = np.where(number > 0, sums / number, np.nan)
        whole = np.isfinite(found).sum(axis=1) > 1
        return found[whole] if whole.any() else None


def identity(evidence: Evidence) -> Statement:
    """State how decisions and scores change when a sentence is about somebody else, and nothing else is changed."""
    chosen = evidence.options.of(IdentityOptions).templates
    if chosen == NONE:
        return not_applicable("Identity tests were switched off.")
    if evidence.subject.facts.get("kind") == "predictions" or not evidence.asked:
        return not_applicable("There is no model to ask about other sentences.")
    if evidence.reads != "texts":
        if chosen != BUILT_IN:
            raise InputError(f"templates: {NO_TEXTS} Leave them out, or use scenarios, which are for tables, too.")
        return not_applicable(NO_TEXTS)
    if evidence.spared and chosen == BUILT_IN:
        return not_applicable(SPARED)
    templates = read_templates(chosen)
    scores, decisions = _asked(evidence, list(templates.texts))
    findings: list[Finding] = []
    for answers in _parts(evidence, templates, scores, decisions):
        findings += _of(evidence, answers)
    kind = OWN if chosen == BUILT_IN else message(THEIRS, file=Path(chosen).name)
    texts, identities = len(templates.texts), len(templates.identities)
    told = message(TOLD, texts=texts, identities=identities, kind=kind, digest=templates.digest[:12])
    return Statement(tuple(findings), told)


def _asked(evidence: Evidence, texts: list[str]) -> tuple[Floats | None, NDArray[np.intp]]:
    """Return scores of the positive class, where there are any, and decisions of all texts."""
    from evenhand.data.inputs import as_inputs
    from evenhand.evidence.predictions import ask

    subject, rows = evidence.subject, as_inputs(texts)
    values = ask(subject, rows)
    if evidence.data.task == "binary":
        found = decided(subject, rows, values)
        return (None if subject.score_kind == "label" else values), found.astype(np.intp)
    return None, np.asarray(classes_decided(subject, rows, values), dtype=np.intp)


def _parts(
    evidence: Evidence, templates: Templates, scores: Floats | None, decisions: NDArray[np.intp]
) -> Iterator[_Answers]:
    level = evidence.options.level
    widest = 1.0 if evidence.subject.score_kind == "probability" else None
    if templates.expected is None:
        yield _Answers(templates, np.arange(len(templates.texts)), decisions, scores, None, level, widest)
        return
    classes = tuple(evidence.data.classes)
    wanted = np.array(templates.expected)
    for value in dict.fromkeys(templates.expected):
        if place(value, classes) is None:
            raise InputError(
                f"templates: {quoted(value)} is expected of some texts, and the label's classes are {listed(classes)}."
            )
    for code, name in enumerate(classes):
        rows = np.flatnonzero([place(one, classes) == code for one in wanted.tolist()])
        if len(rows) and len(np.unique(templates.identity[rows])) > 1:
            yield _Answers(templates, rows, decisions, scores, str(name), level, widest)


def _of(evidence: Evidence, answers: _Answers) -> Iterator[Finding]:
    binary = evidence.data.task == "binary"
    selected = answers.decisions.astype(np.float64)
    if binary:
        yield from _rates(answers, selected)
        yield from _compared(answers, "identity_selection_difference", selected, shares=True)
    if answers.scores is not None:
        yield from _compared(answers, "identity_score_change", answers.scores, shares=False)
    yield from _flips(answers, selected)


def _rates(answers: _Answers, selected: Floats) -> Iterator[Finding]:
    """State for each identity how many of the texts are decided positive.

    Texts of one template are decided much alike, so no more count for the interval than there are templates.
    """
    for who in answers.whom:
        rows = answers.rows[answers.templates.identity[answers.rows] == who]
        share, template = float(selected[rows].mean()), answers.templates.template
        number = len(rows) if template is None else len(np.unique(template[rows]))
        low, high = share_ends(np.full(number, share), z_of(answers.level))
        interval = interval_of(low, high, answers.level, "clopper-pearson")
        key = answers.key("identity_selection_rate", who)
        yield Finding(key, NAME, share, interval, support=len(rows))


def _compared(answers: _Answers, metric: str, values: Floats, shares: bool) -> Iterator[Finding]:
    """State for each identity by how much its texts are above those of the others."""
    whom, cells = answers.whom, answers.cells(values)
    z = sidak_z(len(whom), answers.level)
    apart = None if cells is None else apart_within(cells)
    for column, who in enumerate(whom):
        if apart is None:
            estimate, low, high, number = _against_others(answers, values, who, z, shares)
            method = "miettinen-nurminen, sidak" if shares else "welch with skewness, sidak"
        else:
            parts = apart[np.isfinite(apart[:, column]), column]
            estimate, number = float(parts.mean()), len(parts)
            low, high = difference_ends(parts, z) if shares else score_ends(parts, z, answers.widest)
            method = "bonett-price over templates, sidak" if shares else "student over templates with skewness, sidak"
        interval = interval_of(low, high, answers.level, method)
        unit: Unit = "share" if shares else "score"
        note = UNPAIRED if apart is None else PAIRED
        yield Finding(answers.key(metric, who), NAME, estimate, interval, support=number, unit=unit, note=note)


def _against_others(
    answers: _Answers, values: Floats, who: int, z: float, shares: bool
) -> tuple[float, float, float, int]:
    """Return mean difference, its ends and the texts about one identity, compared with all other texts."""
    mine = answers.templates.identity[answers.rows] == who
    own, rest = values[answers.rows[mine]], values[answers.rows[~mine]]
    estimate = float(own.mean() - rest.mean())
    if shares:
        sizes = (own.sum(), len(own), rest.sum(), len(rest))
        low, high = share_interval("difference", Pair(*(np.array([float(one)]) for one in sizes)), z)
        return estimate, float(low[0]), float(high[0]), len(own)
    if min(len(own), len(rest)) < LEAST or max(float(own.std()), float(rest.std())) < ALIKE:
        return estimate, float("nan"), float("nan"), len(own)
    skew, least, most = tails_of(own, -rest)
    tails = Tails(np.array([skew]), np.array([least]), np.array([most]))
    error = np.array([np.sqrt(own.var(ddof=1) / len(own) + rest.var(ddof=1) / len(rest))])
    number = np.array([float(min(len(own), len(rest)))])
    below, above = (float(margin_above(error, number, side, z)[0]) for side in (tails.turned(), tails))
    return estimate, estimate - below, estimate + above, len(own)


def _flips(answers: _Answers, selected: Floats) -> Iterator[Finding]:
    """State how often the decision about a template depends on whom it is about."""
    cells = answers.cells(selected)
    if cells is None:
        return
    first = np.where(np.isfinite(cells), cells, np.nan)
    turned = turned_within(first)
    unlike = (np.nanmax(first, axis=1) != np.nanmin(first, axis=1)).astype(np.float64)
    low, high = share_ends(unlike, z_of(answers.level))
    interval = interval_of(low, high, answers.level, "clopper-pearson")
    yield Finding(answers.key("identity_flip_rate"), NAME, float(unlike.mean()), interval, len(unlike), note=ANY)
    z = sidak_z(len(answers.whom), answers.level)
    for column, who in enumerate(answers.whom):
        parts = turned[np.isfinite(turned[:, column]), column]
        low, high = share_ends(parts, z)
        interval = interval_of(low, high, answers.level, "clopper-pearson, sidak")
        key = answers.key("identity_flip_rate", who)
        yield Finding(key, NAME, float(parts.mean()), interval, support=len(parts), note=OTHERWISE)


def _wanted(evidence: Evidence) -> bool:
    """Whether there are sentences to ask: for a model of texts, or where a person gave some."""
    return evidence.options.of(IdentityOptions).templates != BUILT_IN or (evidence.asked and evidence.reads == "texts")


AUDIT: Final = Audit(identity, frozenset({"binary", "multiclass"}), options=IdentityOptions, wanted=_wanted)
