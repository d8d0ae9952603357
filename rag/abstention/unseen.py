"""Names in a question that stand nowhere in the comments: "What does Ann say about Sinkhorn divergence?", "... in step 5?".

The words beside such a name may well stand there, and passages about these look like an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rapidfuzz.distance import OSA

from rag.index.lexical import stems
from rag.language.detection import detected
from rag.question.query import Query
from rag.records import author_key

ALIKE = 0.85
"""Similarity from which a word is the same name with a typo."""
_NAME = re.compile(r"(?<![\w'’-])(?!I['’])[A-Z]\w*[a-z]\w*(?![\w-])")
"""With a small letter in it: what abbreviations stand for may be written out in the comments."""
_NO_NAME_HERE = re.compile(r"(?:^|[.?!:\"“”(\[]|\b(?:in|from))\s*$")
"""Before a word that has its capital from its place; or before a country, which is named by its towns, too."""
_LABEL = re.compile(
    r"\b(?!about|above|almost|around|below|each|every|least|most|nearly|over|past|roughly|some|than|under|until|with)"
    r"(?P<of>[a-z]{3,}) (?P<number>\d{1,3})\b(?![.,:/]?\d|\s*(?:%|°|[a-z]+s\b|percent|to\b|or\b))"
)
"""Such as "step 5"; not what tells how many or how much: "the 2 metre band", "a 3 to 1 ratio"."""


def unseen(
    query: Query,
    passages: Sequence[str],
    knows: Callable[[str], bool],
    people: Sequence[str],
    holding: Callable[[str], Sequence[str]],
) -> tuple[str, ...]:
    """Names and numbered things that are asked about and of which the comments hold no word.

    Args:
        query: The question, understood.
        passages: Texts of what was found.
        knows: Whether a word stands anywhere in the index.
        people: Whose comments are indexed; they need not be named in comments.
        holding: Texts in which all of some words stand, of the whole index.
    """
    if detected(query.text) != "en":  # in German all nouns have capitals
        return ()
    return (*_names(query, passages, knows, people), *_labels(query.text, passages, holding))


def _names(
    query: Query, passages: Sequence[str], knows: Callable[[str], bool], people: Sequence[str]
) -> tuple[str, ...]:
    found = [match for match in _NAME.finditer(query.text) if not _NO_NAME_HERE.search(query.text[: match.start()])]
    names = dict.fromkeys(match.group() for match in found)
    if not all(map(stems, names)):  # "Why Do Proofs Of This Kind Fail?"
        return ()
    known = {word for name in (*people, *query.people) for word in author_key(name).split()}
    topic = {word.casefold() for word in re.findall(r"\w+", query.topic)} - known
    strange = [name for name in names if name.casefold() in topic and not knows(name)]
    if not strange:
        return ()
    words = {word for text in passages for word in re.findall(r"\w+", text.casefold())}
    return tuple(name for name in strange if not any(_related(name.casefold(), word) for word in words))


def _related(name: str, word: str) -> bool:
    """Whether a word is the name with a typo, or of the same family: "Bayes" and "Bayesian", "Buddhists" and "Buddhism"."""
    stem = name[: max(4, len(name) - 3)]
    return word.startswith(stem) or (word[:1] == name[:1] and OSA.normalized_similarity(name, word) >= ALIKE)


def _labels(question: str, passages: Sequence[str], holding: Callable[[str], Sequence[str]]) -> Iterator[str]:
    """What is called by a number where passages have others of its kind, and none anywhere has this."""
    for label in _LABEL.finditer(question):
        series = re.compile(rf"\b{re.escape(label['of'])}s?[ -](?:no\. ?|#)?(\d{{1,3}})\b", re.IGNORECASE)

        def numbers(texts: Sequence[str], series: re.Pattern[str] = series) -> set[str]:
            return {number for text in texts for number in series.findall(text)}

        if stems(label["of"]) and numbers(passages) and label["number"] not in numbers(holding(label.group())):
            yield label.group()
