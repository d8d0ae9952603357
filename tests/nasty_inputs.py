"""Inputs that go wrong in a known way, each with what must come of it. All text is invented."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

PROSE = "A paper boat floats, because it pushes water aside.\n\nIt sinks when the paper has drunk enough."


@dataclass(frozen=True)
class Nasty:
    """A file, and what reading it must give."""

    name: str
    """Of the file; also of the test."""
    data: bytes
    documents: Mapping[str, str] = field(default_factory=dict)
    """What follows the file's name in the source ("" for the file itself, "#7" for a row) -> text."""
    problems: tuple[tuple[int | None, str], ...] = ()
    """Line and words of each message, in order."""
    notes: tuple[str, ...] = ()
    """Words of each note."""


def rows(*values: object) -> bytes:
    """JSON Lines."""
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def whole(name: str, text: str, **expected: object) -> Nasty:
    """A text that is read as it is."""
    return Nasty(name, text.encode(), {"": text}, **expected)


def row(name: str, *problems: tuple[int | None, str], text: str = "Boats.", **columns: object) -> Nasty:
    """A JSON Lines file with one row, which is read in spite of the problems."""
    return Nasty(name, rows({"id": "a", "text": text, **columns}), {"#a": text}, problems)


DEEP = b"[" * 100_000 + b"]" * 100_000
GOOD = b'{"id": "good", "text": "Still here."}\n'
KEPT = {"#good": "Still here."}

LONG_NUMBERS = b'{"id": %s, "text": "One.", "author": %s, "posted_at": %s, "karma": %s}' % ((b"9" * 400,) * 4)
LONG = tuple((1, f"{name} {what}") for name, what in {
    "id": "is 400 characters long", "author": "is 400 characters long", "posted_at": "is no date", "karma": "is no number",
}.items())  # fmt: skip

TEXTS = [
    Nasty("empty.txt", b"", problems=((None, "is empty"),)),
    Nasty("blanks.md", b" \n\t\n\r\n", problems=((None, "only blanks"),)),
    Nasty("only_a_mark.txt", b"\xef\xbb\xbf", problems=((None, "only blanks"),)),
    Nasty("only_nulls.txt", b"\0" * 300, problems=((None, "only blanks"),)),
    Nasty("latin1.txt", b"first line\nsecond line\ncaf\xe9 au lait\n", problems=((3, "byte 27 of the file, 0xe9"),)),
    Nasty("cut_in_a_character.txt", "naïv".encode()[:3], problems=((1, "0xc3"),)),
    Nasty("half_a_pair.txt", b"half \xed\xa0\x80 pair", problems=((1, "0xed"),)),
    Nasty("overlong.txt", b"slash \xc0\xaf", problems=((1, "0xc0"),)),
    Nasty("utf16.txt", PROSE.encode("utf-16"), problems=((None, "UTF-16, not UTF-8"),)),
    Nasty("utf16_big_endian.txt", b"\xfe\xff" + PROSE.encode("utf-16-be"), problems=((None, "UTF-16, not UTF-8"),)),
    Nasty("utf16_unmarked.txt", PROSE.encode("utf-16-le"), problems=((None, "UTF-16 without a mark"),)),
    Nasty("utf16_emoji.txt", f"{PROSE} \U0001f6f6".encode("utf-16-be"), problems=((None, "UTF-16 without a mark"),)),
    Nasty("utf32.txt", PROSE.encode("utf-32"), problems=((None, "UTF-32, not UTF-8"),)),
    Nasty("photo.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xd8", problems=((1, "0x89"),)),
    whole("byte_order_mark.txt", "\ufeff" + PROSE),
    whole("windows_newlines.txt", PROSE.replace("\n", "\r\n")),
    whole("old_mac_newlines.txt", PROSE.replace("\n", "\r")),
    whole("odd_newlines.txt", PROSE.replace("\n", "\u2028") + "\x0b\x0c\x85\u2029end"),
    whole("nulls.txt", f"{PROSE}\0 and a null\0."),
    whole("controls.txt", f"{PROSE}\x07\x1b[31mred\x1b[0m\x7f"),
    whole("right_to_left.txt", f"{PROSE}\u202e desrever \u202c and \u200fשלום\u200e."),
    whole("emoji.txt", f"{PROSE} 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 are five words of many code points."),
    whole("combining.txt", PROSE.replace("a", "a\u0301\u0323") + " Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢"),
    whole("private_use.txt", f"{PROSE}\ue000\U000f0000\ufffe\uffff"),
    whole("no_newline_at_all.txt", "boat " * 2_000),
    whole("only_newlines_between.txt", "boat" + "\n" * 5_000 + "boat"),
    whole("looks_like_html.txt", "<script>alert(1)</script><b>A boat</b> &amp; a <!-- hidden --> harbour."),
    whole("page_saved_as.txt", "<!DOCTYPE html>\n<html><p>A boat.</p></html>", notes=("looks like HTML",)),
    whole("rows_saved_as.txt", '\n{"id": 1, "text": "A boat."}\n', notes=("looks like JSON",)),
    whole("array_saved_as.md", '\ufeff[\n  {\n    "id": 1}]', notes=("looks like JSON",)),
    whole("blanks_first.txt", "\n" * 300_000 + "{boat}"),
    whole("UPPER.TXT", PROSE),
    whole("name with spaces & ünïcode.md", PROSE),
    whole("hash#in#name.txt", PROSE),
]

JSON_LINES = [
    Nasty("blank_lines.jsonl", b"\n\n  \n" + GOOD + b"\n", KEPT),
    Nasty("only_blank_lines.jsonl", b"\n\n\n", problems=((None, "has no rows"),)),
    Nasty("one_bad_line.jsonl", b'{"id": 1, "text": "One."}\n{"id": 2, "text": \n' + GOOD, {"#1": "One."} | KEPT, ((2, "Not JSON"),)),
    Nasty("single_quotes.jsonl", b"{'id': 1, 'text': 'One.'}\n" + GOOD, KEPT, ((1, "Not JSON"),)),
    Nasty("two_on_a_line.jsonl", b'{"text": "a"}{"text": "b"}\n' + GOOD, {"#L1": "a", "#L1.2": "b"} | KEPT),
    Nasty("put_together.jsonl", b'{"id": 1, "text": "One."}, \xef\xbb\xbf {"id": 2, "text": "Two."}' + GOOD, {"#1": "One.", "#2": "Two."} | KEPT),
    Nasty("one_and_a_half_on_a_line.jsonl", b'{"id": 1, "text": "One."} {"id": 2, "te\n' + GOOD, {"#1": "One."} | KEPT, ((1, "Not JSON"),)),
    Nasty("a_table.jsonl", b'1,One.\n2,Two.\n' + GOOD, KEPT, ((1, "Extra data"), (2, "Extra data"))),
    Nasty("cut_off.jsonl", GOOD + b'{"id": "b", "text": "The file ends in mid', KEPT, ((2, "Not JSON"),)),
    Nasty("bad_byte.jsonl", GOOD + b'{"id": 2, "text": "caf\xe9"}\n{"id": 3, "text": "c"}\n', KEPT | {"#3": "c"}, ((2, "0xe9"),)),
    Nasty("marked.jsonl", b"\xef\xbb\xbf" + GOOD, KEPT),
    Nasty("put_together_of_marked.jsonl", b'\xef\xbb\xbf{"id": 1, "text": "One."}\n\xef\xbb\xbf' + GOOD, {"#1": "One."} | KEPT),
    Nasty("deleted.jsonl", rows(*({"text": text, "author": "Bo"} for text in ("[deleted]", " [removed]\n", "[deleted by user]"))) + GOOD,
          KEPT, notes=("3 entries are left out: deleted or removed",)),
    Nasty("spread_objects.jsonl", b'{\n "id": 1,\n "text": "One."\n}\n{\n "id": 2,\n "text": "Two."\n}\n', {"#1": "One.", "#2": "Two."}),
    Nasty("out_of_an_array.jsonl", b'{"id": 1, "text": "One,"},\r\n{"id": 2, "text": "Two."},\r\n' + GOOD + b'{"id": 3, "te',
          {"#1": "One,", "#2": "Two."} | KEPT, ((4, "Not JSON"),)),
    Nasty("utf16.jsonl", GOOD.decode().encode("utf-16"), problems=((None, "UTF-16, not UTF-8"),)),
    Nasty("windows_newlines.jsonl", GOOD.replace(b"\n", b"\r\n") * 2, KEPT, notes=("1 row repeats",)),
    Nasty("other_values.jsonl", b'7\nnull\n"text"\n["a"]\ntrue\n' + GOOD, KEPT,
          ((1, "is a number"), (2, "is null"), (3, "is a text"), (4, "is a list"), (5, "is true or false"))),
    Nasty("no_text.jsonl", rows({"id": 1, "body": "x"}, {"id": 2, "text": ""}, {"id": 3, "text": " \n"}, {}) + GOOD, KEPT,
          ((1, "its columns are id, body"), (2, "text is empty"), (3, "text is empty"), (4, "its columns are none"))),
    Nasty("text_of_other_types.jsonl", rows({"text": 7}, {"text": ["a"]}, {"text": {"a": "b"}}, {"text": True}) + GOOD, KEPT,
          ((1, "text is a number"), (2, "text is a list"), (3, "text is an object"), (4, "text is true or false"))),
    Nasty("only_marks.jsonl", rows({"id": 1, "text": "\ufeff\u200b\0 "}) + GOOD, KEPT, ((1, "text is empty"),)),
    Nasty("same_id.jsonl", rows({"id": "a", "text": "One."}, {"id": "a", "text": "Two."}) + GOOD, {"#a": "One."} | KEPT,
          ((2, 'id "a" was given to another text on line 1'),)),
    Nasty("same_row.jsonl", rows({"id": "a", "text": "One."}) * 3, {"#a": "One."}, notes=("2 rows repeat",)),
    Nasty("number_and_text_id.jsonl", rows({"id": 7, "text": "One."}, {"id": "7", "text": "Two."}), {"#7": "One."},
          ((2, 'id "7" was given'),)),
    Nasty("id_like_a_line.jsonl", rows({"text": "One."}, {"id": "L1", "text": "Two."}), {"#L1": "One.", "#id=L1": "Two."}),
    Nasty("odd_ids.jsonl", rows({"id": "a/b#c ?%20", "text": "One."}, {"id": " x\ny\t", "text": "Two."}, {"id": 1.0, "text": "Three."}),
          {"#a/b#c ?%20": "One.", "#x y": "Two.", "#1": "Three."}),
    Nasty("ids_of_other_types.jsonl", rows({"id": ["a"], "text": "One."}, {"id": None, "text": "Two."}, {"id": "", "text": "Three."}),
          {"#L1": "One.", "#L2": "Two.", "#L3": "Three."}, ((1, "id is a list"),)),
    Nasty("endless_id.jsonl", rows({"id": "x" * 5000, "text": "One."}), {"#L1": "One."}, ((1, "5,000 characters long"),)),
    Nasty("own_parent.jsonl", rows({"id": "a", "text": "One.", "parent_id": "a"}), {"#a": "One."}, ((1, "parent_id is the row itself"),)),
    Nasty("circle_of_parents.jsonl",
          rows(*({"id": id, "text": id, "parent_id": parent} for id, parent in ("ab", "bc", "ca", "da", "ex"))),
          {f"#{id}": id for id in "abcde"}, ((1, "the parents of 3 rows lead back"),)),
    Nasty("ten_thousand_twins.jsonl", b"".join(b'{"id": %d, "text": "Me too."}\n' % n for n in range(10_000)),
          {f"#{n}": "Me too." for n in range(10_000)}),
    Nasty("ten_thousand_mistakes.jsonl", b'{"id"\n' * 10_000 + GOOD, KEPT,
          (*((n, "Not JSON") for n in range(1, 1_001)), (None, "9,000 more problems"))),
    Nasty("deep.jsonl", b'{"id": "a", "text": "One.", "x": ' + DEEP + b"}\n" + GOOD, KEPT, ((1, "nested too deep"),)),
    Nasty("deep_column.jsonl", rows({"id": "a", "text": "One.", "x": json.loads("[" * 60 + "]" * 60)}), {"#a": "One."},
          ((1, "x is nested more than 32 levels"),)),
    Nasty("endless_number.jsonl", b'{"id": "a", "text": "One.", "karma": ' + b"9" * 5_000 + b"}\n" + GOOD, KEPT, ((1, "Not JSON"),)),
    Nasty("long_numbers.jsonl", LONG_NUMBERS + b"\n" + GOOD, {"#L1": "One."} | KEPT, LONG),
    Nasty("not_numbers.jsonl", b'{"id": "a", "text": "One.", "karma": -Infinity, "posted_at": Infinity}\n' + GOOD, {"#a": "One."} | KEPT,
          ),
    Nasty("half_characters.jsonl", b'{"id": "a", "text": "x\\ud83dy \\ud83d\\ude00", "author": "A\\udc00"}\n', {"#a": "x\ufffdy 😀"},
          ((1, "half characters (lone surrogates): 1"),)),
    Nasty("nulls.jsonl", b'{"id": "a", "text": "x\\u0000y"}\n', {"#a": "x\0y"}),
    Nasty("null_byte.jsonl", b'{"id": "a", "text": "x\0y"}\n' + GOOD, KEPT, ((1, "Not JSON"),)),
    Nasty("key_twice.jsonl", b'{"id": "a", "text": "One.", "text": "Two."}\n', {"#a": "Two."}),
    Nasty("an_array_in_lines.jsonl", b'[\n{"id": "a", "text": "One."},\n{"id": "b", "text": "Two."}\n]\n', {"#a": "One.", "#b": "Two."}),
    Nasty("text_with_newlines.jsonl", rows({"id": "a", "text": "\r\n One.\r\rTwo.\u2028 \n"}), {"#a": "\r\n One.\r\rTwo.\u2028 \n"}),
    row("numbers_as_text.jsonl", karma="12", posted_at="1700000000"),
    row("no_number.jsonl", (1, "karma is no number: many"), karma="many"),
    row("no_dates.jsonl", (1, "posted_at is no date: yesterday"), posted_at="yesterday"),
    row("impossible_date.jsonl", (1, "posted_at is no date: 2023-02-30"), posted_at="2023-02-30"),
    row("a_year_is_no_date.jsonl", (1, "posted_at is no date: 2023"), posted_at=2023),
    row("future_date.jsonl", (1, "posted_at lies in the future: 2999-01-01"), posted_at="2999-01-01"),
    row("before_all_dates.jsonl", (1, "posted_at is no date: 0001-01-01"), posted_at="0001-01-01T00:00:00+14:00"),
    row("date_of_another_type.jsonl", (1, "posted_at is no date: an object"), posted_at={"day": 1}),
    row("endless_date.jsonl", (1, "posted_at is no date: 1000"), posted_at=10**300),
    row("author_object.jsonl", (1, "author is an object"), author={"name": "Ann"}),
    row("author_in_disguise.jsonl", author="Ann\u202e\nBob\0"),
    row("script_link.jsonl", (1, "url is no web address: javascript:alert(1)"), url="javascript:alert(1)"),
    row("bare_link.jsonl", (1, "url is no web address: example.org"), url="example.org"),
    row("broken_link.jsonl", (1, "url is no web address: http://["), url="http://[::1"),
    row("other_columns.jsonl", **{"x": 1, "": None, "a.b": [], "__class__": "x", "emoji 👍": {"y": "\ud800"}}),
]  # fmt: skip

JSON = [
    Nasty("blank.json", b"\n\n", problems=((None, "has no rows"),)),
    Nasty("no_rows.json", b"[]", problems=((None, "has no rows"),)),
    Nasty("empty_object.json", b"{}", problems=((1, "its columns are none"),)),
    Nasty("a_word.json", b"boat", problems=((1, "Not JSON"),)),
    Nasty("a_number.json", b"7", problems=((1, "The row is a number"),)),
    Nasty("one_row.json", b'{"id": "a",\n "text": "One."}', {"#a": "One."}),
    Nasty("one_after_another.json", b'{"id": 1, "text": "One."}{"id": 2, "text": "Two."} [{"text": "Three."}]\n7',
          {"#1": "One.", "#2": "Two.", "#L1": "Three."}, ((2, "The row is a number"),)),
    Nasty("second_cut_off.json", b'{"id": 1,\n "text": "One."}\n{"id": 2,\n "te', {"#1": "One."}, ((4, "Not JSON"),)),
    Nasty("lines_after_all.json", GOOD + b'{"id": "b", "text": "Two."}\n', KEPT | {"#b": "Two."}),
    Nasty("comments_inside.json", b'{"exported": 1,\n "comments": [\n  {"text": "One."},\n  {\n   "text": "Two."}], "z": {}}',
          {"#L3": "One.", "#L4": "Two."}),
    Nasty("all_on_one_line.json", b'[{"text": "One."}, {"text": "Two."}, 7, {"text": "Three."}]',
          {"#L1": "One.", "#L1.2": "Two.", "#L1.3": "Three."}, ((1, "The row is a number"),)),
    Nasty("no_comma.json", b'[\n {"id": "a", "text": "One."}\n {"id": "b", "text": "Two."}\n]', {"#a": "One.", "#b": "Two."},
          ((3, "Not JSON"),)),
    Nasty("mistake_inside.json",
          b'[\n {\n  "id": "a",\n  "text": "One."\n },\n {\n  "id" "b",\n  "text": "Two."\n },\n {\n  "id": "c",\n  "text": "Three."\n }\n]',
          {"#a": "One.", "#c": "Three."}, ((7, "Not JSON"),)),
    Nasty("bad_byte.json", b'[\n{"id": "a", "text": "One."},\n{"id": "b", "text": "caf\xe9"},\n{"id": "c", "text": "Three."}\n]',
          {"#a": "One.", "#c": "Three."}, ((3, "0xe9"),)),
    Nasty("cut_off.json", b'[\n{"id": "a", "text": "One."},\n{"id": "b", "te', {"#a": "One."}, ((3, "Not JSON"),)),
    Nasty("trailing_comma.json", b'[\n{"id": "a", "text": "One."},\n]', {"#a": "One."}, ((3, "Not JSON"),)),
    Nasty("garbage_behind.json", b'[\n{"id": "a", "text": "One."}\n]\nthanks', {"#a": "One."}, ((4, "Not JSON"),)),
    Nasty("deep.json", b"[\n" + DEEP + b",\n" + GOOD + b"]", KEPT, ((2, "Nested more than"),)),
    Nasty("deep_object.json", b'{"text": "One.", "x": ' + b'{"x":' * 50_000 + b"1" + b"}" * 50_000 + b"}", problems=((1, "Nested more than"),)),
    Nasty("wide.json", b'[{"text": "One.", "x": [' + b"1," * 1_000_000 + b"1]},\n" + GOOD + b"]", KEPT, ((1, "1,000,000 values"),)),
    Nasty("half_characters.json", b'[{"id": "a", "text": "x\\ud83dy \\\\ud83d \\ud83d\\ude00"}]', {"#a": "x\ufffdy \\ud83d 😀"},
          ((1, "lone surrogates"),)),
    Nasty("not_a_number.json", b'[\n{"id": "a", "text": "One."},\n{"id": "b", "text": "Two.", "karma": NaN, "url": Infinity},\n{"id": "c", "text": "Three."}\n]',
          {"#a": "One.", "#b": "Two.", "#c": "Three."}),
    Nasty("long_numbers.json", b"[" + LONG_NUMBERS + b",\n" + GOOD + b"]", {"#L1": "One."} | KEPT, LONG),
    Nasty("longer_numbers.json", b'[\n{"id": %s, "text": "One.", "karma": -%s.5e7, "x": 1e-99999999999999999999},\n' % ((b"9" * 5_000,) * 2) + GOOD + b"]",
          {"#L2": "One."} | KEPT),
    Nasty("wide_ids.json", b'[{"id": 18446744073709551615, "text": "One."}]', {"#18446744073709551615": "One."}),
    Nasty("too_large_a_number.json", b'[\n{"id": "a", "text": "One.", "karma": 1.5e999},\n{"id": "b", "text": "2e999 Two.", "karma": -1E+400}\n]',
          {"#a": "One.", "#b": "2e999 Two."}),
    Nasty("marked.json", b'\xef\xbb\xbf[{"id": "a", "text": "One."}]', {"#a": "One."}),
    Nasty("utf16.json", '[{"text": "One."}]'.encode("utf-16"), problems=((None, "UTF-16, not UTF-8"),)),
]  # fmt: skip

CSV = [
    Nasty("only_a_header.csv", b"id,text\n", problems=((None, "has no rows"),)),
    Nasty("no_header.csv", b"1,One.\n2,Two.\n", problems=((1, 'no column "text"; its columns are 1, One.'),)),
    Nasty("column_twice.csv", b"id,text,text\n1,One.,Two.\n", {"#1": "One."}, ((1, 'names "text" twice: the first was read'),)),
    Nasty("columns_thrice.csv", b"x,id,x,text,x\n7,1,8,One.,9\n", {"#1": "One."}, ((1, 'names "x" twice'),)),
    Nasty("empty_fields_behind.csv", b"id,text\n1,One.,,\n2,Two., ,x\n3,Three.\n", {"#1": "One.", "#3": "Three."}, ((3, "4 fields, the header 2"),)),
    Nasty("broken_quotes.csv", b'id,text\n1,"One.\n2,Two.\n3,"Three "so called" ones"\n4,"Four, and ""more"""\n',
          {"#2": "Two.", "#4": 'Four, and "more"'}, ((2, "Broken quoting"), (4, "Broken quoting"))),
    Nasty("macintosh.csv", b'id,text\r1,One.\r2,"Two\rlines."\r3,a,b\r', {"#1": "One.", "#2": "Two\rlines."}, ((5, "3 fields"),)),
    Nasty("separator_told.csv", b'sep=;\r\nid;text\r\n1;"One, two, three, four."\r\n', {"#1": "One, two, three, four."}),
    Nasty("never_closed.csv", b'id,text\n1,"One.\n2,Two.\n3,Three.\n', {"#2": "Two.", "#3": "Three."}, ((2, "Broken quoting"),)),
    Nasty("unquoted_comma.csv", b"id,text\n1,One, or two.\n2,Two.\n", {"#2": "Two."}, ((2, "3 fields, the header 2"),)),
    Nasty("too_few_fields.csv", b"id,text,author\n1\n2,Two.\n", {"#2": "Two."}, ((2, "has no text"),)),
    Nasty("newlines_in_fields.csv", b'id,text\r\n1,"One\r\n\r\nand\nmore."\r\n2,Two.\r\n', {"#1": "One\r\n\r\nand\nmore.", "#2": "Two."}),
    Nasty("lines_after_a_long_row.csv", b'id,text\n1,"a\nb\nc"\n2,\n', {"#1": "a\nb\nc"}, ((5, "text is empty"),)),
    Nasty("bad_byte.csv", b"id,text\n1,caf\xe9\n2,Two.\n", {"#2": "Two."}, ((2, "0xe9"),)),
    Nasty("utf16.csv", "id,text\n1,One.\n".encode("utf-16"), problems=((None, "UTF-16, not UTF-8"),)),
    Nasty("marked.csv", b'\xef\xbb\xbf"id","text"\n1,One.\n', {"#1": "One."}),
    Nasty("semicolons.csv", b"id;text\n1;One, two.\n", {"#1": "One, two."}),
    Nasty("one_column.csv", b'text\n One, two.\n"Two, ""three"";"\nThree\n', {"#L2": " One, two.", "#L3": 'Two, "three";', "#L4": "Three"}),
    Nasty("spaces_behind_commas.csv", b'id, text, author\n1, "One, two.", A\n2,  Three, B\n', {"#1": "One, two.", "#2": "Three"}),
    Nasty("put_together.csv", b"id,text\n1,One.\nid,text\n2,Two.\n", {"#1": "One.", "#2": "Two."}),
    Nasty("tabs.tsv", b"id\ttext\n1\tOne, two.\n", {"#1": "One, two."}),
    Nasty("nulls.csv", b"id,text\n1,x\0y\n", {"#1": "x\0y"}),
    Nasty("blank_lines.csv", b"\n\nid,text\n\n1,One.\n\n", {"#1": "One."}),
    Nasty("quote_inside.csv", b'id,text\n1,5" wide\n', {"#1": '5" wide'}),
    Nasty("formula.csv", b'id,text\n1,"=HYPERLINK(""http://x"")"\n', {"#1": '=HYPERLINK("http://x")'}),
]  # fmt: skip

PAGES = [
    Nasty("empty_page.html", b"<html><head><title>Boats</title></head><body><script>var x = 'text'</script></body></html>",
          problems=((None, "no readable text"),)),
    Nasty("scripts.html", b"<p onclick='x()'>A <script>evil()</script><style>p{}</style><b>boat</b><!-- no --> <a href='javascript:x()'>here</a>"
          b"<noscript>no</noscript><template>no</template><svg><text>no</text></svg><textarea>no</textarea>", {"": "A **boat** here"}),
    Nasty("unclosed.html", b"<p>One <b>two <i>three</p><p>four <table><tr><td>five", {"": "One **two *three***\n\nfour\n\n|  |\n| --- |\n| five |"}),
    Nasty("bomb.html", b"<div>" * 2_000 + b"boom", problems=((None, "nested too deep"),)),
    Nasty("bomb_of_tags.html", b"<b></b>" * 600_000, problems=((None, "More than 500,000 tags"),)),
    Nasty("bomb_of_quotes.html", b"<blockquote>" * 2_000 + b"boom", problems=((None, "nested too deep"),)),
    Nasty("entities.html", b"<p>&lt;b&gt; &amp;amp; &#0; &#x110000; &nosuch; &#128512;</p>", {"": "<b> &amp; \ufffd \ufffd &nosuch; 😀"}),
    Nasty("latin1.html", b"<meta charset='iso-8859-1'><p>caf\xe9</p>", {"": "café"}),
    Nasty("windows.html", b"<meta charset='latin1'><p>\x93caf\xe9\x94 \x96 x</p>", {"": "“café” – x"}),
    Nasty("not_what_it_says.html", b"<meta charset='utf-8'><p>One</p>\n<p>caf\xe9</p>", problems=((2, "0xe9"),)),
    Nasty("no_encoding.html", b"<meta charset='klingon'><p>One</p>", problems=((1, '"klingon", which is no encoding'),)),
    Nasty("no_text_encoding.html", b"<meta charset='zip'><p>One</p>", problems=((1, '"zip", which is no encoding'),)),
    Nasty("utf16.html", "<p>One</p>".encode("utf-16"), {"": "One"}),
    Nasty("private_use.html", "<p>x\ue000y</p>".encode(), {"": "xy"}),
    Nasty("broken_address.html", b"<link rel=canonical href='http://[x'><base href='https://[::1'><p>One</p>", {"": "One"}),
    Nasty("broken_link.html", b"<div class=comments-node id=aaaaa><div class=CommentsItemMeta-root><a class=lw2-link href='http://['>x</a></div>"
          b"<div class=CommentBody-root><a href='http://['>One</a></div></div>", {"#aaaaa": "One"}),
    Nasty("no_markup.html", b"Just words.", {"": "Just words."}),
]  # fmt: skip

OTHERS = [
    Nasty("program.exe", b"MZ", problems=((None, 'ending in ".exe" are not known'),)),
    Nasty("NOENDING", b"text", problems=((None, "no ending"),)),
    Nasty("packed.jsonl.gz", b"\x1f\x8b", problems=((None, "packed file"),)),
    Nasty("not_parquet.parquet", b"PAR1 is not enough PAR1", problems=((None, "Not Parquet"),)),
    Nasty("without_a_dump.txt.meta.json", b"{}", problems=((None, "file it describes is not there"),)),
    Nasty(
        "deep_thread.json",
        b'{"kind": "t1", "data": {"id": "a", "body": "One.", "created_utc": 1700000000, "replies": '
        + b'{"kind": "Listing", "data": {"children": [' * 1_500,
        problems=((1, "Not JSON"),),
    ),
]

NASTY = [*TEXTS, *JSON_LINES, *JSON, *CSV, *PAGES, *OTHERS]
