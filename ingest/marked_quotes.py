"""Find the parts of a text that are marked as somebody else's words.

Where nothing but the words tells, see unmarked_quotes.py.
"""

from __future__ import annotations

import re

from ingest.formulas import is_inside, protected_ranges
from rag.records import Range

_QUOTE_LINE = re.compile(
    r"""(?:^|(?<=\r)) (?: [ ]{0,3}(?=>(?!!)) | [ ]{4,12}(?P<deep>(?=>[ ])) | [ ]{0,12}(?:(?:[-*+]|\d{1,9}[.)])[ ]+){1,4}(?=>[ ]) )
    (?P<quote>>[^\r\n]*)""",
    re.MULTILINE | re.VERBOSE,
)


def quoted_ranges(text: str) -> tuple[Range, ...]:
    """Markdown blockquotes: words that the author took from somebody else. Spoilers (`>!`) and code are the author's own."""
    if ">" not in text:
        return ()
    ranges: list[Range] = []
    fences = [span for span in protected_ranges(text) if text[span[0] : span[1]].lstrip()[:1] in ("`", "~")]
    for match in _QUOTE_LINE.finditer(text):
        start, end = match.span("quote")
        goes_on = bool(ranges) and not text[ranges[-1][1] : start].strip(" \t\r\n")
        # So far to the right stands code, unless a quotation inside a list goes on.
        if (match["deep"] is not None and not goes_on) or is_inside(start, fences):
            continue
        if goes_on:
            ranges[-1] = ranges[-1][0], end
        else:
            ranges.append((start, end))
    return tuple(ranges)


# How LessWrong marks what a language model wrote.
_MODEL_BLOCK = re.compile(r"^%%% llm-output\b.*?(?:^%%% /llm-output[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)


def others_words(text: str) -> tuple[Range, ...]:
    """Ranges of blockquotes, and of blocks marked as a language model's."""
    model = [match.span() for match in _MODEL_BLOCK.finditer(text)] if "%%%" in text else []
    others = [span for span in quoted_ranges(text) if not any(start <= span[0] < end for start, end in model)]
    return tuple(sorted(model + others))
