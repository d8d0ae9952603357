"""Lines that a forum's page prints around comments: headings, buttons, counters, dates.

Does not decide where comments begin (see segmentation.py).
"""

from __future__ import annotations

import re

from rag.records import Range

# Headings that stand above the list of comments. Read in the history of ForumMagnum's profile pages, 2018 to 2026.
SECTION_LINES = frozenset(
    """posts|comments|recent posts|recent comments|frontpage posts|blog posts|sequences|wiki contributions
wikitag contributions|wiki edits|quick takes|shortform|top post|top posts|user profile|my drafts|organizer of
my submissions|comment submissions|participation|interests:|topic contributions|tag contributions|bio
how others can help me|how i can help others|all comments|latest comments|user comments|comment history|recent activity""".replace(
        "\n", "|"
    ).split("|")
)

_SORTINGS = (
    r"new|old|top|top\ \(inflation\ adjusted\)|magic\ \(new\ &\ upvoted\)|new\ &\ upvoted|recent\ comments|recent\ replies"
    r"|newest|oldest|daily"
)

# Buttons and notices that nobody writes as a line of a comment.
ACTION_LINES = frozenset(
    """send message|send a message|subscribe to posts|unsubscribe from posts|subscribe to this user's posts
manage subscriptions|account settings|edit account|register rss|register rss feed|register new rss feed|report user|reply
permalink|edit in context|(account deleted)|load more|back to top|show more|show all|view more|see more|see less
no posts to display.|no comments found|no wikitag contributions to display.|(read more)|...(read more)|see in context|view in context|view in thread|view parent|go to comment|(continue reading)|show highlight
hide highlight|[-]|[+]|answer by|[comment deleted]|[deleted]|[anonymous]|moderator comment|response to previous version
[draft]|[event]|[unlisted]|upvote|downvote|1 point|show previous comment|subdirectory_arrow_left|expand_less|expand_more
[this comment is no longer endorsed by its author]""".replace("\n", "|").split("|")
)

# Chrome too, but also words that a comment may hold on a line of its own: believed only next to other chrome.
WEAK_LINES = frozenset(
    """message|dialogue|subscribe|unsubscribe|cancel|all|new|old|top|newest|oldest|daily|link|star|description|○|•|ω|lw|·|✓|✗
share|parent|save|flag|report|hide|context|quote|copy link|bookmark|user|on:|in reply to:""".replace("\n", "|").split(
        "|"
    )
)

# What stands above every page of a site: its own name, and where one can go from there.
_NAVIGATION = frozenset(
    """lesswrong|less wrong|ai alignment forum|alignment forum|af|effective altruism forum|ea forum|greaterwrong|login|log in|sign up|home
home page|all posts|concepts|library|best of lesswrong|best of the forum|sequence highlights|community events|subscribe (rss/email)
lw the album|leaderboard|about|about the forum|faq|featured|frontpage|tags|archive|search|recent comments|rationality: a-z|the codex|hpmor
topics|wiki|events|people directory|groups directory|how to use the forum|contact us|shortform|skip to content|skip to main content
menu|donate|rss""".replace("\n", "|").split("|")
)

_CHROME = re.compile(
    rf"""sorted\ by:?(?:\s+(?:{_SORTINGS}))?
    | (?:load|show|view|see)\ (?:\d+\ more|more|all)(?:\ \d+)?\ (?:comments|posts|replies) | load\ more\ \(\d+/\d+\) | \(continue\ reading\W+\d+\ more\ words?\) | -?\d+\ points?
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
    r"""(?:all\ of\ )?(?P<owner>\S.{0,40}?)['’]s?\ (?:(?:recent|latest)\ )?(?:posts|comments|shortform(?:\ feed)?)(?:\ \+\ replies)?
    |(?:all\ )?comments\ by\ (?P<writer>\w[\w.'’-]{1,38}(?:(?-i:\ [A-Z])[\w.'’-]{0,20}){0,3}?):?""",
    re.IGNORECASE | re.VERBOSE,
)
_HOW_MANY = re.compile(r" ?\(\d{1,3}(?:,?\d{3})*\)$|(?<=^comments) \d{1,3}(?:,?\d{3})*$")
_OF_COMMENTS = re.compile(r"\bcomments?\b", re.IGNORECASE)
# Scores and dates: chrome next to other chrome, text elsewhere.
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"""now | \d{{1,3}}(?:mo|yr|s|m|h|d|w|y)\*?(?:\ ago)? | (?:an?|\d{{1,3}})\ (?:second|minute|min|hour|day|week|month|year)s?\ ago
    | (?:(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|mon|tue|wed|thu|fri|sat|sun),?\ )?
      (?: \d{{1,2}}(?:st|nd|rd|th)?\ {_MONTH},?\ \d{{4}} | {_MONTH}\ \d{{1,2}}(?:st|nd|rd|th)?(?:,?\ \d{{4}})?
      | \d{{1,2}}\.\ {_MONTH}\ \d{{4}} | \d{{1,2}}[/.]\d{{1,2}}[/.]\d{{4}} | \d{{4}}-\d{{2}}-\d{{2}} )
      (?: (?:,?\ (?:at\ )?|T)\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\ ?[ap]m)?(?:Z|\ (?:utc|gmt|[ecmp][sd]t)\b)? )?""",
    re.IGNORECASE | re.VERBOSE,
)
_COUNTER = re.compile(
    rf"""(?:Ω|LW)?\s*[-−–]?\d{{1,3}}(?:[,\ ]?\d{{3}})*k? | \d{{1,3}}(?:,?\d{{3}})*\ karma | joined\ [a-z]{{3}}\ \d{{4}} | page\ \d+
    | \d+(?:[-–]\d+)?\ min(?:ute)?s?(?:\ read)? | {_DATE.pattern}""",
    re.IGNORECASE | re.VERBOSE,
)
# Several such in one line: "3mo 12 4", "LW: 12 AF: 4", "Karma: 1,234 (LW)", "Ω 3 · 2y ago".
_COUNTS = r"LW|AF|EA|Ω|karma|points?|votes?|score|(?:overall\ |agreement\ )?karma|agree(?:ment)?|disagree(?:ment)?"
_SIGN = re.compile(
    rf"""(?>(?:(?:last\ )?edited\ )?(?>{_DATE.pattern}) | (?:{_COUNTS})\W{{0,2}}[-−–+]?\d[\d.,]*k?
    | [-−–+]?\d[\d.,]*k?(?:\ (?:{_COUNTS}|repl(?:y|ies)|comments?|min(?:utes?)?\ read))?
    | \((?:LW|AF|EA)\) | [✓✗▲▼△▽] | (?:👍|👎|❤️|❤)\ ?\d+) (?=\W|\Z|(?<=[a-z])[\dΩ]) [ ]?(?:[·•|,/–—]\ |)""",
    re.IGNORECASE | re.VERBOSE,
)
_REPLIES_TO = re.compile(
    r"""(?:in\ reply\ to:?|replying\ to:?|parent:)\ (?!the\b|a\b|an\b|your\b|this\b|that\b)
        (?:\w[^\s,.;:!?]*(?:\ \w[^\s,.;:!?]*){0,3}|\S.{0,40}['’]s?\ (?:comment|post|quick\ take))(?:\ on:\ .{1,200})?""",
    re.IGNORECASE | re.VERBOSE,
)
_FOLDS = re.compile(r"^(?:\[[-–+]\]|[▾▸▼▶])\s*")
_BUTTONS = re.compile(
    r"""\W{0,2}(?:(?:reply|permalink|share|link|parent|save|flag|report|hide|context|quote|edit|upvote|downvote|bookmark)\b\W{0,3}){2,}
    | \[(?:reply|link|permalink|load\ more|show\ more|-|\+)\]""",
    re.IGNORECASE | re.VERBOSE,
)
_PAGE_TITLE = re.compile(
    r"""(?:title:\ *)?["']?(?P<owner>\w.{0,38}?)['’]s?\ (?:user\ )?(?:profile|page|comments)\ [-–—|•·][ ]
    (?:lesswrong(?:\ 2\.0\ viewer)?|less\ wrong|(?:the\ )?(?:ai\ )?alignment\ forum|(?:the\ )?(?:ea|effective\ altruism)\ forum
    |greaterwrong|ea\ forum\ viewer)["']?""",
    re.IGNORECASE | re.VERBOSE,
)


def is_section_line(line: str) -> bool:
    """Whether a stripped line is a heading of a profile page: "Wiki Contributions", "Comments (31)", "Ada's Comments"."""
    return _HOW_MANY.sub("", line.casefold()).removesuffix(":") in SECTION_LINES or (owner_of_section(line) is not None)


def heads_comments(line: str) -> bool:
    """Whether a stripped line is the heading of the comments themselves: "Comments", "Ada's Comments"."""
    return is_section_line(line) and _OF_COMMENTS.search(line) is not None


def is_chrome_line(line: str) -> bool:
    """Whether a stripped line is page chrome wherever it stands as a line of its own."""
    if len(line) > 160:
        return False
    folded = line.casefold()
    return (
        is_section_line(line)
        or folded in ACTION_LINES
        or _CHROME.fullmatch(line) is not None
        or _BUTTONS.fullmatch(line) is not None
    )


def is_date_line(line: str) -> bool:
    """Whether a stripped line is a date as sites print it beside a comment: "2y", "5 months ago", "12 Mar 2021 14:05 UTC"."""
    return len(line) <= 48 and _DATE.fullmatch(line) is not None


def is_weak_chrome_line(line: str) -> bool:
    """Whether a stripped line is chrome only where it stands next to other chrome: a bare number, "2y 12 4", "Message"."""
    return (len(line) <= 40 and (line.casefold() in WEAK_LINES or _COUNTER.fullmatch(line) is not None)) or _is_signs(
        line
    )


def replies_to(line: str, before: str) -> bool:
    """Whether a stripped line may say what a comment answers, as chrome beside chrome: "in reply to: Bo's comment on: Tides".

    Args:
        before: The line above it, which may hold the first words of that.
    """
    return len(line) <= 260 and (
        _REPLIES_TO.fullmatch(line) is not None or before.casefold() in ("in reply to:", "on:")
    )


def is_reply_button(line: str) -> bool:
    """Whether a stripped line is the button below a comment, perhaps among others: "Reply", "[Reply]", "Permalink | Reply"."""
    folded = line.casefold()
    return folded == "reply" or ("reply" in folded and len(line) <= 160 and _BUTTONS.fullmatch(line) is not None)


def is_head_of(line: str, name: str) -> bool:
    """Whether a stripped line is a name and what the page says of a comment by it: "Ada Byron 3mo 12 4"."""
    line = _FOLDS.sub("", line)
    if line[: len(name)].casefold() != name.casefold():
        return False
    rest = line[len(name) :]
    facts = rest.lstrip(" ·•|,–—-").rstrip(":")
    signs = facts[: _signs_end(facts)]
    about = facts[len(signs) :]
    # Without a space between, a number may belong to a handle, "ada2": a date does not.
    apart = rest[:1] != facts[:1] or _DATE.match(facts) is not None
    return (bool(signs) and apart and (not about or about.startswith("on: ") or replies_to(about, ""))) or rest == ":"


def _is_signs(line: str) -> bool:
    return 0 < len(line) <= 80 and _signs_end(line.lstrip("·•| ")) == len(line.lstrip("·•| "))


def _signs_end(line: str) -> int:
    """How much of a line consists of dates, scores and the like."""
    end = 0
    while match := _SIGN.match(line[:200], end):
        end = match.end()
    return end


def owner_of_page(line: str) -> Range | None:
    """Where the title of a page has the name of the person whose page it is: "Ada Byron's Profile - LessWrong".

    Not "Ada Byron - LessWrong": the pages of posts are titled so.
    """
    match = _PAGE_TITLE.fullmatch(line) if len(line) <= 100 else None
    return match.span("owner") if match else None


def is_page_line(line: str) -> bool:
    """Whether a stripped line may be chrome where chrome is to be expected, at the top of a page."""
    return (
        is_chrome_line(line)
        or is_weak_chrome_line(line)
        or line.casefold() in _NAVIGATION
        or owner_of_page(line) is not None
    )


def owner_of_section(line: str) -> Range | None:
    """Where a heading such as "Ada Byron's Comments" has the name of the person whose page it is."""
    match = _OWN_SECTION.fullmatch(_HOW_MANY.sub("", line)) if len(line) <= 60 else None
    return match.span("owner" if match["owner"] else "writer") if match else None


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
