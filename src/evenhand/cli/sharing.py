"""Where a report is sent: ``--to mlflow``, ``--to wandb`` and ``--to hub=OWNER/NAME``, by their own settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from evenhand.findings import AuditRecord
    from evenhand.policy import Verdict

PLACES: Final = ("mlflow", "wandb", "hub=OWNER/NAME")
LOOK: Final = ("lang", "suppress_below", "since", "template_dir", "assets")
"""The flags that a page has there, too."""


def check_destinations(places: Sequence[str]) -> None:
    """Raise before any work where a destination is unknown.

    Raises
    ------
    InputError
        All that is wrong together.
    """
    from evenhand.errors import InputError, raise_all

    raise_all(InputError, _problems(places))


def _problems(places: Sequence[str]) -> Iterator[str]:
    from evenhand.errors import did_you_mean

    for place in places:
        name, _, repo = place.partition("=")
        if name not in ("mlflow", "wandb", "hub"):
            yield f"--to {place}: known are {', '.join(PLACES)}.{did_you_mean(name, ('mlflow', 'wandb', 'hub'))}"
        elif (name == "hub") != bool(repo):
            yield f"--to {place}: it is written {next(known for known in PLACES if known.startswith(name))}."


def send(record: AuditRecord, verdict: Verdict | None, places: Sequence[str], look: Mapping[str, object]) -> None:
    """Log an audit to each destination, and print where it is."""
    from evenhand.output.printing import put

    kept = {name: value for name, value in look.items() if name in LOOK}
    for place in places:
        put(f"{place.partition('=')[0]}: {_sent(record, verdict, place, kept)}")


def _sent(record: AuditRecord, verdict: Verdict | None, place: str, look: Mapping[str, object]) -> str:
    from evenhand.report import log_to_mlflow, log_to_wandb, push_to_hub

    name, _, repo = place.partition("=")
    if name == "hub":
        return push_to_hub(repo, record, verdict, **look)  # type: ignore[arg-type]  # flags of the command, by name
    log = log_to_mlflow if name == "mlflow" else log_to_wandb
    run: str = log(record, verdict, **look)  # type: ignore[arg-type]  # flags of the command, by name
    return f"run {run}"
