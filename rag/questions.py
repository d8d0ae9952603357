"""What a question is about: who is asked for, which time, and what a follow-up refers to.

Everything here is deterministic and needs no model; a model may be handed in to rewrite follow-ups. Names are found by
names.py and periods by periods.py: this module decides what part they play in the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from rag.english import FUNCTION_WORDS
from rag.names import Mention, NameIndex, Word, words
from rag.periods import Period, periods
from rag.records import Passage, Turn


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
    traces: tuple[str, ...] = ()
    """Those of `unknown_authors` whose names occur somewhere in the indexed texts: others may say something of them."""
    labels: tuple[str, ...] = ()
    """Labels of unnamed profiles that one of `unknown_authors` may stand for; see `understand`."""
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


_VERBS = """
    accept acknowledge add address admit advise advocate affirm agree allege allow answer appreciate argue ask assert assess
    assume attribute back believe bet blame call care challenge characterise characterize cite claim comment compare
    complain conclude condemn confirm consider contend contrast count criticise criticize critique debate declare defend
    define deny describe differ disagree discuss dismiss dispute doubt elaborate emphasise emphasize endorse estimate
    evaluate expect explain express favor favour fear find forecast frame give guess highlight hope hypothesise
    hypothesize imagine imply insist interpret intend justify judge know like list maintain make mention name note object
    observe offer oppose outline plan point post praise predict prefer present proclaim propose push question quote rate
    reason recall recommend refer reject remark repeat reply report respond say see show speculate stand state stress
    suggest summarise summarize support suspect talk tell think toy treat trust understand urge use value view voice want
    warn worry write
""".split()
_IRREGULAR = """
    said says saw seen thought wrote written writes told gave given made meant means found held knew known stood spoke speak
    speaks replied replies implied denied justified clarified clarify argued feel feels felt hold holds mean put puts
    describing bring up raised raise raises got gets
""".split()
_OPINION = re.compile(
    r"(?:own|main|overall|general|personal|current|earlier|later|latest|recent|first|last|central|stated|actual|short|long"
    r"|original|key|biggest|favou?rite|preferred|\w+ed|\w+ing)?\s*"
    r"(?:view|opinion|take|position|argument|thought|comment|profile|bio|answer|objection|proposal|stance|claim|idea|advice"
    r"|suggestion|reason|belief|plan|post|repl(?:y|ies)|response|critique|criticism|point|perspective|attitude|theory|case"
    r"|explanation|concern|worr(?:y|ies)|hope|prediction|estimate|recommendation|summary|analysis|experience|preference"
    r"|account|assessment|definition|description|example|intuition|judge?ment|mind|model|rationale|reaction|reasoning"
    r"|remark|statement|story|verdict|words|work|writing|job|background|side|disagreement|approach|solution|question)s?\b",
    re.I,
)
_AUXILIARY = frozenset(
    "do does did has have had is are was were would could should might can will may must doesn't don't didn't hasn't haven't"
    " hadn't isn't aren't wasn't weren't wouldn't couldn't shouldn't can't won't".split()
)
_DETERMINERS = frozenset(
    "the a an this that these those my your our his her their its each every any some no which what".split()
)
_ABOUT = frozenset(
    "about on onto of to with against regarding concerning re for at like than toward towards in into over around behind"
    " around by-passing after before from".split()
) - {"from"}
_ADVERBS = frozenset(
    "really actually currently still now ever also then himself herself themselves both each always even just".split()
)
_JOIN = frozenset("and or vs versus & with than".split())


def _forms(verb: str) -> set[str]:
    stem = verb[:-1] if verb.endswith("e") else verb
    third = (
        verb[:-1] + "ies"
        if re.search(r"[^aeiou]y$", verb)
        else verb + ("es" if re.search(r"(s|sh|ch|x)$", verb) else "s")
    )
    past = verb[:-1] + "ied" if re.search(r"[^aeiou]y$", verb) else stem + "ed"
    return {verb, third, past, stem + "ing"}


SAYING = frozenset(form for verb in _VERBS for form in _forms(verb)) | frozenset(_IRREGULAR)
"""Verbs of saying and thinking, in all their forms."""

_OPEN = re.compile(
    r"^\W*(?:who|whose|whom|(?:which|what)\s+(?:of\s+the\s+)?(?:author|commenter|person|people|user|poster|writer|one)s?|"
    r"(?:does|did|do|has|have|is)\s+(?:any|some|every)(?:one|body)|(?:what|how)\s+(?:do|does|did|have|has)\s+(?:the\s+|most\s+|other\s+)?"
    r"(?:people|others|commenters|users|everyone|everybody|anyone|anybody|they|authors|comments))\b",
    re.I,
)
_WHO_IS = re.compile(r"^\W*who(?:'s|’s|\s+is|\s+was)\s+\W*$", re.I)
_COMPARE = re.compile(
    r"\bcompar(?:e|es|ed|ing|ison)\b|\bv(?:s|ersus)\b|\bdiffer(?:s|ed|ence|ences|ent|ently)?\b|\bdisagree(?:s|d|ment|ments)?\b"
    r"|\bcontrast(?:s|ed|ing)?\b|\bdebate\b|\bon the other hand\b|\bagree(?:s|d|ment)?\b|\bboth\b|\bin common\b|\bside by side\b",
    re.I,
)
_LIST = re.compile(
    r"\blist(?:ed|ing)?\b|\b(?:name|give|show|find|tell me|what are|were|quote)\s+(?:me\s+)?(?:all|every|each|some|several|any|the main)\b"
    r"|\ball (?:the|of|that|his|her|their|\w+s)\b|\beverything\b|\bsummar(?:y|ise|ize)\b|\boverview\b|\bhow many\b|\bexamples\b"
    r"|\bwhat (?:are|were) (?:\w+\s+){0,5}?(?!this\b|his\b|is\b)\w{3,}s\b|\b(?:which|what) (?:\w+\s+)?(?!does\b|is\b|has\b|was\b|this\b|makes\b)\w{3,}[^s\W]s\b"
    r"|\breasons\b|\barguments\b|\bways\b|\bpoints\b|\bsteps\b",
    re.I,
)
_BY_TIME = re.compile(
    r"\bchang(?:e|ed|ing)\s+(?:\w+\s+)?(?:mind|view|opinion|position|stance|tune)s?\b|\b(?:mind|view|opinion|position|stance|thinking|thoughts)s?"
    r"\s+(?:\w+\s+){0,6}(?:chang|evolv|shift|develop)|\bevolution of (?:\w+['’]s|his|her|their|the) (?:mind|view|opinion|position|stance|thinking|thoughts)s?\b"
    r"|\b(?:sa(?:id|ys?)|wr(?:ote|itten|ites?)|th(?:ought|inks?)|argue[ds]?|views?|opinions?|positions?|stances?|comments?)\b.*\bover (?:time|the years)\b|\bused to (?:think|believe|say|argue)\b"
    r"|\bstill (?:think|believe|hold|say|argue|stand)|\btimeline\b|\bchronolog|\bwhat (?:has )?changed\b|\bupdated? (?:his|her|their|on)\b"
    r"|\b(?:earlier|previous) (?:view|opinion|position|stance|comment)",
    re.I,
)
_WRITING = re.compile(
    r"\b(?:wr(?:ote|ite|ites|itten|iting)|sa(?:id|y|ys|ying)|post(?:ed|s|ing)?|comment(?:s|ed|ing)?|argu(?:e|es|ed|ing|ments?)|repl(?:y|ied|ies)"
    r"|thoughts?|think|thinks|feel(?:s|ings?)?|felt|views?|opinions?|positions?|stances?|attitudes?|claim(?:s|ed)?|suggest(?:s|ed)?|mention(?:s|ed)?"
    r"|discuss(?:es|ed)?|stat(?:e|es|ed)|answer(?:s|ed)?|believ(?:e|es|ed)|talk(?:s|ed|ing)?|propos(?:e|es|ed)|recommend(?:s|ed)?|predict(?:s|ed)?"
    r"|told|tell|sp(?:eaks?|oken?)|explain(?:s|ed)?|critici[sz](?:e|es|ed)|chang\w+ \w+ minds?)\b",
    re.I,
)
_COMMENT = r"(?:comment|post|repl(?:y|ies)|message|remark|statement|view|opinion|position|stance|take|thought|word|answer|response)s?\b"
_OWN_COMMENT = re.compile(rf"\s+(?:\w+\s+)??{_COMMENT}", re.I)
_NEWEST = re.compile(
    rf"\b(?:most\s+recent|latest|newest|last)(?=\s+(?:\w+\s+)??{_COMMENT})|\bmost\s+recently\b"
    r"|\blast(?=\s+(?:said|says?|wr[io]te|written|post(?:ed)?|comment(?:ed)?|mention(?:ed)?|repl(?:y|ied))\b)",
    re.I,
)
_NOT_THEN = re.compile(r"\b(?:not|except(?:\s+for)?|excluding|other\s+than|besides|outside(?:\s+of)?)\s+$", re.I)
_WHAT_ABOUT = re.compile(r"^\W*(?:(?:and|or)\s+)?(?:what|how)\s+about\b", re.I)
_GOES_ON = re.compile(r"\s*(?:[?.!,;:]|(?:and|or|but)\b|$)", re.I)
_OF_COURSE = re.compile(
    r"(?<=\s)(?:chang|evol|shift|develop)\w*$|\bevolution(?=\s+of\b)|\b(?:mind|view|opinion|position|stance|thought)s?\b",
    re.I,
)
_OVER_TIME = re.compile(r"\bover\s+(?:time|the\s+years)\b", re.I)
_SUBJECT_MATTER = re.compile(r"\b(?:about|on|of|regarding|concerning|that|whether|how|why|to|for|with)\b", re.I)
_PHRASES = re.compile(
    r"\baccording to\b|\bin (?:his|her|their|the) (?:view|opinion|words?|comments?|profile)\b|\b(?:can|could|would) you\b|\btell me\b|\bplease\b"
    r"|\bchang\w+ (?:his|her|their) (?:mind|view|opinion|position|stance|tune)s?\b|\bdifferences? between\b|\bwhat (?:is|are|was|were)\b|\bmake of\b|\bsay about\b|\bthe comments?\b",
    re.I,
)
_NOT_TOPIC = SAYING - frozenset(
    "use plan value point question list model count find show reason trust judge name bet".split()
)

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
    reader = _Reader(
        _index(tuple(authors), tuple(labels)),
        now if now.tzinfo else now.replace(tzinfo=UTC),
        known_words,
        tuple(labels),
    )
    question = " ".join(question.split())
    last: Query | None = None
    replied = ""
    for turn in history[-_REMEMBERED:]:
        if turn.role == "user":
            last = _undated_text(reader.follow(" ".join(turn.content.split()), last, replied))
            replied = ""
        else:
            replied = turn.content
    if rewrite and last and reader.is_elliptical(question, last):
        rewritten = _rewritten(rewrite, history, question)
        if rewritten:
            return replace(reader.read(rewritten), original=question, carried=True)
    return _undated_text(reader.follow(question, last, replied))


@lru_cache(maxsize=4)
def _index(authors: tuple[str, ...], labels: tuple[str, ...]) -> NameIndex:
    return NameIndex(authors, labels)


def _rewritten(rewrite: Callable[[str], str], history: Sequence[Turn], question: str) -> str | None:
    lines = [f"{turn.role}: {turn.content}" for turn in history[-_REMEMBERED:]]
    text = " ".join(rewrite("\n".join([*lines, f"user: {question}"])).split()).strip("\"' ")
    return text if 3 < len(text) <= 400 else None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads questions, given who is indexed."""

    names: NameIndex
    now: datetime
    known: Callable[[str], bool] | None
    labels: tuple[str, ...]

    # One question by itself

    def read(self, question: str) -> Query:
        """Understand a question that stands alone."""
        found = words(question)
        mentions = self.names.find(found, self.known)
        speakers = [m for m in mentions if _role(question, found, m, mentions) == "speaker"]
        asked = _unique(author for mention in speakers for author in mention.authors)
        content = [m for m in mentions if m not in speakers and _role(question, found, m, mentions) == "content"]
        others = _unique(author for mention in content for author in mention.authors)
        unknown = self._unknown(question, found, mentions, speakers)
        period, certain = self._period(question)
        newest = _NEWEST.search(question)
        hidden = [(period.start, period.end)] if period else []
        hidden += [newest.span()] if newest else []
        people = len(asked) + len(unknown)
        joined = len(speakers) + len(unknown) > 1
        return Query(
            text=_without(question, hidden),
            original=question,
            authors=asked,
            unknown_authors=unknown,
            mentioned=tuple(author for author in others if author not in asked),
            since=period.since if period else None,
            until=period.until if period else None,
            compare=joined or bool(_COMPARE.search(question) and (people > 1 or _among_people(question))),
            wants_list=bool(_LIST.search(question)),
            by_time=bool(_BY_TIME.search(question)),
            topic=_topic(question, found, [*speakers], hidden, unknown),
            traces=tuple(name for name in unknown if self._traced(name)),
            labels=tuple(label for label in self.labels if any(_label_fits(label, name) for name in unknown)),
            dates_certain=certain,
            period=question[period.start : period.end] if period else "",
            times=period.times if period else (),
            newest=bool(newest),
        )

    def _unknown(
        self, question: str, found: list[Word], mentions: list[Mention], speakers: list[Mention]
    ) -> tuple[str, ...]:
        """Names in the place of a speaker, or joined to one, that are nobody's here; "who argued that NAME's ..." asks for others."""
        anybody = bool(_OPEN.match(question))
        taken = {index for mention in mentions for index in range(mention.first, mention.last)}
        names = []
        for first, last in _name_runs(found, taken):
            name = question[found[first].start : found[last - 1].end]
            name = (
                name[: len(name) - 2] if found[last - 1].possessive and name[-2:] in ("'s", "’s") else name.rstrip("'’")
            )
            if (not anybody and _speaks(question, found, first, last)) or _joined(found, first, last, speakers):
                names.append(name)
        if not names and not anybody and (lower := self._lower_case_name(found, taken)):
            names.append(lower)
        return _unique(names)

    def _lower_case_name(self, found: list[Word], taken: set[int]) -> str | None:
        """Two or three words that occur nowhere, between "does" and "think"; None if there are none."""
        if not self.known:
            return None
        for first in range(1, len(found) - 2):
            for last in (first + 2, first + 3):
                run = found[first:last]
                if last >= len(found) or taken & set(range(first, last)) or found[first - 1].folded not in _DO:
                    continue
                strange = all(w.folded not in FUNCTION_WORDS | SAYING and not self.known(w.text) for w in run)
                if strange and found[last].folded in _ONLY_PEOPLE:
                    return " ".join(word.text for word in run)
        return None

    def _traced(self, name: str) -> bool:
        return self.known is not None and any(len(w.folded) > 2 and self.known(w.text) for w in words(name))

    def _period(self, question: str) -> tuple[Period | None, bool]:
        """The period in which the comments were written, if the question names one, and whether that is sure."""
        for period in periods(question, self.now):
            moment = period.since or period.until
            if moment is None or (period.since or moment) > self.now:
                continue  # the future is a topic
            certain = _of_writing(question[: period.start], question[period.end :], period.preposition)
            if certain is not None:
                return period, certain
        return None, True

    # A question in its conversation

    def follow(self, question: str, last: Query | None, replied: str) -> Query:
        """Understand a question, carrying over from the one before it what is left out."""
        if last is not None:
            last = self._with_speaker(question, last, replied)
        if last is None or not self.is_elliptical(question, last):
            return self.read(question)
        item = _item(question, replied)
        if item:
            return self._about_item(question, last, item)
        if _ASSENT.match(question):
            return self._assented(question, last, replied)
        own = self.read(_LEAD.sub("", question))
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
        named = _unique(author for one in self.names.find(words(own_words), self.known) for author in one.authors)
        return replace(last, authors=named) if len(named) == 1 else last

    def is_elliptical(self, question: str, last: Query) -> bool:
        """Whether a question cannot be understood without the conversation."""
        own = self.read(_LEAD.sub("", question))
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
            topic=" ".join(_unique([*own.topic.split(), *last.topic.split()])),
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
            topic=own.topic if names else " ".join(_unique([*own.topic.split(), *last.topic.split()])),
            carried=True,
            compare=last.compare and len(names) > 1,
            **self._time(own, last),
            **self._people(last),
        )

    def _other_person(self, question: str, own: Query, last: Query) -> Query:
        """ "And Ann?": the same topic, another person."""
        names = " and ".join([*own.authors, *own.unknown_authors])
        together = own.compare or bool(_COMPARE.search(question) and last.authors)
        people = _unique([*last.authors, *own.authors]) if together else own.authors
        return replace(
            own,
            authors=people,
            text=f"{question} ({names}: {last.topic})" if last.topic else question,
            original=question,
            topic=" ".join(_unique([*own.topic.split(), *last.topic.split()])),
            carried=True,
            compare=together and len(people) > 1,
            **self._time(own, last),
        )

    def _about_item(self, question: str, last: Query, item: str) -> Query:
        """ "The second one?": what the n-th quote of the last answer said."""
        found = words(item)
        cited = _unique(author for mention in self.names.find(found, None) for author in mention.authors)
        quoted = _topic(item, found, [], [], ())
        short = " ".join(quoted.split()[:14])
        own = self.read(question)
        people = self._people(last) | (
            {"authors": cited[-1:], "unknown_authors": (), "traces": (), "labels": ()} if cited else {}
        )
        return replace(
            own,
            text=f"{_without_lead(question)} ({short})",
            original=question,
            topic=" ".join(_unique([*_ORDINAL.sub("", own.topic).split(), *short.split()])),
            carried=True,
            **people,
        )

    def _assented(self, question: str, last: Query, replied: str) -> Query:
        """ "Yes": to what the last answer offered, or else once more to the question before."""
        offers = re.findall(r"[^.?!\n]+\?", replied)
        own = self.read(offers[-1].strip()) if offers else last
        if not own.topic:
            own = last
        people = {} if own.authors else self._people(last)
        return replace(own, original=question, carried=True, **people)

    def _time(self, own: Query, last: Query) -> dict[str, Any]:
        keep = own if own.since or own.until else last
        return {name: getattr(keep, name) for name in ("since", "until", "dates_certain", "period", "times")}


def timeless(query: Query) -> Query:
    """A question without its period."""
    return replace(query, since=None, until=None, times=(), dates_certain=True)


def about_period(query: Query) -> Query:
    """A question whose period is part of what it asks about: "the election in 2016"."""
    stem = query.text.rstrip(" ?.!")
    whole = query.period in query.text
    return replace(
        timeless(query),
        text=query.text if whole else f"{stem} {query.period}{query.text[len(stem) :]}",
        topic=" ".join(_unique([*query.topic.split(), *period_words(query)])),
    )


def period_words(query: Query) -> list[str]:
    """The words that tell which period is meant: "2016" of "in 2016"."""
    return [word.text for word in words(query.period) if word.folded not in FUNCTION_WORDS]


def admits(query: Query, passage: Passage) -> bool:
    """Whether a passage may answer for the people that are asked for.

    If nothing by them is indexed, only a profile that may be theirs will do, or what others wrote with their name in it.
    """
    if query.authors or not query.unknown_authors:
        return True
    if query.labels:
        return passage.label in query.labels
    own = {word.folded for word in words(passage.text)}
    return any(word.folded in own for name in query.traces for word in words(name) if len(word.folded) > 2)


def _unique(items) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


def _without_lead(text: str) -> str:
    return _LEAD.sub("", text) or text


def _among_people(question: str) -> bool:
    return bool(re.search(r"\b(?:people|commenters|authors|users|they|who|everyone)\b", question, re.I))


def _label_fits(label: str, name: str) -> bool:
    own = {word.folded for word in words(label)}
    return any(len(word.folded) > 3 and word.folded in own for word in words(name))


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """A text without some of its parts; the text as it is if nothing else is in it."""
    cut = text
    for start, end in sorted(spans, reverse=True):
        cut = f"{cut[:start].rstrip(' ,')} {cut[end:].lstrip(' ,')}".strip()
    return re.sub(r"\s+(?=[?.!])", "", cut) if spans and words(cut) else text


def _undated_text(query: Query) -> Query:
    """A follow-up whose text, made of parts of the conversation, is rid of the period that became its filter."""
    start = query.text.find(query.period) if query.period else -1
    return query if start < 0 else replace(query, text=_without(query.text, [(start, start + len(query.period))]))


def _of_writing(before: str, after: str, preposition: str) -> bool | None:
    """Whether a period, standing between two parts of a question, tells when comments were written.

    Returns:
        True or None for yes or no, False if it may as well be part of what they are about.
    """
    opens = not before.strip(" ,")
    if _NOT_THEN.search(before):
        return None
    if not preposition and _OWN_COMMENT.match(after):
        return True
    if preposition and (_WRITING.search(after) if opens else _WRITING.match(after.lstrip(" ,"))):
        return True
    ends = bool(_GOES_ON.match(after))
    writing = list(_WRITING.finditer(before))
    if not writing:
        return False if (ends or opens) and _bare_subject(before + after) else None
    between = before[writing[-1].end() :]
    if preposition and not _SUBJECT_MATTER.search(between) and len(between.split()) < 4:
        return True
    if not ends or preposition == "by":
        return None
    return preposition in ("recently", "lately", "since", "before", "after")


def _bare_subject(text: str) -> bool:
    """Whether a text names a subject, such as "Ann on the ferry", and is no question or sentence about it."""
    asking = _AUXILIARY | set("who whom whose what when where why how which".split())
    return asking.isdisjoint(word.folded for word in words(_WHAT_ABOUT.sub("", text)))


def _role(question: str, found: list[Word], mention: Mention, mentions: list[Mention]) -> str:
    """Whether a name is asked for ("speaker"), only talked about ("content"), or no name at all ("word")."""
    first, last = mention.first, mention.last
    written = question[found[first].start : found[last - 1].end]
    capital = found[first].capital or question == question.lower()
    before = found[first - 1].folded if first else ""
    strong = _speaks(question, found, first, last)
    if mention.ordinary:
        named = strong and (capital or last - first > 1)
        return "speaker" if named and (found[first].start or _speaks_from_start(found, last)) else "word"
    if last - first == 1 and not found[first].capital and (before in _DETERMINERS or not mention.whole):
        if before == "the" and all("_" in author for author in mention.authors):  # "the otter" for calibrated_otter
            return "speaker" if _speaks(question, found, first - 1, last) else "word"
        return "speaker" if strong and before not in _DETERMINERS else "word"
    opening = question[: found[first].start]
    if _OPEN.match(question) and not _WHO_IS.match(opening):
        return "content"
    if strong:
        return "speaker"
    joined = _joined_to(found, mention, mentions)
    if joined is not None:
        return _role(question, found, joined, [m for m in mentions if m is not mention])
    if before in _ABOUT:
        return "speaker" if _asks_about_person(opening, written) else "content"
    return "speaker"


def _asks_about_person(opening: str, written: str) -> bool:
    """Whether "about Ann" or "of Ann" asks for Ann's own words: "tell me about Ann", "comments of Ann"."""
    return bool(
        re.search(
            r"(?:\btell me|\b(?:what|how)|\bmore|\bknow|\bknown|\blearn)\s+about\s+\W*$"
            r"|\b(?:views?|opinions?|comments?|posts?|thoughts|words|arguments?|positions?|summary|overview|background|profile|plans?|ideas?)\s+of\s+\W*$"
            r"|\b(?:list|quotes?|everything|comments?|posts?)\s+(?:by|from)\s+\W*$",
            opening,
            re.I,
        )
    )


def _joined_to(found: list[Word], mention: Mention, mentions: list[Mention]) -> Mention | None:
    """The name before this one in "Ann and Bob" or "Ann vs Bob"."""
    for other in mentions:
        if other.last <= mention.first:
            between = [word.folded for word in found[other.last : mention.first]]
            if (len(between) <= 1 and set(between) <= _JOIN) or between in (["agree", "with"], ["disagree", "with"]):
                return other
    return None


_DO = {"do", "does", "did", "would", "will", "might"}
_ONLY_PEOPLE = frozenset(
    "think say write believe argue claim feel recommend advise agree disagree comment respond reply object prefer propose".split()
)
"""What nothing but people do: a small collection lacks many words, and most verbs may follow words for things."""
_WRITERS = {"author", "commenter", "user", "poster", "person"}
_BEING = {"is", "are", "was", "were", "be", "been", "being"}
_PARTICIPLE = re.compile(r"(?:ed|en|wn|said|thought|held|put|made)$")


def _speaks_from_start(found: list[Word], last: int) -> bool:
    after = found[last].folded if last < len(found) else ""
    return found[last - 1].possessive or after == "on" or (after in SAYING and after.endswith("s"))


def _speaks(question: str, found: list[Word], first: int, last: int) -> bool:
    """Whether a name stands where somebody is asked for, whatever the name is."""
    before = found[first - 1].folded if first else ""
    before2 = found[first - 2].folded if first > 1 else ""
    rest = [word.folded for word in found[last:]]
    after = question[found[last - 1].end :].lstrip()
    if found[last - 1].possessive:
        if re.match(r"own\b", after, re.I):
            return True
        if before in {"about", "on", "of", "to", "with", "against"} and not re.match(r"(?:profile|bio)\b", after, re.I):
            return False
        return bool(_OPINION.match(after))
    while rest and (rest[0] in _ADVERBS | _WRITERS or rest[0].endswith("ly")):
        rest = rest[1:]
    if before in _BEING and rest and _PARTICIPLE.search(rest[0]):
        return False  # "is X criticised" is about X
    if before in _AUXILIARY and rest and rest[0] in SAYING:
        return True
    if before in _AUXILIARY and len(rest) > 1 and rest[0] in {"and", "or"} | _AUXILIARY | {"have", "been"}:
        return any(word in SAYING for word in rest[:6])
    if (
        rest
        and rest[0] in SAYING
        and re.search(r"(?:s|ed|wrote|said|thought|saw|held|felt)$", rest[0])
        and before not in _ABOUT
    ):
        return True
    if (before == "to" and before2 == "according") or (first == 0 and rest[:1] == ["on"]):
        return True
    if before in {"by", "from"}:
        return bool(
            re.search(
                r"\b(?:comments?|posts?|written|said|views?|opinions?|quotes?|arguments?|made|proposed|suggested|replies|anything|everything|something|stated|posted)\s+(?:\w+\s+)?(?:by|from)\s*\W*$",
                question[: found[first].start],
                re.I,
            )
        )
    return False


def _joined(found: list[Word], first: int, last: int, speakers: list[Mention]) -> bool:
    """Whether a run of words stands beside somebody who is asked for: "Ann and NAME", "NAME versus Ann"."""
    if found[first].text.isupper():
        return False  # "Ann and LLMs"
    after = first > 1 and found[first - 1].folded in _JOIN and any(one.last == first - 1 for one in speakers)
    before = last + 1 < len(found) and found[last].folded in _JOIN and any(one.first == last + 1 for one in speakers)
    return after or before


def _name_runs(found: list[Word], taken: set[int]) -> list[tuple[int, int]]:
    """Runs of capitalised words that could be a name."""
    runs = []
    first = 0
    while first < len(found):
        last = first
        while (
            last < len(found)
            and last not in taken
            and _name_like(found[last])
            and (last == first or not found[last - 1].breaks)
        ):
            last += 1
        if last > first:
            runs.append((first, last))
        first = max(last, first + 1)
    return runs


def _name_like(word: Word) -> bool:
    return word.capital and word.folded not in FUNCTION_WORDS | _AUXILIARY | SAYING | {"according", "where", "compare"}


def _topic(
    question: str,
    found: list[Word],
    mentions: list[Mention],
    parts: Sequence[tuple[int, int]],
    unknown: tuple[str, ...],
) -> str:
    """The content words of a question, in order, without names and `parts`."""
    hidden = [(found[m.first].start, found[m.last - 1].end) for m in mentions]
    hidden += [(match.start(), match.end()) for name in unknown for match in re.finditer(re.escape(name), question)]
    hidden += parts
    if course := _BY_TIME.search(question):
        # "How has her view of X changed over time" is about X.
        hidden += [match.span() for match in _OF_COURSE.finditer(question, *course.span())]
        hidden += [match.span() for match in _OVER_TIME.finditer(question)]
    hidden += [match.span() for match in _PHRASES.finditer(question)]
    kept = []
    for word in found:
        if any(start <= word.start < end for start, end in hidden):
            continue
        if word.text.casefold().replace("’", "'") in FUNCTION_WORDS or (
            word.folded in _NOT_TOPIC and not word.text.isupper()
        ):
            continue
        kept.append(word.text)
    return " ".join(kept)


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
