"""The ingest command: arguments, progress bars, report. Shared by `python -m ingest` and `commentariat ingest`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ingest.report import OnProgress, Progress
from rag.errors import SettingsError
from rag.terminal import exit_status, settings_of, take_store

EPILOG = (
    "exit status: 0 everything was read, 1 some inputs were not (all others are indexed) or the model of "
    "--segment-with-model failed (the rules decided), 2 nothing was done"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m ingest`."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest",
        description="Read comments into the index. Doing it twice changes nothing.",
        epilog=EPILOG,
    )
    add_arguments(parser)
    args = parser.parse_args(arguments)
    return exit_status("ingest", lambda: run(args))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What both commands take."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="files and folders; none with --rebuild: all that were read before"
    )
    take_store(parser)
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="build the index from scratch; the old one answers until the new one is complete",
    )
    parser.add_argument(
        "--author-name",
        action="append",
        default=[],
        metavar="FILE=NAME",
        help="author of a dump that does not name one; remembered until changed",
    )
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="OURS=THEIRS",
        help="column of a structured source, as text=body, or where a JSON file has its rows, as rows=export.items; remembered for its files until changed",
    )
    parser.add_argument(
        "--segment-with-model",
        action="store_true",
        help="let the chat model (setting llm) decide uncertain borders between the comments of profile dumps; use a large one",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no progress bars, and no report unless something was not read"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Ingest as told; returns the exit status.

    Raises:
        RagError: Nothing was done.
    """
    from ingest.pipeline import ingest

    names = pairs(args.author_name, "--author-name FILE=NAME")
    columns = pairs([one for given in args.map for one in given.split(",")], "--map OURS=THEIRS")
    with progress_bars(quiet=args.quiet or args.json) as progress:
        report = ingest(
            args.paths,
            settings=settings_of(args),
            rebuild=args.rebuild,
            author_names=names,
            columns=columns,
            segment_with_model=args.segment_with_model,
            progress=progress,
        )
    if args.json:
        print(report.to_json())
    elif report.errors or not args.quiet:
        print(report)
    return report.exit_status


def pairs(values: Sequence[str], form: str) -> dict[str, str]:
    """`["a=b", "c=d"]` as a dictionary.

    Raises:
        SettingsError: A value has no "=".
    """
    found = {}
    for value in values:
        left, sign, right = value.partition("=")
        if not (left and sign and right):
            raise SettingsError(f'{form}: "{value}" is not of that form.')
        found[left.strip()] = right.strip()
    return found


@contextmanager
def progress_bars(*, quiet: bool) -> Iterator[OnProgress]:
    """A bar per phase with rate and time left, on standard error and only where that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda event: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
    )
    with Bars(*columns, TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, int] = {}

        def show(event: Progress) -> None:
            if event.phase not in tasks:
                tasks[event.phase] = bars.add_task(event.phase, total=event.total, unit=event.unit, rate="")
            task = tasks[event.phase]
            speed = bars.tasks[task].speed
            bars.update(task, completed=event.done, total=event.total, rate=f"{speed:,.0f}/s" if speed else "")

        yield show
