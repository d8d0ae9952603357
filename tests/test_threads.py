"""Forums with threads: what a comment is about stands in its title, or in the comment that it answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answering.answerer import Answerer
from rag.index.lexical import stems
from rag.question.query import Query
from rag.records import Passage, Turn
from rag.retrieval.threads import around, asked_in, replies_on, spoken, under_title

from indexing import IndexOf  # isort: skip

ROWS = [
    ("k1", "Jorunn Aasen", "2019-04-02", None, "Lime mortar on the north wall",
     "I would repoint with pure lime. Cement traps the damp, and the stone behind it rots within ten winters."),
    ("k2", "Paulo Reyes", "2019-04-03", "k1", "Lime mortar on the north wall",
     "Ten winters is a story. My own gable has had the grey stuff for forty years and you can still not get a knife in."),
    ("k3", "Jorunn Aasen", "2019-04-04", "k2", "Lime mortar on the north wall",
     "Your gable faces south and is of granite. Mine drinks water like a biscuit."),
    ("k4", "Jorunn Aasen", "2023-09-10", "k1", "Lime mortar on the north wall",
     "Four years later I have come round to a little of the grey powder in the mix. The pure one washed out twice."),
    ("k5", "dry_stone_dee", "2023-09-11", "k4", "Lime mortar on the north wall",
     "How much of it did you put in, and who mixed it?"),
    ("k6", "Jorunn Aasen", "2023-09-12", "k5", "Lime mortar on the north wall", "One part in twelve, by hand."),
    ("s1", "Paulo Reyes", "2021-01-05", None, "Slates or tiles",
     "Slates last a hundred years if the nails do. Mine are hung on copper."),
    ("s2", "dry_stone_dee", "2021-01-06", "s1", "Slates or tiles", "Copper nails were stolen from our chapel roof, all nine thousand."),
    ("b1", "Paulo Reyes", "2022-02-01", None, "Bees in the chimney", "A swarm came down into the grate. We smoked it out with wet straw."),
    ("p1", "Nils Dahl", "2022-03-01", None, "Plum brandy", "Our still is a copper pot of forty litres, and older than I am."),
    ("p2", "Oda Lind", "2022-03-02", "p1", "Plum brandy", "A fine thing. Did you declare it at the customs office, Nils?"),
    ("p3", "Nils Dahl", "2022-03-03", "p2", "Plum brandy", "Twice, and paid. The second time they wanted to see the seal."),
]  # fmt: skip


@pytest.fixture(scope="module")
def walls(index_of: IndexOf) -> Answerer:
    names = ("id", "author", "posted_at", "parent_id", "title", "text")
    return Answerer.from_settings(index_of(dict(zip(names, row, strict=True)) for row in ROWS))


def cited(answerer: Answerer, question: str, *before: str) -> list[str]:
    history: list[Turn] = []
    for asked in before:
        history += [Turn("user", asked), Turn("assistant", answerer.answer(asked, history).text)]
    return [citation.passage.comment_id for citation in answerer.answer(question, history).citations]


def test_a_comment_is_about_the_title_that_it_stands_under(walls: Answerer) -> None:
    answer = walls.answer("What does Paulo Reyes think about lime mortar?")
    assert [c.passage.comment_id for c in answer.citations] == ["k2"]
    assert "2019-04-03, under “Lime mortar on the north wall”:" in answer.text
    scores = [passage.score for passage in walls.answer("Who likes lime mortar on the north wall?").passages]
    assert scores == sorted(scores, reverse=True)
    assert 0.9 < scores[0] <= 1


def test_what_names_its_topic_itself_is_shown_without_the_title(walls: Answerer) -> None:
    assert "under “" not in walls.answer("What does Paulo Reyes think about slates?").text


def test_both_sides_of_a_comparison_speak_under_the_title(walls: Answerer) -> None:
    answer = walls.answer("Where do Jorunn Aasen and Paulo Reyes disagree about lime mortar?")
    assert {c.passage.author for c in answer.citations} == {"Jorunn Aasen", "Paulo Reyes"}
    assert "Nothing by" not in answer.text


@pytest.mark.parametrize(("question", "ids"), [
    ("What did Jorunn reply to Paulo about the knife?", ["k3"]),
    ("What did Jorunn answer dry_stone_dee?", ["k6"]),
    ("How did dry_stone_dee respond to Paulo's comment about copper?", ["s2"]),
    ("Who disagrees with Jorunn about lime mortar?", ["k2"]),
    ("Who pushed back on Jorunn's lime mortar?", ["k2"]),
    ("What objections does Paulo raise to Jorunn's view of lime mortar?", ["k2"]),
    ("What was said against Jorunn's mortar?", ["k2"]),
])  # fmt: skip
def test_replies_are_those_that_the_source_says_are(walls: Answerer, question: str, ids: list[str]) -> None:
    assert sorted(cited(walls, question)) == ids


def test_whom_a_reply_answers_is_said(walls: Answerer) -> None:
    text = walls.answer("What did Jorunn reply to Paulo about the knife?").text
    assert text.startswith("**Jorunn Aasen**, 2019-04-04, replying to Paulo Reyes")


def test_a_reply_that_nobody_wrote_is_not_made_up(walls: Answerer) -> None:
    answer = walls.answer("What did Paulo reply to Jorunn about the bees?")
    assert answer.abstained or answer.text.startswith("Whether this answers the question is not certain:")
    assert "replying to" not in answer.text


@pytest.mark.parametrize(("question", "ids"), [
    ("What was the first thing Jorunn said about lime mortar?", ["k1"]),
    ("What is Jorunn's latest comment on lime mortar?", ["k6", "k4"]),
    ("What does Jorunn currently think about lime mortar?", ["k6", "k4"]),
])  # fmt: skip
def test_first_and_latest_are_told_by_date(walls: Answerer, question: str, ids: list[str]) -> None:
    assert cited(walls, question)[: len(ids)] == ids


def test_a_change_of_mind_is_found_below_the_title(walls: Answerer) -> None:
    found = cited(walls, "Has Jorunn changed her mind about lime mortar?")
    assert (found[0], "k4" in found) == ("k1", True)


def test_that_one_comment_shows_no_change_is_said(walls: Answerer) -> None:
    once = "One comment alone does not show whether a view changed."
    assert walls.answer("Has Paulo changed his mind about bees?").text.endswith(once)
    assert once not in walls.answer("Has Jorunn changed her mind about lime mortar?").text


@pytest.mark.parametrize(("question", "before", "ids"), [
    ("What did Paulo reply?", ["What did Jorunn say about lime mortar in 2019?"], ["k2"]),
    ("Who disagrees with her?", ["What does Jorunn think about lime mortar?"], ["k2"]),
    ("What are the objections?", ["What does Jorunn think about lime mortar?"], ["k2"]),
    ("Who was first to disagree?", ["What does Jorunn think about lime mortar?"], ["k2"]),
    ("What did she reply?", ["What does Jorunn think about lime mortar?", "Who disagrees with her?"], ["k3"]),
    ("What did she say to that?", ["What does Jorunn think about lime mortar?", "What did Paulo reply?"], ["k3"]),
    ("Who thought that was a story?", ["What does Jorunn think about lime mortar?"], ["k2"]),
    ("Did anyone push back?", ["What does Jorunn think about lime mortar?"], ["k2"]),
    ("Did anyone reply?", ["What does Jorunn think about lime mortar?"], ["k2", "k5"]),
    ("Is that still her view?", ["What did Jorunn say about lime mortar in 2019?"], ["k1", "k3", "k4", "k6"]),
    ("And before that?", ["What did Jorunn say about lime mortar in 2023?"], ["k1", "k3"]),
])  # fmt: skip
def test_follow_ups_ask_for_replies(walls: Answerer, question: str, before: list[str], ids: list[str]) -> None:
    assert sorted(cited(walls, question, *before)) == ids


def passage(text: str, title: str | None = None, **fields: str) -> Passage:
    return Passage(id=text, comment_id=text, author="Ann", text=text, source="s", start=0, end=9, title=title, **fields)


def test_a_title_counts_where_the_question_has_a_word_of_it() -> None:
    assert under_title(passage("no", "Slates or tiles"), stems("slate roof")) == "Slates or tiles"
    assert under_title(passage("no", "Slates or tiles"), stems("copper")) == ""
    assert (
        under_title(passage("no", "slates", kind="document"), stems("slates")) == ""
    )  # a document's is its file's name


def test_a_reply_is_found_and_understood_by_the_question_that_it_answers(walls: Answerer) -> None:
    answer = walls.answer("Did Nils Dahl declare his still at the customs office?")
    assert answer.citations[0].passage.comment_id == "p3"
    assert answer.text.startswith("**Nils Dahl**, 2022-03-03, asked “Did you declare it at the customs office, Nils?”:")
    assert answer.citations[0].quote.startswith("Twice, and paid.")
    assert {c.passage.author for c in answer.citations} == {"Nils Dahl"}


@pytest.mark.slow
def test_a_reply_of_somebody_who_wrote_much_is_found_by_its_question(index_of: IndexOf) -> None:
    things = "apple pear plum quince cherry medlar".split()
    told = [
        f"In {year} the {one} brandy of my still went through the customs as {other} juice."
        for year in (1998, 2004, 2011)
        for one in things
        for other in things
    ]
    rows = [{"id": f"t{place}", "author": "Nils Dahl", "text": text} for place, text in enumerate(told)]
    rows += [
        {
            "id": "q",
            "author": "Oda Lind",
            "parent_id": "t0",
            "text": "Did you declare the still at the customs office, Nils?",
        },
        {
            "id": "a",
            "author": "Nils Dahl",
            "parent_id": "q",
            "text": "Twice. The second time they wanted to see the seal.",
        },
    ]
    answer = Answerer.from_settings(index_of(rows)).answer("Did Nils Dahl declare his still at the customs office?")
    assert "a" in [c.passage.comment_id for c in answer.citations]


def test_what_a_reply_was_not_asked_it_does_not_answer(walls: Answerer) -> None:
    assert walls.answer("Which town is Nils Dahl's customs office in?").abstained


def test_the_question_with_most_of_the_words_is_read_along() -> None:
    weights = {"honey": 1.0, "comb": 0.5}
    assert asked_in("Nice. What honey was in the comb? And the honey?", weights) == "What honey was in the comb?"
    assert asked_in("I like honey in the comb. Why not?", weights) == ""
    assert asked_in("> Where is the honey?\n\nI wonder.", weights) == ""
    reply = replace(passage("Two kilos.", "Bees"), asked="What honey was it?")
    assert around(reply, ["bee", "honey"]) == "Bees What honey was it?"
    assert spoken(reply, "Two kilos.", ["honey"]) == "What honey was it? Ann: Two kilos."
    assert spoken(reply, "Two kilos.", ["bee"]) == "Ann on Bees: Two kilos."


def test_replies_rank_by_what_they_and_what_they_answer_say() -> None:
    query = Query("What did Ann reply to Bo about copper nails?", "", topic="copper nails")
    found = [(passage("Twelve."), "How many copper nails?"), (passage("Yes."), "Is it cold?")]
    assert [p.text for p in replies_on(query, found, lambda stem: 1.0)] == ["Twelve."]


def test_who_only_asks_thanks_or_agrees_does_not_object() -> None:
    query = Query("Who disagrees with Ann about copper nails?", "", topic="copper nails")
    said = [
        "Thanks, copper nails it is.",
        "Where do you buy copper nails?",
        "Thank you. Copper nails bend, though.",
        "Iron lasts as long.",
    ]
    found = [(passage(text), "I use copper nails.") for text in said]
    assert {p.text for p in replies_on(query, found, lambda stem: 1.0)} == {said[2], said[3]}
    assert len(replies_on(query, found[:2], lambda stem: 1.0)) == 2


def test_nothing_stands_for_a_reply_that_is_not_there(walls: Answerer) -> None:
    assert walls.answer("What did dry_stone_dee reply to Paulo Reyes?").citations
    assert walls.answer("What did Paulo Reyes reply to dry_stone_dee?").abstained


def test_a_comparison_of_nothing_is_one_with_doubt(walls: Answerer) -> None:
    answer = walls.answer("Where do Jorunn Aasen and Paulo Reyes disagree?")
    assert answer.abstained or "not certain" in answer.text
