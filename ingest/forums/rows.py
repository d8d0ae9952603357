"""A comment as GraphQL gives it -> a row in our columns, or the reason why there is none.

Does as the site does: what it does not show (deleted, rejected, unpublished, spam) is not kept, and who wrote without a
name has none (ForumMagnum `components/comments/CommentsItem/CommentUserName.tsx`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from ingest.forums.sites import Site
from ingest.sources.forum_magnum import nested, text_of
from rag.records import as_datetime

_EDITED = timedelta(hours=1)
"""A change within the first hour is no edit that the site would show."""
_FLAGS = {
    "af": "af",
    "answer": "answer",
    "shortform": "quick_take",
    "debateResponse": "debate_response",
    "retracted": "retracted",
    "moderatorHat": "moderator",
}


def left_out(comment: Mapping[str, Any], site: Site) -> str | None:
    """Why a comment is not kept, if it is not."""
    if comment.get("deleted"):
        return "deleted"
    if comment.get("rejected"):
        return "rejected by moderators"
    if comment.get("draft"):
        return "unpublished"
    if comment.get("spam"):
        return "spam"
    posted, hidden = date_of(comment), site.unreviewed_hidden_since
    if comment.get("authorIsUnreviewed") and hidden and (posted is None or posted >= hidden):
        return "by authors not yet reviewed"
    return None


def row(comment: Mapping[str, Any], site: Site, *, post: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Write a comment in our columns; None if it has no text.

    Args:
        post: The post it stands under, where the comment itself does not tell.
    """
    text = text_of(comment.get("contents"), site.url)
    if text is None:
        return None
    post = post or nested(comment, "post")
    values = {
        "id": comment.get("_id"),
        "author": _author(comment, site),
        "text": text,
        "url": _url(comment, post, site),
        "posted_at": iso(date_of(comment)),
        "parent_id": comment.get("parentCommentId"),
        "thread_id": comment.get("postId") or comment.get("tagId"),
        "title": post.get("title") or nested(comment, "tag").get("name"),
        "karma": comment.get("baseScore"),
        "site": site.name,
        **_writer(comment),
        **_votes(comment),
        "edited_at": _edited(comment),
        **{ours: True for theirs, ours in _FLAGS.items() if comment.get(theirs) is True},
    }
    # Whatever a site sends in the place of a name or a number: it is no more than that.
    return {key: value for key, value in values.items() if (key == "reactions" and value) or _is_plain(value)}


def date_of(comment: Mapping[str, Any], field: str = "postedAt") -> datetime | None:
    """When a comment was posted (or another of its dates)."""
    value = comment.get(field)
    try:
        return as_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None


def iso(moment: datetime | None) -> str | None:
    """As the sites write it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _author(comment: Mapping[str, Any], site: Site) -> str | None:
    user = nested(comment, "user")
    if comment.get("hideAuthor") or user.get("deleted"):
        return None
    names = (user.get("fullName") if site.full_names else None, user.get("displayName"), user.get("username"))
    return next((name.strip() for name in names if isinstance(name, str) and name.strip()), None)


def _writer(comment: Mapping[str, Any]) -> dict[str, Any]:
    """Who it is besides the name, unless the name is hidden."""
    user = nested(comment, "user")
    if comment.get("hideAuthor") or user.get("deleted") or not user:
        return {}
    return {"author_id": user.get("_id"), "author_slug": user.get("slug")}


def _votes(comment: Mapping[str, Any]) -> dict[str, Any]:
    score = nested(comment, "extendedScore")
    given = score.get("reacts")
    reacts = given if isinstance(given, Mapping) else {}
    # LessWrong lists who reacted, the EA Forum only how many did.
    counts = {name: len(people) for name, people in reacts.items() if isinstance(people, list) and people}
    known = {"agreement", "agreementVoteCount", "approvalVoteCount", "reacts"}
    counts |= {name: number for name, number in score.items() if name not in known and _is_number(number)}
    return {
        "votes": comment.get("voteCount"),
        "agreement": score.get("agreement") if _is_number(score.get("agreement")) else None,
        "agreement_votes": score.get("agreementVoteCount") if _is_number(score.get("agreementVoteCount")) else None,
        "af_karma": comment.get("afBaseScore") if comment.get("af") is True else None,
        "reactions": counts or None,
    }


def _url(comment: Mapping[str, Any], post: Mapping[str, Any], site: Site) -> str | None:
    """The permalink, on the site's main host."""
    id, post_id = str(comment.get("_id")), comment.get("postId")
    if post_id:
        slug = quote(str(post.get("slug") or ""), safe="")
        return f"{site.url}/posts/{quote(str(post_id), safe='')}/{slug}?commentId={quote(id, safe='')}"
    given = comment.get("pageUrl")
    if not isinstance(given, str):
        return None
    try:
        parts = urlsplit(given)
    except ValueError:
        return None
    return f"{site.url}{parts.path}?commentId={quote(id, safe='')}" if parts.path else None


def _edited(comment: Mapping[str, Any]) -> str | None:
    posted, edited = date_of(comment), date_of(comment, "lastEditedAt")
    return iso(edited) if posted and edited and edited - posted > _EDITED else None


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
