"""Which language a question is in, for the phrases of the answer and for searching once more in English."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from rag.language.phrases import ENGLISH, languages

CERTAIN = 0.7
"""Probability below which a question counts as English: names and formulas look like anything."""
_OTHERS = ("pl", "sv", "da", "cs", "tr", "uk", "ko")
"""Told apart although there are no phrases for them, so that they are not taken for their neighbours."""
_ENGLISH_ONLY = frozenset(
    "the and that this these those with what which who whose why how where when does did are have were"
    " about should would could think says said according anyone".split()
)


def question_language(question: str, setting: str = "auto") -> str:
    """ISO 639-1 code of the language to answer in.

    Args:
        question: The question.
        setting: The setting `language`: a language's English name or code, or "auto" for that of the question. A language
            that there are no phrases for is answered in English where no model writes the answer.
    """
    if setting != "auto":
        wanted = setting.strip().casefold()
        return next((code for code, name in languages().items() if wanted in (code, name.casefold())), ENGLISH)
    return detected(question)


def detected(text: str) -> str:
    """ISO 639-1 code of a text's language; "en" where it is too short to tell."""
    words = re.findall(r"[^\W\d_]+", text.casefold())
    # Nearly all questions end here, without loading anything.
    if not words or not _ENGLISH_ONLY.isdisjoint(words):
        return ENGLISH
    return likeliest(text)


def likeliest(text: str) -> str:
    """ISO 639-1 code of the language that a text's letters look like; "en" where that is uncertain."""
    code, probability = _identifier().classify(text)
    return code if probability >= CERTAIN else ENGLISH


@cache
def _identifier() -> Any:
    """langid (Lui and Baldwin 2012) over the languages that matter here."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*languages(), *_OTHERS])
    return identifier
