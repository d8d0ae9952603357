"""The parsed question, from which search and answer are made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from rag.index.lexical import stems
from rag.language.english import FUNCTION_WORDS
from rag.question.names import words
from rag.records import Passage


@dataclass(frozen=True, slots=True)
class Query:
    """A question, understood."""

    text: str
    """Self-contained question, used for search."""
    original: str
    authors: tuple[str, ...] = ()
    """Recognised authors that are asked for: search is restricted to them."""
    unknown_authors: tuple[str, ...] = ()
    """People who are asked for, but by whom nothing is indexed."""
    mentioned: tuple[str, ...] = ()
    """Indexed authors whose names occur, but who are not asked for."""
    others_than: tuple[str, ...] = ()
    """Indexed authors whose own words are not asked for, but those of others."""
    excluded: str = ""
    """What the words asked for must not be about: "rye" of "about wheat but not about rye"."""
    since: datetime | None = None
    until: datetime | None = None
    compare: bool = False
    """Several people are to be set side by side."""
    wants_list: bool = False
    by_time: bool = False
    """The course of an opinion over time is asked for."""
    topic: str = ""
    """Content words of the question, without names and question phrases."""
    carried: bool = False
    """Something was taken over from the conversation."""
    form: str = ""
    """The question whose wording says what is counted, where a follow-up only exchanges whom, what or when: "And Ann?"."""
    rests_on: str = ""
    """What must have an answer, too: "and why?" has none where what was asked before has none."""
    traces: tuple[str, ...] = ()
    """Those of `unknown_authors` whose names occur somewhere in the indexed texts: others may say something of them."""
    labels: tuple[str, ...] = ()
    """Labels of unnamed profiles that one of `unknown_authors` may stand for; see `follow_ups.understand`."""
    unsigned: tuple[tuple[str, str], ...] = ()
    """Names beside others in the question, and the labels among `authors` that were taken for them."""
    dates_certain: bool = True
    """False if the period may belong to the topic ("... about the election in 2016"): without a hit, search without it."""
    period: str = ""
    """The words that name the period; `text` and `topic` are without them."""
    times: tuple[tuple[datetime, datetime], ...] = ()
    """Where several times are named that do not touch ("in 2021 and 2024"): these, from `since` to `until`."""
    undated: bool = False
    """Only what carries no date is asked for."""
    newest: bool = False
    """The latest words are asked for."""
    oldest: bool = False
    """The first words are asked for."""
    ranked: Literal["", "highest", "lowest"] = ""
    """The comments with the highest karma are asked for, or with the lowest."""
    when: bool = False
    """It is asked when comments were written."""
    answered: tuple[str, ...] = ()
    """Those of `mentioned` to whom what is asked for was a reply: "What did Ann reply to Bob?", "Who disagrees with Bob?"."""
    of_answer: Literal["", "source", "whole"] = ""
    """Not the question is asked but what answers it: where its quotes come from, or the whole comments; see of_answer.py."""
    of_quote: int | None = None
    """Of which quote of the answer, counted from 0; None for all."""

    mended: tuple[tuple[str, str], ...] = ()
    """Words that were typed wrong, each with what it was read as."""
    told: str = ""
    """Where more is asked for: the letters of what was quoted already; see of_answer.py."""

    replied_to: tuple[str, ...] = ()
    """Where it is asked what was replied to what an answer quotes: the letters of that; see of_answer.py."""

    @property
    def people(self) -> tuple[str, ...]:
        """Who is asked for, whether or not anything by them is indexed."""
        return (*self.authors, *self.unknown_authors)


def asking_for_view(query: Query, author: str = "") -> str:
    """The plain question for a view of the topic, by somebody in particular or by those asked for."""
    people = (author,) if author else query.authors or ("people",)
    verb = "do" if len(people) > 1 or people == ("people",) else "does"
    return f"What {verb} {' and '.join(people)} think about {query.topic}?"


def timeless(query: Query) -> Query:
    """A question without its period."""
    return replace(query, since=None, until=None, times=(), dates_certain=True)


def goes_deep(query: Query) -> bool:
    """Whether more is wanted than the best: a list, the newest or oldest, a course of time."""
    return query.wants_list or query.by_time or in_order(query)


def in_order(query: Query) -> bool:
    """Whether comments are asked for by date or by karma, not by likeness to a question."""
    return bool(query.newest or query.oldest or query.ranked or by_date_alone(query))


def by_date_alone(query: Query) -> bool:
    """Whether nothing but its date makes a comment the answer: "What is Ann's newest comment?", "What was said in 2021?"."""
    if query.compare or query.by_time or query.undated or query.ranked or query.unknown_authors or stems(query.topic):
        return False
    return query.newest or query.oldest or bool(not query.authors and (query.since or query.until))


def about_period(query: Query) -> Query:
    """A question whose period is part of what it asks about: "the election in 2016"."""
    stem = query.text.rstrip(" ?.!")
    whole = query.period in query.text
    return replace(
        timeless(query),
        text=query.text if whole else f"{stem} {query.period}{query.text[len(stem) :]}",
        topic=" ".join(dict.fromkeys([*query.topic.split(), *period_words(query)])),
    )


def period_words(query: Query) -> list[str]:
    """The words that tell which period is meant: "2016" of "in 2016"."""
    return [word.text for word in words(query.period) if word.folded not in FUNCTION_WORDS]


def admits(query: Query, passage: Passage) -> bool:
    """Whether a passage may answer for the people that are asked for.

    If nothing by them is indexed, only a profile that may be theirs will do, or what others wrote with their name in it.
    """
    if left_aside(query, passage):
        return False
    if query.authors or not query.unknown_authors:
        return True
    if query.labels:
        return passage.label in query.labels
    own = {word.folded for word in words(passage.text)}
    return any(word.folded in own for name in query.traces for word in words(name) if len(word.folded) > 2)


def left_aside(query: Query, passage: Passage) -> bool:
    """Whether a question says that it is not about this: not by its author, or not on what it speaks of."""
    unwanted = frozenset(stems(query.excluded))
    return passage.byline in query.others_than or bool(unwanted and unwanted <= frozenset(stems(passage.text)))


def one_sided(query: Query) -> Query:
    """A comparison of somebody with people by whom nothing is indexed, asked about the one who is here; others as they are."""
    if not (query.compare and len(query.authors) == 1 and query.unknown_authors):
        return query
    return replace(query, compare=False, text=asking_for_view(query) if query.topic else query.text)


def undated_text(query: Query) -> Query:
    """A follow-up whose text, made of parts of the conversation, is rid of the period that became its filter."""
    start = query.text.find(query.period) if query.period else -1
    return query if start < 0 else replace(query, text=without(query.text, [(start, start + len(query.period))]))


def without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """A text without some of its parts; the text as it is if nothing else is in it."""
    cut = text
    for start, end in sorted(spans, reverse=True):
        cut = f"{cut[:start].rstrip(' ,')} {cut[end:].lstrip(' ,')}".strip()
    return re.sub(r"\s+(?=[?.!])", "", cut) if spans and words(cut) else text
