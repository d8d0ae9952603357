"""The chat: questions in, streamed answers out, sources beside them.

Everything a visitor has said lives in `gr.State` (this session) and in their own browser; nothing here is shared
between visitors except the index.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import RagError
from rag.question.asking import checked
from ui import rendering, sources
from ui.conversations import Conversation, Exchange, new_id, verify, verify_exchange
from ui.endpoints import plain_content
from ui.feedback import GOOD, OPTIONS, Feedback
from ui.markup import LATEX_DELIMITERS, escape, tag
from ui.wording import filter_labels, problem_html, problem_text, read_filters

if TYPE_CHECKING:
    from ui.app import Answerer

log = logging.getLogger(__name__)

PLACEHOLDER = "Ask about what people wrote in the comments"
BROKEN = "Something broke inside the program ({}). What it was stands in the terminal that runs this page."
TAKE = """(question, ...rest) => {
  const asked = new CustomEvent("asked", { detail: { question } });
  document.dispatchEvent(asked);
  return [asked.detail.question, ...rest];
}"""
ARRIVED = """() => document.dispatchEvent(new CustomEvent("arrived"))"""
"""Tells page.js that another conversation is shown: what is asked from now on belongs to it."""
REFUSED = """() => document.dispatchEvent(new CustomEvent("refused"))"""
"""What page.js does with the box: it empties it when a question goes out, and puts back one that was not taken."""
CLOSE = '<button type="button" name="close-panel" class="link">Close</button>'


class Chat:
    """Layout and events of the chat tab.

    Args:
        answerer: Answers and knows the index.
        feedback: Where judgements of answers are kept.
        owned: Whether the page is for its owner, who can add comments.
        most: Characters that a question may have: a longer one stays in the box, where it can be shortened.
    """

    def __init__(self, answerer: Answerer, feedback: Feedback, *, owned: bool = False, most: int | None = None) -> None:
        self._answerer = answerer
        self._feedback = feedback
        self._owned = owned
        self._most = most

    def layout(self) -> None:
        """Place the components; call inside a `gr.Blocks`."""
        self.conversation = gr.State(Conversation())
        self.status = gr.HTML('<div role="status" class="sr"></div>', elem_id="status")
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="talk", min_width=0):
                self.messages = gr.Chatbot(
                    elem_id="messages",
                    show_label=False,
                    label="Conversation",
                    container=False,
                    height=None,
                    layout="panel",
                    editable="user",
                    buttons=[],
                    latex_delimiters=LATEX_DELIMITERS,
                    allow_tags=False,
                    feedback_options=OPTIONS,
                    autoscroll=False,
                    group_consecutive_messages=False,
                )
                self._filters()
                self.question = gr.Textbox(
                    elem_id="question",
                    label="Question",
                    show_label=False,
                    container=False,
                    placeholder=PLACEHOLDER,
                    autofocus=True,
                    submit_btn=True,
                    max_lines=8,
                )
            with gr.Column(elem_id="panel", min_width=0):
                gr.HTML(CLOSE, js_on_load=None, elem_classes="close-row")
                self.panel = gr.Markdown(elem_id="panel-content", latex_delimiters=LATEX_DELIMITERS)

    def _filters(self) -> None:
        with gr.Accordion("Filters", open=False, elem_id="filters") as self.filters_fold, gr.Row():
            self.authors = gr.Dropdown([], multiselect=True, label="Authors", value=[])
            self.since = gr.Textbox(label="Since", placeholder="2023-01-31", min_width=110, max_length=10)
            self.until = gr.Textbox(label="Until", placeholder="2024-12-31", min_width=110, max_length=10)
            self.sources = gr.Dropdown([], multiselect=True, label="Sources", value=[])
        self.scope = [self.authors, self.since, self.until, self.sources]

    @property
    def shown(self) -> list[Any]:
        """What changes when another conversation is shown."""
        return [self.conversation, self.messages, self.question, self.panel, self.status]

    def wire(self, bridge: gr.HTML) -> None:
        """Connect the events; call inside the same `gr.Blocks`, after `layout`.

        Args:
            bridge: Sends clicks inside answers.
        """
        self.bridge = bridge
        shown = self.shown
        asked = [self.conversation, *self.scope]
        # Each visitor's answer runs by itself. A question is taken as soon as the page allows one (page.js holds Enter
        # back while an answer is on its way), even if the model of a stopped answer has not noticed yet.
        # The answer shows its own phases; Gradio's overlay can outlast a stopped one and then takes the clicks.
        quiet = {"api_name": False, "show_progress": "hidden"}
        answering = {"outputs": shown, "concurrency_limit": None, "trigger_mode": "multiple", **quiet}
        self.asked = [
            self.question.submit(self.ask, [self.question, *asked], js=TAKE, **answering),
            self.messages.example_select(self.ask_example, asked, **answering),
            self.messages.option_select(self.ask_example, asked, **answering),
            self.messages.retry(self.retry, [self.conversation], **answering),
            self.messages.edit(self.edit, [self.conversation], **answering),
        ]
        self.asked[0].failure(None, None, None, js=REFUSED)
        self.question.stop(self.stop, [self.conversation], shown, cancels=self.asked, **quiet)
        self.judged = self.messages.like(self.judge, [self.conversation], self.messages, **quiet)
        # Of two that are asked for one after the other, the second is not to be lost.
        bridge.source(self.open_source, [self.conversation], self.panel, trigger_mode="always_last", **quiet)
        bridge.why(self.open_trace, [self.conversation], self.panel, trigger_mode="always_last", **quiet)
        # One event for all of them: with one each, an older answer could arrive last and name the wrong filters.
        gr.on(
            [component.change for component in self.scope],
            self.name_filters,
            self.scope,
            self.filters_fold,
            trigger_mode="always_last",
            queue=False,
            **quiet,
        )

    # Answering

    def ask(self, question: str, conversation: Conversation, *scope: Any) -> Iterator[dict[Any, Any]]:
        """A question from the box."""
        if not (question or "").strip():
            yield {self.question: gr.skip()}
            return
        try:
            checked(question.strip(), (), self._most)
            filters = read_filters(*scope)
        except RagError as error:
            raise gr.Error(str(error), title="Not asked", print_exception=False) from error
        if not conversation.exchanges:
            # What a page starts with is the same for everybody.
            conversation = replace(conversation, id=new_id())
        yield from self._answer(Exchange(question.strip(), filters), conversation)

    def ask_example(
        self, conversation: Conversation, authors: Any, since: Any, until: Any, sources: Any, event: gr.SelectData
    ) -> Iterator[dict[Any, Any]]:
        """A click on an example or on a suggested next question."""
        question = event.value["text"] if isinstance(event.value, dict) else event.value
        yield from self.ask(question, conversation, authors, since, until, sources)

    def retry(self, conversation: Conversation) -> Iterator[dict[Any, Any]]:
        """The last question once more, with the filters it had."""
        last = conversation.exchanges[-1]
        yield from self._answer(Exchange(last.question, last.filters), conversation.before(last.id))

    def edit(self, conversation: Conversation, event: gr.EditData) -> Iterator[dict[Any, Any]]:
        """An earlier question reworded: what followed it is dropped."""
        old = conversation.exchanges[_row(event.index) // 2]
        question = rendering.question_typed(plain_content(event.value)).strip() or old.question
        yield from self._answer(Exchange(question, old.filters), conversation.before(old.id))

    def _answer(self, exchange: Exchange, conversation: Conversation) -> Iterator[dict[Any, Any]]:
        history = conversation.turns()
        exchange = replace(exchange, growing=True)
        conversation = conversation.with_exchange(exchange)
        busy = {self.question: gr.update(submit_btn=False, stop_btn=True)}
        yield {
            **self._talk(conversation, "searching"),
            **busy,
            self.status: _status("Searching the comments."),
        }
        try:
            for answer in self._answerer.stream(exchange.question, history=history, filters=exchange.filters):
                exchange = replace(exchange, answer=answer)
                conversation = conversation.with_exchange(exchange)
                yield {**self._talk(conversation, rendering.phase_of(answer)), **busy}
        except RagError as error:
            exchange = replace(exchange, problem=problem_text(error, owned=self._owned))
        except Exception as error:  # a defect of ours must not leave the page waiting
            log.exception("Answering failed: %s", exchange.question)
            exchange = replace(exchange, problem=BROKEN.format(type(error).__name__))
        exchange = replace(exchange, growing=False)
        yield self._finished(conversation.with_exchange(exchange), exchange)

    def _finished(self, conversation: Conversation, exchange: Exchange) -> dict[Any, Any]:
        return {
            **self._talk(conversation, "done"),
            self.question: gr.update(submit_btn=True, stop_btn=False),
            self.panel: self._sources(exchange),
            self.status: _status(rendering.announcement(exchange)),
        }

    def _talk(self, conversation: Conversation, phase: rendering.Phase) -> dict[Any, Any]:
        conversation = self.marked(conversation)
        shown = gr.update(value=messages(conversation, phase), feedback_value=_judgements(conversation))
        return {self.conversation: conversation, self.messages: shown}

    def stop(self, conversation: Conversation) -> dict[Any, Any]:
        """Keep what has arrived and take the next question."""
        exchange = replace(conversation.exchanges[-1], stopped=True, growing=False)
        return self._finished(conversation.with_exchange(exchange), exchange)

    def clear(self) -> dict[Any, Any]:
        """Start over with an empty conversation."""
        return self.show(Conversation())

    def show(self, conversation: Conversation) -> dict[Any, Any]:
        """Show a conversation, its quotes compared with the index as it is now, with the sources of its last answer."""
        conversation = verify(conversation, self._source_text)
        last = conversation.exchanges[-1] if conversation.exchanges else None
        return {
            **self._talk(conversation, "done"),
            self.question: gr.update(submit_btn=True, stop_btn=False),
            self.panel: self._sources(last) if last else "",
            self.status: _status(""),
        }

    def recheck(self, conversation: Conversation) -> dict[Any, Any]:
        """What is shown, compared with the index after that was changed; not while an answer is on its way."""
        return self.show(conversation) if conversation.exchanges and not conversation.growing else {}

    # The panel

    def open_source(self, conversation: Conversation, event: gr.EventData) -> Any:
        """The sources of an earlier answer, at the citation that was clicked."""
        exchange = conversation.exchange(str(event.exchange))
        if exchange is None:
            return gr.skip()
        return self._sources(verify_exchange(exchange, self._source_text), focus=str(event.number))

    def _source_text(self, source: str) -> str:
        return self._answerer.store.source_text(source)

    def _sources(self, exchange: Exchange, focus: str | None = None) -> str:
        """The whole comments behind an answer; why there are none if the index is gone, as from under a kept conversation."""
        if exchange.answer is None:
            return ""
        try:
            return sources.panel_html(exchange, self._answerer.store, focus)
        except RagError as error:
            return sources.panel("Sources", problem_html(error, owned=self._owned))

    def open_trace(self, conversation: Conversation, event: gr.EventData) -> Any:
        """Why an answer came out as it did."""
        exchange = conversation.exchange(str(event.exchange))
        if exchange is None:
            return gr.skip()
        return sources.trace_html(exchange)

    def marked(self, conversation: Conversation) -> Conversation:
        """A conversation with what was said about its answers."""
        return self._feedback.marked(conversation)

    def judge(self, conversation: Conversation, event: gr.LikeData) -> Any:
        """A thumb, or a reason from the list; the same once more takes it back."""
        exchange = conversation.exchanges[_row(event.index) // 2]
        judgement = GOOD if event.liked is True else event.liked or None
        judged = replace(exchange, judgement=judgement if judgement in OPTIONS else None)
        self._feedback.add(judged, conversation.before(exchange.id).turns())
        return gr.update(feedback_value=_judgements(self.marked(conversation)))

    def name_filters(self, *scope: Any) -> Any:
        """Say on the fold what the next question is restricted to."""
        try:
            labels = filter_labels(read_filters(*scope))
        except RagError as error:
            return gr.update(label=f"Filters: {error}")
        return gr.update(label=f"Filters: {', '.join(labels)}" if labels else "Filters")


def messages(conversation: Conversation, phase: rendering.Phase = "done") -> list[dict[str, Any]]:
    """The conversation as Gradio shows it: a pair of messages per exchange, so that row // 2 is the exchange."""
    shown: list[dict[str, Any]] = []
    last = conversation.exchanges[-1] if conversation.exchanges else None
    for exchange in conversation.exchanges:
        html = rendering.exchange_html(exchange, phase if exchange is last else "done")
        reply: dict[str, Any] = {"role": "assistant", "content": html}
        if exchange is last and phase == "done" and exchange.answer is not None:
            reply["options"] = [{"value": text} for text in exchange.answer.suggestions[:3]]
        shown += [{"role": "user", "content": rendering.question_text(exchange.question)}, reply]
    return shown


def _judgements(conversation: Conversation) -> list[str | None]:
    return [exchange.judgement for exchange in conversation.exchanges]


def _status(text: str) -> str:
    return tag("div", escape(text), role="status", class_="sr")


def _row(index: int | tuple[int, ...]) -> int:
    return index if isinstance(index, int) else index[0]
