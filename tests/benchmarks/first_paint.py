"""How long until the page paints, against an empty Gradio page: python tests/benchmarks/first_paint.py [loads]

Each load has an empty cache; the two pages take turns, so that a busy machine slows both. Prints medians.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import gradio as gr
from playwright.sync_api import Browser, sync_playwright

from rag.settings import Settings
from ui.app import build_app

sys.path.append(str(Path(__file__).parents[1]))


def main(loads: int = 11) -> None:
    from browsing import launch
    from scripted import ScriptedAnswerer

    with tempfile.TemporaryDirectory() as store:
        ours = build_app(ScriptedAnswerer(), settings=Settings(store=store))
        with gr.Blocks(analytics_enabled=False) as empty:
            pass
        urls = {app: app.launch(prevent_thread_lock=True, quiet=True)[1] for app in (empty, ours)}
        with sync_playwright() as playwright:
            browser = launch(playwright, shutil.which("chromium"))
            times = {app: [] for app in urls}
            for _ in range(loads):
                for app, url in urls.items():
                    times[app].append(load(browser, url))
    for what, index in (("first contentful paint", 0), ("Gradio has put up the page", 1)):
        medians = {app: statistics.median(one[index] for one in values[1:]) for app, values in times.items()}
        print(f"{what}: empty page {medians[empty]:.0f} ms, this page {medians[ours]:.0f} ms, ", end="")
        print(f"{medians[ours] / medians[empty]:.2f} times ({loads - 1} loads each)")


def load(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds from the start of the navigation to the first contentful paint, and to Gradio's main element."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(
        """new MutationObserver((_, observer) => {
          if (!document.querySelector(".gradio-container main")) return;
          window.mounted = performance.now();
          observer.disconnect();
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.goto(url)
    times = page.wait_for_function(
        """() => {
          const paint = performance.getEntriesByType("paint").find((one) => one.name === "first-contentful-paint");
          return paint && window.mounted && [paint.startTime, window.mounted];
        }"""
    ).json_value()
    context.close()
    return tuple(times)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
