"""Code and formulas in a reply: shown whole and as they are, unless they are a marker in disguise.

Code keeps every character. A formula keeps what sets it and loses what could link, load, style, or pass for a citation.
"""

from __future__ import annotations

import re

from rag.citations.reply_buffer import ReplyBuffer, Step

_CODE_LIMIT = 400
_MATH_LIMIT = 2000
_MATH_NUMBER = re.compile(r"\[(\d+)\]")
_MATH_ACTIVE = re.compile(
    r"\\(?=(?:href|url|includegraphics|html[a-z]*|def|[egx]def|g?let|(?:re)?newcommand)(?![a-z]))", re.I
)
"""Commands of a formula that link, load, style or define."""
_FENCE_LINE = re.compile(r"[ \t>]*+(`{3,}|~{3,})[ \t]*+\Z")
_FENCE_BEGUN = re.compile(r"[ \t>]*+[`~]*+[ \t]*+\Z")


class CodeAndFormulas:
    """Reads them where a backtick, a tilde, a dollar sign or a backslash stands.

    Every method gets the place of that character and whether the reply is over, and returns where reading goes on. What
    it decides depends on the reply only, never on where a chunk ended: if the buffer ends too early it returns None.
    """

    def __init__(self, reply: ReplyBuffer) -> None:
        self._reply = reply
        self.fence = ""
        """What opened the block of code that is being read; "" outside of one."""

    def backticks(self, position: int, final: bool) -> Step:
        end = self._run_end(position)
        if end == len(self._reply.text) and not final and end - position < _CODE_LIMIT:
            return None
        if end - position >= 3 and self._reply.writer.at_line_start:
            opened = self._open_fence(position, end, final)
            if opened != position:
                return opened
        run = self._reply.text[position:end]
        window = self._reply.text[end : end + _CODE_LIMIT]
        line, newline, _ = window.partition("\n")
        closing = re.search(rf"(?<!`)`{{{len(run)}}}(?!`)", line) if len(run) < _CODE_LIMIT else None
        touching = closing is not None and end + closing.end() == len(self._reply.text)
        decided = final or newline or len(window) == _CODE_LIMIT or len(run) == _CODE_LIMIT
        if (closing is None or touching) and not decided:
            return None
        if closing is None:
            return self._reply.literal(position, end)
        mark = self._reply.keys.read(line[: closing.start()], square=False)
        if mark is not None:  # keys cannot be guessed, so no code holds one
            self._reply.writer.mark(mark)
        else:
            self._reply.writer.raw(run + line[: closing.end()])
        return end + closing.end()

    def tildes(self, position: int, final: bool) -> Step:
        if not self._reply.writer.at_line_start:
            return self._reply.literal(position, position + 1)
        end = self._run_end(position)
        if end == len(self._reply.text) and not final and end - position < _CODE_LIMIT:
            return None
        opened = self._open_fence(position, end, final) if end - position >= 3 else position
        return self._reply.literal(position, end) if opened == position else opened

    def _run_end(self, position: int) -> int:
        """Where a run of one character ends; a run beyond the limit is taken for several."""
        window = self._reply.text[position : position + _CODE_LIMIT]
        return position + len(window) - len(window.lstrip(window[0]))

    def _open_fence(self, position: int, end: int, final: bool) -> Step:
        """Open a block of code; returns `position` if it is none."""
        window = self._reply.text[end : end + _CODE_LIMIT]
        info, newline, _ = window.partition("\n")
        if not newline and not final and len(window) < _CODE_LIMIT:
            return None
        fence = self._reply.text[position:end]
        if (not newline and not final) or (fence[0] == "`" and "`" in info):
            return position
        self.fence = fence
        self._reply.writer.block(fence + info + newline)
        return end + len(info) + len(newline)

    def code_line(self, position: int, final: bool) -> Step:
        newline = self._reply.text.find("\n", position)
        end = newline + 1 if newline >= 0 else len(self._reply.text)
        piece = self._reply.text[position:end]
        if newline < 0 and not final and _FENCE_BEGUN.match(piece) and len(piece) < _CODE_LIMIT:
            return None
        closing = _FENCE_LINE.match(piece.rstrip("\n"))
        if (
            closing
            and self._reply.writer.at_line_start
            and closing[1][0] == self.fence[0]
            and len(closing[1]) >= len(self.fence)
        ):
            self.fence = ""
            self._reply.writer.block(piece.rstrip("\n"))
            return position + len(piece.rstrip("\n"))
        self._reply.writer.block(piece)
        return end

    def dollars(self, position: int, final: bool) -> Step:
        if position + 1 == len(self._reply.text) and not final:
            return None
        if self._reply.text.startswith("$$", position):
            return self._formula(position, "$$", final)
        return self._inline_formula(position, final)

    def _formula(self, position: int, closing: str, final: bool) -> Step:
        """A formula is shown whole or not yet; a blank line inside means that it is none."""
        start = position + 2
        window = self._reply.text[start : start + _MATH_LIMIT]
        at = window.find(closing)
        blank = window.find("\n\n")
        if at < 0 or 0 <= blank < at:
            if at < 0 and blank < 0 and not final and len(window) < _MATH_LIMIT:
                return None
            return self._reply.literal(position, start)
        end = start + at + len(closing)
        if (
            self._reply.keys.in_text(window[:at])
            or self._reply.keys.read(window[:at], square=closing == "\\]") is not None
        ):
            return self._escaped_marker(position, start, start + at, end, closing)
        self._reply.writer.raw(_harmless_formula(self._reply.text[position:end]))
        return end

    def _escaped_marker(self, position: int, start: int, stop: int, end: int, closing: str) -> int:
        """A key where a formula was expected: `\\[key\\]` is a marker with needless backslashes."""
        mark = self._reply.keys.read(self._reply.text[start:stop], square=closing == "\\]")
        if mark is None:
            self._reply.writer.text(self._reply.text[position:start])
            return start
        self._reply.writer.mark(mark)
        return end

    def _inline_formula(self, position: int, final: bool) -> Step:
        """`$...$` by Pandoc's rule: no space inside the dollars, no digit behind them, on one line."""
        window = self._reply.text[position : position + _CODE_LIMIT]
        formula = re.match(r"\$(?![\s$])[^$\n]*?(?<![\s\\])\$(?!\d)", window)
        begun = re.match(r"\$(?![\s$])[^$\n]*+\$?\Z", window)
        if not final and begun and len(window) < _CODE_LIMIT:
            return None
        if formula is None or self._reply.keys.in_text(formula[0]):
            return self._reply.literal(position, position + 1)
        self._reply.writer.raw(_harmless_formula(formula[0]))
        return position + formula.end()

    def backslash(self, position: int, final: bool) -> Step:
        pair = self._reply.text[position : position + 2]
        if len(pair) < 2 and not final:
            return None
        if pair == "\\[":
            return self._formula(position, "\\]", final)
        if pair == "\\(":
            return self._formula(position, "\\)", final)
        if pair[1:] and pair[1:] in "`$<~!^\\":
            return self._reply.literal(position, position + 2)
        return self._reply.literal(position, position + 1)


def _harmless_formula(formula: str) -> str:
    """A formula without numbers that look like citations, and without commands that do more than set it."""
    return _MATH_ACTIVE.sub("", _MATH_NUMBER.sub(r"[{\1}]", formula))
