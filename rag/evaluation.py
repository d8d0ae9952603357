"""The keyless evaluation: how good retrieval, citations and abstention are on questions with exact answers.

Deterministic: no model judges. A question's gold is a set of spans of sources; everything is measured against those.

Retrieval  recall@k, MRR and nDCG@10 by `ir-measures`, where the documents are the gold spans and a passage stands for
           each span it covers; recall, precision and IoU over characters as in Chroma's chunking evaluation
           (Smith and Troynikov 2024).
Citations  recall: gold spans that the cited spans cover; precision: cited spans that touch gold. These are the
           definitions of ALCE (Gao et al. 2023) with gold spans in the place of its entailment model.
Abstention share of answerable questions answered, of unanswerable ones declined, and the risk-coverage curve.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag import api
from rag.errors import SourceError
from rag.records import Answer, Passage, Span, Turn, author_key
from rag.settings import Settings

DEPTH = 10
"""Passages that are ranked."""
COVERS = 0.5
"""Share of a gold span that must be covered to count as found."""
RESAMPLES = 2000

SAMPLE_QUESTIONS = Path(__file__).parent / "sample" / "questions.jsonl"
SAMPLE_COMMENTS = Path(__file__).parent / "sample" / "comments"


@dataclass(frozen=True, slots=True)
class Gold:
    """One thing a good answer must show: the same words may stand at several places."""

    places: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question with exact answers; without gold it is one that the comments do not answer."""

    id: str
    text: str
    type: str
    gold: tuple[Gold, ...]
    authors: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    split: str = "report"


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

    def by_type(self) -> dict[str, dict[str, float]]:
        """The summary for each type of question."""
        types = sorted({row["type"] for row in self.rows})
        return {kind: Evaluation(tuple(row for row in self.rows if row["type"] == kind)).summary for kind in types}

    def risk_coverage(self) -> list[tuple[float, float, float]]:
        """Threshold on answerability, share of answerable questions answered, share of unanswerable ones answered."""
        yes = [row["answerable"] for row in self.rows if row["has_answer"]]
        no = [row["answerable"] for row in self.rows if not row["has_answer"]]
        return [
            (n / 20, _share(value >= n / 20 for value in yes), _share(value >= n / 20 for value in no))
            for n in range(21)
        ]

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
            return cls(tuple(data["rows"]), data.get("settings", {}))
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise SourceError(
                f"{path} is no evaluation ({exc}). Make one with `commentariat eval --json FILE`."
            ) from exc


def load_questions(path: Path) -> list[Question]:
    """Read questions from JSON Lines; see `rag/sample/README.txt` for the fields.

    Raises:
        SourceError: A line is not a question; the message names file and line.
    """
    questions = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise SourceError(f"The questions {path} cannot be read ({exc}).") from exc
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                questions.append(_question(json.loads(line), number))
            except (ValueError, KeyError, TypeError, AttributeError) as exc:
                raise SourceError(
                    f"{path}:{number}: not a question ({exc!r}). Write an object with question and gold, where gold "
                    "lists source, start and end."
                ) from exc
    return questions


def _question(data: Mapping[str, Any], number: int) -> Question:
    gold = tuple(
        Gold(tuple(Span(place["source"], place["start"], place["end"]) for place in (item, *item.get("also", ()))))
        for item in data.get("gold", ())
    )
    return Question(
        id=str(data.get("id", number)),
        text=data["question"],
        type=data.get("type", "direct" if gold else "unanswerable"),
        gold=gold,
        authors=tuple(data.get("authors", ())),
        history=tuple(Turn(turn["role"], turn["content"]) for turn in data.get("history", ())),
        split=data.get("split", "report"),
    )


def evaluate(
    questions: Sequence[Question],
    settings: Settings,
    *,
    k: int = 5,
    progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Ask all questions and measure.

    Args:
        questions: From `load_questions`.
        settings: The index, and who answers: with a chat model its answers are measured by the same means.
        k: Passages that count as found.
        progress: Told after each question how many are done.
    """
    rows = []
    for done, question in enumerate(questions, 1):
        rows.append(_measure(question, settings, k))
        progress(done)
    _add_ranking_measures(rows, k)
    for row in rows:
        del row["ranking"]
    return Evaluation(tuple(rows), {"llm": settings.llm, "embedding_model": settings.embedding_model, "k": k})


def _measure(question: Question, settings: Settings, k: int) -> dict[str, Any]:
    started = time.perf_counter()
    hits = api.search(question.text, DEPTH, question.history, settings=settings)
    searched = time.perf_counter()
    answer = api.answer(question.text, question.history, settings=settings)
    answered = time.perf_counter()
    row: dict[str, Any] = {
        "id": question.id,
        "type": question.type,
        "split": question.split,
        "has_answer": bool(question.gold),
        "gold_count": len(question.gold),
        "answerable": float(answer.trace.get("answerable", 0.0 if answer.abstained else 1.0)),
        "search_ms": 1000 * (searched - started),
        "answer_ms": 1000 * (answered - searched),
        "ranking": _ranking(question, hits),
        "quotes_exact": _share(_exact(answer, settings)),
        "author_leakage": _leakage(question, hits, answer),
    }
    if not question.gold:
        return {**row, "declined": float(answer.abstained)}
    row |= {"answered": float(not answer.abstained), **character_measures(question, hits[:k], f"@{k}")}
    if not answer.abstained:
        cited = [span for citation in answer.citations for span in citation.spans]
        row["citation_recall"] = _share(_covered(gold, cited) >= COVERS for gold in question.gold)
        row["citation_precision"] = _share(any(_touches(span, gold) for gold in question.gold) for span in cited)
    return row


def character_measures(question: Question, hits: Sequence[Passage], suffix: str) -> dict[str, float]:
    """Recall, precision and IoU over characters.

    Overlapping passages count each time in what was retrieved, as in the published evaluation.
    """
    spans = [Span(hit.source, hit.start, hit.end) for hit in hits]
    gold_length = sum(gold.places[0].end - gold.places[0].start for gold in question.gold)
    found = sum(_covered(gold, spans) * (gold.places[0].end - gold.places[0].start) for gold in question.gold)
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
        found = [n for n, gold in open_gold.items() if _covered(gold, [Span(hit.source, hit.start, hit.end)]) >= COVERS]
        ranking.append(found)
        for n in found:
            del open_gold[n]
    return ranking


def _add_ranking_measures(rows: Sequence[dict[str, Any]], k: int) -> None:
    import ir_measures
    from ir_measures import RR, Qrel, R, ScoredDoc, nDCG

    measures = {f"recall@{k}": R @ k, "mrr": RR @ DEPTH, "ndcg@10": nDCG @ 10}
    answerable = {row["id"]: row for row in rows if row["has_answer"]}
    qrels = [Qrel(id, f"gold-{n}", 1) for id, row in answerable.items() for n in range(row["gold_count"])]
    run = [
        ScoredDoc(id, name, -float(rank))
        for id, row in answerable.items()
        for rank, found in enumerate(row["ranking"])
        for name in ([f"gold-{n}" for n in found] or [f"other-{rank}"])
    ]
    for metric in ir_measures.iter_calc(list(measures.values()), qrels, run):
        name = next(name for name, measure in measures.items() if measure == metric.measure)
        answerable[metric.query_id][name] = metric.value


def _covered(gold: Gold, spans: Iterable[Span]) -> float:
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
    """Share of passages and citations by somebody else than the persons a question names."""
    if not question.authors:
        return 0.0
    asked = {author_key(name) for name in question.authors}
    shown = [*hits, *(citation.passage for citation in answer.citations)]
    return _share(author_key(passage.author) not in asked for passage in shown)


def _share(values: Iterable[bool]) -> float:
    """The share of true ones; 1.0 of none, since nothing was wrong."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else 1.0


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.items():
            if (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and name not in ("answerable", "gold_count")
            ):
                columns.setdefault(name, []).append(float(value))
    return columns


@dataclass(frozen=True, slots=True)
class Difference:
    """How a measure changed, with a 95 % interval by a paired bootstrap over the questions (Efron and Tibshirani 1993)."""

    mean: float
    low: float
    high: float
    count: int


def compare(new: Evaluation, old: Evaluation) -> dict[str, Difference]:
    """Differences on the questions that both evaluations asked, new minus old."""
    before = {row["id"]: row for row in old.rows}
    paired = [(row, before[row["id"]]) for row in new.rows if row["id"] in before]
    differences = {}
    for name in _columns([row for row, _ in paired]):
        deltas = [float(a[name]) - float(b[name]) for a, b in paired if name in a and name in b]
        if deltas:
            rng = random.Random(0)
            means = sorted(statistics.fmean(rng.choices(deltas, k=len(deltas))) for _ in range(RESAMPLES))
            low, high = means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]
            differences[name] = Difference(statistics.fmean(deltas), low, high, len(deltas))
    return differences


def format_report(evaluation: Evaluation, against: Evaluation | None = None) -> str:
    """The evaluation as Markdown."""
    differences = compare(evaluation, against) if against else {}
    lines = ["# Evaluation", "", f"{len(evaluation.rows)} questions; {_described(evaluation.settings)}.", ""]
    lines += ["| measure | value | questions |" + (" change (95 %) |" if differences else "")]
    lines += ["|---|---|---|" + ("---|" if differences else "")]
    for name, value in evaluation.summary.items():
        change = ""
        if differences:
            found = differences.get(name)
            change = f" {found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f}) |" if found else " |"
        lines.append(f"| {name} | {_number(name, value)} | {evaluation.counts[name]} |{change}")
    by_type = evaluation.by_type()
    shown = [name for name in evaluation.summary if name.startswith(("recall@", "citation_", "answered", "declined"))]
    lines += ["", "## By type of question", "", f"| type | {' | '.join(shown)} |", "|---" * (len(shown) + 1) + "|"]
    for kind, summary in by_type.items():
        cells = (_number(name, summary[name]) if name in summary else "" for name in shown)
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    lines += ["", "## Risk and coverage", ""]
    lines += ["| threshold | answerable answered | unanswerable answered |", "|---|---|---|"]
    lines += [f"| {at:.2f} | {yes:.3f} | {no:.3f} |" for at, yes, no in evaluation.risk_coverage()]
    return "\n".join(lines) + "\n"


def _described(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _number(name: str, value: float) -> str:
    return f"{value:.0f}" if name.endswith("_ms") else f"{value:.3f}"
