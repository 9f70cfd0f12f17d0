"""The description of a server as OpenAPI 3.1 has it, made from what the model knows of its columns."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final, cast, get_args

from evenhand.monitoring.log.schema import APPEALS, FeedbackKind
from evenhand.serving.journal.journal import Stored
from evenhand.serving.predicting.feedback import LETTERS
from evenhand.serving.predicting.rows import LONGEST, MOST_GROUPS, MOST_LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evenhand.findings import Plain
    from evenhand.serving.predicting.columns import InputColumn
    from evenhand.serving.predicting.deployed import Deployed
    from evenhand.serving.predicting.options import ServingOptions

MOST_SHOWN: Final = 100
"""Levels of a column that are shown."""
NAME: Final[Plain] = {"type": "string", "minLength": 1, "maxLength": LONGEST}
WRONG: Final = {
    "400": "No JSON that can be read", "401": "No token, or an unknown one", "403": "A token for something else",
    "408": "The body did not come", "409": "The id is there with another content", "413": "Too large",
    "415": "Not application/json", "422": "Rows or events that cannot be taken, a sentence for each problem",
    "429": "Too many rows", "500": "The model failed",
    "503": "Not answered: it could not be logged, or too much waits",
}  # fmt: skip
"""Statuses of what is not answered."""


def described(deployed: Deployed, options: ServingOptions, *, feedback: bool, reasons: bool) -> dict[str, Plain]:
    """Return the description of a server.

    Parameters
    ----------
    deployed : Deployed
        The model.
    options : ServingOptions
    feedback : bool
        Whether feedback is taken: there is a log.
    reasons : bool
        Whether reasons are given.
    """
    paths: dict[str, Plain] = {
        "/predict": _post("Predict a row, or rows", "Row", "Prediction", options.max_rows),
        "/health": {
            "get": {
                "operationId": "health",
                "summary": "Whether the server lives, and is ready: the model answers, the log can be written to",
                "security": [],
                "responses": {"200": _answer("Ready", _ref("Health")), "503": _answer("Not ready", _ref("Health"))},
            }
        },
        "/metrics": _get("metrics", "Counts for Prometheus", "text/plain", {"type": "string"}),
        "/openapi.json": _get("describe", "This description", "application/json", {"type": "object"}),
    }
    schemas: dict[str, Plain] = {
        "Row": _row(deployed, reasons), "Inputs": _inputs(deployed.columns),
        "Prediction": _prediction(deployed, reasons),
        "Errors": _object({"errors": {"type": "array", "minItems": 1, "items": {"type": "string"}}}),
        "Health": _object({name: {"type": "boolean"} for name in ("live", "ready", "model", "log")}),
    }  # fmt: skip
    if feedback:
        paths["/feedback"] = _post("Say what became of a prediction", "Event", "Kept", options.max_rows)
        stored = cast("Plain", {"type": "string", "enum": list(get_args(Stored))})
        schemas |= {"Event": _event(deployed), "Kept": _object({"id": NAME, "stored": stored})}
    bearer: Plain = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": f"Predictions of {deployed.subject.name}",
            "version": deployed.sha256[:12] or "unknown",
            "description": f"Served by evenhand {version('evenhand')}; the version is that of the model's file.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {"securitySchemes": {"token": bearer}, "schemas": schemas},
    }


def _row(deployed: Deployed, reasons: bool) -> Plain:
    cell: Plain = {"type": ["string", "number", "boolean", "null"], "maxLength": LONGEST}
    groups: Plain = {
        "type": "object", "maxProperties": MOST_GROUPS, "additionalProperties": cell,
        "description": "Sensitive features by name: logged, and not read by the model",
    }  # fmt: skip
    told: dict[str, Plain] = {
        "inputs": _ref("Inputs"),
        "id": {**cast("dict[str, Plain]", NAME), "description": "Its name in the log; made where it is not given"},
        "groups": groups,
        "person": {**cast("dict[str, Plain]", NAME), "description": "Whose row it is; logged as a keyed hash"},
    }
    if reasons:
        told["reasons"] = {"type": "boolean", "description": "Whether to give the reasons of an adverse decision"}
    return _object(told, ["inputs"])


def _inputs(columns: Iterable[InputColumn]) -> Plain:
    return _object({column.name: _cell(column) for column in columns})


def _cell(column: InputColumn) -> Plain:
    kinds: list[Plain] = ["number", "boolean", "null"]
    if column.kind == "category" or column.text:
        kinds.insert(0, "string")
    told: dict[str, Plain] = {"type": kinds}
    if "string" in kinds:
        told["maxLength"] = MOST_LETTERS
    said = []
    if column.levels:
        told["examples"] = [*column.levels[:MOST_SHOWN]]
        said.append(f"one of {len(column.levels):,} levels; another is predicted and noted as unseen")
    if column.low is not None and column.high is not None:
        said.append(f"from {column.low:g} to {column.high:g} as the model knows it; beyond is noted as outside")
    if not column.fills:
        said.append("null is predicted and noted as filled: no training row had a missing value here")
    if said:
        told["description"] = "; ".join(said)
    return told


def _prediction(deployed: Deployed, reasons: bool) -> Plain:
    columns: Plain = {"type": "array", "items": {"type": "string"}}
    told: dict[str, Plain] = {"id": NAME, "model": {"type": "string", "description": "The sha256 of the model's file"}}
    if deployed.task == "multiclass":
        told["scores"] = _object({name: {"type": "number"} for name in deployed.classes})
    else:
        told["score"] = {"type": "number"}
    if deployed.classes:
        told["decision"] = {"type": "string", "enum": [*deployed.classes]}
    needed = list(told)
    told |= {"unseen": columns, "outside": columns, "filled": columns}
    if reasons:
        codes: Plain = {"type": "array", "maxItems": 4, "items": {"type": "string"}}
        told["reasons"] = _object({"status": {"type": "string"}, "codes": codes})
    return _object(told, needed)


def _event(deployed: Deployed) -> Plain:
    told: dict[str, Plain] = {
        "prediction": NAME,
        "kind": {"type": "string", "enum": [*get_args(FeedbackKind)]},
        "value": {
            "type": ["string", "number", "boolean", "null"],
            "maxLength": LETTERS,
            "description": f"A label ({', '.join(deployed.classes[:20]) or 'a number'}), a rating, the kind of a "
            f"complaint, or of an appeal {', '.join(APPEALS)}",
        },
        "id": {**cast("dict[str, Plain]", NAME), "description": "Its own name: the same event sent twice is kept once"},
        "time": {"type": "string", "format": "date-time", "description": "When it happened; now where not given"},
        "source": NAME,
    }
    return _object(told, ["prediction", "kind"])


def _post(summary: str, sent: str, answered: str, most: int) -> Plain:
    def either(name: str) -> Plain:
        return {"oneOf": [_ref(name), {"type": "array", "minItems": 1, "maxItems": most, "items": _ref(name)}]}

    wrong = {status: _answer(told, _ref("Errors")) for status, told in WRONG.items()}
    body: Plain = {"required": True, "content": {"application/json": {"schema": either(sent)}}}
    answers: Plain = {"200": _answer("An answer for each, in order", either(answered)), **wrong}
    told: dict[str, Plain] = {"operationId": summary.split(maxsplit=1)[0].lower(), "summary": summary}
    return {"post": {**told, "requestBody": body, "responses": answers}}


def _get(name: str, summary: str, kind: str, schema: Plain) -> Plain:
    wrong = {status: _answer(WRONG[status], _ref("Errors")) for status in ("401", "403")}
    right: Plain = {"description": summary, "content": {kind: {"schema": schema}}}
    return {"get": {"operationId": name, "summary": summary, "responses": {"200": right, **wrong}}}


def _answer(told: str, schema: Plain) -> Plain:
    return {"description": told, "content": {"application/json": {"schema": schema}}}


def _ref(name: str) -> Plain:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: dict[str, Plain], required: list[str] | None = None) -> Plain:
    needed: list[Plain] = [*(properties if required is None else required)]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
