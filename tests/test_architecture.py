"""The frame of the code: which module may import what, and what is public."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ingest
import rag

from conftest import ROOT  # isort: skip

ONLY_IN = {
    "chromadb": {"rag/index/vectors.py"},
    "sentence_transformers": {"rag/models/embedding.py", "rag/models/reranking.py", "rag/models/entailment.py"},
    "onnxruntime": {"rag/models/onnx.py"},
    "tokenizers": {"rag/models/embedding.py", "rag/models/reader.py"},
    "bm25s": {"rag/index/lexical.py"},
    "tiktoken": {"rag/chat/tokens.py"},
    "sqlite3": {
        "rag/index/database.py",
        "rag/index/row_copy.py",
        "ingest/readings.py",
        "ingest/snapshot_borders.py",
        "ingest/snapshots.py",
    },
    "gradio": {"ui/"},
    "langchain": {"rag/chat/"},
    "langchain_core": {"rag/chat/"},
    "langchain_openai": {"rag/chat/providers.py"},
    "xllamacpp": {"rag/chat/local_server.py"},
    "sentencex": {"rag/language/sentences.py"},
    "datasketch": {"ingest/fingerprints.py"},
    "ray": {"ingest/distributed.py"},
}
MODULES = [path for folder in ("rag", "ingest", "ui") for path in sorted((ROOT / folder).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_imports_only_what_its_place_allows(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    packages = {module.partition(".")[0] for module in imports(path)}
    if name.startswith("rag/"):
        assert not packages & {"ingest", "ui"}
    if name.startswith("ingest/"):
        assert "ui" not in packages
    for library, places in ONLY_IN.items():
        if library in packages:
            assert any(name == place or (place.endswith("/") and name.startswith(place)) for place in places)


@pytest.mark.slow
def test_every_import_is_a_declared_dependency() -> None:
    """What happens to be installed because something else needs it may be gone tomorrow."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    declared = {canonicalize_name(Requirement(line).name) for line in project["dependencies"] + extras} | {
        "torch",
        "numpy",
    }
    # numpy and torch come with sentence-transformers, langchain-core with langchain, fastapi with gradio, as their documentation has it.
    declared |= {"langchain-core", "transformers", "fastapi", "starlette", "uvicorn", "pydantic"}
    owners = packages_distributions()
    used = {module.partition(".")[0] for path in MODULES for module in imports(path)}
    for name in sorted(used - set(sys.stdlib_module_names) - {"rag", "ingest", "ui"}):
        assert {canonicalize_name(owner) for owner in owners[name]} & declared, name


def test_the_table_of_contributing_names_every_module() -> None:
    rows = [line for line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    named = set()
    for line in rows:
        found = re.findall(r"`([\w/]+(?:\.\w+|/))`", line)
        folders = ["", *(name for name in found if name.endswith("/"))]
        assert all(any((ROOT / folder / name).exists() for folder in folders) for name in found), line
        named |= {name for name in found if "/" in name}
    modules = {path.relative_to(ROOT).as_posix() for path in MODULES if not path.name.startswith("__")}
    folders = tuple(name for name in named if name.endswith("/"))
    assert not {name for name in modules - named if not name.startswith(folders)}


def test_public_names() -> None:
    assert rag.__all__ == sorted(
        ["Answer", "Citation", "Comment", "Coverage", "Filters", "IndexInfo", "Passage", "RagError", "Settings", "Span"]
        + ["Turn", "answer", "comments", "search", "source_text", "stream_answer"]
    )
    assert ingest.__all__ == ["IngestReport", "Problem", "Progress", "forget", "ingest"]


def test_importing_is_cheap() -> None:
    """No heavy library is imported, nothing is opened or printed, before something is asked for."""
    heavy = [
        "chromadb",
        "sentence_transformers",
        "torch",
        "onnxruntime",
        "gradio",
        "langchain_core",
        "tiktoken",
        "bm25s",
    ]
    code = f"import sys, rag, ingest, ui.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
