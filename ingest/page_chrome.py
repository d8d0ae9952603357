"""Among the lines of comments, those that the page prints around each: dates, names, titles, buttons, rules.

A line of which chrome.py cannot tell by itself is told by the lines beside it and by how often its like comes back.
"""

from __future__ import annotations

import re
from itertools import takewhile

from ingest.chrome import (
    is_chrome_line,
    is_date_line,
    is_head_of,
    is_reply_button,
    is_section_line,
    is_weak_chrome_line,
    replies_to,
)
from ingest.lines import Line, could_be_title, ends_sentence, is_title_case

_MOST_LISTED = 5


def drop_chrome(
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
        elif opens_comment(lines[index + 1].text) and (casual or not lines[index + 1].text[0].islower()):
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


def opens_comment(text: str) -> bool:
    """Whether a line may be the first of a comment: it is long, or a whole sentence."""
    return len(text) >= 40 or ends_sentence(text)
