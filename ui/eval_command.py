"""`commentariat eval`: measure retrieval, citations and abstention, search on public collections, the checks of a model's
sentences, or the splitting of dumps, without a key."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import SettingsError, SourceError, StoreMissing
from rag.settings import Settings
from rag.terminal import settings_of, take_store

if TYPE_CHECKING:
    from rag.chat.streaming import ChatModel
    from rag.evaluation.measures import Evaluation


_TAKEN = {
    "questions": ("questions", "store", "split", "with_model", "json", "markdown", "compare"),
    "segmentation": ("dumps", "with_model", "json"),
    "support": ("json",),
}
"""Options that each kind of measurement understands."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", nargs="?", choices=("questions", "segmentation", "support"), default="questions",
        help="questions with exact answers (default), the borders found in profile dumps, or whether sentences that their "
        "citations do not support are noticed",
    )  # fmt: skip
    parser.add_argument(
        "--questions", metavar="PATH",
        help="JSON Lines of questions with gold spans (default: the sample's), or the folder of a public collection: Chroma's "
        "chunking evaluation (questions.csv, *.md) or any in BEIR's format (corpus.jsonl, queries.jsonl, qrels/*.tsv)",
    )  # fmt: skip
    take_store(
        parser,
        "index to ask (default: the sample comments, indexed for this); for a collection: where its index is kept",
    )
    parser.add_argument("--split", choices=("tune", "report"), help="only the questions of this half")
    parser.add_argument(
        "--with-model",
        action="store_true",
        help="let the chat model of the settings answer, or decide uncertain borders",
    )
    parser.add_argument("--json", metavar="FILE", help="write all figures to this file")
    parser.add_argument("--markdown", metavar="FILE", help="write the report to this file, its plots beside it")
    parser.add_argument("--compare", metavar="FILE", help="earlier --json file: differences with 95 %% intervals")
    parser.add_argument("--dumps", metavar="FOLDER", help="segmentation: real dumps whose borders are recorded")


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit status.

    Raises:
        RagError: The questions or the index cannot be read, there is no folder to write to, or an option is meant for another
            kind of measurement.
    """
    given = {name for names in _TAKEN.values() for name in names if getattr(args, name)}
    if foreign := sorted(given.difference(_TAKEN[args.what])):
        options = ", ".join("--" + name.replace("_", "-") for name in foreign)
        raise SettingsError(f"`commentariat eval {args.what}` does not take {options}. Leave it out.")
    for place in (args.json, args.markdown):
        if place and not Path(place).absolute().parent.is_dir():
            raise SettingsError(f"{place} cannot be written: there is no folder {Path(place).parent}. Make it first.")
        if place and Path(place).is_dir():
            raise SettingsError(f"{place} cannot be written: it is a folder. Name a file in it.")
    return {"questions": _questions, "segmentation": _segmentation, "support": _support}[args.what](args)


def _questions(args: argparse.Namespace) -> int:
    from rag.evaluation.gold import load_questions
    from rag.evaluation.measures import SAMPLE_QUESTIONS, evaluate

    if args.questions and Path(args.questions).is_dir():
        return _collection(args)
    if args.store and not args.questions:
        raise SettingsError("--store needs --questions: the sample's questions are about the sample's comments.")
    if args.with_model:
        _model()
    against = _earlier(args)
    questions = load_questions(Path(args.questions or SAMPLE_QUESTIONS))
    questions = [question for question in questions if args.split in (None, question.split)]
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(args, folder)
        with _bar(len(questions)) as advance:
            evaluation = evaluate(questions, settings, progress=advance)
    _write(args, evaluation, against)
    return 0


def _model() -> ChatModel:
    from rag.chat.chat_model import load_chat_model

    if (model := load_chat_model(Settings())) is None:
        raise SettingsError(
            "--with-model needs a chat model, and the settings name none. Set COMMENTARIAT_LLM, as in .env.example."
        )
    return model


def _collection(args: argparse.Namespace) -> int:
    """Search on a public collection, in an index of its own."""
    from rag.evaluation.benchmarks import load_benchmark

    if args.with_model:
        raise SettingsError("--with-model needs questions whose answers are known: a collection measures search alone.")
    against = _earlier(args)
    benchmark = load_benchmark(Path(args.questions))
    if args.split:
        benchmark = benchmark.of(args.split)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(args.store or Path(folder) / "store")
        settings = Settings(llm="evidence", store=store, chroma_url=None)  # the server's vectors are of another index
        _index(benchmark.files(Path(folder)), benchmark.columns, settings)
        with _bar(len(benchmark.questions)) as advance:
            evaluation = benchmark.evaluate(settings, advance)
    _write(args, evaluation, against)
    return 0


def _index(files: Sequence[Path], columns: Mapping[str, str], settings: Settings) -> None:
    """Read the files of a collection into an index that holds nothing else.

    Raises:
        SettingsError: The index holds other comments.
        SourceError: A file cannot be read.
    """
    from ingest import ingest
    from ingest.command import progress_bars
    from rag.index.store import Store

    names = {path.name for path in files}
    with suppress(StoreMissing):
        held = Store.open(settings).corpus.files()
        # A collection is read from copies that are gone by the next time; a file that still lies there is another one.
        if others := [name for name, path in held.items() if name not in names or path.exists()]:
            raise SettingsError(
                f"The index {settings.store} holds other comments, such as {min(others)}. Name a folder of its own for "
                "the collection with --store, or leave --store out."
            )
    with progress_bars(quiet=False) as progress:
        report = ingest(files, settings=settings, columns=columns, progress=progress)
    if report.errors:
        raise SourceError(str(report.errors[0]))


def _earlier(args: argparse.Namespace) -> Evaluation | None:
    from rag.evaluation.measures import Evaluation

    return Evaluation.from_json(Path(args.compare)) if args.compare else None


def _write(args: argparse.Namespace, evaluation: Evaluation, against: Evaluation | None) -> None:
    from rag.evaluation.report import format_report, write_report

    if not evaluation.rows:
        raise SourceError("There are no questions to ask, so nothing was measured.")
    if args.json:
        Path(args.json).write_text(evaluation.to_json(), encoding="utf-8")
    if args.markdown:
        write_report(evaluation, Path(args.markdown), against)
    print(format_report(evaluation, against))


def _settings(args: argparse.Namespace, folder: str) -> Settings:
    """The index to ask: the one that is named, the configured one for one's own questions, else the sample's."""
    who = {} if args.with_model else {"llm": "evidence"}
    if args.store or args.questions:
        return settings_of(args, **who)
    from ingest import ingest
    from rag.evaluation.measures import SAMPLE_COMMENTS

    settings = Settings(**who, store=Path(folder) / "store", chroma_url=None)
    ingest(SAMPLE_COMMENTS, settings=settings)
    return settings


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task("asking", total=total)
        yield lambda done: bars.update(task, completed=done)


def _segmentation(args: argparse.Namespace) -> int:
    from ingest.border_judge import BorderJudge
    from ingest.segmentation_eval import evaluate
    from rag.models.embedding import load_embedder

    judge = BorderJudge(_model()) if args.with_model else None
    figures = evaluate(args.dumps, embed=load_embedder(Settings()).embed_texts, decide=judge)
    print("| dumps | count | borders | precision | recall | F1 | chrome in comments | characters lost |")
    print("|---|---|---|---|---|---|---|---|")
    for group, found in figures.items():
        rows = {group: found["pooled"], **(found["files"] if group != "generated" else {})}
        for name, row in rows.items():
            count = found["dumps"] if name == group else 1
            print(
                f"| {name} | {count} | {row['gold']} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} "
                f"| {row['leaks']} | {row['lost']} |"
            )
    if judge:
        print(f"\n{judge.name} decided {judge.asked - judge.invalid:,} uncertain borders.")
        for problem in judge.problems():
            print(problem)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


def _support(args: argparse.Namespace) -> int:
    from rag.evaluation.support import SAMPLE_PAIRS, evaluate_support
    from rag.models.embedding import load_embedder
    from rag.models.entailment import load_judge

    settings = Settings()
    judge = load_judge(settings.support_model) if settings.support_model else None
    figures = evaluate_support(SAMPLE_PAIRS, load_embedder(settings).embed_texts, judge=judge)
    print("| measure | value |\n|---|---|")
    print(f"| pairs | {figures['pairs']} |")
    for name in ("precision", "recall", "f1"):
        print(f"| {name} of “supported” | {figures[name]:.3f} |")
    print(f"| accuracy | {figures['accuracy']:.3f} |")
    for kind, share in figures["flagged"].items():
        print(f"| flagged of {kind.replace('_', ' ')} | {share:.3f} |")
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0
