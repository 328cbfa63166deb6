"""The figures that scores rest on: every unit on a scorecard in each period, from stored figures and set targets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.panel import Panel
from features.store import Snapshot
from features.units import MIN_PEERS, UnitTree
from models.policy.document import Policy
from models.scoring.facts import FIGURE_DECIMALS, Facts
from training.scoring.cards import UNCOVERED, cards_of
from training.scoring.needs import Needs, needs_of
from training.scoring.peers import group_quantiles, groups_at
from training.scoring.stretches import Stretches, restated
from training.scoring.targets import LEVELS, TargetTable, paced
from training.scoring.tenure import months_since

YEARS_BACK = 3
"""Years of figures that a score looks at: its own, last year's, and the one before, from which last year grew."""
NAMED = 5
"""Indicators named in a note; the others are counted."""


@dataclass(frozen=True, eq=False)
class NetworkFacts:
    """Figures of N rows: units that are on a scorecard, in each period, period by period.

    Attributes
    ----------
    facts : Facts
    unit : np.ndarray
        (N,) numbers of units in `tree`.
    period : np.ndarray
        (N,) ordinals.
    card : np.ndarray
        (N,) numbers of scorecards in the policy.
    tree : UnitTree
    notes : tuple of str
        What a careful reader should know of the figures.
    """

    facts: Facts
    unit: np.ndarray
    period: np.ndarray
    card: np.ndarray
    tree: UnitTree
    notes: tuple[str, ...]


def network_facts(
    snapshot: Snapshot,
    policy: Policy,
    periods: Sequence[int],
    *,
    targets: pd.DataFrame | None = None,
    known_on: date | None = None,
) -> NetworkFacts:
    """Put together what a policy looks at.

    At a fiscal year's last period figures are those of the year; within a year those of the year to date, compared
    with the same stretch a year before, and with the part of a flow's target that is usual by then. History is on the
    basis of the units of the period (同口径). Nothing after a period has a say in its figures.

    Parameters
    ----------
    snapshot : Snapshot
    policy : Policy
    periods : sequence of int
        Ordinals, each once.
    targets : pd.DataFrame, optional
        `unit, indicator, year, target`, and perhaps `floor` and `stretch`.
    known_on : date, optional
        Leave out what became known after this day; by default nothing is left out.

    Raises
    ------
    LoadlineError
        Where the policy names an unknown indicator, a period has no figures, no unit is on a scorecard, or the targets
        are of other years.
    """
    calendar, (first, last) = snapshot.description.calendar, snapshot.span
    for period in periods:
        if not first <= period <= last:
            raise LoadlineError(
                f"there are no figures of {calendar.format(period)}",
                where="--period",
                hint=f"The data runs from {calendar.format(first)} to {calendar.format(last)}.",
            )
    needs = needs_of(policy, snapshot.indicators)
    panel = _panel(snapshot, needs, sorted(periods), known_on=known_on, whole=targets is not None)
    return facts_from(panel, policy, periods, targets=targets)


def facts_from(
    panel: Panel, policy: Policy, periods: Sequence[int], *, targets: pd.DataFrame | None = None
) -> NetworkFacts:
    """Put together what a policy looks at from a panel in memory; see `network_facts`.

    Parameters
    ----------
    panel : Panel
        Holding what the policy needs, with denominators and numerators, up to the last of the periods at least.
    policy, periods, targets
        As for `network_facts`.
    """
    needs, tree, calendar = needs_of(policy, panel.indicators), panel.tree, panel.calendar
    card = cards_of(policy, tree)
    members = {p: np.flatnonzero(tree.valid(p) & (card >= 0)) for p in sorted(set(periods))}
    if not any(len(units) for units in members.values()):
        raise LoadlineError(
            "no unit is on a scorecard",
            where=policy.label,
            hint="Compare `applies_to` with the columns level, region_type, peer_group, business_line of units.csv.",
        )
    years = {int(calendar.year(p)) for p in members}
    table = None if targets is None else TargetTable.of(targets, tree, years=years)
    totals = any((~tree.leaves(p)[units]).any() for p, units in members.items())
    builder = _Builder(policy, needs, table, tree)
    stretches: dict[int, Stretches] = {}
    for period, basis in restated(panel, list(members)).items():
        shared = stretches.setdefault(id(basis), Stretches(basis, totals=totals))
        builder.add(shared, period, members[period])
    outside = int((tree.valid(max(members)) & (card == UNCOVERED)).sum())
    if outside:
        builder.notes.insert(0, f"{outside:,} units are on no scorecard of {policy.label}.")
    tenure = [[months[units] for months in months_since(tree, p)] for p, units in members.items()]
    opened, moved = (np.concatenate(months) for months in zip(*tenure, strict=True))
    unit = np.concatenate(list(members.values()))
    period = np.repeat(list(members), [len(units) for units in members.values()])
    facts = replace(builder.facts(len(unit)), opened=opened, moved=moved)
    return NetworkFacts(facts, unit, period, card[unit], tree, tuple(builder.all_notes(calendar.format)))


def _panel(snapshot: Snapshot, needs: Needs, periods: list[int], *, known_on: date | None, whole: bool) -> Panel:
    """Read what is needed up to the last period.

    All history is needed where a pace within the year is to be learned, and where units took others over: whether a
    figure is missing in the middle of a life shows only in the whole of it.
    """
    indicators, calendar = snapshot.indicators, snapshot.description.calendar
    parts = [part for code in needs.codes for part in (indicators[code].denominator, indicators[code].numerator)]
    codes = dict.fromkeys([*needs.codes, *(part for part in parts if part is not None and part in indicators)])
    panel = snapshot.panel(periods[-1], known_on=known_on or date.max, indicators=list(codes))
    within_year = any(period != calendar.last_of_year(int(calendar.year(period))) for period in periods)
    start = max(panel.first, periods[0] - YEARS_BACK * calendar.per_year + 1)
    if (whole and within_year) or snapshot.tree.successors or start == panel.first:
        return panel
    cut = start - panel.first
    return replace(panel, first=start, values={code: array[cut:] for code, array in panel.values.items()})


class _Builder:
    """Collects figures period by period."""

    def __init__(self, policy: Policy, needs: Needs, targets: TargetTable | None, tree: UnitTree) -> None:
        self._needs, self._targets, self._tree = needs, targets, tree
        items = [item for card in policy.scorecards for item in card.items]
        self._peers_matter = {item.indicator for item in items if item.against == "peers"}
        self._peers_matter |= {code for code, _ in needs.standards}
        self._found: dict[tuple[str, object], list[np.ndarray]] = defaultdict(list)
        self._paced: set[int] = set()
        self._year_long: set[str] = set()
        self._paceless: Counter[str] = Counter()
        self._suppressed: Counter[str] = Counter()
        self._partial: Counter[str] = Counter()
        self.notes: list[str] = []

    def add(self, stretches: Stretches, period: int, units: np.ndarray) -> None:
        """Add the figures of one period."""
        panel, calendar = stretches.panel, stretches.panel.calendar
        length, done = calendar.per_year, int(calendar.position(period)) + 1
        groups = groups_at(self._tree, period)

        def keep(kind: str, key: object, array: np.ndarray) -> None:
            rounded = np.round(array[..., units], FIGURE_DECIMALS) + 0.0  # no negative zero
            self._found[kind, key].append(rounded)

        for code in self._needs.codes:
            volume = panel.indicator(code).kind in ("flow", "stock")
            now, before = (stretches.over(code, period - back * length, done) for back in (0, 1))
            middle = _in_own_terms(now, before, groups, (0.5,), volume=volume)[0]
            keep("actual", code, now)
            keep("last_year", code, before)
            keep("peers", code, middle)
            self._partial[code] += int(stretches.partial(code, period, done)[units].sum())
            compared = np.isfinite(now) & (groups >= 0)
            self._suppressed[code] += int((compared & ~_enough(now, before, groups, volume=volume))[units].sum())
            if done < length and code in self._needs.fixed and stretches.basis(code).basis == "sum":
                self._year_long.add(code)
            self._keep_targets(keep, stretches, code, period=period, done=done)
        for code, quantiles in self._needs.standards:
            indicator = panel.indicator(code)
            before, earlier = (stretches.over(code, period - back * length, done) for back in (1, 2))
            ranks = quantiles if indicator.direction != "lower" else tuple(1 - q for q in quantiles)
            if indicator.kind in ("flow", "stock"):  # how last year grew, from where this year started
                found = _moved(before, before, earlier, groups, ranks)
            else:
                found = group_quantiles(before, groups, ranks)
            keep("standards", (code, quantiles), found)

    def _keep_targets(self, keep, stretches: Stretches, code: str, *, period: int, done: int) -> None:
        if self._targets is None:
            return
        calendar = stretches.panel.calendar
        found = self._targets.get(int(calendar.year(period)), code)
        if found is None:
            found = np.full((len(LEVELS), len(stretches.panel.tree)), np.nan)
        elif done < calendar.per_year and stretches.basis(code).basis == "sum":
            whole, found = found, paced(found, stretches, code, ordinal=period)
            self._paced.add(period)
            self._paceless[code] += int((np.isfinite(whole[1]) & ~np.isfinite(found[1])).sum())
        for level, array in zip(LEVELS, found, strict=True):
            keep(level, code, array)

    def facts(self, rows: int) -> Facts:
        """Give all figures."""
        kinds: dict[str, dict] = {kind: {} for kind in ("actual", "last_year", "peers", "standards", *LEVELS)}
        for (kind, key), arrays in self._found.items():
            kinds[kind][key] = np.concatenate(arrays, axis=-1)
        return replace(Facts(rows, kinds["actual"]), **kinds)

    def all_notes(self, written) -> list[str]:
        """Say what is to be known of the figures."""
        notes = list(self.notes)
        if self._paced:
            told = ", ".join(written(period) for period in sorted(self._paced)[:NAMED])
            notes.append(
                f"Within the year the targets of flows count as far as is usual by then ({told}): each unit's own "
                "pace of past years, drawn towards its level's, not equal twelfths."
            )
        if self._year_long:
            told = ", ".join(sorted(self._year_long)[:NAMED])
            notes.append(
                f"Values that the policy states for flows ({told}) are those of a whole year; the year to date is "
                "measured against them as they stand."
            )
        notes += _counted(self._paceless, "targets have no pace to be compared at, for want of past years")
        mattering = Counter({code: n for code, n in self._suppressed.items() if code in self._peers_matter})
        notes += _counted(mattering, f"peer figures are suppressed: fewer than {MIN_PEERS} peers have one")
        notes += _counted(self._partial, "totals lack the figures of some units below")
        return notes


def _counted(counts: Counter[str], what: str) -> list[str]:
    there = [(code, n) for code, n in counts.items() if n]
    if not there:
        return []
    told = ", ".join(f"{code} {n:,}" for code, n in there[:NAMED])
    more = f" and {len(there) - NAMED} more indicators" if len(there) > NAMED else ""
    return [f"{sum(n for _, n in there):,} {what}: {told}{more}."]


def _in_own_terms(
    now: np.ndarray, before: np.ndarray, groups: np.ndarray, quantiles: Sequence[float], *, volume: bool
) -> np.ndarray:
    """Give quantiles of the peers in each unit's own terms: (Q, U)."""
    if volume:
        return _moved(before, now, before, groups, quantiles)
    return group_quantiles(now, groups, quantiles)


def _multiple(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Give what volumes came to as a multiple of before; NaN where that was not positive."""
    return np.where(before > 0, now / np.where(before > 0, before, 1.0), np.nan)


def _moved(
    start: np.ndarray, now: np.ndarray, before: np.ndarray, groups: np.ndarray, quantiles: Sequence[float]
) -> np.ndarray:
    """Move each unit's volume as quantiles of its peers moved from `before` to `now`: (Q, U)."""
    return np.where(start > 0, start, np.nan) * group_quantiles(_multiple(now, before), groups, quantiles)


def _enough(now: np.ndarray, before: np.ndarray, groups: np.ndarray, *, volume: bool) -> np.ndarray:
    """Tell which units have peers enough to be shown."""
    seen = np.isfinite(_multiple(now, before) if volume else now) & (groups >= 0)
    counts = np.bincount(groups[seen], minlength=groups.max(initial=-1) + 2)
    return counts[groups] >= MIN_PEERS
