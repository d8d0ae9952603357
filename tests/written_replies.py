"""Chat models whose replies a test writes, and the keys by which a reply cites what the model was shown."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rag.chat.prompts import Message
from rag.chat.streaming import Reply

if TYPE_CHECKING:
    from langchain_core.language_models import GenericFakeChatModel
    from langchain_core.messages import BaseMessage

SHOWN = re.compile(r"^\[(\w{4}\.\d+)\] (?:\([a-z ']+\) )?(.+)$", re.MULTILINE)
"""A sentence that a prompt shows, and the key to cite it by."""

Script = Callable[[str], str]
"""What a model replies to a prompt."""


def keys_in(prompt: str) -> dict[str, str]:
    """The sentences a prompt shows, with their keys."""
    return {sentence: key for key, sentence in SHOWN.findall(prompt)}


def citing(text: str) -> Script:
    """A reply in which `{sentence}` stands for the sentence's key."""
    return lambda prompt: re.sub(r"\{(.+?)\}", lambda found: f"[{keys_in(prompt)[found[1]]}]", text)


def one_after_the_other(*scripts: Script) -> Script:
    left = list(scripts)
    return lambda prompt: left.pop(0)(prompt)


def langchain_model(script: Script) -> GenericFakeChatModel:
    """langchain's fake, with replies that depend on what the model is shown; `asked` holds the prompts that it got."""
    return _scripted()(messages=iter(()), script=script)


@functools.cache
def _scripted() -> type[GenericFakeChatModel]:
    """Made when it is first needed, as importing langchain takes a second."""
    from langchain_core.language_models import GenericFakeChatModel

    class Scripted(GenericFakeChatModel):
        script: Any
        asked: list[Any] = []  # noqa: RUF012 - pydantic copies it

        def _stream(self, messages: list[BaseMessage], **kwargs: Any) -> Iterator[Any]:
            self.asked.append(messages)
            self.messages = iter([self.script(str(messages[-1].content))])
            yield from super()._stream(messages, **kwargs)

    return Scripted


class Pieces:
    """A model whose reply arrives in pieces of some characters."""

    name = "pieces"
    context_tokens = None

    def __init__(self, script: Script, size: int) -> None:
        self.script, self.size = script, size

    def stream(self, messages: Sequence[Message]) -> Reply:
        text = self.script(messages[-1].content)
        return Reply(lambda reply: (text[at : at + self.size] for at in range(0, len(text), self.size)))


class Failing:
    """A model that breaks off."""

    name = "failing"
    context_tokens = None

    def __init__(self, error: Exception, *before: str) -> None:
        self.error, self.before, self.calls = error, before, 0

    def stream(self, messages: Sequence[Message]) -> Reply:
        def texts(reply: Reply) -> Iterator[str]:
            self.calls += 1
            yield from self.before
            raise self.error

        return Reply(texts)
