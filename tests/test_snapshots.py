"""The same comment seen twice is one comment, whoever comes first; others stay apart."""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ingest
import rag
from ingest.fingerprints import line_keys, near_duplicate_bands, similarity, text_hash
from rag.index.corpus import Corpus
from rag.settings import Settings

from indexing import write_rows  # isort: skip

LONG = (
    "I measured the tidal range at the old quay for a month, with a float in a pipe and a pencil on a drum. "
    "The highest water came two days after the full moon, not on the day itself, and the barometer explains the rest."
)
EDITED = LONG.replace("a month", "six weeks")
CHROME = "Ada Byron\n\nI sail.\n\nPosts\n\nSorted by New\n\nWiki Contributions\n\nComments\n\n"
OTHER = "Strong upvoted. What would you use in place of the drum, if paper could not be had at sea?"


def read(settings: Settings, folder: Path, **files: str | list[dict]) -> list[rag.Comment]:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("_", ".")
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            write_rows(path, content)
    ingest.ingest(folder, settings=settings)
    return list(rag.comments(settings=settings))


def row(id: str, text: str = LONG, author: str | None = "Ada Byron", **more: object) -> dict:
    return {"id": id, "author": author, "text": text, **more}


def test_two_snapshots_of_a_dump_give_one_comment_with_two_sightings(settings: Settings, tmp_path: Path) -> None:
    found = read(settings, tmp_path / "in", old_txt=f"{CHROME}{LONG}\n", new_txt=f"{CHROME}{OTHER}\n\n{LONG}\n")
    assert [(c.text, [span.source for span in c.sightings]) for c in found] == [
        (OTHER, ["new.txt"]),
        (LONG, ["new.txt", "old.txt"]),
    ]
    for comment, span in ((c, span) for c in found for span in c.sightings):
        assert rag.source_text(span.source, settings=settings)[span.start : span.end] == comment.text


@pytest.mark.parametrize("old", ["a.txt", "z.txt"])
@pytest.mark.parametrize("dated", [False, True])
def test_what_a_newer_snapshot_tells_of_a_person_comes_before_what_an_older_one_did(
    settings: Settings, tmp_path: Path, old: str, dated: bool
) -> None:
    new = "m.txt"
    texts = {
        old: f"{CHROME}{LONG}\n",
        new: CHROME.replace("I sail.", "I work as a harbour pilot.") + f"{OTHER}\n\n{LONG}\n",
    }
    if dated:
        # A comment that was deleted in between tells the wrong order.
        texts = {old: texts[old].replace(LONG, f"{OTHER}\n\n{LONG}"), new: texts[new].replace(f"{OTHER}\n\n", "")}
        for year, name in enumerate((old, new), 2020):
            (tmp_path / f"{name}.meta.json").write_text(json.dumps({"seen_at": f"{year}-01-01"}), encoding="utf-8")
    for name, text in texts.items():
        (tmp_path / name).write_text(text.replace("I sail.", "I work as a boat builder."), encoding="utf-8")
    ingest.ingest(tmp_path, settings=settings)
    (citation,) = rag.answer("What is Ada Byron's job?", settings=settings).citations
    assert (citation.source, citation.passage.outdated) == (new, False)
    answer = rag.answer("Is Ada Byron a boat builder?", settings=settings)
    assert "profile in an earlier snapshot" in answer.text
    assert [c.passage.outdated for c in answer.citations if c.source == old] == [True]


def test_row_and_dump_give_one_comment_that_the_row_describes(settings: Settings, tmp_path: Path) -> None:
    (found,) = read(settings, tmp_path / "in", dump_txt=f"{CHROME}{LONG}\n", rows_jsonl=[row("x1", karma=5)])
    assert (found.id, found.karma, found.border_confidence) == ("x1", 5, 1.0)
    assert [span.source for span in found.sightings] == ["rows.jsonl#x1", "dump.txt"]


def test_edited_comment_is_one_with_its_older_wording_as_version(settings: Settings, tmp_path: Path) -> None:
    rows = {"a": row("x1", seen_at="2020-01-01"), "b": row("x1", EDITED, seen_at="2021-01-01")}
    (found,) = read(settings, tmp_path / "in", a_jsonl=[rows["a"]], b_jsonl=[rows["b"]])
    assert found.id == "x1"
    assert len(found.sightings) == 2
    ((span, seen_at, of_file),) = ((version.span, version.seen_at, version.of_file) for version in found.versions)
    assert (span.source, seen_at, of_file) == ("a.jsonl#x1", datetime(2020, 1, 1, tzinfo=UTC), False)


def test_nearly_equal_texts_of_two_dumps_are_one_comment(settings: Settings, tmp_path: Path) -> None:
    new = f"{CHROME}{OTHER}\n\n{EDITED}\n"
    found = read(settings, tmp_path / "in", new_txt=new, old_txt=f"{CHROME}{LONG}\n")
    assert [(c.text, len(c.sightings), len(c.versions)) for c in found] == [(OTHER, 1, 0), (EDITED, 2, 1)]


def test_equal_words_of_two_people_stay_two_comments(settings: Settings, tmp_path: Path) -> None:
    found = read(settings, tmp_path / "in", rows_jsonl=[row("x1"), row("x2", author="Bo")])
    assert [(c.id, c.author) for c in found] == [("x1", "Ada Byron"), ("x2", "Bo")]


def test_equal_words_in_two_rows_of_a_file_were_said_twice(settings: Settings, tmp_path: Path) -> None:
    found = read(settings, tmp_path / "in", rows_jsonl=[row("x1"), row("x2")])
    assert [c.id for c in found] == ["x1", "x2"]
    assert len(rag.search("tidal range at the old quay", settings=settings)) == 1


def test_cross_post_of_one_person_on_two_sites_is_one_comment(settings: Settings, tmp_path: Path) -> None:
    (found,) = read(settings, tmp_path / "in", here_jsonl=[row("x2")], there_jsonl=[row("x1")])
    assert (found.id, len(found.sightings)) == ("x1", 2)


def test_comment_is_found_by_every_id_that_it_had(settings: Settings, tmp_path: Path) -> None:
    (before,) = read(settings, tmp_path / "in", old_txt=f"{CHROME}{EDITED}\n")
    read(settings, tmp_path / "in", rows_jsonl=[row("kx2")], more_jsonl=[row("kx3", OTHER, "Bo", parent_id="kx2")])
    found = {c.id: c for c in read(settings, tmp_path / "in", there_jsonl=[row("kx1")])}
    assert found.keys() == {"kx1", "kx3"}
    assert found["kx3"].parent_id == "kx1"
    corpus = Corpus(Path(settings.store) / "index.sqlite3")
    assert [corpus.comment(id) for id in (before.id, "kx1", "kx2")] == [found["kx1"]] * 3
    assert corpus.comment("kx4") is None


def test_post_keeps_its_id_when_its_file_is_renamed(settings: Settings, tmp_path: Path) -> None:
    post = {"_id": "aB3dE5gH7jK9mN1pQ", "postedAt": "2024-01-01T00:00:00Z", "slug": "tides", "title": "Tides",
            "contents": {"markdown": LONG}}  # fmt: skip
    read(settings, tmp_path / "in", old_jsonl=[post])
    (before,) = rag.search("tidal range at the old quay", settings=settings)
    (tmp_path / "in" / "old.jsonl").rename(tmp_path / "in" / "new.jsonl")
    ingest.ingest(tmp_path / "in", settings=settings)
    (after,) = rag.search("tidal range at the old quay", settings=settings)
    assert (after.kind, after.source) == ("document", "new.jsonl#aB3dE5gH7jK9mN1pQ")
    assert after.comment_id == before.comment_id


def test_short_phrases_in_two_sources_stay_apart(settings: Settings, tmp_path: Path) -> None:
    rows = {"a_jsonl": [row("x1", "Thanks!")], "b_jsonl": [row("x2", "Thanks!")]}
    assert [c.id for c in read(settings, tmp_path / "in", **rows)] == ["x1", "x2"]


THREE = ("brine_ledgerwick_2022-11.txt", "brine_ledgerwick_2024-06.txt", "thread.jsonl")


@pytest.fixture(scope="module")
def together(small_sample: Path, tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> list[rag.Comment]:
    """What the three files give in one go."""
    settings = Settings(store=tmp_path_factory.mktemp("together") / "store", cache=model_cache)
    ingest.ingest([small_sample / name for name in THREE], settings=settings)
    return list(rag.comments(settings=settings))


@pytest.mark.slow
def test_the_three_files_hold_each_others_comments(together: list[rag.Comment]) -> None:
    """As rows and in both snapshots, in either alone, and in an older wording."""
    seen = {frozenset(span.source.partition("#")[0] for span in comment.sightings) for comment in together}
    assert {frozenset(THREE), frozenset(THREE[:2]), frozenset(THREE[1:2]), frozenset(THREE[2:])} <= seen
    assert any(comment.versions for comment in together)


@pytest.mark.slow
@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_result_does_not_depend_on_the_order_of_reading(
    order: tuple[int, ...], settings: Settings, small_sample: Path, together: list[rag.Comment]
) -> None:
    """Not in a comment, not in its sightings, not in an id."""
    for n in order:
        ingest.ingest(small_sample / THREE[n], settings=settings)
    assert list(rag.comments(settings=settings)) == together


def test_result_list_never_holds_the_same_words_twice(sample_settings: Settings) -> None:
    for comment in itertools.islice(rag.comments(settings=sample_settings), 0, None, 7):
        hits = rag.search(comment.text[:200], limit=10, settings=sample_settings)
        texts = [text_hash(hit.text) for hit in hits]
        assert len(texts) == len(set(texts))


def test_hash_ignores_what_snapshots_differ_in() -> None:
    assert text_hash("It’s “late”,\nsay\u00a0I.") == text_hash('It\'s "late", say I.')
    assert text_hash("It is 6 %.") != text_hash("It is 8 %.")
    assert text_hash("!!!") != text_hash("???")


WITH_FORMULAS = (
    r"The bound can be improved. Instead of the union over $\epsilon$-nets of size $(3 / \epsilon)^d$ in $\mathbb{R}^d$, chain "
    r"the nets at scales $2^{-k}$ and use that $\sum_k 2^{-k} \sqrt{k d} < \infty$ for every $d$, up to a factor of $2$."
)
WITHOUT = re.sub(r"\$[^$]+\$", "", WITH_FORMULAS)


def test_a_comment_that_lost_its_formulas_is_the_same(settings: Settings, tmp_path: Path) -> None:
    (found,) = read(settings, tmp_path / "in", a_jsonl=[row("x1", WITH_FORMULAS)], b_txt=f"{CHROME}{WITHOUT}\n")
    assert (found.id, found.text, len(found.sightings)) == ("x1", WITH_FORMULAS, 2)
    assert similarity(WITH_FORMULAS, WITHOUT) == 1.0
    assert text_hash(WITH_FORMULAS) != text_hash(WITHOUT)
    assert similarity("```\n$x^2$ is kept as code\n```", "is kept as code") < 1.0


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("**I don't** think that [this] is so at all, by the way.", "I don’t think that this is so at all, by the way.", True),
        ("Let $x_1$ be the tidal range that I measured at the quay.", "Let be the tidal range that I measured at the quay.", True),
        ("> I think that this is so, and not only by the way.", "I think that this is so, and not only by the way.", False),
    ],
)  # fmt: skip
def test_a_line_is_known_by_its_words_and_not_by_what_saving_takes(here: str, there: str, same: bool) -> None:
    assert (line_keys(here) == line_keys(there)) is same


def test_near_duplicates_share_a_band_and_others_do_not() -> None:
    assert set(near_duplicate_bands(LONG)) & set(near_duplicate_bands(EDITED))
    assert not set(near_duplicate_bands(LONG)) & set(near_duplicate_bands(OTHER * 2))
    assert similarity(LONG, EDITED) > 0.8 > 0.1 > similarity(LONG, OTHER)
