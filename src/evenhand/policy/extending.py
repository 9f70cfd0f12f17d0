"""Rule packs: limits that many policies share, as versioned files."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from evenhand.documents import parse_toml, read_bytes
from evenhand.errors import InputError, did_you_mean
from evenhand.policy.checking import limits_problems
from evenhand.policy.placing import Written, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BUILTIN: Final[Mapping[str, str]] = {
    "four-fifths@1": "four-fifths-1.toml",
    "nyc-ll144@1": "nyc-ll144-1.toml",
    "responsibility@1": "responsibility-1.toml",
}
"""The packs that come with the package, by name and version; a version never changes once it is released."""
PREFIX: Final = "builtin:"
TABLES: Final = ("schema", "title", "as_of", "extends", "limits")
"""What a pack may contain; the policy that extends it decides what an undecided limit does."""


@dataclass(slots=True)
class Packs:
    """The limits collected from packs, nearest last."""

    limits: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)
    """Name of the pack as the policy writes it, key, and values."""
    hashes: list[str] = field(default_factory=list)
    """The sha256 of each pack's file."""
    names: list[str] = field(default_factory=list)
    """The packs, as the policy writes them."""
    problems: list[str] = field(default_factory=list)
    """Their problems, each in a sentence."""


def read_packs(named: object, written: Written, folder: Path | None) -> Packs:
    """Read the packs that ``extends`` names: ``builtin:four-fifths@1``, or files from `folder` on; none without one."""
    packs = Packs()
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        packs.problems.append(
            f'{written.at("extends")}: extends is a list of rule packs, such as ["builtin:four-fifths@1"].'
        )
        return packs
    for name in named:
        _read(name, name, written.at("extends"), folder, (), packs)
        packs.names.append(name)
    return packs


def described_packs() -> Iterator[tuple[str, str, int]]:
    """Yield the built-in packs: name, title and number of limits."""
    for name, file in BUILTIN.items():
        content = tomllib.loads(files("evenhand.policy").joinpath("packs", file).read_text("utf-8"))
        yield name, str(content.get("title", "")), len(content["limits"])


def _read(name: str, origin: str, at: str, folder: Path | None, inside: tuple[str, ...], packs: Packs) -> None:
    """Read one pack, after those that it extends."""
    raw = _bytes(name, at, folder, packs)
    if raw is None:
        return
    if name in inside:
        packs.problems.append(f"{at}: rule pack '{name}' extends itself, by way of {' and '.join(inside)}.")
        return
    try:
        content = parse_toml(raw, f"{at}: rule pack '{name}'")
    except InputError as wrong:
        packs.problems += wrong.problems
        return
    text = raw.decode("utf-8-sig")
    pack = Written(name, lines_of(text))
    packs.problems += _problems(content, pack, own=name.startswith(PREFIX))
    packs.hashes.append(hashlib.sha256(raw).hexdigest())
    deeper = content.get("extends", [])
    for other in deeper if isinstance(deeper, list) else ():
        below = None if folder is None else (folder / name).parent
        _read(str(other), origin, pack.at("extends"), below, (*inside, name), packs)
    limits = content.get("limits", {})
    if isinstance(limits, dict):
        packs.limits += [(origin, key, values) for key, values in limits.items()]


def _bytes(name: str, at: str, folder: Path | None, packs: Packs) -> bytes | None:
    if name.startswith(PREFIX):
        file = BUILTIN.get(name.removeprefix(PREFIX))
        if file is not None:
            return files("evenhand.policy").joinpath("packs", file).read_bytes()
        hint = did_you_mean(name, (f"{PREFIX}{known}" for known in BUILTIN))
        packs.problems.append(f"{at}: there is no rule pack '{name}'.{hint}")
        return None
    if folder is None:
        packs.problems.append(f"{at}: rule pack '{name}' is a file, and no file is read here: name it {PREFIX}...")
        return None
    try:
        return read_bytes(folder / name)
    except InputError as wrong:
        hint = f" A pack of evenhand is written '{PREFIX}{name}'." if name in BUILTIN else ""
        packs.problems.append(f"{at}: rule pack '{name}' cannot be read: {wrong}{hint}")
        return None


def _problems(content: Mapping[str, object], pack: Written, *, own: bool) -> Iterator[str]:
    """Yield the problems of a pack. A pack of evenhand may ask with a limit of 0 only that a value can be computed."""
    for table in content:
        if table not in TABLES:
            yield (
                f"{pack.at(table)}: a rule pack holds limits, and no '{table}'; what undecided limits do, and who "
                f"waives one, is for the policy that extends it.{did_you_mean(table, TABLES)}"
            )
    yield from limits_problems(content.get("limits", {}), pack, sense=not own)
