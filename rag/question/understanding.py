"""What a question by itself is about: who is asked for, which time, and which topic.

Everything here is deterministic and needs no model. Names are found by names.py, their part in the question by roles.py,
periods by periods.py, the kind of question by form.py. What a follow-up refers to is found by follow_ups.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rag.language.english import COMMON_WORDS, FUNCTION_WORDS
from rag.question.form import (
    Span,
    among_people,
    answered_by,
    asks_anybody,
    asks_by_time,
    by_karma,
    compares,
    newest,
    not_about,
    objecting,
    of_writing,
    oldest,
    opposed_by,
    wants_list,
    what_was_said,
    words_of_course,
)
from rag.question.framing import framed, in_sentence_case, without_courtesy
from rag.question.names import CONTRACTIONS, Mention, NameIndex, Word, fold, words
from rag.question.periods import Period, periods
from rag.question.query import Query, without
from rag.question.roles import has_other_first_name, left_out, name_runs, roles
from rag.question.speech import BEING, ONLY_PEOPLE, OPINION, SAYING, SAYING_INFINITIVES, STANCE, UTTERANCE

_SUBJECT_NEXT = frozenset("do does did would will might".split())
"""Behind these stands who is asked for: "does NAME think"."""
_PHRASES = re.compile(
    r"\baccording to\b|\bin (?:his|her|their|the) (?:view|opinion|words?|comments?|profile)\b|\b(?:can|could|would) you\b|\btell me\b|\bplease\b"
    rf"|\bchang\w+ (?:his|her|their) (?:{STANCE}|tunes?)\b|\bdifferences? between\b|\bwhat (?:is|are|was|were)\b|\bmake of\b"
    r"|\b(?:opinions?|views?|thoughts?|takes?|stances?|(?:exact |own )?words|quotes?) (?:of|by|from)\b|\bsay about\b|\bpush\w* back\b|\bthe comments?\b"
    r"|\bhow (?:long|old)\b|\b(?:do|does|did|will|would) it take\b",
    re.I,
)
_VIEW = re.compile(
    r"\s+(?:[\w-]+\s+)?(?:views?|opinions?|takes?|positions?|stances?|thoughts?|perspectives?|attitudes?|feelings?|assessments?)"
    r"(?=\s+(?:on|about|of|regarding|concerning|towards?)\b)",
    re.I,
)
"""Behind a name, what somebody has of a topic: "Ann's honest take on"."""
_NOT_TOPIC = SAYING - frozenset(
    "use plan planned planning value point question list model count find show reason trust judge name bet spoken".split()
)
_ORDERS = frozenset("count find list name quote show".split())
"""What a request may begin with: "List the reasons"."""
_BEFORE_THINGS = frozenset(
    "about as by on of for against with without between regarding concerning there a an the no".split()
)
"""Behind these a word that may be a verb is none: "about debate", "the support"."""
_BEHIND_DOINGS = frozenset("in at by of for as under among between during within".split())
"""Behind these stands where or how something is done: "motivated reasoning in debates"."""
_DOERS = frozenset("i you we one to".split())
"""Before a verb."""
_BEFORE_SUBJECTS = frozenset("do does did is are was were".split())
_ASKING = frozenset("what how why when where and or but".split())
_NOUNS = SAYING_INFINITIVES | {f"{verb}s" for verb in SAYING_INFINITIVES}
"""What of the forms of verbs may be nouns."""
_LIGHT = frozenset("adding bring finding giving making seeing using".split())
"""What nobody asks about by itself: "the cost of finding one"."""
_DOINGS = frozenset(word for word in SAYING - _LIGHT if word.endswith("ing"))
"""What may be done as well as talked about: "thinks about forecasting"."""
_BEFORE_DOINGS = frozenset("about on of regarding concerning towards vs versus".split())
_ANYBODY = frozenset("people persons commenters users authors writers posters researchers members folks".split())
"""Before a verb of saying, whoever is here: "what do people say about rye"."""
_SAID = re.compile(rf"{UTTERANCE}|(?:claim|mention|quote)s?")
"""What is said, and no topic wherever it stands."""
_BY = re.compile(r"[\s,]+(?:by|from|according\s+to)\s+", re.I)
_UNNAMED = ["unnamed", "profile"]
"""What every label begins with."""


@dataclass(frozen=True, slots=True)
class _People:
    """Whom a question asks for, speaks of and leaves out."""

    asked: tuple[str, ...]
    unknown: tuple[str, ...]
    strange: tuple[str, ...]
    """Those of nobody here as they are written, be they unknown or taken for a profile without a name."""
    mentioned: tuple[str, ...]
    left_out: tuple[str, ...]
    labels: tuple[str, ...]
    unsigned: tuple[tuple[str, str], ...]
    joined: bool
    """Whether several are asked for."""
    asking: tuple[Span, ...]
    """Names of those who are asked, and what they have of a topic: "Ann" and "view on"."""
    answered: tuple[str, ...]
    """Those who are mentioned as answered, or agreed or disagreed with."""
    apart: tuple[Span, ...]
    """Where it is said whom to leave out."""
    names: tuple[Span, ...]
    """All that is a name."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads questions, given who is indexed."""

    names: NameIndex
    now: datetime
    """The time that "recently" and "last year" count from."""
    known: Callable[[str], bool] | None
    """Whether a word occurs in the indexed texts."""
    labels: tuple[str, ...]
    """Labels of profiles without a name."""
    plain: Callable[[str], bool] | None = None
    """Whether the indexed texts use a word as no name."""
    small: Callable[[str], bool] | None = None
    """Whether the indexed texts write a word with a small letter."""

    def read(self, question: str) -> Query:
        """Understand a question that stands alone."""
        if (asked := in_sentence_case(without_courtesy(question))) != question:
            return replace(self.read(asked), original=question)
        found = self._words(question)
        people = self._people(question, found)
        ranked, ranking = by_karma(question)
        plain = None if ranked else framed(question)
        if plain and (people.asked or not plain.of_person):
            several = plain.summary or wants_list(question, people.names)
            return replace(self.read(plain.text), original=question, wants_list=several, when=plain.when)
        period, certain = self._period(question, people.asking)
        latest, first = newest(question), oldest(question)
        hidden = [(period.start, period.end)] if period else []
        hidden += [span for span in (latest, first, ranking) if span]
        excluded, exception = not_about(question)
        if exception and not any(a < exception[1] and exception[0] < b for a, b in people.apart):
            hidden.append(exception)
        else:
            excluded = ""
        hidden = _outermost([*hidden, *people.apart])
        several = len(people.asked) + len(people.unknown) > 1
        topic = _topic(question, found, [*hidden, *people.asking], people.strange)
        traces = tuple(name for name in people.unknown if self._traced(name))
        if not topic and people.asked:
            topic = " ".join(traces)  # what is left to speak of: "Does Ann agree with Einstein?"
        return Query(
            text=without(question, hidden),
            original=question,
            authors=people.asked,
            unknown_authors=people.unknown,
            mentioned=people.mentioned,
            others_than=people.left_out,
            excluded=excluded,
            since=period.since if period else None,
            until=period.until if period else None,
            compare=people.joined or (compares(question) and (several or among_people(question))),
            wants_list=wants_list(question, people.names),
            by_time=asks_by_time(question),
            topic=topic,
            traces=traces,
            labels=people.labels,
            unsigned=people.unsigned,
            dates_certain=certain,
            period=question[period.start : period.end] if period else "",
            times=period.times if period else (),
            newest=bool(latest),
            oldest=bool(first),
            ranked=ranked,
            answered=people.answered,
        )

    def _people(self, question: str, found: list[Word]) -> _People:
        """Find the names of a question, and what part each plays."""
        mentions = [
            replace(
                m,
                ordinary=m.ordinary or self._is_plain(found, m),
                whole=m.whole or self._is_name_alone(question, found, m),
            )
            for m in self.names.find(found, self.known)
            if m.whole or not has_other_first_name(found, m)
        ]
        taken = {index for mention in mentions for index in range(mention.first, mention.last)}
        strangers = [
            Mention(first, last, self._labels_of(found[first:last])) for first, last in name_runs(found, taken)
        ]
        strangers += self._names_of_labels(found, taken)
        played = roles(question, found, sorted([*mentions, *strangers], key=lambda one: one.first), self.known)
        speakers = [m for m in mentions if played[m] == "speaker"]
        nobodies = [m for m in strangers if played[m] == "speaker"]
        asked = _unique(author for mention in speakers for author in mention.authors)
        strange = self._unknown(question, found, taken, nobodies)
        labels = {name: self._labels_of(words(name), common=True) for name in strange}
        # In a comparison every person needs a side: that of an unknown name is the one profile that may be theirs.
        beside = len(asked) + len(strange) > 1
        unsigned = [name for name in strange if _means_unnamed(name) or (beside and len(labels[name]) == 1)]
        asked = _unique([*asked, *(label for name in unsigned for label in labels[name])])
        unknown = tuple(name for name in strange if name not in unsigned)
        others = [m for m in mentions if played[m] == "content"]
        mentioned = [author for author in _unique(a for m in others for a in m.authors) if author not in asked]
        apart = {m: span for m in mentions if (span := left_out(question, found, m))}
        replied = [m for m in others if _is_answered(question[: found[m.first].start], bool(asked or strange))]
        answered = _unique(author for m in replied for author in m.authors if author not in asked)
        views = [_VIEW.match(question, found[m.last - 1].end) for m in (*speakers, *nobodies)]
        return _People(
            asked=asked,
            unknown=unknown,
            strange=strange,
            mentioned=tuple(mentioned),
            # Who disagrees with somebody is another.
            left_out=tuple(
                author
                for author in mentioned
                if any(author in m.authors for m in apart) or (author in answered and not asked)
            ),
            labels=_unique(label for name in unknown for label in labels[name]),
            unsigned=tuple((name, label) for name in unsigned for label in labels[name] if not _means_unnamed(name)),
            joined=len({mention.authors for mention in speakers}) + len(strange) > 1,
            asking=(
                *(view.span() for view in views if view),
                *(_span(found, m) for m in speakers),
                *(_with_what_was_said(question, _span(found, m)) for m in replied),
                *(span for m in replied if (span := objecting(question[: found[m.first].start]))),
            ),
            answered=answered,
            apart=tuple(apart.values()),
            names=tuple(_span(found, m) for m in mentions if played[m] != "word"),
        )

    def _is_plain(self, found: list[Word], mention: Mention) -> bool:
        """Whether a handle such as "lighthouse" is a word of the comments."""
        word = found[mention.first]
        one = mention.last - mention.first == 1 and {*mention.authors} == {word.text.casefold()}
        return one and self.plain is not None and self.plain(word.text)

    def _is_name_alone(self, question: str, found: list[Word], mention: Mention) -> bool:
        """Whether a first or last name in a question without capitals is nothing but a name: the comments write it with one."""
        if mention.ordinary or self.small is None or question != question.lower():
            return False
        return not any(self.small(word.text) for word in found[mention.first : mention.last])

    def _labels_of(self, name: Sequence[Word], *, common: bool = False) -> tuple[str, ...]:
        """Profiles without a name that may belong to a name, which is read like an author's then; none for `common` words only."""
        if not common and all(word.folded in COMMON_WORDS for word in name):
            return ()
        return tuple(label for label in self.labels if any(_label_fits(label, word) for word in name))

    def _names_of_labels(self, found: list[Word], taken: set[int]) -> list[Mention]:
        """Words in lower case that name a profile without a name: "compare ann and example" where example.org is one."""
        names = []
        for place, word in enumerate(found):
            length = 2 if [one.folded for one in found[place : place + 2]] == _UNNAMED else 1
            if word.capital or not taken.isdisjoint(range(place, place + length)):
                continue
            if length == 1 and word.folded in {*COMMON_WORDS, *_UNNAMED}:
                continue
            if any(_label_fits(label, word) for label in self.labels):
                first = place - (length == 2 and place > 0 and found[place - 1].folded == "the")
                names.append(Mention(first, place + length, ()))
        return names

    def _words(self, question: str) -> list[Word]:
        """The words of a question; "Anns view" is read as "Ann's view"."""
        found = words(question)
        for place, word in enumerate(found):
            if word.possessive or word.breaks or not word.folded.endswith("s"):
                continue
            if any(one.folded in _SUBJECT_NEXT for one in found[max(0, place - 3) : place]):
                continue  # "Does Ann Lees claim that ..."
            name = word.text if word.folded in self.names else word.text[:-1]
            before = [one.folded for one in found[max(0, place - 3) : place]]
            runs = ("".join(before[first:]) + fold(name) for first in range(len(before) + 1))
            if any(run in self.names for run in runs) and OPINION.match(question[word.end :].lstrip()):
                found[place] = replace(word, text=name, folded=fold(name), possessive=True, breaks=True)
        return found

    def _unknown(self, question: str, found: list[Word], taken: set[int], strangers: list[Mention]) -> tuple[str, ...]:
        """The names of those who are asked for and are nobody here."""
        names = []
        for one in strangers:
            name = question[found[one.first].start : found[one.last - 1].end]
            possessive = found[one.last - 1].possessive and name[-2:] in ("'s", "’s")
            names.append(name[:-2] if possessive else name.rstrip("'’"))
        if not names and not asks_anybody(question) and (lower := self._lower_case_name(found, taken)):
            names.append(lower)
        return _unique(names)

    def _lower_case_name(self, found: list[Word], taken: set[int]) -> str | None:
        """Two or three words that occur nowhere, between "does" and "think"; None if there are none."""
        if not self.known:
            return None
        for first in range(1, len(found) - 2):
            for last in (first + 2, first + 3):
                run = found[first:last]
                if (
                    last >= len(found)
                    or taken & set(range(first, last))
                    or found[first - 1].folded not in _SUBJECT_NEXT
                ):
                    continue
                strange = all(w.folded not in FUNCTION_WORDS | SAYING and not self.known(w.text) for w in run)
                if strange and found[last].folded in ONLY_PEOPLE:
                    return " ".join(word.text for word in run)
        return None

    def _traced(self, name: str) -> bool:
        return self.known is not None and any(len(w.folded) > 2 and self.known(w.text) for w in words(name))

    def _period(self, question: str, names: Sequence[Span]) -> tuple[Period | None, bool]:
        """The period in which the comments were written, if the question names one, and whether that is sure.

        "By Ann" behind it says nothing of what the period is about.
        """
        for period in periods(question, self.now):
            moment = period.since or period.until
            if moment is None or (period.since or moment) > self.now:
                continue  # the future is a topic
            behind = next(
                (end for start, end in names if _BY.fullmatch(question[period.end : max(start, period.end)])),
                period.end,
            )
            certain = of_writing(question[: period.start], question[behind:], period.preposition)
            if certain is not None:
                return period, certain
        return None, True


def _unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _outermost(spans: Sequence[Span]) -> list[Span]:
    """Spans without those within others: "besides Ann" in "besides Ann and Bob"."""
    return [
        span
        for span in dict.fromkeys(spans)
        if not any(a <= span[0] and span[1] <= b for a, b in spans if (a, b) != span)
    ]


def _label_fits(label: str, word: Word) -> bool:
    return len(word.folded) > 3 and any(word.folded == own.folded for own in words(label))


def _means_unnamed(name: str) -> bool:
    return " ".join(_UNNAMED) in name


def _span(found: list[Word], mention: Mention) -> Span:
    return found[mention.first].start, found[mention.last - 1].end


def _is_answered(before: str, asked: bool) -> bool:
    """Whether a name behind these words is that of somebody whom those asked for answered."""
    return (
        answered_by(before)
        or objecting(before) is not None
        or (not asked and asks_anybody(before) and opposed_by(before))
    )


def _with_what_was_said(question: str, name: Span) -> Span:
    return name[0], name[1] + what_was_said(question[name[1] :])


def _topic(question: str, found: list[Word], parts: Sequence[Span], unknown: tuple[str, ...]) -> str:
    """The content words of a question, in order, without `parts`, names that are unknown, and phrases."""
    hidden = [*parts, *words_of_course(question), *(match.span() for match in _PHRASES.finditer(question))]
    hidden += [match.span() for name in unknown for match in re.finditer(re.escape(name), question)]
    if len(found) > 1 and found[0].folded in _ORDERS:
        hidden.append((found[0].start, found[0].end))
    kept = []
    for place, word in enumerate(found):
        if any(start <= word.start < end for start, end in hidden):
            continue
        if word.folded in _ANYBODY and place + 1 < len(found) and found[place + 1].folded in SAYING:
            continue
        empty = word.text.casefold().replace("’", "'") in FUNCTION_WORDS or word.folded in CONTRACTIONS
        described = kept[-1:] == [found[place - 1].text] and _is_described(found, place)
        if not empty and (word.folded not in _NOT_TOPIC or word.text.isupper() or described or _is_noun(found, place)):
            kept.append(word.text)
    return " ".join(kept)


def _is_described(found: Sequence[Word], place: int) -> bool:
    """Whether what may be done is talked about, told apart by the word before it: "motivated reasoning", not "are people reasoning"."""
    if found[place].folded not in _DOINGS:
        return False
    if place == len(found) - 1:
        return True
    before = {one.folded for one in found[max(0, place - 3) : place]}
    return found[place + 1].folded in _BEHIND_DOINGS and BEING.isdisjoint(before)


def _is_noun(found: Sequence[Word], place: int) -> bool:
    """Whether a word that may be a verb of saying is what is talked about: "is praise useful", "thinks about debate"."""
    word, before = found[place].folded, [one.folded for one in found[max(0, place - 2) : place]]
    if word in _DOINGS and len(found) == 1:
        return True
    if word not in _NOUNS | _DOINGS or _SAID.fullmatch(word) or not before or found[place - 1].breaks:
        return False
    if before[-1] == "in" and word.endswith("s"):
        return True  # "in debates", not "in favour"
    things = _BEFORE_DOINGS if word in _DOINGS else _BEFORE_THINGS
    if before[-1] in things or (before[-1] in SAYING and not _SAID.fullmatch(before[-1])):
        return True
    if before[0] in _DOERS and len(before) == 2 and before[1] not in SAYING:
        return True  # "should one update forecasts"
    # Behind "who does" comes a verb, behind "what is" and "does" whoever or whatever does something.
    return before[-1] in _BEFORE_SUBJECTS and (len(before) == 1 or before[0] in _ASKING)
