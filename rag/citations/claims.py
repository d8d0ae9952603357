"""Which sentences of an answer claim something, in English prose."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.index.lexical import stems
from rag.language.detection import likeliest
from rag.language.english import FUNCTION_WORDS
from rag.language.phrases import ENGLISH

_CONNECTIVE = re.compile(
    r"(?:here (?:is|are)|in (?:summary|short|conclusion|sum)|to (?:summari[sz]e|sum up)|sure|of course|certainly|yes|no|thanks|"
    r"overall|based on (?:the|these)|according to the (?:comments|passages)|the (?:following|comments|passages)|i hope|let me|"
    r"(?:i(?:['’]m| am) )?(?:sorry|afraid)|i apologi[sz]e|unfortunately|"
    r"(?:several|two|three|some|many|different|a few) (?:views|people|commenters|authors|comments|points|positions|answers))\b",
    re.IGNORECASE,
)
_SEARCH = re.compile(
    r"\b(?:comments?|passages?|sources?|excerpts?|commenters?|nobody|none of them)\b.{0,60}?"
    r"(?:\b(?:do|does|did|is|are|was|were|has|have|can)(?: not|n['’]t)\b|\bcannot\b|\bno\b|\bnone\b|\bnothing\b)"
    r".{0,40}?\b(?:answer|say|mention|address|discuss|contain|cover|state|specif|explain|inform|give|provide|talk)",
    re.IGNORECASE,
)
_LEAST_CONTENT = 2


def is_claim(sentence: str) -> bool:
    """Whether a sentence states something that needs evidence.

    No claim: a question, a heading or lead-in that ends in a colon, a connective without content of its own, and a
    statement about the search ("the comments do not say ...").
    """
    text = re.sub(r"^[\s>*+#-]+|[*_`]+", "", sentence).strip()
    if sentence.lstrip().startswith("#") or text.endswith(("?", ":")):
        return False
    content = stems(text)
    if len(content) < _LEAST_CONTENT or _SEARCH.search(text):
        return False
    return not (_CONNECTIVE.match(text) and len(content) <= 2 * _LEAST_CONTENT)


_UNABLE = re.compile(
    r"\b(?:i|we) (?:(?:do|did|could|can)(?: not|n['’]t)|cannot|(?:am|are|was|were) (?:unable|not able) to) "
    r"(?:know|find|answer|say|tell|determine)\b|\b(?:no|not enough|insufficient) (?:relevant )?information\b"
    r"|\b(?:none|not one) of (?:the|these|those) (?:comments|commenters|passages|sources|excerpts)\b",
    re.IGNORECASE,
)
_TURNS = re.compile(r"\b(?:but|however|although|though|while|except|only|still)\b", re.IGNORECASE)


def denies_answer(sentences: Sequence[str]) -> bool:
    """Whether sentences say that there is no answer, and nothing besides."""
    denials = [bool(_SEARCH.search(one) or _UNABLE.search(one)) and not _TURNS.search(one) for one in sentences]
    return any(denials) and all(denial or not is_claim(one) for denial, one in zip(denials, sentences, strict=True))


_FORMULA = re.compile(r"\$\$[^$]{1,2000}\$\$|\$[^$\n]{1,300}\$|\\\[.{1,2000}?\\\]|\\\(.{1,300}?\\\)", re.DOTALL)
_CODE_SIGN = re.compile(r"[<>{}=_/\\|#@^~\[\]+*]")
_MOST_CODE_SIGNS = 0.08


def is_prose(text: str) -> bool:
    """Whether a text is language rather than markup or data, formulas aside."""
    text = _FORMULA.sub("", text)
    return len(_CODE_SIGN.findall(text)) <= max(4, _MOST_CODE_SIGNS * len(text))


_ENGLISH_ONLY = frozenset(
    """
    the it is of and that this these those with for are not have has had by from you they them their his her its what
    which be been were would could should does did because but if than then there when where who how all any both
    """.split()
)
"""Function words that are no words of German, French, Spanish, Italian or Dutch."""
_SHORT = 10


def is_english(text: str) -> bool:
    """Whether enough of a text's words are English function words; too short a text passes. Formulas do not count."""
    text = _FORMULA.sub("", text)
    if any(not char.isascii() and char.isalpha() and ord(char) > 0x24F for char in text):
        letters = [char for char in text if char.isalpha()]
        if sum(ord(char) > 0x24F for char in letters) > len(letters) / 2:
            return False
    found = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.casefold().replace("’", "'"))
    if len(found) < 6 or (len(found) < _SHORT and not _ENGLISH_ONLY.isdisjoint(found)):
        return True
    if sum(word in FUNCTION_WORDS for word in found) / len(found) >= 0.15:
        return True
    return likeliest(text) == ENGLISH  # telegrams, such as a profile's line, have few function words
