"""What stood around an audit: the policy that was set before it, the code, the command line."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord
    from evenhand.provenance import Measurements, Provenance


def with_circumstances(record: AuditRecord, policy: Path | None = None) -> AuditRecord:
    """Return the record with the state of the code and the policy, inside its digest, and the command line outside.

    Raises
    ------
    PolicyError
        When the policy has a problem: limits that are set before an audit are to be whole.
    """
    told: Provenance = {**record.provenance}
    if policy is not None:
        from evenhand.policy import load_policy

        limits = load_policy(policy)
        told["policy"] = {"name": limits.name, "sha256": limits.sha256}
    if code := code_state():
        told["code"] = code
    context = click.get_current_context(silent=True)
    asked = None if context is None else context.find_root().obj
    command = shlex.join(["evenhand", *map(str, sys.argv[1:] if asked is None else asked)])
    measured: Measurements = {**record.measurements, "command": command}
    return replace(record, provenance=told, measurements=measured)


def code_state() -> dict[str, str | bool]:
    """Return the commit of the working directory and whether it has changes; empty without git."""

    def ask(*words: str) -> str:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=5)
        return done.stdout.strip()

    try:
        return {"git_commit": ask("rev-parse", "HEAD"), "git_dirty": bool(ask("status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return {}
