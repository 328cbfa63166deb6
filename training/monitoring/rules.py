"""The checks as data: their thresholds, and how a home may change them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from features.errors import LoadlineError
from features.indicators import Title
from features.yaml_loader import parse_yaml

FILE = "monitoring.yaml"
CHANGEABLE = ("threshold", "least", "level")
COOL_DOWN = "cool_down_days"
COOL_DOWN_DAYS = 28
"""A dismissed proposal stays quiet for four weeks at the least: the next month's figures are in by then."""
LEVEL = 0.01
"""Chance that a check may take noise for a change, where its threshold is no such chance itself: with nine checks at 1
to 2% each, one look in ten is wrong at the most."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One check: what it is called, and from when on it asks for attention.

    Attributes
    ----------
    name : str
    model : str
        Kind of model: `target` or `warning`.
    title, reason : Title
    threshold : tuple of float
        One limit, or the lowest and the highest that are in order.
    least : int
        Smallest sample (years, units, outcomes or decisions) that is judged.
    level : float
        Chance of a false alarm that an interval or a test may take.
    """

    name: str
    model: str
    title: Title
    reason: Title
    threshold: tuple[float, ...]
    least: int
    level: float = LEVEL

    @property
    def key(self) -> str:
        """Give what tells it from every other: `target.inputs`."""
        return f"{self.model}.{self.name}"


@dataclass(frozen=True)
class CheckRules:
    """All checks, in the order in which they are made."""

    rules: tuple[Rule, ...]
    cool_down_days: int = COOL_DOWN_DAYS

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __getitem__(self, key: str) -> Rule:
        return next(rule for rule in self.rules if rule.key == key)

    @classmethod
    def read(cls, home: str | Path | None = None) -> CheckRules:
        """Read the checks, with what a home changes of them.

        Raises
        ------
        LoadlineError
            Where the home's file names what does not exist, or gives what is no threshold.
        """
        packaged = cls(_packaged())
        path = None if home is None else Path(home) / FILE
        if path is None or not path.is_file():
            return packaged
        try:
            own = parse_yaml(path.read_text(encoding="utf-8")) or {}
        except (ValueError, OSError) as error:
            raise _unreadable(path, f"it cannot be read: {error}") from None
        except Exception as error:  # the parser's own errors have no common base that is not its own
            raise _unreadable(path, f"it is not YAML: {error}") from None
        return packaged._changed(own, path)

    def _changed(self, own: Any, path: Path) -> CheckRules:
        if not isinstance(own, Mapping):
            raise _unreadable(path, "it has to map the names of checks to what changes of them")
        known = {rule.key for rule in self.rules}
        wrong = sorted(str(key) for key in own if key not in known | {COOL_DOWN})
        if wrong:
            raise _unreadable(path, f"there is no check {', '.join(wrong)}; known: {', '.join(sorted(known))}")
        days = own.get(COOL_DOWN, self.cool_down_days)
        if not _whole(days):
            raise _unreadable(path, f"{COOL_DOWN} has to be a whole number of days, found {days!r}")
        return CheckRules(tuple(_altered(rule, own.get(rule.key, {}), path) for rule in self.rules), int(days))


@cache
def _packaged() -> tuple[Rule, ...]:
    entries = parse_yaml(files("training.monitoring").joinpath("checks.yaml").read_text(encoding="utf-8"))
    return tuple(
        Rule(
            entry["name"],
            entry["model"],
            Title(**entry["title"]),
            Title(**{language: text.strip() for language, text in entry["reason"].items()}),
            _limits(entry["threshold"]),
            entry["least"],
            entry.get("level", LEVEL),
        )
        for entry in entries
    )


def _altered(rule: Rule, own: Any, path: Path) -> Rule:
    if not isinstance(own, Mapping) or set(own) - set(CHANGEABLE):
        raise _unreadable(path, f"of {rule.key} only {', '.join(CHANGEABLE)} may be changed")
    changed: dict[str, Any] = {}
    if "threshold" in own:
        limits = own["threshold"] if isinstance(own["threshold"], list) else [own["threshold"]]
        if len(limits) != len(rule.threshold) or not all(_number(limit) for limit in limits):
            wanted = "one positive number" if len(rule.threshold) == 1 else "the lowest and the highest share"
            raise _unreadable(path, f"the threshold of {rule.key} has to be {wanted}, found {own['threshold']!r}")
        if sorted(limits) != limits:
            raise _unreadable(path, f"the limits of {rule.key} are not in rising order")
        if any((limit < 1) != (rule.threshold[0] < 1) for limit in limits):
            wanted = "below 1, as a chance or a share is" if rule.threshold[0] < 1 else "a ratio above 1"
            raise _unreadable(path, f"the threshold of {rule.key} has to be {wanted}, found {own['threshold']!r}")
        changed["threshold"] = _limits(own["threshold"])
    if "least" in own:
        if not _whole(own["least"]) or own["least"] < 1:
            raise _unreadable(path, f"the least sample of {rule.key} has to be a positive whole number")
        changed["least"] = own["least"]
    if "level" in own:
        if not _number(own["level"]) or own["level"] >= 1:
            raise _unreadable(path, f"the level of {rule.key} has to be a probability")
        changed["level"] = float(own["level"])
    return replace(rule, **changed)


def _limits(given: Any) -> tuple[float, ...]:
    return tuple(float(limit) for limit in (given if isinstance(given, list) else [given]))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _unreadable(path: Path, what: str) -> LoadlineError:
    hint = "Entries look like `target.coverage: {threshold: [0.65, 0.95], least: 50}`; `cool_down_days: 28`."
    return LoadlineError(what, where=str(path), hint=hint)
