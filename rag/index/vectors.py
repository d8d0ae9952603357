"""Vectors in Chroma: the only module that imports chromadb, whose errors it turns into ours."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import StoreUnavailable
from rag.index.row_copy import RowCopy

ROWS_PER_PASSAGE = 3
"""A passage has a vector for itself and one for each window: how many nearest rows to ask for per passage wanted."""
MOST_ROWS = 2**31 - 1
"""Chroma takes no larger number."""
COMPARED = 2000
"""Rows up to which a filtered search compares all that pass instead of asking the graph."""
VECTORS_KEPT = 4000
"""Vectors whose rows are remembered, since Chroma hands them over slowly: some 40 MB where each has seven rows."""
_STARTED = secrets.token_hex(8)


class Vectors:
    """Rows of vectors in Chroma: those of `vector_id` are filed as `vector_id:0`, `vector_id:1`, ..."""

    def __init__(self, folder: Path, url: str | None, copy: RowCopy) -> None:
        self._folder, self._url, self._copy = folder, url, copy
        self.place = url or folder
        self._opened: Any = None
        self._collections: dict[str, Any] = {}
        self._kept: dict[tuple[str, str], np.ndarray] = {}
        self._lock = threading.Lock()

    def nearest(
        self, collection: str, vector: np.ndarray, rows: int, allowed: set[tuple[str, int]] | None
    ) -> Iterator[tuple[str, float]]:
        """Vector ids with cosine similarities, best first; an id comes once for each of its rows that is near.

        Chroma walks its graph until enough rows are found that may be: with a condition on metadata that took 15 times as
        long as without among 100,000 rows, with their ids 5 times. So few rows are read and compared one by one.
        """
        if allowed is not None and sum(count for _, count in allowed) <= COMPARED:
            yield from self._compared(collection, vector, dict(allowed), rows)
            return
        ids = None if allowed is None else _row_ids(allowed)
        with self._errors():
            result = self._get(collection).query(
                query_embeddings=[vector], n_results=min(rows, MOST_ROWS), ids=ids, include=["distances"]
            )
        for id, distance in zip(result["ids"][0], result["distances"][0], strict=True):
            yield id.rpartition(":")[0], 1.0 - float(distance)

    def _compared(
        self, collection: str, vector: np.ndarray, allowed: Mapping[str, int], rows: int
    ) -> Iterator[tuple[str, float]]:
        found = self.rows(collection, dict(sorted(allowed.items())))
        if not found:
            return
        ids = [id for id, own in found.items() for _ in own]
        cosines = np.concatenate(list(found.values())) @ vector
        for place in np.argsort(-cosines, kind="stable")[:rows]:
            yield ids[place], float(cosines[place])

    def rows(self, collection: str, vectors: Mapping[str, int]) -> dict[str, np.ndarray]:
        """All rows of vectors, given how many each has; those that are not all there are left out.

        They are never changed, so that those read last need not be read again. The order is that of `vectors` whatever is
        remembered: the last digit of a product of matrices depends on it.
        """
        known = {id: rows for id in vectors if (rows := self._kept.get((collection, id))) is not None}
        read = self.read(collection, {id: count for id, count in vectors.items() if id not in known})
        with self._lock:
            self._kept.update({(collection, id): rows for id, rows in read.items()})
            while len(self._kept) > VECTORS_KEPT:
                self._kept.pop(next(iter(self._kept)))
        known |= read
        return {id: known[id] for id in vectors if id in known}

    def read(self, collection: str, vectors: Mapping[str, int]) -> dict[str, np.ndarray]:
        """The same, always read, and not remembered."""
        found = self._copy.read(collection, vectors)
        missing = {id: count for id, count in vectors.items() if id not in found}
        if not missing:
            return found
        with self._errors():
            result = self._get(collection).get(ids=_row_ids(missing.items()), include=["embeddings"])
        places = {id: place for place, id in enumerate(result["ids"])}
        table = np.asarray(result["embeddings"], dtype=np.float32)
        for id, count in missing.items():
            own = [places.get(f"{id}:{n}") for n in range(count)]
            if None not in own:
                found[id] = table[own]
        return found

    def present(self, collection: str, vector_ids: Sequence[str]) -> set[str]:
        """Which vectors are there."""
        with self._errors():
            ids = self._get(collection).get(ids=[f"{id}:0" for id in vector_ids], include=[])["ids"]
        return {id.rpartition(":")[0] for id in ids}

    def add(self, collection: str, vectors: Mapping[str, np.ndarray]) -> None:
        """Write rows, the first of each vector last: its presence means that all are there."""
        flat = [(f"{id}:{n}", row) for id, rows in vectors.items() for n, row in enumerate(rows)]
        flat.sort(key=lambda item: item[0].endswith(":0"))
        with self._errors():
            found = self._get(collection)
            size = self._client().get_max_batch_size()
            for at in range(0, len(flat), size):
                batch = flat[at : at + size]
                found.upsert(ids=[id for id, _ in batch], embeddings=np.stack([row for _, row in batch]))
        self._copy.write(collection, vectors)

    def unused(self, collection: str, used: set[str]) -> list[str]:
        """Row ids that belong to no vector in `used`."""
        rows: list[str] = []
        with self._errors():
            found = self._get(collection)
            for offset in range(0, found.count(), 50_000):
                ids = found.get(limit=50_000, offset=offset, include=[])["ids"]
                rows += [id for id in ids if id.rpartition(":")[0] not in used]
        return rows

    def delete(self, collection: str, row_ids: Sequence[str]) -> None:
        # First here: what stays in Chroma is found again by `unused`.
        self._copy.delete(collection, {id.rpartition(":")[0] for id in row_ids})
        with self._errors():
            size = self._client().get_max_batch_size()
            for at in range(0, len(row_ids), size):
                self._get(collection).delete(ids=list(row_ids[at : at + size]))

    def ensure(self, collection: str) -> None:
        with self._errors():
            self._get(collection)

    def drop_all_but(self, collection: str) -> None:
        """Delete the collections of generations that are over."""
        with self._errors():
            for found in self._client().list_collections():
                if found.name != collection and found.name.startswith("passages-"):
                    self._client().delete_collection(found.name)
                    self._collections.pop(found.name, None)
        self._copy.keep_only(collection)

    def reopen(self) -> None:
        """Forget what this process has read: another one has written."""
        with self._lock:
            if self._opened is not None and self._url is None:
                from chromadb.api.shared_system_client import SharedSystemClient

                SharedSystemClient._identifier_to_system.pop(str(self._folder), None)
            self._opened = None
            self._collections.clear()

    def _get(self, collection: str) -> Any:
        if (found := self._collections.get(collection)) is None:
            found = self._collections[collection] = self._client().get_or_create_collection(
                collection, configuration={"hnsw": {"space": "cosine", "ef_search": 200}}, embedding_function=None
            )
        return found

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = _http_client(self._url) if self._url else _folder_client(self._folder)
            return self._opened

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from chromadb.errors import ChromaError

        try:
            yield
        except (ChromaError, OSError, ValueError) as exc:
            raise StoreUnavailable(
                f"The vectors in {self.place} cannot be used: {exc}. "
                + (
                    "Check that the Chroma server runs."
                    if self._url
                    else "Check that the disk has room and the folder is writable, or rebuild: `python -m ingest --rebuild PATH`."
                )
            ) from exc


def this_process() -> str:
    """Tells processes apart, also where two containers on one volume have the same number, or one was forked."""
    return f"{os.getpid()}-{_STARTED}"


def _row_ids(vectors: Iterable[tuple[str, int]]) -> list[str]:
    return [f"{id}:{n}" for id, rows in vectors for n in range(rows)]


def _folder_client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    return chromadb.PersistentClient(path=str(folder), settings=ChromaSettings(anonymized_telemetry=False))


def _http_client(url: str) -> Any:
    from urllib.parse import urlsplit

    import chromadb
    from chromadb.config import Settings as ChromaSettings

    parts = urlsplit(url)
    return chromadb.HttpClient(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or (443 if parts.scheme == "https" else 8000),
        ssl=parts.scheme == "https",
        settings=ChromaSettings(anonymized_telemetry=False),
    )
