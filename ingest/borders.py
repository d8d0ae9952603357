"""Where one comment ends and the next begins: evidence at each line start, and the best split of the whole.

The lines of a dump are read in order, and at each one the question is: does a new comment begin here, given where the
current one began? The answer is a log-odds, the weighted sum of what stands on both sides of the line start (openers
of replies, unfinished sentences and lists), of how much the line has to do with the comment so far (words and topic),
of the comment's length, and of what a small network makes of the lines around (see border_model.py). The product of
these probabilities scores a whole split. Dynamic programming over the start of the current comment (forward-backward)
gives the probability of a border over all splits: a semi-Markov model with a hazard in place of a table of lengths.

Weights are fitted by tests/benchmarks/borders.py. Does not know what a profile page is (see segmentation.py).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ingest import border_model
from ingest.border_model import FIRST_SENTENCE, ME, SEEN, YOU, Network
from ingest.lines import Line

LINES_KEPT = 10_000
"""Lines of dumps whose vectors are remembered: some 15 MB."""
Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts -> unit vectors of shape (n, dim)."""

OLDEST = 24
"""Lines after which the age of a comment no longer counts."""

_HEAD, _TAIL = 240, 120  # characters at the start and end of a line that are looked at

# --- how lines open ---------------------------------------------------------------------------------------------------


def _opening(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\W{{0,3}}(?:{pattern})", re.IGNORECASE | re.VERBOSE)


_THANKS = r"""
    (?:many\ |lots\ of\ )?thanks\b(?!\ to\b) | thank\ you | thx\b | kudos\b | congrat | well\ (?:said|put|done)\b
    | (?:(?:very|really|super|an?|this\ is(?:\ an?)?(?:\ very|\ really)?|what\ an?|that['’]s(?:\ an?)?(?:\ very|\ really)?)\ )?
      (?:great|good|nice|excellent|lovely|wonderful|fantastic|useful|interesting|awesome|cool|neat|fascinating|helpful
        |beautiful)
      (?:\W|$|\ \w+[.!]|\ (?:post|point|question|catch|idea|work|write-?up|thread|comment|analysis|summary|stuff|job
        |paper|find|to\ (?:see|hear|read)))
    | (?:strong(?:ly)?|weak(?:ly)?|mild(?:ly)?)[- ](?:up|down|agree|disagree|endorse) | (?:up|down)voted | \+1\b
    | i\ (?:really\ |very\ much\ |quite\ |also\ )*(?:appreciate|like|liked|love|loved|enjoyed|admire)\b
    | (?:i['’]m\ |so\ )?(?:glad|sorry)\b | apologies\b | pleased\ to\b | happy\ to\b | props\b"""
_VERDICT = r"""
    (?:yes|yeah|yep|yup|nope|agreed|disagreed?|exactly|indeed|correct|true|right|sure|fair|absolutely|definitely|certainly
      |touch[ée]|ok|okay|not\ (?:quite|really|exactly|sure|necessarily|yet)|maybe|good\ point|quite\ so|same\ here|got\ it
      |makes\ sense|point\ taken|strong\ (?:dis)?agreement|fwiw|for\ what\ it['’]?s\ worth)\b
    | no\b(?=[,.!—–;:]|\ (?:i|that|it|we|problem|worries|idea)\b)
    | (?:h+m+|huh|ah+|oh|oops|whoops|wow|lol|ha(?:ha)*h?)\b
    | i\ (?:(?:mostly|generally|also|strongly|fully|basically|largely|totally|do|kind\ of|kinda|partly|certainly)\ )*
      (?:agree|disagree|concur|concede|endorse|reject|stand\ corrected|withdraw|remain|take\ back|object|doubt
        |see\ (?:what|your|why|the\ point))\b
    | (?:you(?:['’]re|\ are)|that(?:['’]s|\ is)|it(?:['’]s|\ is))\ (?:\w+\ )?
      (?:right|true|correct|fair|wrong|a\ (?:good|great|fair|nice)\ \w+|a\ (?:pity|shame))\b
    | (?:seems|sounds|looks)\ (?:right|good|plausible|like|to)\b"""
_ASKS = r"""
    (?:are|were|do|did|does|have|has|can|could|would|will|should|is|isn['’]t|aren['’]t|don['’]t|doesn['’]t|didn['’]t
      |couldn['’]t|wouldn['’]t|shouldn['’]t|what|why|how|which|who|when|where|any|anyone)\b[^.!]*\?
    | (?:can|could|may)\ (?:i|you|someone|anyone)\b | i(?:['’]m|\ am)\ (?:curious|confused|wondering|trying\ to\ understand)
    | i\ (?:wonder|was\ wondering)\b | (?:a\ )?(?:quick\ |dumb\ |small\ )?question\b | curious\b"""
_STANCE = r"""
    i(?:['’](?:m|d|ve|ll)|\ (?:am|was|have|had|would|think|thought|guess|suspect|feel|find|found|believe|want|expect|hope|mean
      |kinda|kind|mostly|basically|personally|read|get|worry|tried|used|ran|wrote|know|noticed|do\ not
      |don['’]t|didn['’]t|can['’]t))\b
    | my\ \w+ | in\ my\ (?:experience|view|opinion|mind) | (?:imo|imho|personally|for\ the\ record)\b
    | as\ (?:a|an|someone|one)\b | we(?:['’](?:ve|re)|\ (?:did|ran|saw|had|tried|use))\b | speaking\ (?:as|for)\b"""
_GREETS = r"""
    @\w | (?:hi|hey|hello|dear)\b
    | (?-i:(?!Yes|Yeah|Yep|Well|Also|Now|Still|Then|Here|However|Indeed|Sure|Right|Again)[A-Z]\w{2,}),[ ]
      (?:you|your|thanks|do|did|are|could)\b"""
_POINTS = r"""
    see\ (?:also|here|this|my)\b | related(?:ly)?[:,] | relevant\b | epistemic\ status | tl;?dr | fyi\b | typo\b
    | note\ that\b | note,
    | (?:some|a\ few|a\ couple(?:\ of)?|couple\ of|two|three|four|several)\ (?:\w+\ ){0,2}(?:notes|comments|thoughts
      |remarks|data\ points|observations|points|distinctions|questions|things|nits|corrections|bugs|worries|concerns)\b
    | (?:small|minor|quick|one|another)\ (?:correction|note|nit|clarification)\b
    | (?:with\ respect\ to|in\ regards?\ to|with\ regard\ to|in\ response\ to|in\ reply\ to|regarding|re:|as\ (?:to|for))
    | (?:from|in|on)\ (?:the|my|our|your)\ (?:perspective|post|paper|article|plan|model|field|lab|view|setup
      |object[- ]level|topic|subject)\b
    | your\b | as\ usual\b
    | you\ (?:ask|say|write|mention|might\ (?:be|want|like)|seem|claim|asked|said|wrote|may\ (?:be|want)|mean|point\ out
      |describe)\b"""
_JOINS = r"""
    (?:and|but|so|also|however|then|or|because|furthermore|moreover|finally|similarly|likewise|instead|still|yet|nor|hence
      |therefore|thus|conversely|overall|alternatively|additionally|besides|nevertheless|nonetheless|meanwhile|otherwise|plus
      |next|rather|specifically|importantly|crucially|lastly|ultimately|admittedly|granted|anyways?|again|of\ course
      |that\ said|having\ said|that\ being\ said|even\ (?:if|though|so|when|then)
      |in\ (?:particular|contrast|fact|other\ words|short|sum|any\ case|addition|both|either|each|practice)
      |on\ the\ (?:other|one|contrary)|for\ (?:example|instance|one)
      |more\ (?:generally|broadly|specifically|precisely|concretely|importantly)|at\ the\ same|at\ least
      |to\ (?:be|put|illustrate|take|give|see|make)|as\ (?:a\ result|such|above|before|an?\ (?:example|aside|alternative))
      |by\ (?:contrast|the\ way|comparison|analogy)|now|here['’]?s?|one\ (?:final|last|more|other|reply|could|way|of)|another
      |the\ (?:other|second|third|last|next|latter|former|same|fix|trick|point|trouble|problem|result|rest)|others?|both
      |neither|given\ (?:this|that)|under|outside|inside|what['’]?s\ more)\b"""
_SUPPOSES = r"""
    (?:if|when|while|once|after|until|unless|whereas|although|though|suppose|imagine|consider|say|let|since|there|most|some
      |one|all|each|every|none|nothing|broadly|perhaps|presumably|basically|unfortunately)\b"""
_COUNTS = r"""
    (?:first|second|third|fourth|fifth|firstly|secondly|thirdly|step|case|option|part)\b(?:ly)?[\ ,:]
    | \(?(?:\d{1,2}|[a-h]|i{1,3}|iv|v)[.):]\s"""
_ADDS = r"""
    (?:edit|edited|eta|update|updated|p\.?\ ?s|ps|added|addendum|footnote|n\.?b|caveat|disclaimer)\b | \[\d+\] | \^"""

_OPENINGS = {
    "thanks": _opening(_THANKS),
    "verdict": _opening(_VERDICT),
    "asks": _opening(_ASKS),
    "stance": _opening(_STANCE),
    "greets": _opening(_GREETS),
    "points": _opening(_POINTS),
    "joins": _opening(_JOINS),
    "supposes": _opening(_SUPPOSES),
    "refers": _opening(r"(?:this|that|these|those|it|its|they|their|them|he|she|his|her|such)\b"),
    "counts": _opening(_COUNTS),
    "adds": _opening(_ADDS),
}
_REPLIES = ("thanks", "verdict", "asks")

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

# --- words ------------------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W\d_][\w'’-]{2,}")
_LABEL = re.compile(r"\b[A-Z][\w'’-]*[A-Z\d][\w-]*|\([A-Z0-9]\)|(?<=[a-z,;] )[A-Z][\w-]{2,}")
_STOP = frozenset(
    """the and that for with this are was were have has had not but you your they them their from what which who whom will would could
    should can may might must about into over under than then there here when where why how all any some more most much many other such only
    same very just also even still too because been being its it's i'm i've i'd don't doesn't isn't aren't wasn't didn't can't won't our ours out
    off one two like think thing things something really make makes made get gets got does did do done these those his her she him who's that's
    what's there's you're they're we're it’s i’m i’ve i’d don’t doesn’t isn’t that’s there’s you’re they’re we’re let’s say said see know want
    way lot bit kind sort good well yes people point seems seem case time first second""".split()
)

# --- features ---------------------------------------------------------------------------------------------------------

AT_LINE = (
    "bias", *_OPENINGS, "you_early", "post_early", "lower", "parenthesis", "quotation", "bullet", "short", "length",
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
TOPIC_FEATURES = frozenset({"next_similar", "similar", "similar_short", "similar_first"})
"""Those that need an embedding model."""


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


class LineVectors:
    """Embeds lines, each once: a dump is split again where another proves its borders, and snapshots share lines.

    Args:
        embed: The model: texts to vectors, shape (texts, dimension).
        most: Vectors that are remembered before they are forgotten and begun anew.
    """

    def __init__(self, embed: Embed, most: int = LINES_KEPT) -> None:
        self._embed, self._most = embed, most
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if len(self._known) > self._most:
            self._known.clear()
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known.update(zip(new, self._embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


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
    heads = [line.text[:_HEAD] for line in lines]
    lower_rate = sum(head[0].islower() for head in heads) / len(heads)
    for row, line, head in zip(table, lines, heads, strict=True):
        first = FIRST_SENTENCE.match(head).group()
        found = {name: pattern.match(head) is not None for name, pattern in _OPENINGS.items()}
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
    replies = [_COLUMN[name] for name in _REPLIES]
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
        row[_COLUMN["same_start"]] = _same_start(before[:_HEAD], here[:_HEAD])
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
    replies = at_line[:, [_COLUMN[name] for name in _REPLIES]].any(axis=1)
    answers = (at_line[:, [_COLUMN[name] for name in (*_REPLIES, "you_early", "points")]] > 0).any(axis=1)
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
    replies = at_line[:, [_COLUMN[name] for name in _REPLIES]].any(axis=1)
    in_comment[:, :, _COLUMN["reply_shared"]] = shared * replies
    in_comment[:, :, _COLUMN["stance_shared"]] = shared * at_line[:, _COLUMN["stance"]]


def _stem(word: str) -> str:
    word = word.casefold()
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


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


# --- the best split ---------------------------------------------------------------------------------------------------


WINDOW, OVERLAP = 4_000, 60
"""Lines that are looked at together, and how many of those before and after them come along."""


def find_starts(
    lines: Sequence[Line],
    embed: Embed | None = None,
    certain: Collection[int] = (),
    *,
    barred: Collection[int] = (),
    complete: bool = False,
) -> tuple[list[int], np.ndarray]:
    """Gather the evidence and split; long dumps window by window, in bounded memory.

    Args:
        lines: Paragraphs of comments, in order.
        certain: Indices of lines that begin a comment whatever the evidence says.
        barred: Indices of lines that do not.
        complete: Whether `certain` are very likely all.

    Returns:
        Indices of the lines at which a comment begins, the first line among them, and (lines,) how probable a border
        is at each.
    """
    probability = np.ones(len(lines))
    for first in range(0, len(lines), WINDOW):
        low, high = max(0, first - OVERLAP), min(len(lines), first + WINDOW + OVERLAP)
        inside = {0} | {index - low for index in certain if low <= index < high}
        outside = {index - low for index in barred if low <= index < high} - inside
        window = best_split(evidence(lines[low:high], embed), inside, outside, complete=complete)
        probability[first : first + WINDOW] = window[first - low : first - low + WINDOW]
    return [index for index, value in enumerate(probability) if index == 0 or value > THRESHOLD], probability


def best_split(
    found: Evidence, certain: Collection[int] = (), barred: Collection[int] = (), *, complete: bool = False
) -> np.ndarray:
    """How probable a border is at each line, over all splits: shape (lines,).

    Setting a border wherever this is high agrees best with all splits, each weighed by its probability. The single most
    probable split does worse: where two places compete for one border, it may give up both.
    """
    weights = np.array([WEIGHTS[name][0 if found.has_topics else 1] for name in FEATURES])
    log_odds = found.log_odds(weights) - (_COMPLETE if complete else 0.0)
    log_odds[:, sorted(certain)] = 30.0
    log_odds[:, sorted(barred)] = -30.0
    return posterior(log_odds)


def posterior(log_odds: np.ndarray) -> np.ndarray:
    """Probability of a border at each line, over all splits: forward-backward with the comment's age as state.

    Args:
        log_odds: (OLDEST + 1, lines), by how many lines earlier the current comment began, as from `Evidence.log_odds`.
    """
    count = log_odds.shape[1]
    probability = np.ones(count)
    yes, no = -np.logaddexp(0, -log_odds), -np.logaddexp(0, log_odds)
    forward = np.full((count + 1, OLDEST + 1), -np.inf)
    forward[1:2, 1] = 0.0
    for index in range(1, count):
        stays = forward[index] + no[:, index]
        forward[index + 1, 2:] = stays[1:-1]
        forward[index + 1, -1] = np.logaddexp(stays[-2], stays[-1])
        forward[index + 1, 1] = np.logaddexp.reduce(forward[index] + yes[:, index])
    backward = np.zeros(OLDEST + 1)
    total = np.logaddexp.reduce(forward[count])
    for index in range(count - 1, 0, -1):
        ends = yes[:, index] + backward[1]
        probability[index] = np.exp(min(0.0, np.logaddexp.reduce(forward[index] + ends) - total))
        backward = np.logaddexp(ends, no[:, index] + np.append(backward[1:], backward[-1]))
    return probability


def opens_as(name: str, text: str) -> bool:
    """Whether a text begins in one of the ways of `_OPENINGS`."""
    return _OPENINGS[name].match(text[:_HEAD]) is not None


def topic_words(text: str) -> frozenset[str]:
    """The words of a text that tell what it is about."""
    return frozenset(_stem(word) for word in _WORD.findall(text[:SEEN])) - _STOP


def opens_reply(text: str) -> bool:
    """Whether a text begins as replies do: thanks, agreement, an interjection."""
    return any(_OPENINGS[name].match(text[:_HEAD]) for name in ("thanks", "verdict", "greets"))


# --- weights ----------------------------------------------------------------------------------------------------------

_COMPLETE = 6.0
"""Log-odds against any further border where the page marks each comment."""
THRESHOLD = 0.5
"""Posterior from which on a border is set."""

WEIGHTS: dict[str, tuple[float, float]] = {
    "bias": (0.14, 0.11),
    "thanks": (0.68, 0.58),
    "verdict": (0.65, 0.55),
    "asks": (0.56, 0.57),
    "stance": (0.04, 0.08),
    "greets": (0.18, 0.22),
    "points": (0.81, 0.83),
    "joins": (-0.33, -0.3),
    "supposes": (-0.31, -0.25),
    "refers": (0.02, 0.04),
    "counts": (-0.85, -0.77),
    "adds": (-0.23, 0.01),
    "you_early": (-0.08, -0.01),
    "post_early": (0.07, 0.24),
    "lower": (0.17, 0.11),
    "parenthesis": (-0.2, -0.11),
    "quotation": (0.79, 0.58),
    "bullet": (-0.67, -0.36),
    "short": (0.01, 0.01),
    "length": (0.12, 0.1),
    "after_colon": (-0.25, -0.15),
    "after_unfinished": (-0.31, -0.35),
    "after_question": (0.09, -0.04),
    "after_closing": (0.34, 0.35),
    "after_bullet": (-2.71, -2.59),
    "after_parenthesis": (-0.06, -0.18),
    "after_short": (0.1, 0.12),
    "answers_itself": (0.36, 0.53),
    "second_item": (-0.05, -0.12),
    "in_list": (0.09, -0.01),
    "same_start": (-0.39, -0.39),
    "labels_shared": (0.31, -0.18),
    "next_shared": (0.06, 1.41),
    "gap_wider": (3.47, 3.29),
    "gap_missing": (-2.95, -2.8),
    "next_similar": (0.63, 0.0),
    "context": (0.83, 0.89),
    "age_1": (-0.16, -0.23),
    "age_2": (0.14, 0.06),
    "age_3": (0.28, 0.24),
    "age": (-0.12, -0.03),
    "words": (0.18, 0.2),
    "answers": (-0.2, -0.1),
    "answers_question": (-1.55, -1.96),
    "greeted": (0.44, 0.55),
    "shared": (-1.26, -3.94),
    "shared_short": (0.77, 0.47),
    "similar": (-0.57, 0.0),
    "similar_short": (-1.24, 0.0),
    "similar_first": (-0.63, 0.0),
    "reply_shared": (-0.32, -0.37),
    "stance_shared": (0.19, 0.24),
}
"""Of each feature: with an embedding model, and without. Fitted by tests/benchmarks/borders.py, like border_model.npz, on
1,171 dumps made from 16,272 comments of 774 people (a forum, two subreddits, the issues of five drafts, a chat) and on
125 made from the invented comments in gold/; no dump whose borders a person has read was used."""
