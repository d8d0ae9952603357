"""Answers that grow, over HTTP: whole at the end, or as server-sent events while they are made. Whoever hangs up stops the model."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from rag.errors import RagError
from rag.records import Answer
from ui.openai_api import Chunks

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

INSIDE = "Something failed inside; the log of the server has the details."


async def _steps(request: Request, growing: Iterator[Answer]) -> AsyncIterator[Answer]:
    """Longer and longer answers, each made off the event loop and only if somebody still waits for it.

    Raises:
        ClientDisconnect: Whoever asked has hung up.
    """
    while not await request.is_disconnected():
        longer = await run_in_threadpool(next, growing, None)
        if longer is None:
            return
        yield longer
    raise ClientDisconnect


def stop(growing: Any) -> None:
    """Close a growing answer, wherever it is: that stops the model."""
    # A step that still runs, as when the server shuts down, lets go of the generator at its end, and that closes it too.
    with suppress(ValueError):
        growing.close()


async def whole(request: Request, growing: Iterator[Answer]) -> Answer:
    """The last of the answers.

    Raises:
        ClientDisconnect: Whoever asked has hung up.
    """
    last = None
    try:
        async for last in _steps(request, growing):  # noqa: B007
            pass
        assert last is not None
        return last
    finally:
        stop(growing)


class _Streaming(StreamingResponse):
    """Server-sent events; however they end, the model is stopped."""

    def __init__(self, lines: AsyncIterator[str], growing: Iterator[Answer]) -> None:
        super().__init__(lines, media_type="text/event-stream", headers={"cache-control": "no-cache"})
        self._growing = growing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            stop(self._growing)


async def streamed(
    request: Request,
    growing: Iterator[Answer],
    write: Callable[[Answer, AsyncIterator[Answer]], AsyncIterator[str]],
    tell: Callable[[str], str],
) -> Response:
    """A growing answer as a stream; what is wrong with the question is still told by the status."""
    steps = _steps(request, growing)
    first = await anext(steps)
    return _Streaming(_with_failures(write(first, steps), tell), growing)


async def _with_failures(lines: AsyncIterator[str], tell: Callable[[str], str]) -> AsyncIterator[str]:
    """The status is sent by now, so a failure is told in the stream."""
    try:
        async for line in lines:
            yield line
    except ClientDisconnect:
        return
    except RagError as error:
        yield tell(str(error))
    except Exception:
        log.exception("An answer failed in the middle")
        yield tell(INSIDE)


async def events(first: Answer, longer: AsyncIterator[Answer]) -> AsyncIterator[str]:
    """Events of our own: "partial" answers, then "answer"."""
    # That an answer is the last shows only later, and no word shall wait for the next: so the last one is sent twice.
    last = first
    yield event("partial", first.to_dict())
    async for last in longer:
        yield event("partial", last.to_dict())
    yield event("answer", last.to_dict())


async def chunks_of(first: Answer, longer: AsyncIterator[Answer]) -> AsyncIterator[str]:
    """Chunks as OpenAI streams them."""
    chunks, last = Chunks(), first
    yield chunks.start(first)
    async for last in longer:
        if added := chunks.grow(last):
            yield added
    yield chunks.finish(last)


def event(name: str, data: dict[str, Any]) -> str:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
