"""Seconds by stage, for the trace of an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Starts when it is made; `with clock("stage"):` adds to a stage."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._stages[stage] = self._stages.get(stage, 0.0) + time.perf_counter() - start

    def note(self, event: str) -> None:
        """Keep when something happened first, counted from the start."""
        self._stages.setdefault(event, time.perf_counter() - self._start)

    def seconds(self) -> dict[str, float]:
        """All stages so far, and the total."""
        total = time.perf_counter() - self._start
        return {stage: round(seconds, 4) for stage, seconds in {**self._stages, "total": total}.items()}
