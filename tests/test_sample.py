"""The sample corpus is invented and consistent, and its questions point at exact words."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "rag" / "sample"
COMMENTS = SAMPLE / "comments"
SEEDS = ROOT.parent / "shared" / "seeds"

OLDER, NEWER, BARE = "brine_ledgerwick_2022-11.txt", "brine_ledgerwick_2024-06.txt", "quill_ferrotype.txt"
PEOPLE = {
    "Brine Ledgerwick",
    "Lambda Pudding",
    "Quill Ferrotype",
    "calibrated_otter",
    "mossgauge",
    "new_here_2021",
    "ohm_sweet_ohm",
    "tidewright_77",
}
REAL_PEOPLE = set(
    re.findall(
        "[a-z]+",
        "alexander anthis christiano davidad demski eliezer garrabrant gwern habryka hanson jacy karnofsky kokotajlo "
        "ngo payor raemon scott sentience shlegeris soares steinhardt turntrout wentworth yudkowsky zvi",
    )
)
MINIMUM = {
    "direct": 30,
    "paraphrase": 25,
    "by-author": 20,
    "compare": 15,
    "list": 12,
    "follow-up": 15,
    "unanswerable": 35,
}


def read_text(name: str) -> str:
    return (COMMENTS / name).read_bytes().decode("utf-8")


@cache
def rows() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in map(json.loads, read_text("thread.jsonl").splitlines())}


@cache
def questions() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


@cache
def gold() -> dict[str, dict[str, Any]]:
    return json.loads((ROOT / "tests" / "data" / "sample_gold.json").read_text(encoding="utf-8"))


def source_text(source: str) -> str:
    name, _, row = source.partition("#")
    return rows()[row]["text"] if row else read_text(name)


def author_at(source: str, start: int) -> str:
    name, _, row = source.partition("#")
    if row:
        return rows()[row]["author"]
    for comment in gold()[name]["comments"]:
        quoted = comment.get("quoted", (0, 0))
        if quoted[0] <= start < quoted[1]:
            return rows()[comment["quoted_from"].partition("#")[2]]["author"]
    return gold()[name]["author"]


def test_over_a_hundred_different_comments_by_eight_people():
    dumped = {comment["key"] for dump in gold().values() for comment in dump["comments"] if "same_as" not in comment}
    assert (len(rows()), len(dumped), {row["author"] for row in rows().values()}) == (77, 38, PEOPLE)
    assert {dump["author"] for dump in gold().values()} <= PEOPLE


def test_rows_answer_earlier_rows_of_their_own_thread():
    for row in rows().values():
        if row["parent_id"] is not None:
            parent = rows()[row["parent_id"]]
            assert parent["thread_id"] == row["thread_id"], row["id"]
            assert datetime.fromisoformat(parent["posted_at"]) < datetime.fromisoformat(row["posted_at"]), row["id"]


def test_every_line_of_a_dump_is_profile_chrome_or_comment():
    for name, dump in gold().items():
        text = read_text(name)
        lines = text.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        covered = {number - 1 for number in dump["profile_lines"] + dump["chrome_lines"]}
        for comment in dump["comments"]:
            assert starts[comment["line"] - 1] == comment["start"], comment["key"]
            covered |= {n for n in range(len(lines)) if comment["start"] <= starts[n] < comment["end"]}
        assert [line for n, line in enumerate(lines) if n not in covered and line] == [], name
        assert all(a["end"] < b["start"] for a, b in pairwise(dump["comments"])), name


def test_one_dump_has_blank_lines_between_paragraphs_and_one_has_none():
    assert "\n\n" in read_text(OLDER)
    assert "\n\n" not in read_text(BARE)


def test_lost_formulas_leave_gaps_but_no_traces():
    assert "$" not in read_text(BARE)
    gaps = [gap for comment in gold()[BARE]["comments"] for gap in comment.get("gaps", ())]
    assert len(gaps) == 15
    assert "Write when is used times, with , and presto" in read_text(BARE)


def test_the_later_snapshot_overlaps_and_holds_one_edited_comment():
    wording = {
        name: {c["key"]: read_text(name)[c["start"] : c["end"]] for c in gold()[name]["comments"]}
        for name in (OLDER, NEWER)
    }
    both = wording[OLDER].keys() & wording[NEWER].keys()
    assert (len(both), len(wording[OLDER]), len(wording[NEWER])) == (10, 16, 19)
    assert {key for key in both if wording[OLDER][key] != wording[NEWER][key]} == {"brine-15"}


def test_some_comments_stand_in_a_dump_and_in_the_thread():
    words = [
        (
            re.findall(r"\w+", read_text(name)[comment["start"] : comment["end"]]),
            set(re.findall(r"\w+", source_text(comment["same_as"]))),
        )
        for name, dump in gold().items()
        for comment in dump["comments"]
        if "same_as" in comment
    ]
    assert len(words) == 11
    assert all(set(dumped) <= exported for dumped, exported in words)


def test_replies_that_open_with_a_quotation_quote_somebody_else():
    quoted = [(name, c) for name, dump in gold().items() for c in dump["comments"] if "quoted" in c]
    assert len(quoted) == 5
    for name, comment in quoted:
        words = read_text(name)[slice(*comment["quoted"])]
        assert words in source_text(comment["quoted_from"])
        assert author_at(comment["quoted_from"], 0) != gold()[name]["author"]


def test_every_gold_span_is_its_quote_by_its_author():
    for question in questions():
        for span in question["gold"]:
            for place in (span, *span.get("also", ())):
                found = source_text(place["source"])[place["start"] : place["end"]]
                where = source_text(place["source"]).find(span["quote"])
                assert found == span["quote"], f"{question['id']}: {place['source']} has these words at {where}"
                assert author_at(place["source"], place["start"]) == span["author"], question["id"]


def test_gold_spans_lie_within_one_comment_or_the_profile():
    for question in questions():
        for span in question["gold"]:
            if "#" in span["source"]:
                continue
            comments = gold()[span["source"]]["comments"]
            inside = [c for c in comments if c["start"] <= span["start"] and span["end"] <= c["end"]]
            assert inside or span["end"] < comments[0]["start"], question["id"]


def test_there_are_enough_questions_of_each_type_in_both_halves():
    for split in ("tune", "report"):
        counts = Counter(question["type"] for question in questions() if question["split"] == split)
        assert counts.keys() == MINIMUM.keys()
        assert {name for name, least in MINIMUM.items() if counts[name] < least // 2} == set()
    assert len({question["id"] for question in questions()}) == len(questions())
    assert len({(q["question"], json.dumps(q.get("history"))) for q in questions()}) == len(questions())


def test_types_keep_their_promises():
    for question in questions():
        spans, kind, name = question["gold"], question["type"], question["id"]
        assert bool(spans) == (kind != "unanswerable"), name
        assert set(question.get("authors", ())) <= PEOPLE, name
        if kind == "compare":
            assert {span["author"] for span in spans} == set(question["authors"]), name
        if kind == "by-author":
            assert {span["author"] for span in spans} == set(question["authors"]), name
        if kind == "list":
            assert len(spans) > 1, name
        if kind == "follow-up":
            assert [turn["role"] for turn in question["history"]] == ["user", "assistant"], name
        if kind == "unanswerable":
            assert question["near_miss"] in ("author", "topic", "none"), name
            assert (question["near_miss"] == "author") == bool(question.get("authors")), name


def test_paraphrases_share_few_words_with_what_answers_them():
    shared = {"direct": [], "paraphrase": []}
    for question in questions():
        if question["type"] in shared:
            asked = content_words(question["question"])
            answered = set().union(*(content_words(span["quote"]) for span in question["gold"]))
            shared[question["type"]].append(len(asked & answered) / len(asked))
    means = {kind: sum(values) / len(values) for kind, values in shared.items()}
    assert means["paraphrase"] < 0.1
    assert means["direct"] > 0.4


def test_nobody_real_is_named_and_every_link_leads_nowhere():
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SAMPLE.rglob("*")) if path.is_file())
    assert set(re.findall(r"[a-z]+", text.lower())) & REAL_PEOPLE == set()
    hosts = set(re.findall(r"https?://([^/\s\"]+)", text))
    assert {host for host in hosts if not (host == "example.org" or host.endswith(".example.org"))} == set()


@pytest.mark.skipif(not SEEDS.is_dir(), reason="no real dumps in ../shared/seeds to compare with")
def test_nothing_was_taken_from_the_real_dumps():
    real = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt")))
    spans = [
        read_text(name)[comment["start"] : comment["end"]]
        for name, dump in gold().items()
        for comment in dump["comments"]
    ]
    ours = "\n".join([*spans, *(row["text"] for row in rows().values())])
    assert runs_of_words(real) & runs_of_words(ours) == set()


def test_ingesting_the_comments_never_reads_the_questions():
    sidecars = [f"{name}.meta.json" for name in (OLDER, NEWER)]
    assert {path.name for path in COMMENTS.iterdir()} == {OLDER, NEWER, BARE, "thread.jsonl", *sidecars}
    assert (SAMPLE / "questions.jsonl").is_file()


def content_words(text: str) -> set[str]:
    """Words of four letters or more, cut to five so that most inflections fall together."""
    return {word[:5] for word in re.findall(r"[a-z0-9]{4,}", text.lower())}


def runs_of_words(text: str, length: int = 7) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(zip(*(words[i:] for i in range(length)), strict=False))
