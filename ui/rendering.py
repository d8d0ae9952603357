"""Answers, citations and comments -> the HTML a person sees. Pure functions; every text goes through `markup`.

The words on the page live here. Layout is in assets/page.css, behaviour in assets/page.js; both rely on the class
names and ids written here: `a-<exchange>` an answer, `s-<exchange>-<number>` a source card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from rag.errors import RagError
from rag.records import Answer, Citation, Comment, Filters, Passage, Span
from ui.conversations import Exchange, who_answered
from ui.markup import comment_html, escape, markdown_html, safe_url, tag

Phase = Literal["searching", "reading", "answering", "done"]

UNSURE_BORDER = 0.75
"""Below this `border_confidence` a card says that the comment may start or end elsewhere."""

_PHASES = {
    "searching": "Searching the comments…",
    "reading": "Reading what was found…",
    "answering": "Answering…",
}


class Comments(Protocol):
    """What cards need of the index."""

    def comment(self, id: str) -> Comment | None: ...
    def source_text(self, source: str) -> str: ...


def date_text(when: datetime | None) -> str:
    """A day as people write it, in UTC."""
    return f"{when.day} {when:%b %Y}" if when else ""


def filter_labels(filters: Filters) -> list[str]:
    """What a question was restricted to, one label each."""
    labels = list(filters.authors)
    if filters.since:
        labels.append(f"since {filters.since:%Y-%m-%d}")
    if filters.until:
        labels.append(f"until {filters.until:%Y-%m-%d}")
    return labels + list(filters.sources)


def phase_of(answer: Answer | None) -> Phase:
    """What the pipeline is at, told by what it has handed over so far."""
    if answer is None:
        return "searching"
    return "answering" if answer.text else "reading"


def question_text(question: str) -> str:
    """A question for the chat: as typed, but unable to load or embed anything.

    Gradio lets a reader edit it in place, so only what could act is escaped: `question_typed` undoes it.
    """
    return question.replace("&", "&amp;").replace("<", "&lt;").replace("![", "!&#91;")


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
        parts.append(tag("p", escape(exchange.problem), class_="problem"))
    if exchange.stopped:
        parts.append(tag("p", "Stopped.", class_="note"))
    if answer is not None:
        parts += [tag("p", escape(warning), class_="note") for warning in answer.warnings]
        parts.append(_source_list(exchange))
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


def _source_list(exchange: Exchange) -> str:
    answer = exchange.answer
    if answer.citations:
        lines = "".join(_source_line(exchange, citation) for citation in answer.citations)
        return tag("ol", lines, class_="sources")
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
    content = tag("span", _byline(passage), class_="byline") + tag("span", escape(passage.text), class_="quote")
    return tag("li", tag("a", content, href=f"#s-{exchange_id}-r{number}", class_="source"))


def _byline(passage: Passage | Comment) -> str:
    parts = [tag("b", escape(passage.byline))]
    if passage.posted_at:
        parts.append(escape(date_text(passage.posted_at)))
    if passage.title:
        parts.append(f"on {escape(passage.title)}")
    if passage.kind == "profile":
        parts.append("profile page")
    return " · ".join(parts)


def _footer(exchange_id: str, answer: Answer) -> str:
    coverage = str(answer.coverage)
    facts = [who_answered(answer), coverage] if answer.coverage.comments else [who_answered(answer)]
    buttons = button("copy", exchange_id, "Copy") + button("why", exchange_id, "Why this answer")
    return tag(
        "div",
        tag("span", escape(" · ".join(facts)), class_="facts") + tag("span", buttons, class_="actions"),
        class_="footer",
    ) + tag("pre", escape(plain_answer(answer)), class_="copied", hidden="hidden")


def button(name: str, value: str, label: str) -> str:
    """A button that page.js acts upon or hands to the server."""
    return tag("button", escape(label), type="button", class_="link", name=name, value=value)


def plain_answer(answer: Answer) -> str:
    """An answer for the clipboard: its text, then each source with author, date and link."""
    lines = [answer.text]
    if answer.citations:
        lines.append("")
    for citation in answer.citations:
        passage = citation.passage
        about = (passage.byline, date_text(passage.posted_at), safe_url(passage.url) or passage.source)
        lines.append(f"[{citation.number}] {', '.join(part for part in about if part)}")
    return "\n".join(lines)


def quotation(citation: Citation) -> str:
    """A quote for the clipboard: the words, who wrote them, when, and where."""
    passage = citation.passage
    about = (passage.byline, date_text(passage.posted_at), safe_url(passage.url) or citation.source)
    quoted = "\n".join(f"> {line}".rstrip() for line in citation.quote.splitlines())
    return f"{quoted}\n\n— {', '.join(part for part in about if part)}"


def verdict(citation: Citation, *, forged: bool = False) -> tuple[str, Literal["good", "care", "bad"]]:
    """What checking a citation found, in words, and how grave it is."""
    if forged:
        return "Not found in this index", "bad"
    if citation.verdict == "unsupported":
        return "Does not support the sentence", "bad"
    passage = citation.passage
    if any(citation.start <= passage.start + gap <= citation.end for gap in passage.gaps):
        return "Exact quote, but part of it, such as a formula, is missing here", "care"
    if any(
        passage.start + low <= citation.start and citation.end <= passage.start + high for low, high in passage.quoted
    ):
        return f"Exact quote of somebody whom {passage.byline} quotes", "care"
    if passage.border_confidence < UNSURE_BORDER:
        return "Exact quote, border of the comment uncertain", "care"
    if citation.verdict == "repointed":
        return "Exact quote, found in this comment rather than the one first cited", "care"
    return "Exact quote", "good"


def panel_html(exchange: Exchange, index: Comments, focus: str | None = None) -> str:
    """The source panel of one answer: a card for each citation, or for each related comment.

    Args:
        exchange: The question and its answer.
        index: Where whole comments are found.
        focus: The citation to show first, as in the card's id: "2", or "r1" for a related comment.
    """
    answer = exchange.answer
    if answer is None or not (answer.citations or answer.abstained and answer.passages):
        return ""
    if answer.citations:
        heading = "Sources"
        cards = [_citation_card(exchange, citation, index, focus) for citation in answer.citations]
    else:
        heading = "Related, but no answer"
        cards = [
            _related_card(exchange.id, number, passage, index, focus)
            for number, passage in enumerate(answer.passages[:3], 1)
        ]
    return panel(heading, tag("p", escape(exchange.question), class_="for-question") + "".join(cards))


def panel(heading: str, content: str) -> str:
    """The frame of whatever the panel beside the chat shows."""
    return tag("div", tag("h2", escape(heading)) + content, class_="panel")


def _citation_card(exchange: Exchange, citation: Citation, index: Comments, focus: str | None) -> str:
    passage = citation.passage
    comment = _comment(index, passage.comment_id)
    words, kind = verdict(citation, forged=citation.number in exchange.forged)
    text, offset = _whole_text(comment, citation.source, citation.start, citation.end, index)
    if text is None:
        text, offset = passage.text, passage.start
    marks = [(span.start - offset, span.end - offset) for span in citation.spans if span.source == citation.source]
    return _card(
        id=f"s-{exchange.id}-{citation.number}",
        number=str(citation.number),
        focused=focus == str(citation.number),
        byline=_card_byline(comment or passage),
        verdict=tag("p", escape(words), class_=f"verdict {kind}"),
        parent=_parent_html(comment, index),
        body=_body(text, marks, comment or passage, offset),
        foot=_card_foot(passage, quotation(citation)),
    )


def _related_card(exchange_id: str, number: int, passage: Passage, index: Comments, focus: str | None) -> str:
    comment = _comment(index, passage.comment_id)
    text, offset = _whole_text(comment, passage.source, passage.start, passage.end, index)
    if text is None:
        text, offset = passage.text, passage.start
    return _card(
        id=f"s-{exchange_id}-r{number}",
        number=None,
        focused=focus == f"r{number}",
        byline=_card_byline(comment or passage),
        verdict=tag("p", "Related, does not answer the question", class_="verdict care"),
        parent=_parent_html(comment, index),
        body=_body(text, [], comment or passage, offset),
        foot=_card_foot(passage, None),
    )


def _card(
    *, id: str, number: str | None, focused: bool, byline: str, verdict: str, parent: str, body: str, foot: str
) -> str:
    label = tag("span", number, class_="number") if number else ""
    head = tag("h3", f"{label}{byline}")
    return tag(
        "article", head + verdict + parent + body + foot, id=id, class_="card focused" if focused else "card", tabindex="-1"
    )


def _card_byline(comment: Comment | Passage) -> str:
    facts = [date_text(comment.posted_at)]
    if comment.title:
        facts.append(f"on “{comment.title}”")
    karma = getattr(comment, "karma", None)
    if karma is not None:
        facts.append(f"{karma:g} karma")
    if comment.kind == "profile":
        facts.append("profile page")
    if comment.author is None:
        source = comment.source if isinstance(comment, Passage) else comment.sightings[0].source
        facts.append(f"from {source}")
    shown = " · ".join(escape(fact) for fact in facts if fact)
    return tag("span", escape(comment.byline), class_="author") + tag("span", shown, class_="facts")


def _body(text: str, marks: Sequence[tuple[int, int]], comment: Comment | Passage, offset: int) -> str:
    own = comment.start if isinstance(comment, Passage) else offset
    shift = own - offset
    html = comment_html(
        text,
        marks=marks,
        quoted=[(low + shift, high + shift) for low, high in comment.quoted],
        gaps=[gap + shift for gap in comment.gaps],
    )
    return tag("div", html, class_="comment", tabindex="0", role="group")


def _parent_html(comment: Comment | None, index: Comments) -> str:
    parent = _comment(index, comment.parent_id) if comment and comment.parent_id else None
    if parent is None:
        return ""
    summary = tag("summary", f"Context: replies to {escape(parent.byline)}")
    return tag("details", summary + tag("div", comment_html(parent.text), class_="comment"), class_="parent")


def _card_foot(passage: Passage, quotation: str | None) -> str:
    parts = []
    url = safe_url(passage.url)
    if url:
        host = urlsplit(url).netloc.removeprefix("www.")
        parts.append(tag("a", f"Open on {escape(host)}", href=url, target="_blank", rel="noopener noreferrer"))
    if quotation:
        parts.append(button("copy-quotation", passage.comment_id, "Copy as quotation"))
        parts.append(tag("pre", escape(quotation), class_="copied", hidden="hidden"))
    return tag("div", "".join(parts), class_="foot") if parts else ""


def _comment(index: Comments, id: str) -> Comment | None:
    try:
        return index.comment(id)
    except RagError:
        return None


def _whole_text(
    comment: Comment | None, source: str, start: int, end: int, index: Comments
) -> tuple[str, int] | tuple[None, int]:
    """The wording of the comment in the cited source, and where it starts there."""
    sighting = next((one for one in comment.sightings if _holds(one, source, start, end)), None) if comment else None
    if sighting is None:
        return None, 0
    try:
        return index.source_text(source)[sighting.start : sighting.end], sighting.start
    except RagError:
        return None, 0


def _holds(span: Span, source: str, start: int, end: int) -> bool:
    return span.source == source and span.start <= start and end <= span.end


def index_line(info: Any) -> str:
    """What is indexed, in a sentence."""
    authors = len(info.authors)
    text = f"{info.comments:,} comment{'s' if info.comments != 1 else ''}"
    if authors:
        text += f" by {authors:,} author{'s' if authors != 1 else ''}"
    if info.since and info.until:
        first, last = f"{info.since:%b %Y}", f"{info.until:%b %Y}"
        text += f", {first}" if first == last else f", {first} to {last}"
    return text


def answerer_line(model_name: str) -> str:
    """Who answers, in a sentence."""
    return "answers are exact quotes, no language model" if model_name == "evidence" else f"answers by {model_name}"


def examples(info: Any, comments: Iterable[Comment]) -> list[str]:
    """Questions that the index can answer, made from its authors and the titles of its threads."""
    names = [name for name, _ in sorted(info.authors, key=lambda entry: -entry[1]) if name]
    titles = list(dict.fromkeys(comment.title for comment in comments if comment.title and len(comment.title) <= 60))
    asked = [f"What does {name} argue most often?" for name in names[:2]]
    asked += [f"What do people say about “{title}”?" for title in titles[:2]]
    if len(names) > 1:
        asked.append(f"Where do {names[0]} and {names[1]} disagree?")
    return asked[:4]


def announcement(exchange: Exchange) -> str:
    """What a screen reader is told when an answer is complete."""
    if exchange.problem:
        return exchange.problem
    answer = exchange.answer
    if answer is None:
        return "Stopped."
    count = len(answer.citations)
    sources = "no sources" if not count else "1 source" if count == 1 else f"{count} sources"
    return f"Answer with {sources}. {answer.text}"


def since_days(days: int) -> datetime:
    """That many days before now."""
    return datetime.now(UTC) - timedelta(days=days)


def trace_html(exchange: Exchange) -> str:
    """Why this answer: what was considered, how it scored, and how long each step took."""
    answer = exchange.answer
    if answer is None:
        return ""
    rows = "".join(_trace_row(passage, answer) for passage in answer.passages)
    head = "<tr><th>Passage</th><th>Similarity</th><th>Words</th><th>Fused</th><th>Cited</th></tr>"
    legend = (
        "Similarity is the cosine between question and passage, words the BM25 score, fused the rank score of both "
        "between 0 and 1. None of them is a probability of being right."
    )
    table = tag("table", tag("thead", head) + tag("tbody", rows)) if rows else tag("p", "No passages are kept.")
    details = "".join(_trace_entry(key, value) for key, value in answer.trace.items())
    return panel(
        "Why this answer",
        tag("p", escape(exchange.question), class_="for-question")
        + tag("p", escape(legend), class_="note")
        + tag("div", table, class_="scroll", tabindex="0", role="group")
        + (tag("dl", details) if details else ""),
    )


def _trace_row(passage: Passage, answer: Answer) -> str:
    cited = [str(one.number) for one in answer.citations if one.passage.comment_id == passage.comment_id]
    start = passage.text if len(passage.text) <= 90 else passage.text[:89] + "…"
    cells = (
        f"<b>{escape(passage.byline)}</b> {escape(start)}",
        _number(passage.dense_score),
        _number(passage.lexical_score),
        _number(passage.score),
        escape(", ".join(cited)),
    )
    return tag("tr", "".join(tag("td", cell) for cell in cells))


def _number(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"


def _trace_entry(key: str, value: Any) -> str:
    import json

    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)
    long = len(shown) > 160 or "\n" in shown
    body = tag("pre", escape(shown), tabindex="0") if long else escape(shown)
    return tag("dt", escape(key.replace("_", " "))) + tag("dd", body)


