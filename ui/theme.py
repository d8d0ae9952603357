"""Colours, fonts and the options the page is served with: nothing that would be fetched from another host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

ASSETS = Path(__file__).parent / "assets"

_SANS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Liberation Sans", "sans-serif"]
_MONO = ["ui-monospace", "SF Mono", "Menlo", "Consolas", "Liberation Mono", "monospace"]


def page_options() -> dict[str, Any]:
    """Arguments for `launch` or `gr.mount_gradio_app` that make the page look and behave as designed.

    Gradio keeps a history of runs in the browser by default, arguments included; conversations have a place of their
    own here, so it is off.
    """
    return {
        "theme": theme(),
        "css_paths": [ASSETS / "page.css"],
        "head": f'<style media="print">{(ASSETS / "print.css").read_text(encoding="utf-8")}</style>',
        "run_history": False,
        "footer_links": [],
        "show_error": True,
    }


def theme() -> gr.themes.Base:
    """Quiet paper and ink, one accent, fonts that the reader's system already has."""
    import gradio as gr

    accent = gr.themes.Color(
        name="harbour",
        c50="#eef6f7", c100="#d5e9eb", c200="#aed4d8", c300="#7fb9bf", c400="#4d989f", c500="#2b7a82",
        c600="#1f646c", c700="#1b5158", c800="#184147", c900="#15363b", c950="#0a2024",
    )  # fmt: skip
    ink = gr.themes.Color(
        name="ink",
        c50="#faf9f7", c100="#f3f1ed", c200="#e6e2db", c300="#d2cdc4", c400="#a39d93", c500="#746f67",
        c600="#59554e", c700="#3d3a36", c800="#262523", c900="#1b1a19", c950="#131312",
    )  # fmt: skip
    base = gr.themes.Base(
        primary_hue=accent, secondary_hue=accent, neutral_hue=ink, font=_SANS, font_mono=_MONO,
        radius_size=gr.themes.sizes.radius_md, text_size=gr.themes.sizes.text_md,
    )  # fmt: skip
    return base.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="*neutral_950",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="0px",
        block_shadow="none",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_700",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        input_border_width="1px",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        link_text_color="*primary_600",
        link_text_color_dark="*primary_300",
        link_text_color_hover="*primary_800",
        link_text_color_hover_dark="*primary_200",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        button_secondary_background_fill="*neutral_100",
        button_secondary_background_fill_hover="*neutral_200",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_text_color="*neutral_800",
        button_secondary_text_color_dark="*neutral_100",
        button_large_text_weight="500",
        button_large_text_size="*text_md",
        button_large_padding="9px 16px",
        slider_color="*primary_600",
    )
