"""Results cut out of passages: the best runs of sentences, exact, also across passages."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rag
from rag.language.sentences import split_sentences
from rag.records import Passage
from rag.retrieval.relevance import Sentence
from rag.retrieval.snippets import best_snippets, maximal_runs
from rag.settings import Settings

TEXT = "Roses are red. Rye turns sour in a day. Heat is why.\n\nSalt slows it. Violets are blue. Nobody asked."


def passage(start: int, end: int, number: int, **values: object) -> Passage:
    text = TEXT[start:end]
    return Passage(
        f"p{number}", "c", "Ann", text, "a.txt", start, end, sentences=tuple(split_sentences(text)), **values
    )


def scored(passages: list[Passage], good: tuple[str, ...]) -> list[Sentence]:
    return [
        Sentence(p, p.start + a, p.start + b, 0.9 if p.text[a:b] in good else 0.0, frozenset())
        for p in passages
        for a, b in p.sentences
    ]


SPLIT = TEXT.index("Salt")
ONE, TWO = passage(0, SPLIT - 2, 1), passage(SPLIT, len(TEXT), 2)


def test_a_snippet_is_the_sentences_that_bear_on_the_question() -> None:
    (best, *_) = best_snippets(scored([ONE], ("Rye turns sour in a day.", "Heat is why.")), lambda source: TEXT)
    assert best.text == "Rye turns sour in a day. Heat is why."
    assert TEXT[best.start : best.end] == best.text
    assert [best.text[a:b] for a, b in best.sentences] == ["Rye turns sour in a day.", "Heat is why."]


def test_a_snippet_crosses_from_a_passage_into_the_next() -> None:
    (best, *_) = best_snippets(scored([TWO, ONE], ("Heat is why.", "Salt slows it.")), lambda source: TEXT)
    assert best.text == "Heat is why.\n\nSalt slows it."
    assert TEXT[best.start : best.end] == best.text


def test_a_whole_passage_keeps_its_id() -> None:
    (best,) = best_snippets(scored([ONE], tuple(ONE.text[a:b] for a, b in ONE.sentences)), lambda source: TEXT)
    assert (best.id, best.text) == ("p1", ONE.text)


def test_where_nothing_bears_on_the_question_each_comment_still_has_its_best_sentence() -> None:
    found = list(best_snippets(scored([ONE], ()), lambda source: TEXT))
    assert [one.score for one in found] == [0.0]


def test_what_is_not_worth_its_length_is_ranked_by_its_passage() -> None:
    """Not by how short its best sentence is."""
    near, far = passage(SPLIT, len(TEXT), 1, score=0.8), replace(passage(0, SPLIT - 2, 2, score=0.1), comment_id="d")
    found = list(best_snippets(scored([far, near], ()), lambda source: TEXT))
    assert [one.comment_id for one in found] == ["c", "d"]
    (better, *_) = best_snippets(scored([far, near], ("Rye turns sour in a day.",)), lambda source: TEXT)
    assert better.comment_id == "d"


def test_gaps_and_quoted_words_move_along() -> None:
    first = passage(0, SPLIT - 2, 1, quoted=((15, 39),), gaps=(20, 41))
    (best, *_) = best_snippets(scored([first], ("Rye turns sour in a day.",)), lambda source: TEXT)
    assert (best.quoted, best.gaps) == (((0, 24),), (5,))


@given(st.lists(st.integers(-9, 9), max_size=12))
def test_maximal_runs_hold_the_best_run_and_never_touch(values: list[int]) -> None:
    runs = maximal_runs(values)
    assert all(a < b for a, b in runs)
    assert all(one[1] <= other[0] for one, other in pairwise(runs))
    sums = [0, *accumulate(values)]
    best = max((sums[b] - sums[a] for a in range(len(sums)) for b in range(a + 1, len(sums))), default=0)
    if best > 0:
        assert max(sums[b] - sums[a] for a, b in runs) == best
    else:
        assert runs == []


@pytest.mark.parametrize("question", ["When do spring tides come?", "Compare Brine and mossgauge on soil.", "salt"])
def test_found_snippets_are_exact_and_never_overlap(sample_settings: Settings, question: str) -> None:
    found = rag.search(question, limit=20, settings=sample_settings)
    assert found
    assert len({one.id for one in found}) == len(found)
    for one in found:
        assert rag.source_text(one.source, settings=sample_settings)[one.start : one.end] == one.text
    for one in found:
        for other in found:
            if other is not one and other.source == one.source:
                assert other.end <= one.start or one.end <= other.start
