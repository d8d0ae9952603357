"""Greetings, and questions about the collection as a whole."""

from __future__ import annotations

import re

import pytest

import rag
from rag.answering.about import asks_nothing
from rag.answering.answerer import SOME_UNDATED
from rag.records import Turn

from indexing import IndexOf  # isort: skip


@pytest.mark.parametrize(
    "message",
    [
        "What is the longest comment?", "Which is the most discussed topic?", "hi", "Hello!", "Good morning.", "thanks!", "Thank you very much", "ok", "help", "Who are you?", "What can you do?",
        "What can I ask here?", "what can i ask you about", "Which questions can I ask?", "What topics are discussed here?",
        "What threads are there?", "Who are the commenters?", "list all", "Show me everything.", "list all comments", "Which authors are indexed?", "how many comments are there", "Who wrote these comments?", "What is this?", "How does it work?",
        "Who is the most active author?", "Who wrote the most comments?", "which author posts most", "Which thread has the most comments?",
        "What do people disagree about?", "Where do they disagree here?", "What are the main disagreements?",
        "Summarise this thread", "summarize all comments", "tl;dr", "overview", "Give me a summary of these comments.",
    ],
)  # fmt: skip
def test_a_message_that_no_comment_could_answer_is_told(message: str) -> None:
    assert asks_nothing(message)


@pytest.mark.parametrize(
    "message",
    [
        "hi-fi", "help with rye", "What is this rule of twelfths?", "Who wrote about rye?", "What can I do about mould?", "thanks giving",
        "list all comments about rye", "show me all that is known", "How many comments mention rye?", "Which authors disagree?", "Who are the authors of the paper?", "What are the topics of the book?", "How does it work in winter?",
        "What can I ask a doctor?", "ok but why", "",
        "Who is the most active author on rye?", "Which thread has the most comments on rye?", "What do people disagree about when they bake?",
        "What are the main disagreements on rye?", "Summarise this rule", "tl;dr of the rye thread", "overview of rye",
    ],
)  # fmt: skip
def test_a_question_about_comments_is_not_mistaken_for_one(message: str) -> None:
    assert not asks_nothing(message)


def test_what_points_back_is_asked_of_what_was_said_before() -> None:
    for message in ("How does it work?", "Where do they disagree?", "Summarise this discussion.", "tl;dr"):
        assert not asks_nothing(message, first=False)
    for message in ("thank you", "Summarize everything", "sum up all these comments"):
        assert asks_nothing(message, first=False)


def test_a_newcomer_is_told_what_is_there(sample_settings: rag.Settings) -> None:
    answer = rag.answer("What can I ask here?", settings=sample_settings)
    assert answer.abstained
    assert answer.citations == answer.passages == ()
    assert re.search(r"\d+ comments by Quill Ferrotype \(\d+\), Brine Ledgerwick \(\d+\)", answer.text)
    assert "and 3 others, 2018–2023" in answer.text
    assert "What does Quill Ferrotype think about" in answer.text


@pytest.mark.parametrize(
    "message", ["1", "x?", "the", "who?", "Is it so?", "???", "To be or not to be", "list everything"]
)
def test_what_holds_no_word_to_search_for_gets_the_overview(message: str, sample_settings: rag.Settings) -> None:
    answer = rag.answer(message, settings=sample_settings)
    assert (answer.abstained, answer.citations) == (True, ())
    assert answer.text.startswith("Ask what somebody wrote")


@pytest.mark.parametrize("message", ["1984", "rye", "42", "猫", "What was said in 2021?"])
def test_what_holds_a_word_or_a_time_is_searched_for(message: str, sample_settings: rag.Settings) -> None:
    assert "answerable" in rag.answer(message, settings=sample_settings).trace


@pytest.mark.parametrize(
    ("message", "counted"),
    [
        ("How many comments did Brine Ledgerwick write?", ["Brine Ledgerwick"]),
        ("how many posts are by mossgauge", ["mossgauge"]),
        ("How many comments did mossgauge and Quill Ferrotype write?", ["mossgauge", "Quill Ferrotype"]),
        ("How many comments did Brine Ledgerwick write about rye?", []),
        ("How many comments did Peter Smith write?", []),
    ],
)
def test_how_much_somebody_wrote_is_counted(message: str, counted: list[str], sample_settings: rag.Settings) -> None:
    text = rag.answer(message, settings=sample_settings).text.replace("\\", "")
    for name in counted:
        number = len(list(rag.comments(rag.Filters(authors=name), settings=sample_settings)))
        assert f"{name} ({number})" in text
    assert text.startswith("Ask what somebody wrote") == bool(counted)


FORUM = [
    ("Ann Lee", "2018-02-01", "Rye rises slowly."), ("Ann Lee", "2019-02-01", "Spelt tears."),
    ("Ann Lee", "2020-02-01", "Oats sink."), ("Odd Brekke", "2020-03-01", "Barley is for beer."),
    ("Odd Brekke", "2020-04-01", "Malt burns."), ("Zoë Müller", None, "Nobody asked the miller."),
]  # fmt: skip


@pytest.fixture(scope="module")
def forum(index_of: IndexOf) -> rag.Settings:
    return index_of({"author": author, "posted_at": date, "text": text} for author, date, text in FORUM)


@pytest.mark.parametrize(
    ("message", "counted", "undated"),
    [
        ("How many comments were written in 2020?", "Here are 3 comments by Odd Brekke (2), Ann Lee (1), 2020", 1),
        ("How many people wrote in 2018 and 2020?", "Here are 4 comments by Ann Lee (2), Odd Brekke (2), 2018", 1),
        ("Who wrote the most in 2020?", "Here are 3 comments by Odd Brekke (2), Ann Lee (1), 2020", 1),
        ("How many comments did Ann Lee write in 2018 and 2020?", "Here are 2 comments by Ann Lee (2), 2018", 0),
        ("How many comments did Odd Brekke write in 2019?", "Here are 0 comments by Odd Brekke (0)", 0),
    ],
)
def test_what_was_written_at_some_time_is_counted(
    message: str, counted: str, undated: int, forum: rag.Settings
) -> None:
    answer = rag.answer(message, settings=forum)
    assert counted in answer.text
    assert answer.warnings == (SOME_UNDATED.format(count=undated),) * undated


def test_a_time_in_which_nothing_was_written_is_no_empty_collection(forum: rag.Settings) -> None:
    text = rag.answer("How many comments were written before 2016?", settings=forum).text
    assert text == "No comment fits the limits that the filters and the question set: until 2015-12-31."


def test_the_overview_is_of_what_the_filters_admit(forum: rag.Settings) -> None:
    for name in ("Ann Lee", "ann lee"):
        answer = rag.answer("How many comments are there?", filters=rag.Filters(authors=name), settings=forum)
        assert "Here are 3 comments by Ann Lee (3)" in answer.text


def test_what_is_newest_is_uncertain_beside_comments_without_a_date(forum: rag.Settings) -> None:
    newest = rag.answer("What is the newest comment?", settings=forum)
    assert newest.warnings == (SOME_UNDATED.format(count=1),)
    assert rag.answer("What is Ann Lee's newest comment?", settings=forum).warnings == ()


def test_thanks_bring_no_quotes(sample_settings: rag.Settings) -> None:
    told = rag.answer("Why is rye sour?", settings=sample_settings)
    history = [Turn("user", "Why is rye sour?"), Turn("assistant", told.text)]
    assert rag.answer("Thanks!", history=history, settings=sample_settings).citations == ()
