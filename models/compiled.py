"""Compiling of numeric loops. Importing this module loads numba, so what uses it is imported where it is called.

What is kept on disk is tied to the file of the function, not to what that calls: keep functions that call each other in
one file, or a change in one is not seen by the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

Jit = Callable[[Callable[..., Any]], Callable[..., Any]]


def compiled(**options: Any) -> Jit:
    """Compile a function on its first call, and keep the result on disk where there is a place to write to."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written to
            return numba.njit(nogil=True, **options)(function)

    return decorate
