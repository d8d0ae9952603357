"""The evaluation: measures worked out by hand, files that are refused, floors on the sample."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rag.errors import SourceError
from rag.evaluation.charts import Dot, curve_chart, dot_chart, nice_ticks
from rag.evaluation.gold import Gold, Question, load_questions
from rag.evaluation.measures import (
    SAMPLE_QUESTIONS,
    Difference,
    Evaluation,
    add_ranking_measures,
    character_measures,
    compare,
    covered_share,
    evaluate,
)
from rag.evaluation.report import format_report
from rag.records import Passage, Span
from rag.settings import Settings
from ui.cli import main

from model_server import Fail, ModelServer, Say  # isort: skip


def passage(source: str, start: int, end: int) -> Passage:
    return Passage(f"{source}{start}", "c", None, "x" * (end - start), source, start, end)


def test_characters_are_counted_as_in_the_published_evaluation() -> None:
    """Gold 100 and 50 characters; found 60 of the first and none of the second; 300 retrieved, 20 of them twice."""
    question = Question("q", "?", "direct", (Gold((Span("a", 0, 100),)), Gold((Span("b", 0, 50),))))
    found = character_measures(question, [passage("a", 40, 220), passage("a", 200, 320)], "")
    assert found == {
        "characters_recall": 60 / 150,
        "characters_precision": 60 / 300,
        "characters_iou": 60 / (300 + 150 - 60),
    }


def test_gold_at_two_places_is_found_at_either() -> None:
    gold = Gold((Span("a", 0, 10), Span("b", 5, 15)))
    assert covered_share(gold, [Span("b", 0, 10)]) == 0.5
    assert covered_share(gold, [Span("b", 0, 10), Span("b", 8, 20)]) == 1.0
    assert covered_share(gold, [Span("c", 0, 99)]) == 0.0


def test_ranking_measures_by_hand() -> None:
    """First gold at rank 2, second not found; a perfect ranking scores 1 everywhere."""
    rows = [
        {"id": "half", "has_answer": True, "gold_count": 2, "ranking": [[], [0], []]},
        {"id": "whole", "has_answer": True, "gold_count": 2, "ranking": [[0, 1], []]},
        {"id": "none", "has_answer": False, "gold_count": 0, "ranking": [[]]},
    ]
    add_ranking_measures(rows)
    assert (rows[0]["recall@5"], rows[0]["mrr"]) == (0.5, 0.5)
    assert rows[0]["ndcg@10"] == pytest.approx(0.6309 / 1.6309, abs=1e-3)
    assert (rows[1]["recall@5"], rows[1]["mrr"], rows[1]["ndcg@10"]) == (1.0, 1.0, 1.0)
    assert "mrr" not in rows[2]


def row(id: str, **measures: float) -> dict:
    return {"id": id, "type": "direct", "has_answer": True, "answerable": 0.9, **measures}


def test_difference_is_paired_and_has_an_interval() -> None:
    old = Evaluation(tuple(row(str(n), recall=0.0) for n in range(40)))
    new = Evaluation(tuple(row(str(n), recall=float(n % 2)) for n in range(40)))
    found = compare(new, old)["recall"]
    assert (found.mean, found.count) == (0.5, 40)
    assert 0.3 < found.low < 0.5 < found.high < 0.7
    assert compare(new, new)["recall"] == Difference(0.0, 0.0, 0.0, 40)


def test_only_figures_are_compared() -> None:
    odd = Evaluation(({"id": "0", "recall": "high"}, {"id": "1", "recall": None}, row("2", recall=0.5)))
    new = Evaluation(tuple(row(str(n), recall=1.0) for n in range(3)))
    assert (compare(new, odd)["recall"].mean, compare(new, odd)["recall"].count) == (0.5, 1)


def test_only_the_same_questions_are_compared() -> None:
    """Numbers of lines are the same in any file; the words of the questions are not."""
    old = Evaluation((row("1", recall=0.0) | {"question": "a?"}, row("2", recall=0.0) | {"question": "b?"}))
    new = Evaluation((row("1", recall=1.0) | {"question": "a?"}, row("2", recall=0.5) | {"question": "other?"}))
    assert compare(new, old)["recall"].count == 1
    with pytest.raises(SourceError, match="no question in common"):
        compare(Evaluation(new.rows[1:]), old)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-0.03, 0.1, [-0.05, 0, 0.05, 0.1]), (0, 0, [0, 0.2]), (-7, 0, [-8, -6, -4, -2, 0])],
)  # fmt: skip
def test_ticks_are_round_and_reach_over_the_range(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)


def test_charts_are_pictures_whatever_they_are_called() -> None:
    """Well-formed, with every label, and nothing outside of the frame."""
    dots = dot_chart("a < b & c", "share", [Dot("one & two", 0.5, 0.4, 0.7), Dot("below", -0.2, -0.3, 0.1)])
    curve = curve_chart("a < b & c", "x", "y", [(0.0, 0.0), (0.5, 0.1), (1.0, 1.0)])
    for svg in (dots, curve):
        picture = ElementTree.fromstring(svg)
        _, _, width, height = map(float, picture.get("viewBox", "").split())
        circles = picture.findall("{*}circle")
        assert circles
        assert all(0 < float(c.get("cx", "")) < width and 0 < float(c.get("cy", "")) < height for c in circles)
        assert picture.findtext("{*}title") == "a < b & c"
    assert "one &amp; two" in dots


def test_risk_coverage_counts_both_kinds() -> None:
    rows = (
        {**row("a"), "answerable": 0.9},
        {**row("b"), "answerable": 0.2},
        {**row("c"), "has_answer": False, "answerable": 0.4},
    )
    curve = {threshold: (yes, no) for threshold, yes, no in Evaluation(rows).risk_coverage()}
    assert (curve[0.0], curve[0.3], curve[0.5], curve[1.0]) == ((1, 1), (0.5, 1), (0.5, 0), (0, 0))


def written(path: Path, *lines: str | dict) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


SPAN = {"source": "thread.jsonl#soil-01", "start": 325, "end": 366}
MISTAKES = [
    ("{", "this is no JSON .*column 2.*Write one object"),
    ("[1, 2]", r"\[1, 2\] is no object"),
    ("null", "null is no object"),
    ({"gold": []}, "question: Field required"),
    ({"question": 5}, "question: Input should be a valid string, not 5"),
    ({"question": " "}, "question: it is empty"),
    ({"question": "x", "id": True}, "id: Input should be a valid string, not true"),
    ({"question": "x", "type": 3}, "type: "),
    ({"question": "x", "gold": None}, r"gold: it is null.*none \(\[\]\) if the comments do not"),
    ({"question": "x", "gold": SPAN}, "gold: Input should be a valid list"),
    ({"question": "x", "gold": ["a"]}, r'gold\[0\]: Input should be an object, not "a"'),
    ({"question": "x", "golds": [SPAN]}, 'there is no field "golds". Write "gold"'),
    ({"question": "x", "gold": [{"source": "a", "end": 5}]}, r"gold\[0\].start: Field required"),
    ({"question": "x", "gold": [SPAN, SPAN | {"end": 325}]}, r"gold\[1\]: start is 325 and end is 325. End must be greater"),
    ({"question": "x", "gold": [SPAN | {"start": 400}]}, r"gold\[0\]: start is 400 and end is 366"),
    ({"question": "x", "gold": [SPAN | {"start": -1}]}, r"gold\[0\].start: .*greater than or equal to 0, not -1"),
    ({"question": "x", "gold": [SPAN | {"start": "3"}]}, r'gold\[0\].start: Input should be a valid integer, not "3"'),
    ({"question": "x", "gold": [SPAN | {"also": [SPAN | {"source": 1}]}]}, r"gold\[0\].also\[0\].source: .*string, not 1"),
    ({"question": "x", "authors": [7]}, r"authors\[0\]: "),
    ({"question": "x", "author": "Ann"}, 'there is no field "author". Write "authors"'),
    ({"question": "x", "split": "dev"}, "split: Input should be 'tune' or 'report', not \"dev\""),
    ({"question": "x", "history": [{"role": "usr", "content": "y"}]}, r"history\[0\].role: .*'user' or 'assistant'"),
    ({"question": "x", "filters": {"since": "soon"}}, 'filters: since "soon" is no day'),
    ({"question": "x", "filters": {"thread": "a"}}, "filters.thread: "),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_line_that_is_no_question_is_named(line: str | dict, message: str, tmp_path: Path) -> None:
    path = written(tmp_path / "questions.jsonl", {"question": "fine?"}, line)
    with pytest.raises(SourceError, match=rf"^\S+questions.jsonl:2: not a question: {message}") as caught:
        load_questions(path)
    assert str(caught.value).count("\n") == 0


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = written(
        tmp_path / "q.jsonl", "{", {"question": "", "split": 1}, {"question": "a", "id": 4}, {"question": "b"}
    )
    with pytest.raises(SourceError) as caught:
        load_questions(path)
    assert [line.removeprefix(f"{path}:")[:20] for line in str(caught.value).splitlines()] == [
        "1: not a question: t", "2: not a question: q", "2: not a question: s", '4: the id "4" is tha',
    ]  # fmt: skip
    with pytest.raises(SourceError, match="and 30 more$"):
        load_questions(written(tmp_path / "many.jsonl", *["{"] * 50))


def test_what_is_harmless_in_a_file_is_taken(tmp_path: Path) -> None:
    """A byte order mark, line separators within a question, empty lines, a name in place of a list, further columns."""
    path = written(
        tmp_path / "q.jsonl",
        "\ufeff" + json.dumps({"question": "a\u2028b", "authors": "Ann Lee", "note": 1}, ensure_ascii=False) + "\r",
        "",
        {"question": "c", "id": 7, "gold": [SPAN | {"author": "mossgauge"}], "filters": {"authors": "Ann Lee"}},
        {"question": "d", "history": None, "filters": {}, "authors": None, "near_miss": "topic"},
    )
    one, two, three = load_questions(path)
    assert (one.id, one.text, one.authors, one.type, one.split) == (
        "1",
        "a\u2028b",
        ("Ann Lee",),
        "unanswerable",
        "report",
    )
    assert (two.id, two.type, two.filters and two.filters.authors) == ("7", "direct", ("Ann Lee",))
    assert (three.id, three.history, bool(three.filters)) == ("4", (), False)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"question": "x" * 9000}, "question has 9,000 characters; at most 8,000 are taken"),
        ({"gold": [SPAN | {"source": "none.txt"}]}, r"gold\[0\]: no source none.txt is in the index"),
        ({"gold": [SPAN, SPAN | {"end": 99_999}]}, r"gold\[1\]: end is 99999, but thread.jsonl#soil-01 has \d+ characters"),
        (
            {"gold": [SPAN | {"start": 326, "quote": "Of the capacitive boards four still work."}]},
            r'stands "f the .*not the quote "Of the capacitive boards four still work.". It stands at 325 to 366',
        ),
        ({"gold": [SPAN | {"also": [SPAN | {"quote": "Nobody wrote this."}]}]}, "Mark the words anew"),
    ],
)  # fmt: skip
def test_gold_that_is_not_in_the_index_is_named(
    question: dict, message: str, tmp_path: Path, sample_settings: Settings
) -> None:
    path = written(tmp_path / "questions.jsonl", "", {"question": "How many boards work?"} | question)
    with pytest.raises(SourceError, match=rf"questions.jsonl:2: .*{message}"):
        evaluate(load_questions(path), sample_settings)


def test_question_whose_filters_leave_nothing_counts_as_declined(tmp_path: Path, sample_settings: Settings) -> None:
    asked = {"question": "What does mossgauge say about rye?", "authors": ["mossgauge"]}
    path = written(tmp_path / "q.jsonl", asked | {"filters": {"authors": ["Quill Ferrotype"]}})
    found = evaluate(load_questions(path), sample_settings)
    assert (found.summary["declined"], found.summary["author_leakage"]) == (1.0, 0.0)
    assert found.risk_coverage()[1] == (0.05, None, 0.0)
    assert "| 0.05 |  | 0.000 |" in format_report(found)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "{", '{"rows": [1]}', '{"rows": 5}', '{"rows": [{}]}', '{"rows": [], "settings": 1}']
)
def test_file_that_is_no_evaluation_is_named(text: str, tmp_path: Path) -> None:
    path = written(tmp_path / "old.json", text)
    with pytest.raises(SourceError, match="is no evaluation"):
        Evaluation.from_json(path)


@pytest.fixture(scope="module")
def measured(sample_settings: Settings) -> Evaluation:
    """The evaluation of the sample by every second of its questions; `commentariat eval` asks them all."""
    return evaluate(load_questions(SAMPLE_QUESTIONS)[::2], sample_settings)


@pytest.mark.slow
def test_evaluation_survives_its_file_and_its_report_names_every_measure(measured: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    path.write_text(measured.to_json(), encoding="utf-8")
    assert Evaluation.from_json(path).summary == measured.summary
    report = format_report(measured, measured)
    assert all(f"| {name} |" in report for name in measured.summary)


FLOORS = {
    "recall@5": 0.84,
    "mrr": 0.80,
    "ndcg@10": 0.80,
    "characters_recall@5": 0.84,
    "characters_iou@5": 0.13,
    "citation_recall": 0.72,
    "citation_precision": 0.61,
    "answered": 0.95,
    "declined": 0.75,
    "quotes_exact": 1.0,
}
"""A little below what was measured; raise them when the figures rise."""
FOLLOW_UP_RECALL = 0.69
LEAKAGE = 0.03
"""The most that is allowed, a little above what was measured."""


@pytest.mark.slow
def test_figures_on_the_sample_do_not_fall(measured: Evaluation) -> None:
    assert 2 * len(measured.rows) >= len(load_questions(SAMPLE_QUESTIONS)) >= 120
    summary = measured.summary
    assert {name: summary[name] for name, floor in FLOORS.items() if summary[name] < floor} == {}
    assert measured.by("type")["follow-up"].summary["recall@5"] >= FOLLOW_UP_RECALL
    assert summary["author_leakage"] <= LEAKAGE


@pytest.mark.slow
def test_command_writes_json_and_markdown_and_compares(
    sample_settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = SAMPLE_QUESTIONS.read_text(encoding="utf-8").splitlines()
    questions = written(tmp_path / "q.jsonl", *lines[:3], lines[-1])
    store = str(sample_settings.store)
    common = ["eval", "--questions", str(questions), "--store", store]
    assert main([*common, "--json", str(tmp_path / "a.json"), "--markdown", str(tmp_path / "a.md")]) == 0
    assert main([*common, "--compare", str(tmp_path / "a.json")]) == 0
    assert "+0.000 (+0.000 to +0.000)" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rows"]) == 4
    report = (tmp_path / "a.md").read_text(encoding="utf-8")
    assert report.startswith("# Evaluation")
    charts = sorted(path.name for path in tmp_path.glob("a-*.svg"))
    assert charts == ["a-abstention.svg", "a-measures.svg"]
    assert all(f"]({name})" in report for name in charts)


@pytest.mark.slow
def test_answers_of_a_model_are_measured_and_told_from_quotes_in_their_place(
    sample_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model declines the first question, fails at the second and all others: quotes answer those."""
    questions = tmp_path / "q.jsonl"
    questions.write_text("\n".join(SAMPLE_QUESTIONS.read_text(encoding="utf-8").splitlines()[:3]), encoding="utf-8")
    store = str(sample_settings.store)
    command = ["eval", "--questions", str(questions), "--store", store, "--with-model"]
    assert main(command) == 2
    assert "--with-model needs a chat model" in capsys.readouterr().err
    with ModelServer(Say(["The comments do not answer this question."]), Fail(400, "no more")) as server:
        monkeypatch.setenv("COMMENTARIAT_LLM", "openai:scripted")
        monkeypatch.setenv("COMMENTARIAT_LLM_BASE_URL", f"{server.url}/v1")
        assert main([*command, "--json", str(tmp_path / "a.json")]) == 0
    found = Evaluation.from_json(tmp_path / "a.json")
    assert found.settings["llm"] == "openai:scripted"
    assert found.values("answered") == [0.0, 1.0, 1.0]
    assert found.values("written_by_model") == [0.0, 0.0]


def test_folder_that_is_missing_is_named_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "--markdown", str(tmp_path / "none" / "a.md")]) == 2
    assert "there is no folder" in capsys.readouterr().err
