"""Results cut to size: the snippets of text that bear on a question, in place of whole passages.

A passage is as long as the embedding model can read; what answers is often two of its sentences, or the end of one
passage and the beginning of the next. Each sentence counts with the probability that it holds part of the answer, less
a price for its length; the best snippets are the runs of sentences with the highest sums, which may cross from a passage
into the next (all maximal scoring subsequences: Ruzzo and Tompa 1999). Offsets stay exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.records import Passage, Range
from rag.retrieval.relevance import Sentence

POOL = 30
"""Passages whose sentences are compared."""
PRICE = 0.005 / 100
"""What a character costs, in expected parts of an answer: chosen on one half of Chroma's chunking evaluation."""
FUSED = 0.01
"""What the score of its passage, that of the best being 1, adds to the value of a run when runs are ranked. Few runs below the first
are worth their length; by value alone the shortest would come first of the others."""
BETWEEN = 6
"""Most characters of white space between two passages that follow each other."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring sentences."""

    sentences: tuple[Sentence, ...]
    value: float

    @property
    def passage(self) -> Passage:
        """That of the sentence that bears on the question most."""
        return max(self.sentences, key=lambda sentence: sentence.score).passage


def best_snippets(sentences: Sequence[Sentence], source_text: Callable[[str], str]) -> Iterator[Passage]:
    """All snippets, best first, as passages of their own.

    Args:
        sentences: Those of the retrieved passages, as `score_sentences` gives them.
        source_text: The text that offsets refer to, for snippets that cross from one passage into the next.
    """
    runs = [run for chain in _chains(sentences) for run in _runs(chain)]
    highest = max((sentence.passage.score for sentence in sentences), default=0.0) or 1.0
    found = {run: run.value + FUSED * run.passage.score / highest for run in runs}
    runs.sort(key=lambda run: (-found[run], run.sentences[0].passage.id, run.sentences[0].start))
    for run in runs:
        yield _passage(run, max(found[run] / found[runs[0]], 0.0) if found[runs[0]] > 0 else 0.0, source_text)


def _chains(sentences: Sequence[Sentence]) -> Iterator[list[Sentence]]:
    """Sentences that follow each other in a comment with nothing but white space between."""
    chain: list[Sentence] = []
    for sentence in sorted(sentences, key=lambda s: (s.passage.source, s.passage.comment_id, s.start)):
        if chain and not (
            sentence.passage.comment_id == chain[-1].passage.comment_id
            and sentence.passage.source == chain[-1].passage.source
            and (sentence.passage is chain[-1].passage or 0 <= sentence.start - chain[-1].end <= BETWEEN)
        ):
            yield chain
            chain = []
        chain.append(sentence)
    if chain:
        yield chain


def _runs(chain: Sequence[Sentence]) -> list[_Run]:
    """All maximal runs of a chain; its best sentence if none is worth its length."""
    values = [sentence.score - PRICE * (sentence.end - sentence.start) for sentence in chain]
    found = maximal_runs(values)
    if not found:
        best = max(range(len(values)), key=values.__getitem__)
        found = [(best, best + 1)]
    return [_Run(tuple(chain[first:last]), sum(values[first:last])) for first, last in found]


def maximal_runs(values: Sequence[float]) -> list[Range]:
    """All maximal scoring subsequences of a sequence, as ranges of indexes, in order (Ruzzo and Tompa 1999)."""
    found: list[tuple[int, int, float, float]] = []  # first, last, sum before it, sum up to its end
    total = 0.0
    for index, value in enumerate(values):
        before, total = total, total + value
        if value <= 0:
            continue
        run = (index, index + 1, before, total)
        while True:
            at = next((n for n in range(len(found) - 1, -1, -1) if found[n][2] < run[2]), None)
            if at is None or found[at][3] >= run[3]:
                found.append(run)
                break
            run = (found[at][0], index + 1, found[at][2], total)
            del found[at:]
    return [(first, last) for first, last, *_ in found]


def _passage(run: _Run, score: float, source_text: Callable[[str], str]) -> Passage:
    """A run as a passage; it keeps the id of its passage if it is the whole of it."""
    parts = list(dict.fromkeys(sentence.passage for sentence in run.sentences))
    best = run.passage
    start, end = run.sentences[0].start, run.sentences[-1].end
    if len(parts) == 1 and start <= _first(best) and end >= _last(best):
        return replace(best, score=score)
    text = best.text[start - best.start : end - best.start] if len(parts) == 1 else source_text(best.source)[start:end]
    return replace(
        best,
        id=f"{best.id}-{start}-{end}",
        text=text,
        start=start,
        end=end,
        score=score,
        sentences=tuple((sentence.start - start, sentence.end - start) for sentence in run.sentences),
        quoted=tuple(
            (max(a, 0), min(b, end - start))
            for part in parts
            for a, b in ((a + part.start - start, b + part.start - start) for a, b in part.quoted)
            if a < end - start and b > 0
        ),
        gaps=tuple(
            gap for part in parts for gap in (g + part.start - start for g in part.gaps) if 0 <= gap <= end - start
        ),
    )


def _first(passage: Passage) -> int:
    return passage.start + (passage.sentences[0][0] if passage.sentences else 0)


def _last(passage: Passage) -> int:
    return passage.start + (passage.sentences[-1][1] if passage.sentences else len(passage.text))
