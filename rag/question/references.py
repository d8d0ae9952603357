"""Whether a question points back: "it", "that" or "there" stands for something said before, or for nothing at all."""

from __future__ import annotations

import re

from rag.index.lexical import stems
from rag.language.english import FUNCTION_WORDS
from rag.question.names import Word, words
from rag.question.speech import AUXILIARY_VERB, HELPING_VERB, SAYING

PERSON = re.compile(r"\b(?:he|she|him|his|her|hers|himself|herself)\b(?!\s+or\b)", re.I)
PEOPLE = re.compile(
    r"\b(?:they|them|their|theirs|each other|one another|these two|both(?: of them)?|the two|all (?:of them|three|four|five))\b",
    re.I,
)
_DEPENDENT = frozenset(
    """
    advantage alternative answer argument benefit best better catch cause certain change changed conclusion condition consequence
    correct counterargument counterexample criticism danger detail difference disadvantage disagreement downside drawback earlier effect elaborate evidence
    exactly example exception expand far fix flaw further happen happened implication key kind later limitation link long main matter mean more newer next
    objection older option people point problem proof purpose react reacted reaction reason related requirement result right risk same similar sort
    source specific specifically step sure true upside way worse worst wrong
    """.split()
)
"""Words that say nothing by themselves: "what are the downsides?" is about what was spoken of before."""
_PRONOUN = re.compile(r"\b(?:its?|they|them|theirs?|this|that|these|those|such|there|the\s+same)\b", re.I)
_CLAUSE = r"(?:to\s+(?!(?:the|an?|this|that|it|my|your|his|her|their|our)\b)\w+\s+\w|(?:that|whether)\s+\w+\s+\w)"
_EMPTY_IT = re.compile(
    rf"\bit\s+(?:takes?|took|costs?|helps?|pays?|hurts?|makes?(?:\s+\w+)?\s+sense)\s+(?:\w+\s+){{0,3}}?{_CLAUSE}"
    r"|\b(?:(?:is|was)(?:n['’]t)?\s+it|it\s+(?:is|was|be)|it['’]s)\s+(?:"
    r"(?:\w+\s+)?(?!\w+(?:ed|ing)\b|close\b|due\b|equal\b|similar\b|relative\b)\w+\s+(?:for\s+(?:\w+\s+){1,3}?)?"
    rf"{_CLAUSE}|worth\s+\w+ing\s+(?!it\b|them\b)\w)"
    r"|\b(?:makes?|made|finds?|found)\s+it\s+\w+\s+to\s+\w|\bit\s+(?:rain|snow|freez|thunder|hail)\w*",
    re.I,
)
"""The "it" of "what does it cost to paint a boat", which stands for nothing."""
_EMPTY_THERE = re.compile(
    rf"\b(?:{AUXILIARY_VERB}|be|been)\s+there\b(?=\s+\w)|\bthere(?:['’]s\b|\s+(?:{AUXILIARY_VERB}|be)\b)|\bthose\s+(?:who|that)\b"
    r"|\bsuch\s+(?:as|an?)\b|\bthe\s+same\b(?=.*\bas\b)|\bthese\s+days\b"
    r"|\bthis\s+(?:year|month|week|quarter|century|decade|morning|evening|spring|summer|autumn|fall|winter|forum|site|index)\b",
    re.I,
)
"""What looks like pointing back and does not: "is there a library", "this year"."""
_COMPARED = re.compile(
    r"^(?!.*\b(?:say|said|think|thinks|says|view|views|opinion)\s+(?:about|of|on)\s+(?!(?:it|this|that|these|those|them)\b)\w)"
    r".*\b(?:instead|too|as\s+well|either|otherwise|then|so)\W*$|\b(?:is|are|be|works?)\b.*\b(?:better|worse)\W*$"
    r"|^\W*(?:which|who)(?:\s+one)?\s+(?:is|are|was|were)\s+(?:the\s+)?(?:(?:most|least)\s+\w+|\w{2,}est)\W*$",
    re.I,
)
"""What needs something before: "is wheat better?", "which is the strongest?", but not "what does she say about salt instead?"."""
_SUBORDINATE = re.compile(
    r"\b(?:when|if|because|after|before|while|once|until|unless|although|as|and|or|than)\b[^,;]*$", re.I
)
_CLAUSE_STARTS = frozenset("a an the i we you he she it they my your his her our their all some any every no".split())


def is_dependent(word: str) -> bool:
    """Whether a word says nothing by itself, as "downsides" does."""
    folded = word.casefold()
    return folded in _DEPENDENT or (folded.endswith("s") and folded[:-1] in _DEPENDENT)


def refers_back(question: str, content: list[str], said: str) -> bool:
    """Whether "it", "that" or the like in a question stands for something that was said before.

    Args:
        question: The question.
        content: Its content words.
        said: The question before and the answer to it.
    """
    if _COMPARED.search(question):
        return True
    text = _EMPTY_IT.sub(lambda match: re.sub(r"\bit\b", "…", match[0], count=1, flags=re.I), question)
    text = _EMPTY_THERE.sub("…", text)
    return any(
        _points_back(match[0].casefold(), text[: match.start()], text[match.end() :], content, said)
        for match in _PRONOUN.finditer(text)
    )


def _points_back(pronoun: str, before: str, after: str, content: list[str], said: str) -> bool:
    """Whether one pronoun does, given the words on either side of it."""
    own = [word.text for word in words(before) if word.text in content]
    if len(own) > 1 and _SUBORDINATE.search(before):
        return False  # "do eels taste better when they are smoked"
    if pronoun in ("its", "their", "theirs"):
        return not (own and re.search(rf"\b{HELPING_VERB}\s+(?:(?:an?|the)\s+)?{re.escape(own[0])}\b", before, re.I))
    if pronoun == "that" and not _demonstrative(words(before), words(after)):
        return False
    follows = re.match(r"\s+([^\W\d_]+)", after)
    if pronoun in ("this", "that", "such") and follows and follows[1] in content:
        return len(content) < 3 or not set(stems(follows[1])).isdisjoint(stems(said))
    return True


def _demonstrative(before: list[Word], after: list[Word]) -> bool:
    """Whether "that" points at something: not in "who thinks that salt helps", nor in "boats that leak"."""
    if not before or not after:
        return True
    if before[-1].folded in SAYING:
        return len(after) == 1 or after[0].folded in FUNCTION_WORDS - _CLAUSE_STARTS
    return before[-1].folded in FUNCTION_WORDS - {"so", "such", "all", "anybody", "anyone", "somebody", "someone"}
