"""What can go wrong, worded for the person who has to mend it.

Every error that evenhand raises on purpose is an `EvenhandError`: a sentence with what is wrong, where, the
value that was met, and the remedy. Problems of one input are collected and raised together.
"""

from __future__ import annotations

import difflib
import importlib
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from evenhand.output.sanitising import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = [
    "EvenhandError", "InputError", "MissingExtraError", "ModelError", "OutputError", "PolicyError", "RecordError",
]  # fmt: skip

_PERSONAL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w.])\+?\d(?:[ -]?\d){10,17}[Xx]?(?![\w.])")
"""What a text holds of mail addresses and of numbers by which people are known."""


class EvenhandError(Exception):
    """The base of every error that is raised on purpose; its text is complete without a traceback.

    Parameters
    ----------
    *problems : str
        Each a complete sentence; several are told together.

    Examples
    --------
    >>> import evenhand as eh
    >>> try:
    ...     eh.load_policy({"limits": {"recal": {"at_least": 0.8}}})
    ... except eh.EvenhandError as error:
    ...     print(type(error).__name__, "-", error)
    PolicyError - policy: limits."recal": no such metric. Did you mean 'recall'?...
    """

    def __init__(self, *problems: str) -> None:
        self.marked: tuple[str, ...] = problems
        """Each problem with its arguments marked; see `argument`."""
        self.problems: tuple[str, ...] = tuple(plain(worded(problem)) for problem in problems)
        """Each problem as one sentence on one line, in the order in which they were found; names in it are shown."""
        super().__init__("\n".join(self.problems))

    def with_flags(self, flag_of: Callable[[str], str | None]) -> tuple[str, ...]:
        """Return the problems with flags in place of arguments; see `worded`."""
        return tuple(plain(worded(problem, flag_of)) for problem in self.marked)


class InputError(EvenhandError):
    """Data or arguments that cannot be audited as they are."""


class ModelError(EvenhandError):
    """A model that cannot be loaded, run or compressed."""


class PolicyError(EvenhandError):
    """An invalid policy."""


class RecordError(EvenhandError):
    """An `audit.json` that cannot be read."""


class OutputError(EvenhandError):
    """A place that cannot be written to."""


class MissingExtraError(EvenhandError):
    """A feature whose optional packages are not installed."""


_OPEN, _THEN, _CLOSE = "\ufdd0", "\ufdd1", "\ufdd2"
"""Unicode's noncharacters, which are for use inside a program: no name that is shown has one."""
_MARKED: Final = re.compile(f"{_OPEN}([^{_CLOSE}]*?){_THEN}([^{_CLOSE}]*?){_THEN}([^{_CLOSE}]*?){_CLOSE}")


def argument(name: str, value: object = None) -> str:
    """Return an argument marked for an error: in Python ``label=``, on the command line ``--label``.

    Parameters
    ----------
    name : str
        The keyword, or the name of the setting.
    value : object, optional
        The value to give: a text, number, True, or mapping of names to lists.

    Examples
    --------
    >>> wrong = InputError(f"Fill them, or pass {argument('missing', 'group')}.")
    >>> str(wrong), wrong.with_flags({"missing": "--missing"}.get)[0]
    ('Fill them, or pass missing="group".', 'Fill them, or pass --missing group.')
    """
    if value is None:
        return _marked(name, f"{name}=", "")
    simple = isinstance(value, str) and not set(value) & set('"\\\n')
    return _marked(name, f'{name}="{value}"' if simple else f"{name}={quoted(value)}", _as_flag_value(value))


def parameter(name: str) -> str:
    """Return the bare name of an argument, marked for an error: in Python ``level``, as a flag ``--level``."""
    return _marked(name, name, "")


def worded(text: str, flag_of: Callable[[str], str | None] | None = None) -> str:
    """Return a sentence with its marked arguments as Python names them; as flags where `flag_of` knows them."""

    def said(found: re.Match[str]) -> str:
        name, python, value = found.groups()
        flag = None if flag_of is None else flag_of(name)
        return python if not flag else f"{flag} {value}".rstrip()

    return _MARKED.sub(said, text)


def _marked(name: str, python: str, value: str) -> str:
    return f"{_OPEN}{name}{_THEN}{python}{_THEN}{value}{_CLOSE}"


def _as_flag_value(value: object) -> str:
    if value is True:
        return ""
    if isinstance(value, Mapping):
        return " ".join(shlex.quote(f"{name}={_as_flag_value(part)}") for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return shlex.quote(str(value))


def raise_all(kind: type[EvenhandError], problems: Iterable[str]) -> None:
    """Raise one error with all of `problems`, or return when there is none."""
    found = tuple(problems)
    if found:
        raise kind(*found)


def check_kind(call: str, given: object, wanted: type, made_by: str, other: object = None) -> None:
    """Raise `InputError` where an argument is of another kind than its place asks for.

    Parameters
    ----------
    call : str
        The call with its arguments in their order, such as ``"write_record(path, record)"``.
    given : object
        What was given.
    wanted : type
        What is asked for.
    made_by : str
        The calls that return it, with their verb: ``"judge returns"``.
    other : object, optional
        The argument of the neighbouring place; where that is what is asked for, both were exchanged.
    """
    if isinstance(given, wanted):
        return
    way = "Swap the two." if isinstance(other, wanted) else f"{made_by} one."
    raise InputError(f"{call}: {_a(type(given).__name__)} is given where {_a(wanted.__name__)} is asked for. {way}")


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'AEIOU' else 'a'} {noun}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest known word, or an empty string when none is near."""
    near = nearest(word, known)
    return f" Did you mean '{near}'?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is nearest to one that is not known, empty when none is near."""
    names = {str(name).casefold(): str(name) for name in known}
    near = difflib.get_close_matches(str(word).casefold(), names, n=1, cutoff=0.6)
    return names[near[0]] if near else ""


def shorten(text: object, most: int = 80) -> str:
    """Return `text` on one line and at most `most` characters long, for use inside an error sentence."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def quoted(value: object, most: int = 80) -> str:
    """Return a value as a sentence quotes it: its `repr` on one line, also where Python refuses to print it."""
    try:
        return shorten(repr(masked(value)), most)
    except (ValueError, RecursionError):  # thousands of digits, or lists in lists without end
        return f"one {type(value).__name__} too large to print"


def masked(value: object) -> object:
    """Return a text without mail addresses and numbers of 11 digits or more; what is no text as it is.

    An error quotes a cell of a table to help find it; logs are read by others than those who may see the table.
    """
    return _PERSONAL.sub(_kind, value) if isinstance(value, str) else value


def _kind(found: re.Match[str]) -> str:
    if "@" in found.group():
        return "(mail address)"
    return f"(number of {sum(map(str.isdigit, found.group()))} digits)"


def need(module: str, extra: str) -> ModuleType:
    """Import an optional package, or raise one sentence on how to install it.

    Parameters
    ----------
    module : str
        The dotted name to import, such as ``"torch"``.
    extra : str
        The extra of evenhand that brings it.

    Raises
    ------
    MissingExtraError
        When the package is not installed.
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as absent:
        if absent.name is None or absent.name.partition(".")[0] != package:
            raise
        raise MissingExtraError(
            f"This needs the package '{package}', which is not installed: pip install \"evenhand[{extra}]\""
        ) from None
