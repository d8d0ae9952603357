"""Who uses a word in comments of their own: counted over the whole index, of which a search brings but a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rag.index.corpus import load_passage
from rag.retrieval.literal import Telling, own_words

if TYPE_CHECKING:
    from rag.index.store import Store
    from rag.records import Filters

LEADING = 5
"""Authors named where it is asked who mentions something most."""


@dataclass(frozen=True, slots=True)
class Use:
    """A passage of a comment whose author uses the words themselves."""

    passage: str
    comment: str
    author: str
    posted_at: datetime | None
    karma: float | None


@dataclass(frozen=True, slots=True)
class Mentions:
    """How much of the whole index mentions something, which is more than a search brings."""

    terms: tuple[str, ...]
    """Alternatives, any of which counts."""
    comments: int
    authors: int
    leading: tuple[tuple[str, int], ...] = ()
    """Who mentions it in most comments, and in how many, where that is asked for."""
    never: bool = False
    """Whether it is asked who does not mention it."""
    without: tuple[str, ...] = ()
    """These are they."""


def uses(store: Store, sign: Telling, times: Sequence[Filters], apart: Sequence[str]) -> list[Use]:
    """All uses of the words in question, in the order of the index.

    Args:
        store: The index.
        sign: What must be said.
        times: Where to look: what any of them admits.
        apart: Authors who do not count.
    """
    holding = dict.fromkeys(id for term in sign.terms for one in times for id in store.holding(term, one))
    return [
        Use(*about)
        for *about, quoting in store.corpus.comments_of(list(holding))
        # What somebody only quotes is said by another.
        if about[2] not in apart and (not quoting or sign.whole(own_words(load_passage(quoting))))
    ]


def counted(sign: Telling, found: Sequence[Use], everybody: Sequence[str]) -> Mentions:
    """How many comments and authors these uses are of; `everybody` are those who might have."""
    of_each = Counter(dict(sorted({use.comment: use.author for use in found}.items())).values())
    leading = sorted(of_each.items(), key=lambda item: (-item[1], item[0])) if sign.most else []
    without = [author for author in everybody if author not in of_each] if sign.never else []
    return Mentions(sign.terms, of_each.total(), len(of_each), tuple(leading[:LEADING]), sign.never, tuple(without))


def in_time(found: Sequence[Use], *, newest: bool) -> list[Use]:
    """The first use of each author by date, or the last, the others behind; without those that carry no date."""
    dated = sorted(((use.posted_at, use) for use in found if use.posted_at), key=lambda pair: pair[0], reverse=newest)
    first: dict[str, Use] = {}
    for _, use in dated:
        first.setdefault(use.author, use)
    return list(first.values())


def rated(found: Sequence[Use], *, best: bool) -> list[Use]:
    """The uses in comments that carry a karma, the best or the worst first."""
    given = [(use.karma, use) for use in found if use.karma is not None]
    return [use for _, use in sorted(given, key=lambda pair: pair[0], reverse=best)]
