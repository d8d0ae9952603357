"""Hold back a streamed sentence that quotes or cites until it is complete and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.citations.keys import KeyedSentence
from rag.citations.printing import CitedSentence, Printer
from rag.citations.quotation_marks import has_open_quotation, quotation_ranges
from rag.citations.quotes import CitedAt, QuoteBook, QuoteCheck
from rag.language.sentences import split_sentences
from rag.records import Range

_SENTENCE_LIMIT = 4000
_MOST_REFUSED = 50
"""Full stops that end no sentence, after which none is looked at any more until the line ends."""
_TERMINATORS = ".!?…。！？"
_AT_STOP = f"{_TERMINATORS}\"'”’»)]*_」』 \t"
_SENTENCE_END = rf"[{_TERMINATORS}](?![{_TERMINATORS}])[\"'”’»)\]*_」』]*\s+"
_BORDER = re.compile(rf"{_SENTENCE_END}(\S{{100}}|\S{{1,99}}(?=\s))")
_BORDER_PENDING = re.compile(rf"{_SENTENCE_END}(\S{{0,99}})\Z")
_QUOTE_OPENING = re.compile(r"[“„«‘「『\"]|(?<!\w)'|^\s*>")


class SentenceBuffer:
    """Gathers sentences. One that quotes or cites is held back from there on, until it is whole and reviewed."""

    def __init__(self, printer: Printer, quotes: QuoteBook | None) -> None:
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
        if any(first == start for first, _ in split_sentences(text, self._protected(text))):
            return True
        return text[start : start + 1].islower() and self._cited_at_stop(text[:start])

    def _cited_at_stop(self, sentence: str) -> bool:
        """Whether a marker stands at the full stop: then a handle in lower case begins the next sentence."""
        stop = len(sentence.rstrip(_AT_STOP))
        return any(stop <= mark.at <= len(sentence) for mark in self._marks)

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
