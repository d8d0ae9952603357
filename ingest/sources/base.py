"""What every kind of source yields: raw documents, or problems with a line and a way out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rag.errors import SourceError

# Control characters, line and paragraph separators, characters that turn the direction of writing, half characters.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

GONE = ("[deleted]", "[removed]", "[deleted by user]", "[ Removed by Reddit ]")
"""What exports have in the place of a text or an author that is no more."""


@dataclass(frozen=True, slots=True)
class RawDocument:
    """One text with exact offsets, before it is split or merged."""

    source: str
    """As in `rag.Span.source`."""
    text: str
    """The exact text that offsets refer to: `rag.source_text(source)`."""
    kind: Literal["profile", "comment", "document"]
    """"profile" is a dump to be segmented; the other two are kept whole."""
    id: str | None = None
    """The source's own identifier."""
    author: str | None = None
    url: str | None = None
    posted_at: datetime | None = None
    parent_id: str | None = None
    thread_id: str | None = None
    title: str | None = None
    karma: float | None = None
    seen_at: datetime | None = None
    """When the snapshot was taken, as far as known."""
    modified_at: datetime | None = None
    """When the file was last written: the latest that the snapshot can have been taken, unless it was copied."""
    quoted: tuple[tuple[int, int], ...] = ()
    """Ranges of `text` that are somebody else's words, where the source says so."""
    gaps: tuple[int, ...] = ()
    """Places in `text` where the source showed what text cannot: a formula without its LaTeX, an image, a poll."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of a row; for text files and HTML `mtime`, when the file was last written (ISO 8601)."""
    line: int | None = None
    """Where a row starts in its file, counted from 1; for Parquet the row."""


class Markup(NamedTuple):
    """Markdown, and what is known about it."""

    text: str
    quoted: tuple[tuple[int, int], ...] = ()
    gaps: tuple[int, ...] = ()


class Entry(NamedTuple):
    """What a known kind of export says, in our columns (`row.COLUMNS`); others become `extra`."""

    values: Mapping[str, Any]
    kind: Literal["comment", "document"] = "comment"


class LeftOut(NamedTuple):
    """Entries whose text is not there, or is not meant to be read."""

    reason: str
    count: int = 1
    fix: str = "Nothing to do."


@dataclass(frozen=True)
class SourceFile:
    """A file that belongs to a run, before it is read."""

    source: str
    """Its name in every `Span.source`: relative to the given folder, POSIX style."""
    path: Path
    """Where it is: absolute, and not resolved if it is a link."""
    root: Path
    """The folder (or the file itself) that was given: tells apart two folders ingested one after the other."""
    size: int
    modified_at: datetime

    @cached_property
    def sha256(self) -> str:
        """Of the bytes, read when first asked for.

        Raises:
            SourceError: The file cannot be read.
        """
        try:
            with self.path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as exc:
            raise SourceError(f"{self.source} cannot be read ({exc.strerror}). Check the file and its rights.") from exc


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was not read, and what to do about it."""

    source: str
    line: int | None
    """Counted from 1; for Parquet the row."""
    what: str
    fix: str
    severity: Literal["error", "note"] = "error"
    """"note" for what was left out on purpose: deleted comments, rows that repeat an earlier one."""
    rest_unread: bool = False
    """The file could not be read to its end: what it held before may still be in it."""
    row_unread: bool = False
    """A row could not be read: what it held before may still be in it."""

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{place}: {self.what} {self.fix}".strip()
