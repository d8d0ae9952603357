"""Choose the sentences that answer a question, and the context needed to understand them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rag.index.lexical import stems
from rag.question.form import asks_for_view, asks_who
from rag.question.query import Query, by_date_alone, timeless
from rag.retrieval.literal import tells_of_change
from rag.retrieval.relevance import Sentence
from rag.retrieval.threads import topic_share

FLOOR = 0.05
RELATIVE = 0.15
"""A sentence is quoted if its probability of bearing on the question is above FLOOR and RELATIVE of the best one's."""
SENTENCES, SENTENCES_IN_TIME, SENTENCES_IN_LIST = 5, 7, 24
"""Most sentences chosen: in a single answer; where a course of time, or a list, is asked for. Those beside them are not counted."""
OF_EACH = 3
"""Most of them of each comment where time is asked for."""
LONGEST = 700
"""Characters up to which a quote is lengthened by the sentences around it."""
SHORT, LENGTHENED = 300, 600
"""A quote shorter than SHORT characters gets the next sentence, if both fit into LENGTHENED: a title or an opening says little."""
TAKEN_BACK = 200
"""Characters beyond all limits for what a sentence leans on, and for what follows and takes something back."""
MOST_ITEMS = 8
"""Of a list below a sentence."""
INDENTED = 40
"""Most white space between two sentences that follow each other, as between two lines of code."""
UNRELATED = 0.01
"""Probability up to which a sentence has nothing to do with the question."""
REPLY = 0.9
"""What a reply to quoted words counts of their score: it speaks of the same, and need not say what that is."""
ON_IT = 0.4
"""Share of the topic's words, by rarity, that stand in a comment that takes something back."""
STRAY = 3
"""Most words of a line that is only a part of a sentence."""
WHOLE_PROFILE = 400
"""A profile of at most so many characters is quoted whole: its sentences say little by themselves."""

_NEEDS_BEFORE = re.compile(
    r"\W*(?:but|and|so|or|yet|nor|however|also|because|then|therefore|thus|hence|instead|otherwise|moreover|furthermore|this|that|these"
    r"|those|it|its|they|their|them|he|she|his|her|which|such|the (?:latter|former|others?|same|second|third)|both|neither|in (?:that|this|which) case"
    r"|for (?:example|instance)|e\.g|i\.e|as a result|similarly|likewise)\b",
    re.IGNORECASE,
)
_LEANS_BACK = re.compile(r"\W*(?:I|we|you)\s+(?:\w+\s+){0,3}?(?:it|this|these|those|they|them)\b")
"""Speaks of something that was named before."""
_TURNS = re.compile(
    r"\W*(?:(?:but|however|though|although|yet|still|that said|nevertheless|nonetheless|on the other hand|unless|except)\b"
    r"|(?:(?:it|this|that|they|I) (?:is|was|are|were|am|do|does|did|has|have)(?:n['’]t| not| no longer| wrong| false| mistaken| nonsense)|no|not any ?more|no longer)"
    r"\b[^.!?,]{0,15}[.!])",
    re.IGNORECASE,
)
"""What follows takes something back: leaving it out would misquote."""
_LEADS = re.compile(
    r"(?::|\b(?:because of|such as|as follows|the following|examples?|these))\s*$|:\s*[^.:]{0,40}$",
    re.IGNORECASE,
)
_COUNTS = re.compile(r"\W*(two|three|four|five|six|seven|several|some)\s[^.:!?]{2,100}[.:]$", re.IGNORECASE)
"""Opens a list, too: "Three rules, from ten years of baking." """
_NUMBERS = dict(zip("two three four five six seven".split(), range(2, 8), strict=True))
# "Examples:", on the line of a chosen sentence, and the end of a sentence that the next line does not go on with.
_SHORT_LEAD = re.compile(r"[^.!?]{1,40}:")
_ENDED = re.compile(r"[.!?:;…)\]\"'”’*_`]\s*$")
_INTRODUCES = re.compile(r"(?<!wrote)(?<!writes)(?<!said)(?<!says):\s*$")
"""Leads to a quotation, and tells more than whose it is."""
_ITEM = re.compile(r"\s*(?:[-–—*•+]\s|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s)")
_LONE_MARKERS = re.compile(r"\s*(?:[-–—*•+]\s+)*")
_URL = re.compile(r"\W*(?:https?://|www\.)\S+\W*")


def with_replies(members: list[Sentence]) -> list[Sentence]:
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


def with_what_was_taken_back(
    query: Query, sentences: Sequence[Sentence], rarity: Callable[[str], float]
) -> list[Sentence]:
    """The sentences, where somebody takes something back nearly as much counting as what they said on it before.

    To quote an opinion without what its author wrote of it later would misquote. "I must correct myself" looks like no question,
    and what it is about may only stand in the title; but under that stands much else than views.
    """
    weights = {stem: rarity(stem) for stem in stems(query.topic)}
    view = asks_for_view(query.text)
    found = list(sentences)
    for place, later in enumerate(sentences if query.authors else ()):
        passage = later.passage
        if later.quoted or not passage.posted_at or not passage.author or not tells_of_change(later.text):
            continue
        if topic_share(f"{passage.title}\n{passage.text}" if view and passage.title else passage.text, weights) < ON_IT:
            continue
        before = [
            s.score
            for s in sentences
            if s.passage.author == passage.author and s.passage.posted_at and s.passage.posted_at < passage.posted_at
        ]
        least = REPLY * max(before, default=0.0)
        for beside in range(place, min(place + 2, len(found))):  # what is so now stands behind it
            if found[beside].passage is passage and not found[beside].quoted:
                found[beside] = replace(found[beside], score=max(found[beside].score, least))
    return found


def preferred(query: Query, sentences: Sequence[Sentence]) -> list[Sentence]:
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


def choose(query: Query, sentences: Sequence[Sentence]) -> list[Sentence]:
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
    if query.by_time:
        # What was said before matters as much as what is said of the change.
        return _best(_few_of_each(ranked), SENTENCES_IN_TIME, RELATIVE / 3)
    if query.ranked and all(s.passage.karma is not None for s in sentences):
        rated = _by_karma(query, sentences)
        first = [s for s in rated if s.passage.comment_id == rated[0].passage.comment_id]
        return [*_whole(query, first), *_few_of_each(s for s in rated if s not in first)][: len(first) + SENTENCES]
    if query.newest or query.oldest or by_date_alone(query):
        near = [s for s in ranked if _on_topic(query, s) or s.score >= max(FLOOR, RELATIVE * ranked[0].score)]
        in_time = _by_date(near, query.newest)
        first = [s for s in sentences if s.passage.comment_id == in_time[0].passage.comment_id and not s.quoted]
        return [*_whole(query, first), *_few_of_each(s for s in in_time if s not in first)][: len(first) + SENTENCES]
    return _best(ranked, SENTENCES_IN_LIST if query.wants_list else SENTENCES, of_each=asks_who(query.text))


def _on_topic(query: Query, sentence: Sentence) -> bool:
    """Whether a sentence has all words of the topic; where there is none, any sentence does."""
    return sentence.stems.issuperset(stems(query.topic))


def with_each_author(sentences: Sequence[Sentence], chosen: Sequence[Sentence], most: int) -> list[Sentence]:
    """The best sentence of each author, their own words if there are any, and as much of what was chosen as there is room for."""
    best: dict[str, Sentence] = {}
    for sentence in sorted(sentences, key=lambda s: (bool(s.quoted), -s.score, s.passage.id, s.start)):
        best.setdefault(sentence.passage.byline, sentence)
    room = min(most, max(len(best), len(chosen)))
    return [*best.values(), *(sentence for sentence in chosen if sentence not in best.values())][:room]


def _by_karma(query: Query, sentences: Sequence[Sentence]) -> list[Sentence]:
    """Sentences by the karma of their comments, those of one comment in reading order; equal ones as they were found."""
    sign = -1 if query.ranked == "highest" else 1
    own = [s for s in sentences if not s.quoted] or list(sentences)
    return sorted(own, key=lambda s: sign * (s.passage.karma or 0.0))


def _by_date(sentences: Sequence[Sentence], newest: bool) -> list[Sentence]:
    """Sentences by the date of their comments, the best of each first; at last those without a date, in their order."""
    dated = [s for s in sentences if s.passage.posted_at]
    dated.sort(key=lambda s: s.passage.posted_at, reverse=newest)
    return dated + [s for s in sentences if not s.passage.posted_at]


def _few_of_each(ranked: Iterable[Sentence]) -> list[Sentence]:
    """The first sentences of each comment, so that one time does not crowd out the others."""
    taken: Counter[str] = Counter()
    kept = []
    for sentence in ranked:
        taken[sentence.passage.comment_id] += 1
        if taken[sentence.passage.comment_id] <= OF_EACH:
            kept.append(sentence)
    return kept


def whole_replies(query: Query, comments: Iterable[Sequence[Sentence]]) -> list[Sentence]:
    """What replies say themselves, whole: they need not name what they speak of. Of a long one, what bears on the question."""
    chosen: list[Sentence] = []
    for members in comments:
        chosen += _whole(query, [s for s in members if not s.quoted])
    return chosen


def _whole(query: Query, members: Sequence[Sentence]) -> Sequence[Sentence]:
    """A comment whole, or what bears on the question if it is long."""
    plain = timeless(replace(query, compare=False, newest=False, oldest=False, ranked=""))
    return members if sum(len(s.text) for s in members) <= LONGEST else choose(plain, members)


def _best(
    ranked: Sequence[Sentence], most: int, relative: float = RELATIVE, *, of_each: bool = False
) -> list[Sentence]:
    """The best sentences, none in the words of one before, unless it is asked who says so and two people do."""
    chosen: list[Sentence] = []
    for sentence in ranked:
        if len(chosen) >= most or (chosen and sentence.score < max(FLOOR, relative * ranked[0].score)):
            break
        others = [one for one in chosen if not (of_each and sentence.passage.is_by_another(one.passage))]
        if not any(_same_words(sentence, other) for other in others):
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


def by_comment(sentences: Iterable[Sentence]) -> dict[str, list[Sentence]]:
    """The sentences of each comment in reading order, in the order in which the comments were found."""
    comments: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        comments.setdefault(sentence.passage.comment_id, []).append(sentence)
    return {comment: sorted(members, key=lambda s: s.start) for comment, members in comments.items()}


def with_context(members: list[Sentence], chosen: list[Sentence], query: Query) -> list[Sentence]:
    """Chosen sentences of one comment with the neighbours without which they would be unclear or unfair."""
    if chosen and members[0].passage.kind == "profile" and members[-1].end - members[0].start <= WHOLE_PROFILE:
        return members
    picked = _Picked(members, chosen, LONGEST * (2 if query.wants_list else 1))
    picked.add_what_they_lean_on()
    picked.lengthen()
    picked.add_what_follows_questions()
    picked.complete_code()
    return [members[index] for index in sorted(picked.places)]


class _Picked:
    """Which sentences of a comment are quoted, and how many characters they are."""

    def __init__(self, members: list[Sentence], chosen: list[Sentence], most: int) -> None:
        self.members, self.most = members, most
        self.places = {members.index(sentence) for sentence in chosen}
        self.length = sum(len(sentence.text) for sentence in chosen)

    def add_what_they_lean_on(self) -> None:
        """What stands before "but" or "it", what follows and takes something back, the list that a sentence opens."""
        for index in sorted(self.places):
            text = self.members[index].text
            if index and (_NEEDS_BEFORE.match(text) or _LEANS_BACK.match(text) or text[:1].islower()):
                self._take(index - 1, index, self.most + TAKEN_BACK)
                if index > 1 and self._is_stray(index - 1):
                    self._take(index - 2, index - 1, self.most + TAKEN_BACK)
            if index + 1 == len(self.members):
                continue
            follows = self.members[index + 1].text
            if _TURNS.match(follows):
                self._take(index + 1, index, self.most + TAKEN_BACK)
            elif follows[:1].islower() and not _ENDED.search(text):
                self._take(index + 1, index)
            if _LEADS.search(text) or _COUNTS.match(text) or _runs_on(self.members, index + 1):
                self._take_list(index)
            elif _SHORT_LEAD.fullmatch(follows) and not _lines_down(self.members, index + 1):
                self._take(index + 1, index)
                self._take_list(index + 1)

    def lengthen(self) -> None:
        """A short quote takes in the next sentence, unless that is about something else."""
        last = max(self.places, default=-1)
        if not 0 <= last < len(self.members) - 1 or self.length >= SHORT:
            return
        follows = self.members[last + 1]
        if follows.score > UNRELATED or self.members[last].replies_to:
            self._take(last + 1, last, LENGTHENED)

    def add_what_follows_questions(self) -> None:
        """Who asks so often answers."""
        for index in sorted(self.places):
            if self.members[index].text.endswith("?") and index + 1 < len(self.members):
                self._take(index + 1, index)

    def complete_code(self) -> None:
        for block in code_blocks(self.members):
            length = self.members[block[-1]].end - self.members[block[0]].start
            if not self.places.isdisjoint(block) and length <= 2 * LONGEST:
                self.places.update(block)

    def _is_stray(self, index: int) -> bool:
        """Whether a line is but a word or two of a sentence that goes on above: a link or a button once stood there."""
        above, text = self.members[index - 1].text, self.members[index].text
        return len(text.split()) <= STRAY and not _ENDED.search(text) and not _ENDED.search(above)

    def _take_list(self, lead: int) -> None:
        """The items below a sentence, each whole: what follows on the line of an item belongs to it."""
        for place in list_below(self.members, lead):
            if place not in self.places and not self._take(place, place - 1):
                return

    def _take(self, index: int, beside: int, most: int | None = None) -> bool:
        """Add a sentence if it is in the same voice as its neighbour, directly beside it, and not too long."""
        one, other = self.members[min(index, beside)], self.members[max(index, beside)]
        if index in self.places or one.quoted != other.quoted or not adjacent(one, other):
            return False
        length = self.length + len(self.members[index].text)
        if length > (most or self.most):
            return False
        self.places.add(index)
        self.length = length
        return True


def code_blocks(sentences: Sequence[Sentence]) -> Iterator[range]:
    """Places of fenced code: each of its lines is a sentence, of which none means much alone."""
    opened, fence = 0, ""
    for index, sentence in enumerate(sentences):
        if fence and sentence.text == fence:
            yield range(opened, index + 1)
            fence = ""
        elif not fence and (found := re.match(r"`{3,}|~{3,}", sentence.text)):
            opened, fence = index, found.group()


def list_below(members: Sequence[Sentence], lead: int) -> range:
    """Places of the sentences of the list that `lead` opens.

    Its items have markers, or each a line of its own, all as far apart. What follows on the line of an item belongs to it.
    """
    first = lead + 1
    if first == len(members) or not _lines_down(members, first):
        last = first
        while last < len(members) and _runs_on(members, last):
            last += 1
        return range(first, max(last, min(first + 1, len(members))))
    starts = [place for place in range(first, len(members)) if _lines_down(members, place)]
    counted = _COUNTS.match(members[lead].text)
    most = _NUMBERS.get(counted[1].lower(), MOST_ITEMS) if counted else MOST_ITEMS
    marked = [bool(_ITEM.match(members[place].text)) for place in starts]
    for number, place in enumerate(starts):
        apart = number > 1 and not marked[0] and _lines_down(members, place) != _lines_down(members, starts[1])
        if number == most or marked[number] != marked[0] or apart:
            return range(first, place)
    return range(first, len(members))


def _runs_on(members: Sequence[Sentence], place: int) -> bool:
    """Whether a sentence is an item on the line of the one before: "Three things. (a) This. (b) That."."""
    return bool(_ITEM.match(members[place].text)) and not _lines_down(members, place)


def _lines_down(members: Sequence[Sentence], place: int) -> int:
    """How many lines below the one before a sentence begins; between two passages every sign of white space counts as one."""
    before, this = members[place - 1], members[place]
    return _between(before, this).count("\n") if before.passage is this.passage else max(1, this.start - before.end)


def adjacent(one: Sentence, other: Sentence) -> bool:
    """Whether nothing but white space stands between two sentences of a comment."""
    if one.passage.source != other.passage.source or not 0 <= other.start - one.end <= INDENTED:
        return False
    return not _between(one, other).strip()


def left_out(one: Sentence, other: Sentence) -> bool:
    """Whether words stand between two sentences of a comment: more than white space and the mark of a list."""
    if one.passage is not other.passage:
        return not adjacent(one, other)
    return not _LONE_MARKERS.fullmatch(_between(one, other))


def _between(one: Sentence, other: Sentence) -> str:
    """What stands between two sentences of a comment, as far as the passage of the first one goes."""
    return one.passage.text[one.end - one.passage.start : other.start - one.passage.start]
