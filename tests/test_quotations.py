"""Quoted words are linked to the comment in which they stand, and to no other."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ingest
import rag
from ingest.quotations import Quotations, fingerprints, similarity, winnowed
from rag.index.corpus import Corpus
from rag.index.store import Store
from rag.records import Comment, Quotation, Span
from rag.settings import Settings

from indexing import IndexOf, ingest_rows, write_rows  # isort: skip

TIDES = "The tide at the old quay runs two hours late, and every pilot in the harbour knows it by heart."
CLOCK = "The observatory clock was four minutes slow for most of that year, so the tables were wrong too."


def comment(id: str, text: str, quoted=(), **facts) -> Comment:
    return Comment(id, None, text, (Span(f"f#{id}", 0, len(text)),), quoted=tuple(quoted), **facts)


def quoting(id: str, words: str, answer: str = "I doubt that very much.", **facts) -> Comment:
    text = f"> {words}\n\n{answer}"
    return comment(id, text, [(0, len(words) + 2)], **facts)


def linked(*comments: Comment) -> dict[str, list[str]]:
    """By comment, where its quotations stand."""
    known = {each.id: each for each in comments}
    quotations = Quotations(Corpus(Path(":memory:")), known.get)
    for each in comments:
        quotations.update(each.id, each)
    return {each.id: [quote.comment_id for quote in quotations.find(each)] for each in comments if each.quoted}


@pytest.mark.parametrize(
    "words",
    [
        TIDES,
        TIDES.upper(),
        "the tide at the old quay runs two hours late, and every pilot",
        "“The tide at the old quay runs two hours late …”",
        "The tide at the old quay [...] and every pilot in the harbour knows it",
        "runs two hours late, and every",
        "two hours late [...] pilot in the harbour knows it",
        "The tide at the old quay runs two hours late, and every pilot in teh harbour knows it by heart.",
        "The tide at the **old quay** runs\n> two hours late, and every pilot in the harbour knows it by heart.",
    ],
)
def test_words_are_found_whatever_became_of_marks_capitals_and_letters(words: str) -> None:
    assert linked(comment("a", f"Well.\n\n{TIDES} So I wait."), comment("b", CLOCK), quoting("q", words)) == {
        "q": ["a"]
    }


@pytest.mark.parametrize(
    "words",
    [
        "The tide at the new quay never runs late, whatever any pilot of the harbour says to you.",
        "runs two hours late",
        "Nothing of this stands anywhere else in the corpus at all.",
        "!!!",
    ],
)
def test_other_words_and_a_few_words_are_not_linked(words: str) -> None:
    assert linked(comment("a", TIDES), quoting("q", words)) == {"q": []}


def test_a_few_words_are_linked_to_the_comment_that_is_answered() -> None:
    assert linked(comment("a", TIDES), comment("b", TIDES), quoting("q", "runs two hours late", parent_id="b")) == {
        "q": ["b"]
    }


def test_another_comment_that_quotes_the_same_words_is_not_their_source() -> None:
    assert linked(quoting("p", TIDES, parent_id="x"), comment("a", TIDES), quoting("q", TIDES)) == {
        "p": ["a"],
        "q": ["a"],
    }
    assert linked(quoting("p", TIDES), quoting("q", TIDES)) == {"p": [], "q": []}


def test_what_was_written_later_is_not_quoted() -> None:
    then, now = datetime(2020, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
    assert linked(comment("a", TIDES, posted_at=now), quoting("q", TIDES, posted_at=then)) == {"q": []}
    assert linked(comment("a", TIDES, posted_at=then), quoting("q", TIDES, posted_at=now)) == {"q": ["a"]}


def test_of_several_the_answered_comment_comes_first_then_the_oldest() -> None:
    old, new = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    several = [comment("a", TIDES, posted_at=new), comment("b", TIDES, posted_at=old), comment("c", TIDES)]
    assert linked(*several, quoting("q", TIDES)) == {"q": ["b"]}
    assert linked(*several, quoting("q", TIDES, parent_id="c")) == {"q": ["c"]}


def test_each_of_several_quotations_has_its_own_source() -> None:
    text = f"{TIDES}\nYes.\n{CLOCK}\nNo."
    both = comment("q", text, [(0, len(TIDES)), (text.index(CLOCK), text.index(CLOCK) + len(CLOCK))])
    assert linked(comment("a", TIDES), comment("b", CLOCK), both) == {"q": ["a", "b"]}


def test_whatever_has_six_words_in_common_shares_a_fingerprint() -> None:
    rng = random.Random(3)
    words = [f"w{rng.randrange(40)}" for _ in range(300)]
    kept = winnowed(fingerprints(words))
    assert all(kept & set(fingerprints(words[at : at + 6])) for at in range(len(words) - 6))
    assert len(kept) < 0.6 * len(words)


def test_the_least_like_part_of_a_quotation_counts() -> None:
    text = "the tide at the old quay runs two hours late"
    assert similarity([["the", "tide"], ["two", "hours"]], text) == 100.0
    assert similarity([["the", "tide"], ["two", "minutes"]], text) == 0.0


# --- ingest -----------------------------------------------------------------------------------------------------------


def rows() -> list[dict]:
    return [
        {"id": "a", "author": "Ada Byron", "text": TIDES},
        {"id": "q", "author": "Bo Lind", "text": f"> {TIDES}\n\nI doubt that very much."},
        {"id": "z", "author": "Bo Lind", "text": CLOCK},
    ]


def quotes(settings: Settings) -> dict[str, tuple[Quotation, ...]]:
    return {each.id: each.quotes for each in rag.comments(settings=settings)}


def test_links_stand_on_comments_and_passages_and_follow_what_changes(tmp_path: Path, settings: Settings) -> None:
    """The words are quoted, then edited away, then back, and at last their comment is gone."""
    found = (Quotation(0, len(TIDES) + 2, "a"),)
    ingest_rows(tmp_path, rows(), settings)
    assert quotes(settings) == {"a": (), "q": found, "z": ()}
    (passage,) = (each for each in rag.search("doubt very much", settings=settings) if each.comment_id == "q")
    assert passage.quotes == found
    assert passage.text[found[0].start : found[0].end] == f"> {TIDES}"

    edited = rows()
    edited[0]["text"] = "I have taken this back, all of it."
    report = ingest_rows(tmp_path, edited, settings)
    assert quotes(settings)["q"] == ()
    assert (report.counts["changed"], report.counts["embedded"]) == (1, 1)

    ingest_rows(tmp_path, rows(), settings)
    assert quotes(settings)["q"] == found

    ingest_rows(tmp_path, rows()[1:], settings)
    assert quotes(settings) == {"q": (), "z": ()}


def test_an_answer_read_before_what_it_quotes_is_linked_later(tmp_path: Path, settings: Settings) -> None:
    ingest.ingest([write_rows(tmp_path / "late.jsonl", rows()[1:])], settings=settings)
    assert quotes(settings)["q"] == ()
    ingest.ingest([write_rows(tmp_path / "early.jsonl", rows()[:1])], settings=settings)
    assert [quote.comment_id for quote in quotes(settings)["q"]] == ["a"]


@pytest.mark.slow
def test_time_of_a_quotation_does_not_grow_with_the_corpus() -> None:
    """Among 5,000 comments that share many phrases, filing one and looking one up takes milliseconds."""
    rng = random.Random(5)
    phrases = [" ".join(f"w{rng.randrange(3000)}" for _ in range(12)) for _ in range(100)]
    known: dict[str, Comment] = {}
    quotations = Quotations(Corpus(Path(":memory:")), known.get)
    start = time.process_time()
    for number in range(5_000):
        own = " ".join(f"x{rng.randrange(50_000)}" for _ in range(20))
        text = ". ".join([rng.choice(phrases), own, rng.choice(phrases)])
        known[f"c{number}"] = comment(f"c{number}", text)
        quotations.update(f"c{number}", known[f"c{number}"])
    assert time.process_time() - start < 10
    start = time.process_time()
    for number in range(0, 5_000, 50):
        words = known[f"c{number}"].text.split(". ")
        answer = replace(quoting("q", f"{words[0]}. {words[1]}"), id="q")
        assert [quote.comment_id for quote in quotations.find(answer)] == [f"c{number}"]
    assert time.process_time() - start < 10


def test_a_sentence_that_many_quote_is_listed_once_where_it_was_said(index_of: IndexOf) -> None:
    rows = [{"id": "src", "author": "Ada", "text": f"As the log shows: {TIDES}"}]
    replies = ["That is wrong.", "Really? I doubt it.", "Me too.", "Plainly wrong, captain."]
    rows += [{"id": f"q{n}", "author": f"P{n}", "text": f"> {TIDES}\n\n{reply}"} for n, reply in enumerate(replies)]
    rows.append(
        {"id": "own", "author": "Cy", "text": f"> {TIDES}\n\nMy grandfather kept the gauge and saw no delay at all."}
    )
    settings = index_of(rows)
    hits = rag.search("How late does the tide run at the old quay?", limit=10, settings=settings)
    assert sorted(hit.comment_id for hit in hits) == ["own", "src"]
    (hit,) = rag.search(
        "How late does the tide run, as P0 quotes it?", settings=settings, filters=rag.Filters(authors=("P0",))
    )
    assert hit.comment_id == "q0"


def test_a_rebuild_forgets_the_words_of_comments_that_are_gone(settings: Settings, tmp_path: Path) -> None:
    ingest_rows(tmp_path, rows(), settings)
    ingest_rows(tmp_path, rows()[:1], settings, rebuild=True)
    with Store.open(settings).corpus.connection as connection:
        kept = [row["comment_id"] for row in connection.execute("SELECT comment_id FROM wordings")]
    assert kept == ["a"]
