"""How probably each sentence of the retrieved passages bears on a question.

Search and answers rest on the same figures: snippets.py cuts results out of passages by them, rag/answering/choosing.py
chooses quotes by them. The vectors of the sentences come from the index, so that a question costs no further forward pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from rag.index.lexical import stems
from rag.language.sentences import split_sentences
from rag.question.query import Query, goes_deep
from rag.records import Passage, Range
from rag.retrieval.threads import around, under_title

if TYPE_CHECKING:
    from rag.models.reader import Reads

_WEIGHTS = {
    "intercept": -0.99,
    "window": 3.56,
    "pair": 2.71,
    "coverage": 1.46,
    "best_coverage": 1.63,
    "near_coverage": 2.41,
    "passage_coverage": 0.49,
    "rank": -0.36,
    "question": -1.82,
    "change": 1.5,
}
"""Logistic regression for "this sentence holds part of the answer", fitted on 28,641 sentences retrieved for 547 questions
over the sample and Chroma's chunking evaluation, 884 of them holding an answer. The seeds took no part in it."""

READ = 12
"""How many pairs of neighbours the reader reads before quotes are chosen; each takes some 5 ms."""
READ_WEIGHT = 0.25
"""What the reader's logit counts beside the score's."""
LEAST = -6.0
"""Logit below which one text is as good as another."""


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence of a retrieved passage, with how likely it bears on the question."""

    passage: Passage
    start: int
    end: int
    """Offsets into the source."""
    score: float
    stems: frozenset[str]
    replies_to: Sentence | None = None
    """Somebody else's words, quoted right beside it, that it speaks of, if they bear on the question more than it does."""

    @property
    def text(self) -> str:
        return self.passage.text[self.start - self.passage.start : self.end - self.passage.start]

    @property
    def quoted(self) -> bool:
        """Whether these are somebody else's words, for the most part."""
        first, last = self.start - self.passage.start, self.end - self.passage.start
        return 2 * sum(max(0, min(last, b) - max(first, a)) for a, b in self.passage.quoted) > last - first


_CHANGE = re.compile(
    r"\b(?:chang\w+ (?:my|his|her|their) mind|changed (?:sides|since)|used to|no longer|any ?more|(?:I |have |has )?since (?:moved|then|switched|changed)"
    r"|(?:I|to|have|must) (?:withdr(?:aw|ew|awn)|retract(?:ed)?)|c[ao]me (?:a?round) to|become (?:more|less) \w+"
    r"|I (?:now|was wrong|stand corrected|take (?:it|that) back|once|moved|switched|advised|recommended|believed)|turned me|these days|until (?:recently|then))\b"
    r"|\bedit(?:ed)?\b(?=[: ])|\bI have (?:since|switched|moved|stopped|started|changed)\b",
    re.IGNORECASE,
)
"""Words of a change of opinion, which count where its course is asked for; their weight is not fitted."""


def score_sentences(
    query: Query,
    passages: Sequence[Passage],
    question: np.ndarray,
    embed: Callable[[Sequence[str]], np.ndarray],
    rarity: Callable[[str], float],
    stored: Mapping[str, np.ndarray],
) -> list[Sentence]:
    """All sentences of the passages, in their order, each with its probability.

    Args:
        query: The question, understood.
        passages: What was retrieved, best first.
        question: Unit vector of the question.
        embed: Texts -> unit vectors, shape (n, dimension); for passages without stored vectors.
        rarity: How rare a word is among the comments, from 0 to 1.
        stored: Rows of passages by id, as `Store.vectors` gives them; a single sentence with a `dense_score` needs none.
    """
    wanted = list(dict.fromkeys(stems(query.topic or query.text)))
    weight = {word: rarity(word) for word in wanted}
    total = sum(weight.values()) or 1.0
    rows: list[tuple[Passage, Range, frozenset[str], dict[str, float]]] = []
    for rank, passage in enumerate(passages):
        ranges = sentences_of(passage)
        single, pairs = _similarities(passage, ranges, question, embed, stored.get(passage.id))
        found = [frozenset(stems(passage.text[a:b])) for a, b in ranges]
        title = frozenset(stems(under_title(passage, wanted)))
        # What is asked is answered first.
        speaks = [
            words | (title if place else frozenset(stems(around(passage, wanted)))) for place, words in enumerate(found)
        ]
        covered = [sum(weight[word] for word in wanted if word in words) / total for words in speaks]
        whole = title.union(*speaks)
        for index, span in enumerate(ranges):
            near = title.union(*speaks[max(0, index - 1) : index + 2])
            features = {
                "window": single[index],
                "pair": max(pairs[max(0, index - 1) : index + 1], default=single[index]),
                "coverage": covered[index],
                "best_coverage": covered[index],
                "near_coverage": sum(weight[word] for word in wanted if word in near) / total,
                "passage_coverage": sum(weight[word] for word in wanted if word in whole) / total,
                "rank": rank / 3 if goes_deep(query) else float(rank),
                "question": float(passage.text[: span[1]].rstrip().endswith("?")),
                "change": float(query.by_time and bool(_CHANGE.search(passage.text, *span))),
            }
            rows.append((passage, span, found[index], features))
    for name in ("window", "pair", "best_coverage", "near_coverage"):
        best = max((features[name] for *_, features in rows), default=0.0)
        for *_, features in rows:
            features[name] -= best
    return [
        Sentence(passage, passage.start + span[0], passage.start + span[1], _probability(features), words)
        for passage, span, words, features in rows
    ]


def read_again(query: Query, sentences: Sequence[Sentence], read: Reads) -> list[Sentence]:
    """The sentences, in their order, with what the reader says of the best pairs of neighbours in the balance.

    A sentence that is not read counts as the worst one that is; the best one keeps its score, so that scores stay comparable
    with a floor.
    """
    pairs = sorted(_neighbours(sentences), key=lambda pair: -max(sentences[i].score for i in pair))[:READ]
    if len(pairs) < 2:
        return list(sentences)
    logits = [max(logit, LEAST) for logit in read(query.text, [_spoken(sentences, pair) for pair in pairs])]
    said: dict[int, float] = {}
    for pair, logit in zip(pairs, logits, strict=True):
        said.update((i, max(logit, said.get(i, LEAST))) for i in pair)
    best, worst = max(logits), min(logits)
    return [_shifted(s, READ_WEIGHT * (said.get(i, worst) - best)) for i, s in enumerate(sentences)]


def _neighbours(sentences: Sequence[Sentence]) -> list[tuple[int, ...]]:
    """Sentences of one passage that follow each other, two by two; a passage of one or two as a whole."""
    found: list[tuple[int, ...]] = []
    for _, group in groupby(range(len(sentences)), key=lambda i: sentences[i].passage.id):
        places = tuple(group)
        found += [places] if len(places) < 3 else pairwise(places)
    return found


def _spoken(sentences: Sequence[Sentence], places: tuple[int, ...]) -> str:
    """The words of neighbours, and who speaks, as the reader is used to."""
    passage, start, end = sentences[places[0]].passage, sentences[places[0]].start, sentences[places[-1]].end
    text = passage.text[start - passage.start : end - passage.start]
    asked = f"{passage.asked} " if passage.asked and start == passage.start else ""
    return f"{asked}{passage.author}: {text}" if passage.author else text


def _shifted(sentence: Sentence, by: float) -> Sentence:
    odds = sentence.score / max(1e-9, 1 - sentence.score) * math.exp(by)
    return replace(sentence, score=odds / (1 + odds))


_LONE_MARKER = re.compile(r"(?:\s*[-–—*•+]\s*\n)+\s*")


def sentences_of(passage: Passage) -> list[Range]:
    """The places of the sentences of a passage in it, without list markers on lines of their own before them."""
    found = list(passage.sentences) or split_sentences(passage.text) or [(0, len(passage.text))]
    return [(m.end() if (m := _LONE_MARKER.match(passage.text, start, end)) else start, end) for start, end in found]


def _similarities(
    passage: Passage,
    ranges: list[Range],
    question: np.ndarray,
    embed: Callable[[Sequence[str]], np.ndarray],
    rows: np.ndarray | None,
) -> tuple[list[float], list[float]]:
    """Cosines of the question with each sentence, and with each pair of neighbours (empty for fewer than three)."""
    count = len(ranges)
    pairs = count - 1 if count > 2 else 0
    if count == 1 and passage.dense_score is not None:
        return [passage.dense_score], []
    if rows is None or len(rows) != 1 + (count if count > 1 else 0) + pairs:
        stretches = [*ranges, *((a, b) for (a, _), (_, b) in list(pairwise(ranges))[:pairs])]
        cosines = embed([passage.text[a:b] for a, b in stretches]) @ question
    else:
        cosines = rows[1:] @ question if count > 1 else rows @ question
    return [float(value) for value in cosines[:count]], [float(value) for value in cosines[count:]]


def _probability(features: Mapping[str, float]) -> float:
    total = _WEIGHTS["intercept"] + sum(_WEIGHTS[name] * value for name, value in features.items())
    return 1.0 / (1.0 + math.exp(-total))
