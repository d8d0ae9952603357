"""What a question in a conversation is about: a follow-up takes over what it leaves out.

Everything here is deterministic and needs no model; a model may be handed in to rewrite follow-ups. How a question by itself is
read is in questions.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from rag.names import NameIndex, words
from rag.questions import Query, Reader, compares
from rag.records import Turn

_LEAD = re.compile(
    r"^\W*(?:and|but|so|also|or|ok(?:ay)?|then|plus|yes|well|hm+|right|sure|thanks|thank you|great)\b[\s,.:;!]*", re.I
)
_ABOUT_OTHER = re.compile(
    r"^\W*(?:what|how)\s+about\s+|^\W*(?:and|or|also)\s+(?:what\s+about\s+|about\s+|on\s+|for\s+)?", re.I
)
_PERSON = re.compile(r"\b(?:he|she|him|his|her|hers|himself|herself)\b(?!\s+or\b)", re.I)
_PEOPLE = re.compile(r"\b(?:they|them|their|theirs|each other|one another|these two|both(?: of them)?|the two)\b", re.I)
_THING = re.compile(r"\b(?:it|its|this|that|these|those|such|there|the same)\b(?!\s+\w+\s+(?:is|are)\b)", re.I)
_ORDINALS = {
    **{
        name: number
        for number, names in enumerate(["first", "second", "third", "fourth", "fifth", "sixth"])
        for name in names.split()
    },
    **{
        f"{number}{ending}": number - 1
        for number, ending in enumerate(["", "st", "nd", "rd", "th", "th", "th"])
        if number
    },
    "last": -1,
    "latter": -1,
    "former": 0,
}
_ORDINAL = re.compile(
    r"\b(?:the\s+)?("
    + "|".join(_ORDINALS)
    + r")(?:\s+(?:one|point|quote|argument|comment|answer|author|person|citation|source|reason|item|claim|part))?\b(?!\s+\w)"
    r"|\b(?:the\s+)?("
    + "|".join(_ORDINALS)
    + r")\s+(?:one|point|quote|argument|comment|answer|author|person|citation|source|item|claim)\b"
    r"|\[(\d{1,2})\]|\b(?:number|quote|citation|source|point)\s+(\d{1,2})\b",
    re.I,
)
_ASSENT = re.compile(
    r"^\W*(?:yes|yeah|yep|sure|ok(?:ay)?|please|go on|continue|go ahead|do(?: so)?|more|tell me more)(?:\s+please)?\W*$",
    re.I,
)
_REMEMBERED = 12


def understand(
    question: str,
    history: Sequence[Turn] = (),
    authors: Sequence[str] = (),
    *,
    now: datetime | None = None,
    rewrite: Callable[[str], str] | None = None,
    known_words: Callable[[str], bool] | None = None,
    labels: Sequence[str] = (),
) -> Query:
    """Understand a question in its conversation.

    Args:
        question: What was asked last.
        history: The turns before it, oldest first.
        authors: Names of all indexed authors.
        now: The time that "recently" and "last year" count from; naive means UTC. Passing the date of the newest comment
            makes them meaningful for old collections. By default the present.
        rewrite: Makes a follow-up self-contained, given the conversation as text. Used for elliptical questions only; where it
            fails or returns nothing usable, names and topic are carried over by rule.
        known_words: Whether a word occurs in the indexed texts.
        labels: Labels of profiles without a name, such as "unnamed profile (example.org)". An unknown name that has a word
            in common with one is reported in `Query.labels`.
    """
    now = now or datetime.now(UTC)
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    talk = _Conversation(Reader(_index(tuple(authors), tuple(labels)), now, known_words, tuple(labels)))
    question = " ".join(question.split())
    last: Query | None = None
    replied = ""
    for turn in history[-_REMEMBERED:]:
        if turn.role == "user":
            last = talk.follow(" ".join(turn.content.split()), last, replied)
            replied = ""
        else:
            replied = turn.content
    if rewrite and last and talk.is_elliptical(question, last):
        rewritten = _rewritten(rewrite, history, question)
        if rewritten:
            return replace(talk.reader.read(rewritten), original=question, carried=True)
    return talk.follow(question, last, replied)


@lru_cache(maxsize=4)
def _index(authors: tuple[str, ...], labels: tuple[str, ...]) -> NameIndex:
    return NameIndex(authors, labels)


def _rewritten(rewrite: Callable[[str], str], history: Sequence[Turn], question: str) -> str | None:
    lines = [f"{turn.role}: {turn.content}" for turn in history[-_REMEMBERED:]]
    text = " ".join(rewrite("\n".join([*lines, f"user: {question}"])).split()).strip("\"' ")
    return text if 3 < len(text) <= 400 else None


@dataclass(frozen=True, slots=True)
class _Conversation:
    """Reads questions in their conversation."""

    reader: Reader

    def follow(self, question: str, last: Query | None, replied: str) -> Query:
        """Understand a question, carrying over from the one before it what is left out."""
        if last is not None:
            last = self._with_speaker(question, last, replied)
        if last is None or not self.is_elliptical(question, last):
            return self.reader.read(question)
        item = _item(question, replied)
        if item:
            return self._about_item(question, last, item)
        if _ASSENT.match(question):
            return self._assented(question, last, replied)
        own = self.reader.read(_LEAD.sub("", question))
        if own.topic and not own.authors and not own.unknown_authors and _ABOUT_OTHER.match(question):
            return self._other_topic(question, own, last)
        if own.authors or own.unknown_authors:
            return self._other_person(question, own, last)
        if (
            own.topic
            and _PERSON.search(question)
            and not _THING.search(question)
            and (last.authors or last.unknown_authors)
        ):
            return self._same_person(question, own, last)
        return self._added(question, own, last)

    def _with_speaker(self, question: str, last: Query, replied: str) -> Query:
        """ "Where does she study?" after an answer that quotes one person only: "she" is that person."""
        if last.authors or last.unknown_authors or last.mentioned or not _PERSON.search(question):
            return last
        own_words = "\n".join(line for line in replied.splitlines() if not line.lstrip().startswith(">"))
        named = tuple(
            dict.fromkeys(
                author for one in self.reader.names.find(words(own_words), self.reader.known) for author in one.authors
            )
        )
        return replace(last, authors=named) if len(named) == 1 else last

    def is_elliptical(self, question: str, last: Query) -> bool:
        """Whether a question cannot be understood without the conversation."""
        own = self.reader.read(_LEAD.sub("", question))
        content = own.topic.split()
        if _ASSENT.match(question) or (not content and not own.authors) or _ORDINAL.search(question):
            return True
        if _ABOUT_OTHER.match(question):
            return True
        if own.authors or own.unknown_authors:
            return not content or (len(content) < 3 and bool(_THING.search(question)))
        if _PERSON.search(question) and (last.authors or last.unknown_authors or last.mentioned):
            return True
        if _PEOPLE.search(question) and len(last.authors) + len(last.unknown_authors) > 1:
            return True
        return (len(content) < 4 and bool(_THING.search(question))) or (len(content) < 2 and len(words(question)) < 4)

    def _people(self, last: Query) -> dict[str, tuple[str, ...]]:
        return {name: getattr(last, name) for name in ("authors", "unknown_authors", "traces", "labels")}

    def _added(self, question: str, own: Query, last: Query) -> Query:
        """ "And why?": the question before, and this one."""
        return replace(
            own,
            text=f"{_without_lead(last.text)} {question}",
            original=question,
            topic=_merged(own.topic, last.topic),
            carried=True,
            compare=own.compare or (last.compare and len(last.authors) > 1),
            **self._time(own, last),
            **self._people(last),
        )

    def _same_person(self, question: str, own: Query, last: Query) -> Query:
        """ "What did she say about X?": the same people, asked something of its own."""
        names = " and ".join([*last.authors, *last.unknown_authors])

        def named(match: re.Match[str]) -> str:
            return f"{names}'s" if match[0].casefold() in ("his", "her", "hers") else names

        return replace(
            own,
            text=_PERSON.sub(named, _without_lead(question), count=1),
            original=question,
            carried=True,
            compare=last.compare and len(last.authors) > 1,
            **self._time(own, last),
            **self._people(last),
        )

    def _other_topic(self, question: str, own: Query, last: Query) -> Query:
        """ "What about X?": the same people, another topic."""
        subject = _ABOUT_OTHER.sub("", question).rstrip(" ?.!")
        names = [*last.authors, *last.unknown_authors]
        text = (
            f"What {'do' if len(names) > 1 else 'does'} {' and '.join(names)} say about {subject}?"
            if names
            else question
        )
        return replace(
            own,
            text=text if names else f"{last.text} {question}",
            original=question,
            topic=own.topic if names else _merged(own.topic, last.topic),
            carried=True,
            compare=last.compare and len(names) > 1,
            **self._time(own, last),
            **self._people(last),
        )

    def _other_person(self, question: str, own: Query, last: Query) -> Query:
        """ "And Ann?": the same topic, another person."""
        names = " and ".join([*own.authors, *own.unknown_authors])
        together = own.compare or bool(compares(question) and last.authors)
        people = tuple(dict.fromkeys((*last.authors, *own.authors))) if together else own.authors
        return replace(
            own,
            authors=people,
            text=f"{question} ({names}: {last.topic})" if last.topic else question,
            original=question,
            topic=_merged(own.topic, last.topic),
            carried=True,
            compare=together and len(people) > 1,
            **self._time(own, last),
        )

    def _about_item(self, question: str, last: Query, item: str) -> Query:
        """ "The second one?": what the n-th quote of the last answer said."""
        found = words(item)
        cited = tuple(
            dict.fromkeys(author for mention in self.reader.names.find(found, None) for author in mention.authors)
        )
        short = " ".join(self.reader.read(item).topic.split()[:14])
        own = self.reader.read(question)
        people = self._people(last) | (
            {"authors": cited[-1:], "unknown_authors": (), "traces": (), "labels": ()} if cited else {}
        )
        return replace(
            own,
            text=f"{_without_lead(question)} ({short})",
            original=question,
            topic=_merged(_ORDINAL.sub("", own.topic), short),
            carried=True,
            **people,
        )

    def _assented(self, question: str, last: Query, replied: str) -> Query:
        """ "Yes": to what the last answer offered, or else once more to the question before."""
        offers = re.findall(r"[^.?!\n]+\?", replied)
        own = self.reader.read(offers[-1].strip()) if offers else last
        if not own.topic:
            own = last
        people = {} if own.authors else self._people(last)
        return replace(own, original=question, carried=True, **people)

    def _time(self, own: Query, last: Query) -> dict[str, datetime | None]:
        keep = own if own.since or own.until else last
        return {"since": keep.since, "until": keep.until, "dates_certain": keep.dates_certain}


def _without_lead(text: str) -> str:
    return _LEAD.sub("", text) or text


def _merged(*texts: str) -> str:
    """The words of several texts, each once."""
    return " ".join(dict.fromkeys(word for text in texts for word in text.split()))


def _item(question: str, replied: str) -> str | None:
    """The part of the last answer that an ordinal in the question points to."""
    match = _ORDINAL.search(question)
    if not match or not replied:
        return None
    name = (match[1] or match[2] or "").casefold()
    number = _ORDINALS[name] if name else int(match[3] or match[4]) - 1
    markers: dict[str, tuple[int, int]] = {}
    previous = 0
    for marker in re.finditer(r"\[(\d{1,2})\]", replied):
        markers.setdefault(marker[1], (previous, marker.end()))
        previous = marker.end()
    parts = (
        [replied[start:end] for start, end in markers.values()]
        if markers
        else re.findall(r"^\s*(?:[-*>]|\d+[.)])\s+.*$", replied, re.M)
    )
    if not -len(parts) <= number < len(parts):
        return None
    return re.sub(r"\[\d{1,2}\]", "", parts[number])
