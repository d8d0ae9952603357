"""OpenAI's chat completions over the comments: what their clients send, and what they expect back."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.errors import QuestionError
from rag.records import Answer, Citation, Turn
from ui.endpoints import plain_content
from ui.markup import safe_url
from ui.rendering import plain_answer

OWNER = "commentariat"
CHECKED = "\n\n---\n\nThis was written before it was checked. The checked answer:\n\n"
"""Stands between streamed words that the check changed, which no client can take back, and what it made of them."""


class ChatMessage(BaseModel):
    """One message; of several parts the text is taken."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None


class ChatRequest(BaseModel):
    """A chat request; settings of other models are taken and have no effect."""

    model_config = ConfigDict(extra="allow")

    messages: list[ChatMessage] = Field(min_length=1)
    model: str = ""
    stream: bool | None = False

    def question_and_history(self) -> tuple[str, tuple[Turn, ...]]:
        """The user's last message, and what user and assistant said before it; messages of other roles are left out, and
        so is what a streamed answer said before it was checked.

        Raises:
            QuestionError: It is the assistant who spoke last, or nobody did.
        """
        said = [
            Turn(one.role, plain_content(one.content).rpartition(CHECKED)[2])
            for one in self.messages
            if one.role in ("user", "assistant")
        ]
        if not said or said[-1].role != "user":
            raise QuestionError("The last message must be the user's question.")
        return said[-1].content, tuple(said[:-1])


class Model(BaseModel):
    """A model, as OpenAI describes one."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Models(BaseModel):
    """A list of models."""

    object: Literal["list"]
    data: list[Model]


class Choice(BaseModel):
    """What was answered."""

    index: int
    message: dict[str, Any]
    finish_reason: str


class Completion(BaseModel):
    """A chat completion; `citations`, `abstained` and `warnings` are this project's own."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: dict[str, int]
    citations: list[dict[str, Any]]
    abstained: bool
    warnings: list[str]


def models(name: str) -> dict[str, Any]:
    """The list of models: who answers here."""
    return {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": OWNER}]}


def completion(answer: Answer) -> dict[str, Any]:
    """A checked answer as a chat completion."""
    text = plain_answer(answer)
    message = {"role": "assistant", "content": text, "refusal": None, "annotations": _annotations(answer, text)}
    return {
        **_head("chat.completion"),
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(answer),
        **_evidence(answer),
    }


class Chunks:
    """A growing answer as server-sent events of OpenAI's kind, which can only add to what was sent."""

    def __init__(self) -> None:
        self._head = _head("chat.completion.chunk")
        self._sent = ""

    def start(self, answer: Answer) -> str:
        """The first event."""
        return self._event(answer, {"role": "assistant", "content": ""})

    def grow(self, answer: Answer) -> str:
        """What an answer adds; nothing while it says something else than was sent, as when it is written anew."""
        text = answer.text.rstrip()
        if len(text) <= len(self._sent) or not text.startswith(self._sent):
            return ""
        return self._add(answer, text[len(self._sent) :])

    def finish(self, answer: Answer) -> str:
        """The rest of the checked answer, its citations, and the end."""
        text, start = plain_answer(answer), 0
        if not text.startswith(self._sent):
            start = len(self._sent) + len(CHECKED)
            text = self._sent + CHECKED + text
        rest = self._add(answer, text[len(self._sent) :])
        delta = {"annotations": _annotations(answer, text, start)}
        more = {**_evidence(answer), "usage": _usage(answer), "checked": {"start": start, "end": len(text)}}
        return rest + self._event(answer, delta, "stop", **more) + "data: [DONE]\n\n"

    def _add(self, answer: Answer, text: str) -> str:
        self._sent += text
        return self._event(answer, {"content": text}) if text else ""

    def _event(self, answer: Answer, delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _data({**self._head, "model": answer.model, "choices": [choice], **more})


def failure_events(message: str) -> str:
    """A failure in mid-stream, in the shape that OpenAI's clients raise, and the end."""
    error = {"message": message, "type": "server_error", "param": None, "code": None}
    return _data({"error": error}) + "data: [DONE]\n\n"


def _data(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _head(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time())}


def _evidence(answer: Answer) -> dict[str, Any]:
    """What OpenAI has no fields for."""
    citations = [_citation(citation) for citation in answer.citations]
    return {"citations": citations, "abstained": answer.abstained, "warnings": list(answer.warnings)}


def _usage(answer: Answer) -> dict[str, int]:
    """Tokens that the chat model counted, if one answered."""
    counted = [reply["tokens"] for reply in answer.trace.get("replies", ()) if reply.get("tokens")]
    prompt = sum(tokens.get("prompt") or 0 for tokens in counted)
    written = sum(tokens.get("answer") or 0 for tokens in counted)
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def _citation(citation: Citation) -> dict[str, Any]:
    passage = citation.passage
    return {
        "number": citation.number,
        "author": passage.byline,
        "posted_at": passage.posted_at.isoformat() if passage.posted_at else None,
        "url": passage.url,
        "comment_id": passage.comment_id,
        "quote": citation.quote,
        "source": citation.source,
        "start": citation.start,
        "end": citation.end,
        "more": [asdict(span) for span in citation.more],
        "verdict": citation.verdict,
    }


def _annotations(answer: Answer, text: str, start: int = 0) -> list[dict[str, Any]]:
    """OpenAI's annotation for each citation whose comment has a link: where its `[n]` first stands in the checked text."""
    found = []
    for citation in answer.citations:
        mark = f"[{citation.number}]"
        place, url = text.find(mark, start), safe_url(citation.passage.url)
        if url and place >= 0:
            link = {"start_index": place, "end_index": place + len(mark), "url": url}
            found.append({"type": "url_citation", "url_citation": {**link, "title": citation.passage.byline}})
    return found
