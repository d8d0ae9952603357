"""The pipeline behind the page, made when it is first needed and made anew when settings or index change."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import RagError
from rag.records import Answer, Filters, Passage, Turn
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.answering.answerer import Answerer
    from rag.chat.streaming import ChatModel
    from rag.index.store import Store


class Service:
    """An answerer for `ui.app.build_app` that can start without an index and change its model.

    Args:
        settings: Where the index is and who answers.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        self._answerer: Answerer | None = None
        self._store: Store | None = None
        self._model: ChatModel | None = None
        """Held for the server that a local model brings along, which stops when nobody has it any more."""

    @property
    def answerer(self) -> Answerer:
        """The real one.

        Raises:
            RagError: There is no index yet, or the model of the settings cannot be set up.
        """
        with self._lock:
            if self._answerer is None:
                from rag.answering.answerer import Answerer

                self._answerer = Answerer.from_settings(self.settings, self.store)
            return self._answerer

    @property
    def store(self) -> Store:
        """The index: open also where the chat model cannot be set up.

        Raises:
            RagError: There is none yet.
        """
        with self._lock:
            if self._store is None:
                from rag.index.store import Store

                self._store = Store.open(self.settings)
            return self._store

    @property
    def model_name(self) -> str:
        """Who answers: "evidence" or a model's name; told without loading anything."""
        if (answerer := self._answerer) is not None:
            return answerer.model_name
        from rag.chat.choice import choose

        try:
            return choose(self.settings).name
        except RagError:
            return self.settings.llm

    @property
    def model_missing(self) -> str:
        """Why answers are quotes though a model is at hand; see `rag.chat.chat_model.missing`."""
        from rag.chat.choice import missing

        return missing(self.settings)

    def search(
        self, question: str, limit: int = 5, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> list[Passage]:
        """Passages, best first; see `rag.answering.answerer.Answerer.search`."""
        return self.answerer.search(question, limit, history, filters)

    def stream(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Iterator[Answer]:
        """Growing answers; see `rag.answering.answerer.Answerer.stream`."""
        yield from self.answerer.stream(question, history=history, filters=filters)

    def changed(self, **changes: Any) -> Settings:
        """The settings with some of them changed.

        Raises:
            SettingsError: A value is wrong.
        """
        given = {name: getattr(self.settings, name) for name in self.settings.model_fields_set}
        return Settings(**{**given, **changes})

    def use(self, **changes: Any) -> None:
        """Change settings for as long as this page is open.

        Raises:
            RagError: A value is wrong, or the model it names cannot be set up; everything stays as it was.
        """
        from rag.chat.chat_model import load_chat_model

        settings = self.changed(**changes)
        model = load_chat_model(settings)
        with self._lock:
            self.settings, self._model, self._answerer = settings, model, None

    def reopen(self) -> None:
        """Look at the index anew, as after the first ingest."""
        with self._lock:
            self._answerer = self._store = None
