"""Embedding on Ray workers: a real local cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ingest
import rag
from ingest.distributed import LOCAL, RayEmbedder, embedder_for
from rag.errors import EmbeddingError
from rag.models.embedding import load_embedder
from rag.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    yield
    import ray

    ray.shutdown()


@pytest.fixture
def distributed(settings: Settings, cluster: None) -> Settings:
    return Settings(ray_address=LOCAL)


def test_workers_give_the_vectors_that_this_process_gives(distributed: Settings) -> None:
    texts = [f"Boat number {n} floats. It has {n} oars." for n in range(70)]
    windows = [[(0, text.index(".") + 1)] for text in texts]
    workers = embedder_for(distributed)
    assert isinstance(workers, RayEmbedder)
    here = load_embedder(distributed).embed_windows(texts, windows)
    for row, expected in zip(workers.embed_windows(texts, windows), here, strict=True):
        np.testing.assert_allclose(row, expected, atol=1e-4)


def test_an_index_made_by_workers_answers_like_any_other(
    distributed: Settings, small_sample: Path, tmp_path: Path, model_cache: Path
) -> None:
    usual = Settings(store=tmp_path / "usual", cache=model_cache)
    for settings in (usual, distributed):
        assert ingest.ingest([small_sample], settings=settings).counts["embedded"] > 0
    question = "What did Brine Ledgerwick say about a year of titration?"
    here, there = (rag.search(question, settings=settings) for settings in (usual, distributed))
    assert here
    assert [passage.id for passage in there] == [passage.id for passage in here]


def test_an_unreachable_cluster_is_named(settings: Settings) -> None:
    with pytest.raises(EmbeddingError, match=r"cluster at 127\.0\.0\.1:1 cannot be reached"):
        embedder_for(Settings(ray_address="127.0.0.1:1"))
