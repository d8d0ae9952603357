"""Question to ranked passages: two searches fused, filtered, freed of near-duplicates, cut off.

Does not decide whether the passages answer the question (see answerability.py) and does not write answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from itertools import zip_longest
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rag.abstention.biography import ANSWERED, states_no_view, telling_profiles
from rag.errors import QuestionError
from rag.question.form import asks_who
from rag.question.of_answer import not_told
from rag.question.query import Query, admits, asking_for_view, by_date_alone, left_aside, one_sided
from rag.records import Filters, Passage, Turn
from rag.retrieval.dates import by_date, datable, in_time, rests_on_unknown_dates
from rag.retrieval.hybrid import LOADED, HybridSearch, narrowed, times
from rag.retrieval.karma import ranked_by_karma
from rag.retrieval.literal import CHANGE_WORDS, Telling, absent, own_words, telling, telling_passages
from rag.retrieval.mentions import Mentions, counted, passages_of, possible_users, uses
from rag.retrieval.near_duplicates import distinct
from rag.retrieval.threads import MOST_REPLIES, replies_on, replies_to_quoted

if TYPE_CHECKING:
    from rag.index.store import Store
    from rag.models.embedding import Embedder
    from rag.models.reader import Reads
    from rag.models.reranking import Reranker
    from rag.settings import Settings

Method = TypeVar("Method", bound="Callable[..., Any]")

CANDIDATES, SEARCHED = 100, 40
"""Passages taken from each of the two searches: for an answer, whose trace lists them and which may go deep; for a search."""
SILENT = 0.2
"""Probability of answering below which a side of a comparison is left out: of 31 sides in the sample that have an answer 30 reach it, of
90 pairs of a person and a topic of two others three quarters do not."""
JUDGED = 3
"""Windows that the reader reads before an answer is given."""
UNREPLIED = 0.6
"""Probability that what was written to nobody or to others is the reply that was asked for, at most."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was found for a question."""

    query: Query
    passages: tuple[Passage, ...]
    """Best first, with `score`, `dense_score` and `lexical_score`."""
    answerable: float = 1.0
    """Probability that the passages answer the question."""
    signals: Mapping[str, float] = field(default_factory=dict)
    considered: tuple[Passage, ...] = ()
    """All fused candidates, best first, for the trace."""
    absent: str = ""
    """Words that no comment contains, where it is asked who mentions them."""
    mentions: Mentions | None = None
    """Where it is asked who mentions something."""
    unseen: tuple[str, ...] = ()
    """What the question names and no comment does."""


def _at_one_generation(method: Method) -> Method:
    """A method of `Retriever` that looks once whether the index was switched, not at each of many small steps."""

    @wraps(method)
    def steady(self: Retriever, *args: Any, **options: Any) -> Any:
        with self._store.one_generation():
            return method(self, *args, **options)

    return cast("Method", steady)


class Retriever:
    """Searches one index.

    Args:
        store: The index.
        embedder: The model that the index was made with.
        reader: Tells whether texts answer a question.
        reranker: Reorders the best candidates, if given.
    """

    def __init__(self, store: Store, embedder: Embedder, reader: Reads, reranker: Reranker | None = None) -> None:
        self._store, self._embedder, self.reader = store, embedder, reader
        self._hybrid = HybridSearch(store, embedder, reranker)

    @classmethod
    def from_settings(cls, settings: Settings, store: Store | None = None) -> Retriever:
        """The models that the settings name, on an open index or else on the one that they name.

        Raises:
            StoreError: There is no index, or it was made with another embedding model.
            EmbeddingError: A model cannot be loaded.
        """
        from rag.index.store import Store
        from rag.models.embedding import load_embedder
        from rag.models.reader import load_reader
        from rag.models.reranking import load_reranker

        embedder = load_embedder(settings)
        store = store or Store.open(settings)
        store.check_model(embedder.identity)
        reranker = load_reranker(settings.reranker) if settings.reranker else None
        return cls(store, embedder, load_reader(settings), reranker)

    @_at_one_generation
    def understand(
        self,
        question: str,
        history: Sequence[Turn] = (),
        settings: Settings | None = None,
        rewrite: Callable[[str], str] | None = None,
    ) -> Query:
        """Check a question and understand it in its conversation, knowing who is indexed.

        Raises:
            QuestionError: It is none, or longer than the settings allow.
        """
        from rag.question.asking import checked
        from rag.question.follow_ups import understand

        history = checked(question, history, settings.max_question_chars if settings else None)
        people = self._store.people()
        meant, mended = self._mended(question)
        query = understand(
            meant,
            [replace(turn, content=self._mended(turn.content)[0]) if turn.role == "user" else turn for turn in history],
            people.names,
            now=people.newest,  # "recently" in an archive is when people last wrote
            rewrite=rewrite,
            known_words=self._store.knows,
            labels=people.labels,
            plain_words=self._store.uses_plainly,
            small_words=self._store.writes_small,
        )
        return replace(query, original=question, mended=mended) if mended else query

    def _mended(self, question: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """A question without typing errors, and what was mended; a word that the model has whole is one of everyday use."""
        from rag.question.typos import mended

        return mended(
            question, self._store.knows, self._store.writes, lambda word: self._embedder.count_tokens(word) == 1
        )

    def datable(self, query: Query, filters: Filters | None = None) -> list[Query]:
        """The ways to take the period of a question, the most literal first (see rag/retrieval/dates.py)."""
        return datable(self._store, query, filters)

    @_at_one_generation
    def retrieve(self, query: Query, limit: int, filters: Filters | None = None, *, judged: int = JUDGED) -> Retrieved:
        """Find the passages that bear on a question.

        Args:
            query: The question, understood.
            limit: Most passages.
            filters: Where to search, beyond what the question itself says about authors and dates.
            judged: Most windows of them that the reader reads to tell whether they answer; 0 leaves that open.
        """
        query = one_sided(query)
        allowed = narrowed(filters, query)
        if allowed is None:
            return Retrieved(query, (), 0.0)
        if told := self._told_otherwise(query, allowed, limit, filters, judged):
            return told
        # A trace lists more than is used; a mere search has none, and reading passages takes time.
        depth = (CANDIDATES, max(LOADED, 2 * limit)) if judged else (max(SEARCHED, limit), limit + limit // 4)

        def viewed(pool: Sequence[Passage]) -> list[Passage]:
            return [passage for passage in pool if not (judged and states_no_view(query, passage))]

        spoken: dict[str, float] = {}
        if query.compare and len(allowed.authors) > 1:
            pools = {
                author: self._hybrid.candidates(query, query.text, replace(allowed, authors=(author,)), depth)
                for author in allowed.authors
            }
            pool = _merged(list(pools.values()))
            sides = {author: distinct(viewed(side), limit) for author, side in pools.items()}
            if judged and query.topic:
                spoken = self._spoken(query, sides)
            found = balanced(_speaking(sides, spoken), limit)
        else:
            pool = self._pool(query, allowed, depth, course=bool(judged and query.by_time and query.topic))
            found = distinct(viewed(pool), limit, of_each=asks_who(query.text))
        if judged and (profiles := telling_profiles(query, pool)):
            return Retrieved(query, tuple(distinct(profiles, limit)), ANSWERED, considered=tuple(pool))
        if judged and (sign := telling(query)) and (told := self._told(query, sign, allowed, limit, found)):
            return told
        retrieved = self._judged(query, found, pool, judged)
        if judged and (query.newest or query.oldest) and not query.compare:
            ordered = distinct(viewed(in_time(self._hybrid, query, allowed, depth, pool)), limit)
            retrieved = replace(retrieved, passages=tuple(ordered))
        # A comparison is answered by whoever speaks on its topic.
        sides = () if retrieved.unseen else spoken.values()
        return replace(retrieved, answerable=max([retrieved.answerable, *sides]))

    @_at_one_generation
    def search(self, query: Query, limit: int, filters: Filters | None = None) -> list[Passage]:
        """Find the snippets of comments that bear on the question, cut out of the passages (see rag/retrieval/snippets.py).

        Of people who are not indexed nothing is found but what may be theirs or names them.

        Args:
            query: The question, understood.
            limit: Most snippets.
            filters: Where to search, beyond what the question itself says about authors and dates.

        Raises:
            QuestionError: The limit is no whole number.
        """
        from rag.retrieval.relevance import score_sentences
        from rag.retrieval.snippets import POOL, best_snippets

        if not isinstance(limit, Integral):
            raise QuestionError(f"The limit {limit!r} is no whole number. Give how many passages are wanted at most.")
        found = self.retrieve(query, max(POOL, 2 * limit), filters, judged=0).passages
        # Of a document it is not known whose words it holds.
        found = tuple(passage for passage in found if passage.kind == "document" or admits(query, passage))
        sentences = score_sentences(
            replace(query, wants_list=False),  # the caller's limit says how deep to go
            found,
            self._embedder.embed_query(query.text),
            self._embedder.embed_texts,
            self._store.rarity,
            self._store.vectors([p.id for p in found if p.dense_score is None or len(p.sentences) != 1]),
        )
        if query.compare and len(query.authors) > 1:
            sides = [[s for s in sentences if s.passage.byline == author] for author in query.authors]
        else:
            sides = [sentences]
        return balanced([distinct(list(best_snippets(side, self._store.source_text)), limit) for side in sides], limit)

    def _pool(self, query: Query, allowed: Filters, depth: tuple[int, int], *, course: bool) -> list[Passage]:
        """Candidates by those who are asked for; where the course of a view is asked for, those like the view and its change, too.

        A view that was held, and that it was given up, need not be like a question for its course.
        """
        texts = (query.text, asking_for_view(query), f"{query.topic} {CHANGE_WORDS}") if course else (query.text,)
        found: list[Passage] = []
        for text in texts:
            candidates = self._hybrid.candidates(query, text, allowed, depth)
            found = _merged([found, candidates]) if found else candidates
        return not_told(query, [passage for passage in found if not left_aside(query, passage)])

    def _told_otherwise(
        self, query: Query, allowed: Filters, limit: int, filters: Filters | None, judged: int
    ) -> Retrieved | None:
        """What is found by what answers what, by karma or by date, and not by likeness; None if nothing is asked for in this way."""
        if query.answered and judged:
            if replies := self._replies(query, allowed, limit):
                return Retrieved(query, replies, ANSWERED, considered=replies)
            elsewhere = self.retrieve(replace(query, answered=()), limit, filters, judged=judged)
            # What is said elsewhere is no reply, though on a topic it may tell what somebody would have replied.
            most = UNREPLIED if query.topic else 0.0 if query.authors else 1.0
            return replace(elsewhere, answerable=min(elsewhere.answerable, most))
        if query.ranked and judged and not query.compare:
            if rated := ranked_by_karma(self._store, query, allowed, limit):
                return Retrieved(query, rated, ANSWERED, considered=rated)
            unrated = self.retrieve(replace(query, ranked=""), limit, filters, judged=judged)
            return replace(unrated, query=query, answerable=unrated.answerable if query.topic else 0.0)
        if by_date_alone(query) and (dated := by_date(self._store, query, allowed, limit)):
            return Retrieved(query, dated, ANSWERED, considered=dated)
        return None

    def _replies(self, query: Query, allowed: Filters, limit: int) -> tuple[Passage, ...]:
        """What was replied to those whom a question names, on its topic, as far as the source says what answers what."""
        found = dict(
            reply
            for one in reversed(times(query, allowed))
            for reply in self._store.corpus.replies_to(query.answered, one, MOST_REPLIES)
        )
        passages = self._store.passages(list(found))
        replies = [
            (passages[id], answered)
            for id, answered in found.items()
            if id in passages and not (query.undated and passages[id].posted_at)
        ]
        return tuple(
            distinct(replies_to_quoted(query, replies) or replies_on(query, replies, self._store.rarity), limit)
        )

    def _told(
        self, query: Query, sign: Telling, allowed: Filters, limit: int, nearest: Sequence[Passage]
    ) -> Retrieved | None:
        """The answer to a question that words being there decides; None if they leave it open."""
        pool = self._hybrid.candidates(query, sign.words, allowed, (CANDIDATES, max(LOADED, 2 * limit)))
        pool = [passage for passage in pool if passage.byline not in query.mentioned]
        hits, mentions = telling_passages(pool, sign), None
        if sign.terms and (found := uses(self._store, query, sign, allowed)):
            mentions = counted(sign, found, possible_users(self._store, query, allowed) if sign.never else ())
            hits = passages_of(self._store, query, found, [hit for hit in hits if sign.whole(own_words(hit))], mentions)
        if hits:
            told = distinct(hits, limit, of_each=mentions is not None)
            return Retrieved(query, tuple(told), ANSWERED, considered=tuple(pool), mentions=mentions)
        missing = absent(pool, sign)
        if not sign.decisive or (sign.terms and not missing):
            return None
        return Retrieved(query, tuple(nearest), 0.0, considered=tuple(pool), absent=missing)

    def _spoken(self, query: Query, sides: Mapping[str, Sequence[Passage]]) -> dict[str, float]:
        """How probable it is that each side of a comparison says something on its topic."""
        asked = {
            author: replace(query, text=asking_for_view(query, author), authors=(author,), compare=False)
            for author in sides
        }
        return {author: self._judge(asked[author], side)[0] for author, side in sides.items()}

    def _judged(self, query: Query, found: Sequence[Passage], pool: Sequence[Passage], judged: int) -> Retrieved:
        """How probable it is that what was found answers the question."""
        retrieved = Retrieved(query, tuple(found), 0.0, considered=tuple(pool))
        if not judged:
            return replace(retrieved, answerable=1.0 if found else 0.0)
        if rests_on_unknown_dates(query):
            return retrieved
        names = self._unseen(query, pool)
        answerable, signals = self._judge(query, found, judged, names_unseen=bool(names))
        if query.rests_on:
            answerable = min(answerable, self._judge(replace(query, text=query.rests_on), found, judged)[0])
        return replace(retrieved, answerable=answerable, signals=signals, unseen=names)

    def _unseen(self, query: Query, pool: Sequence[Passage]) -> tuple[str, ...]:
        """What the question names and nothing in the index does."""
        from rag.abstention.unseen import unseen

        def holding(words: str) -> list[str]:
            return [passage.text for passage in self._store.passages(self._store.holding(words)).values()]

        texts = [passage.text for passage in pool]
        return unseen(query, texts, self._store.knows, self._store.people().names, holding)

    def _judge(
        self, query: Query, found: Sequence[Passage], windows: int = JUDGED, *, names_unseen: bool = False
    ) -> tuple[float, dict[str, float]]:
        from rag.abstention.answerability import judge

        return judge(
            query,
            found,
            question_vector=self._embedder.embed_query(query.text),
            vectors=self._store.vectors,
            read=self.reader,
            rarity=self._store.rarity,
            names_unseen=names_unseen,
            windows=windows,
        )


def balanced(groups: Sequence[Sequence[Passage]], limit: int) -> list[Passage]:
    """Take turns between groups, each in its own order."""
    turns = [passage for turn in zip_longest(*groups) for passage in turn if passage is not None]
    return turns[: max(limit, 0)]


def _merged(pools: Sequence[Sequence[Passage]]) -> list[Passage]:
    """All passages, best first, each with its best score."""
    best: dict[str, Passage] = {}
    for passage in sorted((passage for pool in pools for passage in pool), key=lambda passage: -passage.score):
        best.setdefault(passage.id, passage)
    return list(best.values())


def _speaking(sides: Mapping[str, Sequence[Passage]], spoken: Mapping[str, float]) -> list[Sequence[Passage]]:
    """The sides of a comparison without those that say nothing on its topic, if any does."""
    kept = [side for author, side in sides.items() if spoken.get(author, 1.0) >= SILENT]
    return kept or list(sides.values())
