"""The part of a reply that is being read, and what every reader of it needs: the known keys, and where to write."""

from __future__ import annotations

from rag.citations.keys import KeyReader
from rag.citations.spacing import SpacedWriter

Step = int | None
"""Where reading goes on; None to wait for more of the reply."""


class ReplyBuffer:
    """What of a reply has arrived and is not read yet.

    Args:
        keys: Reads the keys of sentences.
        writer: Takes what was read.
    """

    def __init__(self, keys: KeyReader, writer: SpacedWriter) -> None:
        self.keys, self.writer = keys, writer
        self.text = ""

    def literal(self, position: int, end: int) -> int:
        """Write a part of it as it stands; returns where reading goes on."""
        self.writer.text(self.text[position:end])
        return end
