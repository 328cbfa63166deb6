"""Kept copies of models: a folder each, named by its version, verified whenever it is read."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import LoadlineError
from models.bundle import PARTIAL_SUFFIX, VERSION_LENGTH, ModelBundle, check_name
from training.lock import file_lock

MODELS = "models"
CARDS = "cards"
"""Folder of the model cards, beside the copies; one folder a version."""
LOCK = "lock"
"""File that `model_lock` locks."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def model_folder(home: str | Path, model_name: str) -> Path:
    """Give the folder of a model.

    Raises
    ------
    LoadlineError
        Where the name could lead elsewhere.
    """
    check_name(model_name)
    return Path(home) / MODELS / model_name


def copy_folder(home: str | Path, model_name: str, digest: str) -> Path:
    """Give the place of a copy.

    Raises
    ------
    ValueError
        Where this is no digest; what a record says is never made a path unseen.
    """
    if not is_digest(digest):
        raise ValueError(digest)
    return model_folder(home, model_name) / digest[:VERSION_LENGTH]


def card_folder(home: str | Path, model_name: str, version: str) -> Path:
    """Give the folder of a version's card."""
    return model_folder(home, model_name) / CARDS / version


def is_digest(text: object) -> bool:
    """Tell whether this is a SHA-256 as 64 hexadecimal digits."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


@contextmanager
def model_lock(home: str | Path, model_name: str) -> Iterator[None]:
    """Hold the lock under which records and copies of a model change; what a killed process left is cleared first.

    Raises
    ------
    LoadlineError
        Where somebody else holds it for long.
    """
    folder = model_folder(home, model_name)
    with file_lock(folder / LOCK):
        _clear_leftovers(folder)
        yield


def kept_bundle(home: str | Path, model_name: str, digest: str) -> ModelBundle:
    """Load a kept copy and verify it.

    Raises
    ------
    LoadlineError
        Where it is missing, a link, or not byte for byte what was kept.
    """
    folder = copy_folder(home, model_name, digest)
    if folder.is_symlink():
        hint = "Put the folder itself in its place: links are not followed."
        raise LoadlineError("the kept model is a link", where=str(folder), hint=hint)
    return ModelBundle.load(folder, expected=digest)


def keep(home: str | Path, model_name: str, bundle: ModelBundle) -> None:
    """Keep a copy, whole or not at all; a damaged one is replaced. Only under the lock.

    Raises
    ------
    LoadlineError
        Where it cannot be written.
    """
    folder = copy_folder(home, model_name, bundle.digest)
    if folder.is_symlink():
        folder.unlink()
    try:
        bundle.save(folder)
    except LoadlineError:
        if not folder.exists():
            raise
        damaged = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
        folder.rename(damaged)
        _clear_leftovers(folder.parent)
        bundle.save(folder)


def _clear_leftovers(folder: Path) -> None:
    """Delete what a killed process left half written; only under the lock, when nobody else can be writing."""
    for path in folder.glob(f".*{PARTIAL_SUFFIX}"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
