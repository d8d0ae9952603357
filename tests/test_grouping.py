"""Which sightings are one comment, whoever comes first; and what comments are called."""

from __future__ import annotations

import random
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from ingest.snapshots import Sighting, Snapshots
from rag.index.corpus import Corpus
from rag.index.database import encode

LONG = (
    "The harbour of Lowmoor silts up because the dredger was sold, and nobody on the council wants to say for how much."
)
EDITED = LONG.replace("on the council", "in the council")
OTHER = "Bread rises slower in a cold kitchen, so plan for a longer proof overnight and do not trust the clock at all."
SHORT = "Thanks!"
DRAWN, DRAWN_2 = "aB3dE5gH7jK9mN1pQ", "zB3dE5gH7jK9mN1pQ"
HERE, THERE = "https://here.example/c?id=", "https://there.example/c?id="


class P(NamedTuple):
    """A piece: the file, what is said, by whom, and what else the row tells."""

    file: str
    text: str
    author: str | None = None
    id: str | None = None
    more: dict = {}  # noqa: RUF012


class Index:
    """Pieces as an ingest files them."""

    def __init__(self) -> None:
        self.corpus = Corpus(Path(":memory:"))
        self.snapshots = Snapshots(self.corpus.connection)

    def add(self, number: int, piece: P) -> None:
        source = f"{piece.file}#{piece.id or f'L{number}'}"
        row = (source, piece.file, "comment", "", encode(piece.text), "{}")
        self.corpus.connection.execute("INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?)", row)
        values = {"native_id": piece.id, "author": piece.author, **piece.more}
        self.snapshots.add(Sighting(source, 0, len(piece.text), piece.text, "comment", **values))

    def remove(self, number: int, piece: P) -> None:
        source = f"{piece.file}#{piece.id or f'L{number}'}"
        self.snapshots.remove(source)
        self.corpus.connection.execute("DELETE FROM sources WHERE name = ?", (source,))

    def comments(self) -> dict[str, set[str]]:
        """Sources of the pieces by the id of their comment."""
        self.snapshots.dirty.clear()
        found: dict[str, set[str]] = {}
        for row in self.corpus.connection.execute("SELECT comment_id, source FROM pieces"):
            found.setdefault(row["comment_id"], set()).add(row["source"])
        return found


@pytest.fixture
def index() -> Index:
    return Index()


def partition(index: Index, pieces: list[P]) -> list[list[int]]:
    """Numbers of the pieces that are one comment."""
    numbers = {f"{piece.file}#{piece.id or f'L{n}'}": n for n, piece in enumerate(pieces)}
    return sorted(sorted(numbers[source] for source in sources) for sources in index.comments().values())


DATE, DAY = datetime.fromisoformat("2024-05-31T12:34:56+00:00"), datetime.fromisoformat("2024-05-31T00:00:00+00:00")
CASES = {
    "two people, the same words": ([P("a", LONG, "Alice"), P("a", LONG, "Bob")], [[0], [1]]),
    "two people, the same short words": ([P("a", SHORT, "Alice"), P("b", SHORT, "Bob")], [[0], [1]]),
    "a person in two dumps": ([P("a", LONG, "Alice"), P("b", LONG, "alice ")], [[0, 1]]),
    "a name in other signs that look the same": ([P("a", LONG, "Jos\u00e9 M."), P("b", LONG, "Jose\u0301\u00a0M.\u200b")], [[0, 1]]),
    "a person's short words in two dumps": ([P("a", SHORT, "Alice"), P("b", SHORT, "Alice")], [[0, 1]]),
    "short words of nobody known": ([P("a", SHORT), P("b", SHORT)], [[0], [1]]),
    "short words of a profile without a name": (
        [P("a", SHORT, more={"label": "unnamed profile (a.example)"}), P("b", SHORT, more={"label": "unnamed profile (a.example)"}),
         P("c", SHORT, more={"label": "unnamed profile (c.example)"})], [[0, 1], [2]]),
    "nearly the same words of two people": ([P("a", LONG, "Alice"), P("b", EDITED, "Bob")], [[0], [1]]),
    "nearly the same words of one": ([P("a", LONG, "Alice"), P("b", EDITED, "Alice")], [[0, 1]]),
    "nearly the same words twice in one file": ([P("a", LONG, "Alice"), P("a", EDITED, "Alice")], [[0], [1]]),
    "each edit to its own": (
        [P("a", LONG, "Alice"), P("a", EDITED, "Alice"), P("b", LONG, "Alice"), P("b", EDITED, "Alice")], [[0, 2], [1, 3]]),
    "a copy without author, of one person": ([P("a", LONG, "Alice", "x1"), P("b", LONG)], [[0, 1]]),
    "a copy without author, of two": (
        [P("a", LONG, "Alice", "x1"), P("a", LONG, "Bob", "x2"), P("b", LONG)], [[0], [1], [2]]),
    "two copies without author, of two": (
        [P("a", LONG, "Alice"), P("b", LONG, "Bob"), P("c", LONG), P("d", LONG)], [[0], [1], [2, 3]]),
    "a nearly equal copy without author, of two": (
        [P("a", LONG, "Alice"), P("b", LONG, "Bob"), P("c", EDITED)], [[0], [1], [2]]),
    "a nearly equal copy between two people": (
        [P("a", LONG, "Alice"), P("b", EDITED), P("c", EDITED, "Bob")], [[0], [1, 2]]),
    "row numbers of unrelated files": ([P("a", LONG, "Alice", "1"), P("b", OTHER, "Carol", "1")], [[0], [1]]),
    "row numbers, nobody named": ([P("a", LONG, None, "1"), P("b", OTHER, None, "1")], [[0], [1]]),
    "row numbers of one person": ([P("a", LONG, "Alice", "1"), P("b", OTHER, "Alice", "1")], [[0], [1]]),
    "lettered row numbers of one person": ([P("a", LONG, "Alice", "c1"), P("b", OTHER, "Alice", "c1")], [[0], [1]]),
    "named row numbers of one person": (
        [P("a", LONG, "Alice", "comment-12"), P("b", OTHER, "Alice", "comment-12")], [[0], [1]]),
    "row numbers on one day": (
        [P("a", LONG, None, "1", {"posted_at": DAY}), P("b", OTHER, None, "1", {"posted_at": DAY})], [[0], [1]]),
    "row numbers of one site": (
        [P("a", LONG, None, "1", {"url": f"{HERE}8"}), P("b", OTHER, None, "1", {"url": f"{HERE}9"})], [[0], [1]]),
    "an early number of a site": (
        [P("a", LONG, "Alice", "7", {"url": f"{HERE}7"}), P("b", OTHER, "Alice", "7", {"url": f"{HERE}7"})], [[0, 1]]),
    "row number and moment": (
        [P("a", LONG, None, "1", {"posted_at": DATE}), P("b", OTHER, "Bob", "1", {"posted_at": DATE})], [[0, 1]]),
    "the same id and words": ([P("a", LONG, "Alice", "1"), P("b", LONG, "Alice", "1")], [[0, 1]]),
    "the same id, nearly the same words": ([P("a", LONG, None, "x1"), P("b", EDITED, None, "x1")], [[0, 1]]),
    "the same id, another short wording": ([P("a", SHORT, "Alice", "k3j2h1"), P("b", "No.", "Alice", "k3j2h1")], [[0, 1]]),
    "an id of a forum": ([P("a", LONG, "Alice", DRAWN), P("b", OTHER, None, DRAWN)], [[0, 1]]),
    "an id of a site": (
        [P("a", LONG, None, "k3j2h1", {"url": f"{HERE}k3j2h1"}), P("b", OTHER, None, "k3j2h1", {"url": f"{HERE}k3j2h1"})],
        [[0, 1]]),
    "one id on two sites": (
        [P("a", LONG, None, "k3j2h1", {"url": f"{HERE}1"}), P("b", OTHER, None, "k3j2h1", {"url": f"{THERE}1"})], [[0], [1]]),
    "one id for two people": ([P("a", LONG, "Alice", DRAWN), P("b", OTHER, "Bob", DRAWN)], [[0], [1]]),
    "who changed the name": ([P("a", LONG, "Alice", DRAWN), P("b", EDITED, "Alice Lee", DRAWN)], [[0, 1]]),
    "cross-post": ([P("a", LONG, "Alice", DRAWN), P("b", LONG, "Alice", DRAWN_2)], [[0, 1]]),
    "cross-post of nobody known": ([P("a", LONG, None, DRAWN), P("b", LONG, None, DRAWN_2)], [[0], [1]]),
    "said twice in a file, and once elsewhere": (
        [P("a", LONG, "Alice", "x1"), P("a", LONG, "Alice", "x2"), P("b", LONG, "Alice", "y1")], [[0], [1], [2]]),
    "said twice in an export, and in a dump": (
        [P("a", LONG, "Alice", "x1"), P("a", LONG, "Alice", "x2"), P("b", LONG, "Alice")], [[0, 2], [1]]),
    "two exports of what was said twice": (
        [P("a", LONG, "Alice", "x1"), P("a", EDITED, "Alice", "x2"), P("b", LONG, "Alice", "x1"), P("b", EDITED, "Alice", "x2")],
        [[0, 2], [1, 3]]),
}  # fmt: skip


@pytest.mark.parametrize(("pieces", "expected"), CASES.values(), ids=CASES.keys())
def test_pieces_are_one_comment(pieces: list[P], expected: list[list[int]], index: Index) -> None:
    for number, piece in enumerate(pieces):
        index.add(number, piece)
    assert partition(index, pieces) == expected


def pool(rng: random.Random) -> list[P]:
    """Pieces with much in common."""
    found: dict[str, P] = {}
    for number in range(rng.randint(3, 14)):
        id = rng.choice((None, None, "1", "x1", "x2", DRAWN))
        more = {"url": rng.choice((f"{HERE}{id}", f"{THERE}{id}"))} if id and rng.random() < 0.4 else {}
        author, text = rng.choice((None, "Alice", "Bob")), rng.choice((LONG, LONG, EDITED, OTHER, SHORT))
        piece = P(rng.choice("abcd"), text, author, id, more)
        found.setdefault(f"{piece.file}#{id or number}", piece)
    return list(found.values())


@pytest.mark.parametrize("seed", range(40))
def test_order_and_what_was_removed_again_leave_no_trace(seed: int) -> None:
    rng = random.Random(seed)
    pieces = list(enumerate(pool(rng)))
    together = Index()
    for number, piece in pieces:
        together.add(number, piece)
    one_by_one = Index()
    for number, piece in rng.sample(pieces, len(pieces)):
        one_by_one.add(number, piece)
        one_by_one.comments()
    for number, piece in rng.sample(pieces, len(pieces) // 2):
        one_by_one.remove(number, piece)
        one_by_one.comments()
        one_by_one.add(number, piece)
    assert one_by_one.comments() == together.comments()


def test_ids_do_not_change_when_files_are_renamed() -> None:
    pieces = [piece for piece in pool(random.Random(1)) if piece.text != SHORT]
    first, second = Index(), Index()
    for number, piece in enumerate(pieces):
        first.add(number, piece)
        second.add(number, piece._replace(file={"a": "z", "b": "y", "c": "x", "d": "w"}[piece.file]))
    assert first.comments().keys() == second.comments().keys()


EARLY, LATE = (datetime.fromisoformat(f"202{year}-01-01T00:00:00+00:00") for year in (2, 4))
NEWER = {
    "seen": ({"seen_at": LATE}, {"seen_at": EARLY}),
    "seen, whatever the file says": ({"seen_at": LATE, "modified_at": EARLY}, {"seen_at": EARLY, "modified_at": LATE}),
    "edited": ({"extra": {"edited_at": LATE.isoformat()}}, {"extra": {"edited_at": EARLY.isoformat()}}),
    "edited after the other was seen": ({"extra": {"edited_at": LATE.isoformat()}}, {"seen_at": EARLY}),
    "edited, whatever the file says": ({"extra": {"lastEditedAt": LATE.isoformat()}}, {"modified_at": LATE}),
    "edited, and no date": ({"modified_at": LATE, "extra": {"edited_at": "lately"}}, {"modified_at": EARLY, "extra": {"edited_at": 3}}),
    "file": ({"modified_at": LATE}, {"modified_at": EARLY}),
    "file, in one copy": ({"modified_at": EARLY, "rank": 3}, {"modified_at": EARLY.replace(second=3)}),
}  # fmt: skip


@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize(("new", "old"), NEWER.values(), ids=NEWER.keys())
def test_newer_snapshot_is_shown(new: dict, old: dict, names: str, index: Index) -> None:
    index.add(0, P(names[0], LONG, "Alice", DRAWN, {**new, "karma": 9.0}))
    index.add(1, P(names[1], OTHER, "Alice", DRAWN, {**old, "karma": 3.0}))
    comment = index.snapshots.comment(DRAWN)
    assert (comment.text, comment.karma) == (LONG, 9.0)
    (version,) = comment.versions
    date = old.get("seen_at") or old.get("modified_at")
    assert (version.span.source, version.seen_at) == (f"{names[1]}#{DRAWN}", date)
    assert version.of_file == ("seen_at" not in old and date is not None)


def test_of_files_without_any_date_the_later_name_is_newer(index: Index) -> None:
    for number, name in enumerate(("export-2022-01.csv", "export-2024-01.csv", "export-2023-01.csv")):
        index.add(number, P(name, (LONG, OTHER, EDITED)[number], "Alice", DRAWN))
    assert index.snapshots.comment(DRAWN).text == OTHER


def parents(index: Index) -> dict[str, str | None]:
    found = (index.snapshots.comment(id) for id in index.comments())
    return {comment.text: comment.parent_id for comment in found if comment}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_reply_finds_its_parent_under_the_id_of_the_cross_post(order: tuple[int, ...], index: Index) -> None:
    pieces = (
        P("a", LONG, "Alice", DRAWN_2),
        P("b", LONG, "Alice", DRAWN),
        P("c", OTHER, "Bob", "y1", {"parent_id": DRAWN_2}),
    )
    for number in order:
        index.add(number, pieces[number])
        index.comments()
    assert parents(index)[OTHER] == DRAWN
    index.snapshots.dirty.clear()
    index.remove(1, pieces[1])
    assert "y1" in index.snapshots.dirty
    assert parents(index)[OTHER] == DRAWN_2
    index.remove(0, pieces[0])
    assert parents(index)[OTHER] == DRAWN_2  # as it says itself


def test_reply_to_a_row_number_stays_in_its_file(index: Index) -> None:
    replies = {file: P(file, f"{SHORT} {file}", "Bob", "2", {"parent_id": "1"}) for file in "abc"}
    for number, piece in enumerate((P("a", LONG, "Alice", "1"), P("b", OTHER, "Carol", "1"), *replies.values())):
        index.add(number, piece)
    ids = {source: id for id, sources in index.comments().items() for source in sources}
    assert ids["a#1"] != ids["b#1"]
    assert [parents(index)[replies[file].text] for file in "abc"] == [ids["a#1"], ids["b#1"], None]


def test_reply_finds_its_parent_in_another_file_of_the_site_only(index: Index) -> None:
    here, there = {"url": f"{HERE}k3j2h1"}, {"url": f"{THERE}k3j2h1"}
    for number, piece in enumerate((P("a", LONG, "Alice", "k3j2h1", here), P("b", OTHER, "Bob", "k3j2h1", there))):
        index.add(number, piece)
    index.add(2, P("c", EDITED, "Cy", "y1", {"url": f"{THERE}y1", "parent_id": "k3j2h1"}))
    index.add(3, P("d", SHORT, "Di", "y2", {"parent_id": "k3j2h1"}))
    ids = {source: id for id, sources in index.comments().items() for source in sources}
    assert (parents(index)[EDITED], parents(index)[SHORT]) == (ids["b#k3j2h1"], None)


@pytest.mark.slow
def test_many_nearly_equal_comments_take_time_in_proportion(index: Index) -> None:
    """A robot's words to everybody: each its own comment, in an export and in a later one."""
    text = f"Welcome user{{}} to the forum of Lowmoor. {LONG} I am a robot, and this was done automatically."
    started = time.process_time()
    for file in "ab":
        for number in range(400):
            index.add(number, P(file, text.format(number), "Robot", f"robot{number}"))
    assert {len(sources) for sources in index.comments().values()} == {2}
    assert time.process_time() - started < 20
