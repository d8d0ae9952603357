"""Answers without a model: the best exact quotes, attributed, numbered and kept short.

Nothing in an answer is made up: beside names, dates and a few fixed phrases every word is sliced from a source.
Whether the comments answer at all is decided elsewhere (see answerability.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.answering.choosing import (
    by_comment,
    choose,
    preferred,
    whole_replies,
    with_context,
    with_each_author,
    with_replies,
    with_what_was_taken_back,
)
from rag.answering.quote import ordered, runs_quoted, whole_comments
from rag.answering.wording import Composed, written
from rag.language.phrases import Phrases
from rag.question.of_answer import is_told
from rag.question.query import Query, admits, goes_deep
from rag.records import Passage
from rag.retrieval.literal import Telling, telling
from rag.retrieval.relevance import Sentence, read_again, score_sentences

if TYPE_CHECKING:
    from rag.models.reader import Reads

MOST_QUOTED, MOST_QUOTED_IN_LIST = 4, 20
"""Most comments quoted: in a single answer; where a list or a comparison is asked for."""


def compose(
    query: Query,
    passages: Sequence[Passage],
    *,
    embed: Callable[[Sequence[str]], np.ndarray],
    rarity: Callable[[str], float],
    vectors: Callable[[Sequence[str]], Mapping[str, np.ndarray]] | None = None,
    question_vector: np.ndarray | None = None,
    read: Reads | None = None,
    unsure: bool = False,
    language: str = "en",
    passages_of: Callable[[str], Sequence[Passage]] | None = None,
) -> Composed:
    """Answer a question with quotes.

    Args:
        query: The question, understood.
        passages: What was retrieved for it, best first.
        embed: Texts -> unit vectors, shape (n, dimension).
        rarity: How rare a word is among the comments, from 0 to 1.
        vectors: Stored rows of passages by id, as `Store.vectors` gives them: the passage, its sentences, its pairs of
            neighbouring sentences. Without them (or where they do not fit a passage) the sentences are embedded here,
            which takes far longer and is no better.
        question_vector: Unit vector of the question, if there is one already.
        read: Helps to choose where a single answer is asked for: of a list, a comparison or what is ordered by time it reads too little.
        unsure: Say that the quotes may not answer the question.
        language: ISO 639-1 code of the language of the phrases around the quotes.
        passages_of: All passages of a comment by its id; where whole comments are asked for.

    Returns:
        Text and citations; both empty if no passage has anything to quote.
    """
    passages = [passage for passage in passages if admits(query, passage)]
    if not passages:
        return Composed("", ())
    if question_vector is None:
        question_vector = embed([query.text])[0]
    stored = vectors([passage.id for passage in passages]) if vectors else {}
    sentences = [
        sentence
        for side in _sides(query, passages)
        for sentence in score_sentences(query, side, question_vector, embed, rarity, stored)
    ]
    sign = _sign(query, passages)
    if read and not (sign or goes_deep(query) or query.compare):
        sentences = read_again(query, sentences, read)
    sentences = with_what_was_taken_back(query, sentences, rarity)
    comments = by_comment(sentences)
    if query.authors:
        comments = {comment: with_replies(members) for comment, members in comments.items()}
        sentences = [s for members in comments.values() for s in members]
    whoever = bool(sign and sign.terms and not query.people)
    chosen = _chosen(query, sentences, comments, sign, of_each=whoever)
    quotes = [
        quote
        for comment, members in comments.items()
        if (picked := with_context(members, [s for s in chosen if s.passage.comment_id == comment], query))
        for quote in runs_quoted(picked)
    ]
    many = query.wants_list or query.compare or whoever
    quotes = ordered(query, quotes, MOST_QUOTED_IN_LIST if many else MOST_QUOTED)
    if query.of_quote is not None:
        quotes = quotes[query.of_quote :][:1]
    if query.of_answer == "whole" and passages_of:
        quotes = [quote for quote in whole_comments(quotes, passages_of) if not is_told(query, quote.text)]
    return written(query, quotes, rarity, Phrases(language), unsure=unsure and not query.of_answer)


def _sign(query: Query, passages: Sequence[Passage]) -> Telling | None:
    """What an answer must contain, if words decide and a passage has them."""
    sign = telling(query)
    return sign if sign and (sign.decisive or any(sign.whole(passage.text) for passage in passages)) else None


def _chosen(
    query: Query,
    sentences: Sequence[Sentence],
    comments: Mapping[str, list[Sentence]],
    sign: Telling | None,
    *,
    of_each: bool,
) -> list[Sentence]:
    """The sentences to quote; of each author one, if anybody who says it is asked for."""
    if query.answered:
        return whole_replies(query, comments.values())
    said = [s for s in sentences if sign.said(s.text)] if sign else preferred(query, sentences)
    said = [s for s in said if not s.quoted] or said if sign else said
    chosen = choose(query, said)
    return with_each_author(said, chosen, MOST_QUOTED_IN_LIST) if of_each else chosen


def _sides(query: Query, passages: Sequence[Passage]) -> list[list[Passage]]:
    """The passages of each side of a comparison, else all: a score tells how well a sentence does beside the best one."""
    if not (query.compare and len(query.authors) > 1):
        return [list(passages)]
    return [side for author in query.authors if (side := [p for p in passages if p.byline == author])]
