"""The compare tab: two authors side by side on a topic, each in their own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.answering.stance import Stance, stance
from rag.errors import RagError
from rag.language.enumeration import counted
from rag.language.phrases import Phrases
from rag.records import Answer, Filters
from ui.conversations import Exchange
from ui.markup import LATEX_DELIMITERS, escape, markdown_html, tag
from ui.sources import panel_html
from ui.wording import problem_html

if TYPE_CHECKING:
    from ui.app import Answerer

WAITING = tag("p", "Reading what was found…", class_="phase")
PHRASES = Phrases()
PROMISE = "Choose two authors and a topic: what each wrote about it, in exact quotes, side by side."

TOO_FEW = "A comparison takes two authors, and fewer are known here by name."


class Compare:
    """Layout and events of the compare tab.

    Args:
        answerer: Is asked once for each author, with a filter; so neither side can hold the other's words.
        owned: Whether the page is for its owner, who can add comments.
    """

    def __init__(self, answerer: Answerer, *, owned: bool = False) -> None:
        self._answerer = answerer
        self._owned = owned

    def layout(self) -> None:
        """Place the components; call inside a tab."""
        with gr.Column(elem_id="compare"):
            with gr.Row():
                self.one = gr.Dropdown([], label="One author", value=None, elem_id="compare-one", min_width=240)
                self.other = gr.Dropdown([], label="Another author", value=None, elem_id="compare-other", min_width=240)
                self.topic = gr.Textbox(
                    label="Topic",
                    placeholder="What both may have written about",
                    elem_id="compare-topic",
                    min_width=220,
                )
            self.button = gr.Button("Compare", variant="primary", elem_id="compare-button")
            self.note = gr.HTML(_note(PROMISE), elem_id="compare-note", js_on_load=None)
            with gr.Row(elem_id="compare-sides"):
                self.left = gr.Markdown(elem_id="compare-left", latex_delimiters=LATEX_DELIMITERS)
                self.right = gr.Markdown(elem_id="compare-right", latex_delimiters=LATEX_DELIMITERS)

    def wire(self, tab: gr.Tab) -> None:
        """Connect the events.

        Args:
            tab: The tab this is in; its authors are those of the index whenever it is opened.
        """
        quiet: dict[str, Any] = {"api_name": False, "show_progress": "hidden"}
        tab.select(self.refresh, self.left, [self.one, self.other, self.note], **quiet)
        chosen, shown = [self.one, self.other, self.topic], [self.note, self.left, self.right]
        gr.on([self.button.click, self.topic.submit], self.compare, chosen, shown, **quiet)

    def refresh(self, compared: str | None = None) -> tuple[Any, Any, Any]:
        """Who can be chosen; what to do, unless a comparison is shown already."""
        names: list[tuple[str, str]] = []
        try:
            names = [(f"{name} ({number})", name) for name, number in self._answerer.store.info().authors]
            note = _note(PROMISE if len(names) > 1 else TOO_FEW)
        except RagError as error:
            note = problem_html(error, owned=self._owned)
        return gr.update(choices=names), gr.update(choices=names), gr.skip() if compared else note

    def compare(self, one: str | None, other: str | None, topic: str) -> Iterator[tuple[str, str, str]]:
        """Both sides, one after the other."""
        topic = (topic or "").strip()
        if not (one and other and topic) or one == other:
            yield _note("Choose two different authors and a topic.", "problem"), "", ""
            return
        yield _note(f"“{topic}”: {one} and {other}"), WAITING, WAITING
        try:
            left = self._answer(one, topic)
            yield _note(f"“{topic}”: {one} and {other}"), self._side(one, topic, left), WAITING
            right = self._answer(other, topic)
            yield (
                _note(_summary(one, other, topic, left, right)),
                self._side(one, topic, left),
                self._side(other, topic, right),
            )
        except RagError as error:
            yield problem_html(error, owned=self._owned), "", ""

    def _answer(self, author: str, topic: str) -> Answer:
        *_, last = self._answerer.stream(f"What does {author} say about {topic}?", (), Filters(authors=(author,)))
        return last

    def _side(self, author: str, topic: str, answer: Answer) -> str:
        """One author's words, with the whole comments folded below."""
        heading = tag("h2", escape(author))
        if answer.abstained or not answer.citations:
            return tag("section", heading + tag("p", f"Nothing by {escape(author)} was found on this.", class_="note"))
        exchange = Exchange(topic, Filters(authors=(author,)), answer)
        cited = {citation.number for citation in answer.citations}

        def marker(number: int) -> str | None:
            label = f'<span class="sr">whole comment </span>{number}'
            return tag("a", label, class_="cite", href=f"#s-{exchange.id}-{number}") if number in cited else None

        taken = _stance(answer)
        said = tag(
            "p", f"Stance, in so many words: {escape(PHRASES.say(taken.kind, words=taken.words))}", class_="note"
        )
        text = tag("div", markdown_html(answer.text, marker), class_="text") + (said if taken.words else "")
        label = counted(len(answer.citations), "whole comment")
        cards = tag("details", tag("summary", label) + panel_html(exchange, self._answerer.store))
        return tag("section", heading + tag("div", text + cards, class_="answer"))


def _summary(one: str, other: str, topic: str, left: Answer, right: Answer) -> str:
    silent = [name for name, answer in ((one, left), (other, right)) if answer.abstained or not answer.citations]
    if len(silent) == 2:
        return f"Nothing by {one} or {other} was found on “{topic}”."
    if silent:
        return f"Nothing by {silent[0]} was found on “{topic}”."
    if {_stance(left).kind, _stance(right).kind} == {"for", "against"}:
        return f"“{topic}”: {PHRASES.say('opposed')}"
    return f"“{topic}”: their own words. Whether they disagree is for you to read."


def _stance(answer: Answer) -> Stance:
    """What somebody's quoted words say of agreement; what they only report of others does not count."""
    own = [c.quote for c in answer.citations if not c.quoted and c.passage.kind != "profile"]
    return stance(" ".join(own))


def _note(text: str, kind: str = "note") -> str:
    return tag("p", escape(text), class_=kind, role="status")
