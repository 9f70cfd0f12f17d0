"""``evenhand sign``: sign a record with an SSH key, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, file_flag
from evenhand.output.printing import put

if TYPE_CHECKING:
    from pathlib import Path


@click.command(name="sign")
@click.argument("audit", type=PATH)
@file_flag("--key", "-k", required=True, help="Private SSH key, such as ed25519.")
@file_flag("--output", "-o", help="[default: AUDIT with .sig]")
def command(audit: Path, key: Path, output: Path | None) -> None:
    """Sign AUDIT (audit.json), so that anyone with the public key can detect changes.

    \b
    Example:
      evenhand sign audit.json --key ~/.ssh/id_ed25519
      evenhand verify audit.json --signature audit.json.sig --allowed-signers signers
    """
    from evenhand.records import read_record
    from evenhand.signing import sign

    read_record(audit)  # refuses a record that was edited
    put(f"Wrote {sign(audit, key, output)}")
