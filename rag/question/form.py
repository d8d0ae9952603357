"""Classify a question: who says something, comparison, list, development over time, or the newest comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from rag.question.names import words
from rag.question.speech import AUXILIARIES, PREPOSITIONS, STANCE, UTTERANCE

Span = tuple[int, int]
"""Where something stands in a question."""

_OPEN = re.compile(
    r"^\W*(?:who|whose|whom|(?:which|what)\s+(?:of\s+the\s+)?(?:author|commenter|person|people|user|poster|writer|one)s?|"
    r"(?:does|did|do|has|have|is)\s+(?:any|some|every)(?:one|body)|(?:what|how|why)\s+(?:do|does|did|have|has)\s+(?:the\s+|most\s+|other\s+)?"
    r"(?:people|others|commenters|users|everyone|everybody|anyone|anybody|they|authors|comments))\b",
    re.I,
)
_WHO = re.compile(
    r"^\W*(?:who\b|(?:which|what)\s+(?:of\s+the\s+)?(?:authors?|commenters?|persons?|people|users?|posters?|writers?)\b"
    r"|(?:\w+\s+){0,3}?(?:everyone|everybody)\s+(?:who|that)\b)",
    re.I,
)
_COMPARE = re.compile(
    r"\bcompar(?:e|es|ed|ing|ison)\b|\bv(?:s|ersus)\b|\bdiffer(?:s|ed|ence|ences|ent|ently)?\b|\bdisagree(?:s|d|ment|ments)?\b"
    r"|\bcontrast(?:s|ed|ing)?\b|\bdebate\b|\bon the other hand\b|\bagree(?:s|d|ment)?\b|\bboth\b|\bin common\b|\bside by side\b",
    re.I,
)
_BEGINS = (
    r"(?:^|[.?!;:,]\s)\W*(?:(?:and|but|so|also|then|please|now|ok|okay)\W+)*(?:(?:can|could|would|will) you (?:please )?)?"
    r"(?:(?:about|at|by|for|from|in|of|on|to|under|with)\s+(?=what|which))?"
)
"""What is wanted is said where a question begins: "if all the parts are known, does it follow ..." asks for one thing."""
_SEVERAL = r"(?:all|every|everything|everyone|everybody|each|some|several|any|main|list|summary|overview|examples|reasons|arguments|ways|points|steps)"
_LISTED = re.compile(
    _BEGINS
    + r"(?:(?:list|enumerate|summar(?:ise|ize))\b|how many (?:people|persons|authors|commenters|posters|users|writers|comments)\b"
    rf"|(?:name|give|show|find|tell|quote)\b(?:\s+[^\W_]+){{0,3}}?\s+{_SEVERAL}\b"
    r"|(?!if\b|when\b|because\b|how\b)(?:[\w'’-]+\s+){0,3}?(?:examples|reasons|arguments|ways|points|steps)\b"
    r"|(?:an?\s+|the\s+)?(?:\w+\s+)?(?:list|summary|overview)\b|(?:all|every|everything|some|several)\b|every(?:one|body)\s+(?:who|that)\b)",
    re.I,
)
"""Says that several things are wanted: "list", "all the", "reasons"."""
_NO_ADJECTIVE = "|".join(sorted(AUXILIARIES | PREPOSITIONS | frozenset("if of else for by when who how".split())))
_PLURAL = re.compile(
    _BEGINS + r"(?:(?:what|which|who) (?:are|were) (?:\w+\s+){0,5}?(?!this\b|his\b|is\b)\w{3,}s\b"
    r"|which (?!does\b|has\b|was\b|this\b|makes\b)\w{3,}[^s\W]s\b"
    rf"|(?:which|what) (?:(?!(?:{_NO_ADJECTIVE})\b)\w+\s+)?(?!does\b|this\b|makes\b)\w{{3,}}[^s\W]s"
    r"\s+(?:(?!(?:when|if|whether|that|because|to|as|while|who|what|which|why|how|where)\b)[\w'’-]+\s+){0,6}?"
    r"(?:are|was|were|do|does|did|have|has|had|can|could|should|would|will|might|may|must)\b"
    r"|(?:which|what) (?:other|two|three|four|five|six|seven|eight|nine|ten|several) (?:\w+\s+)?\w{3,}[^s\W]s\b)",
    re.I,
)
"""Asks for things in the plural: "which boats leak", "what kinds of glue do they use"."""
_BY_TIME = re.compile(
    rf"\bchang(?:e|ed|ing)\s+(?:\w+\s+)?(?:{STANCE}|tunes?)\b|\b{STANCE}\s+(?:\w+\s+){{0,6}}(?:chang|evolv|shift|develop)"
    rf"|\bevolution of (?:\w+['’]s|his|her|their|the) {STANCE}\b"
    rf"|\b(?:sa(?:id|ys?)|wr(?:ote|itten|ites?)|th(?:ought|inks?)|argue[ds]?|{STANCE}|comments?)\b.*\bover (?:time|the years)\b"
    r"|\bused to (?:think|believe|say|argue)\b|\bstill (?:think|believe|hold|say|argue|stand|(?:dis)?agree|endorse|support|favou?r|defend|advocate|recommend|reject|oppose|expect)|\btimeline\b|\bchronolog"
    rf"|\bstill (?:his|her|their) {STANCE}\b"
    rf"|\bwhat (?:has )?changed\b|\bupdated? (?:his|her|their|on)\b|\b(?:earlier|previous) (?:{STANCE}|comment)",
    re.I,
)
_OF_COURSE = re.compile(
    rf"(?<=\s)(?:chang|evol|shift|develop)\w*$|\bevolution(?=\s+of\b)|\b{STANCE}\b",
    re.I,
)
"""What in such a question is no topic, as is all of the next."""
_OVER_TIME = re.compile(r"\bover\s+(?:time|the\s+years)\b", re.I)
_NUMBER = r"(?:\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve|few|couple\s+of)"
_SO_MANY, _MANY = rf"(?:\s+{_NUMBER})?", rf"(?:\b{_NUMBER}\s+)?"
"""How many of the newest: "last three comments", "three most recent comments"."""
_NEWEST = re.compile(
    rf"{_MANY}\b(?:most\s+recent|latest|newest|last){_SO_MANY}(?=\s+(?:\w+\s+)??{UTTERANCE}\b)|\bmost\s+recently\b"
    r"|\b(?:most\s+recent|latest|newest)(?=\s+(?:from|by)\b)"
    r"|\blast(?=\s+(?:to\s+)?(?:said|says?|wr[io]te|written|post(?:ed)?|comment(?:ed)?|mention(?:ed)?|repl(?:y|ied))\b)"
    r"|(?:(?<=say )|(?<=said )|(?<=write )|(?<=wrote )|(?<=post )|(?<=posted )|(?<=comment ))last\b"
    r"|\bcurrently\b|\bnow(?=\s+(?:think|believe|say|hold|argue)s?\b)"
    r"|\bcurrent(?=\s+(?:\w+\s+)?(?:view|opinion|position|stance|take)s?\b)",
    re.I,
)
_OLDEST = re.compile(
    rf"{_MANY}\b(?:very\s+)?(?:first|earliest|oldest){_SO_MANY}(?=\s+(?:\w+\s+)??(?:{UTTERANCE}|things?)\b)"
    r"|(?:(?<=say )|(?<=said )|(?<=write )|(?<=wrote )|(?<=post )|(?<=posted )|(?<=comment ))first\b"
    r"|\bfirst(?=\s+(?:(?:to\s+)?(?:say|write|argue|mention|suggest|propose|claim|raise|point|(?:dis)?agree|object|reply|respond|answer)|said|says|wrote|argued|mentioned|suggested|proposed|claimed|raised|commented|(?:dis)?agreed|objected|replied|responded|answered)\b)",
    re.I,
)
_WHO_IN_TIME = re.compile(
    r"^\W*who\s+(?:has\s+)?(?:wrote|written|said|posted|commented|spoke|spoken|talked|mentioned|raised|brought\s+up|suggested|proposed)\b"
    r"[^.?!;]*?\b(?:(?P<first>first)|(?P<last>last))\b(?=\W*$|\s+(?:about|on|of)\b)",
    re.I,
)
"""Where the order stands behind what was said: "Who wrote first about ...", "Who mentioned ... last?"."""
_RATED_COMMENT = r"(?:comment|post|repl(?:y|ie)|message|remark)s?"
_RATED = r"(?:rated|received|scor(?:ing|ed)|up-?voted|voted|liked|ranked|appreciated)"
_GIVEN = r"(?:karma|up-?votes|votes|points|likes|score|rating)"
_HOLDING = r"(?:has|have|had|got|gets|gotten|received|with|by|was|were|is|are)\s+(?:the\s+)?"


def _karma(rated: str, plainly: str) -> re.Pattern[str]:
    """What asks for comments by karma: right before them ("the highest-rated comment"), or behind them ("... has the most karma")."""
    return re.compile(
        rf"{_MANY}\b(?:{rated}|{plainly}){_SO_MANY}(?=\s+(?:\w+\s+)??{_RATED_COMMENT}\b)"
        rf"|\b{_RATED_COMMENT}\b[^.?!;]*?\b(?P<behind>{_HOLDING}{rated})\b",
        re.I,
    )


_HIGHEST = _karma(
    rf"(?:(?:highest|best|top|most)[-\s]+(?:{_RATED}|{_GIVEN})|up-?voted\s+(?:the\s+)?most)", r"most\s+popular|top|best"
)
_LOWEST = _karma(
    rf"(?:(?:lowest|worst|least|fewest)[-\s]+(?:{_RATED}|{_GIVEN})|most[-\s]+down-?vote[ds]|down-?voted\s+(?:the\s+)?most)",
    r"(?:least|most\s+un)\s*popular|worst",
)
_ENDS: tuple[tuple[Literal["highest", "lowest"], re.Pattern[str]], ...] = (("highest", _HIGHEST), ("lowest", _LOWEST))
_REPLIED_TO = re.compile(
    r"\b(?:repl(?:y|ies|ied)|respon(?:d|ds|ded|se|ses)|answer(?:s|ed)?|react(?:s|ed|ions?)?|rebuttals?)\s+(?:(?:to|of)\s+)?(?:what\s+)?$",
    re.I,
)
_OPPOSED_TO = re.compile(
    r"\b(?:disagree(?:s|d|ment)?\s+with|argue[sd]?\s+(?:with|against)|object(?:s|ed|ions?)?\s+to|push(?:es|ed)?\s+back\s+(?:on|against)|contradict(?:s|ed)?"
    r"|criticis[ei][sd]?|criticiz[ei][sd]?|challenge[sd]?|doubt(?:s|ed)?|correct(?:s|ed)?)\s+(?:what\s+)?$",
    re.I,
)
_OBJECTING = re.compile(
    r"\b(?:(?P<noun>objections?|criticisms?|critiques?|counter-?arguments?|rebuttals?|pushback)\b[^.?!;]*?\b(?:to|against|of|on)"
    r"|(?P<verb>object(?:s|ed)?\s+to|push(?:es|ed)?\s+back\s+(?:on|against|at)|(?:argue[sd]?|says?|said)\s+against))\s+(?:what\s+)?$",
    re.I,
)
_OPPOSING = re.compile(
    r"\b(?:object\w*|criticis\w+|criticiz\w+|critiques?|counter-?arguments?|rebuttals?|push(?:es|ed)?\s+back|pushback|disagree\w*|against"
    r"|contradict\w*|oppos\w+|disput\w+|challeng\w+|doubt\w*)\b",
    re.I,
)
_NOT_ABOUT = re.compile(
    r"\b(?:about|on|of|regarding|concerning|mention\w*|discuss\w*)\s[^.?!;]*?(?P<all>[\s,]+but\s+(?:not|never)\s+"
    r"(?:(?:about|on|of|regarding|concerning|mention\w*|discuss\w*)\s+)?"
    r"(?!(?:about|all|always|as|at|because|by|enough|for|from|how|if|in|just|only|quite|so|that|to|too|very|vice|when|where|while|why|with|yet|\w+ing)\b)"
    r"(?P<what>[^,;?.!]+))",
    re.I,
)
_WHAT_WAS_SAID = re.compile(
    rf"\s+(?:{UTTERANCE}|(?:question|claim|objection|argument|point|proposal|idea|criticism|estimate|number)s?)\b", re.I
)
_WRITING = re.compile(
    r"\b(?:wr(?:ote|ite|ites|itten|iting)|sa(?:id|y|ys|ying)|post(?:ed|s|ing)?|comment(?:s|ed|ing)?|argu(?:e|es|ed|ing|ments?)|repl(?:y|ied|ies)"
    r"|thoughts?|think(?:s|ing)?|feel(?:s|ings?)?|felt|views?|opinions?|positions?|stances?|attitudes?|claim(?:s|ed)?|suggest(?:s|ed)?|mention(?:s|ed)?"
    r"|discuss(?:es|ed)?|stat(?:e|es|ed)|answer(?:s|ed)?|believ(?:e|es|ed)|talk(?:s|ed|ing)?|propos(?:e|es|ed)|recommend(?:s|ed)?|predict(?:s|ed)?"
    r"|told|tell|sp(?:eaks?|oken?)|explain(?:s|ed)?|critici[sz](?:e|es|ed)|chang\w+ \w+ minds?|prais(?:e|es|ed)|complain(?:s|ed)?"
    r"|(?:dis)?approv(?:e|es|ed)|worr(?:y|ies|ied)|concerned|afraid|fear(?:s|ed)?|hop(?:e|es|ed)|wish(?:es|ed)?|thank(?:s|ed)?"
    r"|apologi[sz](?:e|es|ed)|regret(?:s|ted)?|admit(?:s|ted)?|endors(?:e|es|ed)|defend(?:s|ed)?|oppos(?:e|es|ed)|object(?:s|ed)?"
    r"|warn(?:s|ed)?|doubt(?:s|ed)?|reject(?:s|ed)?|refer(?:s|red)?|cit(?:e|es|ed)|quot(?:e|es|ed)|ask(?:s|ed)?)\b",
    re.I,
)
_TELL_ME = re.compile(r"\btell (?:me|us)\b", re.I)
_OWN_COMMENT = re.compile(rf"\s+(?:\w+\s+)??{UTTERANCE}\b", re.I)
_NOT_THEN = re.compile(r"\b(?:not|except(?:\s+for)?|excluding|other\s+than|besides|outside(?:\s+of)?)\s+$", re.I)
_WHAT_ABOUT = re.compile(r"^\W*(?:(?:and|or)\s+)?(?:what|how)\s+about\b", re.I)
_GOES_ON = re.compile(r"\s*(?:[?.!,;:]|(?:and|or|but)\b|$)", re.I)
_VIEW = re.compile(
    r"\b(?:thinks?|thought|feels?|felt|believes?|views?|opinions?|stances?|positions?|attitudes?|takes? on|minds? about|agree\w*|disagree\w*"
    r"|(?:propos|suggest|recommend|argu|claim|critici[sz]|complain|predict|advocat|oppos|doubt)(?:e|es|ed|ing|s)?"
    r"|(?:say|said|says|write|writes|wrote) (?:about|on) (?:whether|why|how))\b",
    re.I,
)
_SUBJECT_MATTER = re.compile(r"\b(?:about|on|of|regarding|concerning|that|whether|how|why|to|for|with)\b", re.I)


def asks_anybody(question: str) -> bool:
    """Whether a question asks for whoever says something: "who thinks ...", "does anybody ..."."""
    return bool(_OPEN.match(question))


def asks_who(question: str) -> bool:
    """Whether people are asked for, each of whom counts: "who recommends ...", "list everybody who ..."."""
    return bool(_WHO.match(question))


def asks_for_view(question: str) -> bool:
    """Whether a question asks what somebody thinks: "what is her view of ...", "do they agree on ..."."""
    return bool(_VIEW.search(question))


def asks_for_words(question: str) -> bool:
    """Whether a question asks for something that was said or written; "tell me about Ann" does not."""
    return bool(_WRITING.search(_TELL_ME.sub(" ", question)))


def compares(question: str) -> bool:
    """Whether a question sets people or things side by side."""
    return bool(_COMPARE.search(question))


def among_people(question: str) -> bool:
    """Whether a question speaks of people in general."""
    return bool(re.search(r"\b(?:people|commenters|authors|users|they|who|everyone)\b", question, re.I))


def wants_list(question: str, names: Sequence[Span]) -> bool:
    """Whether several things are asked for; the name "Thomas" is no plural."""
    for start, end in names:
        question = question[:start] + "x" * (end - start) + question[end:]
    return bool(_LISTED.search(question) or _PLURAL.search(question))


def asks_by_time(question: str) -> bool:
    """Whether the course of an opinion over time is asked for."""
    return bool(_BY_TIME.search(question))


def words_of_course(question: str) -> list[Span]:
    """What asks for the course of an opinion: "How has her view of X changed over time" is about X."""
    course = _BY_TIME.search(question)
    if not course:
        return []
    return [match.span() for match in (*_OF_COURSE.finditer(question, *course.span()), *_OVER_TIME.finditer(question))]


def newest(question: str) -> Span | None:
    """What asks for the latest words of somebody, if anything does."""
    return _order(_NEWEST, "last", question)


def by_karma(question: str) -> tuple[Literal["", "highest", "lowest"], Span | None]:
    """Which end of the karma is asked for, if any, and the words that ask for it: "the most upvoted comment on rye"."""
    for end, pattern in _ENDS:
        if match := pattern.search(question):
            return end, match.span("behind" if match["behind"] else 0)
    return "", None


def oldest(question: str) -> Span | None:
    """What asks for the first words of somebody, if anything does."""
    return _order(_OLDEST, "first", question)


def _order(pattern: re.Pattern[str], behind: str, question: str) -> Span | None:
    """Where a pattern says which of the comments by date is wanted, or the word behind what was said does."""
    if match := pattern.search(question):
        return match.span()
    match = _WHO_IN_TIME.match(question)
    return match.span(behind) if match and match[behind] else None


def answered_by(before: str) -> bool:
    """Whether whoever is named behind these words is answered: "What did Ann reply to NAME"."""
    return bool(_REPLIED_TO.search(before))


def opposed_by(before: str) -> bool:
    """Whether whoever is named behind these words is contradicted: "who disagrees with NAME"."""
    return bool(_OPPOSED_TO.search(before))


def objecting(before: str) -> Span | None:
    """What says that whoever is named behind these words is objected to: "objections" of "What objections does Ann raise to NAME"."""
    match = _OBJECTING.search(before)
    return match.span(match.lastgroup or 0) if match else None


def asks_for_opposition(question: str) -> bool:
    """Whether a question asks who or what speaks against something."""
    return bool(_OPPOSING.search(question))


def not_about(question: str) -> tuple[str, Span | None]:
    """What the words asked for must not be about, and where a question says so: "rye" and "but not about rye"."""
    match = _NOT_ABOUT.search(question)
    return (match["what"], match.span("all")) if match else ("", None)


def what_was_said(after: str) -> int:
    """How many characters behind a name say only that something of theirs was answered: "NAME's question"."""
    match = _WHAT_WAS_SAID.match(after)
    return match.end() if match else 0


def of_writing(before: str, after: str, preposition: str) -> bool | None:
    """Whether a period, standing between two parts of a question, tells when comments were written.

    Returns:
        True or None for yes or no, False if it may as well be part of what they are about.
    """
    opens = not before.strip(" ,")
    if _NOT_THEN.search(before):
        return None
    if not preposition and _OWN_COMMENT.match(after):
        return True
    if preposition and (_WRITING.search(after) if opens else _WRITING.match(after.lstrip(" ,"))):
        return True
    ends = bool(_GOES_ON.match(after))
    writing = list(_WRITING.finditer(before))
    if not writing:
        return False if (ends or opens) and _bare_subject(before + after) else None
    between = before[writing[-1].end() :]
    if preposition and not _SUBJECT_MATTER.search(between) and len(between.split()) < 4:
        return True
    if not ends or preposition == "by":
        return None
    return preposition in ("recently", "lately", "since", "before", "after")


def _bare_subject(text: str) -> bool:
    """Whether a text names a subject, such as "Ann on the ferry", and is no question or sentence about it."""
    asking = AUXILIARIES | set("who whom whose what when where why how which".split())
    return asking.isdisjoint(word.folded for word in words(_WHAT_ABOUT.sub("", text)))
