"""Plain text: profile dumps, and documents that are kept whole.

The text is the file decoded as UTF-8 and nothing else: newlines stay as they are, and so does a byte order mark, as
the first code point. Other encodings are refused, because offsets into them would refer to a text nobody can look up.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_LE
from collections.abc import Iterator, Mapping
from itertools import pairwise

from ingest.chrome import announced_comments
from ingest.lines import bare, lines_of
from ingest.profiles import looks_like_profile, page_starts
from ingest.sources.base import Problem, RawDocument, SourceFile

EXTENSIONS = (".txt", ".text", ".md", ".markdown")
_OTHERS = re.compile(
    r"[\ufeff\s]*+(?:(?P<json>\[?\s*\{\s*\"[^\"\n]{1,80}\"\s*:)|<!doctype html|<html\b)", re.IGNORECASE
)
LARGEST = 256 * 2**20
"""Bytes; a larger text is held to be something else."""


def read(file: SourceFile, columns: Mapping[str, str]) -> Iterator[RawDocument | Problem]:
    """Yield the one document of the file, or one for each saved page in it, or say why there is none.

    Args:
        columns: Of no use here; a text has none.
    """
    if file.size > LARGEST:
        what = f"{file.size:,} bytes are too large for one text."
        yield Problem(file.source, None, what, "Split the file.", rest_unread=True)
        return
    data = file.path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        yield not_utf8(file.source, data, exc)
        return
    problem = no_text(file.source, text)
    if problem:
        yield problem
        return
    kind = "profile" if looks_like_profile(text) else "document"
    if kind == "document":
        yield from _doubts(file.source, text)
    starts = page_starts(text) if kind == "profile" else [0]
    if len(starts) == 1:
        yield RawDocument(file.source, text, kind)
        return
    what = f"It holds {len(starts)} saved pages of users, one below the other: each was read by itself."
    yield Problem(file.source, None, what, "Nothing to do.", "note")
    for number, (start, end) in enumerate(pairwise([*starts, len(text)]), start=1):
        page = text[start:end]
        # What a sidecar says of the author is said of the first page: the others begin with their names.
        author = bare(lines_of(page)[0]).text if number > 1 else None
        yield RawDocument(f"{file.source}#{number}", page, kind, author=author)


def _doubts(source: str, text: str) -> Iterator[Problem]:
    """What a text may be that is read as a plain document."""
    if other := _OTHERS.match(text):
        name, ending = ("JSON", ".jsonl") if other["json"] else ("HTML", ".html")
        what, fix = f"The text looks like {name}, but was read as plain text.", f'Rename the file to end in "{ending}".'
        yield Problem(source, None, what, fix, "note")
    elif announced := announced_comments(text):
        what = f'The text says "{announced}", but is no saved page of a user: it was kept whole.'
        yield Problem(source, None, what, "If it has comments, give them as rows (JSON Lines).", "note")


def no_text(source: str, text: str) -> Problem | None:
    """Say if there is nothing to read in a text."""
    if not text.strip().strip("\ufeff\0").strip():
        return Problem(
            source, None, "The file has no text, only blanks.", "Save it again, or remove it.", rest_unread=True
        )
    return _without_mark(source, text.encode("utf-8"))


def foreign_encoding(source: str, data: bytes) -> Problem | None:
    """Say if a file begins with the mark of another encoding than UTF-8."""
    for mark, encoding in ((BOM_UTF32_LE, "utf-32"), (BOM_UTF16_LE, "utf-16"), (BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            what = f"The file is {encoding.upper()}, not UTF-8."
            return Problem(source, None, what, f"Save it as UTF-8: iconv -f {encoding} -t utf-8.", rest_unread=True)
    return None


def _without_mark(source: str, data: bytes) -> Problem | None:
    """Say if half of the bytes, or nearly, are the empty halves of UTF-16's characters."""
    if data.count(0) * 5 <= len(data):
        return None
    encoding = "utf-16le" if data[1::2].count(0) >= data[::2].count(0) else "utf-16be"
    what = "The file is UTF-16 without a mark, or no text at all."
    return Problem(source, None, what, f"Save it as UTF-8: iconv -f {encoding} -t utf-8.", rest_unread=True)


def not_utf8(source: str, data: bytes, exc: UnicodeDecodeError, line: int | None = None) -> Problem:
    """Explain a decoding error: the encoding if it can be told, else the line and byte.

    Args:
        data: The whole file, or the row that starts on `line`.
    """
    foreign = foreign_encoding(source, data) or _without_mark(source, data)
    if foreign:
        return foreign
    whole = line is None
    where = f"byte {exc.start + 1:,} of the {'file' if whole else 'row'}, 0x{data[exc.start]:02x}, fits no character"
    fix = "Save it as UTF-8; if it came from Windows: iconv -f windows-1252 -t utf-8."
    line = data.count(b"\n", 0, exc.start) + 1 if line is None else line
    return Problem(source, line, f"Not UTF-8: {where}.", fix, rest_unread=whole, row_unread=not whole)
