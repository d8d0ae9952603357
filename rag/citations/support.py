"""Does what is cited support the sentence that cites it? Checked offline, from several signs together.

Signs: likeness of sentence and evidence (embedding), how much of the sentence's content stands in the evidence (stems;
rare words weigh more), how much liker it would become with one of its words exchanged for one of the evidence, shared
words negated on one side only, opposites. The score is a product of two logistic regressions: that the evidence is about
the same (likeness, coverage, exchange), and that it does not deny the sentence (negations, opposites). Both are fitted on
one half of `sample/support_pairs.jsonl` (tests/benchmarks/support.py); support_eval.py reports on the other. Decided
without them: a number or name that stands nowhere, a comparison turned round, a wrong speaker, and nearly the same words
with a negation on one side only or an opposite.

What it cannot see: roles swapped without a comparison, a dropped hedge, one thing named for another of its kind ("rye"
for "wheat") where the rest agrees, and whatever needs knowledge. A judge model may be asked on top; this module knows
none.

English only. For another language numbers and speakers are looked at, then the status is "unchecked" and the reason
says so: never "supported" unseen.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from rag.citations.attribution import speakers
from rag.citations.printing import CitedSentence, CitedText
from rag.citations.quotes import find_quotations, is_negation
from rag.index.lexical import stems
from rag.language.english import FUNCTION_WORDS
from rag.question.names import NameIndex, words
from rag.records import SentenceCheck

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to unit vectors, shape (len(texts), dimension)."""
Rarity = Callable[[str], float]
"""How rare a word is, 0 to 1."""


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


@dataclass(frozen=True, slots=True)
class Regression:
    """Probability as a logistic function of weighted signs."""

    weights: Mapping[str, float]
    intercept: float

    def __call__(self, signs: Mapping[str, float]) -> float:
        total = self.intercept + sum(weight * signs[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-total))


SAME = Regression({"likeness": 4.51, "coverage": 1.9, "exchange": -4.61}, -3.24)
"""Fitted on supported sentences against near misses and other topics."""
UNDENIED = Regression({"denies": -1.55, "denied": -1.46, "opposites": -3.46}, 1.02)
"""Fitted on supported sentences against contradictions."""


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
        judge: Decides in place of the signs that are weighed; what decides alone still does.
    """
    if not evidence:
        return Support("unsupported", 0.0, "Nothing is cited.")
    if refusal := _refusal(sentence, evidence, authors, known_authors, quoted, context, around):
        return Support("unsupported", 0.0, refusal)
    if judge is not None:
        return _verdict(judge(sentence, " ".join(evidence)), 0.5, "What is cited does not say this, a model found.")
    if not is_prose(sentence):
        return Support("unsupported", 0.0, "This is no sentence.")
    if not (is_english(" ".join(evidence)) and (is_english(sentence) or _shares_words(sentence, evidence, authors))):
        return Support("unchecked", 0.0, "Not English: the wording was not checked.")
    if missing := _missing_names(sentence, " ".join([*evidence, context, around, *authors, *known_authors])):
        return Support("unsupported", 0.0, f"{_listed(missing)}: this name does not stand in what is cited.")
    signs = signs_of(sentence, evidence, embed, rarity, [*authors, *known_authors])
    if _plainly_denied(signs):
        return Support("unsupported", 0.0, _OPPOSITE)
    return _verdict(SAME(signs) * UNDENIED(signs), THRESHOLD, _explain(signs))


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
        credit = _credit(cited.sentences, number)
        mentions = index.find(words(f"{sentence.text} {credit}"))
        named = {author for mention in mentions for author in mention.authors}
        checks.append(_check_sentence(sentence, credit, embed, rarity, named, judge))
    return tuple(checks)


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
    if refusal := _wrong_speaker(credit, [keyed.text for keyed in sentence.evidence], authors, known_authors, quoted):
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


# --- Statements -------------------------------------------------------------------------------------------------------

_CONNECTIVE = re.compile(
    r"(?:here (?:is|are)|in (?:summary|short|conclusion|sum)|to (?:summari[sz]e|sum up)|sure|of course|certainly|yes|no|thanks|"
    r"overall|based on (?:the|these)|according to the (?:comments|passages)|the (?:following|comments|passages)|i hope|let me|"
    r"(?:several|two|three|some|many|different|a few) (?:views|people|commenters|authors|comments|points|positions|answers))\b",
    re.IGNORECASE,
)
_SEARCH = re.compile(
    r"\b(?:comments?|passages?|sources?|excerpts?|commenters?|nobody|none of them)\b.{0,60}?"
    r"(?:\b(?:do|does|did|is|are|was|were|has|have|can)(?: not|n['’]t)\b|\bcannot\b|\bno\b|\bnone\b|\bnothing\b)"
    r".{0,40}?\b(?:answer|say|mention|address|discuss|contain|cover|state|specif|explain|inform|give|provide|talk)",
    re.IGNORECASE,
)
_LEAST_CONTENT = 2


def is_claim(sentence: str) -> bool:
    """Whether a sentence states something that needs evidence.

    No claim: a question, a heading or lead-in that ends in a colon, a connective without content of its own, and a
    statement about the search ("the comments do not say ...").
    """
    text = re.sub(r"^[\s>*+#-]+|[*_`]+", "", sentence).strip()
    if sentence.lstrip().startswith("#") or text.endswith(("?", ":")):
        return False
    content = stems(text)
    if len(content) < _LEAST_CONTENT or _SEARCH.search(text):
        return False
    return not (_CONNECTIVE.match(text) and len(content) <= 2 * _LEAST_CONTENT)


_FORMULA = re.compile(r"\$\$[^$]{1,2000}\$\$|\$[^$\n]{1,300}\$|\\\[.{1,2000}?\\\]|\\\(.{1,300}?\\\)", re.DOTALL)
_CODE_SIGN = re.compile(r"[<>{}=_/\\|#@^~\[\]+*]")
_MOST_CODE_SIGNS = 0.08


def is_prose(text: str) -> bool:
    """Whether a text is language rather than markup or data, formulas aside."""
    text = _FORMULA.sub("", text)
    return len(_CODE_SIGN.findall(text)) <= max(4, _MOST_CODE_SIGNS * len(text))


_ENGLISH_ONLY = frozenset(
    """
    the it is of and that this these those with for are not have has had by from you they them their his her its what
    which be been were would could should does did because but if than then there when where who how all any both
    """.split()
)
"""Function words that are no words of German, French, Spanish, Italian or Dutch."""
_SHORT = 10


def is_english(text: str) -> bool:
    """Whether enough of a text's words are English function words; too short a text passes. Formulas do not count."""
    text = _FORMULA.sub("", text)
    if any(not char.isascii() and char.isalpha() and ord(char) > 0x24F for char in text):
        letters = [char for char in text if char.isalpha()]
        if sum(ord(char) > 0x24F for char in letters) > len(letters) / 2:
            return False
    found = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.casefold().replace("’", "'"))
    if len(found) < 6 or (len(found) < _SHORT and not _ENGLISH_ONLY.isdisjoint(found)):
        return True
    return sum(word in FUNCTION_WORDS for word in found) / len(found) >= 0.15


# --- Signs that decide alone ------------------------------------------------------------------------------------------


def _refusal(
    sentence: str,
    evidence: Sequence[str],
    authors: Collection[str],
    known_authors: Collection[str],
    quoted: bool,
    context: str,
    around: str,
) -> str:
    """Why evidence cannot support a sentence whatever else it says; "" if nothing speaks against it."""
    if refusal := _wrong_speaker(sentence, evidence, authors, known_authors, quoted):
        return refusal
    missing = _missing_numbers(sentence, [*evidence, context, *authors])
    if missing := [number for number in missing if not _stands_around(number, sentence, evidence, around)]:
        return f"{_listed(missing)}: this number does not stand in what is cited."
    if _comparison_turned(sentence, evidence):
        return "The comparison is the other way round in what is cited."
    return ""


_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
} | dict(zip("thirty forty fifty sixty seventy eighty ninety".split(), map(str, range(30, 100, 10)), strict=True))
_LOOSE_NUMBER_WORDS = frozenset({"zero", "one"})
"""Seldom meant as a number."""


def _numbers(text: str) -> set[str]:
    """The numbers of a text, in digits; those spelt out up to twenty, and tens."""
    found = {match[0].replace(",", "") for match in _NUMBER.finditer(text)}
    words = re.findall(r"[a-z]+", text.casefold())
    return found | {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS}


def _missing_numbers(sentence: str, texts: Iterable[str]) -> list[str]:
    """Numbers of a sentence that stand in none of the texts."""
    known = set().union(*(_numbers(text) for text in texts))
    loose = {_NUMBER_WORDS[word] for word in _LOOSE_NUMBER_WORDS} - {m[0] for m in _NUMBER.finditer(sentence)}
    plain = {str(int(number)) for number in known if number.isdigit()}
    return sorted(
        number
        for number in _numbers(_without_list_mark(sentence)) - known - loose
        if not (number.isdigit() and str(int(number)) in plain)
    )


def _stands_around(number: str, sentence: str, evidence: Sequence[str], around: str) -> bool:
    """Whether a number stands around the evidence as it does in the sentence, and the evidence has no other there."""
    here, there, cited = _beside_numbers(sentence), _beside_numbers(around), _beside_numbers(" ".join(evidence))
    beside = here.get(number, set())
    instead = any(words_there & beside for other, words_there in cited.items() if other not in here)
    return not instead and bool(beside & there.get(number, set()))


def _beside_numbers(text: str) -> dict[str, set[str]]:
    """For every number of a text the content words and signs up to two places from it."""
    tokens = re.findall(r"\d+(?:[.,:]\d+)*|[^\W\d_]+|[%°$€£]", text)
    beside: dict[str, set[str]] = defaultdict(set)
    for place, token in enumerate(tokens):
        for number in _numbers(token):
            for neighbour in (*tokens[max(0, place - 2) : place], *tokens[place + 1 : place + 3]):
                beside[number] |= set(stems(neighbour)) if neighbour.isalpha() else {neighbour}
    return beside


def _without_list_mark(sentence: str) -> str:
    return re.sub(r"^\s*\(?\d{1,3}[.)]\s", "", sentence)


def _missing_names(sentence: str, known: str) -> list[str]:
    """Capitalised words within a sentence that stand nowhere in a text; acronyms may be the writer's own."""
    found = re.findall(r"(?<=[^\W\d_A-Z] )[A-Z][\w-]+", sentence)
    names = (name for name in dict.fromkeys(found) if not (name.isupper() and len(name) <= 5))
    return [name for name in names if name.casefold() not in known.casefold()]


def _comparison_turned(sentence: str, evidence: Sequence[str]) -> bool:
    """ "B is faster than A" where the evidence says that A is faster than B."""
    said = _comparison(sentence)
    if said is None:
        return False
    for text in evidence:
        for part in re.split(r"[.;:]", text):
            found = _comparison(part)
            if found is None or found[0] != said[0]:
                continue
            (left, right), (first, second) = _apart(*said[1:]), _apart(*found[1:])
            if (left & second) - first and (right & first) - second:
                return True
    return False


def _comparison(text: str) -> tuple[str, set[str], set[str]] | None:
    found = re.search(r"^(.*)\b(\w{2,}er|more|less|fewer|better|worse)\b(.*?)\bthan\b(.*)$", text, re.IGNORECASE)
    return (found[2].casefold(), {*stems(found[1]), *stems(found[3])}, set(stems(found[4]))) if found else None


def _apart(left: set[str], right: set[str]) -> tuple[set[str], set[str]]:
    return left - right, right - left


def _wrong_speaker(
    sentence: str, evidence: Sequence[str], authors: Collection[str], known_authors: Collection[str], quoted: bool
) -> str:
    """Why the speaker that a sentence names is not who wrote the evidence; "" if it names none or the right one."""
    prose = list(sentence)
    for phrase in find_quotations(sentence):
        prose[phrase.start : phrase.end] = " " * (phrase.end - phrase.start)
    named = speakers("".join(prose), {*authors, *known_authors}, " ".join(evidence))
    if named.strangers and set(named.strangers) <= set(speakers(" ".join(evidence), ()).strangers):
        return ""  # the author reports them, and so does the sentence
    if not any(named.fits(author) for author in authors or (None,)):
        said = _listed(sorted(named.authors) or named.strangers)
        return f"What is cited was not written by {said}."
    if quoted and named.authors:
        return f"What is cited is only quoted by {_listed(sorted(named.authors))}."
    return ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# --- Signs that are weighed -------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_CLAUSE = re.compile(
    r"[,.;:!?—]| (?:because|but|so|if|when|while|unless|since|although|though|whereas|after|before) ", re.IGNORECASE
)
_TURNING = frozenset(
    stem
    for word in (
        "doubt deny reject refuse disagree dispute oppose prevent fail lack stop cease unsure sceptical skeptical abandon avoid "
        "miss worthless useless"
    ).split()
    for stem in stems(word)
)
"""Words that turn round what follows them."""
_OPPOSITES = """
agree disagree|increase decrease|rise fall|rose fell|grow shrink|more less|more fewer|higher lower|better worse|best worst
easy hard|easy difficult|possible impossible|likely unlikely|always never|everybody nobody|everyone nobody|everything nothing
early late|earlier later|fast slow|fast slowly|faster slower|quickly slowly|cheap expensive|cheaper expensive|strong weak|stronger weaker
big small|large small|larger smaller|long short|longer shorter|old new|older newer|soft hard|softer harder|wet dry|hot cold
open close|gain lose|gained lost|win lose|succeed fail|success failure|true false|right wrong|support oppose|safe dangerous
good bad|helpful harmful|first last|many few|most few|increase reduce|raise lower|buy sell|remember forget|accept reject
accept refuse|trust doubt|overrate underrate|inside outside|public private|publish hide|keep remove|start stop|began stopped
confirm refute|prove disprove|same different|allow forbid|allow ban|full empty|present absent|certain uncertain|sure unsure
convince doubt|optimistic pessimistic|simple complex|useful useless|improve worsen|enough insufficient|repair replace
visible hidden|winter summer|day night|morning evening|upwards downwards
"""
_AFFIXES = ("un", "in", "im", "dis", "non", "ir", "mis")
_MOST_EXCHANGED = 8
_OTHER_TOPIC = 0.35
_OPPOSITE = "What is cited seems to say the opposite."


def _opposites() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for pair in re.split(r"[|\n]", _OPPOSITES.strip()):
        first, second = (next(iter(stems(word)), word) for word in pair.split())
        found[first].add(second)
        found[second].add(first)
    return found


_OPPOSITE_OF = _opposites()


def signs_of(
    sentence: str, evidence: Sequence[str], embed: Embed, rarity: Rarity | None, names: Collection[str]
) -> dict[str, float]:
    """What `SAME` and `UNDENIED` weigh.

    Args:
        sentence: Of an answer.
        evidence: What it cites.
        embed: Embeds texts.
        rarity: Weighs content words.
        names: Of speakers, which count for nothing.
    """
    joined = " ".join(evidence)
    own = set(stems(joined))
    authors = {stem for name in names for stem in stems(name)}
    content = {  # stem -> word, names of speakers and numbers left out
        stem: word[0]
        for word in _WORD.finditer(sentence)
        for stem in stems(word[0])
        if stem not in authors and not stem.isdigit()
    }
    likeness, exchange = _likeness(sentence, evidence, {s: w for s, w in content.items() if s not in own}, embed)
    denies, denied, opposites = _polarity(sentence, evidence, content)
    return {
        "likeness": likeness,
        "coverage": _coverage(content, own, rarity),
        "exchange": exchange,
        "denies": denies,
        "denied": denied,
        "opposites": opposites,
    }


def _coverage(content: dict[str, str], own: set[str], rarity: Rarity | None) -> float:
    weights = {stem: rarity(word) if rarity else 1.0 for stem, word in content.items()}
    total = sum(weights.values())
    return sum(weight for stem, weight in weights.items() if stem in own) / total if total else 1.0


def _likeness(sentence: str, evidence: Sequence[str], foreign: dict[str, str], embed: Embed) -> tuple[float, float]:
    """Best cosine with the evidence, and by how much it would grow with one foreign word exchanged.

    A synonym changes little when the evidence's own word is put in its place, another thing a lot.
    """
    texts = [*evidence, " ".join(evidence)]
    variants = list(_exchanged(sentence, evidence, foreign, embed))
    vectors = embed([*texts, sentence, *variants])
    cosines = vectors[len(texts) :] @ vectors[: len(texts)].T
    gain = float((cosines[1:] - cosines[0]).max()) if variants else 0.0
    return float(cosines[0].max()), max(0.0, gain)


def _exchanged(sentence: str, evidence: Sequence[str], foreign: dict[str, str], embed: Embed) -> Iterator[str]:
    """The sentence with one foreign word at a time replaced by the likest words of the evidence."""
    said = set(stems(sentence))
    unused = list(
        dict.fromkeys(w[0].casefold() for t in evidence for w in _WORD.finditer(t) if set(stems(w[0])) - said)
    )
    words = list(foreign.values())[:_MOST_EXCHANGED]
    if not unused or not words:
        return
    vectors = embed([*unused, *(word.casefold() for word in words)])
    for word, likeness in zip(words, vectors[len(unused) :] @ vectors[: len(unused)].T, strict=True):
        for place in np.argsort(-likeness)[:2]:
            yield re.sub(rf"\b{re.escape(word)}\b", lambda _, new=unused[place]: new, sentence, count=1)


def _polarity(sentence: str, evidence: Sequence[str], content: Collection[str]) -> tuple[float, float, float]:
    """How far sentence and evidence deny each other.

    Returns:
        Of the shared words that the sentence negates, the share that the evidence does not; of those that the likest
        evidence negates, the share that the sentence does not; and the number of opposites.
    """
    here = {stem: states for stem, states in _negated(sentence).items() if stem in content}
    texts = [_negated(text) for text in evidence]
    there: dict[str, set[bool]] = defaultdict(set)
    for text in texts:
        for stem, states in text.items():
            there[stem] |= states
    nearest = max(texts, key=lambda text: len(text.keys() & here.keys()))
    opposites = 0
    for stem in here.keys() - there.keys():
        # Where one sentence has both sides, as in "you gain time and lose strength", it denies neither.
        against = [other for other in _against(stem) if other in there and not _has_both_sides(other, texts)]
        opposites += bool(against) and not any((not state) in there[against[0]] for state in here[stem])
    return _one_sided(here, there), _one_sided(nearest, here), float(opposites)


def _has_both_sides(stem: str, texts: Sequence[Mapping[str, set[bool]]]) -> bool:
    return any(stem in text and _OPPOSITE_OF[stem] & text.keys() for text in texts)


def _one_sided(negating: Mapping[str, set[bool]], other: Mapping[str, set[bool]]) -> float:
    """Of the words in common that one side only ever negates, the share that the other never does."""
    denied = [stem for stem, states in negating.items() if states == {True} and stem in other]
    return sum(True not in other[stem] for stem in denied) / len(denied) if denied else 0.0


_IN_PLACE_OF = re.compile(r"\b(?:rather than|instead of|as opposed to)\b", re.IGNORECASE)


def _negated(text: str) -> dict[str, set[bool]]:
    """For every stem whether it stands under an odd number of negations of its clause, once or more."""
    found: dict[str, set[bool]] = defaultdict(set)
    for clause in _CLAUSE.split(_IN_PLACE_OF.sub(", not", text)):
        turned = False
        for word in _WORD.finditer(clause):
            if is_negation(word[0]) or word[0].casefold() == "little":
                turned = not turned
                continue
            for stem in stems(word[0]):
                found[stem].add(turned)
                turned = turned != (stem in _TURNING)
    return found


def _against(stem: str) -> Iterator[str]:
    yield from _OPPOSITE_OF.get(stem, ())
    for affix in _AFFIXES:
        yield affix + stem
        if stem.startswith(affix):
            yield stem[len(affix) :]


def _plainly_denied(signs: Mapping[str, float]) -> bool:
    """Nearly the same words with a negation on one side, or an opposite."""
    negated_here = signs["denies"] == 1 and signs["coverage"] >= 0.6
    negated_there = signs["denied"] == 1 and signs["coverage"] >= 0.75
    return negated_here or negated_there or signs["opposites"] > 0


def _explain(signs: Mapping[str, float]) -> str:
    """The sign that speaks loudest against."""
    if UNDENIED(signs) < SAME(signs):
        return _OPPOSITE
    if signs["likeness"] < _OTHER_TOPIC:
        return "What is cited is about something else."
    return "What is cited does not say this."
