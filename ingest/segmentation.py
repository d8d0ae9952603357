"""A profile dump, whose borders between comments are gone -> profile, chrome and comments.

First the page is taken apart (profile_page.py): name and bio at the top, headings, buttons and the lines that a site
prints around each comment. What is left are paragraphs, and borders.py decides which of them begin a comment. Offsets
are code points of the text as it was given; the text itself is never changed. Does not read files (see sources/) and
does not merge snapshots (see snapshots.py).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingest import borders, unmarked_quotes
from ingest.border_evidence import Embed
from ingest.lines import Line
from ingest.lost_content import find_gaps
from ingest.profile_page import Page, take_apart
from rag.records import Range

MOST_EMBEDDED = 20_000
"""Paragraphs; longer dumps are split by their words alone, to keep the time within bounds."""
GUESSED_HEAD = 0.8
"""Confidence in the first border where neither heading nor repeated bio says where the comments begin."""


Decide = Callable[[Sequence[str], Sequence[int]], Mapping[int, bool]]
"""All paragraphs, and the indices of those whose border is uncertain -> whether a comment begins there, for those indices
that it can tell."""

MOST_ASKED = 300
"""Uncertain borders that `decide` is asked about, the most uncertain first."""
_UNCERTAIN = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class Piece:
    """One comment: `text[start:end]`."""

    start: int
    end: int
    confidence: float
    """Probability that a comment starts here and ends here, between 0 and 1."""
    quoted: tuple[Range, ...] = ()
    """Ranges of the text that are somebody else's words."""
    gaps: tuple[int, ...] = ()
    """Offsets at which a formula, image or button label was lost."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a profile dump consists of. Every character that is not blank is in exactly one range."""

    name: str | None
    """The author as the page has it, in its name line, a heading ("Ada Byron's Comments") or the bio; never guessed."""
    profile: tuple[Range, ...]
    """Name and bio. A second printing of the bio is chrome."""
    comments: tuple[Piece, ...]
    chrome: tuple[Range, ...]
    """Headings, buttons, counters, titles of listed posts, the repeated bio."""
    label: str | None
    """What to call an author whom the page does not name, such as "unnamed profile (example.org)"; None where there is a name."""


def segment(
    text: str,
    *,
    embed: Embed | None = None,
    known_borders: Collection[int] = (),
    no_borders: Collection[int] = (),
    author_name: str | None = None,
    decide: Decide | None = None,
) -> Segmentation:
    """Split a profile dump into profile, chrome and comments.

    Args:
        text: The dump, with its line ends as they are.
        embed: Texts -> unit vectors (n, dim), for topic shift; without it, shared words stand in.
        known_borders: Offsets at which a comment certainly begins, e.g. from an older snapshot of the same page.
        no_borders: Offsets of lines at which certainly none begins.
        author_name: The name as known from elsewhere (sidecar, option): helps to find the name line.
        decide: Judges borders that the evidence leaves open, such as a chat model. It can only choose among line
            starts, so the text cannot change.
    """
    page = take_apart(text, author_name=author_name, first_comment=min(known_borders, default=None))
    starts, probability = _find_starts(page, embed, known_borders, no_borders, decide)
    gaps = find_gaps(text)
    pieces = tuple(_pieces(page.paragraphs, starts, probability, gaps))
    profile = tuple((line.start, line.end) for line in page.profile)
    chrome = sorted((line.start, line.end) for line in page.chrome)
    chrome = sorted([*chrome, *_uncovered(text, [*profile, *chrome, *((piece.start, piece.end) for piece in pieces)])])
    return Segmentation(page.name.text if page.name else None, profile, pieces, tuple(chrome), page.label)


def _find_starts(
    page: Page,
    embed: Embed | None,
    known_borders: Collection[int],
    no_borders: Collection[int],
    decide: Decide | None,
) -> tuple[list[int], np.ndarray]:
    paragraphs = page.paragraphs
    certain = page.certain | _paragraphs_at(paragraphs, known_borders)
    barred = _paragraphs_at(paragraphs, no_borders) - certain
    embed = embed if len(paragraphs) <= MOST_EMBEDDED else None
    starts, probability = borders.find_starts(paragraphs, embed, certain, barred=barred, complete=page.marks_comments)
    if decide is not None:
        decided = _ask(decide, paragraphs, probability)
        certain = certain | {index for index, begins in decided.items() if begins}
        barred = barred | {index for index, begins in decided.items() if not begins}
        starts, probability = borders.find_starts(
            paragraphs, embed, certain, barred=barred, complete=page.marks_comments
        )
    if len(probability) and not page.head_is_marked:
        probability[0] = GUESSED_HEAD
    return starts, probability


def _ask(decide: Decide, paragraphs: Sequence[Line], probability: np.ndarray) -> dict[int, bool]:
    low, high = _UNCERTAIN
    uncertain = [index for index in range(1, len(paragraphs)) if low < probability[index] < high]
    asked = sorted(sorted(uncertain, key=lambda index: abs(probability[index] - 0.5))[:MOST_ASKED])
    if not asked:
        return {}
    answers = decide([line.text for line in paragraphs], asked)
    return {index: begins for index, begins in answers.items() if index in asked}


def _paragraphs_at(paragraphs: Sequence[Line], offsets: Iterable[int]) -> set[int]:
    """Indices of the paragraphs that start at these offsets, or right after the blanks at them."""
    starts = [line.start for line in paragraphs]
    found = set()
    for offset in offsets:
        index = bisect_left(starts, offset)
        if index < len(starts) and (index == 0 or paragraphs[index - 1].end <= offset):
            found.add(index)
    return found


def _pieces(paragraphs: list[Line], starts: list[int], probability: np.ndarray, gaps: Sequence[int]) -> Iterator[Piece]:
    for first, after in pairwise([*starts, len(paragraphs)]):
        start, end = paragraphs[first].start, paragraphs[after - 1].end
        ends_here = float(probability[after]) if after < len(paragraphs) else 1.0
        yield Piece(
            start,
            end,
            round(float(probability[first]) * ends_here, 4),
            tuple(unmarked_quotes.quoted_paragraphs(paragraphs[first:after])),
            tuple(gaps[bisect_left(gaps, start) : bisect_left(gaps, end)]),
        )


def _uncovered(text: str, ranges: list[Range]) -> Iterator[Range]:
    """What no range holds and is not blank: marks such as NUL or a byte order mark at the edges of lines."""
    at = 0
    for start, end in [*sorted(ranges), (len(text), len(text))]:
        between = text[at:start]
        if between and not between.isspace():
            lead = len(between) - len(between.lstrip())
            yield at + lead, at + len(between.rstrip())
        at = max(at, end)
