"""Does what is cited support the sentence that cites it? Checked offline, from several features together.

Features: similarity of sentence and evidence (embeddings), coverage of the sentence's content words by the evidence (stems;
rare words weigh more), how much the similarity would rise with one of its words exchanged for one of the evidence, shared
words negated on one side only, antonyms. The score is a product of two logistic regressions: that the evidence is about
the same (similarity, coverage, exchange), and that it does not contradict the sentence (negations, antonyms). Both are fitted on
one half of `sample/support_pairs.jsonl` (tests/benchmarks/support.py); rag/evaluation/support.py reports on the other. Decided
without them: a number or name that stands nowhere, two numbers exchanged, a comparison turned round, a wrong speaker, what
one person did told of another, and nearly the same words with a negation on one side only or an opposite.

What it cannot see: roles swapped without a comparison, a dropped hedge, one thing named for another of its kind ("rye"
for "wheat") where the rest agrees, and whatever needs knowledge. A judge model may be asked on top; this module knows
none.

English only. For another language numbers and speakers are looked at, then the status is "unchecked" and the reason
says so: never "supported" unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from rag.citations.claims import is_claim, is_english, is_prose
from rag.citations.factual_consistency import decisive_fault, missing_names, wrong_speaker
from rag.citations.keys import KeyedSentence
from rag.citations.printing import CitedSentence, CitedText
from rag.citations.support_features import (
    OPPOSITE,
    SAME,
    UNDENIED,
    Embed,
    Rarity,
    explanation,
    features_of,
    plainly_denied,
)
from rag.index.lexical import stems
from rag.language.enumeration import enumerated
from rag.question.names import NameIndex, words
from rag.records import SentenceCheck


@dataclass(frozen=True, slots=True)
class Support:
    """Whether evidence supports a sentence."""

    status: Literal["supported", "unsupported", "unchecked"]
    score: float
    """Estimated probability of support, between 0 and 1."""
    reason: str = ""


Judge = Callable[[str, str], float]
"""A model's probability that a text (second) supports a sentence (first), such as an NLI model's for entailment."""

THRESHOLD = 0.24
"""Score from which a sentence counts as supported: the best F1 on the half for fitting."""


def check_support(
    sentence: str,
    evidence: Sequence[str],
    *,
    embed: Embed,
    rarity: Rarity | None = None,
    authors: Collection[str] = (),
    known_authors: Collection[str] = (),
    quoted: bool = False,
    context: str = "",
    around: str = "",
    judge: Judge | None = None,
) -> Support:
    """Check a sentence against what it cites.

    Args:
        sentence: A statement, without markers.
        evidence: The cited sentences; without any nothing is supported.
        embed: Embeds texts.
        rarity: Weighs content words; without it all weigh the same.
        authors: Who wrote the evidence.
        known_authors: All authors whose names may occur in the sentence.
        quoted: The evidence is somebody else's words, quoted by its authors.
        context: What else is known about the evidence, such as date and title: names and numbers in it may be used.
        around: The text that the evidence stands in: names in it may be used, and numbers that stand beside a word
            as in the sentence, unless the evidence has another number there.
        judge: Decides in place of the features that are weighed; what decides alone still does.
    """
    if not evidence:
        return Support("unsupported", 0.0, "Nothing is cited.")
    if refusal := decisive_fault(sentence, evidence, authors, known_authors, quoted, context, around):
        return Support("unsupported", 0.0, refusal)
    if judge is not None:
        return _verdict(judge(sentence, " ".join(evidence)), 0.5, "What is cited does not say this, a model found.")
    if not is_prose(sentence):
        return Support("unsupported", 0.0, "This is no sentence.")
    if not (is_english(" ".join(evidence)) and (is_english(sentence) or _shares_words(sentence, evidence, authors))):
        return Support("unchecked", 0.0, "Not English: the wording was not checked.")
    if missing := missing_names(sentence, " ".join([*evidence, context, around, *authors, *known_authors])):
        return Support("unsupported", 0.0, f"{enumerated(missing)}: this name does not stand in what is cited.")
    features = features_of(sentence, evidence, embed, rarity, [*authors, *known_authors])
    if plainly_denied(features):
        return Support("unsupported", 0.0, OPPOSITE)
    return _verdict(SAME(features) * UNDENIED(features), THRESHOLD, explanation(features))


def _shares_words(sentence: str, evidence: Sequence[str], authors: Collection[str]) -> bool:
    """Whether a sentence has so many words of the evidence that it must be in the same language."""
    own = set(stems(sentence)) - {stem for author in authors for stem in stems(author)}
    shared = own & set(stems(" ".join(evidence)))
    return len(shared) >= 2 and len(shared) >= 0.4 * len(own)


def _verdict(score: float, threshold: float, reason: str) -> Support:
    return Support("supported", score) if score >= threshold else Support("unsupported", score, reason)


def check_sentences(
    cited: CitedText,
    *,
    embed: Embed,
    rarity: Rarity | None = None,
    known_authors: Collection[str] = (),
    judge: Judge | None = None,
) -> tuple[SentenceCheck, ...]:
    """Check every sentence of an answer against its own evidence: one check per sentence, in their order.

    A sentence that states nothing of its own ("Here is what I found:", a question) has the status "no_claim", one that
    states something without citing "uncited".
    """
    index = _name_index(tuple(sorted(known_authors)))
    checks = []
    for number, sentence in enumerate(cited.sentences):
        behind = _cited_behind(cited, number)
        credit = _credit(cited.sentences, number)
        mentions = index.find(words(f"{sentence.text} {credit}"))
        named = {author for mention in mentions for author in mention.authors}
        check = _check_sentence(sentence, credit, embed, rarity, named, judge)
        if check.status == "uncited" and behind:
            shared = _check_sentence(replace(sentence, evidence=behind), credit, embed, rarity, named, judge)
            check = shared if shared.status == "supported" else check
        checks.append(check)
    return tuple(checks)


def _cited_behind(cited: CitedText, number: int) -> tuple[KeyedSentence, ...]:
    """What the next sentence of the paragraph that cites has: many cite once, for all that stands before."""
    start = cited.sentences[number].start
    for later in cited.sentences[number + 1 :]:
        if "\n" in cited.text[start : later.start]:
            break
        if later.evidence:
            return later.evidence
    return ()


_QUOTATION_BEGINS = re.compile(r"\s*(?:[-*+]\s+|\d{1,3}[.)]\s+)?[>\"“„«‘「『]")
_SIGNATURE = re.compile(r"[>\s]*(?:[—–―]|--)\s*([^\n]{2,80})")


def _credit(sentences: Sequence[CitedSentence], number: int) -> str:
    """Who the lines round a quotation say is speaking: "X wrote:" in front of it, or "— X" behind it."""
    credit = ""
    if not _QUOTATION_BEGINS.match(sentences[number].text):
        return credit
    before = sentences[number - 1].text.strip("*_ ") if number else ""
    if before.endswith(":"):
        credit = before
    if number + 1 < len(sentences) and (signature := _SIGNATURE.fullmatch(sentences[number + 1].text)):
        credit += f" {signature[1].partition(',')[0]} writes."
    return credit


@lru_cache(maxsize=4)
def _name_index(authors: tuple[str, ...]) -> NameIndex:
    """An index holds thousands of authors, a sentence names one or two: finding those first keeps checks fast."""
    return NameIndex(authors)


def _check_sentence(
    sentence: CitedSentence,
    credit: str,
    embed: Embed,
    rarity: Rarity | None,
    known_authors: Collection[str],
    judge: Judge | None,
) -> SentenceCheck:
    if not sentence.evidence:
        status: Literal["uncited", "no_claim"] = "uncited" if is_claim(sentence.text) else "no_claim"
        reason = "Nothing is cited." if status == "uncited" else ""
        return SentenceCheck(sentence.start, sentence.end, status, 0.0, reason)
    passages = [keyed.passage for keyed in sentence.evidence]
    authors = {passage.author for passage in passages if passage.author}
    quoted = all(keyed.quoted for keyed in sentence.evidence)
    if refusal := wrong_speaker(credit, [keyed.text for keyed in sentence.evidence], authors, known_authors, quoted):
        return SentenceCheck(sentence.start, sentence.end, "unsupported", 0.0, refusal)
    context = " ".join(
        f"{passage.title or ''} {passage.posted_at:%Y-%m-%d %B %d}" if passage.posted_at else passage.title or ""
        for passage in passages
    )
    found = check_support(
        sentence.text,
        [keyed.text for keyed in sentence.evidence],
        embed=embed,
        rarity=rarity,
        authors=authors,
        known_authors=known_authors,
        quoted=quoted,
        context=context,
        around="\n".join(dict.fromkeys(passage.text for passage in passages)),
        judge=judge,
    )
    return SentenceCheck(sentence.start, sentence.end, found.status, found.score, found.reason)
