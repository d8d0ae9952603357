"""read -> segment -> merge -> chunk -> embed -> write -> report.

Everything happens inside one transaction (rag/store.py), so an ingest that dies changes nothing that readers see.
Sources are streamed: no step holds more than one document and one batch of comments.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.border_judge import BorderJudge
from ingest.chunking import chunk
from ingest.cleaning import find_gaps, lines_of, protected_ranges, quoted_ranges
from ingest.distributed import embedder_for
from ingest.quotations import Quotations
from ingest.report import IngestReport, OnProgress, Progress
from ingest.segmentation import segment
from ingest.snapshots import SHORT, Sighting, Snapshots, line_keys
from ingest.sources import Problem, RawDocument, SourceFile, authors, files, read_file
from rag.corpus import decode, dump_comment, dump_passage, encode
from rag.embedding import load_embedder
from rag.errors import SettingsError, SourceError, StoreMissing
from rag.reader import Reader, load_reader
from rag.records import Comment, Passage, Quotation, Range
from rag.settings import Settings
from rag.store import Store, VectorJob, Writer

if TYPE_CHECKING:
    from rag.embedding import Embedder

VERSION = 5
"""Part of every fingerprint: raise it when the same file would now be read differently."""
BATCH = 128
"""Comments that are chunked and embedded together."""


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
        columns: Our column -> the file's, for structured sources, such as `{"text": "body"}`.
        segment_with_model: Let the chat model of the settings decide the uncertain borders of profile dumps. Dumps that
            were split without it are split again; what it decided stays until the dump changes.
        progress: Told how each phase advances.

    Returns:
        What was read, merged, left out and why. Files that cannot be read are in `errors`; everything else is indexed,
        and what an unreadable file held before stays indexed.

    Raises:
        SourceError: There is nothing to read, or `columns` names an unknown column.
        StoreMismatch: The index was made with another embedding model.
        StoreUnavailable: Another ingest is running, or the folder cannot be written.
        SettingsError: `segment_with_model` without a chat model.
        ModelError: The chat model's package, file or key is missing.
    """
    started = time.monotonic()
    settings = settings or Settings()
    judge = _judge(settings, progress) if segment_with_model else None
    embedder = embedder_for(settings)
    store = _store(settings)
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    if not paths and rebuild:
        paths = _known_roots(store)
    if not paths:
        raise SourceError("Nothing to ingest. Give files or folders, as in `python -m ingest comments/`.")
    _prepare(load_reader(settings), progress)
    run = Run(store, embedder, author_names or {}, columns or {}, progress, rebuild, judge)
    with suppress(_NothingToDo), store.writing(embedder, rebuild=rebuild) as writer:
        run.execute(writer, paths)
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
        run.begin(writer)
        run.remove_file(source)
        run.write()
    return run.report(time.monotonic() - started)


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
    from rag.chat_model import load_chat_model

    model = load_chat_model(settings)
    if model is None:
        raise SettingsError(
            "Splitting with a model needs a chat model, and the settings name none. Set COMMENTARIAT_LLM, as in "
            ".env.example, or leave --segment-with-model out."
        )
    return BorderJudge(model, progress)


def _known_roots(store: Store) -> list[Path]:
    rows = store.corpus.connection.execute("SELECT DISTINCT root FROM files ORDER BY root")
    return [Path(row["root"]) for row in rows]


class _NothingToDo(Exception):
    """Ends the transaction without a switch: the index is as it should be."""


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

    def begin(self, writer: Writer) -> None:
        self.writer = writer
        self.db = writer.corpus.connection
        self.snapshots = Snapshots(self.db)
        self.quotations = Quotations(writer.corpus, self.snapshots.comment)
        self.changes = 0

    def execute(self, writer: Writer, paths: Sequence[str | Path]) -> None:
        """All phases; raises _NothingToDo where the index need not change."""
        self.begin(writer)
        listed = self._list(paths)
        for number, file in enumerate(listed):
            self.progress(Progress("reading", number, len(listed), "files"))
            self._read(file)
        self.progress(Progress("reading", len(listed), len(listed), "files"))
        self._remove_what_is_gone(listed)
        self._use_borders_of_other_snapshots()
        for problem in self.judge.problems() if self.judge else ():
            self._note(problem)
        if not self.changes or (self.rebuild and not self._any_source()):
            raise _NothingToDo
        self.write()

    # --- reading ---

    def _list(self, paths: Sequence[str | Path]) -> list[SourceFile]:
        listed = []
        for item in files(paths):
            if isinstance(item, SourceFile):
                listed.append(self._named_as_before(item))
            else:
                self._note(item)
        self.authors, mistakes = authors(listed, self.author_names)
        self.errors += mistakes
        return listed

    def _named_as_before(self, file: SourceFile) -> SourceFile:
        """A file keeps the name it has in the index; two files of one name in different folders are told apart."""
        row = self.db.execute("SELECT name FROM files WHERE path = ?", (str(file.path),)).fetchone()
        if row:
            return replace(file, source=row["name"])
        taken = self.db.execute("SELECT path FROM files WHERE name = ?", (file.source,)).fetchone()
        if taken and Path(taken["path"]).exists():
            return replace(
                file, source=f"{file.root.name if file.root != file.path else file.path.parent.name}/{file.source}"
            )
        return file

    def _read(self, file: SourceFile) -> None:
        known = self.db.execute("SELECT fingerprint, author FROM files WHERE name = ?", (file.source,)).fetchone()
        # A name that was given once holds until another is given.
        author = self.authors.get(file.source) or (known["author"] if known else None)
        fingerprint = self._file_fingerprint(file, author)
        if fingerprint and known and self._is_read(file.source, known["fingerprint"], fingerprint):
            self.db.execute(
                "UPDATE files SET path = ?, root = ? WHERE name = ?", (str(file.path), str(file.root), file.source)
            )
            return
        seen: set[str] = set()
        whole = True
        unanswered = self.judge.unanswered if self.judge else 0
        for item in read_file(file, columns=self.columns, author=author):
            if isinstance(item, RawDocument):
                seen.add(item.source)
                self._take(item, file.source)
            else:
                self._note(item)
                whole &= not item.rest_unread
        if not whole and not seen:
            return
        stored = [row["name"] for row in self.db.execute("SELECT name FROM sources WHERE file = ?", (file.source,))]
        for name in stored if whole else ():
            if name not in seen:
                self._remove_source(name)
        if fingerprint and self.judge and self.judge.unanswered == unanswered:
            fingerprint += f"+{self.judge.name}"
        self.db.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
            (file.source, str(file.path), str(file.root), fingerprint if whole else "", author),
        )
        self.changes += 1

    def _is_read(self, name: str, stored: str, fingerprint: str) -> bool:
        """Whether a file or document was read as it would be now; what a model decided once stays until it changes."""
        as_it_was, _, model = stored.partition("+")
        return as_it_was == fingerprint and (
            self.judge is None or model == self.judge.name or not self._has_profile(name)
        )

    def _has_profile(self, name: str) -> bool:
        query = "SELECT 1 FROM sources WHERE (file = ? OR name = ?) AND kind = 'profile'"
        return self.db.execute(query, (name, name)).fetchone() is not None

    def _file_fingerprint(self, file: SourceFile, author: str | None) -> str | None:
        sidecar = file.path.with_name(file.path.name + ".meta.json")
        try:
            extra = sidecar.read_text(encoding="utf-8") if sidecar.exists() else ""
            return _digest(VERSION, file.sha256, author, sorted(self.columns.items()), extra)
        except (OSError, SourceError, UnicodeDecodeError):
            return None

    def _take(self, document: RawDocument, file: str) -> None:
        """Store one document and its pieces, unless it is as it was."""
        fingerprint = _digest(VERSION, document.text, document.kind, document.id, document.author, document.url,
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

    def _of_profile(self, document: RawDocument, known_borders: Sequence[int] = ()) -> Iterator[Sighting]:
        """A profile dump is many pieces: name and bio, and each comment."""
        text = document.text
        found = segment(
            text,
            embed=self._embed_lines,
            known_borders=known_borders,
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
        first = found.comments[0].start if found.comments else None
        self.db.execute("DELETE FROM lines WHERE source = ?", (document.source,))
        self.db.executemany(
            "INSERT INTO lines VALUES (?, ?, ?, ?)",
            [
                (key, document.source, start, start == first)
                for start, line in _long_lines(text)
                for key in line_keys(line)
            ],
        )
        for rank, piece in enumerate(found.comments):
            yield Sighting(
                start=piece.start, end=piece.end, text=text[piece.start : piece.end], kind="comment", rank=rank,
                quoted=_shifted(piece.quoted, -piece.start), gaps=tuple(gap - piece.start for gap in piece.gaps),
                border_confidence=piece.confidence, **common,
            )  # fmt: skip

    def _embed_lines(self, texts: Sequence[str]):
        return self.embedder.embed_texts(texts)

    def _use_borders_of_other_snapshots(self) -> None:
        """Where an older dump begins, a border lies in the newer one: split again those dumps that did not know."""
        rows = self.db.execute(
            "SELECT DISTINCT l.source, l.start FROM lines o JOIN lines l ON l.hash = o.hash AND l.source != o.source "
            "WHERE o.opens = 1 AND l.opens = 0 ORDER BY l.source, l.start"
        ).fetchall()
        borders: dict[str, list[int]] = {}
        for row in rows:
            borders.setdefault(row["source"], []).append(row["start"])
        for source, starts in borders.items():
            marks = ",".join("?" * len(starts))
            query = f"SELECT COUNT(*) FROM pieces WHERE source = ? AND kind = 'comment' AND start IN ({marks})"
            if self.db.execute(query, (source, *starts)).fetchone()[0] == len(starts):
                continue
            row = self.db.execute("SELECT * FROM sources WHERE name = ?", (source,)).fetchone()
            document = RawDocument(source, decode(row["text"]), "profile", **json.loads(row["data"]))
            self.snapshots.remove(source)
            for sighting in self._of_profile(document, starts):
                self.snapshots.add(sighting)
            self.changes += 1

    # --- removing ---

    def _remove_what_is_gone(self, listed: Sequence[SourceFile]) -> None:
        """Files that belong to a folder of this run and were not met in it."""
        met = {file.source for file in listed}
        for root in {str(file.root) for file in listed}:
            for row in self.db.execute("SELECT name, path FROM files WHERE root = ?", (root,)).fetchall():
                if row["name"] not in met and not Path(row["path"]).exists():
                    self.remove_file(row["name"])

    def remove_file(self, name: str) -> None:
        """Take one file out of the index."""
        for row in self.db.execute("SELECT name FROM sources WHERE file = ?", (name,)).fetchall():
            self._remove_source(row["name"], reported=False)
        self.db.execute("DELETE FROM files WHERE name = ?", (name,))
        self.removed_sources.append(name)
        self.changes += 1

    def _remove_source(self, name: str, *, reported: bool = True) -> None:
        self.snapshots.remove(name)
        self.db.execute("DELETE FROM lines WHERE source = ?", (name,))
        self.db.execute("DELETE FROM sources WHERE name = ?", (name,))
        if reported:
            self.removed_sources.append(name)
        self.changes += 1

    def _any_source(self) -> bool:
        return self.db.execute("SELECT 1 FROM sources LIMIT 1").fetchone() is not None

    # --- writing ---

    def write(self) -> None:
        """Comments and passages of everything that changed, and of comments that quote it."""
        added = changed = removed = 0
        dirty = sorted(self.snapshots.dirty | self._quoting())
        for at in range(0, len(dirty), BATCH):
            self.progress(Progress("embedding", at, len(dirty), "comments"))
            jobs: list[VectorJob] = []
            for comment_id in dirty[at : at + BATCH]:
                before = self.db.execute("SELECT kind, data FROM comments WHERE id = ?", (comment_id,)).fetchone()
                comment = self.snapshots.comment(comment_id)
                if comment and comment.quoted:
                    comment = replace(comment, quotes=self.quotations.find(comment))
                kind = comment.kind if comment else before["kind"] if before else ""
                row = dump_comment(comment) if comment else None
                if row and before and before["data"] == row[-1]:
                    continue
                counted = kind == "comment" and comment_id in self.snapshots.dirty
                added += counted and before is None and comment is not None
                changed += counted and before is not None and comment is not None
                removed += counted and before is not None and comment is None
                jobs += self._replace(comment_id, comment, row)
            self.writer.add_vectors(jobs)
        self.progress(Progress("embedding", len(dirty), len(dirty), "comments"))
        total = self.db.execute("SELECT COUNT(*) FROM comments WHERE kind = 'comment'").fetchone()[0]
        self.counts = {"added": added, "changed": changed, "removed": removed, "unchanged": total - added - changed}
        self.switched = True
        self.progress(Progress("writing", 0, 1, "index"))

    def _quoting(self) -> set[str]:
        """File the words of everything that changed; returns the comments that quote, or quoted, some of them."""
        quoting: set[str] = set()
        dirty = sorted(self.snapshots.dirty)
        for number, comment_id in enumerate(dirty):
            if number % BATCH == 0:
                self.progress(Progress("merging", number, len(dirty), "comments"))
            quoting |= self.quotations.update(comment_id, self.snapshots.comment(comment_id))
        self.progress(Progress("merging", len(dirty), len(dirty), "comments"))
        return quoting

    def _replace(self, comment_id: str, comment: Comment | None, row: tuple | None) -> Iterator[VectorJob]:
        self.db.execute("DELETE FROM passages WHERE comment_id = ?", (comment_id,))
        if comment is None or row is None:
            self.db.execute("DELETE FROM comments WHERE id = ?", (comment_id,))
            return
        self.db.execute(
            "INSERT INTO comments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, "
            "author_key = excluded.author_key, byline = excluded.byline, posted_at = excluded.posted_at, "
            "parent_id = excluded.parent_id, thread_id = excluded.thread_id, place = excluded.place, data = excluded.data",
            row,
        )
        for ordinal, (passage, windows) in enumerate(passages_of(comment, self.embedder)):
            job = VectorJob("v" + _digest(passage.text, windows), passage.text, windows)
            self.db.execute(
                "INSERT OR REPLACE INTO passages VALUES (?, ?, ?, ?, ?, ?)",
                (passage.id, comment_id, ordinal, job.vector_id, 1 + len(windows), dump_passage(passage)),
            )
            yield job

    # --- reporting ---

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
            "merged": self.snapshots.merged if self.switched else 0,
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
        )


def passages_of(comment: Comment, embedder: Embedder) -> Iterator[tuple[Passage, tuple[Range, ...]]]:
    """The passages of a comment with the windows to be embedded beside each."""
    best = comment.sightings[0]
    chunks = chunk(
        comment.text,
        token_spans=embedder.token_spans,
        max_tokens=embedder.max_tokens,
        protected=protected_ranges(comment.text),
    )
    for part in chunks:
        text = comment.text[part.start : part.end]
        passage = Passage(
            id="p" + _digest(comment.id, part.start, text),
            comment_id=comment.id,
            author=comment.author,
            text=text,
            source=best.source,
            start=best.start + part.start,
            end=best.start + part.end,
            url=comment.url,
            posted_at=comment.posted_at,
            kind=comment.kind,
            title=comment.title,
            label=comment.label,
            quoted=_inside(comment.quoted, part.start, part.end),
            gaps=tuple(gap - part.start for gap in comment.gaps if part.start <= gap < part.end),
            sentences=part.sentences,
            border_confidence=comment.border_confidence,
            parent_id=comment.parent_id,
            quotes=_quotes_inside(comment.quotes, part.start, part.end),
        )
        yield passage, part.windows


def _inside(ranges: Sequence[Range], start: int, end: int) -> tuple[Range, ...]:
    """The parts of ranges between two offsets, counted from the first of them."""
    return tuple((max(a, start) - start, min(b, end) - start) for a, b in ranges if a < end and b > start)


def _quotes_inside(quotes: Sequence[Quotation], start: int, end: int) -> tuple[Quotation, ...]:
    """The parts of quotations between two offsets, counted from the first of them."""
    return tuple(
        Quotation(max(quote.start, start) - start, min(quote.end, end) - start, quote.comment_id)
        for quote in quotes
        if quote.start < end and quote.end > start
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


def _long_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines long enough to be told from others, with their offsets."""
    for line in lines_of(text):
        if line.end - line.start >= SHORT:
            yield line.start, text[line.start : line.end]


def _digest(*values: object) -> str:
    joined = "\x1f".join(str(value) for value in values)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:20]
