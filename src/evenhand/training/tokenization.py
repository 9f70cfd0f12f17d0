"""Texts as a network takes them: rows of token ids of one length, by a vocabulary learnt from training rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

import numpy as np

from evenhand.data import as_inputs
from evenhand.errors import InputError, ModelError, need, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.data import Inputs
    from evenhand.findings import Batch, Plain, Reads

PAD: Final = 0
"""Fills a row behind its text; a network does not look there."""
START: Final = 1
"""The first id of a row."""
END: Final = 2
"""Stands behind the text."""
FIRST: Final = 3
"""The id of the first token of texts."""
LONGEST: Final = 128
"""Ids of a row at most, where no length is chosen."""
TWICE: Final = 2
"""A token joins two others that stand together so often."""


@dataclass(frozen=True, slots=True)
class Tokenization:
    """Preparing for networks over texts: from each text to `length` token ids, by byte pair encoding.

    Letters are brought to one form and one case. A token is a byte, or two tokens that stood together often in
    training texts (Sennrich et al. 2016; over bytes, Radford et al. 2019): no text is unknown, in any script. A row
    is a start, the tokens, an end, and a filling that a network does not look at; a longer text is cut at its end.
    Ids are whole numbers as float32, which has all of them.

    Examples
    --------
    >>> tokens = Tokenization.fit(["the cat sat", "the cat ran"], vocabulary=264, length=8)
    >>> tokens.transform(["the cat", ""]).shape, tokens.transform([""]).tolist()
    ((2, 8), [[1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]])
    """

    reads: ClassVar[Reads] = "texts"
    """Texts."""
    features: ClassVar[tuple[str, ...]] = ()
    """The columns of a table that are read: none."""
    left_out: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Columns that the network cannot read: none."""
    pairs: tuple[tuple[str, str], ...]
    """Tokens that are joined, the first first, as byte pair encoding writes them."""
    length: int
    """Ids of a row."""
    rows: int = 0
    """Texts it was fitted on."""
    cut: int = 0
    """How many of them are longer."""
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.length < FIRST:
            raise InputError(f"A row of {self.length} ids has no place for a text: at least {FIRST} are needed.")

    @classmethod
    def fit(cls, texts: Inputs | Batch, vocabulary: int = 4096, length: int = 0) -> Tokenization:
        """Learn tokens from training texts; the same texts give the same tokens.

        Parameters
        ----------
        texts : Inputs or list of str
            Training rows.
        vocabulary : int
            Different ids at most, of which 259 are for bytes and marks.
        length : int
            Ids of a row; 0 is that of the longest training row, up to 128.

        Returns
        -------
        Tokenization

        Raises
        ------
        InputError
            When rows are no texts, or the vocabulary has no place for all bytes.
        MissingExtraError
            When tokenizers is not installed.
        """
        need("tokenizers", "text")
        from tokenizers.trainers import BpeTrainer

        held = as_inputs(texts)
        if held.kind != "texts":
            raise InputError(f"Tokens are learnt from texts, and these inputs are {held.kind}.")
        alphabet = _alphabet()
        if vocabulary < FIRST + len(alphabet):
            raise InputError(
                f"A vocabulary of {vocabulary:,} has no place for all bytes: at least {FIRST + len(alphabet)} are "
                "needed."
            )
        learner = _tokenizer(())
        trainer = BpeTrainer(
            vocab_size=vocabulary - FIRST, min_frequency=TWICE, show_progress=False, special_tokens=[],
            initial_alphabet=alphabet,
        )  # fmt: skip
        try:
            learner.train_from_iterator(_all_texts(held), trainer)
        except ModelError as wrong:
            raise InputError(str(wrong)) from None
        whole = cls(_pairs_of(learner), FIRST, len(held))
        lengths = np.array([2 + len(ids) for batch in held.batches() for ids in whole.ids(batch)] or [FIRST])
        kept = length or max(FIRST, min(LONGEST, int(lengths.max())))
        return cls(whole.pairs, kept, len(held), int((lengths > kept).sum()))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one prepared row."""
        return (self.length,)

    @property
    def vocabulary(self) -> int:
        """Different ids: marks, bytes and joined tokens."""
        return FIRST + len(self._vocabulary())

    def ids(self, texts: Batch) -> list[list[int]]:
        """Return the ids of the tokens of each text, without marks and uncut; raise ModelError for what is no text."""
        tokenizer = self._kept.get("tokenizer")
        if tokenizer is None:
            need("tokenizers", "text")
            tokenizer = self._kept["tokenizer"] = _tokenizer(self.pairs, self._vocabulary())
        return [[FIRST + each for each in found.ids] for found in tokenizer.encode_batch(list(map(text_of, texts)))]

    def transform(self, batch: Batch) -> NDArray[np.float32]:
        """Return ``(n, length)`` ids.

        Raises
        ------
        ModelError
            When a row is no text.
        """
        if isinstance(batch, str) or not hasattr(batch, "__len__"):
            raise ModelError(f"The model reads a list of texts, not a {type(batch).__name__}.")
        found = np.full((len(batch), self.length), PAD, dtype=np.float32)
        for row, ids in zip(found, self.ids(batch), strict=True):
            kept = ids[: self.length - 2]
            row[: len(kept) + 2] = [START, *kept, END]
        return found

    def describe(self) -> list[Plain]:
        """Return the steps, as plain records for a report."""
        return [
            {
                "kind": "tokens", "vocabulary": self.vocabulary, "length": self.length,
                "cut": self.cut / self.rows if self.rows else None,
            }
        ]  # fmt: skip

    def to_plain(self) -> dict[str, Plain]:
        """Return everything as plain JSON data."""
        return {
            "kind": "tokens", "pairs": [" ".join(pair) for pair in self.pairs], "length": self.length,
            "rows": self.rows, "cut": self.cut,
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> Tokenization:
        """Return what `to_plain` was called on.

        Raises KeyError, TypeError or ValueError when `plain` is something else.
        """
        pairs = []
        for said in cast("list[str]", plain["pairs"]):
            first, second = said.split(" ")
            pairs.append((first, second))
        length, rows, cut = (int(cast("int", plain[name])) for name in ("length", "rows", "cut"))
        made = cls(tuple(pairs), length, rows, cut)
        known = made._vocabulary()
        if strange := next((part for pair in pairs for part in pair if part not in known), None):
            raise ValueError(f"its vocabulary joins {strange!r}, which is no token")
        return made

    def _vocabulary(self) -> dict[str, int]:
        """Return tokens with their numbers: bytes in order, then what was joined, in the order of joining."""
        known: dict[str, int] | None = self._kept.get("vocabulary")
        if known is None:
            known = {letter: at for at, letter in enumerate(_alphabet())}
            for first, second in self.pairs:
                known.setdefault(first + second, len(known))
            self._kept["vocabulary"] = known
        return known


def _alphabet() -> list[str]:
    """Return the 256 letters that byte pair encoding over bytes writes bytes as: those that can be seen as they are."""
    seen = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return sorted(map(chr, [*seen, *range(0x100, 0x100 + 256 - len(seen))]))


def _tokenizer(pairs: Sequence[tuple[str, str]], vocabulary: Mapping[str, int] | None = None) -> Any:
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import BPE

    made = Tokenizer(BPE(vocab=dict(vocabulary), merges=list(pairs)) if vocabulary else BPE())
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return made


def _pairs_of(learner: Any) -> tuple[tuple[str, str], ...]:
    """Return what a fitted tokenizer joins; it writes a pair as a list, or as a text with a space."""
    import json

    written: list[list[str] | str] = json.loads(learner.to_str())["model"]["merges"]
    pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in written)
    return tuple((first, second) for first, second in pairs)


def _all_texts(held: Inputs) -> Iterator[str]:
    for batch in held.batches():
        yield from map(text_of, batch)


def text_of(value: object) -> str:
    """Return a text without halves of letters; raise ModelError for what is none."""
    if not isinstance(value, str):
        raise ModelError(f"The model reads texts, and a row holds {quoted(value)}, which is none.")
    return value.encode("utf-8", "replace").decode("utf-8")  # halves of a letter, which are no UTF-8
