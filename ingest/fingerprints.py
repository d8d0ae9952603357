"""The words of a text, and keys by which texts with the same words, or nearly the same, are known."""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata
from collections.abc import Set

from ingest.formulas import protected_ranges

SAME_WORDS = 0.7
"""Jaccard similarity of word triples above which two texts are versions of one comment."""
_EDGE = 40
"""Characters at either end of a line by which it is known again."""
_PERMUTATIONS, _BAND = 64, 4
_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Words alone: line breaks, typographic quotes and spacing differ between snapshots of the same comment."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def prose_words(text: str) -> list[str]:
    """Words outside of formulas, which saved pages have lost; all where there are no others."""
    kept, at = [], 0
    for start, end in protected_ranges(text):
        if text[start] in "$\\":  # code stays
            kept.append(text[at:start])
            at = end
    return words_of(" ".join([*kept, text[at:]])) or words_of(text)


def triples(text: str) -> set[str]:
    """All runs of three words of prose."""
    words = prose_words(text)
    return {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))} if words else set()


def similarity(a: str, b: str) -> float:
    """Jaccard similarity of the word triples of two texts."""
    return overlap(triples(a), triples(b))


def overlap(one: Set[str], other: Set[str]) -> float:
    """Jaccard similarity of two sets."""
    return len(one & other) / len(one | other) if one or other else 0.0


def text_hash(text: str) -> str:
    """Of the words; of the text itself where it has none."""
    return hashlib.sha256((" ".join(words_of(text)) or text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def line_keys(line: str) -> tuple[int, int]:
    """Two keys by which a long line is known again in another source, even if some of its words were edited.

    Emphasis and typographic quotes do not count, but the mark of a quotation does: quoted lines begin no comment of their own.
    """
    told = " ".join(prose_words(line)) or line
    mark = ">" if line.startswith(">") else ""
    return number_of(f"^{mark}{told[:_EDGE]}"), number_of(f"${mark}{told[-_EDGE:]}")


def near_duplicate_bands(text: str) -> list[int]:
    """Keys that texts with nearly the same words share: MinHash in bands (Broder 1997; Leskovec et al., ch. 3)."""
    found = triples(text)
    if len(found) < 8:
        return []
    from datasketch import MinHash

    signature = MinHash(num_perm=_PERMUTATIONS, seed=1)
    signature.update_batch([triple.encode("utf-8", "surrogatepass") for triple in found])
    values = signature.hashvalues
    return [
        number_of(struct.pack(f"<I{_BAND}Q", at, *map(int, values[at : at + _BAND])))
        for at in range(0, _PERMUTATIONS, _BAND)
    ]


def number_of(data: str | bytes) -> int:
    """A hash that SQLite can hold as an integer."""
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little", signed=True)
