"""A comment -> its passages, with the quotations, gaps and sentences in each. Does not write them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ingest.chunking import chunk
from ingest.formulas import protected_ranges
from rag.records import Comment, Passage, Quotation, Range

if TYPE_CHECKING:
    from rag.models.embedding import Embedder


def passages_of(comment: Comment, embedder: Embedder) -> Iterator[tuple[Passage, tuple[Range, ...]]]:
    """The passages of a comment with the windows to be embedded beside each."""
    best = comment.sightings[0]
    chunks = chunk(
        comment.text,
        token_spans=embedder.token_spans,
        max_tokens=embedder.max_tokens,
        protected=protected_ranges(comment.text),
    )
    for part in chunks:
        text = comment.text[part.start : part.end]
        passage = Passage(
            id="p" + digest(comment.id, part.start, text),
            comment_id=comment.id,
            author=comment.author,
            text=text,
            source=best.source,
            start=best.start + part.start,
            end=best.start + part.end,
            url=comment.url,
            posted_at=comment.posted_at,
            kind=comment.kind,
            title=comment.title,
            label=comment.label,
            quoted=_inside(comment.quoted, part.start, part.end),
            gaps=tuple(gap - part.start for gap in comment.gaps if part.start <= gap < part.end),
            sentences=part.sentences,
            border_confidence=comment.border_confidence,
            parent_id=comment.parent_id,
            quotes=_quotes_inside(comment.quotes, part.start, part.end),
        )
        yield passage, part.windows


def _inside(ranges: Sequence[Range], start: int, end: int) -> tuple[Range, ...]:
    """The parts of ranges between two offsets, counted from the first of them."""
    return tuple((max(a, start) - start, min(b, end) - start) for a, b in ranges if a < end and b > start)


def _quotes_inside(quotes: Sequence[Quotation], start: int, end: int) -> tuple[Quotation, ...]:
    """The parts of quotations between two offsets, counted from the first of them."""
    return tuple(
        Quotation(max(quote.start, start) - start, min(quote.end, end) - start, quote.comment_id)
        for quote in quotes
        if quote.start < end and quote.end > start
    )


def digest(*values: object) -> str:
    """A name for what these values are, the same on every machine."""
    joined = "\x1f".join(str(value) for value in values)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:20]
