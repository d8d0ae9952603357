"""Whatever a file holds: nothing raises, every problem names file, line and way out, everything else is read exactly."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import rag
from ingest import IngestReport, ingest
from ingest.sources import KINDS, Problem, RawDocument, files, json_lines, read_file
from ingest.sources.base import UNPRINTABLE
from rag.settings import Settings

from nasty_inputs import NASTY, TEXTS, Nasty  # isort: skip
from reading import read  # isort: skip


def split(items) -> tuple[list[RawDocument], list[Problem]]:
    """Documents and problems, both in order."""
    items = list(items)
    return [item for item in items if isinstance(item, RawDocument)], [
        item for item in items if isinstance(item, Problem)
    ]


def outline(problems: list[Problem]) -> list[tuple[str, int | None]]:
    return [(problem.source, problem.line) for problem in problems]


@pytest.mark.parametrize("nasty", NASTY, ids=lambda nasty: nasty.name)
def test_a_nasty_input_gives_what_is_good_in_it_and_says_the_rest(nasty: Nasty, tmp_path: Path):
    (tmp_path / nasty.name).write_bytes(nasty.data)

    documents, problems = split(read([tmp_path]))

    assert {document.source.removeprefix(nasty.name): document.text for document in documents} == nasty.documents
    assert len(documents) == len(nasty.documents)
    errors = [problem for problem in problems if problem.severity == "error"]
    notes = [problem for problem in problems if problem.severity == "note"]
    assert outline(errors) == [(nasty.name, line) for line, _ in nasty.problems]
    for problem, words in zip(errors + notes, [words for _, words in nasty.problems] + list(nasty.notes), strict=True):
        assert words in problem.what
    for problem in problems:
        assert problem.fix
        assert not UNPRINTABLE.search(str(problem))
    for document in documents:
        document.text.encode("utf-8")
        json.dumps(dict(document.extra), ensure_ascii=False).encode("utf-8")
        assert all(0 <= start < end <= len(document.text) for start, end in document.quoted)
        assert document.author is None or not UNPRINTABLE.search(document.author)


@pytest.mark.parametrize("nasty", TEXTS, ids=lambda nasty: nasty.name)
def test_a_text_is_the_file_decoded_as_utf8_and_nothing_else(nasty: Nasty, tmp_path: Path):
    (tmp_path / nasty.name).write_bytes(nasty.data)

    documents, _ = split(read([tmp_path / nasty.name]))

    assert [document.text.encode() for document in documents] == [nasty.data] * len(nasty.documents)


@pytest.mark.parametrize(
    ("name", "data", "rest_unread"),
    [
        ("a.txt", b"caf\xe9", True),
        ("a.txt", b"", True),
        ("a.exe", b"MZ", True),
        ("a.jsonl", b'{"id": 1, "text": "One."}\n{"id": 2, "te', True),
        ("a.jsonl", b'{"id": 1, "text": "One."}\n{"id": 2, "te\n', False),
        ("a.json", b'[\n{"id": 1, "text": "One."},\n{"id": 2, "te', True),
        ("a.json", b'[\n{"id": 1, "te},\n{"id": 2, "text": "Two."}\n]', True),
        ("a.json", b'[\n{"id": 1, "text": "One."},\n{"id" 2},\n{"id": 3, "text": "Three."}\n]', False),
        ("a.csv", b"id,body\n1,One.\n", True),
        ("a.csv", b'id,text\n1,"One."x\n2,Two.\n', False),
        ("a.parquet", b"PAR1", True),
        ("a.html", b"<meta charset=utf-8>caf\xe9", True),
    ],
)
def test_a_problem_says_whether_more_of_the_file_is_unread(name: str, data: bytes, rest_unread: bool, tmp_path: Path):
    (tmp_path / name).write_bytes(data)

    _, (problem,) = split(read([tmp_path]))

    assert problem.rest_unread is rest_unread


# --- files that are not what they seem --------------------------------------------------------------------------------


def told(*paths: Path | str) -> list[str]:
    """Texts, and problems as they are printed."""
    return [item.text if isinstance(item, RawDocument) else str(item) for item in read(paths)]


def test_a_path_that_is_not_there_does_not_stop_the_others(tmp_path: Path):
    (tmp_path / "a.txt").write_text("A boat.")

    assert told(tmp_path / "gone.txt", tmp_path / "a.txt") == [
        f"{tmp_path}/gone.txt: The path does not exist. Check the spelling.",
        "A boat.",
    ]


def test_an_empty_folder_is_told(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden.txt").write_text("A boat.")

    assert told(tmp_path / "empty") == [
        f"{tmp_path}/empty: The folder has no files. Put text dumps or exports into it."
    ]


def test_a_path_that_no_system_can_hold_is_told(tmp_path: Path):
    (missing,) = told("a\0b.txt")
    (endless,) = told(tmp_path / ("x" * 5_000))

    assert missing.startswith("a\ufffdb.txt: The path cannot be opened")
    assert "The path cannot be opened" in endless


def test_a_folder_named_like_a_file_is_walked(tmp_path: Path):
    (tmp_path / "a.jsonl").mkdir()
    (tmp_path / "a.jsonl" / "b.txt").write_text("A boat.")

    assert told(tmp_path) == ["A boat."]


def test_links_in_a_circle_and_into_nothing_are_told(tmp_path: Path):
    (tmp_path / "a.txt").write_text("A boat.")
    (tmp_path / "folder").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "gone.txt").symlink_to("nothing.txt")
    (tmp_path / "self.txt").symlink_to("self.txt")

    assert told(tmp_path) == [
        "folder: A link to a folder, which is not followed. Give that folder itself.",
        "gone.txt: A link to something that does not exist. Mend the link or remove it.",
        "self.txt: Cannot be opened (Too many levels of symbolic links). Mend the link or remove it.",
        "A boat.",
    ]
    assert told(tmp_path / "self.txt")[0].startswith(f"{tmp_path}/self.txt: The path cannot be opened (")


@pytest.mark.timeout(20)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="This system has no named pipes.")
def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.jsonl")

    assert told(tmp_path) == ["pipe.jsonl: Not a regular file (a pipe, socket or device). Save its content in a file."]
    assert told(tmp_path / "pipe.jsonl") == told(tmp_path)


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="This system has no file that opens but cannot be read."
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json", "a.txt", "a.html"])
def test_a_file_that_opens_but_cannot_be_read_is_told(name: str, tmp_path: Path):
    (tmp_path / name).symlink_to("/proc/self/mem")
    (file,) = files([tmp_path])

    (problem,) = read_file(replace(file, size=1))

    assert (problem.source, problem.line, problem.rest_unread) == (name, None, True)
    assert "Input/output error" in problem.what


@pytest.mark.skipif(os.getuid() == 0, reason="Root may read everything.")
def test_a_file_without_rights_is_told(tmp_path: Path):
    (tmp_path / "a.txt").write_text("A boat.")
    (tmp_path / "a.txt").chmod(0)

    assert told(tmp_path) == ["a.txt: Cannot be read (Permission denied). Check the file and its rights."]


def test_a_file_that_goes_away_or_changes_while_it_is_read_is_told(tmp_path: Path):
    for name in ("a.jsonl", "b.jsonl", "c.txt"):
        (tmp_path / name).write_text('{"id": 1, "text": "One."}\n{"id": 2, "text": "Two."}\n')
    items = read([tmp_path])
    assert next(items).source == "a.jsonl#1"
    (tmp_path / "a.jsonl").write_text("changed")
    (tmp_path / "c.txt").unlink()

    assert [item.source if isinstance(item, RawDocument) else str(item) for item in items] == [
        "a.jsonl#2",
        "a.jsonl: The file was changed while it was read. Ingest again when it is complete.",
        "b.jsonl#1",
        "b.jsonl#2",
        "c.txt: The file was removed while it was read. Ingest again when it is back.",
    ]


@pytest.mark.parametrize("name", [b"a\nb.txt", b"\xff.txt", "turned\u202etxt.txt".encode()])
def test_a_file_name_that_cannot_be_printed_is_told(name: bytes, tmp_path: Path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("A boat.")

    (problem,) = told(tmp_path)

    assert "The file name has bytes or signs that no text can hold. Rename the file." in problem
    assert not UNPRINTABLE.search(problem)


def test_a_mistake_on_many_lines_of_a_file_is_told_once_and_counted():
    mistakes = [Problem("a.jsonl", line, "The row has no text.", "Name it.") for line in (1, 2, 4)]
    other = Problem("a.jsonl", 3, "Not JSON.", "Mend it.")

    lines = str(IngestReport(errors=(*mistakes, other))).splitlines()

    assert lines[-3:] == [
        "Not read (4):",
        "  a.jsonl:1: The row has no text. Name it. (3 lines have this.)",
        "  a.jsonl:3: Not JSON. Mend it.",
    ]


# --- all the way into the index ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_ingest_of_all_nasty_inputs_indexes_what_is_good_in_them(tmp_path: Path, settings: Settings):
    few = [nasty for nasty in NASTY if len(nasty.documents) < 100 and len(nasty.data) < 200_000]
    for nasty in few:
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / nasty.name).write_bytes(nasty.data)

    report = ingest(tmp_path / "in", settings=settings)

    told = {(problem.source, problem.line) for problem in report.errors}
    assert told == {(nasty.name, line) for nasty in few for line, _ in nasty.problems}
    expected = {nasty.name + fragment: text for nasty in few for fragment, text in nasty.documents.items()}
    assert {source: rag.source_text(source, settings=settings) for source in expected} == expected
    for comment in rag.comments(settings=settings):
        span = comment.sightings[0]
        assert rag.source_text(span.source, settings=settings)[span.start : span.end] == comment.text
    assert all(line.count("\n") == 0 for line in map(str, report.errors))
    answer = rag.answer("Why does a paper boat float?", settings=settings)
    assert answer.citations
    for citation in answer.citations:
        text = rag.source_text(citation.source, settings=settings)
        assert text[citation.start : citation.end] == citation.quote


# --- large lines ------------------------------------------------------------------------------------------------------

LARGE = "boat " * 10_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "opening", "ending"),
    [
        ("a.jsonl", '{"id": 1, "text": "', '"}\n{"id": 2, "text": "Small."}\n'),
        ("a.json", '[{"id": 1, "text": "', '"},\n{"id": 2, "text": "Small."}]'),
        ("a.csv", 'id,text\n1,"', '"\n2,Small.\n'),
    ],
)
def test_a_line_of_fifty_megabytes_is_read(name: str, opening: str, ending: str, tmp_path: Path):
    (tmp_path / name).write_text(opening + LARGE + ending)

    first, second = read([tmp_path])

    assert (first.source, first.text == LARGE) == (f"{name}#1", True)
    assert (second.source, second.text) == (f"{name}#2", "Small.")


def test_a_line_beyond_the_limit_is_told_and_the_next_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(json_lines, "LONGEST", 1_000)
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "' + "x" * 5_000 + '"}\n{"id": 2, "text": "Small."}\n')

    assert told(tmp_path) == [
        "a.jsonl:1: The line is longer than 1,000 bytes. Split the row, or leave it out.",
        "Small.",
    ]


# --- anything at all --------------------------------------------------------------------------------------------------

SCRAPS = st.sampled_from(
    [b'{"id": 1, "text": "a"}', b"[", b"]", b"{", b"}", b'"', b",", b"\n", b"\r", b"\0", b"id,text", b"\xff", b"\\ud800", b"<p>",
     b"</div>", b"<blockquote>", b"<table>", b"> ", b"$x$", b'{"kind": "t1", "data": {"body": "b", "created_utc": 1}}', b"NaN",
     b'{"kind": "Listing", "data": {"children": 7}}', b'{"type": "comment", "id": 1, "time": 1, "text": 7, "children": [[]]}',
     b'{"_id": {}, "postedAt": [], "contents": 3}', b"PAR1", b"\xef\xbb\xbf"]
)  # fmt: skip


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(SCRAPS | st.binary(max_size=20), max_size=12).map(b"".join), ending=st.sampled_from(KINDS))
def test_no_bytes_raise_and_every_offset_is_exact(data: bytes, ending: str, tmp_path: Path):
    path = tmp_path / f"a{ending}"
    path.write_bytes(data)

    documents, problems = split(read([path]))

    assert len({document.source for document in documents}) == len(documents)
    for document in documents:
        document.text.encode("utf-8")
        assert document.text
        assert all(0 <= start < end <= len(document.text) for start, end in document.quoted)
        assert all(0 <= gap <= len(document.text) for gap in document.gaps)
    assert documents or problems
    assert all(problem.what and problem.fix and not UNPRINTABLE.search(str(problem)) for problem in problems)


def test_one_file_is_no_files() -> None:
    assert "Indexed: 2 comments in 1 passage from 1 file (" in str(
        IngestReport({"comments": 2, "passages": 1, "files": 1})
    )
