"""Chat models from settings, streaming.

A model is anything with a name that streams a reply to messages. Every failure of a provider becomes one of ours,
thinking is taken out of replies, and nothing is imported or contacted before a model is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from rag.chat.choice import PROVIDERS, Choice, api_key, choose, installed
from rag.chat.faults import LONGEST_PAUSE, Faults, asked_pause, is_busy, status_code
from rag.chat.local_server import LocalServer
from rag.chat.prompts import Message
from rag.chat.providers import BUILDERS, Build
from rag.chat.reasoning import ThoughtFilter
from rag.chat.streaming import ChatModel, Finish, Reply, Usage
from rag.errors import ModelError, ModelMissing, ModelRefused
from rag.records import EVIDENCE
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk


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
    if not installed(provider):
        raise ModelMissing(
            f'{provider.title} needs a package that is not installed: pip install "commentariat[{provider.extra}]"'
        )
    key = api_key(settings, choice.provider)
    if provider.key and not key and not settings.llm_base_url:
        raise ModelRefused(
            f"{choice.name} needs a key: set {provider.key}, or COMMENTARIAT_LLM=evidence to answer without a model."
        )
    setup = BUILDERS[choice.provider](settings, choice.model)
    return LangChainModel(
        choice.name,
        setup.build,
        retries=settings.llm_retries,
        context_tokens=setup.context_tokens,
        server=setup.server,
        faults=Faults(choice, settings.llm_base_url, settings.llm_timeout, key),
        pause=pause,
    )


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
                wait = asked_pause(exc, reply.tries)
                hopeless = isinstance(error, ModelRefused) or not is_busy(exc) or wait > LONGEST_PAUSE
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
        if status_code(exc) not in (400, 422):
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
