"""Which parts of markdown are not the author's voice, as far as the markdown says so."""

from __future__ import annotations

import re

from ingest.cleaning import quoted_ranges

# How LessWrong marks what a language model wrote.
_MODEL_BLOCK = re.compile(r"^%%% llm-output\b.*?(?:^%%% /llm-output[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)


def quoted(text: str) -> tuple[tuple[int, int], ...]:
    """Ranges of blockquotes, and of blocks marked as a language model's."""
    model = [match.span() for match in _MODEL_BLOCK.finditer(text)]
    others = [span for span in quoted_ranges(text) if not any(start <= span[0] < end for start, end in model)]
    return tuple(sorted(model + others))
