"""The lines of a text, and how each looks. Everything is answered in offsets; no text is ever changed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

# Only real line ends: a form feed or U+2028 inside a comment is not a new line to the person who wrote it.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BLANK = "\0\ufeff\u200b\u200c\u200d\u2060"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text that has something on it: `text[start:end]`, without the space around it."""

    number: int
    """Counted from 1, blank lines included."""
    start: int
    end: int
    text: str
    blanks_before: int
    """Blank lines between this line and the one before it."""


def lines_of(text: str) -> list[Line]:
    """The lines that are not blank, in order."""
    found = []
    blanks = 0
    for number, match in enumerate(_LINE.finditer(text), start=1):
        raw = match.group()
        body = raw.strip().strip(_BLANK).strip()
        if not body:
            blanks += 1
            continue
        start = match.start() + raw.index(body)
        found.append(Line(number, start, start + len(body), body, blanks))
        blanks = 0
    return found


_DRESSED = re.compile(r"[#\[!*]|\(BUTTON\)")
_DRESS = re.compile(r"^#{1,6}\s+|\[\d{1,4}\](?=\S)|\(BUTTON\)\s*|\*\*")
_BADGE = re.compile("(?<=\\w)\\s?[\u2600-\u26ff\U0001f300-\U0001faff\ufe0f\u200d]+$")
_LINK = re.compile(r"(?<!!)\[\s*([^\[\]\n]{1,200}?)\s*\]\([^()\s]*(?:\s\"[^\"\n]*\")?\)")


def bare(line: Line) -> Line:
    """The line without what converters of HTML put around the words of a page (marks of headings, links, buttons), and
    without the badge behind a name."""
    text = _BADGE.sub("", line.text) if len(line.text) <= 60 else line.text
    if len(text) <= 600 and _DRESSED.match(text):
        text = _DRESS.sub("", _LINK.sub(r"\1", text))
    text = " ".join(text.split()) if text != line.text or "\xa0" in text else text
    return replace(line, text=text) if text and text != line.text else line


_SENTENCE_END = re.compile(r"[.!?…:;][\"'”’)\]*_]*$|[)”\"]$|[:;]-?[)D(]$")


def ends_sentence(line: str) -> bool:
    """Whether a line ends as finished paragraphs do."""
    return _SENTENCE_END.search(line[-12:]) is not None


def could_be_title(line: str) -> bool:
    """Whether a line could be the title of a post: short, one line, no sentence."""
    return (
        8 <= len(line) <= 120
        and (line[0].isupper() or line[0] in '[“"')
        and line[-1] not in ".!,;:"
        and len(line.split()) >= 2
    )


def is_title_case(line: str) -> bool:
    """Whether most longer words of a line have a capital."""
    words = [word for word in re.findall(r"[^\W\d_][\w'’-]*", line) if len(word) >= 4]
    return len(words) >= 2 and sum(word[0].isupper() for word in words) >= 0.7 * len(words)


def join_wrapped(lines: list[Line], certain: set[int]) -> tuple[list[Line], set[int]]:
    """Where paragraphs were wrapped at a fixed width, join their lines: borders lie between paragraphs only."""
    inside = [index for index in range(1, len(lines)) if not lines[index].blanks_before]
    wrapped = [
        index
        for index in inside
        if 40 <= len(lines[index - 1].text) <= 120 and not ends_sentence(lines[index - 1].text)
    ]
    paragraphs = len(lines) - len(inside)
    if paragraphs < 3 or len(wrapped) < 0.5 * len(inside) or len(inside) < len(lines) / 3:
        return lines, certain
    joined: list[list[Line]] = []
    starts: set[int] = set()
    for index, line in enumerate(lines):
        if index in certain:
            starts.add(len(joined))
        if joined and not line.blanks_before and index not in certain:
            joined[-1].append(line)
        else:
            joined.append([line])
    return [_one_line(group) for group in joined], starts


def _one_line(group: list[Line]) -> Line:
    first = group[0]
    return Line(first.number, first.start, group[-1].end, " ".join(line.text for line in group), first.blanks_before)
