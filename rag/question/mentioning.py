"""Tell questions about who uses a word: "Who mentions X?", "How many comments are about X?", "Who writes about X?"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ASKS_FOR_MENTIONS = re.compile(
    r"^\W*(?:who|which|list|show|find|quote|where|is|are|was|were|does|did|do|has|have|(?P<who>how many times)|how (?:many|often)"
    r"|what (?:comments?|authors?|people))\b"
    r".*\b(?P<verb>mention(?:s|ed|ing)?|refer(?:s|red|ring)? to|cit(?:e|es|ed)|br(?:ings?|ought) up|(?:uses?|contains?) the (?:words?|terms?|phrases?|names?)"
    r"|(?<=comments )(?:contain|include)|(?<=comments that )(?:contain|include))\b",
    re.IGNORECASE,
)
_ASKS_FOR_THE_MENTIONED = re.compile(
    r"^\W*(?:which|what)\b.*\b(?:is|are|was|were|been|gets?)\s(?:\w+ly\s)?$", re.IGNORECASE
)
"""What stands before the verb of "which papers are cited": what is mentioned is not told, but asked for."""
_ASKS_WHO_SPEAKS = re.compile(
    r"^\W*(?:(?:and|but|so|ok(?:ay)?)\W+)?(?P<who>who|which (?:of them|people|persons?|authors?|commenters?|users?|members?)"
    r"|(?:does|do|did|has|have|is|are) (?:any|some)(?:one|body))\b"
    r".*?\b(?P<verb>(?:talk(?:s|ed|ing)?|speak(?:s|ing)?|spoken?|wr(?:ites?|iting|itten|ote)|post(?:s|ed|ing)?|comment(?:s|ed|ing)?"
    r"|knows?|to say)(?: \w+){0,2}? (?:about|on|of)"
    r"|discuss(?:es|ed|ing)?|touch(?:es|ed|ing)? (?:up)?on)\b",
    re.IGNORECASE,
)
_HOW_MANY = r"^\W*(?P<who>how many (?:of )?(?:the )?(?:different )?"
_ASKS_HOW_MANY = (
    re.compile(
        rf"{_HOW_MANY}(?:comments?|posts?))\b"
        r".*?\b(?P<verb>(?:(?:write|wrote|written|post(?:ed)?|talk(?:ed)?|speak|spoke|is|are|was|were|made) )?(?:about|on|concerning))\b",
        re.IGNORECASE,
    ),
    # People do more than write: "How many people work on it?" is a question for what a comment says.
    re.compile(
        rf"{_HOW_MANY}(?:people|persons?|authors?|commenters?|users?|members?))\b"
        r".*?\b(?P<verb>(?:write|wrote|written|post(?:ed)?|comment(?:ed)?|talk(?:ed)?|speak|spoken?|sa(?:y|id))(?: \w+){0,2}? (?:about|of|on|concerning))\b",
        re.IGNORECASE,
    ),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a question asks who mentions something."""

    before: str
    """The question up to the end of its verb."""
    words: frozenset[str]
    """What of it asks, and is not what is mentioned, in small letters."""
    decisive: bool
    """Whether it asks for mentions in so many words: who speaks of a thing may also call it something else."""
    counts: bool
    """Whether it asks how many there are."""


def asks_who_mentions(question: str) -> Asked | None:
    """How a question asks who mentions something, if it does."""
    mentions = _ASKS_FOR_MENTIONS.search(question)
    counted = None if mentions else next(filter(None, (how.search(question) for how in _ASKS_HOW_MANY)), None)
    asked = mentions or counted or _ASKS_WHO_SPEAKS.search(question)
    if not asked or _ASKS_FOR_THE_MENTIONED.search(question[: asked.start("verb")]):
        return None
    words = " ".join(part for part in asked.groupdict().values() if part).casefold().split()
    return Asked(question[: asked.end("verb")], frozenset(words), mentions is not None, counted is not None)
