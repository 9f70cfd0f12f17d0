"""A policy that requires a signature stops what nobody trusted signed, however consistent it is."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import evenhand as eh
from evenhand.cli.main import exit_code
from evenhand.errors import InputError, PolicyError
from evenhand.records import parse_record, to_plain, write_record
from evenhand.signing import check_signature, sign

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.findings import AuditRecord

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not on this machine")

OWNER = "model-risk@example.org"


def keypair(place: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(place)], check=True)
    return place


def audited(gap: float) -> AuditRecord:
    """Return the audit of a model that approves men more often by `gap`."""
    rng = np.random.default_rng(2)
    sex = np.arange(2000) % 2
    chosen = (rng.random(2000) < 0.5 + gap * (sex - 0.5)).astype(int)
    groups = {"sex": np.where(sex, "m", "f")}
    return eh.audit_predictions((rng.random(2000) < 0.5).astype(int), chosen, sensitive_features=groups, favourable=1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a signed record of an unfair model, keys, and policies."""
    folder = tmp_path_factory.mktemp("signed")
    write_record(folder / "audit.json", audited(0.4))
    owner, other = keypair(folder / "owner"), keypair(folder / "other")
    names = ((OWNER, owner), ("other@example.org", other))
    (folder / "signers").write_text("".join(f"{name} {key.with_suffix('.pub').read_text()}" for name, key in names[:1]))
    (folder / "both").write_text("".join(f"{name} {key.with_suffix('.pub').read_text()}" for name, key in names))
    sign(folder / "audit.json", owner)
    limits = '[limits]\n"selection_rate_ratio[sex]" = { at_least = 0.8 }\n'
    for name, required in (("none", ""), ("any", "true"), ("owner", f'"{OWNER}"'), ("other", '["other@example.org"]')):
        require = f"[require]\nsignature = {required}\n" if required else ""
        (folder / f"{name}.toml").write_text(require + limits)
    return folder


def gate(place: Path, audit: str, policy: str, *more: str) -> int:
    return exit_code(["gate", str(place / audit), "--policy", str(place / f"{policy}.toml"), *more])


def signed_with(place: Path, signature: str, signers: str = "signers") -> list[str]:
    return ["--signature", str(place / signature), "--allowed-signers", str(place / signers)]


def fair(place: Path, name: str) -> Path:
    """Write a record that is fair throughout: findings and counts agree, and the digest is right."""
    write_record(place / name, audited(0.0))
    return place / name


def test_a_good_signature_is_a_line_of_the_verdict(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_record(place / "good.json", audited(0.0))
    sign(place / "good.json", place / "owner")
    for policy in ("none", "any", "owner"):
        assert gate(place, "good.json", policy, *signed_with(place, "good.json.sig")) == 0
        assert f"signed by {OWNER}" in capsys.readouterr().out
    assert gate(place, "good.json", "other", *signed_with(place, "good.json.sig")) == 1
    assert "the policy requires other@example.org" in capsys.readouterr().out
    asked = signed_with(place, "good.json.sig", "both")
    assert gate(place, "good.json", "any", *asked, "--signer", OWNER) == 0
    assert gate(place, "good.json", "any", *asked, "--signer", "other@example.org") == 1


def test_consistently_forged_records_are_stopped_by_a_required_signature(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record of a fair model in the place of the unfair one: nothing in it is wrong but that nobody signed it."""
    forged = fair(place, "forged.json")
    assert gate(place, "audit.json", "none") == 1
    assert gate(place, "forged.json", "none") == 0, "a policy without a signature cannot know"
    assert gate(place, "forged.json", "any") == 1
    assert "No signature was checked" in capsys.readouterr().out
    assert gate(place, "forged.json", "any", *signed_with(place, "audit.json.sig")) == 1, "the old signature"
    sign(forged, place / "other", place / "forged.sig")
    assert gate(place, "forged.json", "any", *signed_with(place, "forged.sig")) == 1, "a key that is not trusted"
    assert gate(place, "forged.json", "none", *signed_with(place, "forged.sig")) == 1, "one that is given must be good"
    assert gate(place, "forged.json", "owner", *signed_with(place, "forged.sig", "both")) == 1, "of another signer"


@pytest.mark.parametrize("edit", ["swap groups", "all counts alike", "drop a feature", "fewer rows", "other name"])
def test_forged_counts_and_findings_with_a_new_digest_are_stopped(edit: str, place: Path) -> None:
    rng = np.random.default_rng(5)
    y, d = rng.integers(0, 2, 600), rng.integers(0, 2, 600)
    groups: dict[str, Any] = {"sex": np.where(np.arange(600) % 2, "m", "f")}
    if edit == "swap groups":
        groups["sex"] = groups["sex"][::-1]
    elif edit == "all counts alike":
        y, d = np.tile([1, 0], 300), np.repeat(np.tile([1, 0], 150), 2)
    elif edit == "drop a feature":
        groups = {"region": groups["sex"]}
    elif edit == "fewer rows":
        y, d, groups = y[:60], d[:60], {"sex": groups["sex"][:60]}
    name = "model" if edit != "other name" else "the model of last year"
    write_record(place / "edited.json", eh.audit_predictions(y, d, sensitive_features=groups, favourable=1, name=name))
    assert gate(place, "edited.json", "any", *signed_with(place, "audit.json.sig")) == 1
    assert gate(place, "edited.json", "owner") == 1


def test_the_bytes_that_are_verified_are_the_bytes_that_are_judged(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is exchanged after it was read first; the verdict is still of what was signed."""
    from evenhand import signing

    audit = place / "raced.json"
    audit.write_bytes((place / "audit.json").read_bytes())
    honest = signing._read

    def racing(file: Path | str) -> bytes:
        held = honest(file)
        if str(file) == str(audit):
            fair(place, audit.name)
        return held

    monkeypatch.setattr(signing, "_read", racing)
    assert gate(place, audit.name, "owner", *signed_with(place, "audit.json.sig")) == 1
    signed = eh.read_signed_record(place / "audit.json", place / "audit.json.sig", place / "signers")
    assert signed.signature.good and signed.record == parse_record((place / "audit.json").read_bytes(), "audit.json")


def test_from_python(place: Path) -> None:
    policy = eh.load_policy(place / "any.toml")
    signed = eh.read_signed_record(place / "audit.json", place / "audit.json.sig", place / "signers")
    verdict = eh.judge(signed.record, policy, signed_by=signed)
    assert {str(judgement.key): judgement.status for judgement in verdict.judgements} == {
        "required[signature]": "passed",
        "selection_rate_ratio[sex]": "failed",
    }
    with pytest.raises(PolicyError, match="of another record"):
        eh.judge(audited(0.0), policy, signed_by=signed)


def test_a_signature_in_the_record_is_none(place: Path) -> None:
    document = to_plain(audited(0.0))
    with pytest.raises(eh.EvenhandError):
        parse_record(json.dumps({**document, "signature": "good"}).encode(), "audit.json")


def test_flags_that_prove_nothing_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signature, signers = ["--signature", str(place / "audit.json.sig")], ["--allowed-signers", str(place / "signers")]
    for flags, said in (
        (signature, "name the keys that are trusted with --allowed-signers"),
        (signers, "name it with --signature"),
        (["--signer", OWNER], "name it with --signature"),
        ([*signature, *signers, "--signer", ""], "The name of the signer is blank"),
        (["--signature", str(place / "absent.sig"), *signers], "cannot be read"),
        ([*signature, "--allowed-signers", str(place / "absent")], "cannot be read"),
    ):
        assert gate(place, "audit.json", "any", *flags) == 2
        assert said in capsys.readouterr().err


def test_verify_without_trusted_keys_says_that_it_proved_nothing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["verify", str(place / "audit.json"), "--signature", str(place / "audit.json.sig")]
    assert exit_code(asked) == 3
    told = capsys.readouterr().out
    assert "proves nothing about who signed" in told and "--allowed-signers" in told
    assert not any(line.startswith("same") and "signature" in line for line in told.splitlines())
    assert exit_code([*asked, "--allowed-signers", str(place / "signers")]) == 0
    assert exit_code([*asked, "--signer", OWNER]) == 2
    assert check_signature(place / "audit.json", place / "audit.json.sig").signer == ""


def test_without_ssh_keygen_nothing_passes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(InputError, match="ssh-keygen"):
        eh.read_signed_record(place / "audit.json", place / "audit.json.sig", place / "signers")
    assert gate(place, "audit.json", "any", *signed_with(place, "audit.json.sig")) == 2
