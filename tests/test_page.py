"""The page in a real Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from rag.records import Filters
from rag.settings import Settings
from ui.app import build_app
from ui.service import Service

from browsing import DESKTOP, PHONE, TABLET, ask, open_page, submit, visitor  # isort: skip
from model_server import ModelServer, Say  # isort: skip
from scripted import ScriptedAnswerer  # isort: skip
from serving import serving  # isort: skip

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def answerer() -> ScriptedAnswerer:
    return ScriptedAnswerer()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def url(answerer: ScriptedAnswerer, store: Path) -> Iterator[str]:
    app = build_app(answerer, settings=Settings(store=store))
    with serving(app) as url:
        yield url


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with visitor(browser, url) as page:
        yield page


@pytest.fixture
def phone(browser: Browser, url: str) -> Iterator[Page]:
    with visitor(browser, url, PHONE) as page:
        yield page


# Answers


def test_an_answer_streams_phase_by_phase(page: Page, answerer: ScriptedAnswerer) -> None:
    answerer.go_on.clear()
    submit(page, "slow question")
    expect(page.locator(".answer")).to_contain_text("Mostly the moon")
    expect(page.locator(".answer .phase")).to_have_text("Answering…")
    expect(page.locator("#question .stop-button")).to_be_visible()
    answerer.go_on.set()
    expect(page.locator(".answer .sources li")).to_have_count(3)
    expect(page.locator(".answer .phase")).to_have_count(0)
    expect(page.locator("#question .submit-button")).to_be_visible()
    expect(page.get_by_role("textbox", name="Question")).to_have_value("")


def test_a_citation_opens_the_exact_words_in_their_whole_comment(page: Page) -> None:
    ask(page, "Why are there tides?")
    page.locator(".answer a.cite").nth(1).click()
    card = page.locator("#panel .card.focused")
    expect(card.locator("h3 .author")).to_have_text("Ioan Petrescu")
    expect(card.locator("mark")).to_be_in_viewport()
    expect(card.locator("mark")).to_contain_text("The shape of the coast decides more than the moon.")
    expect(card.locator(".comment").last).to_contain_text("I disagree.")
    expect(card.locator(".verdict")).to_have_text("Exact quote")
    card.locator("summary").click()
    expect(card.locator(".parent .comment")).to_contain_text("Tides are mostly the moon.")


def test_a_quote_far_down_in_a_long_comment_is_scrolled_to(page: Page, answerer: ScriptedAnswerer) -> None:
    ask(page, "tail of the long comment")
    expect(page.locator("#panel .card").last.locator("mark")).to_have_text("At the very end.")
    page.locator(".answer a.cite").last.click()
    expect(page.locator("#panel .card.focused mark")).to_be_in_viewport()


def test_the_quote_shows_on_hover_and_on_focus(page: Page) -> None:
    ask(page, "Why are there tides?")
    tip = page.get_by_role("tooltip")
    expect(tip).to_be_hidden()
    page.locator(".answer a.cite").first.hover()
    expect(tip).to_have_text(re.compile("^Maren Holt.*Tides are mostly the moon.$"))
    page.mouse.move(2, 2)
    expect(tip).to_be_hidden()
    page.locator(".answer a.cite").nth(1).focus()
    expect(tip).to_contain_text("The shape of the coast")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_sources_of_an_earlier_answer_come_back(page: Page) -> None:
    ask(page, "First question?")
    ask(page, "Second question?")
    expect(page.locator("#panel .for-question")).to_have_text("Second question?")
    page.locator(".answer").first.locator("a.cite").nth(2).click()
    expect(page.locator("#panel .for-question")).to_have_text("First question?")
    expect(page.locator("#panel .card.focused .author")).to_have_text("an unnamed author")


def test_hostile_comments_and_answers_stay_text(page: Page) -> None:
    """The teardown of the visitor also fails if anything was loaded from the address in the attack."""
    ask(page, 'Why <img src="http://evil.invalid/q.png" onerror="window.hacked=1"> ![x](http://evil.invalid/z.png)?')
    page.locator(".answer a.cite").nth(1).click()
    expect(page.locator("#panel .card.focused")).to_contain_text("<script>window.hacked=1</script>")
    expect(page.locator(".answer .text")).to_contain_text("<b>No HTML.</b> ![x](http://evil.invalid/y.png)")
    expect(page.locator(".user-row")).to_contain_text('Why <img src="http://evil.invalid/q.png"')
    assert page.evaluate("window.hacked") is None
    assert page.locator("#messages img, #panel img").count() == 0
    assert page.locator('#panel a[href^="javascript"]').count() == 0


def test_formulas_are_set_and_prices_are_not(page: Page) -> None:
    ask(page, "Why are there tides?")
    expect(page.locator(".answer .text .katex")).to_have_count(1)
    expect(page.locator(".answer .text")).to_contain_text("for $5 or $6")
    expect(page.locator("#panel .card").first.locator(".katex")).to_have_count(1)
    expect(page.locator("#panel .card").first).to_contain_text("costs nobody $5.")


def test_abstaining_offers_related_comments(page: Page) -> None:
    submit(page, "Where is the gold?")
    expect(page.locator(".related-heading")).to_have_text("Related comments. They do not answer the question:")
    expect(page.locator(".answer a.cite")).to_have_count(0)
    page.locator(".answer a.source").nth(1).click()
    expect(page.locator("#panel .card.focused .verdict")).to_have_text("Related, does not answer the question")


def test_errors_are_sentences(page: Page) -> None:
    submit(page, "broken")
    expect(page.locator(".problem")).to_have_text(
        "The model server at 127.0.0.1:1 does not answer. Start it, or set llm=evidence."
    )
    submit(page, "half")
    expect(page.locator(".answer").nth(1)).to_contain_text("Mostly the moon")
    expect(page.locator(".problem").nth(1)).to_have_text("The model broke off in mid-answer. Ask again.")
    submit(page, "defect")
    expect(page.locator(".problem").nth(2)).to_contain_text("Something broke inside the program (ZeroDivisionError).")
    expect(page.locator("body")).not_to_contain_text("Traceback")
    ask(page, "And now?")


# What can be done with an answer


def test_stop_keeps_what_has_arrived_and_the_next_question_works(page: Page, answerer: ScriptedAnswerer) -> None:
    answerer.go_on.clear()
    submit(page, "slow question")
    expect(page.locator(".answer .phase")).to_have_text("Answering…")
    page.locator("#question .stop-button").click()
    expect(page.locator(".answer .note")).to_have_text("Stopped.")
    expect(page.locator(".answer .text")).to_have_text("Mostly the moon")
    ask(page, "Next?")
    answerer.go_on.set()
    expect(page.locator(".answer").nth(1).locator(".sources li")).to_have_count(3)


def test_retry_asks_again_with_the_same_filters(page: Page, answerer: ScriptedAnswerer) -> None:
    choose_author(page, "Maren Holt")
    ask(page, "Why?")
    asked = len(answerer.asked)
    before = page.locator(".answer").get_attribute("id")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(f"#{before}")).to_have_count(0)
    expect(page.locator(".answer .footer")).to_have_count(1)
    expect(page.locator(".answer .phase")).to_have_count(0)
    assert answerer.asked[asked:] == [("Why?", (), Filters(("Maren Holt",)))]


def test_an_earlier_question_is_edited_in_place(page: Page, answerer: ScriptedAnswerer) -> None:
    ask(page, "First & <odd>?")
    ask(page, "Second?")
    page.get_by_role("button", name="Edit").first.click()
    editor = page.locator(".edit-textarea")
    expect(editor).to_have_value(re.compile("^First & &lt;odd>"))
    editor.fill("Better?")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.locator(".user-row")).to_have_text(["Better?"])
    expect(page.locator(".answer .footer")).to_have_count(1)
    assert answerer.asked[-1][:2] == ("Better?", ())


def test_copying_takes_the_sources_along(page: Page) -> None:
    ask(page, "Why are there tides?")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("You asked about **Why are there tides?**. Mostly the moon [1]")
    assert "[2] Ioan Petrescu, 2023-03-05, thread.jsonl#c2" in copied
    page.locator("#panel .card").first.get_by_role("button", name="Copy as quotation").click()
    expect(page.get_by_role("button", name="Copied").last).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("> Tides are mostly the moon.\n\n— Maren Holt")


def test_a_link_to_a_question_fills_it_in(page: Page, url: str) -> None:
    ask(page, "Why & how + 2?")
    page.get_by_role("button", name="Link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{url}?q=Why%20%26%20how%20%2B%202%3F"
    open_page(page, link)
    box = page.get_by_role("textbox", name="Question")
    expect(box).to_have_value("Why & how + 2?")
    expect(page.locator(".answer")).to_have_count(0)
    box.press("Enter")
    expect(page.locator(".answer .footer")).to_have_count(1)
    page.wait_for_function("/^(?!.*growing).*mostly the moon/i.test(localStorage['commentariat-conversations'])")
    page.locator("#conversations input:checked").wait_for(state="attached")
    page.reload()
    expect(page.locator(".answer .footer")).to_have_count(1)
    expect(box).to_have_value("")


def test_why_this_answer(page: Page) -> None:
    ask(page, "Why are there tides?")
    page.get_by_role("button", name="Why this answer").click()
    expect(page.locator("#panel h2")).to_have_text("Why this answer")
    expect(page.locator("#panel .scroll tbody tr")).to_have_count(3)
    expect(page.locator("#panel dl")).to_contain_text("dense and words")


def test_suggestions_and_examples_are_asked_with_a_click(page: Page, answerer: ScriptedAnswerer) -> None:
    page.get_by_role("button", name="Why are there tides?").click()
    expect(page.locator(".user-row")).to_have_text(["Why are there tides?"])
    page.get_by_role("button", name="What does Maren Holt say about the sun?").click()
    expect(page.locator(".answer .footer")).to_have_count(2)
    assert answerer.asked[-1][0] == "What does Maren Holt say about the sun?"


def test_a_new_question_is_scrolled_to(page: Page) -> None:
    for number in range(4):
        ask(page, f"Question {number}?")
        expect(page.locator(".user-row").last).to_be_in_viewport()
        expect(page.locator(".answer .footer").last).to_be_in_viewport()
    expect(page.locator(".user-row").first).not_to_be_in_viewport()


def test_whoever_scrolls_back_is_left_there(page: Page) -> None:
    for number in range(4):
        ask(page, f"Question {number}?")
    page.locator("#messages .user-row").last.hover()
    page.mouse.wheel(0, -5000)
    expect(page.locator(".user-row").first).to_be_in_viewport()
    page.get_by_role("button", name="Why this answer").first.press("Enter")  # the panel changes
    expect(page.locator("#panel")).to_contain_text("Question 0?")
    expect(page.locator(".user-row").first).to_be_in_viewport()


def test_feedback_is_kept_with_its_reason(page: Page, url: str, store: Path) -> None:
    ask(page, "Judge me?")
    page.get_by_role("button", name="Feedback").focus()
    expect(page.get_by_role("button", name="Other")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Wrong person").click()
    chosen = page.locator(".extra-feedback-option", has_text="Wrong person")
    expect(chosen).to_have_css("font-weight", "700")
    expect(page.locator("#conversations label")).to_have_count(1)
    ask(page, "After the judgement?")
    lines = (store / "feedback.jsonl").read_text(encoding="utf-8").splitlines()
    judged = [line for line in map(json.loads, lines) if line["question"] == "Judge me?"]
    assert (judged[-1]["judgement"], len(judged[-1]["citations"])) == ("Wrong person", 3)
    expect(page.locator(".extra-feedback-option", has_text="Wrong person").first).to_have_css("font-weight", "700")


def test_filters_are_used_and_shown(page: Page, answerer: ScriptedAnswerer) -> None:
    choose_author(page, "Ioan Petrescu")
    page.locator("#filters").get_by_label("Since").fill("2023-01-01")
    expect(page.get_by_role("button", name="Filters: Ioan Petrescu, since 2023-01-01")).to_be_visible()
    ask(page, "Why?")
    expect(page.locator(".answer .chip")).to_have_text(["Ioan Petrescu", "since 2023-01-01"])
    assert answerer.asked[-1][2] == Filters(("Ioan Petrescu",), "2023-01-01")
    page.locator("#filters").get_by_label("Until").fill("soon")
    submit(page, "When?")
    expect(page.locator(".toast-body, .toast-wrap").first).to_contain_text("Dates are written like 2024-05-31")


def choose_author(page: Page, name: str) -> None:
    page.get_by_role("button", name="Filters").click()
    page.locator("#filters").get_by_label("Authors").click()
    page.get_by_role("option", name=name).click()
    page.keyboard.press("Escape")


# Conversations


def open_history(page: Page) -> None:
    page.get_by_role("button", name="Toggle Sidebar").click()
    expect(page.locator("#new-conversation")).to_be_in_viewport()


def test_conversations_are_kept_and_found_again(page: Page, url: str) -> None:
    ask(page, "About herons?")
    open_history(page)
    page.locator("#new-conversation").click()
    expect(page.locator(".answer")).to_have_count(0)
    ask(page, "About gulls?")
    listed = page.locator("#conversations label")
    expect(listed).to_have_text(["About gulls?", "About herons?"])
    open_page(page, url)
    open_history(page)
    expect(listed).to_have_text(["About gulls?", "About herons?"])
    listed.nth(1).click()
    expect(page.locator(".user-row")).to_have_text(["About herons?"])
    page.locator(".answer a.cite").first.click()
    expect(page.locator("#panel .card.focused mark")).to_have_text("Tides are mostly the moon.")
    page.get_by_label("Search conversations").fill("coast")
    expect(listed).to_have_count(2)
    page.get_by_label("Search conversations").fill("coast GULLS")
    expect(listed).to_have_text(["About gulls?"])
    page.get_by_label("Search conversations").fill("coast GULLS plover")
    expect(page.locator("#conversations")).to_contain_text("No conversation has these words.")


def test_a_conversation_is_continued_after_a_reload(page: Page, url: str, answerer: ScriptedAnswerer) -> None:
    ask(page, "About herons?")
    listed = page.locator("#conversations label")
    expect(listed).to_have_count(1)
    page.wait_for_function("/^(?!.*growing).*You asked about/i.test(localStorage['commentariat-conversations'])")
    open_page(page, url)
    open_history(page)
    listed.click()
    expect(page.locator(".user-row")).to_have_text(["About herons?"])
    # Until it is there, it would be taken for the answer to the next question.
    expect(page.locator(".answer .footer")).to_have_count(1)
    ask(page, "And gulls?")
    assert [turn.content[:13] for turn in answerer.asked[-1][1]] == ["About herons?", "You asked abo"]


def test_a_conversation_is_renamed_deleted_and_brought_back(page: Page, url: str) -> None:
    ask(page, "About the moon?")
    open_history(page)
    page.get_by_role("button", name="This conversation").click()
    page.get_by_label("Name of this conversation").fill("  Seaside ")
    page.get_by_role("button", name="Rename").click()
    listed = page.locator("#conversations label")
    expect(listed).to_have_text(["Seaside"])
    page.locator("#delete-conversation").click()
    expect(listed).to_have_count(0)
    expect(page.locator(".answer")).to_have_count(0)
    page.get_by_role("button", name="Undo deleting").click()
    expect(listed).to_have_text(["Seaside"])
    page.locator("#delete-conversation").click()
    expect(listed).to_have_count(0)
    open_page(page, url)
    open_history(page)
    expect(page.get_by_label("Search conversations")).to_be_visible()
    expect(listed).to_have_count(0)


def test_a_conversation_goes_out_as_files_and_comes_back(page: Page, tmp_path: Path) -> None:
    ask(page, "Why are there tides?")
    open_history(page)
    page.get_by_role("button", name="This conversation").click()
    with page.expect_download() as markdown:
        page.get_by_role("button", name="Save as Markdown").click()
    assert markdown.value.suggested_filename == "why-are-there-tides.md"
    text = Path(markdown.value.path()).read_text(encoding="utf-8")
    assert "    > Tides are mostly the moon." in text
    with page.expect_download() as exported:
        page.get_by_role("button", name="Save as JSON").click()
    data = json.loads(Path(exported.value.path()).read_text(encoding="utf-8"))
    data["exchanges"][0]["answer"]["citations"][0]["quote"] = "Tides are never the moon."
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(data), encoding="utf-8")
    page.locator("#import-conversation input, input[type=file]").first.set_input_files(forged)
    expect(page.locator("#conversations label")).to_have_count(2)
    expect(page.locator(".answer .sources .verdict").first).to_have_text("Not found in this index")
    (tmp_path / "other.json").write_text("{}")
    page.locator("#import-conversation input, input[type=file]").first.set_input_files(tmp_path / "other.json")
    expect(page.locator(".toast-wrap")).to_contain_text("This is not a conversation exported from here")


def test_a_conversation_is_printed_as_a_whole(page: Page) -> None:
    for number in range(3):
        ask(page, f"Question {number}?")
    page.emulate_media(media="print")
    expect(page.get_by_role("textbox", name="Question")).to_be_hidden()
    bottoms = "all => all.map(one => one.getBoundingClientRect().bottom + scrollY)"
    answers, cards = (page.locator(which).evaluate_all(bottoms) for which in (".answer", "#panel .card"))
    assert (len(answers), len(cards)) == (3, 3)
    assert answers[-1] <= cards[0] <= cards[-1] <= page.evaluate("document.documentElement.scrollHeight")
    page.emulate_media(media="screen")


# Fits everywhere


@pytest.mark.parametrize("size", [DESKTOP, TABLET, PHONE], ids=["desktop", "tablet", "phone"])
def test_nothing_scrolls_sideways(browser: Browser, url: str, size: tuple[int, int]) -> None:
    with visitor(browser, url, size) as page:
        assert overflow(page) == 0
        ask(page, "Why are there tides, " + "averyveryverylongword" * 8 + "?")
        assert overflow(page) == 0
        expect(page.get_by_role("button", name="Edit")).to_be_in_viewport()
        page.locator(".answer a.cite").last.click()
        expect(page.locator("#panel .card.focused mark").first).to_be_in_viewport()
        assert overflow(page) == 0
        page.keyboard.press("Escape")
        page.get_by_role("tab", name="Comments").click()
        expect(page.locator(".comments .card")).to_have_count(3)
        assert overflow(page) == 0


def overflow(page: Page) -> int:
    """How many pixels the page, or anything that scrolls in it, is wider than it shows."""
    return page.evaluate(
        """() => Math.max(...[document.documentElement, ...document.querySelectorAll("#desk, #talk, #panel, #browse")]
             .map(element => element.scrollWidth - element.clientWidth))"""
    )


def test_on_the_phone_the_sources_are_a_sheet(phone: Page) -> None:
    ask(phone, "Why are there tides?")
    expect(phone.locator("#panel")).to_be_hidden()
    cite = phone.locator(".answer a.cite").nth(1)
    cite.click()
    expect(phone.locator("#panel .card.focused .author")).to_be_in_viewport()
    sheet = phone.get_by_role("dialog", name="About this answer")
    expect(sheet.locator(".card.focused")).to_be_focused()
    for _ in range(20):
        phone.keyboard.press("Tab")
        assert not phone.evaluate("document.getElementById('talk').contains(document.activeElement)")
    phone.get_by_role("button", name="Close").click()
    expect(phone.locator("#panel")).to_be_hidden()
    expect(cite).to_be_focused()
    phone.get_by_role("button", name="Why this answer").click()
    expect(sheet).to_be_focused()
    phone.mouse.click(200, 60)  # on what the sheet leaves free
    expect(phone.locator("#panel")).to_be_hidden()
    phone.set_viewport_size({"width": 320, "height": 256})  # at 400 %
    cite.press("Enter")
    expect(sheet.locator(".card.focused")).to_be_focused()
    phone.keyboard.press("Escape")
    expect(phone.locator("#panel")).to_be_hidden()
    expect(cite).to_be_focused()


def test_everything_is_reached_with_the_keyboard(page: Page) -> None:
    page.get_by_role("textbox", name="Question").focus()
    page.keyboard.type("Why are there tides?")
    page.keyboard.press("Enter")
    page.locator(".answer .footer").wait_for()
    first = page.locator(".answer a.cite").first
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if first.evaluate("link => link === document.activeElement"):
            break
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel .card.focused")).to_be_focused()
    page.keyboard.press("Escape")
    expect(first).to_be_focused()


def test_a_screen_reader_hears_phases_and_the_answer(page: Page, answerer: ScriptedAnswerer) -> None:
    answerer.go_on.clear()
    status = page.locator('#status [role="status"]')
    submit(page, "slow question")
    expect(status).to_have_text("Searching the comments.")
    answerer.go_on.set()
    expect(status).to_have_text(re.compile(r"^Answer with 3 sources\. You asked about"))
    expect(page.locator('#messages [role="log"]')).to_have_attribute("aria-live", "off")
    expect(page.get_by_role("heading", name="slow question")).to_be_visible()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


# All comments


def test_comments_are_searched_and_lead_back_to_the_chat(page: Page) -> None:
    page.get_by_role("tab", name="Comments").click()
    cards = page.locator(".comments .card")
    expect(cards).to_have_count(3)
    page.get_by_label("Search", exact=True).fill("MOON coast")
    page.get_by_label("Search", exact=True).press("Enter")
    expect(cards).to_have_count(1)
    expect(cards.locator("mark")).to_have_text(["moon", "coast"][::-1])
    cards.get_by_role("button", name="In its thread").click()
    expect(cards).to_have_count(3)
    expect(page.locator(".comments .card.chosen .author")).to_have_text("Ioan Petrescu")
    page.get_by_role("button", name="Back to all comments").click()
    expect(cards).to_have_count(1)
    cards.get_by_role("button", name="Ask about Ioan Petrescu").click()
    expect(page.get_by_role("tab", name="Chat")).to_have_attribute("aria-selected", "true")
    ask(page, "Why?")
    expect(page.locator(".answer .chip")).to_have_text(["Ioan Petrescu"])


def test_a_long_comment_is_folded(page: Page) -> None:
    page.get_by_role("tab", name="Comments").click()
    card = page.locator(".comments .card", has_text="an unnamed author")
    expect(card.locator(".comment.folded")).to_be_visible()
    card.get_by_role("button", name="Show all of it").click()
    expect(card.locator(".comment.folded")).to_have_count(0)
    expect(card.get_by_role("button", name="Show all of it")).to_have_count(0)


def test_charts_narrow_the_list(page: Page) -> None:
    page.get_by_role("tab", name="Comments").click()
    expect(page.locator("#charts .row")).to_have_text(["Ioan Petrescu1", "Maren Holt1", "an unnamed author1"])
    newest = page.get_by_label("Newest")
    colour = newest.evaluate("(mark) => getComputedStyle(mark).backgroundColor")
    newest.hover()
    expect(newest).to_have_css("background-color", colour)
    bar = page.locator("#charts .bar").first
    page.emulate_media(forced_colors="active")
    ground = page.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")
    expect(bar).not_to_have_css("background-color", ground)
    page.emulate_media(forced_colors="none")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})  # where the charts are below the list
    page.locator("#charts .row", has_text="Maren Holt").click()
    expect(page.locator(".comments .card .author")).to_have_text(["Maren Holt"])
    expect(page.locator("#browse-summary")).to_be_in_viewport()
    page.locator("#charts .period").first.click()
    expect(page.get_by_label("Since").last).to_have_value("2023-03-01")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, url: str, dark: bool) -> None:
    """Accessibility rules of axe-core on every page and state, in both themes."""
    with visitor(browser, url, dark=dark) as page:
        problems = serious_violations(page, "empty chat")
        page.get_by_role("button", name="Filters").click()
        ask(page, "Why are there tides?")
        page.locator(".answer a.cite").nth(1).click()
        open_history(page)
        page.get_by_role("button", name="This conversation").click()
        problems += serious_violations(page, "answer, sources, history")
        page.get_by_role("button", name="Why this answer").click()
        expect(page.locator("#panel .scroll tbody tr")).to_have_count(3)
        submit(page, "broken")
        expect(page.locator(".problem")).to_be_visible()
        submit(page, "gold")
        expect(page.locator(".related-heading")).to_be_visible()
        page.locator("#filters").get_by_label("Since").fill("soon")
        submit(page, "When?")
        expect(page.get_by_text('since "soon" is no day').last).to_be_visible()
        expect(page.locator(".toast-wrap").get_by_text("Error")).to_be_hidden()
        expect(page.locator(".toast-body").last).to_have_css("opacity", "1")  # it fades in
        problems += serious_violations(page, "trace, error, related, toast")
        page.get_by_role("button", name="Toggle Sidebar").click()
        page.get_by_role("tab", name="Comments").click()
        expect(page.locator(".comments .card")).to_have_count(3)
        problems += serious_violations(page, "comments")
        assert problems == []


STRICT = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
"""Also how large the targets of a finger are, which axe-core leaves out unless it is told."""


def serious_violations(page: Page, state: str) -> list[str]:
    """What axe-core calls serious or critical, with the elements concerned."""
    found = Axe().run(page, options=STRICT).response["violations"]
    return [
        f"{state}: {one['id']} ({one['impact']}): {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


# For the owner of the page: index and settings, with the real pipeline


@pytest.fixture(scope="module")
def owner(model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Service]]:
    """Address and service of a page that starts without an index."""
    settings = Settings(store=tmp_path_factory.mktemp("owner") / "store", cache=model_cache, llm="evidence")
    service = Service(settings)
    app = build_app(service, settings=settings, manage=service)
    with serving(app) as url:
        yield url, service


def test_from_an_empty_page_to_a_cited_answer(browser: Browser, owner: tuple[str, Service], small_sample: Path) -> None:
    """Add a folder by its path, ask, open the citation, forget a source, and rebuild: all on the page."""
    url, _ = owner
    with visitor(browser, url) as page:
        expect(page.locator("#facts .index-line")).to_contain_text("no comments yet")
        lead = page.get_by_role("button", name="Open the Index tab")
        expect(lead).to_be_visible()
        submit(page, "Anything?")
        expect(page.locator(".answer .problem")).to_have_text("No comments are indexed yet. Add some on the Index tab.")
        page.get_by_role("tab", name="Comments").click()
        page.get_by_role("button", name="Add some on the Index tab.").click()
        expect(page.get_by_role("tab", name="Index")).to_have_attribute("aria-selected", "true")
        page.get_by_label("Or a file or folder on this machine").fill(str(small_sample))
        page.locator("#index-add").click()
        expect(page.locator("#index-progress")).to_contain_text("Done in", timeout=120_000)
        expect(page.locator(".sources-table tbody tr")).to_have_count(4)
        expect(page.locator("#facts .index-line")).to_contain_text("5 authors")

        page.get_by_role("tab", name="Chat").click()
        ask(page, "What does mossgauge say about probes?")
        page.locator(".answer a.cite").first.click()
        expect(page.locator("#panel .card.focused .author")).to_have_text("mossgauge")
        expect(page.locator("#panel .card.focused mark").first).to_be_in_viewport()

        page.get_by_role("tab", name="Index").click()
        page.locator("#index-source").get_by_label("A source").click()
        page.get_by_role("option", name="thread.jsonl").click()
        page.locator("#index-forget").click()
        expect(page.locator(".sources-table tbody tr")).to_have_count(3, timeout=120_000)
        expect(page.locator("#index-source input")).to_have_value("")
        expect(page.locator("#facts .index-line")).to_contain_text("2 authors")
        page.get_by_role("tab", name="Chat").click()
        # The card that was open is still the one, and says so.
        expect(page.locator("#panel .card.focused .verdict")).to_have_text("Not found in this index")
        page.get_by_role("tab", name="Index").click()
        page.locator("#index-rebuild").click()
        expect(page.locator(".sources-table tbody tr")).to_have_count(4, timeout=120_000)


def test_uploads_are_kept_and_problems_are_listed(browser: Browser, owner: tuple[str, Service], tmp_path: Path) -> None:
    url, service = owner
    good, bad = tmp_path / "extra.jsonl", tmp_path / "broken.jsonl"
    good.write_text('{"id": "z1", "author": "Zoe", "text": "Kelp forests calm the waves."}\n', encoding="utf-8")
    bad.write_text('{"id": "z2", "text": \n', encoding="utf-8")
    with visitor(browser, url) as page:
        page.get_by_role("tab", name="Index").click()
        page.locator("#index-page input[type=file]").set_input_files([good, bad])
        expect(page.locator("#index-page .file-preview, #index-page table.file-preview")).to_contain_text("extra")
        page.locator("#index-add").click()
        expect(page.locator("#index-progress")).to_contain_text("Not read", timeout=120_000)
        expect(page.locator("#index-progress li")).to_contain_text("broken.jsonl:1:")
        expect(page.locator(".sources-table")).to_contain_text("extra.jsonl")
        expect(page.locator("#index-cancel")).to_be_hidden()
    (kept,) = (service.settings.store / "uploads").rglob("extra.jsonl")
    assert kept.read_bytes() == good.read_bytes()


def test_an_ingest_is_cancelled_and_the_old_index_answers(
    browser: Browser, owner: tuple[str, Service], tmp_path: Path
) -> None:
    url, service = owner
    before = service.store.info() if service.settings.store.joinpath("index.sqlite3").exists() else None
    many = tmp_path / "many.jsonl"
    rows = (
        {"id": f"m{row}", "author": "Max", "text": f"Remark number {row} on the tide at noon."} for row in range(9000)
    )
    many.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with visitor(browser, url) as page:
        page.get_by_role("tab", name="Index").click()
        page.get_by_label("Or a file or folder on this machine").fill(str(many))
        page.locator("#index-add").click()
        expect(page.locator("#index-progress progress, #index-progress p")).not_to_have_count(0)
        page.locator("#index-cancel").click()
        expect(page.locator("#index-progress")).to_have_text("Cancelled. The index is as it was.", timeout=120_000)
    if before:
        assert service.store.info() == before


def test_settings_are_tried_used_and_keys_forgotten_by_the_page(browser: Browser, owner: tuple[str, Service]) -> None:
    url, service = owner
    with ModelServer(Say(["ready"])) as model, visitor(browser, url) as page:
        page.get_by_role("tab", name="Settings").click()
        outcome = page.locator("#settings-outcome")
        page.locator("#settings-llm input").fill("openai:scripted")
        page.keyboard.press("Enter")
        page.get_by_label("Key").fill("sk-very-secret")
        page.get_by_label("Server").fill("http://127.0.0.1:9/v1")
        page.locator("#settings-check").click()
        expect(outcome.locator(".problem")).to_contain_text("127.0.0.1:9", timeout=30_000)
        page.get_by_label("Server").fill(f"{model.url}/v1")
        page.locator("#settings-check").click()
        expect(outcome).to_have_text(re.compile(r"openai:scripted answers in \d+\.\d s\."), timeout=30_000)
        assert model.requests[-1].headers["authorization"] == "Bearer sk-very-secret"
        page.get_by_label("number input for Passages per answer").fill("3")
        page.get_by_label("Language of answers").fill("Dutch")
        page.locator("#settings-apply").click()
        expect(outcome).to_have_text("In use: openai:scripted.")
        assert (service.settings.passages, service.settings.language) == (3, "Dutch")
        expect(page.get_by_label("Key")).to_have_value("")
        expect(page.locator("#facts .index-line, #facts .problem").first).not_to_contain_text("no language model")
        page.locator("#settings-llm input").fill("nonsense")
        page.keyboard.press("Enter")
        page.locator("#settings-apply").click()
        expect(outcome.locator(".problem")).to_contain_text('llm is "nonsense"')
        assert service.model_name == "openai:scripted"
        open_page(page, url)
        assert "sk-very-secret" not in page.content()
        assert "sk-very-secret" not in page.evaluate("JSON.stringify(localStorage)")
    service.use(llm="evidence", llm_base_url=None, passages=8, language="auto")


def test_a_page_for_strangers_has_no_tabs_for_the_owner(page: Page) -> None:
    expect(page.get_by_role("tab")).to_have_text(["Chat", "Compare", "Comments"])
