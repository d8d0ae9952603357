"""Measure how well comments are found in profile dumps.

Two kinds of gold: real dumps whose borders a person has read (line numbers only, in `gold/seed_borders.json` or in a file
`borders.json` beside the dumps), and those of generated_dumps.py. Not needed to segment anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ingest.border_evidence import Embed
from ingest.chrome import is_chrome_line
from ingest.generated_dumps import MARKING_STYLES, STYLES, Dump, generated_dumps
from ingest.lines import lines_of
from ingest.segmentation import Decide, Segmentation, segment
from rag.errors import SourceError

GOLD = Path(__file__).parent / "gold"
SEED_BORDERS = GOLD / "seed_borders.json"
BORDERS = "borders.json"
"""Name of the file that records the borders of the dumps beside it, in the form of `SEED_BORDERS`."""


def real_dumps(folder: Path) -> list[Dump]:
    """The real dumps of a folder for which borders have been read.

    Raises:
        SourceError: There are none, or the file of borders cannot be read.
    """
    recorded = folder / BORDERS if (folder / BORDERS).is_file() else SEED_BORDERS
    dumps = [
        _dump(folder / name, entry, recorded)
        for name, entry in _recorded(recorded).items()
        if (folder / name).is_file()
    ]
    if not dumps:
        raise SourceError(
            f"No borders are recorded for the dumps in {folder}. Put a file {BORDERS} beside them: "
            '{"files": {"page.txt": {"comments": [3, 9, 12]}}}, the numbers of the lines at which a comment begins.'
        )
    return dumps


def _recorded(path: Path) -> Mapping[str, Any]:
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {str(name): {**entry, "comments": [int(n) for n in entry["comments"]]} for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise SourceError(
            f'{path} does not hold borders ({exc}). Its form is {{"files": {{"page.txt": {{"comments": [3, 9, 12]}}}}}}.'
        ) from exc


def _dump(path: Path, entry: Mapping[str, Any], recorded: Path) -> Dump:
    text = path.read_bytes().decode("utf-8", "replace")
    first = {line.number: line.start for line in lines_of(text)}
    wrong = [number for number in entry["comments"] if number not in first]
    if wrong or not entry["comments"]:
        raise SourceError(
            f"{recorded}: {path.name} has no line {wrong or 'recorded'} with text on it. Correct the numbers."
        )
    starts = tuple(first[number] for number in sorted(entry["comments"]))
    uncertain = {first[int(number)] for number in entry.get("uncertain", ()) if int(number) in first}
    return Dump(path.name, text, starts, uncertain=frozenset(uncertain - {starts[0]}))


# --- figures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """Borders found. The first comment of a dump counts: the page's head ends there."""

    right: int = 0
    found: int = 0
    gold: int = 0
    leaks: int = 0
    """Lines of profile or page inside comments."""
    lost: int = 0
    """Characters that are not blank and in no range, or in more than one."""
    inner_right: int = 0
    inner_found: int = 0
    inner_gold: int = 0
    """The same without the first comment of each dump."""

    def __add__(self, other: Score) -> Score:
        return Score(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def to_dict(self) -> dict[str, float | int]:
        """Counts, precision, recall and F1."""
        precision, recall, f1 = _ratios(self.right, self.found, self.gold)
        return {
            "precision": precision, "recall": recall, "f1": f1,
            "inner_f1": _ratios(self.inner_right, self.inner_found, self.inner_gold)[2],
            "right": self.right, "found": self.found, "gold": self.gold, "leaks": self.leaks, "lost": self.lost,
        }  # fmt: skip


def _ratios(right: int, found: int, gold: int) -> tuple[float, float, float]:
    return right / max(1, found), right / max(1, gold), 2 * right / max(1, found + gold)


def score(dump: Dump, result: Segmentation) -> Score:
    """Compare a segmentation with the known borders of a dump."""
    found = {piece.start for piece in result.comments} - dump.uncertain
    gold = set(dump.starts) - dump.uncertain
    first = min(gold)
    leaks = 0
    for piece in result.comments:
        leaks += len(lines_of(dump.text[piece.start : min(piece.end, max(piece.start, first))]))
        leaks += sum(is_chrome_line(line.text) for line in lines_of(dump.text[piece.start : piece.end]))
    return Score(
        len(found & gold), len(found), len(gold), leaks, misplaced(dump.text, result),
        len(found & gold - {first}), len(found - {first}), len(gold - {first}),
    )  # fmt: skip


def misplaced(text: str, result: Segmentation) -> int:
    """Characters that are not blank and in no range or in several."""
    times = np.zeros(len(text) + 1, dtype=int)
    for start, end in [*result.profile, *result.chrome, *((piece.start, piece.end) for piece in result.comments)]:
        times[start] += 1
        times[end] -= 1
    times = np.cumsum(times)[:-1]
    return sum(1 for index in np.flatnonzero(times != 1) if not text[index].isspace())


def evaluate(
    folder: Path | str | None = None, *, embed: Embed | None = None, decide: Decide | None = None
) -> dict[str, Any]:
    """Border precision, recall and F1, pooled and per file, for real and for generated dumps.

    Args:
        folder: Folder with real dumps whose borders are recorded; without it only generated dumps are measured.
        embed: As in `segment`.
        decide: As in `segment`.

    Returns:
        For "generated" and "real" the number of `dumps`, and the figures `pooled` and by name in `files`; for generated dumps also
        those in which the page marks the borders and those in which it does not, and by style; for real dumps also `strict`,
        in which uncertain borders count as they were recorded.

    Raises:
        SourceError: The folder holds no dump whose borders are recorded.
    """
    groups = {"generated": generated_dumps()}
    if folder is not None:
        groups["real"] = real_dumps(Path(folder))
    report: dict[str, Any] = {}
    for group, dumps in groups.items():
        found = {dump.name: segment(dump.text, embed=embed, decide=decide) for dump in dumps}
        scores = {dump.name: score(dump, found[dump.name]) for dump in dumps}
        report[group] = {
            "dumps": len(dumps),
            "pooled": sum(scores.values(), Score()).to_dict(),
            "files": {name: each.to_dict() for name, each in scores.items()},
        }
        if group == "generated":
            for label, marks in (("marked", True), ("unmarked", False)):
                chosen = [scores[dump.name] for dump in dumps if (dump.style in MARKING_STYLES) is marks]
                report[group][label] = sum(chosen, Score()).to_dict()
            report[group]["styles"] = {
                style.name: sum((scores[dump.name] for dump in dumps if dump.style == style.name), Score()).to_dict()
                for style in STYLES
            }
        else:
            strict = (score(replace(dump, uncertain=frozenset()), found[dump.name]) for dump in dumps)
            report[group]["strict"] = sum(strict, Score()).to_dict()
    return report
