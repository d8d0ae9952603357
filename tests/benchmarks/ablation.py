"""What each part of the search is worth: the shipped search against itself with parts left out or exchanged.

    python tests/benchmarks/ablation.py [--store FOLDER]

On the half of Chroma's chunking evaluation on which nothing was chosen, and on the sample's questions. Four ways to rank passages:
by words (BM25), by vectors, by both in reciprocal rank fusion (Cormack et al. 2009, constant 60), and by both as shipped, in
a convex combination; each with whole passages as results, and with the snippets that are cut out of them. Differences are
against what is shipped, with 95 % intervals by a paired bootstrap over the questions.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from unittest.mock import patch

import ingest
from rag.evaluation.benchmarks import Chunking
from rag.evaluation.gold import Question, load_questions
from rag.evaluation.measures import (
    DEPTH,
    SAMPLE_COMMENTS,
    SAMPLE_QUESTIONS,
    Evaluation,
    compare,
    evaluate_search,
)
from rag.records import Passage
from rag.retrieval import hybrid
from rag.retrieval.retriever import Retriever
from rag.settings import Settings

CHUNKING = Path(__file__).parent.parent.parent.parent / "shared" / "bench" / "chunking"
RANK_CONSTANT = 60
SHOWN = {
    "chunking": ("characters_recall@5", "characters_iou@5"),
    "sample": ("recall@5", "mrr", "ndcg@10", "characters_iou@5"),
}
Scores = Mapping[str, float]


def reciprocal(dense: Scores, lexical: Scores) -> dict[str, float]:
    """Reciprocal rank fusion."""
    scores: dict[str, float] = {}
    for found in (dense, lexical):
        for rank, id in enumerate(sorted(found, key=lambda id: (-found[id], id)), 1):
            scores[id] = scores.get(id, 0.0) + 1 / (RANK_CONSTANT + rank)
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


CONVEX = hybrid.fuse
FUSIONS = {
    "BM25 alone": lambda dense, lexical: CONVEX({}, lexical),
    "vectors alone": lambda dense, lexical: CONVEX(dense, {}),
    "both, by reciprocal ranks": reciprocal,
    "both, convex": CONVEX,
}
SHIPPED = "both, convex; snippets"


def whole_passages(retriever: Retriever, question: Question) -> Sequence[Passage]:
    query = retriever.understand(question.text, question.history)
    return retriever.retrieve(query, DEPTH, judged=0).passages


def snippets(retriever: Retriever, question: Question) -> Sequence[Passage]:
    return retriever.search(retriever.understand(question.text, question.history), DEPTH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=Path("build/ablation"), help="where the indexes are kept")
    args = parser.parse_args()
    chunking = Chunking.load(CHUNKING).of("report")
    report("chunking", list(chunking.questions), chunking.corpora, args.store)
    report("sample", load_questions(SAMPLE_QUESTIONS), [SAMPLE_COMMENTS], args.store)


def report(name: str, questions: Sequence[Question], paths: Sequence[Path], stores: Path) -> None:
    """Measure all variants on one collection and print them as a table."""
    settings = Settings(store=stores / name, llm="evidence")
    ingest.ingest(paths, settings=settings)
    retriever = Retriever.from_settings(settings)
    measured: dict[str, Evaluation] = {}
    for fusion, fuse in FUSIONS.items():
        for results, search in (("whole passages", whole_passages), ("snippets", snippets)):
            with patch.object(hybrid, "fuse", fuse):
                measured[f"{fusion}; {results}"] = evaluate_search(questions, partial(search, retriever))
    print(f"\n{name}: {len(measured[SHIPPED].rows)} questions\n")
    print(f"| ranking; results | {' | '.join(SHOWN[name])} |\n{'|---' * (len(SHOWN[name]) + 1)}|")
    for variant, evaluation in measured.items():
        differences = compare(evaluation, measured[SHIPPED])
        cells = []
        for measure in SHOWN[name]:
            found = differences[measure]
            change = "" if variant == SHIPPED else f" ({100 * found.low:+.1f} to {100 * found.high:+.1f})"
            cells.append(f"{100 * evaluation.summary[measure]:.1f}{change}")
        print(f"| {variant} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
