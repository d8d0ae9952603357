"""What in a text is not the author's prose: chrome, quoted words of others, formulas to keep whole, places where something was lost.

Everything is answered in offsets; no text is ever changed. Does not decide where comments begin (see segmentation.py).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from rag.language.english import COMMON_WORDS, FUNCTION_WORDS, NAMES_THAT_ARE_WORDS
from rag.records import Range

# --- lines ------------------------------------------------------------------------------------------------------------

# Only real line ends: a form feed or U+2028 inside a comment is not a new line to the person who wrote it.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BLANK = "\0\ufeff\u200b\u200c\u200d\u2060"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text that has something on it: `text[start:end]`, without the space around it."""

    number: int
    """Counted from 1, blank lines included."""
    start: int
    end: int
    text: str
    blanks_before: int
    """Blank lines between this line and the one before it."""


def lines_of(text: str) -> list[Line]:
    """The lines that are not blank, in order."""
    found = []
    blanks = 0
    for number, match in enumerate(_LINE.finditer(text), start=1):
        raw = match.group()
        body = raw.strip().strip(_BLANK).strip()
        if not body:
            blanks += 1
            continue
        start = match.start() + raw.index(body)
        found.append(Line(number, start, start + len(body), body, blanks))
        blanks = 0
    return found


# --- chrome -----------------------------------------------------------------------------------------------------------

# Headings that stand above the list of comments. Read in the history of ForumMagnum's profile pages, 2018 to 2026.
SECTION_LINES = frozenset(
    """posts|comments|recent posts|recent comments|frontpage posts|blog posts|sequences|wiki contributions
wikitag contributions|wiki edits|quick takes|shortform|top post|top posts|user profile|my drafts|organizer of
my submissions|comment submissions|participation|interests:|topic contributions|tag contributions|bio
how others can help me|how i can help others""".replace("\n", "|").split("|")
)

_SORTINGS = (
    r"new|old|top|top\ \(inflation\ adjusted\)|magic\ \(new\ &\ upvoted\)|new\ &\ upvoted|recent\ comments|recent\ replies"
    r"|newest|oldest|daily"
)

# Buttons and notices that nobody writes as a line of a comment.
ACTION_LINES = frozenset(
    """send message|send a message|subscribe to posts|unsubscribe from posts|subscribe to this user's posts
manage subscriptions|account settings|edit account|register rss|register rss feed|register new rss feed|report user|reply
permalink|edit in context|(account deleted)|load more|show more|show all|view more|see more|see less
no posts to display.|no comments found|no wikitag contributions to display.|(read more)|(continue reading)|show highlight
hide highlight|[-]|[+]|answer by|[comment deleted]|[deleted]|[anonymous]|moderator comment|response to previous version
[draft]|[event]|[unlisted]|upvote|downvote|1 point|show previous comment|subdirectory_arrow_left|expand_less|expand_more
[this comment is no longer endorsed by its author]""".replace("\n", "|").split("|")
)

# Chrome too, but also words that a comment may hold on a line of its own: believed only next to other chrome.
WEAK_LINES = frozenset(
    "message|dialogue|subscribe|unsubscribe|cancel|all|new|old|top|newest|oldest|daily|link|star|description|○|•|ω|lw|·".split(
        "|"
    )
)

_CHROME = re.compile(
    rf"""sorted\ by:?(?:\s+(?:{_SORTINGS}))?
    | load\ more\ \(\d+/\d+\) | \(continue\ reading\W+\d+\ more\ words?\) | -?\d+\ points?
    | pinned\ by\ \S.{{0,40}} | promoted\ by\ \S.{{0,40}} | (?:nomination|review)\ for\ \d{{4}}\ review
    | \[this\ comment\ will\ not\ be\ visible\ to\ other\ users\ until\ the\ moderation\ team\ has\ reviewed\ it\.\]
    | a\ moderator\ has\ deactivated\ replies\ on\ this\ comment\ until\ .{{1,60}}
    | deleted\ by\ \S.{{0,40}},\ .{{1,30}}
    | .{{0,60}}\(\+\d+(?:/-\d+)?\) | .{{0,60}}\(-\d+\)
    | comment\ by\ \S.{{0,40}}\ on\ .{{1,200}}\ ·\ .{{1,80}}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OWN_SECTION = re.compile(
    r"(?:all of )?(?P<owner>\S.{0,40}?)['’]s? (?:posts|comments|shortform(?: feed)?)(?: \+ replies)?", re.IGNORECASE
)
_HOW_MANY = re.compile(r" ?\(\d{1,3}(?:,?\d{3})*\)$")
_OF_COMMENTS = re.compile(r"\bcomments?\b", re.IGNORECASE)
# Scores and relative dates: chrome next to other chrome, text elsewhere.
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"""now | \d{{1,3}}(?:s|m|h|d|mo|y)\*? | \d{{1,2}}(?:st|nd|rd|th)?\ {_MONTH}\ \d{{4}} | {_MONTH}\ \d{{1,2}}(?:,?\ \d{{4}})?""",
    re.IGNORECASE | re.VERBOSE,
)
_COUNTER = re.compile(
    rf"""(?:Ω|LW)?\s*[-−–]?\d{{1,3}}(?:[,\ ]?\d{{3}})*k? | \d{{1,3}}(?:,?\d{{3}})*\ karma | joined\ [a-z]{{3}}\ \d{{4}} | {_DATE.pattern}""",
    re.IGNORECASE | re.VERBOSE,
)


def is_section_line(line: str) -> bool:
    """Whether a stripped line is a heading of a profile page: "Wiki Contributions", "Comments (31)", "Ada's Comments"."""
    return _HOW_MANY.sub("", line.casefold()) in SECTION_LINES or (
        len(line) <= 60 and _OWN_SECTION.fullmatch(line) is not None
    )


def heads_comments(line: str) -> bool:
    """Whether a stripped line is the heading of the comments themselves: "Comments", "Ada's Comments"."""
    return is_section_line(line) and _OF_COMMENTS.search(line) is not None


def is_chrome_line(line: str) -> bool:
    """Whether a stripped line is page chrome wherever it stands as a line of its own."""
    if len(line) > 160:
        return False
    folded = line.casefold()
    return is_section_line(line) or folded in ACTION_LINES or _CHROME.fullmatch(line) is not None


def is_date_line(line: str) -> bool:
    """Whether a stripped line is a date as sites print it beside a comment: "2y", "3mo*", "12th Mar 2021"."""
    return len(line) <= 24 and _DATE.fullmatch(line) is not None


def is_weak_chrome_line(line: str) -> bool:
    """Whether a stripped line is chrome only where it stands next to other chrome: a bare number, "2y", "Message"."""
    return len(line) <= 40 and (line.casefold() in WEAK_LINES or _COUNTER.fullmatch(line) is not None)


_ANNOUNCED = re.compile(
    r"""^[^\w\n]{0,8}
    (?P<line>(?P<count>[Nn]o|\d[\d,.]{0,8}k?)\s{1,3}[Cc]omments?(?:\ (?:yet|found))?
    |[Cc]omments?\s{0,3}\(?(?P<after>\d[\d,.]{0,8}k?)\b\)?
    |Comments|COMMENTS)
    (?:,?\ sorted\ by\b[^\n]{0,60})?[^\w\n]{0,8}$""",
    re.MULTILINE | re.VERBOSE,
)


def announced_comments(text: str) -> str | None:
    """The line that says that comments follow: a heading, or their number. None if it says that there are none.

    Several numbers announce nothing: they stand in a list of posts.
    """
    found = list(_ANNOUNCED.finditer(text))
    numbers = {match["count"] or match["after"] for match in found} - {None}
    if not found or len(numbers) > 1 or numbers & {"0", "no", "No"}:
        return None
    return " ".join(found[0]["line"].split())


# --- profile or document ----------------------------------------------------------------------------------------------

_BIO = re.compile(
    r"""\b(?:phd|ph\.d|postdoc|student|candidate|researche?r?|scientist|engineer|professor|lecturer|programmer|developer|founder
    |co-?founder|director|formerly|previously|university|institute|currently|working\ (?:on|at)|interested\ in|i\ work
    |my\ (?:website|blog|work|research|name|interests|email|site|pronouns|substack)|other\ links|anonymous\ feedback|e-?mail\ me
    |reach\ me|contact\ me|dm\ me|message\ me|blog\ at|i\ (?:write|study|think\ about|spend|live|am\ a|run|do)|i['’]m\ an?|https?://
    |www\.|she/her|he/him|they/them|aspiring|retired|(?:opinions|views)\ (?:are\ )?(?:all\ )?(?:my\ own|mine)|mathematician|philosopher|economist|independent|hobby|bay\ area|writer)\b
    | \b[a-z0-9-]+\.(?:com|org|net|io|me|ai|dev|blog|xyz|page|substack\.com|github\.io)\b | @\w{3,}""",
    re.IGNORECASE | re.VERBOSE,
)
_REPLY = re.compile(
    r"""(?:thanks|thank\ you|yes\b|yeah|yep|no[,.]|nope|agreed|i\ agree|i\ disagree|strong(?:ly)?\ (?:up|down|agree|disagree)|upvoted
    |hm+\b|ah\b|oh\b|huh|sure[,.]|right[,.]|fair|great\ (?:post|point|question)|good\ (?:post|point|question|catch)|nice\b|awesome|cool
    |interesting|sorry|i\ (?:like|liked|love|appreciate|wonder|think|don['’]t|would|mostly|basically|mean|guess|suspect|kinda|want)
    |i['’](?:d|m|ve|ll)\b|my\ (?:main|guess|impression|understanding|sense)|for\ the\ record|fwiw|\(?edit|see\ also|re:|in\ response
    |are\ you|do\ you|can\ i|is\ the|what\ do\ you|could\ you|have\ you|why\ do|note)""",
    re.IGNORECASE | re.VERBOSE,
)
_ADDRESSES = re.compile(r"\b(?:you|your)\b(?! can (?:find|reach|contact|read))", re.IGNORECASE)
_TALK = re.compile(r"\b(?:I|I['’]\w+|you|your|you['’]\w+)\b")
_SPEAKER = re.compile(r"(?:[A-Z][\w.' -]{0,30}|Q|A):\s|\[?\d{1,2}:\d{2}(?::\d{2})?\]?\s|[#=|{\[<]|PMID|\d+\.\d+\s")


def looks_like_profile(text: str) -> bool:
    """Whether a `.txt` or `.md` file is a saved user profile: name or bio, then many comments.

    A plain document (an article, notes, a speech, a transcript) is not: it keeps its own order and is kept whole.
    Judged by page chrome near the top, a bio printed twice, or a name line and a bio above paragraphs that open like replies.
    """
    lines = lines_of(text[:200_000])
    if len(lines) < 3:
        return False
    head = [line.text for line in lines[:60]]
    sections = sum(is_section_line(line) for line in head)
    sortings = sum(line.casefold().startswith("sorted by") and is_chrome_line(line) for line in head)
    if sections + sortings >= 2 or any(
        line.casefold() in ("wiki contributions", "wikitag contributions") for line in head
    ):
        return True
    if repeated_head(head):
        return True
    return _reads_like_comments(lines)


def repeated_head(lines: list[str], longest: int = 12) -> int:
    """How many lines the block has that opens a text and is printed again right after it; 0 if there is none.

    Narrow layouts of profile pages print the bio twice.
    """
    for size in range(min(longest, len(lines) // 2), 0, -1):
        block = lines[:size]
        if block == lines[size : 2 * size] and sum(char.isalpha() for line in block for char in line[:200]) >= 12:
            return size
    return 0


def _reads_like_comments(lines: list[Line]) -> bool:
    """Paragraphs many of which open like replies; fewer are asked for below a name and a bio.

    Below a bio with the name under it, which no other kind of text has, it is enough that people talk to each other.
    """
    head = [line.text for line in lines[:8]]
    name_at = find_name_line(head)
    name = name_at is not None
    bio = any(is_bio_line(text) for text in head[:4])
    body = [line.text for line in lines[1:400] if len(line.text) > 20 or _REPLY.match(line.text)]
    if len(body) < 4 or sum(_SPEAKER.match(line) is not None for line in body) > len(body) / 4:
        return False
    if name_at and bio and sum(_TALK.search(line[:2_000]) is not None for line in body) >= 0.4 * len(body):
        return True
    replies = sum(_REPLY.match(line) is not None for line in body)
    enough, share = (2, 0.12) if name and bio else (3, 0.2) if name else (6, 0.35)
    return replies >= enough and replies >= share * len(body)


_HANDLE = re.compile(r"[^\W_][\w.'’-]{1,38}")
_INITIAL = re.compile(r"[A-ZÀ-ÖØ-ÞĀ-ž]\.")
_NAME_WORD = re.compile(r"(?:[A-ZÀ-ÖØ-ÞĀ-ž][\w'’-]*\.?|[\u0370-\uffff][\w'’-]*)")
_PARTICLES = frozenset("de del della der den di da dos van von zu la le el al bin ben ibn y e af av".split())
_NOT_NAME = frozenset(
    """the a an of is are was were i my you we it this that to for on at with from how why what note notes introduction abstract summary chapter
    part section contents meeting release changelog readme todo thanks yes no agreed upvoted hello hi edit comments posts about contact home
    overview background results discussion conclusion references appendix faq welcome draft agenda minutes title index
    today yesterday everyone everybody people user author reader member""".split()
)
# Who calls themselves one of these has told a post, an origin or a belief, however it is capitalised.
_NO_SURNAME = frozenset(
    """head chief president chair officer manager partner assistant associate analyst fellow consultant strategist advocate lead intern
    advisor adviser trainee graduate teacher lawyer physicist chemist biologist designer editor american british canadian australian indian
    chinese japanese korean german french italian spanish dutch russian polish swiss swedish israeli brazilian mexican european african asian
    zealander catholic christian jew jewish muslim hindu buddhist orthodox protestant mormon quaker atheist altruist rationalist""".split()
)
_EVERYDAY = FUNCTION_WORDS | COMMON_WORDS
_ADVERB = re.compile(r"(?!anato|bever|char|cice|ever|kimber|nata|reil|shel|vita|waver)\w{4,}ly|\w{3,}ing")
_ADJECTIVE = re.compile(r"\w{4,}(?:(?<!fr)(?<!dr)(?<!e)(?<!ham)(?<!hamm)(?<!khal)ed|ous|ful|less|[ai]ble|ical|istic)")
_PLACE_NAMES = """london|paris|berlin|munich|hamburg|zurich|zürich|geneva|vienna|prague|budapest|warsaw|krakow|oslo|stockholm|copenhagen
helsinki|amsterdam|rotterdam|the hague|brussels|antwerp|lisbon|porto|madrid|barcelona|rome|milan|athens|istanbul|moscow|saint petersburg
kyiv|oxford|cambridge|edinburgh|glasgow|manchester|bristol|dublin|tel aviv|jerusalem|cairo|nairobi|lagos|cape town|johannesburg|dubai|mumbai
delhi|new delhi|bangalore|bengaluru|hyderabad|chennai|beijing|shanghai|shenzhen|hong kong|taipei|seoul|tokyo|kyoto|osaka|singapore
bangkok|jakarta|manila|melbourne|brisbane|perth|auckland|wellington|toronto|montreal|vancouver|ottawa|mexico city|são paulo|sao paulo
rio de janeiro|buenos aires|santiago|bogotá|bogota|lima|new york|new york city|nyc|boston|philadelphia|washington|washington dc|chicago
seattle|portland|san francisco|san francisco bay|oakland|berkeley|palo alto|mountain view|san jose|san diego|los angeles|las vegas|denver
boulder|dallas|houston|atlanta|miami|pittsburgh|detroit|minneapolis|princeton|new haven|ann arbor|silicon valley|california|massachusetts
texas|oregon|colorado|new jersey|ohio|michigan|illinois|florida|north carolina|england|scotland|wales|ireland|uk|united kingdom|usa
united states|canada|australia|new zealand|germany|france|italy|spain|portugal|netherlands|the netherlands|belgium|switzerland|austria|sweden
norway|denmark|finland|poland|czechia|czech republic|hungary|romania|greece|turkey|russia|ukraine|israel|india|china|japan|korea|south korea
taiwan|vietnam|thailand|indonesia|philippines|brazil|argentina|chile|colombia|mexico|nigeria|kenya|south africa|egypt|europe|earth|remote
""".strip().replace("\n", "|")
_PLACE = re.compile(
    rf"(?:(?:greater|central|downtown) )?(?:{_PLACE_NAMES})(?:[ ,/]+(?:{_PLACE_NAMES}))*", re.IGNORECASE
)


def find_name_line(head: list[str]) -> int | None:
    """Index of the line that is a person's name or handle, among the first lines of a profile; None if there is none.

    The first line if it is one; else a single such line right below the bio, unless the bio speaks of somebody else there.
    """
    for index, line in enumerate(head[:5]):
        if is_chrome_line(line) or is_weak_chrome_line(line):
            continue
        if looks_like_name(line):
            certain = index == 0 or " " in line or any(is_bio_line(text) for text in head[:index])
            return index if certain and not (index and _names_somebody_else(head, index)) else None
        if index >= 2 and not is_bio_line(line):
            return None
    return None


_UNFINISHED = re.compile(
    r"(?:[,:;(&]|\b(?:by|with|and|or|to|of|from|for|under|at|like|is|are|including))$", re.IGNORECASE
)
_CONTINUES = re.compile(r"(?:is|are|was|were|has|and|or|who|which|whose)\b|[,;)]")


def _names_somebody_else(head: list[str], index: int) -> bool:
    """Whether a name in a line of its own is part of what the bio says: "advised by", "is great", a list of names."""
    name, before, after = head[index], head[index - 1], head[index + 1] if index + 1 < len(head) else ""
    if _UNFINISHED.search(before) or _CONTINUES.match(after):
        return True
    if after != name and " " in after and looks_like_name(after) and not is_place(after):
        return True
    told = re.compile(rf"\b(?:by|with|and|to|of|from|for|under|like)\s+{re.escape(name)}\b", re.IGNORECASE)
    return any(told.search(line[:2_000]) for line in head[:index])


def is_place(line: str) -> bool:
    """Whether a line that looks like a name is a place that people give as where they live: "San Francisco"."""
    return len(line) <= 60 and _PLACE.fullmatch(line) is not None


_FORENAME = rf"(?:{_INITIAL.pattern}|[^\W\da-z_][\w’'-]*\w)"
_NAME = rf"{_FORENAME}(?:\ (?:(?:{'|'.join(sorted(_PARTICLES))})\ )*{_FORENAME}){{0,4}}"
_NAME_ENDS = r"(?=\s*(?:[.,;:!(–—]|-\s|$)|\s+(?:and|but)\s)"
_INTRODUCES = re.compile(
    rf"""(?:^|[.!?]\s+)(?:(?:[Hh]i|[Hh]ello|[Hh]ey)(?:\ (?:there|all|everyone|everybody))?\s*[,.!–—-]*\s+)?
    (?: (?:[Mm]y\ (?:(?:full|real)\ )?name(?:\ is|['’]s)|(?:(?:[Ff]ull|[Rr]eal|[Dd]isplay|[Uu]ser)\ )?[Nn]ame:)\ +(?P<name>{_NAME})
    |   (?:I['’]m|I\ am)\ (?P<person>{_NAME}) ){_NAME_ENDS}""",
    re.VERBOSE,
)
_USER_PAGE = r"""(?:https?://)?(?:[\w-]+\.){0,3}(?:lesswrong|alignmentforum|effectivealtruism|greaterwrong)\.(?:com|org)/users/
    (?P<handle>[\w-]{1,60})"""
_FORUM = r"(?:lesswrong|less\ wrong|lw|alignment\ forum|af|ea\ forum|forum)"
_OWN_PAGE = re.compile(
    rf"""(?: (?:^|[.!?;,(]\s*|\b(?:and|or|see|at|is|on)\ )
             (?: my\ (?:(?:own|main|personal|public|full|user|{_FORUM})\ )*(?:profile|account|page|posts|comments|writing|{_FORUM})\b
             |   find\ me\b | i(?:['’]m|\ am)\ (?:also\ )?(?:on|at)\b ) [^.!?;,@]{{0,30}}?
         |   ^(?:url|source|link|profile|saved\ from|user\ page|{_FORUM}(?:\ profile)?)\s*[:=–—-]\s* )
        [<(\[]?{_USER_PAGE}""",
    re.IGNORECASE | re.VERBOSE,
)
_PAGE_ADDRESS = re.compile(rf"<?{_USER_PAGE}/?(?:[?\#]\S*)?>?", re.IGNORECASE | re.VERBOSE)


def owner_of_section(line: str) -> Range | None:
    """Where a heading such as "Ada Byron's Comments" has the name of the person whose page it is."""
    match = _OWN_SECTION.fullmatch(line) if len(line) <= 60 else None
    return match.span("owner") if match else None


def introduced_name(line: str) -> Range | None:
    """Where a line of a bio says who its author is: "My name is Ada Byron", "I'm Ada Byron, a diver".

    A capital makes no name: "I'm Dutch", "I'm Managing Partner" and "I'm Generally Confused" give None.
    """
    for match in _INTRODUCES.finditer(line[:2_000]):
        if match["name"]:
            return match.span("name")
        person = match["person"]
        no_surname = {word.casefold() for word in person.split()} & _NO_SURNAME
        if " " in person and looks_like_name(person) and not (no_surname or is_place(person) or _is_a_state(person)):
            return match.span("person")
    return None


def _is_a_state(person: str) -> bool:
    """Whether capitalised words say how somebody is: "Generally Confused", "Still Waiting"."""
    first, *others = (word if word not in NAMES_THAT_ARE_WORDS else "" for word in person.casefold().split())
    if _ADVERB.fullmatch(first):
        return True
    return any(word in _EVERYDAY or _ADJECTIVE.fullmatch(word) for word in (first, *others))


def linked_name(line: str, *, first: bool) -> Range | None:
    """Where a line of a bio links to its author's own page on a forum: the handle in the address.

    Args:
        first: Whether the page begins with the line: an address alone is then its own.
    """
    match = _OWN_PAGE.search(line[:2_000]) or (_PAGE_ADDRESS.fullmatch(line[:2_000]) if first else None)
    return match.span("handle") if match else None


def looks_like_name(line: str) -> bool:
    """Whether a line could be a name or a handle and nothing else: "Ada Lovelace", "ada_l", "Ada Lovelace (inactive)"."""
    words = re.sub(r"\s*\([^()]{1,20}\)$", "", line).split()
    plain = {word.casefold().rstrip(".:") for word in words if not _INITIAL.fullmatch(word)}
    if not words or len(line) > 40 or len(words) > 5 or plain & _NOT_NAME:
        return False
    if is_bio_line(line) or is_chrome_line(line):
        return False
    if len(words) == 1:
        return _HANDLE.fullmatch(words[0]) is not None and words[0][-1] not in ".,;:!?"
    return all(_NAME_WORD.fullmatch(word) or word in _PARTICLES for word in words) and line[-1] not in ".,;:!?"


def is_bio_line(line: str) -> bool:
    """Whether a line speaks of its author as bios do: occupation, affiliation, links, contact. Replies do not."""
    return (
        len(line) < 600 and _BIO.search(line) is not None and _REPLY.match(line) is None and not _ADDRESSES.search(line)
    )


_SENTENCE_END = re.compile(r"[.!?…:;][\"'”’)\]*_]*$|[)”\"]$|[:;]-?[)D(]$")


def ends_sentence(line: str) -> bool:
    """Whether a line ends as finished paragraphs do."""
    return _SENTENCE_END.search(line[-12:]) is not None


def could_be_title(line: str) -> bool:
    """Whether a line could be the title of a post: short, one line, no sentence."""
    return (
        8 <= len(line) <= 120
        and (line[0].isupper() or line[0] in '[“"')
        and line[-1] not in ".!,;:"
        and len(line.split()) >= 2
    )


def is_title_case(line: str) -> bool:
    """Whether most longer words of a line have a capital."""
    words = [word for word in re.findall(r"[^\W\d_][\w'’-]*", line) if len(word) >= 4]
    return len(words) >= 2 and sum(word[0].isupper() for word in words) >= 0.7 * len(words)


# --- formulas and code ------------------------------------------------------------------------------------------------

_DELIMITER = re.compile(
    r"""(?P<fence>^[ \t]{0,3}(?P<ticks>`{3,}|~{3,})[^`\n]*$)
    | (?P<escaped>\\\$)
    | (?P<begin>\\begin\{(?P<env>[a-zA-Z]{1,20}\*?)\}) | (?P<end>\\end\{(?P<closed>[a-zA-Z]{1,20}\*?)\})
    | (?P<open>\\{1,2}[(\[]) | (?P<close>\\{1,2}[)\]])
    | (?P<display>\$\$) | (?P<dollar>\$)""",
    re.MULTILINE | re.VERBOSE,
)
_LONGEST_FORMULA = 5_000
_LONGEST_INLINE = 500
_TEX = re.compile(r"[\\^_={}<>|+*/]|\b\w\b")
_WORDS = re.compile(r"[A-Za-z]{3,}[,;:.]? +[A-Za-z]{2,}")


def protected_ranges(text: str) -> tuple[Range, ...]:
    """Ranges that must not be cut: LaTeX formulas and fenced code, in order and without overlap.

    Prices are no formulas: "$5 and $10" gives nothing.
    """
    if not any(mark in text for mark in ("$", "\\", "```", "~~~")):
        return ()
    return tuple(_merged(_fences_and_formulas(text)))


def _fences_and_formulas(text: str) -> Iterator[Range]:
    opened: re.Match[str] | None = None
    fence: re.Match[str] | None = None
    environments: list[tuple[str, int]] = []
    for match in _DELIMITER.finditer(text):
        kind = next(
            name for name in ("fence", "escaped", "begin", "end", "open", "close", "display", "dollar") if match[name]
        )
        if kind == "fence":
            if fence is None:
                fence = match
            elif match["ticks"][0] == fence["ticks"][0] and len(match["ticks"]) >= len(fence["ticks"]):
                yield fence.start(), match.end()
                fence, opened, environments = None, None, []
            continue
        if kind == "begin":
            environments.append((match["env"], match.start()))
        elif kind == "end":
            while environments:
                name, start = environments.pop()
                if name == match["closed"]:
                    if match.end() - start <= _LONGEST_FORMULA:
                        yield start, match.end()
                    break
        elif kind in ("open", "close", "display", "dollar"):
            if opened is not None and _closes(text, opened, match, kind):
                yield opened.start(), match.end()
                opened = None
            elif kind != "close" and (opened is None or not _may_still_close(opened, match)):
                opened = match if _may_open(text, match, kind) else None
            elif kind == "dollar" and opened is not None and opened.group() == "$" and _may_open(text, match, kind):
                opened = match


def _may_open(text: str, match: re.Match[str], kind: str) -> bool:
    if kind != "dollar":
        return kind != "close"
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return not before.isalnum() and bool(after) and not after.isspace()


def _may_still_close(opened: re.Match[str], match: re.Match[str]) -> bool:
    return match.start() - opened.start() <= (_LONGEST_INLINE if opened.group() == "$" else _LONGEST_FORMULA)


def _closes(text: str, opened: re.Match[str], match: re.Match[str], kind: str) -> bool:
    if not _may_still_close(opened, match):
        return False
    if opened.group() == "$":
        return kind == "dollar" and _is_inline_formula(text, opened.end(), match.start())
    if opened.group() == "$$":
        return kind == "display" and match.start() > opened.end()
    return kind == "close" and match.group()[-1] == {"(": ")", "[": "]"}[opened.group()[-1]]


def _is_inline_formula(text: str, start: int, end: int) -> bool:
    """Pandoc's rule (no space inside the dollars, no digit after them), and no sentence between them."""
    inside = text[start:end]
    if not inside.strip() or inside[-1].isspace() or "\n\n" in inside or text[end + 1 : end + 2].isalnum():
        return False
    if "\\" in inside:
        return True
    return not _WORDS.search(inside) and (
        (inside.isalnum() and not inside.isdigit()) or _TEX.search(inside) is not None
    )


def _merged(ranges: Iterator[Range]) -> Iterator[Range]:
    last: Range | None = None
    for start, end in sorted(ranges):
        if last is None:
            last = start, end
        elif start < last[1]:
            last = last[0], max(last[1], end)
        else:
            yield last
            last = start, end
    if last is not None:
        yield last


# --- scars ------------------------------------------------------------------------------------------------------------

# Every alternative ends where the lost thing stood: match.end() is the gap.
_SCARS = re.compile(
    r"""(?<=[\w.”’])[ ](?=[,;:?!](?:\s|$))                        # "define , and", "prove ?"
    | (?<=[\w,:”’])[ ](?=\.(?:\s|$)) | \b(?:i\.e|e\.g)\.[ ](?=[.,])  # "presto, ."
    | (?<=[\w.,])[ ](?=[)”](?:[\s,.;:]|$))                       # "for some and )."
    | (?<=\w)[ ](?=[’']s[ ])                                     # "each 's entire class"
    | (?<=[\s(])[“(](?=[”)](?:\s|$|[,.;]))                       # "things like “” for"
    | \b(?:the|an|our|every)[ ](?=(?:of|is|and|or|are|was|to|as|from|that|which|with|where|we|for)\b(?!-))
    | \bfrom[ ](?=to\b) | \bthan[ ](?=times\b) | \b[Ll]et[ ](?=(?:be|and)\b) | \b(?:where|[Ww]ith|and)[ ](?=and\b(?![ ]without))
    | (?<=,[ ])where[ ](?=(?:is|are)\b(?![ ](?:you|we|they|he|she|my|your)\b))
    | \b(?:of|by)[ ](?=(?:of|is|are|and[ ]?[,.;)]|or[ ]?[,.;)])(?:\b|$))
    | \b(?:using|denote|denotes|defining|define)[ ](?=(?:as|by|and|to)\b)
    | \b(?:implies|equals|denotes|satisfies|between|maximizes|minimizes)[ ](?=(?:and|or|is|for|where|which|so)\b)
    | \b(?:let|where|suppose)[ ](?=(?:and|or|be|is|are)\b[ ]*(?:[),.;]|the\b|a\b|an\b))
    | \b(?:some|any|each|all)[ ](?=(?:and|or|be|is|are)\b[ ]*[),.;]|(?:be|is|are)[ ](?:the|an?)\b)
    | \b(?:though|because|if|(?<!\bout[ ])(?<!\bever[ ])(?<!\blong[ ])since|whenever)[ ](?=(?:is|are|does|was)[ ](?!the\b|an?\b|this\b|that\b|it\b|not\b|so\b)[\w“"])
    | \bcases[ ]where[ ](?=is\b) | \bcase[ ](?=does\b) | \bbut[ ](?=is:)
    | \bsuch[ ]that[ ](?=(?:is|are|for)\b|\w+ly[ ]\w+s\b)
    """,
    re.VERBOSE,
)
# In a line that speaks of mathematics only: elsewhere "good for some and bad for others" is whole.
_MATHS_SCARS = re.compile(
    r"""\b(?:for|and)[ ](?!any[ ]and[ ]all\b|each[ ]and[ ]every\b|all[ ]and[ ](?:sundry|for)\b)(?:some|any|every|each|all)[ ]
        (?=and\b(?![^.;]{0,80}\b(?:others|many|most|none|few)\b))
    | \b(?:for|and)[ ](?:some|any|every|each)[ ](?=(?:the|we|there|it)\b)
    | \b(?:some|any|each|all)[ ](?=(?:and|or)[ ](?:the|an?)\b)""",
    re.VERBOSE,
)
_MATHS = re.compile(
    r"""\b(?:constants?|functions?|maps?|mapping|(?:in)?equalit(?:y|ies)|equations?|theorem|lemma|proof|prove[sd]?|norm|continuous|convex
    |converges?|integrals?|derivatives?|matri(?:x|ces)|vectors?|polynomials?|sequences?|finite|infinite|infinity|epsilon|denotes?|satisf(?:y|ies)
    |bound(?:s|ed)?|sums?|probabilit(?:y|ies)|distributions?|expectation|variance|variables?|integers?|primes?|subsets?|such\ that|holds
    |implies|linear|logarithm|exponential|dimensions?|gradient|utility)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_WIDE_SPACE = re.compile(r"(?<![\s.!?:])(?<![.!?:][\"”’)\]])[ ](?=[ ][^\s])")
_AFTER_THESE = re.compile(
    r"\b(?:the|an?|of|for|by|let|where|if|that|with|to|is|in|define|than|from|at|over|function|variable|value)[ ]{2}[a-z,.]"
)
_LIKELY_BESIDE = re.compile(
    r"""the|an?|of|for|by|let|where|if|that|with|to|is|in|define|than|from|at|over|function|variable|value|and|or|then|so|as|be|are|was
    |denotes?|equals|satisf(?:y|ies)|holds?|between|any|some|every|each|all|on|into|such|which|has|have|gives|implies|goes|converges|tends
    |maps|we|when|because|since|hence|thus|does|not|its|before|after|until|while|under|per|via|using|assuming|choose|predicts""",
    re.IGNORECASE | re.VERBOSE,
)
_FRENCH = re.compile(
    r"\b(?:le|la|les|des|du|une|un|est|et|que|qui|pour|dans|vous|nous|je|il|elle|pas|mais|avec|ce|cette|sont|au|aux|sur|ne)\b",
    re.IGNORECASE,
)
_ENGLISH = re.compile(
    r"\b(?:the|an?|of|and|to|is|it|that|this|for|you|i|we|are|was|with|not|be|what|in|do|does|can)\b", re.IGNORECASE
)
_GOES_ON = re.compile(r"(?:where|which|so that|whenever|and hence|and therefore|and so|hence|for all|with)\b")
_GOES_ON_AFTER_COMMA = re.compile(r"(?:and|so|or|but)\b")
_STOPS_SHORT = re.compile(r"\b(?:is|are|gives|equals|yields|becomes|by|define)$")
_SPACED_MARK = re.compile(r"\w [,.](?:\s|$)")
_TIGHT_MARK = re.compile(r"\w[,.](?:\s|$)")
_LONGEST_PROSE = 200_000  # characters; no person writes a longer line


def find_gaps(text: str) -> tuple[int, ...]:
    """Places where a formula, image or button label was lost: " , which", "prove ?", "“”", "from to .".

    Texts that put a space before every mark, as tokenised corpora do, have no such scars.

    Returns:
        Ascending offsets of the points at which something is missing.
    """
    lines = [line for line in lines_of(text) if len(line.text) <= _LONGEST_PROSE]
    gaps = set(_gaps_between_lines(lines))
    gaps.update(_lost_between_spaces(text, lines))
    if not _is_spaced_out(lines):
        gaps.update(_lost_words(text, lines))
    protected = protected_ranges(text) if gaps else ()
    starts, ends = tuple(start for start, _ in protected), tuple(end for _, end in protected)
    return tuple(gap for gap in sorted(gaps) if not _is_inside(gap, starts, ends))


def _lost_words(text: str, lines: list[Line]) -> Iterator[int]:
    french_text = _lean_to_french(text[:_LONGEST_PROSE]) > 0
    for line in lines:
        found = [match.end() for match in _SCARS.finditer(text, line.start, line.end)]
        spaced = [at for at in found if text[at : at + 1] in (":", ";", "?", "!")]
        if spaced and ((_lean_to_french(line.text) or french_text) > 0):
            found = [at for at in found if at not in set(spaced)]
        yield from found
        scars = [match.end() for match in _MATHS_SCARS.finditer(text, line.start, line.end)]
        if scars and _MATHS.search(line.text):
            yield from scars


def _lean_to_french(text: str) -> int:
    """Above 0 for French, which puts a space before some marks; 0 for a word or two that say nothing."""
    return len(_FRENCH.findall(text)) - len(_ENGLISH.findall(text))


def _lost_between_spaces(text: str, lines: list[Line]) -> Iterator[int]:
    """Two spaces where one is due. Where they are many, as in justified text and tables, nothing is lost between them."""
    found = [
        (line, places)
        for line in lines
        if (places := [match.end() for match in _WIDE_SPACE.finditer(text, line.start, line.end)])
    ]
    many = sum(len(places) for _, places in found) > 0.02 * sum(line.text.count(" ") for line in lines)
    for line, places in found:
        beside = [at for at in places if _stands_beside_formula(text, line, at)]
        if len(beside) >= 0.75 * len(places) and _MATHS.search(line.text):
            yield from beside
        elif not many:
            yield from (at for at in places if _AFTER_THESE.search(text, max(line.start, at - 12), at + 2))


def _stands_beside_formula(text: str, line: Line, at: int) -> bool:
    """Whether exactly two spaces stand here, and beside them words between which sentences have formulas."""
    before = text[max(line.start, at - 16) : at - 1].split(" ")[-1]
    after = text[at + 1 : min(line.end, at + 16)].split(" ")[0].rstrip(".,;:?!)")
    words = before[-1:] in (",", ";", "(") or not after or any(map(_LIKELY_BESIDE.fullmatch, (before, after)))
    return text[at + 1] != " " and words


def _is_spaced_out(lines: list[Line]) -> bool:
    spaced = sum(1 for line in lines for _ in _SPACED_MARK.finditer(line.text))
    return spaced > 5 and spaced > 0.25 * sum(1 for line in lines for _ in _TIGHT_MARK.finditer(line.text))


def _gaps_between_lines(lines: list[Line]) -> Iterator[int]:
    """A sentence that goes on after a formula of its own line, and a button's label that stands alone in one."""
    for before, here in pairwise(lines):
        if len(before.text) <= 20 or before.text[0] in "-*•" or before.text[-1] in "$]}`":
            continue
        unfinished = before.text[-1] not in ".!?;" and _GOES_ON.match(here.text)
        after_comma = before.text[-1] == "," and _GOES_ON_AFTER_COMMA.match(here.text)
        if unfinished or after_comma or _STOPS_SHORT.search(before.text[-12:]):
            yield here.start
    for before, here, after in zip(lines, lines[1:], lines[2:], strict=False):
        alone = here.text.isalpha() and len(here.text) <= 20
        if (
            alone
            and before.text[-1].isalpha()
            and after.text[0].islower()
            and here.text[0].isupper()
            and len(before.text) > 20
        ):
            yield here.start


def _is_inside(offset: int, starts: tuple[int, ...], ends: tuple[int, ...]) -> bool:
    index = bisect_right(starts, offset) - 1
    return index >= 0 and offset < ends[index]


# --- voices -----------------------------------------------------------------------------------------------------------

_QUOTE_LINE = re.compile(
    r"""(?:^|(?<=\r)) (?: [ ]{0,3}(?=>(?!!)) | [ ]{4,12}(?P<deep>(?=>[ ])) | [ ]{0,12}(?:(?:[-*+]|\d{1,9}[.)])[ ]+){1,4}(?=>[ ]) )
    (?P<quote>>[^\r\n]*)""",
    re.MULTILINE | re.VERBOSE,
)


def quoted_ranges(text: str) -> tuple[Range, ...]:
    """Markdown blockquotes: words that the author took from somebody else. Spoilers (`>!`) and code are the author's own."""
    ranges: list[Range] = []
    fences = [span for span in protected_ranges(text) if text[span[0] : span[1]].lstrip()[:1] in ("`", "~")]
    starts, ends = tuple(start for start, _ in fences), tuple(end for _, end in fences)
    for match in _QUOTE_LINE.finditer(text):
        start, end = match.span("quote")
        goes_on = bool(ranges) and not text[ranges[-1][1] : start].strip(" \t\r\n")
        # So far to the right stands code, unless a quotation inside a list goes on.
        if (match["deep"] is not None and not goes_on) or _is_inside(start, starts, ends):
            continue
        if goes_on:
            ranges[-1] = ranges[-1][0], end
        else:
            ranges.append((start, end))
    return tuple(ranges)
