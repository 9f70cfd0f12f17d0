"""Models: the protocol of a subject, one adapter per kind of model, and safe loading."""

from evenhand.subjects.catalogue import ADAPTERS, as_subject
from evenhand.subjects.limits import Limits
from evenhand.subjects.loading import open_subject
from evenhand.subjects.protocol import OutputKind, ScoreKind, Subject, reads_of

__all__ = ["ADAPTERS", "Limits", "OutputKind", "ScoreKind", "Subject", "as_subject", "open_subject", "reads_of"]
