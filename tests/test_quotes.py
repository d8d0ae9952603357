"""Words in quotation marks: found exactly where they stand, moved there, or no quotation any more."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from planted import Planted, faults, harmless, passages_from

from rag.citations.attribution import Speakers
from rag.citations.keys import assign_keys
from rag.citations.markers import MarkerStream
from rag.citations.normalising import normalise
from rag.citations.phrase_search import Wanted
from rag.citations.printing import CitedText
from rag.citations.quotation_marks import find_quotations
from rag.citations.quotes import QuoteBook
from rag.language.sentences import split_sentences
from rag.records import Comment, Passage, Span

from conftest import SAMPLE  # isort: skip

A = Passage(
    "a", "a", "Ann Lee",
    "Cats sleep a lot, and nobody minds. Dogs bark at the moon.  Birds can't swim well. "
    "He said that owls are wise. I doubt it; 46% disagree, or 1.5 of 3.",
    "farm.txt", 0, 150, quoted=((83, 110),), title="On Beasts",
)  # fmt: skip
B = Passage(
    "b", "b", "bob_marsh", "Moon moves sea by gravity alone.\nSun helps a little — say half.", "farm.txt", 200, 264
)
KEYS = assign_keys([A, B], rng=random.Random(3))
A1, A2, A3, A4, A5, *_ = KEYS
B1, B2 = list(KEYS)[-2:]


def read(reply: str, **options: object) -> CitedText:
    stream = MarkerStream(KEYS, QuoteBook([A, B], **options))  # type: ignore[arg-type]
    stream.feed(reply)
    return stream.finish()


def test_a_true_quotation_stays() -> None:
    cited = read(f"Ann says “cats sleep a lot” [{A1}].")
    (check,) = cited.quotes
    assert cited.text == "Ann says “cats sleep a lot” [1]."
    assert (check.verdict, check.spans) == ("verbatim", (Span("farm.txt", 0, 16),))
    assert cited.text[check.start : check.end] == check.phrase == "cats sleep a lot"


def test_a_quotation_cited_to_the_wrong_comment_is_moved() -> None:
    cited = read(f"It is known that “Moon moves sea by gravity alone” [{A1}].")
    (citation,) = cited.citations
    assert (citation.passage, citation.quote, citation.verdict) == (B, "Moon moves sea by gravity alone.", "repointed")
    assert cited.quotes[0].verdict == "repointed"
    assert cited.quotes[0].reason == "These words stand in another comment, by bob_marsh."


def test_a_marker_keeps_its_other_comments_when_a_quotation_is_moved() -> None:
    cited = read(f"“Sun helps a little” and dogs bark. [{A2}] Also “cats sleep a lot” [{B1}, {A2}].")
    assert [(c.passage.id, c.quote) for c in cited.citations] == [
        ("b", "Moon moves sea by gravity alone.\nSun helps a little — say half."),
        ("a", "Cats sleep a lot, and nobody minds. Dogs bark at the moon."),
    ]


def test_an_invented_quotation_loses_its_marks() -> None:
    cited = read(f'Bob says "dogs never bark" [{B1}].')
    assert cited.text == "Bob says dogs never bark [1]."
    assert [(check.verdict, check.reason) for check in cited.quotes] == [
        ("nowhere", "These words stand in none of the comments.")
    ]


def test_one_word_that_the_cited_comment_lacks_is_no_quotation() -> None:
    assert read(f"Ann calls it “gravity” [{A1}].").text == "Ann calls it gravity [1]."
    assert read("It is called “gravity”.").citations == ()
    assert read(f"bob_marsh calls it “gravity” [{B1}].").text == "bob_marsh calls it “gravity” [1]."


def test_an_invented_block_quotation_is_plain_text() -> None:
    cited = read(f"> Moon moves sea by gravity alone.\n\n> Moon moves sea by magic.\n\nSo it is [{B1}].")
    assert cited.text == "> Moon moves sea by gravity alone. [1]\n\nMoon moves sea by magic.\n\nSo it is [1]."


def test_words_of_the_question_are_named_as_such() -> None:
    cited = read("On “lunar cats” nothing is said.", question="What about lunar cats?")
    assert cited.text == "On lunar cats nothing is said."
    assert cited.quotes[0].reason == "These are words of the question, not of a comment."


def test_a_true_quotation_without_marker_gets_one() -> None:
    cited = read("She wrote “cats sleep a lot”, once.")
    assert cited.text == "She wrote “cats sleep a lot” [1], once."
    assert cited.citations[0].quote == "Cats sleep a lot, and nobody minds."


def test_a_quotation_from_another_sentence_of_the_cited_comment_becomes_part_of_the_evidence() -> None:
    (citation,) = read(f"“Dogs bark at the moon” [{A1}].").citations
    assert (citation.quote, citation.verdict) == (
        "Cats sleep a lot, and nobody minds. Dogs bark at the moon.",
        "verbatim",
    )


@pytest.mark.parametrize("name", ["Bob", "bob_marsh", "Bob Marsh", "Torvald Quist", "Yudkowsky"])
@pytest.mark.parametrize(
    "sentence",
    ["{} says “cats sleep a lot” [{}].", "According to {}, “cats sleep a lot” [{}].", "{}: “cats sleep a lot” [{}]."],
)
def test_words_under_a_wrong_name_are_corrected(name: str, sentence: str) -> None:
    cited = read(sentence.format(name, A1))
    assert "“cats sleep a lot” (words of Ann Lee) [1]" in cited.text
    assert cited.quotes[0].verdict == "repointed"


@pytest.mark.parametrize("name", ["Ann", "Ann Lee", "ann lee", "Lee", "She", "The author", "One commenter", "This"])
def test_words_under_the_right_name_are_left_alone(name: str) -> None:
    text = f"{name} says “cats sleep a lot”"
    assert read(f"{text} [{A1}].").text == f"{text} [1]."


def test_words_that_an_author_only_quotes_are_not_hers() -> None:
    cited = read(f"Ann Lee says “owls are wise” [{A4}].")
    assert cited.text == "Ann Lee says “owls are wise” (somebody else's words, quoted by Ann Lee) [1]."
    assert cited.quotes[0].verdict == "repointed"
    assert read(f"Somebody holds that “owls are wise” [{A4}].").quotes[0].verdict == "verbatim"


def test_a_hostile_name_is_no_markup() -> None:
    hostile = Passage("h", "h", "[1](http://e.example)<img>", "Geese are loud birds.", "x", 0, 21)
    keys = assign_keys([hostile])
    stream = MarkerStream(keys, QuoteBook([hostile]))
    stream.feed(f"Bert Klop says “geese are loud” [{next(iter(keys))}].")
    assert stream.finish().text == "Bert Klop says “geese are loud” (words of 1httpe.exampleimg) [1]."


def test_the_title_of_a_post_is_no_quotation() -> None:
    cited = read(f"In “On Beasts” cats sleep [{A1}].")
    assert (cited.text, cited.quotes) == ("In “On Beasts” cats sleep [1].", ())


def test_the_index_is_asked_for_words_that_are_not_at_hand() -> None:
    text = "Preface. Geese guard the yard at night."
    geese = Comment("g", "Cleo", text, (Span("more.txt", 10, 10 + len(text)),))
    asked: list[str] = []

    def lookup(phrase: str) -> list[Comment]:
        asked.append(phrase)
        return [geese]

    cited = read(f"“Geese guard the yard” [{A1}]. “Cats sleep a lot” [{A1}].", lookup=lookup)
    assert asked == ["Geese guard the yard"]
    first = cited.citations[0]
    assert (first.quote, first.source, first.start, first.verdict) == (
        "Geese guard the yard at night.",
        "more.txt",
        19,
        "repointed",
    )


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("“a b” and \"c d\" and ‘e f’ and 'g h i'", ["a b", "c d", "e f", "g h i"]),
        ("don't, it's the dogs' and cats’ 5\" pipe", []),
        ("“she said ‘no’ to it”", ["she said ‘no’ to it"]),
        ("«oui» „ja“ 「はい」", ["oui", "ja", "はい"]),
        ("> whole line\nnot this", ["whole line"]),
        ("> “whole line”", ["whole line"]),
        ("an “unclosed one", []),
        ("two “on\nlines”", []),
        ("“one\u2028line”", ["one\u2028line"]),
        ("> a \u2028whole\x0bline", ["a \u2028whole\x0bline"]),
        ("> one\r\n> two\r\nnot this", ["one", "two"]),
        ("“nested “twice” here”", ["nested “twice” here"]),
        ("“lost “found”", ["found"]),
    ],
)
def test_what_counts_as_a_quotation(text: str, phrases: list[str]) -> None:
    assert [phrase.text for phrase in find_quotations(text)] == phrases


@pytest.mark.parametrize(
    ("phrase", "source"),
    [
        ("agree with Paul", "I disagree with Paul."),
        ("they can", "They can't."),
        ("swim well", "Birds cannot swim well."),
        ("we grew 5", "We grew 5%."),
        ("we grew 5", "We grew 5 million."),
        ("5 of them", "It was 1.5 of them."),
        ("20 things", "About 10-20 things."),
        ("5 degrees", "It was -5 degrees."),
        ("aligned systems", "Mostly non-aligned systems."),
        ("no risk", "It is a no risk-free bet."),
        ("It is true.", "It is true?"),
        ("one thing. Another thing", "One thing. No. Another thing."),
        ("we should all … deploy it at once", "We should all not deploy it at once."),
        ("it is safe … to ship the thing", "It is safe, but only fools dare to ship the thing."),
        ("ship the thing … it is safe", "It is safe to ship the thing."),
        ("we … deploy … it", "We do deploy and use it."),
        ("10 2 people", "There were 10² people."),
        ("x 2", "x²"),
        ("and the loop did", "It works, and the loop did not."),
        ("a 5' pipe", 'A 5" pipe.'),
    ],
)
def test_near_misses_are_refused(phrase: str, source: str) -> None:
    assert Wanted.of(phrase).find(normalise(source))[0] == []


@pytest.mark.parametrize(
    ("phrase", "source", "found"),
    [
        ("İstanbul’da it's", "x İstanbul'da it’s y", "İstanbul'da it’s"),
        ("a 👩‍👩‍👧 family", "So a 👩‍👩‍👧 family.", "a 👩‍👩‍👧 family"),
        ("two lines here", "Two\r\nlines\there.", "Two\r\nlines\there"),
        ("no break space", "no\u00a0break\u202fspace", "no\u00a0break\u202fspace"),
        ("caf\u00e9 au lait", "a cafe\u0301 au lait", "cafe\u0301 au lait"),
        ("cafe\u0301 au lait", "a caf\u00e9 au lait", "caf\u00e9 au lait"),
        ("the efficient office", "The e\ufb03cient o\ufb03ce", "The e\ufb03cient o\ufb03ce"),
        ("a very bold claim", "a **very** _bold_ claim", "a **very** _bold_ claim"),
        (
            "see the docs now",
            "see [the docs](https://x.example/a_(b)) now",
            "see [the docs](https://x.example/a_(b)) now",
        ),
        ("first point second point", "- first point\n- second point", "first point\n- second point"),
        ("words - and more", "words—and more", "words—and more"),
        ("10-20 cats", "10–20 cats", "10–20 cats"),
        ("[T]he whole thing,", "and the whole thing is", "the whole thing"),
        ("...the whole thing [...]", "and the whole thing is", "the whole thing"),
        ("super\u00adstition is\u200b bad", "superstition is bad", "superstition is bad"),
        ("he said 'no' twice", "He said “no” twice.", "He said “no” twice"),
        ("snake_case and 2 * 3", "a snake_case and 2 * 3 b", "snake_case and 2 * 3"),
        ("한국어 문장", "이 한국어 문장".encode().decode(), "한국어 문장"),
    ],
)
def test_the_span_is_exact_whatever_the_letters(phrase: str, source: str, found: str) -> None:
    ((start, end),), refused = Wanted.of(phrase).find(normalise(source))
    assert (source[start:end], refused) == (found, "")


def test_pieces_between_ellipses_are_spans_of_their_own() -> None:
    check = QuoteBook([A]).check("Cats sleep a lot … Dogs bark at the moon", [A])
    assert [A.text[s.start : s.end] for s in check.spans] == ["Cats sleep a lot", "Dogs bark at the moon"]
    assert check.verdict == "verbatim"


def test_the_reason_names_what_was_cut() -> None:
    book = QuoteBook([Passage("p", "p", "x", "We do not support the plan.", "s", 0, 27)])
    assert book.check("support the plan", []).reason == 'The phrase leaves out "not" right before it.'


# --- Planted ----------------------------------------------------------------------------------------------------------


def sample_passages() -> list[Passage]:
    """Sentences of the invented comments that ship with the project."""
    return passages_from([(path.stem, path.read_text(encoding="utf-8")) for path in sorted(SAMPLE.glob("*.txt"))])


def seed_passages(shared: Path) -> list[Passage]:
    """Sentences of real comments."""
    seeds = sorted((shared / "seeds").glob("*.txt"))
    return passages_from([(f"Author {number}", path.read_text(encoding="utf-8")) for number, path in enumerate(seeds)])


def assert_no_fault_passes(passages: list[Passage]) -> None:
    book = QuoteBook(passages)
    planted = list(faults(passages, random.Random(1)))
    kinds = Counter(fault.kind for fault in planted)
    assert len(planted) >= 300, kinds
    assert set(kinds) == {
        *("negation flipped", "number changed", "name changed", "author swapped"),
        *("two sentences merged", "words from another comment"),
    }
    accepted = [fault for fault in planted if _verdict(book, fault) == "verbatim"]
    assert accepted == []


def assert_no_true_quote_is_refused(passages: list[Passage]) -> None:
    book = QuoteBook(passages)
    planted = list(harmless(passages, random.Random(2)))
    assert len(planted) >= 300
    refused = [true for true in planted if _verdict(book, true) != "verbatim"]
    assert refused == []


def _verdict(book: QuoteBook, planted: Planted) -> str:
    speakers = Speakers(strangers=(planted.author,)) if planted.author else None
    return book.check(planted.phrase, [planted.passage], speakers).verdict


@pytest.mark.slow
def test_no_planted_fault_passes() -> None:
    assert_no_fault_passes(sample_passages())


@pytest.mark.slow
def test_no_true_quote_is_refused() -> None:
    assert_no_true_quote_is_refused(sample_passages())


@pytest.mark.slow
def test_no_planted_fault_in_real_comments_passes(shared: Path) -> None:
    assert_no_fault_passes(seed_passages(shared))


@pytest.mark.slow
def test_no_true_quote_of_real_comments_is_refused(shared: Path) -> None:
    assert_no_true_quote_is_refused(seed_passages(shared))


@pytest.mark.slow
def test_no_planted_fault_reaches_the_reader_as_a_quotation() -> None:
    """The same faults, this time in whole sentences that a model streams, with quotation marks, a name and a key."""
    passages = sample_passages()[:40]
    keys = assign_keys(passages)
    first_key = {}
    for key, keyed in keys.items():
        first_key.setdefault(keyed.passage.id, key)
    book = QuoteBook(passages)
    wrong = []
    for fault in faults(passages, random.Random(5)):
        phrase = " ".join(fault.phrase.translate({ord(mark): None for mark in '“”"«»„'}).split())
        stream = MarkerStream(keys, book)
        stream.feed(f"{fault.author or 'The comment'} says “{phrase}” [{first_key[fault.passage.id]}].\n")
        cited = stream.finish()
        marked = "“" in cited.text
        named = f"(words of {fault.passage.author})" in cited.text
        moved = any(citation.passage.id != fault.passage.id for citation in cited.citations)
        if marked and not (named or moved):
            wrong.append((fault, cited.text))
    assert wrong == []


def test_sentences_of_the_sample_are_plenty() -> None:
    """The counts above rest on this many sentences."""
    assert sum(len(split_sentences(passage.text)) for passage in sample_passages()) >= 100
