"""Whether goals, pins, floors and caps can all be kept, and the smallest change that lets them be where they cannot.

On a tree the question is a small linear programme: every goal, pin, floor and cap may be moved at the price of the
amount by which it moves, and what units can reach may not. Sums over a tree are totally unimodular, so for amounts the
cheapest change is in whole smallest units already. Moving any single constraint of a binding chain often costs the
same: these are listed as alternatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

import numpy as np

from features.indicators import Indicator
from models.goals.constraints import Bounds
from models.goals.difficulty import in_amounts
from models.goals.goal_tree import GoalTree
from models.goals.relaxation import SHOWN, InfeasibleError, Move, Relaxation, hint_of

PREFER_ABOVE = 1e-6
"""Extra price, for each step down the tree, of moving a constraint: of equal changes the one further up is named."""

LISTED = 20
"""Alternatives kept, the smallest first."""


@dataclass(frozen=True, eq=False)
class Feasibility:
    """What every unit can come to, given what is below it.

    Attributes
    ----------
    tree : GoalTree
    bounds : Bounds
    free_low, free_high : np.ndarray
        (U,) least and most value of each leaf by its distribution and the indicator's bounds alone.
    weights : np.ndarray
        (N,)
    step : Decimal
    indicator : Indicator
    """

    tree: GoalTree
    bounds: Bounds
    free_low: np.ndarray
    free_high: np.ndarray
    weights: np.ndarray
    step: Decimal
    indicator: Indicator

    @property
    def averaged(self) -> bool:
        """Tell whether values are averaged rather than added up."""
        return self.indicator.kind in ("ratio", "level")

    @property
    def slack(self) -> np.ndarray:
        """Give the amount (N,) by which a sum may miss: half a smallest unit of an average, nothing of a sum."""
        return self.weights / 2 if self.averaged else np.full(len(self.weights), 0.25)

    def ends(self) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Give least and most (N,) of each unit: as its parts come to, and within its own bounds."""
        tree, bounds = self.tree, self.bounds
        leaf = slice(0, tree.leaves)
        low, high = in_amounts(bounds.low, self.weights), in_amounts(bounds.high, self.weights)
        least = tree.add_up(self.free_low * self.weights[leaf], low, high)
        most = tree.add_up(self.free_high * self.weights[leaf], low, high)
        return least, most

    @property
    def possible(self) -> bool:
        """Tell whether everything can be kept."""
        least, most = self.ends()
        return not len(self._violated(least[0], most[0]))

    def check(self) -> None:
        """Refuse what cannot be kept.

        Raises
        ------
        InfeasibleError
            Where a goal, floor or cap above the leaves cannot be kept, with the smallest change.
        """
        least, most = self.ends()
        violated = self._violated(least[0], most[0])
        if not len(violated):
            return
        order = np.lexsort((self.tree.rank[violated], -self.tree.depth[violated]))
        deepest = int(violated[order][0])
        relaxation = Relaxation(self._least_moves(), self._single_moves(least, most, violated))
        raise InfeasibleError(
            self._told(deepest, least[0], most[0]),
            relaxation=relaxation,
            where=self.indicator.code,
            hint=hint_of(relaxation),
        )

    def _violated(self, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        inner = np.arange(self.tree.leaves, len(self.tree.units))
        low, high = in_amounts(self.bounds.low, self.weights), in_amounts(self.bounds.high, self.weights)
        bad = (low[inner] > most[inner] + self.slack[inner]) | (high[inner] < least[inner] - self.slack[inner])
        return inner[bad]

    def _told(self, place: int, least: np.ndarray, most: np.ndarray) -> str:
        """Say which goal, floor or cap fails, and by how much."""
        tree, bounds, weight = self.tree, self.bounds, self.weights[place]
        short = bounds.low[place] * weight > most[place] + self.slack[place]
        off = (most if short else least)[place] - (bounds.low if short else bounds.high)[place] * weight
        by = (Decimal(float(abs(off) / weight)) * self.step).quantize(
            self.step, rounding=ROUND_CEILING if self.averaged else ROUND_HALF_EVEN
        )
        kind = "goal" if bounds.pinned[place] else (bounds.low_why if short else bounds.high_why)[place]
        name = f"{kind} of {tree.units[place]}" if tree.units[place] else kind
        below = np.flatnonzero(tree.below(place))
        pinned = below[bounds.pinned[below]]
        if most[place] - least[place] < 0.5 and bounds.pinned[place] and len(pinned):
            who = f"every unit below {tree.units[place]}" if tree.units[place] else "every unit"
            why = f"{who} is pinned, and the pins miss the {name}"
        elif short:
            why = f"the {name} is beyond what the units can reach"
        elif (bounds.low[pinned] * self.weights[pinned]).sum() > bounds.high[place] * weight and not self.averaged:
            why = f"the pins exceed the {name}"
        else:
            why = f"the {name} is under the least possible"
        return (
            f"{why}: {by} {self.indicator.unit} too {'little' if short else 'much'}{self._fixed_below(place, pinned)}"
        )

    def _fixed_below(self, place: int, pinned: np.ndarray) -> str:
        """Name the pins that a goal stands against."""
        inner = np.flatnonzero(self.bounds.pinned[self.tree.leaves :]) + self.tree.leaves
        inside = [node for node in inner if self.tree.parent[node] == place]
        named = [str(self.tree.units[int(node)]) for node in (*inside, *pinned)]
        if not named:
            return ""
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        return f"; fixed below it: {', '.join(named[:SHOWN])}{more}"

    def _explicit(self) -> list[tuple[int, str]]:
        """List constraints that somebody has set: position and side ("pin", "floor" or "cap")."""
        found = [(int(place), "pin") for place in np.flatnonzero(self.bounds.pinned)]
        for side, why in (("floor", self.bounds.low_why), ("cap", self.bounds.high_why)):
            set_ = (why != "") & ~self.bounds.pinned
            found += [(int(place), side) for place in np.flatnonzero(set_)]
        return found

    def _least_moves(self) -> tuple[Move, ...]:
        """Solve for the cheapest movement of all constraints together."""
        from scipy.optimize import linprog
        from scipy.sparse import coo_array

        tree, bounds = self.tree, self.bounds
        explicit = self._explicit()
        own = sorted({place for place, _ in explicit if place < tree.leaves})
        # Leaves without a constraint of their own count together with their siblings.
        together = np.ones(tree.leaves, dtype=bool)
        together[own] = False
        parents, first = np.unique(tree.parent[: tree.leaves][together], return_index=True)
        speaker = np.concatenate([np.flatnonzero(together)[first], np.array(own, dtype=np.int64)])
        low_amount, high_amount = (end * self.weights[: tree.leaves] for end in (self.free_low, self.free_high))
        least, most = [], []
        for parent in parents:
            inside = together & (tree.parent[: tree.leaves] == parent)
            least.append(low_amount[inside].sum())
            most.append(high_amount[inside].sum())
        for place in own:
            set_ = [end[place] * self.weights[place] for end in (bounds.low, bounds.high) if np.isfinite(end[place])]
            least.append(min(low_amount[place], *set_))
            most.append(max(high_amount[place], *set_))
        column_of = {place: len(parents) + number for number, place in enumerate(own)}
        row, column, sign, limit, is_pin = [], [], [], [], []
        for number, (place, side) in enumerate(explicit):
            cells = (
                np.array([column_of[place]])
                if place < tree.leaves
                else np.flatnonzero(tree.paths[int(tree.depth[place])][speaker] == place)
            )
            flip = -1.0 if side == "floor" else 1.0
            row += [number] * len(cells)
            column += list(cells)
            sign += [flip] * len(cells)
            end = bounds.low if side in ("floor", "pin") else bounds.high
            limit.append(flip * end[place] * self.weights[place])
            is_pin.append(side == "pin")
        count, cells = len(explicit), len(speaker)
        # Sum - over + under = pin; sum - over <= cap; -sum - over <= -floor.
        over = np.arange(count)
        matrix = coo_array(
            (
                [*sign, *[-1.0] * count, *[1.0] * count],
                ([*row, *over, *over], [*column, *(cells + over), *(cells + count + over)]),
            ),
            shape=(count, cells + 2 * count),
        ).tocsr()
        pin = np.array(is_pin)
        price = 1 + PREFER_ABOVE * tree.depth[[place for place, _ in explicit]]
        ends = [*zip(least, most, strict=True), *[(0, None)] * count, *[(0, None if p else 0) for p in is_pin]]
        found = linprog(
            np.concatenate([np.zeros(cells), price, price]),
            A_ub=matrix[~pin] if (~pin).any() else None,
            b_ub=np.array(limit)[~pin] if (~pin).any() else None,
            A_eq=matrix[pin] if pin.any() else None,
            b_eq=np.array(limit)[pin] if pin.any() else None,
            bounds=ends,
            method="highs",
        )
        if found.x is None:  # cannot be: every constraint may move without end
            return ()
        up, down = found.x[cells : cells + count], found.x[cells + count :]
        moves = []
        for (place, side), rise, fall in zip(explicit, up, down, strict=True):
            change = (rise - fall) if side != "floor" else -rise
            if abs(change) > max(self.slack[place] / 2, 1e-6):
                moves.append(self._move(place, side, change))
        return tuple(moves)

    def _single_moves(
        self,
        least: tuple[np.ndarray, np.ndarray],
        most: tuple[np.ndarray, np.ndarray],
        violated: np.ndarray,
    ) -> tuple[Move, ...]:
        """Find how far each constraint alone would have to move, where that is enough."""
        tree, weights = self.tree, self.weights
        low, high = in_amounts(self.bounds.low, weights), in_amounts(self.bounds.high, weights)
        moves = []
        for place, side in self._explicit():
            path = [place]
            while tree.parent[path[-1]] >= 0:
                path.append(int(tree.parent[path[-1]]))
            if not set(violated.tolist()) <= set(path):
                continue
            bottom, top = self._allowed(path, (low, high), least, most)
            if side == "floor":
                top = min(top, high[place])
            elif side == "cap":
                bottom = max(bottom, low[place])
            if place < tree.leaves:
                can = (self.free_low[place] * weights[place], self.free_high[place] * weights[place])
                now = low[place] if side != "cap" else high[place]
                can = (min(can[0], now), max(can[1], now))
            else:
                can = (least[0][place], most[0][place])
            bottom, top = max(bottom, can[0]), min(top, can[1])
            if bottom > top + self.slack[place]:
                continue
            now = low[place] if side != "cap" else high[place]
            wanted = (
                min(now, top) if side == "floor" else max(now, bottom) if side == "cap" else min(max(now, bottom), top)
            )
            if abs(wanted - now) > 1e-6:
                moves.append(self._move(place, side, wanted - now))
        moves.sort(key=lambda move: (abs(move.by), tree.depth[tree.position(move.unit)], move.unit))
        return tuple(moves[:LISTED])

    def _allowed(
        self,
        path: list[int],
        own: tuple[np.ndarray, np.ndarray],
        least: tuple[np.ndarray, np.ndarray],
        most: tuple[np.ndarray, np.ndarray],
    ) -> tuple[float, float]:
        """Give what the units above and beside leave to the first of a path; an empty range where they contradict."""
        bottom, top = -np.inf, np.inf
        for above, node in zip(path[:0:-1], path[-2::-1], strict=True):
            bottom, top = max(bottom, own[0][above]), min(top, own[1][above])
            if bottom > top + self.slack[above]:
                return np.inf, -np.inf
            bottom -= most[0][above] - most[1][node]
            top -= least[0][above] - least[1][node]
        return float(bottom), float(top)

    def _move(self, place: int, side: str, change: float) -> Move:
        """State a change of an amount as one of a value, to a whole step on the far side."""
        bounds = self.bounds
        now = (bounds.low if side != "cap" else bounds.high)[place]
        why = {"floor": bounds.low_why, "cap": bounds.high_why}.get(side)
        kind = str(why[place]) if why is not None else "goal" if place >= self.tree.leaves else "pin"
        change = change / self.weights[place]
        if self.averaged:
            far = Decimal(str(round(float(now + change), 6))).to_integral(ROUND_CEILING if change > 0 else ROUND_FLOOR)
        else:
            far = Decimal(round(now + change))
        value = Decimal(repr(float(now))) * self.step
        return Move(str(self.tree.units[place]), kind, side, _plain(value), _plain(far * self.step))


def _plain(value: Decimal) -> Decimal:
    """Write without exponent and without trailing zeros after the point."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral() else value
