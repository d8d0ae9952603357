"""What a question in a conversation is about: a follow-up takes over what it leaves out, a new question nothing.

Everything here is deterministic and needs no model; a model may be handed in to rewrite follow-ups. How a question by itself is
read is in questions.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from rag.about import asks_nothing
from rag.english import FUNCTION_WORDS
from rag.keys import neutralise
from rag.listed_items import ORDINAL, Item, item_meant
from rag.names import NameIndex, words
from rag.periods import Period, periods
from rag.query import Query, undated_text
from rag.question_form import asks_anybody, compares
from rag.questions import Reader
from rag.records import Turn
from rag.references import is_dependent, refers_back
from rag.speech import AUXILIARY_VERB, SAYING, WH

_LEAD = re.compile(
    rf"^\W*(?:(?:and|but|so|also|or|then|plus)\b[\s,.:;!]*"
    rf"|(?:ok(?:ay)?|yes|well|hm+|right|sure|thanks|thank you|great)\b(?:\s*[,.:;!]\s*|\s+(?=(?:and|but|so|{WH}|{AUXILIARY_VERB})\b)))+",
    re.I,
)
_ABOUT = re.compile(
    r"^\W*(?:(?:what|how)\s+about\b|(?:tell\s+me\s+|say\s+)?(?:(?:some|a\s+(?:bit|little))\s+)?more\s+(?:about|on)\b"
    rf"|(?:about|on)\b(?!\s+{WH}\b))\s*",
    re.I,
)
_SENTENCE = re.compile(
    rf"^\W*(?:(?:(?:in|at|on|for|with|from|to|by|of|under|about|since)\s+)?{WH}(?!\s+if\b)|(?:who|what|where|how)['’]s|{AUXILIARY_VERB}|i|we|you"
    r"|tell|list|name|give|show|find|quote|compare|summari[sz]e|explain|describe|according)\b",
    re.I,
)
_NO_VERB = re.compile(
    rf"^\W*(?:\w+\s+)?(?:what|which|when|where|why|how)\b(?!['’])(?!.*\b{AUXILIARY_VERB}\b)"
    r"(?!\s+(?:many|much)\s+\w+\s+(?!(?:in|at|for|with|without|per|of|on|under|after|before)\b)\w+\s+\w"
    r"|\s+\w+(?:s|ed)\s+\w|(?<=which)\s+\w+\s+\w+(?:s|ed)\s+\w)",
    re.I,
)
""" "How long in winter?", but not "what causes rust in boilers?"."""
_CIRCUMSTANCE = re.compile(
    r"^\W*(?:what\s+if|in|at|for|with|without|during|if|when|while|after|before|under|by|from|to|near|as|than|because|since|until|despite"
    r"|on\s+\w+days?)\b",
    re.I,
)
_INTRODUCED = re.compile(
    r"^\W*who(?:['’]s|\s+(?:is|was))\b|\b(?:profile|bio|biography)\b|^\W*tell\s+me\b.*\babout\b", re.I
)
_PERSON = re.compile(r"\b(?:he|she|him|his|her|hers|himself|herself)\b(?!\s+or\b)", re.I)
_PEOPLE = re.compile(r"\b(?:they|them|their|theirs|each other|one another|these two|both(?: of them)?|the two)\b", re.I)
_POSSESSIVE = frozenset("his her hers their theirs".split())
_THEY_SAY = re.compile(
    r"\bthey\s+(?:\w+ly\s+|still\s+|also\s+|ever\s+)?(\w+)|\btheirs?\s+(?:view|opinion|position|stance|argument|comment|take)",
    re.I,
)
_WITH_TOPIC = re.compile(r"\b(?:about|on|of|regarding|concerning)\s+(?!(?:it|this|that|these|those|them)\b)\w", re.I)
_OTHERS = re.compile(
    r"\b(?:else|others?|another|(?:dis)?agree\w*|object(?:s|ed|ions?)?|contradict\w*|oppos\w+|disput\w+|criticis\w+|criticiz\w+"
    r"|challeng\w+|repl(?:y|ies|ied)|respon\w+|answer(?:s|ed))\b",
    re.I,
)
"""Asks what other people say than the ones before."""
_ANYBODY = re.compile(
    r"\b(?:any|some|every|no)(?:one|body)\b|\bothers\b|\bother\s+(?:people|commenters|authors|users|views?|opinions?)\b"
    r"|^\W*any\s+(?:objections?|disagreements?|repl(?:y|ies)|responses?|criticisms?)\b",
    re.I,
)
_ASSENT = re.compile(
    r"^\W*(?:yes|yeah|yep|sure|ok(?:ay)?|please|go on|continue|go ahead|do(?: so)?|more|tell me more)(?:\s+please)?\W*$",
    re.I,
)
_REMEMBERED = 6
"""Questions before the last one that are looked at."""
_FEW = 5
"""Most content words of a question that leans on what was said before."""

_Kind = Literal["complete", "item", "assent", "period", "person", "others", "same people", "topic", "addition"]


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
            returns "", names and topic are carried over by rule.
        known_words: Whether a word occurs in the indexed texts.
        labels: Labels of profiles without a name, such as "unnamed profile (example.org)". An unknown name that has a word
            in common with one is reported in `Query.labels`.
    """
    now = now or datetime.now(UTC)
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    talk = _Conversation(Reader(_index(tuple(authors), tuple(labels)), now, known_words, tuple(labels)))
    question = " ".join(question.split())
    said: _Said | None = None
    for asked, reply in list(_exchanges(history))[-_REMEMBERED:]:
        said = talk.after(said, asked, reply)
    kind, query = talk.follow(question, said)
    if rewrite and kind != "complete" and (rewritten := rewrite(_as_text(history, question))):
        return replace(talk.reader.read(rewritten), original=question, carried=True)
    return query


def _exchanges(history: Sequence[Turn]) -> Iterator[tuple[str, str]]:
    """Questions with their answers; thanks and greetings leave no trace in what is talked about."""
    for index, turn in enumerate(history):
        if turn.role == "user" and not asks_nothing(turn.content, first=index == 0):
            reply = history[index + 1].content if history[index + 1 : index + 2] else ""
            replied = bool(reply) and history[index + 1].role != "user"
            yield " ".join(turn.content.split()), reply if replied else ""


@lru_cache(maxsize=4)
def _index(authors: tuple[str, ...], labels: tuple[str, ...]) -> NameIndex:
    return NameIndex(authors, labels)


def _as_text(history: Sequence[Turn], question: str) -> str:
    """A conversation for a model to read, a line for each turn, in which nothing quoted passes for a turn."""
    lines = [f"{turn.role}: {' '.join(neutralise(turn.content).split())}" for turn in history[-2 * _REMEMBERED :]]
    return "\n".join([*lines, f"user: {question}"])


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said before a question."""

    query: Query
    """The last question."""
    reply: str
    """The answer to it."""
    listed: str
    """The answer that ordinals count in: "the second one?", and then "the first?"."""
    topic: str
    """What is talked about, apart from an item that was asked about."""
    people: tuple[str, ...] = ()
    """Who was last asked for."""


@dataclass(frozen=True, slots=True)
class _Conversation:
    """Reads questions in their conversation."""

    reader: Reader

    def after(self, said: _Said | None, question: str, reply: str) -> _Said:
        """What was said, once a question is answered."""
        kind, query = self.follow(question, said)
        query = replace(query, topic=query.topic or _subject(query.text))
        people = query.authors or (said.people if said else ())
        if said and kind == "item":
            return _Said(query, reply, said.listed, said.topic, people)
        return _Said(query, reply, reply, query.topic, people)

    def follow(self, question: str, said: _Said | None) -> tuple[_Kind, Query]:
        """Understand a question, carrying over what it leaves out; also says what that is."""
        if said is None:
            return "complete", self.reader.read(question)
        kind, query = self._whole(question, _without_lead(question), self._meant(question, said))
        return kind, undated_text(replace(query, original=question))

    def _meant(self, question: str, said: _Said) -> _Said:
        """With the person whom "she" stands for where nobody was asked for: the only one quoted, or asked for before."""
        last = said.query
        if _asked(last) or last.mentioned or not _PERSON.search(question):
            return said
        own_words = "\n".join(line for line in said.reply.splitlines() if not line.lstrip().startswith(">"))
        named = self._authors(own_words) or said.people
        return replace(said, query=replace(last, authors=named)) if len(named) == 1 else said

    def _whole(self, question: str, bare: str, said: _Said) -> tuple[_Kind, Query]:
        """A question made whole, and what it took over; `bare` is the question without "And" and the like."""
        last = said.query
        if _ASSENT.match(question):
            return "assent", self._assented(said)
        own = self.reader.read(bare)
        if item := item_meant(bare, said.reply, said.listed):
            return "item", self._about_item(own, item, said)
        if (_asked(last) or last.since or last.until) and (period := self._period(bare)):
            return "period", _in_period(last, *period)
        if named := self._named(question, bare, last):
            return "person", _other_person(named, said)
        kind = _kind(question, bare, own, said)
        match kind:
            case "complete":
                topic = _ABOUT.sub("", bare)
                return kind, self.reader.read(topic) if topic else own
            case "person":
                return kind, _other_person(own, said)
            case "others":
                return kind, _others(own, last)
            case "same people":
                return kind, _same_people(own, last)
            case "topic":
                return kind, _other_topic(self.reader.read(_ABOUT.sub("", bare).rstrip(" ?.!")), last)
            case _:
                return kind, _added(own, last)

    def _named(self, question: str, bare: str, last: Query) -> Query | None:
        """What "And Ann?" asks, which is a name and nothing else; None if a question is anything else."""
        name = _ABOUT.sub("", bare).strip(" ?.!,")
        led = name != question.strip(" ?.!,")
        found = words(name)
        if not found or len(found) > 6:
            return None
        if any(word.folded in FUNCTION_WORDS | SAYING - {"and"} and not (led and word.capital) for word in found):
            return None
        own = self.reader.read(f"What does {name} say?")
        if own.topic or not _asked(own):
            return None
        if not own.authors:
            known = self.reader.known
            strange = known and any(not known(word.text) and not word.text.isupper() for word in found)
            if not (led and strange and (len(found) > 1 or _asked(last))):
                return None
        return replace(own, wants_list=last.wants_list, by_time=last.by_time)

    def _period(self, bare: str) -> tuple[Period, str] | None:
        """What "in 2021?" asks, which is a period and nothing else, and its words; None if a question is anything else."""
        text = re.sub(r"^(?:more|most)\s+(?=recently\b)", "", _ABOUT.sub("", bare).strip(" ?.!,"), flags=re.I)
        for written in (text, f"in {text}"):
            for period in periods(written, self.reader.now):
                if period.start == 0 and period.end == len(written):
                    return period, written
        return None

    def _authors(self, text: str) -> tuple[str, ...]:
        """Authors named in a part of an answer, in order."""
        found = words(re.sub(r"\\(?=\W|_)", "", text))
        return _unique(author for one in self.reader.names.find(found, self.reader.known) for author in one.authors)

    def _assented(self, said: _Said) -> Query:
        """ "Yes": to what the last answer offered, or else once more to the question before."""
        last = said.query
        offers = re.findall(r"[^.?!\n]+\?", said.reply)
        own = self.reader.read(offers[-1].strip()) if offers else last
        if not own.topic:
            own = last
        people = {} if own.authors else _people(last)
        return replace(own, carried=True, **people)

    def _about_item(self, own: Query, item: Item, said: _Said) -> Query:
        """ "The second one?": what the n-th quote of an answer said."""
        cited = self._authors(item.heading)[:1] or self._authors(item.text)[-1:]
        quoted = self.reader.read(item.text).topic.split()[:14]
        short = " ".join(quoted) if len(quoted) > 3 else _merged(*quoted, said.topic)
        people = _people(said.query)
        if cited:
            people = dict.fromkeys(people, ()) | {"authors": cited}
        topic = _merged(ORDINAL.sub("", own.topic), short)
        return replace(own, text=_reminding(own.text, (), short), topic=topic, carried=True, **people)


# What is left out


def _kind(question: str, bare: str, own: Query, said: _Said) -> _Kind:
    """What a question that is more than a name, a period or a number takes over; "complete" if nothing."""
    last, people = said.query, _asked(said.query)
    content = [word for word in own.topic.split() if not is_dependent(word)]
    refers = len(content) <= _FEW and refers_back(bare, own.topic.split(), f"{last.text} {said.reply}")
    if _asked(own):
        return _kind_with_name(bare, content, people, refers)
    theirs = people and _theirs(bare, people, refers)
    anybody = asks_anybody(bare) or _ANYBODY.search(bare)
    she = _PERSON.search(_without_own(bare) if anybody else bare)
    if people and anybody and not (theirs and _THEY_SAY.search(bare)) and not _among(bare, people):
        return "others" if she or refers or not content else "complete"
    if she and (people or last.mentioned):
        return "same people" if content and people and not refers else "addition"
    if theirs:
        return "same people" if content and _WITH_TOPIC.search(bare) else "addition"
    if refers or not content:
        return "addition"
    return _kind_of_fragment(question, bare, content, people)


def _kind_with_name(bare: str, content: list[str], people: tuple[str, ...], refers: bool) -> _Kind:
    """What a question that names somebody takes over."""
    if not content:
        return "complete" if _INTRODUCED.search(bare) else "person"
    agrees = bool(people and _PERSON.search(bare) and compares(bare))
    return "person" if agrees or (refers and len(content) < _FEW - 1) else "complete"


def _kind_of_fragment(question: str, bare: str, content: list[str], people: tuple[str, ...]) -> _Kind:
    """What a question takes over that points at nothing said before, but may be less than a sentence."""
    about = _ABOUT.match(bare)
    if _SENTENCE.match(bare) and not about:
        return "addition" if _NO_VERB.match(bare) and len(content) < 3 else "complete"
    led = bool(about) or bare != question
    if _CIRCUMSTANCE.match(_ABOUT.sub("", bare)):
        return "addition" if led or len(content) < 3 else "complete"
    if led or (people and len(content) == 1 and len(words(bare)) < 4):
        return "topic"
    return "complete"


# The question made whole: people, topic and time are taken over where a question leaves them out


def _added(own: Query, last: Query) -> Query:
    """ "And why?": the same people and topic, asked something more."""
    return _carried(own, last, _reminding(own.text, _asked(last), last.topic), last.topic, **_people(last))


def _same_people(own: Query, last: Query) -> Query:
    """ "What did she say about X?": the same people, asked something of its own."""
    return _carried(own, last, _with_names(own.text, last), **_people(last))


def _others(own: Query, last: Query) -> Query:
    """ "Does anybody disagree?": the same topic, whoever else speaks on it."""
    apart = _OTHERS.search(own.text) or _PERSON.search(own.text)
    text = _reminding(_with_names(own.text, last), (), last.topic)
    return _carried(own, last, text, last.topic, others_than=last.authors if apart else ())


def _other_topic(own: Query, last: Query) -> Query:
    """ "What about X?": the same people, another topic."""
    names = _asked(last)
    if not names and not last.others_than:
        return _added(own, last)
    asked = f"does {names[0]}" if len(names) == 1 else f"do {' and '.join(names) or 'others'}"
    return _carried(own, last, f"What {asked} say about {own.text}?", **_people(last))


def _other_person(own: Query, said: _Said) -> Query:
    """ "And Ann?": the same topic, another person."""
    last = said.query
    together = own.compare or bool(compares(own.text) and last.authors)
    people = _unique((*last.authors, *own.authors)) if together else own.authors
    text = _reminding(own.text, _asked(own), said.topic)
    return replace(_carried(own, last, text, said.topic, authors=people), compare=together and len(people) > 1)


def _in_period(last: Query, period: Period, written: str) -> Query:
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
        topic=_merged(own.topic, topic) if topic else own.topic,
        carried=True,
        compare=own.compare or (last.compare and several),
        **_time(own, last),
        **people,
    )


def _asked(query: Query) -> tuple[str, ...]:
    """Who is asked for, whether or not anything by them is indexed."""
    return (*query.authors, *query.unknown_authors)


def _people(last: Query) -> dict[str, Any]:
    return {name: getattr(last, name) for name in ("authors", "unknown_authors", "traces", "labels", "others_than")}


def _time(own: Query, last: Query) -> dict[str, Any]:
    keep = own if own.since or own.until else last
    return {name: getattr(keep, name) for name in ("since", "until", "dates_certain", "period", "times")}


def _with_names(text: str, last: Query) -> str:
    """A question with names in place of "she" or "they"."""
    names = " and ".join(_asked(last))
    pronoun = _PERSON if _PERSON.search(text) else _PEOPLE
    return pronoun.sub(lambda match: f"{names}'s" if match[0].casefold() in _POSSESSIVE else names, text, count=1)


def _subject(text: str) -> str:
    """What follows "about": all there is to carry where it looks like a verb of saying, as "forecasts" does."""
    match = re.search(r"\b(?:about|on|of|regarding)\s+(.+?)\W*$", text, re.I)
    return match[1] if match else ""


def _reminding(text: str, people: Sequence[str], topic: str) -> str:
    """A question followed by whom and what it is about."""
    about = ": ".join(filter(None, (" and ".join(people), topic)))
    return f"{text} ({about})" if about else text


def _without_lead(text: str) -> str:
    return _LEAD.sub("", text) or text


def _without_own(question: str) -> str:
    """ "Who changed his mind?" without "his", which is nobody's from before; "who supports his plan?" keeps it."""

    def own(match: re.Match[str]) -> str:
        return match[0] if match[1].casefold() in SAYING or match[1].casefold() in FUNCTION_WORDS else match[1]

    return re.sub(r"\b(\w+)\s+(?:his|her|himself|herself)\b", own, question)


def _among(question: str, people: tuple[str, ...]) -> bool:
    """Whether "who is right?" asks which of several people, and nobody else."""
    return len(people) > 1 and not re.search(
        r"\b(?:else|others?|another|(?:with|to|against)\s+(?:them|both))\b", question, re.I
    )


def _theirs(question: str, people: tuple[str, ...], refers: bool) -> bool:
    """Whether "they" are the people who were asked for, and not things."""
    if len(people) > 1:
        return bool(
            _PEOPLE.search(question)
            if refers
            else re.search(r"\b(?:each other|one another|both|the two)\b", question, re.I)
        )
    says = _THEY_SAY.search(question)
    return bool(says and (says[1] is None or says[1].casefold() in SAYING))


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _merged(*texts: str) -> str:
    """The words of several texts, each once."""
    return " ".join(dict.fromkeys(word for text in texts for word in text.split()))
