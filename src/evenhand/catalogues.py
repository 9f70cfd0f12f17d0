"""Catalogues: what evenhand has of a kind, written by hand, and what installed packages add."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from evenhand.errors import InputError, did_you_mean, raise_all, shorten

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


def face(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package whose names are imported when they are used.

    Parameters
    ----------
    homes : mapping of str to str
        For each module of the package its names, separated by spaces; none may be the name of a module.
    """
    module_of = {name: module for module, names in homes.items() for name in names.split()}

    def find(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{module_of[name]}"), name)

    return find, lambda: sorted({*vars(sys.modules[package]), *module_of})


class Catalogue(Mapping[str, T]):
    """Entries of one kind by name: built-in ones, then those of installed packages; each imported when first used.

    Parameters
    ----------
    group : str
        The entry point under which packages add theirs, such as ``"evenhand.formats"``.
    kind : type
        The type of each.
    own : mapping of str to str
        The built-in ones: a name, and where it is, ``"module:attribute"``.
    """

    def __init__(self, group: str, kind: type, own: Mapping[str, str]) -> None:
        self.group, self.kind, self.own = group, kind, own
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            if name in self.own:
                module, _, attribute = self.own[name].partition(":")
                self._loaded[name] = getattr(import_module(module), attribute)
            else:
                self._loaded[name] = load(added(self.group, self.own)[name], self.kind)  # type: ignore[assignment]
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from added(self.group, self.own)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in added(self.group, self.own)

    def find(self, name: str) -> T:
        """Return the one of this name.

        Raises
        ------
        InputError
            When there is none.
        """
        return self.chosen((name,))[name]

    def chosen(self, names: str | Iterable[str]) -> dict[str, T]:
        """Return those of some names, in their order; one may be named without a list.

        Raises
        ------
        InputError
            All names that there are none of, together.
        """
        asked, kind = (names,) if isinstance(names, str) else tuple(names), self.group.rpartition(".")[2]
        raise_all(
            InputError,
            (
                f"There is no {kind[:-1]} '{name}'.{did_you_mean(name, self)} See: evenhand list {kind}"
                for name in asked
                if name not in self
            ),
        )
        return {name: self[name] for name in asked}


def added(group: str, own: Mapping[str, object]) -> dict[str, EntryPoint]:
    """Return what installed packages add under an entry point, by name.

    Raises
    ------
    InputError
        When a package uses a name that is taken.
    """
    from importlib import metadata  # takes as long as all else that a first import of evenhand does

    found: dict[str, EntryPoint] = {}
    for point in _points(group, metadata.entry_points):
        if point.name in own or point.name in found:
            raise InputError(f"{_whose(point, group)} has a name that is taken. Uninstall the package, or rename it.")
        found[point.name] = point
    return found


@cache
def _points(group: str, read: Callable[..., Iterable[EntryPoint]]) -> tuple[EntryPoint, ...]:
    """Return the entry points of a group; looking through all installed packages takes milliseconds each time."""
    return tuple(read(group=group))


def load(point: EntryPoint, kind: type | tuple[type, ...]) -> object:
    """Return what an entry point names.

    Raises
    ------
    InputError
        When it cannot be imported, or is of another kind.
    """
    try:
        thing: object = point.load()
    except Exception as wrong:  # code of other packages can raise anything
        raise InputError(
            f"{_whose(point, point.group)} cannot be loaded ({point.value}): {type(wrong).__name__}: "
            f"{shorten(wrong, 300)}. Repair or uninstall it."
        ) from wrong
    if not isinstance(thing, kind):
        wanted = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
        raise InputError(f"{_whose(point, point.group)} is no {wanted} ({point.value}). Repair or uninstall it.")
    return thing


def _whose(point: EntryPoint, group: str) -> str:
    package = "of an installed package" if point.dist is None else f"of the package {point.dist.name}"
    return f"'{point.name}' {package} ({group})"
