"""What a comment looks like: whose words are quoted in it, and code that is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.errors import StoreUnavailable
from rag.records import Comment, Quotation, Span
from ui.comments import list_html
from ui.markup import comment_html
from ui.origins import origins, places

from scripted import ScriptedIndex  # isort: skip

TEXT = "> Tides are mostly the moon.\nNot here."


@pytest.fixture
def quoting() -> Comment:
    return Comment(
        id="c9", author="Zoe", text=TEXT, sightings=(Span("f", 0, len(TEXT)),), quoted=((0, 28),),
        quotes=(Quotation(0, 28, "c1"),),
    )  # fmt: skip


def test_the_origin_follows_the_quoted_words(quoting: Comment) -> None:
    html = list_html([quoting], ScriptedIndex().comment)
    assert '<span class="quoted">&gt; Tides are mostly the moon.</span><details class="origin">' in html
    assert "<summary>quoted from Maren Holt’s comment</summary>" in html
    assert "<mark>Tides are mostly the moon</mark>." in html
    assert "</details>Not here." in html


def test_words_whose_origin_is_gone_stay_words(quoting: Comment) -> None:
    def broken(id: str) -> Comment | None:
        raise StoreUnavailable("locked")

    gone = replace(quoting, quotes=(Quotation(0, 28, "forgotten"), Quotation(30, 400, "c1")))
    assert origins(gone, TEXT, ScriptedIndex().comment) == {}
    assert origins(quoting, TEXT, broken) == {}


def test_hostile_words_stay_text(quoting: Comment) -> None:
    html = list_html([replace(quoting, quotes=(Quotation(0, 28, "c2"),))], ScriptedIndex().comment)
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert "\n" not in html


@pytest.mark.parametrize(
    ("quoted", "found"),
    [
        ("> the  MOON,\n> it seems", ["The moon, it seems"]),
        ("The moon ... spring tides", ["The moon", "spring tides"]),
        ("something else", []),
        ("> ...", []),
        ("(.*", []),
    ],
)
def test_quoted_words_are_found_again(quoted: str, found: list[str]) -> None:
    text = "The moon, it seems, makes spring tides."
    assert [text[start:end] for start, end in places(quoted, text)] == found


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a `$x_1$` b", 'a <span class="code">`$x_1$`</span> b'),
        ("```py\n$x_1$ = 2\n```\n$y_1$", '<span class="code">```py&#10;$x_1$ = 2&#10;```</span>&#10;\\(y_1\\)'),
        ("~~~\n<b>\n", '<span class="code">~~~&#10;&lt;b&gt;&#10;</span>'),
    ],
)
def test_code_is_kept_as_it_is(text: str, html: str) -> None:
    assert comment_html(text) == html


def test_a_mark_inside_code_is_a_mark() -> None:
    assert comment_html("`ab`", marks=[(1, 2)]) == (
        '<span class="code">`</span><mark><span class="code">a</span></mark><span class="code">b`</span>'
    )
