"""An answer written by a chat model: prompt, stream, check, and one repair at most.

What a reply is wrapped in is taken off (rag/chat/wrappings.py). Nothing that a model writes is believed: keys become
exact spans (rag/citations/markers.py), quoted words are looked up (quotes.py beside it), each sentence is held against
what it cites (support.py). What to do when all of that fails is for answerer.py.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from rag.answering.clock import Clock
from rag.chat.prompts import Message, Prompt, Shape, render, render_repair
from rag.chat.reference_lists import with_keys_in_place
from rag.chat.replies import (
    is_abstention,
    marked,
    repeated_tail,
    says_only_abstention,
    with_keys_behind,
    without_prompt,
    without_torn_end,
)
from rag.chat.tokens import TokenCounter, answer_tokens, dollars, load_counter
from rag.chat.wrappings import Unwrapper, unwrapped
from rag.citations.claims import denies_answer
from rag.citations.keys import assign_keys
from rag.citations.markers import MarkerStream
from rag.citations.printing import CitedText
from rag.citations.quotes import QuoteBook
from rag.citations.support import check_sentences
from rag.errors import ModelError, PromptTooLong, QuestionError
from rag.language.detection import question_language
from rag.language.phrases import Phrases
from rag.models.entailment import load_judge
from rag.records import Answer, Citation, Filters, Passage, SentenceCheck, Turn, to_plain

if TYPE_CHECKING:
    from rag.chat.streaming import ChatModel, Reply
    from rag.index.store import Store
    from rag.models.embedding import Embedder
    from rag.question.query import Query
    from rag.retrieval.retriever import Retrieved
    from rag.settings import Settings

MARKS = {"unsupported": " (not supported by the cited comment)", "uncited": " (uncited)"}
"""Written behind a sentence that failed its check, so that whoever prints only the text sees it too."""

WRITING = "Not checked yet whether the comments support these sentences: that is done when the answer is complete."
"""Goes with an answer that is not whole yet, which is also what is left if a reader stops it."""

OVERFLOW_SHARE = 0.6
"""Share of the budget tried when a model's window turns out smaller than the settings say."""
CONTEXT_OF = 3
"""For how many of the best passages the comment they reply to is shown to the model."""
LONGEST_TOKEN = 10
"""Characters. A reply longer than its tokens can be comes from a server that heeds no limit, and may never end."""
LOOKED_UP = 20
"""Passages in which quoted words are looked for that stand in none the model was shown."""


@dataclass(frozen=True)
class Failed:
    """No answer came about."""

    reason: str
    trace: dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """A reply as the model wrote it, without thinking and repetitions."""

    text: str
    reply: Reply
    stopped: Literal["", "looped", "length"] = ""
    """Why it was stopped here; the model's own end is `ended`."""

    @property
    def ended(self) -> str:
        return self.stopped or self.reply.finish


@dataclass(frozen=True)
class Checked:
    """A draft that was read and checked."""

    draft: Draft
    answer: Answer
    failure: str = ""
    """Why it cannot be shown at all; empty if it can."""
    dropped: int = 0
    """Citations that did not reach the reader."""
    problems: tuple[str, ...] = ()
    """What the model is told if it gets another try."""
    notes: tuple[str, ...] = ()
    """What a reader should know about what was changed."""

    @property
    def worth(self) -> tuple[bool, int]:
        """Compares two drafts: shown at all, then supported sentences less those that failed."""
        counts = Counter(check.status for check in self.answer.checks)
        return not self.failure, counts["supported"] - counts["unsupported"] - counts["uncited"]


class Drafter:
    """Has answers written.

    Args:
        model: Who writes.
        store: The index, to look up quoted words and parents of comments.
        embedder: The model that the index was made with.
        settings: How to answer.
    """

    def __init__(self, model: ChatModel, store: Store, embedder: Embedder, settings: Settings) -> None:
        self._model, self._store, self._embedder, self._settings = model, store, embedder, settings
        self._judge = load_judge(settings.support_model) if settings.support_model else None
        self._counter: TokenCounter | None = None
        self._noted = threading.Event()

    def write(
        self, base: Answer, found: Retrieved, allowed: Filters, history: Sequence[Turn], clock: Clock
    ) -> Generator[Answer, None, Answer | Failed]:
        """Growing answers, citations not checked yet; returns the checked one.

        Args:
            base: The answer without text.
            found: What the answer is made from.
            allowed: Where may be looked for quoted words.
            history: Earlier turns.
            clock: Takes the time.
        """
        drafts: list[Draft] = []
        trace: dict[str, Any] = {}
        try:
            quotes = QuoteBook(found.passages, lambda phrase: self._holding(phrase, allowed), base.question)
            prompt, draft = yield from self._first_draft(base, found, history, quotes, clock)
            drafts.append(draft)
            trace = _prompt_trace(prompt)
            with clock("verify"):
                best = self._checked(base, draft, prompt, quotes)
            if self._settings.llm_repair and best.problems:
                told = render_repair(prompt, draft.text, best.problems)
                drafts.append((yield from self._ask(base, prompt, told, quotes, clock)))
                with clock("verify"):
                    again = self._checked(base, drafts[-1], prompt, quotes)
                best = max(best, again, key=lambda one: one.worth)
        except (ModelError, QuestionError) as exc:
            return Failed(str(exc), {**trace, **self._drafts_trace(drafts)})
        trace |= self._drafts_trace(drafts)
        if best.failure:
            return Failed(best.failure, trace)
        warnings = (*self._note_once(), *_warnings(best, repaired=len(drafts) > 1))
        return replace(best.answer, warnings=warnings, trace={**base.trace, **trace})

    # -- asking ----------------------------------------------------------------------------------------------------

    def _first_draft(
        self, base: Answer, found: Retrieved, history: Sequence[Turn], quotes: QuoteBook, clock: Clock
    ) -> Generator[Answer, None, tuple[Prompt, Draft]]:
        """The model's reply; to a smaller prompt if its window turns out smaller than thought."""
        prompt = self._prompt(found, history)
        try:
            return prompt, (yield from self._ask(base, prompt, prompt.messages, quotes, clock))
        except PromptTooLong:
            prompt = self._prompt(found, history, OVERFLOW_SHARE)
            return prompt, (yield from self._ask(base, prompt, prompt.messages, quotes, clock))

    def _prompt(self, found: Retrieved, history: Sequence[Turn], share: float = 1.0) -> Prompt:
        if self._counter is None:
            self._counter = load_counter(self._model.name)
        settings = self._settings
        window = min(settings.llm_context_tokens, self._model.context_tokens or settings.llm_context_tokens)
        return render(
            found.query.original,
            found.passages,
            assign_keys(found.passages),
            history,
            nonce=secrets.token_hex(4),
            budget=int(share * (window - answer_tokens(window, settings.llm_answer_tokens))),
            counter=self._counter,
            context=self._parents(found.passages),
            shape=_shape(found.query),
            language=settings.language,
        )

    def _parents(self, passages: Sequence[Passage]) -> list[Passage]:
        """The comments that the best passages reply to, where they are indexed and were not found themselves."""
        present = {passage.comment_id for passage in passages}
        best = passages[:CONTEXT_OF]
        parents = dict.fromkeys(p.parent_id for p in best if p.parent_id and p.parent_id not in present)
        return [passage for parent in parents for passage in self._store.corpus.passages_of(parent)[:1]]

    def _ask(
        self, base: Answer, prompt: Prompt, messages: Sequence[Message], quotes: QuoteBook, clock: Clock
    ) -> Generator[Answer, None, Draft]:
        """Stream a reply, quotations looked up before they are shown; stop it where it only repeats itself."""
        reply = self._model.stream(messages)
        stream, own, text, restarts = MarkerStream(prompt.keys, quotes), Unwrapper(base.question), "", 0
        base = replace(base, warnings=(*base.warnings, WRITING))
        with clock("write"), closing(reply):
            for piece in reply:
                if reply.restarts > restarts:
                    stream, own = MarkerStream(prompt.keys, quotes), Unwrapper(base.question)
                    text, restarts = "", reply.restarts
                text += piece
                if stream.feed(own.feed(piece)):
                    clock.note("first_words")
                    shown = stream.so_far()
                    yield replace(base, text=shown.text, citations=shown.citations)
                if repeated := repeated_tail(text):
                    return Draft(text[:-repeated], reply, "looped")
                if len(text) > self._settings.llm_answer_tokens * LONGEST_TOKEN:
                    return Draft(text, reply, "length")
        return Draft(text, reply)

    # -- checking --------------------------------------------------------------------------------------------------

    def _holding(self, phrase: str, allowed: Filters) -> list[Passage]:
        """Passages that may hold quoted words."""
        hits = self._store.lexical(phrase, LOOKED_UP, allowed)
        return list(self._store.passages([id for id, _ in hits]).values())

    def _checked(self, base: Answer, draft: Draft, prompt: Prompt, quotes: QuoteBook) -> Checked:
        """Read a whole reply, and check everything in it."""
        text = unwrapped(draft.text, base.question)
        text = without_prompt(text, prompt.messages, prompt.nonce)
        if draft.ended in ("looped", "length", "filtered"):
            text = without_torn_end(text)
        text = with_keys_behind(with_keys_in_place(text, prompt.keys), prompt.keys)
        stream = MarkerStream(prompt.keys, quotes)
        stream.feed(text)
        cited = stream.finish()
        if says_only_abstention(cited.text) or (not cited.citations and _abstains(cited)):
            phrases = Phrases(question_language(base.question, self._settings.language))
            return Checked(draft, replace(base, text=phrases.say("abstain"), abstained=True))
        checks = self._sentence_checks(cited)
        shown, checks = marked(cited.text, checks, MARKS)
        answer = replace(base, text=shown, citations=_judged(cited, checks), checks=checks)
        return Checked(
            draft,
            answer,
            _failure(cited, checks),
            cited.dropped,
            tuple(_problems(cited, checks)),
            tuple(_quote_notes(cited)),
        )

    def _sentence_checks(self, cited: CitedText) -> tuple[SentenceCheck, ...]:
        return check_sentences(
            cited,
            embed=self._embedder.embed_texts,
            rarity=self._store.rarity,
            known_authors=self._store.people().names,
            judge=self._judge,
        )

    def _drafts_trace(self, drafts: Sequence[Draft]) -> dict[str, Any]:
        replies = [
            {
                "text": draft.text,
                "finish": "stopped" if draft.stopped else draft.reply.finish,
                "tries": draft.reply.tries,
                "tokens": None if draft.reply.usage is None else to_plain(draft.reply.usage),
            }
            for draft in drafts
        ]
        usages = [draft.reply.usage for draft in drafts]
        return {"replies": replies, "dollars": dollars(self._model.name, usages, self._settings)}

    def _note_once(self) -> tuple[str, ...]:
        """What is said with the first answer only."""
        if self._counter is None or self._counter.note is None or self._noted.is_set():
            return ()
        self._noted.set()
        return (self._counter.note,)


def _abstains(cited: CitedText) -> bool:
    """Whether a reply that cites nothing says that there is no answer, in the words it was told or its own."""
    return is_abstention(cited.text) or denies_answer([sentence.text for sentence in cited.sentences])


def _shape(query: Query) -> Shape | None:
    if query.compare:
        return "compare"
    if query.by_time:
        return "by_time"
    return "list" if query.wants_list else None


def _judged(cited: CitedText, checks: Sequence[SentenceCheck]) -> tuple[Citation, ...]:
    """The citations; one that supports none of the sentences that cite it is marked."""
    statuses: dict[int, set[str]] = {}
    for sentence, check in zip(cited.sentences, checks, strict=False):
        for number in sentence.numbers:
            statuses.setdefault(number, set()).add(check.status)
    return tuple(
        replace(citation, verdict="unsupported") if statuses.get(citation.number) == {"unsupported"} else citation
        for citation in cited.citations
    )


def _failure(cited: CitedText, checks: Sequence[SentenceCheck]) -> str:
    """Why a draft cannot be shown; "" if it can.

    A reply in a language that is not checked passes as long as most of what it states cites something.
    """
    if not cited.citations:
        return "its reply cites none of the comments."
    counts = Counter(check.status for check in checks)
    if counts["supported"] or counts["unchecked"] > counts["unsupported"] + counts["uncited"]:
        return ""
    return "no sentence of its reply is supported by what it cites."


def _problems(cited: CitedText, checks: Sequence[SentenceCheck]) -> Iterator[str]:
    """What is wrong with a draft, as the model is told."""
    for mark in dict.fromkeys(cited.dropped_marks):
        yield f'"{mark}" is no key of the passages.'
    for quote in cited.quotes:
        if quote.verdict == "nowhere":
            yield f'The words "{quote.phrase}" stand in no passage: do not put them in quotation marks.'
    for sentence, check in zip(cited.sentences, checks, strict=False):
        if check.status == "unsupported":
            yield f'The keys behind "{sentence.text}" do not support it. {check.reason}'.strip()
        elif check.status == "uncited":
            yield f'"{sentence.text}" has no key behind it.'


def _quote_notes(cited: CitedText) -> Iterator[str]:
    """What became of words in quotation marks that do not stand where the model said."""
    for quote in cited.quotes:
        phrase = quote.phrase if len(quote.phrase) <= 80 else f"{quote.phrase[:79]}…"
        if quote.verdict == "nowhere":
            yield f"The quotation marks round “{phrase}” were removed. {quote.reason}".strip()
        elif quote.verdict == "repointed":
            yield f"“{phrase}”: {quote.reason}"


def _warnings(checked: Checked, *, repaired: bool) -> Iterator[str]:
    """What a reader should know about how the answer came about."""
    finish = checked.draft.ended
    if finish == "looped":
        yield "The model began to repeat itself and was stopped."
    elif finish == "length":
        yield "The answer reached its longest length and was cut: raise COMMENTARIAT_LLM_ANSWER_TOKENS for more."
    elif finish == "filtered":
        yield "The provider withheld the rest of the answer."
    if repaired:
        yield "The model was told once which citations had failed, and asked again; the better answer is shown."
    if any(check.status == "unchecked" for check in checked.answer.checks):
        yield "Only English can be checked: whether the comments support these sentences is the model's word alone."
    if checked.dropped:
        what = "citation that points" if checked.dropped == 1 else "citations that point"
        yield f"Left out: {checked.dropped} {what} to nothing the model was shown."
    yield from checked.notes


def _prompt_trace(prompt: Prompt) -> dict[str, Any]:
    return {
        "prompt": [{"role": message.role, "content": message.content} for message in prompt.messages],
        "prompt_tokens_counted": prompt.tokens,
        "passages_in_prompt": prompt.passages,
        "passages_left_out": prompt.left_out,
        "turns_left_out": prompt.turns_left_out,
    }
