"""Whether retrieved passages answer a question, and what kind of answer it expects."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.abstention.answerability import NOTHING_ASKED, UNSPOKEN, WEIGHTS, Signals, judge, probability
from rag.abstention.expectation import expected
from rag.abstention.presupposition import presupposes_end
from rag.models.embedding import Embedder
from rag.question.query import Query
from rag.records import Passage
from rag.retrieval.retriever import Retriever
from rag.settings import Settings

from indexing import IndexOf  # isort: skip

DATA = Path(__file__).parent / "data"
ANSWERED, DECLINED = 0.8, 0.65
"""Floors for questions by others: what the comments answer, and what they do not."""


@pytest.fixture(scope="module")
def railway(index_of: IndexOf) -> Retriever:
    return Retriever.from_settings(index_of(rows("answerability_railway_comments")))


@pytest.fixture(scope="module")
def choir(index_of: IndexOf) -> Retriever:
    return Retriever.from_settings(index_of(rows("answerability_choir_comments")))


def rows(name: str) -> list[dict[str, Any]]:
    """Of a file of the tests' data."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def answerable(retriever: Retriever, question: str) -> float:
    return retriever.retrieve(retriever.understand(question), 8).answerable


@pytest.mark.parametrize(
    "question",
    [
        "What are the new sleepers made of?",
        "Why does Orrin Fell prefer oak?",
        "How much energy does braking recover on the trams?",
        "Compare Saltley and ballast_kate on half-day turns.",
    ],
)
def test_a_question_that_the_comments_answer_is_likely_answerable(railway: Retriever, question: str) -> None:
    assert answerable(railway, question) > 0.5


@pytest.mark.parametrize(
    "question",
    [
        "How do I remove red wine stains?",
        "How does maglev levitation work?",
        "What does Orrin Fell think about water softeners in the tender?",
        "Compare Orrin Fell and Wren Tallow on hydrogen buses.",
    ],
)
def test_a_question_that_they_do_not_answer_is_unlikely_answerable(railway: Retriever, question: str) -> None:
    assert answerable(railway, question) < 0.5


def test_a_question_about_a_person_alone_is_answerable_if_they_wrote(railway: Retriever) -> None:
    assert answerable(railway, "Who is Wren Tallow?") == NOTHING_ASKED
    assert answerable(railway, "What do you say?") == 0.0


def test_nobody_answers_for_somebody_who_wrote_nothing(railway: Retriever) -> None:
    assert answerable(railway, "What does Alan Turing think about oak sleepers?") == 0.0


@pytest.mark.parametrize(
    ("question", "presupposes"),
    [
        ("Why did Ann leave the bank?", True),
        ("When did he give up baking?", True),
        ("What made Ann quit?", True),
        ("Why has she stopped answering?", True),
        ("why is Ann giving up the stall", True),
        ("Why does Ann leave the door open?", False),
        ("When do eels leave the river?", False),
        ("Why did Ann write about leaving?", False),
        ("Did Ann quit?", False),
    ],
)
def test_some_questions_take_an_end_for_granted(question: str, presupposes: bool) -> None:
    assert presupposes_end(question) is presupposes


PUMPS = [
    ("Milos Hrubec", "Engineer at the Elbe pumping station, formerly at Kolin Valves. Interests: seals, rust, choirs."),
    ("Petra Novak", "I stopped using hemp in the glands, because it scores the shaft after two winters."),
    ("Milos Hrubec", "The pump at the lock has two impellers. Each of them weighs more than my car."),
]  # fmt: skip


DISTANCES = [
    (
        "Imre Sand",
        "When two distributions hardly overlap, one would need a Wasserstein divergence. It stays finite where the other one is"
        " infinite.",
    ),
    ("Imre Sand", "In step 1 we collect the samples. In step 2 we throw away the samples that nobody can explain."),
    ("Lio Marek", "Bayes would have counted every sample, the odd ones too. That is how I treat them in my own work."),
    (
        "Lio Marek",
        "My kernel of choice is the Epanechnikov kernel, as it has the least variance of all that I have tried.",
    ),
]


@pytest.fixture(scope="module")
def distances(index_of: IndexOf) -> Settings:
    return index_of({"author": author, "text": text} for author, text in DISTANCES)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What does Imre say about Sinkhorn divergence?", "Sinkhorn"),
        ("What happens in step 5?", "step 5"),
        ("What does Imre say about Step 12?", "Step 12"),
        ("What does Imre say about the Sinkhorn Knopp divergence?", "Sinkhorn Knopp"),
        ("Does Imre or Lio trust a Sinkhorn divergence?", "Sinkhorn"),
    ],
)
def test_what_stands_nowhere_is_named_and_not_answered_by_what_is_beside_it(
    distances: Settings, question: str, name: str
) -> None:
    answer = rag.answer(question, settings=distances)
    assert answer.abstained
    assert f"None of the comments searched mentions “{name}”." in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "What does Imre say about Wasserstein divergence?",
        "What happens in step 2?",
        "How does a Bayesian treat the odd samples?",
        "What does Lio say about the Epanechnikof kernel?",
        "How many samples did Imre throw away in step 2?",
    ],
)
def test_a_name_in_another_form_or_with_a_typo_is_not_unseen(distances: Settings, question: str) -> None:
    retriever = Retriever.from_settings(distances)
    assert retriever.retrieve(retriever.understand(question), 8).unseen == ()


@pytest.fixture(scope="module")
def pumps(index_of: IndexOf) -> Retriever:
    return Retriever.from_settings(index_of({"author": author, "text": text} for author, text in PUMPS))


def test_why_something_ended_is_told_only_by_who_tells_of_an_end(pumps: Retriever) -> None:
    assert answerable(pumps, "Why did Petra Novak stop using hemp?") > 0.5
    # His profile names the firm, and tells of no end.
    assert answerable(pumps, "Why did Milos Hrubec leave Kolin Valves?") == 0.0


def test_a_thing_is_judged_in_the_number_in_which_it_is_spoken_of(pumps: Retriever) -> None:
    one, several = (answerable(pumps, f"What does Petra Novak say about {thing}?") for thing in ("a gland", "glands"))
    assert one == pytest.approx(several, abs=0.2)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What does Lio Marek think?", NOTHING_ASKED),
        ("What does Imre Sand explain?", NOTHING_ASKED),
        ("What did Lio Marek praise?", UNSPOKEN),
        ("What does Imre Sand complain about?", UNSPOKEN),
    ],
)
def test_how_something_is_said_should_be_said(distances: Settings, question: str, expected: float) -> None:
    assert answerable(Retriever.from_settings(distances), question) == expected


def test_who_replies_to_nobody_is_not_sure_to_disagree(distances: Settings) -> None:
    text = rag.answer("Who disagrees with Imre Sand about samples?", settings=distances).text
    assert text.startswith("Whether this answers the question is not certain")
    assert "Bayes would have counted every sample" in text


def test_without_passages_there_is_no_answer() -> None:
    query = Query("Why oak?", "Why oak?", topic="oak")
    assert judge(query, [], question_vector=None, vectors=dict, read=len, rarity=len) == (0.0, {})


def test_the_signals_come_with_the_probability(railway: Retriever) -> None:
    found = railway.retrieve(railway.understand("What are the new sleepers made of?"), 8)
    assert probability(Signals(**found.signals)) == found.answerable


def test_the_judgement_does_not_depend_on_how_many_passages_are_asked_for(railway: Retriever) -> None:
    query = railway.understand("What was the cause of the wet joint?")
    assert railway.retrieve(query, 8).answerable == railway.retrieve(query, 20).answerable


def test_every_signal_has_its_weight() -> None:
    assert set(WEIGHTS) == set(Signals.__dataclass_fields__)


def test_the_reader_speaks_for_an_answer_and_a_missing_kind_against_it() -> None:
    some = Signals(read=0.5, cosine=0.5, coverage=0.6, typed=1.0)
    assert probability(replace(some, read=0.7)) > probability(some) > probability(replace(some, missing=1.0))


def test_passages_without_sentences_or_vectors_are_judged_too(railway: Retriever, embedder: Embedder) -> None:
    query = railway.understand("What are the new sleepers made of?")
    passages = [
        replace(p, sentences=(), dense_score=None, lexical_score=None) for p in railway.retrieve(query, 3).passages
    ]
    result, signals = judge(
        query,
        passages,
        question_vector=embedder.embed_query(query.text),
        vectors=lambda ids: {},
        read=railway.reader,
        rarity=lambda word: 0.5,
    )
    assert 0 < result < 1
    assert signals["cosine"] == 0.0


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How much does a reed cost?", "price"),
        ("How old is the mill?", "age"),
        ("How often should one oil it?", "frequency"),
        ("How tall is the tower?", "length"),
        ("How long does it take?", "duration"),
        ("How many tubes were replaced?", "number"),
        ("When was it built?", "date"),
        ("In which year did it close?", "date"),
        ("Who built the harbour?", "name"),
        ("Which brand of epoxy is used?", "name"),
        ("Which version of the timetable program do they use?", "version"),
        ("Where did they sing?", "place"),
        ("Who argues that oak is better?", None),
        ("Where do Ann and Bob disagree?", None),
        ("When do tides turn?", None),
        ("Why is the pitch sinking?", None),
        ("What is a staff?", None),
    ],
)
def test_the_form_of_a_question_tells_what_kind_of_answer_it_expects(question: str, kind: str | None) -> None:
    found = expected(question)
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("question", "text", "met"),
    [
        ("How much does a reed cost?", "A shop reed costs 28 euros.", True),
        ("How much does a reed cost?", "I scrape my own reeds.", False),
        ("How much compute was used for GPT-4?", "GPT-4 is more powerful.", False),
        ("When was the mill built?", "The mill burnt in 1908.", True),
        ("When was the mill built?", "The mill stands by the river.", False),
        ("When was the mill of 1908 built?", "The mill of 1908 stands by the river.", False),
        ("Who built the mill?", "It was built by Orrin Fell.", True),
        ("Who built the mill?", "It was built by the river.", False),
        ("What version of Rust is it written in?", "It is written in Rust 1.70.", True),
        ("What version of Rust is it written in?", "In Rust: 3300 millivolts, all in one place.", False),
        ("How long is the tunnel?", "The tunnel is 340 metres long.", True),
        ("How long is the tunnel?", "We relaid the track up to the tunnel.", False),
    ],
)
def test_a_text_either_has_something_of_that_kind_or_not(question: str, text: str, met: bool) -> None:
    assert expected(question).met(text) is met


def test_a_number_counts_if_it_stands_near_what_is_counted() -> None:
    asked = expected("How many pigeons live on the roof?")
    assert asked.count_near("There were forty pigeons on it.") is True
    assert asked.count_near("The pigeons know which roof, and in winter we have heated it for 12 years now.") is False
    assert asked.count_near("It is burnt on the roof.") is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["railway", "choir"])
def test_most_answerable_questions_are_answered_and_most_others_declined(
    name: str, request: pytest.FixtureRequest
) -> None:
    retriever = request.getfixturevalue(name)
    shipped = Settings.model_fields["abstain_below"].default
    right: dict[bool, list[bool]] = {True: [], False: []}
    for row in rows(f"answerability_{name}"):
        if int(hashlib.sha256(row["question"].encode()).hexdigest(), 16) % 2:  # the half that nothing was fitted on
            answered = answerable(retriever, row["question"]) >= shipped
            right[row["answerable"]].append(answered is row["answerable"])
    share = {key: sum(values) / len(values) for key, values in right.items()}
    assert share[True] > 0.85, share
    assert share[False] > 0.75, share
    assert (share[True] + share[False]) / 2 > 0.9, share


@pytest.mark.slow
def test_most_questions_of_somebody_else_are_judged_rightly(sample_settings: Settings) -> None:
    """Every second one of two writers on whose questions nothing was fitted; `benchmarks/answerability.py` measures all."""
    retriever, shipped = Retriever.from_settings(sample_settings), sample_settings.abstain_below
    right: dict[bool, list[bool]] = {True: [], False: []}
    for number, row in enumerate(rows("independent_sample")):
        if row["writer"] in (3, 4) and number % 2:
            right[row["answerable"]].append((answerable(retriever, row["question"]) >= shipped) is row["answerable"])
    assert sum(right[True]) >= ANSWERED * len(right[True])
    assert sum(right[False]) >= DECLINED * len(right[False])


@pytest.mark.slow
def test_most_questions_about_forums_that_nothing_was_fitted_on_are_judged_rightly(index_of: IndexOf) -> None:
    right: dict[bool, list[bool]] = {True: [], False: []}
    for forum in rows("forums_1")[4::30]:
        settings = index_of({"id": str(number), **comment} for number, comment in enumerate(forum["comments"]))
        retriever = Retriever.from_settings(settings)
        for row in forum["yes"]:
            right[True].append(answerable(retriever, row["q"]) >= settings.abstain_below)
        for question in forum["no"]:
            right[False].append(answerable(retriever, question) < settings.abstain_below)
    assert sum(right[True]) >= ANSWERED * len(right[True])
    assert sum(right[False]) >= DECLINED * len(right[False])


def test_the_committed_questions_are_enough_and_their_answers_stand_where_they_should(
    sample_settings: Settings,
) -> None:
    from rag.index.store import Store

    texts = [comment.text for comment in Store.open(sample_settings).comments()]
    profiles = "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((DATA.parent.parent / "rag/sample/comments").glob("*.txt"))
    )
    names = [path.stem for path in DATA.glob("answerability_*.jsonl") if "comments" not in path.name]
    questions = [row for name in names for row in rows(name)]
    assert sum(row["answerable"] for row in questions) >= 150
    assert sum(not row["answerable"] for row in questions) >= 150
    lost = [
        phrase
        for row in rows("answerability_sample")
        for phrase in row.get("gold", ())
        if phrase not in profiles and not any(phrase in text for text in texts)
    ]
    assert lost == []


def test_no_passage_is_judged_by_words_of_others_names() -> None:
    passage = Passage("p", "c", "quill", "Rye.", "f", 0, 4)
    query = Query("What does Jo say?", "What does Jo say?", unknown_authors=("Jo",), topic="rye")
    assert judge(query, [passage], question_vector=None, vectors=dict, read=len, rarity=len)[0] == 0.0


def test_a_comparison_is_answered_by_whoever_speaks_on_its_topic(sample_settings: Settings) -> None:
    retriever = Retriever.from_settings(sample_settings)
    sides = [
        answerable(retriever, f"What does {name} think about annotations?")
        for name in ("Quill Ferrotype", "Lambda Pudding")
    ]
    both = answerable(retriever, "Compare Quill Ferrotype and Lambda Pudding on annotations.")
    assert both == pytest.approx(max(sides), abs=0.05)
