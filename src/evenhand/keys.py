"""The name of a finding, the same in a policy, in JSON, on the page, on the command line and in JUnit.

::

    key       = metric [ "[" [ feature { "," feature } ] { ";" name "=" value } "]" ]
    feature   = column [ "=" group ]
    quoting   = "..." with \\" and \\\\ where a name holds [ ] , ; = * " or blanks at its ends

A column alone means *over its groups*; with a group, *that group*; with ``=*``, which only a policy may use, *each
group*. Parsing and formatting are inverse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from evenhand.errors import EvenhandError

__all__ = ["Feature", "Key", "KeySyntaxError"]

_SPECIAL: Final = frozenset('[],;=*"\\')
_PLAIN: Final = re.compile(r'[^\[\],;=*"\\]*')
_NAME: Final = r"[^\[\],;=*\"\\\s](?:[^\[\],;=*\"\\]*[^\[\],;=*\"\\\s])?"
_PLAIN_FEATURES: Final = re.compile(rf"(?:{_NAME}(?:={_NAME})?(?:,{_NAME}(?:={_NAME})?)*)?")
_PLAIN_QUALIFIERS: Final = re.compile(rf"{_NAME}={_NAME}(?:;{_NAME}={_NAME})*")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


class KeySyntaxError(EvenhandError, ValueError):
    """A text that is not a key."""


@dataclass(frozen=True, slots=True, order=True)
class Feature:
    """A column of the key, with one of its groups, each of them, or none.

    See Also
    --------
    evenhand.keys.Key : Holds features, with an example.
    """

    column: str
    """The name of the column."""
    group: str | None = None
    """One value of the column; None means: over all its groups."""
    each: bool = False
    """True for ``column=*``: the limit applies to each group separately."""

    def __str__(self) -> str:
        if self.each:
            return f"{quote(self.column)}=*"
        return quote(self.column) if self.group is None else f"{quote(self.column)}={quote(self.group)}"


@lru_cache(maxsize=1 << 14)
def _feature(column: str, group: str | None) -> Feature:
    """Return the feature of a column and a group: one object for all metrics of the group."""
    return Feature(column, group)


@dataclass(frozen=True, slots=True)
class Key:
    """The parsed name of a finding.

    Examples
    --------
    >>> str(Key.of("recall", {"sex": "F", "race": "Black"}))
    'recall[race=Black,sex=F]'
    >>> Key.parse("accuracy_change[race=Black;of=original]").qualifiers
    (('of', 'original'),)
    """

    metric: str
    """The metric, in its canonical spelling when evenhand made the key."""
    features: tuple[Feature, ...] = ()
    """Columns, sorted by name."""
    qualifiers: tuple[tuple[str, str], ...] = ()
    """Pairs such as ``("of", "original")``, sorted by name."""

    def __post_init__(self) -> None:
        if len(self.features) > 1:
            object.__setattr__(self, "features", tuple(sorted(self.features, key=_feature_order)))
        if len(self.qualifiers) > 1:
            object.__setattr__(self, "qualifiers", tuple(sorted(self.qualifiers)))

    @classmethod
    def of(cls, metric: str, features: Mapping[str, str | None] | Iterable[str] = (), **qualifiers: str) -> Key:
        """Build a key from a metric, columns (with groups, when a mapping is given) and qualifiers."""
        pairs = features.items() if isinstance(features, Mapping) else ((name, None) for name in features)
        return cls(metric, tuple([_feature(column, group) for column, group in pairs]), tuple(qualifiers.items()))

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read a key.

        Raises
        ------
        KeySyntaxError
            When the text does not follow the grammar; the error names the character.
        """
        metric, bracket, places = text.partition("[")
        if bracket and places.endswith("]") and metric.isidentifier():
            inside, more, qualified = places[:-1].partition(";")
            features, qualifiers = _features(inside), _qualifiers(qualified) if more else ()
            if features is not None and qualifiers is not None:
                return cls(metric, features, qualifiers)
        return _Reader(text).key()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns, without their groups."""
        return tuple([feature.column for feature in self.features])

    @property
    def group(self) -> tuple[tuple[str, str], ...]:
        """The (column, group) pairs of the columns that name a group."""
        return tuple([(f.column, f.group) for f in self.features if f.group is not None])

    def qualifier(self, name: str) -> str | None:
        """Return the value of a qualifier, or None when the key has none of that name."""
        return dict(self.qualifiers).get(name)

    def renamed(self, metric: str) -> Key:
        """Return the same key for another metric."""
        return Key(metric, self.features, self.qualifiers)

    def __str__(self) -> str:
        if not self.features and not self.qualifiers:
            return quote(self.metric)
        inside = ",".join(str(feature) for feature in self.features)
        inside += "".join(f";{quote(name)}={quote(value)}" for name, value in self.qualifiers)
        return f"{quote(self.metric)}[{inside}]"


_SPELLINGS: Final[list[Callable[[str], str | None]]] = []
_CANONICAL: Final[dict[str, str]] = {}
"""Spellings that were looked up, since a record asks for the same ones over and over."""
_VOLATILE: Final[list[Callable[[str], bool]]] = []
_ANSWERING: Final[list[Callable[[object, float, bool], Callable[[Key], object]]]] = []


def accept_spellings(canonical: Callable[[str], str | None]) -> None:
    """Register other spellings of metric names: `canonical` maps a name to the one that is used.

    The grammar has no metrics; the package registers them on import.
    """
    _SPELLINGS.append(canonical)


def answer_by(answering: Callable[[object, float, bool], Callable[[Key], object]]) -> None:
    """Let keys that no audit stated be answered from a record's counts; the package's face tells by what."""
    _ANSWERING.append(answering)


def answers_of(record: object, level: float, always_valid: bool = False) -> Callable[[Key], object]:
    """Return what answers keys from the counts of a record, at a confidence; at all times with `always_valid`."""
    return _ANSWERING[-1](record, level, always_valid)


def let_vary(volatile: Callable[[str], bool]) -> None:
    """Register which metrics may differ from run to run; the package's face tells them from its catalogue."""
    _VOLATILE.append(volatile)


def may_vary(metric: str) -> bool:
    """Whether a metric may differ from run to run, as a time does."""
    return any(volatile(metric) for volatile in _VOLATILE)


def canonical_key(key: Key) -> Key:
    """Return the key with its metric and threshold in canonical spelling; as it is when the metric is unknown."""
    if key.qualifiers:
        key = _with_threshold(key)
    name = _CANONICAL.get(key.metric)
    if name is None:
        name = next((found for canonical in _SPELLINGS if (found := canonical(key.metric))), None)
        if name is None:
            return key
        _CANONICAL[key.metric] = name
    return key if name == key.metric else key.renamed(name)


def threshold_text(threshold: float) -> str:
    """Return a threshold as a key names it: the shortest text that is read as the same number.

    Examples
    --------
    >>> threshold_text(0.10), threshold_text(2 / 3)
    ('0.1', '0.6666666666666666')
    """
    short = f"{threshold:g}"
    return short if float(short) == threshold else repr(float(threshold))


def _with_threshold(key: Key) -> Key:
    """Return the key with its threshold as evenhand writes it, so that ``.1`` is ``0.1``; else the same key."""
    named = key.qualifier("threshold")
    try:
        text = named if named is None else threshold_text(float(named))
    except ValueError:
        return key
    if text is None or text == named:
        return key
    pairs = [(name, text if name == "threshold" else value) for name, value in key.qualifiers]
    return Key(key.metric, key.features, tuple(pairs))


def group_name(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a group as text: its value, or ``race=black, sex=female`` for an intersection.

    Examples
    --------
    >>> group_name([("race", "black")]), group_name([("race", "black"), ("sex", "female")])
    ('black', 'race=black, sex=female')
    """
    found = list(pairs)
    return found[0][1] if len(found) == 1 else ", ".join(f"{column}={value}" for column, value in found)


@lru_cache(16_384)
def quote(name: str) -> str:
    """Return `name` as the grammar writes it, in quotes only where it must be."""
    if name and name == name.strip() and not _SPECIAL.intersection(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _feature_order(feature: Feature) -> tuple[str, str, bool]:
    return feature.column, feature.group or "", feature.each


@lru_cache(16_384)
def _features(inside: str) -> tuple[Feature, ...] | None:
    """Return features without quotes and blanks, which a record repeats for each metric; None for others."""
    if _PLAIN_FEATURES.fullmatch(inside) is None:
        return None
    parts = [part.partition("=") for part in inside.split(",")] if inside else []
    found = tuple([Feature(column, group or None) for column, _, group in parts])
    return found if len({feature.column for feature in found}) == len(found) else None


@lru_cache(4096)
def _qualifiers(qualified: str) -> tuple[tuple[str, str], ...] | None:
    """Return qualifiers without quotes and blanks; None for others."""
    if _PLAIN_QUALIFIERS.fullmatch(qualified) is None:
        return None
    parts = [part.partition("=") for part in qualified.split(";")]
    found = tuple([(name, value) for name, _, value in parts])
    return found if len(dict(found)) == len(found) else None


class _Reader:
    """A reader of one key, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def key(self) -> Key:
        metric = self._name("a metric")
        features: list[Feature] = []
        qualifiers: list[tuple[str, str]] = []
        if self._take("["):
            self._inside(features, qualifiers)
        if self.at < len(self.text):
            raise self._wrong("nothing more")
        return Key(metric, tuple(features), tuple(qualifiers))

    def _inside(self, features: list[Feature], qualifiers: list[tuple[str, str]]) -> None:
        if self._peek() not in ("]", ";"):
            features.append(self._feature())
            while self._take(","):
                features.append(self._feature())
        while self._take(";"):
            name = self._name("a qualifier")
            self._must("=")
            qualifiers.append((name, self._name("a value")))
        self._must("]")
        self._refuse_repeats([f.column for f in features], "column")
        self._refuse_repeats([name for name, _ in qualifiers], "qualifier")

    def _feature(self) -> Feature:
        column = self._name("a column")
        if not self._take("="):
            return Feature(column)
        if self._take("*"):
            return Feature(column, each=True)
        return Feature(column, self._name("a group"))

    def _name(self, what: str) -> str:
        self._blanks()
        if self._peek() == '"':
            quoted = _QUOTED.match(self.text, self.at)
            if quoted is None:
                self.at = len(self.text)
                raise self._wrong("a closing quote")
            self.at, name = quoted.end(), re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL)
        else:
            plain = _PLAIN.match(self.text, self.at)
            assert plain is not None  # it also matches nothing
            self.at, name = plain.end(), plain[0].strip()
            if not name:
                raise self._wrong(what)
        self._blanks()
        return name

    def _refuse_repeats(self, names: list[str], what: str) -> None:
        for name in names:
            if names.count(name) > 1:
                raise KeySyntaxError(f"'{self.text}' is no key: the {what} '{name}' stands in it twice.")

    def _blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _peek(self) -> str:
        self._blanks()
        return self.text[self.at] if self.at < len(self.text) else ""

    def _take(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self.at += 1
        return True

    def _must(self, char: str) -> None:
        if not self._take(char):
            raise self._wrong(f"'{char}'")

    def _wrong(self, expected: str) -> KeySyntaxError:
        return KeySyntaxError(f"'{self.text}' is no key: expected {expected} at character {self.at + 1}.")
