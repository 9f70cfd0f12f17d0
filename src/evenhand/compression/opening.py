"""Open any model file, by its contents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenhand.subjects import OutputKind, Subject


def open_model(
    path: str | Path,
    *,
    trust_pickle: bool = False,
    positive: object = None,
    features: Sequence[str] | None = None,
    output: OutputKind | None = None,
    output_name: str | None = None,
) -> Subject:
    """Open a trained model (.safetensors), a compressed one (.onnx), or one of another origin.

    Parameters
    ----------
    path : str or Path
        The file.
    trust_pickle : bool
        Loading a pickle can run any code on this machine; True means that you trust the file's author.
    positive, features, output, output_name
        For models of another origin, as in `evenhand.subjects.open_subject`.

    Raises
    ------
    ModelError
        When the file is missing, of another kind, or a pickle that was not declared trusted.
    """
    from evenhand.subjects.loading import file_kind, open_subject, read_model_file

    place = Path(path)
    content = read_model_file(place)
    kind = file_kind(content, place.suffix)
    if kind == "safetensors":
        from evenhand.training import load_model

        return load_model(place)
    if kind == "onnx" and _is_compressed(content):
        from evenhand.compression.compressed import load_compressed

        return load_compressed(place)
    return open_subject(
        place,
        trust_pickle=trust_pickle,
        positive=positive,
        features=features,
        output=output,
        output_name=output_name,
    )


def _is_compressed(content: bytes) -> bool:
    """Whether the file is marked as written by evenhand; whether that is whole is checked on loading."""
    return b'"preprocessing":' in content and b"evenhand" in content
