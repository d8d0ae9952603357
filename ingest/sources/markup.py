"""HTML of comments and posts -> the markdown that the forums themselves give, with formulas as LaTeX.

The only Beautiful Soup and markdownify. Scripts, styles and controls never become text. What cannot become text (a
formula without its LaTeX, a poll, an embedded page) leaves a gap, whose place is kept.
"""

from __future__ import annotations

import re
import warnings
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Comment, Tag, UnusualUsageWarning
from markdownify import MarkdownConverter

from ingest.marked_quotes import others_words
from ingest.sources.base import Markup
from rag.errors import SourceError

_DROPPED = """script, style, noscript, template, title, base, svg, canvas, button, input, textarea, select, option,
    object, applet, link, meta, .read-more-button, .footnote-back-link, .footnote-backref, .MJX_Assistive_MathML,
    mjx-assistive-mml, .katex-html"""
_MATH = "mjx-container, .mjpage, .mjx-chtml, .MathJax_CHTML, span.math-tex, .katex, math"
_LOST = """iframe, video, audio, embed, .ck-poll, .elicit-binary-prediction, .manifold-preview, .metaculus-preview,
    .strawpoll-embed, .metaforecast-preview, .thoughtSaverFrameWrapper"""
_GAP = "\ue000"
"""A private-use character that stands for what is missing until the text is done."""
_TEX_MARKS = re.compile(r"^\s*(?:\\\((.*)\\\)|\\\[(.*)\\\]|\$\$(.*)\$\$|\$(.*)\$)\s*$", re.DOTALL)


_SURROGATE = re.compile("[\ud800-\udfff]")
# That a text is XHTML, or nothing but an address, is no mistake of ours that users should read about.
warnings.filterwarnings("ignore", category=UnusualUsageWarning)


def parse(html: str) -> BeautifulSoup:
    """Parse HTML as a browser would, whatever is wrong with it."""
    return BeautifulSoup(_SURROGATE.sub("\ufffd", html), "lxml")


def markdown(html: str) -> Markup:
    """Convert HTML; relative links start from its `<base>`, if it has one.

    Raises:
        SourceError: It is nested too deep.
    """
    root = parse(html)
    base = root.select_one("base[href]")
    address = str(base["href"]) if base is not None else ""
    _prepare(root)
    try:
        text = _Converter(base=address).convert_soup(root)
    except RecursionError as exc:
        raise SourceError("The HTML is nested too deep to be read.") from exc
    text = "\n".join(line.rstrip() for line in text.replace("\xa0", " ").split("\n"))
    # What stood alone leaves no empty paragraph: its place is the end of the one before.
    text = re.sub(rf"^({_GAP}+)\s+|\n+({_GAP}+)(?=\n|$)", r"\1\2", text.strip())
    parts = re.sub(r"\n{3,}", "\n\n", text).split(_GAP)
    text, gaps = parts[0], []
    for part in parts[1:]:
        gaps.append(len(text))
        text += part
    return Markup(text, others_words(text), tuple(dict.fromkeys(gaps)))


def _prepare(root: Tag) -> None:
    """Replace what a general converter cannot know by what it should print."""
    for text in root.find_all(string=lambda text: _GAP in text):
        text.replace_with(text.replace(_GAP, ""))
    for comment in root.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    # MathJax 2 in the browser leaves the LaTeX in a script beside what it rendered.
    scripts = root.select('script[type^="math/tex"]')
    for rendered in root.select(".MathJax, .MathJax_CHTML, .MathJax_Display, .MathJax_Preview") if scripts else ():
        rendered.decompose()
    for script in scripts:
        _replace_math(script, script.get_text(), "mode=display" in str(script.get("type")))
    for math in root.select(_MATH):
        if not math.decomposed:
            _replace_math(math, _tex(math), _is_display(math))
    for element in root.select(_DROPPED):
        element.decompose()
    for element in root.select(_LOST):
        if not element.decomposed:
            address = element.find_parent(attrs={"data-oembed-url": True})
            element.replace_with(str(address["data-oembed-url"]) if address else _GAP)


def _replace_math(element: Tag, tex: str | None, display: bool) -> None:
    element.clear(decompose=True)
    for name in list(element.attrs):
        del element[name]
    element.name = "p" if display else "span"
    element["class"] = "math-done"
    marks = ("$$\n", "\n$$") if display else ("$", "$")
    element["data-tex"] = f"{marks[0]}{tex}{marks[1]}" if tex else _GAP


def _tex(element: Tag) -> str | None:
    """The LaTeX of a formula, from its label, the source beside its MathML or, unrendered, its text."""
    labelled = element if element.get("aria-label") else element.select_one("[aria-label]")
    source = element.select_one('annotation[encoding="application/x-tex"]')
    if labelled is not None:
        tex = str(labelled["aria-label"])
    elif element.get("alttext"):
        tex = str(element["alttext"])
    elif source is not None or "math-tex" in (element.get("class") or []):
        tex = (source or element).get_text()
    else:
        return None
    bare = _TEX_MARKS.match(tex)
    return (next(part for part in bare.groups() if part is not None) if bare else tex).strip() or None


def _is_display(element: Tag) -> bool:
    if element.get("display") in ("true", "block") or "\\[" in element.get_text()[:8]:
        return True
    parts = (element.parent, element, *element.find_all(True, limit=3))
    classes = {name for part in parts for name in part.get("class") or []}
    return bool(classes & {"mjpage__block", "MJXc-display", "MJXc-block", "katex-display"})


class _Converter(MarkdownConverter):
    """markdownify with the forums' own blocks."""

    class Options(MarkdownConverter.DefaultOptions):
        """Prose is not escaped: a quote must read as its author typed it."""

        heading_style = "atx"
        bullets = "-"
        escape_asterisks = False
        escape_underscores = False
        escape_misc = False
        base = ""

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return " " if "_inline" in parent_tags else "\n"

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if _has_class(el, "footnote-ref"):
            return self._footnote(el, text)
        # "2<sup>10</sup>" must not become "210".
        return f"^{text}" if text.strip() and el.find("a") is None else text

    def convert_span(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if el.has_attr("data-tex"):
            return str(el["data-tex"])
        return self._footnote(el, text) if _has_class(el, "footnote-reference") else text

    def convert_p(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if el.has_attr("data-tex"):
            return f"\n\n{el['data-tex']}\n\n"
        if _has_class(el, "spoiler-v2", "spoiler"):
            return _spoiler(text)
        return super().convert_p(el, text, parent_tags)

    def convert_div(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if _has_class(el, "llm-content-block"):
            model = str(el.get("data-model-name") or "").replace('"', "'").replace("\n", " ")
            return f'\n\n%%% llm-output model="{model}"\n\n{text.strip()}\n\n%%% /llm-output\n\n'
        if _has_class(el, "spoilers", "spoiler"):
            return _spoiler(text)
        return super().convert_div(el, text, parent_tags)

    def convert_details(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"\n\n{text.strip()}\n\n+++\n\n"

    def convert_summary(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"\n\n+++ {text.strip()}\n\n"

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if _has_class(el, "footnote-item"):
            number = el.get("data-footnote-index") or len(el.find_previous_siblings("li")) + 1
            return f"\n[^{number}]: {text.strip()}\n"
        return super().convert_li(el, text, parent_tags)

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        el["href"] = self._address(el.get("href"))
        el["title"] = ""
        return super().convert_a(el, text, parent_tags) if el["href"] else text

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        el["src"] = self._address(el.get("src"))
        el["title"] = ""
        if el["src"]:
            return super().convert_img(el, text, parent_tags)
        return f"{el.get('alt') or ''}{_GAP}"

    def _address(self, value: object) -> str:
        """An absolute web address, a relative one where the page's own is unknown, or nothing."""
        address = str(value or "").strip()
        if address.startswith("#"):
            return ""
        try:
            address = urljoin(self.options["base"], address)
            return address if urlsplit(address).scheme in ("http", "https", "mailto", "") else ""
        except ValueError:
            return ""

    @staticmethod
    def _footnote(el: Tag, text: str) -> str:
        number = el.get("data-footnote-index") or re.sub(r"\W", "", el.get_text())
        return f"[^{number}]" if number else text


def _spoiler(text: str) -> str:
    lines = text.strip().split("\n")
    return "\n\n" + "\n".join(f">! {line}".rstrip() for line in lines) + "\n\n"


def _has_class(element: Tag, *names: str) -> bool:
    return any(name in names for name in element.get("class") or [])
