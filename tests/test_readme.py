"""README's examples do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rag.settings import Settings
from ui.app import build_app
from ui.service import Service

from conftest import ROOT, SAMPLE  # isort: skip
from serving import serving  # isort: skip

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:7860"


def test_the_python_examples_run_on_the_sample(
    sample_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder where `make chat` has indexed the sample and opened the page."""
    store = tmp_path / "store" / SAMPLE.name
    store.parent.mkdir()
    store.symlink_to(sample_settings.store)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMMENTARIAT_STORE")
    namespace: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    with serving(build_app(Service(sample_settings), settings=sample_settings), server_name="127.0.0.1") as url:
        for block in blocks:
            exec(block.replace(ADDRESS, url.rstrip("/")), namespace)
    assert len(blocks) == 3
    assert "[1]" in namespace["answer"].text
    assert {passage.author for passage in namespace["passages"]} == {"Brine Ledgerwick"}
    assert "[1]" in namespace["reply"].choices[0].message.content


def test_the_makefile_puts_the_sample_where_the_examples_look() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"COMMENTS ?= {SAMPLE.relative_to(ROOT).as_posix()}\nSTORE ?= store/$(notdir" in makefile
    assert f'rag.Settings(store="store/{SAMPLE.name}")' in README
