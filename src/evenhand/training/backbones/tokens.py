"""Texts as a network of transformers takes them: by the tokenizer that it was trained with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

import numpy as np

from evenhand.data import as_inputs
from evenhand.errors import InputError, ModelError, need
from evenhand.training.config import LONGEST_TEXT
from evenhand.training.tokenization import LONGEST, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from evenhand.data import Inputs
    from evenhand.findings import Batch, Plain, Reads

MOST_BYTES: Final = 8 << 20
"""Of the tokenizer; a model's file describes it in its header, which is read whole."""
KIND: Final = "pretrained_tokens"


@dataclass(frozen=True, slots=True)
class PretrainedTokens:
    """Preparing for a network of transformers: from each text to `length` token ids, each counted from 1.

    A row is what the tokenizer makes of a text, with the marks it adds, filled up with 0; a longer text is cut.

    Raises
    ------
    InputError
        For a length that no row has.
    """

    reads: ClassVar[Reads] = "texts"
    """Texts."""
    features: ClassVar[tuple[str, ...]] = ()
    """The columns of a table that are read: none."""
    left_out: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Columns that the network cannot read: none."""
    tokenizer: str
    """The tokenizer, as the library tokenizers writes it: JSON."""
    length: int
    """Ids of a row."""
    rows: int = 0
    """Texts that decided the length."""
    cut: int = 0
    """How many of them are longer."""
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 1 <= self.length <= LONGEST_TEXT:
            raise InputError(f"A row has 1 to {LONGEST_TEXT:,} ids, not {self.length:,}.")

    @classmethod
    def fit(cls, tokenizer: str, texts: Inputs, most: int | None = None, length: int = 0) -> PretrainedTokens:
        """Return the preparing with `length`, or the longest training row up to 128 and to the `most` of the model.

        Raises ModelError when a row is no text, InputError when they are no texts or `length` is more than `most`.
        """
        held = as_inputs(texts)
        if held.kind != "texts":
            raise InputError(f"The backbone reads texts, and these inputs are {held.kind}.")
        if most is not None and length > most:
            raise InputError(f"The backbone reads {most:,} tokens at most, and length is {length:,}.")
        whole = cls(tokenizer, LONGEST_TEXT)
        sizes = np.array([len(ids) for batch in held.batches() for ids in whole.ids(batch)] or [1])
        kept = length or max(1, min(LONGEST, most or LONGEST, int(sizes.max())))
        return cls(tokenizer, kept, len(held), int((sizes > kept).sum()))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one prepared row."""
        return (self.length,)

    def ids(self, texts: Batch, most: int | None = None) -> list[list[int]]:
        """Return the tokenizer's ids of each text, at most `most`; raise ModelError for what is no text."""
        made = self._made()
        if most is None:
            made.no_truncation()
        else:
            made.enable_truncation(most)
        return [each.ids for each in made.encode_batch(list(map(text_of, texts)))]

    def transform(self, batch: Batch) -> NDArray[np.float32]:
        """Return ``(n, length)`` ids, each counted from 1.

        Raises
        ------
        ModelError
            When a row is no text.
        """
        if isinstance(batch, str) or not hasattr(batch, "__len__"):
            raise ModelError(f"The model reads a list of texts, not a {type(batch).__name__}.")
        found = np.zeros((len(batch), self.length), dtype=np.float32)
        for row, ids in zip(found, self.ids(batch, self.length), strict=True):
            row[: len(ids)] = np.asarray(ids, dtype=np.float32) + 1
        return found

    def describe(self) -> list[Plain]:
        """Return the steps, as plain records for a report."""
        vocabulary: int = self._made().get_vocab_size()
        share = self.cut / self.rows if self.rows else None
        return [{"kind": "tokens", "vocabulary": vocabulary, "length": self.length, "cut": share}]

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as plain JSON data."""
        return {
            "kind": KIND, "tokenizer": self.tokenizer, "length": self.length, "rows": self.rows, "cut": self.cut,
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> PretrainedTokens:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        length, rows, cut = (int(cast("int", plain[name])) for name in ("length", "rows", "cut"))
        made = cls(str(plain["tokenizer"]), length, rows, cut)
        made._made()
        return made

    def _made(self) -> Any:
        """Return the tokenizer; raise ValueError when it is none."""
        made = self._kept.get("tokenizer")
        if made is None:
            tokenizers = need("tokenizers", "text")
            try:
                made = tokenizers.Tokenizer.from_str(self.tokenizer)
            except Exception as problem:  # tokenizers raises Exception itself
                raise ValueError(f"its tokenizer cannot be read: {problem}") from None
            made.no_padding()
            self._kept["tokenizer"] = made
        return made


def tokenizer_text(tokenizer: Any, path: object) -> str:
    """Return a tokenizer of transformers as JSON.

    Raises ModelError when it is of Python code, or too large for a model's file.
    """
    behind = getattr(tokenizer, "backend_tokenizer", None)
    if behind is None:
        raise ModelError(
            f"'{path}' has a tokenizer that is Python code, which no model file can hold. Save it as tokenizer.json, "
            "with transformers: AutoTokenizer.from_pretrained(folder, use_fast=True).save_pretrained(folder)."
        )
    text: str = behind.to_str()
    if len(text.encode()) > MOST_BYTES:
        raise ModelError(
            f"'{path}' has a tokenizer of {len(text.encode()):,} bytes, and a model file holds {MOST_BYTES:,} at most: "
            "take a backbone with a smaller vocabulary, or train a head over evenhand.subjects.open_encoder."
        )
    return text
