"""Two visitors at once, in two real browsers: in a file of its own, since it takes as long as many other tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from rag.settings import Settings
from ui.app import build_app

from browsing import submit, visitor  # isort: skip
from scripted import ScriptedAnswerer  # isort: skip
from serving import serving  # isort: skip
from test_page import open_history  # isort: skip

pytestmark = pytest.mark.browser


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    app = build_app(ScriptedAnswerer(), settings=Settings(store=tmp_path))
    with serving(app) as url:
        yield url


def test_visitors_never_see_each_others_words(browser: Browser, url: str) -> None:
    """Two browsers at once, two hundred turns taken in turn, in conversations of twenty."""
    with visitor(browser, url) as one, visitor(browser, url) as two:
        for page in (one, two):
            open_history(page)
        for turn in range(100):
            place = turn % 20
            if turn and not place:
                for page in (one, two):
                    page.locator("#new-conversation").click()
                    expect(page.locator(".answer")).to_have_count(0)
            for name, page in (("Ann", one), ("Bob", two)):
                submit(page, f"{name} asks {turn}")
            for name, page in (("Ann", one), ("Bob", two)):
                expect(page.locator(".answer .footer")).to_have_count(place + 1)
                expect(page.locator(".user-row").last).to_have_text(f"{name} asks {turn}")
            if place == 19:
                for mine, other, page in (("Ann", "Bob", one), ("Bob", "Ann", two)):
                    expect(page.locator("#messages")).to_contain_text(f"You asked about {mine} asks {turn}")
                    expect(page.locator("body")).not_to_contain_text(f"{other} asks")
