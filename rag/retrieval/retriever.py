"""Question to ranked passages: two searches fused, filtered, freed of near-duplicates, cut off.

Does not decide whether the passages answer the question (see answerability.py) and does not write answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from itertools import zip_longest
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rag.abstention.biography import ANSWERED, states_no_view, telling_profiles
from rag.errors import QuestionError
from rag.index.lexical import stems
from rag.question.form import asks_who
from rag.question.names import same_name
from rag.question.query import Query, about_period, admits, asking_for_view, by_date_alone, by_karma, timeless
from rag.records import Filters, Passage, Turn
from rag.retrieval.literal import CHANGE_WORDS, Telling, absent, own_words, saying, telling, telling_passages
from rag.retrieval.mentions import Mentions, Use, counted, in_time, rated, uses
from rag.retrieval.threads import MOST_REPLIES, around, asked_in, replies_on

if TYPE_CHECKING:
    from rag.index.store import Store
    from rag.models.embedding import Embedder
    from rag.models.reader import Reads
    from rag.models.reranking import Reranker
    from rag.settings import Settings

Method = TypeVar("Method", bound="Callable[..., Any]")

DENSE_WEIGHT = 0.5
CANDIDATES, SEARCHED = 100, 40
"""Passages taken from each of the two searches: for an answer, whose trace lists them and which may go deep; for a search."""
LOADED = 80
"""The best of them after fusion, which are read from disk for an answer; twice as many as wanted where more are wanted."""
PER_COMMENT = 3
"""Most passages of one comment in a result, so that one long comment does not crowd out the others."""
SILENT = 0.2
"""Probability of answering below which a side of a comparison is left out: of 31 sides in the sample that have an answer 30 reach it, of
90 pairs of a person and a topic of two others three quarters do not."""
JUDGED = 3
"""Windows that the reader reads before an answer is given."""
MOST_BEYOND = 5
"""How often what is newer than all found is sought: once more than enough unless more is on the topic than a search brings."""
IN_TIME = 4
"""Authors quoted where it is asked who was the first or the last to mention something."""
BEGINNING = datetime.min.replace(tzinfo=UTC)

ASKING = 20
"""Passages of anybody that may ask what is asked, to which the replies of those asked for are looked up."""
UNREPLIED = 0.6
"""Probability that what was written to nobody or to others is the reply that was asked for, at most."""
TITLED = 0.3
"""What a title that has all words of the topic counts beside a score of fusion, which is 1 at most."""
SAME_WORDS = 0.9
"""Share of common word triples above which two passages count as the same words."""
FEW_WORDS = 3
"""Most content words of somebody's own beside a quotation that do not make a result of their own."""


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
        self._store, self._embedder, self.reader, self._reranker = store, embedder, reader, reranker

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
        return understand(
            question,
            history,
            people.names,
            now=people.newest,  # "recently" in an archive is when people last wrote
            rewrite=rewrite,
            known_words=self._store.knows,
            labels=people.labels,
            plain_words=self._store.uses_plainly,
            small_words=self._store.writes_small,
        )

    def datable(self, query: Query, filters: Filters | None = None) -> list[Query]:
        """The ways to take the period of a question, the most literal first.

        Comments written then; if the period may be part of the topic, any comment, with the period in the question; at last
        those that carry no date. A way that no comment fits is left out, unless all are.
        """
        anytime = timeless(query)
        allowed = narrowed(filters, anytime)
        if allowed is None or not (query.since or query.until):
            return [query]
        then = narrowed(filters, query)
        ways = [query] if then and any(self._store.coverage(one).comments for one in times_of(query, then)) else []
        if not query.dates_certain:
            ways.append(about_period(query))
        known = self._store.coverage(replace(allowed, since=allowed.since or BEGINNING))
        if not known.comments or known.comments < self._store.coverage(allowed).comments:
            ways.append(replace(anytime, undated=True))
        return ways or [query]

    @_at_one_generation
    def retrieve(self, query: Query, limit: int, filters: Filters | None = None, *, judged: int = JUDGED) -> Retrieved:
        """Find the passages that bear on a question.

        Args:
            query: The question, understood.
            limit: Most passages.
            filters: Where to search, beyond what the question itself says about authors and dates.
            judged: Most windows of them that the reader reads to tell whether they answer; 0 leaves that open.
        """
        allowed = narrowed(filters, query)
        if allowed is None:
            return Retrieved(query, (), 0.0)
        if query.answered and judged:
            if replies := self._replies(query, allowed, limit):
                return Retrieved(query, replies, ANSWERED, considered=replies)
            found = self.retrieve(replace(query, answered=()), limit, filters, judged=judged)
            # What somebody says elsewhere is no reply, though on a topic it may tell what they would have replied.
            most = UNREPLIED if query.topic else 0.0
            return replace(found, answerable=min(found.answerable, most)) if query.authors else found
        if by_karma(query) and judged and (best := self._by_karma(query, allowed, limit)):
            return Retrieved(query, best, ANSWERED, considered=best)
        if by_date_alone(query) and (dated := self._by_date(query, allowed, limit)):
            return Retrieved(query, dated, ANSWERED, considered=dated)
        # A trace lists more than is used; a mere search has none, and reading passages takes time.
        depth = (CANDIDATES, max(LOADED, 2 * limit)) if judged else (max(SEARCHED, limit), limit + limit // 4)

        def viewed(pool: Sequence[Passage]) -> list[Passage]:
            return [passage for passage in pool if not (judged and states_no_view(query, passage))]

        if query.compare and len(allowed.authors) > 1:
            pools = {
                author: self._candidates(query, query.text, replace(allowed, authors=(author,)), depth)
                for author in allowed.authors
            }
            sides = {author: distinct(viewed(pool), limit) for author, pool in pools.items()}
            spoken = self._spoken(query, sides) if judged and query.topic else {}
            found = balanced(_speaking(sides, spoken), limit)
            pool = _merged(list(pools.values()))
        else:
            found = self._candidates(query, query.text, allowed, depth)
            if judged and query.by_time and query.topic:
                # A view that was held, and that it was given up, need not be like a question for its course.
                for text in (asking_for_view(query), f"{query.topic} {CHANGE_WORDS}"):
                    found = _merged([found, self._candidates(query, text, allowed, depth)])
            pool, spoken = [p for p in found if p.byline not in query.others_than], {}
            found = distinct(viewed(pool), limit, of_each=asks_who(query.text))
        if judged and (profiles := telling_profiles(query, pool)):
            return Retrieved(query, tuple(distinct(profiles, limit)), ANSWERED, considered=tuple(pool))
        if judged and (sign := telling(query)) and (told := self._told(query, sign, allowed, limit, found)):
            return told
        retrieved = self._judged(query, found, pool, judged)
        if judged and (query.newest or query.oldest) and not query.compare:
            in_time = distinct(viewed(self._in_time(query, allowed, depth, pool)), limit)
            retrieved = replace(retrieved, passages=tuple(in_time))
        # A comparison is answered by whoever speaks on its topic.
        return replace(retrieved, answerable=max([retrieved.answerable, *spoken.values()]))

    @_at_one_generation
    def search(self, query: Query, limit: int, filters: Filters | None = None) -> list[Passage]:
        """Find the stretches of comments that bear on the question, cut out of the passages (see rag/retrieval/stretches.py).

        Of people who are not indexed nothing is found but what may be theirs or names them.

        Args:
            query: The question, understood.
            limit: Most stretches.
            filters: Where to search, beyond what the question itself says about authors and dates.

        Raises:
            QuestionError: The limit is no whole number.
        """
        from rag.retrieval.relevance import score_sentences
        from rag.retrieval.stretches import POOL, best_stretches

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
        return balanced([distinct(list(best_stretches(side, self._store.source_text)), limit) for side in sides], limit)

    def _replies(self, query: Query, allowed: Filters, limit: int) -> tuple[Passage, ...]:
        """What was replied to those whom a question names, on its topic, as far as the source says what answers what."""
        times = reversed(times_of(query, allowed))
        found = dict(
            reply for one in times for reply in self._store.corpus.replies_to(query.answered, one, MOST_REPLIES)
        )
        replies = [(p, found[p.id]) for p in self._passages(list(found)) if not (query.undated and p.posted_at)]
        return tuple(distinct(replies_on(query, replies, self._store.rarity), limit))

    def _by_date(self, query: Query, allowed: Filters, limit: int) -> tuple[Passage, ...]:
        """The newest passages, or the oldest: likeness to a question without a topic tells nothing of their time."""
        found = self._store.corpus.by_date(times_of(query, allowed), LOADED + limit, newest=query.newest)
        kept = [passage for passage in self._passages(found) if passage.byline not in query.others_than]
        return tuple(distinct(kept, limit))

    def _by_karma(self, query: Query, allowed: Filters, limit: int) -> tuple[Passage, ...]:
        """The best passages by karma, or the worst, of those that have all words of the topic; none where no karma is known."""
        times = times_of(query, allowed)
        if stems(query.topic):
            found = self._uses(query, saying([query.topic], query.text), allowed, query.others_than)
            ids = [use.passage for use in rated(found, best=query.best)]
        else:
            ids = self._store.corpus.by_karma(times, LOADED + limit, best=query.best)
        kept = [p for p in self._passages(ids[: LOADED + limit]) if p.byline not in query.others_than]
        kept = [p for p in kept if not (query.undated and p.posted_at)]
        return tuple(distinct(kept, limit))

    def _in_time(
        self, query: Query, allowed: Filters, depth: tuple[int, int], pool: Sequence[Passage]
    ) -> list[Passage]:
        """The candidates, those on the topic by date: the nearest of them need not be the newest, nor the newest be among them."""
        topic = set(stems(query.topic))

        def on_topic(passages: Sequence[Passage]) -> list[Passage]:
            return [passage for passage in passages if passage.posted_at and topic <= set(stems(passage.text))]

        found = further = on_topic(pool)
        for _ in range(MOST_BEYOND):
            dates = [passage.posted_at for passage in further if passage.posted_at]
            if not dates:
                break
            since = max(dates) + timedelta(microseconds=1) if query.newest else query.since
            until = query.until if query.newest else min(dates) - timedelta(microseconds=1)
            within = narrowed(allowed, replace(query, since=since, until=until))
            further = on_topic(self._candidates(replace(query, times=()), query.text, within, depth)) if within else []
            found = [*found, *further]
        kept = {passage.id for passage in found}
        found = sorted(found, key=lambda p: p.posted_at or BEGINNING, reverse=query.newest)
        return [*found, *(passage for passage in pool if passage.id not in kept)]

    def _told(
        self, query: Query, sign: Telling, allowed: Filters, limit: int, nearest: Sequence[Passage]
    ) -> Retrieved | None:
        """The answer to a question that words being there decides; None if they leave it open."""
        pool = self._candidates(query, sign.words, allowed, (CANDIDATES, max(LOADED, 2 * limit)))
        pool = [passage for passage in pool if passage.byline not in query.mentioned]
        hits, mentions = telling_passages(pool, sign), None
        if sign.terms and (found := self._uses(query, sign, allowed, self._silent(query))):
            mentions = counted(sign, found, self._asked(query, allowed) if sign.never else ())
            hits = self._of_users(query, found, [hit for hit in hits if sign.whole(own_words(hit))], mentions)
        if hits:
            told = distinct(hits, limit, of_each=mentions is not None)
            return Retrieved(query, tuple(told), ANSWERED, considered=tuple(pool), mentions=mentions)
        missing = absent(pool, sign)
        if not sign.decisive or (sign.terms and not missing):
            return None
        return Retrieved(query, tuple(nearest), 0.0, considered=tuple(pool), absent=missing)

    def _uses(self, query: Query, sign: Telling, allowed: Filters, apart: Sequence[str]) -> list[Use]:
        """All uses of the words in question by others than those who are `apart`."""
        found = uses(self._store, sign, times_of(query, allowed), apart)
        return [use for use in found if not (query.undated and use.posted_at)]

    def _silent(self, query: Query) -> tuple[str, ...]:
        """Whose own words do not count: nobody mentions themselves."""
        return (*query.mentioned, *query.others_than)

    def _asked(self, query: Query, allowed: Filters) -> list[str]:
        """Everybody who wrote a comment that may be searched."""
        wrote = {author for author, _ in self._store.authors(*times_of(query, allowed))}
        return sorted(wrote.difference(self._silent(query)))

    def _of_users(
        self, query: Query, found: Sequence[Use], hits: Sequence[Passage], mentions: Mentions
    ) -> list[Passage]:
        """Passages of those who use a word: the nearest, and one of each author; by date or number where that is asked for."""
        if query.newest or query.oldest:
            first = [use.passage for use in in_time(found, newest=query.newest)][:IN_TIME]
            return list(self._passages(first)) or list(hits)
        if query.people:
            return list(hits) or list(self._passages([use.passage for use in found[:LOADED]]))
        known = {hit.byline for hit in hits}
        others = {use.author: use.passage for use in reversed(found) if use.author not in known}
        each = _one_of_each([*hits, *self._passages(sorted(others.values())[:LOADED])])
        place = {author: place for place, (author, _) in enumerate(mentions.leading)}
        return sorted(each, key=lambda passage: place.get(passage.byline, len(place)))

    def _passages(self, ids: Sequence[str]) -> Iterator[Passage]:
        """Passages in the order of their ids."""
        passages = self._store.passages(ids, score=dict.fromkeys(ids, 1.0))
        return (passages[id] for id in ids if id in passages)

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
        answerable, signals = self._judge(query, found, judged)
        if query.rests_on:
            answerable = min(answerable, self._judge(replace(query, text=query.rests_on), found, judged)[0])
        return replace(retrieved, answerable=answerable, signals=signals)

    def _judge(self, query: Query, found: Sequence[Passage], windows: int = JUDGED) -> tuple[float, dict[str, float]]:
        from rag.abstention.answerability import judge

        return judge(
            query,
            found,
            question_vector=self._embedder.embed_query(query.text),
            vectors=self._store.vectors,
            read=self.reader,
            rarity=self._store.rarity,
            windows=windows,
        )

    def _candidates(self, query: Query, text: str, filters: Filters, depth: tuple[int, int]) -> list[Passage]:
        """Both searches fused, best first; `depth` tells how many to take from each, and how many of the best to read."""
        taken, loaded = depth
        vector = self._embedder.embed_query(text)
        dense: dict[str, float] = {}
        lexical: dict[str, float] = {}
        for one in times_of(query, filters):
            dense.update(self._store.dense(vector, taken, one))
            lexical.update(self._store.lexical(text, taken, one))
        if query.authors and len(dense) >= taken:
            lexical = self._answering(text, filters, dense) | lexical
        fused = fuse(dense, lexical)
        best = list(fused)[:loaded]
        passages = self._store.passages(best, score=fused, dense_score=dense, lexical_score=lexical)
        ranked = [passages[id] for id in best if id in passages and not (query.undated and passages[id].posted_at)]
        ranked = self._in_threads(query, ranked)
        if self._reranker is not None:
            return self._reranker.rerank(text, ranked)
        return ranked

    def _answering(self, text: str, filters: Filters, near: Mapping[str, float]) -> dict[str, float]:
        """Replies that are not near a question and answer somebody who asked much the same, each with what that scores.

        Of few passages all are looked at; of many only these, as "Two kilos." is near nothing.
        """
        asking = dict(self._store.lexical(text, ASKING))
        below = self._store.corpus.replies_below(list(asking), filters)
        return {reply: asking[question] for reply, question in below.items() if reply not in near}

    def _in_threads(self, query: Query, ranked: Sequence[Passage]) -> list[Passage]:
        """Candidates anew, those under a title, or below a question, that has words of the topic before others as good."""
        weights = {stem: self._store.rarity(stem) for stem in stems(query.topic)}
        total = sum(weights.values()) or 1.0
        answered = self._store.corpus.answered_texts([one.id for one in ranked if one.parent_id])
        asked = {id: asked_in(text, weights) for id, text in answered.items()}
        ranked = [replace(one, asked=asked[one.id]) if asked.get(one.id) else one for one in ranked]

        def raised(passage: Passage) -> Passage:
            near = stems(around(passage, weights))
            share = sum(weights[stem] for stem in weights.keys() & set(near)) / total
            return replace(passage, score=passage.score + TITLED * share) if share else passage

        anew = sorted(map(raised, ranked), key=lambda passage: -passage.score)
        if not anew or (best := anew[0].score) <= 1:
            return anew
        return [replace(passage, score=passage.score / best) for passage in anew]


def narrowed(filters: Filters | None, query: Query) -> Filters | None:
    """Filters of the caller and of the question together; None if they exclude each other."""
    filters = filters or Filters()
    authors = tuple(query.authors)
    if filters.authors:
        given = {name for author in filters.authors for name in same_name(author, authors)}
        authors = tuple(author for author in authors if author in given) if authors else filters.authors
        if not authors:
            return None
    since = max((t for t in (filters.since, query.since) if t), default=None)
    until = min((t for t in (filters.until, query.until) if t), default=None)
    if since and until and since > until:
        return None
    return Filters(authors=authors, since=since, until=until, sources=filters.sources)


def _one_of_each(passages: Sequence[Passage]) -> list[Passage]:
    """The first passage of each author before all others."""
    first = {passage.byline: passage for passage in reversed(passages)}
    return [
        *(passage for passage in passages if first[passage.byline] is passage),
        *(passage for passage in passages if first[passage.byline] is not passage),
    ]


def times_of(query: Query, filters: Filters) -> list[Filters]:
    """The filters, for each of the times apart that a question names."""
    return (
        [one for since, until in query.times if (one := narrowed(filters, replace(query, since=since, until=until)))]
        if query.times
        else [filters]
    )


def fuse(dense: Mapping[str, float], lexical: Mapping[str, float]) -> dict[str, float]:
    """Convex combination of min-max normalised scores (Bruch et al. 2023, arXiv:2210.11934), best first."""
    a, b = _normalised(dense), _normalised(lexical)
    scores = {id: DENSE_WEIGHT * a.get(id, 0.0) + (1 - DENSE_WEIGHT) * b.get(id, 0.0) for id in [*dense, *lexical]}
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def distinct(passages: Sequence[Passage], limit: int, *, of_each: bool = False) -> list[Passage]:
    """The first `limit` passages that do not repeat words of one before, few of each comment.

    Who only quotes a comment that was found gives way to it.

    Args:
        passages: Best first.
        limit: Most of them.
        of_each: It is asked who says something: what two people say in the same words is said twice.
    """
    kept: list[Passage] = []
    sizes: list[int] = []
    holding: dict[Any, list[int]] = {}
    per_comment: Counter[str] = Counter()
    for passage in passages:
        if len(kept) >= limit:
            break
        if passage.kind != "document" and per_comment[passage.comment_id] >= PER_COMMENT:
            continue
        quoted = _only_quotes(passage)
        if quoted and (_holds(holding.keys(), quoted) or _source_follows(passage, quoted, passages)):
            continue
        own = _triples(passage.text)
        common = Counter(place for triple in own & holding.keys() for place in holding[triple])
        if any(
            count >= SAME_WORDS * min(len(own), sizes[place])
            and not _elsewhere(passage, kept[place])
            and not (of_each and passage.is_by_another(kept[place]))
            for place, count in common.items()
        ):
            continue
        for triple in own:
            holding.setdefault(triple, []).append(len(kept))
        kept.append(passage)
        sizes.append(len(own))
        per_comment[passage.comment_id] += 1
    return kept


def _only_quotes(passage: Passage) -> frozenset[Any]:
    """Triples of what a passage quotes if it says hardly a word beside; else none."""
    if not passage.quoted:
        return frozenset()
    if len(stems(own_words(passage))) > FEW_WORDS:
        return frozenset()
    return _triples(" ".join(passage.text[start:end] for start, end in passage.quoted))


def _source_follows(passage: Passage, quoted: Set[Any], passages: Sequence[Passage]) -> bool:
    """Whether the comment that a passage quotes was found, too, with these words in it.

    It has to fit the question about as well, or else what fits are the few words that stand beside the quotation.
    """
    sources = {quotation.comment_id for quotation in passage.quotes}
    near = [p for p in passages if p.comment_id in sources and p.score >= passage.score / 2]
    return any(_holds(_triples(p.text), quoted) for p in near)


def _holds(triples: Set[Any], others: Set[Any]) -> bool:
    return len(triples & others) >= SAME_WORDS * len(others)


def _elsewhere(passage: Passage, other: Passage) -> bool:
    """Whether two passages stand in one document: what it repeats stands at different places, each one to point to."""
    return passage.kind == other.kind == "document" and passage.source == other.source


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


def _normalised(scores: Mapping[str, float]) -> dict[str, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {id: (score - low) / (high - low) if high > low else 1.0 for id, score in scores.items()}


def _triples(text: str) -> frozenset[Any]:
    words = stems(text)
    return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset(words or [text])


def _speaking(sides: Mapping[str, Sequence[Passage]], spoken: Mapping[str, float]) -> list[Sequence[Passage]]:
    """The sides of a comparison without those that say nothing on its topic, if any does."""
    kept = [side for author, side in sides.items() if spoken.get(author, 1.0) >= SILENT]
    return kept or list(sides.values())
