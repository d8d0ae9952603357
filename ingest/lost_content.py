"""Find places where saving a page lost something: a formula, an image, the label of a button."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ingest.formulas import is_inside, protected_ranges
from ingest.lines import Line, lines_of

# Every alternative ends where the lost thing stood: match.end() is the gap.
_SCARS = re.compile(
    r"""(?<=[\w.”’])[ ](?=[,;:?!](?:\s|$))                        # "define , and", "prove ?"
    | (?<=[\w,:”’])[ ](?=\.(?:\s|$)) | \b(?:i\.e|e\.g)\.[ ](?=[.,])  # "presto, ."
    | (?<=[\w.,])[ ](?=[)”](?:[\s,.;:]|$))                       # "for some and )."
    | (?<=\w)[ ](?=[’']s[ ])                                     # "each 's entire class"
    | (?<=[\s(])[“(](?=[”)](?:\s|$|[,.;]))                       # "things like “” for"
    | \b(?:the|an|our|every)[ ](?=(?:of|is|and|or|are|was|to|as|from|that|which|with|where|we|for)\b(?!-))
    | \bfrom[ ](?=to\b) | \bthan[ ](?=times\b) | \b[Ll]et[ ](?=(?:be|and)\b) | \b(?:where|[Ww]ith|and)[ ](?=and\b(?![ ]without))
    | (?<=,[ ])where[ ](?=(?:is|are)\b(?![ ](?:you|we|they|he|she|my|your)\b))
    | \b(?:of|by)[ ](?=(?:of|is|are|and[ ]?[,.;)]|or[ ]?[,.;)])(?:\b|$))
    | \b(?:using|denote|denotes|defining|define)[ ](?=(?:as|by|and|to)\b)
    | \b(?:implies|equals|denotes|satisfies|between|maximizes|minimizes)[ ](?=(?:and|or|is|for|where|which|so)\b)
    | \b(?:let|where|suppose)[ ](?=(?:and|or|be|is|are)\b[ ]*(?:[),.;]|the\b|a\b|an\b))
    | \b(?:some|any|each|all)[ ](?=(?:and|or|be|is|are)\b[ ]*[),.;]|(?:be|is|are)[ ](?:the|an?)\b)
    | \b(?:though|because|if|(?<!\bout[ ])(?<!\bever[ ])(?<!\blong[ ])since|whenever)[ ](?=(?:is|are|does|was)[ ](?!the\b|an?\b|this\b|that\b|it\b|not\b|so\b)[\w“"])
    | \bcases[ ]where[ ](?=is\b) | \bcase[ ](?=does\b) | \bbut[ ](?=is:)
    | \bsuch[ ]that[ ](?=(?:is|are|for)\b|\w+ly[ ]\w+s\b)
    """,
    re.VERBOSE,
)
# In a line that speaks of mathematics only: elsewhere "good for some and bad for others" is whole.
_MATHS_SCARS = re.compile(
    r"""\b(?:for|and)[ ](?!any[ ]and[ ]all\b|each[ ]and[ ]every\b|all[ ]and[ ](?:sundry|for)\b)(?:some|any|every|each|all)[ ]
        (?=and\b(?![^.;]{0,80}\b(?:others|many|most|none|few)\b))
    | \b(?:for|and)[ ](?:some|any|every|each)[ ](?=(?:the|we|there|it)\b)
    | \b(?:some|any|each|all)[ ](?=(?:and|or)[ ](?:the|an?)\b)""",
    re.VERBOSE,
)
_MATHS = re.compile(
    r"""\b(?:constants?|functions?|maps?|mapping|(?:in)?equalit(?:y|ies)|equations?|theorem|lemma|proof|prove[sd]?|norm|continuous|convex
    |converges?|integrals?|derivatives?|matri(?:x|ces)|vectors?|polynomials?|sequences?|finite|infinite|infinity|epsilon|denotes?|satisf(?:y|ies)
    |bound(?:s|ed)?|sums?|probabilit(?:y|ies)|distributions?|expectation|variance|variables?|integers?|primes?|subsets?|such\ that|holds
    |implies|linear|logarithm|exponential|dimensions?|gradient|utility)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_WIDE_SPACE = re.compile(r"(?<![\s.!?:])(?<![.!?:][\"”’)\]])[ ](?=[ ][^\s])")
_AFTER_THESE = re.compile(
    r"\b(?:the|an?|of|for|by|let|where|if|that|with|to|is|in|define|than|from|at|over|function|variable|value)[ ]{2}[a-z,.]"
)
_LIKELY_BESIDE = re.compile(
    r"""the|an?|of|for|by|let|where|if|that|with|to|is|in|define|than|from|at|over|function|variable|value|and|or|then|so|as|be|are|was
    |denotes?|equals|satisf(?:y|ies)|holds?|between|any|some|every|each|all|on|into|such|which|has|have|gives|implies|goes|converges|tends
    |maps|we|when|because|since|hence|thus|does|not|its|before|after|until|while|under|per|via|using|assuming|choose|predicts""",
    re.IGNORECASE | re.VERBOSE,
)
_FRENCH = re.compile(
    r"\b(?:le|la|les|des|du|une|un|est|et|que|qui|pour|dans|vous|nous|je|il|elle|pas|mais|avec|ce|cette|sont|au|aux|sur|ne)\b",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"\b(?:the|an?|of|and|to|is|it|that|this|for|you|i|we|are|was|with|not|be|what|in|do|does|can)\b", re.IGNORECASE
)
_GOES_ON = re.compile(r"(?:where|which|so that|whenever|and hence|and therefore|and so|hence|for all|with)\b")
_GOES_ON_AFTER_COMMA = re.compile(r"(?:and|so|or|but)\b")
_STOPS_SHORT = re.compile(r"\b(?:is|are|gives|equals|yields|becomes|by|define)$")
_SPACED_MARK = re.compile(r"\w [,.](?:\s|$)")
_TIGHT_MARK = re.compile(r"\w[,.](?:\s|$)")
_LONGEST_PROSE = 200_000  # characters; no person writes a longer line


def find_gaps(text: str) -> tuple[int, ...]:
    """Places where a formula, image or button label was lost: " , which", "prove ?", "“”", "from to .".

    Texts that put a space before every mark, as tokenised corpora do, have no such scars.

    Returns:
        Ascending offsets of the points at which something is missing.
    """
    lines = [line for line in lines_of(text) if len(line.text) <= _LONGEST_PROSE]
    gaps = set(_gaps_between_lines(lines))
    gaps.update(_lost_between_spaces(text, lines))
    if not _is_spaced_out(lines):
        gaps.update(_lost_words(text, lines))
    protected = protected_ranges(text) if gaps else ()
    return tuple(gap for gap in sorted(gaps) if not is_inside(gap, protected))


def _lost_words(text: str, lines: list[Line]) -> Iterator[int]:
    french_text = _lean_to_french(text[:_LONGEST_PROSE]) > 0
    for line in lines:
        found = [match.end() for match in _SCARS.finditer(text, line.start, line.end)]
        spaced = [at for at in found if text[at : at + 1] in (":", ";", "?", "!")]
        if spaced and ((_lean_to_french(line.text) or french_text) > 0):
            found = [at for at in found if at not in set(spaced)]
        yield from found
        scars = [match.end() for match in _MATHS_SCARS.finditer(text, line.start, line.end)]
        if scars and _MATHS.search(line.text):
            yield from scars


def _lean_to_french(text: str) -> int:
    """Above 0 for French, which puts a space before some marks; 0 for a word or two that say nothing."""
    return len(_FRENCH.findall(text)) - len(_ENGLISH.findall(text))


def _lost_between_spaces(text: str, lines: list[Line]) -> Iterator[int]:
    """Two spaces where one is due. Where they are many, as in justified text and tables, nothing is lost between them."""
    found = [
        (line, places)
        for line in lines
        if (places := [match.end() for match in _WIDE_SPACE.finditer(text, line.start, line.end)])
    ]
    many = sum(len(places) for _, places in found) > 0.02 * sum(line.text.count(" ") for line in lines)
    for line, places in found:
        beside = [at for at in places if _stands_beside_formula(text, line, at)]
        if len(beside) >= 0.75 * len(places) and _MATHS.search(line.text):
            yield from beside
        elif not many:
            yield from (at for at in places if _AFTER_THESE.search(text, max(line.start, at - 12), at + 2))


def _stands_beside_formula(text: str, line: Line, at: int) -> bool:
    """Whether exactly two spaces stand here, and beside them words between which sentences have formulas."""
    before = text[max(line.start, at - 16) : at - 1].split(" ")[-1]
    after = text[at + 1 : min(line.end, at + 16)].split(" ")[0].rstrip(".,;:?!)")
    words = before[-1:] in (",", ";", "(") or not after or any(map(_LIKELY_BESIDE.fullmatch, (before, after)))
    return text[at + 1] != " " and words


def _is_spaced_out(lines: list[Line]) -> bool:
    spaced = sum(1 for line in lines for _ in _SPACED_MARK.finditer(line.text))
    return spaced > 5 and spaced > 0.25 * sum(1 for line in lines for _ in _TIGHT_MARK.finditer(line.text))


def _gaps_between_lines(lines: list[Line]) -> Iterator[int]:
    """A sentence that goes on after a formula of its own line, and a button's label that stands alone in one."""
    for before, here in pairwise(lines):
        if len(before.text) <= 20 or before.text[0] in "-*•" or before.text[-1] in "$]}`":
            continue
        unfinished = before.text[-1] not in ".!?;" and _GOES_ON.match(here.text)
        after_comma = before.text[-1] == "," and _GOES_ON_AFTER_COMMA.match(here.text)
        if unfinished or after_comma or _STOPS_SHORT.search(before.text[-12:]):
            yield here.start
    for before, here, after in zip(lines, lines[1:], lines[2:], strict=False):
        alone = here.text.isalpha() and len(here.text) <= 20
        if (
            alone
            and before.text[-1].isalpha()
            and after.text[0].islower()
            and here.text[0].isupper()
            and len(before.text) > 20
        ):
            yield here.start
