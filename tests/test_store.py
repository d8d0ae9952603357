"""The index on disk: what it refuses, what filters let through, what the rows of a passage are."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ingest
import rag
from rag.errors import QuestionError, SourceError, StoreMismatch, StoreMissing, StoreUnavailable
from rag.index.database import FORMAT
from rag.index.store import Store
from rag.models.embedding import Embedder
from rag.records import Filters
from rag.settings import Settings

from indexing import IndexOf, ingest_rows  # isort: skip

ROWS = [
    {
        "id": "t1",
        "author": "Ada_Byron",
        "text": "The tide turns at noon near the moon.",
        "posted_at": "2021-03-01T10:00:00Z",
    },
    {"id": "t2", "author": "bo", "text": "My bread rises in a cold oven.", "posted_at": "2022-06-30T23:30:00Z"},
    {"id": "t3", "author": "bo", "text": "Tides are late when the barometer is high."},
]


@pytest.fixture(scope="module")
def index(index_of: IndexOf) -> Settings:
    """Settings of an index of the rows; for reading only."""
    return index_of(ROWS)


@pytest.fixture(scope="module")
def read(index: Settings) -> Store:
    return Store.open(index)


@pytest.fixture
def store(settings: Settings, tmp_path: Path) -> Store:
    """An index of the rows that a test may change."""
    ingest_rows(tmp_path, ROWS, settings)
    return Store.open(settings)


def test_opening_what_is_not_there_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(StoreMissing, match=r"No comments are indexed in .*store\. Run `python -m ingest PATH` first"):
        Store.open(settings)


def test_folder_without_a_finished_ingest_counts_as_missing(settings: Settings) -> None:
    settings.store.mkdir()
    Store(settings.store)
    with pytest.raises(StoreMissing, match="No comments are indexed"):
        Store.open(settings)


def test_while_the_first_ingest_runs_that_is_said(settings: Settings, embedder: Embedder) -> None:
    settings.store.mkdir()
    with Store(settings.store).writing(embedder), pytest.raises(StoreMissing, match="still running. Ask again"):
        Store.open(settings)


@pytest.mark.parametrize(("word", "plain"), [("tide", True), ("oven", False), ("barometer", True), ("ada", False)])
def test_a_word_behind_an_article_is_no_name(read: Store, word: str, plain: bool) -> None:
    assert [read.uses_plainly(word) for _ in range(2)] == [plain] * 2
    assert [read.writes_small(word) for _ in range(2)] == [word != "ada"] * 2


def test_what_was_read_before_changes_no_score(index: Settings, embedder: Embedder) -> None:
    """The rows are multiplied in one order, whichever of them are remembered."""
    question, everybody = embedder.embed_query("When do tides turn?"), Filters(authors=("Ada_Byron", "bo"))
    for remembered in ("bo", "Ada_Byron"):
        fresh, warm = Store.open(index), Store.open(index)
        warm.dense(question, 5, Filters(authors=(remembered,)))
        assert warm.dense(question, 5, everybody) == fresh.dense(question, 5, everybody)
        ids = dict(warm._matching(everybody).values())
        assert list(warm._vectors.rows(warm._collection(), ids)) == list(ids)


def test_damaged_database_is_named(store: Store, settings: Settings) -> None:
    store.corpus.close()
    for leftover in settings.store.glob("index.sqlite3-*"):
        leftover.unlink()
    (settings.store / "index.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreUnavailable, match="damaged.*ingest again"):
        Store.open(settings)


def test_index_of_a_newer_version_is_refused(store: Store, settings: Settings) -> None:
    store.corpus.set_meta(format=FORMAT + 1)
    with pytest.raises(StoreMismatch, match=f"format {FORMAT + 1}, this one reads {FORMAT}"):
        Store.open(settings)


def test_an_index_says_in_which_format_it_was_written(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        for module in ("database", "writer"):
            later.setattr(f"rag.index.{module}.FORMAT", FORMAT + 1)
        ingest_rows(tmp_path, ROWS[:1], settings)
    with pytest.raises(StoreMismatch, match=f"format {FORMAT + 1}, this one reads {FORMAT}"):
        Store.open(settings)


def test_a_full_disk_is_told_as_such_and_changes_nothing(store: Store) -> None:
    connection = store.corpus.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="disk is full"), store.corpus.transaction():
        store.corpus.set_meta(**{f"n{n}": "x" * 1000 for n in range(100)})
    assert store.corpus.meta("n0") is None
    with store.corpus.transaction():
        store.corpus.set_meta(n0="fits")


def test_a_commit_that_fails_leaves_no_transaction_open(store: Store) -> None:
    connection = store.corpus.connection
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE pairs (id PRIMARY KEY, other REFERENCES pairs DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(StoreUnavailable, match="FOREIGN KEY"), store.corpus.transaction():
        connection.execute("INSERT INTO pairs VALUES (1, 2)")
    assert not connection.in_transaction


def test_missing_word_index_is_named(store: Store, settings: Settings) -> None:
    for file in (settings.store / "lexical" / "1").iterdir():
        file.unlink()
    with pytest.raises(StoreUnavailable, match="word index.*--rebuild"):
        Store.open(settings).lexical("tide", 3)


@pytest.mark.parametrize("left", [b"", b"garbage", b"{}"])
def test_damaged_word_index_is_named(left: bytes, store: Store, settings: Settings) -> None:
    for file in (settings.store / "lexical" / "1").iterdir():
        file.write_bytes(left)
    with pytest.raises(StoreUnavailable, match="word index.*--rebuild"):
        Store.open(settings).lexical("tide", 3)


def test_vectors_that_are_gone_are_named(index: Settings, tmp_path: Path, embedder: Embedder) -> None:
    """As where a Chroma server has started anew without its files: words alone would find less, without a word about it."""
    elsewhere = index.model_copy(update={"store": tmp_path / "other"})
    shutil.copytree(index.store, elsewhere.store, ignore=shutil.ignore_patterns("chroma", "rows.sqlite3*"))
    for filters in (None, Filters(authors="bo")):
        with pytest.raises(StoreUnavailable, match=r"no longer in .*chroma\. Rebuild them with .*--rebuild"):
            Store.open(elsewhere).dense(embedder.embed_query("tide"), 3, filters)
    ingest.ingest(settings=elsewhere, rebuild=True)
    assert Store.open(elsewhere).dense(embedder.embed_query("tide"), 3)


def test_info_says_what_is_indexed(read: Store) -> None:
    info = read.info()
    assert (info.comments, info.passages, info.authors, info.sources) == (
        3,
        3,
        (("bo", 2), ("Ada_Byron", 1)),
        (("rows.jsonl", 3),),
    )
    assert (info.since, info.until) == (
        datetime(2021, 3, 1, 10, tzinfo=UTC),
        datetime(2022, 6, 30, 23, 30, tzinfo=UTC),
    )


def test_unknown_source_is_refused(index: Settings) -> None:
    for source in ("nope.txt", "cut \ud83d"):
        with pytest.raises(SourceError, match=f'No source "{source}"'):
            rag.source_text(source, settings=index)


FILTERS = {
    "author": (Filters(authors=("bo",)), {"t2", "t3"}),
    "author in another case, with a space": (Filters(authors="ADA byron"), {"t1"}),
    "two authors": (Filters(authors=("bo", "Ada_Byron")), {"t1", "t2", "t3"}),
    "since, inclusive": (Filters(since="2022-06-30"), {"t2"}),
    "since a year of three digits": (Filters(since="0500-01-01"), {"t1", "t2"}),
    "until the end of a day": (Filters(until="2022-06-30"), {"t1", "t2"}),
    "until before": (Filters(until="2022-06-29"), {"t1"}),
    "file": (Filters(sources="rows.jsonl"), {"t1", "t2", "t3"}),
    "row": (Filters(sources="rows.jsonl#t3"), {"t3"}),
    "author nobody has": (Filters(authors="nobody"), set()),
    "author with other accents": (Filters(authors=("Áda Bÿron", "nobody")), {"t1"}),
    "day without hyphens": (Filters(until="20220630"), {"t1", "t2"}),
    "everything at once": (Filters(authors="bo", since="2022-01-01", until="2023-01-01", sources="rows.jsonl"), {"t2"}),
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"since": "nonsense"}, 'since "nonsense" is no day of the calendar'),
        ({"until": "2021"}, r'until "2021" is no day .* Dates are written like 2024-05-31'),
        ({"since": 2021}, "since 2021 is no day"),
        ({"since": "0001-01-01T00:30:00+01:00"}, "is no day of the calendar"),
        ({"authors": (None,)}, "authors holds None, which is no name"),
        ({"authors": 5}, "authors holds 5"),
        ({"sources": ["a", " "]}, "sources holds ' '"),
        ({"authors": "cut \ud83d"}, "authors holds 'cut"),
    ],
)
def test_filters_that_are_no_dates_and_names_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        Filters(**wrong)


@pytest.mark.parametrize(("filters", "expected"), FILTERS.values(), ids=FILTERS)
def test_filters_hold_in_both_searches_and_in_lists(
    filters: Filters, expected: set[str], read: Store, embedder: Embedder, index: Settings
) -> None:
    assert {c.id for c in rag.comments(filters, settings=index)} == expected
    for found in (
        read.dense(embedder.embed_query("tide and bread"), 10, filters),
        read.lexical("tide bread moon oven barometer", 10, filters),
    ):
        assert {p.comment_id for p in read.passages([id for id, _ in found]).values()} == expected
    coverage = read.coverage(filters)
    assert coverage.comments == len(expected)


def test_dense_scores_are_cosines_of_the_best_row(index_of: IndexOf, embedder: Embedder) -> None:
    text = "My bread rises in a cold oven. The moon pulls the sea twice a day. Wet rope is hard to untie."
    store = Store.open(index_of([{"id": "x", "text": text}]))
    question = embedder.embed_query("What causes tides?")
    ((passage, score),) = store.dense(question, 5)
    rows = store.vectors([passage])[passage]
    assert len(rows) > 3
    np.testing.assert_allclose(score, (rows @ question).max(), atol=1e-4)
    assert score > float(rows[0] @ question)
    np.testing.assert_allclose(rows[0], embedder.embed_texts([text])[0], atol=1e-3)


def rows_of(store: Store) -> dict[str, np.ndarray]:
    return store.vectors([row[0] for row in store.corpus.connection.execute("SELECT id FROM passages")])


def test_words_are_found_with_and_without_accents(index_of: IndexOf) -> None:
    """Writers leave them out, keyboards lack them, and some put them into a character of their own."""
    texts = {"a": "Lob's theorem needs only three conditions.", "b": "L\u00f6b proved it.", "c": "Lo\u0308b wrote in 1955.",
             "d": "\u0141ukasiewicz had three values.", "e": "Das ist Unfug.", "f": "\u0388\u03bb\u03bb\u03b7\u03bd\u03b5\u03c2."}  # fmt: skip
    store = Store.open(index_of({"id": id, "text": text} for id, text in texts.items()))

    def found(words: str) -> set[str]:
        hits = store.lexical(words, 10)
        return {passage.text for passage in store.passages([id for id, _ in hits]).values()}

    for written in ("l\u00f6b", "LOB", "Lo\u0308b's"):
        assert found(written) == {texts["a"], texts["b"], texts["c"]}
    assert found("lukasiewicz") == {texts["d"]}
    assert found("\u03b5\u03bb\u03bb\u03b7\u03bd\u03b5\u03c2") == set()  # an accent in Greek is not left out


@pytest.mark.parametrize("left", [None, b"", b"not a database" * 100])
def test_without_a_usable_copy_of_the_vectors_everything_is_as_with_it(
    read: Store, index: Settings, tmp_path: Path, left: bytes | None
) -> None:
    with_copy, found = rows_of(read), rag.search("when do tides turn?", settings=index)
    without = index.model_copy(update={"store": tmp_path / "other"})
    shutil.copytree(index.store, without.store, ignore=shutil.ignore_patterns("rows.sqlite3*"))
    if left is not None:
        (without.store / "rows.sqlite3").write_bytes(left)
    opened = Store.open(without)
    from_chroma = rows_of(opened)
    assert from_chroma.keys() == with_copy.keys()
    assert all(np.allclose(from_chroma[id], with_copy[id], atol=1e-6) for id in with_copy)
    again = rag.search("when do tides turn?", settings=without)
    assert [(hit.id, hit.text) for hit in again] == [(hit.id, hit.text) for hit in found]
    assert ingest_rows(tmp_path, ROWS[:1], without).errors == ()


def test_the_copy_of_the_vectors_holds_those_in_use(store: Store, settings: Settings, tmp_path: Path) -> None:
    def copied() -> set[str]:
        with sqlite3.connect(settings.store / "rows.sqlite3") as connection:
            return {row[0] for row in connection.execute("SELECT id FROM vectors")}

    def used() -> set[str]:
        return {row[0] for row in store.corpus.connection.execute("SELECT vector_id FROM passages")}

    assert copied() == used()
    before = copied()
    ingest_rows(tmp_path, [ROWS[0] | {"text": "The tide turns at one."}], settings)
    assert copied() == used()
    assert not copied() & before
    ingest_rows(tmp_path, ROWS, settings, rebuild=True)
    assert copied() == used()


def test_equal_words_of_two_people_share_vectors_and_are_both_found(
    settings: Settings, tmp_path: Path, embedder: Embedder
) -> None:
    rows = [{"id": n, "author": n, "text": "I would not trust that tide table."} for n in ("ada", "bo")]
    assert ingest_rows(tmp_path, rows, settings).counts["embedded"] == 1
    store = Store.open(settings)
    found = store.passages([id for id, _ in store.dense(embedder.embed_query("tide table"), 5)])
    assert {passage.author for passage in found.values()} == {"ada", "bo"}


def test_who_holds_a_generation_that_is_over_does_not_bring_it_back(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    with store.one_generation():
        assert store.lexical("tide", 3)
        ingest_rows(tmp_path, ROWS[:1], settings)
        other = threading.Thread(target=store.lexical, args=("tide", 3))
        other.start()
        other.join()
        followed = store._lexical
        assert len(followed) == 1
        assert store.lexical("tide", 3)
        assert store._lexical is followed


def test_what_cannot_be_cleaned_up_is_left_for_the_next_ingest(
    store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise StoreUnavailable("The server went away.")

    with monkeypatch.context() as broken:
        broken.setattr("rag.index.vectors.Vectors.delete", fails)
        assert ingest_rows(tmp_path, ROWS[:1], settings).switched
    assert "deleted by the next ingest: The server went away." in caplog.text
    assert {comment.id for comment in store.comments()} == {"t1"}
    ingest_rows(tmp_path, ROWS[1:2], settings)
    used = {row[0] for row in store.corpus.connection.execute("SELECT vector_id FROM passages")}
    assert store._vectors.unused(store._collection(), used) == []


def test_chroma_server_that_is_down_is_named(index: Settings, model_cache: Path, embedder: Embedder) -> None:
    elsewhere = Settings(store=index.store, chroma_url="http://127.0.0.1:9", cache=model_cache)
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:9.*Check that the Chroma server runs"):
        Store.open(elsewhere).dense(embedder.embed_query("tide"), 3)


@pytest.mark.slow
def test_vectors_can_live_on_a_chroma_server(settings: Settings, tmp_path: Path, model_cache: Path) -> None:
    import socket
    import subprocess
    import sys
    import time
    import urllib.request

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    chroma = Path(sys.executable).with_name("chroma")
    command = [chroma, "run", "--path", tmp_path / "server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/heartbeat", timeout=1).read()
                break
            except OSError:
                time.sleep(0.05)
        remote = Settings(store=settings.store, chroma_url=f"http://127.0.0.1:{port}", cache=model_cache)
        ingest_rows(tmp_path, ROWS, remote)
        assert rag.search("Why does bread rise?", settings=remote)[0].comment_id == "t2"
        assert not (settings.store / "chroma").exists()
    finally:
        server.terminate()
        server.wait(10)
