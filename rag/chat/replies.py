"""Clean up a model's reply: removes loops, copied instructions and unfinished ends.

Small models repeat themselves, copy their prompt and stop in mid-sentence. These are pure functions on the raw reply,
with sentence keys still in it; markers are read afterwards (see rag/citations/markers.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from rag.chat.prompts import ABSTAIN, Message
from rag.language.phrases import said_in_all
from rag.language.sentences import split_sentences
from rag.records import SentenceCheck

_LOOK_BACK = 1200
_LONGEST_UNIT = 400
_REPEATED_CHARS = 60
_LINE = re.compile(r"[^\n]*\n?")
_COPIED_CHARS = 30
_SENTENCE_END = re.compile(r"[.!?…:。！？][\"'”’»)\]*_\s]*(?:\[[^\[\]\n]{1,80}\][.\s]*)*\Z")
_NOT_LETTERS = re.compile(r"[\W_]+")


def repeated_tail(text: str) -> int:
    """How many characters at the end only repeat what stands before them.

    A stretch counts as repeated if it stands there three times or more in a row, over 60 characters at least; its first
    occurrence is not counted.
    """
    tail = text[-_LOOK_BACK:]
    for size in range(1, min(_LONGEST_UNIT, len(tail) // 3) + 1):
        unit = tail[-size:]
        times = max(3, -(-_REPEATED_CHARS // size))
        if tail.endswith(unit * times) and any(char.isalnum() for char in unit):
            return _unrolled(text, unit) - size
    return 0


def _unrolled(text: str, unit: str) -> int:
    end = len(text)
    while text.endswith(unit, 0, end):
        end -= len(unit)
    return len(text) - end


def without_prompt(reply: str, messages: Sequence[Message], nonce: str) -> str:
    """The reply without lines that the model copied from its instructions, or sentences of them, or from the fences."""
    orders = [message.content for message in messages if message.role == "system"]
    orders.append(messages[-1].content.rpartition("\n\n")[2])
    lines = [line for text in orders for line in text.split("\n")]
    told = {_letters(part) for line in lines for part in (line, *_sentences(line))}
    told = {part for part in told if len(part) >= _COPIED_CHARS} - {_letters(ABSTAIN)}

    def copied(line: str) -> bool:
        return _letters(line) in told or all(_letters(sentence) in told for sentence in _sentences(line))

    return "".join(line for line in _LINE.findall(reply) if not line.strip() or not (nonce in line or copied(line)))


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


_LEADING_KEYS = re.compile(
    r"^([ \t]*(?:(?:[-*•+]|\d{1,3}[.)])[ \t]+)?)((?:\[[^\[\]\n]{1,80}\][ \t]*)+):?[ \t]*(\S[^\n]*)$", re.M
)


def with_keys_behind(reply: str, keys: Collection[str]) -> str:
    """The reply with keys at the start of a line moved to its end, if it has none there.

    That is how models cite that imitate the passages, and elsewhere a key belongs to what stands before it.
    """

    def moved(line: re.Match[str]) -> str:
        lead, marks, rest = line.groups()
        known = any(key in marks for key in keys)
        return line[0] if not known or any(key in rest for key in keys) else f"{lead}{rest.rstrip()} {marks.strip()}"

    return _LEADING_KEYS.sub(moved, reply)


def without_torn_end(reply: str) -> str:
    """The reply without a last sentence that was cut off; unchanged if there is no other."""
    if _SENTENCE_END.search(reply.rstrip()[-200:]):
        return reply
    sentences = split_sentences(reply)
    return reply[: sentences[-2][1]] if len(sentences) > 1 else reply


def is_abstention(text: str) -> bool:
    """Whether a reply without citations says that the passages do not answer."""
    return any(_letters(sentence) in _letters(text) for sentence in said_in_all("abstain"))


def says_only_abstention(text: str) -> bool:
    """Whether a reply is that sentence and nothing else, whatever it cites for it."""
    return _letters(re.sub(r"\[\d+\]", "", text)) in {_letters(sentence) for sentence in said_in_all("abstain")}


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub(" ", text).strip().casefold()


def marked(text: str, checks: Iterable[SentenceCheck], marks: dict[str, str]) -> tuple[str, tuple[SentenceCheck, ...]]:
    """Put a mark behind every sentence whose status has one, and move the checks along.

    Args:
        text: The answer.
        checks: In reading order, offsets into `text`.
        marks: What to write for which status.
    """
    pieces: list[str] = []
    moved: list[SentenceCheck] = []
    position = shift = 0
    for check in checks:
        mark = marks.get(check.status, "")
        # What stands behind the last bar of a table's row is not shown.
        row = re.search(r"\s*\|\Z", text[check.start : check.end])
        end = check.end - len(row[0]) if row else check.end
        pieces += [text[position:end], mark]
        position = end
        moved.append(replace(check, start=check.start + shift, end=check.end + shift + len(mark)))
        shift += len(mark)
    pieces.append(text[position:])
    return "".join(pieces), tuple(moved)
