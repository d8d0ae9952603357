from __future__ import annotations

import pytest

from rag.chat.prompts import ABSTAIN, Message
from rag.chat.replies import (
    is_abstention,
    marked,
    repeated_tail,
    says_only_abstention,
    with_keys_behind,
    without_prompt,
    without_torn_end,
)
from rag.records import SentenceCheck


class TestRepetition:
    @pytest.mark.parametrize(
        ("text", "repeated"),
        [
            ("They provided a passage. " * 3, 50),
            ("It begins. " + "They provided a passage [bq3x.1]. " * 5, 136),
            ("no " * 30, 87),
            ("A long thought, " * 2, 0),
            ("-" * 200, 0),
            ("|---|---|\n" * 10, 0),
            ("ha ha ha", 0),
            ("", 0),
        ],
    )
    def test_counts_what_only_repeats(self, text: str, repeated: int) -> None:
        assert repeated_tail(text) == repeated

    def test_what_is_left_does_not_repeat(self) -> None:
        text = "It begins. " + "The moon pulls the sea, and the sea pulls back. " * 9
        assert text[: -repeated_tail(text)] == "It begins. The moon pulls the sea, and the sea pulls back. "

    def test_prose_does_not_repeat(self) -> None:
        prose = "The moon pulls the sea, and the sea pulls back; what is more, the sun does so, too, if less. " * 2
        assert [end for end in range(len(prose)) if repeated_tail(prose[:end])] == []


class TestCopiedPrompt:
    MESSAGES = (
        Message("system", f"Be careful.\nUse only the passages. If they do not answer, say: {ABSTAIN}\n{ABSTAIN}"),
        Message("user", "5f0c3a9e passage\n[bq3x.1] The moon pulls the sea.\n5f0c3a9e end\n\nQuestion: why?\n\n"
                "Answer only from the passages, with a key after each claim."),
    )  # fmt: skip

    def test_fences_and_instructions_go_and_the_rest_stays(self) -> None:
        reply = (
            "5f0c3a9e passage\n**Answer only from the passages, with a key after each claim.**\n"
            "[bq3x.1] The moon pulls the sea.\n5f0c3a9e end\nBe careful.\nQuestion: why?"
        )
        cleaned = without_prompt(reply, self.MESSAGES, "5f0c3a9e")
        assert cleaned == "[bq3x.1] The moon pulls the sea.\nBe careful.\nQuestion: why?"

    def test_the_sentence_it_is_told_to_say_is_its_own(self) -> None:
        assert without_prompt(ABSTAIN, self.MESSAGES, "5f0c3a9e") == ABSTAIN

    def test_nothing_else_is_changed(self) -> None:
        reply = "One.\n\n- Two [bq3x.1]\n"
        assert without_prompt(reply, self.MESSAGES, "5f0c3a9e") == reply


class TestTornEnd:
    @pytest.mark.parametrize(
        ("reply", "kept"),
        [
            ("The moon pulls. And the sun al", "The moon pulls."),
            ("The moon pulls [bq3x.1]. And the sun [bq3x", "The moon pulls [bq3x.1]."),
            ("The moon pulls. [bq3x.1]", "The moon pulls. [bq3x.1]"),
            ('He says "the moon pulls." ', 'He says "the moon pulls." '),
            ("Only half a", "Only half a"),
            ("", ""),
        ],
    )
    def test_an_unfinished_last_sentence_goes(self, reply: str, kept: str) -> None:
        assert without_torn_end(reply) == kept


@pytest.mark.parametrize(
    ("line", "moved"),
    [
        ("[bq3x.1] The moon pulls.", "The moon pulls. [bq3x.1]"),
        ("- [bq3x.1][w6jf.2]: The moon pulls.", "- The moon pulls. [bq3x.1][w6jf.2]"),
        ("1. [bq3x.1] The moon [w6jf.2].", "1. [bq3x.1] The moon [w6jf.2]."),
        ("The moon [bq3x.1] pulls.", "The moon [bq3x.1] pulls."),
        ("[Note] The moon pulls.", "[Note] The moon pulls."),
        ("[bq3x.1]", "[bq3x.1]"),
    ],
)
def test_keys_before_a_line_move_behind_it(line: str, moved: str) -> None:
    keys = ["bq3x.1", "w6jf.2"]
    assert with_keys_behind(f"Above.\n{line}\nBelow.", keys) == f"Above.\n{moved}\nBelow."


class TestAbstention:
    @pytest.mark.parametrize("text", [ABSTAIN, f"**{ABSTAIN}**\n", f"{ABSTAIN} [1][2]", ABSTAIN.lower().rstrip(".")])
    def test_the_sentence_alone_is_recognised(self, text: str) -> None:
        assert says_only_abstention(text)

    def test_more_than_the_sentence_is_not_only_that(self) -> None:
        text = f"{ABSTAIN} However, the moon pulls the sea [1]."
        assert (says_only_abstention(text), is_abstention(text)) == (False, True)


def test_marks_move_the_checks_behind_them() -> None:
    text = "The sun. The moon [1]. The sea."
    checks = [
        SentenceCheck(0, 8, "uncited", 0.0),
        SentenceCheck(9, 22, "supported", 0.9),
        SentenceCheck(23, 31, "unsupported", 0.1, "no"),
    ]
    shown, moved = marked(text, checks, {"uncited": " (uncited)", "unsupported": " (not so)"})
    assert shown == "The sun. (uncited) The moon [1]. The sea. (not so)"
    assert [shown[check.start : check.end] for check in moved] == [
        "The sun. (uncited)",
        "The moon [1].",
        "The sea. (not so)",
    ]
