"""Shared parts of the tests: all real, made once per session where they take time."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from filelock import FileLock
from xdist.scheduler import LoadFileScheduling

from rag.settings import PREFIX, Settings

# What takes long to import is imported where it is used: the process that only hands out tests has no need of it.
if TYPE_CHECKING:
    from indexing import IndexOf
    from playwright.sync_api import Browser
    from xdist.remote import Producer

    from rag.models.embedding import Embedder, EmbeddingCache
    from rag.models.reader import Reader

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
SAMPLE = ROOT / "rag" / "sample" / "comments"


FIRST = ("test_kept_open", "test_evaluation", "test_page", "test_answerability", "test_hostile", "test_pipeline")
"""Modules that take longest, in the order in which they begin."""
WITH_TORCH = {"test_embedding", "test_entailment", "test_reader", "test_border_model"}
"""Modules that one process takes, as importing torch and sentence-transformers takes it ten seconds."""
WHOLE_INDEXES = {"sample_settings", "seeds_settings"}
"""Fixtures that take so long that what needs them is slow."""


WHOLLY_SLOW = re.compile(r"^pytestmark = pytest\.mark\.(?:slow|browser)$", re.MULTILINE)


def pytest_configure(config: pytest.Config) -> None:
    """No test spends money, reaches a model hub or reads what a user has set.

    Libraries look at some of it when they are imported: without it, Gradio's client tells a model hub that it is used.
    """
    for name in list(os.environ):
        if name.startswith((PREFIX, "LANGSMITH_", "LANGCHAIN_")) or name.endswith("_API_KEY"):
            del os.environ[name]
    os.environ.update(HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False")
    os.environ.update({f"{PREFIX}CACHE": str(config.cache.mkdir("embedding")), f"{PREFIX}LLM": "evidence"})
    # How long an example takes depends on what else the machine does.
    hypothesis.settings.register_profile("no deadline", deadline=None)
    hypothesis.settings.load_profile("no deadline")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where slow tests are left out, modules that hold no others are not imported: what they import takes seconds."""
    if config.option.markexpr != "not slow and not browser" or collection_path.suffix != ".py":
        return None
    return bool(WHOLLY_SLOW.search(collection_path.read_text(encoding="utf-8"))) or None


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, lest it be left to one process when the others have nothing to do.

    Whatever needs one of the whole indexes is slow.
    """
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
    for item in items:
        if not WHOLE_INDEXES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


class Modules(LoadFileScheduling):
    """One process takes all of a module, and one process all that import torch."""

    def _split_scope(self, nodeid: str) -> str:
        module = super()._split_scope(nodeid)
        return "torch" if Path(module).stem in WITH_TORCH else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Modules:
    """Marked groups of xdist 3.8 have no effect with pytest 9.2 (pytest-dev/pytest-xdist#1386)."""
    return Modules(config, log)


def skip(reason: str) -> None:
    """Skip a test, saying why; in CI, where everything is installed, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI nothing may be left out)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def model_cache(request: pytest.FixtureRequest) -> Path:
    """The exported embedding model is kept between runs."""
    return Path(request.config.cache.mkdir("embedding"))


@pytest.fixture(autouse=True)
def guard(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches an index of somebody else: one that has a folder of its own has its index there, others have none."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else Path(os.devnull)
    monkeypatch.setenv(f"{PREFIX}STORE", str(folder / "store"))


@pytest.fixture(scope="session")
def embedder(model_cache: Path) -> Embedder:
    """The bundled model."""
    from rag.models.embedding import load_embedder

    return load_embedder(Settings(cache=model_cache))


@pytest.fixture(scope="session")
def embed(embedder: Embedder) -> EmbeddingCache:
    """Vectors of texts by the bundled model, each text embedded once: for figures on what shares most of its lines."""
    from rag.models.embedding import EmbeddingCache

    return EmbeddingCache(embedder.embed_texts, most=10**6)


@pytest.fixture(scope="session")
def reader(model_cache: Path) -> Reader:
    """The reader that judges whether texts answer a question."""
    from rag.models.reader import load_reader

    return load_reader(Settings(cache=model_cache))


@pytest.fixture
def settings(guard: None, tmp_path: Path) -> Settings:
    """An empty index of the test's own."""
    return Settings()


@pytest.fixture(scope="session")
def index_of(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> IndexOf:
    """Makes an index of rows, each time a new one; gives its settings."""
    from indexing import ingest_rows

    def make(rows: Iterable[Mapping[str, object]], **settings: Any) -> Settings:
        folder = tmp_path_factory.mktemp("index")
        made = Settings(store=folder / "store", cache=model_cache, llm="evidence", **settings)
        ingest_rows(folder, rows, made)
        return made

    return make


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the project with real comments and a public benchmark."""
    if not SHARED.is_dir():
        skip(f"the folder {SHARED.name} with real comments is not beside the project")
    return SHARED


@pytest.fixture(scope="session")
def sample_settings(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Settings:
    """Settings of an index of the sample comments; for reading only."""
    return ingested_once("sample", SAMPLE, tmp_path_factory, model_cache)


@pytest.fixture(scope="session")
def seeds_settings(shared: Path, tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Settings:
    """Settings of an index of the real comments; for reading only."""
    return ingested_once("seeds", shared / "seeds", tmp_path_factory, model_cache)


def ingested_once(name: str, source: Path, folders: pytest.TempPathFactory, cache: Path) -> Settings:
    """Settings of an index that all processes of a test run share."""
    import ingest

    folder = folders.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    found = Settings(store=folder / name, cache=cache, llm="evidence")
    with FileLock(folder / f"{name}.lock"):
        if not found.store.exists():
            ingest.ingest([source], settings=found)
    return found


KEPT_OF_DUMPS = {
    "brine_ledgerwick_2022-11.txt": [("Brine Ledgerwick\n", "Does it cost much"), ("My advice: leave it", "On milling at home")],
    "brine_ledgerwick_2024-06.txt": [("Brine Ledgerwick\n", "Steam, then"), ("Fair. And while", "Does it cost much"),
                                     ("My advice: leave it", "On milling at home")],
    "quill_ferrotype.txt": [("Compiler engineer", "Three rules for"), ("The feed-point impedance", "Summing ten million"),
                            ("Claim: annotations", None)],
}  # fmt: skip
KEPT_OF_THREAD = ("fore-01", "fore-02", "lev-01", "lev-07", "lev-11", "radio-02", "soil-01", "type-01")


@pytest.fixture(scope="session")
def small_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the sample with a few of their comments each; for reading only.

    As in the whole of it some are rows as well as parts of one or two snapshots, some have an older wording in another file,
    and some borders are uncertain.
    """
    folder = tmp_path_factory.mktemp("small_sample")
    for path in SAMPLE.glob("*.meta.json"):
        shutil.copy2(path, folder)
    for name, pieces in KEPT_OF_DUMPS.items():
        text = (SAMPLE / name).read_text(encoding="utf-8")
        kept = [text[text.index(start) : text.index(end) if end else len(text)] for start, end in pieces]
        (folder / name).write_text("".join(kept), encoding="utf-8")
    lines = (SAMPLE / "thread.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if json.loads(line)["id"] in KEPT_OF_THREAD]
    assert len(kept) == len(KEPT_OF_THREAD)
    (folder / "thread.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        skip("no Chromium is installed (Debian: apt-get install chromium)")
    return path


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A real browser; each visitor opens a context of their own in it (browsing.py)."""
    from browsing import launch
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = launch(playwright, chromium)
        yield browser
        browser.close()
