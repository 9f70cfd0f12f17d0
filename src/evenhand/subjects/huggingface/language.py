"""Language models that transformers saved in a folder: the likelihood of texts."""

from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from evenhand.errors import ModelError
from evenhand.subjects.huggingface.folder import load, load_part, read_folder
from evenhand.subjects.huggingface.graph import GraphModule, GraphOfTokens
from evenhand.subjects.huggingface.tokens import ROWS, Tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from evenhand.findings import Plain

MOST_LOGITS: Final = 1 << 25
"""The most numbers that a model answers with at once: a word of the vocabulary a token and row."""


class LanguageModel:
    """A causal or masked language model, which says how likely texts are.

    Parameters
    ----------
    module : torch.nn.Module
        A model of transformers with a head over its vocabulary.
    tokenizer : object
        Its tokenizer.
    kind : "causal" or "masked"
        Whether it tells the next token, or a masked one.
    name : str
        What to call it.
    facts : mapping
        What is known of its files.
    alone : bool
        Whether it is asked about one text at a time, since its answer to one depends on the others.

    Examples
    --------
    >>> from evenhand.subjects import open_language_model
    >>> open_language_model("gpt2").log_likelihood(["She is a doctor."])  # doctest: +SKIP
    """

    def __init__(
        self,
        module: Any,
        tokenizer: Any,
        kind: Literal["causal", "masked"],
        name: str = "language model",
        facts: Mapping[str, Plain] | None = None,
        alone: bool = False,
    ) -> None:
        self.module = module.eval()
        self.kind = kind
        self.name = name
        self.tokens = Tokens(tokenizer, module.config.to_dict(), name, alone)
        self._alone = alone
        if kind == "masked" and tokenizer.mask_token_id is None:
            raise ModelError(f"Model '{name}' tells masked tokens, and its tokenizer has no mask token.")
        self.facts: dict[str, Plain] = {
            "kind": "transformers",
            "class": type(module).__name__,
            "language_model": kind,
            "max_tokens": self.tokens.most,
            "parameters": sum(each.numel() for each in module.parameters()),
            **(facts or {}),
        }

    def log_likelihood(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the natural logarithm of how likely each text is, shape (n,).

        Of a causal model it is the sum over tokens, each given those before it, the first given the token that begins
        texts; where the tokenizer has none, the first token is not counted. Of a masked model it is the
        pseudo-log-likelihood: the sum over tokens, each masked in turn and given all others.

        Parameters
        ----------
        texts : (n,) sequence of str
            The texts.

        Raises
        ------
        ModelError
            For what is no text, or has no token.

        Notes
        -----
        The pseudo-log-likelihood is that of Salazar, Liang, Nguyen and Kirchhoff (2020), ACL.
        """
        import numpy as np

        return np.array([float(part.sum()) for part in self.token_log_likelihoods(texts)])

    def token_log_likelihoods(self, texts: Sequence[str]) -> list[NDArray[np.float64]]:
        """Return the natural logarithm of how likely each token of each text is; see `log_likelihood`.

        Parameters
        ----------
        texts : (n,) sequence of str
            The texts.

        Returns
        -------
        list of (tokens,) arrays
            Without tokens that the tokenizer adds: those that begin and end texts.
        """
        return self._causal(texts) if self.kind == "causal" else self._masked(self.tokens.ids(texts))

    def ending_log_likelihood(self, beginnings: Sequence[str], texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the natural logarithm of how likely each text's ending is, given its beginning, shape (n,).

        Of a masked model it is the pseudo-log-likelihood of the tokens of the ending: each is masked in turn, and given
        all others.

        Parameters
        ----------
        beginnings : (n,) sequence of str
            How each text begins.
        texts : (n,) sequence of str
            The texts.

        Raises
        ------
        ModelError
            For what is no text, or has no token.
        """
        import numpy as np

        ids = self.tokens.ids(texts)
        known = dict(zip(found := list(dict.fromkeys(beginnings)), self.tokens.ids(found), strict=True))
        begun = [_alike(known[first], row) for first, row in zip(beginnings, ids, strict=True)]
        if self.kind == "masked":
            parts = self._masked(ids, [range(at, len(row)) for at, row in zip(begun, ids, strict=True)])
        else:
            whole = self._causal(texts)
            parts = [each[max(0, len(each) - len(row) + at) :] for each, row, at in zip(whole, ids, begun, strict=True)]
        return np.array([float(part.sum()) for part in parts])

    def pair_log_likelihoods(self, first: Sequence[str], second: Sequence[str]) -> NDArray[np.float64]:
        """Return how likely the two texts of each pair are, shape (n, 2), so that they can be compared.

        Of a causal model these are the log-likelihoods of the whole texts. Of a masked one only the tokens that both
        texts have are counted, each masked in turn and given all others: a rare word in one of them weighs nothing.

        Parameters
        ----------
        first, second : (n,) sequences of str
            The pairs.

        Raises
        ------
        ModelError
            For what is no text, or has no token.

        Notes
        -----
        The score of masked models is that of Nangia, Vania, Bhalerao and Bowman (2020), EMNLP.
        """
        import numpy as np

        if self.kind == "causal":
            return np.stack([self.log_likelihood(first), self.log_likelihood(second)], axis=1)
        ids = (self.tokens.ids(first), self.tokens.ids(second))
        both = [_shared(*rows) for rows in zip(*ids, strict=True)]
        parts = [self._masked(rows, [pair[at] for pair in both]) for at, rows in enumerate(ids)]
        return np.array([[float(part.sum()) for part in side] for side in parts]).T

    def _causal(self, texts: Sequence[str]) -> list[NDArray[np.float64]]:
        import numpy as np

        first = self.tokens.tokenizer.bos_token_id
        ids, found = self.tokens.ids(texts), [np.empty(0)] * len(texts)
        most = self.tokens.most
        begun = [row if first is None or row[:1] == [first] else [first, *row][:most] for row in ids]
        for places, given in self.tokens.batches(begun, self._rows(max(map(len, begun), default=1))):
            said = self._log_shares(given)[:, :-1].gather(2, given[:, 1:, None])[..., 0].numpy()
            for at, row in zip(places, said, strict=True):
                found[at] = row
        return found

    def _masked(
        self, ids: Sequence[Sequence[int]], counted: Sequence[Iterable[int]] | None = None
    ) -> list[NDArray[np.float64]]:
        """Return how likely each counted token is, or each, where none are named; never those that are added."""
        import torch

        mask, special = self.tokens.tokenizer.mask_token_id, set(self.tokens.tokenizer.all_special_ids)
        found = []
        for row, some_of in zip(ids, counted or map(range, map(len, ids)), strict=True):
            given, places = torch.tensor(row), [at for at in some_of if row[at] not in special]
            masked = given.repeat(len(places), 1)
            masked[range(len(places)), places] = mask
            parts = [
                self._log_shares(masked[at : at + step])[range(len(some)), some, given[some]]
                for step in (self._rows(len(row)),)
                for at in range(0, len(places), step)
                if (some := places[at : at + step])
            ]
            found.append((torch.cat(parts) if parts else torch.empty(0, dtype=torch.float64)).numpy())
        return found

    def _rows(self, length: int) -> int:
        if self._alone:
            return 1
        words = int(self.module.config.vocab_size)
        return max(1, min(ROWS, MOST_LOGITS // (words * max(length, 1))))

    def _log_shares(self, ids: torch.Tensor) -> torch.Tensor:
        import torch

        with torch.inference_mode():
            answer: torch.Tensor = self.module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
            return answer.double().log_softmax(dim=-1)


def _alike(beginning: Sequence[int], row: Sequence[int]) -> int:
    """Return how many tokens of a text are those of its beginning."""
    return next((at for at, (one, other) in enumerate(zip(beginning, row, strict=False)) if one != other),
                min(len(beginning), len(row)))  # fmt: skip


def _shared(first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return where the tokens are that two texts have in the same order."""
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return (
        [block.a + at for block in blocks for at in range(block.size)],
        [block.b + at for block in blocks for at in range(block.size)],
    )


def open_language_model(path: str | Path, *, onnx: str | Path | None = None, name: str | None = None) -> LanguageModel:
    """Return the causal or masked language model in a folder that transformers wrote.

    Nothing is asked of a network, weights are read from safetensors alone, and no code of the folder is run.

    Parameters
    ----------
    path : str or Path
        The folder.
    onnx : str or Path, optional
        The same model as an ONNX graph, compressed say, to be run in its place, in a process with limits; the folder
        then needs config.json and the tokenizer alone. Its inputs are ``input_ids`` and, where it has them,
        ``attention_mask``, ``token_type_ids`` and ``position_ids``; its first output the logits (rows, tokens, words).
    name : str, optional
        What to call it; the folder's or the file's name when not given.

    Returns
    -------
    LanguageModel

    Raises
    ------
    ModelError
        When the folder holds no language model, or only a part of one, or the graph has other inputs.

    Examples
    --------
    >>> from evenhand.subjects import open_language_model
    >>> open_language_model("gpt2", onnx="gpt2_int8.onnx")  # doctest: +SKIP
    """
    folder = read_folder(Path(path), with_weights=onnx is None)
    if folder.kind not in ("causal", "masked"):
        raise ModelError(f"'{path}' holds a {folder.facts['class']}, which is no language model: it classifies.")
    kind: Literal["causal", "masked"] = "causal" if folder.kind == "causal" else "masked"
    tokenizer = load_part(folder, "AutoTokenizer", "tokenizer")
    if onnx is None:
        return LanguageModel(load(folder), tokenizer, kind, name or folder.path.resolve().name, folder.facts)
    graph = GraphOfTokens(Path(onnx), "a language model")
    facts = {**graph.facts, "class": folder.facts["class"]}
    module = GraphModule(graph, folder.config)
    return LanguageModel(module, tokenizer, kind, name or Path(onnx).stem, facts, graph.alone)
