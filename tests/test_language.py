"""Answers in the language of the question: fixed phrases, and a model that translates for the search."""

from __future__ import annotations

import tomllib
from string import Formatter

import pytest

from rag.answering.stance import stance
from rag.chat.replies import is_abstention
from rag.language.detection import detected, question_language
from rag.language.phrases import Phrases, languages

from conftest import ROOT  # isort: skip

PHRASES = tomllib.loads((ROOT / "rag" / "language" / "phrases.toml").read_text(encoding="utf-8"))


class TestDetection:
    @pytest.mark.parametrize(
        ("question", "language"),
        [
            ("Wie oft soll man die Fahrradkette wachsen?", "de"),
            ("Comment faut-il nourrir un levain en hiver ?", "fr"),
            ("¿Cada cuánto hay que encerar la cadena?", "es"),
            ("Что говорят о закваске?", "ru"),
            ("酵母应该怎么喂？", "zh"),
            ("パン種にはどうやって餌をやりますか？", "ja"),
            ("Is rust better than go?", "en"),
            ("quantilizers", "en"),
            ("Jo Turing NaN", "en"),
            ("Was Jo at Oxford?", "en"),
            ("42?", "en"),
        ],
    )
    def test_short_questions(self, question, language):
        assert detected(question) == language

    @pytest.mark.parametrize(
        ("setting", "language"), [("German", "de"), ("de", "de"), ("auto", "en"), ("Klingon", "en")]
    )
    def test_the_setting_comes_first(self, setting, language):
        assert question_language("How often?", setting) == language


class TestPhrases:
    @pytest.mark.parametrize("language", languages())
    def test_each_language_has_all_phrases_with_the_same_blanks(self, language):
        def blanks(text: str) -> set[str]:
            return {blank for _, blank, _, _ in Formatter().parse(text) if blank}

        english, other = PHRASES["en"], PHRASES[language]
        assert {name: blanks(text) for name, text in other.items()} == {
            name: blanks(text) for name, text in english.items()
        }

    @pytest.mark.parametrize("language", languages())
    def test_a_model_may_decline_in_any_of_them(self, language):
        assert is_abstention(f"**{Phrases(language).say('abstain')}**")

    def test_an_unknown_language_is_english(self):
        assert Phrases("xx").say("abstain") == Phrases("en").say("abstain")


class TestStance:
    @pytest.mark.parametrize(
        ("text", "kind", "words"),
        [
            ("I mostly agree with this.", "for", "I mostly agree"),
            ("Well, I don't really disagree.", "for", "I don't really disagree"),
            ("I don't think that follows.", "against", "I don't think"),
            ("I’m not convinced by the second step.", "against", "I’m not convinced"),
            ("I agree in part, but I doubt the rest.", "mixed", "I agree … I doubt"),
            ("The cache is 4 MB.", "unclear", ""),
            ("I can't say I agree.", "unclear", ""),
            ("You asked whether I agree.", "unclear", ""),
            ("They think I agree.", "unclear", ""),
        ],
    )
    def test_only_words_that_say_so(self, text, kind, words):
        assert (stance(text).kind, stance(text).words) == (kind, words)
