"""How good the checks of rag/citations/support.py are, on labelled pairs of sentences and what they cite."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from rag.citations.support import Judge, check_support
from rag.citations.support_features import Embed, Rarity
from rag.index.lexical import LexicalIndex
from rag.models.embedding import EmbeddingCache

SAMPLE_PAIRS = Path(__file__).parents[1] / "sample" / "support_pairs.jsonl"
"""Invented sentences that are supported, nearly so, contradicted or about something else."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A labelled pair of a sentence and what it cites."""

    kind: Literal["supported", "near_miss", "contradiction", "other_topic"]
    sentence: str
    evidence: tuple[str, ...]
    author: str
    """Who wrote the evidence; for another topic who wrote what the sentence is about, lest the name give it away."""


def load_pairs(path: Path) -> tuple[list[Pair], list[Pair]]:
    """Labelled pairs in two halves, to tune and to report on; no evidence is in both.

    Args:
        path: JSON lines with `author`, `evidence` and lists `supported`, `near_miss`, `contradiction` of sentences. The
            first sentence of each line is paired with the evidence of the seventh line after it, too: another topic.
    """
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    halves: tuple[list[Pair], list[Pair]] = ([], [])
    for number, row in enumerate(rows):
        half, evidence = halves[number % 2], tuple(row["evidence"])
        for kind in ("supported", "near_miss", "contradiction"):
            half += [Pair(kind, sentence, evidence, row["author"]) for sentence in row[kind]]
        other = tuple(rows[(number + 7) % len(rows)]["evidence"])
        half.append(Pair("other_topic", row["supported"][0], other, row["author"]))
    return halves


def evaluate_support(path: Path, embed: Embed, judge: Judge | None = None) -> dict[str, Any]:
    """Precision and recall of `check_support` on the half of a labelled set that took no part in fitting.

    As in an answer, rare words weigh more: how rare a word is, is taken from the evidence of the whole set.

    Args:
        path: As for `load_pairs`.
        embed: Embeds texts.
        judge: A model to evaluate in place of the fitted features.

    Returns:
        `pairs` (count), `precision` and `recall` of "supported", `f1`, `accuracy`, and `flagged`: for each kind the
        share of its pairs that was called unsupported (for the kind "supported" these are false alarms).
    """
    fitted_on, pairs = load_pairs(path)
    embed = EmbeddingCache(embed)  # several sentences are paired with the same evidence
    evidence = list(dict.fromkeys(" ".join(pair.evidence) for pair in (*fitted_on, *pairs)))
    with TemporaryDirectory() as folder:
        index = LexicalIndex.build([str(number) for number in range(len(evidence))], evidence, Path(folder) / "words")
        passed = [_passes(pair, embed, index.rarity, judge) for pair in pairs]
    right = sum(ok for ok, pair in zip(passed, pairs, strict=True) if pair.kind == "supported")
    wanted = sum(pair.kind == "supported" for pair in pairs)
    precision, recall = right / max(1, sum(passed)), right / max(1, wanted)
    kinds: dict[str, list[bool]] = defaultdict(list)
    for ok, pair in zip(passed, pairs, strict=True):
        kinds[pair.kind].append(not ok)
    return {
        "pairs": len(pairs),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 3),
        "accuracy": round(
            sum(ok == (pair.kind == "supported") for ok, pair in zip(passed, pairs, strict=True)) / len(pairs), 3
        ),
        "flagged": {kind: round(sum(flags) / len(flags), 3) for kind, flags in kinds.items()},
    }


def _passes(pair: Pair, embed: Embed, rarity: Rarity, judge: Judge | None) -> bool:
    """Whether the check calls a sentence supported by what it is paired with."""
    found = check_support(pair.sentence, pair.evidence, embed=embed, rarity=rarity, authors=[pair.author], judge=judge)
    return found.status == "supported"
