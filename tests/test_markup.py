"""Untrusted text becomes HTML that can only be text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.markup import comment_html, escape, formulas, link_out, markdown_html, safe_url, tag


class Seen(HTMLParser):
    """Collects elements, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def cite(number: int) -> str | None:
    return tag("a", str(number), href=f"#{number}") if number == 1 else None


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\0")))
def test_escaped_text_reads_as_it_was(text: str) -> None:
    html = escape(text)
    assert "\n" not in html
    assert Seen(html).text == text


@given(
    st.text(alphabet="ab $\\_<>&\n", max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=3),
    st.lists(st.integers(0, 40), max_size=2),
)
def test_a_comment_keeps_every_character(text: str, ranges: list[tuple[int, int]], gaps: list[int]) -> None:
    """Whatever is marked, quoted or lost, the reader sees the words of the comment; only dollar signs may go."""
    marks = [(min(a, b, len(text)), min(max(a, b), len(text))) for a, b in ranges]
    html = comment_html(text, marks=marks, quoted=marks[:1], gaps=gaps)
    seen = Seen(html)
    assert seen.elements <= {"mark", "span"}
    shown = seen.text.replace("[lost]", "")
    for left in ("\\(", "\\)", "\\[", "\\]"):
        shown = shown.replace(left, "")
    assert shown.replace("$", "") == text.replace("$", "")


def test_a_marked_stretch_is_marked_and_nothing_else() -> None:
    assert comment_html("He said <b>no</b>.\nTwice.", marks=[(8, 17)]) == (
        "He said <mark>&lt;b&gt;no&lt;/b&gt;</mark>.&#10;Twice."
    )


def test_losses_and_other_peoples_words_are_named() -> None:
    assert comment_html("> x\nso is 3", quoted=[(0, 3)], gaps=[6]) == (
        '<span class="quoted">&gt; x</span>&#10;so'
        '<span class="gap" title="A formula, an image or a label was lost here">[lost]</span> is 3'
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("take $x^2$ and $n$", ["\\(x^2\\)", "\\(n\\)"]),
        ("$$E = mc^2$$", ["\\[E = mc^2\\]"]),
        ("it costs $5 and then $6", []),
        ("($5)…($6)", []),
        ("US$3 or $5-$10, $40k to $50k", []),
        ("about $AAPL and $TSLA", []),
        ("paid $ 5 $ for it", []),
        ("$f(x)$ but $10", ["\\(f(x)\\)"]),
    ],
)
def test_formulas_are_told_from_prices(text: str, found: list[str]) -> None:
    assert [tex for _, _, tex in formulas(text)] == found


def test_a_formula_that_a_mark_cuts_stays_as_written() -> None:
    assert comment_html("is $a + b$ here", marks=[(0, 6)]) == "<mark>is $a </mark>+ b$ here"


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("Moon [1], sun [2].", '<p>Moon <a href="#1">1</a>, sun [2].</p>'),
        ("[1][1]", '<p><a href="#1">1</a><a href="#1">1</a></p>'),
        ("`x[1]`", "<p><code>x[1]</code></p>"),
        ("<script>x</script> <img src=y>", "<p>&lt;script&gt;x&lt;/script&gt; &lt;img src=y&gt;</p>"),
        ("![a](http://e/x) [b](http://e) <http://e>", "<p>![a](http://e/x) [b](http://e) &lt;http://e&gt;</p>"),
        ("See [1].\n\n[1]: http://evil", '<p>See <a href="#1">1</a>.</p>&#10;<p><a href="#1">1</a>: http://evil</p>'),
        ("$a<b$ costs $5", "<p>\\(a&lt;b\\) costs $5</p>"),
        ("quoted \\$a\\_b\\$", "<p>quoted \\(a_b\\)</p>"),
        ("```\na\n\nb\n```", "<pre><code>a&#10;&#10;b&#10;</code></pre>"),
        ("**yes**\n- a", "<p><strong>yes</strong></p>&#10;<ul>&#10;<li>a</li>&#10;</ul>"),
    ],
)
def test_markdown_of_a_model(markdown: str, html: str) -> None:
    assert markdown_html(markdown, cite) == html


@given(st.text(max_size=200))
def test_no_answer_gets_an_element_that_loads_or_acts(text: str) -> None:
    seen = Seen(markdown_html(text, lambda number: None))
    assert not seen.elements & {
        "script",
        "img",
        "a",
        "iframe",
        "style",
        "link",
        "form",
        "input",
        "svg",
        "video",
        "object",
    }


@given(st.text(max_size=200))
def test_the_browser_gets_one_line(text: str) -> None:
    """A blank line would end the block that Gradio's Markdown parser leaves alone."""
    assert "\n" not in markdown_html(text, cite)
    assert "\n" not in comment_html(text)


def test_gradios_own_placeholders_cannot_be_forged() -> None:
    assert "%%%LATEX" not in comment_html("%%%LATEX_BLOCK_0%%%")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("http://example.org", "http://example.org"),
        ("javascript:alert(1)", None),
        (" JaVaScRiPt:alert(1)", None),
        ("data:text/html,x", None),
        ("//example.org/x", None),
        ("/posts/x", None),
        ("http://[broken", None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_are_opened(url: str | None, safe: str | None) -> None:
    assert safe_url(url) == safe


def test_a_link_names_the_host_it_leads_to() -> None:
    assert link_out("https://www.lesswrong.com@evil.example/x").endswith(">Open on evil.example</a>")
