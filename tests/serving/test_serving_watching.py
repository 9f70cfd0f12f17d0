"""A timeline that is watched: news are seen, damage is told, nobody else is answered."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.browsing import CHROMIUM, NEEDED
from tests.report.test_report_page import Reader
from tests.report.timeline_cases import alarmed, hostile, passing
from tests.serving.cases import ADDRESS, PORT, TOKEN

from evenhand.cli.main import exit_code
from evenhand.errors import RecordError
from evenhand.timelines import write_timeline

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The file that monitoring writes."""
    write_timeline(tmp_path / "monitor.json", passing())
    return tmp_path / "monitor.json"


def client_of(place: Path, *, token: bool = True, lang: str = "en") -> TestClient:
    from starlette.testclient import TestClient

    from evenhand.serving.viewing.watching import Watched, watching

    client = TestClient(watching(Watched(place, lang), TOKEN, PORT), base_url=ADDRESS, follow_redirects=False)
    if token:
        client.cookies.set(f"evenhand-view-{PORT}", TOKEN)
    return client


def test_news_are_on_the_page(place: Path) -> None:
    client = client_of(place)
    before = client.get("/")
    assert "No alarm: every limit holds" in before.text
    write_timeline(place, alarmed())
    after = client.get("/")
    assert "Alarm on 2026-03-26: Drift of income" in after.text
    assert before.headers["etag"] != after.headers["etag"]


def test_what_the_browser_knows_is_not_sent_again(place: Path) -> None:
    client = client_of(place)
    tag = client.get("/").headers["etag"]
    known = client.get("/", headers={"if-none-match": tag})
    assert (known.status_code, known.content) == (304, b"")
    place.touch()  # the same timeline, written again
    assert client.get("/", headers={"if-none-match": f'"other", W/{tag}'}).status_code == 304
    write_timeline(place, replace(passing(), exit_code=1))
    assert client.get("/", headers={"if-none-match": tag}).status_code == 200
    assert f'data-now="{tag[1:-1]}"' not in client.get("/").text


@pytest.mark.parametrize("damage", ["", "{", '{"schema": "evenhand-timeline"}', None])
def test_a_damaged_file_leaves_the_last_page_and_is_told(damage: str | None, place: Path) -> None:
    client = client_of(place)
    tag = client.get("/").headers["etag"]
    if damage is None:
        place.unlink()
    else:
        place.write_text(damage, encoding="utf-8")
    answer = client.get("/", headers={"if-none-match": tag})
    assert answer.status_code == 200
    assert "No alarm: every limit holds" in answer.text
    assert "The file cannot be read any more" in answer.text
    write_timeline(place, alarmed())
    healed = client.get("/")
    assert "cannot be read any more" not in healed.text
    assert "Alarm on 2026-03-26" in healed.text


def test_a_damaged_file_is_not_served_at_all(place: Path) -> None:
    from evenhand.serving.viewing.watching import Watched

    place.write_text('{"schema": "evenhand-timeline"}', encoding="utf-8")
    with pytest.raises(RecordError):
        Watched(place)


@pytest.mark.parametrize("path", ["/", "/watch.css", "/watch.js", "/nothing"])
def test_without_the_token_nothing_is_answered(path: str, place: Path) -> None:
    stranger = client_of(place, token=False)
    for address in (path, f"{path}?token=x{TOKEN}"):
        assert stranger.get(address).status_code == 403
    assert client_of(place).get(path, headers={"host": f"evil.example:{PORT}"}).status_code == 421
    assert client_of(place).post(path).status_code in (403, 404, 405)


def test_the_page_may_ask_its_own_server_and_nobody_else(place: Path) -> None:
    answer = client_of(place).get("/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["connect-src"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    page = Reader(answer.text)
    loaded = {str(attrs.get("src") or attrs.get("href")) for tag, attrs in page.tags if tag in ("script", "link")}
    assert loaded == {"/watch.css", "/watch.js", "data:,"}
    assert "style=" not in answer.text


def test_without_script_it_is_loaded_again(place: Path) -> None:
    answer = client_of(place).get("/")
    assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in answer.text
    assert ">Look now</a>" in answer.text


def test_names_are_text_here_too(tmp_path: Path) -> None:
    write_timeline(tmp_path / "monitor.json", hostile())
    page = Reader(client_of(tmp_path / "monitor.json").get("/").text)
    assert page.wrong == []
    assert [attrs for tag, attrs in page.tags if tag == "script"] == [{"src": "/watch.js", "defer": None}]


def test_two_timelines_or_a_policy_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["view", str(place), str(place)]) == 2
    assert "watched alone" in capsys.readouterr().err
    (place.parent / "policy.toml").write_text("schema = 1\n[limits]\naccuracy = { at_least = 0.8 }\n")
    assert exit_code(["view", str(place), "--policy", str(place.parent / "policy.toml")]) == 2
    assert "--policy" in capsys.readouterr().err


@NEEDED[0]
@NEEDED[1]
def test_a_browser_shows_news_by_itself(place: Path) -> None:
    import uvicorn

    from evenhand.serving.listening import listening as socket_at
    from evenhand.serving.viewing.watching import Watched, watching

    listening = socket_at([0])
    port = listening.getsockname()[1]
    app = watching(Watched(place), "browser", port)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    threading.Thread(target=server.run, args=([listening],), daemon=True).start()
    try:
        sync_api = pytest.importorskip("playwright.sync_api")
        with sync_api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page()
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            page.goto(f"http://127.0.0.1:{port}/?token=browser")
            page.locator("#limits summary").first.click()
            write_timeline(place, alarmed())
            page.get_by_role("heading", name="Alarm on 2026-03-26").wait_for(timeout=60_000)
            assert page.locator("#limits > details").get_attribute("open") is not None
            assert said == []
    finally:
        server.should_exit = True
