"""Which chat model answers: the one that the settings name, or the first at hand; asks local servers what they have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rag.errors import ModelUnavailable, RagError, SettingsError
from rag.records import EVIDENCE
from rag.settings import Settings

PROBE_SECONDS = 0.5
"""How long a local Ollama may take to say which models it has."""


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
        return Choice("openai", _first_served(settings))
    unusable: list[str] = []
    for name in ("openai", "anthropic", "google"):
        provider = PROVIDERS[name]
        if not api_key(settings, name):
            continue
        if installed(provider):
            return Choice(name, provider.default)
        unusable.append(f'{provider.key} is set, but using it takes pip install "commentariat[{provider.extra}]".')
    if is_loopback(settings.ollama_url) and (served := _ollama_model(settings.ollama_url)):
        if installed(PROVIDERS["ollama"]):
            return Choice("ollama", served)
        unusable.append('Ollama is running, but using it takes pip install "commentariat[ollama]".')
    return Choice(EVIDENCE, missing=" ".join(unusable))


def installed(provider: Provider) -> bool:
    """Whether the package is there that speaks to it."""
    return find_spec(provider.package) is not None


def api_key(settings: Settings, provider: str) -> str | None:
    secret = getattr(settings, f"{provider}_api_key", None)
    return secret.get_secret_value().strip() or None if secret else None


def host_of(url: str) -> str:
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


def _ollama_model(url: str) -> str | None:
    """The first chat model that Ollama lists: the one last changed."""
    listed = get_json(f"{url.rstrip('/')}/api/tags", PROBE_SECONDS)
    for model in (listed or {}).get("models", []):
        families = " ".join(filter(None, [model["name"], (model.get("details") or {}).get("family")])).lower()
        if not re.search(r"embed|bert|minilm|\bbge\b|rerank", families):
            return str(model["name"])
    return None


def ollama_context(url: str, model: str, wanted: int) -> int:
    """Ollama cuts a prompt silently where the model's window ends, so the smaller of both is what counts."""
    facts = (get_json(f"{url.rstrip('/')}/api/show", 5.0, {"model": model}) or {}).get("model_info") or {}
    own = [size for name, size in facts.items() if name.endswith(".context_length") and isinstance(size, int)]
    return min([wanted, *own])


def _first_served(settings: Settings) -> str:
    url = str(settings.llm_base_url)
    listed = get_json(f"{url.rstrip('/')}/models", 5.0, key=api_key(settings, "openai"))
    models = (listed or {}).get("data") or []
    if not models:
        raise ModelUnavailable(
            f"The server at {host_of(url)} does not say which models it has. Start it, or name one: "
            "COMMENTARIAT_LLM=openai:<model>, or unset COMMENTARIAT_LLM_BASE_URL."
        )
    return str(models[0]["id"])


def get_json(url: str, timeout: float, body: Any = None, key: str | None = None) -> Any:
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
