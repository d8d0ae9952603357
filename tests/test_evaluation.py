"""The evaluation: measures worked out by hand, files that are refused, floors on the sample."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rag.charts import Dot, curve_chart, dot_chart, nice_ticks
from rag.errors import SourceError
from rag.evaluation import (
    SAMPLE_QUESTIONS,
    Difference,
    Evaluation,
    Gold,
    Question,
    _add_ranking_measures,
    _covered,
    character_measures,
    compare,
    evaluate,
    load_questions,
)
from rag.evaluation_report import format_report
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
    assert _covered(gold, [Span("b", 0, 10)]) == 0.5
    assert _covered(gold, [Span("b", 0, 10), Span("b", 8, 20)]) == 1.0
    assert _covered(gold, [Span("c", 0, 99)]) == 0.0


def test_ranking_measures_by_hand() -> None:
    """First gold at rank 2, second not found; a perfect ranking scores 1 everywhere."""
    rows = [
        {"id": "half", "has_answer": True, "gold_count": 2, "ranking": [[], [0], []]},
        {"id": "whole", "has_answer": True, "gold_count": 2, "ranking": [[0, 1], []]},
        {"id": "none", "has_answer": False, "gold_count": 0, "ranking": [[]]},
    ]
    _add_ranking_measures(rows, 5)
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


@pytest.mark.parametrize("line", ["{", '{"gold": []}', '{"question": "x", "gold": [{"source": "a"}]}', "[]"])
def test_line_that_is_no_question_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "fine?"}\n' + line, encoding="utf-8")
    with pytest.raises(SourceError, match=r"questions.jsonl:2: not a question"):
        load_questions(path)


def test_file_that_is_no_evaluation_is_named(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(SourceError, match="is no evaluation"):
        Evaluation.from_json(path)


@pytest.mark.slow
def test_evaluation_survives_its_file_and_its_report_names_every_measure(
    sample_settings: Settings, tmp_path: Path
) -> None:
    found = evaluate(load_questions(SAMPLE_QUESTIONS)[:12], sample_settings)
    path = tmp_path / "e.json"
    path.write_text(found.to_json(), encoding="utf-8")
    assert Evaluation.from_json(path).summary == found.summary
    report = format_report(found, found)
    assert all(f"| {name} |" in report for name in found.summary)


FLOORS = {
    "recall@5": 0.80,
    "mrr": 0.77,
    "ndcg@10": 0.76,
    "characters_recall@5": 0.80,
    "characters_iou@5": 0.13,
    "citation_recall": 0.65,
    "citation_precision": 0.58,
    "answered": 0.88,
    "declined": 0.70,
    "quotes_exact": 1.0,
}
"""A little below what was measured; raise them when the figures rise."""
FOLLOW_UP_RECALL = 0.66
LEAKAGE = 0.06
"""The most that is allowed, a little above what was measured."""


@pytest.mark.slow
def test_figures_on_the_sample_do_not_fall(sample_settings: Settings) -> None:
    questions = load_questions(SAMPLE_QUESTIONS)
    assert len(questions) >= 120
    found = evaluate(questions, sample_settings)
    summary = found.summary
    assert {name: summary[name] for name, floor in FLOORS.items() if summary[name] < floor} == {}
    assert found.by("type")["follow-up"].summary["recall@5"] >= FOLLOW_UP_RECALL
    assert summary["author_leakage"] <= LEAKAGE


@pytest.mark.slow
def test_command_writes_json_and_markdown_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text("\n".join(SAMPLE_QUESTIONS.read_text(encoding="utf-8").splitlines()[:4]), encoding="utf-8")
    store = str(tmp_path / "store")
    assert main(["ingest", str(SAMPLE_QUESTIONS.parent / "comments"), "--store", store, "--quiet"]) == 0
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model declines the first question, fails at the second and all others: quotes answer those."""
    questions = tmp_path / "q.jsonl"
    questions.write_text("\n".join(SAMPLE_QUESTIONS.read_text(encoding="utf-8").splitlines()[:3]), encoding="utf-8")
    store = str(tmp_path / "store")
    assert main(["ingest", str(SAMPLE_QUESTIONS.parent / "comments"), "--store", store, "--quiet"]) == 0
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
