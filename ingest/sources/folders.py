"""Which files belong to a run, and what each is called.

Walks folders in sorted order, skips hidden files, follows links to files but not to folders (a link to a folder may
lead in a circle, or to the whole disk). Does not open the files.
"""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ingest.sources.base import UNPRINTABLE, Problem, SourceFile

SIDECAR = ".meta.json"
"""`dump.txt.meta.json` says of `dump.txt` what the dump itself does not."""


def files(paths: Sequence[str | Path], *, index: Path | None = None) -> Iterator[SourceFile | Problem]:
    """List the files under the given files and folders: each once, in the order given and sorted inside a folder.

    Where two files of different folders would get the same name, both get the names of as many parent folders as it
    takes to tell them apart.

    Args:
        paths: Files and folders.
        index: A folder that is left out where it stands inside one of them.
    """
    found: dict[Path, SourceFile] = {}
    for given in paths:
        for item in _under(Path(given), index.resolve() if index else None):
            if isinstance(item, Problem):
                yield item
                continue
            resolved = item.path.resolve()
            known = found.get(resolved)
            # The same file given twice keeps the name that says most, whatever the order of the arguments.
            if known is None or _rank(item) > _rank(known):
                found[resolved] = item
    yield from _told_apart(list(found.values()))


def _rank(file: SourceFile) -> tuple[bool, int, str]:
    return not file.path.is_symlink(), file.source.count("/"), file.source


def _under(given: Path, index: Path | None) -> Iterator[SourceFile | Problem]:
    try:
        root = given.resolve(strict=True)
        mode = root.stat().st_mode
    except (OSError, RuntimeError, ValueError) as exc:
        reason = "does not exist" if isinstance(exc, FileNotFoundError) else f"cannot be opened ({_reason(exc)})"
        yield Problem(printable(str(given)), None, f"The path {reason}.", "Check the spelling.")
        return
    if not stat.S_ISDIR(mode):
        yield _file(given.absolute(), root, given.name)
        return
    waiting, empty = [root], True
    while waiting:
        inside = []
        for item in _entries(waiting.pop(), root):
            empty = False
            if isinstance(item, Path):
                inside += [] if item == index else [item]
            else:
                yield item
        waiting.extend(reversed(inside))
    if empty:
        yield Problem(printable(str(given)), None, "The folder has no files.", "Put text dumps or exports into it.")


def _entries(folder: Path, root: Path) -> Iterator[SourceFile | Problem | Path]:
    """The files of a folder, and the folders in it, sorted by name."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as exc:
        name = printable(folder.relative_to(root).as_posix())
        yield Problem(name, None, f"The folder cannot be opened ({_reason(exc)}).", "Check its rights.")
        return
    # What a browser stores beside a saved page: images, styles and scripts.
    beside = {f"{Path(entry.name).stem}_files" for entry in entries if entry.name.lower().endswith((".html", ".htm"))}
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = Path(entry.path)
        name = path.relative_to(root).as_posix()
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in beside:
                yield path
        elif _leads_to_folder(entry):
            what, fix = "A link to a folder, which is not followed.", "Give that folder itself."
            yield Problem(printable(name), None, what, fix)
        elif not name.endswith(SIDECAR):
            yield _file(path, root, name)
        elif not path.with_name(path.name.removesuffix(SIDECAR)).exists():
            what, fix = "The file it describes is not there.", "Put both into the same folder."
            yield Problem(printable(name), None, what, fix)


def _leads_to_folder(link: os.DirEntry[str]) -> bool:
    try:
        return link.is_dir()
    except OSError:
        return False


def _file(path: Path, root: Path, name: str) -> SourceFile | Problem:
    if printable(name) != name:
        what = "The file name has bytes or signs that no text can hold."
        return Problem(printable(name), None, what, "Rename the file.")
    try:
        status = path.stat()
    except (OSError, RuntimeError) as exc:
        dangling = path.is_symlink() and isinstance(exc, FileNotFoundError)
        what = "A link to something that does not exist." if dangling else f"Cannot be opened ({_reason(exc)})."
        return Problem(name, None, what, "Mend the link or remove it." if path.is_symlink() else "Check its rights.")
    if not stat.S_ISREG(status.st_mode):
        return Problem(name, None, "Not a regular file (a pipe, socket or device).", "Save its content in a file.")
    return SourceFile(name, path, root, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _told_apart(files: list[SourceFile]) -> list[SourceFile]:
    """Put names of parent folders before equal names, as few as it takes."""
    names = {file: longer_names(file) for file in files}
    chosen = {file: next(names[file]) for file in files}
    while True:
        groups = defaultdict(list)
        for file, name in chosen.items():
            groups[name].append(file)
        equal = [file for group in groups.values() if len(group) > 1 for file in group]
        if not equal:
            return [replace(file, source=name) for file, name in chosen.items()]
        for file in equal:
            chosen[file] = next(names[file], chosen[file])


def longer_names(file: SourceFile) -> Iterator[str]:
    """Its name, and then that with the names of more and more parent folders before it."""
    above = file.path.parents[file.source.count("/")].parts[1:]
    for parts in range(len(above) + 1):
        yield PurePosixPath(*above[len(above) - parts :], file.source).as_posix()


def printable(name: str) -> str:
    """Make a name that can be printed and stored: what cannot be becomes U+FFFD."""
    return UNPRINTABLE.sub("\ufffd", name)


def _reason(exc: BaseException) -> str:
    return getattr(exc, "strerror", None) or str(exc)
