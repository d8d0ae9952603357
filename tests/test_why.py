"""Why an answer came out as it did: everything in a trace is said in words, and nothing in it is HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

import rag
from rag.records import Answer, Filters
from rag.settings import Settings
from ui.conversations import Exchange
from ui.sources import trace_html

from model_server import ModelServer, Say  # isort: skip
from scripted import ScriptedAnswerer  # isort: skip

TOKENS = {"prompt": 1200, "answer": 34}
TRACE = {
    "query": {"text": "tides of Maren", "authors": ["Maren Holt"], "since": "2023-01-01T00:00:00+00:00"},
    "answerable": 0.91,
    "abstain_below": 0.5,
    "passages": [
        {"id": "a", "author": "Maren Holt", "score": 0.9, "dense": 0.5, "lexical": 3.0, "used": True},
        {"id": "b", "author": "<b>Ann</b>", "score": 0.2, "dense": None, "lexical": 1.0, "used": False},
    ],
    "rewrites": [
        {"purpose": "standalone", "text": "When are <i>spring</i> tides?", "tokens": TOKENS},
        {"purpose": "in_english", "failure": "The server is down."},
    ],
    "prompt": [{"role": "system", "content": "You answer <script>"}, {"role": "user", "content": "Why?"}],
    "prompt_tokens_counted": 1200,
    "passages_in_prompt": 8,
    "passages_left_out": 1,
    "turns_left_out": 2,
    "replies": [{"text": "Mostly [k1]", "finish": "complete", "tries": 2, "tokens": TOKENS}],
    "dollars": 0.00123,
    "seconds": {"retrieve": 0.214, "write": 1.5, "total": 1.8},
    "signals": {"support": 1.0},
}


def said(answer: Answer, filters: Filters | None = None) -> str:
    html = trace_html(Exchange(answer.question, filters or Filters(), answer))
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


@pytest.fixture
def answer() -> Answer:
    *_, last = ScriptedAnswerer().stream("Why are there tides?")
    return replace(last, trace=TRACE)


@pytest.mark.parametrize(
    "words",
    [
        "Searched for tides of Maren",
        "Only, by the filters thread.jsonl",
        "Only, by the question Maren Holt, since 2023-01-01",
        "Answered. How far these passages look like holding an answer was put at 0.91 on a scale from 0 to 1; below 0.50",
        "1 more passage considered and left out",
        "<b>Ann</b> – 1.00 0.20",
        "Follow-up made a question of its own When are <i>spring</i> tides? (1,200 tokens read, 34 written)",
        "Question put into English failed: The server is down.",
        "Prompt 1,200 tokens, 8 passages, 1 passage left out for want of room, 2 earlier turns left out for want of room",
        "system You answer <script> user Why?",
        "Reply of the model complete, 2 tries (1,200 tokens read, 34 written) Mostly [k1]",
        "Cost $0.0012",
        "Searching 0.21 s Writing 1.50 s All together 1.80 s",
        'signals as recorded { "support": 1.0 }',
    ],
)
def test_everything_recorded_is_said(answer: Answer, words: str) -> None:
    shown = said(answer, Filters(sources=("thread.jsonl",)))
    assert words in shown


def test_nothing_recorded_is_html(answer: Answer) -> None:
    html = trace_html(Exchange("q", answer=answer))
    assert "<script" not in html
    assert "<i>" not in html
    assert "\n" not in html


def test_a_cost_that_is_not_known_is_said_not_to_be(answer: Answer) -> None:
    assert "Cost not known: no price is set for this model" in said(replace(answer, trace={**TRACE, "dollars": None}))


def test_an_answer_from_an_earlier_visit_says_that_this_is_gone(answer: Answer) -> None:
    assert "kept only while the page is open" in said(replace(answer, trace={}, passages=()))


@pytest.mark.slow
def test_a_real_trace_with_a_model_is_understood(sample_settings: Settings) -> None:
    with ModelServer(Say(["Spring tides come after full moon."])) as server:
        settings = sample_settings.model_copy(
            update={"llm": "openai:scripted", "llm_base_url": f"{server.url}/v1", "llm_repair": False}
        )
        shown = said(rag.answer("When do spring tides come?", settings=settings))
    for words in ("Prompt ", "Reply of the model complete, 1 try", "Cost not known", "Searching 0.", "left out"):
        assert words in shown
