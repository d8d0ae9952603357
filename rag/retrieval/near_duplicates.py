"""A list of results without repetitions: each text once, and few passages of each comment.

Two passages count as the same words by the containment of their word triples (shingles: Broder 1997), whichever of them
is the longer. Does not tell which comments are one: ingest/grouping.py does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from typing import Any

from rag.index.lexical import stems
from rag.records import Passage
from rag.retrieval.literal import own_words

PER_COMMENT = 3
"""Most passages of one comment in a result, so that one long comment does not crowd out the others."""
SAME_WORDS = 0.9
"""Share of common word triples above which two passages count as the same words."""
FEW_WORDS = 3
"""Most content words of somebody's own beside a quotation that do not make a result of their own."""


def distinct(passages: Sequence[Passage], limit: int, *, of_each: bool = False) -> list[Passage]:
    """The first `limit` passages that do not repeat words of one before, few of each comment.

    Who only quotes a comment that was found gives way to it.

    Args:
        passages: Best first.
        limit: Most of them.
        of_each: It is asked who says something: what two people say in the same words is said twice.
    """
    kept: list[Passage] = []
    sizes: list[int] = []
    holding: dict[Any, list[int]] = {}
    per_comment: Counter[str] = Counter()
    for passage in passages:
        if len(kept) >= limit:
            break
        if passage.kind != "document" and per_comment[passage.comment_id] >= PER_COMMENT:
            continue
        quoted = _only_quotes(passage)
        if quoted and (_holds(holding.keys(), quoted) or _source_follows(passage, quoted, passages)):
            continue
        own = _triples(passage.text)
        common = Counter(place for triple in own & holding.keys() for place in holding[triple])
        if any(
            count >= SAME_WORDS * min(len(own), sizes[place])
            and not _elsewhere(passage, kept[place])
            and not (of_each and passage.is_by_another(kept[place]))
            for place, count in common.items()
        ):
            continue
        for triple in own:
            holding.setdefault(triple, []).append(len(kept))
        kept.append(passage)
        sizes.append(len(own))
        per_comment[passage.comment_id] += 1
    return kept


def _only_quotes(passage: Passage) -> frozenset[Any]:
    """Triples of what a passage quotes if it says hardly a word beside; else none."""
    if not passage.quoted:
        return frozenset()
    if len(stems(own_words(passage))) > FEW_WORDS:
        return frozenset()
    return _triples(" ".join(passage.text[start:end] for start, end in passage.quoted))


def _source_follows(passage: Passage, quoted: Set[Any], passages: Sequence[Passage]) -> bool:
    """Whether the comment that a passage quotes was found, too, with these words in it.

    It has to fit the question about as well, or else what fits are the few words that stand beside the quotation.
    """
    sources = {quotation.comment_id for quotation in passage.quotes}
    near = [p for p in passages if p.comment_id in sources and p.score >= passage.score / 2]
    return any(_holds(_triples(p.text), quoted) for p in near)


def _holds(triples: Set[Any], others: Set[Any]) -> bool:
    return len(triples & others) >= SAME_WORDS * len(others)


def _elsewhere(passage: Passage, other: Passage) -> bool:
    """Whether two passages stand in one document: what it repeats stands at different places, each one to point to."""
    return passage.kind == other.kind == "document" and passage.source == other.source


def _triples(text: str) -> frozenset[Any]:
    words = stems(text)
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset(words or [text])
