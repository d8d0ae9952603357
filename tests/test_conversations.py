"""Conversations survive the browser, files and bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rag.errors import RagError, SourceError
from rag.evaluation.gold import load_questions
from rag.records import Filters, Span, Turn
from ui import conversations
from ui.conversations import Conversation, Exchange, restored, to_markdown, verify
from ui.feedback import Feedback

from scripted import ScriptedAnswerer  # isort: skip


def exchange(question: str, **fields) -> Exchange:
    *_, answer = ScriptedAnswerer().stream(question)
    return Exchange(question, answer=answer, **fields)


@pytest.fixture
def conversation() -> Conversation:
    return Conversation((exchange("Why tides?", filters=Filters(("Maren Holt",), "2023-01-01")), exchange("gold?")))


def test_a_conversation_survives_the_browser(conversation: Conversation) -> None:
    """All that is shown again comes back; what served only while it was fresh does not."""
    stored = json.loads(json.dumps(conversation.to_dict()))
    back = Conversation.from_dict(stored)
    assert back.turns() == conversation.turns()
    assert back.exchanges[0].filters == conversation.exchanges[0].filters
    assert back.exchanges[0].answer.citations == conversation.exchanges[0].answer.citations
    assert back.exchanges[1].answer.passages == conversation.exchanges[1].answer.passages
    assert (back.exchanges[0].answer.trace, back.exchanges[0].answer.passages) == ({}, ())
    assert (back.id, back.name, back.updated_at) == (conversation.id, "Why tides?", conversation.updated_at)


def test_moments_survive_the_browser_also_when_just_past(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = conversation.to_dict()
    later = conversations.now() + timedelta(hours=1)
    monkeypatch.setattr(conversations, "datetime", type("Later", (), {"now": staticmethod(lambda zone: later)}))
    back = Conversation.from_dict(stored)
    assert back.updated_at == conversation.updated_at
    assert [one.asked_at for one in back.exchanges] == [one.asked_at for one in conversation.exchanges]


def test_history_leaves_failed_questions_out(conversation: Conversation) -> None:
    failed = conversation.with_exchange(Exchange("broken", problem="No."))
    assert failed.turns()[2:] == (Turn("user", "gold?"), Turn("assistant", "The comments do not answer this."))


def test_an_exchange_is_replaced_in_its_place_and_dropped_with_what_follows(conversation: Conversation) -> None:
    first, second = conversation.exchanges
    stopped = replace(first, stopped=True)
    assert conversation.with_exchange(stopped).exchanges == (stopped, second)
    assert conversation.before(second.id).exchanges == (first,)


def test_search_looks_at_title_questions_and_answers(conversation: Conversation) -> None:
    titled = replace(conversation, title="Seaside")
    assert titled.mentions("SEASIDE gold")
    assert titled.mentions("coast matters")
    assert not titled.mentions("seaside bread")


def test_a_long_first_question_is_shortened_for_the_list() -> None:
    name = Conversation((Exchange("why " * 40),)).name
    assert name == "why " * 13 + "why…"
    assert Conversation((Exchange("Why " + "o" * 80),)).name == "Why " + "o" * 55 + "…"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "This file is not JSON"),
        ("[]", "not a conversation exported from here"),
        ('{"format": "other"}', "not a conversation exported from here"),
        ('{"format": "commentariat-conversation-1", "exchanges": [{"question": 1}]}', 'at "exchanges.0.question"'),
        ('{"format": "commentariat-conversation-1", "exchanges": [{"answer": {}}]}', 'at "exchanges.0'),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(RagError, match=message):
        Conversation.from_json(text)


def test_an_imported_file_never_replaces_a_conversation(conversation: Conversation) -> None:
    assert Conversation.from_json(json.dumps(conversation.to_dict())).id != conversation.id


def test_forged_quotes_are_recognised(conversation: Conversation) -> None:
    """An import is somebody's say-so: a changed quote and an unknown source are both found out."""
    data = conversation.to_dict()
    data["exchanges"][0]["answer"]["citations"][0]["quote"] = "Tides are never the moon."
    data["exchanges"][0]["answer"]["citations"][1]["source"] = "thread.jsonl#unknown"
    index = ScriptedAnswerer().store

    def source_text(source: str) -> str:
        try:
            return index.source_text(source)
        except KeyError:
            raise SourceError(source) from None

    checked = verify(Conversation.from_dict(data), source_text)
    assert [one.forged for one in checked.exchanges] == [(1, 2), ()]
    assert "[1] Maren Holt, 2023-03-04, https://forum.example" in to_markdown(checked)
    assert "(not found in this index)" in to_markdown(checked)


def test_markdown_has_questions_answers_quotes_authors_and_links(conversation: Conversation) -> None:
    text = to_markdown(replace(conversation, title="Seaside\n# fake heading"))
    assert text.startswith("# Seaside # fake heading\n\n## Why tides?\n\n*Only Maren Holt, since 2023-01-01.*\n\n")
    assert (
        "[1] Maren Holt, 2023-03-04, https://forum.example/posts/abc/tides?commentId=c1\n\n"
        "    > Tides are mostly the moon.\n" in text
    )
    assert "## gold?\n\nThe comments do not answer this.\n" in text


def test_one_unreadable_conversation_does_not_take_the_others_along(conversation: Conversation) -> None:
    stored = json.dumps([{"format": "?"}, conversation.to_dict(), 7])
    assert [one.id for one in restored(stored)] == [conversation.id]
    assert restored("nonsense") == restored('"text"') == restored("") == []


def test_what_an_import_says_about_how_it_was_made_is_not_taken(conversation: Conversation) -> None:
    data = conversation.to_dict()
    data["exchanges"][0]["answer"]["trace"] = {"passages": 7, "prompt": "<b>"}
    assert Conversation.from_dict(data).exchanges[0].answer.trace == {}


@pytest.mark.parametrize("name", ["Why? / ..\\ \0", "../../etc/passwd", "日本", "x" * 300])
def test_an_export_has_a_harmless_file_name(name: str) -> None:
    made = conversations.file_name(Conversation((Exchange(name),)), "md")
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert len(made) <= 64
    assert not made.startswith(".")


def test_feedback_becomes_evaluation_questions(tmp_path: Path, conversation: Conversation) -> None:
    """The last word on an answer counts; taken back is taken back. What was found wanting waits for its right answer."""
    feedback = Feedback(tmp_path / "deep" / "feedback.jsonl")
    assert feedback.evaluation_questions() == feedback.open_questions() == ""
    good, bad = conversation.exchanges
    for one, judgement in [
        (good, "Wrong person"),
        (good, "Like"),
        (bad, "Missed a comment"),
        (exchange("Other?"), "Like"),
        (replace(bad, id="taken back"), "Other"),
        (replace(bad, id="taken back"), None),
    ]:
        feedback.add(replace(one, judgement=judgement), conversation.before(one.id).turns() if one is bad else ())
    with feedback.path.open("a") as file:
        file.write('{"cut off by a cra')
    file = tmp_path / "questions.jsonl"
    file.write_text(feedback.evaluation_questions(), encoding="utf-8")
    liked = load_questions(file)
    assert [(one.text, len(one.gold)) for one in liked] == [("Why tides?", 3), ("Other?", 3)]
    assert liked[0].gold[0].places == (Span("thread.jsonl#c1", 0, 26),)
    (open_one,) = map(json.loads, feedback.open_questions().splitlines())
    assert (open_one["question"], open_one["reason"], open_one["gold"]) == ("gold?", "Missed a comment", None)
    assert [turn["role"] for turn in open_one["history"]] == ["user", "assistant"]


@pytest.mark.parametrize("sign", [*"\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e"])
def test_a_judgement_is_read_whatever_signs_the_question_has(tmp_path: Path, sign: str) -> None:
    feedback = Feedback(tmp_path / "feedback.jsonl")
    feedback.add(exchange(f"Why{sign}tides?", judgement="Like"))
    assert [judged["question"] for judged in feedback.judgements()] == [f"Why{sign}tides?"]


def test_a_judgement_is_not_lost_on_an_answer_that_was_on_its_way(tmp_path: Path, conversation: Conversation) -> None:
    feedback = Feedback(tmp_path / "feedback.jsonl")
    first = conversation.exchanges[0]
    feedback.add(replace(first, judgement="Like"))
    later = conversation.with_exchange(exchange("Next?", judgement="Other"))
    assert [one.judgement for one in feedback.marked(later).exchanges] == ["Like", None, "Other"]
    feedback.add(replace(first, judgement=None))
    assert [one.judgement for one in feedback.marked(feedback.marked(later)).exchanges] == [None, None, "Other"]


def test_questions_without_a_right_answer_are_no_questions_without_an_answer(tmp_path: Path) -> None:
    """They would be counted as rightly declined."""
    feedback = Feedback(tmp_path / "feedback.jsonl")
    feedback.add(exchange("Why tides?", judgement="Wrong citation"))
    file = tmp_path / "questions.jsonl"
    file.write_text(feedback.open_questions(), encoding="utf-8")
    with pytest.raises(SourceError, match=r"questions\.jsonl:1: not a question"):
        load_questions(file)
