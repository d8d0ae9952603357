"""How comments write a word: whether one that could be a name is an everyday word here, such as "lighthouse"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

USES = 40
"""Passages that are looked at to see how a word is used."""
PLAIN = 0.2
"""Share of its uses behind an article from which a word is no name: one may also write "the Ann post"."""
_ARTICLES = frozenset("a an the no any some every each this these those my your his her our their".split())


@dataclass(frozen=True, slots=True)
class WordUsage:
    """How passages use a word."""

    plain: bool
    """As no name: often enough behind an article."""
    small: bool
    """With a small letter half the time or more often."""

    @classmethod
    def of(cls, word: str, texts: Iterable[str]) -> WordUsage:
        """How some texts use a word."""
        pattern = re.compile(rf"(?:(\w*)\s+|(?<!\w))({re.escape(word)})\b", re.I)
        uses = [use for text in texts for use in pattern.finditer(text)]
        before = [use[1].casefold() for use in uses if use[1] is not None]
        plain = sum(other in _ARTICLES for other in before)
        small = sum(use[2][:1].islower() for use in uses)
        return cls(plain > 0 and plain >= PLAIN * len(before), bool(uses) and 2 * small >= len(uses))
