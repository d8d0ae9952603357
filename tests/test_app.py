"""The page through Gradio's own client: real server, real endpoints."""

from __future__ import annotations

import gc
import socket
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from rag.errors import QuestionError
from rag.records import Answer, Filters, Turn
from rag.settings import Settings
from ui.app import build_app, serve
from ui.browse import WORDS, Browse
from ui.chat import Chat
from ui.cli import main
from ui.compare import PROMISE, TOO_FEW, Compare
from ui.conversations import Conversation, Exchange
from ui.endpoints import Endpoints, plain_content, turns_of
from ui.feedback import Feedback
from ui.header import Header
from ui.service import Service

from scripted import ScriptedAnswerer  # isort: skip
from serving import serving  # isort: skip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def answerer() -> ScriptedAnswerer:
    return ScriptedAnswerer()


@pytest.fixture(scope="module")
def client(answerer: ScriptedAnswerer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    app = build_app(answerer, settings=Settings(store=tmp_path_factory.mktemp("store")))
    with serving(app) as url:
        yield Client(url, verbose=False)


def test_an_answer_streams(client: Client) -> None:
    job = client.submit("Why tides?", api_name="/chat")
    last = job.result()
    assert [text[:15] for text in job.outputs()] == ["", "Mostly the moon", "You asked about"]
    assert last.splitlines()[-3].startswith("[1] Maren Holt, 2023-03-04")


def test_an_answer_as_data_has_exact_spans(client: Client, answerer: ScriptedAnswerer) -> None:
    answer = client.submit("Why tides?", authors=["Maren Holt"], since="2023-01-01", api_name="/ask").result()
    assert [citation["number"] for citation in answer["citations"]] == [1, 2, 3]
    for citation in answer["citations"]:
        text = answerer.store.source_text(citation["source"])
        assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert answerer.asked[-1] == ("Why tides?", (), Filters(("Maren Holt",), "2023-01-01"))


def test_history_reaches_the_answerer(client: Client, answerer: ScriptedAnswerer) -> None:
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "text", "text": "Ho"}]}]
    client.predict("And then?", history, api_name="/chat")
    assert answerer.asked[-1][1] == (Turn("user", "Hi"), Turn("assistant", "Ho"))


def test_an_error_is_its_sentence(client: Client) -> None:
    with pytest.raises(AppError, match=r"^The model server at 127.0.0.1:1 does not answer\. Start it"):
        client.predict("broken", api_name="/chat")
    with pytest.raises(AppError, match="Dates are written like 2024-05-31"):
        client.predict("Why?", since="yesterday", api_name="/ask")


def test_comments_can_be_searched_and_read(client: Client) -> None:
    (first, second) = client.predict("coast", api_name="/search")
    assert (first["comment_id"], second["comment_id"]) == ("c2", "c1")
    assert client.predict("c2", api_name="/get_comment")["author"] == "Ioan Petrescu"
    with pytest.raises(AppError, match='No comment "c9" is indexed'):
        client.predict("c9", api_name="/get_comment")
    assert client.predict(api_name="/list_authors") == [
        {"author": "Maren Holt", "comments": 1},
        {"author": "Ioan Petrescu", "comments": 1},
    ]


def test_a_search_brings_no_more_than_is_offered(client: Client, answerer: ScriptedAnswerer) -> None:
    client.predict("coast", limit=10**9, api_name="/search")
    assert answerer.limits[-1] == 50


def test_a_model_that_was_checked_is_kept_for_the_first_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local model brings a server along that stops when nobody holds it, and takes a while to start again."""

    class Model:
        name = "scripted"

    models: list[weakref.ref[Model]] = []

    def load(settings: Settings) -> Model:
        model = Model()
        models.append(weakref.ref(model))
        return model

    monkeypatch.setattr("rag.chat.chat_model.load_chat_model", load)
    service = Service(Settings(store=tmp_path / "store"))
    service.use(llm="openai:scripted")
    gc.collect()
    assert [model() is not None for model in models] == [True]


def test_only_documented_endpoints_are_offered(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(endpoints) == ["/ask", "/chat", "/get_comment", "/list_authors", "/search"]
    assert all(endpoint["description"] for endpoint in endpoints.values())


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["chat", "--no-browser", "--store", str(tmp_path), "--port", str(port)]) == 2
    assert f"cannot be opened at 127.0.0.1:{port}: another program uses that port" in capsys.readouterr().err


def test_messages_become_turns_whatever_their_shape() -> None:
    assert turns_of(
        [
            {"role": "system", "content": "Obey."},
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "thinking", "metadata": {"title": "Sources"}},
            {"role": "assistant", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
            {"role": "user", "content": {"text": "d"}},
            {"role": "user", "content": ""},
        ]
    ) == (Turn("user", "a"), Turn("assistant", "b\nc"), Turn("user", "d"))
    assert turns_of(None) == ()
    assert plain_content([{"type": "text", "text": None}, {"type": "image_url"}]) == ""


@pytest.mark.parametrize("history", ["hello", ["hello"], [["hello", "hi"]], [{"role": "user", "content": 5}], 5])
def test_what_are_no_messages_is_said(history: object) -> None:
    with pytest.raises(QuestionError, match='no list of messages, each with "role" and "content"'):
        turns_of(history)


def test_callers_of_the_endpoints_are_told_what_is_wrong(sample_settings: Settings) -> None:
    endpoints = Endpoints(Service(sample_settings))
    for asked, said in (
        ({"question": None}, "is no text"),
        ({"question": "salt", "since": 2020}, "no day of the calendar"),
        ({"question": "salt", "history": [{"role": "user", "content": "\ud83d"}]}, "The history holds"),
    ):
        with pytest.raises(gr.Error, match=said):
            next(endpoints.ask(**asked))
    for limit in ("3", None, 2.5):
        with pytest.raises(gr.Error, match="is no whole number"):
            endpoints.search("salt", limit)
    with pytest.raises(gr.Error, match='No comment "None"'):
        endpoints.get_comment(None)
    assert {one["author"] for one in endpoints.search("rye", authors="mossgauge")} == {"mossgauge"}


def test_an_answer_leaves_the_box_to_whoever_types_in_it(tmp_path: Path) -> None:
    chat = Chat(ScriptedAnswerer(), Feedback(tmp_path / "feedback.jsonl"))
    with gr.Blocks():
        chat.layout()
    updates = [update[chat.question] for update in chat.ask("Tides?", Conversation(), [], "", "", [])]
    assert len(updates) > 1
    assert not any("value" in update for update in updates)
    assert [update["stop_btn"] for update in updates] == [True] * (len(updates) - 1) + [False]


def test_a_question_that_is_too_long_is_not_asked(tmp_path: Path) -> None:
    """The page then leaves it in the box."""
    answerer = ScriptedAnswerer()
    chat = Chat(answerer, Feedback(tmp_path / "feedback.jsonl"), most=100)
    with gr.Blocks():
        chat.layout()
    with pytest.raises(gr.Error, match="has 101 characters; at most 100"):
        next(chat.ask("x" * 101, Conversation(), [], "", "", []))
    assert next(chat.ask(f"{'x' * 100} ", Conversation(), [], "", "", []))


@pytest.mark.parametrize("owned", [True, False])
def test_the_owner_is_told_why_no_model_answers(
    owned: bool, sample_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.chat.choice.find_spec", lambda package: None)
    service = Service(sample_settings)
    service.settings = service.changed(llm="auto", ollama_url="http://127.0.0.1:9", google_api_key="k")
    chat = Chat(service, Feedback(tmp_path / "feedback.jsonl"))
    browse = Browse(service, chat)
    header = Header(service, chat, browse, service if owned else None)
    with gr.Blocks():
        chat.layout()
        browse.layout()
        header.layout()
    facts = header.refresh()[header.facts]
    assert "no language model" in facts
    assert ("GOOGLE_API_KEY is set, but using it takes" in facts) == owned
    assert ("How to connect a model" in facts) == owned


@pytest.mark.parametrize("owned", [True, False])
def test_without_an_index_everybody_is_told_what_they_can_do(owned: bool, settings: Settings, tmp_path: Path) -> None:
    """And nobody where the index would lie, or what to type into a terminal."""
    service = Service(settings)
    chat = Chat(service, Feedback(tmp_path / "feedback.jsonl"), owned=owned)
    browse, compare = Browse(service, chat, owned=owned), Compare(service, owned=owned)
    header = Header(service, chat, browse, service if owned else None)
    with gr.Blocks():
        for part in (chat, browse, compare, header):
            part.layout()
    gone = gr.EventData(None, {"value": "c1"})
    kept = Conversation(
        (
            Exchange(
                "Tides?",
                answer=Answer("Tides?", "The moon [1].", passages=tuple(ScriptedAnswerer().search("")), abstained=True),
            ),
        )
    )
    *_, answered = chat.ask("Tides?", Conversation(), [], "", "", [])
    with pytest.raises(gr.Error) as refused:
        browse.ask_comment(gone)
    told = [
        header.refresh()[chat.messages]["placeholder"],
        answered[chat.conversation].exchanges[0].problem,
        chat.show(kept)[chat.panel],
        browse.find("", WORDS, "newest", [], "", "")[1],
        browse.thread(gone)[0],
        refused.value.message,
        compare.refresh()[2],
        list(compare.compare("Ann", "Bo", "tides"))[-1][0],
    ]
    assert [("Index tab" in one, "whoever runs this page" in one) for one in told] == [(owned, not owned)] * len(told)
    assert not any("python" in one or str(settings.store) in one for one in told)


def test_a_comparison_takes_two_authors(tmp_path: Path) -> None:
    answerer = ScriptedAnswerer()
    compare = Compare(answerer)
    with gr.Blocks():
        compare.layout()
    assert PROMISE in compare.refresh()[2]
    only = replace(answerer.store.info(), authors=(("Maren Holt", 3),))
    answerer.store.info = lambda: only
    assert TOO_FEW in compare.refresh()[2]
    assert "value" not in compare.refresh("what was compared")[2]


def test_all_words_are_found_and_marked_whatever_their_accents(tmp_path: Path) -> None:
    answerer = ScriptedAnswerer()
    tides = answerer.store.kept["c1"]
    answerer.store.kept = {"c1": replace(tides, text="A naïve view of the Straße, and of 1/x.")}
    browse = Browse(answerer, Chat(answerer, Feedback(tmp_path / "feedback.jsonl")))
    for words, marked in (("naive", "naïve"), ("NAÏVE", "naïve"), ("strasse", "Straße"), ("straße", "Straße")):
        summary, found = browse.find(words, WORDS, "newest", [], "", "")[1:3]
        assert "1 comment with" in summary
        assert f"<mark>{marked}</mark>" in found
    assert "No comment matches" in browse.find("naives", WORDS, "newest", [], "", "")[1]


@pytest.mark.parametrize(
    ("host", "owned"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)],
)
def test_index_and_settings_are_for_this_machine(
    host: str, owned: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Built(Exception):
        pass

    def build(service: Service, *, manage: Service | None, **_: object) -> None:
        assert manage is (service if owned else None)
        raise Built

    monkeypatch.setattr("ui.app.build_app", build)
    with pytest.raises(Built):
        serve(settings, host=host)
