"""Pattern of evergreening: loans extended or renewed instead of repaid, under a good collection rate (W05)."""

from __future__ import annotations

import numpy as np

from features.indicators import Title
from models.detectors.detector import Detector, Finding
from models.detectors.legs import finding, undisturbed, unusual
from models.detectors.measures import Measure
from models.detectors.situation import Situation
from models.detectors.tails import upper_tail

EXTENSION_MONTHS = 6
"""Loans mature unevenly: extensions now are held against those of half a year ago."""
EXTENSION_Z = 1.5
"""A rise that about one unit in fourteen shows."""
COLLECTION_MONTHS = 3
FULL_COLLECTION = 98.0
"""Percent of matured loans collected above which extensions would have no reason (domain catalogue, W05)."""


def evergreening(situation: Situation) -> Finding | None:
    """W05: extensions up with z >= 1.5 although at least 98% of matured loans count as collected."""
    extension, collection = situation.find("extension"), situation.find("collection")
    if extension is None or collection is None:
        return None
    renewed = Measure("rise", extension.code, EXTENSION_MONTHS)
    collected = Measure("recent", collection.code, COLLECTION_MONTHS)
    high = unusual(situation, renewed)
    met = (high >= EXTENSION_Z) & (situation.values(collected) >= FULL_COLLECTION)
    risk = np.where(undisturbed(situation, "merger"), upper_tail(high), np.nan)
    return finding(None, risk, met, collected, renewed)


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W05",
        family="evergreening",
        title=Title(en="Evergreening", zh="借新还旧"),
        reason=Title(
            en="Ever more maturing loans are extended or renewed while collection looks complete: defaults may be "
            "hidden by new loans.",
            zh="到期贷款展期续贷明显增多，而回笼率接近足额，可能以新贷偿还旧贷、掩盖违约。",
        ),
        innocent=Title(
            en="The renewals follow a published support scheme, and the borrowers pay interest and part of the "
            "principal from their own cash.",
            zh="续贷依据公开的纾困政策办理，借款人以自有资金付息并归还部分本金。",
        ),
        lag=(6, 18),
        needs=(("extension",), ("collection",)),
        detect=evergreening,
    ),
)
"""W05."""
