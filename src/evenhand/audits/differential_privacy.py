"""Differential privacy: what is claimed of a fit, and what guesses of who was in it rule out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from evenhand.audits.references import MembershipOptions, ask, confidences, told
from evenhand.audits.statement import NO_TRUTH, SPARED, Audit, Statement, labels_of, not_applicable
from evenhand.errors import EvenhandError
from evenhand.evidence.candidates import NO_MEMBERS, flipped, told_by, without_column
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from evenhand.data import EvaluationSet
    from evenhand.evidence import Evidence
    from evenhand.findings import Plain
    from evenhand.probing.epsilon.bound import EpsilonBound

NAME = "differential_privacy"
USUAL_DELTA: Final = 1e-5
"""Where none is claimed."""
LEAST_DRAWN: Final = 20
"""Rows of a group drawn by coin below which nothing is stated of it."""
TOUCHING: Final = ("epochs", "calibration_rows", "rows", "threshold")
"""What a recipe's entry has where it saw rows again."""
TOO_FEW: Final = message("{n} rows drawn by coin are too few; {least} are the fewest.")
SHOWN: Final = message(
    "{right:,} of {guesses:,} guesses were right, of {drawn:,} rows drawn by coin; a bound of one side at {level:.1%}, "
    "delta {delta:g}."
)
NOTHING: Final = message(
    "No number of guesses about {drawn:,} rows drawn by coin was right oftener than chance allows, at {level:.1%}, "
    "delta {delta:g}."
)
TUNED: Final = message(
    "After its private fit the model was tuned, calibrated or cut on rows without noise, so its budget no longer holds."
)
BY: Final = {
    "confidence": message("The model's own confidence guessed best; the level is of both ways to guess together."),
    "calibrated": message(
        "Confidence beside that of reference models guessed best; the level is of both ways to guess together."
    ),
}
"""Which guesses the bound is of, where there are two ways."""
BESIDE: Final = message(
    "{n} reference models were asked beside the model about {rows:,} candidates, each fitted on a half of them, drawn "
    "without a look at the coins."
)
READS: Final = message("The model reads '{column}', which says who was in. Leave the column out of what it reads.")
ALONE: Final = message("Guesses are by the model's own confidence alone, since there are no references: {problem}")
SAYS: Final = message(
    "A budget of each row: the weights, and what was chosen by them. Not in it: preprocessing, validation rows, "
    "fingerprints of rows beside the model."
)
BY_SEED: Final = message("Noise and samples follow from a seed on record: who knows it can take them off.")
PERSONS: Final = message("People with several rows are protected less than the budget says: it is of one row.")
GIVEN: Final = message("Said by whoever asked for the audit; the model's file has nothing on it.")
NO_CLAIM: Final = message("No epsilon is claimed of this model.")


@dataclass(frozen=True, slots=True)
class PrivacyClaim(Declared):
    """Options of this audit."""

    claimed_epsilon: float | None = setting(
        None, "Epsilon that is claimed of a model whose file does not tell it.", above=0
    )
    claimed_delta: float = setting(0.0, "Its delta; 0 takes that of the model's file, else 1e-5.", least=0, below=1)


def differential_privacy(evidence: Evidence) -> Statement:
    """State the claimed epsilon, the least that guesses of its rows allow, overall and by group, and the excess."""
    claim = _claim(evidence)
    if claim is None and not _drawn_by_coin(evidence):
        return not_applicable(
            "The model was fitted without differential privacy, and without coins that decide who is in."
        )
    if evidence.spared:
        return not_applicable(SPARED)
    claimed = list(_claimed(claim)) if claim is not None else []
    shown, said = _shown(evidence, _delta(claim))
    return Statement((*claimed, *shown, _excess(claimed, shown)), said)


def _drawn_by_coin(evidence: Evidence) -> bool:
    return bool(told_by(evidence.subject, "coin") or evidence.options.member_column)


@dataclass(frozen=True, slots=True)
class _Claim:
    epsilon: float
    delta: float
    note: str
    holds: bool = True


def _claim(evidence: Evidence) -> _Claim | None:
    """Return the claim: what the user says, else the model's file."""
    said, told = evidence.options.of(PrivacyClaim), told_by(evidence.subject, "privacy")
    if said.claimed_epsilon is not None:
        return _Claim(
            said.claimed_epsilon, said.claimed_delta or float(cast("float", (told or {}).get("delta", 0))), GIVEN
        )
    if told is None:
        return None
    steps = cast("list[Mapping[str, Plain]]", evidence.subject.facts.get("recipe") or [])
    touched = any(step.get(name) for step in steps for name in TOUCHING)
    seed = BY_SEED if told.get("noise") == "seed" else ""
    note = sentences(SAYS, seed, "" if evidence.data.clusters is None else PERSONS)
    epsilon, delta = (float(cast("float", told[name])) for name in ("epsilon", "delta"))
    return _Claim(epsilon, delta, note, holds=not touched)


def _claimed(claim: _Claim) -> Iterator[Finding]:
    key, why = Key.of("epsilon_claimed"), "" if claim.holds else TUNED
    value = claim.epsilon if claim.holds else None
    yield Finding(
        key, NAME, value, direction="lower_is_better", unit="number", undefined=why, note="" if why else claim.note
    )
    if claim.delta:
        yield Finding(Key.of("delta_claimed"), NAME, claim.delta, direction="lower_is_better", unit="number")


def _delta(claim: _Claim | None) -> float:
    if claim is not None and claim.delta:
        return claim.delta
    return USUAL_DELTA


@dataclass(frozen=True, slots=True)
class _Guessed:
    """How likely each candidate is said to have been in, by each attack; not a number where one was not asked."""

    drawn: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    scores: Mapping[str, NDArray[np.float64]]


def _shown(evidence: Evidence, delta: float) -> tuple[list[Finding], str]:
    """Return the bound, overall and for each group with enough rows drawn by coin, and what is said of references."""
    from evenhand.evidence.predictions import columns_read

    members, level = evidence.candidates, evidence.options.level
    found = flipped(evidence.subject, members, evidence.options.member_column)
    if isinstance(found, str) or members is None:
        return [_bound(Key.of("epsilon_lower_bound"), found if isinstance(found, str) else NO_MEMBERS)], ""
    if not evidence.members_told:
        return [_bound(Key.of("epsilon_lower_bound"), NO_TRUTH)], ""
    if evidence.options.member_column in columns_read(evidence.subject, evidence.data):
        reading = message(READS, column=evidence.options.member_column)
        return [_bound(Key.of("epsilon_lower_bound"), reading)], ""
    drawn, inside = found
    plain = without_column(members, evidence.options.member_column)
    calibrated, said = (None, "") if drawn.sum() < LEAST_DRAWN else _calibrated(evidence, plain, drawn)
    scores = {"confidence": _confidence(evidence, members)}
    guessed = _Guessed(drawn, inside, scores if calibrated is None else {**scores, "calibrated": calibrated})
    findings = [_of(Key.of("epsilon_lower_bound"), guessed, drawn, delta, level)]
    for grouping in evidence.groupings:
        theirs = members.grouping(*grouping.columns)
        groups = [drawn & (theirs.codes == at) for at in range(len(theirs.labels))]
        enough = max(1, sum(int(rows.sum()) >= LEAST_DRAWN for rows in groups))
        for at, rows in enumerate(groups):
            key = Key.of("epsilon_lower_bound", labels_of(theirs, at))
            findings.append(_of(key, guessed, rows, delta, 1 - (1 - level) / enough))
    return findings, said


def _calibrated(
    evidence: Evidence, candidates: EvaluationSet, drawn: NDArray[np.bool_]
) -> tuple[NDArray[np.float64] | None, str]:
    """Return (n,) the scores of the membership attack, and what its references were; None where it has none.

    They depend on the coins through the model alone; see `draw_candidates`. So does the recipe of the references, which
    is of the model under audit and not of an original, that others may have fitted on rows of their own choice.
    """
    from evenhand.evidence.predictions import columns_read, reads
    from evenhand.probing.membership.attacking import STANDARD, attack_scores
    from evenhand.probing.membership.pool import draw_candidates

    subject, data, options = evidence.subject, evidence.data, evidence.options
    columns, kind, most = (
        columns_read(subject, data),
        reads(subject, data),
        2 * options.of(MembershipOptions).privacy_rows,
    )
    try:
        pool = draw_candidates(candidates, drawn, data, columns, kind, most, options.seed)
        asked = ask(evidence, pool, columns, [subject])
    except EvenhandError as wrong:
        return None, message(ALONE, problem=str(wrong))
    found = attack_scores(pool, confidences(subject, pool.rows), asked)[STANDARD]
    scores = np.full(len(candidates), np.nan)
    scores[pool.positions] = found
    return scores, sentences(message(BESIDE, n=len(asked.answers), rows=pool.others), told(asked))


def _confidence(evidence: Evidence, members: EvaluationSet) -> NDArray[np.float64]:
    """Return (n,) what the model gives to each row's label; where it gives decisions only, whether it is right."""
    from evenhand.evidence.predictions import predict

    said = predict(evidence.subject, members)
    if said.y_score is None:
        return np.asarray(said.y_pred == said.y_true, dtype=np.float64)
    if said.y_score.ndim > 1:
        return np.asarray(said.y_score[np.arange(len(members)), said.y_true.astype(np.intp)])
    return np.where(said.y_true == 1, said.y_score, -said.y_score)


def _of(key: Key, guessed: _Guessed, rows: NDArray[np.bool_], delta: float, level: float) -> Finding:
    n = int(rows.sum())
    if n < LEAST_DRAWN:
        return _bound(key, message(TOO_FEW, n=n, least=LEAST_DRAWN), n)
    from evenhand.probing.epsilon.bound import best_bound

    asked = {name: rows & np.isfinite(scores) for name, scores in guessed.scores.items()}
    attacks = {
        name: (guessed.scores[name][there], guessed.inside[there])
        for name, there in asked.items()
        if there.sum() >= LEAST_DRAWN
    }
    best, found = best_bound(attacks, delta, level)
    return _bound(key, "", found.drawn, found, BY[best] if len(attacks) > 1 else "")


def _bound(key: Key, undefined: str, rows: int = 0, found: EpsilonBound | None = None, by: str = "") -> Finding:
    note = ""
    if found is not None:
        places = {"drawn": found.drawn, "level": found.level, "delta": found.delta}
        note = message(NOTHING, **places)
        if found.epsilon:
            note = sentences(message(SHOWN, right=found.right, guesses=found.guesses, **places), by)
    return Finding(
        key, NAME, None if found is None else round(found.epsilon, 6), support=rows, direction="lower_is_better",
        unit="number", undefined=undefined, note=note,
    )  # fmt: skip


def _excess(claimed: list[Finding], shown: list[Finding]) -> Finding:
    """Return by how much the bound is above the claim; undefined where either is not known."""
    claim, bound = (claimed[0] if claimed else None), shown[0]
    missing = bound.undefined or (NO_CLAIM if claim is None else claim.undefined)
    value = None
    if claim is not None and claim.estimate is not None and bound.estimate is not None:
        value = bound.estimate - claim.estimate
    above = message("More is shown than is claimed: the fit is less private than it says.")
    return Finding(
        Key.of("epsilon_excess"), NAME, value, support=bound.support, direction="lower_is_better", unit="number",
        undefined="" if value is not None else missing, note=above if value is not None and value > 0 else "",
    )  # fmt: skip


def _wanted(evidence: Evidence) -> bool:
    """Return whether anything is claimed or was drawn by coin."""
    return _claim(evidence) is not None or _drawn_by_coin(evidence)


AUDIT: Final = Audit(
    differential_privacy, frozenset({"binary", "multiclass"}), options=PrivacyClaim, wanted=_wanted, asks_again=True
)
