"""How fast: warm searches and answers, and a cold start against what it must not wait for.

    python tests/benchmarks/speed.py [COMMENTS]

Figures depend on the machine; the last one is a ratio measured side by side in the same run, and holds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ingest
import rag

ROOT = Path(__file__).parent.parent.parent
QUESTIONS = [
    "What is said about calibration?",
    "Who disagrees with the usual argument, and why?",
    "Which methods are recommended?",
    "What would change the author's mind?",
    "How are models trained?",
    "Is there evidence for that?",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("comments", nargs="?", default=str(ROOT / "rag" / "sample" / "comments"))
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = rag.Settings(store=Path(folder) / "store", llm="evidence")
        print(ingest.ingest(args.comments, settings=settings))
        for name, ask in (("search", rag.search), ("evidence answer", rag.answer)):
            ask(QUESTIONS[0], settings=settings)
            times = [_seconds(lambda q=q, ask=ask: ask(q, settings=settings)) for q in QUESTIONS * args.rounds]
            print(
                f"warm {name}: median {1000 * statistics.median(times):.0f} ms, worst {1000 * max(times):.0f} ms ({len(times)})"
            )
        asking = f"import rag; rag.answer({QUESTIONS[0]!r}, settings=rag.Settings(store={str(settings.store)!r}, llm='evidence'))"
        pairs = [(_run(asking), _run("import sentence_transformers")) for _ in range(args.rounds)]
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(
            f"cold answer {ours:.2f} s, import sentence_transformers {theirs:.2f} s, ratio {ratio:.2f} ({len(pairs)} pairs)"
        )


def _seconds(action) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _run(code: str) -> float:
    return _seconds(lambda: subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True))


if __name__ == "__main__":
    main()
