"""What words add to the score of a text: the most telling, those of each group, and whole texts where asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evenhand.messages import joined, message, sentences
from evenhand.report.drawings import MOST_ROWS, Passages, Table, table
from evenhand.report.figures.explained import LOG_ODDS, PREDICTION, SCORE
from evenhand.report.figures.findings import figure
from evenhand.report.numbers import cut, show, with_interval
from evenhand.report.sections.answering import Answer, answered
from evenhand.report.sections.facts import excludes_zero, group_of
from evenhand.report.sections.reasons import reasons
from evenhand.report.sections.section import EXPLANATIONS, Section
from evenhand.report.view import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from evenhand.findings import AuditRecord, Finding
    from evenhand.report.sections.judged import Judged
    from evenhand.report.view import Block

TITLE: Final = message("What words add to the score")
MOST_DRAWN: Final = 20
"""Words of a figure, those of the greatest means."""
MOST_GROUPS: Final = 6
"""Groups of a table, those of most texts."""
SHADES: Final = 5
MOST_TEXTS: Final = 12
"""Whole texts on the page."""
MOST_SHOWN: Final = 600
"""Words of whole texts on the page; a text that would make them more is in audit.json."""
OF_CLASS: Final = message("{title}; score of {name}")


def words(record: AuditRecord, judged: Judged) -> tuple[Part, ...]:
    """Draw the mean contributions of words, and the whole texts of a record; nothing where no text was explained."""
    found = [f for f in record.of_audit("words") if f.estimate is not None]
    if not found:
        return ()
    blocks: list[Block] = []
    parts = _by_class(found)
    for name, mine in parts.items():
        blocks += _of_score(record, judged, name, mine, len(blocks), MOST_SHOWN // len(parts))
    return (Part("words", TITLE, reasons(record, "words"), tuple(blocks)),)


def _by_class(found: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Return the findings of each score that was explained; of two classes there is one, without a name."""
    parts: dict[str, list[Finding]] = {}
    for f in found:
        parts.setdefault(f.key.qualifier("class") or "", []).append(f)
    return parts


def _of_score(record: AuditRecord, judged: Judged, name: str, found: list[Finding], at: int, most: int) -> list[Block]:
    overall = _overall(found)

    def titled(title: str) -> str:
        return message(OF_CLASS, title=title, name=cut(name, 40)) if name else title

    rows = [judged.row(_word(f), f) for f in overall[:MOST_DRAWN]]
    title = message("Mean contribution of words to the scores of the texts that have them")
    made: list[Block] = []
    if rows:
        made.append(figure(f"words-{at}", titled(title), rows, digits=3, axis=_scale(record, found)))
    made += _by_group(found, overall, f"words-groups-{at}", titled(message("The same words in texts of each group")))
    if (drawn := _passages(found, f"words-texts-{at}", titled(message("Texts, word by word")), most)) is not None:
        made.append(drawn)
    return made


def _overall(found: Sequence[Finding]) -> list[Finding]:
    """Return the means over all texts, the greatest first."""
    every = (f for f in found if not f.key.qualifier("given") and not f.key.qualifier("row"))
    return sorted(every, key=lambda f: -abs(f.estimate or 0.0))


def _word(finding: Finding) -> str:
    return message("“{word}”", word=cut(finding.key.columns[0], 40))


def _scale(record: AuditRecord, found: Sequence[Finding]) -> str:
    if record.provenance.get("data", {}).get("task") == "regression":
        return PREDICTION
    return LOG_ODDS if found[0].note else SCORE  # a note is on the scale alone, and scores as they are have none


def _by_group(found: list[Finding], overall: list[Finding], name: str, title: str) -> tuple[Table, ...]:
    """Return the words that two groups have, beside each other."""
    held: dict[str, dict[str, Finding]] = {}
    sizes: dict[str, int] = {}
    for f in found:
        if group := f.key.qualifier("given"):
            held.setdefault(f.key.columns[0], {})[group] = f
            sizes[group] = sizes.get(group, 0) + f.support
    groups = sorted(sizes, key=lambda group: -sizes[group])[:MOST_GROUPS]
    words_ = [f.key.columns[0] for f in overall if len(held.get(f.key.columns[0], {})) > 1]
    cells = [
        (word, *(with_interval(held[word][group], 2) if group in held[word] else "–" for group in groups))
        for word in words_
    ]
    head = (message("word"), *(cut(" ".join(group_of(group)), 30) for group in groups))
    return table(name, title, head, cells, most=MOST_DRAWN, folded=True)


def _passages(found: list[Finding], name: str, title: str, left: int) -> Passages | None:
    """Return the whole texts of the record, of so many words at most, shaded; None where none is on record."""
    texts: dict[str, list[Finding]] = {}
    for f in found:
        if row := f.key.qualifier("row"):
            texts.setdefault(row, []).append(f)
    drawn: list[tuple[str, tuple[tuple[int, str], ...]]] = []
    cells: list[tuple[str, ...]] = []
    for row, mine in list(texts.items())[:MOST_TEXTS]:
        said = [f for f in mine if f.key.columns]
        if not said or len(said) > left:
            continue
        left -= len(said)
        most = max(abs(f.estimate or 0.0) for f in said) or 1.0
        ends = {f.key.qualifier("at"): show(f.estimate or 0.0, "score", 2) for f in mine if not f.key.columns}
        heading = message("Row {row}, score {end}, without its words {start}:", row=row, end=ends["end"],
                          start=ends["start"])  # fmt: skip
        drawn.append((heading, tuple(part for f in said for part in _marked(f, most))))
        cells += [(f.key.columns[0].strip(), row, show(f.estimate or 0.0, "score", 3)) for f in said]
    if not drawn:
        return None
    key = ((4, message("raises the score")), (-4, message("lowers it")))
    head = (message("word"), message("row"), message("contribution"))
    twin = Table(f"{name}-table", title, head, tuple(cells), frozenset({1, 2})).bounded(MOST_ROWS)
    return Passages(name, title, title, twin, tuple(drawn), key)


def _marked(finding: Finding, most: float) -> Iterator[tuple[int, str]]:
    """Yield a word with its shade, and the blank after it without one."""
    word = finding.key.columns[0]
    yield shade((finding.estimate or 0.0) / most), word.rstrip()
    if word != word.rstrip():
        yield 0, " "


def shade(share: float) -> int:
    """Return how much a word is marked: from -5 to 5, and 0 for less than a tenth of the greatest.

    Examples
    --------
    >>> shade(0.05), shade(-0.05), shade(0.3), shade(-1.0), shade(1.0)
    (0, 0, 2, -5, 5)
    """
    size = 0 if abs(share) < 0.1 else min(SHADES, int(abs(share) * SHADES) + 1)
    return size if share > 0 else -size


def answer(record: AuditRecord, judged: Judged) -> Answer:
    """Name the words that move the score most, of those beyond chance."""
    found = record.of_audit("words")
    telling = [f for f in _overall(found) if f.key.columns and excludes_zero(f)][:4]
    if not telling:
        return answered(judged, found, message("No word of several texts moves the score beyond chance."))
    told = joined("; ", (joined(" ", (_word(f), with_interval(f, 2))) for f in telling))
    said = message("The score moves most with {words}.", words=told)
    if not judged.of(found):
        return Answer(said)
    made = answered(judged, found, "")
    return Answer(sentences(made.sentence, said), made.state)


SECTION: Final = Section(
    "words", TITLE, ("words",), 722, words, within="explanation", theme=EXPLANATIONS, answer=answer
)
