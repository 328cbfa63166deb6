"""Which indicators stand for lending, prices, capital and trouble: by role, else by what they divide and are called."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from features.indicators import Indicator
from features.panel import Panel

LOAN_ROLES = ("loans",)
"""Who declares its loans has said which volume carries the risk; nothing is guessed then."""
CAPITAL_ROLES = ("capital",)
OTHER_RISKS = ("capital", "liquidity", "coverage")
"""Cushions, not trouble: where they are thin, nothing has gone wrong yet."""
AFTERMATH_ROLES = ("recovery", "write_offs", "npl_transfers", "provisions", "impairment")
"""What a bank does about trouble rather than trouble: a rise may be diligence."""

_LENDING = re.compile(r"credit|loan|lend|mortgage|debt|贷|信用卡|债务", re.IGNORECASE)
_BALANCE = re.compile(r"asset|balance|资产|余额", re.IGNORECASE)
_PRICE = re.compile(r"price|index|房价|价格|指数", re.IGNORECASE)
_CAPITAL = re.compile(r"capital|equity|z-?score|solvency|资本|权益|偿付", re.IGNORECASE)
_OUTPUT = re.compile(r"(?<![a-z])(gdp|income)(?![a-z])|gross domestic|生产总值|收入比", re.IGNORECASE)
_NOT_LENT = re.compile(
    r"loss|provision|late\b|past due|default|delinq|non-?perform|\bnpl|interest|yield|margin|fee|rate\b|cost"
    r"|损失|拨备|逾期|不良|违约|利息|利率|收益|费",
    re.IGNORECASE,
)
"""What is said of loans rather than lent: losses on them, income from them."""
_FUNDS = re.compile(r"(?<![a-z])(gdp|deposits?)(?![a-z])|gross domestic|生产总值|贷存|存贷", re.IGNORECASE)


@dataclass(frozen=True)
class Meanings:
    """Indicators at hand, by what they stand for.

    Attributes
    ----------
    volumes : tuple of Indicator
        Business that can grow, the lending first; ratios of performance where no volume is at hand.
    lending : tuple of Indicator
        Loans; else volumes under a risk ratio or called loans or credit; else balances and assets.
    lending_ratios : tuple of Indicator
        Lending over output or income, where only that is known: credit to GDP.
    leverage : tuple of Indicator
        Lending over output or deposits: how far it has gone, apart from how fast it grows.
    prices : tuple of Indicator
        Prices of what is lent on, such as house prices.
    capital : tuple of Indicator
        Cushions that bear losses, as ratios.
    troubles : tuple of Indicator
        What goes wrong: risk and compliance indicators, an amount left out where its ratio is at hand.
    """

    volumes: tuple[Indicator, ...]
    lending: tuple[Indicator, ...]
    lending_ratios: tuple[Indicator, ...]
    leverage: tuple[Indicator, ...]
    prices: tuple[Indicator, ...]
    capital: tuple[Indicator, ...]
    troubles: tuple[Indicator, ...]

    @classmethod
    def of(cls, panel: Panel) -> Meanings:
        """Sort the indicators of a panel, with figures or not yet: what begins later must not change what was said."""
        known = [panel.indicator(code) for code in panel.codes]
        capital = tuple(i for i in known if _is_capital(i))
        leverage = tuple(i for i in known if _is_lending_over(i, _FUNDS))
        over_output = tuple(i for i in known if _is_lending_over(i, _OUTPUT))
        apart = {i.code for i in (*capital, *leverage, *over_output)}
        volumes = _volumes(known)
        lending = _lending(volumes, known)
        rest = tuple(i for i in volumes if i not in lending)
        return cls(
            volumes=(*lending, *rest) or tuple(i for i in known if _is_result(i)),
            lending=lending,
            lending_ratios=over_output,
            leverage=leverage,
            prices=tuple(i for i in known if _is_price(i)),
            capital=capital,
            troubles=_troubles([i for i in known if i.code not in apart]),
        )

    @property
    def trouble_ratios(self) -> tuple[Indicator, ...]:
        """Give those troubles that can be compared across units of different size."""
        return tuple(i for i in self.troubles if i.kind in ("ratio", "level"))

    def linked(self, trouble: Indicator) -> tuple[Indicator, ...]:
        """Give the volumes that a trouble belongs to: its denominator, else those named alike, else the lending."""
        below = [i for i in self.volumes if i.code == trouble.denominator]
        if below:
            return tuple(below)
        stem = trouble.code.split("_")[0]
        named = [i for i in self.volumes if "_" in i.code and i.code.split("_")[0] == stem]
        return tuple(named) or self.lending or self.volumes


def _words(indicator: Indicator) -> str:
    return " ".join((indicator.code.replace("_", " "), indicator.name.en, indicator.name.zh))


def _volumes(known: Iterable[Indicator]) -> tuple[Indicator, ...]:
    return tuple(
        i
        for i in known
        if i.kind in ("stock", "flow") and i.perspective in ("performance", "social") and i.direction == "higher"
    )


def _is_result(indicator: Indicator) -> bool:
    return indicator.perspective == "performance" and indicator.direction == "higher"


def _lending(volumes: tuple[Indicator, ...], known: list[Indicator]) -> tuple[Indicator, ...]:
    declared = tuple(i for i in volumes if i.role in LOAN_ROLES)
    if declared:
        return declared
    below = {i.denominator for i in known if i.perspective == "risk" and not _is_capital(i)}
    stocks = [i for i in volumes if i.kind == "stock"]
    lent = tuple(i for i in stocks if i.code in below or _is_called_lending(i))
    return lent or tuple(i for i in stocks if _BALANCE.search(_words(i)))


def _is_called_lending(indicator: Indicator) -> bool:
    words = _words(indicator)
    return bool(_LENDING.search(words)) and not _NOT_LENT.search(words)


def _is_lending_over(indicator: Indicator, what: re.Pattern[str]) -> bool:
    plain = indicator.kind == "ratio" and indicator.denominator is None
    return plain and _is_called_lending(indicator) and bool(what.search(_words(indicator)))


def _is_price(indicator: Indicator) -> bool:
    sized = indicator.perspective == "context" and indicator.kind in ("stock", "level")
    return sized and (indicator.unit == "index" or bool(_PRICE.search(_words(indicator))))


def _is_capital(indicator: Indicator) -> bool:
    if indicator.perspective != "risk" or indicator.kind not in ("ratio", "level") or indicator.direction != "higher":
        return False
    return indicator.role in CAPITAL_ROLES or (indicator.role is None and bool(_CAPITAL.search(_words(indicator))))


def _troubles(known: list[Indicator]) -> tuple[Indicator, ...]:
    said_by_ratio = {i.numerator for i in known if i.kind == "ratio"}
    return tuple(
        i
        for i in known
        if i.perspective in ("risk", "compliance")
        and i.role not in (*OTHER_RISKS, *AFTERMATH_ROLES)
        and i.code not in said_by_ratio
        and (i.direction != "higher" or i.kind in ("ratio", "level"))
    )
