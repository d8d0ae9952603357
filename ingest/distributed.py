"""Embedding on several machines or processes with Ray; the only ray.

Embedding is nearly all the time an ingest takes, and each text is embedded by itself, so batches go to workers and
come back in order. Reading, merging and writing stay in this process: they need one view of the index.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import EmbeddingError, SettingsError
from rag.models.embedding import Embedder, load_embedder

if TYPE_CHECKING:
    import numpy as np

    from rag.records import Range
    from rag.settings import Settings

LOCAL = "local"
BATCH = 32
"""Texts that a worker gets at a time."""
REACHABLE_WITHIN = 10.0
"""Seconds for a cluster to accept a connection."""


def embedder_for(settings: Settings) -> Embedder:
    """The embedding model of the settings, run by Ray workers if the settings name a cluster.

    Raises:
        EmbeddingError: The model cannot be loaded, or the cluster cannot be reached.
        SettingsError: Ray is not installed.
    """
    embedder = load_embedder(settings)
    return RayEmbedder(embedder, settings) if settings.ray_address else embedder


class RayEmbedder(Embedder):
    """Embeds passages on a Ray cluster, one worker per processor; single texts in this process.

    Args:
        local: The same model in this process.
        settings: `ray_address` is "local" (the processors of this machine), "auto" or the address of a running cluster,
            whose machines need this package and the embedding model.
    """

    def __init__(self, local: Embedder, settings: Settings) -> None:
        super().__init__(local._backend, local.identity, local.query_prefix, local.passage_prefix)
        self._ray = _connected(settings.ray_address)
        self._workers = self._started(settings)

    def embed_windows(self, texts: Sequence[str], windows: Sequence[Sequence[Range]]) -> list[np.ndarray]:
        """See `Embedder.embed_windows`."""
        pairs = list(zip(texts, windows, strict=True))
        batches = [pairs[at : at + BATCH] for at in range(0, len(pairs), BATCH)]
        try:
            parts = self._workers.map(lambda worker, batch: worker.embed.remote(batch), batches)
            return [row for part in parts for row in part]
        except self._ray.exceptions.RayError as exc:
            raise EmbeddingError(f"A Ray worker failed: {str(exc).strip().splitlines()[-1]}") from exc

    def _started(self, settings: Settings) -> Any:
        """A pool of workers, as many as the cluster has processors."""
        from ray.util import ActorPool

        worker = self._ray.remote(num_cpus=1)(_Worker)
        count = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        return ActorPool([worker.remote(settings) for _ in range(count)])


class _Worker:
    """Runs the model in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        self._embedder = load_embedder(settings)

    def embed(self, pairs: Sequence[tuple[str, Sequence[Range]]]) -> list[np.ndarray]:
        return self._embedder.embed_windows([text for text, _ in pairs], [windows for _, windows in pairs])


def _connected(address: str) -> Any:
    # Ray reports its use to its makers unless told not to; this must be set before it is imported.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as exc:
        raise SettingsError(
            'COMMENTARIAT_RAY_ADDRESS needs Ray: pip install "commentariat[ray]", or leave the setting empty.'
        ) from exc
    _check_reachable(address)
    if not ray.is_initialized():
        try:
            ray.init(
                address=None if address == LOCAL else address,
                include_dashboard=False if address == LOCAL else None,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except Exception as exc:
            raise EmbeddingError(f"The Ray cluster at {address} cannot be reached: {exc}") from exc
    return ray


def _check_reachable(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=REACHABLE_WITHIN).close()
        except OSError as exc:
            raise EmbeddingError(f"The Ray cluster at {address} cannot be reached: {exc}. Check ray_address.") from exc
