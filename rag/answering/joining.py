"""One answer to several questions of one message, made of an answer to each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answering.wording import inert
from rag.records import EVIDENCE, Answer

_FENCED = re.compile(r"^(?:> )?(`{3,}|~{3,}).*?^(?:> )?\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
"""Code, in which numbers in brackets are no citations."""
_PARTED = "\n\n"
_MARKER = re.compile(r"(?<!\\)\[(\d+)\]")


def joined(message: str, parts: Sequence[str], answers: Sequence[Answer]) -> Answer:
    """The answers one below the other, each under its question, their citations numbered through.

    A part that the comments do not answer says so; the whole is declined only if each of them is.

    Args:
        message: All that was asked.
        parts: Its questions.
        answers: To as many of them as are answered by now, at least one.
    """
    text, checks, citations = "", [], []
    for part, answer in zip(parts, answers, strict=False):
        if answer.text:
            text += f"{text and _PARTED}*{inert(part)}*{_PARTED}"
            renumbered, place = _renumbered(answer.text, len(citations))
            checks += [
                replace(check, start=len(text) + place(check.start), end=len(text) + place(check.end))
                for check in answer.checks
            ]
            text += renumbered
        citations += [replace(one, number=one.number + len(citations)) for one in answer.citations]
    told = [answer for answer in answers if not answer.abstained] or list(answers)
    passages = {passage.id: passage for answer in told for passage in answer.passages}
    coverage = max((answer.coverage for answer in answers), key=lambda one: one.comments)
    declined = all(answer.abstained for answer in answers)
    return replace(
        told[0],
        question=message,
        text=text,
        citations=tuple(citations),
        passages=tuple(passages.values()),
        abstained=declined,
        model=next((answer.model for answer in answers if answer.model != EVIDENCE), EVIDENCE),
        coverage=replace(coverage, used=len({one.passage.comment_id for one in citations})),
        warnings=tuple(dict.fromkeys(warning for answer in answers for warning in answer.warnings)),
        checks=tuple(checks),
        suggestions=tuple(dict.fromkeys(one for answer in answers for one in answer.suggestions)),
        trace=_traces(parts, answers, told[0]),
    )


def _renumbered(text: str, by: int) -> tuple[str, Callable[[int], int]]:
    """A text whose citations have higher numbers, and where a place of the old text is in it."""
    code = [match.span() for match in _FENCED.finditer(text)]
    marks = [m for m in _MARKER.finditer(text) if not any(start <= m.start() < end for start, end in code)]
    grown = {mark.end(): len(str(int(mark[1]) + by)) - len(mark[1]) for mark in marks}
    pieces, end = [], 0
    for mark in marks:
        pieces += [text[end : mark.start()], f"[{int(mark[1]) + by}]"]
        end = mark.end()
    return "".join([*pieces, text[end:]]), lambda place: place + sum(n for at, n in grown.items() if at <= place)


def _traces(parts: Sequence[str], answers: Sequence[Answer], shown: Answer) -> dict[str, object]:
    """The trace of one answer, with what all of them took and what was decided on each."""
    traces = [answer.trace for answer in answers]
    whole: dict[str, object] = dict(shown.trace)
    for name in ("rewrites", "replies"):
        if any(name in trace for trace in traces):
            whole[name] = [one for trace in traces for one in trace.get(name, ())]
    if any("dollars" in trace for trace in traces):
        costs = [trace.get("dollars", 0.0) for trace in traces]
        whole["dollars"] = None if None in costs else sum(costs)
    seconds = [trace.get("seconds", {}) for trace in traces]
    whole["seconds"] = {
        stage: round(sum(one.get(stage, 0.0) for one in seconds), 4) for stage in {**seconds[0], **seconds[-1]}
    }
    whole["parts"] = [
        {"question": part, "abstained": answer.abstained, "answerable": answer.trace.get("answerable")}
        for part, answer in zip(parts, answers, strict=False)
    ]
    return whole
