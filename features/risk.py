"""Features of rising risk: worsening, lagged denominators, formation, and risk against growth."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from features.feature import Applies, Feature, Step, feature, step
from features.groups import PeerGroups, PeerQuartiles
from features.indicators import Indicator
from features.performance import growth
from features.windows import change, lagged, midpoint_growth, over, robust_z, running_maximum, window_sum

MONTH, QUARTER, HALF = Fraction(1, 12), Fraction(1, 4), Fraction(1, 2)
GROWTH_LAGS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
"""Loans granted in a hurry fall overdue three to nine months later: lags between abnormal growth and rising risk."""

RISK = Applies(perspectives=("risk", "compliance", "customer", "people"))
"""Where worsening is a risk to the unit, be it of credit, conduct, customers or staff."""
RATIOS = Applies(kinds=("ratio",), perspectives=("risk",), directions=("lower",))
"""Bad things over all things, such as bad loans over loans."""
BAD_LOANS = Applies(kinds=("ratio",), roles=("npl",))


@step()
def harm(value: np.ndarray, spec: Indicator) -> np.ndarray:
    """Give the figure with the bad side up; for a band, the distance outside it."""
    if spec.band is not None:
        low, high = spec.band
        return np.maximum(np.maximum(low - value, value - high), 0.0)
    return value if spec.direction == "lower" else -value


def _worsening(harm: np.ndarray, periods: int, spec: Indicator, size: np.ndarray | None) -> np.ndarray:
    return change(harm, periods) if spec.band is not None else growth(harm, periods, spec, size)


def _worsening_feature(name: str, years: Fraction, en: str, zh: str, *, least_per_year: int) -> Feature:
    @feature(
        name=name,
        title=(f"Worsening over {en}", f"{zh}恶化幅度"),
        unit="growth",
        reason=("Rising risk, positive where things get worse.", "风险上升,正值表示恶化。"),
        applies=RISK,
        lags=(years,),
        least_per_year=least_per_year,
    )
    def worsening(harm: np.ndarray, spec: Indicator, size: np.ndarray | None, per_year: int) -> np.ndarray:
        """Give the change for the worse, as growth is stated; for a band, of the distance outside it."""
        return _worsening(harm, int(years * per_year), spec, size)

    return worsening


worsening_1m = _worsening_feature("worsening_1m", MONTH, "one month", "一个月", least_per_year=12)
worsening_3m = _worsening_feature("worsening_3m", QUARTER, "three months", "三个月", least_per_year=4)
worsening_6m = _worsening_feature("worsening_6m", HALF, "six months", "六个月", least_per_year=4)
worsening_12m = _worsening_feature("worsening_12m", Fraction(1), "twelve months", "十二个月", least_per_year=1)


@step(scope="all")
def worsening_6m_quartiles(worsening_6m: np.ndarray, groups: PeerGroups) -> PeerQuartiles:
    """Give the quartiles of the peers' worsening over six months."""
    return groups.quartiles(worsening_6m)


@step(scope="all")
def worsening_12m_quartiles(worsening_12m: np.ndarray, groups: PeerGroups) -> PeerQuartiles:
    """Give the quartiles of the peers' worsening over twelve months."""
    return groups.quartiles(worsening_12m)


@feature(
    title=("Worsening over six months against the peers", "六个月恶化偏离同组"),
    unit="z",
    reason=("Sets off what hits all units alike.", "剔除各单位共同受到的冲击。"),
    scope="all",
    applies=RISK,
)
def worsening_6m_z(worsening_6m: np.ndarray, worsening_6m_quartiles: np.ndarray) -> np.ndarray:
    """Give the robust z of the worsening over six months among the peers."""
    return robust_z(worsening_6m, worsening_6m_quartiles)


@feature(
    title=("Worsening over twelve months against the peers", "十二个月恶化偏离同组"),
    unit="z",
    reason=("Sets off what hits all units alike.", "剔除各单位共同受到的冲击。"),
    scope="all",
    applies=RISK,
)
def worsening_12m_z(worsening_12m: np.ndarray, worsening_12m_quartiles: np.ndarray) -> np.ndarray:
    """Give the robust z of the worsening over twelve months among the peers."""
    return robust_z(worsening_12m, worsening_12m_quartiles)


@feature(
    title=("Distance to the own worst", "距自身最差水平"),
    unit="own",
    reason=("Near its worst a unit is in new waters.", "接近历史最差时,经验不再可靠。"),
    applies=RISK,
)
def distance_to_worst(harm: np.ndarray) -> np.ndarray:
    """Give how far the figure is from its worst so far: zero at the worst."""
    return running_maximum(harm) - harm


@feature(
    title=("Ratio to the denominator of a year ago", "对上年分母的比率"),
    unit="own",
    reason=("Growth of the denominator cannot hide risk here.", "分母增长无法掩盖风险。"),
    applies=RATIOS,
    lags=(1,),
)
def lagged_ratio(numerator: np.ndarray, denominator: np.ndarray, spec: Indicator, per_year: int) -> np.ndarray:
    """Give the numerator now over the denominator a year ago."""
    return spec.ratio_scale * over(numerator, lagged(denominator, per_year))


@feature(
    title=("Change of the ratio to last year's denominator", "对上年分母比率的变化"),
    unit="growth",
    reason=("Risk that rises once dilution is taken out.", "剔除稀释后的风险上升。"),
    applies=RATIOS,
    lags=(1,),
)
def lagged_ratio_change(lagged_ratio: np.ndarray, per_year: int) -> np.ndarray:
    """Give the ratio to the denominator of a year ago, less what it was a year ago."""
    return change(lagged_ratio, per_year)


@feature(
    title=("Dilution by growth", "分母稀释程度"),
    unit="growth",
    reason=("A falling ratio over rising bad loans is growth, not quality.", "比率下降而不良上升,是增长而非质量。"),
    applies=RATIOS,
    lags=(1,),
)
def dilution(value: np.ndarray, lagged_ratio: np.ndarray) -> np.ndarray:
    """Give what the year's growth of the denominator takes off the ratio: net formation less the ratio's change."""
    return lagged_ratio - value


@feature(
    title=("Net formation in a year", "年度净生成率"),
    unit="own",
    reason=("New bad loans over the opening book.", "新增不良对期初贷款之比。"),
    applies=RATIOS,
    lags=(1,),
)
def net_formation(numerator: np.ndarray, denominator: np.ndarray, spec: Indicator, per_year: int) -> np.ndarray:
    """Give the year's change of the numerator over the denominator of a year ago."""
    return spec.ratio_scale * over(change(numerator, per_year), lagged(denominator, per_year))


@feature(
    title=("Formation in a year, disposals added back", "年度不良生成率"),
    unit="own",
    reason=("Write-offs and transfers lower the ratio; here they do not.", "核销与转让会压低比率,此处予以加回。"),
    applies=BAD_LOANS,
    lags=(1,),
)
def formation(
    numerator: np.ndarray, denominator: np.ndarray, write_offs: np.ndarray, spec: Indicator, per_year: int
) -> np.ndarray:
    """Give the year's change of bad loans and the year's disposals, over the loans of a year ago."""
    formed = change(numerator, per_year)
    formed += window_sum(write_offs, per_year)
    return spec.ratio_scale * over(formed, lagged(denominator, per_year))


@feature(
    title=("Growth of risk above growth of business", "风险增速减业务增速"),
    unit="share",
    reason=("Bad loans that outgrow the book.", "不良增长快于贷款增长。"),
    applies=RATIOS,
    lags=(1,),
)
def risk_above_growth(numerator: np.ndarray, denominator: np.ndarray, per_year: int) -> np.ndarray:
    """Give the numerator's yearly growth less the denominator's."""
    own = midpoint_growth(numerator, lagged(numerator, per_year))
    return own - midpoint_growth(denominator, lagged(denominator, per_year))


@step(lags=(1,))
def volume_growth(volume: np.ndarray, per_year: int) -> np.ndarray:
    """Give the yearly growth of the business to which the indicator belongs."""
    return midpoint_growth(volume, lagged(volume, per_year))


@step(scope="all")
def volume_growth_quartiles(volume_growth: np.ndarray, groups: PeerGroups) -> PeerQuartiles:
    """Give the quartiles of the peers' growth of business."""
    return groups.quartiles(volume_growth)


@step(scope="all")
def volume_growth_z(volume_growth: np.ndarray, volume_growth_quartiles: np.ndarray) -> np.ndarray:
    """Give the robust z of the growth of business among the peers."""
    return robust_z(volume_growth, volume_growth_quartiles)


@feature(
    title=("Ratio at the peers' growth", "按同组增速还原的比率"),
    unit="own",
    reason=("What the ratio would be without growth of the unit's own.", "若仅按同组增速增长时的比率。"),
    scope="all",
    applies=RATIOS,
)
def growth_adjusted_ratio(lagged_ratio: np.ndarray, volume_growth_quartiles: np.ndarray) -> np.ndarray:
    """Give the numerator over the denominator, had that grown in the year as the peers' median did."""
    middle = volume_growth_quartiles[1]
    return lagged_ratio * over(2.0 - middle, 2.0 + middle)


@feature(
    title=("Growth of business less worsening", "业务增长减风险恶化"),
    unit="z",
    reason=("Low where growth is slow and risk rises; its fall is an early sign.", "增长放缓而风险上升时偏低。"),
    scope="all",
    applies=RISK,
)
def growth_less_worsening(volume_growth_z: np.ndarray, worsening_12m_z: np.ndarray) -> np.ndarray:
    """Give the z of the growth of business less the z of the yearly worsening, both among the peers."""
    return volume_growth_z - worsening_12m_z


@feature(
    title=("Abnormal growth, then worsening", "高增后恶化"),
    unit="score",
    reason=("Standards were loosened to grow, and now it shows.", "放松标准换取增长,现已显现。"),
    scope="all",
    applies=RISK,
    lags=GROWTH_LAGS,
)
def growth_then_worsening(volume_growth_z: np.ndarray, worsening_6m_z: np.ndarray, per_year: int) -> np.ndarray:
    """Give the root of (highest growth z three to nine months ago) x (z of the worsening since), both cut at zero."""
    first, last = int(GROWTH_LAGS[0] * per_year), int(GROWTH_LAGS[-1] * per_year)
    highest = lagged(volume_growth_z, first)
    for periods in range(first + 1, last + 1):
        np.fmax(highest, lagged(volume_growth_z, periods), out=highest)
    return np.sqrt(np.maximum(highest, 0.0) * np.maximum(worsening_6m_z, 0.0))


@feature(
    title=("Abnormal growth a year ago, then worsening", "上年高增后恶化"),
    unit="score",
    reason=("Losses follow abnormal growth for up to three years.", "异常增长后的损失可延续三年。"),
    scope="all",
    applies=RISK,
    lags=(1,),
)
def growth_last_year_then_worsening(
    volume_growth_z: np.ndarray, worsening_12m_z: np.ndarray, per_year: int
) -> np.ndarray:
    """Give the root of (growth z a year ago) x (z of the worsening since), both cut at zero."""
    before = lagged(volume_growth_z, per_year)
    return np.sqrt(np.maximum(before, 0.0) * np.maximum(worsening_12m_z, 0.0))


STEPS: tuple[Step, ...] = (
    harm,
    worsening_6m_quartiles,
    worsening_12m_quartiles,
    volume_growth,
    volume_growth_quartiles,
    volume_growth_z,
)
FEATURES: tuple[Feature, ...] = (
    worsening_1m,
    worsening_3m,
    worsening_6m,
    worsening_12m,
    worsening_6m_z,
    worsening_12m_z,
    distance_to_worst,
    lagged_ratio,
    lagged_ratio_change,
    dilution,
    net_formation,
    formation,
    risk_above_growth,
    growth_adjusted_ratio,
    growth_less_worsening,
    growth_then_worsening,
    growth_last_year_then_worsening,
)
