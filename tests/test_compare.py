"""The compare tab, with the real pipeline, in a real browser; and what its two sides may hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import ingest
from rag.settings import Settings
from ui.app import build_app
from ui.compare import Compare
from ui.service import Service

from browsing import DESKTOP, PHONE, compare, visitor  # isort: skip
from serving import serving  # isort: skip
from test_page import serious_violations  # isort: skip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(sample_settings: Settings) -> Iterator[str]:
    service = Service(sample_settings)
    app = build_app(service, settings=sample_settings, manage=service)
    with serving(app) as url:
        yield url


@pytest.mark.browser
def test_two_authors_stand_side_by_side_each_in_their_own_words(browser: Browser, url: str) -> None:
    with visitor(browser, url, DESKTOP) as page:
        compare(page, "mossgauge", "Brine Ledgerwick", "soil")
        left, right = page.locator("#compare-left section"), page.locator("#compare-right section")
        expect(right.locator("blockquote").first).to_be_visible()
        assert left.bounding_box()["y"] == right.bounding_box()["y"]
        left.locator("summary").first.click()
        expect(left.locator(".card mark").first).to_be_visible()
        assert "Brine" not in left.locator(".card h3").first.inner_text()


@pytest.mark.browser
def test_on_the_phone_one_stands_below_the_other(browser: Browser, url: str) -> None:
    with visitor(browser, url, PHONE) as page:
        compare(page, "mossgauge", "Brine Ledgerwick", "soil")
        left, right = page.locator("#compare-left section"), page.locator("#compare-right section")
        expect(right.locator("blockquote").first).to_be_visible()
        assert right.bounding_box()["y"] > left.bounding_box()["y"] + left.bounding_box()["height"] - 1
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_on_the_other_tabs(browser: Browser, url: str, dark: bool) -> None:
    with visitor(browser, url, DESKTOP, dark=dark) as page:
        compare(page, "mossgauge", "Brine Ledgerwick", "soil")
        expect(page.locator("#compare-right blockquote").first).to_be_visible()
        problems = serious_violations(page, "compare")
        page.get_by_role("tab", name="Index").click()
        expect(page.locator(".sources-table")).to_be_visible()
        problems += serious_violations(page, "index")
        page.get_by_role("tab", name="Settings").click()
        expect(page.locator("#settings-apply")).to_be_visible()
        problems += serious_violations(page, "settings")
        assert problems == []


class TestSides:
    def sides(self, settings: Settings, *chosen: str) -> tuple[str, str, str]:
        *_, last = Compare(Service(settings)).compare(*chosen)
        return last

    def test_a_silent_side_is_said_to_be_silent(self, sample_settings: Settings) -> None:
        note, left, right = self.sides(sample_settings, "mossgauge", "ohm_sweet_ohm", "tensiometers")
        assert "Nothing by ohm_sweet_ohm was found on" in note
        assert "blockquote" in left
        assert "Nothing by ohm_sweet_ohm was found" in right

    def test_neither_may_have_anything_to_say(self, sample_settings: Settings) -> None:
        note, *_ = self.sides(sample_settings, "mossgauge", "ohm_sweet_ohm", "the football world cup")
        assert "Nothing by mossgauge or ohm_sweet_ohm was found on" in note

    @pytest.mark.parametrize("chosen", [("mossgauge", "mossgauge", "soil"), ("mossgauge", "", "soil"), ("a", "b", " ")])
    def test_what_is_missing_is_said(self, sample_settings: Settings, chosen: tuple[str, str, str]) -> None:
        assert "Choose two different authors" in self.sides(sample_settings, *chosen)[0]

    def test_a_stance_is_told_where_the_words_say_it(self, sample_settings: Settings, tmp_path: Path) -> None:
        said = {
            "Ann": "I strongly agree that cold rye dough should rest overnight, since rye needs the time.",
            "Bob": "I don't think cold rye dough should rest overnight at all: rye turns sour by then.",
        }
        rows = [json.dumps({"author": author, "text": text}) for author, text in said.items()]
        (tmp_path / "rye.jsonl").write_text("\n".join(rows), encoding="utf-8")
        settings = sample_settings.model_copy(update={"store": tmp_path / "store"})
        ingest.ingest([tmp_path / "rye.jsonl"], settings=settings)
        note, left, right = self.sides(settings, "Ann", "Bob", "resting cold rye dough overnight")
        assert "agreeing: “I strongly agree”" in left
        assert "objecting: “I don&#x27;t think”" in right
        assert "Here one agrees and another objects" in note
