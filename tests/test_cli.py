"""The commands, as people type them: what they print and what they return."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import ingest.command
import rag
from rag.plain_text import printable
from rag.settings import Settings
from ui.cli import main

from conftest import ROOT, SAMPLE  # isort: skip

QUESTION = "When do spring tides come?"


@pytest.fixture
def store(sample_settings: Settings) -> str:
    return str(sample_settings.store)


def test_ask_prints_answer_citations_and_what_was_searched(
    store: str, sample_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", QUESTION, "--store", store]) == 0
    out = capsys.readouterr().out
    answer = rag.answer(QUESTION, settings=sample_settings)
    for citation in answer.citations:
        assert f"[{citation.number}] {citation.passage.byline}" in out
        assert citation.quote.splitlines()[0] in out
    assert "**" not in out
    assert "\\_" not in out
    assert f"({answer.coverage}; quotes, no language model)" in out


def test_ask_prints_the_place_of_every_cited_span(
    store: str, sample_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    question = "List the traps when using tidal differences."
    cited = rag.answer(question, settings=sample_settings).citations[0].spans
    assert len(cited) > 1
    assert main(["ask", question, "--store", store]) == 0
    places = ", ".join(f"{span.start}-{span.end}" for span in cited)
    assert f"{cited[0].source}:{places})" in capsys.readouterr().out


def test_ask_as_json_is_the_same_answer(
    store: str, sample_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", QUESTION, "--json", "--store", store]) == 0
    printed = json.loads(capsys.readouterr().out)
    answer = rag.answer(QUESTION, settings=sample_settings)
    assert (printed["text"], printed["coverage"]) == (answer.text, str(answer.coverage))
    assert [item["quote"] for item in printed["citations"]] == [citation.quote for citation in answer.citations]


def test_ask_tells_why_it_quotes_though_a_key_is_set(
    store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rag.chat.choice.find_spec", lambda package: None)
    monkeypatch.setenv("COMMENTARIAT_LLM", "auto")
    monkeypatch.setenv("COMMENTARIAT_OLLAMA_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    assert main(["ask", QUESTION, "--store", store]) == 0
    printed = capsys.readouterr()
    assert "quotes, no language model" in printed.out
    assert printed.err == 'GOOGLE_API_KEY is set, but using it takes pip install "commentariat[google]".\n'


def test_ask_takes_filters(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["ask", QUESTION, "--author", "tidewright_77", "--since", "2015-01-01", "--json", "--store", store]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert {passage["author"] for passage in found["passages"]} == {"tidewright_77"}


def test_wrong_date_is_a_sentence(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", QUESTION, "--since", "yesterday", "--store", store]) == 2
    assert capsys.readouterr().err.startswith('commentariat: since "yesterday" is no day of the calendar.')


NOTHING = {
    "author asked for": (["What did Peter Smith say about rye?"], "No comments by Peter Smith are indexed."),
    "author of the filter": (["rye", "--author", "Peter_Smith"], "No comments by Peter_Smith are indexed."),
    "source": (["rye", "--source", "none.txt"], "No source named none.txt is indexed."),
    "both": (
        ["rye", "--author", "Ed", "--source", "none.txt"],
        "No comments by Ed are indexed. No source named none.txt is indexed.",
    ),
    "another than asked for": (
        ["What does Brine Ledgerwick say about rye?", "--author", "mossgauge"],
        "No comment fits the limits that the filters and the question set: mossgauge; Brine Ledgerwick.",
    ),
    "dates": (
        ["rye", "--since", "2021-05-02", "--until", "2021-05-01"],
        "No comment fits the limits that the filters and the question set: since 2021-05-02; until 2021-05-01.",
    ),
    "together": (
        ["rye", "--author", "BRINE ledgerwick", "--source", "thread.jsonl", "--since", "2091-01-01"],
        "No comment fits the limits that the filters and the question set: BRINE ledgerwick; thread.jsonl; since 2091-01-01.",
    ),
}


@pytest.mark.parametrize(("words", "why"), NOTHING.values(), ids=NOTHING)
def test_why_there_is_nothing_is_said(
    words: list[str], why: str, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", *words, "--store", store, "--json"]) == 0
    assert capsys.readouterr() == ("", f"Nothing was found. {why}\n")
    assert main(["ask", *words, "--store", store]) == 0
    assert capsys.readouterr().out.startswith(f"The comments do not answer this question. {why}\n")


@pytest.mark.parametrize("limit", ["0", "-1", "2.5", "many"])
def test_limit_is_a_number_from_1_up(limit: str, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["search", QUESTION, "--limit", limit, "--store", store])
    assert f"'{limit}' is no whole number from 1 up" in capsys.readouterr().err


def test_search_prints_json_lines(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", QUESTION, "--limit", "3", "--json", "--store", store]) == 0
    hits = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(hits) == 3
    assert all(hit["text"] and hit["source"] for hit in hits)


def test_a_question_may_come_from_standard_input(
    store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", QUESTION, "--json", "--store", store]) == 0
    as_argument = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{QUESTION}\n".encode())))
    assert main(["search", "-", "--json", "--store", store]) == 0
    assert capsys.readouterr().out == as_argument
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Café?".encode("latin-1")), encoding="utf-8"))
    assert main(["ask", "-", "--store", store]) == 2
    assert "is no text, or has half a sign in it" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["ask", "Why?"], ["ingest", "in"], ["chat"], ["eval"], ["forget", "f"], ["fetch"]])
def test_no_folder_is_not_another_index(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As where a variable of the shell is not set."""
    with pytest.raises(SystemExit):
        main([*command, "--store", ""])
    assert "argument --store: the name of the folder is empty" in capsys.readouterr().err


def test_no_index_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", QUESTION, "--store", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("commentariat: No comments are indexed in ")


@pytest.mark.slow
def test_ingest_reports_and_sources_lists_and_forget_removes(
    small_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "store")
    assert main(["ingest", str(small_sample / "thread.jsonl"), "--store", store]) == 0
    assert re.search(r"\b8 comments in", capsys.readouterr().out)
    assert main(["sources", "--store", store]) == 0
    assert "thread.jsonl        8 comments" in capsys.readouterr().out
    assert main(["forget", "thread.jsonl", "--store", store]) == 0
    assert re.search(r"removed 8\b", capsys.readouterr().out)


def test_ingest_with_problems_returns_1_and_json_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "rows.jsonl").write_text(
        '{"id": "a", "text": "Tides follow the moon."}\n{broken\n', encoding="utf-8"
    )
    assert main(["ingest", str(tmp_path / "in"), "--json", "--store", str(tmp_path / "store")]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["counts"]["comments"] == 1
    assert [(problem["source"], problem["line"]) for problem in report["errors"]] == [("rows.jsonl", 2)]


def test_ingest_of_nothing_returns_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["ingest", "--store", str(tmp_path / "store")]) == 2
    assert "Give files or folders" in capsys.readouterr().err


@pytest.mark.slow
def test_ingest_of_what_is_not_there_returns_2_and_makes_no_index(
    small_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    assert main(["ingest", str(tmp_path / "none"), "--store", str(store)]) == 2
    assert "The path does not exist" in capsys.readouterr().out
    assert not store.exists()
    assert main(["ingest", str(small_sample / "thread.jsonl"), "--quiet", "--store", str(store)]) == 0
    assert main(["ingest", str(tmp_path / "none"), "--store", str(store)]) == 2


def test_interrupted_ingest_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(ingest.command, "run", interrupted)
    assert ingest.command.main(["folder"]) == 130


def test_sources_counts_comments_and_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "note.md").write_text("Tides follow the moon.", encoding="utf-8")
    (tmp_path / "in" / "rows.jsonl").write_text('{"id": "a", "text": "They also follow the sun."}', encoding="utf-8")
    store = str(tmp_path / "store")
    assert main(["ingest", str(tmp_path / "in"), "--quiet", "--store", store]) == 0
    assert main(["sources", "--store", store]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["note.md           0 comments", "rows.jsonl        1 comment"]
    assert lines[2].startswith("1 comment in 2 passages, made with ")
    assert main(["sources", "--json", "--store", store]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["sources"] == [{"name": "note.md", "comments": 0}, {"name": "rows.jsonl", "comments": 1}]
    assert listed["authors"] == [{"author": "an unnamed author", "comments": 1}]
    assert (listed["comments"], listed["passages"]) == (1, 2)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"commentariat {version('commentariat')}\n"


@pytest.mark.slow
def test_quiet_ingest_prints_nothing(small_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(small_sample / "thread.jsonl"), "--quiet", "--store", str(tmp_path / "store")]) == 0
    assert capsys.readouterr() == ("", "")


def test_author_name_must_have_its_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(SAMPLE), "--author-name", "dump.txt", "--store", str(tmp_path / "store")]) == 2
    assert '--author-name FILE=NAME: "dump.txt" is not of that form' in capsys.readouterr().err


def test_escape_sequences_of_a_comment_do_not_reach_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07\nc\td\x9b") == "a\ufffd[2Jb\ufffd\nc\td\ufffd"


@pytest.mark.slow
@pytest.mark.parametrize("command", [["-m", "rag", QUESTION], ["-m", "ui.cli", "ask", QUESTION]])
def test_modules_run_as_programs(command: list[str], store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMENTARIAT_STORE", store)
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "[1]" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("module", ["ingest", "ui", "rag"])
def test_help_is_there_at_once(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("usage: ")
