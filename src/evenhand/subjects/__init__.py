"""Models: the protocol of a subject, one adapter per kind of model, and safe loading."""

from evenhand.subjects.catalogue import ADAPTERS, as_subject
from evenhand.subjects.huggingface.adapter import open_folder
from evenhand.subjects.huggingface.encoder import TextEncoder, open_encoder
from evenhand.subjects.huggingface.language import LanguageModel, open_language_model
from evenhand.subjects.isolation.limits import Limits
from evenhand.subjects.loading import open_subject
from evenhand.subjects.protocol import OutputKind, ScoreKind, Subject, reads_of

__all__ = [
    "ADAPTERS", "LanguageModel", "Limits", "OutputKind", "ScoreKind", "Subject", "TextEncoder", "as_subject",
    "open_encoder", "open_folder", "open_language_model", "open_subject", "reads_of",
]  # fmt: skip
