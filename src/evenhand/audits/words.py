"""What words add to the score of a model that reads texts, overall and for each group; whole texts where asked for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from evenhand.audits.statement import (
    Audit,
    Statement,
    interval_of,
    members,
    not_applicable,
    singles,
    without_model,
)
from evenhand.errors import InputError, ModelError
from evenhand.findings import Finding
from evenhand.keys import Key
from evenhand.messages import message, sentences
from evenhand.settings import Declared, setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from evenhand.evidence import Evidence

    Floats = NDArray[np.float64]

NAME = "words"
LEAST: Final = 5
"""The fewest texts with a word, overall and of a group: what fewer say may be one person's."""
MOST_STATED: Final = 100
"""Words that are stated, those of most texts; of several classes, together."""
MOST_GROUPED: Final = 30
"""Those that are stated for each group."""
MOST_WORDS: Final = 200
"""Words of the longest text that is explained."""
MOST_CLASSES: Final = 6
"""Classes whose scores are explained."""
ORDERS: Final = 10
"""Random orders of a text that is shown, if the questions suffice."""
LONGEST: Final = 40
"""Letters of a word."""
SCALES: Final = {"logit": message("On the log-odds scale."), "identity": ""}


@dataclass(frozen=True, slots=True)
class WordOptions(Declared):
    """Options of this audit."""

    text_rows: int = setting(200, "Texts explained by their words, drawn by the seed.", least=LEAST, unit="rows")
    text_evaluations: int = setting(
        4_000, "Shortened texts that a model is asked about to explain them, at most; fewer are explained where that "
        "does not suffice.", least=100, unit="texts",
    )  # fmt: skip
    show_texts: bool = setting(
        False, "Whether a few whole texts are on record and on the page, with what each word adds: the surest and the "
        "least sure decisions, and the individuals.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Texts:
    """Texts in words, and what each adds."""

    rows: NDArray[np.int64]
    """(n,): their positions."""
    words: list[list[str]]
    values: list[Floats]
    """One (words, C) a text."""

    def by_word(self) -> dict[str, dict[int, Floats]]:
        """Return for each word what it adds in each text that has it, all its places together, (C,)."""
        from evenhand.explaining.words import plain_word

        found: dict[str, dict[int, Floats]] = defaultdict(dict)
        for at, (words, values) in enumerate(zip(self.words, self.values, strict=True)):
            for word, value in zip(words, values, strict=True):
                if name := _short(plain_word(word)):
                    found[name][at] = found[name].get(at, 0.0) + value
        return dict(sorted(found.items(), key=lambda each: (-len(each[1]), each[0])))


def words(evidence: Evidence) -> Statement:
    """State what the most frequent words add to the score, on average over texts, and for each group."""
    told = message("Predictions were given without a model, so there is nothing to explain them by.")
    if (absent := without_model(evidence, told)) is not None:
        return absent
    if evidence.reads != "texts":
        return not_applicable("Words are explained of models that read texts.")
    ask, options = _asking(evidence), evidence.options.of(WordOptions)
    try:
        ask([""])
    except ModelError:
        return not_applicable("The model takes no empty text, which words are explained against.")
    rows, split, long = _drawn(evidence, options)
    if len(rows) < LEAST:
        return not_applicable("{n} texts are too few to average over.", n=len(rows))
    from evenhand.explaining.words import word_values

    found = _Texts(rows, split, word_values(ask, split, seed=evidence.options.seed))
    findings = [*_means(evidence, found), *(_of_whole(evidence, options, ask) if options.show_texts else ())]
    said = message(
        "Words were taken out of {n:,} texts; a value is what a word adds to those before it, in random order, against "
        "the empty text, of words in {least} texts or more. All intervals hold together (Sidak).",
        n=len(rows), least=LEAST,
    )  # fmt: skip
    left = message("{n:,} texts of more than {most} words were left out.", n=long, most=MOST_WORDS) if long else ""
    return Statement(tuple(findings), sentences(said, left))


def _asking(evidence: Evidence) -> Callable[[list[str]], Floats]:
    """Return the model as a function from texts to scores (n, C) on the scale that is explained."""
    from evenhand.data.inputs import as_inputs
    from evenhand.evidence.predictions import ask
    from evenhand.explaining.scores import CLIP

    def asked(texts: list[str]) -> Floats:
        values = ask(evidence.subject, as_inputs(texts)).reshape(len(texts), -1)
        if _scale(evidence) == "identity":
            return values
        inside = np.clip(values, CLIP, 1 - CLIP)
        return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)

    return asked


def _scale(evidence: Evidence) -> str:
    proven = evidence.predictions.kind
    return "logit" if proven == "probability" else "identity"


def _drawn(evidence: Evidence, options: WordOptions) -> tuple[NDArray[np.int64], list[list[str]], int]:
    """Return texts in the order of the draw as far as the questions suffice, their words, and how many are too long."""
    from evenhand.explaining.words import pieces, questions

    order = np.random.default_rng([evidence.options.seed, 37]).permutation(len(evidence.data))[: options.text_rows]
    rows, split, long, spent = [], [], 0, 1
    for row, text in zip(order.tolist(), _texts(evidence, order), strict=True):
        parts = pieces(text)
        if not parts or len(parts) > MOST_WORDS:
            long += len(parts) > MOST_WORDS
            continue
        spent += questions(len(parts), 1)
        if spent > options.text_evaluations:
            break
        rows.append(row)
        split.append(parts)
    return np.asarray(rows, dtype=np.int64), split, long


def _texts(evidence: Evidence, rows: NDArray[np.int64]) -> list[str]:
    return [str(text) for text in evidence.inputs.take(rows).whole()]


def _scored(evidence: Evidence) -> Sequence[tuple[int, Mapping[str, str]]]:
    """Return the columns of scores that are explained, and what tells one from another."""
    if evidence.data.task != "multiclass":
        return [(0, {})]
    return [(at, {"class": str(name)}) for at, name in enumerate(evidence.data.classes)][:MOST_CLASSES]


def _means(evidence: Evidence, found: _Texts) -> Iterator[Finding]:
    """State the mean of each frequent word over the texts that have it, of all and of each group."""
    scored = _scored(evidence)
    frequent = [each for each in found.by_word().items() if len(each[1]) >= LEAST][: MOST_STATED // len(scored)]
    parts: list[tuple[str, dict[str, str], Floats]] = []
    for place, (word, texts) in enumerate(frequent):
        at, values = np.array(list(texts)), np.array(list(texts.values()))
        parts.append((word, {}, values))
        for grouping in singles(evidence) if place < MOST_GROUPED else ():
            for group, mine in members(grouping, found.rows[at], LEAST):
                parts.append((word, {"given": _named(grouping.columns[0], grouping.labels[group][0])}, values[mine]))
    level = evidence.options.level ** (1 / max(1, len(parts) * len(scored)))
    for column, told in scored:
        for word, whom, values in parts:
            yield _mean(evidence, Key.of("word_contribution", [word], **told, **whom), values[:, column], level)


def _named(column: str, group: str) -> str:
    """Return a group as the value of a qualifier: ``race=black``."""
    return str(Key.of("group", {column: group}))[len("group[") : -1]


def _mean(evidence: Evidence, key: Key, values: Floats, level: float) -> Finding:
    from evenhand.explaining.faithfulness import mean_with_interval

    mean, low, high = mean_with_interval(values, level)
    ends = interval_of(low, high, evidence.options.level, "t over texts, sidak")
    return Finding(key, NAME, mean, ends, support=len(values), unit="score", note=SCALES[_scale(evidence)])


def _of_whole(evidence: Evidence, options: WordOptions, ask: Callable[[list[str]], Floats]) -> Iterator[Finding]:
    """State what each word adds in a few whole texts, with their score and that of the empty text."""
    from evenhand.explaining.words import pieces, questions, word_values

    rows = _chosen(evidence)
    split = {
        row: pieces(text) for row, text in zip(rows, _texts(evidence, np.array(rows, dtype=np.int64)), strict=True)
    }
    split = {row: words for row, words in split.items() if 0 < len(words) <= MOST_WORDS}
    if not split:
        return
    once = sum(questions(len(words), 1) for words in split.values())
    orders = min(ORDERS, max(1, options.text_evaluations // once))
    values = word_values(ask, [*split.values()], orders=orders, seed=evidence.options.seed)
    empty, ends = ask([""])[0], ask(["".join(words) for words in split.values()])
    for (row, words), mine, end in zip(split.items(), values, ends, strict=True):
        for column, told in _scored(evidence):
            yield from _whole(evidence, row, words, mine[:, column], (empty[column], end[column]), told)


def _whole(
    evidence: Evidence, row: int, words: Sequence[str], values: Floats, ends: tuple[float, float],
    told: Mapping[str, str],
) -> Iterator[Finding]:  # fmt: skip
    note = SCALES[_scale(evidence)]
    for name, end in zip(("start", "end"), ends, strict=True):
        key = Key.of("word_contribution", row=str(row), at=name, **told)
        yield Finding(key, NAME, float(end), support=1, unit="score", note=note)
    for at, (word, value) in enumerate(zip(words, values, strict=True)):
        name = _short(word.rstrip()) + (" " if word[-1].isspace() else "")
        key = Key.of("word_contribution", [name], row=str(row), at=str(at), **told)
        yield Finding(key, NAME, float(value), support=1, unit="score", note=note)


def _short(word: str) -> str:
    return word if len(word) <= LONGEST else f"{word[: LONGEST - 1]}…"


def _chosen(evidence: Evidence) -> list[int]:
    """Return the individuals, and of each decision the text that is decided most and the one decided least surely."""
    wanted = list(evidence.options.individuals)
    strange = [row for row in wanted if not 0 <= row < len(evidence.data)]
    if strange:
        raise InputError(
            f"individuals: there is no row {strange[0]}; the last one is {len(evidence.data) - 1}, the first 0."
        )
    sure, decided = _sureness(evidence)
    for value in np.unique(decided)[:MOST_CLASSES]:
        mine = np.flatnonzero(decided == value)
        wanted += [int(mine[np.argmax(sure[mine])]), int(mine[np.argmin(sure[mine])])]
    return list(dict.fromkeys(wanted))


def _sureness(evidence: Evidence) -> tuple[Floats, NDArray[np.generic]]:
    """Return (n,) how far each score is from another decision, and the decision; of numbers, how far from the mean."""
    predictions = evidence.predictions
    scores = predictions.y_score
    if predictions.kind == "value":
        away = np.asarray(predictions.y_pred, dtype=np.float64) - float(np.mean(predictions.y_pred))
        return np.abs(away), away > 0
    if scores is None:
        return np.zeros(len(predictions.y_pred)), predictions.y_pred
    if scores.ndim == 1:
        return np.abs(scores - predictions.threshold), predictions.y_pred
    ranked = np.sort(scores, axis=1)
    return ranked[:, -1] - ranked[:, -2], predictions.y_pred


def _wanted(evidence: Evidence) -> bool:
    """Whether the model reads texts; other models are explained otherwise."""
    return evidence.asked and evidence.reads == "texts"


AUDIT: Final = Audit(words, frozenset({"binary", "multiclass", "regression"}), options=WordOptions, wanted=_wanted)
