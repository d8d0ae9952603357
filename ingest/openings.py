"""How paragraphs of comments open, and the words that tell their topic: the vocabulary of borders.py and unmarked_quotes.py."""

from __future__ import annotations

import re

from ingest.border_model import SEEN

HEAD = 240
"""Characters at the start of a line that are looked at."""


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

OPENINGS = {
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
REPLIES = ("thanks", "verdict", "asks")
"""Ways in which replies open."""

_WORD = re.compile(r"[^\W\d_][\w'’-]{2,}")
_STOP = frozenset(
    """the and that for with this are was were have has had not but you your they them their from what which who whom will would could
    should can may might must about into over under than then there here when where why how all any some more most much many other such only
    same very just also even still too because been being its it's i'm i've i'd don't doesn't isn't aren't wasn't didn't can't won't our ours out
    off one two like think thing things something really make makes made get gets got does did do done these those his her she him who's that's
    what's there's you're they're we're it’s i’m i’ve i’d don’t doesn’t isn’t that’s there’s you’re they’re we’re let’s say said see know want
    way lot bit kind sort good well yes people point seems seem case time first second""".split()
)


def opens_as(name: str, text: str) -> bool:
    """Whether a text begins in one of the ways of `OPENINGS`."""
    return OPENINGS[name].match(text[:HEAD]) is not None


def opens_reply(text: str) -> bool:
    """Whether a text begins as replies do: thanks, agreement, an interjection."""
    return any(OPENINGS[name].match(text[:HEAD]) for name in ("thanks", "verdict", "greets"))


def topic_words(text: str) -> frozenset[str]:
    """The words of a text that tell what it is about."""
    return frozenset(_stem(word) for word in _WORD.findall(text[:SEEN])) - _STOP


def _stem(word: str) -> str:
    word = word.casefold()
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
