"""Plain HTTP, OpenAI's clients and MCP against a real server on loopback with the sample's index."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

import rag
from rag.settings import Settings
from ui.app import build_app
from ui.service import Service

from conftest import ROOT  # isort: skip

QUESTION = "What did Brine Ledgerwick say about spring tides?"
JSON = "application/json"


def opened(settings: Settings, **options: bool) -> Iterator[str]:
    app = build_app(Service(settings), settings=settings, mcp=options.get("mcp_server", False))
    _, url, _ = app.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **options)
    yield url.rstrip("/")
    app.close()


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
            ("/api/answer", {"question": "y" * 1_000_001}, 413, "at most 1,000,000"),
            ("/v1/chat/completions", {"messages": []}, 422, "messages"),
            ("/v1/chat/completions", {"messages": [{"role": "assistant", "content": "Hi"}]}, 422, "must be the user's"),
        ],
    )
    def test_what_is_wrong_is_said(self, client: httpx.Client, path: str, body: dict, status: int, said: str) -> None:
        got = client.post(path, json=body)
        assert got.status_code == status
        assert said in got.json()["error"]["message"]

    def test_what_is_not_there_is_said(self, client: httpx.Client) -> None:
        assert client.get("/api/comments/none").status_code == 404
        assert client.get("/api/nothing").status_code in (404, 405)
        got = client.post("/api/answer", content="{", headers={"content-type": JSON})
        assert (got.status_code, list(got.json())) == (400, ["error"])

    def test_without_an_index_health_says_what_to_do(self, settings: Settings) -> None:
        (url,) = [next(running := opened(settings))]
        got = httpx.get(f"{url}/healthz")
        assert got.status_code == 503
        assert "python -m ingest" in got.json()["error"]["message"]
        assert next(running, None) is None

    def test_pages_of_other_sites_are_refused(self, client: httpx.Client) -> None:
        for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}, {"origin": "null"}):
            got = client.post("/api/answer", json={"question": QUESTION}, headers=headers)
            assert got.status_code == 403
            assert "access-control-allow-origin" not in got.headers
        own = client.post(
            "/api/answer", json={"question": QUESTION}, headers={"origin": str(client.base_url).rstrip("/")}
        )
        assert own.status_code == 200

    def test_the_description_loads_nothing(self, client: httpx.Client) -> None:
        page = client.get("/api/docs").text
        assert "POST /api/answer" in page
        assert "://" not in page.replace("http://127.0.0.1", "")

    def test_the_page_is_still_there(self, client: httpx.Client) -> None:
        assert "gradio" in client.get("/").text


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


class TestMcp:
    def test_an_agent_finds_exactly_these_tools_and_uses_them(self, mcp_server: str) -> None:
        from mcp import ClientSession
        from mcp.client.streamable_http import streamable_http_client

        async def use() -> tuple[dict, dict, dict]:
            async with (
                streamable_http_client(f"{mcp_server}/gradio_api/mcp/") as streams,
                ClientSession(*streams[:2]) as session,
            ):
                await session.initialize()
                tools = {tool.name: tool for tool in (await session.list_tools()).tools}
                authors = await session.call_tool("list_authors", {})
                answer = await session.call_tool("ask", {"question": QUESTION})
                return tools, authors, answer

        tools, authors, answer = asyncio.run(use())
        assert sorted(tools) == ["ask", "get_comment", "list_authors", "search"]
        assert all(tool.description for tool in tools.values())
        assert "question" in tools["ask"].inputSchema["properties"]
        assert "mossgauge" in str(authors.content)
        assert "spring" in str(answer.content)


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
        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        def check(case: schemathesis.Case) -> None:
            # That the last message is the user's cannot be said in a schema.
            left_out = [positive_data_acceptance] if case.path.startswith("/v1/chat") else []
            case.call_and_validate(base_url=server, timeout=30, excluded_checks=left_out)

        check()


def test_the_readme_says_where_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert urlsplit("http://127.0.0.1:7860/v1").path in readme
