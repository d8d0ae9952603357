"""Find formulas and code, which must not be cut or read as prose."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from rag.records import Range

_DELIMITER = re.compile(
    r"""(?P<fence>^[ \t]{0,3}(?P<ticks>`{3,}|~{3,})[^`\n]*$)
    | (?P<escaped>\\\$)
    | (?P<begin>\\begin\{(?P<env>[a-zA-Z]{1,20}\*?)\}) | (?P<end>\\end\{(?P<closed>[a-zA-Z]{1,20}\*?)\})
    | (?P<open>\\{1,2}[(\[]) | (?P<close>\\{1,2}[)\]])
    | (?P<display>\$\$) | (?P<dollar>\$)""",
    re.MULTILINE | re.VERBOSE,
)
_LONGEST_FORMULA = 5_000
_LONGEST_INLINE = 500
_TEX = re.compile(r"[\\^_={}<>|+*/]|\b\w\b")
_WORDS = re.compile(r"[A-Za-z]{3,}[,;:.]? +[A-Za-z]{2,}")


def protected_ranges(text: str) -> tuple[Range, ...]:
    """Ranges that must not be cut: LaTeX formulas and fenced code, in order and without overlap.

    Prices are no formulas: "$5 and $10" gives nothing.
    """
    if not any(mark in text for mark in ("$", "\\", "```", "~~~")):
        return ()
    return tuple(_merged(_fences_and_formulas(text)))


def _fences_and_formulas(text: str) -> Iterator[Range]:
    opened: re.Match[str] | None = None
    fence: re.Match[str] | None = None
    environments: list[tuple[str, int]] = []
    for match in _DELIMITER.finditer(text):
        kind = next(
            name for name in ("fence", "escaped", "begin", "end", "open", "close", "display", "dollar") if match[name]
        )
        if kind == "fence":
            if fence is None:
                fence = match
            elif match["ticks"][0] == fence["ticks"][0] and len(match["ticks"]) >= len(fence["ticks"]):
                yield fence.start(), match.end()
                fence, opened, environments = None, None, []
            continue
        if kind == "begin":
            environments.append((match["env"], match.start()))
        elif kind == "end":
            while environments:
                name, start = environments.pop()
                if name == match["closed"]:
                    if match.end() - start <= _LONGEST_FORMULA:
                        yield start, match.end()
                    break
        elif kind in ("open", "close", "display", "dollar"):
            if opened is not None and _closes(text, opened, match, kind):
                yield opened.start(), match.end()
                opened = None
            elif kind != "close" and (opened is None or not _may_still_close(opened, match)):
                opened = match if _may_open(text, match, kind) else None
            elif kind == "dollar" and opened is not None and opened.group() == "$" and _may_open(text, match, kind):
                opened = match


def _may_open(text: str, match: re.Match[str], kind: str) -> bool:
    if kind != "dollar":
        return kind != "close"
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return not before.isalnum() and bool(after) and not after.isspace()


def _may_still_close(opened: re.Match[str], match: re.Match[str]) -> bool:
    return match.start() - opened.start() <= (_LONGEST_INLINE if opened.group() == "$" else _LONGEST_FORMULA)


def _closes(text: str, opened: re.Match[str], match: re.Match[str], kind: str) -> bool:
    if not _may_still_close(opened, match):
        return False
    if opened.group() == "$":
        return kind == "dollar" and _is_inline_formula(text, opened.end(), match.start())
    if opened.group() == "$$":
        return kind == "display" and match.start() > opened.end()
    return kind == "close" and match.group()[-1] == {"(": ")", "[": "]"}[opened.group()[-1]]


def _is_inline_formula(text: str, start: int, end: int) -> bool:
    """Pandoc's rule (no space inside the dollars, no digit after them), and no sentence between them."""
    inside = text[start:end]
    if not inside.strip() or inside[-1].isspace() or "\n\n" in inside or text[end + 1 : end + 2].isalnum():
        return False
    if "\\" in inside:
        return True
    return not _WORDS.search(inside) and (
        (inside.isalnum() and not inside.isdigit()) or _TEX.search(inside) is not None
    )


def _merged(ranges: Iterator[Range]) -> Iterator[Range]:
    last: Range | None = None
    for start, end in sorted(ranges):
        if last is None:
            last = start, end
        elif start < last[1]:
            last = last[0], max(last[1], end)
        else:
            yield last
            last = start, end
    if last is not None:
        yield last


def is_inside(offset: int, ranges: Sequence[Range]) -> bool:
    """Whether an offset lies in one of several ranges, which are in order and apart."""
    index = bisect_right(ranges, offset, key=lambda span: span[0]) - 1
    return index >= 0 and offset < ranges[index][1]
