"""Pictures of every page at three widths in both themes: python tests/screenshots.py [FOLDER]

Made with the sample comments and the real pipeline, in a real Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

import ingest
from rag.settings import Settings
from ui.app import build_app
from ui.service import Service

ROOT = Path(__file__).parent.parent
sys.path.append(str(Path(__file__).parent))

QUESTION = "What do people say about the Brier score?"
UNANSWERABLE = "Who won the football world cup in 1998?"


def main(folder: str = "screenshots") -> None:
    from browsing import DESKTOP, PHONE, TABLET, launch, visitor
    from serving import serving

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as store:
        settings = Settings(store=Path(store), llm="evidence")
        ingest.ingest([ROOT / "rag" / "sample" / "comments"], settings=settings)
        service = Service(settings)
        app = build_app(service, settings=settings, manage=service)
        with serving(app) as url, sync_playwright() as playwright:
            browser = launch(playwright, shutil.which("chromium"))
            for width, size in (("desktop", DESKTOP), ("tablet", TABLET), ("phone", PHONE)):
                for dark in (False, True):
                    for name, show in PAGES.items():
                        with visitor(browser, url, size, dark=dark) as page:
                            show(page)
                            page.screenshot(path=target / f"{name}-{width}-{'dark' if dark else 'light'}.png")


def empty(page: Page) -> None:
    page.locator("#messages .example").first.wait_for()


def answer(page: Page) -> None:
    from browsing import ask

    ask(page, QUESTION)
    page.locator("#panel .card").first.wait_for(state="attached")


def source(page: Page) -> None:
    answer(page)
    page.locator(".answer a.cite").last.click()
    page.locator("#panel .card.focused").wait_for()


def why(page: Page) -> None:
    answer(page)
    page.get_by_role("button", name="Why this answer").click()
    page.locator("#panel tbody tr").first.wait_for()


def abstained(page: Page) -> None:
    from browsing import ask

    ask(page, UNANSWERABLE)


def history(page: Page) -> None:
    answer(page)
    page.get_by_role("button", name="Toggle Sidebar").click()
    page.locator("#conversations label").wait_for()


def comparison(page: Page) -> None:
    from browsing import compare

    compare(page, "mossgauge", "Brine Ledgerwick", "soil")
    page.locator("#compare-right section").wait_for()


def comments(page: Page) -> None:
    page.get_by_role("tab", name="Comments").click()
    page.locator(".comments .card").first.wait_for()


def thread(page: Page) -> None:
    comments(page)
    page.locator("button[name=thread]").first.click()
    page.locator(".comments.thread").wait_for()


def index(page: Page) -> None:
    page.get_by_role("tab", name="Index").click()
    page.locator(".sources-table").wait_for()


def settings_page(page: Page) -> None:
    page.get_by_role("tab", name="Settings").click()
    page.locator("#settings-apply").wait_for()


PAGES: dict[str, Callable[[Page], None]] = {
    "empty": empty,
    "answer": answer,
    "source": source,
    "why": why,
    "abstained": abstained,
    "history": history,
    "compare": comparison,
    "comments": comments,
    "thread": thread,
    "index": index,
    "settings": settings_page,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
