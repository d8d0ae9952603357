"""Typing errors in a question are mended where there is no doubt what was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ingest
import rag
from rag.question.typos import mended
from rag.settings import Settings

TEXT = frozenset("salting rosewood ethylene bottle bottled misting".split())
EVERYDAY = frozenset("bottom".split())


def mend(question: str) -> str:
    return mended(question, TEXT.__contains__, TEXT.__contains__, EVERYDAY.__contains__)[0]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("who likes rosewod pegs", "who likes rosewood pegs"),
        ("what is etyhlene?", "what is ethylene?"),
        ("why saltting?", "why salting?"),
        ("who mentions rosemood", "who mentions rosewood"),
        ("what floats to the bottom", "what floats to the bottom"),
        ("a botle", "a botle"),
        ("one bottlee or two", "one bottlee or two"),
        ("Rosewod", "Rosewod"),
        ("rosewod.example.org and ann@rosewod", "rosewod.example.org and ann@rosewod"),
        ("lathering", "lathering"),
    ],
)
def test_a_word_one_letter_from_one_that_is_written_is_that(typed: str, meant: str) -> None:
    """Not where it is a word of everyday use, short, a name, or where two words may be meant."""
    assert mend(typed) == meant


def test_a_question_with_a_typing_error_is_answered_and_says_how_it_was_read(
    settings: Settings, tmp_path: Path
) -> None:
    rows = [
        {"author": "Ann Lee", "text": "Pegs of rosewood hold their tuning through the winter."},
        {"author": "Odd Brekke", "text": "Gut strings fray."},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    ingest.ingest([tmp_path / "rows.jsonl"], settings=settings)
    answer = rag.answer("who mentions rosewod?", settings=settings)
    assert [citation.passage.author for citation in answer.citations] == ["Ann Lee"]
    assert "“rosewood” – comments: 1" in answer.text
    assert answer.warnings == ("Read “rosewod” as “rosewood”.",)
    assert answer.question == "who mentions rosewod?"
    assert rag.answer("who mentions rosewood?", settings=settings).warnings == ()
