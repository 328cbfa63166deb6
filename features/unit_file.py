"""The file of units: read, and checked to be a tree at every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from features.breaches import Breaches
from features.errors import LoadlineError
from features.periods import EXAMPLES, Calendar
from features.reading import frame_of, is_regular, read_table
from features.units import ALWAYS, FOREVER, UnitTree, parse_day, spell_bounds, spell_ends, split_codes

DEEPEST = 64
"""A tree with more levels than this has a cycle."""


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
    _check_parents_last(path.name, frame, tree, breaches)
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
    first, last = spell_bounds(frame, calendar)
    spans = pd.DataFrame(
        {"unit": frame["unit"].to_numpy(), "first": first, "last": last, "line": frame.index}
    ).sort_values(["unit", "first"], kind="stable")
    overlap = (spans["unit"] == spans["unit"].shift()) & (spans["first"] <= spans["last"].shift())
    for line, code in zip(spans.loc[overlap, "line"], spans.loc[overlap, "unit"], strict=True):
        hint = "Remove the second line, or give both valid_from and valid_to so that they do not overlap."
        breaches.add(file, line, "unit", code, expected="each unit once at a time", hint=hint)


def _check_parents_last(file: str, frame: pd.DataFrame, tree: UnitTree, breaches: Breaches) -> None:
    """Find units that outlive the unit that they belong to: their figures would drop out of every total."""
    spells = tree.spells
    ends = np.full(len(tree), ALWAYS, dtype=np.int64)
    np.maximum.at(ends, spells["unit"].to_numpy(), spells["last"].to_numpy())
    parent = spells["parent"].to_numpy()
    orphaned = np.flatnonzero((parent >= 0) & (spells["last"].to_numpy() > ends[parent]))
    breaches.add_rows(
        file,
        frame.index.to_numpy()[orphaned],
        "parent",
        frame["parent"].iloc[orphaned].iloc.__getitem__,
        expected="a parent that lasts as long as the unit",
        hint="The parent has ended: give the unit a line with its new parent, or an end of its own.",
    )


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
