"""Several questions in one message: "What does Ann say about rye? And does she use salt?"."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from rag.question.ellipsis import without_lead
from rag.question.references import is_dependent
from rag.question.speech import AUXILIARY_VERB, WH

MOST_PARTS = 5
"""A message with more questions is a text that was pasted, and searched as one."""
_BETWEEN = re.compile(r"(?<=\?)\s+(?=\S)")
_ASKS = re.compile(rf"(?:(?:in|at|on|for|with|from|to|by|of)\s+)?(?:{WH}|{AUXILIARY_VERB})\b", re.I)
_OR = re.compile(r"\W*or\b", re.I)


def questions_in(message: str, topic: Callable[[str], str]) -> tuple[str, ...]:
    """The questions of a message, each to be answered by itself and in the light of those before it.

    One that is nothing without its neighbour ("And why?", "If so, when?", "Or wheat?") stays with it.

    Args:
        message: What was asked.
        topic: The content words of a question that is read alone.
    """
    message = " ".join(message.split())
    ends = [match.span() for match in _BETWEEN.finditer(message)]
    if not 0 < len(ends) < MOST_PARTS:
        return (message,)
    pieces = [(start, end) for (_, start), (end, _) in pairwise([(0, 0), *ends, (len(message), 0)])]
    parts: list[tuple[int, int]] = []
    for start, end in pieces:
        before = message[slice(*parts[-1])] if parts else ""
        if parts and not (_stands_alone(message[start:end], topic) and _stands_alone(before, topic)):
            start = parts.pop()[0]
        parts.append((start, end))
    return tuple(message[start:end] for start, end in parts)


def _stands_alone(piece: str, topic: Callable[[str], str]) -> bool:
    """Whether a part of a message is a question, and one about something."""
    sentences = re.split(r"(?<=[.!:])\s+", piece)
    if _OR.match(piece) or not any(_ASKS.match(without_lead(sentence)) for sentence in sentences):
        return False
    return any(not is_dependent(word) for word in topic(piece).split())
