"""Plain HTTP beside the page, on the same server: answers, search, comments, health, and OpenAI's chat completions.

A page of another site must not be able to use a server that listens on this machine only: requests that name another host
(DNS rebinding) or come from another origin are refused, and no CORS header is ever sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import BaseRoute, Match

from rag.errors import QuestionError, RagError, StoreError
from rag.records import Answer, Filters, Turn, to_plain
from ui.openai_api import ChatRequest, completion, completion_events, models

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.app import Answerer

log = logging.getLogger(__name__)

PATHS = (
    "/api/answer",
    "/api/search",
    "/api/comments",
    "/api/authors",
    "/api/docs",
    "/healthz",
    "/openapi.json",
    "/v1/",
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
LARGEST = 1_000_000
"""Bytes of a request."""


class Problem(BaseModel):
    """What went wrong, as a sentence."""

    message: str
    field: str | None = None
    """Where in the request, if that is known."""


class Failure(BaseModel):
    """Every error has this shape."""

    error: Problem


class Message(BaseModel):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


class Where(BaseModel):
    """What to search in; empty fields do not restrict."""

    model_config = ConfigDict(extra="forbid")

    authors: list[str] = []
    since: date | datetime | None = None
    until: date | datetime | None = None
    sources: list[str] = []

    def filters(self) -> Filters:
        return Filters(tuple(self.authors), self.since, self.until, tuple(self.sources))


class Ask(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, pattern=r"\S", description="In plain words.")
    history: list[Message] = Field([], description="The conversation so far, oldest first.")
    filters: Where = Where()
    stream: bool = Field(False, description="Server-sent events: partial answers, then the checked one.")


FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": text}
    for status, text in {
        400: "The request is no JSON.",
        403: "Another origin or host.",
        413: "The request is too large.",
        422: "The request is not as described.",
        503: "There is no index, or it cannot be read.",
    }.items()
}


EVENT = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "data": {"type": "string", "description": "JSON"}},
    "required": ["data"],
}
STREAMED: dict[int | str, dict[str, Any]] = {
    **FAILURES,
    200: {"content": {"text/event-stream": {"schema": EVENT}}, "description": "JSON, or events if asked for."},
}


def build_api(answerer: Answerer) -> FastAPI:
    """The HTTP interface to an answerer; `offer` puts it beside a page.

    Args:
        answerer: Answers questions and knows the index.
    """
    api = FastAPI(
        title="commentariat",
        version=version("commentariat"),
        description="Ask questions of forum comments; every citation is an exact span of a real comment.",
        docs_url=None,
        redoc_url=None,
    )
    api.add_exception_handler(RagError, _known_error)
    api.add_exception_handler(RequestValidationError, _invalid_request)
    api.add_exception_handler(StarletteHTTPException, _http_error)
    api.add_exception_handler(Exception, _unknown_error)

    @api.post("/api/answer", responses=STREAMED, summary="Answer a question")
    async def answer(ask: Ask, request: Request) -> Any:
        """The answer with its citations: `source`, `start`, `end` and `quote` of each are an exact span of a source.

        As server-sent events ("partial", then "answer", or "error") if `stream` is true or the request accepts
        `text/event-stream` only. Whoever hangs up stops the model.
        """
        history = tuple(Turn(one.role, one.content) for one in ask.history)
        growing = answerer.stream(ask.question, history=history, filters=ask.filters.filters())
        if ask.stream or request.headers.get("accept", "").startswith("text/event-stream"):
            first = await run_in_threadpool(next, growing)  # what is wrong with the question is told by the status
            return StreamingResponse(_events(first, growing), media_type="text/event-stream")
        last = await run_in_threadpool(_last, growing)
        return JSONResponse(last.to_dict())

    @api.get("/api/search", responses=FAILURES, summary="Find passages")
    def search(
        question: Annotated[str, Query(min_length=1, pattern=r"\S")],
        limit: Annotated[int, Query(ge=1, le=50)] = 5,
        author: Annotated[list[str] | None, Query()] = None,
        since: date | None = None,
        until: date | None = None,
        source: Annotated[list[str] | None, Query()] = None,
    ) -> Any:
        """The stretches of comments that bear on a question, best first."""
        filters = Filters(tuple(author or ()), since, until, tuple(source or ()))
        return JSONResponse({"passages": to_plain(tuple(answerer.search(question, limit, (), filters)))})

    @api.get("/api/comments/{id}", responses={404: {"model": Failure}, **FAILURES}, summary="A comment")
    def comment(id: str) -> Any:
        """A whole comment, and the one it replies to where that is indexed."""
        found = answerer.store.comment(id)
        if found is None:
            raise HTTPException(404, f'No comment "{id}" is indexed.')
        parent = answerer.store.comment(found.parent_id) if found.parent_id else None
        return JSONResponse({"comment": to_plain(found), "parent": to_plain(parent)})

    @api.get("/api/authors", responses=FAILURES, summary="Who is indexed")
    def authors() -> Any:
        """Authors and how many comments each wrote, most first; unnamed ones under their label."""
        return {"authors": [{"author": name, "comments": n} for name, n in answerer.store.info().authors]}

    @api.get("/healthz", responses={503: {"model": Failure}}, summary="Whether questions can be answered")
    def health() -> Any:
        """What is indexed and who answers."""
        info = answerer.store.info()
        return {"status": "ok", "comments": info.comments, "passages": info.passages, "model": answerer.model_name}

    @api.get("/v1/models", summary="Models, as OpenAI lists them")
    def list_models() -> Any:
        """The one model that answers here."""
        return models(answerer.model_name)

    @api.post("/v1/chat/completions", responses=STREAMED, summary="Chat, as with OpenAI")
    async def chat(body: ChatRequest) -> Any:
        """Chat with the comments through any OpenAI client: the last message is the question, those before the conversation.

        Citations are `[n]` in the text with a list of sources below it, `annotations` of the message where a comment has a
        link, and `citations` with exact offsets. Streamed answers are sent once they are checked.
        """
        question, history = body.question_and_history()
        growing = answerer.stream(question, history=history)
        first = await run_in_threadpool(next, growing)
        if body.stream:
            return StreamingResponse(_lines(growing, answerer.model_name, body), media_type="text/event-stream")
        last = await run_in_threadpool(_last, growing, first)
        return JSONResponse(completion(last, body))

    @api.get("/api/docs", response_class=HTMLResponse, include_in_schema=False)
    def docs() -> str:
        return _page(api.openapi())

    return api


def offer(server: Any, answerer: Answerer, *, loopback: bool) -> None:
    """Put the HTTP interface beside a page that runs.

    Args:
        server: The page's Starlette application.
        answerer: Answers questions and knows the index.
        loopback: Whether the server listens on this machine only; then requests must name it.
    """
    server.router.routes.insert(0, _Beside(build_api(answerer), loopback))


class _Beside(BaseRoute):
    """Takes the requests of the HTTP interface; all others go on to the page."""

    def __init__(self, api: ASGIApp, loopback: bool) -> None:
        self._api, self._loopback = api, loopback

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and any(path == p or path.startswith(p.rstrip("/") + "/") for p in PATHS)
        return (Match.FULL, {}) if ours else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(headers, scope["method"])
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._api({**scope, "root_path": "", "app": self._api}, receive, send)

    def _refusal(self, headers: dict[str, str], method: str) -> JSONResponse | None:
        host = headers.get("host", "")
        if self._loopback and _name(host) not in LOOPBACK:
            return _failure(403, f'This server is for this machine only and does not answer as "{host}".')
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return _failure(403, "Pages of other sites may not use this server.")
        length = headers.get("content-length", "")
        if method == "POST" and not length.isdigit():
            return _failure(411, "Say how long the request is (Content-Length).")
        if length.isdigit() and int(length) > LARGEST:
            return _failure(413, f"The request has {int(length):,} bytes; at most {LARGEST:,} are taken.")
        return None


def _name(host: str) -> str:
    """A host without its port."""
    return host[1 : host.index("]")] if host.startswith("[") and "]" in host else host.partition(":")[0]


# --- streams ----------------------------------------------------------------------------------------------------------


def _last(growing: Iterator[Answer], last: Answer | None = None) -> Answer:
    for last in growing:  # noqa: B007
        pass
    assert last is not None
    return last


async def _events(first: Answer, growing: Iterator[Answer]) -> AsyncIterator[str]:
    """An answer that grows, as server-sent events; closing it stops the model."""
    kept: Answer | None = first
    try:
        while kept is not None:
            following = await run_in_threadpool(next, growing, None)
            yield _event("partial" if following is not None else "answer", kept.to_dict())
            kept = following
    except RagError as error:
        yield _event("error", {"message": str(error)})
    finally:
        growing.close()


async def _lines(growing: Iterator[Answer], model: str, body: ChatRequest) -> AsyncIterator[str]:
    try:
        last = await run_in_threadpool(_last, growing)
        for data in completion_events(last, body):
            yield f"data: {data}\n\n"
    except RagError as error:
        yield f"data: {json.dumps({'error': {'message': str(error)}})}\n\n"
    finally:
        growing.close()


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


# --- errors -----------------------------------------------------------------------------------------------------------


def _failure(status: int, message: str, field: str | None = None) -> JSONResponse:
    problem = {"message": message} | ({"field": field} if field else {})
    return JSONResponse({"error": problem}, status_code=status)


def _known_error(request: Request, error: RagError) -> JSONResponse:
    status = 422 if isinstance(error, QuestionError) else 503 if isinstance(error, StoreError) else 500
    return _failure(status, str(error), "question" if isinstance(error, QuestionError) else None)


def _invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place: Sequence[Any] = [part for part in first["loc"] if part not in ("body", "query", "path")]
    field = ".".join(map(str, place))
    status = 400 if first["type"] == "json_invalid" else 422
    return _failure(status, f"{field}: {first['msg']}" if field else first["msg"], field or None)


def _http_error(request: Request, error: StarletteHTTPException) -> JSONResponse:
    failure = _failure(error.status_code, str(error.detail))
    failure.headers.update(error.headers or {})
    return failure


def _unknown_error(request: Request, error: Exception) -> JSONResponse:
    log.error("A request failed", exc_info=error)
    return _failure(500, "Something failed inside; the log of the server has the details.")


# --- documentation ----------------------------------------------------------------------------------------------------


def _page(schema: dict[str, Any]) -> str:
    """The interface on one page that loads nothing: FastAPI's own would come from another host."""
    from html import escape

    rows = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            fields = [f"{p['name']} ({p['in']})" for p in operation.get("parameters", ())]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            model = schema["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {})
            fields += [f"{name} (body)" for name in model.get("properties", {})]
            rows.append(
                f"<section><h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"
                f"<p>{escape(operation.get('description', ''))}</p><p>{escape(', '.join(fields))}</p></section>"
            )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(schema['info']['title'])}</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:48rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}</style>"
        f"<h1>{escape(schema['info']['title'])}</h1><p>{escape(schema['info']['description'])} "
        f'The whole description: <a href="/openapi.json">openapi.json</a></p>{"".join(rows)}</html>'
    )
