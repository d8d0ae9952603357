"""Fetching from a forum on the index tab, against a local server that speaks the forums' schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

import rag
from ingest.forums import named_site
from rag.settings import Settings
from ui.feedback import Feedback
from ui.index_page import IndexPage
from ui.service import Service

from forum_server import Forum, ForumServer, serving  # isort: skip


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
