"""Fit the numbers that find borders: the network of ingest/border_model.py and the weights of ingest/borders.py.

    python tests/benchmarks/borders.py COMMENTS.jsonl... --out ingest/border_model.npz

reads structured comments (`author`, `text`, and where known `date`, `thread`; the part of `author` before a colon is the
site), makes dumps of them as scrapers do, and prints the weights of borders.py. The invented comments in
ingest/gold/ are read too. No text is stored but phrases of one to four words that at least `AUTHORS` people of two sites
used. Needs torch, which sentence-transformers brings. Not needed to segment anything.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ingest import border_model
from ingest.border_evidence import FEATURES, OLDEST, Embed, evidence, network_inputs
from ingest.border_model import Network, PhraseWeights
from ingest.generated_dumps import (
    BARE,
    COMMENTS,
    MARKING_STYLES,
    STYLES,
    Comment,
    Dump,
    make_dump,
    paragraphs_of,
    read_comments,
)
from ingest.profile_page import Page, take_apart

TOPIC_FEATURES = frozenset({"next_similar", "similar", "similar_short", "similar_first"})
"""Those that need an embedding model."""
FOLDS = 3
"""Authors are dealt into so many parts; whatever is fitted on top of something fitted sees it from the other parts."""
ENSEMBLE = 3
HIDDEN = 48
ROUNDS = 7
AUTHORS = 40
"""A phrase counts if so many people used it."""
LENGTHS = (0.27, 0.2, 0.15, 0.11, 0.08, 0.06, 0.04, 0.03, 0.02, 0.02, 0.02)
"""Share of comments of one, two, ... paragraphs in a made dump, as on forums with long comments."""
PENALTY = 20.0
"""L2, on weights of features scaled to unit variance."""

# --- dumps to learn from ----------------------------------------------------------------------------------------------


def site(author: str) -> str:
    """The part of an author's name before a colon; invented comments have none."""
    return author.rpartition(":")[0]


def real_dumps(comments: Mapping[str, Sequence[Comment]], seed: int = 1) -> list[Dump]:
    """Dumps of structured comments of many people, newest first, with the usual share of long ones."""
    rng = random.Random(seed)
    plain = [style for style in STYLES if style.name not in MARKING_STYLES and style.bullets != "alone"]
    dumps = []
    for author in sorted(comments):
        by_length: dict[int, list[Comment]] = defaultdict(list)
        for comment in comments[author]:
            count = sum(1 for _ in paragraphs_of(str(comment["text"]), BARE))
            by_length[min(count, len(LENGTHS))].append(comment)
        long = sum(len(group) for count, group in by_length.items() if count >= 2)
        for group in by_length.values():
            rng.shuffle(group)
        for number in range(min(8 if _is_rare(author) else 2, max(1, long // 12))):
            chosen = _pick(by_length, rng.randint(10, 22), rng)
            if len(chosen) < 6:
                break
            style = rng.choice(plain)
            text, starts = make_dump([{**comment, "author": "someone"} for comment in chosen], rng, style)
            dumps.append(Dump(f"{author} {number}", text, starts, author, style.name))
    return dumps


def _is_rare(author: str) -> bool:
    """Chat is plentiful, forums are not."""
    return site(author) not in ("", "zulip")


def _pick(by_length: Mapping[int, list[Comment]], wanted: int, rng: random.Random) -> list[Comment]:
    """Comments of one dump, taken out of the groups: at most two of one thread, the newest first."""
    chosen: list[Comment] = []
    threads: dict[Any, int] = defaultdict(int)
    for _ in range(3 * wanted):
        group = by_length.get(rng.choices(range(1, len(LENGTHS) + 1), LENGTHS)[0])
        if len(chosen) >= wanted or not group:
            continue
        comment = group.pop()
        thread = comment.get("thread")
        if threads[thread] < 2 or thread is None:
            threads[thread] += 1
            chosen.append(comment)
    return sorted(chosen, key=lambda comment: str(comment.get("date", "")), reverse=True)


def invented_dumps(repeats: int = 4) -> list[Dump]:
    """Dumps of the invented comments without marks of the page, several orders per author."""
    rng = random.Random(11)
    plain = [style for style in STYLES if style.name not in MARKING_STYLES]
    dumps = []
    for number, (author, comments) in enumerate(sorted(read_comments(COMMENTS).items())):
        for turn in range(repeats):
            style = replace(plain[(number + turn) % len(plain)], heads="none")
            shuffled = comments if turn == 0 else sorted(comments, key=lambda comment: rng.random())
            text, starts = make_dump(shuffled, rng, style)
            dumps.append(Dump(f"{author} {turn}", text, starts, author, style.name))
        style = (STYLES[5], STYLES[6])[number % 2]
        text, starts = make_dump(comments, rng, style)
        dumps.append(Dump(f"{author} {style.name}", text, starts, author, style.name))
    return dumps


def reordered(dump: Dump, rng: random.Random, most: int | None = None) -> Dump:
    """The same comments in another order, so that other neighbours are met.

    Args:
        most: Keep so many of them; pages with few comments are common.
    """
    ends = [*dump.starts[1:], len(dump.text)]
    pieces = [dump.text[start:end].strip("\r\n") for start, end in zip(dump.starts, ends, strict=True)]
    pieces[-1] = pieces[-1].removesuffix("Load More").strip("\r\n")
    head = dump.text[: dump.starts[0]]
    gap = head[len(head.rstrip("\r\n")) :] or "\n"
    rng.shuffle(pieces)
    starts, text = [], head
    for piece in pieces[:most]:
        starts.append(len(text))
        text += piece + gap
    return replace(dump, text=text, starts=tuple(starts))


# --- phrases ----------------------------------------------------------------------------------------------------------


def fit_phrases(comments: Mapping[str, Sequence[Comment]], authors: Collection[str]) -> PhraseWeights:
    """Logistic regression of "begins a comment" and "ends one" on the phrases of a paragraph."""
    first, last, weight, who = [], [], [], []
    opens: list[set[str]] = []
    closes: list[set[str]] = []
    for author in sorted(authors):
        for comment in comments[author][: 900 if _is_rare(author) else 250]:
            texts = list(paragraphs_of(str(comment["text"]), BARE))
            for index, text in enumerate(texts):
                opens.append(border_model.opening_phrases(text))
                closes.append(border_model.closing_phrases(text))
                first.append(index == 0)
                last.append(index == len(texts) - 1)
                weight.append(2.5 if _is_rare(author) else 1.0)
                who.append(author)
    opening, one = _phrase_weights(opens, first, weight, who)
    closing, two = _phrase_weights(closes, last, weight, who)
    return PhraseWeights(opening, closing, (one, two))


def _phrase_weights(
    phrases: Sequence[set[str]], label: Sequence[bool], weight: Sequence[float], who: Sequence[str]
) -> tuple[dict[str, float], float]:
    users: dict[str, set[str]] = defaultdict(set)
    for found, author in zip(phrases, who, strict=True):
        for phrase in found:
            users[phrase].add(author)
    common = sorted(
        phrase
        for phrase, people in users.items()
        if len(people) >= AUTHORS and len({site(author) for author in people}) >= 2 and "\n" not in phrase
    )
    number = {phrase: index for index, phrase in enumerate(common)}
    known = [sorted(number[phrase] for phrase in found if phrase in number) for found in phrases]
    solved = _sparse_logistic(known, np.array(label), np.array(weight), len(common))
    return dict(zip(common, solved[:-1].round(3).tolist(), strict=True)), float(solved[-1])


def _sparse_logistic(
    rows: Sequence[Sequence[int]], label: np.ndarray, weight: np.ndarray, count: int, penalty: float = 50.0
) -> np.ndarray:
    """Weighted logistic regression with L2 on sets of numbers below `count`; the intercept comes last."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, embedding_bag

    flat = torch.tensor([index for row in rows for index in row], dtype=torch.int64)
    starts = torch.tensor(np.cumsum([0, *map(len, rows[:-1])]))
    truth, importance = torch.tensor(label, dtype=torch.float64), torch.tensor(weight, dtype=torch.float64)
    solved = torch.zeros(count + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([solved], max_iter=150, line_search_fn="strong_wolfe")

    def loss() -> Any:
        optimiser.zero_grad()
        odds = embedding_bag(flat, solved[:-1, None], starts, mode="sum")[:, 0] + solved[-1]
        total = binary_cross_entropy_with_logits(odds, truth, importance, reduction="sum")
        total = total + 0.5 * penalty * solved[:-1].square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    return solved.detach().numpy()


# --- the network ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """One dump as the network sees it."""

    table: np.ndarray
    """(lines, inputs)"""
    label: np.ndarray
    """(lines,)"""
    open: np.ndarray
    """(lines,), 1 where the page leaves the border open."""
    weight: float


def example(dump: Dump, phrases: PhraseWeights, embed: Embed | None) -> Example:
    """Inputs and truth of a dump."""
    page = take_apart(dump.text)
    table = network_inputs(page.paragraphs, embed, phrases)
    gold = set(dump.starts)
    label = np.array([line.start in gold for line in page.paragraphs], dtype=np.float32)
    open_ = np.array([index not in page.certain and index > 0 for index in range(len(label))], dtype=np.float32)
    weight = 3.0 if _is_rare(dump.author) else 1.0 if site(dump.author) else 2.0
    return Example(table.astype(np.float32), label, open_, weight)


def fit_network(examples: Sequence[Example], phrases: PhraseWeights, count: int = ENSEMBLE) -> Network:
    """Train networks of different beginnings on the same examples."""
    table = np.concatenate([item.table for item in examples])
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-3
    scaled = [replace(item, table=np.clip((item.table - mean) / spread, -5, 5)) for item in examples]
    trained = [_train(scaled, seed) for seed in range(count)]
    stacked = {name: np.stack([one[name] for one in trained]) for name in trained[0]}
    return Network(phrases, mean, spread, **stacked)


def _train(examples: Sequence[Example], seed: int) -> dict[str, np.ndarray]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    enter = nn.Linear(examples[0].table.shape[1], HIDDEN)
    read = nn.GRU(HIDDEN, HIDDEN, bidirectional=True, batch_first=True)
    leave = nn.Linear(3 * HIDDEN, 1)
    drop = nn.Dropout(0.3)
    optimiser = torch.optim.AdamW(
        [*enter.parameters(), *read.parameters(), *leave.parameters()], lr=2e-3, weight_decay=2e-2
    )
    for turn in range(ROUNDS):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - turn / ROUNDS) + 1e-4
        order = rng.permutation(len(examples))
        for at in range(0, len(order), 16):
            table, label, weight = _batch([examples[index] for index in order[at : at + 16]])
            entered = torch.relu(enter(drop(table)))
            states, _ = read(entered)
            odds = leave(drop(torch.cat([states, entered], -1))).squeeze(-1)
            loss = nn.functional.binary_cross_entropy_with_logits(odds, label, weight, reduction="sum") / weight.sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    state = {name: value.detach().numpy() for name, value in read.state_dict().items()}
    return {
        "enter": _with_bias(enter.weight.detach().numpy(), enter.bias.detach().numpy()),
        "from_input": np.stack([_with_bias(state[f"weight_ih_l0{way}"], state[f"bias_ih_l0{way}"]) for way in ("", "_reverse")]),
        "from_state": np.stack([_with_bias(state[f"weight_hh_l0{way}"], state[f"bias_hh_l0{way}"]) for way in ("", "_reverse")]),
        "leave": np.append(leave.weight.detach().numpy()[0], leave.bias.detach().numpy()),
    }  # fmt: skip


def _with_bias(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.vstack([weight.T, bias])


def _batch(examples: Sequence[Example]) -> Any:
    import torch

    longest = max(len(item.label) for item in examples)

    def padded(values: np.ndarray) -> np.ndarray:
        return np.pad(values, [(0, longest - len(values))] + [(0, 0)] * (values.ndim - 1))

    table = np.stack([padded(item.table) for item in examples])
    label = np.stack([padded(item.label) for item in examples])
    weight = np.stack([padded(item.open * item.weight) for item in examples])
    return torch.tensor(table), torch.tensor(label), torch.tensor(weight)


def save(network: Network, path: Path) -> None:
    """Store a network as half-precision numbers."""
    phrases = network.phrases
    np.savez_compressed(
        path,
        opening="\n".join(phrases.opening),
        opening_weights=np.array(list(phrases.opening.values()), dtype=np.float16),
        closing="\n".join(phrases.closing),
        closing_weights=np.array(list(phrases.closing.values()), dtype=np.float16),
        intercepts=np.array(phrases.intercepts, dtype=np.float32),
        mean=network.mean.astype(np.float32),
        spread=network.spread.astype(np.float32),
        **{name: getattr(network, name).astype(np.float16) for name in ("enter", "from_input", "from_state", "leave")},
    )


# --- the weights of borders.py ----------------------------------------------------------------------------------------


def fit_weights(dumps: Sequence[Dump], network_for: Callable[[str], Network], embed: Embed | None) -> dict[str, float]:
    """Logistic regression of "a comment begins here" on the evidence, given where the comment before it began.

    Args:
        dumps: Texts with known borders.
        network_for: Author -> a network that has not seen this author.
        embed: With it, topic features are fitted too.
    """
    pairs = [_decisions(take_apart(dump.text), dump.starts, network_for(dump.author), embed) for dump in dumps]
    table, label = np.vstack([rows for rows, _ in pairs]), np.concatenate([labels for _, labels in pairs])
    spread = table.std(axis=0)
    used = spread > 0
    used[FEATURES.index("bias")] = True
    spread[~(spread > 0)] = 1.0
    solved = np.zeros(len(FEATURES))
    solved[used] = _logistic(table[:, used] / spread[used], label) / spread[used]
    return {name: round(float(value), 2) for name, value in zip(FEATURES, solved, strict=True)}


def _decisions(
    page: Page, starts: Sequence[int], network: Network, embed: Embed | None
) -> tuple[np.ndarray, np.ndarray]:
    """Evidence and truth at every line start the page leaves open."""
    found = evidence(page.paragraphs, embed, network)
    gold = set(starts)
    rows, labels = [np.zeros((0, len(FEATURES)))], []
    began = 0
    for index, line in enumerate(page.paragraphs):
        begins = line.start in gold
        if index and index not in page.certain:
            age = min(OLDEST, index - began)
            rows.append(np.concatenate([found.at_line[index], found.in_comment[age, index]])[None, :])
            labels.append(float(begins))
        if begins or index in page.certain:
            began = index
    return np.vstack(rows), np.array(labels)


def _logistic(table: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Newton's method for the penalised log-likelihood."""
    solved = np.zeros(table.shape[1])
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-np.clip(table @ solved, -30, 30)))
        slope = table.T @ (chance - label) + PENALTY * solved
        curve = (table * (chance * (1 - chance))[:, None]).T @ table + PENALTY * np.eye(len(solved))
        step = np.linalg.solve(curve, slope)
        solved -= step
        if np.abs(step).max() < 1e-6:
            break
    return solved


# --- all of it --------------------------------------------------------------------------------------------------------


def fit_all(
    comments: Mapping[str, Sequence[Comment]], embed: Embed
) -> tuple[Network, dict[str, tuple[float, float]], list[Network]]:
    """Fit the network and the weights of borders.py. No dump whose borders a person has read is looked at.

    Returns:
        The network; for each feature its weight with topics and with words alone; and for each fold a network that has
        not seen its authors.
    """
    dumps, invented = real_dumps(comments), invented_dumps()
    authors = sorted({dump.author for dump in [*dumps, *invented]} | set(comments))
    random.Random(2).shuffle(authors)
    fold = {author: number % FOLDS for number, author in enumerate(authors)}
    known = [fit_phrases(comments, [a for a in comments if fold[a] != number]) for number in range(FOLDS)]
    rng = random.Random(4)
    seen = [*dumps, *invented]
    shuffled = [reordered(dump, rng) for dump in seen]
    shuffled += [reordered(dump, rng, rng.randint(2, 5)) for dump in [*seen, *invented, *invented]]
    examples = [(fold[dump.author], example(dump, known[fold[dump.author]], embed)) for dump in [*seen, *shuffled]]
    examples += [(fold[dump.author], example(dump, known[fold[dump.author]], None)) for dump in seen[::3]]
    apart = [
        fit_network([item for number, item in examples if number != left_out], known[left_out])
        for left_out in range(FOLDS)
    ]
    network = fit_network([item for _, item in examples], fit_phrases(comments, list(comments)))
    chosen = [dump for dump in dumps if _is_rare(dump.author)]
    chosen += [dump for dump in dumps if not _is_rare(dump.author)][::4] + 4 * invented
    with_topics, words_only = (fit_weights(chosen, lambda author: apart[fold[author]], how) for how in (embed, None))
    weights = {name: (with_topics[name], 0.0 if name in TOPIC_FEATURES else words_only[name]) for name in FEATURES}
    return network, weights, apart


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, store the network and print the weights."""
    from rag.models.embedding import load_embedder
    from rag.settings import Settings

    parser = argparse.ArgumentParser(description="Fit the numbers that find borders between comments.")
    parser.add_argument("comments", nargs="+", type=Path, help="JSON Lines of structured comments")
    parser.add_argument("--out", type=Path, default=border_model.FILE, help="where to store the network")
    options = parser.parse_args(arguments)
    comments: dict[str, list[Comment]] = defaultdict(list)
    for path in options.comments:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                comments[row["author"]].append(row)
    network, weights, _ = fit_all(comments, load_embedder(Settings()).embed_texts)
    save(network, options.out)
    for name, (with_topics, words_only) in weights.items():
        sys.stdout.write(f'    "{name}": ({with_topics}, {words_only}),\n')


if __name__ == "__main__":
    main()
