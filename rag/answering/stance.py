"""Stances that somebody states explicitly: "I agree", "I don't think".

Only the writer's own words of agreement and objection count, and they are shown with the stance: what is agreed with is for
the reader to see. Opinions without such words have no stance here, rather than a guessed one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Stance:
    """A stance and the words that say so, as they were written."""

    kind: Literal["for", "against", "mixed", "unclear"]
    words: str = ""


_MOSTLY = r"(?:(?:also|really|fully|strongly|completely|totally|mostly|largely|broadly|basically|very much|do|would|still|quite|entirely|definitely)\s+){0,2}"
_FOR = re.compile(
    rf"(?<!\bif )(?<!\bwhether )(?<!\bsay )(?<!\bthat )(?<!\bthink )\bI\s+{_MOSTLY}(?:agree|concur|endorse|support|second (?:this|that))\b"
    r"|\bI\s(?:don['’]t|do not|can['’]t|cannot)\s(?:really\s)?disagree\b"
    r"|\bI(?:['’]m| am)\s(?:(?:all|very much|strongly|fully)\s)?in\s(?:favou?r|agreement)\b"
    r"|\bI think (?:that['’]s|this is|you(?:['’]re| are)|(?:he|she|they)(?:['’]s|['’]re| is| are)) (?:right|correct)\b"
    r"|\b(?:you(?:['’]re| are) (?:absolutely |quite )?right|well said|strong(?:ly)? (?:upvoted|agree(?:d|ment)?))\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    rf"\bI\s+{_MOSTLY}(?:disagree|object|doubt|oppose|reject)\b"
    r"|\bI\s(?:(?:really|just|basically|still)\s)?(?:don['’]t|do not|can['’]t|cannot)\s(?:(?:really|quite|fully|entirely)\s)?(?:think|agree|believe|buy|accept|see (?:how|why))\b"
    r"|\bI(?:['’]m| am)\s(?:(?:very|quite|rather|pretty|still|a bit)\s)?(?:not convinced|unconvinced|sk?ceptical|opposed|against)\b"
    r"|\bI think (?:that['’]s|this is|you(?:['’]re| are)) (?:wrong|mistaken|false|a mistake)\b"
    r"|\bmy (?:main |biggest )?(?:objection|disagreement|complaint|worry|concern)\b",
    re.IGNORECASE,
)


_REJECTS = re.compile(
    r"\b(?:not|never|nor|cannot|against|avoid\w*|useless|pointless|wrong|mistake|reject\w*|oppos\w*|disagree\w*|instead\s+of|rather\s+than)\b|n['’]t\b",
    re.IGNORECASE,
)


def may_reject(text: str) -> bool:
    """Whether a text has any word by which something is rejected; what, is not told by words alone."""
    return bool(_REJECTS.search(text))


def stance(text: str) -> Stance:
    """The stance of a text in its writer's own words, with the first words that say it."""
    agreeing, objecting = _FOR.search(text), _AGAINST.search(text)
    if agreeing and objecting:
        first, second = sorted((agreeing, objecting), key=lambda match: match.start())
        return Stance("mixed", f"{_words(first)} … {_words(second)}")
    if agreeing:
        return Stance("for", _words(agreeing))
    if objecting:
        return Stance("against", _words(objecting))
    return Stance("unclear")


def _words(match: re.Match[str]) -> str:
    return " ".join(match[0].split())
