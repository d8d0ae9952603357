"""Who, when and what a question by itself is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rag.question.follow_ups import understand
from rag.question.framing import in_sentence_case
from rag.question.query import Query, about_period, admits, one_sided
from rag.records import Passage, Turn

AUTHORS = (
    "Ann Bea Lee",
    "brine_ledgerwick",
    "Paul Okoro",
    "Paul Severn",
    "Will Tanner",
    "Old Bassoon",
    "tidewright_77",
    "Zoë Müller",
    "JaneHarrow",
    "the long way round",
    "quill",
)
NOW = datetime(2024, 6, 15, tzinfo=UTC)


def read(question: str, **options) -> Query:
    return understand(question, authors=AUTHORS, now=NOW, **options)


@pytest.mark.parametrize(
    ("question", "authors"),
    [
        ("What does Ann Bea Lee think about rye?", ("Ann Bea Lee",)),
        ("what does ann bea lee think about rye?", ("Ann Bea Lee",)),
        ("What does Ann Lee think about rye?", ("Ann Bea Lee",)),
        ("What does Ann B. Lee think about rye?", ("Ann Bea Lee",)),
        ("What does ann-bea-lee think about rye?", ("Ann Bea Lee",)),
        ("Ann's view of rye", ("Ann Bea Lee",)),
        ("Lee on rye", ("Ann Bea Lee",)),
        ("What did Brine Ledgerwick write about rye?", ("brine_ledgerwick",)),
        ("What did brineledgerwick write about rye?", ("brine_ledgerwick",)),
        ("What did @brine_ledgerwick write about rye?", ("brine_ledgerwick",)),
        ("What does Jane Harrow recommend?", ("JaneHarrow",)),
        ("What does zoe muller say about flour?", ("Zoë Müller",)),
        ("What does tidewright use on the boat?", ("tidewright_77",)),
        ("What does The Long Way Round say about maps?", ("the long way round",)),
        ("quill's proposal for units", ("quill",)),
        ("Who is Ann Lee?", ("Ann Bea Lee",)),
        ("Where does Ann Lee work?", ("Ann Bea Lee",)),
        ("Tell me about Ann Lee", ("Ann Bea Lee",)),
        ("According to Severn, is rye bitter?", ("Paul Severn",)),
        ("Hey Severn, what about rye?", ("Paul Severn",)),
        ("Doesn't quill think rye is best?", ("quill",)),
    ],
)
def test_an_author_is_recognised_however_the_name_is_written(question: str, authors: tuple[str, ...]) -> None:
    assert (read(question).authors, read(question).unknown_authors) == (authors, ())


@pytest.mark.parametrize("typed", ["Brine Ledgerwik", "brine ledgrewick", "Ledgerwikc"])
def test_a_small_typo_in_a_name_is_forgiven(typed: str) -> None:
    assert read(f"What does {typed} think about rye?").authors == ("brine_ledgerwick",)


@pytest.mark.parametrize("other", ["Paula", "Anne", "Zola Müller", "Quilla", "Jane Harlow Smith"])
def test_a_similar_name_is_somebody_else(other: str) -> None:
    query = read(f"What does {other} think about rye?")
    assert (query.authors, query.unknown_authors) == ((), (other,))


def test_a_first_name_of_two_authors_means_both() -> None:
    assert read("What does Paul think about rye?").authors == ("Paul Okoro", "Paul Severn")


def test_a_name_may_be_that_of_a_month() -> None:
    query = understand("What did quill and June say in May about rye?", authors=("June Holt", "quill"), now=NOW)
    assert (query.authors, query.since) == (("quill", "June Holt"), datetime(2024, 5, 1, tzinfo=UTC))


def test_a_known_first_name_with_a_strange_surname_is_unknown() -> None:
    query = read("What does Paul Graham think about rye?")
    assert (query.authors, query.unknown_authors) == ((), ("Paul Graham",))


@pytest.mark.parametrize(
    "question",
    [
        "What will happen to the rye?",
        "Will it rain?",
        "How old is the starter?",
        "Where is the long way round the lake?",
        "How do you clean a bassoon?",
        "What did the tanner use?",
        "Is there an old way to bake?",
    ],
)
def test_everyday_words_are_no_authors(question: str) -> None:
    query = read(question)
    assert (query.authors, query.unknown_authors) == ((), ())


@pytest.mark.parametrize(
    "question", ["What does Will think about leather?", "what does will think about leather", "Will's view on leather"]
)
def test_an_everyday_word_is_an_author_where_a_speaker_is_expected(question: str) -> None:
    assert read(question).authors == ("Will Tanner",)


@pytest.mark.parametrize(
    ("question", "authors", "mentioned"),
    [
        ("Who argued that Ann Lee is wrong about rye?", (), ("Ann Bea Lee",)),
        ("Which people agree with quill?", (), ("quill",)),
        ("What is said about Ann Lee's bread?", (), ("Ann Bea Lee",)),
        ("What do people think of quill?", (), ("quill",)),
        ("How does quill respond to Ann Lee?", ("quill",), ("Ann Bea Lee",)),
        ("What did quill say about Gibbs measures?", ("quill",), ()),
        ("What does quill think about Zoë Müller's plan?", ("quill",), ("Zoë Müller",)),
    ],
)
def test_a_name_that_is_only_talked_about_is_no_filter(
    question: str, authors: tuple[str, ...], mentioned: tuple[str, ...]
) -> None:
    query = read(question)
    assert (query.authors, query.mentioned, query.unknown_authors) == (authors, mentioned, ())


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("What does Alan Turing think about rye?", ("Alan Turing",)),
        ("According to Grace Hopper, what is rye?", ("Grace Hopper",)),
        ("What is Alan Turing's view on rye?", ("Alan Turing",)),
        ("What did Alan Turing and Ann Lee say about rye?", ("Alan Turing",)),
        ("comments by Grace Hopper", ("Grace Hopper",)),
        ("Has Alan Turing admitted that rye is sour?", ("Alan Turing",)),
        ("Is Alan Turing planning a bakery?", ("Alan Turing",)),
        ("What has Sayed claimed about rye?", ("Sayed",)),
        ("Does Alan Turing still think rye is best?", ("Alan Turing",)),
        ("Doesn't Alan Turing think rye is best?", ("Alan Turing",)),
    ],
)
def test_somebody_without_comments_is_named_as_unknown(question: str, unknown: tuple[str, ...]) -> None:
    assert read(question).unknown_authors == unknown


@pytest.mark.parametrize(
    "question",
    ["Has anybody argued that Alan Turing's plan is flawed?", "Who thinks that Grace Hopper's view on rye is wrong?"],
)
def test_who_is_talked_about_by_anybody_is_not_asked_for(question: str) -> None:
    assert read(question).unknown_authors == ()


def test_an_unknown_name_in_lower_case_is_found_by_words_that_occur_nowhere() -> None:
    query = read("what does alan turing think about rye", known_words=lambda word: word == "rye")
    assert (query.unknown_authors, query.traces) == (("alan turing",), ())


@pytest.mark.parametrize(
    "question",
    [
        "Has codifying laws made people better?",
        "Do running shoes make one faster?",
        "would codifying laws support people",
    ],
)
def test_words_that_occur_nowhere_are_not_yet_a_name(question: str) -> None:
    assert read(question, known_words=lambda word: word == "tax").unknown_authors == ()


def test_an_unknown_name_leaves_a_trace_where_comments_mention_it() -> None:
    query = read("What does Alan Turing think about rye?", known_words=lambda word: word == "Turing")
    assert query.traces == ("Alan Turing",)
    told, silent = (Passage("p", "c", "quill", text, "f", 0, len(text)) for text in ("As Turing said.", "Rye is best."))
    assert (admits(query, told), admits(query, silent)) == (True, False)


@pytest.mark.parametrize(
    ("question", "asked", "unknown", "labels"),
    [
        # Set beside somebody, a profile is searched for under its own label; alone, its name may be somebody else's.
        ("Compare Ann Bea Lee and okafor on bees", ["Ann Bea Lee", "okafor"], (), ()),
        ("Ann Bea Lee vs okafor on bees", ["Ann Bea Lee", "okafor"], (), ()),
        ("How does okafor differ from Ann Bea Lee on bees?", ["Ann Bea Lee", "okafor"], (), ()),
        ("What does okafor think about bees?", [], ("okafor",), ("okafor",)),
        ("What does the unnamed profile think about bees?", ["okafor", "other"], (), ()),
        ("Compare Ann Bea Lee and Example on bees", ["Ann Bea Lee"], ("Example",), ("okafor", "other")),
        ("What does Ann Bea Lee say about okafor?", ["Ann Bea Lee"], (), ()),
        ("Are there other bees?", [], (), ()),
        # With a capital it is read like the name of an author.
        ("What was Okafor's scheme for bees?", [], ("Okafor",), ("okafor",)),
        ("Did Okafor study bees?", [], ("Okafor",), ("okafor",)),
        ("How many bees does Okafor have?", [], ("Okafor",), ("okafor",)),
        ("Who mentions Okafor?", [], (), ()),
        ("Other than honey, what do bees make?", [], (), ()),
    ],
)
def test_a_profile_without_a_name_is_asked_for_by_its_label(
    question: str, asked: list[str], unknown: tuple[str, ...], labels: tuple[str, ...]
) -> None:
    unsigned = {name: f"unnamed profile ({name}.example)" for name in ("okafor", "other")}
    query = read(question, labels=tuple(unsigned.values()))
    assert query.authors == tuple(unsigned.get(name, name) for name in asked)
    assert (query.unknown_authors, query.labels) == (unknown, tuple(unsigned[name] for name in labels))
    assert query.compare is (len(asked) + len(unknown) > 1 and "unnamed" not in question)


def test_why_others_disagree_is_asked_of_the_others() -> None:
    query = read("Why did others disagree with quill about rye?")
    assert (query.authors, query.answered, query.others_than, query.topic) == ((), ("quill",), ("quill",), "rye")


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What should Rye do differently, in quill's view?", "Rye differently"),
        ("What should Rye do differently in quill's view?", "Rye differently"),
        ("How does quill's plan differ from Oven AI?", "plan differ Oven AI"),
        ("How do quill's loaves differ from those of BreadAI?", "loaves BreadAI"),
        ("Does BreadAI support rye?", "BreadAI rye"),
    ],
)
def test_a_thing_with_a_capital_is_a_topic_and_nobody(question: str, topic: str) -> None:
    query = read(question)
    assert query.unknown_authors == ()
    assert query.topic == topic
    assert query.authors == (("quill",) if "quill" in question else ())


@pytest.mark.parametrize("question", ["Is Shapley value the right way of sharing?", "Was Shapley value used?"])
def test_a_noun_behind_a_name_is_no_verb(question: str) -> None:
    assert read(question).unknown_authors == ()


def test_an_unknown_name_may_stand_for_an_unnamed_profile() -> None:
    labels = ("unnamed profile (okafor.example)", "unnamed profile (other.example)")
    query = read("Why does Jo Okafor's profile mention bees?", labels=labels)
    assert (query.unknown_authors, query.labels) == (("Jo Okafor",), labels[:1])
    own, other = (Passage("p", "c", None, "Bees.", "f", 0, 5, label=label) for label in labels)
    assert (admits(query, own), admits(query, other)) == (True, False)


@pytest.mark.parametrize(
    ("question", "authors"),
    [
        ("Ann Lee vs quill on rye", ("Ann Bea Lee", "quill")),
        ("Where do Ann Lee and quill disagree about rye?", ("Ann Bea Lee", "quill")),
        ("Compare Ann Lee, quill and Zoë Müller on rye", ("Ann Bea Lee", "quill", "Zoë Müller")),
        ("Does Ann Lee agree with quill about rye?", ("Ann Bea Lee", "quill")),
        ("What do Ann Lee and quill think about rye?", ("Ann Bea Lee", "quill")),
        ("What is the difference between Ann Lee's and quill's view of rye?", ("Ann Bea Lee", "quill")),
    ],
)
def test_several_people_are_compared(question: str, authors: tuple[str, ...]) -> None:
    query = read(question)
    assert (query.authors, query.compare, query.topic) == (authors, True, "rye")


def test_comparing_things_is_no_comparison_of_people() -> None:
    assert not read("Compare rye and wheat.").compare


def day(year: int, month: int = 1, number: int = 1) -> datetime:
    return datetime(year, month, number, tzinfo=UTC)


LAST = (23, 59, 59, 999999)


def end(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, *LAST, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What did quill write in 2023 about rye?", day(2023), end(2023, 12, 31)),
        ("In 2023, what did quill say about rye?", day(2023), end(2023, 12, 31)),
        ("comments from 2021 on rye", day(2021), end(2021, 12, 31)),
        ("What did quill say before March 2022?", None, end(2022, 2, 28)),
        ("What did quill say about rye before March?", None, end(2024, 2, 29)),
        ("What has quill said since last year?", day(2023), None),
        ("What did quill write between 2021 and 2023?", day(2021), end(2023, 12, 31)),
        ("What did quill write after 2023-02-01?", end(2023, 2, 1).replace(microsecond=999999), None),
        ("What did quill post in May 2022?", day(2022, 5), end(2022, 5, 31)),
        ("What did quill say on 3 April 2023?", day(2023, 4, 3), end(2023, 4, 3)),
        ("What has quill said recently about rye?", day(2023, 6, 15), None),
        ("What did quill write in the last three months?", day(2024, 3, 15), None),
    ],
)
def test_a_period_of_writing_becomes_a_filter(question: str, since: datetime | None, until: datetime | None) -> None:
    query = read(question)
    if question.endswith("after 2023-02-01?"):
        since = day(2023, 2, 2)
    assert (query.since, query.until, query.dates_certain) == (since, until, True)


@pytest.mark.parametrize(
    "question",
    [
        "What did quill say about AI in 2050?",
        "What happened to rye in 2019?",
        "Will flour be cheaper by 2030?",
        "What may happen before March?",
        "How did the 2016 flood damage the mill?",
    ],
)
def test_a_year_that_belongs_to_the_topic_is_no_filter(question: str) -> None:
    query = read(question)
    assert (query.since, query.until) == (None, None)


def test_a_past_year_behind_the_topic_is_an_uncertain_filter() -> None:
    query = read("What did quill say about the flood in 2016?")
    assert (query.since, query.until, query.dates_certain) == (day(2016), end(2016, 12, 31), False)


@pytest.mark.parametrize(
    ("period", "since", "until"),
    [
        ("since spring 2021", day(2021, 3), None),
        ("since late 2021", day(2021, 7, 2).replace(hour=12), None),
        ("in early 2021", day(2021), day(2021, 7, 2).replace(hour=11, minute=59, second=59, microsecond=999999)),
        ("until the end of May 2022", None, end(2022, 5, 31)),
        ("in the summer of 2022", day(2022, 6), end(2022, 8, 31)),
        ("in winter 2022/23", day(2022, 12), end(2023, 2, 28)),
        ("last summer", day(2023, 6), end(2023, 8, 31)),
        ("in the 2010s", day(2010), end(2019, 12, 31)),
        ("in the 90s", day(1990), end(1999, 12, 31)),
        ("in Q1 2023", day(2023), end(2023, 3, 31)),
        ("in the third quarter of 2022", day(2022, 7), end(2022, 9, 30)),
        ("two years ago", day(2021, 12, 14), end(2022, 12, 15)),
        ("more than a year ago", None, day(2022, 12, 14) - timedelta(microseconds=1)),
        ("three days ago", day(2024, 6, 12), end(2024, 6, 12)),
        ("over the past couple of months", day(2024, 4, 15), None),
        ("in recent years", day(2021, 6, 15), None),
        ("on March 4th", day(2024, 3, 4), end(2024, 3, 4)),
        ("on the 4th of July", day(2023, 7, 4), end(2023, 7, 4)),
        ("on 2021/03/04", day(2021, 3, 4), end(2021, 3, 4)),
        ("on 4.3.2021", day(2021, 3, 4), end(2021, 3, 4)),
        ("on 25/4/2021", day(2021, 4, 25), end(2021, 4, 25)),
        ("in 2021-22", day(2021), end(2022, 12, 31)),
        ("in 2021-12", day(2021, 12), end(2021, 12, 31)),
        ("in March and April 2021", day(2021, 3), end(2021, 4, 30)),
        ("from November to February 2021", day(2020, 11), end(2021, 2, 28)),
        ("between November and March", day(2023, 11), end(2024, 3, 31)),
        ("no later than May 2022", None, end(2022, 5, 31)),
        ("not before 2021", day(2021), None),
        ("in 2021 or later", day(2021), None),
        ("as of 2021", None, end(2021, 12, 31)),
        ("back in 2021", day(2021), end(2021, 12, 31)),
        ("2021-2022", day(2021), end(2022, 12, 31)),
        ("in 2021/2022", day(2021), end(2022, 12, 31)),
        ("on 31 February 2021", None, None),
        ("in 2000 words", None, None),
        ("in the fall", None, None),
        ("300 decades ago", None, None),
        ("in the last 999 decades", None, None),
        ("over 999 decades ago", None, None),
    ],
)
def test_periods_are_understood_as_people_write_them(
    period: str, since: datetime | None, until: datetime | None
) -> None:
    query = read(f"What did quill say about rye {period}?")
    assert (query.since, query.until, query.times) == (since, until, ())
    if since or until:
        assert (query.text, query.topic, query.period) == ("What did quill say about rye?", "rye", period)


@pytest.mark.parametrize(
    ("period", "times"),
    [
        ("in 2021 and 2024", [(day(2021), end(2021, 12, 31)), (day(2024), end(2024, 12, 31))]),
        ("in March, April or June 2021", [(day(2021, 3), end(2021, 4, 30)), (day(2021, 6), end(2021, 6, 30))]),
        ("on 3/4/2021", [(day(2021, 3, 4), end(2021, 3, 4)), (day(2021, 4, 3), end(2021, 4, 3))]),
        ("in winter 2022", [(day(2021, 12), end(2022, 2, 28)), (day(2022, 12), end(2023, 2, 28))]),
    ],
)
def test_times_apart_and_dates_with_two_meanings_are_kept_apart(
    period: str, times: list[tuple[datetime, datetime]]
) -> None:
    query = read(f"What did quill say about rye {period}?")
    assert (list(query.times), query.since, query.until) == (times, times[0][0], times[-1][1])


@pytest.mark.parametrize(
    ("question", "text", "certain"),
    [
        ("rye in the oven, 2019", "rye in the oven", False),
        ("quill on rye in 2019", "quill on rye", False),
        ("2019 quill rye", "quill rye", False),
        ("the election in 2019", "the election", False),
        ("comments of 2019 on rye", "comments on rye", True),
        ("What about rye in 2019?", "What about rye?", False),
        ("What did quill say about rye in 2019, and why?", "What did quill say about rye and why?", False),
        ("What did quill say about rye in 2019 and why?", "What did quill say about rye and why?", False),
        ("Show me quill's 2019 comments on rye", "Show me quill's comments on rye", True),
        ("What did quill, in 2019, say about rye?", "What did quill say about rye?", True),
        ("What did quill say about rye, but not in 2019?", "What did quill say about rye, but not in 2019?", None),
        ("Was rye cheaper in 2019?", "Was rye cheaper in 2019?", None),
        ("My oven is from 2019. Is it too old?", "My oven is from 2019. Is it too old?", None),
    ],
)
def test_a_period_is_taken_where_it_may_tell_when_comments_were_written(
    question: str, text: str, certain: bool | None
) -> None:
    query = read(question)
    if certain is None:
        assert (query.since, query.text) == (None, question)
    else:
        assert (query.since, query.until, query.text) == (day(2019), end(2019, 12, 31), text)
        assert query.dates_certain is certain


def test_a_period_that_is_taken_for_a_topic_is_asked_about_again() -> None:
    query = about_period(read("What did quill say about the flood in 2016?"))
    assert (query.text, query.topic) == ("What did quill say about the flood in 2016?", "flood 2016")
    assert (query.since, query.until) == (None, None)
    assert about_period(read("2016?")).text == "2016?"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What is quill's latest comment on rye?", "What is quill's comment on rye?"),
        ("What did quill most recently say about rye?", "What did quill say about rye?"),
        ("the newest posts by quill on rye", "the posts by quill on rye"),
        ("What did quill last say about rye?", "What did quill say about rye?"),
        ("What does quill say about the latest rye harvest?", None),
        ("What did quill say about rye last?", None),
    ],
)
def test_the_newest_is_an_order_and_no_topic(question: str, text: str | None) -> None:
    query = read(question)
    assert (query.newest, query.text, query.since) == (text is not None, text or question, None)
    assert text is None or query.topic == "rye"


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("List the reasons that quill gives.", True),
        ("What are the main arguments against rye?", True),
        ("Summarise what quill said about rye.", True),
        ("Which flours does quill use?", True),
        ("What does quill think of rye?", False),
        ("What is this?", False),
        ("Why does quill bake?", False),
        ("Rye breads", False),
        *(
            (f"{words} rye", True)
            for words in ["list", "an overview of", "examples of", "reasons for", "arguments against"]
        ),
        *(
            (f"{words} rye", True)
            for words in ["steps to", "ways to bake", "everything on", "how many people use", "all the"]
        ),
        ("What are the dark flours?", True),
        ("Which flours are best?", True),
        ("Which other flours rise?", True),
        ("What kinds of flour do bakers use?", True),
        ("If I bake a lot, which flours are best?", True),
        ("I bake a lot. In what ways can rye go wrong?", True),
        ("Could you please give me three good reasons for rye?", True),
        ("How many loaves fit into the oven?", False),
        ("If all the loaves are baked, is the oven clean?", False),
        ("Does baking with many examples of rye tell him which flours are best?", False),
        ("Is there a summary statistic that beats everything in the list?", False),
        ("Do I have to settle on what loaves are?", False),
        ("What decides whether loaves are sour?", False),
    ],
)
def test_a_list_is_wanted_where_the_question_asks_for_several_things(question: str, wanted: bool) -> None:
    assert read(question).wants_list is wanted


@pytest.mark.parametrize(
    "question",
    [
        "Has quill changed his mind about rye?",
        "Does quill still think rye is best?",
        "How did quill's view of rye evolve?",
        "How has quill's opinion on rye changed over time?",
        "Has quill changed his position on rye?",
        "What has quill said about rye over the years?",
    ],
)
def test_the_course_of_an_opinion_is_recognised(question: str) -> None:
    query = read(question)
    assert (query.by_time, query.authors) == (True, ("quill",))
    assert "rye" in query.topic.split()
    assert not {"time", "years", "changed", "evolve", "evolution", "opinion"} & set(query.topic.split())


@pytest.mark.parametrize("question", ["Does rye improve over time?", "What does quill say about evolution?"])
def test_the_course_of_the_world_is_none_of_an_opinion(question: str) -> None:
    assert not read(question).by_time


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What does Ann Lee think about sour rye bread?", "sour rye bread"),
        ("What did quill write in 2023 about rye?", "rye"),
        ("Who is Ann Lee?", ""),
        ("What does Alan Turing think about machines?", "machines"),
        ("What does quill think about seed prices?", "seed prices"),
        ("What does quill say about motivated reasoning in debates?", "motivated reasoning debates"),
        ("Is quill in favour of rye?", "rye"),
        ("What are others proposing for rye?", "rye"),
    ],
)
def test_the_topic_is_what_is_left_without_names_and_phrases(question: str, topic: str) -> None:
    assert read(question).topic == topic


@pytest.mark.parametrize("question", ["", "?", "...", "\u200b", "a" * 9000, "what " * 500, "[[[[[[" * 100, "“”‘’"])
def test_odd_questions_are_read_without_fail(question: str) -> None:
    talk = (
        Turn("user", "What does Ann Lee think about rye starters?"),
        Turn("assistant", "> Warm rye is sour rye. [1]"),
    )
    assert understand(question, talk, AUTHORS, now=NOW).original == " ".join(question.split())


def test_thousands_of_authors_do_not_slow_down_reading() -> None:
    import time

    many = [
        f"{first}{n} {last}"
        for n in range(50)
        for first in ("Ann", "Bob", "Cem", "Dana")
        for last in ("Ash", "Birch") * 5
    ]
    understand("warm up", authors=many)
    started = time.perf_counter()
    for _ in range(10):
        understand("What does Bobb17 Birch think about the long way home?", authors=many)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "question",
    [
        "Compare Ada Fenwick and Paul Nemo on tides.",
        "Where do Paul Nemo and Ada Fenwick disagree about tides?",
        "What do Ada Fenwick and Paul Nemo think about tides?",
    ],
)
def test_a_stranger_beside_somebody_known_is_said_to_be_unknown(question: str) -> None:
    query = understand(question, authors=["Ada Fenwick", "Ioan Petrescu"])
    assert (query.authors, query.unknown_authors) == (("Ada Fenwick",), ("Paul Nemo",))
    assert query.topic == "tides"


def test_what_is_beside_somebody_known_need_not_be_a_person() -> None:
    query = understand("What does Ada Fenwick think about tides and GPS?", authors=["Ada Fenwick"])
    assert query.unknown_authors == ()


@pytest.mark.parametrize("question", ["What did the otter find?", "Does the otter agree?", "the otter's own forecasts"])
def test_a_telling_part_of_a_handle_names_its_owner(question: str) -> None:
    assert understand(question, authors=["calibrated_otter", "Ada Fenwick"]).authors == ("calibrated_otter",)


def test_a_part_of_a_handle_may_be_just_a_word() -> None:
    assert understand("How long does the otter live?", authors=["calibrated_otter"]).authors == ()


@pytest.mark.parametrize(
    ("name", "authors", "unknown"),
    [
        ("Ann", ("Ann",), ()),
        ("Ann Lee", ("Ann Lee",), ()),
        ("Ann L.", ("Ann Lee",), ()),
        ("Ann Maria Lee", (), ("Ann Maria Lee",)),
        ("Gwern Branwen", ("gwern",), ()),
    ],
)
def test_a_handle_that_is_somebody_elses_first_name(
    name: str, authors: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    query = understand(f"What does {name} think about rye?", authors=["Ann", "Ann Lee", "gwern"])
    assert (query.authors, query.unknown_authors) == (authors, unknown)


TOWN = (
    "Ann Kite",
    "Ann Lee",
    "Ann Marie Lee",
    "Mary Ann Smith",
    "Jean-Luc Moreau",
    "Maureen O'Neill",
    "Maria Jose de la Cruz",
    "Mark Xu",
    "Daniel Filan",
    "Daniel Kokotajlo",
    "paulfchristiano",
    "calibrated_otter",
    "AI Safety Club",
    "Thomas",
    "James",
    "mossgauge",
    "rose",
    "lighthouse",
    "Zoë Müller",
    "Will Hope",
)


def in_town(question: str) -> Query:
    return understand(question, authors=TOWN, known_words=lambda word: word in {"lighthouse", "lamp", "rye", "otter"})


@pytest.mark.parametrize(
    ("question", "authors"),
    [
        ("What does Mary Ann think about rye?", ("Mary Ann Smith",)),
        ("what does mary ann think about rye", ("Mary Ann Smith",)),
        ("What does Jean-Luc think about rye?", ("Jean-Luc Moreau",)),
        ("What does O'Neill say about rye?", ("Maureen O'Neill",)),
        ("What does de la Cruz say about rye?", ("Maria Jose de la Cruz",)),
        ("What does Ann Lee think about rye?", ("Ann Lee",)),
        ("What does Xu say about rye?", ("Mark Xu",)),
        ("Tell me about Xu", ("Mark Xu",)),
        ("What does Daniel K. say about rye?", ("Daniel Kokotajlo",)),
        ("What does D. Filan say about rye?", ("Daniel Filan",)),
        ("What does Dr. Filan say about rye?", ("Daniel Filan",)),
        ("What does Daniel Kokatajlo say about rye?", ("Daniel Kokotajlo",)),
        ("What does Paul Christiano say about rye?", ("paulfchristiano",)),
        ("What's Zoes view on rye?", ("Zoë Müller",)),
        ("mossgauges view on rye", ("mossgauge",)),
        ("What is Ann Lees opinion of rye?", ("Ann Lee",)),
        ("What is James view on rye?", ("James",)),
        ("What does rose think about rye?", ("rose",)),
        ("rose's view on rye", ("rose",)),
        ("Who is Hope?", ("Will Hope",)),
        ("Which of mossgauge's comments mention rye?", ("mossgauge",)),
    ],
)
def test_one_person_is_meant_by_a_part_or_a_variant_of_a_name(question: str, authors: tuple[str, ...]) -> None:
    query = in_town(question)
    assert (query.authors, query.unknown_authors, query.compare) == (authors, (), False)
    assert set(query.topic.split()) <= {"rye", "opinion"}


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("What does Mary Ann Jones think about rye?", ("Mary Ann Jones",)),
        ("What does Daniel Z. think about rye?", ("Daniel Z",)),
        ("Peter Lee on rye", ("Peter Lee",)),
        ("Did Grace Hopper criticise Ann Lee?", ("Grace Hopper",)),
    ],
)
def test_somebody_with_a_name_in_common_is_unknown(question: str, unknown: tuple[str, ...]) -> None:
    query = in_town(question)
    assert (query.authors, query.unknown_authors) == ((), unknown)


@pytest.mark.parametrize(
    ("question", "authors", "mentioned"),
    [
        ("Did mossgauge ever criticise Ann Lee?", ("mossgauge",), ("Ann Lee",)),
        ("How often does mossgauge mention Ann Lee?", ("mossgauge",), ("Ann Lee",)),
        ("Has mossgauge met Zoë Müller?", ("mossgauge",), ("Zoë Müller",)),
        ("What is mossgauge's view of James?", ("mossgauge",), ("James",)),
        ("What does mossgauge think James says about rye?", ("mossgauge",), ("James",)),
        ("What does mossgauge think of Ann Lee's comments?", ("mossgauge",), ("Ann Lee",)),
        ("Why does everybody criticise James?", (), ("James",)),
    ],
)
def test_whom_somebody_speaks_of_is_not_asked_for(
    question: str, authors: tuple[str, ...], mentioned: tuple[str, ...]
) -> None:
    query = in_town(question)
    assert (query.authors, query.mentioned, query.compare) == (authors, mentioned, False)


@pytest.mark.parametrize(
    ("question", "authors"),
    [
        ("ann lee vs zoë on rye", ("Ann Lee", "Zoë Müller")),
        ("ann lee vs hope on rye", ("Ann Lee", "Will Hope")),
        ("filan vs kokotajlo on rye", ("Daniel Filan", "Daniel Kokotajlo")),
        ("What do James and Hope think about rye?", ("James", "Will Hope")),
        ("Compare Ann Lee's view of rye with Zoë Müller's", ("Ann Lee", "Zoë Müller")),
        ("How does Ann Lee's view of rye differ from that of James?", ("Ann Lee", "James")),
        ("What did James say about rye and what did mossgauge answer?", ("James", "mossgauge")),
        (
            "Compare what Ann Lee wrote at length about sour rye bread in the old stone oven by the harbour with rose's view",
            ("Ann Lee", "rose"),
        ),
    ],
)
def test_people_are_set_side_by_side_however_they_are_written(question: str, authors: tuple[str, ...]) -> None:
    query = in_town(question)
    assert (query.authors, query.unknown_authors, query.compare) == (authors, (), True)


@pytest.mark.parametrize(
    "question",
    [
        "When was lighthouse lamp replaced?",
        "How many watts does lighthouse lamp use?",
        "Why should lighthouse painting be allowed?",
        "What is AI safety about?",
        "What will AI do?",
        "How long does the otter live?",
        "Where does rose grow?",
        "What do Buddhists say about rye?",
        "How should NaN values be summed?",
        "How does GPS use rye?",
        "Hope felt lost in town",
    ],
)
def test_what_is_written_like_a_name_may_be_a_thing(question: str) -> None:
    query = in_town(question)
    assert (query.authors, query.unknown_authors) == ((), ())


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What does James think about rye?", False),
        ("What does Thomas say about rye?", False),
        ("What was Thomas's plan?", False),
        ("What about bicycles?", False),
        ("What helps against rust?", False),
        ("Which bus goes to town?", False),
        ("What arguments does Thomas give?", True),
        ("Which two flours does Ann Lee use?", True),
        ("What old flours are best?", True),
    ],
)
def test_a_word_that_ends_like_a_plural_makes_no_list(question: str, wanted: bool) -> None:
    assert in_town(question).wants_list is wanted


def test_many_names_in_one_question_do_not_slow_down_reading() -> None:
    import time

    understand("warm up", authors=TOWN)
    started = time.perf_counter()
    in_town("Ann Lee and " * 300)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What is debate?", "debate"),
        ("What does James think about reasoning?", "reasoning"),
        ("Who discusses forecasting?", "forecasting"),
        ("Is planning worth it?", "planning worth"),
        ("What does James think about moral reasoning?", "moral reasoning"),
        ("writing", "writing"),
        ("What is James arguing about rye?", "rye"),
        ("What is James saying?", ""),
        ("What does James mean by saying that rye is sour?", "rye sour"),
        ("Is praise useful?", "praise useful"),
        ("How is support measured?", "support measured"),
        ("What does James think about debate and rye?", "debate rye"),
        ("Who supports debate?", "debate"),
        ("What do they say about rye?", "rye"),
        ("Who does say that rye is best?", "rye best"),
        ("Who talks about the claims?", ""),
        ("Show me everything James wrote", ""),
        ("List the breads", "breads"),
    ],
)
def test_a_verb_of_saying_may_be_the_thing_that_is_talked_about(question: str, topic: str) -> None:
    assert in_town(question).topic == topic


@pytest.mark.parametrize(
    "question",
    [
        "Is Alan Turing's plan flawed?",
        "Why was Turing's argument wrong?",
        "I read Alan Turing's book. Is rye sour?",
        "What is the FDA's reasoning?",
    ],
)
def test_whose_plan_is_judged_by_others_is_not_asked_for(question: str) -> None:
    query = in_town(question)
    assert query.unknown_authors == ()
    assert {"Turing", "FDA"} & set(query.topic.split())


@pytest.mark.parametrize(
    "question",
    ["What is Turing's plan?", "Has Turing's view changed over time?", "Why does Turing's profile name rye?"],
)
def test_whose_own_words_are_wanted_is_asked_for(question: str) -> None:
    assert in_town(question).unknown_authors == ("Turing",)


@pytest.mark.parametrize(
    ("question", "others_than"),
    [
        ("Apart from Ann Lee, who thinks rye is best?", ("Ann Lee",)),
        ("Who besides Ann Lee and James bakes?", ("Ann Lee", "James")),
        ("What do people other than James say about rye?", ("James",)),
        ("Who thinks that James is wrong?", ()),
    ],
)
def test_who_is_left_out_is_not_searched(question: str, others_than: tuple[str, ...]) -> None:
    query = in_town(question)
    assert (query.authors, query.others_than) == ((), others_than)
    assert not others_than or not {"James", "Ann"} & {*query.topic.split(), *query.text.split()}
    own = Passage("p", "c", "James", "Rye.", "f", 0, 4)
    assert admits(query, own) is ("James" not in others_than)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("Which of Ann Lee and James is right about rye?", True),
        ("Who is right about rye, Ann Lee or James?", True),
        ("Who thinks that Ann Lee or James is right?", False),
        ("Who agrees with Ann Lee and James?", False),
    ],
)
def test_who_may_be_one_of_those_named(question: str, asked: bool) -> None:
    query = in_town(question)
    assert (query.authors if asked else query.mentioned) == ("Ann Lee", "James")
    assert bool(query.authors) is asked


@pytest.mark.parametrize(
    ("question", "authors"),
    [
        ("I have read Ann Lee's posts. What does James think about rye?", ("James",)),
        ("I met James at the market. Is rye sour?", ()),
        ("I like James's posts. What does he say about rye?", ("James",)),
        ("I wonder what James thinks. Is rye sour?", ("James",)),
        ("may I ask what moreau thinks about rye", ("Jean-Luc Moreau",)),
    ],
)
def test_what_the_asker_tells_is_told_from_what_is_asked(question: str, authors: tuple[str, ...]) -> None:
    assert in_town(question).authors == authors


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("quill's pre-2020 posts on rye", None, end(2019, 12, 31)),
        ("What did quill write post-2020 about rye?", day(2021), None),
        ("What did quill say around 2021 about rye?", day(2021), end(2021, 12, 31)),
    ],
)
def test_a_year_may_be_joined_to_what_tells_how_it_is_meant(
    question: str, since: datetime | None, until: datetime | None
) -> None:
    query = read(question)
    assert (query.since, query.until, query.topic) == (since, until, "rye")


def test_the_latest_from_somebody_is_the_newest() -> None:
    query = read("latest from quill on rye")
    assert (query.newest, query.authors, query.topic) == (True, ("quill",), "rye")


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("What does {} think about rye?", True),
        ("what does {} say about rye", True),
        ("{}'s view on rye", True),
        ("{} on rye", True),
        ("Comments by {}", True),
        ("Is {} baking good?", False),
        ("Do {} comments help?", False),
        ("do {} reports help", False),
        ("should {} bakers be trusted", False),
    ],
)
@pytest.mark.parametrize("handle", ["anonymous", "sourdough"])
def test_a_handle_that_is_a_word_of_the_comments_is_a_name_where_somebody_is_asked_for(
    handle: str, question: str, asked: bool
) -> None:
    query = understand(question.format(handle), authors=[handle, "quill"], plain_words=lambda word: word == "sourdough")
    assert query.authors == ((handle,) if asked else ())
    assert understand("Does the otter agree?", authors=["calibrated_otter"], plain_words=lambda word: True).authors
    assert understand("is quill right?", authors=[handle, "quill"], plain_words=lambda word: False).authors == (
        "quill",
    )


@pytest.mark.parametrize(
    ("question", "authors"),
    [
        ("Is it true that mossgauge predicted rain?", ("mossgauge",)),
        ("summarise filan on rye", ("Daniel Filan",)),
        ("List all of James's complaints about rye", ("James",)),
        ("Best of mossgauge", ("mossgauge",)),
        ("Is mossgauge happier than James about rye?", ("mossgauge", "James")),
        ("What is a Thomas filter?", ()),
    ],
)
def test_a_name_is_found_behind_other_words(question: str, authors: tuple[str, ...]) -> None:
    assert in_town(question).authors == authors


@pytest.mark.parametrize(
    "question", ["Does quill still endorse rye?", "How has quill's thinking on rye evolved since 2015?"]
)
def test_a_stance_may_be_kept_or_change(question: str) -> None:
    query = read(question)
    assert (query.by_time, query.authors, query.topic) == (True, ("quill",), "rye")
    assert (query.since is not None) is ("2015" in question)


@pytest.mark.parametrize(
    ("question", "authors"),
    [
        ("where will bea work", ("Ann Bea Lee",)),
        ("what did severn do in the navy?", ("Paul Severn",)),
        ("is it true that müller sold the mill", ("Zoë Müller",)),
        ("why does lee harden in winter", ()),  # the comments write "the lee of the hill"
        ("what is a severn barge", ()),
        ("Where will bea work", ()),  # who writes capitals would have written one here
    ],
)
def test_a_first_name_without_a_capital_is_one_where_the_comments_write_it_no_other_way(
    question: str, authors: tuple[str, ...]
) -> None:
    assert read(question, small_words=lambda word: word == "lee").authors == authors


@pytest.mark.parametrize(
    "question",
    [
        "quote where quill talks about rye",
        "Can you show me the passages where quill wrote about rye?",
        "Where does quill speak of rye?",
    ],
)
def test_where_somebody_speaks_of_something_is_a_place_among_the_comments(question: str) -> None:
    assert (read(question).text, read(question).topic) == ("What does quill say about rye?", "rye")
    assert read("Where does quill talk to sailors about rye?").text.startswith("Where")


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Summarise the discussion of rye bread", "What is said about rye bread?"),
        ("Can you give me a short summary of the thread on the levain, please?", "What is said about the levain?"),
        ("tl;dr of the rye bread debate", "What is said about the rye bread?"),
        ("What was the rye bread discussion all about?", "What is said about the rye bread?"),
        ("What's the gist of the posts about rye?", "What is said about rye?"),
        ("Overview of opinions on rye", "What is said about rye?"),
        ("What are the key takeaways from the conversation on rye?", "What is said about rye?"),
        ("TL;DR: rye", "rye"),
        ("Summarize what quill says about rye.", "what quill says about rye"),
        ("a summary of quill's comments", "quill's comments"),
    ],
)
def test_the_words_for_a_summary_are_no_topic(question: str, text: str) -> None:
    query = read(question)
    assert (query.text, query.wants_list, query.original) == (text, True, question)


@pytest.mark.parametrize(
    "question",
    [
        "Which summary statistic does quill suggest?",
        "Who gives an overview of rye?",
        "Is the summary of the levain right?",
        "What is rye about?",
        "What was quill's comment about?",
        "What was that discussion about?",
    ],
)
def test_a_question_that_has_such_words_is_left_as_it_is(question: str) -> None:
    assert read(question).text == question


@pytest.mark.parametrize(
    ("question", "text", "oldest"),
    [
        ("When did quill write about rye?", "What did quill say about rye?", False),
        ("In what year did quill first mention rye?", "What did quill say about rye?", True),
        ("When was quill's comment on rye posted?", "What does quill say about rye?", False),
        ("On which day was the post about rye flour written?", "What is said about rye flour?", False),
    ],
)
def test_when_something_was_said_is_told_by_what_was_said(question: str, text: str, oldest: bool) -> None:
    query = read(question)
    assert (query.text, query.when, query.oldest) == (text, True, oldest)


@pytest.mark.parametrize(
    "question",
    ["When did quill write a book about rye?", "When did quill buy rye?", "When did bakers write about rye?"],
)
def test_when_something_happened_is_what_a_comment_must_tell(question: str) -> None:
    assert (read(question).text, read(question).when) == (question, False)


@pytest.mark.parametrize(
    "question",
    [
        "Any thoughts on rye?",
        "Is there anything about rye?",
        "Which comments are about rye?",
        "Are there any posts that deal with rye?",
        "What opinions on rye are there?",
        "comments on rye",
    ],
)
def test_a_question_for_whatever_there_is_names_a_topic_alone(question: str) -> None:
    query = read(question)
    assert (query.text, query.topic, query.original) == ("What is said about rye?", "rye", question)


@pytest.mark.parametrize("opening", ["What's", "Who's", "Why's", "How's", "Where'd"])
def test_a_contraction_before_a_name_is_no_part_of_it(opening: str) -> None:
    query = read(f"{opening} Smith's view on rye?", known_words=lambda word: word.casefold() == "rye")
    assert (query.unknown_authors, query.topic) == (("Smith",), "rye")


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Hello, what does quill say about rye? Thanks!", "what does quill say about rye?"),
        ("Hi there! I was wondering what rye is, thank you in advance.", "what rye is"),
        ("Good evening. Does quill like rye?", "Does quill like rye?"),
        ("What does quill say about thanks?", "What does quill say about thanks?"),
        ("Hello world is what?", "Hello world is what?"),
        ("Thanks!", "Thanks!"),
    ],
)
def test_courtesy_is_no_part_of_a_question(question: str, text: str) -> None:
    assert (read(question).text, read(question).original) == (text, question)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What Does Quill Say About Rye?", "what does quill say about rye?"),
        ("What Does Quill Say about the Rye on AI Farms?", "what does quill say about the rye on AI farms?"),
        ("What Is the Use of AI in iPhone Ovens?", "what is the use of AI in iPhone ovens?"),
        ("What does Quill Say About rye?", None),
        ("What did Will say of Rye?", None),
        ("Who Said That? Quill?", "who said that? quill?"),
        ("Is It Quill who said that?", None),
        ("Rye?", None),
    ],
)
def test_capitals_of_a_title_mark_no_names(question: str, text: str | None) -> None:
    assert in_sentence_case(question) == (text or question)


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("How often should one update forecasts?", "update forecasts"),
        ("Should I trust predictions about rye?", "trust predictions rye"),
        ("How often should one say so?", ""),
    ],
)
def test_what_one_does_something_to_is_the_topic(question: str, topic: str) -> None:
    assert read(question).topic == topic


@pytest.mark.parametrize(
    ("question", "ranked", "topic"),
    [
        ("What is the most upvoted comment about rye?", "highest", "rye"),
        ("Which comment on rye got the most votes?", "highest", "rye"),
        ("quill's top posts", "highest", ""),
        ("Which comments on rye have the lowest karma?", "lowest", "rye"),
        ("Whose comment was downvoted the most?", "lowest", ""),
        ("Which baker has the most points?", "", "baker"),
        ("What is the most popular rye bread?", "", "popular rye bread"),
        ("Which loaf is best rated?", "", "loaf best"),
        ("What is the best answer to mould?", "", "best mould"),
    ],
)
def test_which_end_of_the_karma_is_asked_for(question: str, ranked: str, topic: str) -> None:
    assert (read(question).ranked, read(question).topic) == (ranked, topic)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Did quill ever admit that he was wrong about rye?", "Did quill ever changed their mind about rye?"),
        ("Who took back anything they had said about rye?", "Who changed their mind about rye?"),
        ("Who corrected the recipe?", "Who corrected the recipe?"),
        ("Who admitted guests?", "Who admitted guests?"),
    ],
)
def test_who_takes_something_back_changes_their_mind(question: str, text: str) -> None:
    assert (read(question).text, read(question).original) == (text, question)


def test_an_author_is_recognised_in_a_title() -> None:
    query = read("What Does Quill Say About Rye?")
    assert (query.authors, query.unknown_authors, query.topic) == (("quill",), (), "rye")


def test_whose_opinion_is_asked_for_may_stand_behind_it() -> None:
    assert (read("Opinion of quill on rye").authors, read("Opinion of quill on rye").topic) == (("quill",), "rye")


@pytest.mark.parametrize(
    ("question", "topic", "excluded"),
    [
        ("What did quill say about wheat but not about rye?", "wheat", "rye"),
        ("Who writes about wheat, but not rye?", "wheat", "rye"),
        ("What was said on wheat but never on the rye of Tarn?", "wheat", "the rye of Tarn"),
        ("What does quill say about wheat, but not in winter?", "wheat winter", ""),
        ("Does quill write about wheat but not enough?", "wheat enough", ""),
        ("Who talks about rye but not quill?", "rye", ""),
    ],
)
def test_what_the_words_must_not_be_about_is_no_topic(question: str, topic: str, excluded: str) -> None:
    query = read(question)
    assert (query.topic, query.excluded) == (topic, excluded)


def test_what_speaks_of_what_is_left_out_does_not_answer() -> None:
    query = read("What did quill say about wheat but not about rye?")
    wheat = Passage("1", "1", "quill", "Wheat rises.", "s", 0, 12)
    assert admits(query, wheat)
    assert not admits(query, replace(wheat, text="Wheat rises, rye does not."))


@pytest.mark.parametrize(
    "question",
    ["What was said about rye before 2021 by quill?", "What was written on rye before 2021, by quill?", "comments on rye before 2021 by quill"],
)  # fmt: skip
def test_who_wrote_may_stand_behind_the_period(question: str) -> None:
    query = read(question)
    assert (query.authors, query.until, query.topic) == (("quill",), end(2020, 12, 31), "rye")


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("How long does rye keep?", "rye keep"),
        ("How long did it take quill to mill rye?", "mill rye"),
        ("Are long loaves better?", "long loaves better"),
    ],
)
def test_how_long_is_no_topic(question: str, topic: str) -> None:
    assert read(question).topic == topic


def test_a_comparison_with_nobody_asks_the_one_who_is_here() -> None:
    query = one_sided(read("Compare quill and Nadia Ferrante on rye"))
    assert (query.compare, query.text, query.unknown_authors) == (
        False,
        "What does quill think about rye?",
        ("Nadia Ferrante",),
    )
    both = read("Compare quill and Ann Lee on rye")
    assert one_sided(both) is both
