"""Lines of a page, what a saved page says of its author, formulas, scars and marked quotations."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chrome import announced_comments, is_chrome_line, is_weak_chrome_line
from ingest.formulas import protected_ranges
from ingest.generated_dumps import COMMENTS, SAMPLE, generated_dumps
from ingest.lines import lines_of
from ingest.lost_content import find_gaps
from ingest.marked_quotes import quoted_ranges
from ingest.profiles import looks_like_name, looks_like_profile
from ingest.segmentation_eval import SEED_BORDERS as RECORDED

SEED_BORDERS = json.loads(RECORDED.read_text(encoding="utf-8"))["files"]


def marked(text: str) -> str:
    """The text with a caret at each gap."""
    for gap in reversed(find_gaps(text)):
        text = f"{text[:gap]}^{text[gap:]}"
    return text


# --- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_offsets_are_exact_with_any_newline(newline: str) -> None:
    text = newline.join(["\ufeffAda ", "", "  two\u2028halves", "\0", "end"])
    lines = lines_of(text)
    assert [(line.number, line.text, line.blanks_before) for line in lines] == [
        (1, "Ada", 0),
        (3, "two\u2028halves", 1),
        (5, "end", 1),
    ]
    assert all(text[line.start : line.end] == line.text for line in lines)


@given(st.text(alphabet=st.sampled_from("ab \n\r\t\0\ufeff\u2028\ud800é"), max_size=60))
def test_lines_hold_every_character_that_is_no_blank(text: str) -> None:
    inside = "".join(text[line.start : line.end] for line in lines_of(text))
    assert [char for char in inside if char in "abé\ud800"] == [char for char in text if char in "abé\ud800"]


# --- chrome -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    ["Wiki Contributions", "Comments", "Comments (31)", "Posts (1,204)", "Sorted by New", "sorted by: Top (Inflation Adjusted)", "Load More", "Load More (10/25)",
     "Report user", "[-]", "Ada's Posts", "All of Ada Byron's Comments + Replies", "Reply", "subdirectory_arrow_left",
     "(Continue Reading – 312 more words)", "Review for 2021 Review", "Tides 3y (+120/-8)",
     "Comment by ada_b on Tides · 2019-10-25T16:28:08.359Z · score: 4 (3 votes) · EA · GW"],
)  # fmt: skip
def test_lines_that_only_a_page_prints_are_chrome(line: str) -> None:
    assert is_chrome_line(line)


@pytest.mark.parametrize(
    "line",
    ["Posts are better than comments.", "Reply to the second point first", "I would load more of them.", "Merge", "12", "2y",
     "Message", "Thanks!", "My posts and my comments differ."],
)  # fmt: skip
def test_lines_that_a_person_may_write_are_not_chrome_by_themselves(line: str) -> None:
    assert not is_chrome_line(line)


@pytest.mark.parametrize(
    ("lines", "announced"),
    [
        ("Comments", "Comments"),
        ("COMMENTS:", "COMMENTS"),
        ("## Comments", "Comments"),
        ("**3 comments**", "3 comments"),
        ("1 comment", "1 comment"),
        ("1,204 Comments:", "1,204 Comments"),
        ("1.2k comments", "1.2k comments"),
        ("Comments (31)", "Comments (31)"),
        ("Comments\n31", "Comments 31"),
        ("12\ncomments", "12 comments"),
        ("12 comments, sorted by top scoring", "12 comments"),
        ("Comments sorted by top scores.", "Comments"),
        ("\x1b[31mComments", None),
        ("\u202eComments\x07", "Comments"),
        ("Comments\r\n\r\nBo: It is long.\r", "Comments"),
        ("3 comments\nBo\nShare\n3 comments", "3 comments"),
        ("Comments\nNo comments yet", None),
        ("Comments\n0 comments", None),
        ("No comments found.", None),
        ("Ropes\n3 comments\nKnots\n12 comments", None),
        ("new | comments | ask", None),
        ("comments", None),
        ("Comment", None),
        ("Leave a comment", None),
        ("Comments are closed", None),
        ("Comments on the draft", None),
        ("I have 12 comments on this", None),
    ],
)
def test_a_page_announces_comments_in_a_line_of_its_own(lines: str, announced: str | None) -> None:
    assert announced_comments(f"\ufeff{lines}") == announced_comments(f"Ropes.\n{lines}\nMore.") == announced


@pytest.mark.parametrize(
    "line",
    ["12", "1,203", "1,204 karma", "7 karma", "Ω 31", "2y", "3mo*", "12th Mar 2021", "Mar 3, 2021", "now", "Message"],
)
def test_counters_and_dates_are_weak_chrome(line: str) -> None:
    assert is_weak_chrome_line(line)
    assert not is_chrome_line(line)


@pytest.mark.parametrize(
    "line", ["Ada Byron", "ada_b", "davidb", "Jean de la Fontaine", "Ada Byron (Inactive)", "J. A. Priestley"]
)
def test_names_and_handles_look_like_names(line: str) -> None:
    assert looks_like_name(line)


@pytest.mark.parametrize(
    "line",
    [
        "Software engineer",
        "Meeting notes",
        "Thanks!",
        "Posts",
        "The Tides",
        "Strong upvoted.",
        "PhD student",
        "so it goes",
    ],
)
def test_other_short_lines_do_not(line: str) -> None:
    assert not looks_like_name(line)


# --- profile or document ----------------------------------------------------------------------------------------------

REPLIES = "\n".join(
    ["Thanks for writing this, I learned a lot about tides.", "I agree with the second point, less with the first.",
     "The harbour is a separate question, as you say.", "Strong upvoted. I wonder what you would measure first.",
     "Yes, and I'd add that your gauge is in the wrong place.", "Do you have the data somewhere?"]
)  # fmt: skip


@pytest.mark.parametrize(
    "head",
    ["Ada Byron\n\nI study tides.\n\nWiki Contributions\n\n", "Posts\n\nSorted by New\n\nComments\n\n",
     "I study tides and harbours.\nI study tides and harbours.\n", "Engineer at the harbour office; formerly a diver.\nada_b\n",
     "Ada Byron\nRetired engineer.\n", "Ada Byron\n"],
)  # fmt: skip
def test_saved_profiles_are_recognised_with_whatever_is_left_of_their_head(head: str) -> None:
    assert looks_like_profile(head + REPLIES)


@pytest.mark.parametrize(
    "text",
    ["", "Ada Byron", "# Tides\n\nThe tide is a wave.\n\nIt has two causes.\n\nThe moon is one of them.\n",
     "Ada Byron\n\nThe tide is a wave.\n\nIt has two causes.\n\nThe moon is one of them.\n\nThe sun is the other.\n",
     "Ada: Thanks for coming.\nBo: I agree with that.\nAda: Yes, I think so.\nBo: Sure.\nAda: Right, good point.\n",
     "Good evening.\n\nI thank you all.\n\nWe have come far.\n\nThe harbour is finished.\n\nThe tide is not.\n",
     "0 0 0 0\n0 0 0 0\n1 1 1 1\n1 1 1 1\n0 1 0 1\n"],
)  # fmt: skip
def test_plain_documents_are_not(text: str) -> None:
    assert not looks_like_profile(text)


def test_every_made_dump_is_recognised() -> None:
    assert [dump.name for dump in generated_dumps() if not looks_like_profile(dump.text)] == []


def test_real_dumps_are_recognised_and_public_documents_are_not(shared: Path) -> None:
    dumps = sorted((shared / "seeds").glob("*.txt"))
    documents = sorted((shared / "bench" / "chunking").glob("*.md"))
    assert len(dumps) == 4
    assert [path.name for path in dumps if not looks_like_profile(path.read_text(encoding="utf-8"))] == []
    assert len(documents) == 6
    assert [path.name for path in documents if looks_like_profile(path.read_text(encoding="utf-8"))] == []


# --- formulas ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("let $x$ be", ["$x$"]),
        ("so $x_1 = 2$ and $$\\sum_i y_i$$ follow", ["$x_1 = 2$", "$$\\sum_i y_i$$"]),
        (r"we have \(a < b\) and \[c\] here", [r"\(a < b\)", r"\[c\]"]),
        (r"typed \\(a\\) twice", [r"\\(a\\)"]),
        ("\\begin{align}\na &= b\\\\[2pt]\n\\end{align}", ["\\begin{align}\na &= b\\\\[2pt]\n\\end{align}"]),
        ("a\n```\n$x = 1\n\ny\n```\nb", ["```\n$x = 1\n\ny\n```"]),
        ("it is $5 and $10 today", []),
        ("from $5-$10, or $5/$6", []),
        ("US$5 or A$6", []),
        ("paid $20, he got 30$", []),
        ("set $HOME/bin and $PATH", []),
        (r"an escaped \$x\$ sign", []),
        ("$x\n\ny$ is no formula", []),
        ("open ```\nand never closed", []),
        ("a $ b $ c", []),
        (r"half open \( only", []),
        ("costs $5 where $n$ is odd", ["$n$"]),
    ],
)
def test_formulas_and_fences_are_kept_whole_and_prices_are_not(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in protected_ranges(text)] == expected


@given(st.text(alphabet=st.sampled_from("$\\()[]`\n ax5"), max_size=80))
def test_protected_ranges_are_in_order_and_apart(text: str) -> None:
    ranges = protected_ranges(text)
    flat = [offset for found in ranges for offset in found]
    assert flat == sorted(flat)
    assert all(0 <= start < end <= len(text) for start, end in ranges)


# --- scars ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["Define ^, and presto, ^.", "We upgrade to ^, which says no.", "What about proving ^?", "for some ^and ^).",
     "things like “^” for finite lengths ^.", "substituting from ^to ^.", "denote learning by ^, and the rest", "the mass of each ^’s class",
     "on a graph the ^of the outputs is infinite", "even though ^is “larger” than that", "Let ^be the estimate.",
     "in which case ^does seem right", "more than ^times in a row", "cases where ^is unprovable", "such that ^conservatively implies it",
     "There is a constant for some ^and we are done with it.", "We know that for some ^and some ^the inequality holds.",
     "so that the map ^ is ^ continuous and ^ holds.", "Then ^ where ^ denotes the sup norm.", "as ^ goes to infinity, ^ converges",
     "We choose ^ and ^ so that the sum converges.", "Can you prove ^?"],
)  # fmt: skip
def test_lost_formulas_leave_scars(text: str) -> None:
    assert marked(text.replace("^", "")) == text


def test_lost_lines_leave_scars() -> None:
    assert marked("The function that we should minimise is\nwhere the sum runs over all gauges.").count("^") == 1
    assert marked("by failing to look at the page and clicking\nMerge\nbuttons without a thought") == (
        "by failing to look at the page and clicking\n^Merge\nbuttons without a thought"
    )


@pytest.mark.parametrize(
    "text",
    ["Where are you? I think of it as a game of two halves, by and large.", "He called f() twice (and g() once).", "Wait ... what?",
     "The in vivo data are fine.", "Shawn, where are you?", "It costs .5 per run.", "“Yes” and “no”.", "One\nTwo\nThree",
     "For and against; to and fro; with and without.", "I wonder whether\nthis is it.", "Three rules:\n\nalways measure\n\nnever guess",
     "It works for some and fails for others.", "True for any and all tides, in each and every variable.", "It is good for some and we liked it.",
     "The bound is good for some and bad for most.", "Une phrase en français : oui ?", "On dit que le port est vieux ; vraiment ?\nOui !",
     "The studies that came out since are better.", "A checklist for all and a market for a tenth.",
     "I went  home and slept.  Then I woke up.  It was late.", "The    vector    norm   is    in    the    table", "The sum  tide  was  late  today"],
)  # fmt: skip
def test_intact_prose_has_none(text: str) -> None:
    assert find_gaps(text) == ()


def test_tokenised_text_has_none() -> None:
    assert (
        find_gaps(
            "He said , as they do , that it rained . Then , later , it did not . So , well , he left . Yes , he did ."
        )
        == ()
    )


def test_a_formula_that_survived_is_no_scar() -> None:
    assert find_gaps("so $f ( x ) = y , z$ holds") == ()


@pytest.mark.parametrize("path", [COMMENTS, SAMPLE], ids=lambda path: path.name)
def test_invented_comments_with_their_formulas_have_no_scars(path: Path) -> None:
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert [text[max(0, gap - 20) : gap + 20] for text in texts for gap in find_gaps(text)] == []


def test_scars_of_the_real_dumps_are_found_without_false_alarms(shared: Path) -> None:
    right = found = known = 0
    for name, entry in SEED_BORDERS.items():
        text = (shared / "seeds" / name).read_bytes().decode("utf-8")
        line_starts = {line.number: line.start for line in lines_of(text)}
        gold = {text.index(before + after, line_starts[line]) + len(before) for line, before, after in entry["gaps"]}
        gaps = find_gaps(text)
        right += sum(any(abs(gap - place) <= 2 for place in gold) for gap in gaps)
        found += len(gaps)
        known += len(gold)
    assert (right, found, known) == (28, 28, 30)


@pytest.mark.slow
def test_public_documents_raise_few_false_alarms(shared: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (shared / "bench" / "chunking").glob("*.md")]
    assert sum(len(find_gaps(text)) for text in texts) <= 25
    assert sum(map(len, texts)) > 1_400_000


# --- voices -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("> quoted\n> twice\n\nmine", ["> quoted\n> twice"]),
        ("mine\n> a\n\n> b\nmine", ["> a\n\n> b"]),
        (">! a spoiler of my own", []),
        ("5 > 3 is true", []),
        ("> one\r\nmine", ["> one"]),
        ("- > in a list\n  > twice\n\n  mine\n1. > again", ["> in a list\n  > twice", "> again"]),
        ("- a\n  1. > deep\n     > deeper\n\n     mine", ["> deep\n     > deeper"]),
        ("- >90% of my own", []),
        ("```\n> prompt\n```\n> theirs\n\nmine\n\n    > prompt", ["> theirs"]),
    ],
)
def test_markdown_blockquotes_are_quoted_and_spoilers_are_not(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in quoted_ranges(text)] == expected


# --- hostile ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["$a ", "\\begin{a}", "(", "“", "> a\n", "```\n", "a , b ", "\\[", "x" * 50, "Let\n", " "]
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    """Four times the text takes about four times the processor time, and not sixteen."""

    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        find_gaps(text), protected_ranges(text), quoted_ranges(text), looks_like_profile(text)
        return time.process_time() - start

    seconds(2_000)
    once, four_times = (min(seconds(length) for _ in range(2)) for length in (15_000, 60_000))
    assert four_times < 10 * once + 0.03
