"""Columns that often say the same as ours; only whoever made the file knows whether they do, so they are only proposed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_ALSO_CALLED = {
    "text": (
        "text", "text original", "body", "body markdown", "markdown", "content", "raw message", "raw", "post raw",
        "message", "full text", "tweet full text", "comment", "post", "reply", "note",
    ),
    "html": (
        "html", "body html", "html body", "content html", "content rendered", "cooked", "post cooked", "text display",
        "object content",
    ),
    "author": (
        "author name", "author nickname", "author display name", "author username", "author login", "author", "user display name",
        "user profile real name", "user name", "user username", "user login", "username", "display name", "owner display name",
        "account display name", "screen name", "by", "from", "user", "nickname", "commenter", "poster", "name",
    ),
    "id": ("id", "id oid", "objectid", "id str", "tweet id str", "uuid", "guid", "client msg id"),
    "url": ("permalink", "html url", "url", "link", "uri", "webpage url", "object url"),
    "posted_at": (
        "posted at", "created at", "tweet created at", "create timestamp", "created utc", "created", "creation date",
        "published at", "published", "date gmt", "date utc", "date", "datetime", "timestamp", "time", "ts",
        "submitted at",
    ),
    "parent_id": (
        "parent id", "parent", "parent comment id", "reply to", "reply to id", "in reply to", "in reply to id",
        "reply to message id", "reference message id", "in reply to status id str",
    ),
    "karma": ("karma", "score", "base score", "points", "upvotes", "votes", "likes", "like count", "favorite count"),
    "thread_id": ("thread id", "thread", "topic id", "post id", "story id", "video id", "question id", "thread ts"),
    "title": ("title", "post title", "topic title", "thread title", "story title", "subject"),
}  # fmt: skip
"""The preferred first, in words: "parent id" is also `parentId`, `Parent_ID` and `parent.id`, with "comment" before it or not."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+|[^\W\d_]+")
_CALLED_ANYTHING = {"id", "name", "user", "date", "time", "title", "url", "link", "score", "note", "post", "parent"}
"""Words that mean the row only where they are its own columns, and anything inside other objects."""
_WORDS = ("text", "html", "author")
"""Columns that no number stands in."""
_LEVELS = 4


def columns_like_ours(row: Mapping[str, Any], known: Iterable[str] = ()) -> dict[str, str]:
    """Find columns that may say what ours do: our column -> the row's, with dots.

    Args:
        row: A row, or the names of its columns, each for nothing.
        known: Our columns that are not looked for.
    """
    called: dict[str, list[tuple[str, Any]]] = {}
    for path, value in _leaves(row):
        if not isinstance(value, list | bool) and not set(path) & set(",="):
            for name in _words(path):
                called.setdefault(name, []).append((path, value))
    found: dict[str, str] = {}
    for ours, names in _ALSO_CALLED.items():
        theirs = (
            path
            for name in names
            for path, value in called.get(name, ())
            if path not in found.values() and (ours not in _WORDS or isinstance(value, str | None))
        )
        if ours == "html" and "text" in found:
            continue
        if ours not in known and not _is_there(row, ours) and (path := next(theirs, None)):
            found[ours] = path
    return found


def as_option(columns: Mapping[str, str]) -> str:
    """What to give on the command line for such a mapping: said at the end and without a full stop, to be copied."""
    return "--map " + shlex.quote(",".join(f"{ours}={theirs}" for ours, theirs in columns.items()))


def _is_there(row: Mapping[str, Any], ours: str) -> bool:
    """Whether a row has our column; an object cannot be read, and the number of an author is no name."""
    value = row.get(ours)
    return ours in row and not isinstance(value, Mapping) and not (ours == "author" and isinstance(value, int))


def _leaves(row: Mapping[str, Any], before: str = "", levels: int = _LEVELS) -> Iterator[tuple[str, Any]]:
    """All columns, those of objects inside after those beside them."""
    inside = []
    for name, value in row.items():
        if isinstance(value, Mapping):
            inside.append((name, value))
        else:
            yield f"{before}{name}", value
    for name, value in inside if levels > 1 else ():
        if "." not in name:
            yield from _leaves(value, f"{before}{name}.", levels - 1)


def _words(path: str) -> Iterator[str]:
    """A column in words; one inside an object also without that object's name, unless it could then mean anything."""
    *before, last = path.split(".")
    inner = _split(last)
    if before:
        yield " ".join(_split(before[-1]) + inner)
    if not before or not _CALLED_ANYTHING & set(inner[-1:]) or len(inner) > 1:
        yield " ".join(inner)


def _split(name: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(name)]
    return words[1:] if len(words) > 1 and words[0] in ("comment", "comments") else words
