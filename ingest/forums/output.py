"""The JSON Lines file of one import and, hidden beside it, how far the import has come.

Every page is on the disk before the next one is asked for: first its rows, then the state. If the program dies between
the two, the page is asked again and its rows, already known, are passed over. A row cut off in the middle is cut away.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from rag.errors import ForumError
from rag.language.letters import whole

FORMAT = 1
"""Of the state."""
_KEYS = {"site", "kind", "id", "since", "walk", "newest", "begun", "checked", "deleted", "anew", "passes"}
_ANEW = "Remove it, and fetch again with --refresh."


class Changes(NamedTuple):
    """What became different in the file."""

    new: int
    changed: int
    removed: int


class CommentFile:
    """Rows by id, and a state; for use in `with`, by one program at a time.

    Raises:
        ForumError: Another program writes the file, or the folder cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state: dict[str, Any] = {}
        """Empty if there was no import yet."""
        self.anew = False
        """Whether rows go into a second file, which takes the place of the first one when it is complete."""
        self._state_path = path.with_name(f".{path.name}.state")
        self._new_path = path.with_name(f".{path.name}.new")
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
        self._rows: dict[str, bytes] = {}
        self._new = self._changed = self._removed = 0

    def __enter__(self) -> CommentFile:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self.state = self._load()
            if self.state.get("anew") and not self.state["passes"] and self._new_path.exists():
                # Complete, but the program died before it could take its place.
                self._new_path.replace(self.path)
        except Timeout as exc:
            raise ForumError(f"Another import is writing {self.path}. Wait for it.") from exc
        except OSError as exc:
            what = f"{exc.filename or self.path} cannot be written ({exc.strerror})"
            raise ForumError(f"{what}. Give another --out.") from exc
        return self

    def __exit__(self, *exc: object) -> None:
        self._lock.release()

    def __len__(self) -> int:
        """Rows that are written so far: of the second file, if there is one."""
        return len(self._rows)

    def __contains__(self, state: Mapping[str, Any]) -> bool:
        """Whether the rows that a state speaks of are still there: if some are not, the file is smaller than it was."""
        path = self._new_path if state["anew"] and state["passes"] else self.path
        return path.exists() and path.stat().st_size >= state.get("bytes", 0)

    def begin(self, *, anew: bool, go_on: bool) -> None:
        """Open the rows.

        Args:
            anew: Write a second file, to replace the first one in the end.
            go_on: Keep what an interrupted import wrote.
        """
        self.anew = anew
        if anew and not go_on:
            self._new_path.unlink(missing_ok=True)
        self._rows = dict(_read(self._current)) if go_on or not anew else {}

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append the rows whose ids are not there yet."""
        lines = []
        for row in rows:
            line = _line(row)
            if row["id"] not in self._rows:
                self._rows[row["id"]] = _digest(row)
                lines.append(line)
        if lines:
            self._new += len(lines)
            with self._current.open("ab") as stream:
                stream.write(b"".join(lines))
                stream.flush()
                os.fsync(stream.fileno())

    def replace(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put rows in the place of those with the same ids; append the others."""
        rows = list(rows)
        lines = {row["id"]: _line(row) for row in rows}
        digests = {row["id"]: _digest(row) for row in rows}
        changed = {id: line for id, line in lines.items() if id in self._rows and digests[id] != self._rows[id]}
        if changed:
            self._changed += len(changed)
            self._rewrite(changed)
            self._rows |= {id: digests[id] for id in changed}
        self.add(rows)

    def remove(self, ids: Iterable[str]) -> None:
        """Take rows out, where there are any with these ids."""
        gone = self._rows.keys() & set(ids)
        if gone:
            self._removed += len(gone)
            self._rewrite(dict.fromkeys(gone, b""))
            for id in gone:
                del self._rows[id]

    def _rewrite(self, lines: Mapping[str, bytes]) -> None:
        """Put lines in the place of those with their ids."""
        old = self._current.read_bytes().splitlines(keepends=True)
        _write(self._current, b"".join(lines.get((_row(line) or {}).get("id", ""), line) for line in old))

    def save(self, state: Mapping[str, Any]) -> None:
        """Write down how far the import has come."""
        size = self._current.stat().st_size if self._current.exists() else 0
        self.state = {"format": FORMAT, **state, "bytes": size}
        _write(self._state_path, json.dumps(self.state, ensure_ascii=True, indent=1).encode())

    def finish(self) -> Changes:
        """Take the second file, if there is one, as the first; say what is different from before."""
        if not self.anew:
            return self.changes()
        old = dict(_read(self.path))
        self._current.touch()
        self._new_path.replace(self.path)
        self.anew = False
        new, kept = self._rows.keys() - old.keys(), self._rows.keys() & old.keys()
        return Changes(len(new), sum(self._rows[id] != old[id] for id in kept), len(old) - len(kept))

    def changes(self) -> Changes:
        """What this run appended, replaced and took out so far."""
        return Changes(self._new, self._changed, self._removed)

    @property
    def _current(self) -> Path:
        return self._new_path if self.anew else self.path

    def _load(self) -> dict[str, Any]:
        try:
            state = json.loads(self._state_path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as exc:
            raise ForumError(f"{self._state_path} is damaged ({exc}). {_ANEW}") from exc
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise ForumError(f"{self._state_path} was written by another version. {_ANEW}")
        if missing := _KEYS - state.keys():
            raise ForumError(f"{self._state_path} is damaged ({min(missing)} is missing). {_ANEW}")
        return state


def _read(path: Path) -> Iterator[tuple[str, bytes]]:
    """Ids and digests of the rows of a file; what a dying program left of a last line is cut away."""
    if not path.exists():
        return
    whole = 0
    with path.open("rb+") as stream:
        for line in stream:
            if not line.endswith(b"\n"):
                stream.truncate(whole)
                break
            whole += len(line)
            row = _row(line)
            if row is not None:
                yield row["id"], _digest(row)


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("id"), str) else None


def _line(row: Mapping[str, Any]) -> bytes:
    return whole(json.dumps(row, ensure_ascii=False)).encode() + b"\n"


def _digest(row: Mapping[str, Any]) -> bytes:
    """Of what a row says; when it was seen does not change it."""
    said = {name: value for name, value in row.items() if name != "seen_at"}
    return blake2b(_line(said), digest_size=8).digest()


def _write(path: Path, data: bytes) -> None:
    """Replace a file in one step."""
    draft = path.with_name(f"{path.name}.tmp" if path.name.startswith(".") else f".{path.name}.tmp")
    with draft.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
