"""Forums that run ForumMagnum: where each is asked, and what its links look like.

LessWrong and the Alignment Forum run one branch of the software, the EA Forum another: their comments can be walked by
date, respectively by offset only (ForumMagnum `lib/collections/comments/views.ts`, branches `master` and `ea-deploy`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from rag.errors import ForumError

_ID = "[A-Za-z0-9]{17,27}"
_POST_PATH = re.compile(rf"/(?:posts?|events|p|item)/({_ID})(?:/|$)|/(?:g|s)/{_ID}/p/({_ID})(?:/|$)")
_USER_PATH = re.compile(r"/users/([^/]+)")


@dataclass(frozen=True, slots=True)
class Site:
    """One forum."""

    name: str
    """As on the command line and in file names."""
    title: str
    url: str
    """Scheme and host that permalinks start with."""
    endpoint: str
    """Where GraphQL is asked."""
    hosts: frozenset[str] = frozenset()
    """Further hosts that a redirect may lead to, with the port where it is not the usual one."""
    walk: Literal["date", "offset"] = "date"
    """How to page through a person's comments; a site that turns out not to know dates is walked by offset."""
    unreviewed_hidden_since: datetime | None = None
    """From then on the site hides comments whose author no moderator has looked at."""
    full_names: bool = False
    """Whether the site shows full names in place of display names."""
    page: int = 100
    """Comments of one page; a page that fails is asked again with half of them."""
    farthest: int = 2000
    """Largest offset that is accepted (ForumMagnum `lib/instanceSettings.ts`, `maxAllowedApiSkip`)."""
    last_page: int = 1000
    """Comments of the page at the largest offset: what lies behind it cannot be asked for otherwise."""


class Post(NamedTuple):
    """What a link to a post says."""

    host: str | None
    """None if only an id was given."""
    id: str


class User(NamedTuple):
    """What a link to a profile says."""

    host: str | None
    """None if only a name was given."""
    name: str


_REVIEWED = datetime(2023, 4, 4, tzinfo=UTC)
_LESSWRONG = Site(
    "lesswrong", "LessWrong", "https://www.lesswrong.com", "https://www.lesswrong.com/graphql",
    frozenset({"www.lesswrong.com", "lesswrong.com"}), unreviewed_hidden_since=_REVIEWED,
)  # fmt: skip
_ALIGNMENT_FORUM = Site(
    "alignmentforum", "Alignment Forum", "https://www.alignmentforum.org", "https://www.alignmentforum.org/graphql",
    frozenset({"www.alignmentforum.org", "alignmentforum.org"}), unreviewed_hidden_since=_REVIEWED, full_names=True,
)  # fmt: skip
_EA_FORUM = Site(
    # Its own host sends programs on to the other one, which is there for them.
    "eaforum", "EA Forum", "https://forum.effectivealtruism.org", "https://forum-bots.effectivealtruism.org/graphql",
    frozenset({"forum.effectivealtruism.org", "forum-bots.effectivealtruism.org"}), walk="offset",
)  # fmt: skip

SITES = {site.name: site for site in (_LESSWRONG, _ALIGNMENT_FORUM, _EA_FORUM)}
"""Known forums by name. Nothing else is asked unless its address is given."""
_MIRRORS = {"greaterwrong.com": _LESSWRONG, "www.greaterwrong.com": _LESSWRONG, "ea.greaterwrong.com": _EA_FORUM}


def named_site(host: str, *, allow_local: bool = False) -> Site:
    """Make a site of an address that somebody gave.

    Args:
        host: Such as "https://forum.example.org"; that of a known site gives the known site.
        allow_local: Whether plain http is acceptable, as it is on one's own machine.

    Raises:
        ForumError: The address is none.
    """
    parts = _split(host)
    if (
        parts.scheme not in ("https", "http")
        or not re.fullmatch(r"[\w.:-]+", parts.hostname or "")
        or "@" in parts.netloc
    ):
        raise ForumError(f'--host "{host}" is no address. Give one such as https://forum.example.org.')
    if parts.scheme == "http" and not allow_local:
        raise ForumError(f'--host "{host}" is not encrypted. Give https://{parts.netloc}.')
    known = site_of(parts.netloc)
    if known is not None and parts.netloc.lower() in known.hosts:
        return known
    url = f"{parts.scheme}://{parts.netloc.lower()}"
    path = parts.path.rstrip("/").removesuffix("/graphql")
    name = re.sub(r"[^a-z0-9.-]+", "-", parts.netloc.lower()).strip(".-")
    return Site(name, parts.netloc.lower(), url, f"{url}{path}/graphql")


def post_of(link: str) -> Post:
    """Read the link or id of a post.

    Raises:
        ForumError: It is neither.
    """
    address = link.strip().strip("<>")
    if re.fullmatch(_ID, address):
        return Post(None, address)
    parts = _split(address if "//" in address else f"//{address}")
    # The editor names the post behind the question mark.
    match = _POST_PATH.search(parts.path) or re.search(rf"(?:^|&)postId=({_ID})()(?:&|$)", parts.query)
    if match is None:
        raise ForumError(
            f'"{link}" is no link to a post. It should look like https://www.lesswrong.com/posts/<id>/<title>; '
            "open the post and copy its address."
        )
    return Post(_host(parts), match[1] or match[2])


def site_of(host: str | None) -> Site | None:
    """The known site that a host belongs to, or mirrors."""
    known = {name: site for site in SITES.values() for name in site.hosts} | _MIRRORS
    return known.get((host or "").lower())


def holds(site: Site, host: str | None) -> bool:
    """Whether a site can be asked for what a host has: its own, or one of the two sites that share a database."""
    shared = {_LESSWRONG.name, _ALIGNMENT_FORUM.name}
    other = site_of(host)
    return (
        host is None
        or host in (*site.hosts, urlsplit(site.url).netloc)
        or (other is not None and (other.name == site.name or {other.name, site.name} == shared))
    )


def user_of(name: str) -> User:
    """Read the link or name of a person.

    Raises:
        ForumError: It is neither.
    """
    name = name.strip().strip("<>")
    if name and "/" not in name:
        return User(None, name)
    parts = _split(name if name.startswith("/") or "://" in name else f"//{name}")
    match = _USER_PATH.search(parts.path)
    if match is None:
        raise ForumError(
            f'"{name}" is neither a name nor a link to a profile, which looks like https://www.lesswrong.com/users/<name>.'
        )
    return User(_host(parts), unquote(match[1]))


def _host(parts: SplitResult) -> str | None:
    """With its port, unless that is the usual one."""
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(":80" if parts.scheme == "http" else ":443") or None


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        _ = parts.port
    except ValueError as exc:
        raise ForumError(f'"{address}" is no address ({exc}).') from exc
    return parts
