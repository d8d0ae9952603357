"""Answers without a model: the best exact quotes, attributed, numbered and kept short.

Nothing in an answer is made up: beside names, dates and a few fixed phrases every word is sliced from a source.
Whether the comments answer at all is decided elsewhere (see answerability.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from rag.answering.stance import stance
from rag.citations.keys import INVISIBLE
from rag.index.lexical import stems
from rag.language.phrases import Phrases
from rag.question.query import Query, admits
from rag.records import Citation, Passage, Span
from rag.retrieval.literal import telling
from rag.retrieval.relevance import Sentence, read_again, score_sentences

if TYPE_CHECKING:
    from rag.models.reader import Reads

FLOOR = 0.05
RELATIVE = 0.15
"""A sentence is quoted if its probability of bearing on the question is above FLOOR and RELATIVE of the best one's."""
SENTENCES, SENTENCES_IN_LIST = 5, 24
MOST_QUOTED, MOST_QUOTED_IN_LIST = 4, 20
"""Most comments quoted: in a single answer; where a list or a comparison is asked for."""
LONGEST = 700
"""Characters up to which a quote is lengthened by the sentences around it."""
SHORT, LENGTHENED = 300, 600
"""A quote shorter than SHORT characters gets the next sentence, if both fit into LENGTHENED: a title or an opening says little."""
INDENTED = 40
"""Most white space between two sentences that follow each other, as between two lines of code."""
UNRELATED = 0.01
"""Probability up to which a sentence has nothing to do with the question."""
REPLY = 0.9
"""What a reply to quoted words counts of their score: it speaks of the same, and need not say what that is."""
SHOWN = 200
"""Characters of quoted words that stand above a reply to them."""
WHOLE_PROFILE = 400
"""A profile of at most so many characters is quoted whole: its sentences say little by themselves."""


@dataclass(frozen=True)
class Composed:
    """An answer made of quotes."""

    text: str
    """Markdown with `[n]` markers; everything that comes from a comment is escaped."""
    citations: tuple[Citation, ...]


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
        read: Helps to choose where a single answer is asked for: a list, a comparison or a course of time is read too little of.
        unsure: Say that the quotes may not answer the question.
        language: ISO 639-1 code of the language of the phrases around the quotes.

    Returns:
        Text and citations; both empty if no passage has anything to quote.
    """
    passages = [passage for passage in passages if admits(query, passage)]
    if not passages:
        return Composed("", ())
    if question_vector is None:
        question_vector = embed([query.text])[0]
    stored = vectors([passage.id for passage in passages]) if vectors else {}
    sentences = score_sentences(query, passages, question_vector, embed, rarity, stored)
    sign = telling(query)
    if read and not (sign or query.wants_list or query.compare or query.by_time):
        sentences = read_again(query, sentences, read)
    comments = _by_comment(sentences)
    if query.authors:
        comments = {comment: _with_replies(members) for comment, members in comments.items()}
        sentences = [s for members in comments.values() for s in members]
    chosen = _choose(query, [s for s in sentences if sign.said(s.text)] if sign else _preferred(query, sentences))
    quotes = [
        quote
        for comment, members in comments.items()
        if (picked := _with_context(members, [s for s in chosen if s.passage.comment_id == comment], query))
        for quote in _quotes(picked)
    ]
    quotes = _ordered(query, quotes, MOST_QUOTED_IN_LIST if query.wants_list or query.compare else MOST_QUOTED)
    return _written(query, quotes, rarity, Phrases(language), unsure=unsure)


# --- choosing ---------------------------------------------------------------------------------------------------------

_NEEDS_BEFORE = re.compile(
    r"\W*(?:but|and|so|or|yet|nor|however|also|because|then|therefore|thus|hence|instead|otherwise|moreover|furthermore|this|that|these"
    r"|those|it|its|they|their|them|he|she|his|her|which|such|the (?:latter|former|other|same|second|third)|both|neither|in (?:that|this|which) case"
    r"|for (?:example|instance)|e\.g|i\.e|as a result|similarly|likewise)\b",
    re.IGNORECASE,
)
_LEANS_BACK = re.compile(r"\W*(?:I|we|you)\s+(?:\w+\s+){0,3}?(?:it|this|these|those|they|them)\b")
"""Speaks of something that was named before."""
_TURNS = re.compile(
    r"\W*(?:but|however|though|although|yet|still|that said|nevertheless|nonetheless|on the other hand|unless|except)\b",
    re.IGNORECASE,
)
"""What follows takes something back: leaving it out would misquote."""
_LEADS = re.compile(
    r"(?::|\b(?:because of|such as|as follows|the following|examples?|these))\s*$|:\s*[^.:]{0,40}$|^\W*(?:two|three|four|five|six|seven|several|some)\s(?:\w+\s){0,4}\w+[.:]$",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(r"(?<!wrote)(?<!writes)(?<!said)(?<!says):\s*$")
"""Leads to a quotation, and tells more than whose it is."""
_ITEM = re.compile(r"\s*(?:[-–—*•+]\s|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s)")
_URL = re.compile(r"\W*(?:https?://|www\.)\S+\W*")


def _with_replies(members: list[Sentence]) -> list[Sentence]:
    """The sentences of one comment, its author's replies to quoted words counting nearly as much as these.

    The usual form in a forum is a quotation and, below it, what one thinks of it; the quotation looks far more like the
    question. A line that leads to a quotation stands for a reply where none follows.
    """
    found = list(members)
    runs = [tuple(places) for _, places in groupby(range(len(members)), key=lambda place: members[place].quoted)]
    for before, run, after in zip([(), *runs], runs, [*runs[1:], ()], strict=False):
        if not members[run[0]].quoted:
            continue
        reply: Sequence[int] = ()
        if after and _near(members[run[-1]], members[after[0]]):
            # "No." and "This." may be all; if not, they belong to what says more.
            telling = next((place for place in after if _says_something(members[place])), after[0])
            reply = range(after[0], telling + 1)
        elif before and _INTRODUCES.search(members[before[-1]].text) and _near(members[before[-1]], members[run[0]]):
            reply = before[-1:]
        words = max((members[place] for place in run), key=lambda s: s.score)
        for place in reply:
            if members[place].score < REPLY * words.score:
                found[place] = replace(members[place], score=REPLY * words.score, replies_to=words)
    return found


def _near(one: Sentence, other: Sentence) -> bool:
    """Whether next to nothing stands between two sentences of a comment: white space, or marks of quotation."""
    return one.passage.source == other.passage.source and 0 <= other.start - one.end <= INDENTED


def _preferred(query: Query, sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences without those quoted words for which there are somebody's own.

    Who is asked for speaks for himself where he says anything on it. To others, quoted words may be the answer, unless
    whoever said them first can be quoted.
    """
    own = [s for s in sentences if not s.quoted]
    if query.authors:
        best = max((s.score for s in sentences), default=0.0)
        said = any(s.score >= max(FLOOR, RELATIVE * best) for s in own if s.passage.kind != "profile")
        return own if said else list(sentences)
    return [s for s in sentences if not s.quoted or not any(_repeated(s, other) for other in own)]


def _choose(query: Query, sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences to quote, best first, none saying the same words as one before."""
    ranked = sorted(
        (s for s in sentences if _says_something(s) or s.replies_to), key=lambda s: (-s.score, s.passage.id, s.start)
    )
    ranked = ranked or sorted(sentences, key=lambda s: (-s.score, s.passage.id, s.start))[:1]
    if query.compare and len(query.authors) > 1:
        each = [[s for s in ranked if s.passage.byline == author] for author in query.authors]
        # What somebody only reports of others is not a view to set against another.
        said = [[s for s in g if s.score >= FLOOR and s.passage.kind != "profile" and not s.quoted] for g in each]
        return [s for group in (said if any(said) else each) for s in _best(group, 3)]
    # Where the course of an opinion is asked for, what was said before matters as much as what is said of the change.
    return _best(
        ranked, SENTENCES_IN_LIST if query.wants_list else SENTENCES, RELATIVE / 3 if query.by_time else RELATIVE
    )


def _best(ranked: Sequence[Sentence], most: int, relative: float = RELATIVE) -> list[Sentence]:
    chosen: list[Sentence] = []
    for sentence in ranked:
        if len(chosen) >= most or (chosen and sentence.score < max(FLOOR, relative * ranked[0].score)):
            break
        if not any(_same_words(sentence, other) for other in chosen):
            chosen.append(sentence)
    return chosen


def _says_something(sentence: Sentence) -> bool:
    name = frozenset(stems(sentence.passage.author or ""))
    return len(sentence.stems - name) > 1 and not _URL.fullmatch(sentence.text)


def _same_words(one: Sentence, other: Sentence) -> bool:
    if one.passage.comment_id == other.passage.comment_id:
        return one.start == other.start
    return _repeated(one, other) or _repeated(other, one)


def _repeated(sentence: Sentence, other: Sentence) -> bool:
    """Whether another sentence has the words of this one, among its own."""
    return bool(sentence.stems) and len(sentence.stems & other.stems) >= 0.85 * len(sentence.stems)


def _by_comment(sentences: Iterable[Sentence]) -> dict[str, list[Sentence]]:
    """The sentences of each comment in reading order, in the order in which the comments were found."""
    comments: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        comments.setdefault(sentence.passage.comment_id, []).append(sentence)
    return {comment: sorted(members, key=lambda s: s.start) for comment, members in comments.items()}


def _with_context(members: list[Sentence], chosen: list[Sentence], query: Query) -> list[Sentence]:
    """Chosen sentences of one comment with the neighbours without which they would be unclear or unfair."""
    if chosen and members[0].passage.kind == "profile" and members[-1].end - members[0].start <= WHOLE_PROFILE:
        return members
    picked = {members.index(sentence) for sentence in chosen}
    length = sum(len(sentence.text) for sentence in chosen)

    def take(index: int, beside: int) -> bool:
        nonlocal length
        one, other = members[min(index, beside)], members[max(index, beside)]
        if index in picked or one.quoted != other.quoted or not _adjacent(one, other):
            return False
        if length + len(members[index].text) > LONGEST * (2 if query.wants_list else 1):
            return False
        picked.add(index)
        length += len(members[index].text)
        return True

    for index in sorted(picked):
        text = members[index].text
        if index and (_NEEDS_BEFORE.match(text) or _LEANS_BACK.match(text) or text[:1].islower()):
            take(index - 1, index)
        if index + 1 < len(members) and _TURNS.match(members[index + 1].text):
            take(index + 1, index)
        if _LEADS.search(text):
            for item in range(index + 1, min(len(members), index + 9)):
                if not _continues_list(members, index, item) or not (item in picked or take(item, item - 1)):
                    break
    last = max(picked, default=-1)
    if 0 <= last < len(members) - 1 and length < SHORT:
        follows = members[last + 1]
        if (follows.score > UNRELATED or members[last].replies_to) and length + len(follows.text) <= LENGTHENED:
            take(last + 1, last)
    for index in sorted(picked):
        if members[index].text.endswith("?") and index + 1 < len(members):
            take(index + 1, index)  # who asks so often answers
    for block in _code_blocks(members):
        if not picked.isdisjoint(block) and members[block[-1]].end - members[block[0]].start <= 2 * LONGEST:
            picked.update(block)
    return [members[index] for index in sorted(picked)]


def _code_blocks(sentences: Sequence[Sentence]) -> Iterator[range]:
    """Places of fenced code: each of its lines is a sentence, of which none means much alone."""
    opened, fence = 0, ""
    for index, sentence in enumerate(sentences):
        if fence and sentence.text == fence:
            yield range(opened, index + 1)
            fence = ""
        elif not fence and (found := re.match(r"`{3,}|~{3,}", sentence.text)):
            opened, fence = index, found.group()


def _continues_list(members: list[Sentence], lead: int, item: int) -> bool:
    """Whether a sentence belongs to the list that `lead` opens: items have markers, or each a line of its own."""
    if item == lead + 1:
        return True
    first, this = members[lead + 1].text, members[item].text
    return bool(_ITEM.match(first)) == bool(_ITEM.match(this)) and _own_line(members[item - 1], members[item])


def _own_line(before: Sentence, sentence: Sentence) -> bool:
    if before.passage is not sentence.passage:
        return True
    between = before.passage.text[before.end - before.passage.start : sentence.start - before.passage.start]
    return "\n" in between


def _adjacent(one: Sentence, other: Sentence) -> bool:
    """Whether nothing but white space stands between two sentences of a comment."""
    if one.passage.source != other.passage.source or not 0 <= other.start - one.end <= INDENTED:
        return False
    between = one.passage.text[one.end - one.passage.start : other.start - one.passage.start]
    return not between.strip()


# --- quotes -----------------------------------------------------------------------------------------------------------


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


def _quotes(picked: Sequence[Sentence]) -> list[Quote]:
    """One quote per voice; a run ends where a sentence is left out, the passage ends or the voice changes."""
    runs: list[list[Sentence]] = []
    for sentence in picked:
        last = runs[-1][-1] if runs else None
        joined = (
            last and last.passage is sentence.passage and last.quoted == sentence.quoted and _adjacent(last, sentence)
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


def _trimmed(run: list[Sentence]) -> list[Sentence]:
    """A run without lone list markers at its ends."""
    code = {index for block in _code_blocks(run) for index in block}
    words = [i for i, sentence in enumerate(run) if i in code or any(char.isalnum() for char in sentence.text)]
    return run[words[0] : words[-1] + 1] if words else []


def _ordered(query: Query, quotes: list[Quote], limit: int) -> list[Quote]:
    """The best by date if the course of time or the newest is asked for, else by author, whoever says the best thing first."""
    quotes.sort(key=lambda quote: (-quote.score, quote.passage.id))
    if query.by_time or query.newest or query.times:
        best = quotes[:limit]
        dated = [q for q in best if q.passage.posted_at]
        dated.sort(key=lambda q: q.passage.posted_at, reverse=query.newest and not query.by_time)
        return dated + [q for q in best if not q.passage.posted_at]
    place = {author: index for index, author in enumerate(query.authors if query.compare else ())}
    for quote in quotes:
        place.setdefault(quote.passage.byline, len(place))
    return sorted(quotes, key=lambda quote: place[quote.passage.byline])[:limit]


# --- wording ----------------------------------------------------------------------------------------------------------


def _written(
    query: Query, quotes: Sequence[Quote], rarity: Callable[[str], float], phrases: Phrases, *, unsure: bool
) -> Composed:
    if not quotes:
        return Composed("", ())
    parts = _preface(query, quotes, phrases) or ([phrases.say("unsure")] if unsure else [])
    subjects: set[str] = set()
    for number, quote in enumerate(quotes, 1):
        subject = _subject(query, quote, rarity)
        parts.append(_heading(query, quote, subject if subject.casefold() not in subjects else "", phrases))
        parts.append(_block(quote, number, phrases.say("gap")))
        subjects.add(subject.casefold())
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
        facts.append(phrases.say("profile"))
    if passage.posted_at:
        facts.append(f"{passage.posted_at:%Y-%m-%d}")
    if quote.quoted:
        facts.append(phrases.say("quoting"))
    facts += [phrases.say("replying", words=inert(_brief(sentence))) for sentence in quote.replies_to]
    if subject and not quote.replies_to:
        facts.append(phrases.say("on", subject=inert(subject)))
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
    for run in quote.runs:
        shown = _shown(run, gap)
        text = f"{_beside(text, '…')}\n\n{_beside('…', shown)}" if text else shown
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


def _subject(query: Query, quote: Quote, rarity: Callable[[str], float]) -> str:
    """The longest run of the question's own words in the quote, as the comment writes it; "" if it tells nothing."""
    wanted = {word for word in stems(query.topic) if rarity(word) > 0.3}
    best: list[str] = []
    for run in quote.runs:
        for sentence in run:
            current: list[str] = []
            for match in re.finditer(r"[^\W_]+(?:[-'’][^\W_]+)*|[^\w\s]", sentence.text):
                own = stems(match.group())
                if own and set(own) <= wanted:
                    current.append(match.group())
                    best = max(best, current.copy(), key=lambda words: (len(words), len("".join(words))))
                else:
                    current = []
    if not best or (len(best) == 1 and len(wanted) > 1):
        return ""
    lower = best[0].casefold()
    return " ".join([lower if lower in query.topic.split() else best[0], *best[1:]])


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
