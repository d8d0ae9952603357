"""Settings: precedence, refusal of unknown names, the example file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import PREFIX, Settings

from conftest import ROOT  # isort: skip
import itertools


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_arguments_win_over_environment_over_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("COMMENTARIAT_PASSAGES=3\nCOMMENTARIAT_LANGUAGE=Dutch\nCOMMENTARIAT_LLM_RETRIES=7\n")
    monkeypatch.setenv("COMMENTARIAT_PASSAGES", "4")
    monkeypatch.setenv("COMMENTARIAT_LANGUAGE", "Polish")
    found = Settings(passages=5)
    assert (found.passages, found.language, found.llm_retries) == (5, "Polish", 7)


def test_misspelt_argument_is_refused_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(SettingsError, match='"stroe" is not a setting. Did you mean "store"'):
        Settings(stroe="x")


def test_misspelt_variable_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMENTARIAT_STROE", "x")
    with pytest.raises(SettingsError, match="COMMENTARIAT_STROE in the environment is not a setting"):
        Settings()


def test_misspelt_line_of_the_file_is_refused(folder: Path) -> None:
    (folder / ".env").write_text("COMMENTARIAT_PASSAGE=3\n")
    with pytest.raises(SettingsError, match='Did you mean "passages"'):
        Settings()


def test_lines_of_other_programs_are_left_alone(folder: Path) -> None:
    (folder / ".env").write_text("DATABASE_URL=x\nOPENAI_API_KEY=sk-1\n")
    found = Settings()
    assert found.openai_api_key is not None
    assert found.openai_api_key.get_secret_value() == "sk-1"


def test_wrong_value_names_setting_and_value(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"Setting passages \(it is 'many'\).*COMMENTARIAT_PASSAGES"):
        Settings(passages="many")


@pytest.mark.parametrize("name", ["chroma_url", "llm_base_url", "ollama_url"])
@pytest.mark.parametrize(
    "url", ["garbage", "localhost:11434", "http://[::1", "http://host:port", "file:///x", "http://"]
)
def test_what_is_no_address_is_refused_and_not_printed(name: str, url: str, folder: Path) -> None:
    with pytest.raises(SettingsError, match=f"^Setting {name}: It should be an address such as http://") as told:
        Settings(**{name: url})
    assert "(it is" not in str(told.value)
    assert getattr(Settings(**{name: "https://user:word@host:80/v1"}), name) == "https://user:word@host:80/v1"


def test_a_tilde_is_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv(f"{PREFIX}STORE", raising=False)
    (folder / ".env").write_text("COMMENTARIAT_STORE=~/comments\n")
    assert (Settings().store, Settings(cache="~/cache").cache) == (folder / "comments", folder / "cache")
    assert Settings(store="~nobody-of-that-name/x").store == Path("~nobody-of-that-name/x")


def test_a_file_in_another_encoding_is_told(folder: Path) -> None:
    (folder / ".env").write_text("COMMENTARIAT_PASSAGES=3\n", encoding="utf-16")
    with pytest.raises(SettingsError, match=r"The file \.env is not in UTF-8"):
        Settings()


def test_keys_are_never_printed(folder: Path) -> None:
    assert "sk-secret" not in repr(Settings(openai_api_key="sk-secret"))


def test_example_file_lists_every_setting_with_a_sentence_and_its_default() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    listed = {}
    for before, line in itertools.pairwise(lines):
        if match := re.fullmatch(r"#([A-Z_]+)=(.*)", line):
            assert before.startswith("# "), line
            listed[match[1]] = (before[2:], match[2])
    keys = {name for name in Settings.model_fields if name.endswith("_api_key")}
    expected = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields.keys() - keys} | {
        key.upper() for key in keys
    }
    assert set(listed) == expected
    for name, field in Settings.model_fields.items():
        if name not in keys:
            default = "" if field.default is None else str(field.default)
            assert listed[f"{PREFIX}{name.upper()}"] == (field.description, default)
