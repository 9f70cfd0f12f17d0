"""The keys of a log, as flags of every verb that reads or writes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenhand.monitoring.log.sealing import Keyring


def encryption_key_flag(command: Callable[..., object]) -> Callable[..., object]:
    """Add the flag that names encryption keys."""
    return click.option(
        "--encryption-key", metavar="FILE", envvar="EVENHAND_LOG_KEY",
        help="Keys that rows of the log are encrypted with, or env:NAME; made by evenhand log key.",
    )(command)  # fmt: skip


def hash_key_flag(command: Callable[..., object]) -> Callable[..., object]:
    """Add the flag that names the key of hashes."""
    return click.option(
        "--hash-key", metavar="FILE", envvar="EVENHAND_LOG_HASH_KEY",
        help="Key that persons' ids are hashed with, or env:NAME.",
    )(command)  # fmt: skip


def keyring(place: str | None) -> Keyring | None:
    """Read encryption keys; None where none are named."""
    from evenhand.monitoring.log.sealing import read_keyring

    return None if place is None else read_keyring(place)


def key_of_hashes(place: str | None) -> bytes | None:
    """Read the key of hashes; None where none is named."""
    from evenhand.monitoring.log.sealing import read_hash_key

    return None if place is None else read_hash_key(place)
