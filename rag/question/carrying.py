"""Follow-ups made whole: people, topic and time are taken over where a question leaves them out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rag.question.form import compares
from rag.question.periods import Period
from rag.question.query import Query
from rag.question.references import PEOPLE, PERSON

_OTHERS = re.compile(
    r"\b(?:else|others?|another|(?:dis)?agree\w*|object(?:s|ed|ions?)?|contradict\w*|oppos\w+|disput\w+|criticis\w+|criticiz\w+"
    r"|challeng\w+|repl(?:y|ies|ied)|respon\w+|answer(?:s|ed))\b",
    re.I,
)
"""Asks what other people say than the ones before."""
_POSSESSIVE = frozenset("his her hers their theirs".split())


def added(own: Query, last: Query) -> Query:
    """ "And why?": the same people and topic, asked something more."""
    return _carried(own, last, reminding(own.text, last.people, last.topic), last.topic, **people_of(last))


def same_people(own: Query, last: Query) -> Query:
    """ "What did she say about X?": the same people, asked something of its own."""
    return _carried(own, last, _with_names(own.text, last), **people_of(last))


def others(own: Query, last: Query) -> Query:
    """ "Does anybody disagree?": the same topic, whoever else speaks on it."""
    apart = _OTHERS.search(own.text) or PERSON.search(own.text)
    text = reminding(_with_names(own.text, last), (), last.topic)
    return _carried(own, last, text, last.topic, others_than=last.authors if apart else ())


def other_topic(own: Query, last: Query) -> Query:
    """ "What about X?": the same people, another topic."""
    names = last.people
    if not names and not last.others_than:
        return added(own, last)
    asked = f"does {names[0]}" if len(names) == 1 else f"do {' and '.join(names) or 'others'}"
    return _carried(own, last, f"What {asked} say about {own.text}?", **people_of(last))


def other_person(own: Query, last: Query, topic: str) -> Query:
    """ "And Ann?": the same topic, another person. "Compare her with Ann" is about both, "Compare Ann and Bo" about these two."""
    compared = own.compare or bool(compares(own.text) and last.authors)
    joined = compared and (len(own.authors) < 2 or PERSON.search(own.text))
    people = tuple(dict.fromkeys((*last.authors, *own.authors))) if joined else own.authors
    text = reminding(own.text, own.people, topic)
    return replace(_carried(own, last, text, topic, authors=people), compare=compared and len(people) > 1)


def in_period(last: Query, period: Period, written: str) -> Query:
    """ "And in 2021?": the same people and topic, another time."""
    return replace(
        last,
        since=period.since,
        until=period.until,
        times=period.times,
        period=written,
        dates_certain=False,
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
    return {name: getattr(last, name) for name in ("authors", "unknown_authors", "traces", "labels", "others_than")}


def _time(own: Query, last: Query) -> dict[str, Any]:
    keep = own if own.since or own.until else last
    return {name: getattr(keep, name) for name in ("since", "until", "dates_certain", "period", "times")}


def _with_names(text: str, last: Query) -> str:
    """A question with names in place of "she" or "they"."""
    names = " and ".join(last.people)
    pronoun = PERSON if PERSON.search(text) else PEOPLE
    return pronoun.sub(lambda match: f"{names}'s" if match[0].casefold() in _POSSESSIVE else names, text, count=1)


def reminding(text: str, people: Sequence[str], topic: str) -> str:
    """A question followed by whom and what it is about."""
    about = ": ".join(filter(None, (" and ".join(people), topic)))
    return f"{text} ({about})" if about else text


def merged(*texts: str) -> str:
    """The words of several texts, each once."""
    return " ".join(dict.fromkeys(word for text in texts for word in text.split()))
