"""Quotations inside a comment, each with the comment it was taken from, folded below it."""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.errors import RagError
from rag.records import Comment, Passage
from ui.markup import button, comment_html, escape, link_out, tag
from ui.wording import byline_html

Find = Callable[[str], Comment | None]
"""Id -> comment; may raise RagError."""


def found(find: Find, id: str | None) -> Comment | None:
    """A comment, or None where there is none or the index cannot be read."""
    try:
        return find(id) if id else None
    except RagError:
        return None


def origins(comment: Comment | Passage, text: str, find: Find, *, threads: bool = False) -> dict[int, str]:
    """Where a quotation ends in `text` -> the comment it comes from, as HTML.

    Args:
        comment: Whose `quotes` are offsets into `text`.
        text: Its wording.
        find: Looks up comments.
        threads: Whether the origin can be shown in its thread, as on the comments tab.
    """
    shown = {}
    for quotation in comment.quotes:
        origin = found(find, quotation.comment_id)
        if origin is not None and quotation.end <= len(text):
            shown[quotation.end] = _origin_html(origin, text[quotation.start : quotation.end], threads)
    return shown


def _origin_html(origin: Comment, quoted: str, threads: bool) -> str:
    links = link_out(origin.url) + (button("thread", origin.id, "In its thread") if threads else "")
    body = comment_html(origin.text, marks=places(quoted, origin.text), quoted=origin.quoted, gaps=origin.gaps)
    return tag(
        "details",
        tag("summary", f"quoted from {escape(origin.byline)}’s comment")
        + tag("p", byline_html(origin), class_="origin-byline")
        + tag("div", body, class_="comment")
        + (tag("div", links, class_="foot") if links else ""),
        class_="origin",
    )


def places(quoted: str, text: str) -> list[tuple[int, int]]:
    """Where quoted words stand in a text, regardless of case, spaces and punctuation; each part of an abridged quotation."""
    marks = []
    for part in re.split(r"\[?(?:\.\.\.|…)\]?", quoted):
        words = [re.escape(word) for word in re.findall(r"\w+", part)]
        match = re.search(r"\W+".join(words), text, re.IGNORECASE) if words else None
        if match:
            marks.append(match.span())
    return marks
