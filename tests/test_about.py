"""Greetings, and questions about the collection as a whole."""

from __future__ import annotations

import re

import pytest

import rag
from rag.about import asks_nothing
from rag.records import Turn


@pytest.mark.parametrize(
    "message",
    [
        "hi", "Hello!", "Good morning.", "thanks!", "Thank you very much", "ok", "help", "Who are you?", "What can you do?",
        "What can I ask here?", "what can i ask you about", "Which questions can I ask?", "What topics are discussed here?",
        "Which authors are indexed?", "how many comments are there", "Who wrote these comments?", "What is this?", "How does it work?",
    ],
)  # fmt: skip
def test_a_message_that_no_comment_could_answer_is_told(message: str) -> None:
    assert asks_nothing(message)


@pytest.mark.parametrize(
    "message",
    [
        "hi-fi", "help with rye", "What is this rule of twelfths?", "Who wrote about rye?", "What can I do about mould?", "thanks giving",
        "How many comments mention rye?", "Which authors disagree?", "What are the topics of the book?", "How does it work in winter?",
        "What can I ask a doctor?", "ok but why", "",
    ],
)  # fmt: skip
def test_a_question_about_comments_is_not_mistaken_for_one(message: str) -> None:
    assert not asks_nothing(message)


def test_what_points_back_is_asked_of_what_was_said_before() -> None:
    assert not asks_nothing("How does it work?", first=False)
    assert asks_nothing("thank you", first=False)


def test_a_newcomer_is_told_what_is_there(sample_settings: rag.Settings) -> None:
    answer = rag.answer("What can I ask here?", settings=sample_settings)
    assert answer.abstained
    assert answer.citations == answer.passages == ()
    assert re.search(r"\d+ comments by Quill Ferrotype \(\d+\), Brine Ledgerwick \(\d+\)", answer.text)
    assert "and 3 others, 2018–2023" in answer.text
    assert "What does Quill Ferrotype think about" in answer.text


def test_thanks_bring_no_quotes(sample_settings: rag.Settings) -> None:
    told = rag.answer("Why is rye sour?", settings=sample_settings)
    history = [Turn("user", "Why is rye sour?"), Turn("assistant", told.text)]
    assert rag.answer("Thanks!", history=history, settings=sample_settings).citations == ()
