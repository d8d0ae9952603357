"""The index tab: what is indexed, adding, rebuilding and forgetting, while the chat goes on answering."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.forums import SITES
from ingest.forums.client import PAUSE
from ingest.report import IngestReport, Problem, told
from ingest.sources.folders import SIDECAR
from rag.errors import RagError, SettingsError, SourceError, StoreMissing
from rag.language.enumeration import counted
from rag.records import IndexInfo, as_datetime
from ui.feedback import GOOD, Feedback
from ui.markup import escape, message_html, tag
from ui.wording import date_text, problem_html

if TYPE_CHECKING:
    from gradio.events import Dependency

    from ingest.forums import Site
    from ingest.report import Progress
    from ui.service import Service

log = logging.getLogger(__name__)

LAST_RUN = "last-run.json"
BESIDE = ("uploads", "fetched", "feedback.jsonl")
"""What lies in the folder of an index and is no part of it."""
EMPTY = "No comments are indexed yet. Add files or a folder below, or fetch from a forum; then ask on the Chat tab."
MOST_PROBLEMS = 20
"""Of an ingest, as listed: a file that is no text has one on each line."""
OFTEN = 0.1
"""Seconds between two looks at how far a change is."""
FILE_TYPES = [".txt", ".md", ".jsonl", ".json", ".csv", ".parquet", ".html"]


class CancelError(Exception):
    """The reader pressed Cancel; raised inside the ingest, which then leaves the old index as it was."""


class IndexPage:
    """Layout and events of the index tab.

    Args:
        service: Says where the index is, and looks at it anew after a change.
        feedback: What can be exported as evaluation questions.
        sites: Forums to fetch from, by name; others than the known ones may be on this machine.
        pause: Seconds between requests to a forum.
    """

    def __init__(
        self, service: Service, feedback: Feedback, sites: Mapping[str, Site] = SITES, pause: float = PAUSE
    ) -> None:
        self._service = service
        self._feedback = feedback
        self._sites, self._pause = sites, pause
        self._cancel = threading.Event()
        self._running = threading.Lock()
        self._shown = ""
        """How far the change that runs is, or how the last one ended."""

    def layout(self) -> None:
        """Place the components; call inside a tab."""
        with gr.Column(elem_id="index-page", min_width=0):
            self.facts = gr.HTML(elem_id="index-facts", js_on_load=None)
            self.progress = gr.HTML(elem_id="index-progress", js_on_load=None)
            self.cancel = gr.Button("Cancel", visible=False, size="sm", elem_id="index-cancel")
            with gr.Row():
                with gr.Column(min_width=260):
                    gr.HTML("<h2>Add</h2>", js_on_load=None)
                    self.files = gr.File(label="Files", file_count="multiple", file_types=FILE_TYPES, height=130)
                    self.path = gr.Textbox(label="Or a file or folder on this machine", placeholder="/path/to/comments")
                    self.add = gr.Button("Add to the index", variant="primary", elem_id="index-add")
                with gr.Column(min_width=260):
                    gr.HTML("<h2>Fetch from a forum</h2>", js_on_load=None)
                    names = list(self._sites)
                    self.site = gr.Dropdown(names, value=names[0], label="Forum", elem_id="fetch-site")
                    self.what = gr.Textbox(
                        label="A person, or the address of a post", placeholder="davidad", elem_id="fetch-what"
                    )
                    self.since = gr.Textbox(
                        label="Since", placeholder="2023-01-31", max_length=10, elem_id="fetch-since"
                    )
                    self.fetch = gr.Button("Fetch and add", elem_id="index-fetch")
                with gr.Column(min_width=260):
                    gr.HTML("<h2>Change</h2>", js_on_load=None)
                    self.source = gr.Dropdown([], label="A source", value=None, elem_id="index-source")
                    self.forget = gr.Button("Forget this source", elem_id="index-forget")
                    self.rebuild = gr.Button("Rebuild everything", elem_id="index-rebuild")
            self.last = gr.HTML(elem_id="index-last", js_on_load=None)
            with gr.Column(elem_id="feedback"):
                self.judged = gr.HTML(elem_id="feedback-judged", js_on_load=None)
                with gr.Row():
                    self.export = gr.Button(
                        "Save liked answers as evaluation questions", min_width=260, elem_id="feedback-export"
                    )
                    self.export_open = gr.Button(
                        "Save the others, to be completed", min_width=260, elem_id="feedback-export-open"
                    )

    def wire(self, tab: gr.Tab, save: tuple[gr.Textbox, str]) -> list[Dependency]:
        """Connect the events; returns those after which other things are indexed.

        Args:
            tab: The tab this is in.
            save: A hidden box and the script that saves its content as a file.
        """
        quiet: dict[str, Any] = {"api_name": False, "show_progress": "hidden"}
        buttons = [self.add, self.fetch, self.forget, self.rebuild]
        told = [self.facts, self.last, self.judged, self.progress]
        changed = [*told, self.cancel, self.source, self.files, self.path, *buttons]
        tab.select(self.watch, None, changed, concurrency_limit=None, **quiet)
        changing = [
            self.add.click(self.run_add, [self.files, self.path], changed, **quiet),
            self.fetch.click(self.run_fetch, [self.site, self.what, self.since], changed, **quiet),
            self.forget.click(self.run_forget, self.source, changed, **quiet),
            self.rebuild.click(self.run_rebuild, None, changed, **quiet),
        ]
        self.cancel.click(self._cancel.set, None, None, queue=False, **quiet)
        box, script = save
        self.export.click(self.questions, None, box, **quiet).then(None, box, None, js=script)
        self.export_open.click(self.open_questions, None, box, **quiet).then(None, box, None, js=script)
        return changing

    def look(self) -> dict[Any, Any]:
        """What is indexed now, what the last run did, and what was said about answers."""
        store = self._service.settings.store
        judged = {self.judged: feedback_html(self._feedback)}
        try:
            info = self._service.store.info()
        except RagError as error:
            facts = (
                tag("p", EMPTY, class_="note") if isinstance(error, StoreMissing) else problem_html(error, owned=True)
            )
            return {**judged, self.facts: facts, self.last: "", self.source: gr.update(choices=[], value=None)}
        return {
            **judged,
            self.facts: facts_html(info, size_on_disk(store)),
            self.last: last_html(store / LAST_RUN, info),
            self.source: gr.update(choices=[name for name, _ in info.sources], value=None),
        }

    def run_add(self, files: Sequence[str] | None, path: str) -> Iterator[dict[Any, Any]]:
        """Ingest uploaded files and what stands in the path box.

        Uploads are kept beside the index: what Gradio holds is temporary, and a rebuild reads everything again. What was
        read leaves the boxes, or it would be read again with the next, even if forgotten in between.
        """
        settings = self._service.settings
        typed = (path or "").strip()
        read: list[IngestReport] = []
        if not files and not typed:
            said = "Choose files, or name a file or folder, first."
            yield {self.progress: tag("p", said, class_="problem", role="alert")}
            return

        def add(report: Any) -> IngestReport:
            kept = keep_uploads([Path(file) for file in files or ()], settings.store / "uploads")
            read.append(_ingest([*kept, *([typed] if typed else [])], settings, report))
            return read[0]

        yield from self._run("Adding", add)
        if read:
            yield {self.files: None, **({} if read[0].errors else {self.path: ""})}

    def run_fetch(self, site: str, what: str, since: str) -> Iterator[dict[Any, Any]]:
        """Import comments from a forum into a file beside the index, and ingest that. Only here does the page use the network.

        Cancelled or cut off, the next fetch of the same goes on where it stopped.
        """
        what = (what or "").strip()
        if not what:
            yield {self.progress: tag("p", "Say whose comments, or under which post.", class_="problem", role="alert")}
            return
        yield from self._run(f"Fetching {what}", lambda report: self._fetch(site, what, since, report))

    def _fetch(self, site: str, what: str, since: str, report: Any) -> IngestReport:
        from ingest.forums import ForumClient, fetch_post, fetch_user

        try:
            moment = as_datetime((since or "").strip())
        except ValueError as error:
            raise SettingsError("Since takes a date such as 2023-01-31.") from error
        settings = self._service.settings
        fetch = fetch_post if "/" in what and "/users/" not in what else fetch_user
        local = self._sites is not SITES
        with ForumClient(self._sites[site], pause=self._pause, allow_local=local) as client:
            fetched = fetch(client, what, out=settings.store / "fetched", since=moment, progress=report)
        read = _ingest([fetched.file], settings, report)
        ends = ((fetched.stopped, "Fetch it again: it goes on where it stopped."), (fetched.out_of_reach, ""))
        stops = tuple(Problem(fetched.file.name, None, what, fix) for what, fix in ends if what)
        return replace(read, errors=(*stops, *read.errors))

    def run_rebuild(self) -> Iterator[dict[Any, Any]]:
        """Ingest everything again from nothing."""
        yield from self._run("Rebuilding", lambda report: _ingest([], self._service.settings, report, rebuild=True))

    def run_forget(self, source: str | None) -> Iterator[dict[Any, Any]]:
        """Remove a source."""
        if not source:
            yield {self.progress: tag("p", "Choose a source first.", class_="problem", role="status")}
            return
        yield from self._run(f"Forgetting {source}", lambda report: _forget(source, self._service.settings))

    def _run(self, title: str, work: Callable[[Any], IngestReport]) -> Iterator[dict[Any, Any]]:
        """Start the work, which goes on and ends by itself whoever leaves the page, and show how far it is."""
        if not self._running.acquire(blocking=False):
            yield {self.progress: tag("p", "The index is being changed already; wait for that to end.", role="status")}
            return
        self._cancel.clear()
        self._shown = progress_html(title, None)
        threading.Thread(target=self._work, args=(title, work), daemon=True).start()
        for update in self.watch():
            yield {self.progress: self._shown, **update}  # also of what ended before anybody looked

    def _work(self, title: str, work: Callable[[Any], IngestReport]) -> None:
        def report(event: Progress) -> None:
            if self._cancel.is_set():
                raise CancelError
            self._shown = progress_html(title, event)

        try:
            done = work(report)
            keep_last(self._service.settings.store / LAST_RUN, title, done)
            self._shown = report_html(done)
        except CancelError:
            self._shown = tag("p", "Cancelled. The index is as it was.", role="status")
        except RagError as error:
            self._shown = tag("p", message_html(str(error)), class_="problem", role="alert")
        except Exception as error:
            log.exception("%s failed", title)
            broken = f"Something broke inside the program ({type(error).__name__}). The index is as it was."
            self._shown = tag("p", escape(broken), class_="problem", role="alert")
        finally:
            self._service.reopen()
            self._running.release()

    def watch(self) -> Iterator[dict[Any, Any]]:
        """How far a change of the index is, until it has ended, whoever began it; then what is indexed."""
        seen = ""
        while self._running.locked():
            if self._shown != seen:
                seen = self._shown
                yield {**self._busy(True), self.progress: seen}
            time.sleep(OFTEN)
        yield {**self.look(), **self._busy(False), **({self.progress: self._shown} if seen else {})}

    def _busy(self, busy: bool) -> dict[Any, Any]:
        buttons = {
            button: gr.update(interactive=not busy) for button in (self.add, self.fetch, self.forget, self.rebuild)
        }
        return {**buttons, self.cancel: gr.update(visible=busy)}

    def questions(self) -> str:
        """Liked answers as evaluation questions, for saving."""
        return _questions_file("questions.jsonl", self._feedback.evaluation_questions())

    def open_questions(self) -> str:
        """Answers that were found wanting, as questions whose right answer is still to be filled in."""
        return _questions_file("questions-to-complete.jsonl", self._feedback.open_questions())


def _questions_file(name: str, questions: str) -> str:
    from ui.history import file_to_save

    if not questions:
        raise gr.Error("No answer was judged like that yet.", title="Nothing to save", print_exception=False)
    return file_to_save(name, "application/jsonl", questions)


def keep_uploads(files: Sequence[Path], uploads: Path) -> list[Path]:
    """Copy uploaded files to where a rebuild finds them; returns the folders they are in.

    Each file has a folder named after its bytes, so that none takes the place of another of its name: exports of different
    forums are called the same. What describes a file (`SIDECAR`) lies beside it, be it uploaded with it or later.

    Raises:
        SourceError: A file cannot be kept.
    """
    folders: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(files, key=lambda file: file.name.endswith(SIDECAR)):
        name = file.name.removesuffix(SIDECAR)
        try:
            places = [uploads / _digest(file)]
            if name != file.name:
                places = folders[name] or [path.parent for path in uploads.rglob("*") if path.name == name] or places
            for folder in places:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, folder / file.name)
        except OSError as error:
            raise SourceError(f"{file.name} cannot be kept in {uploads} ({error.strerror or error}).") from error
        folders[name] += places
    return list(dict.fromkeys(folder for places in folders.values() for folder in places))


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:8]


def _ingest(paths: Sequence[str | Path], settings: Any, report: Any, *, rebuild: bool = False) -> IngestReport:
    from ingest.pipeline import ingest

    return ingest([Path(path).expanduser() for path in paths], settings=settings, rebuild=rebuild, progress=report)


def _forget(source: str, settings: Any) -> IngestReport:
    from ingest.pipeline import forget

    return forget(source, settings=settings)


def size_on_disk(store: Path) -> int:
    """Bytes that an index takes, without what it was made from; parts that vanish meanwhile are left out."""
    size = 0
    for path in store.rglob("*"):
        with suppress(OSError):
            own = path.relative_to(store).parts[0] not in (*BESIDE, LAST_RUN)
            size += path.stat().st_size if own and path.is_file() else 0
    return size


def keep_last(path: Path, title: str, report: IngestReport) -> None:
    """Remember what a run did; that it cannot be written is no reason to fail."""
    last = {"at": datetime.now(UTC).isoformat(), "title": title, "report": report.to_dict()}
    with suppress(OSError):
        path.write_text(json.dumps(last, ensure_ascii=False), encoding="utf-8")


def last_html(path: Path, info: IndexInfo) -> str:
    """The last run on this page and its report, and whether the index was changed since in another way."""
    try:
        last = json.loads(path.read_text(encoding="utf-8"))
        report, at = last["report"], datetime.fromisoformat(last["at"])
        found = {name: tuple(Problem(**one) for one in report[name]) for name in ("errors", "skipped")}
        text = report_html(IngestReport(report["counts"], seconds=report["seconds"], **found))
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    since = " The index was changed since then, not on this page." if info.created_at > at else ""
    summary = tag("summary", escape(f"Last run on this page: {last['title']}, {at:%Y-%m-%d %H:%M} UTC.{since}"))
    return tag("details", summary + text.replace(' role="status"', ""))


def feedback_html(feedback: Feedback) -> str:
    """How many answers were judged, and what can be done with that."""
    judged = [one["judgement"] == GOOD for one in feedback.judgements()]
    text = (
        f"{counted(sum(judged), 'answer')} liked, {counted(len(judged) - sum(judged), 'answer')} found wanting. Liked ones are "
        "ready for `commentariat eval --questions FILE`; for the others somebody has to say what the right words are."
        if judged
        else "No answer was judged yet: use the thumb and the flag below an answer."
    )
    return tag("h2", "Feedback") + tag("p", message_html(text), class_="note")


def facts_html(info: IndexInfo, size: int) -> str:
    """What an index holds, as a table."""
    dates = " to ".join(dict.fromkeys(date_text(when) for when in (info.since, info.until) if when)) or "none known"
    facts = [
        ("Comments", f"{info.comments:,}, cut into {counted(info.passages, 'passage')}"),
        ("Authors", ", ".join(f"{name} ({number:,})" for name, number in info.authors[:12])),
        ("Dates", dates),
        ("Embedding model", info.embedding_model),
        ("Size", f"{size / 1e6:,.1f} MB on disk"),
        ("Last change", f"{info.created_at:%Y-%m-%d %H:%M} UTC"),
    ]
    if len(info.authors) > 12:
        facts[1] = ("Authors", f"{facts[1][1]} and {counted(len(info.authors) - 12, 'more author')}")
    rows = "".join(tag("tr", tag("th", name, scope="row") + tag("td", escape(value))) for name, value in facts)
    sources = "".join(
        tag("tr", tag("td", escape(name)) + tag("td", f"{number:,}", class_="number-of"))
        for name, number in info.sources
    )
    head = tag("thead", "<tr><th scope=col>Source</th><th scope=col class=number-of>Comments</th></tr>")
    return (
        tag("h2", "What is indexed")
        + tag("table", rows, class_="facts-table")
        + tag("table", head + tag("tbody", sources), class_="sources-table")
    )


def progress_html(title: str, event: Progress | None) -> str:
    """How far an ingest has come."""
    if event is None:
        return tag("p", escape(f"{title}…"), role="status")
    done = f"{event.done:,}" if event.total is None else f"{event.done:,} of {event.total:,}"
    text = tag("p", escape(f"{title}: {event.phase}, {done} {event.unit}"), role="status")
    if event.total:
        text += tag("progress", "", value=str(event.done), max=str(event.total), title=event.phase)
    return text


def report_html(report: IngestReport) -> str:
    """What an ingest did, with its problems by file and line."""
    counts = report.counts
    facts = [f"{counts.get(name, 0):,} {name}" for name in ("added", "changed", "unchanged", "removed")]
    if counts.get("merged"):
        facts.append(f"{counts['merged']:,} seen in several places and merged")
    if counts.get("unsure_borders"):
        facts.append(f"{counts['unsure_borders']:,} in the index with an uncertain border")
    done = f"Done in {report.seconds:.1f} s. Comments: {', '.join(facts)}."
    parts = [tag("p", escape(done), role="status")]
    for heading, problems in (("Not read", report.errors), ("Left out", report.skipped)):
        if problems:
            lines = list(told(problems))
            rest = counted(len(lines) - MOST_PROBLEMS, "more problem")
            shown = lines[:MOST_PROBLEMS] + ([f"and {rest}"] if len(lines) > MOST_PROBLEMS else [])
            parts.append(tag("h3", heading) + tag("ul", "".join(tag("li", message_html(line)) for line in shown)))
    return "".join(parts)
