"""Checks of the rows themselves, before any model: each returns counts and names of columns, never a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenhand.catalogues import face

if TYPE_CHECKING:
    from evenhand.data.checks.annotators import Disagreement, disagreements
    from evenhand.data.checks.coding import Told, telling, telling_of_classes
    from evenhand.data.checks.duplicates import Repeats, Twins, conflicts, repeats, twins
    from evenhand.data.checks.encodings import Encoding, target_encodings
    from evenhand.data.checks.leaks import Copies, label_copies
    from evenhand.data.checks.near import hash_near, near_texts
    from evenhand.data.checks.numbers import Slip, sentinels, unit_slips
    from evenhand.data.checks.ordering import Early, evaluated_before, order_told, time_columns, times_of
    from evenhand.data.checks.persons import Repeated, naming_columns, repeated_persons
    from evenhand.data.checks.values import constants, lookalike_columns, missing_columns
    from evenhand.data.checks.wrong_labels import label_errors

__all__ = [
    "Copies",
    "Disagreement",
    "Early",
    "Encoding",
    "Repeated",
    "Repeats",
    "Slip",
    "Told",
    "Twins",
    "conflicts",
    "constants",
    "disagreements",
    "evaluated_before",
    "hash_near",
    "label_copies",
    "label_errors",
    "lookalike_columns",
    "missing_columns",
    "naming_columns",
    "near_texts",
    "order_told",
    "repeated_persons",
    "repeats",
    "sentinels",
    "target_encodings",
    "telling",
    "telling_of_classes",
    "time_columns",
    "times_of",
    "twins",
    "unit_slips",
]  # fmt: skip
__getattr__, __dir__ = face(__name__, {
    "annotators": "Disagreement disagreements", "coding": "Told telling telling_of_classes",
    "duplicates": "Repeats Twins conflicts repeats twins", "encodings": "Encoding target_encodings",
    "wrong_labels": "label_errors",
    "leaks": "Copies label_copies", "near": "hash_near near_texts", "numbers": "Slip sentinels unit_slips",
    "ordering": "Early order_told evaluated_before time_columns times_of",
    "persons": "Repeated naming_columns repeated_persons",
    "values": "constants lookalike_columns missing_columns",
})  # fmt: skip
