"""The role of each name in a question: asked for, only talked about, or not a name at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from rag.language.english import COMMON_WORDS, FUNCTION_WORDS
from rag.question.form import Span, asks_anybody, asks_by_time, compares
from rag.question.names import CONTRACTIONS, Mention, Word
from rag.question.references import PEOPLE, PERSON
from rag.question.speech import AUXILIARIES, BEING, ONLY_PEOPLE, OPINION, PREPOSITIONS, SAYING, SAYING_INFINITIVES

Role = Literal["speaker", "content", "word"]
"""Asked for, only talked about, or no name."""

_DETERMINERS = frozenset(
    "the a an this that these those my your our his her their its each every any some no which what".split()
)
_CLAUSE = re.compile(
    r"\b(?:true|false|sure|right|correct|say|says|said|thinks?|thought|believes?|claims?|claimed|means?|meant)\s+that\s+\W*$",
    re.I,
)
"""Behind these "that" begins a sentence and points at nothing: "is it true that ann"."""
_ADVERBS = frozenset(
    "really actually currently still now ever also then himself herself themselves both each always even just first last once"
    " originally recently".split()
)
_VERSUS = frozenset({"vs", "versus"})
_JOINING = frozenset({"and", "or", "with", "than"}) | _VERSUS
_PARTING = (_JOINING - {"with", "than"}) | {"but", "then", "while", "whereas"}
"""What begins a new part of a question, in which somebody else may be asked for."""
_OPENINGS = frozenset("hey hi hello dear search thanks ok okay".split())
"""What a question may begin with that is no name."""
_ANYBODY = frozenset("everybody everyone nobody anybody anyone somebody someone people others they".split())
_WRITERS = frozenset("author commenter user poster person".split())
_WHO_IS = re.compile(r"^\W*who(?:'s|’s|\s+is|\s+was)\s+\W*$", re.I)
_SOME_OF = re.compile(
    r"\b(?:which|what|how many|how much|any|all|some|none|one|two|three|each|most|many|much|several|list) of\s+$", re.I
)
_ONE_OF = re.compile(r"^\W*(?:who|which)(?:\s+one)?\s+of\s+\W*$", re.I)
_OR = re.compile(r"[^.?!,;]*(?:,[^.?!,;]*)*\bor\b", re.I)
_LEFT_OUT = re.compile(
    r"\b(?:(?:apart|aside)\s+from|besides|other\s+than|except(?:\s+for)?|excluding|but\s+not)\s+(?:[^.?!;:]*(?:,|\band\b|\bor\b))?\s*\W*$",
    re.I,
)
_OWN_STORY = re.compile(
    r"\W*(?:i|we|my|our)\b(?!['’]?(?:m|d|ll)\b|\s+(?:am|wonder|want|need|would|should|wish|hope|can)\b)", re.I
)
""" "I have read Ann's posts", but not "I'm looking for", "I'd like to know", which ask."""
_PARTICIPLE = re.compile(r"(?:ed|en|wn|said|thought|held|put|made)$")
_ACRONYM = re.compile(r"[A-Z]{2,}s?(?:['’]s)?$")
_FINITE = re.compile(r"(?:s|ed|wrote|said|thought|saw|held|felt)$")
_WRITTEN_BY = re.compile(
    r"\b(?:comments?|posts?|written|said|views?|opinions?|quotes?|arguments?|made|proposed|suggested|replies|anything|everything"
    r"|something|stated|posted)\s+(?:\w+\s+)?(?:by|from)\s*\W*$",
    re.I,
)
_ASKS_ABOUT = re.compile(
    r"(?:\btell me|\b(?:what|how)|\bmore|\bknow|\bknown|\blearn)\s+about\s+\W*$"
    r"|\b(?:views?|opinions?|comments?|posts?|thoughts|words|arguments?|positions?|quotes?|summary|overview|background|profile|plans?|ideas?|best)\s+of\s+\W*$"
    r"|\b(?:list|quotes?|everything|comments?|posts?)\s+(?:by|from)\s+\W*$",
    re.I,
)
"""Asks for the words of whoever is named next: "tell me about Ann", "comments of Ann"."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a name stands in a question."""

    question: str
    words: Sequence[Word]
    name: Mention

    def at(self, name: Mention) -> _Place:
        """The place of another name."""
        return replace(self, name=name)

    @property
    def start(self) -> Word:
        return self.words[self.name.first]

    @property
    def end(self) -> Word:
        return self.words[self.name.last - 1]

    @property
    def single(self) -> bool:
        return self.name.last - self.name.first == 1

    @property
    def opening(self) -> str:
        """The question up to the name."""
        return self.question[: self.start.start]

    @property
    def before(self) -> str:
        """The word before the name; "" if there is none."""
        return self.words[self.name.first - 1].folded if self.name.first else ""

    @property
    def after(self) -> str:
        """The word after the name; "" if there is none."""
        return self.words[self.name.last].folded if self.name.last < len(self.words) else ""


def roles(
    question: str, found: Sequence[Word], mentions: Sequence[Mention], known: Callable[[str], bool] | None
) -> dict[Mention, Role]:
    """The parts that names play.

    Args:
        question: The question.
        found: Its words.
        mentions: Names in reading order; those of nobody here are without authors.
        known: Whether a word occurs in the comments.
    """
    played: dict[Mention, Role] = {}
    for mention in mentions:
        played[mention] = _role(_Place(question, found, mention), played, known)
    for one, after in reversed(list(pairwise(mentions))):
        place = _Place(question, found, one)
        joint = _joint(place, after)
        pair = (played[one], played[after])
        if not joint or "word" not in pair or "content" in pair:
            continue
        opposed = joint in _VERSUS and one.authors and after.authors
        if opposed and not (one.ordinary and after.ordinary):  # "ann vs rose"
            played[one] = played[after] = "speaker"
        elif played[after] == "speaker" and _is_shown(place):
            played[one] = "speaker"
    return played


def _role(place: _Place, earlier: dict[Mention, Role], known: Callable[[str], bool] | None) -> Role:
    """The part that one name plays, given those of the names before it."""
    strong = _speaks(place)
    joined = _joined_to(place, earlier)
    told_of = _is_object(place, earlier)
    if not _is_named(place, strong=strong, joined=joined == "speaker", told_of=told_of):
        return "word"
    if told_of or left_out(place.question, place.words, place.name) or _is_told_first(place):
        return "content"
    if asks_anybody(place.question) and not _WHO_IS.match(place.opening):
        return "speaker" if _is_choice(place, joined) else "content"
    if strong or _ONE_OF.match(place.opening):
        return "speaker"
    if joined:
        return joined
    if known and _modifies(place, known):
        return "word"
    if place.before in PREPOSITIONS:
        return "speaker" if _ASKS_ABOUT.search(place.opening) else "content"
    return "content" if place.before == "from" and place.end.possessive else "speaker"  # "from Ann's shed"


# Whether it is a name


def _is_named(place: _Place, *, strong: bool, joined: bool, told_of: bool) -> bool:
    """Whether what could be a name is one here.

    Args:
        place: Where it stands.
        strong: It stands where somebody is asked for; see `_speaks`.
        joined: It stands beside somebody who is asked for.
        told_of: It stands where somebody who is asked for says something of it.
    """
    name, before = place.name, place.before
    if before in {"a", "an"}:  # "what is an LC circuit" asks nobody called lc
        return False
    if not name.authors:
        return (strong and _may_be_person(place)) or (joined and _is_shown(place))
    if name.ordinary:
        if strong and _everyday_word_speaks(place):
            return True
        named = joined or told_of or _WHO_IS.match(place.opening) or _ASKS_ABOUT.search(place.opening)
        return bool(named) and _is_shown(place)
    if place.end.capital or (
        name.whole and (not place.single or before not in _DETERMINERS or _CLAUSE.search(place.opening))
    ):
        return True
    if before == "the" and all("_" in author for author in name.authors):  # "the otter" for calibrated_otter
        return _speaks(place.at(replace(name, first=name.first - 1)))
    return (strong or joined) and before not in _DETERMINERS - {"what", "which", "that"}  # "say what ann thinks"


def _may_be_person(place: _Place) -> bool:
    """Whether a name of nobody here could be a person's: "do Buddhists say" and "an LLM's answer" are not, "does GPS use" hardly."""
    before, after = place.before, place.after
    if before in {"a", "an", "the", "every", "each", "these", "those"} or (before == "do" and after not in _JOINING):
        return False
    if place.end.possessive and _is_judged(place):
        return False
    return after in ONLY_PEOPLE or before not in AUXILIARIES or not _is_acronym(place)


def _is_acronym(place: _Place) -> bool:
    """Whether a name has a word that is one, or ends like one: "LLMs", "Tool AI", "OpenAI"."""
    name = place.words[place.name.first : place.name.last]
    return place.start.text.isupper() or any(_ACRONYM.search(word.text) for word in name)


def _is_judged(place: _Place) -> bool:
    """Whether what is somebody's is judged, by whoever speaks of it: "is NAME's plan flawed", "why was NAME's argument wrong"."""
    asked = [word.folded for word in place.words[: place.name.first - 1]]
    if place.before not in AUXILIARIES or place.after in {"profile", "bio"}:
        return False
    if asks_by_time(place.question) or compares(place.question):
        return False
    return not asked or asked[-1] in {"why", "how", "when", "where", "and", "but", "or", "so"}


def _everyday_word_speaks(place: _Place) -> bool:
    """Whether an everyday word in the place of a speaker is meant as a name."""
    after = place.after
    if place.before in AUXILIARIES - BEING and after in SAYING - SAYING_INFINITIVES and after.endswith("s"):
        return False  # "do rose comments help"
    if not place.opening and not (
        place.end.possessive or after == "on" or (after in SAYING and after.endswith("s"))
    ):  # "Hope felt lost"
        return False
    if place.start.capital or not place.single or place.question == place.question.lower():
        return True
    if place.before in AUXILIARIES and not place.end.possessive:
        return after in ONLY_PEOPLE
    return place.end.possessive or _is_shown(place)


def _is_shown(place: _Place) -> bool:
    """Whether a name looks like one: an everyday word has a capital in mid-sentence, or is written just as the handle is."""
    question, start, last = place.question, place.start.start, place.end
    if not place.name.authors:
        return not _is_acronym(place)  # "Ann and LLMs"
    if not place.name.ordinary:
        return True
    if not {question[start : start + len(last.text)], question[start : last.end]}.isdisjoint(place.name.authors):
        return True
    if question == question.lower():
        return not place.single
    return last.capital and start > 0


def _modifies(place: _Place, known: Callable[[str], bool]) -> bool:
    """Whether a handle that is a word of the comments goes with the noun behind it: "was lighthouse paint replaced"."""
    name, before, noun = place.start, place.before, place.after
    if not place.single or name.capital or name.breaks or not before or not known(name.text):
        return False
    if place.name.last + 1 >= len(place.words) or noun in FUNCTION_WORDS | SAYING | _ADVERBS or noun.endswith("ly"):
        return False
    verb = place.words[place.name.last + 1].folded
    if before in BEING:
        return bool(_PARTICIPLE.search(verb)) and not noun.endswith("ing")
    # Where another verb follows, the word behind "does NAME" is none; nor is it if it ends like a noun.
    return before in AUXILIARIES and (
        verb in BEING or verb in SAYING_INFINITIVES or bool(re.search(r"[aeiou].*ing$", noun))
    )


# Whether somebody is asked for


def _speaks(place: _Place) -> bool:
    """Whether a name stands where somebody is asked for, whatever the name is."""
    return _owns_words(place) if place.end.possessive else _says(place) or _is_source(place)


def _owns_words(place: _Place) -> bool:
    """ "Ann's view of rye", "Ann's own", but not "about Ann's view"."""
    owned = place.question[place.end.end :].lstrip()
    if re.match(r"own\b", owned, re.I):
        return True
    apart = place.before in {"about", "on", "of", "to", "with", "against"}
    if apart and not re.match(r"(?:profile|bio)\b", owned, re.I) and not _SOME_OF.search(place.opening):
        return False
    return bool(OPINION.match(owned))


def _says(place: _Place) -> bool:
    """ "Does Ann think ...", "Ann and Bob have said ...", "Ann on rye"."""
    before, rest = place.before, [word.folded for word in place.words[place.name.last :]]
    while rest and (rest[0] in _ADVERBS | _WRITERS or rest[0].endswith("ly")):
        del rest[0]
    if not rest:
        return False
    verb, after = rest[0], rest[1:]
    if before in BEING and (_PARTICIPLE.search(verb) or (verb in SAYING and not verb.endswith("ing"))):
        return False  # "is X criticised" is about X, "is the X value" about a thing
    if before in AUXILIARIES and verb in SAYING:
        return not (verb.endswith("s") and after and after[0] in BEING)  # "should X values be"
    if before in AUXILIARIES and after and verb in {"and", "or", "have", "been"} | AUXILIARIES:
        return not SAYING.isdisjoint(_clause(place)[:6])
    if verb in SAYING and _FINITE.search(verb) and before not in PREPOSITIONS:
        return True
    return verb == "on" and (
        not before or (place.name.first == 1 and before in SAYING_INFINITIVES)
    )  # "Summarise Ann on rye"


def _clause(place: _Place) -> list[str]:
    """The words behind a name up to a comma, without what is somebody's: "should X do more, in her view", "in Ann's view"."""
    found: list[str] = []
    for before, word in pairwise(place.words[place.name.last - 1 :]):
        if before.breaks and not before.possessive:
            break
        if not before.possessive:
            found.append(word.folded)
    return found


def _is_source(place: _Place) -> bool:
    """ "According to Ann", "comments by Ann"."""
    first = place.name.first
    if place.before == "to":
        return first > 1 and place.words[first - 2].folded == "according"
    return place.before in {"by", "from"} and bool(_WRITTEN_BY.search(place.opening))


def _is_object(place: _Place, earlier: dict[Mention, Role]) -> bool:
    """Whether a name is what somebody asked for says something of: "Did Ann mention NAME?", "Ann's view of NAME"."""
    found, first = place.words, place.name.first
    subject = next((one for one in reversed(earlier) if earlier[one] == "speaker"), None)
    if subject is None:
        return place.before in SAYING and any(word.folded in _ANYBODY for word in found[:first])
    if place.before in AUXILIARIES:
        return False
    between = [word.folded for word in found[subject.last : first]]
    parted = re.search(r"[.?!;:]", place.opening[found[subject.last - 1].end :]) or not _PARTING.isdisjoint(between)
    if not between or parted:
        return False
    if len(between) > 1 and compares(place.opening):  # but "compare NAME's view with ..." is said of the name
        return False
    if _joint(place.at(subject), place.name) == "than":
        return False
    asked = subject.first > 0 and found[subject.first - 1].folded in AUXILIARIES
    return not SAYING.isdisjoint(between) or (asked and len(between) < 4)


def _joined_to(place: _Place, earlier: dict[Mention, Role]) -> Role | None:
    """The part that the name before this one plays in "Ann and Bob" or "Ann vs Bob"."""
    other = next((one for one in reversed(earlier) if earlier[one] != "word"), None)
    return earlier[other] if other and _joint(place.at(other), place.name) else None


def _joint(place: _Place, after: Mention) -> str:
    """What joins two names: "and", "vs", a comma; "with" in a comparison. "" if nothing does."""
    opening = place.at(after).opening
    between = [word.folded for word in place.words[place.name.last : after.first]]
    if not between:
        if place.name.authors and place.name.authors == after.authors:
            return ","  # two halves of one name
        mark = opening[place.end.end :].strip()
        return mark if mark in {",", "/", "&", "+"} else ""
    if len(between) == 1 and between[0] in _JOINING:
        return between[0]
    while between[-1] in {"that", "those", "what", "the", "of"} and len(between) > 1:
        between.pop()  # "compared with that of"
    if (
        between[-1] == "than"
        and place.before in BEING
        and any(word in {"more", "less"} or word.endswith("er") for word in between)
    ):
        return "than"  # "Is Ann happier than Bob?"
    return between[-1] if between[-1] in {"with", "to", "from"} and compares(opening) else ""


def left_out(question: str, found: Sequence[Word], name: Mention) -> Span | None:
    """Where it is said that everybody but somebody is asked for, "other than NAME"; None if it is not."""
    match = _LEFT_OUT.search(question[: found[name.first].start])
    return (match.start(), found[name.last - 1].end) if match else None


def _is_told_first(place: _Place) -> bool:
    """Whether the asker tells something of a name before asking about something else: "I read NAME's book. Is ...?"."""
    sentences = re.split(r"(?<=[.!])\s+", place.opening)
    told = re.match(r"[^?!.]*[.!]\s+(.*\?)", place.question[len(place.opening) :])
    return bool(_OWN_STORY.match(sentences[-1]) and told and not (PERSON.search(told[1]) or PEOPLE.search(told[1])))


def _is_choice(place: _Place, joined: Role | None) -> bool:
    """Whether "who" is one of those named: "which of NAME and NAME is right", "who is right, NAME or NAME"."""
    if joined == "speaker" or _ONE_OF.match(place.opening):
        return True
    return place.opening.rstrip().endswith((",", ":", "?", "-", "–", "—")) and bool(
        _OR.match(place.question[len(place.opening) :])
    )


# What could be a name


_NEVER_NAMES = FUNCTION_WORDS | AUXILIARIES | SAYING | CONTRACTIONS | {"according", "where", "compare"}


def name_runs(found: Sequence[Word], taken: set[int]) -> list[tuple[int, int]]:
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


def has_other_first_name(found: Sequence[Word], mention: Mention) -> bool:
    """Whether a last name follows what begins the question like a first name: "Peter Lee on rye" does not ask for Ann Lee."""
    start, name = found[0], found[mention.first]
    if mention.first != 1 or start.breaks or not name.capital or not start.text.isalpha():
        return False
    return _name_like(start) and start.folded not in COMMON_WORDS | PREPOSITIONS | _OPENINGS


def _name_like(word: Word) -> bool:
    return word.capital and word.folded not in _NEVER_NAMES
