"""Everything that is wrong with files, collected: what breaks the contract, where, and what was expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from features.errors import Breach, DatasetError

LISTED_PER_KIND = 1000
"""Breaches of one kind in one file and column that are listed; the rest is counted."""


class TableError(DatasetError):
    """A table that somebody gave beside the data (goals, pins, targets) and that cannot be used, with every breach."""

    def __init__(self, breaches: Sequence[Breach], *, total: int | None = None, where: str = "") -> None:
        super().__init__(breaches, total=total, where=where)
        self.what = f"the file is wrong in {self.total:,} place{'s' if self.total != 1 else ''}; nothing was done"


class Breaches:
    """Collects what breaks the contract, in the order found; endless repetitions are counted, not listed."""

    def __init__(self) -> None:
        self.found: list[Breach] = []
        self.total = 0
        self._kinds: Counter[tuple[str, str, str]] = Counter()

    def __bool__(self) -> bool:
        return self.total > 0

    def add(self, file: str, line: int, column: str, value: object, *, expected: str, hint: str = "") -> None:
        """Note one breach."""
        self.total += 1
        kind = (file, column, expected)
        self._kinds[kind] += 1
        if self._kinds[kind] <= LISTED_PER_KIND:
            self.found.append(Breach(file, int(line), column, shortened(value), expected, hint))

    def add_rows(
        self,
        file: str,
        lines: np.ndarray,
        column: str,
        values: Callable[[int], object],
        *,
        expected: str,
        hint: str | Callable[[object], str] = "",
    ) -> None:
        """Note one breach a row; `values(i)` gives what stands in the i-th of them, of which the hint may depend."""
        for i, line in enumerate(lines[:LISTED_PER_KIND]):
            value = values(i)
            self.add(
                file, int(line), column, value, expected=expected, hint=hint if isinstance(hint, str) else hint(value)
            )
        more = len(lines) - LISTED_PER_KIND
        if more > 0:
            self.total += more
            self._kinds[file, column, expected] += more

    def raise_if_any(self, where: str, *, error: type[DatasetError] = DatasetError) -> None:
        """Refuse the dataset if anything was found; or the one file, where `error` is a `TableError`.

        Raises
        ------
        DatasetError
            With all of it.
        """
        if self:
            raise error(sorted(self.found, key=lambda b: (b.file, b.line)), total=self.total, where=where)


def shortened(value: object, length: int = 60) -> str:
    """Give a value as printable text of limited length."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)[: 2 * length])
    return text if len(text) <= length else text[: length - 1] + "…"
