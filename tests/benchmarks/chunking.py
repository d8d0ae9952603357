"""Chroma's chunking evaluation, through the same door that comments take: `ingest.ingest`, then `rag.search`.

    python tests/benchmarks/chunking.py [--store FOLDER] [--json FILE] [--compare FILE]

Smith and Troynikov 2024, "Evaluating Chunking Strategies for Retrieval": 472 questions over five corpora, searched together;
measures over characters, means over the questions, as in their `general_evaluation`. The questions are split by a hash: settings
may be chosen on one half, the other is reported. The report differs from itself by about 2 points between its tables; `--compare`
gives differences with bootstrap intervals over the same questions.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import ingest
import rag
from rag.records import Passage

FOLDER = Path(__file__).parent.parent.parent.parent / "shared" / "bench" / "chunking"
K = 5
RESAMPLES = 10_000


@dataclass(frozen=True)
class Question:
    """A question and the spans of one corpus that answer it."""

    text: str
    corpus: str
    gold: tuple[tuple[int, int], ...]

    @property
    def half(self) -> str:
        return "tune" if int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 2 else "report"


def questions(folder: Path) -> Iterator[Question]:
    with (folder / "questions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            spans = tuple((item["start_index"], item["end_index"]) for item in json.loads(row["references"]))
            yield Question(row["question"], row["corpus_id"], spans)


def measures(question: Question, passages: Sequence[Passage]) -> tuple[float, float, float]:
    """Recall, precision and IoU over characters; what is retrieved twice counts twice as retrieved, once as found."""
    own = [(p.start, p.end) for p in passages if Path(p.source).stem == question.corpus]
    gold = set().union(*(range(*span) for span in question.gold))
    found = gold & set().union(*(range(*span) for span in own))
    retrieved = sum(len(p.text) for p in passages)
    union = retrieved + len(gold) - len(found)
    return len(found) / len(gold), len(found) / max(retrieved, 1), len(found) / union


def interval(differences: np.ndarray) -> tuple[float, float]:
    """95 % of the means of resampled questions (paired bootstrap)."""
    rng = np.random.default_rng(0)
    means = differences[rng.integers(0, len(differences), (RESAMPLES, len(differences)))].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=Path("build/chunking"), help="where the index is kept")
    parser.add_argument("--json", type=Path, help="write the figures of each question")
    parser.add_argument("--compare", type=Path, help="a file that --json wrote")
    args = parser.parse_args()
    settings = rag.Settings(store=args.store, llm="evidence")
    print(ingest.ingest(sorted(FOLDER.glob("[!R]*.md")), settings=settings))
    asked = list(questions(FOLDER))
    rows = np.array([measures(q, rag.search(q.text, limit=K, settings=settings)) for q in asked]) * 100
    halves = np.array([question.half for question in asked])
    before = np.array(json.loads(args.compare.read_text())) if args.compare else None
    print(f"| questions | recall@{K} | precision@{K} | IoU@{K} |\n|---|---|---|---|")
    for name, chosen in (("tune", halves == "tune"), ("report", halves == "report"), ("all", halves != "")):
        figures = " | ".join(f"{value:.1f}" for value in rows[chosen].mean(axis=0))
        print(f"| {name} ({chosen.sum()}) | {figures} |")
        if before is not None:
            changes = (rows - before)[chosen]
            spans = [interval(changes[:, column]) for column in range(3)]
            cells = [f"{m:+.1f} ({a:+.1f} to {b:+.1f})" for m, (a, b) in zip(changes.mean(axis=0), spans, strict=True)]
            print(f"| change | {' | '.join(cells)} |")
    for corpus in sorted({question.corpus for question in asked}):
        chosen = np.array([question.corpus == corpus for question in asked])
        print(f"| {corpus} ({chosen.sum()}) | {' | '.join(f'{value:.1f}' for value in rows[chosen].mean(axis=0))} |")
    if args.json:
        args.json.write_text(json.dumps(rows.tolist()), encoding="utf-8")


if __name__ == "__main__":
    main()
