"""Letters of a text: folded for comparison, since writers often write "Lob" for "Löb"; halves of letters replaced."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

WITHOUT_MARK = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss"}
)
"""Lower-case Latin letters that Unicode does not take apart."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, as where a text was cut: no file in UTF-8 can hold it."""


def plain_words(message: str) -> str:
    """The words of a message in small letters, a space between each two."""
    return re.sub(r"[^\w']+", " ", message.casefold().replace("’", "'")).strip()


def whole(text: str) -> str:
    """A text with U+FFFD in place of each half character."""
    return LONE_SURROGATE.sub("\ufffd", text)


_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Letters of Thai, Lao, Burmese, Khmer, Japanese and Chinese."""


def unspaced(word: str) -> bool:
    """Whether a word is of a script that puts no spaces between words: in a text it is a part of a longer run of letters."""
    return bool(_UNSPACED.search(word))


def folded(text: str) -> str:
    """A text as words are looked for in it: in lower case, without accents, with straight apostrophes."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFC", text.casefold()).replace("’", "'")
    for sign in set(plain):
        plain = plain.replace(sign, unaccented(sign))
    return plain


def unaccented(word: str) -> str:
    """A word in lower case with Latin letters in place of their accented forms, as Lucene's ASCII folding does it; letters of
    other scripts stay as they are, for there a mark makes another letter."""
    return word if word.isascii() else "".join(map(_plain, word))


@cache
def _plain(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else char.translate(WITHOUT_MARK)
