"""Ingest end to end, on a real index: incremental, atomic, resumable."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

import rag
from ingest import IngestReport, Progress, forget, ingest
from ingest.sources import files, read_file
from rag.errors import SourceError, StoreMismatch, StoreMissing, StoreUnavailable
from rag.index.store import Store
from rag.models.embedding import Embedder
from rag.records import UNSURE_BORDER
from rag.settings import Settings

from conftest import ROOT  # isort: skip

TIDES = "Spring tides follow the new and the full moon by about a day and a half at most harbours."
BREAD = "A cold oven start costs me ten minutes and gains a better rise, at least with wet rye dough."
KNOTS = "The bowline is easy to untie after a load, which the figure eight is not when it is wet."


def write(path: Path, *rows: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(id: str, text: str, author: str = "Ada", **more: object) -> dict:
    return {"id": id, "author": author, "text": text, **more}


def counts(report: IngestReport, *names: str) -> tuple[int, ...]:
    return tuple(report.counts[name] for name in names)


def state(settings: Settings) -> tuple[list[rag.Comment], list[str], list[tuple[str, float]]]:
    """Everything a reader could see."""
    store = Store.open(settings)
    hits = [(hit.id, round(hit.score, 6)) for hit in rag.search("tides and the moon", settings=settings)]
    return list(rag.comments(settings=settings)), sorted(store.corpus.vectors_of([id for id, _ in hits])), hits


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "in" / "thread.jsonl", row("a1", TIDES), row("a2", BREAD, "Bo", parent_id="a1", karma=7))
    return tmp_path / "in"


@pytest.mark.slow
def test_rows_become_comments_with_all_that_is_known(folder: Path, settings: Settings) -> None:
    report = ingest(folder, settings=settings)
    assert counts(report, "comments", "added", "embedded", "files") == (2, 2, 2, 1)
    assert [(c.id, c.author, c.text, c.parent_id, c.karma) for c in rag.comments(settings=settings)] == [
        ("a1", "Ada", TIDES, None, None),
        ("a2", "Bo", BREAD, "a1", 7.0),
    ]
    first = next(rag.comments(settings=settings)).sightings[0]
    assert (first.source, first.start, first.end) == ("thread.jsonl#a1", 0, len(TIDES))
    assert rag.source_text("thread.jsonl#a1", settings=settings) == TIDES


def test_ingesting_twice_changes_nothing(folder: Path, settings: Settings) -> None:
    ingest(folder, settings=settings)
    before = state(settings)
    report = ingest(folder, settings=settings)
    assert (report.switched, counts(report, "added", "changed", "embedded", "unchanged")) == (False, (0, 0, 0, 2))
    assert state(settings) == before


@pytest.mark.slow
def test_one_changed_row_costs_one_embedding(folder: Path, settings: Settings) -> None:
    rows = [row(f"r{n}", f"Harbour number {n} has a tidal range of {n} decimetres at springs.") for n in range(200)]
    write(folder / "many.jsonl", *rows)
    ingest(folder, settings=settings)
    rows[77]["text"] += " It silts up."
    write(folder / "many.jsonl", *rows)
    report = ingest(folder, settings=settings)
    assert counts(report, "added", "changed", "removed", "unchanged", "embedded") == (0, 1, 0, 201, 1)


@pytest.mark.slow
def test_renamed_file_is_not_embedded_again_and_keeps_its_ids(
    folder: Path, settings: Settings, small_sample: Path
) -> None:
    shutil.copy(small_sample / "quill_ferrotype.txt", folder / "old name.txt")
    ingest(folder, settings=settings)
    before = {c.id: c.text for c in rag.comments(settings=settings)}
    (folder / "old name.txt").rename(folder / "new name.txt")
    report = ingest(folder, settings=settings)
    assert (counts(report, "embedded", "comments"), report.removed_sources) == ((0, len(before)), ("old name.txt",))
    assert {c.id: c.text for c in rag.comments(settings=settings)} == before


def documents(settings: Settings) -> dict[str, list[str]]:
    """Files that hold each document."""
    found = Store.open(settings).corpus.comments(kind="document")
    return {document.id: sorted(span.source for span in document.sightings) for document in found}


@pytest.mark.parametrize("name", ["new name.md", "a.txt", "further/down/note.md"])
def test_note_keeps_its_id_when_its_file_is_renamed(name: str, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "in" / "further" / "down").mkdir(parents=True)
    note = tmp_path / "in" / "note.md"
    note.write_text(f"# Tides\n\n{TIDES}\n", encoding="utf-8")
    (tmp_path / "in" / "other.md").write_text(KNOTS, encoding="utf-8")
    ingest(tmp_path / "in", settings=settings)
    before = documents(settings)
    note.rename(tmp_path / "in" / name)
    report = ingest(tmp_path / "in", settings=settings)
    assert (report.counts["embedded"], report.removed_sources) == (0, ("note.md",))
    assert documents(settings) == {
        id: [name if file == "note.md" else file for file in at] for id, at in before.items()
    }


def test_copies_of_a_note_are_one_unless_others_wrote_them(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, text in {
        "a.md": TIDES,
        "b.txt": f"{TIDES}\r\n",
        "c.md": TIDES,
        "d.md": TIDES.replace("?", "!") + "!",
    }.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    ingest(folder, settings=settings, author_names={"c.md": "Bo"})
    assert sorted(documents(settings).values()) == [["a.md", "b.txt"], ["c.md"], ["d.md"]]
    (folder / "a.md").unlink()
    ids = set(documents(settings))
    ingest(folder, settings=settings)
    assert sorted(documents(settings).values()) == [["b.txt"], ["c.md"], ["d.md"]]
    assert set(documents(settings)) == ids


def test_same_name_with_new_content_is_updated(folder: Path, settings: Settings) -> None:
    ingest(folder, settings=settings)
    write(folder / "thread.jsonl", row("a3", KNOTS))
    report = ingest(folder, settings=settings)
    assert counts(report, "added", "removed", "comments") == (1, 2, 1)
    assert [c.text for c in rag.comments(settings=settings)] == [KNOTS]
    assert report.removed_sources == ("thread.jsonl#a1", "thread.jsonl#a2")


@pytest.mark.parametrize("sidecar", ['{"author": "Ada"}'.encode("utf-16"), b"\xff\xfe{", None])
def test_sidecar_in_another_encoding_or_unreadable_stops_nothing(
    sidecar: bytes | None, folder: Path, settings: Settings
) -> None:
    beside = folder / "thread.jsonl.meta.json"
    if sidecar is None:
        beside.mkdir()
    else:
        beside.write_bytes(sidecar)
    assert counts(ingest(folder, settings=settings), "comments", "added") == (2, 2)
    assert counts(ingest(folder, settings=settings), "comments", "changed") == (2, 0)


def test_index_inside_the_folder_is_not_read(folder: Path) -> None:
    settings = Settings(store=folder / "kept" / "index")
    for _ in range(2):
        assert ingest(folder, settings=settings).errors == ()
    (folder / "kept" / "note.md").write_text(KNOTS, encoding="utf-8")
    report = ingest(folder, settings=settings)
    assert (report.errors, report.files_found) == ((), 2)


def test_file_gone_from_its_folder_is_removed_and_reported(folder: Path, settings: Settings) -> None:
    write(folder / "other.jsonl", row("b1", KNOTS))
    ingest(folder, settings=settings)
    (folder / "other.jsonl").unlink()
    report = ingest(folder, settings=settings)
    assert (report.removed_sources, counts(report, "removed", "comments")) == (("other.jsonl",), (1, 2))
    assert all(hit.comment_id != "b1" for hit in rag.search("untie the bowline", settings=settings))


@pytest.mark.slow
def test_how_many_borders_are_uncertain_is_reported(folder: Path, settings: Settings, small_sample: Path) -> None:
    known = ingest(folder, settings=settings)
    assert "uncertain" not in str(known)
    report = ingest(small_sample / "quill_ferrotype.txt", settings=settings)
    unsure = sum(c.border_confidence < UNSURE_BORDER for c in rag.comments(settings=settings))
    assert report.counts["unsure_borders"] == unsure > 0
    assert f"Where {unsure} of the comments start or end is uncertain" in str(report)


def test_another_folder_adds_and_does_not_remove(folder: Path, settings: Settings, tmp_path: Path) -> None:
    ingest(folder, settings=settings)
    write(tmp_path / "more" / "thread.jsonl", row("b1", KNOTS))
    report = ingest(tmp_path / "more", settings=settings)
    assert counts(report, "added", "removed", "comments") == (1, 0, 3)
    assert {c.sightings[0].source for c in rag.comments(settings=settings)} == {
        "thread.jsonl#a1",
        "thread.jsonl#a2",
        "more/thread.jsonl#b1",
    }


def test_rebuild_equals_the_first_index_and_embeds_nothing(folder: Path, settings: Settings) -> None:
    ingest(folder, settings=settings)
    before = state(settings)
    report = ingest(folder, settings=settings, rebuild=True)
    assert (report.switched, report.counts["embedded"]) == (True, 0)
    assert state(settings) == before


def test_rebuild_without_paths_reads_what_was_read_before(folder: Path, settings: Settings) -> None:
    ingest(folder, settings=settings)
    assert counts(ingest(settings=settings, rebuild=True), "comments") == (2,)


@pytest.mark.slow
def test_incremental_equals_rebuilt(small_sample: Path, tmp_path: Path, settings: Settings, model_cache: Path) -> None:
    """Snapshots that come one after the other give what they give together, ids included."""
    stepwise = tmp_path / "step"
    stepwise.mkdir()
    for name in sorted(path.name for path in small_sample.iterdir()):
        shutil.copy2(small_sample / name, stepwise / name)
        ingest(stepwise, settings=settings)
    other = Settings(store=tmp_path / "at once", cache=model_cache)
    report = ingest(small_sample, settings=other)
    assert report.counts["merged"] > 5
    assert list(rag.comments(settings=settings)) == list(rag.comments(settings=other))


def test_rebuild_that_reads_nothing_keeps_the_old_index(folder: Path, settings: Settings, tmp_path: Path) -> None:
    ingest(folder, settings=settings)
    report = ingest(tmp_path / "nowhere", settings=settings, rebuild=True)
    assert (report.switched, len(report.errors), report.counts["comments"]) == (False, 1, 2)
    assert len(list(rag.comments(settings=settings))) == 2


def test_unreadable_file_keeps_what_it_held(folder: Path, settings: Settings) -> None:
    (folder / "dump.jsonl").write_bytes(write(folder / "dump.jsonl", row("b1", KNOTS)).read_bytes())
    ingest(folder, settings=settings)
    (folder / "notes.txt").write_text(BREAD, encoding="utf-8")
    ingest(folder, settings=settings)
    (folder / "dump.jsonl").write_bytes(b"\xff\xfe\x00garbage")
    (folder / "notes.txt").write_bytes(b"caf\xe9 is Latin-1")
    report = ingest(folder, settings=settings)
    assert {problem.source for problem in report.errors} == {"dump.jsonl", "notes.txt"}
    assert report.counts["comments"] == 3
    assert rag.source_text("notes.txt", settings=settings) == BREAD


def texts(settings: Settings) -> list[tuple[str | None, str]]:
    return sorted(((c.author, c.text) for c in rag.comments(settings=settings)), key=str)


MAPPED = {"text": "body", "author": "who"}


@pytest.mark.slow
@pytest.mark.parametrize("again", ["same", "renamed", "moved", "rebuilt", "renamed and rebuilt", "other mapping"])
def test_columns_and_author_that_were_named_once_hold(again: str, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "rows.jsonl", {"body": TIDES, "who": "Ada"})
    page = f"I sail.\n\nPosts\n\nWiki Contributions\n\nComments\n\n{BREAD}\n"
    (folder / "dump.txt").write_text(page, encoding="utf-8")
    ingest(folder, settings=settings, columns=MAPPED, author_names={"dump.txt": "Bo"})
    expected = [("Ada", TIDES), ("Bo", BREAD)]
    assert texts(settings) == expected
    if "renamed" in again:
        for name in ("rows.jsonl", "dump.txt"):
            (folder / name).rename(folder / f"new {name}")
    if again == "moved":
        folder = folder.rename(tmp_path / "elsewhere")
    if again == "other mapping":
        write(folder / "other.jsonl", {"id": "o1", "content": KNOTS, "author": "Cy"})
        expected.append(("Cy", KNOTS))
    columns = {"text": "content"} if again == "other mapping" else None
    report = ingest(folder, settings=settings, rebuild="rebuilt" in again, columns=columns)
    assert texts(settings) == expected
    assert bool(report.errors) == (again == "other mapping")
    assert ingest(settings=settings, rebuild=True).errors == ()
    assert texts(settings) == expected


def test_authors_named_by_hand_go_with_their_dumps_when_these_change_names(settings: Settings, tmp_path: Path) -> None:
    page = "I sail.\n\nPosts\n\nWiki Contributions\n\nComments\n\n{}\n"
    one, two = (tmp_path / "in" / name for name in ("one.txt", "two.txt"))
    write(one).write_text(page.format(TIDES), encoding="utf-8")
    two.write_text(page.format(BREAD), encoding="utf-8")
    ingest(one.parent, settings=settings, author_names={"one.txt": "Ada", "two.txt": "Bo"})
    one.rename(tmp_path / "aside")
    two.rename(one)
    (tmp_path / "aside").rename(two)
    ingest(one.parent, settings=settings)
    assert texts(settings) == [("Ada", TIDES), ("Bo", BREAD)]


def test_columns_hold_for_their_own_file_where_two_have_one_name(settings: Settings, tmp_path: Path) -> None:
    ingest(write(tmp_path / "a" / "rows.jsonl", {"body": TIDES}), settings=settings, columns={"text": "body"})
    ingest(write(tmp_path / "b" / "rows.jsonl", row("b1", KNOTS)), settings=settings)
    assert ingest(settings=settings, rebuild=True).errors == ()
    assert texts(settings) == [("Ada", KNOTS), (None, TIDES)]


def test_files_of_one_name_in_folders_of_one_name_are_all_kept(settings: Settings, tmp_path: Path) -> None:
    for person, text in (("ada", TIDES), ("bo", BREAD), ("cy", KNOTS)):
        write(tmp_path / person / "comments" / "rows.jsonl", row(f"{person}-id", text, person))
        ingest(tmp_path / person / "comments", settings=settings)
    assert texts(settings) == [("ada", TIDES), ("bo", BREAD), ("cy", KNOTS)]
    assert [name for name, _ in Store.open(settings).corpus.sources()] == [
        "comments/rows.jsonl", "cy/comments/rows.jsonl", "rows.jsonl",
    ]  # fmt: skip


def test_an_empty_path_is_not_the_folder_one_is_in(folder: Path, settings: Settings) -> None:
    with pytest.raises(SourceError, match="One of the paths is empty"):
        ingest([folder, ""], settings=settings)


@pytest.mark.parametrize("columns", [{"body": "text"}, {"text": ""}, {"author": " "}])
def test_mapping_that_cannot_be_is_refused_and_changes_nothing(
    columns: dict[str, str], folder: Path, settings: Settings
) -> None:
    ingest(folder, settings=settings)
    with pytest.raises(SourceError, match="mapped to"):
        ingest(folder, settings=settings, columns=columns)
    assert len(texts(settings)) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "broken", "stays"),
    [
        ("a.jsonl", '{"id": "k1", "text": "%s"}\n{"id": "k2" "text": "%s"}\n', True),
        ("a.jsonl", '{"id": "k1", "text": "%s"}\n{"id": "k2", "text": ["%s"]}\n', True),
        ("a.jsonl", '{"id": "k1", "text": "%s"}\n["%s"]\n', True),
        ("a.jsonl", '{"id": "k1", "text": "%s"}\n{"id": "k2", "txt": "%s"}\n', True),
        ("a.json", '[\n{"id": "k1", "text": "%s"},\n{"id": "k2" "text": "%s"}\n]\n', True),
        ("a.csv", 'id,text\nk1,%s\nk2,"%s"x\n', True),
        ("a.csv", "id,text\nk1,%s\nk2,%s,more\n", True),
        # What was read to its end and says something else is not there any more.
        ("a.jsonl", '{"id": "k1", "text": "%s"}\n{"id": "k2", "text": "", "was": "%s"}\n', False),
        ("a.jsonl", '{"id": "k1", "text": "%s"}\n{"id": "k3", "karma": "none", "text": "%s"}\n', False),
    ],
)
def test_row_that_cannot_be_read_keeps_its_comment(
    name: str, broken: str, stays: bool, settings: Settings, tmp_path: Path
) -> None:
    texts = (KNOTS.replace(",", ""), TIDES)
    good = {"a.jsonl": '{"id": "k1", "text": "%s"}\n{"id": "k2", "text": "%s"}\n', "a.csv": "id,text\nk1,%s\nk2,%s\n"}
    good["a.json"] = '[\n{"id": "k1", "text": "%s"},\n{"id": "k2", "text": "%s"}\n]\n'
    path = tmp_path / name
    path.write_text(good[name] % texts, encoding="utf-8")
    ingest(path, settings=settings)
    path.write_text(broken % texts, encoding="utf-8")
    report = ingest(path, settings=settings)
    ids = {comment.id for comment in rag.comments(settings=settings)}
    assert ("k2" in ids, len(report.errors)) == (stays, 1)
    assert bool(report.removed_sources) is not stays
    assert any("Comments not found again: 1" in str(note) for note in report.skipped) is stays
    path.write_text(good[name] % texts, encoding="utf-8")
    assert ingest(path, settings=settings).errors == ()
    assert {comment.id for comment in rag.comments(settings=settings)} == {"k1", "k2"}


def test_file_that_was_read_by_itself_too_is_removed_with_its_folder(folder: Path, settings: Settings) -> None:
    write(folder / "other.jsonl", row("b1", KNOTS))
    ingest(folder, settings=settings)
    write(folder / "other.jsonl", row("b1", KNOTS + " So they say."))
    ingest(folder / "other.jsonl", settings=settings)
    (folder / "other.jsonl").unlink()
    assert ingest(folder / "thread.jsonl", settings=settings).removed_sources == ()
    assert ingest(folder, settings=settings).removed_sources == ("other.jsonl",)
    assert ingest(settings=settings, rebuild=True).errors == ()


def test_last_file_of_a_folder_is_removed(folder: Path, settings: Settings) -> None:
    ingest(folder, settings=settings)
    (folder / "thread.jsonl").unlink()
    report = ingest(folder, settings=settings)
    assert (report.removed_sources, counts(report, "removed", "comments")) == (("thread.jsonl",), (2, 0))
    assert rag.search("tides", settings=settings) == []


@pytest.mark.parametrize("seen_between", [True, False])
def test_moved_folder_is_known_again(seen_between: bool, folder: Path, settings: Settings) -> None:
    write(folder / "other.jsonl", row("b1", KNOTS))
    ingest(folder, settings=settings)
    folder = folder.rename(folder.with_name("moved"))
    if seen_between:
        assert ingest(folder, settings=settings).switched is False
    (folder / "other.jsonl").rename(folder / "z.jsonl")
    report = ingest(folder, settings=settings)
    assert (report.removed_sources, counts(report, "files", "comments", "embedded")) == (("other.jsonl",), (2, 3, 0))
    assert ingest(settings=settings, rebuild=True).errors == ()


def test_further_sightings_are_counted_once(settings: Settings, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / "in" / f"{name}.jsonl", row("x1", TIDES), row("x2", KNOTS))
    assert counts(ingest(tmp_path / "in", settings=settings), "comments", "merged") == (2, 4)
    write(tmp_path / "in" / "c.jsonl", row("x1", TIDES), row("x2", KNOTS + " So they say."))
    assert counts(ingest(tmp_path / "in", settings=settings), "comments", "merged") == (2, 0)


def test_nothing_to_read_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(SourceError, match="Give files or folders"):
        ingest([], settings=settings)


def test_missing_path_is_reported_and_the_rest_is_read(folder: Path, settings: Settings) -> None:
    report = ingest([folder, folder / "missing"], settings=settings)
    assert (len(report.errors), report.counts["comments"]) == (1, 2)
    assert "missing" in str(report.errors[0])
    assert "does not exist" in str(report.errors[0])


def test_option_names_the_author_of_a_dump(settings: Settings, tmp_path: Path) -> None:
    dump = tmp_path / "dump.txt"
    chrome = "I sail.\n\nPosts\n\nSorted by New\n\nWiki Contributions\n\nComments\n\n"
    dump.write_text(f"{chrome}Thanks for this! {TIDES}\n\nStrong upvoted.\n\n{KNOTS}\n", encoding="utf-8")
    ingest(dump, settings=settings)
    assert {c.author for c in rag.comments(settings=settings)} == {None}
    ingest(dump, settings=settings, author_names={"dump.txt": "Ada Lovelace"})
    assert {c.author for c in rag.comments(settings=settings)} == {"Ada Lovelace"}
    assert ingest(dump, settings=settings).switched is False


def test_a_profile_without_comments_is_told(settings: Settings, tmp_path: Path) -> None:
    head = "Ada Lovelace\nI sail.\nPosts\nSorted by New\nWiki Contributions\nComments\n"
    (tmp_path / "empty.txt").write_text(head, encoding="utf-8")
    (tmp_path / "full.txt").write_text(f"{head}Thanks for this! {TIDES}\n", encoding="utf-8")
    report = ingest(tmp_path, settings=settings)
    assert [(note.source, "no comment was found" in note.what) for note in report.skipped] == [("empty.txt", True)]
    assert (counts(report, "files", "comments"), report.errors) == ((2, 1), ())


def test_author_name_for_a_file_that_is_not_there_is_reported(folder: Path, settings: Settings) -> None:
    report = ingest(folder, settings=settings, author_names={"nope.txt": "Ada"})
    assert [problem.source for problem in report.errors] == ["nope.txt"]


def test_forget_removes_one_source(folder: Path, settings: Settings) -> None:
    write(folder / "other.jsonl", row("b1", KNOTS))
    ingest(folder, settings=settings)
    assert counts(forget("thread.jsonl", settings=settings), "removed", "comments") == (2, 1)
    assert [c.id for c in rag.comments(settings=settings)] == ["b1"]
    with pytest.raises(SourceError, match="thread.jsonl.*commentariat sources"):
        forget("thread.jsonl", settings=settings)


def test_forget_without_an_index(settings: Settings) -> None:
    with pytest.raises(StoreMissing, match="No comments are indexed"):
        forget("x", settings=settings)


@pytest.mark.slow
def test_how_sure_a_border_is_reaches_the_citation(tmp_path: Path, settings: Settings) -> None:
    """A border that could be elsewhere is told as such by comment, passage and citation; a row's is sure."""
    page = tmp_path / "in" / "page.txt"
    page.parent.mkdir()
    page.write_text(
        f"Ada Byron\nWiki Contributions\nComments\n{TIDES}\nThey also follow the weather.\n{BREAD}\n{KNOTS}",
        encoding="utf-8",
    )
    write(tmp_path / "in" / "rows.jsonl", row("r1", "The harbour clock of Vardo is wound by hand on Sundays."))
    ingest(tmp_path / "in", settings=settings)
    sure = {comment.id: comment.border_confidence for comment in rag.comments(settings=settings)}
    assert sure.pop("r1") == 1.0
    assert sure
    assert all(0 < value < 1 for value in sure.values())
    answer = rag.answer("How is the bowline after a load?", settings=settings)
    assert answer.citations
    for citation in answer.citations:
        assert citation.passage.border_confidence == sure[citation.passage.comment_id]


@pytest.mark.slow
def test_no_formula_is_cut_by_the_border_of_a_passage(settings: Settings, tmp_path: Path) -> None:
    """Formulas of every delimiter, longer than a sentence, in a comment of many passages."""
    terms = " + ".join(f"a_{{{number}}} x^{{{number}}}. So" for number in range(12))
    formulas = [
        f"$$ {terms} $$",
        f"\\[ {terms} \\]",
        f"\\begin{{align}} {terms} \\end{{align}}",
        "$E = m c^2$",
        "\\( \\alpha \\)",
    ]
    text = " ".join(f"{TIDES} Then {formula} holds. {BREAD}" for formula in formulas * 4)
    ingest(write(tmp_path / "in" / "thread.jsonl", row("f1", text)), settings=settings)
    corpus = Store.open(settings).corpus
    passages = corpus.passages_of("f1")
    assert len(passages) > 4
    covered = sum(passage.text.count(formula) for passage in passages for formula in set(formulas))
    assert covered == len(formulas * 4)
    assert all(passage.text.count("$$") % 2 == 0 for passage in passages)


def test_progress_tells_each_phase(folder: Path, settings: Settings) -> None:
    events: list[Progress] = []
    ingest(folder, settings=settings, progress=events.append)
    assert {event.phase for event in events} - {"preparing"} == {"reading", "merging", "embedding", "writing"}
    last = {event.phase: event for event in events}
    assert (last["reading"].done, last["reading"].total) == (1, 1)
    assert (last["embedding"].done, last["embedding"].total) == (2, 2)


@pytest.mark.slow
def test_other_embedding_model_is_refused_until_a_rebuild(folder: Path, settings: Settings, model_cache: Path) -> None:
    ingest(folder, settings=settings)
    other = Settings(passage_prefix="passage: ", cache=model_cache)
    with pytest.raises(StoreMismatch, match=r"was made with.*--rebuild"):
        ingest(folder, settings=other)
    with pytest.raises(StoreMismatch, match="was made with"):
        rag.search("tides", settings=other)
    report = ingest(folder, settings=other, rebuild=True)
    assert counts(report, "comments", "embedded") == (2, 2)
    assert rag.search("tides", settings=other)


def python(code: str, settings: Settings) -> subprocess.Popen[str]:
    environment = {**os.environ, "COMMENTARIAT_STORE": str(settings.store)}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


KILLED_IN = {
    "reading": "Run._read",
    "embedding": "Writer.add_vectors",
    "word index": "LexicalIndex.build",
    "cleaning up": "Writer.clean_up",
}


@pytest.mark.slow
@pytest.mark.parametrize("place", KILLED_IN.values(), ids=KILLED_IN)
def test_killed_ingest_leaves_the_old_index_and_loses_no_embedding(
    place: str, folder: Path, settings: Settings
) -> None:
    ingest(folder, settings=settings)
    before = state(settings)
    rows: Sequence[dict] = [row(f"r{n}", f"The range at harbour {n} is {n} feet.") for n in range(150)]
    write(folder / "many.jsonl", *rows)
    name, method = place.split(".")
    child = python(
        f"""
        import os, signal
        from ingest import ingest
        from ingest.pipeline import Run
        from rag.index.writer import Writer
        from rag.index.lexical import LexicalIndex
        original = {name}.{method}
        def dies(*args, **kwargs):
            if "{method}" in ("add_vectors", "clean_up"):
                original(*args, **kwargs)
            if "{method}" != "add_vectors" or args[0].embedded >= 100:
                os.kill(os.getpid(), signal.SIGKILL)
        {name}.{method} = dies
        ingest({str(folder)!r})
        """,
        settings,
    )
    child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL
    if method != "clean_up":
        assert state(settings) == before
    report = ingest(folder, settings=settings)
    assert report.counts["comments"] == 152
    expected = {"_read": 150, "add_vectors": 22, "build": 0, "clean_up": 0}[method]
    assert report.counts["embedded"] <= expected
    assert ingest(folder, settings=settings).switched is False


@pytest.mark.slow
def test_search_goes_on_while_another_process_ingests_and_sees_its_result(folder: Path, settings: Settings) -> None:
    ingest(folder, settings=settings)
    assert rag.search("untie a wet bowline", settings=settings)[0].comment_id in {"a1", "a2"}
    write(folder / "more.jsonl", row("b1", KNOTS))
    child = python(f"from ingest import ingest; print(ingest({str(folder)!r}).counts['comments'])", settings)
    while child.poll() is None:
        assert rag.search("untie a wet bowline", settings=settings)
    assert child.communicate()[0].strip() == "3"
    assert rag.search("untie a wet bowline", settings=settings)[0].comment_id == "b1"
    ingest(folder, settings=settings, rebuild=True)
    assert rag.search("untie a wet bowline", settings=settings)[0].comment_id == "b1"


@pytest.mark.slow
def test_what_a_process_with_the_same_number_wrote_is_seen(
    folder: Path, settings: Settings, embedder: Embedder
) -> None:
    """As in two containers on one volume."""
    ingest(folder, settings=settings)
    store, question = Store.open(settings), embedder.embed_query("untie a wet bowline")
    assert store.dense(question, 1)
    write(folder / "more.jsonl", row("b1", KNOTS))
    number = f"import os; os.getpid = lambda: {os.getpid()}"
    child = python(f"{number}; from ingest import ingest; ingest({str(folder)!r})", settings)
    assert child.wait(120) == 0
    ((passage, _),) = store.dense(question, 1)
    assert store.passages([passage])[passage].comment_id == "b1"


def test_a_word_index_of_other_rules_is_written_anew_and_nothing_is_embedded(folder: Path, settings: Settings) -> None:
    ingest([folder], settings=settings)
    corpus = Store.open(settings).corpus
    with corpus.transaction():
        corpus.set_meta(lexical_rules=1)
    report = ingest([folder], settings=settings)
    assert (report.switched, counts(report, "added", "changed", "embedded", "unchanged")) == (True, (0, 0, 0, 2))
    assert not ingest([folder], settings=settings).switched


@pytest.mark.slow
def test_second_ingest_at_the_same_time_is_refused(folder: Path, settings: Settings) -> None:
    def again(event: Progress) -> None:
        with pytest.raises(StoreUnavailable, match="Another ingest"):
            ingest(folder, settings=settings)

    assert ingest(folder, settings=settings, progress=again).counts["comments"] == 2


@pytest.mark.slow
def test_rows_are_streamed(tmp_path: Path) -> None:
    """Of a file only a row at a time is held, and the ids of those before it."""
    path = tmp_path / "rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row(str(number), TIDES * 80)) + "\n" for number in range(1_000))
    (source,) = files([path])
    tracemalloc.start()
    count = sum(1 for _ in read_file(source))
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1_000
    assert highest < 0.1 * path.stat().st_size


@pytest.mark.slow
def test_more_rows_than_one_chroma_batch_takes(
    settings: Settings, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch limit of the real Chroma is lowered, not the number of comments raised: 5,461 would take minutes."""
    import rag.index.vectors

    original = rag.index.vectors._folder_client

    def limited(folder: Path) -> object:
        client = original(folder)
        monkeypatch.setattr(client, "get_max_batch_size", lambda: 7)
        return client

    monkeypatch.setattr(rag.index.vectors, "_folder_client", limited)
    write(tmp_path / "in.jsonl", *(row(f"r{n}", f"{KNOTS} Number {n}. {TIDES}") for n in range(40)))
    report = ingest(tmp_path / "in.jsonl", settings=settings)
    assert report.counts["comments"] == 40
    found = Store.open(settings).dense(embedder.embed_query("bowline"), 100)
    assert len(found) == report.counts["passages"] >= 40  # the vectors of every batch are there
