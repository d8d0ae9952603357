"""What was written when: the ways to take the period of a question, the newest or oldest of what is on its topic.

Does not read dates out of questions: rag/question/periods.py does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rag.index.lexical import stems
from rag.question.periods import is_vague
from rag.question.query import Query, about_period, timeless
from rag.records import Filters, Passage
from rag.retrieval.hybrid import LOADED, HybridSearch, narrowed, times
from rag.retrieval.literal import own_words
from rag.retrieval.near_duplicates import distinct

if TYPE_CHECKING:
    from rag.index.store import Store

MOST_BEYOND = 5
"""How often what is newer than all found is sought: once more than enough unless more is on the topic than a search brings."""
BEGINNING = datetime.min.replace(tzinfo=UTC)


def datable(store: Store, query: Query, filters: Filters | None = None) -> list[Query]:
    """The ways to take the period of a question, the most literal first.

    Comments written then; if the period may be part of the topic, any comment, with the period in the question; at last
    those that carry no date. A way that no comment fits is left out, unless all are.
    """
    anytime = timeless(query)
    allowed = narrowed(filters, anytime)
    if allowed is None or not (query.since or query.until):
        return [query]
    then = narrowed(filters, query)
    ways = [query] if then and any(store.coverage(one).comments for one in times(query, then)) else []
    if not query.dates_certain:
        ways.append(about_period(query))
    known = store.coverage(replace(allowed, since=allowed.since or BEGINNING))
    if not known.comments or known.comments < store.coverage(allowed).comments:
        ways.append(replace(anytime, undated=True))
    return ways or [query]


def rests_on_unknown_dates(query: Query) -> bool:
    """Whether nothing but its date would make a comment the answer, among those that carry none: "What did Ann say in 2021?"."""
    return query.undated and not (query.compare or stems(query.topic) or is_vague(query.period))


def by_date(store: Store, query: Query, allowed: Filters, limit: int) -> tuple[Passage, ...]:
    """The newest passages, or the oldest: likeness to a question without a topic tells nothing of their time."""
    found = store.corpus.by_date(times(query, allowed), LOADED + limit, newest=query.newest)
    passages = store.passages(found, score=dict.fromkeys(found, 1.0))
    kept = [passages[id] for id in found if id in passages and passages[id].byline not in query.others_than]
    return tuple(distinct(kept, limit))


def in_time(
    hybrid: HybridSearch, query: Query, allowed: Filters, depth: tuple[int, int], pool: Sequence[Passage]
) -> list[Passage]:
    """The candidates, those on the topic by date: the nearest of them need not be the newest, nor the newest be among them."""
    topic = set(stems(query.topic))

    def on_topic(passages: Sequence[Passage]) -> list[Passage]:
        return [passage for passage in passages if passage.posted_at and topic <= set(stems(own_words(passage)))]

    found = further = on_topic(pool)
    for _ in range(MOST_BEYOND):
        dates = [passage.posted_at for passage in further if passage.posted_at]
        if not dates:
            break
        since = max(dates) + timedelta(microseconds=1) if query.newest else query.since
        until = query.until if query.newest else min(dates) - timedelta(microseconds=1)
        within = narrowed(allowed, replace(query, since=since, until=until))
        further = on_topic(hybrid.candidates(replace(query, times=()), query.text, within, depth)) if within else []
        found = [*found, *further]
    kept = {passage.id for passage in found}
    found = sorted(found, key=lambda p: p.posted_at or BEGINNING, reverse=query.newest)
    return [*found, *(passage for passage in pool if passage.id not in kept)]
