"""The side bar: one visitor's conversations, kept only in that visitor's browser."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from rag.errors import RagError
from ui import conversations
from ui.chat import ARRIVED, Chat
from ui.conversations import Conversation
from ui.theme import ASSETS

SAVE_FILE = """(file) => {
  if (!file) return;
  const { name, type, text } = JSON.parse(file);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}"""
"""Saves an export straight from the page: it never becomes a file on the server."""

KEY = "commentariat-conversations"
READ_KEPT = f"""(_, ...rest) => [localStorage.getItem("{KEY}") ?? "[]", ...rest]"""
"""Hands what the browser keeps to the first input of an event."""
READ_OPEN = f"""() => [
  localStorage.getItem("{KEY}") ?? "[]",
  performance.getEntriesByType("navigation")[0]?.type === "navigate" ? "" : sessionStorage.getItem("commentariat-open"),
]"""
"""The same on opening the page, with the conversation that was open before a reload: page.js notes it on leaving."""


class History:
    """Layout and events of the side bar.

    Args:
        chat: Shows the chosen conversation.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def layout(self) -> None:
        """Place the components; call inside a `gr.Sidebar`."""
        self.browser = gr.Textbox(visible="hidden", elem_id="kept-conversations")
        self.change = gr.Textbox(visible="hidden", elem_id="changed-conversation")
        self.left = gr.Textbox(visible="hidden", elem_id="left-conversation")
        self.library = gr.State([])
        self.deleted = gr.State(None)
        self.file = gr.Textbox(visible="hidden", elem_id="file-to-save")
        self.new = gr.Button("New conversation", elem_id="new-conversation")
        self.search = gr.Textbox(
            show_label=False, label="Search conversations", placeholder="Search conversations", container=False,
            elem_id="search-conversations",
        )  # fmt: skip
        self.listed = gr.Radio([], label="Conversations", elem_id="conversations", container=False)
        self.undo = gr.Button("Undo deleting", visible=False, size="sm")
        with gr.Accordion("This conversation", open=False, elem_id="this-conversation"):
            with gr.Row():
                self.title = gr.Textbox(
                    show_label=False, label="Name of this conversation", placeholder="Name", container=False,
                    min_width=80, elem_id="conversation-name",
                )  # fmt: skip
                self.rename = gr.Button("Rename", size="sm", min_width=60)
            with gr.Row():
                self.as_markdown = gr.Button("Save as Markdown", size="sm", min_width=60)
                self.as_json = gr.Button("Save as JSON", size="sm", min_width=60)
            self.delete = gr.Button("Delete", size="sm", elem_id="delete-conversation")
        self.imported = gr.UploadButton("Import a conversation", file_types=[".json"], size="sm")

    def wire(self) -> None:
        """Connect the events; call after `layout` of both and `wire` of the chat."""
        chat, bridge = self._chat, self._chat.bridge
        kept = [self.library, self.change, self.listed]
        save = (ASSETS / "conversations.js").read_text(encoding="utf-8")

        def saved(changed: Any) -> None:
            changed.then(None, self.change, None, js=save)

        opened = [*chat.shown, self.listed]
        restored = [self.library, *opened]
        gr.on(None, self.reopen, [self.browser, self.left], restored, js=READ_OPEN, **_QUIET)
        # Another tab of the same visitor has kept something.
        now = [self.browser, self.search, self.listed, chat.conversation]
        bridge.kept(self.restore, now, restored, js=READ_KEPT, trigger_mode="always_last", **_QUIET)
        # A question is kept as soon as it is asked: whoever leaves before the answer finds it again.
        keeping = {"fn": self.keep, "inputs": [chat.conversation, self.library, self.search], "outputs": kept, **_QUIET}
        saved(chat.status.change(**keeping, trigger_mode="always_last"))
        saved(chat.judged.then(**keeping))
        started = gr.on([self.new.click, chat.messages.clear], self.start, None, opened, cancels=chat.asked, **_QUIET)
        chosen = self.listed.input(self.open, [self.listed, self.library], chat.shown, cancels=chat.asked, **_QUIET)
        self.search.change(self.find, [self.search, self.library, chat.conversation], self.listed, **_QUIET)
        renamed = gr.on(
            [self.rename.click, self.title.submit],
            self.name,
            [self.title, chat.conversation, self.library, self.search],
            [chat.conversation, self.title, *kept],
            **_QUIET,
        )
        removed = self.delete.click(
            self.remove,
            [chat.conversation, self.library, self.search],
            [*chat.shown, *kept, self.deleted, self.undo],
            cancels=chat.asked,
            **_QUIET,
        )
        for left in (started, chosen, removed):
            left.then(None, None, None, js=ARRIVED)
        back = self.undo.click(
            self.bring_back,
            [self.deleted, self.library, self.search],
            [*chat.shown, *kept, self.deleted, self.undo],
            **_QUIET,
        )
        for button, export in ((self.as_markdown, self.export_markdown), (self.as_json, self.export_json)):
            button.click(export, chat.conversation, self.file, **_QUIET).then(None, self.file, None, js=SAVE_FILE)
        imported = self.imported.upload(
            self.bring_in, [self.imported, self.library, self.search], [*chat.shown, *kept], **_QUIET
        )
        for changed in (renamed, removed, back, imported):
            saved(changed)

    def reopen(self, stored: str | None, left: str | None) -> dict[Any, Any]:
        """What the browser keeps; after a reload also the conversation that was open. Nothing changes where it was not asked."""
        if not stored:
            return {}
        library = conversations.restored(stored)
        opened = next((one for one in library if one.id == left), None)
        shown = self._chat.show(opened) if opened else {}
        return {**shown, self.library: library, self.listed: _choices(library, "", left)}

    def restore(self, stored: str, words: str, chosen: str | None, conversation: Conversation) -> dict[Any, Any]:
        """What the browser keeps; the conversation that is open goes on here where it went on in another tab."""
        library = conversations.restored(stored)
        other = next((one for one in library if one.id == conversation.id), conversation)
        known = {*other.ids, *other.dropped}.issuperset(conversation.ids)
        gone_on = known and other.ids != conversation.ids and not conversation.growing and not other.growing
        shown = self._chat.show(other) if gone_on else {}
        return {**shown, self.library: library, self.listed: _choices(library, words, chosen)}

    def keep(self, conversation: Conversation, library: list[Conversation], words: str) -> dict[Any, Any]:
        """Store the conversation as it is now."""
        conversation = self._chat.marked(conversation)
        others = [one for one in library if one.id != conversation.id]
        if not conversation.exchanges:
            return {self.library: library}
        return {
            self.library: [conversation, *others],
            self.change: _change(put=conversation.to_dict()),
            self.listed: _choices([conversation, *others], words, conversation.id),
        }

    def start(self) -> dict[Any, Any]:
        """An empty conversation."""
        return {**self._chat.clear(), self.listed: gr.update(value=None)}

    def open(self, id: str, library: list[Conversation]) -> dict[Any, Any]:
        """The conversation that was chosen."""
        return self._chat.show(next((one for one in library if one.id == id), Conversation()))

    def find(self, words: str, library: list[Conversation], conversation: Conversation) -> Any:
        """Conversations that mention all words."""
        return _choices(library, words, conversation.id)

    def name(self, title: str, conversation: Conversation, library: list[Conversation], words: str) -> dict[Any, Any]:
        """Rename the conversation that is open."""
        named = replace(
            conversation, title=" ".join((title or "").split())[:120] or None, updated_at=conversations.now()
        )
        return {self._chat.conversation: named, self.title: "", **self.keep(named, library, words)}

    def remove(self, conversation: Conversation, library: list[Conversation], words: str) -> dict[Any, Any]:
        """Delete the conversation that is open; it can be brought back until the next one is deleted."""
        others = [one for one in library if one.id != conversation.id]
        return {
            **self._chat.clear(),
            self.library: others,
            self.change: _change(drop=conversation.id),
            self.listed: _choices(others, words, None),
            self.deleted: conversation,
            self.undo: gr.update(visible=bool(conversation.exchanges)),
        }

    def bring_back(self, deleted: Conversation | None, library: list[Conversation], words: str) -> dict[Any, Any]:
        """Undo a deletion."""
        if deleted is None:
            return {self.undo: gr.update(visible=False)}
        return {
            **self._chat.show(deleted),
            **self.keep(deleted, library, words),
            self.deleted: None,
            self.undo: gr.update(visible=False),
        }

    def export_markdown(self, conversation: Conversation) -> str:
        """The conversation for people, as `SAVE_FILE` takes it."""
        text = conversations.to_markdown(conversation)
        return file_to_save(conversations.file_name(conversation, "md"), "text/markdown", text)

    def export_json(self, conversation: Conversation) -> str:
        """The conversation for importing it again, as `SAVE_FILE` takes it."""
        text = json.dumps(conversation.to_dict(), ensure_ascii=False, indent=2)
        return file_to_save(conversations.file_name(conversation, "json"), "application/json", text)

    def bring_in(self, path: str, library: list[Conversation], words: str) -> dict[Any, Any]:
        """Import an exported file."""
        try:
            text = Path(path).read_text(encoding="utf-8", errors="replace")
            conversation = Conversation.from_json(text)
        except RagError as error:
            raise gr.Error(str(error), title="Not imported") from error
        return {**self._chat.show(conversation), **self.keep(conversation, library, words)}


_QUIET: dict[str, Any] = {"api_name": False, "show_progress": "hidden"}


def _change(put: dict[str, Any] | None = None, drop: str | None = None) -> str:
    """What assets/conversations.js takes."""
    return json.dumps({"key": KEY, "put": put, "drop": drop, "most": conversations.MAX_KEPT})


def _choices(library: list[Conversation], words: str, chosen: str | None) -> Any:
    found = [one for one in library if one.mentions(words or "")]
    found.sort(key=lambda one: one.updated_at, reverse=True)
    known = chosen if any(one.id == chosen for one in found) else None
    nothing = "No conversation has these words." if library and not found else ""
    return gr.update(choices=[(one.name, one.id) for one in found], value=known, info=nothing)


def file_to_save(name: str, type: str, text: str) -> str:
    """What `SAVE_FILE` takes."""
    return json.dumps({"name": name, "type": type, "text": text})
