"""How files were read before: their paths, manual settings (author, columns) and content hashes.

An author or a column that was named once holds until another is named: through a rebuild, which empties the index, and
through a new name or place, by which a file is known again from its bytes. Does not read the files.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection

from ingest.sources import SourceFile
from ingest.sources.folders import longer_names
from rag.errors import SourceError


@dataclass(frozen=True, slots=True)
class Reading:
    """One file as it was read last."""

    author: str | None = None
    """As named by hand."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column -> the file's."""
    path: Path = Path()
    root: Path = Path()
    sha256: str = ""


class Readings:
    """What an index knew of its files when a run began."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(
            "SELECT f.name, f.path, f.root, f.author, r.sha256, r.columns FROM files f LEFT JOIN readings r "
            "ON r.name = f.name ORDER BY f.name"
        )
        # An index of an earlier version has no row in `readings`.
        self._by_name = {
            row["name"]: Reading(
                row["author"],
                json.loads(row["columns"] or "{}"),
                Path(row["path"]),
                Path(row["root"]),
                row["sha256"] or "",
            )
            for row in rows
        }
        self._by_path = {reading.path: reading for reading in self._by_name.values()}
        self._by_bytes = {reading.sha256: reading for reading in self._by_name.values() if reading.sha256}

    def roots(self) -> list[Path]:
        """The files and folders that were given."""
        return sorted({reading.root for reading in self._by_name.values()})

    def of(self, file: SourceFile) -> Reading:
        """The file at this place; else the one of this name, if it is there no more. But what has the bytes of another is that."""
        same = self._by_bytes.get(bytes_of(file))
        named = self._by_name.get(file.source)
        if named and not (is_gone(named.path) or _is_same(named.path, file.path)):
            named = None
        for known in (self._by_path.get(file.path), named):
            if known and (same is None or known.sha256 == same.sha256):
                return known
        return same or Reading()


def bytes_of(file: SourceFile) -> str:
    """A hash of what the file holds; empty if it cannot be read."""
    try:
        return file.sha256
    except SourceError:
        return ""


def named_as_before(connection: Connection, file: SourceFile, others: Collection[str]) -> str:
    """A file keeps the name it has in the index; further files of that name get names of parent folders before it.

    Args:
        connection: The index.
        file: Under the name that it has among those given.
        others: Names that further files of this run have got.
    """
    row = connection.execute("SELECT name FROM files WHERE path = ?", (str(file.path),)).fetchone()
    if row:
        return row["name"]
    for name in longer_names(file):
        taken = connection.execute("SELECT path FROM files WHERE name = ?", (name,)).fetchone()
        free = not taken or is_gone(Path(taken["path"])) or _is_same(Path(taken["path"]), file.path)
        if free and name not in others:
            return name
    return file.path.as_posix()


def root_of(file: SourceFile, known: str | None) -> Path:
    """The widest folder that was given for a file: reading it once by itself does not take it out of its folder."""
    return Path(known) if known and file.root.is_relative_to(known) else file.root


def gone(connection: Connection, given: Sequence[str | Path], met: Sequence[SourceFile]) -> Iterator[str]:
    """Names of files of the index that are not there any more and were looked for, or were met in another place.

    Args:
        connection: The index.
        given: The files and folders of this run.
        met: The files that were found in them.
    """
    folders = list(_folders(given))
    names, moved = {file.source for file in met}, {bytes_of(file) for file in met} - {""}
    query = "SELECT f.name, f.path, r.sha256 FROM files f LEFT JOIN readings r ON r.name = f.name ORDER BY f.name"
    for row in connection.execute(query).fetchall():
        path = Path(row["path"])
        place = path.parent.resolve() / path.name
        looked_for = row["sha256"] in moved or any(place.is_relative_to(folder) for folder in folders)
        if row["name"] not in names and looked_for and is_gone(path):
            yield row["name"]


def _folders(given: Sequence[str | Path]) -> Iterator[Path]:
    for path in given:
        with suppress(OSError, RuntimeError, ValueError):
            if (folder := Path(path).resolve(strict=True)).is_dir():
                yield folder


def is_gone(path: Path) -> bool:
    """Whether nothing is there; what only cannot be looked at is not gone."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
