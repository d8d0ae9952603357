"""What kind of answer a question expects (a price, a date, a name ...), and whether a text has something of that kind.

Patterns of English, wide on purpose: they say "nothing of the kind stands here", never "this is the answer".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.index.lexical import stems
from rag.question.speech import SAYING

_COUNT = (
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|half"
)
_NUMBER = rf"(?:\d[\d,.]*|\b(?:an?|one|{_COUNT}|several|few|couple|dozen)\b)"
_TIME = r"(?:millisecond|second|minute|hour|day|night|week|weekend|fortnight|month|quarter|season|year|decade|century|centurie|ms|min|hr|h|s)s?\b"
_LENGTH = (
    r"(?:[mck]?m|metres?|meters?|kilomet\w+|centimet\w+|millimet\w+|miles?|feet|foot|ft|inch(?:es)?|yards?|fathoms?"
    r"|stor(?:e?y|e?ys|ies)|floors?|light-?years?|pages?|words?|lines?)\b"
)
_CURRENCY = r"(?:dollars?|euros?|pounds?|cents?|pence|francs?|yen|rupees|usd|eur|gbp|bucks)\b"

_FOUND = {
    "price": rf"[$€£¥]\s?\d|\d[\d,.]*\s*(?:k|m|bn|thousand|million|billion)?\s*(?:{_CURRENCY}|[€£$])|{_NUMBER}\s+"
    rf"(?:hundred |thousand |million |billion )?{_CURRENCY}|\b(?:free|gratis|cheap\w*|expensive|nothing|costs almost)\b",
    "duration": rf"{_NUMBER}(?:[ -]?(?:and a half|or|to|-|–)[ -]?{_NUMBER})?(?:\s\w+)?[ -]?{_TIME}"
    r"|\b(?:for ?ever|overnight|instantly|always|never|weeks|months|years|hours|longer than)\b",
    "length": rf"{_NUMBER}[ -]?(?:\w+\s)?{_LENGTH}",
    "age": r"\b(?:aged?|years? old|year-olds?|born|months? old)\b|\b(?:at|is|was|am|turned)\s+(?:\d\d|[a-z]+ty(?:-\w+)?)\b"
    r"|\b(?:since|from) \d{4}",
    "frequency": r"\b(?:daily|weekly|monthly|yearly|hourly|nightly|annually|once|twice|times|every|each|always|never|often|rarely"
    rf"|seldom|usually|sometimes|per|regularly|hardly)\b|{_NUMBER}\s*%",
    "date": r"\b(?:1[5-9]\d\d|20\d\d|January|February|March|April|May|June|July|August|September|October|November|December|Monday"
    r"|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Christmas|Easter|yesterday|today|tomorrow|ago|century|spring|summer|autumn"
    r"|winter)\b|\d+:\d\d|\b(?:last|next|this|that) (?:day|week|month|year|morning|evening|night)\b",
    "number": rf"\d[\d,.]*|\b(?:{_COUNT}|hundreds|thousands|millions|twice|once|dozens?|all|none|most|doubled?s?)\b",
    "version": r"\b(?:[Vv]ersion|[Ee]dition|[Rr]elease|v)\.?\s?\d|\b[A-Z][\w+#]*[ -]v?\d|\b\d+\.\d+\b"
    r"|\b(?:first|second|third|old|older|new|newer|newest|latest|stable|beta)\s(?:version|edition|release)\b",
    "name": r"(?<!^)(?<![.!?:]\s)(?<![\"“(>])\b[A-Z][\w'’&.-]+",
    "place": r"(?<!^)(?<![.!?:]\s)(?<![\"“(>])\b[A-Z][\w'’&.-]+|\b(?:in|at|on|under|behind|near|between|outside|inside|beside|from"
    r"|through|into|across|above|below|over) (?:the|an?|my|our|his|her|their)\b",
}
_FOUND["duration"] += "|" + _FOUND["length"]
_FOUND["age"] += "|" + _FOUND["duration"]
_FOUND["frequency"] += "|" + _FOUND["duration"]
_CASE_MATTERS = {"name", "place", "date", "version"}

_ASKED = [
    (
        "price",
        r"\bhow (?:much|expensive)\b.*\b(?:cost|costs|paid|pay|spend|spent|charge|price|money|earn|sold|sell)\b|\bhow expensive\b"
        r"|\b(?:salary|price|wage|fee|rent|cost of|prize money|budget|paid for)\b|\bwhat (?:does|do|did|will|would|is|was|are) .*\bcosts?\b",
    ),
    ("age", r"\bhow old\b|\bwhat age\b|\bage of\b"),
    ("frequency", r"\bhow (?:often|frequently|regularly)\b"),
    ("length", r"\bhow (?:tall|high|deep|far|wide|thick)\b"),
    ("duration", r"\bhow long\b"),
    (
        "number",
        r"\bhow (?:many|much|large|big|fast|heavy|likely|hot|cold|accurate|quickly|loud|strong)\b|\bpercent(?:age)?\b"
        r"|\bwhat (?:number|fraction|share|proportion)\b",
    ),
    ("version", r"\b(?:what|which) (?:version|edition|release) of\b"),
    ("date", r"\bwhen (?:was|were|did|will|had)\b|\b(?:what|which) (?:year|date|month|day|century)\b"),
    (
        "name",
        r"\b(?:which|what) (?:\w+ )?(?:brand|city|country|town|university|college|school|company|firm|journal|newspaper|magazine|museum"
        r"|airline|publisher|island|river|author|scientist|philosopher|artist|bank|mayor|president|architect|state|language|church"
        r"|website)\b|\bname of\b|\b(?:was|is|were|are) .*\b(?:called|named)\b|['’]s name\b",
    ),
    ("place", r"\bwhere (?!(?:do|does|did)\b.*\b(?:dis)?agree)(?!.*\bdiffer)"),
]
_PATTERNS = [(kind, re.compile(pattern)) for kind, pattern in _ASKED]
_WHO = re.compile(
    r"\W*who(?:se)?\s+(?:else\s+)?(?:(?:will|would|can|should|has|have|had|did|is|was|were|are)\s+)?(\w+)"
)
_COUNTED = re.compile(
    r"how (?:many|much)\s+((?:[\w-]+\s+){0,3}?[\w-]+?)\s+(?:is|are|was|were|does|do|did|has|have|had|can|could|will|would|should|in|of"
    r"|for|on|at|to|live|work|must|may|from|it)\b"
)
_WORD = re.compile(r"[^\W_][\w.,%°]*")
NEAR = 5
"""Words between a number and what it counts."""


@dataclass(frozen=True)
class Expectation:
    """The kind of answer that one question expects."""

    kind: str
    asked: frozenset[str]
    """Words of the question: repeating them is no answer."""
    counted: frozenset[str] = frozenset()
    """Stems of what "how many" counts."""

    def met(self, text: str) -> bool:
        """Whether the text has anything of this kind that is not in the question."""
        for match in _found(self.kind).finditer(text):
            said = set(re.findall(r"\w+", match.group().casefold())) - {"a", "an"}
            if not said <= self.asked:
                return True
        return False

    def count_near(self, text: str) -> bool | None:
        """Whether a number stands near what is counted; None if that does not occur."""
        found = _WORD.findall(text)
        places = [index for index, word in enumerate(found) if self.counted & set(stems(word))]
        if not places:
            return None
        numbers = list(self._numbers(found))
        return any(abs(place - number) <= NEAR for place in places for number in numbers)

    def _numbers(self, found: list[str]) -> Iterator[int]:
        for index, word in enumerate(found):
            bare = word.casefold().strip(".,%°")
            if bare not in self.asked and _found("number").fullmatch(bare):
                yield index


def expected(question: str) -> Expectation | None:
    """The kind of answer a question expects; None if that cannot be told from its form."""
    lower = question.casefold()
    asked = frozenset(re.findall(r"\w+", lower))
    who = _WHO.match(lower)
    if who and who[1] not in SAYING and who[1] not in ("is", "was", "are"):
        return Expectation("name", asked)
    for kind, pattern in _PATTERNS:
        if pattern.search(lower):
            counted = _COUNTED.search(lower) if kind == "number" else None
            return Expectation(kind, asked, frozenset(stems(counted[1].split()[-1])) if counted else frozenset())
    return None


@lru_cache(maxsize=len(_FOUND))
def _found(kind: str) -> re.Pattern[str]:
    return re.compile(_FOUND[kind], 0 if kind in _CASE_MATTERS else re.IGNORECASE)
