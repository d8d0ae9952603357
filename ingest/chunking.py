"""Cut a text into passages that fit the embedding model.

Passages end where sentences end and tile the text: nothing is in two passages, nothing but white space is in none.
Does not clean markup and knows nothing of the store; the tokenizer is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.language.sentences import split_sentences
from rag.records import Range

TARGET_CHARS = 880
"""Passages are filled up to this length, as far as the embedding model takes it."""
WINDOW_SENTENCES = (1, 2)
"""Sizes of the sentence windows that get a vector of their own beside the passage's."""

LOOKED_AT = 16
"""Characters per token that are looked at first, where a sentence is longer."""
_BLANKS = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One passage of a text: `text[start:end]`, with what lies in it."""

    start: int
    end: int
    sentences: tuple[Range, ...]
    """Relative to the chunk."""
    windows: tuple[Range, ...]
    """Relative to the chunk: the stretches to be embedded beside the whole."""


def chunk(
    text: str,
    *,
    token_spans: Callable[[str], Sequence[Range]],
    max_tokens: int,
    target_chars: int = TARGET_CHARS,
    protected: Sequence[Range] = (),
) -> list[Chunk]:
    """Cut a text into passages on sentence borders.

    Args:
        text: Any text; blank text gives no passages.
        token_spans: The embedding model's tokenizer: character ranges of the tokens, without special ones.
        max_tokens: Most tokens of one passage, special ones not counted.
        target_chars: Most characters of one passage, unless a single sentence is longer.
        protected: Ranges that are cut only if they exceed `max_tokens` by themselves, sorted by start.
    """
    chunks: list[Chunk] = []
    group: list[Range] = []
    tokens = 0
    for piece, count in _fitting(text, split_sentences(text, protected), token_spans, max_tokens):
        if group and (tokens + count > max_tokens or piece[1] - group[0][0] > target_chars):
            chunks.append(_chunk(group))
            group, tokens = [], 0
        group.append(piece)
        tokens += count
    if group:
        chunks.append(_chunk(group))
    return chunks


def _fitting(
    text: str, sentences: Sequence[Range], token_spans: Callable[[str], Sequence[Range]], max_tokens: int
) -> Iterator[tuple[Range, int]]:
    """Sentences with their token counts; those too long for the model in pieces."""
    for start, end in sentences:
        while len(spans := _first_spans(text, start, end, token_spans, max_tokens)) > max_tokens:
            cut = _cut(text, start, spans, max_tokens)
            kept = text[start:cut].rstrip()
            yield (start, start + len(kept)), sum(1 for span in spans if span[1] <= cut - start)
            start = _BLANKS.match(text, cut, end).end()
        yield (start, end), len(spans)


def _first_spans(
    text: str, start: int, end: int, token_spans: Callable[[str], Sequence[Range]], max_tokens: int
) -> Sequence[Range]:
    """All tokens, or at least one more than fit: not all that is left of a long sentence is looked at for each piece."""
    length = LOOKED_AT * max_tokens
    while start + length < end:
        spans = token_spans(text[start : start + length])
        if len(spans) > max_tokens:
            return spans
        length *= 2
    return token_spans(text[start:end])


def _cut(text: str, start: int, spans: Sequence[Range], max_tokens: int) -> int:
    """Where to cut a sentence of too many tokens: at white space if there is any, else between tokens."""
    hard = start + spans[max_tokens][0]
    for position in range(hard, start + spans[max_tokens // 2][0], -1):
        if text[position - 1].isspace():
            return position
    return hard


def _chunk(group: Sequence[Range]) -> Chunk:
    start, end = group[0][0], group[-1][1]
    sentences = tuple((a - start, b - start) for a, b in group)
    return Chunk(start, end, sentences, tuple(_windows(sentences)))


def _windows(sentences: Sequence[Range]) -> Iterator[Range]:
    for size in WINDOW_SENTENCES:
        if size < len(sentences):
            for first in range(len(sentences) - size + 1):
                yield sentences[first][0], sentences[first + size - 1][1]
