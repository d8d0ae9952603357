"""Features of the support model: similarity of a sentence to what it cites, exchanged words, and contradiction."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.citations.phrase_search import is_negation
from rag.index.lexical import WORD, stems

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to unit vectors, shape (len(texts), dimension)."""
Rarity = Callable[[str], float]
"""How rare a word is, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Regression:
    """Probability as a logistic function of weighted features."""

    weights: Mapping[str, float]
    intercept: float

    def __call__(self, features: Mapping[str, float]) -> float:
        total = self.intercept + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-total))


SAME = Regression({"likeness": 4.51, "coverage": 1.9, "exchange": -4.61}, -3.24)
"""Fitted on supported sentences against near misses and other topics."""
UNDENIED = Regression({"denies": -1.68, "denied": -1.48, "opposites": -3.47}, 1.03)
"""Fitted on supported sentences against contradictions."""

_CLAUSE = re.compile(
    r"[,.;:!?—]| (?:because|but|so|if|when|while|unless|since|although|though|whereas|after|before) ", re.IGNORECASE
)
_TURNING = frozenset(
    stem
    for word in (
        "doubt deny reject refuse disagree dispute oppose prevent fail lack stop cease unsure sceptical skeptical abandon avoid "
        "miss worthless useless"
    ).split()
    for stem in stems(word)
)
"""Words that turn round what follows them."""
_OPPOSITES = """
agree disagree|increase decrease|rise fall|rose fell|grow shrink|more less|more fewer|higher lower|better worse|best worst
easy hard|easy difficult|possible impossible|likely unlikely|probably unlikely|always never|everybody nobody|everyone nobody|everything nothing
largest smallest|biggest smallest|highest lowest|greatest least|identical different
early late|earlier later|fast slow|fast slowly|faster slower|quickly slowly|cheap expensive|cheaper expensive|strong weak|stronger weaker
big small|large small|larger smaller|long short|longer shorter|old new|older newer|soft hard|softer harder|wet dry|hot cold
open close|gain lose|gained lost|win lose|succeed fail|success failure|true false|right wrong|support oppose|safe dangerous
good bad|helpful harmful|first last|many few|most few|increase reduce|raise lower|buy sell|remember forget|accept reject
accept refuse|trust doubt|overrate underrate|inside outside|public private|publish hide|keep remove|start stop|began stopped
confirm refute|prove disprove|same different|allow forbid|allow ban|full empty|present absent|certain uncertain|sure unsure
convince doubt|optimistic pessimistic|simple complex|useful useless|improve worsen|enough insufficient|repair replace
visible hidden|winter summer|day night|morning evening|upwards downwards
"""
_AFFIXES = ("un", "in", "im", "dis", "non", "ir", "mis")
_MOST_EXCHANGED = 8
_OTHER_TOPIC = 0.35
OPPOSITE = "What is cited seems to say the opposite."


def _opposites() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for pair in re.split(r"[|\n]", _OPPOSITES.strip()):
        first, second = (next(iter(stems(word)), word) for word in pair.split())
        found[first].add(second)
        found[second].add(first)
    return found


_OPPOSITE_OF = _opposites()


def features_of(
    sentence: str, evidence: Sequence[str], embed: Embed, rarity: Rarity | None, names: Collection[str]
) -> dict[str, float]:
    """What `SAME` and `UNDENIED` weigh.

    Args:
        sentence: Of an answer.
        evidence: What it cites.
        embed: Embeds texts.
        rarity: Weighs content words.
        names: Of speakers, which count for nothing.
    """
    joined = " ".join(evidence)
    own = set(stems(joined))
    authors = {stem for name in names for stem in stems(name)}
    content = {  # stem -> word, names of speakers and numbers left out
        stem: word[0]
        for word in WORD.finditer(sentence)
        for stem in stems(word[0])
        if stem not in authors and not stem.isdigit()
    }
    likeness, exchange = _likeness(sentence, evidence, {s: w for s, w in content.items() if s not in own}, embed)
    denies, denied, opposites = _polarity(sentence, evidence, content)
    return {
        "likeness": likeness,
        "coverage": _coverage(content, own, rarity),
        "exchange": exchange,
        "denies": denies,
        "denied": denied,
        "opposites": opposites,
    }


def _coverage(content: dict[str, str], own: set[str], rarity: Rarity | None) -> float:
    weights = {stem: rarity(word) if rarity else 1.0 for stem, word in content.items()}
    total = sum(weights.values())
    return sum(weight for stem, weight in weights.items() if stem in own) / total if total else 1.0


def _likeness(sentence: str, evidence: Sequence[str], foreign: dict[str, str], embed: Embed) -> tuple[float, float]:
    """Best cosine with the evidence, and by how much it would grow with one foreign word exchanged.

    A synonym changes little when the evidence's own word is put in its place, another thing a lot.
    """
    texts = [*evidence, " ".join(evidence)]
    variants = list(_exchanged(sentence, evidence, foreign, embed))
    vectors = embed([*texts, sentence, *variants])
    cosines = vectors[len(texts) :] @ vectors[: len(texts)].T
    gain = float((cosines[1:] - cosines[0]).max()) if variants else 0.0
    return float(cosines[0].max()), max(0.0, gain)


def _exchanged(sentence: str, evidence: Sequence[str], foreign: dict[str, str], embed: Embed) -> Iterator[str]:
    """The sentence with one foreign word at a time replaced by the likest words of the evidence."""
    said = set(stems(sentence))
    unused = list(dict.fromkeys(w[0].casefold() for t in evidence for w in WORD.finditer(t) if set(stems(w[0])) - said))
    words = list(foreign.values())[:_MOST_EXCHANGED]
    if not unused or not words:
        return
    vectors = embed([*unused, *(word.casefold() for word in words)])
    for word, likeness in zip(words, vectors[len(unused) :] @ vectors[: len(unused)].T, strict=True):
        for place in np.argsort(-likeness)[:2]:
            yield re.sub(rf"\b{re.escape(word)}\b", lambda _, new=unused[place]: new, sentence, count=1)


def _polarity(sentence: str, evidence: Sequence[str], content: Collection[str]) -> tuple[float, float, float]:
    """How far sentence and evidence deny each other.

    Returns:
        Of the shared words that the sentence negates, the share that the evidence does not; of those that the likest
        evidence negates, the share that the sentence does not; and the number of opposites.
    """
    here = {stem: states for stem, states in _negated(sentence).items() if stem in content}
    texts = [_negated(text) for text in evidence]
    there: dict[str, set[bool]] = defaultdict(set)
    for text in texts:
        for stem, states in text.items():
            there[stem] |= states
    nearest = max(texts, key=lambda text: len(text.keys() & here.keys()))
    opposites = 0
    for stem in here.keys() - there.keys():
        # Where one sentence has both sides, as in "you gain time and lose strength", it denies neither.
        against = [other for other in _against(stem) if other in there and not _has_both_sides(other, texts)]
        opposites += bool(against) and not any((not state) in there[against[0]] for state in here[stem])
    return _one_sided(here, there), _one_sided(nearest, here), float(opposites)


def _has_both_sides(stem: str, texts: Sequence[Mapping[str, set[bool]]]) -> bool:
    return any(stem in text and _OPPOSITE_OF[stem] & text.keys() for text in texts)


def _one_sided(negating: Mapping[str, set[bool]], other: Mapping[str, set[bool]]) -> float:
    """Of the words in common that one side only ever negates, the share that the other never does."""
    denied = [stem for stem, states in negating.items() if states == {True} and stem in other]
    return sum(True not in other[stem] for stem in denied) / len(denied) if denied else 0.0


_IN_PLACE_OF = re.compile(r"\b(?:rather than|instead of|as opposed to)\b", re.IGNORECASE)
_ASIDE = re.compile(r"\s*\(([^()]*)\)")
_LITTLE = re.compile(
    r"\b((?:an?|the|this|that|his|her|its|my|our|their|your|very|so|too|how|as)(?: \w+)?) little\b", re.I
)
"""An adjective here, where "little" elsewhere denies, as in "little evidence"."""
_AGAINST = re.compile(
    r"\b(am|is|are|was|were|be|been|warn\w*|advis\w+|argu\w+|vot\w+|decid\w+|recommend\w*) against\b(?!\W+\d)",
    re.IGNORECASE,
)
_WHOLE_CLAUSE = frozenset({"nothing", "none", "nobody"})
"""Negations that also deny what stands in front of them, as in "spraying does nothing"."""


def _negated(text: str) -> dict[str, set[bool]]:
    """For every stem whether it stands under an odd number of negations of its clause, once or more."""
    found: dict[str, set[bool]] = defaultdict(set)
    asides = "".join(f". {aside}" for aside in _ASIDE.findall(text))
    plain = _LITTLE.sub(r"\1", _ASIDE.sub("", text) + asides)
    for clause in _CLAUSE.split(_AGAINST.sub(r"\1 not", _IN_PLACE_OF.sub(", not", plain))):
        turned = False
        before: list[str] = []
        for word in WORD.finditer(clause):
            if is_negation(word[0]) or word[0].casefold() == "little":
                turned = not turned
                if word[0].casefold() in _WHOLE_CLAUSE:
                    for stem in before:
                        found[stem].add(True)
                continue
            for stem in stems(word[0]):
                before.append(stem)
                found[stem].add(turned)
                turned = turned != (stem in _TURNING)
    return found


def _against(stem: str) -> Iterator[str]:
    yield from _OPPOSITE_OF.get(stem, ())
    for affix in _AFFIXES:
        yield affix + stem
        if stem.startswith(affix):
            yield stem[len(affix) :]


def plainly_denied(features: Mapping[str, float]) -> bool:
    """Nearly the same words with a negation on one side, or an opposite."""
    negated_here = features["denies"] == 1 and features["coverage"] >= 0.6
    negated_there = features["denied"] == 1 and features["coverage"] >= 0.75
    return negated_here or negated_there or features["opposites"] > 0


def explanation(features: Mapping[str, float]) -> str:
    """The feature that speaks loudest against."""
    if UNDENIED(features) < SAME(features):
        return OPPOSITE
    if features["likeness"] < _OTHER_TOPIC:
        return "What is cited is about something else."
    return "What is cited does not say this."
