"""Remove the thinking that a model writes into its reply."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_THOUGHTS = ("think", "thinking", "thought", "reasoning")
_THOUGHT_TAG = re.compile(rf"[ \t]*<(/?)({'|'.join(_THOUGHTS)})>", re.IGNORECASE)
_TAG_BEGUN = frozenset(
    tag[:size] for name in _THOUGHTS for tag in (f"<{name}>", f"</{name}>") for size in range(len(tag))
)


@dataclass
class ThoughtFilter:
    """Takes `<think>...</think>` out of a stream, also where a tag is torn between two pieces.

    A tag counts at the start of a line only. A closing tag alone means that the prompt had opened it: all before it
    was thinking, and `restarts` says so to whoever has passed it on.
    """

    restarts: int = 0
    _held: str = field(default="", repr=False)
    _closing: re.Pattern[str] | None = field(default=None, repr=False)
    _at_line_start: bool = field(default=True, repr=False)
    _after_tag: bool = field(default=False, repr=False)

    def feed(self, text: str) -> str:
        """What of the stream so far can be passed on."""
        self._held += text
        out: list[str] = []
        while self._held:
            if self._closing:
                if not (end := self._closing.search(self._held)):
                    self._held = self._held[-12:]
                    break
                self._held, self._closing = self._held[end.end() :], None
                self._at_line_start = self._after_tag = True
            elif self._after_tag and self._held[0].isspace():
                self._held = self._held.lstrip()
            elif self._at_line_start and (tag := _THOUGHT_TAG.match(self._held)):
                self._held = self._held[tag.end() :]
                if tag.group(1):
                    out.clear()
                    self.restarts += 1
                    self._after_tag = True
                else:
                    self._closing = re.compile(f"</{tag.group(2)}>", re.IGNORECASE)
            elif self._at_line_start and self._held.lstrip(" \t").lower() in _TAG_BEGUN:
                break
            else:
                self._after_tag = False
                line, newline, self._held = self._held.partition("\n")
                out.append(line + newline)
                self._at_line_start = bool(newline)
        return "".join(out)

    def flush(self) -> str:
        """The rest, when the stream has ended."""
        rest = "" if self._closing else self._held
        self._held = ""
        return rest
