"""An answerer with fixed replies over a few invented comments: what the page is tested with.

It keeps the contract of the real one: growing answers, exact spans, abstention, errors from `rag.errors`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rag.errors import ModelUnavailable
from rag.records import Answer, Citation, Comment, Coverage, Filters, IndexInfo, Passage, Span, Turn

ATTACK = '<script>window.hacked=1</script><img src="http://evil.invalid/x.png" onerror="window.hacked=1">'

LONG_START, LONG_END = "Nobody mentions that is , and the basin resonates.", "At the very end."

_TEXTS = {
    "c1": (
        "Maren Holt",
        datetime(2023, 3, 4, tzinfo=UTC),
        "https://forum.example/posts/abc/tides?commentId=c1",
        "Tides are mostly the moon.\n\nThe sun adds a little, about half as much as the moon does. "
        "When both pull together we get spring tides; the height then goes as $h_m + h_s$, which costs nobody $5.",
    ),
    "c2": (
        "Ioan Petrescu",
        datetime(2023, 3, 5, tzinfo=UTC),
        "javascript:alert(1)",
        "I disagree. The shape of the coast decides more than the moon. " + ATTACK + " Look at Bristol [3].",
    ),
    "c3": (
        None,
        None,
        None,
        LONG_START + " " + "Resonance matters more than people think. " * 60 + LONG_END,
    ),
}
_PARENTS = {"c2": "c1"}


def _comment(id: str) -> Comment:
    author, posted, url, text = _TEXTS[id]
    return Comment(
        id=id, author=author, text=text, sightings=(Span(f"thread.jsonl#{id}", 0, len(text)),), url=url,
        posted_at=posted, parent_id=_PARENTS.get(id), thread_id="tides", karma=12.0 if id == "c1" else None,
        title="Why are there tides?" if id != "c3" else None, gaps=(20,) if id == "c3" else (),
    )  # fmt: skip


class ScriptedIndex:
    """Three comments: one plain, one hostile, one long with a lost formula."""

    def __init__(self) -> None:
        self.kept = {id: _comment(id) for id in _TEXTS}

    def info(self) -> IndexInfo:
        return IndexInfo(
            comments=3, passages=3, authors=(("Maren Holt", 1), ("Ioan Petrescu", 1)),
            sources=(("thread.jsonl", 3),), since=datetime(2023, 3, 4, tzinfo=UTC),
            until=datetime(2023, 3, 5, tzinfo=UTC), embedding_model="none", created_at=datetime(2024, 1, 1, tzinfo=UTC),
            generation="1",
        )  # fmt: skip

    def comments(self, filters: Filters | None = None) -> Iterator[Comment]:
        for comment in self.kept.values():
            if not filters or not filters.authors or comment.byline in filters.authors:
                yield comment

    def comment(self, id: str) -> Comment | None:
        return self.kept.get(id)

    @property
    def corpus(self) -> ScriptedIndex:
        return self

    def thread(self, thread_id: str) -> list[Comment]:
        return [one for one in self.kept.values() if one.thread_id == thread_id]

    def replies(self, comment_id: str) -> list[Comment]:
        return [one for one in self.kept.values() if one.parent_id == comment_id]

    def source_text(self, source: str) -> str:
        return self.kept[source.partition("#")[2]].text


class ScriptedAnswerer:
    """Replies by what the question contains.

    "gold" abstains, "broken" fails before, "half" fails in the middle, "defect" fails in a way nobody foresaw, "slow"
    waits until `go_on` is set, "tail" cites the end of the long comment; everything is answered with three citations.
    """

    model_name = "evidence"

    def __init__(self) -> None:
        self.store = ScriptedIndex()
        self.go_on = threading.Event()
        self.ended = threading.Event()
        """Set when a slow answer is no longer being written."""
        self.asked: list[tuple[str, tuple[Turn, ...], Filters | None]] = []
        self.limits: list[int] = []
        """Of searches."""

    def search(
        self, question: str, limit: int = 5, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> list[Passage]:
        self.limits.append(limit)
        return [self._passage("c2"), self._passage("c1")]

    def stream(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Iterator[Answer]:
        self.asked.append((question, tuple(history), filters))
        passages = tuple(self._passage(id) for id in _TEXTS)
        coverage = Coverage(3, 2, only_authors=filters.authors if filters else ())
        empty = Answer(question, "", passages=passages, coverage=coverage)
        if "broken" in question:
            raise ModelUnavailable("The model server at 127.0.0.1:1 does not answer. Start it, or set llm=evidence.")
        yield empty
        if "gold" in question:
            yield replace(empty, text="The comments do not answer this.", abstained=True)
            return
        yield replace(empty, text="Mostly the moon", trace={"searched": "dense and words"})
        if "half" in question:
            raise ModelUnavailable("The model broke off in mid-answer. Ask again.")
        if "defect" in question:
            raise ZeroDivisionError("not an error of rag.errors")
        if "slow" in question:
            try:
                self.go_on.wait(20)
                yield self._whole(empty)
            finally:
                self.ended.set()
            return
        yield self._whole(empty)

    def _whole(self, empty: Answer) -> Answer:
        return replace(
            empty,
            text=f"You asked about **{empty.question}**. Mostly the moon [1], though the coast matters [2]. "
            "The height is $h_m + h_s$, for $5 or $6 [3].\n\n<b>No HTML.</b> ![x](http://evil.invalid/y.png)",
            citations=(
                self._citation(1, "c1", "Tides are mostly the moon."),
                self._citation(2, "c2", "The shape of the coast decides more than the moon. " + ATTACK),
                self._citation(3, "c3", LONG_END if "tail" in empty.question else LONG_START),
            ),
            suggestions=("What does Maren Holt say about the sun?",),
            trace={"searched": "dense and words", "seconds": {"search": 0.01}},
        )

    def _passage(self, id: str) -> Passage:
        comment = self.store.kept[id]
        return Passage(
            id=f"{id}-0", comment_id=id, author=comment.author, text=comment.text, source=f"thread.jsonl#{id}",
            start=0, end=len(comment.text), url=comment.url, posted_at=comment.posted_at, score=0.8,
            title=comment.title, gaps=comment.gaps, dense_score=0.5, lexical_score=3.1,
        )  # fmt: skip

    def _citation(self, number: int, id: str, quote: str) -> Citation:
        start = self.store.kept[id].text.index(quote)
        return Citation(number, self._passage(id), quote, f"thread.jsonl#{id}", start, start + len(quote))
