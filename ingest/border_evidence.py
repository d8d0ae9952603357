"""Evidence for and against a border at each line of a dump: the features that borders.py weighs.

What stands on both sides of a line start (openers of replies, unfinished sentences and lists), how much the line has to
do with the comment so far (words and topic), how long the comment is already, and what a small network makes of the
lines around (see border_model.py).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ingest import border_model
from ingest.border_model import FIRST_SENTENCE, ME, SEEN, YOU, Network
from ingest.lines import Line
from ingest.openings import HEAD, OPENINGS, REPLIES, topic_words

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts -> unit vectors of shape (n, dim)."""

OLDEST = 24
"""Lines after which the age of a comment no longer counts."""
_TAIL = 120
"""Characters at the end of a line that are looked at."""

_BULLET = re.compile(r"[-–—•*·◦▪+]+(?:$|\s)|[-–—*_=]{2,}$")
_LONE_BULLET = re.compile(r"[-–—•*·◦▪+.=_]{1,60}$")
_POST = re.compile(
    r"""\b(?:(?:this|your|the|his|her|their|linked|original)\ (?:\w+\ )?(?:post|comment|article|paper|essay|write-?up|argument
    |thread|reply|proposal|draft|piece|sequence|title|author|op|quote|claim|result|experiment|dataset)s?|OP|writing\ this
    |posting\ this|write-?up)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_CLOSES = re.compile(
    r"""(?:thanks|thank\ you)(?:\ \w+){0,6}[.!)]*$ | ^\(.*\)$
    | ^\W*(?:edit|eta|p\.?s|update|anyway|anyhow|overall|finally|lastly|see\ also|in\ (?:any\ case|short|sum))\b
    | \b(?:hope\ (?:this|that|it)|let\ me\ know|looking\ forward|thoughts\?|what\ do\ you\ think
    |does\ (?:that|this)\ (?:make|seem|sound|answer)|i['’]d\ (?:love|be\ (?:very\ |really\ )?(?:interested|curious|glad|happy|keen))
    |would\ love|feel\ free|cheers)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_ENDS = re.compile(r"[.!?…][\"'”’)\]*_]*$|[:;]-?[)D(]$|\)$|[”\"]$")
_LABEL = re.compile(r"\b[A-Z][\w'’-]*[A-Z\d][\w-]*|\([A-Z0-9]\)|(?<=[a-z,;] )[A-Z][\w-]{2,}")

AT_LINE = (
    "bias", *OPENINGS, "you_early", "post_early", "lower", "parenthesis", "quotation", "bullet", "short", "length",
    "after_colon", "after_unfinished", "after_question", "after_closing", "after_bullet", "after_parenthesis",
    "after_short", "answers_itself", "second_item", "in_list", "same_start", "labels_shared", "next_shared",
    "gap_wider", "gap_missing", "next_similar", "context",
)  # fmt: skip
"""Features of a line start alone; "context" is the network's log-odds (see border_model.py)."""
IN_COMMENT = (
    "age_1", "age_2", "age_3", "age", "words", "answers", "answers_question", "greeted",
    "shared", "shared_short", "similar", "similar_short", "similar_first", "reply_shared", "stance_shared",
)  # fmt: skip
"""Features that depend on where the current comment began."""
FEATURES = (*AT_LINE, *IN_COMMENT)


@dataclass(frozen=True)
class Evidence:
    """What speaks for and against a border at each line."""

    at_line: np.ndarray
    """(lines, len(AT_LINE))"""
    in_comment: np.ndarray
    """(OLDEST + 1, lines, len(IN_COMMENT)), by how many lines earlier the current comment began; row 0 is unused."""
    has_topics: bool
    """Whether an embedding model was at hand."""

    @classmethod
    def empty(cls, lines: int, *, has_topics: bool = False) -> Evidence:
        """Tables to be filled in."""
        return cls(np.zeros((lines, len(AT_LINE))), np.zeros((OLDEST + 1, lines, len(IN_COMMENT))), has_topics)

    def log_odds(self, weights: np.ndarray) -> np.ndarray:
        """Log-odds of a border, (OLDEST + 1, lines), for weights in the order of `FEATURES`."""
        known = len(AT_LINE)
        return np.clip(self.at_line @ weights[:known] + self.in_comment @ weights[known:], -30.0, 30.0)


def evidence(lines: Sequence[Line], embed: Embed | None = None, network: Network | None = None) -> Evidence:
    """Gather the features of every line start; linear in the number of lines.

    Args:
        network: Reads the lines in order; by default the one that comes along.
    """
    found = Evidence.empty(len(lines), has_topics=embed is not None)
    if len(lines) > 1:
        bags, signs, vectors = _rules(lines, found, embed)
        if vectors is not None:
            _topics(lines, vectors, found.at_line, found.in_comment)
        network = network or border_model.load()
        found.at_line[:, _COLUMN["context"]] = network.log_odds(lines, bags, signs, vectors)
    return found


def network_inputs(lines: Sequence[Line], embed: Embed | None, phrases: border_model.PhraseWeights) -> np.ndarray:
    """What the network sees of these lines, for fitting it: (lines, inputs)."""
    bags, signs, vectors = _rules(lines, Evidence.empty(len(lines)), embed)
    return border_model.inputs(lines, bags, signs, vectors, phrases)


def _rules(
    lines: Sequence[Line], found: Evidence, embed: Embed | None
) -> tuple[list[frozenset[str]], np.ndarray, np.ndarray | None]:
    """Fill in all that needs neither embeddings nor the network.

    Returns:
        What the network is told: the words of each line; the rules' features, those of a comment as if it had begun one
        line above; and vectors of the lines.
    """
    at_line, in_comment = found.at_line, found.in_comment
    bags = [topic_words(line.text) for line in lines]
    _openings(lines, at_line)
    _surroundings(lines, at_line)
    _ages(lines, in_comment)
    _first_lines(lines, at_line, in_comment)
    _shared_words(lines, bags, at_line, in_comment)
    signs = np.hstack([at_line[:, : _COLUMN["next_similar"]], in_comment[1]])
    return bags, signs, None if embed is None else _vectors(lines, embed)


def _vectors(lines: Sequence[Line], embed: Embed) -> np.ndarray:
    # Lone surrogates are no text to a tokenizer.
    return np.asarray(
        embed([line.text[:SEEN].encode("utf-8", "replace").decode("utf-8") for line in lines]), dtype=np.float32
    )


def _fullness(lines: Sequence[Line]) -> np.ndarray:
    """How much a line's words tell about its topic, between 0 and 1."""
    return np.minimum(1.0, np.array([len(line.text) for line in lines]) / 160)


_COLUMN = {name: index for names in (AT_LINE, IN_COMMENT) for index, name in enumerate(names)}


def _openings(lines: Sequence[Line], table: np.ndarray) -> None:
    """What each line begins with."""
    heads = [line.text[:HEAD] for line in lines]
    lower_rate = sum(head[0].islower() for head in heads) / len(heads)
    for row, line, head in zip(table, lines, heads, strict=True):
        first = FIRST_SENTENCE.match(head).group()
        found = {name: pattern.match(head) is not None for name, pattern in OPENINGS.items()}
        found["bias"] = True
        found["you_early"] = YOU.search(first) is not None
        found["post_early"] = _POST.search(first) is not None
        found["parenthesis"] = head[0] == "("
        found["quotation"] = head[0] in '“"‘'
        found["bullet"] = _BULLET.match(head) is not None
        found["short"] = len(line.text) < 60
        for name, hit in found.items():
            row[_COLUMN[name]] = hit
        # Where somebody never uses capitals, a small letter says nothing.
        row[_COLUMN["lower"]] = head[0].islower() * (1.0 - lower_rate)
        row[_COLUMN["length"]] = math.log(len(line.text) + 1.0) - 5.0


def _surroundings(lines: Sequence[Line], table: np.ndarray) -> None:
    """How the line before ends, and how the two stand to each other."""
    tails = [line.text[-_TAIL:] for line in lines]
    unended = [_ENDS.search(tail) is None for tail in tails]
    ended_rate = 1.0 - sum(unended) / len(unended)
    gaps = Counter(line.blanks_before for line in lines[1:])
    usual_gap = min(gap for gap, times in gaps.items() if times >= 0.1 * len(lines) or times == max(gaps.values()))
    wider = sum(line.blanks_before > usual_gap for line in lines[1:])
    gaps_tell = wider >= 3 and wider >= 0.05 * len(lines) and usual_gap <= 1
    replies = [_COLUMN[name] for name in REPLIES]
    lead_in = -100
    for index in range(1, len(lines)):
        row, before, here, tail = table[index], lines[index - 1].text, lines[index].text, tails[index - 1]
        colon = tail[-1] == ":" or tail[-2:] in (":)", ":”", ':"')
        lone = _LONE_BULLET.match(before[:60]) is not None
        question = tail.rstrip(')”"')[-1:] == "?"
        if colon:
            lead_in = index
        row[_COLUMN["after_colon"]] = colon
        row[_COLUMN["after_bullet"]] = lone
        row[_COLUMN["after_unfinished"]] = (unended[index - 1] and not colon and not lone) * ended_rate**2
        row[_COLUMN["after_question"]] = question
        goes_on = row[_COLUMN["joins"]] or row[_COLUMN["refers"]] or here.startswith("Well")
        row[_COLUMN["answers_itself"]] = question and bool(goes_on)
        row[_COLUMN["after_closing"]] = _CLOSES.search(tail) is not None
        row[_COLUMN["after_parenthesis"]] = before[0] == "("
        row[_COLUMN["after_short"]] = len(before) < 60
        if row[replies].any():
            lead_in = -100
        row[_COLUMN["second_item"]] = index == lead_in + 1
        if lead_in + 1 < index <= lead_in + 10:
            row[_COLUMN["in_list"]] = math.exp(-(index - lead_in - 2) / 3)
        row[_COLUMN["same_start"]] = _same_start(before[:HEAD], here[:HEAD])
        row[_COLUMN["gap_wider"]] = gaps_tell and lines[index].blanks_before > usual_gap
        row[_COLUMN["gap_missing"]] = gaps_tell and lines[index].blanks_before <= usual_gap


def _same_start(before: str, here: str) -> float:
    """Neighbouring items of a list often begin alike."""
    one, two = before.split(maxsplit=1)[0], here.split(maxsplit=1)[0]
    if one.casefold() == two.casefold():
        return 0.0 if one == "I" else 1.0
    return 0.5 if one.endswith("ing") and two.endswith("ing") else 0.0


def _ages(lines: Sequence[Line], table: np.ndarray) -> None:
    """How long the comment is already, in lines and in words."""
    words = np.concatenate([[0], np.cumsum([len(line.text[:20_000].split()) for line in lines])])
    for age in range(1, OLDEST + 1):
        first = np.maximum(np.arange(len(lines)) - age, 0)
        if age <= 3:
            table[age, :, _COLUMN[f"age_{age}"]] = 1.0
        table[age, :, _COLUMN["age"]] = math.log(age)
        table[age, :, _COLUMN["words"]] = np.log1p(words[:-1] - words[first]) - 4.5


def _first_lines(lines: Sequence[Line], at_line: np.ndarray, in_comment: np.ndarray) -> None:
    """What the comment began with: words of somebody else ask for an answer, and nobody says thanks twice."""
    replies = at_line[:, [_COLUMN[name] for name in REPLIES]].any(axis=1)
    answers = (at_line[:, [_COLUMN[name] for name in (*REPLIES, "you_early", "points")]] > 0).any(axis=1)
    asked = np.array([line.text.endswith("?") for line in lines])
    others = np.array([ME.search(line.text[:SEEN]) is None for line in lines]) & (~replies | asked)
    for age in (1, 2):
        began = np.maximum(np.arange(len(lines)) - age, 0)
        in_comment[age, :, _COLUMN["greeted"]] = replies & replies[began]
    in_comment[1, 1:, _COLUMN["answers"]] = answers[1:] & others[:-1]
    verdicts = at_line[:, _COLUMN["verdict"]] > 0
    in_comment[1, 1:, _COLUMN["answers_question"]] = verdicts[1:] & others[:-1] & asked[:-1]


def _shared_words(
    lines: Sequence[Line], bags: Sequence[frozenset[str]], at_line: np.ndarray, in_comment: np.ndarray
) -> None:
    """How many of a line's words the comment so far has used, and how many the next two lines will use.

    Words weigh the more the rarer they are in this dump (Hearst 1997, TextTiling, with weights).
    """
    fullness = _fullness(lines)
    labels = [frozenset(_LABEL.findall(line.text[:SEEN])) for line in lines]
    seen_in = Counter(word for bag in bags for word in bag)
    weight = {word: math.log(1.0 + len(lines) / (1.0 + times)) for word, times in seen_in.items()}
    shared = np.zeros((OLDEST + 1, len(lines)))
    last: dict[str, int] = {}
    for index, bag in enumerate(bags):
        total = sum(weight[word] for word in bag) or 1.0
        for word in bag:
            age = index - last.get(word, -OLDEST)
            if age <= OLDEST and word in last:
                shared[age, index] += weight[word] / total
            last[word] = index
        following = frozenset().union(*bags[index + 1 : index + 3])
        at_line[index, _COLUMN["next_shared"]] = sum(weight[word] for word in bag & following) / total * fullness[index]
        at_line[index, _COLUMN["labels_shared"]] = index > 0 and bool(labels[index] & labels[index - 1])
    shared = np.cumsum(shared, axis=0)
    in_comment[:, :, _COLUMN["shared"]] = shared * fullness
    in_comment[:, :, _COLUMN["shared_short"]] = shared * (1.0 - fullness)
    replies = at_line[:, [_COLUMN[name] for name in REPLIES]].any(axis=1)
    in_comment[:, :, _COLUMN["reply_shared"]] = shared * replies
    in_comment[:, :, _COLUMN["stance_shared"]] = shared * at_line[:, _COLUMN["stance"]]


def _topics(lines: Sequence[Line], vectors: np.ndarray, at_line: np.ndarray, in_comment: np.ndarray) -> None:
    """How close a line is in meaning to the comment so far and to the next two lines.

    Measured from what is usual between lines that stand far apart, because some people write about one thing only.
    """
    fullness = _fullness(lines)
    count = len(lines)
    apart = [np.einsum("ij,ij->i", vectors[age:], vectors[:-age]) for age in range(1, min(OLDEST, count - 1) + 1)]
    distant = apart[5:] or apart[-1:]
    usual = float(np.mean(np.concatenate(distant)))
    closest = np.full(count, -1.0)
    for age in range(1, OLDEST + 1):
        here = np.full(count, -1.0)
        if age <= len(apart):
            here[age:] = apart[age - 1]
        closest = np.maximum(closest, here)
        in_comment[age, :, _COLUMN["similar"]] = (closest - usual) * fullness
        in_comment[age, :, _COLUMN["similar_short"]] = (closest - usual) * (1.0 - fullness)
        in_comment[age, :, _COLUMN["similar_first"]] = (here - usual) * fullness
    following = np.full(count, usual)
    following[:-1] = apart[0]
    if len(apart) > 1:
        following[:-2] = np.maximum(following[:-2], apart[1])
    at_line[:, _COLUMN["next_similar"]] = (following - usual) * fullness
