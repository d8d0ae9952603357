"""Exports of many sites: what is proposed for their columns, read with that proposal, gives what the site shows."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.sources import Problem, RawDocument

from reading import read  # isort: skip

DAY, NEXT = "2023-01-02T10:00:00.000Z", "2023-01-03T10:00:00.000Z"
SECONDS = 1672653600


def table(*rows: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


WORDPRESS = [
    {"comment_ID": n, "comment_post_ID": 10, "comment_author": who, "comment_author_email": "x@example.org",
     "comment_date": "2023-01-02 11:00:00", "comment_date_gmt": DAY, "comment_content": text, "comment_karma": 0,
     "comment_approved": 1, "comment_parent": parent, "user_id": 0}
    for n, who, text, parent in ((1, "Ann", "Rye.", 0), (2, "Bo", "Oats.", 1))
]  # fmt: skip
EXPORTS = {
    "wordpress.csv": table(*WORDPRESS),
    "wordpress_rest.json": [
        {"id": n, "post": 10, "parent": parent, "author": 0, "author_name": who, "author_url": "", "date": "2023-01-02T11:00:00",
         "date_gmt": DAY, "content": {"rendered": f"<p>{text}</p>\n"}, "_links": {"self": [{"href": "https://example.org"}]}}
        for n, who, text, parent in ((1, "Ann", "Rye.", 0), (2, "Bo", "Oats.", 1))
    ],
    "discourse.json": {
        "post_stream": {"posts": [
            {"id": n, "name": "", "username": who, "created_at": DAY, "cooked": f"<p>{text}</p>", "post_number": n, "topic_id": 7}
            for n, who, text in ((1, "Ann", "Rye."), (2, "Bo", "Oats."))
        ], "stream": [1, 2]},
        "id": 7, "title": "Bread",
    },
    "disqus.json": {"code": 0, "response": [
        {"id": str(n), "author": {"username": "u", "name": who}, "message": f"<p>{text}</p>", "raw_message": text, "createdAt": DAY,
         "parent": parent, "likes": 2, "thread": "99"}
        for n, who, text, parent in ((1, "Ann", "Rye.", None), (2, "Bo", "Oats.", 1))
    ]},
    "yt-dlp.info.json": {"id": "v", "title": "Bread", "formats": [{"format_id": "1"}], "comments": [
        {"id": str(n), "text": text, "timestamp": SECONDS, "like_count": 1, "author": who, "author_id": "UC", "parent": parent}
        for n, who, text, parent in ((1, "Ann", "Rye.", "root"), (2, "Bo", "Oats.", "1"))
    ]},
    "takeout.csv": table(*(
        {"Comment ID": n, "Channel ID": "UC", "Comment Create Timestamp": DAY, "Parent Comment ID": parent, "Video ID": "v",
         "Comment Text": json.dumps({"text": text}), "Author Name": who}
        for n, who, text, parent in ((1, "Ann", "Rye.", ""), (2, "Bo", "Oats.", 1))
    )),
    "discord.json": {"guild": {"id": "1", "name": "Bakers"}, "messages": [
        {"id": str(n), "type": "Default", "timestamp": DAY, "content": text, "author": {"id": "7", "name": who}, "attachments": []}
        for n, who, text in ((1, "Ann", "Rye."), (2, "Bo", "Oats."))
    ]},
    "telegram.json": {"name": "Bakers", "messages": [
        {"id": 1, "date": DAY, "from": "Ann", "text": "Rye.", "text_entities": []},
        {"id": 2, "date": DAY, "from": "Bo", "reply_to_message_id": 1, "text": ["Oa", {"type": "bold", "text": "ts"}, "."]},
    ]},
    "stackexchange.json": {"items": [
        {"owner": {"display_name": who}, "score": 3, "creation_date": SECONDS, "comment_id": n, "post_id": 4, "body": text}
        for n, who, text in ((1, "Ann", "Rye."), (2, "Bo", "Oats."))
    ]},
    "by_id.json": {"1": {"user": "Ann", "body": "Rye.", "created": DAY}, "2": {"user": "Bo", "body": "Oats.", "created": DAY}},
    "words.csv": table(*({"ID": n, "Author": who, "Comment": text, "Posted At": DAY} for n, who, text in ((1, "Ann", "Rye."), (2, "Bo", "Oats.")))),
}  # fmt: skip


def proposal(items: list[RawDocument | Problem]) -> dict[str, str]:
    """The first mapping that a report proposes."""
    fixes = (item.fix for item in items if isinstance(item, Problem))
    option = next(found[1] for fix in fixes if (found := re.search(r"--map ('[^']*'|\S+)$", fix)))
    return dict(pair.split("=") for pair in shlex.split(option)[0].split(","))


@pytest.mark.parametrize("name", EXPORTS)
def test_one_proposal_is_enough_to_read_an_export(name: str, tmp_path: Path):
    data = EXPORTS[name]
    (tmp_path / name).write_text(data if isinstance(data, str) else json.dumps(data))

    items = list(read([tmp_path], columns=proposal(list(read([tmp_path])))))

    found = [item for item in items if isinstance(item, RawDocument)]
    assert [(item.id, item.author, item.text) for item in found] == [("1", "Ann", "Rye."), ("2", "Bo", "Oats.")]
    assert {item.posted_at for item in found} == {datetime(2023, 1, 2, 10, tzinfo=UTC)}
    tells_parents = re.search("parent|reply", json.dumps(data), re.IGNORECASE)
    assert [item.parent_id for item in found] == [None, "1" if tells_parents else None]


def test_rows_that_differ_in_further_columns_share_one_proposal(tmp_path: Path):
    rows = [{"body": "Rye.", **{"x" * n: 1}} for n in range(1, 50)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    first, *others = read([tmp_path])
    assert first.fix == "If the columns are what their names say, read them with: --map text=body"
    assert {(other.what, other.fix) for other in others} == {
        ("The row has no text, like the one on line 1.", "See there.")
    }


def test_rows_that_share_a_proposal_share_it_on_one_line_too(tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps([{"body": "Rye."}, {"body": "Oats.", "x": 1}]))
    assert [item.what for item in read([tmp_path])][1:] == ["The row has no text, like the one on line 1."]


def test_the_answer_of_a_server_that_refused_is_no_export(tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps({"errors": [{"message": "Not allowed"}], "data": None}))
    (problem,) = read([tmp_path])
    assert str(problem) == 'a.json:1: It is no export, but what a server answered: "Not allowed". Export it again.'


def test_a_proposal_never_takes_a_number_for_words_nor_a_name_of_something_else(tmp_path: Path):
    row = {"post": 10, "guild": {"name": "Bakers"}, "author": {"badge": 1}, "attachment": {"url": "x"}}
    (tmp_path / "a.json").write_text(json.dumps(row))
    (problem,) = read([tmp_path])
    assert problem.fix == "Name the column that holds it: --map text=COLUMN"


def test_an_object_in_the_place_of_a_name_is_looked_into(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "Rye.", "author": {"id": 7, "display_name": "Ann"}}))
    problem, document = read([tmp_path])
    assert (
        problem.fix == "With --map author=author.display_name the one inside it is read. The rest of the row was read."
    )
    assert document.text == "Rye."


@pytest.mark.parametrize("parent", [0, "0", "-1", "root"])
def test_what_says_that_a_row_answers_none_is_no_parent_unless_a_row_is_called_so(parent: Any, tmp_path: Path):
    rows = [{"id": 5, "text": "Rye.", "parent_id": parent}, {"id": parent, "text": "Oats."}, {"id": 7, "text": "Emmer.", "parent_id": parent}]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert [item.parent_id for item in read([tmp_path])] == [None, None, str(parent)]


def test_quotations_of_discourse_are_somebody_elses_words(tmp_path: Path):
    text = '<aside class="quote" data-username="ann">\n<blockquote>\n<p>Rye rises.</p>\n</blockquote>\n</aside>\n<p>It does not.</p>'
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}))
    (document,) = read([tmp_path])
    assert (document.text, document.quoted) == ("> Rye rises.\n\nIt does not.", ((0, 12),))
