"""A cross-encoder for natural language inference as a judge of support: optional, off by default, needs a download.

Does a sentence follow from what it cites? `rag/citations/support.py` asks this judge in place of its own features, where the
setting `support_model` names one. Imports sentence-transformers where it is needed.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from rag.errors import EmbeddingError


class EntailmentJudge:
    """A sentence-transformers cross-encoder that classifies pairs of premise and hypothesis.

    Args:
        model: `CrossEncoder.predict`'s interface; gives logits.
        column: Which of its classes means that the hypothesis follows; None for a model with a single score, such as
            those for consistency of summaries.
    """

    def __init__(self, model: Any, column: int | None) -> None:
        self._model, self._column = model, column

    def __call__(self, sentence: str, evidence: str) -> float:
        """The probability that a sentence follows from evidence, between 0 and 1."""
        from torch.nn import Identity

        pairs = [(evidence, sentence)]
        logits = np.asarray(self._model.predict(pairs, activation_fn=Identity(), show_progress_bar=False), dtype=float)
        row = logits.reshape(-1)
        if self._column is None:
            return float(1 / (1 + np.exp(-row[0])))
        weights = np.exp(row - row.max())
        return float(weights[self._column] / weights.sum())


@functools.lru_cache(maxsize=2)
def load_judge(name: str) -> EntailmentJudge:
    """Load a cross-encoder by its sentence-transformers name or folder.

    Raises:
        EmbeddingError: It is not there, not readable, or has no class for entailment.
    """
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(name, device="cpu")
        labels: Mapping[int, str] = model.model.config.id2label
    except Exception as exc:
        raise EmbeddingError(
            f'The support model "{name}" cannot be loaded: {exc} Check the setting support_model: a folder, or a name '
            "on the model hub (which needs the network once)."
        ) from exc
    if len(labels) == 1:
        return EntailmentJudge(model, None)
    columns = [number for number, label in labels.items() if label.casefold() == "entailment"]
    if not columns:
        raise EmbeddingError(
            f'The support model "{name}" has no class "entailment" but {", ".join(labels.values())}: take a '
            "cross-encoder for natural language inference."
        )
    return EntailmentJudge(model, columns[0])
