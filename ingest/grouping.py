"""Which sightings are one comment, decided for all that could be one together: so the order of reading does not matter.

Evidence is weighed from hard to soft: an identifier, the same words, nearly the same words. Different authors and two
rows of one file are never joined. What could belong to several that contradict each other stays alone. Does not look
anything up (see snapshots.py).
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import combinations, count, pairwise, product
from typing import Any, TypeVar
from urllib.parse import urlsplit

SHORT = 40
"""Characters below which equal words are no sign of being the same comment, unless the same person says them: "Thanks!"
is said often."""
_DRAWN = re.compile(r"[0-9A-Za-z]{17}|[0-9a-f]{24,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""Identifiers drawn at random, which no two sites give twice: of ForumMagnum, MongoDB, UUIDs."""
_COUNTED = re.compile(r"(?:[a-z]|comment|[a-z]+[-_.:#])?\d{1,5}", re.IGNORECASE)
"""Identifiers that may be no more than the number of a row: "17", "c17", "comment-17"."""
MOST_ALIKE = 50
"""Wordings, or sightings of one, that may be nearly the same: what is said oftener is no sign of being the same comment."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What tells whether a sighting is the same comment as another."""

    id: int
    file: str
    place: tuple[str, int]
    """Source and offset."""
    length: int
    text_hash: str
    native_id: str | None
    author_key: str
    label: str | None
    url: str | None
    posted_at: datetime | None
    thread_id: str | None

    @property
    def counted(self) -> bool:
        """Whether its identifier may be the number of a row."""
        return bool(_COUNTED.fullmatch(self.native_id or ""))

    @property
    def host(self) -> str:
        """The site it stands on."""
        try:
            return (urlsplit(self.url or "").hostname or "").removeprefix("www.")
        except ValueError:
            return ""

    @property
    def permanent_id(self) -> str | None:
        """An identifier that holds in every file."""
        id = self.native_id
        if id is None or _DRAWN.fullmatch(id):
            return id
        return f"{self.host}#{id}" if self.host and not self.counted else None

    def identities(self) -> Iterator[tuple[str, ...]]:
        """What two rows share if they are the same by their identifiers; a row's number alone says nothing."""
        id = self.native_id
        if id is None:
            return
        if _DRAWN.fullmatch(id):
            yield ("id", id)
        if self.host:
            yield ("site", id, str(self.url) if self.counted else self.host)
        if self.author_key and not self.counted:
            yield ("author", id, self.author_key)
        if self.posted_at and self.posted_at.time() != time.min:
            yield ("date", id, self.posted_at.isoformat())
        if self.thread_id and not _COUNTED.fullmatch(self.thread_id):
            yield ("thread", id, self.thread_id)

    def may_be_answered_by(self, reply: Piece) -> bool:
        """Whether a reply that stands in another file and names the identifier can mean this."""
        if _DRAWN.fullmatch(self.native_id or ""):
            return True
        return self.host == reply.host if self.host and reply.host else not self.counted

    def wording(self) -> tuple[str, ...]:
        """What two pieces share if they are the same by their words."""
        if self.length >= SHORT:
            return (self.text_hash,)
        if self.native_id is not None:
            return (self.text_hash, "id", self.native_id)
        return (self.text_hash, "by", self.author_key or self.label or self.file)


@dataclass(slots=True, eq=False)
class Group:
    """Pieces that are one comment, as far as is known."""

    pieces: list[Piece]
    authors: set[str]
    native_ids: set[str]
    exports: set[str]
    """Files in which it has an identifier."""
    texts: dict[str, set[str]]
    """File -> its wordings there."""

    @classmethod
    def of(cls, piece: Piece) -> Group:
        identified = piece.native_id is not None
        return cls(
            [piece],
            {piece.author_key} - {""},
            {piece.native_id} if identified else set(),
            {piece.file} if identified else set(),
            {piece.file: {piece.text_hash}},
        )

    def contradicts(self, other: Group) -> bool:
        """Two people may say the same, and one person in two rows of a file said it twice."""
        if self.authors and other.authors and not self.authors & other.authors:
            return True
        if self.native_ids and other.native_ids and not self.native_ids & other.native_ids:
            # Else a cross-post: the same person on two sites.
            return not (self.authors and other.authors) or bool(self.exports & other.exports)
        few, many = sorted((self.texts, other.texts), key=len)
        return any(texts != many.get(file, texts) for file, texts in few.items())

    @property
    def id(self) -> str:
        """What it is called where no other group would be called the same."""
        return min(self.native_ids) if self.native_ids else f"c-{min(piece.text_hash for piece in self.pieces)}"

    def further_ids(self) -> Iterator[str]:
        """What it may be called where another group is called `id`: never after a file, which may be renamed."""
        voices = sorted({piece.author_key or piece.label or "" for piece in self.pieces})
        sites = sorted({piece.host for piece in self.pieces})
        yield _suffixed(self.id, *voices, *sites)
        words = min(piece.text_hash for piece in self.pieces)
        yield from (_suffixed(self.id, *voices, *sites, words, number) for number in count())

    def order(self) -> tuple[Any, ...]:
        """Which of several takes an id: the one that was there first."""
        dates = [piece.posted_at.isoformat() for piece in self.pieces if piece.posted_at]
        return (min(dates, default="~"), *_order(min(self.pieces, key=_order)))


class _Groups:
    """Joins groups, and knows of each piece where it is now."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._of = {piece.id: Group.of(piece) for piece in pieces}

    def all(self) -> list[Group]:
        """Each group once."""
        return list(dict.fromkeys(self._of.values()))

    def join(self, one: Piece, other: Piece) -> None:
        """Make one group of the groups of two pieces."""
        into, gone = sorted((self._of[one.id], self._of[other.id]), key=lambda group: -len(group.pieces))
        if into is gone:
            return
        into.pieces += gone.pieces
        into.authors |= gone.authors
        into.native_ids |= gone.native_ids
        into.exports |= gone.exports
        for file, texts in gone.texts.items():
            into.texts.setdefault(file, set()).update(texts)
        for piece in gone.pieces:
            self._of[piece.id] = into

    def join_along(self, links: Iterable[_Link], *, certain: bool = False) -> None:
        """Join along links, the best first, whatever does not contradict.

        Known authors come first, then unknown ones among themselves, then both where only one author comes into question.

        Args:
            certain: The links rest on identifiers.
        """
        links = list(links)
        for known in (True, False):
            self._join([link for link in links if {bool(piece.author_key) for piece in link} == {known}], certain)
        for cluster in _clusters(links):
            authors = [group.authors for group in self._groups_of(cluster) if group.authors]
            if authors and set.intersection(*authors):
                self._join(cluster, certain)

    def _join(self, links: Iterable[_Link], certain: bool) -> None:
        identified: list[_Link] = []
        others: list[_Link] = []
        for link in links:
            both = all(self._of[piece.id].native_ids for piece in link)
            (identified if both else others).append(link)
        for cluster in _clusters(identified):
            # One of several cross-posts that contradict each other cannot be told from the next.
            agreed = certain or not any(a.contradicts(b) for a, b in combinations(self._groups_of(cluster), 2))
            for one, other in cluster:
                a, b = self._of[one.id], self._of[other.id]
                if (agreed or a.native_ids & b.native_ids) and not a.contradicts(b):
                    self.join(one, other)
        for one, other in others:
            a, b = self._of[one.id], self._of[other.id]
            if not (a.native_ids and b.native_ids) and not a.contradicts(b):
                self.join(one, other)

    def _groups_of(self, links: Iterable[_Link]) -> list[Group]:
        return list(dict.fromkeys(self._of[piece.id] for link in links for piece in link))


_Link = tuple[Piece, Piece]
_Item = TypeVar("_Item")


def grouped(pieces: Iterable[Piece], alike: Mapping[tuple[str, str], float]) -> dict[str, list[Piece]]:
    """Decide which pieces are one comment.

    Args:
        pieces: All that have an identifier or a wording, or nearly, in common with another of them.
        alike: Pairs of hashes of nearly equal wordings, the smaller first, with their similarity.

    Returns:
        The pieces of each comment by its id.
    """
    ordered = sorted(pieces, key=_order)
    groups = _Groups(ordered)
    identities = _by(ordered, Piece.identities)
    for one, other in _of_renamed(identities, alike):
        groups.join(one, other)
    groups.join_along((link for same in identities.values() for link in _of_equal(same)), certain=True)
    wordings = _by(ordered, lambda piece: [piece.wording()])
    groups.join_along(link for same in wordings.values() for link in _of_equal(same))
    groups.join_along(_of_alike(ordered, alike))
    return _named(groups.all())


def _named(groups: Iterable[Group]) -> dict[str, list[Piece]]:
    named: dict[str, list[Piece]] = {}
    for group in sorted(groups, key=Group.order):
        id = group.id
        if id in named:
            id = next(further for further in group.further_ids() if further not in named)
        named[id] = group.pieces
    return named


def _of_renamed(
    identities: Mapping[tuple[str, ...], list[Piece]], alike: Mapping[tuple[str, str], float]
) -> Iterator[_Link]:
    """A person's name may change: an identifier of the site and the words together outweigh it."""
    for key, same in identities.items():
        if key[0] in ("id", "site"):
            for one, other in combinations({(piece.author_key, piece.text_hash): piece for piece in same}.values(), 2):
                first, second = sorted((one.text_hash, other.text_hash))
                if first == second or (first, second) in alike:
                    yield one, other


def _of_equal(same: Sequence[Piece]) -> Iterator[_Link]:
    """Enough links between pieces that share something: all of an author, and each author with who is unknown."""
    by_author = _by(same, lambda piece: [piece.author_key])
    for pieces in by_author.values():
        yield from ((pieces[0], piece) for piece in pieces[1:])
        yield from pairwise(pieces[1:])
    unknown = by_author.pop("", None)
    if unknown:
        yield from ((pieces[0], unknown[0]) for pieces in by_author.values())


def _of_alike(pieces: Iterable[Piece], alike: Mapping[tuple[str, str], float]) -> Iterator[_Link]:
    by_wording = _by(pieces, lambda piece: [piece.text_hash])
    for first, second in sorted(alike, key=lambda pair: (-alike[pair], pair)):
        yield from product(by_wording.get(first, ())[:MOST_ALIKE], by_wording.get(second, ())[:MOST_ALIKE])


def _clusters(links: Iterable[_Link]) -> list[list[_Link]]:
    """Links that hang together, each in the order it had."""
    links = list(links)
    root: dict[int, int] = {}

    def find(id: int) -> int:
        while root.setdefault(id, id) != id:
            root[id] = id = root[root[id]]
        return id

    for one, other in links:
        root[find(one.id)] = find(other.id)
    return list(_by(links, lambda link: [find(link[0].id)]).values())


def _by(items: Iterable[_Item], keys: Callable[[_Item], Iterable[Hashable]]) -> dict[Any, list[_Item]]:
    found = defaultdict(list)
    for item in items:
        for key in keys(item):
            found[key].append(item)
    return found


def _order(piece: Piece) -> tuple[Any, ...]:
    """What a piece says, and only if that is the same, where it stands."""
    return (piece.native_id is None, piece.native_id or "", piece.author_key, piece.text_hash, piece.place)


def _suffixed(id: str, *facts: object) -> str:
    told = "\x1f".join(map(str, facts)).encode("utf-8", "surrogatepass")
    return f"{id}-{hashlib.sha256(told).hexdigest()[:8]}"
