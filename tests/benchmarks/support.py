"""Fit the weights in rag/citations/support.py on the half of the labelled pairs that `commentariat eval support` does not report on.

    python tests/benchmarks/support.py

Prints the regressions as they stand there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from rag.citations.support_features import SAME, UNDENIED, Embed, Regression, features_of
from rag.evaluation.support import SAMPLE_PAIRS, Pair, load_pairs
from rag.models.embedding import load_embedder
from rag.settings import Settings

PENALTY = 2.0
"""On the squared weights of standardised features."""


def fit(pairs: Sequence[Pair], embed: Embed) -> tuple[Regression, Regression]:
    """`SAME` and `UNDENIED`, fitted on labelled pairs."""
    seen = [features_of(pair.sentence, pair.evidence, embed, None, [pair.author]) for pair in pairs]

    def regression(names: Collection[str], against: Collection[str]) -> Regression:
        chosen = [number for number, pair in enumerate(pairs) if pair.kind in {"supported", *against}]
        matrix = np.array([[seen[number][name] for name in names] for number in chosen])
        labels = [pairs[number].kind == "supported" for number in chosen]
        scale = StandardScaler().fit(matrix)
        model = LogisticRegression(C=1 / PENALTY).fit(scale.transform(matrix), labels)
        weights = model.coef_[0] / scale.scale_
        intercept = float(model.intercept_[0] - weights @ scale.mean_)
        return Regression(
            {name: round(float(w), 2) for name, w in zip(names, weights, strict=True)}, round(intercept, 2)
        )

    return regression(SAME.weights, ("near_miss", "other_topic")), regression(UNDENIED.weights, ("contradiction",))


if __name__ == "__main__":
    fitted_on, _ = load_pairs(SAMPLE_PAIRS)
    for name, fitted in zip(("SAME", "UNDENIED"), fit(fitted_on, load_embedder(Settings()).embed_texts), strict=True):
        print(f"{name} = {fitted}")
