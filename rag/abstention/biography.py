"""Questions about the people themselves, which their profiles answer: "Where does she study?", "Who is Ann?".

A profile says "PhD candidate at ..." where the question says "study", so neither words nor vectors connect them well.
Patterns of English: which relation a question asks for, and whether a profile says anything of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.abstention.expectation import expected
from rag.index.lexical import stems
from rag.question.form import asks_for_view, asks_for_words
from rag.question.query import Query
from rag.records import Passage

ANSWERED = 0.8
"""Probability that a profile with the relation that is asked for answers the question."""
MOST = 3
"""Profiles shown if it is left open who is meant."""


@dataclass(frozen=True)
class _Relation:
    asked: re.Pattern[str]
    told: re.Pattern[str]


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_RELATIONS = (
    _Relation(
        _words(
            r"stud(?:y|ies|ied|ying)|educat\w+|degrees?|ph\.?d|universit\w+|college|school|alma mater|graduat\w+|major(?:ed)?|academic"
        ),
        _words(
            r"universit\w+|college|school|institute of technology|MIT|ph\.?\s?d|students?|degree|[bm]\.?sc|masters?|bachelors?|graduat\w+|stud\w+"
            r"|alumn\w+|professor|postdoc\w*|[A-Z]\w+ (?:mathematics|physics|biophysics|biology|chemistry|philosophy|economics|law)"
        ),
    ),
    _Relation(
        _words(
            r"work|(?<!which )(?<!what )(?<!the )works|worked|working|jobs?|employ\w+|profession\w*|occupation|affiliat\w+|position|roles?|career|company|organi[sz]ations?"
            r"|co-?found\w*|found(?:ed|er)s?|living|employer|employed|do(?=\W*$)"
        ),
        _words(
            r"scientist|engineer\w*|research\w*|developer|programmer|writer|editor|teacher|lecturer|professor|co-?founder|founder|director|head of"
            r"|manager|consultant|analyst|work\w*|employ\w*|candidate|student|fellow|runs?|keeper|technician|retired"
        ),
    ),
    _Relation(
        _words(r"(?:(?:research|main|current|professional|academic|scientific)\s+)?interest(?:s|ed)?"),
        _words(
            r"interest(?:s|ed)?|word cloud|keywords|topics?|looking for|focus\w*|research\w*|think(?:s|ing)? about|work(?:s|ing)? on"
        ),
    ),
    _Relation(
        _words(
            r"who (?:is|are|was)|background|bio(?:graphy)?|profile|tell (?:me|us) (?:more |something |everything |all )?about"
        ),
        re.compile(r"\w"),
    ),
)
_OF_A_PERSON = re.compile(
    r"^\W*(?:and\s+|but\s+|so\s+)?(?:where|what|which|who|for whom|tell me)\b.*\b(?:he|she|they)\b", re.IGNORECASE
)

_REASON = re.compile(r"\b(?:why|how come|how did|what made)\b", re.IGNORECASE)
_TIME = re.compile(r"^\W*(?:(?:and|but|so)\s+)?(?:(?:since|until|from|by)\s+)?when\b", re.IGNORECASE)
_NAMED = frozenset({"name", "place"})
"""Kinds of answer that the words of a relation are themselves: a university, an employer."""

_SELF = re.compile(r"sel(?:f|ves)\b", re.IGNORECASE)
_SPEAKS = re.compile(r"\b(?:I|[Mm]e|[Mm]y|[Ww]e|[Oo]ur)\b")


def states_no_view(query: Query, passage: Passage) -> bool:
    """Whether somebody's view, or whatever they say, is asked for and a passage is a profile: interests that are listed are no views.

    Where it is a view of something, a profile in which somebody speaks may tell it.
    """
    if passage.kind != "profile":
        return False
    if not stems(query.topic) and asks_for_words(query.text):
        return not _SELF.search(query.text)
    return asks_for_view(query.text) and not _SPEAKS.search(passage.text)


def telling_profiles(query: Query, found: Sequence[Passage]) -> list[Passage]:
    """The profiles among `found` that tell what a question asks about a person; none if it asks for something else.

    What a later snapshot tells stands for what an earlier one does.

    Args:
        query: The question, understood.
        found: Candidates of the search, best first.
    """
    if query.compare or not (query.authors or query.labels or _OF_A_PERSON.match(query.text)):
        return []
    relations = [relation for relation in _RELATIONS if relation.asked.search(query.text)]
    if not relations or _REASON.search(query.text):
        return []
    topic = query.topic
    for relation in relations:
        topic = relation.asked.sub(" ", topic)
    rest = set(stems(topic))
    profiles = [
        passage
        for passage in found
        if passage.kind == "profile"
        and rest <= set(stems(passage.text))
        and any(relation.told.search(passage.text) for relation in relations)
        and (not query.labels or query.authors or passage.label in query.labels)
        and _has_its_kind(query, passage.text)
    ]
    told = {passage.byline for passage in profiles if not passage.outdated}
    return [passage for passage in profiles if not (passage.outdated and passage.byline in told)][:MOST]


def _has_its_kind(query: Query, profile: str) -> bool:
    """Whether a profile has a date where one is asked for, or a number: that she founded something does not say when."""
    expectation = expected("when was it" if _TIME.match(query.text) else query.text)
    return expectation is None or expectation.kind in _NAMED or expectation.met(profile)
