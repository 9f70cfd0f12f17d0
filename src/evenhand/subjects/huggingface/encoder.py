"""Encoders of texts that transformers saved in a folder, or exported to ONNX: numbers for a head to decide by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evenhand.documents import parse_json, read_bytes
from evenhand.errors import ModelError, shorten
from evenhand.subjects.huggingface.folder import MOST_CONFIG, Folder, load, load_part, read_folder, read_settings
from evenhand.subjects.huggingface.graph import GraphOfTokens
from evenhand.subjects.huggingface.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from evenhand.findings import Batch, Plain

Pooling = Literal["mean", "first"]


class TextEncoder:
    """A function from texts to numbers: what a language model makes of them, the mean over tokens say.

    It is frozen: a head is trained over it, and `as_subject(head, prepare=encoder, reads="texts")` is the whole model,
    with the parameters and bytes of both.

    Parameters
    ----------
    states : callable
        From ids (rows, tokens) to the last states (rows, tokens, width).
    tokens : Tokens
        The tokenizer.
    pooling : "mean" or "first"
        Whether the states of all tokens are averaged, or that of the first is taken.
    normalized : bool
        Whether numbers are divided by their length.
    facts : mapping
        What is known of its files.

    Examples
    --------
    >>> from evenhand.subjects import open_encoder
    >>> open_encoder("all-MiniLM-L6-v2")(["a text", "another"]).shape  # doctest: +SKIP
    (2, 384)
    """

    def __init__(
        self,
        states: Callable[[torch.Tensor], NDArray[np.float32]],
        tokens: Tokens,
        *,
        pooling: Pooling = "mean",
        normalized: bool = False,
        facts: Mapping[str, Plain] | None = None,
    ) -> None:
        self._states = states
        self._tokens = tokens
        self._pooling = pooling
        self._normalized = normalized
        self.facts: dict[str, Plain] = dict(facts or {})

    def __call__(self, texts: Batch) -> NDArray[np.float32]:
        """Return the numbers of each text, shape (n, width).

        Raises ModelError for what is no text, or has no token.
        """
        import numpy as np

        ids = self._tokens.ids(texts)
        found: NDArray[np.float32] = np.empty((len(ids), 0), dtype=np.float32)
        for places, given in self._tokens.batches(ids):
            states = self._states(given)
            pooled = states.mean(axis=1) if self._pooling == "mean" else states[:, 0]
            if not found.size:
                found = np.empty((len(ids), pooled.shape[1]), dtype=np.float32)
            found[places] = pooled
        if self._normalized:
            found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return found


def open_encoder(path: str | Path, *, onnx: str | Path | None = None, name: str | None = None) -> TextEncoder:
    """Return the encoder of texts in a folder that transformers, or sentence-transformers, wrote.

    Nothing is asked of a network, weights are read from safetensors alone, and no code of the folder is run.

    Parameters
    ----------
    path : str or Path
        The folder. Whether states are averaged and normalized is what ``1_Pooling`` and ``modules.json`` say where they
        are there; averaged, else.
    onnx : str or Path, optional
        The same encoder as an ONNX graph, compressed say, to be run in its place, in a process with limits; its inputs
        are ``input_ids`` and, where it has them, ``attention_mask`` and ``token_type_ids``.
    name : str, optional
        What to call it; the folder's or the file's name when not given.

    Returns
    -------
    TextEncoder

    Raises
    ------
    ModelError
        When the folder holds no encoder, or the graph has other inputs.

    Examples
    --------
    >>> from evenhand.subjects import open_encoder
    >>> open_encoder("all-MiniLM-L6-v2", onnx="model_int8.onnx")  # doctest: +SKIP
    """
    folder = read_folder(Path(path))
    if folder.kind != "encoder":
        raise ModelError(f"'{path}' holds a {folder.facts['class']}, which is no encoder alone.")
    pooling, normalized = pooling_of(folder), normalizes(folder)
    tokenizer = load_part(folder, "AutoTokenizer", "tokenizer")
    if onnx is not None:
        return _of_graph(Path(onnx), folder, tokenizer, name, pooling=pooling, normalized=normalized)
    called = name or folder.path.resolve().name
    module: Any = load(folder, unused="pooler.")
    parameters = list(module.parameters())
    facts: dict[str, Plain] = {
        **folder.facts,
        "name": called,
        "parameters": sum(each.numel() for each in parameters),
        "nonzero_parameters": sum(int(each.count_nonzero()) for each in parameters),
    }

    def states(ids: torch.Tensor) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            found: NDArray[np.float32] = module(input_ids=ids, attention_mask=torch.ones_like(ids))[0].numpy()
            return found

    return TextEncoder(
        states, tokens_of(folder, tokenizer, called), pooling=pooling, normalized=normalized, facts=facts
    )


def tokens_of(folder: Folder, tokenizer: Any, name: str, alone: bool = False) -> Tokens:
    """Return the tokenizer of a folder, and how many tokens the model reads, as the folder says."""
    told = folder.path / "sentence_bert_config.json"
    most = read_settings(told).get("max_seq_length") if told.is_file() else None
    made = Tokens(tokenizer, folder.config, name, alone)
    if isinstance(most, int) and most > 0:
        made.most = most if made.most is None else min(made.most, most)
    return made


def pooling_of(folder: Folder) -> Pooling:
    """Return how states become one, as the folder says.

    Raises ModelError for a way that is not known here.
    """
    told = folder.path / "1_Pooling" / "config.json"
    if not told.is_file():
        return "mean"
    ways = [name for name, said in read_settings(told).items() if name.startswith("pooling_mode") and said is True]
    if ways == ["pooling_mode_mean_tokens"]:
        return "mean"
    if ways == ["pooling_mode_cls_token"]:
        return "first"
    raise ModelError(f"{told}: pools by {shorten(', '.join(ways), 80)}; known are the mean and the first token.")


def normalizes(folder: Folder) -> bool:
    """Return whether numbers are divided by their length, as the folder says."""
    told = folder.path / "modules.json"
    if not told.is_file():
        return False
    modules = parse_json(read_bytes(told, kind=ModelError, most=MOST_CONFIG), told, kind=ModelError)
    held = modules if isinstance(modules, list) else []
    return any(isinstance(each, dict) and str(each.get("type")).endswith(".Normalize") for each in held)


def _of_graph(
    file: Path, folder: Folder, tokenizer: Any, name: str | None, *, pooling: Pooling, normalized: bool
) -> TextEncoder:
    """Return the encoder that is an ONNX graph, run in a process with limits."""
    graph, called = GraphOfTokens(file, "an encoder of texts"), name or file.stem
    facts: dict[str, Plain] = {**graph.facts, "name": called, "class": str(folder.facts["class"])}
    tokens = tokens_of(folder, tokenizer, called, graph.alone)
    return TextEncoder(graph.states, tokens, pooling=pooling, normalized=normalized, facts=facts)
