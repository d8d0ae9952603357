"""What one visitor asked and got: kept in the browser, exported, imported.

A conversation that comes back from a browser or a file is somebody's say-so: `verify` compares its quotes with the
index before they are shown as exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

from rag.errors import RagError
from rag.records import Answer, Citation, Filters, Turn
from ui.wording import block_quotation, date_text, filter_labels, who_answered

FORMAT = "commentariat-conversation-1"
MAX_KEPT = 50
"""Conversations kept in a browser, whose storage holds about 5 MB: the oldest make room."""


def new_id() -> str:
    """A name for an exchange or conversation that cannot be guessed from others."""
    return f"x{uuid4().hex[:10]}"


def now() -> datetime:
    """The present, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Exchange:
    """One question and what came of it."""

    question: str
    filters: Filters = field(default_factory=Filters)
    answer: Answer | None = None
    """None as long as nothing has arrived."""
    problem: str | None = None
    """Why there is no answer, in a sentence."""
    stopped: bool = False
    growing: bool = False
    """The answer is on its way; where it never came, whoever asked had left before."""
    id: str = field(default_factory=new_id)
    asked_at: datetime = field(default_factory=now)
    judgement: str | None = None
    """What the reader said about the answer, as in `ui.feedback.OPTIONS`."""
    forged: tuple[int, ...] = ()
    """Numbers of citations whose quote is not in the index as claimed: forged, or of a source that was forgotten since."""


@dataclass(frozen=True)
class Conversation:
    """Questions and answers in order."""

    exchanges: tuple[Exchange, ...] = ()
    title: str | None = None
    """Given by the reader; else the first question serves."""
    id: str = field(default_factory=new_id)
    updated_at: datetime = field(default_factory=now)
    dropped: tuple[str, ...] = ()
    """Ids of exchanges that were asked anew or in other words: another tab of the visitor may still have them."""

    @property
    def name(self) -> str:
        """What it is listed under."""
        if self.title:
            return self.title
        return _shorten(self.exchanges[0].question, 60) if self.exchanges else "New conversation"

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its exchanges."""
        return tuple(one.id for one in self.exchanges)

    @property
    def growing(self) -> bool:
        """Whether its last answer is on its way."""
        return any(one.growing for one in self.exchanges[-1:])

    def exchange(self, id: str) -> Exchange | None:
        """The exchange of that id, if it is here."""
        return next((one for one in self.exchanges if one.id == id), None)

    def turns(self) -> tuple[Turn, ...]:
        """The conversation as history for the next question; failed exchanges are left out."""
        return tuple(
            turn
            for one in self.exchanges
            if one.answer is not None and one.answer.text
            for turn in (Turn("user", one.question), Turn("assistant", one.answer.text))
        )

    def with_exchange(self, exchange: Exchange) -> Conversation:
        """The same with an exchange replaced, or added at the end if it is new."""
        known = self.exchange(exchange.id) is not None
        exchanges = (
            tuple(exchange if one.id == exchange.id else one for one in self.exchanges)
            if known
            else (*self.exchanges, exchange)
        )
        return replace(self, exchanges=exchanges, updated_at=now())

    def before(self, id: str) -> Conversation:
        """The same up to, and without, the exchange of that id."""
        index = next((number for number, one in enumerate(self.exchanges) if one.id == id), len(self.exchanges))
        return replace(self, exchanges=self.exchanges[:index], dropped=(*self.dropped, *self.ids[index:]))

    def mentions(self, words: str) -> bool:
        """Whether every word occurs in the title, a question or an answer."""
        text = " ".join(
            (self.title or "", *(f"{one.question} {one.answer.text if one.answer else ''}" for one in self.exchanges))
        ).casefold()
        return all(word in text for word in words.casefold().split())

    def to_dict(self) -> dict[str, Any]:
        """Plain data, without the parts of an answer that serve only while it is fresh."""
        data = _adapter().dump_python(_slim(self), mode="json", exclude_defaults=True)
        # A moment just past equals its default, and would come back as another.
        for one, exchange in zip(data.get("exchanges", ()), self.exchanges, strict=True):
            one["asked_at"] = exchange.asked_at.isoformat()
        return {"format": FORMAT, **data, "updated_at": self.updated_at.isoformat()}

    @classmethod
    def from_dict(cls, data: Any) -> Conversation:
        """Read what `to_dict` wrote.

        Raises:
            RagError: It is something else; the message says where.
        """
        from pydantic import ValidationError

        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise RagError("This is not a conversation exported from here: export one as JSON and import that file.")
        try:
            return _slim(_adapter().validate_python({key: value for key, value in data.items() if key != "format"}))
        except ValidationError as exc:
            first = exc.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise RagError(f'The conversation cannot be read at "{place}": {first["msg"]}.') from exc

    @classmethod
    def from_json(cls, text: str) -> Conversation:
        """Read an exported file; it gets a new id, so that importing never overwrites.

        Raises:
            RagError: It is no JSON, or not a conversation.
        """
        try:
            data = json.loads(text)
        except ValueError as exc:
            raise RagError(f"This file is not JSON: {exc}. Import one that was exported as JSON here.") from exc
        return replace(cls.from_dict(data), id=new_id())


def verify(conversation: Conversation, source_text: Callable[[str], str]) -> Conversation:
    """Mark the citations whose quote does not stand in the index where they say it does.

    Args:
        conversation: As kept or imported.
        source_text: Gives the text of a source and raises RagError if it is not indexed.
    """
    return replace(conversation, exchanges=tuple(verify_exchange(one, source_text) for one in conversation.exchanges))


def verify_exchange(exchange: Exchange, source_text: Callable[[str], str]) -> Exchange:
    """The same for one exchange."""
    return replace(exchange, forged=_forged(exchange.answer, source_text))


def _forged(answer: Answer | None, source_text: Callable[[str], str]) -> tuple[int, ...]:
    def holds(citation: Citation) -> bool:
        try:
            return source_text(citation.source)[citation.start : citation.end] == citation.quote
        except RagError:
            return False

    return tuple(citation.number for citation in answer.citations if not holds(citation)) if answer else ()


def to_markdown(conversation: Conversation) -> str:
    """The conversation for people: questions, answers, and under each its quotes with author, date and link."""
    lines = [f"# {_one_line(conversation.name)}", ""]
    for one in conversation.exchanges:
        lines += [f"## {_one_line(one.question)}", ""]
        if one.filters:
            lines += [f"*Only {', '.join(filter_labels(one.filters))}.*", ""]
        if one.answer is None:
            lines += [one.problem or "No answer.", ""]
            continue
        lines += [one.answer.text, ""]
        for citation in one.answer.citations:
            passage = citation.passage
            about = ", ".join(part for part in (passage.byline, date_text(passage.posted_at)) if part)
            where = passage.url or passage.source
            unsure = "" if citation.number not in one.forged else " (not found in this index)"
            quote = block_quotation(citation.quote, indent="    ")
            lines += [f"[{citation.number}] {about}, {where}{unsure}", "", quote, ""]
        lines += [f"*{who_answered(one.answer)}; {one.answer.coverage}.*", ""]
    return "\n".join(lines)


def restored(stored: str) -> list[Conversation]:
    """What came out of the browser, as JSON; an entry that cannot be read is dropped, the others stay."""
    try:
        data = json.loads(stored)
    except ValueError:
        return []
    found = []
    for entry in data if isinstance(data, list) else []:
        try:
            found.append(Conversation.from_dict(entry))
        except RagError:
            continue
    return found


def file_name(conversation: Conversation, suffix: str) -> str:
    """A name for the exported file that every system accepts."""
    words = re.sub(r"[^\w-]+", "-", conversation.name.lower(), flags=re.ASCII).strip("-")[:60]
    return f"{words or 'conversation'}.{suffix}"


def _slim(conversation: Conversation) -> Conversation:
    exchanges = (replace(one, answer=_slim_answer(one.answer)) for one in conversation.exchanges)
    return replace(conversation, exchanges=tuple(exchanges))


def _slim_answer(answer: Answer | None) -> Answer | None:
    if answer is None:
        return None
    related = answer.passages[:3] if answer.abstained else ()
    return replace(answer, passages=related, trace={}, checks=())


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Conversation)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shorten(text: str, length: int) -> str:
    text = _one_line(text)
    if len(text) <= length:
        return text
    head = text[: length - 1]
    words = head.rsplit(" ", 1)[0]
    return (words if len(words) > length // 2 else head) + "…"  # a long word is cut, not left out
