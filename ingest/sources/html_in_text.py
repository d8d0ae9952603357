"""Columns of text that hold HTML after all, as in the exports of many forums.

A text is HTML if each of its `<` begins a tag of HTML, and tags lay it out and are not spoken of. What compares with
`<`, shows code, or has other tags (`<think>`) is none. In doubt a text stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import unescape
from itertools import pairwise, starmap
from typing import NamedTuple

from ingest.marked_quotes import others_words
from ingest.sources.base import Markup
from rag.errors import SourceError

_TAG = re.compile(
    r"""<(?P<close>/)?(?P<name>[a-z][a-z0-9]{0,9})(?:\s+(?!on)[a-z][a-z-]*=(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?>""",
    re.IGNORECASE,
)
_ENDLESS = frozenset("br hr img".split())
_OFTEN_OPEN = frozenset("p li td th tr dt dd".split())
_BLOCKS = _OFTEN_OPEN | set(
    "article aside blockquote div dl figcaption figure h1 h2 h3 h4 h5 h6 hr ol pre section table tbody tfoot thead ul".split()
)
_EMPHASIS = frozenset("b big cite code del em font i ins kbd q small span strike strong sub sup tt u".split())
_CODE = re.compile(r"`+[^`\n]*`+")
_BLOCK_OF_CODE = re.compile(r"^(?:```|~~~)|\n[ \t]*\n(?: {4}|\t)", re.MULTILINE)
_BEFORE_WORD, _AFTER_WORD = re.compile(r"[\s(\[{\"'“‘]"), re.compile(r"[\s)\]}\"'”’.,;:!?]")
_LINE_END = re.compile(r"\r\n|\r|\n")
_ENTITY = re.compile(r"&#?\w{1,10};")
_BARE = re.compile(r"[<>]|&(?!#?\w{1,10};)")
_ESCAPED = re.compile(r"^[ \t]*&gt;|\w&(?:#x27|#0?39|apos|#x2F);\w|&quot;\w", re.MULTILINE)
"""What nobody types: a quotation behind `&gt;`, an entity within a word."""


class _Tag(NamedTuple):
    text: str
    name: str
    closes: bool
    before: str
    """The text between the tag before and this one."""
    after: str


def as_markdown(text: str) -> Markup | None:
    """The markdown that a text stands for if it is HTML, or escaped as in HTML; None if it is neither."""
    tags = list(_tags(text))
    escaped = "&" in text and _ESCAPED.search(text)
    marked = any(map(_marks_up, tags)) or any(starmap(_closes_block, pairwise(tags)))
    if tags and (escaped or marked) and not any(map(_is_word, tags)) and (html := _nested(tags)):
        from ingest.sources.markup import markdown

        with suppress(SourceError):
            return markdown(html)
    if escaped and not _BARE.search(text):
        plain = _ENTITY.sub(lambda entity: unescape(entity[0]), text).replace("\xa0", " ")
        return Markup(plain, others_words(plain))
    return None


def _tags(text: str) -> Iterator[_Tag]:
    """All tags of a text; none if it has a `<` that begins no tag of HTML, or tags in what markdown calls code."""
    found = list(_TAG.finditer(text)) if "<" in text else []
    names = [tag["name"].lower() for tag in found]
    if len(found) != text.count("<") or not set(names) <= _ENDLESS | _BLOCKS | _EMPHASIS | {"a"}:
        return
    if _BLOCK_OF_CODE.search(text) or any("<" in code[0] for code in _CODE.finditer(text)):
        return
    edges = [0, *(edge for tag in found for edge in tag.span()), len(text)]
    between = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    for tag, name, (before, after) in zip(found, names, pairwise(between), strict=True):
        yield _Tag(tag[0], name, bool(tag["close"]), before, after)


def _is_word(tag: _Tag) -> bool:
    """Whether a tag stands in a sentence as a word does: "the <p> tag", "a break (<br>) helps", "write <li>x</li>"."""
    before, after = tag.before, tag.after
    example = tag.name in _BLOCKS - {"blockquote"} and not tag.closes and not before.endswith("\n")
    alone = _BEFORE_WORD.match(before[-1:]) and (example or _AFTER_WORD.match(after[:1]))
    return bool(alone and before.strip() and after.strip())


def _marks_up(tag: _Tag) -> bool:
    """Whether a tag links the text before it, ends it, or breaks it off. Emphasis alone may be typed; "if a<p>b" compares."""
    before, after = tag.before[-1:], tag.after[:1]
    if tag.closes:
        return bool(tag.before.strip()) and tag.name not in _EMPHASIS
    compares = before.isalnum() and after.isalnum() and not after.isupper() and tag.name != "br"
    return tag.name in {"br", *_OFTEN_OPEN} and not f"{before} ".isspace() and not compares


def _closes_block(emphasis: _Tag, block: _Tag) -> bool:
    """Whether a block ends with words that are set off: "<p>All <b>of it</b></p>"."""
    ends = emphasis.closes and bool(emphasis.before.strip())
    return ends and block.closes and block.name in _BLOCKS and not block.before.strip()


def _nested(tags: Sequence[_Tag]) -> str | None:
    """The text with its tags, and one for each line break outside of blocks; None if tags do not fit together."""
    opened: list[str] = []
    written, last = [], ""
    for tag in tags:
        inside = any(name in _BLOCKS for name in opened)
        written += [tag.before if inside else _with_breaks(tag.before, last, tag.name), tag.text]
        last = tag.name
        while tag.closes and opened and opened[-1] != tag.name and opened[-1] in _OFTEN_OPEN:
            opened.pop()
        if not tag.closes:
            opened += [] if tag.name in _ENDLESS else [tag.name]
        elif not opened or opened.pop() != tag.name:
            return None
    if not set(opened) <= _OFTEN_OPEN:
        return None
    return "".join(written) + (tags[-1].after if opened else _with_breaks(tags[-1].after, last, ""))


def _with_breaks(text: str, last: str, next: str) -> str:
    """A text between two tags. Beside those of blocks, line breaks mean nothing."""
    text = text.lstrip() if last in _BLOCKS or last == "br" else text
    return _LINE_END.sub("<br>", text.rstrip() if next in _BLOCKS else text)
