"""read -> segment -> merge -> chunk -> embed -> write -> report.

Everything happens inside one transaction (rag/index/store.py), so an ingest that dies changes nothing that readers see.
Sources are streamed: no step holds more than one document and one batch of comments.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.border_judge import BorderJudge
from ingest.distributed import embedder_for
from ingest.indexing import Indexer
from ingest.lost_content import find_gaps
from ingest.marked_quotes import quoted_ranges
from ingest.passages import digest
from ingest.readings import Readings, bytes_of, gone, named_as_before, root_of
from ingest.report import IngestReport, OnProgress, Progress
from ingest.segmentation import segment
from ingest.snapshot_borders import Proved, SnapshotBorders
from ingest.snapshots import Sighting, Snapshots
from ingest.sources import Problem, RawDocument, SourceFile, authors, check_columns, files, read_file
from ingest.sources.folders import SIDECAR
from rag.errors import SettingsError, SourceError, StoreMissing
from rag.index.database import decode, encode
from rag.index.store import Store
from rag.index.writer import Writer
from rag.models.embedding import EmbeddingCache, load_embedder
from rag.models.reader import Reader, load_reader
from rag.records import Range, as_datetime
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.models.embedding import Embedder

VERSION = 15
"""Part of every fingerprint: raise it when the same file would now be read differently."""


def ingest(
    paths: str | Path | Sequence[str | Path] = (),
    *,
    settings: Settings | None = None,
    rebuild: bool = False,
    author_names: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    segment_with_model: bool = False,
    progress: OnProgress = lambda event: None,
) -> IngestReport:
    """Read comments into the index. Doing it twice changes nothing.

    Args:
        paths: Files and folders. Empty with `rebuild`: whatever was ingested before.
        settings: Where the index is and which model embeds; by default from the environment.
        rebuild: Start from nothing; the old index answers until the new one is complete.
        author_names: File name -> author, for dumps that do not say who wrote them.
        columns: Our column -> the file's, for structured sources, such as `{"text": "body"}`. Like an author's name, a
            column that was named once for a file holds until another is named, or the file is forgotten.
        segment_with_model: Let the chat model of the settings decide the uncertain borders of profile dumps. Dumps that
            were split without it are split again; what it decided stays until the dump changes.
        progress: Told how each phase advances.

    Returns:
        What was read, merged, left out and why. Files and rows that cannot be read are in `errors`; everything else is
        indexed, and what they held before stays indexed.

    Raises:
        SourceError: There is nothing to read, a path is empty, or `columns` names an unknown column.
        StoreMismatch: The index was made with another embedding model.
        StoreUnavailable: Another ingest is running, or the folder cannot be written.
        SettingsError: `segment_with_model` without a chat model.
        ModelError: The chat model's package, file or key is missing.
    """
    started = time.monotonic()
    check_columns(columns)
    settings = settings or Settings()
    judge = _judge(settings, progress) if segment_with_model else None
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    if "" in paths:
        # As of a variable that is not set in a shell; `Path` takes it for the folder one is in.
        raise SourceError("One of the paths is empty. Give files or folders.")
    # Where there is neither an index nor anything to read, no index is made.
    store = _store(settings) if _has_index(settings) else None
    if not paths and rebuild and store:
        paths = Readings(store.corpus.connection).roots()
    if not paths:
        raise SourceError("Nothing to ingest. Give files or folders, as in `python -m ingest comments/`.")
    found = list(files(paths, index=Path(settings.store)))
    if store is None and all(isinstance(item, Problem) for item in found):
        return IngestReport(errors=tuple(found), seconds=time.monotonic() - started)
    store = store or _store(settings)
    embedder = embedder_for(settings)
    _prepare(load_reader(settings), progress)
    run = Run(store, embedder, author_names or {}, columns or {}, progress, rebuild, judge)
    with suppress(_NothingToDo), store.writing(embedder, rebuild=rebuild) as writer:
        run.execute(writer, paths, found)
    return run.report(time.monotonic() - started)


def _prepare(reader: Reader, progress: OnProgress) -> None:
    """Load it, so that the first question on this machine does not wait for its export."""
    if not reader.unprepared:
        reader.load()
        return
    progress(Progress("preparing", 0, 1, "models"))
    reader.load()
    progress(Progress("preparing", 1, 1, "models"))


def forget(source: str, *, settings: Settings | None = None) -> IngestReport:
    """Remove one file from the index, with all comments that stand nowhere else.

    Raises:
        SourceError: The index holds no such file.
        StoreMissing: There is no index.
    """
    started = time.monotonic()
    settings = settings or Settings()
    embedder = load_embedder(settings)
    store = Store.open(settings, embedder)
    if source not in {name for name, _ in store.corpus.sources()}:
        raise SourceError(f'No source "{source}" is in the index {store.folder}. `commentariat sources` lists them.')
    run = Run(store, embedder, {}, {}, lambda event: None, rebuild=False)
    with store.writing(embedder) as writer:
        run.forget(writer, source)
    return run.report(time.monotonic() - started)


def _has_index(settings: Settings) -> bool:
    return (Path(settings.store) / "index.sqlite3").is_file()


def _store(settings: Settings) -> Store:
    folder = Path(settings.store)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreMissing(
            f"The index folder {folder} cannot be made ({exc.strerror}). Check the setting store."
        ) from exc
    return Store(folder, settings.chroma_url)


def _judge(settings: Settings, progress: OnProgress) -> BorderJudge:
    from rag.chat.chat_model import load_chat_model

    model = load_chat_model(settings)
    if model is None:
        raise SettingsError(
            "Splitting with a model needs a chat model, and the settings name none. Set COMMENTARIAT_LLM, as in "
            ".env.example, or leave --segment-with-model out."
        )
    return BorderJudge(model, progress)


class _NothingToDo(Exception):
    """Undoes the transaction: the index that was there stays."""


@dataclass
class Run:
    """One ingest: its parts, and what it counts."""

    store: Store
    embedder: Embedder
    author_names: Mapping[str, str]
    columns: Mapping[str, str]
    progress: OnProgress
    rebuild: bool
    judge: BorderJudge | None = None
    errors: list[Problem] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)
    removed_sources: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    switched: bool = False
    files_found: int = 0

    def __post_init__(self) -> None:
        # Before the transaction, in which a rebuild empties the tables.
        self.readings = Readings(self.store.corpus.connection)

    def begin(self, writer: Writer) -> None:
        self.writer = writer
        self.db = writer.corpus.connection
        self.snapshots = Snapshots(self.db)
        self.borders = SnapshotBorders(self.db)
        self.changes = 0
        self.embed_lines = EmbeddingCache(self.embedder.embed_texts)
        self.further_before = self._further_sightings()

    def execute(self, writer: Writer, paths: Sequence[str | Path], found: Sequence[SourceFile | Problem]) -> None:
        """All phases; raises _NothingToDo where the index must stay as it was.

        Args:
            writer: Of this run.
            paths: What was given.
            found: What is there.
        """
        self.begin(writer)
        listed = self._list(found)
        for number, file in enumerate(listed):
            self.progress(Progress("reading", number, len(listed), "files"))
            self._read(file)
        self.progress(Progress("reading", len(listed), len(listed), "files"))
        for name in list(gone(self.db, paths, listed)):
            self._remove_file(name)
        self._use_borders_of_other_sources()
        for problem in self.judge.problems() if self.judge else ():
            self._note(problem)
        if self.rebuild and not self._any_source():
            raise _NothingToDo
        if self.changes or not writer.words_are_current:
            self.write()
        else:
            writer.switches = False

    def forget(self, writer: Writer, name: str) -> None:
        """Take one file out of the index, with what it proved about others."""
        self.begin(writer)
        self._remove_file(name)
        self._use_borders_of_other_sources()
        self.write()

    # --- reading ---

    def _list(self, found: Sequence[SourceFile | Problem]) -> list[SourceFile]:
        listed: dict[str, SourceFile] = {}
        for item in found:
            if isinstance(item, SourceFile):
                name = named_as_before(self.db, item, listed)
                listed[name] = replace(item, source=name)
            else:
                self._note(item)
        self.files_found = len(listed)
        self.authors, mistakes = authors(listed.values(), self.author_names)
        self.errors += mistakes
        return list(listed.values())

    def _read(self, file: SourceFile) -> None:
        known = self.db.execute("SELECT path, root, fingerprint FROM files WHERE name = ?", (file.source,)).fetchone()
        before = self.readings.of(file)
        author = self.authors.get(file.source) or before.author
        columns = {**before.columns, **self.columns}
        root = root_of(file, known["root"] if known else None)
        fingerprint = self._file_fingerprint(file, author, columns)
        if fingerprint and known and self._is_read(file.source, known["fingerprint"], fingerprint):
            if (known["path"], known["root"]) != (str(file.path), str(root)):
                self.db.execute(
                    "UPDATE files SET path = ?, root = ? WHERE name = ?", (str(file.path), str(root), file.source)
                )
            return
        seen: set[str] = set()
        whole = all_rows = True
        unanswered = self.judge.unanswered if self.judge else 0
        for item in read_file(file, columns=columns, author=author):
            if isinstance(item, RawDocument):
                seen.add(item.source)
                self._take(item, file.source)
            else:
                self._note(item)
                whole &= not item.rest_unread
                all_rows &= not item.row_unread
        if not whole and not seen:
            return
        if whole:
            self._remove_unseen(file.source, seen, all_rows=all_rows)
        if fingerprint and self.judge and self.judge.unanswered == unanswered:
            fingerprint += f"+{self.judge.name}"
        self.db.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
            (file.source, str(file.path), str(root), fingerprint if whole else "", author),
        )
        # Columns by which nothing could be read are a mistake, or meant for another file.
        columns = columns if seen else before.columns
        self.db.execute(
            "INSERT OR REPLACE INTO readings VALUES (?, ?, ?)", (file.source, bytes_of(file), json.dumps(dict(columns)))
        )
        self.changes += 1

    def _remove_unseen(self, file: str, seen: Collection[str], *, all_rows: bool) -> None:
        """Take out what a file held and holds no more. Where rows could not be read, it may be one of them, and stays."""
        query = "SELECT name FROM sources WHERE file = ?"
        unseen = [row["name"] for row in self.db.execute(query, (file,)) if row["name"] not in seen]
        if all_rows:
            for name in unseen:
                self._remove_source(name)
        elif unseen:
            what = (
                f"Comments not found again: {len(unseen):,}. They stay, for they may be in the rows that were not read."
            )
            self._note(Problem(file, None, what, "Mend those rows and ingest again.", "note"))

    def _is_read(self, name: str, stored: str, fingerprint: str) -> bool:
        """Whether a file or document was read as it would be now; what a model decided once stays until it changes."""
        as_it_was, _, model = stored.partition("+")
        return as_it_was == fingerprint and (
            self.judge is None or model == self.judge.name or not self._has_profile(name)
        )

    def _has_profile(self, name: str) -> bool:
        query = "SELECT 1 FROM sources WHERE (file = ? OR name = ?) AND kind = 'profile'"
        return self.db.execute(query, (name, name)).fetchone() is not None

    def _file_fingerprint(self, file: SourceFile, author: str | None, columns: Mapping[str, str]) -> str:
        """What the file, and what is said about it, is known by; empty if one of them cannot be read."""
        sidecar = file.path.with_name(file.path.name + SIDECAR)
        try:
            extra = sidecar.read_text(encoding="utf-8", errors="backslashreplace") if sidecar.exists() else ""
            return digest(VERSION, file.sha256, author, sorted(columns.items()), extra)
        except (OSError, SourceError):
            return ""

    def _take(self, document: RawDocument, file: str) -> None:
        """Store one document and its pieces, unless it is as it was."""
        fingerprint = digest(VERSION, document.text, document.kind, document.id, document.author, document.url,
                              document.posted_at, document.parent_id, document.thread_id, document.title,
                              document.karma, document.seen_at, document.quoted, document.gaps, sorted(document.extra.items(), key=str)
                              if document.kind == "comment" else "")  # fmt: skip
        known = self.db.execute("SELECT fingerprint FROM sources WHERE name = ?", (document.source,)).fetchone()
        if known and self._is_read(document.source, known["fingerprint"], fingerprint):
            return
        if known:
            self._remove_source(document.source, reported=False)
        unanswered = self.judge.unanswered if self.judge else 0
        data = {name: getattr(document, name) for name in ("author", "url", "seen_at", "modified_at")}
        self.db.execute(
            "INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?)",
            (document.source, file, document.kind, fingerprint, encode(document.text), json.dumps(data, default=str)),
        )
        if document.kind == "comment":
            self.borders.file_comment(document.source, document.text)
        sightings = self._of_profile(document) if document.kind == "profile" else [self._of_whole(document)]
        for sighting in sightings:
            self.snapshots.add(sighting)
        if self.judge and document.kind == "profile" and self.judge.unanswered == unanswered:
            marked = f"{fingerprint}+{self.judge.name}"
            self.db.execute("UPDATE sources SET fingerprint = ? WHERE name = ?", (marked, document.source))
        self.changes += 1

    def _of_whole(self, document: RawDocument) -> Sighting:
        """A comment or plain document is one piece: all of its source."""
        return Sighting(
            source=document.source, start=0, end=len(document.text), text=document.text, kind=document.kind,
            native_id=document.id, author=document.author, url=document.url, posted_at=document.posted_at,
            parent_id=document.parent_id, thread_id=document.thread_id,
            title=document.title or (Path(document.source).stem if document.kind == "document" else None),
            karma=document.karma, seen_at=document.seen_at, modified_at=document.modified_at, quoted=document.quoted or quoted_ranges(document.text),
            gaps=document.gaps or (find_gaps(document.text) if document.kind == "comment" else ()), extra=document.extra,
        )  # fmt: skip

    def _of_profile(self, document: RawDocument, proved: Proved | None = None) -> Iterator[Sighting]:
        """A profile dump is many pieces: name and bio, and each comment.

        Args:
            document: The dump.
            proved: What other sources prove. None when it is read first: only then is it filed what it proves
                itself, so that this does not depend on the others.
        """
        text = document.text
        found = segment(
            text,
            embed=self.embed_lines,
            known_borders=proved.begins if proved else (),
            no_borders=proved.inside if proved else (),
            author_name=document.author,
            decide=self.judge,
        )
        author = document.author or found.name
        common = {"source": document.source, "author": author, "label": None if author else found.label,
                  "seen_at": document.seen_at, "modified_at": document.modified_at}  # fmt: skip
        for number, (start, end) in enumerate(_joined(text, found.profile)):
            yield Sighting(
                start=start, end=end, text=text[start:end], kind="profile", url=document.url, rank=number, **common
            )
        if proved is None:
            self.borders.file_dump(document.source, text, found.comments[0].start if found.comments else None)
        if proved is None and not found.comments:
            what = "It looks like the saved page of a user, but no comment was found in it."
            self._note(Problem(document.source, None, what, "Save it when its comments are loaded.", "note"))
        for rank, piece in enumerate(found.comments):
            yield Sighting(
                start=piece.start, end=piece.end, text=text[piece.start : piece.end], kind="comment", rank=rank,
                quoted=_shifted(piece.quoted, -piece.start), gaps=tuple(gap - piece.start for gap in piece.gaps),
                border_confidence=piece.confidence, **common,
            )  # fmt: skip

    def _use_borders_of_other_sources(self) -> None:
        """Split those dumps again of which other sources now prove more, or less, than when they were split."""
        for source, proved in self.borders.proved().items():
            row = self.db.execute("SELECT * FROM sources WHERE name = ?", (source,)).fetchone()
            data = json.loads(row["data"])
            if proved == Proved(*map(tuple, data.pop("proved", ()))):
                continue
            facts = {name: as_datetime(value) if name.endswith("_at") else value for name, value in data.items()}
            document = RawDocument(source, decode(row["text"]), "profile", **facts)
            self.snapshots.remove(source)
            for sighting in self._of_profile(document, proved):
                self.snapshots.add(sighting)
            data = json.dumps({**data, "proved": proved}, default=str)
            self.db.execute("UPDATE sources SET data = ? WHERE name = ?", (data, source))
            if self.judge is None:
                self._forget_model(source, row["file"])
            self.changes += 1

    def _forget_model(self, source: str, file: str) -> None:
        """The rules have split it: a model is asked again in the next run that has one."""
        for table, name in (("sources", source), ("files", file)):
            (fingerprint,) = self.db.execute(f"SELECT fingerprint FROM {table} WHERE name = ?", (name,)).fetchone()
            without = fingerprint.partition("+")[0]
            self.db.execute(f"UPDATE {table} SET fingerprint = ? WHERE name = ?", (without, name))

    # --- removing ---

    def _remove_file(self, name: str) -> None:
        for row in self.db.execute("SELECT name FROM sources WHERE file = ?", (name,)).fetchall():
            self._remove_source(row["name"], reported=False)
        for table in ("files", "readings"):
            self.db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))
        self.removed_sources.append(name)
        self.changes += 1

    def _remove_source(self, name: str, *, reported: bool = True) -> None:
        self.snapshots.remove(name)
        self.borders.remove(name)
        self.db.execute("DELETE FROM sources WHERE name = ?", (name,))
        if reported:
            self.removed_sources.append(name)
        self.changes += 1

    def _any_source(self) -> bool:
        return self.db.execute("SELECT 1 FROM sources LIMIT 1").fetchone() is not None

    def write(self) -> None:
        """Comments and passages of everything that changed, and of comments that quote it."""
        indexer = Indexer(self.writer, self.snapshots, self.embedder, self.progress)
        self.counts = indexer.write()
        self.switched = True

    # --- reporting ---

    def _further_sightings(self) -> int:
        query = "SELECT COUNT(*) - COUNT(DISTINCT comment_id) FROM pieces WHERE kind = 'comment'"
        return self.store.corpus.connection.execute(query).fetchone()[0]

    def _note(self, problem: Problem) -> None:
        (self.skipped if problem.severity == "note" else self.errors).append(problem)

    def report(self, seconds: float) -> IngestReport:
        corpus = self.store.corpus
        comments = corpus.counts()[0]
        totals = {
            "files": corpus.connection.execute("SELECT COUNT(*) FROM files").fetchone()[0],
            "sources": corpus.connection.execute("SELECT COUNT(*) FROM sources").fetchone()[0],
            "comments": comments,
            "passages": corpus.passage_count(),
            "unsure_borders": corpus.unsure_borders(),
            "merged": max(0, self._further_sightings() - self.further_before),
            "embedded": self.writer.embedded,
        }
        counts = self.counts or {"added": 0, "changed": 0, "removed": 0, "unchanged": comments}
        return IngestReport(
            {**totals, **counts},
            tuple(self.skipped),
            tuple(self.errors),
            seconds,
            tuple(self.removed_sources),
            self.switched,
            self.files_found,
        )


def _shifted(ranges: Sequence[Range], by: int) -> tuple[Range, ...]:
    return tuple((start + by, end + by) for start, end in ranges)


def _joined(text: str, ranges: Sequence[Range]) -> list[Range]:
    """Neighbouring ranges as one, where only white space is between."""
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
