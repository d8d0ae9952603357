"""What one source proves about the borders of a dump, whoever is read first, and for as long as it is indexed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ingest
import rag
from rag.settings import Settings

LINES = [
    "I measured the tidal range at the old quay for a month, with a float in a pipe and a pencil on a drum, and",
    "the highest water came two days after the full moon, which the barometer explains only for the smaller part;",
    "moreover, the drum was driven by a clock that lost four minutes a day until its spring had been replaced, so",
    "that all of the times in the second table are late, by an amount that grows towards the end of the month, and",
    "the heights, which do not depend on it, are the only numbers in the report that I would still rely on today.",
]
SHORT_LINE = "Well, yes."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def page(name: str | None, *lines: str) -> str:
    """A dump; without a name it is an unnamed profile's."""
    head = [name] if name else []
    return "\n".join([*head, "I sail.", "Posts", "Sorted by New", "Wiki Contributions", "Comments", *lines, ""])


def row(author: str, *lines: str) -> str:
    return json.dumps({"id": "r1", "author": author, "text": "\n\n".join(lines)}) + "\n"


def split(settings: Settings, source: str = "page.txt") -> list[str]:
    """The comments that a dump was split into, as it has them."""
    text = rag.source_text(source, settings=settings)
    spans = [span for comment in rag.comments(settings=settings) for span in comment.sightings]
    return [text[span.start : span.end] for span in sorted(spans, key=lambda span: span.start) if span.source == source]


def joined(*lines: str) -> str:
    return "\n".join(lines)


def begins(settings: Settings) -> set[int]:
    """The lines with which comments begin."""
    return {number for number, line in enumerate(LINES) for text in split(settings) if text.startswith(line)}


ALONE = {0, 4}
"""Lines that begin a comment by the signs of the page alone."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("Ada Byron", page("Ada Byron", *LINES[2:]), {0, 2, 4}),
        ("Ada Byron", page("ada_byron", LINES[2].replace("four", "five")), {0, 2, 4}),
        # Somebody else who begins with a sentence, or with several, quotes them.
        ("Ada Byron", page("Bo Wren", LINES[2], "I do not think that a spring can do that to a clock of this size."), ALONE),
        ("Ada Byron", page("Bo Wren", *LINES[2:]), ALONE),
        ("Ada Byron", row("Bo Wren", LINES[2]), ALONE),
        # Where it is not known who wrote one of them, one line may be a quotation, three in order are a snapshot.
        ("Ada Byron", page(None, LINES[2], "I do not think that a spring can do that to a clock of this size."), ALONE),
        ("Ada Byron", page(None, *LINES[2:]), {0, 2, 4}),
        (None, page(None, *LINES[2:]), {0, 2, 4}),
        (None, page(None, LINES[2], LINES[4], LINES[3]), ALONE),
        (None, row("Ada Byron", LINES[2]), ALONE),
        # A comment that is known whole begins and ends.
        ("Ada Byron", row("Ada Byron", LINES[2]), {0, 2, 3, 4}),
        ("Ada Byron", row("Ada Byron", *LINES[:2]), {0, 2, 4}),
        ("Ada Byron", row("Ada Byron", *LINES[2:]), {0, 2}),
    ],
)  # fmt: skip
def test_border_is_proved_only_by_who_wrote_it(
    name: str | None, other: str, expected: set[int], settings: Settings, folder: Path
) -> None:
    (folder / "page.txt").write_text(page(name, *LINES), encoding="utf-8")
    ingest.ingest(folder, settings=settings)
    assert begins(settings) == ALONE
    second = folder / ("other.jsonl" if other.startswith("{") else "other.txt")
    second.write_text(other, encoding="utf-8")
    ingest.ingest(folder, settings=settings)
    assert begins(settings) == expected
    before = list(rag.comments(settings=settings))
    ingest.ingest(folder, settings=settings, rebuild=True)
    assert list(rag.comments(settings=settings)) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "expected"), [(page("Ada Byron", *LINES[2:]), {0, 2, 4}), (row("Ada Byron", LINES[2]), {0, 2, 3, 4})]
)
def test_a_border_is_proved_as_long_as_what_proves_it_is_indexed(
    other: str, expected: set[int], settings: Settings, folder: Path
) -> None:
    (folder / "page.txt").write_text(page("Ada Byron", *LINES), encoding="utf-8")
    second = folder / ("other.jsonl" if other.startswith("{") else "other.txt")
    second.write_text(other, encoding="utf-8")
    ingest.ingest(folder, settings=settings)
    assert begins(settings) == expected
    assert ingest.ingest(folder, settings=settings).switched is False
    ingest.forget(second.name, settings=settings)
    assert begins(settings) == ALONE
    ingest.ingest(folder, settings=settings)
    assert begins(settings) == expected
    second.unlink()
    ingest.ingest(folder, settings=settings)
    assert begins(settings) == ALONE


def test_short_lines_belong_to_the_comment_that_is_known_whole(settings: Settings, folder: Path) -> None:
    """A border stands above the short line with which the comment opens, and below the one with which it ends."""
    (folder / "page.txt").write_text(page("Ada Byron", LINES[0], SHORT_LINE, LINES[1], "So be it.", LINES[2]), "utf-8")
    (folder / "rows.jsonl").write_text(row("Ada Byron", SHORT_LINE, LINES[1], "So be it."), encoding="utf-8")
    ingest.ingest(folder, settings=settings)
    assert split(settings) == [LINES[0], joined(SHORT_LINE, LINES[1], "So be it."), LINES[2]]


def test_comment_that_is_known_whole_is_not_split(settings: Settings, folder: Path) -> None:
    """Each paragraph opens as a reply does: alone, the page is split at them."""
    parts = [f"Thanks for this! {LINES[0]}.", f"Strong upvoted. {LINES[2]}.", f"Hm, I disagree. {LINES[4]}"]
    (folder / "page.txt").write_text(page("Ada Byron", *parts), encoding="utf-8")
    ingest.ingest(folder, settings=settings)
    assert len(split(settings)) == 3
    (folder / "rows.jsonl").write_text(row("Ada Byron", *parts), encoding="utf-8")
    ingest.ingest(folder, settings=settings)
    assert split(settings) == [joined(*parts)]
    (found,) = rag.comments(settings=settings)
    assert (found.id, len(found.sightings)) == ("r1", 2)
