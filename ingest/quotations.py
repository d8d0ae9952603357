"""Quoted words in a comment, linked to the comment they were taken from.

Every comment leaves fingerprints of its own words: hashes of runs of words, thinned out by winnowing (Schleimer,
Wilkerson and Aiken 2003), which keeps at least one of every few. The words of a quotation are looked up among them, and
the few comments that share some are compared with it word by word. Time grows with the length of what changed, not with
the size of the corpus. Does not find what is quoted (see unmarked_quotes.py, marked_quotes.py and the sources).
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

from ingest.fingerprints import number_of, words_of
from rag.index.corpus import Corpus
from rag.records import Comment, Quotation

RUN = 4
"""Words of one fingerprint."""
WINDOW = 3
"""Of so many runs in a row one is kept: whatever has six words in common shares a fingerprint."""
FEWEST_WORDS = 5
"""A shorter quotation is linked only to the comment that is being answered."""
LIKE = 92.0
"""Similarity (0 to 100) of a quotation with the likest stretch of a comment, from which on they are the same words."""

_FINGERPRINTS = 4_000  # of one comment
_LOOKED_UP = 300  # fingerprints of one quotation
_PER_FINGERPRINT = 50  # comments
_QUOTING = 1_000  # comments that quote the same words
_COMPARED = 12  # comments with one quotation
_LONGEST = 4_000  # characters of a quotation, and twelve times that of a comment
_LEFT_OUT = re.compile(r"\W*(?:\.\.\.|…)\W*")


class Quotations:
    """Finds where quoted words stand, inside the transaction of an ingest.

    Args:
        comment: Comment id -> the comment as it is now.
    """

    def __init__(self, corpus: Corpus, comment: Callable[[str], Comment | None]) -> None:
        self._db = corpus.connection
        self._comment = comment

    def update(self, comment_id: str, comment: Comment | None) -> set[str]:
        """File the words of a comment, in place of what was filed; None takes it out.

        Returns:
            Comments with quotations that may have been taken from it, before or now.
        """
        row = self._db.execute("SELECT id, own, quoted FROM wordings WHERE comment_id = ?", (comment_id,)).fetchone()
        own_before, quoted_before = (_unpacked(row["own"]), _unpacked(row["quoted"])) if row else (set(), set())
        own, quoted = _marks(comment) if comment is not None and comment.kind != "profile" else (set(), set())
        if not own and not quoted:
            self._db.execute("DELETE FROM wordings WHERE comment_id = ?", (comment_id,))
            id = row["id"] if row else 0
        else:
            (id,) = self._db.execute(
                "INSERT INTO wordings (comment_id, own, quoted) VALUES (?, ?, ?) ON CONFLICT (comment_id) DO UPDATE "
                "SET own = excluded.own, quoted = excluded.quoted RETURNING id",
                (comment_id, _packed(own), _packed(quoted)),
            ).fetchone()
        for kind, old, new in ((0, own_before, own), (1, quoted_before, quoted)):
            self._db.executemany(
                "DELETE FROM wording_marks WHERE mark = ? AND quoted = ? AND wording = ?",
                [(mark, kind, id) for mark in old - new],
            )
            self._db.executemany("INSERT INTO wording_marks VALUES (?, ?, ?)", [(mark, kind, id) for mark in new - old])
        return set(self._holders(own_before ^ own, quoted=True)) - {comment_id}

    def find(self, comment: Comment) -> tuple[Quotation, ...]:
        """Which quotations of a comment stand in which other comment."""
        found = []
        for (start, end), text in zip(comment.quoted, _quoted_texts(comment), strict=True):
            source = self._source(comment, text)
            if source is not None:
                found.append(Quotation(start, end, source))
        return tuple(found)

    def _source(self, comment: Comment, text: str) -> str | None:
        parts = _parts(text)
        if not parts:
            return None
        marks = [mark for part in parts if len(part) >= FEWEST_WORDS for mark in fingerprints(part)]
        # Spread over the whole of a long quotation.
        marks = marks[:: max(1, len(marks) // _LOOKED_UP)]
        shared = Counter(self._holders(marks, quoted=False))
        likely = [id for id, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:_COMPARED]]
        if comment.parent_id and comment.parent_id not in likely:
            likely.append(comment.parent_id)
        best: tuple[float, bool, str, str] | None = None
        for id in likely:
            other = self._comment(id)
            if other is None or id == comment.id or other.kind == "profile" or _is_later(other, comment):
                continue
            own = islice(chain.from_iterable(_own_words(other)), 3 * _LONGEST)
            like = similarity(parts, " ".join(own))
            if like < LIKE:
                continue
            date = other.posted_at.isoformat() if other.posted_at else "~"
            rank = (-like, id != comment.parent_id, date, id)
            best = rank if best is None else min(best, rank)
        return best[-1] if best else None

    def _holders(self, marks: Iterable[int], *, quoted: bool) -> Iterator[str]:
        """For each fingerprint the comments that have it; of a common one a few."""
        query = (
            "SELECT w.comment_id FROM wording_marks m JOIN wordings w ON w.id = m.wording "
            "WHERE m.mark = ? AND m.quoted = ? LIMIT ?"
        )
        most = _QUOTING if quoted else _PER_FINGERPRINT
        for mark in dict.fromkeys(marks):
            for row in self._db.execute(query, (mark, quoted, most)):
                yield row[0]


def _marks(comment: Comment) -> tuple[set[int], set[int]]:
    """Fingerprints of a comment's own words, thinned out, and all of those it quotes."""
    own = {mark for words in _own_words(comment) for mark in winnowed(fingerprints(words))}
    quoted = {mark for text in _quoted_texts(comment) for part in _parts(text) for mark in fingerprints(part)}
    return set(sorted(own)[:_FINGERPRINTS]), set(sorted(quoted)[:_FINGERPRINTS])


def _packed(marks: set[int]) -> bytes:
    return struct.pack(f"<{len(marks)}q", *sorted(marks))


def _unpacked(data: bytes) -> set[int]:
    return set(struct.unpack(f"<{len(data) // 8}q", data))


def similarity(parts: Sequence[Sequence[str]], text: str) -> float:
    """How like a quotation is to the likest stretches of a text, 0 to 100; its least like part counts.

    Args:
        parts: Words of the quotation, cut where it leaves something out.
        text: Words of a comment, with spaces between them.
    """
    from rapidfuzz.fuzz import partial_ratio

    least = 100.0
    padded = f" {text} "
    for part in parts:
        quoted = " ".join(part)
        if f" {quoted} " not in padded:
            # A stretch of few words is like many others.
            near = partial_ratio(quoted, text, score_cutoff=LIKE) if len(part) >= 2 * FEWEST_WORDS else 0.0
            least = min(least, near if len(quoted) <= len(text) else 0.0)
    return least


def fingerprints(words: Sequence[str]) -> list[int]:
    """Hashes of all runs of words."""
    return [number_of(" ".join(words[at : at + RUN])) for at in range(len(words) - RUN + 1)]


def winnowed(marks: Sequence[int]) -> set[int]:
    """The least of every few neighbours."""
    if len(marks) <= WINDOW:
        return {min(marks)} if marks else set()
    return {min(marks[at : at + WINDOW]) for at in range(len(marks) - WINDOW + 1)}


def _quoted_texts(comment: Comment) -> list[str]:
    return [comment.text[start:end][:_LONGEST] for start, end in comment.quoted]


def _parts(text: str) -> list[list[str]]:
    """Words of a quotation, cut where it leaves something out; tiny parts only if there is no other."""
    parts = [words for words in map(words_of, _LEFT_OUT.split(text)) if words]
    long = [words for words in parts if len(words) >= FEWEST_WORDS]
    return long or [words for words in parts if len(words) >= 3][:1]


def _own_words(comment: Comment) -> Iterator[list[str]]:
    """Words between the quotations."""
    at = 0
    for start, end in [*sorted(comment.quoted), (len(comment.text), len(comment.text))]:
        if at < start:
            yield words_of(comment.text[at:start])
        at = max(at, end)


def _is_later(other: Comment, comment: Comment) -> bool:
    return other.posted_at is not None and comment.posted_at is not None and other.posted_at > comment.posted_at
