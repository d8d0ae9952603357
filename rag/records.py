"""The records that travel from step to step: frozen, and without imports of ours but the errors and how they are worded.

Offsets are code points. `Span` offsets count from the start of `rag.source_text(source)`;
ranges on `Comment` and `Passage` (`quoted`, `gaps`, `sentences`, `quotes`) count from the start of their own `text`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from rag.errors import FilterError
from rag.language.enumeration import counted, enumerated
from rag.language.letters import LONE_SURROGATE

Range = tuple[int, int]
"""Start and end (exclusive), in code points of the text it belongs to."""

Kind = Literal["comment", "profile", "document"]

UNNAMED = "an unnamed author"
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
"""Signs without a width, which copied names may hold."""
EVIDENCE = "evidence"
"""Stands for a model's name where answers are made of quotes."""
UNSURE_BORDER = 0.75
"""Below this `border_confidence` a comment may start or end elsewhere, and readers are told so."""

Verdict = Literal["verbatim", "repointed", "unsupported"]
"""What checking a citation found.

verbatim     the quote stands in the cited comment, and the sentence that cites it is supported by it
repointed    the answer quoted words that stand in another comment than the one it cited; the citation was moved there
unsupported  the quote is real, but it does not support the sentence that cites it
"""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source: `rag.source_text(source)[start:end]`."""

    source: str
    """Path relative to what was ingested, POSIX style; rows of a file add `#<id>`."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier wording of a comment, as found in an older snapshot."""

    span: Span
    seen_at: datetime | None
    of_file: bool = False
    """Nobody said when it was seen: `seen_at` is when the file was last written."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """Somebody else's words, `text[start:end]` of the comment or passage that quotes them, and where they come from."""

    start: int
    end: int
    comment_id: str
    """The comment of this corpus in which the words stand."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, with everything known about it."""

    id: str
    author: str | None
    text: str
    sightings: tuple[Span, ...]
    """Where it stands, best first; `text` is the slice of the first."""
    url: str | None = None
    posted_at: datetime | None = None
    parent_id: str | None = None
    thread_id: str | None = None
    karma: float | None = None
    kind: Kind = "comment"
    title: str | None = None
    """Title of the post or document it belongs to, where known."""
    label: str | None = None
    """An honest name for an unnamed author, such as "unnamed profile (example.org)"."""
    quoted: tuple[Range, ...] = ()
    """Parts that are somebody else's words."""
    gaps: tuple[int, ...] = ()
    """Places in `text` where a formula, image or button label was lost."""
    border_confidence: float = 1.0
    """How sure it is that the comment starts and ends here: 1.0 where the source says so, see `UNSURE_BORDER`."""
    versions: tuple[Version, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of a structured source, as they were."""
    quotes: tuple[Quotation, ...] = ()
    """Those of `quoted` whose words stand in another comment."""
    outdated: bool = False
    """It is a profile of which a later snapshot has another."""

    @property
    def byline(self) -> str:
        """Who wrote it, as readers see it: the name, else an honest label."""
        return self.author or self.label or UNNAMED


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one comment that fits the embedding model: the unit of search."""

    id: str
    comment_id: str
    author: str | None
    text: str
    source: str
    start: int
    end: int
    url: str | None = None
    posted_at: datetime | None = None
    score: float = 0.0
    """Relevance after fusion, between 0 and 1; comparable within one search only."""
    kind: Kind = "comment"
    title: str | None = None
    label: str | None = None
    quoted: tuple[Range, ...] = ()
    gaps: tuple[int, ...] = ()
    sentences: tuple[Range, ...] = ()
    border_confidence: float = 1.0
    parent_id: str | None = None
    dense_score: float | None = None
    """Cosine similarity with the question, of the best window; None if the dense search did not see it."""
    lexical_score: float | None = None
    """BM25 score; None if the lexical search did not see it."""
    quotes: tuple[Quotation, ...] = ()
    """Those of `quoted` whose words stand in another comment."""
    outdated: bool = False
    """It is a profile of which a later snapshot has another."""

    karma: float | None = None
    """Of its comment; read only where comments are ranked by it."""

    asked: str = ""
    """A question that the comment replies to, if it has words of the question at hand: somebody else's words, to be read along."""

    @property
    def byline(self) -> str:
        """Who wrote it, as readers see it: the name, else an honest label."""
        return self.author or self.label or UNNAMED

    def is_by_another(self, other: Passage) -> bool:
        """Whether two people are known to speak; of somebody without a name it may be the same."""
        return bool(self.author and other.author and self.author != other.author)


@dataclass(frozen=True, slots=True)
class Citation:
    """Evidence for what the answer says at `[number]`: exact words of a comment."""

    number: int
    passage: Passage
    quote: str
    """`rag.source_text(source)[start:end]`, sliced and never printed by a model."""
    source: str
    start: int
    end: int
    verdict: Verdict = "verbatim"
    more: tuple[Span, ...] = ()
    """Further spans of the same comment under the same number, in reading order."""
    quoted: bool = False
    """All of it is somebody else's words, quoted by the comment's author."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """All cited spans, the first being the one in `quote`."""
        return (Span(self.source, self.start, self.end), *self.more)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was searched for an answer; `str()` gives the sentence that readers see."""

    comments: int
    authors: int
    since: datetime | None = None
    until: datetime | None = None
    only_authors: tuple[str, ...] = ()
    used: int = 0
    """Comments that the answer cites."""

    def __str__(self) -> str:
        text = f"searched {counted(self.comments, 'comment')}"
        if self.only_authors:
            text += f" by {enumerated(self.only_authors)}"
        elif self.authors:
            text += f" by {counted(self.authors, 'author')}"
        if self.since and self.until:
            first, last = f"{self.since.date()}", f"{self.until.date()}"
            text += f", {first}" if first == last else f", {first} to {last}"
        return f"{text}; {self.used:,} of them cited" if self.used else text


@dataclass(frozen=True, slots=True)
class SentenceCheck:
    """The verdict on one sentence of an answer."""

    start: int
    end: int
    """Offsets into `Answer.text`."""
    status: Literal["supported", "unsupported", "uncited", "unchecked", "no_claim"]
    """Besides the plain ones: "unchecked" cites, but in a language that is not checked; "no_claim" states nothing that
    needs evidence."""
    score: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question got: text with `[n]` markers, and the evidence behind each."""

    question: str
    text: str
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    """What retrieval offered, best first. When abstaining: the nearest, which do not answer."""
    abstained: bool = False
    model: str = EVIDENCE
    """Who wrote the text: "evidence" or a model's name as in the settings."""
    coverage: Coverage = Coverage(0, 0)
    warnings: tuple[str, ...] = ()
    checks: tuple[SentenceCheck, ...] = ()
    suggestions: tuple[str, ...] = ()
    """Follow-up questions that the index can answer."""
    trace: Mapping[str, Any] = field(default_factory=dict)
    """What happened on the way: searches, scores, prompt, token counts, timings. Never secrets."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: dates as ISO 8601, `coverage` as its sentence."""
        return {**to_plain(self), "coverage": str(self.coverage)}


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What to search in. Empty fields do not restrict.

    Authors match regardless of case, and of accents where nobody is called exactly so; `since` and `until` are
    inclusive and take a datetime, a date or an ISO 8601 string (a bare day as `until` means its end); naive times are
    UTC. A comment without a date never passes a date filter. A source matches itself and, if it names a file, that
    file's rows.

    Raises:
        FilterError: A date is none, or a name is empty or no text.
    """

    authors: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("authors", "sources"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        for name in ("since", "until"):
            object.__setattr__(self, name, _moment(name, getattr(self, name)))

    def __bool__(self) -> bool:
        return bool(self.authors or self.since or self.until or self.sources)


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index holds."""

    comments: int
    passages: int
    authors: tuple[tuple[str, int], ...]
    """Names and how many comments each wrote, most first; unnamed authors under their label."""
    sources: tuple[tuple[str, int], ...]
    """Files and how many comments each holds."""
    since: datetime | None
    until: datetime | None
    embedding_model: str
    created_at: datetime
    generation: str


def author_key(name: str | None) -> str:
    """What author names are compared by: case, underscores, surplus spaces and what nobody sees do not matter."""
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", name or ""))
    return " ".join(seen.replace("_", " ").casefold().split())


def as_datetime(value: datetime | date | str | None, *, end_of_day: bool = False) -> datetime | None:
    """Read a point in time as UTC.

    Raises:
        ValueError: The string is not ISO 8601.
    """
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        value = date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
        if end_of_day:
            value += timedelta(days=1, microseconds=-1)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def written(value: Any) -> bool:
    """Whether a value is a text that can be written down: half of a sign, as where a text was cut, cannot."""
    return isinstance(value, str) and not LONE_SURROGATE.search(value)


def _names(field: str, value: Any) -> tuple[str, ...]:
    """What a filter by names was given, as a tuple."""
    try:
        names = (value,) if isinstance(value, str) else tuple(value or ())
    except TypeError:
        names = (value,)
    for name in names:
        if not (written(name) and name.strip()):
            raise FilterError(f"{field} holds {name!r}, which is no name: give texts, or leave {field} out.")
    return names


def _moment(field: str, value: Any) -> datetime | None:
    """What a filter by date was given, as a time."""
    try:
        return as_datetime(value, end_of_day=field == "until")
    except (ValueError, TypeError, OverflowError) as exc:
        shown = f'"{value}"' if isinstance(value, str) else repr(value)
        raise FilterError(f"{field} {shown} is no day of the calendar. Dates are written like 2024-05-31.") from exc


def to_plain(value: Any) -> Any:
    """Records as plain data for JSON: dictionaries, lists, dates as ISO 8601."""
    if hasattr(value, "__dataclass_fields__"):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime | date) else value
