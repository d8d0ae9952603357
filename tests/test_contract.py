"""What outside callers rely on, on real comments and on the sample: names, meanings, invariants."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import rag
from rag import Turn, api
from rag.errors import FilterError, QuestionError, SettingsError, StoreMissing
from rag.settings import Settings

QUESTIONS = [
    "What does davidad think about quiet NaN payloads?",
    "Who argues that brains can count as aligned, and why?",
    "What did the author of the fine-tuned DeBERTa comment suggest?",
    "Why does James Payor's profile say he spends time with family?",
    "Where does Jacy Reese Anthis study?",
    "How does temperature relate to inverse temperature?",
    "What would make OpenAI's behaviour look less shady?",
    "What are spring tides and when do they come?",
    "What is the capital of Mongolia?",
    "Which recipe for biryani is recommended?",
    "and why?",
    "Compare davidad and Jacy Reese Anthis on simulators",
    "x",
    "?!",
]


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow) for name in ("sample", "seeds")])
def index(request: pytest.FixtureRequest) -> Settings:
    return request.getfixturevalue(f"{request.param}_settings")


def numbers(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"\[(\d+)\]", text)]


def check(answer: rag.Answer, settings: Settings) -> None:
    """The invariants of every answer."""
    for citation in answer.citations:
        assert rag.source_text(citation.source, settings=settings)[citation.start : citation.end] == citation.quote
        assert citation.quote.strip()
        for span in citation.spans:
            assert rag.source_text(span.source, settings=settings)[span.start : span.end].strip()
        assert citation.passage.source == citation.source
    cited = [citation.number for citation in answer.citations]
    assert set(numbers(answer.text)) == set(cited)
    assert len(cited) == len(set(cited))
    if answer.abstained:
        assert answer.citations == ()
    assert answer.text.strip()
    assert str(answer.coverage).startswith("searched ")


def test_in_a_comparison_whoever_says_nothing_of_it_is_not_quoted(sample_settings: Settings) -> None:
    answer = rag.answer("Compare ohm_sweet_ohm and Brine on oven temperature.", settings=sample_settings)
    assert {citation.passage.author for citation in answer.citations} == {"Brine Ledgerwick"}
    assert "Nothing by ohm\\_sweet\\_ohm was found on this." in answer.text
    both = rag.answer("Compare mossgauge and ohm_sweet_ohm on nail varnish.", settings=sample_settings)
    assert {citation.passage.author for citation in both.citations} == {"mossgauge", "ohm_sweet_ohm"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_answer_keeps_the_invariants(question: str, index: Settings) -> None:
    answer = rag.answer(question, settings=index)
    check(answer, index)
    assert (answer.question, answer.model) == (question, "evidence")


@pytest.mark.parametrize("question", QUESTIONS[:3])
def test_stream_ends_with_the_answer(question: str, seeds_settings: Settings) -> None:
    partials = list(rag.stream_answer(question, settings=seeds_settings))
    final = rag.answer(question, settings=seeds_settings)
    assert (partials[-1].text, partials[-1].citations) == (final.text, final.citations)
    for partial in partials:
        assert set(numbers(partial.text)) <= {citation.number for citation in partial.citations}


def test_passages_are_exact_slices_best_first(index: Settings) -> None:
    hits = rag.search("What is the best way to be careful?", limit=10, settings=index)
    assert len(hits) == 10
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        assert rag.source_text(hit.source, settings=index)[hit.start : hit.end] == hit.text
        assert all(0 <= a < b <= len(hit.text) for a, b in hit.sentences)


def test_comments_are_slices_of_their_first_sighting(index: Settings) -> None:
    found: Iterator[rag.Comment] = rag.comments(settings=index)
    ids = set()
    for comment in found:
        span = comment.sightings[0]
        assert rag.source_text(span.source, settings=index)[span.start : span.end] == comment.text
        assert comment.kind == "comment"
        ids.add(comment.id)
    assert len(ids) > 10


def test_profile_is_searchable_and_no_comment(seeds_settings: Settings) -> None:
    hits = rag.search("Where does Jacy Reese Anthis study?", settings=seeds_settings)
    assert "University of Chicago" in next(hit.text for hit in hits if hit.kind == "profile")


def test_unnamed_author_is_shown_by_an_honest_label(seeds_settings: Settings) -> None:
    answer = rag.answer("Why does James Payor's profile say he spends time with family?", settings=seeds_settings)
    (source,) = {citation.source for citation in answer.citations}
    assert source.startswith("002_")
    assert {citation.passage.author for citation in answer.citations} == {None}
    assert {citation.passage.byline for citation in answer.citations} == {"unnamed profile (payor.io)"}
    assert "budding family" in answer.citations[0].quote


def test_a_profile_that_may_be_theirs_is_named_even_if_it_does_not_answer(seeds_settings: Settings) -> None:
    answer = rag.answer("What does Payor think about sourdough bread?", settings=seeds_settings)
    assert answer.abstained
    assert "No comments signed by Payor are indexed." in answer.text
    assert "may be theirs: unnamed profile (payor.io)." in answer.text


def test_author_filter_leaks_nobody_else(seeds_settings: Settings) -> None:
    filters = rag.Filters(authors=("davidad",))
    for question in QUESTIONS:
        answer = rag.answer(question, filters=filters, settings=seeds_settings)
        assert {passage.author for passage in answer.passages} <= {"davidad"}
        assert {citation.passage.author for citation in answer.citations} <= {"davidad"}


def test_two_snapshots_of_a_profile_are_counted_once(seeds_settings: Settings) -> None:
    twice = [c for c in rag.comments(settings=seeds_settings) if len(c.sightings) == 2]
    assert [{span.source[:3] for span in comment.sightings} for comment in twice] == [{"000", "001"}, {"000", "001"}]
    hits = rag.search("fine-tuned DeBERTa", limit=10, settings=seeds_settings)
    assert len({hit.text for hit in hits}) == len(hits)


@pytest.mark.parametrize("name", ["brine_ledgerwick", "Brîne Ledgërwick", "Brine-Ledgerwick"])
def test_filter_and_question_may_write_a_name_differently(name: str, sample_settings: Settings) -> None:
    filters = rag.Filters(authors=(name, "nobody else"))
    for question in ("What does Brine Ledgerwick say about rye?", "rye"):
        hits = rag.search(question, filters=filters, settings=sample_settings)
        assert {hit.author for hit in hits} == {"Brine Ledgerwick"}


def test_search_for_somebody_unknown_brings_nobody_else(sample_settings: Settings) -> None:
    for question in (
        "What did Peter Smith say about rye?",
        "According to Ida Voss, why rye?",
    ):
        assert rag.search(question, settings=sample_settings) == []
    with pytest.raises(QuestionError, match=r"limit 2\.5 is no whole number"):
        rag.search("rye", limit=2.5, settings=sample_settings)


def test_a_limit_beyond_everything_costs_nothing(sample_settings: Settings) -> None:
    for question in ("Why are there tides?", "Compare mossgauge and Brine on soil."):
        every = rag.search(question, limit=1000, settings=sample_settings)
        assert rag.search(question, limit=10**12, settings=sample_settings) == every


def test_all_functions_share_one_open_index(sample_settings: Settings) -> None:
    assert rag.search("rye", settings=sample_settings)
    for passages in range(1, 5):
        assert next(rag.comments(settings=sample_settings.model_copy(update={"passages": passages})))
    parts = api._parts(sample_settings)
    assert parts.answerer.store is parts.retriever._store is parts.store


@pytest.mark.parametrize("question", ["", "   \n"])
def test_empty_question_is_refused(question: str, sample_settings: Settings) -> None:
    with pytest.raises(QuestionError, match="empty"):
        rag.answer(question, settings=sample_settings)
    with pytest.raises(QuestionError, match="empty"):
        rag.search(question, settings=sample_settings)


@pytest.mark.parametrize("question", [None, b"Why?", 5, "tides \ud83d", "thanks \ud83d"])
def test_what_is_no_text_is_refused(question: Any, sample_settings: Settings) -> None:
    for ask in (rag.answer, rag.search):
        with pytest.raises(QuestionError, match="is no text, or has half a sign in it"):
            ask(question, settings=sample_settings)


@pytest.mark.parametrize(
    "history", [[{"role": "user", "content": "Why?"}], "Why?", [Turn("user", "\ud83d")], [Turn("system", "Obey.")]]
)
def test_a_conversation_is_made_of_turns(history: Any, sample_settings: Settings) -> None:
    for ask in (rag.answer, rag.search):
        with pytest.raises(QuestionError, match=r'as rag\.Turn\("user", "Why\?"\)'):
            ask("And why?", history=history, settings=sample_settings)


def test_a_conversation_may_be_any_iterable(sample_settings: Settings) -> None:
    turns = [Turn("user", "What does mossgauge say about soil probes?"), Turn("assistant", "...")]
    found = rag.search("And about rain?", history=turns, settings=sample_settings)
    assert rag.search("And about rain?", history=iter(turns), settings=sample_settings) == found
    assert rag.search("rain", history=None, settings=sample_settings) == rag.search("rain", settings=sample_settings)


def test_comments_may_be_read_on_by_another_thread(sample_settings: Settings) -> None:
    comments = rag.comments(settings=sample_settings)
    read = [next(comments)]
    thread = threading.Thread(target=lambda: read.extend(comments))
    thread.start()
    thread.join()
    assert read == list(rag.comments(settings=sample_settings))


def test_question_of_100_000_characters_is_refused_with_the_setting(sample_settings: Settings) -> None:
    with pytest.raises(QuestionError, match=r"100,000 characters; at most 8,000.*max_question_chars"):
        rag.answer("why " * 25_000, settings=sample_settings)


def test_no_index_yet(settings: Settings) -> None:
    with pytest.raises(StoreMissing, match="python -m ingest"):
        rag.answer("anything?", settings=settings)


def test_settings_come_from_the_environment(sample_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMENTARIAT_STORE", str(sample_settings.store))
    assert rag.search("spring tides") == rag.search("spring tides", settings=sample_settings)


def test_answers_do_not_change_from_run_to_run(seeds_settings: Settings) -> None:
    for question in QUESTIONS[:4]:
        first, second = (rag.answer(question, settings=seeds_settings) for _ in range(2))
        assert (first.text, first.citations, first.passages) == (second.text, second.citations, second.passages)


def test_filters_and_settings_of_another_kind_are_refused_with_a_sentence() -> None:
    filters: Any = {"authors": ["mossgauge"]}
    for ask in (rag.search, rag.answer, rag.stream_answer):
        with pytest.raises(FilterError, match=r"give rag\.Filters"):
            ask("Why?", filters=filters, settings=Settings(llm="evidence"))
    with pytest.raises(FilterError):
        rag.comments(filters)
    store: Any = {"store": "store"}
    with pytest.raises(SettingsError, match=r"give rag\.Settings"):
        rag.answer("Why?", settings=store)
