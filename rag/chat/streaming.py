"""What an answer needs of a chat model: a name, and replies that stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, Protocol

from rag.chat.prompts import Message


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
