"""From a model's words to what a reader sees: sentence keys become `[1]`, `[2]` with exact spans behind them.

The model is shown sentences under unguessable keys (keys.py) and cites keys; everything else that looks like a citation
is dropped and counted. `MarkerStream` is the only place that decides what a reader sees. It reads the reply in one pass
with bounded look-ahead, so the result does not depend on how the reply was cut into chunks, and the time is linear.

What reaches the reader:

- A key in square, round or CJK brackets, alone, in a list or as a range, becomes `[n]`; so does a key that stands bare.
- Unknown keys, numbers in square brackets and footnote marks are dropped. An interval such as `[0, 1]` is kept.
- Code keeps every character. So do formulas, except that `[3]` in one is written `[{3}]`, which sets the same, and
  that commands which link, load, style or define lose their backslash.
- Links and images become their text, also those to a cited comment (its address stands with the citation): nothing
  in an answer may call home. HTML tags, comments, invisible and bidirectional controls vanish.
- Words in quotation marks are looked up (quotes.py) before they are shown.

A reply passes three stages: `MarkerStream` finds markers, links, code and formulas; `_Writer` settles the white space
round markers; `_Sentences` holds a sentence back from its first quotation or marker until it is whole and reviewed;
`_Printer` numbers the citations and sees to it that nothing forges one. Whether a citation supports its sentence is
for support.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rag.citations.keys import CODE, INVISIBLE, LABEL, KeyedSentence, KeyReader, Mark
from rag.citations.quotes import CitedAt, QuoteBook, QuoteCheck, has_open_quotation, quotation_ranges
from rag.records import Citation, Passage, Range, Span
from rag.language.sentences import split_sentences


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


# --- Numbering and printing -------------------------------------------------------------------------------------------

_MOST_DROPPED_KEPT = 20
_NUMBER_MARK = re.compile(r"\[(\d{1,20})\]")
_BEGUN = re.compile(r"(?:\[\d{0,20}|</?\w{0,12})\Z")
"""What may yet become a number's mark or a tag."""
_HTML_NAME = re.compile(
    r"a|abbr|address|applet|area|article|aside|audio|b|base|bdi|bdo|blink|blockquote|body|br|button|canvas|"
    r"caption|center|cite|code|col|data|dd|del|details|dfn|dialog|div|dl|dt|em|embed|fieldset|figcaption|"
    r"figure|font|footer|form|frame|frameset|h1|h2|h3|h4|h5|h6|head|header|hr|html|i|iframe|img|input|ins|kbd|"
    r"label|legend|li|link|main|map|mark|marquee|math|meta|meter|nav|noscript|object|ol|optgroup|option|output|"
    r"p|param|picture|pre|progress|q|rp|rt|ruby|s|samp|script|section|select|slot|small|source|span|strike|"
    r"strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track|tt|"
    r"u|ul|var|video|wbr",
    re.IGNORECASE,
)
_TAG_FORMED = re.compile(rf"<(?=/?(?:{_HTML_NAME.pattern})(?:[\s/>]|\Z)|[!?])", re.IGNORECASE)
"""A tag that forms where something between vanished, as in `<scr<b>ipt>`."""
_LONG_NUMBER = re.compile(r"\[(?=\d{21})")
_BLANK_LINE = re.compile(r"[\s>*+-]*(?:\d{1,3}[.)])?\s*\Z")
_LINE_HEAD = 40


@dataclass(slots=True)
class _Dropped:
    """Counts what did not reach the reader."""

    count: int = 0
    marks: list[str] = field(default_factory=list)

    def add(self, marks: Sequence[str]) -> None:
        self.count += len(marks)
        self.marks += [mark[:40] for mark in marks[: _MOST_DROPPED_KEPT - len(self.marks)]]


class _Printer:
    """The visible text. Numbers citations by first use, and keeps forged ones and links from forming."""

    def __init__(self, dropped: _Dropped) -> None:
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
        self._line = (line if newline else self._line + line)[:_LINE_HEAD]


# --- Whole sentences --------------------------------------------------------------------------------------------------

_SENTENCE_LIMIT = 4000
_MOST_REFUSED = 50
"""Full stops that end no sentence, after which none is looked at any more until the line ends."""
_TERMINATORS = ".!?…。！？"
_SENTENCE_END = rf"[{_TERMINATORS}](?![{_TERMINATORS}])[\"'”’»)\]*_」』]*\s+"
_BORDER = re.compile(rf"{_SENTENCE_END}(\S{{100}}|\S{{1,99}}(?=\s))")
_BORDER_PENDING = re.compile(rf"{_SENTENCE_END}(\S{{0,99}})\Z")
_QUOTE_OPENING = re.compile(r"[“„«‘「『\"]|(?<!\w)'|^\s*>")


class _Sentences:
    """Gathers sentences. One that quotes or cites is held back from there on, until it is whole and reviewed."""

    def __init__(self, printer: _Printer, quotes: QuoteBook | None) -> None:
        self.done: list[CitedSentence] = []
        self.checks: list[QuoteCheck] = []
        self._printer = printer
        self._quotes = quotes
        self._bare = ""
        self._raws: list[Range] = []
        self._marks: list[CitedAt] = []
        self._printed = 0
        self._marks_printed = 0
        self._start: int | None = None
        self._numbers: list[int] = []
        self._held_from: int | None = None
        self._scan = 0
        self._refused = 0

    def text(self, text: str) -> None:
        while text:
            line, newline, text = text.partition("\n")
            while line:
                room = _SENTENCE_LIMIT - len(self._bare)
                self._bare += line[:room]
                line = line[room:]
                self._release_whole()
                self._show()
                if len(self._bare) >= _SENTENCE_LIMIT:
                    self.close()
            if newline:
                self.close()
                self._printer.text("\n")

    def raw(self, text: str) -> None:
        """A formula or code within a sentence; borders are looked for before it, never in it."""
        last_word = self._last_word()
        start = len(self._bare)
        self._bare += text
        self._raws.append((start, len(self._bare)))
        if last_word is not None and self._is_border(last_word, len(self._bare)):
            self._release(last_word)
        self._scan = len(self._bare)
        self._show()

    def block(self, text: str) -> None:
        """A line of a block of code: no part of any sentence."""
        self.close()
        self._printer.raw(text)

    def mark(self, sentences: tuple[KeyedSentence, ...], lead: str) -> None:
        """A marker, and the white space in front of it."""
        self._marks.append(CitedAt(len(self._bare), sentences, lead))
        self._show()
        if self._quotes is not None and self._held_from is None:
            self._held_from = len(self._bare)

    def close(self) -> None:
        """The line is over."""
        last_word = self._last_word()
        if self._quotes is not None and has_open_quotation(self._bare, self._raws):
            self._release_all()  # what waited for the end of a quotation
        elif last_word is not None and self._is_border(last_word, len(self._bare)):
            self._release(last_word)
        self._release(len(self._bare))

    def _release_all(self) -> None:
        done, held_from = 0, self._held_from or 0
        for start, _ in split_sentences(self._bare, self._protected(self._bare)):
            if start > held_from:
                self._release(start - done)
                done = start

    def _protected(self, text: str) -> list[Range]:
        """Code, formulas and quotations are not split."""
        ranges = sorted([*((a, b) for a, b in self._raws if b <= len(text)), *quotation_ranges(text, self._raws)])
        merged: list[Range] = []
        for start, end in ranges:
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _release_whole(self) -> None:
        """Release sentences that are over. A border shows once the word behind it is whole, wherever chunks end."""
        while self._refused < _MOST_REFUSED and (border := _BORDER.search(self._bare, self._scan)):
            if self._is_border(border.start(1), border.end()):
                self._release(border.start(1))
            else:
                self._scan = border.start(1)
                self._refused += 1
        self._scan += self._searched(self._bare[self._scan :])

    @staticmethod
    def _searched(rest: str) -> int:
        """How much of the text need not be searched again: a border may yet begin in the last two words."""
        words = rest.rsplit(None, 2)
        if len(words) == 3:
            return len(words[0])
        if len(words) == 1 and not rest[-1].isspace():
            end = max(rest.rfind(mark) for mark in _TERMINATORS)
            return end if end >= 0 else len(rest)
        return 0

    def _is_border(self, start: int, end: int) -> bool:
        text = self._bare[:end]
        if text.lstrip().startswith(">"):
            return False
        if self._quotes is not None and has_open_quotation(text[:start], self._raws):
            return False
        return any(first == start for first, _ in split_sentences(text, self._protected(text)))

    def _last_word(self) -> int | None:
        """Where the last word starts, if it may be the first of a new sentence."""
        pending = _BORDER_PENDING.search(self._bare, self._scan)
        return pending.start(1) if pending else None

    def _show(self) -> None:
        if self._held_from is not None or not (self._marks or self._bare.strip()):
            return  # what a line begins with shows whether it is a quotation
        end = self._last_word()
        end = len(self._bare) if end is None else end
        if self._quotes is not None and (opening := self._opening()) is not None:
            end, self._held_from = min(end, opening), opening
        self._print(end, self._marks)

    def _opening(self) -> int | None:
        """Where the first quotation mark stands that is not in code or a formula."""
        position = self._printed
        while opening := _QUOTE_OPENING.search(self._bare, position):
            if not any(a < opening.end() <= b for a, b in self._raws):
                return opening.start()
            position = opening.end()
        return None

    def _release(self, end: int) -> None:
        """Review and print the sentence that ends here, and start the next."""
        text = self._bare[:end]
        marks = [mark for mark in self._marks if mark.at <= end]
        later = [replace(mark, at=mark.at - end) for mark in self._marks[len(marks) :]]
        review = None
        if self._held_from is not None and self._quotes is not None:
            review = self._quotes.review(text, marks, [raw for raw in self._raws if raw[1] <= end])
            marks = list(review.cited)
        removed = frozenset(review.removed) if review else frozenset()
        checks = review.checks if review else ()
        notes = review.notes if review else ()
        places = self._print(end, marks, removed, {at for check in checks for at in (check.start, check.end)}, notes)
        self.checks += [replace(check, start=places[check.start], end=places[check.end]) for check in checks]
        self._note("".join(char for at, char in enumerate(text) if at not in removed).strip(), marks)
        self._bare = self._bare[end:]
        self._raws = [(a - end, b - end) for a, b in self._raws if a >= end]
        self._marks = later
        self._printed = self._marks_printed = self._scan = self._refused = 0
        self._start, self._numbers = None, []
        self._held_from = 0 if later and self._quotes is not None else None

    def _note(self, text: str, marks: Sequence[CitedAt]) -> None:
        """Remember the sentence; markers without one belong to the sentence before them."""
        evidence = {(keyed.passage.id, keyed.start, keyed.end): keyed for mark in marks for keyed in mark.sentences}
        numbers = self._numbers
        start = self._printer.position if self._start is None else self._start
        if not any(char.isalnum() for char in text):
            if not marks or not self.done:
                return
            last = self.done.pop()
            before = {(keyed.passage.id, keyed.start, keyed.end): keyed for keyed in last.evidence}
            start, text, evidence, numbers = last.start, last.text, before | evidence, [*last.numbers, *numbers]
        sentence = CitedSentence(
            start, self._printer.position, text, tuple(evidence.values()), tuple(dict.fromkeys(numbers))
        )
        self.done.append(sentence)

    def _print(
        self,
        end: int,
        marks: Sequence[CitedAt],
        removed: frozenset[int] = frozenset(),
        cuts: Iterable[int] = (),
        notes: Sequence[tuple[int, str]] = (),
    ) -> dict[int, int]:
        """Print what was not yet printed up to `end`.

        Returns:
            Where in the visible text the offsets `cuts` of the sentence are.
        """
        if self._start is None and self._bare[self._printed : end].strip():
            self._start = self._printer.position
        places: dict[int, int] = {}
        due = [mark for mark in marks[self._marks_printed :] if mark.at <= end]
        stops = sorted({*cuts, *(mark.at for mark in due), *(at for at, _ in notes), end})
        for stop in stops:
            self._print_text(stop, removed)
            places[stop] = self._printer.position
            for note in (note for at, note in notes if at == stop):
                self._printer.text(note)
            for mark in (mark for mark in due if mark.at == stop):
                self._printer.text(mark.lead)
                self._numbers += self._printer.marker(mark)
                self._marks_printed += 1
        return places

    def _print_text(self, end: int, removed: frozenset[int]) -> None:
        position = self._printed
        for start, stop in [*((a, b) for a, b in self._raws if position <= a and b <= end), (end, end)]:
            plain = self._bare[position:start]
            if removed:
                plain = "".join(char for at, char in enumerate(plain, position) if at not in removed)
            self._printer.text(plain)
            if start < stop:
                self._printer.raw(self._bare[start:stop])
            position = stop
        self._printed = max(self._printed, end)


# --- White space round markers ----------------------------------------------------------------------------------------

_CLOSING = frozenset(".,;:!?)]}…»”’\"'")
_JOINT = re.compile(r"[,;][,;\s]*")


class _Writer:
    """Settles white space: what surrounds a dropped marker goes with it, neighbouring markers stand together."""

    def __init__(self, sentences: _Sentences, dropped: _Dropped) -> None:
        self._sentences = sentences
        self._dropped = dropped
        self._space: list[str] = []
        self._cluster: list[Mark] | None = None
        self._cluster_space = ""
        self._line = ""
        self._empty = True

    @property
    def at_line_start(self) -> bool:
        """Whether the line so far holds nothing but white space, quotation and list marks."""
        return self._blank("".join(self._space))

    def _blank(self, space: str) -> bool:
        _, newline, line = space.rpartition("\n")
        head = line if newline else self._line + line
        return len(head) < _LINE_HEAD and _BLANK_LINE.match(head) is not None

    def text(self, text: str) -> None:
        """Write text in which nothing counts as a citation any more."""
        body = text.strip()
        if not body:
            self._space.append(text)
            return
        lead = len(text) - len(text.lstrip())
        self._space.append(text[:lead])
        trail = text[lead + len(body) :]
        if self._cluster is not None and (joint := _JOINT.match(body)):
            rest = body[joint.end() :].lstrip()
            self._space.append(body[: len(body) - len(rest)])
            body = rest
        if body:
            self._settle(body[0])
            self._write(body)
        self._space.append(trail)

    def raw(self, text: str) -> None:
        """Write a formula or code within a line as it is."""
        self._settle(text[:1])
        self._sentences.raw(text)
        self._advance(text)

    def block(self, text: str) -> None:
        """Write a line of a block of code as it is."""
        self._settle(text[:1])
        self._sentences.block(text)
        self._advance(text)

    def mark(self, mark: Mark) -> None:
        """Note a marker; neighbours are written together."""
        if self._cluster is not None and any("\n" in space for space in self._space):
            self._settle("")
        if self._cluster is None:
            self._cluster, self._cluster_space, self._space = [], "".join(self._space), []
        self._space = []
        self._cluster.append(mark)
        self._dropped.add(mark.dropped)

    def close(self) -> None:
        """The reply is over; white space at its end is left out."""
        self._settle("")
        self._sentences.close()

    def _settle(self, following: str) -> None:
        """Write what is pending in front of text that begins with `following` ("" if none does)."""
        space = "".join(self._space)
        self._space = []
        if self._cluster is not None:
            found = {keyed.key: keyed for mark in self._cluster for keyed in mark.sentences}
            self._cluster = None
            if found:
                lead = "" if self._empty else self._cluster_space
                self._sentences.mark(tuple(found.values()), lead)
                self._advance(lead + "]")
            else:
                space = self._space_without_mark(space, following)
        if following:
            self._write("" if self._empty else space)
        elif "\n" in space:
            self._space = [space]

    def _space_without_mark(self, space: str, following: str) -> str:
        lead = self._cluster_space
        if self._blank(lead):
            return lead + (space if "\n" in space else space.lstrip(" \t,;"))
        return space if space or following in _CLOSING or not following else lead

    def _write(self, text: str) -> None:
        self._sentences.text(text)
        self._advance(text)

    def _advance(self, text: str) -> None:
        self._empty = self._empty and not text
        _, newline, line = text.rpartition("\n")
        self._line = (line if newline else self._line + line)[:_LINE_HEAD]


# --- Reading the reply ------------------------------------------------------------------------------------------------

_SLICE = 4096
"""The reply is read in slices of this size, so that what is held back stays small."""
_GROUP_LIMIT = 500
_TARGET_LIMIT = 2000
_CODE_LIMIT = 400
_MATH_LIMIT = 2000
_TAG_LIMIT = 1000
_ROUND_LIMIT = 120

_SQUARE = re.compile(r"\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*+\])*+\])*+\]|【[^【】]*+】|［[^［］]*+］|〔[^〔〕]*+〕")
_ROUND = re.compile(r"[(（]([\w \t.,;:&#·/|+–—-]*+)[)）]")
_ROUND_BEGUN = re.compile(r"[(（][\w \t.,;:&#·/|+–—-]*+\Z")
_TARGET = re.compile(
    r"\(\s*+(?:<[^<>\n]*+>|(?:[^\s()<>]|\([^\s()]*+\))*+)(?:\s++(?:\"[^\"]*+\"|'[^']*+'|\([^()]*+\)))?+\s*+\)"
)
_NO_TARGET = re.compile(r"\(\s*+(?:[^\s()<>]|\([^\s()]*+\))++\s++[^\s\"'()]")
_DEFINITION = re.compile(r":[ \t]*+(?:<[^<>\n]*+>|[a-z][a-z0-9+.-]*+:\S*+|[/#.]\S*+|www\.\S*+)[^\n]*+", re.IGNORECASE)
_TAG = re.compile(
    r"</?([a-z][a-z0-9:-]*+)((?:[\s/][^<>]*+)?)>|<!--(?:[^-]|-(?!->))*+-->|<(?:\?|!(?!--))[^<>]*+>", re.IGNORECASE
)
_SUPERSCRIPT = re.compile(r"<sup>[\s\[(]*+(\d[\d\s,;]*+)[\s\])]*+</sup>", re.IGNORECASE)
_AUTOLINK = re.compile(r"<([a-z][a-z0-9+.-]{1,31}:[^\s<>]*+|[^\s<>@]++@[^\s<>@]++)>", re.IGNORECASE)
_BLOCK_END = re.compile(r"br|/(?:p|div|li|tr|h[1-6]|ul|ol|table|blockquote)", re.IGNORECASE)
_MATH_NUMBER = re.compile(r"\[(\d+)\]")
_MATH_ACTIVE = re.compile(
    r"\\(?=(?:href|url|includegraphics|html[a-z]*|def|[egx]def|g?let|(?:re)?newcommand)(?![a-z]))", re.I
)
"""Commands of a formula that link, load, style or define."""
_FENCE_LINE = re.compile(r"[ \t>]*+(`{3,}|~{3,})[ \t]*+\Z")
_FENCE_BEGUN = re.compile(r"[ \t>]*+[`~]*+[ \t]*+\Z")

_Step = int | None
"""Where reading goes on; None to wait for more of the reply."""


class MarkerStream:
    """Turns a reply into visible text and citations while it arrives.

    Args:
        keys: The sentences that the model was shown, by key (`assign_keys`).
        quotes: Looks up what stands in quotation marks, before it is shown; None leaves quotation marks alone.
    """

    def __init__(self, keys: Mapping[str, KeyedSentence], quotes: QuoteBook | None = None) -> None:
        self._keys = KeyReader(keys)
        self._dropped = _Dropped()
        self._printer = _Printer(self._dropped)
        self._sentences = _Sentences(self._printer, quotes)
        self._writer = _Writer(self._sentences, self._dropped)
        self._buffer = ""
        self._before = ""
        self._fence: str | None = None
        self._special = re.compile(r"[\[【［〔(（`~$<\\!^]|" + self._keys.code_pattern, re.IGNORECASE)
        self._handlers: dict[str, Callable[[int, bool], _Step]] = {
            **dict.fromkeys("[【［〔", self._square),
            **dict.fromkeys("(（", self._round),
            "`": self._backticks,
            "~": self._tildes,
            "$": self._dollars,
            "<": self._angle,
            "\\": self._backslash,
            "!": self._image,
            "^": self._caret,
        }

    def feed(self, text: str) -> str:
        """Take the next words of the reply.

        Returns:
            Text that is safe to show now, never half a marker. What all calls returned is the beginning of
            `finish().text`.
        """
        text = text.translate(INVISIBLE)
        for start in range(0, len(text), _SLICE):
            self._buffer += text[start : start + _SLICE]
            self._read(final=False)
        return self._printer.take()

    def so_far(self) -> CitedText:
        """What is shown up to now, with the citations of all its markers; sentences are left to the end."""
        text = "".join(self._printer.parts)
        return CitedText(text, self._printer.citations(), self._dropped.count, tuple(self._dropped.marks))

    def finish(self) -> CitedText:
        """The reply is over: the whole visible text, its citations, sentences and quotations."""
        self._read(final=True)
        self._writer.close()
        self._printer.flush()
        shown = self.so_far()
        sentences = (_trimmed(sentence, shown.text) for sentence in self._sentences.done)
        return replace(shown, sentences=tuple(sentences), quotes=tuple(self._sentences.checks))

    # Every handler gets the place of a special character and returns where to go on. A handler's decision
    # depends on the reply only, never on where a chunk ended: if the buffer ends too early it returns None.

    def _read(self, *, final: bool) -> None:
        position = 0
        while position < len(self._buffer):
            if self._fence is not None:
                step = self._code_line(position, final)
            else:
                step = self._plain(position, final)
            if step is None:
                break
            position = step
        self._before = self._buffer[max(0, position - 1) : position] or self._before
        self._buffer = self._buffer[position:]

    def _plain(self, position: int, final: bool) -> _Step:
        buffer = self._buffer
        found = self._special.search(buffer, position)
        if found is not None and found.start() == 0 and found[0].isalnum() and self._before.isalnum():
            found = self._special.search(buffer, found.end())
        if found is None:
            end = len(buffer) if final else len(buffer) - self._held_back(position)
            if end == position:
                return None
            self._writer.text(buffer[position:end])
            return end
        if found.start() > position:
            self._writer.text(buffer[position : found.start()])
            return found.start()
        handler = self._handlers.get(buffer[position], self._bare_key)
        return handler(position, final)

    def _held_back(self, position: int) -> int:
        """Length of a last word that may yet become a key."""
        word = re.search(
            r"(?<![^\W_])[a-z0-9]{1,4}\Z", self._buffer[max(position, len(self._buffer) - 5) :], re.IGNORECASE
        )
        return len(word[0]) if word and self._keys.could_begin(word[0]) else 0

    def _literal(self, position: int, end: int) -> _Step:
        self._writer.text(self._buffer[position:end])
        return end

    def _bare_key(self, position: int, final: bool) -> _Step:
        """A known code in the text; keys cannot be guessed, so it is meant as a citation."""
        window = self._buffer[position : position + 40]
        if not final and len(window) < 40 and re.fullmatch(r"\w{4}(?:[.:#·]\d*(?:[-–—]\w*\.?\d*)?)?", window):
            return None
        read = self._keys.read_bare(window)
        if read is None:
            return self._literal(position, position + 4)
        self._writer.mark(read[0])
        return position + read[1]

    def _square(self, position: int, final: bool) -> _Step:
        window = self._buffer[position : position + _GROUP_LIMIT]
        group = _SQUARE.match(window)
        if group is None:
            if not final and len(window) < _GROUP_LIMIT:
                return None
            return self._cut_off(position, window) or self._literal(position, position + 1)
        end = position + group.end()
        if end == len(self._buffer) and not final:
            return None
        inside = _TAG.sub("", group[0][1:-1])
        mark = self._keys.read(inside, square=True)
        following = self._buffer[end : end + 1]
        if following == "(" and group[0][0] == "[":
            target = self._target(end, final)
            if target is None:
                return None
            if target > end:
                return self._link(position, end, target, mark)
        if following == ":" and mark is None and self._writer.at_line_start:
            return self._definition(position, end, final)
        if mark is None:
            return self._literal(position, position + 1)
        self._writer.mark(mark)
        return end

    def _target(self, position: int, final: bool) -> _Step:
        """The end of a link's `(target)`; `position` itself if it is none."""
        window = self._buffer[position : position + _TARGET_LIMIT]
        paragraph, blank_line, _ = window.partition("\n\n")
        if target := _TARGET.match(paragraph):
            return position if self._keys.in_text(target[0]) else position + target.end()
        complete = final or len(window) == _TARGET_LIMIT or blank_line or _NO_TARGET.match(paragraph)
        return position if complete else None

    def _link(self, position: int, end: int, target: int, mark: Mark | None) -> int:
        if mark is not None:
            self._writer.mark(mark)
            return target
        # Read the text of the link as if it had stood there alone: it may hold a marker or an image.
        self._buffer = self._buffer[:position] + self._buffer[position + 1 : end - 1] + self._buffer[target:]
        return position

    def _definition(self, position: int, end: int, final: bool) -> _Step:
        """`[name]: address` shows nothing, and could turn any `[name]` into a link."""
        window = self._buffer[end : end + _TARGET_LIMIT]
        if "\n" not in window and not final and len(window) < _TARGET_LIMIT:
            return None
        if found := _DEFINITION.match(window):
            return end + found.end()
        return self._literal(position, position + 1)

    def _round(self, position: int, final: bool) -> _Step:
        """Round brackets are a marker only if they hold keys and nothing else."""
        window = self._buffer[position : position + _ROUND_LIMIT]
        group = _ROUND.match(window)
        mark = self._keys.read(group[1], square=False) if group and self._may_hold_key(window) else None
        if group is not None and mark is not None:
            self._writer.mark(mark)
            return position + group.end()
        open_ended = _ROUND_BEGUN.match(window)
        if not final and open_ended and len(window) < _ROUND_LIMIT and self._may_hold_key(window):
            return None
        cut_off = self._cut_off(position, window) if final and group is None else None
        return cut_off or self._literal(position, position + 1)

    def _cut_off(self, position: int, window: str) -> _Step:
        """A marker without its end, because the reply broke off there."""
        if len(window) >= _ROUND_LIMIT or position + len(window) < len(self._buffer):
            return None
        mark = self._keys.read(window[1:], square=True) if self._keys.in_text(window) else None
        words = re.split(r"[\s,;\[(.]+", window.rstrip("."))
        if mark is None and self._keys.could_begin(words[-1]):
            known = self._keys.read(window[1 : window.rindex(words[-1])], square=False)
            mark = Mark(known.sentences if known else (), (words[-1],))
        if mark is None:
            return None
        self._writer.mark(mark)
        return position + len(window)

    def _may_hold_key(self, window: str) -> bool:
        word = re.match(rf"[(（]\s*(?:{LABEL}[\s:#]+)?(\w*)", window, re.IGNORECASE)
        if word is None:
            return False
        complete = word.end() < len(window)
        if complete:
            return re.fullmatch(CODE, word[1], re.IGNORECASE) is not None
        return len(word[1]) <= 12

    def _backticks(self, position: int, final: bool) -> _Step:
        end = self._run_end(position)
        if end == len(self._buffer) and not final and end - position < _CODE_LIMIT:
            return None
        if end - position >= 3 and self._writer.at_line_start:
            opened = self._open_fence(position, end, final)
            if opened != position:
                return opened
        run = self._buffer[position:end]
        window = self._buffer[end : end + _CODE_LIMIT]
        line, newline, _ = window.partition("\n")
        closing = re.search(rf"(?<!`)`{{{len(run)}}}(?!`)", line) if len(run) < _CODE_LIMIT else None
        touching = closing is not None and end + closing.end() == len(self._buffer)
        decided = final or newline or len(window) == _CODE_LIMIT or len(run) == _CODE_LIMIT
        if (closing is None or touching) and not decided:
            return None
        if closing is None:
            return self._literal(position, end)
        self._writer.raw(run + line[: closing.end()])
        return end + closing.end()

    def _tildes(self, position: int, final: bool) -> _Step:
        if not self._writer.at_line_start:
            return self._literal(position, position + 1)
        end = self._run_end(position)
        if end == len(self._buffer) and not final and end - position < _CODE_LIMIT:
            return None
        opened = self._open_fence(position, end, final) if end - position >= 3 else position
        return self._literal(position, end) if opened == position else opened

    def _run_end(self, position: int) -> int:
        """Where a run of one character ends; a run beyond the limit is taken for several."""
        window = self._buffer[position : position + _CODE_LIMIT]
        return position + len(window) - len(window.lstrip(window[0]))

    def _open_fence(self, position: int, end: int, final: bool) -> _Step:
        """Open a block of code; returns `position` if it is none."""
        window = self._buffer[end : end + _CODE_LIMIT]
        info, newline, _ = window.partition("\n")
        if not newline and not final and len(window) < _CODE_LIMIT:
            return None
        fence = self._buffer[position:end]
        if (not newline and not final) or (fence[0] == "`" and "`" in info):
            return position
        self._fence = fence
        self._writer.block(fence + info + newline)
        return end + len(info) + len(newline)

    def _code_line(self, position: int, final: bool) -> _Step:
        newline = self._buffer.find("\n", position)
        end = newline + 1 if newline >= 0 else len(self._buffer)
        piece = self._buffer[position:end]
        if newline < 0 and not final and _FENCE_BEGUN.match(piece) and len(piece) < _CODE_LIMIT:
            return None
        closing = _FENCE_LINE.match(piece.rstrip("\n"))
        if (
            closing
            and self._writer.at_line_start
            and closing[1][0] == self._fence[0]
            and len(closing[1]) >= len(self._fence)
        ):
            self._fence = None
            self._writer.block(piece.rstrip("\n"))
            return position + len(piece.rstrip("\n"))
        self._writer.block(piece)
        return end

    def _dollars(self, position: int, final: bool) -> _Step:
        if position + 1 == len(self._buffer) and not final:
            return None
        if self._buffer.startswith("$$", position):
            return self._formula(position, 2, "$$", final)
        return self._inline_formula(position, final)

    def _formula(self, position: int, size: int, closing: str, final: bool) -> _Step:
        """A formula is shown whole or not yet; a blank line inside means that it is none."""
        start = position + size
        window = self._buffer[start : start + _MATH_LIMIT]
        at = window.find(closing)
        blank = window.find("\n\n")
        if at < 0 or 0 <= blank < at:
            if at < 0 and blank < 0 and not final and len(window) < _MATH_LIMIT:
                return None
            return self._literal(position, start)
        end = start + at + len(closing)
        if self._keys.in_text(window[:at]) or self._keys.read(window[:at], square=closing == "\\]") is not None:
            return self._escaped_marker(position, start, start + at, end, closing)
        self._writer.raw(_harmless_formula(self._buffer[position:end]))
        return end

    def _escaped_marker(self, position: int, start: int, stop: int, end: int, closing: str) -> int:
        """A key where a formula was expected: `\\[key\\]` is a marker with needless backslashes."""
        mark = self._keys.read(self._buffer[start:stop], square=closing == "\\]")
        if mark is None:
            self._writer.text(self._buffer[position:start])
            return start
        self._writer.mark(mark)
        return end

    def _inline_formula(self, position: int, final: bool) -> _Step:
        """`$...$` by Pandoc's rule: no space inside the dollars, no digit behind them, on one line."""
        window = self._buffer[position : position + _CODE_LIMIT]
        formula = re.match(r"\$(?![\s$])[^$\n]*?(?<![\s\\])\$(?!\d)", window)
        begun = re.match(r"\$(?![\s$])[^$\n]*+\$?\Z", window)
        if not final and begun and len(window) < _CODE_LIMIT:
            return None
        if formula is None or self._keys.in_text(formula[0]):
            return self._literal(position, position + 1)
        self._writer.raw(_harmless_formula(formula[0]))
        return position + formula.end()

    def _backslash(self, position: int, final: bool) -> _Step:
        pair = self._buffer[position : position + 2]
        if len(pair) < 2 and not final:
            return None
        if pair == "\\[":
            return self._formula(position, 2, "\\]", final)
        if pair == "\\(":
            return self._formula(position, 2, "\\)", final)
        if pair[1:] and pair[1:] in "`$<~!^\\":
            return self._literal(position, position + 2)
        return self._literal(position, position + 1)

    def _angle(self, position: int, final: bool) -> _Step:
        window = self._buffer[position : position + _TAG_LIMIT]
        if not final and len(window) < 2:
            return None
        if not re.match(r"<[a-z/!?]", window, re.IGNORECASE):
            return self._literal(position, position + 1)
        if link := _AUTOLINK.match(window):
            self._buffer = self._buffer[:position] + link[1] + self._buffer[position + link.end() :]
            return position
        if re.match(r"<sup>[\s\[(]*\d", window, re.IGNORECASE):
            return self._superscript(position, window, final)
        if not final and len(window) < _TAG_LIMIT and re.match(r"<s?u?p?>?[\s\[(]*\Z", window, re.IGNORECASE):
            return None
        tag = _TAG.match(window)
        if tag is None:
            comment = window.startswith("<!--")
            closed = not comment and (window.find(">") >= 0 or window.find("<", 1) >= 0)
            if not closed and not final and len(window) < _TAG_LIMIT:
                return None
            return self._broken_tag(position)
        if tag[1] and not _HTML_NAME.fullmatch(tag[1]) and not tag[2].strip():
            return self._literal(position, position + 1)
        if _BLOCK_END.match(tag[0][1:]):
            self._writer.text("\n")
        return position + tag.end()

    def _superscript(self, position: int, window: str, final: bool) -> _Step:
        """A number set high is a citation that the model made up."""
        if found := _SUPERSCRIPT.match(window):
            self._writer.mark(Mark(dropped=tuple(re.findall(r"\d+", found[1]))))
            return position + found.end()
        if (
            not final
            and len(window) < _TAG_LIMIT
            and re.fullmatch(r"<sup>[\s\[(\d,;\])]*(?:<(?:/(?:s(?:up?)?)?)?)?", window)
        ):
            return None
        return position + len("<sup>")

    def _broken_tag(self, position: int) -> int:
        """A `<name` that is never closed: with a space behind the bracket no browser takes it for a tag."""
        self._writer.text("<")
        name = re.match(r"</?([a-z][a-z0-9]*)[\s/]|<!|<\?", self._buffer[position : position + 20], re.IGNORECASE)
        if name and (name[1] is None or _HTML_NAME.fullmatch(name[1])):
            self._writer.text(" ")
        return position + 1

    def _image(self, position: int, final: bool) -> _Step:
        """`![text](address)` loses its `!`; the rest is a link."""
        if position + 1 == len(self._buffer) and not final:
            return None
        if self._buffer[position + 1 : position + 2] != "[":
            return self._literal(position, position + 1)
        window = self._buffer[position + 1 : position + 1 + _GROUP_LIMIT]
        group = _SQUARE.match(window)
        if group is None:
            if not final and len(window) < _GROUP_LIMIT:
                return None
            return self._literal(position, position + 1)
        end = position + 1 + group.end()
        if end == len(self._buffer) and not final:
            return None
        if self._buffer[end : end + 1] == "(":
            target = self._target(end, final)
            if target is None:
                return None
            if target > end:
                return self._image_text(position, end, target)
        return self._literal(position, position + 1)

    def _image_text(self, position: int, end: int, target: int) -> int:
        self._buffer = self._buffer[:position] + self._buffer[position + 2 : end - 1] + self._buffer[target:]
        return position

    def _caret(self, position: int, final: bool) -> _Step:
        """`^[1]`: the caret goes with the mark."""
        window = self._buffer[position + 1 : position + 1 + _GROUP_LIMIT]
        if not window and not final:
            return None
        if not window.startswith("["):
            return self._literal(position, position + 1)
        group = _SQUARE.match(window)
        if group is None and not final and len(window) < _GROUP_LIMIT:
            return None
        if group is None or self._keys.read(group[0][1:-1], square=True) is None:
            return self._literal(position, position + 1)
        return position + 1


def _harmless_formula(formula: str) -> str:
    """A formula without numbers that look like citations, and without commands that do more than set it."""
    return _MATH_ACTIVE.sub("", _MATH_NUMBER.sub(r"[{\1}]", formula))


def _trimmed(sentence: CitedSentence, text: str) -> CitedSentence:
    """Without white space at its ends."""
    written = text[sentence.start : sentence.end]
    start = sentence.start + len(written) - len(written.lstrip())
    return replace(sentence, start=start, end=start + len(written.strip()))


# --- Spans ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Stretch:
    """A growing span, with its words."""

    source: str
    start: int
    end: int
    text: str
    passage: Passage


def cite(number: int, sentences: Iterable[KeyedSentence]) -> Citation:
    """One citation of sentences of one comment: neighbours joined, in reading order.

    The words come from the passages' own text, which is a slice of the source.
    """
    sentences = list(sentences)
    stretches: list[_Stretch] = []
    for keyed in sorted(sentences, key=lambda keyed: (keyed.passage.source, keyed.start, keyed.end)):
        if not (stretches and _extend(stretches[-1], keyed)):
            stretches.append(_Stretch(keyed.passage.source, keyed.start, keyed.end, keyed.text, keyed.passage))
    first, *rest = stretches
    more = tuple(Span(stretch.source, stretch.start, stretch.end) for stretch in rest)
    quoted = all(keyed.quoted for keyed in sentences)
    return Citation(number, first.passage, first.text, first.source, first.start, first.end, more=more, quoted=quoted)


def _extend(stretch: _Stretch, keyed: KeyedSentence) -> bool:
    """Join a sentence that overlaps or follows a stretch, with only white space between."""
    if keyed.passage.source != stretch.source:
        return False
    gap = ""
    if keyed.start > stretch.end:
        covering = next(
            (p for p in (stretch.passage, keyed.passage) if p.start <= stretch.end and keyed.start <= p.end), None
        )
        if covering is None:
            return False
        gap = covering.text[stretch.end - covering.start : keyed.start - covering.start]
        if gap.strip():
            return False
    if keyed.end > stretch.end:
        overlap = max(0, stretch.end - keyed.start)
        stretch.text += gap + keyed.text[overlap:]
        stretch.end = keyed.end
    return True
