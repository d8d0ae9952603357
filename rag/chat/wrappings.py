"""Unwrap a model's answer: removes labels, code fences, JSON, chat-template marks and invented turns.

Small models reply as if to a program, repeat the question, or go on with the next one. This works on the raw reply while
it streams, with sentence keys still in it, and does not depend on how the reply is cut into pieces.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from rag.citations.keys import CODE

_LABELS = (
    *(
        f"{of}{word}"
        for of in ("", "final ", "short ", "my ", "the ")
        for word in ("answer", "response", "reply", "output")
    ),
    *"assistant antwort réponse respuesta resposta risposta antwoord ответ 回答 答案 答".split(),
)
_LABEL_WORDS = "|".join(_LABELS)
_LABEL = re.compile(
    rf"(?:#{{1,4}} *)?(?:\*\*|__)?(?:{_LABEL_WORDS})(?:\*\*|__)?(?: *[:：](?:\*\*|__)?[ \t]*|[ \t]*(?=\n))",
    re.IGNORECASE,
)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*(\w*)[ \t]*\n")
_FENCE_BEGUN = re.compile(r"[ \t]*(?:`{1,3}|~{1,3}|(?:`{3,}|~{3,})[ \t]*\w{0,12}[ \t]*)\Z")
_WRITING = frozenset({"", "markdown", "md", "text", "txt", "plaintext", "json", "jsonc", "json5", "answer", "output"})
"""What stands behind a fence round writing; other words name a programming language."""
_JSON = re.compile(r"\{\s*[\"']\w[^\n\"']{0,40}[\"']\s*:|\[\s*\{\s*[\"']")
_JSON_BEGUN = re.compile(r"\{\s*(?:[\"'](?:\w[^\n\"']{0,40}(?:[\"']\s*)?)?)?\Z|\[\s*(?:\{\s*)?\Z")
_NEXT_TURN = re.compile(r"(?:#{1,4} *)?(?:Question|User|Human)[ \t]*:", re.IGNORECASE)
_NEXT_TURN_BEGUN = re.compile(r"(?:#{1,4} *|#{1,4})?[a-z]{0,8}[ \t]*\Z", re.IGNORECASE)
_TURNS = ("question", "user", "human")
_OPENING = re.compile(r"<(?:answer|response|output)>", re.IGNORECASE)
_TEMPLATE_MARK = re.compile(
    r"<\|[\w ]{1,30}\|>|<(?:start|end)_of_turn>|\[/?INST\]|</?(?:answer|response|output)>", re.IGNORECASE
)
"""A comment's own marks of this kind are neutralised before a model sees them, so these are the template's."""
_MARK_LENGTH = 35
_NOT_WORDS = re.compile(r"[\W_]+")


class Unwrapper:
    """Takes the wrappings off a reply.

    Args:
        question: As it was asked: a model may repeat it before it answers.
    """

    def __init__(self, question: str) -> None:
        self._question = _words(question)
        self._held = ""
        self._passed = ""
        self._begun = False
        """Something of the answer was passed on that can be seen."""
        self._line_start = True
        self._fence = self._code = ""
        """The sign of the fence round writing, or round code, that is open."""
        self._json = self._over = False

    def feed(self, text: str) -> str:
        """What of the reply so far can be passed on."""
        self._held += text
        return "".join(self._pieces(final=False))

    def flush(self) -> str:
        """The rest, when the reply has ended."""
        return "".join(self._pieces(final=True))

    def _pieces(self, *, final: bool) -> Iterator[str]:
        piece: str | None
        while self._held and not self._over and not (self._json and not final):
            if self._json:
                piece, self._held = prose_of_json(self._held), ""
            elif self._line_start:
                taken = self._at_line_start(final)
                if taken is None:
                    return
                self._held = self._held[taken:]
                if taken:
                    continue
                self._line_start = False
                continue
            else:
                piece = self._within_line(final)
                if piece is None:
                    return
            self._begun = self._begun or bool(piece.strip())
            self._passed += piece
            yield piece
        if self._over:
            self._held = ""

    def _at_line_start(self, final: bool) -> int | None:
        """How many characters to drop, 0 if what follows is the answer's own; None to wait for more."""
        held = self._held
        if not self._begun and held[0].isspace():
            return len(held) - len(held.lstrip())
        if fence := _FENCE.match(held if not final else f"{held}\n"):
            return self._fence_line(fence, final)
        if self._code:
            return None if not final and _FENCE_BEGUN.match(held) else 0
        if _JSON.match(held) and not _CITED.search(self._passed):
            self._json = True
            return None if not final else 0
        if self._begun and _NEXT_TURN.match(held):
            self._over = True
            return None
        if not self._begun and (dropped := self._label(final)) != 0:
            return dropped
        begun = _FENCE_BEGUN.match(held) or _JSON_BEGUN.match(held) or (self._begun and self._turn_begun())
        return None if begun and not final else 0

    def _fence_line(self, fence: re.Match[str], final: bool) -> int | None:
        """The length of a fence round writing, or the end of one; 0 where it is round code."""
        mark, info = fence[1][0], fence[2].lower()
        if self._fence:
            closing = mark == self._fence and not info
            self._fence = "" if closing else self._fence
            return min(fence.end(), len(self._held)) if closing else 0
        if self._code:
            self._code = "" if mark == self._code and not info else self._code
            return 0
        if info in _WRITING and self._begun and not info:
            within, closed, _ = self._held[fence.end() :].partition(fence[1])
            if not closed and not final and not _CITED.search(within):
                return None
            info = info if _CITED.search(within) else "code"
        if info not in _WRITING:
            self._code = mark
            return 0
        self._fence = mark
        return min(fence.end(), len(self._held))

    def _label(self, final: bool) -> int | None:
        """The length of a label or of the question said again, at the beginning of the answer."""
        held = self._held
        if mark := _TEMPLATE_MARK.match(held):
            return mark.end()
        if label := _LABEL.match(held):
            return label.end() if final or held[label.end() :].strip("*_") else None
        line, newline, _ = held.partition("\n")
        said = _words(re.sub(r"^\W*(?:question|q)\s*:", "", line, flags=re.IGNORECASE))
        if newline or final:
            return len(line) + len(newline) if said and said == self._question else 0
        begins_label = not re.search(r"[.!?,\[]", held) and any(
            one.startswith(_words(held)) for one in (*_LABELS, "question")
        )
        begins_mark = held[0] == "<" and len(held) < _MARK_LENGTH and ">" not in held
        return None if begins_label or begins_mark or self._question.startswith(said) else 0

    def _turn_begun(self) -> bool:
        word = self._held.lstrip("# ").rstrip().lower()
        return bool(_NEXT_TURN_BEGUN.match(self._held)) and any(turn.startswith(word) for turn in _TURNS)

    def _within_line(self, final: bool) -> str | None:
        """The next of a line, up to a mark of a chat template: behind that it is no longer the answer."""
        line, newline, rest = self._held.partition("\n")
        if mark := _TEMPLATE_MARK.search(line):
            said = self._begun or bool(line[: mark.start()].strip())
            self._over = said and not _OPENING.fullmatch(mark[0])
            piece, self._held = line[: mark.start()], self._held[mark.end() :]
            return piece
        keep = 0
        if not newline and not final:
            opened = max(line.rfind("<"), line.rfind("[/"), line.rfind("[I"))
            keep = len(line) - opened if opened >= len(line) - _MARK_LENGTH and opened >= 0 else 0
            keep = keep or int(line.endswith("["))
        piece = line[: len(line) - keep] + newline
        if not piece:
            return None
        self._held = line[len(line) - keep :] + rest
        self._line_start = bool(newline)
        return piece


def unwrapped(reply: str, question: str) -> str:
    """A whole reply without its wrappings."""
    unwrapper = Unwrapper(question)
    return unwrapper.feed(reply) + unwrapper.flush()


def _words(text: str) -> str:
    return _NOT_WORDS.sub(" ", text).strip().casefold()


# --- JSON -------------------------------------------------------------------------------------------------------------

_SAID_IN = ("answer", "response", "reply", "output", "result", "content", "text", "message", "summary")
"""Names of the field that holds an answer, the surest first."""
_NOT_SAID = ("question", "query", "think", "thinking", "thought", "thoughts", "reasoning", "analysis", "confidence")
_CITED = re.compile(rf"(?<![^\W_]){CODE}\.\d", re.IGNORECASE)
_PROSE_LENGTH = 12
"""From this length on a text without a space may be a sentence, as in Chinese."""
_KEY = re.compile(rf"(?<![^\W_]){CODE}(?:[.:#·]\d+)?(?![^\W_])", re.IGNORECASE)
_TORN_FIELD = re.compile(rf'"(?:{"|".join(_SAID_IN)})"\s*:\s*"((?:[^"\\]|\\.)*)', re.IGNORECASE)


def prose_of_json(text: str) -> str:
    """The sentences of an answer that was written as JSON, keys behind them; "" if it cannot be read."""
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        value = _literal(text)
    return "\n\n".join(_paragraphs(value))


def _literal(text: str) -> Any:
    """A value written as Python would; else the answer of one that broke off, or that is no JSON further on."""
    try:
        return ast.literal_eval(text[: max(text.rfind("}"), text.rfind("]")) + 1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        torn = _TORN_FIELD.search(text)
    return re.sub(r"\\(.)", lambda sign: {"n": "\n", "t": " "}.get(sign[1], sign[1]), torn[1]) if torn else ""


def _paragraphs(value: Any) -> list[str]:
    if isinstance(value, str):
        words = _KEY.sub("", value)
        return [value.strip()] if re.search(r"\w\s+\w", words) or len(words) >= _PROSE_LENGTH else []
    if isinstance(value, list):
        return [paragraph for one in value for paragraph in _paragraphs(one)]
    if not isinstance(value, dict):
        return []
    named = {str(name).casefold(): one for name, one in value.items()}
    said = next((found for name in _SAID_IN if (found := _paragraphs(named.get(name)))), None)
    if said is None:
        said = [text for name, one in named.items() if name not in _NOT_SAID for text in _paragraphs(one)]
    keys = [key for one in value.values() for key in _bare_keys(one)]
    if keys and not any(map(_KEY.search, said)):
        said = [f"{paragraph} [{', '.join(keys)}]" for paragraph in said]
    return said


def _bare_keys(value: Any) -> list[str]:
    """The keys of a field that holds nothing else."""
    if isinstance(value, list):
        return [key for one in value for key in _bare_keys(one)]
    bare = isinstance(value, str) and not re.search(r"\w", _KEY.sub("", value))
    return _KEY.findall(value) if bare else []
