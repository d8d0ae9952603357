"""From a model's words to what a reader sees: sentence keys become `[1]`, `[2]` with exact spans behind them.

The model is shown sentences under unguessable keys (keys.py) and cites keys; everything else that looks like a citation
is dropped and counted. `MarkerStream` is the only place that decides what a reader sees. It reads the reply in one pass
with bounded look-ahead, so the result does not depend on how the reply was cut into chunks, and the time is linear.

What reaches the reader:

- A key in brackets of any kind, alone, in a list or as a range, becomes `[n]`; so does a key that stands bare.
- Unknown keys, numbers in square brackets and footnote marks are dropped. An interval such as `[0, 1]` is kept.
- Code keeps every character, but a key that stands alone in a span of it is a citation, too. So do formulas, except that
  `[3]` in one is written `[{3}]`, which sets the same, and that commands which link, load, style or define lose their
  backslash.
- Links and images become their text, also those to a cited comment (its address stands with the citation): nothing
  in an answer may call home. HTML tags, comments, invisible and bidirectional controls vanish.
- Words in quotation marks are looked up (quotes.py) before they are shown.

A reply passes these stages: `MarkerStream` finds markers, links and HTML, code_and_formulas.py the rest; spacing.py
settles the white space round markers; sentence_buffer.py holds a sentence back from its first quotation or marker until
it is whole and reviewed; printing.py numbers the citations and sees to it that nothing forges one. Whether a citation
supports its sentence is for support.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from rag.citations.code_and_formulas import CodeAndFormulas
from rag.citations.keys import CODE, INVISIBLE, LABEL, KeyedSentence, KeyReader, Mark
from rag.citations.printing import HTML_NAME, CitedSentence, CitedText, Dropped, Printer
from rag.citations.quotes import QuoteBook
from rag.citations.reply_buffer import ReplyBuffer, Step
from rag.citations.sentence_buffer import SentenceBuffer
from rag.citations.spacing import SpacedWriter

_SLICE = 4096
"""The reply is read in slices of this size, so that what is held back stays small."""
_GROUP_LIMIT = 500
_TARGET_LIMIT = 2000
_TAG_LIMIT = 1000
_ROUND_LIMIT = 120

_SQUARE = re.compile(r"\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*+\])*+\])*+\]|【[^【】]*+】|［[^［］]*+］|〔[^〔〕]*+〕")
_ROUND = re.compile(r"[(（{<]([\w \t.,;:&#·/|+–—-]*+)[)）}>]")
_ROUND_BEGUN = re.compile(r"[(（{<][\w \t.,;:&#·/|+–—-]*+\Z")
_NAMED_SOURCE = re.compile(r"[(（]\s*+(?:sources?|refs?|citations?|keys?)\s*+#?(\d{1,3})\s*+[)）]", re.IGNORECASE)
_NAMED_SOURCE_BEGUN = re.compile(r"[(（]\s*+[a-z]{0,9}\s*+#?\d{0,3}\s*+\Z", re.IGNORECASE)
_TARGET = re.compile(
    r"\(\s*+(?:<[^<>\n]*+>|(?:[^\s()<>]|\([^\s()]*+\))*+)(?:\s++(?:\"[^\"]*+\"|'[^']*+'|\([^()]*+\)))?+\s*+\)"
)
_NO_TARGET = re.compile(r"\(\s*+(?:[^\s()<>]|\([^\s()]*+\))++\s++[^\s\"'()]")
_DEFINITION = re.compile(r":[ \t]*+(?:<[^<>\n]*+>|[a-z][a-z0-9+.-]*+:\S*+|[/#.]\S*+|www\.\S*+)[^\n]*+", re.IGNORECASE)
_TAG = re.compile(
    r"</?([a-z][a-z0-9:-]*+)((?:[\s/][^<>]*+)?)>|<!--(?:[^-]|-(?!->))*+-->|<(?:\?|!(?!--))[^<>]*+>", re.IGNORECASE
)
_SUPERSCRIPT = re.compile(r"<sup>[\s\[(]*+(\d[\d\s,;]*+)[\s\])]*+</sup>", re.IGNORECASE)
_AUTOLINK = re.compile(r"<([a-z][a-z0-9+.-]{1,31}:[^\s<>]*+|[^\s<>@]++@[^\s<>@]++)>", re.IGNORECASE)
_BLOCK_END = re.compile(r"br|/(?:p|div|li|tr|h[1-6]|ul|ol|table|blockquote)", re.IGNORECASE)


class MarkerStream:
    """Turns a reply into visible text and citations while it arrives.

    Args:
        keys: The sentences that the model was shown, by key (`assign_keys`).
        quotes: Looks up what stands in quotation marks, before it is shown; None leaves quotation marks alone.
    """

    def __init__(self, keys: Mapping[str, KeyedSentence], quotes: QuoteBook | None = None) -> None:
        self._dropped = Dropped()
        self._printer = Printer(self._dropped)
        self._sentences = SentenceBuffer(self._printer, quotes)
        self._reply = ReplyBuffer(KeyReader(keys), SpacedWriter(self._sentences, self._dropped))
        self._code = CodeAndFormulas(self._reply)
        self._before = ""
        self._special = re.compile(r"[\[【［〔(（{`~$<\\!^]|" + self._reply.keys.code_pattern, re.IGNORECASE)
        self._handlers: dict[str, Callable[[int, bool], Step]] = {
            **dict.fromkeys("[【［〔", self._square),
            **dict.fromkeys("(（{", self._round),
            "`": self._code.backticks,
            "~": self._code.tildes,
            "$": self._code.dollars,
            "<": self._angle,
            "\\": self._code.backslash,
            "!": self._image,
            "^": self._caret,
        }

    def feed(self, text: str) -> str:
        """Take the next words of the reply.

        Returns:
            Text that is safe to show now, never half a marker. What all calls returned is the beginning of
            `finish().text`.
        """
        text = text.translate(INVISIBLE)
        for start in range(0, len(text), _SLICE):
            self._reply.text += text[start : start + _SLICE]
            self._read(final=False)
        return self._printer.take()

    def so_far(self) -> CitedText:
        """What is shown up to now, with the citations of all its markers; sentences are left to the end."""
        text = "".join(self._printer.parts)
        return CitedText(text, self._printer.citations(), self._dropped.count, tuple(self._dropped.marks))

    def finish(self) -> CitedText:
        """The reply is over: the whole visible text, its citations, sentences and quotations."""
        self._read(final=True)
        self._reply.writer.close()
        self._printer.flush()
        shown = self.so_far()
        sentences = (_trimmed(sentence, shown.text) for sentence in self._sentences.done)
        return replace(shown, sentences=tuple(sentences), quotes=tuple(self._sentences.checks))

    # Every handler gets the place of a special character and returns where to go on. A handler's decision
    # depends on the reply only, never on where a chunk ended: if the buffer ends too early it returns None.

    def _read(self, *, final: bool) -> None:
        position = 0
        while position < len(self._reply.text):
            read = self._code.code_line if self._code.fence else self._plain
            step = read(position, final)
            if step is None:
                break
            position = step
        self._before = self._reply.text[max(0, position - 1) : position] or self._before
        self._reply.text = self._reply.text[position:]

    def _plain(self, position: int, final: bool) -> Step:
        buffer = self._reply.text
        found = self._special.search(buffer, position)
        if found is not None and found.start() == 0 and found[0].isalnum() and self._before.isalnum():
            found = self._special.search(buffer, found.end())
        if found is None:
            end = len(buffer) if final else len(buffer) - self._held_back(position)
            if end == position:
                return None
            self._reply.writer.text(buffer[position:end])
            return end
        if found.start() > position:
            self._reply.writer.text(buffer[position : found.start()])
            return found.start()
        handler = self._handlers.get(buffer[position], self._bare_key)
        return handler(position, final)

    def _held_back(self, position: int) -> int:
        """Length of a last word that may yet become a key."""
        word = re.search(
            r"(?<![^\W_])[a-z0-9]{1,4}\Z", self._reply.text[max(position, len(self._reply.text) - 5) :], re.IGNORECASE
        )
        return len(word[0]) if word and self._reply.keys.could_begin(word[0]) else 0

    def _bare_key(self, position: int, final: bool) -> Step:
        """A known code in the text; keys cannot be guessed, so it is meant as a citation."""
        window = self._reply.text[position : position + 40]
        if not final and len(window) < 40 and re.fullmatch(r"\w{4}(?:[.:#·]\d*(?:[-–—]\w*\.?\d*)?)?", window):
            return None
        read = self._reply.keys.read_bare(window)
        if read is None:
            return self._reply.literal(position, position + 4)
        self._reply.writer.mark(read[0])
        return position + read[1]

    def _square(self, position: int, final: bool) -> Step:
        window = self._reply.text[position : position + _GROUP_LIMIT]
        group = _SQUARE.match(window)
        if group is None:
            if not final and len(window) < _GROUP_LIMIT:
                return None
            return self._cut_off(position, window) or self._reply.literal(position, position + 1)
        end = position + group.end()
        if end == len(self._reply.text) and not final:
            return None
        inside = _TAG.sub("", group[0][1:-1])
        mark = self._reply.keys.read(inside, square=True)
        following = self._reply.text[end : end + 1]
        if following == "(" and group[0][0] == "[":
            target = self._target(end, final)
            if target is None:
                return None
            if target > end:
                return self._link(position, end, target, mark)
        if following == ":" and mark is None and self._reply.writer.at_line_start:
            return self._definition(position, end, final)
        if mark is None:
            return self._reply.literal(position, position + 1)
        self._reply.writer.mark(mark)
        return end

    def _target(self, position: int, final: bool) -> Step:
        """The end of a link's `(target)`; `position` itself if it is none."""
        window = self._reply.text[position : position + _TARGET_LIMIT]
        paragraph, blank_line, _ = window.partition("\n\n")
        if target := _TARGET.match(paragraph):
            return position if self._reply.keys.in_text(target[0]) else position + target.end()
        complete = final or len(window) == _TARGET_LIMIT or blank_line or _NO_TARGET.match(paragraph)
        return position if complete else None

    def _link(self, position: int, end: int, target: int, mark: Mark | None) -> int:
        if mark is not None:
            self._reply.writer.mark(mark)
            return target
        # Read the text of the link as if it had stood there alone: it may hold a marker or an image.
        self._reply.text = (
            self._reply.text[:position] + self._reply.text[position + 1 : end - 1] + self._reply.text[target:]
        )
        return position

    def _definition(self, position: int, end: int, final: bool) -> Step:
        """`[name]: address` shows nothing, and could turn any `[name]` into a link."""
        window = self._reply.text[end : end + _TARGET_LIMIT]
        if "\n" not in window and not final and len(window) < _TARGET_LIMIT:
            return None
        if found := _DEFINITION.match(window):
            return end + found.end()
        return self._reply.literal(position, position + 1)

    def _round(self, position: int, final: bool) -> Step:
        """Round, curly and angle brackets are a marker only if they hold keys and nothing else."""
        window = self._reply.text[position : position + _ROUND_LIMIT]
        group = _ROUND.match(window)
        mark = self._reply.keys.read(group[1], square=False) if group and self._may_hold_key(window) else None
        if group is not None and mark is not None:
            self._reply.writer.mark(mark)
            return position + group.end()
        if made_up := _NAMED_SOURCE.match(window):
            self._reply.writer.mark(Mark(dropped=(made_up[1],)))
            return position + made_up.end()
        if not final and _NAMED_SOURCE_BEGUN.match(window):
            return None
        open_ended = _ROUND_BEGUN.match(window)
        if not final and open_ended and len(window) < _ROUND_LIMIT and self._may_hold_key(window):
            return None
        cut_off = self._cut_off(position, window) if final and group is None else None
        return cut_off or self._reply.literal(position, position + 1)

    def _cut_off(self, position: int, window: str) -> Step:
        """A marker without its end, because the reply broke off there."""
        if len(window) >= _ROUND_LIMIT or position + len(window) < len(self._reply.text):
            return None
        mark = self._reply.keys.read(window[1:], square=True) if self._reply.keys.in_text(window) else None
        words = re.split(r"[\s,;\[(.]+", window.rstrip("."))
        if mark is None and self._reply.keys.could_begin(words[-1]):
            known = self._reply.keys.read(window[1 : window.rindex(words[-1])], square=False)
            mark = Mark(known.sentences if known else (), (words[-1],))
        if mark is None:
            return None
        self._reply.writer.mark(mark)
        return position + len(window)

    def _may_hold_key(self, window: str) -> bool:
        word = re.match(rf"[(（{{<]\s*#?(?:{LABEL}[\s:#]+)?(\w*)", window, re.IGNORECASE)
        if word is None:
            return False
        complete = word.end() < len(window)
        if complete:
            return re.fullmatch(CODE, word[1], re.IGNORECASE) is not None
        return len(word[1]) <= 12

    def _angle(self, position: int, final: bool) -> Step:
        window = self._reply.text[position : position + _TAG_LIMIT]
        if not final and len(window) < 2:
            return None
        if not re.match(r"<[a-z/!?]", window, re.IGNORECASE):
            return self._reply.literal(position, position + 1)
        if self._reply.keys.in_text(window[:_ROUND_LIMIT]) and self._may_hold_key(window[:_ROUND_LIMIT]):
            return self._round(position, final)
        if link := _AUTOLINK.match(window):
            self._reply.text = self._reply.text[:position] + link[1] + self._reply.text[position + link.end() :]
            return position
        if re.match(r"<sup>[\s\[(]*\d", window, re.IGNORECASE):
            return self._superscript(position, window, final)
        if not final and len(window) < _TAG_LIMIT and re.match(r"<s?u?p?>?[\s\[(]*\Z", window, re.IGNORECASE):
            return None
        tag = _TAG.match(window)
        if tag is None:
            comment = window.startswith("<!--")
            closed = not comment and (window.find(">") >= 0 or window.find("<", 1) >= 0)
            if not closed and not final and len(window) < _TAG_LIMIT:
                return None
            return self._broken_tag(position)
        if tag[1] and not HTML_NAME.fullmatch(tag[1]) and not tag[2].strip():
            return self._reply.literal(position, position + 1)
        if _BLOCK_END.match(tag[0][1:]):
            self._reply.writer.text("\n")
        return position + tag.end()

    def _superscript(self, position: int, window: str, final: bool) -> Step:
        """A number set high is a citation that the model made up."""
        if found := _SUPERSCRIPT.match(window):
            self._reply.writer.mark(Mark(dropped=tuple(re.findall(r"\d+", found[1]))))
            return position + found.end()
        if (
            not final
            and len(window) < _TAG_LIMIT
            and re.fullmatch(r"<sup>[\s\[(\d,;\])]*(?:<(?:/(?:s(?:up?)?)?)?)?", window)
        ):
            return None
        return position + len("<sup>")

    def _broken_tag(self, position: int) -> int:
        """A `<name` that is never closed: with a space behind the bracket no browser takes it for a tag."""
        self._reply.writer.text("<")
        name = re.match(r"</?([a-z][a-z0-9]*)[\s/]|<!|<\?", self._reply.text[position : position + 20], re.IGNORECASE)
        if name and (name[1] is None or HTML_NAME.fullmatch(name[1])):
            self._reply.writer.text(" ")
        return position + 1

    def _image(self, position: int, final: bool) -> Step:
        """`![text](address)` loses its `!`; the rest is a link."""
        if position + 1 == len(self._reply.text) and not final:
            return None
        if self._reply.text[position + 1 : position + 2] != "[":
            return self._reply.literal(position, position + 1)
        window = self._reply.text[position + 1 : position + 1 + _GROUP_LIMIT]
        group = _SQUARE.match(window)
        if group is None:
            if not final and len(window) < _GROUP_LIMIT:
                return None
            return self._reply.literal(position, position + 1)
        end = position + 1 + group.end()
        if end == len(self._reply.text) and not final:
            return None
        if self._reply.text[end : end + 1] == "(":
            target = self._target(end, final)
            if target is None:
                return None
            if target > end:
                return self._image_text(position, end, target)
        return self._reply.literal(position, position + 1)

    def _image_text(self, position: int, end: int, target: int) -> int:
        self._reply.text = (
            self._reply.text[:position] + self._reply.text[position + 2 : end - 1] + self._reply.text[target:]
        )
        return position

    def _caret(self, position: int, final: bool) -> Step:
        """`^[1]`: the caret goes with the mark."""
        window = self._reply.text[position + 1 : position + 1 + _GROUP_LIMIT]
        if not window and not final:
            return None
        if not window.startswith("["):
            return self._reply.literal(position, position + 1)
        group = _SQUARE.match(window)
        if group is None and not final and len(window) < _GROUP_LIMIT:
            return None
        if group is None or self._reply.keys.read(group[0][1:-1], square=True) is None:
            return self._reply.literal(position, position + 1)
        return position + 1


def _trimmed(sentence: CitedSentence, text: str) -> CitedSentence:
    """Without white space at its ends."""
    written = text[sentence.start : sentence.end]
    start = sentence.start + len(written) - len(written.lstrip())
    return replace(sentence, start=start, end=start + len(written.strip()))
