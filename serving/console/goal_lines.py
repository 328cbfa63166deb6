"""Goals pasted into a form, one a line: from a sheet with tabs between, or typed with commas."""

from __future__ import annotations

import csv
from collections.abc import Iterable

from serving.console.formats import Reader
from serving.console.typed import Trouble, TypedError, plain_number
from serving.directory import Directory
from serving.plan_schemas import MOST_ASKED
from serving.plans.steering import Asked

PARTS = 3
LONGEST_LINE = 1_000
"""Characters: a unit's code, an indicator's and a number have far fewer."""
TOLD = 20
"""Lines with something wrong that are told: more are mended with the first ones."""


def goals_typed(reader: Reader, text: str, directory: Directory) -> tuple[Asked, ...]:
    """Read goals: unit, indicator, value.

    Raises
    ------
    TypedError
        Naming each line that cannot be taken.
    """
    indicators = directory.snapshot.indicators
    found: dict[tuple[str, str], Asked] = {}
    wrong: list[str] = []

    def refuse(number: int, why: str, **filled: object) -> None:
        wrong.append(reader.say("goals.line", number=number, what=reader.say(f"goals.{why}", **filled)))

    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        unit, code, figure = _parts(line)
        value = plain_number(figure)
        if not code or not figure:
            refuse(number, "three")
        elif unit not in directory.units:
            refuse(number, "unit", code=unit)
        elif code not in indicators or not indicators[code].is_target:
            refuse(number, "indicator", code=code)
        elif value is None:
            refuse(number, "number", text=figure)
        elif (unit, code) in found:
            refuse(number, "twice", unit=unit, code=code)
        else:
            found[unit, code] = Asked(unit, code, value)
    if len(found) > MOST_ASKED:
        wrong.insert(0, reader.say("goals.many", most=f"{MOST_ASKED:,}"))
    if wrong:
        raise TypedError(Trouble(reader.say("goals.wrong", count=len(wrong)), field="goals", items=tuple(wrong[:TOLD])))
    return tuple(found.values())


def goals_written(goals: Iterable[Asked]) -> str:
    """Write goals as they are typed."""
    return "\n".join("\t".join((goal.unit, goal.indicator, f"{goal.value or 0:.15g}")) for goal in goals)


def _parts(line: str) -> tuple[str, str, str]:
    """Take a line apart; a value with grouped thousands may itself have commas.

    >>> _parts("ROOT, LOANS, 119,000"), _parts("东部\\tLOANS\\t5"), _parts('"A, B",R01，1.5')
    (('ROOT', 'LOANS', '119,000'), ('东部', 'LOANS', '5'), ('A, B', 'R01', '1.5'))
    """
    if len(line) > LONGEST_LINE:
        parts = []
    elif "\t" in line:
        parts = line.split("\t")
    else:
        parts = next(csv.reader([line.replace("，", ",")], skipinitialspace=True), [])
        parts = [*parts[: PARTS - 1], ",".join(parts[PARTS - 1 :])]
    unit, code, figure = [*(part.strip() for part in parts), "", "", ""][:PARTS]
    return unit, code, figure
