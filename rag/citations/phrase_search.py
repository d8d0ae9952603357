"""Find a phrase in a text: at word borders, whole or in pieces, and with nothing left out that reverses its meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.citations.normalising import HYPHENS, Normalised, normalise
from rag.records import Range

NEGATIONS = frozenset(
    """
    not no never none nobody nothing neither nor cannot without hardly barely rarely seldom scarcely
    """.split()
)
"""Words that turn a statement round; so does everything that ends in "n't"."""
_TURNING = NEGATIONS | frozenset(
    """
    but unless except if false wrong untrue deny denies denied refuse refuses refused reject rejects rejected doubt
    doubts unlikely fail fails failed against
    """.split()
)
_LEFT_OUT_LIMIT = 1000
_LEAST_PIECE = 3
_MOST_PIECES = 5
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SCALE = re.compile(r" ?(?:%|percent|per cent|million|billion|trillion|thousand|hundred|[kKM]\b|bn\b)")


def is_negation(word: str) -> bool:
    word = word.casefold().replace("’", "'")
    return word in NEGATIONS or word.endswith("n't")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A phrase, ready to be looked for in many texts."""

    text: str
    """Normalised, without ellipses at its ends."""
    variants: tuple[str, ...]
    """As it is, and without the punctuation that a sentence round it may have put in."""
    pieces: tuple[str, ...]
    """What stands between its ellipses, if they may stand for left-out words."""

    @classmethod
    def of(cls, phrase: str) -> Wanted:
        text = normalise(phrase).text.strip(" …")
        variants = [part for part in dict.fromkeys((text, text.rstrip(" .,;:"))) if any(map(str.isalnum, part))]
        pieces = [piece.strip(" ,;:") for piece in text.split("…")]
        long_enough = all(len(_WORD.findall(piece)) >= _LEAST_PIECE for piece in pieces)
        return cls(text, tuple(variants), tuple(pieces) if 1 < len(pieces) <= _MOST_PIECES and long_enough else ())

    def find(self, source: Normalised) -> tuple[list[Range], str]:
        """Find the phrase in a text.

        Returns:
            Ranges of `source.raw`, one per piece between ellipses, and ""; or none, and why a place that looked right
            was refused ("" if there was none).
        """
        refused = ""
        for variant in self.variants:
            for start in _occurrences(variant, source.text):
                end = start + len(variant)
                refused = _refusal(source, start, end, full_stop=variant != self.text and self.text.endswith("."))
                if not refused:
                    return [source.span(start, end)], ""
        return _find_pieces(self.pieces, source) if self.pieces else ([], refused)


def _occurrences(wanted: str, text: str) -> Iterator[int]:
    first = wanted[0]
    for variant in dict.fromkeys((wanted, first.swapcase() + wanted[1:])):
        at = text.find(variant)
        while at >= 0 and len(variant) == len(wanted):
            yield at
            at = text.find(variant, at + 1)


def _refusal(source: Normalised, start: int, end: int, *, full_stop: bool = False) -> str:
    """Why a place where the phrase stands does not count; "" if it does."""
    text = source.text
    if _cut_at_start(source, start) or _cut_at_end(source, end):
        return "The phrase cuts a word or number in two."
    if full_stop and text[end : end + 1] == "?":
        return "The source asks what the phrase states."
    before = re.search(r"([^\W_]+(?:'[^\W_]+)*) \Z", text[max(0, start - 30) : start])
    if before and is_negation(before[1]):
        return f'The phrase leaves out "{before[1]}" right before it.'
    if after := re.compile(r" (not|never|hardly|barely|rarely|seldom|scarcely)\b", re.IGNORECASE).match(text, end):
        return f'The phrase leaves out "{after[1]}" right behind it.'
    return ""


def _cut_at_start(source: Normalised, start: int) -> bool:
    text = source.text
    before, first = text[start - 1 : start], text[start]
    further = text[start - 2 : start - 1] if start > 1 else ""
    if not before or not first.isalnum():
        return False
    if before.isalnum() or (before == "'" and further.isalnum()):
        return True
    hyphen = before == "-" and source.raw[source.starts[start - 1]] in HYPHENS
    if hyphen and (further.isalnum() or (first.isdigit() and not further.isalnum())):
        return source.starts[start] == source.ends[start - 1]
    if first.isdigit():
        return before in "/^<>≤≥±~≈" or (before in ".," and (further.isdigit() or not further.strip()))
    return False


def _cut_at_end(source: Normalised, end: int) -> bool:
    text = source.text
    last, after, further = text[end - 1], text[end : end + 1], text[end + 1 : end + 2]
    if not after or not last.isalnum():
        return False
    if after.isalnum() or (after == "'" and further.isalnum() and not last.isdigit()):
        return True
    if after == "-" and further.isalnum() and source.raw[source.starts[end]] in HYPHENS:
        return source.starts[end] == source.ends[end - 1] and source.starts[end + 1] == source.ends[end]
    if last.isdigit():
        return (after in ".,/^" and further.isdigit()) or _SCALE.match(text, end) is not None
    return False


def _find_pieces(pieces: Sequence[str], source: Normalised) -> tuple[list[Range], str]:
    """The pieces in their order, the first wherever the others follow."""
    refused = ""
    for first in _occurrences(pieces[0], source.text):
        found, refused = _follow(pieces, source, first)
        if found:
            return [source.span(start, end) for start, end in found], ""
    return [], refused


def _follow(pieces: Sequence[str], source: Normalised, first: int) -> tuple[list[Range], str]:
    """The pieces one after the other, the first at `first`."""
    found: list[Range] = []
    for piece in pieces:
        start = first if not found else next((at for at in _occurrences(piece, source.text) if at >= found[-1][1]), -1)
        if start < 0:
            return [], ""
        end = start + len(piece)
        refused = _refusal(source, start, end) or (_left_out(source.text[found[-1][1] : start]) if found else "")
        if refused:
            return [], refused
        found.append((start, end))
    return found, ""


def _left_out(gap: str) -> str:
    """Why these words must not be left out between two pieces; "" if they may."""
    if len(gap) > _LEFT_OUT_LIMIT:
        return "Too much was left out between the pieces."
    opening = re.split(r"[.!?]['\")]* ", gap)[-1]  # what the sentence of the second piece began with
    for word in _WORD.findall(opening):
        if is_negation(word) or word.casefold() in _TURNING:
            return f'The ellipsis leaves out "{word}".'
    return ""
