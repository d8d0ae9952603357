"""`commentariat eval`: measure retrieval, citations and abstention, the checks of a model's sentences, or the splitting of
dumps, without a key."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import SettingsError
from rag.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", nargs="?", choices=("questions", "segmentation", "support"), default="questions",
        help="questions with exact answers (default), the borders found in profile dumps, or whether sentences that their "
        "citations do not support are noticed",
    )  # fmt: skip
    parser.add_argument(
        "--questions", metavar="FILE", help="JSON Lines of questions with gold spans (default: the sample's)"
    )
    parser.add_argument(
        "--store", metavar="FOLDER", help="index to ask (default: the sample comments, indexed for this)"
    )
    parser.add_argument("--split", choices=("tune", "report"), help="only the questions of this half")
    parser.add_argument("--with-model", action="store_true", help="let the chat model of the settings answer")
    parser.add_argument("--json", metavar="FILE", help="write all figures to this file")
    parser.add_argument("--markdown", metavar="FILE", help="write the report to this file")
    parser.add_argument("--compare", metavar="FILE", help="earlier --json file: differences with 95 %% intervals")
    parser.add_argument("--dumps", metavar="FOLDER", help="segmentation: real dumps whose borders are recorded")


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit status.

    Raises:
        RagError: The questions or the index cannot be read.
    """
    return {"questions": _questions, "segmentation": _segmentation, "support": _support}[args.what](args)


def _questions(args: argparse.Namespace) -> int:
    from rag.evaluation import SAMPLE_QUESTIONS, Evaluation, evaluate, format_report, load_questions

    if args.store and not args.questions:
        raise SettingsError("--store needs --questions: the sample's questions are about the sample's comments.")
    questions = load_questions(Path(args.questions or SAMPLE_QUESTIONS))
    questions = [question for question in questions if args.split in (None, question.split)]
    against = Evaluation.from_json(Path(args.compare)) if args.compare else None
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(args, folder)
        with _bar(len(questions)) as advance:
            evaluation = evaluate(questions, settings, progress=advance)
    report = format_report(evaluation, against)
    print(report)
    if args.json:
        Path(args.json).write_text(evaluation.to_json(), encoding="utf-8")
    if args.markdown:
        Path(args.markdown).write_text(report, encoding="utf-8")
    return 0


def _settings(args: argparse.Namespace, folder: str) -> Settings:
    """The index to ask: the one that is named, the configured one for one's own questions, else the sample's."""
    who = {} if args.with_model else {"llm": "evidence"}
    if args.store or args.questions:
        return Settings(**who, **({"store": args.store} if args.store else {}))
    from ingest import ingest
    from rag.evaluation import SAMPLE_COMMENTS

    settings = Settings(**who, store=Path(folder) / "store")
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
    from ingest.segmentation_eval import evaluate
    from rag.embedding import load_embedder

    figures = evaluate(args.dumps, embed=load_embedder(Settings()).embed_texts)
    print("| dumps | count | borders | precision | recall | F1 | chrome in comments | characters lost |")
    print("|---|---|---|---|---|---|---|---|")
    for group, found in figures.items():
        rows = {group: found["pooled"], **(found["files"] if group != "made" else {})}
        for name, row in rows.items():
            count = found["dumps"] if name == group else 1
            print(
                f"| {name} | {count} | {row['gold']} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} "
                f"| {row['leaks']} | {row['lost']} |"
            )
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


def _support(args: argparse.Namespace) -> int:
    from rag.embedding import load_embedder
    from rag.entailment import load_judge
    from rag.support import SAMPLE_PAIRS, evaluate_support

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
