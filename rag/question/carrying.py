"""Complete follow-ups: people, topic and time are carried over where a question leaves them out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rag.language.english import FUNCTION_WORDS
from rag.question.form import compares
from rag.question.mentioning import asks_who_mentions
from rag.question.names import words
from rag.question.periods import Period
from rag.question.query import Query, in_order
from rag.question.references import PEOPLE, PERSON
from rag.question.speech import PREPOSITIONS

_TO_THEM = (
    r"disagree\w*|object(?:s|ed|ions?)?|contradict\w*|oppos\w+|disput\w+|criticis\w+|criticiz\w+|challeng\w+"
    r"|repl(?:y|ies|ied)|respon\w+|answer(?:s|ed)|push(?:es|ed)?\s+back|pushback"
    r"|who\s+(?:thinks?|thought|says?|said|finds?|found|calls?|called|considers?|considered)\s+(?:that|this|it)"
)
_OTHERS = re.compile(rf"\b(?:else|others?|another|agree\w*|{_TO_THEM})\b", re.I)
"""Asks what other people say than the ones before."""
_ANSWERS = re.compile(rf"\b(?:{_TO_THEM})\b", re.I)
"""Asks what they say to the ones before."""
_REPLY = re.compile(
    r"\b(?:(?:repl(?:y|ies|ied)|respon(?:d|ds|ded|se|ses)|answer(?:s|ed)?|react(?:s|ed|ions?)?)(?:\s+to)?(?:\s+(?:it|that|this|him|her|them))?"
    r"|(?:say|said)\s+to\s+(?:it|that|this|him|her|them))\W*$",
    re.I,
)
"""Asks for an answer to the ones before."""
_REPLYING = re.compile(
    r"\b(?:repl(?:y|ies|ied)|respon(?:d|ds|ded|ses?)|react(?:s|ed|ions?)?|answer(?:s|ed)?(?=\s+(?:to\s+)?(?:that|this|it|him|her|them)\b))\b",
    re.I,
)
_THE_OTHER = re.compile(r"\bthe\s+other\s+(?=\w)", re.I)
_COMPARED_WITH = re.compile(
    r"^\W*(?:as\s+)?(?:compar(?:e|ed|ing)|in\s+comparison)\s+(?:(?:it|that|this)\s+)?(with|to)\b", re.I
)
_POSSESSIVE = frozenset("his hers their theirs".split())
_NO_NOUN = (FUNCTION_WORDS | PREPOSITIONS) - {"own"}
"""What follows "her" where that means a person and not what is hers."""


def added(own: Query, last: Query) -> Query:
    """ "And why?": the same people and topic, asked something more."""
    return _carried(own, last, reminding(own.text, last.people, last.topic), last.topic, **people_of(last))


def same_people(own: Query, last: Query) -> Query:
    """ "What did she say about X?": the same people, asked something of its own."""
    return _carried(own, last, with_names(own.text, last), **people_of(last))


def others(own: Query, last: Query) -> Query:
    """ "Does anybody disagree?": the same topic, whoever else speaks on it."""
    apart, answers = _OTHERS.search(own.text) or PERSON.search(own.text), _ANSWERS.search(own.text)
    own = replace(own, topic=" ".join(word for word in own.topic.split() if not _OTHERS.fullmatch(word)))
    text = reminding(with_names(own.text, last), (), last.topic)
    answered = last.authors if answers else ()
    whole = _carried(own, last, text, last.topic, others_than=last.authors if apart else (), answered=answered)
    return replace(whole, rests_on=_saying((), last.topic) if last.topic else "")


def other_topic(own: Query, last: Query) -> Query:
    """ "What about X?": the same people, another topic."""
    names = last.people
    if asks_who_mentions(last.form or last.text):
        people = people_of(last)
        return asked_again(replace(own, carried=True, **_time(own, last), **people), last)
    if not names and not last.others_than:
        return added(own, last)
    return _carried(own, last, _saying(names, own.text), **people_of(last))


def asked_again(whole: Query, last: Query) -> Query:
    """A follow-up that only exchanges whom, what or when, asked as the question before: counted, or by date or karma."""
    order = {} if in_order(whole) else {name: getattr(last, name) for name in ("newest", "oldest", "ranked")}
    return replace(whole, form=last.form or last.text, **order)


def other_person(own: Query, last: Query, topic: str) -> Query:
    """ "And Ann?": the same topic, another person. "Versus Ann?" is about her and who was asked for before."""
    compared = own.compare or bool(compares(own.text) and last.authors)
    joined = compared and len(own.people) < 2
    if _THE_OTHER.search(own.text) and not compared:  # "the other Daniel"
        own = replace(own, authors=tuple(author for author in own.authors if author not in last.authors) or own.authors)
    people = tuple(dict.fromkeys((*last.authors, *own.authors))) if joined else own.authors
    text = reminding(own.text, own.people, topic) if own.topic else _saying(people if joined else own.people, topic)
    whole = _carried(own, last, text, topic, authors=people)
    return replace(whole, compare=compared and len(people) > 1)


def whole_comparison(own: Query, last: Query, topic: str) -> Query:
    """ "Compare her with Ann [on X]": with her name in place of "her", of a topic of its own or of that before."""
    people = tuple(dict.fromkeys((*last.authors, *own.authors)))
    text = own.text if own.topic else reminding(own.text, (), topic)
    return _carried(own, last, text, "" if own.topic else topic, authors=people)


def asks_for_reply(question: str) -> bool:
    """Whether it asks what somebody answered, and not what was asked: "And what did Ann reply to that?"."""
    return bool(_REPLY.search(question))


def asks_who_replied(question: str) -> bool:
    """Whether it asks for replies by anybody: "Who replied to that?", "Any reactions?"."""
    return bool(_REPLYING.search(question))


def _saying(people: Sequence[str], topic: str) -> str:
    asked = f"does {people[0]}" if len(people) == 1 else f"do {' and '.join(people) or 'others'}"
    return f"What {asked} say about {topic}?"


def in_period(last: Query, period: Period, written: str) -> Query:
    """ "And in 2021?": the same people and topic, another time."""
    return replace(
        asked_again(last, last),
        since=period.since,
        until=period.until,
        times=period.times,
        period=written,
        dates_certain=period.preposition in {"before", "after"},
        carried=True,
    )


def _carried(own: Query, last: Query, text: str, topic: str = "", **people: Any) -> Query:
    """A question with what it leaves out: a topic, people, and the time before if it names none."""
    several = len(people.get("authors", own.authors)) > 1
    return replace(
        own,
        text=text,
        topic=merged(own.topic, topic) if topic else own.topic,
        carried=True,
        compare=own.compare or (last.compare and several),
        **_time(own, last),
        **people,
    )


def people_of(last: Query) -> dict[str, Any]:
    """Whose words a question asks for, to be taken over."""
    return {
        name: getattr(last, name)
        for name in ("authors", "unknown_authors", "traces", "labels", "unsigned", "others_than")
    }


def _time(own: Query, last: Query) -> dict[str, Any]:
    """The period of a question, or else of the one before; "is that still her view?" looks beyond it."""
    beyond = own.by_time or own.newest or own.oldest
    keep = own if own.since or own.until or beyond else last
    return {name: getattr(keep, name) for name in ("since", "until", "dates_certain", "period", "times")}


def with_names(text: str, last: Query) -> str:
    """A question with names in place of "she" or "they", and in "compare with Ann" where nobody is compared."""
    names = " and ".join(last.people)
    text = _COMPARED_WITH.sub(lambda match: f"Compare {names} {match[1]}", text)
    pronoun = PERSON if PERSON.search(text) else PEOPLE

    def named(match: re.Match[str]) -> str:
        return f"{names}'s" if _is_possessive(match[0].casefold(), text[match.end() :]) else names

    return pronoun.sub(named, text, count=1)


def _is_possessive(pronoun: str, after: str) -> bool:
    """Whether "her" is what "Ann's" would be: in "her view", not in "with her on rye"."""
    if pronoun != "her":
        return pronoun in _POSSESSIVE
    following = words(after)[:1]
    return bool(following) and not re.match(r"\s*[^\w\s]", after) and following[0].folded not in _NO_NOUN


def reminding(text: str, people: Sequence[str], topic: str) -> str:
    """A question followed by whom and what it is about."""
    about = ": ".join(filter(None, (" and ".join(people), topic)))
    return f"{text} ({about})" if about else text


def merged(*texts: str) -> str:
    """The words of several texts, each once."""
    return " ".join(dict.fromkeys(word for text in texts for word in text.split()))
