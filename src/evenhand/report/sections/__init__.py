"""Sections of the page: plain data from a record, no markup."""
