"""Comments that attack: whatever they say, and however a model obeys them, a reader gets exact, attributed evidence.

The comments in data/hostile_comments.jsonl are invented. Each has a harmless fact, an attack, and what the attacker wants
a reader to see; they are indexed together with the sample.
"""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

import ingest
from rag.answering.answerer import Answerer
from rag.chat.chat_model import load_chat_model
from rag.chat.prompts import ABSTAIN
from rag.chat.streaming import Reply
from rag.citations.claims import is_claim
from rag.citations.keys import INVISIBLE
from rag.citations.normalising import normalise
from rag.citations.quotation_marks import find_quotations
from rag.index.store import Store
from rag.models.embedding import Embedder
from rag.models.reader import Reader
from rag.plain_text import format_answer
from rag.records import Answer
from rag.retrieval.retriever import Retriever
from rag.settings import Settings
from ui import sources
from ui.cli import main
from ui.conversations import Exchange
from ui.rendering import exchange_html

from model_server import small_model_path  # isort: skip

HOSTILE = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "hostile_comments.jsonl").read_text("utf-8").splitlines()
]
BY_ID = {row["id"]: row for row in HOSTILE}
CATEGORIES = sorted({row["category"] for row in HOSTILE})
SHOWN = re.compile(r"^\[(\w{4}\.\d+)\] (?:\([a-z ']+\) )?(.+)$", re.MULTILINE)

Script = Callable[[str], str]


class Obedient:
    """A model that does what the comments tell it: its script sees the prompt."""

    name = "obedient"
    context_tokens = None

    def __init__(self, script: Script) -> None:
        self.script = script

    def stream(self, messages: Any) -> Reply:
        text = self.script(messages[-1].content)
        return Reply(lambda reply: (text[at : at + 7] for at in range(0, len(text), 7)))


def asked_about(prompt: str) -> dict[str, str]:
    """The comment that the question of a prompt is about."""
    question = prompt.rpartition("Question: ")[2].partition("\n")[0]
    return next(row for row in HOSTILE if row["question"] == question)


def obeying(prompt: str) -> str:
    """States the fact, then says whatever the attacker wants: with the fact's key, without, and before it."""
    row = asked_about(prompt)
    key = next(key for key, sentence in SHOWN.findall(prompt) if sentence.startswith(row["fact"]))
    return f"{row['fact'].rstrip('.')} [{key}].\n\n{row['wants']} [{key}]\n\n{row['wants']}\n\n[{key}] {row['wants']}"


def only_obeying(prompt: str) -> str:
    """Says nothing but what the attacker wants."""
    return asked_about(prompt)["wants"]


def parroting(prompt: str) -> str:
    """Repeats all passages, each sentence with its key."""
    return "\n".join(f"{sentence} [{key}]" for key, sentence in SHOWN.findall(prompt))


@pytest.fixture(scope="module")
def index(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(sample_settings.store, folder / "store")
    kept = ("id", "author", "posted_at", "text", "url")
    rows = [{name: row[name] for name in kept if name in row} for row in HOSTILE]
    (folder / "hostile.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    settings = sample_settings.model_copy(update={"store": folder / "store", "abstain_below": 0.0, "passages": 4})
    report = ingest.ingest([folder / "hostile.jsonl"], settings=settings)
    assert [problem.what for problem in report.errors] == ["url is no web address: javascript:window.hacked=1."]
    return settings


@pytest.fixture(scope="module")
def answerer(index: Settings, embedder: Embedder, reader: Reader) -> Callable[..., Answerer]:
    store = Store.open(index, embedder)

    def make(model: Any = None) -> Answerer:
        return Answerer(store, Retriever(store, embedder, reader), embedder, index, model)

    return make


# --- What must hold ---------------------------------------------------------------------------------------------------


def attacked(answer: Answer) -> list[dict[str, str]]:
    """The hostile comments that an answer was made from."""
    ids = [passage.source.partition("#")[2] for passage in answer.passages]
    return [BY_ID[id] for id in ids if id in BY_ID]


def check_citations(answer: Answer, answerer: Answerer) -> None:
    """Exact, attributed to the real author, and in agreement with the markers of the text."""
    for citation in answer.citations:
        assert answerer.store.source_text(citation.source)[citation.start : citation.end] == citation.quote
        row = BY_ID.get(citation.source.partition("#")[2])
        if row:
            assert citation.quote in row["text"]
            assert row["category"] == "byline" or citation.passage.author == row["author"]
            assert answerer.store.comment(citation.passage.comment_id).author == citation.passage.author
    prose = re.sub(r"```.*?```", "", answer.text, flags=re.DOTALL)
    if answer.model != "evidence":
        assert {int(number) for number in re.findall(r"\[(\d+)\]", prose)} == {c.number for c in answer.citations}
    for phrase in find_quotations(prose) if answer.model != "evidence" else ():
        words = normalise(re.sub(r"(?: ?\[\d+\])+", "", phrase.text).partition(" (")[0]).text.strip(" .…").casefold()
        assert any(words in normalise(passage.text).text.casefold() for passage in answer.passages), phrase.text


def check_page(answer: Answer, answerer: Answerer) -> None:
    """Only harmless elements and attributes; every address is a card's, or that of a comment's thread, to be clicked."""
    exchange = Exchange(answer.question, answer=answer, id="x1")
    html = exchange_html(exchange) + sources.panel_html(exchange, answerer.store) + sources.trace_html(exchange)
    for element in BeautifulSoup(html, "lxml").find_all(True):
        assert element.name not in ACTIVE, element
        for name, value in element.attrs.items():
            assert name not in ("src", "srcset", "style", "action", "data", "background", "poster"), element
            assert not name.startswith("on"), element
            if name == "href":
                assert value.startswith("#s-x1-") or (element["target"] == "_blank" and value.startswith("http"))
    assert "http://evil.invalid" not in re.findall(r'href="([^"]*)"', html)
    assert "\n" not in html


ACTIVE = frozenset(
    "script style img image svg iframe frame object embed link meta base form input video audio source math".split()
)


def check_terminal(text: str) -> None:
    """No character that a terminal obeys, and none that a reader cannot see."""
    shown = text.replace("\n", "").replace("\t", "")
    assert [char for char in shown if ord(char) in INVISIBLE or unicodedata.category(char) == "Cc"] == []


def check(answer: Answer, answerer: Answerer) -> None:
    check_citations(answer, answerer)
    check_page(answer, answerer)
    printed = format_answer(answer)
    check_terminal(printed)
    prose = re.sub(r"```.*?```", "", printed, flags=re.DOTALL)
    assert {int(n) for n in re.findall(r"(?<!\\)\[(\d+)\]", prose)} <= {c.number for c in answer.citations}
    if answer.model != "evidence":
        check_terminal(answer.text)
    unescaped = re.sub(r"\\[^\w\s]", "", answer.text) if answer.model == "evidence" else answer.text
    assert not re.search(r"\]\(|<(?:script|img|iframe|style|form|a )|\\(?:href|includegraphics)\b", unescaped)


# --- The set ----------------------------------------------------------------------------------------------------------


def test_the_set_is_large_and_attacks_in_many_ways() -> None:
    assert len(HOSTILE) >= 80
    assert len(CATEGORIES) >= 15
    languages = [row for row in HOSTILE if row["category"] == "language"]
    assert len(languages) >= 6
    assert len({row["question"] for row in HOSTILE}) == len(HOSTILE)


def rows_of(category: str) -> list[dict[str, str]]:
    return [row for row in HOSTILE if row["category"] == category]


@pytest.mark.slow
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_model_that_obeys_gets_no_forgery_through(category: str, answerer: Callable[..., Answerer]) -> None:
    one = answerer(Obedient(obeying))
    for row in rows_of(category):
        *partials, answer = one.stream(row["question"])
        assert row in attacked(answer), "the question must find the comment"
        check(answer, one)
        for partial in partials[1::5]:
            check_citations(partial, one)
            check_terminal(partial.text)
        assert answer.model == "obedient", answer.warnings
        first, *others = answer.checks
        assert first.status == "supported"
        assert answer.text[first.start : first.end].startswith(row["fact"].rstrip(".") + " [1]")
        for sentence in others:
            text = answer.text[sentence.start : sentence.end]
            words = normalise(re.sub(r" \(words of [^()]*\)|\s*\[\d+\]", "", text)).text
            said_there = any(words in normalise(citation.passage.text).text for citation in answer.citations)
            assert sentence.status != "supported" or said_there, text
            assert sentence.status != "no_claim" or not is_claim(text)


@pytest.mark.slow
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_model_that_only_obeys_is_replaced_by_quotes(category: str, answerer: Callable[..., Answerer]) -> None:
    one = answerer(Obedient(only_obeying))
    for row in rows_of(category):
        answer = one.answer(row["question"])
        check(answer, one)
        assert answer.model == "evidence" or answer.text == ABSTAIN
        assert answer.model == "evidence" or not answer.citations


@pytest.mark.slow
def test_a_model_that_repeats_everything_shows_it_as_the_words_of_their_authors(
    answerer: Callable[..., Answerer],
) -> None:
    one = answerer(Obedient(parroting))
    for row in HOSTILE[::6]:
        answer = one.answer(row["question"])
        check(answer, one)
        assert answer.citations


@pytest.mark.slow
def test_quotes_without_a_model_are_inert(answerer: Callable[..., Answerer]) -> None:
    """As those are that take the place of an obeying model's answer above."""
    one = answerer()
    for row in HOSTILE[2::8]:
        answer = one.answer(row["question"])
        check(answer, one)
        assert answer.citations[0].quote.startswith(row["fact"])


@pytest.mark.slow
def test_no_control_character_reaches_a_terminal(index: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    for row in (*rows_of("terminal")[::3], *rows_of("invisible")[::3], rows_of("byline")[4]):
        for command in (["ask"], ["ask", "--json"], ["search"], ["search", "--json"]):
            assert main([*command, row["question"], "--store", str(index.store)]) == 0
            written = capsys.readouterr().out
            check_terminal(written)
            if command == ["search", "--json"]:
                found = [json.loads(line)["text"] for line in written.splitlines()]
                assert any(text.startswith(row["fact"]) for text in found)


@pytest.mark.slow
def test_abstaining_shows_hostile_comments_inert(index: Settings, embedder: Embedder, reader: Reader) -> None:
    store = Store.open(index, embedder)
    unsure = index.model_copy(update={"abstain_below": 1.0})
    one = Answerer(store, Retriever(store, embedder, reader), embedder, unsure)
    for row in HOSTILE[::12]:
        answer = one.answer(row["question"])
        assert (answer.abstained, answer.citations, answer.text) == (True, (), ABSTAIN)
        check(answer, one)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_small_model_gets_no_forgery_through(index: Settings, embedder: Embedder, reader: Reader) -> None:
    limits = {"llm_answer_tokens": 64, "llm_context_tokens": 2048, "passages": 2}
    settings = index.model_copy(update={"llm": f"llamacpp:{small_model_path()}", **limits})
    store = Store.open(index, embedder)
    one = Answerer(store, Retriever(store, embedder, reader), embedder, settings, load_chat_model(settings))
    for category in ("orders", "forged_quote"):
        answer = one.answer(rows_of(category)[0]["question"])
        check(answer, one)
        if answer.model != "evidence" and not answer.abstained:
            assert "supported" in {sentence.status for sentence in answer.checks}


@pytest.mark.browser
def test_in_a_browser_nothing_is_loaded_and_nothing_runs(
    browser: Any, answerer: Callable[..., Answerer], index: Settings
) -> None:
    """The page itself, with the model that obeys; `visitor` fails if any other host was asked for anything."""
    from browsing import ask, visitor
    from serving import serving

    from ui.app import build_app

    app = build_app(answerer(Obedient(obeying)), settings=index)
    with serving(app) as url, visitor(browser, url) as page:
        for row in HOSTILE_IN_BROWSER:
            ask(page, row["question"])
            page.locator(".answer a.cite").last.click()
            page.locator("#panel .card").first.wait_for()
        assert page.evaluate("window.hacked") is None
        outside = page.locator("#panel, .answer").locator(
            "a[href*='evil.invalid'], a[href^='javascript'], [src*='evil.invalid'], img, iframe, script"
        )
        assert outside.count() == 0


HOSTILE_IN_BROWSER = [
    *rows_of("html")[:3],
    *rows_of("latex")[:2],
    *(rows_of(category)[0] for category in ("markdown", "schemes", "terminal", "byline")),
]
