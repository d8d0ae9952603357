"""Facts in words: dates, filters, verdicts, who answered, what is indexed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from rag.records import Answer, Citation, Filters, IndexInfo

UNSURE_BORDER = 0.75
"""Below this `border_confidence` a card says that the comment may start or end elsewhere."""


def date_text(when: datetime | None) -> str:
    """A day as people write it, in UTC."""
    return f"{when.day} {when:%b %Y}" if when else ""


def filter_labels(filters: Filters) -> list[str]:
    """What a question was restricted to, one label each."""
    labels = list(filters.authors)
    if filters.since:
        labels.append(f"since {filters.since:%Y-%m-%d}")
    if filters.until:
        labels.append(f"until {filters.until:%Y-%m-%d}")
    return labels + list(filters.sources)


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
    text = f"{info.comments:,} comment{'s' if info.comments != 1 else ''}"
    if authors:
        text += f" by {authors:,} author{'s' if authors != 1 else ''}"
    if info.since and info.until:
        first, last = f"{info.since:%b %Y}", f"{info.until:%b %Y}"
        text += f", {first}" if first == last else f", {first} to {last}"
    return text


def answerer_line(model_name: str) -> str:
    """Who answers, in a sentence."""
    return "answers are exact quotes, no language model" if model_name == "evidence" else f"answers by {model_name}"
