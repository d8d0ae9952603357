"""A quote: consecutive sentences of one comment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag.answering.choosing import adjacent, code_blocks
from rag.answering.stance import may_reject
from rag.question.form import asks_for_opposition, asks_who
from rag.question.query import Query, by_date_alone
from rag.records import Citation, Passage, Span
from rag.retrieval.relevance import Sentence, sentences_of

POINTER = 80
"""Characters up to which a sentence with a colon at its end says nothing without what follows."""

SAID_AS_WELL = 0.5
"""Share of the score of a profile from which a comment of the same person is the better answer: a profile is all names of subjects."""


@dataclass(frozen=True, eq=False)
class Quote:
    """What one comment says, in one voice: runs of neighbouring sentences."""

    runs: tuple[tuple[Sentence, ...], ...]

    @property
    def passage(self) -> Passage:
        return self.runs[0][0].passage

    @property
    def quoted(self) -> bool:
        return self.runs[0][0].quoted

    @property
    def text(self) -> str:
        return " ".join(sentence.text for run in self.runs for sentence in run)

    @property
    def score(self) -> float:
        return max(sentence.score for run in self.runs for sentence in run)

    @property
    def replies_to(self) -> tuple[Sentence, ...]:
        """Somebody else's words without which it would be unclear, each the best sentence of a quotation."""
        return tuple(dict.fromkeys(s.replies_to for run in self.runs for s in run if s.replies_to))

    def citation(self, number: int) -> Citation:
        spans = [_span(run) for run in self.runs]
        first = self.runs[0]
        passage = first[0].passage
        quote = passage.text[spans[0].start - passage.start : spans[0].end - passage.start]
        return Citation(
            number,
            passage,
            quote,
            passage.source,
            spans[0].start,
            spans[0].end,
            more=tuple(spans[1:]),
            quoted=self.quoted,
        )


def _span(run: Sequence[Sentence]) -> Span:
    return Span(run[0].passage.source, run[0].start, run[-1].end)


def runs_quoted(picked: Sequence[Sentence]) -> list[Quote]:
    """One quote per voice; a run ends where a sentence is left out, the passage ends or the voice changes."""
    runs: list[list[Sentence]] = []
    for sentence in picked:
        last = runs[-1][-1] if runs else None
        joined = (
            last and last.passage is sentence.passage and last.quoted == sentence.quoted and adjacent(last, sentence)
        )
        if joined:
            runs[-1].append(sentence)
        else:
            runs.append([sentence])
    runs = [trimmed for run in runs if (trimmed := _trimmed(run))]
    telling = [run for run in runs if len(run) > 1 or not run[0].text.endswith(":")]
    return [
        Quote(tuple(tuple(run) for run in telling or runs if run[0].quoted == voice))
        for voice in (False, True)
        if any(run[0].quoted == voice for run in telling or runs)
    ]


def whole_comments(quotes: Sequence[Quote], passages_of: Callable[[str], Sequence[Passage]]) -> list[Quote]:
    """The comments that are quoted, from beginning to end, a quote for each voice in turn.

    Args:
        quotes: What was quoted.
        passages_of: All passages of a comment, by its id.
    """
    whole: list[Quote] = []
    for first in {quote.passage.comment_id: quote for quote in quotes}.values():
        if first.passage.kind != "comment":  # of a profile or a long document the quote will do
            whole += [quote for quote in quotes if quote.passage.comment_id == first.passage.comment_id]
            continue
        passages = passages_of(first.passage.comment_id)
        sentences = [
            Sentence(p, p.start + a, p.start + b, 0.0, frozenset()) for p in passages for a, b in sentences_of(p)
        ]
        for _, voice in groupby(sentences, key=lambda sentence: sentence.quoted):
            runs = [tuple(run) for _, run in groupby(voice, key=lambda sentence: sentence.passage.id)]
            whole.append(Quote(tuple(runs)))
    return whole


def _trimmed(run: list[Sentence]) -> list[Sentence]:
    """A run without lone list markers at its ends, and without a short "See this post:" below which nothing is quoted."""
    code = {index for block in code_blocks(run) for index in block}
    words = [i for i, sentence in enumerate(run) if i in code or any(char.isalnum() for char in sentence.text)]
    if len(words) > 1 and len(run[words[-1]].text) <= POINTER and run[words[-1]].text.endswith(":"):
        words.pop()
    return run[words[0] : words[-1] + 1] if words else []


def ordered(query: Query, quotes: list[Quote], limit: int) -> list[Quote]:
    """The best by date if the course of time, the newest or replies are asked for, else by author, whoever says the best thing first."""
    against = asks_who(query.text) and asks_for_opposition(query.text)
    quotes.sort(key=lambda quote: (against and not may_reject(quote.text), -quote.score, quote.passage.id))
    if query.ranked and all(quote.passage.karma is not None for quote in quotes):
        return sorted(quotes, key=lambda q: q.passage.karma or 0.0, reverse=query.ranked == "highest")[:limit]
    if query.by_time or query.newest or query.oldest or query.times or query.answered or by_date_alone(query):
        # The newest is not to give way to what is nearer to the question.
        best = quotes if query.newest or query.oldest or by_date_alone(query) else quotes[:limit]
        dated = [q for q in best if q.passage.posted_at]
        dated.sort(key=lambda q: q.passage.posted_at, reverse=query.newest and not query.by_time)
        return (dated + [q for q in best if not q.passage.posted_at])[:limit]
    place = {author: index for index, author in enumerate(query.authors if query.compare else ())}
    for quote in quotes:
        place.setdefault(quote.passage.byline, len(place))
    said = {quote.passage.byline: quote.score for quote in reversed(quotes) if quote.passage.kind != "profile"}

    def behind(quote: Quote) -> bool:
        """Whether it is of a profile, and its author says nearly as much in so many words."""
        most = said.get(quote.passage.byline, 0.0)
        return quote.passage.kind == "profile" and most >= SAID_AS_WELL * quote.score

    return sorted(quotes, key=lambda quote: (place[quote.passage.byline], behind(quote)))[:limit]
