"""What a simulation is about: the history, the present and the other policy, and the change from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from features.errors import LoadlineError
from features.indicators import Indicator, Title
from features.snapshot import Snapshot
from features.units import ALWAYS, FOREVER, UnitTree, parse_day
from models.policy.checks.units import selected
from models.policy.document import Policy
from training.simulation.change_file import Whom
from training.simulation.replay import Replay, joined, replay


@dataclass(frozen=True, eq=False)
class Setting:
    """A history to be replayed.

    Attributes
    ----------
    snapshot : Snapshot
    before, after : Policy
        The present policy, and the one beside it; the same one where only a change from outside is asked about.
    periods : tuple of int
        Ordinals.
    targets : pd.DataFrame or None
        Under the present policy, and under the other one where it has no targets of its own.
    known_on : date or None
    targets_after : pd.DataFrame or None
        Under the other policy, whose levels may ask for more or less.
    """

    snapshot: Snapshot
    before: Policy
    after: Policy
    periods: tuple[int, ...]
    targets: pd.DataFrame | None = None
    known_on: date | None = None
    targets_after: pd.DataFrame | None = None

    @property
    def asked(self) -> pd.DataFrame | None:
        """Give the targets after the change."""
        return self.targets if self.targets_after is None else self.targets_after

    def present(self) -> Replay:
        """Replay under the present policy."""
        return replay(self.snapshot, self.before, self.periods, targets=self.targets, known_on=self.known_on)

    def replayed(
        self,
        policy: Policy,
        periods: Sequence[int],
        *,
        snapshot: Snapshot | None = None,
        targets: pd.DataFrame | None = None,
    ) -> Replay:
        """Replay some periods as they would be after the change, perhaps on other figures or targets."""
        return replay(
            self.snapshot if snapshot is None else snapshot,
            policy,
            periods,
            targets=self.asked if targets is None else targets,
            known_on=self.known_on,
        )

    def with_earlier(self, later: Replay, start: int) -> Replay:
        """Put the periods before a change, which it leaves as they are, in front of those after it."""
        earlier = [period for period in self.periods if period < start]
        return joined([self.replayed(self.after, earlier), later]) if earlier else later

    def since(self, start: int) -> list[int]:
        """List the periods from a change on.

        Raises
        ------
        LoadlineError
            Where none is replayed.
        """
        found = [period for period in self.periods if period >= start]
        if not found:
            written = self.snapshot.description.calendar.format
            raise LoadlineError(
                f"the change begins in {written(start)}, after the last period replayed, {written(self.periods[-1])}",
                where="from",
                hint="Replay later periods with --to, or let the change begin earlier: nothing is stored.",
            )
        return found

    def starting(self, text: str) -> int:
        """Read the period from which a change holds."""
        try:
            found = parse_day(text, self.snapshot.description.calendar)
        except (LoadlineError, ValueError):
            found = FOREVER
        if found in (ALWAYS, FOREVER):
            raise LoadlineError(
                f"{text!r} is no period", where="from", hint="Write a period such as 2024-07, or a day."
            )
        return found

    def indicator(self, code: str, *, field_name: str) -> Indicator:
        """Look an indicator up.

        Raises
        ------
        LoadlineError
            Where the data has none of that code.
        """
        known = self.snapshot.indicators
        if code not in known:
            hint = f"Known: {', '.join(list(known)[:20])}."
            raise LoadlineError(f"the data has no indicator {code!r}", where=field_name, hint=hint)
        return known[code]

    def affected(self, whom: Whom) -> np.ndarray:
        """Tell which units (U,) a change is for.

        Raises
        ------
        LoadlineError
            Where it is for none.
        """
        tree = self.snapshot.tree
        found = _chosen(tree, whom)
        if not found.any():
            hint = "Compare the columns level, region_type, peer_group and business_line of units.csv."
            raise LoadlineError("the change is for no unit", where="applies_to", hint=hint)
        return found


def _chosen(tree: UnitTree, whom: Whom) -> np.ndarray:
    found = selected(whom, tree.attributes).to_numpy(copy=True)
    if whom.units:
        named = np.zeros(len(tree), dtype=bool)
        named[[tree.number(code) for code in whom.units]] = True
        found &= named
    return found


@dataclass(frozen=True, eq=False)
class Effect:
    """What a change would have done.

    Attributes
    ----------
    before, after : Replay
    tables : Mapping[str, pd.DataFrame]
        Beside the comparison of scores, by file name without suffix.
    statements : tuple of Title
        What is to be said first.
    """

    before: Replay
    after: Replay
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    statements: tuple[Title, ...] = ()

    def saying(self, *statements: Title) -> Effect:
        """Add statements."""
        return replace(self, statements=(*self.statements, *statements))
