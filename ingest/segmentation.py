"""A profile dump, whose borders between comments are gone -> profile, chrome and comments.

Every line start is a possible border. Evidence from both sides of it gives a log-odds, and the split with the best
total wins: a semi-Markov model over runs of lines, solved by dynamic programming; the confidence of a border is its
posterior probability over all splits (forward-backward), so it is not a property of one line alone.
Offsets are code points of the text as it was given; the text itself is never changed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ingest import cleaning
from ingest.cleaning import Line
from rag.records import Range

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts -> unit vectors of shape (n, dim)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One comment: `text[start:end]`."""

    start: int
    end: int
    confidence: float
    """Probability that both its borders are right, between 0 and 1."""
    quoted: tuple[Range, ...] = ()
    """Ranges of the text that are somebody else's words."""
    gaps: tuple[int, ...] = ()
    """Offsets at which a formula, image or button label was lost."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a profile dump consists of. Every character that is not blank is in exactly one range."""

    name: str | None
    """The author as the page's name line has it; never guessed."""
    name_range: Range | None
    profile: tuple[Range, ...]
    """Name and bio. A second printing of the bio is chrome."""
    comments: tuple[Piece, ...]
    chrome: tuple[Range, ...]
    """Headings, buttons, counters, titles of listed posts, repeated bio."""
    label: str | None
    """What to call an author without a name line, such as "unnamed profile (example.org)"; None where there is a name."""


def segment(
    text: str,
    *,
    embed: Embed | None = None,
    known_borders: Collection[int] = (),
    author_name: str | None = None,
) -> Segmentation:
    """Split a profile dump into profile, chrome and comments.

    Args:
        text: The dump, with its line ends as they are.
        embed: Gives vectors for topic shift; without it, shared words stand in.
        known_borders: Offsets at which a comment certainly begins, e.g. from an older snapshot of the same page.
        author_name: The name as known from elsewhere (sidecar, option): helps to find the name line.
    """
    lines = cleaning.lines_of(text)
    head = _read_head(lines, author_name)
    body = [line for line in lines[head.lines :] if line.number not in head.chrome]
    chrome = [(line.start, line.end) for line in lines[: head.lines] if line.number in head.chrome]
    runs = _drop_body_chrome(lines[head.lines :])
    kept = {line.number for line in runs}
    chrome += [(line.start, line.end) for line in lines[head.lines :] if line.number not in kept]
    body = runs
    odds = border_log_odds(body, embed)
    for index, line in enumerate(body):
        if any(line.start <= border < line.end for border in known_borders):
            odds[index] = _CERTAIN
    starts, posterior = _best_split(odds)
    gaps = cleaning.find_gaps(text)
    pieces = []
    for position, first in enumerate(starts):
        after = starts[position + 1] if position + 1 < len(starts) else len(body)
        sure = float(posterior[first]) * (float(posterior[after]) if after < len(body) else 1.0)
        start, end = body[first].start, body[after - 1].end
        pieces.append(
            Piece(
                start,
                end,
                round(min(1.0, sure), 4),
                _quoted(body[first:after]),
                tuple(gap for gap in gaps if start <= gap < end),
            )
        )
    return Segmentation(head.name, head.name_range, head.profile, tuple(pieces), tuple(chrome), head.label)


# --- profile ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Head:
    lines: int
    """How many lines belong to it."""
    name: str | None
    name_range: Range | None
    profile: tuple[Range, ...]
    chrome: frozenset[int]
    """Numbers of its lines that are chrome."""
    label: str | None


def _read_head(lines: list[Line], author_name: str | None) -> _Head:
    texts = [line.text for line in lines[:80]]
    end = _last_heading(texts)
    doubled = 0
    if end == 0:
        doubled = cleaning.repeated_head(texts)
        end = 2 * doubled
    name = _name_index(texts, end, author_name)
    if end == 0:
        end = 0 if name is None else name + 1
        while end < min(len(texts) - 1, 6) and cleaning.is_bio_line(texts[end]) and len(texts[end]) < 300 and name == 0:
            end += 1
    chrome, profile, in_list = set(), [], False
    for index, line in enumerate(lines[:end]):
        heading = cleaning.is_section_line(line.text) or cleaning.is_chrome_line(line.text)
        in_list = in_list or cleaning.is_section_line(line.text)
        if heading or in_list or cleaning.is_weak_chrome_line(line.text) or doubled and index >= doubled:
            chrome.add(line.number)
        else:
            profile.append((line.start, line.end))
    if name is not None:
        line = lines[name]
        return _Head(end, line.text, (line.start, line.end), tuple(profile), frozenset(chrome), None)
    return _Head(end, None, None, tuple(profile), frozenset(chrome), _label(texts[:end]))


def _last_heading(texts: list[str]) -> int:
    """Number of lines up to the last heading of the page's top; 0 if there is none."""
    end = 0
    for index, text in enumerate(texts):
        if (
            cleaning.is_section_line(text)
            or cleaning.is_chrome_line(text)
            or end
            and cleaning.is_weak_chrome_line(text)
        ):
            end = index + 1
        elif end and len(text) > 200:
            break
    return end


def _name_index(texts: list[str], end: int, author_name: str | None) -> int | None:
    if author_name:
        for index, text in enumerate(texts[:20]):
            if text.casefold() == author_name.casefold():
                return index
    return cleaning.find_name_line(texts[: end or 4])


_DOMAIN = re.compile(r"\b(?:https?://)?(?:www\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,12})\b", re.IGNORECASE)


def _label(texts: list[str]) -> str:
    for text in texts:
        if match := _DOMAIN.search(text):
            return f"unnamed profile ({match[1].lower()})"
    return "unnamed profile"


def _drop_body_chrome(lines: list[Line]) -> list[Line]:
    kept = []
    for index, line in enumerate(lines):
        if cleaning.is_chrome_line(line.text) and not _inside_sentence(lines, index):
            continue
        kept.append(line)
    return kept


def _inside_sentence(lines: list[Line], index: int) -> bool:
    """A button's label in mid-sentence is text: "... and clicking / Merge / buttons"."""
    before = lines[index - 1].text if index else ""
    after = lines[index + 1].text if index + 1 < len(lines) else ""
    return bool(before) and before[-1].isalnum() and after[:1].islower()


# --- evidence ---------------------------------------------------------------------------------------------------------

_CERTAIN = 30.0
_REPLY = re.compile(
    r"""(?:thanks|thank\ you|yes\b|yeah\b|yep\b|no[,.]|nope|agreed|i\ agree|i\ disagree|strong(?:ly)?\ (?:up|down|agree|disagree)|upvoted
    |hm+\b|ah\b|oh\b|huh\b|sure[,.]|right[,.]|fair\b|(?:great|good|nice)\ (?:post|point|question|catch)|awesome|cool[,.!]|sorry\b
    |i\ (?:like|liked|love|appreciate|mostly|kinda|really)|i['’](?:d\ say|m\ perhaps|m\ not\ sure)|my\ (?:main|guess|impression)
    |for\ the\ record|fwiw|\(edit|see\ also|in\ response|are\ you|do\ you|can\ i|is\ the\ following|could\ you|have\ you)""",
    re.IGNORECASE | re.VERBOSE,
)
_CONTINUES = re.compile(
    r"""(?:and|but|so|also|however|then|or|because|furthermore|moreover|finally|second(?:ly)?|third(?:ly)?|similarly|instead|in\ particular
    |this|these|that|those|it|they|such|for\ (?:example|instance|one)|on\ the\ other\ hand|another|one\ final|e\.g|i\.e|now,|well,
    |as\ an\ alternative|broadly|the\ fix|both|outside|when|regarding)\b|["“]|\(|[-–—*•]|\d+[.)]""",
    re.IGNORECASE | re.VERBOSE,
)


def border_log_odds(lines: list[Line], embed: Embed | None = None) -> np.ndarray:
    """Log-odds that a comment begins at each line, from the lines around it alone: shape (len(lines),)."""
    odds = np.empty(len(lines))
    for index, line in enumerate(lines):
        if index == 0:
            odds[0] = _CERTAIN
            continue
        before, here = lines[index - 1].text, line.text
        score = -0.5
        if _REPLY.match(here):
            score += 3
        if _CONTINUES.match(here):
            score -= 2.5
        if (
            here[0].islower()
            or before[-1] in ":,"
            or before[-1].isalnum()
            or before in ("-", "--")
            or here in ("-", "--")
        ):
            score -= 4
        odds[index] = score
    return odds


# --- split ------------------------------------------------------------------------------------------------------------

_LONGEST = 60
_LENGTH_SHAPE = (0.25, 0.22, 0.16, 0.11, 0.08, 0.06, 0.04, 0.03)


def _length_log_prior() -> np.ndarray:
    tail = 1.0 - sum(_LENGTH_SHAPE)
    rest = [tail * 0.2 * 0.8**n for n in range(_LONGEST - len(_LENGTH_SHAPE))]
    return np.log(np.array([*_LENGTH_SHAPE, *rest]))


def _best_split(odds: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The most probable set of starts, and for each line the posterior probability that a comment starts there."""
    count = len(odds)
    if not count:
        return [], np.zeros(0)
    log_yes, log_no = -np.logaddexp(0, -odds), -np.logaddexp(0, odds)
    below = np.concatenate([[0.0], np.cumsum(log_no)])
    prior = _length_log_prior()
    best, total = np.full(count + 1, -math.inf), np.full(count + 1, -math.inf)
    best[0] = total[0] = 0.0
    back = np.zeros(count + 1, dtype=int)
    for end in range(1, count + 1):
        first = max(0, end - _LONGEST)
        pieces = log_yes[first:end] + below[end] - below[first + 1 : end + 1] + prior[: end - first][::-1]
        scores = best[first:end] + pieces
        back[end] = first + int(np.argmax(scores))
        best[end] = scores[back[end] - first]
        total[end] = np.logaddexp.reduce(total[first:end] + pieces)
    after = np.full(count + 1, -math.inf)
    after[count] = 0.0
    for start in range(count - 1, -1, -1):
        last = min(count, start + _LONGEST)
        pieces = log_yes[start] + below[start + 1 : last + 1] - below[start + 1] + prior[: last - start]
        after[start] = np.logaddexp.reduce(after[start + 1 : last + 1] + pieces)
    posterior = np.exp(np.minimum(0.0, total[:count] + after[:count] - total[count]))
    starts, end = [], count
    while end:
        end = int(back[end])
        starts.append(end)
    return starts[::-1], posterior


# --- voices -----------------------------------------------------------------------------------------------------------

_ANSWERS = re.compile(r"(?:yes,? i (?:agree|think)|no,|if you ask me|i (?:think you might|disagree))", re.IGNORECASE)


def _quoted(lines: list[Line]) -> tuple[Range, ...]:
    """Lines that are quoted from somebody else."""
    ranges = [(line.start, line.end) for line in lines if line.text.startswith(">") and not line.text.startswith(">!")]
    for before, line in zip(lines, lines[1:], strict=False):
        if re.search(r"\b(?:recent post|writes?|wrote|said|says):$", before.text):
            ranges.append((line.start, line.end))
    return tuple(sorted(set(ranges)))
