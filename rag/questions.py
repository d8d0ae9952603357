"""What a question by itself is about: who is asked for, which time, and which topic.

Everything here is deterministic and needs no model. Names are found by names.py and periods by periods.py: this module
decides what part they play in the question. What a follow-up refers to is found by follow_ups.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from rag.english import COMMON_WORDS, FUNCTION_WORDS
from rag.names import Mention, NameIndex, Word, fold, words
from rag.periods import Period, periods
from rag.records import Passage
from rag.speech import SAYING, SAYING_INFINITIVES


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
    """Labels of unnamed profiles that one of `unknown_authors` may stand for; see `follow_ups.understand`."""
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
_VERSUS = frozenset({"vs", "versus"})
_JOIN = frozenset({"and", "or", "with", "than"}) | _VERSUS
_PARTING = (_JOIN - {"with", "than"}) | {"but", "then", "while", "whereas"}
"""What begins a new part of a question, in which somebody else may be asked for."""
_GREETING = frozenset("hey hi hello dear search thanks ok okay".split())
_ANYBODY = frozenset("everybody everyone nobody anybody anyone somebody someone people others they".split())
_FAR = 15
"""Words between two names beyond which nothing joins them."""
_MONTHS = frozenset("april may june august march".split())
"""Those that are names of people, too: a capital letter shows neither."""


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
_COMPARING = re.compile(
    r"\b(?:(?:dis)?agree[sd]?|differ(?:s|ed|ent|ently)?|compare[sd]?|comparing|contrast(?:s|ed|ing)?)\b", re.I
)
_NO_ADJECTIVE = "|".join(sorted(_AUXILIARY | _ABOUT | frozenset("if of else for by when who how".split())))
_LIST = re.compile(
    r"\blist(?:ed|ing)?\b|\b(?:name|give|show|find|tell me|what are|were|quote)\s+(?:me\s+)?(?:all|every|each|some|several|any|the main)\b"
    r"|\ball (?:the|of|that|his|her|their|\w+s)\b|\beverything\b|\bsummar(?:y|ise|ize)\b|\boverview\b|\bhow many\b|\bexamples\b"
    r"|\bwhat (?:are|were) (?:\w+\s+){0,5}?(?!this\b|his\b|is\b)\w{3,}s\b"
    r"|\bwhich (?!does\b|has\b|was\b|this\b|makes\b)\w{3,}[^s\W]s\b"
    rf"|\b(?:which|what) (?:(?!(?:{_NO_ADJECTIVE})\b)\w+\s+)?(?!does\b|this\b|makes\b)\w{{3,}}[^s\W]s"
    r"\s+(?:(?!(?:when|if|that|because|to|as|while|who|where)\b)[\w'’-]+\s+){0,6}?"
    r"(?:are|was|were|do|does|did|have|has|had|can|could|should|would|will|might|may|must)\b"
    r"|\b(?:which|what) (?:other|two|three|four|five|six|seven|eight|nine|ten|several) (?:\w+\s+)?\w{3,}[^s\W]s\b"
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
    "use plan planned planning value point question list model count find show reason trust judge name bet spoken".split()
)


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

    def read(self, question: str) -> Query:
        """Understand a question that stands alone."""
        found = self._words(question)
        mentions = [m for m in self.names.find(found, self.known) if m.whole or not _has_other_first_name(found, m)]
        taken = {index for mention in mentions for index in range(mention.first, mention.last)}
        strangers = [Mention(first, last, ()) for first, last in _name_runs(found, taken)]
        roles = _roles(question, found, sorted([*mentions, *strangers], key=lambda one: one.first), self.known)
        speakers = [m for m in mentions if roles[m] == "speaker"]
        asked = _unique(author for mention in speakers for author in mention.authors)
        others = _unique(author for m in mentions if roles[m] == "content" for author in m.authors)
        unknown = self._unknown(question, found, taken, [one for one in strangers if roles[one] == "speaker"])
        period, certain = self._period(question)
        newest = _NEWEST.search(question)
        hidden = [(period.start, period.end)] if period else []
        hidden += [newest.span()] if newest else []
        people = len(asked) + len(unknown)
        joined = len({mention.authors for mention in speakers}) + len(unknown) > 1
        return Query(
            text=_without(question, hidden),
            original=question,
            authors=asked,
            unknown_authors=unknown,
            mentioned=tuple(author for author in others if author not in asked),
            since=period.since if period else None,
            until=period.until if period else None,
            compare=joined or bool(_COMPARE.search(question) and (people > 1 or _among_people(question))),
            wants_list=_wants_list(question, found, [m for m in mentions if roles[m] != "word"]),
            by_time=bool(_BY_TIME.search(question)),
            topic=_topic(question, found, [*speakers], hidden, unknown),
            traces=tuple(name for name in unknown if self._traced(name)),
            labels=tuple(label for label in self.labels if any(_label_fits(label, name) for name in unknown)),
            dates_certain=certain,
            period=question[period.start : period.end] if period else "",
            times=period.times if period else (),
            newest=bool(newest),
        )

    def _words(self, question: str) -> list[Word]:
        """The words of a question; "Anns view" is read as "Ann's view"."""
        found = words(question)
        for place, word in enumerate(found):
            if word.possessive or word.breaks or not word.folded.endswith("s"):
                continue
            if any(one.folded in _DO for one in found[max(0, place - 3) : place]):
                continue  # "Does Ann Lees claim that ..."
            name = word.text if word.folded in self.names else word.text[:-1]
            before = [one.folded for one in found[max(0, place - 3) : place]]
            runs = ("".join(before[first:]) + fold(name) for first in range(len(before) + 1))
            if any(run in self.names for run in runs) and _OPINION.match(question[word.end :].lstrip()):
                found[place] = replace(word, text=name, folded=fold(name), possessive=True, breaks=True)
        return found

    def _unknown(self, question: str, found: list[Word], taken: set[int], strangers: list[Mention]) -> tuple[str, ...]:
        """The names of those who are asked for and are nobody here."""
        names = []
        for one in strangers:
            name = question[found[one.first].start : found[one.last - 1].end]
            possessive = found[one.last - 1].possessive and name[-2:] in ("'s", "’s")
            names.append(name[:-2] if possessive else name.rstrip("'’"))
        if not names and not _OPEN.match(question) and (lower := self._lower_case_name(found, taken)):
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
    if passage.byline in query.others_than:
        return False
    if query.authors or not query.unknown_authors:
        return True
    if query.labels:
        return passage.label in query.labels
    own = {word.folded for word in words(passage.text)}
    return any(word.folded in own for name in query.traces for word in words(name) if len(word.folded) > 2)


def asks_anybody(question: str) -> bool:
    """Whether a question asks for whoever says something: "who thinks ...", "does anybody ..."."""
    return bool(_OPEN.match(question))


def compares(question: str) -> bool:
    """Whether a question sets people or things side by side."""
    return bool(_COMPARE.search(question))


def _unique(items) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))


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


def undated_text(query: Query) -> Query:
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


def _wants_list(question: str, found: list[Word], names: list[Mention]) -> bool:
    """Whether several things are asked for; "Thomas" is no plural."""
    for name in names:
        start, end = found[name.first].start, found[name.last - 1].end
        question = question[:start] + "x" * (end - start) + question[end:]
    return bool(_LIST.search(question))


def _has_other_first_name(found: list[Word], mention: Mention) -> bool:
    """Whether a last name follows what begins the question like a first name: "Peter Lee on rye" does not ask for Ann Lee."""
    start, name = found[0], found[mention.first]
    if mention.first != 1 or start.breaks or not name.capital or not start.text.isalpha():
        return False
    return _name_like(start) and start.folded not in COMMON_WORDS | _ABOUT | _GREETING


def _roles(
    question: str, found: list[Word], mentions: list[Mention], known: Callable[[str], bool] | None
) -> dict[Mention, str]:
    """The parts that names play: who is asked for ("speaker"), only talked about ("content"), or no name at all ("word").

    Args:
        question: The question.
        found: Its words.
        mentions: Names in reading order; those of nobody here are without authors.
        known: Whether a word occurs in the comments.
    """
    roles: dict[Mention, str] = {}
    for mention in mentions:
        roles[mention] = _role(question, found, mention, roles, known)
    for one, after in reversed(list(pairwise(mentions))):
        joint = _joint(question, found, one, after)
        pair = (roles[one], roles[after])
        if not joint or "word" not in pair or "content" in pair:
            continue
        opposed = joint in _VERSUS and one.authors and after.authors
        if opposed and not (one.ordinary and after.ordinary):  # "ann vs rose"
            roles[one] = roles[after] = "speaker"
        elif roles[after] == "speaker" and _is_shown(question, found, one):
            roles[one] = "speaker"
    return roles


def _role(
    question: str, found: list[Word], mention: Mention, earlier: dict[Mention, str], known: Callable[[str], bool] | None
) -> str:
    """The part that one name plays, given those of the names before it."""
    opening = question[: found[mention.first].start]
    strong = _speaks(question, found, mention.first, mention.last)
    joined = _joined_to(question, found, mention, earlier)
    told_of = _is_object(question, found, mention, earlier)
    if not _is_named(question, found, mention, strong=strong, joined=joined == "speaker", told_of=told_of):
        return "word"
    if told_of or (_OPEN.match(question) and not _WHO_IS.match(opening)):
        return "content"
    if strong:
        return "speaker"
    if joined:
        return joined
    if known and _modifies(found, mention, known):
        return "word"
    before = found[mention.first - 1].folded if mention.first else ""
    if before in _ABOUT:
        return "speaker" if _asks_about_person(opening) else "content"
    return "content" if before == "from" and found[mention.last - 1].possessive else "speaker"  # "from Ann's shed"


def _is_named(question: str, found: list[Word], mention: Mention, *, strong: bool, joined: bool, told_of: bool) -> bool:
    """Whether what could be a name is one here.

    Args:
        question: The question.
        found: Its words.
        mention: What could be a name.
        strong: It stands where somebody is asked for; see `_speaks`.
        joined: It stands beside somebody who is asked for.
        told_of: It stands where somebody who is asked for says something of it.
    """
    first, last = mention.first, mention.last
    before = found[first - 1].folded if first else ""
    if not mention.authors:
        return (strong and _may_be_person(found, mention)) or (joined and _is_shown(question, found, mention))
    if mention.ordinary:
        if strong and _everyday_word_speaks(question, found, mention):
            return True
        opening = question[: found[first].start]
        named = joined or told_of or _WHO_IS.match(opening) or _asks_about_person(opening)
        return bool(named) and _is_shown(question, found, mention)
    if found[last - 1].capital or (mention.whole and (last - first > 1 or before not in _DETERMINERS)):
        return True
    if before == "the" and all("_" in author for author in mention.authors):  # "the otter" for calibrated_otter
        return _speaks(question, found, first - 1, last)
    return (strong or joined) and before not in _DETERMINERS


def _may_be_person(found: list[Word], mention: Mention) -> bool:
    """Whether a name of nobody here could be a person's: "do Buddhists say" and "an LLM's answer" are not, "does GPS use" hardly."""
    first, last = mention.first, mention.last
    before, after = (found[first - 1].folded if first else ""), (found[last].folded if last < len(found) else "")
    if before in {"a", "an", "every", "each", "these", "those"} or (before == "do" and after not in _JOIN):
        return False
    return after in _ONLY_PEOPLE or before not in _AUXILIARY or not found[first].text.isupper()


def _everyday_word_speaks(question: str, found: list[Word], mention: Mention) -> bool:
    """Whether an everyday word in the place of a speaker is meant as a name."""
    first, last = mention.first, mention.last
    if not found[first].start and not _speaks_from_start(found, last):
        return False
    if found[first].capital or last - first > 1 or question == question.lower():
        return True
    if found[first - 1].folded in _AUXILIARY:
        return last < len(found) and found[last].folded in _ONLY_PEOPLE
    return _is_shown(question, found, mention)


def _is_shown(question: str, found: list[Word], mention: Mention) -> bool:
    """Whether a name looks like one: an everyday word has a capital in mid-sentence, or is written just as the handle is."""
    word = found[mention.last - 1]
    if not mention.authors:
        return not found[mention.first].text.isupper()  # "Ann and LLMs"
    if not mention.ordinary:
        return True
    start = found[mention.first].start
    if question[start : start + len(word.text)] in mention.authors or question[start : word.end] in mention.authors:
        return True
    if question == question.lower():
        return mention.last - mention.first > 1
    return word.capital and start > 0 and word.folded not in _MONTHS


def _is_object(question: str, found: list[Word], mention: Mention, earlier: dict[Mention, str]) -> bool:
    """Whether a name is what somebody asked for says something of: "Did Ann mention NAME?", "Ann's view of NAME"."""
    subject = next((one for one in reversed(earlier) if earlier[one] == "speaker"), None)
    before = found[mention.first - 1].folded if mention.first else ""
    if subject is None:
        return before in SAYING and any(word.folded in _ANYBODY for word in found[: mention.first])
    if before in _AUXILIARY:
        return False
    opening = question[: found[mention.first].start]
    between = [word.folded for word in found[subject.last : mention.first]]
    parted = re.search(r"[.?!;:]", opening[found[subject.last - 1].end :]) or not _PARTING.isdisjoint(between)
    if not between or parted:
        return False
    if len(between) > 1 and _COMPARE.search(opening):  # but "compare NAME's view with ..." is said of the name
        return False
    asked = subject.first > 0 and found[subject.first - 1].folded in _AUXILIARY
    return not SAYING.isdisjoint(between) or (asked and len(between) < 4)


def _modifies(found: list[Word], mention: Mention, known: Callable[[str], bool]) -> bool:
    """Whether a handle that is a word of the comments goes with the noun behind it: "was lighthouse paint replaced"."""
    first, last = mention.first, mention.last
    name = found[first]
    if last - first > 1 or name.capital or name.breaks or not first or last + 1 >= len(found) or not known(name.text):
        return False
    before, noun, after = found[first - 1].folded, found[last].folded, found[last + 1].folded
    if noun in FUNCTION_WORDS | SAYING | _ADVERBS or noun.endswith("ly"):
        return False
    if before in _BEING:
        return bool(_PARTICIPLE.search(after)) and not noun.endswith("ing")
    # Where another verb follows, the word behind "does NAME" is none; nor is it if it ends like a noun.
    return before in _AUXILIARY and (
        after in _BEING or after in SAYING_INFINITIVES or bool(re.search(r"[aeiou].*ing$", noun))
    )


def _asks_about_person(opening: str) -> bool:
    """Whether "about Ann" or "of Ann" asks for Ann's own words: "tell me about Ann", "comments of Ann"."""
    return bool(
        re.search(
            r"(?:\btell me|\b(?:what|how)|\bmore|\bknow|\bknown|\blearn)\s+about\s+\W*$"
            r"|\b(?:views?|opinions?|comments?|posts?|thoughts|words|arguments?|positions?|quotes?|summary|overview|background|profile|plans?|ideas?)\s+of\s+\W*$"
            r"|\b(?:list|quotes?|everything|comments?|posts?)\s+(?:by|from)\s+\W*$",
            opening[-80:],
            re.I,
        )
    )


def _joined_to(question: str, found: list[Word], mention: Mention, earlier: dict[Mention, str]) -> str | None:
    """The part that the name before this one plays in "Ann and Bob" or "Ann vs Bob"."""
    for other, role in reversed(earlier.items()):
        if mention.first - other.last > _FAR:
            break
        if role != "word" and _joint(question, found, other, mention):
            return role
    return None


def _joint(question: str, found: list[Word], one: Mention, after: Mention) -> str:
    """What joins two names: "and", "vs", a comma; "with" in a comparison. "" if nothing does."""
    between = [word.folded for word in found[one.last : after.first]]
    if not between:
        if one.authors and one.authors == after.authors:
            return ","  # two halves of one name
        mark = question[found[one.last - 1].end : found[after.first].start].strip()
        return mark if mark in {",", "/", "&", "+"} else ""
    if len(between) == 1 and between[0] in _JOIN:
        return between[0]
    while between[-1] in {"that", "those", "what", "the", "of"} and len(between) > 1:
        between.pop()  # "compared with that of"
    compared = _COMPARING.search(question[: found[after.first].start])
    return between[-1] if compared and between[-1] in {"with", "to", "from"} else ""


_DO = {"do", "does", "did", "would", "will", "might"}
_ONLY_PEOPLE = frozenset(
    "think say write believe argue claim feel recommend advise agree disagree comment respond reply object prefer propose".split()
)
"""What nothing but people do: a small collection lacks many words, and most verbs may follow words for things."""
_WRITERS = {"author", "commenter", "user", "poster", "person"}
_BEING = {"is", "are", "was", "were", "be", "been", "being"}
_SOME_OF = re.compile(
    r"\b(?:which|what|how many|how much|any|all|some|none|one|two|three|each|most|many|much|several|list) of\s+$", re.I
)
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
        apart = before in {"about", "on", "of", "to", "with", "against"} and not re.match(
            r"(?:profile|bio)\b", after, re.I
        )
        if apart and not _SOME_OF.search(question[: found[first].start]):
            return False
        return bool(_OPINION.match(after))
    while rest and (rest[0] in _ADVERBS | _WRITERS or rest[0].endswith("ly")):
        rest = rest[1:]
    if before in _BEING and rest and _PARTICIPLE.search(rest[0]):
        return False  # "is X criticised" is about X
    if before in _AUXILIARY and rest and rest[0] in SAYING:
        return not (rest[0].endswith("s") and rest[1:] and rest[1] in _BEING)  # "should X values be"
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
