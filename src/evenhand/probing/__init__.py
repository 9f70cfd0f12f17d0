"""Probing: a subject asked again, on rows that were changed or chosen for a purpose.

Membership asks who was in the training rows, corruption and attack which decisions turn, uncertainty what a score is
worth. A probe knows subjects, rows and arithmetic; no training, no findings and no limits.
"""
