"""Comments and posts as the GraphQL API of LessWrong, the Alignment Forum and the EA Forum gives them.

As on the site, a hidden or deleted account has no name. Deleted, rejected and unpublished comments are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ingest.sources.base import Entry, LeftOut

_KEPT = ("af", "answer", "shortform", "retracted", "lastEditedAt", "voteCount", "extendedScore")


def recognises(row: Mapping[str, Any]) -> bool:
    """Whether a row has the fields of a comment or post."""
    return "_id" in row and "postedAt" in row and ("contents" in row or "htmlBody" in row)


def entries(row: Mapping[str, Any]) -> Iterator[Entry | LeftOut]:
    """Yield the comment or post."""
    if row.get("deleted"):
        yield LeftOut("deleted or removed")
        return
    if row.get("rejected") or row.get("draft"):
        yield LeftOut("rejected or unpublished")
        return
    contents, user, post = _object(row, "contents"), _object(row, "user"), _object(row, "post")
    is_post = "slug" in row and "postId" not in row
    name = user.get("displayName") or user.get("username") if "user" in row else row.get("author")
    anonymous = row.get("hideAuthor") or user.get("deleted") or not name
    values = {
        "id": row["_id"],
        "author": None if anonymous else name,
        "text": contents.get("markdown"),
        "html": contents.get("html") or row.get("htmlBody"),
        "url": row.get("pageUrl"),
        "posted_at": row["postedAt"],
        "parent_id": row.get("parentCommentId"),
        "karma": row.get("baseScore"),
        "thread_id": row["_id"] if is_post else row.get("postId") or row.get("tagId"),
        "title": row.get("title") or post.get("title"),
        **{name: row[name] for name in _KEPT if row.get(name)},
        **({"anonymous": True} if anonymous else {}),
    }
    yield Entry(values, "document" if is_post else "comment")


def _object(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}
