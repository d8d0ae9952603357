"""How quotes are shown: headings, block quotations, and comment text made inert."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag.answering.choosing import left_out
from rag.answering.quote import Quote
from rag.answering.stance import stance
from rag.citations.keys import INVISIBLE
from rag.index.lexical import stems
from rag.language.english import COMMON_WORDS, FUNCTION_WORDS
from rag.language.phrases import Phrases
from rag.language.spelling import singular
from rag.question.query import Query
from rag.question.speech import AUXILIARIES, BEING, SAYING
from rag.records import Citation, Passage
from rag.retrieval.literal import tells_of_change
from rag.retrieval.relevance import Sentence
from rag.retrieval.threads import under_title

_Token = tuple[str, tuple[str, ...]]
"""A word and its stems, of which a compound has several."""
TELLING = 0.3
"""Rarity from which a word tells what a quote is about."""
SHOWN = 200
"""Characters of quoted words that stand above a reply to them."""


@dataclass(frozen=True)
class Composed:
    """An answer made of quotes."""

    text: str
    """Markdown with `[n]` markers; everything that comes from a comment is escaped."""
    citations: tuple[Citation, ...]


def written(
    query: Query, quotes: Sequence[Quote], rarity: Callable[[str], float], phrases: Phrases, *, unsure: bool
) -> Composed:
    if not quotes:
        return Composed("", ())
    parts = [phrases.say("nobody_unsigned", names=inert(name), profiles=inert(label)) for name, label in query.unsigned]
    # A word cloud in a profile is no view that could be compared.
    unsure = unsure or (query.compare and all(quote.passage.kind == "profile" for quote in quotes))
    parts += _preface(query, quotes, phrases) or ([phrases.say("unsure")] if unsure else [])
    subjects: set[str] = set()
    for number, quote in enumerate(quotes, 1):
        subject = "" if query.compare else _subject(query, quote, rarity)
        parts.append(_heading(query, quote, subject if subject.casefold() not in subjects else "", phrases))
        parts.append(_block(quote, number, phrases.say("gap")))
        subjects.add(subject.casefold())
    if (
        query.by_time
        and len({quote.passage.comment_id for quote in quotes}) == 1
        and not tells_of_change(quotes[0].text)
    ):
        parts.append(phrases.say("once"))
    if query.compare:
        parts += _compared(query, quotes, phrases)
    return Composed("\n\n".join(parts), tuple(quote.citation(number) for number, quote in enumerate(quotes, 1)))


def _preface(query: Query, quotes: Sequence[Quote], phrases: Phrases) -> list[str]:
    if not query.unknown_authors:
        return []
    names = phrases.joined([inert(name) for name in query.unknown_authors])
    if any(quote.passage.label in query.labels for quote in quotes if quote.passage.label):
        return [phrases.say("nobody_profile", names=names)]
    return [phrases.say("nobody" if query.authors else "nobody_others", names=names)]


def _compared(query: Query, quotes: Sequence[Quote], phrases: Phrases) -> list[str]:
    """Who said nothing, and what setting them side by side shows."""
    speakers = {quote.passage.byline for quote in quotes}
    said = [phrases.say("silent", names=inert(author)) for author in query.authors if author not in speakers]
    if len(speakers) < 2:
        return said
    kinds: dict[str, set[str]] = {"for": set(), "against": set()}
    for quote in quotes:
        kinds.setdefault(stance(quote.text).kind if _own_view(quote) else "", set()).add(quote.passage.byline)
    opposed = any(one != other for one in kinds["for"] for other in kinds["against"])
    return [*said, phrases.say("opposed" if opposed else "side_by_side")]


def _own_view(quote: Quote) -> bool:
    return not quote.quoted and quote.passage.kind != "profile"


def _heading(query: Query, quote: Quote, subject: str, phrases: Phrases) -> str:
    passage = quote.passage
    facts = [f"**{inert(passage.byline)}**"]
    if passage.kind == "profile" and passage.author:
        facts.append(phrases.say("earlier_profile" if passage.outdated else "profile"))
    if passage.posted_at:
        facts.append(f"{passage.posted_at.date()}")
    if passage.karma is not None:
        facts.append(phrases.say("karma", karma=f"{passage.karma:g}"))
    if len(query.answered) == 1:
        facts.append(phrases.say("answering", names=inert(query.answered[0])))
    if quote.quoted:
        facts.append(phrases.say("quoting"))
    facts += [phrases.say("replying", words=inert(_brief(sentence))) for sentence in quote.replies_to]
    lacking = frozenset(stems(query.topic)).difference(stems(quote.text))
    if passage.asked and not query.answered and not lacking.isdisjoint(stems(passage.asked)):
        facts.append(phrases.say("asked", words=inert(passage.asked)))
    elif subject and not quote.replies_to:
        facts.append(phrases.say("on", subject=inert(subject)))
    elif title := under_title(passage, lacking):
        facts.append(phrases.say("under", title=inert(title)))
    if query.of_answer:
        facts.append(phrases.say("place", place=inert(passage.url or passage.source)))
    heading = ", ".join(facts)
    if query.compare and _own_view(quote):
        taken = stance(quote.text)
        heading += f" ({phrases.say(taken.kind, words=inert(taken.words))})"
    return heading + ":"


def _brief(sentence: Sentence) -> str:
    """Quoted words on one line, without the marks of quotation, cut at a word if they are long."""
    text = " ".join(re.sub(r"^[>\s]+", "", sentence.text, flags=re.MULTILINE).split())
    return text if len(text) <= SHOWN else text[:SHOWN].rsplit(" ", 1)[0] + " …"


def _block(quote: Quote, number: int, gap: str) -> str:
    text = ""
    for before, run in zip((None, *quote.runs), quote.runs, strict=False):
        shown = _shown(run, gap)
        if before and left_out(before[-1], run[0]):
            text, shown = _beside(text, "…"), _beside("…", shown)
        text = f"{text}\n\n{shown}" if text else shown
    text = _beside(text, f"[{number}]")
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _beside(one: str, other: str) -> str:
    """Two texts on one line, unless that is a fence of code, which must have its line for itself."""
    return one + ("\n\n" if one.endswith("```") or other.startswith("```") else " ") + other


def _shown(run: Sequence[Sentence], mark: str) -> str:
    """The words of a run, inert, with a mark where something was lost, and code as code."""
    passage = run[0].passage
    start, end = run[0].start - passage.start, run[-1].end - passage.start
    parts = []
    for code in _CODE.finditer(passage.text, start, end):
        parts += [_words(passage, start, code.start(), mark), _fenced(code["language"], code["code"])]
        start = code.end()
    parts.append(_words(passage, start, end, mark))
    return "\n\n".join(part for part in parts if part)


def _words(passage: Passage, start: int, end: int, mark: str) -> str:
    parts = []
    for gap in sorted({gap for gap in passage.gaps if start < gap <= end}):
        parts.append(inert(passage.text[start:gap]))
        parts.append(f" {mark} ")
        start = gap
    parts.append(inert(passage.text[start:end]))
    text = "".join(parts) if len(parts) == 1 else re.sub(r" {2,}", " ", "".join(parts))
    return re.sub(r"\n\s*\n", "\n\n", text).strip()


_CODE = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w+#-]*)[ \t]*\n(?P<code>.*?)\n(?P=fence)[ \t]*(?=\n|\Z)",
    re.MULTILINE | re.DOTALL,
)


def _fenced(language: str, code: str) -> str:
    """Code in a fence that nothing in it can close."""
    longest = max((len(found) for found in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{_visible(code.replace(chr(9), 4 * ' '))}\n{fence}"


_ASKING = frozenset("what which who whom why how when where".split())
_BEFORE_VERBS = frozenset("to not never always been being having who that i you he she it we they".split())
_HELPING = AUXILIARIES - BEING


def _subject(query: Query, quote: Quote, rarity: Callable[[str], float]) -> str:
    """Words of the question that stand together in the quote, as the comment writes them; "" if they tell nothing.

    Only all content words between two others, as in "about quiet payloads in floats": a part of them may be no thing at all.
    """
    said = [[*_tokens(sentence.text)] for sentences in quote.runs for sentence in sentences]
    for run in _things(query):
        telling = any(rarity(stem) > TELLING for _, one in run for stem in one)
        if telling and (words := next(filter(None, (_found(run, tokens) for tokens in said)), [])):
            lower = words[0].casefold()
            return " ".join([lower if lower in query.topic.split() else words[0], *words[1:]])
    return ""


def _things(query: Query) -> list[list[_Token]]:
    """Runs of content words of a question that may name a thing, the longest first: none that begins with a verb, or is cut.

    One of several words tells nothing alone: "quiet" of "Are payloads of floats quiet?".
    """
    wanted = frozenset(stems(query.topic))
    tokens = [("", ()), *_tokens(query.text), ("", ())]
    content = [bool(stem) and wanted.issuperset(stem) for _, stem in tokens]
    runs = []
    for inside, places in groupby(range(len(tokens)), key=content.__getitem__):
        run = [*places]
        if inside and (len(run) > 1 or sum(content) == 1):
            after = tokens[run[-1] + 1][0].casefold()
            whole = _before_thing(tokens[: run[0]]) and (after in FUNCTION_WORDS or not after.isalnum())
            if whole:
                runs.append([tokens[place] for place in run])
    return sorted(runs, key=lambda run: (-len(run), -len("".join(word for word, _ in run))))


def _before_thing(before: Sequence[_Token]) -> bool:
    """Whether a thing may be named behind these words, and no verb: "about", but not "Ann" or "it should"."""
    words = [word.casefold() for word, _ in before[-2:]]
    if words[-1] in _BEFORE_VERBS or (words[-1] in _HELPING and words[-2] and words[-2] not in _ASKING):
        return False
    return words[-1] in FUNCTION_WORDS | SAYING | AUXILIARIES or not words[-1].isalnum()


def _found(run: Sequence[_Token], tokens: Sequence[_Token]) -> list[str]:
    """The words of a sentence that are these, but for singular and plural, one after the other; none if it has not."""
    for start in range(len(tokens) - len(run) + 1):
        here = tokens[start : start + len(run)]
        if [singular(word.casefold()) for word, _ in here] == [singular(word.casefold()) for word, _ in run]:
            return [word for word, _ in here]
    return []


def _tokens(text: str) -> Iterator[_Token]:
    """Words and marks, each with its stems; of everyday words and marks there are none."""
    for match in re.finditer(r"[^\W_]+(?:[-'’][^\W_]+)*|[^\w\s]", text):
        everyday = match.group().casefold() in COMMON_WORDS
        yield match.group(), () if everyday else tuple(stems(match.group()))


_MARKUP = re.compile(r"[\\`*_\[\]<>|~$^&#]")
_LINE_START = re.compile(r"^[ \t]*(?:(?P<number>\d{1,9})(?P<dot>[.)])|(?P<sign>[-+=]))", re.MULTILINE)
_LINK = re.compile(r"(?<=[A-Za-z])(?=://)|(?<=[wW]{3})(?=\.)|(?<=\w)(?=@\w)")


def inert(text: str) -> str:
    """Markdown that shows exactly this text and does nothing: no markup, links, images, citation marks or HTML.

    Control characters and invisible ones that could reorder or hide text are left out.
    """
    text = _visible(text.replace("\t", " "))
    text = _MARKUP.sub(lambda match: "\\" + match.group(), text)
    text = _LINK.sub(r"\\", text)
    text = _LINE_START.sub(
        lambda match: f"{match['number']}\\{match['dot']}" if match["number"] else f"\\{match['sign']}", text
    )
    return "\n".join(line.strip() for line in text.split("\n"))


def _visible(text: str) -> str:
    """A text without control characters and others that cannot be seen."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(INVISIBLE)
    return "".join(char for char in text if unicodedata.category(char) not in ("Cs", "Co"))


_FENCED = re.compile(r"(^> (`{3,})[^\n]*\n.*?^> \2$)", re.MULTILINE | re.DOTALL)


def plain(markdown: str) -> str:
    """What `inert` made, back to the words as they were, for terminals; code is left alone."""
    pieces = _FENCED.split(markdown)
    # Code and its fence come after each piece of words.
    return "".join(
        re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", piece) if place % 3 == 0 else piece if place % 3 == 1 else ""
        for place, piece in enumerate(pieces)
    )
