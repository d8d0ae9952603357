"""Search by words: BM25 over the passages, kept on disk and mapped into memory.

The only module that knows bm25s. Does not know about authors or dates: what may be found is passed in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache, reduce
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from rag.language.letters import unaccented
from rag.language.spelling import american

RULES = 2
"""Raised when `stems` changes: an index that was written by other rules is written anew by the next ingest."""
_ARRAYS = ("ids", "order", "words")
"""Files beside those of bm25s: ids of passages, the rows of the ids in sorted order, hashes of the vocabulary."""
K1 = 1.5
B = 0.75
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
"""A word, with its apostrophes."""


class LexicalIndex:
    """BM25 (Robertson and Zaragoza 2009, in Lucene's form) over stemmed words.

    On disk the vocabulary is a sorted array of word hashes, the scores are a sparse matrix; both are
    memory-mapped, so that opening costs the same for any size.
    """

    def __init__(self, ids: np.ndarray, order: np.ndarray, words: np.ndarray, scores: Any) -> None:
        self._ids, self._order, self._words, self._scores = ids, order, words, scores

    @classmethod
    def build(cls, ids: Sequence[str], texts: Iterable[str], folder: Path) -> LexicalIndex:
        """Write an index of `texts` to a new folder and open it.

        Args:
            ids: One per text, all different.
            texts: What to index, in the order of `ids`.
            folder: Created; what was there is overwritten. Build beside the index in use and switch after.
        """
        from bm25s import BM25

        folder.mkdir(parents=True, exist_ok=True)
        documents = [[_hash(stem) for stem in stems(text)] for text in texts]
        words = np.unique(np.fromiter((word for document in documents for word in document), dtype=np.uint64))
        rows = [np.searchsorted(words, np.array(document, dtype=np.uint64)).tolist() for document in documents]
        bm25 = BM25(k1=K1, b=B)
        bm25.vocab_dict = {}
        # bm25s divides by the mean length: a word beyond the vocabulary stands in for texts without any.
        bm25.scores = bm25.build_index_from_ids(
            unique_token_ids=range(len(words) + 1),
            corpus_token_ids=[row or [len(words)] for row in rows] or [[len(words)]],
            show_progress=False,
        )
        bm25.save(folder, show_progress=False)
        names = np.array(ids, dtype=np.str_)
        for name, array in zip(_ARRAYS, (names, np.argsort(names), words), strict=True):
            np.save(folder / f"{name}.npy", array)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> LexicalIndex:
        """Map an index into memory.

        Raises:
            OSError: There is no index in `folder`.
            EOFError, KeyError, ValueError: It is damaged.
        """
        from bm25s import BM25

        bm25 = BM25.load(folder, mmap=True, load_vocab=False, show_progress=False)
        # Plain views of the mapped files: NumPy's own class for them makes each access several times slower.
        bm25.scores = {
            name: np.asarray(part) if isinstance(part, np.memmap) else part for name, part in bm25.scores.items()
        }
        ids, order, words = (np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in _ARRAYS)
        return cls(ids, order, words, bm25)

    def __len__(self) -> int:
        return len(self._ids)

    def _rows(self, ids: Collection[str]) -> np.ndarray:
        """Row numbers of passages; unknown ids are left out."""
        wanted = np.array(sorted(ids), dtype=np.str_)
        if not len(wanted) or not len(self._ids):
            return np.empty(0, dtype=np.int64)
        places = np.searchsorted(self._ids, wanted, sorter=self._order)
        rows = self._order[np.minimum(places, len(self._ids) - 1)]
        return rows[self._ids[rows] == wanted]

    def search(self, query: str, limit: int, allowed: Collection[str] | None = None) -> list[tuple[str, float]]:
        """Find the passages that share words with the query.

        Args:
            query: Words in any form; their order does not matter.
            limit: Most results.
            allowed: Ids that may be found; None for all.

        Returns:
            Ids with their BM25 scores, best first; none with score 0.
        """
        words = self._known(stems(query))
        if not words or limit < 1:
            return []
        scores = self._scores.get_scores_from_ids(words)
        if allowed is None:
            candidates = np.flatnonzero(scores > 0)  # several times faster than on floats
        else:
            rows = self._rows(allowed)
            candidates = rows[scores[rows] > 0]
        if len(candidates) > limit:
            candidates = candidates[np.argpartition(-scores[candidates], limit - 1)[:limit]]
        ranked = candidates[np.lexsort((candidates, -scores[candidates]))]
        return [(str(self._ids[row]), float(scores[row])) for row in ranked]

    def holding(self, words: str, allowed: Collection[str] | None = None) -> list[str]:
        """Ids of all passages that have each of these words, in any form with the same stem, in the order of the index."""
        wanted = set(stems(words))
        known = self._known(sorted(wanted))
        if not wanted or len(known) < len(wanted):
            return []
        indices, starts = self._scores.scores["indices"], self._scores.scores["indptr"]
        rows = reduce(np.intersect1d, (indices[starts[word] : starts[word + 1]] for word in known))
        if allowed is not None:
            rows = np.intersect1d(rows, self._rows(allowed))
        return [str(self._ids[row]) for row in rows]

    def knows(self, word: str) -> bool:
        """Whether the word, in any form with the same stem, is in the index; parts of a compound count for it."""
        found = stems(word)
        return bool(found) and len(self._known(found)) == len(found)

    def known_among(self, words: Sequence[str]) -> list[str]:
        """Those of many single words that `knows` is true for, looked up together."""
        hashes = np.array([_hash(_stem(word)) for word in words], dtype=np.uint64)
        if not len(hashes) or not len(self._words):
            return []
        places = np.minimum(np.searchsorted(self._words, hashes), len(self._words) - 1)
        return [word for word, found in zip(words, self._words[places] == hashes, strict=True) if found]

    def rarity(self, word: str) -> float:
        """How rare a word is: 0 if every passage has it, 1 if none has; on the logarithmic scale of BM25's idf."""
        known = self._known(stems(word))
        most = np.log1p(2 * len(self) + 1)
        if not known:
            return 1.0
        counts = [self._scores.scores["indptr"][row + 1] - self._scores.scores["indptr"][row] for row in known]
        return float(max(np.log1p((len(self) - n + 0.5) / (n + 0.5)) for n in counts) / most)

    def _known(self, found: Sequence[str]) -> list[int]:
        hashes = np.array([_hash(stem) for stem in found], dtype=np.uint64)
        places = np.searchsorted(self._words, hashes)
        return [
            int(place)
            for place, value in zip(places, hashes, strict=False)
            if place < len(self._words) and self._words[place] == value
        ]


def stems(text: str) -> list[str]:
    """The words of a text as the index sees them: in lower case, without accents, in American spelling, as English stems (Porter 2),
    without stop words.

    Compounds such as "late-night" count as their parts.
    """
    words = WORD.findall(unicodedata.normalize("NFC", text.lower()).replace("’", "'"))
    return [_stem(word) for word in words if word not in STOP_WORDS]


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    return _stemmer().stemWord(american(unaccented(word)))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from Stemmer import Stemmer

    return Stemmer("english", 0)


@lru_cache(maxsize=1 << 16)
def _hash(stem: str) -> int:
    return int.from_bytes(blake2b(stem.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


STOP_WORDS = frozenset(
    """a an and are as at be but by for from had has have if in into is it its no not of on or s such t that the their
    then there these they this to was were will with what which who whom whose when where why how does do did
    can could should would may might must i me my we our you your he his she her them those am been being than so
    about""".split()
)
