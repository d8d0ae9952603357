"""A profile page saved as text, taken apart: name, bio and chrome at its top, and the paragraphs of its comments below.

Finds where the head of the page ends, and whose page it is. What the page prints among the comments is told by
page_chrome.py; which paragraphs begin a comment, by borders.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from ingest import unmarked_quotes
from ingest.chrome import (
    heads_comments,
    is_chrome_line,
    is_date_line,
    is_page_line,
    is_section_line,
    owner_of_page,
    owner_of_section,
)
from ingest.lines import Line, bare, could_be_title, join_wrapped, lines_of
from ingest.page_chrome import drop_chrome, opens_comment
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
from rag.records import Range


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
    kept, more_chrome, certain = drop_chrome(lines[end:], name_line, profile, above)
    paragraphs, certain = join_wrapped(kept, certain)
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
    if any(map(is_bio_line, below)) or (is_full_name(texts[end]) and opens_comment(texts[after])):
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
    quoted = texts[0].endswith("?") and unmarked_quotes.is_answered(texts[:4])
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
