"""Detached signatures of an audit.json, by SSH keys: made and checked offline by OpenSSH's ssh-keygen (8.2 or newer).

The signature is a separate file in the record's folder, in OpenSSH's format SSHSIG, under the namespace
``evenhand-audit``, so that a signature made for anything else does not pass for one of an audit.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from evenhand.errors import InputError, shorten
from evenhand.output.writing import write_bytes
from evenhand.records import parse_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.findings import AuditRecord

__all__ = ["Signature", "SignedRecord", "check_signature", "read_signed_record", "sign"]

NAMESPACE: Final = "evenhand-audit"
SECONDS: Final = 60
"""How long ssh-keygen may take; a key with a passphrase asks for it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature was found to be.

    See Also
    --------
    evenhand.signing.sign : Signs a record; its example checks the signature.
    """

    good: bool
    """Whether it is a signature of exactly this file, by a key that is allowed where allowed keys were named."""
    signer: str
    """The owner of the key by the allowed signers' file; empty where none was given or none fits."""
    key: str
    """The key's fingerprint, ``SHA256:...``; empty where the signature is none."""
    reason: str
    """What was found, in a sentence."""


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A record and the signature of the very bytes that it was read from.

    See Also
    --------
    evenhand.signing.sign : Signs a record.
    """

    record: AuditRecord
    """What the bytes hold."""
    signature: Signature
    """What the signature of them was found to be; it need not be good."""


def sign(record: str | Path, key: str | Path, output: str | Path | None = None) -> Path:
    """Sign a record with a private SSH key, or with the agent's key of a public one.

    Parameters
    ----------
    record : path
        An audit.json.
    key : path
        A key file as ssh-keygen takes it.
    output : path, optional
        Where the signature is written; the record's name and ``.sig`` when absent.

    Returns
    -------
    Path
        The signature.

    Raises
    ------
    InputError
        When the key cannot sign, or ssh-keygen is absent.
    OutputError
        When the signature cannot be written.

    Examples
    --------
    >>> import subprocess
    >>> import evenhand as eh
    >>> eh.write_record("audit.json", eh.audit_predictions([1, 0], [1, 0]))
    >>> _ = subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key-of-bo"], check=True)
    >>> signature = sign("audit.json", "key-of-bo")
    >>> signature.name, check_signature("audit.json", signature).good
    ('audit.json.sig', True)
    """
    held = _read(record)
    done = _keygen(["sign", "-f", str(key), "-n", NAMESPACE], held)
    if done.returncode or not done.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        raise InputError(f"{key}: cannot sign: {_said(done)}")
    place = Path(f"{record}.sig") if output is None else Path(output)
    write_bytes(place, done.stdout)
    return place


def check_signature(
    record: str | Path,
    signature: str | Path,
    allowed_signers: str | Path | None = None,
    signer: str | None = None,
) -> Signature:
    """Verify a signature of this file, and return by whom it is.

    Parameters
    ----------
    record, signature : paths
    allowed_signers : path, optional
        Whose keys are trusted, as ``ssh-keygen -Y verify`` reads it: a name and a public key a line. Without it, only
        that the signature fits the file is checked; whose key it is stays open.
    signer : str, optional
        The name that is expected; any of the file when absent.

    Returns
    -------
    Signature

    Raises
    ------
    InputError
        When a file cannot be read, or ssh-keygen is absent.

    Examples
    --------
    >>> import subprocess
    >>> from pathlib import Path
    >>> import evenhand as eh
    >>> eh.write_record("audit.json", eh.audit_predictions([1, 0], [1, 0]))
    >>> _ = subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key-of-ana"], check=True)
    >>> _ = Path("signers").write_text("ana@example.org " + Path("key-of-ana.pub").read_text())
    >>> found = check_signature("audit.json", sign("audit.json", "key-of-ana"), "signers")
    >>> found.good, found.signer
    (True, 'ana@example.org')
    """
    return _checked(_read(record), signature, allowed_signers, signer)


def read_signed_record(
    record: str | Path,
    signature: str | Path,
    allowed_signers: str | Path,
    signer: str | None = None,
) -> SignedRecord:
    """Read an audit.json once: check the signature of its bytes, and return the record that these bytes hold.

    Parameters
    ----------
    record, signature, allowed_signers, signer
        As of `check_signature`; allowed signers must be named, since anyone can sign.

    Raises
    ------
    RecordError
        When the bytes are no audit.json, or changed since they were written.
    InputError
        When a file cannot be read, or ssh-keygen is absent.

    Examples
    --------
    >>> import subprocess
    >>> from pathlib import Path
    >>> import evenhand as eh
    >>> eh.write_record("audit.json", eh.audit_predictions([1, 0] * 200, [1, 0] * 200))
    >>> _ = subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key-of-eva"], check=True)
    >>> _ = Path("signers").write_text("ana@example.org " + Path("key-of-eva.pub").read_text())
    >>> signed = eh.read_signed_record("audit.json", sign("audit.json", "key-of-eva"), "signers")
    >>> policy = eh.load_policy({"limits": {"accuracy": {"at_least": 0.8}}})
    >>> eh.judge(signed.record, policy, signed_by=signed).status
    'passed'
    """
    held = _read(record)
    return SignedRecord(parse_record(held, record), _checked(held, signature, allowed_signers, signer))


def _checked(held: bytes, signature: str | Path, allowed_signers: str | Path | None, signer: str | None) -> Signature:
    if signer is not None and not signer.strip():
        raise InputError("The name of the signer is blank, and would let any of them pass: name one, or leave it out.")
    place = str(signature)
    _read(signature)
    checked = _keygen(["check-novalidate", "-n", NAMESPACE, "-s", place], held)
    named = re.search(rb"SHA256:[A-Za-z0-9+/=]+", checked.stdout)
    key = named.group().decode() if named else ""
    if checked.returncode:
        return Signature(False, "", key, f"no signature of this file: {_said(checked)}")
    if allowed_signers is None:
        return Signature(True, "", key, f"made with the key {key}; whose it is was not checked")
    _read(allowed_signers)
    trusted = str(allowed_signers)
    name = signer or _principal(place, trusted)
    if not name:
        return Signature(False, "", key, f"made with the key {key}, which {allowed_signers} does not name")
    done = _keygen(["verify", "-f", trusted, "-I", name, "-n", NAMESPACE, "-s", place], held)
    if done.returncode:
        return Signature(False, "", key, f"not by {name}: {_said(done)}")
    return Signature(True, name, key, f"by {name} with the key {key}")


def _principal(signature: str, allowed: str) -> str:
    found = _keygen(["find-principals", "-s", signature, "-f", allowed, "-n", NAMESPACE], b"")
    return found.stdout.decode("utf-8", "replace").strip().split("\n")[0] if found.returncode == 0 else ""


def _keygen(words: Sequence[str], held: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", *words], input=held, capture_output=True, check=False, timeout=SECONDS
        )
    except FileNotFoundError:
        raise InputError("Signatures need ssh-keygen of OpenSSH 8.2 or newer, which is not on this machine.") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"ssh-keygen did not answer within {SECONDS} seconds.") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return shorten((done.stderr or done.stdout).decode("utf-8", "replace").strip(), 200)


def _read(place: str | Path) -> bytes:
    try:
        return Path(place).read_bytes()
    except OSError as wrong:
        raise InputError(f"{place}: cannot be read: {wrong.strerror or wrong}") from None
