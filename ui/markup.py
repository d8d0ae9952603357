"""Untrusted text -> HTML that can only be text: escaped, on one line, formulas marked for KaTeX.

Gradio runs whatever it is given through a Markdown parser. A block of HTML without a line break passes
through that parser untouched, so everything here returns one line, with line breaks as `&#10;`.
Gradio sanitises the result again in the browser; nothing here relies on that.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

LATEX_DELIMITERS = [
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]
"""What Gradio hands to KaTeX. Dollar signs are not among them: `formulas` decides which of those are prices."""

_FORMULA = re.compile(
    r"""
      \$\$ (?P<display> [^$]{1,2000}? ) \$\$
    | (?<![\w$\\]) \$ (?P<inline> (?![\s$]) [^$\n]{1,400}? ) (?<![\s\\]) \$ (?![\w$])
    """,
    re.VERBOSE,
)
_CODE = re.compile(r"^(```+|~~~+)[^\n]*\n.*?(?:^\1[`~]*[ \t]*$|\Z)|(?<!`)`[^`\n]+`(?!`)", re.DOTALL | re.MULTILINE)
_LOOKS_LIKE_MATH = re.compile(r"[\\^_={}<>]|^[A-Za-z](?:['(),+*/\s-]*[A-Za-z0-9])?\)?$")
_GRADIO_PLACEHOLDER = "%%%LATEX"


def escape(text: str) -> str:
    """Text as HTML on one line, also fit for a quoted attribute."""
    escaped = html.escape(text, quote=True).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "&#10;")
    return escaped.replace(_GRADIO_PLACEHOLDER, "&#37;%%LATEX")


def message_html(text: str) -> str:
    """What the program says, with what stands between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def tag(element: str, content: str = "", /, **attributes: str | None) -> str:
    """An element around ready HTML; attribute values are escaped, those that are None left out.

    A trailing underscore of an attribute's name is dropped (`class_`).
    """
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    written = "".join(f' {key}="{escape(value)}"' for key, value in given)
    return f"<{element}{written}>{content}</{element}>"


def button(name: str, value: str, label: str) -> str:
    """A button that page.js acts upon or hands to the server."""
    return tag("button", escape(label), type="button", class_="link", name=name, value=value)


def safe_url(url: str | None) -> str | None:
    """The address if it is an absolute http(s) one, else None."""
    if not url:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme.lower() in ("http", "https") and parts.netloc else None


def link_out(url: str | None) -> str:
    """A link to where a comment stands, naming the host; nothing if the address is none that may be opened."""
    url = safe_url(url)
    if url is None:
        return ""
    host = urlsplit(url).netloc.rpartition("@")[2].removeprefix("www.")
    return tag("a", f"Open on {escape(host)}", href=url, target="_blank", rel="noopener noreferrer")


def formulas(text: str) -> list[tuple[int, int, str]]:
    """Formulas between dollar signs as (start, end, the same in the delimiters KaTeX is given); prices are none.

    As in Pandoc's Markdown: no space inside the dollar signs, no digit after them. What is left must also look like
    mathematics, since comments about money are more common than comments about `$x$`.
    """
    found = []
    for match in _FORMULA.finditer(text):
        if match["display"] is not None:
            if _LOOKS_LIKE_MATH.search(match["display"].strip()):
                found.append((match.start(), match.end(), f"\\[{match['display']}\\]"))
        elif _LOOKS_LIKE_MATH.search(match["inline"]):
            found.append((match.start(), match.end(), f"\\({match['inline']}\\)"))
    return found


def comment_html(
    text: str,
    *,
    marks: Sequence[tuple[int, int]] = (),
    quoted: Sequence[tuple[int, int]] = (),
    gaps: Iterable[int] = (),
    after: Mapping[int, str] | None = None,
) -> str:
    """A comment exactly as written, with stretches marked, other people's words set apart and losses named.

    Args:
        text: The comment.
        marks: Stretches to highlight, as offsets into `text`.
        quoted: Stretches that are somebody else's words.
        gaps: Places where a formula, an image or a label was lost.
        after: Ready HTML, of an element that is a block, that follows the text up to an offset.
    """
    after = after or {}
    gaps = {gap for gap in gaps if 0 <= gap <= len(text)}
    borders = {0, len(text), *gaps, *after, *(edge for start, end in (*marks, *quoted) for edge in (start, end))}
    code = [match.span() for match in _CODE.finditer(text)]
    borders |= {edge for span in code for edge in span}
    maths = [
        (start, end, tex)
        for start, end, tex in formulas(text)
        if not any(start < border < end for border in borders) and not _within(start, end, code)
    ]
    borders |= {edge for start, end, _ in maths for edge in (start, end)}
    cuts = sorted(border for border in borders if 0 <= border <= len(text))
    replaced = {start: tex for start, _, tex in maths}

    pieces = []
    for start, end in zip(cuts, [*cuts[1:], len(text)], strict=True):
        if start in gaps:
            pieces.append('<span class="gap" title="A formula, an image or a label was lost here">[lost]</span>')
        if start == end:
            continue
        piece = escape(replaced.get(start, text[start:end]))
        if start in after:
            piece = piece.removeprefix("&#10;")  # the block before it has ended the line
        if _within(start, end, code):
            piece = f'<span class="code">{piece}</span>'
        if _within(start, end, marks):
            piece = f"<mark>{piece}</mark>"
        if _within(start, end, quoted):
            piece = f'<span class="quoted">{piece}</span>'
        pieces += [piece, after.get(end, "")]
    return "".join(pieces)


def _within(start: int, end: int, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(low <= start and end <= high for low, high in ranges)


def markdown_html(text: str, marker: Callable[[int], str | None]) -> str:
    """A model's Markdown as HTML: no raw HTML, no links, no images, and each `[n]` as the page wants it.

    Links and images are left out since text that a comment smuggled into the answer could use them to load or
    call something elsewhere.

    Args:
        text: Markdown with `[n]` markers.
        marker: Gives the HTML of marker n, or None to leave it as text.
    """
    return _parser().render(text, {"marker": marker}).strip().replace("\n", "&#10;")


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.texmath import texmath_plugin

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable(["link", "image", "autolink", "reference", "html_inline", "html_block"])
    parser.use(texmath_plugin, delimiters="brackets")
    parser.use(dollarmath_plugin, allow_space=False, allow_digits=False, allow_labels=False, double_inline=True)
    for rule, left, right in (("math_inline", "\\(", "\\)"), ("math_block", "\\[", "\\]")):
        for name in (rule, f"{rule}_double", f"{rule}_eqno", f"{rule}_label"):
            parser.renderer.rules[name] = _formula_rule(left, right)
    parser.renderer.rules["text"] = _text_rule
    return parser


def _formula_rule(left: str, right: str) -> Callable[..., str]:
    def render(tokens: Sequence[Any], index: int, options: Mapping[str, Any], env: Mapping[str, Any]) -> str:
        return escape(f"{left}{tokens[index].content}{right}")

    return render


# Quotes in an answer come with their dollar signs escaped, so formulas are looked for once more in plain text.
_MARKER = re.compile(r"\[(\d{1,4})\]")


def _text_rule(tokens: Sequence[Any], index: int, options: Mapping[str, Any], env: Mapping[str, Any]) -> str:
    """Plain text, its markers replaced: they cannot occur inside code, which is another token."""
    text, done, written = tokens[index].content, 0, []
    for match in _MARKER.finditer(text):
        shown = env["marker"](int(match[1]))
        if shown is not None:
            written += [comment_html(text[done : match.start()]), shown]
            done = match.end()
    return "".join([*written, comment_html(text[done:])])
