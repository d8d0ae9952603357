"""Move citations from the end of a reply to where they belong: footnotes, numbered sources, lists of keys.

Nothing is guessed: a number counts only if the list behind the answer says which keys it stands for, and keys that stand
behind an answer without any go to its paragraphs, each sentence of which is then checked against them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_MOST_SHARED = 8
"""Keys at the end that may go to every paragraph; what more sentences may rest on, no check can tell."""
_HEADING = re.compile(
    r"\W*(?:sources?|references?|citations?|footnotes?|notes?|keys?|cited(?: (?:sentences|passages|sources))?|quellen"
    r"|belege|fuentes|referencias|fonti|fontes|источники)(?: used)?\W*",
    re.IGNORECASE,
)
_RULE = re.compile(r"[ \t]*(?:-{3,}|\*{3,}|_{3,})?[ \t]*")
_HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_NUMBERED = re.compile(
    r"[ \t]*(?:[-*•][ \t]+)?(?:[\[(【]\^?(\d{1,3})[\])】][ \t]*:?|\^?(\d{1,3})[.):]|([⁰¹²³⁴-⁹]{1,3}):?)[ \t]*(?=\S)"
)
_BULLET = re.compile(r"[ \t]*(?:[-*•+]|\d{1,3}[.)])?[ \t]*")
_NUMBERS = r"\^?\d{1,3}(?:[ \t]*[,;–-][ \t]*\^?\d{1,3}){0,20}"
_REFERENCE = re.compile(
    rf"(?P<open>[\[(【])(?:sources?|refs?|notes?|passages?|comments?)?[ \t]?#?(?P<numbers>{_NUMBERS})(?:†[^\]】]{{0,20}})?[\])】]"
    r"|<sup>[\[(]?(?P<set>\d{1,3})[\])]?</sup>|(?P<high>[⁰¹²³⁴-⁹]{1,3})",
    re.IGNORECASE,
)


def with_keys_in_place(reply: str, keys: Collection[str]) -> str:
    """The reply with the keys of a list at its end moved to what they stand for; unchanged if it has no such list.

    Args:
        reply: As the model wrote it.
        keys: Those that it was shown.
    """
    known = re.compile("|".join(map(re.escape, sorted(keys, key=len, reverse=True))) or r"(?!)", re.IGNORECASE)
    lines = reply.rstrip().split("\n")
    start = _list_start(lines, known)
    body, listed = "\n".join(lines[:start]).rstrip(), lines[start:]
    if not body or not listed:
        return reply
    notes = {
        int((mark[1] or mark[2] or mark[3]).translate(_HIGH)): known.findall(line)
        for line in listed
        if (mark := _NUMBERED.match(line))
    }
    referred = {number for reference in _REFERENCE.finditer(body) for number in _numbers(reference)}
    numbered = bool(notes) and notes.keys() <= referred and not body.endswith(":")
    if known.search(body):  # it says nothing new
        return body if numbered or _HEADING.fullmatch(listed[0].partition(":")[0]) else reply
    if numbered:
        return _REFERENCE.sub(lambda reference: _keys_of(reference, notes), body)
    shared = list(dict.fromkeys(key for line in listed for key in known.findall(line)))
    if notes or len(shared) > _MOST_SHARED:
        return reply
    return "\n".join(_with_keys(line, shared) for line in body.split("\n"))


def _list_start(lines: list[str], known: re.Pattern[str]) -> int:
    """Where the list at the end begins: a heading and lines with keys, or lines that hold nothing but keys or numbered ones."""
    start, position = len(lines), len(lines)
    while position and (line := lines[position - 1]) is not None:
        label, colon, rest = line.partition(":")
        headed = colon and _HEADING.fullmatch(label) and known.search(rest)
        if _HEADING.fullmatch(line) or headed:
            return position - 1
        if _RULE.fullmatch(line):
            position -= 1
            continue
        if not known.search(line):
            break
        position -= 1
        if not re.search(r"\w", known.sub("", _BULLET.sub("", line, count=1))) or _NUMBERED.match(line):
            start = position
    return start


def _numbers(reference: re.Match[str]) -> list[int]:
    written = reference["numbers"] or reference["set"] or reference["high"].translate(_HIGH)
    ranges = re.findall(r"(\d+)(?:[ \t]*[–-][ \t]*\^?(\d+))?", written)
    return [number for first, last in ranges for number in range(int(first), int(last or first) + 1)]


def _keys_of(reference: re.Match[str], notes: dict[int, list[str]]) -> str:
    """The keys that a reference stands for; the reference itself if one of its numbers is not in the list."""
    numbers = _numbers(reference)
    cited = dict.fromkeys(key for number in numbers for key in notes.get(number, ()))
    return f"[{', '.join(cited)}]" if cited and all(number in notes for number in numbers) else reference[0]


def _with_keys(line: str, keys: list[str]) -> str:
    """A paragraph or item with keys behind it; what leads on to something else, and rows of tables, stay."""
    claims = line.strip() and not line.lstrip().startswith(("#", "|")) and not line.rstrip("*_ \t").endswith(":")
    return f"{line.rstrip()} [{', '.join(keys)}]" if claims else line
