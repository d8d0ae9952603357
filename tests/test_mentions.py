"""Who uses a word, how often, first, last or never: counted over the whole index, in everybody's own words."""

from __future__ import annotations

import pytest

import rag
from rag.answering.answerer import PERHAPS_THEN, UNRANKED
from rag.question.form import by_karma
from rag.settings import Settings

from indexing import IndexOf  # isort: skip

PEGS = "Pegs of rosewood hold their tuning through the winter."
ROWS = [
    {"id": "1", "author": "Ann Lee", "posted_at": "2018-02-01", "text": PEGS},
    {"id": "2", "author": "Odd Brekke", "posted_at": "2018-03-01", "text": f"> {PEGS}\n\nMine slipped within a week."},
    {"id": "3", "author": "Ilka Sommer", "posted_at": "2019-03-01", "text": "Rosewood pegs squeak when it is damp."},
    {"id": "4", "author": "Tove Arden", "posted_at": "2021-03-01", "text": "I carve pegs from boxwood, never rosewood."},
    {"id": "5", "author": "Tove Arden", "posted_at": "2020-03-01", "text": "A rosewood peg costs four times as much."},
    {"id": "6", "author": "Ivo Brandl", "posted_at": "2022-03-01", "text": "Gut strings fray, and ebony outlasts the player."},
    {"id": "7", "author": "Zoë Müller", "text": "My grandfather glued every rosewood peg he turned."},
]  # fmt: skip


@pytest.fixture(scope="module")
def workshop(index_of: IndexOf) -> Settings:
    return index_of(ROWS)


def people(answer: rag.Answer) -> list[str | None]:
    return [citation.passage.author for citation in answer.citations]


def test_who_only_quotes_a_word_does_not_use_it(workshop: Settings) -> None:
    answer = rag.answer("Who mentions rosewood?", settings=workshop)
    assert "comments: 5, authors: 4." in answer.text
    assert {*people(answer)} == {"Ann Lee", "Ilka Sommer", "Tove Arden", "Zoë Müller"}
    assert not any(citation.quoted for citation in answer.citations)


def test_a_word_of_any_text_is_looked_for_where_the_question_has_no_other(workshop: Settings) -> None:
    answer = rag.answer("Who mentions a week?", settings=workshop)
    assert people(answer) == ["Odd Brekke"]
    answer = rag.answer("Does anyone mention money or a teacher?", settings=workshop)
    assert answer.abstained
    assert "None of the comments searched mentions “money, teacher”." in answer.text


@pytest.mark.parametrize(
    ("question", "counted"),
    [
        ("How many people wrote about pegs?", True),
        ("How many users commented on rosewood?", True),
        ("How many of the members speak of pegs?", True),
        ("How many people work on the pegs?", False),
        ("How many people rely on rosewood?", False),
    ],
)
def test_people_are_counted_by_what_they_wrote_and_not_by_what_they_do(
    workshop: Settings, question: str, counted: bool
) -> None:
    assert ("authors: " in rag.answer(question, settings=workshop).text) is counted


def test_times_apart_are_counted_without_what_lies_between(workshop: Settings) -> None:
    answer = rag.answer("How many comments mention rosewood in 2018 and 2021?", settings=workshop)
    assert "comments: 2, authors: 2." in answer.text
    assert people(answer) == ["Ann Lee", "Tove Arden"]
    assert answer.coverage.comments == 3


def test_what_was_written_at_another_time_is_not_taken_for_undated(workshop: Settings) -> None:
    answer = rag.answer("Who mentions ebony in 2019?", settings=workshop)
    assert (answer.abstained, answer.warnings) == (True, ())
    assert "None of the comments searched mentions “ebony”." in answer.text
    answer = rag.answer("Who mentions rosewood in 2017?", settings=workshop)
    assert people(answer) == ["Zoë Müller"]
    assert "comments: 1, authors: 1." in answer.text
    assert answer.warnings == (PERHAPS_THEN.format(period="in 2017"),)


def test_replies_of_times_apart_are_without_those_between(index_of: IndexOf) -> None:
    rows = [{"id": "q", "author": "Ann Lee", "text": "How long does glue dry?", "posted_at": "2016-01-01"}]
    for year in (2017, 2018, 2019):
        text = f"{year - 2000} hours of drying, going by my clock."
        rows.append(
            {"id": f"{year}", "author": "Odd Brekke", "text": text, "posted_at": f"{year}-05-01", "parent_id": "q"}
        )
    answer = rag.answer("Who replied to Ann Lee in 2017 and 2019?", settings=index_of(rows))
    assert [citation.passage.posted_at.year for citation in answer.citations] == [2017, 2019]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Who was the first to mention rosewood?", "Ann Lee"),
        ("Who wrote first about rosewood?", "Ann Lee"),
        ("Who last mentioned rosewood?", "Tove Arden"),
        ("Who was the last to mention rosewood?", "Tove Arden"),
    ],
)
def test_the_first_and_the_last_to_mention_it(question: str, first: str, workshop: Settings) -> None:
    answer = rag.answer(question, settings=workshop)
    assert people(answer)[0] == first
    assert people(answer).count(first) == 1


def test_who_mentions_it_most_is_named_with_numbers(workshop: Settings) -> None:
    answer = rag.answer("Who mentions rosewood most often?", settings=workshop)
    assert "Most: Tove Arden (2), Ann Lee (1), " in answer.text
    assert people(answer)[0] == "Tove Arden"


@pytest.mark.parametrize("question", ["Who has never mentioned rosewood?", "Which authors don't mention rosewood?"])
def test_who_never_mentions_it_is_not_who_does(question: str, workshop: Settings) -> None:
    answer = rag.answer(question, settings=workshop)
    assert (answer.abstained, answer.citations, answer.passages) == (True, (), ())
    assert "Authors who do not write them: 2 (Ivo Brandl, Odd Brekke)." in answer.text


def test_either_of_two_words_will_do(workshop: Settings) -> None:
    answer = rag.answer("Who mentions ebony or boxwood?", settings=workshop)
    assert "“ebony or boxwood” – comments: 2, authors: 2." in answer.text
    assert {*people(answer)} == {"Ivo Brandl", "Tove Arden"}


def test_how_many_times_asks_for_no_times(workshop: Settings) -> None:
    answer = rag.answer("How many times did Tove Arden mention rosewood?", settings=workshop)
    assert "comments: 2, authors: 1." in answer.text


def after(question: str, *follow_ups: str, settings: Settings) -> rag.Answer:
    """The answer to the last of several questions, each asked after those before it."""
    answer, history = rag.answer(question, settings=settings), []
    for further in follow_ups:
        history += [rag.Turn("user", answer.question), rag.Turn("assistant", answer.text)]
        answer = rag.answer(further, history=history, settings=settings)
    return answer


@pytest.mark.parametrize(
    ("questions", "counted"),
    [
        (("How many comments mention rosewood?", "And in 2018?"), "“rosewood” – comments: 1, authors: 1."),
        (("How many comments mention rosewood?", "And ebony?"), "“ebony” – comments: 1, authors: 1."),
        (("Who mentions ebony?", "What about rosewood?", "Since 2020?"), "“rosewood” – comments: 2, authors: 1."),
        (("How many comments mention rosewood?", "And by Tove Arden?"), "“rosewood” – comments: 2, authors: 1."),
        (("What is said about rosewood?", "In how many comments?"), "“rosewood” – comments: 5, authors: 4."),
        (("What does Tove Arden say about rosewood?", "and how many comments mention it?"), "comments: 2, authors: 1."),
        (("How many comments did Ivo Brandl write?", "And Tove Arden?"), "2 comments by Tove Arden (2)"),
        (("How many comments did Tove Arden write?", "In 2020?"), "1 comments by Tove Arden (1), 2020"),
    ],
)
def test_a_count_is_asked_again_of_another(questions: tuple[str, ...], counted: str, workshop: Settings) -> None:
    assert counted in after(*questions, settings=workshop).text


@pytest.mark.parametrize(
    ("questions", "date"),
    [
        (("What is Ann Lee's newest comment?", "And Tove Arden's?"), "2021-03-01"),
        (("What is Ann Lee's oldest comment?", "And by Tove Arden?"), "2020-03-01"),
        (("Who last mentioned rosewood?", "And ebony?"), "2022-03-01"),
    ],
)
def test_the_order_by_date_is_asked_again_of_another(questions: tuple[str, ...], date: str, workshop: Settings) -> None:
    answer = after(*questions, settings=workshop)
    assert str(answer.citations[0].passage.posted_at.date()) == date


def test_the_one_before_the_newest_stands_behind_it(workshop: Settings) -> None:
    answer = after("What is Tove Arden's newest comment?", "And the one before that?", settings=workshop)
    assert [citation.passage.posted_at.year for citation in answer.citations] == [2021, 2020]


@pytest.fixture(scope="module")
def chorus(index_of: IndexOf) -> Settings:
    return index_of({"author": one["author"], "text": "I recommend beeswax for every peg."} for one in ROWS)


@pytest.mark.parametrize(
    "question", ["Who recommends beeswax?", "Everyone who recommends beeswax", "Who mentions beeswax?"]
)
def test_what_two_people_say_in_the_same_words_is_said_twice(question: str, chorus: Settings) -> None:
    assert len({*people(rag.answer(question, settings=chorus))}) >= 3


def test_a_word_of_a_script_without_spaces_is_found_within_a_run_of_letters(index_of: IndexOf) -> None:
    rows = [
        {"author": "Ann Lee", "text": "名物は味噌おでんで、一皿四百円です。"},
        {"author": "Odd Brekke", "text": "Miso is what we had."},
    ]
    settings = index_of(rows)
    answer = rag.answer("Who mentions 味噌おでん?", settings=settings)
    assert "comments: 1, authors: 1." in answer.text
    assert people(answer) == ["Ann Lee"]
    assert "None of the comments searched" in rag.answer("Who mentions 醤油?", settings=settings).text


@pytest.mark.parametrize(
    "question",
    ["Tove Arden's two most recent comments", "Tove Arden's last 2 comments", "the latest two comments by Tove Arden"],
)
def test_how_many_of_the_newest_is_no_topic(question: str, workshop: Settings) -> None:
    dates = [citation.passage.posted_at for citation in rag.answer(question, settings=workshop).citations]
    assert [date.year for date in dates if date] == [2021, 2020]


def test_what_comments_contain_is_counted(workshop: Settings) -> None:
    assert "comments: 1, authors: 1." in rag.answer('How many comments contain "ebony"?', settings=workshop).text


VOTED = [
    {"author": "Ann Lee", "posted_at": "2018-02-01", "karma": 3, "text": "Soak the willow for a week."},
    {"author": "Ann Lee", "posted_at": "2019-02-01", "karma": 90, "text": "A basket of reed is no basket at all."},
    {"author": "Odd Brekke", "posted_at": "2020-02-01", "karma": 41, "text": "Willow cut in May never dries straight, whatever you do to it."},
    {"author": "Odd Brekke", "posted_at": "2021-02-01", "karma": -7, "text": "Plastic is the better willow."},
    {"author": "Ivo Brandl", "posted_at": "2022-02-01", "karma": 60, "text": "> Willow cut in May never dries straight, whatever you do to it.\n\nMine did."},
    {"author": "Tove Arden", "posted_at": "2023-02-01", "text": "I weave willow by lamplight."},
]  # fmt: skip


@pytest.fixture(scope="module")
def weavers(index_of: IndexOf) -> Settings:
    return index_of(VOTED)


@pytest.mark.parametrize(
    ("question", "karma"),
    [
        ("What is the highest-rated comment?", 90),
        ("What is the lowest-rated comment?", -7),
        ("Which comment about willow has the most karma?", 41),
        ("What is the most upvoted comment on willow?", 41),
        ("What is Odd Brekke's most downvoted comment?", -7),
        ("What was the best-received comment by Ann Lee?", 90),
        ("What are the top comments before 2019?", 3),
    ],
)
def test_comments_are_told_apart_by_karma(question: str, karma: int, weavers: Settings) -> None:
    answer = rag.answer(question, settings=weavers)
    shown = [citation.passage.karma for citation in answer.citations]
    assert shown[0] == karma
    assert shown == sorted(shown, reverse=karma > 0)
    assert f"karma {karma}:" in answer.text or f"karma {karma}, on willow:" in answer.text


def test_what_carries_no_karma_is_not_called_the_best(workshop: Settings) -> None:
    answer = rag.answer("What is the highest-rated comment about rosewood pegs?", settings=workshop)
    assert answer.abstained or answer.warnings == (UNRANKED,)
    assert "karma" not in answer.text


@pytest.mark.parametrize(
    "question",
    ["What are the best rated brushes?", "Who has the most points?", "What is the most popular view on rye?"],
)
def test_what_is_rated_need_not_be_a_comment(question: str) -> None:
    assert by_karma(question) == ("", None)


def test_the_order_by_karma_is_asked_again_of_another(weavers: Settings) -> None:
    answer = after("What is the highest-rated comment?", "And by Odd Brekke?", settings=weavers)
    assert [citation.passage.karma for citation in answer.citations] == [41, -7]


def test_who_only_quotes_a_topic_did_not_write_first_about_it(index_of: IndexOf) -> None:
    said = "Beeswax keeps the pegs from slipping."
    rows = [
        {"id": "q", "author": "Odd Brekke", "posted_at": "2017-01-01", "text": f"> {said}\n\nThat never helped me."},
        {"id": "a", "author": "Ann Lee", "posted_at": "2018-01-01", "text": said},
        {"id": "b", "author": "Tove Arden", "posted_at": "2019-01-01", "text": "Beeswax attracts dust."},
    ]
    assert people(rag.answer("What is the first comment on beeswax?", settings=index_of(rows)))[0] == "Ann Lee"


@pytest.fixture(scope="module")
def thread(index_of: IndexOf) -> Settings:
    rows = [
        {"id": "1", "author": "Ann Lee", "text": "Which glue holds?", "karma": 3, "posted_at": "2019-05-01"},
        {"id": "2", "author": "Odd Brekke", "text": "Hide glue holds.", "parent_id": "1", "karma": 5, "posted_at": "2019-06-01"},
        {"id": "3", "author": "Ivo Brandl", "text": "Fish glue, twice.", "parent_id": "1", "karma": 8, "posted_at": "2020-06-01"},
        {"id": "4", "author": "Odd Brekke", "text": "Twice is a lot.", "parent_id": "3", "karma": 0, "posted_at": "2020-07-01"},
        {"id": "5", "author": "Ann Lee", "text": "Thanks to both.", "parent_id": "2", "posted_at": "2020-08-01"},
    ]  # fmt: skip
    return index_of(rows)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("How many replies did Ann Lee get?", "Replies to Ann Lee, as far as it is known what answers what: 2, by 2 authors."),
        ("How many people replied to Ann Lee?", "Replies to Ann Lee, as far as it is known what answers what: 2, by 2 authors."),
        ("how many replies did Ann Lee receive in 2020", "Replies to Ann Lee, as far as it is known what answers what: 1, by 1 authors."),
        ("How many replies did Odd Brekke write?", "Replies by Odd Brekke, as far as it is known what answers what: 2."),
        ("How many replies did Odd Brekke write to Ivo Brandl?", "Replies by Odd Brekke to Ivo Brandl, as far as it is known what answers what: 1."),
        ("What is the average karma of Odd Brekke's comments?", "Karma of Odd Brekke: 5 in all, 2.5 on average, of 2 comments whose karma is known."),
        ("How much karma does Ivo Brandl have?", "Karma of Ivo Brandl: 8 in all, 8.0 on average, of 1 comments whose karma is known."),
    ],
)  # fmt: skip
def test_replies_and_karma_are_counted(question: str, said: str, thread: Settings) -> None:
    answer = rag.answer(question, settings=thread)
    assert (answer.text, answer.citations) == (said, ())


def test_who_wrote_more_is_counted(thread: Settings) -> None:
    answer = rag.answer("Who wrote more comments, Ivo Brandl or Odd Brekke?", settings=thread)
    assert "Odd Brekke (2), Ivo Brandl (1)" in answer.text


def test_what_is_not_known_is_not_counted_as_none(workshop: Settings) -> None:
    assert "not known" in rag.answer("How many replies did Ann Lee get?", settings=workshop).text
    assert "No karma is known" in rag.answer("What is Ann Lee's average karma?", settings=workshop).text


@pytest.mark.parametrize(
    "question", ["How many answers does Ann Lee give on glue?", "How many replies about glue did Ann Lee get?"]
)
def test_with_a_topic_no_replies_are_counted(question: str, thread: Settings) -> None:
    assert "what answers what" not in rag.answer(question, settings=thread).text


@pytest.mark.parametrize(
    ("further", "date"),
    [("The oldest one?", "2018-02-01"), ("And which is the newest of them?", "2021-03-01"), ("the most recent", "2021-03-01")],
)  # fmt: skip
def test_the_first_or_last_of_those_who_mention_it_is_asked_for(further: str, date: str, workshop: Settings) -> None:
    answer = after("Who mentions rosewood?", further, settings=workshop)
    assert str(answer.citations[0].passage.posted_at.date()) == date


@pytest.mark.parametrize(
    ("further", "karma"), [("And the least?", 0), ("the lowest rated one?", 0), ("which got the most?", 5)]
)
def test_the_other_end_of_the_karma_is_asked_for(further: str, karma: int, thread: Settings) -> None:
    answer = after("Which comment of Odd Brekke got the most karma?", further, settings=thread)
    assert answer.citations[0].passage.karma == karma


@pytest.mark.parametrize(
    ("asked", "further", "repliers"),
    [
        ("What does Ivo Brandl say about glue?", "Who replied to that?", ["Odd Brekke"]),
        ("Who mentions fish glue?", "any replies?", ["Odd Brekke"]),
        ("What does Odd Brekke say about hide glue?", "did anyone respond to it?", ["Ann Lee"]),
    ],
)
def test_who_replied_is_whoever_replied_to_what_was_quoted(
    asked: str, further: str, repliers: list[str], thread: Settings
) -> None:
    """The reply itself has no word of the topic."""
    assert people(after(asked, further, settings=thread)) == repliers
