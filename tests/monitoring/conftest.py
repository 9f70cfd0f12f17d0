"""Logs in each kind of database."""

from tests.databases import database, kills, place, server

__all__ = ["database", "kills", "place", "server"]
