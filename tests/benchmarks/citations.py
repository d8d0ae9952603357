"""Do answers made of quotes cite what answers, and only that? Over the seeds and the sample, without abstaining.

    python tests/benchmarks/citations.py [--misses]

Citation recall: the share of a question's gold phrases that stand in what is cited. Citation precision: the share of citations
that hold a gold phrase or one that also bears on the question. As in ALCE (Gao et al. 2023), with gold phrases in place of an
entailment model. Questions: tests/data/answerability_*.jsonl, the answerable ones, split by a hash; quotes were tuned on the half
"tune" only (by hand; the weights in rag/retrieval/relevance.py are fitted on other questions).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np

import ingest
import rag

ROOT = Path(__file__).parent.parent.parent
PLACES = {"seeds": ROOT.parent / "shared" / "seeds", "sample": ROOT / "rag" / "sample" / "comments"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--misses", action="store_true", help="print the questions of the half for tuning that are not met"
    )
    args = parser.parse_args()
    print(
        "| questions | count | citation recall | citation precision | citations | characters |\n|---|---|---|---|---|---|"
    )
    for name, comments in PLACES.items():
        with tempfile.TemporaryDirectory() as folder:
            settings = rag.Settings(store=Path(folder) / "store", llm="evidence", abstain_below=0.0)
            ingest.ingest([comments], settings=settings)
            halves: dict[str, list[tuple[float, float, int, int]]] = {"tune": [], "report": []}
            lines = (ROOT / "tests" / "data" / f"answerability_{name}.jsonl").read_text(encoding="utf-8").splitlines()
            for row in map(json.loads, lines):
                if row["answerable"]:
                    half = "report" if int(hashlib.sha256(row["question"].encode()).hexdigest(), 16) % 2 else "tune"
                    halves[half].append(measured(row, settings, show=args.misses and half == "tune"))
        for half, figures in halves.items():
            recall, precision, count, length = np.mean(figures, axis=0)
            print(f"| {name}, {half} | {len(figures)} | {recall:.3f} | {precision:.3f} | {count:.2f} | {length:.0f} |")


def measured(row: dict, settings: rag.Settings, *, show: bool) -> tuple[float, float, int, int]:
    """Recall, precision, number of citations and characters cited for one question."""
    cited = []
    for citation in rag.answer(row["question"], settings=settings).citations:
        text = rag.source_text(citation.source, settings=settings)
        cited.append(" ".join(text[span.start : span.end] for span in citation.spans))
    gold, also = row["gold"], row.get("also", [])
    recall = float(np.mean([any(phrase in text for text in cited) for phrase in gold]))
    hits = [any(phrase in text for phrase in (*gold, *also)) for text in cited]
    precision = float(np.mean(hits)) if hits else 0.0
    if show and (recall < 1 or precision < 0.5):
        print(
            f"  {recall:.2f} {precision:.2f} {row['question']}\n    wanted {gold}\n    cited {[text[:80] for text in cited]}"
        )
    return recall, precision, len(cited), sum(map(len, cited))


if __name__ == "__main__":
    main()
