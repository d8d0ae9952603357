"""Who mentions something in the whole index, which is more than a search brings.

Which questions ask for it is told by literal.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.question.query import Query
from rag.records import Filters, Passage
from rag.retrieval.hybrid import LOADED

if TYPE_CHECKING:
    from rag.index.store import Store


@dataclass(frozen=True, slots=True)
class Mentions:
    """How much of the whole index mentions something, which is more than a search brings."""

    term: str
    comments: int
    by_author: tuple[tuple[str, int], ...]
    """Who mentions it and in how many comments, most first."""


def further_mentions(
    store: Store, query: Query, term: str, allowed: Filters, hits: Sequence[Passage]
) -> tuple[Mentions | None, list[Passage]]:
    """How much mentions a term, and a passage of each author who does and is not among those found."""
    rows = [
        row
        for row in store.corpus.comments_of(store.holding(term, allowed))
        if row[2] not in query.mentioned and row[2] not in query.others_than
    ]
    if not rows:
        return None, []
    first: dict[str, str] = {}
    comments: dict[str, set[str]] = {}
    for passage, comment, author in rows:
        first.setdefault(author, passage)
        comments.setdefault(author, set()).add(comment)
    counts = sorted(((author, len(own)) for author, own in comments.items()), key=lambda one: (-one[1], one[0]))
    others = [first[author] for author in first.keys() - {hit.byline for hit in hits}]
    passages = store.passages(sorted(others)[:LOADED])
    return Mentions(term, sum(count for _, count in counts), tuple(counts)), list(passages.values())


def one_of_each(passages: Sequence[Passage]) -> list[Passage]:
    """The first passage of each author before all others."""
    first = {passage.byline: passage for passage in reversed(passages)}
    return [
        *(passage for passage in passages if first[passage.byline] is passage),
        *(passage for passage in passages if first[passage.byline] is not passage),
    ]
