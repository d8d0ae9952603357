"""The optional judge, on tiny cross-encoders made here: real loading, real prediction, weights of chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.citations.support import check_support
from rag.errors import EmbeddingError
from rag.models.entailment import EntailmentJudge, load_judge
from rag.settings import Settings

pytestmark = pytest.mark.slow

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] kelp keeps dried for a year it does not .".split()
NLI = {0: "contradiction", 1: "ENTAILMENT", 2: "neutral"}


def make(folder: Path, labels: dict[int, str]) -> str:
    """A BERT of a few weights, saved as sentence-transformers would find it."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    torch.manual_seed(0)
    inner = Tokenizer(WordPiece({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    inner.pre_tokenizer = Whitespace()
    inner.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=64, **names).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        initializer_range=1.0, max_position_embeddings=64, id2label=labels, label2id={name: number for number, name in labels.items()},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


def by_hand(folder: str, evidence: str, sentence: str) -> list[float]:
    """The same model's class probabilities, without sentence-transformers."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        logits = AutoModelForSequenceClassification.from_pretrained(folder)(
            **tokenizer(evidence, sentence, return_tensors="pt")
        ).logits[0]
    return (logits.softmax(0) if len(logits) > 1 else logits.sigmoid()).tolist()


def test_the_probability_of_entailment_is_given_premise_first(tmp_path: Path) -> None:
    folder = make(tmp_path, NLI)
    judge = load_judge(folder)
    evidence, sentence = "dried kelp keeps for a year .", "kelp does not keeps ."
    expected = by_hand(folder, evidence, sentence)
    assert judge(sentence, evidence) == pytest.approx(expected[1], abs=1e-4)
    assert judge(evidence, sentence) != pytest.approx(expected[1], abs=1e-4)
    assert max(expected) - min(expected) > 0.01


def test_a_model_with_one_score_gives_that(tmp_path: Path) -> None:
    folder = make(tmp_path, {0: "consistent"})
    assert load_judge(folder)("kelp keeps .", "dried kelp .") == pytest.approx(
        by_hand(folder, "dried kelp .", "kelp keeps .")[0], abs=1e-4
    )


def test_it_decides_whether_a_sentence_is_supported(tmp_path: Path) -> None:
    judge = load_judge(make(tmp_path, NLI))
    sentence, evidence = "kelp keeps for a year .", "dried kelp keeps for a year ."
    found = check_support(sentence, [evidence], embed=pytest.fail, judge=judge)
    assert found.score == judge(sentence, evidence)
    assert found.status == ("supported" if found.score >= 0.5 else "unsupported")


def test_a_model_for_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r'no class "entailment" but joy, anger: take a cross-encoder'):
        load_judge(make(tmp_path, {0: "joy", 1: "anger"}))


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"Check the setting support_model"):
        load_judge(str(tmp_path / "none"))


def test_it_is_off_by_default() -> None:
    assert Settings().support_model is None


def test_large_logits_overflow_nothing() -> None:
    class Sure:
        def predict(self, pairs: list, **_: object) -> list[list[float]]:
            return [[-5000.0, 5000.0, 0.0]]

    assert EntailmentJudge(Sure(), 1)("a", "b") == 1.0
