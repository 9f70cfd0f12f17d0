"""``evenhand sign``: sign a record with an SSH key, offline."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="sign")
@click.argument("audit", type=click.Path(path_type=Path))
@click.option("--key", "-k", type=click.Path(path_type=Path), required=True, help="Private SSH key, ed25519 say.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="[default: AUDIT with .sig]")
def command(audit: Path, key: Path, output: Path | None) -> None:
    """Sign AUDIT (audit.json), so that a change of it is seen by whoever has the public key.

    \b
    Example:
      evenhand sign audit.json --key ~/.ssh/id_ed25519
      evenhand verify audit.json --signature audit.json.sig --allowed-signers signers
    """
    from evenhand.records import read_record
    from evenhand.signing import sign

    read_record(audit)  # what was changed by hand is not signed
    click.echo(f"Wrote {sign(audit, key, output)}")
