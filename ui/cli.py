"""The command `commentariat`: ask, search, chat, ingest and look after the index.

Exit status: 0 done, 1 some inputs of an ingest were not read or a fetch stopped early, 2 an error (its message is on
standard error).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

import ingest.command
import ingest.fetch_command
import ui.eval_command
from rag.errors import SettingsError
from rag.terminal import exit_status, settings_of, take_store

QUESTION = "in plain words, as one argument; - reads it from standard input"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    args = _parser().parse_args(arguments)
    return exit_status("commentariat", lambda: args.run(args))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="commentariat", description="Ask questions of forum comments; every citation is an exact quote."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('commentariat')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ask = _command(commands, "ask", _ask, "answer one question")
    ask.add_argument("question", help=QUESTION)
    _filters(ask)
    ask.add_argument("--json", action="store_true", help="the whole answer as JSON")

    search = _command(commands, "search", _search, "list the passages that bear on a question")
    search.add_argument("question", help=QUESTION)
    search.add_argument("--limit", type=_count, default=5, metavar="N", help="maximum number of passages (default 5)")
    _filters(search)
    search.add_argument("--json", action="store_true", help="one JSON object per line")

    chat = _command(commands, "chat", _chat, "open the chat in a browser page")
    chat.add_argument("paths", nargs="*", metavar="PATH", help="ingest these files and folders first")
    chat.add_argument("--port", type=_port, default=7860, metavar="N", help="port on this machine (default 7860)")
    chat.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    chat.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    chat.add_argument("--mcp", action="store_true", help="also serve MCP tools for agents, at /gradio_api/mcp/")

    reading = _command(
        commands, "ingest", lambda args: ingest.command.run(args), "read comments into the index", store=False
    )
    reading.epilog = ingest.command.EPILOG
    ingest.command.add_arguments(reading)

    fetching = _command(commands, "fetch", ingest.fetch_command.run, "import comments from a forum", store=False)
    ingest.fetch_command.add_arguments(fetching)

    measuring = _command(
        commands, "eval", ui.eval_command.run, "measure how good answers are, without a key", store=False
    )
    ui.eval_command.add_arguments(measuring)

    sources = _command(commands, "sources", _sources, "list what the index holds")
    sources.add_argument("--json", action="store_true", help="the list as JSON")
    forget = _command(commands, "forget", _forget, "remove a source from the index")
    forget.add_argument("source", help="as `commentariat sources` lists it")
    return parser


def _command(commands, name: str, run, summary: str, *, store: bool = True) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    command.set_defaults(run=run)
    if store:
        take_store(command)
    return command


def _filters(command: argparse.ArgumentParser) -> None:
    command.add_argument("--author", action="append", default=[], metavar="NAME", help="only comments by this author")
    command.add_argument("--since", metavar="DATE", help="only comments from this day on (YYYY-MM-DD)")
    command.add_argument("--until", metavar="DATE", help="only comments up to this day")
    command.add_argument("--source", action="append", default=[], metavar="FILE", help="only comments of this source")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 up")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give 1 to 65535")
    return int(text)


def _question(args: argparse.Namespace) -> str:
    if args.question != "-":
        return args.question
    sys.stdin.reconfigure(errors="surrogateescape")  # as in arguments: what is no text is told later
    return sys.stdin.read()


def _chosen(args: argparse.Namespace):
    from rag.records import Filters

    return Filters(tuple(args.author), args.since, args.until, tuple(args.source))


def _ask(args: argparse.Namespace) -> int:
    import rag
    from rag.chat.choice import missing
    from rag.plain_text import format_answer, printable_json
    from rag.records import EVIDENCE

    settings = settings_of(args)
    answer = rag.answer(_question(args), filters=_chosen(args), settings=settings)
    print(printable_json(answer.to_dict(), indent=2) if args.json else format_answer(answer))
    if answer.model == EVIDENCE and (why := missing(settings)):
        print(why, file=sys.stderr)
    return 0


def _search(args: argparse.Namespace) -> int:
    import rag
    from rag.api import why_nothing
    from rag.plain_text import printable, printable_json
    from rag.records import to_plain

    question, filters, settings = _question(args), _chosen(args), settings_of(args)
    found = rag.search(question, args.limit, filters=filters, settings=settings)
    if not found:
        # Beside the output, which a program may read.
        why = why_nothing(question, filters, settings)
        print(printable(f"Nothing was found. {why}".rstrip()), file=sys.stderr)
    for passage in found:
        if args.json:
            print(printable_json(to_plain(passage)))
        else:
            place = f"{passage.source}:{passage.start}-{passage.end}"
            print(f"{printable(passage.byline)} ({place})\n{printable(passage.text)}\n")
    return 0


def _chat(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    if args.paths:
        from ingest.pipeline import ingest as read

        with ingest.command.progress_bars(quiet=False) as progress:
            print(read(args.paths, settings=settings, progress=progress))
    from ui.app import serve

    try:
        serve(settings, host=args.host, port=args.port, open_browser=not args.no_browser, mcp=args.mcp)
    except OSError as exc:
        raise SettingsError(
            f"The page cannot be opened at {args.host}:{args.port}: another program uses that port, or the host is no "
            "address of this machine. Choose others with --port and --host."
        ) from exc
    return 0


def _sources(args: argparse.Namespace) -> int:
    from rag.index.store import Store
    from rag.plain_text import printable_json
    from rag.records import to_plain

    info = Store.open(settings_of(args)).info()
    if args.json:
        authors = [{"author": name, "comments": comments} for name, comments in info.authors]
        sources = [{"name": name, "comments": comments} for name, comments in info.sources]
        print(printable_json({**to_plain(info), "authors": authors, "sources": sources}, indent=2))
        return 0
    width = max((len(name) for name, _ in info.sources), default=0)
    for name, comments in info.sources:
        print(f"{name:<{width}}  {_comments(comments, width=7)}")
    passages = f"{info.passages:,} passage{'s' * (info.passages != 1)}"
    print(
        f"{_comments(info.comments)} in {passages}, made with {info.embedding_model}, {info.created_at:%Y-%m-%d %H:%M} UTC"
    )
    return 0


def _comments(number: int, width: int = 0) -> str:
    return f"{number:>{width},} comment{'s' * (number != 1)}"


def _forget(args: argparse.Namespace) -> int:
    from ingest.pipeline import forget

    print(forget(args.source, settings=settings_of(args)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
