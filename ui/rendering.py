"""Answers, citations and comments -> the HTML a person sees. Pure functions; every text goes through `markup`.

The words on the page live here. Layout is in assets/page.css, behaviour in assets/page.js; both rely on the class
names and ids written here: `a-<exchange>` an answer, `s-<exchange>-<number>` a source card.
"""

from __future__ import annotations

import re
from typing import Literal

from rag.language.enumeration import counted
from rag.plain_text import without_markup
from rag.records import Answer, Citation, Comment, Passage
from ui.conversations import Exchange
from ui.markup import button, comment_html, escape, markdown_html, message_html, safe_url, tag
from ui.wording import date_text, filter_labels, verdict, who_answered

Phase = Literal["searching", "reading", "answering", "done"]

LEFT = "The answer was not completed: you left, or the connection was lost."
_PHASES = {
    "searching": "Searching the comments…",
    "reading": "Reading what was found…",
    "answering": "Answering…",
}


def phase_of(answer: Answer | None) -> Phase:
    """What the pipeline is at, told by what it has handed over so far."""
    if answer is None:
        return "searching"
    return "answering" if answer.text else "reading"


def question_text(question: str) -> str:
    """A question for the chat: as typed, but unable to load or embed anything.

    Gradio lets a reader edit it in place, so only what could act is escaped: `question_typed` undoes it.
    """
    question = re.sub(r"&(?=#?\w+;)", "&amp;", question)
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", question).replace("![", "!&#91;")


def question_typed(text: str) -> str:
    """The question as the reader typed it, from what the chat shows."""
    return text.replace("!&#91;", "![").replace("&lt;", "<").replace("&amp;", "&")


def exchange_html(exchange: Exchange, phase: Phase = "done") -> str:
    """The reply to one question: filters, text, sources and what can be done with it."""
    chips = "".join(tag("span", escape(label), class_="chip") for label in filter_labels(exchange.filters))
    parts = [tag("p", f"Only&ensp;{chips}", class_="chips")] if chips else []
    answer = exchange.answer
    if answer is not None and answer.text:
        parts.append(_text_html(exchange.id, answer))
    if phase != "done":
        parts.append(tag("p", escape(_PHASES[phase]), class_="phase"))
        return tag("div", "".join(parts), class_="answer", id=f"a-{exchange.id}")
    if exchange.problem:
        parts.append(tag("p", message_html(exchange.problem), class_="problem"))
    if exchange.stopped or exchange.growing:
        parts.append(tag("p", "Stopped." if exchange.stopped else LEFT, class_="note"))
    if answer is not None and answer.text:
        parts += [tag("p", escape(warning), class_="note") for warning in answer.warnings]
        parts.append(_source_list(exchange, answer))
        parts.append(_footer(exchange.id, answer))
    return tag("div", "".join(parts), class_="answer", id=f"a-{exchange.id}")


def _text_html(exchange_id: str, answer: Answer) -> str:
    cited = {citation.number: citation for citation in answer.citations}

    def marker(number: int) -> str | None:
        if number not in cited:
            return None
        label = f'<span class="sr">source </span>{number}'
        return tag("a", label, class_=f"cite {cited[number].verdict}", href=f"#s-{exchange_id}-{number}")

    kind = "text abstained" if answer.abstained else "text"
    return tag("div", markdown_html(answer.text, marker), class_=kind)


def _source_list(exchange: Exchange, answer: Answer) -> str:
    if answer.citations:
        lines = "".join(_source_line(exchange, citation) for citation in answer.citations)
        return tag("ol", lines, class_="sources brief" if answer.model == "evidence" else "sources")
    if answer.abstained and answer.passages:
        lines = "".join(
            _related_line(exchange.id, number, passage) for number, passage in enumerate(answer.passages[:3], 1)
        )
        heading = tag("p", "Related comments. They do not answer the question:", class_="related-heading")
        return heading + tag("ul", lines, class_="sources related")
    return ""


def _source_line(exchange: Exchange, citation: Citation) -> str:
    words, kind = verdict(citation, forged=citation.number in exchange.forged)
    content = (
        tag("span", str(citation.number), class_="number")
        + tag("span", _byline(citation.passage), class_="byline")
        + tag("span", escape(citation.quote), class_="quote")
        + (tag("span", escape(words), class_=f"verdict {kind}") if kind != "good" else "")
    )
    link = tag("a", content, href=f"#s-{exchange.id}-{citation.number}", class_="source")
    return tag("li", link, id=f"l-{exchange.id}-{citation.number}")


def _related_line(exchange_id: str, number: int, passage: Passage) -> str:
    text = comment_html(passage.text, gaps=passage.gaps)
    content = tag("span", _byline(passage), class_="byline") + tag("span", text, class_="quote")
    return tag("li", tag("a", content, href=f"#s-{exchange_id}-r{number}", class_="source"))


def _byline(passage: Passage | Comment) -> str:
    parts = [tag("b", escape(passage.byline))]
    if passage.posted_at:
        parts.append(escape(date_text(passage.posted_at)))
    if passage.title:
        parts.append(f"on {escape(passage.title)}")
    if passage.kind == "profile":
        parts.append("profile page of an earlier snapshot" if passage.outdated else "profile page")
    return " · ".join(parts)


def _footer(exchange_id: str, answer: Answer) -> str:
    coverage = str(answer.coverage)
    facts = [who_answered(answer), coverage] if answer.coverage.comments else [who_answered(answer)]
    buttons = (
        button("copy", exchange_id, "Copy")
        + button("link", answer.question, "Link")
        + button("why", exchange_id, "Why this answer")
    )
    return tag(
        "div",
        tag("span", escape(" · ".join(facts)), class_="facts") + tag("span", buttons, class_="actions"),
        class_="footer",
    ) + tag("pre", escape(plain_answer(answer)), class_="copied", hidden="hidden")


def plain_answer(answer: Answer) -> str:
    """An answer where there is nothing but text, as in the clipboard: what a reader must be told stays with it, then come
    the sources, each with author, date and link."""
    lines = ["\n\n".join((answer.text, *answer.warnings))]
    if answer.citations:
        lines.append("")
    for citation in answer.citations:
        passage = citation.passage
        about = (passage.byline, date_text(passage.posted_at), safe_url(passage.url) or passage.source)
        lines.append(f"[{citation.number}] {', '.join(part for part in about if part)}")
    return "\n".join(lines)


def announcement(exchange: Exchange) -> str:
    """What a screen reader is told when an answer is complete."""
    if exchange.problem:
        return exchange.problem
    answer = exchange.answer
    if answer is None or not answer.text:
        return "Stopped."
    sources = counted(len(answer.citations), "source") if answer.citations else "no sources"
    words = re.sub(r"^> ?", "", without_markup(answer.text), flags=re.MULTILINE)
    return f"Answer with {sources}. {words}"
