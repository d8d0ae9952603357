"""The page: `build_app(answerer)` gives a Gradio app; what it consists of is in modules of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import gradio as gr

from rag.records import Answer, Comment, Filters, IndexInfo, Passage, Turn
from rag.settings import Settings
from ui.browse import Browse
from ui.chat import Chat
from ui.compare import Compare
from ui.endpoints import Endpoints
from ui.feedback import Feedback
from ui.header import Header
from ui.history import SAVE_FILE, History
from ui.http_guard import is_loopback
from ui.index_page import IndexPage
from ui.service import Service
from ui.settings_page import SettingsPage
from ui.theme import ASSETS, page_options


class Threads(Protocol):
    """Who replies to whom; `rag.index.corpus.Corpus` has it."""

    def thread(self, thread_id: str) -> Sequence[Comment]: ...
    def replies(self, comment_id: str) -> Sequence[Comment]: ...


class Index(Protocol):
    """What the page needs of the index; `rag.index.store.Store` has it."""

    @property
    def corpus(self) -> Threads: ...

    def info(self) -> IndexInfo: ...
    def comments(self, filters: Filters | None = None) -> Iterator[Comment]: ...
    def comment(self, id: str) -> Comment | None: ...
    def source_text(self, source: str) -> str: ...


class Answerer(Protocol):
    """What the page needs of the pipeline; `rag.answering.answerer.Answerer` has it."""

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
    """Gradio's Blocks, launched with this page's looks unless told otherwise, and with plain HTTP beside it."""

    answerer: Answerer

    def launch(self, *args: Any, prevent_thread_lock: bool = False, **options: Any) -> Any:
        """As `gr.Blocks.launch`."""
        from gradio.http_server import LOCALHOST_NAME

        from ui.http_api import beside

        loopback = is_loopback(options.get("server_name") or LOCALHOST_NAME)
        server = {**(options.pop("app_kwargs", None) or {}), "lifespan": beside(self.answerer, loopback=loopback)}
        opened = super().launch(*args, prevent_thread_lock=True, app_kwargs=server, **{**page_options(), **options})
        if not prevent_thread_lock:
            self.block_thread()
        return opened


def build_app(
    answerer: Answerer, *, settings: Settings | None = None, manage: Service | None = None, mcp: bool = False
) -> gr.Blocks:
    """The page around an answerer.

    Args:
        answerer: Answers questions and knows the index.
        settings: Where feedback is kept and how long a question may be; `Settings()` if not given.
        manage: What the tabs for index and settings change. They read files of this machine and change what everybody
            gets, so give it only where the page is for its owner.
        mcp: Whether it will be launched as an MCP server: then only what is meant as a tool is listed.
    """
    settings = settings or Settings()
    feedback = Feedback(settings.store / "feedback.jsonl")
    owned = manage is not None
    chat = Chat(answerer, feedback, owned=owned, most=settings.max_question_chars)
    history = History(chat)
    browse, compare = Browse(answerer, chat, owned=owned), Compare(answerer, owned=owned)
    header = Header(answerer, chat, browse, manage)
    with Page(title="commentariat", analytics_enabled=False, fill_width=True) as app:
        app.answerer = answerer
        with gr.Sidebar(open=False, width=290, elem_id="history"):
            history.layout()
        bridge = gr.HTML(js_on_load=_script(), elem_id="bridge", visible="hidden")
        header.layout()
        with gr.Tabs(elem_id="tabs") as tabs:
            with gr.Tab("Chat", id="chat"):
                chat.layout()
            with gr.Tab("Compare", id="compare") as compare_tab:
                compare.layout()
            with gr.Tab("Comments", id="comments") as comments_tab:
                browse.layout()
            if manage:
                _managing_tabs(manage, feedback, chat, history, header)
        Endpoints(answerer).offer(mcp=mcp)
        chat.wire(bridge)
        history.wire()
        browse.wire(bridge, comments_tab, tabs)
        compare.wire(compare_tab)

        def greet(request: gr.Request) -> dict[Any, Any]:
            """What the page shows on opening: the index may have changed since it was built."""
            question = request.query_params.get("q", "")[: settings.max_question_chars]
            asked = {chat.question: question} if question else {}
            return {**asked, **header.refresh()}

        app.load(greet, None, [chat.question, *header.outputs], api_name=False, show_progress="hidden")
    return app


def _managing_tabs(service: Service, feedback: Feedback, chat: Chat, history: History, header: Header) -> None:
    index_page, settings_page = IndexPage(service, feedback), SettingsPage(service)
    with gr.Tab("Index", id="index", elem_id="index-tab") as tab:
        index_page.layout()
    with gr.Tab("Settings", id="settings"):
        settings_page.layout()
    for changed in (*index_page.wire(tab, (history.file, SAVE_FILE)), settings_page.wire()):
        told = changed.then(header.refresh, None, header.outputs, api_name=False, show_progress="hidden")
        told.then(chat.recheck, chat.conversation, chat.shown, api_name=False, show_progress="hidden")


def _script() -> str:
    return (ASSETS / "page.js").read_text(encoding="utf-8")


def serve(
    settings: Settings, *, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = True, mcp: bool = False
) -> None:
    """Open the page and keep it open until interrupted.

    Args:
        settings: Where the index is and who answers.
        host: Address to listen on. Index and settings can be changed on the page only if it is one of this machine.
        port: Port to listen on.
        open_browser: Whether to open a browser window.
        mcp: Whether agents may use it as an MCP server too, at /gradio_api/mcp/.
    """
    service = Service(settings)
    app = build_app(service, settings=settings, manage=service if is_loopback(host) else None, mcp=mcp)
    app.launch(
        server_name=host, server_port=port, inbrowser=open_browser, mcp_server=mcp, quiet=True, prevent_thread_lock=True
    )
    print(f"The page is open at {app.local_url} (Ctrl-C ends it).", flush=True)
    app.block_thread()
