"""The fetch command: arguments, progress, report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.forums import SITES, ForumClient, fetch_post, fetch_user, named_site
from ingest.forums.client import PAUSE
from ingest.forums.sites import post_of, site_of, user_of
from rag.errors import ForumError, RagError, SettingsError
from rag.records import as_datetime
from rag.settings import Settings
from rag.terminal import settings_of, take_store

if TYPE_CHECKING:
    from ingest.forums import FetchReport, Site

EPILOG = (
    "exit status: 0 everything was fetched, 1 stopped early (the same command goes on later) or the site gives nobody the rest, "
    "2 nothing was done. "
    "A second run brings what is new; with --refresh also karma, edits and deletions of older comments."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.epilog = EPILOG
    parser.add_argument("site", nargs="?", metavar="SITE", help="lesswrong, alignmentforum or eaforum")
    parser.add_argument("--user", action="append", default=[], metavar="NAME", help="comments by this person")
    parser.add_argument("--post", action="append", default=[], metavar="URL", help="comments and answers under a post")
    parser.add_argument("--since", metavar="DATE", help="only comments from this day on (YYYY-MM-DD)")
    parser.add_argument("--out", default="comments", metavar="FOLDER", help="where the files go (default: comments)")
    parser.add_argument(
        "--refresh", action="store_true", help="fetch everything again and replace the files at the end"
    )
    parser.add_argument(
        "--host", metavar="URL", help="another site that runs ForumMagnum, as https://forum.example.org"
    )
    parser.add_argument("--allow-local", action="store_true", help="--host may be on this machine or the local network")
    parser.add_argument(
        "--pause", type=float, default=PAUSE, metavar="SECONDS", help="pause between requests (default and minimum: 3)"
    )
    parser.add_argument("--ingest", action="store_true", help="read what was fetched into the index")
    take_store(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar, and no report unless it stopped early")
    parser.add_argument("--json", action="store_true", help="the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Fetch as told; returns the exit status.

    Raises:
        RagError: Nothing was done.
    """
    since, site = _since(args.since), _site(args)
    if not (args.user or args.post):
        raise SettingsError("fetch: say what. Give --user NAME or --post URL.")
    least = 0.0 if args.allow_local else PAUSE
    if not least <= args.pause <= 3600:
        raise SettingsError(f"fetch: --pause {args.pause:g} is not possible. Give {least:g} to 3600 seconds.")
    settings = settings_of(args)
    reports: list[FetchReport] = []
    failure: RagError | None = None
    with ForumClient(site, pause=args.pause, allow_local=args.allow_local, on_wait=_say(args)) as client:
        try:
            for report in _reports(client, args, since):
                reports.append(report)
                if report.stopped:
                    break
        except ForumError as exc:
            if not reports:
                raise
            failure = exc
        except KeyboardInterrupt:
            print("\nStopped. Nothing that was fetched is lost: run the same command again to go on.", file=sys.stderr)
            raise
    return _finish(args, settings, reports, failure)


def _reports(client: ForumClient, args: argparse.Namespace, since: datetime | None) -> Iterator[FetchReport]:
    from ingest.command import progress_bars

    for fetch, names in ((fetch_user, args.user), (fetch_post, args.post)):
        for name in names:
            with progress_bars(quiet=args.quiet or args.json) as progress:
                report = fetch(client, name, out=Path(args.out), since=since, refresh=args.refresh, progress=progress)
            yield report


def _finish(args: argparse.Namespace, settings: Settings, reports: list[FetchReport], failure: RagError | None) -> int:
    """Print the reports, ingest if asked to, and choose the exit status."""
    complete = failure is None and all(report.complete for report in reports)
    if not args.json and not (complete and args.quiet):
        print("\n".join(map(str, reports)))
    if failure is not None:
        print(f"Stopped early: {failure}", file=sys.stderr)
    read = _ingest(args, settings, reports) if args.ingest else None
    if args.json:
        said = {"fetched": [report.to_dict() for report in reports], "stopped": str(failure) if failure else None}
        print(json.dumps({**said, "ingest": read.to_dict() if read else None}, ensure_ascii=False, indent=2))
    elif read is not None and (read.errors or not args.quiet):
        print(read)
    return 1 if not complete or (read is not None and read.errors) else 0


def _ingest(args: argparse.Namespace, settings: Settings, reports: list[FetchReport]):
    from ingest.command import progress_bars
    from ingest.pipeline import ingest

    files = [report.file for report in reports if report.file.exists()]
    if not files:
        return None
    with progress_bars(quiet=args.quiet or args.json) as progress:
        return ingest(files, settings=settings, progress=progress)


def _site(args: argparse.Namespace) -> Site:
    if args.host:
        if args.site:
            raise SettingsError(f"fetch: give either {args.site} or --host {args.host}.")
        return named_site(args.host, allow_local=args.allow_local)
    if args.allow_local:
        raise SettingsError("fetch: --allow-local goes with --host, which names the local site.")
    name = (args.site or "").lower() or _named_by_links(args)
    if name not in SITES:
        said = f'"{args.site}" is not known' if args.site else "say which site"
        raise SettingsError(f"fetch: {said}. Known are {', '.join(SITES)}; give others with --host https://...")
    return SITES[name]


def _named_by_links(args: argparse.Namespace) -> str:
    """The site that links lead to; nobody is looked for by name alone without saying where."""
    people, posts = [user_of(name).host for name in args.user], [post_of(link).host for link in args.post]
    found = [site for host in (*people, *posts) if (site := site_of(host))]
    return found[0].name if found and None not in people else ""


def _since(value: str | None) -> datetime | None:
    try:
        moment = as_datetime(value)
    except (ValueError, OverflowError) as exc:
        raise SettingsError(f"fetch: --since takes a date such as 2023-01-31 ({exc}).") from exc
    if value is not None and moment is None:
        raise SettingsError("fetch: --since is empty. Give a date such as 2023-01-31, or leave it out.")
    if moment is not None and moment > datetime.now(UTC):
        raise SettingsError(f"fetch: --since {value} lies in the future.")
    return moment


def _say(args: argparse.Namespace):
    def say(seconds: float, reason: str) -> None:
        if not (args.quiet or args.json):
            print(f"{reason[:1].upper()}{reason[1:]}: waiting {seconds:.0f} s.", file=sys.stderr)

    return say
