"""Turn a provider's failure into one of our errors, which says what to do."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from rag.chat.choice import PROVIDERS, Choice, host_of
from rag.chat.streaming import Finish
from rag.errors import ModelError, ModelRefused, ModelReplyError, ModelUnavailable, PromptTooLong

LONGEST_PAUSE = 20.0
"""A server that asks for a longer pause than this counts as unavailable."""


def status_code(exc: Exception) -> int | None:
    """Of HTTP, as far as the error tells or implies one."""
    for value in (getattr(exc, "status_code", None), getattr(exc, "code", None), getattr(exc.__cause__, "code", None)):
        if isinstance(value, int) and 300 <= value < 600:
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


def is_busy(exc: Exception) -> bool:
    status = status_code(exc)
    return status in (408, 429) or (status or 0) >= 500


def asked_pause(exc: Exception, tries: int) -> float:
    """Seconds to wait: what the server asks for, else doubling from half a second, with some scatter."""
    told = _retry_after(exc)
    return 0.5 * 2 ** (tries - 1) * random.uniform(0.75, 1.25) if told is None else told


def _retry_after(exc: Exception) -> float | None:
    """Seconds that the server asks to wait, which it may tell as a time of day, too."""
    headers = getattr(getattr(exc, "response", None), "headers", None) or {}
    told = str(headers.get("retry-after") or "").strip()
    try:
        return max(0.0, float(told))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


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

        name, status, said = self.choice.name, status_code(exc), self._said(exc)
        variable = provider.key if (provider := PROVIDERS.get(self.choice.provider)) else None
        if isinstance(exc, exceptions.ContextOverflowError) or (
            status == 413 or (status in (400, 500) and _OVERFLOW.search(said))
        ):
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
            seconds = _retry_after(exc) or 0
            wait = f"{math.ceil(seconds):,} seconds" if seconds >= 1 else "a little"
            return ModelUnavailable(f"{name} limits the rate of requests: wait {wait} and ask again. ({said})")
        if status is not None and status < 400:
            return ModelRefused(
                f"{name}: {self._where()} sends on to another address ({status}): set COMMENTARIAT_LLM_BASE_URL to that."
            )
        if status is not None and (status >= 500 or status == 408):
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
        hint = " Does COMMENTARIAT_LLM_BASE_URL name a server of chat models that streams?" if self.base_url else ""
        return ModelReplyError(
            f"{name} replied with something that cannot be read: {type(exc).__name__}: {said}.{hint}"
        )

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
            return f"the server at {host_of(self.base_url)}"
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
