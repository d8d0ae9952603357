"""Validate a question and the conversation before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.errors import QuestionError
from rag.records import Turn, written


def checked(question: str, history: Iterable[Turn] | None, most: int | None = None) -> Sequence[Turn]:
    """The conversation before a question, if both can be taken.

    Args:
        question: What is asked.
        history: The conversation so far; none is as good as an empty one.
        most: Characters that a question may have.

    Raises:
        QuestionError: The question is empty, too long or no text, or the conversation holds something else than turns.
    """
    if not written(question):
        raise QuestionError(
            f"The question {question!r:.60} is no text, or has half a sign in it. Give a text that was not cut, in UTF-8."
        )
    if not question.strip():
        raise QuestionError("The question is empty. Ask something about the comments.")
    if most and len(question) > most:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {most:,} are taken. Shorten it, or raise the "
            "setting max_question_chars."
        )
    turns = tuple(history or ())
    for turn in turns:
        if not (isinstance(turn, Turn) and turn.role in ("user", "assistant") and written(turn.content)):
            raise QuestionError(
                f'The history holds {turn!r:.60}. Give texts by "user" and "assistant", as rag.Turn("user", "Why?").'
            )
    return turns
