"""What a question leaves out that only the conversation tells: people, a topic, or nothing."""

from __future__ import annotations

import re
from typing import Literal

from rag.language.english import FUNCTION_WORDS
from rag.question.form import asks_anybody
from rag.question.names import words
from rag.question.query import Query, by_date_alone
from rag.question.references import PEOPLE, PERSON, is_dependent, refers_back
from rag.question.speech import AUXILIARY_VERB, SAYING, WH

_LEAD = re.compile(
    rf"^\W*(?:(?:and|but|so|also|or|then|plus)\b[\s,.:;!]*"
    rf"|(?:ok(?:ay)?|yes|well|hm+|right|sure|thanks|thank you|great)\b(?:\s*[,.:;!]\s*|\s+(?=(?:and|but|so|{WH}|{AUXILIARY_VERB})\b)))+",
    re.I,
)
_CORRECTION = re.compile(
    r"^\W*(?:(?:no|nope|sorry|oops|wait|actually)\b[\s,.:;!–—-]*)*i\s+meant?\b(?:\s+to\s+(?:ask|say)\b)?(?:\s+about\b)?[\s,:]*|^\W*(?:no|nope|sorry|oops|actually)\s*[,.:;!–—-]\s*",
    re.I,
)
_RATHER_THAN = re.compile(
    r"^\W*not\s+[^,;:.?!–—]*?(?:[,;:–—]|\s-\s|\bbut\b)\s*(?:(?:but|rather|i\s+meant?)\b\s*)?(?=\w)", re.I
)
""" "Not rye, wheat": what comes first is what is not meant."""
_INSTEAD_OF = re.compile(r"(?:,|\s[–—-])\s*not\b[^,;.?!]*(?=[.?!]*$)", re.I)
_ABOUT = re.compile(
    r"^\W*(?:(?:what|how)\s+about\b|(?:tell\s+me\s+|say\s+)?(?:(?:some|a\s+(?:bit|little))\s+)?more\s+(?:about|on)\b"
    r"|(?:any|some)thing\s+(?:else\s+)?(?:about|on)\b|(?:(?:please|now)\s+)*(?:(?:do|repeat|ask)\s+)?(?:the\s+)?same(?:\s+(?:question|thing))?\s*,?\s*(?:but\s+)?(?:for|about|with|of|on)\b"
    r"|(?:(?:let['’]?s\s+)?(?:go|going|get)\s+)?back\s+to\b|return(?:ing)?\s+to\b"
    rf"|(?:about|on)\b(?!\s+{WH}\b))\s*",
    re.I,
)
_SENTENCE = re.compile(
    rf"^\W*(?:(?:(?:in|at|on|for|with|from|to|by|of|under|about|since)\s+)?{WH}(?!\s+if\b)|(?:who|what|where|how)['’]s|{AUXILIARY_VERB}|i|we|you"
    r"|tell|list|name|give|show|find|quote|compare|summari[sz]e|explain|describe|according)\b",
    re.I,
)
_NO_VERB = re.compile(
    rf"^\W*(?:\w+\s+)?(?:what|which|when|where|why|how)\b(?!['’])(?!.*\b{AUXILIARY_VERB}\b)"
    r"(?!\s+(?:many|much)\s+\w+\s+(?!(?:in|at|for|with|without|per|of|on|under|after|before)\b)\w+\s+\w"
    r"|\s+\w+(?:s|ed)\s+\w|(?<=which)\s+\w+\s+\w+(?:s|ed)\s+\w)",
    re.I,
)
""" "How long in winter?", but not "what causes rust in boilers?"."""
_CIRCUMSTANCE = re.compile(
    r"^\W*(?:what\s+if|in|at|for|with|without|during|if|when|while|after|before|under|by|from|to|near|as|than|because|since|until|despite"
    r"|on\s+\w+days?)\b",
    re.I,
)
_INTRODUCED = re.compile(
    r"^\W*who(?:['’]s|\s+(?:is|was))\b|\b(?:profile|bio|biography)\b|^\W*tell\s+me\b.*\babout\b", re.I
)
_THEY_SAY = re.compile(
    r"\bthey\s+(?:\w+ly\s+|still\s+|also\s+|ever\s+)?(\w+)|\btheirs?\s+(?:view|opinion|position|stance|argument|comment|take)",
    re.I,
)
_EACH_OTHER = re.compile(r"\b(?:each other|one another|both|the two|all (?:of them|three|four|five))\b", re.I)
_WITH_TOPIC = re.compile(
    r"\b(?:about|on|of|regarding|concerning)\s+(?!(?:it|this|that|these|those|them|the\s+(?:two|three|four))\b)\w", re.I
)
_ANYBODY = re.compile(
    r"\b(?:any|some|every|no)(?:one|body)\b|\bothers\b|\bother\s+(?:people|commenters|authors|users|views?|opinions?)\b"
    r"|^\W*(?:any|(?:what|which)\s+(?:are|were)\s+the)\s+(?:objections?|disagreements?|repl(?:y|ies)|responses?|criticisms?)\b",
    re.I,
)
_ASSENT = re.compile(
    r"^\W*(?:yes|yeah|yep|sure|ok(?:ay)?|please|go on|continue|go ahead|do(?: so)?|more|tell me more)(?:\s+please)?\W*$",
    re.I,
)
_MANNER = re.compile(
    r"^\W*(?:(?:please|now|can|could|would|you|i|need|want|give|tell|say|make|put|explain|me|it|that|this|a|an|the|answer|again)\s+)*"
    r"(?:(?:much|even|a\s+(?:bit|little)|a)?\s*(?:shorter|briefer|longer|simpler|clearer|short|brief|simple|long)(?:\s+(?:answer|version|summary))?"
    r"|(?:summary|gist|recap|tl\W?dr|key\s+points|main\s+points|(?:summari[sz]e|recap|sum\s+up)\b)"
    r"(?:\s+(?:of|all|the|this|that|it|these|those|whole|discussion|thread|debate|conversation|quotes?|answers?|comments?))*"
    r"|briefly|more\s+(?:briefly|simply|clearly|details?|detailed)|in\s+(?:more\s+)?detail"
    r"|in\s+(?:(?:a|an|one|two|three|few|fewer|other|simple|simpler|plain|short)\s*)*(?:sentences?|words?|terms|short|brief|paragraphs?|bullet\s+points"
    r"|english|german|french|spanish|italian|dutch|portuguese|russian|chinese|japanese))(?:\s+(?:please|again))*\W*$",
    re.I,
)
_WROTE = re.compile(r"\b(?:sa(?:y|id)|wr(?:ite|ote|itten)|post(?:ed)?|comment(?:ed)?)\b", re.I)
_HE_DOES = re.compile(rf"^\W*(?:\w+\s+){{0,3}}{AUXILIARY_VERB}\s+(?:he|she)\b", re.I)
_FEW = 5
"""Most content words of a question that leans on what was said before."""

Kind = Literal["complete", "item", "assent", "period", "person", "others", "same people", "topic", "addition"]
"""What is taken over: nothing ("complete"), people and topic ("addition", "assent", "period"), people ("same people", "topic"), the
topic ("person", "others"), or a part of the answer ("item")."""


def kind_of(question: str, own: Query, last: Query, reply: str) -> Kind:
    """What a question that is more than a name, a period or a number takes over; "complete" if nothing.

    Args:
        question: The question.
        own: What it asks by itself.
        last: The question before.
        reply: The answer to that.
    """
    bare, people = without_lead(question), last.people
    content = [word for word in own.topic.split() if not is_dependent(word)]
    refers = len(content) <= _FEW and refers_back(bare, own.topic.split(), f"{last.text} {reply}")
    if own.people:
        return _kind_with_name(bare, content, refers)
    theirs = people and _theirs(bare, people, refers)
    # "Does she cite anybody?" is asked of her.
    anybody = not _HE_DOES.search(bare) and (asks_anybody(bare) or _ANYBODY.search(bare))
    she = PERSON.search(_without_own(bare) if anybody else bare)
    if anybody and not refers and by_date_alone(own) and _WROTE.search(bare):
        return "complete"  # "What did people write in 2022?", whoever was asked for before
    if people and anybody and not (theirs and _THEY_SAY.search(bare)) and not _among(bare, people):
        return "others" if she or refers or not content else "complete"
    if she and (people or last.mentioned):
        return "same people" if content and people and not refers else "addition"
    if theirs:
        return "same people" if content and _WITH_TOPIC.search(bare) else "addition"
    if refers or not content:
        return "addition"
    return _kind_of_fragment(question, bare, content, people)


def _kind_with_name(bare: str, content: list[str], refers: bool) -> Kind:
    """What a question that names somebody takes over."""
    if not content:
        return "complete" if _INTRODUCED.search(bare) else "person"
    return "person" if refers and len(content) < _FEW - 1 else "complete"


def _kind_of_fragment(question: str, bare: str, content: list[str], people: tuple[str, ...]) -> Kind:
    """What a question takes over that points at nothing said before, but may be less than a sentence."""
    about = _ABOUT.match(bare)
    if _SENTENCE.match(bare) and not about:
        return "addition" if _NO_VERB.match(bare) and len(content) < 3 else "complete"
    led = bool(about) or bare != question
    if _CIRCUMSTANCE.match(without_about(bare)):
        return "addition" if led or len(content) < 3 else "complete"
    if led or (people and len(content) == 1 and len(words(bare)) < 4):
        return "topic"
    return "complete"


def is_fragment(bare: str, own: Query) -> bool:
    """Whether a follow-up is nothing but somebody's name: "by Ann", not "what does Ann think"."""
    return not own.topic and not _SENTENCE.match(bare)


def without_lead(text: str) -> str:
    """A question without "And", "ok, thanks", "no, I meant", "not rye but" and the like before it."""
    if (meant := _CORRECTION.sub("", text)) and meant != text:
        text = _INSTEAD_OF.sub("", meant) or meant  # "I meant wheat, not rye"
    text = _RATHER_THAN.sub("", _LEAD.sub("", text) or text)
    bare = len(text.split()) <= _FEW and not _SENTENCE.match(text)
    return (_INSTEAD_OF.sub("", text) if bare else text) or text


def without_about(text: str) -> str:
    """What follows "what about", "more on" and the like; the text as it is if none of them does."""
    return _ABOUT.sub("", text)


def assents(question: str) -> bool:
    """Whether it only says yes to what an answer offered."""
    return bool(_ASSENT.match(question))


def asks_for_manner(question: str) -> bool:
    """Whether it only says how the answer is to be put: "shorter please"."""
    return bool(_MANNER.match(question))


def _without_own(question: str) -> str:
    """ "Who changed his mind?" without "his", which is nobody's from before; "who supports his plan?" keeps it."""

    def own(match: re.Match[str]) -> str:
        return match[0] if match[1].casefold() in SAYING or match[1].casefold() in FUNCTION_WORDS else match[1]

    return re.sub(r"\b(\w+)\s+(?:his|her|himself|herself)\b", own, question)


def _among(question: str, people: tuple[str, ...]) -> bool:
    """Whether "who is right?" asks which of several people, and nobody else."""
    return len(people) > 1 and not re.search(
        r"\b(?:else|others?|another|(?:with|to|against)\s+(?:them|both))\b", question, re.I
    )


def means_people(question: str) -> bool:
    """Whether "they" say or think something in a question, or are said to be several: no things are meant."""
    says = _THEY_SAY.search(question)
    return bool(_EACH_OTHER.search(question) or (says and (says[1] is None or says[1].casefold() in SAYING)))


def _theirs(question: str, people: tuple[str, ...], refers: bool) -> bool:
    """Whether "they" are the people who were asked for, and not things."""
    if len(people) > 1:
        return bool((PEOPLE if refers else _EACH_OTHER).search(question))
    return means_people(question)
