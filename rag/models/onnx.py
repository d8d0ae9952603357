"""Networks as ONNX files: exported by torch once, kept in the cache folder, run by ONNX Runtime from then on.

Importing torch takes seconds, opening such a file a fraction of one. The only module that imports onnxruntime. Does not
know what a network is for.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag.settings import Settings

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

Opened = TypeVar("Opened")


def cache_folder(settings: Settings) -> Path:
    """Where exported models are kept."""
    if settings.cache:
        return settings.cache
    from platformdirs import user_cache_path

    return user_cache_path("commentariat")


def open_session(path: Path) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Threads that spin while they wait slow down everything else on a small machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])


def export(network: torch.nn.Module, example: Mapping[str, torch.Tensor], output: str, path: Path) -> None:
    """Write a network to a file.

    Args:
        network: Called with the tensors in the order of `example`.
        example: Inputs by name, shape (batch, tokens), both sizes free.
        output: Name of its result.
        path: Where to write.
    """
    import torch

    shape = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    with _quiet():
        torch.onnx.export(
            network.eval(),
            tuple(example.values()),
            str(path),
            dynamo=True,
            external_data=False,
            input_names=list(example),
            output_names=[output],
            dynamic_shapes=(tuple(shape for _ in example),),
            verbose=False,
        )


def keep(folder: Path, write: Callable[[Path], None]) -> None:
    """Fill a folder with what `write` puts into the one it is given: all of it, or nothing.

    Another process may do the same meanwhile: the first one there wins.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        work = Path(scratch) / "export"
        work.mkdir()
        write(work)
        (work / DONE).touch()
        try:
            work.rename(folder)
        except OSError:
            if not is_kept(folder):
                shutil.rmtree(folder, ignore_errors=True)
                work.rename(folder)


def open_kept(folder: Path, write: Callable[[Path], None], open_it: Callable[[Path], Opened]) -> Opened:
    """Open what `keep` keeps in a folder, filling it first where that has not been done.

    What can no longer be opened, as after a disk that was full, is told and written anew.

    Raises:
        Exception: Whatever `write` raises, or `open_it` for what was just written.
    """
    import onnxruntime  # noqa: F401 - where it is missing, nothing is wrong with the files

    if is_kept(folder):
        try:
            return open_it(folder)
        except Exception as exc:  # ONNX Runtime, tokenizers and JSON have no error in common
            log.warning("The exported model in %s is damaged (%s): it is exported anew.", folder, exc)
            shutil.rmtree(folder, ignore_errors=True)
    keep(folder, write)
    return open_it(folder)


DONE = "done"


def is_kept(folder: Path) -> bool:
    """Whether `keep` has filled the folder."""
    return (folder / DONE).is_file()


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporting prints and warns about its own internals, which no user can act on."""
    import contextlib
    import io
    import warnings

    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
