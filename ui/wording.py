"""Short texts of the page: dates, filters, bylines, verdicts, who answered, what is indexed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from rag.errors import RagError, StoreMissing
from rag.language.enumeration import counted
from rag.records import UNSURE_BORDER, Answer, Citation, Comment, Filters, IndexInfo, Passage
from ui.markup import button, escape, message_html, tag

ADD_SOME = "Add some on the Index tab."


def date_text(when: datetime | None) -> str:
    """A day in UTC, written as in answers made of quotes."""
    return when.date().isoformat() if when else ""


def month_text(day: date) -> str:
    """The month of a day: `%Y` alone drops the zeros of years before 1000."""
    return f"{day:%b} {day.year:04}"


def block_quotation(text: str, *, indent: str = "") -> str:
    """Words as markdown marks them as quoted. Only what ends a line in markdown does so here: not U+2028."""
    return "\n".join(f"{indent}> {line}".rstrip() for line in re.split(r"\r\n|\r|\n", text))


def filter_labels(filters: Filters) -> list[str]:
    """What a question was restricted to, one label each."""
    labels = list(filters.authors)
    if filters.since:
        labels.append(f"since {date_text(filters.since)}")
    if filters.until:
        labels.append(f"until {date_text(filters.until)}")
    return labels + list(filters.sources)


def byline_html(comment: Comment | Passage) -> str:
    """Author, date, thread and karma, as far as known; where the author is not, the file it stands in."""
    facts = [date_text(comment.posted_at)]
    if comment.title:
        facts.append(f"on “{comment.title}”")
    karma = getattr(comment, "karma", None)
    if karma is not None:
        facts.append(f"{karma:g} karma")
    if comment.kind == "profile":
        facts.append("profile page of an earlier snapshot" if comment.outdated else "profile page")
    if comment.author is None:
        source = comment.source if isinstance(comment, Passage) else comment.sightings[0].source
        facts.append(f"from {source}")
    shown = " · ".join(escape(fact) for fact in facts if fact)
    return tag("span", escape(comment.byline), class_="author") + tag("span", shown, class_="facts")


def read_filters(
    authors: Sequence[str] | None, since: str | None, until: str | None, sources: Sequence[str] | None
) -> Filters:
    """Filters from what stands in the fields of a form.

    Raises:
        FilterError: A date is none.
    """
    return Filters(authors or (), since, until, sources or ())


def problem_text(error: RagError, *, owned: bool) -> str:
    """An error in words for whoever has the page: only its owner can do something about an index that is missing."""
    if not isinstance(error, StoreMissing):
        return str(error)
    if owned:
        return f"No comments are indexed yet. {ADD_SOME}"
    return "There are no comments here yet: whoever runs this page has to add some."


def problem_html(error: RagError, *, owned: bool) -> str:
    """The same as HTML, and a click on where comments are added leads there."""
    said = message_html(problem_text(error, owned=owned)).replace(ADD_SOME, button("to-index", "", ADD_SOME))
    return tag("p", said, class_="note" if isinstance(error, StoreMissing) else "problem", role="status")


def who_answered(answer: Answer) -> str:
    """By whom the text was written, in words."""
    return "Quotes, no language model" if answer.model == "evidence" else f"Written by {answer.model}"


def verdict(citation: Citation, *, forged: bool = False) -> tuple[str, Literal["good", "care", "bad"]]:
    """What checking a citation found, in words, and how grave it is."""
    if forged:
        return "Not found in this index", "bad"
    if citation.verdict == "unsupported":
        return "Does not support the sentence", "bad"
    passage = citation.passage
    if any(citation.start <= passage.start + gap <= citation.end for gap in passage.gaps):
        return "Exact quote, but part of it, such as a formula, is missing here", "care"
    if any(
        passage.start + low <= citation.start and citation.end <= passage.start + high for low, high in passage.quoted
    ):
        return f"Exact quote of somebody whom {passage.byline} quotes", "care"
    if passage.border_confidence < UNSURE_BORDER:
        return "Exact quote, border of the comment uncertain", "care"
    if citation.verdict == "repointed":
        return "Exact quote, found in this comment rather than the one first cited", "care"
    return "Exact quote", "good"


def index_line(info: IndexInfo) -> str:
    """What is indexed, in a sentence."""
    authors = len(info.authors)
    text = counted(info.comments, "comment")
    if authors:
        text += f" by {counted(authors, 'author')}"
    if info.since and info.until:
        first, last = month_text(info.since), month_text(info.until)
        text += f", {first}" if first == last else f", {first} to {last}"
    return text


def answerer_line(model_name: str) -> str:
    """Who answers, in a sentence."""
    return "answers are exact quotes, no language model" if model_name == "evidence" else f"answers by {model_name}"
