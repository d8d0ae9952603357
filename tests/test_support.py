"""Whether what is cited supports the sentence: clear cases by name, the rest by published figures with a floor."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rag.citations.attribution import speakers
from rag.citations.claims import is_claim, is_english
from rag.citations.keys import assign_keys
from rag.citations.markers import MarkerStream
from rag.citations.support import check_sentences, check_support
from rag.citations.support_features import SAME, UNDENIED, Embed
from rag.evaluation.support import SAMPLE_PAIRS, load_pairs
from rag.models.embedding import EmbeddingCache
from rag.records import Passage
from ui.cli import main

PAIRS = SAMPLE_PAIRS
EVIDENCE = [
    "Kelp keeps for a year if you dry it within 3 days.",
    "I disagree with Bo that salting it is better than drying it.",
]


def check(sentence: str, embed: EmbeddingCache, **options: object) -> tuple[str, str]:
    given = {"authors": ["Ada Rook"], "known_authors": ["Bo Sand"], **options}
    found = check_support(sentence, EVIDENCE, embed=embed, **given)  # type: ignore[arg-type]
    return found.status, found.reason


@pytest.mark.parametrize(
    "sentence",
    [
        "Kelp keeps for a year if it is dried within 3 days.",
        "Ada Rook says dried kelp keeps for a year.",
        "Ada Rook disagrees with Bo about salting.",
        "Kelp dried within three days keeps for a year.",
    ],
)
def test_what_the_evidence_says_is_supported(sentence: str, embed: EmbeddingCache) -> None:
    assert check(sentence, embed) == ("supported", "")


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Kelp keeps for a year if it is dried within 5 days.", "5: this number does not stand in what is cited."),
        ("Kelp keeps for seven years.", "7: this number does not stand in what is cited."),
        ("Kelp from Orkney keeps for a year.", "Orkney: this name does not stand in what is cited."),
        ("Bo Sand says kelp keeps for a year.", "What is cited was not written by Bo Sand."),
        ("According to Lena Fox, kelp keeps for a year.", "What is cited was not written by Lena Fox."),
        ("Drying it is better than salting it.", "What is compared stands the other way round in what is cited."),
        ("Tram tickets are sold at the kiosk.", "What is cited is about something else."),
        ("Kelp does not keep for a year if you dry it.", "What is cited seems to say the opposite."),
        ("I agree with Bo that salting it is better than drying it.", "What is cited seems to say the opposite."),
        ("Kelp does not keep for a year.", "What is cited seems to say the opposite."),
    ],
)
def test_what_it_does_not_say_is_not(sentence: str, reason: str, embed: EmbeddingCache) -> None:
    if sentence.startswith("Drying"):
        evidence = ["Salting it is better than drying it."]
        found = check_support(sentence, evidence, embed=embed)
        assert (found.status, found.reason) == ("unsupported", reason)
    else:
        assert check(sentence, embed) == ("unsupported", reason)


def test_nothing_cited_is_nothing_supported(embed: EmbeddingCache) -> None:
    found = check_support("Kelp keeps.", [], embed=embed)
    assert (found.status, found.score) == ("unsupported", 0.0)


def test_words_that_an_author_only_quotes_do_not_speak_for_her(embed: EmbeddingCache) -> None:
    sentence = "Ada Rook says dried kelp keeps for a year."
    assert check(sentence, embed, quoted=True) == ("unsupported", "What is cited is only quoted by Ada Rook.")
    assert check("Dried kelp keeps for a year.", embed, quoted=True)[0] == "supported"


def test_whom_the_evidence_itself_reports_may_be_named(embed: EmbeddingCache) -> None:
    evidence = ["The Slow Tide Hypothesis says that the coast decides."]
    for sentence, status in (
        (evidence[0], "supported"),
        ("The Fast Tide Hypothesis says that it decides.", "unsupported"),
    ):
        found = check_support(sentence, evidence, embed=embed, authors=["Ada Rook"])
        assert found.status == status


def test_date_and_title_may_be_named(embed: EmbeddingCache) -> None:
    sentence = "In 2021 Ada Rook wrote that dried kelp keeps for a year."
    assert check(sentence, embed)[0] == "unsupported"
    assert check(sentence, embed, context="2021-05-04")[0] == "supported"


@pytest.mark.parametrize(
    "sentence",
    [
        "Getrockneter Seetang hält sich laut der Autorin ein ganzes Jahr lang.",
        "Высушенные водоросли хранятся целый год.",
    ],
)
def test_another_language_is_never_silently_supported(sentence: str, embed: EmbeddingCache) -> None:
    assert check(sentence, embed) == ("unchecked", "Not English: the wording was not checked.")
    assert check(sentence.replace("ein", "99").replace("целый", "99"), embed)[0] == "unsupported"


AROUND = "Last autumn I dried twelve kilos in Orkney, over 40 hours. " + " ".join(EVIDENCE)


@pytest.mark.parametrize(
    ("sentence", "status"),
    [
        ("The twelve kilos of kelp keep for a year if dried within 3 days.", "supported"),
        ("Kelp from Orkney keeps for a year if dried within 3 days.", "supported"),
        ("Kelp keeps for a year if dried within 40 days.", "unsupported"),  # there are 40 of something else around
        ("Kelp keeps for a year if dried within twelve days.", "unsupported"),
    ],
)
def test_what_stands_around_the_evidence_may_be_named_with_its_number(
    sentence: str, status: str, embed: EmbeddingCache
) -> None:
    assert check(sentence, embed, around=AROUND)[0] == status
    assert check(sentence, embed)[0] == "unsupported"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Titration, not taste, convinced her.", "What convinced me was titration rather than taste."),
        ("Roots feel suction instead of volume.", "What a root feels is suction, not volume."),
        ("The drawback is that strength is lost.", "You gain time and you lose strength."),
    ],
)
def test_a_contrast_said_in_other_words_is_no_denial(sentence: str, evidence: str, embed: EmbeddingCache) -> None:
    assert check_support(sentence, [evidence], embed=embed).status == "supported"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Steel kettles boil faster than copper ones.", "Copper kettles boil faster than steel ones, but not by much."),
        ("Ravens forget faces.", "Ravens remember faces for years."),
        ("Paint dries too slowly for skies.", "Paint dries too fast for skies."),
    ],
)
def test_the_opposite_is_noticed(sentence: str, evidence: str, embed: EmbeddingCache) -> None:
    assert check_support(sentence, [evidence], embed=embed).status == "unsupported"
    assert check_support(evidence, [evidence], embed=embed).status == "supported"


def test_a_judge_decides_what_signs_cannot(embed: EmbeddingCache) -> None:
    asked: list[tuple[str, str]] = []

    def judge(sentence: str, evidence: str) -> float:
        asked.append((sentence, evidence))
        return 0.9

    assert check("Seaweed lasts if it is dehydrated quickly.", embed, judge=judge) == ("supported", "")
    assert check("Bo Sand says kelp keeps for a year.", embed, judge=judge)[0] == "unsupported"
    assert asked == [("Seaweed lasts if it is dehydrated quickly.", " ".join(EVIDENCE))]


def test_every_sentence_of_an_answer_gets_its_verdict(embed: EmbeddingCache) -> None:
    text = " ".join(EVIDENCE)
    passage = Passage("p", "p", "Ada Rook", text, "f", 0, len(text), posted_at=datetime(2020, 2, 3, tzinfo=UTC))
    keys = assign_keys([passage])
    first, second = keys
    stream = MarkerStream(keys)
    stream.feed(
        f"Here is what I found:\n\nDried kelp keeps for a year [{first}]. Kelp keeps for nine years. [{first}]\n"
        f"Kelp forests shelter young seals. In 2020 Ada Rook disagreed with Bo that salting beats drying [{second}]."
    )
    cited = stream.finish()
    checks = check_sentences(cited, embed=embed, known_authors=["Bo Sand"])
    assert [(cited.text[check.start : check.end], check.status) for check in checks] == [
        ("Here is what I found:", "no_claim"),
        ("Dried kelp keeps for a year [1].", "supported"),
        ("Kelp keeps for nine years. [1]", "unsupported"),
        ("Kelp forests shelter young seals.", "uncited"),
        ("In 2020 Ada Rook disagreed with Bo that salting beats drying [1].", "supported"),
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Bo Sand dried kelp within 3 days, so that it kept for a year.",
        "Later, Bo Sand also switched to drying kelp within 3 days.",
    ],
)
def test_what_one_did_is_not_told_of_another(sentence: str, embed: EmbeddingCache) -> None:
    evidence = ["I dried kelp within 3 days, so that it kept for a year.", "I switched to drying kelp within 3 days."]
    options = {"embed": embed, "authors": ["Ada Rook"], "known_authors": ["Bo Sand"]}
    wrong = check_support(sentence, evidence, **options)  # type: ignore[arg-type]
    assert (wrong.status, wrong.reason) == ("unsupported", "What is cited was not written by Bo Sand.")
    right = sentence.replace("Bo Sand", "Ada Rook")
    assert check_support(right, evidence, **options).status == "supported"  # type: ignore[arg-type]
    around = "Bo dried it, too."
    assert check_support(sentence, evidence, around=around, **options).status == "supported"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sentence", "evidence", "reason"),
    [
        (
            "Kelp dries at 60 °C and dulse at 25 °C.",
            "Kelp dries at 25 °C and dulse at 60 °C.",
            "60 and 25: what is cited has these numbers the other way round.",
        ),
        (
            "Dried kelp tripled in price within a year.",
            "Dried kelp doubled in price within a year.",
            "triple: this is another measure than what is cited has.",
        ),
        (
            "The harvest takes the largest plants of the reef.",
            "The harvest takes the smallest plants of the reef.",
            "What is cited seems to say the opposite.",
        ),
    ],
)
def test_exchanged_figures_and_measures_are_noticed(
    sentence: str, evidence: str, reason: str, embed: EmbeddingCache
) -> None:
    found = check_support(sentence, [evidence], embed=embed)
    assert (found.status, found.reason) == ("unsupported", reason)
    assert check_support(evidence, [evidence], embed=embed).status == "supported"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("Bodil convinced Ada to salt the kelp.", "Ada convinced Bodil to salt the kelp."),
        ("In damp air the kelp attacks the crate.", "The crate attacks the kelp in damp air."),
        ("Bodil was convinced by Ada to salt the kelp.", "Bodil convinced Ada to salt the kelp."),
        ("The kelp dried before the rain came.", "The rain came before the kelp dried."),
        ("The kelp probably keeps for a year.", "It is unlikely that the kelp keeps for a year."),
    ],
)
def test_what_is_told_the_other_way_round_is_noticed(sentence: str, evidence: str, embed: EmbeddingCache) -> None:
    assert check_support(sentence, [evidence], embed=embed).status == "unsupported"
    assert check_support(evidence, [evidence], embed=embed).status == "supported"


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("The kelp was ruined by the crate in damp air.", "The crate ruined the kelp in damp air."),
        ("Salt and kelp go into the crate.", "Kelp and salt go into the crate."),
        ("The crate touches the kelp in damp air.", "The kelp touches the crate in damp air."),
        ("The kelp dried faster than the dulse before May.", "Before May the kelp dried faster than the dulse."),
        ("**Drawback:** dried kelp loses its colour.", "Dried kelp loses its colour."),
        ("**Main Drawback**: dried kelp loses its colour.", "Dried kelp loses its colour."),
        ("The two now dry kelp together.", "We dry kelp together now; we are friends."),
        ("She dries a small sample on very little salt.", "I dry a small sample on a tiny amount of salt."),
        ("She was opposed to salting kelp for years.", "I was against salting kelp for years."),
        ("Kelp farmer in Orkney; formerly Tidewater Institute, Reef Society.",) * 2,
    ],
)
def test_usual_ways_to_put_it_are_no_fault(sentence: str, evidence: str, embed: EmbeddingCache) -> None:
    assert check_support(sentence, [evidence], embed=embed).status == "supported"


def test_a_name_before_a_colon_is_no_topic(embed: EmbeddingCache) -> None:
    text = "Dried kelp loses its colour."
    found = check_support(f"**Bodil:** {text}", [text], authors={"Ada Rook"}, embed=embed)
    assert found.status == "unsupported"


def test_one_citation_at_the_end_of_a_paragraph_is_held_against_all_of_it(embed: EmbeddingCache) -> None:
    text = " ".join(EVIDENCE)
    keys = assign_keys([Passage("p", "p", "Ada Rook", text, "f", 0, len(text))])
    first, second = keys
    stream = MarkerStream(keys)
    stream.feed(
        f"Dried kelp keeps for a year. Kelp forests shelter seals. Ada Rook disagrees with Bo about salting "
        f"[{first}, {second}].\n\nDried kelp keeps for a year."
    )
    checks = check_sentences(stream.finish(), embed=embed)
    assert [check.status for check in checks] == ["supported", "uncited", "supported", "uncited"]


def test_a_handle_in_lower_case_begins_a_sentence_behind_a_citation() -> None:
    text = "Kelp keeps for a year. Salting it is worse."
    keys = assign_keys([Passage("p", "p", "bo_sand", text, "f", 0, len(text))])
    first, second = keys
    for reply in ("It sank 0.5 m [{}]. bo_sand salts it [{}].", "It sank 0.5 m. [{}] bo_sand salts it. [{}]"):
        stream = MarkerStream(keys)
        for char in reply.format(first, second):
            stream.feed(char)
        assert [len(sentence.evidence) for sentence in stream.finish().sentences] == [1, 1]


@pytest.mark.parametrize(
    ("answer", "statuses"),
    [
        ("Bo Sand wrote:\n\n> Kelp keeps for a year [{}]", ["no_claim", "unsupported"]),
        ("Ada Rook wrote:\n\n> Kelp keeps for a year [{}]", ["no_claim", "supported"]),
        ("> Kelp keeps for a year [{}]\n— Bo Sand, 2021", ["unsupported", "uncited"]),
        ("“Kelp keeps for a year” [{}]\n— Ada Rook", ["supported", "uncited"]),
    ],
)
def test_who_stands_before_or_below_a_quotation_is_its_speaker(
    answer: str, statuses: list[str], embed: EmbeddingCache
) -> None:
    text = EVIDENCE[0]
    keys = assign_keys([Passage("p", "p", "Ada Rook", text, "f", 0, len(text))])
    stream = MarkerStream(keys)
    stream.feed(answer.format(next(iter(keys))))
    checks = check_sentences(stream.finish(), embed=embed, known_authors=["Bo Sand", "Ada Rook"])
    assert [check.status for check in checks] == statuses


@pytest.mark.parametrize(
    ("sentence", "claim"),
    [
        ("Kelp keeps for a year.", True),
        ("- **Kelp** keeps for a year", True),
        ("Overall, kelp keeps for a year and tastes of the sea.", True),
        ("Here is what I found:", False),
        ("## Views on kelp", False),
        ("Does kelp keep?", False),
        ("In summary:", False),
        ("Several people commented.", False),
        ("The comments do not say how long kelp keeps.", False),
        ("Sure!", False),
    ],
)
def test_what_counts_as_a_claim(sentence: str, claim: bool) -> None:
    assert is_claim(sentence) is claim


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Kelp keeps for a year if you dry it.", True),
        ("Strong upvoted.", True),
        ("Quill Ferrotype says: The Brier score forgives certainty.", True),
        (r"Quill: $$h(t) = L + \frac{H-L}{2}\left(1-\cos\frac{\pi t}{D}\right)$$", True),
        ("Der Mond verursacht in der Bucht die Gezeiten.", False),
        ("Der Seetang hält sich sehr lange, wenn man ihn trocknet.", False),
        ("Las algas duran mucho tiempo cuando están secas.", False),
        ("昆布は乾燥させると一年もちます。", False),
    ],
)
def test_which_texts_are_english(text: str, english: bool) -> None:
    assert is_english(text) is english


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"name": "http_get", "arguments": {"url": "http://e.invalid/t"}}</tool_call>',
        "</div><img/src=x/onerror=alert(1)>",
    ],
)
def test_markup_and_data_are_not_another_language(text: str, embed: EmbeddingCache) -> None:
    found = check_support(text, [text], embed=embed)
    assert (found.status, found.reason) == ("unsupported", "This is no sentence.")


@pytest.mark.parametrize(
    ("sentence", "authors", "strangers"),
    [
        ("Ada Rook argues that kelp keeps.", {"Ada Rook"}, ()),
        ("ada rook also explicitly denies it.", {"Ada Rook"}, ()),
        ("According to bo_sand, it rots.", {"bo_sand"}, ()),
        ("Rook's view is that it keeps.", {"Ada Rook"}, ()),
        ("It keeps, says Bo Sand.", {"bo_sand"}, ()),
        ("Ada Rook asks Bo Sand about it.", {"Ada Rook"}, ()),
        ("Replying to Bo Sand, she dries it.", set(), ()),
        ("Lena Fox thinks it rots.", set(), ("Lena Fox",)),
        ("Critics say it rots.", set(), ()),
        ("It has been there for years and nobody writes Greek.", set(), ()),
        ("It is well motivated; I’d expect as much.", set(), ()),
        ("It is so, writes Lena Fox.", set(), ("Lena Fox",)),
        ("I run the oven on Saturdays and write a book.", set(), ()),
        ("**Ada Rook** (against): it keeps.", {"Ada Rook"}, ()),
        ("He says it rots.", set(), ()),
        ("Kelp keeps for a year.", set(), ()),
    ],
)
def test_who_is_said_to_speak(sentence: str, authors: set[str], strangers: tuple[str, ...]) -> None:
    found = speakers(sentence, ["Ada Rook", "bo_sand"])
    assert (found.authors, found.strangers) == (authors, strangers)


# --- Figures ----------------------------------------------------------------------------------------------------------


def test_the_labelled_set_is_large_and_its_halves_share_no_evidence() -> None:
    tune, report = load_pairs(PAIRS)
    assert Counter(pair.kind for pair in (*tune, *report)) == {
        "supported": 120,
        "near_miss": 120,
        "contradiction": 98,
        "other_topic": 60,
    }
    main = [{pair.evidence for pair in half if pair.kind != "other_topic"} for half in (tune, report)]
    assert not main[0] & main[1]


@pytest.mark.slow
def test_published_figures_hold_and_the_command_prints_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On pairs made to be hard, 30% of them supported; likeness alone reaches precision 0.38 at recall 0.77."""
    assert main(["eval", "support", "--json", str(tmp_path / "figures.json")]) == 0
    written = capsys.readouterr().out
    assert "| pairs | 202 |" in written
    assert "| flagged of other topic | 1.000 |" in written
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert f"| precision of “supported” | {figures['precision']:.3f} |" in written
    assert figures["pairs"] == 202
    assert figures["precision"] >= 0.51
    assert figures["recall"] >= 0.69
    assert figures["flagged"]["other_topic"] == 1.0
    assert figures["flagged"]["near_miss"] >= 0.63
    assert figures["flagged"]["contradiction"] >= 0.62


@pytest.mark.slow
def test_the_weights_are_what_fitting_gives(embed: Embed) -> None:
    from benchmarks.support import fit  # with scikit-learn, which takes seconds

    tune, _ = load_pairs(PAIRS)
    for fitted, used in zip(fit(tune, embed), (SAME, UNDENIED), strict=True):
        assert fitted.weights.keys() == used.weights.keys()
        assert np.allclose(
            [*fitted.weights.values(), fitted.intercept], [*used.weights.values(), used.intercept], atol=0.1
        )


def test_an_option_of_another_measurement_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "support", "--with-model", "--split", "tune"]) == 2
    assert "`commentariat eval support` does not take --split, --with-model." in capsys.readouterr().err
