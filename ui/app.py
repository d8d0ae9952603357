"""The page: `build_app(answerer)` gives a Gradio app; the tabs are in modules of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import gradio as gr

from rag.errors import RagError
from rag.records import Answer, Comment, Filters, Turn
from ui import rendering
from ui.chat import Chat
from ui.theme import page_options

if TYPE_CHECKING:
    from rag.settings import Settings


class Index(Protocol):
    """What the page needs of the index; `rag.store.Store` has it."""

    def info(self) -> Any: ...
    def comments(self, filters: Filters | None = None) -> Iterator[Comment]: ...
    def comment(self, id: str) -> Comment | None: ...
    def source_text(self, source: str) -> str: ...


class Answerer(Protocol):
    """What the page needs of the pipeline; `rag.answering.Answerer` has it."""

    store: Index
    model_name: str

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Iterator[Answer]: ...


class Page(gr.Blocks):
    """Gradio's Blocks, launched with this page's looks unless told otherwise."""

    def launch(self, *args: Any, **options: Any) -> Any:
        """As `gr.Blocks.launch`."""
        return super().launch(*args, **{**page_options(), **options})


def build_app(answerer: Answerer, *, settings: Settings | None = None) -> gr.Blocks:
    """The page around an answerer.

    Args:
        answerer: Answers questions and knows the index.
        settings: Where feedback is kept and what the settings tab shows; `Settings()` if not given.
    """
    with Page(title="commentariat", analytics_enabled=False, fill_width=True) as app:
        chat = Chat(answerer)
        chat.layout()
        chat.wire()

        def greet(request: gr.Request) -> dict[Any, Any]:
            """What the page shows on opening: the index may have changed since it was built."""
            question = request.query_params.get("q", "")[:8000]
            shown: dict[Any, Any] = {chat.question: question} if question else {}
            try:
                info = answerer.store.info()
                questions = rendering.examples(info, answerer.store.comments())
            except RagError as error:
                return {**shown, chat.facts: rendering.tag("p", rendering.escape(str(error)), class_="problem")}
            facts = f"{rendering.index_line(info)} · {rendering.answerer_line(answerer.model_name)}"
            return {
                **shown,
                chat.facts: rendering.tag("p", rendering.escape(facts), class_="index-line"),
                chat.messages: gr.update(examples=[{"text": text} for text in questions], placeholder=PROMISE),
                chat.authors: gr.update(choices=[(f"{name} ({count})", name) for name, count in info.authors if name]),
                chat.sources: gr.update(choices=[(f"{name} ({count})", name) for name, count in info.sources]),
            }

        app.load(
            greet, None, [chat.question, chat.facts, chat.messages, chat.authors, chat.sources], api_name=False
        )
    return app


PROMISE = "# Ask the comments\nEvery citation opens the exact words, inside the whole comment they come from."
