"""Find the names of indexed authors in a text.

Knows full names, handles, slugs, first and last names, any case, diacritics, underscores, possessives and small typos.
Does not decide whether a name is meant as the speaker (see questions.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import OSA

from rag.english import COMMON_WORDS, FUNCTION_WORDS, NAMES_THAT_ARE_WORDS
from rag.records import author_key

__all__ = ["FUNCTION_WORDS", "Mention", "NameIndex", "Word", "fold", "same_name", "words"]

WORD = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*['’ʼ]?")
_POSSESSIVE = re.compile(r"(?:['’ʼ]s|(?<=s)['’ʼ])$", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss"})


_EVERYDAY = FUNCTION_WORDS | COMMON_WORDS | NAMES_THAT_ARE_WORDS


def fold(text: str) -> str:
    """Lower-case letters and digits only, without diacritics: the form in which names are compared."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
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


def words(text: str) -> list[Word]:
    """Split a text into words with offsets."""
    found = []
    for match in WORD.finditer(text):
        raw = match.group()
        bare = _POSSESSIVE.sub("", raw)
        if bare.casefold() in {"it", "that", "what", "who", "there", "here", "he", "she", "let", "how", "where"}:
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


@dataclass(slots=True)
class _Form:
    """One way to write some authors' names, folded."""

    authors: set[str]
    everyday: bool
    whole: bool


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
                self._form(form, label, everyday=False)
        self._longest = max(map(len, self._forms), default=0)
        self._similar: dict[tuple[str, int], list[str]] = {}
        for form in self._forms:
            self._similar.setdefault((form[0], len(form)), []).append(form)

    def _add(self, author: str) -> None:
        spaced = _CAMEL.sub(" ", author) if " " not in author else author
        written = [part for part in re.split(r"[\W_]+", spaced) if fold(part)]
        parts = [fold(part) for part in written]
        whole = "".join(parts)
        if not whole:
            return
        self._parts[author] = {*parts, whole}
        self._form(whole, author, everyday=all(part in _EVERYDAY for part in parts))
        bare = whole.rstrip("0123456789")
        if bare != whole and len(bare) > 3:  # "tidewright" for "tidewright_77"
            self._form(bare, author, everyday=bare in _EVERYDAY)
        if len(parts) > 2:
            self._form(parts[0] + parts[-1], author, everyday=False)
        # Parts of a handle such as "the gears to ascension" are words, those of "Ann Lee" are names.
        named = 1 < len(parts) <= 4 and all(part[0].isalpha() for part in parts)
        for part in parts if named else ():
            if len(part) > 2 and part not in FUNCTION_WORDS - {"will", "may"}:
                self._form(part, author, everyday=part in _EVERYDAY, whole=False)

    def _form(self, form: str, author: str, *, everyday: bool, whole: bool = True) -> None:
        known = self._forms.setdefault(form, _Form(set(), everyday, whole))
        if whole and not known.whole:  # a handle "paul" is meant before all the Pauls
            known = self._forms[form] = _Form(set(), everyday, whole)
        if whole == known.whole:
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
                    if form and not self._part_of_longer_name(found, first, size, form):
                        taken |= set(range(first, first + size))
                        authors = tuple(sorted(form.authors))
                        mentions.append(Mention(first, first + size, authors, form.everyday, form.whole))
        return sorted(mentions, key=lambda mention: mention.first)

    def _exact(self, run: Sequence[Word]) -> _Form | None:
        joined = "".join(word.folded for word in run)
        if form := self._forms.get(joined):
            return form
        if len(run) > 2 and any(len(word.folded) == 1 for word in run[1:-1]):  # "Ann B. Lee" is "Ann Bea Lee"
            return self._forms.get(run[0].folded + run[-1].folded)
        return None

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
        return _Form(authors, False, all(form.whole for form in best))

    def _word_by_word(self, run: Sequence[Word], authors: set[str]) -> bool:
        """Whether each word by itself is close to a part of the name: "Zola Müller" is not "Zoë Müller"."""
        if len(run) == 1:
            return True
        parts = set().union(*(self._parts[author] for author in authors))
        return all(word.folded in parts or any(_edits(word.folded, part) for part in parts) for word in run)

    def _part_of_longer_name(self, found: Sequence[Word], first: int, size: int, form: _Form) -> bool:
        """Whether "Paul" is here the first half of "Paul Graham", who is somebody else than the authors called Paul."""
        joined = "".join(word.folded for word in found[first : first + size])
        if joined in self._forms and (size > 1 or all(len(self._parts[author]) == 1 for author in form.authors)):
            return False
        own = set().union(*(self._parts[author] for author in form.authors))
        after = found[first + 1] if first + 1 < len(found) and not found[first].breaks else None
        before = found[first - 1] if first and not found[first - 1].breaks else None
        return any(
            word is not None
            and word.capital
            and word.start > 0
            and word.text.isalpha()
            and len(word.text) > 1
            and not word.text.isupper()
            and word.folded not in own | FUNCTION_WORDS
            for word in (before, after)
        )


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
