"""From a question to an answer: understand, retrieve, decide, answer, suggest.

The steps live in modules of their own; here they are put in order, and here is decided what happens when one of them
fails. Whatever a model does, a reader gets an answer whose citations are exact spans that were checked.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rag.answering.about import asks_how_many, asks_nothing, nothing_to_find, overview
from rag.answering.clock import Clock
from rag.answering.figures import figure, figure_asked
from rag.language.detection import detected, question_language
from rag.language.phrases import ENGLISH, Phrases
from rag.question.asking import checked
from rag.question.names import same_name
from rag.question.parts import questions_in
from rag.question.query import goes_deep, timeless
from rag.records import EVIDENCE, Answer, Coverage, Filters, Passage, Turn, to_plain
from rag.retrieval.dates import BEGINNING
from rag.retrieval.hybrid import narrowed, times
from rag.retrieval.literal import telling

if TYPE_CHECKING:
    from rag.chat.streaming import ChatModel
    from rag.index.store import Store
    from rag.models.embedding import Embedder
    from rag.question.query import Query
    from rag.question.rewriting import Rewriter
    from rag.retrieval.retriever import Retrieved, Retriever
    from rag.settings import Settings

MOST_PASSAGES = 50
"""Passages that are taken where a list is asked for."""
MOST_NAMED = 50
"""Authors named where it is asked who does not mention something."""
TRACED = 30
"""Candidates of the search that a trace lists."""
UNDATED = "These comments carry no dates, so the time that the question names could not be taken into account."
PERHAPS_THEN = "No comment known to be from that time (“{period}”) answers this. What is quoted carries no date, so it may be from any time."
ANY_TIME = "No comment from that time (“{period}”) answers this, so comments of any time were searched, with these words as part of the topic."
UNDATED_ANSWER = "These comments carry no dates, so it is not known when they were written."
PARTLY_DATED = "Not all of these comments carry a date, so it is not known of all of them when they were written."
SOME_UNDATED = "Comments searched that carry no date, so that their place in time is not known: {count}."
UNORDERED = "Not all of these comments carry a date, so their order in time is uncertain."
UNRANKED = "No karma is known of comments that fit the question, so they could not be ranked by it."
READ_AS = "Read “{typed}” as “{meant}”."
SUGGESTION_DEPTH = 1
"""Passages that are fetched and judged to see whether a follow-up has an answer; each takes time."""


class Answerer:
    """Answers questions about one index.

    Args:
        store: The index.
        retriever: Searches it.
        embedder: The model that the index was made with.
        settings: How to answer.
        model: Who writes the answers; without one they are made of quotes.
    """

    def __init__(
        self,
        store: Store,
        retriever: Retriever,
        embedder: Embedder,
        settings: Settings,
        model: ChatModel | None = None,
    ) -> None:
        self.store, self.settings = store, settings
        self._retriever, self._embedder, self._model = retriever, embedder, model
        self._drafter = None
        if model is not None:
            from rag.answering.drafting import Drafter

            self._drafter = Drafter(model, store, embedder, settings)

    @classmethod
    def from_settings(cls, settings: Settings, store: Store | None = None) -> Answerer:
        """The parts that the settings name, on an open index or else on the one that they name.

        Raises:
            StoreError: There is no index, or it was made with another embedding model.
            EmbeddingError: The embedding model cannot be loaded.
            ModelError: The chat model cannot be set up at all; one that is merely down is met by quotes, later.
        """
        from rag.chat.chat_model import load_chat_model
        from rag.index.store import Store
        from rag.models.embedding import load_embedder
        from rag.retrieval.retriever import Retriever

        store = store or Store.open(settings)
        retriever = Retriever.from_settings(settings, store)
        return cls(store, retriever, load_embedder(settings), settings, load_chat_model(settings))

    @property
    def model_name(self) -> str:
        """Who answers: "evidence" or a model's name as in the settings."""
        return self._model.name if self._model else EVIDENCE

    def search(
        self, question: str, limit: int = 5, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> list[Passage]:
        """The passages that bear on a question, best first.

        Raises:
            QuestionError: The question is empty, too long or no text, or the history holds other things than turns.
        """
        query, *_ = self._retriever.datable(self._retriever.understand(question, history, self.settings), filters)
        return self._retriever.search(query, limit, filters)

    def answer(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """Answer a question; see `stream`."""
        *_, last = self.stream(question, history, filters)
        return last

    def stream(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Iterator[Answer]:
        """Answer a question, growing: each item is a longer answer, the last is whole and checked.

        The first has no text yet, only what was found. Until the last, sentences are shown as the model writes them:
        their citations exist, but whether they support them has not been checked. Closing the iterator stops the model.

        Raises:
            QuestionError: The question is empty, too long or no text, or the history holds other things than turns.
            StoreError: The index cannot be read.
        """
        history = checked(question, history, self.settings.max_question_chars)
        parts = questions_in(question, lambda part: self._retriever.understand(part).topic)
        if len(parts) > 1:
            yield from self._each(question, parts, history, filters)
        else:
            yield from self._one(question, history, filters)

    def _each(
        self, message: str, parts: Sequence[str], history: Sequence[Turn], filters: Filters | None
    ) -> Iterator[Answer]:
        """Answer the questions of a message one by one, each as if it had been asked after those before it."""
        from rag.answering.joining import joined

        done: list[Answer] = []
        for part in parts:
            answer: Answer | None = None
            for answer in self._one(part, history, filters):
                yield joined(message, parts, [*done, answer])
            assert answer is not None
            done.append(answer)
            history = (*history, Turn("user", part), Turn("assistant", answer.text))

    def _one(self, question: str, history: Sequence[Turn], filters: Filters | None) -> Iterator[Answer]:
        if asks_nothing(question, first=not history):
            yield self._about(question, filters or Filters())
            return
        clock = Clock()
        rewriter = self._rewriter()
        with clock("understand"):
            query = self._retriever.understand(
                question, history, self.settings, rewriter.standalone if rewriter else None
            )
        if nothing_to_find(query) and detected(query.text) == ENGLISH:
            yield self._about(question, filters or Filters())
            return
        if asks_how_many(query) and (asked := narrowed(filters, query)):
            unknown = self._undated(query, filters) if query.since or query.until else ()
            yield replace(self._about(question, *times(query, asked)), warnings=unknown)
            return
        if (wanted := figure_asked(query)) and (
            text := figure(wanted, query, self.store, filters, self._phrases(question))
        ):
            coverage = self.store.coverage(narrowed(filters, query))
            yield Answer(question, text, abstained=True, model=EVIDENCE, coverage=coverage)
            return
        with clock("retrieve"):
            found = self._found(query, filters, rewriter)
            if query.told and found.answerable < self.settings.abstain_below:  # what was quoted may go on
                found = self._found(replace(query, of_answer="whole"), filters, rewriter)
            allowed = narrowed(filters, found.query)
            coverage = Coverage(0, 0) if allowed is None else self.store.coverage(*times(found.query, allowed))
        base = Answer(question, "", (), found.passages, model=self.model_name, coverage=coverage)
        base = replace(base, trace=self._trace(found, filters))
        yield base

        if allowed is None or not found.passages or found.answerable < self.settings.abstain_below:
            last = self._abstained(base, found, filters)
        elif found.mentions and found.mentions.never:
            last = self._without(base, found)
        else:
            last = yield from self._answered(base, found, allowed, history, clock)
        with clock("suggest"):
            suggestions = () if last.abstained else self._suggestions(found, last, filters)
        used = len({citation.passage.comment_id for citation in last.citations})
        trace = {**last.trace, **self._rewrites(rewriter, last), "seconds": clock.seconds()}
        in_time = _of_time(query, found, last, dated=self._any_dated(found.query, filters))
        if not in_time and last.citations and (found.query.newest or found.query.oldest):
            in_time = self._undated(found.query, filters)
        yield replace(
            last,
            coverage=replace(coverage, used=used),
            suggestions=suggestions,
            warnings=(*(READ_AS.format(typed=a, meant=b) for a, b in query.mended), *in_time, *last.warnings),
            trace=trace,
        )

    def _about(self, question: str, *asked: Filters) -> Answer:
        """What there is to ask, of all that one of the filters admits; cites nothing, so it counts as abstaining."""
        from rag.abstention.absence import outside
        from rag.answering.wording import inert

        coverage = self.store.coverage(*asked)
        authors = self.store.authors(*asked)
        wrote = [name for name, _ in authors]
        authors += [(name, 0) for name in coverage.only_authors if not same_name(name, wrote)]
        named = [(inert(name), count) for name, count in authors]
        phrases = self._phrases(question)
        nobody = outside(asked[0], phrases) if asked and not named else ""
        text = nobody or overview(named, coverage, phrases)
        return Answer(question, text, abstained=True, model=EVIDENCE, coverage=coverage)

    def _phrases(self, question: str) -> Phrases:
        return Phrases(question_language(question, self.settings.language))

    def _any_dated(self, query: Query, filters: Filters | None) -> bool:
        """Whether any comment that may be searched, whenever it was written, carries a date."""
        every = narrowed(filters, timeless(query))
        return every is not None and self.store.coverage(every).since is not None

    def _undated(self, query: Query, filters: Filters | None) -> tuple[str, ...]:
        """What a reader must be told where comments that carry no date might belong into an order or a period."""
        every = narrowed(filters, timeless(query))
        if every is None or every.since or every.until:
            return ()
        count = self.store.coverage(every).comments - self.store.coverage(replace(every, since=BEGINNING)).comments
        return (SOME_UNDATED.format(count=f"{count:,}"),) if count else ()

    def _found(self, query: Query, filters: Filters | None, rewriter: Rewriter | None) -> Retrieved:
        """What the index has for a question; one in another language is searched in English too, if a model can say it."""
        found = self._timed(query, filters)
        if found.answerable >= self.settings.abstain_below or not rewriter or detected(query.text) == ENGLISH:
            return found
        translated = rewriter.in_english(query.text)
        if not translated:
            return found
        own = self._retriever.understand(translated, (), self.settings)
        own = replace(own, original=query.original, authors=own.authors or query.authors)
        again = self._timed(own, filters)
        return again if again.answerable > found.answerable else found

    def _timed(self, query: Query, filters: Filters | None) -> Retrieved:
        """What the index has for a question, its period taken in the first of the ways that has an answer, else in the likeliest."""
        best: Retrieved | None = None
        for way in self._retriever.datable(query, filters):
            found = self._retrieve(way, filters)
            if found.passages and found.answerable >= self.settings.abstain_below:
                return found
            if best is None or (found.passages and found.answerable > best.answerable):
                best = found
        assert best is not None
        return best

    def _retrieve(self, query: Query, filters: Filters | None) -> Retrieved:
        deep = goes_deep(query) or telling(query)
        limit = max(MOST_PASSAGES, self.settings.passages) if deep else self.settings.passages
        found = self._retriever.retrieve(query, limit, filters)
        return replace(found, passages=tuple(self._with_replies(found.passages))[:limit])

    def _with_replies(self, passages: Sequence[Passage]) -> Iterator[Passage]:
        """The passages, one that breaks off within quoted words being followed by the one where its author speaks again."""
        present = {passage.id for passage in passages}
        for passage in passages:
            yield passage
            if any(end >= len(passage.text) for _, end in passage.quoted):
                later = [p for p in self.store.corpus.passages_of(passage.comment_id) if p.start >= passage.end]
                own = next((p for p in later if sum(b - a for a, b in p.quoted) < len(p.text)), None)
                if own and own.id not in present:
                    present.add(own.id)
                    yield replace(own, score=passage.score)

    def _answered(
        self, base: Answer, found: Retrieved, allowed: Filters, history: Sequence[Turn], clock: Clock
    ) -> Generator[Answer, None, Answer]:
        """The model's answer if there is a model and it can, else quotes."""
        warnings: tuple[str, ...] = ()
        if self._drafter is not None:
            written = yield from self._drafter.write(base, found, allowed, history, clock)
            if isinstance(written, Answer):
                counted = self._counted(base.question, found)
                return replace(written, warnings=(*written.warnings, counted)) if counted else written
            warnings = (f"{self.model_name} could not answer, so these are quotes: {written.reason}",)
            trace = {**base.trace, "model": self.model_name, "failure": written.reason, **written.trace}
            base = replace(base, trace=trace)
        with clock("compose"):
            return replace(self._from_evidence(base, found), warnings=warnings)

    def _from_evidence(self, base: Answer, found: Retrieved) -> Answer:
        from rag.abstention.answerability import UNSURE
        from rag.answering.evidence import compose

        composed = compose(
            found.query,
            found.passages,
            embed=self._embedder.embed_texts,
            rarity=self.store.rarity,
            vectors=self.store.vectors,
            question_vector=self._embedder.embed_query(found.query.text),
            read=self._retriever.reader,
            unsure=found.answerable < UNSURE,
            language=question_language(base.question, self.settings.language),
            passages_of=self.store.corpus.passages_of,
        )
        base = replace(base, model=EVIDENCE)
        if not composed.citations:
            return self._abstained(base, found)
        counted = self._counted(base.question, found)
        text = f"{counted}\n\n{composed.text}" if counted else composed.text
        return replace(base, text=text, citations=composed.citations)

    def _counted(self, question: str, found: Retrieved) -> str:
        """How many comments and authors mention what it is asked about; "" if that was not counted."""
        if found.mentions is None:
            return ""
        from rag.answering.wording import inert

        of, phrases = found.mentions, self._phrases(question)
        term = phrases.joined([inert(one) for one in of.terms])
        said = phrases.say("mentions", term=term, comments=f"{of.comments:,}", authors=f"{of.authors:,}")
        if of.leading:
            named = ", ".join(f"{inert(author)} ({count:,})" for author, count in of.leading)
            said += f" {phrases.say('leading', names=named)}"
        return said

    def _without(self, base: Answer, found: Retrieved) -> Answer:
        """Who does not mention something: nothing to quote, so it counts as abstaining."""
        from rag.answering.wording import inert

        assert found.mentions is not None
        phrases = self._phrases(base.question)
        names = [inert(name) for name in found.mentions.without]
        named = ", ".join(names[:MOST_NAMED]) or "–"
        if len(names) > MOST_NAMED:
            named += phrases.say("and_others", count=f"{len(names) - MOST_NAMED:,}")
        text = f"{self._counted(base.question, found)} {phrases.say('without', count=f'{len(names):,}', names=named)}"
        return replace(base, text=text, passages=(), abstained=True, model=EVIDENCE)

    def _abstained(self, base: Answer, found: Retrieved, filters: Filters | None = None) -> Answer:
        """Say that the comments do not answer and, as far as it is known, why."""
        from rag.abstention.absence import reasons
        from rag.answering.wording import inert

        phrases = self._phrases(base.question)
        said = [phrases.say("nothing_else" if found.query.told else "abstain")]
        if absent := found.absent or ", ".join(found.unseen):
            said.append(phrases.say("absent", term=inert(absent)))
        said += reasons(found.query, filters, self.store, phrases, excluded=not (found.passages or found.query.told))
        if self._model is None and detected(base.question) != ENGLISH:
            said.append(phrases.say("in_english"))
        return replace(base, text=" ".join(said), citations=(), abstained=True)

    def _rewriter(self) -> Rewriter | None:
        if self._model is None:
            return None
        from rag.question.rewriting import Rewriter

        return Rewriter(self._model)

    def _rewrites(self, rewriter: Rewriter | None, last: Answer) -> dict[str, Any]:
        """What rewriting the question took, for the trace; its cost goes on top of the answer's."""
        if rewriter is None or not rewriter.trace:
            return {}
        from rag.chat.tokens import dollars

        cost = dollars(self.model_name, rewriter.usages, self.settings)
        written = last.trace.get("dollars", 0.0)
        total = None if cost is None or written is None else cost + written
        return {"rewrites": rewriter.trace, "dollars": total}

    def _suggestions(self, found: Retrieved, last: Answer, filters: Filters | None) -> tuple[str, ...]:
        from rag.answering.suggestions import suggest

        def answers(question: str, author: str) -> bool:
            query = self._retriever.understand(question, (), self.settings)
            hits = self._retriever.retrieve(query, SUGGESTION_DEPTH, filters, judged=1)
            if not hits.passages or hits.answerable < self.settings.abstain_below:
                return False
            return hits.passages[0].author == author

        return suggest(found.query, found.considered or found.passages, last, self.store.rarity, answers)

    def _trace(self, found: Retrieved, filters: Filters | None) -> dict[str, Any]:
        used = {passage.id for passage in found.passages}
        return {
            "query": to_plain(found.query),
            "filters": to_plain(filters) if filters else None,
            "answerable": round(found.answerable, 4),
            "abstain_below": self.settings.abstain_below,
            "signals": {name: round(value, 4) for name, value in found.signals.items()},
            "passages": [
                {
                    "id": passage.id,
                    "author": passage.byline,
                    "score": round(passage.score, 4),
                    "dense": _rounded(passage.dense_score),
                    "lexical": _rounded(passage.lexical_score),
                    "used": passage.id in used,
                }
                for passage in (found.considered or found.passages)[:TRACED]
            ],
        }


def _of_time(asked: Query, found: Retrieved, last: Answer, *, dated: bool) -> tuple[str, ...]:
    """What a reader must be told about the time or the karma of what is quoted, or was searched."""
    taken = found.query
    passages = [citation.passage for citation in last.citations]
    if taken.ranked and not any(passage.karma is not None for passage in passages):
        return (UNRANKED,)
    if taken.undated:
        return _of_no_date(taken, dated, quoted=bool(passages))
    if taken.period and not (taken.since or taken.until):
        elsewhen = [p for p in passages or found.passages if not _from_then(asked, p) and not _tells_of(taken, p)]
        if any(p.posted_at for p in elsewhen):
            return (ANY_TIME.format(period=taken.period),)
        if elsewhen or not passages:
            return _of_no_date(taken, dated, quoted=bool(passages))
    if taken.when and passages and not all(p.posted_at for p in passages):
        return (PARTLY_DATED if any(p.posted_at for p in passages) else UNDATED_ANSWER,)
    ordered = taken.newest or taken.oldest or (taken.by_time and len(passages) > 1)
    return (UNORDERED,) if ordered and not all(p.posted_at for p in passages) else ()


def _of_no_date(query: Query, dated: bool, *, quoted: bool) -> tuple[str, ...]:
    """What a reader must be told where what was found carries no date; `dated` if other comments searched do."""
    if not dated:
        return (UNDATED,)
    return (PERHAPS_THEN.format(period=query.period),) if quoted else ()


def _from_then(query: Query, passage: Passage) -> bool:
    posted = passage.posted_at
    return bool(posted and (not query.since or query.since <= posted) and (not query.until or posted <= query.until))


def _tells_of(query: Query, passage: Passage) -> bool:
    """Whether a passage speaks of the period that a question names."""
    from rag.question.query import period_words

    own = set(re.findall(r"\w+", passage.text.casefold()))
    return all(word.casefold() in own for word in period_words(query))


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)
