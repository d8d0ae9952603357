"""Why an answer came out as it did: `Answer.trace` and the passages in words -> HTML. Every text goes through `markup`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rag.language.enumeration import counted
from rag.records import Answer, Filters, Passage
from ui.markup import escape, tag
from ui.wording import filter_labels

LEGEND = (
    "Meaning: cosine between question and passage. Words: BM25 score. Both: the two fused, between 0 and 1, comparable "
    "within this search only. None of them says how likely an answer is right."
)
PURPOSES = {"standalone": "Follow-up made a question of its own", "in_english": "Question put into English"}
STAGES = {
    "understand": "Reading the question",
    "retrieve": "Searching",
    "first_words": "First words, from the start",
    "write": "Writing",
    "verify": "Checking citations",
    "compose": "Putting quotes together",
    "suggest": "Next questions",
    "total": "All together",
}
SAID = {
    "query", "filters", "answerable", "abstain_below", "passages", "seconds", "rewrites", "dollars", "prompt", "replies",
    "prompt_tokens_counted", "passages_in_prompt", "passages_left_out", "turns_left_out", "model", "failure",
}  # fmt: skip
"""Parts of a trace that are shown in words; the others are shown as they are."""


def why_html(answer: Answer, filters: Filters) -> str:
    """Everything that is known about how an answer was made; less for one from an earlier visit."""
    trace = answer.trace
    if not trace and not answer.passages:
        return tag("p", "This is kept only while the page is open. Ask again to see it.", class_="note")
    facts = [*_search(trace, answer, filters), *_rewrites(trace), *_writing(trace), *_rest(trace)]
    listed = "".join(tag("dt", escape(name)) + tag("dd", html) for name, html in facts)
    return _passages(answer) + _left_out(trace) + (tag("dl", listed) if listed else "")


def _passages(answer: Answer) -> str:
    rows = "".join(_row(passage, answer) for passage in answer.passages)
    if not rows:
        return tag("p", "No passage was found.", class_="note")
    head = tag("thead", "<tr><th>Passage</th><th>Meaning</th><th>Words</th><th>Both</th><th>Cited</th></tr>")
    table = tag("table", head + tag("tbody", rows))
    return tag("p", escape(LEGEND), class_="note") + tag("div", table, class_="scroll", tabindex="0", role="group")


def _row(passage: Passage, answer: Answer) -> str:
    cited = [str(one.number) for one in answer.citations if one.passage.id == passage.id]
    start = passage.text if len(passage.text) <= 90 else passage.text[:89] + "…"
    cells = (
        f"<b>{escape(passage.byline)}</b> {escape(start)}",
        _number(passage.dense_score),
        _number(passage.lexical_score),
        _number(passage.score),
        escape(", ".join(cited)),
    )
    return tag("tr", "".join(tag("td", cell) for cell in cells))


def _left_out(trace: Mapping[str, Any]) -> str:
    """Candidates of the search that were not used."""
    unused = [one for one in trace.get("passages", ()) if not one["used"]]
    if not unused:
        return ""
    rows = "".join(
        tag("tr", "".join(tag("td", cell) for cell in (escape(one["author"]), *map(_number, _scores(one)))))
        for one in unused
    )
    head = tag("thead", "<tr><th>By</th><th>Meaning</th><th>Words</th><th>Both</th></tr>")
    summary = tag("summary", f"{counted(len(unused), 'more passage')} considered and left out")
    return tag("details", summary + tag("table", head + tag("tbody", rows)), class_="left-out")


def _scores(one: Mapping[str, Any]) -> tuple[float | None, ...]:
    return one["dense"], one["lexical"], one["score"]


def _number(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"


def _search(trace: Mapping[str, Any], answer: Answer, filters: Filters) -> list[tuple[str, str]]:
    query = trace.get("query") or {}
    named = Filters(tuple(query.get("authors", ())), query.get("since"), query.get("until"))
    facts = [
        ("Searched for", escape(query.get("text", ""))),
        ("Only, by the filters", escape(", ".join(filter_labels(filters)))),
        ("Only, by the question", escape(", ".join(filter_labels(named)))),
        ("Named, but unknown", escape(", ".join(query.get("unknown_authors", ())))),
    ]
    if "answerable" in trace:
        decided = "Declined" if answer.abstained else "Answered"
        estimate = (
            f"{decided}. How far these passages look like holding an answer was put at {trace['answerable']:.2f} on a scale "
            f"from 0 to 1; below {trace['abstain_below']:.2f} it declines."
        )
        facts.append(("Whether to answer", estimate))
    return [(name, html) for name, html in facts if html]


def _rewrites(trace: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            PURPOSES.get(one["purpose"], one["purpose"].replace("_", " ")),
            escape(one["text"] if "text" in one else f"failed: {one['failure']}") + _tokens(one.get("tokens")),
        )
        for one in trace.get("rewrites", ())
    ]


def _writing(trace: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = []
    if "failure" in trace:
        facts.append((f"{trace.get('model', 'The model')} failed", escape(trace["failure"])))
    if "prompt" in trace:
        messages = "".join(
            tag("p", escape(one["role"])) + tag("pre", escape(one["content"]), tabindex="0") for one in trace["prompt"]
        )
        given = f"{trace.get('prompt_tokens_counted', 0):,} tokens, {counted(trace.get('passages_in_prompt', 0), 'passage')}"
        for name, noun in (("passages_left_out", "passage"), ("turns_left_out", "earlier turn")):
            given += f", {counted(trace[name], noun)} left out for want of room" if trace.get(name) else ""
        facts.append(("Prompt", tag("details", tag("summary", escape(given)) + messages)))
    for reply in trace.get("replies", ()):
        said = f"{reply['finish']}, {reply['tries']} {'try' if reply['tries'] == 1 else 'tries'}"
        text = tag("summary", escape(said) + _tokens(reply["tokens"])) + tag("pre", escape(reply["text"]), tabindex="0")
        facts.append(("Reply of the model", tag("details", text)))
    if "dollars" in trace:
        cost = trace["dollars"]
        facts.append(("Cost", "not known: no price is set for this model" if cost is None else f"${cost:.4f}"))
    if trace.get("seconds"):
        rows = "".join(
            tag("tr", tag("td", escape(STAGES.get(stage, stage.replace("_", " ")))) + tag("td", f"{seconds:.2f} s"))
            for stage, seconds in trace["seconds"].items()
        )
        facts.append(("Time", tag("table", tag("tbody", rows), class_="times")))
    return facts


def _tokens(tokens: Mapping[str, int] | None) -> str:
    return f" ({tokens['prompt']:,} tokens read, {tokens['answer']:,} written)" if tokens else ""


def _rest(trace: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whatever else was recorded, as it is."""
    return [(key.replace("_", " "), _plain(value)) for key, value in trace.items() if key not in SAID and value]


def _plain(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)
    if len(shown) <= 160 and "\n" not in shown:
        return escape(shown)
    return tag("details", tag("summary", "as recorded") + tag("pre", escape(shown), tabindex="0"))
