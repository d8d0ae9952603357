"""Questions that take for granted that something came to an end: "Why did Ann leave the bank?", "When did he stop baking?".

A profile that names the bank is much like an answer, and none unless somebody tells of an end. Patterns of English, wide on
purpose: they say "no end is told of here", never "this is the answer".
"""

from __future__ import annotations

import re

_END = r"stop|leave|quit|give\s+up|abandon|drop(?:\s+out)?|resign|retire|step\s+down|cease|withdraw|depart|renounce|forsake"
_ENDED = r"stopped|left|quit|given\s+up|abandoned|dropped(?:\s+out)?|resigned|retired|stepped\s+down|ceased|withdrawn|departed"
_ENDING = r"stopping|leaving|quitting|giving\s+up|abandoning|dropping(?:\s+out)?|resigning|retiring|stepping\s+down|withdrawing"
_ASKED = re.compile(
    r"^\W*(?:(?:and|but|so)\W+)?(?:(?:why|when|how come|what year)\b[^?]*?\b"
    rf"(?:did\b[^?]*?\b(?:{_END})|(?:has|have|had)\b[^?]*?\b(?:{_ENDED})|(?:is|are|was|were)\b[^?]*?\b(?:{_ENDING}))"
    rf"|what\s+(?:made|drove)\b[^?]*?\b(?:{_END}))\b",
    re.I,
)
_TOLD = re.compile(
    r"\b(?:stop(?:s|ped|ping)?|left|leav(?:e|es|ing)|quit(?:s|ting)?|g[ai]v(?:e|es|en|ing)\s(?:\w+\s){0,4}?up|abandon\w*|drop(?:s|ped|ping)?"
    r"|resign\w*|retir\w+|ceas\w+|withdr[ae]w\w*|depart\w*|renounc\w+|no\s+longer|any\s?more|never\s+again|mov(?:ed|ing)|switch\w*"
    r"|swap\w*|chang(?:ed|ing)|redundan\w+|ended|fired|sacked|dismissed|laid\s+off|sold|ran\s+out|rid\s+of|tired\s+of"
    r"|replac(?:ed|es|ing)|sw(?:ore|orn)\s+off|walked\s+(?:out|away)|went\s+(?:from|to|over|back)|c[ao]me\s+(?:back|home|down)|closed"
    r"|burn(?:ed|t)\s+out|banned|cancel\w*|transferred|fled|escaped|traded|broke|packed|out\s+of|retract\w*|taken?\s+(?:it\s+)?back)\b",
    re.I,
)


def presupposes_end(question: str) -> bool:
    """Whether a question asks why or when something ended, and so takes for granted that it did."""
    return bool(_ASKED.search(question))


def tells_of_end(text: str) -> bool:
    """Whether a text tells of anything that came to an end."""
    return bool(_TOLD.search(text))
