"""Serving a page on loopback for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradio import Blocks


@contextmanager
def serving(app: Blocks, **options: Any) -> Iterator[str]:
    """Start the app on a free port and yield its address; the server ends with the block, whatever happened in it."""
    try:
        _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **options)
        yield url
    finally:
        app.close()
