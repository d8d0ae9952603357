"""Opening the page in a real Chromium: shared by the browser tests and `make screenshots`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, expect

expect.set_options(timeout=20_000)

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, TABLET, PHONE = (1440, 900), (820, 1100), (390, 844)


def launch(playwright: Playwright, chromium: str) -> Browser:
    """A headless Chromium that asks nobody for anything by itself."""
    return playwright.chromium.launch(executable_path=chromium, args=FLAGS)


@contextmanager
def visitor(browser: Browser, url: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Iterator[Page]:
    """A page of its own, with an empty storage; fails if anything was asked of another host, or a script failed.

    Visitors that come one after another share a context, emptied between them: what the browser keeps of the page's
    scripts, compiled, halves the time of a visit.
    """
    context = next((one for one in browser.contexts if not one.pages), None) or new_context(browser)
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    empty = {
        "origin": "{0.scheme}://{0.netloc}".format(urlsplit(url)),
        "storageTypes": "cookies,local_storage,indexeddb",
    }
    context.new_cdp_session(page).send("Storage.clearDataForOrigin", empty)
    asked: list[str] = []
    failures: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    context.on("request", note)
    page.on("pageerror", lambda error: failures.append(str(error)))
    try:
        open_page(page, url)
        yield page
    finally:
        context.remove_listener("request", note)
        for one in context.pages:
            one.close()
    assert {urlsplit(one).hostname for one in asked if not one.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    assert failures == []


def new_context(browser: Browser) -> BrowserContext:
    """What one visitor's windows share, and nobody else's."""
    context = browser.new_context(
        viewport={"width": DESKTOP[0], "height": DESKTOP[1]},
        permissions=["clipboard-read", "clipboard-write"],
        accept_downloads=True,
    )
    context.set_default_timeout(15_000)
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
