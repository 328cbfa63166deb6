"""What an appeal freezes: the figure as told and all that it rests on, sealed; and telling what differs from it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.errors import LoadlineError
from serving.database.tables.base import canonical

MOST_DIFFERENCES = 100
"""Differences that are told one by one: who sees as many looks for one cause."""
NOTHING = "(nothing)"
"""In place of a value that is not there."""


class TamperedError(LoadlineError):
    """What was frozen is not what is kept."""


@dataclass(frozen=True, eq=False)
class Frozen:
    """A record that cannot be changed unseen, and what it names by digest.

    Attributes
    ----------
    content : Mapping
        Plain JSON: which data version, policy, targets and model, the figure, and all that was told of it.
    materials : Mapping of str to bytes
        Policy and targets themselves, by the SHA-256 of their content.
    """

    content: Mapping[str, Any]
    materials: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """Give the SHA-256 of the record as canonical JSON, 64 hexadecimal digits."""
        return seal(self.content)

    def material(self, digest: str) -> bytes:
        """Give what the record names, verified.

        Raises
        ------
        TamperedError
            Where it is missing or is something else.
        """
        content = self.materials.get(digest)
        if content is None or sha256(content) != digest:
            what = "is missing" if content is None else "is not what was frozen"
            raise TamperedError(f"the material {digest[:12]} of the appeal {what}", hint=RESTORE)
        return content


RESTORE = "Restore the database from a backup that the audit's chain verifies; the audit names the record's digest."


@dataclass(frozen=True, slots=True)
class Difference:
    """A place in which what is told now is not what was frozen, each as JSON to the last bit."""

    where: str
    frozen: str
    now: str


def sha256(content: bytes) -> str:
    """Give the SHA-256 as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def seal(content: Mapping[str, Any]) -> str:
    """Give the SHA-256 of a document as canonical JSON.

    >>> seal({"b": 1, "a": 2}) == seal({"a": 2, "b": 1})
    True
    """
    return sha256(canonical(content).encode())


def plain(value: Any) -> Any:
    """Give a value as JSON has it, every float to its last bit; what is not finite becomes null.

    >>> plain({"a": np.float64(0.1), "b": (float("nan"), np.int64(3))})
    {'a': 0.1, 'b': [None, 3]}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(content) for name, content in value.items()}
    if isinstance(value, list | tuple):
        return [plain(content) for content in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def differences(frozen: Any, now: Any) -> tuple[Difference, ...]:
    """Tell where two documents differ. Fields that only the second has do not count: a later release may add some.

    Numbers are the same where their bits are: JSON writes every float as the shortest decimal that reads back as it.

    >>> differences({"score": 0.3}, {"score": 0.1 + 0.2, "new": 1})
    (Difference(where='score', frozen='0.3', now='0.30000000000000004'),)
    """
    found: list[Difference] = []
    for difference in _differences(frozen, now, ""):
        found.append(difference)
        if len(found) == MOST_DIFFERENCES:
            break
    return tuple(found)


def _differences(frozen: Any, now: Any, where: str) -> Iterator[Difference]:
    if isinstance(frozen, Mapping) and isinstance(now, Mapping):
        for name, content in frozen.items():
            place = f"{where}.{name}" if where else str(name)
            if name in now:
                yield from _differences(content, now[name], place)
            else:
                yield Difference(place, canonical(content), NOTHING)
        return
    if _is_list(frozen) and _is_list(now):
        for number, content in enumerate(frozen):
            place = f"{where}[{number}]"
            if number < len(now):
                yield from _differences(content, now[number], place)
            else:
                yield Difference(place, canonical(content), NOTHING)
        for number in range(len(frozen), len(now)):
            yield Difference(f"{where}[{number}]", NOTHING, canonical(now[number]))
        return
    before, after = canonical(frozen), canonical(now)
    if before != after:
        yield Difference(where, before, after)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
