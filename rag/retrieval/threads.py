"""The context of a comment that its own words leave out: the subject of its thread, and the comment it replies to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from rag.index.lexical import stems
from rag.question.form import asks_for_opposition
from rag.question.of_answer import letters
from rag.question.query import Query
from rag.records import Passage

MOST_REPLIES = 500
"""Passages of replies that are looked at, the newest."""
LONGEST_ASKED = 200
"""Characters of a question that is read along with the reply to it."""
BEARS = 0.5
"""Share of the topic's words, by rarity, that stand in a reply, in what it answers or in the title above both."""
_QUESTION = re.compile(r"(?:[^.?!\n]|\.(?=\S))+\?")
_AGREES = re.compile(
    r"\W*(?:thanks?|thank you|congratulations|agreed|exactly|yes|indeed|same here|well said|(?:I\s)?(?:strongly |fully |quite )?agree"
    r"|strong(?:ly)? (?:agree\w*|upvot\w+)|this is (?:\w+ly |a |an )?(?:lovely|great|useful|helpful|excellent|brilliant|wonderful|good)"
    r"|lovely|great|accepted|you(?:['’]re| are) right|(?:that['’]s|that is) (?:right|true))\b",
    re.IGNORECASE,
)
"""How a reply begins that is on the same side."""
_TURNS = re.compile(
    r"\b(?:but|however|though|although|yet|still|except|unless|instead|rather|disagree\w*|object\w*|quibble\w*|wrong|mistaken|doubt\w*|not|never"
    r"|no)\b|n['’]t\b",
    re.IGNORECASE,
)
"""What may follow a friendly beginning."""


def under_title(passage: Passage, wanted: Iterable[str]) -> str:
    """The title of the post below which a comment stands, if it has one of the wanted stems; else ""."""
    if passage.kind != "comment" or not passage.title:
        return ""
    return "" if frozenset(stems(passage.title)).isdisjoint(wanted) else passage.title


def asked_in(text: str, weights: Mapping[str, float]) -> str:
    """The question in a comment that has most of some words, by weight; "" if none has any.

    Lines that are quoted are left out: they ask somebody else.
    """
    if "?" not in text:
        return ""
    own = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))
    questions = [one for found in _QUESTION.findall(own) if len(one := " ".join(found.split())) <= LONGEST_ASKED]
    best = max(questions, key=lambda one: topic_share(one, weights), default="")
    return best if best and not weights.keys().isdisjoint(stems(best)) else ""


def around(passage: Passage, wanted: Iterable[str]) -> str:
    """What a comment speaks to and need not say itself, if it has one of the wanted stems: its title, the question it answers."""
    wanted = frozenset(wanted)
    asked = "" if wanted.isdisjoint(stems(passage.asked)) else passage.asked
    return f"{under_title(passage, wanted)} {asked}".strip()


def spoken(passage: Passage, text: str, wanted: Iterable[str]) -> str:
    """Words of a passage for the reader: with who speaks, under which title, and what was asked; "they all rest on one trial" does
    not say of what."""
    wanted = frozenset(wanted)
    title = under_title(passage, wanted)
    asked = "" if wanted.isdisjoint(stems(passage.asked)) else passage.asked
    by = f"{passage.author} on {title}" if title else passage.author
    return f"{asked} {by}: {text}".strip() if passage.author else text


def replies_on(query: Query, found: Sequence[tuple[Passage, str]], rarity: Callable[[str], float]) -> list[Passage]:
    """Those replies that bear on the topic of a question, best first.

    Args:
        query: The question, understood.
        found: Passages of replies, each with the text that is answered.
        rarity: How rare a word is among the comments, from 0 to 1.
    """
    weights = {stem: rarity(stem) for stem in stems(query.topic)}
    ranked = []
    for passage, answered in found:
        own = topic_share(passage.text, weights)
        whole = topic_share(f"{passage.text}\n{answered}\n{passage.title or ''}", weights)
        if whole >= BEARS and passage.byline not in query.others_than:
            ranked.append((whole, own, passage))
    ranked.sort(key=lambda one: (-one[0], -one[1]))
    best = [passage for whole, _, passage in ranked if whole >= 0.8 * ranked[0][0]]
    if not asks_for_opposition(query.text):
        return best
    return [passage for passage in best if not _opposes_nothing(passage)] or best


def replies_to_quoted(query: Query, found: Iterable[tuple[Passage, str]]) -> list[Passage]:
    """The replies to the very comments that the last answer quotes, in their order; none if those are not asked for.

    Args:
        query: The question, understood.
        found: Passages of replies, each with the text that is answered.
    """
    pieces = query.replied_to
    return [
        passage
        for passage, answered in found
        if passage.byline not in query.others_than and pieces and any(piece in letters(answered) for piece in pieces)
    ]


def _opposes_nothing(passage: Passage) -> bool:
    """Whether a reply does no more than ask, thank or agree."""
    own = [passage.text[start:end].strip() for start, end in passage.sentences] or [passage.text.strip()]
    return all(text.endswith("?") for text in own) or bool(
        _AGREES.match(passage.text) and not _TURNS.search(passage.text)
    )


def topic_share(text: str, weights: Mapping[str, float]) -> float:
    """Share of the words of a topic, by weight, that stand in a text; 1 if it has none."""
    total = sum(weights.values())
    return sum(weights[stem] for stem in weights.keys() & set(stems(text))) / total if total else 1.0
