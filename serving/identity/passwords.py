"""Passwords: kept as argon2id hashes, checked in the same time whether anybody has that name or not."""

from __future__ import annotations

import threading
from functools import cached_property

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from serving.errors import InvalidError

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""OWASP Password Storage Cheat Sheet (2025), argon2id: 19 MiB, two passes, one lane. The settings have the same."""
SHORTEST = 12
"""Characters; NIST SP 800-63B-4 asks for 15 where nothing else guards the account, and 8 beside something that does.
Here attempts are throttled."""
LONGEST = 1_000
"""Characters; a longer one is a way to keep the machine busy."""
AT_ONCE = 4
"""Passwords checked at the same time: each needs its memory, and strangers may ask for it."""
OBVIOUS = (
    "password",
    "passw0rd",
    "loadline",
    "administrator",
    "changeme",
    "letmein",
    "welcome",
    "qwerty",
    "qwertyuiop",
    "1q2w3e4r",
    "iloveyou",
    "abc123",
    "admin",
    "mima",
    "woaini",
)
"""What is tried first. A password of these and digits or marks around them is refused."""
FEWEST_DIFFERENT = 5
"""Different characters: `aaaaaaaaaaaa` and `121212121212` are found at once."""


class Passwords:
    """Hashes and checks passwords.

    Parameters
    ----------
    memory_kib, passes, lanes : int
        Cost of argon2id.
    """

    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES, lanes: int = LANES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
        self._room = threading.BoundedSemaphore(AT_ONCE)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """Give the hash to keep."""
        with self._room:
            return self._hasher.hash(password)

    def holds(self, password: str, kept: str | None) -> bool:
        """Check a password; without a hash to check against it takes as long, and fails."""
        password = password[: LONGEST + 1]
        with self._room:
            nobodys = self._nobodys
            try:
                return self._hasher.verify(kept or nobodys, password) and bool(kept)
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, kept: str) -> bool:
        """Tell whether a hash was made at another cost than is asked for now."""
        return self._hasher.check_needs_rehash(kept)


def checked_password(password: str, *, login: str) -> str:
    """Refuse a password that is found by trying.

    Raises
    ------
    InvalidError
        Where it is short, obvious, or the login. It never repeats the password.
    """
    trouble = _trouble(password, login)
    if trouble:
        raise InvalidError(f"the password {trouble}", where="password", hint="A few words in a row make a good one.")
    return password


def _trouble(password: str, login: str) -> str:
    if len(password) < SHORTEST:
        return f"has fewer than {SHORTEST} characters"
    if len(password) > LONGEST:
        return f"has more than {LONGEST} characters"
    plain = password.casefold()
    if len(set(plain)) < FEWEST_DIFFERENT:
        return "repeats a few characters"
    bare = "".join(character for character in plain if character.isalnum())
    for known in (login, login.partition("@")[0], *OBVIOUS):
        for text in (plain, bare):
            rest = text.replace(known, "") if known else text
            if rest != text and not any(character.isalpha() for character in rest):
                return "is the login, or one of those that are tried first"
    if plain in _RUNS or bare in _RUNS:
        return "is a row of neighbours"
    return ""


_RUNS = frozenset(
    row[start : start + length]
    for row in ("0123456789" * 3, "9876543210" * 3, "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
    for length in range(SHORTEST, len(row) + 1)
    for start in range(len(row) - length + 1)
)
