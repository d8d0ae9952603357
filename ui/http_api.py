"""Plain HTTP beside the page, on the same server: answers, search, comments, health, and OpenAI's chat completions.

A page of another site must not be able to use a server that listens on this machine only: whatever the path, requests that
name another host (DNS rebinding) or come from another origin are refused, and get no CORS header.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import date, datetime
from importlib.metadata import version
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match

from rag.errors import ModelError, QuestionError, RagError
from rag.records import Answer, Citation, Comment, Filters, Passage, Turn, to_plain
from ui.openai_api import ChatRequest, Chunks, Completion, Models, completion, failure_events, models

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
LARGEST = 1_000_000
"""Bytes of a request."""
INSIDE = "Something failed inside; the log of the server has the details."


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


def _kind(value: Any) -> str:
    return "date" if len(str(value)) == len("2024-05-01") else "datetime"


# Left to itself pydantic reads midnight as the whole day, and forgets its time zone.
When = Annotated[Annotated[date, Tag("date")] | Annotated[datetime, Tag("datetime")], Discriminator(_kind)]


class Where(BaseModel):
    """What to search in; empty fields do not restrict."""

    model_config = ConfigDict(extra="forbid")

    authors: list[str] = []
    since: When | None = None
    until: When | None = None
    sources: list[str] = []

    def filters(self) -> Filters:
        return _filters(self.authors, self.since, self.until, self.sources)


class Ask(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, pattern=r"\S", description="In plain words.")
    history: list[Message] = Field([], description="The conversation so far, oldest first.")
    filters: Where = Where()
    stream: bool = Field(False, description="Server-sent events: partial answers, then the checked one.")


class Answered(BaseModel):
    """An answer; there is more in it than is described here."""

    question: str
    text: str = Field(description="With `[n]` where a citation belongs.")
    citations: list[Citation]
    passages: list[Passage]
    abstained: bool
    model: str = Field(description='Who wrote it: "evidence" if it is made of quotes.')
    coverage: str
    warnings: list[str]
    suggestions: list[str]


class Passages(BaseModel):
    """What a search found."""

    passages: list[Passage]


class InContext(BaseModel):
    """A comment and the one it replies to."""

    comment: Comment
    parent: Comment | None


class Author(BaseModel):
    """Somebody who is indexed."""

    author: str
    comments: int


class Authors(BaseModel):
    """Everybody who is indexed."""

    authors: list[Author]


class Health(BaseModel):
    """What is indexed, and who answers."""

    status: Literal["ok"]
    comments: int
    passages: int
    model: str


FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": text}
    for status, text in {
        400: "The request is no JSON.",
        403: "Another origin or host.",
        411: "A request with a body does not say how long it is.",
        413: "The request is too large.",
        422: "The request is not as described, or no comment can match it.",
        500: "A defect; the log of the server has the details.",
        502: "The chat model cannot be set up. One that merely fails is replaced by quotes.",
        503: "There is no index, or it cannot be read.",
    }.items()
}
MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "There is none of that name."}}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON, or events if asked for.",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "properties": {"event": {"type": "string"}, "data": {"type": "string", "description": "JSON"}},
                    "required": ["data"],
                }
            }
        },
    }
}


def _told(model: type[BaseModel], *more: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """What a route answers, for its description."""
    told: dict[int | str, dict[str, Any]] = {**FAILURES, 200: {}}
    for part in more:
        told |= part
    told[200] = {**told[200], "model": model}
    return told


def build_api(answerer: Answerer) -> FastAPI:
    """The HTTP interface to an answerer; `beside` puts it beside a page.

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
    _tell_errors(api)
    _offer_answers(api, answerer)
    _offer_comments(api, answerer)
    _offer_openai(api, answerer)

    @api.get("/api/docs", response_class=HTMLResponse, include_in_schema=False)
    def docs() -> str:
        return _page(api.openapi())

    return api


def _offer_answers(api: FastAPI, answerer: Answerer) -> None:
    @api.post("/api/answer", responses=_told(Answered, EVENTS), summary="Answer a question")
    async def answer(ask: Ask, request: Request) -> Any:
        """The answer with its citations: `source`, `start`, `end` and `quote` of each are an exact span of a source.

        As server-sent events ("partial" ones, then "answer", or "error") if `stream` is true or the request accepts
        `text/event-stream` only. Whoever hangs up stops the model.
        """
        history = tuple(Turn(one.role, one.content) for one in ask.history)
        growing = answerer.stream(ask.question, history=history, filters=ask.filters.filters())
        if ask.stream or request.headers.get("accept", "").startswith("text/event-stream"):
            return await _streamed(request, growing, _events, lambda message: _event("error", {"message": message}))
        return JSONResponse((await _whole(request, growing)).to_dict())

    @api.get("/api/search", responses=_told(Passages), summary="Find passages")
    def search(
        question: Annotated[str, Query(min_length=1, pattern=r"\S")],
        limit: Annotated[int, Query(ge=1, le=50)] = 5,
        author: Annotated[list[str] | None, Query()] = None,
        since: date | None = None,
        until: date | None = None,
        source: Annotated[list[str] | None, Query()] = None,
    ) -> Any:
        """The stretches of comments that bear on a question, best first."""
        filters = _filters(author or (), since, until, source or ())
        return JSONResponse({"passages": to_plain(tuple(answerer.search(question, limit, (), filters)))})


def _offer_comments(api: FastAPI, answerer: Answerer) -> None:
    @api.get("/api/comments/{id:path}", responses=_told(InContext, MISSING), summary="A comment")
    def comment(id: str) -> Any:
        """A whole comment, and the one it replies to where that is indexed."""
        found = answerer.store.comment(id)
        if found is None:
            raise HTTPException(404, f'No comment "{id}" is indexed.')
        parent = answerer.store.comment(found.parent_id) if found.parent_id else None
        return JSONResponse({"comment": to_plain(found), "parent": to_plain(parent)})

    @api.get("/api/authors", responses=_told(Authors), summary="Who is indexed")
    def authors() -> Any:
        """Authors and how many comments each wrote, most first; unnamed ones under their label."""
        return {"authors": [{"author": name, "comments": n} for name, n in answerer.store.info().authors]}

    @api.get("/healthz", responses=_told(Health), summary="Whether questions can be answered")
    def health() -> Any:
        """What is indexed and who answers."""
        info = answerer.store.info()
        return {"status": "ok", "comments": info.comments, "passages": info.passages, "model": answerer.model_name}


def _offer_openai(api: FastAPI, answerer: Answerer) -> None:
    @api.get("/v1/models", responses=_told(Models), summary="Models, as OpenAI lists them")
    def list_models() -> Any:
        """The one model that answers here."""
        return models(answerer.model_name)

    @api.post("/v1/chat/completions", responses=_told(Completion, EVENTS), summary="Chat, as with OpenAI")
    async def chat(body: ChatRequest, request: Request) -> Any:
        """Chat with the comments through any OpenAI client: the last message is the question, those before the conversation.

        Citations are `[n]` in the text with a list of sources below it, `annotations` of the message where a comment has a
        link, and `citations` with exact offsets. With `stream` words come as they are written, before they are checked;
        if the check changes them, the checked answer follows below a line, and `start` of the last chunk's `checked` says
        where.
        """
        question, history = body.question_and_history()
        growing = answerer.stream(question, history=history)
        if body.stream:
            return await _streamed(request, growing, _chunks, failure_events)
        return JSONResponse(completion(await _whole(request, growing)))


# --- who may ask ------------------------------------------------------------------------------------------------------


def beside(answerer: Answerer, *, loopback: bool) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """A lifespan for the page's server, which puts the HTTP interface beside the page before the first request is taken.

    Args:
        answerer: Answers questions and knows the index.
        loopback: Whether the server listens on this machine only; then it answers no other.
    """

    @asynccontextmanager
    async def running(server: Any) -> AsyncIterator[None]:
        server.router.routes.insert(0, _Beside(build_api(answerer)))
        if loopback:
            # Gradio puts its CORS middleware, which answers preflights itself, outside of any that it is given.
            server.middleware_stack = _ThisMachineOnly(server.middleware_stack)
        yield

    return running


class _ThisMachineOnly:
    """Stands before everything: the page, its files and sockets, Gradio's API and the tools for agents."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            refusal = _other_host(headers) or _other_origin(headers)
        await (refusal or self._app)(scope, receive, send)


class _Beside(BaseRoute):
    """Takes the requests of the HTTP interface; all others go on to the page."""

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and any(path == p or path.startswith(p.rstrip("/") + "/") for p in PATHS)
        return (Match.FULL, {}) if ours else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = _other_origin(headers) or _wrong_length(headers, scope["method"])
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._api({**scope, "root_path": "", "app": self._api}, receive, send)


def _other_host(headers: Headers) -> JSONResponse | None:
    host = headers.get("host", "")
    if is_loopback(host):
        return None
    return _failure(403, f'This server is for this machine only and does not answer as "{host}".')


def _other_origin(headers: Headers) -> JSONResponse | None:
    origin = headers.get("origin")
    if origin is None or origin.partition("://")[2] == headers.get("host", ""):
        return None
    return _failure(403, "Pages of other sites may not use this server.")


def _wrong_length(headers: Headers, method: str) -> JSONResponse | None:
    length = headers.get("content-length", "")
    if method == "POST" and not length.isdigit():
        return _failure(411, "Say how long the request is (Content-Length).")
    if length.isdigit() and int(length) > LARGEST:
        return _failure(413, f"The request has {int(length):,} bytes; at most {LARGEST:,} are taken.")
    return None


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this very machine."""
    name = _name(host).lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _name(host: str) -> str:
    """A host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host if host.count(":") > 1 else host.partition(":")[0]


# --- answers that grow ------------------------------------------------------------------------------------------------


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


def _stop(growing: Any) -> None:
    # A step that still runs, as when the server shuts down, lets go of the generator at its end, and that closes it too.
    with suppress(ValueError):
        growing.close()


async def _whole(request: Request, growing: Iterator[Answer]) -> Answer:
    last = None
    try:
        async for last in _steps(request, growing):  # noqa: B007
            pass
        assert last is not None
        return last
    finally:
        _stop(growing)


class _Streaming(StreamingResponse):
    """Server-sent events; however they end, the model is stopped."""

    def __init__(self, lines: AsyncIterator[str], growing: Iterator[Answer]) -> None:
        super().__init__(lines, media_type="text/event-stream", headers={"cache-control": "no-cache"})
        self._growing = growing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            _stop(self._growing)


async def _streamed(
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


async def _events(first: Answer, longer: AsyncIterator[Answer]) -> AsyncIterator[str]:
    # That an answer is the last shows only later, and no word shall wait for the next: so the last one is sent twice.
    last = first
    yield _event("partial", first.to_dict())
    async for last in longer:
        yield _event("partial", last.to_dict())
    yield _event("answer", last.to_dict())


async def _chunks(first: Answer, longer: AsyncIterator[Answer]) -> AsyncIterator[str]:
    chunks, last = Chunks(), first
    yield chunks.start(first)
    async for last in longer:
        if added := chunks.grow(last):
            yield added
    yield chunks.finish(last)


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


# --- requests ---------------------------------------------------------------------------------------------------------


def _filters(
    authors: Sequence[str], since: date | datetime | None, until: date | datetime | None, sources: Sequence[str]
) -> Filters:
    try:
        filters = Filters(tuple(authors), since, until, tuple(sources))
    except OverflowError:
        raise HTTPException(422, "since or until is outside of the years that a calendar has.") from None
    if filters.since and filters.until and filters.since > filters.until:
        raise HTTPException(422, f"since ({since}) is after until ({until}), so no comment can match.")
    return filters


# --- errors -----------------------------------------------------------------------------------------------------------


def _failure(status: int, message: str, field: str | None = None) -> JSONResponse:
    problem = {"message": message} | ({"field": field} if field else {})
    return JSONResponse({"error": problem}, status_code=status)


def _tell_errors(api: FastAPI) -> None:
    api.add_exception_handler(RagError, _known_error)
    api.add_exception_handler(RequestValidationError, _invalid_request)
    api.add_exception_handler(StarletteHTTPException, _http_error)
    api.add_exception_handler(ClientDisconnect, _hung_up)
    api.add_exception_handler(Exception, _unknown_error)


def _known_error(request: Request, error: RagError) -> JSONResponse:
    status = 422 if isinstance(error, QuestionError) else 502 if isinstance(error, ModelError) else 503
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


def _hung_up(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=499)  # nobody reads it


def _unknown_error(request: Request, error: Exception) -> JSONResponse:
    log.error("A request failed", exc_info=error)
    return _failure(500, INSIDE)


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
