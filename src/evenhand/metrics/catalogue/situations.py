"""Metrics of sentences and situations that were written to test a model."""

from __future__ import annotations

from typing import Final

from evenhand.metrics.catalogue.entry import Metric

SITUATIONS: Final = (
    Metric("identity_selection_rate", "Sentences about an identity decided positive", "statement", "neutral",
        "sentences about the identity that are decided positive / sentences about it",
        "How often sentences about somebody are decided positive; of harmless ones these are false alarms.",
        "It is about the sentences that were asked, which are few and were written for the test.",
        "Dixon et al. (2018), AIES; Roettger et al. (2021), ACL", example="10 / 12 = 0.83"),
    Metric("identity_selection_difference", "Identity against the others", "statement", "neutral",
        "mean over templates of (decision about the identity - mean decision about the others)",
        "By how much more often a sentence is decided positive because of whom it is about.",
        "A difference of nearly 0 may hide opposite ones between single identities.",
        "Garg et al. (2019), AIES, for counterfactual tokens", example="0.83 - 0.21 = 0.62", lowest=-1.0),
    Metric("identity_score_change", "Score of an identity against the others", "statement", "neutral",
        "mean over templates of (score about the identity - mean score about the others)",
        "By how much the score of a sentence changes because of whom it is about.",
        "Scores may differ without any decision being another.", "Kiritchenko and Mohammad (2018), *SEM",
        example="0.61 - 0.48 = 0.13", lowest=None, highest=None),
    Metric("identity_flip_rate", "Decisions that depend on the identity", "statement", "lower_is_better",
        "templates that are decided otherwise for another identity / templates",
        "How often a sentence is decided otherwise when it is about somebody else, and nothing else is changed.",
        "Whom a sentence is about may change what it says: 'I am young' and 'I am old' are not the same claim.",
        "Garg et al. (2019), AIES", example="5 / 12 = 0.42"),
    Metric("scenario_violation_rate", "Situations decided against the rules", "statement", "lower_is_better",
        "cases of a situation decided otherwise than required, as forbidden, or not all alike / cases",
        "How often the model breaks a rule that was written down for a situation.",
        "What is not written down is not tested.", "Ribeiro et al. (2020), ACL, for tests of behaviour",
        example="3 / 40 = 0.075"),
)  # fmt: skip
