"""The pages in Chromium: paths of clicks, without script, by keyboard, on a phone, and accessible to all."""

from __future__ import annotations

import os
import re
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.serving.cases import HOSTILE, POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from evenhand.findings import AuditRecord

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
AXE = os.environ.get("EVENHAND_AXE")
LIMITS = POLICY.replace('"importance[income]" = { at_least = 0.001 }\n', "")
PAGES = (
    "/?by=race&metric=recall&t=0.7&split=race&t.Black=0.4&group=Black&group=White",
    "/?by=race&by=sex&metric=selection_rate&vs=rest",
    "/policy?t=0.7&every=1",
    "/policy?policy=eNorTs5IzU1UsFUwBABDdwSd",
    "/compare?by=race&metric=selection_rate",
    "/slices",
    "/slices?at=1",
    "/explanations",
    "/explanations?at=1",
    "/nothing",
)  # fmt: skip
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[..., str]]:
    """Serve records in this process, and return the address with the token."""
    import uvicorn

    from evenhand.serving.listening import listening as socket_at
    from evenhand.serving.viewing.app import application
    from evenhand.serving.viewing.session import Session

    servers: list[uvicorn.Server] = []

    def serve(*records: AuditRecord, **settings: str) -> str:
        listening = socket_at([0])
        port = listening.getsockname()[1]
        app = application(Session(*records, **settings), "browser", port)  # type: ignore[arg-type]
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        threading.Thread(target=server.run, args=([listening],), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{port}/?token=browser"

    yield serve
    for server in servers:
        server.should_exit = True


@pytest.fixture(scope="module")
def address(served: Callable[..., str], record: AuditRecord, earlier: AuditRecord) -> str:
    """The address of the pages about two records and a policy."""
    return served(record, earlier, policy=LIMITS)


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A page that has the token; an error of a script, or a request that the content policy stops, fails the test."""
    yield from opened(chromium, address)


def opened(chromium: Browser, address: str, **settings: object) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, **settings)  # type: ignore[arg-type]
    page, wrong = context.new_page(), []
    page.on(
        "console",
        lambda told: wrong.append(told.text) if told.type == "error" and "status of 40" not in told.text else None,
    )
    page.on("pageerror", lambda told: wrong.append(str(told)))
    page.on(
        "request", lambda sent: None if sent.url.startswith(("http://127.0.0.1:", "data:")) else wrong.append(sent.url)
    )
    page.goto(address)
    yield page
    context.close()
    assert wrong == []


def home(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


def explore(page: Page) -> None:
    """Pick a metric, a crossing, a reference and thresholds, as a person does."""
    page.get_by_label("Metric").select_option("recall")
    page.get_by_label("sex", exact=True).check()
    page.get_by_label("Compare groups with").select_option("rest")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("heading", name="Recall, by race × sex").first.wait_for(timeout=60_000)
    page.get_by_text("least ratio to the other groups").first.wait_for(timeout=60_000)
    page.get_by_label("Threshold of everybody").fill("0.7")
    page.get_by_text("A threshold for each group of race").click()
    page.get_by_label("Black", exact=True).fill("0.4")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("Decided at a threshold for each group: Black at 0.4; all others at 0.7.").first.wait_for(
        timeout=60_000
    )
    page.get_by_role("columnheader", name="at the threshold of the audit").first.wait_for(timeout=60_000)


def edit(page: Page, folder: Path) -> None:
    """Break the policy, mend it, judge it, download it."""
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Policy").click()
    box = page.get_by_label("The text of policy.toml")
    text = box.input_value()
    assert text == LIMITS
    box.fill(text.replace('"accuracy"', '"acuracy"'))
    page.get_by_role("button", name="Judge").click()
    problem = page.locator(".problems li")
    assert "policy.toml:3" in problem.inner_text() and "Did you mean 'accuracy'" in problem.inner_text()
    strict = text.replace("at_least = 0.6", "at_least = 0.999")
    page.get_by_label("The text of policy.toml").fill(strict)
    page.get_by_role("button", name="Judge").click()
    row = page.locator("#limits-table tr", has_text="accuracy").first
    assert "failed" in row.inner_text()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download this policy.toml").click()
    started.value.save_as(folder / "policy.toml")
    assert (folder / "policy.toml").read_text("utf-8") == strict


def test_a_path_of_clicks_from_a_metric_to_a_policy(page: Page, tmp_path: Path) -> None:
    explore(page)
    edit(page, tmp_path)
    page.get_by_role("link", name="Groups", exact=True).click()
    assert "Black at 0.4" in page.inner_text("main"), "tabs keep what was chosen"
    assert "Do not release" in page.inner_text(".result")
    page.get_by_role("link", name="Back to the threshold of the audit").click()
    assert "Black at 0.4" not in page.inner_text("main")


def test_every_function_works_without_script(chromium: Browser, address: str, tmp_path: Path) -> None:
    for page in opened(chromium, address, java_script_enabled=False):
        explore(page)
        edit(page, tmp_path)
        page.get_by_role("link", name="Judge it at every threshold").click()
        page.get_by_role("heading", name="The policy at every threshold").first.wait_for(timeout=60_000)
        page.goto(f"{home(page)}/slices")
        page.get_by_role("link", name="Next", exact=True).click()
        page.get_by_text("2 of").first.wait_for(timeout=60_000)


def test_a_link_reproduces_a_view(page: Page, chromium: Browser, address: str, tmp_path: Path) -> None:
    explore(page)
    edit(page, tmp_path)
    link, seen = page.url, page.inner_text("main")
    assert "token" not in link
    for other in opened(chromium, address):
        other.goto(link)
        assert other.inner_text("main") == seen


def test_two_records_are_side_by_side(page: Page) -> None:
    page.get_by_role("link", name="Earlier audit").click()
    page.get_by_label("Metric").select_option("selection_rate")
    page.get_by_role("button", name="Show").click()
    row = page.locator("#compare-table tr", has_text="Black")
    assert "more than noise" in row.inner_text()
    assert "may be noise" in page.locator("#compare-table").inner_text()
    page.get_by_role("heading", name="What became of each limit").first.wait_for(timeout=60_000)


@pytest.mark.parametrize("path", ["/slices", "/explanations"])
def test_slices_and_explanations_are_gone_through_by_clicks_and_arrows(path: str, page: Page) -> None:
    page.goto(home(page) + path)
    first = page.inner_text("main h2")
    page.get_by_role("link", name="Next", exact=True).click()
    second = page.inner_text("main h2")
    assert second != first
    page.wait_for_load_state("load")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(rf"{path}\?(?!.*at=1)"))
    assert page.inner_text("main h2") == first
    page.wait_for_load_state("load")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("at=1"))
    assert page.inner_text("main h2") == second


def test_all_of_it_is_reached_and_done_by_keyboard(page: Page) -> None:
    seen: list[str] = []
    focused = "e => { const a = document.activeElement; return a.name || a.id || a.textContent.trim().slice(0, 30) }"
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(focused))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"where the keyboard is cannot be seen: {seen[-1]}"
        if seen[-1] == "Show":
            break
    assert seen[0] == "Skip to the answer"
    for name in ("Policy", "by", "metric", "vs", "t", "Only some groups", "Show"):
        assert name in seen
    page.get_by_label("Metric").focus()
    page.keyboard.type("Recall")
    page.get_by_label("Threshold of everybody").focus()
    page.keyboard.type("0.7")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("t=0.7"))
    assert "Decided at the threshold 0.7" in page.inner_text("main")


def test_ctrl_enter_judges_and_an_edited_policy_is_not_lost(page: Page) -> None:
    page.goto(f"{home(page)}/policy")
    page.get_by_label("The text of policy.toml").press_sequentially("# a note\n")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("location.href = '/'")
    page.wait_for_timeout(200)
    assert asked == ["beforeunload"] and page.url.endswith("/policy")
    page.get_by_label("The text of policy.toml").press("Control+Enter")
    page.wait_for_url(re.compile("policy="))
    assert "# a note" in page.get_by_label("The text of policy.toml").input_value()


WIDE = """() => [document.documentElement.scrollWidth, [...document.querySelectorAll('body *')].filter(e =>
  !e.closest('.scroll') && !e.closest('.skip') && !e.closest('.quiet caption, .quiet figcaption')
  && getComputedStyle(e).position != 'absolute' && !e.closest('thead')
  && e.getBoundingClientRect().width > 0 && e.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))]"""


@pytest.fixture(scope="module")
def hostile(served: Callable[..., str]) -> str:
    """The address of pages about groups with names that would act, in Chinese."""
    import numpy as np

    import evenhand as eh

    rng = np.random.default_rng(3)
    names = (*HOSTILE, "مجموعة", "x" * 400, "一二三四五六七八九十" * 9)
    features = {"group": rng.choice(names, 1500), "sex": rng.choice(["f", "m"], 1500)}
    truth = rng.integers(0, 2, 1500)
    record = eh.audit_predictions(
        truth, y_score=rng.random(1500).round(2), threshold=0.5, sensitive_features=features, favourable=1
    )
    return served(record, record, policy=LIMITS.replace("race", "group"), lang="zh-CN")


def test_nothing_is_wider_than_a_phone(chromium: Browser, address: str, hostile: str) -> None:
    for place, paths in (
        (address, PAGES),
        (hostile, ("/", "/?by=group&by=sex&metric=recall&t=0.4", "/policy?t=0.4", "/compare")),
    ):
        for page in opened(chromium, place):
            page.set_viewport_size({"width": 360, "height": 740})
            start = home(page)
            for path in paths:
                page.goto(start + path)
                assert page.evaluate(WIDE) == [360, []], path
                for drawn in page.locator("figure .rows td.p svg").all():
                    box = drawn.bounding_box()
                    assert box is not None and box["x"] >= 0 and box["width"] > 200, "a row is drawn where it is seen"


def test_names_that_would_act_do_not(chromium: Browser, hostile: str) -> None:
    for page in opened(chromium, hostile):
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        page.goto(f"{home(page)}/?by=group&metric=recall")
        page.locator("#values").get_by_text("<script>alert(1)</script>").first.wait_for(timeout=60_000)
        assert page.locator("img, iframe, main script").count() == 0


@pytest.mark.skipif(not AXE, reason="EVENHAND_AXE names no axe.min.js (npm pack axe-core)")
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(scheme: str, width: int, chromium: Browser, address: str, hostile: str) -> None:
    axe = Path(str(AXE)).read_text("utf-8")
    for place, paths in ((address, PAGES), (hostile, ("/?by=group&metric=recall&t=0.4", "/policy"))):
        for page in opened(chromium, place, color_scheme=scheme, bypass_csp=True):
            page.set_viewport_size({"width": width, "height": 900})
            start = home(page)
            for path in paths:
                page.goto(start + path)
                page.evaluate(axe)
                found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html]))")
                assert found == [], path
