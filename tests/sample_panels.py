"""The sample bank as a panel, straight from the generator's books."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from features.indicators import IndicatorSet, library
from features.panel import Panel
from features.periods import Calendar
from features.units import UnitTree
from training.sample.bank import INDICATORS, SampleBank
from training.sample.units import FIRST_YEAR, MONTHS


def sample_panel(bank: SampleBank) -> Panel:
    """Give the final reports of all branches, without the gaps; parents are not filled in."""
    calendar = Calendar("M")
    tree = UnitTree.from_frame(bank.units, calendar)
    columns = tree.codes.get_indexer(pd.Index(bank.layout.codes))
    known = bank.layout.alive & ~bank.layout.gaps
    values = {}
    for code in INDICATORS:
        values[code] = np.full((MONTHS, len(tree)), np.nan)
        values[code][:, columns] = np.where(known, bank.ledger.values[code], np.nan)
    core = {"LOANS": {"target_allowed": True, "core": True}}
    indicators = IndicatorSet(library()[code].model_copy(update=core.get(code, {})) for code in INDICATORS)
    return Panel(calendar, tree, indicators, calendar.parse(f"{FIRST_YEAR}-01"), values, date(2025, 6, 30))
