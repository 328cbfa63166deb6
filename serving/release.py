"""Which version of the program this is."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version as installed_version


@cache
def release() -> str:
    """Give the version of the program."""
    return installed_version("loadline")
