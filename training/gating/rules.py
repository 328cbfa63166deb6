"""The gates as data: packaged rules, which a home may tighten, loosen or leave to a signature."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import yaml

from features.breaches import Breaches
from features.documents import compose, line_of
from features.errors import LoadlineError
from features.indicators import Title
from features.yaml_loader import parse_yaml
from training.gating.gate import Effect, Gate

OWN = "gates.yaml"
"""File of a home that stands above the packaged rules."""

Subject = Literal["target", "warning"]


@dataclass(frozen=True)
class GateRule:
    """One gate.

    Attributes
    ----------
    subject : str
        The model that it applies to: `target` or `warning`.
    name : str
    title, reason : Title
        What it is called, and why its thresholds are what they are.
    thresholds : Mapping[str, float]
        By name.
    effect : str
        What a failure means: `block` or `sign_off`.
    """

    subject: Subject
    name: str
    title: Title
    reason: Title
    thresholds: Mapping[str, float]
    effect: Effect

    def __getitem__(self, threshold: str) -> float:
        return self.thresholds[threshold]

    def result(
        self,
        passed: bool,
        text: Mapping[str, str],
        *,
        measured: float | None = None,
        threshold: tuple[float, ...] = (),
        effect: Effect | None = None,
    ) -> Gate:
        """Say what came of it; `effect` where a failure of this kind means something else than the rule says."""
        known = None if measured is None or not math.isfinite(measured) else float(measured)
        return Gate(self.name, bool(passed), known, threshold, dict(text), effect or self.effect)


@dataclass(frozen=True)
class GateRules:
    """The rules in force.

    Attributes
    ----------
    rules : tuple of GateRule
    two_people : bool
        A promotion takes another person than the one who asked for the training.
    """

    rules: tuple[GateRule, ...]
    two_people: bool

    @classmethod
    def packaged(cls) -> GateRules:
        """Give the rules that come with the software."""
        return _packaged()[0]

    @classmethod
    def read(cls, home: str | Path) -> GateRules:
        """Give the packaged rules with what a home's own `gates.yaml` says on top.

        Raises
        ------
        LoadlineError
            Where the file cannot be read, names a gate or a threshold that there is not, or gives a value that cannot
            be one; with the line.
        """
        path = Path(home) / OWN
        packaged = cls.packaged()
        if not path.exists():
            return packaged
        breaches = Breaches()
        document, node = compose(path, breaches)
        if breaches:
            found = breaches.found[0]
            raise _wrong(path, found.line, f"expected {found.expected}. {found.hint}")
        return packaged if document is None else _on_top(packaged, document, path, node)

    def of(self, subject: Subject, name: str) -> GateRule:
        """Give one rule."""
        return next(rule for rule in self.rules if rule.subject == subject and rule.name == name)

    @property
    def version(self) -> str:
        """Give a digest of everything that decides a promotion: 12 hexadecimal digits."""
        told = [(rule.subject, rule.name, dict(rule.thresholds), rule.effect) for rule in self.rules]
        plain = json.dumps({"two_people": self.two_people, "gates": told}, sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        """Give the rules as plain JSON."""
        rules = [
            {
                "subject": rule.subject,
                "name": rule.name,
                "title": rule.title.model_dump(),
                "reason": rule.reason.model_dump(),
                "thresholds": dict(rule.thresholds),
                "effect": rule.effect,
            }
            for rule in self.rules
        ]
        return {"version": self.version, "two_people": self.two_people, "gates": rules}


@dataclass(frozen=True)
class _Range:
    lowest: float
    highest: float


@cache
def _packaged() -> tuple[GateRules, Mapping[tuple[str, str, str], _Range]]:
    """Read the packaged rules, and the range that each threshold may be changed within."""
    document = parse_yaml(files("training.gating").joinpath("rules.yaml").read_text(encoding="utf-8"))
    rules, ranges = [], {}
    for subject in get_args(Subject):
        for name, entry in document[subject].items():
            thresholds = {}
            for threshold, (value, lowest, highest) in entry["thresholds"].items():
                thresholds[threshold] = float(value)
                ranges[subject, name, threshold] = _Range(float(lowest), float(highest))
            title, reason = Title(**entry["title"]), Title(**entry["reason"])
            rules.append(GateRule(subject, name, title, reason, MappingProxyType(thresholds), entry["effect"]))
    return GateRules(tuple(rules), document["two_people"]), MappingProxyType(ranges)


def _on_top(packaged: GateRules, document: Any, path: Path, node: yaml.Node | None) -> GateRules:
    """Change the packaged rules as a document says."""

    def at(*place: str) -> int:
        return line_of(node, place)

    changed = {(rule.subject, rule.name): rule for rule in packaged.rules}
    two_people = packaged.two_people
    for key, content in _mapping(document, path, 1).items():
        if key == "two_people":
            if not isinstance(content, bool):
                raise _wrong(path, at(key), f"two_people is {content!r}, neither true nor false")
            two_people = content
            continue
        if key not in get_args(Subject):
            known = ", ".join(("two_people", *get_args(Subject)))
            raise _wrong(path, at(key), f"there is no entry {key!r}", hint=f"There are {known}.")
        for name, entry in _mapping(content, path, at(key)).items():
            rule = changed.get((key, name))
            if rule is None:
                gates = ", ".join(rule.name for rule in packaged.rules if rule.subject == key)
                raise _wrong(path, at(key, name), f"there is no gate {name!r} of the {key} model", hint=gates)
            changed[key, name] = _changed(rule, entry, path, node)
    for (subject, name), rule in changed.items():
        if {"lowest", "highest"} <= set(rule.thresholds) and rule["lowest"] >= rule["highest"]:
            raise _wrong(path, at(subject, name), f"{name}: the lowest allowed is not below the highest")
    return GateRules(tuple(changed.values()), two_people)


def _changed(rule: GateRule, entry: Any, path: Path, node: yaml.Node | None) -> GateRule:
    where = (rule.subject, rule.name)
    thresholds, effect = dict(rule.thresholds), rule.effect
    for key, content in _mapping(entry, path, line_of(node, where)).items():
        line = line_of(node, (*where, key))
        if key == "effect":
            if content not in get_args(Effect):
                raise _wrong(path, line, f"the effect of {rule.name} is {content!r}", hint="Use block or sign_off.")
            effect = content
        elif key == "thresholds":
            for name, value in _mapping(content, path, line).items():
                thresholds[name] = _threshold(rule, name, value, path, line_of(node, (*where, key, name)))
        else:
            raise _wrong(
                path, line, f"{rule.name} has no {key!r} that could be changed", hint="Give thresholds or an effect."
            )
    return replace(rule, thresholds=MappingProxyType(thresholds), effect=effect)


def _threshold(rule: GateRule, name: str, value: Any, path: Path, line: int) -> float:
    allowed = _packaged()[1].get((rule.subject, rule.name, name))
    if allowed is None:
        known = ", ".join(rule.thresholds) or "none"
        raise _wrong(path, line, f"{rule.name} has no threshold {name!r}", hint=f"It has: {known}.")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(path, line, f"{rule.name}.{name} is {value!r}, not a number")
    if not allowed.lowest <= value <= allowed.highest:
        hint = f"Give a number from {allowed.lowest:g} to {allowed.highest:g}."
        raise _wrong(path, line, f"{rule.name}.{name} is {value:g}, out of range", hint=hint)
    return float(value)


def _mapping(content: Any, path: Path, line: int) -> Mapping[str, Any]:
    if not isinstance(content, dict):
        raise _wrong(path, line, f"expected a mapping of names to values, found {content!r}")
    return content


def _wrong(path: Path, line: int, what: str, *, hint: str = "") -> LoadlineError:
    where = str(path) + (f", line {line}" if line else "")
    return LoadlineError(what, where=where, hint=hint or "Correct the line, or delete it to use the packaged rule.")
