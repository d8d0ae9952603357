"""Answers made of quotes: exact, attributed, whole, and harmless to show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rag.answering.choosing import SHORT
from rag.answering.evidence import compose
from rag.answering.wording import Composed, inert, plain
from rag.language.sentences import split_sentences
from rag.models.embedding import Embedder, EmbeddingCache
from rag.question.follow_ups import understand
from rag.question.query import Query
from rag.records import Passage
from rag.retrieval.relevance import Sentence, read_again

RYE = (
    "Warm rye starters turn sour within a day. This is because the bacteria like heat. I keep mine at 24 degrees. "
    "But in August I move it to the cellar."
)
SALT = "Salt slows the yeast in a rye starter by a third. My neighbour grows roses."
FLOAT = "Floating point sums depend on the order of the terms. Sort nothing, sum in pairs."


def passage(text: str, author: str | None = "Ann Lee", number: int = 1, **more) -> Passage:
    sentences = tuple(split_sentences(text))
    names = {"id": f"p{number}", "comment_id": f"c{number}", "source": f"file{number}.txt"}
    place = {**names, "start": 10, "end": 10 + len(text)}
    return Passage(text=text, author=author, sentences=sentences, **place | more)


@pytest.fixture
def answer(embed: EmbeddingCache):
    def answer(question: str, passages: Sequence[Passage], **options) -> Composed:
        authors = sorted({p.author for p in passages if p.author})
        query = understand(question, authors=authors, **options)
        return compose(query, passages, embed=embed, rarity=lambda word: 0.8)

    return answer


def quoted_texts(composed: Composed, passages: Sequence[Passage]) -> list[str]:
    """Cited words, sliced by the offsets of the citations."""
    texts = {p.source: (p.start, p.text) for p in passages}
    found = []
    for citation in composed.citations:
        for span in citation.spans:
            start, text = texts[span.source]
            found.append(text[span.start - start : span.end - start])
    return found


def test_every_citation_is_an_exact_span_and_has_its_marker(answer) -> None:
    passages = [passage(RYE), passage(SALT, "quill", 2), passage(FLOAT, "quill", 3)]
    composed = answer("Why do rye starters turn sour, and what slows the yeast?", passages)
    assert re.findall(r"\[(\d+)\]", composed.text) == [str(c.number) for c in composed.citations] == ["1", "2"]
    assert [c.quote for c in composed.citations] == [
        quoted_texts(composed, passages)[0],
        quoted_texts(composed, passages)[-1],
    ]
    assert all(text in RYE + SALT for text in quoted_texts(composed, passages))


def test_the_best_sentence_is_quoted_and_the_rest_left_out(answer) -> None:
    composed = answer("What slows the yeast in a rye starter?", [passage(SALT, "quill")])
    assert composed.text == "**quill**, on rye starter:\n\n> Salt slows the yeast in a rye starter by a third. [1]"


def test_a_question_of_the_author_is_quoted_with_what_follows_it(answer) -> None:
    long = "Warm rye starters turn sour within a day, " + "whatever flour I take and however often I feed them, " * 5
    text = f"{long}and why do they turn so sour so quickly? Bacteria like heat. My neighbour grows roses."
    assert len(long) > SHORT
    (quote,) = quoted_texts(answer("Why do rye starters turn sour?", [passage(text)]), [passage(text)])
    assert quote.endswith("so quickly? Bacteria like heat.")


def test_an_answer_is_the_same_every_time(answer) -> None:
    passages = [passage(RYE), passage(SALT, "quill", 2)]
    assert answer("What about rye starters?", passages) == answer("What about rye starters?", passages)


def test_a_sentence_that_leans_on_the_one_before_brings_it_along(answer) -> None:
    composed = answer("What do the bacteria like?", [passage(RYE)])
    assert "Warm rye starters turn sour within a day. This is because the bacteria like heat." in plain(composed.text)


def test_a_contradiction_that_follows_is_not_cut_off(answer) -> None:
    composed = answer("At how many degrees is it kept?", [passage(RYE)])
    assert "I keep mine at 24 degrees. But in August I move it to the cellar." in plain(composed.text)


def test_a_list_follows_the_line_that_opens_it(answer) -> None:
    text = (
        "Three rules for error messages:\nName the place.\nPrint both types.\nNever suggest a repair.\n\nRoses are red."
    )
    composed = answer("List the rules for error messages.", [passage(text)])
    assert all(
        rule in plain(composed.text) for rule in ("Name the place.", "Print both types.", "Never suggest a repair.")
    )


def test_as_many_lines_follow_as_were_announced(answer) -> None:
    text = (
        "Two rules for error messages, from ten years of receiving them.\nName the place.\nPrint both types.\n"
        "Our support went quiet after that."
    )
    composed = answer("What are the rules for error messages?", [passage(text)])
    (quote,) = quoted_texts(composed, [passage(text)])
    assert quote.endswith("Name the place.\nPrint both types.")


@pytest.mark.parametrize("taken_back", ["It is not.", "They weren't.", "Not any more.", "That was wrong."])
def test_what_is_taken_back_in_the_next_sentence_is_not_cut_off(answer, taken_back: str) -> None:
    # Too long to get the next sentence just because it is short.
    text = f"{'I have written for years, in this thread and in others, ' * 6}that salt slows the yeast. {taken_back} Roses are red."
    composed = answer("Does salt slow the yeast?", [passage(text)])
    assert taken_back in plain(composed.text)
    assert "Roses" not in composed.text


def test_a_list_within_a_line_is_quoted_whole(answer) -> None:
    items = "(a) It is warm. (b) Nobody salts it. (c) The flour is fresh."
    composed = answer(
        "What does a starter rest on?", [passage(f"A starter rests on three things. {items} Roses are red.")]
    )
    assert items in plain(composed.text)


def test_who_the_others_are_stands_before_them(answer) -> None:
    text = (
        "My aunt came by train. Three she scalded first. The others had mould by Friday. Mould on jam smells of cellar."
    )
    assert "Three she scalded first. The others had" in plain(answer("What had mould by Friday?", [passage(text)]).text)


def test_author_and_date_stand_before_the_quote(answer) -> None:
    when = datetime(2023, 4, 2, tzinfo=UTC)
    assert answer("What slows the yeast?", [passage(SALT, "quill", posted_at=when)]).text.startswith(
        "**quill**, 2023-04-02"
    )


def test_an_unnamed_author_has_an_honest_label(answer) -> None:
    labelled = answer("What slows the yeast?", [passage(SALT, None, label="unnamed profile (okafor.example)")])
    assert labelled.text.startswith("**unnamed profile (okafor.example)**:")
    assert answer("What slows the yeast?", [passage(SALT, None)]).text.startswith("**an unnamed author**:")


def test_words_of_somebody_else_are_never_attributed_to_the_commenter(answer) -> None:
    text = "Salt slows the yeast in a rye starter.\n\nI doubt that roses like it."
    quoted = passage(text, "quill", quoted=((0, 38),))
    assert answer("What slows the yeast in a starter?", [quoted]).text.startswith("**quill**, quoting somebody else")


def replying(quotation: str, reply: str, author: str = "quill", number: int = 2, lead: str = "") -> Passage:
    """Quoted words with what somebody writes below them."""
    start = len(lead)
    end = start + len(quotation)
    return passage(lead + quotation + reply, author, number, quoted=((start, end),))


KETTLE = "> A copper kettle boils water for tea faster than any other."


@pytest.mark.parametrize(
    ("found", "own"),
    [
        (replying(KETTLE, "\n\nMine takes ten minutes, and the steel one six."), "Mine takes ten minutes"),
        (replying(KETTLE, "\n\nNo. Whoever sells them says so."), "No. Whoever sells them says so."),
        (replying(KETTLE, "\n\nNo.\n\nWhoever sells them says so."), "Whoever sells them says so."),
        (replying(KETTLE, "\nnot with hard water it doesn't"), "not with hard water"),
        (replying(KETTLE, "\n\nDisagree."), "Disagree."),
        (replying(KETTLE, "\n\n+1"), "+1"),
        (replying(KETTLE, "\nHe never measured it.", lead="Ann Lee wrote:\n"), "He never measured it."),
        (replying(KETTLE, "", lead="This is what I have told my guests for years:\n\n"), "This is what I have told"),
    ],
)
def test_who_replies_below_a_quotation_speaks_for_himself(answer, found: Passage, own: str) -> None:
    passages = [found, passage("Tea for two. Roses like the dregs of it.", "quill", 3)]
    composed = answer("What does quill think about boiling water for tea in a copper kettle?", passages)
    assert own in plain(composed.text)
    assert "A copper kettle boils" not in " ".join(quoted_texts(composed, passages))
    context = "on somebody else’s words “A copper kettle boils water for tea faster than any other.”:"
    assert context in plain(composed.text)


def test_each_reply_goes_with_the_words_above_it(answer) -> None:
    other = "> Rye bread must be baked in a wood oven."
    texts = [KETTLE, "Ours is slower than the pot.", other, "An iron pot with a lid gives the same crust."]
    text = "\n\n".join(texts)
    found = passage(text, "quill", quoted=tuple((text.index(q), text.index(q) + len(q)) for q in (KETTLE, other)))
    composed = answer("What does quill think about rye bread from a wood oven?", [found])
    assert quoted_texts(composed, [found]) == [texts[3]]
    assert "on somebody else’s words “Rye bread must be baked in a wood oven.”:" in plain(composed.text)


def test_people_who_are_compared_answer_each_other(answer) -> None:
    passages = [
        passage(KETTLE.removeprefix("> ")),
        replying(KETTLE, "\n\nNo. Whoever sells them says so."),
        passage("My kettle is red.", "quill", 3),
    ]
    composed = answer("Ann Lee vs quill on the copper kettle for boiling water", passages)
    assert "Nothing by" not in composed.text
    assert [c.passage.author for c in composed.citations][:2] == ["Ann Lee", "quill"]
    assert "Whoever sells them says so." in composed.text
    assert not any(citation.quoted for citation in composed.citations)


def test_words_that_are_only_quoted_are_shown_as_such(answer) -> None:
    found = replying(KETTLE, "", lead="Ann Lee wrote:\n")
    composed = answer("What does quill think about a copper kettle for boiling water?", [found])
    assert composed.text.startswith("**quill**, quoting somebody else")
    assert [citation.quoted for citation in composed.citations] == [True]


def test_who_said_it_first_is_quoted_rather_than_who_quotes_it(answer) -> None:
    first = passage(KETTLE.removeprefix("> ") + " So I bought one.", number=2)
    composed = answer(
        "Who says that a copper kettle boils water faster?", [replying(KETTLE, "\n\nWhy?", number=1), first]
    )
    assert [citation.passage.author for citation in composed.citations] == ["Ann Lee"]


def test_a_long_quotation_is_cut_above_the_reply(answer) -> None:
    found = replying("> A copper kettle boils " + 40 * "very much " + "water.", "\n\nIt does not.")
    composed = answer("What does quill think about a copper kettle?", [found])
    heading, block = plain(composed.text).split("\n\n", 1)
    assert heading.endswith("very …”:")
    assert len(heading) < 300
    assert block == "> It does not. [1]"


def test_a_lost_formula_is_marked_where_it_was(answer) -> None:
    text = "Every distribution is a Boltzmann distribution. Simply define , and presto."
    composed = answer("How do you simply define it, and presto?", [passage(text, gaps=(62,))])
    assert "Simply define (part of a formula is missing here) , and presto." in plain(composed.text)
    assert any("Simply define , and presto." in quote for quote in quoted_texts(composed, [passage(text)]))


def test_people_who_are_compared_each_get_a_say(answer) -> None:
    passages = [passage(RYE), passage(SALT, "quill", 2)]
    composed = answer("Compare Ann Lee and quill on rye starters.", passages)
    assert [c.passage.author for c in composed.citations] == ["Ann Lee", "quill"]


def test_whoever_is_compared_and_silent_is_named(embed: EmbeddingCache) -> None:
    query = Query("rye?", "rye?", authors=("Ann Lee", "quill"), compare=True, topic="rye starters")
    composed = compose(query, [passage(RYE)], embed=embed, rarity=lambda word: 0.8)
    assert composed.text.endswith("Nothing by quill was found on this.")


def test_a_change_of_mind_is_told_in_order_of_time(answer) -> None:
    late = passage("I now keep my rye starter at 26 degrees.", number=1, posted_at=datetime(2022, 1, 1, tzinfo=UTC))
    early = passage("My rye starter stands at 24 degrees.", number=2, posted_at=datetime(2018, 1, 1, tzinfo=UTC))
    composed = answer("Has Ann Lee changed her mind about the rye starter's degrees?", [late, early])
    assert [c.passage.id for c in composed.citations] == ["p2", "p1"]


def test_the_same_words_are_quoted_once(answer) -> None:
    composed = answer("What slows the yeast?", [passage(SALT, "quill", 1), passage(SALT, "quill", 2)])
    assert len(composed.citations) == 1


def test_an_unknown_person_is_said_to_be_unknown(embed: EmbeddingCache) -> None:
    query = understand(
        "What does Jo Turing say about yeast?", authors=["quill"], known_words=lambda word: word == "Turing"
    )
    passages = [passage("Turing said that salt slows the yeast.", "quill"), passage(RYE, "quill", 2)]
    composed = compose(query, passages, embed=embed, rarity=lambda word: 0.8)
    assert composed.text.startswith("No comments by Jo Turing are indexed. What others wrote:")
    assert [c.passage.id for c in composed.citations] == ["p1"]


def test_nothing_to_quote_gives_an_empty_answer(answer) -> None:
    assert answer("What slows the yeast?", []) == Composed("", ())


def test_stored_vectors_give_the_same_kind_of_answer(embedder: Embedder) -> None:
    one = passage(RYE)
    windows = [*one.sentences, *((a, b) for (a, _), (_, b) in zip(one.sentences, one.sentences[1:], strict=False))]
    rows = embedder.embed_windows([one.text], [windows])[0]
    query = understand("Where is the starter kept in August?")

    def refuse(texts: Sequence[str]) -> np.ndarray:
        raise AssertionError("sentences with stored vectors are not embedded again")

    composed = compose(
        query,
        [one],
        embed=refuse,
        rarity=lambda word: 0.8,
        vectors=lambda ids: {one.id: rows},
        question_vector=embedder.embed_query(query.text),
    )
    assert "But in August I move it to the cellar." in plain(composed.text)


@pytest.mark.parametrize(
    "nasty",
    [
        "<script>alert(1)</script>",
        "![x](https://evil.example/pixel.png)",
        "[click](javascript:alert(1))",
        "See [3] and [1].",
        "# Heading",
        "- item",
        "1. item",
        "=====",
        "a | b\n--- | ---",
        "`code` and ```fence```",
        "*bold* _it_ ~~gone~~ $x^2$",
        "<img src=x onerror=alert(1)>",
        "&lt;b&gt; &#60;",
        "https://evil.example www.evil.example me@evil.example",
        "back\\slash \\[4\\]",
    ],
)
def test_the_words_of_a_comment_show_as_they_are_and_do_nothing(nasty: str) -> None:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("gfm-like", {"linkify": False})
    rendered = markdown.render(inert(nasty))
    assert set(re.findall(r"</?(\w+)", rendered)) <= {"p", "br"}
    assert not re.search(r"\[\d+\]", inert(nasty))
    assert plain(inert(nasty)) == nasty


def test_invisible_characters_are_not_shown() -> None:
    assert inert("a\u202eb\u200bc\x1b[2J\U000e0041d\u3164e\u034f") == "abc\\[2Jde"
    assert inert("👩\u200d🚀") == "👩\u200d🚀"


def test_a_hostile_name_is_inert_too(answer) -> None:
    composed = answer("What slows the yeast?", [passage(SALT, "**<b>[1]**")])
    assert composed.text.startswith("**\\*\\*\\<b\\>\\[1\\]\\*\\***")
    assert re.findall(r"\[(\d+)\]", composed.text) == ["1"]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        (
            "For sour rye bread I do two things:\n- Wait a day. No less.\n- Feed it twice. Milk spoils it.\nThe shop is closed.",
            "- Wait a day. No less.\n- Feed it twice. Milk spoils it.",
        ),
        ("Sour rye bread takes some work. Namely:\n- Wait a day.\n- Feed it twice.", "- Wait a day.\n- Feed it twice."),
        ("Sour rye bread takes three things:\nFlour.\nHeat. Much of it.\nSalt.\n\nThe shop is closed.", "Salt."),
        ("Sour rye bread takes some work, and it is\nnot for those in a hurry.", "in a hurry."),
    ],
)
def test_a_list_and_a_sentence_are_quoted_to_their_end(answer, text: str, quoted: str) -> None:
    found = passage(text)
    (said,) = quoted_texts(answer("What does sour rye bread take?", [found]), [found])
    assert said.endswith(quoted)


def test_a_sentence_that_a_stray_line_cuts_is_quoted_from_its_beginning(answer) -> None:
    """Where a link or a button stood, a saved page has a line of its own."""
    found = passage("The shop is closed. Then I went on and pressed\nFeed\nbuttons until the rye bread was sour.")
    (said,) = quoted_texts(answer("How was the rye bread made sour?", [found]), [found])
    assert said == "Then I went on and pressed\nFeed\nbuttons until the rye bread was sour."


def test_what_follows_a_list_marker_or_a_passage_is_not_marked_as_cut(answer) -> None:
    one = "Rye bread turns sour in a day."
    two = "Rye bread turns sweet with malt."
    found = passage(f"{one}\n-\n{two}")
    halves = [passage(one), replace(passage(two, number=2), comment_id="c1", source="file1.txt", start=11 + len(one))]
    for passages in ([found], halves):
        assert "…" not in answer("What turns rye bread sour or sweet?", passages).text
    cut = passage(f"{one}\nMy shop opens at eight.\n{two}")
    assert answer("What turns rye bread sour or sweet?", [cut]).text.count("…") == 2


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("What does Ann Lee say about rye starters?", ", on rye starters"),
        ("Which starters does the rye of Ann Lee need?", ""),
        ("How are rye starters and ovens like each other?", ", on rye starters"),
        ("What does Ann Lee say about warm rye starters?", ", on warm rye starters"),
        ("What does Ann Lee say about rye starters frames?", ""),
        ("Does Ann Lee think that bread should rye starters?", ""),
        ("Does Ann Lee turn sour?", ""),
        ("What does Ann Lee say about starting?", ""),
    ],
)
def test_the_heading_names_what_stands_together_in_the_question(answer, question: str, subject: str) -> None:
    found = passage("Warm rye starters turn sour within a day.")
    assert plain(answer(question, [found]).text).startswith(f"**Ann Lee**{subject}:")


@pytest.mark.parametrize(
    ("later", "days", "quoted"),
    [
        ("I must correct myself about rye starters. They turn sweet.", 1, True),
        ("I take back what I said of sour rye. It turns sweet.", 1, True),
        ("I take back what I said of tides. They are low.", 1, False),
        ("I must correct myself about rye starters. They turn sweet.", -1, False),
    ],
)
def test_what_is_quoted_is_not_without_what_took_it_back(answer, later: str, days: int, quoted: bool) -> None:
    first = datetime(2021, 4, 20, tzinfo=UTC)
    said = passage("Warm rye starters turn sour within a day.", posted_at=first)
    noise = [passage(f"Salt water number {n} rises in spring.", "quill", n + 3) for n in range(8)]
    back = passage(later, number=2, posted_at=first + timedelta(days))
    text = answer("What does Ann Lee say about sour rye starters?", [said, *noise, back]).text
    assert "turn sour" in text
    assert (later[:20] in text) is quoted


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Rye starters turn sour with heat. See this post:", "Rye starters turn sour with heat."),
        ("Rye starters turn sour with heat. See this post:\n- A day of heat.", "- A day of heat."),
    ],
)
def test_what_points_to_nothing_is_not_quoted(answer, text: str, quoted: str) -> None:
    found = passage(text)
    (said,) = quoted_texts(answer("What turns rye starters sour?", [found]), [found])
    assert said.endswith(quoted)


def test_profiles_alone_are_hardly_a_comparison(answer) -> None:
    passages = [
        passage("Baker. Rye starters, ovens.", kind="profile"),
        passage("Rye starters and salt.", "quill", 2, kind="profile"),
    ]
    composed = answer("Compare Ann Lee and quill on rye starters", passages)
    assert composed.text.startswith("Whether this answers the question is not certain:")


def test_a_profile_taken_for_a_name_is_said_to_have_none(embed: EmbeddingCache) -> None:
    label = "unnamed profile (okafor.example)"
    passages = [passage(RYE), passage("Rye bread sours slowly with salt.", None, 2, label=label)]
    query = understand("Compare Ann Lee and Okafor on sour rye", authors=["Ann Lee"], labels=(label,))
    text = plain(compose(query, passages, embed=embed, rarity=lambda word: 0.8).text)
    assert text.startswith(
        f"No comments signed by Okafor are indexed. A profile without a name may be theirs: {label}."
    )
    assert f"**{label}**" in text


def test_each_side_of_a_comparison_is_measured_by_its_own_best(answer) -> None:
    near = "Salted rye starters rise slowly, and rye starters without salt rise fast."
    passages = [passage(near), passage("I never salt mine. It makes for a dull loaf of rye.", "quill", 2)]
    composed = answer("Compare Ann Lee and quill on salt in rye starters", passages)
    assert {citation.passage.author for citation in composed.citations} == {"Ann Lee", "quill"}


def test_a_lone_list_marker_is_not_quoted(answer) -> None:
    text = "-\nRye wants warmth above all.\n-\nSalt slows the yeast in a rye starter."
    composed = answer("What slows the yeast in a rye starter?", [passage(text)])
    assert quoted_texts(composed, [passage(text)]) == ["Salt slows the yeast in a rye starter."]


def test_a_title_brings_what_follows(answer) -> None:
    text = "On warm rye starters.\nTwenty-six degrees suit the yeasts best and hurt nobody.\nRoses are red."
    composed = answer("What is there on warm rye starters?", [passage(text)])
    assert "Twenty-six degrees" in composed.text
    assert "Roses" not in composed.text


def test_a_change_of_mind_is_shown_where_it_is_asked_for(answer) -> None:
    before = passage("I keep my rye starter at 24 degrees.", posted_at=datetime(2019, 5, 1, tzinfo=UTC))
    text = "A rye starter at 26 degrees rises faster. I have since moved mine to 26."
    after = passage(text, number=2, posted_at=datetime(2022, 5, 1, tzinfo=UTC))
    composed = answer("Has Ann Lee changed her mind about the rye starter?", [after, before])
    assert [citation.passage for citation in composed.citations] == [before, after]
    assert "I have since moved mine" in composed.text


def test_a_side_without_anything_to_say_is_said_to_be_silent(answer) -> None:
    passages = [passage(RYE), passage("Compiler engineer at a lighthouse.", "quill", 2, kind="profile")]
    composed = answer("Compare Ann Lee and quill on sour rye starters.", passages)
    assert composed.text.endswith("Nothing by quill was found on this.")
    assert {citation.passage.author for citation in composed.citations} == {"Ann Lee"}


CODE = """Doubling large values is simple with a guard. Here is the code:

```python
def double(x):
	if x > 1:
        return [1] * x  # <b>`[2]`</b>

    return "a. B"
```

It doubles large values and nothing else. The weather was fine."""


def test_code_is_quoted_whole_and_as_code(answer) -> None:
    found = passage(CODE)
    composed = answer("How does the code double large values?", [found])
    (quoted,) = quoted_texts(composed, [found])
    assert quoted == CODE[: CODE.index(" The weather")]
    block = composed.text[composed.text.index("> ```") :]
    assert block.startswith(
        "> ```python\n> def double(x):\n>     if x > 1:\n>         return [1] * x  # <b>`[2]`</b>\n>\n"
        '>     return "a. B"\n> ```\n>\n> It doubles'
    )
    assert composed.text.endswith("It doubles large values and nothing else. [1]")


def test_code_at_the_end_leaves_its_fence_alone_and_cannot_end_it(answer) -> None:
    text = "To double values, run this code:\n\n~~~\ndouble values\n````\n[now](http://evil.invalid)\n~~~"
    composed = answer("How do I double values with code?", [passage(text)])
    assert composed.text.endswith("> `````\n> double values\n> ````\n> [now](http://evil.invalid)\n> `````\n>\n> [1]")


def test_in_a_terminal_code_keeps_its_backslashes(answer) -> None:
    text = "To split *lines*, use this code:\n\n```\nre.split(r'\\.\\*', text)\n```\n\nMind the stars in a line."
    shown = plain(answer("How do I split lines with code?", [passage(text)]).text)
    assert "re.split(r'\\.\\*', text)" in shown
    assert "split *lines*" in shown


def read_for(*words: str):
    """Reads as answered what has one of the words."""

    def read(question: str, texts: Sequence[str]) -> list[float]:
        return [4.0 if any(word in text for word in words) else -5.0 for text in texts]

    return read


def test_what_the_reader_takes_for_an_answer_comes_first() -> None:
    query = understand("What slows the yeast?", authors=["Ann Lee", "quill"])
    one, other = passage(RYE), passage(SALT, "quill", 2)
    scored = [
        Sentence(p, p.start + a, p.start + b, score, frozenset())
        for p, score in ((one, 0.6), (other, 0.5))
        for a, b in p.sentences
    ]
    read = read_again(query, scored, read_for("Salt"))
    assert [s.text for s in read] == [s.text for s in scored]
    assert {round(s.score, 3) for s in read if s.passage is other} == {0.5}
    assert max(s.score for s in read if s.passage is one) < 0.15


def test_a_reader_that_tells_nothing_apart_changes_nothing(embed: EmbeddingCache) -> None:
    passages = [passage(RYE), passage(SALT, "quill", 2), passage(FLOAT, "quill", 3)]
    query = understand("What happens to rye starters?", authors=["Ann Lee", "quill"])
    composed = [
        compose(query, passages, embed=embed, rarity=lambda word: 0.8, read=reader)
        for reader in (None, read_for(), read_for(""))
    ]
    assert len({one.text for one in composed}) == 1


@pytest.mark.parametrize("question", ["List everything on rye starters.", "Who mentions rye?"])
def test_a_list_is_not_left_to_the_reader(embed: EmbeddingCache, question: str) -> None:
    passages = [passage(RYE), passage(SALT, "quill", 2)]
    query = understand(question, authors=["Ann Lee", "quill"])

    def read(question: str, texts: Sequence[str]) -> list[float]:
        raise AssertionError("nothing is read")

    assert compose(query, passages, embed=embed, rarity=lambda word: 0.8, read=read).citations


def test_what_somebody_says_stands_before_a_profile_that_only_names_it(answer) -> None:
    passages = [
        passage("Compiler engineer. I write short comments on ovens and rye starters.", kind="profile"),
        passage("Warm rye starters make sour bread in a day.", number=2),
    ]
    composed = answer("List the rye starters that Ann Lee uses", passages)
    assert [citation.passage.kind for citation in composed.citations] == ["comment", "profile"]


def test_who_is_against_something_stands_before_who_is_not(answer) -> None:
    passages = [
        passage("Beeswax on pegs works fine, beeswax is cheap, and beeswax smells good."),
        passage("Use chalk, not beeswax, which gathers dust on the pegs.", "quill", 2),
    ]
    assert [c.passage.author for c in answer("Who is against beeswax on pegs?", passages).citations] == [
        "quill",
        "Ann Lee",
    ]
    assert [c.passage.author for c in answer("Who uses beeswax on pegs?", passages).citations] == ["Ann Lee", "quill"]
