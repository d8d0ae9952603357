"""Live import, against a forum on this machine that speaks ForumMagnum's GraphQL over real HTTP."""

from __future__ import annotations

import gzip
import json
import resource
import signal
import ssl
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT
from forum_server import DATA, START, Fault, Forum, ForumServer, serving
from graphql import build_schema, parse, validate

import rag
from ingest.forums import SITES, FetchReport, ForumClient, Site, fetch_post, fetch_user, named_site
from ingest.forums.addresses import addresses, is_public
from ingest.forums.client import user_agent
from ingest.forums.output import CommentFile
from ingest.forums.rows import row
from ingest.forums.sites import post_of, site_of, user_of
from ingest.sources.forum_magnum import text_of
from rag.errors import ForumError
from ui.cli import main

if TYPE_CHECKING:
    import trustme

QUERIES = sorted((ROOT / "ingest" / "forums" / "queries").glob("*.graphql"))
LESSWRONG = SITES["lesswrong"]
NOTHING = '{"data": {"users": {"results": []}}}'
CHECK_PAGE = "<!DOCTYPE html><html><title>Checking your browser</title></html>"


@pytest.fixture
def forum() -> Forum:
    """LessWrong's dialect, with two people and a post."""
    return peopled(Forum())


@pytest.fixture
def server(forum: Forum) -> Iterator[ForumServer]:
    with serving(forum) as running:
        yield running


@pytest.fixture
def ea() -> Iterator[ForumServer]:
    """The EA Forum's dialect; offsets are allowed up to 20."""
    with serving(peopled(Forum("eaforum", farthest=20))) as running:
        yield running


@pytest.fixture
def slept() -> list[float]:
    """How long the clients of a test would have slept."""
    return []


@pytest.fixture
def asking(slept: list[float]) -> Iterator[Callable[..., ForumClient]]:
    """Make a client of a server that sleeps on paper only; further arguments are those of its site."""
    clients = []

    def make(server: ForumServer, *, pause: float = 0, **site: Any) -> ForumClient:
        place = replace(named_site(server.url, allow_local=True), **{"page": 10, **site})
        clients.append(ForumClient(place, pause=pause, allow_local=True, sleep=slept.append))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def peopled(forum: Forum) -> Forum:
    forum.mira = forum.add_user("mira")
    forum.oren = forum.add_user("oren")
    forum.tides = forum.add_post("on-tides")
    return forum


def fill(forum: Forum, count: int) -> list[str]:
    """Let Mira write comments, an hour apart; gives their ids."""
    return [forum.add(forum.mira, forum.tides)["_id"] for _ in range(count)]


def rows_of(report: FetchReport) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.file.read_text(encoding="utf-8").splitlines()]


def ids_of(report: FetchReport) -> list[str]:
    return [row["id"] for row in rows_of(report)]


# --- queries ---


@pytest.mark.parametrize("dialect", ["lesswrong", "eaforum"])
@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_query_is_valid_on_both_branches_of_the_software(path: Path, dialect: str) -> None:
    schema = build_schema((DATA / f"forum_{dialect}.graphql").read_text(encoding="utf-8"))
    document = parse(path.read_text(encoding="utf-8"))
    assert validate(schema, document) == []
    assert [definition.name.value for definition in document.definitions] == [path.stem]


# --- what a row holds ---


def test_row_has_our_columns_and_what_else_is_known(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    root = forum.add(forum.oren, forum.tides, "The moon does it.")
    reply = forum.add(
        forum.mira, forum.tides, "It pulls with $F = G m_1 m_2 / r^2$.", parentCommentId=root["_id"], baseScore=12,
        voteCount=7, lastEditedAt="2024-03-01T00:00:00.000Z", af=True, afBaseScore=4, retracted=True, shortform=True,
        extendedScore={"agreement": -2, "agreementVoteCount": 5, "approvalVoteCount": 7,
                       "reacts": {"insightful": [{"userId": "someone"}, {"userId": "else"}], "typo": []}},
    )  # fmt: skip
    report = fetch_user(asking(server), "mira", out=tmp_path)
    (only,) = rows_of(report)
    assert datetime.now(UTC) - datetime.fromisoformat(only.pop("seen_at")) < timedelta(minutes=5)
    assert [only] == [
        {
            "id": reply["_id"],
            "author": "Mira",
            "text": "It pulls with $F = G m_1 m_2 / r^2$.",
            "url": f"{server.url}/posts/{forum.tides['_id']}/on-tides?commentId={reply['_id']}",
            "posted_at": "2024-01-01T01:00:00.000Z",
            "parent_id": root["_id"],
            "thread_id": forum.tides["_id"],
            "title": "On Tides",
            "karma": 12,
            "site": report.file.name.partition("_")[0],
            "author_id": forum.mira["_id"],
            "author_slug": "mira",
            "votes": 7,
            "agreement": -2,
            "agreement_votes": 5,
            "af_karma": 4,
            "reactions": {"insightful": 2},
            "edited_at": "2024-03-01T00:00:00.000Z",
            "af": True,
            "quick_take": True,
            "retracted": True,
        }
    ]


def test_reactions_of_the_ea_forum_are_numbers() -> None:
    comment = {"_id": "c", "contents": {"markdown": "Yes."}, "extendedScore": {"agree": 3, "approvalVoteCount": 4}}
    assert row(comment, SITES["eaforum"])["reactions"] == {"agree": 3}


def test_comment_without_user_post_or_page_is_kept(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    hidden = forum.add_post("hidden", draft=True)
    forum.mira["deleted"] = True
    ghost = forum.add(forum.mira, hidden, "Written before the account was deleted.")
    lost = forum.add(forum.mira, None, "On neither post nor tag.")
    report = fetch_user(asking(server), "mira", out=tmp_path)
    first, second = rows_of(report)
    assert (first["id"], first["url"]) == (
        ghost["_id"],
        f"{server.url}/posts/{hidden['_id']}/?commentId={ghost['_id']}",
    )
    assert second["id"] == lost["_id"]
    for name in ("author", "author_id", "author_slug", "title"):
        assert name not in first
        assert name not in second
    assert "url" not in second
    assert (report.notes, report.stopped) == ((), None)


def test_comment_on_a_wiki_page_takes_its_link_from_the_site() -> None:
    comment = {"_id": "c1", "tagId": "t1", "tag": {"name": "Tides"}, "contents": {"markdown": "Yes."}}
    made = row({**comment, "pageUrl": "https://bots.example.org/w/tides/discussion?commentId=c1"}, LESSWRONG)
    assert (made["url"], made["thread_id"], made["title"]) == (
        "https://www.lesswrong.com/w/tides/discussion?commentId=c1", "t1", "Tides"
    )  # fmt: skip


def test_hidden_author_has_no_name() -> None:
    user = {"_id": "u1", "slug": "mira", "displayName": "Mira", "deleted": False}
    comment = {"_id": "c1", "author": "mira", "user": user, "hideAuthor": True, "contents": {"markdown": "Hush."}}
    assert "Mira" not in json.dumps(row(comment, LESSWRONG))
    assert "mira" not in json.dumps(row(comment, LESSWRONG))


def test_alignment_forum_shows_full_names() -> None:
    user = {"_id": "u1", "slug": "mira", "displayName": "mira", "fullName": "Mira Vantongeren", "deleted": False}
    comment = {"_id": "c1", "user": user, "contents": {"markdown": "Yes."}}
    assert row(comment, SITES["alignmentforum"])["author"] == "Mira Vantongeren"
    assert row(comment, LESSWRONG)["author"] == "mira"


def test_what_the_site_hides_is_left_out(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    """The views of the site hide most of it already; whatever comes through is looked at again."""
    root = forum.add(forum.oren, forum.tides, "Secret and deleted.", deleted=True, deletedPublic=True)
    kept = forum.add(forum.mira, forum.tides, "A reply.", parentCommentId=root["_id"])
    forum.add(forum.oren, forum.tides, "Secret spam.", spam=True)
    forum.add(forum.oren, forum.tides, "Secret and new.", authorIsUnreviewed=True)
    forum.by_date = False  # the EA Forum shows what new authors write
    client = asking(server, unreviewed_hidden_since=datetime(2023, 4, 4, tzinfo=UTC))
    report = fetch_post(client, forum.tides["_id"], out=tmp_path)
    assert ids_of(report) == [kept["_id"]]
    assert report.left_out == {"spam": 1, "by authors not yet reviewed": 1, "deleted": 1}
    state = json.loads((tmp_path / f".{report.file.name}.state").read_text(encoding="utf-8"))
    assert state["deleted"] == {root["_id"]: None}
    assert all("Secret" not in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


@pytest.mark.parametrize("flag", ["deleted", "rejected", "draft", "spam"])
def test_flagged_comment_is_never_kept_whatever_the_view_gave(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forum.add(forum.mira, forum.tides, **{flag: True})
    kept = forum.add(forum.mira, forum.tides)
    monkeypatch.setattr(forum, "_shown", lambda comment, terms: True)
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == [kept["_id"]]


# --- formulas ---

OLD_MATH = '<p>Let <span class="mjpage"><span class="mjx-chtml"><span class="mjx-math" aria-label="{0}">glyphs</span></span></span>.</p>'
NEW_MATH = '<p>Let <mjx-container role="math" aria-label="{0}"><svg></svg></mjx-container>.</p>'
BARE_MATH = "<p>Let <mjx-container><svg></svg></mjx-container>.</p>"


@pytest.mark.parametrize(
    ("contents", "text"),
    [
        ({"markdown": r"Let $\frac{1}{2}$.", "html": OLD_MATH.format(r"\frac{1}{2}")}, r"Let $\frac{1}{2}$."),
        ({"markdown": r"Let \(\frac{1}{2}\).", "html": OLD_MATH.format(r"\frac{1}{2}")}, r"Let \(\frac{1}{2}\)."),
        ({"markdown": "Let 12.", "html": OLD_MATH.format(r"\frac{1}{2}")}, r"Let $\frac{1}{2}$."),
        ({"markdown": "Let .", "html": NEW_MATH.format("x^2")}, "Let $x^2$."),
        ({"markdown": None, "html": NEW_MATH.format("x^2")}, "Let $x^2$."),
        ({"markdown": "Let $x^2$.", "html": BARE_MATH}, "Let $x^2$."),
        ({"markdown": r"As \[1\] says, x\_i.", "html": "<p>As [1] says, x_i.</p>"}, "As [1] says, x_i."),
        (
            {"markdown": r"As \[1\] says: 12.", "html": f"<p>As [1] says: {OLD_MATH.format('x^2')[7:-4]}"},
            "As [1] says: $x^2$.",
        ),
        (
            {"markdown": r"Say \[1\]: \(x^2\).", "html": f"<p>Say [1]: {OLD_MATH.format('x^2')[7:-4]}"},
            "Say [1]: $x^2$.",
        ),
        ({"markdown": r"Say \[1\]: $x^2$.", "html": f"<p>Say [1]: {BARE_MATH[7:-4]}"}, r"Say \[1\]: $x^2$."),
        (
            {
                "markdown": "Look:\n\n\\[x^2\\]",
                "html": '<p>Look:</p><p><mjx-container display="true" aria-label="x^2"></mjx-container></p>',
            },
            "Look:\n\n\\[x^2\\]",
        ),
        ({"markdown": r"Use `a\_b`.", "html": r"<p>Use <code>a\_b</code>.</p>"}, r"Use `a\_b`."),
        ({"markdown": "It costs $5 and $6.", "html": "<p>It costs $5 and $6.</p>"}, "It costs $5 and $6."),
        ({"markdown": None, "html": "<p>No <em>markdown</em> at all.</p>"}, "No *markdown* at all."),
        ({"markdown": "No html.", "html": None}, "No html."),
        ({"markdown": " \n", "html": ""}, None),
        (None, None),
    ],
)
def test_text_is_the_markdown_unless_formulas_are_only_in_the_html(contents: Any, text: str | None) -> None:
    """Rendered and labelled to February 2026 and from July 2026; between them only the markdown knows."""
    assert text_of(contents, LESSWRONG.url) == text


# --- paging by date ---


@pytest.mark.slow
def test_thousands_of_comments_come_each_once(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    """More than the largest offset would reach, interleaved with those of another person."""
    wanted = []
    for number in range(2600):
        if number % 26:
            wanted.append(forum.add(forum.mira, forum.tides)["_id"])
        else:
            forum.add(forum.oren, forum.tides)
    report = fetch_user(asking(server, page=250), "mira", out=tmp_path)
    assert ids_of(report) == wanted
    assert (report.stored, report.new, report.stopped) == (2500, 2500, None)
    pages = server.pages()
    assert [terms["offset"] for terms in pages] == [0] * len(pages)
    assert len(pages) == 11
    assert server.together == 1


@pytest.mark.parametrize("sizes", [[9, 2, 9], [10, 10], [5, 35, 5], [30], [1, 10, 1]])
def test_comments_of_the_same_moment_are_not_lost_at_a_page_border(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, sizes: list[int]
) -> None:
    for number, size in enumerate(sizes):
        for _ in range(size):
            forum.add(forum.mira, forum.tides, postedAt=f"2024-02-0{number + 1}T00:00:00.000Z")
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert sorted(ids_of(report)) == sorted(forum.comments)
    assert report.complete


@pytest.mark.parametrize("hidden", [range(3, 8), range(10, 20), range(5, 25), range(18, 21)])
def test_short_page_is_not_taken_for_the_last(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, hidden: range
) -> None:
    """The site looks at access after the limit: pages come out short, or empty, in the middle."""
    wanted = fill(forum, 40)
    for number in hidden:
        forum.comments[wanted[number]]["hidden"] = True
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert ids_of(report) == [id for number, id in enumerate(wanted) if number not in hidden]


def test_site_that_gives_no_totals_is_read_to_the_end(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one whose pages are smaller than what was asked for."""
    wanted = fill(forum, 33)
    true = forum._comments

    def smaller(info: Any, input: dict[str, Any]) -> dict[str, Any]:
        return true(info, {"terms": {**input["terms"], "limit": min(4, input["terms"]["limit"])}, "enableTotal": False})

    monkeypatch.setattr(forum, "_comments", smaller)
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == wanted


def test_since_asks_for_nothing_older(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    wanted = fill(forum, 30)
    since = START + timedelta(hours=20)
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path, since=since)) == wanted[20:]
    assert {terms["after"] >= "2024-01-01T20" for terms in server.pages()} == {True}


def test_alignment_forum_gives_its_own_comments(asking, tmp_path: Path) -> None:
    forum = peopled(Forum(alignment=True))
    fill(forum, 2)
    wanted = forum.add(forum.mira, forum.tides, af=True)
    with serving(forum) as server:
        assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == [wanted["_id"]]


def test_more_comments_of_one_moment_than_can_be_paged_are_said_and_the_walk_goes_on(asking, tmp_path: Path) -> None:
    forum = peopled(Forum(farthest=20))
    for _ in range(60):
        forum.add(forum.mira, forum.tides, postedAt="2024-02-01T00:00:00.000Z")
    last = forum.add(forum.mira, forum.tides, postedAt="2024-02-02T00:00:00.000Z")
    with serving(forum) as server:
        report = fetch_user(asking(server, farthest=20, last_page=20), "mira", out=tmp_path)
    assert report.out_of_reach == (
        "More than 20 comments have the date 2024-02-01T00:00:00.000Z; not all of them were reached."
    )
    assert (report.stored, ids_of(report)[-1]) == (41, last["_id"])


@pytest.mark.parametrize("nothing", [range(0, 33, 3), range(5, 90), range(100)], ids=["some", "pages", "all"])
@pytest.mark.parametrize("dialect", ["lesswrong", "eaforum"])
def test_entries_without_a_comment_keep_their_places(
    asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str, nothing: range
) -> None:
    """A site may put null where a comment cannot be seen, or fails."""
    forum = peopled(Forum("eaforum"))  # the schema that allows it
    forum.by_date = dialect == "lesswrong"
    wanted = fill(forum, 100)
    hidden = {wanted[number] for number in nothing}
    true = forum._comments

    def holed(info: Any, input: dict[str, Any]) -> dict[str, Any]:
        found = true(info, input)
        return {**found, "results": [None if comment["_id"] in hidden else comment for comment in found["results"]]}

    monkeypatch.setattr(forum, "_comments", holed)
    with serving(forum) as server:
        report = fetch_user(asking(server, walk="date" if forum.by_date else "offset"), "mira", out=tmp_path)
    assert report.complete
    assert sorted(ids_of(report) if report.stored else []) == [id for id in wanted if id not in hidden]
    assert report.requests <= 13


@pytest.mark.parametrize("dialect", ["lesswrong", "eaforum"])
def test_endless_pages_of_nothing_end(asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str) -> None:
    forum = peopled(Forum("eaforum"))
    monkeypatch.setattr(forum, "_comments", lambda info, input: {"results": [None] * 10, "totalCount": 10**9})
    with serving(forum) as server:
        client = asking(server, walk="date" if dialect == "lesswrong" else "offset", farthest=50)
        report = fetch_user(client, "mira", out=tmp_path)
    assert (report.stored, report.requests) == (0, 7)
    assert report.out_of_reach == "The site lets nobody page further than 50 comments; some were not reached."


@pytest.mark.parametrize("walk", ["date", "offset"])
def test_site_that_repeats_its_page_is_found_out(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walk: str
) -> None:
    """One that no longer knows the offset: the rest would be missing without a word."""
    for _ in range(30):
        forum.add(forum.mira, forum.tides, postedAt="2024-02-01T00:00:00.000Z")
    true = forum._comments
    monkeypatch.setattr(
        forum, "_comments", lambda info, input: true(info, {**input, "terms": {**input["terms"], "offset": 0}})
    )
    report = fetch_user(asking(server, walk=walk), "mira", out=tmp_path)
    assert "gives the same comments on page after page" in report.stopped
    assert (report.stored, report.complete) == (10, False)


# --- paging by offset ---


@pytest.mark.parametrize("count", [0, 1, 10, 25, 40, 41, 79])
def test_offsets_reach_from_both_ends_to_the_middle(ea: ForumServer, asking, tmp_path: Path, count: int) -> None:
    wanted = fill(ea.forum, count)
    report = fetch_user(asking(ea, walk="offset", farthest=20, last_page=20), "mira", out=tmp_path)
    assert report.complete
    assert sorted(ids_of(report) if count else []) == wanted


def test_what_no_offset_reaches_is_said(ea: ForumServer, asking, tmp_path: Path) -> None:
    wanted = fill(ea.forum, 90)
    report = fetch_user(asking(ea, walk="offset", farthest=20, last_page=20), "mira", out=tmp_path)
    assert sorted(ids_of(report)) == wanted[:40] + wanted[50:]
    assert report.out_of_reach == (
        "The site lets nobody page further than 20 comments; some before 2024-01-03 were not reached."
    )


def test_since_by_offset_stops_at_the_day(ea: ForumServer, asking, tmp_path: Path) -> None:
    wanted = fill(ea.forum, 60)
    client = asking(ea, walk="offset", farthest=20)
    report = fetch_user(client, "mira", out=tmp_path, since=START + timedelta(hours=45))
    assert sorted(ids_of(report)) == wanted[45:]
    assert [terms["offset"] for terms in ea.pages()] == [0, 10]


def test_site_that_does_not_know_dates_is_found_out(ea: ForumServer, asking, tmp_path: Path) -> None:
    """Terms that a site does not know are ignored without a word."""
    wanted = fill(ea.forum, 38)
    report = fetch_user(asking(ea, farthest=20, last_page=20), "mira", out=tmp_path)
    assert sorted(ids_of(report)) == wanted
    state = json.loads((tmp_path / f".{report.file.name}.state").read_text(encoding="utf-8"))
    assert state["walk"] == "offset"


def test_offset_walk_goes_on_although_comments_came_and_went(ea: ForumServer, asking, tmp_path: Path) -> None:
    """New ones push the others down, deleted ones let them move up."""
    ea.forum.farthest = 50
    wanted = fill(ea.forum, 60)
    since = START + timedelta(hours=20)
    ea.next(None, None, None, Fault(403, CHECK_PAGE))
    client = asking(ea, walk="offset", farthest=50)
    assert fetch_user(client, "mira", out=tmp_path, since=since).stored == 20
    for id in wanted[50:53]:
        del ea.forum.comments[id]
    later = [ea.forum.add(ea.forum.mira, None, postedAt=f"2024-05-0{day}T00:00:00.000Z")["_id"] for day in (1, 2)]
    report = fetch_user(asking(ea, walk="offset", farthest=50), "mira", out=tmp_path, since=since)
    assert report.complete
    assert set(ids_of(report)) == {*wanted[20:], *later}
    assert len(ids_of(report)) == 42


# --- throttling, failures, check pages ---


def test_pause_and_honest_name(server: ForumServer, forum: Forum, asking, slept: list[float], tmp_path: Path) -> None:
    fill(forum, 25)
    report = fetch_user(asking(server, pause=3.0), "mira", out=tmp_path)
    assert [round(seconds) for seconds in slept] == [3] * (report.requests - 1)
    assert {request.headers["User-Agent"] for request in server.requests} == {user_agent()}
    assert user_agent().startswith("commentariat/")
    assert "Mozilla" not in user_agent()


def test_retry_after_is_honoured(server: ForumServer, forum: Forum, asking, slept: list[float], tmp_path: Path) -> None:
    wanted = fill(forum, 25)
    server.next(None, None, Fault(429, "slow down", {"Retry-After": "17"}))
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert (ids_of(report), slept) == (wanted, [17.0])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(429, "slow down"), "asks us to slow down (status 429)"),
        (Fault(429, "slow down", {"Retry-After": "3600"}), "asks us to come back after 20"),
        (Fault(503, "later", {"Retry-After": "86400"}), "asks us to come back after 20"),
        (
            Fault(403, CHECK_PAGE, {"Content-Type": "text/html"}),
            "refuses to answer programs at the moment (status 403)",
        ),
        (Fault(200, CHECK_PAGE, {"Content-Type": "text/html"}), "sent a web page in place of data"),
        (Fault(404, "nothing"), "has no GraphQL at"),
    ],
)
def test_refusal_stops_the_import_at_once_and_it_goes_on_later(
    server: ForumServer, forum: Forum, asking, slept: list[float], tmp_path: Path, fault: Fault, said: str
) -> None:
    wanted = fill(forum, 35)
    server.next(None, None, None, fault)
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert said in report.stopped
    assert (ids_of(report), report.requests, slept) == (wanted[:19], 4, [])
    asked = len(server.requests)
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert (ids_of(report), report.complete, report.new) == (wanted, True, 16)
    assert server.pages()[asked - 1]["after"] == "2024-01-01T18:00:00.000Z"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, "oops"),
        Fault(502, CHECK_PAGE),
        Fault(504, ""),
        Fault(200, '{"data": {"comments": {"res', {"Content-Type": "application/json"}),
        Fault(
            200, '{"data": {"comments": null}, "errors": [{"message": "timeout\\n  at stack", "path": ["comments"]}]}'
        ),
        Fault(cut=0),
        Fault(cut=300),
    ],
)
def test_passing_failure_is_tried_again_with_smaller_pages(
    server: ForumServer, forum: Forum, asking, slept: list[float], tmp_path: Path, fault: Fault
) -> None:
    """Also a connection that is cut in the middle of a page."""
    wanted = fill(forum, 40)
    server.next(None, None, fault, fault)
    report = fetch_user(asking(server, pause=3.0), "mira", out=tmp_path)
    assert (ids_of(report), report.complete) == (wanted, True)
    assert [terms["limit"] for terms in server.pages()[:5]] == [10, 10, 5, 2, 10]
    assert [round(seconds) for seconds in slept if seconds > 3.0] == [6]


def test_lasting_failure_stops_after_four_tries(
    server: ForumServer, forum: Forum, asking, slept: list[float], tmp_path: Path
) -> None:
    wanted = fill(forum, 40)
    server.next(None, None, *[Fault(500, "oops")] * 4)
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert "does not answer: status 500 (4 tries)" in report.stopped
    assert (ids_of(report), report.requests) == (wanted[:10], 6)


def test_unreachable_site_is_an_error_with_a_way_out(asking, tmp_path: Path, forum: Forum) -> None:
    with serving(forum) as gone:
        client = asking(gone)
    with pytest.raises(ForumError, match="does not answer: no connection to 127"):
        fetch_user(client, "mira", out=tmp_path)


def test_endless_reply_is_refused(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.forums.client.LARGEST_REPLY", 1000)
    fill(forum, 20)
    with pytest.raises(ForumError, match="sent more than 1,000 bytes at once"):
        fetch_user(asking(server), "mira", out=tmp_path)


def test_packed_reply_is_unpacked(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    wanted = fill(forum, 3)
    reply = json.dumps({"data": {"users": {"results": [forum.mira]}}, "more": "x" * 200_000}).encode()
    server.next(Fault(200, gzip.compress(reply), {"Content-Encoding": "gzip"}))
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == wanted
    assert server.requests[0].headers["Accept-Encoding"] == "gzip"


def test_packed_reply_is_counted_while_it_is_unpacked(
    server: ForumServer, asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.forums.client.LARGEST_REPLY", 2**20)
    server.next(Fault(200, NOTHING), Fault(200, gzip.compress(bytes(60 * 2**20)), {"Content-Encoding": "gzip"}))
    client = asking(server)
    client.query("user_by_slug", lambda attempt: {})  # opens the connection
    tracemalloc.start()
    try:
        with pytest.raises(ForumError, match="sent more than 1,048,576 bytes at once"):
            fetch_user(client, "mira", out=tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", ["gzip, gzip", "deflate", "br", "x\x7f"])
def test_reply_packed_in_ways_that_were_not_asked_for_is_refused(
    server: ForumServer, asking, tmp_path: Path, packed: str
) -> None:
    server.next(Fault(200, gzip.compress(gzip.compress(bytes(2**20))), {"Content-Encoding": packed}))
    with pytest.raises(ForumError, match="which was not asked for"):
        fetch_user(asking(server), "mira", out=tmp_path)


@pytest.mark.parametrize(
    "body",
    [b"no gzip at all", gzip.compress(b'{"data": {}}' * 9)[:30], gzip.compress(b"\xff\xfe")],
    ids=["none", "cut", "no text"],  # the packed bytes hold the time
)
def test_damaged_packed_reply_is_tried_again(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, body: bytes
) -> None:
    wanted = fill(forum, 3)
    server.next(Fault(200, body, {"Content-Encoding": "gzip"}))
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == wanted


def ask_and_be_told(server: ForumServer, client: ForumClient, retry_after: str | None) -> None:
    """One question, which is told to come back later before it is answered."""
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    server.next(Fault(429, "slow down", headers), Fault(200, NOTHING))
    client.query("user_by_slug", lambda attempt: {})


@pytest.mark.parametrize("value", ["", "soon", "-3", "1e9", None])
def test_unreadable_retry_after_is_none(server: ForumServer, asking, slept: list[float], value: str | None) -> None:
    with pytest.raises(ForumError, match=r"asks us to slow down \(status 429\)"):
        ask_and_be_told(server, asking(server), value)
    assert slept == []


def test_retry_after_may_have_a_point(server: ForumServer, asking, slept: list[float]) -> None:
    ask_and_be_told(server, asking(server), "2.5")
    assert slept == [2.5]


def test_retry_after_may_be_a_date(server: ForumServer, asking, slept: list[float]) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    ask_and_be_told(server, asking(server), format_datetime(moment, usegmt=True))
    ask_and_be_told(server, asking(server), "Mon, 01 Jan 2024 00:00:00 GMT")
    (seconds,) = slept
    assert 80 < seconds <= 90


# --- what the site says of single fields, and of its schema ---


def test_field_that_fails_is_named_and_everything_else_kept(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    forum.add(
        forum.mira, forum.tides, contents={"markdown": ValueError("converter broke\n  at x"), "html": "<p>Whole.</p>"}
    )
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert [row["text"] for row in rows_of(report)] == ["Whole."]
    assert report.notes == ("The site could not give markdown of 1 comments; the rest of them is there.",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lastEditedAt: Date", "field Comment.lastEditedAt is gone (query comments_by_user.graphql)"),
        ("oldSlugs: [String!]!", "field User.oldSlugs is gone (query user_by_slug.graphql)"),
        ("markdown: String", "field Revision.markdown is gone (query comments_by_user.graphql)"),
        ('input: MultiUserInput @deprecated(reason: "Use the selector field instead")',
         "argument input of Query.users is gone (query user_by_slug.graphql)"),
    ],
)  # fmt: skip
def test_changed_schema_is_said_in_one_line(asking, tmp_path: Path, line: str, said: str) -> None:
    forum = peopled(Forum(without=line))
    fill(forum, 3)
    with serving(forum) as server, pytest.raises(ForumError) as caught:
        fetch_user(asking(server), "mira", out=tmp_path)
    assert str(caught.value).startswith(f"The site's schema has changed: {said}.")
    assert "stack" not in str(caught.value)


def test_input_field_that_is_gone_is_said(asking, tmp_path: Path) -> None:
    text = 'Variable "$input" got invalid value; Field "terms" is not defined by type "MultiUserInput".'
    fault = Fault(400, json.dumps({"errors": [{"message": text, "extensions": {"code": "BAD_USER_INPUT"}}]}))
    with serving(peopled(Forum())) as server:
        server.next(fault)
        with pytest.raises(ForumError, match=r"field MultiUserInput\.terms is gone"):
            fetch_user(asking(server), "mira", out=tmp_path)


def test_site_that_ignores_whose_comments_are_wanted_is_found_out(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forum.add(forum.oren, forum.tides)
    true = forum._comments
    monkeypatch.setattr(forum, "_comments", lambda info, input: true(info, {"terms": {"limit": 10}}))
    with pytest.raises(ForumError, match="answered with comments of another user: its views have changed"):
        fetch_user(asking(server), "mira", out=tmp_path)
    assert list(tmp_path.glob("*.jsonl")) == []


@pytest.mark.parametrize(
    "body", ["[]", '{"data": []}', '{"data": {"comments": {"results": 3}}}', '{"data": {"comments": 1}}']
)
def test_answer_of_another_shape_is_refused(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, body: str
) -> None:
    server.next(None, *[Fault(200, body, {"Content-Type": "application/json"})] * 4)
    with pytest.raises(ForumError):
        fetch_user(asking(server), "mira", out=tmp_path)


def test_odd_values_do_not_stop_the_import(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    half = forum.add(forum.mira, forum.tides, "Half a \ud83d and a \0.")
    forum.add(forum.mira, forum.tides, contents=None)
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert [(row["id"], row["text"]) for row in rows_of(report)] == [(half["_id"], "Half a \ufffd and a \0.")]
    assert report.left_out == {"without a text": 1}


@pytest.mark.parametrize(
    "users",
    [3, [], {"results": 3}, {"results": [None, 3, {}]}, {"results": [{"slug": "mira"}]}, {"results": [{"_id": 3, "slug": "mira"}]},
     {"results": [{"_id": "u", "slug": ["mira"], "oldSlugs": [["mira"], {}]}]}, {"results": [{"_id": "u", "oldSlugs": "mira"}]}],
)  # fmt: skip
def test_person_of_another_shape_is_none(server: ForumServer, asking, tmp_path: Path, users: Any) -> None:
    server.next(Fault(200, json.dumps({"data": {"users": users}})))
    with pytest.raises(ForumError, match='knows no user "mira"'):
        fetch_user(asking(server), "mira", out=tmp_path)


@pytest.mark.parametrize("reply", ['{"data": "mira"}', '{"data": null}', '{"errors": "none"}', "{}"])
def test_reply_without_data_says_nothing_about_the_person(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, reply: str
) -> None:
    wanted = fill(forum, 3)
    server.next(Fault(200, reply), Fault(200, reply, {"Content-Encoding": ""}))
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == wanted


@pytest.mark.parametrize("post", [3, [], {"result": 3}, {"result": []}])
def test_post_of_another_shape_is_none(server: ForumServer, asking, tmp_path: Path, post: Any) -> None:
    server.next(Fault(200, json.dumps({"data": {"post": post}})))
    with pytest.raises(ForumError, match="has no public post"):
        fetch_post(asking(server), ID, out=tmp_path)


def test_comment_of_another_shape_keeps_what_can_be_kept(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    ours = {"_id": "c1", "contents": {"markdown": "Whole."}, "userId": forum.mira["_id"]}
    odd = {
        "baseScore": ["many"], "voteCount": {"a": 1}, "parentCommentId": ["p"], "post": {"title": {"a": 1}, "slug": 7},
        "postedAt": 1700000000, "lastEditedAt": [], "user": {"displayName": 3, "slug": ["x"], "_id": {}}, "postId": 5,
        "tagId": [], "extendedScore": [], "af": True, "afBaseScore": [1],
    }  # fmt: skip
    half = {
        **ours,
        "_id": "c2",
        "contents": {"markdown": None, "html": "<p>Half a \ud83d.</p>"},
        "baseScore": "INFINITE",
    }
    body = json.dumps(
        {"data": {"comments": {"results": [{**ours, **odd}, half, {**ours, "_id": 3}], "totalCount": "x"}}}
    )
    server.next(None, Fault(200, body.replace('"INFINITE"', "1e999")))
    report = fetch_user(asking(server), "mira", out=tmp_path)
    first, second = rows_of(report)
    for made in (first, second):
        made.pop("seen_at")
    assert first == {
        "id": "c1", "text": "Whole.", "url": f"{server.url}/posts/5/7?commentId=c1", "thread_id": 5, "site": first["site"], "af": True
    }  # fmt: skip
    assert second == {"id": "c2", "text": "Half a \ufffd.", "site": first["site"]}


def test_names_and_titles_cannot_speak_to_the_terminal(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    forum.mira["displayName"] = "Mi\x1b[31mra\nStopped early: \u202eno"
    forum.tides["title"] = "On\x1b]0;x\x07 tides\n"
    fill(forum, 1)
    for report in (
        fetch_user(asking(server), "mira", out=tmp_path),
        fetch_post(asking(server), forum.tides["_id"], out=tmp_path),
    ):
        assert all(sign.isprintable() for sign in report.what)
        assert str(report).count("\n") == 0


# --- redirects ---


def test_redirect_to_a_known_host_keeps_method_and_body(forum: Forum, asking, tmp_path: Path) -> None:
    wanted = fill(forum, 15)
    with serving(Forum()) as door, serving(forum) as bots:
        door.next(*[Fault(307, "", {"Location": f"{bots.url}/graphql"})] * 3)
        client = asking(door, hosts=frozenset({bots.url.removeprefix("http://")}))
        report = fetch_user(client, "mira", out=tmp_path)
        assert ids_of(report) == wanted
        assert door.requests[0].body == bots.requests[0].body
        assert len(door.requests) == 1  # the rest of the run goes there at once
        assert bots.requests[0].headers["Host"] == bots.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("status", "location", "said"),
    [
        (
            307,
            "https://elsewhere.example/graphql",
            "redirects to https://elsewhere.example/graphql, which is not one of",
        ),
        (308, "http://169.254.169.254/latest", "which is not one of its known hosts"),
        (307, "file:///etc/passwd", "which is not one of its known hosts"),
        (307, "http://[broken", "redirects to no address"),
        (302, "/login", "redirects with 302"),
        (303, "https://elsewhere.example/", "redirects with 303"),
    ],
)
def test_redirect_elsewhere_is_refused(
    server: ForumServer, asking, tmp_path: Path, status: int, location: str, said: str
) -> None:
    server.next(Fault(status, "", {"Location": location}))
    with pytest.raises(ForumError) as caught:
        fetch_user(asking(server), "mira", out=tmp_path)
    assert said in str(caught.value)


def test_redirect_in_a_circle_ends(server: ForumServer, asking, tmp_path: Path) -> None:
    server.next(*[Fault(307, "", {"Location": "/graphql"})] * 9)
    with pytest.raises(ForumError, match="redirects in a circle"):
        fetch_user(asking(server), "mira", out=tmp_path)
    assert len(server.requests) == 4


def test_redirect_from_https_to_http_is_refused() -> None:
    client = ForumClient(LESSWRONG)
    with pytest.raises(ForumError, match="not one of its known hosts"):
        client._redirected("https://www.lesswrong.com/graphql", 307, "http://www.lesswrong.com/graphql")


# --- addresses ---


@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
     "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "::127.0.0.1", "::ffff:0:7f00:1",
     "64:ff9b:1::7f00:1", "fec0::1", "5f00::1", "3fff::1", "4000::1", "192.0.0.8", "192.88.99.1"],
)  # fmt: skip
def test_local_and_special_addresses_are_not_public(number: str) -> None:
    assert not is_public(number)


@pytest.mark.parametrize(
    "number", ["8.8.8.8", "151.101.1.69", "2606:4700::6810:84e5", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_addresses_of_the_internet_are_public(number: str) -> None:
    assert is_public(number)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "127。0。0。1",
        "::1",
        "::127.0.0.1",
        "fe80::1%lo",
    ],
)
def test_every_way_of_writing_this_machine_is_refused(host: str) -> None:
    with pytest.raises(ForumError, match="an address of this machine or a local network, which is never asked"):
        addresses(host, 443)


def test_name_that_leads_to_a_local_address_is_refused_before_connecting(
    server: ForumServer, forum: Forum, tmp_path: Path
) -> None:
    site = named_site(server.url.replace("127.0.0.1", "localhost"), allow_local=True)
    with ForumClient(site, pause=0) as client, pytest.raises(ForumError, match=r"localhost \("):
        fetch_user(client, "mira", out=tmp_path)
    assert server.requests == []


def test_redirect_to_a_known_name_with_a_local_address_is_refused(server: ForumServer) -> None:
    """A known host whose name has been made to lead into the local network."""
    site = Site("x", "X", "https://x.example", "https://x.example/graphql", frozenset({"localhost"}))
    client = ForumClient(site)
    target = client._redirected("https://x.example/graphql", 307, "https://localhost/graphql")
    with pytest.raises(ForumError, match="never asked"):
        client._send(target, b"{}")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    import trustme

    return trustme.CA()


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_certificate_is_checked_for_the_name_although_the_address_is_connected_to(
    authority: trustme.CA, forum: Forum, tmp_path: Path
) -> None:
    wanted = fill(forum, 3)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with serving(forum, certificate=certified(authority, "localhost")) as server:
        site = named_site(server.url.replace("127.0.0.1", "localhost"))
        with ForumClient(site, pause=0, allow_local=True, ssl_context=trusted) as client:
            assert ids_of(fetch_user(client, "mira", out=tmp_path)) == wanted
        assert server.requests[0].headers["Host"] == site.endpoint.split("/")[2]
        with ForumClient(site, pause=0, allow_local=True) as client, pytest.raises(ForumError, match="is not trusted"):
            fetch_user(client, "mira", out=tmp_path)
    with serving(forum, certificate=certified(authority, "other.example")) as server:
        site = named_site(server.url.replace("127.0.0.1", "localhost"))
        with (
            ForumClient(site, pause=0, allow_local=True, ssl_context=trusted) as client,
            pytest.raises(ForumError, match="certificate of localhost is not trusted"),
        ):
            fetch_user(client, "mira", out=tmp_path)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("forum.example.org", "is no address"),
        ("ftp://forum.example.org", "is no address"),
        ("https://user:secret@forum.example.org", "is no address"),
        ("https://forum.example.org:port", "is no address"),
        ("https://", "is no address"),
        ("https://forum example.org", "is no address"),
        ("https://[::1%25lo]", "is no address"),
        ("http://forum.example.org", "is not encrypted. Give https://forum.example.org."),
    ],
)
def test_host_that_cannot_be_asked_is_refused(host: str, said: str) -> None:
    with pytest.raises(ForumError) as caught:
        named_site(host)
    assert said in str(caught.value)


def test_named_host_is_asked_at_its_graphql() -> None:
    for host in ("https://Forum.example.org", "https://forum.example.org/", "https://forum.example.org/graphql"):
        assert named_site(host).endpoint == "https://forum.example.org/graphql"
    assert named_site("https://forum.example.org").name == "forum.example.org"
    assert named_site("https://lesswrong.com/") is LESSWRONG


# --- links and names ---

ID = "Kp4fYvGd2WqLx8RtZ"


@pytest.mark.parametrize(
    ("link", "site"),
    [
        (f"https://www.lesswrong.com/posts/{ID}/on-tides?commentId=x", "lesswrong"),
        (f"www.lesswrong.com/posts/{ID}", "lesswrong"),
        (f"https://www.lesswrong.com/s/{ID[::-1]}/p/{ID}", "lesswrong"),
        (f"https://www.lesswrong.com/events/{ID}/meetup", "lesswrong"),
        (f"https://www.lesswrong.com/g/{ID[::-1]}/p/{ID}/", "lesswrong"),
        (f"https://www.greaterwrong.com/posts/{ID}/on-tides#comment-x", "lesswrong"),
        (f"https://forum.effectivealtruism.org/posts/{ID}/on-tides", "eaforum"),
        (f"https://ea.greaterwrong.com/posts/{ID}", "eaforum"),
        (f"https://www.alignmentforum.org/posts/{ID}/x", "alignmentforum"),
        (f" http://LessWrong.com:80/posts/{ID}#fragment ", "lesswrong"),
        (f"//www.lesswrong.com/posts/{ID}", "lesswrong"),
        (f"<https://www.lesswrong.com/posts/{ID}/on-tides>", "lesswrong"),
        (f"https://www.lesswrong.com/posts/{ID}/on-tides/comment/x", "lesswrong"),
        (f"https://www.lesswrong.com/editPost?postId={ID}&eventForm=false", "lesswrong"),
        (f"https://www.lesswrong.com/api/post/{ID}", "lesswrong"),
        (f"https://other.example/posts/{ID}/x", None),
        (f" {ID}\n", None),
        (ID, None),
    ],
)
def test_link_to_a_post_is_understood(link: str, site: str | None) -> None:
    post = post_of(link)
    found = site_of(post.host)
    assert (post.id, found.name if found else None) == (ID, site)


@pytest.mark.parametrize(
    "link",
    [
        "https://www.lesswrong.com/users/mira",
        "https://www.lesswrong.com/posts/short",
        "tides",
        "",
        "https://",
        "https://[/posts/x",
    ],
)
def test_other_links_are_refused(link: str) -> None:
    with pytest.raises(ForumError, match=r"is no link to a post|is no address"):
        post_of(link)


def test_post_of_another_site_is_refused(asking, server: ForumServer, tmp_path: Path) -> None:
    with pytest.raises(ForumError, match="does not lead to"):
        fetch_post(asking(server), f"https://www.lesswrong.com/posts/{ID}/x", out=tmp_path)
    assert server.requests == []


def test_name_may_be_the_address_of_a_profile() -> None:
    assert user_of("https://www.lesswrong.com/users/mira?tab=all") == ("www.lesswrong.com", "mira")
    assert user_of("mira") == (None, "mira")


@pytest.mark.parametrize(
    ("link", "host", "name"),
    [
        ("www.lesswrong.com/users/mira", "www.lesswrong.com", "mira"),
        ("/users/mira", None, "mira"),
        ("https://Other.example:443/users/mira%20v/replies", "other.example", "mira v"),
        ("https://www.greaterwrong.com/users/mira?show=posts", "www.greaterwrong.com", "mira"),
    ],
)
def test_link_to_a_person_is_understood(link: str, host: str | None, name: str) -> None:
    assert user_of(link) == (host, name)


@pytest.mark.parametrize("name", ["", "  ", "https://www.lesswrong.com/", f"https://www.lesswrong.com/posts/{ID}", "/"])
def test_what_names_nobody_is_refused_and_nothing_asked(server: ForumServer, asking, tmp_path: Path, name: str) -> None:
    with pytest.raises(ForumError, match="is neither a name nor a link to a profile"):
        fetch_user(asking(server), name, out=tmp_path)
    assert server.requests == []


def test_person_of_another_site_is_refused(server: ForumServer, asking, tmp_path: Path) -> None:
    """The same name may be somebody else there."""
    with pytest.raises(ForumError, match=r"does not lead to 127\.0\.0\.1:\d+\. Name its site, or give --host"):
        fetch_user(asking(server), "https://www.lesswrong.com/users/mira", out=tmp_path)
    assert server.requests == []


def test_links_name_the_site(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    for name in ("fetch_user", "fetch_post"):
        monkeypatch.setattr(
            f"ingest.fetch_command.{name}", lambda client, link, **options: asked.append(client.site.name)
        )
    for arguments in (
        ["--user", "https://www.lesswrong.com/users/mira"],
        ["--user", "https://ea.greaterwrong.com/users/mira", "--post", ID],
        ["--post", ID, "--post", f"https://www.alignmentforum.org/posts/{ID}"],
        ["--user", "mira", "--post", f"https://www.lesswrong.com/posts/{ID}"],
    ):
        with suppress(AttributeError):
            main(["fetch", *arguments, "--out", str(tmp_path)])
    assert asked == ["lesswrong", "eaforum", "alignmentforum"]
    assert "say which site" in capsys.readouterr().err


def test_person_is_found_by_former_name_other_case_and_id(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    forum.mira["oldSlugs"].append("mira-v")
    wanted = fill(forum, 2)
    for name in ("mira", "Mira", "mira-v", forum.mira["_id"], f"{server.url}/users/mira"):
        report = fetch_user(asking(server), name, out=tmp_path)
        assert (report.file.name.split("_", 1)[1], ids_of(report)) == ("mira.jsonl", wanted)


def test_unknown_person_is_said(server: ForumServer, asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ForumError, match=r'knows no user "nobody"\. Give the name as it stands in the address'):
        fetch_user(asking(server), "nobody", out=tmp_path)
    # A site that no longer knows the view answers with anybody.
    monkeypatch.setattr(server.forum, "_users", lambda info, input: {"results": list(server.forum.users.values())})
    with pytest.raises(ForumError, match='knows no user "nobody"'):
        fetch_user(asking(server), "nobody", out=tmp_path)


# --- posts ---


def test_post_gives_comments_answers_their_replies_and_debate(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    other = forum.add_post("elsewhere")
    answer = forum.add(forum.oren, forum.tides, "An answer.", answer=True)
    comments = [
        forum.add(forum.mira, forum.tides),
        answer,
        forum.add(
            forum.mira, forum.tides, "A reply to it.", parentCommentId=answer["_id"], parentAnswerId=answer["_id"]
        ),
        forum.add(forum.oren, forum.tides, "Part of a debate.", debateResponse=True),
    ]
    forum.add(forum.mira, other)
    comments += [forum.add(forum.mira, forum.tides) for _ in range(25)]
    report = fetch_post(asking(server), f"{server.url}/posts/{forum.tides['_id']}/on-tides", out=tmp_path)
    assert sorted(ids_of(report)) == sorted(comment["_id"] for comment in comments)
    rows = {row["id"]: row for row in rows_of(report)}
    assert rows[answer["_id"]]["answer"] is True
    assert rows[comments[3]["_id"]]["debate_response"] is True
    assert rows[comments[2]["_id"]]["parent_id"] == answer["_id"]
    assert {(row["thread_id"], row["title"]) for row in rows.values()} == {(forum.tides["_id"], "On Tides")}
    assert report.what == 'comments under "On Tides"'


def test_post_with_more_comments_than_offsets_reach_is_read_from_both_ends(asking, tmp_path: Path) -> None:
    forum = peopled(Forum(farthest=20))
    wanted = fill(forum, 70)
    with serving(forum) as server:
        report = fetch_post(asking(server, farthest=20, last_page=20), forum.tides["_id"], out=tmp_path)
    assert (sorted(ids_of(report)), report.stopped) == (wanted, None)


def test_post_that_is_not_public_is_said(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    with pytest.raises(ForumError, match=f"has no public post with the id {ID}"):
        fetch_post(asking(server), ID, out=tmp_path)
    draft = forum.add_post("draft", draft=True)
    with pytest.raises(ForumError, match="it is a draft or hidden"):
        fetch_post(asking(server), draft["_id"], out=tmp_path)


def test_post_fetched_again_is_as_it_is_now(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    first, second, third = (forum.add(forum.mira, forum.tides) for _ in range(3))
    fetch_post(asking(server), forum.tides["_id"], out=tmp_path)
    first |= {"deleted": True, "deletedPublic": True}
    second["baseScore"] = 99
    fourth = forum.add(forum.oren, forum.tides)
    report = fetch_post(asking(server), forum.tides["_id"], out=tmp_path)
    assert (report.new, report.changed, report.removed) == (1, 1, 1)
    assert [(row["id"], row["karma"]) for row in rows_of(report)] == [
        (second["_id"], 99), (third["_id"], 3), (fourth["_id"], 3)
    ]  # fmt: skip


# --- a second run ---


def test_second_run_asks_only_for_what_is_new_or_edited(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    wanted = fill(forum, 35)
    fetch_user(asking(server), "mira", out=tmp_path)
    asked = len(server.pages())
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    forum.comments[wanted[4]] |= {"contents": {"markdown": "Corrected.", "html": ""}, "lastEditedAt": now}
    wanted += fill(forum, 2)
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert (report.new, report.changed, report.removed, report.stored) == (2, 1, 0, 37)
    assert ids_of(report) == wanted
    assert rows_of(report)[4]["text"] == "Corrected."
    assert [(terms.get("timeField"), terms["offset"]) for terms in server.pages()[asked:]] == [
        (None, 0),
        ("lastEditedAt", 0),
    ]


def test_text_that_the_site_takes_back_is_taken_out_by_the_next_run(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    wanted = fill(forum, 15)
    fetch_user(asking(server), "mira", out=tmp_path)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    forum.comments[wanted[3]] |= {"spam": True, "lastEditedAt": now}
    forum.comments[wanted[14]] |= {"contents": None}
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert (report.new, report.changed, report.removed, report.stored) == (0, 0, 1, 14)
    assert ids_of(report) == wanted[:3] + wanted[4:]
    assert report.left_out == {"spam": 1, "without a text": 1}
    assert fetch_user(asking(server), "mira", out=tmp_path).notes == ()


@pytest.mark.parametrize("walk", ["date", "offset"])
def test_comment_of_the_future_hides_nothing_from_the_next_run(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, walk: str
) -> None:
    wanted = [*fill(forum, 3), forum.add(forum.mira, forum.tides, postedAt="2999-01-01T00:00:00.000Z")["_id"]]
    fetch_user(asking(server, walk=walk), "mira", out=tmp_path)
    wanted += fill(forum, 2)
    report = fetch_user(asking(server, walk=walk), "mira", out=tmp_path)
    assert (sorted(ids_of(report)), report.new) == (sorted(wanted), 2)


def test_second_run_by_offset_asks_only_for_what_is_new(ea: ForumServer, asking, tmp_path: Path) -> None:
    wanted = fill(ea.forum, 25)
    fetch_user(asking(ea, walk="offset", farthest=20), "mira", out=tmp_path)
    asked = len(ea.pages())
    wanted += fill(ea.forum, 3)
    report = fetch_user(asking(ea, walk="offset", farthest=20), "mira", out=tmp_path)
    assert (ids_of(report)[:25], set(ids_of(report)), report.new) == (wanted[:25], set(wanted), 3)
    assert [(terms["sortBy"], terms["offset"]) for terms in ea.pages()[asked:]] == [("new", 0)]


def test_refresh_replaces_the_file_when_it_is_complete(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    wanted = fill(forum, 25)
    before = fetch_user(asking(server), "mira", out=tmp_path).file.read_bytes()
    del forum.comments[wanted[0]]
    forum.comments[wanted[1]]["baseScore"] = 50
    server.next(None, None, Fault(403))
    report = fetch_user(asking(server), "mira", out=tmp_path, refresh=True)
    assert report.stopped
    assert report.file.read_bytes() == before
    assert report.notes == (f"They are kept aside: {report.file} stays as it was until all are there.",)
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert (report.complete, report.new, report.changed, report.removed) == (True, 0, 1, 1)
    assert ids_of(report) == wanted[1:]
    assert rows_of(report)[0]["karma"] == 50


def test_earlier_since_fetches_what_was_left_out(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    wanted = fill(forum, 30)
    fetch_user(asking(server), "mira", out=tmp_path, since=START + timedelta(hours=20))
    report = fetch_user(asking(server), "mira", out=tmp_path, since=START + timedelta(hours=5))
    assert (ids_of(report), report.new) == (wanted[5:], 15)
    later = fetch_user(asking(server), "mira", out=tmp_path, since=START + timedelta(hours=25))
    assert (ids_of(later), later.notes) == (wanted[5:], ("The file keeps its older comments since 2024-01-01.",))


# --- interruptions ---


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_killed_import_goes_on_where_it_was(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    """The process is killed, or stopped with Ctrl-C, while it waits for its third page."""
    wanted = fill(forum, 350)
    waiting, release = threading.Event(), threading.Event()
    true = forum._comments

    def slow(info: Any, input: dict[str, Any]) -> dict[str, Any]:
        if len(server.pages()) == 3:
            waiting.set()
            release.wait(20)
        return true(info, input)

    forum._comments = slow
    command = ["fetch", "--host", server.url, "--allow-local", "--pause", "0", "--user", "mira", "--out", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert waiting.wait(60)
    process.send_signal(sent)
    said = process.communicate()[1]
    assert (process.returncode, "run the same command again to go on" in said) == (status, sent == signal.SIGINT)
    release.set()
    report = fetch_user(asking(server, page=100), "mira", out=tmp_path)
    assert (ids_of(report), report.new) == (wanted, 151)
    assert server.pages()[3]["after"] == server.pages()[2]["after"]


def test_page_written_before_its_state_is_not_written_twice(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    """Dying between the two, and in the middle of a row."""
    wanted = fill(forum, 35)
    server.next(None, None, Fault(403))
    report = fetch_user(asking(server), "mira", out=tmp_path)
    state = tmp_path / f".{report.file.name}.state"
    early = state.read_bytes()
    server.next(None, None, None, Fault(403))
    fetch_user(asking(server), "mira", out=tmp_path)
    state.write_bytes(early)
    data = report.file.read_bytes()
    report.file.write_bytes(data[:-30])
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == wanted


@pytest.mark.parametrize("stopped", [False, True])
def test_file_that_was_cut_anywhere_is_whole_again(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, stopped: bool
) -> None:
    wanted = fill(forum, 35)
    server.next(None, None, None, *[Fault(403)] * stopped)
    first = fetch_user(asking(server), "mira", out=tmp_path)
    data, state = first.file.read_bytes(), tmp_path / f".{first.file.name}.state"
    before, row = state.read_bytes(), data.index(b"\n") + 1
    for cut in (0, 1, row - 1, row, row + 1, len(data) // 2, len(data) - 1):
        first.file.write_bytes(data[:cut])
        state.write_bytes(before)
        report = fetch_user(asking(server), "mira", out=tmp_path)
        assert (ids_of(report), report.complete) == (wanted, True)
        assert report.notes == ("The file had lost rows that were in it: everything was asked for again.",)


def test_second_import_into_the_same_file_is_refused(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    file = fetch_user(asking(server), "mira", out=tmp_path).file
    with CommentFile(file), pytest.raises(ForumError, match="Another import is writing"):
        fetch_user(asking(server), "mira", out=tmp_path)
    with CommentFile(file):
        pass


@pytest.mark.parametrize("largest", [200, 3_000, 6_000, 9_000])
def test_full_disk_is_said_and_the_import_goes_on_later(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, largest: int
) -> None:
    """No file may grow beyond a size, as where the disk is full."""
    wanted = fill(forum, 35)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, limits[1]))
    try:
        try:
            said = fetch_user(asking(server), "mira", out=tmp_path).stopped
        except ForumError as exc:
            said = str(exc)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "cannot be written (File too large). Make room, then run the same command again." in said
    report = fetch_user(asking(server), "mira", out=tmp_path)
    assert (ids_of(report), report.complete) == (wanted, True)


def test_folder_in_the_place_of_the_file_is_said(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    fill(forum, 3)
    file = fetch_user(asking(server), "mira", out=tmp_path).file
    file.unlink()
    file.mkdir()
    with pytest.raises(ForumError, match=r"cannot be written \(Is a directory\)"):
        fetch_user(asking(server), "mira", out=tmp_path)


def test_file_that_was_removed_is_fetched_again(server: ForumServer, forum: Forum, asking, tmp_path: Path) -> None:
    wanted = fill(forum, 15)
    fetch_user(asking(server), "mira", out=tmp_path).file.unlink()
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == wanted


def test_complete_refresh_that_died_before_the_exchange_takes_effect(
    server: ForumServer, forum: Forum, asking, tmp_path: Path
) -> None:
    wanted = fill(forum, 5)
    report = fetch_user(asking(server), "mira", out=tmp_path)
    state = tmp_path / f".{report.file.name}.state"
    state.write_text(json.dumps({**json.loads(state.read_text(encoding="utf-8")), "anew": True}), encoding="utf-8")
    (tmp_path / f".{report.file.name}.new").write_bytes(report.file.read_bytes())
    report.file.write_text('{"id": "old"}\n', encoding="utf-8")
    assert ids_of(fetch_user(asking(server), "mira", out=tmp_path)) == wanted


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda jsonl, state: state.unlink(), "but nothing says how far its import had come"),
        (lambda jsonl, state: state.write_text("{"), "is damaged"),
        (lambda jsonl, state: state.write_text('{"format": 1}'), "is damaged (anew is missing)"),
        (lambda jsonl, state: state.write_text('{"format": 99}'), "was written by another version"),
        (lambda jsonl, state: state.write_text(state.read_text().replace('"u0', '"u9')), "comments of somebody else"),
    ],
)
def test_file_of_somebody_else_is_never_written_to(
    server: ForumServer, forum: Forum, asking, tmp_path: Path, spoil: Callable[[Path, Path], object], said: str
) -> None:
    fill(forum, 5)
    file = fetch_user(asking(server), "mira", out=tmp_path).file
    before = file.read_bytes()
    spoil(file, tmp_path / f".{file.name}.state")
    with pytest.raises(ForumError) as caught:
        fetch_user(asking(server), "mira", out=tmp_path)
    assert said in str(caught.value)
    assert file.read_bytes() == before


def test_folder_that_cannot_be_made_is_said(server: ForumServer, asking, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ForumError, match="cannot be written"):
        fetch_user(asking(server), "mira", out=tmp_path / "file")


# --- the command ---


def fetch_command(server: ForumServer, *more: str) -> list[str]:
    return ["fetch", "--host", server.url, "--allow-local", "--pause", "0", *more]


@pytest.mark.slow
def test_fetched_comments_are_ingested_like_any_other(
    server: ForumServer, forum: Forum, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = forum.add(forum.oren, forum.tides, "The moon raises the tides, they say.")
    reply = forum.add(forum.mira, forum.tides, "> The moon raises the tides\n\nSo does the sun, as $r^{-3}$ says.",
                      parentCommentId=root["_id"])  # fmt: skip
    forum.add(forum.oren, forum.tides, "Nobody may read this.", deleted=True, deletedPublic=True)
    command = fetch_command(server, "--post", forum.tides["_id"], "--out", str(tmp_path / "out"), "--ingest", "--json")
    assert main(command) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["fetched"][0]["new"], said["fetched"][0]["left_out"]) == (2, {"deleted": 1})
    assert (said["ingest"]["counts"]["comments"], said["ingest"]["errors"], said["stopped"]) == (2, [], None)
    comments = {comment.id: comment for comment in rag.comments()}
    assert len(comments) == 2
    found = next(comment for comment in comments.values() if comment.author == "Mira")
    assert found.text == reply["contents"]["markdown"]
    assert found.url == f"{server.url}/posts/{forum.tides['_id']}/on-tides?commentId={reply['_id']}"
    assert (found.posted_at, found.karma, found.title) == (START + timedelta(hours=1), 3, "On Tides")
    assert [found.text[start:end].strip() for start, end in found.quoted] == ["> The moon raises the tides"]


@pytest.mark.slow
def test_exit_status_and_report(
    server: ForumServer, forum: Forum, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(forum, 150)
    command = fetch_command(server, "--user", "mira", "--out", str(tmp_path))
    server.next(Fault(403))
    assert main(command) == 2
    assert "refuses to answer programs" in capsys.readouterr().err
    server.next(None, None, Fault(429))
    assert main(command) == 1
    said = capsys.readouterr().out
    assert "comments by Mira: 100 comments are in" in said
    assert "Stopped early: 127.0.0.1" in said
    assert "run the same command later to go on" in said
    assert main([*command, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main(command) == 0
    assert "150 comments are in" in capsys.readouterr().out


@pytest.mark.slow
def test_stop_at_one_person_keeps_the_others(
    server: ForumServer, forum: Forum, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(forum, 3)
    command = fetch_command(server, "--user", "mira", "--user", "nobody", "--out", str(tmp_path), "--json")
    assert main(command) == 1
    said = json.loads(capsys.readouterr().out)
    assert [report["stored"] for report in said["fetched"]] == [3]
    assert 'knows no user "nobody"' in said["stopped"]


def test_what_a_site_gives_nobody_does_not_stop_the_import_of_others(
    ea: ForumServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ea.forum, 90)
    ea.forum.add(ea.forum.oren, ea.forum.tides)
    site = replace(named_site(ea.url, allow_local=True), walk="offset", farthest=20, page=10, last_page=20)
    monkeypatch.setattr("ingest.fetch_command.named_site", lambda host, **options: site)
    assert main(fetch_command(ea, "--user", "mira", "--user", "oren", "--out", str(tmp_path))) == 1
    said = capsys.readouterr().out
    assert "lets nobody page further" in said
    assert "comments by Oren: 1 comments are in" in said
    assert "Stopped early" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "mira"], "say which site. Known are lesswrong, alignmentforum, eaforum"),
        (["reddit", "--user", "mira"], '"reddit" is not known'),
        (["lesswrong"], "say what. Give --user NAME or --post URL"),
        (["lesswrong", "--user", "mira", "--since", "yesterday"], "--since takes a date such as 2023-01-31"),
        (["lesswrong", "--user", "mira", "--since", "2023-02-30"], "--since takes a date"),
        (["lesswrong", "--user", "mira", "--since", "0001-01-01T00:00:00+14:00"], "--since takes a date"),
        (["lesswrong", "--user", "mira", "--since", " "], "--since is empty"),
        (["lesswrong", "--user", "mira", "--since", "2999-01-01"], "--since 2999-01-01 lies in the future"),
        (["lesswrong", "--user", "mira", "--pause", "0"], "--pause 0 is not possible. Give 3 to 3600 seconds"),
        (["lesswrong", "--user", "mira", "--pause", "nan"], "--pause nan is not possible"),
        (["lesswrong", "--user", "mira", "--allow-local"], "--allow-local goes with --host"),
        (["lesswrong", "--user", "mira", "--host", "https://x.example"], "give either lesswrong or --host"),
        (["--host", "https://127.0.0.1:9", "--user", "mira"], "127.0.0.1 is an address of this machine"),
        (["--host", "https://localhost", "--user", "mira"], "is an address of this machine or a local network"),
        (["--host", "http://127.0.0.1:9", "--user", "mira"], "is not encrypted"),
        (["--host", "nonsense", "--user", "mira"], "is no address"),
        (["eaforum", "--post", f"https://www.lesswrong.com/posts/{ID}/x"], "does not lead to EA Forum"),
    ],
)
def test_wrong_arguments_are_explained_and_nothing_is_asked(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
