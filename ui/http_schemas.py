"""Request and response schemas of the HTTP interface, as its OpenAPI description shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from rag.errors import FilterError
from rag.records import Citation, Comment, Filters, Passage, SentenceCheck


class Problem(BaseModel):
    """What went wrong, as a sentence."""

    message: str
    field: str | None = None
    """Where in the request, if that is known."""


class Failure(BaseModel):
    """Every error has this shape."""

    error: Problem


class Message(BaseModel):
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


def _kind(value: Any) -> str:
    return "date" if len(str(value)) == len("2024-05-01") else "datetime"


# Left to itself pydantic reads midnight as the whole day, and forgets its time zone.
When = Annotated[Annotated[date, Tag("date")] | Annotated[datetime, Tag("datetime")], Discriminator(_kind)]


class Where(BaseModel):
    """What to search in; empty fields do not restrict."""

    model_config = ConfigDict(extra="forbid")

    authors: list[str] = []
    since: When | None = None
    until: When | None = None
    sources: list[str] = []

    def filters(self) -> Filters:
        return filters_of(self.authors, self.since, self.until, self.sources)


class Search(BaseModel):
    """What to look for, and where."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, pattern=r"\S")
    limit: int = Field(5, ge=1, le=50)
    author: list[str] = []
    since: When | None = None
    until: When | None = None
    source: list[str] = []

    def filters(self) -> Filters:
        return filters_of(self.author, self.since, self.until, self.source)


class Ask(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, pattern=r"\S", description="In plain words.")
    history: list[Message] = Field([], description="The conversation so far, oldest first.")
    filters: Where = Where()
    stream: bool = Field(False, description="Server-sent events: partial answers, then the checked one.")


class Said(BaseModel):
    """An answer."""

    question: str
    text: str = Field(description="With `[n]` where a citation belongs.")
    citations: list[Citation]
    passages: list[Passage]
    abstained: bool
    model: str = Field(description='Who wrote it: "evidence" if it is made of quotes.')
    coverage: str
    warnings: list[str]
    checks: list[SentenceCheck] = Field(description="What was found of each sentence that a model wrote.")
    suggestions: list[str] = Field(description="Questions that may be asked next.")


class Answered(Said):
    """An answer, and how it came about."""

    trace: dict[str, Any] = Field(
        description="What happened on the way: searches, scores, prompt, token counts, timings."
    )


class Passages(BaseModel):
    """What a search found."""

    passages: list[Passage]


class InContext(BaseModel):
    """A comment and the one it replies to."""

    comment: Comment
    parent: Comment | None


class Author(BaseModel):
    """Somebody who is indexed."""

    author: str
    comments: int


class Authors(BaseModel):
    """Everybody who is indexed."""

    authors: list[Author]


class Health(BaseModel):
    """What is indexed, and who answers."""

    status: Literal["ok"]
    comments: int
    passages: int
    model: str


FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": text}
    for status, text in {
        400: "The request is no JSON.",
        403: "Another origin or host.",
        411: "A request with a body does not say how long it is.",
        413: "The request is too large.",
        422: "The request is not as described, or no comment can match it.",
        500: "A defect; the log of the server has the details.",
        502: "The chat model cannot be set up. One that merely fails is replaced by quotes.",
        503: "There is no index, or it cannot be read.",
    }.items()
}
MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Failure, "description": "There is none of that name."}}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "JSON, or events if asked for.",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "properties": {"event": {"type": "string"}, "data": {"type": "string", "description": "JSON"}},
                    "required": ["data"],
                }
            }
        },
    }
}


def told(model: type[BaseModel], *more: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """What a route answers, for its description."""
    described: dict[int | str, dict[str, Any]] = {**FAILURES, 200: {}}
    for part in more:
        described |= part
    described[200] = {**described[200], "model": model}
    return described


def filters_of(
    authors: Sequence[str], since: date | datetime | None, until: date | datetime | None, sources: Sequence[str]
) -> Filters:
    """Filters of a request.

    Raises:
        HTTPException: 422, no comment can match them.
    """
    try:
        filters = Filters(tuple(authors), since, until, tuple(sources))
    except FilterError as exc:
        raise HTTPException(422, str(exc)) from None
    if filters.since and filters.until and filters.since > filters.until:
        raise HTTPException(422, f"since ({since}) is after until ({until}), so no comment can match.")
    return filters


def failure(status: int, message: str, field: str | None = None) -> JSONResponse:
    """An error as `Failure` describes it."""
    problem = {"message": message} | ({"field": field} if field else {})
    return JSONResponse({"error": problem}, status_code=status)
