from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.suggestions import suggest
from rag.question.query import Query
from rag.records import Answer, Citation, Passage


def passage(id: str, author: str | None, text: str, **values: object) -> Passage:
    return Passage(id, id, author, text, f"{id}.txt", 0, len(text), sentences=((0, len(text)),), **values)


MOON = passage("a", "Maren Holt", "Tides are mostly the moon, which Kepler knew before Newton did.")
COAST = passage("b", "Ioan Petrescu", "The coast decides more, as anyone in Bristol Channel can see.")
BIO = passage("p", "Ada Fenwick", "I study harbours near Dunwich Reef.", kind="profile")
ANSWER = Answer("", "[1]", (Citation(1, MOON, MOON.text[:25], "a.txt", 0, 25),))
QUERY = Query("What causes spring tides?", "What causes spring tides?", topic="spring tides")


def rare(word: str) -> float:
    """Names are rare, everything else is common."""
    return 0.9 if word in ("kepler", "newton", "bristol", "channel", "dunwich", "reef") else 0.2


def suggested(query: Query = QUERY, answer: Answer = ANSWER, answers=lambda question, author: True) -> tuple[str, ...]:
    return suggest(query, (MOON, COAST, BIO), answer, rare, answers)


def test_others_on_the_topic_come_first_then_what_the_quoted_comment_names() -> None:
    assert suggested() == (
        "What does Ioan Petrescu say about spring tides?",
        "What does Maren Holt say about Kepler?",
    )


def test_two_who_were_quoted_may_disagree() -> None:
    both = replace(ANSWER, citations=(*ANSWER.citations, Citation(2, COAST, COAST.text, "b.txt", 0, 9)))
    assert suggested(answer=both)[0] == "Where do Maren Holt and Ioan Petrescu disagree about spring tides?"


def test_only_what_has_an_answer_is_kept_and_few_are_tried() -> None:
    tried: list[tuple[str, str]] = []

    def answers(question: str, author: str) -> bool:
        tried.append((question, author))
        return "Kepler" in question

    assert suggested(answers=answers) == ("What does Maren Holt say about Kepler?",)
    assert [author for _, author in tried] == ["Ioan Petrescu", "Maren Holt"]


def test_what_the_answer_shows_is_not_asked_again() -> None:
    whole = replace(ANSWER, citations=(Citation(1, MOON, MOON.text, "a.txt", 0, len(MOON.text)),))
    assert not [question for question in suggested(answer=whole) if "Kepler" in question]


def test_words_of_the_question_are_not_asked_again() -> None:
    query = replace(QUERY, original="What did Kepler and Newton know about Bristol?", topic="Kepler Newton Bristol")
    assert suggested(query) == ()


def test_a_month_is_no_topic() -> None:
    dated = passage("m", "Maren Holt", "I trusted the tables until October.")
    answer = replace(ANSWER, citations=(Citation(1, dated, dated.text[:9], "m.txt", 0, 9),))
    assert suggest(QUERY, (dated,), answer, lambda word: 0.9, lambda question, author: True) == ()


def test_a_topic_that_does_not_stand_in_one_piece_is_not_put_into_words() -> None:
    query = replace(QUERY, original="What makes tides higher in spring?", topic="tides spring")
    assert not [question for question in suggested(query) if question.endswith(("tides spring?", "tides?"))]


@pytest.mark.parametrize("question", ["Wie entstehen Springfluten?", "大潮の原因？"])
def test_other_languages_get_none(question: str) -> None:
    assert suggested(replace(QUERY, original=question)) == ()


@pytest.mark.parametrize(
    "asked",
    [
        "Which soil probes survive?",
        "Do soil probes survive?",
        "When do the soil probes survive?",
        "What helps if the soil probes survive?",
        "Where do they survive soil probes?",
        "Why does anybody survive soil probes?",
    ],
)
def test_a_noun_with_its_verb_is_no_topic(asked: str) -> None:
    query = replace(
        QUERY, original=asked, topic="soil probes survive" if asked.endswith("survive?") else "survive soil probes"
    )
    assert not [question for question in suggested(query) if "survive" in question]
