"""What a citation shows of a comment: exact spans of its sentences, neighbours joined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rag.citations.keys import KeyedSentence
from rag.records import Citation, Passage, Span


@dataclass(slots=True)
class _Stretch:
    """A growing span, with its words."""

    source: str
    start: int
    end: int
    text: str
    passage: Passage


def cite(number: int, sentences: Iterable[KeyedSentence]) -> Citation:
    """One citation of sentences of one comment: neighbours joined, in reading order.

    The words come from the passages' own text, which is a slice of the source.
    """
    sentences = list(sentences)
    stretches: list[_Stretch] = []
    for keyed in sorted(sentences, key=lambda keyed: (keyed.passage.source, keyed.start, keyed.end)):
        if not (stretches and _extend(stretches[-1], keyed)):
            stretches.append(_Stretch(keyed.passage.source, keyed.start, keyed.end, keyed.text, keyed.passage))
    first, *rest = stretches
    more = tuple(Span(stretch.source, stretch.start, stretch.end) for stretch in rest)
    quoted = all(keyed.quoted for keyed in sentences)
    return Citation(number, first.passage, first.text, first.source, first.start, first.end, more=more, quoted=quoted)


def _extend(stretch: _Stretch, keyed: KeyedSentence) -> bool:
    """Join a sentence that overlaps or follows a stretch, with only white space between."""
    if keyed.passage.source != stretch.source:
        return False
    gap = ""
    if keyed.start > stretch.end:
        covering = next(
            (p for p in (stretch.passage, keyed.passage) if p.start <= stretch.end and keyed.start <= p.end), None
        )
        if covering is None:
            return False
        gap = covering.text[stretch.end - covering.start : keyed.start - covering.start]
        if gap.strip():
            return False
    if keyed.end > stretch.end:
        overlap = max(0, stretch.end - keyed.start)
        stretch.text += gap + keyed.text[overlap:]
        stretch.end = keyed.end
    return True
