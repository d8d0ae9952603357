"""Terminals and pipes of all kinds: what cannot be shown or written, and how a command ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.errors import QuestionError
from rag.terminal import exit_status
from ui.cli import main


def written(monkeypatch: pytest.MonkeyPatch, path: Path, encoding: str, *words: str) -> tuple[int, str]:
    """Exit status and what arrives of a command that prints."""
    with path.open("w", encoding=encoding) as output:
        monkeypatch.setattr("sys.stdout", output)
        status = exit_status("test", lambda: print(*words) or 0)
    return status, path.read_text(encoding)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_signs_that_a_terminal_lacks_are_written_as_json_writes_them(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "“35 °C” — 🜁 \udce9"
    status, text = written(monkeypatch, tmp_path / "out", encoding, json.dumps(words, ensure_ascii=False))
    assert (status, json.loads(text)) == (0, words)
    assert text.isascii() == (encoding == "ascii")


def _interrupted() -> int:
    raise KeyboardInterrupt


def _wrong() -> int:
    raise QuestionError("It is empty.")


def _unwritable() -> int:
    raise PermissionError(13, "Permission denied", "/report.json")


@pytest.mark.parametrize(
    ("run", "status", "said"),
    [
        (lambda: 1, 1, ""),
        (_interrupted, 130, ""),
        (_wrong, 2, "test: It is empty.\n"),
        (_unwritable, 2, "test: [Errno 13] Permission denied: '/report.json'\n"),
    ],
)
def test_how_a_command_ends(run: Callable[[], int], status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("test", run) == status
    assert capsys.readouterr() == ("", said)


def test_a_reader_who_has_gone_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Little is only written at the end, when nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as output:
        monkeypatch.setattr("sys.stdout", output)
        assert exit_status("test", lambda: print("a line") or 0) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="This system has no disk that is always full.")
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with Path("/dev/full").open("w") as output:
        monkeypatch.setattr("sys.stdout", output)
        assert exit_status("test", lambda: print("a line") or 0) == 2
    assert "No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "-1", "65536", "http"])
def test_a_port_is_a_number(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["chat", "--port", port])
    assert "1 to 65535" in capsys.readouterr().err
