"""Who uses a word in comments of their own: counted over the whole index, of which a search brings but a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rag.index.stored_records import load_passage
from rag.question.query import Query
from rag.records import Filters, Passage
from rag.retrieval.hybrid import LOADED, times
from rag.retrieval.literal import Telling, own_words

if TYPE_CHECKING:
    from rag.index.store import Store

IN_TIME = 4
"""Authors quoted where it is asked who was the first or the last to mention something."""

LEADING = 5
"""Authors named where it is asked who mentions something most."""


@dataclass(frozen=True, slots=True)
class Use:
    """A passage of a comment whose author uses the words themselves."""

    passage: str
    comment: str
    author: str
    posted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Mentions:
    """How much of the whole index mentions something, which is more than a search brings."""

    terms: tuple[str, ...]
    """Alternatives, any of which counts."""
    comments: int
    authors: int
    leading: tuple[tuple[str, int], ...] = ()
    """Who mentions it in most comments, and in how many, where that is asked for."""
    never: bool = False
    """Whether it is asked who does not mention it."""
    without: tuple[str, ...] = ()
    """These are they."""


def uses(store: Store, query: Query, sign: Telling, allowed: Filters) -> list[Use]:
    """All uses of the words in question in the whole index, in its order; nobody mentions themselves.

    Args:
        store: The index.
        query: The question, understood.
        sign: What must be said.
        allowed: Where to look.
    """
    holding = dict.fromkeys(
        id for term in sign.terms for one in times(query, allowed) for id in store.holding(term, one)
    )
    return [
        Use(passage, comment, author, posted_at)
        for passage, comment, author, posted_at, quoting in store.corpus.comments_of(list(holding))
        # What somebody only quotes is said by another.
        if author not in _silent(query)
        and not (query.undated and posted_at)
        and (not quoting or sign.whole(own_words(load_passage(quoting))))
    ]


def possible_users(store: Store, query: Query, allowed: Filters) -> list[str]:
    """Everybody who wrote a comment that may be searched."""
    wrote = {author for author, _ in store.authors(*times(query, allowed))}
    return sorted(wrote.difference(_silent(query)))


def _silent(query: Query) -> tuple[str, ...]:
    """Whose own words do not count."""
    return (*query.mentioned, *query.others_than)


def counted(sign: Telling, found: Sequence[Use], everybody: Sequence[str]) -> Mentions:
    """How many comments and authors these uses are of; `everybody` are those who might have."""
    of_each = Counter(dict(sorted({use.comment: use.author for use in found}.items())).values())
    leading = sorted(of_each.items(), key=lambda item: (-item[1], item[0])) if sign.most else []
    without = [author for author in everybody if author not in of_each] if sign.never else []
    return Mentions(sign.terms, of_each.total(), len(of_each), tuple(leading[:LEADING]), sign.never, tuple(without))


def passages_of(
    store: Store, query: Query, found: Sequence[Use], hits: Sequence[Passage], mentions: Mentions
) -> list[Passage]:
    """Passages of those who use a word: the nearest, and one of each author; by date or number where that is asked for.

    Args:
        store: The index.
        query: The question, understood.
        found: All uses.
        hits: Those that a search for the question brought, best first.
        mentions: What was counted of them.
    """
    if query.newest or query.oldest:
        first = [use.passage for use in _in_time(found, newest=query.newest)][:IN_TIME]
        return _loaded(store, first) or list(hits)
    if query.people:
        return list(hits) or _loaded(store, [use.passage for use in found[:LOADED]])
    known = {hit.byline for hit in hits}
    others = {use.author: use.passage for use in reversed(found) if use.author not in known}
    each = _one_of_each([*hits, *_loaded(store, sorted(others.values())[:LOADED])])
    place = {author: place for place, (author, _) in enumerate(mentions.leading)}
    return sorted(each, key=lambda passage: place.get(passage.byline, len(place)))


def _in_time(found: Sequence[Use], *, newest: bool) -> list[Use]:
    """The first use of each author by date, or the last; without those that carry no date."""
    dated = sorted(((use.posted_at, use) for use in found if use.posted_at), key=lambda pair: pair[0], reverse=newest)
    first: dict[str, Use] = {}
    for _, use in dated:
        first.setdefault(use.author, use)
    return list(first.values())


def _loaded(store: Store, ids: Sequence[str]) -> list[Passage]:
    """Passages in the order of their ids."""
    passages = store.passages(ids)
    return [passages[id] for id in ids if id in passages]


def _one_of_each(passages: Sequence[Passage]) -> list[Passage]:
    """The first passage of each author before all others."""
    first = {passage.byline: passage for passage in reversed(passages)}
    return [
        *(passage for passage in passages if first[passage.byline] is passage),
        *(passage for passage in passages if first[passage.byline] is not passage),
    ]
