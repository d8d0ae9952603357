"""Who did what to whom: notices sentences that swap subject and object against their evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.index.lexical import stems

_PARTS = re.compile(
    r"[.!?,;:()\"“”]|\s[—–-]\s|\b(?:and|or|nor|but|than|as|while|whereas|because|since|when|if|that|which|who|whom|whose)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_BETWEEN = 2
"""Words of no content that may stand between a deed and who has to do with it."""
_PASSIVE = frozenset("am is are was were be been being get gets got".split())
_MUTUAL = frozenset(
    stem
    for word in "equals matches meets met resembles differs differ correlates marries married agrees disagrees compares "
    "relates interacts touches faces joins borders follows mixes combines alternates".split()
    for stem in stems(word)
)
"""What holds in both directions, or is said of things in order rather than of doer and done-to."""

Deed = tuple[str, str, str]
"""Who, what, to whom, as stems."""


def roles_exchanged(sentence: str, evidence: Sequence[str]) -> bool:
    """Whether the sentence says that B did to A what the evidence says that A did to B, and nothing of the reverse."""
    there = {deed for text in evidence for deed in _deeds(text)}
    return any(
        (whom, what, who) in there and (who, what, whom) not in there
        for who, what, whom in _deeds(sentence)
        if who != whom and what not in _MUTUAL
    )


def _deeds(text: str) -> Iterator[Deed]:
    """Every content word with the nearest ones on both sides in its part of the sentence; passives turned round."""
    for part in _PARTS.split(text):
        tokens = [(word.casefold(), tuple(stems(word))) for word in _WORD.findall(part)]
        places = [place for place, (_, content) in enumerate(tokens) if content]
        for left, place, right in zip(places, places[1:], places[2:], strict=False):
            before = [word for word, _ in tokens[left + 1 : place]]
            behind = [word for word, _ in tokens[place + 1 : right]]
            if max(len(before), len(behind)) > _BETWEEN:
                continue
            who, what, whom = (tokens[at][1][0] for at in (left, place, right))
            passive = "by" in behind and not _PASSIVE.isdisjoint(before)
            yield (whom, what, who) if passive else (who, what, whom)
