"""The line above the tabs: what is indexed and who answers; updates everything on the page that depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import RagError, StoreMissing
from ui.examples import examples
from ui.markup import escape, message_html, tag
from ui.wording import answerer_line, index_line

if TYPE_CHECKING:
    from ui.app import Answerer
    from ui.browse import Browse
    from ui.chat import Chat
    from ui.service import Service

EMPTY = "## No comments yet\n"
EMPTY_OWNED = "Add files, a folder or a forum's comments on the Index tab; then ask about them here.\n\n" + tag(
    "button", "Open the Index tab", type="button", name="to-index"
)
EMPTY_VISITED = "There is nothing to ask here until whoever runs this page has added some."
PROMISE = "## Ask the comments\nEvery citation opens the exact words, inside the whole comment they come from."
CONNECT = (
    "Answers are put together from exact quotes. To have a language model write them, with the same citations, set an "
    "API key such as OPENAI_API_KEY, or start Ollama on this machine, and restart; COMMENTARIAT_LLM chooses among them."
)


class Header:
    """Layout of the header, and what brings the page up to date.

    Args:
        answerer: Knows the index and who answers.
        chat: Its examples and filters come from the index.
        browse: So do its filters.
        owned: Knows what keeps a model from answering, where the page is for its owner.
    """

    def __init__(self, answerer: Answerer, chat: Chat, browse: Browse, owned: Service | None = None) -> None:
        self._answerer, self._chat, self._browse, self._owned = answerer, chat, browse, owned

    def layout(self) -> None:
        """Place the component; call inside a `gr.Blocks`."""
        self.facts = gr.HTML(_facts(""), elem_id="facts", js_on_load=None)

    @property
    def outputs(self) -> list[Any]:
        """What `refresh` may change."""
        return [self.facts, self._chat.messages, self._chat.authors, self._chat.sources, self._browse.authors]

    def refresh(self) -> dict[Any, Any]:
        """What is indexed, who answers, what can be asked and filtered by, as of now."""
        try:
            info = self._answerer.store.info()
            questions = examples(self._answerer.store.comments())
        except StoreMissing:
            empty = EMPTY + (EMPTY_OWNED if self._owned else EMPTY_VISITED)
            nothing = gr.update(choices=[], value=[])
            return {
                **dict.fromkeys(self.outputs, nothing),
                self.facts: _facts(self._line("no comments yet")),
                self._chat.messages: gr.update(examples=[], placeholder=empty),
            }
        except RagError as error:
            return {self.facts: _facts(tag("p", message_html(str(error)), class_="problem"))}
        authors = gr.update(choices=[(f"{name} ({number})", name) for name, number in info.authors])
        return {
            self.facts: _facts(self._line(index_line(info))),
            self._chat.messages: gr.update(examples=[{"text": text} for text in questions], placeholder=PROMISE),
            self._chat.authors: authors,
            self._browse.authors: authors,
            self._chat.sources: gr.update(choices=[(f"{name} ({number})", name) for name, number in info.sources]),
        }

    def _line(self, indexed: str) -> str:
        line = tag("p", escape(f"{indexed} · {answerer_line(self._answerer.model_name)}"), class_="index-line")
        if self._owned and self._answerer.model_name == "evidence":
            if missing := self._owned.model_missing:
                line += tag("p", escape(missing), class_="note")
            line += tag("details", f"<summary>How to connect a model</summary><p>{escape(CONNECT)}</p>")
        return line


def _facts(content: str) -> str:
    return tag("div", f"<h1>commentariat</h1>{content}", class_="facts-row")
