"""Which words count as the same in search: accents, spellings, forms."""

from __future__ import annotations

import pytest

import rag
from rag.index.lexical import stems
from rag.language.spelling import american

from indexing import IndexOf  # isort: skip


@pytest.mark.parametrize(
    ("written", "also"),
    [
        ("behaviour", "behavior"),
        ("optimisers", "optimizer"),
        ("generalisation", "generalizations"),
        ("analysed", "analyze"),
        ("sceptical", "skeptical"),
        ("judgement", "judgments"),
        ("practising", "practice"),
        ("theatres", "theater"),
        ("dialogue", "dialogs"),
        ("defence", "defense"),
        ("Gödel", "Godel"),
        ("naïve", "naive"),
        ("Łukasiewicz", "Lukasiewicz"),
    ],
)
def test_spellings_of_a_word_are_one_word(written: str, also: str) -> None:
    assert stems(written) == stems(also)


@pytest.mark.parametrize(
    ("one", "other"), [("four", "for"), ("raise", "raze"), ("prise", "prize"), ("tour", "tor"), ("が", "か")]
)
def test_words_that_only_look_like_spellings_are_two(one: str, other: str) -> None:
    assert stems(one) != stems(other)


@pytest.mark.parametrize(
    "word", "precise surprise revise unsupervised improvise exercise pairwise noise premise otherwise crises".split()
)
def test_what_nobody_spells_with_z_stays(word: str) -> None:
    """So that "precision" stays with "precise"."""
    assert american(word) == word


def test_who_mentions_a_word_is_found_in_either_spelling(index_of: IndexOf) -> None:
    texts = ["Its behavior off the training set is what worries me.", "I would ask Löb about that."]
    settings = index_of({"author": "Ada Byron", "text": text} for text in texts)
    for question, text in zip(["Who mentions behaviour?", "Who mentions Lob?"], texts, strict=True):
        answer = rag.answer(question, settings=settings)
        assert [citation.quote for citation in answer.citations] == [text]
