"""Questions about the last answer itself: who said it, when and where, and the whole comment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import rag
from rag.question.follow_ups import understand
from rag.question.of_answer import asked_of_answer
from rag.records import Turn
from rag.settings import Settings

NOW = datetime(2024, 6, 15, tzinfo=UTC)
TALK = (Turn("user", "What does Ann Lee think of rye?"), Turn("assistant", "**Ann Lee**:\n\n> Warm rye is sour. [1]"))


@pytest.mark.parametrize(
    "question",
    ["source?", "Sources please", "What is the source for that?", "who said that?", "and who wrote this?", "Link?", "when was this?", "When was that written?",
     "where is that from?", "Where did you get this?", "can you give me a link to the comment", "Whose words are these?", "says who?", "who said [2]?", "Cite your sources."],
)  # fmt: skip
def test_where_an_answer_comes_from_is_asked_of_the_answer(question: str) -> None:
    asked = asked_of_answer(question)
    assert asked is not None
    assert (asked.wanted, asked.when) == ("source", question.lower().startswith("when"))


@pytest.mark.parametrize(
    "question",
    ["show me the original comment", "quote it in full", "Full quote please", "the whole comment?", "Can you show me that comment?", "Give me the complete text of that comment.",
     "read me the entire thing", "Could I see the full context?", "the original", "more context", "quote the second one in full", "Show me his comment"],
)  # fmt: skip
def test_a_whole_comment_is_asked_of_the_answer(question: str) -> None:
    asked = asked_of_answer(question)
    assert asked is not None
    assert asked.wanted == "whole"


@pytest.mark.parametrize(
    "question",
    ["Who said that a boat must float?", "What is the source of the heat?", "When was the mill built?", "Show me the comments about rye", "the second one?", "quote Ann on rye",
     "What is the full moon?", "and why?", "Where does she study?", "who else said that?", "Is the whole loaf eaten?", "show me something else", "more", "it", "Shorter please"],
)  # fmt: skip
def test_other_questions_are_not(question: str) -> None:
    assert asked_of_answer(question) is None


def test_the_question_before_is_asked_again() -> None:
    query = understand("source?", TALK, ("Ann Lee",), now=NOW)
    assert (query.text, query.of_answer, query.original) == (TALK[0].content, "source", "source?")
    assert understand("quote [2] in full", TALK, ("Ann Lee",), now=NOW).of_quote == 1


def test_without_a_question_before_nothing_is_asked_again() -> None:
    assert understand("source?", (), ("Ann Lee",), now=NOW).of_answer == ""


def test_what_was_asked_of_an_answer_leaves_no_trace() -> None:
    talk = (*TALK, Turn("user", "Show me the original comment"), Turn("assistant", "**Ann Lee**:\n\n> All. [1]"))
    query = understand("And why?", talk, ("Ann Lee",), now=NOW)
    assert (query.authors, query.topic) == (("Ann Lee",), "rye")


def test_the_quotes_are_given_again_with_their_places(sample_settings: Settings) -> None:
    talk = _asked(sample_settings, "Who used epoxy on soil probes?")
    again = rag.answer("Who said that?", talk, settings=sample_settings)
    first = rag.answer("Who used epoxy on soil probes?", settings=sample_settings)
    assert [c.quote for c in again.citations] == [c.quote for c in first.citations]
    assert all((c.passage.url or "").split("/")[-1] in again.text for c in again.citations)
    assert rag.answer("When was that?", talk, settings=sample_settings).warnings == ()


def test_a_whole_comment_is_quoted_from_beginning_to_end(sample_settings: Settings) -> None:
    talk = _asked(sample_settings, "Which steam method for the oven does Brine describe?")
    talk = (*talk, Turn("user", "Who said that?"), Turn("assistant", "**Brine Ledgerwick**:\n\n> Steam. [1]"))
    whole = rag.answer("Show me the original comment", talk, settings=sample_settings)
    id = whole.citations[0].passage.comment_id
    comment = next(one for one in rag.comments(settings=sample_settings) if one.id == id)
    source = rag.source_text(whole.citations[0].source, settings=sample_settings)
    said = "".join(source[span.start : span.end] for c in whole.citations for span in c.spans)
    assert "".join(said.split()) == "".join(comment.text.split())


def test_of_an_answer_that_there_is_not_nothing_is_told(sample_settings: Settings) -> None:
    talk = _asked(sample_settings, "What does Brine think of submarines?")
    assert rag.answer("Source?", talk, settings=sample_settings).abstained


def _asked(settings: Settings, question: str) -> tuple[Turn, Turn]:
    return Turn("user", question), Turn("assistant", rag.answer(question, settings=settings).text)
