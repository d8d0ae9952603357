"""A model file served by llama.cpp in this process, on loopback."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from weakref import WeakValueDictionary

from rag.chat.choice import get_json
from rag.errors import ModelMissing


class LocalServer:
    """llama.cpp's server in this process, on a free loopback port, for one GGUF file.

    Raises:
        ModelMissing: llama.cpp cannot load the file.
    """

    def __init__(self, path: Path, context_tokens: int) -> None:
        import secrets

        import xllamacpp

        self.key = secrets.token_urlsafe(16)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context_tokens
        params.n_parallel = 1
        params.port = 0
        params.api_keys = [self.key]
        params.cors_origins = ""
        params.ui = False
        params.warmup = False
        params.offline = True
        params.verbosity = 0
        params.endpoint_metrics = True
        # A thread per core that waits by spinning is several times slower as soon as anything else runs.
        for threads in (params.cpuparams, params.cpuparams_batch):
            threads.n_threads = max(1, (os.cpu_count() or 2) - 1)
            threads.poll = 0
        try:
            self._server = xllamacpp.Server(params)
        except (RuntimeError, ValueError) as exc:
            raise ModelMissing(f"llama.cpp cannot load {path}: {exc}. Is it a whole GGUF file?") from exc
        # Released before its loop has begun, llama.cpp's server misses the call to stop, and waits for ever; the loop
        # answers this, so it has begun.
        self._server.handle_metrics()
        self.url = self._server.listening_address
        self.context_tokens = self._window(context_tokens)

    def _window(self, wanted: int) -> int:
        """The window in use: a model has no more than it was trained with."""
        listed = get_json(f"{self.url}/v1/models", 5.0, key=self.key) or {}
        trained = [(model.get("meta") or {}).get("n_ctx_train") for model in listed.get("data", [])]
        return min([wanted, *(size for size in trained if size)])


_local_servers: WeakValueDictionary[tuple[Path, int], LocalServer] = WeakValueDictionary()
_starting = threading.Lock()


def served(path: Path, context_tokens: int) -> LocalServer:
    """The running server for a file, or a new one; it stops when nobody uses it any more."""
    with _starting:
        server = _local_servers.get((path, context_tokens))
        if server is None:
            server = _local_servers[path, context_tokens] = LocalServer(path, context_tokens)
        return server
