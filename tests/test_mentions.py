"""Who uses a word, how often, first, last or never: counted over the whole index, in everybody's own words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ingest
import rag
from rag.settings import Settings

PEGS = "Pegs of rosewood hold their tuning through the winter."
ROWS = [
    {"id": "1", "author": "Ann Lee", "posted_at": "2018-02-01", "text": PEGS},
    {"id": "2", "author": "Odd Brekke", "posted_at": "2018-03-01", "text": f"> {PEGS}\n\nMine slipped within a week."},
    {"id": "3", "author": "Ilka Sommer", "posted_at": "2019-03-01", "text": "Rosewood pegs squeak when it is damp."},
    {"id": "4", "author": "Tove Arden", "posted_at": "2021-03-01", "text": "I carve pegs from boxwood, never rosewood."},
    {"id": "5", "author": "Tove Arden", "posted_at": "2020-03-01", "text": "A rosewood peg costs four times as much."},
    {"id": "6", "author": "Ivo Brandl", "posted_at": "2022-03-01", "text": "Gut strings fray, and ebony outlasts the player."},
    {"id": "7", "author": "Zoë Müller", "text": "My grandfather glued every rosewood peg he turned."},
]  # fmt: skip


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Settings:
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "notes.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    settings = Settings(store=folder / "store", cache=model_cache, llm="evidence")
    ingest.ingest([folder / "notes.jsonl"], settings=settings)
    return settings


def people(answer: rag.Answer) -> list[str | None]:
    return [citation.passage.author for citation in answer.citations]


def test_who_only_quotes_a_word_does_not_use_it(workshop: Settings) -> None:
    answer = rag.answer("Who mentions rosewood?", settings=workshop)
    assert "comments: 5, authors: 4." in answer.text
    assert {*people(answer)} == {"Ann Lee", "Ilka Sommer", "Tove Arden", "Zoë Müller"}
    assert not any(citation.quoted for citation in answer.citations)


def test_times_apart_are_counted_without_what_lies_between(workshop: Settings) -> None:
    answer = rag.answer("How many comments mention rosewood in 2018 and 2021?", settings=workshop)
    assert "comments: 2, authors: 2." in answer.text
    assert people(answer) == ["Ann Lee", "Tove Arden"]
    assert answer.coverage.comments == 3


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Who was the first to mention rosewood?", "Ann Lee"),
        ("Who wrote first about rosewood?", "Ann Lee"),
        ("Who last mentioned rosewood?", "Tove Arden"),
        ("Who was the last to mention rosewood?", "Tove Arden"),
    ],
)
def test_the_first_and_the_last_to_mention_it(question: str, first: str, workshop: Settings) -> None:
    answer = rag.answer(question, settings=workshop)
    assert people(answer)[0] == first
    assert people(answer).count(first) == 1


def test_who_mentions_it_most_is_named_with_numbers(workshop: Settings) -> None:
    answer = rag.answer("Who mentions rosewood most often?", settings=workshop)
    assert "Most: Tove Arden (2), Ann Lee (1), " in answer.text
    assert people(answer)[0] == "Tove Arden"


@pytest.mark.parametrize("question", ["Who has never mentioned rosewood?", "Which authors don't mention rosewood?"])
def test_who_never_mentions_it_is_not_who_does(question: str, workshop: Settings) -> None:
    answer = rag.answer(question, settings=workshop)
    assert (answer.abstained, answer.citations) == (True, ())
    assert "Authors who do not write them: 2 (Ivo Brandl, Odd Brekke)." in answer.text


def test_either_of_two_words_will_do(workshop: Settings) -> None:
    answer = rag.answer("Who mentions ebony or boxwood?", settings=workshop)
    assert "“ebony or boxwood” – comments: 2, authors: 2." in answer.text
    assert {*people(answer)} == {"Ivo Brandl", "Tove Arden"}


def test_how_many_times_asks_for_no_times(workshop: Settings) -> None:
    answer = rag.answer("How many times did Tove Arden mention rosewood?", settings=workshop)
    assert "comments: 2, authors: 1." in answer.text
