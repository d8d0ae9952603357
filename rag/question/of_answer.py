"""Questions about the last answer itself: "Source?", "Who said that?", "When was this?", "Quote it in full".

A search for their words brings whatever speaks of sources and comments. They are told by their whole wording, so that
"Who said that a boat must float?" is none of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.language.letters import plain_words
from rag.language.phrases import said_in_all
from rag.question.listed_items import ORDINAL, place_meant
from rag.question.query import Query
from rag.question.speech import AUXILIARY_VERB
from rag.records import Passage

Wanted = Literal["", "source", "whole"]
"""Nothing; who said it, when and where; or the whole comments that it quotes."""

SHORTEST = 12
"""Letters of a sentence by which a comment is recognised; "Thanks!" stands in many."""
_LEAD = r"(?:(?:and|but|so|ok|okay|thanks|great|sorry|wait|hm+|please|yes) )*"
_GIVE = (
    rf"(?:(?:(?:{AUXILIARY_VERB}|let|i|you|we|like|want|need|love|d|to|me|us|please|just|now|got|have|show|give|tell|see|read|view|open|get|quote|cite|print"
    r"|display|link|what|where|which|what's|where's|is|are|was|were) )*)"
)
_OF_IT = r"(?: (?:of|for|to|behind|from|by) (?:it|that|this|these|those|him|her|them|the)(?: (?:quotes?|comments?|posts?|answers?|claims?))?)?"
_THING = r"(?:comments?|posts?|messages?|texts?|quotes?|quotations?|passages?|contexts?|versions?|things?|wording|replies|reply|ones?)"
_IT = r"(?:it|that|this|these|those|them|him|her)"
_SAID = (
    r"(?:said|says|say|wrote|writes|write|written|posted|post|argued|argues|claimed|claims|thinks|thought|made|stated)"
)
_END = r"(?: (?:from|again|please|then|exactly|though|thanks))*"
_SOURCE = re.compile(
    "|".join(
        (
            rf"{_GIVE}(?:(?:the|a|any|your|its|their|some|exact) )*(?:sources?|citations?|references?|links?|permalinks?|urls?)"
            rf"(?: (?:link|url))?{_OF_IT}",
            rf"cite {_IT}|says who|by who(?:m)?|from who(?:m)?",
            rf"where (?:is|was|are|were|does|do|did) (?:you )?{_IT}(?: (?:come|from|said|written|posted|stand|taken))*",
            rf"where did you (?:get|find|read|see|take) {_IT}",
            rf"who (?:exactly |actually )?{_SAID} (?:{_IT}|so)",
            rf"who (?:is|was|are|were) (?:{_IT}|the (?:author|speaker|writer|commenter)s?)(?: (?:by|from))?{_OF_IT}",
            rf"who (?:is|was) (?:being )?quoted(?: here| there)?|whose (?:{_THING} |words |view |opinion )?(?:is|are|was|were) {_IT}",
            rf"when|(?:what|which) (?:date|year|day|month)|dates?|when (?:is|was|were|are) {_IT}(?: {_SAID})?",
        )
    )
)
_WHOLE_WORD = r"(?:full|whole|entire|original|complete|unabridged|actual)"
_IN_FULL = r"(?:in full|in its entirety|in whole|fully|completely|entirely|verbatim|word for word)"
_WHOLE = re.compile(
    "|".join(
        (
            rf"{_GIVE}(?:(?:{_IT}|the|his|her|their|its|rest|of|all) )*{_WHOLE_WORD}(?: {_THING})?{_OF_IT}",
            rf"{_GIVE}(?:(?:{_IT}|the|his|her|their|its) )*{_THING}?{_OF_IT} ?{_IN_FULL}",
            rf"{_GIVE}(?:more|the|its) context{_OF_IT}",
            rf"(?:can|could|may) (?:i|you|we) (?:please )?(?:see|read|show|open|view)(?: me| us)? (?:{_IT}|the|his|her|their) {_THING}",
            rf"(?:please )?(?:show|give|open|print|display|let)(?: me| us)?(?: see| read)? (?:{_IT}|the|his|her|their) {_THING}(?: {_IT})?",
            rf"{_GIVE}the rest{_OF_IT}",
        )
    )
)
_MORE = re.compile(
    r"\b(?:what|any|anything|something|which)\s+(?:\w+\s+)?(?:else|other)\b|\b(?:any|what)\s+more\b|^\W*(?:(?:and|ok(?:ay)?|please|yes)\W+)*"
    r"(?:(?:tell|show|give)\s+(?:me|us)\s+)?more(?:\s+(?:quotes?|comments?|examples?|results?|of\s+(?:it|that|this|them|these|those)|please))*\W*$"
    r"|^\W*(?:go\s+on|continue|next)(?:\s+please)?\W*$",
    re.I,
)
"""Asks for what was not said yet."""
_NUMBER_ONLY = re.compile(r"(?:the )?it")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the last answer."""

    wanted: Wanted
    place: int | None = None
    """Of which of its quotes, counted from 0, or from the end where negative; None for all."""
    when: bool = False


def asked_of_answer(question: str) -> Asked | None:
    """What a question asks of the answer before it; None if it asks anything else."""
    said = plain_words(re.sub(r"\bthe it\b", "it", ORDINAL.sub("it", question)))
    said = re.sub(rf"^{_LEAD}|{_END}$", "", said)
    if not said or _NUMBER_ONLY.fullmatch(said):
        return None
    place = place_meant(question)
    if _WHOLE.fullmatch(said):
        return Asked("whole", place)
    if _SOURCE.fullmatch(said):
        return Asked(
            "source", place, when=bool(re.match(r"when|dates?\b|(?:what|which) (?:date|year|day|month)", said))
        )
    return None


def asks_for_more(question: str) -> bool:
    """Whether it asks for more than was quoted already: "what else?"."""
    return bool(_MORE.search(question))


def words_quoted(reply: str) -> str:
    """What an answer quotes, letters and digits only: what is told in it need not be told again."""
    for gap in said_in_all("gap"):
        reply = reply.replace(gap, " ")
    return letters("\n".join(line for line in reply.split("\n") if line.lstrip().startswith(">")))


def pieces_quoted(reply: str) -> tuple[str, ...]:
    """The letters of each piece that an answer quotes, by which the comments are found again."""
    quoted = "\n".join(line.lstrip()[1:] for line in reply.split("\n") if line.lstrip().startswith(">"))
    borders = "|".join(map(re.escape, ("…", *said_in_all("gap"))))
    return tuple(
        piece for part in re.split(rf"{borders}|\[\d{{1,3}}\]", quoted) if len(piece := letters(part)) >= SHORTEST
    )


def letters(text: str) -> str:
    """The letters and digits of a text, by which it is compared however it is marked up."""
    return re.sub(r"[\W_]+", "", re.sub(r"\[\d{1,3}\]", "", text)).casefold()


def not_told(query: Query, passages: Sequence[Passage]) -> list[Passage]:
    """The passages; where more is asked for than was quoted, without those of comments that were."""
    if not query.told or query.of_answer:
        return list(passages)
    told = {p.comment_id for p in passages if any(is_told(query, p.text[a:b]) for a, b in p.sentences)}
    return [passage for passage in passages if passage.comment_id not in told]


def is_told(query: Query, text: str) -> bool:
    """Whether more is asked for than was quoted, and a text was."""
    words = letters(text)
    return len(words) >= SHORTEST and words in query.told
