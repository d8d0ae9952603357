"""The visible text of an answer and its citations: numbers them, and lets no text forge one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rag.citations.keys import KeyedSentence
from rag.citations.quotes import CitedAt, QuoteCheck
from rag.citations.spans import cite
from rag.records import Citation


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence of an answer, and what it cites."""

    start: int
    end: int
    """Offsets into `CitedText.text`; the markers that follow the sentence are inside."""
    text: str
    """The sentence without its markers."""
    evidence: tuple[KeyedSentence, ...]
    """The cited sentences, in the order of the markers."""
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CitedText:
    """An answer's text with `[n]` markers, and the evidence behind each."""

    text: str
    citations: tuple[Citation, ...]
    dropped: int
    """Citations that did not reach the reader: unknown keys, made-up numbers."""
    dropped_marks: tuple[str, ...] = ()
    """The first of them, as the model wrote them."""
    sentences: tuple[CitedSentence, ...] = ()
    quotes: tuple[QuoteCheck, ...] = ()
    """What became of every phrase in quotation marks; offsets into `text`."""


_MOST_DROPPED_KEPT = 20
_NUMBER_MARK = re.compile(r"\[(\d{1,20})\]")
_BEGUN = re.compile(r"(?:\[\d{0,20}|</?\w{0,12})\Z")
"""What may yet become a number's mark or a tag."""
HTML_NAME = re.compile(
    r"a|abbr|address|applet|area|article|aside|audio|b|base|bdi|bdo|blink|blockquote|body|br|button|canvas|"
    r"caption|center|cite|code|col|data|dd|del|details|dfn|dialog|div|dl|dt|em|embed|fieldset|figcaption|"
    r"figure|font|footer|form|frame|frameset|h1|h2|h3|h4|h5|h6|head|header|hr|html|i|iframe|img|input|ins|kbd|"
    r"label|legend|li|link|main|map|mark|marquee|math|meta|meter|nav|noscript|object|ol|optgroup|option|output|"
    r"p|param|picture|pre|progress|q|rp|rt|ruby|s|samp|script|section|select|slot|small|source|span|strike|"
    r"strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|tt|"
    r"u|ul|var|video|wbr",
    re.IGNORECASE,
)
_TAG_FORMED = re.compile(rf"<(?=/?(?:{HTML_NAME.pattern})(?:[\s/>]|\Z)|[!?])", re.IGNORECASE)
"""A tag that forms where something between vanished, as in `<scr<b>ipt>`."""
_LONG_NUMBER = re.compile(r"\[(?=\d{21})")
BLANK_LINE = re.compile(r"[\s>*+-]*(?:\d{1,3}[.)])?\s*\Z")
LINE_HEAD = 40


@dataclass(slots=True)
class Dropped:
    """Counts what did not reach the reader."""

    count: int = 0
    marks: list[str] = field(default_factory=list)

    def add(self, marks: Sequence[str]) -> None:
        self.count += len(marks)
        self.marks += [mark[:40] for mark in marks[: _MOST_DROPPED_KEPT - len(self.marks)]]


class Printer:
    """The visible text. Numbers citations by first use, and keeps forged ones and links from forming."""

    def __init__(self, dropped: Dropped) -> None:
        self.parts: list[str] = []
        self.numbers: dict[str, int] = {}
        self._dropped = dropped
        self._cited: dict[str, dict[tuple[int, int], KeyedSentence]] = {}
        self._repointed: set[str] = set()
        self._length = 0
        self._taken = 0
        self._begun = ""
        self._last = ""
        self._line = ""
        self._defines = False

    @property
    def position(self) -> int:
        """Length of the text so far."""
        return self._length + len(self._begun)

    def take(self) -> str:
        """What was printed since the last time."""
        new = "".join(self.parts[self._taken :])
        self._taken = len(self.parts)
        return new

    def text(self, text: str) -> None:
        """Print text; a `[7]` in it, or one that forms where something between vanished, is dropped."""
        joined = _LONG_NUMBER.sub("[ ", self._begun + text)
        self._begun = ""
        self._dropped.add(_NUMBER_MARK.findall(joined))
        joined = _TAG_FORMED.sub("< ", _NUMBER_MARK.sub("", joined))
        if begun := _BEGUN.search(joined):
            joined, self._begun = joined[: begun.start()], begun[0]
        if self._last == "]" and (joined[:1] == "(" or (joined[:1] == ":" and self._defines)):
            joined = f" {joined}"
        self._print(joined.replace("](", "] (").replace("]:", "] :"), defines=True)

    def raw(self, text: str) -> None:
        """Print code or a formula."""
        self.flush()
        self._print(text, defines=False)

    def marker(self, cited: CitedAt) -> tuple[int, ...]:
        """Print the numbers of what is cited."""
        self.flush()
        numbers = []
        for keyed in cited.sentences:
            comment = keyed.passage.comment_id
            numbers.append(self.numbers.setdefault(comment, len(self.numbers) + 1))
            self._cited.setdefault(comment, {})[keyed.start, keyed.end] = keyed
            if cited.repointed:
                self._repointed.add(comment)
        numbers = list(dict.fromkeys(numbers))
        defines = not self._line.strip()
        self._print("".join(f"[{number}]" for number in numbers), defines=defines)
        return tuple(numbers)

    def flush(self) -> None:
        begun, self._begun = self._begun, ""
        self._print(_TAG_FORMED.sub("< ", begun), defines=True)

    def citations(self) -> tuple[Citation, ...]:
        """The citations of all printed numbers."""
        return tuple(
            replace(
                cite(number, self._cited[comment].values()),
                verdict="repointed" if comment in self._repointed else "verbatim",
            )
            for comment, number in self.numbers.items()
        )

    def _print(self, text: str, *, defines: bool) -> None:
        if not text:
            return
        self.parts.append(text)
        self._length += len(text)
        self._last = text[-1]
        self._defines = defines
        _, newline, line = text.rpartition("\n")
        self._line = (line if newline else self._line + line)[:LINE_HEAD]
