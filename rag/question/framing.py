"""What stands around the plain question: courtesy, and words for comments as comments.

"Summary", "thread", "posted", "hello" and "thanks" stand in no comment that answers. A question for a summary, for the place
where something is said, or for the day when it was, is read as the plain one about what the comments say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.language.english import FUNCTION_WORDS, GREETING

_SMALL_IN_TITLES = frozenset("about from into over than that upon with".split())
"""Beside words of up to three letters."""
_NAMES_TOO = frozenset("i may will".split())


@dataclass(frozen=True, slots=True)
class Framed:
    """The plain question behind one about comments."""

    text: str
    of_person: bool = False
    """It means this only if somebody is asked for: not every "where Ann writes" is a place in a comment."""
    summary: bool = False
    """All that bears on it is wanted."""
    when: bool = False
    """It is asked when that was written."""


_TOLD = r"(?:wr(?:ites?|ote|itten)|talk(?:s|ed|ing)?|speak(?:s|ing)?|spoken?|comment(?:s|ed|ing)?|post(?:s|ed)?)"
_WHERE_SAID = re.compile(
    r"^\W*(?:(?:please|can|could|would|you|quote|find|show|give|cite|me|us|the|exact|any|all|passages?|places?|parts?|bits?|sentences?|comments?"
    r"|words?|quotes?)\s+)*where\s+(?:(?:do|does|did|has|have)\s+)?(?P<who>[^,;:?.!]{1,60}?)\s+"
    rf"{_TOLD}\s+(?:about|on|of)\s+(?P<what>[^?.!;]+)[?.!\s]*$",
    re.I,
)
"""Asks for a place in the comments, and not for one that they tell of: "quote where Ann talks about rye"."""

_WHEN = r"^\W*(?:when|(?:(?:on|at|in)\s+)?(?:what|which)\s+(?:date|day|month|year|time))\s+"
_WHEN_SAID = re.compile(
    rf"{_WHEN}did\s+(?P<who>[^,;:?.!]{{1,60}}?)\s+(?P<order>(?:first|last)\s+)?"
    rf"(?:(?:{_TOLD}|say\s+(?:some|any)thing)\s+(?:about|on|of)|mention|bring\s+up)\s+(?P<what>[^?.!;]+)[?.!\s]*$",
    re.I,
)
_WHEN_SAID_BEFORE = re.compile(
    rf"{_WHEN}did\s+(?P<who>[^,;:?.!]{{1,60}}?)\s+(?:say|write|post|argue|claim)\s+(?P<what>that|this|it|so)[?.!\s]*$",
    re.I,
)
_WHEN_WAS_SAID = re.compile(
    rf"{_WHEN}(?:is|was)\s+(?P<what>that|this|it)\s+(?:written|said|posted|published)[?.!\s]*$", re.I
)
_PRONOUN = re.compile(r"(?:s?he|they)$", re.I)
_WHEN_WRITTEN = re.compile(
    rf"{_WHEN}(?:is|was|were|are)\s+(?:(?:the|this|that|those)\s+)?(?:(?P<who>[^,;:?.!]{{1,60}}?)['’]s?\s+)?"
    r"(?:comment|post|remark|note|statement)s?\s+(?:on|about|of|regarding|concerning)\s+(?P<what>[^?.!;]+?)\s+"
    r"(?:written|posted|made|published|from|sent)[?.!\s]*$",
    re.I,
)

_ERROR = r"(?:(?:a|an|any|some|the|his|her|their)\s+)?(?:mistakes?|errors?)"
_TOOK_BACK = re.compile(
    r"\b(?:correct(?:s|ed|ing)?\s+(?:(?:him|her)self|themsel(?:f|ves))"
    r"|(?:admit(?:s|ted)?|acknowledged?|conceded?)\s+(?:to\s+)?(?:(?:being|having\s+been|(?:that\s+)?(?:s?he|they)(?:['’]d\s+been|\s+(?:was|were|had\s+been)))"
    rf"\s+(?:wrong|mistaken)|(?:(?:making|having\s+made)\s+)?{_ERROR})"
    r"|retract(?:s|ed)?\s+(?:any|some)thing|(?:takes?|took|taken)\s+(?:any|some)thing\s+back"
    r"|(?:takes?|took|taken)\s+back\s+(?:any|some)thing)(?:\s+(?:s?he|they)\s+(?:had\s+)?(?:said|written|wrote|claimed))?\b",
    re.I,
)
"""Somebody who says so rarely says it in these words."""

_PLEASE = (
    r"^\W*(?:(?:please|can|could|would|will|you|i|we|want|need|d|like|to|give|show|get|write|make|me|us)\b\W*)*"
    r"(?:what(?:\W*s|\W+(?:is|are|was|were))\W+)?"
)
_SIZE = r"(?:(?:short|brief|quick|concise|rough|general|high-level|good|full|complete)\W+)*"
_SUMMARY = re.compile(
    rf"{_PLEASE}(?:(?:summari[sz]e|recap|sum\W+up)\b\W*|(?:(?:an?|the)\W+)?{_SIZE}"
    r"(?:tl\W?dr\b\W*(?:(?:of|on|about)\b\W*)?|(?:summary|overview|gist|recap|rundown|synopsis|digest)(?:\s*:|\W+(?:of|on|about)\b)\W*"
    r"|(?:main|key|central|most important)\W+(?:points|takeaways|messages)\W+(?:of|from|in|about|on)\W+))"
    r"(?P<rest>.+?)(?:\W+please)?[?.!\s]*$",
    re.I,
)
_WHAT_ABOUT = re.compile(r"^\W*what\W+(?:is|was|are|were)\W+(?P<rest>.+?)\W+(?:all\W+)?about[?.!\s]*$", re.I)
_TALK = r"(?:thread|discussion|debate|conversation|exchange)s?"
_TALK_ABOUT = re.compile(
    rf"(?:(?:the|this|that|these|those|all|any|whole|entire|different|various)\W+)*(?:{_TALK}|comments|posts|opinions|views|positions)\W+"
    r"(?:on|about|of|over|around|regarding|concerning|under|called|titled)\W+(?P<what>.+)",
    re.I,
)
_ABOUT_TALK = re.compile(
    rf"(?P<what>(?:the\W+)?(?!(?:the|this|that|these|those|all|any|first|last|latest|newest|whole|entire|other|main)\b).+?(?<!['’]s))\W+{_TALK}",
    re.I,
)
_ANYTHING = re.compile(
    r"^\W*(?:(?:is|are)\s+there\s+|(?:do|have)\s+(?:you|we)\s+(?:have\s+|got\s+)?)?(?:(?:any|some|other|what|which|more|all|the)\s+)*"
    rf"(?:anything|something|everything|thoughts?|ideas?|takes?|insights?|information|info|material|remarks?|{_TALK}|comments?|posts?|passages?|opinions?|views?)\s+"
    r"(?:(?:is|are|was|were)\s+|that\s+(?:is|are|was|were|deals?)\s+|deal(?:s|ing)?\s+)?(?:about|on|with|regarding|concerning)\s+(?P<what>[^?.!;]+?)"
    r"(?:\s+(?:are|is)\s+there)?[?.!\s]*$",
    re.I,
)
"""Asks for whatever there is: "Any thoughts on rye?", "Which comments are about rye?"."""


_GREETING = re.compile(
    rf"^\W*(?:{GREETING}(?:\s+(?:there|all|everyone|everybody))?\s*[,!.]\s+"
    r"|i\s+(?:was|am)\s+(?:just\s+)?wondering\s+(?=what|who|where|when|why|how|whether|which))+",
    re.I,
)
_THANKS = re.compile(
    r"(?<=[?.!,;])\s*(?:(?:many|with|ok(?:ay)?)\s+)?(?:thanks|thank\s+you|thx|cheers)"
    r"(?:\s+(?:a\s+lot|so\s+much|very\s+much|again|in\s+advance|for\s+(?:your|any|the)\s+help))*\W*$",
    re.I,
)


def in_sentence_case(question: str) -> str:
    """A question with a capital at each word ("What Does Ann Say About Rye?") in small letters, as these capitals mark no names.

    Any other is as it was; so are words of capitals ("AI") and mixed ones ("iPhone").
    """
    found = re.findall(r"[^\W\d_][\w'’]*", question)
    marked = [word for word in found[1:] if word.istitle() and word.lower() in FUNCTION_WORDS - _NAMES_TOO]
    left = [word for word in found if word.islower() and len(word) > 3 and word not in _SMALL_IN_TITLES]
    return question if left or not marked else re.sub(r"\b[^\W\d_][\w'’]*", _small, question)


def _small(word: re.Match[str]) -> str:
    plain = re.sub(r"['’]\w*$", "", word.group())
    return word.group().lower() if plain.istitle() else word.group()


def without_courtesy(question: str) -> str:
    """A question without a greeting before it and thanks behind it, which are no part of what is asked."""
    asked = _THANKS.sub("", _GREETING.sub("", question)).rstrip(" ,;")
    return asked if re.search(r"\w", asked) else question


def framed(question: str) -> Framed | None:
    """The plain question behind one about comments as comments; None if it is none."""
    if match := _WHERE_SAID.match(question):
        return Framed(f"What does {match['who']} say about {match['what'].strip()}?", of_person=True)
    if match := _WHEN_SAID.match(question):
        said = f"{match['order'] or ''}say about {match['what'].strip()}"
        return Framed(f"What did {match['who']} {said}?", of_person=True, when=True)
    if match := _WHEN_SAID_BEFORE.match(question):
        return Framed(
            f"What did {match['who']} say about {match['what']}?", not _PRONOUN.match(match["who"]), when=True
        )
    if match := _WHEN_WAS_SAID.match(question):
        return Framed(f"What is said about {match['what']}?", when=True)
    if match := _WHEN_WRITTEN.match(question):
        asked = f"What does {match['who']} say" if match["who"] else "What is said"
        return Framed(f"{asked} about {match['what']}?", of_person=bool(match["who"]), when=True)
    if match := _SUMMARY.match(question):
        return Framed(_about_subject(match["rest"]) or match["rest"], summary=True)
    if (match := _WHAT_ABOUT.match(question)) and (about := _about_subject(match["rest"])):
        return Framed(about, summary=True)
    if match := _ANYTHING.match(question):
        return Framed(f"What is said about {match['what'].strip()}?")
    if (plain := _TOOK_BACK.sub("changed their mind", question)) != question:
        return Framed(plain)
    return None


def _about_subject(talk: str) -> str:
    """Ask for what a thread or discussion is about: "the debate on rye", "the rye debate"; "" if it is neither."""
    found = _TALK_ABOUT.fullmatch(talk) or _ABOUT_TALK.fullmatch(talk)
    return f"What is said about {found['what']}?" if found else ""
