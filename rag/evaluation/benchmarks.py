"""Public collections with known answers, read from their folders and put to `rag.search`.

Two formats are known:

chunking   Chroma's chunking evaluation (Smith and Troynikov 2024): `questions.csv` with the columns question, references and
           corpus_id, and one `<corpus_id>.md` for each corpus. Measured over characters, as in its `general_evaluation`.
beir       BEIR (Thakur et al. 2021): `corpus.jsonl` with _id, title and text, `queries.jsonl` with _id and text, and judgements
           in `qrels/test.tsv` or other `qrels/*.tsv`. Measured over documents, by `ir-measures`.

Does not ingest: that is for the caller, with the files that `files` writes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

from rag import api
from rag.errors import SourceError
from rag.evaluation.gold import Gold, Question
from rag.evaluation.measures import DEPTH, Evaluation, Progress, evaluate_search, ranking_measures
from rag.records import Passage, Span
from rag.retrieval.near_duplicates import PER_COMMENT
from rag.settings import Settings

DOCUMENTS = 100
"""Documents that are ranked, for recall@100."""
EXPECTED = (
    "Expected was a collection for chunking (questions.csv with question, references and corpus_id, and a <corpus_id>.md for each "
    "corpus) or one in BEIR's format (corpus.jsonl with _id, title and text, queries.jsonl with _id and text, and qrels/test.tsv "
    "or other qrels/*.tsv)."
)


def load_benchmark(folder: Path) -> Chunking | Beir:
    """Read the collection in a folder.

    Raises:
        SourceError: The folder has neither format, or a file of it cannot be read; the message names file and line.
    """
    if (folder / "questions.csv").is_file():
        return Chunking.load(folder)
    if (folder / "corpus.jsonl").is_file() and (folder / "queries.jsonl").is_file():
        return Beir.load(folder)
    raise SourceError(f"{folder} is no collection of questions. {EXPECTED}")


def half(question: str) -> str:
    """Which half a question belongs to, by a hash: settle anything on "tune", publish figures on "report"."""
    return "tune" if int(hashlib.sha256(question.encode()).hexdigest(), 16) % 2 else "report"


@dataclass(frozen=True)
class Chunking:
    """A collection for chunking: corpora that are searched together, and questions with gold spans of one of them."""

    corpora: tuple[Path, ...]
    questions: tuple[Question, ...]
    columns: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Chunking:
        """Read questions.csv and list the corpora.

        Raises:
            SourceError: A row is not a question, or its corpus is missing or shorter than a span says.
        """
        corpora = tuple(path for path in sorted(folder.glob("*.md")) if path.stem.casefold() != "readme")
        lengths = {path.stem: len(_text(path)) for path in corpora}
        questions = []
        for number, row in enumerate(csv.DictReader(_table(folder / "questions.csv")), 1):
            try:
                questions.append(_chunking_question(row, number, lengths))
            except (ValueError, KeyError, TypeError) as exc:
                raise SourceError(
                    f"{folder / 'questions.csv'}: row {number} is not a question ({exc!r}). {EXPECTED}"
                ) from exc
        return cls(corpora, tuple(questions))

    def of(self, split: str) -> Chunking:
        """The same with the questions of one half."""
        return replace(self, questions=tuple(question for question in self.questions if question.split == split))

    def files(self, folder: Path) -> Sequence[Path]:
        """What is to be ingested: the corpora, copied to `folder` so that an index that is kept knows them by the same names
        wherever the collection lies."""
        return [Path(shutil.copyfile(path, folder / path.name)) for path in self.corpora]

    def evaluate(self, settings: Settings, progress: Progress = lambda done: None) -> Evaluation:
        """Search for all questions in the index that the settings name.

        Recall, precision and IoU at 5 over characters are those of `general_evaluation`: what is retrieved twice counts twice
        as retrieved and once as found, and means are taken over the questions.
        """

        def search(question: Question) -> list[Passage]:
            return api.search(question.text, DEPTH, settings=settings)

        about = {"kind": "chunking", "embedding_model": settings.embedding_model}
        return evaluate_search(self.questions, search, about=about, progress=progress)


def _chunking_question(row: Mapping[str, str], number: int, lengths: Mapping[str, int]) -> Question:
    corpus, text = row["corpus_id"], row["question"]
    spans = _joined((item["start_index"], item["end_index"]) for item in json.loads(row["references"]))
    if corpus not in lengths:
        raise ValueError(f"there is no {corpus}.md")
    if not spans or spans[0][0] < 0 or spans[-1][1] > lengths[corpus] or any(start >= end for start, end in spans):
        raise ValueError(f"references are no spans of {corpus}.md, which has {lengths[corpus]} characters")
    gold = tuple(Gold((Span(f"{corpus}.md", start, end),)) for start, end in spans)
    return Question(str(number), text, corpus, gold, split=half(text))


def _joined(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping spans as one: each character counts once."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


@dataclass(frozen=True)
class Query:
    """A question of a BEIR collection, with the grades of the documents that bear on it."""

    id: str
    text: str
    relevant: Mapping[str, int]

    @property
    def split(self) -> str:
        return half(self.text)


@dataclass(frozen=True)
class Beir:
    """A collection in BEIR's format: documents, and questions with judgements of whole documents."""

    corpus: Path
    questions: tuple[Query, ...]
    columns: Mapping[str, str] = field(default_factory=lambda: {"text": "text"})

    @classmethod
    def load(cls, folder: Path) -> Beir:
        """Read queries and judgements; queries without a relevant document are left out, as in BEIR.

        Raises:
            SourceError: A line is not what it should be, or there are no judgements.
        """
        judged = _judgements(folder)
        texts = {str(row["_id"]): row["text"] for _, row in _lines(folder / "queries.jsonl", "_id", "text")}
        queries = tuple(Query(id, texts[id], grades) for id, grades in judged.items() if id in texts)
        if not queries:
            raise SourceError(f"{folder}: no query of queries.jsonl has a relevant document in qrels. {EXPECTED}")
        return cls(folder / "corpus.jsonl", queries)

    def of(self, split: str) -> Beir:
        """The same with the questions of one half."""
        return replace(self, questions=tuple(question for question in self.questions if question.split == split))

    def files(self, folder: Path) -> Sequence[Path]:
        """What is to be ingested: the documents as rows of one file in `folder`, title and text together as BEIR does it.

        Raises:
            SourceError: A line is no document.
        """
        path = folder / "corpus.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for number, text in self._texts():
                file.write(json.dumps({"id": f"row-{number}", "text": text}) + "\n")
        return [path]

    def evaluate(self, settings: Settings, progress: Progress = lambda done: None) -> Evaluation:
        """Search for all questions in the index that the settings name; a document ranks where its best stretch does.

        As in BEIR a document with the id of the question is the question itself, and is not counted as found. A question that
        asks what was written in a certain year finds nothing, since these documents have no dates: that is the search as shipped.
        """
        from ir_measures import RR, R, nDCG

        measures = {"ndcg@10": nDCG @ 10, "recall@10": R @ 10, "recall@100": R @ DOCUMENTS, "mrr": RR @ 10}
        names = {f"row-{number}": str(row["_id"]) for number, row in _lines(self.corpus, "_id")}
        ranked, rows = {}, {}
        for done, query in enumerate(self.questions, 1):
            started = time.perf_counter()
            hits = api.search(query.text, DOCUMENTS * PER_COMMENT, settings=settings)
            rows[query.id] = _row(query, 1000 * (time.perf_counter() - started))
            found = dict.fromkeys(names[hit.comment_id] for hit in hits)
            ranked[query.id] = [name for name in found if name != query.id][:DOCUMENTS]
            progress(done)
        figures = ranking_measures(measures, {query.id: query.relevant for query in self.questions}, ranked)
        about = {"kind": "beir", "collection": self.corpus.parent.name, "embedding_model": settings.embedding_model}
        return Evaluation(tuple(row | figures[id] for id, row in rows.items()), about)

    def _texts(self) -> Iterator[tuple[int, str]]:
        """Number of the line and text of each document; some collections have empty ones."""
        for number, row in _lines(self.corpus, "_id", "text"):
            text = "\n\n".join(part for part in (row.get("title"), row["text"]) if part and part.strip())
            if text:
                yield number, text


def _row(query: Query, milliseconds: float) -> dict[str, Any]:
    return {
        "id": query.id,
        "question": query.text,
        "type": "query",
        "split": query.split,
        "has_answer": True,
        "gold_count": len(query.relevant),
        "search_ms": milliseconds,
    }


def _judgements(folder: Path) -> dict[str, dict[str, int]]:
    """Query -> document -> grade, of the relevant ones: from test.tsv if there is one, else from all files."""
    test = folder / "qrels" / "test.tsv"
    paths = [test] if test.is_file() else sorted((folder / "qrels").glob("*.tsv"))
    if not paths:
        raise SourceError(f"{folder} has no judgements. {EXPECTED}")
    judged: dict[str, dict[str, int]] = {}
    for path in paths:
        for number, line in enumerate(_text(path).split("\n"), 1):
            fields = line.split("\t")
            if not line.strip() or (number == 1 and fields[-1].strip() == "score"):
                continue
            try:
                query, document, grade = fields[0], fields[1], int(fields[2])
            except (IndexError, ValueError) as exc:
                raise SourceError(
                    f"{path}:{number}: not a judgement. Write query-id, corpus-id and score with tabs between."
                ) from exc
            if grade > 0:
                judged.setdefault(query, {})[document] = grade
    return judged


def _lines(path: Path, *wanted: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, with their line numbers."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line, wanted, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError(f"{path} cannot be read ({exc}).") from exc


def _object(line: str, wanted: Sequence[str], where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        missing = [name for name in wanted if not isinstance(row[name], str | int)]
    except (ValueError, KeyError, TypeError) as exc:
        raise SourceError(f"{where}: not an object with {' and '.join(wanted)} ({exc!r}).") from exc
    if missing:
        raise SourceError(f"{where}: {' and '.join(missing)} must be a text.")
    return row


def _table(path: Path) -> StringIO:
    return StringIO(_text(path).removeprefix("\ufeff"), newline="")


def _text(path: Path) -> str:
    """A file's text with its newlines as they are, so that offsets hold."""
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError(f"{path} cannot be read ({exc}).") from exc
