"""What a question is about in its conversation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rag.follow_ups import understand
from rag.questions import Query
from rag.records import Turn

AUTHORS = ("Ann Bea Lee", "Paul Okoro", "Zoë Müller", "quill", "mark")
NOW = datetime(2024, 6, 15, tzinfo=UTC)


def read(question: str, **options) -> Query:
    return understand(question, authors=AUTHORS, now=NOW, **options)


TALK = (
    Turn("user", "What does Ann Lee think about rye starters?"),
    Turn(
        "assistant",
        "**Ann Bea Lee**, 2023-04-02:\n\n> Warm rye is sour rye. [1]\n\n**quill**:\n\n> Salt slows the yeast. [2]\n\n"
        "Should I look for wheat as well?",
    ),
)


@pytest.mark.parametrize(
    ("question", "authors", "words"),
    [
        ("And why?", ("Ann Bea Lee",), {"rye", "starters"}),
        ("Why?", ("Ann Bea Lee",), {"rye", "starters"}),
        ("Does she still do that?", ("Ann Bea Lee",), {"rye", "starters"}),
        ("What else does she say about ovens?", ("Ann Bea Lee",), {"ovens"}),
        ("What about ovens?", ("Ann Bea Lee",), {"ovens"}),
        ("And quill?", ("quill",), {"rye", "starters"}),
        ("What does quill say about it?", ("quill",), {"rye", "starters"}),
        ("What about the second one?", ("quill",), {"Salt", "slows", "yeast"}),
        ("Tell me more about [1]", ("Ann Bea Lee",), {"Warm", "sour"}),
        ("yes", ("Ann Bea Lee",), {"wheat"}),
    ],
)
def test_a_follow_up_takes_over_what_it_leaves_out(question: str, authors: tuple[str, ...], words: set[str]) -> None:
    query = understand(question, TALK, AUTHORS, now=NOW)
    assert (query.authors, query.carried) == (authors, True)
    assert words <= set(query.topic.split())
    assert all(word in query.text for word in words)


def test_a_follow_up_can_set_two_people_side_by_side() -> None:
    query = understand("Does quill agree with her?", TALK, AUTHORS, now=NOW)
    assert (query.authors, query.compare) == (("Ann Bea Lee", "quill"), True)


@pytest.mark.parametrize(
    "question", ["How do tides work at Hallin Bar?", "Who wrote about floats?", "What does Zoë Müller say about maps?"]
)
def test_a_new_topic_drops_the_old_one(question: str) -> None:
    assert understand(question, TALK, AUTHORS, now=NOW) == read(question)


def test_a_follow_up_of_a_follow_up_goes_back_to_the_first_question() -> None:
    talk = (*TALK, Turn("user", "And why?"), Turn("assistant", "Because. [1]"))
    query = understand("What about wheat?", talk, AUTHORS, now=NOW)
    assert (query.authors, query.topic) == (("Ann Bea Lee",), "wheat")


def test_a_follow_up_keeps_the_period() -> None:
    talk = (Turn("user", "What did quill write in 2023 about rye?"), Turn("assistant", "Rye. [1]"))
    assert understand("And why?", talk, AUTHORS, now=NOW).since == datetime(2023, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("question", ["And in 2021?", "What does she say about ovens in 2021?", "What about 2021?"])
def test_a_follow_up_may_name_another_period(question: str) -> None:
    talk = (Turn("user", "What did Ann Lee write in 2023 about rye?"), Turn("assistant", "Rye. [1]"))
    query = understand(question, talk, AUTHORS, now=NOW)
    assert (query.since, query.until) == (
        datetime(2021, 1, 1, tzinfo=UTC),
        datetime(2022, 1, 1, tzinfo=UTC) - timedelta(microseconds=1),
    )
    assert query.authors == ("Ann Bea Lee",)
    assert "202" not in query.text + query.topic


def test_a_model_may_rewrite_an_elliptical_question() -> None:
    seen = []

    def rewrite(conversation: str) -> str:
        seen.append(conversation)
        return "Why does quill add salt?"

    query = understand("And why?", TALK, AUTHORS, now=NOW, rewrite=rewrite)
    assert (query.text, query.original, query.authors, query.carried) == (
        "Why does quill add salt?",
        "And why?",
        ("quill",),
        True,
    )
    assert seen[0].endswith("user: And why?")


@pytest.mark.parametrize("reply", ["", "  ", "x" * 500])
def test_an_unusable_rewriting_is_replaced_by_rules(reply: str) -> None:
    assert understand("And why?", TALK, AUTHORS, now=NOW, rewrite=lambda _: reply) == understand(
        "And why?", TALK, AUTHORS, now=NOW
    )


def test_a_question_that_stands_alone_is_not_rewritten() -> None:
    def rewrite(_: str) -> str:
        raise AssertionError("not elliptical")

    assert not understand("How do tides work at Hallin Bar?", TALK, AUTHORS, now=NOW, rewrite=rewrite).carried


def test_a_pronoun_means_the_only_person_the_answer_quoted() -> None:
    replied = "**Ada Fenwick**, on tides:\n\n> Ioan Petrescu would say the moon. [1]"
    history = (Turn("user", "Who explains tides?"), Turn("assistant", replied))
    query = understand("Where does she study?", history, ["Ada Fenwick", "Ioan Petrescu"])
    assert (query.authors, query.topic) == (("Ada Fenwick",), "study")
    assert query.text == "Where does Ada Fenwick study?"


def test_a_pronoun_after_two_people_stays_open() -> None:
    replied = "**Ada Fenwick**:\n\n> The moon. [1]\n\n**Ioan Petrescu**:\n\n> The coast. [2]"
    history = (Turn("user", "Who explains tides?"), Turn("assistant", replied))
    assert understand("Where does she study?", history, ["Ada Fenwick", "Ioan Petrescu"]).authors == ()


def test_a_new_topic_of_the_same_person_leaves_the_old_topic_behind() -> None:
    history = (Turn("user", "What does Ada Fenwick think about tides?"), Turn("assistant", "..."))
    query = understand("What else did she write about harbours?", history, ["Ada Fenwick"])
    assert (query.authors, query.topic) == (("Ada Fenwick",), "harbours")
