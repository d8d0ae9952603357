"""Page through comments so that none is lost: neither at a page border, nor past a limit, nor to an interruption.

By date: ascending, from the last date seen, inclusive; the last comment then comes again and is known by its id.
New comments shift nothing. Where a site knows no dates: by offset, which it limits, first from the old end, then
from the new end until the two meet.

What is left to do is a list of passes, each as plain data: the state of an interrupted import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from ingest.forums.client import AGAIN, ForumClient
from ingest.forums.rows import date_of, iso
from rag.errors import ForumError
from rag.records import as_datetime

_OTHER_END = {
    "allRecentComments": "allRecentComments",
    "postCommentsOld": "postCommentsNew",
    "answersAndReplies": "answersAndReplies",
}


@dataclass(slots=True)
class Pass:
    """A way through one view, and where on it we are."""

    kind: Literal["date", "old", "new", "edited"]
    """date: ascending by date. old, new: by offset from the old or new end. edited: what was changed after a date."""
    view: str
    after: str | None = None
    """date, edited: from here on."""
    until: str | None = None
    """new: older comments are known already, or not wanted."""
    offset: int = 0
    top: str | None = None
    """new: the newest comment when the pass began."""


class Page(NamedTuple):
    """One page, and what is known about what follows."""

    comments: tuple[Mapping[str, Any], ...]
    edited: bool
    """Whether these are new versions of comments known already."""
    remaining: int
    """How many more this pass is going to bring, as far as the site says."""
    errors: tuple[str, ...]
    """Fields that the site could not give."""


class Walk:
    """Page through all passes.

    Args:
        query: `comments_by_user` or `comments_on_post`.
        terms: Whose comments: `{"userId": ...}` or `{"postId": ...}`.
        passes: What to do; advances with every page, before the page is handed out.
        go_on: Whether the passes are those of an interrupted import.
    """

    def __init__(
        self, client: ForumClient, query: str, terms: Mapping[str, str], passes: Sequence[Pass], *, go_on: bool = False
    ) -> None:
        self.client = client
        self.site = client.site
        self.query = query
        self.terms = terms
        self.passes = list(passes)
        self.by_offset = False
        """Whether the site turned out not to know dates."""
        self.unreached: list[str] = []
        """What no request can reach."""
        self._shown: list[Any] = []
        """Ids of the page before."""
        self._resumed = go_on and bool(passes) and passes[0].offset > 0
        if self._resumed:
            # Comments that were deleted meanwhile have moved the others towards the start.
            self.passes[0].offset = max(0, self.passes[0].offset - self.site.page)

    def state(self) -> list[dict[str, Any]]:
        """What is left to do."""
        return [asdict(item) for item in self.passes]

    def pages(self) -> Iterator[Page]:
        """Yield all pages.

        Raises:
            ForumError: The site refuses, or answers something else than was asked.
        """
        while self.passes:
            yield self._page(self.passes[0])

    def _page(self, current: Pass) -> Page:
        limit = self.site.page if current.offset < self.site.farthest else self.site.last_page
        reply = self.client.query(self.query, lambda attempt: {"input": self._input(current, limit >> (attempt - 1))})
        limit >>= reply.tries - 1
        found = reply.data.get("comments")
        results = found.get("results") if isinstance(found, Mapping) else None
        if not isinstance(results, list):
            raise ForumError(f"{self.site.title} gave no list of comments (query {self.query}.graphql). {AGAIN}")
        comments = tuple(item for item in results if isinstance(item, Mapping))
        self._check(comments)
        self._check_progress(current, comments)
        total = found.get("totalCount")
        # A page may be short because its rest is not for us; then only the total tells that more follows.
        behind = max(0, total - current.offset - len(results)) if isinstance(total, int) else 0
        more = bool(behind) or len(results) >= limit or (total is None and self._is_news(current, comments))
        edited = current.kind == "edited"
        # Places of comments that are not for us count as well, where the page shows them.
        self._advance(current, comments, more, len(results) or limit)
        return Page(comments, edited, behind, reply.errors)

    def _input(self, current: Pass, limit: int) -> dict[str, Any]:
        terms: dict[str, Any] = {**self.terms, "view": current.view, "limit": max(1, limit), "offset": current.offset}
        terms["sortBy"] = "new" if current.kind == "new" else "old"
        if current.after:
            terms["after"] = current.after
        if current.kind == "edited":
            terms["timeField"] = "lastEditedAt"
        return {"terms": terms, "enableTotal": True}

    def _check(self, comments: Sequence[Mapping[str, Any]]) -> None:
        """Sites ignore a view or term they do not know, and answer with anybody's comments."""
        for name, wanted in self.terms.items():
            if any(comment.get(name) not in (None, wanted) for comment in comments):
                what = f"{self.site.title} answered with comments of another {name.removesuffix('Id')}"
                raise ForumError(
                    f"{what}: its views have changed (query {self.query}.graphql). "
                    "Nothing of that page was kept; update commentariat."
                )

    def _check_progress(self, current: Pass, comments: Sequence[Mapping[str, Any]]) -> None:
        """A site that does not know the offset gives its first page for ever."""
        shown, self._shown = self._shown, [comment.get("_id") for comment in comments]
        if current.offset and shown and shown == self._shown:
            what = f"{self.site.title} gives the same comments on page after page (query {self.query}.graphql)"
            raise ForumError(f"{what}: there may be more, which cannot be reached this way. {AGAIN}")

    @staticmethod
    def _is_news(current: Pass, comments: Sequence[Mapping[str, Any]]) -> bool:
        """Whether a page shows more than the overlap with the page before."""
        if current.kind != "date":
            return bool(comments)
        return any(iso(date) != current.after for comment in comments if (date := date_of(comment)))

    def _advance(self, current: Pass, comments: Sequence[Mapping[str, Any]], more: bool, seen: int) -> None:
        dates = [date for comment in comments if (date := date_of(comment))]
        if current.kind == "date":
            self._advance_by_date(current, dates, more, seen)
            return
        if current.kind == "new" and current.top is None and dates:
            current.top = iso(max(dates))
        until = as_datetime(current.until)
        if not more or (until and dates and min(dates) < until):
            self._done(current)
        elif current.offset < self.site.farthest:
            current.offset = min(self.site.farthest, current.offset + seen)
        else:
            self._at_the_limit(current, dates)

    def _advance_by_date(self, current: Pass, dates: list[datetime], more: bool, seen: int) -> None:
        after = as_datetime(current.after)
        # Cut to milliseconds, as the sites do: else a finer date would count as progress for ever.
        newest = as_datetime(iso(dates[-1])) if dates else None
        if dates != sorted(dates) or (after and dates and dates[0] < after):
            self.by_offset = True
            kind: Literal["new", "old"] = "new" if current.after else "old"
            self.passes = [Pass(kind, current.view, until=current.after)]
        elif not more:
            self._done(current)
        elif newest and (after is None or newest > after):
            current.after, current.offset = iso(newest), 0
        elif current.offset < self.site.farthest:
            # More comments than fit on a page have the same date.
            current.offset = min(self.site.farthest, current.offset + seen)
        elif newest:
            many = f"More than {self.site.farthest:,} comments have the date {current.after}"
            self.unreached.append(f"{many}; not all of them were reached.")
            current.after, current.offset = iso(newest + timedelta(milliseconds=1)), 0
        else:
            self._at_the_limit(current, dates)

    def _at_the_limit(self, current: Pass, dates: list[datetime]) -> None:
        """The site lets nobody go further this way: come from the other end."""
        if current.kind == "old" and current.view in _OTHER_END and dates:
            self.passes[0] = Pass("new", _OTHER_END[current.view], until=iso(max(dates)))
            return
        until = as_datetime(current.until)
        if until and dates and min(dates) <= until:
            self._done(current)
            return
        self.passes.pop(0)
        oldest = f" before {min(dates):%Y-%m-%d}" if dates and current.kind == "new" else ""
        limit = f"The site lets nobody page further than {self.site.farthest:,} comments"
        self.unreached.append(f"{limit}; some{oldest} were not reached.")

    def _done(self, current: Pass) -> None:
        self.passes.pop(0)
        if self._resumed and current.kind == "new" and current.top:
            # What was posted since the interrupted run began stands above where it had begun.
            self.passes.insert(0, Pass("new", current.view, until=current.top))
        self._resumed = False
