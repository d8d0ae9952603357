"""Normalise text for comparison, keeping for each character its offset in the source."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rag.citations.keys import INVISIBLE
from rag.records import Range

_DOUBLE_QUOTES = '"“”„‟″«»「」『』＂'
_SINGLE_QUOTES = "'‘’‚‛′´`ʼ＇"
HYPHENS = "-‐‑−﹣－"
_DASHES = "—―–‒"
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_LINK = re.compile(
    r"\[([^\[\]\n]{1,300})\]\((?:[a-z][a-z0-9+.-]{1,20}:|/|#|\?)[^\s()]*+(?:\([^\s()]*+\)[^\s()]*+)*+\)", re.I
)
_CAPITAL = re.compile(r"\[([^\W\d_])\](?=\w)")

_UNIT = re.compile(
    r"(?P<ellipsis>\[\s?(?:…|\.\s?\.\s?\.)\s?\]|\(\s?(?:…|\.\.\.)\s?\)|…+|\.(?:[ \u00a0]?\.){2,})"
    r"|(?P<line>(?:\A|\n)(?:[^\S\n]*+(?:>|[-*+•–](?=\s)|\#{1,6}(?=\s)))++)"
    r"|(?P<dash>[—―‒]+|--+|(?<=[^\S\n])[-‐‑−–](?=[^\S\n])|(?<!\d)–|–(?!\d))"
    r"|(?P<space>\s)"
    r"|(?P<emphasis>\*+|_+|~~+|`+)"
    r"|(?P<escape>\\(?=[!-/:-@\[-`{-~]))"
    r"|(?P<letter>[\u1100-\u11ff]++|.[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    r"\u3099\u309a\ufe20-\ufe2f]*+)",
    re.DOTALL,
)


@dataclass(slots=True)
class Normalised:
    """A text in the form in which quotations are compared, and where each character came from."""

    raw: str
    text: str
    starts: list[int]
    ends: list[int]

    def span(self, start: int, end: int) -> Range:
        """The range of `raw` that the range of `text` came from."""
        return self.starts[start], self.ends[end - 1]


def normalise(raw: str) -> Normalised:
    """The form in which quotations are compared (see the module), with offsets."""
    out = _Builder()
    ignored = _ignored(raw)
    for unit in _UNIT.finditer(raw):
        start, end = unit.span()
        if unit.lastgroup == "letter":
            if start not in ignored:
                out.letters(unit[0], start, end)
        elif unit.lastgroup == "space" or unit.lastgroup == "line":
            out.space(start, end)
        elif unit.lastgroup == "dash":
            out.dash(start, end)
        elif unit.lastgroup == "ellipsis":
            out.letters("…", start, end)
        elif unit.lastgroup == "emphasis" and not _is_emphasis(raw, start, end):
            for at in range(start, end):
                out.letters(raw[at], at, at + 1)
    return Normalised(raw, "".join(out.chars), out.starts, out.ends)


def _ignored(raw: str) -> set[int]:
    """Places of brackets and addresses of links, and of the brackets in `[T]he`."""
    places: set[int] = set()
    if "[" not in raw:
        return places
    for found in (*_LINK.finditer(raw), *_CAPITAL.finditer(raw)):
        places |= {*range(found.start(), found.start(1)), *range(found.end(1), found.end())}
    return places


def _is_emphasis(raw: str, start: int, end: int) -> bool:
    """Marks at the edge of a word are emphasis; between two letters or two spaces they are text."""
    if raw[start] in "`~":
        return True
    before, after = raw[start - 1 : start], raw[end : end + 1]
    if before.isalnum() and after.isalnum():
        return False
    return not ((not before or before.isspace()) and (not after or after.isspace()))


class _Builder:
    """Collects normalised characters; white space and dashes swallow what surrounds them."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._after_dash = False

    def letters(self, text: str, start: int, end: int) -> None:
        text = unicodedata.normalize("NFC", text)
        for char in text.translate(INVISIBLE):
            for plain in self._plain(char):
                self._add(plain, start, end)

    def space(self, start: int, end: int) -> None:
        if self._after_dash or not self.chars:
            return
        if self.chars[-1] != " ":
            self._add(" ", start, end)

    def dash(self, start: int, end: int) -> None:
        if self.chars and self.chars[-1] == " ":
            for kept in (self.chars, self.starts, self.ends):
                kept.pop()
        self._add("-", start, end)
        self._after_dash = True

    def _plain(self, char: str) -> str:
        if char in _DOUBLE_QUOTES:
            # 5" is a length and 5' another; elsewhere a quotation within a quotation changes its marks.
            return '"' if self.chars and self.chars[-1].isdigit() else "'"
        if char in _SINGLE_QUOTES:
            return "'"
        if char in HYPHENS or char in _DASHES:
            return "-"
        return _LIGATURES.get(char, char)

    def _add(self, char: str, start: int, end: int) -> None:
        self.chars.append(char)
        self.starts.append(start)
        self.ends.append(end)
        self._after_dash = False
