"""Search in a large index, side by side with what cannot be avoided: one query embedding and one raw Chroma query.

    python tests/benchmarks/scale.py [--passages 100000] [--store FOLDER]

The comments are made of random words by a thousand authors; their vectors are random too, since embedding them all would take
most of an hour and changes nothing here. Questions are embedded by the real model. The ratio holds on any machine.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import ingest
import ingest.pipeline
import rag
from rag.index.store import Store
from rag.models.embedding import Embedder, load_embedder
from rag.models.reader import load_reader
from rag.retrieval.retriever import Retriever
from rag.settings import Settings

AUTHORS, WORDS, ASKED, WARMING = 1000, 20_000, 65, 5


class RandomVectors(Embedder):
    """The real tokenizer, random vectors."""

    def embed_windows(self, texts: Sequence[str], windows: Sequence[Sequence[tuple[int, int]]]) -> list[np.ndarray]:
        rng = np.random.default_rng(len(texts))
        rows = [rng.standard_normal((1 + len(spans), self.dimension)).astype(np.float32) for spans in windows]
        return [row / np.linalg.norm(row, axis=1, keepdims=True) for row in rows]


def comments(count: int, path: Path) -> None:
    """Comments of one sentence; words as frequent as in a natural language."""
    rng = random.Random(0)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "u") for c in map(str, range(400))][
        :WORDS
    ]
    frequency = [1 / (rank + 3) for rank in range(len(words))]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            text = " ".join(rng.choices(words, frequency, k=18)).capitalize() + "."
            file.write(json.dumps({"id": number, "author": f"Author {number % AUTHORS}", "text": text}) + "\n")


def medians_ms(tasks: Sequence[Callable[[str], object]], questions: Sequence[str]) -> list[float]:
    """What each task takes, taking turns, so that whatever else the machine does slows all of them alike."""
    taken: list[list[float]] = [[] for _ in tasks]
    for number, question in enumerate(questions):
        for task, times in zip(tasks, taken, strict=True):
            started = time.perf_counter()
            task(question)
            if number >= WARMING:
                times.append(1000 * (time.perf_counter() - started))
    return [statistics.median(times) for times in taken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--store", type=Path, help="where the index is kept; by default a temporary folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=args.store or Path(folder) / "store", llm="evidence")
        real = load_embedder(settings)
        if not (settings.store / "index.sqlite3").exists():
            comments(args.passages, Path(folder) / "comments.jsonl")
            made = RandomVectors(real._backend, real.identity)
            ingest.pipeline.embedder_for = lambda settings: made
            print(ingest.ingest([Path(folder) / "comments.jsonl"], settings=settings))
        opened = time.perf_counter()
        store = Store.open(settings, real)
        store.lexical("warm", 1)
        print(f"opened in {1000 * (time.perf_counter() - opened):.0f} ms")
        retriever = Retriever(store, real, load_reader(settings))
        rng = random.Random(1)
        texts = [comment.text for comment in rng.sample(list(rag.comments(settings=settings)), ASKED)]
        questions = [" ".join(text.split()[:6]) + "?" for text in texts]
        authors = iter(rng.sample(range(AUTHORS), ASKED))

        def raw(question: str) -> None:
            list(store._vectors.nearest(store._collection(), real.embed_query(question), 10, None))

        def search(question: str, where: rag.Filters | None = None) -> None:
            retriever.search(retriever.understand(question), 5, where)

        def by_another(question: str) -> None:
            search(f"And {question}", rag.Filters(authors=(f"Author {next(authors)}",)))

        def by_same(question: str) -> None:
            search(f"But {question}", rag.Filters(authors=("Author 7",)))

        # Each task gets its own form of a question: vectors of questions are remembered.
        tasks = [raw, lambda question: search(f"So {question}"), by_another, by_same]
        floor, everywhere, another, same = medians_ms(tasks, questions)
        print(f"query embedding and raw Chroma query: {floor:.1f} ms")
        print(f"search: {everywhere:.1f} ms, {everywhere / floor:.2f} x")
        print(f"search by one author, each time another: {another:.1f} ms, {another / floor:.2f} x")
        print(f"search by one author, always the same: {same:.1f} ms, {same / floor:.2f} x")
        print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")


if __name__ == "__main__":
    main()
