"""Find the sentences of a text: exact ranges, never reworded.

Line breaks end a sentence, unless they are the hard wraps of a paragraph; within a line the rules are those of
`sentencex` (Wikimedia). Does not know about formulas or code: what must not be cut is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.records import Range

_LINE = re.compile(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_MARKER = re.compile(r"(?:[-–—*•·‣◦+]|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)])\Z")
"""A bullet or number that stands alone: the label of the sentence that follows it."""
_UNUSUAL = re.compile(r"[^\S ]|[\ud800-\udfff]")
"""sentencex 1.0.32 panics at initials behind white space of more than one byte, and takes no lone surrogates."""
_WRAP_WIDTH = range(40, 101)
"""How long the longest line of a hard-wrapped paragraph is; all but the last line are at least half as long."""
_CONTINUED = re.compile(r"[^.!?:;\s][\"'”’)\]]*[^\S\n]*\n[^\S\n]*[a-z0-9(\"“$]")
"""A line break in mid-sentence."""


def split_sentences(text: str, protected: Sequence[Range] = ()) -> list[Range]:
    """Split a text into sentences.

    Args:
        text: Any text; blank text has no sentences.
        protected: Ranges that are never cut, such as formulas and code, sorted by start.

    Returns:
        Ranges in reading order, without the white space around them. Together they hold every
        character of `text` that is not white space.
    """
    joined: list[Range] = []
    for start, end in _unprotected(_trimmed(text, _pieces(text)), protected):
        if joined and _MARKER.match(text, *joined[-1]):
            start = joined.pop()[0]
        joined.append((start, end))
    return joined


def _pieces(text: str) -> Iterator[Range]:
    from sentencex import segment

    for start, end in _lines(text):
        position = start
        for piece in segment("en", _UNUSUAL.sub(" ", text[start:end])):
            yield position, position + len(piece)
            position += len(piece)
        if position < end:
            yield position, end


def _lines(text: str) -> Iterator[Range]:
    """Lines; those of a hard-wrapped paragraph together."""
    paragraph: list[Range] = []
    for line in _LINE.finditer(text):
        if paragraph and text.count("\n", paragraph[-1][1], line.start()) > 1:
            yield from _unwrapped(text, paragraph)
            paragraph = []
        paragraph.append(line.span())
    yield from _unwrapped(text, paragraph)


def _unwrapped(text: str, paragraph: list[Range]) -> list[Range]:
    """The lines of a paragraph, as one if most of its line breaks stand in mid-sentence."""
    lengths = [end - start for start, end in paragraph]
    if len(lengths) < 3 or max(lengths) not in _WRAP_WIDTH or 2 * min(lengths[:-1]) < max(lengths):
        return paragraph
    start, end = paragraph[0][0], paragraph[-1][1]
    inside = text[start:end].replace("\r\n", "\n")
    table = "|" in inside or "\t" in inside
    return [(start, end)] if not table and 2 * len(_CONTINUED.findall(inside)) >= len(lengths) else paragraph


def _trimmed(text: str, pieces: Iterator[Range]) -> Iterator[Range]:
    for start, end in pieces:
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        right = len(piece.rstrip())
        if left < right:
            yield start + left, start + right


def _unprotected(pieces: Iterator[Range], protected: Sequence[Range]) -> Iterator[Range]:
    """Join pieces whose border lies inside a protected range."""
    ranges = iter(protected)
    current = next(ranges, None)
    open_start: int | None = None
    for start, end in pieces:
        if open_start is not None:
            start = open_start
        while current is not None and current[1] <= end:
            current = next(ranges, None)
        if current is not None and current[0] < end:
            open_start = start
            continue
        open_start = None
        yield start, end
    if open_start is not None:
        yield open_start, end
