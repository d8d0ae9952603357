"""Each kind of source: what becomes text, and what is known about it."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from ingest.sources import KINDS, Problem, RawDocument, SourceFile, check_columns, csv_records, files, json_file
from rag.errors import SourceError

from reading import read  # isort: skip
from saved_pages import COLLAPSED, DELETED, lesswrong_comment  # isort: skip
from saved_pages import EA_USER, GREATERWRONG_POST, GREATERWRONG_USER, LESSWRONG_2020, LESSWRONG_POST, LESSWRONG_USER  # isort: skip

DUMP = """Ada Quill

Bookbinder in Utrecht. Interested in paper, glue and patience.

Wiki Contributions

Comments

Thanks for the pointer! I had not heard of wheat paste before.

I agree that the grain matters more than the weight.
"""
NOON = datetime(2024, 5, 31, 12, tzinfo=UTC)


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8", newline="")
    return path


def read_one(path: Path, **options: Any) -> RawDocument:
    """The only thing that a file holds."""
    (document,) = read([path], **options)
    assert isinstance(document, RawDocument), document
    return document


def known(document: RawDocument, *names: str) -> dict[str, Any]:
    """Fields that say something, or those named."""
    values = {name: getattr(document, name) for name in document.__dataclass_fields__ if name != "modified_at"}
    return {name: value for name, value in values.items() if (name in names if names else value not in (None, (), {}))}


def by_id(path: Path) -> dict[str | None, RawDocument]:
    return {item.id: item for item in read([path]) if isinstance(item, RawDocument)}


def problems(path: Path, **options: Any) -> list[Problem]:
    return [item for item in read([path], **options) if isinstance(item, Problem)]


# --- files and folders ------------------------------------------------------------------------------------------------


def names(*paths: Path) -> list[str]:
    return [item.source if isinstance(item, SourceFile) else f"! {item}" for item in files(paths)]


def test_a_folder_is_walked_in_sorted_order_without_hidden_files(tmp_path: Path):
    for name in ("b/z.txt", "b/a.txt", "a.txt", "B.md", ".hidden.txt", ".git/x.txt", "c/d/e.jsonl"):
        write(tmp_path / name, "x")

    assert names(tmp_path) == ["B.md", "a.txt", "b/a.txt", "b/z.txt", "c/d/e.jsonl"]


def test_a_file_is_named_by_itself_and_known_by_its_bytes(tmp_path: Path):
    path = write(tmp_path / "deep" / "a.txt", b"x\r\n")

    (file,) = files([path])

    assert isinstance(file, SourceFile)
    assert (file.source, file.path, file.root, file.size) == ("a.txt", path, path, 3)
    assert file.sha256 == hashlib.sha256(b"x\r\n").hexdigest()
    assert file.modified_at == datetime.fromtimestamp(path.stat().st_mtime, UTC)


def test_equal_names_in_different_folders_are_told_apart_and_others_keep_theirs(tmp_path: Path):
    for name in ("may/data/a.txt", "june/data/a.txt", "june/data/b.txt"):
        write(tmp_path / name, "x")

    assert names(tmp_path / "may" / "data", tmp_path / "june" / "data") == [
        "may/data/a.txt",
        "june/data/a.txt",
        "b.txt",
    ]
    assert names(tmp_path / "may", tmp_path / "june" / "data" / "a.txt") == ["data/a.txt", "a.txt"]


def test_a_file_given_twice_is_read_once_under_the_name_that_says_most(tmp_path: Path):
    path = write(tmp_path / "sub" / "a.txt", "x")

    assert names(tmp_path, path, path) == names(path, tmp_path) == names(tmp_path) == ["sub/a.txt"]


def test_links_to_files_are_read_once_and_links_to_folders_are_not_followed(tmp_path: Path):
    write(tmp_path / "in" / "a.txt", "x")
    write(tmp_path / "outside.txt", "y")
    (tmp_path / "in" / "again.txt").symlink_to("a.txt")
    (tmp_path / "in" / "other.txt").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "in" / "loop").symlink_to(".")

    assert names(tmp_path / "in") == [
        "! loop: A link to a folder, which is not followed. Give that folder itself.",
        "a.txt",
        "other.txt",
    ]


def test_what_a_browser_saves_beside_a_page_is_no_source(tmp_path: Path):
    for name in (
        "On knots.html",
        "On knots_files/page.css",
        "On knots_files/evil.html",
        "notes_files/a.txt",
        "notes/b.txt",
    ):
        write(tmp_path / name, "x")

    assert names(tmp_path) == ["On knots.html", "notes/b.txt", "notes_files/a.txt"]


def test_kinds_name_all_endings():
    assert set(KINDS) == {
        *(".txt", ".text", ".md", ".markdown", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"),
        *(".html", ".htm", ".xhtml"),
    }


# --- texts, and what is said beside them ------------------------------------------------------------------------------


def test_a_dump_is_a_profile_and_another_text_a_document(tmp_path: Path):
    dump = read_one(write(tmp_path / "ada.txt", DUMP))
    note = read_one(write(tmp_path / "note.md", "# Glue\n\nWheat paste is flour and water.\r\n"))

    assert (dump.source, dump.text, dump.kind, dump.author) == ("ada.txt", DUMP, "profile", None)
    assert (note.source, note.text, note.kind) == (
        "note.md",
        "# Glue\n\nWheat paste is flour and water.\r\n",
        "document",
    )


def test_pages_of_several_users_in_one_file_are_read_one_by_one(tmp_path: Path):
    other = DUMP.replace("Ada Quill", "# Bram Oak").replace("Bookbinder in Utrecht", "PhD student in Delft")
    path = write(tmp_path / "both.txt", DUMP + "\n" + other)
    write(tmp_path / "both.txt.meta.json", {"author": "Ada Quill-Jones"})

    note, *pages = read([path])

    assert "2 saved pages" in note.what
    assert [(page.source, page.text, page.author) for page in pages] == [
        ("both.txt#1", DUMP + "\n", "Ada Quill-Jones"),
        ("both.txt#2", other, "Bram Oak"),
    ]


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("Home\nRecent Comments\nArchive\nLog In\n", ""),
        ("", "\nLoad More\nAda Quill\nBookbinder in Utrecht. Interested in paper.\nPosts\nComments\n"),
        ("", "\nIt has:\nPosts\nComments\nand no more than these two, as far as I know.\n"),
    ],
)
def test_menus_above_and_below_a_page_begin_no_other(tmp_path: Path, above: str, below: str):
    assert read_one(write(tmp_path / "ada.txt", above + DUMP + below)).source == "ada.txt"


def test_a_page_of_a_user_that_a_clipper_saved_is_a_profile(tmp_path: Path):
    text = "---\nsource: https://www.lesswrong.com/users/ada-quill\n---\n\nWheat paste.\n\nFlour.\n\nAnd water.\n"
    assert read_one(write(tmp_path / "clip.md", text)).kind == "profile"
    assert read_one(write(tmp_path / "post.md", text.replace("users", "posts"))).kind == "document"


def test_when_a_file_was_written_is_told_but_is_not_when_it_was_seen(tmp_path: Path):
    path = write(tmp_path / "ada.txt", DUMP)
    os.utime(path, (NOON.timestamp(), NOON.timestamp()))

    document = read_one(path)

    assert (document.extra, document.seen_at) == ({"mtime": "2024-05-31T12:00:00+00:00"}, None)


def test_a_sidecar_says_author_address_and_date(tmp_path: Path):
    write(tmp_path / "in" / "ada.txt", DUMP)
    write(
        tmp_path / "in" / "ada.txt.meta.json",
        {"author": "Ada Quill", "url": "https://forum.example/users/ada", "seen_at": "2024-05-31T12:00:00Z"},
    )

    document = read_one(tmp_path / "in")

    assert known(document, "author", "url", "seen_at") == {
        "author": "Ada Quill",
        "url": "https://forum.example/users/ada",
        "seen_at": NOON,
    }


@pytest.mark.parametrize(
    ("sidecar", "said"),
    [
        ("{\n oops", "ada.txt.meta.json:2: Cannot be read"),
        ("[]", "ada.txt.meta.json:1: Not a JSON object."),
        ({"auhtor": "Ada"}, 'ada.txt.meta.json:1: "auhtor" means nothing in a sidecar.'),
        ({"seen_at": "soon"}, "ada.txt.meta.json:1: seen_at is no date: soon."),
        ("[" * 100_000, "ada.txt.meta.json:1: Cannot be read"),
    ],
)
def test_a_mistake_in_a_sidecar_is_told_and_the_dump_read(sidecar: Any, said: str, tmp_path: Path):
    write(tmp_path / "ada.txt", DUMP)
    write(tmp_path / "ada.txt.meta.json", sidecar)

    problem, document = read([tmp_path])

    assert str(problem).startswith(said)
    assert document.text == DUMP


@pytest.mark.parametrize("name", ["ada.txt", "in/ada.txt", "./in/ada.txt"])
def test_an_option_names_the_author_and_wins_over_the_sidecar(name: str, tmp_path: Path):
    write(tmp_path / "in" / "ada.txt", DUMP)
    write(tmp_path / "in" / "ada.txt.meta.json", {"author": "Somebody Else"})

    assert read_one(tmp_path / "in", author_names={name: " Ada Quill "}).author == "Ada Quill"


def test_an_author_named_for_no_file_or_for_two_is_a_problem(tmp_path: Path):
    for name in ("a/x.txt", "b/x.txt"):
        write(tmp_path / name, "A text.")

    found = problems(tmp_path, author_names={"x.txt": "Ada", "y.txt": "Ada", "a/x.txt": " "})

    assert [str(problem) for problem in found] == [
        "x.txt: An author name was given, but it fits a/x.txt, b/x.txt. Give more of the path.",
        "y.txt: An author name was given, but no such file was read. Files of this run: a/x.txt, b/x.txt.",
        "a/x.txt: The author name given for it is empty. Give a name.",
    ]


def test_a_named_author_fills_gaps_and_never_covers_a_name_or_an_anonymous_one(tmp_path: Path):
    rows = [{"id": 1, "text": "x"}, {"id": 2, "text": "y", "author": "Bo"}, {"id": 3, "text": "z", "anonymous": True}]
    path = write(tmp_path / "a.json", rows)

    authors = [document.author for document in read([path], author_names={"a.json": "Ada"})]

    assert authors == ["Ada", "Bo", None]


# --- rows -------------------------------------------------------------------------------------------------------------

ROW = {
    "id": "c1",
    "author": "Ada",
    "text": "> Is it glue?\n\nIt is paste.",
    "url": "https://forum.example/c1",
    "posted_at": "2024-05-31T14:00:00+02:00",
    "parent_id": "c0",
    "karma": 7,
    "thread_id": "t1",
    "title": "On glue",
    "votes": {"up": 8, "down": [1]},
}


def test_a_row_keeps_all_that_is_known_about_it(tmp_path: Path):
    document = read_one(write(tmp_path / "a.jsonl", ROW))

    assert known(document) == {
        "source": "a.jsonl#c1",
        "text": ROW["text"],
        "kind": "comment",
        "id": "c1",
        "author": "Ada",
        "url": "https://forum.example/c1",
        "posted_at": NOON,
        "parent_id": "c0",
        "thread_id": "t1",
        "title": "On glue",
        "karma": 7.0,
        "quoted": ((0, 13),),
        "extra": {"votes": {"up": 8, "down": [1]}},
        "line": 1,
    }


def test_every_format_gives_the_same_rows(tmp_path: Path):
    flat = {name: str(value) for name, value in ROW.items() if name != "votes"}
    write(tmp_path / "a.jsonl", flat)
    write(tmp_path / "a.json", [flat])
    write(tmp_path / "b.json", {"data": {"comments": {"results": [flat]}}})
    write(tmp_path / "a.csv", ",".join(flat) + "\n" + ",".join(f'"{value}"' for value in flat.values()) + "\n")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([flat]), tmp_path / "a.parquet")

    found = [known(document) | {"source": None, "line": None} for document in read([tmp_path])]

    assert found == [known(read_one(tmp_path / "a.jsonl")) | {"source": None, "line": None}] * 5


@pytest.mark.parametrize(
    "value",
    [
        *("2024-05-31T12:00:00Z", "2024-05-31 12:00:00", "2024-05-31T12:00:00.000Z", "2024-05-31 12:00:00 UTC"),
        *("20240531T120000Z", "Fri, 31 May 2024 14:00:00 +0200", "Fri May 31 2024 14:00:00 GMT+0200 (CEST)"),
        *("May 31, 2024 12:00 PM", "2024-05-31 12 p.m.", "31.05.2024 12:00", "31.5.2024 12:00:00"),
        *("2024/05/31 12:00", "2024-5-31 12:00", "May 31, 2024 at 12:00 PM", "Friday, 31 May 2024 12:00"),
        *("31/05/2024 12:00", "5/31/2024 12:00 PM"),
        *(
            1717156800,
            1717156800.0,
            "1717156800",
            1717156800000,
            "1717156800000",
            1717156800_000_000,
            1717156800_000_000_000,
        ),
    ],
)
def test_dates_are_understood_in_the_forms_that_exports_have(value: Any, tmp_path: Path):
    assert read_one(write(tmp_path / "a.jsonl", {"text": "x", "posted_at": value})).posted_at == NOON


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-31",
        "20240531",
        20240531,
        "May 31, 2024",
        "31st May 2024",
        "May 31, 2024 12 am",
        "31.5.2024",
        "31-May-2024",
    ],
)
def test_a_day_is_its_midnight(value: Any, tmp_path: Path):
    assert read_one(write(tmp_path / "a.jsonl", {"text": "x", "posted_at": value})).posted_at == NOON.replace(hour=0)


@pytest.mark.parametrize(
    "value",
    [
        "202411",
        202411,
        240531,
        "May 2024",
        "31 May",
        "12:30",
        "04/05/2024",
        "13.13.2024",
        "31/31/2024",
        "0001-01-01T00:00:00",
        -62135596800,
    ],
)
def test_half_a_date_is_none(value: Any, tmp_path: Path):
    problem, document = read([write(tmp_path / "a.jsonl", {"text": "x", "posted_at": value})])
    assert "posted_at is no date" in problem.what
    assert document.posted_at is None


def test_tables_in_which_values_are_missing_are_read_like_others(tmp_path: Path):
    path = write(tmp_path / "a.csv", "id,parent_id,thread_id,text\n1,,7.0,One.\n2,1.0,7.0,Two.\n")
    assert [known(item, "id", "parent_id", "thread_id") for item in read([path])] == [
        {"id": "1", "parent_id": None, "thread_id": "7"}, {"id": "2", "parent_id": "1", "thread_id": "7"},
    ]  # fmt: skip
    row = '{"id": 1, "author": NaN, "posted_at": NaN, "karma": NaN, "text": "One."}\n'
    assert known(read_one(write(tmp_path / "a.jsonl", row)), "author", "posted_at", "karma") == dict.fromkeys(
        ("author", "posted_at", "karma")
    )


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_what_programs_write_where_nothing_is_is_nothing_but_may_be_a_text(name: str, tmp_path: Path):
    columns = ("author", "parent_id", "karma", "posted_at", "url")
    signs = ("nan", "NaN", "None", "NULL", "N/A")
    if name == "a.csv":
        data = ",".join(("id", "text", *columns)) + "\n1,None," + ",".join(signs) + "\n"
    else:
        data = json.dumps({"id": 1, "text": "None", **dict(zip(columns, signs, strict=True))})
    document = read_one(write(tmp_path / name, data))
    assert known(document) == {
        "source": f"{name}#1",
        "text": "None",
        "kind": "comment",
        "id": "1",
        "line": 2 if name == "a.csv" else 1,
    }


@pytest.mark.parametrize("flag", [{"deleted": True}, {"isDeleted": "true"}, {"is_deleted": 1}, {"isSpam": True}])
def test_what_an_export_calls_deleted_is_left_out_though_its_text_is_there(flag: dict[str, Any], tmp_path: Path):
    rows = [{"id": 1, "text": "Kelp.", **flag}, {"id": 2, "text": "Rye.", **dict.fromkeys(flag, False)}]
    kept, note = read([write(tmp_path / "a.json", rows)])
    assert (kept.text, note.what) == ("Rye.", "1 entry is left out: deleted or removed.")


@pytest.mark.parametrize("around", ["nodes", "results", "page.items"])
def test_replies_inside_a_page_of_results_are_read_as_those_of_their_row(around: str, tmp_path: Path):
    page: Any = [{"id": "c", "text": "Rye."}]
    for name in reversed(around.split(".")):
        page = {name: page}
    rows = [
        {"id": "p", "text": "Kelp.", "comments": page},
        {"id": "t", "title": "Bread", "replies": {"c2": {"text": "Oats."}}},
    ]
    found = read([write(tmp_path / "a.json", {"threads": rows})])
    assert [(item.id, item.text, item.parent_id, item.thread_id) for item in found] == [
        ("p", "Kelp.", None, None),
        ("c", "Rye.", "p", None),
        ("c2", "Oats.", None, "t"),
    ]


def test_pages_that_were_put_together_and_headers_with_a_mark_are_no_rows(tmp_path: Path):
    pages = write(
        tmp_path / "a.json", [[{"id": 1, "text": "Kelp."}, {"id": 2, "text": "Rye."}], [{"id": 3, "text": "Oats."}]]
    )
    assert [item.text for item in read([pages])] == ["Kelp.", "Rye.", "Oats."]
    tables = write(tmp_path / "a.csv", "\ufeffid,text\n1,Kelp.\n" * 2 + "\ufeffid,text\n2,Rye.\n")
    assert [item.text for item in read([tables]) if isinstance(item, RawDocument)] == ["Kelp.", "Rye."]


def test_entities_in_names_are_what_they_stand_for(tmp_path: Path):
    row = {"id": "a&amp;b", "author": "R&amp;D O&#39;Hara", "title": "Q&amp;A &lt;b&gt;", "text": "One."}
    names = known(read_one(write(tmp_path / "a.jsonl", row)), "id", "author", "title")
    assert names == {"id": "a&amp;b", "author": "R&D O'Hara", "title": "Q&A <b>"}


def test_columns_are_mapped_also_from_inside_objects(tmp_path: Path):
    row = {
        "text": "not this",
        "body": {"raw": "This."},
        "user": {"name": "Ada", "karma": 5},
        "a.b": 3,
        "votes": [{"n": 4}],
    }
    columns = {"text": "body.raw", "author": "user.name", "id": "a.b", "karma": "votes.0.n"}

    document = read_one(write(tmp_path / "a.jsonl", row), columns=columns)

    assert known(document, "id", "author", "text", "karma", "extra") == {
        "id": "3",
        "author": "Ada",
        "text": "This.",
        "karma": 4.0,
        "extra": {"text": "not this", "body": {}, "user": {"karma": 5}, "votes": [{"n": 4}]},
    }


def test_rows_inside_a_row_are_read_as_its_replies(tmp_path: Path):
    thread = {
        "id": 7, "headline": "Tides", "body": "The post.",
        "comments": [
            {"id": 8, "body": "A comment.", "replies": [{"body": "A reply.", "replies": []}, {"id": 9, "body": "[deleted]"}]},
            {"id": 10, "body": "Another.", "parent_id": 8, "children": [{"name": "no comment"}]},
        ],
    }  # fmt: skip
    path = write(
        tmp_path / "a.jsonl", json.dumps(thread) + '\n{"id": 1, "comments": [{"id": 2, "body": "Below a link."}]}'
    )
    *documents, left_out = read([path], columns={"text": "body", "title": "headline"})
    assert [(item.id, item.text, item.parent_id, item.thread_id, item.title) for item in documents] == [
        ("7", "The post.", None, None, "Tides"),
        ("8", "A comment.", "7", None, "Tides"),
        (None, "A reply.", "8", None, "Tides"),
        ("10", "Another.", "8", None, "Tides"),
        ("2", "Below a link.", None, "1", None),
    ]
    assert documents[3].extra == {"children": [{"name": "no comment"}]}
    assert left_out.what == "1 entry is left out: deleted or removed."


@pytest.mark.parametrize("form", [{"indent": 1}, {}])
def test_what_stands_beside_the_rows_of_an_object_is_read_too(form: dict[str, int], tmp_path: Path):
    thread = {"text": "The post.", "comments": [{"text": "A comment."}, {"text": "Another."}], "n": 2}
    found = list(read([write(tmp_path / "a.json", json.dumps(thread, **form))]))
    assert [item.text for item in found] == ["A comment.", "Another.", "The post."]
    assert len({item.source for item in found}) == 3


def test_an_open_quote_is_followed_for_some_lines_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(csv_records, "MOST_LINES", 20)
    path = write(tmp_path / "a.csv", 'id,text\n1,"open\n' + "2,two\n" * 30)
    first, *rest = read([path])
    assert (first.line, "no end within" in first.what) == (2, True)
    assert [item.text for item in rest if isinstance(item, RawDocument)] == ["two"]


ESCAPED = [
    ('He said "no", loudly.', "Ann"),
    ('"', "Bo"),
    ('The last word is "rye"', "Cy"),
    ("Plain, with a comma.", 'Di "the baker" Lee'),
    ('"a", "b"\nand "c"\n', "Ed"),
]


@pytest.mark.parametrize("ending", [",", ";", "\t"])
@pytest.mark.parametrize(("text", "written"), [
    (r"The path C:\rye\ ", r"The path C:\\rye\\ "),
    (r"Ends in \ ".strip(), r"Ends in \\ ".strip()),
    ("A line\nand another", "A line\\\nand another"),
    (r"The formula \alpha \\ \beta", r"The formula \alpha \\ \beta"),
])  # fmt: skip
def test_quotes_of_a_csv_may_be_escaped_by_a_backslash(ending: str, text: str, written: str, tmp_path: Path):
    """As MySQL and others write them: with other backslashes escaped too, or, as the last text shows, not."""
    texts = [(text.replace('"', '\\"'), author.replace('"', '\\"')) for text, author in ESCAPED] + [(written, "Flo")]
    rows = [[f'"{field}"' for field in (n, *row)] for n, row in enumerate(texts)]
    table = [["id", "text", "author"], *rows, ["6", "Me.", "\\N"]]
    path = write(tmp_path / "a.csv", "".join(ending.join(row) + "\n" for row in table))

    documents = list(read([path]))

    assert [(item.text, item.author) for item in documents] == [*ESCAPED, (text, "Flo"), ("Me.", None)]
    assert [item.id for item in documents] == list("0123456")


def test_a_regular_csv_is_read_as_it_is_though_it_could_be_cut_into_more_rows(tmp_path: Path):
    rows = [["0", '\t"",\nz', "Ann"], ["1", 'say \\"a\tb\tc\n"\td\te\nf\tg\\', "Bo"], ["2", '"\ti\tj\n"k', "Cy"]]
    path = tmp_path / "a.tsv"
    with path.open("w", newline="") as stream:
        csv.writer(stream, delimiter="\t").writerows([["id", "text", "author"], *rows])
    assert [[item.id, item.text, item.author] for item in read([path])] == rows


def test_quotes_of_a_table_with_tabs_may_be_those_of_its_texts(tmp_path: Path):
    path = write(
        tmp_path / "a.tsv", 'id\ttext\n1\t"Rye" is bread.\n2\tA 5" loaf.\n3\t"Rye, he said.\n4\t"All of it."\n'
    )
    assert [item.text for item in read([path])] == ['"Rye" is bread.', 'A 5" loaf.', '"Rye, he said.', '"All of it."']
    quoted = write(tmp_path / "b.tsv", 'id\ttext\n1\t"Rye\tor ""oats""."\n2\t"Two\nlines"\n')
    assert [item.text for item in read([quoted])] == ['Rye\tor "oats".', "Two\nlines"]
    mistake = write(tmp_path / "c.tsv", 'id\ttext\n1\t"Rye."\n2\t"Oats" or so\n3\t"Barley."\n')
    assert [item.text for item in read([mistake]) if isinstance(item, RawDocument)] == ["Rye.", "Barley."]


@pytest.mark.parametrize(
    "row",
    ['1,"C:\\rye\\",Ann', '1,"C:\\rye\\","Ann ""A"" Lee"', '1,"a ""\\"" b",Ann', '1,a \\" b,Ann', '1,"a \\""b",Ann', '1,"\\",'],
)  # fmt: skip
def test_a_backslash_in_a_regular_csv_is_a_backslash(row: str, tmp_path: Path):
    rows = "id,text,author\n" + row + '\n2,"The ""rye""",Bo\n3,broken "quotes" \\,x,y\n'
    path = write(tmp_path / "a.csv", rows)
    ((_, text, author),) = csv.reader([row])
    first, second, problem = read([path])
    assert (first.text, first.author or "") == (text, author)
    assert second.text == 'The "rye"'
    assert problem.line == 4


def test_an_escape_may_stand_where_a_long_line_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(json_file, "BUFFER", 64)
    for length in range(64):
        text = f"{'x' * length}\\ \n\U0001f600\u4e2d\u6587\U0001f600 end"
        assert read_one(write(tmp_path / "a.json", json.dumps([{"text": text}]))).text == text


def test_columns_that_may_say_the_same_as_ours_are_told(tmp_path: Path):
    rows = [{"author": "Ann Lee", "text": "Rye rises.", "date": "2024-05-31", "score": 4, "colour": "red"}] * 2
    path = write(tmp_path / "a.jsonl", "\n".join(json.dumps(row | {"id": n}) for n, row in enumerate(rows)))
    *_, note = read([path])
    assert str(note) == (
        'a.jsonl: No row has "posted_at", "karma", but they have "date", "score", kept and not understood. '
        "If they say the same, read them with: --map posted_at=date,karma=score"
    )
    mapped = read([path], columns={"posted_at": "date", "karma": "score"})
    assert not [item for item in mapped if isinstance(item, Problem)]


def test_a_mapping_of_a_column_that_does_not_exist_is_refused_at_once():
    with pytest.raises(SourceError, match=r'"txt" cannot be mapped to a column. Known are: id, author, text'):
        check_columns({"txt": "body"})


def test_rows_under_names_that_nobody_knows_are_found_where_they_are_said_to_lie(tmp_path: Path):
    rows = [{"id": 1, "body": "Kelp."}, {"id": 2, "body": "Rye."}]
    path = write(tmp_path / "a.json", {"about": {"links": [{"a": 1}]}, "Export": {"records": rows}})
    (problem,) = problems(path)
    assert problem.fix.endswith("read them with: --map rows=Export.records,text=body")
    found = read([path], columns={"rows": "Export.records", "text": "body"})
    assert [(item.id, item.text) for item in found] == [("1", "Kelp."), ("2", "Rye.")]
    broken = write(tmp_path / "b.json", '{"x": {"y": [\n{"id": 1, "text": "Kelp."}\n{"id": 2, "text": "Rye."}\n]}}')
    mistake, *kept = sorted(read([broken], columns={"rows": "x.y"}), key=lambda item: isinstance(item, RawDocument))
    assert (mistake.line, [item.text for item in kept]) == (3, ["Kelp.", "Rye."])


BY_ID = {
    "k1": {"author": "Ann", "text": "Kelp."},
    "k2": {"author": "Bo", "text": "Rye.", "parent_id": "k1", "karma": "many"},
    "k3": {"id": "own", "text": "Both."},
    "k4": {"author": "Cy"},
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("around", [[], ["comments"], ["export", "by id"], ["data", "x", "y"]])
def test_an_object_whose_values_are_rows_gives_each_its_key_as_its_id(around: list[str], indent: int, tmp_path: Path):
    values: Any = BY_ID
    for name in reversed(around):
        values = {name: values}
    path = write(tmp_path / "a.json", json.dumps(values, indent=indent))

    kelp, number, rye, both, no_text = read([path])

    assert [(item.id, item.author, item.text) for item in (kelp, rye)] == [("k1", "Ann", "Kelp."), ("k2", "Bo", "Rye.")]
    assert (rye.parent_id, both.id) == ("k1", "own")
    assert ("karma is no number" in number.what, "no text" in no_text.what) == (True, True)
    line = 1 if indent is None else path.read_text().splitlines().index(" " * (len(around) + 1) + '"k2": {') + 1
    assert {number.line, rye.line} == {line}


def test_keys_that_stand_on_every_line_are_no_ids(tmp_path: Path):
    rows = [{"result": {"text": "Kelp.", "a": 1}}, {"result": {"text": "Rye."}}, {"result": {"text": "Oats."}}]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert [item.text for item in read([path])] == ["Kelp.", "Rye.", "Oats."]


def test_rows_are_found_in_all_places_where_an_object_has_them(tmp_path: Path):
    posts, comments = [{"id": "p", "text": "Post."}], [{"id": "c", "text": "Comment."}]
    beside = {"k": {"text": "Kept by id."}}
    for name, form in {
        "a.jsonl": {"posts": posts, "comments": comments, "items": [{"id": "i", "text": "Item."}]},
        "b.json": {"comments": comments, "notes": beside, "posts": posts, "items": [{"id": "i", "text": "Item."}]},
        "c.json": {"mine": {"t1": posts, "t2": comments}, "also": beside, "ids": [{"a": 1}]},
    }.items():
        found = [item.text for item in read([write(tmp_path / name, form)])]
        assert sorted(found) == sorted(["Comment.", "Post.", "Kept by id." if name == "c.json" else "Item."] + ["Kept by id."] * (name == "b.json"))  # fmt: skip


def test_an_object_without_rows_is_told_and_not_taken_for_one(tmp_path: Path):
    for row in ({"user": {"name": "Ann", "text": "Bio."}, "counts": {"a": 1}}, {"text": {"a": "b"}}, {"x": {"y": {}}}):
        assert [problem.row_unread for problem in problems(write(tmp_path / "a.json", row))] == [True]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
@pytest.mark.parametrize("orient", ["columns", "index", "records", "split", "table"])
@pytest.mark.parametrize("ids", [None, ["x", "y", "z"]])
def test_a_table_of_pandas_is_read_however_it_is_written(orient: str, name: str, ids: list[str] | None, tmp_path: Path):
    """As `DataFrame.to_json` writes it; the labels of the rows are ids unless they only count."""
    texts, authors = ["Kelp.", "Rye.", "Oats."], ["Ann", None, "Bo"]
    labels = ids or [0, 1, 2]
    records = [{"author": author, "text": text} for author, text in zip(authors, texts, strict=True)]
    table = {
        "columns": {c: {str(n): row[c] for n, row in zip(labels, records, strict=True)} for c in ("author", "text")},
        "index": {str(n): row for n, row in zip(labels, records, strict=True)},
        "records": records,
        "split": {"columns": ["author", "text"], "index": labels, "data": [list(row.values()) for row in records]},
        "table": {"schema": {"fields": []}, "data": records},
    }[orient]

    found = list(read([write(tmp_path / name, table)]))

    assert [(item.author, item.text) for item in found] == list(zip(authors, texts, strict=True))
    assert [item.id for item in found] == (ids if ids and orient in ("columns", "index", "split") else [None] * 3)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
@pytest.mark.parametrize("path", ["data.comments.results", "Page.list"])
def test_pages_of_results_are_read_one_after_the_other(path: str, name: str, tmp_path: Path):
    """Each line, or each element of an array, is the whole answer of a server."""
    pages: list[Any] = []
    for id in "ab":
        row = {
            "_id": id,
            "postedAt": "2024-05-31T12:00:00Z",
            "user": {"displayName": "Ada"},
            "contents": {"html": "Rye."},
        }
        for part in reversed(path.split(".")):
            row = {part: [row] if part == path.split(".")[-1] else row}
        pages.append(row)
    write(tmp_path / name, "\n".join(map(json.dumps, pages)) if name.endswith("l") else pages)
    columns = {"rows": path} if path.startswith("Page") else {}
    found = read([tmp_path / name], columns=columns)
    assert [(item.id, item.author, item.text) for item in found] == [("a", "Ada", "Rye."), ("b", "Ada", "Rye.")]


def test_values_with_a_type_as_mongodb_exports_them_are_those_values(tmp_path: Path):
    moment = {"$date": {"$numberLong": str(int(NOON.timestamp() * 1000))}}
    path = write(
        tmp_path / "a.jsonl", {"id": {"$oid": "5f"}, "text": "Kelp.", "posted_at": moment, "karma": {"$numberInt": "3"}}
    )
    assert known(read_one(path), "id", "posted_at", "karma") == {"id": "5f", "posted_at": NOON, "karma": 3}


def test_a_column_of_html_becomes_markdown_where_there_is_no_text(tmp_path: Path):
    path = write(tmp_path / "a.jsonl", {"id": 1, "body": "<blockquote>Is it?</blockquote><p>It <b>is</b>.</p>"})

    document = read_one(path, columns={"html": "body"})

    assert (document.text, document.quoted, document.extra) == ("> Is it?\n\nIt **is**.", ((0, 8),), {})


@pytest.mark.parametrize(
    ("text", "read_as", "quotes"),
    [
        ("<blockquote>Is it?</blockquote><p>It is.</p>", "> Is it?\n\nIt is.", ["> Is it?"]),
        ("<blockquote>\n<p>Is it?</p>\n</blockquote>\n<p>It is.</p>", "> Is it?\n\nIt is.", ["> Is it?"]),
        ("Bo: <blockquote>Is it?</blockquote>\n\nIt is.\nYes.", "Bo:\n> Is it?\n\nIt is.\nYes.", ["> Is it?"]),
        ("&gt; Is it?<p>It <i>is</i>, isn&#x27;t it?", "> Is it?\n\nIt *is*, isn't it?", ["> Is it?"]),
        ("&gt; Is it &amp; was it?\n\nIt&nbsp;is.", "> Is it & was it?\n\nIt is.", ["> Is it & was it?"]),
        ("It isn&#39;t, &quot;is&quot; it?", 'It isn\'t, "is" it?', []),
        ("One<br>two<br />\nthree<BR/>\r\n<br>four", "One\ntwo\nthree\n\nfour", []),
        ("<p>One.<p>Two.</p></p>\n\n<ul>\n <li>a<li>b\n</ul>", "One.\n\nTwo.\n\n- a\n- b", []),
        ("<p>So:</p><pre><code>if a &lt; b:\n    c\n</code></pre>", "So:\n\n```\nif a < b:\n    c\n```", []),
        ('See <a href="https://a.example/?b=1&amp;c" rel="nofollow">this</a>.', "See [this](https://a.example/?b=1&c).", []),
        ("<p>Hello <b>you</b></p>", "Hello **you**", []),
        ("<p>All <em>of</em> it <b>here</b></p>", "All *of* it **here**", []),
        ('<p class="a">&lt;p&gt; is a tag.</p>', "<p> is a tag.", []),
    ],
)  # fmt: skip
def test_a_text_that_is_html_after_all_becomes_markdown(text: str, read_as: str, quotes: list[str], tmp_path: Path):
    document = read_one(write(tmp_path / "a.jsonl", {"id": 1, "text": text}))

    assert document.text == read_as
    assert [document.text[start:end] for start, end in document.quoted] == quotes


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and c > d", "I <3 it", "if a<b>c", "if a<p>b", "a <b and c> d", "x<y", "List<a>", "Vec<i>",
        "<think>Hm.</think> No.", "<https://a.example>", "<ann@a.example>", "<!-- note -->", "<i think so>",
        "The <p> tag should be closed, the <b> and </b> tags too.", "Use <br>, or (<br/>).", "<br> is a tag", "<p></p>",
        "Write <p>x</p> and it works.", "I <i>do</i> think 2<sup>10</sup>.", "`<p>x</p>` is one.",
        "```html\n<p>x</p>\n```", "So:\n\n    <p>x</p>\n\nThere.", "<img src=x onerror=alert(1)>One.<p>Two.",
        "<script>alert(1)</script><p>x</p>", "<p>One.</p> if a < b", "<s> [INST] One. [/INST] </s>", "<p>x</div>",
        "Write &lt; for it, and &gt;, and &quot; in attributes.", "x &gt; y", "AT&T", "&gt; a < b", "&gt; Q & A",
    ],
)  # fmt: skip
def test_a_text_that_only_has_a_less_than_sign_stays_as_it_is(text: str, tmp_path: Path):
    assert read_one(write(tmp_path / "a.jsonl", {"id": 1, "text": text})).text == text


def test_a_deleted_account_is_nobody(tmp_path: Path):
    path = write(tmp_path / "a.jsonl", {"id": 1, "text": "It is.", "author": "[deleted]"})
    (document,) = read([path], author_names={"a.jsonl": "Bo"})
    assert (document.author, document.extra) == (None, {"anonymous": True})


def test_markdown_of_a_known_export_is_not_looked_at_for_html(tmp_path: Path):
    row = {"id": "a", "body": "<p>One.</p><p>Two.</p>", "subreddit": "knots", "created_utc": 1_700_000_000}
    assert read_one(write(tmp_path / "a.jsonl", row)).text == row["body"]


def test_blocks_of_language_models_are_not_the_authors_voice(tmp_path: Path):
    text = 'I asked.\n\n%%% llm-output model="M"\n\n> As a model.\n\n%%% /llm-output\n\n> Bo said so.\n\nI doubt it.'

    document = read_one(write(tmp_path / "a.jsonl", {"text": text}))

    assert [text[start:end] for start, end in document.quoted] == [
        '%%% llm-output model="M"\n\n> As a model.\n\n%%% /llm-output',
        "> Bo said so.",
    ]


def test_parquet_keeps_types_and_nested_columns(tmp_path: Path):
    table = pyarrow.table(
        {
            "id": [1, 2],
            "text": pyarrow.array([b"One.", b"Two."], pyarrow.binary()),
            "posted_at": pyarrow.array([int(NOON.timestamp() * 1e6), 2**62], pyarrow.timestamp("us")),
            "user": [{"name": "Ada"}, {"name": "Bo"}],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")

    document, problem, other = read([tmp_path], columns={"author": "user.name"})

    assert known(document, "source", "text", "author", "posted_at", "line") == {
        "source": "a.parquet#1",
        "text": "One.",
        "author": "Ada",
        "posted_at": NOON,
        "line": 1,
    }
    assert str(problem).startswith("a.parquet:2: posted_at cannot be read")
    assert (problem.row_unread, known(other, "text", "author", "posted_at")) == (
        False, {"text": "Two.", "author": "Bo", "posted_at": None}
    )  # fmt: skip


def test_a_text_of_a_parquet_file_that_is_no_utf8_is_told_once(tmp_path: Path):
    texts = pyarrow.array([b"caf\xe9", b"Paste."]).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a", "b"], "text": texts}), tmp_path / "a.parquet")

    problem, document = read([tmp_path])

    assert (problem.line, problem.row_unread) == (1, True)
    assert str(problem).startswith("a.parquet:1: text cannot be read ('utf-8' codec can't decode byte 0xe9")
    assert document.text == "Paste."


def test_a_damaged_parquet_file_gives_all_rows_but_those_of_the_damaged_group(tmp_path: Path):
    rows = [{"id": str(n), "text": f"Row {n} " + hashlib.sha256(bytes([n % 251])).hexdigest()} for n in range(4_000)]
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist(rows), path, row_group_size=1_000, use_dictionary=False, compression="zstd"
    )
    data = bytearray(path.read_bytes())
    third = pyarrow.parquet.ParquetFile(path).metadata.row_group(2).column(1).data_page_offset
    data[third : third + 200] = b"\xff" * 200
    path.write_bytes(data)

    found = list(read([path]))
    (problem,) = [item for item in found if isinstance(item, Problem)]
    documents = [item for item in found if isinstance(item, RawDocument)]

    assert [document.id for document in documents] == [str(n) for n in (*range(2_000), *range(3_000, 4_000))]
    assert [document.line for document in documents[-2:]] == [3_999, 4_000]
    assert (problem.line, problem.row_unread, problem.rest_unread) == (2_001, True, False)
    assert problem.what.startswith("The rows 2,001 to 3,000 are damaged")


@pytest.mark.parametrize(
    ("damaged", "what"),
    [
        (["author"], "The column author of the rows 11 to 20 cannot be read"),
        (["author", "karma"], "The columns author, karma of the rows 11 to 20 cannot be read"),
        (["text"], "The rows 11 to 20 are damaged"),
    ],
)
def test_a_damaged_column_of_a_parquet_file_takes_no_text_with_it(damaged: list[str], what: str, tmp_path: Path):
    rows = [{"id": f"c{n}", "author": f"Ann {n}", "karma": n, "text": f"Paste {n}."} for n in range(30)]
    path = tmp_path / "a.parquet"
    # Without compression, a byte that changed is noticed by nothing but its check sum.
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist(rows), path, row_group_size=10, compression="none", use_dictionary=False,
        write_page_checksum=True,
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    second = pyarrow.parquet.ParquetFile(path).metadata.row_group(1)
    for column in map(second.column, range(second.num_columns)):
        if column.path_in_schema in damaged:
            data[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    path.write_bytes(data)

    found = list(read([path]))
    (problem,) = [item for item in found if isinstance(item, Problem)]
    documents = {item.id: item for item in found if isinstance(item, RawDocument)}

    assert (problem.line, problem.row_unread, problem.what.startswith(what)) == (11, True, True)
    assert len(documents) == (20 if "text" in damaged else 30)
    assert (documents["c29"].author, documents["c29"].karma) == ("Ann 29", 29)
    if "text" not in damaged:
        assert (documents["c15"].text, documents["c15"].author, documents["c15"].line) == ("Paste 15.", None, 16)
        assert documents["c15"].karma == (None if "karma" in damaged else 15)


def test_a_damaged_column_is_left_out_only_where_its_rows_could_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ingest.sources.parquet.BATCH", 100)
    rows = [{"id": str(n), "text": f"Row {n}.", "x": hashlib.sha256(bytes([n % 251])).hexdigest()} for n in range(1000)]
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist(rows), path, use_dictionary=False, data_page_size=4_000, write_batch_size=50,
        compression="none", write_page_checksum=True,
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    column = pyarrow.parquet.ParquetFile(path).metadata.row_group(0).column(2)
    middle = column.data_page_offset + column.total_compressed_size // 2
    data[middle : middle + 200] = b"\xff" * 200
    path.write_bytes(data)

    found = list(read([path]))
    (problem,) = [item for item in found if isinstance(item, Problem)]
    documents = [item for item in found if isinstance(item, RawDocument)]

    assert [document.id for document in documents] == [str(n) for n in range(1_000)]
    assert [document.line for document in documents] == list(range(1, 1_001))
    assert 100 < problem.line < 900
    assert "x" in documents[problem.line - 2].extra
    assert "x" not in documents[problem.line - 1].extra


# --- Reddit, Hacker News, ForumMagnum ---------------------------------------------------------------------------------


def thing(kind: str, **data: Any) -> dict[str, Any]:
    return {"kind": kind, "data": data}


def listing(*children: Any) -> dict[str, Any]:
    return thing("Listing", children=list(children), after=None)


REPLY = thing("t1", id="c3", name="t1_c3", body="Thanks &amp; bye", author="bo", parent_id="t1_c1", link_id="t3_p1")
THREAD = [
    listing(
        thing(
            "t3",
            id="p1",
            title="Glue &amp; so?",
            selftext="Which &lt;one&gt;?",
            author="ada",
            created_utc=1717156800.0,
            score=9,
        )
    ),
    listing(
        thing(
            "t1",
            id="c1",
            body="&gt; Which\n\nPaste.",
            author="[deleted]",
            created_utc=1717156800.0,
            parent_id="t3_p1",
            link_id="t3_p1",
            score=-3,
            edited=1717243200.0,
            subreddit="glue",
            permalink="/r/glue/comments/p1/glue/c1/",
            replies=listing(REPLY, thing("t1", id="c4", body="[removed]"), thing("more", count=12, children=["c5"])),
        )
    ),
]


def test_a_reddit_thread_gives_its_post_and_comments(tmp_path: Path):
    path = write(tmp_path / "r.json", THREAD)

    found = by_id(path)

    assert list(found) == ["p1", "c1", "c3"]
    assert known(found["p1"], "kind", "text", "title", "author", "thread_id", "karma") == {
        "kind": "document",
        "text": "Which <one>?",
        "title": "Glue & so?",
        "author": "ada",
        "thread_id": "p1",
        "karma": 9.0,
    }
    assert known(found["c1"]) == {
        "source": "r.json#c1",
        "text": "> Which\n\nPaste.",
        "kind": "comment",
        "id": "c1",
        "url": "https://www.reddit.com/r/glue/comments/p1/glue/c1/",
        "posted_at": NOON,
        "thread_id": "p1",
        "karma": -3.0,
        "quoted": ((0, 7),),
        "extra": {"edited_at": "2024-06-01T12:00:00+00:00", "subreddit": "glue", "anonymous": True},
        "line": 1,
    }
    assert known(found["c3"], "text", "author", "parent_id") == {
        "text": "Thanks & bye",
        "author": "bo",
        "parent_id": "c1",
    }
    assert [(problem.severity, problem.what) for problem in problems(path)] == [
        ("note", "1 entry is left out: deleted or removed."),
        ("note", "12 entries are left out: not in the export, Reddit cut the thread there."),
    ]


def test_pushshift_lines_are_reddit_too(tmp_path: Path):
    row = {
        "id": "c1",
        "body": "a < b & c",
        "author": "ada",
        "created_utc": "1717156800",
        "link_id": "t3_p1",
        "parent_id": "t1_c0",
    }
    rows = [row | {"subreddit": "glue"}, row | {"id": "c2", "body": "[deleted]", "author": "[deleted]"}]
    path = write(tmp_path / "RC_2024.jsonl", "\n".join(map(json.dumps, rows)))

    found = by_id(path)

    assert list(found) == ["c1"]
    assert known(found["c1"], "text", "url", "parent_id", "thread_id", "posted_at") == {
        "text": "a < b & c",
        "url": "https://www.reddit.com/r/glue/comments/p1/_/c1/",
        "parent_id": "c0",
        "thread_id": "p1",
        "posted_at": NOON,
    }


def test_a_persons_own_data_from_reddit(tmp_path: Path):
    """As Reddit hands it out on request; it does not say whose it is."""
    start = "https://www.reddit.com/r/glue/comments/p1"
    head = "id,permalink,date,ip,subreddit,gildings"
    write(
        tmp_path / "comments.csv",
        f"{head},link,parent,body,media\n"
        f'c1,{start}/_/c1/,2021-05-01 10:00:00 UTC,203.0.113.7,glue,0,{start}/which/,t3_p1,"Paste, or &gt; glue?",\n'
        f"c2,{start}/_/c2/,2021-05-01 11:00:00 UTC,,glue,0,{start}/which/,t1_c1,Paste.,\n"
        f"c3,{start}/_/c3/,2021-05-01 11:00:00 UTC,,glue,0,{start}/which/,,[deleted],\n",
    )
    write(
        tmp_path / "posts.csv",
        f"{head},title,url,body\np1,{start}/which/,2021-05-01 09:00:00 UTC,,glue,0,Which?,,&#x200B;Which one?\n"
        f"p2,{start}/link/,2021-05-01 09:00:00 UTC,,glue,0,A link,https://example.org,\n",
    )
    found = list(read([tmp_path], author_names={"comments.csv": "Ada"}))
    documents = [item for item in found if isinstance(item, RawDocument)]
    assert [(item.kind, item.id, item.text, item.author, item.parent_id, item.thread_id) for item in documents] == [
        ("comment", "c1", "Paste, or > glue?", "Ada", None, "p1"),
        ("comment", "c2", "Paste.", "Ada", "c1", "p1"),
        ("document", "p1", "Which one?", None, None, "p1"),
    ]
    assert known(documents[0], "posted_at", "url", "extra") == {
        "posted_at": datetime(2021, 5, 1, 10, tzinfo=UTC),
        "url": f"{start}/_/c1/",
        "extra": {"subreddit": "glue"},
    }
    assert [item.what for item in found if isinstance(item, Problem)] == [
        "1 entry is left out: deleted or removed.",
        "1 entry is left out: a link without text.",
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("&amp;#x200B;\n\nPaste &amp; glue", "Paste & glue"),
        ("&#x200B;\n\n> Paste", "> Paste"),
        ("Write `&amp;amp;`", "Write `&amp;`"),
        ("a < b &amp; c", "a < b &amp; c"),
    ],
)
def test_entities_of_reddit_are_what_the_page_shows(body: str, text: str, tmp_path: Path):
    row = {"id": "c", "body": body, "created_utc": 1.7e9, "subreddit": "glue"}
    assert read_one(write(tmp_path / "a.jsonl", row)).text.strip() == text


def test_reddit_threads_of_a_hundred_levels_are_read(tmp_path: Path):
    thread: Any = ""
    for level in range(100, 0, -1):
        thread = listing(
            thing("t1", id=f"c{level}", body=f"Level {level}", parent_id=f"t1_c{level - 1}", replies=thread)
        )
    path = write(tmp_path / "r.json", thread)

    assert list(by_id(path)) == [f"c{level}" for level in range(1, 101)]


HN_TREE = {
    "id": 1,
    "type": "story",
    "title": "Glue",
    "author": "ada",
    "text": None,
    "created_at_i": 1717156800,
    "children": [
        {
            "id": 2,
            "type": "comment",
            "author": "bo",
            "text": '&gt; Is it?<p>It <i>is</i> <a href="https:&#x2F;&#x2F;x.example" rel="nofollow">here</a>.<p><pre><code>a &lt; b\n</code></pre>',
            "created_at_i": 1717156800,
            "parent_id": 1,
            "story_id": 1,
            "points": None,
            "children": [
                {
                    "id": 3,
                    "type": "comment",
                    "author": "cy",
                    "text": "No.",
                    "parent_id": 2,
                    "story_id": 1,
                    "created_at_i": 1717156800,
                },
                {
                    "id": 4,
                    "type": "comment",
                    "author": None,
                    "text": None,
                    "parent_id": 2,
                    "story_id": 1,
                    "created_at_i": 1,
                },
            ],
        }
    ],
}


def test_a_hacker_news_tree_gives_its_comments_as_markdown(tmp_path: Path):
    path = write(tmp_path / "hn.json", HN_TREE)

    found = by_id(path)

    assert known(found["2"]) == {
        "source": "hn.json#2",
        "text": "> Is it?\n\nIt *is* [here](https://x.example).\n\n```\na < b\n```",
        "kind": "comment",
        "id": "2",
        "author": "bo",
        "url": "https://news.ycombinator.com/item?id=2",
        "posted_at": NOON,
        "thread_id": "1",
        "title": "Glue",
        "quoted": ((0, 8),),
        "line": 1,
    }
    assert known(found["3"], "parent_id", "text") == {"parent_id": "2", "text": "No."}
    assert [problem.what for problem in problems(path)] == [
        "1 entry is left out: a link without text.",
        "1 entry is left out: deleted or removed.",
    ]


def test_hacker_news_hits_and_items_are_read_like_trees(tmp_path: Path):
    hit = {
        "objectID": "2",
        "_tags": ["comment", "author_bo", "story_1"],
        "author": "bo",
        "comment_text": "It <i>is</i>.",
        "created_at": "2024-05-31T12:00:00Z",
        "created_at_i": 1717156800,
        "parent_id": 1,
        "story_id": 1,
        "story_title": "Glue",
    }
    item = {
        "by": "bo",
        "id": 2,
        "kids": [3],
        "parent": 1,
        "text": "It <i>is</i>.",
        "time": 1717156800,
        "type": "comment",
    }
    hits = by_id(write(tmp_path / "hits.json", {"hits": [hit], "nbHits": 1}))["2"]
    items = by_id(
        write(tmp_path / "items.jsonl", "\n".join(map(json.dumps, [item, item | {"id": 9, "deleted": True}])))
    )

    shared = ("id", "author", "text", "url", "posted_at")
    assert list(items) == ["2"]
    assert known(hits, *shared) == known(items["2"], *shared)
    assert known(hits, "parent_id", "thread_id", "title") == {"parent_id": None, "thread_id": "1", "title": "Glue"}
    assert items["2"].parent_id == "1"


def test_rows_of_the_forums_api_are_read_as_the_site_shows_them(tmp_path: Path):
    row = {
        "_id": "aBcDeFgHiJkLmNoPq",
        "postedAt": "2024-05-31T12:00:00.000Z",
        "contents": {"markdown": "It is $x$.", "html": "<p>other</p>"},
        "user": {"displayName": "Ada"},
        "author": "Old Name",
        "baseScore": 4,
        "postId": "p1",
        "post": {"title": "On glue"},
        "parentCommentId": None,
        "pageUrl": "https://forum.example/posts/p1/on-glue?commentId=aBcDeFgHiJkLmNoPq",
        "af": True,
    }
    hidden = row | {"_id": "hidden", "user": None, "contents": {"html": "<p>It <b>is</b>.</p>"}}
    formula = "<p>As <a href='/w/x'>said</a> <span class='mjpage' aria-label='x^2'>x2</span> [1]</p>"
    lost = row | {"_id": "lost", "contents": {"markdown": r"As [said](/w/x) x2 \[1\]", "html": formula}}
    gone = [
        row | {"_id": "gone", "deleted": True, "contents": None},
        row | {"_id": "no", "rejected": True},
        row | {"spam": True},
    ]
    path = write(tmp_path / "api.json", {"data": {"comments": {"results": [row, hidden, lost, *gone]}}})

    found = by_id(path)

    assert list(found) == ["aBcDeFgHiJkLmNoPq", "hidden", "lost"]
    assert found["lost"].text == "As [said](https://forum.example/w/x) $x^2$ [1]"
    assert known(found["aBcDeFgHiJkLmNoPq"], "author", "text", "title", "thread_id", "karma", "extra") == {
        "author": "Ada",
        "text": "It is $x$.",
        "title": "On glue",
        "thread_id": "p1",
        "karma": 4.0,
        "extra": {"af": True},
    }
    assert (found["hidden"].author, found["hidden"].text) == (None, "It **is**.")


def test_a_persons_own_rows_under_the_names_of_collections_are_theirs_if_somebody_says_who_it_is(tmp_path: Path):
    row = {
        "_id": "aBcDeFgHiJkLmNoPq",
        "userId": "u1",
        "postedAt": "2024-05-31T12:00:00Z",
        "contents": {"html": "<p>Mine.</p>"},
    }
    path = write(
        tmp_path / "export.json", {"Users": [{"_id": "u1", "bio": "I dive."}], "Comments": [row], "Votes": [{}]}
    )

    said, unsaid = read_one(path, author_names={"export.json": "Ada"}), read_one(path)

    assert (said.text, said.author, unsaid.author) == ("Mine.", "Ada", None)
    assert (
        read_one(write(tmp_path / "null.json", [row | {"user": None}]), author_names={"null.json": "Ada"}).author
        is None
    )


# --- saved pages ------------------------------------------------------------------------------------------------------

POST = "https://www.lesswrong.com/posts/aBcDeFgHiJkLmNoPq/on-knots"


def test_a_saved_lesswrong_post_gives_post_answers_and_comments(tmp_path: Path):
    path = write(tmp_path / "post.html", LESSWRONG_POST)

    found = by_id(path)

    assert known(found["aBcDeFgHiJkLmNoPq"], "kind", "text", "author", "title", "url", "posted_at") == {
        "kind": "document",
        "text": "Every *knot* has a [genus](https://www.lesswrong.com/tag/genus).",
        "author": "Ada",
        "title": "On knots",
        "url": POST,
        "posted_at": datetime(2024, 3, 4, 9, tzinfo=UTC),
    }
    assert known(found["firstFirstFirst01"]) == {
        "source": "post.html#firstFirstFirst01",
        "text": "> Every knot has a genus.\n\nAlso the wild ones? See [this](https://www.lesswrong.com/posts/zzz).",
        "kind": "comment",
        "id": "firstFirstFirst01",
        "author": "Bo",
        "url": f"{POST}?commentId=firstFirstFirst01",
        "posted_at": datetime(2024, 3, 5, 10, 20, 30, tzinfo=UTC),
        "thread_id": "aBcDeFgHiJkLmNoPq",
        "title": "On knots",
        "karma": 3.0,
        "quoted": ((0, 25),),
        "line": 4,
    }
    assert {id: (document.author, document.parent_id, document.karma) for id, document in found.items()} == {
        "aBcDeFgHiJkLmNoPq": ("Ada", None, None),
        "answerAnswerAns01": ("Cy", None, 12.0),
        "replyToTheAnswer1": ("Dee", "answerAnswerAns01", -2.0),
        "firstFirstFirst01": ("Bo", None, 3.0),
        "secondSecondSec01": ("Ada", "firstFirstFirst01", 3.0),
        "thirdThirdThird01": (None, "secondSecondSec01", 3.0),
        "fourthFourthFou01": ("Eve", None, 3.0),
    }
    assert not any("script text" in document.text or "color" in document.text for document in found.values())


def test_what_a_saved_page_does_not_show_is_told(tmp_path: Path):
    assert [
        (problem.severity, problem.what) for problem in problems(write(tmp_path / "post.html", LESSWRONG_POST))
    ] == [
        ("error", 'The comment is cut off with "read more"; what is there was read.'),
        ("note", "1 entry is left out: deleted or removed."),
        ("note", "1 entry is left out: collapsed in the saved page."),
    ]


def test_deleted_in_a_name_is_no_deletion(tmp_path: Path):
    collapsed = COLLAPSED.replace(">Bo<", ">Undeleted Bo<")
    assert [problem.what for problem in problems(write(tmp_path / "post.html", f"<body>{collapsed}{DELETED}"))] == [
        "1 entry is left out: collapsed in the saved page.",
        "1 entry is left out: deleted or removed.",
    ]


@pytest.mark.parametrize(
    ("shown", "karma"),
    [("1.2k", 1200.0), ("12K", 12_000.0), ("1,234", 1234.0), ("\u22125", -5.0), ("+3", 3.0), ("2.5", 2.5), ("", None), ("3 kinds", 3.0)],
)  # fmt: skip
def test_karma_is_read_as_it_is_shown(shown: str, karma: float | None, tmp_path: Path):
    page = lesswrong_comment("firstFirstFirst01", "Bo", "<p>Rope.</p>").replace(">3</span>", f">{shown}</span>")
    assert read_one(write(tmp_path / "post.html", page)).karma == karma


def test_whose_name_a_page_does_not_show_may_be_told_unless_it_says_that_nobody_is_to_know(tmp_path: Path):
    page = lesswrong_comment("firstFirstFirst01", "", "<p>Rope.</p>")
    hidden = write(tmp_path / "hidden.html", page)
    unseen = write(
        tmp_path / "unseen.html", page.replace('CommentUserName-author CommentsItemMeta-username">[anonymous]', '">')
    )
    assert [read_one(path, author_names={path.name: "Bo"}).author for path in (hidden, unseen)] == [None, "Bo"]


def test_a_comment_shown_twice_is_read_where_it_is_whole(tmp_path: Path):
    """Above a reply of the same person it is cut."""
    cut = lesswrong_comment(
        "firstFirstFirst01", "Bo", '<p>Rope and... <span class="read-more-button">(read more)</span></p>'
    )
    shown = f'<div class="CommentsItem-firstParentComment">{cut}</div>'
    reply = lesswrong_comment("secondSecondSec01", "Bo", "<p>Or hemp.</p>", shown_parent=shown)
    whole = lesswrong_comment("firstFirstFirst01", "Bo", "<p>Rope and twine, or whatever there is at hand.</p>")

    found = list(read([write(tmp_path / "bo.html", reply + whole)]))

    assert [(item.id, item.text, item.parent_id) for item in found] == [
        ("secondSecondSec01", "Or hemp.", "firstFirstFirst01"),
        ("firstFirstFirst01", "Rope and twine, or whatever there is at hand.", None),
    ]


@pytest.mark.slow
def test_three_hundred_replies_one_inside_the_other_take_seconds(tmp_path: Path):
    page = ""
    for number in range(300, 0, -1):
        page = lesswrong_comment(f"level{number:012d}", "Bo", f"<p>Level {number}.</p>", inside=page)
    path, started = write(tmp_path / "post.html", page), time.process_time()
    documents = list(read([path]))
    assert time.process_time() - started < 8
    assert [document.parent_id for document in documents[:3]] == [None, "level000000000001", "level000000000002"]
    assert len(documents) == 300


def test_formulas_of_a_saved_page_are_latex_again(tmp_path: Path):
    document = by_id(write(tmp_path / "post.html", LESSWRONG_POST))["secondSecondSec01"]

    assert document.text == "Let $x^2 \\le y_1$ hold; then $a < b$.\n\n$$\n\\sum_i x_i\n$$"


def test_a_saved_profile_gives_bio_and_comments_and_knows_shown_parents(tmp_path: Path):
    found = by_id(write(tmp_path / "bo.html", LESSWRONG_USER))

    assert {id: (document.text, document.author, document.parent_id) for id, document in found.items()} == {
        None: ("Bo ties knots in Bergen.", "Bo", None),
        "fifthFifthFifth01": ("Not with a torus.", "Bo", "sixthSixthSixth01"),
        "sixthSixthSixth01": ("With a torus?", "Ada", None),
    }
    assert known(found[None], "kind", "title", "url") == {
        "kind": "document",
        "title": "Profile of Bo",
        "url": "https://www.lesswrong.com/users/bo",
    }
    assert found["fifthFifthFifth01"].title == "On tori"


def test_a_saved_ea_forum_profile_gives_its_bio(tmp_path: Path):
    document = read_one(write(tmp_path / "bo.html", EA_USER))

    assert known(document, "text", "author", "title") == {
        "text": "Bo weighs ropes.",
        "author": "Bo",
        "title": "Profile of Bo",
    }


def test_a_page_of_2020_gives_its_comment_without_a_date(tmp_path: Path):
    document = read_one(write(tmp_path / "old.html", LESSWRONG_2020))

    assert known(document) == {
        "source": "old.html#oldOldOldOldOld01",
        "text": "Rope it is.",
        "kind": "comment",
        "id": "oldOldOldOldOld01",
        "author": "Bo",
        "url": f"{POST}?commentId=oldOldOldOldOld01",
        "thread_id": "aBcDeFgHiJkLmNoPq",
        "karma": 5.0,
        "line": 1,
    }


def test_a_saved_greaterwrong_page_gives_the_same_comment_and_the_main_sites_link(tmp_path: Path):
    found = by_id(write(tmp_path / "gw.html", GREATERWRONG_POST))

    assert known(
        found["firstFirstFirst01"], "author", "text", "quoted", "karma", "url", "posted_at", "title", "thread_id"
    ) == {
        "author": "Bo",
        "text": "> Every knot has a genus.\n\nAlso the wild ones?",
        "quoted": ((0, 25),),
        "karma": 1024.0,
        "url": f"{POST}?commentId=firstFirstFirst01",
        "posted_at": datetime(2024, 3, 5, 10, 20, 30, tzinfo=UTC),
        "title": "On knots",
        "thread_id": "aBcDeFgHiJkLmNoPq",
    }
    assert {id: (document.author, document.parent_id) for id, document in found.items()} == {
        "aBcDeFgHiJkLmNoPq": ("Ada", None),
        "firstFirstFirst01": ("Bo", None),
        "secondSecondSec01": (None, "firstFirstFirst01"),
    }


def test_a_saved_greaterwrong_profile_tells_what_its_comments_answer(tmp_path: Path):
    comment = read_one(write(tmp_path / "user.html", GREATERWRONG_USER))
    assert known(comment, "id", "author", "parent_id", "title", "text") == {
        "id": "ninthNinthNinth01", "author": "Bo", "parent_id": "tenthTenthTenth01", "title": "On knots", "text": "Not so.",
    }  # fmt: skip


def test_any_other_page_is_one_document_without_its_chrome(tmp_path: Path):
    page = """<title>Paste &amp; glue</title><link rel="canonical" href="https://paste.example/a"><nav>Home</nav>
    <main><h2>Paste</h2><p>See <a href="/b">this</a>.</p><ul><li>flour<li>water</ul></main><footer>(c)</footer>"""

    document = read_one(write(tmp_path / "a.html", page))

    assert known(document) == {
        "source": "a.html",
        "text": "## Paste\n\nSee [this](https://paste.example/b).\n\n- flour\n- water",
        "kind": "document",
        "title": "Paste & glue",
        "url": "https://paste.example/a",
        "extra": document.extra,
    }


def test_a_page_of_several_articles_is_read_whole(tmp_path: Path):
    page = "<article><p>One.</p><article><p>Reply.</p></article></article>{}"
    found = [
        read_one(write(tmp_path / "a.html", page.format(more))).text for more in ("<p>x</p>", "<article>Two.</article>")
    ]
    assert found == ["One.\n\nReply.", "One.\n\nReply.\n\nTwo."]


BLOG = "<html><nav>Comments</nav><article><h1>Ropes</h1><p>Long.</p><h2>{}</h2><p>Bo: Very.</p></article></html>"


@pytest.mark.parametrize(
    ("name", "text", "noted"),
    [
        ("a.html", BLOG.format("3 <b>Comments</b>"), "3 Comments"),
        ("a.html", BLOG.format("0 Comments"), None),
        ("a.html", BLOG.format("Knots"), None),
        ("bio.html", EA_USER.replace("</body>", "<h2>Comments<span>31</span></h2></body>"), "Comments 31"),
        ("bio.html", EA_USER, None),
        ("comments.html", LESSWRONG_USER.replace("</body>", "<h2>Comments</h2></body>"), None),
        ("a.md", "# Ropes\n\nLong.\n\n## Comments\n\nBo: Very.\n", "Comments"),
        ("a.txt", "Ropes\r\n\r\nLong.\r\n\r\n2 comments\r\n\r\nBo: Very.\r\n", "2 comments"),
        ("a.txt", "Ropes\n\nI have 2 comments on them.\n", None),
        ("dump.txt", DUMP, None),
    ],
)
def test_a_page_that_announces_comments_and_shows_none_is_told(
    name: str, text: str, noted: str | None, tmp_path: Path
) -> None:
    path = write(tmp_path / name, text)
    notes = [problem for problem in problems(path) if " says " in problem.what]
    assert [(note.source, note.severity, note.what.split('"')[1]) for note in notes] == (
        [(name, "note", noted)] if noted else []
    )
    assert any(isinstance(item, RawDocument) for item in read([path]))


@pytest.mark.parametrize(
    ("html", "text", "gaps"),
    [
        ("<p>Define <mjx-container></mjx-container>, and go.</p>", "Define , and go.", (7,)),
        ("<p>Vote:</p><div class='ck-poll' data-props='{}'>x</div><p>So.</p>", "Vote:\n\nSo.", (5,)),
        ("<p>Look <img src='data:image/png;base64,xx' alt='a map'> here</p>", "Look a map here", (10,)),
        ("<p>a</p><iframe src='https://x.example'></iframe>", "a", (1,)),
        ("<span class='math-tex'>\\(x\\)</span> or <span class='math-tex'>\\[y\\]</span>", "$x$ or\n\n$$\ny\n$$", ()),
        (
            "<p>So <span class='MathJax_Preview'>x</span><span class='MathJax'>x2</span><script type='math/tex'>x^2</script>.</p>",
            "So $x^2$.",
            (),
        ),
        (
            "<p>So <span class='katex'><span class='katex-mathml'><math><annotation encoding='application/x-tex'>x^2</annotation>"
            "</math></span><span class='katex-html'>x2</span></span>.</p>",
            "So $x^2$.",
            (),
        ),
        (
            "<p>So</p><span class='katex-display'><span class='katex'><math><annotation encoding='application/x-tex'>y_1</annotation>"
            "</math><span class='katex-html'>y1</span></span></span>",
            "So\n\n$$\ny_1\n$$",
            (),
        ),
        ("<p>So <math alttext='a_i'><msub><mi>a</mi><mi>i</mi></msub></math>.</p>", "So $a_i$.", ()),
        ("<p>So <math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>.</p>", "So .", (3,)),
        ("<p>2<sup>10</sup> of H<sub>2</sub>O</p>", "2^10 of H2O", ()),
        ("<p>a_b * c_d [e] 1. f</p>", "a_b * c_d [e] 1. f", ()),
        ("<p>one<br>two</p>", "one\ntwo", ()),
        ("<div class='spoilers'><p>It sinks.</p><p>Twice.</p></div>", ">! It sinks.\n>!\n>! Twice.", ()),
        (
            "<p>So<span class='footnote-reference' data-footnote-index='1'><sup><a href='#fn1'>[1]</a></sup></span>.</p>"
            "<ol class='footnotes'><li class='footnote-item' data-footnote-index='1'><span class='footnote-back-link'><a>^</a></span>"
            "<div class='footnote-content'><p>Or not.</p></div></li></ol>",
            "So[^1].\n\n[^1]: Or not.",
            (),
        ),
        (
            "<p>So<sup class='footnote-ref'><a href='#fn-1'>[1]</a></sup>.</p><section class='footnotes'><ol>"
            "<li class='footnote-item'><p>Or not. <a class='footnote-backref'>x</a></p></li></ol></section>",
            "So[^1].\n\n[^1]: Or not.",
            (),
        ),
        (
            "<p>I asked.</p><div class='llm-content-block' data-model-name='M'><p>I am.</p></div>",
            'I asked.\n\n%%% llm-output model="M"\n\nI am.\n\n%%% /llm-output',
            (),
        ),
        ("<details><summary>More</summary><p>Less.</p></details>", "+++ More\n\nLess.\n\n+++", ()),
        ("<figure data-oembed-url='https://x.example/1'><iframe></iframe></figure>", "https://x.example/1", ()),
    ],
)
def test_markup_of_the_forums_reads_as_their_markdown_and_keeps_the_place_of_what_is_lost(
    html: str, text: str, gaps: tuple[int, ...], tmp_path: Path
):
    document = read_one(write(tmp_path / "a.jsonl", {"html": html}))

    assert (document.text, document.gaps) == (text, gaps)


# --- memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_the_first_rows_come_before_the_file_is_read_to_its_end(name: str, tmp_path: Path):
    opening, row, ending = {
        "a.jsonl": ("", '{"id": %d, "text": "Row."}\n', "oops"),
        "a.json": ("[\n", '{"id": %d, "text": "Row."},\n', "oops"),
        "a.csv": ("id,text\n", "%d,Row.\n", '1,"oops'),
    }[name]
    path = write(tmp_path / name, opening + "".join(row % n for n in range(20_000)) + ending)

    items = read([path])
    assert next(items).id == "0"
    path.write_text("")
    rest = list(items)

    assert isinstance(rest[-1], Problem)
    assert rest[-1].what == "The file was changed while it was read."


@pytest.mark.parametrize("buffer", [*range(24, 44), 2**22])
@pytest.mark.parametrize("newline", ["", "\n"])
def test_numbers_that_json_has_not_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newline: str, buffer: int
) -> None:
    """Python writes them; in a string they are words."""
    rows = [
        {"id": "a", "text": 'NaN, -Infinity and "Infinity": NaN', "karma": None},
        {"id": "b", "text": "Two \\", "karma": float("-inf"), "author": float("nan")},
        {"id": "c", "text": "Three.", "karma": 3},
    ]
    monkeypatch.setattr(json_file, "BUFFER", buffer)
    path = write(tmp_path / "a.json", "[" + newline + f",{newline}".join(map(json.dumps, rows)) + newline + "]")

    found = list(read([path]))

    assert [(item.id, item.text, item.karma) for item in found] == [
        (row["id"], row["text"], karma) for row, karma in zip(rows, [None, None, 3], strict=True)
    ]


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_a_text_that_looks_like_a_number_is_a_text(ending: str, tmp_path: Path) -> None:
    row = r'{"id": "a", "text": "\u0000Infinity", "author": "1e999", "karma": 2e100}'
    document = read_one(write(tmp_path / f"a.{ending}", row))
    assert known(document, "text", "author", "karma") == {"text": "\0Infinity", "author": "1e999", "karma": 2e100}


def test_a_header_in_other_case(tmp_path: Path) -> None:
    """ "ID" is "id", unless a mapping or another column says otherwise."""
    path = write(tmp_path / "a.csv", "ID,Author,Text\n7,Ada Quill,Wheat paste holds.\n")
    assert known(read_one(path), "id", "author", "text") == {
        "id": "7",
        "author": "Ada Quill",
        "text": "Wheat paste holds.",
    }
    path = write(tmp_path / "b.csv", "id,ID,Text\n7,8,Wheat paste holds.\n")
    assert read_one(path, columns={"text": "Text"}).id == "7"


def test_columns_of_the_same_name_and_of_none_are_told_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",id,weight,text,weight,\n0,7,3,Wheat paste holds.,4,x\n")
    problem, document = read([path])
    assert problem.what == 'The header names "weight" twice: the first was read, the next is called "weight (2)".'
    assert document.extra == {"column 1": "0", "weight": "3", "weight (2)": "4", "column 6": "x"}
