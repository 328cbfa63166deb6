"""Telling how far long work has come."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with a stage, what is done and what there is to do."""


def silent(stage: str, done: int, total: int) -> None:
    """Say nothing."""
