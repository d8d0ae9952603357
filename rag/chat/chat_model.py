"""Chat models from settings, streaming: the only module that imports langchain's chat models.

A model is anything with a name that streams a reply to messages. Every failure of a provider becomes one of ours,
thinking is taken out of replies, and nothing is imported or contacted before a model is asked for.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from rag.chat.prompts import Message
from rag.chat.tokens import answer_tokens
from rag.errors import (
    ModelError,
    ModelMissing,
    ModelRefused,
    ModelReplyError,
    ModelUnavailable,
    PromptTooLong,
    RagError,
    SettingsError,
)
from rag.records import EVIDENCE
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"
GOOGLE_URL = "https://generativelanguage.googleapis.com"

THINKING_TOKENS = 4096
"""Further tokens for models known to think before they answer: their thinking counts as output."""

PROBE_SECONDS = 0.5
"""How long a local Ollama may take to say which models it has."""

LONGEST_PAUSE = 20.0
"""A server that asks for a longer pause than this counts as unavailable."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider needs, and what to call it in messages."""

    title: str
    extra: str
    package: str
    key: str | None = None
    """The variable its key is in."""
    default: str = ""
    """Model taken when only a key is given."""


PROVIDERS = {
    "openai": Provider("OpenAI", "openai", "langchain_openai", "OPENAI_API_KEY", "gpt-5.4-mini"),
    "anthropic": Provider("Anthropic", "anthropic", "langchain_anthropic", "ANTHROPIC_API_KEY", "claude-haiku-5-5"),
    "google": Provider("Google", "google", "langchain_google_genai", "GOOGLE_API_KEY", "gemini-flash-latest"),
    "ollama": Provider("Ollama", "ollama", "langchain_ollama"),
    "llamacpp": Provider("llama.cpp", "local", "xllamacpp"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Who answers."""

    provider: str
    model: str = ""
    missing: str = ""
    """Where `auto` comes to no model: what of one is there, and what it takes to use it."""

    @property
    def name(self) -> str:
        """As in the settings; a file without its folders."""
        if self.provider == EVIDENCE:
            return EVIDENCE
        model = Path(self.model).name if self.provider == "llamacpp" else self.model
        return f"{self.provider}:{model}" if model else self.provider


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as counted by the provider."""

    prompt: int
    answer: int


Finish = Literal["complete", "length", "filtered", "unknown"]


class Reply(Iterator[str]):
    """The text of a reply, in pieces; the attributes are final once it is exhausted.

    Attributes:
        usage: Tokens, where the provider tells them.
        finish: Why it ended: "length" if cut at the answer's limit, "filtered" if the provider withheld the rest.
        tries: Requests that were made.
        restarts: How often all before turned out to be thinking: what was received until then must be forgotten.
    """

    def __init__(self, texts: Callable[[Reply], Iterator[str]]) -> None:
        self.usage: Usage | None = None
        self.finish: Finish = "unknown"
        self.tries = 0
        self.restarts = 0
        self._texts = texts(self)

    def __iter__(self) -> Reply:
        return self

    def __next__(self) -> str:
        return next(self._texts)

    def close(self) -> None:
        """Stop: the connection is closed, and the server stops writing."""
        close = getattr(self._texts, "close", None)
        if close:
            close()


class ChatModel(Protocol):
    """What an answer needs of a model."""

    name: str
    """As in the settings, such as "openai:gpt-5.4-mini"."""

    @property
    def context_tokens(self) -> int | None:
        """The model's window where it is known, else None."""

    def stream(self, messages: Sequence[Message]) -> Reply:
        """Start a reply.

        Raises:
            ModelError: While iterating.
        """


def complete(model: ChatModel, messages: Sequence[Message]) -> str:
    """A whole reply at once.

    Raises:
        ModelError: The model failed.
    """
    return whole(model.stream(messages))


def whole(reply: Reply) -> str:
    """What is left of a reply, in one piece.

    Raises:
        ModelError: The model failed.
    """
    pieces: list[str] = []
    restarts = 0
    with closing(reply):
        for piece in reply:
            if reply.restarts > restarts:
                pieces, restarts = [], reply.restarts
            pieces.append(piece)
    return "".join(pieces)


def load_chat_model(settings: Settings, pause: Callable[[float], None] = time.sleep) -> ChatModel | None:
    """The model that the settings ask for; None for answers without one.

    Args:
        settings: `llm` and what belongs to it.
        pause: Waits some seconds between tries.

    Raises:
        SettingsError: `llm` cannot be read.
        ModelMissing: The provider's package, or the file of a local model, is not there.
        ModelRefused: The provider needs a key and has none.
    """
    choice = choose(settings)
    if choice.provider == EVIDENCE:
        return None
    provider = PROVIDERS[choice.provider]
    if not find_spec(provider.package):
        raise ModelMissing(
            f'{provider.title} needs a package that is not installed: pip install "commentariat[{provider.extra}]"'
        )
    key = _key(settings, choice.provider)
    if provider.key and not key and not settings.llm_base_url:
        raise ModelRefused(
            f"{choice.name} needs a key: set {provider.key}, or COMMENTARIAT_LLM=evidence to answer without a model."
        )
    setup = _BUILDERS[choice.provider](settings, choice.model)
    return LangChainModel(
        choice.name,
        setup.build,
        retries=settings.llm_retries,
        context_tokens=setup.context_tokens,
        server=setup.server,
        faults=Faults(choice, settings.llm_base_url, settings.llm_timeout, key),
        pause=pause,
    )


def choose(settings: Settings) -> Choice:
    """Read `llm`; for "auto" look for a server's URL, a key, or a local Ollama.

    Raises:
        SettingsError: `llm` is none of those known.
        ModelUnavailable: `llm_base_url` is set without a model, and the server does not say which it has.
    """
    if settings.llm == "auto":
        return _automatic(settings)
    if settings.llm == EVIDENCE:
        return Choice(EVIDENCE)
    provider, _, model = settings.llm.partition(":")
    if provider not in PROVIDERS or not model:
        names = ", ".join(f"{name}:<model>" for name in PROVIDERS if name != "llamacpp")
        raise SettingsError(
            f'llm is "{settings.llm}"; it can be auto, evidence, {names} or llamacpp:/path/to/model.gguf. '
            "Set COMMENTARIAT_LLM to one of them."
        )
    return Choice(provider, model)


def missing(settings: Settings) -> str:
    """Why answers are quotes though a key is set or Ollama runs, with the way out; empty where that is not so."""
    try:
        return choose(settings).missing
    except RagError:
        return ""


def _automatic(settings: Settings) -> Choice:
    if settings.llm_base_url:
        model = _first_served(settings)
        return Choice("openai", model)
    unusable: list[str] = []
    for name in ("openai", "anthropic", "google"):
        provider = PROVIDERS[name]
        if not _key(settings, name):
            continue
        if find_spec(provider.package):
            return Choice(name, provider.default)
        unusable.append(f'{provider.key} is set, but using it takes pip install "commentariat[{provider.extra}]".')
    if is_loopback(settings.ollama_url) and (model := _ollama_model(settings.ollama_url)):
        if find_spec(PROVIDERS["ollama"].package):
            return Choice("ollama", model)
        unusable.append('Ollama is running, but using it takes pip install "commentariat[ollama]".')
    return Choice(EVIDENCE, missing=" ".join(unusable))


def _key(settings: Settings, provider: str) -> str | None:
    secret = getattr(settings, f"{provider}_api_key", None)
    return secret.get_secret_value().strip() or None if secret else None


def _host(url: str) -> str:
    """Host and port of a URL, without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def is_loopback(url: str) -> bool:
    """Whether a URL points at this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# -- asking local servers what they have ---------------------------------------------------------------------------


def _ollama_model(url: str) -> str | None:
    """The first chat model that Ollama lists: the one last changed."""
    listed = _get_json(f"{url.rstrip('/')}/api/tags", PROBE_SECONDS)
    for model in (listed or {}).get("models", []):
        families = " ".join(filter(None, [model["name"], (model.get("details") or {}).get("family")])).lower()
        if not re.search(r"embed|bert|minilm|\bbge\b|rerank", families):
            return str(model["name"])
    return None


def _ollama_context(url: str, model: str, wanted: int) -> int:
    """Ollama cuts a prompt silently where the model's window ends, so the smaller of both is what counts."""
    facts = (_get_json(f"{url.rstrip('/')}/api/show", 5.0, {"model": model}) or {}).get("model_info") or {}
    own = [size for name, size in facts.items() if name.endswith(".context_length") and isinstance(size, int)]
    return min([wanted, *own])


def _first_served(settings: Settings) -> str:
    url = str(settings.llm_base_url)
    listed = _get_json(f"{url.rstrip('/')}/models", 5.0, key=_key(settings, "openai"))
    models = (listed or {}).get("data") or []
    if not models:
        raise ModelUnavailable(
            f"The server at {_host(url)} does not say which models it has. Start it, or name one: "
            "COMMENTARIAT_LLM=openai:<model>, or unset COMMENTARIAT_LLM_BASE_URL."
        )
    return str(models[0]["id"])


def _get_json(url: str, timeout: float, body: Any = None, key: str | None = None) -> Any:
    """What a server says, or None where it says nothing usable. Loopback goes past any proxy."""
    import httpx

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    method = "GET" if body is None else "POST"
    try:
        # Unlike urllib, httpx takes the key off a request that is redirected to another host.
        with httpx.Client(trust_env=not is_loopback(url), timeout=timeout, follow_redirects=True) as client:
            return client.request(method, url, json=body, headers=headers).raise_for_status().json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None


# -- one builder per provider --------------------------------------------------------------------------------------

Build = Callable[[frozenset[str]], "BaseChatModel"]
"""Makes the langchain model, leaving out parameters that the server has refused."""


@dataclass(frozen=True)
class Setup:
    """What a provider's builder found out."""

    build: Build
    context_tokens: int | None = None
    server: LocalServer | None = None
    """Runs for as long as somebody holds it."""


def _openai(settings: Settings, model: str) -> Setup:
    return Setup(_openai_build(settings, model, settings.llm_base_url, _key(settings, "openai")))


def _openai_build(settings: Settings, model: str, base_url: str | None, key: str | None, **options: Any) -> Build:
    def build(refused: frozenset[str]) -> BaseChatModel:
        from langchain_openai import ChatOpenAI
        from langchain_openai.chat_models.base import BaseChatOpenAI

        url = base_url or OPENAI_URL
        if is_loopback(url):
            from httpx import Client

            options["http_client"] = Client(trust_env=False, timeout=settings.llm_timeout)
        # ChatOpenAI sends max_completion_tokens, which older compatible servers ignore and then write on for ever;
        # the base class sends max_tokens, which newer models refuse, naming the other.
        kind = BaseChatOpenAI if base_url and "max_completion_tokens" not in refused else ChatOpenAI
        return kind(
            model=model,
            base_url=url,
            api_key=key or "none",
            timeout=settings.llm_timeout,
            max_retries=0,
            stream_usage="stream_options" not in refused,
            **_sampling(settings, refused, thinks=not base_url and _thinks("openai", model)),
            **options,
        )

    return build


def _anthropic(settings: Settings, model: str) -> Setup:
    def build(refused: frozenset[str]) -> BaseChatModel:
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(
            model=model,
            base_url=settings.llm_base_url or ANTHROPIC_URL,
            api_key=_key(settings, "anthropic") or "none",
            timeout=settings.llm_timeout,
            max_retries=0,
            **_sampling(settings, refused, thinks=_thinks("anthropic", model)),
        )

    return Setup(build)


def _google(settings: Settings, model: str) -> Setup:
    def build(refused: frozenset[str]) -> BaseChatModel:
        from langchain_google_genai import ChatGoogleGenerativeAI

        return ChatGoogleGenerativeAI(
            model=model,
            base_url=settings.llm_base_url or GOOGLE_URL,
            api_key=_key(settings, "google") or "none",
            vertexai=False,
            timeout=settings.llm_timeout,
            max_retries=1,  # the SDK counts attempts, not retries
            **_sampling(settings, refused, "max_output_tokens", thinks=_thinks("google", model)),
        )

    return Setup(build)


def _ollama(settings: Settings, model: str) -> Setup:
    context = _ollama_context(settings.ollama_url, model, settings.llm_context_tokens)

    def build(refused: frozenset[str]) -> BaseChatModel:
        from langchain_ollama import ChatOllama

        client: dict[str, Any] = {"timeout": settings.llm_timeout, "trust_env": not is_loopback(settings.ollama_url)}
        return ChatOllama(
            model=model,
            base_url=settings.ollama_url,
            num_ctx=context,
            reasoning=False,
            client_kwargs=client,
            **_sampling(settings, refused, "num_predict", context=context),
        )

    return Setup(build, context)


def _llamacpp(settings: Settings, model: str) -> Setup:
    path = Path(model).expanduser()
    if not path.is_file():
        raise ModelMissing(f"There is no model file {path}. Set COMMENTARIAT_LLM=llamacpp:/path/to/model.gguf.")
    server = _local_server(path.resolve(), settings.llm_context_tokens)
    build = _openai_build(settings, path.name, f"{server.url}/v1", server.key)
    return Setup(build, server.context_tokens, server)


_BUILDERS: dict[str, Callable[[Settings, str], Setup]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "google": _google,
    "ollama": _ollama,
    "llamacpp": _llamacpp,
}


def _sampling(
    settings: Settings, refused: frozenset[str], limit: str = "max_tokens", *, thinks: bool = False, context: int = 0
) -> dict[str, Any]:
    most = answer_tokens(context or settings.llm_context_tokens, settings.llm_answer_tokens)
    temperature = None if "temperature" in refused else settings.llm_temperature
    return {limit: most + (THINKING_TOKENS if thinks else 0), "temperature": temperature}


def _thinks(provider: str, model: str) -> bool:
    """Whether langchain's own table of models says that it thinks before it answers."""
    from importlib import import_module

    profiles = import_module(f"{PROVIDERS[provider].package}.data._profiles")._PROFILES
    return bool(profiles.get(model, {}).get("reasoning_output"))


class LocalServer:
    """llama.cpp's server in this process, on a free loopback port, for one GGUF file.

    Raises:
        ModelMissing: llama.cpp cannot load the file.
    """

    def __init__(self, path: Path, context_tokens: int) -> None:
        import secrets

        import xllamacpp

        self.key = secrets.token_urlsafe(16)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context_tokens
        params.n_parallel = 1
        params.port = 0
        params.api_keys = [self.key]
        params.cors_origins = ""
        params.ui = False
        params.warmup = False
        params.offline = True
        params.verbosity = 0
        params.endpoint_metrics = True
        # A thread per core that waits by spinning is several times slower as soon as anything else runs.
        for threads in (params.cpuparams, params.cpuparams_batch):
            threads.n_threads = max(1, (os.cpu_count() or 2) - 1)
            threads.poll = 0
        try:
            self._server = xllamacpp.Server(params)
        except (RuntimeError, ValueError) as exc:
            raise ModelMissing(f"llama.cpp cannot load {path}: {exc}. Is it a whole GGUF file?") from exc
        # Released before its loop has begun, llama.cpp's server misses the call to stop, and waits for ever; the loop
        # answers this, so it has begun.
        self._server.handle_metrics()
        self.url = self._server.listening_address
        self.context_tokens = self._window(context_tokens)

    def _window(self, wanted: int) -> int:
        """The window in use: a model has no more than it was trained with."""
        listed = _get_json(f"{self.url}/v1/models", 5.0, key=self.key) or {}
        trained = [(model.get("meta") or {}).get("n_ctx_train") for model in listed.get("data", [])]
        return min([wanted, *(size for size in trained if size)])


_local_servers: WeakValueDictionary[tuple[Path, int], LocalServer] = WeakValueDictionary()
_starting = threading.Lock()


def _local_server(path: Path, context_tokens: int) -> LocalServer:
    """The running server for a file, or a new one; it stops when nobody uses it any more."""
    with _starting:
        server = _local_servers.get((path, context_tokens))
        if server is None:
            server = _local_servers[path, context_tokens] = LocalServer(path, context_tokens)
        return server


# -- streaming -----------------------------------------------------------------------------------------------------


class LangChainModel:
    """Any langchain chat model as a `ChatModel`.

    Args:
        name: As in the settings.
        model: A langchain chat model, or what makes one without the parameters that its server has refused.
        retries: Further tries when the server is busy or limits the rate, before any text has arrived.
        context_tokens: The model's window, where known.
        server: A server of our own that has to run for as long as the model.
        faults: Turns the provider's exceptions into ours.
        pause: Waits some seconds between tries.
    """

    def __init__(
        self,
        name: str,
        model: BaseChatModel | Build,
        *,
        retries: int = 0,
        context_tokens: int | None = None,
        server: LocalServer | None = None,
        faults: Faults | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self._build: Build = model if callable(model) and not hasattr(model, "stream") else lambda _: model
        self._retries, self._server = retries, server
        self._faults = faults
        self._pause = pause
        self._refused: frozenset[str] = frozenset()
        self._model: BaseChatModel | None = None

    def stream(self, messages: Sequence[Message]) -> Reply:
        """Start a reply; iterating it raises `ModelError` where the model fails."""
        return Reply(lambda reply: self._texts(messages, reply))

    def _texts(self, messages: Sequence[Message], reply: Reply) -> Iterator[str]:
        faults = self._faults or Faults(Choice(*self.name.partition(":")[::2]))
        retries = self._retries
        while True:
            reply.tries += 1
            started = False
            try:
                for text in self._attempt(messages, reply):
                    started = started or bool(text.strip())
                    yield text
                break
            except ModelError:
                raise
            except Exception as exc:
                if not started and self._can_do_without(exc):
                    continue
                error = faults.translate(exc, started)
                wait = _asked_pause(exc, reply.tries)
                hopeless = isinstance(error, ModelRefused) or not _is_busy(exc) or wait > LONGEST_PAUSE
                if started or hopeless or retries == 0:
                    raise error from exc
                retries -= 1
                self._pause(wait)
        if not started:
            raise faults.empty(reply.finish)
        if faults.must_finish and reply.finish == "unknown":
            raise faults.broken()

    def _attempt(self, messages: Sequence[Message], reply: Reply) -> Iterator[str]:
        if self._model is None:
            self._model = self._build(self._refused)
        thoughts = ThoughtFilter()
        chunks = self._model.stream([(message.role, message.content) for message in messages])
        with closing(chunks):  # type: ignore[type-var]
            for chunk in chunks:
                _note(chunk, reply)
                text = thoughts.feed(str(chunk.text))
                reply.restarts = thoughts.restarts
                if text:
                    yield text
        if text := thoughts.flush():
            yield text

    def _can_do_without(self, exc: Exception) -> bool:
        """Some servers refuse a parameter that others need: leave it out from now on."""
        if _status(exc) not in (400, 422):
            return False
        named = next((name for name in _DISPENSABLE if name in str(exc)), None)
        if named is None or named in self._refused:
            return False
        self._refused |= {named}
        self._model = None
        return True


_DISPENSABLE = ("temperature", "stream_options", "max_completion_tokens")


def _note(chunk: AIMessageChunk, reply: Reply) -> None:
    if usage := chunk.usage_metadata:
        before = reply.usage or Usage(0, 0)
        reply.usage = Usage(
            max(before.prompt, usage.get("input_tokens", 0)), max(before.answer, usage.get("output_tokens", 0))
        )
    facts = chunk.response_metadata
    reason = facts.get("finish_reason") or facts.get("stop_reason") or facts.get("done_reason")
    if blocked := (facts.get("prompt_feedback") or {}).get("block_reason"):
        reason = reason or str(blocked)
    if reason:
        reply.finish = _FINISH.get(str(reason).lower(), "filtered")


_FINISH: dict[str, Finish] = {
    **dict.fromkeys(("stop", "end_turn", "stop_sequence", "tool_calls", "tool_use", "completed", "eos"), "complete"),
    **dict.fromkeys(("length", "max_tokens", "model_length", "model_context_window_exceeded"), "length"),
    **dict.fromkeys(("load", "unload", "finish_reason_unspecified", "pause_turn"), "unknown"),
}
"""How providers say that a reply ended; all other reasons (safety, recitation, refusal, ...) are filters."""


_THOUGHTS = ("think", "thinking", "thought", "reasoning")
_THOUGHT_TAG = re.compile(rf"[ \t]*<(/?)({'|'.join(_THOUGHTS)})>", re.IGNORECASE)
_TAG_BEGUN = frozenset(
    tag[:size] for name in _THOUGHTS for tag in (f"<{name}>", f"</{name}>") for size in range(len(tag))
)


@dataclass
class ThoughtFilter:
    """Takes `<think>...</think>` out of a stream, also where a tag is torn between two pieces.

    A tag counts at the start of a line only. A closing tag alone means that the prompt had opened it: all before it
    was thinking, and `restarts` says so to whoever has passed it on.
    """

    restarts: int = 0
    _held: str = field(default="", repr=False)
    _closing: re.Pattern[str] | None = field(default=None, repr=False)
    _at_line_start: bool = field(default=True, repr=False)
    _after_tag: bool = field(default=False, repr=False)

    def feed(self, text: str) -> str:
        """What of the stream so far can be passed on."""
        self._held += text
        out: list[str] = []
        while self._held:
            if self._closing:
                if not (end := self._closing.search(self._held)):
                    self._held = self._held[-12:]
                    break
                self._held, self._closing = self._held[end.end() :], None
                self._at_line_start = self._after_tag = True
            elif self._after_tag and self._held[0].isspace():
                self._held = self._held.lstrip()
            elif self._at_line_start and (tag := _THOUGHT_TAG.match(self._held)):
                self._held = self._held[tag.end() :]
                if tag.group(1):
                    out.clear()
                    self.restarts += 1
                    self._after_tag = True
                else:
                    self._closing = re.compile(f"</{tag.group(2)}>", re.IGNORECASE)
            elif self._at_line_start and self._held.lstrip(" \t").lower() in _TAG_BEGUN:
                break
            else:
                self._after_tag = False
                line, newline, self._held = self._held.partition("\n")
                out.append(line + newline)
                self._at_line_start = bool(newline)
        return "".join(out)

    def flush(self) -> str:
        """The rest, when the stream has ended."""
        rest = "" if self._closing else self._held
        self._held = ""
        return rest


# -- faults --------------------------------------------------------------------------------------------------------


def _status(exc: Exception) -> int | None:
    for value in (getattr(exc, "status_code", None), getattr(exc, "code", None), getattr(exc.__cause__, "code", None)):
        if isinstance(value, int) and 400 <= value < 600:
            return value
    from langchain_core import exceptions

    by_class = {
        exceptions.ModelAuthenticationError: 401,
        exceptions.ModelPermissionDeniedError: 403,
        exceptions.ModelNotFoundError: 404,
        exceptions.ModelRateLimitError: 429,
        exceptions.ModelInvalidRequestError: 400,
        exceptions.ModelAPIError: 500,
    }
    return next((status for kind, status in by_class.items() if isinstance(exc, kind)), None)


def _message(exc: Exception) -> str | None:
    """What the server wrote, without what the packages put around it."""
    for error in (exc, exc.__cause__):
        body = getattr(error, "body", None) or getattr(error, "details", None)
        inner = body.get("error", body) if isinstance(body, dict) else None
        if isinstance(inner, dict) and inner.get("message"):
            return str(inner["message"])
    return None


def _is_busy(exc: Exception) -> bool:
    status = _status(exc)
    return status == 429 or (status or 0) >= 500


def _asked_pause(exc: Exception, tries: int) -> float:
    """Seconds to wait: what the server asks for, else doubling from half a second, with some scatter."""
    headers = getattr(getattr(exc, "response", None), "headers", None) or {}
    try:
        return max(0.0, float(headers.get("retry-after")))
    except (TypeError, ValueError):
        return 0.5 * 2 ** (tries - 1) * random.uniform(0.75, 1.25)


def _is_a(exc: BaseException, *names: str) -> bool:
    """Whether one of its classes has one of these names: httpx and its forks have the same ones."""
    return any(kind.__name__ in names for kind in type(exc).__mro__)


def _cannot_connect(exc: BaseException | None) -> bool:
    """Whether no connection came about at all; the packages hide that behind errors of their own."""
    while exc is not None:
        if isinstance(exc, ConnectionRefusedError) or _is_a(exc, "ConnectError") or type(exc) is ConnectionError:
            return True
        exc = exc.__cause__ or exc.__context__
    return False


_BROKEN = ("TransportError", "APIError", "ResponseError")
"""Errors of a connection, and errors sent in place of the reply's next piece."""


@dataclass(frozen=True)
class Faults:
    """Says what went wrong with a model, and what to do: provider exceptions to ours."""

    choice: Choice
    base_url: str | None = None
    timeout: float | None = None
    key: str | None = None
    """Never shown: taken out of whatever a provider says."""

    @property
    def must_finish(self) -> bool:
        """Servers say how a reply ended; if one did not, the connection was cut."""
        return self.choice.provider in PROVIDERS

    def translate(self, exc: Exception, started: bool) -> ModelError:
        """Ours for theirs.

        Args:
            exc: What the provider's package raised.
            started: Whether text had arrived before.
        """
        from langchain_core import exceptions

        name, status, said = self.choice.name, _status(exc), self._said(exc)
        variable = provider.key if (provider := PROVIDERS.get(self.choice.provider)) else None
        if isinstance(exc, exceptions.ContextOverflowError) or (status in (400, 413, 500) and _OVERFLOW.search(said)):
            return PromptTooLong(
                f"The prompt is longer than the window of {name}: lower COMMENTARIAT_LLM_CONTEXT_TOKENS. ({said})"
            )
        if status == 401 or (status in (400, 403) and re.search(r"api.?key", said, re.IGNORECASE)):
            what = f"the key in {variable}" if variable else "the request for want of a valid key"
            return ModelRefused(
                f"{name}: {self._where()} refused {what}. Set a valid one, or COMMENTARIAT_LLM=evidence."
            )
        if status == 403:
            return ModelRefused(f"{name}: {self._where()} does not permit this key to use the model. ({said})")
        if status == 404:
            hint = f" Run: ollama pull {self.choice.model}" if self.choice.provider == "ollama" else ""
            return ModelRefused(
                f"{name}: {self._where()} has no such model. "
                f"Check COMMENTARIAT_LLM and COMMENTARIAT_LLM_BASE_URL.{hint}"
            )
        if status == 429 and getattr(exc, "code", None) == "insufficient_quota":
            return ModelRefused(f"{name}: the quota of the key is used up. ({said})")
        if status == 429:
            return ModelUnavailable(f"{name} limits the rate of requests: wait a little and ask again. ({said})")
        if status is not None and status >= 500:
            return ModelUnavailable(
                f"{name}: {self._where()} has an error of its own ({status}): ask again later. ({said})"
            )
        if status is not None:
            return ModelRefused(f"{name}: {self._where()} refused the request ({status}): {said}")
        if isinstance(exc, exceptions.ModelTimeoutError | TimeoutError) or _is_a(exc, "TimeoutException"):
            return ModelUnavailable(
                f"{name} sent nothing for {self.timeout or 0:g} seconds. Raise COMMENTARIAT_LLM_TIMEOUT if it is slow."
            )
        if started:
            return self.broken(said)
        if _cannot_connect(exc):
            return ModelUnavailable(f"{name}: {self._where()} does not answer. Is it running, and the address right?")
        if isinstance(exc, exceptions.ModelConnectionError | OSError) or _is_a(exc, *_BROKEN):
            return ModelUnavailable(f"{name}: {self._where()} broke off before it answered: ask again. ({said})")
        return ModelReplyError(f"{name} replied with something that cannot be read: {type(exc).__name__}: {said}")

    def empty(self, finish: Finish) -> ModelReplyError:
        """The reply had no text."""
        if finish == "filtered":
            return ModelReplyError(f"{self.choice.name} declined to answer.")
        if finish == "length":
            return ModelReplyError(
                f"{self.choice.name} used up its tokens before it answered: raise COMMENTARIAT_LLM_ANSWER_TOKENS."
            )
        return ModelReplyError(f"{self.choice.name} gave an empty reply.")

    def broken(self, said: str = "") -> ModelUnavailable:
        """The reply stopped in the middle."""
        return ModelUnavailable(f"{self.choice.name} stopped in mid-answer{f' ({said})' if said else ''}: ask again.")

    def _where(self) -> str:
        if self.base_url:
            return f"the server at {_host(self.base_url)}"
        return PROVIDERS[self.choice.provider].title if self.choice.provider in PROVIDERS else "it"

    def _said(self, exc: Exception) -> str:
        """The provider's own words: one line, short, without the key."""
        text = " ".join(str(_message(exc) or exc or type(exc).__name__).split())
        if self.key:
            text = text.replace(self.key, "…")
        text = _SECRET.sub("…", text)
        return text if len(text) <= 200 else f"{text[:199]}…"


_OVERFLOW = re.compile(
    r"context.{0,20}(?:length|size|window)|maximum context|prompt is too long|too many tokens|exceed\w* .{0,40}tokens",
    re.IGNORECASE,
)
_SECRET = re.compile(r"\b(?:sk|key|AIza)[-_A-Za-z0-9*]{12,}")
