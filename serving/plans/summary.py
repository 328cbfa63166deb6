"""What a plan comes to: totals against goals, what people changed, how even the chances of groups of units are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, select

from models.judging.fairness import DIMENSIONS, attainment_counts, fairness_table
from serving.database.tables import plans as tables
from serving.plans.plan import Plan

AVERAGED = ("ratio", "level")


@dataclass(frozen=True)
class Total:
    """A unit's goal or total beside what the units below it come to.

    Attributes
    ----------
    unit, indicator : str
    role : {"goal", "total"}
    goal : float or None
        The goal as it was given.
    stated : float or None
        The target of the unit's own line.
    allocated : float or None
        What the leaves below it come to: a sum, or an average by denominators.
    off : float
        By how much these miss the goal, or the stated target of a total; 0 where they add up.
    """

    unit: str
    indicator: str
    role: str
    goal: float | None
    stated: float | None
    allocated: float | None
    off: float

    @property
    def adds_up(self) -> bool:
        """Tell whether the units below come to what is stated."""
        return self.off == 0

    def told(self) -> str:
        """Say it in a sentence."""
        what = f"the goal {self.goal:,.10g}" if self.goal is not None else f"its stated total {self.stated or 0:,.10g}"
        came = "nothing" if self.allocated is None else f"{self.allocated:,.10g}"
        return (
            f"{self.unit} on {self.indicator}: the units below come to {came}, {abs(self.off):,.10g} "
            f"{'more' if self.off > 0 else 'less'} than {what}"
        )


@dataclass(frozen=True)
class Summary:
    """What a plan comes to.

    Attributes
    ----------
    lines, pinned, overridden, flagged, without : int
        How many lines there are, that people hold, that are flagged for risk, that have no target.
    totals : tuple of Total
    fairness : pd.DataFrame
        `indicator, dimension, group, units, p_target, versus_others`; see `training.plan.Plan.fairness`.
    """

    lines: int
    pinned: int
    overridden: int
    flagged: int
    without: int
    totals: tuple[Total, ...]
    fairness: pd.DataFrame


def summary_of(connection: Connection, plan: Plan) -> Summary:
    """Sum a plan up."""
    column = tables.lines.c
    asked = select(
        func.count(column.position),
        func.count(column.position).filter(column.pinned.is_(True)),
        func.count(column.position).filter(column.overridden.is_(True)),
        func.count(column.position).filter(column.flagged.is_(True)),
        func.count(column.position).filter(column.target.is_(None)),
    ).where(column.plan == plan.id)
    counts = connection.execute(asked).one()
    return Summary(*counts, totals=totals_of(connection, plan), fairness=_fairness(connection, plan))


def totals_of(connection: Connection, plan: Plan, indicators: Iterable[str] | None = None) -> tuple[Total, ...]:
    """Hold goals, and the totals between them and the leaves, against what the leaves come to.

    Parameters
    ----------
    connection : Connection
    plan : Plan
    indicators : iterable of str, optional
        Only these.
    """
    column = tables.lines.c
    mine = (column.plan == plan.id, column.role != "")
    codes = set(connection.execute(select(column.indicator).where(*mine).distinct()).scalars())
    codes &= set(indicators) if indicators is not None else codes
    return tuple(total for code in sorted(codes) for total in _of_indicator(connection, plan, code))


def _of_indicator(connection: Connection, plan: Plan, code: str) -> list[Total]:
    column = tables.lines.c
    wanted = (column.unit, column.role, column.leaf, column.above, column.weight, column.target)
    asked = select(*wanted).where(column.plan == plan.id, column.indicator == code).order_by(column.position)
    rows = connection.execute(asked).all()
    averaged = plan.indicators[code]["kind"] in AVERAGED
    step = _step(connection, plan, code)
    sums = _sums([row for row in rows if row.leaf and row.target is not None], averaged=averaged)
    goals = {unit: value for unit, indicator, value in plan.asked["goals"] if indicator == code}
    found = []
    for row in rows:
        if row.leaf or not row.role:
            continue
        goal = goals.get(row.unit)
        came = sums.get(row.unit)
        wanted_value = row.target if goal is None else goal
        off = _off(came, wanted_value, averaged=averaged, step=step)
        allocated = None if came is None else float(came)
        found.append(Total(row.unit, code, row.role, goal, row.target, allocated, off))
    return found


def _sums(leaves: list[Any], *, averaged: bool) -> dict[str, Decimal | float]:
    """Add leaves up for each unit above them: amounts digit by digit, averages by weight."""
    if not averaged:
        exact: dict[str, Decimal] = {}
        for row in leaves:
            for unit in row.above:
                exact[unit] = exact.get(unit, Decimal(0)) + Decimal(repr(row.target))
        return dict(exact)
    tops: dict[str, float] = {}
    weights: dict[str, float] = {}
    for row in leaves:
        weight = row.weight or 0.0
        for unit in row.above:
            tops[unit] = tops.get(unit, 0.0) + weight * row.target
            weights[unit] = weights.get(unit, 0.0) + weight
    return {unit: top / weights[unit] for unit, top in tops.items() if weights[unit] > 0}


def _off(came: Decimal | float | None, wanted: float | None, *, averaged: bool, step: float) -> float:
    if came is None or wanted is None:
        return 0.0
    if not averaged:
        return float(Decimal(came) - Decimal(repr(float(wanted))))
    difference = float(came) - wanted
    return difference if abs(difference) > step * 0.5000001 else 0.0  # an average is met to half a smallest step


def _step(connection: Connection, plan: Plan, code: str) -> float:
    column = tables.lines.c
    asked = select(column.basis).where(column.plan == plan.id, column.indicator == code, column.leaf.is_(True))
    basis: Mapping[str, Any] | None = connection.execute(asked.limit(1)).scalar()
    return 0.0 if basis is None else float(basis["step"])


def _fairness(connection: Connection, plan: Plan) -> pd.DataFrame:
    """Compare the chances of groups of leaves; groups of fewer than five are left out."""
    column = tables.lines.c
    asked = select(column.indicator, column.p_target, column.groups).where(
        column.plan == plan.id, column.leaf.is_(True), column.p_target.is_not(None)
    )
    rows = connection.execute(asked.order_by(column.position)).all()
    tables_found = []
    for code in dict.fromkeys(row.indicator for row in rows):
        mine = [row for row in rows if row.indicator == code]
        groups = pd.DataFrame({name: [row.groups[name] or "" for row in mine] for name in DIMENSIONS})
        rank = [np.nan if row.groups["growth_rank"] is None else row.groups["growth_rank"] for row in mine]
        counts = attainment_counts(
            groups.assign(growth_rank=np.array(rank, dtype=float)),
            {"target": np.array([row.p_target for row in mine])},
        )
        tables_found.append(fairness_table(counts.assign(year=plan.year), by=()).assign(indicator=code))
    columns = ["indicator", "dimension", "group", "units", "p_target", "versus_others"]
    if not tables_found:
        return pd.DataFrame(columns=columns)
    every = pd.concat(tables_found, ignore_index=True).rename(columns={"n": "units", "promised": "p_target"})
    return every[columns]
