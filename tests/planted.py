"""Quotations planted for the tests: faults that must never pass, and harmless differences that always must.

Made from sentences at test time, so that no text of others is committed.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.language.sentences import split_sentences
from rag.records import Passage

_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|should|would|will|must|might|may|have|has|had|do|does|did)\b(?! not\b|n['’]t)"
)
_NOT = re.compile(r" not\b|n['’]t\b")
_NUMBER_WORDS = "one two three four five six seven eight nine ten".split()
_NUMBER = re.compile(rf"\d+|\b(?:{'|'.join(_NUMBER_WORDS)})\b")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b")
TURNING = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|without|hardly|barely|rarely|seldom|scarcely|but|unless|except|"
    r"if|false|wrong|untrue|den(?:y|ies|ied)|refuse[sd]?|reject(?:s|ed)?|doubts?|unlikely|fail(?:s|ed)?|against)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Planted:
    """A phrase, and the passage that it pretends to be from."""

    kind: str
    phrase: str
    passage: Passage
    author: str | None = None
    """Whom the sentence names, where that matters."""


def passages_from(texts: Sequence[tuple[str, str]], least: int = 60) -> list[Passage]:
    """One passage per long line, each a comment of its own: (author, text) in."""
    found = []
    for number, (author, text) in enumerate(texts):
        position = 0
        for line in text.splitlines(keepends=True):
            body = line.rstrip()
            if len(body) >= least:
                id = f"{number}-{position}"
                sentences = tuple(split_sentences(body))
                found.append(
                    Passage(id, id, author, body, f"{number}.txt", position, position + len(body), sentences=sentences)
                )
            position += len(line)
    return found


def sentences_of(passage: Passage) -> list[str]:
    return [text for a, b in passage.sentences if 5 <= len((text := passage.text[a:b]).split()) <= 60]


def faults(passages: Sequence[Passage], rng: random.Random) -> Iterator[Planted]:
    """Quotations that are none: one of each kind that each sentence allows."""
    everything = "\n".join(passage.text for passage in passages)
    for number, passage in enumerate(passages):
        other = passages[(number + 1 + rng.randrange(len(passages) - 1)) % len(passages)]
        for sentence in sentences_of(passage):
            for kind, phrase in _changed(sentence, rng):
                if phrase not in everything:
                    yield Planted(kind, phrase, passage)
            foreign = rng.choice(sentences_of(other) or [""])
            if foreign and foreign not in passage.text:
                yield Planted("words from another comment", foreign, passage)
                merged = _merged(sentence, foreign)
                if merged not in everything:
                    yield Planted("two sentences merged", merged, passage)
            yield Planted("author swapped", sentence, passage, "Torvald Quist")


def _changed(sentence: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    if _NOT.search(sentence):
        yield "negation flipped", _NOT.sub("", sentence, count=1)
    if auxiliaries := list(_AUXILIARY.finditer(sentence)):
        chosen = rng.choice(auxiliaries)
        yield "negation flipped", f"{sentence[: chosen.end()]} not{sentence[chosen.end() :]}"
    if numbers := list(_NUMBER.finditer(sentence)):
        chosen = rng.choice(numbers)
        yield "number changed", sentence[: chosen.start()] + _another_number(chosen[0]) + sentence[chosen.end() :]
    if names := list(_NAME.finditer(sentence)):
        chosen = rng.choice(names)
        yield "name changed", f"{sentence[: chosen.start()]}Quist{sentence[chosen.end() :]}"


def _another_number(number: str) -> str:
    if number.isdigit():
        return str(int(number) + 1)
    return _NUMBER_WORDS[(_NUMBER_WORDS.index(number) + 1) % 10]


def _merged(first: str, second: str) -> str:
    words, others = first.split(), second.split()
    return " ".join([*words[: max(3, len(words) // 2)], *others[len(others) // 2 :]])


def harmless(passages: Sequence[Passage], rng: random.Random) -> Iterator[Planted]:
    """Quotations that differ only in ways that do not matter: one of each kind for each sentence."""
    for passage in passages:
        for sentence in sentences_of(passage):
            for kind, phrase in _respelt(sentence, rng):
                yield Planted(kind, phrase, passage)
            if fragment := _fragment(sentence, rng):
                yield Planted("fragment", fragment, passage)
            if shortened := _shortened(sentence):
                yield Planted("ellipsis in the middle", shortened, passage)


def _respelt(sentence: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    words = sentence.split(" ")
    at = rng.randrange(len(words))
    yield "as it is", sentence
    yield "straight marks", sentence.translate(str.maketrans("“”‘’", "\"\"''"))
    yield "curly marks", re.sub(r"(?<=\w)'(?=\w)", "’", sentence)
    yield "soft hyphens", re.sub(r"(\w{3})(\w{3})", "\\1\u00ad\\2", sentence)
    yield "no-break spaces", sentence.replace(" ", "\u00a0", 3)
    yield "line breaks", sentence.replace(" ", "\r\n", 2)
    yield "tabs and double spaces", sentence.replace(" ", "\t ", 1).replace(" ", "  ", 4)
    yield "decomposed letters", unicodedata.normalize("NFD", sentence)
    yield "other dashes", sentence.replace("—", " – ").replace("–", "-")
    yield "ellipsis at the end", f"{sentence.rstrip('.')}…"
    yield "ellipsis at both ends", f"... {' '.join(words[1:] if _starts_well(words, 1) else words)} [...]"
    yield "first letter", sentence[0].swapcase() + sentence[1:]
    yield "comma at the end", f"{sentence.rstrip('.')},"
    if re.fullmatch(r"[A-Za-z]+", words[at]):
        yield "emphasis", " ".join([*words[:at], f"**{words[at]}**", *words[at + 1 :]])
        yield "italics", " ".join([*words[:at], f"_{words[at]}_", *words[at + 1 :]])
    if re.match(r"[A-Za-z]\w", sentence):
        yield "bracketed capital", f"[{sentence[0].swapcase()}]{sentence[1:]}"


def _starts_well(words: Sequence[str], at: int) -> bool:
    """Not right behind a negation, and not in the middle of a word or number."""
    return not TURNING.search(words[at - 1]) and words[at][:1].isalpha()


def _fragment(sentence: str, rng: random.Random) -> str:
    words = sentence.split(" ")
    if len(words) < 8:
        return ""
    start = rng.randrange(1, len(words) - 6)
    end = rng.randrange(start + 5, len(words))
    whole = _starts_well(words, start) and words[end - 1][-1:].isalpha() and not TURNING.search(words[end])
    return " ".join(words[start:end]) if whole else ""


def _shortened(sentence: str) -> str:
    words = sentence.split(" ")
    third = len(words) // 3
    if third < 4 or any("." in word or "…" in word or "?" in word for word in words[:-1]):
        return ""
    middle = " ".join(words[third:-third])
    if TURNING.search(middle) or not all(word[0].isalnum() for word in words[-third:] if word):
        return ""
    return f"{' '.join(words[:third])} … {' '.join(words[-third:])}"
