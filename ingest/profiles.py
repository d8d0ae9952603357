"""Whether a text is the saved page of a user, and how such pages name their author."""

from __future__ import annotations

import re

from ingest.chrome import heads_comments, is_chrome_line, is_date_line, is_page_line, is_section_line
from ingest.lines import Line, bare, ends_sentence, lines_of
from rag.language.english import COMMON_WORDS, FUNCTION_WORDS, NAMES_THAT_ARE_WORDS
from rag.records import Range

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
    lines = [bare(line) for line in lines_of(text[:200_000])]
    front = lines[: front_matter(lines)]
    lines = lines[len(front) :]
    if len(lines) < 3:
        return False
    if any(linked_name(line.text, first=False) for line in front):
        return True
    head = [line.text for line in lines[:60]]
    sections = sum(is_section_line(line) for line in head)
    sortings = sum(line.casefold().startswith("sorted by") and is_chrome_line(line) for line in head)
    if sections + sortings >= 2 or any(_heads_list(line) and not heads_comments(line) for line in head):
        return True
    if repeated_head(head):
        return True
    return _reads_like_comments(lines)


def page_starts(text: str) -> list[int]:
    """Where pages begin in a text into which several were pasted: below comments, a name, a bio, a heading, and comments."""
    lines = [bare(line) for line in lines_of(text)]
    starts, headed, has_comments = [0], False, False
    for index, line in enumerate(lines):
        if _heads_list(line.text):
            headed = True
        elif headed and is_prose(line.text):
            has_comments = True
        elif has_comments and looks_like_name(line.text) and not is_page_line(line.text):
            before, page = lines[index - 1].text, [line.text for line in lines[index : index + 80]]
            if (ends_sentence(before) or is_page_line(before)) and _heads_page(page):
                starts.append(line.start)
                headed = has_comments = False
    return starts


def _heads_page(texts: list[str]) -> bool:
    """Whether a name is followed by a bio or buttons, a heading, and the heading of comments, perhaps with posts between."""
    first = next((index for index, text in enumerate(texts) if is_section_line(text)), 0)
    listed = next((index for index, text in enumerate(texts) if _heads_list(text)), len(texts))
    above = texts[1:first]
    headings = sum(is_section_line(text) or text.casefold().startswith("sorted by") for text in texts[first:])
    return (
        0 < first <= 8
        and (headings >= 2 or any(map(is_bio_line, above)))
        and all((is_bio_line(text) or is_page_line(text)) and not is_date_line(text) for text in above)
        and any(map(is_prose, texts[listed:]))
    )


def is_prose(text: str) -> bool:
    """Whether a line is a paragraph that its author finished, and no bio."""
    return len(text) >= 40 and ends_sentence(text) and not is_bio_line(text)


def _heads_list(line: str) -> bool:
    """Whether a line is the heading of comments, or one that is nearly always the last above them."""
    return heads_comments(line) or line.casefold() in ("wiki contributions", "wikitag contributions")


_FRONT = re.compile(r"[\w-]+:(?:\s.*)?|-\s.*")


def front_matter(lines: list[Line]) -> int:
    """Number of lines that a clipper put above a text: "---", "title: ...", "source: ...", "---"."""
    if not lines or lines[0].text != "---":
        return 0
    end = next((index for index, line in enumerate(lines[1:40], start=1) if line.text == "---"), 0)
    return end + 1 if end > 1 and all(_FRONT.fullmatch(line.text) for line in lines[1:end]) else 0


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
    name = name_at is not None or any(introduced_name(text) for text in head[:3])
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
        if is_page_line(line):
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
    (?: (?:[Mm]y\ (?:(?:full|real)\ )?name(?:\ is|['’]s)|(?:(?:[Ff]ull|[Rr]eal|[Dd]isplay|[Uu]ser)\ )?[Nn]ame:|(?:^|(?<=\n))(?:User(?:name)?|Author|Profile):)\ +(?P<name>{_NAME})
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
        [<(\["']?{_USER_PAGE}""",
    re.IGNORECASE | re.VERBOSE,
)
_PAGE_ADDRESS = re.compile(rf"<?{_USER_PAGE}/?(?:[?\#]\S*)?>?", re.IGNORECASE | re.VERBOSE)


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


def is_full_name(line: str) -> bool:
    """Whether a line is a name of several words, none of which is an everyday one: "Ada Byron", not "Good Point"."""
    words = {word.casefold() for word in line.split()}
    return " " in line and looks_like_name(line) and not words & _EVERYDAY and not is_place(line)


def is_bio_line(line: str) -> bool:
    """Whether a line speaks of its author as bios do: occupation, affiliation, links, contact. Replies do not."""
    return (
        len(line) < 600 and _BIO.search(line) is not None and _REPLY.match(line) is None and not _ADDRESSES.search(line)
    )
