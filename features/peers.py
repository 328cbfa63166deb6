"""Features against the peers: distance, rank, quartiles, headroom, and the share of the parent's business."""

from __future__ import annotations

import numpy as np

from features.feature import Applies, Feature, Step, feature, step
from features.groups import PeerGroups, PeerOrder, PeerQuartiles, Siblings, Standing
from features.indicators import Indicator
from features.performance import INNER, INNER_PERSPECTIVES
from features.windows import change, midpoint_growth, over_positive, robust_z

DIRECTED = Applies(perspectives=INNER_PERSPECTIVES, directions=("higher", "lower"))
VOLUMES = Applies(kinds=("flow", "stock"), perspectives=INNER_PERSPECTIVES)


@step(scope="all")
def peer_order(value: np.ndarray, groups: PeerGroups) -> PeerOrder:
    """Give the quartiles of the peers' figures and the rank among them."""
    return groups.order(value)


@step(scope="all")
def peer_growth_quartiles(growth_1y: np.ndarray, groups: PeerGroups) -> PeerQuartiles:
    """Give the quartiles of the peers' yearly growth."""
    return groups.quartiles(growth_1y)


@feature(
    title=("Lower quartile of the peers", "同组下四分位"),
    unit="own",
    reason=("What the weaker peers do.", "同组偏弱者的水平。"),
    scope="all",
    applies=INNER,
)
def peer_q25(peer_order: Standing) -> np.ndarray:
    """Give the lower quartile of the peer group."""
    return peer_order.quartiles[0]


@feature(
    title=("Median of the peers", "同组中位数"),
    unit="own",
    reason=("What is usual among comparable units.", "可比单位的一般水平。"),
    scope="all",
    applies=INNER,
)
def peer_median(peer_order: Standing) -> np.ndarray:
    """Give the median of the peer group."""
    return peer_order.quartiles[1]


@feature(
    title=("Upper quartile of the peers", "同组上四分位"),
    unit="own",
    reason=("What the stronger peers do.", "同组偏强者的水平。"),
    scope="all",
    applies=INNER,
)
def peer_q75(peer_order: Standing) -> np.ndarray:
    """Give the upper quartile of the peer group."""
    return peer_order.quartiles[2]


@feature(
    title=("Gap to the peer median", "较同组中位数"),
    unit="growth",
    reason=("Units tend towards their peers.", "单位有向同组靠拢的趋势。"),
    scope="all",
    applies=INNER,
)
def peer_gap(value: np.ndarray, peer_order: Standing, spec: Indicator) -> np.ndarray:
    """Give the distance from the peer median: in points for ratios, else over the mean of both sizes."""
    middle = peer_order.quartiles[1]
    return value - middle if spec.kind == "ratio" else midpoint_growth(value, middle)


@feature(
    title=("Distance from the peers", "偏离同组"),
    unit="z",
    reason=("Tells what is unusual among comparable units.", "识别可比单位中的异常。"),
    scope="all",
    applies=INNER,
)
def peer_z(value: np.ndarray, peer_order: Standing) -> np.ndarray:
    """Give the robust z of the figure among the peers."""
    return robust_z(value, peer_order.quartiles)


@feature(
    title=("Rank among the peers", "同组分位"),
    unit="percentile",
    reason=("Free of the scale and of outliers.", "不受量纲与极端值影响。"),
    scope="all",
    applies=INNER,
)
def peer_rank(peer_order: Standing) -> np.ndarray:
    """Give the share of the peers that are below, ties as half: 1 is the highest figure, be that good or bad."""
    return peer_order.rank


@feature(
    title=("Headroom to the best quarter of the peers", "距同组最好四分之一的空间"),
    unit="growth",
    reason=("What peers show to be possible.", "同组已证明可达到的空间。"),
    scope="all",
    applies=DIRECTED,
)
def headroom(value: np.ndarray, peer_order: Standing, spec: Indicator) -> np.ndarray:
    """Give the way to the better outer quartile of the peers, positive while it is still to go.

    In points for ratios, else over the mean of both sizes.
    """
    low, _, high = peer_order.quartiles
    if spec.kind == "ratio":
        return high - value if spec.direction == "higher" else value - low
    return midpoint_growth(high, value) if spec.direction == "higher" else midpoint_growth(value, low)


@feature(
    title=("Median growth of the peers", "同组增速中位数"),
    unit="growth",
    reason=("The movement that is common to all.", "各单位共同的变动。"),
    scope="all",
    applies=INNER,
)
def peer_growth(peer_growth_quartiles: np.ndarray) -> np.ndarray:
    """Give the median yearly growth of the peer group."""
    return peer_growth_quartiles[1]


@feature(
    title=("Growth above the peers'", "增速较同组"),
    unit="growth",
    reason=("The unit's own part of its growth.", "增长中属于单位自身的部分。"),
    scope="all",
    applies=INNER,
)
def peer_growth_gap(growth_1y: np.ndarray, peer_growth_quartiles: np.ndarray) -> np.ndarray:
    """Give the yearly growth less the peer median."""
    return growth_1y - peer_growth_quartiles[1]


@feature(
    title=("Growth against the peers", "增速偏离同组"),
    unit="z",
    reason=("Abnormal growth is the commonest forerunner of losses.", "异常增长是损失最常见的先兆。"),
    scope="all",
    applies=INNER,
)
def peer_growth_z(growth_1y: np.ndarray, peer_growth_quartiles: np.ndarray) -> np.ndarray:
    """Give the robust z of the yearly growth among the peers."""
    return robust_z(growth_1y, peer_growth_quartiles)


@feature(
    title=("Share of the parent's business", "占上级份额"),
    unit="share",
    reason=("Share within the group: what a goal is broken down by.", "在上级中的份额,目标分解的依据。"),
    scope="all",
    applies=VOLUMES,
)
def parent_share(value: np.ndarray, siblings: Siblings) -> np.ndarray:
    """Give the unit's share of the sum over the units of the same parent."""
    return siblings.shares(value)


@feature(
    title=("Change of the share in a year", "份额年度变化"),
    unit="share",
    reason=("Gains and losses against the sister units.", "相对兄弟单位的得失。"),
    scope="all",
    applies=VOLUMES,
    lags=(1,),
)
def parent_share_change(parent_share: np.ndarray, per_year: int) -> np.ndarray:
    """Give the share less that of a year ago."""
    return change(parent_share, per_year)


@feature(
    title=("Size against the peers' median", "规模相对同组"),
    unit="multiple",
    reason=("Large units grow more slowly and more evenly.", "规模大者增长更慢、更稳。"),
    scope="all",
    applies=VOLUMES,
)
def relative_size(value: np.ndarray, peer_order: Standing) -> np.ndarray:
    """Give the figure as a multiple of the peer median; NaN where that is not positive."""
    return over_positive(value, peer_order.quartiles[1])


STEPS: tuple[Step, ...] = (peer_order, peer_growth_quartiles)
FEATURES: tuple[Feature, ...] = (
    peer_q25,
    peer_median,
    peer_q75,
    peer_gap,
    peer_z,
    peer_rank,
    headroom,
    peer_growth,
    peer_growth_gap,
    peer_growth_z,
    parent_share,
    parent_share_change,
    relative_size,
)
