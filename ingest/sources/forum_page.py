"""Comments and posts on pages saved from LessWrong, the Alignment Forum, the EA Forum (ForumMagnum) and GreaterWrong.

Markup as in ForumMagnum `components/comments/`, `components/questions/Answer.tsx`, `components/users/UsersProfile.tsx`,
and in lw2-viewer `src/data-viewers/`, `src/comment-threads.lisp`, together with names they had in earlier years.
ForumMagnum's class names are `<Component>-<part>`, in some years with a number behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import takewhile
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urljoin, urlsplit

from ingest.sources.base import Entry, LeftOut, Problem

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

# What holds one comment, and in ForumMagnum and GreaterWrong alike also its replies.
_HOLDER = ".comments-node, [class*='Answer-root'], li.comment-item"
_ITEM = ("CommentsItem-root", "comments-item")
_BODY = "[class*='CommentBody-root'], .comments-item-text, .comment-body"
_META = (
    "[class*='CommentsItemMeta-root'], [class*='Answer-answerHeader'], [class*='CommentsItem-meta'], "
    ".comments-item-meta, .comment-meta"
)
_AUTHOR = ("[class*='-username']", ".author", "a[class*='UsersName']", "a[href*='/users/']")
_DATE = "time[datetime], .date[data-js-date]"
_PERMALINK = "a.lw2-link[href], [class*='CommentsItemDate'] a[href], a.date[href], a[href*='commentId=']"
_PARENT = ".comment-in-reply-to a[href]:not(.inline-author), a.comment-parent-link[href]"
_KARMA = "[class*='voteScore'], .karma-value"
_COMMENT_POST = "a[class*='-postTitle'], .comment-post-title2 a"
_CUT = ".read-more-button, a.read-more"
_RETRACTED = "[class*='CommentBody-retracted'], .comment.retracted"

_POST_TITLE = "[class*='PostsPageTitle-root'], h1.post-title"
_POST_BODY = "#postContent, [class*='PostsPage-postContent'], .post-body"
_POST_AUTHOR = "[class*='PostsAuthors'] a[href*='/users/'], .post-meta .author"
_POST_DATE = "[class*='PostsPage'] time[datetime], .post-meta .date[data-js-date]"
_PROFILE_NAME = "[class*='UsersProfile-username'], h1[class*='-profileName'], h1.page-main-heading"
_BIO = "[class*='UsersProfile-bio'], [class*='-sidebarAuthorBio'], .user-bio, #bio .content"

_DELETED = re.compile(r"\[(?:comment )?deleted\]")
"""With its brackets: the word alone may be part of a name."""
_COUNT = re.compile(r"([-+]?\d[\d,]*(?:\.\d+)?)(?:\s?([kKmM])\b)?")
"""1,234 or, where there is little room, 1.2k."""
_NOBODY = ("[anonymous]", "[deleted]", "[comment deleted]")
_MAIN_SITES = {
    "greaterwrong.com": "www.lesswrong.com",
    "www.greaterwrong.com": "www.lesswrong.com",
    "ea.greaterwrong.com": "forum.effectivealtruism.org",
}
_EXPAND = "Expand all comments before saving the page."


class Place(NamedTuple):
    """Where a link of a forum leads."""

    post: str | None
    comment: str | None
    url: str | None
    """Its permanent form on the main site, if the host is known."""


def entries(page: BeautifulSoup, address: str | None) -> Iterator[Entry | LeftOut | Problem]:
    """Yield the profile or post that a forum page shows, then its comments in the page's order.

    Other pages give nothing.

    Args:
        address: Where the page came from, if known; without it relative links cannot be completed.
    """
    comments = _Comments(page, address)
    if not comments.holders and page.select_one(f"{_POST_TITLE}, {_BIO}") is None:
        return
    bio, post = page.select_one(_BIO), page.select_one(_POST_BODY)
    if bio is not None:
        yield _profile(page, bio, address)
    if post is not None:
        yield _post(page, post, address)
    for holder in comments.fullest():
        yield from comments.read(holder)


def place(link: str) -> Place:
    """Read the post and the comment out of a link, in any form that the forums write or accept."""
    try:
        parts = urlsplit(link)
        query = parse_qs(parts.query)
    except ValueError:
        return Place(None, None, None)
    path = parts.path.strip("/").split("/")
    post = slug = comment = None
    for index, name in enumerate(path[:-1]):
        if name in ("posts", "events", "p") and post is None:
            post, slug = path[index + 1], "".join(path[index + 2 : index + 3])
        elif name in ("comment", "answer"):
            comment = path[index + 1]
    comment = comment or (query.get("commentId") or [""])[0] or parts.fragment.removeprefix("comment-") or None
    comment = comment if comment and re.fullmatch(r"[\w-]{5,40}", comment) else None
    url = None
    if parts.scheme in ("http", "https") and parts.netloc:
        url = link
        if post:
            site = _MAIN_SITES.get(parts.netloc, parts.netloc)
            url = f"https://{site}/posts/{post}/{slug}" + (f"?commentId={comment}" if comment else "")
    return Place(post, comment, url)


class _Comments:
    """The comments of a page: which parts belong to which, since replies stand inside what they reply to."""

    def __init__(self, page: BeautifulSoup, address: str | None) -> None:
        self.holders = page.select(_HOLDER)
        self.address = address
        self.title = _words(page.select_one(_POST_TITLE))
        self.thread = place(address or "").post
        self._page = page
        self._known = {id(holder) for holder in self.holders}
        self._parts: dict[str, dict[int, Tag]] = {}
        self._parents = dict(self._replies())

    def fullest(self) -> Iterator[Tag]:
        """Each comment once, and where most of it is shown: above a reply its parent is often cut."""
        best: dict[str | int, tuple[int, Tag]] = {}
        for holder in self.holders:
            key, length = self._id(holder) or id(holder), len(_words(self._part(holder, _BODY)))
            if length > best.get(key, (-1,))[0]:
                best[key] = length, holder
        chosen = {id(holder) for _, holder in best.values()}
        yield from (holder for holder in self.holders if id(holder) in chosen)

    def read(self, holder: Tag) -> Iterator[Entry | LeftOut | Problem]:
        """Yield one comment, or why it is left out."""
        body, meta = self._part(holder, _BODY), self._part(holder, _META)
        if body is None:
            if meta is None or _DELETED.search(_words(meta)):
                yield LeftOut("deleted or removed")
            else:
                yield LeftOut("collapsed in the saved page", fix=_EXPAND)
            return
        if "deleted-comment" in (body.parent.get("class") or []):
            yield LeftOut("deleted or removed")
            return
        cut = self._part(holder, _CUT) is not None
        if cut:
            yield Problem("", None, 'The comment is cut off with "read more"; what is there was read.', _EXPAND)
        yield Entry(self._values(holder, body, meta, cut))

    def _values(self, holder: Tag, body: Tag, meta: Tag | None, cut: bool) -> dict[str, Any]:
        where, post = self._linked(holder, _PERMALINK), self._part(holder, _COMMENT_POST)
        parent = self._parents.get(id(holder))
        date, karma = self._part(holder, _DATE), self._part(holder, _KARMA)
        author = _author(meta)
        marks = {
            "retracted": self._part(holder, _RETRACTED) is not None,
            "truncated": cut,
            "anonymous": author is not None and author.casefold() in _NOBODY,
        }
        return {
            "id": self._id(holder),
            "author": None if marks["anonymous"] else author,
            "html": _html(body, self.address),
            "url": where.url,
            "posted_at": _date(date),
            "parent_id": self._id(parent) if parent is not None else self._linked(holder, _PARENT).comment,
            "karma": _number(karma),
            "thread_id": where.post or self.thread,
            "title": _words(post) or self.title,
            **{name: True for name, is_so in marks.items() if is_so},
        }

    def _id(self, holder: Tag) -> str | None:
        answer = self._part(holder, "[class*='Answer-answer'][id]")
        named = str(holder.get("id") or (answer.get("id") if answer is not None else "") or "")
        return named.removeprefix("comment-") or self._linked(holder, _PERMALINK).comment

    def _linked(self, holder: Tag, selector: str) -> Place:
        link = self._part(holder, selector)
        try:
            return (
                place(urljoin(self.address or "", str(link["href"]))) if link is not None else Place(None, None, None)
            )
        except ValueError:
            return Place(None, None, None)

    def _replies(self) -> Iterator[tuple[int, Tag]]:
        """Which holder replies to which: to the one around it, unless it is shown inside that one as its parent."""
        for holder in self.holders:
            around = self._around(holder)
            if around is None:
                continue
            inside_item = any(
                name.startswith(_ITEM)
                for element in takewhile(lambda parent, around=around: parent is not around, holder.parents)
                for name in element.get("class") or []
            )
            yield (id(around), holder) if inside_item else (id(holder), around)

    def _around(self, element: Tag) -> Tag | None:
        return next((parent for parent in element.parents if id(parent) in self._known), None)

    def _part(self, holder: Tag, selector: str) -> Tag | None:
        """The first match that belongs to this comment and not to one inside it."""
        if selector not in self._parts:
            self._parts[selector] = found = {}
            for element in self._page.select(selector):
                owner = element if id(element) in self._known else self._around(element)
                if owner is not None:
                    found.setdefault(id(owner), element)
        return self._parts[selector].get(id(holder))


def _post(page: BeautifulSoup, body: Tag, address: str | None) -> Entry:
    where = place(address or "")
    values = {
        "id": where.post,
        "author": _words(page.select_one(_POST_AUTHOR)),
        "html": _html(body, address),
        "url": where.url and where.url.split("?")[0],
        "posted_at": _date(page.select_one(_POST_DATE)),
        "thread_id": where.post,
        "title": _words(page.select_one(_POST_TITLE)),
    }
    return Entry(values, "document")


def _profile(page: BeautifulSoup, bio: Tag, address: str | None) -> Entry:
    name = _words(page.select_one(_PROFILE_NAME))
    title = f"Profile of {name}" if name else "Profile"
    return Entry({"author": name, "html": _html(bio, address), "url": address, "title": title}, "document")


def _author(meta: Tag | None) -> str | None:
    """What stands where the name does; None if no such place was found."""
    for selector in _AUTHOR if meta is not None else ():
        element = meta.select_one(selector)
        if element is not None and (name := _words(element.find("a") or element)):
            return name
    return None


def _html(body: Tag, address: str | None) -> str:
    base = f'<base href="{escape(address)}">' if address else ""
    return f"{base}{body}"


def _date(element: Tag | None) -> str | None:
    return None if element is None else str(element.get("datetime") or element.get("data-js-date") or "")


def _number(element: Tag | None) -> float | None:
    found = _COUNT.search(_words(element).replace("\u2212", "-"))
    if found is None:
        return None
    return round(float(found[1].replace(",", "")) * {"k": 1e3, "m": 1e6}.get((found[2] or "").lower(), 1), 3)


def _words(element: Tag | None) -> str:
    return " ".join(element.get_text().split()) if element is not None else ""
