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
from rag.lexical import stems
from rag.names import NameIndex, Word, words
from rag.periods import Period, periods
from rag.questions import SAYING, Query, Reader, asks_anybody, compares, undated_text
from rag.records import Turn

_WH = r"(?:who(?:se|m)?|what|which|when|where|why|how|whether)"
_HELPING = r"(?:do|does|did|can|could|will|would|shall|should|may|might|must)(?:n['’]?t)?"
_AUXILIARY = rf"(?:{_HELPING}|(?:is|are|was|were|am|has|have|had)(?:n['’]?t)?)"
_LEAD = re.compile(
    rf"^\W*(?:(?:and|but|so|also|or|then|plus)\b[\s,.:;!]*"
    rf"|(?:ok(?:ay)?|yes|well|hm+|right|sure|thanks|thank you|great)\b(?:\s*[,.:;!]\s*|\s+(?=(?:and|but|so|{_WH}|{_AUXILIARY})\b)))+",
    re.I,
)
_ABOUT = re.compile(
    r"^\W*(?:(?:what|how)\s+about\b|(?:tell\s+me\s+|say\s+)?(?:(?:some|a\s+(?:bit|little))\s+)?more\s+(?:about|on)\b"
    r"|(?:about|on)\b)\s*",
    re.I,
)
_SENTENCE = re.compile(
    rf"^\W*(?:(?:(?:in|at|on|for|with|from|to|by|of|under|about|since)\s+)?{_WH}(?!\s+if\b)|(?:who|what|where|how)['’]s|{_AUXILIARY}|i|we|you"
    r"|tell|list|name|give|show|find|quote|compare|summari[sz]e|explain|describe|according)\b",
    re.I,
)
_NO_VERB = re.compile(
    rf"^\W*(?:\w+\s+)?(?:what|which|when|where|why|how)\b(?!['’])(?!.*\b{_AUXILIARY}\b)"
    r"(?!\s+(?:many|much)\s+\w+\s+(?!(?:in|at|for|with|without|per|of|on|under|after|before)\b)\w+\s+\w|\s+\w+(?:s|ed)\s+\w|(?<=which)\s+\w+\s+\w+(?:s|ed)\s+\w)",
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
_DEPENDENT = frozenset(
    """
    advantage alternative answer argument benefit best better catch cause certain change changed condition conclusion
    consequence correct criticism danger detail difference disadvantage disagreement downside drawback effect elaborate evidence exactly example
    exception expand far fix further happen happened kind limitation link long matter mean more next objection
    option people point problem proof purpose reason requirement result right risk same sort
    source specific specifically step sure true upside way worse worst wrong
    """.split()
)
"""Words that say nothing by themselves: "what are the downsides?" is about what was spoken of before."""
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
_PRONOUN = re.compile(r"\b(?:its?|they|them|theirs?|this|that|these|those|such|there|the\s+same)\b", re.I)
_CLAUSE = r"(?:to\s+(?!(?:the|an?|this|that|it|my|your|his|her|their|our)\b)\w+\s+\w|(?:that|whether)\s+\w+\s+\w)"
_EMPTY_IT = re.compile(
    rf"\bit\s+(?:takes?|took|costs?|helps?|pays?|hurts?|makes?(?:\s+\w+)?\s+sense)\s+(?:\w+\s+){{0,3}}?{_CLAUSE}"
    r"|\b(?:(?:is|was)(?:n['’]t)?\s+it|it\s+(?:is|was|be)|it['’]s)\s+(?:"
    r"(?:\w+\s+)?(?!\w+(?:ed|ing)\b|close\b|due\b|equal\b|similar\b|relative\b)\w+\s+(?:for\s+(?:\w+\s+){1,3}?)?"
    rf"{_CLAUSE}|worth\s+\w+ing\s+(?!it\b|them\b)\w)"
    r"|\b(?:makes?|made|finds?|found)\s+it\s+\w+\s+to\s+\w|\bit\s+(?:rain|snow|freez|thunder|hail)\w*",
    re.I,
)
"""The "it" of "what does it cost to paint a boat", which stands for nothing."""
_EMPTY_THERE = re.compile(
    rf"\b(?:{_AUXILIARY}|be|been)\s+there\b(?=\s+\w)|\bthere(?:['’]s\b|\s+(?:{_AUXILIARY}|be)\b)|\bthose\s+(?:who|that)\b"
    r"|\bsuch\s+(?:as|an?)\b|\bthe\s+same\b(?=.*\bas\b)|\bthese\s+days\b"
    r"|\bthis\s+(?:year|month|week|quarter|century|decade|morning|evening|spring|summer|autumn|fall|winter|forum|site|index)\b",
    re.I,
)
"""What looks like pointing back and does not: "is there a library", "this year"."""
_COMPARED = re.compile(
    r"\b(?:instead|too|as\s+well|either|otherwise|then|so)\W*$|\b(?:is|are|be|works?)\b.*\b(?:better|worse)\W*$", re.I
)
"""Ends that need something before: "is wheat better?"."""
_SUBORDINATE = re.compile(
    r"\b(?:when|if|because|after|before|while|once|until|unless|although|as|and|or|than)\b[^,;]*$", re.I
)
_CLAUSE_STARTS = frozenset("a an the i we you he she it they my your his her our their all some any every no".split())
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
    r"\b("
    + "|".join(_ORDINALS)
    + r")\s+(?:one|point|quote|argument|comment|answer|author|person|citation|source|reason|item|claim|part)\b"
    r"(?!\s+(?:of|by|about|that|to)\b)"
    r"|\bthe\s+(" + "|".join(_ORDINALS) + r")(?=\W*$|\s+(?:says?|means?|thinks?|claims?|argues?|is|was|does|did)\b)"
    r"|\[(\d{1,2})\]|\b(?:number|quote|citation|source|point)\s+(\d{1,2})\b",
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
            fails or returns nothing usable, names and topic are carried over by rule.
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
    if rewrite and said and talk.kind(question, talk.meant(question, said)) != "complete":
        rewritten = _rewritten(rewrite, history, question)
        if rewritten:
            return replace(talk.reader.read(rewritten), original=question, carried=True)
    return talk.follow(question, said)


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


def _rewritten(rewrite: Callable[[str], str], history: Sequence[Turn], question: str) -> str | None:
    lines = [f"{turn.role}: {turn.content}" for turn in history[-2 * _REMEMBERED :]]
    text = " ".join(rewrite("\n".join([*lines, f"user: {question}"])).split()).strip("\"' ")
    return text if 3 < len(text) <= 400 else None


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

    def follow(self, question: str, said: _Said | None) -> Query:
        """Understand a question, carrying over what it leaves out."""
        if said is None:
            return self.reader.read(question)
        said = self.meant(question, said)
        bare = _without_lead(question)
        match self.kind(question, said):
            case "complete":
                query = self.reader.read(_ABOUT.sub("", bare) or bare)
            case "item":
                query = self._about_item(bare, said)
            case "assent":
                query = self._assented(said)
            case "period":
                query = self._other_period(bare, said.query)
            case "person":
                query = self._other_person(self._named(question, said.query) or self.reader.read(bare), said)
            case "others":
                query = self._others(self.reader.read(bare), said.query)
            case "same people":
                query = self._same_people(self.reader.read(bare), said.query)
            case "topic":
                query = self._other_topic(bare, said.query)
            case _:
                query = self._added(self.reader.read(bare), said.query)
        return undated_text(replace(query, original=question))

    def after(self, said: _Said | None, question: str, reply: str) -> _Said:
        """What was said, once a question is answered."""
        query = self.follow(question, said)
        query = replace(query, topic=query.topic or _subject(query.text))
        people = query.authors or (said.people if said else ())
        if said and self.kind(question, self.meant(question, said)) == "item":
            return _Said(query, reply, said.listed, said.topic, people)
        return _Said(query, reply, reply, query.topic, people)

    def meant(self, question: str, said: _Said) -> _Said:
        """With the person whom "she" stands for where nobody was asked for: the only one quoted, or asked for before."""
        last = said.query
        if last.authors or last.unknown_authors or last.mentioned or not _PERSON.search(question):
            return said
        own_words = "\n".join(line for line in said.reply.split("\n") if not line.lstrip().startswith(">"))
        named = self._authors(own_words) or said.people
        return replace(said, query=replace(last, authors=named)) if len(named) == 1 else said

    # What is left out

    def kind(self, question: str, said: _Said) -> _Kind:
        """What a question takes over from the conversation; "complete" if nothing."""
        last = said.query
        bare = _without_lead(question)
        own = self.reader.read(bare)
        content = [word for word in own.topic.split() if not _dependent(word)]
        people = (*last.authors, *last.unknown_authors)
        if _ASSENT.match(question):
            return "assent"
        if _item(bare, said):
            return "item"
        if (people or last.since or last.until) and self._period(bare):
            return "period"
        if self._named(question, last):
            return "person"
        refers = len(content) <= _FEW and _refers_back(bare, own.topic.split(), f"{last.text} {said.reply}")
        if own.authors or own.unknown_authors:
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

    def _named(self, question: str, last: Query) -> Query | None:
        """What "And Ann?" asks, which is a name and nothing else; None if a question is anything else."""
        bare = _without_lead(question)
        name = _ABOUT.sub("", bare).strip(" ?.!,")
        led = name != question.strip(" ?.!,")
        found = words(name)
        if not found or len(found) > 6:
            return None
        if any(word.folded in FUNCTION_WORDS | SAYING - {"and"} and not (led and word.capital) for word in found):
            return None
        own = self.reader.read(f"What does {name} say?")
        if own.topic or not (own.authors or own.unknown_authors):
            return None
        if own.unknown_authors and not own.authors:
            known = self.reader.known
            strange = known and any(not known(word.text) and not word.text.isupper() for word in found)
            if not (led and strange and (len(found) > 1 or last.authors or last.unknown_authors)):
                return None
        return replace(own, wants_list=last.wants_list, by_time=last.by_time)

    def _period(self, bare: str) -> Period | None:
        """What "in 2021?" asks, which is a period and nothing else; None if a question is anything else."""
        text = re.sub(r"^(?:more|most)\s+(?=recently\b)", "", _ABOUT.sub("", bare).strip(" ?.!,"), flags=re.I)
        for written in (text, f"in {text}"):
            for period in periods(written, self.reader.now):
                if period.start == 0 and period.end == len(written):
                    return period
        return None

    def _authors(self, text: str) -> tuple[str, ...]:
        """Authors named in a part of an answer, in order."""
        found = words(re.sub(r"\\(?=\W|_)", "", text))
        return _unique(author for one in self.reader.names.find(found, self.reader.known) for author in one.authors)

    # The question made whole

    def _added(self, own: Query, last: Query) -> Query:
        """ "And why?": the same people and topic, asked something more."""
        return replace(
            own,
            text=_reminding(own.text, (*last.authors, *last.unknown_authors), last.topic),
            topic=_merged(own.topic, last.topic),
            carried=True,
            compare=own.compare or (last.compare and len(last.authors) > 1),
            **_time(own, last),
            **_people(last),
        )

    def _same_people(self, own: Query, last: Query) -> Query:
        """ "What did she say about X?": the same people, asked something of its own."""
        return replace(
            own,
            text=_with_names(own.text, last),
            carried=True,
            compare=last.compare and len(last.authors) > 1,
            **_time(own, last),
            **_people(last),
        )

    def _others(self, own: Query, last: Query) -> Query:
        """ "Does anybody disagree?": the same topic, whoever else speaks on it."""
        apart = _OTHERS.search(own.text) or _PERSON.search(own.text)
        return replace(
            own,
            text=_reminding(_with_names(own.text, last), (), last.topic),
            topic=_merged(own.topic, last.topic),
            carried=True,
            others_than=last.authors if apart else (),
            **_time(own, last),
        )

    def _other_topic(self, bare: str, last: Query) -> Query:
        """ "What about X?": the same people, another topic."""
        subject = _ABOUT.sub("", bare).rstrip(" ?.!")
        own = self.reader.read(subject)
        names = [*last.authors, *last.unknown_authors]
        if not names and not last.others_than:
            return self._added(own, last)
        asked = f"does {names[0]}" if len(names) == 1 else f"do {' and '.join(names) or 'others'}"
        return replace(
            own,
            text=f"What {asked} say about {own.text}?",
            carried=True,
            compare=last.compare and len(names) > 1,
            **_time(own, last),
            **_people(last),
        )

    def _other_period(self, bare: str, last: Query) -> Query:
        """ "And in 2021?": the same people and topic, another time."""
        period = self._period(bare)
        assert period is not None
        return replace(
            last,
            since=period.since,
            until=period.until,
            times=period.times,
            period=bare.strip(" ?.!,"),
            dates_certain=False,
            carried=True,
        )

    def _other_person(self, own: Query, said: _Said) -> Query:
        """ "And Ann?": the same topic, another person."""
        last = said.query
        together = own.compare or bool(compares(own.text) and last.authors)
        people = _unique((*last.authors, *own.authors)) if together else own.authors
        return replace(
            own,
            authors=people,
            text=_reminding(own.text, (*own.authors, *own.unknown_authors), said.topic),
            topic=_merged(own.topic, said.topic),
            carried=True,
            compare=together and len(people) > 1,
            **_time(own, last),
        )

    def _about_item(self, bare: str, said: _Said) -> Query:
        """ "The second one?": what the n-th quote of an answer said."""
        item = _item(bare, said)
        assert item is not None
        cited = self._authors(item.heading)[:1] or self._authors(item.text)[-1:]
        quoted = self.reader.read(item.text).topic.split()[:14]
        short = " ".join(quoted) if len(quoted) > 3 else _merged(*quoted, said.topic)
        own = self.reader.read(bare)
        people = _people(said.query)
        if cited:
            people = dict.fromkeys(people, ()) | {"authors": cited}
        return replace(
            own,
            text=_reminding(own.text, (), short),
            topic=_merged(_ORDINAL.sub("", own.topic), short),
            carried=True,
            **people,
        )

    def _assented(self, said: _Said) -> Query:
        """ "Yes": to what the last answer offered, or else once more to the question before."""
        last = said.query
        offers = re.findall(r"[^.?!\n]+\?", said.reply)
        own = self.reader.read(offers[-1].strip()) if offers else last
        if not own.topic:
            own = last
        people = {} if own.authors else _people(last)
        return replace(own, carried=True, **people)


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


def _people(last: Query) -> dict[str, Any]:
    return {name: getattr(last, name) for name in ("authors", "unknown_authors", "traces", "labels", "others_than")}


def _time(own: Query, last: Query) -> dict[str, Any]:
    keep = own if own.since or own.until else last
    return {name: getattr(keep, name) for name in ("since", "until", "dates_certain", "period", "times")}


def _with_names(text: str, last: Query) -> str:
    """A question with names in place of "she" or "they"."""
    names = " and ".join([*last.authors, *last.unknown_authors])
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


def _dependent(word: str) -> bool:
    folded = word.casefold()
    return folded in _DEPENDENT or (folded.endswith("s") and folded[:-1] in _DEPENDENT)


def _refers_back(question: str, content: list[str], said: str) -> bool:
    """Whether "it", "that" or the like in a question stands for something that was said before."""
    if _COMPARED.search(question):
        return True
    text = _EMPTY_IT.sub(lambda match: re.sub(r"\bit\b", "…", match[0], count=1, flags=re.I), question)
    text = _EMPTY_THERE.sub("…", text)
    return any(
        _points_back(match[0].casefold(), text[: match.start()], text[match.end() :], content, said)
        for match in _PRONOUN.finditer(text)
    )


def _points_back(pronoun: str, before: str, after: str, content: list[str], said: str) -> bool:
    own = [word.text for word in words(before) if word.text in content]
    if len(own) > 1 and _SUBORDINATE.search(before):
        return False  # "do eels taste better when they are smoked"
    if pronoun in ("its", "their", "theirs"):
        return not (own and re.search(rf"\b{_HELPING}\s+(?:(?:an?|the)\s+)?{re.escape(own[0])}\b", before, re.I))
    if pronoun == "that" and not _demonstrative(words(before), words(after)):
        return False
    follows = re.match(r"\s+([^\W\d_]+)", after)
    if pronoun in ("this", "that", "such") and follows and follows[1] in content:
        return len(content) < 3 or not set(stems(follows[1])).isdisjoint(stems(said))
    return True


def _demonstrative(before: list[Word], after: list[Word]) -> bool:
    """Whether "that" points at something: not in "who thinks that salt helps", nor in "boats that leak"."""
    if not before or not after:
        return True
    if before[-1].folded in SAYING:
        return len(after) == 1 or after[0].folded in FUNCTION_WORDS - _CLAUSE_STARTS
    return before[-1].folded in FUNCTION_WORDS - {"so", "such", "all", "anybody", "anyone", "somebody", "someone"}


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _merged(*texts: str) -> str:
    """The words of several texts, each once."""
    return " ".join(dict.fromkeys(word for text in texts for word in text.split()))


@dataclass(frozen=True, slots=True)
class _Item:
    """Something that an answer lists."""

    heading: str
    """Says who is quoted; empty if `text` does."""
    text: str


def _item(question: str, said: _Said) -> _Item | None:
    """The part of an answer that an ordinal in the question points to."""
    match = _ORDINAL.search(question)
    if not match:
        return None
    name = (match[1] or match[2] or "").casefold()
    items = list(_items(said.listed if name else said.reply).values())
    number = _ORDINALS[name] if name else int(match[3] or match[4]) - 1
    return items[number] if -len(items) <= number < len(items) else None


def _items(reply: str) -> dict[str, _Item]:
    """What an answer lists, by number: its quotes, else what stands before each marker, else its list."""
    quotes: dict[str, _Item] = {}
    heading = ""
    for block in re.split(r"\n\s*\n", reply):
        if not block.lstrip().startswith(">"):
            heading = block
            continue
        quoted = re.sub(r"^\s*>\s?", "", block, flags=re.M)
        for text, number in _marked(quoted) or [(quoted, str(len(quotes) + 1))]:
            quotes.setdefault(number, _Item(heading, text))
    if quotes:
        return quotes
    if marked := _marked(reply):
        return {number: _Item("", text) for text, number in reversed(marked)}
    listed = re.findall(r"^\s*(?:[-*]|\d+[.)])\s+(.*)$", reply, re.M)
    return {str(number): _Item("", text) for number, text in enumerate(listed, 1)}


def _marked(text: str) -> list[tuple[str, str]]:
    """Pieces of a text with the number at the end of each."""
    return re.findall(r"(.*?)\[(\d{1,2})\]", text, re.S)
