"""Rerank candidates with a cross-encoder: optional, off by default, since it needs a download.

The only use of sentence-transformers besides embedding.py, and like there imported where it is needed.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rag.errors import EmbeddingError
from rag.records import Passage

RERANKED = 30
"""Candidates that the cross-encoder reads; the rest keep their order behind them."""


class Reranker:
    """A sentence-transformers cross-encoder.

    Args:
        model: Scores pairs of question and passage, higher is better; `CrossEncoder.predict`'s interface.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def rerank(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """Order the first candidates by the cross-encoder's scores, which become theirs (squashed to 0..1)."""
        head, tail = passages[:RERANKED], passages[RERANKED:]
        if not head:
            return []
        scores = self._probabilities([(question, passage.text) for passage in head])
        lowest = min(scores)
        ranked = sorted(zip(scores, head, strict=False), key=lambda pair: -pair[0])
        return [replace(p, score=score) for score, p in ranked] + [replace(p, score=lowest * p.score) for p in tail]

    def _probabilities(self, pairs: list[tuple[str, str]]) -> list[float]:
        from torch.nn import Sigmoid

        return [float(s) for s in self._model.predict(pairs, activation_fn=Sigmoid(), show_progress_bar=False)]


@functools.lru_cache(maxsize=2)
def load_reranker(name: str) -> Reranker:
    """Load a cross-encoder by its sentence-transformers name or folder.

    Raises:
        EmbeddingError: It is not there, not readable, or no cross-encoder.
    """
    from sentence_transformers import CrossEncoder

    try:
        return Reranker(CrossEncoder(name, device="cpu"))
    except Exception as exc:
        raise EmbeddingError(
            f'The reranker "{name}" cannot be loaded: {exc} Check the setting reranker: a folder, or a name on the '
            "model hub (which needs the network once)."
        ) from exc
