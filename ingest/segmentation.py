"""A profile dump, whose borders between comments are gone -> profile, chrome and comments.

First the page is taken apart: name and bio at the top, headings, buttons and the lines that a site prints around each
comment. What is left are paragraphs, and borders.py decides which of them begin a comment. Offsets are code points of
the text as it was given; the text itself is never changed. Does not read files (see sources/) and does not merge
snapshots (see snapshots.py).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

import numpy as np

from ingest import borders, voices
from ingest.borders import Embed
from ingest.chrome import (
    heads_comments,
    is_chrome_line,
    is_date_line,
    is_head_of,
    is_page_line,
    is_reply_button,
    is_section_line,
    is_weak_chrome_line,
    owner_of_page,
    owner_of_section,
    replies_to,
)
from ingest.lines import Line, bare, could_be_title, ends_sentence, is_title_case, lines_of
from ingest.profiles import (
    find_name_line,
    front_matter,
    introduced_name,
    is_bio_line,
    is_full_name,
    is_place,
    is_prose,
    linked_name,
    looks_like_name,
    repeated_head,
)
from ingest.scars import find_gaps
from rag.records import Range

MOST_EMBEDDED = 20_000
"""Paragraphs; longer dumps are split by their words alone, to keep the time within bounds."""
GUESSED_HEAD = 0.8
"""Confidence in the first border where neither heading nor repeated bio says where the comments begin."""


Decide = Callable[[Sequence[str], Sequence[int]], Mapping[int, bool]]
"""All paragraphs, and the indices of those whose border is uncertain -> whether a comment begins there, for those indices
that it can tell."""

MOST_ASKED = 300
"""Uncertain borders that `decide` is asked about, the most uncertain first."""
_UNCERTAIN = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class Piece:
    """One comment: `text[start:end]`."""

    start: int
    end: int
    confidence: float
    """Probability that a comment starts here and ends here, between 0 and 1."""
    quoted: tuple[Range, ...] = ()
    """Ranges of the text that are somebody else's words."""
    gaps: tuple[int, ...] = ()
    """Offsets at which a formula, image or button label was lost."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a profile dump consists of. Every character that is not blank is in exactly one range."""

    name: str | None
    """The author as the page has it, in its name line, a heading ("Ada Byron's Comments") or the bio; never guessed."""
    name_range: Range | None
    profile: tuple[Range, ...]
    """Name and bio. A second printing of the bio is chrome."""
    comments: tuple[Piece, ...]
    chrome: tuple[Range, ...]
    """Headings, buttons, counters, titles of listed posts, the repeated bio."""
    label: str | None
    """What to call an author whom the page does not name, such as "unnamed profile (example.org)"; None where there is a name."""


@dataclass(frozen=True)
class Page:
    """A dump taken apart, before its borders are looked for."""

    name: Line | None
    label: str | None
    profile: list[Line]
    chrome: list[Line]
    paragraphs: list[Line]
    """What comments consist of. The lines of a hard-wrapped paragraph count as one."""
    certain: set[int] = field(default_factory=set)
    """Indices of paragraphs that begin a comment, because the site's own lines stand right before them."""
    head_is_marked: bool = True
    """Whether the page says where its comments begin."""

    @property
    def marks_comments(self) -> bool:
        """Whether the page printed something around each comment."""
        return len(self.certain - {0}) >= 3


def segment(
    text: str,
    *,
    embed: Embed | None = None,
    known_borders: Collection[int] = (),
    no_borders: Collection[int] = (),
    author_name: str | None = None,
    decide: Decide | None = None,
) -> Segmentation:
    """Split a profile dump into profile, chrome and comments.

    Args:
        text: The dump, with its line ends as they are.
        embed: Texts -> unit vectors (n, dim), for topic shift; without it, shared words stand in.
        known_borders: Offsets at which a comment certainly begins, e.g. from an older snapshot of the same page.
        no_borders: Offsets of lines at which certainly none begins.
        author_name: The name as known from elsewhere (sidecar, option): helps to find the name line.
        decide: Judges borders that the evidence leaves open, such as a chat model. It can only choose among line
            starts, so the text cannot change.
    """
    page = take_apart(text, author_name=author_name, first_comment=min(known_borders, default=None))
    starts, probability = _find_starts(page, embed, known_borders, no_borders, decide)
    gaps = find_gaps(text)
    pieces = tuple(_pieces(page.paragraphs, starts, probability, gaps))
    profile = tuple((line.start, line.end) for line in page.profile)
    chrome = sorted((line.start, line.end) for line in page.chrome)
    chrome = sorted([*chrome, *_uncovered(text, [*profile, *chrome, *((piece.start, piece.end) for piece in pieces)])])
    name = page.name
    return Segmentation(
        name.text if name else None,
        _place(text, name) if name else None,
        profile,
        pieces,
        tuple(chrome),
        page.label,
    )


def _find_starts(
    page: Page,
    embed: Embed | None,
    known_borders: Collection[int],
    no_borders: Collection[int],
    decide: Decide | None,
) -> tuple[list[int], np.ndarray]:
    paragraphs = page.paragraphs
    certain = page.certain | _paragraphs_at(paragraphs, known_borders)
    barred = _paragraphs_at(paragraphs, no_borders) - certain
    embed = embed if len(paragraphs) <= MOST_EMBEDDED else None
    starts, probability = borders.find_starts(paragraphs, embed, certain, barred=barred, complete=page.marks_comments)
    if decide is not None:
        decided = _ask(decide, paragraphs, probability)
        certain = certain | {index for index, begins in decided.items() if begins}
        barred = barred | {index for index, begins in decided.items() if not begins}
        starts, probability = borders.find_starts(
            paragraphs, embed, certain, barred=barred, complete=page.marks_comments
        )
    if len(probability) and not page.head_is_marked:
        probability[0] = GUESSED_HEAD
    return starts, probability


def _ask(decide: Decide, paragraphs: Sequence[Line], probability: np.ndarray) -> dict[int, bool]:
    low, high = _UNCERTAIN
    uncertain = [index for index in range(1, len(paragraphs)) if low < probability[index] < high]
    asked = sorted(sorted(uncertain, key=lambda index: abs(probability[index] - 0.5))[:MOST_ASKED])
    if not asked:
        return {}
    answers = decide([line.text for line in paragraphs], asked)
    return {index: begins for index, begins in answers.items() if index in asked}


def _paragraphs_at(paragraphs: Sequence[Line], offsets: Iterable[int]) -> set[int]:
    """Indices of the paragraphs that start at these offsets, or right after the blanks at them."""
    starts = [line.start for line in paragraphs]
    found = set()
    for offset in offsets:
        index = bisect_left(starts, offset)
        if index < len(starts) and (index == 0 or paragraphs[index - 1].end <= offset):
            found.add(index)
    return found


def _pieces(paragraphs: list[Line], starts: list[int], probability: np.ndarray, gaps: Sequence[int]) -> Iterator[Piece]:
    for first, after in pairwise([*starts, len(paragraphs)]):
        start, end = paragraphs[first].start, paragraphs[after - 1].end
        ends_here = float(probability[after]) if after < len(paragraphs) else 1.0
        yield Piece(
            start,
            end,
            round(float(probability[first]) * ends_here, 4),
            tuple(voices.quoted_paragraphs(paragraphs[first:after])),
            tuple(gaps[bisect_left(gaps, start) : bisect_left(gaps, end)]),
        )


def _place(text: str, name: Line) -> Range:
    """Where the name stands in its line, which may have marks around it: "# Ada Byron"."""
    at = text.find(name.text, name.start, name.end)
    return (name.start, name.end) if at < 0 else (at, at + len(name.text))


def _uncovered(text: str, ranges: list[Range]) -> Iterator[Range]:
    """What no range holds and is not blank: marks such as NUL or a byte order mark at the edges of lines."""
    at = 0
    for start, end in [*sorted(ranges), (len(text), len(text))]:
        between = text[at:start]
        if between and not between.isspace():
            lead = len(between) - len(between.lstrip())
            yield at + lead, at + len(between.rstrip())
        at = max(at, end)


# --- the page ---------------------------------------------------------------------------------------------------------

_HEAD_LINES = 120
_HEAD_LENGTH = 8_000
_BIO_LENGTH = 2_000
_NAME_LENGTH = 60
_BIO_SECTIONS = frozenset({"user profile", "bio", "participation", "how others can help me", "how i can help others"})
_PROFILE_BUTTONS = frozenset({"message", "send message", "send a message", "subscribe", "dialogue"})


def take_apart(text: str, *, author_name: str | None = None, first_comment: int | None = None) -> Page:
    """Tell name, bio and chrome from the paragraphs of comments.

    Args:
        first_comment: Offset at or before which the head certainly ends.
    """
    lines = [bare(line) for line in lines_of(text)]
    front = lines[: front_matter(lines)]
    lines = lines[len(front) :]
    foot = _link_list(text, lines)
    lines = lines[: len(lines) - len(foot)]
    texts = [line.text for line in lines[:_HEAD_LINES]]
    end, repeated = _head_end(texts)
    end, below = _name_below_heading(texts, end)
    owner = _owner(lines[:end])
    name = _name_index(texts, end, author_name, owner) if below is None else below
    if name is None and not owner and end and end == repeated.stop and find_name_line(texts[end - 1 : end + 2]) == 1:
        name = end
    marked = end > 0
    if not marked or name == end:
        end = _guess_head_end(texts, name)
    if name is not None and is_place(texts[name]) and not _is_printed_again(lines, name):
        name = None
    if first_comment is not None:
        at_most = next((index for index, line in enumerate(lines[:end]) if line.start >= first_comment), end)
        marked, end = marked or at_most < end, at_most
    if name is not None and name >= end:
        name = None
    profile, chrome = _split_head(lines[:end], repeated, name)
    stated = owner or _name_in_heads(lines[end:]) or _titled_name(chrome) or _stated_name([*front, *profile])
    name_line = lines[name] if name is not None else stated
    label = None if name_line else _label(profile)
    above = texts[end - 1] if end else ""
    kept, more_chrome, certain = _drop_chrome(lines[end:], name_line, profile, above)
    paragraphs, certain = _join_wrapped(kept, certain)
    return Page(name_line, label, profile, [*front, *chrome, *more_chrome, *foot], paragraphs, certain, marked)


_NUMBERED_LINK = re.compile(r"\[\d{1,4}\]\w")
_LISTED_LINK = re.compile(r"\[?\d{1,4}[.\]]+\s+[a-z]+:\S+|(?:visible|hidden) links:?", re.IGNORECASE)


def _link_list(text: str, lines: list[Line]) -> list[Line]:
    """The addresses that a browser for terminals prints below a page whose links it has numbered."""
    listed = list(takewhile(lambda line: _LISTED_LINK.fullmatch(line.text), reversed(lines)))
    above = lines[-len(listed) - 1 : len(lines) - len(listed)]
    if not listed or not above or above[0].text.rstrip(":") != "References" or len(_NUMBERED_LINK.findall(text)) < 3:
        return []
    return lines[-len(listed) - 1 :]


def _head_end(texts: list[str]) -> tuple[int, range]:
    """Number of lines above the comments as far as the page marks it, and which of them repeat others.

    A bio that is printed twice marks it, and headings ("Wiki Contributions"). Below the heading of the comments stand
    comments: a heading further down is one of their lines, or comes after them.
    """
    end, repeated = _repeated_bio(texts)
    lone = _BIO_LENGTH if all(looks_like_name(texts[index]) for index in repeated) else _NAME_LENGTH
    length, headed, listing, comments, passed = 0, False, False, False, False
    for index in range(end, len(texts)):
        text = texts[index]
        longest = 4_000 if listing else lone if not headed and _stands_alone(texts, index) else _HEAD_LENGTH
        if _is_heading(text) and length <= longest:
            end, length, headed = index + 1, 0, True
            listing = text.casefold() not in _BIO_SECTIONS
            comments = heads_comments(text) or (comments and _is_sorting(text))
            passed = passed or comments
        elif end == index and index and is_page_line(text):
            end += 1
            comments = comments or (listing and text.casefold() == "all")
        elif comments or (listing and len(text) > 160) or (passed and is_prose(text)):
            break
        else:
            length += len(text)
    return end, repeated


def _name_below_heading(texts: list[str], end: int) -> tuple[int, int | None]:
    """Where a page prints the heading of its comments above name and bio: where these end, and the line of the name.

    Only a bio below it, or words that are no everyday ones, make a name of the first line below a heading: it may as well
    be the title of a post, or a short comment.
    """
    if not end or end >= len(texts) - 1 or not all(map(is_page_line, texts[:end])) or not looks_like_name(texts[end]):
        return end, None
    after = end + 1
    while after < len(texts) - 1 and (is_page_line(texts[after]) or _is_bio(texts[after:])):
        after += 1
    below = texts[end + 1 : after]
    if any(map(is_date_line, below)):
        return end, None
    if any(map(is_bio_line, below)) or (is_full_name(texts[end]) and _opens_comment(texts[after])):
        return after, end
    return end, None


def _repeated_bio(texts: list[str]) -> tuple[int, range]:
    for offset in range(len(texts)):
        if offset > 2 and not is_page_line(texts[offset - 1]):
            break
        size = repeated_head(texts[offset:])
        if size:
            return offset + 2 * size, range(offset + size, offset + 2 * size)
    return 0, range(0)


def _stands_alone(texts: list[str], index: int) -> bool:
    """Whether no other line of the page is beside this one: far from the top, it is then a line of a comment."""
    beside = [*texts[max(0, index - 1) : index], *texts[index + 1 : index + 2]]
    return not any(map(is_page_line, beside))


def _is_heading(text: str) -> bool:
    return is_section_line(text) or _is_sorting(text) or text.casefold() in _BIO_SECTIONS


def _is_sorting(text: str) -> bool:
    return text.casefold().startswith("sorted by") and is_chrome_line(text)


def _owner(head: list[Line]) -> Line | None:
    """Whose page it is by its own headings: "Ada Byron's Comments". One heading alone must have a name before the "'s"."""
    spans = [(line, span) for line in head if (span := owner_of_section(line.text))]
    owners = [_part(line, span) for line, span in spans]
    if len({owner.text.casefold() for owner in owners}) != 1 or not any(heads_comments(line.text) for line, _ in spans):
        return None
    return owners[-1] if len(owners) > 1 or looks_like_name(owners[0].text) else None


def _part(line: Line, span: Range) -> Line:
    start, end = span
    return Line(line.number, line.start + start, line.start + end, line.text[start:end], 0)


def _name_index(texts: list[str], end: int, author_name: str | None, owner: Line | None) -> int | None:
    """Index of the name line: the one with the known name, if it is known from a heading or elsewhere."""
    for known in (author_name, owner and owner.text):
        for index, text in enumerate(texts[: max(end, 6)] if known else ()):
            if text.casefold() == known.casefold():
                return index
    if owner:
        return None
    # Where no heading says that posts are listed, whatever the page prints among name and bio stands in nobody's way;
    # and nowhere what the site prints above both.
    first = sum(1 for _ in takewhile(is_page_line, texts[:end]))
    seen = range(max(0, first - 1), end) if end else [i for i, text in enumerate(texts) if not is_page_line(text)][:4]
    found = find_name_line([texts[index] for index in seen])
    if found is None and 0 < first < end and looks_like_name(texts[first]) and texts.count(texts[first]) > 1:
        return first
    return None if found is None else seen[found]


def _is_printed_again(lines: list[Line], name: int) -> bool:
    """Whether the page prints its first line elsewhere too, as it does with names: of a place, one cannot tell else."""
    folded = lines[name].text.casefold()
    return sum(line.text.casefold() == folded for line in lines) > 1


def _name_in_heads(lines: list[Line]) -> Line | None:
    """The name that a page prints above each comment: below the title of the post, above the date."""
    heads = [
        (title, name) for title, name, date in zip(lines, lines[1:], lines[2:], strict=False) if is_date_line(date.text)
    ]
    titled = sum(could_be_title(title.text) and not is_chrome_line(title.text) for title, _ in heads)
    if titled < 3 or titled < 0.75 * len(heads) or len({name.text for _, name in heads}) > 1:
        return None
    name = heads[0][1]
    return name if looks_like_name(name.text) else None


def _titled_name(chrome: list[Line]) -> Line | None:
    """The name in the title of a page: "Ada Byron's Profile - LessWrong"."""
    return next((_part(line, span) for line in chrome if (span := owner_of_page(line.text))), None)


def _stated_name(profile: list[Line]) -> Line | None:
    """The name by which a bio introduces its author, or else the handle in a link to their own page."""
    introduced = [_part(line, span) for line in profile if (span := introduced_name(line.text))]
    linked = [
        _part(line, span) for index, line in enumerate(profile) if (span := linked_name(line.text, first=index == 0))
    ]
    for names in (introduced, linked):
        if names:
            return names[0] if len({name.text.casefold() for name in names}) == 1 else None
    return None


def _guess_head_end(texts: list[str], name: int | None) -> int:
    """Where neither headings nor a repeated bio mark it: after the name, and after the bio and what the page prints there."""
    end = 0 if name is None else name + 1
    found = name is not None
    bios = 1 if name is None else 4 if all(map(is_page_line, texts[:name])) else 0
    for index in range(end, len(texts) - 1):
        if bios and _is_bio(texts[index:]):
            found, bios = True, bios - 1
        elif not is_page_line(texts[index]):
            break
        end += 1
    return end if found else 0


def _is_bio(texts: Sequence[str]) -> bool:
    """Whether the first of several lines is of a bio. A question that the next line answers opens the first comment."""
    quoted = texts[0].endswith("?") and voices.is_answered(texts[:4])
    return is_bio_line(texts[0]) and not quoted


def _split_head(lines: list[Line], repeated: range, name: int | None) -> tuple[list[Line], list[Line]]:
    """Profile and chrome: lists of posts belong to the page, and so does whatever it prints a second time."""
    profile: list[Line] = []
    chrome: list[Line] = []
    listing, seen = False, set()
    for index, line in enumerate(lines):
        folded = line.text.casefold()
        heading = _is_heading(line.text)
        if heading:
            listing = folded not in _BIO_SECTIONS
        elif folded in _PROFILE_BUTTONS:
            listing = False
        listing = listing and index != name
        again = index in repeated or folded in seen
        seen.add(folded)
        if index == name or not (heading or listing or again or is_page_line(line.text)):
            profile.append(line)
        else:
            chrome.append(line)
    return profile, chrome


_DOMAIN = re.compile(
    r"(?<![@\w.])(?:https?://)?(?:www\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|me|ai|dev|blog|xyz|page|info|app|site|tech"
    r"|edu|ac|co|uk|us|ca|au|eu|de|ch|at|fr|nl|se|no|dk|fi|pl|cz|es|it|in|jp))\b(?![@\w])",
    re.IGNORECASE,
)


def _label(profile: list[Line]) -> str:
    for line in profile:
        if match := _DOMAIN.search(line.text[:2_000]):
            return f"unnamed profile ({match[1].lower()})"
    return "unnamed profile"


# --- chrome among the comments ----------------------------------------------------------------------------------------


_MOST_LISTED = 5


def _drop_chrome(
    lines: list[Line], name: Line | None, profile: list[Line], above: str
) -> tuple[list[Line], list[Line], set[int]]:
    """Lines of comments, lines of the page, and which of the former come right after one of the latter.

    Args:
        above: The line above the first.
    """
    own = {name.text.casefold()} if name else set()
    named = [name is not None and (line.text.casefold() in own or is_head_of(line.text, name.text)) for line in lines]
    again = {line.text for line in profile if len(line.text) >= 30}
    beside = _side_column(lines, own, [line.text for line in profile if line != name])
    dated = [is_date_line(line.text) for line in lines]
    regular = _regular(lines, above)
    strong = [
        index in beside
        or (dated[index] and index in regular)
        or line.text in again
        or (is_chrome_line(line.text) and not _inside_sentence(lines, index))
        for index, line in enumerate(lines)
    ]
    weak = [
        named[index] or is_weak_chrome_line(line.text) or replies_to(line.text, lines[index - 1].text if index else "")
        for index, line in enumerate(lines)
    ]
    dated = [dated[index] or (named[index] and line.text.casefold() not in own) for index, line in enumerate(lines)]
    chrome = _spread(strong, weak, dated, named)
    for index in {*_titles(lines, chrome, named), *regular, *_rules_between(lines, chrome)}:
        chrome[index] = True
    kept: list[Line] = []
    dropped: list[Line] = []
    certain: set[int] = set()
    for index, line in enumerate(lines):
        if chrome[index]:
            dropped.append(line)
        else:
            if index and chrome[index - 1]:
                certain.add(len(kept))
            kept.append(line)
    return kept, dropped, certain


_RULE = re.compile(r"(?:[-–—*_=]\s?){3,80}")


def _regular(lines: list[Line], above: str) -> set[int]:
    """Indices of lines that a page prints above or below each comment: a date, "Comment 12".

    They differ in their numbers only, are many, and the first line is one, or the last.
    """
    forms = [_form(line.text) for line in lines]
    found: set[int] = set()
    for form in {*forms[:1], *forms[-1:], *({"date"} & {_form(above), *forms[:2]})} - {""}:
        there = [index for index, each in enumerate(forms) if each == form]
        differ = form == "date" or len({lines[index].text for index in there}) >= 3
        if differ and len(there) + (form == _form(above)) >= max(3, len(lines) / 12) and there[-1] >= len(lines) / 2:
            found.update(there)
    return found


def _form(text: str) -> str:
    """A short line with a number in it, without what the number is; nothing for other lines, sentences, and mere numbers."""
    if is_date_line(text):
        return "date"
    form = re.sub(r"\d+", "0", text.casefold()) if len(text) <= 60 else ""
    return form if "0" in form and form != "0" and text[-1] not in ".!?" else ""


def _rules_between(lines: list[Line], chrome: list[bool]) -> set[int]:
    """Indices of rules ("---") that part comments, where nothing else does: there are many, or one at an end. A comment has few."""
    rules = {index for index, line in enumerate(lines) if _RULE.fullmatch(line.text)}
    at_end = bool(rules & {0, len(lines) - 1})
    return rules if len(rules) >= max(3, len(lines) / (12 if at_end else 5)) and sum(chrome) < 3 else set()


def _side_column(lines: list[Line], own: set[str], bio: list[str]) -> set[int]:
    """Indices of lines that print the bio again: below the name, above "See more", or all of several lines."""
    found: set[int] = set()
    for index, line in enumerate(lines):
        if line.text not in bio or index in found:
            continue
        there = zip(lines[index : index + len(bio)], bio[bio.index(line.text) :], strict=False)
        size = sum(1 for _ in takewhile(lambda pair: pair[0].text == pair[1], there))
        below_name = index > 0 and lines[index - 1].text.casefold() in own
        after = lines[index + size].text.casefold() if index + size < len(lines) else ""
        if below_name or after in ("see more", "see less") or size == len(bio) > 1:
            found.update(range(index, index + size))
    return found


def _inside_sentence(lines: list[Line], index: int) -> bool:
    """A button's label in mid-sentence is text: "... and clicking / Merge / buttons". So are headings listed in one."""
    first = last = index
    if is_section_line(lines[index].text):
        while index - first < _MOST_LISTED and first and is_section_line(lines[first - 1].text):
            first -= 1
        while last - index < _MOST_LISTED and last + 1 < len(lines) and is_section_line(lines[last + 1].text):
            last += 1
    before = lines[first - 1].text if first else ""
    after = lines[last + 1].text if last + 1 < len(lines) else ""
    if not before or not after or is_chrome_line(before):
        return False
    return (before[-1].isalnum() or before[-1] in ',:“"(') and (after[:1].islower() or after[:1] in ',.;)”"')


def _spread(strong: list[bool], weak: list[bool], dated: list[bool], own: list[bool]) -> list[bool]:
    """Weak chrome (a number, "2y", the author's name) counts in a run of lines that also holds surer signs.

    A comment has one date: a second one below it is what the comment begins with.
    """
    chrome = list(strong)
    index = 0
    while index < len(weak):
        if not (weak[index] or strong[index]):
            index += 1
            continue
        first = index
        while index < len(weak) and (weak[index] or strong[index]):
            index += 1
        run = range(first, index)
        if any(strong[i] for i in run) or any(own[i] for i in run) or (any(dated[i] for i in run) and len(run) > 1):
            has_date = False
            for i in run:
                if has_date and dated[i] and not own[i]:
                    break
                has_date = dated[i] or (has_date and not own[i])
                chrome[i] = True
    return chrome


def _titles(lines: list[Line], chrome: list[bool], own: list[bool]) -> list[int]:
    """Titles of posts, where a page prints one above each comment.

    A line above other chrome of a comment's head is one if it is no sentence, and so is whatever stands between the button
    below one comment and the head of the next. Elsewhere several lines must look like titles before any of them counts, since a
    comment may have headings of its own.
    """
    above_heads = []
    alone = []
    cased = 0
    casual = sum(line.text[0].islower() for line in lines) > 0.5 * len(lines)
    for index, line in enumerate(lines[:-1]):
        before_ended = index == 0 or chrome[index - 1] or casual or ends_sentence(lines[index - 1].text)
        if chrome[index] or not before_ended:
            continue
        framed = own[index + 1] if index == 0 else chrome[index + 1] and is_reply_button(lines[index - 1].text)
        if not framed and not could_be_title(line.text):
            continue
        if chrome[index + 1]:
            if not _is_body(lines, chrome, own, index):
                above_heads.append(index)
        elif _opens_comment(lines[index + 1].text) and (casual or not lines[index + 1].text[0].islower()):
            alone.append(index)
            cased += is_title_case(line.text)
    many = cased >= 3 and cased >= 0.5 * len(alone) and len(alone) >= 0.08 * len(lines)
    return [*(above_heads if len(above_heads) >= 2 else []), *(alone if many else [])]


def _is_body(lines: list[Line], chrome: list[bool], own: list[bool], index: int) -> bool:
    """Whether a line between chrome is all of a comment: the button is below it, or the head of one above it already."""
    above = list(takewhile(chrome.__getitem__, range(index - 1, -1, -1)))
    below = list(takewhile(chrome.__getitem__, range(index + 1, len(lines))))
    if any(is_reply_button(lines[beside].text) for beside in below):
        return True
    headed = any(own[beside] for beside in above) and not any(is_reply_button(lines[beside].text) for beside in above)
    return headed and any(own[beside] for beside in below)


def _opens_comment(text: str) -> bool:
    return len(text) >= 40 or ends_sentence(text)


# --- paragraphs -------------------------------------------------------------------------------------------------------


def _join_wrapped(lines: list[Line], certain: set[int]) -> tuple[list[Line], set[int]]:
    """Where paragraphs were wrapped at a fixed width, join their lines: borders lie between paragraphs only."""
    inside = [index for index in range(1, len(lines)) if not lines[index].blanks_before]
    wrapped = [
        index
        for index in inside
        if 40 <= len(lines[index - 1].text) <= 120 and not ends_sentence(lines[index - 1].text)
    ]
    paragraphs = len(lines) - len(inside)
    if paragraphs < 3 or len(wrapped) < 0.5 * len(inside) or len(inside) < len(lines) / 3:
        return lines, certain
    joined: list[list[Line]] = []
    starts: set[int] = set()
    for index, line in enumerate(lines):
        if index in certain:
            starts.add(len(joined))
        if joined and not line.blanks_before and index not in certain:
            joined[-1].append(line)
        else:
            joined.append([line])
    return [_one_line(group) for group in joined], starts


def _one_line(group: list[Line]) -> Line:
    first = group[0]
    return Line(first.number, first.start, group[-1].end, " ".join(line.text for line in group), first.blanks_before)
