"""The page: `build_app(answerer)` gives a Gradio app; what it consists of is in modules of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import gradio as gr

from rag.errors import RagError
from rag.records import Answer, Comment, Filters, IndexInfo, Passage, Turn
from rag.settings import Settings
from ui.browse import Browse
from ui.chat import Chat
from ui.endpoints import Endpoints
from ui.examples import examples
from ui.feedback import Feedback
from ui.history import SAVE_FILE, History
from ui.index_page import IndexPage
from ui.markup import escape, tag
from ui.service import Service
from ui.theme import ASSETS, page_options
from ui.wording import answerer_line, index_line

PROMISE = "## Ask the comments\nEvery citation opens the exact words, inside the whole comment they come from."
CONNECT = (
    "Answers are put together from exact quotes. To have a language model write them, with the same citations, set an "
    "API key such as OPENAI_API_KEY, or start Ollama on this machine, and restart; COMMENTARIAT_LLM chooses among them."
)


class Index(Protocol):
    """What the page needs of the index; `rag.store.Store` has it."""

    def info(self) -> IndexInfo: ...
    def comments(self, filters: Filters | None = None) -> Iterator[Comment]: ...
    def comment(self, id: str) -> Comment | None: ...
    def source_text(self, source: str) -> str: ...


class Answerer(Protocol):
    """What the page needs of the pipeline; `rag.answering.Answerer` has it."""

    @property
    def store(self) -> Index: ...
    @property
    def model_name(self) -> str: ...

    def search(
        self, question: str, limit: int = 5, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> list[Passage]: ...
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
        answerer: Answers questions and knows the index. With a `ui.service.Service` there is also a tab for changing
            the index, which is not for strangers: it reads files of this machine.
        settings: Where feedback is kept; `Settings()` if not given.
    """
    settings = settings or Settings()
    feedback = Feedback(settings.store / "feedback.jsonl")
    chat = Chat(answerer, feedback)
    history, browse = History(answerer, chat), Browse(answerer, chat)
    manage = isinstance(answerer, Service)
    if manage:
        index_page = IndexPage(answerer, feedback)
    with Page(title="commentariat", analytics_enabled=False, fill_width=True) as app:
        with gr.Sidebar(open=False, width=290, elem_id="history"):
            history.layout()
        bridge = gr.HTML(js_on_load=_script(), elem_id="bridge", visible="hidden")
        facts = gr.HTML(elem_id="facts", js_on_load=None)
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Chat", id="chat"):
                chat.layout()
            with gr.Tab("Comments", id="comments") as comments_tab:
                browse.layout()
            if manage:
                with gr.Tab("Index", id="index") as index_tab:
                    index_page.layout()
        Endpoints(answerer).offer()
        chat.wire(bridge)
        history.wire()
        browse.wire(bridge, comments_tab, tabs)
        if manage:
            index_page.wire(index_tab, (history.file, SAVE_FILE))

        def greet(stored: Any, request: gr.Request) -> dict[Any, Any]:
            """What the page shows on opening: the index may have changed since it was built."""
            question = request.query_params.get("q", "")[: settings.max_question_chars]
            asked = {chat.question: question} if question else {}
            return {**history.restore(stored), **asked, **_welcome(answerer, chat, browse, facts)}

        app.load(
            greet,
            history.browser,
            [history.library, history.listed, facts, chat.question, chat.messages, *chat.scope, browse.authors],
            api_name=False,
            show_progress="hidden",
        )
    return app


def _welcome(answerer: Answerer, chat: Chat, browse: Browse, facts: gr.HTML) -> dict[Any, Any]:
    """What is indexed, who answers, what can be asked and filtered by."""
    try:
        info = answerer.store.info()
        questions = examples(answerer.store.comments())
    except RagError as error:
        return {facts: _facts(tag("p", escape(str(error)), class_="problem"))}
    line = escape(f"{index_line(info)} · {answerer_line(answerer.model_name)}")
    if answerer.model_name == "evidence":
        line += tag("details", f"<summary>How to connect a model</summary><div>{escape(CONNECT)}</div>")
    authors = gr.update(choices=[(f"{name} ({number})", name) for name, number in info.authors])
    return {
        facts: _facts(tag("p", line, class_="index-line")),
        chat.messages: gr.update(examples=[{"text": text} for text in questions], placeholder=PROMISE),
        chat.authors: authors,
        browse.authors: authors,
        chat.sources: gr.update(choices=[(f"{name} ({number})", name) for name, number in info.sources]),
    }


def _script() -> str:
    return (ASSETS / "page.js").read_text(encoding="utf-8")


def _facts(content: str) -> str:
    return tag("div", f"<h1>commentariat</h1>{content}", class_="facts-row")


def serve(settings: Settings, *, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = True) -> None:
    """Open the page and keep it open until interrupted.

    Args:
        settings: Where the index is and who answers.
        host: Address to listen on.
        port: Port to listen on.
        open_browser: Whether to open a browser window.
    """
    build_app(Service(settings), settings=settings).launch(server_name=host, server_port=port, inbrowser=open_browser)
