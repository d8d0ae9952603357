"""What a question in a conversation is about: a follow-up takes over what it leaves out, a new question nothing.

Everything here is deterministic and needs no model; a model may be handed in to rewrite follow-ups. How a question by itself is
read is in understanding.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from rag.answering.about import asks_nothing
from rag.citations.keys import neutralise
from rag.language.english import FUNCTION_WORDS
from rag.question.carrying import (
    added,
    asked_again,
    asks_for_reply,
    asks_who_replied,
    in_period,
    merged,
    other_person,
    other_topic,
    others,
    people_of,
    reminding,
    same_people,
    whole_comparison,
    with_names,
)
from rag.question.ellipsis import (
    Kind,
    asks_for_manner,
    assents,
    is_fragment,
    kind_of,
    means_people,
    without_about,
    without_lead,
)
from rag.question.form import compares
from rag.question.listed_items import ORDINAL, Item, item_meant
from rag.question.mentioning import asks_who_mentions
from rag.question.names import NameIndex, words
from rag.question.of_answer import asked_of_answer, asks_for_more, pieces_quoted, words_quoted
from rag.question.parts import questions_in
from rag.question.periods import Period, periods
from rag.question.query import Query, in_order, undated_text
from rag.question.references import PEOPLE, PERSON
from rag.question.speech import AUXILIARIES, AUXILIARY_VERB, SAYING, WH
from rag.question.understanding import Reader
from rag.records import Turn

_REMEMBERED = 6
"""Questions before the last one that are looked at."""
_MOST_MEANT = 3
"""Of people quoted whom "they" may mean."""
_CITES = re.compile(r"\[\d{1,3}\]")
_FORMER = re.compile(r"\bthe\s+(former|latter)(?=['’]s\b|\s*(?:[^\w\s'’]|$)|\s+([^\W\d_]+))", re.I)
_TOLD_FIRST = re.compile(
    rf"(?P<told>[^?]*[^?.!:][.!:])\s+(?P<asked>(?:(?:and|but|so)\s+)?(?:\w+\s+)?(?:{WH}|{AUXILIARY_VERB})\b[^?.!]+\?)$",
    re.I,
)
"""A question behind what tells whom it is about."""
_BESIDE = re.compile(
    r"(?:and\s+|what\s+did\s+(?:he|she|they)\s+(?:say|think)\s+)?(before|after)\s+(?:that|this|then)", re.I
)
_NEXT_TO_IT = re.compile(
    r"\W*(?:the\s+)?(?:(?:ones?|comments?|posts?)\s+(?:just\s+)?(?:before|after)(?:\s+(?:that|this|it))?|(?:previous|next)(?:\s+(?:one|comment|post)s?)?)\W*",
    re.I,
)
"""Asks for what stands beside the first in the order of the last answer."""
_END_OF_THEM = re.compile(
    r"\W*(?:(?:which|what)\s+(?:one\s+)?(?:is|was|were|are)\s+)?(?:the\s+)?(?:very\s+)?(?P<end>oldest|earliest|newest|latest|most\s+recent)"
    r"(?:\s+(?:ones?|comments?|posts?|quotes?|mentions?))?(?:\s+of\s+(?:them|these|those|all))?\W*",
    re.I,
)
"""Asks for the first or the last by date of what the last question asked for."""
_HOW_MANY_OF_THEM = re.compile(
    r"\W*(?:in\s+)?how\s+many\s+(?:of\s+the\s+)?(?P<who>comments|posts|people|authors|commenters)"
    r"(?:\s+(?:are\s+there|were\s+there|(?:say|said|mention|mentioned|write|wrote|talk|talked|speak|spoke)(?:\s+(?:about|of|on))?(?:\s+(?:it|that|this|so))?))?\W*",
    re.I,
)
_END_OF_KARMA = re.compile(
    r"\W*(?:(?:which|what)\s+(?:one\s+)?(?:is|was|has|had|got|were|are)\s+)?(?:the\s+)?(?:(?P<low>least|lowest|worst|fewest)|most|highest|best)"
    r"(?:[-\s]+(?:karma|votes|up-?votes|points|rated|up-?voted|liked|popular|ones?|comments?))*\W*",
    re.I,
)
_BEHIND_A_NAME = SAYING | FUNCTION_WORDS | AUXILIARIES


def understand(
    question: str,
    history: Sequence[Turn] = (),
    authors: Sequence[str] = (),
    *,
    now: datetime | None = None,
    rewrite: Callable[[str], str] | None = None,
    known_words: Callable[[str], bool] | None = None,
    labels: Sequence[str] = (),
    plain_words: Callable[[str], bool] | None = None,
    small_words: Callable[[str], bool] | None = None,
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
        plain_words: Whether the indexed texts use a word as no name, as in "the lighthouse"; then a handle that is written like
            it counts only where somebody is asked for.
        small_words: Whether the indexed texts write a word with a small letter. In a question without capitals a first or
            last name that they do not write so counts wherever it stands.
    """
    now = now or datetime.now(UTC)
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    talk = _Conversation(
        Reader(_index(tuple(authors), tuple(labels)), now, known_words, tuple(labels), plain_words, small_words)
    )
    question = " ".join(question.split())
    parts = [
        (part, reply)
        for asked, reply in list(_exchanges(history))[-_REMEMBERED:]
        for part in questions_in(asked, lambda one: talk.reader.read(one).topic)
    ]
    if parts and (again := asked_of_answer(question)):
        return replace(
            talk.follow(parts[-1][0], talk.so_far(parts[:-1]))[1],
            original=question,
            of_answer=again.wanted,
            of_quote=again.place,
            when=again.when,
        )
    kind, query = talk.follow(question, talk.so_far(parts))
    if rewrite and kind != "complete" and (rewritten := rewrite(_as_text(history, question))):
        query = replace(talk.reader.read(rewritten), original=question, carried=True)
    if asks_for_more(question):
        query = replace(query, told="".join(words_quoted(turn.content) for turn in history if turn.role != "user"))
    return query


def _exchanges(history: Sequence[Turn]) -> Iterator[tuple[str, str]]:
    """Questions with their answers; thanks, greetings and questions about an answer leave no trace in what is talked about."""
    for index, turn in enumerate(history):
        if turn.role == "user" and not (
            asks_nothing(turn.content, first=index == 0) or (index and asked_of_answer(turn.content))
        ):
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
    pair: tuple[str, ...] = ()
    """The two people who were last asked for together: "the former" and "the latter"."""
    beside: tuple[str, ...] = ()
    """Who was asked the same before: "What does Ann think of rye?", "And Bob?"."""


@dataclass(frozen=True, slots=True)
class _Conversation:
    """Reads questions in their conversation."""

    reader: Reader

    def so_far(self, parts: Sequence[tuple[str, str]]) -> _Said | None:
        """What was said, given all questions with the answers to them; None if nothing was."""
        said: _Said | None = None
        for part, reply in parts:
            said = self.after(said, part, reply)
        return said

    def after(self, said: _Said | None, question: str, reply: str) -> _Said:
        """What was said, once a question is answered."""
        kind, query = self.follow(question, said)
        query = replace(query, topic=query.topic or _subject(query.text))
        people = query.authors or (said.people if said else ())
        pair = query.authors if len(query.authors) == 2 else said.pair if said and {*people} <= {*said.pair} else ()
        if said and kind == "item":
            return _Said(query, reply, said.listed, said.topic, people, pair)
        beside = _unique(*said.beside, *_sides(said.query)) if said and kind == "person" and not query.compare else ()
        return _Said(query, reply, reply, query.topic, people, pair, beside)

    def follow(self, question: str, said: _Said | None) -> tuple[Kind, Query]:
        """Understand a question, carrying over what it leaves out; also says what that is."""
        if (named := self._introduced(question)) != question:
            kind, query = self.follow(named, said)
            return kind, replace(query, original=question)
        if said is None:
            return "complete", self.reader.read(question)
        whole = _with_pair(question, said.pair) if said.pair else question
        kind, query = self._whole(whole, without_lead(whole), self._meant(whole, said))
        if kind != "complete" and query.authors and not query.answered and asks_for_reply(whole):
            query = replace(query, answered=self._before(query, said))
        if kind != "complete" and not (query.authors or query.answered) and asks_who_replied(whole):
            query = replace(query, answered=self._quoted(said))
        if kind != "complete" and query.answered and (asks_for_reply(whole) or asks_who_replied(whole)):
            query = replace(query, replied_to=pieces_quoted(said.reply))
        return kind, undated_text(replace(query, original=question))

    def _introduced(self, question: str) -> str:
        """ "I have a question about Ann. Where does she bake?" with her name in place of "she"; others as they are."""
        told = _TOLD_FIRST.match(question)
        if not told or not PERSON.search(told["asked"]):
            return question
        named = self._authors(told["told"])
        own = self.reader.read(told["asked"])
        if len(named) != 1 or own.people or own.mentioned:
            return question
        return with_names(told["asked"], replace(own, authors=named))

    def _before(self, query: Query, said: _Said) -> tuple[str, ...]:
        """Whose words a reply of those asked for was to: who was asked for before, or is quoted in the last answer."""
        asked = tuple(author for author in said.query.authors if author not in query.authors)
        return asked or tuple(author for author in self._quoted(said) if author not in query.authors)

    def _quoted(self, said: _Said) -> tuple[str, ...]:
        """Authors whom the last answer names itself, not those named in what it quotes."""
        return self._authors("\n".join(line for line in said.reply.split("\n") if not line.lstrip().startswith(">")))

    def _meant(self, question: str, said: _Said) -> _Said:
        """With whom "she" or "they" stand for where nobody was asked for: who is quoted, or was asked for before."""
        last = said.query
        if last.answered and asks_for_reply(question) and PERSON.search(question):  # whose turn it is
            return replace(said, query=replace(last, authors=last.answered, answered=(), others_than=()))
        several = means_people(question) or (compares(question) and PEOPLE.search(question))
        if said.beside and several and len(both := _unique(*said.beside, *_sides(last))) > len(_sides(last)):
            return replace(said, query=replace(last, authors=both, unknown_authors=(), labels=(), compare=True))
        if last.people or last.mentioned:
            return said
        named = self._quoted(said)
        alone = next((people for people in (named, said.people) if len(people) == 1), ())
        if PERSON.search(question) and alone:
            return replace(said, query=replace(last, authors=alone, others_than=()))
        if means_people(question) and 1 < len(named) <= _MOST_MEANT:
            return replace(said, query=replace(last, authors=named))
        return said

    def _whole(self, question: str, bare: str, said: _Said) -> tuple[Kind, Query]:
        """A question made whole, and what it took over; `bare` is the question without "And" and the like."""
        last = said.query
        own = self.reader.read(bare)
        if words_quoted(said.reply) and asks_for_more(bare) and not (own.topic or own.people):
            return "addition", replace(last, form=last.form or last.text, carried=True)
        if assents(question):
            return "assent", self._assented(said)
        if asks_for_manner(bare):
            return "addition", replace(last, carried=True)
        if item := item_meant(bare, said.reply, said.listed):
            return "item", self._about_item(own, item, said)
        if (pointing := re.sub(r"\bthe it\b", "it", ORDINAL.sub("it", bare))) != bare and "[" not in bare:
            aside = self.reader.read(pointing)  # to what the answer does not part: its topic is all there is to go by
            if not (aside.topic or aside.people):
                return "addition", _added(aside, said)
        if end := _END_OF_THEM.fullmatch(bare):
            first = end["end"].casefold() in ("oldest", "earliest")
            order = {"oldest": first, "newest": not first, "ranked": ""}
            return "addition", replace(last, form=last.form or last.text, carried=True, **order)
        if last.topic and (counted := _HOW_MANY_OF_THEM.fullmatch(bare)):
            asked = self.reader.read(f"How many {counted['who']} mention {last.topic}?")
            return "addition", replace(asked, form=asked.text, carried=True, **people_of(last))
        if last.ranked and (end := _END_OF_KARMA.fullmatch(bare)):
            topic = self.reader.read(last.text).topic  # "comments of Ann" are about nothing
            ranked: Literal["lowest", "highest"] = "lowest" if end["low"] else "highest"
            return "addition", replace(last, topic=topic, ranked=ranked, carried=True)
        if in_order(last) and _NEXT_TO_IT.fullmatch(bare):
            return "addition", replace(last, carried=True)
        counted = asks_who_mentions(last.form or last.text) or in_order(last)
        if (last.people or last.since or last.until or counted) and (period := self._period(bare, last)):
            return "period", in_period(last, *period)
        if named := self._named(question, bare, last):
            return "person", asked_again(other_person(named, last, said.topic), last)
        if last.people and compares(bare) and (with_people := with_names(bare, last)) != bare:
            compared = self.reader.read(with_people)
            if len(compared.people) > len(last.people):
                return "person", whole_comparison(compared, last, said.topic)
        kind = kind_of(question, own, last, said.reply)
        match kind:
            case "complete":
                topic = without_about(bare)
                return kind, own if topic in ("", bare) else self.reader.read(topic)
            case "person":
                person = other_person(own, last, said.topic)
                return kind, asked_again(person, last) if is_fragment(bare, own) else person
            case "others":
                return kind, others(own, last)
            case "same people":
                return kind, same_people(own, last)
            case "topic":
                return kind, other_topic(self.reader.read(without_about(bare).rstrip(" ?.!")), last)
            case _:
                return kind, _added(own, said)

    def _named(self, question: str, bare: str, last: Query) -> Query | None:
        """What "And Ann?" asks, which is a name and nothing else; None if a question is anything else."""
        name = without_about(bare).strip(" ?.!,")
        led = name != question.strip(" ?.!,")
        name = re.sub(r"[\s,]+(?:please|again|too|as well)$", "", name, flags=re.I)
        name = re.sub(r"^the\s+(?=unnamed profile)", "", name, flags=re.I)
        found = words(name)
        if not found or len(found) > 6:
            return None
        if any(word.folded in FUNCTION_WORDS | SAYING - {"and"} and not (led and word.capital) for word in found):
            return None
        own = self.reader.read(f"What does {name} say?")
        if own.topic or not own.people:
            return None
        if not own.authors:
            known = self.reader.known
            strange = known and any(not known(word.text) and not word.text.isupper() for word in found)
            if not (led and (own.labels or (strange and (len(found) > 1 or last.people)))):
                return None
        return replace(own, wants_list=last.wants_list, by_time=last.by_time)

    def _period(self, bare: str, last: Query) -> tuple[Period, str] | None:
        """What "in 2021?" asks, which is a period and nothing else, and its words; None if a question is anything else."""
        text = re.sub(r"^(?:more|most)\s+(?=recently\b)", "", without_about(bare).strip(" ?.!,"), flags=re.I)
        if beside := _BESIDE.fullmatch(text):
            return _beside(beside[1].casefold() == "before", last, text)
        for written in (text, f"in {text}"):
            for period in periods(written, self.reader.now):
                if period.start == 0 and period.end == len(written):
                    return period, written
        return None

    def _authors(self, text: str) -> tuple[str, ...]:
        """Authors named in a part of an answer, in order."""
        found = words(re.sub(r"\\(?=\W|_)", "", text))
        return tuple(
            dict.fromkeys(author for one in self.reader.names.find(found, self.reader.known) for author in one.authors)
        )

    def _assented(self, said: _Said) -> Query:
        """ "Yes": to what the last answer offered, or else once more to the question before."""
        last = said.query
        offers = re.findall(r"[^.?!\n]+\?", said.reply)
        own = self.reader.read(offers[-1].strip()) if offers else last
        if not own.topic:
            own = last
        people = {} if own.authors else people_of(last)
        return replace(own, carried=True, **people)

    def _about_item(self, own: Query, item: Item, said: _Said) -> Query:
        """ "The second one?": what the n-th quote of an answer said."""
        cited = self._authors(item.heading)[:1] or self._authors(item.text)[-1:]
        quoted = self.reader.read(item.text).topic.split()[:14]
        short = " ".join(quoted) if len(quoted) > 3 else merged(*quoted, said.topic)
        people = people_of(said.query)
        if cited:
            people = dict.fromkeys(people, ()) | {"authors": cited}
        topic = merged(ORDINAL.sub("", own.topic), short)
        return replace(own, text=reminding(own.text, (), short), topic=topic, carried=True, **people)


def _beside(before: bool, last: Query, written: str) -> tuple[Period, str] | None:
    """What "before that?" asks where a period was asked for; None where none was."""
    instant = timedelta(microseconds=1)
    if before:
        return (Period(0, len(written), None, last.since - instant, "before"), written) if last.since else None
    return (Period(0, len(written), last.until + instant, None, "after"), written) if last.until else None


def _added(own: Query, said: _Said) -> Query:
    """A question that adds to the last one; where that got no answer with a citation, it has to have one, too."""
    query, last = added(own, said.query), said.query
    return query if _CITES.search(said.reply) else replace(query, rests_on=last.rests_on or last.text)


def _with_pair(question: str, pair: tuple[str, ...]) -> str:
    """A question with the names of two people for "the former" and "the latter"; "the former president" is neither."""

    def named(match: re.Match[str]) -> str:
        follows = match[2] is None or match[2].casefold() in _BEHIND_A_NAME
        return pair[match[1].casefold() == "latter"] if follows else match[0]

    return _FORMER.sub(named, question)


def _sides(query: Query) -> tuple[str, ...]:
    """Under what names those who are asked for can be compared: a profile that may be theirs has its label."""
    return query.authors or (query.labels if len(query.labels) == 1 else ())


def _unique(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _subject(text: str) -> str:
    """What follows "about": all there is to carry where it looks like a verb of saying, as "forecasts" does."""
    match = re.search(r"\b(?:about|on|of|regarding)\s+(.+?)\W*$", text, re.I)
    return match[1] if match else ""
