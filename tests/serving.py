"""Serving a page on loopback for as long as a test needs it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradio import Blocks


@contextmanager
def serving(app: Blocks, **options: Any) -> Iterator[str]:
    """Start the app on a free port and yield its address; the server ends with the block, whatever happened in it.

    Left to itself, Gradio tries one port after the other, and of two processes that try the same one at once the second waits
    for seconds; as a server of tools it does not start at all.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, server_port=port, **options)
        yield url
    finally:
        app.close()
