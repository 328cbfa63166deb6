"""Unit-periods in which figures moved for reasons that are not the unit's doing: mergers, disposals, holidays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from features.calendar import holiday_days
from features.groups import PeerGroups
from features.indicators import Indicator
from features.inputs import WRITE_OFF_ROLES
from features.panel import Panel
from features.units import ALWAYS, FOREVER
from features.windows import lagged, midpoint_growth, over_positive, trailing_mean

JUMP = {12: 0.30, 4: 0.40, 1: 0.70}
"""Growth above the peers' (over the mean of both sizes) that no business reaches by itself in a period, by periods a
year: a third in a month, half in a quarter, a doubling in a year. Banks that later failed grew by a third in a year at
most (Correia, Luck, Verner), so that fast growth by itself is never taken for a merger."""
JUMPING_PART = 0.8
"""Nearly all volumes jump together when customers arrive or leave in a block; one may be booked later."""
LEAST_VOLUMES = 2
"""Volumes from which it can be told that a unit jumped as a whole: one alone may be its own business."""
STEADY_PEERS = 0.10
"""The peers' median must have moved by less: where all of them jump, the definition or the currency has changed."""
BULK_DROP = 1 / 3
"""Bad loans down by a third in a period, against the peers: recoveries and single write-offs come in smaller parts."""
YEARLY_BULK_DROP = 1 / 2
"""The same for a whole year, in which a good part of the bad loans is worked off anyway."""
BULK_SHARE = 1 / 4
"""Part of the bad loans that leaves in a period by write-off or transfer: where these are reported the evidence is
direct, so that less than for a drop is needed."""
YEARLY_BULK_SHARE = 1 / 2
"""The same for a whole year, in which banks write off a quarter of their bad loans and more as a matter of course."""
FAR_ABOVE_USUAL = 3.0
"""Multiple of the unit's own usual write-offs and transfers from which they count as a bulk disposal; those of a
quarter's last month are some twice the usual."""
FILLING_YEARS = 2
"""A new unit's second year is compared with its first, in which it was filling up."""
NEW_YEAR_MONEY = ("CNY", "RMB", "元", "HKD", "MOP", "TWD", "SGD", "KRW", "VND")
"""Money of the places where business rests over the lunar New Year; elsewhere its date means nothing."""
LEAST_FOR_USUAL = 0.5
"""Part of a year of figures from which the own usual is taken."""

NPL_ROLES = ("npl_amount", "npl")
"""What falls when bad loans are sold: their amount and their ratio."""


def disturbances(panel: Panel, *, delays: Mapping[str, int] | None = None) -> dict[str, np.ndarray]:
    """Mark what should be annotated rather than flagged.

    Parameters
    ----------
    panel : Panel
        P periods x U units.
    delays : Mapping[str, int], optional
        By indicator: after how many periods its figures are usually known. What is told from figures is moved down by
        the longest delay of those that it is told from.

    Returns
    -------
    dict of (P, U) booleans
        `merger`: the two years that begin when a unit opens, and the year that begins when it takes over another,
        follows one that was split, or when nearly all its volumes jump while its peers' do not. `transfer`: the period
        of a bulk disposal of bad loans and the year after. `holiday`: months with more or fewer days of the Chinese New
        Year than a year ago.
    """
    usual = delays or {}
    year = panel.calendar.per_year
    opened = _held(_first_figures(panel, usual), FILLING_YEARS * year)
    merger = _new_lives(panel) | opened | _held(_jumps(panel, usual), year)
    return {"merger": merger, "transfer": _held(_disposals(panel, usual), year + 1), "holiday": _moved_holidays(panel)}


def _shape(panel: Panel) -> tuple[int, int]:
    return len(panel.ordinals), len(panel.tree)


def _held(event: np.ndarray, rows: int) -> np.ndarray:
    """Mark the row of each event and those after it, `rows` in all."""
    count = np.cumsum(event, axis=0, dtype=np.int32)
    before = np.zeros_like(count)
    before[rows:] = count[: max(0, len(count) - rows)]
    return count > before


def _new_lives(panel: Panel) -> np.ndarray:
    """Mark what the tree knows: the first two years of openings, the first of mergers and splits."""
    year = panel.calendar.per_year
    marked = np.zeros(_shape(panel), dtype=bool)
    spells = panel.tree.spells.groupby("unit")
    begins, ends = spells["first"].min(), spells["last"].max()
    openings = begins.index[begins != ALWAYS]
    events = [(int(begins[unit]), np.array([unit]), FILLING_YEARS * year) for unit in openings]
    for unit, heirs in panel.tree.successors.items():
        if ends[unit] != FOREVER:
            events.append((int(ends[unit]) + 1, np.array(heirs), year))
    for ordinal, units, rows in events:
        row = ordinal - panel.first
        marked[max(0, row) : max(0, row + rows), units] = True
    return marked


def _first_figures(panel: Panel, delays: Mapping[str, int]) -> np.ndarray:
    """Mark where it becomes known that a unit's figures begin after those of others."""
    event = np.zeros(_shape(panel), dtype=bool)
    codes = [code for code in panel.codes if panel.indicator(code).perspective != "context"]
    length = len(event)
    if not codes or not length:
        return event
    there = [np.isfinite(panel.array(code)) for code in codes]
    first = np.array([np.where(some.any(axis=0), some.argmax(axis=0), length) for some in there])
    known = np.minimum(first + np.array([delays.get(code, 0) for code in codes])[:, None], length)
    told = known.min(axis=0)
    begins = np.where(known == told, first, length).min(axis=0)
    others = np.full(length + 1, length)
    np.minimum.at(others, known, first)
    others = np.minimum.accumulate(others)
    late = np.flatnonzero((told < length) & (begins > others[told]))
    event[told[late], late] = True
    return event


def _jumps(panel: Panel, delays: Mapping[str, int]) -> np.ndarray:
    """Mark where nearly all volumes of a unit jump the same way while its peers' stay."""
    shape = _shape(panel)
    volumes = [
        code
        for code in panel.codes
        if panel.indicator(code).kind == "stock" and panel.indicator(code).perspective not in ("risk", "context")
    ]
    if len(volumes) < LEAST_VOLUMES:
        return np.zeros(shape, dtype=bool)
    groups = PeerGroups(panel.tree.peer_groups())
    known, up, down = (np.zeros(shape, dtype=np.int16) for _ in range(3))
    for code in volumes:
        growth = midpoint_growth(panel.array(code), lagged(panel.array(code), 1))
        peers = groups.quartiles(growth).cut(slice(0, shape[1]))[1]
        peers[np.isnan(peers)] = 0.0
        steady = np.abs(peers) < STEADY_PEERS
        known += np.isfinite(growth)
        up += steady & (growth - peers > JUMP[panel.calendar.per_year])
        down += steady & (growth - peers < -JUMP[panel.calendar.per_year])
    jumped = (known >= LEAST_VOLUMES) & (np.maximum(up, down) >= JUMPING_PART * known)
    return _moved_down(jumped, max(delays.get(code, 0) for code in volumes))


def _disposals(panel: Panel, delays: Mapping[str, int]) -> np.ndarray:
    """Mark bulk disposals of bad loans: much more than usual leaves the books, or the bad loans drop."""
    event = np.zeros(_shape(panel), dtype=bool)
    groups = PeerGroups(panel.tree.peer_groups())
    yearly = panel.calendar.per_year == 1
    drop, bulk = (YEARLY_BULK_DROP, YEARLY_BULK_SHARE) if yearly else (BULK_DROP, BULK_SHARE)
    for spec in _playing(panel, NPL_ROLES):
        held = panel.array(spec.code)
        fall = 1 - over_positive(held, lagged(held, 1))
        event |= _moved_down(_against_peers(fall, groups) > drop, delays.get(spec.code, 0))
    amounts = _playing(panel, NPL_ROLES[:1])
    for spec in _playing(panel, WRITE_OFF_ROLES):
        gone = panel.array(spec.code)
        usual = _usual(gone, panel.calendar.per_year)
        many = gone > FAR_ABOVE_USUAL * usual
        delay = delays.get(spec.code, 0)
        if amounts:
            share = over_positive(gone, lagged(panel.array(amounts[0].code), 1))
            many &= _against_peers(share, groups) > bulk
            delay = max(delay, delays.get(amounts[0].code, 0))
        else:
            many &= _against_peers(over_positive(gone, usual), groups) > FAR_ABOVE_USUAL
        event |= _moved_down(many, delay)
    return event


def _playing(panel: Panel, roles: tuple[str, ...]) -> list[Indicator]:
    return [spec for role in roles for spec in panel.indicators.with_role(role) if spec.code in panel]


def _against_peers(x: np.ndarray, groups: PeerGroups) -> np.ndarray:
    """Give the distance from the peers' median; from nothing where there are too few peers."""
    peers = groups.quartiles(x).cut(slice(0, x.shape[1]))[1]
    return x - np.where(np.isnan(peers), 0.0, peers)


def _usual(gone: np.ndarray, per_year: int) -> np.ndarray:
    """Give the mean of the year before, of three years in annual data; zero is usual too."""
    window = per_year if per_year > 1 else 3
    return trailing_mean(lagged(gone, 1), window, least=int(np.ceil(LEAST_FOR_USUAL * window)))


def _moved_down(event: np.ndarray, rows: int) -> np.ndarray:
    if not rows:
        return event
    moved = np.zeros_like(event)
    moved[rows:] = event[: max(0, len(event) - rows)]
    return moved


def _moved_holidays(panel: Panel) -> np.ndarray:
    """Mark months whose days of the lunar New Year are others than a year ago, where people keep it."""
    marked = np.zeros(_shape(panel), dtype=bool)
    calendar = panel.calendar
    kept = any(money in panel.indicator(code).unit.upper() for code in panel.codes for money in NEW_YEAR_MONEY)
    if kept and calendar.per_year == 12:
        for row, ordinal in enumerate(panel.ordinals.tolist()):
            days = holiday_days(calendar, ordinal), holiday_days(calendar, ordinal - calendar.per_year)
            marked[row] = bool(np.isfinite(days).all() and days[0] != days[1])
    return marked
