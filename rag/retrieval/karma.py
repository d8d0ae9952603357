"""What was rated highest or lowest: by karma over the whole index, as likeness to a question tells nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.index.lexical import stems
from rag.question.query import Query
from rag.records import Filters, Passage
from rag.retrieval.hybrid import LOADED
from rag.retrieval.near_duplicates import distinct

if TYPE_CHECKING:
    from rag.index.store import Store


def ranked_by_karma(store: Store, query: Query, allowed: Filters, limit: int) -> tuple[Passage, ...]:
    """The passages on the topic whose comments have the highest karma, or the lowest; none where no karma is known.

    Args:
        store: The index.
        query: The question, with `ranked`; of its topic a passage must have each word.
        allowed: Which comments count.
        limit: Most passages.
    """
    among = store.holding(query.topic, allowed) if stems(query.topic) else None
    karma = store.corpus.by_karma(allowed, LOADED + limit, highest=query.ranked == "highest", among=among)
    passages = store.passages(list(karma), score=dict.fromkeys(karma, 1.0))
    kept = [replace(passages[id], karma=value) for id, value in karma.items() if id in passages]
    return tuple(distinct([passage for passage in kept if passage.byline not in query.others_than], limit))
