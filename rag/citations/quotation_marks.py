"""What stands in quotation marks, or in a block quotation, in an answer."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.records import Range

_OPENERS_OF = {"”": "“„", "“": "„", "»": "«", "’": "‘", "」": "「", "』": "『", '"': '"', "'": "'"}
"""For each mark that closes a quotation those that may have opened it."""
_OPENERS = frozenset("“„«‘「『\"'")
_MARK = re.compile(r"[“”„«»‘’「」『』\"']")
_BLOCK = re.compile(r"[ \t]*(?:>[ \t]?)+")
_PHRASE_LIMIT = 3000
_LEAST_STRAIGHT_SINGLE = 3
"""Words between two straight single marks; fewer are rather two apostrophes."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in quotation marks."""

    start: int
    end: int
    """Range of the words, without their marks."""
    marks: tuple[int, ...]
    """Places of the quotation marks."""
    text: str

    @property
    def outer(self) -> Range:
        return min((self.start, *self.marks)), max((self.end, *(mark + 1 for mark in self.marks)))


def find_quotations(text: str, verbatim: Sequence[Range] = ()) -> list[Phrase]:
    """Find what stands in quotation marks or in a block quotation, in reading order, outermost only.

    Args:
        text: Text of an answer.
        verbatim: Ranges with code or formulas, in which nothing is a quotation mark.
    """
    found: list[Phrase] = []
    position = 0
    # Not at U+2028: a quotation that holds one would go unchecked.
    for line in text.split("\n"):
        end = position + len(line.rstrip())
        block = _BLOCK.match(text, position, end)
        if block and any(map(str.isalnum, text[block.end() : end])):
            found.append(_block_quotation(text, block, end))
        else:
            found += _scan(text, position, end, verbatim)[0]
        position += len(line) + 1
    return found


def quotation_ranges(text: str, verbatim: Sequence[Range] = ()) -> list[Range]:
    """The ranges of all quotations, marks included."""
    return [phrase.outer for phrase in find_quotations(text, verbatim)]


def has_open_quotation(line: str, verbatim: Sequence[Range] = ()) -> bool:
    """Whether a quotation begins in a line that does not end in it. Single marks may be apostrophes and do not count."""
    return any(line[at] not in "'‘" for at in _scan(line, 0, len(line), verbatim)[1])


def _block_quotation(text: str, block: re.Match[str], end: int) -> Phrase:
    """A line behind `>`, which may have quotation marks of its own round all of it."""
    start = block.end()
    marks = tuple(range(text.index(">", block.start()), start))
    inner = find_quotations(text[start:end])
    if len(inner) == 1 and inner[0].outer == (0, end - start):
        marks += tuple(mark + start for mark in inner[0].marks)
        return Phrase(inner[0].start + start, inner[0].end + start, marks, inner[0].text)
    return Phrase(start, end, marks, text[start:end])


def _scan(text: str, start: int, end: int, verbatim: Sequence[Range]) -> tuple[list[Phrase], list[int]]:
    """The outermost quotations of a line, and the marks that opened one which does not end."""
    opened: list[int] = []
    waiting: Counter[str] = Counter()
    found: list[Phrase] = []
    for mark in _MARK.finditer(text, start, end):
        at = mark.start()
        if _in_ranges(at, verbatim):
            continue
        openers = _OPENERS_OF.get(text[at], "")
        if any(waiting[opener] for opener in openers) and (opening := _closes(text, at, opened, openers)) is not None:
            while opened and opened[-1] >= opening:
                waiting[text[opened.pop()]] -= 1
            while found and found[-1].start > opening:
                found.pop()
            if at - opening <= _PHRASE_LIMIT and any(map(str.isalnum, text[opening + 1 : at])):
                found.append(Phrase(opening + 1, at, (opening, at), text[opening + 1 : at]))
        elif _opens(text, at):
            opened.append(at)
            waiting[text[at]] += 1
    return found, opened


def _in_ranges(at: int, ranges: Sequence[Range]) -> bool:
    number = bisect_right(ranges, at, key=lambda pair: pair[0]) - 1
    return number >= 0 and at < ranges[number][1]


def _opens(text: str, at: int) -> bool:
    after = text[at + 1 : at + 2]
    if text[at] not in _OPENERS or not after or after.isspace():
        return False
    return text[at] not in "\"'‘" or not text[at - 1 : at].isalnum()


def _closes(text: str, at: int, opened: Sequence[int], openers: str) -> int | None:
    """The mark whose quotation ends here. An apostrophe closes nothing, nor does a straight mark behind white space."""
    after = text[at + 1 : at + 2]
    if text[at] in "'’" and after.isalnum():
        return None
    if text[at] in "\"'" and (text[at - 1].isspace() or after.isalnum()):
        return None
    opening = next(place for place in reversed(opened) if text[place] in openers)
    if text[at] == "'" and len(text[opening + 1 : at].split()) < _LEAST_STRAIGHT_SINGLE:
        return None
    return opening
