"""White space around markers: removed together with a dropped marker, and between neighbouring ones."""

from __future__ import annotations

import re

from rag.citations.keys import Mark
from rag.citations.printing import BLANK_LINE, LINE_HEAD, Dropped
from rag.citations.sentence_buffer import SentenceBuffer

_CLOSING = frozenset(".,;:!?)]}…»”’\"'")
_JOINT = re.compile(r"[,;][,;\s]*")


class SpacedWriter:
    """Settles white space: what surrounds a dropped marker goes with it, neighbouring markers stand together."""

    def __init__(self, sentences: SentenceBuffer, dropped: Dropped) -> None:
        self._sentences = sentences
        self._dropped = dropped
        self._space: list[str] = []
        self._cluster: list[Mark] | None = None
        self._cluster_space = ""
        self._line = ""
        self._empty = True

    @property
    def at_line_start(self) -> bool:
        """Whether the line so far holds nothing but white space, quotation and list marks."""
        return self._blank("".join(self._space))

    def _blank(self, space: str) -> bool:
        _, newline, line = space.rpartition("\n")
        head = line if newline else self._line + line
        return len(head) < LINE_HEAD and BLANK_LINE.match(head) is not None

    def text(self, text: str) -> None:
        """Write text in which nothing counts as a citation any more."""
        body = text.strip()
        if not body:
            self._space.append(text)
            return
        lead = len(text) - len(text.lstrip())
        self._space.append(text[:lead])
        trail = text[lead + len(body) :]
        if self._cluster is not None and (joint := _JOINT.match(body)):
            rest = body[joint.end() :].lstrip()
            self._space.append(body[: len(body) - len(rest)])
            body = rest
        if body:
            self._settle(body[0])
            self._write(body)
        self._space.append(trail)

    def raw(self, text: str) -> None:
        """Write a formula or code within a line as it is."""
        self._settle(text[:1])
        self._sentences.raw(text)
        self._advance(text)

    def block(self, text: str) -> None:
        """Write a line of a block of code as it is."""
        self._settle(text[:1])
        self._sentences.block(text)
        self._advance(text)

    def mark(self, mark: Mark) -> None:
        """Note a marker; neighbours are written together."""
        if self._cluster is not None and any("\n" in space for space in self._space):
            self._settle("")
        if self._cluster is None:
            self._cluster, self._cluster_space, self._space = [], "".join(self._space), []
        self._space = []
        self._cluster.append(mark)
        self._dropped.add(mark.dropped)

    def close(self) -> None:
        """The reply is over; white space at its end is left out."""
        self._settle("")
        self._sentences.close()

    def _settle(self, following: str) -> None:
        """Write what is pending in front of text that begins with `following` ("" if none does)."""
        space = "".join(self._space)
        self._space = []
        if self._cluster is not None:
            found = {keyed.key: keyed for mark in self._cluster for keyed in mark.sentences}
            self._cluster = None
            if found:
                lead = "" if self._empty else self._cluster_space
                self._sentences.mark(tuple(found.values()), lead)
                self._advance(lead + "]")
            else:
                space = self._space_without_mark(space, following)
        if following:
            self._write("" if self._empty else space)
        elif "\n" in space:
            self._space = [space]

    def _space_without_mark(self, space: str, following: str) -> str:
        lead = self._cluster_space
        if self._blank(lead):
            return lead + (space if "\n" in space else space.lstrip(" \t,;"))
        return space if space or following in _CLOSING or not following else lead

    def _write(self, text: str) -> None:
        self._sentences.text(text)
        self._advance(text)

    def _advance(self, text: str) -> None:
        self._empty = self._empty and not text
        _, newline, line = text.rpartition("\n")
        self._line = (line if newline else self._line + line)[:LINE_HEAD]
