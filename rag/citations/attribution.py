"""Who a sentence of an answer says is speaking.

"X argues that ...", "according to X", "X's view", "...", says X. Knows the authors at hand by name (names.py) and
notices names that are none of theirs. English only: in other languages it finds authors before a colon or a quotation,
and otherwise nothing. Does not decide whether the attribution is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rag.language.english import COMMON_WORDS, FUNCTION_WORDS
from rag.question.names import NameIndex, Word, fold, words

_HUMAN_VERBS = frozenset(
    """
    say says said saying write writes wrote writing argue argues argued arguing claim claims claimed think thinks thought
    believe believes believed state states stated ask asks asked reply replies replied answer answers answered add adds
    added explain explains explained conclude concludes concluded describe describes described call calls called warn
    warns warned doubt doubts doubted agree agrees agreed disagree disagrees disagreed expect expects expected prefer
    prefers preferred object objects objected concede concedes conceded admit admits admitted insist insists insisted
    propose proposes proposed recommend recommends recommended reject rejects rejected dispute disputes disputed worry
    worries worried hope hopes hoped wish wishes wished feel feels felt favor favors favour favours mention mentions
    mentioned remark remarks remarked observe observes observed comment comments commented hold holds held maintain
    maintains maintained deny denies denied endorse endorses endorsed criticize criticizes criticized criticise
    criticises praise praises praised wonder wonders wondered speculate speculates speculated predict predicts predicted
    """.split()
)
_OTHER_VERBS = frozenset(
    """
    note notes noted suggest suggests suggested point points pointed put puts show shows showed find finds found report
    reports reported consider considers considered see sees saw want wants wanted emphasize emphasizes emphasized stress
    stresses stressed imply implies implied contend contends contended assert asserts asserted acknowledge acknowledges
    """.split()
)
_VERBS = _HUMAN_VERBS | _OTHER_VERBS
_BETWEEN = frozenset(
    """
    also has had have would does did is was then later once even explicitly further again repeatedly therefore thus
    himself herself themselves themself itself still clearly only just simply really not never n't doesn't didn't
    wouldn't hasn't originally initially specifically strongly now currently instead similarly
    """.split()
)
_BEFORE_A_VERB = _BETWEEN - {"is", "was", "would"}
_POSSESSED = frozenset(
    """
    view views claim claims argument arguments comment comments position point points word words opinion opinions belief
    beliefs answer reply objection proposal suggestion concern concerns take plan idea ideas response worry stance
    """.split()
)
_SOURCE = re.compile(r"(?:according to|in the words of|as (?:\w+ )?(?:by|per)|per)\s*\Z", re.IGNORECASE)
_BEGINS_SPEECH = re.compile(r"(?:['’]s)?[*_)\]]*(?:\s*\([a-z ]{2,20}\)[*_]*)?\s*(?::|[—–-]?\s*[“\"«>])")
"""What makes a name in front of it the speaker's, as in `Ann:`, `**Ann** (against):`, `Ann's "..."`."""
_BARE_COLON = re.compile(r"[*_]*\s*:(?!\s*[“\"«>])")
_LABELS = frozenset(
    """
    advantage answer approach argument assumption background benefit caveat cause claim conclusion con context correction cost
    counterpoint danger detail difference disadvantage downside drawback effect error evidence example exception fact finding fix
    goal history how idea limit mechanism method note objection outcome overall plan point pro problem proposal proviso question
    reason recommendation remark remedy result risk rule solution source summary takeaway tip topic upside use verdict warning what
    when where why
    """.split()
)
"""Topics that a chat model puts before a colon, and no names."""
_LABEL_ENDING = re.compile(r"(?:ing|tions?|ments?|ness|ity|ance|ence|[^s]s)\Z")
_CLAUSE_BEGINS = re.compile(r"(?:\A|[,;:]|\b(?:but|while|whereas|and))[\s*_>\d.)-]*\Z", re.IGNORECASE)
_COMMON_SUBJECTS = frozenset(
    """
    commenter commenters author authors user users researcher researchers people critics others several many evidence
    research work data nothing something everything results comments passage passages sources quote quotes replies
    supporters proponents opponents participants experts neither both together one two three
    monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays
    sundays january february march april may june july august september october november december
    """.split()
)


@dataclass(frozen=True, slots=True)
class Speakers:
    """Whom a sentence names as speaking."""

    authors: frozenset[str] = frozenset()
    """Authors at hand; of a name that several share, all."""
    strangers: tuple[str, ...] = ()
    """Names of nobody at hand."""

    def fits(self, author: str | None) -> bool:
        """Whether the words of this author may be cited for the sentence."""
        if self.authors:
            return author in self.authors
        return not self.strangers or any(_same(name, author) for name in self.strangers)


def _same(name: str, author: str | None) -> bool:
    return author is not None and fold(name) == fold(author)


def speakers(sentence: str, authors: Iterable[str] | NameIndex, ordinary: str = "") -> Speakers:
    """Find the speakers that a sentence names.

    Args:
        sentence: Prose; what stands in quotation marks should be blanked out.
        authors: Names of the authors at hand.
        ordinary: Text whose lower-case words are no names, such as the cited comments.
    """
    index = authors if isinstance(authors, NameIndex) else NameIndex(authors)
    found = words(sentence)
    mentions = index.find(found)
    named: set[str] = set()
    taken: set[int] = set()
    for mention in mentions:
        taken |= set(range(mention.first, mention.last))
        if _speaks(sentence, found, mention.first, mention.last, human_only=mention.ordinary):
            named |= set(mention.authors)
    strangers = tuple(_strangers(sentence, found, taken, ordinary)) if not named else ()
    return Speakers(frozenset(named), strangers)


def actors(sentence: str, authors: Iterable[str]) -> frozenset[str]:
    """The authors at hand who do what a clause tells, as in "Ann moved hers" or "later Ann has moved it", whatever the verb.

    Of those whose name is an everyday word, too, only speakers can be told (`speakers`).
    """
    found = words(sentence)
    acting: set[str] = set()
    for mention in NameIndex(authors).find(found):
        last = found[mention.last - 1]
        if mention.ordinary or last.possessive or last.breaks:
            continue
        if not _CLAUSE_BEGINS.search(sentence[: found[mention.first].start]):
            continue
        following = (word for word in found[mention.last :] if word.text.casefold() not in _BEFORE_A_VERB)
        verb = next(following, None)
        if verb and not verb.capital and verb.text.isalpha() and verb.text.casefold() not in FUNCTION_WORDS:
            acting |= set(mention.authors)
    return frozenset(acting)


def _speaks(sentence: str, found: list[Word], first: int, last: int, *, human_only: bool = False) -> bool:
    """Whether the words `first:last` stand where a speaker stands."""
    verbs = _HUMAN_VERBS if human_only else _VERBS
    end = found[last - 1].end
    if _BEGINS_SPEECH.match(sentence[end : end + 40]):
        return True
    if _SOURCE.search(sentence[max(0, found[first].start - 30) : found[first].start]):
        return True
    following = [word.text.casefold() for word in found[last : last + 4]]
    if found[last - 1].possessive:
        return any(word in _POSSESSED for word in following[:3])
    breaks = found[last - 1].breaks
    for word in following if not breaks else following[:0]:
        if word in verbs:
            return True
        if word not in _BETWEEN and not word.endswith("ly") and word != "and":
            break
    before = found[first - 1].text.casefold() if first else ""
    inverted = before in verbs and (first < 2 or _ends_clause(found[first - 2], found[first - 1]))
    return inverted and not found[first - 1].breaks


def _ends_clause(word: Word, following: Word) -> bool:
    """Whether a verb behind this word may begin a clause of its own, as in `..., says Ann`; not in "nobody says"."""
    apart = word.breaks or following.start - word.end > 2  # a quotation between them was blanked out
    return apart and not _is_subject(word)


def _is_subject(word: Word) -> bool:
    return word.capital or word.text.casefold() in {"he", "she", "they", "who", "it", "i", "we", "you"}


def _strangers(sentence: str, found: list[Word], taken: set[int], ordinary: str) -> Iterable[str]:
    """Capitalised words that are no author's name and stand where a speaker stands."""
    position = 0
    while position < len(found):
        word = found[position]
        ordinary_word = word.text.casefold() in FUNCTION_WORDS | _COMMON_SUBJECTS or re.match(r"I['’]", word.text)
        if position in taken or not word.capital or ordinary_word:
            position += 1
            continue
        last = position + 1
        while last < len(found) and last not in taken and found[last].capital and not found[last - 1].breaks:
            last += 1
        alone_at_start = last == position + 1 and not sentence[: word.start].strip(" *_>-\"“'‘(")
        if alone_at_start and (word.text.endswith("s") or re.search(rf"\b{re.escape(word.text.lower())}\b", ordinary)):
            position = last
            continue
        if not _is_label(sentence, found[position:last]) and _speaks(sentence, found, position, last, human_only=True):
            yield sentence[word.start : found[last - 1].end].removesuffix("'s").removesuffix("’s")
        position = last


def _is_label(sentence: str, capitals: list[Word]) -> bool:
    """Whether capitalised words before a colon name a topic, as in "**Drawback:** it leaks", rather than a person."""
    if not _BARE_COLON.match(sentence, capitals[-1].end):
        return False
    plain = [word.text.casefold() for word in capitals]
    return any(word in _LABELS | COMMON_WORDS or _LABEL_ENDING.search(word) for word in plain)
