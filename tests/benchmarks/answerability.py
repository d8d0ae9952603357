"""Fit and measure abstention: the weights in rag/abstention/answerability.py, and the risk-coverage curve.

    python tests/benchmarks/answerability.py [--store FOLDER] [--curve FILE.svg]

Questions: tests/data/answerability_*.jsonl, over the seeds, the sample and two invented collections, those that ship with the
sample (for `commentariat eval`), and those on each fifth small forum of tests/data/forums_*.jsonl. A hash of the question tells
which half it belongs to: one is fitted on, the other reported; of the forums each fourth is fitted on. The reader
(tests/benchmarks/reader.py) has seen none of them. Questions that a program makes ("leave-out", where
every passage with the answer is hidden; "swap", where a word is taken from another question) took part until it was
measured that they do harm. tests/data/independent_*.jsonl are questions by eight writers who saw nothing but the comments: those
of two are fitted on, those of the others only ever reported. So is each fifth forum of tests/data/profiles.jsonl, whose members tell
of themselves, and are asked for what they do not tell.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

import ingest
from rag.abstention.answerability import INTERCEPT, WEIGHTS, Signals
from rag.evaluation.charts import curve_chart
from rag.evaluation.measures import SAMPLE_QUESTIONS
from rag.records import Passage, Turn
from rag.retrieval.retriever import Retriever
from rag.settings import Settings

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "tests" / "data"
SHARED = ROOT.parent / "shared"
LIMIT = 8
PROFILES = DATA / "profiles.jsonl"
EACH_FORUM = 5
"""Only the last of so many forums is asked: the reader is fitted on the others."""
FITTED = 4
"""One of so many of these is fitted on, so that forums do not outweigh the rest; the others are reported on."""
INDEPENDENT = ("seeds", "sample")
"""Collections about which people wrote questions who had not seen the others, or the program."""
FITTED_WRITERS, OTHER_WRITERS = (1, 2), (3, 4, 5, 6, 7, 8)
"""The questions of the latter are only ever reported."""
ANSWERED = 0.93
"""Share of the questions with an answer that shall be answered at the threshold of 0.5: the intercept is set by both halves."""


@dataclass(frozen=True)
class Question:
    """A question, and phrases that answer it."""

    text: str
    kind: str
    gold: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    split: str = ""
    """"tune" or "report"; decided by a hash where it is empty."""

    def answered_by(self, passage: Passage) -> bool:
        return any(phrase in passage.text for phrase in (*self.gold, *self.also))


@dataclass(frozen=True)
class Row:
    """One question put to one collection."""

    collection: str
    kind: str
    question: str
    answerable: bool
    signals: Signals | None
    """None where a rule decides, as for a question that asks for nothing but a person."""
    ruled: float = 0.0
    """The probability that it gives then."""
    found: bool = True
    """Whether the passages of an answerable question were found; where not, it is reported on but not fitted on."""
    split: str = ""

    @property
    def report(self) -> bool:
        """Whether it belongs to the half that is not fitted on."""
        if self.split:
            return self.split == "report"
        return int(hashlib.sha256(self.question.encode()).hexdigest(), 16) % 2 == 1


class Collection:
    """An indexed collection."""

    def __init__(self, name: str, path: Path, stores: Path) -> None:
        self.name = name
        settings = Settings(store=stores / name, llm="evidence")
        ingest.ingest([path], settings=settings)
        self._retriever = Retriever.from_settings(settings)

    def rows(self, answerable: list[Question], others: list[Question]) -> list[Row]:
        """What is decided on each of the questions that the collection answers, and of those that it does not."""
        return [self.row(q, True) for q in answerable] + [self.row(q, False) for q in others]

    def row(self, question: Question, answerable: bool) -> Row:
        """What is decided on a question, and by which signals."""
        retrieved = self._retriever.retrieve(self._retriever.understand(question.text, question.history), LIMIT)
        return Row(
            self.name,
            question.kind,
            question.text,
            answerable,
            Signals(**retrieved.signals) if retrieved.signals else None,
            retrieved.answerable,
            not answerable or any(question.answered_by(passage) for passage in retrieved.passages),
            question.split,
        )


def questions_of(file: str, writers: Sequence[int] = (0,)) -> tuple[list[Question], list[Question]]:
    """The answerable and the unanswerable questions of a file; where writers are told, of these."""
    rows = [json.loads(line) for line in (DATA / file).read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row.get("writer", 0) in writers]
    made = [
        Question(
            row["question"],
            row["kind"],
            tuple(row.get("gold", ())),
            tuple(row.get("also", ())),
            split="tune" if "writer" in row else "",
        )
        for row in rows
    ]
    answerable = [question for question, row in zip(made, rows, strict=True) if row["answerable"]]
    return answerable, [question for question, row in zip(made, rows, strict=True) if not row["answerable"]]


def sample_questions() -> tuple[list[Question], list[Question]]:
    """The answerable and the unanswerable questions that ship with the sample."""
    groups: tuple[list[Question], list[Question]] = ([], [])
    for row in map(json.loads, SAMPLE_QUESTIONS.read_text(encoding="utf-8").splitlines()):
        gold = tuple(item["quote"] for item in row.get("gold", ()))
        turns = tuple(Turn(turn["role"], turn["content"]) for turn in row.get("history", ()))
        kind = row["type"] if gold else "near"
        groups[not gold].append(Question(row["question"], kind, gold, history=turns, split=row["split"]))
    return groups


def forum_rows(stores: Path) -> list[Row]:
    """What is decided on the questions about small forums that the reader has not seen."""
    lines = [line for path in sorted(DATA.glob("forums_*.jsonl")) for line in path.open(encoding="utf-8")]
    rows: list[Row] = []
    for number in range(EACH_FORUM - 1, len(lines), EACH_FORUM):
        split = "tune" if number // EACH_FORUM % FITTED == 1 else "report"
        rows += _forum(json.loads(lines[number]), stores / f"forum_{number}.jsonl", "forums", split)
    return rows


def profile_rows(stores: Path) -> list[Row]:
    """What is decided on questions about people in forums whose members have profiles, and that the reader has not seen."""
    with PROFILES.open(encoding="utf-8") as lines:
        forums = [json.loads(line) for line in lines]
    return [
        row
        for number, forum in enumerate(forums)
        if number % EACH_FORUM == EACH_FORUM - 1
        for row in _forum(forum, stores / f"profiles_{number}.jsonl", "profiles", "report")
    ]


def _forum(forum: Mapping[str, Any], path: Path, name: str, split: str) -> list[Row]:
    lines = [json.dumps({"id": str(place), **comment}) for place, comment in enumerate(forum["comments"])]
    path.write_text("\n".join(lines), encoding="utf-8")
    answerable = [Question(row["q"], row["kind"], (row["gold"],), split=split) for row in forum["yes"]]
    others = [Question(question, "near", split=split) for question in forum["no"]]
    rows = Collection(path.stem, path, path.parent).rows(answerable, others)
    return [replace(row, collection=name) for row in rows]


NAMES = [field.name for field in fields(Signals)]


def fit(rows: list[Row]) -> tuple[dict[str, float], float]:
    """Weights and intercept, both sides weighing the same."""
    rows = [row for row in rows if row.signals and row.found]
    values = np.array([list(asdict(row.signals).values()) for row in rows])
    answerable = np.array([row.answerable for row in rows])
    mean, deviation = values.mean(axis=0), values.std(axis=0) + 1e-9
    model = LogisticRegression(C=0.1, class_weight="balanced").fit((values - mean) / deviation, answerable)
    weights = model.coef_[0] / deviation
    return dict(zip(NAMES, weights.tolist(), strict=True)), float(model.intercept_[0] - weights @ mean)


def predict(rows: list[Row], weights: dict[str, float], intercept: float) -> np.ndarray:
    def probability(row: Row) -> float:
        if row.signals is None:
            return row.ruled
        logit = intercept + sum(weights[name] * value for name, value in asdict(row.signals).items())
        return float(1 / (1 + np.exp(-logit)))

    return np.array([probability(row) for row in rows])


def rates(rows: list[Row], probabilities: np.ndarray, threshold: float) -> dict[str, tuple[float, int]]:
    """Share of answerable questions answered, and of each kind of unanswerable ones declined."""
    groups: dict[str, list[bool]] = {}
    for row, probability in zip(rows, probabilities, strict=True):
        if row.answerable:
            groups.setdefault("answered", []).append(probability >= threshold)
        else:
            for name in (row.kind, "declined"):
                groups.setdefault(name, []).append(probability < threshold)
    return {name: (float(np.mean(values)), len(values)) for name, values in groups.items()}


def curve(rows: list[Row], probabilities: np.ndarray) -> list[tuple[float, float, float]]:
    """(threshold, share of answerable answered, share of unanswerable declined), from answering all to answering none."""
    answerable = np.array([row.answerable for row in rows])
    return [
        (float(t), float((probabilities[answerable] >= t).mean()), float((probabilities[~answerable] < t).mean()))
        for t in np.unique(np.round(probabilities, 3))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", type=Path, default=Path("build/answerability"), help="where the indexes are kept")
    parser.add_argument("--curve", type=Path, help="write the risk-coverage curve of the reported half to this SVG")
    parser.add_argument("--rows", type=Path, help="write all signals to this JSON file")
    args = parser.parse_args()
    paths = {
        "seeds": SHARED / "seeds",
        "sample": ROOT / "rag" / "sample" / "comments",
        "railway": DATA / "answerability_railway_comments.jsonl",
        "choir": DATA / "answerability_choir_comments.jsonl",
    }
    asked = {name: questions_of(f"answerability_{name}.jsonl") for name in paths}
    for own, shipped in zip(asked["sample"], sample_questions(), strict=True):
        own += shipped
    rows: list[Row] = []
    independent: dict[int, list[Row]] = {writer: [] for writer in OTHER_WRITERS}
    for name, path in paths.items():
        collection = Collection(name, path, args.store)
        rows += collection.rows(*asked[name])
        if name in INDEPENDENT:
            rows += collection.rows(*questions_of(f"independent_{name}.jsonl", FITTED_WRITERS))
            for writer, others in independent.items():
                others += collection.rows(*questions_of(f"independent_{name}.jsonl", [writer]))
        print(f"{name}: {sum(row.collection == name for row in rows)} questions", flush=True)
    rows += forum_rows(args.store)
    tune, report = [row for row in rows if not row.report], [row for row in rows if row.report]
    weights, intercept = fit(tune)
    answerable = [row for row in rows if row.answerable]
    threshold = float(np.quantile(predict(answerable, weights, intercept), 1 - ANSWERED))
    shift = -float(np.log(threshold / (1 - threshold)))
    print(
        f"\nINTERCEPT = {intercept + shift:.2f}  (threshold {threshold:.3f} of the balanced fit moved to 0.5)\nWEIGHTS = {{"
    )
    for name, weight in weights.items():
        print(f'    "{name}": {weight:.2f},')
    print("}")
    for title, part in (("tune", tune), ("report", report)):
        print(title, rates(part, predict(part, weights, intercept + shift), 0.5))
    collections = [*paths, "forums"]
    for name in collections:
        part = [row for row in report if row.collection == name]
        print(f"  {name}", rates(part, predict(part, weights, intercept + shift), 0.5))
    shipped = Settings().abstain_below
    print(f"\nAs shipped, at {shipped}, reported half:")
    for names in (collections, ["seeds", "sample"], *([name] for name in collections)):
        part = [row for row in report if row.collection in names]
        print(f"  {', '.join(names)}", rates(part, predict(part, WEIGHTS, INTERCEPT), shipped))
    print("Questions by writers that nothing was fitted on:")
    for writer, part in independent.items():
        print(f"  writer {writer}", rates(part, predict(part, WEIGHTS, INTERCEPT), shipped))
    asked_of_people = profile_rows(args.store)
    print("  profiles", rates(asked_of_people, predict(asked_of_people, WEIGHTS, INTERCEPT), shipped))
    print(f"\nLeft out of fitting as a whole, at the threshold at which {ANSWERED:.1%} of its own are answered:")
    for name in collections:
        part = [row for row in rows if row.collection == name]
        other = predict(part, *fit([row for row in rows if row.collection != name]))
        own = float(np.quantile([p for p, row in zip(other, part, strict=True) if row.answerable], 1 - ANSWERED))
        print(f"  {name}", rates(part, other, own))
    if args.rows:
        args.rows.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    points = curve(report, predict(report, weights, intercept + shift))
    print("\nthreshold  answered  declined (reported half)")
    for wanted in (0.99, 0.97, 0.95, 0.93, 0.9, 0.85, 0.8, 0.7, 0.5):
        point = max((p for p in points if p[1] >= wanted), key=lambda p: p[0])
        print("".join(f"{value:10.3f}" for value in point))
    if args.curve:
        drawn = [(answered, 1 - declined) for _, answered, declined in points]
        title, axes = "Risk and coverage", ("answerable questions answered", "unanswerable questions answered")
        args.curve.write_text(curve_chart(title, *axes, drawn), encoding="utf-8")


if __name__ == "__main__":
    main()
