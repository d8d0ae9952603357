"""Questions with exact answers, and the files that hold them: read strictly, and checked against the index.

A mistake in such a file would look like bad retrieval in the figures. So each is reported on a line of its own: file, line,
what is wrong and what to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from rag import api
from rag.errors import SourceError
from rag.records import Filters, Span, Turn
from rag.settings import Settings

TOLD = 20
"""Mistakes of a file that are listed."""
SHOWN = 60
"""Characters of a quote that a message shows."""


@dataclass(frozen=True, slots=True)
class Gold:
    """One thing a good answer must show: the same words may stand at several places."""

    places: tuple[Span, ...]
    quotes: tuple[str | None, ...] = ()
    """The words at each place, as far as the file gives them."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with exact answers; without gold it is one that the comments do not answer."""

    id: str
    text: str
    type: str
    gold: tuple[Gold, ...]
    authors: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    split: str = "report"
    filters: Filters | None = None
    """Those that the question was asked with, if any."""
    place: str = ""
    """File and line that it was read from."""


def load_questions(path: Path) -> list[Question]:
    """Read questions from JSON Lines; see `rag/sample/README.txt` for the fields.

    Raises:
        SourceError: The file cannot be read, or a line is not a question; the message names file and line of each mistake.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError(f"The questions {path} cannot be read ({exc}).") from exc
    questions: list[Question] = []
    problems: list[str] = []
    places: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            question = _Line.read(line).question_at(place, number)
        except ValueError as exc:
            problems += [f"{place}: not a question: {problem}" for problem in _problems(exc)]
            continue
        if (earlier := places.setdefault(question.id, place)) != place:
            problems.append(f'{place}: the id "{question.id}" is that of {earlier}, too. Give each question its own.')
        questions.append(question)
    _refuse(problems)
    return questions


def check_questions(questions: Sequence[Question], settings: Settings) -> None:
    """See to it that all questions can be asked, and that their gold is what stands in the index.

    Raises:
        SourceError: Something is not as a question says; the message names the place of each mistake.
        StoreError: There is no index, or it cannot be read.
    """

    @cache
    def text(source: str) -> str | None:
        try:
            return api.source_text(source, settings)
        except SourceError:
            return None

    problems = []
    for question in questions:
        place = question.place or f'question "{question.id}"'
        limit = settings.max_question_chars
        if len(question.text) > limit:
            problems.append(
                f"{place}: question has {len(question.text):,} characters; at most {limit:,} are taken. "
                "Shorten it, or raise the setting max_question_chars."
            )
        for number, gold in enumerate(question.gold):
            quotes = gold.quotes or (None,) * len(gold.places)
            for span, quote in zip(gold.places, quotes, strict=True):
                if fault := _fault(span, quote, text(span.source)):
                    problems.append(f"{place}: gold[{number}]: {fault}")
    _refuse(problems)


def _fault(span: Span, quote: str | None, text: str | None) -> str | None:
    """What is wrong with a span, given the text of its source."""
    if text is None:
        return f"no source {span.source} is in the index. Ingest it, or write it as `commentariat sources` lists it (rows add #id)."
    if span.end > len(text):
        return f"end is {span.end}, but {span.source} has {len(text)} characters. Mark the words anew."
    found = text[span.start : span.end]
    if quote is None or found == quote:
        return None
    where = text.find(quote)
    todo = f"It stands at {where} to {where + len(quote)}." if where >= 0 else "Mark the words anew."
    return (
        f"at {span.start} to {span.end} of {span.source} stands {_shown(found)}, not the quote {_shown(quote)}. {todo}"
    )


def _shown(value: Any) -> str:
    """A value as it stands in such a file, cut short."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        more = [f"and {len(problems) - TOLD:,} more"] if len(problems) > TOLD else []
        raise SourceError("\n".join([*problems[:TOLD], *more]))


# --- what a line may hold ---------------------------------------------------------------------------------------------


def _absent_is_empty(value: Any) -> Any:
    return [] if value is None else value


def _listed(value: Any) -> Any:
    """One name stands for a list of it."""
    return [value] if isinstance(value, str) else _absent_is_empty(value)


def _known(value: Any) -> Any:
    if value is None:
        raise ValueError("it is null. List the spans that answer the question, or none ([]) if the comments do not")
    return value


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Names = Annotated[list[str], BeforeValidator(_listed)]


class _Fields(BaseModel):
    """Fields of a file; further ones are left alone, unless one looks like a misspelt one that is not there."""

    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def _spelt(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            missing = [name for name in cls.model_fields if name not in data]
            for name in data:
                if name not in cls.model_fields and (meant := get_close_matches(name.lower(), missing, 1, 0.75)):
                    raise ValueError(f'there is no field "{name}". Write "{meant[0]}"')
        return data


class _Place(_Fields):
    source: str
    start: Annotated[int, Field(ge=0)]
    end: int
    quote: str | None = None

    @model_validator(mode="after")
    def _holds_something(self) -> _Place:
        if self.start >= self.end:
            raise ValueError(f"start is {self.start} and end is {self.end}. End must be greater")
        return self

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)


class _Gold(_Place):
    also: Annotated[list[_Place], BeforeValidator(_absent_is_empty)] = []

    @property
    def gold(self) -> Gold:
        places = (self, *self.also)
        return Gold(tuple(place.span for place in places), tuple(place.quote for place in places))


class _Turn(_Fields):
    role: Literal["user", "assistant"]
    content: str


class _Filters(_Fields):
    model_config = ConfigDict(strict=True, extra="forbid")

    authors: _Names = []
    since: str | None = None
    until: str | None = None
    sources: _Names = []

    @model_validator(mode="after")
    def _can_be_met(self) -> _Filters:
        Filters(**self.model_dump())
        return self


class _Line(_Fields):
    """One line of a file of questions."""

    id: Annotated[str | None, BeforeValidator(_as_text)] = None
    question: str
    type: str | None = None
    gold: Annotated[list[_Gold], BeforeValidator(_known)] = []
    authors: _Names = []
    history: Annotated[list[_Turn], BeforeValidator(_absent_is_empty)] = []
    split: Literal["tune", "report"] | None = None
    filters: _Filters | None = None

    @classmethod
    def read(cls, line: str) -> _Line:
        data = json.loads(line)
        if not isinstance(data, dict):
            raise ValueError(f"{_shown(data)} is no object. Write one with question and gold on each line")
        return cls.model_validate(data)

    @field_validator("question")
    @classmethod
    def _asks_something(cls, question: str) -> str:
        if not question.strip():
            raise ValueError("it is empty. Write what is asked")
        return question

    def question_at(self, place: str, number: int) -> Question:
        return Question(
            id=self.id or str(number),
            text=self.question,
            type=self.type or ("direct" if self.gold else "unanswerable"),
            gold=tuple(item.gold for item in self.gold),
            authors=tuple(self.authors),
            history=tuple(Turn(turn.role, turn.content) for turn in self.history),
            split=self.split or "report",
            filters=Filters(**self.filters.model_dump()) if self.filters else None,
            place=place,
        )


def _problems(error: ValueError) -> Iterator[str]:
    """Each mistake of one line."""
    if isinstance(error, json.JSONDecodeError):
        yield f"this is no JSON ({error.msg}, column {error.colno}). Write one object with question and gold on each line."
    elif isinstance(error, ValidationError):
        for found in error.errors(include_url=False):
            where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found["loc"])
            told = found["msg"].removeprefix("Value error, ").rstrip(".")
            if found["type"] == "model_type":
                told = "Input should be an object"
            if found["type"] not in ("missing", "value_error"):
                told += f", not {_shown(found['input'])}"
            yield f"{where.lstrip('.')}: {told}.".removeprefix(": ")
    else:
        yield f"{error}."
