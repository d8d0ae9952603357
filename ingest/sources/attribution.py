"""Metadata of a file from outside it: a sidecar `<file>.meta.json`, or an option that names its author."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from ingest.sources.base import Problem, RawDocument, SourceFile
from ingest.sources.folders import SIDECAR
from ingest.sources.row import Row

LONGEST = 2**20
"""Bytes of a sidecar that are read."""


@dataclass(frozen=True, slots=True)
class About:
    """What is said about a file; it fills in what the file itself leaves open."""

    author: str | None = None
    url: str | None = None
    seen_at: datetime | None = None

    def fill(self, document: RawDocument) -> RawDocument:
        """Complete a document of the file. A row never gets the address of its file.

        Whom the source keeps anonymous stays so.
        """
        if self == About():
            return document
        alone = document.kind != "comment"
        author = None if document.extra.get("anonymous") else self.author
        return replace(
            document,
            author=document.author or author,
            url=document.url or (self.url if alone else None),
            seen_at=document.seen_at or self.seen_at,
        )


def sidecar(file: SourceFile) -> tuple[About, list[Problem]]:
    """Read the sidecar of a file, if it has one."""
    path = file.path.with_name(file.path.name + SIDECAR)
    source = file.source + SIDECAR
    try:
        with path.open("rb") as stream:
            said: Any = json.loads(stream.read(LONGEST))
    except FileNotFoundError:
        return About(), []
    except (OSError, ValueError, RecursionError) as exc:
        line = getattr(exc, "lineno", 1)
        return About(), [Problem(source, line, f"Cannot be read ({exc}).", "It must hold one JSON object.")]
    if not isinstance(said, dict):
        fix = 'Write {"author": "...", "url": "...", "seen_at": "2024-05-01"}.'
        return About(), [Problem(source, 1, "Not a JSON object.", fix)]
    row = Row(said, 1, {})
    about = About(row.name("author"), row.link("url"), row.date("seen_at"))
    problems = [replace(problem, source=source) for problem in row.problems]
    problems.extend(
        Problem(source, 1, f'"{name}" means nothing in a sidecar.', "Known are author, url and seen_at.")
        for name in sorted(said.keys() - {"author", "url", "seen_at"})
    )
    return about, problems


def authors(files: Iterable[SourceFile], author_names: Mapping[str, str]) -> tuple[dict[str, str], list[Problem]]:
    """Find the files that authors were named for.

    Args:
        author_names: A file's source name, or as much of the end of its path as tells it apart -> the author.

    Returns:
        Source name -> author, and a problem for each name that fits no file or several.
    """
    listed = list(files)
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, author in author_names.items():
        parts = PurePosixPath(name).parts
        fitting = [file for file in listed if file.source == name]
        fitting = fitting or [file for file in listed if parts and file.path.parts[-len(parts) :] == parts]
        if not author.strip():
            problems.append(Problem(name, None, "The author name given for it is empty.", "Give a name."))
        elif len(fitting) == 1:
            found[fitting[0].source] = author.strip()
        elif fitting:
            what = f"An author name was given, but it fits {', '.join(file.source for file in fitting[:5])}."
            problems.append(Problem(name, None, what, "Give more of the path."))
        else:
            known = ", ".join(file.source for file in listed[:5]) or "none"
            what = "An author name was given, but no such file was read."
            problems.append(Problem(name, None, what, f"Files of this run: {known}."))
    return found, problems
