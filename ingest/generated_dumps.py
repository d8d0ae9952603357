"""Profile dumps with known borders, generated from structured comments: to measure segmentation, and to fit it.

A dump is made by taking the borders between comments away, in the ways that sites and scrapers do. All that is needed
comes with the packages. Not needed to segment anything.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rag

COMMENTS = Path(__file__).parent / "gold" / "invented_comments.jsonl"
SAMPLE = Path(rag.__file__).parent / "sample" / "comments" / "thread.jsonl"

Comment = Mapping[str, Any]
"""`author` and `text` (markdown), perhaps `title`."""


@dataclass(frozen=True)
class Style:
    """How a page was saved."""

    name: str
    page: str = "2023"
    """Which layout of a profile page: a key of `_TOPS`, or "bare"."""
    paragraph_gap: str = "\n"
    comment_gap: str = "\n"
    bullets: str = "lost"
    """What became of list bullets: "kept", "lost" or "alone" (a "-" on a line of its own)."""
    formulas: bool = False
    """Whether formulas survived."""
    bios: int = 1
    name_place: str = "first"
    """"first", "below" the bio, or "missing"."""
    heads: str = "none"
    """What stands above each comment: "none", "titles", or "full" (title, author, date, score; "Reply" below)."""
    newline: str = "\n"


STYLES = (
    Style("headings", page="2023"),
    Style("bare, bio twice", page="bare", bios=2, name_place="missing"),
    Style("bare, name below", page="bare", name_place="below"),
    Style("blank lines everywhere", page="2021", paragraph_gap="\n\n", comment_gap="\n\n"),
    Style("lone bullets", page="bare", bios=1, name_place="below", bullets="alone"),
    Style("wide gaps", page="2024", paragraph_gap="\n\n", comment_gap="\n\n\n", bullets="kept"),
    Style("gap per comment", page="2019", comment_gap="\n\n", formulas=True),
    Style("titles", page="2021", heads="titles", paragraph_gap="\n\n", comment_gap="\n\n"),
    Style("full heads", page="2024", heads="full"),
    Style("2018", page="2018", bullets="kept", formulas=True),
    Style("2026, CRLF", page="2026", bios=2, newline="\r\n", paragraph_gap="\n\n", comment_gap="\n\n"),
    Style("EA", page="ea", name_place="missing", bullets="kept"),
)
"""Twelve ways; in the last but five of which nothing but the words tells where a comment begins."""
BARE = Style("plain", page="bare", name_place="below")
MARKING_STYLES = frozenset({"wide gaps", "gap per comment", "titles", "full heads"})
"""Styles in which the page itself marks the borders."""

_TOPS = {
    "2018": ["User Profile", "412", "{bio}", "Send a message", "Subscribe to this user's posts", "Sequences", "Recent Posts", "{posts}", "Recent Comments"],
    "2019": ["{name}", "1203", "88", "{bio}", "{name}'s Posts", "Sorted by New", "{posts}", "Load More", "{name}'s Comments"],
    "2021": ["{name}", "{bio}", "Posts", "Sorted by New", "{posts}", "Load More", "Wiki Contributions", "Comments"],
    "2023": ["{name}", "{bio}", "Posts", "Sorted by New", "Wiki Contributions", "Comments"],
    "2024": ["{name}", "Message", "Dialogue", "Subscribe", "{bio}", "Posts", "Sorted by New", "{posts}", "Load More", "Wikitag Contributions", "Comments", "Sorted by", "Newest"],
    "2026": ["{name}", "Top posts", "{posts}", "{name}", "Subscribe", "Message", "{bio}", "902", "Posts", "Sequences", "Quick takes", "All"],
    "ea": ["Bio", "{bio}", "How others can help me", "{help}", "Participation", "4", "Comments", "31"],
    "bare": ["{bio}"],
}  # fmt: skip
_FEET = {
    "2019": ["Load More"], "2021": ["Load More"], "2024": ["Load More", "Report user"],
    "2026": ["{name}", "{bio}", "See more"], "ea": ["Topic contributions", "2"],
}  # fmt: skip
_BIOS = (
    "Software engineer in Leuven. Interested in verification, old maps and bread.",
    "I study decision making under time pressure. Previously an air traffic controller.",
    "PhD student in statistics. My website is https://slowsums.example.org",
    "Trying to understand learned optimisation. Opinions are my own and not my employer's.",
    "Independent researcher, formerly at the Institute for Long Harvests. I also write at furrows.example.net",
    "Retired engineer. I read more than I write.",
)
_HELP = "I would like to hear from people who run small grant programmes."
_POSTS = (
    "On Counting Twice",
    "Seven Notes about Monitors",
    "What the Pilot Study Showed",
    "A Field Guide to Dull Failures",
)
_TITLES = (
    "Why Budgets Are Not Plans",
    "Against the Second Derivative",
    "The Cost of Looking",
    "Monthly Open Thread",
    "A Map of Small Worlds",
    "Measuring What Moves",
)


def make_dump(comments: Sequence[Comment], rng: random.Random, style: Style) -> tuple[str, tuple[int, ...]]:
    """A profile page with these comments, saved as text.

    Args:
        comments: Of one author, in the order of the page.

    Returns:
        The text, and the offsets at which its comments begin.
    """
    author, bio = str(comments[0]["author"]), rng.choice(_BIOS)
    text = style.paragraph_gap.join(_top(author, bio, rng, style))
    starts = []
    for comment in comments:
        head, foot = _around(comment, rng, style)
        text += style.comment_gap + "".join(line + style.paragraph_gap for line in head)
        starts.append(len(text))
        text += style.paragraph_gap.join([*paragraphs_of(str(comment["text"]), style), *foot])
    for slot in _FEET.get(style.page, ()):
        text += "".join(style.comment_gap + line for line in _filled(slot, author, bio, style))
    if style.newline != "\n":
        starts = [start + text.count("\n", 0, start) * (len(style.newline) - 1) for start in starts]
        text = text.replace("\n", style.newline)
    return text, tuple(starts)


def _top(author: str, bio: str, rng: random.Random, style: Style) -> list[str]:
    posts = rng.sample(_POSTS, 2)
    lines: list[str] = []
    for slot in _TOPS[style.page]:
        if slot == "{posts}":
            lines += posts
        else:
            lines += _filled(slot, author, bio, style) * (style.bios if style.page == "bare" else 1)
    if style.page == "bare" and style.name_place != "missing":
        lines.insert(0 if style.name_place == "first" else len(lines), author)
    return lines


def _filled(slot: str, author: str, bio: str, style: Style) -> list[str]:
    if "{name}" in slot and style.name_place == "missing":
        return []
    return [slot.format(name=author, bio=bio, help=_HELP)]


def _around(comment: Comment, rng: random.Random, style: Style) -> tuple[list[str], list[str]]:
    if style.heads == "none":
        return [], []
    title = str(comment.get("title") or rng.choice(_TITLES))
    if style.heads == "titles":
        return [title], []
    return [title, str(comment["author"]), f"{rng.randint(1, 9)}y", str(rng.randint(0, 40))], ["Reply"]


_ITEM = re.compile(r"^(?:[-*•]|\d{1,2}[.)])\s+")
_DISPLAY = re.compile(r"\$\$.+?\$\$|\\\[.+?\\\]", re.DOTALL)
_INLINE = re.compile(r"\$[^$\n]+\$|\\\(.+?\\\)")


def paragraphs_of(text: str, style: Style) -> Iterator[str]:
    """The lines of a comment as a scraper leaves them."""
    if not style.formulas:
        text = _INLINE.sub("", _DISPLAY.sub("", text))
        text = re.sub(r"(?<=\S)  +(?=\S)", " ", text)
    for line in text.split("\n"):
        line = re.sub(r"^>\s?", "", line.strip())
        if not line:
            continue
        item = _ITEM.match(line)
        if item and style.bullets != "kept":
            line = line[item.end() :]
            if style.bullets == "alone":
                yield "-"
        yield re.sub(
            r"\[([^\]\n]+)\]\([^)\n]+\)|[*_]{1,2}(\w[^*_\n]*)[*_]{1,2}", lambda match: match[1] or match[2], line
        )


def read_comments(path: Path) -> dict[str, list[Comment]]:
    """Structured comments by author, newest first, from JSON Lines with the oldest first."""
    by_author: dict[str, list[Comment]] = defaultdict(list)
    with path.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            by_author[row["author"]].insert(0, row)
    return dict(by_author)


@dataclass(frozen=True)
class Dump:
    """A text whose borders are known."""

    name: str
    text: str
    starts: tuple[int, ...]
    author: str = ""
    style: str = ""
    uncertain: frozenset[int] = frozenset()
    """Offsets at which a careful reader could decide either way: a border there is neither right nor wrong."""


def generated_dumps(count: int | None = None, seed: int = 7) -> list[Dump]:
    """Dumps of all invented comments at hand, one or more per author, in the twelve styles by turns."""
    rng = random.Random(seed)
    by_author = {}
    for path in (COMMENTS, SAMPLE):
        if path.is_file():
            by_author.update(read_comments(path))
    authors = sorted(by_author)
    dumps = []
    for number in range(count or 2 * len(authors)):
        author, style = authors[number % len(authors)], STYLES[number % len(STYLES)]
        comments = by_author[author]
        if number >= len(authors):  # the same author again, as if others had been written in between
            comments = sorted(comments, key=lambda comment: rng.random())
        text, starts = make_dump(comments, rng, style)
        dumps.append(Dump(f"{author}, {style.name}", text, starts, author, style.name))
    return dumps
