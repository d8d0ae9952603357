from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import ClassVar

import pytest
from model_server import Fail, ModelServer, Say, small_model_path

from rag.chat import choice
from rag.chat.chat_model import LangChainModel, load_chat_model
from rag.chat.choice import Choice, choose, missing
from rag.chat.local_server import LocalServer
from rag.chat.prompts import Message
from rag.chat.providers import THINKING_TOKENS
from rag.chat.reasoning import ThoughtFilter
from rag.chat.streaming import Usage, complete
from rag.errors import (
    ModelMissing,
    ModelRefused,
    ModelReplyError,
    ModelUnavailable,
    PromptTooLong,
    SettingsError,
)
from rag.settings import Settings

PROVIDERS = ["openai", "anthropic", "google", "ollama"]
SECRET = "sk-secret-0123456789abcdef"
CONVERSATION = [
    Message("system", "Be brief."),
    Message("user", "Hello"),
    Message("assistant", "Hi."),
    Message("user", "Why are there tides?"),
]


def settings_for(provider: str, server: ModelServer, **values: object) -> Settings:
    values = {
        "llm": f"{provider}:scripted",
        "llm_base_url": {"openai": f"{server.url}/v1", "ollama": None}.get(provider, server.url),
        "ollama_url": server.url,
        "llm_timeout": 10.0,
        **{f"{name}_api_key": SECRET for name in ("openai", "anthropic", "google")},
        **values,
    }
    return Settings(**values)


def load(provider: str, server: ModelServer, **values: object) -> LangChainModel:
    model = load_chat_model(settings_for(provider, server, **values), pause=lambda seconds: None)
    assert isinstance(model, LangChainModel)
    return model


@pytest.fixture(scope="session")
def small_model() -> Path:
    return small_model_path()


@pytest.mark.slow
class TestEveryProvider:
    """The same faults on the wire formats of all four, through their own packages."""

    @pytest.fixture(params=PROVIDERS)
    def provider(self, request: pytest.FixtureRequest) -> str:
        return request.param

    def test_streams_text_and_counts_tokens(self, provider: str) -> None:
        with ModelServer(Say(["The moon ", "pulls ", "the sea."])) as server:
            reply = load(provider, server).stream(CONVERSATION)
            pieces = list(reply)
        assert pieces == ["The moon ", "pulls ", "the sea."]
        assert (reply.usage, reply.finish, reply.tries, reply.restarts) == (Usage(70, 7), "complete", 1, 0)

    def test_sends_all_turns_in_their_roles(self, provider: str) -> None:
        with ModelServer(Say(["Yes."])) as server:
            complete(load(provider, server), CONVERSATION)
            body = server.requests[0].body
        if provider == "google":
            turns = [(turn["role"], turn["parts"][0]["text"]) for turn in body["contents"]]
            system = body["systemInstruction"]["parts"][0]["text"]
        else:
            turns = [(turn["role"], turn["content"]) for turn in body["messages"] if turn["role"] != "system"]
            system = body["system"] if provider == "anthropic" else body["messages"][0]["content"]
        assert system == "Be brief."
        last = {"google": "model"}.get(provider, "assistant")
        assert turns == [("user", "Hello"), (last, "Hi."), ("user", "Why are there tides?")]

    def test_limits_the_answer(self, provider: str) -> None:
        with ModelServer(Say(["Yes."])) as server:
            complete(load(provider, server, llm_answer_tokens=333), CONVERSATION)
            body = server.requests[0].body
        limits = {
            "openai": lambda: body["max_tokens"],
            "anthropic": lambda: body["max_tokens"],
            "google": lambda: body["generationConfig"]["maxOutputTokens"],
            "ollama": lambda: body["options"]["num_predict"],
        }
        assert limits[provider]() == 333

    def test_thinking_sent_apart_is_not_the_answer(self, provider: str) -> None:
        with ModelServer(Say(["The moon."], thinking="The user wants tides.")) as server:
            assert complete(load(provider, server), CONVERSATION) == "The moon."

    def test_thinking_in_the_text_is_not_the_answer(self, provider: str) -> None:
        with ModelServer(Say(["<th", "ink>\nHm.\n</thi", "nk>\n\nThe ", "moon."])) as server:
            assert complete(load(provider, server), CONVERSATION) == "The moon."

    def test_a_wrong_key_is_told_with_the_variable_and_without_the_key(self, provider: str) -> None:
        with ModelServer(Fail(401, f"Incorrect API key provided: {SECRET}")) as server:
            with pytest.raises(ModelRefused) as caught:
                complete(load(provider, server), CONVERSATION)
            assert len(server.requests) == 1
        expected = {"ollama": "Ollama refused"}.get(provider, f"refused the key in {provider.upper()}_API_KEY")
        assert expected in str(caught.value)
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize("status", [408, 429, 503])
    def test_a_busy_server_is_asked_again(self, provider: str, status: int) -> None:
        with ModelServer(Fail(status), Fail(status), Say(["The moon."])) as server:
            reply = load(provider, server).stream(CONVERSATION)
            assert "".join(reply) == "The moon."
            assert (reply.tries, len(server.requests)) == (3, 3)

    def test_a_server_that_stays_busy_is_given_up(self, provider: str) -> None:
        with ModelServer(Fail(429, "slow down")) as server:
            with pytest.raises(ModelUnavailable, match=r"limits the rate of requests: .*slow down"):
                complete(load(provider, server, llm_retries=1), CONVERSATION)
            assert len(server.requests) == 2

    def test_an_unknown_model_is_told(self, provider: str) -> None:
        with (
            ModelServer(Fail(404, "model not found")) as server,
            pytest.raises(ModelRefused, match=r"has no such model\. Check COMMENTARIAT_LLM"),
        ):
            complete(load(provider, server), CONVERSATION)

    def test_a_prompt_beyond_the_window_is_told(self, provider: str) -> None:
        message = "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens"
        with (
            ModelServer(Fail(400, message)) as server,
            pytest.raises(PromptTooLong, match="COMMENTARIAT_LLM_CONTEXT_TOKENS"),
        ):
            complete(load(provider, server), CONVERSATION)

    def test_a_refused_temperature_is_left_out_from_then_on(self, provider: str) -> None:
        refusal = Fail(400, "Unsupported value: 'temperature' does not support 0 with this model")
        with ModelServer(refusal, Say(["One."]), Say(["Two."])) as server:
            model = load(provider, server)
            assert (complete(model, CONVERSATION), complete(model, CONVERSATION)) == ("One.", "Two.")
            sent = ["temperature" in str(request.body) for request in server.requests]
        assert sent == [True, False, False]

    def test_a_connection_cut_in_mid_answer_is_told_after_the_text(self, provider: str) -> None:
        with ModelServer(Say(["The moon "], cut=True)) as server:
            reply = load(provider, server).stream(CONVERSATION)
            assert next(reply) == "The moon "
            with pytest.raises(ModelUnavailable, match="stopped in mid-answer"):
                next(reply)
            assert len(server.requests) == 1

    def test_a_stream_that_just_ends_counts_as_cut(self, provider: str) -> None:
        with (
            ModelServer(Say(["The moon "], finish=None)) as server,
            pytest.raises(ModelUnavailable, match="stopped in mid-answer"),
        ):
            complete(load(provider, server), CONVERSATION)

    @pytest.mark.parametrize("pieces", [[], ["The moon "]])
    def test_an_error_sent_in_the_stream_is_told(self, provider: str, pieces: list[str]) -> None:
        with (
            ModelServer(Say(pieces, error="Overloaded")) as server,
            pytest.raises(ModelUnavailable, match="Overloaded"),
        ):
            complete(load(provider, server), CONVERSATION)

    @pytest.mark.parametrize("pieces", [[], ["The moon "]])
    def test_silence_is_not_waited_for_longer_than_set(self, provider: str, pieces: list[str]) -> None:
        with ModelServer(Say(pieces, hang=True)) as server:
            with pytest.raises(ModelUnavailable, match=r"sent nothing for 0\.2 seconds"):
                complete(load(provider, server, llm_timeout=0.2), CONVERSATION)
            assert len(server.requests) == 1

    def test_an_empty_reply_is_told(self, provider: str) -> None:
        with ModelServer(Say([])) as server, pytest.raises(ModelReplyError, match="gave an empty reply"):
            complete(load(provider, server), CONVERSATION)

    def test_a_refusal_is_told(self, provider: str) -> None:
        with (
            ModelServer(Say([], finish="refusal")) as server,
            pytest.raises(ModelReplyError, match=r"declined to answer|gave an empty reply"),
        ):
            complete(load(provider, server), CONVERSATION)

    def test_a_reply_cut_at_its_limit_is_marked(self, provider: str) -> None:
        with ModelServer(Say(["The moon pulls the"], finish="length")) as server:
            reply = load(provider, server).stream(CONVERSATION)
            assert ("".join(reply), reply.finish) == ("The moon pulls the", "length")

    def test_thinking_that_uses_up_all_tokens_is_told(self, provider: str) -> None:
        with (
            ModelServer(Say(["<think>\nHm, "], finish="length")) as server,
            pytest.raises(ModelReplyError, match="raise COMMENTARIAT_LLM_ANSWER_TOKENS"),
        ):
            complete(load(provider, server), CONVERSATION)

    def test_closing_a_reply_hangs_up(self, provider: str) -> None:
        with ModelServer(Say(["The moon "], hang=True)) as server:
            reply = load(provider, server).stream(CONVERSATION)
            next(reply)
            assert not server.hung_up.is_set()
            reply.close()
            assert server.hung_up.wait(5)

    def test_a_server_that_is_down_is_told(self, provider: str) -> None:
        with ModelServer(Say([])) as server:
            model = load(provider, server)
        with pytest.raises(ModelUnavailable, match="does not answer"):
            complete(model, CONVERSATION)


@pytest.mark.slow
class TestSingleProviders:
    def test_openai_quota_is_not_asked_again(self) -> None:
        with ModelServer(Fail(429, "You exceeded your current quota", "insufficient_quota")) as server:
            with pytest.raises(ModelRefused, match="quota of the key is used up"):
                complete(load("openai", server), CONVERSATION)
            assert len(server.requests) == 1

    def test_google_reports_a_wrong_key_as_a_bad_request(self) -> None:
        with (
            ModelServer(Fail(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT")) as server,
            pytest.raises(ModelRefused, match="refused the key in GOOGLE_API_KEY"),
        ):
            complete(load("google", server), CONVERSATION)

    def test_a_server_that_asks_for_minutes_is_not_waited_for(self) -> None:
        with ModelServer(Fail(429, "slow down", headers={"retry-after": "120"})) as server:
            with pytest.raises(ModelUnavailable, match="wait 120 seconds"):
                complete(load("openai", server), CONVERSATION)
            assert len(server.requests) == 1

    def test_a_server_may_tell_the_time_of_day_until_which_to_wait(self) -> None:
        headers = {"retry-after": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}
        with ModelServer(Fail(429, "slow down", headers=headers)) as server:
            with pytest.raises(ModelUnavailable, match=r"wait 3,\d00 seconds|wait 3,5\d\d seconds"):
                complete(load("openai", server), CONVERSATION)
            assert len(server.requests) == 1

    @pytest.mark.parametrize(
        ("status", "kind", "said"),
        [
            (302, ModelRefused, "sends on to another address"),
            (413, PromptTooLong, "COMMENTARIAT_LLM_CONTEXT_TOKENS"),
        ],
    )
    def test_other_refusals_say_what_to_do(self, status: int, kind: type, said: str) -> None:
        with ModelServer(Fail(status)) as server, pytest.raises(kind, match=said):
            complete(load("openai", server), CONVERSATION)

    def test_an_address_of_something_else_is_told_as_such(self) -> None:
        with ModelServer(Fail(200)) as server, pytest.raises(ModelReplyError, match="COMMENTARIAT_LLM_BASE_URL name"):
            complete(load("openai", server), CONVERSATION)

    def test_ollama_gets_the_window_that_model_and_settings_allow(self) -> None:
        """Ollama would cut the prompt silently."""
        with ModelServer(Say(["Yes."]), window=2048) as server:
            model = load("ollama", server)
            complete(model, CONVERSATION)
            options = server.requests[0].body["options"]
        assert (model.context_tokens, options["num_ctx"], options["num_predict"]) == (2048, 2048, 1024)

    def test_a_compatible_server_may_refuse_to_count_tokens(self) -> None:
        with ModelServer(Fail(422, "stream_options: extra fields not permitted"), Say(["Yes."])) as server:
            reply = load("openai", server).stream(CONVERSATION)
            assert ("".join(reply), reply.usage) == ("Yes.", None)

    def test_a_compatible_server_may_want_the_newer_name_of_the_limit(self) -> None:
        refusal = Fail(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        with ModelServer(refusal, Say(["Yes."])) as server:
            assert complete(load("openai", server), CONVERSATION) == "Yes."
            limits = [[name for name in request.body if name.startswith("max_")] for request in server.requests]
        assert limits == [["max_tokens"], ["max_completion_tokens"]]

    def test_a_compatible_server_needs_no_key(self) -> None:
        with ModelServer(Say(["Yes."])) as server:
            assert complete(load("openai", server, openai_api_key=None), CONVERSATION) == "Yes."

    def test_a_proxy_in_the_environment_is_not_used_for_loopback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with ModelServer(Say(["Yes."])) as server:
            assert complete(load("openai", server), CONVERSATION) == "Yes."
            assert complete(load("ollama", server), CONVERSATION) == "Yes."

    def test_models_known_to_think_get_room_for_it(self) -> None:
        with ModelServer(Say(["Yes."])) as server:
            complete(load("anthropic", server, llm="anthropic:claude-haiku-5-5"), CONVERSATION)
            assert server.requests[0].body["max_tokens"] == 1024 + THINKING_TOKENS


class TestChoosing:
    @pytest.fixture
    def no_ollama(self) -> dict[str, str]:
        """Nothing listens on port 9 of loopback."""
        return {"llm": "auto", "ollama_url": "http://127.0.0.1:9"}

    def test_nothing_configured_means_evidence(self, no_ollama: dict[str, str]) -> None:
        settings = Settings(**no_ollama)
        assert load_chat_model(settings) is None
        assert choose(settings) == Choice("evidence")

    def test_keys_are_taken_in_order(self, no_ollama: dict[str, str]) -> None:
        keys = {"openai_api_key": "a", "anthropic_api_key": "b", "google_api_key": "c"}
        described = []
        while keys:
            described.append(choose(Settings(**no_ollama, **keys)).provider)
            keys.pop(next(iter(keys)))
        assert described == ["openai", "anthropic", "google"]

    def test_a_local_ollama_is_found_and_its_embedding_models_passed_over(self) -> None:
        with ModelServer(models=["nomic-embed-text:latest", "llama3.2:3b"]) as server:
            settings = Settings(llm="auto", ollama_url=server.url)
            assert choose(settings).name == "ollama:llama3.2:3b"

    def test_an_ollama_elsewhere_is_not_probed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choice, "get_json", lambda *_, **__: pytest.fail("something was contacted"))
        assert choose(Settings(llm="auto", ollama_url="http://models.example:11434")).name == "evidence"

    def test_a_key_without_its_package_is_passed_over_and_told(
        self, no_ollama: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(choice, "find_spec", lambda name: None)
        settings = Settings(**no_ollama, anthropic_api_key="b")
        assert choose(settings).name == "evidence"
        assert missing(settings) == (
            'ANTHROPIC_API_KEY is set, but using it takes pip install "commentariat[anthropic]".'
        )
        assert missing(Settings(llm="evidence", anthropic_api_key="b")) == missing(Settings(**no_ollama)) == ""

    def test_a_url_alone_is_asked_for_its_model(self, no_ollama: dict[str, str]) -> None:
        with ModelServer(models=["qwen3"]) as server:
            settings = Settings(**no_ollama, llm_base_url=f"{server.url}/v1")
            assert choose(settings).name == "openai:qwen3"
        with pytest.raises(ModelUnavailable, match="COMMENTARIAT_LLM=openai:<model>"):
            choose(settings)

    def test_the_key_stays_with_the_server_it_was_given_for(self, no_ollama: dict[str, str]) -> None:
        with ModelServer() as other, ModelServer(moved_to=other.url) as server:
            settings = Settings(**no_ollama, llm_base_url=f"{server.url}/v1", openai_api_key=SECRET)
            assert choose(settings).name == "openai:scripted"
        assert [request.headers["authorization"] for request in server.asked] == [f"Bearer {SECRET}"]
        assert ["authorization" in request.headers for request in other.asked] == [False]

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1", "http://127.0.0.1:99999", "nonsense"])
    def test_a_url_where_nobody_is_serves_nothing(self, url: str) -> None:
        assert choice.get_json(url, 0.5) is None

    @pytest.mark.parametrize(
        ("llm", "package", "extra"),
        [
            ("anthropic:m", "langchain_anthropic", "anthropic"),
            ("google:m", "langchain_google_genai", "google"),
            ("ollama:m", "langchain_ollama", "ollama"),
            ("llamacpp:/m.gguf", "xllamacpp", "local"),
        ],
    )
    def test_a_missing_package_is_told_with_its_extra(
        self, llm: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(choice, "find_spec", lambda name: None if name == package else object())
        with pytest.raises(ModelMissing, match=rf'pip install "commentariat\[{extra}\]"'):
            load_chat_model(Settings(llm=llm))

    def test_a_missing_key_is_told(self) -> None:
        with pytest.raises(ModelRefused, match="anthropic:m needs a key: set ANTHROPIC_API_KEY"):
            load_chat_model(Settings(llm="anthropic:m"))

    @pytest.mark.parametrize("llm", ["gpt-5", "openai", "openai:", "mistral:large", ""])
    def test_an_unreadable_setting_is_told(self, llm: str) -> None:
        with pytest.raises(SettingsError, match="it can be auto, evidence, openai:<model>"):
            choose(Settings(llm=llm))

    @pytest.mark.parametrize(
        ("url", "local"),
        [
            ("http://localhost:11434", True),
            ("http://127.0.0.53", True),
            ("http://[::1]:11434", True),
            ("http://0.0.0.0:11434", False),
            ("http://localhost.example", False),
            ("http://10.0.0.1", False),
        ],
    )
    def test_loopback_is_told_from_elsewhere(self, url: str, local: bool) -> None:
        assert choice.is_loopback(url) is local


class TestThoughtFilter:
    CASES: ClassVar = [
        ("The moon.", "The moon.", 0),
        ("<think>Hm.</think>The moon.", "The moon.", 0),
        ("\n<THINKING>\nHm.\n\n</THINKING>\n\nThe moon.", "\nThe moon.", 0),
        ("Hm. So:\n</think>\n\nThe moon.", "The moon.", 1),
        ("One.\n<think>Hm.</think>\nTwo.", "One.\nTwo.", 0),
        ("<think>Hm.", "", 0),
        ("The tag <think> is a word here.", "The tag <think> is a word here.", 0),
        ("a < b\n<b\n<", "a < b\n<b\n<", 0),
        ("", "", 0),
    ]

    @pytest.mark.parametrize(("reply", "answer", "restarts"), CASES)
    def test_result_does_not_depend_on_how_the_reply_was_cut(self, reply: str, answer: str, restarts: int) -> None:
        for size in (1, 2, 3, 5, 8, 1000):
            thoughts, shown, seen = ThoughtFilter(), "", 0
            for start in range(0, len(reply), size):
                text = thoughts.feed(reply[start : start + size])
                shown, seen = (text, thoughts.restarts) if thoughts.restarts > seen else (shown + text, seen)
            assert (shown + thoughts.flush(), seen) == (answer, restarts)

    def test_nothing_but_a_possible_tag_is_held_back(self) -> None:
        thoughts = ThoughtFilter()
        assert [thoughts.feed(piece) for piece in ("The", " moon <", "3\n<", "b")] == ["The", " moon <", "3\n", "<b"]


class TestScripted:
    """Any langchain model goes through the same door."""

    @staticmethod
    def scripted(replies: Iterable[object]) -> LangChainModel:
        from langchain_core.language_models import GenericFakeChatModel

        return LangChainModel("scripted", GenericFakeChatModel(messages=iter(replies)))

    def test_its_words_arrive_one_by_one(self) -> None:
        reply = self.scripted(["The moon pulls."]).stream(CONVERSATION)
        assert list(reply) == ["The", " ", "moon", " ", "pulls."]

    def test_thinking_that_was_passed_on_is_forgotten(self) -> None:
        model = self.scripted(["Let me think. \n</think>\n\nThe moon."])
        assert complete(model, CONVERSATION) == "The moon."

    def test_an_exception_of_any_kind_is_ours(self) -> None:
        def broken() -> Iterator[str]:
            raise KeyError("choices")
            yield ""

        model = self.scripted(broken())
        with pytest.raises(ModelReplyError, match="scripted replied with something that cannot be read: KeyError"):
            complete(model, CONVERSATION)

    def test_nothing_is_traced_unless_the_user_asked(self) -> None:
        from langsmith.utils import tracing_is_enabled

        assert not [name for name in os.environ if name.startswith(("LANGSMITH", "LANGCHAIN"))]
        assert not tracing_is_enabled()


@pytest.mark.slow
class TestLocalModel:
    """A real small model in llama.cpp."""

    def test_a_gguf_file_answers_in_this_process(self, small_model: Path) -> None:
        settings = Settings(llm=f"llamacpp:{small_model}", llm_answer_tokens=64, llm_context_tokens=2048)
        model = load_chat_model(settings)
        assert (model.name, model.context_tokens) == (f"llamacpp:{small_model.name}", 2048)
        reply = model.stream([Message("user", "Say hello.")])
        text = "".join(reply)
        assert text.strip()
        assert reply.usage.answer > 0
        assert reply.finish in ("complete", "length")

    def test_its_server_is_asked_by_url_like_any_other(self, small_model: Path) -> None:
        server = LocalServer(small_model, 2048)
        settings = Settings(
            llm=f"openai:{small_model.name}",
            llm_base_url=f"{server.url}/v1",
            openai_api_key=server.key,
            llm_answer_tokens=64,
        )
        assert complete(load_chat_model(settings), [Message("user", "Say hello.")]).strip()
        with pytest.raises(ModelRefused, match="refused the key in OPENAI_API_KEY"):
            complete(load_chat_model(settings.model_copy(update={"openai_api_key": None})), CONVERSATION)

    def test_its_window_is_no_larger_than_it_was_trained_with(self, small_model: Path) -> None:
        assert LocalServer(small_model, 16_384).context_tokens == 8192

    def test_a_prompt_beyond_its_window_is_told(self, small_model: Path) -> None:
        model = load_chat_model(Settings(llm=f"llamacpp:{small_model}", llm_answer_tokens=64, llm_context_tokens=1024))
        with pytest.raises(PromptTooLong):
            complete(model, [Message("user", "tide " * 3000)])

    def test_closing_a_reply_frees_the_model_for_the_next(self, small_model: Path) -> None:
        model = load_chat_model(
            Settings(llm=f"llamacpp:{small_model}", llm_answer_tokens=1024, llm_context_tokens=2048)
        )
        reply = model.stream([Message("user", "Count to one thousand in words.")])
        next(reply)
        reply.close()
        assert complete(model, [Message("user", "Say yes.")]).strip()

    def test_a_server_is_shared_and_stops_with_its_last_user(self, small_model: Path) -> None:
        settings = Settings(llm=f"llamacpp:{small_model}", llm_context_tokens=1024)
        first, second = load_chat_model(settings), load_chat_model(settings)
        assert first._server is second._server
        url = first._server.url
        del first
        gc.collect()
        assert choice.get_json(f"{url}/health", 5.0) == {"status": "ok"}
        del second
        gc.collect()
        assert choice.get_json(f"{url}/health", 5.0) is None

    def test_a_file_that_is_no_model_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")
        with pytest.raises(ModelMissing, match=r"cannot load .*broken\.gguf"):
            load_chat_model(Settings(llm=f"llamacpp:{tmp_path}/broken.gguf"))


def test_a_missing_file_is_told() -> None:
    with pytest.raises(ModelMissing, match=r"There is no model file /nowhere/m\.gguf"):
        load_chat_model(Settings(llm="llamacpp:/nowhere/m.gguf"))
