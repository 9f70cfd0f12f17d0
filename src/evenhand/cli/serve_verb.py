"""``evenhand serve``: a model behind HTTP, with reasons, feedback and a durable log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evenhand.cli.flags import PATH, file_flag, opening, opening_flags, refuse_idle, said, setting_flags
from evenhand.cli.log_keys import encryption_key_flag, hash_key_flag, key_of_hashes, keyring
from evenhand.serving.predicting.options import ServingOptions
from evenhand.settings import settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from evenhand.serving.journal.journal import Journal
    from evenhand.serving.predicting.tokens import Token


@click.command(name="serve")
@click.argument("model", type=PATH, required=False)
@click.option("--log", "place", metavar="PLACE", help="Where an answer is stored before it is sent; none for nowhere.")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Input that is logged; may be repeated.  [default: all]")
@hash_key_flag
@encryption_key_flag
@file_flag("--token-file", help="Hashes of the tokens that are let in; without it one token is made and printed.")
@click.option("--new-token", metavar="NAME=SCOPES", help="Add a token to --token-file, print it once, and end.")
@file_flag("--schema", help="What the model reads, where it does not say so itself.")
@file_flag("--reasons-background", help="Table of training rows that adverse decisions are explained against.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8418, show_default=True, help="0: any free one.")
@file_flag("--tls-certificate", help="PEM file; without it HTTP is not encrypted.")
@file_flag("--tls-key", help="PEM file of its key.")
@setting_flags(settings_of(ServingOptions))
@opening_flags
def command(
    model: Path | None,
    place: str | None,
    keep: tuple[str, ...],
    hash_key: str | None,
    encryption_key: str | None,
    token_file: Path | None,
    new_token: str | None,
    schema: Path | None,
    reasons_background: Path | None,
    host: str,
    port: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
    **flags: object,
) -> None:
    """Serve MODEL, a file or the folder of a release, until Ctrl-C or SIGTERM.

    POST /predict answers a row, or a list of rows, {"inputs": {column: value}}, with score, decision and an id; POST
    /feedback takes what became of it; GET /health, /metrics and /openapi.json say the rest. Nothing is answered that
    is not in the log.

    \b
    Examples:
      evenhand serve --token-file tokens --new-token shop=predict,feedback
      evenhand serve credit.onnx --log log.db --token-file tokens
      evenhand serve releases/current --log log.db --token-file tokens \\
        --adverse 0 --reasons-background train.parquet
    Exit codes: 0 ended by a signal, 2 could not run.
    """
    from evenhand.errors import need
    from evenhand.output.printing import put

    options = ServingOptions(**said(flags, settings_of(ServingOptions)))  # type: ignore[arg-type]
    if new_token is not None:
        put(_added(token_file, new_token))
        return
    if model is None or place is None:
        raise click.UsageError("MODEL and --log PLACE are needed (--log none stores nothing).")
    if (tls_certificate is None) != (tls_key is None):
        raise click.UsageError("--tls-certificate and --tls-key go together.")
    for package in ("uvicorn", "prometheus_client", "limits"):
        need(package, "serve")
    from evenhand.serving.predicting.app import Application
    from evenhand.serving.predicting.opening import deployed_from
    from evenhand.serving.predicting.running import serve
    from evenhand.serving.predicting.tokens import Tokens

    known, told = _tokens(token_file)
    deployed, reasons = deployed_from(model, options, schema=schema, background=reasons_background, how=opening(flags))
    deployed.refuse_unread("keep", keep)
    journal = _journal(place, keep, hash_key, encryption_key)
    application = Application(deployed, options, Tokens(known), journal, reasons)
    serve(application, port, host, grace=options.grace, certificate=tls_certificate, key=tls_key, first=told)


def _added(token_file: Path | None, told: str) -> str:
    """Add a token to the file, and return it."""
    from evenhand.serving.predicting.tokens import add_token

    name, sign, scopes = told.partition("=")
    if token_file is None or not sign:
        raise click.UsageError("--new-token NAME=predict,feedback,metrics goes with --token-file FILE.")
    return add_token(token_file, name, [scope for scope in scopes.split(",") if scope])


def _journal(place: str, keep: tuple[str, ...], hash_key: str | None, encryption_key: str | None) -> Journal | None:
    """Open the log; None where nothing is to be stored."""
    from evenhand.serving.journal.opening import open_journal

    if place == "none":
        refuse_idle("--log PLACE", False, "keep", "hash_key", "encryption_key")
        return None
    return open_journal(
        place,
        keep=keep or None,
        hash_key=key_of_hashes(hash_key),
        encryption_key=keyring(encryption_key),
    )


def _tokens(token_file: Path | None) -> tuple[tuple[Token, ...], str]:
    """Return the tokens of the file; without one, a new token for everything, and the line that tells it."""
    from evenhand.serving.predicting.tokens import SCOPES, new_token, read_tokens

    if token_file is not None:
        return read_tokens(token_file), ""
    text, token = new_token("printed", SCOPES)
    return (token,), f"Authorization: Bearer {text}"
