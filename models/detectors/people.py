"""A pattern of people: targets are met while frontline staff leave (W14)."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from features.indicators import Title
from models.detectors.detector import Detector, Finding
from models.detectors.high_performance import high_performance
from models.detectors.legs import count_surprise, unusual
from models.detectors.measures import Measure, trailing_total
from models.detectors.situation import Situation
from models.detectors.standing import found
from models.detectors.tails import upper_tail

TURNOVER = ("frontline_turnover", "turnover")
"""The frontline's own turnover is the sharper sign, where a dataset has it."""
WINDOW_MONTHS = 3
"""Leavers of a quarter are counted: in a month few leave anywhere."""
SPIKE_Z = 1.5
"""Of the domain brief, section 4."""
SPIKE_P = float(ndtr(-SPIKE_Z))
"""The same for counted leavers: the tail that a normal z of 1.5 has."""
LEAST_LEAVERS = 3.0
"""Where only a rate is reported: people behind it in the window, below which it says nothing."""


def turnover_spike(situation: Situation) -> Finding | None:
    """W14: high performance now or in the last quarter, and more leavers than own past and peers explain."""
    indicator = situation.find(*TURNOVER)
    if indicator is None:
        return None
    recent = Measure("recent", indicator.code, WINDOW_MONTHS)
    risk = count_surprise(situation, indicator.code, WINDOW_MONTHS)
    if risk is None:
        z = unusual(situation, recent)
        risk = np.where(_few(situation, indicator.code), 1.0, upper_tail(z))
        spike = (z >= SPIKE_Z) & (risk < 1.0)
    else:
        spike = risk <= SPIKE_P
    window = situation.periods(WINDOW_MONTHS)
    high = high_performance(situation)
    evidence = (*high.by, recent)
    return found(situation, high.best_p(window), risk, spike & high.held(window), evidence)


def _few(situation: Situation, code: str) -> np.ndarray:
    """Tell where a rate of a known number of staff stands for so few leavers that chance makes it."""
    figures = situation.figures(code)
    if figures.numerator is None:
        return np.zeros(situation.shape, dtype=bool)
    leavers = trailing_total(figures.numerator, situation.periods(WINDOW_MONTHS))
    return situation.known(code, leavers) < LEAST_LEAVERS


DETECTORS: tuple[Detector, ...] = (
    Detector(
        code="W14",
        family="people",
        title=Title(en="Targets met while staff leave", zh="业绩达标、离职骤升"),
        reason=Title(
            en="Results are good while far more staff leave than usual here and at peers: a sign of undue pressure, "
            "and their customers and loans are left without an owner.",
            zh="业绩突出的同时，离职人数明显高于自身以往及同组水平，可能存在压力过大的情况，离职人员名下客户与贷款易无人管护。",
        ),
        innocent=Title(
            en="The leavers retired, moved within the bank or came from a planned reorganisation, and their customers "
            "were handed over.",
            zh="离职系退休、行内调动或既定机构调整所致，客户与贷款均已完成交接。",
        ),
        lag=(1, 6),
        needs=(TURNOVER,),
        detect=turnover_spike,
    ),
)
"""W14."""
