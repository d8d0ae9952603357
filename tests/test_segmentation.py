"""A profile dump becomes profile, chrome and comments; nothing is lost, nothing is guessed."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from ingest import borders
from ingest.border_evidence import OLDEST, Embed
from ingest.generated_dumps import STYLES, Dump, generated_dumps, make_dump, read_comments
from ingest.lines import lines_of
from ingest.segmentation import Segmentation, segment
from ingest.segmentation_eval import evaluate, misplaced, real_dumps, score
from ingest.unmarked_quotes import is_answered
from rag.errors import SourceError
from rag.models.embedding import Embedder


def deny(paragraphs, uncertain):
    return dict.fromkeys(uncertain, False)


TIDES = "Thanks for the chart! The tide at the old quay runs two hours late, as every pilot knows."
BREAD = "Great question! My rye starter doubles in four hours at 26 degrees, and in nine at 18, so I keep it warm."
CLOCK = "Yes, I agree about the observatory clock. It was wrong by four minutes for most of that year."
COMMENTS = [TIDES, BREAD, CLOCK]


def texts(text: str, found: Segmentation) -> list[str]:
    return [text[piece.start : piece.end] for piece in found.comments]


def slices(text: str, ranges) -> list[str]:
    return [text[start:end] for start, end in ranges]


# --- the head ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\r\n", "\n\n\n", "\r"])
def test_name_bio_and_headings_are_told_from_comments(gap: str) -> None:
    head = [
        "Ada Byron",
        "I study tides.",
        "https://tides.example.org",
        "Posts",
        "Sorted by New",
        "Wiki Contributions",
        "Comments",
    ]
    text = gap.join([*head, *COMMENTS])
    found = segment(text)
    assert (found.name, found.label) == ("Ada Byron", None)
    assert slices(text, found.profile) == head[:3]
    assert slices(text, found.chrome) == head[3:]
    assert texts(text, found) == COMMENTS


def test_a_bio_printed_twice_marks_the_head_and_its_second_printing_is_chrome() -> None:
    text = "\n".join(
        ["I study tides.", "More at tides.example.org", "I study tides.", "More at tides.example.org", *COMMENTS]
    )
    found = segment(text)
    assert (found.name, found.label) == (None, "unnamed profile (tides.example.org)")
    assert slices(text, found.profile) == ["I study tides.", "More at tides.example.org"]
    assert slices(text, found.chrome) == ["I study tides.", "More at tides.example.org"]
    assert texts(text, found) == COMMENTS


def test_a_name_below_the_bio_is_the_name() -> None:
    text = "\n".join(["Engineer at the harbour office; formerly a diver.", "ada_b", *COMMENTS])
    found = segment(text)
    assert (found.name, texts(text, found)) == ("ada_b", COMMENTS)
    assert found.comments[0].confidence <= 0.8


BUTTONS, COUNTS, BIO = ["Message", "Dialogue", "Subscribe"], ["1203", "88", "12"], ["I study tides at the university."]


@pytest.mark.parametrize(
    "head",
    [
        ["Ada Byron", *COUNTS, *BIO],
        ["Ada Byron", *BUTTONS, *COUNTS, *BIO, *BIO],
        [*COUNTS, *BUTTONS, "Ada Byron", *BIO],
        [*BUTTONS, *COUNTS, *BIO, "Ada Byron"],
        [*BIO, *COUNTS, "Ada Byron", *BUTTONS],
        [*BIO, *BIO, "Ada Byron", *COUNTS],
    ],
)
def test_counters_and_buttons_beside_name_and_bio_belong_to_the_page_in_any_order(head: list[str]) -> None:
    text = "\n".join([*head, *COMMENTS])
    found = segment(text)
    assert (found.name, found.label, texts(text, found)) == ("Ada Byron", None, COMMENTS)
    assert slices(text, found.profile) == [line for line in dict.fromkeys(head) if line in ("Ada Byron", *BIO)]


def test_a_domain_gives_a_label_and_never_a_name() -> None:
    found = segment("\n".join(["I study tides. See adabyron.example.com", "Comments", *COMMENTS]))
    assert (found.name, found.label) == (None, "unnamed profile (adabyron.example.com)")


def test_nothing_known_gives_a_plain_label() -> None:
    assert segment("\n".join(["Comments", "Sorted by New", *COMMENTS])).label == "unnamed profile"


HEADINGS = ["Posts", "Sorted by New", "Wiki Contributions", "Comments"]
NAMES = [
    "Emily King",
    "Mohammed Ahmed",
    "Kimberly Manning",
    "Vitaly Reed",
    "Alfred Long",
    "Frank Young",
    "Sterling Quay",
]
STATES = [
    "Generally Confused", "Very Sorry", "Still Waiting", "Deeply Skeptical", "Super Excited", "Always Learning", "Just Curious",
    "Feeling Lucky", "Utterly Unqualified", "Happy Here", "Left Handed", "Politically Homeless", "Not Convinced", "Team Tide",
]  # fmt: skip
USERS = "https://www.lesswrong.com/users"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (["1203", "I study tides.", "Ada Byron's Posts", "Sorted by New", "On Tides", "Ada Byron's Comments"], "Ada Byron"),
        (["San Francisco", "I study tides.", "the old tide’s Posts", "the old tide’s Comments"], "the old tide"),
        (["I study tides.", "James' Comments"], "James"),
        (["I'm Ada Byron, a diver at the university.", *HEADINGS], "Ada Byron"),
        (["Hello! My name is Ada. I study tides.", *HEADINGS], "Ada"),
        (["I dive. I am A. B. van der Meer (she/her) and I study tides.", *HEADINGS], "A. B. van der Meer"),
        (["I study tides.", "Full name: Ada Byron", *HEADINGS], "Ada Byron"),
        ([f"I study tides. My LessWrong profile: {USERS}/ada-byron", *HEADINGS], "ada-byron"),
        ([f"{USERS}/ada-byron", "I study tides.", *HEADINGS], "ada-byron"),
        (["San Francisco", "I'm Ada Byron. I study tides.", *HEADINGS], "Ada Byron"),
        (["Boston", "12", "Boston", "Subscribe", "I study tides.", *HEADINGS], "Boston"),
        (["ada_b", "My name is Ada Byron.", *HEADINGS], "ada_b"),
        *(([f"I'm {name}.", *HEADINGS], name) for name in NAMES),
    ],
)  # fmt: skip
def test_a_name_that_the_page_states_is_taken_from_wherever_it_stands(head: list[str], name: str) -> None:
    text = "\n".join([*head, *COMMENTS])
    found = segment(text)
    assert (found.name, found.label) == (name, None)
    assert texts(text, found) == COMMENTS


@pytest.mark.parametrize(
    "bio",
    [
        ["San Francisco", "I study tides."], ["Berlin Germany", "I study tides."], ["Greater London"],
        ["PhD student advised by Bo Quay.", "Bo Quay", "is great."], ["My advisers, in order:", "Bo Quay"],
        ["PhD student. I owe much to people such as these.", "Bo Quay", "Cy Tern"], ["I work with Bo Quay at the office.", "Bo Quay"],
        ["I'm Dutch American, and a diver."], ["I'm Managing Partner, formerly a diver."], ["I am Bo Quay's sister."], ["I'm not Bo Quay."],
        ["My name is German for tide."], ["I'm New York, born and bred."], [f"I dive with {USERS}/bo-quay and others."],
        [f"My friend's profile: {USERS}/bo-quay"], [f"My old account: {USERS}/bo-quay"], ["I study tides.", f"{USERS}/bo-quay"],
        ["I'm Bo Quay.", "My name is Cy Tern."], ["Today's Comments"], ["Things to read:", "Bo Quay's Posts"],
        *([f"I'm {state}."] for state in STATES), *([f"I dive. I am {state}, but fine."] for state in STATES),
    ],
)  # fmt: skip
def test_places_and_other_people_are_not_the_author(bio: list[str]) -> None:
    text = "\n".join([*bio, *HEADINGS, *COMMENTS])
    found = segment(text)
    assert (found.name, texts(text, found)) == (None, COMMENTS)


def test_who_introduces_themselves_in_a_comment_is_not_the_author() -> None:
    told = "I'm Bo Quay. Are you the one with the tide gauge at the old harbour?"
    for text in ("\n".join(["Comments", told, *COMMENTS]), "\n".join([*COMMENTS, told])):
        assert segment(text).name is None


def test_a_known_name_helps_to_find_its_line() -> None:
    text = "\n".join(["the tide watcher", "I study tides.", "Comments", *COMMENTS])
    assert segment(text).name is None
    assert segment(text, author_name="The Tide Watcher").name == "the tide watcher"
    assert segment(text, author_name="Bo").name is None


def test_titles_of_listed_posts_are_chrome_and_sections_of_a_bio_are_profile() -> None:
    head = [
        "Bio",
        "I study tides.",
        "How I can help others",
        "Ask me about tides.",
        "Posts",
        "12",
        "On Tides",
        "Load More",
        "Comments",
        "31",
    ]
    text = "\n\n".join([*head, *COMMENTS])
    found = segment(text)
    assert slices(text, found.profile) == ["I study tides.", "Ask me about tides."]
    assert texts(text, found) == COMMENTS


def test_the_bio_of_an_early_page_stands_below_its_heading() -> None:
    head = ["User Profile", "120", "I study tides.", "Send a message", "Recent Posts", "On Tides", "Recent Comments"]
    text = "\n\n".join([*head, *COMMENTS])
    found = segment(text)
    assert slices(text, found.profile) == ["I study tides."]
    assert texts(text, found) == COMMENTS


@pytest.mark.parametrize(
    ("above", "between", "below"),
    [
        (["Bio", "I study tides.", "Comments", "3"], [], ["Topic contributions", "2"]),
        (["I study tides.", "Posts", "Sorted by New", "On Tides", "Comments"], ["Posts"], []),
        (["I study tides.", "Wiki Contributions", "Comments", "Sorted by", "Newest"], ["Quick takes"], []),
        (["Ada Byron's Posts", "On Tides", "Ada Byron's Comments"], ["Comments"], ["Wiki Contributions"]),
        (["User Profile", "Recent Posts", "On Tides", "Recent Comments"], ["Bio", "Posts"], []),
        (["Top posts", "On Tides", "Subscribe", "I study tides.", "Posts", "Quick takes", "All"], ["Sequences"], []),
        (["I study tides, and bread.", "I study tides, and bread."], ["Comments"], []),
        (["Ada Byron", "Ada Byron", "I study tides.", "Comments"], ["Posts"], []),
        (["Bio", "I study tides.", "Comments", "3", "Topic contributions"], ["Quick takes"], []),
    ],
)  # fmt: skip
def test_headings_below_that_of_the_comments_take_no_comment_with_them(above, between, below) -> None:
    text = "\n".join(["Ada Byron", *above, *COMMENTS[:2], *between, CLOCK, *below])
    assert "\n".join(texts(text, segment(text))) == "\n".join(COMMENTS)


@pytest.mark.parametrize(
    "top",
    [
        ["User: Ada Byron", "I study tides.", "Comments:"],
        ["Comments by Ada Byron (12)"],
        ["Comments by Ada Byron:"],
        ["Ada Byron's recent comments"],
        ["Ada Byron 🔸", "I study tides.", "Comments 31"],
    ],
)
def test_headings_and_names_in_other_words_are_known(top: list[str]) -> None:
    text = "\n".join([*top, *COMMENTS])
    found = segment(text)
    assert (found.name, "\n".join(texts(text, found))) == (
        "Ada Byron",
        "\n".join(COMMENTS),
    )


def test_a_heading_may_say_how_many_comments_follow() -> None:
    text = "\n".join(["Ada Byron", "1,204 karma", "I study tides.", "Comments (1,031)", *COMMENTS])
    found = segment(text)
    assert (slices(text, found.profile), texts(text, found)) == (["Ada Byron", "I study tides."], COMMENTS)


def test_a_heading_far_below_a_bare_head_is_a_line_of_a_comment() -> None:
    tides = [TIDES.replace("two", str(hours)) for hours in range(30)]
    text = "\n".join(
        ["Engineer at the harbour office.", "ada_b", *tides, "It has three parts:", "Comments", "and so on."]
    )
    found = segment(text)
    assert found.comments[0].start == text.index(tides[0])
    assert texts(text, found)[-1].endswith("It has three parts:\nComments\nand so on.")


@pytest.mark.parametrize(
    "top",
    [
        [
            "LESSWRONG",
            "LW",
            "Login",
            "Home",
            "All Posts",
            "Concepts",
            "Library",
            "Subscribe (RSS/Email)",
            "About",
            "FAQ",
        ],
        ["Effective Altruism Forum", "EA Forum", "Log in", "Sign up"],
        ["AI ALIGNMENT FORUM", "AF", "Login"],
        ["[ LESSWRONG ](/)"],
    ],
)
def test_the_name_of_a_site_is_not_that_of_an_author(top: list[str]) -> None:
    text = "\n".join([*top, "Ada Byron", "I study tides.", "Posts", "Sorted by New", "Comments", *COMMENTS])
    found = segment(text)
    assert (found.name, slices(text, found.profile)) == ("Ada Byron", ["Ada Byron", "I study tides."])
    assert "\n".join(texts(text, found)) == "\n".join(COMMENTS)


@pytest.mark.parametrize("bio", [["I study tides."], ["1203", "I study tides."], []])
def test_name_and_bio_may_stand_below_the_heading_of_the_comments(bio: list[str]) -> None:
    text = "\n".join(["Comments", "Sorted by New", "Ada Byron", *bio, *COMMENTS])
    found = segment(text)
    assert (found.name, slices(text, found.profile)) == ("Ada Byron", ["Ada Byron", *bio[-1:]])
    assert found.comments[0].start == text.index(TIDES)


@pytest.mark.parametrize("first", ["Good Point", "Fog Horns\nBo\n2y\nNo.", "Fog Horns\nBo 2y"])
def test_what_stands_below_the_heading_of_the_comments_may_be_no_name(first: str) -> None:
    assert segment("\n".join(["Comments", first, *COMMENTS])).name is None


@pytest.mark.parametrize(
    ("top", "name"),
    [
        (["---", 'title: "Tides - LessWrong"', "created: 2024-05-01", "---", "# Ada Byron"], "Ada Byron"),
        (["---", 'source: "https://www.lesswrong.com/users/ada_b"', "tags:", "  - clipped", "---"], "ada_b"),
        (["Ada Byron's Profile - LessWrong", "3-4 minutes"], "Ada Byron"),
        (["Tides - LessWrong"], None),
    ],
)
def test_what_a_clipper_puts_above_a_page_is_chrome(top: list[str], name: str | None) -> None:
    text = "\n".join([*top, "I study tides.", "## Comments", "", *COMMENTS])
    found = segment(text)
    assert found.name == name
    assert "\n".join(texts(text, found)) == "\n".join(COMMENTS)


def test_addresses_that_a_browser_lists_below_a_page_are_chrome() -> None:
    linked = [f"   {said.replace('the', '[4]the', 1)}" for said in COMMENTS]
    foot = ["References", "", "   Visible links:", "   1. https://tides.example.org/", "   2. mailto:ada@example.org"]
    text = "\n".join(["   [1]Ada Byron", "   Comments", *linked, *foot])
    assert "References" not in "".join(texts(text, segment(text)))
    text = "\n".join(["Ada Byron", "Comments", *COMMENTS, *foot])
    assert "mailto" in texts(text, segment(text))[-1]


# --- chrome among the comments ----------------------------------------------------------------------------------------


def test_heads_around_comments_are_chrome_and_mark_the_borders() -> None:
    lines = ["Ada Byron", "Comments"]
    for number, comment in enumerate(
        [*COMMENTS, "One line.\nAnd I also think this one belongs to it, whatever it says."]
    ):
        lines += ["Tides for Beginners", "Ada Byron", f"{number + 1}y", "12", comment, "Reply"]
    text = "\n".join([*lines, "Load More"])
    found = segment(text)
    assert texts(text, found) == [*COMMENTS, "One line.\nAnd I also think this one belongs to it, whatever it says."]
    assert all(piece.confidence == 1.0 for piece in found.comments)


def test_a_name_that_stands_in_the_heads_of_comments_only_is_the_name() -> None:
    lines = ["I study tides.", "Comments"]
    for number, comment in enumerate(COMMENTS, start=1):
        lines += [f"Tides for Beginners, {number}", "Ada Byron", f"{number}mo", "12", comment, "Reply"]
    text = "\n".join(lines)
    found = segment(text)
    assert (found.name, texts(text, found)) == ("Ada Byron", COMMENTS)


def test_a_title_above_the_dates_is_no_name() -> None:
    lines = ["I study tides.", "Comments"]
    for number, comment in enumerate(COMMENTS, start=1):
        lines += ["Monthly Open Thread", f"{number}mo", comment, "Reply"]
    assert segment("\n".join(lines)).name is None


@pytest.mark.parametrize(
    ("top", "again"),
    [
        (["Ada Byron", "I dive."], ["Ada Byron", "I dive.", "See more"]),
        (["Ada Byron", "I dive.", "Tides, too."], ["Ada Byron", "I dive."]),
        (["Ada Byron", "I dive.", "Tides, too."], ["I dive.", "Tides, too."]),
        (["Ada Byron", "I dive."], ["I dive.", "See less"]),
    ],
)
def test_a_bio_printed_again_below_the_comments_is_chrome(top: list[str], again: list[str]) -> None:
    text = "\n".join([*top, *HEADINGS, *COMMENTS, *again])
    found = segment(text)
    assert texts(text, found) == COMMENTS
    assert slices(text, found.chrome)[-len(again) :] == again


def test_a_comment_may_say_what_the_bio_says() -> None:
    said = "I dive.\nThat is why I ask: who owns the quay?"
    text = "\n".join(["Ada Byron", "I dive.", "Tides, too.", *HEADINGS, TIDES, said])
    assert "\n".join(texts(text, segment(text))) == f"{TIDES}\n{said}"


def test_post_titles_above_comments_are_chrome() -> None:
    titles = ["The Cost of Looking", "Against the Second Derivative", "Monthly Open Thread"]
    text = "\n\n".join(
        ["Ada Byron", "Comments", *(line for pair in zip(titles, COMMENTS, strict=True) for line in pair)]
    )
    found = segment(text)
    assert texts(text, found) == COMMENTS
    assert slices(text, found.chrome)[1:] == titles


@pytest.mark.parametrize("foot", ["Reply\n", "5\nReply\n", ""])
@pytest.mark.parametrize("head", ["On knots\nAda Voss\n3y\n", "Knots\nAda Voss\n3y\n", "Ada Voss\n3y\n", ""])
def test_a_short_comment_is_no_title_of_a_post(head: str, foot: str) -> None:
    said = ["The moon does most of it.", "Totally agree with this", "Same here with my boat", "No."]
    page = "Ada Voss\nComments\nSorted by New\n" + "".join(f"{head}{text}\n{foot}" for text in said)
    if foot or head.startswith("Ada"):
        assert texts(page, segment(page)) == said


def test_a_single_heading_inside_a_comment_stays_text() -> None:
    text = "\n".join(
        ["Ada Byron", "Comments", "I have two points.", "The Harbour Question", "It silts up, and the dredger is sold."]
    )
    assert "The Harbour Question" in "".join(texts(text, segment(text)))


@pytest.mark.parametrize(
    "sentence",
    ["It was run by people looking at the page and clicking\nReply\nbuttons without a thought.",
     "A forum has three kinds of things:\nPosts\nComments\nQuick takes\nand only the second are worth reading."],
)  # fmt: skip
def test_labels_and_headings_in_mid_sentence_are_text(sentence: str) -> None:
    text = f"Ada Byron\nComments\n{sentence}"
    assert texts(text, segment(text)) == [sentence]


def test_numbers_in_a_comment_are_text() -> None:
    text = "Ada Byron\nComments\nI measured, in order:\n12\n14\n15\nThe last one is doubtful."
    assert texts(text, segment(text)) == ["I measured, in order:\n12\n14\n15\nThe last one is doubtful."]


@pytest.mark.parametrize(
    "head",
    [
        ["Ada Byron 3mo 12 4"],
        ["Ada Byron · 5 months ago"],
        ["Ada Byron", "2 years ago", "LW: 12 AF: 4"],
        ["Ada Byron", "Tuesday, 3 March 2020"],
        ["Ada Byron 12 Mar 2021 14:05 UTC 12 points in reply to: mottram’s comment on: On Tides"],
        ["Ada Byron", "2021-03-12 14:05", "in reply to:", "mottram’s comment", "on:", "On Tides"],
        ["12 Mar 2021 14:05 UTC"],
        ["[On Tides](/posts/a1/x)", "[Ada Byron](/users/ada-byron)", "[3mo](/posts/a1/x?commentId=b2)", "12"],
        ["   [10]On Tides", "   [11]Ada Byron [12]3mo 12"],
        ["On Tides", "[-]Ada Byron3y", "12"],
        ["Ada Byron3moΩ412"],
        ["Ada\xa0Byron 2y", "▲ 12 ▼"],
        ["Ada Byron🔸", "3y", "Edited 2y ago"],
        ["Ada Byron, 1. March 2021:"],
        ["Ada Byron:"],
        ["Comment on Tides", "1/12/2021"],
        ["### Comment {}"],
        ["#{}"],
        ["---"],
    ],
)  # fmt: skip
def test_heads_are_known_in_whichever_form_a_page_was_saved(head: list[str]) -> None:
    text = "\n".join(
        [
            "Ada Byron",
            "I study tides.",
            "Comments",
            *(line.format(at) for at, said in enumerate(COMMENTS) for line in [*head, said]),
        ]
    )
    found = segment(text)
    assert (found.name, texts(text, found)) == ("Ada Byron", COMMENTS)


@pytest.mark.parametrize(
    "foot",
    [
        ["12", "Reply", "Permalink", "Agreement: 4"],
        ["Permalink | Reply | Share"],
        ["[Reply]"],
        ["✓ 2", "Reply", "👍 3"],
        ["See in context"],
    ],
)
def test_what_stands_below_comments_is_chrome(foot: list[str]) -> None:
    text = "\n".join(["Ada Byron", "Comments", *(line for said in COMMENTS for line in [said, *foot])])
    assert texts(text, segment(text)) == COMMENTS


@pytest.mark.parametrize(
    "said",
    ["3 years ago\nthat was so.", "Home", "I liked Bo's comment", "on: the other hand, no.", "Parent comment is right",
     "Replying to mottram: no.", "## The case for rye\nIt keeps.", "[Tides](https://tides.example.org)", "Share it",
     "Step 1\nLook.\nStep 2\nLook again.", "Comments by the others were ignored"],
)  # fmt: skip
def test_a_comment_that_looks_like_a_page_is_text(said: str) -> None:
    comments = [TIDES, said, BREAD, said]
    head = ["On Tides", "Ada Byron", "2y", "12"]
    text = "\n".join(["Ada Byron", "Comments", *(line for each in comments for line in [*head, each, "Reply"])])
    assert texts(text, segment(text)) == comments


def test_rules_inside_comments_are_text() -> None:
    said = "One.\n---\nTwo."
    page = [
        "Ada Byron",
        "Comments",
        *(f"{at}\n{said}\nReply" for at in ("Ada Byron\n1y", "Ada Byron\n2y", "Ada Byron\n3y")),
    ]
    text = "\n".join(page)
    assert texts(text, segment(text)) == [said] * 3
    text = "\n".join(["Ada Byron", "Comments", *[TIDES, BREAD] * 15, said, said, said, CLOCK])
    assert "".join(texts(text, segment(text))).count("---") == 3


def test_a_short_comment_between_rules_is_no_title() -> None:
    comments = [TIDES, "The same here", BREAD, "And here, too"]
    text = "\n---\n".join(["Ada Byron\nComments", *comments])
    assert texts(text, segment(text)) == comments


# --- borders ----------------------------------------------------------------------------------------------------------


def test_lists_and_unfinished_sentences_hold_together() -> None:
    comment = "Three things follow from this:\nthe gauge is too high\nthe clock is slow, and\nnobody has looked."
    text = f"Ada Byron\nComments\n{comment}\n{TIDES}"
    assert texts(text, segment(text)) == [comment, TIDES]


def test_lone_bullets_belong_to_the_list(embedder: Embedder) -> None:
    comment = "Sorry for being unclear. My plan has two steps.\n-\nWe measure the tide at the quay for a year.\n-\nWe compare it with the tide tables."
    text = f"Ada Byron\nComments\n{TIDES}\n{comment}"
    assert texts(text, segment(text, embed=embedder.embed_texts)) == [TIDES, comment]


def test_a_wider_gap_between_comments_is_believed() -> None:
    comments = [
        "\n".join([line, "The second paragraph goes on about it."])
        for line in [TIDES, BREAD, CLOCK, "The quay is old."]
    ]
    text = "Ada Byron\nComments\n\n" + "\n\n".join(comments)
    assert texts(text, segment(text)) == comments


def test_wrapped_lines_are_no_borders() -> None:
    paragraph = "The tide at the old quay runs two hours late, and everyone who sails\nthere knows it, but the tables of the harbour office do not say so\nanywhere, and nobody has written to them yet."
    text = "\n\n".join(["Ada Byron", "Comments", *[paragraph] * 5])
    starts = {piece.start for piece in segment(text).comments}
    assert starts <= {index for index in range(len(text)) if text.startswith("The tide at", index)}


def test_known_borders_are_kept_and_certain() -> None:
    text = "Ada Byron\nComments\nThe tide is late.\nAnd the clock is slow, so it seems later."
    border = text.index("And the clock")
    assert [piece.start for piece in segment(text).comments] == [text.index("The tide")]
    found = segment(text, known_borders=[border])
    assert [piece.start for piece in found.comments] == [text.index("The tide"), border]
    assert found.comments[1].confidence == 1.0


def test_a_known_border_inside_the_head_ends_the_head() -> None:
    text = "\n".join(["Ada Byron", "I study tides for a living.", *COMMENTS])
    assert segment(text, known_borders=[text.index("I study")]).comments[0].start == text.index("I study")


def test_a_judge_decides_what_is_uncertain_and_nothing_else() -> None:
    """Whatever it says, borders stay at line starts, and sure ones stay."""
    text = generated_dumps(2)[1].text
    asked = []

    def never(paragraphs, uncertain):
        asked.extend(text.index(paragraphs[index]) for index in uncertain)
        return dict.fromkeys([*uncertain, 0, 10_000], False)

    unasked = {piece.start: piece.confidence for piece in segment(text).comments}
    silent = {
        piece.start: piece.confidence for piece in segment(text, decide=lambda paragraphs, uncertain: {}).comments
    }
    denied = {piece.start for piece in segment(text, decide=never).comments}
    assert silent == unasked
    assert asked == sorted(asked)
    assert asked
    assert set(asked).isdisjoint(denied)
    assert denied < set(unasked)


def test_posterior_of_two_lines_by_hand() -> None:
    """Three lines, borders at odds 1 and 3 whatever the age: probabilities 1/2 and 3/4."""
    log_odds = np.zeros((OLDEST + 1, 3))
    log_odds[:, 2] = np.log(3.0)
    assert borders.posterior(log_odds) == pytest.approx([1.0, 0.5, 0.75])


def test_posterior_weighs_all_splits() -> None:
    """If a comment never has three lines, at least one of any two neighbouring lines begins one.

    Odds of 1 elsewhere: of the splits of four lines into runs of at most two (1111, 112, 121, 211, 22) the ones that
    end in a run of two pay for it, so they are worth half; summing by hand gives 5/8, 3/4, 3/8 / 5/8.
    """
    log_odds = np.zeros((OLDEST + 1, 4))
    log_odds[2:] = 30.0
    worth = {(1, 2, 3): 1 / 8, (1, 2): 1 / 8, (1, 3): 1 / 4, (2, 3): 1 / 4, (2,): 1 / 4}
    expected = [1.0, *(sum(w for split, w in worth.items() if line in split) for line in (1, 2, 3))]
    assert borders.posterior(log_odds) == pytest.approx(expected)


@pytest.mark.slow
def test_windows_agree_with_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(dump.text for dump in generated_dumps(20))
    lines = lines_of(text)
    whole, probability = borders.find_starts(lines)
    monkeypatch.setattr(borders, "WINDOW", 150)
    parts, nearly = borders.find_starts(lines)
    assert len(set(whole) ^ set(parts)) <= 0.03 * len(lines)
    assert np.abs(probability - nearly).mean() < 0.02


# --- voices and scars -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paragraphs", "quoted"),
    [
        (["Shouldn't the gauge at the quay be read twice a day?", "Yes, I agree that the gauge should be read twice a day."], 0),
        (["The gauge at the quay is read once a day by the harbour office.", "I think you would do better to read the gauge at the quay yourself."], 0),
        (["> The gauge is read once a day.", "It is not."], 0),
        (["See, for example, Bo's recent post:", "The gauge at the quay is read once a day, and nobody has ever asked why that is so.", "It is one gauge among many."], 1),
        (["One accepts the gauge first and doubts it afterwards.", "It seems to me that “accepting the gauge” is the whole trick here."], 0),
    ],
)  # fmt: skip
def test_words_of_others_are_marked(paragraphs: list[str], quoted: int) -> None:
    text = "Ada Byron\nComments\n" + "\n".join(paragraphs)
    (piece,) = segment(text, decide=deny).comments
    assert slices(text, piece.quoted) == [paragraphs[quoted]]


@pytest.mark.parametrize(
    ("opening", "answer", "quoted"),
    [
        ("so the gauge is read only once a year", "Hmm, are you sure? The gauge is read every morning, as far as I know.", True),
        ("why would anybody read a gauge twice a day?", "Good question! Maybe nobody should, but I do.", True),
        ("But the harbour has no gauge at all, does it?", "It has two. You can see the older one from the bridge.", True),
        ("The harbour has had two gauges since the flood. Nobody reads the second. It is behind the shed.", "It would be better to move it to the quay.", False),
        ("We read the gauge only once a year.", "And the book in the office shows it.", False),
    ],
)  # fmt: skip
def test_openings_that_the_next_paragraph_answers_are_quoted(opening: str, answer: str, quoted: bool) -> None:
    """No single sign is sure here: they are weighed."""
    assert is_answered([opening, answer, "The book in the office shows it."]) is quoted


@pytest.mark.parametrize("head", [[], ["Ada Byron"], ["Ada Byron", "I study tides at the university."], HEADINGS])
@pytest.mark.parametrize(
    ("opening", "answer"),
    [
        ("But the harbour has no gauge at all, does it?", "It has two. You can see the older one from the bridge."),
        (
            "The clock at the quay was slow for years and nobody cared.",
            "Exactly. The keeper told us so in his letters.",
        ),
        ("Why would the university read a gauge twice a day?", "Because it must: the moon asks for it."),
        ("Who pays the researchers at the institute?", "Mostly the town, I think."),
    ],
)
def test_words_of_others_with_which_a_dump_begins_are_marked(head: list[str], opening: str, answer: str) -> None:
    text = "\n\n".join([*head, opening, answer, *COMMENTS])
    first = segment(text).comments[0]
    assert (text[first.start :].startswith(opening), slices(text, first.quoted)) == (True, [opening])


@pytest.mark.parametrize(
    ("bio", "next_line"),
    [
        ("The founder of a tide institute.", "Yes, I agree about the observatory clock."),
        ("Interested in tides at the university?", "Write to ada@tides.org."),
        ("Want to talk about my research?", "Yes, the clock was wrong, and nobody saw it."),
    ],
)
def test_a_bio_is_no_quotation_that_the_next_line_answers(bio: str, next_line: str) -> None:
    text = "\n\n".join(["Ada Byron", bio, next_line, *COMMENTS])
    assert bio in slices(text, segment(text).profile)


@pytest.mark.parametrize(
    "paragraphs",
    [
        ["The gauge at the quay is read once a day.", "The other gauge is read twice."],
        ["I think the gauge at the quay should be read twice.", "Yes, that would cost more."],
        ["Here is what I would do:", "Read the gauge at the quay at noon and at midnight, and write down both of the numbers.", "Then wait."],
        ["Let me say what I mean in this paragraph:", "Read the gauge at the quay at noon and at midnight, and write down both of the numbers.", "Then wait."],
        ["Thanks for reading the gauge!", "I think you should read it again."],
        ["The clock was slow. My own watch was not.", "Exactly as I said."],
    ],
)  # fmt: skip
def test_the_authors_own_words_are_not(paragraphs: list[str]) -> None:
    text = "Ada Byron\nComments\n" + "\n".join(paragraphs)
    assert [piece.quoted for piece in segment(text, decide=deny).comments] == [()]


def test_scars_are_told_per_comment_in_offsets_of_the_text() -> None:
    text = f"Ada Byron\nComments\n{TIDES}\nThanks again! Simply define , and presto, ."
    first, second = segment(text).comments
    assert first.gaps == ()
    assert [text[gap - 4 : gap] for gap in second.gaps] == ["ine ", "to, "]


# --- nothing lost -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_generated_dumps_of_every_style_keep_chrome_and_profile_out_of_comments(style) -> None:
    comments = [
        {"author": "ada_byron", "text": text} for text in [*COMMENTS, f"> {TIDES}\n\nNo, it does not.\n\n- one\n- two"]
    ]
    text, starts = make_dump(comments, random.Random(3), style)
    assert all(
        text[start] == str(comment["text"]).lstrip("> ")[0] for start, comment in zip(starts, comments, strict=True)
    )
    found = segment(text)
    result = score(Dump("", text, starts), found)
    assert (result.leaks, result.lost) == (0, 0)
    assert (found.comments[0].start, found.comments[-1].end) == (starts[0], text.rindex("two") + 3)


@given(
    st.lists(
        st.sampled_from(
            ["Ada Byron", "Comments", "Posts", "Reply", "12", "2y", "-", "Thanks for this.", "and so on", "I agree.", "\0", "\ufeff",
             "> quoted", "On Counting Twice", "\ud800 lone", "a , b", "x" * 300, "Sorted by New", "\u2028", "Load More", "```"]
        ),
        max_size=25,
    ),
    st.sampled_from(["\n", "\r\n", "\n\n", "\r", " \n\t\n"]),
)  # fmt: skip
def test_every_character_is_in_exactly_one_range(lines: list[str], newline: str) -> None:
    text = newline.join(lines)
    found = segment(text)
    assert misplaced(text, found) == 0
    assert all(0 < piece.confidence <= 1 for piece in found.comments)


def test_the_same_text_gives_the_same_pieces() -> None:
    dump = generated_dumps(1)[0]
    assert segment(dump.text) == segment(dump.text)


@pytest.mark.parametrize("text", ["", " \n\n\t", "\0\0\n\0", "x", "\ufeff"])
def test_next_to_nothing_is_no_error(text: str) -> None:
    found = segment(text)
    assert misplaced(text, found) == 0
    assert len(found.comments) == (text == "x")


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["Thanks!\n", "12\n", "-\n", "On Counting Twice\n", "Reply\n", "a b c d e f.\n"])
def test_many_short_lines_take_linear_time(unit: str) -> None:
    start = time.process_time()
    found = segment(unit * 5_000)
    assert time.process_time() - start < 5
    assert misplaced(unit * 5_000, found) == 0


@pytest.mark.slow
def test_seventeen_megabytes_in_one_line() -> None:
    text = "Ada Byron\nComments\n" + "the tide is late " * 1_000_000
    found = segment(text)
    assert [(piece.start, piece.end) for piece in found.comments] == [(19, len(text) - 1)]


# --- measuring it -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_figures_need_nothing_but_the_packages(tmp_path: Path) -> None:
    """As installed: the packages alone, in another folder, with no tests beside them."""
    for name in ("rag", "ingest"):
        shutil.copytree(ROOT / name, tmp_path / "site" / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = "from ingest.generated_dumps import generated_dumps; print(len(generated_dumps()))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == len(generated_dumps()) >= 30


def test_comments_to_measure_with_may_hold_any_sign(tmp_path: Path) -> None:
    file = tmp_path / "comments.jsonl"
    texts = ["One\u2028line.", "Another\x85one."]
    rows = [json.dumps({"author": "Ann", "text": text}, ensure_ascii=False) + "\n" for text in texts]
    file.write_text("".join(rows), encoding="utf-8")
    assert [row["text"] for row in read_comments(file)["Ann"]] == texts[::-1]


@pytest.mark.slow
def test_own_dumps_are_measured_by_the_borders_recorded_beside_them(tmp_path: Path) -> None:
    text = "\n".join(["Ada Byron", "Comments", TIDES, BREAD, CLOCK])
    (tmp_path / "page.txt").write_text(text, encoding="utf-8")
    recorded = {
        "files": {"page.txt": {"comments": [3, 4, 5], "uncertain": {"5": "could go on"}}, "gone.txt": {"comments": [1]}}
    }
    (tmp_path / "borders.json").write_text(json.dumps(recorded), encoding="utf-8")
    figures = evaluate(tmp_path)["real"]
    assert (figures["dumps"], figures["pooled"]["gold"], figures["strict"]["gold"]) == (1, 2, 3)
    assert figures["files"]["page.txt"] == figures["pooled"]


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        (None, "No borders are recorded"),
        ("{", "does not hold borders"),
        ('{"files": {"page.txt": {}}}', "does not hold borders"),
        ('{"files": {"page.txt": {"comments": [99]}}}', "no line \\[99\\]"),
        ('{"files": {"page.txt": {"comments": []}}}', "no line recorded"),
    ],
)
def test_wrong_records_of_borders_are_explained(tmp_path: Path, recorded: str | None, message: str) -> None:
    (tmp_path / "page.txt").write_text(f"Ada Byron\nComments\n{TIDES}", encoding="utf-8")
    if recorded is not None:
        (tmp_path / "borders.json").write_text(recorded, encoding="utf-8")
    with pytest.raises(SourceError, match=message):
        real_dumps(tmp_path)


def test_an_uncertain_border_is_neither_right_nor_wrong() -> None:
    text = "\n".join(["Ada Byron", "Comments", TIDES, BREAD, CLOCK])
    starts = tuple(text.index(comment) for comment in COMMENTS)
    found = segment(text, known_borders=starts)
    certain, open_ = Dump("", text, starts), Dump("", text, starts[:2], uncertain=frozenset(starts[2:]))
    assert [(each.right, each.found, each.gold) for each in (score(certain, found), score(open_, found))] == [
        (3, 3, 3),
        (2, 2, 2),
    ]


# --- how good it is ---------------------------------------------------------------------------------------------------


def test_real_dumps_without_a_model(shared: Path) -> None:
    """What the figures promise: no line of the page in a comment, nothing lost, names as the pages have them."""
    dumps = real_dumps(shared / "seeds")
    found = [segment(dump.text) for dump in dumps]
    assert [result.name for result in found] == ["Jacy Reese Anthis", "Jacy Reese Anthis", None, "davidad"]
    assert [result.label for result in found] == [None, None, "unnamed profile (payor.io)", None]
    scores = [score(dump, result) for dump, result in zip(dumps, found, strict=True)]
    assert [(each.leaks, each.lost) for each in scores] == [(0, 0)] * 4
    assert all(min(dump.starts) == result.comments[0].start for dump, result in zip(dumps, found, strict=True))


def test_an_older_snapshot_settles_borders_of_the_newer(shared: Path) -> None:
    newer, older, *_ = real_dumps(shared / "seeds")
    first = older.text[older.starts[0] : older.starts[0] + 80]
    border = newer.text.index(first)
    assert border in {piece.start for piece in segment(newer.text, known_borders=[border]).comments}


@pytest.mark.slow
def test_figures_hold(shared: Path, embed: Embed) -> None:
    """Floors a little below what was measured, so that a change that costs accuracy is seen."""
    report = evaluate(shared / "seeds", embed=embed)
    generated, real = report["generated"], report["real"]
    assert generated["dumps"] >= 30
    assert [(found["pooled"]["leaks"], found["pooled"]["lost"]) for found in (generated, real)] == [(0, 0), (0, 0)]
    assert generated["marked"]["f1"] > 0.97
    assert generated["pooled"]["f1"] > 0.85
    assert real["pooled"]["f1"] > 0.79
    assert real["strict"]["f1"] > 0.76
