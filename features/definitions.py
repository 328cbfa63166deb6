"""Reading what describes a dataset: its YAML files and its tree of units, with a line for every breach."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ValidationError

from features.errors import LoadlineError
from features.indicators import Indicator, IndicatorSet, Title, library, parse_yaml
from features.periods import EXAMPLES, Calendar
from features.reading import Breaches, frame_of, is_regular, read_table, read_text, shortened
from features.units import ALWAYS, FOREVER, UnitTree, parse_day, spell_ends, split_codes

MOST_NODES = 200_000
"""A YAML file that expands to more nodes than this, aliases followed, is refused: it may be a bomb."""
DEEPEST_YAML = 50
"""A YAML file nested deeper is refused: some thousand levels end the process, and ten are many."""
DEEPEST = 64
"""A tree with more levels than this has a cycle."""
REQUIRED_FIELDS = ("name", "unit", "direction", "kind", "perspective")
"""An indicator that lacks any of these is looked up in the built-in library."""

PLAIN = frozenset({"str", "int", "float", "bool", "null", "timestamp", "map", "seq"})
"""The kinds of YAML values that a dataset's descriptions hold."""

Model = TypeVar("Model", bound=BaseModel)


def _compose(path: Path, breaches: Breaches) -> tuple[Any, yaml.Node | None]:
    """Parse a YAML file, with its node tree for line numbers."""
    text = read_text(path, breaches)
    if text is None:
        return None, None
    try:
        if _depth(text) > DEEPEST_YAML:
            hint = "Nothing that describes a dataset is nested so deep."
            breaches.add(path.name, 0, "", "", expected=f"at most {DEEPEST_YAML} levels", hint=hint)
            return None, None
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        if node is not None and _expanded(node, {}) > MOST_NODES:
            breaches.add(
                path.name, 0, "", "", expected=f"at most {MOST_NODES:,} entries", hint="Aliases multiply: write it out."
            )
            return None, None
        odd = _odd(node) if node is not None else None
        if odd is not None:
            expected, hint = "texts, numbers, lists and mappings", "Put it in quotes to make it a text."
            breaches.add(path.name, _place(odd), "", f"a {odd.tag.rpartition(':')[2]}", expected=expected, hint=hint)
            return None, None
        return parse_yaml(text), node
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = shortened(getattr(error, "problem", None) or error, 120)
        breaches.add(path.name, mark.line + 1 if mark else 0, "", "", expected="YAML", hint=f"{problem}.")
        return None, None


def _depth(text: str) -> int:
    """Measure how deep a YAML document is nested, or just too deep; composing it would run out of stack."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
        if deepest > DEEPEST_YAML:
            break
    return deepest


def _expanded(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Count the nodes of a YAML document as they would be with every alias written out."""
    if id(node) not in sizes:
        sizes[id(node)] = MOST_NODES + 1  # an alias to itself has no end
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        sizes[id(node)] = 1 + sum(_expanded(child, sizes) for child in children)
    return sizes[id(node)]


def _odd(node: yaml.Node) -> yaml.Node | None:
    """Find what plain data does not have: bytes, sets, objects, and days or more than that as names."""
    kind = node.tag.rpartition(":")[2]
    if kind not in PLAIN:
        return node
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    bad = [name for name, _ in pairs if not isinstance(name, yaml.ScalarNode) or name.tag.endswith(":timestamp")]
    inner = [value for _, value in pairs] + (node.value if isinstance(node, yaml.SequenceNode) else [])
    return next(chain(bad, filter(None, map(_odd, inner))), None)


def _line(node: yaml.Node | None, place: Sequence[str | int]) -> int:
    """Find the line of an entry, or of the nearest thing around it."""
    line = 0
    for step in ((), *((part,) for part in place)):
        if node is None:
            return line
        if step and isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(step[0])]
            if not found:
                return line
            line, node = _place(found[0][0], line), found[0][1]
        elif step and isinstance(node, yaml.SequenceNode) and isinstance(step[0], int) and step[0] < len(node.value):
            node = node.value[step[0]]
            line = _place(node, line)
        elif not step:
            line = _place(node, line)
    return line


def _place(node: yaml.Node | None, otherwise: int = 0) -> int:
    return node.start_mark.line + 1 if node is not None and node.start_mark else otherwise


def read_yaml(path: Path, breaches: Breaches) -> dict[str, Any] | None:
    """Read a YAML mapping; None, and a breach, where it is none."""
    document, _ = _compose(path, breaches)
    if document is not None and not isinstance(document, dict):
        breaches.add(path.name, 1, "", "", expected="a mapping of names to values", hint="Write `name: value` lines.")
        return None
    return document


def _note_invalid(
    file: str, error: ValidationError, node: yaml.Node | None, breaches: Breaches, *, at: Sequence[str | int] = ()
) -> None:
    for problem in error.errors(include_url=False):
        place = [*at, *problem["loc"]]
        column = ".".join(str(part) for part in problem["loc"])
        found = "" if problem["type"] == "missing" or isinstance(problem["input"], dict) else problem["input"]
        message = problem["msg"].removeprefix("Value error, ")
        hint = "" if problem["type"] != "missing" else "Add it."
        breaches.add(file, _line(node, place), column, found, expected=f"another value ({message})", hint=hint)


def read_model(path: Path, model: type[Model], breaches: Breaches) -> Model | None:
    """Read a YAML file as a model; None, and a breach a field, where it does not fit."""
    document, node = _compose(path, breaches)
    if document is None:
        if node is not None or (path.is_file() and not breaches):
            breaches.add(path.name, 1, "", "", expected="content", hint="The file is empty.")
        return None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        _note_invalid(path.name, error, node, breaches)
        return None


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
    document, node = _compose(path, breaches)
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
        line = _line(node, at)
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
            _note_invalid(path.name, error, node, breaches, at=at)
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


def read_tree(path: Path, calendar: Calendar, breaches: Breaches) -> tuple[pd.DataFrame, UnitTree | None]:
    """Read `units.csv` and check the tree that it describes."""
    if not path.exists():
        breaches.add(
            path.name, 0, "", "", expected="the file to be there", hint="Every dataset has one; see the contract."
        )
        return pd.DataFrame(), None
    if not is_regular(path, breaches):
        return pd.DataFrame(), None
    before = breaches.total
    frame = frame_of(read_table(path, required=["unit", "parent", "name"], optional=None, breaches=breaches))
    if breaches.total > before:
        return frame, None
    if frame.empty:
        breaches.add(
            path.name, 1, "", "", expected="at least one unit", hint="One line a unit; a root has a blank parent."
        )
        return frame, None
    _check_units(path.name, frame, calendar, breaches)
    if breaches.total > before:
        return frame, None
    tree = UnitTree.from_frame(frame.reset_index(drop=True), calendar)
    _check_cycles(path.name, frame, tree, breaches)
    return frame.reset_index(drop=True), None if breaches.total > before else tree


def _check_units(file: str, frame: pd.DataFrame, calendar: Calendar, breaches: Breaches) -> None:
    def note(wrong: pd.Series, column: str, *, expected: str, hint: str) -> None:
        rows = frame.loc[wrong.to_numpy()]
        breaches.add_rows(
            file, rows.index.to_numpy(), column, rows[column].iloc.__getitem__, expected=expected, hint=hint
        )

    unit, known = frame["unit"], set(frame["unit"])
    note(unit.str.strip() == "", "unit", expected="a unit code", hint="Every line names a unit.")
    note(unit != unit.str.strip(), "unit", expected="a code without spaces around it", hint="Remove the spaces.")
    note(
        (frame["parent"] != "") & ~frame["parent"].isin(known),
        "parent",
        expected="a unit of this file",
        hint="Add the parent, or leave it blank for a root.",
    )
    roots = frame["parent"] == ""
    note(
        roots & frame["name"].where(roots).duplicated() & ~unit.duplicated(),
        "name",
        expected="roots with different names",
        hint="Two roots with one name cannot be told apart.",
    )
    if not roots.any():
        breaches.add(
            file,
            0,
            "parent",
            "",
            expected="a root: a unit with a blank parent",
            hint="Leave the parent of the topmost unit blank.",
        )
    first_bad = False
    for column in ("valid_from", "valid_to"):
        for line, text in zip(frame.index.tolist(), frame[column], strict=True) if column in frame else ():
            try:
                _ = parse_day(text, calendar) if text.strip() else 0
            except (LoadlineError, ValueError):
                first_bad = True
                breaches.add(
                    file,
                    line,
                    column,
                    text,
                    expected=f"a day such as 2021-07-01 or a period such as {EXAMPLES[calendar.frequency]}",
                    hint="",
                )
    if "successor" in frame:
        for line, code, text in zip(frame.index, unit, frame["successor"], strict=True):
            for heir in split_codes(text):
                if heir not in known or heir == code:
                    breaches.add(
                        file,
                        line,
                        "successor",
                        heir,
                        expected="another unit of this file",
                        hint="Several successors are separated by `|`.",
                    )
        if "valid_to" in frame:
            note(
                (frame["successor"] != "") & (frame["valid_to"] == ""),
                "valid_to",
                expected="the unit's last day",
                hint="A unit with a successor has ended.",
            )
    if not first_bad and {"valid_from", "valid_to"} <= set(frame.columns):
        backwards = spell_ends(frame, "valid_from", calendar, ALWAYS) > spell_ends(frame, "valid_to", calendar, FOREVER)
        expected, hint = "a day not before valid_from", "Both days belong to the place."
        note(pd.Series(backwards), "valid_to", expected=expected, hint=hint)
    if unit.duplicated().any() and not first_bad:
        _check_spells(file, frame, calendar, breaches)


def _check_spells(file: str, frame: pd.DataFrame, calendar: Calendar, breaches: Breaches) -> None:
    """Find units that would be in two places at once."""
    spans = pd.DataFrame(
        {
            "unit": frame["unit"].to_numpy(),
            "first": spell_ends(frame, "valid_from", calendar, ALWAYS),
            "last": spell_ends(frame, "valid_to", calendar, FOREVER),
            "line": frame.index,
        }
    ).sort_values(["unit", "first"], kind="stable")
    overlap = (spans["unit"] == spans["unit"].shift()) & (spans["first"] <= spans["last"].shift())
    for line, code in zip(spans.loc[overlap, "line"], spans.loc[overlap, "unit"], strict=True):
        hint = "Remove the second line, or give both valid_from and valid_to so that they do not overlap."
        breaches.add(file, line, "unit", code, expected="each unit once at a time", hint=hint)


def _check_cycles(file: str, frame: pd.DataFrame, tree: UnitTree, breaches: Breaches) -> None:
    """Find units that are above themselves, in any period."""
    first_line = dict(zip(frame["unit"][::-1], frame.index[::-1], strict=True))
    reported: set[int] = set()
    starts = np.unique(tree.spells["first"])
    for ordinal in starts:
        parents = tree.parents(int(ordinal))
        above = parents.copy()
        for _ in range(DEEPEST):
            climbing = above >= 0
            above[climbing] = parents[above[climbing]]
        for unit in np.flatnonzero(above >= 0):
            walk, place = [], int(unit)
            while place not in walk:
                walk.append(place)
                place = int(parents[place])
            circle = walk[walk.index(place) :]
            if not reported.intersection(circle):
                reported.update(circle)
                codes = [str(tree.codes[i]) for i in circle]
                shown = " -> ".join([*codes[:6], codes[0]])
                expected = "a tree: no unit above itself"
                breaches.add(
                    file, int(first_line[codes[0]]), "parent", shown, expected=expected, hint="Break the circle."
                )
