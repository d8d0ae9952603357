"""Messages that ask for nothing in the comments: greetings, thanks, and questions about the collection as a whole.

A search for them brings whatever shares a word with them. They are told by their whole wording, never by a part of it, so that
a question about the comments is not mistaken for one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.index.lexical import stems
from rag.language.english import GREETING
from rag.language.letters import plain_words
from rag.language.phrases import Phrases
from rag.records import Coverage

if TYPE_CHECKING:
    from rag.question.query import Query

NAMED = 5
"""Authors that an overview names."""

_HERE = r"(?: (?:here|now|there|of you|you|this|in here|in this (?:index|collection|tool|app|chat)|in the (?:index|collection)|indexed))?"
_THINGS = r"(?:comments?|posts?|texts?|data|sources?|documents?)"
_PEOPLE = r"(?:authors?|people|persons?|users?|commenters?|writers?|researchers?)"
_WHO_MOST = (
    rf"(?:who|(?:which|what) {_PEOPLE}) (?:wrote|writes|has written|posted|posts|has posted|made|has) (?:the )?most(?: (?:often|{_THINGS}))?{_HERE}"
    rf"|who (?:is|are|was|were) the most (?:active|prolific|frequent) {_PEOPLE}{_HERE}"
)
_ALWAYS = re.compile(
    "|".join(
        (
            rf"{GREETING}(?: there)?",
            r"(?:ok |okay |great )?(?:thanks|thank you)(?: a lot| so much| very much)?|many thanks|thx|ok|okay|great|cool|bye|goodbye",
            rf"(?:summari[sz]e|sum up|recap) (?:everything|all (?:of )?(?:the |these )?{_THINGS}){_HERE}",
            r"help|help me|who are you|what are you|what do you do|how can you help(?: me)?",
            r"how (?:can|do|should) i use (?:this|you)|how do you work",
            rf"(?:what|which questions) (?:can|could|may|should) (?:i|we|one|you) (?:ask|do|find|answer|search)(?: you)?(?: about)?{_HERE}",
            rf"(?:what|which) (?:topics|subjects|themes|threads|discussions|{_THINGS}|{_PEOPLE}) (?:are|can i ask about|do you (?:have|know|cover))"
            rf"(?: (?:discussed|covered|indexed|included|available|searched))?{_HERE}",
            rf"(?:who|whose) (?:wrote|has written|are) (?:these|the|all these|all the) {_THINGS}",
            rf"who are (?:all )?the (?:authors|users|commenters|writers){_HERE}",
            rf"who is (?:indexed|in (?:here|the index|this index|this collection))|whose {_THINGS} (?:are|is) (?:here|indexed)",
            _WHO_MOST,
            rf"(?:what|which) (?:is|was) the (?:most (?:discussed|active|commented|popular)|longest|shortest|biggest|largest)"
            rf" (?:topic|subject|thread|discussion|post|comment){_HERE}",
            rf"(?:what|which) (?:{_PEOPLE}|thread|discussion|topic|subject|post) (?:is|are|has|had|got|gets) the (?:most|longest|biggest|largest)"
            rf"(?: (?:active|prolific|frequent|discussed|popular|{_THINGS}|replies|answers))?{_HERE}",
            rf"how many (?:{_THINGS}|{_PEOPLE}) (?:are|do you have)(?: (?:there|indexed|searched))?{_HERE}",
        )
    )
)
_FIRST = re.compile(
    r"what is (?:this|it)(?: (?:tool|app|site|page|chat|chatbot|bot|collection|index))?(?: (?:about|for))?|what are these comments(?: about)?"
    r"|who is this|how (?:does|do) (?:this|it) work"
    rf"|(?:what|where) do (?:the |these |most )?(?:{_PEOPLE}|they|everyone|others) (?:disagree|agree|argue|debate)(?: (?:about|on|over|most))*{_HERE}"
    rf"|(?:what|which) are the (?:(?:main|biggest|key|most important|central) )?(?:disagreements|debates|controversies|discussions|topics|themes){_HERE}"
    rf"|(?:summari[sz]e|sum up|recap)(?: (?:all|the|this|these|whole))*(?: (?:thread|discussion|debate|conversation|{_THINGS}))?{_HERE}"
    rf"|(?:(?:give|show) (?:me |us )?)?(?:(?:an?|the) )?(?:summary|overview|gist|tl dr|tldr|recap)"
    rf"(?: of(?: all| the| this| these)*(?: (?:thread|discussion|debate|conversation|{_THINGS}))?)?{_HERE}"
    rf"|(?:list |show |give )?(?:me |us )?(?:everything|all(?: of)?(?: the| these| your)?(?: (?:{_THINGS}|{_PEOPLE}))?){_HERE}"
)
"""Point at what was said before, if anything was."""
_HOW_MANY = re.compile(rf"\W*how many (?:different )?(?:{_THINGS}|{_PEOPLE})\b", re.I)
_WHO_MORE = re.compile(
    rf"\b(?:wrote|writ(?:es?|ten)|post(?:s|ed)?|comment(?:s|ed)?|made|has|have|had)\s+(?:the\s+)?(?:more|most)\b"
    rf"(?:\s+(?:{_THINGS}|often|frequently))?(?=\W*$|\s*[,:–-]|\s+(?:than|or|of|in|since|before|after|during)\b)",
    re.I,
)


def asks_nothing(message: str, first: bool = True) -> bool:
    """Whether a message asks for nothing that a comment could say; `first` if nothing was said before it."""
    said = plain_words(message)
    return bool(_ALWAYS.fullmatch(said) or (first and _FIRST.fullmatch(said)))


def nothing_to_find(query: Query) -> bool:
    """Whether a question, with what it carries over from before, has neither a person nor a time nor a word to search for."""
    words = [stem for stem in stems(query.topic) if len(stem) > 1 or not stem.isascii()]
    people = query.authors or query.unknown_authors or query.mentioned
    return not (
        words or people or query.since or query.until or query.by_time or query.newest or query.oldest or query.ranked
    )


def asks_how_many(query: Query) -> bool:
    """Whether it is asked how many comments somebody wrote, or who wrote most at some time, whatever they are about."""
    if query.unknown_authors or stems(query.topic):
        return False
    timed, question = bool(query.since or query.until), query.form or query.text
    if _HOW_MANY.match(question):
        return bool(query.authors or timed)
    if len(query.authors) > 1 and _WHO_MORE.search(question):
        return True
    return timed and bool(re.fullmatch(_WHO_MOST, plain_words(question)))


def overview(authors: Sequence[tuple[str, int]], coverage: Coverage, phrases: Phrases) -> str:
    """What the collection holds and how one asks for it.

    Args:
        authors: Names, made inert, and how many comments each wrote, most first.
        coverage: The whole collection, or the part of it that these authors wrote.
        phrases: In the reader's language.
    """
    if not authors:
        return phrases.say("empty")
    named = ", ".join(f"{name} ({count:,})" for name, count in authors[:NAMED])
    if len(authors) > NAMED:
        named += phrases.say("and_others", count=f"{len(authors) - NAMED:,}")
    years = sorted({moment.year for moment in (coverage.since, coverage.until) if moment})
    when = f", {years[0]}" + (f"–{years[1]}" if len(years) > 1 else "") if years else ""
    return phrases.say("about", comments=f"{coverage.comments:,}", authors=named, when=when, example=authors[0][0])
