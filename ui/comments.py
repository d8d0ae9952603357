"""Lists, threads and charts of comments -> HTML. Pure functions; every text goes through `markup`."""

from __future__ import annotations

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from rag.language.enumeration import counted
from rag.language.letters import folded
from rag.records import Comment
from ui.markup import button, comment_html, escape, link_out, tag
from ui.origins import Find, origins
from ui.wording import byline_html, month_text

if TYPE_CHECKING:
    from ui.app import Index

LONG = 900
"""Characters from which a comment is folded."""
MOST_BARS = 10
MOST_COLUMNS = 12
"""As many as fit beside the list and can still be hit with a finger: 24 pixels each."""
_LETTER = re.compile(r".[\u0300-\u036f]*", re.DOTALL)
"""A sign with the accents that follow it."""


def list_html(comments: Iterable[Comment], find: Find, words: str = "") -> str:
    """Comments one below the other, with words highlighted."""
    return tag("div", "".join(comment_card(comment, find, words) for comment in comments), class_="comments")


def thread_html(comments: Sequence[Comment], find: Find, chosen: str) -> str:
    """A thread, replies indented; expects parents before replies.

    Args:
        comments: As `in_reply_order` gives them.
        find: Looks up comments that are quoted.
        chosen: Id of the comment that was asked for.
    """
    depths = depth_of(comments)
    rows = (
        tag("div", comment_card(one, find, chosen=one.id == chosen), class_=f"reply depth-{min(depths[one.id], 4)}")
        for one in comments
    )
    return tag("div", "".join(rows), class_="comments thread")


def comment_card(comment: Comment, find: Find, words: str = "", *, chosen: bool = False) -> str:
    """A whole comment, long ones folded, with what can be done with it."""
    body = comment_html(
        comment.text,
        marks=occurrences(comment.text, words),
        quoted=comment.quoted,
        gaps=comment.gaps,
        after=origins(comment, comment.text, find, threads=True),
    )
    folded = len(comment.text) > LONG and not chosen
    body = tag("div", body, class_="comment folded" if folded else "comment")
    if folded:
        body += button("unfold", comment.id, "Show all of it")
    return tag(
        "article",
        tag("h3", byline_html(comment)) + body + _foot(comment),
        class_="card chosen" if chosen else "card",
        tabindex="-1" if chosen else None,
    )


def _foot(comment: Comment) -> str:
    links = [link_out(comment.url)]
    if comment.thread_id or comment.parent_id:
        links.append(button("thread", comment.id, "In its thread"))
    links.append(button("ask_comment", comment.id, "Ask about this"))
    links.append(button("ask_author", comment.byline, f"Ask about {comment.byline}"))
    return tag("div", "".join(links), class_="foot")


def occurrences(text: str, words: str) -> list[tuple[int, int]]:
    """Where any of the words stand in a text, regardless of case and accents."""
    wanted = sorted(map(re.escape, folded(words).split()), key=len, reverse=True)
    if not wanted:
        return []
    letters = [(folded(match[0]), *match.span()) for match in _LETTER.finditer(text)]
    places = [(start, end) for letter, start, end in letters for _ in letter]  # "ß" is two letters when folded
    found = re.finditer("|".join(wanted), "".join(letter for letter, _, _ in letters))
    return [(places[match.start()][0], places[match.end() - 1][1]) for match in found]


def ordered(comments: Iterable[Comment], order: str) -> list[Comment]:
    """Comments by "newest", "oldest" or "karma"; those without a date or karma last, as they stand in their source."""
    comments = list(comments)
    if order == "karma":
        return sorted(comments, key=lambda one: float("inf") if one.karma is None else -one.karma)
    dated = [one for one in comments if one.posted_at]
    dated.sort(key=lambda one: one.posted_at, reverse=order == "newest")
    return dated + [one for one in comments if not one.posted_at]


def thread_of(comment: Comment, index: Index) -> list[Comment]:
    """Everything that belongs together with a comment, in reply order: its thread, its parents, its replies."""
    found = {one.id: one for one in (index.corpus.thread(comment.thread_id) if comment.thread_id else ())}
    found |= {one.id: one for one in (*index.corpus.replies(comment.id), comment)}
    above: Comment | None = comment
    while above and above.parent_id and above.parent_id not in found:
        above = index.comment(above.parent_id)
        if above:
            found[above.id] = above
    return in_reply_order(list(found.values()))


def in_reply_order(comments: Sequence[Comment]) -> list[Comment]:
    """Each comment followed by its replies, oldest first; comments that reply in a circle come last."""
    known = {comment.id for comment in comments}
    replies: dict[str | None, list[Comment]] = {}
    for comment in ordered(comments, "oldest"):
        replies.setdefault(comment.parent_id if comment.parent_id in known else None, []).append(comment)
    found: dict[str, Comment] = {}
    stack = replies.get(None, [])[::-1]
    while stack:
        comment = stack.pop()
        found[comment.id] = comment
        stack += replies.get(comment.id, [])[::-1]
    return [*found.values(), *(comment for comment in comments if comment.id not in found)]


def depth_of(comments: Sequence[Comment]) -> dict[str, int]:
    """How many of the listed comments stand above each; expects parents before replies."""
    depths: dict[str, int] = {}
    for comment in comments:
        depths[comment.id] = depths.get(comment.parent_id or "", -1) + 1
    return depths


def charts_html(comments: Iterable[Comment]) -> str:
    """Who wrote how many of these, and when: each bar is a button that narrows the list to it."""
    comments = list(comments)
    authors = Counter(comment.byline for comment in comments).most_common()
    return _bars(authors) + _timeline([comment.posted_at for comment in comments if comment.posted_at])


def _bars(authors: Sequence[tuple[str, int]]) -> str:
    if not authors:
        return ""
    most = authors[0][1]
    rows = "".join(
        tag(
            "button",
            tag("span", escape(name), class_="name")
            + tag("span", f"{number:,}", class_="number-of")
            + tag("span", "", class_="bar", style=f"width:{100 * number / most:.0f}%"),
            type="button",
            name="by_author",
            value=name,
            class_="row",
        )
        for name, number in authors[:MOST_BARS]
    )
    rest = len(authors) - MOST_BARS
    more = tag("p", f"and {counted(rest, 'more author')}", class_="note") if rest > 0 else ""
    return tag("section", tag("h2", "By author") + rows + more, class_="bars")


def _timeline(dates: Sequence[datetime]) -> str:
    if not dates:
        return ""
    days = Counter(when.date() for when in dates)
    periods = periods_of(min(days), max(days))
    numbers = [sum(number for day, number in days.items() if first <= day <= last) for _, first, last in periods]
    most = max(numbers)
    columns = "".join(
        tag(
            "button",
            tag("span", "", class_="column-bar", style=f"height:{max(100 * number / most, 2 if number else 0):.0f}%")
            + tag("span", f"{name}: {counted(number, 'comment')}", class_="sr"),
            type="button",
            name="by_period",
            value=f"{first}/{last}",
            class_="period",
            title=f"{name}: {number:,}",
        )
        for (name, first, last), number in zip(periods, numbers, strict=True)
    )
    ends = tag("p", tag("span", periods[0][0]) + tag("span", periods[-1][0]), class_="ends")
    return tag("section", tag("h2", "Over time") + tag("div", columns, class_="columns") + ends, class_="timeline")


def periods_of(first: date, last: date) -> list[tuple[str, date, date]]:
    """Months to millennia from one date to another, whichever are few enough: name, first day, last day."""
    for months in (1, 3, 6, 12, 24, 60, 120, 1200, 12000):
        start = (first.year * 12 + first.month - 1) // months * months
        periods = range(start, last.year * 12 + last.month, months)
        if len(periods) <= MOST_COLUMNS:
            break
    return [_period(month, months) for month in periods]


def _period(start: int, months: int) -> tuple[str, date, date]:
    year, month = divmod(start, 12)
    end_year, end_month = divmod(start + months - 1, 12)
    first = date(max(year, 1), month + 1, 1)
    last = date(end_year, end_month + 1, monthrange(end_year, end_month + 1)[1])
    if months == 1:
        return month_text(first), first, last
    if months < 12:
        return f"{first:%b} to {month_text(last)}", first, last
    return f"{year:04}" if months == 12 else f"{first.year:04} to {last.year:04}", first, last
