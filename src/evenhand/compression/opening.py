"""Open any model file, by its contents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from evenhand.subjects import OutputKind, Subject
    from evenhand.subjects.isolation.limits import Limits


def open_model(
    path: str | Path,
    *,
    trust_pickle: bool = False,
    trusted_types: Sequence[str] = (),
    positive: object = None,
    features: Sequence[str] | None = None,
    output: OutputKind | None = None,
    output_name: str | None = None,
    isolate: bool | Limits | None = None,
    allowed_signers: str | Path | None = None,
) -> Subject:
    """Open a trained model (.safetensors), a compressed one (.onnx), or one of another origin.

    Parameters
    ----------
    path : str or Path
        The file, or a folder that transformers wrote; or the address of a model behind HTTP, or a file of TOML that
        declares one.
    trust_pickle : bool
        Loading a pickle can run any code on this machine; True means that you trust the file's author.
    trusted_types : sequence of str
        Types in a skops file that you trust, beside those that skops knows to be harmless.
    positive, features, output, output_name
        For models of another origin, as in `evenhand.subjects.open_subject`.
    isolate : bool or Limits, optional
        Open and run it in a process with limits of time and memory, these or the usual ones. By default this is so for
        an ONNX file without a good signature, also for one that says evenhand wrote it. A .safetensors file is never
        isolated: it holds numbers, whose shapes are compared with its network's before that is built.
    allowed_signers : str or Path, optional
        Whose signatures ``<path>.sig`` are good, as ``ssh-keygen -Y verify`` reads it.

    Returns
    -------
    Subject

    Raises
    ------
    ModelError
        When the file is missing, of another kind, or a pickle that was not declared trusted.

    Examples
    --------
    >>> import evenhand as eh
    >>> from evenhand.training import TrainingConfig, fit
    >>> data = eh.load_loanapp()
    >>> fit(data, config=TrainingConfig(epochs=1, hidden=(4,)), name="credit").save("credit.safetensors")
    >>> eh.open_model("credit.safetensors").name
    'credit'
    """
    from evenhand.subjects.loading import model_kind, open_subject
    from evenhand.subjects.model_file import is_folder, read_model_file
    from evenhand.subjects.remote.adapter import open_remote, remote_place

    if (remote := remote_place(path)) is not None:
        return open_remote(remote, positive=positive, features=features)
    place = Path(path)
    kind = "folder" if is_folder(place) else model_kind(place)
    if kind == "safetensors":
        from evenhand.training.storing import open_trained

        return open_trained(place)
    if kind == "onnx" and _is_deployed(content := read_model_file(place)):
        from evenhand.compression.deploying.deployed import DeployedModel
        from evenhand.subjects.loading import limits_of

        return DeployedModel(content, f"'{place}'", limits_of(place, isolate, allowed_signers))
    if kind == "mitigated":
        return _mitigated(place, trust_pickle, tuple(trusted_types), isolate, allowed_signers)
    if kind == "onnx" and _is_compressed(content):
        from evenhand.compression.compressed import load_compressed

        return load_compressed(place, isolate=isolate, allowed_signers=allowed_signers)
    return open_subject(
        place,
        trust_pickle=trust_pickle,
        trusted_types=trusted_types,
        positive=positive,
        features=features,
        output=output,
        output_name=output_name,
        isolate=isolate,
        allowed_signers=allowed_signers,
    )


def _is_deployed(content: bytes) -> bool:
    """Whether the file is marked as written by `evenhand export`; whether that is whole is checked on loading."""
    return b"evenhand-deployed" in content


def _mitigated(
    path: Path, trust_pickle: bool, trusted: tuple[str, ...], isolate: bool | Limits | None, signers: str | Path | None
) -> Subject:
    """Return a model under a rule; its own file is opened as it would be alone."""
    from evenhand.subjects.mitigated import open_mitigated
    from evenhand.training.rows import read_rows

    def opener(place: Path, declared: Mapping[str, Any]) -> Subject:
        types = (*trusted, *declared.get("trusted_types", ()))
        how = {"trust_pickle": trust_pickle, "isolate": isolate, "allowed_signers": signers}
        more: dict[str, Any] = {**how, **declared, "trusted_types": types}
        return open_model(place, **more)

    made, seen = open_mitigated(path, opener), read_rows(path)
    if len(seen):
        made.fit_row_hashes = seen  # type: ignore[attr-defined]  # of any kind of model
    return made


def _is_compressed(content: bytes) -> bool:
    """Whether the file is marked as written by evenhand; whether that is whole is checked on loading."""
    return b'"preprocessing":' in content and b"evenhand" in content
