"""The description is complete: what is sent and answered is as it says, and its schemas are schemas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from tests.serving.served import Kept, client, row

if TYPE_CHECKING:
    from starlette.testclient import TestClient

DIALECT = jsonschema.Draft202012Validator


@pytest.fixture
def server() -> TestClient:
    return client(journal=Kept(), reasons=True)


def described(server: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/openapi.json").json()
    return found


def check(document: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    """Validate a value by a schema of the document."""
    DIALECT({**schema, "components": document["components"]}).validate(value)


def references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for each in part.values() for found in references(each)]
    return [found for each in part for found in references(each)] if isinstance(part, list) else []


def test_it_is_of_openapi_and_names_every_address(server: TestClient) -> None:
    document = described(server)
    assert re.fullmatch(r"3\.1\.\d", document["openapi"]) and {"title", "version"} <= set(document["info"])
    assert set(document["paths"]) == {"/predict", "/feedback", "/health", "/metrics", "/openapi.json"}
    operations = [each for path in document["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        assert all(answer["description"] for answer in each["responses"].values())
    assert "/feedback" not in described(client())["paths"]


def test_its_schemas_are_schemas_and_its_references_lead_somewhere(server: TestClient) -> None:
    document = described(server)
    for schema in document["components"]["schemas"].values():
        DIALECT.check_schema(schema)
    for reference in references(document):
        name = reference.removeprefix("#/components/schemas/")
        assert name in document["components"]["schemas"]


def schema_of(document: dict[str, Any], path: str, status: str = "") -> dict[str, Any]:
    told = document["paths"][path].get("post") or document["paths"][path]["get"]
    found: dict[str, Any] = (told["responses"][status] if status else told["requestBody"])["content"]
    return dict(found["application/json"]["schema"])


SENT: list[tuple[str, object]] = [
    ("/predict", {"inputs": row()}),
    (
        "/predict",
        [{"inputs": row(job=None, region=None, income=10_000), "id": "a", "groups": {"sex": "f", "age": 3}}] * 2,
    ),
    ("/predict", {"inputs": row(income=1), "reasons": True, "person": "p"}),
    ("/feedback", {"prediction": "a", "kind": "label", "value": 1, "time": "2026-11-30T12:00:00Z", "source": "desk"}),
    ("/feedback", [{"prediction": "a", "kind": "appeal", "value": "won", "id": "e"}]),
    ("/predict", {"inputs": {"income": "x"}}),
    ("/predict", 7),
    ("/feedback", {"kind": "label"}),
]


@pytest.mark.parametrize("at", range(len(SENT)))
def test_requests_and_answers_are_as_described(server: TestClient, at: int) -> None:
    path, body = SENT[at]
    document = described(server)
    answer = server.post(path, json=body)
    check(document, schema_of(document, path, str(answer.status_code)), answer.json())
    if answer.status_code == 200:
        check(document, schema_of(document, path), body)
    else:
        with pytest.raises(jsonschema.ValidationError):
            check(document, schema_of(document, path), body)


def test_health_is_as_described(server: TestClient) -> None:
    document = described(server)
    check(document, schema_of(document, "/health", "200"), server.get("/health").json())
