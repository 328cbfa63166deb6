"""Policies that come with the software, each with its source: to use as they are, or to start one's own from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from features.errors import LoadlineError
from models.policy.default import default_policy
from models.policy.document import Policy
from models.policy.reading import read_policy

__all__ = ["default_policy", "shipped", "shipped_text"]

FOLDER = "ready_made"
SUFFIX = ".yaml"


@cache
def shipped() -> Mapping[str, Policy]:
    """Read the policies that come with the software, by id in alphabetical order."""
    found: dict[str, Policy] = {}
    for name, file in sorted(_files().items()):
        with as_file(file) as path:
            policy = read_policy(path)
        assert policy.id == name, f"{file.name} holds {policy.id}"
        found[name] = policy
    return MappingProxyType(found)


def shipped_text(name: str) -> str:
    """Give one of them as it was written, with its remarks.

    Raises
    ------
    LoadlineError
        Where there is none of that id.
    """
    found = _files()
    if name not in found:
        raise LoadlineError(f"no policy {name!r} is shipped", hint=f"Shipped: {', '.join(sorted(found))}.")
    return found[name].read_text(encoding="utf-8")


def _files() -> dict[str, Traversable]:
    folder = files("models.policy").joinpath(FOLDER)
    return {file.name.removesuffix(SUFFIX): file for file in folder.iterdir() if file.name.endswith(SUFFIX)}
