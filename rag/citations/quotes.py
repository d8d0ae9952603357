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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rag.citations.attribution import Speakers, speakers
from rag.citations.keys import KeyedSentence, inside
from rag.citations.normalising import Normalised, normalise
from rag.citations.phrase_search import Wanted
from rag.citations.quotation_marks import Phrase, find_quotations
from rag.language.sentences import split_sentences
from rag.question.names import NameIndex
from rag.records import Comment, Passage, Range, Span

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
