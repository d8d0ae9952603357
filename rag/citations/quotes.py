"""Words in quotation marks: looked up, and never shown as a quotation if they are none.

A phrase is compared with a comment after a declared normalisation of both; it must then stand in the comment exactly.

What counts as equal: single and double, straight and curly quotation marks and apostrophes; hyphens and dashes, with or
without spaces round a dash; any white space, also line breaks and list marks at the start of a line; composed and
decomposed letters (NFC), ligatures; the case of the first letter, also as `[T]he`; Markdown emphasis, code marks,
escapes and links' targets; soft hyphens and other invisible characters; a comma, semicolon, colon or full stop at the
end; an ellipsis at either end. An ellipsis in the middle (`…`, `...`, `[...]`) stands for left-out words if each piece
has at least three words, the pieces stand in one passage in this order, and nothing that turns the meaning was left
out between them.

What never counts as equal: any other letter, digit or sign. A phrase must begin and end at the borders of words and
numbers (not "agree" of "disagree", "can" of "can't", "5" of "1.5" or "5%"), and not next to a negation that it leaves out.

Offsets survive: every normalised character knows its place in the source, so the span found is exact.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rag.citations.attribution import Speakers, speakers
from rag.citations.keys import INVISIBLE, KeyedSentence, inside
from rag.language.sentences import split_sentences
from rag.question.names import NameIndex
from rag.records import Comment, Passage, Range, Span

# --- Normalising, with a way back -------------------------------------------------------------------------------------

_DOUBLE_QUOTES = '"“”„‟″«»「」『』＂'
_SINGLE_QUOTES = "'‘’‚‛′´`ʼ＇"
_HYPHENS = "-‐‑−﹣－"
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
        if char in _HYPHENS or char in _DASHES:
            return "-"
        return _LIGATURES.get(char, char)

    def _add(self, char: str, start: int, end: int) -> None:
        self.chars.append(char)
        self.starts.append(start)
        self.ends.append(end)
        self._after_dash = False


# --- Finding a phrase in a text ---------------------------------------------------------------------------------------

NEGATIONS = frozenset(
    """
    not no never none nobody nothing neither nor cannot without hardly barely rarely seldom scarcely
    """.split()
)
"""Words that turn a statement round; so does everything that ends in "n't"."""
_TURNING = NEGATIONS | frozenset(
    """
    but unless except if false wrong untrue deny denies denied refuse refuses refused reject rejects rejected doubt
    doubts unlikely fail fails failed against
    """.split()
)
_LEFT_OUT_LIMIT = 1000
_LEAST_PIECE = 3
_MOST_PIECES = 5
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SCALE = re.compile(r" ?(?:%|percent|per cent|million|billion|trillion|thousand|hundred|[kKM]\b|bn\b)")


def is_negation(word: str) -> bool:
    word = word.casefold().replace("’", "'")
    return word in NEGATIONS or word.endswith("n't")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A phrase, ready to be looked for in many texts."""

    text: str
    """Normalised, without ellipses at its ends."""
    variants: tuple[str, ...]
    """As it is, and without the punctuation that a sentence round it may have put in."""
    pieces: tuple[str, ...]
    """What stands between its ellipses, if they may stand for left-out words."""

    @classmethod
    def of(cls, phrase: str) -> Wanted:
        text = normalise(phrase).text.strip(" …")
        variants = [part for part in dict.fromkeys((text, text.rstrip(" .,;:"))) if any(map(str.isalnum, part))]
        pieces = [piece.strip(" ,;:") for piece in text.split("…")]
        long_enough = all(len(_WORD.findall(piece)) >= _LEAST_PIECE for piece in pieces)
        return cls(text, tuple(variants), tuple(pieces) if 1 < len(pieces) <= _MOST_PIECES and long_enough else ())

    def find(self, source: Normalised) -> tuple[list[Range], str]:
        """Find the phrase in a text.

        Returns:
            Ranges of `source.raw`, one per piece between ellipses, and ""; or none, and why a place that looked right
            was refused ("" if there was none).
        """
        refused = ""
        for variant in self.variants:
            for start in _occurrences(variant, source.text):
                end = start + len(variant)
                refused = _refusal(source, start, end, full_stop=variant != self.text and self.text.endswith("."))
                if not refused:
                    return [source.span(start, end)], ""
        return _find_pieces(self.pieces, source) if self.pieces else ([], refused)


def _occurrences(wanted: str, text: str) -> Iterator[int]:
    first = wanted[0]
    for variant in dict.fromkeys((wanted, first.swapcase() + wanted[1:])):
        at = text.find(variant)
        while at >= 0 and len(variant) == len(wanted):
            yield at
            at = text.find(variant, at + 1)


def _refusal(source: Normalised, start: int, end: int, *, full_stop: bool = False) -> str:
    """Why a place where the phrase stands does not count; "" if it does."""
    text = source.text
    if _cut_at_start(source, start) or _cut_at_end(source, end):
        return "The phrase cuts a word or number in two."
    if full_stop and text[end : end + 1] == "?":
        return "The source asks what the phrase states."
    before = re.search(r"([^\W_]+(?:'[^\W_]+)*) \Z", text[max(0, start - 30) : start])
    if before and is_negation(before[1]):
        return f'The phrase leaves out "{before[1]}" right before it.'
    if after := re.compile(r" (not|never|hardly|barely|rarely|seldom|scarcely)\b", re.IGNORECASE).match(text, end):
        return f'The phrase leaves out "{after[1]}" right behind it.'
    return ""


def _cut_at_start(source: Normalised, start: int) -> bool:
    text = source.text
    before, first = text[start - 1 : start], text[start]
    further = text[start - 2 : start - 1] if start > 1 else ""
    if not before or not first.isalnum():
        return False
    if before.isalnum() or (before == "'" and further.isalnum()):
        return True
    hyphen = before == "-" and source.raw[source.starts[start - 1]] in _HYPHENS
    if hyphen and (further.isalnum() or (first.isdigit() and not further.isalnum())):
        return source.starts[start] == source.ends[start - 1]
    if first.isdigit():
        return before in "/^<>≤≥±~≈" or (before in ".," and (further.isdigit() or not further.strip()))
    return False


def _cut_at_end(source: Normalised, end: int) -> bool:
    text = source.text
    last, after, further = text[end - 1], text[end : end + 1], text[end + 1 : end + 2]
    if not after or not last.isalnum():
        return False
    if after.isalnum() or (after == "'" and further.isalnum() and not last.isdigit()):
        return True
    if after == "-" and further.isalnum() and source.raw[source.starts[end]] in _HYPHENS:
        return source.starts[end] == source.ends[end - 1] and source.starts[end + 1] == source.ends[end]
    if last.isdigit():
        return (after in ".,/^" and further.isdigit()) or _SCALE.match(text, end) is not None
    return False


def _find_pieces(pieces: Sequence[str], source: Normalised) -> tuple[list[Range], str]:
    """The pieces in their order, the first wherever the others follow."""
    refused = ""
    for first in _occurrences(pieces[0], source.text):
        found, refused = _follow(pieces, source, first)
        if found:
            return [source.span(start, end) for start, end in found], ""
    return [], refused


def _follow(pieces: Sequence[str], source: Normalised, first: int) -> tuple[list[Range], str]:
    """The pieces one after the other, the first at `first`."""
    found: list[Range] = []
    for piece in pieces:
        start = first if not found else next((at for at in _occurrences(piece, source.text) if at >= found[-1][1]), -1)
        if start < 0:
            return [], ""
        end = start + len(piece)
        refused = _refusal(source, start, end) or (_left_out(source.text[found[-1][1] : start]) if found else "")
        if refused:
            return [], refused
        found.append((start, end))
    return found, ""


def _left_out(gap: str) -> str:
    """Why these words must not be left out between two pieces; "" if they may."""
    if len(gap) > _LEFT_OUT_LIMIT:
        return "Too much was left out between the pieces."
    opening = re.split(r"[.!?]['\")]* ", gap)[-1]  # what the sentence of the second piece began with
    for word in _WORD.findall(opening):
        if is_negation(word) or word.casefold() in _TURNING:
            return f'The ellipsis leaves out "{word}".'
    return ""


# --- Quotations in an answer ------------------------------------------------------------------------------------------

_OPENERS_OF = {"”": "“„", "“": "„", "»": "«", "’": "‘", "」": "「", "』": "『", '"': '"', "'": "'"}
"""For each mark that closes a quotation those that may have opened it."""
_OPENERS = frozenset("“„«‘「『\"'")
_MARK = re.compile(r"[“”„«»‘’「」『』\"']")
_BLOCK = re.compile(r"[ \t]*(?:>[ \t]?)+")
_PHRASE_LIMIT = 3000
_LEAST_STRAIGHT_SINGLE = 3
"""Words between two straight single marks; fewer are rather two apostrophes."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in quotation marks."""

    start: int
    end: int
    """Range of the words, without their marks."""
    marks: tuple[int, ...]
    """Places of the quotation marks."""
    text: str

    @property
    def outer(self) -> Range:
        return min((self.start, *self.marks)), max((self.end, *(mark + 1 for mark in self.marks)))


def find_quotations(text: str, verbatim: Sequence[Range] = ()) -> list[Phrase]:
    """Find what stands in quotation marks or in a block quotation, in reading order, outermost only.

    Args:
        text: Text of an answer.
        verbatim: Ranges with code or formulas, in which nothing is a quotation mark.
    """
    found: list[Phrase] = []
    position = 0
    # Not at U+2028: a quotation that holds one would go unchecked.
    for line in text.split("\n"):
        end = position + len(line.rstrip())
        block = _BLOCK.match(text, position, end)
        if block and any(map(str.isalnum, text[block.end() : end])):
            found.append(_block_quotation(text, block, end))
        else:
            found += _scan(text, position, end, verbatim)[0]
        position += len(line) + 1
    return found


def quotation_ranges(text: str, verbatim: Sequence[Range] = ()) -> list[Range]:
    """The ranges of all quotations, marks included."""
    return [phrase.outer for phrase in find_quotations(text, verbatim)]


def has_open_quotation(line: str, verbatim: Sequence[Range] = ()) -> bool:
    """Whether a quotation begins in a line that does not end in it. Single marks may be apostrophes and do not count."""
    return any(line[at] not in "'‘" for at in _scan(line, 0, len(line), verbatim)[1])


def _block_quotation(text: str, block: re.Match[str], end: int) -> Phrase:
    """A line behind `>`, which may have quotation marks of its own round all of it."""
    start = block.end()
    marks = tuple(range(text.index(">", block.start()), start))
    inner = find_quotations(text[start:end])
    if len(inner) == 1 and inner[0].outer == (0, end - start):
        marks += tuple(mark + start for mark in inner[0].marks)
        return Phrase(inner[0].start + start, inner[0].end + start, marks, inner[0].text)
    return Phrase(start, end, marks, text[start:end])


def _scan(text: str, start: int, end: int, verbatim: Sequence[Range]) -> tuple[list[Phrase], list[int]]:
    """The outermost quotations of a line, and the marks that opened one which does not end."""
    opened: list[int] = []
    waiting: Counter[str] = Counter()
    found: list[Phrase] = []
    for mark in _MARK.finditer(text, start, end):
        at = mark.start()
        if _in_ranges(at, verbatim):
            continue
        openers = _OPENERS_OF.get(text[at], "")
        if any(waiting[opener] for opener in openers) and (opening := _closes(text, at, opened, openers)) is not None:
            while opened and opened[-1] >= opening:
                waiting[text[opened.pop()]] -= 1
            while found and found[-1].start > opening:
                found.pop()
            if at - opening <= _PHRASE_LIMIT and any(map(str.isalnum, text[opening + 1 : at])):
                found.append(Phrase(opening + 1, at, (opening, at), text[opening + 1 : at]))
        elif _opens(text, at):
            opened.append(at)
            waiting[text[at]] += 1
    return found, opened


def _in_ranges(at: int, ranges: Sequence[Range]) -> bool:
    number = bisect_right(ranges, at, key=lambda pair: pair[0]) - 1
    return number >= 0 and at < ranges[number][1]


def _opens(text: str, at: int) -> bool:
    after = text[at + 1 : at + 2]
    if text[at] not in _OPENERS or not after or after.isspace():
        return False
    return text[at] not in "\"'‘" or not text[at - 1 : at].isalnum()


def _closes(text: str, at: int, opened: Sequence[int], openers: str) -> int | None:
    """The mark whose quotation ends here. An apostrophe closes nothing, nor does a straight mark behind white space."""
    after = text[at + 1 : at + 2]
    if text[at] in "'’" and after.isalnum():
        return None
    if text[at] in "\"'" and (text[at - 1].isspace() or after.isalnum()):
        return None
    opening = next(place for place in reversed(opened) if text[place] in openers)
    if text[at] == "'" and len(text[opening + 1 : at].split()) < _LEAST_STRAIGHT_SINGLE:
        return None
    return opening


# --- Verdicts ---------------------------------------------------------------------------------------------------------

Lookup = Callable[[str], Sequence[Passage | Comment]]
"""Finds comments or passages that may hold a phrase, among everything that is indexed."""


@dataclass(frozen=True, slots=True)
class QuoteCheck:
    """What became of one phrase in quotation marks."""

    start: int
    end: int
    """Range of the phrase in the answer's text."""
    phrase: str
    verdict: Literal["verbatim", "repointed", "nowhere"]
    """Verbatim in the cited comment, and by whom the sentence says; verbatim, but in another comment, by another author
    or in another voice; in no comment: the quotation marks were removed."""
    reason: str = ""
    passage: Passage | None = None
    spans: tuple[Span, ...] = ()
    """Where the words stand, one span per piece between ellipses."""


@dataclass(frozen=True, slots=True)
class CitedAt:
    """A marker in a sentence."""

    at: int
    """Offset in the sentence's text, which has no markers in it."""
    sentences: tuple[KeyedSentence, ...]
    lead: str = ""
    """White space in front of the marker."""
    repointed: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """A sentence after its quotations were looked up."""

    cited: tuple[CitedAt, ...]
    removed: tuple[int, ...]
    """Places of quotation marks round words that are none."""
    checks: tuple[QuoteCheck, ...]
    notes: tuple[tuple[int, str], ...] = ()
    """What is said behind a quotation whose speaker the sentence gets wrong: (offset, text)."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A place where a phrase stands."""

    passage: Passage
    ranges: tuple[Range, ...]
    """Ranges of the passage's text."""

    @property
    def own_voice(self) -> bool:
        return not any(a < end and start < b for start, end in self.ranges for a, b in self.passage.quoted)

    @property
    def spans(self) -> tuple[Span, ...]:
        base = self.passage.start
        return tuple(Span(self.passage.source, base + start, base + end) for start, end in self.ranges)


@dataclass(slots=True)
class QuoteBook:
    """Looks phrases up: first in the cited comments, then in all passages at hand, then in the whole index.

    Args:
        passages: What the answer was made from.
        lookup: Finds more comments or passages for a phrase; None to look no further.
        question: Words of the question in quotation marks are named as such.
    """

    passages: Sequence[Passage]
    lookup: Lookup | None = None
    question: str = ""
    _normalised: dict[tuple[str, int, int], Normalised] = field(default_factory=dict)
    _names: NameIndex | None = None

    def check(self, phrase: str, cited: Iterable[Passage], said_by: Speakers | None = None) -> QuoteCheck:
        """The verdict on one phrase.

        Args:
            phrase: The words between the quotation marks.
            cited: Passages that the sentence cites; other passages of their comments count as cited, too.
            said_by: Whom the sentence names as speaking.
        """
        said_by = said_by or Speakers()
        comments = {passage.comment_id for passage in cited}
        hits, refused = self._hits(phrase, comments, said_by)
        if not hits:
            return self._nowhere(phrase, refused)
        best = min(hits, key=lambda hit: self._rank(hit, comments, said_by))
        if best.passage.comment_id not in comments and len(phrase.split()) == 1:
            return self._nowhere(phrase, "One word that the cited comments do not have is nobody's quotation.")
        verdict, reason = _judge(best, comments, said_by)
        return QuoteCheck(0, len(phrase), phrase, verdict, reason, best.passage, best.spans)

    def review(self, sentence: str, cited: Sequence[CitedAt], verbatim: Sequence[Range] = ()) -> Review:
        """Look up the quotations of a sentence, move its markers to where the words stand, take marks off the rest."""
        marks = list(cited)
        removed: list[int] = []
        checks: list[QuoteCheck] = []
        notes: list[tuple[int, str]] = []
        phrases = find_quotations(sentence, verbatim)
        said_by = self._speakers(sentence, phrases, cited) if phrases else Speakers()
        for number, phrase in enumerate(phrases):
            limit = phrases[number + 1].start if number + 1 < len(phrases) else len(sentence) + 1
            near = _nearest(marks, phrase, limit)
            passages = [
                keyed.passage for mark in (marks if near is None else [marks[near], *marks]) for keyed in mark.sentences
            ]
            check = self.check(phrase.text, passages, said_by)
            if check.verdict == "nowhere" and self._is_title(phrase.text):
                continue
            checks.append(QuoteCheck(phrase.start, phrase.end, *_rest(check)))
            if check.verdict == "nowhere":
                removed += phrase.marks
            elif check.passage is not None:
                _point(marks, near, phrase, check, len(sentence))
                if not said_by.fits(check.passage.author):
                    notes.append((phrase.outer[1], f" (words of {_plain_name(check.passage)})"))
                elif check.verdict == "repointed" and _stands_here(check.passage, passages):
                    notes.append((phrase.outer[1], f" (somebody else's words, quoted by {_plain_name(check.passage)})"))
        return Review(tuple(sorted(marks, key=lambda mark: mark.at)), tuple(removed), tuple(checks), tuple(notes))

    def _hits(self, phrase: str, comments: set[str], said_by: Speakers) -> tuple[list[_Hit], str]:
        """Places where the phrase stands, up to the first that is beyond doubt."""
        wanted = Wanted.of(phrase)
        hits: list[_Hit] = []
        refused = ""
        for passage in self._candidates(phrase, comments):
            ranges, why = wanted.find(self._normal(passage))
            refused = refused or why
            if ranges:
                hits.append(_Hit(passage, tuple(ranges)))
                if not any(self._rank(hits[-1], comments, said_by)):
                    break
        return hits, refused

    def _candidates(self, phrase: str, comments: set[str]) -> Iterator[Passage]:
        """Passages of the cited comments, all others at hand, then what the index offers."""
        yield from sorted(self.passages, key=lambda passage: passage.comment_id not in comments)
        for record in self.lookup(phrase) if self.lookup else ():
            yield record if isinstance(record, Passage) else _as_passage(record)

    def _normal(self, passage: Passage) -> Normalised:
        key = (passage.source, passage.start, passage.end)
        if key not in self._normalised:
            self._normalised[key] = normalise(passage.text)
        return self._normalised[key]

    @staticmethod
    def _rank(hit: _Hit, comments: set[str], said_by: Speakers) -> tuple[bool, bool, bool]:
        """The said author's own words first, then cited ones, then the author's own in general."""
        fits = said_by.fits(hit.passage.author) and (hit.own_voice or not said_by.authors)
        return (not fits, hit.passage.comment_id not in comments, not hit.own_voice)

    def _nowhere(self, phrase: str, refused: str) -> QuoteCheck:
        reason = refused or "These words stand in none of the comments."
        if not refused and Wanted.of(phrase).find(normalise(self.question))[0]:
            reason = "These are words of the question, not of a comment."
        return QuoteCheck(0, len(phrase), phrase, "nowhere", reason)

    def _is_title(self, phrase: str) -> bool:
        """Titles of posts stand in quotation marks, too, and are no quotation."""
        wanted = normalise(phrase).text.strip(" .,;:").casefold()
        return any(passage.title and normalise(passage.title).text.casefold() == wanted for passage in self.passages)

    def _speakers(self, sentence: str, phrases: Sequence[Phrase], cited: Sequence[CitedAt]) -> Speakers:
        prose = list(sentence)
        for phrase in phrases:
            prose[phrase.start : phrase.end] = " " * (phrase.end - phrase.start)
        if self._names is None:
            self._names = NameIndex({passage.author for passage in self.passages if passage.author})
        ordinary = " ".join(keyed.text for mark in cited for keyed in mark.sentences)
        return speakers("".join(prose), self._names, ordinary)


def _rest(
    check: QuoteCheck,
) -> tuple[str, Literal["verbatim", "repointed", "nowhere"], str, Passage | None, tuple[Span, ...]]:
    return check.phrase, check.verdict, check.reason, check.passage, check.spans


def _judge(hit: _Hit, comments: set[str], said_by: Speakers) -> tuple[Literal["verbatim", "repointed"], str]:
    author = hit.passage.author or "somebody unknown"
    if not said_by.fits(hit.passage.author):
        named = ", ".join(sorted(said_by.authors) or said_by.strangers)
        return "repointed", f"These are words of {author}, not of {named}."
    if not hit.own_voice and said_by.authors:
        return "repointed", f"{author} quotes these words; they are somebody else's."
    if comments and hit.passage.comment_id not in comments:
        return "repointed", f"These words stand in another comment, by {author}."
    if not hit.own_voice:
        return "verbatim", f"{author} quotes these words; they are somebody else's."
    return "verbatim", ""


def _plain_name(passage: Passage) -> str:
    """An author's name with nothing in it that could be markup."""
    return re.sub(r"[^\w .,'’@-]+", "", passage.author or "").strip()[:80] or "somebody unknown"


def _stands_here(passage: Passage, cited: Sequence[Passage]) -> bool:
    return not cited or any(passage.comment_id == other.comment_id for other in cited)


def _nearest(marks: Sequence[CitedAt], phrase: Phrase, limit: int) -> int | None:
    """The marker that belongs to a phrase: the first behind it, before the next phrase."""
    return next((number for number, mark in enumerate(marks) if phrase.end <= mark.at < limit), None)


def _point(marks: list[CitedAt], near: int | None, phrase: Phrase, check: QuoteCheck, length: int) -> None:
    """Make the sentences that hold the phrase part of what is cited for it."""
    passage = check.passage
    if passage is None:
        return
    found = tuple(_sentences_of(passage, check.spans))
    cited = {(keyed.passage.source, keyed.start, keyed.end) for mark in marks for keyed in mark.sentences}
    if all((keyed.passage.source, keyed.start, keyed.end) in cited for keyed in found):
        return
    here = any(keyed.passage.comment_id == passage.comment_id for mark in marks for keyed in mark.sentences)
    if near is None:
        at = min(phrase.outer[1], length)
        marks.append(CitedAt(at, found, " ", check.verdict == "repointed"))
        return
    mark = marks[near]
    replaced = not here and len({keyed.passage.comment_id for keyed in mark.sentences}) == 1
    sentences = found if replaced else (*mark.sentences, *found)
    marks[near] = CitedAt(mark.at, sentences, mark.lead, mark.repointed or not here)


def _sentences_of(passage: Passage, spans: Sequence[Span]) -> Iterator[KeyedSentence]:
    """The whole sentences of a passage that hold the spans."""
    for start, end in passage.sentences or split_sentences(passage.text):
        if any(span.start < passage.start + end and passage.start + start < span.end for span in spans):
            quoted = inside(start, end, passage.quoted)
            yield KeyedSentence("", passage, passage.start + start, passage.start + end, quoted)


def _as_passage(comment: Comment) -> Passage:
    """A whole comment as one passage."""
    span = comment.sightings[0]
    return Passage(
        id=comment.id,
        comment_id=comment.id,
        author=comment.author,
        text=comment.text,
        source=span.source,
        start=span.start,
        end=span.end,
        url=comment.url,
        posted_at=comment.posted_at,
        kind=comment.kind,
        title=comment.title,
        quoted=comment.quoted,
        gaps=comment.gaps,
    )
