"""The comments tab: read, search, filter, see threads, and take a comment or an author into the chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import RagError
from rag.language.enumeration import counted
from rag.language.letters import folded
from rag.records import Comment, Filters
from ui.comments import charts_html, list_html, ordered, thread_html, thread_of
from ui.markup import LATEX_DELIMITERS, button, escape, tag
from ui.wording import problem_html, problem_text, read_filters

if TYPE_CHECKING:
    from ui.app import Answerer
    from ui.chat import Chat

PAGE = 20
WORDS, MEANING = "All these words", "Meaning"
NEAREST = 50
"""How many comments a search by meaning ranks."""
GONE = "This comment is no longer indexed."
TO_QUESTION = """() => document.querySelector("#question textarea").focus()"""
ORDERS = [("Newest", "newest"), ("Oldest", "oldest"), ("Karma", "karma")]


class Browse:
    """Layout and events of the comments tab.

    Args:
        answerer: Its index is what is browsed, its search what finds by meaning.
        chat: Where "ask about" leads.
        owned: Whether the page is for its owner, who can add comments.
    """

    def __init__(self, answerer: Answerer, chat: Chat, *, owned: bool = False) -> None:
        self._answerer = answerer
        self._chat = chat
        self._owned = owned

    def layout(self) -> None:
        """Place the components; call inside a tab."""
        self.shown = gr.State(PAGE)
        with gr.Row(elem_id="browse"):
            with gr.Column(elem_id="browse-side", min_width=0):
                self.words = gr.Textbox(label="Search", placeholder="Words in a comment", elem_id="browse-words")
                self.how = gr.Radio([WORDS, MEANING], value=WORDS, label="Find by")
                self.order = gr.Radio(ORDERS, value="newest", label="Order")
                self.authors = gr.Dropdown([], multiselect=True, label="Authors", value=[], elem_id="browse-authors")
                with gr.Row():
                    self.since = gr.Textbox(label="Since", placeholder="2023-01-31", min_width=80, max_length=10)
                    self.until = gr.Textbox(label="Until", placeholder="2024-12-31", min_width=80, max_length=10)
                self.charts = gr.HTML(elem_id="charts", js_on_load=None)
            with gr.Column(elem_id="browse-main", min_width=0):
                self.summary = gr.HTML(elem_id="browse-summary", js_on_load=None)
                self.list = gr.Markdown(elem_id="browse-list", latex_delimiters=LATEX_DELIMITERS)
                self.more = gr.Button("Show more", visible=False, elem_id="browse-more")

    def wire(self, bridge: gr.HTML, tab: gr.Tab, tabs: gr.Tabs) -> None:
        """Connect the events.

        Args:
            bridge: Sends clicks on buttons inside rendered comments.
            tab: The tab this is in.
            tabs: Switched to the chat by "ask about".
        """
        quiet: dict[str, Any] = {"api_name": False, "show_progress": "hidden"}
        query = [self.words, self.how, self.order, self.authors, self.since, self.until]
        result = [self.shown, self.summary, self.list, self.more, self.charts]
        find = {"fn": self.find, "inputs": query, "outputs": result, **quiet}
        gr.on(
            [
                tab.select, self.words.submit, self.since.submit, self.until.submit, self.how.input, self.order.input,
                self.authors.input,
            ],
            **find,
            trigger_mode="always_last",  # what is searched for while a list is on its way must not be lost
        )  # fmt: skip
        bridge.all_comments(**find)
        self.more.click(self.find_more, [self.shown, *query], result, **quiet)
        bridge.by_author(self.by_author, None, self.authors, **quiet).then(**find)
        bridge.by_period(self.by_period, None, [self.since, self.until], **quiet).then(**find)
        bridge.thread(self.thread, None, [self.summary, self.list, self.more], **quiet)
        asking = [tabs, self._chat.question]
        for taken in (
            bridge.ask_comment(self.ask_comment, None, asking, **quiet),
            bridge.ask_author(self.ask_author, None, [*asking, self._chat.authors], **quiet),
        ):
            taken.then(None, None, None, js=TO_QUESTION)

    def find(self, *query: Any) -> tuple[Any, ...]:
        """The first page of what matches."""
        return self.find_more(0, *query)

    def find_more(self, shown: int, words: str, how: str, order: str, *scope: Any) -> tuple[Any, ...]:
        """One page more."""
        words = (words or "").strip()
        try:
            found = self._found(words, how, order, read_filters(*scope, ()))
            index = self._answerer.store
        except RagError as error:
            return 0, problem_html(error, owned=self._owned), "", gr.update(visible=False), ""
        shown += PAGE
        return (
            shown,
            tag("p", escape(_summary(len(found), words, how)), role="status"),
            list_html(found[:shown], index.comment, words if how == WORDS else ""),
            gr.update(visible=len(found) > shown),
            charts_html(found),
        )

    def _found(self, words: str, how: str, order: str, filters: Filters) -> list[Comment]:
        index = self._answerer.store
        if words and how == MEANING:
            passages = self._answerer.search(words, NEAREST, (), filters)
            nearest = (index.comment(id) for id in dict.fromkeys(passage.comment_id for passage in passages))
            return [comment for comment in nearest if comment]
        wanted = folded(words).split()
        matching = (one for one in index.comments(filters) if _has(one.text, wanted))
        return ordered(matching, order)

    def by_author(self, event: gr.EventData) -> list[str]:
        """A click on a bar of the author chart."""
        return [str(event.value)]

    def by_period(self, event: gr.EventData) -> tuple[str, str]:
        """A click on a column of the timeline."""
        since, _, until = str(event.value).partition("/")
        return since, until

    def thread(self, event: gr.EventData) -> tuple[Any, ...]:
        """A comment with everything it belongs to."""
        back = button("all_comments", "", "Back to all comments")
        try:
            index = self._answerer.store
            comment = index.comment(str(event.value))
            thread = thread_of(comment, index) if comment else []
        except RagError as error:
            return problem_html(error, owned=self._owned), "", gr.update(visible=False)
        if comment is None:
            return tag("p", f"{GONE} {back}", role="status"), "", gr.update(visible=False)
        title = f" on “{comment.title}”" if comment.title else ""
        summary = tag("p", escape(f"Thread of {counted(len(thread), 'comment')}{title}. ") + back, role="status")
        return summary, thread_html(thread, index.comment, comment.id), gr.update(visible=False)

    def ask_comment(self, event: gr.EventData) -> tuple[Any, ...]:
        """Take a comment into the chat as a question about it."""
        try:
            comment = self._answerer.store.comment(str(event.value))
        except RagError as error:
            raise gr.Error(problem_text(error, owned=self._owned), title="Not asked", print_exception=False) from error
        if comment is None:
            raise gr.Error(GONE, title="Not asked", print_exception=False)
        start = " ".join(comment.text.split())
        start = start if len(start) <= 110 else f"{start[:110].rsplit(' ', 1)[0].rstrip('.,;:')}…"
        return gr.update(selected="chat"), f"What does {comment.byline} mean by “{start}”?"

    def ask_author(self, event: gr.EventData) -> tuple[Any, ...]:
        """Take an author into the chat as a filter."""
        return gr.update(selected="chat"), "", [str(event.value)]


def _has(text: str, wanted: Sequence[str]) -> bool:
    text = folded(text) if wanted else ""
    return all(word in text for word in wanted)


def _summary(number: int, words: str, how: str) -> str:
    if not number:
        return "No comment matches."
    if not words:
        return f"{counted(number, 'comment')}."
    if how == WORDS:
        return f"{counted(number, 'comment')} with “{words}”."
    return f"The {counted(number, 'comment')} nearest to “{words}”, nearest first."
