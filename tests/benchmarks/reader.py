"""Fit the adapters of rag/models/reader.py on pairs of a question and a window of one or two sentences.

    python tests/benchmarks/reader.py [--squad FILE...] [--contrasts FILE...] [--start FILE...] [--teacher FILE] [--marking 0]
        [--epochs 3] [--rate 6e-4] --out FILE

Read are invented comments with questions that they answer and questions that they only seem to answer, and with topics that they
speak of and topics that they do not (tests/data/reader/); two texts on one matter of which only one answers (contrasts.jsonl);
texts with questions for a detail that they tell, the same with that detail gone, and questions for one that they do not tell (details_*.jsonl);
small invented forums, with the windows that the search brings for questions that they answer and near misses
(tests/data/forums_*.jsonl and profiles.jsonl, without those that tests/benchmarks/answerability.py fits and measures on); what the
same person says elsewhere; Chroma's chunking evaluation where it lies beside the project; and files in the formats of SQuAD 2.0 and of
contrasts.jsonl where given. The questions that tests/benchmarks/answerability.py reports on, and their collections, are not seen.

`--start` goes on from earlier numbers, or from the mean of several, weighted where they are given as FILE=WEIGHT; with `--epochs 0`
the mean itself is written. What ships was fitted in steps; docs/experiments.md tells what they brought.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

import ingest
from rag.evaluation.benchmarks import Chunking
from rag.index.lexical import STOP_WORDS, stems
from rag.index.store import Store
from rag.language.english import COMMON_WORDS, FUNCTION_WORDS
from rag.language.sentences import split_sentences
from rag.models.embedding import bundled_transformer, load_embedder
from rag.models.reader import INPUTS, SCALE, encode
from rag.records import Range
from rag.retrieval.retriever import Retriever
from rag.settings import Settings

ROOT = Path(__file__).parent.parent.parent
INVENTED = ROOT / "tests" / "data" / "reader"
FORUMS = sorted((ROOT / "tests" / "data").glob("forums_*.jsonl"))
PROFILES = ROOT / "tests" / "data" / "profiles.jsonl"
CONTRASTS = INVENTED / "contrasts.jsonl"
DETAILS = sorted(INVENTED.glob("details_*.jsonl"))
EACH_FORUM = 5
"""The last of so many forums is not read: tests/benchmarks/answerability.py fits the weights on these."""
UNANSWERED = ROOT / "tests" / "data" / "answerability_chunking.jsonl"
CHUNKING = ROOT.parent / "shared" / "bench" / "chunking"
RANK, KEPT = 32, 16
"""Of the adapters while they are fitted, and when they are stored: the best approximation, which keeps the file below 1 MB."""
BITS = 5
"""Of the ten of a half-precision mantissa that are kept in adapters, for the same reason; the last ones are noise."""
TOKENS_PER_BATCH = 2048
ASKED = (
    "What did {author} say about {topic}?",
    "What does {author} say about {topic}?",
    "What does {author} think about {topic}?",
    "What does {author} think of {topic}?",
    "What did {author} write on {topic}?",
    "What is {author}'s view on {topic}?",
    "Does {author} say anything about {topic}?",
    "{author} on {topic}",
    "What is said about {topic}?",
    "What do people think about {topic}?",
    "{topic}",
)
"""How one asks for everything on a topic."""
TAUGHT = ("invented profile", "invented detail")
"""Kinds of pairs in whose labels no teacher has a say: what is to be learned is what it does not know."""
LEFT_OUT = {"Oxygen", "Steam engine", "Civil disobedience", "Sino-Tibetan relations during the Ming dynasty"}
"""Articles of SQuAD that are measured on; so is each tenth of the invented comments."""


@dataclass(frozen=True)
class Pair:
    """A question and a text that answers it, or does not."""

    question: str
    text: str
    answers: bool
    kind: str
    title: str = ""
    """Of the article, or who wrote the comment."""
    phrase: str = ""
    """That which answers, where it is known."""


# --- pairs ------------------------------------------------------------------------------------------------------------


def invented_pairs(rows: Sequence[Mapping[str, Any]]) -> Iterator[Pair]:
    for row in rows:
        for answers, questions in ((True, row["yes"]), (False, row["no"])):
            yield from (Pair(q, row["text"], answers, f"invented {answers}", row["author"]) for q in questions)


def topic_pairs(rows: Sequence[Mapping[str, Any]], rng: random.Random) -> Iterator[Pair]:
    """What does somebody say about ...? Answered by whatever they say on it."""
    for row in rows:
        author = row["author"]
        names = [author, author, author.lower(), *(name for name in author.split() if len(name) > 3)]
        for answers, topics in ((True, row["on"]), (False, row["off"])):
            for topic in topics:
                question = rng.choice(ASKED).format(author=rng.choice(names), topic=topic)
                yield Pair(question, row["text"], answers, f"invented topic {answers}", author)


def contrast_pairs(rows: Sequence[Mapping[str, Any]]) -> Iterator[Pair]:
    """Of two texts on one matter each question is answered by one only (contrast sets, Gardner et al. 2020, arXiv:2004.02709)."""
    for row in rows:
        for answering, other, questions in (("a", "b", row["only_a"]), ("b", "a", row["only_b"])):
            for question in questions:
                yield Pair(question, row[answering], True, "invented contrast True", row["author"])
                yield Pair(question, row[other], False, "invented contrast False", row["author"])


def detail_pairs(rows: Sequence[Mapping[str, Any]], rng: random.Random) -> Iterator[Pair]:
    """Questions for a detail: where it is told, where it was taken out of the same words, and where it never stood."""
    for row in rows:
        text = row["text"]
        for asked in row["told"]:
            start, told = text.index(asked["old"]), asked["gold"]
            without = text[:start] + asked["new"] + text[start + len(asked["old"]) :]
            place = text.index(told)
            yield from _read_at(row, asked["q"], text, (place, place + len(told)), told, rng)
            yield from _read_at(row, asked["q"], without, (start, start + len(asked["new"])), "", rng)
        for asked in row["untold"]:
            place = text.index(asked["near"])
            yield from _read_at(row, asked["q"], text, (place, place + len(asked["near"])), "", rng)


def _read_at(
    row: Mapping[str, Any], question: str, text: str, place: Range, phrase: str, rng: random.Random
) -> Iterator[Pair]:
    """One or two windows that hold a place, or else touch it; answered where a phrase is given."""
    touching = [span for span in windows(text) if span[0] < place[1] and place[0] < span[1]]
    holding = [span for span in touching if span[0] <= place[0] and place[1] <= span[1]] or touching
    rng.shuffle(holding)
    for start, end in holding[: 1 + (rng.random() < 0.3)]:
        said = text[start:end]
        yield Pair(
            question,
            said,
            bool(phrase),
            f"invented detail {bool(phrase)}",
            row["author"],
            phrase if phrase in said else "",
        )


def elsewhere_pairs(asked: Sequence[Pair], texts: Sequence[str], rng: random.Random) -> Iterator[Pair]:
    """What the same person says elsewhere, in the words of the question as far as possible: what a search brings."""
    nearest = Nearest(texts)
    for pair in asked:
        if other := [texts[i] for i in nearest(pair.question, 6) if texts[i] != pair.text]:
            yield replace(pair, text=rng.choice(other[:4]), answers=False, kind="invented elsewhere")


def forum_pairs(forums: Sequence[Mapping[str, Any]], kind: str) -> Iterator[Pair]:
    """Windows that the search brings for the questions of small forums, and for those with an answer also where it stands."""
    with tempfile.TemporaryDirectory() as folder:
        for number, forum in enumerate(forums):
            reader = Recorder()
            retriever = _searched(forum["comments"], Path(folder) / str(number), reader)
            for asked in (*forum["yes"], *forum["no"]):
                question, gold = (asked["q"], asked["gold"]) if isinstance(asked, dict) else (asked, None)
                reader.texts = []
                query = retriever.understand(question)
                retriever.retrieve(query, 8)
                brought = [text.partition(": ") for text in reader.texts]
                source = next((c for c in forum["comments"] if gold and gold in c["text"]), None)
                for author, _, text in brought:
                    if source is None or text not in source["text"]:
                        yield Pair(query.text, text, False, f"invented {kind} False", author)
                if source:
                    places = [source["text"][a:b] for a, b in windows(source["text"])]
                    holding = [text for text in places if gold in text]
                    for text in holding[:3]:
                        yield Pair(query.text, text, True, f"invented {kind} True", source["author"], gold)


class Recorder:
    """In the place of the reader: notes what it would read."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, question: str, texts: Sequence[str]) -> list[float]:
        self.texts = list(texts)
        return [0.0] * len(texts)


def _searched(comments: Sequence[Mapping[str, str]], folder: Path, reader: Recorder) -> Retriever:
    folder.mkdir()
    lines = [json.dumps({"id": str(number), **comment}) for number, comment in enumerate(comments)]
    (folder / "forum.jsonl").write_text("\n".join(lines), encoding="utf-8")
    settings = Settings(store=folder / "store", llm="evidence")
    ingest.ingest([folder / "forum.jsonl"], settings=settings)
    embedder = load_embedder(settings)
    return Retriever(Store.open(settings, embedder), embedder, reader)


def form_balanced(pairs: Sequence[Pair], rng: random.Random) -> list[Pair]:
    """As many answered as unanswered of each form of question, so that the form does not give the answer away."""
    groups: dict[tuple[str, bool], dict[bool, list[Pair]]] = defaultdict(lambda: {True: [], False: []})
    for pair in pairs:
        words = re.findall(r"\w+", pair.question.lower())
        groups[words[0], "think" in words][pair.answers].append(pair)
    kept = []
    for sides in groups.values():
        most = math.ceil(1.2 * min(map(len, sides.values())))
        kept += [pair for side in sides.values() for pair in rng.sample(side, min(most, len(side)))]
    return [replace(pair, question=_any_case(pair.question, rng)) for pair in kept]


def _any_case(question: str, rng: random.Random) -> str:
    first, _, rest = question.partition(" ")
    if first.lower() not in FUNCTION_WORDS:
        return question
    return f"{first.lower() if rng.random() < 0.3 else first.capitalize()} {rest}"


def squad_pairs(article: Mapping[str, Any], rng: random.Random) -> Iterator[Pair]:
    title = article["title"].replace("_", " ")
    texts = [paragraph["context"] for paragraph in article["paragraphs"]]
    places = [(number, *span) for number, text in enumerate(texts) for span in windows(text)]
    said = [texts[number][start:end] for number, start, end in places]
    nearest = Nearest(said)
    for number, paragraph in enumerate(article["paragraphs"]):
        for asked in paragraph["qas"]:
            question, impossible = asked["question"].strip(), bool(asked.get("is_impossible"))
            given = asked.get("plausible_answers", []) if impossible else asked["answers"]
            spans = {(answer["answer_start"], answer["answer_start"] + len(answer["text"])) for answer in given}
            words = {answer["text"].lower() for answer in given}
            near = nearest(question, 8)
            around = [
                i for i, (own, a, b) in enumerate(places) if own == number and any(a <= x and y <= b for x, y in spans)
            ]
            rng.shuffle(around)
            if impossible:
                chosen = around[:1] + rng.sample(near[:4], min(1, len(near)))
                yield from (Pair(question, said[i], False, "seems to answer", title) for i in chosen)
            else:
                yield from (Pair(question, said[i], True, "answers", title) for i in around[:2])
                wrong = [i for i in near if not any(word in said[i].lower() for word in words)]
                chosen = wrong[:1] + rng.sample(wrong[1:4], min(1, len(wrong[1:4])))
                yield from (Pair(question, said[i], False, "same words", title) for i in chosen)


def chunking_pairs(folder: Path) -> Iterator[Pair]:
    collection = Chunking.load(folder)
    unanswered = [json.loads(line) for line in UNANSWERED.read_text(encoding="utf-8").splitlines()]
    for corpus in collection.corpora:
        text = corpus.read_bytes().decode("utf-8")
        places = windows(text)
        nearest = Nearest([text[start:end] for start, end in places])
        for question in (question for question in collection.questions if question.type == corpus.stem):
            gold = [(span.start, span.end) for item in question.gold for span in item.places]
            near = nearest(question.text, 12)
            right = [i for i in near if any(a < places[i][1] and places[i][0] < b for a, b in gold)]
            wrong = [i for i in near if i not in right]
            yield from (Pair(question.text, text[slice(*places[i])], True, "answers", corpus.stem) for i in right[:2])
            yield from (
                Pair(question.text, text[slice(*places[i])], False, "same words", corpus.stem) for i in wrong[:2]
            )
        for row in (row for row in unanswered if row["corpus"] == corpus.stem):
            near = nearest(row["question"], 2)
            yield from (Pair(row["question"], text[slice(*places[i])], False, "seems to answer") for i in near)


def changed(pairs: Sequence[Pair], rng: random.Random) -> Iterator[Pair]:
    """Questions with one word changed for one of the same look out of another question on the same matter."""
    pool: dict[Any, list[str]] = defaultdict(list)
    for title, question in sorted({(pair.title, pair.question) for pair in pairs if pair.title}):
        for word in _telling(question):
            pool[title, _look(word[0])].append(word[0])
    done = set()
    for pair in pairs:
        if not (pair.answers and pair.title) or pair.question in done:
            continue
        done.add(pair.question)
        own = _telling(pair.question)
        own = [word for word in own if word[0].lower() in pair.text.lower()] or own
        if not own:
            continue
        word = rng.choice(own)
        both = f"{pair.question} {pair.text}".lower()
        others = [new for new in pool[pair.title, _look(word[0])] if new.lower() not in both]
        if others:
            question = pair.question[: word.start()] + rng.choice(others) + pair.question[word.end() :]
            yield replace(pair, question=question, answers=False, kind="word changed")


def _telling(question: str) -> list[re.Match[str]]:
    found = list(re.finditer(r"[A-Za-z0-9][\w'’-]*", question))[1:]
    usual = STOP_WORDS | set(COMMON_WORDS)
    return [word for word in found if word[0].lower() not in usual and (len(word[0]) > 3 or word[0].isdigit())]


def _look(word: str) -> tuple[Any, ...]:
    if word.isdigit():
        return "number", len(word)
    if word[0].isupper():
        return "name", word[-1] == "s"
    return "word", word[-2:] if word.endswith(("ed", "ng", "ly")) else word[-1] == "s"


def windows(text: str) -> list[Range]:
    """Sentences, and pairs of neighbouring ones."""
    sentences = split_sentences(text)
    found = [span for span in sentences if span[1] - span[0] > 20]
    found += [(one[0], two[1]) for one, two in pairwise(sentences)]
    return found or [(0, len(text))]


class Nearest:
    """Finds the texts that share most words with a question."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._bm25 = bm25s.BM25()
        self._bm25.index([stems(text) for text in texts], show_progress=False)
        self._size = len(texts)

    def __call__(self, question: str, count: int) -> list[int]:
        if not (words := stems(question)):
            return []
        found, _ = self._bm25.retrieve([words], k=min(count, self._size), show_progress=False)
        return [int(place) for place in found[0]]


# --- the network ------------------------------------------------------------------------------------------------------


class Adapted(nn.Module):
    """A linear layer with a low-rank adapter."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.down = nn.Parameter(torch.randn(RANK, layer.in_features) / math.sqrt(layer.in_features))
        self.up = nn.Parameter(torch.zeros(layer.out_features, RANK))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.layer(values) + SCALE * (values @ self.down.T) @ self.up.T


class Network(nn.Module):
    """The bundled model, of which only adapters, layer norms and the head are fitted; see rag/models/reader.py."""

    def __init__(self) -> None:
        super().__init__()
        self.base = bundled_transformer()
        for name, parameter in self.base.named_parameters():
            parameter.requires_grad = "encoder" in name and "LayerNorm" in name
        for layer in self.base.encoder.layer:
            places = [(layer.attention.self, name) for name in ("query", "key", "value")]
            for owner, name in [
                *places,
                *((o, "dense") for o in (layer.attention.output, layer.intermediate, layer.output)),
            ]:
                setattr(owner, name, Adapted(getattr(owner, name)))
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(2 * self.base.config.hidden_size, 1)

    def forward(self, features: Mapping[str, torch.Tensor]) -> torch.Tensor:
        states = self.base(**features).last_hidden_state
        mask = features["attention_mask"][:, :, None].float()
        mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
        return self.head(self.drop(torch.cat([states[:, 0], mean], dim=-1))).squeeze(-1)

    def numbers(self) -> dict[str, np.ndarray]:
        """What was fitted, by the names of rag/models/reader.py."""
        named = {name.removeprefix("base."): p for name, p in self.named_parameters() if p.requires_grad}
        fitted = {name: values.detach().double().numpy() for name, values in named.items()}
        for name in [name for name in fitted if name.endswith(".down")]:
            up = name.removesuffix("down") + "up"
            fitted[up], fitted[name] = _factors(fitted[up] @ fitted[name], KEPT)
        halves = {name: values.astype(np.float16) for name, values in fitted.items()}
        return {name: _coarse(v) if name.endswith((".down", ".up")) else v for name, v in halves.items()}

    def start_from(self, fits: Sequence[Mapping[str, np.ndarray]], weights: Sequence[float] = ()) -> None:
        """Take over what was fitted before; of several fits the mean (Wortsman et al. 2022, arXiv:2203.05482)."""
        shares = np.array(weights or [1.0] * len(fits)) / (sum(weights) or len(fits))
        own = {name.removeprefix("base."): p for name, p in self.named_parameters()}
        with torch.no_grad():
            for name, values in _mean(fits, shares).items():
                place = own[name][tuple(map(slice, values.shape))]  # an adapter was stored at a lower rank
                place.copy_(torch.from_numpy(values.astype(np.float32)))


def _mean(fits: Sequence[Mapping[str, np.ndarray]], shares: np.ndarray) -> dict[str, np.ndarray]:
    """The weighted mean of several fits; of adapters that of the products, as their factors and ranks differ."""
    if len(fits) == 1:
        return dict(fits[0])
    mean: dict[str, np.ndarray] = {}
    for name in fits[0]:
        if name.endswith(".down"):
            up = name.removesuffix("down") + "up"
            products = [fit[up].astype(np.float64) @ fit[name].astype(np.float64) for fit in fits]
            mean[up], mean[name] = _factors(np.tensordot(shares, products, axes=1), RANK)
        elif not name.endswith(".up"):
            mean[name] = np.tensordot(shares, [fit[name].astype(np.float64) for fit in fits], axes=1)
    return mean


def _coarse(values: np.ndarray) -> np.ndarray:
    """Half-precision numbers rounded to `BITS` of their mantissa, which a compressed file stores in less."""
    spare = 10 - BITS
    bits = values.view(np.uint16).astype(np.uint32) + (1 << (spare - 1))
    return (bits >> spare << spare).astype(np.uint16).view(np.float16)


def _factors(product: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """The best approximation of a matrix by a product of two of this rank."""
    left, strength, right = np.linalg.svd(product, full_matrices=False)
    root = np.sqrt(strength[:rank])
    return left[:, :rank] * root, root[:, None] * right[:rank]


def fit(
    network: Network,
    pairs: Sequence[Pair],
    epochs: int,
    rate: float,
    after: Callable[[], None],
    *,
    teacher: Network | None = None,
    marking: float = 0.0,
) -> None:
    """Minimise the cross entropy.

    Args:
        network: Is fitted.
        pairs: To fit it on.
        epochs: How often each is seen.
        rate: The highest learning rate.
        after: Called after each epoch.
        teacher: Earlier numbers, whose probabilities count half in the labels of all pairs of the kinds that it knows, so that
            what was learned before is kept (Li and Hoiem 2016, arXiv:1606.09282).
        marking: Weight of a second task: to mark the phrase that answers, or the first token where nothing does.
    """
    rng = random.Random(0)
    read = [_as_read(pair, rng) for pair in pairs]
    encoded = [encode(texts) for texts in read]
    label = torch.tensor([float(pair.answers) for pair in pairs])
    if teacher:
        known = [i for i, pair in enumerate(pairs) if not pair.kind.startswith(TAUGHT)]
        label[known] = (label[known] + torch.sigmoid(_logits(teacher, [encoded[i] for i in known]))) / 2
    places = [_place(e, text, pair) for e, (_, text), pair in zip(encoded, read, pairs, strict=True)]
    marker = Marker(network, places)
    fitted = [parameter for parameter in (*network.parameters(), *marker.parameters()) if parameter.requires_grad]
    optimiser = torch.optim.AdamW(fitted, lr=rate, weight_decay=0.01)
    steps, step, started = epochs * len(_batches(encoded, rng)), 0, time.monotonic()
    for _ in range(epochs):
        for batch in _batches(encoded, rng):
            network.train()
            optimiser.param_groups[0]["lr"] = rate * min((step + 1) / (0.06 * steps), max(0.0, 1 - step / steps) / 0.94)
            features = _padded([encoded[i] for i in batch])
            loss = nn.functional.binary_cross_entropy_with_logits(network(features), label[batch])
            if marking:
                loss = loss + marking * marker.loss(features, batch)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(fitted, 1.0)
            optimiser.step()
            step += 1
            if step % 100 == 0:
                print(
                    f"{step} of {steps} steps, {time.monotonic() - started:.0f} s, loss {loss.item():.3f}", flush=True
                )
        after()


UNKNOWN = -100


def _place(encoded: Any, text: str, pair: Pair) -> tuple[int, int]:
    """The first and last token of the phrase that answers; the very first token of all if nothing answers."""
    if not pair.answers:
        return 0, 0
    start = text.find(pair.phrase) if pair.phrase else -1
    tokens = zip(encoded.offsets, encoded.sequence_ids, strict=True)
    within = [i for i, ((a, b), of) in enumerate(tokens) if of == 1 and b > start and a < start + len(pair.phrase)]
    return (within[0], within[-1]) if start >= 0 and within else (UNKNOWN, UNKNOWN)


class Marker(nn.Module):
    """Marks where the phrase that answers begins and ends, from what the network last made of each token; is not kept."""

    def __init__(self, network: Network, places: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.ends = nn.Linear(network.base.config.hidden_size, 2)
        self.places = torch.tensor(places)
        network.base.register_forward_hook(lambda module, given, made: setattr(self, "states", made.last_hidden_state))

    def loss(self, features: Mapping[str, torch.Tensor], batch: Sequence[int]) -> torch.Tensor:
        """Cross entropy of both ends over the tokens of the text; 0 if no place in the batch is known."""
        wanted = self.places[list(batch)]
        if (wanted == UNKNOWN).all():
            return torch.zeros(())
        text = (features["token_type_ids"] == 1) & features["attention_mask"].bool()
        text[:, 0] = True
        ends = self.ends(self.states).masked_fill(~text[:, :, None], -1e4)
        losses = [nn.functional.cross_entropy(ends[:, :, i], wanted[:, i], ignore_index=UNKNOWN) for i in (0, 1)]
        return torch.stack(losses).mean()


def _as_read(pair: Pair, rng: random.Random) -> tuple[str, str]:
    """Who wrote a comment is always read along, the title of an article half of the times."""
    told = pair.title and (pair.kind.startswith("invented") or rng.random() < 0.5)
    return pair.question, f"{pair.title}: {pair.text}" if told else pair.text


def _batches(encoded: Sequence[Any], rng: random.Random) -> list[list[int]]:
    """Pairs of similar length together, in any order."""
    batches: list[list[int]] = [[]]
    for i in sorted(range(len(encoded)), key=lambda i: len(encoded[i].ids) + 8 * rng.random()):
        longest = max(len(encoded[i].ids), *(len(encoded[j].ids) for j in batches[-1]), 0)
        if batches[-1] and (len(batches[-1]) + 1) * longest > TOKENS_PER_BATCH:
            batches.append([])
        batches[-1].append(i)
    rng.shuffle(batches)
    return [batch for batch in batches if batch]


def _padded(encoded: Sequence[Any]) -> dict[str, torch.Tensor]:
    columns = ([e.ids for e in encoded], [e.attention_mask for e in encoded], [e.type_ids for e in encoded])
    longest = max(len(e.ids) for e in encoded)
    return {
        name: torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        for name, rows in zip(INPUTS, columns, strict=True)
    }


def _logits(network: Network, encoded: Sequence[Any]) -> torch.Tensor:
    network.eval()
    logits = torch.zeros(len(encoded))
    with torch.no_grad():
        for batch in _batches(encoded, random.Random(0)):
            logits[batch] = network(_padded([encoded[i] for i in batch]))
    return logits


def measured(network: Network, pairs: Sequence[Pair]) -> str:
    """Area under the ROC curve, for each kind of negative against all positives of its origin."""
    rng = random.Random(0)
    logits = _logits(network, [encode(_as_read(pair, rng)) for pair in pairs]).numpy()
    answers, kinds = np.array([pair.answers for pair in pairs]), np.array([pair.kind for pair in pairs])
    origins = np.array([_origin(pair.kind) for pair in pairs])
    parts = []
    for kind in sorted({pair.kind for pair in pairs if not pair.answers}):
        chosen = (kinds == kind) | (answers & (origins == _origin(kind)))
        parts.append(f"{kind} {roc_auc_score(answers[chosen], logits[chosen]):.3f} ({(kinds == kind).sum()})")
    return ", ".join(parts)


def _origin(kind: str) -> str:
    return kind.rpartition(" ")[0] if kind.startswith("invented") else ""


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pairs_of(
    squad: Sequence[Path] = (), more_contrasts: Sequence[Path] = (), *, repeat: int = 1, most: int | None = None
) -> tuple[list[Pair], list[Pair]]:
    """Pairs to fit on, in any order, and pairs to measure on.

    Args:
        squad: Files in the format of SQuAD 2.0.
        more_contrasts: More files in the format of contrasts.jsonl.
        repeat: How often pairs of forums are among the former.
        most: Most pairs of SQuAD, and of the chunking evaluation.
    """
    rng = random.Random(0)
    rows = [
        row for path in sorted(INVENTED.glob("*.jsonl")) if path not in (CONTRASTS, *DETAILS) for row in _lines(path)
    ]
    details = [row for path in DETAILS for row in _lines(path)]
    contrasts = _lines(CONTRASTS)
    rng.shuffle(contrasts)
    forums = {"forum": [forum for path in FORUMS for forum in _lines(path)], "profile": _lines(PROFILES)}
    kept = [row for number, row in enumerate(rows) if number % 10]
    pairs = [row for number, row in enumerate(contrasts) if number % 10] + [
        r for p in more_contrasts for r in _lines(p)
    ]
    test = [*invented_pairs(rows[::10]), *topic_pairs(rows[::10], rng), *contrast_pairs(contrasts[::10])]
    test += detail_pairs(details[9::10], rng)
    written, contrasting = list(invented_pairs(kept)), list(contrast_pairs(pairs))
    train = [*form_balanced(written, rng), *topic_pairs(kept, rng), *contrasting]
    train += detail_pairs([row for number, row in enumerate(details) if number % 10 != 9], rng)
    for kind, found in forums.items():
        seen = [forum for number, forum in enumerate(found) if number % EACH_FORUM != EACH_FORUM - 1]
        train += [pair for pair in forum_pairs(seen, kind) for _ in range(repeat)]
    texts = [row["text"] for row in kept] + [row[side] for row in pairs for side in "ab"]
    train += elsewhere_pairs(rng.sample([*written, *contrasting], (len(written) + len(contrasting)) // 4), texts, rng)
    origins: list[list[Pair]] = []
    for path in squad:
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            found = list(squad_pairs(article, rng))
            if article["title"].replace("_", " ") in LEFT_OUT:
                test += found
            else:
                origins.append([*found, *changed(found, rng)])
    origins = [[pair for found in origins for pair in found]]
    if CHUNKING.is_dir():
        found = list(chunking_pairs(CHUNKING))
        origins.append([*found, *changed(found, rng)])
    for found in origins:
        rng.shuffle(found)
        train += found[:most]
    rng.shuffle(train)
    return train, test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--squad", nargs="*", type=Path, default=[], help="files in SQuAD 2.0's format")
    parser.add_argument(
        "--contrasts", nargs="*", type=Path, default=[], help="more files in the format of contrasts.jsonl"
    )
    parser.add_argument("--start", nargs="*", default=[], help="numbers to go on from: FILE, or FILE=WEIGHT")
    parser.add_argument("--teacher", type=Path, help="earlier numbers, from which what was learned is not to stray far")
    parser.add_argument("--marking", type=float, default=0.0, help="weight of marking the phrase that answers")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=6e-4, help="learning rate")
    parser.add_argument("--repeat", type=int, default=1, help="how often pairs of forums are seen in an epoch")
    parser.add_argument("--most", type=int, help="most pairs of each other origin")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    train, test = pairs_of(args.squad, args.contrasts, repeat=args.repeat, most=args.most)
    print(f"{len(train)} pairs, {sum(pair.answers for pair in train)} of them answered; {len(test)} to measure on")
    network = Network()
    if args.start:
        starts = [(path, float(weight or 1)) for path, _, weight in (start.partition("=") for start in args.start)]
        network.start_from([dict(np.load(path)) for path, _ in starts], [weight for _, weight in starts])
    teacher = Network() if args.teacher else None
    if teacher:
        teacher.start_from([dict(np.load(args.teacher))])

    def after() -> None:
        np.savez_compressed(args.out, **network.numbers())
        print(measured(network, test), flush=True)

    fit(network, train, args.epochs, args.rate, after, teacher=teacher, marking=args.marking)
    if not args.epochs:
        after()


if __name__ == "__main__":
    main()
