"""What readers said about answers: kept on this machine, exported as evaluation questions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.records import Turn, to_plain
from ui.conversations import Conversation, Exchange, now

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
        self._said: dict[str, str | None] = {}

    def add(self, exchange: Exchange, history: Sequence[Turn] = ()) -> None:
        """Keep the judgement of an exchange with question, answer and passages; None takes an earlier one back.

        Args:
            exchange: What was judged.
            history: The turns before it: a question that follows another makes no sense alone.
        """
        answer = exchange.answer
        line = {
            "exchange": exchange.id,
            "at": now().isoformat(),
            "judgement": exchange.judgement,
            "question": exchange.question,
            "history": to_plain(tuple(history)),
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
            self._said[exchange.id] = exchange.judgement
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def marked(self, conversation: Conversation) -> Conversation:
        """A conversation with what was said about its answers since this page is open.

        An answer may be judged while the next one is on its way, whose conversation does not know of it yet.
        """
        exchanges = (replace(one, judgement=self._said.get(one.id, one.judgement)) for one in conversation.exchanges)
        return replace(conversation, exchanges=tuple(exchanges))

    def judgements(self) -> Iterator[dict[str, Any]]:
        """The last judgement on each answer, oldest first; lines that were cut off by a crash are skipped."""
        last: dict[str, dict[str, Any]] = {}
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    judged = json.loads(line)
                    last[judged["exchange"]] = judged
                except (ValueError, KeyError, TypeError):
                    continue
        yield from (judged for judged in last.values() if judged.get("judgement"))

    def evaluation_questions(self) -> str:
        """JSON lines for `commentariat eval`: liked answers, whose spans are gold; none where declining was liked."""
        return "".join(_line(_question(judged)) for judged in self.judgements() if judged["judgement"] == GOOD)

    def open_questions(self) -> str:
        """JSON lines of the answers that were found wanting: `gold` is to be filled in, and what was cited is there to choose from.

        `commentariat eval` refuses them until then: without gold they would count as questions without an answer.
        """
        return "".join(
            _line({**_question(judged), "gold": None, "reason": judged["judgement"], "cited": judged["citations"]})
            for judged in self.judgements()
            if judged["judgement"] != GOOD
        )


def _question(judged: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": judged["exchange"],
        "question": judged["question"],
        "history": judged.get("history", []),
        "filters": judged["filters"],
        "gold": judged["citations"],
    }


def _line(question: dict[str, Any]) -> str:
    return json.dumps(question, ensure_ascii=False) + "\n"
