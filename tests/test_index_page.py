"""Adding files and fetching from a forum on the index tab, the latter against a local server that speaks the forums' schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

import rag
from ingest.forums import named_site
from ingest.report import IngestReport, Problem
from rag.settings import Settings
from ui.feedback import Feedback
from ui.index_page import MOST_PROBLEMS, IndexPage, report_html
from ui.service import Service

from forum_server import Forum, ForumServer, serving  # isort: skip

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[ForumServer]:
    forum = Forum()
    mira = forum.add_user("mira")
    post = forum.add_post("tides")
    for number in range(25):
        forum.add(mira, post, f"Remark {number}: spring tides come after full moon number {number}.")
    with serving(forum) as running:
        yield running


@pytest.fixture
def page(settings: Settings, server: ForumServer, tmp_path: Path) -> IndexPage:
    sites = {"lesswrong": named_site(server.url, allow_local=True)}
    page = IndexPage(Service(settings), Feedback(tmp_path / "feedback.jsonl"), sites, pause=0)
    with gr.Blocks():
        page.layout()
    return page


def shown(page: IndexPage, *fetch: str) -> list[str]:
    """What stands in the place for progress, one after the other."""
    return [update[page.progress] for update in page.run_fetch(*fetch) if page.progress in update]


def test_what_a_person_wrote_is_fetched_and_indexed(page: IndexPage, settings: Settings) -> None:
    said = shown(page, "lesswrong", "mira", "")
    assert "Fetching mira" in said[0]
    assert "25 added" in said[-1]
    assert {comment.author for comment in rag.comments(settings=settings)} == {"Mira"}
    assert rag.search("spring tides", settings=settings)[0].url


def test_a_second_fetch_changes_nothing(page: IndexPage) -> None:
    shown(page, "lesswrong", "mira", "")
    assert "0 added" in shown(page, "lesswrong", "mira", "")[-1]


def test_cancelling_leaves_the_index_and_goes_on_later(page: IndexPage, settings: Settings) -> None:
    running = page.run_fetch("lesswrong", "mira", "")
    next(running)
    page._cancel.set()
    (*_, last) = running
    assert "Cancelled" in last[page.progress]
    assert "25 added" in shown(page, "lesswrong", "mira", "")[-1]


def test_what_is_wrong_is_said(page: IndexPage) -> None:
    assert "Say whose comments" in shown(page, "lesswrong", " ", "")[-1]
    assert "Since takes a date" in shown(page, "lesswrong", "mira", "spring")[-1]
    assert "nobody" in shown(page, "lesswrong", "nobody", "")[-1]


def test_known_forums_only_are_offered(settings: Settings, tmp_path: Path) -> None:
    page = IndexPage(Service(settings), Feedback(tmp_path / "feedback.jsonl"))
    with gr.Blocks():
        page.layout()
    assert [name for _, name in page.site.choices] == ["lesswrong", "alignmentforum", "eaforum"]


def upload(folder: Path, name: str, content: str) -> str:
    """A file as the browser hands it over: each in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


def row(id: str, text: str) -> str:
    return json.dumps({"id": id, "author": "Ann", "text": text}) + "\n"


def added(page: IndexPage, *files: str) -> str:
    """What stands in the place for progress after these were uploaded."""
    return [update[page.progress] for update in page.run_add(files, "") if page.progress in update][-1]


def indexed(settings: Settings) -> dict[str, str | None]:
    return {comment.text: comment.author for comment in rag.comments(settings=settings)}


def test_uploads_of_one_name_are_all_kept(page: IndexPage, settings: Settings, tmp_path: Path) -> None:
    kelp = upload(tmp_path / "1", "comments.jsonl", row("1", "Kelp is a brown alga."))
    tide = upload(tmp_path / "2", "comments.jsonl", row("2", "Tides follow the moon."))
    rye = upload(tmp_path / "3", "comments.jsonl", row("3", "Rye ferments quickly."))
    assert "1 added" in added(page, kelp)
    assert "2 added" in added(page, tide, rye)
    assert "0 added, 0 changed, 3 unchanged, 0 removed" in added(page, kelp)
    assert indexed(settings).keys() == {"Kelp is a brown alga.", "Tides follow the moon.", "Rye ferments quickly."}
    (*_, last) = page.run_rebuild()
    assert "3 added" in last[page.progress]


def test_a_forgotten_upload_does_not_come_back_with_the_next(
    page: IndexPage, settings: Settings, tmp_path: Path
) -> None:
    added(page, upload(tmp_path / "1", "kelp.jsonl", row("1", "Kelp is a brown alga.")))
    list(page.run_forget("kelp.jsonl"))
    added(page, upload(tmp_path / "2", "tide.jsonl", row("2", "Tides follow the moon.")))
    assert indexed(settings).keys() == {"Tides follow the moon."}


def test_what_was_read_leaves_the_boxes_and_what_was_not_stays(page: IndexPage, tmp_path: Path) -> None:
    kelp = upload(tmp_path, "kelp.jsonl", row("1", "Kelp is a brown alga."))
    *_, last = page.run_add([kelp], "")
    assert last == {page.files: None, page.path: ""}
    *_, last = page.run_add([kelp], str(tmp_path / "misspelt"))
    assert last == {page.files: None}
    (only,) = page.run_add(None, " ")
    assert "Choose files" in only[page.progress]


def test_a_file_that_is_no_text_does_not_fill_the_page() -> None:
    problems = tuple(Problem("a.jsonl", line, f"Byte {line} fits no character.", "Mend it.") for line in range(1000))
    alike = tuple(Problem("b.jsonl", line, "No text.", "") for line in range(1000))
    report = report_html(IngestReport(errors=problems, skipped=alike))
    assert report.count("<li>") == MOST_PROBLEMS + 2
    assert "and 980 more problems" in report
    assert "(1,000 lines have this.)" in report


@pytest.mark.parametrize("later", [False, True], ids=["with it", "later"])
def test_what_describes_an_upload_lies_beside_it(
    later: bool, page: IndexPage, settings: Settings, tmp_path: Path
) -> None:
    file = upload(tmp_path, "remarks.csv", "text\nKelp is a brown alga.\n")
    about = upload(tmp_path, "remarks.csv.meta.json", json.dumps({"author": "Ann"}))
    for files in [[file], [about]] if later else [[about, file]]:
        assert "Not read" not in added(page, *files)
    assert indexed(settings) == {"Kelp is a brown alga.": "Ann"}


def test_an_upload_that_cannot_be_kept_is_told(page: IndexPage, settings: Settings, tmp_path: Path) -> None:
    settings.store.mkdir()
    (settings.store / "uploads").write_text("no folder")
    assert "kelp.jsonl cannot be kept" in added(page, upload(tmp_path, "kelp.jsonl", row("1", "Kelp.")))


def test_nothing_is_kept_while_another_change_runs(page: IndexPage, settings: Settings, tmp_path: Path) -> None:
    running = page.run_fetch("lesswrong", "mira", "")
    next(running)
    assert "wait for that to end" in added(page, upload(tmp_path, "kelp.jsonl", row("1", "Kelp.")))
    list(running)
    assert not (settings.store / "uploads").exists()


def test_a_change_goes_on_and_is_seen_when_its_page_is_left(
    page: IndexPage, settings: Settings, tmp_path: Path
) -> None:
    left = page.run_fetch("lesswrong", "mira", "")
    next(left)
    left.close()
    assert "wait for that to end" in added(page, upload(tmp_path, "kelp.jsonl", row("1", "Kelp.")))
    first, *_, last = page.watch()
    assert "Fetching mira" in first[page.progress]
    assert (first[page.cancel]["visible"], first[page.add]["interactive"]) == (True, False)
    assert "25 added" in last[page.progress]
    assert (last[page.cancel]["visible"], last[page.add]["interactive"]) == (False, True)
    assert len(list(rag.comments(settings=settings))) == 25


def test_who_left_can_cancel_on_return(page: IndexPage) -> None:
    left = page.run_fetch("lesswrong", "mira", "")
    next(left)
    left.close()
    watching = page.watch()
    next(watching)
    page._cancel.set()
    (*_, last) = watching
    assert "Cancelled" in last[page.progress]
