"""Comments and posts as the GraphQL API of LessWrong, the Alignment Forum and the EA Forum gives them.

As on the site, a hidden or deleted account has no name. Deleted, rejected and unpublished comments are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from ingest.formulas import protected_ranges
from ingest.sources.base import Entry, LeftOut
from rag.errors import SourceError

_KEPT = ("af", "answer", "shortform", "retracted", "lastEditedAt", "voteCount", "extendedScore")
_ESCAPE = re.compile(r"\\[\[\]*_#>`~.+-]")
_MATH = ("mjx", "mjpage", "math-tex", "MathJax", "katex")
_SITE = re.compile(r"https?://[^/?#]+")


def recognises(row: Mapping[str, Any]) -> bool:
    """Whether a row has the fields of a comment or post."""
    return "_id" in row and "postedAt" in row and ("contents" in row or "htmlBody" in row)


def entries(row: Mapping[str, Any]) -> Iterator[Entry | LeftOut]:
    """Yield the comment or post."""
    if row.get("deleted"):
        yield LeftOut("deleted or removed")
        return
    if row.get("rejected") or row.get("draft") or row.get("spam"):
        yield LeftOut("rejected or unpublished")
        return
    contents, user, post = nested(row, "contents"), nested(row, "user"), nested(row, "post")
    is_post = "slug" in row and "postId" not in row
    name = user.get("displayName") or user.get("username") if "user" in row else row.get("author")
    # Exports of a person's own comments leave out who wrote them: that is not the site's "[anonymous]".
    nameless = not name and ("user" in row or "author" in row)
    anonymous = row.get("hideAuthor") or user.get("deleted") or nameless
    html, site = contents.get("html") or row.get("htmlBody"), _SITE.match(str(row.get("pageUrl")))
    values = {
        "id": row["_id"],
        "author": None if anonymous else name,
        "text": text_of({**contents, "html": html}, site and site[0]) if contents.get("markdown") else None,
        "html": html,
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


def text_of(contents: Any, site: str | None) -> str | None:
    """The markdown of a comment; where it lost formulas or has backslashes that nobody wrote, the HTML converted.

    What is rendered once and stored has its LaTeX in labels; what came from the draftJS editor has it nowhere else.
    Between February and July 2026 it was the other way round: no labels, and only the markdown has it. Where the site makes
    the markdown itself it puts a backslash before brackets and stars.

    Args:
        contents: As the API gives it.
        site: Where relative links start, if known.
    """
    contents = contents if isinstance(contents, Mapping) else {}
    markdown, html = contents.get("markdown"), contents.get("html")
    markdown = markdown if isinstance(markdown, str) and markdown.strip() else None
    suspicious = not markdown or _ESCAPE.search(markdown) or any(mark in str(html) for mark in _MATH)
    if not isinstance(html, str) or not suspicious:
        return markdown
    from ingest.sources.markup import markdown as convert

    try:
        converted = convert(f'<base href="{escape(site)}/">{html}' if site else html).text
    except SourceError:
        return markdown
    return _truer(markdown, converted) if markdown and converted.strip() else markdown or converted.strip() or None


def _truer(markdown: str, converted: str) -> str:
    """Of two ways to write a comment, the one that lost fewer formulas; if equal, the one with fewer backslashes."""
    theirs, ours = _formulas(markdown), _formulas(converted)
    bare = re.sub(r"[\s\\]", "", converted)
    # Brackets with a backslash look like a formula, but may be brackets.
    only_theirs = {formula for formula in theirs.values() if f"[{formula}]" not in bare} - set(ours.values())
    only_ours = set(ours.values()) - set(theirs.values())
    if len(only_ours) != len(only_theirs):
        return converted if len(only_ours) > len(only_theirs) else markdown
    shared = set(ours.values())
    return converted if _escapes(markdown, theirs, shared) > _escapes(converted, ours, shared) else markdown


def _formulas(text: str) -> dict[tuple[int, int], str]:
    """Where formulas stand, without their marks, spaces and backslashes, which the two ways of writing may double."""
    found = {}
    for start, end in protected_ranges(text):
        formula = re.sub(r"[\s\\]", "", text[start:end].strip("$ \n"))
        found[start, end] = formula[1:-1] if text[start:end].startswith(("\\(", "\\[")) else formula
    return found


def _escapes(text: str, formulas: Mapping[tuple[int, int], str], true: set[str]) -> int:
    inside = [place for place, formula in formulas.items() if formula in true]
    return sum(not any(a <= match.start() < b for a, b in inside) for match in _ESCAPE.finditer(text))


def nested(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside a row; an empty one where there is none."""
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}
