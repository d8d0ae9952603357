"""Count tokens, so that a prompt fits its window: the only module that imports tiktoken.

tiktoken downloads its ranks on first use. Nothing here does: ranks that are on this machine already are used,
and without them texts are counted by their bytes, always too high rather than too low.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

    from rag.chat.streaming import Usage
    from rag.settings import Settings

ENCODING = "o200k_base"
_RANKS_URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
_RANKS_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

BY_BYTES_NOTE = (
    "Prompt sizes are estimated, on the safe side, because tiktoken's ranks are not on this machine: fewer comments "
    "may fit than could. To count exactly, run once while online: "
    f"python -c \"import tiktoken; tiktoken.get_encoding('{ENCODING}')\""
)

OTHER_VOCABULARY = 1.25
"""What a count by OpenAI's vocabulary is multiplied with for models that have another one."""

MESSAGE_OVERHEAD = 8
"""Tokens a chat template puts around one message; the widest in use (Llama 3, ChatML) take five to seven."""

_PLAIN_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Z]?[a-z]+(?![A-Za-z0-9])")


@dataclass(frozen=True)
class TokenCounter:
    """Counts the tokens of a text.

    Args:
        encoding: A tiktoken encoding; without one, texts are counted by `estimate`.
        scale: Factor for models with another vocabulary than the encoding's.
    """

    encoding: tiktoken.Encoding | None = None
    scale: float = 1.0

    @property
    def note(self) -> str | None:
        """What a reader should know about the counts; None if nothing."""
        return BY_BYTES_NOTE if self.encoding is None else None

    def count(self, text: str) -> int:
        """Tokens of `text`: exact with the model's own encoding, otherwise a high guess."""
        if self.encoding is None:
            return estimate(text)
        # A comment may spell out a special token such as <|endoftext|>: it is plain text here.
        return math.ceil(len(self.encoding.encode(text, disallowed_special=())) * self.scale)


def load_counter(model: str = "", find_encoding: Callable[[], tiktoken.Encoding | None] | None = None) -> TokenCounter:
    """A counter for a model named as in the settings, never touching the network."""
    encoding = (find_encoding or cached_encoding)()
    return TokenCounter(encoding, scale=1.0 if model.startswith("openai:") else OTHER_VOCABULARY)


def cached_encoding() -> tiktoken.Encoding | None:
    """The encoding `ENCODING` if its ranks lie undamaged in tiktoken's cache, else None.

    tiktoken deletes a damaged file and downloads it anew; the hash is therefore checked before it is asked.
    """
    folder = _cache_folder()
    if folder is None:
        return None
    path = folder / hashlib.sha1(_RANKS_URL.encode(), usedforsecurity=False).hexdigest()
    try:
        stamp = path.stat()
    except OSError:
        return None
    return _load_ranks(path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=1)
def _load_ranks(path: Path, _changed: int, _size: int) -> tiktoken.Encoding | None:
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != _RANKS_SHA256:
            return None
    except OSError:
        return None
    import tiktoken

    return tiktoken.get_encoding(ENCODING)


def _cache_folder() -> Path | None:
    """Where tiktoken looks; an empty variable means that it keeps no cache."""
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if name in os.environ:
            return Path(os.environ[name]) if os.environ[name] else None
    return Path(tempfile.gettempdir()) / "data-gym-cache"


def estimate(text: str) -> int:
    """A high guess at the tokens of `text` in any byte-level vocabulary of 49,000 entries or more.

    A plain word counts a token per four letters, the single space before a word a quarter, letters of other scripts
    two thirds of their bytes, and all else (digits, punctuation, symbols, random strings) its bytes. Measured against
    the vocabulary of SmolLM2, one of the smallest in use and made for English: 1.3 to 1.55 times the true count on
    30 whole prompts over English comments, never below. Other languages in plain Latin letters may need up to half as
    much again under that vocabulary; what a model then refuses as too long is asked again shorter (see drafting.py).
    """
    words = sum(math.ceil(len(word.group()) / 4) for word in _PLAIN_WORD.finditer(text))
    rest = _PLAIN_WORD.sub("", text)
    spaces = rest.count(" ")
    foreign = sum(len(char.encode("utf-8", "replace")) for char in rest if ord(char) > 127 and char.isalpha())
    other = len(rest.encode("utf-8", "replace")) - spaces - foreign
    return words + math.ceil(spaces / 4) + math.ceil(foreign * 2 / 3) + other


def answer_tokens(context_tokens: int, wanted: int) -> int:
    """How long an answer may be: as wanted, but never more than half of the window."""
    return min(wanted, context_tokens // 2)


def dollars(model_name: str, usages: Sequence[Usage | None], settings: Settings) -> float | None:
    """What replies cost; None where prices or counts are not known. A model on one's own machine costs nothing."""
    if model_name.startswith(("ollama:", "llamacpp:")):
        return 0.0
    prompt_price, answer_price = settings.llm_prompt_price, settings.llm_answer_price
    if prompt_price is None or answer_price is None or None in usages:
        return None
    return sum(usage.prompt * prompt_price + usage.answer * answer_price for usage in usages if usage) / 1e6
