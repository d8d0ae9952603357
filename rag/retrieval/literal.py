"""Questions answered by the presence of words, not by similarity: "Who mentions X?", "Has she changed her mind about anything?".

How near a passage is in meaning says nothing here: a comment about brains does not mention neuroscience unless it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.index.lexical import stems
from rag.language.english import COMMON_WORDS
from rag.language.letters import unspaced
from rag.question.mentioning import asks_who_mentions
from rag.question.query import Query
from rag.records import Passage

_MOST = re.compile(r"\bmost\b", re.IGNORECASE)
_AT_LAST = re.compile(r"\bmost(?: often| frequently)?\W*$", re.IGNORECASE)
_NEVER = re.compile(r"\b(?:never|not)\b|n['’]t\b", re.IGNORECASE)
_CHANGED_MIND = re.compile(
    r"\b(?:I|I['’]ve|I['’]d|me)\s(?:[\w'’]+\s){0,3}?(?:changed my (?:mind|views?|opinion)|was (?:wrong|mistaken)|stand corrected|used to (?:think|believe|say|argue|expect"
    r"|advise|recommend|be|have|use|worry|hold|do)|no longer|(?<!will )(?<!would )take (?:(?:it|that|this) )?back|retract|correct myself|spoke too soon"
    r"|was too (?:harsh|hasty|quick|sure|confident|optimistic|pessimistic|generous|strict)|updated?|reversed|came (?:round|around)|turned"
    r"|moved (?:away|from)|switched|once (?:thought|believed|argued|recommended|advised))\b"
    r"|\b(?:I['’]m|I am|I feel|I have become|I['’]ve become)\s(?:[\w'’]+\s){0,4}?(?:less|more)\s\w+\s(?:[\w'’]+\s){0,4}?(?:now|these days|than before|than I was)\b"
    r"|\bchanged my (?:mind|views?|opinion)|\bmy (?:views?|opinion|mind) (?:has|have) (?:changed|shifted)",
    re.IGNORECASE,
)
_OF_CHANGE = frozenset(stems("ever minds views opinions positions stances things topics people's changed"))
_OF_FORUMS = frozenset(
    "author authors comment commented commenter commenters comments member members people person post posted question user users".split()
)
CHANGE_WORDS = "changed my mind was wrong used to think no longer corrected now believe updated less more confident"
"""Searched for where a change of mind is asked for, alone or with its topic."""


@dataclass(frozen=True)
class Telling:
    """What must stand in a passage so that it answers a question of this kind."""

    said: Callable[[str], bool]
    """Whether a sentence is one of those asked for."""
    whole: Callable[[str], bool]
    """Whether a passage answers."""
    words: str
    """What to search for."""
    terms: tuple[str, ...] = ()
    """What is to be mentioned, as the question writes it; any of them will do."""
    most: bool = False
    """Whether it is asked who mentions it most."""
    never: bool = False
    """Whether it is asked who does not mention it."""
    decisive: bool = True
    """Whether nothing else answers: who speaks of a thing may also call it something else."""


def telling(query: Query) -> Telling | None:
    """What passages must contain to answer a question, or None if that cannot be told from words alone."""
    topic = [word for word in query.topic.split() if word.casefold() not in COMMON_WORDS]
    named = " ".join((*query.labels, *query.authors, *query.unknown_authors))
    if query.by_time and set(stems(" ".join(topic))) <= _OF_CHANGE | set(stems(named)):
        return Telling(tells_of_change, tells_of_change, CHANGE_WORDS)
    question = query.form or query.text
    asked = asks_who_mentions(question)
    if not asked or query.compare or (query.carried and not query.form):
        return None
    if not asked.decisive and (query.by_time or (query.people and not asked.counts)):
        return None
    words = [word for word in query.topic.split() if word.casefold() not in asked.words]
    terms = tuple(map(_telling_words, _alternatives(question, words)))
    if not all(map(stems, terms)):
        return None
    return replace(
        saying(terms, query.text),
        most=bool(_MOST.search(asked.before) or _AT_LAST.search(question)) and not query.people,
        never=bool(_NEVER.search(asked.before)) and not query.people,
        decisive=asked.decisive,
    )


def saying(terms: Sequence[str], question: str) -> Telling:
    """What a passage contains that has all words of any of these terms."""
    wanted = [_parts(term) for term in terms]

    def said(text: str) -> bool:
        own = set(stems(text))
        return any(not own.isdisjoint(words) or any(run in text for run in runs) for words, runs in wanted)

    def whole(text: str) -> bool:
        own = set(stems(text))
        return any(words <= own and all(run in text for run in runs) for words, runs in wanted)

    return Telling(said, whole, question, tuple(terms))


def _parts(term: str) -> tuple[frozenset[str], list[str]]:
    """The stems of a term, and its words of a script without spaces, which are looked for within runs of letters."""
    runs = [word for word in term.split() if unspaced(word)]
    return frozenset(stems(" ".join(word for word in term.split() if not unspaced(word)))), runs


def _alternatives(question: str, term: Sequence[str]) -> tuple[str, ...]:
    """The words of a term, apart where the question has "or" between them."""
    parts = [set(re.findall(r"[\w'’-]+", part)) for part in re.split(r"\bor\b", question, flags=re.IGNORECASE)]
    apart = [" ".join(word for word in term if word in part) for part in parts]
    found = tuple(one for one in apart if one)
    return found if len(found) > 1 and sum(len(one.split()) for one in found) == len(term) else (" ".join(term),)


def _telling_words(term: str) -> str:
    """The words of a term that do not stand in any text; where all do, those that are not merely about forums."""
    words = [(word, word.casefold()) for word in term.split()]
    rare = [word for word, folded in words if folded not in COMMON_WORDS]
    return " ".join(rare or [word for word, folded in words if folded not in _OF_FORUMS])


def own_words(passage: Passage) -> str:
    """What a passage says without the words of others that it quotes."""
    pieces, at = [], 0
    for start, end in (*passage.quoted, (len(passage.text), len(passage.text))):
        pieces.append(passage.text[at:start])
        at = end
    return " ".join(pieces)


def tells_of_change(text: str) -> bool:
    """Whether somebody says that they changed their mind."""
    return bool(_CHANGED_MIND.search(text))


def telling_passages(found: Sequence[Passage], sign: Telling) -> list[Passage]:
    """Those of the passages that contain what was asked for, in their order; those who only quote it if nobody says it."""
    own = [passage for passage in found if sign.whole(own_words(passage))]
    return own or [passage for passage in found if sign.whole(passage.text)]


def absent(found: Sequence[Passage], sign: Telling) -> str:
    """What nobody mentions: the words of each term that stand in no passage, if they are most of it.

    One of two may be what the question calls the thing, such as "advice on rye" where nobody says "advice".
    """
    every = "\n".join(passage.text for passage in found)
    missing = [[word for word in term.split() if not saying([word], word).whole(every)] for term in sign.terms]
    most = all(2 * len(words) > len(term.split()) for words, term in zip(missing, sign.terms, strict=True))
    return ", ".join(map(" ".join, missing)) if most else ""
