"""The panel beside the chat: whole comments with the cited words marked, and why an answer came out as it did.

Pure functions from records to HTML; every text goes through `markup`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rag.errors import RagError
from rag.records import Citation, Comment, Passage, Span
from ui.conversations import Exchange
from ui.markup import button, comment_html, escape, link_out, safe_url, tag
from ui.origins import found, origins
from ui.why import why_html
from ui.wording import block_quotation, byline_html, date_text, verdict


class Comments(Protocol):
    """What cards need of the index."""

    def comment(self, id: str) -> Comment | None: ...
    def source_text(self, source: str) -> str: ...


def panel_html(exchange: Exchange, index: Comments, focus: str | None = None) -> str:
    """The source panel of one answer: a card for each citation, or for each related comment.

    Args:
        exchange: The question and its answer.
        index: Where whole comments are found.
        focus: The citation to show first, as in the card's id: "2", or "r1" for a related comment.
    """
    answer = exchange.answer
    if answer is None or not (answer.citations or (answer.abstained and answer.passages)):
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
        byline=byline_html(comment or passage),
        verdict=tag("p", escape(words), class_=f"verdict {kind}"),
        parent=_parent_html(comment, index),
        body=_body(text, marks, comment, passage, offset, index),
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
        byline=byline_html(comment or passage),
        verdict=tag("p", "Related, does not answer the question", class_="verdict care"),
        parent=_parent_html(comment, index),
        body=_body(text, [], comment, passage, offset, index),
        foot=_card_foot(passage, None),
    )


def _card(
    *, id: str, number: str | None, focused: bool, byline: str, verdict: str, parent: str, body: str, foot: str
) -> str:
    label = tag("span", number, class_="number") if number else ""
    head = tag("h3", f"{label}{byline}")
    return tag(
        "article",
        head + verdict + parent + body + foot,
        id=id,
        class_="card focused" if focused else "card",
        tabindex="-1",
    )


def _body(
    text: str,
    marks: Sequence[tuple[int, int]],
    comment: Comment | None,
    passage: Passage,
    offset: int,
    index: Comments,
) -> str:
    # What is known of a comment holds for its best wording; of another one only the passage is known.
    known = comment if comment and comment.text == text else passage
    shift = passage.start - offset if known is passage else 0
    html = comment_html(
        text,
        marks=marks,
        quoted=[(low + shift, high + shift) for low, high in known.quoted],
        gaps=[gap + shift for gap in known.gaps],
        after=origins(known, text, index.comment) if not shift else None,
    )
    return tag("div", html, class_="comment", tabindex="0", role="group")


def _parent_html(comment: Comment | None, index: Comments) -> str:
    parent = _comment(index, comment.parent_id) if comment and comment.parent_id else None
    if parent is None:
        return ""
    summary = tag("summary", f"Context: replies to {escape(parent.byline)}")
    return tag("details", summary + tag("div", comment_html(parent.text), class_="comment"), class_="parent")


def _card_foot(passage: Passage, quotation: str | None) -> str:
    parts = [link_out(passage.url)]
    if quotation:
        parts.append(button("copy-quotation", passage.comment_id, "Copy as quotation"))
        parts.append(tag("pre", escape(quotation), class_="copied", hidden="hidden"))
    return tag("div", "".join(parts), class_="foot") if any(parts) else ""


def _comment(index: Comments, id: str) -> Comment | None:
    return found(index.comment, id)


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


def quotation(citation: Citation) -> str:
    """A quote for the clipboard: the words, who wrote them, when, and where."""
    passage = citation.passage
    about = (passage.byline, date_text(passage.posted_at), safe_url(passage.url) or citation.source)
    return f"{block_quotation(citation.quote)}\n\n— {', '.join(part for part in about if part)}"


def trace_html(exchange: Exchange) -> str:
    """Why this answer: what was considered, how it scored, and how long each step took."""
    if exchange.answer is None:
        return ""
    question = tag("p", escape(exchange.question), class_="for-question")
    return panel("Why this answer", question + why_html(exchange.answer, exchange.filters))
