"""One record with nearly everything, an earlier one, and clients that have the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.databases import database, kills, place, server
from tests.serving.cases import ADDRESS, POLICY, PORT, TOKEN, score, table

import evenhand as eh

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from evenhand.findings import AuditRecord

__all__ = ["database", "kills", "place", "server"]


@pytest.fixture(scope="session")
def record() -> AuditRecord:
    """An audit with scores, crossings, slices and explanations."""
    data = eh.read_evaluation_set(table(), label="paid", favourable=1, sensitive_features=["race", "sex"], name="loans")
    return eh.audit(score, data, explain_rows=20, background_rows=20)


@pytest.fixture(scope="session")
def earlier() -> AuditRecord:
    """An earlier audit of other rows, in which Black applicants fared worse."""
    rows = table(seed=9)
    scores = score(rows) - 0.25 * (rows["race"] == "Black")
    features = {name: rows[name] for name in ("race", "sex")}
    return eh.audit_predictions(
        rows["paid"], y_score=scores.clip(0), threshold=0.5, sensitive_features=features, favourable=1, name="loans"
    )


@pytest.fixture(scope="session")
def later() -> AuditRecord:
    """The same rows as now, with other scores than earlier."""
    rows = table()
    features = {name: rows[name] for name in ("race", "sex")}
    return eh.audit_predictions(
        rows["paid"], y_score=score(rows), threshold=0.5, sensitive_features=features, favourable=1, name="loans"
    )


@pytest.fixture(scope="session")
def serve() -> Callable[..., TestClient]:
    """Make a client, with the token, of the pages about a record."""

    def made(*records: AuditRecord, token: bool = True, **settings: str) -> TestClient:
        from starlette.testclient import TestClient

        from evenhand.serving.viewing.app import application
        from evenhand.serving.viewing.session import Session

        app = application(Session(*records, **settings), TOKEN, PORT)  # type: ignore[arg-type]
        client = TestClient(app, base_url=ADDRESS, follow_redirects=False)
        if token:
            client.cookies.set(f"evenhand-view-{PORT}", TOKEN)
        return client

    return made


@pytest.fixture(scope="session")
def client(serve: Callable[..., TestClient], record: AuditRecord) -> TestClient:
    """A client of the pages about the record, judged by a policy."""
    return serve(record, policy=POLICY)
