"""The machine's own key."""

from __future__ import annotations

from features.errors import LoadlineError

MIN_TOKEN_LENGTH = 16
"""Characters; with fewer, a key could be found by trying."""


def check_token(token: str) -> str:
    """Refuse a key that could be guessed.

    Raises
    ------
    LoadlineError
        Where it is too short.
    """
    if len(token) < MIN_TOKEN_LENGTH:
        raise LoadlineError(
            f"the key has fewer than {MIN_TOKEN_LENGTH} characters",
            where="LOADLINE_TOKEN",
            hint="Use a longer one, or leave it unset: then one is made at each start.",
        )
    return token
