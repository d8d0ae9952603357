from __future__ import annotations

import pytest

from rag.chat.prompts import ABSTAIN, Message
from rag.chat.reference_lists import with_keys_in_place
from rag.chat.replies import (
    is_abstention,
    marked,
    repeated_tail,
    says_only_abstention,
    with_keys_behind,
    without_prompt,
    without_torn_end,
)
from rag.chat.wrappings import Unwrapper, unwrapped
from rag.citations.claims import denies_answer
from rag.records import SentenceCheck

ASKED = "Why does the sea rise?"
SAID = "The moon pulls the sea [bq3x.1]."


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

    def test_a_sentence_of_the_instructions_goes_from_a_line(self) -> None:
        reply = f"Use only the passages, and them alone. {ABSTAIN}\nSo."
        messages = (Message("system", "Use only the passages, and them alone. Be brief."), self.MESSAGES[1])
        assert without_prompt("Use only the passages, and them alone.\nSo.", messages, "5f0c3a9e") == "So."
        assert without_prompt(reply, messages, "5f0c3a9e") == reply

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


class TestWrappings:
    @pytest.mark.parametrize(
        ("reply", "answer"),
        [
            (SAID, SAID),
            (f"Answer: {SAID}", SAID),
            (f"**Answer:** {SAID}", SAID),
            (f"### Final answer\n\n{SAID}", SAID),
            (f"Question: {ASKED}\n\nAnswer: {SAID}", SAID),
            (f"{ASKED}\n{SAID}", SAID),
            (f"Answers differ. {SAID}", f"Answers differ. {SAID}"),
            (f"```\n{SAID}\n```", f"{SAID}\n"),
            (f"```markdown\n{SAID}\n```\nI hope this helps.", f"{SAID}\nI hope this helps."),
            (f"Here it is:\n~~~\n{SAID}\n~~~", f"Here it is:\n{SAID}\n"),
            ("So:\n```\nx = 1\n```\nDone.", "So:\n```\nx = 1\n```\nDone."),
            (f"```python\nx = 1\n```\n{SAID}", f"```python\nx = 1\n```\n{SAID}"),
            (f'{SAID}\n{{"a": "b"}}\nDone.', f'{SAID}\n{{"a": "b"}}\nDone.'),
            ('So:\n```py\n{"a": "b"}\nUser: x\n```', 'So:\n```py\n{"a": "b"}\nUser: x\n```'),
            (f"<answer>{SAID}</answer> I am done.", SAID),
            (f"<|im_start|>assistant\n{SAID}<|im_end|>\n<|im_start|>user\nWhy?", SAID),
            (f"{SAID}\n\nQuestion: Who are you?\n\nAnswer: The moon.", f"{SAID}\n\n"),
            (f"{SAID}\nQuestions remain.", f"{SAID}\nQuestions remain."),
            ("", ""),
            ("```", ""),
            ("{", "{"),
            ("a < b [bq3x.1] and [In", "a < b [bq3x.1] and [In"),
        ],
    )
    def test_are_taken_off_however_the_reply_is_cut(self, reply: str, answer: str) -> None:
        assert unwrapped(reply, ASKED) == answer
        for size in (1, 2, 3, 7):
            unwrapper = Unwrapper(ASKED)
            pieces = [unwrapper.feed(reply[start : start + size]) for start in range(0, len(reply), size)]
            assert "".join(pieces) + unwrapper.flush() == answer

    @pytest.mark.parametrize(
        ("reply", "answer"),
        [
            ('{"answer": "The moon pulls [bq3x.1].\nSo does the sun [bq3x.2]."}', "The moon pulls [bq3x.1].\nSo does the sun [bq3x.2]."),
            ('{"answer": "The moon pulls.", "sources": ["bq3x.1", "[bq3x.2]"]}', "The moon pulls. [bq3x.1, bq3x.2]"),
            ('```json\n{"answer": "The moon pulls [bq3x.1]."}\n```\nDone.', "The moon pulls [bq3x.1]."),
            ('[{"key": "bq3x.1", "claim": "The moon pulls."}, {"claim": "So does the sun.", "key": "bq3x.2"}]',
             "The moon pulls. [bq3x.1]\n\nSo does the sun. [bq3x.2]"),
            ('{"question": "Why does it?", "thought": "I think hard.", "claims": [{"text": "The moon pulls [bq3x.1]."}]}',
             "The moon pulls [bq3x.1]."),
            ("{'answer': 'The moon pulls [bq3x.1].'}", "The moon pulls [bq3x.1]."),
            ('{"answer": "The moon \\"pulls\\" [bq3x.1]. The s', 'The moon "pulls" [bq3x.1]. The s'),
            ('{"moon": 3, "sea": [1, 2', ""),
            ('{"a": ' * 5000, ""),
        ],
    )  # fmt: skip
    def test_json_is_read_and_never_shown(self, reply: str, answer: str) -> None:
        unwrapper = Unwrapper(ASKED)
        assert (unwrapper.feed(reply), unwrapper.flush()) == ("", answer)


class TestReferenceLists:
    KEYS = ("bq3x.1", "bq3x.2", "bq3x.12")

    @pytest.mark.parametrize(
        ("reply", "placed"),
        [
            ("It rises[^1]. It falls[^2].\n\n[^1]: [bq3x.1]\n[^2]: bq3x.2", "It rises[bq3x.1]. It falls[bq3x.2]."),
            ("It rises¹. It falls².\n\n¹ bq3x.1\n² bq3x.2", "It rises[bq3x.1]. It falls[bq3x.2]."),
            ("It rises (1).\n\n(1) Ann: [bq3x.12]", "It rises [bq3x.12]."),
            ("It rises [Source 1].\n\n**Sources:**\n1. Ann [bq3x.1]", "It rises [bq3x.1]."),
            ("It does [1-3].\n\n[1] bq3x.1\n[2] bq3x.2\n[3] bq3x.12", "It does [bq3x.1, bq3x.2, bq3x.12]."),
            ("It does [1, 2].\n\n[1] bq3x.1", "It does [1, 2]."),
            ("It rises.\n\n## Why\n\nIt falls.\n\nSources: [bq3x.1], [bq3x.2]",
             "It rises. [bq3x.1, bq3x.2]\n\n## Why\n\nIt falls. [bq3x.1, bq3x.2]"),
            ("It rises.\n\n[bq3x.1] [bq3x.2]", "It rises. [bq3x.1, bq3x.2]"),
            ("It rises [bq3x.1].\n\nReferences:\n- [bq3x.1] Ann", "It rises [bq3x.1]."),
        ],
    )  # fmt: skip
    def test_keys_go_where_they_belong(self, reply: str, placed: str) -> None:
        assert with_keys_in_place(reply, self.KEYS) == placed

    @pytest.mark.parametrize(
        "reply",
        [
            "1. It rises [bq3x.1]\n2. It falls [bq3x.2]",
            "Two hints [1]:\n\n1. It rises [bq3x.1]\n2. It falls [bq3x.2]",
            "Ann has a list.\n\n1. It rises [bq3x.1]\n2. It falls [bq3x.2]",
            "It rises [bq3x.1].\n\n[bq3x.2]",
            "It rises [1].\n\n[1] https://example.org",
            "",
        ],
    )
    def test_what_is_no_list_of_references_stays(self, reply: str) -> None:
        assert with_keys_in_place(reply, self.KEYS) == reply


@pytest.mark.parametrize(
    ("sentences", "denied"),
    [
        (["The passages do not contain information on this."], True),
        (["I'm sorry.", "I could not find an answer in the comments."], True),
        (["There is no information about tides."], True),
        (["The comments do not say how, but the moon pulls the sea."], False),
        (["The comments do not say how.", "The moon pulls the sea."], False),
        (["The moon pulls the sea."], False),
        ([], False),
    ],
)
def test_saying_in_other_words_that_there_is_no_answer(sentences: list[str], denied: bool) -> None:
    assert denies_answer(sentences) is denied
