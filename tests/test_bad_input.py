"""Whatever a file holds: nothing raises, every problem names file, line and way out, everything else is read exactly."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ingest.sources import Problem, RawDocument, read
from ingest.sources.base import UNPRINTABLE
from tests.nasty_inputs import NASTY, TEXTS, Nasty


def split(items) -> tuple[list[RawDocument], list[Problem]]:
    """Documents and problems, both in order."""
    items = list(items)
    return [item for item in items if isinstance(item, RawDocument)], [item for item in items if isinstance(item, Problem)]


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
