"""What was rated highest or lowest: by karma over the whole index, as likeness to a question tells nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.index.lexical import stems
from rag.question.query import Query
from rag.records import Filters, Passage
from rag.retrieval.hybrid import LOADED, times
from rag.retrieval.literal import own_words
from rag.retrieval.near_duplicates import distinct

if TYPE_CHECKING:
    from rag.index.store import Store


def ranked_by_karma(store: Store, query: Query, allowed: Filters, limit: int) -> tuple[Passage, ...]:
    """The passages on the topic whose comments have the highest karma, or the lowest; none where no karma is known.

    Args:
        store: The index.
        query: The question, with `ranked`; each word of its topic must be among the passage's own.
        allowed: Which comments count.
        limit: Most passages.
    """
    topic = set(stems(query.topic))
    among = store.holding(query.topic, allowed) if topic else None
    karma = store.corpus.by_karma(times(query, allowed), LOADED + limit, highest=query.ranked == "highest", among=among)
    passages = store.passages(list(karma), score=dict.fromkeys(karma, 1.0))
    rated = [replace(passages[id], karma=value) for id, value in karma.items() if id in passages]
    rated = [one for one in rated if not (query.undated and one.posted_at)]
    own = [one for one in rated if one.byline not in query.others_than and topic <= set(stems(own_words(one)))]
    return tuple(distinct(own, limit))
