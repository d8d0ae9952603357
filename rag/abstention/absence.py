"""Why nothing was found, in the reader's language: people who are not indexed, filters that let nothing through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.answering.wording import inert
from rag.language.phrases import Phrases
from rag.records import Filters

if TYPE_CHECKING:
    from rag.index.store import Store
    from rag.question.query import Query


def reasons(query: Query, filters: Filters | None, store: Store, phrases: Phrases, *, excluded: bool) -> list[str]:
    """Sentences, with names made inert; none if the comments just do not answer.

    Args:
        query: The question, understood.
        filters: Those of the caller.
        store: The index.
        phrases: In the reader's language.
        excluded: Whether nothing at all passed the filters and what the question itself says about authors and dates.
    """
    said = []
    if query.unknown_authors:
        names = phrases.joined([inert(name) for name in query.unknown_authors])
        if query.labels:
            profiles = ", ".join(map(inert, query.labels))
            said.append(phrases.say("nobody_unsigned", names=names, profiles=profiles))
        else:
            said.append(phrases.say("nobody", names=names))
    return said + (list(_excluding(query, filters or Filters(), store, phrases)) if excluded else [])


def _excluding(query: Query, filters: Filters, store: Store, phrases: Phrases) -> Iterator[str]:
    """Names that nothing here has; else all limits, which only together let nothing through."""
    nobody = filters.authors and not store.holds(Filters(authors=filters.authors))
    nowhere = filters.sources and not store.holds(Filters(sources=filters.sources))
    if nobody:
        yield phrases.say("nobody", names=phrases.joined([inert(name) for name in filters.authors]))
    if nowhere:
        yield phrases.say("no_source", names=phrases.joined([inert(name) for name in filters.sources]))
    named = Filters(query.authors, query.since, query.until)
    limits = dict.fromkeys([*_limits(filters, phrases), *_limits(named, phrases)])
    if limits and not nobody and not nowhere:
        yield phrases.say("outside", limits="; ".join(limits))


def outside(filters: Filters, phrases: Phrases) -> str:
    """That no comment fits the filters; empty if they limit nothing."""
    limits = "; ".join(_limits(filters, phrases))
    return phrases.say("outside", limits=limits) if limits else ""


def _limits(filters: Filters, phrases: Phrases) -> Iterator[str]:
    for names in (filters.authors, filters.sources):
        if names:
            yield phrases.joined([inert(name) for name in names])
    if filters.since:
        yield phrases.say("since", day=f"{filters.since.date()}")
    if filters.until:
        yield phrases.say("until", day=f"{filters.until.date()}")
