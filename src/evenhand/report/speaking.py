"""The page in another language: every sentence by its message catalogue, numbers and names as they are.

A catalogue maps English texts, as the page says them, to the other language: whole sentences, sentences with named
places in braces, and the words of each metric. What a place holds is said in the other language, too, where it has
words for it. Names from the data are never touched, whatever they happen to mean.
"""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from evenhand.errors import InputError
from evenhand.metrics import METRICS, describe
from evenhand.metrics.catalogue.names import COMBINED
from evenhand.report.sections.controls import frameworks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenhand.findings import AuditRecord
    from evenhand.report.view import Page

LANGUAGES: Final = ("en", "zh-CN")
"""What a report can be written in."""
_AS_THEY_ARE: Final = frozenset(
    {
        "name",
        "points",
        "path",
        "paths",
        "links",
        "anchor",
        "evidence",
        "within",
        "example",
        "here",
        "version",
        "status",
        "key",
        "mark",
        "kind",
        "formula",
        "source",
        "lang",
        "text",
        "measured",
    }
)
"""Fields of the page that hold numbers, keys and names of things, not sentences."""
_JOINTS: Final = ("; ", ". ", ": ")
"""Where sentences are put together."""
_LETTERS: Final = re.compile(r"[A-Za-z]{2}")
_FEW: Final = 1
"""A pattern with at most so many pairs of letters of its own would take a list of its like for one of them."""
_Part = TypeVar("_Part")


def translated(page: Page, record: AuditRecord, lang: str) -> Page:
    """Return the page in another language.

    Raises
    ------
    InputError
        When there is no catalogue of that language.
    """
    if lang == "en":
        return page
    words = Words(lang, frozenset(_names(record)))
    return dataclasses.replace(words.of(page), lang=lang)


class Words:
    """The words of a language.

    Parameters
    ----------
    lang : str
        One of `LANGUAGES`.
    names : frozenset of str
        Names from the data, which are left as they are.
    """

    def __init__(self, lang: str, names: frozenset[str] = frozenset()) -> None:
        self.names = names
        self.texts, self.patterns = _catalogue(lang)
        self._said: dict[str, str] = {}

    def of(self, part: _Part) -> _Part:
        """Return a part of the page with every sentence in it said in this language."""
        if isinstance(part, str):
            return self.say(part)  # type: ignore[return-value]
        if isinstance(part, tuple):
            return tuple(self.of(piece) for piece in part)  # type: ignore[return-value]
        if not dataclasses.is_dataclass(part) or isinstance(part, type):
            return part
        changed = {
            field.name: self.of(getattr(part, field.name))
            for field in dataclasses.fields(part)
            if field.name not in _AS_THEY_ARE
        }
        return dataclasses.replace(part, **changed)

    def say(self, text: str) -> str:
        """Return a text in this language; as it is where the catalogue has no words for it."""
        if text not in self._said:
            self._said[text] = self._say(text)
        return self._said[text]

    def _say(self, text: str) -> str:
        if text in self.names or not _LETTERS.search(text):
            return text
        if text in self.texts:
            return self.texts[text]
        for pattern, template in self.patterns:
            found = pattern.fullmatch(text)
            if found is not None:
                return template.format(**{place: self.say(held) for place, held in found.groupdict().items()})
        return self._in_parts(text)

    def _in_parts(self, text: str) -> str:
        """Say what was put together piece by piece; a piece without words stays as it is."""
        for joint in _JOINTS:
            pieces = text.split(joint)
            if len(pieces) > 1:
                ended = [
                    piece + "." if joint == ". " and at < len(pieces) - 1 else piece for at, piece in enumerate(pieces)
                ]
                said = [self._whole(piece) for piece in ended]
                if said != ended:
                    return ("" if joint == ". " else joint).join(said)
        return text

    def _whole(self, piece: str) -> str:
        said = self.say(piece)
        if said == piece and piece.endswith("."):
            bare = self.say(piece[:-1])
            return bare + "。" if bare != piece[:-1] else piece
        return said


@cache
def _catalogue(lang: str) -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Return texts and patterns of a language; the words of each metric are texts."""
    import tomllib
    from importlib.resources import files

    if lang not in LANGUAGES:
        raise InputError(f"There are no words of '{lang}'; a report is written in {' or '.join(LANGUAGES)}.")
    if lang == "en":
        return {}, ()
    content = tomllib.loads(files("evenhand.report.languages").joinpath(f"{lang}.toml").read_text("utf-8"))
    texts: dict[str, str] = dict(content["texts"])
    for framework in frameworks():
        said = [framework.title, *(clause.text for clause in framework.clauses)]
        texts |= {words["en"]: words[lang] for words in said}
    for name, (label, meaning, misleads) in content["metrics"].items():
        entry = describe(name)
        texts |= {entry.label: label, _lower(entry.label): label, name: label}
        texts |= {entry.meaning: meaning, **({entry.misleads: misleads} if entry.misleads else {})}
    # the longest first: a pattern with more words of its own says more
    ordered = sorted(content["patterns"].items(), key=lambda pair: -len(re.sub(r"{\w+}", "", pair[0])))
    return texts, tuple((_pattern(english), other) for english, other in ordered)


def metrics_with_words(lang: str) -> set[str]:
    """Return the names of the metrics that a language has words for."""
    import tomllib
    from importlib.resources import files

    content = tomllib.loads(files("evenhand.report.languages").joinpath(f"{lang}.toml").read_text("utf-8"))
    return set(content["metrics"]) & {*METRICS, *COMBINED}


def _pattern(english: str) -> re.Pattern[str]:
    """Return the pattern of a sentence with places; where it has few words of its own, no place spans a list."""
    parts = re.split(r"{(\w+)}", english)
    place = ".+?" if len(_LETTERS.findall("".join(parts[::2]))) > _FEW else "(?:(?!; ).)+?"
    return re.compile(
        "".join(f"(?P<{part}>{place})" if at % 2 else re.escape(part) for at, part in enumerate(parts)), re.S
    )


def _lower(label: str) -> str:
    return label if label[1:2].isupper() or label[1:2].isdigit() else label[:1].lower() + label[1:]


def _names(record: AuditRecord) -> Iterator[str]:
    """Yield the names that the data bring: columns, groups, features, the model and the table."""
    for counts in record.tallies:
        yield from counts.columns
        for group in counts.groups:
            yield from group
            # Counts of attributions are of features, and of no column's groups.
            named = [f"{column}={value}" for column, value in zip(counts.columns, group, strict=False)]
            yield from named
            yield ", ".join(named)
    for finding in record.findings:
        if finding.key.metric in ("importance", "gap_part", "principal_reason"):
            yield from finding.key.columns
        yield from (value for name, value in finding.key.qualifiers if name in ("feature", "class"))
    for block in ("subject", "original", "data"):
        facts: Any = record.provenance.get(block)
        if facts:
            yield from (str(facts[name]) for name in ("name", "label", "positive", "favourable") if name in facts)
