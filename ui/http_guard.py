"""Who may use the server, and which of its requests are for the HTTP interface.

A page of another site must not be able to use a server that listens on this machine only: whatever the path, requests that
name another host (DNS rebinding) or come from another origin are refused, and get no CORS header.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match

from ui.http_schemas import failure

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

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


class ThisMachineOnly:
    """Stands before everything: the page, its files and sockets, Gradio's API and the tools for agents."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            refusal = _other_host(headers) or _other_origin(headers)
        await (refusal or self._app)(scope, receive, send)


class Beside(BaseRoute):
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
        # As HTTP wants it, what can be got has a head, too; the server leaves the body out.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._api({**scope, "method": method, "root_path": "", "app": self._api}, receive, send)


def _other_host(headers: Headers) -> JSONResponse | None:
    host = headers.get("host", "")
    if is_loopback(host):
        return None
    return failure(403, f'This server is for this machine only and does not answer as "{host}".')


def _other_origin(headers: Headers) -> JSONResponse | None:
    origin = headers.get("origin")
    if origin is None or origin.partition("://")[2] == headers.get("host", ""):
        return None
    return failure(403, "Pages of other sites may not use this server.")


def _wrong_length(headers: Headers, method: str) -> JSONResponse | None:
    length = headers.get("content-length", "")
    if method == "POST" and not length.isdigit():
        return failure(411, "Say how long the request is (Content-Length).")
    if length.isdigit() and int(length) > LARGEST:
        return failure(413, f"The request has {int(length):,} bytes; at most {LARGEST:,} are taken.")
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
