"""What a panel offers the features: the names that a feature may ask for besides other features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from features.errors import LoadlineError
from features.groups import PeerGroups, Siblings
from features.indicators import Indicator
from features.panel import Panel
from features.windows import YearGrid

Scope = Literal["unit", "all"]
"""`unit`: needs a unit's own column only, so that units can be shared out; `all`: needs the peers too."""

VOLUME_ROLES = ("loans", "volume", "average_deposits", "deposits", "sales")
"""Which indicator stands for a unit's business where the indicator itself names no denominator; the first at hand."""
WRITE_OFF_ROLES = ("write_offs", "npl_transfers")
"""Flows that take bad loans off the books: they are added back to see how much went bad."""


@dataclass(frozen=True)
class Input:
    """Something that a panel offers.

    Attributes
    ----------
    meaning : str
        What it is.
    give : callable
        From panel and indicator code to the thing, or None where the panel does not have it.
    frame : bool
        True for arrays of periods x units, which may be cut into blocks of units.
    scope : {"unit", "all"}
    of_panel : bool
        True where it is the same for every indicator.
    """

    meaning: str
    give: Callable[[Panel, str], Any]
    frame: bool = False
    scope: Scope = "unit"
    of_panel: bool = False


def _denominator(panel: Panel, code: str) -> np.ndarray | None:
    below = panel.indicator(code).denominator
    return panel.array(below) if below is not None and below in panel else None


def _numerator(panel: Panel, code: str) -> np.ndarray | None:
    """Give the numerator of a ratio, from the ratio and its denominator where it is not at hand itself."""
    indicator = panel.indicator(code)
    if indicator.kind != "ratio":
        return None
    if indicator.numerator is not None and indicator.numerator in panel:
        return panel.array(indicator.numerator)
    bottom = _denominator(panel, code)
    return None if bottom is None else panel.array(code) * bottom / indicator.ratio_scale


def _by_role(panel: Panel, roles: tuple[str, ...]) -> list[Indicator]:
    return [found for role in roles for found in panel.indicators.with_role(role) if found.code in panel]


def _volume(panel: Panel, code: str) -> np.ndarray | None:
    bottom = _denominator(panel, code)
    if bottom is not None:
        return bottom
    found = [indicator for indicator in _by_role(panel, VOLUME_ROLES) if indicator.code != code]
    return panel.array(found[0].code) if found else None


def _write_offs(panel: Panel, code: str) -> np.ndarray | None:
    """Add up what left the books; a figure that is missing leaves a gap."""
    found = _by_role(panel, WRITE_OFF_ROLES)
    return sum((panel.array(indicator.code) for indicator in found[1:]), panel.array(found[0].code)) if found else None


def _context(panel: Panel, code: str) -> np.ndarray | None:
    """Give the first context indicator that has a size, such as output or a price index."""
    for indicator in panel.indicators.values():
        if indicator.perspective == "context" and indicator.kind in ("flow", "stock") and indicator.code in panel:
            return panel.array(indicator.code)
    return None


INPUTS: Mapping[str, Input] = {
    "value": Input("the indicator's figures", lambda panel, code: panel.array(code), frame=True),
    "numerator": Input("what stands above the line of a ratio", _numerator, frame=True),
    "denominator": Input("what stands below the line", _denominator, frame=True),
    "volume": Input("the business that the indicator belongs to: its denominator, or the loans", _volume, frame=True),
    "write_offs": Input("bad loans written off or transferred", _write_offs, frame=True),
    "context": Input("a figure of the economy around the unit", _context, frame=True),
    "spec": Input("the indicator's definition", lambda panel, code: panel.indicator(code)),
    "calendar": Input("what the ordinals mean", lambda panel, code: panel.calendar, of_panel=True),
    "ordinals": Input("the rows as period ordinals", lambda panel, code: panel.ordinals, of_panel=True),
    "per_year": Input("periods in a year", lambda panel, code: panel.calendar.per_year, of_panel=True),
    "grid": Input(
        "the rows by year and position",
        lambda panel, code: YearGrid(panel.calendar, panel.first, len(panel.ordinals)),
        of_panel=True,
    ),
    "groups": Input(
        "peer groups", lambda panel, code: PeerGroups(panel.tree.peer_groups()), scope="all", of_panel=True
    ),
    "siblings": Input(
        "who shares a parent",
        lambda panel, code: Siblings(panel.tree, panel.first, len(panel.ordinals)),
        scope="all",
        of_panel=True,
    ),
}


class PanelInputs:
    """The inputs of one panel, those of the whole panel made once.

    Parameters
    ----------
    panel : Panel
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._of_panel: dict[str, Any] = {}

    def get(self, name: str, code: str) -> Any:
        """Give an input for an indicator, None where the panel does not have it.

        Raises
        ------
        LoadlineError
            Where there is no such input.
        """
        if name not in INPUTS:
            raise LoadlineError(f"there is no input {name!r}", hint=f"Inputs: {', '.join(INPUTS)}.")
        given = INPUTS[name]
        if not given.of_panel:
            return given.give(self._panel, code)
        if name not in self._of_panel:
            self._of_panel[name] = given.give(self._panel, code)
        return self._of_panel[name]

    def has(self, name: str, code: str) -> bool:
        """Tell whether the panel has an input for an indicator, without computing what it can be computed from."""
        if INPUTS[name].of_panel:
            return True
        panel, indicator = self._panel, self._panel.indicator(code)
        if name == "numerator":
            return indicator.kind == "ratio" and (
                (indicator.numerator is not None and indicator.numerator in panel)
                or indicator.denominator in panel.codes
            )
        if name == "write_offs":
            return bool(_by_role(panel, WRITE_OFF_ROLES))
        return self.get(name, code) is not None
