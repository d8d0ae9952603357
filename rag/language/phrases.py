"""The fixed phrases of answers, in the language of the question (phrases.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ENGLISH = "en"


class Phrases:
    """The phrases of one language; English where it has none.

    Args:
        language: ISO 639-1 code; one that phrases.toml does not have means English.
    """

    def __init__(self, language: str = ENGLISH) -> None:
        self.language = language if language in _all() else ENGLISH
        self._texts = {**_all()[ENGLISH], **_all()[self.language]}

    def say(self, phrase: str, **blanks: str) -> str:
        """A phrase with its blanks filled; what is filled in is shown as it is, so make it inert before.

        Raises:
            KeyError: There is no such phrase, or a blank is not filled.
        """
        return self._texts[phrase].format(**blanks)

    def joined(self, names: list[str]) -> str:
        """ "Ann or Bob"."""
        return self._texts["or"].join(names)


def languages() -> Mapping[str, str]:
    """Codes of the languages there are phrases for, with their English names."""
    return {code: texts["name"] for code, texts in _all().items()}


def said_in_all(phrase: str) -> tuple[str, ...]:
    """A phrase without blanks in all languages that have it."""
    return tuple(texts[phrase] for texts in _all().values() if phrase in texts)


@cache
def _all() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
