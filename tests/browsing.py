"""Opening the page in a real Chromium: shared by the browser tests and `make screenshots`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, Request, expect

expect.set_options(timeout=20_000)

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
EMPTY = "about:blank"
DESKTOP, TABLET, PHONE = (1440, 900), (820, 1100), (390, 844)


def launch(playwright: Playwright, chromium: str) -> Browser:
    """A headless Chromium that asks nobody for anything by itself."""
    return playwright.chromium.launch(executable_path=chromium, args=FLAGS)


@contextmanager
def visitor(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Iterator[Page]:
    """A page of its own, with an empty storage; fails if anything was asked of another host, or a script failed.

    Visitors that come one after another share a window, emptied between them: opening one takes longer than a visit.
    """
    context = next((one for one in browser.contexts if one.pages and one.pages[0].url == EMPTY), None) or new_context(
        browser
    )
    page = context.pages[0]
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    asked: list[str] = []
    failures: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    def fail(error: Error) -> None:
        failures.append(str(error))

    context.on("request", note)
    page.on("pageerror", fail)
    try:
        open_page(page, url)
        yield page
    finally:
        context.remove_listener("request", note)
        page.remove_listener("pageerror", fail)
        leave(page, url)
    assert {urlsplit(one).hostname for one in asked if not one.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    assert failures == []


def leave(page: Page, url: str) -> None:
    """Close all other windows of a visitor, and forget what the page has kept; what cannot be emptied is closed, too."""
    for other in page.context.pages:
        if other is not page:
            other.close()
    try:
        page.unroute_all()
        page.goto(f"{url}theme.css")  # the page itself writes to the storage when it is left
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        page.goto(EMPTY)
    except Error:
        page.context.close()


def new_context(browser: Browser) -> BrowserContext:
    """What one visitor's windows share, and nobody else's; with one window."""
    context = browser.new_context(
        viewport={"width": DESKTOP[0], "height": DESKTOP[1]},
        permissions=["clipboard-read", "clipboard-write"],
        accept_downloads=True,
    )
    context.set_default_timeout(15_000)
    context.new_page()
    return context


def open_page(page: Page, url: str) -> None:
    """Load the page and wait until it can be used."""
    page.goto(url)
    page.locator("#facts .facts-row").wait_for()


def ask(page: Page, question: str) -> None:
    """Type a question, press Enter, and wait for the whole answer."""
    answers = page.locator(".answer .footer")
    before = answers.count()
    submit(page, question)
    answers.nth(before).wait_for()


def submit(page: Page, question: str) -> None:
    """Type a question and press Enter."""
    box = page.get_by_role("textbox", name="Question")
    box.fill(question)
    box.press("Enter")


def compare(page: Page, one: str, other: str, topic: str) -> None:
    """Ask on the Compare tab what two authors say of a topic."""
    page.get_by_role("tab", name="Compare").click()
    for box, name in (("#compare-one", one), ("#compare-other", other)):
        page.locator(f"{box} input").click()
        page.get_by_role("option", name=name).first.click()
    page.locator("#compare-topic textarea, #compare-topic input").first.fill(topic)
    page.locator("#compare-button").click()
