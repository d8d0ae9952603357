"""Ask questions of forum comments; every citation is an exact span of a real comment."""

from rag.api import answer, comments, search, source_text, stream_answer
from rag.errors import RagError
from rag.records import Answer, Citation, Comment, Coverage, Filters, IndexInfo, Passage, Span, Turn
from rag.settings import Settings

__all__ = [
    "Answer",
    "Citation",
    "Comment",
    "Coverage",
    "Filters",
    "IndexInfo",
    "Passage",
    "RagError",
    "Settings",
    "Span",
    "Turn",
    "answer",
    "comments",
    "search",
    "source_text",
    "stream_answer",
]
