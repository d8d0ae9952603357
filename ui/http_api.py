"""Plain HTTP beside the page, on the same server: answers, search, comments, health, and OpenAI's chat completions."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

from rag.errors import ModelError, QuestionError, RagError
from rag.records import Turn, to_plain
from ui.http_guard import Beside, ThisMachineOnly
from ui.http_schemas import (
    EVENTS,
    MISSING,
    Answered,
    Ask,
    Authors,
    Health,
    InContext,
    Passages,
    Search,
    failure,
    told,
)
from ui.http_streaming import INSIDE, chunks_of, event, events, streamed, whole
from ui.openai_api import ChatRequest, Completion, Model, Models, completion, failure_events, models

if TYPE_CHECKING:
    from ui.app import Answerer

log = logging.getLogger(__name__)

NO_JSON = "The body is no JSON in UTF-8."
NO_OBJECT = 'The body must be a JSON object, sent with the header "content-type: application/json".'


def beside(answerer: Answerer, *, loopback: bool) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """A lifespan for the page's server, which puts the HTTP interface beside the page before the first request is taken.

    Args:
        answerer: Answers questions and knows the index.
        loopback: Whether the server listens on this machine only; then it answers no other.
    """

    @asynccontextmanager
    async def running(server: Any) -> AsyncIterator[None]:
        server.router.routes.insert(0, Beside(build_api(answerer)))
        if loopback:
            # Gradio puts its CORS middleware, which answers preflights itself, outside of any that it is given.
            server.middleware_stack = ThisMachineOnly(server.middleware_stack)
        if tools := server.get_blocks().mcp_server_obj:
            from ui.agent_tools import give_structured_results

            give_structured_results(tools.mcp_server, answerer)
        yield

    return running


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
    @api.post("/api/answer", responses=told(Answered, EVENTS), summary="Answer a question")
    async def answer(ask: Ask, request: Request) -> Any:
        """The answer with its citations: `source`, `start`, `end` and `quote` of each are an exact span of a source.

        As server-sent events ("partial" ones, then "answer", or "error") if `stream` is true or the request accepts
        `text/event-stream` only. Whoever hangs up stops the model.
        """
        history = tuple(Turn(one.role, one.content) for one in ask.history)
        growing = answerer.stream(ask.question, history=history, filters=ask.filters.filters())
        if ask.stream or request.headers.get("accept", "").startswith("text/event-stream"):
            return await streamed(request, growing, events, lambda message: event("error", {"message": message}))
        return JSONResponse((await whole(request, growing)).to_dict())

    @api.get("/api/search", responses=told(Passages), summary="Find passages")
    def search(asked: Annotated[Search, Query()]) -> Any:
        """The stretches of comments that bear on a question, best first."""
        return JSONResponse({"passages": to_plain(answerer.search(asked.question, asked.limit, (), asked.filters()))})


def _offer_comments(api: FastAPI, answerer: Answerer) -> None:
    @api.get("/api/comments/{id:path}", responses=told(InContext, MISSING), summary="A comment")
    def comment(id: str) -> Any:
        """A whole comment, and the one it replies to where that is indexed."""
        found = answerer.store.comment(id)
        if found is None:
            raise HTTPException(404, f'No comment "{id}" is indexed.')
        parent = answerer.store.comment(found.parent_id) if found.parent_id else None
        return JSONResponse({"comment": to_plain(found), "parent": to_plain(parent)})

    @api.get("/api/authors", responses=told(Authors), summary="Who is indexed")
    def authors() -> Any:
        """Authors and how many comments each wrote, most first; unnamed ones under their label."""
        return {"authors": [{"author": name, "comments": n} for name, n in answerer.store.info().authors]}

    @api.get("/healthz", responses=told(Health), summary="Whether questions can be answered")
    def health() -> Any:
        """What is indexed and who answers."""
        info = answerer.store.info()
        return {"status": "ok", "comments": info.comments, "passages": info.passages, "model": answerer.model_name}


def _offer_openai(api: FastAPI, answerer: Answerer) -> None:
    @api.get("/v1/models", responses=told(Models), summary="Models, as OpenAI lists them")
    def list_models() -> Any:
        """The one model that answers here."""
        return models(answerer.model_name)

    @api.get("/v1/models/{id:path}", responses=told(Model, MISSING), summary="One of them")
    def model(id: str) -> Any:
        """The model that answers here, by its name."""
        if id != answerer.model_name:
            raise HTTPException(404, f'No model "{id}" answers here, but "{answerer.model_name}".')
        return models(id)["data"][0]

    @api.post("/v1/chat/completions", responses=told(Completion, EVENTS), summary="Chat, as with OpenAI")
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
            return await streamed(request, growing, chunks_of, failure_events)
        return JSONResponse(completion(await whole(request, growing)))


# --- errors -----------------------------------------------------------------------------------------------------------


def _tell_errors(api: FastAPI) -> None:
    api.add_exception_handler(RagError, _known_error)
    api.add_exception_handler(RequestValidationError, _invalid_request)
    api.add_exception_handler(StarletteHTTPException, _http_error)
    api.add_exception_handler(ClientDisconnect, _hung_up)
    api.add_exception_handler(Exception, _unknown_error)


def _known_error(request: Request, error: RagError) -> JSONResponse:
    status = 422 if isinstance(error, QuestionError) else 502 if isinstance(error, ModelError) else 503
    return failure(status, str(error), "question" if isinstance(error, QuestionError) else None)


def _invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return failure(400, f"{NO_JSON[:-1]} ({first['ctx']['error']}, at character {first['loc'][-1]}).")
    field = ".".join(map(str, first["loc"][1:]))
    return failure(422, f"{field}: {first['msg']}", field) if field else failure(422, NO_OBJECT)


def _http_error(request: Request, error: StarletteHTTPException) -> JSONResponse:
    response = failure(error.status_code, NO_JSON if error.status_code == 400 else str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _hung_up(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=499)  # nobody reads it


def _unknown_error(request: Request, error: Exception) -> JSONResponse:
    log.error("A request failed", exc_info=error)
    return failure(500, INSIDE)


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
