"""Check that a model keeps the rules of a subject, as the author of an adapter or of a model may do in a test."""

from evenhand.testing.checking import Check, SubjectChecks, check_subject

__all__ = ["Check", "SubjectChecks", "check_subject"]
