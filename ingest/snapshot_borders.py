"""Borders in a profile dump that other sources prove: hard evidence, where segmentation.py can only weigh signs.

Where an older dump of the same page begins, a comment begins in the newer one; where a comment of an export stands in a
dump of its author, one begins and one ends. Lines are known again by keys that survive small edits, and count only if
the same person wrote both, or, where it is not known who wrote one of two dumps, if several lines agree in order: a
quotation is no evidence. What is proved depends on the sources that are indexed now and not on the order of reading.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from sqlite3 import Connection, Row
from typing import NamedTuple

from ingest.fingerprints import SAME_WORDS, line_keys, similarity, text_hash
from ingest.grouping import SHORT
from ingest.lines import Line, lines_of
from rag.index.database import stored_text

SAME_LINE = 0.5
"""Similarity of two lines with a key in common above which one is an edited version of the other."""
FEWEST_LINES = 3
"""Long lines that two dumps must share in order where it is not known that one person wrote both."""
AHEAD = 8
"""Long lines in which they are looked for: between them, comments may have been deleted or edited."""


class Proved(NamedTuple):
    """What other sources prove of a dump, as offsets of lines."""

    begins: tuple[int, ...] = ()
    """Here a comment begins."""
    inside: tuple[int, ...] = ()
    """Here none begins, because one goes on."""


class SnapshotBorders:
    """Files lines and finds what they prove, inside the transaction of an ingest."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def file_dump(self, source: str, text: str, first: int | None) -> None:
        """File the lines of a dump.

        Args:
            source: Its name.
            text: All of it.
            first: Where its first comment begins.
        """
        lines = lines_of(text)
        opening = [line for line in lines if first is not None and line.start >= first]
        marks = {line.start: 1 + above for line, above in _first_long(opening)}
        self._file(source, [(line, marks.get(line.start, 0)) for line in lines if _is_long(line)])

    def file_comment(self, source: str, text: str) -> None:
        """File the first and the last line of a comment that is kept whole."""
        lines = lines_of(text)
        marked = [(line, 1 + above) for line, above in _first_long(lines)]
        marked += [(line, -1 - below) for line, below in _first_long(lines[::-1])]
        self._file(source, marked)

    def remove(self, source: str) -> None:
        """Forget the lines of a source."""
        self._db.execute("DELETE FROM lines WHERE source = ?", (source,))

    def proved(self) -> dict[str, Proved]:
        """What is known of each dump."""
        dumps = [row["name"] for row in self._db.execute("SELECT name FROM sources WHERE kind = 'profile'")]
        if not dumps:
            return {}
        # Cached for one look only: the texts of whole dumps are large.
        lines = lru_cache(maxsize=64)(self._lines)
        author = lru_cache(maxsize=None)(self._author)
        begins: dict[tuple[str, str], set[int]] = defaultdict(set)
        ends: dict[tuple[str, str], set[int]] = defaultdict(set)
        for row in self._pairs():
            dump, other = row["dump"], row["other"]
            same = author(dump) == author(other) != ""
            if not same and (row["kind"] != "profile" or (author(dump) and author(other))):
                continue
            there, here = lines(other), lines(dump)
            at, in_other = _index_of(here, row["start"]), _index_of(there, row["other_start"])
            border = _border(there, in_other, here, at, row["mark"])
            if border is not None and (same or _go_on_alike(there[in_other:], here[at:])):
                (begins if row["mark"] > 0 else ends)[dump, other].add(border)
        borders: dict[str, set[int]] = {dump: set() for dump in dumps}
        inside: dict[str, set[int]] = {dump: set() for dump in dumps}
        for dump, other in sorted({*begins, *ends}):
            borders[dump] |= begins[dump, other] | ends[dump, other]
            for first, after in _stretches(begins[dump, other], ends[dump, other]):
                if similarity(_joined(lines(other)), _joined(lines(dump)[first:after])) >= SAME_WORDS:
                    inside[dump].update(range(first + 1, after))
        starts = {dump: [line.start for line in lines(dump)] for dump in dumps}
        return {
            dump: Proved(
                tuple(starts[dump][index] for index in sorted(borders[dump]) if index < len(starts[dump])),
                tuple(starts[dump][index] for index in sorted(inside[dump] - borders[dump])),
            )
            for dump in dumps
        }

    def _pairs(self) -> list[Row]:
        """A line of a dump that marks a border in another source, if it is the same line."""
        return self._db.execute(
            "SELECT DISTINCT l.source AS dump, l.start, o.source AS other, o.start AS other_start, o.opens AS mark, s.kind "
            "FROM sources d JOIN lines l ON l.source = d.name JOIN lines o ON o.hash = l.hash AND o.source != l.source "
            "JOIN sources s ON s.name = o.source "
            "WHERE d.kind = 'profile' AND o.opens != 0 AND NOT (l.opens > 0 AND o.opens > 0 AND s.kind = 'profile')"
        ).fetchall()

    def _author(self, source: str) -> str:
        query = "SELECT MAX(author_key) FROM pieces WHERE source = ?"
        return self._db.execute(query, (source,)).fetchone()[0] or ""

    def _lines(self, source: str) -> list[Line]:
        return lines_of(stored_text(self._db, source))

    def _file(self, source: str, marked: Sequence[tuple[Line, int]]) -> None:
        """`opens` is 0, or 1 more than the short lines above in the first comment, negative for those below in the last."""
        self.remove(source)
        self._db.executemany(
            "INSERT INTO lines VALUES (?, ?, ?, ?)",
            [(key, source, line.start, mark) for line, mark in marked for key in line_keys(line.text)],
        )


def _is_long(line: Line) -> bool:
    """Long enough to be told from others."""
    return len(line.text) >= SHORT


def _first_long(lines: Sequence[Line]) -> list[tuple[Line, int]]:
    """The first long line with the number of short ones before it; none where all are short."""
    return next(([(line, number)] for number, line in enumerate(lines) if _is_long(line)), [])


def _index_of(lines: Sequence[Line], start: int) -> int:
    return bisect_left(lines, start, key=lambda line: line.start)


def _border(there: Sequence[Line], in_other: int, here: Sequence[Line], at: int, mark: int) -> int | None:
    """The line above which the border lies, if this is the line, and the short ones between are the same, too."""
    if similarity(there[in_other].text, here[at].text) < SAME_LINE:
        return None
    step = -1 if mark > 0 else 1
    for _ in range(abs(mark) - 1):
        in_other, at = in_other + step, at + step
        if not 0 <= at < len(here) or text_hash(there[in_other].text) != text_hash(here[at].text):
            return None
    return at + (mark < 0)


def _go_on_alike(there: Sequence[Line], here: Sequence[Line]) -> bool:
    """Whether two dumps share several long lines in order from here on."""
    keys = list(_next_keys(here))
    shared = at = 0
    for own in _next_keys(there):
        match = next((index for index in range(at, len(keys)) if keys[index] & own), None)
        if match is not None:
            shared, at = shared + 1, match + 1
    return shared >= FEWEST_LINES


def _next_keys(lines: Sequence[Line]) -> Iterator[set[int]]:
    for line in islice(filter(_is_long, lines), AHEAD):
        yield set(line_keys(line.text))


def _stretches(begins: Collection[int], ends: Collection[int]) -> Iterator[tuple[int, int]]:
    """From each beginning to the next end, if no other beginning is between."""
    for first, then in pairwise([*sorted(begins), sys.maxsize]):
        after = min((end for end in ends if end > first), default=None)
        if after is not None and after <= then:
            yield first, after


def _joined(lines: Sequence[Line]) -> str:
    return "\n".join(line.text for line in lines)
