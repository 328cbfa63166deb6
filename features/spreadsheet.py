"""Texts on their way into a spreadsheet: nothing that it would run."""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins with one of these is a formula to a spreadsheet program (OWASP, CSV injection)."""


def inert(text: object) -> object:
    """Make a text harmless in a spreadsheet: an apostrophe before what would be read as a formula.

    >>> inert("=1+1"), inert("Branch 7"), inert(-3.5)
    ("'=1+1", 'Branch 7', -3.5)
    """
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA_STARTS) else text
