"""Find the names of indexed authors in a text.

Knows full names, handles, slugs, first and last names, any case, diacritics, underscores, possessives and small typos.
Does not decide whether a name is meant as the speaker (see roles.py).
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import OSA

from rag.language.english import COMMON_WORDS, FUNCTION_WORDS, NAMES_OF_NOBODY, NAMES_THAT_ARE_WORDS
from rag.language.letters import WITHOUT_MARK
from rag.records import author_key

WORD = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*['’ʼ]?")
_POSSESSIVE = re.compile(r"(?:['’ʼ]s|(?<=s)['’ʼ])$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


_EVERYDAY = FUNCTION_WORDS | COMMON_WORDS | NAMES_THAT_ARE_WORDS | NAMES_OF_NOBODY
_TITLES = frozenset("dr mr mrs ms prof professor sir".split())


def fold(text: str) -> str:
    """Lower-case letters and digits only, without diacritics: the form in which names are compared."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(WITHOUT_MARK)
    return "".join(char for char in plain if char.isalnum())


def same_name(name: str, people: Collection[str]) -> list[str]:
    """Those of `people` that a name means: the same but for case and underscores, else but for accents and punctuation."""
    exact = [person for person in people if author_key(person) == author_key(name)]
    return exact or [person for person in people if (folded := fold(person)) and folded == fold(name)]


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


_CONTRACTING = frozenset("it that what who there here he she let how where when why".split())
CONTRACTIONS = frozenset(f"{word}{rest}" for word in _CONTRACTING for rest in ("s", "re", "d", "ll", "ve"))
"""As `fold` writes them: "whats", "whod"."""


def words(text: str) -> list[Word]:
    """Split a text into words with offsets."""
    found = []
    for match in WORD.finditer(text):
        raw = match.group()
        bare = _POSSESSIVE.sub("", raw)
        if bare.casefold() in _CONTRACTING:
            bare = raw  # "it's" is a contraction
        after = text[match.end() : match.end() + 2].strip()
        breaks = (bool(after) and not after[0].isalnum() and after[0] not in "-_.@") or raw != bare
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
    whole: bool = True
    """The whole name or handle, not just a first or last name."""


PART, SHORTENED, WHOLE = range(3)
"""How much of a name a form is. Who bears it whole is meant before those who bear more than it: a handle "paul" before all the
Pauls, "Ann Lee" before "Ann Marie Lee"."""


@dataclass(slots=True)
class _Form:
    """One way to write some authors' names, folded."""

    authors: set[str]
    everyday: bool
    rank: int


_TRACE = re.compile(r"\(([^()]{3,})\)\s*$")


class NameIndex:
    """The names of all authors, ready to be recognised.

    Args:
        authors: Their names.
        labels: Labels of authors without a name; what stands in brackets, as in "unnamed profile (example.org)", names them.
    """

    def __init__(self, authors: Iterable[str], labels: Iterable[str] = ()) -> None:
        self._forms: dict[str, _Form] = {}
        self._parts: dict[str, set[str]] = {}
        for author in authors:
            self._add(author)
        for label in labels:
            if (trace := _TRACE.search(label)) and (form := fold("".join(re.split(r"[\W_]+", trace[1])))):
                self._parts[label] = {form}
                self._form(form, label, WHOLE, everyday=False)
        self._longest = max(map(len, self._forms), default=0)
        self._similar: dict[tuple[str, int], list[str]] = {}
        for form in self._forms:
            self._similar.setdefault((form[0], len(form)), []).append(form)

    def __contains__(self, form: str) -> bool:
        """Whether a folded word or run of words names somebody, or is part of a name, and is no everyday word."""
        return form in self._forms and not self._forms[form].everyday

    def _add(self, author: str) -> None:
        spaced = _CAMEL.sub(" ", author) if " " not in author else author
        written = [part for part in re.split(r"[\W_]+", spaced) if fold(part)]
        parts = [fold(part) for part in written]
        whole = "".join(parts)
        if not whole:
            return
        self._parts[author] = set(parts)
        self._form(whole, author, WHOLE, everyday=all(part in _EVERYDAY for part in parts))
        bare = whole.rstrip(string.digits)
        if bare != whole and len(bare) > 3:  # "tidewright" for "tidewright_77"
            self._form(bare, author, SHORTENED, everyday=bare in _EVERYDAY)
        parts = [part for part in (*parts[:-1], parts[-1].rstrip(string.digits)) if part]
        if len(parts) > 2:
            self._form(parts[0] + parts[-1], author, SHORTENED, everyday=False)
        # Parts of a handle such as "the gears to ascension" are words, those of "Ann Lee" are names.
        most = 6 if written[0][0].isupper() and written[-1][0].isupper() else 4
        if 1 < len(parts) <= most and all(part[0].isalpha() for part in parts):
            self._add_parts(author, written, parts)

    def _add_parts(self, author: str, written: Sequence[str], parts: Sequence[str]) -> None:
        for part, letters in zip(parts, written, strict=False):
            long = len(part) > 2 or (len(part) == 2 and letters.istitle())  # "Xu"
            if long and part not in FUNCTION_WORDS - {"will", "may"}:
                self._form(part, author, PART, everyday=part in _EVERYDAY)
        for first in range(
            len(parts)
        ):  # "Mary Ann" and "Jean-Luc" are first names, "O'Neill" and "van der Berg" last names
            for last in range(first + 2, len(parts) + 1):
                run = parts[first:last]
                if last - first < len(parts) and not all(part in _EVERYDAY for part in run):
                    self._form("".join(run), author, PART, everyday=False)

    def _form(self, form: str, author: str, rank: int, *, everyday: bool) -> None:
        known = self._forms.setdefault(form, _Form(set(), everyday, rank))
        if rank > known.rank:
            known = self._forms[form] = _Form(set(), everyday, rank)
        if rank == known.rank:
            known.authors.add(author)
            known.everyday = known.everyday and everyday

    def find(self, found: Sequence[Word], known: Callable[[str], bool] | None = None) -> list[Mention]:
        """Mentions of authors in reading order, without overlaps; the longest name wins.

        Args:
            found: The words of a text, from `words`.
            known: Whether a word occurs in the comments; such a word is not taken for a misspelt name.
        """
        known = known and cache(known)
        mentions: list[Mention] = []
        taken: set[int] = set()
        for size in range(min(6, len(found)), 0, -1):
            for matcher in (self._exact, lambda run: self._close(run, known)):
                for first in range(len(found) - size + 1):
                    run = found[first : first + size]
                    if taken & set(range(first, first + size)) or any(word.breaks for word in run[:-1]):
                        continue
                    form = matcher(run)
                    if not form or (form.rank == PART and _is_short_word(run, found)):
                        continue
                    if not self._part_of_longer_name(found, first, size, form):
                        begin = first - 1 if first and found[first - 1].folded in _TITLES else first
                        taken |= set(range(begin, first + size))
                        authors = tuple(sorted(form.authors))
                        mentions.append(Mention(begin, first + size, authors, form.everyday, form.rank > PART))
        return sorted(mentions, key=lambda mention: mention.first)

    def _exact(self, run: Sequence[Word]) -> _Form | None:
        joined = "".join(word.folded for word in run)
        if form := self._forms.get(joined):
            return form
        if len(run) > 2 and any(len(word.folded) == 1 for word in run[1:-1]):  # "Ann B. Lee" is "Ann Bea Lee"
            return self._forms.get(run[0].folded + run[-1].folded)
        if len(run) == 2:
            return self._with_initial(*run) or self._with_initial(*reversed(run)) or self._without_initial(*run)
        return None

    def _with_initial(self, name: Word, initial: Word) -> _Form | None:
        """Daniel Kokotajlo, but no other Daniel, for "Daniel K."."""
        form = self._forms.get(name.folded)
        if form is None or not _is_initial(initial):
            return None
        # A handle "daniel" is not all there is to "Daniel K." where some Daniel has a last name.
        fitting = {
            author
            for author, parts in self._parts.items()
            if name.folded in parts and any(part != name.folded and part.startswith(initial.folded) for part in parts)
        }
        return _Form(fitting, False, min(form.rank, SHORTENED)) if fitting else None

    def _without_initial(self, first: Word, last: Word) -> _Form | None:
        """The handle "paulfchristiano" for "Paul Christiano"."""
        if min(len(first.folded), len(last.folded)) < 3:
            return None
        forms = (self._forms.get(first.folded + letter + last.folded) for letter in string.ascii_lowercase)
        authors = {author for form in forms if form for author in form.authors if len(self._parts[author]) == 1}
        return _Form(authors, False, WHOLE) if authors else None

    def _close(self, run: Sequence[Word], known: Callable[[str], bool] | None) -> _Form | None:
        joined = "".join(word.folded for word in run)
        if not 3 < len(joined) <= self._longest + 2 or len(run) > 4 or any(word.folded in _EVERYDAY for word in run):
            return None
        if known and all(known(word.text) for word in run):
            return None
        near: dict[int, list[_Form]] = {}
        for length in range(len(joined) - 2, len(joined) + 3):
            for form in self._similar.get((joined[0], length), ()):
                distance = _edits(joined, form)
                if distance and not self._forms[form].everyday and self._word_by_word(run, self._forms[form].authors):
                    near.setdefault(distance, []).append(self._forms[form])
        if not near:
            return None
        best = near[min(near)]
        authors = set().union(*(form.authors for form in best))
        return _Form(authors, False, min(form.rank for form in best))

    def _word_by_word(self, run: Sequence[Word], authors: set[str]) -> bool:
        """Whether each word by itself is close to a part of the name: "Zola Müller" is not "Zoë Müller"."""
        if len(run) == 1:
            return True
        parts = set().union(*(self._parts[author] for author in authors))
        return all(word.folded in parts or any(_edits(word.folded, part) for part in parts) for word in run)

    def _has_namesake(self, found: Sequence[Word], place: int) -> bool:
        """Whether "Ann" in "Ann Maria Lee" begins the name of another than the handle: some Ann here is called Lee."""
        behind = set(_capitals_behind(found, place))
        return any(found[place].folded in parts and not behind.isdisjoint(parts) for parts in self._parts.values())

    def _part_of_longer_name(self, found: Sequence[Word], first: int, size: int, form: _Form) -> bool:
        """Whether "Paul" is here the first half of "Paul Graham", who is somebody else than the authors called Paul."""
        joined = "".join(word.folded for word in found[first : first + size])
        if joined in self._forms and (
            (size > 1 and form.rank > PART) or all(len(self._parts[author]) == 1 for author in form.authors)
        ):
            return size == 1 and self._has_namesake(found, first)
        own = set().union(*(self._parts[author] for author in form.authors)) | _TITLES
        return any(
            word is not None
            and word.capital
            and word.start > 0
            and word.text.isalpha()
            and (_is_initial(word) or not word.text.isupper())
            and word.folded not in FUNCTION_WORDS
            for word in (_beside(found, first, -1, own), _beside(found, first + size - 1, 1, own))
        )


def _capitals_behind(found: Sequence[Word], place: int) -> Iterator[str]:
    """The words with capitals that follow one without anything between, folded."""
    while place + 1 < len(found) and not found[place].breaks and found[place + 1].capital:
        place += 1
        yield found[place].folded


def _beside(found: Sequence[Word], place: int, step: int, own: set[str]) -> Word | None:
    """The nearest word before or after one that is not of `own`; None if something stands between."""
    while 0 <= place + step < len(found) and not found[min(place, place + step)].breaks:
        place += step
        if found[place].folded not in own:
            return found[place]
    return None


def _is_short_word(run: Sequence[Word], found: Sequence[Word]) -> bool:
    """Whether two letters are not written as a name: "AI" is not "Ai", nor is "ai" where names have capitals."""
    if len(run) > 1 or len(run[0].folded) > 2:
        return False
    return not run[0].text.istitle() and any(word.capital for word in found)


def _is_initial(word: Word) -> bool:
    return len(word.text) == 1 and word.text.isupper() and word.text != "I"


def _edits(typed: str, form: str) -> int | None:
    """Edits between two names, None where they may well be two people (Maria and Marla, Paul and Paula)."""
    distance = OSA.distance(typed, form, score_cutoff=2)
    if distance > (2 if len(form) > 8 else 1) or len(form) < 4:
        return None
    same_letters = sorted(typed) == sorted(form)
    if len(typed) == len(form) and not same_letters and len(form) < 6:
        return None
    if typed[-1] != form[-1] and not same_letters and len(form) < 9:
        return None
    return distance
