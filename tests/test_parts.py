"""Several questions in one message."""

from __future__ import annotations

import pytest

from rag.answering.answerer import Answerer
from rag.answering.joining import joined
from rag.question.follow_ups import understand
from rag.question.parts import questions_in
from rag.records import Answer, Citation, Passage, SentenceCheck, Turn

from indexing import IndexOf  # isort: skip

ROWS = [
    ("h1", "Wenna Tarrant", "Honey from ivy sets in the comb within two weeks. I leave it to the bees for the winter."),
    ("h2", "Wenna Tarrant", "My smoker burns dried grass and a little lavender. Cardboard makes them angry."),
    ("h3", "Odd Brekke", "I count mites with this:\n\n```python\nmites = rows[1] + rows[2]\n```\n\nMore than nine on the board and I treat."),
]  # fmt: skip

RYE = Passage("p", "c", "Ann", "Rye sours.", "a.txt", 0, 10)


@pytest.fixture(scope="module")
def bees(index_of: IndexOf) -> Answerer:
    return Answerer.from_settings(index_of({"id": id, "author": author, "text": text} for id, author, text in ROWS))


@pytest.mark.parametrize(("message", "count"), [
    ("What does Ann say about rye? And does she use salt?", 2),
    ("I have a question about Ann. How does she bake? Where did she study?", 2),
    ("What does Ann say about rye? And why?", 1),
    ("Is rye sour? If so, when is it?", 1),
    ("Should I bake with rye? Or with wheat?", 1),
    ("Quick question? What does Ann say about rye?", 1),
    ("What does Ann say about rye, and is it sour?", 1),
    ("Is rye sour? " * 6, 1),
])  # fmt: skip
def test_questions_that_stand_alone_are_told_apart(message: str, count: int) -> None:
    parts = questions_in(message, lambda question: understand(question, authors=("Ann",)).topic)
    assert len(parts) == count
    assert " ".join(parts) == message.strip()


def test_each_question_is_answered_or_declined_by_itself(bees: Answerer) -> None:
    message = "What does Wenna Tarrant say about ivy honey? And does she own an extractor?"
    answer = bees.answer(message)
    assert [citation.passage.comment_id for citation in answer.citations] == ["h1"]
    told, declined = answer.text.split("*And does she own an extractor?*")
    assert "sets in the comb" in told
    assert "The comments do not answer this question." in declined
    assert (answer.question, answer.abstained, answer.coverage.used) == (message, False, 1)
    assert [part["abstained"] for part in answer.trace["parts"]] == [False, True]


def test_citations_are_numbered_through_and_code_is_left_alone(bees: Answerer) -> None:
    answer = bees.answer("What does Wenna burn in her smoker? And how does Odd Brekke count mites?")
    assert [citation.number for citation in answer.citations] == [1, 2]
    assert [citation.passage.comment_id for citation in answer.citations] == ["h2", "h3"]
    assert "rows[1] + rows[2]" in answer.text
    assert answer.text.rstrip().endswith("[2]")
    for one in answer.citations:
        assert bees.store.source_text(one.source)[one.start : one.end] == one.quote


def test_an_answer_to_several_questions_grows(bees: Answerer) -> None:
    *partial, last = bees.stream("What does Wenna say about ivy honey? And what does she burn in her smoker?")
    lengths = [len(answer.text) for answer in partial]
    assert lengths[0] == 0
    assert lengths == sorted(lengths)
    assert last.text.count("> ") == 2


def test_nothing_is_cited_where_no_part_is_answered(bees: Answerer) -> None:
    answer = bees.answer("What does Wenna say about trams? And what does Odd Brekke think of opera?")
    assert (answer.abstained, answer.citations) == (True, ())


def test_a_follow_up_is_about_the_last_of_several_questions() -> None:
    talk = (
        Turn("user", "What does Ann say about rye? And what does Bob say about salt?"),
        Turn("assistant", "> It slows. [1]"),
    )
    query = understand("And why?", talk, ("Ann", "Bob"))
    assert (query.authors, query.topic) == (("Bob",), "salt")


def test_the_verdict_on_a_sentence_stays_with_it() -> None:
    ten = tuple(Citation(number, RYE, "Rye", "a.txt", 0, 3) for number in range(1, 11))
    first = Answer("One?", "Rye sours [1].", ten)
    sentences = ("Salt slows [1].", "So does cold [2].")
    checks = [SentenceCheck(0, 15, "supported", 0.9), SentenceCheck(16, 33, "unsupported", 0.1)]
    second = Answer("Two?", " ".join(sentences), ten[:2], checks=tuple(checks))
    whole = joined("One? Two?", ["One?", "Two?"], [first, second])
    told = [whole.text[check.start : check.end] for check in whole.checks]
    assert told == ["Salt slows [11].", "So does cold [12]."]
    assert [citation.number for citation in whole.citations] == list(range(1, 13))
