"""How langchain's model of each provider is built: the only module that imports langchain's integrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.chat.choice import PROVIDERS, api_key, is_loopback, ollama_context
from rag.chat.local_server import LocalServer, served
from rag.chat.tokens import answer_tokens
from rag.errors import ModelMissing
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"
GOOGLE_URL = "https://generativelanguage.googleapis.com"

THINKING_TOKENS = 4096
"""Further tokens for models known to think before they answer: their thinking counts as output."""

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
    return Setup(_openai_build(settings, model, settings.llm_base_url, api_key(settings, "openai")))


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
            api_key=api_key(settings, "anthropic") or "none",
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
            api_key=api_key(settings, "google") or "none",
            vertexai=False,
            timeout=settings.llm_timeout,
            max_retries=1,  # the SDK counts attempts, not retries
            **_sampling(settings, refused, "max_output_tokens", thinks=_thinks("google", model)),
        )

    return Setup(build)


def _ollama(settings: Settings, model: str) -> Setup:
    context = ollama_context(settings.ollama_url, model, settings.llm_context_tokens)

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
    server = served(path.resolve(), settings.llm_context_tokens)
    build = _openai_build(settings, path.name, f"{server.url}/v1", server.key)
    return Setup(build, server.context_tokens, server)


BUILDERS: dict[str, Callable[[Settings, str], Setup]] = {
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
