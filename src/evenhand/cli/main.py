"""The command ``evenhand``: find the verb, run it, and turn every outcome into an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Final

import click

from evenhand.errors import EvenhandError

VERBS: Final = {
    "init": "Write evenhand.toml, policy.toml and responsibility.toml to begin with.",
    "train": "Fit a model on a table and save it with its preprocessing.",
    "compress": "Make a model smaller: prune neurons, quantize to int8.",
    "score": "Score a table larger than memory, batch by batch.",
    "count": "Count files larger than memory, for an audit of counts.",
    "merge": "Add up the counts of several shards.",
    "audit": "Measure a model, or precomputed predictions; write audit.json.",
    "gate": "Judge audit.json by a policy: exit 0 passed, 1 failed, 3 undecided.",
    "sweep": "Judge a policy at every threshold.",
    "report": "Draw audit.json as a page (HTML, Markdown, JSON, text).",
    "verify": "Check that an audit.json belongs to these files and can be reproduced.",
    "sign": "Sign an audit.json with an SSH key, offline.",
    "policy": "Check a policy, explain its limits, print its schema.",
    "compare": "Show what changed between two audits.",
    "list": "List metrics, audits, recipes, formats or controls.",
    "demo": "Train, compress, audit, report and judge on real mortgage decisions.",
}
"""The verbs and their help; each is in a separate module, imported only when it is used."""

COULD_NOT_RUN: Final = 2


class Verbs(click.Group):
    """A group whose commands are imported on use, so that the gate stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of use."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"evenhand.cli.{cmd_name}_verb").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest verb when one is misspelt."""
        from evenhand.errors import did_you_mean

        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"There is no command '{args[0]}'.{did_you_mean(args[0], VERBS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="evenhand", prog_name="evenhand")
def cli() -> None:
    """Audit trained models: whom they serve worse, how sure that is, and what compression did.

    \b
    Exit codes: 0 passed, 1 failed, 2 could not run, 3 undecided.
    Example:    evenhand audit test.parquet --model credit.safetensors -o audit.json
    """


def prepare_streams() -> None:
    """Let no character and no closed stream stop a verb: what a stream cannot encode is escaped."""
    for handle, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:  # closed by the shell: the handle would be taken by the next file that is opened
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != handle:
                os.dup2(nowhere, handle)
                os.close(nowhere)
            stream = open(handle, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - it lives to the end
            setattr(sys, name, stream)
        elif not stream.closed and hasattr(stream, "reconfigure") and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace")


def run() -> None:
    """Run the command line and exit; whatever could not run exits 2, never 1."""
    try:
        prepare_streams()
        code = exit_code(sys.argv[1:])
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # as it is where a shell has closed it
                stream.flush()
    except (OSError, ValueError):  # the reader is gone, or the disk is full
        code = COULD_NOT_RUN
        _silence()
    sys.exit(code)


def _silence() -> None:
    """Redirect the streams to nowhere: what is left in them must not raise again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for handle in (1, 2):
        os.dup2(nowhere, handle)


def exit_code(arguments: list[str]) -> int:
    """Run the command line with `arguments` and return its exit code."""
    try:
        result = cli.main(args=arguments, prog_name="evenhand", standalone_mode=False, obj=arguments)
    except click.ClickException as wrong:
        wrong.show()
        return COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted. Nothing half-written was left behind.", err=True)
        return COULD_NOT_RUN
    except (BrokenPipeError, SystemExit):
        # the reader is gone; click would exit with 1, which means that a limit failed
        return COULD_NOT_RUN
    except (EvenhandError, OSError) as wrong:
        return _exit_code(wrong)
    except Exception as bug:  # a bug must not look like a failed gate, which exits 1
        # before Python 3.13 a path that links to itself is a RuntimeError
        return _exit_code(EvenhandError(str(bug))) if "Symlink loop" in str(bug) else _bug(bug)
    return result if isinstance(result, int) else 0


def _exit_code(wrong: EvenhandError | OSError) -> int:
    if isinstance(wrong, EvenhandError):
        problems = wrong.problems
    else:
        problems = (f"{wrong.filename or 'the output'}: {wrong.strerror or wrong}.",)
    for problem in problems:
        click.echo(f"evenhand: {_harmless(problem)}", err=True)
    return COULD_NOT_RUN


def _bug(bug: Exception) -> int:
    click.echo(f"evenhand: this is a bug in evenhand: {type(bug).__name__}: {_harmless(str(bug))}", err=True)
    if os.environ.get("EVENHAND_TRACEBACK"):
        import traceback

        traceback.print_exception(bug)
    else:
        click.echo("Set EVENHAND_TRACEBACK=1 to see where.", err=True)
    return COULD_NOT_RUN


def _harmless(text: str) -> str:
    """Return `text` without characters that command a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)
