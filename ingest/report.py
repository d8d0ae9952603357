"""The report of an ingest, for people and programs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ingest.sources.base import Problem

Phase = Literal["fetching", "preparing", "reading", "deciding", "merging", "embedding", "writing"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase has come."""

    phase: Phase
    done: int
    total: int | None
    """None while it is not known."""
    unit: str


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Result of an ingest; `str()` gives the report that people read."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """files, sources, comments, passages: in the index afterwards, and unsure_borders: comments of them that may start or end
    elsewhere. added, changed, unchanged, removed: comments.
    merged: how many more sightings of comments seen elsewhere, too, than before. embedded: texts that were embedded."""
    skipped: tuple[Problem, ...] = ()
    """Left out on purpose, with the reason."""
    errors: tuple[Problem, ...] = ()
    """What could not be read; everything else was."""
    seconds: float = 0.0
    removed_sources: tuple[str, ...] = ()
    """Sources that were gone when what they belonged to was ingested again."""
    switched: bool = False
    """Whether a new generation of the index is current: not when nothing has changed."""
    files_found: int = 0
    """Files that the given paths led to."""

    @property
    def exit_status(self) -> int:
        """For a shell: 0 all was read, 1 some was not, 2 nothing was done."""
        if not self.errors:
            return 0
        return 1 if self.files_found or self.switched else 2

    def to_json(self) -> str:
        """The whole report as one JSON object."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    def to_dict(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "skipped": [_plain(problem) for problem in self.skipped],
            "errors": [_plain(problem) for problem in self.errors],
            "removed_sources": list(self.removed_sources),
            "switched": self.switched,
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        count = {name: self.counts.get(name, 0) for name in _COUNTS}
        lines = [
            f"Indexed: {_counted(count, 'comments')} in {_counted(count, 'passages')} from {_counted(count, 'files')} "
            f"({self.seconds:.1f} s).",
            f"New {count['added']:,}, changed {count['changed']:,}, unchanged {count['unchanged']:,}, "
            f"removed {count['removed']:,}; {count['merged']:,} further sightings of the same comments; "
            f"{count['embedded']:,} texts embedded.",
        ]
        if not self.switched:
            lines.append("Nothing has changed: the index is as it was.")
        if unsure := self.counts.get("unsure_borders"):
            lines.append(
                f"Where {unsure:,} of the comments start or end is uncertain; answers say so. With --segment-with-model a large "
                "chat model may decide."
            )
        if self.removed_sources:
            lines.append(f"Gone, and removed from the index: {', '.join(self.removed_sources)}")
        for title, problems in (("Left out", self.skipped), ("Not read", self.errors)):
            if problems:
                lines += [f"{title} ({len(problems):,}):", *(f"  {line}" for line in told(problems))]
        return "\n".join(lines)


_COUNTS = ("files", "sources", "comments", "passages", "added", "changed", "unchanged", "removed", "merged", "embedded")


def _counted(count: Mapping[str, int], what: str) -> str:
    return f"{count[what]:,} {what if count[what] != 1 else what[:-1]}"


def told(problems: Iterable[Problem]) -> Iterator[str]:
    """Each problem on a line; where many lines of a file have the same, the first with their number."""
    alike = defaultdict(list)
    for problem in problems:
        alike[problem.source, problem.what, problem.fix].append(problem)
    for first, *others in alike.values():
        yield f"{first}" + (f" ({1 + len(others):,} lines have this.)" if others else "")


def _plain(problem: Problem) -> dict[str, Any]:
    return {"source": problem.source, "line": problem.line, "what": problem.what, "fix": problem.fix}
