from __future__ import annotations

from dataclasses import replace

import pytest

import rag
from rag.abstention.biography import states_no_view, telling_profiles
from rag.question.follow_ups import understand
from rag.settings import Settings


def asked(question: str, settings: Settings, *history: rag.Turn) -> rag.Answer:
    return rag.answer(question, history=history, settings=settings)


@pytest.mark.parametrize(
    "question",
    ["Where does Jacy study?", "Which university is Jacy Reese Anthis at?", "Who is Jacy?", "What does Jacy do?"],
)
def test_a_profile_answers_what_its_words_do_not_repeat(seeds_settings: Settings, question: str) -> None:
    answer = asked(question, seeds_settings)
    assert not answer.abstained
    assert {citation.passage.kind for citation in answer.citations} == {"profile"}
    assert {citation.passage.author for citation in answer.citations} == {"Jacy Reese Anthis"}
    assert "University of Chicago" in answer.text


def test_a_pronoun_means_the_person_talked_about(seeds_settings: Settings) -> None:
    before = (rag.Turn("user", "What does davidad think about quiet NaN payloads?"), rag.Turn("assistant", "..."))
    answer = asked("Where did he study?", seeds_settings, *before)
    assert {citation.passage.author for citation in answer.citations} == {"davidad"}


@pytest.mark.parametrize(
    "question",
    [
        "How old is davidad?",
        "Is davidad married?",
        "When did Jacy co-found the Sentience Institute?",
        "Why did Jacy reject the University of Chicago's offer?",
    ],
)
def test_what_no_profile_tells_is_not_answered_by_one(seeds_settings: Settings, question: str) -> None:
    assert asked(question, seeds_settings).abstained


@pytest.mark.parametrize(
    "question", ["Does davidad agree with Hardy?", "Compare davidad and Hardy.", "Which works does davidad cite?"]
)
def test_a_profile_answers_nothing_else(seeds_settings: Settings, question: str) -> None:
    assert all(citation.passage.kind == "comment" for citation in asked(question, seeds_settings).citations)


def test_a_question_about_a_topic_is_not_about_the_person(seeds_settings: Settings) -> None:
    answer = asked("Do subnormals work well, according to davidad?", seeds_settings)
    assert "subnormals" in answer.text


def test_who_is_named_by_a_trace_only_is_asked_alone(seeds_settings: Settings) -> None:
    """The page of one profile never says its author's name; its label keeps the address it gives."""
    answer = asked("What does payor.io say about overhangs?", seeds_settings)
    assert not answer.abstained
    assert {citation.passage.byline for citation in answer.citations} == {"unnamed profile (payor.io)"}


@pytest.mark.parametrize(
    ("question", "tells"),
    [
        ("Where does Ann work?", True),
        ("Since when does Ann work at the mill?", False),
        ("And since when? (Ann: work)", False),
        ("Why does Ann work at the mill?", False),
    ],
)
@pytest.mark.parametrize("dated", [False, True])
def test_a_profile_tells_when_only_if_it_has_a_date(question: str, tells: bool, dated: bool) -> None:
    text = "Engineer at the mill" + (" since 2019." if dated else ".")
    profile = rag.Passage("p", "c", "Ann Lee", text, "a.txt", 0, len(text), kind="profile")
    query = understand(question, authors=["Ann Lee"])
    assert bool(telling_profiles(query, [profile])) is (tells or (dated and not question.startswith("Why")))


@pytest.mark.parametrize(
    ("question", "text", "tells"),
    [
        ("What are Ann's interests?", "Baker, interested in rye.", True),
        ("What is Ann interested in?", "Baker. Word cloud: rye, salt.", True),
        ("Is Ann interested in ships?", "Baker, interested in rye.", False),
        ("What are Ann's interests?", "Baker at the mill.", False),
        ("Tell me about Ann.", "Baker at the mill.", True),
        ("Tell me about Ann's oven.", "Baker at the mill.", False),
    ],
)
def test_a_profile_tells_of_interests_and_of_the_person(question: str, text: str, tells: bool) -> None:
    profile = rag.Passage("p", "c", "Ann Lee", text, "a.txt", 0, len(text), kind="profile")
    assert bool(telling_profiles(understand(question, authors=["Ann Lee"]), [profile])) is tells


@pytest.mark.parametrize(
    ("question", "text", "none"),
    [
        ("What does Ann think of rye?", "Baker. Word cloud: rye, salt.", True),
        ("What does Ann say about whether rye sours?", "Baker. Rye, salt.", True),
        ("What does Ann think of rye?", "Baker. I like rye.", False),
        ("What does Ann propose about rye?", "Baker. Rye, salt.", True),
        ("What does Ann say?", "I bake rye.", True),
        ("What did Ann praise?", "Baker. Rye, salt.", True),
        ("What does Ann worry about?", "I bake rye.", True),
        ("What does Ann care about?", "Baker. Rye, salt.", False),
        ("What does Ann say about herself?", "I bake rye.", False),
        ("Tell me about Ann.", "Baker. Rye, salt.", False),
        ("Who bakes rye?", "Baker. Word cloud: rye, salt.", False),
    ],
)
def test_interests_that_a_profile_lists_are_no_views(question: str, text: str, none: bool) -> None:
    profile = rag.Passage("p", "c", "Ann Lee", text, "a.txt", 0, len(text), kind="profile")
    assert states_no_view(understand(question, authors=["Ann Lee"]), profile) is none
    assert not states_no_view(understand(question, authors=["Ann Lee"]), replace(profile, kind="comment"))
