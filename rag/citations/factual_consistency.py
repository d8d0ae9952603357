"""Hard rules that alone mark a sentence as unsupported: wrong numbers, names or speakers, reversed comparisons."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations, pairwise

from rag.citations.attribution import actors, speakers
from rag.citations.quotation_marks import find_quotations
from rag.citations.semantic_roles import roles_exchanged
from rag.index.lexical import stems
from rag.language.enumeration import enumerated
from rag.question.names import NameIndex, words


def decisive_fault(
    sentence: str,
    evidence: Sequence[str],
    authors: Collection[str],
    known_authors: Collection[str],
    quoted: bool,
    context: str,
    around: str,
) -> str:
    """Why evidence cannot support a sentence whatever else it says; "" if nothing speaks against it."""
    if refusal := wrong_speaker(sentence, evidence, authors, known_authors, quoted):
        return refusal
    if refusal := _wrong_actor(sentence, " ".join([*evidence, around]), authors, known_authors):
        return refusal
    missing = _missing_numbers(sentence, evidence, [context, *authors])
    if missing := [number for number in missing if not _stands_around(number, sentence, evidence, around)]:
        return f"{enumerated(missing)}: this number does not stand in what is cited."
    if exchanged := _exchanged_numbers(sentence, ". ".join(evidence)):
        return f"{exchanged}: what is cited has these numbers the other way round."
    if measure := _other_multiple(sentence, evidence):
        return f"{measure}: this is another measure than what is cited has."
    if _comparison_turned(sentence, evidence):
        return "What is compared stands the other way round in what is cited."
    if roles_exchanged(sentence, evidence):
        return "What is cited has who did it and to whom the other way round."
    return ""


_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
} | dict(zip("thirty forty fifty sixty seventy eighty ninety".split(), map(str, range(30, 100, 10)), strict=True))
_LOOSE_NUMBER_WORDS = frozenset({"zero", "one"})
"""Seldom meant as a number."""
_COUNTED = re.compile(
    r"\b(?:the|these|those|lists?|names?|gives?|offers?|mentions?|describes?)\s+(two|three|four|five)\b", re.IGNORECASE
)
"""A sum over what is cited, as in "she names three reasons" and "the two differ", which it need not spell out."""


def _numbers(text: str) -> set[str]:
    """The numbers of a text, in digits; those spelt out up to twenty, and tens."""
    found = {match[0].replace(",", "") for match in _NUMBER.finditer(text)}
    words = re.findall(r"[a-z]+", text.casefold())
    return found | {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS}


def _missing_numbers(sentence: str, evidence: Sequence[str], further: Iterable[str]) -> list[str]:
    """Numbers of a sentence that stand in none of the texts."""
    counts = set().union(*(_numbers(text) for text in evidence))
    known = counts.union(*(_numbers(text) for text in further))
    counted = () if counts else _COUNTED.findall(sentence.casefold())
    loose = {_NUMBER_WORDS[word] for word in (*_LOOSE_NUMBER_WORDS, *counted)}
    loose -= {m[0] for m in _NUMBER.finditer(sentence)}
    plain = {str(int(number)) for number in known if number.isdigit()}
    return sorted(
        number
        for number in _numbers(_without_list_mark(sentence)) - known - loose
        if not (number.isdigit() and str(int(number)) in plain)
    )


def _stands_around(number: str, sentence: str, evidence: Sequence[str], around: str) -> bool:
    """Whether a number stands around the evidence as it does in the sentence, and the evidence has no other there."""
    here, there, cited = _beside_numbers(sentence), _beside_numbers(around), _beside_numbers(" ".join(evidence))
    beside = here.get(number, set())
    instead = any(words_there & beside for other, words_there in cited.items() if other not in here)
    return not instead and bool(beside & there.get(number, set()))


_FIGURE = re.compile(r"(?<![\w.,])\d+(?:[.,:]\d+)*(?![\w])")
_CUTS = (r"[.!?]\s", r";", r",", r"\b(?:and|but|while|whereas|or)\b")
"""What parts the words of one number from those of the next, strongest first."""


def _exchanged_numbers(sentence: str, evidence: str) -> str:
    """Two numbers that stand with each other's words: "tomatoes at 60 and rosemary at 25" for the reverse; "" if none do."""
    here, there = _words_of_numbers(_without_list_mark(sentence)), _words_of_numbers(evidence)
    for one, other in combinations([number for number in here if number in there], 2):
        own, others = here[one] - here[other], here[other] - here[one]
        cited, cited_other = there[one] - there[other], there[other] - there[one]
        crossed = len(own & cited_other) + len(others & cited)
        straight = len(own & cited) + len(others & cited_other)
        if crossed >= max(2, 2 * straight):
            return f"{one} and {other}"
    return ""


def _words_of_numbers(text: str) -> Mapping[str, set[str]]:
    """For every number in digits that stands there once the content words of its part of the text."""
    figures = list(_FIGURE.finditer(text))
    starts, ends = [0], []
    for first, second in pairwise(figures):
        between = text[first.end() : second.start()]
        cut = next((found for pattern in _CUTS if (found := re.search(pattern, between))), None)
        ends.append(first.end() + cut.start() if cut else second.start())
        starts.append(first.end() + cut.end() if cut else first.end())
    times = Counter(figure[0] for figure in figures)
    return {
        figure[0]: {stem for stem in stems(text[start:end]) if not stem[0].isdigit()}
        for figure, start, end in zip(figures, starts, [*ends, len(text)], strict=False)
        if times[figure[0]] == 1
    }


_MULTIPLES = {
    "half": r"half|halves|halved",
    "third": r"(?:a|one) third",
    "two thirds": r"two[- ]thirds",
    "quarter": r"(?:a|one) quarter",
    "double": r"twice|doubl(?:e|es|ed|ing)",
    "triple": r"thrice|tripl(?:e|es|ed|ing)",
    "quadruple": r"quadrupl(?:e|es|ed|ing)",
}


def _other_multiple(sentence: str, evidence: Sequence[str]) -> str:
    """How the sentence measures ("double") where the evidence has another such measure only; "" if it does not."""
    here, there = (
        {name for name, forms in _MULTIPLES.items() if re.search(rf"\b(?:{forms})\b", text, re.IGNORECASE)}
        for text in (sentence, " ".join(evidence))
    )
    return enumerated(sorted(here)) if here and there and not here & there else ""


def _beside_numbers(text: str) -> dict[str, set[str]]:
    """For every number of a text the content words and signs up to two places from it."""
    tokens = re.findall(r"\d+(?:[.,:]\d+)*|[^\W\d_]+|[%°$€£]", text)
    beside: dict[str, set[str]] = defaultdict(set)
    for place, token in enumerate(tokens):
        for number in _numbers(token):
            for neighbour in (*tokens[max(0, place - 2) : place], *tokens[place + 1 : place + 3]):
                beside[number] |= set(stems(neighbour)) if neighbour.isalpha() else {neighbour}
    return beside


def _without_list_mark(sentence: str) -> str:
    return re.sub(r"^\s*\(?\d{1,3}[.)]\s", "", sentence)


_LABEL = re.compile(r"\A[\W\d_]*(?:[A-Z][\w-]+ ){0,3}[A-Z][\w-]+[*_]*:")
"""Of a speaker or a topic, as in "**Main Drawback:** it leaks"; whom it names is looked at by `wrong_speaker`."""


def missing_names(sentence: str, known: str) -> list[str]:
    """Capitalised words within a sentence that stand nowhere in a text; acronyms may be the writer's own."""
    found = re.findall(r"(?<=[^\W\d_A-Z] )[A-Z][\w-]+", _LABEL.sub("", sentence))
    names = (name for name in dict.fromkeys(found) if not (name.isupper() and len(name) <= 5))
    return [name for name in names if name.casefold() not in known.casefold()]


def _comparison_turned(sentence: str, evidence: Sequence[str]) -> bool:
    """ "B is faster than A" where the evidence says that A is faster than B."""
    said = _comparison(sentence)
    if said is None:
        return False
    for text in evidence:
        for part in re.split(r"[.;:]", text):
            found = _comparison(part)
            if found is None or found[0] != said[0]:
                continue
            (left, right), (first, second) = _apart(*said[1:]), _apart(*found[1:])
            if (left & second) - first and (right & first) - second:
                return True
    return False


def _comparison(text: str) -> tuple[str, set[str], set[str]] | None:
    """What is compared how, and with what; or what came before or after what."""
    if found := re.search(r"^(.*)\b(\w{2,}er|more|less|fewer|better|worse)\b(.*?)\bthan\b(.*)$", text, re.IGNORECASE):
        return found[2].casefold(), {*stems(found[1]), *stems(found[3])}, set(stems(found[4]))
    found = re.search(r"^(.*)\b(before|after)\b(.*)$", text, re.IGNORECASE)
    return (found[2].casefold(), set(stems(found[1])), set(stems(found[3]))) if found else None


def _apart(left: set[str], right: set[str]) -> tuple[set[str], set[str]]:
    return left - right, right - left


def wrong_speaker(
    sentence: str, evidence: Sequence[str], authors: Collection[str], known_authors: Collection[str], quoted: bool
) -> str:
    """Why the speaker that a sentence names is not who wrote the evidence; "" if it names none or the right one."""
    named = speakers(_unquoted(sentence), {*authors, *known_authors}, " ".join(evidence))
    if named.strangers and set(named.strangers) <= set(speakers(" ".join(evidence), ()).strangers):
        return ""  # the author reports them, and so does the sentence
    if not any(named.fits(author) for author in authors or (None,)):
        said = enumerated(sorted(named.authors) or named.strangers)
        return f"What is cited was not written by {said}."
    if quoted and named.authors:
        return f"What is cited is only quoted by {enumerated(sorted(named.authors))}."
    return ""


def _wrong_actor(sentence: str, texts: str, authors: Collection[str], known_authors: Collection[str]) -> str:
    """Why those of whom a sentence tells something are not in what it cites, as writers or by name; "" if they are."""
    acting = actors(_unquoted(sentence), {*authors, *known_authors})
    if not authors or not acting or acting & set(authors):
        return ""
    told_of = {name for mention in NameIndex(acting).find(words(texts)) for name in mention.authors}
    if acting & told_of or speakers(_unquoted(sentence), {*authors, *known_authors}).authors & set(authors):
        return ""
    return f"What is cited was not written by {enumerated(sorted(acting))}."


def _unquoted(sentence: str) -> str:
    """A sentence with blanks in place of what it has in quotation marks."""
    prose = list(sentence)
    for phrase in find_quotations(sentence):
        prose[phrase.start : phrase.end] = " " * (phrase.end - phrase.start)
    return "".join(prose)
