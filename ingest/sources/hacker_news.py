"""Hacker News: Algolia's item trees and search hits, and items of the Firebase API (as in BigQuery's table).

Comments are HTML. A story's own text is a document; a comment that answers the story has no parent where the row tells.
Fields: https://hn.algolia.com/api and https://github.com/HackerNews/API
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ingest.sources.base import Entry, LeftOut

_TYPES = ("comment", "story", "poll", "job", "pollopt")


def recognises(row: Mapping[str, Any]) -> bool:
    """Whether a row has the fields of one of the three."""
    if "objectID" in row and ("_tags" in row or "comment_text" in row or "story_text" in row):
        return True
    return row.get("type") in _TYPES and "id" in row and ("created_at_i" in row or "time" in row)


def entries(row: Mapping[str, Any]) -> Iterator[Entry | LeftOut]:
    """Yield the comments, and the story if it has text, each before what replies to it."""
    waiting: list[Any] = [row]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, Mapping):
            continue
        yield _entry(item, row.get("title"))
        children = item.get("children")
        if isinstance(children, list):
            waiting.extend(child for child in reversed(children) if isinstance(child, Mapping))


def _entry(item: Mapping[str, Any], story: Any) -> Entry | LeftOut:
    tags = item["_tags"] if isinstance(item.get("_tags"), list) else []
    kind = item.get("type") or ("comment" if item.get("comment_text") or "comment" in tags else "story")
    html = item.get("comment_text") or item.get("story_text") or item.get("text")
    if (
        _is_true(item.get("deleted"))
        or _is_true(item.get("dead"))
        or (kind == "comment" and html in (None, "", "[dead]", "[flagged]"))
    ):
        return LeftOut("deleted or removed")
    if kind != "comment" and not html:
        return LeftOut("a link without text")
    id = item.get("objectID", item.get("id"))
    parent = item.get("parent_id", item.get("parent"))
    thread = item.get("story_id") or (id if kind == "story" else None)
    values = {
        "id": id,
        "author": item.get("author", item.get("by")),
        "html": html,
        "url": f"https://news.ycombinator.com/item?id={id}",
        "posted_at": item.get("created_at_i", item.get("time")) or item.get("created_at", item.get("timestamp")),
        "parent_id": None if parent == thread else parent,
        "karma": item.get("points", item.get("score")),
        "thread_id": thread,
        "title": item.get("title") or item.get("story_title") or story,
    }
    return Entry(values, "comment" if kind == "comment" else "document")


def _is_true(value: Any) -> bool:
    return value is True or str(value).casefold() in ("true", "1")
