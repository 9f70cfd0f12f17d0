"""The command ``evenhand``: find the verb, run it, and turn every outcome into an exit code."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Final

import click

from evenhand.errors import EvenhandError
from evenhand.output.printing import open_streams, say, say_document, silence
from evenhand.output.signals import end_by_interrupt

VERBS: Final = {
    "init": "Write evenhand.toml, policy.toml and responsibility.toml to begin with.",
    "data": "Audit a table before there is a model: leaks, repeated rows, missing values, labels.",
    "train": "Fit a model on a table and save it with its preprocessing.",
    "few-shot": "Say how many examples a network that was trained before needs, and for whom.",
    "compress": "Make a model smaller: prune neurons, quantize to int8.",
    "score": "Score a table larger than memory, batch by batch.",
    "count": "Count files larger than memory, for an audit of counts.",
    "merge": "Add up the counts of several shards.",
    "detections": "Match a detector's boxes or masks with true objects, for an audit of what it missed.",
    "label": "Choose which rows to label, to tell what compression changed.",
    "audit": "Measure a model, or precomputed predictions; write audit.json.",
    "gate": "Judge audit.json by a policy: exit 0 passed, 1 failed, 3 undecided.",
    "plan": "Say how many rows of each group a policy needs, before an audit.",
    "sweep": "Judge a policy at every threshold.",
    "mitigate": "Try what can be done about a failed limit: what it costs, and who pays.",
    "view": "Explore audit.json on a local page: groups, thresholds, a policy edited in place.",
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
RARELY: Final = (50_000, 20, 20)
"""When garbage is looked for: a record of thousands of findings is kept to the end, and looked through each time."""


class Verbs(click.Group):
    """A group whose commands are imported on use, so that the gate stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of use."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"evenhand.cli.{cmd_name.replace('-', '_')}_verb").command
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


def run() -> None:
    """Run the command line and exit; whatever could not run exits 2, never 1.

    Ctrl-C, SIGTERM and SIGHUP end it alike: what is being written is finished, nothing else is begun, and the exit
    code is 2, because the question was not answered.
    """
    gc.set_threshold(*RARELY)
    open_streams()
    end_by_interrupt()
    try:
        code = exit_code(sys.argv[1:])
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # as it is where a shell has closed it
                stream.flush()
    except (OSError, ValueError):  # the reader is gone, or the disk is full
        code = COULD_NOT_RUN
        silence()
    except KeyboardInterrupt:  # a second one, while the first was being told
        code = COULD_NOT_RUN
    gc.freeze()  # the process ends, and its memory with it: thousands of findings are not looked through once more
    sys.exit(code)


def exit_code(arguments: list[str]) -> int:
    """Run the command line with `arguments` and return its exit code."""
    try:
        result = cli.main(args=arguments, prog_name="evenhand", standalone_mode=False, obj=arguments)
    except click.ClickException as wrong:
        return _misused(wrong)
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted. Nothing half-written was left behind.")
        return COULD_NOT_RUN
    except (BrokenPipeError, SystemExit):
        # the reader is gone; click would exit with 1, which means that a limit failed
        return COULD_NOT_RUN
    except (EvenhandError, OSError) as wrong:
        return _exit_code(wrong, arguments)
    except Exception as bug:  # a bug must not look like a failed gate, which exits 1
        return _bug(bug)
    return result if isinstance(result, int) else 0


def _misused(wrong: click.ClickException) -> int:
    """Print what click says of flags and arguments; only its own list of choices has several lines."""
    if isinstance(wrong, click.exceptions.NoArgsIsHelpError):  # its message is the help
        say_document(f"{wrong.format_message()}\n")
        return COULD_NOT_RUN
    if isinstance(wrong, click.UsageError) and wrong.ctx is not None:
        say_document(
            f"{wrong.ctx.get_usage()}\nTry '{wrong.ctx.command_path} {wrong.ctx.help_option_names[0]}' for help.\n\n"
        )
    said = f"Error: {wrong.format_message()}"
    if isinstance(wrong, click.MissingParameter):
        say_document(f"{said}\n".replace("\t", "  "))
    else:
        say(said)
    return COULD_NOT_RUN


def _exit_code(wrong: EvenhandError | OSError, arguments: list[str]) -> int:
    if isinstance(wrong, EvenhandError):
        problems = wrong.with_flags(_flags_of(arguments).get)
    else:
        problems = (f"{wrong.filename or 'the output'}: {wrong.strerror or wrong}.",)
    for problem in problems:
        say(f"evenhand: {problem}")
    return COULD_NOT_RUN


def _flags_of(arguments: list[str]) -> dict[str, str]:
    """Return the flags of the command that was run, by the arguments that errors name."""
    from evenhand.cli.flags import flag_names

    context, command = click.Context(cli), cli
    for word in arguments:
        if not isinstance(command, click.Group) or (found := command.get_command(context, word)) is None:
            break
        command = found  # type: ignore[assignment]
    return flag_names(command)


def _bug(bug: Exception) -> int:
    say(f"evenhand: this is a bug in evenhand: {type(bug).__name__}: {bug}", of_each=True)
    if os.environ.get("EVENHAND_TRACEBACK"):
        import traceback

        say_document("".join(traceback.format_exception(bug)))
    else:
        say("Set EVENHAND_TRACEBACK=1 to see where.")
    return COULD_NOT_RUN
