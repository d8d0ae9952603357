"""Measure how well comments are found in profile dumps.

Two kinds of gold: real dumps whose borders a person has read (line numbers only, in `gold/seed_borders.json` or in a file
`borders.json` beside the dumps), and dumps made here from structured comments by taking their borders away as sites and
scrapers do. All of it comes with the package but the real dumps. Not needed to segment anything.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import rag
from ingest.borders import Embed
from ingest.chrome import is_chrome_line
from ingest.lines import lines_of
from ingest.segmentation import Decide, Segmentation, segment
from rag.errors import SourceError

GOLD = Path(__file__).parent / "gold"
COMMENTS = GOLD / "invented_comments.jsonl"
SEED_BORDERS = GOLD / "seed_borders.json"
BORDERS = "borders.json"
"""Name of the file that records the borders of the dumps beside it, in the form of `SEED_BORDERS`."""
SAMPLE = Path(rag.__file__).parent / "sample" / "comments" / "thread.jsonl"

Comment = Mapping[str, Any]
"""`author` and `text` (markdown), perhaps `title`."""

# --- dumps from structured comments -----------------------------------------------------------------------------------


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
PLAIN = Style("plain", page="bare", name_place="below")
TELLING = frozenset({"wide gaps", "gap per comment", "titles", "full heads"})
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


def made_dumps(count: int | None = None, seed: int = 7) -> list[Dump]:
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


def seed_dumps(folder: Path) -> list[Dump]:
    """The real dumps of a folder for which borders have been read.

    Raises:
        SourceError: There are none, or the file of borders cannot be read.
    """
    recorded = folder / BORDERS if (folder / BORDERS).is_file() else SEED_BORDERS
    dumps = [
        _dump(folder / name, entry, recorded)
        for name, entry in _recorded(recorded).items()
        if (folder / name).is_file()
    ]
    if not dumps:
        raise SourceError(
            f"No borders are recorded for the dumps in {folder}. Put a file {BORDERS} beside them: "
            '{"files": {"page.txt": {"comments": [3, 9, 12]}}}, the numbers of the lines at which a comment begins.'
        )
    return dumps


def _recorded(path: Path) -> Mapping[str, Any]:
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {str(name): {**entry, "comments": [int(n) for n in entry["comments"]]} for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise SourceError(
            f'{path} does not hold borders ({exc}). Its form is {{"files": {{"page.txt": {{"comments": [3, 9, 12]}}}}}}.'
        ) from exc


def _dump(path: Path, entry: Mapping[str, Any], recorded: Path) -> Dump:
    text = path.read_bytes().decode("utf-8", "replace")
    first = {line.number: line.start for line in lines_of(text)}
    wrong = [number for number in entry["comments"] if number not in first]
    if wrong or not entry["comments"]:
        raise SourceError(
            f"{recorded}: {path.name} has no line {wrong or 'recorded'} with text on it. Correct the numbers."
        )
    starts = tuple(first[number] for number in sorted(entry["comments"]))
    uncertain = {first[int(number)] for number in entry.get("uncertain", ()) if int(number) in first}
    return Dump(path.name, text, starts, uncertain=frozenset(uncertain - {starts[0]}))


# --- figures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """Borders found. The first comment of a dump counts: the page's head ends there."""

    right: int = 0
    found: int = 0
    gold: int = 0
    leaks: int = 0
    """Lines of profile or page inside comments."""
    lost: int = 0
    """Characters that are not blank and in no range, or in more than one."""
    inner_right: int = 0
    inner_found: int = 0
    inner_gold: int = 0
    """The same without the first comment of each dump."""

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def to_dict(self) -> dict[str, float | int]:
        """Counts, precision, recall and F1."""
        precision, recall, f1 = _ratios(self.right, self.found, self.gold)
        return {
            "precision": precision, "recall": recall, "f1": f1,
            "inner_f1": _ratios(self.inner_right, self.inner_found, self.inner_gold)[2],
            "right": self.right, "found": self.found, "gold": self.gold, "leaks": self.leaks, "lost": self.lost,
        }  # fmt: skip


def _ratios(right: int, found: int, gold: int) -> tuple[float, float, float]:
    return right / max(1, found), right / max(1, gold), 2 * right / max(1, found + gold)


def score(dump: Dump, result: Segmentation) -> Score:
    """Compare a segmentation with the known borders of a dump."""
    found = {piece.start for piece in result.comments} - dump.uncertain
    gold = set(dump.starts) - dump.uncertain
    first = min(gold)
    leaks = 0
    for piece in result.comments:
        leaks += len(lines_of(dump.text[piece.start : min(piece.end, max(piece.start, first))]))
        leaks += sum(is_chrome_line(line.text) for line in lines_of(dump.text[piece.start : piece.end]))
    return Score(
        len(found & gold), len(found), len(gold), leaks, misplaced(dump.text, result),
        len(found & gold - {first}), len(found - {first}), len(gold - {first}),
    )  # fmt: skip


def misplaced(text: str, result: Segmentation) -> int:
    """Characters that are not blank and in no range or in several."""
    times = np.zeros(len(text) + 1, dtype=int)
    for start, end in [*result.profile, *result.chrome, *((piece.start, piece.end) for piece in result.comments)]:
        times[start] += 1
        times[end] -= 1
    times = np.cumsum(times)[:-1]
    return sum(1 for index in np.flatnonzero(times != 1) if not text[index].isspace())


def evaluate(
    seeds_dir: Path | str | None = None, *, embed: Embed | None = None, decide: Decide | None = None
) -> dict[str, Any]:
    """Border precision, recall and F1, pooled and per file, for real and for made dumps.

    Args:
        seeds_dir: Folder with real dumps whose borders are recorded; without it only made dumps are measured.
        embed: As in `segment`.
        decide: As in `segment`.

    Returns:
        For "made" and "seeds" the number of `dumps`, and the figures `pooled` and by name in `files`; for made dumps also
        those in which the page marks the borders and those in which it does not, and by style; for real dumps also `strict`,
        in which uncertain borders count as they were recorded.

    Raises:
        SourceError: The folder holds no dump whose borders are recorded.
    """
    groups = {"made": made_dumps()}
    if seeds_dir is not None:
        groups["seeds"] = seed_dumps(Path(seeds_dir))
    report: dict[str, Any] = {}
    for group, dumps in groups.items():
        found = {dump.name: segment(dump.text, embed=embed, decide=decide) for dump in dumps}
        scores = {dump.name: score(dump, found[dump.name]) for dump in dumps}
        report[group] = {
            "dumps": len(dumps),
            "pooled": sum(scores.values(), Score()).to_dict(),
            "files": {name: each.to_dict() for name, each in scores.items()},
        }
        if group == "made":
            for label, telling in (("marked", True), ("unmarked", False)):
                chosen = [scores[dump.name] for dump in dumps if (dump.style in TELLING) is telling]
                report[group][label] = sum(chosen, Score()).to_dict()
            report[group]["styles"] = {
                style.name: sum((scores[dump.name] for dump in dumps if dump.style == style.name), Score()).to_dict()
                for style in STYLES
            }
        else:
            strict = (score(replace(dump, uncertain=frozenset()), found[dump.name]) for dump in dumps)
            report[group]["strict"] = sum(strict, Score()).to_dict()
    return report
