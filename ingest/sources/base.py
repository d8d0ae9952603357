"""What every kind of source yields: raw documents, or problems with a line and a way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


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
    quoted: tuple[tuple[int, int], ...] = ()
    """Ranges of `text` that are somebody else's words, where the source says so."""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was not read, and what to do about it."""

    source: str
    line: int | None
    what: str
    fix: str

    def __str__(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{place}: {self.what} {self.fix}".strip()
