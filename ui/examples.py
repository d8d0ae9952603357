"""Questions to start with, made from what is indexed: its threads, its authors and their topics."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from math import log

from rag.language.english import FUNCTION_WORDS
from rag.records import Comment

MOST = 4
READ = 3000
"""Comments that are looked at: enough to know what people talk about, quick in a large index."""
LONGEST_TITLE = 70

# A noun ends its phrase, other words seldom do: what counts is one word or two before a stop or a small word.
_TOPIC = re.compile(
    r"(?<![\w/.@-])(?=(?:([a-z][a-z-]{3,17} ))?([a-z][a-z-]{3,17}[a-z]|[A-Z][a-z]*[A-Z]\w{1,12})"
    r"(?:[.,;:?!)]|\s(?:is|are|was|were|of|and|or|in|for|to|that|which|with|as|by|on|from|or|can|will)\b))"
)
_NO_NOUN = re.compile(r"(?:ly|ed|ing)$")
_PAIR = 2
"""How much more two words say than one."""


def examples(comments: Iterable[Comment]) -> list[str]:
    """Up to four questions, each about something that is there: titles in turn with authors and their topics."""
    comments = list(islice(comments, READ))
    about_threads = _title_questions(comments)
    about_authors = _author_questions(comments)
    asked = [question for pair in zip(about_threads, about_authors, strict=False) for question in pair]
    rest = (about_threads + about_authors)[: MOST * 2]
    return list(dict.fromkeys(asked + rest))[:MOST]


def _title_questions(comments: Iterable[Comment]) -> list[str]:
    """The busiest threads; a title that is a question is asked as it is."""
    titles = Counter(one.title.strip() for one in comments if one.title and len(one.title) <= LONGEST_TITLE)
    return [
        title if title.endswith("?") else f"What do people say about “{title}”?" for title, _ in titles.most_common(3)
    ]


def _author_questions(comments: list[Comment]) -> list[str]:
    """What the most active authors say about what they write of more than others do."""
    used: Counter[str] = Counter()
    used_by: dict[str, Counter[str]] = defaultdict(Counter)
    for comment in comments:
        topics = list(_topics(comment.text))
        used.update(set(topics))
        used_by[comment.byline].update(topics)
    asked = []
    for name, _ in Counter(one.byline for one in comments if one.author).most_common(3):
        weights = {
            topic: number * log((len(comments) + 1) / used[topic]) * (_PAIR if " " in topic else 1)
            for topic, number in used_by[name].items()
            if number > 1
        }
        if weights:
            # The words themselves decide between equals, so that the page shows the same questions each time.
            asked.append(f"What does {name} say about {max(weights, key=lambda one: (round(weights[one], 6), one))}?")
    return asked


def _topics(text: str) -> Iterator[str]:
    for before, word in _TOPIC.findall(text):
        if word in FUNCTION_WORDS or _NO_NOUN.search(word):
            continue
        first = before.strip()
        if not first:
            yield word
        elif first not in FUNCTION_WORDS and not first.endswith(("ly", "ed")):
            yield f"{first} {word}"
