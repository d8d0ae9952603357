"""What readers said about answers: kept on this machine, exported as evaluation questions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.records import to_plain
from ui.conversations import Exchange, now

GOOD = "Like"
REASONS = ("Wrong citation", "Not supported", "Missed a comment", "Wrong person", "Other")
OPTIONS = (GOOD, *REASONS)
"""As Gradio shows them: "Like" becomes a thumb, the others a list under a flag."""


class Feedback:
    """A file of JSON lines, one per judgement; the last one on an answer counts.

    Args:
        path: The file; made with the first judgement.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def add(self, exchange: Exchange) -> None:
        """Keep the judgement of an exchange with question, answer and passages; None takes an earlier one back."""
        answer = exchange.answer
        line = {
            "exchange": exchange.id,
            "at": now().isoformat(),
            "judgement": exchange.judgement,
            "question": exchange.question,
            "filters": to_plain(exchange.filters),
            "answer": answer.text if answer else None,
            "model": answer.model if answer else None,
            "abstained": bool(answer and answer.abstained),
            "citations": [
                {"source": span.source, "start": span.start, "end": span.end}
                for citation in (answer.citations if answer else ())
                for span in citation.spans
            ],
            "passages": [passage.id for passage in answer.passages] if answer else [],
        }
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def judgements(self) -> Iterator[dict[str, Any]]:
        """The last judgement on each answer, oldest first; lines that were cut off by a crash are skipped."""
        last: dict[str, dict[str, Any]] = {}
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                judged = json.loads(line)
                last[judged["exchange"]] = judged
            except (ValueError, KeyError, TypeError):
                continue
        yield from (judged for judged in last.values() if judged.get("judgement"))

    def evaluation_questions(self) -> str:
        """JSON lines for `commentariat eval`: a liked answer's spans are gold, others are to be filled in by hand."""
        lines = []
        for judged in self.judgements():
            liked = judged["judgement"] == GOOD
            lines.append(
                json.dumps(
                    {
                        "id": judged["exchange"],
                        "question": judged["question"],
                        "answerable": not (liked and judged["abstained"]),
                        "gold": judged["citations"] if liked else [],
                        "reason": None if liked else judged["judgement"],
                        "cited": judged["citations"],
                    },
                    ensure_ascii=False,
                )
            )
        return "".join(f"{line}\n" for line in lines)
