import hashlib
import tempfile
from pathlib import Path

import pytest
import tiktoken

from rag.chat import tokens
from rag.chat.tokens import BY_BYTES_NOTE, TokenCounter, answer_tokens, cached_encoding, estimate, load_counter


@pytest.fixture
def byte_encoding():
    """A real encoding whose tokens are the 256 bytes: no download."""
    return tiktoken.Encoding(
        "bytes",
        pat_str=r"[\s\S]",
        mergeable_ranks={bytes([b]): b for b in range(256)},
        special_tokens={"<|endoftext|>": 256},
    )


def test_counts_by_the_encoding_it_is_given(byte_encoding):
    assert TokenCounter(byte_encoding).count("tide") == 4
    assert TokenCounter(byte_encoding).count("marée") == 6
    assert TokenCounter(byte_encoding).note is None


def test_a_special_token_spelt_out_in_a_comment_is_plain_text(byte_encoding):
    """tiktoken refuses such a text unless told otherwise."""
    assert TokenCounter(byte_encoding).count("<|endoftext|>") == 13


def test_other_vocabularies_are_counted_with_a_margin(byte_encoding):
    assert load_counter("openai:gpt-5", lambda: byte_encoding).count("tide") == 4
    assert load_counter("ollama:llama3", lambda: byte_encoding).count("tide") == 5


def test_without_ranks_texts_are_estimated_and_a_note_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    counter = load_counter("openai:gpt-5")
    assert counter.encoding is None
    assert counter.note == BY_BYTES_NOTE
    assert counter.count("The tide turns twice a day.") == estimate("The tide turns twice a day.")
    assert list(tmp_path.iterdir()) == []


def test_damaged_ranks_are_neither_used_nor_deleted_nor_fetched_again(tmp_path, monkeypatch):
    damaged = tmp_path / hashlib.sha1(tokens._RANKS_URL.encode()).hexdigest()
    damaged.write_bytes(b"half a file")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert cached_encoding() is None
    assert damaged.read_bytes() == b"half a file"


def test_an_empty_cache_variable_means_no_cache(monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert cached_encoding() is None


def test_ranks_are_sought_where_tiktoken_keeps_them(monkeypatch):
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.delenv("DATA_GYM_CACHE_DIR", raising=False)
    assert tokens._cache_folder() == Path(tempfile.gettempdir()) / "data-gym-cache"


def test_the_url_and_hash_are_tiktokens_own():
    """They decide which cached file is trusted, so a new tiktoken with other ranks must be noticed."""
    import inspect

    import tiktoken_ext.openai_public as public

    source = inspect.getsource(public.o200k_base)
    assert tokens._RANKS_URL in source
    assert tokens._RANKS_SHA256 in source


@pytest.mark.parametrize(
    ("text", "true_count"),
    # Counted by SmolLM2's tokenizer (49,152 entries).
    [
        ("今天天气很好，我们去公园散步吧。你觉得怎么样？", 45),
        ("Сегодня хорошая погода, пойдём гулять в парк.", 38),
        ("def f(x):\n    return [i**2 for i in range(x) if i%2==0]", 25),
        ("∀x∈ℝ: ‖Ax‖² ≤ λ‖x‖²", 23),
        ("नमस्ते दुनिया, आप कैसे हैं?", 29),
        ("https://www.example.org/posts/a8GfR2kQzw/x?commentId=Qz8dKe", 31),
        ("[k7f3a9c] [q2m7xz]", 17),
        ("الطقس جميل اليوم", 14),
        ("👍🏽🎉🔥😀", 15),
    ],
)
def test_the_estimate_is_not_below_the_true_count(text, true_count):
    assert estimate(text) >= true_count


def test_the_estimate_of_nothing_is_nothing():
    assert estimate("") == 0


def test_an_answer_never_takes_more_than_half_of_the_window():
    assert answer_tokens(8192, 1024) == 1024
    assert answer_tokens(1024, 1024) == 512
