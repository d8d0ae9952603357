"""The page's API for programs: what `gradio_client` and MCP see, named and documented.

Gradio takes argument names, types and descriptions from the functions here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import QuestionError, RagError
from rag.records import Turn, to_plain
from ui.rendering import plain_answer
from ui.wording import read_filters

if TYPE_CHECKING:
    from ui.app import Answerer

MOST_FOUND = 50
"""Passages that one search returns at most: anybody who reaches the page may call it."""


class Endpoints:
    """Functions over one answerer, to be offered by `offer`.

    Args:
        answerer: Answers questions and knows the index.
    """

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    def offer(self, *, mcp: bool = False) -> None:
        """Register all endpoints; call inside a `gr.Blocks`.

        Args:
            mcp: Whether they become MCP tools: an agent needs `ask` or `chat`, not both, so `chat` is not listed then.
        """
        gr.api(self.chat, api_name="chat", api_visibility="undocumented" if mcp else "public")
        for function in (self.ask, self.search, self.get_comment, self.list_authors):
            gr.api(function, api_name=function.__name__)

    def chat(self, message: str, history: list[dict] | None = None) -> Iterator[str]:
        """Answer a question about the indexed comments, as growing text with numbered sources below it.

        Args:
            message: The question, in plain words.
            history: Earlier messages, each with "role" and "content".
        """
        with _errors_for_callers():
            for answer in self._answerer.stream(message, history=turns_of(history)):
                yield plain_answer(answer)

    def ask(
        self,
        question: str,
        history: list[dict] | None = None,
        authors: list[str] | None = None,
        since: str = "",
        until: str = "",
        sources: list[str] | None = None,
    ) -> Iterator[dict]:
        """Answer a question with citations that are exact spans of real comments.

        Args:
            question: In plain words.
            history: Earlier messages, each with "role" and "content".
            authors: Only comments by these authors.
            since: Only comments from this day on, as YYYY-MM-DD.
            until: Only comments up to this day, as YYYY-MM-DD.
            sources: Only comments from these files.
        """
        with _errors_for_callers():
            filters = read_filters(authors, since, until, sources)
            for answer in self._answerer.stream(question, history=turns_of(history), filters=filters):
                yield answer.to_dict()

    def search(
        self,
        query: str,
        limit: int = 5,
        authors: list[str] | None = None,
        since: str = "",
        until: str = "",
        sources: list[str] | None = None,
    ) -> list[dict]:
        """Find the passages of comments that bear on a question, best first.

        Args:
            query: A question or words.
            limit: Most passages to return, up to 50.
            authors: Only comments by these authors.
            since: Only comments from this day on, as YYYY-MM-DD.
            until: Only comments up to this day, as YYYY-MM-DD.
            sources: Only comments from these files.
        """
        with _errors_for_callers():
            most = min(limit, MOST_FOUND) if isinstance(limit, int) else limit
            found = self._answerer.search(query, most, (), read_filters(authors, since, until, sources))
            return [to_plain(passage) for passage in found]

    def get_comment(self, comment_id: str) -> dict:
        """Get a whole comment with its author, date, link, parent and karma.

        Args:
            comment_id: As in the "comment_id" of a passage.
        """
        with _errors_for_callers():
            comment = self._answerer.store.comment(str(comment_id))
            if comment is None:
                raise gr.Error(f'No comment "{comment_id}" is indexed.', print_exception=False)
            return to_plain(comment)

    def list_authors(self) -> list[dict]:
        """List the authors whose comments are indexed, and how many comments each wrote."""
        with _errors_for_callers():
            return [{"author": name, "comments": number} for name, number in self._answerer.store.info().authors]


@contextmanager
def _errors_for_callers() -> Iterator[None]:
    """Known errors reach a caller as their message."""
    try:
        yield
    except RagError as error:
        raise gr.Error(str(error), print_exception=False) from error


def turns_of(history: list[dict] | None) -> tuple[Turn, ...]:
    """Gradio's or OpenAI's messages as turns: text only, system messages and thoughts left out.

    Raises:
        QuestionError: These are no messages.
    """
    try:
        return tuple(
            Turn(one["role"], text)
            for one in history or ()
            if one.get("role") in ("user", "assistant") and not (one.get("metadata") or {}).get("title")
            if (text := plain_content(one.get("content")))
        )
    except (AttributeError, TypeError) as exc:
        raise QuestionError('The history is no list of messages, each with "role" and "content".') from exc


def plain_content(content: Any) -> str:
    """Text of a message, in whichever shape it comes: a string, a part, or a list of parts, each a paragraph."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return text if isinstance(text := content.get("text"), str) else ""
    return "\n".join(filter(None, map(plain_content, content or ())))
