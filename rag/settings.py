"""Settings from arguments, environment and `.env`: nothing else in the project reads them.

Precedence: arguments > environment (`COMMENTARIAT_*`) > `.env` in the working directory > defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from rag.errors import SettingsError

PREFIX = "COMMENTARIAT_"


_PROVIDER_KEYS = frozenset({"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"})


def _key(name: str) -> Any:
    """A provider's own variable, as its documentation calls it, or ours."""
    return Field(default=None, validation_alias=AliasChoices(name.lower(), name, f"{PREFIX}{name}"))


def _from_home(path: Path) -> Path:
    """A shell does not read what stands in a file or in Python: nobody wants a folder that is called "~"."""
    with suppress(RuntimeError):  # nobody of that name has a home
        return path.expanduser()
    return path


def _address(url: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url
    raise ValueError("It should be an address such as http://127.0.0.1:8000")


_Folder = Annotated[Path, AfterValidator(_from_home)]
_Url = Annotated[str, AfterValidator(_address)]


class _OwnLines(DotEnvSettingsSource):
    """A .env file is shared with other programs: what is neither ours nor a key we know is none of our business."""

    def __call__(self) -> dict[str, Any]:
        known = {*Settings.model_fields, *_PROVIDER_KEYS}
        found = super().__call__()
        return {name: value for name, value in found.items() if name in known or name.startswith(PREFIX.lower())}


class Settings(BaseSettings):
    """How to build, search and answer.

    Raises:
        SettingsError: A name is unknown or a value wrong; the message says which and what is allowed.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        validate_default=False,
    )

    store: _Folder = Field(Path("store"), description="Folder of the index.")
    chroma_url: _Url | None = Field(
        None, description="URL of a Chroma server to keep the vectors in, in place of the store's own folder."
    )
    cache: _Folder | None = Field(
        None, description="Folder for exported embedding models; by default the user's cache folder."
    )

    embedding_model: str = Field(
        "bundled",
        description='Embedding model: "bundled" (all-MiniLM-L6-v2), or a sentence-transformers name or folder.',
    )
    embedding_runtime: Literal["auto", "onnx", "sentence-transformers"] = Field(
        "auto", description="What runs the embedding model; auto tries ONNX Runtime first."
    )
    ray_address: str = Field(
        "",
        description='Where to embed while ingesting, with the extra ray: "local" (all processors of this machine), "auto" or '
        "the address of a Ray cluster. Empty: in this process.",
    )
    query_prefix: str = Field("", description="Prefix of a question when it is embedded, for models that need one.")
    passage_prefix: str = Field("", description="Prefix of a passage when it is embedded, for models that need one.")
    reranker: str | None = Field(
        None, description="Cross-encoder for reranking: a sentence-transformers name or folder. Off by default."
    )

    llm: str = Field(
        "auto",
        description='Who answers: "auto", "evidence" (quotes, no model), or "provider:model" with openai, anthropic, '
        'google or ollama, or "llamacpp:/path/to/model.gguf".',
    )
    llm_base_url: _Url | None = Field(
        None,
        description="URL of a server in place of the provider's own, such as an OpenAI-compatible one for "
        "llm=openai:<model>; with llm=auto its first model answers.",
    )
    llm_timeout: float = Field(60.0, gt=0, description="Seconds to wait for the model's next words.")
    llm_retries: int = Field(2, ge=0, le=10, description="Retries when the model is busy or rate-limited.")
    llm_temperature: float | None = Field(
        0.0, ge=0, le=2, description="Sampling temperature; left out for models that refuse it."
    )
    llm_context_tokens: int = Field(8192, ge=1024, description="Context window of the model, in tokens.")
    llm_answer_tokens: int = Field(1024, ge=64, description="Maximum number of tokens in an answer.")
    llm_prompt_price: float | None = Field(
        None,
        ge=0,
        description="US dollars per million prompt tokens; with both prices set, the trace of an answer shows its cost.",
    )
    llm_answer_price: float | None = Field(None, ge=0, description="US dollars per million answer tokens.")
    llm_repair: bool = Field(False, description="Ask the model once more when its citations fail. Costs a second call.")
    support_model: str | None = Field(
        None,
        description="Cross-encoder for natural language inference that judges whether a model's sentences follow from "
        "what they cite: a sentence-transformers name or folder. Off by default.",
    )
    ollama_url: _Url = Field("http://127.0.0.1:11434", description="Where a local Ollama listens.")
    openai_api_key: SecretStr | None = _key("OPENAI_API_KEY")
    anthropic_api_key: SecretStr | None = _key("ANTHROPIC_API_KEY")
    google_api_key: SecretStr | None = _key("GOOGLE_API_KEY")

    passages: int = Field(8, ge=1, le=50, description="Number of passages that an answer is made from.")
    abstain_below: float = Field(
        0.5, ge=0, le=1, description="Probability of being answerable below which an answer abstains."
    )
    language: str = Field("auto", description="Language of answers, as a name; auto takes that of the question.")
    max_question_chars: int = Field(8000, ge=100, description="Longest question that is accepted, in characters.")

    def __init__(self, **values: Any) -> None:
        _refuse_unknown_variables()
        try:
            super().__init__(**values)
        except ValidationError as exc:
            raise SettingsError("\n".join(_explain(error) for error in exc.errors())) from exc
        except UnicodeDecodeError as exc:
            raise SettingsError(
                f"The file .env is not in UTF-8 ({exc.reason} at byte {exc.start}). Save it as UTF-8."
            ) from exc

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _OwnLines(settings_cls)


def _refuse_unknown_variables() -> None:
    """pydantic-settings ignores a misspelt variable of the environment; a reader would search for hours."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise SettingsError(f"{name} in the environment is not a setting.{_nearest(name.upper(), known)}")


def _explain(error: Mapping[str, Any]) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    if error["type"] == "extra_forbidden":
        return f'"{name}" is not a setting.{_nearest(name.removeprefix(PREFIX.lower()), Settings.model_fields)}'
    secret = "key" in name or "url" in name  # a URL may hold a password
    value = "" if secret else f" (it is {error.get('input')!r})"
    what = error["msg"].removeprefix("Value error, ")
    return f"Setting {name}{value}: {what}. Set it as argument, or as {PREFIX}{name.upper()} in .env or environment."


def _nearest(name: str, known: Any) -> str:
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else " See .env.example for all settings."
