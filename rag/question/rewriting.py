"""Let the chat model rewrite a question for the search.

A model that fails here is no misfortune: rules carry a follow-up on, and a question in another language is searched as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rag.chat.prompts import Message, render_in_english, render_standalone
from rag.chat.wrappings import unwrapped
from rag.errors import ModelError
from rag.records import to_plain

if TYPE_CHECKING:
    from rag.chat.streaming import ChatModel, Usage

LONGEST = 400
"""Characters; a longer reply is no question."""


class Rewriter:
    """Has questions rewritten, and keeps account of it.

    Args:
        model: Who rewrites.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.usages: list[Usage | None] = []
        self.trace: list[dict[str, Any]] = []

    def standalone(self, conversation: str) -> str:
        """The last question of a conversation, understandable by itself; "" if the model cannot."""
        return self._ask("standalone", render_standalone(conversation))

    def in_english(self, question: str) -> str:
        """A question in English; "" if the model cannot."""
        return self._ask("in_english", render_in_english(question))

    def _ask(self, purpose: str, messages: tuple[Message, ...]) -> str:
        from rag.chat.streaming import whole

        reply = self._model.stream(messages)
        try:
            text = whole(reply)
        except ModelError as exc:
            self.trace.append({"purpose": purpose, "failure": str(exc)})
            return ""
        self.usages.append(reply.usage)
        self.trace.append(
            {"purpose": purpose, "text": text, "tokens": None if reply.usage is None else to_plain(reply.usage)}
        )
        text = _question(text)
        return text if 3 < len(text) <= LONGEST else ""


_LABEL = re.compile(r"\W*(?:[a-z]+ )?(?:question|translation)\b\W*:\W*", re.IGNORECASE)


def _question(reply: str) -> str:
    """The question of a reply, without a label before it and what the model says about it behind."""
    text = unwrapped(reply, "")
    if label := _LABEL.match(text):
        text = text[label.end() :]
    first = text.strip().partition("\n")[0].strip("*\"' ")
    return first if first.endswith("?") else " ".join(text.split()).strip("\"' ")
