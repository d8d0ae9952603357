"""What a reader sees of answers, citations and comments."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from rag.errors import FilterError
from rag.records import Answer, Citation, Comment, Coverage, Filters, IndexInfo, Passage, Span
from ui import sources
from ui.comments import charts_html, depth_of, in_reply_order, occurrences, periods_of, thread_of
from ui.conversations import Exchange
from ui.examples import examples
from ui.markup import escape
from ui.rendering import announcement, exchange_html, phase_of, plain_answer, question_text, question_typed
from ui.wording import block_quotation, byline_html, date_text, filter_labels, index_line, read_filters, verdict

from scripted import ATTACK, ScriptedAnswerer  # isort: skip


@pytest.fixture
def answered() -> Exchange:
    """A complete answer with three citations."""
    *_, answer = ScriptedAnswerer().stream("Why tides?", filters=Filters(authors=("Maren Holt",)))
    return Exchange("Why tides?", Filters(authors=("Maren Holt",)), answer, id="x1")


def visible(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.replace("&#10;", " "))).strip()


def test_every_citation_is_a_link_to_its_card(answered: Exchange) -> None:
    html = exchange_html(answered)
    panel = sources.panel_html(answered, ScriptedAnswerer().store)
    links = re.findall(r'<a class="cite[^"]*" href="#(s-x1-\d)">', html)
    assert links == ["s-x1-1", "s-x1-2", "s-x1-3"]
    assert re.findall(r'<article id="([^"]+)"', panel) == links


def test_the_filters_of_a_question_are_shown_with_its_answer(answered: Exchange) -> None:
    assert '<span class="chip">Maren Holt</span>' in exchange_html(answered)


def test_hostile_words_are_shown_and_inert(answered: Exchange) -> None:
    html = exchange_html(answered) + sources.panel_html(answered, ScriptedAnswerer().store)
    assert escape(ATTACK) in html
    assert not re.search(r"<(script|img|b>No)", html)
    assert "javascript:" not in html


def test_the_quote_is_marked_inside_its_whole_comment(answered: Exchange) -> None:
    panel = sources.panel_html(answered, ScriptedAnswerer().store)
    assert "I disagree. <mark>The shape of the coast decides more than the moon. &lt;script&gt;" in panel
    assert "</mark> Look at Bristol [3]." in panel


def test_the_comment_that_was_replied_to_is_folded_above_as_context(answered: Exchange) -> None:
    panel = sources.panel_html(answered, ScriptedAnswerer().store)
    assert re.findall(r"<summary>(.*?)</summary>", panel) == ["Context: replies to Maren Holt"]


def test_several_spans_under_one_number_are_all_marked(answered: Exchange) -> None:
    citation = answered.answer.citations[0]
    start = ScriptedAnswerer().store.source_text(citation.source).index("about half")
    more = replace(citation, more=(Span(citation.source, start, start + 10),))
    exchange = replace(answered, answer=replace(answered.answer, citations=(more,)))
    panel = sources.panel_html(exchange, ScriptedAnswerer().store)
    assert re.findall(r"<mark>(.*?)</mark>", panel) == ["Tides are mostly the moon.", "about half"]


def test_a_comment_that_is_gone_is_shown_as_the_passage_that_was_cited(answered: Exchange) -> None:
    index = ScriptedAnswerer().store
    index.kept.clear()
    panel = sources.panel_html(answered, index)
    assert "<mark>Tides are mostly the moon.</mark>" in panel


@pytest.mark.parametrize(
    ("start", "quoted", "gaps", "shown"),
    [
        (1, (), (), "Once: <mark>tides</mark> are the moon&#x27;s!"),
        (1, ((0, 4),), (), '<span class="quoted">Once</span>: <mark>tides</mark> are'),
        (7, ((0, 5),), (9,), 'Once: <span class="quoted"><mark>tides</mark></span> are<span class="gap"'),
    ],
    ids=["none", "from the beginning", "further on"],
)
def test_an_older_wording_is_shown_as_it_stands_in_the_cited_source(
    start: int, quoted: tuple, gaps: tuple, shown: str
) -> None:
    """The citation points into the second sighting; neither the first one's text nor its ranges belong there."""

    texts = {"new.txt": "Now I say tides are the moon's.", "old.txt": "#Once: tides are the moon's!"}

    class Index:
        def comment(self, id: str) -> Comment:
            sightings = (Span("new.txt", 0, 31), Span("old.txt", 1, 28))
            return Comment("c", "A", texts["new.txt"], sightings, quoted=((0, 9),), gaps=(3,))

        def source_text(self, source: str) -> str:
            return texts[source]

    passage = Passage("p", "c", "A", texts["old.txt"][start:], "old.txt", start, 28, quoted=quoted, gaps=gaps)
    citation = Citation(1, passage, "tides", "old.txt", 7, 12)
    exchange = Exchange("q", answer=Answer("q", "x [1]", (citation,)), id="x1")
    panel = sources.panel_html(exchange, Index())
    assert shown in panel
    assert (panel.count('"quoted"'), panel.count('"gap"')) == (len(quoted), len(gaps))


@pytest.mark.parametrize(
    ("change", "forged", "words"),
    [
        ({}, False, "Exact quote"),
        ({"verdict": "unsupported"}, False, "Does not support the sentence"),
        ({"verdict": "repointed"}, False, "Exact quote, found in this comment rather than the one first cited"),
        ({"passage": {"gaps": (3,)}}, False, "Exact quote, but part of it, such as a formula, is missing here"),
        ({"passage": {"gaps": (40,)}}, False, "Exact quote"),
        ({"passage": {"quoted": ((0, 30),)}}, False, "Exact quote of somebody whom Maren Holt quotes"),
        ({"passage": {"border_confidence": 0.4}}, False, "Exact quote, border of the comment uncertain"),
        ({}, True, "Not found in this index"),
    ],
)
def test_verdicts_in_words(answered: Exchange, change: dict, forged: bool, words: str) -> None:
    citation = answered.answer.citations[0]
    passage = replace(citation.passage, **change.pop("passage", {}))
    assert verdict(replace(citation, passage=passage, **change), forged=forged)[0] == words


def test_abstaining_shows_related_comments_as_related() -> None:
    *_, answer = ScriptedAnswerer().stream("gold?")
    exchange = Exchange("gold?", answer=answer, id="x1")
    html = exchange_html(exchange)
    assert "They do not answer the question" in html
    assert 'class="cite' not in html
    panel = sources.panel_html(exchange, ScriptedAnswerer().store, focus="r2")
    assert panel.count("Related, does not answer the question") == 3
    assert '<article id="s-x1-r2" class="card focused"' in panel


def test_phases_follow_what_has_arrived() -> None:
    first, second, _ = ScriptedAnswerer().stream("Why tides?")
    assert [phase_of(None), phase_of(first), phase_of(second)] == ["searching", "reading", "answering"]
    waiting = exchange_html(Exchange("Why?", answer=second), "answering")
    assert visible(waiting) == "Mostly the moon Answering…"
    stopped = Exchange("Why?", answer=first, stopped=True)
    assert visible(exchange_html(stopped)) == announcement(stopped) == "Stopped."


def test_a_problem_is_a_sentence_and_keeps_what_had_arrived() -> None:
    *_, partial = (answer for answer, _ in zip(ScriptedAnswerer().stream("Why tides?"), range(2), strict=False))
    html = exchange_html(Exchange("Why?", answer=partial, problem="The model broke off. Ask again."))
    assert visible(html).startswith("Mostly the moon The model broke off. Ask again.")


@pytest.mark.parametrize(
    "question", ["a < b & c", "<img src=x>", "![x](http://e)", "&lt; stays", "R&D &amp; <b", "**bold** _x_"]
)
def test_a_question_is_edited_as_it_was_typed(question: str) -> None:
    assert question_typed(question_text(question)) == question
    assert "<img" not in question_text(question)
    assert "![" not in question_text(question)


def test_what_does_nothing_is_not_escaped() -> None:
    assert question_text("R&D: is a < b?") == "R&D: is a < b?"


def test_an_answer_is_copied_with_its_sources(answered: Exchange) -> None:
    assert plain_answer(answered.answer).splitlines()[-3:] == [
        "[1] Maren Holt, 2023-03-04, https://forum.example/posts/abc/tides?commentId=c1",
        "[2] Ioan Petrescu, 2023-03-05, thread.jsonl#c2",
        "[3] an unnamed author, thread.jsonl#c3",
    ]


def test_what_a_reader_must_be_told_is_copied_too(answered: Exchange) -> None:
    told = replace(answered.answer, warnings=("These comments carry no dates.", "Their order is uncertain."))
    assert plain_answer(told).startswith(
        f"{told.text}\n\nThese comments carry no dates.\n\nTheir order is uncertain.\n\n[1] Maren Holt, "
    )


def test_a_quote_is_copied_with_author_date_and_link(answered: Exchange) -> None:
    assert sources.quotation(answered.answer.citations[0]) == (
        "> Tides are mostly the moon.\n\n— Maren Holt, 2023-03-04, https://forum.example/posts/abc/tides?commentId=c1"
    )


@pytest.mark.parametrize(
    ("words", "copied"),
    [
        ("One.\r\n\r\nTwo.", "> One.\n>\n> Two."),
        ("One.\rTwo.\n", "> One.\n> Two.\n>"),
        ("One\u2028line\x0bonly.", "> One\u2028line\x0bonly."),
    ],
)
def test_every_line_of_a_copied_quote_is_marked(words: str, copied: str) -> None:
    assert block_quotation(words) == copied


def test_a_byline_says_where_an_unnamed_comment_stands() -> None:
    comment = ScriptedAnswerer().store.comment("c3")
    assert visible(byline_html(comment)) == "an unnamed author from thread.jsonl#c3"
    comment = ScriptedAnswerer().store.comment("c1")
    assert visible(byline_html(comment)) == "Maren Holt 2023-03-04 · on “Why are there tides?” · 12 karma"


def test_scores_say_what_they_are(answered: Exchange) -> None:
    trace = sources.trace_html(answered)
    assert "Meaning: cosine between question and passage. Words: BM25 score." in visible(trace)
    assert "%" not in visible(trace)
    assert visible(trace).count("0.50 3.10 0.80") == 3


def test_a_screen_reader_hears_the_answer(answered: Exchange) -> None:
    assert announcement(answered).startswith("Answer with 3 sources. You asked about")
    assert announcement(Exchange("q", problem="No index.")) == "No index."
    quoted = replace(answered.answer, text="**salt\\_bae**, 2021:\n\n> Salt \\*last\\*. [1]")
    spoken = announcement(replace(answered, answer=quoted))
    assert spoken == "Answer with 3 sources. salt_bae, 2021:\n\nSalt *last*. [1]"


def test_filters_in_words() -> None:
    filters = read_filters(["A", "B"], "2023-01-01", " 2023-02-01 ", ["x.txt"])
    assert filter_labels(filters) == ["A", "B", "since 2023-01-01", "until 2023-02-01", "x.txt"]
    assert read_filters(None, "", None, []) == Filters()


def test_dates_of_callers_are_read_whole() -> None:
    assert read_filters([], "2024-01-31T23:00:00-05:00", "", []).since == datetime(2024, 2, 1, 4, tzinfo=UTC)
    with pytest.raises(FilterError, match="2024-01-311"):
        read_filters([], "", "2024-01-311", [])


def test_the_index_in_words() -> None:
    when = datetime(2023, 3, 4, tzinfo=UTC)
    info = IndexInfo(1200, 1300, (("A", 1), ("B", 2)), (), when, when, "m", when, "1")
    assert index_line(info) == "1,200 comments by 2 authors, Mar 2023"
    assert index_line(replace(info, comments=1, authors=(), since=None)) == "1 comment"


def test_examples_ask_about_what_is_there() -> None:
    def comment(id: str, author: str, text: str, title: str | None = None) -> Comment:
        return Comment(id, author, text, (Span("f", 0, 1),), title=title)

    comments = [
        comment("1", "Ann", "I like spring tides. Then spring tides are high.", "Why are there tides?"),
        comment("2", "Ann", "The spring tides of May, and a harbour."),
        comment("3", "Bob", "Bread is fine. Bread with butter and a harbour.", "On bread"),
    ]
    assert examples(comments) == [
        "Why are there tides?",
        "What does Ann say about spring tides?",
        "What do people say about “On bread”?",
    ]
    assert examples([]) == []


def test_a_thread_is_in_reply_order_even_with_a_circle() -> None:
    def comment(id: str, parent: str | None, day: int) -> Comment:
        when = datetime(2023, 1, day, tzinfo=UTC)
        return Comment(id, "A", id, (Span("f", 0, 1),), posted_at=when, parent_id=parent)

    thread = [
        comment("b", "a", 2), comment("a", None, 1), comment("c", "b", 4), comment("d", "a", 3),
        comment("x", "y", 5), comment("y", "x", 6), comment("z", "gone", 7), comment("self", "self", 8),
    ]  # fmt: skip
    order = in_reply_order(thread)
    assert [one.id for one in order] == ["a", "b", "c", "d", "z", "x", "y", "self"]
    assert [depth_of(order)[id] for id in ("a", "b", "c", "d", "z")] == [0, 1, 2, 1, 0]


def test_a_thread_has_parents_siblings_and_replies() -> None:
    index = ScriptedAnswerer().store
    assert [one.id for one in thread_of(index.comment("c2"), index)] == ["c1", "c2", "c3"]


def test_words_are_found_whatever_their_case() -> None:
    assert occurrences("The moon. MOON+sun", "moon sun") == [(4, 8), (10, 14), (15, 18)]
    assert occurrences("a+b", "") == []
    assert occurrences("naïve, nai\u0308ve, Straße, don’t", "naive STRASSE don't") == [
        (0, 5),
        (7, 13),
        (15, 21),
        (23, 28),
    ]


@pytest.mark.parametrize(
    ("first", "last", "count", "names"),
    [
        ((2023, 1), (2023, 3), 3, ("Jan 2023", "Mar 2023")),
        ((2022, 2), (2023, 11), 8, ("Jan to Mar 2022", "Oct to Dec 2023")),
        ((2019, 2), (2023, 11), 10, ("Jan to Jun 2019", "Jul to Dec 2023")),
        ((2015, 5), (2024, 1), 10, ("2015", "2024")),
        ((2005, 5), (2024, 1), 11, ("2004 to 2005", "2024 to 2025")),
        ((2023, 12), (2023, 12), 1, ("Dec 2023", "Dec 2023")),
        ((999, 12), (1000, 1), 2, ("Dec 0999", "Jan 1000")),
        ((1925, 1), (2024, 1), 11, ("1920 to 1929", "2020 to 2029")),
        ((1, 1), (2024, 1), 3, ("0001 to 0999", "2000 to 2999")),
    ],
)
def test_a_timeline_has_a_readable_number_of_columns(
    first: tuple[int, int], last: tuple[int, int], count: int, names: tuple[str, str]
) -> None:
    periods = periods_of(datetime(*first, 15), datetime(*last, 15))
    assert (len(periods), periods[0][0], periods[-1][0]) == (count, *names)
    assert all(left[2] < right[1] for left, right in pairwise(periods))


def test_what_was_written_in_a_period_is_counted() -> None:
    days = [(2022, 12, 31), (2023, 1, 1), (2023, 1, 31), (2023, 3, 5)]
    comments = [
        Comment(str(day), "A", "t", (Span("f", 0, 1),), posted_at=datetime(*day, 23, tzinfo=UTC)) for day in days
    ]
    chart = charts_html(comments)
    assert re.findall(r'value="([\d/-]+)".*?title="[^"]*: (\d+)"', chart) == [
        ("2022-12-01/2022-12-31", "1"), ("2023-01-01/2023-01-31", "2"), ("2023-02-01/2023-02-28", "0"),
        ("2023-03-01/2023-03-31", "1"),
    ]  # fmt: skip


def test_a_year_keeps_its_zeros() -> None:
    assert filter_labels(Filters(since="0999-03-01")) == ["since 0999-03-01"]
    assert date_text(datetime(87, 3, 4, tzinfo=UTC)) == "0087-03-04"


def test_coverage_is_said_under_the_answer(answered: Exchange) -> None:
    answer = replace(answered.answer, coverage=Coverage(33, 3))
    assert "searched 33 comments by 3 authors" in exchange_html(replace(answered, answer=answer))
