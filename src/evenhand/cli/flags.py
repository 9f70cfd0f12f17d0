"""Flags made from declared settings, and their values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_origin

import click
from click.core import ParameterSource

from evenhand.documents import parse_toml
from evenhand.errors import InputError, worded

if TYPE_CHECKING:
    from evenhand.settings import Setting

Command = TypeVar("Command", bound=Callable[..., object])
PATH: Final = click.Path(path_type=Path)
"""The type of an argument that names a file."""
UNITS: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
"""Seconds of each unit of time."""


class Finite(click.FloatRange):
    """A finite number on the command line: to ``nan`` every range is open."""

    def _describe_range(self) -> str:
        """Return the range for the help, where there is one."""
        return "" if self.min is None and self.max is None else super()._describe_range()

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number, or refuse it."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no finite number.", param, ctx)
        return found


def file_flag(*names: str, **about: Any) -> Callable[[Command], Command]:
    """Return a flag that names a file; its help shows the default."""
    return click.option(*names, type=PATH, **{"show_default": "default" in about, **about})


def opening_flags(command: Command) -> Command:
    """Add the flags that say how model files are opened; `opening` takes their values."""
    for add in (
        file_flag("--model-signers", help="Whose signatures MODEL.sig let a model file run without --isolate."),
        click.option(
            "--isolate/--no-isolate",
            default=None,
            help="Run model files in a process with limits of time and memory.  [default: ONNX files only]",
        ),
        click.option(
            "--trust-type",
            "trusted_types",
            multiple=True,
            metavar="NAME",
            help="A type in a skops file that you trust; may be repeated.",
        ),
        click.option(
            "--trust-pickle",
            is_flag=True,
            help="Load a pickle, or another file that is a program. It can run any code on this machine.",
        ),
    ):
        command = add(command)
    return command


def opening(flags: dict[str, object]) -> dict[str, object]:
    """Take the values of `opening_flags` out of the flags, and return them as settings of `open_model`."""
    names = {name: name for name in ("trust_pickle", "trusted_types", "isolate")} | {"allowed_signers": "model_signers"}
    return {setting: flags.pop(name) for setting, name in names.items()}


def format_flag(help: str) -> Callable[[Command], Command]:
    """Return the flag that names formats, each with its file."""
    return click.option("--format", "-f", "forms", multiple=True, metavar="NAME[=FILE]", help=help)


_SAID_AS: Final = {"y_score": "score", "y_pred": "prediction", "positive": "pos_label"}
"""Arguments of Python's functions, each with the flag that gives the same."""


def flag_names(command: click.Command) -> dict[str, str]:
    """Return the flags of a command by the arguments that errors name: those of Python, and the flags' own words."""
    flags = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    own = {max(flag.opts, key=len).lstrip("-").replace("-", "_"): max(flag.opts, key=len) for flag in flags}
    own |= {argument: own[flag] for argument, flag in _SAID_AS.items() if flag in own}
    return own | {flag.name: max(flag.opts, key=len) for flag in flags if flag.name is not None}


def setting_flags(settings: Mapping[str, Setting]) -> Callable[[Command], Command]:
    """Return a decorator that adds a flag for every setting available on the command line."""

    def add(command: Command) -> Command:
        for name, declared in reversed([*settings.items()]):
            command = command if declared.only else _flag(name, declared)(command)
        return command

    return add


def refuse_idle(needed: str, there: object, *names: str) -> None:
    """Refuse flags that were given and would have no effect, as what they go with was not.

    Parameters
    ----------
    needed : str
        The flag that they go with.
    there : object
        Whether it was given.
    *names : str
        The parameters of the flags.

    Raises
    ------
    click.UsageError
    """
    context = click.get_current_context()
    if there:
        return
    idle = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if idle:
        goes = "has" if len(idle) == 1 else "have"
        raise click.UsageError(f"{', '.join(idle)} {goes} no effect without {needed}: add it, or leave the flag out.")


def said(flags: dict[str, object], settings: Mapping[str, Setting]) -> dict[str, object]:
    """Take the settings out of the flags and return those that were given."""
    given = {name: flags.pop(name, None) for name in settings}
    return {name: value for name, value in given.items() if value is not None}


def _flag(name: str, declared: Setting) -> Callable[[Command], Command]:
    flag = declared.flag if name == declared.name else "--" + name.replace("_", "-")
    text = declared.help.rstrip(".")
    kind = _kind(declared)
    if kind is bool:
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=f"{text}.")
    if (usual := declared.default) not in (None, (), {}):
        text += f" ({','.join(map(str, usual)) if isinstance(usual, tuple) else usual})"
    if many := kind in (tuple, Mapping):
        text += "; may be repeated"
    if declared.choices and kind is str:
        return click.option(flag, name, type=click.Choice(declared.choices), help=f"{text}.")
    if kind in (int, float) and not declared.choices and declared.unit != "seconds":
        return click.option(flag, name, type=kind, callback=_reader(declared), help=f"{text}.")
    named = "NAME=VALUE or FILE" if _in_file(declared) else "NAME=VALUE"
    metavar = named if kind is Mapping else "TIME" if declared.unit == "seconds" else "TEXT"
    read = _reader(declared)
    return click.option(flag, name, metavar=metavar, multiple=many, callback=read, help=f"{text}.")


def _kind(declared: Setting) -> object:
    """Return the type of a value, but for None and for words."""
    kinds = [get_origin(part) or part for part in declared.types]
    return next((kind for kind in kinds if kind in (bool, int, float, tuple, Mapping)), str)


def _in_file(declared: Setting) -> bool:
    """Return whether a table may be named by its file."""
    return _kind(declared) is Mapping and str in declared.types


def _reader(declared: Setting) -> Callable[[click.Context, click.Parameter, object], object]:
    def read(ctx: click.Context, param: click.Parameter, value: object) -> object:
        try:
            found = _value(declared, value)
        except ValueError:
            told = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            kind = "NAME=NUMBER,NUMBER" if _kind(declared) is Mapping else declared.kind
            raise click.BadParameter(f"'{told}' is not {kind}.", ctx, param) from None
        if found is not None and (problem := declared.problem(found)) is not None:
            raise click.BadParameter(worded(problem, flag_names(ctx.command).get), ctx, param)
        return found

    return read


def _value(declared: Setting, value: object) -> object:
    """Return what was written in the form of the field; None where nothing was."""
    if _in_file(declared) and isinstance(value, tuple) and len(value) == 1 and "=" not in value[0]:
        return str(value[0])
    if isinstance(value, tuple):
        parts = [_part(declared, str(part)) for part in value]
        if _kind(declared) is Mapping:
            return _merged(parts) or None  # type: ignore[arg-type]
        return tuple(part for several in parts for part in several) if parts else None
    if not isinstance(value, str):
        return value
    if declared.unit == "seconds":
        return seconds(value)
    return float(value) if _kind(declared) is float and value not in declared.choices else value


def _merged(parts: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Return named values; those of one name that are tables are one table."""
    found: dict[str, object] = {}
    for name, value in parts:
        before = found.get(name)
        found[name] = {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value
    return found


def _part(declared: Setting, text: str) -> tuple[object, ...]:
    """Parse one of several values: a text, numbers between commas, or a name with its value."""
    hint = next(part for part in declared.types if get_origin(part) in (tuple, Mapping))
    inner = get_args(hint)[-1] if get_origin(hint) is Mapping else get_args(hint)[0]
    if get_origin(hint) is tuple:
        return (text,) if inner is str else tuple(inner(part) for part in text.split(",") if part.strip())
    name, _, value = text.partition("=")
    if not (value := value or declared.alone):
        raise click.BadParameter(f"'{text}' names no value; write NAME=VALUE.", param_hint=declared.flag)
    if get_args(inner)[1:] == (str,) and not value.startswith("{"):  # a name inside a table: COLUMN=VALUE=NAME
        key, sign, called = value.partition("=")
        if not (sign and key and called):
            raise click.BadParameter(f"'{text}' names no value; write COLUMN=VALUE=NAME.", param_hint=declared.flag)
        return name, {key: called}
    if get_origin(inner) is Mapping:
        return name, parse_toml(f"value = {value}", declared.flag)["value"]
    return name, [get_args(inner)[0](part) for part in value.split(",")] if get_args(inner) else value


def seconds(text: str) -> float:
    """Return the seconds of a time as people write it: ``60s``, ``2m``, ``1h`` or a plain number.

    Raises
    ------
    InputError
        When it is not a duration above 0.

    Examples
    --------
    >>> seconds("2m")
    120.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if found is None or found[2] not in UNITS or float(found[1]) <= 0:
        raise InputError(f"'{text}' is no duration; write 60s, 2m or 1h.")
    return float(found[1]) * UNITS[found[2]]
