"""Unguessable keys for sentences, and passages made harmless before a model sees them.

A model is shown every sentence under a key such as `k7qm.3` and cites keys. Keys are new for each request, so neither
a hostile comment nor an earlier turn can know them. `KeyReader` tells what a bracket in a reply cites; where brackets
are, and what becomes of them, is for markers.py.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.language.sentences import split_sentences
from rag.records import Passage, Range

_LETTERS = "bcdfghjkmnpqrtvwxz"
_DIGITS = "2346789"
CODE = rf"(?:[{_LETTERS}][{_DIGITS}][{_LETTERS}]{{2}}|[{_LETTERS}]{{2}}[{_DIGITS}][{_LETTERS}])"
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
            quoted = inside(start, end, passage.quoted)
            keys[key] = KeyedSentence(key, passage, passage.start + start, passage.start + end, quoted)
    return keys


def _new_code(rng: random.Random) -> str:
    code = [rng.choice(_LETTERS) for _ in range(4)]
    code[rng.choice((1, 2))] = rng.choice(_DIGITS)
    return "".join(code)


def inside(start: int, end: int, ranges: Iterable[Range]) -> bool:
    """Whether one of the ranges holds all of `start:end`."""
    return any(a <= start and end <= b for a, b in ranges)


# Characters that nobody sees, but a model reads. The two joiners and the selector of emoji have honest uses.
_CONTROLS = [*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)]
_FILLERS = [0xAD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0x180B, 0x1810)]
_ZERO_WIDTH = [0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]
_SELECTORS_AND_TAGS = [*range(0xFE00, 0xFE0F), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE1000)]
_LINE_BREAKS = {0x0B: "\n", 0x0C: "\n", 0x0D: None, 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
INVISIBLE = {**dict.fromkeys([*_CONTROLS, *_FILLERS, *_ZERO_WIDTH, *_SELECTORS_AND_TAGS]), **_LINE_BREAKS}
"""For `str.translate`: invisible and bidirectional control characters vanish, line breaks become one kind."""

_FOREIGN_LABEL = r"(?:id|source|sources|ref|doc|passage|comment|note|key)s?[ :#_.-]{0,3}"
_FOREIGN_MARK = re.compile(
    rf"\^?[\[【［〔]{{1,3}}\s{{0,3}}(?P<inside>[\^#(]?(?:{_FOREIGN_LABEL})?(?:\d{{1,6}}|[a-z0-9]{{2,8}}[.:#]\d{{1,3}}|{CODE})"
    r"(?:\s{0,2}[†,;:&–-]\s{0,2}[\w.:#†-]{1,12}){0,20}\)?)\s{0,3}[\]】］〕]{1,3}",
    re.IGNORECASE,
)
_FOREIGN_KEY = re.compile(rf"(?<![^\W_])({CODE})[.:#·](\d)", re.IGNORECASE)
_FENCE = re.compile(r"([=~#`_*|<>«»-])\1{2,}")
_TEMPLATE_MARK = re.compile(r"<(?=[<|/!?a-z])|(?<=[>|/a-z\"'])>|[⟦⟧]", re.IGNORECASE)
_TEMPLATE_WORD = re.compile(r"\[(/?(?:INST|SYS|system|user|assistant)\b[^\[\]\n]{0,40})\]", re.IGNORECASE)
_HARMLESS = {"<": "‹", ">": "›", "⟦": "(", "⟧": ")"}
_ROLE = re.compile(r"^(\s{0,8}(?:system|assistant|user|human|developer|tool)\s{0,3}):", re.IGNORECASE | re.MULTILINE)


def neutralise(text: str) -> str:
    """Make a passage harmless to show to a model; the source itself is never changed.

    Citation-like marks lose their square brackets, key-like words their dot, fences all but two of their
    characters, tags and chat-template marks their angle brackets, role labels their colon; characters that
    nobody sees vanish. Everything else stays as it is. Offsets change, which is harmless: no quote is
    taken from a model's words.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(INVISIBLE)
    text = _FOREIGN_MARK.sub(lambda found: f"({found['inside'].strip('^#() ')})", text)
    text = _FOREIGN_KEY.sub(r"\1 \2", text)
    text = _FENCE.sub(r"\1\1", text)
    text = _TEMPLATE_WORD.sub(r"(\1)", text)
    text = _TEMPLATE_MARK.sub(lambda found: _HARMLESS[found[0]], text)
    return _ROLE.sub(r"\1 -", text)


@dataclass(frozen=True, slots=True)
class Mark:
    """What one bracket of a reply cites."""

    sentences: tuple[KeyedSentence, ...] = ()
    dropped: tuple[str, ...] = ()
    """Unknown keys and made-up numbers, as written."""


LABEL = (
    r"(?:ids?|sources?|refs?|references?|see|cf|keys?|sentences?|passages?|comments?|docs?|documents?|citations?|cited?"
    r"|citing|notes?|footnotes?|from|per|via|and|und|et)"
)
"""Words that stand in brackets beside keys and numbers and mean nothing by themselves."""
_TOKEN = re.compile(
    rf"(?P<code>{CODE})(?:[.:#·](?:s(?=\d))?(?P<number>\d{{1,6}}))?(?![^\W_])"
    r"|(?P<digits>\d+)(?![^\W_])|(?P<lines>L\d+)"
    rf"|(?P<label>{LABEL})(?![^\W\d_])"
    r"|(?P<dash>[-–—])"
    r"|(?P<space>[\s,;&/|+:#=.†*_\"'`^()\[\]【】［］〔〕（）]+)",
    re.IGNORECASE,
)


_PLACEHOLDER = re.compile(r"\s*keys?(?:\s*,\s*keys?)*\s*", re.IGNORECASE)
"""Copied from the rules, where it stands for a key."""


class KeyReader:
    """Knows the keys of one request, and what a bracket with keys in it cites."""

    def __init__(self, keys: Mapping[str, KeyedSentence]) -> None:
        self._by_code: dict[str, dict[int, KeyedSentence]] = {}
        for keyed in keys.values():
            self._by_code.setdefault(keyed.code, {})[keyed.number] = keyed
        codes = "|".join(map(re.escape, self._by_code)) or r"(?!)"
        self.code_pattern = rf"(?<![^\W_])(?:{codes})"
        """Finds a known code in a text."""
        self._bare = re.compile(
            rf"(?:{codes})(?:[.:#·]\d{{1,6}}(?:[-–—](?:{codes})?\.?\d{{1,6}})?)?(?![^\W_])", re.IGNORECASE
        )
        self._code = re.compile(self.code_pattern, re.IGNORECASE)
        self._prefixes = {code[:size] for code in self._by_code for size in range(1, 5)}

    def could_begin(self, word: str) -> bool:
        """Whether a word may be the beginning of a known code."""
        return word.casefold() in self._prefixes

    def in_text(self, text: str) -> bool:
        """Whether a known code stands in the text."""
        return self._code.search(text) is not None

    def read_bare(self, text: str) -> tuple[Mark, int] | None:
        """The key that the text begins with, without brackets, and its length."""
        found = self._bare.match(text)
        mark = self.read(found[0], square=False) if found else None
        return (mark, found.end()) if found and mark else None

    def read(self, inside_brackets: str, *, square: bool) -> Mark | None:
        """What the inside of a bracket cites; None if it is no marker but text.

        Args:
            inside_brackets: The words between the brackets.
            square: Whether the brackets are such that bare numbers in them are citations.
        """
        reader = _TokenReader(self._by_code)
        position = 0
        while position < len(inside_brackets):
            token = _TOKEN.match(inside_brackets, position)
            if token is None:
                return None
            reader.take(token)
            position = token.end()
        return reader.result(inside_brackets, square)


class _TokenReader:
    """Collects the tokens of one bracket."""

    def __init__(self, by_code: Mapping[str, Mapping[int, KeyedSentence]]) -> None:
        self._by_code = by_code
        self._found: dict[str, KeyedSentence] = {}
        self._unknown: list[str] = []
        self._numbers: list[str] = []
        self._code: str | None = None
        self._last: int | None = None
        self._dash = False

    def take(self, token: re.Match[str]) -> None:
        if token["code"]:
            self._take_key(token["code"].casefold(), token["number"], token[0])
        elif token["digits"]:
            self._take_number(token["digits"])
        elif token["dash"]:
            self._dash = True
        elif token["label"]:
            self._dash = False

    def _take_key(self, code: str, number: str | None, written: str) -> None:
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
            self._unknown.append(written)

    def _take_number(self, digits: str) -> None:
        if self._code is None:
            self._numbers.append(digits)
            return
        number = int(digits) if len(digits) <= 6 else -1
        if self._dash and self._last is not None:
            self._take_range(number, digits)
            return
        known = self._by_code.get(self._code, {})
        if number in known:
            self._last = number
            self._add([known[number]])
        else:
            self._unknown.append(f"{self._code}.{digits}")

    def _take_range(self, last: int, written: str) -> None:
        """Sentences behind the last one, up to `last`; those that are not there count as one unknown."""
        self._dash = False
        first = self._last or 0
        known = self._by_code[self._code or ""]
        self._add(keyed for number, keyed in known.items() if first < number <= last)
        if last not in known or last < first:
            self._unknown.append(written)
        self._last = last

    def _add(self, sentences: Iterable[KeyedSentence]) -> None:
        for keyed in sentences:
            self._found.setdefault(keyed.key, keyed)

    def result(self, inside_brackets: str, square: bool) -> Mark | None:
        if self._code is None:
            interval = len(self._numbers) > 1 and any(int(digits[:9]) == 0 for digits in self._numbers)
            if square and not self._numbers and _PLACEHOLDER.fullmatch(inside_brackets):
                return Mark((), (inside_brackets,))
            decimal_or_sign = re.search(r"\d\s*\.\s*\d|^\s*[-–—+]", inside_brackets)
            if not square or not self._numbers or interval or decimal_or_sign:
                return None
        return Mark(tuple(self._found.values()), (*self._unknown, *self._numbers))
