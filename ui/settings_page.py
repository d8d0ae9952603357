"""The settings tab: who answers, from how many passages, in which language, until the page is stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import RagError
from rag.settings import Settings
from ui.markup import escape, tag

if TYPE_CHECKING:
    from gradio.events import Dependency

    from ui.service import Service

ANSWERERS = ["auto", "evidence", "openai:gpt-5.4-mini", "anthropic:claude-haiku-5-5", "google:gemini-flash-latest"]
KEYED = ("openai", "anthropic", "google")
NOTE = (
    "What is changed here holds for everybody who uses this page, until it is stopped. To keep it, put it into .env "
    "(see .env.example). A key is used by this program only; it is never shown again and never stored in the browser."
)


class SettingsPage:
    """Layout and events of the settings tab.

    Args:
        service: Whose settings are changed.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def layout(self) -> None:
        """Place the components; call inside a tab."""
        settings = self._service.settings
        with gr.Column(elem_id="settings-page", min_width=0):
            gr.HTML(f"<h2>Who answers</h2>{tag('p', escape(NOTE), class_='note')}", js_on_load=None)
            self.llm = gr.Dropdown(
                ANSWERERS,
                value=settings.llm,
                allow_custom_value=True,
                label="Model",
                info="evidence: quotes, no model. Others are provider:model, as in ollama:qwen3 or openai:gpt-5.4-mini.",
                elem_id="settings-llm",
            )
            self.base_url = gr.Textbox(
                value=settings.llm_base_url or "",
                label="Server",
                info="Only for an OpenAI-compatible server other than OpenAI's own, as in http://127.0.0.1:8000/v1.",
            )
            self.key = gr.Textbox(
                type="password",
                label="Key",
                info="Of the provider chosen above. Leave it empty to use the one from the environment.",
                elem_id="settings-key",
            )
            self.passages = gr.Slider(1, 30, step=1, value=settings.passages, label="Passages per answer")
            self.language = gr.Textbox(
                value=settings.language, label="Language of answers", info="As a name; auto takes that of the question."
            )
            with gr.Row():
                self.check = gr.Button("Check the connection", elem_id="settings-check")
                self.apply = gr.Button("Use these settings", variant="primary", elem_id="settings-apply")
            self.outcome = gr.HTML('<p role="status"></p>', elem_id="settings-outcome", js_on_load=None)

    def wire(self) -> Dependency:
        """Connect the events; returns the one after which the page says who answers now."""
        fields = [self.llm, self.base_url, self.key, self.passages, self.language]
        quiet: dict[str, Any] = {"api_name": False, "show_progress": "minimal"}
        self.check.click(self.try_out, fields, self.outcome, **quiet)
        return self.apply.click(self.use, fields, [self.outcome, self.key], **quiet)

    def try_out(self, *fields: Any) -> str:
        """Ask the model for a word, and say how long it took or what is wrong."""
        try:
            return _said(check(self._service.changed(**changes(*fields))))
        except RagError as error:
            return _said(str(error), wrong=True)

    def use(self, *fields: Any) -> tuple[str, str]:
        """Take the settings; the key box is emptied."""
        try:
            self._service.use(**changes(*fields))
        except RagError as error:
            return _said(str(error), wrong=True), ""
        return _said(f"In use: {self._service.model_name}."), ""


def changes(llm: str, base_url: str, key: str, passages: float, language: str) -> dict[str, Any]:
    """The settings that the fields stand for."""
    provider = llm.partition(":")[0]
    changed = {
        "llm": llm.strip(),
        "llm_base_url": base_url.strip() or None,
        "passages": int(passages),
        "language": language.strip() or "auto",
    }
    if key.strip() and provider in KEYED:
        changed[f"{provider}_api_key"] = key.strip()
    return changed


def check(settings: Settings) -> str:
    """Ask the configured model for a word.

    Raises:
        RagError: The model cannot be set up or did not answer.
    """
    from rag.chat.chat_model import load_chat_model
    from rag.chat.prompts import Message
    from rag.chat.streaming import complete

    model = load_chat_model(settings)
    if model is None:
        return "No model is needed: answers are made of quotes."
    started = time.monotonic()
    complete(model, [Message("user", "Answer with the single word: ready")])
    return f"{model.name} answers in {time.monotonic() - started:.1f} s."


def _said(text: str, *, wrong: bool = False) -> str:
    return tag("p", escape(text), role="status", class_="problem" if wrong else "good")
