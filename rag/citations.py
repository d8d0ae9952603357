"""From a model's words to what a reader sees: sentence keys become `[1]`, `[2]` with exact spans behind them.

The model is shown sentences under unguessable keys and cites keys; everything else that looks like a citation is
dropped and counted. `MarkerStream` is the only place that decides what a reader sees. It reads the reply in one pass
with bounded look-ahead, so the result does not depend on how the reply was cut into chunks, and the time is linear.

What reaches the reader:

- A key in square, round or CJK brackets, alone, in a list or as a range, becomes `[n]`; so does a key that stands bare.
- Unknown keys, numbers in square brackets and footnote marks are dropped. An interval such as `[0, 1]` is kept.
- Code keeps every character. So do formulas, except that `[3]` in one is written `[{3}]`, which sets the same.
- Links and images become their text, also those to a cited comment (its address stands with the citation): nothing
  in an answer may call home. HTML tags, comments, invisible and bidirectional controls vanish.

Does not look at quotation marks (see quotes.py) nor at whether a citation fits its sentence (see support.py).
"""

from __future__ import annotations

import random
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.records import Citation, Passage, Range, Span
from rag.sentences import split_sentences

_LETTERS = "bcdfghjkmnpqrtvwxz"
_DIGITS = "2346789"
_CODE = rf"(?:[{_LETTERS}][{_DIGITS}][{_LETTERS}]{{2}}|[{_LETTERS}]{{2}}[{_DIGITS}][{_LETTERS}])"
"""Shape of a passage's code: no vowels (no words), one digit inside (no numbers), nothing that looks like another."""


@dataclass(frozen=True, slots=True)
class KeyedSentence:
    """A sentence that can be cited."""

    key: str
    """What the model writes, such as "k7qm.3": the passage's code and the sentence's number."""
    passage: Passage
    start: int
    end: int
    """Offsets into `rag.source_text(passage.source)`."""
    quoted: bool = False
    """The whole sentence is somebody else's words, quoted by the passage's author."""

    @property
    def text(self) -> str:
        """The sentence as it stands in the source."""
        return self.passage.text[self.start - self.passage.start : self.end - self.passage.start]

    @property
    def code(self) -> str:
        return self.key.rpartition(".")[0]

    @property
    def number(self) -> int:
        return int(self.key.rpartition(".")[2])


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


def assign_keys(passages: Sequence[Passage], *, rng: random.Random | None = None) -> dict[str, KeyedSentence]:
    """Give every sentence of the passages an unguessable key, new for each request.

    Args:
        passages: What the model will be shown. Sentences are `passage.sentences`, else found here.
        rng: Source of randomness; the operating system's by default.

    Returns:
        Sentences by key, in reading order of the passages. No key's code occurs in any passage.
    """
    rng = rng or random.SystemRandom()
    seen = "\n".join(passage.text for passage in passages).casefold()
    codes: set[str] = set()
    keys: dict[str, KeyedSentence] = {}
    for passage in passages:
        code = _new_code(rng)
        while code in codes or code in seen:
            code = _new_code(rng)
        codes.add(code)
        for number, (start, end) in enumerate(passage.sentences or split_sentences(passage.text), start=1):
            key = f"{code}.{number}"
            quoted = _inside(start, end, passage.quoted)
            keys[key] = KeyedSentence(key, passage, passage.start + start, passage.start + end, quoted)
    return keys


def _new_code(rng: random.Random) -> str:
    code = [rng.choice(_LETTERS) for _ in range(4)]
    code[rng.choice((1, 2))] = rng.choice(_DIGITS)
    return "".join(code)


def _inside(start: int, end: int, ranges: Sequence[Range]) -> bool:
    return any(a <= start and end <= b for a, b in ranges)


# --- Making passages harmless -----------------------------------------------------------------------------------------

_INVISIBLE = dict.fromkeys(
    [
        *range(0x09),
        *range(0x0B, 0x20),
        *range(0x7F, 0xA0),
        0xAD,
        0x034F,
        0x061C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        *range(0x180B, 0x1810),
        0x200B,
        0x200E,
        0x200F,
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        0x3164,
        *range(0xFE00, 0xFE0F),
        0xFEFF,
        0xFFA0,
        *range(0xFFF9, 0xFFFC),
        *range(0xE0000, 0xE1000),
    ]
)
"""Characters that nobody sees, but a model reads. The two joiners, and the selector of emoji, have honest uses."""

_LINE_BREAKS = {0x0B: "\n", 0x0C: "\n", 0x0D: None, 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
_CLEAN = {**_INVISIBLE, **_LINE_BREAKS}

_FOREIGN_MARK = re.compile(
    r"\^?[\[【［〔⟦]{1,3}\s{0,3}(?P<inside>[\^#(]?(?:(?:id|source|sources|ref|doc|passage|comment|note|key)s?[ :#_.-]{0,3})?"
    r"(?:\d{1,6}|[a-z0-9]{2,8}[.:#]\d{1,3}|" + _CODE + r")(?:\s{0,2}[†,;:&–-]\s{0,2}[\w.:#†-]{1,12}){0,20}\)?)"
    r"\s{0,3}[\]】］〕⟧]{1,3}",
    re.IGNORECASE,
)
_FOREIGN_KEY = re.compile(rf"(?<![^\W_])({_CODE})[.:#](\d)", re.IGNORECASE)
_FENCE = re.compile(r"([=~#`_*|<>«»⟦⟧-])\1{2,}")
_TEMPLATE_MARK = re.compile(
    r"<(?=[|/!?a-z])|(?<=[|/a-z\"'])>|\[(?=/?(?:INST|SYS|system|user|assistant)\b)", re.IGNORECASE
)
_ROLE = re.compile(r"^(\s{0,8}(?:system|assistant|user|human|developer|tool)\s{0,3}):", re.IGNORECASE | re.MULTILINE)
_HARMLESS = {"<": "‹", ">": "›", "[": "("}


def neutralise(text: str) -> str:
    """Make a passage harmless to show to a model; the source itself is never changed.

    Citation-like marks lose their square brackets, key-like words their dot, fences all but two of their
    characters, tags and chat-template marks their angle brackets, role labels their colon; characters that
    nobody sees vanish. Everything else stays as it is. Offsets change, which is harmless: no quote is
    taken from a model's words.
    """
    text = text.translate(_CLEAN)
    text = _FOREIGN_MARK.sub(lambda found: f"({found['inside'].strip('^#() ')})", text)
    text = _FOREIGN_KEY.sub(r"\1 \2", text)
    text = _FENCE.sub(r"\1\1", text)
    text = _TEMPLATE_MARK.sub(lambda found: _HARMLESS[found[0]], text)
    return _ROLE.sub(r"\1 -", text)


# --- Reading one marker -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mark:
    """What one bracket cites."""

    refs: tuple[KeyedSentence, ...] = ()
    dropped: tuple[str, ...] = ()


_LABEL = (
    r"(?:ids?|sources?|refs?|references?|see|cf|keys?|sentences?|passages?|comments?|docs?|documents?|citations?|cited?"
    r"|citing|notes?|footnotes?|from|per|via|and|und|et)"
)
_TOKEN = re.compile(
    rf"(?P<ref>{_CODE})(?:[.:#·](?:s(?=\d))?(?P<number>\d{{1,6}}))?(?![^\W_])"
    r"|(?P<digits>\d+)(?![^\W_])|(?P<lines>L\d+)"
    rf"|(?P<label>{_LABEL})(?![^\W\d_])"
    r"|(?P<dash>[-–—])"
    r"|(?P<space>[\s,;&/|+:#=.†*_\"'`^()\[\]【】［］〔〕（）]+)",
    re.IGNORECASE,
)


class _Keys:
    """Looks up what the model may have meant by a bracket."""

    def __init__(self, keys: Mapping[str, KeyedSentence]) -> None:
        self._by_code: dict[str, dict[int, KeyedSentence]] = {}
        for keyed in keys.values():
            self._by_code.setdefault(keyed.code, {})[keyed.number] = keyed
        codes = "|".join(map(re.escape, self._by_code)) or r"(?!)"
        self.bare = re.compile(
            rf"(?:{codes})(?:[.:#·]\d{{1,6}}(?:[-–—](?:{codes})?\.?\d{{1,6}})?)?(?![^\W_])", re.IGNORECASE
        )
        self.pattern = rf"(?<![^\W_])(?:{codes})"
        self._prefixes = {code[:size] for code in self._by_code for size in range(1, 5)}

    def begins(self, word: str) -> bool:
        """Whether a word could grow into a code."""
        return word.casefold() in self._prefixes

    def contains_code(self, text: str) -> bool:
        return re.search(self.pattern, text, re.IGNORECASE) is not None

    def read(self, inside: str, *, square: bool) -> _Mark | None:
        """What the inside of a bracket cites; None if it is no marker but text.

        Args:
            inside: The words between the brackets.
            square: Whether the brackets are such that bare numbers in them are citations.
        """
        reader = _MarkReader(self._by_code)
        position = 0
        while position < len(inside):
            token = _TOKEN.match(inside, position)
            if token is None:
                return None
            reader.take(token)
            position = token.end()
        return reader.result(inside, square)


class _MarkReader:
    """Collects the tokens of one bracket."""

    def __init__(self, by_code: Mapping[str, Mapping[int, KeyedSentence]]) -> None:
        self._by_code = by_code
        self._refs: dict[str, KeyedSentence] = {}
        self._dropped: list[str] = []
        self._numbers: list[str] = []
        self._code: str | None = None
        self._last: int | None = None
        self._dash = False
        self._keys_seen = False

    def take(self, token: re.Match[str]) -> None:
        if token["ref"]:
            self._take_key(token["ref"].casefold(), token["number"], token[0])
        elif token["digits"]:
            self._take_number(token["digits"])
        elif token["dash"]:
            self._dash = True
        elif token["label"]:
            self._dash = False

    def _take_key(self, code: str, number: str | None, written: str) -> None:
        self._keys_seen = True
        if self._dash and code == self._code and self._last is not None and number:
            self._take_range(int(number), written)
            return
        self._dash = False
        self._code, self._last = code, None
        known = self._by_code.get(code, {})
        if number is None and known:
            self._add(known.values())
        elif number is not None and int(number) in known:
            self._last = int(number)
            self._add([known[self._last]])
        else:
            self._dropped.append(written)

    def _take_number(self, digits: str) -> None:
        if self._code is None:
            self._numbers.append(digits)
            return
        number = int(digits) if len(digits) <= 6 else -1
        if self._dash and self._last is not None:
            self._take_range(number, digits)
            return
        keyed = self._by_code.get(self._code, {}).get(number)
        if keyed is None:
            self._dropped.append(f"{self._code}.{digits}")
            return
        self._last = number
        self._add([keyed])

    def _take_range(self, last: int, written: str) -> None:
        """Sentences after the last one, up to `last`; those that are not there are dropped as one."""
        self._dash = False
        known = self._by_code[self._code or ""]
        inside = [number for number in known if (self._last or 0) < number <= last]
        self._add(known[number] for number in inside)
        if last not in known or last < (self._last or 0):
            self._dropped.append(written)
        self._last = last

    def _add(self, sentences: Iterator[KeyedSentence] | Sequence[KeyedSentence]) -> None:
        for keyed in sentences:
            self._refs.setdefault(keyed.key, keyed)

    def result(self, inside: str, square: bool) -> _Mark | None:
        if not self._keys_seen and not (square and self._numbers):
            return None
        interval = len(self._numbers) > 1 and any(int(digits[:9]) == 0 for digits in self._numbers)
        if not self._keys_seen and (interval or re.search(r"\d\s*\.\s*\d|^\s*[-–—+]", inside)):
            return None
        return _Mark(tuple(self._refs.values()), (*self._dropped, *self._numbers))


# --- Writing what the reader sees -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Placed:
    """A marker in the written text."""

    start: int
    end: int
    refs: tuple[KeyedSentence, ...]
    numbers: tuple[int, ...]


_MOST_DROPPED_KEPT = 20
_BLANK_LINE = re.compile(r"[\s>*+-]*(?:\d{1,3}[.)])?\s*\Z")
_CLOSING = frozenset(".,;:!?)]}…»”’\"'")
_JOINT = re.compile(r"[,;]+")
_NUMBER_MARK = re.compile(r"\[\d{1,20}\]")
_NUMBER_MARK_BEGUN = re.compile(r"\[\d{0,20}\Z")
_LONG_NUMBER = re.compile(r"\[(?=\d{21})")


class _Writer:
    """Builds the visible text: settles white space round markers, and keeps forged ones from forming."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.placed: list[_Placed] = []
        self.verbatim: list[Range] = []
        self.dropped = 0
        self.dropped_marks: list[str] = []
        self.numbers: dict[str, int] = {}
        self.cited: dict[str, dict[str, KeyedSentence]] = {}
        self._taken = 0
        self._space: list[str] = []
        self._begun = ""
        self._line = ""
        self._last = ""
        self._cluster: list[_Mark] | None = None
        self._cluster_space = ""

    def take(self) -> str:
        """What was written since the last time."""
        new = "".join(self.parts[self._taken :])
        self._taken = len(self.parts)
        return new

    @property
    def at_line_start(self) -> bool:
        """Whether the line so far holds nothing but white space, quotation and list marks."""
        line = "".join(self._space).rpartition("\n")
        head = line[2] if line[1] else self._line + line[2]
        return len(head) < 40 and _BLANK_LINE.match(head + self._begun) is not None

    def text(self, text: str) -> None:
        """Write text in which nothing counts as a citation any more."""
        body = text.strip()
        if not body:
            self._space.append(text)
            return
        lead = text[: len(text) - len(text.lstrip())]
        self._space.append(lead)
        trail = text[len(lead) + len(body) :]
        if self._cluster is not None and (joint := _JOINT.match(body)):
            self._space.append(joint[0])
            rest = body[joint.end() :]
            if not rest:
                self._space.append(trail)
                return
            inner = len(rest) - len(rest.lstrip())
            self._space.append(rest[:inner])
            body = rest[inner:]
        self._settle(body[0])
        self._write_guarded(body)
        self._space = [trail]

    def raw(self, text: str) -> None:
        """Write code or a formula as it is."""
        self._settle(text[:1])
        self._flush_begun()
        start = self.length
        self._write(text)
        if self.verbatim and self.verbatim[-1][1] == start:
            start = self.verbatim.pop()[0]
        self.verbatim.append((start, self.length))

    def mark(self, mark: _Mark) -> None:
        """Note a marker; neighbours are written together."""
        if self._cluster is not None and "\n" in "".join(self._space):
            self._settle("")
        if self._cluster is None:
            self._cluster, self._cluster_space = [], "".join(self._space)
        self._space = []
        self._cluster.append(mark)
        self._drop(mark.dropped)
        for keyed in mark.refs:
            comment = keyed.passage.comment_id
            self.numbers.setdefault(comment, len(self.numbers) + 1)
            self.cited.setdefault(comment, {})[keyed.key] = keyed

    def close(self) -> None:
        self._settle("")
        self._flush_begun()

    def _drop(self, marks: Sequence[str]) -> None:
        self.dropped += len(marks)
        self.dropped_marks += [mark[:40] for mark in marks[: _MOST_DROPPED_KEPT - len(self.dropped_marks)]]

    def _settle(self, following: str) -> None:
        """Write what is pending in front of text that begins with `following` ("" at the end)."""
        space = "".join(self._space)
        self._space = []
        if self._cluster is not None:
            refs = tuple({keyed.key: keyed for mark in self._cluster for keyed in mark.refs}.values())
            self._cluster = None
            if refs:
                self._write_space(self._cluster_space)
                self._write_marker(refs, following if not space else "")
            else:
                space = self._space_without_mark(space, following)
        if following:
            self._write_space(space)

    def _space_without_mark(self, space: str, following: str) -> str:
        lead = self._cluster_space
        self._space = [lead]
        at_start = self.at_line_start
        self._space = []
        if at_start:
            return lead + (space if "\n" in space else space.lstrip(" \t,;"))
        return space if space or following in _CLOSING or not following else lead

    def _write_marker(self, refs: tuple[KeyedSentence, ...], following: str) -> None:
        at_start = self.at_line_start
        numbers = tuple(dict.fromkeys(self.numbers[keyed.passage.comment_id] for keyed in refs))
        start = self.length
        self._write("".join(f"[{number}]" for number in numbers))
        self.placed.append(_Placed(start, self.length, refs, numbers))
        if following == "(" or (following == ":" and at_start):
            self._write(" ")  # else our own marker would become a link, or define one

    def _write_space(self, space: str) -> None:
        if self.length or self._begun:
            if space:
                self._flush_begun()
            self._write(space)

    def _write_guarded(self, body: str) -> None:
        """Write text; should `[7]` have formed from what was left when something between vanished, drop it."""
        joined = _LONG_NUMBER.sub("[ ", self._begun + body)
        self._begun = ""
        pieces = _NUMBER_MARK.split(joined)
        self._drop([mark.strip("[]") for mark in _NUMBER_MARK.findall(joined)])
        joined = "".join(pieces)
        if begun := _NUMBER_MARK_BEGUN.search(joined):
            self._begun = begun[0]
            joined = joined[: begun.start()]
        if self._last == "]" and joined[:1] in ("(", ":"):
            joined = " " + joined
        self._write(joined.replace("](", "] (").replace("]:", "] :"))

    def _flush_begun(self) -> None:
        begun, self._begun = self._begun, ""
        self._write(begun)

    def _write(self, text: str) -> None:
        if not text:
            return
        self.parts.append(text)
        self.length += len(text)
        self._last = text[-1]
        _, newline, line = text.rpartition("\n")
        self._line = (line if newline else self._line + line)[:40]


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
_ROUND = re.compile(r"[(（]([^()（）\n]*+)[)）]")
_TARGET = re.compile(
    r"\(\s*+(?:<[^<>\n]*+>|(?:[^\s()<>]|\([^\s()]*+\))*+)(?:\s++(?:\"[^\"]*+\"|'[^']*+'|\([^()]*+\)))?+\s*+\)"
)
_NO_TARGET = re.compile(r"\(\s*+(?:[^\s()<>]|\([^\s()]*+\))++\s++[^\s\"'()]")
_DEFINITION = re.compile(r":[ \t]*+(?:<[^<>\n]*+>|[a-z][a-z0-9+.-]*+:\S*+|[/#.]\S*+|www\.\S*+)[^\n]*+", re.IGNORECASE)
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
_TAG = re.compile(r"</?([a-z][a-z0-9:-]*+)((?:[\s/][^<>]*+)?)>|<!--(?:[^-]|-(?!->))*+-->|<[!?][^<>]*+>", re.IGNORECASE)
_SUPERSCRIPT = re.compile(r"<sup>[\s\[(]*+(\d[\d\s,;]*+)[\s\])]*+</sup>", re.IGNORECASE)
_AUTOLINK = re.compile(r"<([a-z][a-z0-9+.-]{1,31}:[^\s<>]*+|[^\s<>@]++@[^\s<>@]++)>", re.IGNORECASE)
_BLOCK_END = re.compile(r"br|/(?:p|div|li|tr|h[1-6]|ul|ol|table|blockquote)", re.IGNORECASE)
_MATH_NUMBER = re.compile(r"\[(\d+)\]")
_FENCE_LINE = re.compile(r"[ \t>]*+(`{3,}|~{3,})[ \t]*+\Z")
_FENCE_BEGUN = re.compile(r"[ \t>]*+[`~]*+[ \t]*+\Z")

_Step = int | None
"""Where reading goes on; None to wait for more of the reply."""


class MarkerStream:
    """Turns a reply into visible text and citations while it arrives.

    Args:
        keys: The sentences that the model was shown, by key (`assign_keys`).
    """

    def __init__(self, keys: Mapping[str, KeyedSentence]) -> None:
        self._keys = _Keys(keys)
        self._writer = _Writer()
        self._buffer = ""
        self._before = ""
        self._fence: str | None = None
        self._special = re.compile(r"[\[【［〔(（`~$<\\!^]|" + self._keys.pattern, re.IGNORECASE)
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
            Text that is safe to show now, never half a marker. What all calls returned, and `finish().text`
            after that, is one text.
        """
        text = text.translate(_CLEAN)
        for start in range(0, len(text), _SLICE):
            self._buffer += text[start : start + _SLICE]
            self._read(final=False)
        return self._writer.take()

    def so_far(self) -> CitedText:
        """What is shown up to now, with the citations of all its markers; sentences are left to the end."""
        writer = self._writer
        shown = [number for placed in writer.placed for number in placed.numbers]
        return self._cited("".join(writer.parts), max(shown, default=0))

    def finish(self) -> CitedText:
        """The reply is over: the whole visible text, its citations and sentences."""
        self._read(final=True)
        writer = self._writer
        writer.close()
        text = "".join(writer.parts)
        cited = self._cited(text, len(writer.numbers))
        sentences = tuple(_cited_sentences(text, writer.placed, writer.verbatim))
        return CitedText(text, cited.citations, cited.dropped, cited.dropped_marks, sentences)

    def _cited(self, text: str, last: int) -> CitedText:
        writer = self._writer
        citations = tuple(
            cite(number, writer.cited[comment].values()) for comment, number in writer.numbers.items() if number <= last
        )
        return CitedText(text, citations, writer.dropped, tuple(writer.dropped_marks))

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
        return len(word[0]) if word and self._keys.begins(word[0]) else 0

    def _literal(self, position: int, end: int) -> _Step:
        self._writer.text(self._buffer[position:end])
        return end

    def _bare_key(self, position: int, final: bool) -> _Step:
        """A known code in the text; keys cannot be guessed, so it is meant as a citation."""
        window = self._buffer[position : position + 40]
        if not final and len(window) < 40 and re.fullmatch(r"\w{4}(?:[.:#·]\d*(?:[-–—]\w*\.?\d*)?)?", window):
            return None
        key = self._keys.bare.match(window)
        mark = self._keys.read(key[0], square=False) if key else None
        if key is None or mark is None:
            return self._literal(position, position + 4)
        self._writer.mark(mark)
        return position + key.end()

    def _square(self, position: int, final: bool) -> _Step:
        window = self._buffer[position : position + _GROUP_LIMIT]
        group = _SQUARE.match(window)
        if group is None:
            if not final and len(window) < _GROUP_LIMIT:
                return None
            return self._literal(position, position + 1)
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
        if target := _TARGET.match(window):
            return position if self._keys.contains_code(target[0]) else position + target.end()
        complete = final or len(window) == _TARGET_LIMIT or "\n\n" in window or _NO_TARGET.match(window)
        return position if complete else None

    def _link(self, position: int, end: int, target: int, mark: _Mark | None) -> int:
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
        mark = self._keys.read(group[1], square=False) if group else None
        if group is not None and mark is not None:
            self._writer.mark(mark)
            return position + group.end()
        open_ended = re.fullmatch(r"[(（][\w\s.,;:&#·–—-]*", window)
        if not final and open_ended and len(window) < _ROUND_LIMIT and self._may_hold_key(window):
            return None
        return self._literal(position, position + 1)

    def _may_hold_key(self, window: str) -> bool:
        word = re.match(rf"[(（]\s*(?:{_LABEL}[\s:#]+)?(\w*)", window, re.IGNORECASE)
        if word is None:
            return False
        complete = word.end() < len(window)
        if complete:
            return re.fullmatch(_CODE, word[1], re.IGNORECASE) is not None
        return len(word[1]) <= 12

    def _backticks(self, position: int, final: bool) -> _Step:
        end = self._run_end(position)
        if end == len(self._buffer) and not final:
            return None
        if end - position >= 3 and self._writer.at_line_start:
            opened = self._open_fence(position, end, final)
            if opened != position:
                return opened
        run = self._buffer[position:end]
        window = self._buffer[end : end + _CODE_LIMIT]
        line, newline, _ = window.partition("\n")
        closing = re.search(rf"(?<!`)`{{{len(run)}}}(?!`)", line) if len(run) <= _CODE_LIMIT else None
        touching = closing is not None and end + closing.end() == len(self._buffer)
        decided = final or newline or len(window) == _CODE_LIMIT
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
        if end == len(self._buffer) and not final:
            return None
        opened = self._open_fence(position, end, final) if end - position >= 3 else position
        return self._literal(position, end) if opened == position else opened

    def _run_end(self, position: int) -> int:
        """Where a run of one character ends."""
        buffer = self._buffer
        return len(buffer) - len(buffer[position:].lstrip(buffer[position]))

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
        self._writer.raw(fence + info + newline)
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
            self._writer.raw(piece.rstrip("\n"))
            return position + len(piece.rstrip("\n"))
        self._writer.raw(piece)
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
        if self._keys.contains_code(window[:at]) or self._keys.read(window[:at], square=closing == "\\]") is not None:
            return self._escaped_marker(position, start, start + at, end, closing)
        self._writer.raw(_MATH_NUMBER.sub(r"[{\1}]", self._buffer[position:end]))
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
        if formula is None or self._keys.contains_code(formula[0]):
            return self._literal(position, position + 1)
        self._writer.raw(_MATH_NUMBER.sub(r"[{\1}]", formula[0]))
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
            self._writer.mark(_Mark(dropped=tuple(re.findall(r"\d+", found[1]))))
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


# --- Spans ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Stretch:
    """A growing span, with its words."""

    source: str
    start: int
    end: int
    text: str
    passage: Passage


def cite(number: int, sentences: Sequence[KeyedSentence] | Iterator[KeyedSentence]) -> Citation:
    """One citation of sentences of one comment: neighbours joined, in reading order.

    The words come from the passages' own text, which is a slice of the source.
    """
    stretches: list[_Stretch] = []
    for keyed in sorted(sentences, key=lambda keyed: (keyed.passage.source, keyed.start, keyed.end)):
        if not (stretches and _extend(stretches[-1], keyed)):
            stretches.append(_Stretch(keyed.passage.source, keyed.start, keyed.end, keyed.text, keyed.passage))
    first, *rest = stretches
    more = tuple(Span(stretch.source, stretch.start, stretch.end) for stretch in rest)
    return Citation(number, first.passage, first.text, first.source, first.start, first.end, more=more)


def _extend(stretch: _Stretch, keyed: KeyedSentence) -> bool:
    """Join a sentence that overlaps or follows a stretch, with only white space between."""
    if keyed.passage.source != stretch.source:
        return False
    passage = keyed.passage
    gap = ""
    if keyed.start > stretch.end:
        if passage.start > stretch.end:
            return False
        gap = passage.text[stretch.end - passage.start : keyed.start - passage.start]
        if gap.strip():
            return False
    if keyed.end > stretch.end:
        overlap = max(0, stretch.end - keyed.start)
        stretch.text += gap + keyed.text[overlap:]
        stretch.end = keyed.end
    return True


# --- Sentences of the answer ------------------------------------------------------------------------------------------


def _cited_sentences(text: str, placed: Sequence[_Placed], verbatim: Sequence[Range]) -> Iterator[CitedSentence]:
    """Split an answer into sentences; a marker belongs to the sentence that it stands in or behind."""
    bare, starts = _without_markers(text, placed)
    protected = [(_bare_offset(starts, a), _bare_offset(starts, b)) for a, b in verbatim]
    ranges = [
        (start, end)
        for start, end in split_sentences(bare, protected)
        if not any(a <= start and end <= b for a, b in protected)
    ]
    owners: list[list[_Placed]] = [[] for _ in ranges]
    for mark in placed:
        at = _bare_offset(starts, mark.start)
        owner = bisect_left(ranges, (at, 0)) - 1
        if ranges:
            owners[max(owner, 0)].append(mark)
    for (start, end), marks in zip(ranges, owners, strict=True):
        evidence = {keyed.key: keyed for mark in marks for keyed in mark.refs}
        numbers = tuple(dict.fromkeys(number for mark in marks for number in mark.numbers))
        last = max([_full_offset(starts, end - 1) + 1, *(mark.end for mark in marks)])
        first = _full_offset(starts, start)
        yield CitedSentence(first, last, bare[start:end], tuple(evidence.values()), numbers)


def _without_markers(text: str, placed: Sequence[_Placed]) -> tuple[str, list[tuple[int, int]]]:
    """The text without markers and the spaces before them, and where each kept piece starts: (there, in the text)."""
    pieces: list[str] = []
    starts: list[tuple[int, int]] = []
    position = length = 0
    for mark in placed:
        starts.append((length, position))
        pieces.append(text[position : mark.start].rstrip(" \t"))
        length += len(pieces[-1])
        position = mark.end
    starts.append((length, position))
    pieces.append(text[position:])
    return "".join(pieces), starts


def _full_offset(starts: Sequence[tuple[int, int]], bare: int) -> int:
    at = bisect_left(starts, (bare, float("inf"))) - 1
    return starts[at][1] + bare - starts[at][0]


def _bare_offset(starts: Sequence[tuple[int, int]], full: int) -> int:
    at = bisect_left(starts, full + 1, key=lambda pair: pair[1]) - 1
    bare = starts[at][0] + full - starts[at][1]
    return min(bare, starts[at + 1][0]) if at + 1 < len(starts) else bare
