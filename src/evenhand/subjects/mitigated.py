"""Files of mitigated models: one archive of the model's own file, or files, and the rule over its scores."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from evenhand.documents import parse_json
from evenhand.errors import ModelError, argument, need, shorten
from evenhand.output.writing import write_bytes
from evenhand.subjects.adapter import Adapter
from evenhand.subjects.archives import members_of, read_member
from evenhand.subjects.mixture import Mixture
from evenhand.subjects.model_file import ModelFile, file_facts, read_model_file
from evenhand.subjects.post_processing import PostProcessed
from evenhand.subjects.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from evenhand.findings import Plain
    from evenhand.subjects.model_file import Opening
    from evenhand.subjects.protocol import Subject

KIND: Final = "mitigated"
"""The name of the kind of file."""
ABOUT: Final = "mitigation.json"
"""The member that says what the others are."""
FORMAT: Final = 1
MOST_ABOUT: Final = 16 << 20
"""Bytes of that member."""
MOST_MEMBER: Final = 4 << 30
"""Bytes of a model in it."""
KNOWN_TYPES: Final = ("fairlearn.preprocessing._correlation_remover.CorrelationRemover", "numpy.dtype")
"""Types in skops files of candidates beside those that skops trusts: numbers, and a method that multiplies them."""


Opener: TypeAlias = "Callable[[Path, Mapping[str, Any]], Subject]"
"""Opens a model file inside the archive as the archive was asked to be opened, with what the archive declares of it."""


def save_mitigated(model: Subject, path: str | Path, base: str | Path | None = None) -> None:
    """Write a mitigated model as one file that `evenhand.open_model` opens.

    Parameters
    ----------
    model : Subject
        A model under a rule, or an estimator of scikit-learn.
    path : str or Path
        The file, such as ``credit.mitigated``.
    base : str or Path, optional
        The file of the model under the rule. Without it an estimator is written as skops does it, and a model with a
        method ``save`` by that.

    Raises
    ------
    ModelError
        When the model under the rule cannot be written and its file is not given.

    Examples
    --------
    >>> import evenhand as eh
    >>> from sklearn.linear_model import LogisticRegression
    >>> from evenhand.subjects import as_subject
    >>> from evenhand.subjects.mitigated import save_mitigated
    >>> from evenhand.subjects.post_processing import PostProcessed
    >>> from evenhand.subjects.rules import Rule, Steps
    >>> model = as_subject(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), features=["x"])
    >>> save_mitigated(PostProcessed(model, Rule(Steps.at(0.7)), ["x"]), "strict.mitigated")
    >>> eh.open_model("strict.mitigated").threshold
    0.7
    """
    under = isinstance(model, PostProcessed)
    inner: Subject = model.base if isinstance(model, PostProcessed) else model
    parts = inner.members if isinstance(inner, Mixture) else (inner,)
    about: dict[str, Any] = {"format": FORMAT, "name": model.name, "post_processed": under, "members": []}
    if isinstance(model, PostProcessed):
        about |= {"rule": model.rule and model.rule.to_plain(), "seed": model.seed, "columns": model.base_columns}
    if isinstance(inner, Mixture):
        about["weights"] = inner.weights
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for at, part in enumerate(parts):
            ending, content, opening = _content(part, None if base is None else Path(base))
            name = f"model{at}{ending}"
            about["members"].append({"file": name, "name": part.name, "opening": opening})
            archive.writestr(_entry(name), content)
        archive.writestr(_entry(ABOUT), json.dumps(about, indent=1, sort_keys=True))
    write_bytes(Path(path), packed.getvalue())


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry without the time of day: the same model gives the same bytes."""
    made = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def _content(part: Subject, base: Path | None) -> tuple[str, bytes, dict[str, Plain]]:
    """Return the ending of a model's file, its bytes, and how it is to be opened."""
    if base is not None:
        if base.is_dir():
            raise ModelError(f"'{shorten(base)}' is a folder; a mitigated model is saved over one file.")
        return base.suffix, read_model_file(base), _declared(part)
    save = getattr(part, "save", None)
    if callable(save):
        with TemporaryDirectory() as folder:
            ending = ".onnx" if part.facts.get("recipes") else ".safetensors"
            save(Path(folder) / f"model{ending}")
            return ending, (Path(folder) / f"model{ending}").read_bytes(), {}
    if hasattr(part, "estimator"):
        return ".skops", need("skops.io", "skops").dumps(part.estimator), _declared(part)
    raise ModelError(
        f"Model '{part.name}' cannot be written again: name its file by {argument('base')}, and it is put into the "
        "archive as it is."
    )


def _declared(part: Subject) -> dict[str, Plain]:
    """Return what was said of an estimator when it was made a subject, and its file does not say."""
    if not hasattr(part, "estimator"):
        return {}
    declared = getattr(part, "declared", None)
    said = {"features": getattr(part, "features", None), "positive": getattr(declared, "positive", None)}
    return {name: _plain(value) for name, value in said.items() if value is not None}


def _plain(value: object) -> Plain:
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value if isinstance(value, (bool, int, float)) else str(value)


def open_mitigated(path: Path, opener: Opener) -> Subject:
    """Return the model of such a file.

    Parameters
    ----------
    path : Path
        The file.
    opener : callable
        Opens the model files in it.

    Raises
    ------
    ModelError
        When it is damaged, or a model in it is refused.
    """
    about = _about(path)
    folder = TemporaryDirectory(prefix="evenhand-")
    members = []
    for told in cast("list[dict[str, Any]]", about["members"]):
        place = Path(folder.name) / Path(str(told["file"])).name
        write_bytes(place, read_member(path, str(told["file"]), MOST_MEMBER))
        members.append(opener(place, _opening(told)))
    try:
        made = _put_together(about, members)
    except (KeyError, TypeError, ValueError) as problem:
        raise _damaged(path, problem) from None
    cast("Any", made).name = str(about["name"])
    made.held_in = folder  # type: ignore[attr-defined]  # the files stay while the model does: a process may read them
    if isinstance(made, PostProcessed):
        made.file_facts = file_facts(path)
    return made


def _opening(told: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: told["opening"][name] for name in ("features", "positive") if name in told.get("opening", {})}
    return {**known, "trusted_types": KNOWN_TYPES} if str(told["file"]).endswith(".skops") else known


def _put_together(about: Mapping[str, Any], members: list[Subject]) -> Subject:
    name = str(about["name"])
    base: Subject = Mixture(members, about["weights"], name) if "weights" in about else members[0]
    if not about["post_processed"]:
        return base
    rule = None if about["rule"] is None else Rule.from_plain(about["rule"])
    return PostProcessed(base, rule, [*map(str, about["columns"])], seed=int(about["seed"]), name=name)


def _about(path: Path) -> dict[str, Any]:
    members_of(path)
    try:
        found = parse_json(read_member(path, ABOUT, MOST_ABOUT), path)
        if not isinstance(found, dict) or found["format"] != FORMAT or not found["members"]:
            raise ValueError("it is of another format")
    except (KeyError, ValueError) as problem:
        raise _damaged(path, problem) from None
    return cast("dict[str, Any]", found)


def _damaged(path: Path, problem: Exception) -> ModelError:
    return ModelError(f"'{shorten(path)}' is no mitigated model that this release can open: {shorten(problem, 200)}.")


def _open(path: Path, asked: Opening) -> Subject:
    from evenhand.subjects.loading import open_subject

    def opener(place: Path, declared: Mapping[str, Any]) -> Subject:
        own = {name: value for name, value in asked.declared.items() if name not in ("name", "threshold")}
        types = (*asked.trusted_types, *declared.get("trusted_types", ()))
        more: dict[str, Any] = {**own, **declared, "trusted_types": types, "trust_pickle": asked.trust_pickle}
        return open_subject(place, **more)

    return open_mitigated(path, opener)


FILE: Final = ModelFile(
    KIND,
    (".mitigated",),
    _open,
    holds=(ABOUT,),
    safety="Data. A rule, and beside it a model file that is opened, or refused, as it would be alone.",
)
ADAPTER: Final = Adapter(PostProcessed, files=(FILE,))
