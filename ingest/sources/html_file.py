"""Saved web pages: forum pages give their comments and posts, any other page its readable text as one document.

The text of a source is the markdown made of it: HTML has no code points that a reader could count.
"""

from __future__ import annotations

import re
from codecs import lookup
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ingest.chrome import announced_comments
from ingest.sources import forum_page
from ingest.sources.base import Entry, LeftOut, Problem, RawDocument, SourceFile
from ingest.sources.rows import Rows
from ingest.sources.text_file import no_text, not_utf8
from rag.errors import SourceError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

EXTENSIONS = (".html", ".htm", ".xhtml")
LARGEST = 64 * 2**20
"""Bytes; a page is parsed as a whole."""
MOST_TAGS = 500_000
"""A long thread of a thousand comments has about a tenth."""
_DECLARED = re.compile(
    rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]+encoding=["']([\w.:-]+)""", re.IGNORECASE
)
_SAVED_FROM = re.compile(r"<!--[^>]{0,200}?(?:saved from url=\(\d+\)|url:\s*)(https?://[^\s>]+)")
_CHROME = "nav, header, footer, aside, form, dialog, [role=navigation], [role=banner], [hidden], [aria-hidden=true]"


def read(file: SourceFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Problem]:
    """Yield what the page holds. Lines are the comments of a forum page, counted from 1."""
    from ingest.sources.markup import parse

    if file.size > LARGEST:
        what = f"{file.size:,} bytes are too large for one page."
        yield Problem(file.source, None, what, "Save a smaller page.", rest_unread=True)
        return
    data = file.path.read_bytes()
    html = _decoded(file, data)
    if isinstance(html, Problem):
        yield html
        return
    problem = no_text(file.source, html)
    if html.count("<") > 2 * MOST_TAGS:
        what = f"More than {MOST_TAGS:,} tags are too many for one page."
        problem = Problem(file.source, None, what, "Save a smaller page.", rest_unread=True)
    if problem:
        yield problem
        return
    try:
        page = parse(html)
    except ValueError as exc:
        what = f"The HTML cannot be parsed ({exc})."
        yield Problem(file.source, None, what, "Save the page again.", rest_unread=True)
        return
    address = _address(page, html)
    rows = Rows(file, {})
    found = commented = False
    for number, entry in enumerate(forum_page.entries(page, address), start=1):
        found = True
        commented = commented or isinstance(entry, LeftOut) or (isinstance(entry, Entry) and entry.kind == "comment")
        if isinstance(entry, Problem):
            yield rows.problem(number, entry.what, entry.fix)
        else:
            yield from rows.add(entry, number)
    if found:
        yield from rows.finish()
    for chrome in page.select(_CHROME):
        chrome.decompose()
    announced = None if commented else announced_comments("\n".join(page.stripped_strings))
    if announced:
        what = f'The page says "{announced}", but no comment was recognised in it.'
        fix = "Save it when its comments are loaded, or give them as rows (JSON Lines)."
        yield Problem(file.source, None, what, fix, "note")
    if not found:
        yield _document(file, page, address)


def _document(file: SourceFile, page: BeautifulSoup, address: str | None) -> RawDocument | Problem:
    from ingest.sources.markup import markdown

    title = " ".join(page.title.get_text().split()) if page.title else None
    articles = page.select("article:not(article article)")
    body = articles[0] if len(articles) == 1 else page.select_one("main") or page.body or page
    base = f'<base href="{escape(address)}">' if address else ""
    try:
        text, quoted, gaps = markdown(f"{base}{body}")
    except SourceError as exc:
        return Problem(file.source, None, str(exc), "Save the page again, or its text.", rest_unread=True)
    if not text:
        return Problem(
            file.source, None, "The page has no readable text.", "Save it when it is loaded.", rest_unread=True
        )
    return RawDocument(file.source, text, "document", url=address, title=title, quoted=quoted, gaps=gaps)


def _decoded(file: SourceFile, data: bytes) -> str | Problem:
    declared = _DECLARED.search(data[:4096])
    encoding = "utf-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif declared and not data.startswith(b"\xef\xbb\xbf"):
        encoding = (declared[1] or declared[2]).decode("ascii")
    try:
        # Browsers read these as what Windows made of them (https://encoding.spec.whatwg.org/#names-and-labels).
        encoding = "windows-1252" if lookup(encoding).name in ("ascii", "iso8859-1") else encoding
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        problem = not_utf8(file.source, data, exc)
        what = problem.what.replace("Not UTF-8", f"Not {encoding.upper()}")
        return Problem(file.source, problem.line, what, "Save the page again.", rest_unread=True)
    except (LookupError, ValueError):
        what = f'The page says it is "{encoding}", which is no encoding.'
        return Problem(file.source, 1, what, "Save it as UTF-8.", rest_unread=True)


def _address(page: BeautifulSoup, html: str) -> str | None:
    """Where the page came from, as it says itself or as the browser noted when it was saved."""
    for selector, name in (('link[rel="canonical"]', "href"), ('meta[property="og:url"]', "content"), ("base", "href")):
        element = page.select_one(f"{selector}[{name}]")
        if element is not None and _is_address(str(element[name])):
            return str(element[name])
    saved = _SAVED_FROM.search(html[:8192])
    return saved[1] if saved and _is_address(saved[1]) else None


def _is_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in ("http", "https") and "://" in text
    except ValueError:
        return False
