"""Find the names of indexed authors in a text.

Knows full names, handles, slugs, first and last names, any case, diacritics, underscores, possessives and small typos.
Does not decide whether a name is meant as the speaker (see questions.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

WORD = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*['’ʼ]?")
_POSSESSIVE = re.compile(r"(?:['’ʼ]s|(?<=s)['’ʼ])$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss"})

ORDINARY = frozenset(
    """
    ace amber angel apple april archer art ash august autumn baker bank banks barker bay bean bell berry best bill
    bishop black blake blaze bliss blue bond boss bridge brook brooks brown buck bud burns bush butler buzz case
    cash chance chandler charity chase cherry chip christian church clay cliff cloud cole colt constant cook cooper
    coral cox cross crystal curt daisy dale dash dawn day dean dell destiny dick don dot drake drew duke dusty earl
    east eden ember eve faith fay fern field fields finch fisher flint ford forest foster fox frank free french
    frost fry gale garner gay gene ginger glass glen gold golden good gore grace grant gray green grey grove guy
    hall hand happy harmony harper hart haven hazel heath heather hill hillary holiday holly holmes honest honor
    hood hope house hunt hunter iris island ivory ivy jack jade jasmine jay jean jet jewel joy judge june justice
    kay key king kit knight knox lake lance land lane lark laurel law leaf lee lily link little lock long lord love
    low luck lux mace major march mark marks marsh mason may mercury mercy merit merry miles mill miller mint moon
    moore more moss myrtle nash nice noble norm north nova oak ocean olive opal page paige parker pat patience peace
    pearl penny pepper pierce pike pine piper poe pool pope porter pound price prince prudence rain rainbow randy
    ranger raven ray red reed reef rich river rivers rob robin rock rod root rose ross rowan royal ruby rush rusty
    sage sandy say scout sharp shaw shell short silver skip sky slate small snow sparrow spring star stark steel
    sterling stern stew stone storm stout strong sue summer sun sunny swan sweet swift tab tanner taylor temple
    tiger tiny trace trip true trump tucker turner vale van victor violet wade walker wall ward warden warren waters
    way weaver webb wells west wheeler white wild will willow wills winter wise wolf wood woods worth wren wright
    young zen
    """.split()
)
"""First and last names that are also everyday words: they count as names only where a speaker is expected."""

FUNCTION_WORDS = frozenset(
    """
    a about above after again against all also always am among an and another any anybody anyone anything are aren't as at
    be because been before being below between both but by can can't cannot could couldn't did didn't do does doesn't doing
    don't done down during each either else ever every everybody everyone everything few for from further get gets got had
    has hasn't have haven't having he he'd he'll he's her here hers herself him himself his how however i i'd i'll i'm i've if in
    instead into is isn't it it's its itself just let like lot made make makes many may me might mine more most much must my
    myself never no nobody none nor not nothing now of off often on once one ones only or other others our ours ourselves out
    over own per perhaps please quite rather really same shall she she'd she'll she's should shouldn't since so some somebody
    someone something still such than that that's the their theirs them themselves then there there's these they they'd
    they'll they're they've thing things this those though through thus to together too toward towards under until up upon us
    very via was wasn't we we'd we'll we're we've were weren't what what's when where where's whether which while who who's
    whoever whom whose why will with within without won't would wouldn't yes yet you you'd you'll you're you've your yours
    yourself vs versus
    """.split()
)
"""Words that carry grammar and not content."""


def fold(text: str) -> str:
    """Lower-case letters and digits only, without diacritics: the form in which names are compared."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    return "".join(char for char in plain if char.isalnum())


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a question."""

    text: str
    """As written, without a possessive ending."""
    folded: str
    start: int
    end: int
    possessive: bool = False
    breaks: bool = False
    """Something other than a space, hyphen, dot or underscore stands between this word and the next."""

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()


def words(text: str) -> list[Word]:
    """Split a text into words with offsets."""
    found = []
    for match in WORD.finditer(text):
        raw = match.group()
        bare = _POSSESSIVE.sub("", raw)
        if bare.casefold() in {"it", "that", "what", "who", "there", "here", "he", "she", "let", "how", "where"}:
            bare = raw  # "it's" is a contraction
        after = text[match.end() : match.end() + 2].strip()
        breaks = bool(after) and not after[0].isalnum() and after[0] not in "-_.@" or raw != bare
        if after[:1] == "." and not text[match.end() + 1 : match.end() + 2].isalnum():
            breaks = len(bare) > 1  # the dot of an initial does not part a name
        found.append(Word(bare.rstrip("'’ʼ"), fold(bare), match.start(), match.end(), raw != bare, breaks))
    return [word for word in found if word.folded]


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a question: `words[first:last]`."""

    first: int
    last: int
    authors: tuple[str, ...]
    ordinary: bool = False
    """Also an everyday word, so that only its place in the sentence can make it a name."""


class NameIndex:
    """The names of all authors, ready to be recognised."""

    def __init__(self, authors: Iterable[str]) -> None:
        self._forms: dict[str, tuple[set[str], bool]] = {}
        self._parts: dict[str, set[str]] = {}
        for author in authors:
            self._add(author)
        self._longest = max(map(len, self._forms), default=0)

    def _add(self, author: str) -> None:
        spaced = _CAMEL.sub(" ", author) if " " not in author else author
        parts = [fold(part) for part in re.split(r"[\W_]+", spaced) if fold(part)]
        self._parts[author] = {*parts, fold(author)}
        self._form(fold(author), author, ordinary=fold(author) in ORDINARY | FUNCTION_WORDS)
        if len(parts) > 1:
            self._form(parts[0] + parts[-1], author, ordinary=False)
        # Parts of a handle such as "the gears to ascension" are words, those of "Ann Lee" are names.
        person = 1 < len(parts) <= 4 and all(re.fullmatch(r"[^\W\d_].*", part) for part in parts)
        capitals = all(part[:1].isupper() for part in re.split(r"[\W_]+", spaced) if part)
        for part in parts if person else ():
            if len(part) > 2 and part not in FUNCTION_WORDS - {"will", "may"}:
                self._form(part, author, ordinary=not capitals or part in ORDINARY)

    def _form(self, form: str, author: str, *, ordinary: bool) -> None:
        authors, was = self._forms.setdefault(form, (set(), ordinary))
        authors.add(author)
        self._forms[form] = (authors, was and ordinary)

    def find(self, found: Sequence[Word], known: Callable[[str], bool] | None = None) -> list[Mention]:
        """Mentions of authors in reading order, without overlaps; the longest name wins.

        Args:
            found: The words of a text, from `words`.
            known: Whether a word occurs in the comments; such a word is not taken for a misspelt name.
        """
        mentions: list[Mention] = []
        taken: set[int] = set()
        for matcher in (self._exact, lambda run: self._close(run, known)):
            for size in range(min(6, len(found)), 0, -1):
                for first in range(len(found) - size + 1):
                    run = found[first : first + size]
                    if taken & set(range(first, first + size)) or any(word.breaks for word in run[:-1]):
                        continue
                    mention = matcher(run)
                    if mention and not self._part_of_longer_name(found, first, size, mention[0]):
                        taken |= set(range(first, first + size))
                        mentions.append(Mention(first, first + size, tuple(sorted(mention[0])), mention[1]))
        return sorted(mentions, key=lambda mention: mention.first)

    def _exact(self, run: Sequence[Word]) -> tuple[set[str], bool] | None:
        joined = "".join(word.folded for word in run)
        if len(joined) > self._longest:
            return None
        if hit := self._forms.get(joined):
            return hit
        if len(run) > 2 and any(len(word.folded) == 1 for word in run[1:-1]):  # "Ann B. Lee" is "Ann Bea Lee"
            return self._forms.get(run[0].folded + run[-1].folded)
        return None

    def _close(self, run: Sequence[Word], known: Callable[[str], bool] | None) -> tuple[set[str], bool] | None:
        joined = "".join(word.folded for word in run)
        if not 4 < len(joined) <= self._longest + 2 or any(word.folded in FUNCTION_WORDS for word in run):
            return None
        if len(run) == 1 and (joined in ORDINARY or (known and known(run[0].text))):
            return None
        near = [(self._distance(joined, form), form) for form in self._forms if abs(len(form) - len(joined)) < 3]
        best = min((distance for distance, _ in near if distance is not None), default=None)
        if best is None:
            return None
        authors = set().union(*(self._forms[form][0] for distance, form in near if distance == best))
        return authors, all(self._forms[form][1] for distance, form in near if distance == best)

    @staticmethod
    def _distance(typed: str, form: str) -> int | None:
        """Edits between two names, None where they may well be two people (Maria and Marla, Paul and Paula)."""
        if len(form) < 5 and (len(form) < 4 or len(typed) == len(form)):
            return None
        if typed[0] != form[0] or (typed[-1] != form[-1] and len(form) < 9):
            return None
        distance = OSA.distance(typed, form, score_cutoff=2)
        if distance > (2 if len(form) >= 9 else 1):
            return None
        substituted = len(typed) == len(form) and sorted(typed) != sorted(form)
        return None if substituted and len(form) < 6 else distance

    def _part_of_longer_name(self, found: Sequence[Word], first: int, size: int, authors: set[str]) -> bool:
        """Whether "Paul" is here the first half of "Paul Graham", who is somebody else than the authors called Paul."""
        if size > 1 or all(len(self._parts[author]) == 1 for author in authors):
            return False
        own = set().union(*(self._parts[author] for author in authors))
        after = found[first + 1] if first + 1 < len(found) and not found[first].breaks else None
        before = found[first - 1] if first and not found[first - 1].breaks else None
        return any(
            word is not None
            and word.capital
            and word.text.isalpha()
            and len(word.text) > 1
            and not word.text.isupper()
            and word.folded not in own | FUNCTION_WORDS
            and word.start > 0
            for word in (before, after)
        )
