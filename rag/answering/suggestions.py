"""Follow-up questions that the index can answer: made by rule, kept only if a search finds an answer.

Needs no model. The wording is English, so other languages get none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.language.english import FUNCTION_WORDS
from rag.question.query import Query
from rag.records import Answer, Passage

MOST = 3
TRIED = 4
"""Questions that are tried; each costs a search."""
LOOKED_AT = 6
"""Passages whose names and terms may be asked about."""
TELLING = 0.5
"""Rarity from which a word tells what a comment is about."""

_ENGLISH = re.compile(
    r"\b(?:what|who|whom|why|how|where|when|which|does|did|is|are|was|were|has|have|the|of|about|and|tell|list|compare)\b",
    re.IGNORECASE,
)
_BETWEEN = r"(?:[\s-]+(?:of|the|a|an|and|for|in|to|with))*[\s-]+"
_LONGEST_PHRASE = 6
_WITH_VERB = re.compile(
    r"\b(?:which|what|whose|how many|i|you|he|she|we|they|people|others|(?:any|every|some|no)(?:one|body)|(?:if|when|why|how|that|because|whether|unless"
    r"|is|are|was|were|do|does|did|can|could|should|would|will|has|have)(?:\s+(?:the|an?))?)\s*$",
    re.IGNORECASE,
)
"""What follows is a noun with its verb: "Which probes survive?", "When is the rule wrong?", "if the probes fail"."""
_TERM = re.compile(r"(?<![\w'’./@-])(?:[A-Z][\w-]*\w|[a-z]+[A-Z]\w+)(?: (?:[A-Z][\w-]*\w|\d+))*(?![\w/@]|[’'][^s])")
_NO_TOPIC = re.compile(
    r"-(?:\w+ed|based|like|style|level)\b|\b(?:authors?|comments?|users?|posts?|people|replies)\b"
    r"|\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|April|June|July|August|September|October|November|December)s?\b",
    re.I,
)


def suggest(
    query: Query,
    considered: Sequence[Passage],
    answer: Answer,
    rarity: Callable[[str], float],
    answers: Callable[[str, str], bool],
) -> tuple[str, ...]:
    """Up to three follow-ups.

    Args:
        query: The question, understood.
        considered: All passages the search saw, best first.
        answer: What was answered.
        rarity: How rare a word is among the comments, from 0 to 1.
        answers: Whether a question finds an answer by this author.
    """
    if not _ENGLISH.search(query.original):
        return ()
    kept: list[str] = []
    for tried, (question, author) in enumerate(_candidates(query, considered, answer, rarity)):
        if len(kept) == MOST or tried == TRIED:
            break
        if answers(question, author):
            kept.append(question)
    return tuple(kept)


def _candidates(
    query: Query, considered: Sequence[Passage], answer: Answer, rarity: Callable[[str], float]
) -> Iterator[tuple[str, str]]:
    """Questions and whom they ask: others on the same topic, two who were quoted, then what else the quoted comments name."""
    phrase = _phrase(query)
    cited = list(dict.fromkeys(c.passage.author for c in answer.citations if c.passage.author))
    near = [passage for passage in considered[:LOOKED_AT] if passage.author and passage.kind != "profile"]
    if phrase:
        for author in dict.fromkeys(passage.author for passage in near):
            if author not in cited and author not in query.authors:
                yield f"What does {author} say about {phrase}?", author
        if len(cited) > 1 and not query.compare:
            yield f"Where do {cited[0]} and {cited[1]} disagree about {phrase}?", cited[0]
    lower = set(re.findall(r"(?<![^\W_])[a-z]+(?![^\W_])", " ".join(passage.text for passage in near)))
    quoted = {citation.passage.comment_id for citation in answer.citations}
    shown = " ".join(citation.quote for citation in answer.citations)
    said = re.findall(r"\w+", f"{query.original} {shown}".casefold())
    used: set[str] = set()
    for passage in (passage for passage in near if passage.comment_id in quoted):
        names = {part.casefold() for part in (passage.author or "").split()}
        term = _term(passage, rarity, {*lower, *names, *said})
        if term and term.casefold() not in used:
            used.add(term.casefold())
            yield f"What does {passage.author} say about {term}?", passage.author


def _phrase(query: Query) -> str:
    """The topic as the question words it, if it stands there in one piece."""
    words = query.topic.split()
    if not words or len(words) > _LONGEST_PHRASE:
        return ""
    found = re.search(_BETWEEN.join(map(re.escape, words)), query.original, re.IGNORECASE)
    if not found or _NO_TOPIC.search(found.group()) or _WITH_VERB.search(query.original[: found.start()]):
        return ""
    return found.group()


def _term(passage: Passage, rarity: Callable[[str], float], ordinary: set[str]) -> str:
    """The rarest name or technical term inside a sentence, none of whose words is ordinary; "" if there is none."""
    best, best_score = "", TELLING
    for found in _TERM.finditer(passage.text):
        term = found.group()
        if not passage.text[: found.start()].rstrip(" ")[-1:].isalnum():
            continue  # a capital at the start of a sentence tells nothing
        words = re.findall(r"\w+", term.casefold())
        if len(term) < 3 or _NO_TOPIC.search(term) or any(word in ordinary or word in FUNCTION_WORDS for word in words):
            continue
        score = min(rarity(word) for word in words)
        if score > best_score:
            best, best_score = term, score
    return best
