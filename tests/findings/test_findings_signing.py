"""Signatures: a changed record, another key, another purpose and an unknown signer are all told."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError
from evenhand.records import write_record
from evenhand.signing import check_signature, sign

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not on this machine")


def keypair(place: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(place)], check=True)
    return place


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return a record, its signature, and the file of allowed signers."""
    audit = tmp_path / "audit.json"
    write_record(audit, eh.audit_predictions([1, 0] * 50, [1, 0] * 50))
    key = keypair(tmp_path / "id")
    allowed = tmp_path / "signers"
    allowed.write_text(f"model-risk@example.org {(tmp_path / 'id.pub').read_text()}")
    return audit, sign(audit, key), allowed


def test_a_good_signature_names_its_signer(signed: tuple[Path, Path, Path]) -> None:
    audit, signature, allowed = signed
    assert signature.name == "audit.json.sig"
    found = check_signature(audit, signature, allowed)
    assert found.good and found.signer == "model-risk@example.org" and found.key.startswith("SHA256:")
    assert check_signature(audit, signature, allowed, "model-risk@example.org").good
    open_question = check_signature(audit, signature)
    assert open_question.good and not open_question.signer and "was not checked" in open_question.reason


def test_a_changed_byte_breaks_it(signed: tuple[Path, Path, Path]) -> None:
    audit, signature, allowed = signed
    audit.write_bytes(audit.read_bytes() + b" ")
    for trusted in (allowed, None):
        assert not check_signature(audit, signature, trusted).good


def test_other_keys_names_and_purposes_do_not_pass(signed: tuple[Path, Path, Path], tmp_path: Path) -> None:
    audit, _, allowed = signed
    other = sign(audit, keypair(tmp_path / "other"), tmp_path / "other.sig")
    assert not check_signature(audit, other, allowed).good
    assert "does not name" in check_signature(audit, other, allowed).reason
    assert not check_signature(audit, signed[1], allowed, "someone@example.org").good
    signed[1].unlink()
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", str(tmp_path / "id"), "-n", "git", str(audit)],
        check=True,
        capture_output=True,
    )
    assert not check_signature(audit, tmp_path / "audit.json.sig", allowed).good, "a signature made for git"


def test_from_the_command_line(signed: tuple[Path, Path, Path], tmp_path: Path) -> None:
    audit, signature, allowed = signed
    signature.unlink()
    assert exit_code(["sign", str(audit), "--key", str(tmp_path / "id")]) == 0
    asked = ["verify", str(audit), "--signature", str(signature), "--allowed-signers", str(allowed)]
    assert exit_code(asked) == 0
    assert exit_code([*asked, "--signer", "someone@example.org"]) == 1
    text = audit.read_text()
    audit.write_text(text.replace('"rows": 100', '"rows": 101'))
    assert exit_code(["sign", str(audit), "--key", str(tmp_path / "id")]) == 2, "what was changed is not signed"


def test_what_cannot_sign_is_told(
    signed: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit, signature, _ = signed
    with pytest.raises(InputError, match="cannot sign"):
        sign(audit, tmp_path / "nothing")
    with pytest.raises(InputError, match="cannot be read"):
        check_signature(audit, tmp_path / "nothing.sig")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="ssh-keygen"):
        check_signature(audit, signature)
