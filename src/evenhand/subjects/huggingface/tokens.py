"""Texts as token ids for a model of transformers: in batches of one length, so that no row is padded."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from evenhand.errors import ModelError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from evenhand.findings import Batch

ROWS: Final = 32
"""The most rows that are asked together."""
WITHOUT_LIMIT: Final = 1 << 20
"""A tokenizer that names more tokens than this names no limit."""


class Tokens:
    """The tokenizer of a model, and how many tokens that reads.

    `tokenizer`: of transformers; `config`: the model's settings; `name`: the model's name, for the sentences; `alone`:
    whether the model takes one row at a time.
    """

    def __init__(self, tokenizer: Any, config: Mapping[str, object], name: str, alone: bool = False) -> None:
        self.tokenizer = tokenizer
        self.name = name
        self.most = _most(tokenizer, config)
        self._rows = 1 if alone else ROWS
        self._told = False

    def ids(self, texts: Batch) -> list[list[int]]:
        """Return the ids of each text, cut at the most that the model reads; the first cut is told in a warning.

        Raises ModelError for what is no text, or has no token.
        """
        given = [_text(text, self.name) for text in texts]
        if not given:
            return []
        whole = self.tokenizer(given, padding=False, truncation=False, verbose=False)["input_ids"]
        if self.most is not None and (cut := sum(len(row) > self.most for row in whole)):
            self._tell(cut, len(whole))
            whole = self.tokenizer(given, padding=False, truncation=True, max_length=self.most)["input_ids"]
        for text, row in zip(given, whole, strict=True):
            if not row:
                raise ModelError(f"Model '{self.name}' finds no token in the text {quoted(text)}: it cannot be read.")
        return [list(row) for row in whole]

    def batches(
        self, ids: Sequence[Sequence[int]], rows: int | None = None
    ) -> Iterator[tuple[list[int], torch.Tensor]]:
        """Yield positions of rows that have one length, and their ids, shape (rows, length)."""
        import torch

        by_length: dict[int, list[int]] = {}
        for at, row in enumerate(ids):
            by_length.setdefault(len(row), []).append(at)
        most = self._rows if rows is None else min(rows, self._rows)
        for places in by_length.values():
            for start in range(0, len(places), most):
                chosen = places[start : start + most]
                yield chosen, torch.tensor([ids[at] for at in chosen])

    def _tell(self, cut: int, rows: int) -> None:
        if not self._told:
            self._told = True
            warnings.warn(
                f"Model '{self.name}' reads {self.most:,} tokens at most; {cut:,} of the first {rows:,} texts are "
                "longer, and the rest of them is not read.",
                UserWarning,
                stacklevel=4,
            )


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ModelError(f"Model '{name}' reads texts, and a row holds {quoted(value)}, which is none.")
    return value


def _most(tokenizer: Any, config: Mapping[str, object]) -> int | None:
    """Return the most tokens: as the tokenizer says, and no more than the model has places for; None without a limit.

    Models of the RoBERTa family count places from behind the place of the padding, so they have so many fewer.
    """
    said = int(min(tokenizer.model_max_length, 1 << 62))
    limits = [said] if said <= WITHOUT_LIMIT else []
    places = config.get("max_position_embeddings", config.get("n_positions"))
    relative = config.get("position_embedding_type", "absolute") != "absolute" or "rope_theta" in config
    if isinstance(places, int) and not relative:
        kind, pad = str(config.get("model_type")), config.get("pad_token_id")
        before = int(pad) + 1 if kind in _FROM_PADDING and isinstance(pad, int) else 0
        limits.append(places - before)
    return min(limits) if limits else None


_FROM_PADDING: Final = (
    "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "mpnet", "data2vec-text", "ibert",
    "roberta-prelayernorm", "xmod", "luke", "esm",
)  # fmt: skip
