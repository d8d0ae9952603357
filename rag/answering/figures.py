"""Questions for a figure about somebody's comments that no comment tells: how many replies, how much karma."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rag.answering.wording import inert
from rag.index.lexical import stems
from rag.language.phrases import Phrases
from rag.question.query import Query
from rag.records import Filters
from rag.retrieval.hybrid import narrowed, times

if TYPE_CHECKING:
    from rag.index.store import Store


@dataclass(frozen=True, slots=True)
class Figure:
    """What is to be counted or added up."""

    of: Literal["replies", "karma"]
    by: tuple[str, ...] = ()
    """Whose comments; anybody's if empty."""
    to: tuple[str, ...] = ()
    """Whom they answer; anybody if empty."""


_REPLIES = re.compile(
    r"^\W*(?:how many|(?:what is )?the number of|count(?: the)?|how often)\b.*\b(?:repl(?:y|ies|ied)|respon(?:d|ds|ded|ses)|answers|answered)\b",
    re.I,
)
_WRITTEN = re.compile(
    r"\b(?:writ\w+|wrote|post(?:s|ed)?|makes?|made|gives?|gave|by|from)\b|\b(?:did|does|do|has|have)\b.*\b(?:reply|replied|respond(?:ed)?|answer(?:ed)?)\b",
    re.I,
)
_KARMA = re.compile(r"\b(?:average|mean|total|overall|sum)\b.*\bkarma\b|\bkarma\b.*\b(?:average|total|overall)\b|\bhow much karma\b|\bkarma (?:does|has|of)\b|['’]s karma\b", re.I)  # fmt: skip
_ASKING = frozenset(
    stems(
        "average mean total overall sum number count karma replies replied responses responded answers receive often all"
    )
)


def figure_asked(query: Query) -> Figure | None:
    """Which figure is asked for of those named in a question, if nothing else is."""
    people = query.authors or query.mentioned
    names = stems(" ".join((*query.authors, *query.mentioned)))
    if not people or query.unknown_authors or query.ranked or query.compare:
        return None
    if not {*stems(query.topic)} <= _ASKING.union(names):
        return None
    question = query.form or query.text
    if _KARMA.search(question):
        return Figure("karma", people)
    if not _REPLIES.search(question):
        return None
    if query.authors and _WRITTEN.search(question):
        return Figure("replies", query.authors, query.mentioned)
    return Figure("replies", to=people)


def figure(wanted: Figure, query: Query, store: Store, filters: Filters | None, phrases: Phrases) -> str:
    """The figure that is asked for, in a sentence; "" if the filters and the question exclude each other.

    Args:
        wanted: What `figure_asked` says of the question.
        query: The question, understood.
        store: The index.
        filters: Of the caller.
        phrases: In the reader's language.
    """
    asked = replace(query, authors=wanted.by)
    allowed = narrowed(filters, asked)
    if allowed is None:
        return ""
    admitted = times(asked, allowed)
    names = phrases.joined([inert(name) for name in wanted.by])
    if wanted.of == "karma":
        total, count = store.corpus.karma(admitted)
        if not count:
            return phrases.say("no_karma", names=names)
        return phrases.say(
            "karma_of", names=names, total=f"{total:,g}", count=f"{count:,}", mean=f"{total / count:.1f}"
        )
    count, authors = store.corpus.reply_counts(wanted.to, admitted)
    if not count and not store.corpus.reply_counts((), [Filters()])[0]:
        return phrases.say("no_replies")
    others = phrases.joined([inert(name) for name in wanted.to])
    phrase = "replies_between" if wanted.by and wanted.to else "replies_to" if wanted.to else "replies_by"
    return phrases.say(phrase, names=names, others=others, count=f"{count:,}", authors=f"{authors:,}")
