"""What would have to move where goals, pins, floors and caps cannot all be kept, as text and as data."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from features.errors import LoadlineError
from models.goals.constraints import Constraints

SHOWN = 3
"""Changes that the error's text names; the data has more."""


@dataclass(frozen=True)
class Move:
    """One constraint moved: `kind` is "goal", "pin", "floor", "cap" or the reason for which a cap or floor is there."""

    unit: str
    kind: str
    side: str
    value: Decimal
    to: Decimal

    @property
    def by(self) -> Decimal:
        """Give by how much it moves; negative downwards."""
        return self.to - self.value

    def __str__(self) -> str:
        of = f" of {self.unit}" if self.unit else ""
        verb = "raise" if self.by > 0 else "lower"
        return f"{verb} the {self.kind}{of} from {self.value:,} to {self.to:,}"


@dataclass(frozen=True)
class Relaxation:
    """What would have to move.

    Attributes
    ----------
    moves : tuple of Move
        Together they make it feasible, at the least total.
    alternatives : tuple of Move
        Each alone makes it feasible, the smallest first; empty where no single change does.
    """

    moves: tuple[Move, ...]
    alternatives: tuple[Move, ...]

    @property
    def total(self) -> Decimal:
        """Give the sum of all movements."""
        return sum((abs(move.by) for move in self.moves), Decimal(0))

    def applied(self, constraints: Constraints, *, only: Move | None = None) -> Constraints:
        """Give the constraints with all moves made, or with a single alternative."""
        for move in self.moves if only is None else (only,):
            constraints = constraints.moved(move.unit, move.side, move.to)
        return constraints


class InfeasibleError(LoadlineError):
    """Goals and constraints that cannot all be kept, with the smallest change that would let them be."""

    def __init__(self, what: str, *, relaxation: Relaxation, where: str = "", hint: str = "") -> None:
        self.relaxation = relaxation
        super().__init__(what, where=where, hint=hint)


def hint_of(relaxation: Relaxation) -> str:
    """Say in a sentence what would have to move, and what else would do."""
    if not relaxation.moves:
        return "Loosen the goal, a pin, a floor or a cap."
    together = " and ".join(str(move) for move in relaxation.moves[:SHOWN])
    more = len(relaxation.moves) - SHOWN
    text = together[0].upper() + together[1:] + (f" and {more} more" if more > 0 else "")
    others = [str(move) for move in relaxation.alternatives if (move,) != relaxation.moves]
    return text + "".join(f"; or {other}" for other in others[:SHOWN]) + "."
