"""OpenAI's chat completions over the comments: what their clients send, and what they expect back."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.errors import QuestionError
from rag.records import Answer, Citation, Turn
from ui.endpoints import plain_content
from ui.rendering import plain_answer

OWNER = "commentariat"


class ChatMessage(BaseModel):
    """One message; of several parts the text is taken."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None


class ChatRequest(BaseModel):
    """A chat request; settings of other models are taken and have no effect."""

    model_config = ConfigDict(extra="allow")

    messages: list[ChatMessage] = Field(min_length=1)
    model: str = ""
    stream: bool = False

    def question_and_history(self) -> tuple[str, tuple[Turn, ...]]:
        """The last message, and what was said before it.

        Raises:
            QuestionError: The last message is not the user's.
        """
        said = [
            Turn(one.role, plain_content(one.content)) for one in self.messages if one.role in ("user", "assistant")
        ]
        if not said or said[-1].role != "user":
            raise QuestionError("The last message must be the user's question.")
        return said[-1].content, tuple(said[:-1])


def models(name: str) -> dict[str, Any]:
    """The list of models: who answers here."""
    return {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": OWNER}]}


def completion(answer: Answer, request: ChatRequest) -> dict[str, Any]:
    """A checked answer as a chat completion."""
    text = plain_answer(answer)
    message = {"role": "assistant", "content": text, "refusal": None, "annotations": _annotations(answer, text)}
    return {
        **_head(answer, "chat.completion"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(answer),
        "citations": [_citation(citation) for citation in answer.citations],
        "abstained": answer.abstained,
    }


def completion_events(answer: Answer, request: ChatRequest) -> Iterator[str]:
    """The same as the data of server-sent events: line by line, then the citations, then `[DONE]`."""
    head = _head(answer, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return json.dumps({**head, "choices": [choice], **more}, ensure_ascii=False)

    yield chunk({"role": "assistant", "content": ""})
    text = plain_answer(answer)
    for line in text.splitlines(keepends=True):
        yield chunk({"content": line})
    citations = [_citation(citation) for citation in answer.citations]
    yield chunk({"annotations": _annotations(answer, text)}, "stop", citations=citations, abstained=answer.abstained)
    yield "[DONE]"


def _head(answer: Answer, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": answer.model}


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
        "verdict": citation.verdict,
    }


def _annotations(answer: Answer, text: str) -> list[dict[str, Any]]:
    """OpenAI's annotations for every `[n]` whose comment has a link."""
    found = []
    for citation in answer.citations:
        mark = f"[{citation.number}]"
        place = text.find(mark)
        if citation.passage.url and place >= 0:
            link = {"start_index": place, "end_index": place + len(mark), "url": citation.passage.url}
            found.append({"type": "url_citation", "url_citation": {**link, "title": citation.passage.byline}})
    return found
