"""The indicators that a dataset declares: short entries filled in from the library, parts checked against the data."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from features.breaches import Breaches
from features.documents import compose, line_of, note_invalid
from features.indicators import Indicator, IndicatorSet, Title, library

REQUIRED_FIELDS = ("name", "unit", "direction", "kind", "perspective")
"""An indicator that lacks any of these is looked up in the built-in library."""


@dataclass(frozen=True)
class DeclaredIndicators:
    """The indicators of a dataset before it is known which of them have figures."""

    indicators: tuple[Indicator, ...]
    lines: tuple[int, ...]
    from_library: frozenset[str]

    @property
    def codes(self) -> IndicatorSet:
        """Give them by code."""
        return IndicatorSet(self.indicators)

    def resolve(self, observed: Collection[str], breaches: Breaches, notes: list[str]) -> IndicatorSet:
        """Check that numerators and denominators have figures; those that only the library names are dropped if not."""
        kept = []
        for indicator, line in zip(self.indicators, self.lines, strict=True):
            for part in ("denominator", "numerator"):
                code = getattr(indicator, part)
                if code is None or code in observed:
                    continue
                if indicator.code in self.from_library:
                    notes.append(
                        f"{indicator.code} has no {part} {code} in the data: it rolls up unweighted or by what is there"
                    )
                    changed = {"numerator": None} if part == "numerator" else {"numerator": None, "denominator": None}
                    indicator = indicator.model_copy(update=changed)
                else:
                    hint = "Add its observations, or leave the field out: the ratio then rolls up unweighted."
                    expected = f"{part} {code!r} to have observations in the data"
                    breaches.add("indicators.yaml", line, part, code, expected=expected, hint=hint)
            kept.append(indicator)
        return IndicatorSet(kept)


def read_indicators(path: Path, breaches: Breaches, *, months: int = 1) -> DeclaredIndicators | None:
    """Read `indicators.yaml`, filling short entries from the built-in library.

    Parameters
    ----------
    path : Path
    breaches : Breaches
    months : int
        Months in a period: the library counts publication lags in months, a dataset in its periods, to the nearest.
    """
    document, node = compose(path, breaches)
    entries = document.get("indicators") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        if path.is_file() and not any(b.file == path.name for b in breaches.found):
            breaches.add(
                path.name, 1, "indicators", "", expected="a list called `indicators`", hint="One entry an indicator."
            )
        return None
    indicators: list[Indicator] = []
    lines: list[int] = []
    spoiled: list[str] = []
    from_library: set[str] = set()
    for number, entry in enumerate(entries):
        at = ("indicators", number)
        line = line_of(node, at)
        if not isinstance(entry, dict):
            breaches.add(
                path.name, line, "", entry, expected="an entry with at least `code:`", hint="Write `- code: R01`."
            )
            continue
        code = entry.get("code")
        if any(name not in entry for name in REQUIRED_FIELDS):
            if not isinstance(code, str) or code not in library():
                spoiled.append(str(code))
                near = ", ".join(difflib.get_close_matches(str(code), list(library()), 3))
                fields = ", ".join(REQUIRED_FIELDS)
                hint = f"Not in the built-in library{f' (near: {near})' if near else ''}: give {fields}."
                breaches.add(
                    path.name, line, "code", code, expected="a known indicator, or a full definition", hint=hint
                )
                continue
            known = library()[code]
            lag = {"publication_lag": round(known.publication_lag / months)}
            entry = known.model_dump(exclude_defaults=True) | lag | entry
            from_library.add(code)
        try:
            indicator = Indicator.model_validate(entry)
        except ValidationError as error:
            note_invalid(path.name, error, node, breaches, at=at)
            spoiled.append(str(code))
            continue
        if indicator.code in {earlier.code for earlier in indicators}:
            breaches.add(path.name, line, "code", code, expected="each code once", hint="Remove the second entry.")
            continue
        indicators.append(indicator)
        lines.append(line)
    known = {indicator.code for indicator in indicators}
    if not known and not spoiled:
        return None
    for code in dict.fromkeys(spoiled):
        if code not in known:  # its figures are not to be reported as unknown as well
            indicators.append(_stand_in(code))
            lines.append(0)
    return DeclaredIndicators(tuple(indicators), tuple(lines), frozenset(from_library))


def _stand_in(code: str) -> Indicator:
    """Make an indicator that fits any figure, for one whose definition was refused."""
    return Indicator.model_construct(
        code=code,
        name=Title.model_construct(en=code, zh=code),
        unit="",
        direction="higher",
        kind="level",
        perspective="performance",
    )
