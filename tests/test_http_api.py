"""Plain HTTP, OpenAI's clients and MCP against a real server on loopback with the sample's index."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

import rag
from rag.answering.answerer import Answerer
from rag.chat.prompts import Message
from rag.chat.streaming import Reply
from rag.errors import ModelUnavailable, StoreUnavailable
from rag.index.store import Store
from rag.models.embedding import Embedder
from rag.models.reader import Reader
from rag.records import Turn
from rag.retrieval.retriever import Retriever
from rag.settings import Settings
from ui.app import build_app
from ui.http_guard import is_loopback
from ui.http_schemas import Where
from ui.http_streaming import INSIDE
from ui.openai_api import CHECKED, ChatRequest
from ui.service import Service

from conftest import ROOT  # isort: skip
from indexing import IndexOf  # isort: skip
from serving import serving  # isort: skip
from written_replies import SHOWN  # isort: skip

QUESTION = "What did Brine Ledgerwick say about drying a starter?"
JSON = "application/json"

pytestmark = pytest.mark.slow


def opened(settings: Settings, answerer: Any = None, **options: Any) -> Iterator[str]:
    app = build_app(answerer or Service(settings), settings=settings, mcp=options.get("mcp_server", False))
    given = {"server_name": "127.0.0.1", **options}
    with serving(app, **given) as url:
        yield url.rstrip("/")


@pytest.fixture(scope="module")
def server(sample_settings: Settings) -> Iterator[str]:
    yield from opened(sample_settings)


@pytest.fixture(scope="module")
def mcp_server(sample_settings: Settings) -> Iterator[str]:
    yield from opened(sample_settings, mcp_server=True)


@pytest.fixture
def client(server: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, timeout=60) as client:
        yield client


class Writer:
    """A chat model whose reply a test writes, as a generator that is given the sentences of the prompt with their keys."""

    name = "writer"
    context_tokens = None
    write: Callable[[list[tuple[str, str]]], Iterator[str]]

    def stream(self, messages: Sequence[Message]) -> Reply:
        shown = SHOWN.findall(messages[-1].content)
        return Reply(lambda reply: self.write(shown))


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer()


@pytest.fixture(scope="module")
def written(sample_settings: Settings, embedder: Embedder, reader: Reader, writer: Writer) -> Iterator[str]:
    """A server whose answers `writer` writes."""
    store = Store.open(sample_settings, embedder)
    answerer = Answerer(store, Retriever(store, embedder, reader), embedder, sample_settings, writer)
    answerer._drafter._noted.set()  # what is said with the first answer only
    yield from opened(sample_settings, answerer)


def events(text: str) -> list[tuple[str, dict]]:
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


class TestPlainHttp:
    def test_an_answer_is_the_one_that_python_gets(self, client: httpx.Client, sample_settings: Settings) -> None:
        got = client.post("/api/answer", json={"question": QUESTION}).json()
        answer = rag.answer(QUESTION, settings=sample_settings)
        assert (got["text"], got["abstained"]) == (answer.text, answer.abstained)
        for citation in got["citations"]:
            text = rag.source_text(citation["source"], settings=sample_settings)
            assert text[citation["start"] : citation["end"]] == citation["quote"]

    @pytest.mark.parametrize("how", [{"json": {"stream": True}}, {"headers": {"accept": "text/event-stream"}}])
    def test_an_answer_streams(self, client: httpx.Client, how: dict) -> None:
        body = {"question": QUESTION, **how.get("json", {})}
        got = client.post("/api/answer", json=body, headers=how.get("headers"))
        assert got.headers["content-type"].startswith("text/event-stream")
        names = [name for name, _ in events(got.text)]
        assert names == ["partial"] * (len(names) - 1) + ["answer"]
        assert events(got.text)[-1][1]["citations"]

    def test_history_makes_a_follow_up_understood(self, client: httpx.Client) -> None:
        history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "..."}]
        got = client.post("/api/answer", json={"question": "And about salt?", "history": history}).json()
        assert {one["passage"]["author"] for one in got["citations"]} == {"Brine Ledgerwick"}

    def test_filters_restrict(self, client: httpx.Client) -> None:
        body = {"question": "What about soil probes?", "filters": {"authors": ["mossgauge"], "since": "2019-01-01"}}
        got = client.post("/api/answer", json=body).json()
        assert {one["author"] for one in got["passages"]} == {"mossgauge"}
        found = client.get("/api/search", params={"question": "soil probes", "author": "mossgauge", "limit": 3}).json()
        assert {one["author"] for one in found["passages"]} == {"mossgauge"}

    def test_a_comment_comes_with_the_one_it_replies_to(self, client: httpx.Client, sample_settings: Settings) -> None:
        reply = next(c for c in rag.comments(settings=sample_settings) if c.parent_id)
        got = client.get(f"/api/comments/{reply.id}").json()
        assert (got["comment"]["text"], got["parent"]["id"]) == (reply.text, reply.parent_id)

    def test_authors_and_health(self, client: httpx.Client) -> None:
        authors = client.get("/api/authors").json()["authors"]
        assert {"mossgauge", "Brine Ledgerwick"} <= {one["author"] for one in authors}
        health = client.get("/healthz").json()
        assert (health["status"], health["model"]) == ("ok", "evidence")

    @pytest.mark.parametrize(
        ("path", "body", "status", "said"),
        [
            ("/api/answer", {"question": " "}, 422, "question: "),
            ("/api/answer", {"question": "x" * 9000}, 422, "has 9,000 characters"),
            ("/api/answer", {}, 422, "question: Field required"),
            ("/api/answer", {"question": "Why?", "filters": {"author": "a"}}, 422, "filters.author"),
            ("/api/answer", {"question": "Why?", "filters": {"since": "spring"}}, 422, "filters.since"),
            (
                "/api/answer",
                {"question": "Why?", "filters": {"since": "2021-02-01", "until": "2020-01-01"}},
                422,
                "since (2021-02-01) is after until (2020-01-01)",
            ),
            ("/api/answer", {"question": "Why?", "filters": {"since": "0001-01-01T00:30:00+01:00"}}, 422, "calendar"),
            ("/api/answer", {"question": "y" * 1_000_001}, 413, "at most 1,000,000"),
            ("/v1/chat/completions", {"messages": []}, 422, "messages"),
            ("/v1/chat/completions", {"messages": [{"role": "assistant", "content": "Hi"}]}, 422, "must be the user's"),
        ],
    )
    def test_what_is_wrong_is_said(self, client: httpx.Client, path: str, body: dict, status: int, said: str) -> None:
        got = client.post(path, json=body)
        assert got.status_code == status
        assert said in got.json()["error"]["message"]

    def test_every_field_of_an_answer_is_described(self, client: httpx.Client) -> None:
        got = client.post("/api/answer", json={"question": QUESTION}).json()
        assert (
            got.keys() == client.get("/openapi.json").json()["components"]["schemas"]["Answered"]["properties"].keys()
        )

    def test_what_is_not_there_is_said(self, client: httpx.Client) -> None:
        assert client.get("/api/comments/none").status_code == 404
        assert client.get("/api/nothing").status_code in (404, 405)
        got = client.post("/api/answer", content="{", headers={"content-type": JSON})
        assert (got.status_code, list(got.json())) == (400, ["error"])

    @pytest.mark.parametrize(
        ("content", "sent_as", "status", "said"),
        [
            ('{"question": "Why?"}', "application/x-www-form-urlencoded", 422, f'header "content-type: {JSON}"'),
            ('{"question": "Why?"}', "text/plain", 422, f'header "content-type: {JSON}"'),
            ('"Why?"', JSON, 422, "must be a JSON object"),
            ("", JSON, 422, "must be a JSON object"),
            ('{"question": }', JSON, 400, "no JSON in UTF-8 (Expecting value, at character 13)"),
            (b'{"question": "caf\xe9"}', JSON, 400, "no JSON in UTF-8"),
        ],
    )
    def test_a_body_that_is_no_json_object_is_said(
        self, client: httpx.Client, content: str | bytes, sent_as: str, status: int, said: str
    ) -> None:
        for path in ("/api/answer", "/v1/chat/completions"):
            got = client.post(path, content=content, headers={"content-type": sent_as})
            assert (got.status_code, list(got.json()["error"])) == (status, ["message"])
            assert said in got.json()["error"]["message"]

    def test_a_misspelt_filter_is_refused(self, client: httpx.Client) -> None:
        got = client.get("/api/search", params={"question": "salt", "authors": "mossgauge"})
        assert (got.status_code, got.json()["error"]["field"]) == (422, "authors")

    def test_half_a_sign_is_said(self, client: httpx.Client) -> None:
        for body in (
            {"question": "tides \ud83d"},
            {"question": "And why?", "history": [{"role": "user", "content": "tides \ud83d"}]},
            {"question": "tides", "filters": {"authors": ["\ud83d"]}},
        ):
            got = client.post("/api/answer", content=json.dumps(body), headers={"content-type": JSON})
            assert got.status_code == 422

    def test_days_in_the_wrong_order_are_said(self, client: httpx.Client) -> None:
        got = client.get("/api/search", params={"question": "salt", "since": "2021-02-01", "until": "2021-01-31"})
        assert (got.status_code, "is after until" in got.json()["error"]["message"]) == (422, True)
        same = client.get("/api/search", params={"question": "salt", "since": "2021-02-01", "until": "2021-02-01"})
        assert same.status_code == 200

    def test_midnight_is_not_the_whole_day(self) -> None:
        where = Where(since="2020-05-01T00:00:00+02:00", until="2020-05-02T00:00:00").filters()
        assert (where.since, where.until) == (datetime(2020, 4, 30, 22, tzinfo=UTC), datetime(2020, 5, 2, tzinfo=UTC))
        days = Where(since="2020-05-01", until="2020-05-01").filters()
        assert (days.until - days.since).total_seconds() == pytest.approx(86400)

    def test_an_id_may_have_slashes(self, index_of: IndexOf) -> None:
        row = {"id": "post/7/comment?1", "author": "Maren Holt", "text": "Spring tides come twice a month."}
        settings = index_of([row])
        (comment,) = rag.comments(settings=settings)
        assert "/" in comment.id
        for url in opened(settings):
            for path in (quote(comment.id), quote(comment.id, safe="")):
                assert httpx.get(f"{url}/api/comments/{path}").json()["comment"]["text"] == row["text"]

    def test_a_model_that_cannot_be_set_up_is_said(self, sample_settings: Settings) -> None:
        settings = sample_settings.model_copy(update={"llm": "openai:some-model"})
        for url in opened(settings):
            got = httpx.post(f"{url}/api/answer", json={"question": QUESTION}, timeout=60)
            assert got.status_code == 502
            assert "needs a key" in got.json()["error"]["message"]
            assert httpx.get(f"{url}/healthz").status_code == 200
            assert (httpx.head(f"{url}/healthz").status_code, httpx.head(f"{url}/healthz").text) == (200, "")

    def test_without_an_index_health_says_what_to_do(self, settings: Settings) -> None:
        (url,) = [next(running := opened(settings))]
        got = httpx.get(f"{url}/healthz")
        assert got.status_code == 503
        assert "python -m ingest" in got.json()["error"]["message"]
        assert next(running, None) is None

    def test_the_description_loads_nothing(self, client: httpx.Client) -> None:
        page = client.get("/api/docs").text
        assert "POST /api/answer" in page
        assert "://" not in page.replace("http://127.0.0.1", "")

    def test_the_page_is_still_there(self, client: httpx.Client) -> None:
        assert "gradio" in client.get("/").text


FOREIGN = [
    {"host": "evil.example"},
    {"host": "127.0.0.1.evil.example"},
    {"host": "evil.example", "origin": "http://evil.example"},
    {"origin": "https://evil.example"},
    {"origin": "http://localhost:1"},
    {"origin": "null"},
]
HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


class TestOtherSites:
    @pytest.mark.parametrize("foreign", FOREIGN, ids=str)
    @pytest.mark.parametrize(
        ("method", "path", "headers"),
        [
            ("GET", "/", {}),
            ("HEAD", "/", {}),
            ("GET", "/config", {}),
            ("GET", "/theme.css", {}),
            ("GET", "/gradio_api/info", {}),
            ("POST", "/gradio_api/queue/join", {}),
            ("POST", "/gradio_api/call/list_authors", {}),
            ("POST", "/gradio_api/upload", {}),
            ("OPTIONS", "/gradio_api/queue/join", PREFLIGHT),
            ("POST", "/gradio_api/mcp/", {}),
            ("GET", "/gradio_api/mcp/sse", {}),
            ("GET", "/gradio_api/stream", HANDSHAKE),
            ("POST", "/api/answer", {}),
            ("OPTIONS", "/v1/chat/completions", PREFLIGHT),
            ("GET", "/nothing", {}),
        ],
    )
    def test_are_refused_everywhere(
        self, mcp_server: str, method: str, path: str, headers: dict, foreign: dict
    ) -> None:
        got = httpx.request(method, mcp_server + path, headers={**headers, **foreign})
        assert got.status_code == 403
        assert not [name for name in got.headers if name.startswith("access-control")]
        if method != "HEAD":
            assert re.match("This server is for this machine only|Pages of other", got.json()["error"]["message"])

    def test_the_page_itself_is_not_refused(self, mcp_server: str) -> None:
        for host in (urlsplit(mcp_server).netloc, f"localhost:{urlsplit(mcp_server).port}"):
            own = {"host": host, "origin": f"http://{host}"}
            for path in ("/", "/config", "/gradio_api/info", "/healthz"):
                assert httpx.get(mcp_server + path, headers=own).status_code == 200
            begun = httpx.post(f"{mcp_server}/gradio_api/call/list_authors", json={"data": []}, headers=own)
            assert begun.status_code == 200
            got = httpx.post(f"{mcp_server}/api/answer", json={"question": QUESTION}, headers=own, timeout=60)
            assert got.status_code == 200

    def test_a_server_for_others_has_any_name_but_no_other_site(self, sample_settings: Settings) -> None:
        for url in opened(sample_settings, server_name="0.0.0.0"):
            assert httpx.get(f"{url}/healthz", headers={"host": "comments.example"}).status_code == 200
            assert httpx.get(url, headers={"host": "comments.example"}).status_code == 200
            assert httpx.get(f"{url}/healthz", headers={"origin": "http://evil.example"}).status_code == 403

    @pytest.mark.parametrize(
        ("host", "is_one"),
        [
            ("127.0.0.1", True), ("127.0.0.1:7860", True), ("LocalHost:80", True), ("[::1]:7860", True), ("::1", True),
            ("127.3.2.1", True), ("", False), ("0.0.0.0", False), ("192.168.1.2:80", False), ("[fe80::1]:80", False),
            ("localhost.evil.example", False), ("127.0.0.1.evil.example:80", False), ("127.0.0.1:80:80", False),
            ("[", False), (":80", False),
        ],
    )  # fmt: skip
    def test_what_is_this_machine(self, host: str, is_one: bool) -> None:
        assert is_loopback(host) == is_one


ASKED = {
    "answer": ("/api/answer", {"question": QUESTION}),
    "answer streamed": ("/api/answer", {"question": QUESTION, "stream": True}),
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}),
    "chat streamed": ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}], "stream": True}),
}
STREAMED = [name for name in ASKED if name.endswith("streamed")]


def hang_up_when(event: threading.Event, url: str, path: str, body: dict) -> None:
    """Ask, and close the connection without reading the answer."""
    data = json.dumps(body).encode()
    place = urlsplit(url)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: {JSON}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.sendall(head.encode() + data)
        assert event.wait(30)


class TestWhileAModelWrites:
    @pytest.mark.parametrize("how", ASKED)
    def test_hanging_up_stops_it(self, written: str, writer: Writer, how: str) -> None:
        begun, gone, stopped = threading.Event(), threading.Event(), threading.Event()
        given: list[str] = []

        def write(shown: list[tuple[str, str]]) -> Iterator[str]:
            try:
                for number in range(3000):
                    given.append(f"word{number} ")
                    yield given[-1]
                    if number == 3:
                        begun.set()
                        gone.wait(30)
                    time.sleep(0.01)
            except GeneratorExit:
                stopped.set()
                raise

        writer.write = write
        hang_up_when(begun, written, *ASKED[how])
        gone.set()
        assert stopped.wait(20)
        number = len(given)
        assert number < 3000
        assert httpx.get(f"{written}/healthz").status_code == 200
        assert len(given) == number

    @pytest.mark.parametrize("how", STREAMED)
    def test_words_arrive_before_the_next_are_written(self, written: str, writer: Writer, how: str) -> None:
        read = threading.Event()
        was_read: list[bool] = []

        def write(shown: list[tuple[str, str]]) -> Iterator[str]:
            yield "Prologue "
            was_read.append(read.wait(20))
            yield f"[{shown[0][0]}]."

        writer.write = write
        path, body = ASKED[how]
        with httpx.stream("POST", written + path, json=body, timeout=60) as got:
            for line in got.iter_lines():
                if "Prologue" in line:
                    read.set()
        assert was_read[0]

    @pytest.mark.parametrize(
        ("error", "said"),
        [(ZeroDivisionError("secret"), INSIDE), (StoreUnavailable("The index is locked."), "The index is locked.")],
    )
    @pytest.mark.parametrize("how", ASKED)
    def test_a_failure_in_the_middle_is_said(
        self,
        written: str,
        writer: Writer,
        caplog: pytest.LogCaptureFixture,
        how: str,
        error: Exception,
        said: str,
    ) -> None:
        def write(shown: list[tuple[str, str]]) -> Iterator[str]:
            yield "Spring tides "
            raise error

        writer.write = write
        path, body = ASKED[how]
        with caplog.at_level(logging.ERROR, "ui"):
            got = httpx.post(written + path, json=body, timeout=60)
        assert "Traceback" not in got.text
        assert "secret" not in got.text
        logged = [record.exc_info[0] for record in caplog.records if record.name.startswith("ui.")]
        assert logged == ([ZeroDivisionError] if said == INSIDE else [])
        if how == "answer streamed":
            names = [name for name, _ in events(got.text)]
            assert (set(names[:-1]), names[-1]) == ({"partial"}, "error")
            assert events(got.text)[-1][1] == {"message": said}
        elif how == "chat streamed":
            *_, told, end = [line.removeprefix("data: ") for line in got.text.split("\n\n") if line]
            assert (json.loads(told)["error"]["message"], end) == (said, "[DONE]")
        else:
            assert got.status_code == (500 if said == INSIDE else 503)
            assert got.json()["error"]["message"] == said

    @pytest.mark.parametrize("how", ASKED)
    def test_a_model_that_breaks_off_is_replaced_by_quotes(self, written: str, writer: Writer, how: str) -> None:
        def write(shown: list[tuple[str, str]]) -> Iterator[str]:
            yield "Spring tides "
            raise ModelUnavailable("The model broke off.")

        writer.write = write
        path, body = ASKED[how]
        got = httpx.post(written + path, json=body, timeout=60)
        assert got.status_code == 200
        if how == "answer":
            assert (got.json()["model"], bool(got.json()["citations"])) == ("evidence", True)
        assert "writer could not answer, so these are quotes: The model broke off." in got.text


class TestOpenAiClientWhileAModelWrites:
    @pytest.fixture
    def openai(self, written: str):
        from openai import OpenAI

        with OpenAI(base_url=f"{written}/v1", api_key="none", max_retries=0) as client:
            yield client

    def ask(self, openai: Any, **options: Any) -> Any:
        return openai.chat.completions.create(model="any", messages=[{"role": "user", "content": QUESTION}], **options)

    def test_what_passes_the_check_is_streamed_once(self, openai: Any, writer: Writer) -> None:
        def write(shown: list[tuple[str, str]]) -> Iterator[str]:
            key, sentence = shown[0]
            for word in f"{sentence.rstrip('.')} [{key}].".split(" "):
                yield f"{word} "

        writer.write = write
        whole = self.ask(openai)
        chunks = list(self.ask(openai, stream=True))
        pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]
        assert len(pieces) > 4
        assert "".join(pieces) == whole.choices[0].message.content
        last = chunks[-1]
        assert (last.choices[0].finish_reason, last.checked["start"]) == ("stop", 0)
        assert (last.citations, last.usage) == (whole.citations, whole.usage)
        assert len({chunk.id for chunk in chunks}) == 1
        notes = [note.model_dump() for note in whole.choices[0].message.annotations]
        assert last.choices[0].delta.annotations == notes
        assert {chunk.model for chunk in chunks} == {"writer"}

    def test_what_the_check_changes_follows_below_a_line(self, openai: Any, writer: Writer) -> None:
        def write(shown: list[tuple[str, str]]) -> Iterator[str]:
            key, sentence = shown[0]
            yield "The moon is made of cheese. "
            yield f"{sentence.rstrip('.')} [{key}]."

        writer.write = write
        whole = self.ask(openai).choices[0].message
        chunks = list(self.ask(openai, stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        before, _, after = text.partition(CHECKED)
        assert before.startswith("The moon is made of cheese.")
        assert "(uncited)" not in before
        assert "(uncited)" in after
        assert after == whole.content
        checked = chunks[-1].checked
        assert text[checked["start"] : checked["end"]] == whole.content
        places = [note["url_citation"] for note in chunks[-1].choices[0].delta.annotations]
        assert [place["start_index"] - checked["start"] for place in places] == [
            note.url_citation.start_index for note in whole.annotations
        ]

    def test_a_failure_is_raised(self, openai: Any, writer: Writer) -> None:
        from openai import APIError

        def write(shown: list[tuple[str, str]]) -> Iterator[str]:
            yield "Spring tides "
            raise ZeroDivisionError

        writer.write = write
        with pytest.raises(APIError, match="Something failed inside"):
            list(self.ask(openai, stream=True))


def test_of_a_streamed_answer_only_what_was_checked_counts_in_a_conversation() -> None:
    said = [("user", "Why tides?"), ("assistant", f"Cheese.{CHECKED}The moon [1]."), ("user", "And why?")]
    chat = ChatRequest(messages=[{"role": role, "content": content} for role, content in said])
    history = (Turn("user", "Why tides?"), Turn("assistant", "The moon [1]."))
    assert chat.question_and_history() == ("And why?", history)


class TestOpenAiClient:
    @pytest.fixture
    def openai(self, server: str):
        from openai import OpenAI

        with OpenAI(base_url=f"{server}/v1", api_key="none", max_retries=0) as client:
            yield client

    def test_chat(self, openai, sample_settings: Settings) -> None:
        got = openai.chat.completions.create(model="any", messages=[{"role": "user", "content": QUESTION}])
        answer = rag.answer(QUESTION, settings=sample_settings)
        message = got.choices[0].message
        assert message.content.startswith(answer.text)
        linked = [citation for citation in answer.citations if citation.passage.url]
        assert [a.url_citation.url for a in message.annotations] == [c.passage.url for c in linked]
        for note in message.annotations:
            place = note.url_citation
            assert message.content[place.start_index : place.end_index].startswith("[")
        assert [one["quote"] for one in got.citations] == [citation.quote for citation in answer.citations]

    def test_every_cited_span_is_told(self, openai, sample_settings: Settings) -> None:
        question = "List the traps when using tidal differences."
        got = openai.chat.completions.create(model="any", messages=[{"role": "user", "content": question}])
        citation = rag.answer(question, settings=sample_settings).citations[0]
        assert citation.more
        assert got.citations[0]["more"] == [asdict(span) for span in citation.more]

    def test_chat_streams_the_same_words(self, openai) -> None:
        messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": QUESTION}]
        whole = openai.chat.completions.create(model="any", messages=messages).choices[0].message.content
        chunks = list(openai.chat.completions.create(model="any", messages=messages, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
        assert chunks[-1].choices[0].finish_reason == "stop"

    def test_the_conversation_counts(self, openai) -> None:
        messages = [
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": "They come twice a month."},
            {"role": "user", "content": [{"type": "text", "text": "And about salt?"}]},
        ]
        got = openai.chat.completions.create(model="any", messages=messages)
        assert {one["author"] for one in got.citations} == {"Brine Ledgerwick"}

    def test_models(self, openai) -> None:
        assert [model.id for model in openai.models.list()] == ["evidence"]
        assert openai.models.retrieve("evidence").id == "evidence"
        from openai import NotFoundError

        with pytest.raises(NotFoundError, match='No model "gpt" answers here'):
            openai.models.retrieve("gpt")


class TestMcp:
    def test_an_agent_finds_exactly_these_tools_and_uses_them(self, mcp_server: str) -> None:
        from mcp import ClientSession
        from mcp.client.streamable_http import streamable_http_client

        async def use() -> tuple[str, dict, dict[str, Any]]:
            async with (
                streamable_http_client(f"{mcp_server}/gradio_api/mcp/") as streams,
                ClientSession(*streams[:2]) as session,
            ):
                server = (await session.initialize()).serverInfo
                tools = {tool.name: tool for tool in (await session.list_tools()).tools}
                authors = await session.call_tool("list_authors", {})
                answer = await session.call_tool("ask", {"question": QUESTION})
                found = await session.call_tool("search", {"query": QUESTION, "limit": 1, "until": "2024-12-31"})
                [passage] = found.structuredContent["passages"]
                comment = await session.call_tool("get_comment", {"comment_id": passage["comment_id"]})
                missing = await session.call_tool("get_comment", {"comment_id": "no such"})
                wrong = await session.call_tool("search", {"question": QUESTION})
                results = {"list_authors": authors, "ask": answer, "search": found, "get_comment": comment}
                return server.version, tools, {**results, "missing": missing, "wrong": wrong}

        server_version, tools, results = asyncio.run(use())
        missing, wrong = results.pop("missing"), results.pop("wrong")
        assert sorted(tools) == ["ask", "get_comment", "list_authors", "search"] == sorted(results)
        assert server_version == version("commentariat")
        for name, tool in tools.items():
            assert tool.description
            assert tool.outputSchema
            assert tool.annotations.readOnlyHint
            assert json.loads(results[name].content[0].text) == results[name].structuredContent
        assert {"author": "mossgauge", "comments": 11} in results["list_authors"].structuredContent["authors"]
        answer = results["ask"].structuredContent
        assert answer["citations"]
        [passage] = results["search"].structuredContent["passages"]
        assert passage["posted_at"] < "2025"
        assert results["get_comment"].structuredContent["text"].startswith(passage["text"][:40])
        assert "trace" not in answer
        assert (missing.isError, missing.content[0].text) == (True, 'No comment "no such" is indexed.')
        assert wrong.isError


@pytest.mark.slow
def test_every_request_the_description_allows_is_answered_as_described(server: str) -> None:
    """schemathesis makes requests of all kinds from the OpenAPI description."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.openapi.from_url(f"{server}/openapi.json")
    for operation in schema.get_all_operations():
        case = operation.ok().as_strategy()

        @given(case=case)
        @settings(max_examples=8, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        def check(case: schemathesis.Case) -> None:
            # That the last message is the user's, and which of two days is earlier, cannot be said in a schema.
            unsaid = case.path in ("/v1/chat/completions", "/api/search", "/api/answer")
            left_out = [positive_data_acceptance] if unsaid else []
            case.call_and_validate(base_url=server, timeout=30, excluded_checks=left_out)

        check()


def test_the_readme_says_where_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert urlsplit("http://127.0.0.1:7860/v1").path in readme
