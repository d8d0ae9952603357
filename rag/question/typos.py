"""Typing errors in a question: a word that stands nowhere and is no word of everyday use, one letter from one that does.

The vector of a misspelt word is near that of the word, but the words that questions and comments share are counted, too.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator

LEAST = 6
"""Letters of a word that is mended: shorter ones have too many neighbours."""
_WORD = re.compile(rf"(?<![\w'’@./-])[a-z]{{{LEAST},}}(?![\w@/]|[.'’-]\w)")
"""In small letters: what has capitals or signs in it may be a name."""


def mended(
    question: str, known: Callable[[str], bool], written: Callable[[str], bool], everyday: Callable[[str], bool]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A question with the words that were meant, where there is no doubt which.

    Args:
        question: As it was typed.
        known: Whether the indexed texts have a word in any form.
        written: Whether they have a word in exactly this form.
        everyday: Whether a word is one of everyday use, be it in the texts or not.

    Returns:
        The question, and each word that was mended with what it became.
    """
    changed: dict[str, str] = {}

    def meant(match: re.Match[str]) -> str:
        word = match[0]
        if known(word) or everyday(word):
            return word
        found = [other for other in set(_one_letter_off(word)) if known(other) and written(other)]
        if len(found) == 1:
            changed[word] = found[0]
        return changed.get(word, word)

    return _WORD.sub(meant, question), tuple(changed.items())


def _one_letter_off(word: str) -> Iterator[str]:
    """All that a word becomes by one letter more, less, another, or two swapped; the first one is rarely mistyped."""
    for place in range(1, len(word) + 1):
        before, after = word[:place], word[place:]
        for letter in string.ascii_lowercase:
            yield before + letter + after
            if after and letter != after[0]:
                yield before + letter + after[1:]
        if after:
            yield before + after[1:]
        if len(after) > 1 and after[0] != after[1]:
            yield before + after[1] + after[0] + after[2:]
