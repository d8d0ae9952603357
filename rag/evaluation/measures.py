"""The keyless evaluation: how good retrieval, citations and abstention are on questions with exact answers.

Deterministic: no model judges. A question's gold is a set of spans of sources; everything is measured against those.

Retrieval  recall@k, MRR and nDCG@10 by `ir-measures`, where the documents are the gold spans and a passage stands for
           each span it covers; recall, precision and IoU over characters as in Chroma's chunking evaluation
           (Smith and Troynikov 2024).
Citations  recall: gold spans that the cited spans cover; precision: cited spans that touch gold. These are the
           definitions of ALCE (Gao et al. 2023) with gold spans in the place of its entailment model.
Model      with a chat model also the share of answers that are its own, since quotes answer where it fails.
Leakage    share of passages and citations by others than the persons whom a question names, where it names any.
Abstention share of answerable questions answered, of unanswerable ones declined, and the risk-coverage curve.

Questions are read by rag/evaluation/gold.py, public collections by rag/evaluation/benchmarks.py; tables and plots are made by
rag/evaluation/report.py.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rag import api
from rag.errors import SourceError
from rag.evaluation.gold import Gold, Question, check_questions
from rag.records import Answer, Passage, Span, author_key
from rag.settings import Settings

DEPTH = 10
"""Passages that are ranked."""
K = 5
"""Passages that count as found."""
COVERS = 0.5
"""Share of a gold span that must be covered to count as found."""
RESAMPLES = 10_000
AT_ONCE = 100
NO_MEASURES = ("answerable", "gold_count")
"""Numbers of a row that are not quality measures."""
Ask = Callable[["Question"], Sequence[Passage]]
Progress = Callable[[int], None]
"""Told after each question how many are done."""

SAMPLE_QUESTIONS = Path(__file__).parents[1] / "sample" / "questions.jsonl"
SAMPLE_COMMENTS = Path(__file__).parents[1] / "sample" / "comments"


@dataclass(frozen=True)
class Evaluation:
    """Figures per question, and what follows from them."""

    rows: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, float]:
        """Means over the questions that a measure is defined for."""
        return {name: statistics.fmean(values) for name, values in _columns(self.rows).items()}

    @property
    def counts(self) -> dict[str, int]:
        """Over how many questions each mean is taken."""
        return {name: len(values) for name, values in _columns(self.rows).items()}

    @property
    def kind(self) -> str:
        """What was asked: "questions", or the format of a public collection."""
        return str(self.settings.get("kind", "questions"))

    def values(self, name: str) -> list[float]:
        """One measure on all questions that it is defined for."""
        return _columns(self.rows).get(name, [])

    def by(self, column: str) -> dict[str, Evaluation]:
        """The evaluation of each group of questions: by "type" or "split"."""
        names = sorted({row.get(column, "") for row in self.rows} - {""})
        return {
            name: Evaluation(tuple(row for row in self.rows if row.get(column) == name), self.settings)
            for name in names
        }

    def risk_coverage(self) -> list[tuple[float, float | None, float | None]]:
        """Threshold on answerability, share of answerable questions answered, share of unanswerable ones answered.

        A share is None where there are no such questions. Empty where no questions were answered, as on collections for
        search alone.
        """
        judged = [row for row in self.rows if "answerable" in row]
        yes = [row["answerable"] for row in judged if row["has_answer"]]
        no = [row["answerable"] for row in judged if not row["has_answer"]]

        def answered(values: Sequence[float], threshold: float) -> float | None:
            return _share(value >= threshold for value in values) if values else None

        return [(n / 20, answered(yes, n / 20), answered(no, n / 20)) for n in range(21 if judged else 0)]

    def to_json(self) -> str:
        data = {
            "settings": dict(self.settings),
            "summary": self.summary,
            "counts": self.counts,
            "rows": list(self.rows),
        }
        return json.dumps(data, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, path: Path) -> Evaluation:
        """Read back what `to_json` wrote.

        Raises:
            SourceError: The file is not an evaluation.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(data, dict):
                raise ValueError("it is no object")
            rows, settings = data["rows"], data.get("settings", {})
            if not isinstance(settings, dict) or not all(isinstance(row, dict) and "id" in row for row in rows):
                raise ValueError("its rows are not those of questions")
            return cls(tuple(rows), settings)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise SourceError(
                f"{path} is no evaluation ({exc}). Make one with `commentariat eval --json FILE`."
            ) from exc


def evaluate(
    questions: Sequence[Question],
    settings: Settings,
    *,
    progress: Progress = lambda done: None,
) -> Evaluation:
    """Ask all questions and measure what is found and what is answered.

    Args:
        questions: From `rag.evaluation.gold.load_questions`.
        settings: The index, and who answers: with a chat model its answers are measured by the same means.
        progress: Told after each question how many are done.

    Raises:
        SourceError: The gold is not what stands in the index, or a question is too long.
    """
    check_questions(questions, settings)

    def search(question: Question) -> Sequence[Passage]:
        return api.search(question.text, DEPTH, question.history, question.filters, settings=settings)

    rows = []
    for done, question in enumerate(questions, 1):
        hits, row = _measure_search(question, search)
        rows.append(row | _measure_answer(question, hits, settings))
        progress(done)
    add_ranking_measures(rows)
    writer = api.answerer(settings).model_name
    about = {"kind": "questions", "llm": writer, "embedding_model": settings.embedding_model, "k": K}
    return Evaluation(tuple(rows), about)


def evaluate_search(
    questions: Sequence[Question],
    search: Ask,
    *,
    about: Mapping[str, Any] | None = None,
    progress: Progress = lambda done: None,
) -> Evaluation:
    """Measure search alone, on the questions that have an answer.

    Args:
        questions: From `rag.evaluation.gold.load_questions` or a collection of rag/evaluation/benchmarks.py.
        search: Gives the best passages for a question, `DEPTH` of them or fewer.
        about: What is recorded as `Evaluation.settings`.
        progress: Told after each question how many are done.
    """
    rows = []
    for done, question in enumerate((question for question in questions if question.gold), 1):
        rows.append(_measure_search(question, search)[1])
        progress(done)
    add_ranking_measures(rows)
    return Evaluation(tuple(rows), {**(about or {}), "k": K})


def _measure_search(question: Question, search: Ask) -> tuple[Sequence[Passage], dict[str, Any]]:
    started = time.perf_counter()
    hits = search(question)
    row: dict[str, Any] = {
        "id": question.id,
        "question": question.text,
        "type": question.type,
        "split": question.split,
        "has_answer": bool(question.gold),
        "gold_count": len(question.gold),
        "search_ms": 1000 * (time.perf_counter() - started),
        "ranking": _ranking(question, hits),
    }
    return hits, row | (character_measures(question, hits[:K], f"@{K}") if question.gold else {})


def _measure_answer(question: Question, hits: Sequence[Passage], settings: Settings) -> dict[str, Any]:
    started = time.perf_counter()
    answer = api.answer(question.text, question.history, question.filters, settings=settings)
    row: dict[str, Any] = {
        "answer_ms": 1000 * (time.perf_counter() - started),
        "answerable": float(answer.trace.get("answerable", 0.0 if answer.abstained else 1.0)),
        "quotes_exact": _share(_exact(answer, settings)),
    }
    if question.authors:
        row["author_leakage"] = _leakage(question, hits, answer)
    if not question.gold:
        return {**row, "declined": float(answer.abstained)}
    row["answered"] = float(not answer.abstained)
    if not answer.abstained:
        if settings.llm != "evidence":
            row["written_by_model"] = float(answer.model != "evidence")
        cited = [span for citation in answer.citations for span in citation.spans]
        row["citation_recall"] = _share(covered_share(gold, cited) >= COVERS for gold in question.gold)
        row["citation_precision"] = _share(any(_touches(span, gold) for gold in question.gold) for span in cited)
    return row


def character_measures(question: Question, hits: Sequence[Passage], suffix: str) -> dict[str, float]:
    """Recall, precision and IoU over characters.

    Overlapping passages count each time in what was retrieved, as in the published evaluation.
    """
    spans = [Span(hit.source, hit.start, hit.end) for hit in hits]
    gold_length = sum(gold.places[0].end - gold.places[0].start for gold in question.gold)
    found = sum(covered_share(gold, spans) * (gold.places[0].end - gold.places[0].start) for gold in question.gold)
    retrieved = sum(span.end - span.start for span in spans)
    return {
        f"characters_recall{suffix}": found / gold_length,
        f"characters_precision{suffix}": found / retrieved if retrieved else 0.0,
        f"characters_iou{suffix}": found / (retrieved + gold_length - found),
    }


def _ranking(question: Question, hits: Sequence[Passage]) -> list[list[int]]:
    """For each passage which gold spans it is the first to cover."""
    open_gold = dict(enumerate(question.gold))
    ranking = []
    for hit in hits:
        found = [
            n for n, gold in open_gold.items() if covered_share(gold, [Span(hit.source, hit.start, hit.end)]) >= COVERS
        ]
        ranking.append(found)
        for n in found:
            del open_gold[n]
    return ranking


def add_ranking_measures(rows: Sequence[dict[str, Any]]) -> None:
    """Put the measures of rankings into the rows, in the place of the rankings."""
    from ir_measures import RR, R, nDCG

    relevant, ranked = {}, {}
    for row in rows:
        ranking = row.pop("ranking")
        if row["has_answer"]:
            relevant[row["id"]] = {f"gold-{n}": 1 for n in range(row["gold_count"])}
            ranked[row["id"]] = [
                name
                for rank, found in enumerate(ranking)
                for name in ([f"gold-{n}" for n in found] or [f"other-{rank}"])
            ]
    figures = ranking_measures({f"recall@{K}": R @ K, "mrr": RR @ DEPTH, "ndcg@10": nDCG @ 10}, relevant, ranked)
    for row in rows:
        row |= figures.get(row["id"], {})


def ranking_measures(
    measures: Mapping[str, Any], relevant: Mapping[str, Mapping[str, int]], ranked: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float]]:
    """Standard measures by `ir-measures`, which asks trec_eval.

    Args:
        measures: Names to report under, with measures of `ir_measures`.
        relevant: For each question the grades of its relevant documents.
        ranked: For each question the documents found, best first.

    Returns:
        For each question the figures; 0 where nothing was found.
    """
    import ir_measures
    from ir_measures import Qrel, ScoredDoc

    figures = {question: dict.fromkeys(measures, 0.0) for question in relevant}
    qrels = [Qrel(question, name, grade) for question, grades in relevant.items() for name, grade in grades.items()]
    run = [ScoredDoc(id, name, -float(rank)) for id in relevant for rank, name in enumerate(ranked.get(id, ()))]
    names = {measure: name for name, measure in measures.items()}
    for found in ir_measures.iter_calc(list(names), qrels, run) if run else ():
        figures[found.query_id][names[found.measure]] = found.value
    return figures


def covered_share(gold: Gold, spans: Iterable[Span]) -> float:
    """The share of a gold span, at whichever of its places does best, that spans cover."""
    spans = list(spans)
    return max(_covered_place(place, spans) for place in gold.places)


def _covered_place(place: Span, spans: Sequence[Span]) -> float:
    inside = sorted(
        (max(span.start, place.start), min(span.end, place.end)) for span in spans if span.source == place.source
    )
    covered, reached = 0, place.start
    for start, end in inside:
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered / (place.end - place.start)


def _touches(span: Span, gold: Gold) -> bool:
    return any(span.source == p.source and span.start < p.end and span.end > p.start for p in gold.places)


def _exact(answer: Answer, settings: Settings) -> Iterator[bool]:
    for citation in answer.citations:
        text = api.source_text(citation.source, settings)
        yield text[citation.start : citation.end] == citation.quote


def _leakage(question: Question, hits: Sequence[Passage], answer: Answer) -> float:
    """Share of passages and citations by somebody else than the persons a question names; 0 where nothing is shown."""
    asked = {author_key(name) for name in question.authors}
    shown = [*hits, *(citation.passage for citation in answer.citations)]
    return 1 - _share(author_key(passage.author) in asked for passage in shown)


def _share(values: Iterable[bool]) -> float:
    """The share of true ones; 1.0 of none, since nothing was wrong."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else 1.0


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            if _is_figure(value) and name not in NO_MEASURES:
                columns.setdefault(name, []).append(float(value))
    return columns


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Difference:
    """How a measure changed, with a 95 % interval by a paired bootstrap over the questions (Efron and Tibshirani 1993)."""

    mean: float
    low: float
    high: float
    count: int


def compare(new: Evaluation, old: Evaluation) -> dict[str, Difference]:
    """Differences on the questions that both evaluations asked, new minus old.

    Raises:
        SourceError: They are of different kinds, or have no question in common.
    """
    if new.kind != old.kind:
        raise SourceError(f'Figures on "{new.kind}" cannot be compared with figures on "{old.kind}".')
    before = {row["id"]: row for row in old.rows}
    paired = [(row, before[row["id"]]) for row in new.rows if row["id"] in before]
    paired = [(a, b) for a, b in paired if a.get("question") == b.get("question", a.get("question"))]
    if not paired:
        raise SourceError("The two evaluations have no question in common: nothing can be compared.")
    differences = {}
    for name in _columns([row for row, _ in paired]):
        deltas = [a[name] - b[name] for a, b in paired if _is_figure(a.get(name)) and _is_figure(b.get(name))]
        if deltas:
            differences[name] = Difference(statistics.fmean(deltas), *interval(deltas), len(deltas))
    return differences


def interval(values: Sequence[float]) -> tuple[float, float]:
    """A 95 % interval of the mean by the bootstrap: percentiles of the means of resampled values."""
    drawn, rng = np.array(values, dtype=float), np.random.default_rng(0)
    rows = (AT_ONCE, len(drawn))
    means = [drawn[rng.integers(0, len(drawn), rows)].mean(axis=1) for _ in range(RESAMPLES // AT_ONCE)]
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975))
    return float(low), float(high)
