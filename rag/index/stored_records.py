"""Comments and passages as rows of the database, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rag.records import Comment, Passage, Quotation, Span, Version, author_key


def timestamp(value: datetime | None) -> str | None:
    """Fixed width, so that strings sort as times do."""
    return None if value is None else f"{value.year:04}-{value:%m-%dT%H:%M:%S.%f}+00:00"


def parse_timestamp(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def dump_comment(comment: Comment) -> tuple[Any, ...]:
    """A row of the table `comments`."""
    data = {
        "id": comment.id,
        "author": comment.author,
        "text": comment.text,
        "sightings": [[span.source, span.start, span.end] for span in comment.sightings],
        "url": comment.url,
        "posted_at": timestamp(comment.posted_at),
        "parent_id": comment.parent_id,
        "thread_id": comment.thread_id,
        "karma": comment.karma,
        "kind": comment.kind,
        "title": comment.title,
        "label": comment.label,
        "quoted": comment.quoted,
        "gaps": comment.gaps,
        "border_confidence": comment.border_confidence,
        "versions": [
            [version.span.source, version.span.start, version.span.end, timestamp(version.seen_at), version.of_file]
            for version in comment.versions
        ],
        "extra": dict(comment.extra),
        "quotes": _quotes(comment),
    }
    return (
        comment.id,
        comment.kind,
        author_key(comment.author),
        comment.byline,
        timestamp(comment.posted_at),
        comment.parent_id,
        comment.thread_id,
        f"{comment.sightings[0].source}\x00{comment.sightings[0].start:012d}",
        json.dumps(data),
    )


def load_comment(text: str) -> Comment:
    data = json.loads(text)
    return Comment(
        **{
            **data,
            "sightings": tuple(Span(*item) for item in data["sightings"]),
            "posted_at": parse_timestamp(data["posted_at"]),
            "quoted": _ranges(data["quoted"]),
            "gaps": tuple(data["gaps"]),
            "versions": tuple(
                Version(Span(*item[:3]), parse_timestamp(item[3]), *item[4:]) for item in data["versions"]
            ),
            "quotes": tuple(Quotation(*item) for item in data.get("quotes", ())),
        }
    )


_NOT_KEPT = ("score", "dense_score", "lexical_score", "outdated", "asked")
"""What belongs to a search, or depends on other sources."""


def dump_passage(passage: Passage) -> str:
    """The `data` column of the table `passages`; see `_NOT_KEPT`."""
    data = {name: getattr(passage, name) for name in Passage.__dataclass_fields__ if name not in _NOT_KEPT}
    return json.dumps({**data, "posted_at": timestamp(passage.posted_at), "quotes": _quotes(passage)})


def load_passage(text: str, **scores: float) -> Passage:
    data: Mapping[str, Any] = json.loads(text)
    return Passage(
        **{
            **data,
            **scores,
            "posted_at": parse_timestamp(data["posted_at"]),
            "quoted": _ranges(data["quoted"]),
            "gaps": tuple(data["gaps"]),
            "sentences": _ranges(data["sentences"]),
            "quotes": tuple(Quotation(*item) for item in data.get("quotes", ())),
        }
    )


def _quotes(record: Comment | Passage) -> list[list[Any]]:
    return [[quote.start, quote.end, quote.comment_id] for quote in record.quotes]


def _ranges(items: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((item[0], item[1]) for item in items)
