"""An answer as plain text, for terminals."""

from __future__ import annotations

import json
import re
from typing import Any

from rag.answering.wording import plain
from rag.citations.keys import INVISIBLE
from rag.records import Answer, Citation, Passage

_CONTROL = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
_PRINTED = {**INVISIBLE, **_CONTROL}
"""Comments are other people's words: an escape sequence in one must not reach the terminal, nor what turns the order of
letters round or hides some."""
_UNSEEN = re.compile(f"[{''.join(map(re.escape, map(chr, sorted(set(_PRINTED) - {0x0A}))))}]")


def format_answer(answer: Answer) -> str:
    """The text, then the cited comments with author, date and place, then what was searched."""
    parts = [printable(without_markup(answer.text))]
    if answer.citations:
        parts.append("\n".join(_citation(citation) for citation in answer.citations))
    elif answer.abstained and answer.passages:
        nearest = "\n".join(_related(passage) for passage in answer.passages[:3])
        parts.append(f"Related, does not answer:\n{nearest}")
    parts += [printable(warning) for warning in answer.warnings]
    who = "quotes, no language model" if answer.model == "evidence" else f"written by {answer.model}"
    parts.append(f"({answer.coverage}; {who})")
    return "\n\n".join(parts)


def without_markup(markdown: str) -> str:
    """The words of an answer, without the bold of names and the backslashes that keep a page from reading markup."""
    words = re.sub(r"(?<!\\)\*\*(.+?)(?<!\\)\*\*", r"\1", markdown)
    # A number in brackets that a comment or code has written keeps its backslashes: it is no citation of ours.
    return "".join(piece if number % 2 else plain(piece) for number, piece in enumerate(_WRITTEN_MARK.split(words)))


_WRITTEN_MARK = re.compile(r"(\\\[\d+\\?\])")


def printable(text: str) -> str:
    """Text without control characters, which a terminal would obey, and without invisible ones."""
    return text.translate(_PRINTED)


def printable_json(data: Any, indent: int | None = None) -> str:
    """JSON in which such characters are escapes: the same data for a program, and harmless in a terminal."""
    written = json.dumps(data, ensure_ascii=False, indent=indent)
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], written)


def _foreign(text: str) -> str:
    """Somebody's words on one line, with nothing in them that looks like a citation."""
    return re.sub(r"\[(?=\d+\])", r"\\[", " ".join(printable(text).split()))


def _citation(citation: Citation) -> str:
    passage = citation.passage
    date = f", {passage.posted_at.date()}" if passage.posted_at else ""
    ranges = ", ".join(f"{span.start}-{span.end}" for span in citation.spans)
    place = f"{_foreign(citation.source)}:{ranges}"
    link = f"\n    {_foreign(passage.url)}" if passage.url else ""
    return f"[{citation.number}] {_foreign(passage.byline)}{date} ({place}){link}"


def _related(passage: Passage) -> str:
    text = _foreign(passage.text)
    shown = text if len(text) <= 200 else text[:200].rsplit(" ", 1)[0] + " …"
    return f"  {_foreign(passage.byline)}: {shown}"
