"""Do the retrieved passages answer the question? A calibrated probability from several signals.

No signal alone tells a near miss (right person, absent fact) from an answer in other words; together they do fairly well.
All are relative to the comments at hand, so that the weights hold for other collections. How they were fitted and what
they reach: tests/benchmarks/answerability.py. Which kind of answer a question expects is in expectation.py.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from rag.abstention.expectation import Expectation, expected
from rag.abstention.presupposition import presupposes_end, tells_of_end
from rag.index.lexical import stems
from rag.language.english import COMMON_WORDS
from rag.language.spelling import singular
from rag.models.reader import Reads
from rag.question.query import Query, admits
from rag.question.speech import SAYING_INFINITIVES
from rag.records import Passage
from rag.retrieval.threads import around, spoken

PASSAGES = 8
"""How many of the best passages are looked at, so that the answer does not depend on how many were asked for."""
WINDOWS = 3
"""How many of their best windows the reader reads."""
COMMON = 0.35
"""What an everyday word weighs against a rare one."""
LEAST = 0.25
"""What the most frequent word weighs against one that occurs nowhere; keeps small collections from judging by chance."""
BARE = 2
"""Words of a topic up to which it is a bare subject, so that all depends on its form; where more is asked, that does as much harm as good."""
SURE = 8.0
"""Logit beyond which the reader is not taken to be any surer."""
_WORD = re.compile(r"[^\W_]+")
NOTHING_ASKED, NOTHING_COMPARED = 0.9, 0.6
"""Probability for a question without content words about somebody whose comments are indexed: "Who is Ann?", "Where do Ann and Bob disagree?"."""
UNSPOKEN = 0.6
"""The same where it asks for a kind of saying of which no passage has the word: "What did Ann praise?"."""
_ANY_SAYING = "say think write believe argue claim feel comment respond reply tell talk know discuss describe mention view give show list name compare summarise"


@dataclass(frozen=True, slots=True)
class Signals:
    """What speaks for and against an answer; each between 0 and about 1."""

    coverage: float = 0.0
    """Share of the content words, by rarity, that stand in the best passage."""
    read: float = 0.0
    """How sure the reader is that one of the best windows answers: 0.5 for neither yes nor no."""
    read_mean: float = 0.0
    """How sure it is of these windows on average: what is answered is often spoken of at several places."""
    cosine: float = 0.0
    """Similarity of the question and its nearest window."""
    typed: float = 0.0
    """1 if the question expects an answer of a certain kind: a number, a date, a name ..."""
    missing: float = 0.0
    """1 if nothing of that kind stands in the best windows, or no number near what is to be counted."""
    unseen: float = 0.0
    """1 if the question names something that stands nowhere among the comments."""


UNSURE = 0.7
"""Below it an answer of quotes says that it may be none. Of what four writers asked, on whose questions nothing was fitted, 42 of the
78 answers between the usual floor and this were to questions that the comments do not answer; of those above, 103 of 522."""
INTERCEPT = -5.05
WEIGHTS = {
    "coverage": 1.48,
    "read": 6.13,
    "read_mean": 6.85,
    "cosine": 1.73,
    "typed": -1.41,
    "missing": -0.65,
    "unseen": -5.0,
}
"""Fitted, all but the last: none of the 86 questions of the benchmark that name something unseen has an answer."""


def probability(signals: Signals) -> float:
    """Probability that the passages answer the question, if four of five questions have an answer."""
    values = asdict(signals)
    return 1 / (1 + math.exp(-INTERCEPT - sum(weight * values[name] for name, weight in WEIGHTS.items())))


def judge(
    query: Query,
    passages: Sequence[Passage],
    *,
    question_vector: np.ndarray,
    vectors: Callable[[Sequence[str]], Mapping[str, np.ndarray]],
    read: Reads,
    rarity: Callable[[str], float],
    names_unseen: bool = False,
    windows: int = WINDOWS,
) -> tuple[float, dict[str, float]]:
    """Probability that the passages answer the question, and the signals it rests on.

    Args:
        query: The question, understood.
        passages: What was retrieved, best first, with `dense_score` and `lexical_score`.
        question_vector: Unit vector of `query.text`.
        vectors: Stored rows of passages, as `Store.vectors` gives them.
        read: The reader, for a few windows.
        rarity: How rare a word is among the comments, from 0 to 1, 1 if it does not occur.
        names_unseen: Whether the question names something that stands nowhere; see unseen.py.
        windows: Most windows that are read: what takes the time.
    """
    passages = [passage for passage in passages if admits(query, passage)][:PASSAGES]
    if not passages:
        return 0.0, {}
    if not stems(query.topic):
        about = (query.authors and not query.unknown_authors) or query.labels or query.traces
        asked = NOTHING_COMPARED if query.compare else NOTHING_ASKED if _spoken_so(query, passages) else UNSPOKEN
        return (asked if about else 0.0), {}
    weights = {stem: _weight(stem, rarity) for stem in dict.fromkeys(stems(query.topic))}
    ranked = _windows(passages, weights, question_vector, vectors([passage.id for passage in passages]))
    windows = min(windows, WINDOWS)
    measured = [_measure(query, passages, weights, ranked, read, windows)]
    if presupposes_end(query.text):
        told = [window for window in ranked if tells_of_end(window.text)]
        if not told:
            return 0.0, {}
        of_end = [passage for passage in passages if any(window.text in passage.text for window in told)]
        measured.append(_measure(query, of_end, weights, told, read, windows))
    signals = replace(min(measured, key=probability), unseen=float(names_unseen))
    return probability(signals), asdict(signals)


def _spoken_so(query: Query, passages: Sequence[Passage]) -> bool:
    """Whether some passage has the word for how something is said that a question has, if that is not said anyhow."""
    manner = set(stems(query.text)) & _manners()
    return not manner or any(manner & set(stems(passage.text)) for passage in passages)


@lru_cache(maxsize=1)
def _manners() -> frozenset[str]:
    return frozenset(stems(" ".join(SAYING_INFINITIVES))) - frozenset(stems(_ANY_SAYING))


def _measure(
    query: Query,
    passages: Sequence[Passage],
    weights: Mapping[str, float],
    ranked: Sequence[_Window],
    read: Reads,
    windows: int,
) -> Signals:
    """The signals of a question, its passages and their windows, best first; there is at least one of either."""
    expectation = expected(query.text)
    logits = _logits(query, _apart(ranked)[:windows], read)
    return Signals(
        coverage=max(_covered(_said(passage.text, around(passage, weights)), weights) for passage in passages),
        read=_sure(max(logits)),
        read_mean=_sure(float(np.mean(logits))),
        cosine=max(passage.dense_score or 0.0 for passage in passages),
        typed=float(expectation is not None),
        missing=float(_missing(expectation, [window.text for window in ranked])),
    )


def _missing(expectation: Expectation | None, texts: Sequence[str]) -> bool:
    if expectation is None:
        return False
    near = [expectation.count_near(text) for text in texts[: WINDOWS + 1]]
    return not any(map(expectation.met, texts[:WINDOWS])) or (False in near and True not in near)


def _weight(stem: str, rarity: Callable[[str], float]) -> float:
    return (LEAST + (1 - LEAST) * rarity(stem)) * (COMMON if stem in _common_stems() else 1.0)


@lru_cache(maxsize=1)
def _common_stems() -> frozenset[str]:
    return frozenset(stems(" ".join(COMMON_WORDS)))


def _said(text: str, title: str) -> frozenset[str]:
    return frozenset(stems(f"{title}\n{text}"))


def _covered(found: frozenset[str], weights: Mapping[str, float]) -> float:
    total = sum(weights.values())
    return sum(weight for stem, weight in weights.items() if stem in found) / total if total else 0.0


# --- windows ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Window:
    """Two neighbouring sentences, or a short passage."""

    text: str
    spoken: str
    """The same as the reader gets it: with what words of the question that it lacks stand around it."""
    score: float
    """Mean of its similarity to the question and its coverage of the question's words."""


def _windows(
    passages: Sequence[Passage], weights: Mapping[str, float], question: np.ndarray, stored: Mapping[str, np.ndarray]
) -> list[_Window]:
    """Windows of all passages, best first."""
    found = []
    for passage in passages:
        count = len(passage.sentences)
        rows = stored.get(passage.id)
        if count < 3:
            spans, cosines = [(0, len(passage.text))], [passage.dense_score or 0.0]
        else:
            spans = [(one[0], two[1]) for one, two in pairwise(passage.sentences)]
            fits = rows is not None and len(rows) == 2 * count
            cosines = (rows[1 + count :] @ question).tolist() if fits else [passage.dense_score or 0.0] * len(spans)
        for (start, end), cosine in zip(spans, cosines, strict=True):
            text, begins = passage.text[start:end], start == spans[0][0]
            lacking = weights.keys() - set(stems(text))
            stands = passage if begins else replace(passage, asked="")  # what is asked is answered first
            covered = _covered(_said(text, around(stands, lacking)), weights)
            found.append(_Window(text, spoken(stands, text, lacking), 0.5 * cosine + 0.5 * covered))
    return sorted(found, key=lambda window: -window.score)


def _apart(windows: Sequence[_Window]) -> list[_Window]:
    """Windows without those whose words stand in a better one."""
    kept: list[_Window] = []
    for window in windows[: 5 * WINDOWS]:
        if not any(window.text in other.text or other.text in window.text for other in kept):
            kept.append(window)
    return kept


def _logits(query: Query, windows: Sequence[_Window], read: Reads) -> list[float]:
    """What the reader says of each. Who speaks is read along, as the question may name them."""
    return read(
        _in_their_number(query, " ".join(window.spoken for window in windows)),
        [window.spoken for window in windows],
    )


def _in_their_number(query: Query, said: str) -> str:
    """A question with its subject in the number in which it is spoken of: to the reader "lotteries" are no "lottery"."""
    if len(query.topic.split()) > BARE:
        return query.text
    present = Counter(_WORD.findall(said.casefold()))
    text = query.text
    for word in dict.fromkeys(query.topic.split()):
        lower = word.casefold()
        forms = [form for form in present if singular(form) == singular(lower) and stems(form) == stems(lower)]
        if lower not in present and forms:
            text = re.sub(rf"\b{re.escape(word)}\b", max(forms, key=present.__getitem__), text)
    return text


def _sure(logit: float) -> float:
    """A logit brought between 0 and 1."""
    return min(1.0, max(0.0, 0.5 + logit / (2 * SURE)))
