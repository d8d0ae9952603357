"""A small recurrent network that reads the lines of a dump in order and says at each how likely a comment begins there.

It sees what the rules of border_evidence.py see at a line, how much the line has in common with each of its neighbours, and with
which phrases paragraphs open and close; two gated recurrent units (Cho et al. 2014), one from above and one from below,
carry what they have read. The numbers in border_model.npz were fitted by tests/benchmarks/borders.py on comments whose borders
are known; they hold no text but phrases of one to four words that many people use. Runs on NumPy. Does not choose
borders (see borders.py).
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from ingest.lines import Line

FILE = Path(__file__).with_name("border_model.npz")

REACH = 8
"""Neighbours on each side that a line is compared with."""
SEEN = 1_500
"""Characters of a line that count towards its words and topic."""

# --- what the network sees --------------------------------------------------------------------------------------------

_ENDED = re.compile(r"[.!?…][\"'”’)\]*_]*$|[:;]-?[)D(]$|\)$|[”\"]$|[:;]$")
ME = re.compile(r"\b(?:I|I['’]\w+|[Mm]y|me|mine)\b")
YOU = re.compile(r"\b(?:you|your|yours|you['’]\w+)\b", re.IGNORECASE)
_EDIT = re.compile(r"\W?(?:edit|eta|update|ps|p\.s)", re.IGNORECASE)
_LINK = re.compile(r"https?://")

SHAPES = 16
PHRASES = 4


def inputs(
    lines: Sequence[Line],
    bags: Sequence[frozenset[str]],
    signs: np.ndarray,
    vectors: np.ndarray | None,
    weights: PhraseWeights,
) -> np.ndarray:
    """The network's input.

    Args:
        bags: The words of each line that tell its topic.
        signs: (lines, signs), the evidence of border_evidence.py at each line start.
        vectors: (lines, dim) of unit length; None without an embedding model.

    Returns:
        (lines, signs + 1 + 6 * REACH + SHAPES + PHRASES)
    """
    if vectors is None:
        known, near = np.zeros((len(lines), 1)), np.zeros((len(lines), 4 * REACH))
    else:
        known = np.ones((len(lines), 1))
        centred = vectors - vectors.mean(axis=0)
        centred /= np.linalg.norm(centred, axis=1, keepdims=True) + 1e-6
        near = np.hstack([_nearness(centred), _nearness(vectors)])
    return np.hstack([signs, known, near, _shared_words(bags), _shapes(lines), weights.scores(lines)])


def _nearness(vectors: np.ndarray) -> np.ndarray:
    """Cosines with the lines before and after, (lines, 2 * REACH)."""
    table = np.zeros((len(vectors), 2 * REACH))
    for apart in range(1, min(REACH, len(vectors) - 1) + 1):
        cosines = np.einsum("ij,ij->i", vectors[apart:], vectors[:-apart])
        table[apart:, apart - 1] = cosines
        table[:-apart, REACH + apart - 1] = cosines
    return table


def _shared_words(bags: Sequence[frozenset[str]]) -> np.ndarray:
    """Share of words in common with the lines before and after, rare words counting more: (lines, 2 * REACH)."""
    times = Counter(word for bag in bags for word in bag)
    weight = {word: math.log(1.0 + len(bags) / (1.0 + count)) for word, count in times.items()}
    total = [math.fsum(weight[word] for word in bag) or 1.0 for bag in bags]
    table = np.zeros((len(bags), 2 * REACH))
    for index, bag in enumerate(bags):
        for apart in range(1, min(REACH, index) + 1):
            common = math.fsum(weight[word] for word in bag & bags[index - apart])
            share = common / math.sqrt(total[index] * total[index - apart])
            table[index, apart - 1] = table[index - apart, REACH + apart - 1] = share
    return table


def _shapes(lines: Sequence[Line]) -> np.ndarray:
    """How lines look: lengths, ends, capitals, and how common each is in this dump, (lines, SHAPES)."""
    texts = [line.text for line in lines]
    length = np.array([math.log(len(text) + 1.0) - 5.0 for text in texts])
    unended = np.array([_ENDED.search(text[-40:]) is None for text in texts], dtype=float)
    small = np.array([text[0].islower() for text in texts], dtype=float)
    open_before = np.append(0.0, unended[:-1])
    open_rate, small_rate = open_before.mean(), small.mean()
    columns = [
        small * open_before * (1 - open_rate) * (1 - small_rate),
        open_before * (1 - open_rate) ** 2,
        small * (1 - small_rate) ** 2,
        np.full(len(lines), open_rate),
        np.full(len(lines), small_rate),
        length,
        np.append(0.0, length[:-1]),
        np.append(length[1:], 0.0),
        *(
            np.array([test(text) for text in texts], dtype=float)
            for test in (
                lambda text: text[-1] == ":",
                lambda text: text.rstrip(')”"')[-1:] == "?",
                lambda text: text[0] == "(" and text[-1] == ")",
                lambda text: len(text) < 60,
                lambda text: ME.search(text[:300]) is not None,
                lambda text: YOU.search(text[:300]) is not None,
                lambda text: _EDIT.match(text) is not None,
                lambda text: _LINK.search(text[:SEEN]) is not None,
            )
        ),
    ]
    return np.stack(columns, axis=1)


# --- phrases ----------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[^\w\s]")
FIRST_SENTENCE = re.compile(r"[^.!?]*[.!?]?")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s")
_PLAIN = {"“": '"', "”": '"', "–": "-", "—": "-"}


def _tokens(text: str) -> list[str]:
    return [_token(found) for found in _TOKEN.findall(text)]


def _token(found: str) -> str:
    if found[0].isalpha():
        return found.lower().replace("’", "'")
    return "0" if found.isdigit() else _PLAIN.get(found, found)


def opening_phrases(text: str) -> set[str]:
    """How a paragraph begins: its first words as "^...", words and pairs of words of its first sentence as "s:..."."""
    head = _tokens(text[:160])[:12]
    if len(text) < 60:
        head.append("</s>")
    sentence = FIRST_SENTENCE.match(text[:240]).group()
    words = _tokens(sentence)
    found = {"^" + " ".join(head[:count]) for count in (1, 2, 3, 4) if len(head) >= count}
    found |= {f"s:{word}" for word in words[:25]}
    found |= {f"s:{one} {two}" for one, two in pairwise(words[:13])}
    found |= {f"s{mark}" for mark in "?!" if sentence.endswith(mark)}
    return found


def closing_phrases(text: str) -> set[str]:
    """How a paragraph ends: its last words as "...$", the words of its last sentence as "e:...", its first as "p^..."."""
    tail = _tokens(text[-120:])[-6:]
    words = _tokens(_BETWEEN_SENTENCES.split(text[-260:].rstrip())[-1])
    head = _tokens(text[:60])[:3]
    found = {" ".join(tail[-count:]) + "$" for count in (1, 2, 3)}
    return found | {f"e:{word}" for word in words[-25:]} | {"p^" + " ".join(head[:count]) for count in (1, 2)}


@dataclass(frozen=True)
class PhraseWeights:
    """How much each phrase speaks for a paragraph that begins a comment, or ends one."""

    opening: Mapping[str, float]
    closing: Mapping[str, float]
    intercepts: tuple[float, float]

    def scores(self, lines: Sequence[Line]) -> np.ndarray:
        """Of each line and its neighbours: opening here, closing before, opening below, closing two above."""
        opens = np.array([self.opens(line.text) for line in lines])
        closes = np.array([self.intercepts[1] + _sum(self.closing, closing_phrases(line.text)) for line in lines])
        above, below = np.append(0.0, closes[:-1]), np.append(opens[1:], 0.0)
        return np.stack([opens, above, below, np.append([0.0, 0.0], closes[:-2])[: len(lines)]], axis=1)

    def opens(self, text: str) -> float:
        """Log-odds that a paragraph begins a comment, by its first words alone."""
        return self.intercepts[0] + _sum(self.opening, opening_phrases(text))


def _sum(weights: Mapping[str, float], phrases: set[str]) -> float:
    # math.fsum: the same result in whatever order a set comes.
    return math.fsum(weights.get(phrase, 0.0) for phrase in phrases)


# --- the network ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """Several networks of one shape; their log-odds are averaged.

    E networks, I inputs, H units; the two directions are "down" and "up".
    """

    phrases: PhraseWeights
    mean: np.ndarray
    """(I,)"""
    spread: np.ndarray
    """(I,)"""
    enter: np.ndarray
    """(E, I + 1, H), the last row being the bias; so in all below."""
    from_input: np.ndarray
    """(E, 2, H + 1, 3 * H): reset, update and candidate gates side by side."""
    from_state: np.ndarray
    """(E, 2, H + 1, 3 * H)"""
    leave: np.ndarray
    """(E, 3 * H + 1): down, up and the line itself."""

    def log_odds(
        self, lines: Sequence[Line], bags: Sequence[frozenset[str]], signs: np.ndarray, vectors: np.ndarray | None
    ) -> np.ndarray:
        """Log-odds of a comment's beginning at each line, (lines,); arguments as in `inputs`."""
        table = (inputs(lines, bags, signs, vectors, self.phrases) - self.mean) / self.spread
        entered = np.maximum(_affine(np.clip(table, -5.0, 5.0)[None], self.enter), 0.0)
        together = np.concatenate([self.read(entered), entered], axis=-1)
        return (np.einsum("elh,eh->el", together, self.leave[:, :-1]) + self.leave[:, -1:]).mean(axis=0)

    def read(self, entered: np.ndarray) -> np.ndarray:
        """Run the gated units over the lines, down and up: (E or 1, lines, H) -> (E, lines, 2 * H)."""
        gates = _affine(entered[:, None], self.from_input)
        gates[:, 1] = gates[:, 1, ::-1]
        units = gates.shape[-1] // 3
        states = np.zeros((*gates.shape[:3], units))
        state = np.zeros((*gates.shape[:2], units))
        for index in range(gates.shape[2]):
            here = gates[:, :, index]
            back = _affine(state[:, :, None], self.from_state)[:, :, 0]
            reset, update = np.split(_sigmoid(here[..., : 2 * units] + back[..., : 2 * units]), 2, axis=-1)
            candidate = np.tanh(here[..., 2 * units :] + reset * back[..., 2 * units :])
            state = (1.0 - update) * candidate + update * state
            states[:, :, index] = state
        return np.concatenate([states[:, 0], states[:, 1, ::-1]], axis=-1)


def _affine(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return values @ weights[..., :-1, :] + weights[..., -1:, :]


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * values))


@functools.cache
def load() -> Network:
    """The fitted network."""
    with np.load(FILE) as stored:
        opening, closing, intercepts = (stored[name] for name in ("opening", "closing", "intercepts"))
        phrases = PhraseWeights(
            dict(zip(str(opening).split("\n"), stored["opening_weights"].tolist(), strict=True)),
            dict(zip(str(closing).split("\n"), stored["closing_weights"].tolist(), strict=True)),
            (float(intercepts[0]), float(intercepts[1])),
        )
        names = ("mean", "spread", "enter", "from_input", "from_state", "leave")
        return Network(phrases, *(stored[name].astype(np.float64) for name in names))
