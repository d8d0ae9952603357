"""Numbers with their nouns and lists of names, as they stand in an English sentence."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """A number with its noun, as in "1 comment" and "1,200 comments"; the plural of the noun is made with an "s"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def enumerated(names: Sequence[str]) -> str:
    """One name or more as a list: "A", "A and B", "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
