"""What an answer lists, and which part of it "the second one?" or "[2]" means."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ORDINALS = {
    **{
        name: number
        for number, names in enumerate(["first", "second", "third", "fourth", "fifth", "sixth"])
        for name in names.split()
    },
    **{
        f"{number}{ending}": number - 1
        for number, ending in enumerate(["", "st", "nd", "rd", "th", "th", "th"])
        if number
    },
    "last": -1,
    "latter": -1,
    "former": 0,
}
ORDINAL = re.compile(
    r"\b(" + "|".join(_ORDINALS) + r")\s+(?:one|(?P<quoted>quote|comment|answer|author|person|citation|source)"
    r"|(?:point|argument|reason|item|claim|part|step|proposal|suggestion|idea|option|rule|tip))\b"
    r"(?!\s+(?:of|by|about|that|to)\b)"
    r"|\bthe\s+(" + "|".join(_ORDINALS) + r")(?=\W*$|\s+(?:says?|means?|thinks?|claims?|argues?|is|was|does|did)\b)"
    r"|\[(\d{1,2})\]|\b(?:number|quote|citation|source)\s+(\d{1,2})\b|\b(?:point|step|item|reason|rule|tip)\s+(\d{1,2})\b",
    re.I,
)
"""Words that point to a part of an answer."""
_NUMBERED = re.compile(r"^[ \t>]*(\d{1,2})(?:\\?[.)])[ \t]+(.*)$", re.M)
"""What a quote numbers itself."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that an answer lists."""

    heading: str
    """Says who is quoted; empty if `text` does."""
    text: str


def item_meant(question: str, reply: str, listed: str) -> Item | None:
    """The part of an answer that a question points to; None if it points to none.

    Args:
        question: Such as "the second one?" or "tell me more about [2]".
        reply: The last answer, to whose markers numbers belong.
        listed: The answer that ordinals count in.
    """
    match = ORDINAL.search(question)
    if not match:
        return None
    name = (match[1] or match[3] or "").casefold()
    if match[4] or match[5]:
        return _items(reply).get(str(int(match[4] or match[5])))
    if match[6]:
        steps = _steps(reply) or _steps(listed)
        return steps.get(int(match[6])) if steps else _items(reply).get(str(int(match[6])))
    items, number = list(_items(listed).values()), _ORDINALS[name]
    # What a lone quote numbers is meant, as there is no second quote.
    if len(items) == 1 and not match["quoted"] and (steps := _steps(listed)):
        items = list(steps.values())
    return items[number] if -len(items) <= number < len(items) else None


def place_meant(question: str) -> int | None:
    """Which quote of an answer a question points to, counted from 0, or from the end where negative; None if to none."""
    match = ORDINAL.search(question)
    if not match:
        return None
    if number := match[4] or match[5] or match[6]:
        return int(number) - 1
    return _ORDINALS[(match[1] or match[3]).casefold()]


def _steps(reply: str) -> dict[int, Item]:
    """What the quotes of an answer number themselves, if one of them has such a list."""
    steps: dict[int, Item] = {}
    for item in _items(reply).values():
        found = {int(number): Item(item.heading, text) for number, text in _NUMBERED.findall(item.text)}
        if len(found) > 1:
            steps = found | steps
    return dict(sorted(steps.items()))


def _items(reply: str) -> dict[str, Item]:
    """What an answer lists, by number: its quotes, else what stands before each marker, else its list."""
    quotes: dict[str, Item] = {}
    heading = ""
    for block in re.split(r"\n\s*\n", reply):
        if not block.lstrip().startswith(">"):
            heading = block
            continue
        quoted = re.sub(r"^\s*>\s?", "", block, flags=re.M)
        for text, number in _marked(quoted) or [(quoted, str(len(quotes) + 1))]:
            quotes.setdefault(number, Item(heading, text))
    if not quotes:
        for text, number in _marked(reply):
            quotes.setdefault(number, Item("", text))
    if quotes:
        return quotes
    listed = re.findall(r"^\s*(?:[-*]|\d+[.)])\s+(.*)$", reply, re.M)
    return {str(number): Item("", text) for number, text in enumerate(listed, 1)}


def _marked(text: str) -> list[tuple[str, str]]:
    """Pieces of a text with the number at the end of each; of several numbers in a row each has the piece before them."""
    found: list[tuple[str, str]] = []
    for piece, number in re.findall(r"(.*?)\[(\d{1,2})\]", text, re.S):
        shared = found and not any(map(str.isalnum, piece))
        found.append((found[-1][0] if shared else piece, number))
    return found
