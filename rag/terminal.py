"""Shared by all commands: which index they use, characters a terminal cannot show, error messages and exit status."""

from __future__ import annotations

import argparse
import codecs
import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rag.errors import RagError
from rag.settings import Settings


def take_store(command: argparse.ArgumentParser, about: str = "folder of the index (setting store)") -> None:
    """Let a command be about another index than that of the settings."""
    command.add_argument("--store", type=_folder, metavar="FOLDER", help=about)


def settings_of(args: argparse.Namespace, **more: Any) -> Settings:
    """The settings, with the index that the command names."""
    return Settings(**more, **({"store": args.store} if args.store else {}))


def _folder(text: str) -> str:
    if not text.strip():  # as of a variable that is not set: another index must not be taken for it
        raise argparse.ArgumentTypeError("the name of the folder is empty")
    return text


def exit_status(program: str, run: Callable[[], int]) -> int:
    """Run a command: its own status, or 2 after an error, which is told on standard error, or 130 after Ctrl-C.

    Args:
        program: Begins the message of an error.
        run: The command.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_ESCAPED)
    try:
        status = run()
        print(end="", flush=True)  # what is still to be written may fail as well
        return status
    except BrokenPipeError:
        # The reader of a pipe has gone, as with `| head`: nothing is wrong, and nothing more can be said.
        _say_no_more()
        return 0
    except KeyboardInterrupt:
        return 130
    except RagError as exc:
        print(f"{program}: {exc}", file=sys.stderr)
    except OSError as exc:  # a full disk, a folder that may not be written
        print(f"{program}: {exc}", file=sys.stderr)
        _say_no_more()
    return 2


def _say_no_more() -> None:
    """Lest Python, which writes the rest at its end, complains of the same once more."""
    with suppress(AttributeError, OSError):  # there may be no output at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Signs that an encoding lacks, written so that JSON stays the same JSON."""
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


_ESCAPED = "commentariat"
codecs.register_error(_ESCAPED, _escaped)
