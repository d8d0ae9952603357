"""Reddit: listings as served under `.json`, single things, flat rows as in Pushshift's files, and a person's own data.

Ids lose their prefix (`t1_`, `t3_`); a comment that answers the post itself has no parent.
Fields: https://www.reddit.com/dev/api and https://github.com/reddit-archive/reddit/wiki/JSON
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from ingest.sources.base import GONE, Entry, LeftOut

_SITE = "https://www.reddit.com"
_THINGS = ("t1", "t3", "more", "Listing")
_OWN = {"id", "permalink", "date", "subreddit", "body"}
"""Columns of `comments.csv` and `posts.csv`, which Reddit hands out at https://www.reddit.com/settings/data-request."""
_SPACER = re.compile(r"&(?:amp;)?#x200B;", re.IGNORECASE)
"""What Reddit's editor puts into empty paragraphs: a space without width."""


def recognises(row: Mapping[str, Any]) -> bool:
    """Whether a row has Reddit's fields."""
    if row.get("kind") in _THINGS and isinstance(row.get("data"), Mapping):
        return True
    if row.keys() >= _OWN:
        return True
    return "created_utc" in row and (
        ("body" in row and ("link_id" in row or "subreddit" in row)) or ("selftext" in row and "title" in row)
    )


def entries(row: Mapping[str, Any]) -> Iterator[Entry | LeftOut]:
    """Yield the comments and posts of a row, replies after what they reply to."""
    waiting: list[Any] = [row]
    while waiting:
        thing = waiting.pop()
        if not isinstance(thing, Mapping):
            continue
        data = thing["data"] if isinstance(thing.get("data"), Mapping) else thing
        kind = thing.get("kind") if data is not thing else None
        if kind == "Listing":
            waiting.extend(reversed(_list(data.get("children"))))
        elif kind == "more":
            reason = "not in the export, Reddit cut the thread there"
            yield LeftOut(reason, _count(data), "Export the cut threads as well.")
        else:
            yield _entry(_as_served(data) if data.keys() >= _OWN else data)
            waiting.append(data.get("replies"))


def _as_served(own: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a person's own data, which seldom says whose it is, under the names that all others have."""
    thread = re.search(r"/comments/(\w+)", str(own.get("link")))
    data = {"created_utc": own["date"], "link_id": thread and thread[1], "parent_id": own.get("parent")}
    if _id(data["parent_id"]) == data["link_id"]:
        data["parent_id"] = None
    text = {"title": own["title"], "selftext": own["body"]} if "title" in own else {"body": own["body"]}
    return {**{name: value for name, value in own.items() if name != "body"}, **data, **text}


def _entry(data: Mapping[str, Any]) -> Entry | LeftOut:
    is_post = "selftext" in data and "body" not in data
    body = data.get("selftext" if is_post else "body")
    if isinstance(body, str) and body.strip() in GONE:
        return LeftOut("deleted or removed")
    if is_post and not body:
        return LeftOut("a link without text")
    id, parent, thread = _id(data.get("id")), data.get("parent_id"), _id(data.get("link_id"))
    author = data.get("author")
    values = {
        "id": id if id is not None else _id(data.get("name")),
        "author": None if author in GONE else author,
        "text": _unescaped(body),
        "url": _permalink(data, id, thread),
        "posted_at": data.get("created_utc"),
        "parent_id": None if isinstance(parent, str) and parent.startswith("t3_") else _id(parent),
        "karma": data.get("score"),
        "thread_id": id if is_post else thread,
        "title": _unescaped(data.get("title" if is_post else "link_title")),
    }
    if (edited := _moment(data.get("edited"))) is not None:
        values["edited_at"] = edited
    if data.get("subreddit"):
        values["subreddit"] = data["subreddit"]
    if author in GONE:
        values["anonymous"] = True
    return Entry(values, "document" if is_post else "comment")


def _permalink(data: Mapping[str, Any], id: Any, thread: Any) -> str | None:
    link = data.get("permalink")
    if isinstance(link, str) and link:
        return f"{_SITE}{link}" if link.startswith("/") else link
    if isinstance(thread, str) and isinstance(id, str) and isinstance(data.get("subreddit"), str):
        return f"{_SITE}/r/{data['subreddit']}/comments/{thread}/_/{id}/"
    return None


def _moment(value: Any) -> str | None:
    """When it was edited; false if never, true if long ago."""
    with suppress(TypeError, ValueError, OverflowError, OSError):
        if (seconds := float(value)) > 1:
            return datetime.fromtimestamp(seconds, UTC).isoformat()
    return None


def _id(value: Any) -> Any:
    return re.sub(r"^t[1-6]_", "", value) if isinstance(value, str) else value


def _unescaped(text: Any) -> Any:
    """Reddit writes `&gt;` for `>` unless asked for raw JSON; a text that has a bare one was asked for raw."""
    if not isinstance(text, str):
        return text
    text = _SPACER.sub("", text)
    if re.search(r"[<>]|&(?!amp;|lt;|gt;)", text):
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(data: Mapping[str, Any]) -> int:
    count = data.get("count")
    return count if isinstance(count, int) and count > 0 else max(1, len(_list(data.get("children"))))
