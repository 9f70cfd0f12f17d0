"""Who is answered, and what a page may load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.serving.cases import ADDRESS, PORT, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from evenhand.findings import AuditRecord

PAGES = ("/", "/policy", "/policy.toml", "/slices", "/explanations", "/view.css", "/view.js", "/nothing")


@pytest.fixture
def stranger(serve: Callable[..., TestClient], later: AuditRecord) -> TestClient:
    """A client without the token."""
    return serve(later, token=False)


@pytest.mark.parametrize("path", PAGES)
def test_without_the_token_nothing_is_answered(path: str, stranger: TestClient) -> None:
    for place in (path, f"{path}?token=", f"{path}?token=another", f"{path}?token={TOKEN}x"):
        answer = stranger.get(place)
        assert answer.status_code == 403
        assert answer.text == "Open the address that evenhand view has printed: it holds the token of this page.\n"
    assert not stranger.cookies


def test_the_token_becomes_a_cookie_and_leaves_the_address(stranger: TestClient) -> None:
    answer = stranger.get("/", params={"by": "race", "token": TOKEN, "metric": "recall"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?by=race&metric=recall"
    cookie = answer.headers["set-cookie"]
    assert f"evenhand-view-{PORT}={TOKEN}" in cookie
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert TOKEN not in answer.headers["location"]


def test_a_path_never_leads_to_another_host(stranger: TestClient) -> None:
    """A location of two slashes, or of a backslash, would be another host's."""
    for path in ("//evil.example/", "/\\evil.example/"):
        answer = stranger.get(f"{ADDRESS}{path}?token={TOKEN}")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/evil.example/"


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", ""])
def test_another_host_is_refused_even_with_the_token(host: str, client: TestClient) -> None:
    """A page that lets its own name point to this machine (DNS rebinding) sends its own name."""
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert answer.text == f"This page is served at 127.0.0.1:{PORT} only.\n"


def test_localhost_is_this_machine(client: TestClient) -> None:
    headers = {"host": f"localhost:{PORT}", "cookie": f"evenhand-view-{PORT}={TOKEN}"}
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_runs_no_script_of_its_own(path: str, client: TestClient) -> None:
    answer = client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "http://" not in answer.text.replace("http://www.w3.org", "")
    assert "style=" not in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(method: str, client: TestClient) -> None:
    assert client.request(method, "/").status_code == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_page_is_refused(headers: dict[str, str], client: TestClient) -> None:
    answer = client.post("/judge", data={"text": "schema = 1", "form_token": "x"}, headers=headers)
    assert answer.status_code == 403
    assert "nothing was done" in answer.text


def test_a_form_without_its_token_is_refused(client: TestClient) -> None:
    for given in ({}, {"form_token": ""}, {"form_token": TOKEN}, {"form_token": "ä"}):
        answer = client.post("/judge", data={"text": "schema = 1", **given})
        assert answer.status_code == 400
        assert "The form is of an earlier page" in answer.text


def test_what_is_no_form_or_too_large_is_refused(client: TestClient) -> None:
    assert "Only the form of this page" in client.post("/judge", json={"text": ""}).text
    assert "Only the form of this page" in client.post("/judge", files={"text": b""}).text
    large = client.post("/judge", data={"text": "x" * 500_000})
    assert (large.status_code, "is not read" in large.text) == (400, True)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for body in (b"\xff\xfe=1", b"text=%ff", b"no pairs"):
        assert "The form is damaged" in client.post("/judge", content=body, headers=kind).text


def test_judging_is_by_post_only(client: TestClient) -> None:
    assert client.get("/judge").status_code == 405
    assert client.post("/", data={}).status_code == 405
