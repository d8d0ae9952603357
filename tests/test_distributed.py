"""Embedding on Ray workers: a real local cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ingest
import rag
from ingest.distributed import LOCAL, embedder_for
from rag.errors import EmbeddingError
from rag.index.store import Store
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


def test_an_index_made_by_workers_is_that_of_this_process(
    distributed: Settings, small_sample: Path, tmp_path: Path, model_cache: Path
) -> None:
    usual = Settings(store=tmp_path / "usual", cache=model_cache)
    question = "What did Brine Ledgerwick say about a year of titration?"
    found = []
    for settings in (usual, distributed):
        assert ingest.ingest([small_sample], settings=settings).counts["embedded"] > 0
        store = Store.open(settings)
        vectors = store.vectors([id for id, _ in store.lexical(question, 10)])
        found.append(([passage.id for passage in rag.search(question, settings=settings)], vectors))
    import ray

    assert ray.is_initialized()  # the second ingest has really gone to workers
    (here, expected), (there, by_workers) = found
    assert here
    assert there == here
    assert expected.keys() == by_workers.keys() != set()
    for id, rows in expected.items():
        np.testing.assert_allclose(by_workers[id], rows, atol=1e-4)


def test_an_unreachable_cluster_is_named(settings: Settings) -> None:
    with pytest.raises(EmbeddingError, match=r"cluster at 127\.0\.0\.1:1 cannot be reached"):
        embedder_for(Settings(ray_address="127.0.0.1:1"))
