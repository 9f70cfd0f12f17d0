"""The models on the way to a compressed one, kept beside its file: what each act did can then be told apart."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from evenhand.documents import parse_json, read_bytes
from evenhand.errors import InputError, ModelError
from evenhand.subjects import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Kept(Subject, Protocol):
    """A model that is kept as a file of its own."""

    @property
    def content(self) -> bytes:
        """The bytes of its file."""
        ...


@dataclass(frozen=True, slots=True)
class Stages:
    """Each act of a compression, in order, and the models between two acts.

    See Also
    --------
    evenhand.compression.compress : Keeps them with the model it returns.
    """

    original: str
    """The sha256 of the model it began with."""
    by: tuple[str, ...]
    """The acts: recipes by name; ``tuning``, further training at the old threshold; ``threshold``, its choice anew."""
    between: tuple[Kept, ...]
    """The model after each act but the last, whose model is the compressed one."""


class Staged:
    """What holds the stages of a model, or reads them when they are asked for."""

    _stages: Stages | None = None
    stages_from: Callable[[], Stages | None] | None = None
    """Reads them from beside the model's file."""

    @property
    def stages(self) -> Stages | None:
        """The models on the way to this one, where it was compressed in several acts and they were kept."""
        if self._stages is None and self.stages_from is not None:
            self._stages = self.stages_from()
            self.stages_from = None
        return self._stages

    @stages.setter
    def stages(self, stages: Stages | None) -> None:
        self._stages, self.stages_from = stages, None


def numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Return names, of which those that occur again are told apart.

    Examples
    --------
    >>> numbered(["low_rank", "tuning", "int8", "tuning"])
    ('low_rank', 'tuning', 'int8', 'tuning 2')
    """
    again = [names[: at + 1].count(name) for at, name in enumerate(names)]
    return tuple(name if count == 1 else f"{name} {count}" for name, count in zip(names, again, strict=True))


def stage_path(model: Path, number: int) -> Path:
    """Return the path of the model after an act, counted from 1."""
    return model.with_name(f"{model.name}.stage{number}.safetensors")


def write_stages(model: Path, stages: Stages | None, content: bytes) -> None:
    """Write the models on the way to one into its folder, with what they are; old ones are deleted.

    `content`: the bytes of the model's own file, which what is written refers to.
    """
    from evenhand.output.writing import is_device, write_bytes, write_text

    if is_device(model):  # nothing can be read again from there
        return
    held = () if stages is None else stages.between
    for number, stage in enumerate(held, start=1):
        write_bytes(stage_path(model, number), stage.content)
    number = len(held) + 1
    while stage_path(model, number).exists():
        stage_path(model, number).unlink()
        number += 1
    if stages is None:
        _index(model).unlink(missing_ok=True)
        return
    said = {
        "model": _digest(content),
        "original": stages.original,
        "by": list(stages.by),
        "between": [_digest(stage.content) for stage in held],
    }
    write_text(_index(model), json.dumps(said, indent=1, sort_keys=True) + "\n")


def read_stages(model: Path, content: bytes, load: Callable[[Path], Kept]) -> Stages | None:
    """Return the models on the way to one, read by `load`; None when they are absent, damaged or of another model."""
    if not _index(model).exists():
        return None
    try:
        said = parse_json(read_bytes(_index(model)), _index(model), strict=True)
        if not isinstance(said, dict) or said.get("model") != _digest(content):
            return None
        by, digests = said.get("by"), said.get("between")
        if not isinstance(by, list) or not isinstance(digests, list) or len(by) != len(digests) + 1:
            return None
        between = tuple(load(stage_path(model, number)) for number in range(1, len(by)))
    except (InputError, ModelError):
        return None
    if [_digest(stage.content) for stage in between] != digests:
        return None
    return Stages(str(said.get("original")), tuple(map(str, by)), between)


def _index(model: Path) -> Path:
    return model.with_name(model.name + ".stages.json")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
